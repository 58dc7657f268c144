//! Dates × keys × models: means, quantiles and joint sample paths.
//!
//! A forecast **is self-contained**: it owns its distributions and a source of sample paths, whether it was made by fitted
//! models, read from a file, or combined from other forecasts.
//!
//! | file | question |
//! |---|---|
//! | `mod.rs` | what does a forecast offer for each series? |
//! | `distribution.rs` | what are mean and quantiles, whatever the forecast was made by? |
//! | `paths.rs` | what are joint sample paths of series, and of totals? |
//! | `totals.rs` | what is the total of all series and steps, with its interval? |
//! | `fitted.rs` | how do fitted models forecast, and simulate paths? |
//! | `open.rs` | how is a forecast read from a file, ours or anybody's? |
//! | `copula.rs` | what is the dependence over steps and series, where a file has quantiles alone? |
//! | `combine.rs` | how are forecasts combined? |
//! | `moved.rs` | what is a forecast whose values someone has changed by hand? |
//! | `remade.rs` | what is a forecast that a room above this one has made of another? |

mod combine;
mod copula;
mod distribution;
mod fitted;
#[cfg_attr(not(feature = "monitor"), expect(dead_code, reason = "nobody changes a forecast there"))]
mod moved;
mod open;
mod paths;
mod remade;
mod totals;

use std::path::Path;
use std::sync::Arc;

use polars::prelude::*;

pub use combine::Combination;
pub use copula::Dependence;
pub(crate) use distribution::{Distribution, Given, Probabilities};
#[cfg(feature = "monitor")]
pub(crate) use moved::{Move, Moves};
pub(crate) use paths::{PathSource, Sampler};
pub use paths::{Paths, SeriesPaths};
pub(crate) use remade::Remade;

use crate::error::{Error, Result};
use crate::files::mark;
use crate::models::{Failure, Fits, place};
use crate::options;
use crate::panel::{Future, Panel};
use crate::show::{Block, Show, Table, number};
use fitted::Fitted;

/// The default interval levels.
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
    /// The series on their calendar, with their history where it is known.
    panel: Panel,
    models: Vec<String>,
    /// The first forecast position of each series.
    starts: Vec<i64>,
    horizon: usize,
    /// By model and series; none where the model failed or the series was not selected.
    cells: Arc<Vec<Option<Distribution>>>,
    source: Arc<dyn PathSource>,
    /// The fits that it was made by, if available.
    fitted: Option<Fitted>,
    failures: Vec<Failure>,
    unknown: Option<Error>,
    /// Caveats beyond those of the fits.
    remarks: Vec<String>,
    /// The probabilities of the quantiles in its table.
    probabilities: Vec<f64>,
    levels: Vec<f64>,
}

impl Forecast {
    /// The first covariate value that was needed and not known.
    pub(crate) fn unknown(&self) -> Option<&Error> {
        self.0.unknown.as_ref()
    }

    /// The same forecast with other interval levels in its table, each between 0 and 1.
    ///
    /// # Errors
    /// When a level is not a probability (`95` suggests `0.95`), or lies beyond the quantiles that were read from a file.
    pub fn levels(&self, levels: impl IntoIterator<Item = f64>) -> Result<Forecast> {
        let levels: Vec<f64> = levels.into_iter().map(options::level).collect::<Result<_>>()?;
        let probabilities = quantiles_of(&levels);
        let cells = || self.0.cells.iter().flatten();
        let unknown = |p: &&f64| cells().next().is_some() && !cells().any(|cell| cell.knows(**p));
        if let Some(probability) = probabilities.iter().find(unknown) {
            return Err(unanswered(cells().find_map(Distribution::range), *probability));
        }
        Ok(Self(Arc::new(Inner { levels, probabilities, ..(*self.0).clone() })))
    }

