//! How global models are trained: each block of horizons without the hold-out windows, to choose the difference and to
//! calibrate intervals, and then on all rows.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::error_distribution::{ErrorDistribution, HoldOut};
use super::extractor::FeatureExtractor;
use super::fitted::{Block, FittedGlobal};
use super::rows::{Targets, TrainingRows};
use super::{AlignedSeries, Difference, FeatureSet, GlobalOptions, Prepared, Regressor};
use crate::error::Result;
use crate::fitting::{Aim, Fitted, Forecaster, HeldOut, default_horizon, normalisation};
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
        match self.train(train, extractor.clone(), aim) {
            // Without training rows every series fails.
            Err(error) if error.is_model() => Ok(Box::new(FittedGlobal::failed(train, extractor, &error))),
            fitted => Ok(Box::new(fitted?)),
        }
    }
}

impl<M: Regressor> GlobalForecaster<M> {
    fn train(&self, train: &Panel, extractor: FeatureExtractor, aim: Aim) -> Result<FittedGlobal> {
        let options = self.0.common();
        let histories = extractor.histories(train)?;
        let order = order::by_content(train)?;
        let longest = histories.iter().flatten().map(|series| series.y.len()).max().unwrap_or(0);
        let blocks = options.blocks(aim.steps, extractor.schema.season);
        let reach = blocks.last().map_or(1, |block| block.end);
        let asked = aim.windows.filter(|windows| windows.steps == reach && options.windows > 0);
        let most = asked.map_or(options.windows, |windows| windows.count);
        let room = |windows: &usize| 3 * windows * reach <= longest || asked.is_some();
        let windows = (1..=most).rev().find(room).unwrap_or(0);
        let candidates = match options.difference {
            Difference::Auto => &[Difference::None, Difference::Recent][..],
            ref given => std::slice::from_ref(given),
        };
        let validated = if windows > 0 { candidates.len() } else { 0 };
        let validated = validated + usize::from(windows > 0 && candidates.len() > 1 && self.0.has_sketches());
        let bar = progress::bar((1 + validated) * blocks.len(), "training");
        let features: Vec<FeatureSet> =
            blocks.iter().map(|steps| FeatureSet::new(&extractor.schema, steps.end)).collect();
        let rows_of = |at: usize| -> Result<Rows> {
            progress::check()?;
            let rows = TrainingRows::of(&histories, &order, &features[at], options.max_rows, blocks[at].end)?;
            let cells = rows.matrix.columns.iter().map(Vec::len).sum();
            Ok(Rows { prepared: self.0.prepare(rows.matrix), targets: rows.targets, cells })
        };
        let held_out = windows * reach;
        // Two differences are compared by sketches of the trees, where there are any.
        let effort = if candidates.len() > 1 && self.0.has_sketches() { Effort::Less } else { Effort::Full };
        // The same rows are used for all fits of a block, if there is room for them.
        let (mut kept, mut cells) = (Vec::new(), 0);
        for at in (0..blocks.len()).filter(|_| windows > 0) {
            let rows = if cells <= MAX_CELLS { Some(Arc::new(rows_of(at)?)) } else { None };
            cells += rows.as_ref().map_or(0, |rows| rows.cells);
            kept.push(rows);
        }
        let fit = |at: usize, difference: Difference, from_end: usize, effort: Effort| -> Result<Block> {
            progress::check()?;
            let rows = match kept.get(at) {
                Some(Some(rows)) => Arc::clone(rows),
                _ => Arc::new(rows_of(at)?),
            };
            let target = rows.targets.before(from_end, difference);
            let sketch = if effort == Effort::Less { rows.prepared.sketch(&target)? } else { None };
            let regressor = sketch.map_or_else(|| rows.prepared.fit(&target), Ok)?;
            progress::check()?;
            bar.inc(1);
            let (steps, features) = (blocks[at].clone(), features[at].clone());
            Ok(Block { steps, features, regressor: regressor.into() })
        };
        let each_block = |difference: Difference, from_end: usize, effort: Effort| -> Result<Vec<Block>> {
            (0..blocks.len()).into_par_iter().map(|at| fit(at, difference, from_end, effort)).collect()
        };
        let mut fitted = FittedGlobal::new(train, extractor, candidates[0], reach);
        let mut best: Option<(f64, Difference, Vec<HoldOut>, Option<Block>)> = None;
        for difference in candidates.iter().copied().filter(|_| windows > 0) {
            (fitted.difference, fitted.blocks) = (difference, each_block(difference, held_out, effort)?);
            let hold_out = fitted.hold_out(&histories, &order, windows, reach)?;
            let loss = hold_out.iter().flat_map(|one| &one.errors).filter(|e| e.is_finite()).map(|e| e.abs()).sum();
            if best.as_ref().is_none_or(|(least, ..)| loss < *least) {
                best = Some((loss, difference, hold_out, fitted.blocks.first().cloned()));
            }
        }
        let (_, difference, mut hold_out, mut trial) = best.unwrap_or((0.0, candidates[0], Vec::new(), None));
        if windows > 0 && effort == Effort::Less {
            (fitted.difference, fitted.blocks) = (difference, each_block(difference, held_out, Effort::Full)?);
            hold_out = fitted.hold_out(&histories, &order, windows, reach)?;
            trial = fitted.blocks.first().cloned();
        }
        (fitted.difference, fitted.blocks) = (difference, each_block(difference, 0, Effort::Full)?);
        fitted.estimate_errors(&histories, &order, trial.as_ref(), held_out);
        for one in &mut hold_out {
            let rmse = fitted.rmse[one.series];
            one.errors.iter_mut().for_each(|e| *e /= rmse);
            one.covariates.push(vec![rmse; one.errors.len()]);
        }
        fitted.errors = ErrorDistribution::of(&hold_out);
        if asked.is_some() {
            fitted.held_out = hold_out.into_iter().filter_map(|one| fitted.forecast_of(one)).collect();
        }
        progress::check()?;
        drop(bar);
        Ok(fitted)
    }
}

