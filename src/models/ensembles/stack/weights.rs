//! Stacking weights: non-negative, summing to one, by group of series and horizon.
//!
//! They minimise the scaled error of the ensemble on held-out windows; squared, or absolute by iteratively reweighted least
//! squares. Weights of a group at some horizons are shrunk towards those of the group, these towards those of all series, and
//! these towards weights by inverse errors (a ridge penalty around the parent): the more, the fewer series and windows
//! there are, and the smaller the differences between members are beside the errors of the best (Breiman 1996, *Machine
//! Learning* 24, for non-negative weights; Bates & Granger 1969, *Operational Research Quarterly* 20, for inverse ones; Smith & Wallis 2009, *Oxford Bulletin of Economics and Statistics* 71, for why simple ones are hard to
//! beat). The strength of shrinkage is chosen by cross-validation over windows.

use std::ops::Range;

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::StackLoss;
use super::hold_out::{Predicted, Window};

/// The most rounds of reweighting.
const ROUNDS: usize = 12;
/// The power of inverse errors in the weights that all others are shrunk towards.
const POWER: i32 = 2;
/// Mean squares of errors at which weights are not learned from them any more.
const LARGEST: f64 = 1e280;
/// Parts of a horizon that have weights of their own.
const PARTS: usize = 3;

/// Weights by group, by part of the horizon, by member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Weights {
    parts: Vec<Range<usize>>,
    groups: Vec<Vec<Vec<f64>>>,
}

impl Weights {
    /// The same for every group and step.
    pub fn same(weights: Vec<f64>, groups: usize) -> Self {
        Self { parts: std::iter::once(0..usize::MAX).collect(), groups: vec![vec![weights]; groups] }
    }

    /// The same at every step, by group.
    pub fn by_group(weights: Vec<Vec<f64>>) -> Self {
        let groups = weights.into_iter().map(|weights| vec![weights]).collect();
        Self { parts: std::iter::once(0..usize::MAX).collect(), groups }
    }

    /// The weights with the smallest error on windows. `of` is the group of each series, of `groups`.
    pub fn learned(
        windows: &[&Window],
        of: &[usize],
        groups: usize,
        steps: usize,
        loss: StackLoss,
        shrinkage: f64,
    ) -> Self {
        let members = windows.first().map_or(0, |window| window.predicted.len());
        let part = steps.div_ceil(PARTS).max(1);
        let parts: Vec<Range<usize>> = (0..steps).step_by(part).map(|first| first..(first + part).min(steps)).collect();
        let whole = 0..steps;
        let all = simplex(windows, &whole, &inverse(windows, members), loss, shrinkage);
        let group = |g: usize| {
            let own: Vec<&Window> = windows.iter().filter(|window| of[window.series] == g).copied().collect();
            let of_group = if groups > 1 { simplex(&own, &whole, &all, loss, shrinkage) } else { all.clone() };
            parts.iter().map(|part| simplex(&own, part, &of_group, loss, shrinkage)).collect()
        };
        Self { groups: (0..groups).map(group).collect(), parts }
    }

    /// The weight of a member at a step ahead, counted from 0.
    pub fn at(&self, group: usize, step: usize, member: usize) -> f64 {
        let part = self.parts.iter().position(|part| step < part.end).unwrap_or(self.parts.len() - 1);
        // The fallback for series that no member can be fitted to has none.
        self.groups[group][part].get(member).copied().unwrap_or(0.0)
    }

    /// The normalised weights at a step of the members that are available; where these have no weight, the first gets all.
    pub fn shares(&self, group: usize, step: usize, available: &[bool]) -> Vec<f64> {
        let own = |m: usize| if available[m] { self.at(group, step, m) } else { 0.0 };
        let total: f64 = (0..available.len()).map(own).sum();
        let first = available.iter().position(|available| *available);
        let share = |m: usize| if total > 0.0 { own(m) / total } else { f64::from(u8::from(first == Some(m))) };
        (0..available.len()).map(share).collect()
    }

    /// What a combination predicts of a window of so many steps.
    pub fn applied(&self, predicted: &[Option<Predicted>], group: usize, steps: usize) -> Predicted {
        let available: Vec<bool> = predicted.iter().map(Option::is_some).collect();
        let shares: Vec<Vec<f64>> = (0..steps).map(|step| self.shares(group, step, &available)).collect();
        Predicted::combined(predicted, &shares)
    }

