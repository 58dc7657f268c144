//! Stands in for the notebook kernel where it was not built in.

use std::path::{Path, PathBuf};

use super::Install;
use crate::error::{Error, Result};
use crate::script::Settings;

/// Says how to get a kernel.
///
/// # Errors
/// Always.
pub fn install(_: &Install) -> Result<PathBuf> {
    Err(missing())
}

/// Says how to get a kernel.
///
/// # Errors
/// Always.
pub fn run(_: &Path, _: Option<&Path>, _: &Settings) -> Result<()> {
    Err(missing())
}

fn missing() -> Error {
    Error::usage("this build leaves the notebook kernel out; build with: cargo build --release --features kernel")
}