    /// The number of steps ahead.
    pub fn horizon(&self) -> usize {
        self.0.horizon
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

    /// Caveats: series that end before others and are forecast for earlier dates; models that were fitted for another horizon, or under another scenario for observed covariates, than
    /// this forecast has, so that a backtest over its horizon scores another fit; candidates that were left out (see
    /// [`Fits::remarks`]); assumptions about a file, and about dependence that it does not contain.
    pub fn caveat(&self) -> Option<String> {
        let fitted = self.0.fitted.as_ref();
        let of_fits = [
            fitted.and_then(|f| f.future.early()),
            fitted.and_then(|f| f.fits.off_aim(&f.future)),
            fitted.and_then(|f| f.fits.caveat()),
        ];
        let assumed = self.0.source.assumption().map(|words| format!("Sample paths: {words}."));
        let caveats = of_fits.into_iter().flatten().chain(self.0.remarks.iter().cloned()).chain(assumed);
        let caveats: Vec<String> = caveats.collect();
        (!caveats.is_empty()).then(|| caveats.join(" "))
    }

    /// What could not take part in the fits.
    pub(crate) fn remarks(&self) -> Vec<Failure> {
        self.0.fitted.as_ref().map_or_else(Vec::new, |fitted| fitted.fits.remarks())
    }

    /// The mean of each step of one series.
    ///
    /// # Errors
    /// When there is no such model or series, or the model failed on it.
    pub fn mean(&self, model: &str, series: &str) -> Result<Vec<f64>> {
        Ok(self.named(model, series)?.mean().to_vec())
    }

    /// The quantile of each step of one series, `probability` between 0 and 1.
    ///
    /// # Errors
    /// As [`mean`](Self::mean), when `probability` does not lie between 0 and 1, and when it lies beyond the quantiles that were read from a
    /// file, or there are none.
    pub fn quantile(&self, model: &str, series: &str, probability: f64) -> Result<Vec<f64>> {
        let probability = options::probability(probability, "probability")?;
        self.checked(model, series, &[probability]).map(|cell| cell.quantile(probability))
    }

    /// The central interval of each step of one series: its lower and its upper ends.
    ///
    /// # Errors
    /// As [`quantile`](Self::quantile).
    pub fn interval(&self, model: &str, series: &str, level: f64) -> Result<(Vec<f64>, Vec<f64>)> {
        let level = options::level(level)?;
        let (lower, upper) = ((1.0 - level) / 2.0, (1.0 + level) / 2.0);
        let cell = self.checked(model, series, &[lower, upper])?;
        Ok((cell.quantile(lower), cell.quantile(upper)))
    }

    /// Keys, time, `model`, `mean` and quantile columns (`q0.1` … `q0.9`, `q0.5` always among them unless a file has others),
    /// one row per series, model and step.
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
        let cells: Vec<(usize, usize, &Distribution)> = (0..n)
            .flat_map(|i| (0..inner.models.len()).map(move |m| (i, m)))
            .filter_map(|(i, m)| Some((i, m, self.cell(m, i)?)))
            .collect();
        let rows = cells.len() * h;
        let series = cells.iter().flat_map(|(i, ..)| std::iter::repeat_n(*i, h));
        let mut columns = inner.panel.key_columns(series)?;
        let calendar = &inner.panel.inner().calendar;
        let positions = cells.iter().flat_map(|(i, ..)| {
            let start = inner.starts[*i];
            (0..h as i64).map(move |step| start + step)
        });
        columns.push(crate::panel::stamp_column(calendar, &inner.panel.inner().columns.time, positions)?);
        let labels: Vec<&str> =
            cells.iter().flat_map(|(_, m, _)| std::iter::repeat_n(inner.models[*m].as_str(), h)).collect();
        columns.push(Column::new("model".into(), labels));
        let mean: Vec<f64> = cells.iter().flat_map(|(.., cell)| cell.mean().iter().copied()).collect();
        columns.push(Column::new("mean".into(), mean));
        for &probability in &inner.probabilities {
            // A model of a file may lack what the others have.
            let of = |cell: &Distribution| match cell.knows(probability) {
                true => cell.quantile(probability),
                false => vec![f64::NAN; h],
            };
            let values: Vec<f64> = cells.iter().flat_map(|(.., cell)| of(cell)).collect();
            columns.push(Column::new(quantile_name(probability).into(), values));
        }
        Ok(DataFrame::new(rows, columns)?)
    }

