//! Rhai: the same nouns and verbs as the library, for scripts, at a prompt and in notebooks.
//!
//! Models, questions and features come from their tables in a loop, so that a new one needs nothing here; a verb of a
//! noun is one line.
//!
//! | file | question |
//! |---|---|
//! | `api` | how a verb of the library becomes one of scripts |
//! | `nouns`, `values` | what goes into verbs and comes out |
//! | `panel`, `models`, `evaluate`, `stock`, `report`, `tables`, `arrays`, `text` | the verbs, one line each |
//! | `session` | text after text, within limits and behind a fence |
//! | `failure` | what is said when a script fails |
//! | `modules` | where `import` looks |
//! | `asked` | which arguments a script asks for |
//! | `shown` | how a value looks |
//! | `complete`, `help` | what may follow at the cursor, and what a word means |
//! | `definitions` | `scripts/api.d.rhai`, for editors |
//! | `repl`, `kernel` | the prompt, and the Jupyter kernel |

mod api;
mod arrays;
mod asked;
mod complete;
mod definitions;
mod evaluate;
mod failure;
mod help;
pub mod kernel;
mod memory;
mod models;
mod modules;
mod nouns;
mod operate;
mod panel;
mod repl;
mod report;
mod session;
mod shown;
mod stock;
mod tables;
mod text;
mod values;

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rhai::{Dynamic, Engine, OptimizationLevel};

pub use api::{Language, Verb, documentation};
pub use complete::Completion;
pub use definitions::definitions;
pub use failure::{Failure, Place};
pub use help::help;
pub use panel::files;
pub use repl::repl;
pub use session::{Completeness, Limits, Session, Settings, Surface, on_deep_stack};
pub use shown::Shown;
pub use text::{exact, format, percent};

use crate::error::{Error, Result};
use crate::progress;
use api::{Answer, Api};
use values::{Argument, Value};

/// An engine that knows every noun and verb, without limits and without a fence: what a program embeds. Scripts,
/// prompts and notebooks use a [`Session`].
///
/// ```
/// let engine = tradewind::script::engine();
/// let best: String = engine.eval(r#"
///     let sales = read_panel("data/walmart_sales_weekly.csv", columns(["Store", "Dept"], "Date", "Weekly_Sales"));
///     sales.backtest([naive(), "theta"], folds(2, 8)).best("mase")
/// "#)?;
/// assert_eq!(best, "theta");
/// # Ok::<(), Box<rhai::EvalAltResult>>(())
/// ```
pub fn engine() -> Engine {
    build().0
}

fn build() -> (Engine, Language) {
    let mut engine = Engine::new();
    engine.set_max_expr_depths(128, 64);
    // The optimiser writes constants into texts by Rhai's own rules, with all their digits.
    engine.set_optimization_level(OptimizationLevel::None);
    // A script that is interrupted stops at its next operation; a long verb asks by itself.
    engine.on_progress(|_| progress::check().err().map(Dynamic::from));
    let mut api = Api { engine, language: Language::default() };
    nouns::register(&mut api);
    panel::register(&mut api);
    models::register(&mut api);
    operate::register(&mut api);
    evaluate::register(&mut api);
    stock::register(&mut api);
    report::register(&mut api);
    tables::register(&mut api);
    arrays::register(&mut api);
    text::register(&mut api);
    help::register(&mut api);
    (api.engine, api.language)
}

/// A function without or with a map of options, as `theta()` and `theta(#{season: 52})`.
fn constructor<A: Argument, T: Value>(
    api: &mut Api,
    name: &'static str,
    returns: &'static str,
    make: impl Fn(A) -> Result<T> + Copy + Send + Sync + 'static,
) {
    let options =
        Verb { noun: None, name, property: false, params: vec![("options", A::TYPE)], returns, item: name.to_string() };
    let given = move |options: Dynamic| -> Answer<Dynamic> {
        Ok(make(values::argument::<A>(options, name, "options")?)?.give())
    };
    let none = || Dynamic::from(rhai::Map::new());
    // What cannot do without options is not offered without them.
    if given(none()).is_ok() {
        api.add(Verb { params: Vec::new(), ..options.clone() }, None, Box::new(move |_| given(none())));
    }
    api.add(options, None, Box::new(move |options| given(options[0].clone())));
}

