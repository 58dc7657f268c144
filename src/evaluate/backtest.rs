//! Every model on every fold: forecasts, actual values and scores.

use std::path::Path;
use std::sync::Arc;

use polars::prelude::*;
use rayon::prelude::*;

use super::groups::Groups;
use super::score::Truth;
use crate::error::{Error, Result};
use crate::forecast::{Forecast, LEVELS, quantile_name, quantiles_of};
use crate::metrics::{self, Case, METRICS, Metric, Ratios, Sums, scales};
use crate::models::{
    Aim, Failure, IntoModel, Model, failures_sentence, failures_table, names, place, remarks_sentence,
};
use crate::options::level;
use crate::panel::{Cut, Folds, Panel};
use crate::progress;
use crate::show::{Block, Show, Table, number};

/// Every model on every fold.
///
/// ```
/// use tradewind::prelude::*;
/// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
/// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
/// let trial = sales.backtest(["naive", "seasonal_naive", "theta"], Folds::new(3, 8))?;
/// let board = trial.leaderboard("mase")?;
/// assert_eq!(board.get(0, "model")?.to_string(), trial.best("mase")?);
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone)]
pub struct Backtest(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) panel: Panel,
    pub(super) folds: Folds,
    pub(super) models: Vec<String>,
    pub(super) probabilities: Vec<f64>,
    pub(super) windows: Vec<Window>,
    failures: Vec<(usize, Failure)>,
    seconds: Vec<f64>,
}

/// A forecast, and the seconds that each of its models took.
pub(crate) type Timed = (Forecast, Vec<f64>);

/// One fold: its forecast, and per model and series the score of each metric.
pub(super) struct Window {
    pub(super) forecast: Forecast,
    /// The first test position of each series.
    pub(super) starts: Vec<i64>,
    /// The actuals of each series in the window; empty when it has none.
    pub(super) actuals: Vec<Vec<f64>>,
    /// The mean absolute and the mean squared in-sample error of the seasonal naive method on each series.
    pub(super) scale: Vec<(f64, f64)>,
    /// Model after model, series after series: numerator and denominator of each metric.
    pub(super) scores: Vec<Option<Ratios>>,
}

impl Panel {
    /// Fits every model to the training set of every fold and scores its forecasts on the test window after it. If the
    /// panel was cleaned, each training set is cleaned by itself, and forecasts are scored against the recorded values
    /// (see [`Panel::clean`]).
    ///
    /// # Errors
    /// When a label names no model, the folds do not fit into the history, the panel holds duplicate timestamps or
    /// timestamps off its calendar, or the user interrupts.
    pub fn backtest<M: IntoModel>(&self, models: impl IntoIterator<Item = M>, folds: Folds) -> Result<Backtest> {
        self.backtest_at(models, folds, LEVELS)
    }

    /// As [`backtest`](Self::backtest), with interval levels chosen; metrics of other levels stay empty.
    ///
    /// # Errors
    /// As [`backtest`](Self::backtest), and when a level is not between 0 and 1.
    pub fn backtest_at<M: IntoModel>(
        &self,
        models: impl IntoIterator<Item = M>,
        folds: Folds,
        levels: impl IntoIterator<Item = f64>,
    ) -> Result<Backtest> {
        let models: Vec<Model> = models.into_iter().map(IntoModel::into_model).collect::<Result<_>>()?;
        let models = crate::models::distinct(models)?;
        let levels: Vec<f64> = levels.into_iter().map(level).collect::<Result<_>>()?;
        self.check_calendar()?;
        let probabilities = quantiles_of(&levels);
        let cuts = folds.cuts(self)?;
        let mut windows = Vec::with_capacity(folds.len());
        let mut failures = Vec::new();
        let mut seconds = vec![0.0; models.len()];
        let bar = progress::stages(0, folds.len(), "fold");
        for (fold, cut) in cuts.enumerate() {
            let window = Window::of(self, &cut?, &models, &probabilities, &mut seconds)?;
            failures.extend(window.forecast.failures().into_iter().map(|failure| (fold + 1, failure)));
            windows.push(window);
            bar.inc(1);
        }
        drop(bar);
        let models = models.iter().map(|model| model.label().to_string()).collect();
        let panel = self.clone();
        Ok(Backtest(Arc::new(Inner { panel, folds, models, probabilities, windows, failures, seconds })))
    }
}

