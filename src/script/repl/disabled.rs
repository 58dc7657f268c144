//! Stands in for the prompt where it was not built in.

use crate::error::{Error, Result};
use crate::script::Settings;

/// Says how to get a prompt.
///
/// # Errors
/// Always.
pub fn repl(_: &Settings) -> Result<i64> {
    Err(Error::usage("this build leaves the prompt out; build with: cargo build --release --features cli"))
}
