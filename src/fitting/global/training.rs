//! How global models are trained: each block of horizons without the hold-out windows, to choose the difference and to
//! calibrate intervals, and then on all rows.

use std::ops::Range;

use rayon::prelude::*;

use super::error_distribution::{ErrorDistribution, HoldOut};
use super::extractor::FeatureExtractor;
use super::fitted::{Block, FittedGlobal};
use super::rows::{Targets, TrainingRows};
use super::{AlignedSeries, Difference, FeatureSet, FittedRegressor, GlobalOptions, Prepared, Regressor};
use crate::error::{Error, Result};
use crate::fitting::{Aim, Fitted, Forecaster, HeldOut, Windows, default_horizon, normalisation};
use crate::job::Bar;
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

    /// The hold-out windows: those of the aim, else as many as there is room for.
    fn hold_out(&self, train: &Panel, aim: Aim) -> Windows {
        let blocks = self.blocks(aim.steps, train.season());
        let steps = blocks.last().map_or(1, |block| block.end);
        if let Some(asked) = aim.windows.filter(|windows| windows.steps == steps && self.windows > 0) {
            return asked;
        }
        let longest = (0..train.len()).map(|i| train.regular(i).len()).max().unwrap_or(0);
        let count = (1..=self.windows).rev().find(|count| 3 * count * steps <= longest).unwrap_or(0);
        Windows { count, steps }
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
        let fitted = self.fit_if(train, aim, &|_| true)?;
        fitted.ok_or_else(|| Error::model("it was not fitted"))
    }

    fn fit_if(&self, train: &Panel, aim: Aim, pays: &dyn Fn(&[HeldOut]) -> bool) -> Result<Option<Box<dyn Fitted>>> {
        let options = self.0.common();
        let normalisation = normalisation(train, options.box_cox)?;
        let extractor = FeatureExtractor::of(train, normalisation, &options)?;
        let windows = options.hold_out(train, aim);
        let held_out = windows.count * windows.steps;
        let before = extractor.clone().before(train, normalisation, &options, held_out)?;
        match self.train(train, [before, extractor.clone()], aim, windows, pays) {
            // Without training rows every series fails.
            Err(error) if error.is_model() => Ok(Some(Box::new(FittedGlobal::failed(train, extractor, &error)))),
            fitted => Ok(fitted?.map(|fitted| Box::new(fitted) as Box<dyn Fitted>)),
        }
    }
}

impl<M: Regressor> GlobalForecaster<M> {
    fn train(
        &self,
        train: &Panel,
        [before, extractor]: [FeatureExtractor; 2],
        aim: Aim,
        windows: Windows,
        pays: &dyn Fn(&[HeldOut]) -> bool,
    ) -> Result<Option<FittedGlobal>> {
        let options = self.0.common();
        let blocks = options.blocks(aim.steps, extractor.schema.season);
        let candidates = match options.difference {
            Difference::Auto => &[Difference::None, Difference::Recent][..],
            ref given => std::slice::from_ref(given),
        };
        let sketched = candidates.len() > 1 && self.0.has_sketches();
        let tried = if windows.count > 0 { candidates.len() + usize::from(sketched) } else { 0 };
        let training = Training {
            regressor: &self.0,
            panel: train,
            order: order::by_content(train)?,
            features: blocks.iter().map(|steps| FeatureSet::new(&extractor.schema, steps.end)).collect(),
            windows,
            bar: progress::bar((1 + tried) * blocks.len(), "training"),
            blocks,
        };
        let trial = match windows.count {
            0 => None,
            _ => Some(training.trial(before, candidates, sketched)?),
        };
        // A fit to all steps costs more than the trial.
        if aim.windows == Some(windows) && trial.as_ref().is_some_and(|trial| !pays(&trial.means())) {
            return Ok(None);
        }
        let histories = extractor.histories(train)?;
        let difference = trial.as_ref().map_or(candidates[0], |trial| trial.fitted.difference);
        let mut fitted = FittedGlobal::new(train, extractor, difference, windows.steps);
        let each = training
            .each_block(|at| training.fits(&training.rows(&histories, at)?, at, &[difference], Effort::Full))?;
        fitted.blocks = each.into_iter().flatten().collect();
        let (mut hold_out, unseen) = match trial {
            None => (Vec::new(), None),
            Some(Trial { fitted: by, mut hold_out, mut unseen }) => {
                hold_out.iter_mut().try_for_each(|one| fitted.take_over(one, &by, &histories))?;
                for (i, errors) in unseen.iter_mut().enumerate().filter(|(_, errors)| !errors.is_empty()) {
                    let size = by.extractor.scale(i)?.size / fitted.extractor.scale(i)?.size;
                    errors.iter_mut().for_each(|e| *e *= size);
                }
                (hold_out, Some(unseen))
            }
        };
        fitted.estimate_errors(&histories, &training.order, unseen, windows.count * windows.steps);
        for one in &mut hold_out {
            let rmse = fitted.rmse[one.series];
            one.errors.iter_mut().for_each(|e| *e /= rmse);
            one.covariates.push(vec![rmse; one.errors.len()]);
        }
        fitted.errors = ErrorDistribution::of(&hold_out);
        if aim.windows == Some(windows) {
            fitted.held_out = hold_out.into_iter().filter_map(|one| fitted.forecast_of(one)).collect();
        }
        progress::check()?;
        Ok(Some(fitted))
    }
}

