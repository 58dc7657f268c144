//! Calibrated intervals: split conformal prediction over the series of a panel.
//!
//! Out-of-sample errors on held-out windows, standardised by the model's own standard deviation (calibration scores), are
//! pooled over series and windows (Vovk, Gammerman & Shafer 2005, *Algorithmic Learning in a Random World*; scaled as by
//! Lei et al. 2018, *J. American Statistical Association* 113). Their empirical quantiles, by step ahead, replace the normal
//! ones: the k-th smallest of n scores estimates the quantile of probability k/(n + 1). This corrects intervals that are too
//! narrow far ahead, and keeps the model's differences between series. With few scores, the empirical quantiles are shrunk
//! towards the normal ones.
//!
//! Intervals may also adapt to each series (adaptive conformal prediction: Gibbs & Candès 2021, *Advances in Neural
//! Information Processing Systems* 34; in the form of Angelopoulos, Candès & Tibshirani 2023, *ibid.* 36, on a logarithmic
//! scale): a scale factor grows after values outside the pooled 80 % interval and falls, four times as slowly, after values
//! inside. Errors of one forecast are correlated, so the factor is updated once for all of them.

use serde::{Deserialize, Serialize};

use super::{StepDistribution, standard_normal};

/// Shrinkage of empirical towards normal quantiles, in pseudo-observations.
const PRIOR: f64 = 20.0;
/// Scores below which a step pools those of neighbouring steps.
const ENOUGH: usize = 400;
/// The largest score, in standard deviations.
pub(super) const MAX_SCORE: f64 = 100.0;
/// Scores below which the two tails are assumed symmetric.
const FEW: usize = 200;
/// The learning rate of adaptive intervals.
const PACE: f64 = 0.05;
/// The largest effective sample size of the correlated errors of one forecast.
const MAX_EFFECTIVE: f64 = 4.0;
/// The nominal share of values outside the interval that adaptive intervals track.
const OUTSIDE: f64 = 0.2;

/// Sorted calibration scores of each step ahead.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Calibration {
    steps: Vec<Vec<f64>>,
    /// The absolute score exceeded with frequency [`OUTSIDE`], before any scale factor.
    edge: f64,
}

impl Calibration {
    /// From the calibration scores of each series; none without scores.
    pub fn of<'a>(scores: impl Iterator<Item = &'a [Vec<f64>]>) -> Option<Self> {
        let mut by_step: Vec<Vec<f64>> = Vec::new();
        for window in scores.flatten() {
            by_step.resize_with(by_step.len().max(window.len()), Vec::new);
            by_step
                .iter_mut()
                .zip(window)
                .filter(|(_, e)| !e.is_nan())
                .for_each(|(errors, e)| errors.push(e.clamp(-MAX_SCORE, MAX_SCORE)));
        }
        let count: usize = by_step.iter().map(Vec::len).sum();
        if count == 0 {
            return None;
        }
        let pooled = |step: usize| {
            let mut reach = 0;
            loop {
                let range = step.saturating_sub(reach)..(step + reach + 1).min(by_step.len());
                let n: usize = by_step[range.clone()].iter().map(Vec::len).sum();
                if n >= ENOUGH || n == count {
                    let mut errors: Vec<f64> = by_step[range].iter().flatten().copied().collect();
                    if errors.len() < FEW {
                        errors.extend_from_within(..);
                        let half = errors.len() / 2;
                        errors[half..].iter_mut().for_each(|e| *e = -*e);
                    }
                    errors.sort_by(f64::total_cmp);
                    // An even subsample of the order statistics is enough.
                    let max = 4 * ENOUGH;
                    return if errors.len() > max {
                        (0..max).map(|k| errors[(k * 2 + 1) * errors.len() / (2 * max)]).collect()
                    } else {
                        errors
                    };
                }
                reach += 1;
            }
        };
        let mut sizes: Vec<f64> = by_step.iter().flatten().map(|e| e.abs()).collect();
        sizes.sort_by(f64::total_cmp);
        let edge = sizes[(sizes.len() as f64 * (1.0 - OUTSIDE)) as usize];
        Some(Self { steps: (0..by_step.len()).map(pooled).collect(), edge })
    }

    /// From symmetrised scores: the errors of a window are correlated, so a few windows identify the width of intervals and not
    /// their location.
    pub fn symmetric<'a>(scores: impl Iterator<Item = &'a [Vec<f64>]>) -> Option<Self> {
        let sides = |window: &Vec<f64>| [window.clone(), window.iter().map(|e| -e).collect()];
        let both: Vec<Vec<f64>> = scores.flatten().flat_map(sides).collect();
        Self::of(std::iter::once(&both[..]))
    }

    /// The calibration where the intervals of some series are adaptive, and the interval scale factor of each series.
    pub fn adaptive<'a>(scores: impl Iterator<Item = (&'a [Vec<f64>], bool)> + Clone) -> (Option<Self>, Vec<f64>) {
        let plain = Self::of(scores.clone().map(|(windows, _)| windows));
        let Some(Self { edge, .. }) = plain else { return (None, vec![1.0; scores.count()]) };
        let mut scaled = Vec::new();
        let mut factors = Vec::new();
        for (windows, adapts) in scores {
            let mut factor = 1.0;
            let mut windows = windows.to_vec();
            for window in windows.iter_mut().filter(|_| adapts) {
                window.iter_mut().for_each(|error| *error /= factor);
                factor = updated(factor, window, edge);
            }
            scaled.push(windows);
            factors.push(factor);
        }
        (Self::of(scaled.iter().map(Vec::as_slice)).map(|calibration| Self { edge, ..calibration }), factors)
    }

    /// The interval scale factor after the errors of one forecast, in scaled standard deviations.
    pub fn updated_factor(&self, factor: f64, errors: &[f64]) -> f64 {
        updated(factor, errors, self.edge)
    }

    /// The calibrated quantile of a step at standard normal deviate `z`, as a deviate of the model's own distribution.
    pub fn deviate(&self, step: usize, z: f64) -> f64 {
        quantile(&self.steps[step.min(self.steps.len() - 1)], z)
    }
}

