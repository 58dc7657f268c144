//! Summary statistics: sum, mean, quantiles, minimum and maximum; NaN is a missing value and left out.

use crate::error::{Error, Result};

/// The sum; 0 where there is nothing to add.
///
/// ```
/// assert_eq!(tradewind::statistics::summary::sum(&[1.0, f64::NAN, 2.5]), 3.5);
/// ```
pub fn sum(values: &[f64]) -> f64 {
    // Not the sum of no floats, which is −0.
    present(values).fold(0.0, |sum, value| sum + value)
}

/// The arithmetic mean.
///
/// ```
/// assert_eq!(tradewind::statistics::summary::mean(&[1.0, 2.0, 6.0])?, 3.0);
/// # Ok::<(), tradewind::Error>(())
/// ```
///
/// # Errors
/// When there are no values.
pub fn mean(values: &[f64]) -> Result<f64> {
    match present(values).count() {
        0 => Err(nothing("mean")),
        count => Ok(sum(values) / count as f64),
    }
}

/// The value in the middle, or the mean of the two in the middle.
///
/// ```
/// assert_eq!(tradewind::statistics::summary::median(&[9.0, 1.0, 2.0, 4.0])?, 3.0);
/// # Ok::<(), tradewind::Error>(())
/// ```
///
/// # Errors
/// When there are no values.
pub fn median(values: &[f64]) -> Result<f64> {
    sorted(values, "median").map(|sorted| between(&sorted, 0.5))
}

/// The value that a share of all values, a `probability` from 0 to 1, does not exceed, interpolated between neighbours
/// (type 7 of Hyndman and Fan 1996, the default of R and NumPy).
///
/// ```
/// use tradewind::statistics::summary::quantile;
/// assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.9)?, 3.7);
/// assert!(quantile(&[1.0, 2.0], 90.0).unwrap_err().to_string().contains("did you mean 0.9?"));
/// # Ok::<(), tradewind::Error>(())
/// ```
///
/// # Errors
/// When there are no values, or `probability` does not lie between 0 and 1.
pub fn quantile(values: &[f64], probability: f64) -> Result<f64> {
    if !(0.0..=1.0).contains(&probability) {
        let meant = match probability > 1.0 && probability <= 100.0 {
            true => format!("; did you mean {}?", probability / 100.0),
            false => String::new(),
        };
        return Err(Error::usage(format!("a probability lies between 0 and 1, not {probability}{meant}")));
    }
    sorted(values, "quantile").map(|sorted| between(&sorted, probability))
}

/// The minimum.
///
/// ```
/// assert_eq!(tradewind::statistics::summary::min(&[2.0, -1.0, f64::NAN])?, -1.0);
/// # Ok::<(), tradewind::Error>(())
/// ```
///
/// # Errors
/// When there are no values.
pub fn min(values: &[f64]) -> Result<f64> {
    present(values).reduce(f64::min).ok_or_else(|| nothing("least value"))
}

/// The greatest value.
///
/// ```
/// assert_eq!(tradewind::statistics::summary::max(&[2.0, -1.0, f64::NAN])?, 2.0);
/// # Ok::<(), tradewind::Error>(())
/// ```
///
/// # Errors
/// When there are no values.
pub fn max(values: &[f64]) -> Result<f64> {
    present(values).reduce(f64::max).ok_or_else(|| nothing("greatest value"))
}

fn present(values: &[f64]) -> impl Iterator<Item = f64> {
    values.iter().copied().filter(|value| !value.is_nan())
}

fn nothing(what: &str) -> Error {
    Error::usage(format!("no values have no {what}"))
}

fn sorted(values: &[f64], what: &str) -> Result<Vec<f64>> {
    let mut sorted: Vec<f64> = present(values).collect();
    sorted.sort_by(f64::total_cmp);
    if sorted.is_empty() { Err(nothing(what)) } else { Ok(sorted) }
}

/// The quantile of sorted values.
fn between(sorted: &[f64], probability: f64) -> f64 {
    let at = (sorted.len() - 1) as f64 * probability;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    // Equal neighbours, infinite ones too, have nothing between them.
    if low == high { low } else { low + (high - low) * at.fract() }
}
