//! Which levels are forecast by which model, and by which method are they reconciled?
//!
//! Candidates are every model of a backtest, and the models that are best on each level together, each reconciled by
//! `bottom_up`, `wls_struct`, `wls_var` and `mint_shrink`. Each is compared, level by level and fold by fold, with the model that is
//! best on that level of the same folds: by the logarithm of the ratio of their mean RMSSE, so that no fold with large errors, such
//! as one over Christmas, decides alone. What a candidate is worse on a level than 1 % counts three times: a plan
//! for stores must not pay for that of the company.
//!
//! **Few folds tell little.** Where no other candidate is better by more than a standard error of the difference over folds, it is
//! `mint_shrink` of the model that is best on average, and so with a single fold.

use std::sync::Arc;

use polars::prelude::*;

use super::method::Method;
use super::{Forecast, beside};
use crate::error::{Error, Result};
use crate::evaluate::Backtest;
use crate::metrics::METRICS;
use crate::panel::Nodes;
use crate::show::{Block, Show, Table};

/// What is tried; the last is what is taken in doubt.
const TRIED: [&str; 4] = ["bottom_up", "wls_struct", "wls_var", "mint_shrink"];
/// By how much a level may become worse, and what more counts.
const HARM: (f64, f64) = (0.01, 2.0);

/// The models of the levels and the method of reconciliation that were chosen on the folds of a backtest.
#[derive(Clone)]
pub struct Reconciliation(Arc<Inner>);

struct Inner {
    method: Method,
    /// Of each level the model, as they are named in the backtest.
    models: Vec<(String, String)>,
    /// How each candidate did, the chosen one first.
    table: Table,
    harmed: Vec<String>,
}

/// A candidate: the model of each level, and a method.
struct Candidate {
    name: String,
    of: Vec<usize>,
    method: &'static str,
    /// By level and fold the mean RMSSE; none where nothing could be scored.
    scores: Vec<Vec<Option<f64>>>,
}

