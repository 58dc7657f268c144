//! What may follow at the cursor? Verbs of the noun before a dot, options inside a map or a label, names of models,
//! questions, features and metrics inside a text, else variables, functions and words of the language.
//!
//! A script in the making does not parse, so this reads the text before the cursor by itself, backwards from it, as far
//! as is needed to know the type of what stands before a dot.

use super::api::Language;
use super::session::Session;
use crate::explore::QUESTIONS;
use crate::figures::Look;
use crate::metrics::METRICS;
use crate::models::MODELS;
use crate::options;
use crate::panel::{Aggregate, Clean, FEATURES, Join, Reading};
use crate::plan::Patch;
use crate::registry::Row;
use crate::show::Table;

/// Rhai's own words and functions that scripts use most.
pub(super) const BUILT_IN: &[&str] = &[
    "abs",
    "append",
    "catch",
    "clear",
    "const",
    "contains",
    "debug",
    "else",
    "exit",
    "export",
    "false",
    "filter",
    "floor",
    "fn",
    "for",
    "if",
    "import",
    "index_of",
    "input",
    "is_empty",
    "keys",
    "len",
    "let",
    "loop",
    "map",
    "max",
    "min",
    "parse_float",
    "parse_int",
    "pop",
    "print",
    "private",
    "push",
    "range",
    "reduce",
    "remove",
    "replace",
    "return",
    "reverse",
    "round",
    "show",
    "sort",
    "split",
    "sqrt",
    "switch",
    "sub_string",
    "throw",
    "to_float",
    "to_int",
    "to_lower",
    "to_string",
    "to_upper",
    "trim",
    "true",
    "try",
    "type_of",
    "values",
    "while",
];

/// Completions of a part of the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completion {
    /// Start of the completed part, in characters.
    pub start: usize,
    /// Its end.
    pub end: usize,
    /// The replacements for that part.
    pub matches: Vec<String>,
}

/// A place in the text and what precedes it.
pub(super) struct Cursor {
    /// The text before the word.
    before: Vec<char>,
    /// The word that ends at the cursor (or, for [`Cursor::word`], around it).
    pub(super) word: String,
    pub(super) after_dot: bool,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl Cursor {
    /// The word that ends at the cursor.
    fn at(text: &str, cursor: usize) -> Self {
        let before: Vec<char> = text.chars().take(cursor).collect();
        let start = before.iter().rposition(|c| !is_word(*c)).map_or(0, |at| at + 1);
        let word = before[start..].iter().collect();
        let before = before[..start].to_vec();
        let after_dot = last(&before) == Some('.');
        Self { before, word, after_dot }
    }

    /// The whole word around the cursor; before an opening parenthesis, the word in front of it.
    pub(super) fn word(text: &str, cursor: usize) -> Self {
        let all: Vec<char> = text.chars().collect();
        let mut end = cursor.min(all.len());
        while end > 0
            && all.get(end - 1).is_some_and(|c| "()".contains(*c))
            && !all.get(end).is_some_and(|c| is_word(*c))
        {
            end -= 1;
        }
        while all.get(end).is_some_and(|c| is_word(*c)) {
            end += 1;
        }
        Self::at(text, end)
    }

    /// The noun before the dot, as far as it can be known without running anything.
    pub(super) fn receiver(&self, session: &Session) -> Option<&'static str> {
        self.after_dot.then(|| type_before(trimmed(&self.before).split_last()?.1, session, 0)).flatten()
    }
}

fn trimmed(text: &[char]) -> &[char] {
    let end = text.iter().rposition(|c| !c.is_whitespace()).map_or(0, |at| at + 1);
    &text[..end]
}

fn last(text: &[char]) -> Option<char> {
    trimmed(text).last().copied()
}

