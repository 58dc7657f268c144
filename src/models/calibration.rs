//! Intervals from how far a method was off: split conformal prediction over the series of a panel.
//!
//! Errors on windows that no fit has seen, each in the standard deviations that the method itself stated for that step, are
//! pooled over series and windows (Vovk, Gammerman & Shafer 2005, *Algorithmic Learning in a Random World*; scaled as by
//! Lei et al. 2018, *J. American Statistical Association* 113). Their quantiles, step by step, take the place of the normal
//! ones: the k-th smallest of n errors stands for the probability k/(n + 1). So a method that is too sure of itself far ahead
//! becomes as unsure as it has reason to be, and its own judgement of which series is harder stays. Where a panel gives few
//! errors, the normal quantiles keep part of the say.
//!
//! Intervals may follow each series besides (adaptive conformal prediction: Gibbs & Candès 2021, *Advances in Neural
//! Information Processing Systems* 34; in the form of Angelopoulos, Candès & Tibshirani 2023, *ibid.* 36, on a logarithmic
//! scale): they stretch after values outside the 0.8 interval of all series and shrink, four times as slowly, after values
//! inside. Errors of one forecast go together, so the intervals move once for all of them.

use serde::{Deserialize, Serialize};

use super::{Marginal, standard_normal};

/// Errors that speak with one voice: with as many, empirical and normal quantiles count the same.
const PRIOR: f64 = 20.0;
/// Errors below which a step borrows those of its neighbours.
const ENOUGH: usize = 400;
/// The most stated standard deviations that an interval may reach.
pub(super) const FARTHEST: f64 = 100.0;
/// Errors below which the two tails are taken together.
const FEW: usize = 200;
/// How far one value moves the intervals of its series.
const PACE: f64 = 0.05;
/// As many values the errors of one forecast, which go together, count for at most.
const VOICES: f64 = 4.0;
/// The share of values that are meant to lie outside.
const OUTSIDE: f64 = 0.2;

/// How far a method was off, in its own standard deviations: sorted errors of each step ahead.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Calibration {
    steps: Vec<Vec<f64>>,
    /// The absolute error that a share of [`OUTSIDE`] lies beyond, before any interval was stretched.
    edge: f64,
}

impl Calibration {
    /// From what each series tried; none where none did.
    pub fn of<'a>(tried: impl Iterator<Item = &'a [Vec<f64>]>) -> Option<Self> {
        let mut by_step: Vec<Vec<f64>> = Vec::new();
        for window in tried.flatten() {
            by_step.resize_with(by_step.len().max(window.len()), Vec::new);
            by_step
                .iter_mut()
                .zip(window)
                .filter(|(_, e)| !e.is_nan())
                .for_each(|(errors, e)| errors.push(e.clamp(-FARTHEST, FARTHEST)));
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
                    // A table of the shape is all that is asked of them.
                    let most = 4 * ENOUGH;
                    return match errors.len() > most {
                        true => (0..most).map(|k| errors[(k * 2 + 1) * errors.len() / (2 * most)]).collect(),
                        false => errors,
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

    /// From how far out values stood, on whichever side: the errors of a window go together, and a few windows say how wide
    /// intervals ought to be, and not where.
    pub fn of_widths<'a>(tried: impl Iterator<Item = &'a [Vec<f64>]>) -> Option<Self> {
        let sides = |window: &Vec<f64>| [window.clone(), window.iter().map(|e| -e).collect()];
        let both: Vec<Vec<f64>> = tried.flatten().flat_map(sides).collect();
        Self::of(std::iter::once(&both[..]))
    }

    /// The same where the intervals of some series follow their errors, and how far each series is stretched after its own.
    pub fn following<'a>(tried: impl Iterator<Item = (&'a [Vec<f64>], bool)> + Clone) -> (Option<Self>, Vec<f64>) {
        let plain = Self::of(tried.clone().map(|(windows, _)| windows));
        let Some(Self { edge, .. }) = plain else { return (None, vec![1.0; tried.count()]) };
        let mut seen = Vec::new();
        let mut stretches = Vec::new();
        for (windows, adapts) in tried {
            let mut stretch = 1.0;
            let mut windows = windows.to_vec();
            for window in windows.iter_mut().filter(|_| adapts) {
                window.iter_mut().for_each(|error| *error /= stretch);
                stretch = stretched(stretch, window, edge);
            }
            seen.push(windows);
            stretches.push(stretch);
        }
        (Self::of(seen.iter().map(Vec::as_slice)).map(|calibration| Self { edge, ..calibration }), stretches)
    }

    /// The stretch of the next intervals after the errors of one forecast, in stretched standard deviations.
    pub fn stretched(&self, stretch: f64, errors: &[f64]) -> f64 {
        stretched(stretch, errors, self.edge)
    }

    /// The deviate at which a step's own distribution has the quantile that errors say belongs at `z`.
    pub(super) fn deviate(&self, step: usize, z: f64) -> f64 {
        quantile(&self.steps[step.min(self.steps.len() - 1)], z)
    }
}