/// A place in something that is counted from 0; a negative one is counted from the end.
fn place(place: i64, length: usize) -> Result<usize> {
    let from_start = if place < 0 { place + length as i64 } else { place };
    usize::try_from(from_start).ok().filter(|place| *place < length).ok_or_else(|| {
        Error::usage(format!(
            "there is no place {place}: there are {length}, counted from 0, or from the end as -1, -2 …"
        ))
    })
}

/// The name of a value's type, as the documentation writes it.
fn type_name(value: &Dynamic) -> &'static str {
    nouns::name(value).unwrap_or(match value.type_name() {
        "i64" => "int",
        "f64" => "float",
        "string" => "String",
        "array" => "Array",
        "map" => "Map",
        "bool" => "bool",
        "Fn" => "FnPtr",
        "()" => "()",
        _ => "?",
    })
}

/// Runs a script file; its `args` are among the settings. Returns the code of `exit(code)`, else 0.
///
/// # Errors
/// When the file cannot be read, the script never asks for one of the arguments, or it fails, with file, line and
/// column, the line itself and a caret.
pub fn run_file(path: impl AsRef<Path>, settings: &Settings) -> Result<i64> {
    let path = path.as_ref();
    let source = path.display().to_string();
    let text = crate::files::read_text(path)?;
    // Neither a byte order mark nor a line for the shell is Rhai.
    let text = text.trim_start_matches('\u{feff}');
    let text = text.strip_prefix("#!").map_or_else(|| text.to_string(), |rest| format!("//{rest}"));
    let terminal = Terminal::new();
    let refused = terminal.refused.clone();
    let ran = on_deep_stack(|| -> Result<i64> {
        let mut session = Session::new(settings, terminal)?;
        session.came_from(path);
        session.check_args(&source, &text, &settings.args)?;
        let value = session.run(&source, &text).map_err(|failure| failure.into_error())?;
        Ok(value.exit_code().unwrap_or(0))
    })??;
    match session::locked(&refused).take() {
        Some(cause) => Err(Error::io("what the script printed could not be written").because(cause)),
        None => Ok(ran),
    }
}

/// Gives this process a ceiling of memory somewhat above the limit of scripts, for a program that does nothing but run
/// them: what the limit did not see coming ends the program, and not what runs beside it on the machine.
pub fn confine(settings: &Settings) {
    if let Some(limits) = &settings.limits {
        memory::ceiling(limits);
    }
}

/// Standard output and input.
#[derive(Default)]
pub struct Terminal {
    /// Why output could not be written: what a script prints must arrive, or the run has failed.
    refused: Arc<Mutex<Option<std::io::Error>>>,
}

impl Terminal {
    /// The terminal of this process.
    pub fn new() -> Self {
        Self::default()
    }

    fn write(&self, text: &str) {
        let mut out = std::io::stdout();
        // A reader that stops early (head) is no failure.
        if let Err(cause) = out.write_all(text.as_bytes()).and_then(|()| out.flush())
            && cause.kind() != std::io::ErrorKind::BrokenPipe
        {
            *session::locked(&self.refused) = Some(cause);
        }
    }
}

impl Surface for Terminal {
    fn print(&self, text: &str) {
        self.write(&format!("{text}\n"));
    }

    fn debug(&self, text: &str) {
        eprintln!("{text}");
    }

    fn show(&self, shown: &Shown) {
        self.write(&format!("{}\n", shown.text()));
    }

    fn ask(&self, prompt: &str) -> Result<String> {
        self.write(prompt);
        let mut line = String::new();
        match std::io::stdin().read_line(&mut line) {
            Ok(0) => Err(Error::io("there is no answer: standard input has ended")),
            Ok(_) => Ok(line.trim_end_matches(['\r', '\n']).to_string()),
            Err(cause) => Err(Error::io("standard input cannot be read").because(cause)),
        }
    }
}
