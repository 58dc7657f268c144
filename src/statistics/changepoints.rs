//! Where did the level or the spread of a series change for good?
//!
//! Bayesian online changepoint detection (Adams & MacKay 2007) of the standardised values: in each stretch they are
//! normal with an unknown mean and precision under a normal-gamma prior, and a stretch ends after `expected` values on
//! average. Computed by `augurs` and its `changepoint` crate; time and memory grow with the run lengths kept for each
//! value, with the square of the number of values at worst, so the last [`LONGEST`] values are looked at. A trend or a
//! season is not a change: take them out first. Missing values are filled along straight lines.

use augurs::changepoint::{Detector, NormalGammaDetector, dist::NormalGamma};

use super::interpolate::lines;
use crate::error::{Error, Result};

/// Values looked at, counted from the end.
pub const LONGEST: usize = 5_000;

/// Where new stretches begin, counted from 0; none at the first value.
///
/// # Errors
/// When there are fewer than four values, they do not vary, or are too large to calculate with.
pub fn changepoints(values: &[f64], expected: f64) -> Result<Vec<usize>> {
    if !(expected >= 1.0 && expected.is_finite()) {
        return Err(Error::usage(format!("a stretch is expected to hold at least one value, not {expected}")));
    }
    let skipped = values.len().saturating_sub(LONGEST);
    let y = lines(&values[skipped..]);
    let n = y.len() as f64;
    let mean = y.iter().sum::<f64>() / n;
    let sd = (y.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    let scale = y.iter().fold(0.0, |scale: f64, v| scale.max(v.abs()));
    if y.len() < 4 || !sd.is_finite() || sd <= 1e-14 * scale {
        return Err(Error::model("changepoints need four finite values that vary"));
    }
    let standardised: Vec<f64> = y.iter().map(|v| (v - mean) / sd).collect();
    let prior =
        NormalGamma::new(0.0, 1.0, 1.0, 1.0).map_err(|why| Error::model("a normal-gamma prior").because(why))?;
    let found = NormalGammaDetector::normal_gamma(expected, prior).detect_changepoints(&standardised);
    Ok(found.into_iter().filter(|at| *at > 0 && *at < y.len()).map(|at| at + skipped).collect())
}