/// The type of the expression that ends a text: `sales.fit(["theta"])` is a Fits.
fn type_before(text: &[char], session: &Session, depth: usize) -> Option<&'static str> {
    let text = trimmed(text);
    let (&end, _) = text.split_last()?;
    if depth > 20 {
        return None;
    }
    if end == ']' {
        let open = opening(text)?;
        return match type_before(&text[..open], session, depth + 1) {
            Some("Panel") => Some("Panel"),
            Some("Table") => Some("Map"),
            _ => None,
        };
    }
    let (callee, call) = if end == ')' { (&text[..opening(text)?], true) } else { (text, false) };
    let callee = trimmed(callee);
    let start = callee.iter().rposition(|c| !is_word(*c)).map_or(0, |at| at + 1);
    let name: String = callee[start..].iter().collect();
    if name.is_empty() {
        return None;
    }
    let before = trimmed(&callee[..start]);
    let language = Language::get();
    if before.last() == Some(&'.') {
        let noun = type_before(&before[..before.len() - 1], session, depth + 1)?;
        return language.named(Some(noun), &name).next().map(|verb| verb.returns);
    }
    if call {
        return language.named(None, &name).next().map(|verb| verb.returns);
    }
    // What the text itself says of the variable is newer than what ran before.
    assigned(before, &name, session, depth)
        .or_else(|| session.variables().into_iter().find(|(variable, _)| *variable == name).map(|(_, of)| of))
}

/// The type of the last `let name = …;` in a text.
fn assigned(text: &[char], name: &str, session: &Session, depth: usize) -> Option<&'static str> {
    let whole: String = text.iter().collect();
    let at = [format!("let {name} = "), format!("const {name} = ")]
        .iter()
        .filter_map(|lead| whole.rfind(lead.as_str()).map(|at| at + lead.len()))
        .max()?;
    let rest = &whole[at..];
    let expression: Vec<char> = rest[..statement_end(rest)].chars().collect();
    type_before(&expression, session, depth + 1)
}

/// Where the statement ends that begins a text: at the first semicolon outside brackets and quotes.
fn statement_end(text: &str) -> usize {
    let (mut depth, mut quote) = (0_i32, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '"' | '`') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ';') if depth <= 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// Where the bracket opens that ends a text.