    /// A member's mean weight in a group.
    pub fn mean(&self, group: usize, member: usize) -> f64 {
        let parts = &self.groups[group];
        parts.iter().filter_map(|weights| weights.get(member)).sum::<f64>() / parts.len() as f64
    }

    /// How many groups and members there are.
    pub fn shape(&self) -> (usize, usize) {
        (self.groups.len(), self.groups.first().and_then(|parts| parts.first()).map_or(0, Vec::len))
    }
}

/// Weights that sum to one, by the inverse [`POWER`] of the mean absolute errors of members; equal without errors.
fn inverse(windows: &[&Window], members: usize) -> Vec<f64> {
    let (errors, _) = errors(windows, &(0..usize::MAX));
    let losses: Vec<f64> = errors.columns().into_iter().map(|of| of.iter().map(|e| e.abs()).sum::<f64>()).collect();
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let weight = |loss: &f64| if *loss <= least { 1.0 } else { (least / loss).powi(POWER) };
    let weights: Vec<f64> = losses.iter().map(weight).collect();
    let total: f64 = weights.iter().sum();
    match total > 0.0 && total.is_finite() {
        true => weights.iter().map(|weight| weight / total).collect(),
        false => vec![1.0 / members as f64; members],
    }
}

/// The scaled errors of all members at some steps of the windows that every member forecasts, and the number of these windows.
fn errors(windows: &[&Window], steps: &Range<usize>) -> (Array2<f64>, usize) {
    let members = windows.first().map_or(0, |window| window.predicted.len());
    let mut errors = Vec::new();
    let mut count = 0;
    for window in windows {
        let Some(predicted) = window.predicted.iter().map(Option::as_ref).collect::<Option<Vec<_>>>() else { continue };
        let size = window.size();
        let before = errors.len();
        for step in steps.start..steps.end.min(window.actual.len()) {
            let row = predicted.iter().map(|one| (window.actual[step] - one.mean[step]) / size);
            let row: Vec<f64> = row.collect();
            if row.iter().all(|e| e.is_finite()) {
                errors.extend(row);
            }
        }
        count += usize::from(errors.len() > before);
    }
    let rows = errors.len().checked_div(members).unwrap_or(0);
    (Array2::from_shape_vec((rows, members), errors).unwrap_or_else(|_| Array2::zeros((0, members))), count)
}

/// The weights with the smallest error at some steps, shrunk towards those of the parent.
fn simplex(windows: &[&Window], steps: &Range<usize>, parent: &[f64], loss: StackLoss, shrinkage: f64) -> Vec<f64> {
    let (errors, count) = errors(windows, steps);
    let members = parent.len();
    if errors.nrows() == 0 || members < 2 {
        return parent.to_vec();
    }
    let mut weights = Array1::from(parent.to_vec());
    let mut importance = Array1::from_elem(errors.nrows(), 1.0);
    let absolute = loss == StackLoss::Absolute;
    for _ in 0..if absolute { ROUNDS } else { 1 } {
        if absolute {
            let off = errors.dot(&weights).mapv(f64::abs);
            let scale = off.mean().unwrap_or(0.0).max(f64::MIN_POSITIVE);
            // Near zero an absolute value has no curvature of its own.
            importance = off.mapv(|e| scale / e.max(0.05 * scale));
        }
        let total: f64 = importance.sum();
        let scaled = &errors * &importance.clone().insert_axis(ndarray::Axis(1));
        let square = errors.t().dot(&scaled) / total;
        // What is made of the cells must be finite too.
        if !square.iter().all(|cell| cell.abs() < LARGEST) {
            return parent.to_vec();
        }
        // The information of one window on a weight is limited by the error variance of the best member.
        let noise = square.diag().iter().copied().fold(f64::INFINITY, f64::min);
        let penalty = shrinkage / count as f64 * noise.max(1e-12 * square.diag().sum());
        let next = minimum(&square, penalty, parent, &weights);
        let moved = (&next - &weights).mapv(f64::abs).sum();
        weights = next;
        if moved < 1e-6 {
            break;
        }
    }
    weights.to_vec()
}

