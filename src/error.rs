//! What can go wrong, said once: every fallible function of the crate returns [`Error`].
//!
//! One opaque type rather than an enum per room: callers act on *whose* fault it is (the request, the
//! data, the machine, an interrupt) and print the rest. The predicates answer the first question, `Display`
//! the second: the message followed by its causes, joined with `: `. `Debug` prints the same sentence, because
//! that is what a notebook shows after a failed `?`.

use std::fmt;
use std::sync::Arc;

/// The result of every fallible function of the crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A sentence saying what went wrong, where, and what to do about it.
///
/// ```
/// use tradewind::prelude::*;
/// let error = Model::named("seasonal_niave").unwrap_err();
/// assert!(error.is_usage());
/// assert!(error.to_string().contains("did you mean `seasonal_naive`?"));
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: Kind,
    message: String,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Usage,
    Data,
    Model,
    Io,
    Interrupted,
}

impl Error {
    /// The request itself is wrong: an unknown option, a horizon of zero.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// The data cannot be used as they are: a date that does not parse, duplicate stamps.
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(Kind::Data, message)
    }

    /// A model cannot serve a series: too short, no variation.
    pub fn model(message: impl Into<String>) -> Self {
        Self::new(Kind::Model, message)
    }

    /// The machine refused: a missing file, a full disk.
    pub fn io(message: impl Into<String>) -> Self {
        Self::new(Kind::Io, message)
    }

    /// The user stopped the work.
    pub fn interrupted() -> Self {
        Self::new(Kind::Interrupted, "interrupted")
    }

    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner { kind, message: message.into(), cause: None }))
    }

    /// The same error with what caused it, printed after the message.
    #[must_use]
    pub fn because(self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Arc::new(Inner { kind: self.0.kind, message: self.0.message.clone(), cause: Some(cause.into()) }))
    }

    /// The same kind of error one level up: `place` is printed first, this error becomes its cause.
    #[must_use]
    pub fn within(self, place: impl Into<String>) -> Self {
        Self(Arc::new(Inner { kind: self.0.kind, message: place.into(), cause: Some(Box::new(self)) }))
    }

    /// Is the request itself at fault? The command line then exits with 2.
    pub fn is_usage(&self) -> bool {
        self.0.kind == Kind::Usage
    }

    /// Are the data at fault?
    pub fn is_data(&self) -> bool {
        self.0.kind == Kind::Data
    }

    /// Could a model not serve a series?
    pub fn is_model(&self) -> bool {
        self.0.kind == Kind::Model
    }

    /// Did the machine refuse?
    pub fn is_io(&self) -> bool {
        self.0.kind == Kind::Io
    }

    /// Did the user stop the work? The command line then exits with 130.
    pub fn is_interrupted(&self) -> bool {
        self.0.kind == Kind::Interrupted
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match &self.0.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// `Display` already prints the causes, so `source` stays empty: a reporter that walks it would repeat them.
impl std::error::Error for Error {}

impl From<polars::error::PolarsError> for Error {
    fn from(cause: polars::error::PolarsError) -> Self {
        Self::data("the table cannot be processed").because(cause)
    }
}

/// What polars says, without the hints on its own options.
pub(crate) fn first_line(cause: &polars::error::PolarsError) -> String {
    cause.to_string().lines().next().unwrap_or_default().to_string()
}

/// A name without what people write differently: case, spaces, hyphens, underscores and other signs.
pub(crate) fn folded(name: &str) -> String {
    let letters: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if letters.is_empty() { name.to_lowercase() } else { letters }
}

/// The candidate that a word was probably meant to be, if one is near enough: one slip, one more for every five letters, or
/// the same beginning: the whole of one or most of both. Of two that are as near, the one that begins with the same letter.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = folded(word);
    let length = word.chars().count();
    let near = |candidate: &'a str| {
        let known = folded(candidate);
        let (shorter, longer) = (length.min(known.chars().count()), length.max(known.chars().count()));
        let slips = strsim::damerau_levenshtein(&word, &known);
        let shared = word.chars().zip(known.chars()).take_while(|(a, b)| a == b).count();
        let begins = shared >= 3 && (shared == shorter || 2 * shared > longer);
        let other_start = word.chars().next() != known.chars().next();
        let close = slips <= 1 + shorter / 5;
        (close || begins).then_some(((!close, slips, other_start), candidate))
    };
    candidates.into_iter().filter_map(near).min_by_key(|(order, _)| *order).map(|(_, candidate)| candidate)
}

/// ``, did you mean `season`?`` for the candidate nearest to `word`, or the list of candidates when none is near.
pub(crate) fn suggestion<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    match nearest(word, candidates.iter().copied()) {
        Some(candidate) => format!(", did you mean `{candidate}`?"),
        None if candidates.is_empty() => String::new(),
        None => {
            let shown: Vec<String> = candidates.iter().take(20).map(|candidate| format!("`{candidate}`")).collect();
            let rest = candidates.len().saturating_sub(shown.len());
            let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
            format!("; there is {}{more}", shown.join(", "))
        }
    }
}

/// The index of a name in a list, or an error that suggests the nearest.
pub(crate) fn find(name: &str, names: &[String], what: &str) -> Result<usize> {
    names.iter().position(|candidate| candidate == name).ok_or_else(|| {
        let nearest = suggestion(name, names.iter().map(String::as_str));
        Error::usage(format!("there is no {what} `{name}`{nearest}"))
    })
}
