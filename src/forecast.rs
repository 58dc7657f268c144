//! Dates × keys × models: means, quantiles and joint sample paths.
//!
//! **Paths** are simulated from each model's own dynamics with shocks drawn from its residuals: the same date for all
//! series, so that what moved together moves together again. Models that learn across series tell that by errors on windows
//! that they had not seen, or at least had a past to look at for; a series too short for that draws its own, independently
//! of the others, as does one without a residual on a date. Their ranks are then laid onto the forecast's own quantiles
//! step by step (a Schaake shuffle, Clark et al. 2004), so that a path sample and the quantile columns never contradict
//! each other. They are computed when asked for, series by series, and not stored.

use std::path::Path;
use std::sync::Arc;

use ndarray::Array2;
use polars::prelude::*;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

use crate::error::{Error, Result, find};
use crate::models::{Failure, Fits, Horizon, Marginal, place};
use crate::options;
use crate::panel::order::mixed;
use crate::panel::{Future, Panel};
use crate::progress;
use crate::show::{Block, Show, Table, number};

/// The interval levels that are written if none are chosen.
pub(crate) const LEVELS: [f64; 2] = [0.8, 0.95];

/// The forecast of every model for every series: mean, quantiles, sample paths.
///
/// ```
/// use tradewind::prelude::*;
/// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
/// let forecast = Panel::read("data/walmart_sales_weekly.csv", columns)?.fit(["theta"])?.forecast(8)?;
/// let (lower, upper) = forecast.interval("theta", "Store=1, Dept=1", 0.8)?;
/// let mean = forecast.mean("theta", "Store=1, Dept=1")?;
/// assert!(mean.len() == 8 && lower[0] < mean[0] && mean[0] < upper[0]);
/// let total = forecast.paths(500, 7)?.total("theta")?;
/// assert_eq!((total.len(), total[0].len()), (500, 8));
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone)]
pub struct Forecast(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    fits: Fits,
    panel: Panel,
    models: Vec<String>,
    future: Future,
    /// Model after model, series after series; none where the model failed or the series was not asked for.
    cells: Arc<Vec<Option<Marginal>>>,
    failures: Vec<Failure>,
    unknown: Option<Error>,
    levels: Vec<f64>,
}

/// The most steps that the paths of one series may have together: 1.6 GB.
const MOST_STEPS: usize = 200_000_000;
/// Series whose paths are simulated at a time for a total.
const TOGETHER: usize = 64;

impl Fits {
    /// The forecast of every model for every series, for a number of steps or for a [`Future`].
    ///
    /// # Errors
    /// When the horizon is zero or a known covariate that a model reads has no value, naming series and date.
    pub fn forecast(&self, horizon: impl Into<Horizon>) -> Result<Forecast> {
        let future = match horizon.into() {
            Horizon::Steps(steps) => self.panel().future(steps)?,
            Horizon::Future(future) => *future,
        };
        let forecast = Forecast::of(self, &future, |_| true)?;
        match forecast.unknown() {
            Some(error) => Err(error.clone()),
            None => Ok(forecast),
        }
    }
}

impl Forecast {
    /// As [`Fits::forecast`] for the series that are asked for, a missing covariate being that series' failure.
    pub(crate) fn of(fits: &Fits, future: &Future, asked: impl Fn(usize) -> bool + Sync) -> Result<Self> {
        let panel = fits.panel();
        let models = fits.models();
        let n = panel.len();
        let cells: Vec<Option<Result<Marginal>>> = (0..models.len() * n)
            .into_par_iter()
            .map(|cell| {
                progress::check()?;
                let series = cell % n;
                Ok(asked(series).then(|| fits.fitted(cell / n).forecast(future, series)?.finite()))
            })
            .collect::<Result<_>>()?;
        let mut failures = Vec::new();
        let mut unknown = None;
        for (cell, outcome) in cells.iter().enumerate() {
            let Some(Err(error)) = outcome else { continue };
            if error.is_data() && unknown.is_none() {
                unknown = Some(error.clone());
            }
            failures.push(Failure {
                model: models[cell / n].clone(),
                series: panel.label(cell % n).into(),
                reason: error.to_string(),
            });
        }
        let cells = cells.into_iter().map(|cell| cell.and_then(Result::ok)).collect();
        Ok(Self(Arc::new(Inner {
            fits: fits.clone(),
            panel,
            models,
            future: future.clone(),
            cells: Arc::new(cells),
            failures,
            unknown,
            levels: LEVELS.to_vec(),
        })))
    }

