//! Models × series, fitted: failures counted, never hidden; kept in one file.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::model::distinct;
use super::{Entry, Fitted, IntoModel, Model, decode, encode};
use crate::error::{Error, Result};
use crate::forecast::Forecast;
use crate::panel::{Columns, Future, Panel};
use crate::show::{Block, Show, Table, number};

/// Models × series, fitted.
///
/// ```
/// use tradewind::prelude::*;
/// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
/// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
/// let fits = sales.fit(["seasonal_naive", "theta"])?;
/// assert!(fits.failures().is_empty());
/// let forecast = fits.forecast(8)?;
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone)]
pub struct Fits(Arc<Inner>);

struct Inner {
    panel: Panel,
    models: Vec<FittedModel>,
}

struct FittedModel {
    model: Model,
    fitted: Box<dyn Fitted>,
    seconds: f64,
}

/// A series that a model could not serve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// The model's label.
    pub model: String,
    /// The series' key.
    pub series: String,
    /// Why.
    pub reason: String,
}

impl Panel {
    /// Fits models, given as labels, options structs or [`Model`]s, to every series.
    ///
    /// # Errors
    /// When a label names no model, the panel holds duplicate stamps or stamps off its calendar, or the user interrupts.
    /// A series that a model cannot serve is no error but a row of [`Fits::failures`].
    pub fn fit<M: IntoModel>(&self, models: impl IntoIterator<Item = M>) -> Result<Fits> {
        let models = distinct(models.into_iter().map(IntoModel::into_model).collect::<Result<_>>()?)?;
        self.check_calendar()?;
        self.fit_checked(&models)
    }

    pub(crate) fn fit_checked(&self, models: &[Model]) -> Result<Fits> {
        let fit = |model: &Model| {
            let started = Instant::now();
            let fitted = model.forecaster().fit(self)?;
            Ok(FittedModel { model: model.clone(), fitted, seconds: started.elapsed().as_secs_f64() })
        };
        let models = models.iter().map(fit).collect::<Result<_>>()?;
        Ok(Fits(Arc::new(Inner { panel: self.clone(), models })))
    }
}

/// How far, and with what knowledge of the future: a number of steps, or a [`Future`].
pub enum Horizon {
    /// That many steps, covariates by the default scenario.
    Steps(usize),
    /// A future with its known covariates.
    Future(Box<Future>),
}

impl From<usize> for Horizon {
    fn from(steps: usize) -> Self {
        Self::Steps(steps)
    }
}

impl From<&Future> for Horizon {
    fn from(future: &Future) -> Self {
        Self::Future(Box::new(future.clone()))
    }
}

impl From<Future> for Horizon {
    fn from(future: Future) -> Self {
        Self::Future(Box::new(future))
    }
}

impl Fits {
    /// The forecast of every model for every series, for a number of steps or for a [`Future`].
    ///
    /// # Errors
    /// When the horizon is zero or a known covariate that a model reads has no value, naming series and date.
    pub fn forecast(&self, horizon: impl Into<Horizon>) -> Result<Forecast> {
        let future = match horizon.into() {
            Horizon::Steps(steps) => self.0.panel.future(steps)?,
            Horizon::Future(future) => *future,
        };
        let forecast = self.forecast_each(&future, |_| true)?;
        match forecast.unknown() {
            Some(error) => Err(error.clone()),
            None => Ok(forecast),
        }
    }

    /// As [`forecast`](Self::forecast) for the series that are asked for, a missing covariate being that series' failure.
    pub(crate) fn forecast_each(&self, future: &Future, asked: impl Fn(usize) -> bool + Sync) -> Result<Forecast> {
        Forecast::of(self, future, asked)
    }

    /// The labels of the models.
    pub fn models(&self) -> Vec<String> {
        self.0.models.iter().map(|fit| fit.model.label().to_string()).collect()
    }

    /// The panel that was fitted.
    pub fn panel(&self) -> Panel {
        self.0.panel.clone()
    }

    /// The series that a model could not serve, and why.
    pub fn failures(&self) -> Vec<Failure> {
        let mut failures = Vec::new();
        for fit in &self.0.models {
            for i in 0..self.0.panel.len() {
                if let Some(error) = fit.fitted.failure(i) {
                    failures.push(Failure {
                        model: fit.model.label().into(),
                        series: self.0.panel.label(i).into(),
                        reason: error.to_string(),
                    });
                }
            }
        }
        failures
    }

    /// In-sample one-step errors of a model for a series, one per calendar step, NaN where there is none. For a
    /// [normalised](crate::panel::Normalise) panel they are on the scale that the model saw (innovation residuals).
    ///
    /// # Errors
    /// When there is no such model or series.
    pub fn residuals(&self, model: &str, series: &str) -> Result<Vec<f64>> {
        let labels = self.models();
        let m = find(model, &labels, "model")?;
        let i = find(series, &self.0.panel.labels(), "series")?;
        Ok(self.0.models[m].fitted.residuals(i).to_vec())
    }