/// What a regression method is trained on.
struct Training<'a, R> {
    regressor: &'a R,
    panel: &'a Panel,
    /// The series in an order by content.
    order: Vec<usize>,
    blocks: Vec<Range<usize>>,
    /// By block.
    features: Vec<FeatureSet>,
    windows: Windows,
    bar: Bar,
}

/// A fit to the steps before the hold-out windows.
struct Trial {
    fitted: FittedGlobal,
    /// What it forecasts for the windows.
    hold_out: Vec<HoldOut>,
    /// Its one-step errors in them, by series.
    unseen: Vec<Vec<f64>>,
}

impl Trial {
    /// The means that it forecasts for the windows.
    fn means(&self) -> Vec<HeldOut> {
        let of = |one: &HoldOut| {
            let forecast = self.fitted.normal(one.series, &one.predicted, &one.closed, 0.0).ok()?;
            Some(HeldOut { series: one.series, start: self.fitted.position(one), forecast })
        };
        self.hold_out.iter().filter_map(of).collect()
    }
}

impl<R: Regressor> Training<'_, R> {
    /// The rows of a block, made ready for its fits.
    fn rows(&self, histories: &[Option<AlignedSeries>], at: usize) -> Result<Rows<'_>> {
        progress::check()?;
        let max = self.regressor.common().max_rows;
        let rows = TrainingRows::of(histories, &self.order, &self.features[at], max, self.blocks[at].end)?;
        let cells = rows.matrix.columns.iter().map(Vec::len).sum();
        Ok(Rows { prepared: self.regressor.prepare(rows.matrix), targets: rows.targets, cells })
    }

    /// The fits of a block with some differences.
    fn fits(&self, rows: &Rows, at: usize, differences: &[Difference], effort: Effort) -> Result<Vec<Block>> {
        progress::check()?;
        let targets: Vec<Vec<f64>> = differences.iter().map(|difference| rows.targets.less(*difference)).collect();
        let fits = match effort {
            Effort::Less => rows.prepared.sketches(&targets)?,
            Effort::Full => rows.prepared.fits(&targets)?,
        };
        progress::check()?;
        self.bar.inc(differences.len());
        let block = |regressor: Box<dyn FittedRegressor>| {
            let (steps, features) = (self.blocks[at].clone(), self.features[at].clone());
            Block { steps, features, regressor: regressor.into() }
        };
        Ok(fits.into_iter().map(block).collect())
    }

    /// Does `work` for every block, in parallel.
    fn each_block(&self, work: impl Fn(usize) -> Result<Vec<Block>> + Send + Sync) -> Result<Vec<Vec<Block>>> {
        (0..self.blocks.len()).into_par_iter().map(work).collect()
    }

    /// The best of some differences on the hold-out windows, fitted to the steps before them: two are compared by sketches,
    /// if there are any.
    fn trial(&self, before: FeatureExtractor, candidates: &[Difference], sketched: bool) -> Result<Trial> {
        let Windows { count, steps: reach } = self.windows;
        let held_out = count * reach;
        let histories = before.histories(self.panel)?;
        let known = |series: &AlignedSeries| series.until(series.y.len().saturating_sub(held_out));
        let known: Vec<Option<AlignedSeries>> = histories.par_iter().map(|series| series.as_ref().map(known)).collect();
        // The same rows are used for all fits of a block, if there is room for them.
        let (mut kept, mut cells) = (Vec::new(), 0);
        for at in 0..self.blocks.len() {
            let rows = if cells <= MAX_CELLS { Some(self.rows(&known, at)?) } else { None };
            cells += rows.as_ref().map_or(0, |rows| rows.cells);
            kept.push(rows);
        }
        let fits = |differences: &[Difference], effort: Effort| {
            self.each_block(|at| match &kept[at] {
                Some(rows) => self.fits(rows, at, differences, effort),
                None => self.fits(&self.rows(&known, at)?, at, differences, effort),
            })
        };
        let mut fitted = FittedGlobal::new(self.panel, before, candidates[0], reach);
        let mut best: Option<(f64, Difference, Vec<Block>, Vec<HoldOut>)> = None;
        let mut each: Vec<_> = fits(candidates, if sketched { Effort::Less } else { Effort::Full })?
            .into_iter()
            .map(Vec::into_iter)
            .collect();
        for difference in candidates.iter().copied() {
            (fitted.difference, fitted.blocks) = (difference, each.iter_mut().filter_map(Iterator::next).collect());
            let hold_out = fitted.hold_out(&histories, &self.order, count, reach)?;
            let errors = hold_out.iter().flat_map(|one| &one.errors).filter(|e| e.is_finite());
            let loss = errors.map(|e| e.abs()).sum();
            if best.as_ref().is_none_or(|(least, ..)| loss < *least) {
                best = Some((loss, difference, fitted.blocks.clone(), hold_out));
            }
        }
        let (_, difference, blocks, mut hold_out) = best.unwrap_or((0.0, candidates[0], Vec::new(), Vec::new()));
        (fitted.difference, fitted.blocks) = (difference, blocks);
        if sketched {
            fitted.blocks = fits(&[difference], Effort::Full)?.into_iter().flatten().collect();
            hold_out = fitted.hold_out(&histories, &self.order, count, reach)?;
        }
        let unseen = fitted.unseen_errors(&histories, held_out);
        Ok(Trial { fitted, hold_out, unseen })
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

    /// Brings the forecast of a hold-out window by another fit to the scale of this one.
    fn take_over(&self, one: &mut HoldOut, by: &Self, histories: &[Option<AlignedSeries>]) -> Result<()> {
        let (then, now) = (by.extractor.scale(one.series)?, self.extractor.scale(one.series)?);
        one.errors.iter_mut().for_each(|e| *e *= then.size / now.size);
        one.predicted.iter_mut().for_each(|value| *value = (then.unscaled(*value) - now.centre) / now.size);
        if let Some(series) = &histories[one.series] {
            let (series, _) = window_of(series, one.start, one.predicted.len());
            one.covariates = self.error_covariates(&series, one.start, &one.predicted);
        }
        Ok(())
    }

    /// The forecast of a hold-out window.
    fn forecast_of(&self, mut one: HoldOut) -> Option<HeldOut> {
        one.covariates.pop();
        let (series, start) = (one.series, self.position(&one));
        let forecast = self.distribution(one.series, &one.predicted, &one.closed, one.covariates, 0).ok()?;
        Some(HeldOut { series, start, forecast })
    }

    /// The calendar position of the first step of a hold-out window.
    fn position(&self, one: &HoldOut) -> i64 {
        self.panel.positions(one.series).first().map_or(0, |first| first + one.start as i64)
    }
}