/// An interval's stretch after the errors of one forecast in stretched standard deviations; NaN where nothing was observed.
fn stretched(stretch: f64, errors: &[f64], edge: f64) -> f64 {
    let n = errors.iter().filter(|e| !e.is_nan()).count() as f64;
    let outside = errors.iter().filter(|e| e.abs() > edge).count() as f64;
    let by = if n > 0.0 { PACE * n.min(VOICES) * (outside / n - OUTSIDE) } else { 0.0 };
    (stretch * by.exp()).clamp(0.1, 10.0)
}

/// The quantile of sorted errors at a standard normal deviate; beyond the last error it goes on as the normal one does.
fn quantile(errors: &[f64], z: f64) -> f64 {
    use statrs::distribution::{ContinuousCDF, Normal};
    let n = errors.len() as f64;
    let place = Normal::standard().cdf(z) * (n + 1.0) - 1.0;
    let empirical = if place < 0.0 || place > n - 1.0 {
        let (last, edge) =
            if place < 0.0 { (errors[0], 1.0 / (n + 1.0)) } else { (errors[errors.len() - 1], n / (n + 1.0)) };
        let at = standard_normal(edge);
        // With the slope of the normal through its own edge, and never back.
        last + (z - at) * (last / at).max(1e-3)
    } else {
        let (low, share) = (place.floor() as usize, place.fract());
        let high = (low + 1).min(errors.len() - 1);
        errors[low] + (errors[high] - errors[low]) * share
    };
    ((n * empirical + PRIOR * z) / (n + PRIOR)).clamp(-FARTHEST, FARTHEST)
}

impl Marginal {
    /// The same means with the quantiles that a calibration puts in the place of its own; `lead` steps before its first one
    /// were not asked for.
    pub(super) fn calibrated(self, calibration: Option<&Calibration>, lead: usize) -> Self {
        let Some(calibration) = calibration else { return self };
        let quantiles = self.requantiled(|step, z| calibration.deviate(lead + step, z));
        self.shaped(Some(quantiles))
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
        let marginal = Marginal::normal(vec![10.0; 3], vec![1.0; 3]).calibrated(Some(&calibration), 0);
        let ends = marginal.quantile(0.9);
        let z = standard_normal(0.9);
        for (end, factor) in ends.iter().zip([2.0, 3.0, 3.0]) {
            assert!((end - 10.0 - factor * z).abs() < 0.05 * factor, "{ends:?}");
        }
    }

    #[test]
    fn widths_have_no_side() {
        let windows: Vec<Vec<f64>> = (0..2_000).map(|k| vec![f64::from(k % 100) / 50.0]).collect();
        let calibration = Calibration::of_widths(std::iter::once(windows.as_slice())).unwrap();
        let marginal = Marginal::normal(vec![10.0], vec![1.0]).calibrated(Some(&calibration), 0);
        let [low, middle, high] = [0.1, 0.5, 0.9].map(|p| marginal.quantile(p)[0]);
        assert!((low + high - 20.0).abs() < 0.02 && (middle - 10.0).abs() < 0.02, "{low} {middle} {high}");
        assert!((high - 11.6).abs() < 0.05, "{high}");
    }

    #[test]
    fn few_errors_leave_the_normal_quantiles_nearly_as_they_are() {
        let calibration = Calibration::of(std::iter::once([vec![0.5, -0.5]].as_slice())).unwrap();
        let end = Marginal::normal(vec![0.0], vec![1.0]).calibrated(Some(&calibration), 0).quantile(0.975)[0];
        assert!(end > 1.4 && end < 2.5, "{end}");
        assert!(Calibration::of(std::iter::empty()).is_none());
    }
}
