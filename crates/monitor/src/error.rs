//! What can go wrong, said once: every fallible function of the crate returns [`Error`].
//!
//! One sentence that says what, where and what to do; the predicates say whose fault it is. Neither a password nor a
//! secret is ever part of it.

use std::fmt;

/// The result of every fallible function of the crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A sentence saying what went wrong, where, and what to do about it.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    message: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Usage,
    Data,
    Io,
}

impl Error {
    /// The request itself is wrong: a destination that is not described, a window that is not kept.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, message: message.into() }
    }

    /// The data cannot be used as they are: a damaged store, a forecast with too few values.
    pub fn data(message: impl Into<String>) -> Self {
        Self { kind: Kind::Data, message: message.into() }
    }

    /// The machine or a server refused: a full disk, a store that another process holds.
    pub fn io(message: impl Into<String>) -> Self {
        Self { kind: Kind::Io, message: message.into() }
    }

    /// The same kind of error with what caused it, after a colon.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.message = format!("{}: {cause}", self.message);
        self
    }

    /// Is the request itself at fault?
    pub fn is_usage(&self) -> bool {
        self.kind == Kind::Usage
    }

    /// Are the data at fault?
    pub fn is_data(&self) -> bool {
        self.kind == Kind::Data
    }

    /// Did the machine or a server refuse?
    pub fn is_io(&self) -> bool {
        self.kind == Kind::Io
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

// What a notebook shows after a failed `?`.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