    /// The first covariate value that was needed and not known.
    pub(crate) fn unknown(&self) -> Option<&Error> {
        self.0.unknown.as_ref()
    }

    /// The same forecast with other interval levels in its table, each between 0 and 1.
    ///
    /// # Errors
    /// When a level is not a probability; `95` suggests `0.95`.
    pub fn levels(&self, levels: impl IntoIterator<Item = f64>) -> Result<Forecast> {
        let levels: Vec<f64> = levels.into_iter().map(options::level).collect::<Result<_>>()?;
        Ok(Self(Arc::new(Inner { levels, ..(*self.0).clone() })))
    }

    /// How many steps ahead.
    pub fn horizon(&self) -> usize {
        self.0.future.horizon()
    }

    /// The labels of the models.
    pub fn models(&self) -> Vec<String> {
        self.0.models.clone()
    }

    /// The names of the series.
    pub fn keys(&self) -> Vec<String> {
        self.0.panel.keys()
    }

    /// The series that a model could not forecast, and why.
    pub fn failures(&self) -> Vec<Failure> {
        self.0.failures.clone()
    }

    /// What to keep in mind: models that were fitted for another horizon, or under another scenario for observed covariates, than
    /// this forecast has, so that a backtest over its horizon scores another fit; candidates that could not take part (see
    /// [`Fits::remarks`]).
    pub fn caveat(&self) -> Option<String> {
        let caveats = [self.0.fits.off_aim(&self.0.future), self.0.fits.caveat()];
        let caveats: Vec<String> = caveats.into_iter().flatten().collect();
        (!caveats.is_empty()).then(|| caveats.join(" "))
    }

    /// What could not take part in the fits.
    pub(crate) fn remarks(&self) -> Vec<Failure> {
        self.0.fits.remarks()
    }

    /// The mean of each step of one series.
    ///
    /// # Errors
    /// When there is no such model or series, or the model failed on it.
    pub fn mean(&self, model: &str, series: &str) -> Result<Vec<f64>> {
        Ok(self.named(model, series)?.mean.clone())
    }

    /// The quantile of each step of one series, `probability` between 0 and 1.
    ///
    /// # Errors
    /// As [`mean`](Self::mean), and when `probability` is not one.
    pub fn quantile(&self, model: &str, series: &str, probability: f64) -> Result<Vec<f64>> {
        let probability = options::probability(probability, "probability")?;
        Ok(self.named(model, series)?.quantile(probability))
    }

    /// The central interval of each step of one series: its lower and its upper ends.
    ///
    /// # Errors
    /// As [`quantile`](Self::quantile).
    pub fn interval(&self, model: &str, series: &str, level: f64) -> Result<(Vec<f64>, Vec<f64>)> {
        let level = options::level(level)?;
        let cell = self.named(model, series)?;
        Ok((cell.quantile((1.0 - level) / 2.0), cell.quantile((1.0 + level) / 2.0)))
    }

    /// `n` joint sample paths of all series, the same for the same seed on any machine.
    ///
    /// # Errors
    /// When `n` is zero, or so large that the paths of one series would not fit into memory.
    pub fn paths(&self, n: usize, seed: u64) -> Result<Paths> {
        match n {
            0 => Err(Error::usage("at least 1 path is needed, not 0")),
            n if n.saturating_mul(self.horizon()) > MOST_STEPS => Err(Error::usage(format!(
                "{n} paths of {} steps are too many to hold; ask for at most {}",
                self.horizon(),
                MOST_STEPS / self.horizon()
            ))),
            n => Ok(Paths { forecast: self.clone(), n, seed }),
        }
    }

