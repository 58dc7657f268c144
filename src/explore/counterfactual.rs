//! What would sales have been without a flag? A structural time-series model bridges the steps on which it is on.
//!
//! **Model.** Sales over the indices of the calendar and the effects of other flags are a local level: a random walk plus
//! noise (Harvey 1989, *Forecasting, Structural Time Series Models and the Kalman Filter*). The steps with the flag, and
//! those just before and after its runs where the flag is rare enough to allow it, are missing values; Kalman's filter
//! and the fixed-interval smoother of Rauch, Tung and Striebel (1965) put the level there from both sides. The indices are
//! those of steps without the flag. The ratio of the two variances is chosen by maximum likelihood out of a few for each
//! series. It is the counterfactual of Brodersen et al. (2015, *Annals of Applied Statistics* vol. 9), but from both sides
//! of the event and without a prior.
//!
//! **Effect.** The ratio of the sums of sales and of the counterfactual, less one; scores and degrees of freedom as in
//! `matched`.
//!
//! It fails where the flag is on longer than the level stays put. `tests/oracles/uplift_methods.py` computes the same with
//! `UnobservedComponents` of statsmodels.

use rayon::prelude::*;

use super::matched::{Clean, Cleaned, Method};

/// Variances of the level's steps as a multiple of that of the noise, of which one is chosen.
const RATIOS: [f64; 8] = [0.0, 0.001, 0.004, 0.016, 0.06, 0.25, 1.0, 4.0];

impl Cleaned {
    /// The effect against the counterfactual of a structural model.
    pub(super) fn counterfactual(&self, runs: usize) -> Option<Method> {
        let expected: Vec<Option<Vec<f64>>> = self.series.par_iter().map(|clean| self.level(clean)).collect();
        let (mut actual, mut sums) = (vec![0.0; self.dates], vec![0.0; self.dates]);
        for (clean, level) in self.series.iter().zip(&expected) {
            let Some(level) = level else { continue };
            for t in (0..level.len()).filter(|t| clean.on[*t] && !clean.sales[*t].is_nan()) {
                actual[clean.offset + t] += clean.sales[t];
                sums[clean.offset + t] += level[t] * clean.index[t] * clean.factor[t];
            }
        }
        Method::of_sums("structural counterfactual", &actual, &sums, runs, self.memory)
    }

    fn level(&self, clean: &Clean) -> Option<Vec<f64>> {
        let free = self.free(clean);
        let values: Vec<f64> = (0..free.len())
            .map(|t| if free[t] { clean.sales[t] / clean.factor[t] / clean.index[t] } else { f64::NAN })
            .collect();
        smoothed(&values)
    }
}

/// The level at each step, of values with gaps; none of fewer than three values.
fn smoothed(values: &[f64]) -> Option<Vec<f64>> {
    if values.iter().filter(|value| value.is_finite()).count() < 3 {
        return None;
    }
    let best = RATIOS.iter().map(|ratio| (*ratio, likelihood(values, *ratio)));
    let (ratio, _) =
        best.fold((RATIOS[0], f64::NEG_INFINITY), |best, tried| if tried.1 > best.1 { tried } else { best });
    // Levels and their variances after each step, in units of the noise; the first value starts them.
    let n = values.len();
    let (mut level, mut variance) = (vec![f64::NAN; n], vec![0.0; n]);
    let mut state: Option<(f64, f64)> = None;
    for (t, value) in values.iter().enumerate() {
        state = match (state, value.is_finite()) {
            (None, true) => Some((*value, 1.0)),
            (None, false) => None,
            (Some((at, around)), true) => {
                let before = around + ratio;
                let gain = before / (before + 1.0);
                Some((at + gain * (value - at), before * (1.0 - gain)))
            }
            (Some((at, around)), false) => Some((at, around + ratio)),
        };
        if let Some((at, around)) = state {
            (level[t], variance[t]) = (at, around);
        }
    }
    for t in (0..n - 1).rev() {
        if level[t].is_nan() {
            level[t] = level[t + 1];
        } else {
            let pull = variance[t] / (variance[t] + ratio);
            level[t] += pull * (level[t + 1] - level[t]);
        }
    }
    Some(level)
}

/// The logarithm of the likelihood at this ratio of variances, at the noise that makes it largest, up to a constant.
fn likelihood(values: &[f64], ratio: f64) -> f64 {
    let (mut squares, mut logs, mut count) = (0.0, 0.0, 0.0);
    let mut state: Option<(f64, f64)> = None;
    // A product of variances is turned into a logarithm now and then, which is the slow part.
    let mut product: f64 = 1.0;
    for value in values {
        state = match state {
            None if value.is_finite() => Some((*value, 1.0)),
            None => None,
            Some((at, around)) if value.is_finite() => {
                let before = around + ratio;
                let spread = before + 1.0;
                let error = value - at;
                squares += error * error / spread;
                product *= spread;
                if product > 1e100 {
                    logs += product.ln();
                    product = 1.0;
                }
                count += 1.0;
                Some((at + before / spread * error, before / spread))
            }
            Some((at, around)) => Some((at, around + ratio)),
        };
    }
    logs += product.ln();
    if count < 2.0 || squares <= 0.0 { 0.0 } else { -0.5 * (count * (squares / count).ln() + logs) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_bridged_from_both_sides() {
        let values: Vec<f64> = (0..40).map(|t| if (18..22).contains(&t) { f64::NAN } else { f64::from(t) }).collect();
        let level = smoothed(&values).unwrap();
        assert!((level[19] - 19.0).abs() < 0.7 && (level[20] - 20.0).abs() < 0.7, "{level:?}");
        assert!(smoothed(&[1.0, f64::NAN]).is_none());
        assert_eq!(smoothed(&[2.0, f64::NAN, 2.0, 2.0]).unwrap(), vec![2.0; 4]);
    }
}
