//! Models × series, fitted: failures counted, never hidden; kept in one file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use polars::prelude::*;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::model::distinct;
use super::{Description, Entry, Epoch, Fitted, IntoModel, Likelihood, Model, decode, encode};
use crate::error::{Error, Result};
use crate::forecast::Forecast;
use crate::panel::{Columns, Future, Panel};
use crate::show::{Block, Show, Table, number};
use crate::statistics::{jarque_bera, ljung_box};

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
        self.fit_checked(&models, None)
    }

    /// As [`fit`](Self::fit), for forecasts of `horizon` steps: models that learn across series forecast as many
    /// directly.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), and when the horizon is zero.
    pub fn fit_for<M: IntoModel>(&self, models: impl IntoIterator<Item = M>, horizon: usize) -> Result<Fits> {
        if horizon == 0 {
            return Err(Error::usage("a horizon is at least 1 step, not 0"));
        }
        let models = distinct(models.into_iter().map(IntoModel::into_model).collect::<Result<_>>()?)?;
        self.check_calendar()?;
        self.fit_checked(&models, Some(horizon))
    }

    pub(crate) fn fit_checked(&self, models: &[Model], horizon: Option<usize>) -> Result<Fits> {
        let fit = |model: &Model| {
            let started = Instant::now();
            let fitted = model.forecaster().fit(self, horizon)?;
            Ok(FittedModel { model: model.clone(), fitted, seconds: started.elapsed().as_secs_f64() })
        };
        let models = models.iter().map(fit).collect::<Result<_>>()?;
        Ok(Fits(Arc::new(Inner { panel: self.clone(), models })))
    }
}

/// One row of [`Fits::summary`].
struct Summary {
    series: u64,
    form: String,
    white: Option<f64>,
    normal: Option<f64>,
}

/// What a fit of one series came to, and how its residuals look.
struct Check {
    series: usize,
    description: Description,
    sd: f64,
    ljung_box: Option<f64>,
    jarque_bera: Option<f64>,
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

