//! Where did the level or the spread of a series change for good?
//!
//! Bayesian online changepoint detection (Adams & MacKay 2007, arXiv:0710.3742) of the standardised values: in each
//! segment they are normal with an unknown mean and precision under a normal-gamma prior, and a segment ends after
//! `expected` values on average. The changepoints are read backwards from the most likely run length at the last value.
//! Run lengths that have become too improbable to return are dropped, so that time grows with the length of the
//! segments; with its square at worst, so the last [`LONGEST`] values are used. A trend or a season is not a change:
//! take them out first. Missing values are filled along straight lines.

use statrs::function::gamma::ln_gamma;

use super::interpolate::lines;
use crate::error::{Error, Result};

/// The most values used, counted from the end.
pub const LONGEST: usize = 5_000;

/// The largest number of values that a segment may be expected to hold.
pub const MOST_EXPECTED: f64 = 900.0;

/// Run lengths whose log probability lies this far below the most likely one's are dropped.
const DROPPED: f64 = -35.0;

/// Where new segments begin, counted from 0; none at the first value.
///
/// # Errors
/// When there are fewer than four values, they do not vary, or are too large to calculate with.
pub fn changepoints(values: &[f64], expected: f64) -> Result<Vec<usize>> {
    if !(1.0..=MOST_EXPECTED).contains(&expected) {
        let most = MOST_EXPECTED;
        return Err(Error::usage(format!("a segment is expected to hold between 1 and {most} values, not {expected}")));
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
    let runs = most_likely_runs(y.iter().map(|v| (v - mean) / sd), 1.0 / expected);
    let (mut found, mut end) = (Vec::new(), y.len());
    while let Some(run) = end.checked_sub(1).map(|last| runs[last]) {
        end -= run;
        if end > 0 {
            found.push(end + skipped);
        }
    }
    found.reverse();
    Ok(found)
}

/// For each value, how many values the most likely current segment holds, that value included.
fn most_likely_runs(values: impl ExactSizeIterator<Item = f64>, hazard: f64) -> Vec<usize> {
    // The constants of Student's t by the number of values seen, with 1 + n degrees of freedom.
    let constants: Vec<f64> = (0..values.len())
        .map(|n| {
            let df = 1.0 + n as f64;
            ln_gamma(f64::midpoint(df, 1.0)) - ln_gamma(df / 2.0) - 0.5 * (df * std::f64::consts::PI).ln()
        })
        .collect();
    let (end, go_on) = (hazard.ln(), (-hazard).ln_1p());
    let mut segments: Vec<Segment> = Vec::new();
    values
        .map(|value| {
            // A segment begins with this value if the one before has ended, whichever that was.
            let mut new = Segment::PRIOR;
            if !segments.is_empty() {
                new.ln_probability = ln_sum(segments.iter().map(|segment| segment.ln_probability)) + end;
            }
            segments.iter_mut().for_each(|segment| segment.ln_probability += go_on);
            segments.push(new);
            for segment in &mut segments {
                segment.ln_probability += segment.ln_predictive(value, constants[segment.n]);
                segment.observe(value);
            }
            let top = segments.iter().map(|segment| segment.ln_probability).fold(f64::NEG_INFINITY, f64::max);
            segments.retain_mut(|segment| {
                segment.ln_probability -= top;
                segment.ln_probability > DROPPED
            });
            // The first is the longest: it is kept where two are equally likely.
            segments.iter().find(|segment| segment.ln_probability == 0.0).map_or(1, |segment| segment.n)
        })
        .collect()
}

/// The normal-gamma posterior of a segment, and how likely it is to be the current one.
struct Segment {
    n: usize,
    mean: f64,
    /// Twice the rate of the gamma distribution of the precision.
    squares: f64,
    ln_probability: f64,
}

impl Segment {
    /// Mean 0 and one squared deviation of 1, each as sure as one value makes it.
    const PRIOR: Self = Self { n: 0, mean: 0.0, squares: 1.0, ln_probability: 0.0 };

    /// The log density of Student's t at a next value.
    fn ln_predictive(&self, value: f64, constant: f64) -> f64 {
        let weight = 1.0 + self.n as f64;
        let variance = self.squares * (weight + 1.0) / (weight * weight);
        let square = (value - self.mean).powi(2) / variance;
        constant - 0.5 * variance.ln() - f64::midpoint(weight, 1.0) * (square / weight).ln_1p()
    }

    fn observe(&mut self, value: f64) {
        let weight = 1.0 + self.n as f64;
        let off = value - self.mean;
        self.mean += off / (weight + 1.0);
        self.squares += off * off * weight / (weight + 1.0);
        self.n += 1;
    }
}

/// ln Σ exp.
fn ln_sum(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    let top = terms.clone().fold(f64::NEG_INFINITY, f64::max);
    top + terms.map(|term| (term - top).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The log marginal likelihood of a segment in closed form (Murphy 2007, "Conjugate Bayesian analysis of the Gaussian
    /// distribution", eq. 95), with the prior above: mean 0, weight 1, shape 1/2, rate 1/2.
    fn ln_marginal(y: &[f64]) -> f64 {
        let n = y.len() as f64;
        let mean = y.iter().sum::<f64>() / n;
        let squares: f64 = y.iter().map(|v| (v - mean).powi(2)).sum();
        let (weight, shape) = (1.0 + n, (1.0 + n) / 2.0);
        let rate = 0.5 + 0.5 * squares + n * mean * mean / (2.0 * weight);
        ln_gamma(shape) - ln_gamma(0.5) + 0.5 * 0.5_f64.ln()
            - shape * rate.ln()
            - 0.5 * weight.ln()
            - n / 2.0 * (2.0 * std::f64::consts::PI).ln()
    }

    /// Run lengths from all 2ⁿ⁻¹ ways to cut the values into segments.
    #[test]
    fn the_most_likely_run_is_that_of_all_segmentations() {
        let y = [0.1, -0.3, 0.2, 0.0, 2.9, 3.3, 2.8, 3.1, 3.0, -1.5, -1.4];
        let hazard: f64 = 0.1;
        let found = most_likely_runs(y.into_iter(), hazard);
        for n in 1..=y.len() {
            let mut by_run = vec![0.0; n + 1];
            for cuts in 0_u32..1 << (n - 1) {
                let ends: Vec<usize> =
                    (1..n).filter(|at| cuts >> (at - 1) & 1 == 1).chain(std::iter::once(n)).collect();
                let mut start = 0;
                let mut ln = (n - ends.len()) as f64 * (1.0 - hazard).ln() + (ends.len() - 1) as f64 * hazard.ln();
                let mut last = 0;
                for end in ends {
                    ln += ln_marginal(&y[start..end]);
                    (last, start) = (end - start, end);
                }
                by_run[last] += ln.exp();
            }
            let most = by_run.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
            assert_eq!(found[n - 1], most, "{n} values: {by_run:?}");
        }
    }
}