/// The interval scale factor after the errors of one forecast in scaled standard deviations; NaN where nothing was observed.
fn updated(factor: f64, errors: &[f64], edge: f64) -> f64 {
    let n = errors.iter().filter(|e| !e.is_nan()).count() as f64;
    let outside = errors.iter().filter(|e| e.abs() > edge).count() as f64;
    let by = if n > 0.0 { PACE * n.min(MAX_EFFECTIVE) * (outside / n - OUTSIDE) } else { 0.0 };
    (factor * by.exp()).clamp(0.1, 10.0)
}

/// The quantile of sorted scores at a standard normal deviate, with normal tails beyond the outer scores.
fn quantile(errors: &[f64], z: f64) -> f64 {
    use statrs::distribution::{ContinuousCDF, Normal};
    let n = errors.len() as f64;
    let place = Normal::standard().cdf(z) * (n + 1.0) - 1.0;
    let empirical = if place < 0.0 || place > n - 1.0 {
        let (last, edge) =
            if place < 0.0 { (errors[0], 1.0 / (n + 1.0)) } else { (errors[errors.len() - 1], n / (n + 1.0)) };
        let at = standard_normal(edge);
        // With the slope of the normal tail through the outer score, and never decreasing.
        last + (z - at) * (last / at).max(1e-3)
    } else {
        let (low, share) = (place.floor() as usize, place.fract());
        let high = (low + 1).min(errors.len() - 1);
        errors[low] + (errors[high] - errors[low]) * share
    };
    ((n * empirical + PRIOR * z) / (n + PRIOR)).clamp(-MAX_SCORE, MAX_SCORE)
}

impl StepDistribution {
    /// The same means with calibrated quantiles; its first step follows a gap of `lead` steps.
    pub(crate) fn calibrated(self, calibration: Option<&Calibration>, lead: usize) -> Self {
        let Some(calibration) = calibration else { return self };
        let quantiles = self.mapped_quantiles(|step, z| calibration.deviate(lead + step, z));
        self.with_quantiles(Some(quantiles))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_twice_as_wide_as_stated_double_the_intervals() {
        let normal = |k: u32| standard_normal((f64::from(k) + 0.5) / 2_000.0);
        let windows: Vec<Vec<f64>> = (0..2_000).map(|k| vec![2.0 * normal(k), 3.0 * normal(k)]).collect();
        let calibration = Calibration::of(std::iter::once(windows.as_slice())).unwrap();
        let forecast = StepDistribution::normal(vec![10.0; 3], vec![1.0; 3]).calibrated(Some(&calibration), 0);
        let ends = forecast.quantile(0.9);
        let z = standard_normal(0.9);
        for (end, factor) in ends.iter().zip([2.0, 3.0, 3.0]) {
            assert!((end - 10.0 - factor * z).abs() < 0.05 * factor, "{ends:?}");
        }
    }

    #[test]
    fn widths_have_no_side() {
        let windows: Vec<Vec<f64>> = (0..2_000).map(|k| vec![f64::from(k % 100) / 50.0]).collect();
        let calibration = Calibration::symmetric(std::iter::once(windows.as_slice())).unwrap();
        let forecast = StepDistribution::normal(vec![10.0], vec![1.0]).calibrated(Some(&calibration), 0);
        let [low, middle, high] = [0.1, 0.5, 0.9].map(|p| forecast.quantile(p)[0]);
        assert!((low + high - 20.0).abs() < 0.02 && (middle - 10.0).abs() < 0.02, "{low} {middle} {high}");
        assert!((high - 11.6).abs() < 0.05, "{high}");
    }

    #[test]
    fn few_errors_leave_the_normal_quantiles_nearly_as_they_are() {
        let calibration = Calibration::of(std::iter::once([vec![0.5, -0.5]].as_slice())).unwrap();
        let end = StepDistribution::normal(vec![0.0], vec![1.0]).calibrated(Some(&calibration), 0).quantile(0.975)[0];
        assert!(end > 1.4 && end < 2.5, "{end}");
        assert!(Calibration::of(std::iter::empty()).is_none());
    }
}
