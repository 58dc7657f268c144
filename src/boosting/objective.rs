//! Loss functions: gradients for the next tree, the value before the first one, the values of leaves.

use serde::{Deserialize, Serialize};

/// A loss function.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Objective {
    /// Squared error: the mean.
    Squared,
    /// The quantile loss of a probability; one half is the absolute error: the median.
    Quantile(f64),
    /// The Poisson deviance, for non-negative values; predictions are positive.
    Poisson,
    /// The Tweedie deviance with this variance power, between 1 and 2.
    Tweedie(f64),
}

/// The link function: the scale on which trees add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Link {
    /// The identity.
    Identity,
    /// The logarithm.
    Log,
}

impl Link {
    /// The scale of the trees back to that of the values.
    pub(super) fn back(self, score: f64) -> f64 {
        match self {
            Self::Identity => score,
            Self::Log => score.clamp(-WIDEST, WIDEST).exp(),
        }
    }
}

/// What keeps steps of the Poisson objective small, as in XGBoost.
const CAREFUL: f64 = 0.7;
/// Predictions on the logarithmic scale stay within this.
const WIDEST: f64 = 30.0;

impl Objective {
    /// On what scale the trees add up.
    pub(super) fn link(self) -> Link {
        match self {
            Self::Squared | Self::Quantile(_) => Link::Identity,
            Self::Poisson | Self::Tweedie(_) => Link::Log,
        }
    }

    /// Is every second derivative 1?
    pub(super) fn has_plain_curvature(self) -> bool {
        matches!(self, Self::Squared | Self::Quantile(_))
    }

    /// The best constant for some rows, on the scale of the trees.
    pub(super) fn first(self, y: &[f64], weights: Option<&[f64]>, rows: &[u32]) -> f64 {
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let rows = || rows.iter().map(|row| *row as usize);
        let mean = || {
            let (sum, total) = rows().fold((0.0, 0.0), |(sum, w), r| (sum + weight(r) * y[r], w + weight(r)));
            if total > 0.0 { sum / total } else { 0.0 }
        };
        match self {
            Self::Squared => mean(),
            Self::Quantile(p) => quantile(rows().map(|r| y[r]), weights.map(|_| rows().map(weight)), p),
            Self::Poisson | Self::Tweedie(_) => mean().max(1e-9).ln(),
        }
    }

    /// First and second derivative of the loss of each row by its score.
    pub(super) fn gradients(self, y: &[f64], weights: Option<&[f64]>, score: &[f64], out: &mut [[f32; 2]]) {
        let each = |(row, cell): (usize, &mut [f32; 2])| {
            let (y, f) = (y[row], score[row]);
            let (g, h) = match self {
                Self::Squared => (f - y, 1.0),
                Self::Quantile(p) => (if f > y { 1.0 - p } else { -p }, 1.0),
                Self::Poisson => {
                    let mean = f.clamp(-WIDEST, WIDEST).exp();
                    (mean - y, mean * CAREFUL.exp())
                }
                Self::Tweedie(power) => {
                    let f = f.clamp(-WIDEST, WIDEST);
                    let (low, high) = (((1.0 - power) * f).exp(), ((2.0 - power) * f).exp());
                    (high - y * low, (2.0 - power) * high - y * (1.0 - power) * low)
                }
            };
            let weight = weights.map_or(1.0, |weights| weights[row]);
            *cell = [(weight * g) as f32, (weight * h) as f32];
        };
        use rayon::prelude::*;
        out.par_iter_mut().enumerate().with_min_len(4096).for_each(each);
    }

    /// The value of a leaf that holds `rows`, whose gradients sum to `sums`.
    pub(super) fn leaf(
        self,
        y: &[f64],
        weights: Option<&[f64]>,
        score: &[f64],
        rows: &[u32],
        [g, h]: [f64; 2],
        l2: f64,
    ) -> f64 {
        match self {
            Self::Quantile(p) => {
                let rows = || rows.iter().map(|row| *row as usize);
                quantile(rows().map(|r| y[r] - score[r]), weights.map(|weights| rows().map(|r| weights[r])), p)
            }
            _ if h + l2 > 0.0 => -g / (h + l2),
            _ => 0.0,
        }
    }
}

