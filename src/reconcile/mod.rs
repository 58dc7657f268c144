//! Forecasts of a hierarchy, made to agree: the forecast of a total is the sum of those of its parts, in the mean and on every
//! sample path.
//!
//! | file | question |
//! |---|---|
//! | `method` | by which methods are sums reconciled? |
//! | `covariance` | how do the errors of the forecasts vary, and vary together? |
//! | `project` | which coherent values are nearest to the forecasts of all series? |
//! | `proportions` | how is a sum shared out among its leaves? |
//! | `solver` | which coherent values do forecasts become, by a method? |
//! | `coherent` | what are joint sample paths whose sums agree? |
//! | `choose` | which levels are forecast by which model, and by which method are they reconciled? |

mod choose;
mod coherent;
mod covariance;
mod method;
mod project;
mod proportions;
mod solver;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use cpu_time::ProcessTime;

pub use choose::Reconciliation;
pub use method::{RECONCILIATIONS, Reconciling};

use crate::error::{Error, Result};
use crate::evaluate::Backtest;
use crate::forecast::{Distribution, Forecast, Remade};
use crate::models::Failure;
use crate::panel::Nodes;
use crate::show::words::counted;
use coherent::{Made, Source};
use method::Method;
use solver::Solver;

impl Forecast {
    /// The forecast of every model, reconciled by a method of [`RECONCILIATIONS`] such as `mint_shrink`: the sums of a
    /// [hierarchy](crate::panel::Panel::hierarchy) agree, in the means and on every sample path. A model is called `mint_shrink(theta)` then.
    ///
    /// Series that a model could not forecast are left out of the sums, which the caveat says.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let chain = Panel::read("data/walmart_sales_weekly.csv", columns)?.hierarchy("total; Dept")?;
    /// let forecast = chain.fit(["theta"])?.forecast(8)?.reconcile("mint_shrink")?;
    /// let total = forecast.mean("mint_shrink(theta)", "total")?;
    /// let parts = (1..=7).map(|place| chain.keys()[place].clone());
    /// let means: Vec<Vec<f64>> = parts.map(|dept| forecast.mean("mint_shrink(theta)", &dept)).collect::<Result<_>>()?;
    /// assert!((total[0] - means.iter().map(|mean| mean[0]).sum::<f64>()).abs() < 1e-6);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such method; when the panel is no hierarchy; when the method needs the errors or the history of models and the
    /// forecast has none; when it does not fit the hierarchy.
    pub fn reconcile(&self, method: &str) -> Result<Forecast> {
        let method = Method::named(method)?;
        let remade = self.reconciled(std::slice::from_ref(&method), true)?.0;
        // A method that suits no model is told as such.
        match remade.failures().iter().find(|failure| failure.series == ALL_SERIES) {
            Some(failure) if remade.models().len() == 1 => Err(Error::model(failure.reason.clone())),
            _ => Ok(remade),
        }
    }

    /// The forecast of the leaves of a hierarchy alone, as orders are decided by.
    ///
    /// # Errors
    /// Only if their panel cannot be assembled.
    pub fn leaves(&self) -> Result<Forecast> {
        let kept = self.panel().counted()?;
        self.only(&kept)
    }