    /// Keys, time, `model`, `mean` and quantile columns (`q0.1` … `q0.9`, `q0.5` always among them), one row per series,
    /// model and step.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn table(&self) -> Result<Table> {
        Ok(Table::new(self.to_frame()?))
    }

    /// As [`table`](Self::table), for polars.
    ///
    /// # Errors
    /// Only if the frame cannot be assembled.
    pub fn to_frame(&self) -> Result<DataFrame> {
        let inner = &*self.0;
        let (n, h) = (inner.panel.len(), self.horizon());
        let cells: Vec<(usize, usize, &Marginal)> = (0..n)
            .flat_map(|i| (0..inner.models.len()).map(move |m| (i, m)))
            .filter_map(|(i, m)| Some((i, m, self.cell(m, i)?)))
            .collect();
        let rows = cells.len() * h;
        let series = cells.iter().flat_map(|(i, ..)| std::iter::repeat_n(*i, h));
        let mut columns = inner.panel.key_columns(series)?;
        let calendar = &inner.panel.inner().calendar;
        let positions = cells.iter().flat_map(|(i, ..)| {
            let start = inner.future.start(*i);
            (0..h as i64).map(move |step| start + step)
        });
        columns.push(crate::panel::stamp_column(calendar, &inner.panel.inner().columns.time, positions)?);
        let labels: Vec<&str> =
            cells.iter().flat_map(|(_, m, _)| std::iter::repeat_n(inner.models[*m].as_str(), h)).collect();
        columns.push(Column::new("model".into(), labels));
        let mean: Vec<f64> = cells.iter().flat_map(|(.., cell)| cell.mean.iter().copied()).collect();
        columns.push(Column::new("mean".into(), mean));
        for probability in quantiles_of(&inner.levels) {
            let values: Vec<f64> = cells.iter().flat_map(|(.., cell)| cell.quantile(probability)).collect();
            columns.push(Column::new(quantile_name(probability).into(), values));
        }
        Ok(DataFrame::new(rows, columns)?)
    }

    /// Writes [`table`](Self::table) as CSV, Parquet, JSON or a workbook (.xlsx), by the path's extension.
    ///
    /// # Errors
    /// When no model could forecast any series, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let table = self.table()?;
        if table.rows() == 0 {
            let reason = self.failures().first().map_or_else(String::new, |failure| format!(": {}", failure.reason));
            return Err(Error::model(format!("no model could forecast any series{reason}")));
        }
        table.save(path)
    }

    /// The panel that was fitted.
    pub fn panel(&self) -> Panel {
        self.0.panel.clone()
    }

    pub(crate) fn fits(&self) -> &Fits {
        &self.0.fits
    }

    pub(crate) fn future(&self) -> &Future {
        &self.0.future
    }

    pub(crate) fn chosen_levels(&self) -> &[f64] {
        &self.0.levels
    }

    pub(crate) fn cell(&self, model: usize, series: usize) -> Option<&Marginal> {
        self.0.cells[model * self.0.panel.len() + series].as_ref()
    }

    /// The label of a model as this forecast has it, for any spelling of it.
    pub(crate) fn label_of(&self, model: &str) -> Result<String> {
        Ok(place(model, &self.0.models)?.1.to_string())
    }

    fn named(&self, model: &str, series: &str) -> Result<&Marginal> {
        let (m, model) = place(model, &self.0.models)?;
        let i = find(series, &self.0.panel.labels(), "series")?;
        self.cell(m, i).ok_or_else(|| {
            let failure = self.0.failures.iter().find(|f| f.model == model && f.series == series);
            let reason = failure.map_or("it was not asked for", |failure| &failure.reason);
            Error::model(format!("{model} has no forecast for series {series}: {reason}"))
        })
    }
}

/// Joint sample paths of a forecast, computed when a series or a total is asked for.
#[derive(Clone)]
pub struct Paths {
    forecast: Forecast,
    n: usize,
    seed: u64,
}