impl Backtest {
    /// Which model forecasts which level of a hierarchy, and by which method they are reconciled, as these folds say.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let chain = Panel::read("data/walmart_sales_weekly.csv", columns)?.hierarchy("total; Dept")?;
    /// let trial = chain.backtest(["seasonal_naive", "theta"], Folds::new(3, 8))?;
    /// let chosen = trial.reconciliation()?;
    /// let forecast = chain.fit(["seasonal_naive", "theta"])?.forecast(8)?.reconcile_as(&chosen)?;
    /// assert_eq!(forecast.models().len(), 1);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the panel is no hierarchy, or no model could be scored.
    pub fn reconciliation(&self) -> Result<Reconciliation> {
        let nodes = Nodes::of(&self.panel())?;
        let scores: Vec<Vec<Vec<Option<f64>>>> =
            (0..self.models().len()).map(|m| by_level(self, m, &nodes)).collect::<Result<_>>()?;
        let levels = 0..nodes.levels.len();
        // The base of the comparison: the best model of each level.
        let best: Vec<usize> = levels
            .clone()
            .map(|level| {
                let mean = |m: &usize| mean_log(&scores[*m][level]);
                (0..scores.len()).min_by(|a, b| mean(a).total_cmp(&mean(b))).unwrap_or(0)
            })
            .collect();
        let base: Vec<&Vec<Option<f64>>> =
            best.iter().zip(levels.clone()).map(|(m, level)| &scores[*m][level]).collect();
        if base.iter().all(|folds| folds.iter().all(Option::is_none)) {
            return Err(Error::model("no model could be scored on any level"));
        }
        let overall = |m: usize| levels.clone().map(|level| mean_log(&scores[m][level])).sum::<f64>();
        let single = (0..scores.len()).min_by(|a, b| overall(*a).total_cmp(&overall(*b))).unwrap_or(0);
        let mut bases: Vec<Vec<usize>> = (0..scores.len()).map(|m| vec![m; nodes.levels.len()]).collect();
        if best.iter().any(|m| *m != best[0]) {
            bases.push(best.clone());
        }
        let methods: Vec<Method> = TRIED.iter().map(|method| Method::named(method)).collect::<Result<_>>()?;
        let mut candidates: Vec<Candidate> = Vec::new();
        for of in bases {
            let trial = self.made_of(&|forecast| forecast.by_level(&nodes, &of).reconciled(&methods, false))?;
            for (place, method) in TRIED.into_iter().enumerate() {
                let name = trial.models()[place].clone();
                candidates.push(Candidate { name, of: of.clone(), method, scores: by_level(&trial, place, &nodes)? });
            }
        }
        let loss: Vec<f64> = candidates.iter().map(|candidate| loss(candidate, &base)).collect();
        let in_doubt =
            candidates.iter().position(|c| c.method == TRIED[3] && c.of.iter().all(|m| *m == single)).unwrap_or(0);
        let least = (0..candidates.len()).min_by(|a, b| loss[*a].total_cmp(&loss[*b])).unwrap_or(in_doubt);
        let sure = loss[least] + error_of_difference(&candidates[least], &candidates[in_doubt]) < loss[in_doubt];
        let chosen = if sure || !loss[in_doubt].is_finite() { least } else { in_doubt };
        if !loss[chosen].is_finite() {
            return Err(Error::model("no forecast of the hierarchy could be reconciled on the folds"));
        }
        let mut order: Vec<usize> = (0..candidates.len()).filter(|c| *c != chosen).collect();
        order.sort_by(|a, b| loss[*a].total_cmp(&loss[*b]));
        order.insert(0, chosen);
        let mut columns = vec![Column::new(
            "forecast".into(),
            order.iter().map(|c| candidates[*c].name.as_str()).collect::<Vec<_>>(),
        )];
        for (level, name) in nodes.levels.iter().enumerate() {
            let percent = |c: &usize| {
                let ratio = ratio(&candidates[*c].scores[level], base[level]);
                ratio.map(|ratio| (ratio.exp() - 1.0) * 100.0)
            };
            columns.push(Column::new(format!("{name}, %").into(), order.iter().map(percent).collect::<Vec<_>>()));
        }
        let of = &candidates[chosen].of;
        let names = self.models();
        let models: Vec<(String, String)> =
            nodes.levels.iter().zip(of).map(|(level, m)| (level.clone(), names[*m].clone())).collect();
        let harmed = levels.clone().filter_map(|level| {
            let ratio = ratio(&candidates[chosen].scores[level], base[level])?;
            (ratio > (1.0 + HARM.0).ln()).then(|| {
                format!(
                    "{} {:.1} % worse than {}",
                    nodes.levels[level],
                    (ratio.exp() - 1.0) * 100.0,
                    names[best[level]]
                )
            })
        });
        let table = Table::new(DataFrame::new(order.len(), columns)?)
            .titled("RMSSE of reconciled forecasts over folds, against the best model of each level")
            .highlight(0);
        Ok(Reconciliation(Arc::new(Inner {
            method: Method::named(candidates[chosen].method)?,
            models,
            table,
            harmed: harmed.collect(),
        })))
    }
}

impl Reconciliation {
    /// The method: `mint_shrink`.
    pub fn method(&self) -> String {
        self.0.method.label.clone()
    }

    /// What was chosen, in a sentence.
    pub fn sentence(&self) -> String {
        let models = &self.0.models;
        let of = match models.iter().all(|(_, model)| *model == models[0].1) {
            true => format!("{} on every level", models[0].1),
            false => models.iter().map(|(level, model)| format!("{model} for {level}")).collect::<Vec<_>>().join(", "),
        };
        format!("Forecasts by {of}, reconciled by {}.", self.0.method.label)
    }

    /// Levels on which the folds found what was chosen more than 1 % worse than their best model.
    pub fn caveat(&self) -> Option<String> {
        (!self.0.harmed.is_empty())
            .then(|| format!("On the folds the reconciled forecasts were at {}.", self.0.harmed.join("; ")))
    }

    /// Every candidate, the chosen one first: by how much its RMSSE differs from that of the best model of each level.
    pub fn table(&self) -> Table {
        self.0.table.clone()
    }
}

impl Show for Reconciliation {
    fn block(&self) -> Block {
        let mut blocks = vec![Block::Text(self.sentence())];
        blocks.extend(self.caveat().map(Block::Note));
        blocks.push(Block::Table(self.table()));
        Block::Group(blocks)
    }
}

crate::show::noun!(Reconciliation);