    /// Every model reconciled by every method, with intervals and paths if those are asked for; and the seconds that each took.
    fn reconciled(&self, methods: &[Method], spread: bool) -> Result<(Forecast, Vec<f64>)> {
        let nodes = Nodes::of(&self.panel())?;
        let (mut models, mut cells, mut made) = (Vec::new(), Vec::new(), Vec::new());
        let (mut failures, mut remarks, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
        for method in methods {
            for (model, label) in self.models().into_iter().enumerate() {
                let name = format!("{}({label})", method.label);
                let started = ProcessTime::now();
                let there: Vec<bool> = (0..self.len()).map(|i| self.cell(model, i).is_some()).collect();
                let known = Arc::new(nodes.only(&there));
                if known.leaves.len() < nodes.leaves.len() {
                    let left = nodes.leaves.iter().find(|i| !there[**i]).map_or("", |i| self.label(*i));
                    remarks.push(format!(
                        "{name}: {} without a forecast, left out of the sums (first: {left}).",
                        counted(nodes.leaves.len() - known.leaves.len(), "series", "series")
                    ));
                }
                let solved = match known.leaves.is_empty() {
                    true => Err(Error::model(format!("{label} could forecast no series"))),
                    false => Solver::new(self, model, known, method)
                        .and_then(|solver| Made::reconciled(self, model, solver, spread)),
                };
                match solved {
                    Ok((one, values)) => {
                        let own = self.failures().into_iter().filter(|failure| failure.model == label);
                        failures.extend(own.map(|failure| Failure { model: name.clone(), ..failure }));
                        made.push(one);
                        cells.extend(values);
                    }
                    Err(error) if error.is_interrupted() || error.is_usage() => return Err(error),
                    Err(error) => {
                        failures.push(Failure {
                            model: name.clone(),
                            series: ALL_SERIES.into(),
                            reason: error.to_string(),
                        });
                        made.push(Made::Kept { base: self.clone(), models: vec![model; self.len()] });
                        cells.extend(vec![None; self.len()]);
                    }
                }
                models.push(name);
                seconds.push(started.elapsed().as_secs_f64());
            }
        }
        let source = Arc::new(Source(made));
        Ok((self.remade(Remade { models, cells, source, failures, remarks }), seconds))
    }

    /// The models of this forecast and then those of one that was made of it.
    fn beside(&self, other: &Forecast) -> Forecast {
        let (mut models, mut cells, mut made) = (Vec::new(), Vec::new(), Vec::new());
        for forecast in [self, other] {
            for (model, label) in forecast.models().into_iter().enumerate() {
                models.push(label);
                cells.extend((0..forecast.len()).map(|i| forecast.cell(model, i).cloned()));
                made.push(Made::Kept { base: forecast.clone(), models: vec![model; forecast.len()] });
            }
        }
        let failures = self.failures().into_iter().chain(other.failures()).collect();
        other.remade(Remade { models, cells, source: Arc::new(Source(made)), failures, remarks: Vec::new() })
    }

    /// One forecast in which each level of a hierarchy has the model that is named for it.
    fn by_level(&self, nodes: &Nodes, of: &[usize]) -> Forecast {
        let models = self.models();
        let of_series: Vec<usize> = nodes.level.iter().map(|level| of[*level]).collect();
        let cells: Vec<Option<Distribution>> =
            of_series.iter().enumerate().map(|(i, model)| self.cell(*model, i).cloned()).collect();
        let failures = self.failures().into_iter().filter(|failure| {
            let place = models.iter().position(|model| *model == failure.model);
            self.panel().place_of(&failure.series).is_some_and(|i| Some(of_series[i]) == place)
        });
        let mut parts: Vec<String> = Vec::new();
        for (level, model) in of.iter().enumerate() {
            parts.push(format!("{}: {}", nodes.levels[level], models[*model]));
        }
        let name = match of.iter().all(|model| *model == of[0]) {
            true => models[of[0]].clone(),
            false => "by level".to_string(),
        };
        let remarks =
            if name == "by level" { vec![format!("Models by level: {}.", parts.join("; "))] } else { Vec::new() };
        let failures = failures.map(|failure| Failure { model: name.clone(), ..failure }).collect();
        let source = Arc::new(Source(vec![Made::Kept { base: self.clone(), models: of_series }]));
        self.remade(Remade { models: vec![name], cells, source, failures, remarks })
    }
}

/// What stands for the series of a failure that is one of all of them.
const ALL_SERIES: &str = "(all)";

impl Backtest {
    /// The same folds with every model also reconciled by each method, beside the models as they are: `mint_shrink(theta)` beside
    /// `theta`. Scores by level: [`by`](Self::by) with `level`.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let chain = Panel::read("data/walmart_sales_weekly.csv", columns)?.hierarchy("total; Dept")?;
    /// let trial = chain.backtest(["theta"], Folds::new(2, 8))?.reconcile(["bottom_up", "wls_struct"])?;
    /// assert_eq!(trial.models(), ["theta", "bottom_up(theta)", "wls_struct(theta)"]);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Forecast::reconcile`].
    pub fn reconcile<M: AsRef<str>>(&self, methods: impl IntoIterator<Item = M>) -> Result<Backtest> {
        let methods: Vec<Method> =
            methods.into_iter().map(|method| Method::named(method.as_ref())).collect::<Result<_>>()?;
        if methods.is_empty() {
            return Err(Error::usage("name a method to reconcile by, such as mint_shrink"));
        }
        self.made_of(&|forecast| beside(forecast, forecast.reconciled(&methods, true)?))
    }
}

/// A forecast beside what was made of it, with the seconds that the latter took.
fn beside(forecast: &Forecast, (made, seconds): (Forecast, Vec<f64>)) -> Result<(Forecast, Vec<f64>)> {
    let own = vec![0.0; forecast.models().len()];
    Ok((forecast.beside(&made), own.into_iter().chain(seconds).collect()))
}
