//! Which model and which service level cost least in simulated past starts?
//!
//! The order of a step is the cheapest for the steps that it is for; which level is cheapest in the long run, where leftovers
//! serve later steps, sales are lost and forecasts are imperfect, is found by playing all levels of a grid on the same past
//! windows. With a service target each model has the level that just reached it in the past, and the model is taken that is cheapest
//! there: a forecast whose upper quantiles are too low is raised, one whose are too high is lowered. A fill rate is wanted of all items together: one cycle service level for
//! all often reaches it with less stock than the same fill rate of each, which would let items run out whose demand is all but
//! known, and pile up those whose is not.
//!
//! A target is rarely reached at a level of the grid: between that which just reaches it and the next lower one a few more are tried.
//!
//! Fails where the past windows are few: the level of 13 weeks is one season's.

use polars::prelude::*;

use super::order::Target;
use super::past::{Ledger, Past, Played};
use super::policy::StockPolicy;
use super::simulate::{Simulated, more};
use super::state::State;
use super::{percent, units};
use crate::decide::{Decided, Decision, without};
use crate::error::{Error, Result};
use crate::evaluate::Backtest;
use crate::figures::{Figure, Scatter};
use crate::models::place;
use crate::show::words::{capital, counted};
use crate::show::{Block, Finding, Table};

/// Levels that are tried.
pub(crate) const LEVELS: &[f64] =
    &[0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.875, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995];

/// Parts that a step between two levels is divided into where the target is reached within it.
const PARTS: usize = 4;

/// Covers that are tried where no service is wanted, in multiples of lead time and review period.
const COVERS: [f64; 9] = [0.6, 0.8, 1.0, 1.2, 1.4, 1.7, 2.0, 2.5, 3.0];

/// Fill rates from here on are tried.
const LEAST_FILL: f64 = 0.8;

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
    /// target takes the model that is cheapest at the level that just reached it.
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

/// The policy as it is, and with cycle service levels; beside these with fill rates where one is wanted, and with covers where no
/// service is.
fn candidates(policy: &StockPolicy, levels: &[f64]) -> Vec<StockPolicy> {
    let mut targets: Vec<Target> = levels.iter().map(|level| Target::Service(*level)).collect();
    let reach = (policy.lead_time + policy.review) as f64;
    match policy.target() {
        Target::FillRate(_) => {
            targets.extend(levels.iter().filter(|level| **level >= LEAST_FILL).map(|rate| Target::FillRate(*rate)));
        }
        Target::Cost | Target::Cover(_) if !levels.is_empty() => {
            targets.extend(COVERS.map(|cover| Target::Cover(cover * reach)));
        }
        _ => {}
    }
    std::iter::once(policy.clone()).chain(targets.into_iter().map(|target| policy.aimed_at(target))).collect()
}

