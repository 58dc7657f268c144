//! How global models are trained: each block of horizons without the hold-out windows, to choose the difference and to
//! calibrate intervals, and then on all rows.

use std::ops::Range;

use rayon::prelude::*;

use super::error_distribution::{ErrorDistribution, HoldOut};
use super::extractor::FeatureExtractor;
use super::fitted::{Block, FittedGlobal};
use super::rows::TrainingRows;
use super::{AlignedSeries, Difference, FeatureSet, GlobalOptions, Regressor};
use crate::error::Result;
use crate::fitting::{Aim, Fitted, Forecaster, default_horizon, normalisation};
use crate::panel::{Panel, order};
use crate::progress;

/// Horizons of a block: at least, and at most if no season requires more.
const BLOCK: std::ops::RangeInclusive<usize> = 4..=14;
/// The most cells of feature matrices that are kept during training (a gigabyte).
const MAX_CELLS: usize = 1 << 27;

/// Makes a [`Regressor`] a [`Forecaster`].
pub(in crate::fitting) struct GlobalForecaster<M>(pub(in crate::fitting) M);

impl GlobalOptions {
    /// The blocks of a horizon.
    fn blocks(&self, horizon: Option<usize>, season: usize) -> Vec<Range<usize>> {
        let horizon = self.horizon.or(horizon).unwrap_or_else(|| default_horizon(season));
        let default = if season > 1 && season <= *BLOCK.end() {
            // Whole seasons, so that the seasonal lag is as short as possible.
            season * (*BLOCK.end() / season)
        } else {
            *BLOCK.end()
        };
        let max = self.block.unwrap_or(default).max(1);
        // Equal blocks of at most so many steps.
        let count = horizon.div_ceil(max).max(1);
        let block = if self.block.is_some() { max } else { horizon.div_ceil(count).max(*BLOCK.start()) };
        (0..horizon).step_by(block).map(|first| first..(first + block).min(horizon)).collect()
    }
}

impl<M: Regressor> Forecaster for GlobalForecaster<M> {
    fn reads_covariates(&self) -> bool {
        self.0.common().regressors
    }

    fn depends_on_horizon(&self) -> bool {
        self.0.common().horizon.is_none()
    }

    fn fit(&self, train: &Panel, aim: Aim) -> Result<Box<dyn Fitted>> {
        let options = self.0.common();
        let normalisation = normalisation(train, options.box_cox)?;
        let extractor = FeatureExtractor::of(train, normalisation, &options)?;
        match self.train(train, extractor.clone(), aim.steps) {
            // Without training rows every series fails.
            Err(error) if error.is_model() => Ok(Box::new(FittedGlobal::failed(train, extractor, &error))),
            fitted => Ok(Box::new(fitted?)),
        }
    }
}

