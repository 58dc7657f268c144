//! What does a person see when a script fails? File, line and column, the line itself with a caret, what went wrong and
//! its causes, the nearest name that would have been right, and the calls that led there.

use rhai::{EvalAltResult, LexError, Map, ParseError, ParseErrorType, Position};

use super::api::{Caught, Language, Verb};
use super::arrays::ARRAY;
use super::session::Limits;
use crate::error::{Error, suggestion};
use crate::job::Stop;
use crate::show::words::listed;

/// Where and why a script failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The error with its causes, in one sentence.
    pub message: String,
    /// The place of the error.
    pub place: Option<Place>,
    /// The calls that led there, the innermost first.
    pub calls: Vec<String>,
    /// Was the script stopped by the user?
    pub interrupted: bool,
    /// Could more text make it whole?
    pub unfinished: bool,
}

/// A place in a script.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The script's file, or the cell.
    pub source: String,
    /// Its line, counted from 1.
    pub line: usize,
    /// The column, counted from 1.
    pub column: Option<usize>,
    /// The line's text, if the source is at hand.
    pub text: Option<String>,
}

impl Place {
    fn of(source: &str, position: Position, text: Option<&str>) -> Option<Self> {
        let line = position.line()?;
        let text = text.and_then(|text| text.lines().nth(line - 1)).map(|line| line.trim_end().to_string());
        Some(Self { source: source.into(), line, column: position.position(), text })
    }
}

impl Place {
    /// Does nothing follow in the text?
    fn is_end_of(&self, text: &str) -> bool {
        let mut rest = text.split('\n').skip(self.line - 1);
        let line: String = rest.next().unwrap_or_default().chars().skip(self.column.unwrap_or(1).max(1) - 1).collect();
        line.trim().is_empty() && rest.all(|line| line.trim().is_empty())
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, line {}", self.source, self.line)?;
        self.column.map_or(Ok(()), |column| write!(f, ", column {column}"))
    }
}

impl Failure {
    /// A failure without a place.
    pub(super) fn of(message: String) -> Self {
        Self { message, place: None, calls: Vec::new(), interrupted: false, unfinished: false }
    }

    /// The lines of the script around the place: the line, and a caret under the column.
    pub fn excerpt(&self) -> Option<String> {
        let place = self.place.as_ref()?;
        let text = place.text.as_deref().filter(|text| !text.trim().is_empty())?;
        // A long line is cut around the column, so that the caret stays below it on any screen.
        let column = place.column.unwrap_or(1).max(1) - 1;
        let start = if column > 90 { column - 60 } else { 0 };
        let shown: String = text.chars().skip(start).take(110).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let number = place.line.to_string();
        let mut excerpt = format!("  {number} | {shown}");
        if place.column.is_some() {
            excerpt +=
                &format!("\n  {:width$} | {:>caret$}", "", "^", width = number.len(), caret = column - start + 1);
        }
        Some(excerpt)
    }

    /// The failure as the library's error, for the command line.
    pub(super) fn into_error(self) -> Error {
        if self.interrupted { Error::interrupted() } else { Error::data(self.to_string()) }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(excerpt) = self.excerpt() {
            write!(f, "\n{excerpt}")?;
        }
        self.calls.iter().try_for_each(|call| write!(f, "\n  {call}"))
    }
}

/// What is needed to explain an error: the sources by name, and the names that would have been right.
pub(super) struct Context<'a> {
    pub(super) source: &'a str,
    pub(super) text: &'a dyn Fn(&str) -> Option<String>,
    /// Characters of the first line that are not the user's.
    pub(super) shift: usize,
    pub(super) variables: Vec<String>,
    pub(super) functions: Vec<String>,
    pub(super) limits: Option<&'a Limits>,
    /// Why it was stopped from outside, if it was.
    pub(super) stopped: Option<Stop>,
}