impl Paths {
    /// The paths of one series: `n` of them, one value per step each.
    ///
    /// # Errors
    /// When there is no such model or series, or the model failed on it.
    pub fn of(&self, model: &str, series: &str) -> Result<Vec<Vec<f64>>> {
        self.forecast.named(model, series)?;
        let (m, _) = place(model, &self.forecast.0.models)?;
        let i = find(series, &self.forecast.0.panel.labels(), "series")?;
        Ok(rows(&self.simulate(m, i, &Dates::of(&self.forecast, m, self.n))?))
    }

    /// The paths of the sum over all series that the model could forecast: `n` of them, one value per step each.
    ///
    /// # Errors
    /// When there is no such model, or it failed on every series.
    pub fn total(&self, model: &str) -> Result<Vec<Vec<f64>>> {
        let (m, model) = place(model, &self.forecast.0.models)?;
        let dates = Dates::of(&self.forecast, m, self.n);
        let series: Vec<usize> =
            (0..self.forecast.panel().len()).filter(|i| self.forecast.cell(m, *i).is_some()).collect();
        if series.is_empty() {
            return Err(Error::model(format!("{model} has no forecast for any series")));
        }
        let values = self.n.saturating_mul(self.forecast.horizon()).saturating_mul(series.len().min(TOGETHER) + 2);
        crate::job::room("values of sample paths", values as u64, 8)?;
        let mut total = Array2::zeros((self.n, self.forecast.horizon()));
        // A fixed number of series at a time: the sum is taken in order, so that threads cannot change a bit of it.
        for chunk in series.chunks(TOGETHER) {
            let one = |i: &usize| progress::check().and_then(|()| self.simulate(m, *i, &dates));
            let paths: Vec<Array2<f64>> = chunk.par_iter().map(one).collect::<Result<_>>()?;
            paths.iter().for_each(|paths| total += paths);
        }
        if total.iter().any(|value: &f64| !value.is_finite()) {
            return Err(Error::model(format!("the total of {model} leaves the range of numbers")));
        }
        Ok(rows(&total))
    }

    fn simulate(&self, model: usize, series: usize, dates: &Dates) -> Result<Array2<f64>> {
        let inner = &*self.forecast.0;
        let h = self.forecast.horizon();
        let Some(marginal) = self.forecast.cell(model, series) else {
            return Err(Error::model("the model has no forecast for this series"));
        };
        let fitted = inner.fits.fitted(model);
        let drawn = fitted.shocks(series);
        let own: Vec<f64> = drawn.values.iter().copied().filter(|e| !e.is_nan()).collect();
        let identity = identity(&own);
        let first = inner.panel.positions(series).first().copied().unwrap_or(0);
        let end = inner.panel.positions(series).last().map_or(first, |last| last + 1);
        let lead = (inner.future.start(series) - end).max(0) as usize;
        let mut raw = Array2::zeros((self.n, h));
        let mut shocks = vec![0.0; lead + h];
        let mut path = vec![0.0; h];
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        for n in 0..self.n {
            random.set_stream(n as u64);
            random.set_word_pos(2 * (end - dates.base).max(0) as u128);
            for shock in &mut shocks {
                let draw = random.next_u64();
                let date = dates.positions.get((draw % dates.positions.len().max(1) as u64) as usize);
                let joint = date
                    .filter(|_| drawn.joint)
                    .and_then(|date| drawn.values.get(usize::try_from(date - first).ok()?))
                    .filter(|e| !e.is_nan());
                // A series without a residual on that date draws one of its own.
                let alone = || own.get((mixed(draw ^ identity) % own.len().max(1) as u64) as usize);
                *shock = joint.or_else(alone).copied().unwrap_or(0.0);
            }
            fitted.simulate(&inner.future, series, marginal.seen(), &shocks, &mut path)?;
            raw.row_mut(n).iter_mut().zip(&path).for_each(|(cell, value)| *cell = *value);
        }
        // The k-th smallest path value of a step becomes the (k + ½)/n quantile of that step, which also brings paths of a
        // normalised series back to the scale of the data: a monotone transformation keeps ranks.
        // Paths of one date's shocks are equal: which of them is the higher is each series' own.
        let mut order: Vec<usize> = (0..self.n).collect();
        for (step, mut column) in raw.columns_mut().into_iter().enumerate() {
            let own = |n: usize| (mixed(identity ^ mixed((step as u64) << 32 | n as u64)), n);
            order.sort_by(|a, b| column[*a].total_cmp(&column[*b]).then_with(|| own(*a).cmp(&own(*b))));
            for (rank, n) in order.iter().enumerate() {
                column[*n] = marginal.at(step, dates.normals[rank]);
            }
        }
        Ok(raw)
    }
}