fn opening(text: &[char]) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, c) in text.iter().enumerate().rev() {
        match (quote, *c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '"' | '`') => quote = Some(*c),
            (None, ')' | ']' | '}') => depth += 1,
            (None, '(' | '[' | '{') => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// What is open at the end of a text: brackets, and a text in quotes.
#[derive(Default)]
struct Open {
    /// The places of brackets that are still open.
    brackets: Vec<usize>,
    /// Where the text in quotes begins, after its quote.
    quoted: Option<usize>,
    comment: bool,
}

fn open(text: &[char]) -> Open {
    let mut open = Open::default();
    let (mut quote, mut at) = (None, 0);
    while at < text.len() {
        let c = text[at];
        match quote {
            Some('"') if c == '\\' => at += 1,
            Some(end) if c == end => {
                quote = None;
                open.quoted = None;
            }
            Some(_) => {}
            None if c == '/' && text.get(at + 1) == Some(&'/') => quote = Some('\n'),
            None if c == '"' || c == '`' => {
                quote = Some(c);
                open.quoted = Some(at + 1);
            }
            None if "([{".contains(c) => open.brackets.push(at),
            None if ")]}".contains(c) => {
                open.brackets.pop();
            }
            None => {}
        }
        at += 1;
    }
    open.comment = quote == Some('\n');
    open
}

/// The name of the function whose parenthesis is the innermost open one.
fn callee(text: &[char], brackets: &[usize]) -> Option<String> {
    let at = brackets.iter().rev().find(|at| text[**at] == '(')?;
    let before = trimmed(&text[..*at]);
    let start = before.iter().rposition(|c| !is_word(*c)).map_or(0, |at| at + 1);
    Some(before[start..].iter().collect())
}

impl Session {
    /// Completions at the cursor, which is counted in characters.
    pub fn complete(&self, text: &str, cursor: usize) -> Completion {
        let before: Vec<char> = text.chars().take(cursor).collect();
        let found = open(&before);
        if found.comment {
            return Completion { start: before.len(), end: before.len(), matches: Vec::new() };
        }
        if let Some(start) = found.quoted {
            return label(&before, start, callee(&before, &found.brackets).as_deref());
        }
        let cursor = Cursor::at(text, cursor);
        let language = Language::get();
        let candidates: Vec<String> = if cursor.after_dot {
            let noun = cursor.receiver(self);
            let verbs: Vec<_> = match noun.filter(|noun| language.nouns().contains(noun)) {
                Some(noun) => language.of(Some(noun)).collect(),
                None => language.verbs().iter().filter(|verb| verb.noun.is_some()).collect(),
            };
            verbs.iter().map(|verb| verb.name.to_string()).collect()
        } else if let Some(names) = in_map(&before, &found.brackets) {
            names.into_iter().map(|name| format!("{name}: ")).collect()
        } else {
            let variables = self.variables().into_iter().map(|(name, _)| name);
            let own = self.functions();
            let own = own.iter().filter_map(|function| function.split('(').next()).map(String::from);
            let known = language.of(None).map(|verb| verb.name.to_string());
            variables.chain(own).chain(known).chain(BUILT_IN.iter().map(ToString::to_string)).collect()
        };
        matching(cursor.before.len(), &cursor.word, candidates)
    }
}

/// The candidates that begin with what was typed, sorted, each once.
fn matching(start: usize, typed: &str, mut candidates: Vec<String>) -> Completion {
    candidates.retain(|candidate| candidate.starts_with(typed));
    candidates.sort();
    candidates.dedup();
    Completion { start, end: start + typed.chars().count(), matches: candidates }
}

/// The options that a map takes which is open at the end of the text, where a name may stand.
fn in_map(text: &[char], brackets: &[usize]) -> Option<Vec<String>> {
    let &at = brackets.last()?;
    if text[at] != '{' || at == 0 || text[at - 1] != '#' {
        return None;
    }
    let inside: String = text[at + 1..].iter().collect();
    let current = options::split_list(&inside).pop().unwrap_or_default().to_string();
    let fresh = inside.trim_end().is_empty() || inside.trim_end().ends_with(',');
    if !fresh && current.contains(':') {
        return None;
    }
    Some(names_of(&options_of(&callee(text, brackets)?)?))
}

/// Names inside a text: of models, questions, features, metrics; options inside a label's parentheses.
fn label(text: &[char], start: usize, callee: Option<&str>) -> Completion {
    let inside: String = text[start..].iter().collect();
    // What is typed begins after the last separator.
    let at = inside.rfind(|c: char| !(is_word(c) || c == '-')).map_or(0, |at| at + 1);
    let typed = inside[at..].to_string();
    let place = start + inside[..at].chars().count();
    let names = |names: Vec<&str>| names.into_iter().map(String::from).collect::<Vec<_>>();
    let open = inside.rfind('(').filter(|open| !inside[*open..].contains(')'));
    let candidates = match open {
        Some(open) => {
            let name = inside[..open].rsplit(|c| !is_word(c)).next().unwrap_or_default();
            let value = inside[open..at].trim_end().ends_with('=');
            match options_of(name).filter(|_| !value) {
                Some(table) => names_of(&table).into_iter().map(|name| format!("{name}=")).collect(),
                None => Vec::new(),
            }
        }
        None => match callee {
            Some("fit" | "backtest" | "model" | "residuals" | "plot_last") => {
                names(MODELS.iter().map(|m| m.name).collect())
            }
            Some("explore") => names(QUESTIONS.iter().map(|q| q.name).collect()),
            Some("features") => names(FEATURES.iter().map(|f| f.name).collect()),
            Some("leaderboard" | "best" | "worst" | "by" | "score") => names(METRICS.iter().map(|m| m.name).collect()),
            Some("plot") => names(MODELS.iter().map(|m| m.name).chain(METRICS.iter().map(|m| m.name)).collect()),
            Some("normalise" | "normalised") => names(vec!["none", "standard", "min-max", "log1p", "box-cox"]),
            Some(name @ ("clean" | "aggregate" | "join" | "read_panel" | "read_table")) => match options_of(name) {
                Some(table) => names_of(&table).into_iter().map(|name| format!("{name}=")).collect(),
                None => Vec::new(),
            },
            _ => Vec::new(),
        },
    };
    matching(place, &typed, candidates)
}

fn names_of(options: &Table) -> Vec<String> {
    options.column("option").unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// The options that go with a name: of a model, a question, a feature, a verb that takes a map.
pub(super) fn options_of(name: &str) -> Option<Table> {
    let listed = MODELS.served(name).map(Row::options);
    let listed = listed.or_else(|| QUESTIONS.served(name).map(Row::options));
    let listed = listed.or_else(|| FEATURES.served(name).map(Row::options));
    let table = match name {
        "clean" => options::table::<Clean>(),
        "aggregate" => options::table::<Aggregate>(),
        "join" => options::table::<Join>(),
        "read_panel" | "read_table" => options::table::<Reading>(),
        "line" | "bar" | "scatter" => options::table::<Look>(),
        "plan" => options::table::<Patch>(),
        _ => listed?,
    }
    .ok()?;
    (table.rows() > 0).then_some(table)
}
