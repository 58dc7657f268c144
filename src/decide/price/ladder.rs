//! Which prices can be on the tag? All, those of a list, or those with a usual ending such as .99, each within limits.

use crate::error::{Error, Result};
use crate::show::number;

/// A ladder with more rungs within the limits than this is searched around the best price alone.
const MOST: usize = 1000;
/// Rungs on each side of the best price that are tried then.
const AROUND: usize = 4;
/// Amounts of money are equal within this share of a cent.
const CENT: f64 = 1e-9;

/// The prices that are allowed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Ladder {
    /// Any, rounded to a hundredth (below 1: to three digits).
    #[default]
    Any,
    /// Only these, ascending.
    Listed(Vec<f64>),
    /// Any whole amount plus one of these, each from 0 to 1, ascending.
    Endings(Vec<f64>),
}

impl Ladder {
    /// The ladder of a list of prices and a list of endings, of which one is empty.
    ///
    /// # Errors
    /// When both are given, a price is not positive, or an ending does not lie between 0 and 1.
    pub(crate) fn new(prices: &[f64], endings: &[f64]) -> Result<Self> {
        if !prices.is_empty() && !endings.is_empty() {
            return Err(Error::usage(
                "a ladder is a list of prices or a list of endings: state prices or endings, not both",
            ));
        }
        if let Some(price) = prices.iter().find(|price| !(price.is_finite() && **price > 0.0)) {
            return Err(Error::usage(format!("a price of the ladder must be a positive number, not {price}")));
        }
        if let Some(ending) = endings.iter().find(|ending| !(0.0..1.0).contains(*ending)) {
            let meant =
                if (1.0..100.0).contains(ending) { format!(", did you mean {}?", ending / 100.0) } else { "".into() };
            return Err(Error::usage(format!("an ending of prices is 0.99 or 0.5, less than 1, not {ending}{meant}")));
        }
        let ascending = |values: &[f64]| {
            let mut values = values.to_vec();
            values.sort_by(f64::total_cmp);
            values.dedup();
            values
        };
        Ok(match (prices.is_empty(), endings.is_empty()) {
            (false, _) => Self::Listed(ascending(prices)),
            (_, false) => Self::Endings(ascending(endings)),
            _ => Self::Any,
        })
    }

    /// The rungs from `low` to `high` that can be the best, if `ideal` is the best of all prices between them.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn near(&self, ideal: f64, low: f64, high: f64) -> Result<Vec<f64>> {
        let within = |price: &f64| *price >= low * (1.0 - CENT) && *price <= high * (1.0 + CENT) && *price > 0.0;
        let rungs: Vec<f64> = match self {
            Self::Any => {
                let (down, up) = rounded(ideal);
                // Limits between two hundredths leave the limit itself.
                let rungs: Vec<f64> = [down, up].into_iter().filter(within).collect();
                if rungs.is_empty() { vec![ideal] } else { rungs }
            }
            Self::Listed(prices) => prices.iter().copied().filter(within).collect(),
            Self::Endings(endings) => {
                let (mut first, mut last) = (low.floor() - 1.0, high.ceil());
                if (last - first) * endings.len() as f64 > MOST as f64 {
                    (first, last) = (ideal.floor() - AROUND as f64, ideal.floor() + AROUND as f64);
                }
                let whole = (0..=(last - first) as usize).map(|step| first + step as f64);
                let rungs = whole.flat_map(|whole| endings.iter().map(move |ending| cents(whole + ending)));
                rungs.filter(within).collect()
            }
        };
        if rungs.is_empty() {
            return Err(Error::data(format!(
                "no price of the ladder lies between the limits {} and {}",
                number(cents(low)),
                number(cents(high))
            )));
        }
        Ok(rungs)
    }

    /// Rungs from `high` down to `low`, at most so many, for a path of prices: where any price is allowed, evenly
    /// spaced ones.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn descending(&self, low: f64, high: f64, most: usize) -> Result<Vec<f64>> {
        let mut rungs: Vec<f64> = match self {
            Self::Any => {
                let step = |k: usize| high - (high - low) * k as f64 / (most.max(2) - 1) as f64;
                (0..most.max(2)).map(|k| nearest(step(k)).clamp(low, high)).collect()
            }
            _ => self.near((low * high).sqrt(), low, high)?,
        };
        rungs.sort_by(|a, b| b.total_cmp(a));
        rungs.dedup();
        if rungs.len() > most {
            let every = (rungs.len() - 1) as f64 / (most - 1) as f64;
            rungs = (0..most).map(|k| rungs[(k as f64 * every).round() as usize]).collect();
        }
        Ok(rungs)
    }
}

/// An amount of money without the noise of floats.
pub(crate) fn cents(amount: f64) -> f64 {
    (amount * 1e6).round() / 1e6
}

/// The amounts below and above that a price tag can show.
fn rounded(price: f64) -> (f64, f64) {
    let unit = unit(price);
    let (down, up) = ((price * unit + CENT).floor() / unit, (price * unit - CENT).ceil() / unit);
    (down, up)
}

/// The nearest amount that a price tag can show.
pub(crate) fn nearest(price: f64) -> f64 {
    let unit = unit(price);
    (price * unit).round() / unit
}

/// How many of the steps between prices are in one: hundredths, below 1 three digits.
fn unit(price: f64) -> f64 {
    if price >= 1.0 { 100.0 } else { 10_f64.powf(2.0 - price.max(1e-9).log10().floor()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_lie_within_the_limits() {
        let endings = Ladder::new(&[], &[0.99, 0.49]).unwrap();
        assert_eq!(endings.near(2.3, 1.5, 3.0).unwrap(), [1.99, 2.49, 2.99]);
        let listed = Ladder::new(&[3.0, 1.0, 2.0], &[]).unwrap();
        assert_eq!(listed.near(2.3, 1.5, 3.0).unwrap(), [2.0, 3.0]);
        assert_eq!(Ladder::Any.near(2.3456, 1.5, 3.0).unwrap(), [2.34, 2.35]);
        assert_eq!(Ladder::Any.near(0.12345, 0.1, 0.2).unwrap(), [0.123, 0.124]);
        assert_eq!(Ladder::Any.near(2.345, 2.345, 2.345).unwrap(), [2.345]);
        assert_eq!(endings.descending(1.5, 3.0, 2).unwrap(), [2.99, 1.99]);
        assert_eq!(Ladder::Any.descending(1.0, 3.0, 3).unwrap(), [3.0, 2.0, 1.0]);
    }

    #[test]
    fn a_ladder_without_a_rung_names_the_limits() {
        let error = Ladder::new(&[5.0], &[]).unwrap().near(2.0, 1.0, 3.0).unwrap_err().to_string();
        assert!(error.contains("between the limits 1 and 3"), "{error}");
        assert!(Ladder::new(&[], &[99.0]).unwrap_err().to_string().contains("did you mean 0.99?"));
        assert!(Ladder::new(&[1.0], &[0.99]).is_err() && Ladder::new(&[0.0], &[]).is_err());
    }

    #[test]
    fn many_endings_are_searched_around_the_best_price() {
        let rungs = Ladder::new(&[], &[0.99]).unwrap().near(5000.4, 1.0, 1e6).unwrap();
        assert!(rungs.len() < 12 && rungs.contains(&4999.99) && rungs.contains(&5000.99));
    }
}