impl Context<'_> {
    /// Explains a script that does not compile.
    pub(super) fn parse(&self, error: &ParseError) -> Failure {
        let mut failure = self.failure(self.source, error.position(), self.syntax(error.err_type()));
        let text = (self.text)(self.source).unwrap_or_default();
        failure.unfinished = match error.err_type() {
            ParseErrorType::BadInput(LexError::UnterminatedString) => true,
            ParseErrorType::UnexpectedEOF
            | ParseErrorType::MissingToken(..)
            | ParseErrorType::ExprExpected(_)
            | ParseErrorType::FnMissingBody(_)
            | ParseErrorType::FnMissingParams(_)
            | ParseErrorType::PropertyExpected => failure.place.as_ref().is_none_or(|place| place.is_end_of(&text)),
            _ => false,
        };
        failure
    }

    /// Explains a script that was stopped by an error.
    pub(super) fn run(&self, error: &EvalAltResult) -> Failure {
        let (mut error, mut source, mut calls) = (error, self.source.to_string(), Vec::new());
        loop {
            match error {
                EvalAltResult::ErrorInFunctionCall(name, inside, inner, at) => {
                    let place = Place::of(&source, *at, None).map_or_else(String::new, |place| format!(" at {place}"));
                    calls.push(if name.contains('$') {
                        format!("in a function without a name, called{place}")
                    } else {
                        format!("in {name}, called{place}")
                    });
                    if !inside.is_empty() {
                        source.clone_from(inside);
                    }
                    error = inner;
                }
                EvalAltResult::ErrorInModule(name, inner, at) => {
                    let place = Place::of(&source, *at, None).map_or_else(String::new, |place| format!(" at {place}"));
                    calls.push(format!("imported{place}"));
                    source.clone_from(name);
                    error = inner;
                }
                _ => break,
            }
        }
        calls.reverse();
        let mut failure = self.failure(&source, error.position(), self.message(error));
        failure.calls = calls;
        failure.interrupted = is_interrupt(error) && self.stopped.is_none();
        failure
    }

    fn failure(&self, source: &str, position: Position, message: String) -> Failure {
        let text = (self.text)(source);
        let mut place = Place::of(source, position, text.as_deref());
        if let Some(place) = place.as_mut().filter(|place| place.line == 1 && source == self.source) {
            place.column = place.column.map(|column| column.saturating_sub(self.shift).max(1));
        }
        Failure { place, ..Failure::of(message) }
    }

    fn message(&self, error: &EvalAltResult) -> String {
        let unlimited = "; run it with --unlimited if it is meant to";
        let limit = |pick: fn(&Limits) -> usize| {
            self.limits.map_or_else(String::new, |limits| format!(" {}", crate::show::number(pick(limits) as f64)))
        };
        let stopped = self.stopped.filter(|_| is_interrupt(error));
        match error {
            _ if stopped == Some(Stop::Memory) => {
                format!(
                    "the script takes more memory than the limit of{} MB{unlimited}",
                    limit(|limits| limits.memory >> 20)
                )
            }
            _ if stopped == Some(Stop::Time) => {
                format!(
                    "the script takes more time than the limit of{} seconds{unlimited}",
                    limit(|limits| limits.seconds as usize)
                )
            }
            _ if stopped == Some(Stop::Text) => {
                format!("the text of a value is longer than any text may be{unlimited}")
            }
            EvalAltResult::ErrorRuntime(value, _) if value.is_unit() => "the script stopped itself".into(),
            EvalAltResult::ErrorRuntime(value, at) => match value.read_lock::<Caught>() {
                // Thrown once more elsewhere: where it came from says more.
                Some(caught) if caught.place.as_ref().map(|(_, line)| *line) != at.line() => caught.to_string(),
                Some(caught) => caught.error.to_string(),
                None => value.to_string(),
            },
            EvalAltResult::ErrorParsing(kind, _) => self.syntax(kind),
            EvalAltResult::ErrorFunctionNotFound(call, _) => self.unknown_call(call),
            EvalAltResult::ErrorVariableNotFound(name, _) => self.unknown_variable(name),
            EvalAltResult::ErrorDotExpr(text, _) => unknown_property(text).unwrap_or_else(|| plain(error)),
            EvalAltResult::ErrorTerminated(..) => "interrupted".into(),
            EvalAltResult::ErrorTooManyOperations(_) => format!(
                "the script did more than{} operations, as an endless loop does{unlimited}",
                limit(|limits| limits.operations as usize)
            ),
            EvalAltResult::ErrorStackOverflow(_) => match self.limits {
                Some(limits) => format!(
                    "functions call each other more than {} deep, as a recursion without an end does{unlimited}",
                    limits.depth
                ),
                None => {
                    "functions call each other deeper than there is room for, as a recursion without an end does".into()
                }
            },
            EvalAltResult::ErrorDataTooLarge(what, _) => {
                let what = what.trim_end_matches(" too large").to_lowercase();
                format!("the {what} is over the limit of{}{unlimited}", limit(|limits| limits.size))
            }
            EvalAltResult::ErrorModuleNotFound(name, _) => format!("there is no module `{name}`"),
            EvalAltResult::ErrorDataRace(..) => "a function without a name uses the very value that it is called on; \
                give that value's part a name of its own first, in a line before"
                .into(),
            EvalAltResult::ErrorMismatchDataType(wanted, given, _) if wanted.contains("iterable") => {
                format!(
                    "`for` goes over arrays, ranges, panels (their series) and tables (their rows), not over {given}"
                )
            }
            EvalAltResult::ErrorFor(_) => {
                "`for` goes over arrays, ranges, panels (their series) and tables (their rows)".into()
            }
            _ => plain(error),
        }
    }

    fn syntax(&self, kind: &ParseErrorType) -> String {
        match kind {
            ParseErrorType::VariableUndefined(name) => self.unknown_variable(name),
            ParseErrorType::UnexpectedEOF => "the script ends too early".into(),
            ParseErrorType::BadInput(LexError::UnterminatedString) => "the text is not closed by a quote".into(),
            ParseErrorType::Reserved(word) => format!("`{word}` is a reserved word; choose another name"),
            other => lowered(&other.to_string()),
        }
    }

    fn unknown_variable(&self, name: &str) -> String {
        let language = Language::get();
        if language.named(None, name).next().is_some() {
            return format!("`{name}` is a function: write {name}(…)");
        }
        let text = (self.text)(self.source).unwrap_or_default();
        let known = self.variables.iter().map(String::as_str).chain(declared(&text)).filter(|known| *known != name);
        format!("there is no variable `{name}`{}", near(name, known))
    }

    /// `fit (Panel, i64, i64)`, which no function takes.
    fn unknown_call(&self, call: &str) -> String {
        let (name, types) = call.split_once(" (").map_or((call, ""), |(name, rest)| (name, rest.trim_end_matches(')')));
        let types: Vec<&str> = types.split(", ").filter(|of| !of.is_empty()).map(shown_type).collect();
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return format!("`{name}` is not defined for {}", types.join(" and "));
        }
        let language = Language::get();
        let noun = types.first().copied().filter(|first| language.nouns().contains(first));
        let calls = |verbs: &mut dyn Iterator<Item = &Verb>| {
            let calls: Vec<String> = verbs.map(|verb| format!("`{}`", verb.call())).collect();
            (!calls.is_empty()).then(|| calls.join(" or "))
        };
        let of_arrays = || calls(&mut language.named(types.first().copied().filter(|first| *first == ARRAY), name));
        let of_nouns = calls(&mut language.named(noun, name)).or_else(|| calls(&mut language.named(None, name)));
        if let Some(known) = of_nouns.or_else(of_arrays) {
            return format!("`{name}` is called as {known}, not with ({})", types.join(", "));
        }
        let own = self.functions.iter().filter(|function| function.split('(').next() == Some(name));
        if let Some(function) = own.map(String::as_str).next() {
            return format!("`{name}` is called as `{function}`, not with ({})", types.join(", "));
        }
        if noun.is_some() {
            let verbs: Vec<&str> = language.of(noun).map(|verb| verb.name).collect();
            let has = |noun: &&str| language.named(Some(noun), name).next().is_some();
            let elsewhere: Vec<&str> = language.nouns().into_iter().filter(has).collect();
            let noun = types[0];
            return match (near(name, verbs.iter().copied()), elsewhere.as_slice()) {
                (near, []) if near.is_empty() => format!("a {noun} has no verb `{name}`{}", suggestion(name, verbs)),
                (near, others) if near.is_empty() => {
                    format!("`{name}` is a verb of {}, not of {noun}", listed(others, 3))
                }
                (near, _) => format!("a {noun} has no verb `{name}`{near}"),
            };
        }
        let own: Vec<&str> = self.functions.iter().filter_map(|function| function.split('(').next()).collect();
        let arrays = language.of(Some(ARRAY)).filter(|_| types.first() == Some(&ARRAY));
        let known = language
            .of(None)
            .chain(arrays)
            .map(|verb| verb.name)
            .chain(own)
            .chain(super::complete::BUILT_IN.iter().copied());
        let near = super::help::hint(name).unwrap_or_else(|| near(name, known.filter(|known| *known != name)));
        if types.is_empty() {
            format!("there is no function `{name}`{near}")
        } else {
            format!("there is no function `{name}` for ({}){near}", types.join(", "))
        }
    }
}