/// How much effort a fit is worth.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effort {
    /// Enough for a comparison.
    Less,
    /// All that the options ask for.
    Full,
}

/// The training rows of a block, made ready for its fits.
struct Rows<'a> {
    prepared: Box<dyn Prepared + 'a>,
    targets: Targets,
    cells: usize,
}

/// The first step of each hold-out window of a series of `n` steps, with its number.
fn origins(n: usize, windows: usize, reach: usize) -> impl Iterator<Item = (usize, usize)> {
    let first = n.saturating_sub(windows * reach);
    (0..windows).map(move |w| (w, first + w * reach)).filter(move |_| first > 0)
}

/// A series to the end of a hold-out window, without the values in it, and these values.
fn window_of(series: &AlignedSeries, origin: usize, reach: usize) -> (AlignedSeries, Vec<f64>) {
    let mut series = series.until(origin + reach);
    let actual = series.y.split_off(origin);
    series.y.resize(origin + reach, f64::NAN);
    (series, actual)
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
            let forecasts = origins(series.y.len(), windows, reach).map(|(window, start)| {
                let (mut series, actual) = window_of(series, start, reach);
                let predicted = self.predict(&mut series, start);
                let covariates = self.error_covariates(&series, start, &predicted);
                let errors = actual.iter().zip(&predicted).map(|(y, predicted)| y - predicted).collect();
                let closed = (start..series.y.len()).map(|t| self.extractor.is_closed(&series, t)).collect();
                HoldOut { series: i, window, errors, covariates, start, predicted, closed }
            });
            Ok(forecasts.collect())
        };
        let hold_out: Vec<Vec<HoldOut>> = order.par_iter().map(of_series).collect::<Result<_>>()?;
        Ok(hold_out.into_iter().flatten().collect())
    }

    /// The forecast of a hold-out window.
    fn forecast_of(&self, mut one: HoldOut) -> Option<HeldOut> {
        one.covariates.pop();
        let forecast = self.distribution(one.series, &one.predicted, &one.closed, one.covariates, 0).ok()?;
        let start = self.panel.positions(one.series).first()? + one.start as i64;
        Some(HeldOut { series: one.series, start, forecast })
    }
}
