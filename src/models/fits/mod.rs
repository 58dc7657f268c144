//! Models × series, fitted: failures counted, never hidden.
//!
//! | question | file |
//! |---|---|
//! | Which specification was chosen, and how do residuals look? | `diagnostics` |
//! | How are fits saved and loaded? | `saved` |
//! | How are models of other libraries exported? | `native` |

mod diagnostics;
mod native;
mod saved;

use std::sync::Arc;

use cpu_time::ProcessTime;
use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Aim, Fitted, IntoModel, Model, distinct, place};
use crate::error::{Error, Result};
use crate::fitting::default_horizon;
use crate::panel::{Future, Panel, Role, Scenario};
use crate::progress;
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
    models: Vec<Arc<FittedModel>>,
    aim: Aim,
}

struct FittedModel {
    model: Model,
    fitted: Box<dyn Fitted>,
    /// CPU seconds of all threads.
    seconds: f64,
}

/// A series that a model could not be fitted to.
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
    /// Fits models, given as labels, options structs or [`Model`]s, to every series. Models whose fit depends on the forecast
    /// horizon (global models, `stack`, `select`) are fitted for the default horizon of the season, see [`Fits::horizon`]; a
    /// forecast with another horizon has a [`caveat`](crate::forecast::Forecast::caveat). Where the horizon is known, give it:
    /// [`fit_for`](Self::fit_for) fits what a backtest over that horizon scores.
    ///
    /// # Errors
    /// When a label names no model, the panel holds duplicate stamps or stamps off its calendar, or the user interrupts.
    /// A series that a model cannot be fitted to is no error but a row of [`Fits::failures`].
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
            Some(steps) if steps > MAX_STEPS => {
                Err(Error::usage(format!("a horizon of {steps} steps is beyond any series")))
            }
            _ => {
                self.check_calendar()?;
                self.fit_checked(models, aim)
            }
        }
    }

    pub(crate) fn fit_checked(&self, models: &[Model], aim: Aim) -> Result<Fits> {
        let bar = progress::names(models.len());
        let fit = |model: &Model| {
            bar.name(model.label());
            let started = ProcessTime::now();
            let fitted = model.forecaster().fit(self, aim)?;
            bar.inc(1);
            Ok(Arc::new(FittedModel { model: model.clone(), fitted, seconds: started.elapsed().as_secs_f64() }))
        };
        let models = models.iter().map(fit).collect::<Result<_>>()?;
        Ok(Fits(Arc::new(Inner { panel: self.clone(), models, aim })))
    }
}

/// The longest horizon.
const MAX_STEPS: usize = 1_000_000;

/// The forecast horizon: a number of steps, or a [`Future`] with its covariates.
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
    /// The same parameters on `panel`, which holds the same series with more values: states are filtered to the new end, nothing is
    /// estimated again. A series that a model could not be fitted to stays a failure.
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
        let update = |fit: &Arc<FittedModel>| {
            let started = ProcessTime::now();
            let fitted = fit.fitted.update(panel)?;
            Ok(Arc::new(FittedModel { model: fit.model.clone(), fitted, seconds: started.elapsed().as_secs_f64() }))
        };
        let models = self.0.models.iter().map(update).collect::<Result<_>>()?;
        Ok(Fits(Arc::new(Inner { panel: panel.clone(), models, aim: self.0.aim })))
    }

    /// The horizon that models were fitted for, where their fit depends on it: the one that was given, or the default of the season.
    pub fn horizon(&self) -> usize {
        self.0.aim.steps.unwrap_or_else(|| default_horizon(self.0.panel.season()))
    }

    /// How many candidates were left out, and the first of the [`remarks`](Self::remarks).
    pub fn caveat(&self) -> Option<String> {
        remarks_sentence(&self.remarks())
    }

    /// Why a forecast of a future differs from what a backtest over its horizon and scenario scores.
    pub(crate) fn off_aim(&self, future: &Future) -> Option<String> {
        let minding = |minds: &dyn Fn(&FittedModel) -> bool| -> Option<String> {
            let models = self.0.models.iter().filter(|fit| minds(fit)).map(|fit| fit.model.label());
            Some(models.collect::<Vec<_>>().join(", ")).filter(|models| !models.is_empty())
        };
        let (fitted, asked) = (self.horizon(), Aim::new(future.reach(), future.scenario()));
        let other_steps = asked.steps.filter(|steps| *steps != fitted).and_then(|steps| {
            let models = minding(&|fit| fit.model.forecaster().depends_on_horizon())?;
            Some(format!(
                "{models}: fitted for {fitted} steps ahead, and this forecast has {steps}, for which a backtest scores another \
                 fit; fit for the horizon that is forecast."
            ))
        });
        let is_observed = self.0.panel.columns().with_role(Role::Observed).next().is_some();
        let other_scenario = Some(self.0.aim.scenario).filter(|fitted| is_observed && *fitted != asked.scenario);
        let other_scenario = other_scenario.and_then(|_| {
            let models = minding(&|fit| fit.model.forecaster().depends_on_scenario())?;
            Some(format!(
                "{models}: fitted under another scenario for observed covariates than this forecast assumes; fit for the \
                 future that is forecast."
            ))
        });
        let caveats: Vec<String> = [other_steps, other_scenario].into_iter().flatten().collect();
        (!caveats.is_empty()).then(|| caveats.join(" "))
    }

    /// The fits of one of the models, given its place.
    #[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "only a server is asked for one of several"))]
    pub(crate) fn only(&self, model: usize) -> Fits {
        let inner = &*self.0;
        let models = inner.models.get(model).cloned().into_iter().collect();
        Fits(Arc::new(Inner { panel: inner.panel.clone(), models, aim: inner.aim }))
    }

    /// The labels of the models.
    pub fn models(&self) -> Vec<String> {
        self.0.models.iter().map(|fit| fit.model.label().to_string()).collect()
    }

    /// The panel that was fitted.
    pub fn panel(&self) -> Panel {
        self.0.panel.clone()
    }

    /// The series that a model could not be fitted to, and why.
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

    /// Candidates and calibrations that were left out where a model selects, weights or calibrates, by model and series, and why.
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
    /// [normalised](crate::panel::Normalise) panel they are on the transformed scale (innovation residuals).
    ///
    /// # Errors
    /// When there is no such model or series.
    pub fn residuals(&self, model: &str, series: &str) -> Result<Vec<f64>> {
        let labels = self.models();
        let (m, _) = place(model, &labels)?;
        let i = self.0.panel.place(series)?;
        Ok(self.0.models[m].fitted.residuals(i).to_vec())
    }

    pub(crate) fn fitted(&self, model: usize) -> &dyn Fitted {
        &*self.0.models[model].fitted
    }

    pub(crate) fn seconds(&self, model: usize) -> f64 {
        self.0.models[model].seconds
    }
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

/// The number of fits with a remark, and the first of them.
pub(crate) fn remarks_sentence(remarks: &[Failure]) -> Option<String> {
    let first = remarks.first()?;
    let counted = match remarks.len() {
        1 => "1 fit".into(),
        n => format!("{} fits", number(n as f64)),
    };
    Some(format!(
        "In {counted} a candidate or a calibration was left out (first: {} on {}, {}).",
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
