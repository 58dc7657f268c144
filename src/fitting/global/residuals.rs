//! The one-step errors of a global model: the RMSE of each series, their autocorrelation, and the innovations that residuals
//! and sample paths consist of.

use rayon::prelude::*;

use super::AlignedSeries;
use super::fitted::{Block, FittedGlobal};
use crate::fitting::{Autoregression, first_kept};

/// Steps of hold-out windows that are enough to estimate the correlation between series; with fewer, in-sample errors are used
/// as well.
const ENOUGH_STEPS: usize = 20;
/// Shrinkage of each series' RMSE towards the pooled RMSE, in pseudo-observations.
const PRIOR: f64 = 10.0;

impl FittedGlobal {
    /// The one-step errors of a block in each series from a step of its own on, scaled; NaN before.
    pub(super) fn one_step_errors(
        &self,
        histories: &[Option<AlignedSeries>],
        block: Option<&Block>,
        first: impl Fn(usize) -> usize + Sync,
    ) -> Vec<Vec<f64>> {
        let errors = |series: &AlignedSeries| {
            let n = series.y.len();
            let first = first(n).min(n);
            let Some(block) = block else { return vec![f64::NAN; n] };
            let (.., predicted) = block.predict(self.difference, series, first..n);
            let error = |t: usize| series.y[t] - predicted[t - first];
            (0..n).map(|t| if t < first { f64::NAN } else { error(t) }).collect::<Vec<f64>>()
        };
        histories.par_iter().map(|series| series.as_ref().map_or_else(Vec::new, errors)).collect()
    }

    /// The one-step errors of the last `held_out` steps, of a fit to the steps before them, where all lags are available.
    pub(super) fn unseen_errors(&self, histories: &[Option<AlignedSeries>], held_out: usize) -> Vec<Vec<f64>> {
        let block = self.blocks.first();
        let settled = |n: usize| block.and_then(|block| block.features.settled(n)).unwrap_or(n);
        let first = |n: usize| first_kept(histories.len(), n);
        self.one_step_errors(histories, block, |n| first(n).max(n - held_out.min(n)).max(settled(n)))
    }

    /// Estimates RMSE, autocorrelation and innovations from in-sample errors. In a series that is long enough, errors count only
    /// from the step on at which all lags are available: the first steps are biased in every series alike. The correlation
    /// between series comes from the `unseen` errors of a fit that was not trained on the last `held_out` steps: in-sample errors
    /// may be overfitted to dates on which all series rose.
    pub(super) fn estimate_errors(
        &mut self,
        histories: &[Option<AlignedSeries>],
        order: &[usize],
        unseen: Option<Vec<Vec<f64>>>,
        held_out: usize,
    ) {
        let block = self.blocks.first();
        let settled = |n: usize| block.and_then(|block| block.features.settled(n));
        let first = |n: usize| first_kept(histories.len(), n);
        let all = self.one_step_errors(histories, block, first);
        let mut errors = all.clone();
        for errors in &mut errors {
            let early = settled(errors.len()).unwrap_or(0);
            errors.iter_mut().take(early).for_each(|e| *e = f64::NAN);
        }
        let mut joint_errors = errors.clone();
        if let Some(unseen) = unseen {
            let both = joint_errors.iter_mut().zip(unseen);
            for (joint, unseen) in both.filter(|(_, unseen)| unseen.iter().any(|e| e.is_finite())) {
                // A few dates are not enough: in-sample errors stay beside them.
                let replaced = |(_, new): &(&mut f64, f64)| held_out >= ENOUGH_STEPS || !new.is_nan();
                joint.iter_mut().zip(unseen).filter(replaced).for_each(|(e, new)| *e = new);
            }
        }
        let squares =
            |errors: &[f64]| errors.iter().filter(|e| e.is_finite()).fold((0.0, 0.0), |(s, n), e| (s + e * e, n + 1.0));
        let sum = order.iter().map(|i| squares(&all[*i])).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        let pooled = if sum.1 > 0.0 { sum.0 / sum.1 } else { 1.0 };
        let joint: Vec<bool> = joint_errors.iter().map(|errors| settled(errors.len()).is_some()).collect();
        self.autoregression = Autoregression::of(order.iter().map(|i| &joint_errors[*i]));
        self.rmse = all
            .iter()
            .map(|errors| squares(errors))
            .map(|(squares, n)| ((squares + PRIOR * pooled) / (n + PRIOR)).sqrt().max(1e-9))
            .collect();
        self.residuals = errors.iter().enumerate().map(|(i, errors)| self.innovations(i, errors)).collect();
        let shocks = joint_errors.iter().enumerate().map(|(i, errors)| self.innovations(i, errors));
        self.shocks = shocks.zip(joint).collect();
    }

    /// The innovations of the errors of a series, on the model's scale.
    pub(super) fn innovations(&self, series: usize, errors: &[f64]) -> Vec<f64> {
        let size = self.extractor.scale(series).map_or(1.0, |scale| scale.size);
        self.autoregression.innovations(errors, size)
    }
}