impl Reconciliation {
    /// The models of the levels, as one model of a forecast that has them.
    fn of_levels(&self, forecast: &Forecast) -> Result<Forecast> {
        let nodes = Nodes::of(&forecast.panel())?;
        let models = forecast.models();
        let of = nodes.levels.iter().map(|level| {
            let model = self.0.models.iter().find(|(name, _)| name == level).map(|(_, model)| model);
            let place = model.and_then(|model| models.iter().position(|one| one == model));
            place.ok_or_else(|| {
                Error::usage(format!(
                    "the forecast has no model that was chosen for {level}; forecast the models of the backtest"
                ))
            })
        });
        Ok(forecast.by_level(&nodes, &of.collect::<Result<Vec<usize>>>()?))
    }
}

impl Forecast {
    /// The forecast with the models of the levels and the method that were [chosen](Backtest::reconciliation).
    ///
    /// # Errors
    /// When a model that was chosen is not among those of this forecast; as [`reconcile`](Forecast::reconcile).
    pub fn reconcile_as(&self, chosen: &Reconciliation) -> Result<Forecast> {
        chosen.of_levels(self)?.reconcile(&chosen.0.method.label)
    }
}

impl Backtest {
    /// The same folds with what was [chosen](Self::reconciliation) beside the models as they are.
    ///
    /// # Errors
    /// As [`Forecast::reconcile_as`].
    pub fn reconcile_as(&self, chosen: &Reconciliation) -> Result<Backtest> {
        let methods = std::slice::from_ref(&chosen.0.method);
        self.made_of(&|forecast| beside(forecast, chosen.of_levels(forecast)?.reconciled(methods, true)?))
    }
}

/// By level and fold the mean RMSSE of a model.
fn by_level(trial: &Backtest, model: usize, nodes: &Nodes) -> Result<Vec<Vec<Option<f64>>>> {
    let folds = trial.folds().len();
    let mut sums = vec![vec![(0.0, 0_usize); folds]; nodes.levels.len()];
    for (fold, series, score) in trial.each(METRICS.named("rmsse")?, model) {
        let (sum, count) = &mut sums[nodes.level[series]][fold];
        *sum += score;
        *count += 1;
    }
    let mean = |(sum, count): (f64, usize)| (count > 0 && sum > 0.0).then(|| sum / count as f64);
    Ok(sums.into_iter().map(|folds| folds.into_iter().map(mean).collect()).collect())
}

/// The mean logarithm of scores; without one as bad as can be.
fn mean_log(folds: &[Option<f64>]) -> f64 {
    let known: Vec<f64> = folds.iter().flatten().map(|score| score.ln()).collect();
    if known.is_empty() { f64::INFINITY } else { known.iter().sum::<f64>() / known.len() as f64 }
}

/// The mean over folds of the logarithm of the ratio of two scores.
fn ratio(scores: &[Option<f64>], base: &[Option<f64>]) -> Option<f64> {
    let logs: Vec<f64> = scores.iter().zip(base).filter_map(|(a, b)| Some(((*a)? / (*b)?).ln())).collect();
    (!logs.is_empty()).then(|| logs.iter().sum::<f64>() / logs.len() as f64)
}

/// The mean over levels, harm beyond what is allowed counted more.
fn loss(candidate: &Candidate, base: &[&Vec<Option<f64>>]) -> f64 {
    let of = |(scores, base): (&Vec<Option<f64>>, &&Vec<Option<f64>>)| {
        let is_scored = base.iter().any(Option::is_some);
        match ratio(scores, base) {
            Some(ratio) => Some(ratio + HARM.1 * (ratio - (1.0 + HARM.0).ln()).max(0.0)),
            None => is_scored.then_some(f64::INFINITY),
        }
    };
    let known: Vec<f64> = candidate.scores.iter().zip(base).filter_map(of).collect();
    known.iter().sum::<f64>() / known.len().max(1) as f64
}

/// The standard error over folds of the difference of two candidates, mean over levels; endless with a single fold.
fn error_of_difference(one: &Candidate, other: &Candidate) -> f64 {
    let folds = one.scores.first().map_or(0, Vec::len);
    let difference = |fold: usize| {
        let logs = one.scores.iter().zip(&other.scores).filter_map(|(a, b)| Some((a[fold]? / b[fold]?).ln()));
        let logs: Vec<f64> = logs.collect();
        (!logs.is_empty()).then(|| logs.iter().sum::<f64>() / logs.len() as f64)
    };
    let each: Vec<f64> = (0..folds).filter_map(difference).collect();
    let n = each.len() as f64;
    if n < 2.0 {
        return f64::INFINITY;
    }
    let mean = each.iter().sum::<f64>() / n;
    (each.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>() / (n - 1.0) / n).sqrt()
}