impl Window {
    fn of(panel: &Panel, cut: &Cut, models: &[Model], probabilities: &[f64], seconds: &mut [f64]) -> Result<Self> {
        let actuals: Vec<Vec<f64>> = (0..panel.len())
            .map(|i| panel.happened(i, cut.starts[i], cut.future.horizon()).unwrap_or_default())
            .collect();
        let aim = Aim::new(cut.future.reach(), cut.future.scenario());
        let fits = cut.train.fit_checked(models, aim)?;
        // A sum is made of all its parts, whether something is known of them in the window or not.
        let sums = panel.counted()?.contains(&false);
        let forecast = Forecast::of(&fits, &cut.future, |i| sums || !actuals[i].is_empty())?;
        for (m, total) in seconds.iter_mut().enumerate() {
            *total += fits.seconds(m);
        }
        let scale: Vec<(f64, f64)> = (0..panel.len()).map(|i| scales(&cut.train.regular(i), panel.season())).collect();
        Ok(Self { forecast, starts: cut.starts.clone(), actuals, scale, scores: Vec::new() }.scored(probabilities))
    }

    /// The window, with the scores of its forecast.
    fn scored(mut self, probabilities: &[f64]) -> Self {
        let (models, series) = (self.forecast.models().len(), self.actuals.len());
        let score = |place: usize| {
            let (m, i) = (place / series, place % series);
            if self.actuals[i].is_empty() {
                return None;
            }
            let truth = Truth { actual: &self.actuals[i], scale: self.scale[i] };
            self.forecast.cell(m, i).map(|cell| truth.score(cell, probabilities))
        };
        self.scores = (0..models * series).map(score).collect();
        self
    }
}

/// The sums that a metric is the ratio of, over the series of one fold, none where no series counts; and the first
/// failure if there is one.
///
/// # Errors
/// When the panel as a whole cannot be forecast, or the user interrupts.
pub(super) fn sums(
    panel: &Panel,
    cut: &Cut,
    model: &Model,
    metric: &Metric,
) -> Result<(Option<Sums>, Option<Failure>)> {
    let window = Window::of(panel, cut, std::slice::from_ref(model), &quantiles_of(&LEVELS), &mut [0.0])?;
    let index = metric.index();
    let ratios = || window.scores.iter().flatten().map(|ratios| ratios[index]);
    let sums = ratios().any(|ratio| metric.counts(ratio)).then(|| Sums::of(metric, ratios()));
    Ok((sums, window.forecast.failures().into_iter().next()))
}

impl Backtest {
    /// The labels of the models.
    pub fn models(&self) -> Vec<String> {
        self.0.models.clone()
    }

    /// What readers are told of a model instead of its label, see [`names`]: `Automatic` for `auto`.
    ///
    /// # Errors
    /// When there is no such model.
    pub fn name(&self, model: &str) -> Result<String> {
        let (m, _) = place(model, &self.0.models)?;
        Ok(self.names().swap_remove(m))
    }

    /// The name of each model, in their order.
    pub(crate) fn names(&self) -> Vec<String> {
        names(&self.0.models)
    }

    /// The folds that were run.
    pub fn folds(&self) -> Folds {
        self.0.folds.clone()
    }

    /// The series that a model could not forecast in some fold, and why.
    pub fn failures(&self) -> Vec<Failure> {
        self.0.failures.iter().map(|(_, failure)| failure.clone()).collect()
    }