fn rows(matrix: &Array2<f64>) -> Vec<Vec<f64>> {
    matrix.rows().into_iter().map(|row| row.to_vec()).collect()
}

/// A number that a series has by its residuals alone, wherever it stands among the others.
fn identity(residuals: &[f64]) -> u64 {
    residuals.iter().fold(0, |so_far, e| mixed(so_far ^ e.to_bits()))
}

/// The dates on which a model has residuals, for all series together.
struct Dates {
    positions: Vec<i64>,
    /// The earliest end of a series: draws are counted from here, so that one date has one draw for all series.
    base: i64,
    /// The standard normal quantiles that ranked path values are laid on.
    normals: Vec<f64>,
}

impl Dates {
    fn of(forecast: &Forecast, model: usize, paths: usize) -> Self {
        let (panel, fitted) = (&forecast.0.panel, forecast.0.fits.fitted(model));
        let mut positions = std::collections::BTreeSet::new();
        let mut base = i64::MAX;
        for i in 0..panel.len() {
            let first = panel.positions(i).first().copied().unwrap_or(0);
            base = base.min(panel.positions(i).last().map_or(first, |last| last + 1));
            let shocks = fitted.shocks(i);
            let joint = (first..).zip(shocks.values).filter(|(_, e)| shocks.joint && !e.is_nan());
            positions.extend(joint.map(|(position, _)| position));
        }
        let normal = |rank: usize| crate::models::standard_normal((rank as f64 + 0.5) / paths as f64);
        Self { positions: positions.into_iter().collect(), base, normals: (0..paths).map(normal).collect() }
    }
}

/// The quantiles that bound intervals of these levels, and the median; ascending, rounded to six decimals.
pub(crate) fn quantiles_of(levels: &[f64]) -> Vec<f64> {
    let round = |p: f64| (p * 1e6).round() / 1e6;
    let mut quantiles: Vec<f64> =
        levels.iter().flat_map(|level| [round((1.0 - level) / 2.0), round((1.0 + level) / 2.0)]).chain([0.5]).collect();
    quantiles.sort_by(f64::total_cmp);
    quantiles.dedup();
    quantiles
}

/// `q0.025`.
pub(crate) fn quantile_name(probability: f64) -> String {
    format!("q{probability}")
}

impl Show for Forecast {
    fn block(&self) -> Block {
        let text = format!(
            "{} for {} series, {} steps ahead; {}",
            self.0.models.join(", "),
            number(self.0.panel.len() as f64),
            self.horizon(),
            crate::models::failures_sentence(&self.0.failures)
        );
        let mut blocks = vec![Block::Text(text)];
        blocks.extend(self.table().ok().map(Block::Table));
        blocks.extend(self.caveat().map(Block::Note));
        Block::Group(blocks)
    }
}

impl Show for Paths {
    fn block(&self) -> Block {
        Block::Text(format!(
            "{} joint sample paths of {} series, {} steps, seed {}",
            number(self.n as f64),
            number(self.forecast.panel().len() as f64),
            self.forecast.horizon(),
            self.seed
        ))
    }
}

crate::show::noun!(Forecast);
crate::show::noun!(Paths);
