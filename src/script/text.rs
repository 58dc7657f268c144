//! How do numbers look in a script's sentences? As in every table: about four significant digits. `format`, `percent`
//! and `exact` say it otherwise.

use rhai::{Array, Dynamic, FLOAT, ImmutableString, Map};

use super::api::{Api, functions};
use super::{failure, shown};
use crate::error::{Error, Result};
use crate::format;

pub(super) fn register(api: &mut Api) {
    for name in ["to_string", "to_debug", "print", "debug"] {
        api.engine.register_fn(name, |value: FLOAT| ImmutableString::from(format::number(value)));
        api.engine.register_fn(name, |items: &mut Array| ImmutableString::from(shown::items(items).0));
        api.engine.register_fn(name, |entries: &mut Map| ImmutableString::from(map(entries).0));
    }
    functions! { api;
        "format" format(number: f64, decimals: usize) -> String { format(number, decimals) }
        "percent" percent(share: f64) -> String { percent(share) }
        "exact" exact(number: f64) -> String { exact(number) }
    }
}

/// A map as `print` writes it, and whether all of it is there. What `catch` hands over for an error of Rhai's own is a
/// map too: it prints as its sentence, with its line.
pub(super) fn map(map: &Map) -> (String, bool) {
    failure::caught(map).map_or_else(|| shown::entries(map), |sentence| (sentence, true))
}

/// The number with that many decimals and a comma between thousands: `format(1234.5678, 2)` is `1,234.57`.
///
/// # Errors
/// When there are more than 17 decimals.
pub fn format(number: f64, decimals: usize) -> Result<String> {
    match decimals {
        0..=17 => Ok(format::decimals(number, decimals)),
        _ => Err(Error::usage(format!("a number has at most 17 decimals, not {decimals}"))),
    }
}

/// A share as percent with one decimal: `percent(0.1234)` is `12.3 %`.
pub fn percent(share: f64) -> String {
    format!("{} %", format::decimals(100.0 * share, 1))
}

/// Every digit of a number, for programs rather than people: `exact(1.0 / 3.0)`.
pub fn exact(number: f64) -> String {
    Dynamic::from_float(number).to_string()
}
