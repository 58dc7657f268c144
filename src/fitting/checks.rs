//! Which values may options have that several methods share?

use crate::error::{Error, Result};

pub(crate) fn check_season(season: Option<usize>) -> Result<()> {
    match season {
        Some(0) => Err(Error::usage("a season is at least 1 step, not 0; 1 means no season")),
        _ => Ok(()),
    }
}

/// A fraction is above 0 and at most 1.
pub(crate) fn check_share(what: &str, value: f64) -> Result<()> {
    if value > 0.0 && value <= 1.0 {
        Ok(())
    } else {
        Err(Error::usage(format!("`{what}` is a fraction above 0 and at most 1, not {value}")))
    }
}

/// A count lies between a minimum and a million.
pub(crate) fn check_count(what: &str, value: usize, min: usize) -> Result<()> {
    if (min..=1_000_000).contains(&value) {
        Ok(())
    } else {
        Err(Error::usage(format!("`{what}` is at least {min} and at most a million, not {value}")))
    }
}
