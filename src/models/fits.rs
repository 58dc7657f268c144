//! Models × series, fitted: failures counted, never hidden; kept in one file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use polars::prelude::*;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::model::distinct;
use super::trial::usual_horizon;
use super::{Aim, Description, Epoch, Fitted, IntoModel, Likelihood, MODELS, Model, decode, encode, place};
use crate::error::{Error, Result};
use crate::panel::{Columns, Future, Panel, Role, Scenario};
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
    aim: Aim,
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
    /// Fits models, given as labels, options structs or [`Model`]s, to every series. Models whose fit depends on how far ahead
    /// they look (those that learn across series, `stack`, `select`) are fitted for the usual steps of the season, which
    /// [`Fits::horizon`] tells; a forecast of another horizon says so in its [`caveat`](crate::forecast::Forecast::caveat). Where the horizon
    /// is known, state it: [`fit_for`](Self::fit_for) fits what a backtest over that horizon scores.
    ///
    /// # Errors
    /// When a label names no model, the panel holds duplicate stamps or stamps off its calendar, or the user interrupts.
    /// A series that a model cannot serve is no error but a row of [`Fits::failures`].
    pub fn fit<M: IntoModel>(&self, models: impl IntoIterator<Item = M>) -> Result<Fits> {
        let models = distinct(models.into_iter().map(IntoModel::into_model).collect::<Result<_>>()?)?;
        self.check_calendar()?;
        self.fit_checked(&models, Aim::default())
    }

    /// As [`fit`](Self::fit), for forecasts of so many steps, or for a [`Future`] with its gap and its scenario: these are the
    /// fits that a backtest over the same horizon scores, to the bit.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// for fold in sales.split(&Folds::new(1, 8).gap(2))? {
    ///     let fits = fold.train().fit_for(["ridge"], fold.future())?;
    ///     assert_eq!(fits.horizon(), 10);
    ///     assert_eq!(fits.forecast(fold.future())?.caveat(), None);
    /// }
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`fit`](Self::fit), and when the horizon is zero or beyond any series.
    pub fn fit_for<M: IntoModel>(
        &self,
        models: impl IntoIterator<Item = M>,
        horizon: impl Into<Horizon>,
    ) -> Result<Fits> {
        let aim = match horizon.into() {
            Horizon::Steps(steps) => Aim::new(steps, Scenario::default()),
            Horizon::Future(future) => Aim::new(future.reach(), future.scenario()),
        };
        let models = distinct(models.into_iter().map(IntoModel::into_model).collect::<Result<_>>()?)?;
        self.fit_aimed(&models, aim)
    }

    pub(crate) fn fit_aimed(&self, models: &[Model], aim: Aim) -> Result<Fits> {
        match aim.steps {
            Some(0) => Err(Error::usage("a horizon is at least 1 step, not 0")),
            Some(steps) if steps > MOST_STEPS => {
                Err(Error::usage(format!("a horizon of {steps} steps is beyond any series")))
            }
            _ => {
                self.check_calendar()?;
                self.fit_checked(models, aim)
            }
        }
    }

    pub(crate) fn fit_checked(&self, models: &[Model], aim: Aim) -> Result<Fits> {
        let fit = |model: &Model| {
            let started = Instant::now();
            let fitted = model.forecaster().fit(self, aim)?;
            Ok(FittedModel { model: model.clone(), fitted, seconds: started.elapsed().as_secs_f64() })
        };
        let models = models.iter().map(fit).collect::<Result<_>>()?;
        Ok(Fits(Arc::new(Inner { panel: self.clone(), models, aim })))
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
        Ok(Fits(Arc::new(Inner { panel: panel.clone(), models, aim: self.0.aim })))
    }

    /// The steps ahead that models were fitted for, where their fit depends on that: those that were stated, or the usual ones
    /// of the season.
    pub fn horizon(&self) -> usize {
        self.0.aim.steps.unwrap_or_else(|| usual_horizon(self.0.panel.season()))
    }

    /// How many candidates could not take part, and the first of the [`remarks`](Self::remarks).
    pub fn caveat(&self) -> Option<String> {
        remarks_sentence(&self.remarks())
    }

    /// How a forecast of a future is not what a backtest over its horizon and scenario scores.
    pub(crate) fn off_aim(&self, future: &Future) -> Option<String> {
        let minding = |minds: &dyn Fn(&FittedModel) -> bool| -> Option<String> {
            let models = self.0.models.iter().filter(|fit| minds(fit)).map(|fit| fit.model.label());
            Some(models.collect::<Vec<_>>().join(", ")).filter(|models| !models.is_empty())
        };
        let (fitted, asked) = (self.horizon(), Aim::new(future.reach(), future.scenario()));
        let other_steps = asked.steps.filter(|steps| *steps != fitted).and_then(|steps| {
            let models = minding(&|fit| fit.model.forecaster().minds_steps())?;
            Some(format!(
                "{models}: fitted for {fitted} steps ahead, and this forecast reaches {steps}, for which a backtest scores \
                 another fit; fit for the horizon that is forecast."
            ))
        });
        let is_observed = self.0.panel.columns().with_role(Role::Observed).next().is_some();
        let other_scenario = Some(self.0.aim.scenario).filter(|fitted| is_observed && *fitted != asked.scenario);
        let other_scenario = other_scenario.and_then(|_| {
            let models = minding(&|fit| fit.model.forecaster().minds_scenario())?;
            Some(format!(
                "{models}: fitted under another scenario for observed covariates than this forecast assumes; fit for the \
                 future that is forecast."
            ))
        });
        let caveats: Vec<String> = [other_steps, other_scenario].into_iter().flatten().collect();
        (!caveats.is_empty()).then(|| caveats.join(" "))
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

    /// What could not take part where a model chooses, weighs or calibrates, by model and series: candidates without a score, and
    /// why.
    pub fn remarks(&self) -> Vec<Failure> {
        let mut remarks = Vec::new();
        for fit in &self.0.models {
            for i in (0..self.0.panel.len()).filter(|i| fit.fitted.failure(*i).is_none()) {
                let (model, series) = (fit.model.label(), self.0.panel.label(i));
                let of = |reason: String| Failure { model: model.into(), series: series.into(), reason };
                remarks.extend(fit.fitted.describe(i).remarks.into_iter().map(of));
            }
        }
        remarks
    }

    /// In-sample one-step errors of a model for a series, one per calendar step, NaN where there is none. For a
    /// [normalised](crate::panel::Normalise) panel they are on the scale that the model saw (innovation residuals).
    ///
    /// # Errors
    /// When there is no such model or series.
    pub fn residuals(&self, model: &str, series: &str) -> Result<Vec<f64>> {
        let labels = self.models();
        let (m, _) = place(model, &labels)?;
        let i = self.0.panel.place(series)?;
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

    /// The candidates among which `auto` or `combine(by=weights)` has shared its weight: on how many series each has
    /// the most, and its mean weight over all series; the one that leads most often first. Without rows for a model
    /// that combines no others.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let model = "combine(models=[naive, theta], by=weights)";
    /// let fits = Panel::read("data/walmart_sales_weekly.csv", columns)?.fit([model])?;
    /// assert_eq!(fits.chosen(model)?.columns(), ["candidate", "leads", "mean weight"]);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such model.
    pub fn chosen(&self, model: &str) -> Result<Table> {
        let labels = self.models();
        let (m, label) = place(model, &labels)?;
        let fitted = &self.0.models[m].fitted;
        let shares = ["auto", "combine"].contains(&label.split('(').next().unwrap_or_default());
        let series: Vec<usize> =
            (0..self.0.panel.len()).filter(|series| shares && fitted.failure(*series).is_none()).collect();
        let mut found: BTreeMap<String, (u64, f64)> = BTreeMap::new();
        for series in &series {
            let weights = fitted.describe(*series).parameters;
            let most = weights.iter().map(|(_, weight)| *weight).fold(0.0, f64::max);
            let lead = weights.iter().position(|(_, weight)| *weight == most);
            for (at, (name, weight)) in weights.into_iter().enumerate().filter(|(_, (_, weight))| *weight > 0.0) {
                let (leads, sum) = found.entry(name).or_default();
                *leads += u64::from(Some(at) == lead);
                *sum += weight;
            }
        }
        let mut rows: Vec<(String, u64, f64)> =
            found.into_iter().map(|(name, (leads, sum))| (name, leads, sum / series.len() as f64)).collect();
        rows.sort_by(|a, b| b.1.cmp(&a.1).then(b.2.total_cmp(&a.2)));
        let frame = DataFrame::new(
            rows.len(),
            vec![
                Column::new("candidate".into(), rows.iter().map(|row| row.0.as_str()).collect::<Vec<_>>()),
                Column::new("leads".into(), rows.iter().map(|row| row.1).collect::<Vec<_>>()),
                Column::new("mean weight".into(), rows.iter().map(|row| row.2).collect::<Vec<_>>()),
            ],
        )?;
        Ok(Table::new(frame))
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
        let rounds = self.0.models[place(model, &self.models())?.0].fitted.training();
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

    /// Writes the fits and their training data to one file, whole or not at all, after it was made sure that
    /// [`load`](Self::load) reads the same from it.
    ///
    /// # Errors
    /// When no series could be fitted, when the file cannot be written, or would not be read back.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let series = 0..self.0.panel.len();
        if !self.0.models.iter().any(|fit| series.clone().any(|i| fit.fitted.failure(i).is_none())) {
            let reason = self.failures().first().map_or_else(String::new, |failure| format!(": {}", failure.reason));
            return Err(Error::model(format!("no model could be fitted to any series, and nothing is saved{reason}")));
        }
        let mut frame = self.0.panel.to_frame();
        let mut data = Vec::new();
        ParquetWriter::new(&mut data).finish(&mut frame)?;
        let models = self.encoded()?;
        let saved = Saved {
            kind: KIND.into(),
            format: FORMAT,
            columns: self.0.panel.settled_columns(),
            fingerprint: self.0.panel.fingerprint(),
            checksum: checksum(&data, &models),
            data,
            aim: self.0.aim,
            models,
        };
        let bytes = encode(&saved)?;
        let place = path.as_ref().display().to_string();
        let again = Self::decoded(&bytes, &place).and_then(|again| again.encoded());
        match again {
            Ok(again) if again == saved.models => crate::files::write_atomically(path.as_ref(), &bytes),
            Ok(_) => {
                Err(Error::model("these fits would not be read as they are, so they were not saved").within(place))
            }
            Err(cause) => Err(Error::model("these fits could not be read again, so they were not saved")
                .within(place)
                .because(cause.to_string())),
        }
    }

    /// The label and the saved form of each model.
    fn encoded(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let model = |fit: &FittedModel| Ok((fit.model.label().to_string(), fit.fitted.save()?));
        self.0.models.iter().map(model).collect()
    }

    /// Reads fits that [`save`](Self::save) wrote; they forecast to the same bits.
    ///
    /// # Errors
    /// When the file cannot be read, holds something else, or was written by a later version.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let place = path.display().to_string();
        let bytes = crate::files::read_bytes(path)?;
        let fits = Self::decoded(&bytes, &place)?;
        crate::files::reads(path);
        Ok(fits)
    }

    fn decoded(bytes: &[u8], place: &str) -> Result<Self> {
        let damaged = || Error::data(format!("{place} holds no saved fits, or is damaged"));
        let saved: Saved = decode(bytes).map_err(|_| damaged())?;
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
                let fitted = MODELS.named(model.name())?.load(&bytes, &panel)?;
                Ok(FittedModel { model, fitted, seconds: 0.0 })
            })
            .collect::<Result<_>>()
            .map_err(|error: Error| error.within(place))?;
        Ok(Self(Arc::new(Inner { panel, models, aim: saved.aim })))
    }

    pub(crate) fn fitted(&self, model: usize) -> &dyn Fitted {
        &*self.0.models[model].fitted
    }

    pub(crate) fn seconds(&self, model: usize) -> f64 {
        self.0.models[model].seconds
    }
}

const KIND: &str = crate::files::mark::FITS;
const FORMAT: u32 = 8;
/// The longest horizon.
const MOST_STEPS: usize = 1_000_000;

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
    aim: Aim,
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
        blocks.extend(self.caveat().map(Block::Note));
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

/// In how many fits something could not take part, and the first of them.
pub(crate) fn remarks_sentence(remarks: &[Failure]) -> Option<String> {
    let first = remarks.first()?;
    let counted = match remarks.len() {
        1 => "1 fit".into(),
        n => format!("{} fits", number(n as f64)),
    };
    Some(format!(
        "In {counted} a candidate or a calibration could not take part (first: {} on {}, {}).",
        first.model, first.series, first.reason
    ))
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