    /// One row per model: series fitted, failures, seconds.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn summary(&self) -> Result<Table> {
        let n = self.0.panel.len();
        let failed: Vec<u64> = self
            .0
            .models
            .iter()
            .map(|fit| (0..n).filter(|i| fit.fitted.failure(*i).is_some()).count() as u64)
            .collect();
        let frame = DataFrame::new(
            self.0.models.len(),
            vec![
                Column::new("model".into(), self.models()),
                Column::new("series".into(), failed.iter().map(|f| n as u64 - f).collect::<Vec<_>>()),
                Column::new("failures".into(), &failed),
                Column::new("seconds".into(), self.0.models.iter().map(|fit| fit.seconds).collect::<Vec<_>>()),
            ],
        )?;
        Ok(Table::new(frame))
    }

    /// Writes the fits and their training data to one file, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let mut frame = self.0.panel.to_frame();
        let mut data = Vec::new();
        ParquetWriter::new(&mut data).finish(&mut frame)?;
        let saved = Saved {
            kind: KIND.into(),
            format: FORMAT,
            columns: Columns {
                frequency: Some(self.0.panel.frequency()),
                season: Some(self.0.panel.season()),
                ..self.0.panel.columns()
            },
            data,
            models: self
                .0
                .models
                .iter()
                .map(|fit| Ok((fit.model.label().to_string(), fit.fitted.save()?)))
                .collect::<Result<_>>()?,
        };
        crate::files::write_atomically(path.as_ref(), &encode(&saved)?)
    }

    /// Reads fits that [`save`](Self::save) wrote; they forecast to the same bits.
    ///
    /// # Errors
    /// When the file cannot be read, holds something else, or was written by a later version.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let place = path.display().to_string();
        crate::files::allowed(path)?;
        let bytes = std::fs::read(path).map_err(|cause| Error::io(format!("{place} cannot be read")).because(cause))?;
        let saved: Saved =
            decode(&bytes).map_err(|_| Error::data(format!("{place} holds no saved fits, or is damaged")))?;
        if saved.kind != KIND || saved.format != FORMAT {
            return Err(Error::data(format!(
                "{place} has format {} {}, this version reads {KIND} {FORMAT}; fit and save again",
                saved.kind, saved.format
            )));
        }
        let frame = ParquetReader::new(std::io::Cursor::new(saved.data)).finish()?;
        let panel = Panel::from_frame(frame, saved.columns)?;
        let models = saved
            .models
            .into_iter()
            .map(|(label, bytes)| {
                let model = Model::named(&label)?;
                let fitted = Entry::named(model.name())?.load(&bytes)?;
                Ok(FittedModel { model, fitted, seconds: 0.0 })
            })
            .collect::<Result<_>>()
            .map_err(|error: Error| error.within(place))?;
        Ok(Self(Arc::new(Inner { panel, models })))
    }

    pub(crate) fn fitted(&self, model: usize) -> &dyn Fitted {
        &*self.0.models[model].fitted
    }

    pub(crate) fn seconds(&self, model: usize) -> f64 {
        self.0.models[model].seconds
    }
}

/// The index of a name in a list, or an error that suggests the nearest.
pub(crate) fn find(name: &str, names: &[String], what: &str) -> Result<usize> {
    names.iter().position(|candidate| candidate == name).ok_or_else(|| {
        let nearest = crate::error::suggestion(name, names.iter().map(String::as_str));
        Error::usage(format!("there is no {what} `{name}`{nearest}"))
    })
}

const KIND: &str = "tradewind fits";
const FORMAT: u32 = 2;

#[derive(Serialize, Deserialize)]
struct Saved {
    kind: String,
    format: u32,
    columns: Columns,
    /// The training frame as Parquet.
    data: Vec<u8>,
    models: Vec<(String, Vec<u8>)>,
}

impl Show for Fits {
    fn block(&self) -> Block {
        let failures = self.failures();
        let text = format!(
            "{} for {} series; {}",
            self.models().join(", "),
            number(self.0.panel.len() as f64),
            failures_sentence(&failures)
        );
        let mut blocks = vec![Block::Text(text)];
        blocks.extend(self.summary().ok().map(Block::Table));
        Block::Group(blocks)
    }
}

/// `no failures.` or their number and the first of them.
pub(crate) fn failures_sentence(failures: &[Failure]) -> String {
    match failures.first() {
        None => "no failures.".into(),
        Some(first) => format!(
            "{} {} (first: {} on {}: {}).",
            number(failures.len() as f64),
            if failures.len() == 1 { "failure" } else { "failures" },
            first.model,
            first.series,
            first.reason
        ),
    }
}

/// Failures as a table: model, series, reason.
pub(crate) fn failures_table(failures: &[Failure]) -> Result<Table> {
    let column = |name: &str, pick: fn(&Failure) -> &str| {
        Column::new(name.into(), failures.iter().map(pick).collect::<Vec<_>>())
    };
    let columns = vec![
        column("model", |failure| &failure.model),
        column("series", |failure| &failure.series),
        column("reason", |failure| &failure.reason),
    ];
    Ok(Table::new(DataFrame::new(failures.len(), columns)?))
}

crate::show::noun!(Fits);
