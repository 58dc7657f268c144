//! Which arguments does a script use? A name that neither it nor its imports mention is a typo, and is refused before
//! anything runs.
//!
//! A script declares its arguments by using them: `args.out`, `"by" in args`, `args["by"]`, `number(args, "lead", 4)`.
//! So any name after a dot and any text in quotes counts as mentioned. A script that goes through whatever it is given
//! (`args.keys()`, `for name in args`, `args[name]`, `plan(args)`) asks for every name, and so does one whose modules
//! are not known beforehand.

use super::api::Language;
use crate::error::{Error, Result, suggestion};

/// A piece of a script.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    /// A text without anything that is put into it.
    Text(String),
    Sign(char),
}

/// What some scripts mention.
#[derive(Default)]
pub(super) struct Asked {
    /// Names after a dot, and texts.
    mentioned: Vec<String>,
    /// Names of arguments, as far as that can be told.
    arguments: Vec<String>,
    /// What they import.
    pub(super) imports: Vec<String>,
    /// Do they take whatever is given?
    pub(super) all: bool,
}

impl Asked {
    /// Adds what a script mentions.
    pub(super) fn read(&mut self, script: &str) {
        let tokens = tokens(script);
        let language = Language::get();
        let given = parameters(&tokens);
        // How deep in brackets, and where the calls begin that have been handed all arguments.
        let (mut depth, mut handed) = (0_usize, Vec::new());
        for (at, token) in tokens.iter().enumerate() {
            let before = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
            let after = |on: usize| tokens.get(at + on);
            let sign = |token: Option<&Token>, sign: char| token == Some(&Token::Sign(sign));
            let word = |token: Option<&Token>, word: &str| matches!(token, Some(Token::Word(text)) if text == word);
            match token {
                Token::Sign('(') => depth += 1,
                Token::Sign(')') => {
                    depth = depth.saturating_sub(1);
                    handed.retain(|call| *call <= depth);
                }
                Token::Sign(_) => {}
                Token::Text(text) => {
                    self.mentioned.push(text.clone());
                    let of_args = word(after(1), "in") && word(after(2), "args")
                        || sign(before(1), '[') && word(before(2), "args")
                        || handed.last().is_some_and(|call| *call == depth);
                    if of_args {
                        self.arguments.push(text.clone());
                    }
                    if word(before(1), "import") {
                        self.imports.push(text.clone());
                    }
                }
                Token::Word(name) if name == "import" => self.all |= !matches!(after(1), Some(Token::Text(_))),
                Token::Word(name) if name == "eval" => self.all |= sign(after(1), '('),
                Token::Word(name) if name == "args" && !sign(before(1), '.') => {
                    let part = |name: &str| sign(after(1), '.') && word(after(2), name);
                    // A function is given the name by its callers, which mention it.
                    let stated = matches!(after(2), Some(Token::Text(_)))
                        || matches!(after(2), Some(Token::Word(name)) if given.contains(&name.as_str()));
                    let computed = sign(after(1), '[') && !(stated && sign(after(3), ']'));
                    let verb = sign(before(1), '(')
                        && (sign(after(1), ')') || sign(after(1), ','))
                        && matches!(before(2), Some(Token::Word(name)) if language.named(None, name).next().is_some());
                    let gone_through = word(before(1), "in") && (word(before(3), "for") || sign(before(2), ')'));
                    self.all |= part("keys") || part("values") || part("to_json") || computed || verb || gone_through;
                    if sign(after(1), ',') && (sign(before(1), '(') || sign(before(1), ',')) {
                        handed.push(depth);
                    }
                }
                Token::Word(name) if sign(before(1), '.') => {
                    // A call is no argument.
                    if sign(after(1), '(') {
                        continue;
                    }
                    self.mentioned.push(name.clone());
                    if word(before(2), "args") || sign(before(2), '?') && word(before(3), "args") {
                        self.arguments.push(name.clone());
                    }
                }
                Token::Word(_) => {}
            }
        }
    }

    /// Refuses the first of the names that is never mentioned.
    ///
    /// # Errors
    /// The nearest that is asked for is suggested.
    pub(super) fn check<'a>(&self, script: &str, names: impl IntoIterator<Item = &'a str>) -> Result<()> {
        let missing = names.into_iter().find(|name| !self.mentioned.iter().any(|known| known == name));
        let Some(name) = missing.filter(|_| !self.all) else { return Ok(()) };
        let mut known: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        known.sort_unstable();
        known.dedup();
        let advice = if known.is_empty() { "; it asks for none".into() } else { suggestion(name, known) };
        Err(Error::usage(format!("{script} asks for no argument `{name}`{advice}")))
    }
}

/// The names that functions with a name give to what they are given.
fn parameters(tokens: &[Token]) -> Vec<&str> {
    let mut names = Vec::new();
    for (at, _) in tokens.iter().enumerate().filter(|(_, token)| **token == Token::Word("fn".into())) {
        let list = tokens[at..].iter().skip_while(|token| **token != Token::Sign('('));
        names.extend(list.take_while(|token| **token != Token::Sign(')')).filter_map(|token| match token {
            Token::Word(name) => Some(name.as_str()),
            _ => None,
        }));
    }
    names
}

