//! Stands in for SQL where it was not built in.

use std::path::Path;

use super::super::{Part, Wanted};
use crate::error::{Error, Result};

pub(in super::super) fn read(place: &Path, _: &str, _: &Wanted) -> Result<Part> {
    Err(Error::usage(format!(
        "{} needs SQL, which this build leaves out; build with: cargo build --release --features sql",
        super::shown(place)
    )))
}
