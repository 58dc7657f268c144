//! Which model and which service level cost least in simulated past starts?
//!
//! The order of a step is the cheapest for the steps that it is for; which level is cheapest in the long run, where leftovers
//! serve later steps, sales are lost and forecasts are imperfect, is found by playing all levels of a grid on the same past
//! windows. With a service target the cheapest of those that reached it in the past is taken: a forecast whose upper quantiles are
//! too low is raised, one whose are too high is lowered.
//!
//! Fails where the past windows are few: the level of 13 weeks is one season's.

use polars::prelude::*;

use super::order::Target;
use super::policy::StockPolicy;
use super::simulate::{Ledger, Past, Played, Simulated, more};
use super::state::State;
use super::{percent, units};
use crate::decide::{Decided, Decision};
use crate::error::{Error, Result};
use crate::evaluate::Backtest;
use crate::figures::{Figure, Scatter};
use crate::models::place;
use crate::show::words::counted;
use crate::show::{Block, Finding, Table};

/// Levels that are tried.
pub(crate) const LEVELS: &[f64] = &[0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99];

impl Backtest {
    /// The label of the model that is best by a metric (`mae` where no model has a score by it), or by what its orders would have
    /// cost: `cost(lead_time=2, holding=0.2, shortage=1)`, see [`simulate`](Self::simulate).
    ///
    /// # Errors
    /// When there is no such metric, or no model could be scored; by cost, as [`simulate`](Self::simulate), and when the costs of
    /// holding and shortage are not stated.
    pub fn best(&self, metric: &str) -> Result<String> {
        let Some(policy) = cost(metric)? else { return self.best_by(metric) };
        if policy.holding.is_none() || policy.shortage.is_none() {
            return Err(Error::usage(
                "the cost of a decision needs what holding and shortage cost: cost(lead_time=2, holding=0.2, shortage=1)",
            ));
        }
        Ok(Simulated::of(self, None, &[policy])?.best())
    }

    /// Which model, and which level of the policy's service target, would have cost least in the held-out windows: a row per model
    /// and level, the one to take first. A policy without a target is tried with every cycle service level, and as it is; one with a
    /// target takes the cheapest that reached it.
    ///
    /// # Errors
    /// As [`simulate`](Self::simulate).
    pub fn choose_policy(&self, policy: &StockPolicy) -> Result<Decision> {
        Ok(Decision::of(Choice::of(self, None, policy, LEVELS)?))
    }
}

/// The policy of a label such as `cost(holding=0.2, shortage=1)`, if it is one.
fn cost(metric: &str) -> Result<Option<StockPolicy>> {
    match crate::options::split(metric)? {
        ("cost", options) => Ok(Some(crate::options::read("cost", options)?)),
        _ => Ok(None),
    }
}

/// The policy with another level of its target; the target of none is the cycle service.
fn at(policy: &StockPolicy, level: Option<f64>) -> StockPolicy {
    let mut policy = policy.clone();
    match (level, policy.fill_rate) {
        (None, _) => {}
        (_, Some(_)) => policy.fill_rate = level,
        (_, None) => policy.cycle_service = level,
    }
    policy
}

/// Models and levels, simulated, the one to take first.
pub(crate) struct Choice {
    backtest: Backtest,
    policy: StockPolicy,
    levels: Vec<Option<f64>>,
    played: Played,
    totals: Vec<Vec<Ledger>>,
    /// Model and level, in order.
    ranked: Vec<(usize, usize)>,
    has_costs: bool,
    reached: bool,
}