/// Did the script end because it was interrupted?
fn is_interrupt(error: &EvalAltResult) -> bool {
    match error {
        EvalAltResult::ErrorTerminated(..) => true,
        EvalAltResult::ErrorRuntime(value, _) => {
            value.read_lock::<Caught>().is_some_and(|caught| caught.error.is_interrupted())
        }
        _ => false,
    }
}

/// What `catch` hands over for an error of Rhai's own, in one sentence with its line; none if a map is no such error.
pub(super) fn caught(map: &Map) -> Option<String> {
    let text = |name: &str| map.get(name).filter(|value| value.is_string()).map(ToString::to_string);
    let (error, message) = (text("error")?, text("message")?);
    if !error.starts_with("Error") {
        return None;
    }
    // An error inside of functions says its own place in its words, `… @ 'script' (line 3, position 5)`, and on further
    // lines what was called.
    let said = message.lines().next().unwrap_or_default();
    let (said, inner) = said.rsplit_once(" (line ").map_or((said, None), |(said, at)| (said, Some(at)));
    let inner = inner.and_then(|at| at.split([',', ')']).next()?.parse::<i64>().ok());
    let (said, from) = said.rsplit_once(" @ '").map_or((said, None), |(said, from)| (said, from.strip_suffix('\'')));
    let context = Context {
        source: "",
        text: &|_| None,
        shift: 0,
        variables: Vec::new(),
        functions: Vec::new(),
        limits: None,
        stopped: None,
    };
    let sentence = match said.strip_prefix("Function not found: ") {
        Some(call) => context.unknown_call(call),
        None if said.starts_with("Unknown property") => unknown_property(said).unwrap_or_else(|| lowered(said)),
        None => lowered(said),
    };
    let source = from.map(String::from).or_else(|| text("source"));
    let line = inner.or_else(|| map.get("line")?.as_int().ok());
    let place = [source, line.map(|line| format!("line {line}"))];
    let place = place.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    Some(if place.is_empty() { sentence } else { format!("{place}: {sentence}") })
}