/// The quantile of values, weighted if weights are given: the middle of where the weight below passes the probability.
fn quantile(values: impl Iterator<Item = f64>, weights: Option<impl Iterator<Item = f64>>, p: f64) -> f64 {
    let Some(weights) = weights else { return plain_quantile(&mut values.collect::<Vec<_>>(), p) };
    let mut values: Vec<(f64, f64)> = values.zip(weights).collect();
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let wanted = p * values.iter().map(|(_, weight)| weight).sum::<f64>();
    let mut below = 0.0;
    for (k, (value, weight)) in values.iter().enumerate() {
        below += weight;
        if below >= wanted {
            let next = values.get(k + 1).filter(|_| below == wanted).map_or(*value, |(next, _)| *next);
            return (value + next) / 2.0;
        }
    }
    values.last().map_or(0.0, |(value, _)| *value)
}

/// The same where every value has the weight one, without sorting them all.
fn plain_quantile(values: &mut [f64], p: f64) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let wanted = p * values.len() as f64;
    let at = (wanted.ceil() as usize).clamp(1, values.len()) - 1;
    let (_, value, above) = values.select_nth_unstable_by(at, f64::total_cmp);
    let next = above.iter().copied().min_by(f64::total_cmp).filter(|_| (at + 1) as f64 == wanted);
    (*value + next.unwrap_or(*value)) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The losses themselves.
    fn loss(objective: Objective, y: f64, f: f64) -> f64 {
        match objective {
            Objective::Squared => (y - f).powi(2) / 2.0,
            Objective::Quantile(p) => (y - f) * (p - f64::from(u8::from(f > y))),
            Objective::Poisson => f.exp() - y * f,
            Objective::Tweedie(r) => ((2.0 - r) * f).exp() / (2.0 - r) - y * ((1.0 - r) * f).exp() / (1.0 - r),
        }
    }

    #[test]
    fn gradients_are_those_of_the_loss() {
        let all = [Objective::Squared, Objective::Quantile(0.3), Objective::Poisson, Objective::Tweedie(1.5)];
        for objective in all {
            for (y, f) in [(2.0, 0.3), (0.0, -1.0), (5.0, 2.5)] {
                let mut out = [[0.0; 2]];
                objective.gradients(&[y], None, &[f], &mut out);
                let step = 1e-4;
                let (low, middle, high) =
                    (loss(objective, y, f - step), loss(objective, y, f), loss(objective, y, f + step));
                assert!((f64::from(out[0][0]) - (high - low) / (2.0 * step)).abs() < 1e-3, "{objective:?} {y} {f}");
                if let Objective::Tweedie(_) = objective {
                    assert!((f64::from(out[0][1]) - (high - 2.0 * middle + low) / step.powi(2)).abs() < 1e-2);
                }
            }
        }
    }

    #[test]
    fn quantiles_count_weights() {
        let of = |values: &[f64], weights: &[f64], p: f64| {
            quantile(values.iter().copied(), Some(weights.iter().copied()), p)
        };
        let (values, weights) = ([3.0, 1.0, 2.0], [1.0, 1.0, 2.0]);
        assert_eq!([0.25, 0.5, 0.95].map(|p| of(&values, &weights, p)), [1.5, 2.0, 3.0]);
        assert_eq!(of(&[], &[], 0.5), 0.0);
        assert_eq!(plain_quantile(&mut [], 0.5), 0.0);
        for n in 1..40 {
            let values: Vec<f64> = (0..n).map(|k| f64::from(k * 17 % 11)).collect();
            for p in [0.0, 0.025, 0.1, 0.25, 0.5, 0.9, 0.975, 1.0] {
                assert_eq!(plain_quantile(&mut values.clone(), p), of(&values, &vec![1.0; values.len()], p), "{n} {p}");
            }
        }
    }
}
