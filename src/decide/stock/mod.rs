//! How much to order, and when: the mathematics of inventory, as plain functions of costs and of a demand distribution.
//!
//! | question | file |
//! |---|---|
//! | How is demand over a lead time distributed, and what falls short of a stock level? | [`demand`] |
//! | One order, one selling season: how much? | [`newsvendor`] |
//! | Steady demand: which lot size is cheapest? | [`eoq`] |
//! | Which safety stock gives a service level or fill rate? | [`safety`] |
//! | Continuous review: which reorder point and order quantity? | [`reorder`] |
//! | Periodic review with an order cost: which min and max? | [`min_max`] |
//! | Known requirements that vary: which lots? | [`lot_sizing`] |
//! | What does the supplier's case pack or minimum order cost? | [`lots`] |
//! | Many items, one budget: how much of each? | [`budget`] |
//! | How do the answers read? | `show` |
//!
//! Terms follow Silver, Pyke & Thomas 2017, *Inventory and Production Management in Supply Chains*, 4th ed. Quantities are in
//! units of stock. Rates (demand, holding cost) refer to the same unit of time, which is the caller's.

pub mod budget;
pub mod demand;
pub mod eoq;
pub mod lot_sizing;
pub mod lots;
pub mod min_max;
pub mod newsvendor;
pub mod reorder;
pub mod safety;
mod show;

pub use budget::{Allocation, Item, allocate};
pub use demand::Demand;
pub use lots::OrderRule;
pub use newsvendor::Newsvendor;

use serde::Deserialize;

use crate::error::{Error, Result};

/// May a quantity be any number, or only a whole one?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Units {
    /// Whole units.
    #[default]
    Whole,
    /// Any number: kilograms, metres, or volumes where rounding does not matter.
    Divisible,
}

/// The value, if it is finite and positive.
pub(super) fn positive(what: &str, value: f64) -> Result<f64> {
    match value.is_finite() && value > 0.0 {
        true => Ok(value),
        false => Err(Error::usage(format!("{what} must be a positive number, not {value}"))),
    }
}

/// The value, if it is finite and not negative.
pub(super) fn non_negative(what: &str, value: f64) -> Result<f64> {
    match value.is_finite() && value >= 0.0 {
        true => Ok(value),
        false => Err(Error::usage(format!("{what} must be zero or a positive number, not {value}"))),
    }
}

/// The value, if it is finite.
fn finite(what: &str, value: f64) -> Result<f64> {
    match value.is_finite() {
        true => Ok(value),
        false => Err(Error::usage(format!("{what} must be a finite number, not {value}"))),
    }
}

/// The value, if it is a whole number that a float holds exactly.
pub(super) fn whole(what: &str, value: f64) -> Result<f64> {
    match value.fract() == 0.0 && value.abs() <= MAX_WHOLE {
        true => Ok(value),
        false => Err(Error::usage(format!("{what} must be a whole number of units, not {value}"))),
    }
}

/// The value, if it is a proportion strictly between 0 and 1.
pub(super) fn proportion(what: &str, value: f64) -> Result<f64> {
    if value > 0.0 && value < 1.0 {
        return Ok(value);
    }
    let hint = match value {
        1.0 => "; 1 would take infinite stock, 0.99 or 0.999 may be meant".to_string(),
        _ if value > 1.0 && value < 100.0 => format!(", did you mean {}?", (value * 1e8).round() / 1e10),
        _ if value == 100.0 => "; 100 % would take infinite stock, 0.99 or 0.999 may be meant".to_string(),
        _ => String::new(),
    };
    Err(Error::usage(format!("{what} must lie between 0 and 1, not {value}{hint}")))
}

/// The largest whole number up to which all are floats.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

/// The root of an increasing function between two numbers, by bisection to the last bit or nearly so, from above: the function
/// is not negative there.
fn root(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..200 {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        match f(middle) < 0.0 {
            true => low = middle,
            false => high = middle,
        }
    }
    high
}

/// The smallest whole number from `start` at which a function that increases is not negative. The step doubles until the
/// number is bracketed, so the search takes logarithmically many values.
fn first_whole(start: f64, f: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut step) = (start.ceil() - 1.0, 1.0);
    while f(low + step) < 0.0 && step < MAX_WHOLE {
        (low, step) = (low + step, 2.0 * step);
    }
    let mut high = low + step;
    while high - low > 1.0 {
        let middle = (low + (high - low) / 2.0).floor();
        // Beyond 2⁵³ whole numbers are farther apart than one.
        if middle <= low || middle >= high {
            break;
        }
        match f(middle) < 0.0 {
            true => low = middle,
            false => high = middle,
        }
    }
    high
}

#[cfg(test)]
mod tests;