impl Choice {
    /// Among the models of a backtest and these levels, and the policy as it is.
    pub(crate) fn of(backtest: &Backtest, state: Option<&State>, policy: &StockPolicy, levels: &[f64]) -> Result<Self> {
        if !levels.is_empty() && !policy.class_targets()?.is_empty() {
            return Err(Error::usage(
                "a level that is searched for is that of all items: leave out the targets of classes",
            ));
        }
        let levels: Vec<Option<f64>> = std::iter::once(None).chain(levels.iter().copied().map(Some)).collect();
        let past = Past::of(backtest, state, policy)?;
        let policies: Vec<StockPolicy> = levels.iter().map(|level| at(policy, *level)).collect();
        let played = past.run(&policies)?;
        let has_costs = past.has_costs(&played);
        let models = 0..backtest.models().len();
        let totals: Vec<Vec<Ledger>> =
            models.clone().map(|m| (0..levels.len()).map(|level| played.total(m, level)).collect()).collect();
        let mut choice = Self {
            backtest: backtest.clone(),
            policy: policy.clone(),
            ranked: models.flat_map(|m| (0..levels.len()).map(move |level| (m, level))).collect(),
            levels,
            played,
            totals,
            has_costs,
            reached: true,
        };
        choice.rank();
        Ok(choice)
    }

    fn total(&self, (model, level): (usize, usize)) -> &Ledger {
        &self.totals[model][level]
    }

    /// What is asked for, and the service that counts.
    fn wanted(&self) -> Option<(Target, f64)> {
        let fill = self.policy.fill_rate.map(|rate| (Target::FillRate(rate), rate));
        fill.or(self.policy.cycle_service.map(|level| (Target::Service(level), level)))
    }

    fn rank(&mut self) {
        let burden = |total: &Ledger| if self.has_costs { total.cost() } else { total.left };
        let mut ranked = self.ranked.clone();
        match self.wanted() {
            None => ranked.sort_by(|a, b| burden(self.total(*a)).total_cmp(&burden(self.total(*b)))),
            Some((target, wanted)) => {
                let short = |one: &(usize, usize)| (wanted - self.total(*one).service(target)).max(0.0);
                ranked.sort_by(|a, b| {
                    let by_service = short(a).total_cmp(&short(b));
                    by_service.then(burden(self.total(*a)).total_cmp(&burden(self.total(*b))))
                });
                self.reached = ranked.first().is_some_and(|first| short(first) == 0.0);
            }
        }
        self.ranked = ranked;
    }

    /// The model to take, and the policy with the level to take.
    pub(crate) fn chosen(&self) -> (String, StockPolicy) {
        let (model, level) = self.ranked[0];
        (self.backtest.models().swap_remove(model), at(&self.policy, self.levels[level]))
    }

    fn level(&self, level: usize) -> String {
        let kind = if self.policy.fill_rate.is_some() { "fill rate" } else { "cycle service" };
        match self.levels[level] {
            Some(level) => format!("{kind} {}", percent(level)),
            None => "policy as stated".into(),
        }
    }

    /// Cost, or stock, against the share of demand that is met.
    fn figure(&self) -> Figure {
        let names = self.backtest.names();
        let burden =
            |total: &Ledger| if self.has_costs { total.cost() } else { total.left / total.steps.max(1) as f64 };
        let groups = names.iter().enumerate().map(|(m, name)| {
            let pairs = self.totals[m].iter().map(|total| (100.0 * total.fill_rate(), burden(total)));
            (name.clone(), pairs.collect())
        });
        Scatter {
            title: if self.has_costs { "What service costs" } else { "What service takes in stock" }.into(),
            value: if self.has_costs { "simulated cost" } else { "mean stock of an item, units" }.into(),
            foot: "demand met from stock, %".into(),
            groups: groups.collect(),
            curve: Vec::new(),
        }
        .figure()
    }
}

impl Decided for Choice {
    fn title(&self) -> String {
        "Choice of a policy".into()
    }

