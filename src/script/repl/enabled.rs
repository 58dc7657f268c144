//! The prompt with history, completion and lines that go on.

use std::cell::RefCell;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::rc::Rc;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter, MatchingBracketHighlighter};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper, Hinter};

use crate::error::{Error, Result};
use crate::files;
use crate::job::Job;
use crate::script::{Completeness, Session, Settings, Terminal, on_deep_stack};

/// Reads and runs lines until the input ends or `exit()` is called; returns the code of `exit(code)`.
///
/// The history is kept in `tradewind/history.rhai` in the user's data folder.
///
/// # Errors
/// When the terminal cannot be used.
pub fn repl(settings: &Settings) -> Result<i64> {
    on_deep_stack(|| lines(settings))?
}

fn lines(settings: &Settings) -> Result<i64> {
    let broken = |cause: ReadlineError| Error::io("the terminal cannot be used").because(cause.to_string());
    let session = Rc::new(RefCell::new(Session::new(settings, Terminal::new())?));
    let config = Config::builder().completion_type(CompletionType::List).history_ignore_space(true).build();
    let mut editor: Editor<Prompt, _> = Editor::with_config(config).map_err(broken)?;
    editor.set_helper(Some(Prompt { session: session.clone(), brackets: MatchingBracketHighlighter::new() }));
    let person = std::io::stdin().is_terminal();
    let history = person.then(history_file).flatten();
    if let Some(file) = &history {
        // The first time there is none.
        let _ = editor.load_history(file);
    }
    if person {
        println!("Tradewind {}. help() lists the words, Tab completes, Ctrl-D ends.", env!("CARGO_PKG_VERSION"));
    }
    let mut number = 0;
    let code = loop {
        let line = match editor.readline(if person { "> " } else { "" }) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break 0,
            Err(cause) => return Err(broken(cause)),
        };
        if line.trim().is_empty() {
            continue;
        }
        number += 1;
        // A history that cannot grow is no reason to stop.
        let _ = editor.add_history_entry(&line);
        Job::current().resume();
        let ran = session.borrow_mut().run(&format!("input {number}"), &line);
        match ran {
            Ok(value) => {
                if let Some(code) = value.exit_code() {
                    break code;
                }
                if !value.is_empty() {
                    println!("{}", value.text());
                }
            }
            Err(failure) => {
                eprintln!("{failure}");
                // Nobody is there to read on: the run has failed.
                if !person {
                    break 1;
                }
            }
        }
    };
    if let Some(file) = &history {
        let _ = file.parent().map(files::make_folder);
        let _ = editor.save_history(file);
    }
    Ok(code)
}

fn history_file() -> Option<PathBuf> {
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let data = data.or_else(|| Some(std::env::home_dir()?.join(".local/share")))?;
    Some(data.join("tradewind/history.rhai"))
}

#[derive(Helper, Hinter)]
struct Prompt {
    session: Rc<RefCell<Session>>,
    brackets: MatchingBracketHighlighter,
}

impl Completer for Prompt {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let found = self.session.borrow().complete(line, line[..at].chars().count());
        let start = line.char_indices().nth(found.start).map_or(line.len(), |(byte, _)| byte);
        Ok((start, found.matches))
    }
}

impl Highlighter for Prompt {
    fn highlight<'l>(&self, line: &'l str, at: usize) -> std::borrow::Cow<'l, str> {
        self.brackets.highlight(line, at)
    }

    fn highlight_char(&self, line: &str, at: usize, kind: CmdKind) -> bool {
        self.brackets.highlight_char(line, at, kind)
    }
}

impl Validator for Prompt {
    /// A line that stops in the middle goes on in the next one.
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        Ok(match self.session.borrow().is_complete(context.input()) {
            Completeness::Incomplete => ValidationResult::Incomplete,
            Completeness::Complete | Completeness::Invalid => ValidationResult::Valid(None),
        })
    }
}