/// The pieces of a script, without comments. What does not parse is left to the parser, which says it better.
fn tokens(script: &str) -> Vec<Token> {
    let letters: Vec<char> = script.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    // For each text in backticks that is open around code (`${…}`): how many braces of that code are open.
    let mut inside: Vec<usize> = Vec::new();
    while let Some(&letter) = letters.get(at) {
        let next = letters.get(at + 1).copied();
        match letter {
            '/' if next == Some('/') => at = skipped(&letters, at, |at| letters[at] == '\n'),
            '/' if next == Some('*') => at = comment(&letters, at),
            '"' => {
                let (text, end) = quoted(&letters, at + 1);
                tokens.push(Token::Text(text));
                at = end;
            }
            '`' => at = backticks(&letters, at + 1, &mut tokens, &mut inside),
            '}' if inside.last() == Some(&0) => {
                inside.pop();
                at = backticks(&letters, at + 1, &mut tokens, &mut inside);
            }
            '{' | '}' => {
                if let Some(open) = inside.last_mut() {
                    *open = if letter == '{' { *open + 1 } else { *open - 1 };
                }
                tokens.push(Token::Sign(letter));
                at += 1;
            }
            letter if letter.is_alphanumeric() || letter == '_' => {
                let end = skipped(&letters, at, |at| !(letters[at].is_alphanumeric() || letters[at] == '_'));
                tokens.push(Token::Word(letters[at..end].iter().collect()));
                at = end;
            }
            letter => {
                if !letter.is_whitespace() {
                    tokens.push(Token::Sign(letter));
                }
                at += 1;
            }
        }
    }
    tokens
}

/// The first place from here on where something holds, or the end.
fn skipped(letters: &[char], from: usize, holds: impl Fn(usize) -> bool) -> usize {
    (from..letters.len()).find(|at| holds(*at)).unwrap_or(letters.len())
}

/// Where a comment ends; comments lie in each other.
fn comment(letters: &[char], from: usize) -> usize {
    let (mut at, mut open) = (from, 0_usize);
    while at < letters.len() {
        match (letters[at], letters.get(at + 1)) {
            ('/', Some('*')) => (open, at) = (open + 1, at + 2),
            ('*', Some('/')) if open == 1 => return at + 2,
            ('*', Some('/')) => (open, at) = (open - 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

/// A text in quotes, and the place after it.
fn quoted(letters: &[char], from: usize) -> (String, usize) {
    let (mut text, mut at) = (String::new(), from);
    while let Some(&letter) = letters.get(at) {
        match letter {
            '"' => return (text, at + 1),
            // What is escaped is part of no name.
            '\\' => at += 1,
            letter => text.push(letter),
        }
        at += 1;
    }
    (text, at)
}

/// The rest of a text in backticks, to its end or to the code inside it; the place after that.
fn backticks(letters: &[char], from: usize, tokens: &mut Vec<Token>, inside: &mut Vec<usize>) -> usize {
    let code = |at: usize| letters[at] == '$' && letters.get(at + 1) == Some(&'{');
    let end = skipped(letters, from, |at| letters[at] == '`' || code(at));
    tokens.push(Token::Text(letters[from..end].iter().collect()));
    if end < letters.len() && code(end) {
        inside.push(0);
        end + 2
    } else {
        end + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(script: &str, name: &str) -> String {
        let mut asked = Asked::default();
        asked.read(script);
        asked.check("s.rhai", [name]).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn what_is_asked_for_is_known() {
        for script in [
            "args.models ?? 1",
            "print(`${args.models}`)",
            "if \"models\" in args {}",
            "args[\"models\"]",
            "fn f(a, n) { a[n] } f(args, \"models\")",
            "`a ${ if true { `${args.models}` } } b`",
            "args?.models",
            "for name in args.keys() { print(name) }",
            "for name in args { }",
            "for (name, place) in args { }",
            "plan(args)",
            "let n = \"x\"; args[n]",
            "print(args.out); plan(args)",
            "let f = \"m\"; import f as g;",
            "eval(\"args\")",
        ] {
            assert_eq!(said(script, "models"), "", "{script}");
        }
    }

    #[test]
    fn what_is_never_asked_for_is_refused() {
        for (script, expected) in [
            ("args.models", "s.rhai asks for no argument `modles`, did you mean `models`?"),
            ("// args.modles\n/* \"modles\" /* */ */ f(args, \"models\")", "did you mean `models`?"),
            ("fn f(args, name) { args[name] } f(args, \"models\")", "did you mean `models`?"),
            ("read_table(args.data); f(args, \"models\"); if name in args {}", "did you mean `models`?"),
            ("print(1)", "s.rhai asks for no argument `modles`; it asks for none"),
            ("print(args.out); print(args.by)", "; there is `by`, `out`"),
            ("let modles = 1; `${\"}\"} ${args.models}`", "did you mean `models`?"),
        ] {
            let said = said(script, "modles");
            assert!(said.contains(expected), "{script}: {said}");
        }
    }

    #[test]
    fn odd_scripts_end() {
        for script in ["\"", "`", "`${", "/*", "}", "\"\\", "`${`${`", "}}}{{{", "args", "args[", "for args"] {
            let _ = said(script, "x");
        }
    }
}
