//! What does a shift of an input cost in accuracy?
//!
//! Rows of the reference have an error and a bin of the input. If rows of each bin stay as hard to forecast as they
//! were, and only the mix of bins has changed, the mean error changes by `Σ (share now − share before) × mean error in
//! the bin`: what re-weighting the old errors to the new mix gives. Its standard error has three parts: the mean error
//! of each bin is an estimate, and so are both mixes (multinomial). The estimate is silent about rows in bins that the
//! reference did not have, whose share it states, and about errors that grow inside a bin: those are what
//! [`crate::detect`] is for.
//!
//! Sugiyama, Krauledat & Müller (2007), *Covariate shift adaptation by importance weighted cross validation*.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The change of the mean error that the change of the mix of bins explains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MixCost {
    /// The mean error in the reference, in the errors' unit.
    pub error_before: f64,
    /// The expected change of the mean error, in the errors' unit; positive is worse.
    pub change: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// The share of the current rows in bins of which the reference has no error; they are left out.
    pub unknown: f64,
    /// The same for a reader.
    pub sentence: String,
}

#[derive(Default)]
struct Part {
    errors: f64,
    sum: f64,
    squares: f64,
    now: f64,
}

/// What the change of the mix of bins costs: `before` has the bin and the absolute scaled error of every row of the
/// reference, `now` the bin of every current row. Rows whose error is NaN or infinite are left out.
///
/// ```
/// use tradewind_monitor::drift::cost::mix_cost;
/// // Promoted weeks (bin 1) are four times as hard, and go from a fifth of the rows to half of them.
/// let before = (0..1000).map(|i| if i % 5 == 0 { (1, 2.0) } else { (0, 0.5) });
/// let cost = mix_cost(before, (0..1000).map(|i| i % 2))?;
/// assert!((cost.change - 0.3 * 1.5).abs() < 1e-12);
/// # Ok::<(), tradewind_monitor::Error>(())
/// ```
///
/// # Errors
/// No row with an error, or no current row in a bin that the reference has.
pub fn mix_cost(
    before: impl IntoIterator<Item = (usize, f64)>,
    now: impl IntoIterator<Item = usize>,
) -> Result<MixCost> {
    let mut parts: BTreeMap<usize, Part> = BTreeMap::new();
    for (bin, error) in before.into_iter().filter(|(_, e)| e.is_finite()) {
        let part = parts.entry(bin).or_default();
        part.errors += 1.0;
        part.sum += error;
        part.squares += error * error;
    }
    let (mut rows, mut unknown) = (0.0_f64, 0.0_f64);
    for bin in now {
        rows += 1.0;
        match parts.get_mut(&bin) {
            Some(part) => part.now += 1.0,
            None => unknown += 1.0,
        }
    }
    let n: f64 = parts.values().map(|p| p.errors).sum();
    let m = rows - unknown;
    if n == 0.0 {
        return Err(Error::data("no row of the reference has an error; give the errors of forecasts of known rows"));
    }
    if m == 0.0 {
        return Err(Error::data("no current row is in a bin that the reference has; compare samples that overlap"));
    }
    let mean = |p: &Part| p.sum / p.errors;
    let spread = |p: &Part| (p.squares / p.errors - mean(p).powi(2)).max(0.0);
    // A bin of one row has no spread of its own.
    let pooled = parts.values().map(|p| spread(p) * p.errors).sum::<f64>() / n;
    let error_before = parts.values().map(|p| p.sum).sum::<f64>() / n;
    let error_now = parts.values().map(|p| p.now / m * mean(p)).sum::<f64>();
    let mut variance = 0.0;
    for p in parts.values() {
        let (old, new) = (p.errors / n, p.now / m);
        let inside = if p.errors > 1.0 { spread(p) / (p.errors - 1.0) } else { pooled };
        variance += (new - old).powi(2) * inside;
        variance += new * (mean(p) - error_now).powi(2) / m + old * (mean(p) - error_before).powi(2) / n;
    }
    let change = error_now - error_before;
    let standard_error = variance.sqrt();
    let mut sentence = format!(
        "The change of the mix alone moves the mean error by {change:+.3} (standard error {standard_error:.3}) from \
         {error_before:.3}."
    );
    if unknown > 0.0 {
        let percent = super::percent(unknown / rows);
        sentence += &format!(" Nothing is known of the errors of {percent} of the rows.");
    }
    Ok(MixCost { error_before, change, standard_error, unknown: unknown / rows, sentence })
}