/// Models and levels, simulated, the one to take first.
pub(crate) struct Choice {
    backtest: Backtest,
    /// The first is the policy as it is.
    policies: Vec<StockPolicy>,
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
        let past = Past::of(backtest, state, policy)?;
        let policies = candidates(policy, levels);
        let played = past.run(&policies)?;
        if let (Target::Cover(_), false) = (policy.target(), levels.is_empty() || past.has_costs(&played)) {
            return Err(Error::usage(
                "which cover is best depends on what holding and shortage cost: state both, or a fill rate that is to be reached",
            ));
        }
        let mut choice = Self {
            backtest: backtest.clone(),
            ranked: Vec::new(),
            has_costs: past.has_costs(&played),
            policies,
            played,
            totals: Vec::new(),
            reached: true,
        };
        choice.rank();
        let between = choice.between();
        if !between.is_empty() {
            choice.played = choice.played.beside(past.run(&between)?);
            choice.policies.extend(between);
            choice.rank();
        }
        Ok(choice)
    }

    /// Levels between those that just reach the target and the next lower ones.
    fn between(&self) -> Vec<StockPolicy> {
        let Some((target, wanted)) = self.wanted().filter(|_| self.policies.len() > 1) else { return Vec::new() };
        let mut found: Vec<StockPolicy> = Vec::new();
        for first in self.just_reaching() {
            let kind = self.policies[first.1].target();
            let reaches = kind.level().unwrap_or(0.0);
            let below = (0..self.policies.len()).filter(|k| self.total((first.0, *k)).service(target) < wanted);
            let below = below.map(|k| self.policies[k].target()).filter(|other| other.is_like(kind));
            let lower = below.filter_map(Target::level).filter(|at| *at < reaches).max_by(f64::total_cmp);
            let Some(lower) = lower.filter(|_| self.total(first).service(target) > wanted) else { continue };
            for part in 1..PARTS {
                let at = lower + (reaches - lower) * part as f64 / PARTS as f64;
                let is_rate = kind.is_like(Target::FillRate(at));
                let policy =
                    self.policies[0].aimed_at(if is_rate { Target::FillRate(at) } else { Target::Service(at) });
                if !found.contains(&policy) {
                    found.push(policy);
                }
            }
        }
        found
    }

    /// Of each model and kind of level, the one that just reaches the target, else the one that nearly does.
    fn just_reaching(&self) -> Vec<(usize, usize)> {
        let Some((target, wanted)) = self.wanted() else { return Vec::new() };
        let beyond = |one: &(usize, usize)| self.total(*one).service(target) - wanted;
        // Just above is best, just below is second.
        let closest = |a: &(usize, usize), b: &(usize, usize)| {
            let place = |of: f64| if of >= 0.0 { (0, of) } else { (1, -of) };
            let (a, b) = (place(beyond(a)), place(beyond(b)));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        };
        let of = |(model, kind): (usize, Target)| {
            let levels = (0..self.policies.len()).filter(|k| self.policies[*k].target().is_like(kind));
            levels.map(|k| (model, k)).min_by(closest)
        };
        let kinds = [Target::Service(0.0), Target::FillRate(0.0)];
        (0..self.totals.len()).flat_map(|model| kinds.map(|kind| (model, kind))).filter_map(of).collect()
    }

    fn total(&self, (model, level): (usize, usize)) -> &Ledger {
        &self.totals[model][level]
    }

    /// What is asked for, and the service that counts.
    fn wanted(&self) -> Option<(Target, f64)> {
        match self.policies[0].target() {
            target @ (Target::Service(level) | Target::FillRate(level)) => Some((target, level)),
            Target::Cover(_) | Target::Cost => None,
        }
    }

    /// The cheapest first; with a target, each model's level that just reaches it before all others.
    fn rank(&mut self) {
        let models = 0..self.backtest.models().len();
        let levels = 0..self.policies.len();
        let totals = |m: usize| levels.clone().map(|level| self.played.total(m, level)).collect();
        self.totals = models.clone().map(totals).collect();
        self.ranked = models.flat_map(|m| levels.clone().map(move |level| (m, level))).collect();
        let burden =
            |one: &(usize, usize)| if self.has_costs { self.total(*one).cost() } else { self.total(*one).left };
        let mut ranked = self.ranked.clone();
        ranked.sort_by(|a, b| burden(a).total_cmp(&burden(b)));
        if let Some((target, wanted)) = self.wanted() {
            let short = |one: &(usize, usize)| (wanted - self.total(*one).service(target)).max(0.0);
            let better = |a: &(usize, usize), b: &(usize, usize)| {
                short(a).total_cmp(&short(b)).then(burden(a).total_cmp(&burden(b)))
            };
            // Of a model, the cheaper kind of level.
            let all = self.just_reaching();
            let of = |model: usize| all.iter().filter(|(m, _)| *m == model).copied().min_by(|a, b| better(a, b));
            let mut first: Vec<(usize, usize)> = (0..self.totals.len()).filter_map(of).collect();
            first.sort_by(better);
            self.reached = first.first().is_some_and(|one| short(one) == 0.0);
            ranked.retain(|one| !first.contains(one));
            first.append(&mut ranked);
            ranked = first;
        }
        self.ranked = ranked;
    }

    /// The model to take, and the policy with the level to take.
    pub(crate) fn chosen(&self) -> (String, StockPolicy) {
        let (model, level) = self.ranked[0];
        (self.backtest.models().swap_remove(model), self.policies[level].clone())
    }

    fn level(&self, level: usize) -> String {
        match level {
            0 => "the policy as stated".into(),
            level => self.policies[level].target().words(),
        }
    }

    /// A number of each model and level against the share of demand that is met.
    fn against_service(&self, title: &str, value: &str, of: impl Fn(&Ledger) -> f64) -> Figure {
        let names = self.backtest.names();
        let groups = names.iter().enumerate().map(|(m, name)| {
            let pairs = self.totals[m].iter().map(|total| (100.0 * total.fill_rate(), of(total)));
            (name.clone(), pairs.collect())
        });
        Scatter {
            title: title.into(),
            value: value.into(),
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
        } else if let (true, Some((target, _))) = (self.has_costs, self.wanted()) {
            // More service for less: shortages cost more than the stock that prevents them.
            let of_model = self.ranked.iter().filter(|(model, _)| *model == first.0).copied();
            let cheapest = of_model.min_by(|a, b| self.total(*a).cost().total_cmp(&self.total(*b).cost()));
            let better = |one: &(usize, usize)| {
                let other = self.total(*one);
                other.cost() < total.cost() && other.service(target) > total.service(target)
            };
            if let Some(one) = cheapest.filter(better) {
                text += &format!(
                    " {} would meet {} and cost {}.",
                    capital(&self.level(one.1)),
                    percent(self.total(one).fill_rate()),
                    more(&self.played.difference(one, first))
                );
            }
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
        let target = |of: fn(&StockPolicy) -> Option<f64>| -> Vec<Option<f64>> {
            self.ranked.iter().map(|(_, level)| of(&self.policies[*level])).collect()
        };
        let cost: Vec<Option<f64>> = of(&Ledger::cost).into_iter().map(|cost| self.has_costs.then_some(cost)).collect();
        let columns = vec![
            Column::new("model".into(), self.ranked.iter().map(|(m, _)| labels[*m].as_str()).collect::<Vec<_>>()),
            Column::new("cycle_service_target".into(), target(|policy| policy.cycle_service)),
            Column::new("fill_rate_target".into(), target(|policy| policy.fill_rate)),
            Column::new("cover_target".into(), target(|policy| policy.cover)),
            Column::new("cost".into(), cost),
            Column::new("fill_rate".into(), of(&Ledger::fill_rate)),
            Column::new("cycle_service".into(), of(&Ledger::cycle_service)),
            Column::new("mean_stock".into(), of(&|ledger| ledger.left / ledger.steps.max(1) as f64)),
        ];
        Ok(Table::new(DataFrame::new(self.ranked.len(), columns)?).highlight(0))
    }

    fn explain(&self, item: &str) -> Result<Finding> {
        let (model, level) = self.ranked[0];
        let (name, level) = (self.backtest.names().swap_remove(model), self.level(level));
        Err(Error::usage(format!(
            "a policy is chosen for all items together: simulate {name} with {level} to see the stock of {item}"
        )))
    }

    fn undecided(&self) -> Result<Table> {
        let panel = self.backtest.panel();
        without(self.played.left_out.iter().map(|(item, why)| (panel.label(*item), why.as_str())))
    }

    fn figures(&self) -> Result<Vec<Figure>> {
        // The exchange curve: how much stock buys how much service.
        let stock = self.against_service("What service takes in stock", "mean stock of an item, units", |total| {
            total.left / total.steps.max(1) as f64
        });
        let cost = || self.against_service("What service costs", "simulated cost", Ledger::cost);
        Ok(self.has_costs.then(cost).into_iter().chain([stock]).collect())
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
        let first = self.figures()?.into_iter().take(1).map(Block::Figure);
        Ok(first.chain([Block::Table(table)]).collect())
    }
}