impl<M: Regressor> GlobalForecaster<M> {
    fn train(&self, train: &Panel, extractor: FeatureExtractor, horizon: Option<usize>) -> Result<FittedGlobal> {
        let options = self.0.common();
        let histories = extractor.histories(train)?;
        let order = order::by_content(train)?;
        let longest = histories.iter().flatten().map(|series| series.y.len()).max().unwrap_or(0);
        let blocks = options.blocks(horizon, extractor.schema.season);
        let reach = blocks.last().map_or(1, |block| block.end);
        let windows = (1..=options.windows).rev().find(|windows| 3 * windows * reach <= longest).unwrap_or(0);
        let candidates = match options.difference {
            Difference::Auto => &[Difference::None, Difference::Recent][..],
            ref given => std::slice::from_ref(given),
        };
        let validated = if windows > 0 { candidates.len() } else { 0 };
        let bar = progress::bar((1 + validated) * blocks.len(), "training");
        let features: Vec<FeatureSet> =
            blocks.iter().map(|steps| FeatureSet::new(&extractor.schema, steps.end)).collect();
        let rows_of = |at: usize| {
            progress::check()?;
            TrainingRows::of(&histories, &order, &features[at], options.max_rows, blocks[at].end)
        };
        let fit = |rows: &TrainingRows, at: usize, difference: Difference, from_end: usize| -> Result<Block> {
            progress::check()?;
            let (matrix, target) = rows.before(from_end, difference);
            let regressor = self.0.fit(&matrix, &target)?.into();
            progress::check()?;
            bar.inc(1);
            Ok(Block { steps: blocks[at].clone(), features: features[at].clone(), regressor })
        };
        let mut fitted = FittedGlobal::new(train, extractor, candidates[0], reach);
        let mut trials: Vec<Vec<Block>> = candidates.iter().map(|_| Vec::new()).collect();
        let mut kept: Vec<Option<TrainingRows>> = Vec::new();
        let mut cells = 0;
        for at in (0..blocks.len()).filter(|_| windows > 0) {
            let rows = rows_of(at)?;
            let fit = |(trial, difference): (&mut Vec<Block>, &Difference)| -> Result<()> {
                trial.push(fit(&rows, at, *difference, windows * reach)?);
                Ok(())
            };
            trials.par_iter_mut().zip(candidates).try_for_each(fit)?;
            // The same rows are used again, if there is room for them.
            cells += rows.target.len() * rows.matrix.columns.len();
            kept.push(Some(rows).filter(|_| cells <= MAX_CELLS));
        }
        let mut best: Option<(f64, Difference, Vec<HoldOut>, Option<Block>)> = None;
        for (trial, difference) in trials.into_iter().zip(candidates).filter(|_| windows > 0) {
            (fitted.difference, fitted.blocks) = (*difference, trial);
            let hold_out = fitted.hold_out(&histories, &order, windows, reach)?;
            let loss = hold_out.iter().flat_map(|one| &one.errors).filter(|e| e.is_finite()).map(|e| e.abs()).sum();
            if best.as_ref().is_none_or(|(min, ..)| loss < *min) {
                best = Some((loss, *difference, hold_out, fitted.blocks.first().cloned()));
            }
        }
        let (_, difference, mut hold_out, trial) = best.unwrap_or((0.0, candidates[0], Vec::new(), None));
        fitted.difference = difference;
        kept.resize_with(blocks.len(), || None);
        let refitted = kept.into_par_iter().enumerate().map(|(at, rows)| match rows {
            Some(rows) => fit(&rows, at, difference, 0),
            None => fit(&rows_of(at)?, at, difference, 0),
        });
        fitted.blocks = refitted.collect::<Result<_>>()?;
        fitted.estimate_errors(&histories, &order, trial.as_ref(), windows * reach);
        for one in &mut hold_out {
            let rmse = fitted.rmse[one.series];
            one.errors.iter_mut().for_each(|e| *e /= rmse);
            one.covariates.push(vec![rmse; one.errors.len()]);
        }
        fitted.errors = ErrorDistribution::of(&hold_out);
        progress::check()?;
        drop(bar);
        Ok(fitted)
    }
}

impl FittedGlobal {
    /// Out-of-sample forecasts of the hold-out windows by models trained on the steps before them: their errors, scaled, for
    /// the series in the given order.
    fn hold_out(
        &self,
        histories: &[Option<AlignedSeries>],
        order: &[usize],
        windows: usize,
        reach: usize,
    ) -> Result<Vec<HoldOut>> {
        let of_series = |i: &usize| -> Result<Vec<HoldOut>> {
            let i = *i;
            let Some(series) = &histories[i] else { return Ok(Vec::new()) };
            progress::check()?;
            let first = series.y.len().saturating_sub(windows * reach);
            let origins = (0..windows).map(|w| (w, first + w * reach)).filter(|_| first > 0);
            let forecasts = origins.map(|(window, origin)| {
                let mut series = series.until(origin + reach);
                let actual: Vec<f64> = series.y.split_off(origin);
                series.y.resize(origin + reach, f64::NAN);
                let predicted = self.predict(&mut series, origin);
                let covariates = self.error_covariates(&series, origin, &predicted);
                let errors = actual.iter().zip(&predicted).map(|(y, predicted)| y - predicted).collect();
                HoldOut { series: i, window, errors, covariates }
            });
            Ok(forecasts.collect())
        };
        let hold_out: Vec<Vec<HoldOut>> = order.par_iter().map(of_series).collect::<Result<_>>()?;
        Ok(hold_out.into_iter().flatten().collect())
    }
}
