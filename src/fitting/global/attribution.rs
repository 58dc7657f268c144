//! Which features matter, and how much does each contribute to a forecast? Permutation importance and Shapley values; and the
//! models as other libraries read them.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::AlignedSeries;
use super::fitted::FittedGlobal;
use super::rows::TrainingRows;
use crate::error::Result;
use crate::fitting::{Explanation, ExportedModel, Fitted, Importance};
use crate::panel::{Future, order};

/// Rows that permutation importance is calculated on.
const PERMUTED_ROWS: usize = 2_000;

impl FittedGlobal {
    /// The importance of the features of the first block.
    pub(super) fn feature_importance(&self) -> Option<Vec<Importance>> {
        let block = self.blocks.first()?;
        let names = &block.features.names;
        let histories: Vec<Option<AlignedSeries>> = (0..self.panel.len())
            .map(|i| self.extractor.align(&self.panel, i, None).ok().map(|(_, series)| series))
            .collect();
        let order = order::by_content(&self.panel).ok()?;
        let rows = TrainingRows::of(&histories, &order, &block.features, PERMUTED_ROWS, block.steps.end).ok()?;
        let (matrix, target) = (rows.matrix, rows.targets.less(self.difference));
        let error = |columns: &[Vec<f64>]| {
            let predicted = block.regressor.predict(columns);
            predicted.iter().zip(&target).map(|(predicted, y)| (predicted - y).abs()).sum::<f64>()
        };
        let before = error(&matrix.columns).max(f64::MIN_POSITIVE);
        let gains = block.regressor.gains(names.len());
        let total = gains.as_ref().map(|gains| gains.iter().sum::<f64>().max(f64::MIN_POSITIVE));
        let mut order: Vec<usize> = (0..target.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(1));
        let of = |c: usize| {
            let mut columns = matrix.columns.clone();
            columns[c] = order.iter().map(|r| matrix.columns[c][*r]).collect();
            Importance {
                feature: names[c].clone(),
                gain: gains.as_ref().zip(total).map(|(gains, total)| gains[c] / total),
                permutation: error(&columns) / before - 1.0,
            }
        };
        Some((0..names.len()).into_par_iter().map(of).collect())
    }

    /// The baseline of each step of a forecast and the contributions of groups of features.
    pub(super) fn attribution(&self, future: &Future, series: usize) -> Result<Option<Explanation>> {
        let scale = self.extractor.scale(series)?;
        let mean = self.forecast(future, series)?.mean;
        let history = self.panel.regular(series).len();
        let (begins, mut aligned) = self.extractor.align(&self.panel, series, Some(future))?;
        let steps = aligned.y.len() - history;
        let mut expected = Vec::with_capacity(steps);
        let mut contributions: Vec<(String, Vec<f64>)> = Vec::new();
        let mut known = true;
        self.predict_blocks(&mut aligned, history, |block, columns, anchors| {
            let Some(rows) = block.regressor.contributions(columns) else {
                known = false;
                return;
            };
            let first = expected.len();
            for ((step, row), anchor) in rows.iter().enumerate().zip(anchors) {
                expected.push(anchor + row.last().copied().unwrap_or(0.0));
                for (group, part) in block.features.groups().into_iter().zip(row) {
                    let at = contributions.iter().position(|(name, _)| *name == group).unwrap_or_else(|| {
                        contributions.push((group, vec![0.0; steps]));
                        contributions.len() - 1
                    });
                    contributions[at].1[first + step] += part;
                }
            }
        });
        if !known {
            return Ok(None);
        }
        let lead = begins - history;
        let data = |value: f64| scale.transformation.back(scale.unscaled(value));
        let baseline: Vec<f64> = expected[lead..].iter().map(|value| data(*value)).collect();
        contributions.iter_mut().for_each(|(_, steps)| drop(steps.drain(..lead)));
        for step in 0..baseline.len() {
            let sum: f64 = contributions.iter().map(|(_, steps)| steps[step]).sum();
            // On a transformed scale contributions do not add up: each gets its share of the whole.
            let unit = if scale.is_untransformed() {
                scale.size
            } else if sum.abs() > 1e-12 {
                (mean[step] - baseline[step]) / sum
            } else {
                0.0
            };
            contributions.iter_mut().for_each(|(_, steps)| steps[step] *= unit);
        }
        Ok(Some(Explanation { baseline, contributions }))
    }

    /// The models of all blocks in their native format, with the features of a future.
    pub(super) fn exported_models(&self, future: &Future, series: usize) -> Result<Option<Vec<ExportedModel>>> {
        let mut models: Vec<ExportedModel> = Vec::new();
        let history = self.panel.regular(series).len();
        let (_, mut aligned) = self.extractor.align(&self.panel, series, Some(future))?;
        self.predict_blocks(&mut aligned, history, |block, columns, _| {
            let steps = (block.steps.start + 1, block.steps.end);
            // Beyond the last block the first one is used again, recursively.
            let Some(model) = block.regressor.exported().filter(|_| !models.iter().any(|one| one.steps == steps))
            else {
                return;
            };
            models.push(ExportedModel {
                steps,
                model: model.to_string(),
                names: block.features.names.clone(),
                columns: columns.to_vec(),
                predicted: block.regressor.predict(columns),
            });
        });
        Ok(Some(models).filter(|models| !models.is_empty()))
    }
}
