//! Does a series remember its past?
//!
//! r(k) = Σ (y(t) − ȳ)(y(t+k) − ȳ) / Σ (y(t) − ȳ)²; where values are missing, means over the pairs that are there, as in
//! R's `acf`. Partial autocorrelations by the Durbin–Levinson recursion. Under independence r(k) has a standard deviation
//! of 1/√n, and of √((1 + 2 Σ r(j)², j < k) / n) if the series is a moving average of order k − 1 (Bartlett 1946). A
//! portmanteau test sums the squares of the first lags up: n Σ r² (Box & Pierce 1970) or n(n+2) Σ r²/(n−k) (Ljung & Box
//! 1978), chi-squared with the lags less those that a fitted model has lost.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use crate::error::{Error, Result};

/// Autocorrelations at lags 1 to `lags`.
///
/// # Errors
/// When there are not more values than lags, or they do not vary.
pub fn autocorrelations(values: &[f64], lags: usize) -> Result<Vec<f64>> {
    let n = values.len();
    let observed = values.iter().filter(|v| !v.is_nan()).count();
    if observed <= lags || observed < 2 {
        return Err(Error::model(format!("autocorrelations to lag {lags} need more values, there are {observed}")));
    }
    let mean = values.iter().filter(|v| !v.is_nan()).sum::<f64>() / observed as f64;
    let centred: Vec<f64> = values.iter().map(|v| v - mean).collect();
    // Sums over the pairs that are there, each brought to the weight that n − lag pairs would have.
    let covariance = |lag: usize| {
        let (mut sum, mut pairs) = (0.0, 0_usize);
        for (late, early) in centred[lag..].iter().zip(&centred) {
            let product = late * early;
            if !product.is_nan() {
                sum += product;
                pairs += 1;
            }
        }
        if pairs == 0 { f64::NAN } else { sum / (pairs + lag) as f64 }
    };
    let variance = covariance(0);
    let scale = values.iter().filter(|v| !v.is_nan()).fold(0.0, |scale: f64, v| scale.max(v.abs()));
    if !variance.is_finite() || variance.sqrt() <= 1e-14 * scale {
        return Err(Error::model("autocorrelations need finite values that vary"));
    }
    let correlations: Vec<f64> = (1..=lags.min(n)).map(|lag| covariance(lag) / variance).collect();
    match correlations.iter().all(|r| r.is_finite()) {
        true => Ok(correlations),
        false => Err(Error::model("there is a lag at which no two values are both there")),
    }
}

/// Partial autocorrelations at the lags whose autocorrelations are given.
pub fn partial_autocorrelations(autocorrelations: &[f64]) -> Vec<f64> {
    let mut partial = Vec::with_capacity(autocorrelations.len());
    let (mut phi, mut before): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut left = 1.0;
    for (k, r) in autocorrelations.iter().enumerate() {
        let predicted: f64 = phi.iter().zip(autocorrelations[..k].iter().rev()).map(|(phi, r)| phi * r).sum();
        // A perfectly predictable series has nothing left to correlate with.
        let last = if left > 1e-12 { (r - predicted) / left } else { 0.0 };
        before.clone_from(&phi);
        phi.iter_mut().zip(before.iter().rev()).for_each(|(phi, mirrored)| *phi -= last * mirrored);
        phi.push(last);
        left *= 1.0 - last * last;
        partial.push(last);
    }
    partial
}

/// Standard deviations of the autocorrelations at lags 1, 2, … of `n` values, if the series is a moving average of the
/// lags before (Bartlett).
pub fn bartlett(autocorrelations: &[f64], n: usize) -> Vec<f64> {
    let mut sum = 1.0;
    let next = |r: &f64| {
        let sd = (sum / n.max(1) as f64).sqrt();
        sum += 2.0 * r * r;
        sd
    };
    autocorrelations.iter().map(next).collect()
}

/// A test of the first autocorrelations together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Portmanteau {
    /// The test statistic.
    pub statistic: f64,
    /// Degrees of freedom: lags less those lost.
    pub freedom: usize,
    /// The p-value under the null hypothesis of independent values.
    pub p_value: f64,
}

/// The Ljung–Box test of the first `lags` autocorrelations, of which a fitted model has `lost` some.
///
/// # Errors
/// As [`autocorrelations`], and when no degree of freedom is left.
pub fn ljung_box(values: &[f64], lags: usize, lost: usize) -> Result<Portmanteau> {
    let n = values.iter().filter(|v| !v.is_nan()).count() as f64;
    portmanteau(values, lags, lost, |lag| n * (n + 2.0) / (n - lag as f64))
}

/// The Box–Pierce test of the first `lags` autocorrelations, of which a fitted model has `lost` some.
///
/// # Errors
/// As [`ljung_box`].
pub fn box_pierce(values: &[f64], lags: usize, lost: usize) -> Result<Portmanteau> {
    let n = values.iter().filter(|v| !v.is_nan()).count() as f64;
    portmanteau(values, lags, lost, |_| n)
}

fn portmanteau(values: &[f64], lags: usize, lost: usize, weight: impl Fn(usize) -> f64) -> Result<Portmanteau> {
    let freedom = lags.saturating_sub(lost);
    let distribution = ChiSquared::new(freedom as f64)
        .map_err(|_| Error::model(format!("a portmanteau test of {lags} lags has none left after {lost} are lost")))?;
    let correlations = autocorrelations(values, lags)?;
    let statistic: f64 = correlations.iter().enumerate().map(|(k, r)| weight(k + 1) * r * r).sum();
    Ok(Portmanteau { statistic, freedom, p_value: distribution.sf(statistic) })
}