    /// The same parameters on `panel`, which holds the same series with more values: the states are brought up to the new
    /// end, nothing is estimated anew. A series that a model could not serve before stays a failure.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let fits = sales.before("2012-09-01")?.fit(["theta"])?;
    /// let updated = fits.update(&sales)?;
    /// assert_eq!(updated.forecast(8)?.mean("theta", "Store=1, Dept=1")?.len(), 8);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the panel holds other series or covariates, a series starts elsewhere or ends earlier, its calendar is another, or the user
    /// interrupts.
    pub fn update(&self, panel: &Panel) -> Result<Fits> {
        let before = &self.0.panel;
        panel.check_calendar()?;
        let (old, new) = (before.columns(), panel.columns());
        if before.frequency() != panel.frequency() || before.season() != panel.season() {
            return Err(Error::usage("the panel has another frequency or season than the one that was fitted"));
        }
        if before.labels() != panel.labels() || old.target != new.target || old.normalise != new.normalise {
            return Err(Error::usage("the panel holds other series, or another target, than the one that was fitted"));
        }
        if old.covariates != new.covariates || old.made != new.made {
            return Err(Error::usage(
                "the panel has other covariates than the one that was fitted, or in another order",
            ));
        }
        for i in 0..panel.len() {
            let (then, now) = (before.positions(i), panel.positions(i));
            if then.first() != now.first() && !then.is_empty() || then.last() > now.last() {
                return Err(Error::data(format!(
                    "{} does not continue the series that was fitted: it starts elsewhere or ends earlier",
                    panel.label(i)
                )));
            }
        }
        let update = |fit: &FittedModel| {
            let started = Instant::now();
            let fitted = fit.fitted.update(panel)?;
            Ok(FittedModel { model: fit.model.clone(), fitted, seconds: started.elapsed().as_secs_f64() })
        };
        let models = self.0.models.iter().map(update).collect::<Result<_>>()?;
        Ok(Fits(Arc::new(Inner { panel: panel.clone(), models })))
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

    /// One row per model: series fitted, failures, the form chosen most often, the share of series whose residuals pass as
    /// white noise and as normal (tests at 5 %, see [`diagnostics`](Self::diagnostics)), seconds.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn summary(&self) -> Result<Table> {
        let n = self.0.panel.len();
        let rows: Vec<Summary> = (0..self.0.models.len())
            .into_par_iter()
            .map(|m| {
                let checks = self.checks(m);
                let mut forms: BTreeMap<&str, usize> = BTreeMap::new();
                checks.iter().for_each(|check| *forms.entry(&check.description.form).or_default() += 1);
                let form = forms.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0)));
                let share = |pick: fn(&Check) -> Option<f64>| {
                    let tested: Vec<f64> = checks.iter().filter_map(pick).collect();
                    let passed = tested.iter().filter(|p| **p > 0.05).count();
                    (!tested.is_empty()).then(|| passed as f64 / tested.len() as f64)
                };
                Summary {
                    series: checks.len() as u64,
                    form: form.map_or_else(String::new, |(form, _)| form.to_string()),
                    white: share(|check| check.ljung_box),
                    normal: share(|check| check.jarque_bera),
                }
            })
            .collect();
        let frame = DataFrame::new(
            self.0.models.len(),
            vec![
                Column::new("model".into(), self.models()),
                Column::new("series".into(), rows.iter().map(|row| row.series).collect::<Vec<_>>()),
                Column::new("failures".into(), rows.iter().map(|row| n as u64 - row.series).collect::<Vec<_>>()),
                Column::new("most often".into(), rows.iter().map(|row| row.form.as_str()).collect::<Vec<_>>()),
                Column::new("white noise".into(), rows.iter().map(|row| row.white).collect::<Vec<_>>()),
                Column::new("normal".into(), rows.iter().map(|row| row.normal).collect::<Vec<_>>()),
                Column::new("seconds".into(), self.0.models.iter().map(|fit| fit.seconds).collect::<Vec<_>>()),
            ],
        )?;
        Ok(Table::new(frame))
    }

    /// One row per series and model that was fitted: the form that was chosen, log-likelihood, AICc and BIC where the method
    /// has them, the standard deviation of the residuals, the p-values of the tests of Ljung and Box (is anything left that
    /// could be forecast?) and of Jarque and Bera (are the intervals right to be normal?), and the parameters.
    ///
    /// The Ljung–Box test looks at two seasons of lags, ten without a season, and at most a fifth of the residuals
    /// (Hyndman & Athanasopoulos, 3rd ed., §5.4), less what the fit has used up. Residuals are on the model's scale.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let fits = Panel::read("data/walmart_sales_weekly.csv", columns)?.fit(["ets(season=1)"])?;
    /// let table = fits.diagnostics()?;
    /// assert_eq!(table.rows(), 7);
    /// assert!(table.get(0, "form")?.to_string().starts_with("ETS("));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn diagnostics(&self) -> Result<Table> {
        let mut checks: Vec<(usize, Check)> =
            (0..self.0.models.len()).flat_map(|m| self.checks(m).into_iter().map(move |check| (m, check))).collect();
        checks.sort_by_key(|(m, check)| (check.series, *m));
        let labels = self.models();
        let mut columns = self.0.panel.key_columns(checks.iter().map(|(_, check)| check.series))?;
        let text = |name: &str, values: Vec<String>| Column::new(name.into(), values);
        let number = |name: &str, pick: &dyn Fn(&Check) -> Option<f64>| {
            Column::new(name.into(), checks.iter().map(|(_, check)| pick(check)).collect::<Vec<_>>())
        };
        let likelihood = |pick: fn(&Likelihood) -> f64| {
            move |check: &Check| check.description.likelihood.as_ref().map(pick).filter(|value| value.is_finite())
        };
        columns.push(text("model", checks.iter().map(|(m, _)| labels[*m].clone()).collect()));
        columns.push(text("form", checks.iter().map(|(_, check)| check.description.form.clone()).collect()));
        columns.push(number("log-likelihood", &likelihood(|likelihood| likelihood.log)));
        columns.push(number("AICc", &likelihood(Likelihood::aicc)));
        columns.push(number("BIC", &likelihood(Likelihood::bic)));
        columns.push(number("residual sd", &|check| Some(check.sd)));
        columns.push(number("Ljung–Box p", &|check| check.ljung_box.map(|p| (p * 1e4).round() / 1e4)));
        columns.push(number("Jarque–Bera p", &|check| check.jarque_bera.map(|p| (p * 1e4).round() / 1e4)));
        let said = |check: &Check| {
            let parameters = check.description.parameters.iter();
            parameters
                .map(|(name, value)| format!("{name} {}", crate::show::number(*value)))
                .collect::<Vec<_>>()
                .join(", ")
        };
        columns.push(text("parameters", checks.iter().map(|(_, check)| said(check)).collect()));
        Ok(Table::new(DataFrame::new(checks.len(), columns)?))
    }

    /// What a model came to on each series that it could serve, and how its residuals look.
    fn checks(&self, model: usize) -> Vec<Check> {
        let fitted = &self.0.models[model].fitted;
        let season = self.0.panel.season();
        (0..self.0.panel.len())
            .into_par_iter()
            .filter(|series| fitted.failure(*series).is_none())
            .map(|series| {
                let residuals: Vec<f64> = fitted.residuals(series).iter().copied().filter(|e| !e.is_nan()).collect();
                let description = fitted.describe(series);
                let most = residuals.len() / 5;
                let lags = if season > 1 { 2 * season } else { 10 }.min(most).max(description.lost + 3);
                let mean = residuals.iter().sum::<f64>() / residuals.len() as f64;
                let squares: f64 = residuals.iter().map(|e| (e - mean).powi(2)).sum();
                Check {
                    series,
                    sd: (squares / (residuals.len() as f64 - 1.0)).sqrt(),
                    ljung_box: ljung_box(&residuals, lags, description.lost).ok().map(|test| test.p_value),
                    jarque_bera: jarque_bera(&residuals).ok().map(|test| test.p_value),
                    description,
                }
            })
            .collect()
    }

    /// How a network was trained, one row per round: which training it belongs to (`trial`, which the last windows judge, or
    /// `all`, on all steps), the mean loss, the loss on the last windows, the rate, and the mean size of gradients before they
    /// were clipped. Without rows for a model that is not trained in rounds.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let model = "lstm(hidden=8, epochs=2, batches=5, windows=1)";
    /// # if cfg!(feature = "lstm") {
    /// let table = sales.fit_for([model], 8)?.training(model)?;
    /// assert_eq!(table.rows(), 4);
    /// # }
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such model.
    pub fn training(&self, model: &str) -> Result<Table> {
        let rounds = self.0.models[find(model, &self.models(), "model")?].fitted.training();
        let part = |round: &Epoch| if round.part == 0 { "trial" } else { "all" };
        let number =
            |name: &str, pick: fn(&Epoch) -> f64| Column::new(name.into(), rounds.iter().map(pick).collect::<Vec<_>>());
        let frame = DataFrame::new(
            rounds.len(),
            vec![
                Column::new("training".into(), rounds.iter().map(part).collect::<Vec<_>>()),
                Column::new("epoch".into(), rounds.iter().map(|round| round.epoch as u64).collect::<Vec<_>>()),
                number("loss", |round| round.loss),
                Column::new("last windows".into(), rounds.iter().map(|round| round.judged).collect::<Vec<_>>()),
                number("rate", |round| round.rate),
                number("gradient", |round| round.norm),
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
        let model = |fit: &FittedModel| Ok((fit.model.label().to_string(), fit.fitted.save()?));
        let models: Vec<(String, Vec<u8>)> = self.0.models.iter().map(model).collect::<Result<_>>()?;
        let saved = Saved {
            kind: KIND.into(),
            format: FORMAT,
            columns: self.0.panel.settled_columns(),
            fingerprint: self.0.panel.fingerprint(),
            checksum: checksum(&data, &models),
            data,
            models,
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
        let bytes = crate::files::read_bytes(path)?;
        let damaged = || Error::data(format!("{place} holds no saved fits, or is damaged"));
        let saved: Saved = decode(&bytes).map_err(|_| damaged())?;
        if saved.kind != KIND || saved.format != FORMAT {
            return Err(Error::data(format!(
                "{place} has format {} {}, this version reads {KIND} {FORMAT}; fit and save again",
                saved.kind, saved.format
            )));
        }
        if saved.checksum != checksum(&saved.data, &saved.models) {
            return Err(damaged());
        }
        let frame = ParquetReader::new(std::io::Cursor::new(saved.data)).finish().map_err(|_| damaged())?;
        let panel = Panel::from_frame(frame, saved.columns)?;
        if saved.fingerprint != panel.fingerprint() {
            return Err(damaged());
        }
        let models = saved
            .models
            .into_iter()
            .map(|(label, bytes)| {
                let model = Model::named(&label)?;
                let fitted = Entry::named(model.name())?.load(&bytes, &panel)?;
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
const FORMAT: u32 = 6;

/// What tells damage.
fn checksum(data: &[u8], models: &[(String, Vec<u8>)]) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(data);
    for (label, bytes) in models {
        hash.update(label.as_bytes()).update(bytes);
    }
    hash.finalize().to_hex().to_string()
}

#[derive(Serialize, Deserialize)]
struct Saved {
    kind: String,
    format: u32,
    columns: Columns,
    /// Which data it is, and the training frame as Parquet.
    fingerprint: String,
    data: Vec<u8>,
    /// Of data and models.
    checksum: String,
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