/// The minimum of wᵀAw + penalty‖w − parent‖² over non-negative weights that sum to one, by exact line searches that move weight
/// between two members at a time.
fn minimum(square: &Array2<f64>, penalty: f64, parent: &[f64], start: &Array1<f64>) -> Array1<f64> {
    let n = parent.len();
    let mut weights = start.clone();
    for _ in 0..500 {
        let mut largest: f64 = 0.0;
        for i in 0..n {
            for j in 0..i {
                let slope = |m: usize| square.row(m).dot(&weights) + penalty * (weights[m] - parent[m]);
                let curvature = square[[i, i]] + square[[j, j]] - 2.0 * square[[i, j]] + 2.0 * penalty;
                if curvature <= 0.0 {
                    continue;
                }
                let by = ((slope(j) - slope(i)) / curvature).clamp(-weights[i], weights[j]);
                weights[i] += by;
                weights[j] -= by;
                largest = largest.max(by.abs());
            }
        }
        if largest < 1e-9 {
            break;
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(series: usize, actual: &[f64], means: &[&[f64]]) -> Window {
        let predicted = means.iter().map(|mean| {
            let quantiles = std::array::from_fn(|_| mean.to_vec());
            Some(Predicted { mean: mean.to_vec(), sd: vec![0.0; mean.len()], quantiles })
        });
        Window { series, number: 0, actual: actual.to_vec(), predicted: predicted.collect(), scales: (1.0, 1.0) }
    }

    /// Two members with independent errors of standard deviation 1 and 2: the weights with the least variance are .8 and .2.
    #[test]
    fn the_optimal_weights_of_two_independent_members() {
        use rand::{RngExt, SeedableRng};
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut normal = |sd: f64| sd * (0..12).map(|_| random.random::<f64>() - 0.5).sum::<f64>();
        let windows: Vec<Window> = (0..4_000)
            .map(|_| {
                window(
                    0,
                    &[0.0; 3],
                    &[&[normal(1.0), normal(1.0), normal(1.0)], &[normal(2.0), normal(2.0), normal(2.0)]],
                )
            })
            .collect();
        let windows: Vec<&Window> = windows.iter().collect();
        for loss in [StackLoss::Squared, StackLoss::Absolute] {
            let weights = Weights::learned(&windows, &[0], 1, 3, loss, 20.0);
            for step in 0..4 {
                assert!((weights.at(0, step, 0) - 0.8).abs() < 0.03, "{weights:?}");
                assert!((weights.at(0, step, 0) + weights.at(0, step, 1) - 1.0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn errors_whose_squares_are_not_to_be_added_teach_nothing() {
        for power in 1480..1550 {
            let size = 10.0_f64.powf(f64::from(power) / 10.0);
            let one = window(0, &[1.0, -1.0], &[&[size, size], &[size, -size], &[-size, size]]);
            for loss in [StackLoss::Squared, StackLoss::Absolute] {
                let weights = Weights::learned(&[&one], &[0], 1, 2, loss, 20.0);
                let sum: f64 = (0..3).map(|m| weights.at(0, 0, m)).sum();
                assert!((sum - 1.0).abs() < 1e-9, "{size}: {weights:?}");
            }
        }
    }

    #[test]
    fn a_useless_member_gets_nothing_and_a_single_window_moves_weights_of_like_members_little() {
        let windows: Vec<Window> =
            (0..400).map(|k| window(0, &[1.0, -1.0], &[&[1.01, -0.99], &[9.0 * f64::from(k % 7 - 3), 30.0]])).collect();
        let all: Vec<&Window> = windows.iter().collect();
        let weights = Weights::learned(&all, &[0], 1, 2, StackLoss::Squared, 20.0);
        assert!(weights.at(0, 0, 1) < 0.02 && weights.at(0, 0, 1) >= 0.0, "{weights:?}");
        let alike = window(0, &[0.0; 2], &[&[1.0, -1.0], &[1.3, 1.3]]);
        let weights = Weights::learned(&[&alike], &[0], 1, 2, StackLoss::Squared, 20.0);
        // The inverse squares of 1 and 1.3, in shares.
        assert!((weights.at(0, 0, 1) - 0.372).abs() < 0.05, "{weights:?}");
        // A group that nobody has seen has the weights of all.
        let weights = Weights::learned(&all, &[0], 2, 2, StackLoss::Squared, 20.0);
        assert!((weights.at(1, 0, 0) - weights.mean(0, 0)).abs() < 0.05);
    }
}