    /// Writes [`table`](Self::table) as CSV, Parquet or JSON, by the path's extension, for [`open`](Self::open) and everybody
    /// else to read. A Parquet file keeps besides which columns are what, and how steps and series move together in the sample
    /// paths: a Gaussian copula, estimated from 500 paths of at most 64 series.
    ///
    /// # Errors
    /// When no model could forecast any series, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let table = self.table()?;
        if table.rows() == 0 {
            let reason = self.failures().first().map_or_else(String::new, |failure| format!(": {}", failure.reason));
            return Err(Error::model(format!("no model could forecast any series{reason}")));
        }
        let path = path.as_ref();
        if !crate::files::is_parquet(path) {
            return table.save(path);
        }
        let note = self.note(path)?;
        let mut bytes = Vec::new();
        let writer = ParquetWriter::new(&mut bytes).with_key_value_metadata(mark::parquet([note]));
        writer.finish(&mut table.frame().clone())?;
        crate::files::write_atomically(path, &bytes)
    }

    /// The panel that was fitted. Of a forecast that was [opened](Self::open), its series on their calendar without a history.
    pub fn panel(&self) -> Panel {
        self.0.panel.clone()
    }

    /// The fits that it was made of, and of what future; none of a forecast from elsewhere.
    pub(crate) fn fitted(&self) -> Option<(&Fits, &Future)> {
        self.0.fitted.as_ref().map(|fitted| (&fitted.fits, &fitted.future))
    }

    /// How many series there are.
    pub(crate) fn len(&self) -> usize {
        self.0.panel.len()
    }

    pub(crate) fn label(&self, series: usize) -> &str {
        self.0.panel.label(series)
    }

    /// The first forecast position of a series.
    pub(crate) fn start(&self, series: usize) -> i64 {
        self.0.starts[series]
    }

    /// The probabilities of the quantiles in its table.
    pub(crate) fn probabilities(&self) -> &[f64] {
        &self.0.probabilities
    }

    pub(crate) fn chosen_levels(&self) -> &[f64] {
        &self.0.levels
    }

    pub(crate) fn cell(&self, model: usize, series: usize) -> Option<&Distribution> {
        self.0.cells[model * self.len() + series].as_ref()
    }

    /// The place of a model.
    #[cfg(feature = "monitor")]
    pub(crate) fn place(&self, model: &str) -> Result<usize> {
        Ok(place(model, &self.0.models)?.0)
    }

    /// The places of a model and of a series.
    fn places(&self, model: &str, series: &str) -> Result<(usize, usize)> {
        Ok((place(model, &self.0.models)?.0, self.0.panel.place(series)?))
    }

    fn named(&self, model: &str, series: &str) -> Result<&Distribution> {
        let (m, i) = self.places(model, series)?;
        self.known(m, i)
    }

    /// The distribution by a model for a series, or why there is none.
    fn known(&self, model: usize, series: usize) -> Result<&Distribution> {
        self.cell(model, series).ok_or_else(|| {
            let (model, series) = (&self.0.models[model], self.label(series));
            let failure = self.0.failures.iter().find(|f| f.model == *model && f.series == series);
            let reason = failure.map_or("it was not asked for", |failure| &failure.reason);
            Error::model(format!("{model} has no forecast for series {series}: {reason}"))
        })
    }

    /// The distribution by a model for a series, if it has the quantiles at these probabilities.
    fn checked(&self, model: &str, series: &str, probabilities: &[f64]) -> Result<&Distribution> {
        let cell = self.named(model, series)?;
        match probabilities.iter().find(|p| !cell.knows(**p)) {
            Some(probability) => Err(unanswered(cell.range(), *probability)),
            None => Ok(cell),
        }
    }

    /// Is there a distribution that paths can be laid on?
    fn check_spread(&self) -> Result<()> {
        match self.0.cells.iter().flatten().any(Distribution::is_spread) {
            true => Ok(()),
            false if self.0.cells.iter().all(Option::is_none) => Ok(()),
            false => Err(unanswered(None, 0.5)),
        }
    }
}

/// Why there is no quantile at a probability, given the least and the greatest that is known.
fn unanswered(known: Option<(f64, f64)>, probability: f64) -> Error {
    Error::data(match known {
        Some((first, last)) => format!(
            "the forecast has quantiles from {first} to {last}; the one at {} lies outside, and is not guessed",
            (probability * 1e6).round() / 1e6
        ),
        None => "the forecast has means without quantiles: it has no intervals and no sample paths".into(),
    })
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

crate::show::noun!(Forecast);