    fn sentence(&self) -> String {
        let names = self.backtest.names();
        let (first, labels) = (self.ranked[0], self.backtest.models());
        let total = self.total(first);
        let steps = counted(self.played.steps(), "simulated step", "simulated steps");
        let many = counted(self.played.items.len(), "item", "items");
        let cost = if self.has_costs { format!("cost {}, ", units(total.cost())) } else { String::new() };
        let mut text = format!(
            "In {steps} of {many}, {} with {} is the one to take: {cost}{} of demand met from stock.",
            names[first.0],
            self.level(first.1),
            percent(total.fill_rate())
        );
        if let (false, Some((_, wanted))) = (self.reached, self.wanted()) {
            text += &format!(" No level reached the target of {}.", percent(wanted));
        }
        let accurate = self.backtest.best_by("mase").ok().and_then(|label| Some(place(&label, &labels).ok()?.0));
        if let Some(m) = accurate.filter(|m| *m != first.0 && self.has_costs) {
            // The most accurate model at its own best level: what choosing by accuracy would have cost.
            let own = self.ranked.iter().find(|(model, _)| *model == m).copied().unwrap_or((m, 0));
            text += &format!(
                " The most accurate model, {}, at its best level would cost {}.",
                names[m],
                more(&self.played.difference(own, first))
            );
        }
        text
    }

    fn table(&self) -> Result<Table> {
        let labels = self.backtest.models();
        let of = |value: &dyn Fn(&Ledger) -> f64| -> Vec<f64> {
            self.ranked.iter().map(|one| value(self.total(*one))).collect()
        };
        let cost: Vec<Option<f64>> = of(&Ledger::cost).into_iter().map(|cost| self.has_costs.then_some(cost)).collect();
        let columns = vec![
            Column::new("model".into(), self.ranked.iter().map(|(m, _)| labels[*m].as_str()).collect::<Vec<_>>()),
            Column::new("target".into(), self.ranked.iter().map(|(_, level)| self.levels[*level]).collect::<Vec<_>>()),
            Column::new("cost".into(), cost),
            Column::new("fill_rate".into(), of(&Ledger::fill_rate)),
            Column::new("cycle_service".into(), of(&Ledger::cycle_service)),
            Column::new("mean_stock".into(), of(&|ledger| ledger.left / ledger.steps.max(1) as f64)),
        ];
        Ok(Table::new(DataFrame::new(self.ranked.len(), columns)?).highlight(0))
    }

    fn explain(&self, item: &str) -> Result<Finding> {
        let (label, policy) = self.chosen();
        Err(Error::usage(format!(
            "a policy is chosen for all items together; simulate {label} with {policy:?} to see the stock of {item}"
        )))
    }

    fn undecided(&self) -> Result<Table> {
        let panel = self.backtest.panel();
        let left_out = &self.played.left_out;
        let labels: Vec<&str> = left_out.iter().map(|(item, _)| panel.label(*item)).collect();
        let reasons: Vec<&str> = left_out.iter().map(|(_, why)| why.as_str()).collect();
        let columns = vec![Column::new("series".into(), &labels), Column::new("reason".into(), &reasons)];
        Ok(Table::new(DataFrame::new(labels.len(), columns)?))
    }

    fn figures(&self) -> Result<Vec<Figure>> {
        Ok(vec![self.figure()])
    }

    /// The figure, and the best level of each model.
    fn blocks(&self) -> Result<Vec<Block>> {
        let names = self.backtest.names();
        let mut best: Vec<(usize, usize)> = Vec::new();
        for one in &self.ranked {
            if best.iter().all(|(model, _)| *model != one.0) {
                best.push(*one);
            }
        }
        let mut columns = vec![
            Column::new("model".into(), best.iter().map(|(m, _)| names[*m].as_str()).collect::<Vec<_>>()),
            Column::new("its best level".into(), best.iter().map(|(_, level)| self.level(*level)).collect::<Vec<_>>()),
        ];
        let of = |value: &dyn Fn(&Ledger) -> f64| best.iter().map(|one| value(self.total(*one))).collect::<Vec<f64>>();
        if self.has_costs {
            columns.push(Column::new("cost".into(), of(&|total| total.cost().round())));
        }
        columns.push(Column::new(
            "demand met".into(),
            best.iter().map(|one| percent(self.total(*one).fill_rate())).collect::<Vec<_>>(),
        ));
        let table = Table::new(DataFrame::new(best.len(), columns)?).highlight(0);
        Ok(vec![Block::Figure(self.figure()), Block::Table(table)])
    }
}