    /// The failures as a table: fold, model, series, reason.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn failures_table(&self) -> Result<Table> {
        let table = failures_table(&self.failures())?;
        let mut frame = table.frame().clone();
        let folds: Vec<u64> = self.0.failures.iter().map(|(fold, _)| *fold as u64).collect();
        frame.insert_column(0, Column::new("fold".into(), folds))?;
        Ok(Table::new(frame))
    }

    /// One row per model, best first by `metric`, or by `mae` where no model has a score by it (see
    /// [`caveat`](Self::caveat)): every metric's mean over series and folds, the number of scored windows, the
    /// failures, and the CPU seconds of fitting, of all threads. Who failed on some windows stands below who served all.
    ///
    /// # Errors
    /// When there is no such metric.
    pub fn leaderboard(&self, metric: &str) -> Result<Table> {
        let by = self.deciding(metric)?;
        let order = self.ranked(by);
        let inner = &*self.0;
        let counts = |count: &dyn Fn(usize) -> usize| -> Vec<u64> { order.iter().map(|m| count(*m) as u64).collect() };
        let mut columns =
            vec![Column::new("model".into(), order.iter().map(|m| inner.models[*m].as_str()).collect::<Vec<_>>())];
        // The metric that decides comes first.
        let shown = std::iter::once(by).chain(METRICS.iter().filter(|metric| metric.name != by.name));
        for metric in shown {
            let values: Vec<Option<f64>> = order.iter().map(|m| self.mean(metric, *m)).collect();
            columns.push(Column::new(metric.name.into(), values));
        }
        let scored = |m: usize| self.cases(m).count();
        let failed = |m: usize| inner.failures.iter().filter(|(_, f)| f.model == inner.models[m]).count();
        columns.push(Column::new("windows".into(), counts(&scored)));
        columns.push(Column::new("failures".into(), counts(&failed)));
        columns.push(Column::new("cpu_seconds".into(), order.iter().map(|m| inner.seconds[*m]).collect::<Vec<_>>()));
        Ok(Table::new(DataFrame::new(order.len(), columns)?).highlight(0))
    }

    /// Caveats on comparing the models: models that failed on some series are scored on fewer windows; series without a
    /// scale have no MASE; where a metric is undefined for every model, models are ranked by `mae` instead; candidates
    /// of `auto` and other ensembles that failed.
    pub fn caveat(&self) -> Option<String> {
        self.caveat_on(&self.0.models)
    }

    /// The same, with these names of the models.
    pub(crate) fn caveat_on(&self, names: &[String]) -> Option<String> {
        let windows = (0..self.0.models.len()).map(|m| self.cases(m).count());
        let (least, most) = windows.fold((usize::MAX, 0), |(least, most), n| (least.min(n), most.max(n)));
        let uneven = (least < most).then(|| {
            format!(
                "The models were scored on {} to {} windows, because some failed on series that others could forecast: \
                 their means are not over the same windows, and who failed on some stands below who served all.",
                number(least as f64),
                number(most as f64)
            )
        });
        let named = |remark: Failure| match place(&remark.model, &self.0.models) {
            Ok((m, _)) => Failure { model: names[m].clone(), ..remark },
            Err(_) => remark,
        };
        let remarks = self.0.windows.iter().flat_map(|window| window.forecast.remarks());
        let remarks: Vec<Failure> = remarks.map(named).collect();
        let caveats = [uneven, self.without_scale(), self.without_sales(), remarks_sentence(&remarks)];
        let caveats: Vec<String> = caveats.into_iter().flatten().collect();
        (!caveats.is_empty()).then(|| caveats.join(" "))
    }

    /// Windows that the scaled metrics leave out.
    fn without_scale(&self) -> Option<String> {
        let inner = &*self.0;
        let served =
            |f: usize, i: usize| (0..inner.models.len()).any(|m| inner.windows[f].forecast.cell(m, i).is_some());
        let scored = |(f, window): (usize, &Window)| -> Vec<bool> {
            let there = (0..inner.panel.len()).filter(|i| !window.actuals[*i].is_empty() && served(f, *i));
            there.map(|i| window.scale[i].0 > 0.0).collect()
        };
        let scaled: Vec<bool> = inner.windows.iter().enumerate().flat_map(scored).collect();
        let left_out = scaled.iter().filter(|scaled| !**scaled).count();
        let (which, ranked) = match scaled.len() {
            _ if left_out == 0 => return None,
            n if left_out == n => ("every window".to_string(), "; models are ranked by MAE instead"),
            n => (format!("{} of {} windows", number(left_out as f64), number(n as f64)), ""),
        };
        Some(format!(
            "MASE, RMSSE and the scaled interval scores leave out {which}: the history before it is too short, constant or \
             exactly seasonal, so the seasonal naive method has no error to scale by{ranked}."
        ))
    }

    /// Was nothing sold in any window?
    fn without_sales(&self) -> Option<String> {
        let actuals =
            || self.0.windows.iter().flat_map(|window| window.actuals.iter().flatten()).filter(|y| !y.is_nan());
        (actuals().next().is_some() && actuals().all(|y| *y == 0.0)).then(|| {
            "Nothing was sold in any window: WAPE, bias and MAPE are undefined, and models are ranked by MAE instead."
                .into()
        })
    }

    /// The metric that ranks where `metric` is asked for: that one, or `mae` where an error has no denominator for any
    /// model. It does not replace interval scores without intervals.
    ///
    /// # Errors
    /// When there is no such metric.
    pub(crate) fn deciding(&self, metric: &str) -> Result<&'static Metric> {
        let by = METRICS.named(metric)?;
        let is_defined = |by: &Metric| (0..self.0.models.len()).any(|m| self.mean(by, m).is_some());
        let covered = |level: &str| METRICS.named(&format!("coverage{level}")).is_ok_and(is_defined);
        let is_error = by.best == 0.0 && by.name.strip_prefix("sis").is_none_or(covered);
        Ok(if is_error && !is_defined(by) { METRICS.named("mae")? } else { by })
    }

    /// The label of the model that is best by `metric`, or by `mae` where no model has a score by it.
    ///
    /// # Errors
    /// When there is no such metric, or no model could be scored.
    pub(crate) fn best_by(&self, metric: &str) -> Result<String> {
        self.extreme(metric, 0)
    }

    /// The label of the model that is worst by `metric`.
    ///
    /// # Errors
    /// When there is no such metric, or no model could be scored.
    pub fn worst(&self, metric: &str) -> Result<String> {
        self.extreme(metric, usize::MAX)
    }

    fn extreme(&self, metric: &str, place: usize) -> Result<String> {
        let by = self.deciding(metric)?;
        let scored: Vec<usize> = self.ranked(by).into_iter().filter(|m| self.mean(by, *m).is_some()).collect();
        match scored.get(place.min(scored.len().saturating_sub(1))) {
            Some(m) => Ok(self.0.models[*m].clone()),
            None => Err(Error::model(format!(
                "no model could be scored by {}; {}",
                by.name,
                failures_sentence(&self.failures())
            ))),
        }
    }

    /// The mean of `metric` for every model within each value of a dimension: `fold`, `step`, a key column, `class`
    /// (the demand class: smooth, erratic, intermittent, lumpy) or `size` (thirds of the series by their mean). Class
    /// and size are those of the history before the first test window.
    ///
    /// # Errors
    /// When there is no such metric or dimension.
    pub fn by(&self, dimension: &str, metric: &str) -> Result<Table> {
        let by = METRICS.named(metric)?;
        let inner = &*self.0;
        if dimension == "step" {
            return self.by_step(by);
        }
        let Groups { names, of_series } = self.groups(dimension)?;
        let index = by.index();
        let mut columns = vec![Column::new(dimension.into(), &names)];
        for m in 0..inner.models.len() {
            let mut groups = vec![Vec::new(); names.len()];
            for (fold, series, ratios) in self.cases(m) {
                groups[of_series.as_ref().map_or(fold, |of_series| of_series[series])].push(ratios[index]);
            }
            let values: Vec<Option<f64>> = groups.into_iter().map(|g| metrics::mean(by, g.into_iter())).collect();
            columns.push(Column::new(inner.models[m].as_str().into(), values));
        }
        Ok(Table::new(DataFrame::new(names.len(), columns)?))
    }

    fn by_step(&self, by: &Metric) -> Result<Table> {
        let inner = &*self.0;
        let h = inner.folds.horizon();
        let mut columns = vec![Column::new("step".into(), (1..=h as u64).collect::<Vec<_>>())];
        let values: Vec<Vec<Option<f64>>> = (0..inner.models.len())
            .into_par_iter()
            .map(|m| {
                let cases: Vec<Vec<(f64, f64)>> = self.cases(m).map(|(f, i, _)| self.steps(by, m, f, i)).collect();
                (0..h).map(|step| metrics::mean(by, cases.iter().map(|steps| steps[step]))).collect()
            })
            .collect();
        columns.extend(inner.models.iter().zip(values).map(|(label, v)| Column::new(label.as_str().into(), v)));
        Ok(Table::new(DataFrame::new(h, columns)?))
    }

    /// Numerator and denominator of a metric at each step of a scored window.
    pub(super) fn steps(&self, by: &Metric, model: usize, fold: usize, series: usize) -> Vec<(f64, f64)> {
        let (inner, window) = (&*self.0, &self.0.windows[fold]);
        let Some(cell) = window.forecast.cell(model, series) else { return Vec::new() };
        let quantiles: Vec<Vec<f64>> = if by.reads_quantiles {
            inner.probabilities.iter().map(|p| cell.quantile(*p)).collect()
        } else {
            Vec::new()
        };
        let probabilities = if by.reads_quantiles { &inner.probabilities[..] } else { &[] };
        (0..inner.folds.horizon())
            .map(|step| {
                let quantiles: Vec<Vec<f64>> = quantiles.iter().map(|quantile| vec![quantile[step]]).collect();
                (by.ratio)(&Case {
                    actual: &window.actuals[series][step..=step],
                    mean: &cell.mean()[step..=step],
                    probabilities,
                    quantiles: &quantiles,
                    absolute_scale: window.scale[series].0,
                    squared_scale: window.scale[series].1,
                })
            })
            .collect()
    }

    /// Every score: fold, keys, model, and a column per metric.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn scores(&self) -> Result<Table> {
        let inner = &*self.0;
        let cases: Vec<(usize, usize, usize, &Ratios)> =
            (0..inner.models.len()).flat_map(|m| self.cases(m).map(move |(f, i, s)| (m, f, i, s))).collect();
        let mut columns = vec![Column::new("fold".into(), cases.iter().map(|c| c.1 as u64 + 1).collect::<Vec<_>>())];
        columns.extend(self.0.panel.key_columns(cases.iter().map(|c| c.2))?);
        columns.push(Column::new("model".into(), cases.iter().map(|c| inner.models[c.0].as_str()).collect::<Vec<_>>()));
        for (index, metric) in METRICS.iter().enumerate() {
            let values: Vec<Option<f64>> =
                cases.iter().map(|c| metrics::mean(metric, std::iter::once(c.3[index]))).collect();
            columns.push(Column::new(metric.name.into(), values));
        }
        Ok(Table::new(DataFrame::new(cases.len(), columns)?))
    }

    /// Every forecast: fold, keys, time, model, actual, mean and quantiles.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn forecasts(&self) -> Result<Table> {
        let inner = &*self.0;
        let h = inner.folds.horizon();
        let cases: Vec<(usize, usize, usize)> =
            (0..inner.models.len()).flat_map(|m| self.cases(m).map(move |(f, i, _)| (m, f, i))).collect();
        let repeat = |pick: &dyn Fn(&(usize, usize, usize)) -> u64| -> Vec<u64> {
            cases.iter().flat_map(|case| std::iter::repeat_n(pick(case), h)).collect()
        };
        let mut columns = vec![Column::new("fold".into(), repeat(&|(_, f, _)| *f as u64 + 1))];
        columns.extend(self.0.panel.key_columns(cases.iter().flat_map(|(.., i)| std::iter::repeat_n(*i, h)))?);
        let positions = cases.iter().flat_map(|(_, f, i)| {
            let start = inner.windows[*f].starts[*i];
            (0..h as i64).map(move |step| start + step)
        });
        let time = &inner.panel.inner().columns.time;
        columns.push(crate::panel::stamp_column(&inner.panel.inner().calendar, time, positions)?);
        let labels: Vec<&str> =
            cases.iter().flat_map(|(m, ..)| std::iter::repeat_n(inner.models[*m].as_str(), h)).collect();
        columns.push(Column::new("model".into(), labels));
        let actual: Vec<Option<f64>> = cases
            .iter()
            .flat_map(|(_, f, i)| inner.windows[*f].actuals[*i].iter().map(|y| (!y.is_nan()).then_some(*y)))
            .collect();
        columns.push(Column::new("actual".into(), actual));
        let cell = |(m, f, i): &(usize, usize, usize)| inner.windows[*f].forecast.cell(*m, *i);
        let mean: Vec<f64> = cases.iter().filter_map(cell).flat_map(|cell| cell.mean().iter().copied()).collect();
        columns.push(Column::new("mean".into(), mean));
        for p in &inner.probabilities {
            let values: Vec<f64> = cases.iter().filter_map(cell).flat_map(|cell| cell.quantile(*p)).collect();
            columns.push(Column::new(quantile_name(*p).into(), values));
        }
        Ok(Table::new(DataFrame::new(cases.len() * h, columns)?))
    }

    /// The files that [`save`](Self::save) writes.
    pub const FILES: [&str; 4] = ["leaderboard.csv", "scores.parquet", "forecasts.parquet", "failures.csv"];

    /// Writes leaderboard.csv, scores.parquet, forecasts.parquet and failures.csv to a folder, all or none of them.
    ///
    /// # Errors
    /// When another run is writing into the folder, or a file cannot be written.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        let tables = [self.leaderboard("mase")?, self.scores()?, self.forecasts()?, self.failures_table()?];
        let _lock = crate::files::Lock::on(folder)?;
        crate::files::together(|| {
            tables.iter().zip(Self::FILES).try_for_each(|(table, name)| table.save(folder.join(name)))
        })
    }

    /// The files that [`save_scores`](Self::save_scores) writes.
    pub const SCORES: [&str; 2] = ["metrics.json", "steps.csv"];

    /// Writes what is compared from run to run: `metrics.json`, the scores of the best model by `metric` with every metric that
    /// it could be scored by, and `steps.csv`, its error and that of the seasonal naive method by step ahead.
    ///
    /// The JSON has numbers alone, no lists and no NaN, which `dvc metrics diff` (3.67.1) leaves out or writes as no JSON.
    ///
    /// # Errors
    /// When no model could be scored, another run is writing into the folder, or a file cannot be written.
    pub fn save_scores(&self, folder: impl AsRef<Path>, metric: &str) -> Result<()> {
        let folder = folder.as_ref();
        let best = self.best(metric)?;
        let mut scores = serde_json::Map::new();
        for by in METRICS.iter() {
            match self.score(&best, by.name) {
                Ok(score) if score.is_finite() => drop(scores.insert(by.name.into(), score.into())),
                _ => {}
            }
        }
        scores.insert("series".into(), self.0.panel.len().into());
        scores.insert("failures".into(), self.0.failures.len().into());
        let steps = self.by("step", metric)?;
        let mut columns = vec![steps.frame().column("step")?.clone(), steps.frame().column(&best)?.clone()];
        columns[1].rename("error".into());
        if let Ok(naive) = steps.frame().column("seasonal_naive") {
            columns.push(naive.clone());
        }
        let steps = Table::new(DataFrame::new(self.0.folds.horizon(), columns)?);
        let scores = format!("{:#}\n", serde_json::Value::from(scores));
        let _lock = crate::files::Lock::on(folder)?;
        crate::files::together(|| {
            crate::files::write_atomically(&folder.join(Self::SCORES[0]), scores.as_bytes())?;
            steps.save(folder.join(Self::SCORES[1]))
        })
    }

    /// The forecast of the last fold, with the actuals of its window.
    pub(crate) fn last(&self) -> Option<(&Forecast, &[Vec<f64>])> {
        self.0.windows.last().map(|window| (&window.forecast, &window.actuals[..]))
    }

    /// The forecast of each fold, the first test position of each series and the actuals of its window.
    pub(crate) fn windows(&self) -> impl Iterator<Item = (&Forecast, &[i64], &[Vec<f64>])> {
        self.0.windows.iter().map(|window| (&window.forecast, &window.starts[..], &window.actuals[..]))
    }

    /// The same folds with the forecast of each made into another one, by what also tells how many seconds each model took.
    pub(crate) fn made_of(&self, make: &dyn Fn(&Forecast) -> Result<Timed>) -> Result<Backtest> {
        let inner = &*self.0;
        let mut windows = Vec::with_capacity(inner.windows.len());
        let (mut failures, mut models, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
        for (fold, window) in inner.windows.iter().enumerate() {
            progress::check()?;
            let (forecast, took) = make(&window.forecast)?;
            models = forecast.models();
            seconds.resize(models.len(), 0.0);
            seconds.iter_mut().zip(took).for_each(|(total, took)| *total += took);
            failures.extend(forecast.failures().into_iter().map(|failure| (fold + 1, failure)));
            let (starts, actuals, scale) = (window.starts.clone(), window.actuals.clone(), window.scale.clone());
            windows.push(Window { forecast, starts, actuals, scale, scores: Vec::new() }.scored(&inner.probabilities));
        }
        for (label, before) in inner.models.iter().zip(&inner.seconds) {
            models
                .iter()
                .zip(&mut seconds)
                .filter(|(model, _)| *model == label)
                .for_each(|(_, total)| *total += before);
        }
        let (panel, folds, probabilities) = (inner.panel.clone(), inner.folds.clone(), inner.probabilities.clone());
        Ok(Backtest(Arc::new(Inner { panel, folds, models, probabilities, windows, failures, seconds })))
    }

    /// The scores of a model: fold, series and the metric, where it has one.
    pub(crate) fn each(&self, metric: &Metric, model: usize) -> impl Iterator<Item = (usize, usize, f64)> {
        let index = metric.index();
        self.cases(model).filter_map(move |(fold, series, scores)| {
            let (above, below) = scores[index];
            (below > 0.0 && above.is_finite()).then(|| (fold, series, above / below))
        })
    }

    /// The panel that was backtested.
    pub fn panel(&self) -> Panel {
        self.0.panel.clone()
    }

    /// The scored windows of a model: fold, series, numerators and denominators.
    pub(super) fn cases(&self, model: usize) -> impl Iterator<Item = (usize, usize, &Ratios)> {
        let n = self.0.panel.len();
        self.0.windows.iter().enumerate().flat_map(move |(fold, window)| {
            let scores = window.scores[model * n..(model + 1) * n].iter().enumerate();
            scores.filter_map(move |(i, scores)| Some((fold, i, scores.as_ref()?)))
        })
    }

    pub(crate) fn mean(&self, metric: &Metric, model: usize) -> Option<f64> {
        let index = metric.index();
        metrics::mean(metric, self.cases(model).map(|(.., scores)| scores[index]))
    }

    /// Models from best to worst: those that served all windows that any served, those that failed on some, those without a
    /// score.
    pub(crate) fn ranked(&self, metric: &Metric) -> Vec<usize> {
        let models = 0..self.0.models.len();
        let served: Vec<usize> = models.clone().map(|m| self.cases(m).count()).collect();
        let most = served.iter().copied().max().unwrap_or(0);
        let mean: Vec<Option<f64>> = models.clone().map(|m| self.mean(metric, m)).collect();
        let place = |m: usize| if mean[m].is_none() { 2 } else { usize::from(served[m] < most) };
        let mut order: Vec<usize> = models.collect();
        order.sort_by(|a, b| place(*a).cmp(&place(*b)).then(metric.loss(mean[*a]).total_cmp(&metric.loss(mean[*b]))));
        order
    }

    /// The mean of a metric for a model.
    ///
    /// # Errors
    /// When there is no such metric or model, or it is undefined for it.
    pub fn score(&self, model: &str, metric: &str) -> Result<f64> {
        let by = METRICS.named(metric)?;
        let (m, model) = place(model, &self.0.models)?;
        self.mean(by, m).ok_or_else(|| Error::model(format!("{} is undefined for {model}", by.name)))
    }
}

impl Show for Backtest {
    fn block(&self) -> Block {
        let mut blocks = vec![Block::Text(format!(
            "{} on {} series: {}; {}",
            self.0.models.join(", "),
            number(self.0.panel.len() as f64),
            self.0.folds.to_string().trim(),
            failures_sentence(&self.failures())
        ))];
        blocks.extend(self.leaderboard("mase").ok().map(Block::Table));
        blocks.extend(self.caveat().map(Block::Note));
        Block::Group(blocks)
    }
}

crate::show::noun!(Backtest);
