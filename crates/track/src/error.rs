//! What can go wrong, said once: every fallible function of the crate returns [`Error`].
//!
//! Callers act on *whose* fault it is (the request, the disk, a server that is away, a server that says no) and print
//! the rest. `Debug` prints the same sentence as `Display`, as a notebook shows it after a failed `?`.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The result of every fallible function of the crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A sentence saying what went wrong, where, and what to do about it.
///
/// ```
/// let error = tradewind_track::Tracker::local("").unwrap_err();
/// assert!(error.is_usage());
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: Kind,
    message: String,
    /// What the server said, for decisions: its `error_code`, if it sent one.
    code: String,
    /// How long the server asks to be left alone.
    wait: Option<Duration>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Usage,
    Missing,
    Io,
    Away,
    Denied,
    Refused,
}

impl Error {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub(crate) fn missing(message: impl Into<String>) -> Self {
        Self::new(Kind::Missing, message)
    }

    /// The disk refused; `what` is what was to be done, as in `write`.
    pub(crate) fn io(what: &str, path: &Path, cause: &std::io::Error) -> Self {
        use std::io::ErrorKind as Why;
        let why = match cause.kind() {
            Why::StorageFull | Why::QuotaExceeded => "the disk is full: free some space".to_owned(),
            Why::ReadOnlyFilesystem => "it cannot be written to there: choose another folder".to_owned(),
            Why::PermissionDenied => "it is not permitted: check who may read and write there".to_owned(),
            Why::NotFound => "it does not exist".to_owned(),
            _ => cause.to_string(),
        };
        Self::new(Kind::Io, format!("cannot {what} {}: {why}", path.display()))
    }

    pub(crate) fn away(message: impl Into<String>) -> Self {
        Self::new(Kind::Away, message)
    }

    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self::new(Kind::Denied, message)
    }

    pub(crate) fn refused(message: impl Into<String>, code: impl Into<String>) -> Self {
        Self(Arc::new(Inner { kind: Kind::Refused, message: message.into(), code: code.into(), wait: None }))
    }

    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner { kind, message: message.into(), code: String::new(), wait: None }))
    }

    /// The same with the pause that the server asks for.
    pub(crate) fn after(self, wait: Option<Duration>) -> Self {
        Self(Arc::new(Inner { kind: self.0.kind, message: self.0.message.clone(), code: self.0.code.clone(), wait }))
    }

    pub(crate) fn wait(&self) -> Option<Duration> {
        self.0.wait
    }

    /// The server's own word for what is wrong, such as `RESOURCE_ALREADY_EXISTS`.
    pub(crate) fn code(&self) -> &str {
        &self.0.code
    }

    /// The request itself is wrong: an alias that is reserved, a path that leads out of the run.
    pub fn is_usage(&self) -> bool {
        self.0.kind == Kind::Usage
    }

    /// What was asked for does not exist: a run, a model, an alias.
    pub fn is_missing(&self) -> bool {
        self.0.kind == Kind::Missing
            || (self.0.kind == Kind::Refused && matches!(self.code(), "RESOURCE_DOES_NOT_EXIST" | "NOT_FOUND"))
    }

    /// The disk refused: full, read-only, not permitted.
    pub fn is_io(&self) -> bool {
        self.0.kind == Kind::Io
    }

    /// The server cannot be reached, or answers nothing that makes sense; later it may.
    pub fn is_away(&self) -> bool {
        self.0.kind == Kind::Away
    }

    /// The server does not let us in (401, 403).
    pub fn is_denied(&self) -> bool {
        self.0.kind == Kind::Denied
    }

    /// The server understood and said no.
    pub fn is_refused(&self) -> bool {
        self.0.kind == Kind::Refused
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
