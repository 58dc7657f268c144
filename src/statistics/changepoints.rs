//! Where did the level or the spread of a series change for good?
//!
//! Bayesian online changepoint detection (Adams & MacKay 2007) of the standardised values: in each stretch they are
//! normal with an unknown mean and precision under a normal-gamma prior, and a stretch ends after `expected` values on
//! average. Computed by `augurs` and its `changepoint` crate; time and memory grow with the run lengths kept for each
//! value, with the square of the number of values at worst, so the last [`LONGEST`] values are looked at. A trend or a
//! season is not a change: take them out first. Missing values are filled along straight lines.

use std::panic::catch_unwind;

use augurs::changepoint::{Detector, NormalGammaDetector, dist::NormalGamma};

use super::interpolate::lines;
use crate::error::{Error, Result};

/// Values looked at, counted from the end.
pub const LONGEST: usize = 5_000;

/// Values that a stretch may be expected to hold. The dependency leaves out the least likely run lengths once it has summed
/// up 0.999 of them, and a new stretch has a likelihood of 1/expected: beyond 1,000 it would never look at one.
pub const MOST_EXPECTED: f64 = 900.0;

/// Where new stretches begin, counted from 0; none at the first value.
///
/// # Errors
/// When there are fewer than four values, they do not vary, or are too large to calculate with.
pub fn changepoints(values: &[f64], expected: f64) -> Result<Vec<usize>> {
    if !(1.0..=MOST_EXPECTED).contains(&expected) {
        let most = MOST_EXPECTED;
        return Err(Error::usage(format!("a stretch is expected to hold between 1 and {most} values, not {expected}")));
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
    // The dependency asserts (in debug builds) that its run-length probabilities are numbers, which they are not where all
    // likelihoods underflow, and expects a most likely one: that is a series without an answer, not the end of the program.
    // What a panic leaves half done is dropped with the detector.
    let found = catch_unwind(|| NormalGammaDetector::normal_gamma(expected, prior).detect_changepoints(&standardised))
        .map_err(|_| Error::model("changepoints cannot be calculated: the likelihoods underflow"))?;
    Ok(found.into_iter().filter(|at| *at > 0 && *at < y.len()).map(|at| at + skipped).collect())
}