/// The names that a text gives to variables.
fn declared(text: &str) -> impl Iterator<Item = &str> {
    let words: Vec<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty()).collect();
    let names = words.windows(2).filter(|pair| ["let", "const", "for"].contains(&pair[0])).map(|pair| pair[1]);
    names.collect::<Vec<_>>().into_iter()
}

/// The nearest of many names, or nothing where none is near: a list of all would be a wall.
pub(super) fn near<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let found = suggestion(word, candidates);
    if found.contains("did you mean") { found } else { String::new() }
}

/// `Unknown property 'rwos' - a getter is not registered for type 'Panel'`.
fn unknown_property(text: &str) -> Option<String> {
    let mut quoted = text.split('\'').skip(1).step_by(2);
    let (name, noun) = (quoted.next()?, shown_type(quoted.next()?));
    if Language::get().nouns().contains(&noun) {
        Some(no_property(noun, name))
    } else {
        Some(format!("the value is of type {noun}, which has no `{name}`"))
    }
}

/// The message about `sales.rwos`.
fn no_property(noun: &str, name: &str) -> String {
    let language = Language::get();
    if let Some(verb) = language.named(Some(noun), name).next() {
        return format!("`{name}` of a {noun} is called: write {}", verb.call());
    }
    format!("a {noun} has no `{name}`{}", suggestion(name, language.of(Some(noun)).map(|verb| verb.name)))
}

/// Nothing of that name is in a noun that has parts with names: Rhai looks for a part where a property is misspelt.
pub(super) fn no_part(noun: &str, name: &str, error: Error) -> Error {
    let verbs = || Language::get().of(Some(noun)).map(|verb| verb.name);
    if error.to_string().contains("did you mean") || near(name, verbs()).is_empty() {
        error
    } else {
        Error::usage(no_property(noun, name))
    }
}

/// Rhai's type names as the documentation writes them.
fn shown_type(name: &str) -> &str {
    match name {
        "i64" => "int",
        "f64" => "float",
        "string" | "&str | ImmutableString | String" => "String",
        "array" => "Array",
        "map" => "Map",
        other => other.rsplit("::").next().unwrap_or(other),
    }
}

/// Rhai's own message without the place, which is reported separately.
fn plain(error: &EvalAltResult) -> String {
    let mut text = error.to_string();
    if let Some(at) = text.rfind(" (line ") {
        text.truncate(at);
    }
    lowered(&text)
}

/// A sentence in lower case, to follow a colon.
fn lowered(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(letters).collect(),
        _ => text.into(),
    }
}
