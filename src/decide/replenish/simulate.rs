//! What would a policy have cost in the past? Orders of every review on the forecasts of a backtest, played on what was sold.
//!
//! At each review of the held-out windows an order rests on the newest forecast made before it, and on the stock that earlier
//! orders of the same model have left. Stock starts as a shop that orders what it sells: one review period of mean sales on the
//! shelf and as much on the way for each, the same for all models. Costs count from the step at which the first order can
//! arrive to the end of the last one's steps, so that every cost follows from a decision.
//!
//! Two policies are compared pairwise. The difference of their costs is summed over items step by step, and over steps item by
//! item; its standard error is the larger of that over steps (autocorrelated, [`statistics`](crate::statistics)) and that over
//! items, so that neither a week that hits all items nor an item that decides alone passes for certainty.
//!
//! Fails where sales are less than demand: what was asked for in steps without stock, or what customers of a better supplied
//! shop would have bought, is not in the record. Steps in which the item could not always be sold tell no demand: they cost nothing.

use std::collections::VecDeque;

use polars::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::order::{Ask, Costs, Pipeline, Step, Target, Timing};
use super::policy::{Belief, StockPolicy, Unmet};
use super::shelf::Shelf;
use super::state::{Item, State};
use super::{Believed, class_targets, percent, stock_figure, told, units};
use crate::decide::{Decided, Decision, without};
use crate::error::{Error, Result, find};
use crate::evaluate::Backtest;
use crate::forecast::{Forecast, Paths};
use crate::models::place;
use crate::panel::{Panel, stamp_column};
use crate::progress;
use crate::show::words::counted;
use crate::show::{Block, Finding, Table, number};
use crate::statistics::{Estimate, of_scores};

/// Steps whose mean the stock starts from.
const RECENT: usize = 13;
/// Sample paths of an order in a simulation: many orders average what few paths leave uncertain.
const PATHS: usize = 500;
/// The probability of intervals.
const LEVEL: f64 = 0.9;

/// What the orders of one model have led to for one item.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub demand: f64,
    pub missed: f64,
    pub steps: usize,
    pub steps_out: usize,
    pub cycles: usize,
    pub cycles_out: usize,
    pub left: f64,
    pub orders: usize,
    pub units: f64,
    pub wasted: f64,
    /// Holding, shortage, orders, waste.
    pub costs: [f64; 4],
    /// Their sum, step by step.
    pub by_step: Vec<f64>,
}

impl Ledger {
    fn add(&mut self, other: &Self) {
        self.demand += other.demand;
        self.missed += other.missed;
        self.steps += other.steps;
        self.steps_out += other.steps_out;
        self.cycles += other.cycles;
        self.cycles_out += other.cycles_out;
        self.left += other.left;
        self.orders += other.orders;
        self.units += other.units;
        self.wasted += other.wasted;
        self.costs.iter_mut().zip(&other.costs).for_each(|(sum, cost)| *sum += cost);
        self.by_step.resize(self.by_step.len().max(other.by_step.len()), 0.0);
        self.by_step.iter_mut().zip(&other.by_step).for_each(|(sum, cost)| *sum += cost);
    }

    pub fn cost(&self) -> f64 {
        self.costs.iter().sum()
    }

    pub fn fill_rate(&self) -> f64 {
        if self.demand > 0.0 { 1.0 - self.missed / self.demand } else { 1.0 }
    }

    pub fn cycle_service(&self) -> f64 {
        if self.cycles > 0 { 1.0 - self.cycles_out as f64 / self.cycles as f64 } else { 1.0 }
    }

    /// What the target asks for.
    pub fn service(&self, target: Target) -> f64 {
        if matches!(target, Target::FillRate(_)) { self.fill_rate() } else { self.cycle_service() }
    }
}

/// Past orders that can be played: windows, items, their rules.
pub(super) struct Past<'a> {
    pub backtest: &'a Backtest,
    pub policy: &'a StockPolicy,
    panel: Panel,
    windows: Vec<Window<'a>>,
    items: Vec<Item>,
    classes: Option<Vec<Option<f64>>>,
    /// Of each row, the share of its step in which the item could be sold.
    available: Option<Vec<f64>>,
    horizon: usize,
}

struct Window<'a> {
    forecast: &'a Forecast,
    paths: Paths,
    starts: &'a [i64],
    actuals: &'a [Vec<f64>],
    /// Steps after the start of the first window.
    after: usize,
}

/// An item in the middle of a simulation.
struct Running {
    shelf: Shelf,
    transit: VecDeque<f64>,
    ledger: Ledger,
    is_out: bool,
    /// The steps at which there was an order.
    placed: Vec<usize>,
}

impl<'a> Past<'a> {
    /// Of the windows of a backtest; `state` says what differs between items.
    pub fn of(backtest: &'a Backtest, state: Option<&State>, policy: &'a StockPolicy) -> Result<Self> {
        policy.check()?;
        if policy.budget.is_some() || policy.space.is_some() {
            return Err(Error::usage(
                "a budget or a space of all orders is not simulated: leave it out, or decide under it once the policy is chosen",
            ));
        }
        let panel = backtest.panel();
        let items: Vec<Item> = (0..panel.len())
            .map(|i| state.and_then(|state| state.item(i)).cloned().map_or_else(|| Item::plain(policy), Ok))
            .collect::<Result<_>>()?;
        let reach = items
            .iter()
            .try_fold(0, |longest, item| Ok::<_, Error>(policy.lead_times(item.lead_time)?.longest().max(longest)))?
            + policy.review;
        let (horizon, stride) = (backtest.folds().horizon(), backtest.folds().stride());
        // The last review before the next window still rests on this one's forecast.
        let needed = (stride - 1) / policy.review * policy.review + reach;
        let alone = backtest.folds().len() == 1;
        if horizon < if alone { reach } else { needed } {
            return Err(Error::usage(format!(
                "a simulation of a lead time and a review period of {reach} steps together on windows {stride} steps apart \
                 needs forecasts of {needed} steps, not {horizon}: ask for folds of {reach} steps, {} apart",
                policy.review
            )));
        }
        let draws = policy.paths.min(PATHS);
        let mut windows = Vec::new();
        for (fold, (forecast, starts, actuals)) in backtest.windows().enumerate() {
            let paths = forecast.paths(draws, policy.seed)?;
            windows.push(Window { forecast, paths, starts, actuals, after: fold * stride });
        }
        // Classes are those of the history before the first window.
        let classes = match (policy.class_targets()?.is_empty(), windows.first()) {
            (false, Some(first)) => class_targets(&panel.within(&|i, position| position < first.starts[i])?, policy)?,
            _ => None,
        };
        let available = panel.available_rows()?;
        Ok(Self { backtest, policy, panel, windows, items, classes, available, horizon })
    }

    /// Steps of all windows together.
    fn steps(&self) -> usize {
        self.windows.last().map_or(0, |last| last.after + self.horizon)
    }

    /// Why an item cannot be played, if it cannot. Windows in which its demand is not known have no review.
    fn left_out(&self, item: usize, available: Option<&[f64]>) -> Option<String> {
        let known = || self.windows.iter().filter(|window| !window.actuals[item].is_empty());
        if known().next().is_none() {
            return Some("its demand is not known in any window".into());
        }
        let models = self.backtest.models();
        let silent = |window: &Window| (0..models.len()).find(|m| window.forecast.cell(*m, item).is_none());
        if let Some(m) = known().find_map(silent) {
            return Some(format!("{} has no forecast of it in some window", models[m]));
        }
        self.panel.is_never_sold(item, available).then(|| "it was never in stock".into())
    }

    /// What each of several policies, of the same timing and costs, leads to for an item by the orders of a model. What happens step
    /// by step under the first is told.
    fn play(
        &self,
        model: usize,
        item: usize,
        policies: &[StockPolicy],
        mut each: impl FnMut(Step),
    ) -> Result<Vec<Ledger>> {
        progress::check()?;
        let (policy, rules, label) = (self.policy, &self.items[item], self.panel.label(item));
        let name = &self.backtest.models()[model];
        let lead = policy.lead_times(rules.lead_time)?;
        let (usual, review) = (rules.lead_time, policy.review);
        let first = self.windows[0].starts[item];
        let demand = self.demand(item);
        let history = self.panel.regular(item);
        let seen = self.panel.positions(item).first().map_or(0, |start| usize::try_from(first - start).unwrap_or(0));
        let recent = &history[seen.saturating_sub(RECENT).min(history.len())..seen.min(history.len())];
        let known = || recent.iter().filter(|y| !y.is_nan());
        let typical = (known().sum::<f64>() / known().count().max(1) as f64).max(0.0);
        let costs = rules.costs(policy);
        let order_cost = rules.order_cost.or(policy.order_cost).unwrap_or(0.0);
        let period = (review as f64 * typical).ceil();
        let start = || {
            // One delivery is on the way for each review before the first order can arrive.
            let transit = (0..usual).map(|step| if step > 0 && step % review == 0 { period } else { 0.0 });
            let (shelf, transit) = (Shelf::new(period, rules.shelf_life), transit.collect());
            Running { shelf, transit, ledger: Ledger::default(), is_out: false, placed: Vec::new() }
        };
        let mut running: Vec<Running> = policies.iter().map(|_| start()).collect();
        let mut late = ChaCha8Rng::seed_from_u64(policy.seed);
        late.set_stream(item as u64);
        let last = self.windows.last().map_or(0, |window| window.after);
        let reach = lead.longest() + review;
        let orderable =
            |step: usize| step.is_multiple_of(review) && (step < last || step - last + reach <= self.horizon);
        let end = (0..self.steps()).rev().find(|step| orderable(*step)).map_or(0, |step| step + usual + review);
        let mut drawn: Option<(usize, Vec<Vec<f64>>)> = None;
        for (step, asked) in demand.iter().enumerate().take(end) {
            if orderable(step) {
                let fold = self.windows.iter().rposition(|window| window.after <= step).unwrap_or(0);
                let window = &self.windows[fold];
                let from = step - window.after;
                let wait = lead.at(late.random::<f64>());
                let is_known = !window.actuals[item].is_empty();
                for (one, policy) in running.iter_mut().zip(policies).filter(|_| is_known) {
                    let believed =
                        Believed { belief: policy.belief, cell: window.forecast.cell(model, item), from, closed: &[] };
                    let class = self.classes.as_ref().and_then(|of| of[item]);
                    let goal = rules.goal(policy, class, typical)?;
                    let pipeline =
                        Pipeline { shelf: one.shelf.clone(), arrivals: one.transit.iter().copied().collect() };
                    let timing = Timing { lead: &lead, review, unmet: policy.unmet };
                    let order = believed.order(&goal, Ask::Quick, &pipeline, &timing, || {
                        if drawn.as_ref().is_none_or(|(of, _)| *of != fold) {
                            drawn = Some((fold, window.paths.of(name, label)?));
                        }
                        let paths = drawn.iter().flat_map(|(_, paths)| paths);
                        Ok(paths.map(|path| path[from.min(path.len())..].to_vec()).collect())
                    })?;
                    if order.quantity > 0.0 {
                        one.transit.resize(one.transit.len().max(wait + 1), 0.0);
                        one.transit[wait] += order.quantity;
                        one.ledger.orders += 1;
                        one.ledger.units += order.quantity;
                        one.ledger.costs[2] += order_cost;
                        one.placed.push(step);
                    }
                }
            }
            for (place, one) in running.iter_mut().enumerate() {
                let arrives = one.transit.pop_front().unwrap_or(0.0);
                let (known, asked) = (!asked.is_nan(), if asked.is_nan() { 0.0 } else { *asked });
                let played = one.shelf.step(arrives, asked, policy.unmet);
                let short = if policy.unmet == Unmet::Lost { played.missed } else { played.owed };
                if place == 0 {
                    each(Step { arrives, start: played.start, mean: asked, left: played.left, short });
                }
                // Before the first order can arrive, nothing follows from one.
                let Some(since) = step.checked_sub(usual) else { continue };
                one.count(&played, known.then_some(asked), short, costs.as_ref());
                if since % review == review - 1 {
                    one.ledger.cycles += 1;
                    one.ledger.cycles_out += usize::from(one.is_out);
                    one.is_out = false;
                }
            }
        }
        let closed = |one: Running| {
            let mut ledger = one.ledger;
            // An order costs when the first of its steps comes.
            one.placed.iter().for_each(|step| {
                if let Some(sum) = ledger.by_step.get_mut(*step) {
                    *sum += order_cost;
                }
            });
            ledger
        };
        Ok(running.into_iter().map(closed).collect())
    }

    /// What was asked for, step by step from the first window on: what was sold; NaN where nothing is recorded or the item could not
    /// always be sold.
    fn demand(&self, item: usize) -> Vec<f64> {
        let mut demand = vec![f64::NAN; self.steps()];
        for window in &self.windows {
            for (cell, y) in demand[window.after..].iter_mut().zip(&window.actuals[item]) {
                *cell = if y.is_nan() { *y } else { y.max(0.0) };
            }
        }
        let (first, positions) = (self.windows[0].starts[item], self.panel.positions(item));
        if let (Some(rows), Some(start)) = (&self.available, positions.first()) {
            let shares = self.panel.available(item, rows);
            for (step, share) in shares.iter().enumerate() {
                let place = usize::try_from(start + step as i64 - first).ok();
                if let Some(cell) = place.and_then(|place| demand.get_mut(place)).filter(|_| *share < 1.0) {
                    *cell = f64::NAN;
                }
            }
        }
        demand
    }

    /// Is what is held and what is short known to cost something, of all that was played?
    pub fn has_costs(&self, played: &Played) -> bool {
        played.items.iter().all(|item| self.items[*item].costs(self.policy).is_some())
    }

    /// Plays all items by all models and policies.
    pub fn run(&self, policies: &[StockPolicy]) -> Result<Played> {
        let (mut items, mut left_out) = (Vec::new(), Vec::new());
        for item in 0..self.panel.len() {
            match self.left_out(item, self.available.as_deref()) {
                None => items.push(item),
                Some(why) => left_out.push((item, why)),
            }
        }
        if items.is_empty() {
            let why = left_out.first().map_or("the panel is empty", |(_, why)| why.as_str());
            return Err(Error::data(format!("no item can be simulated: {why}")));
        }
        let models = self.backtest.models().len();
        let one = |item: &usize| {
            let of = |model: usize| told(self.play(model, *item, policies, |_| ()));
            (0..models).map(of).collect::<Result<Result<Vec<Vec<Ledger>>, String>>>()
        };
        let played: Vec<Result<Vec<Vec<Ledger>>, String>> = items.par_iter().map(one).collect::<Result<_>>()?;
        let mut ledgers = Vec::new();
        let mut kept = Vec::new();
        for (item, played) in items.into_iter().zip(played) {
            match played {
                Ok(played) => {
                    kept.push(item);
                    ledgers.push(played);
                }
                Err(why) => left_out.push((item, why)),
            }
        }
        match (kept.is_empty(), left_out.first()) {
            (true, Some((_, why))) => Err(Error::data(format!("no item can be simulated: {why}"))),
            _ => Ok(Played { items: kept, ledgers, left_out }),
        }
    }
}

impl Running {
    /// Enters a step; one whose demand is not known costs nothing.
    fn count(&mut self, played: &super::shelf::Played, asked: Option<f64>, short: f64, costs: Option<&Costs>) {
        let ledger = &mut self.ledger;
        let Some(asked) = asked else {
            ledger.by_step.push(0.0);
            return;
        };
        ledger.demand += asked;
        ledger.missed += played.missed;
        ledger.steps += 1;
        ledger.steps_out += usize::from(played.missed > 0.0);
        self.is_out |= played.missed > 0.0;
        ledger.left += played.left;
        ledger.wasted += played.wasted;
        let parts = costs.map_or([0.0; 3], |costs| {
            [costs.holding * played.left, costs.shortage * short, costs.waste * played.wasted]
        });
        for (place, part) in [0, 1, 3].into_iter().zip(parts) {
            ledger.costs[place] += part;
        }
        ledger.by_step.push(parts.iter().sum());
    }
}

/// What was played: by item, model and policy.
pub(super) struct Played {
    pub items: Vec<usize>,
    pub ledgers: Vec<Vec<Vec<Ledger>>>,
    pub left_out: Vec<(usize, String)>,
}

impl Played {
    /// Steps that were played.
    pub fn steps(&self) -> usize {
        self.ledgers.iter().flat_map(|of| &of[0]).map(|ledger| ledger.by_step.len()).max().unwrap_or(0)
    }

    /// All items together.
    pub fn total(&self, model: usize, policy: usize) -> Ledger {
        let mut total = Ledger::default();
        self.ledgers.iter().for_each(|of| total.add(&of[model][policy]));
        total
    }

    /// How much more one policy costs than another, with an error that allows for steps and items in common.
    pub fn difference(&self, more: (usize, usize), less: (usize, usize)) -> Estimate {
        let pairs = || self.ledgers.iter().map(|of| (&of[more.0][more.1], &of[less.0][less.1]));
        let items: Vec<f64> = pairs().map(|(a, b)| a.cost() - b.cost()).collect();
        let value: f64 = items.iter().sum();
        let n = items.len() as f64;
        let spread: f64 = items.iter().map(|d| (d - value / n).powi(2)).sum();
        let by_item = if n > 1.0 { (spread * n / (n - 1.0)).sqrt() } else { 0.0 };
        let length = pairs().map(|(a, _)| a.by_step.len()).max().unwrap_or(0);
        let mut steps = vec![0.0; length];
        for (a, b) in pairs() {
            for (sum, (a, b)) in steps.iter_mut().zip(a.by_step.iter().zip(&b.by_step)) {
                *sum += a - b;
            }
        }
        let mean = steps.iter().sum::<f64>() / length.max(1) as f64;
        let scores: Vec<f64> = steps.iter().map(|d| d - mean).collect();
        let by_step = of_scores(value, &scores, (length as f64 - 1.0).max(1.0), None);
        match by_item > by_step.error {
            true => Estimate { value, error: by_item, freedom: (n - 1.0).max(1.0) },
            false => by_step,
        }
    }
}

impl Backtest {
    /// What orders of every model would have cost in the held-out windows, and beside them what orders by the textbook's normal
    /// formula and by the point forecast alone would have: a row for each, the cheapest first, with costs in parts, fill rate, cycle
    /// service, steps out of stock, mean stock, orders, and how much more it costs than the best with its interval. The folds are one
    /// review apart and reach over lead time and review: `folds(13, 3).step(1)` for a lead time of 2 reviewed every step.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let trial = sales.backtest(["naive", "seasonal_naive"], Folds::new(8, 3).step(1))?;
    /// let policy = StockPolicy::parse("lead_time=2, holding=0.02, shortage=0.3, cycle_service=0.95")?;
    /// let simulated = trial.simulate(&policy)?;
    /// assert_eq!(simulated.table()?.rows(), 6);
    /// println!("{}", simulated.sentence());
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a number of the policy cannot be, the folds do not fit it, or no item was forecast by all models in all windows.
    pub fn simulate(&self, policy: &StockPolicy) -> Result<Decision> {
        self.simulate_with(None, policy)
    }

    /// The same of policies of one's own: rows are compared with the cheapest of the first one. They differ in what they aim at and
    /// rest on, not in timing and costs.
    ///
    /// # Errors
    /// As [`simulate`](Self::simulate), and when there is none or two differ in timing or costs.
    pub fn simulate_each(&self, policies: &[StockPolicy]) -> Result<Decision> {
        let Some(first) = policies.first() else {
            return Err(Error::usage("at least 1 policy is needed, not 0"));
        };
        for policy in policies {
            policy.check()?;
            let aims = |from: &StockPolicy| StockPolicy {
                cycle_service: policy.cycle_service,
                fill_rate: policy.fill_rate,
                belief: policy.belief,
                lots: policy.lots,
                lot: policy.lot,
                ..from.clone()
            };
            if aims(first) != *policy {
                return Err(Error::usage(
                    "policies that are compared differ in their target, what they rest on and their lots, not in timing or costs",
                ));
            }
        }
        Ok(Decision::of(Simulated::of(self, None, policies)?))
    }

    /// The same as [`simulate`](Self::simulate) with the costs, lead times and rules that a state has of each item.
    pub(crate) fn simulate_with(&self, state: Option<&State>, policy: &StockPolicy) -> Result<Decision> {
        Ok(Decision::of(Simulated::of(self, state, &beliefs(policy))?))
    }
}

/// A policy, and beside it the same by other beliefs.
fn beliefs(policy: &StockPolicy) -> Vec<StockPolicy> {
    let others =
        [Belief::Forecast, Belief::Normal, Belief::Point].into_iter().filter(|belief| *belief != policy.belief);
    let others = others.map(|belief| StockPolicy { belief, ..policy.clone() });
    std::iter::once(policy.clone()).chain(others).collect()
}

/// The orders of every model, simulated.
pub(super) struct Simulated {
    backtest: Backtest,
    /// The first is the one that the others are compared with.
    policies: Vec<StockPolicy>,
    items: Vec<Item>,
    played: Played,
    /// Model and policy, the cheapest first; without costs in their order.
    ranked: Vec<(usize, usize)>,
    /// The first of them by the policy as it is.
    best: usize,
    totals: Vec<Vec<Ledger>>,
    has_costs: bool,
}

impl Simulated {
    pub(super) fn of(backtest: &Backtest, state: Option<&State>, policies: &[StockPolicy]) -> Result<Self> {
        let policies = policies.to_vec();
        let past = Past::of(backtest, state, &policies[0])?;
        let played = past.run(&policies)?;
        let models = 0..backtest.models().len();
        let totals: Vec<Vec<Ledger>> =
            models.clone().map(|m| (0..policies.len()).map(|of| played.total(m, of)).collect()).collect();
        let has_costs = past.has_costs(&played);
        let mut ranked: Vec<(usize, usize)> =
            (0..policies.len()).flat_map(|of| models.clone().map(move |m| (m, of))).collect();
        if has_costs {
            ranked.sort_by(|a, b| totals[a.0][a.1].cost().total_cmp(&totals[b.0][b.1].cost()));
        }
        let best = ranked.iter().find(|(_, of)| *of == 0).map_or(0, |(m, _)| *m);
        let items = past.items.clone();
        drop(past);
        Ok(Self { backtest: backtest.clone(), policies, items, played, ranked, best, totals, has_costs })
    }

    fn total(&self, one: (usize, usize)) -> &Ledger {
        &self.totals[one.0][one.1]
    }

    /// How much more one costs than the best.
    fn more(&self, one: (usize, usize)) -> Estimate {
        self.played.difference(one, (self.best, 0))
    }

    /// The label of the model whose orders cost least.
    pub(super) fn best(&self) -> String {
        self.backtest.models().swap_remove(self.best)
    }
}

/// How much more something costs, with its interval, in words.
pub(super) fn more(estimate: &Estimate) -> String {
    let signed = |value: f64| match value < 0.0 {
        true => format!("{} less", units(-value)),
        false => format!("{} more", units(value)),
    };
    let (low, high) = estimate.interval(LEVEL);
    format!("{} ({} % interval {} to {})", signed(estimate.value), number(100.0 * LEVEL), signed(low), signed(high))
}

/// What an order rests on, in a word and in words.
fn word(belief: Belief) -> &'static str {
    match belief {
        Belief::Forecast => "forecast",
        Belief::Normal => "normal",
        Belief::Point => "point",
    }
}

fn ordered_by(belief: Belief) -> &'static str {
    match belief {
        Belief::Forecast => "the distribution",
        Belief::Normal => "the normal formula",
        Belief::Point => "the point forecast",
    }
}

fn by(belief: Belief) -> &'static str {
    match belief {
        Belief::Forecast => "by the whole forecast distribution",
        Belief::Normal => "by the normal formula",
        Belief::Point => "by the point forecast alone",
    }
}

impl Decided for Simulated {
    fn title(&self) -> String {
        "Simulated orders".into()
    }

    fn sentence(&self) -> String {
        let names = self.backtest.names();
        let total = self.total((self.best, 0));
        let many = counted(self.played.items.len(), "item", "items");
        let steps = counted(self.played.steps(), "step", "steps");
        let service = format!(
            "{} of demand is met from stock, and in {} of reviews an item lasts until the next delivery",
            percent(total.fill_rate()),
            percent(total.cycle_service())
        );
        let name = &names[self.best];
        if !self.has_costs {
            return format!(
                "{name} on {many} over {steps}: {service}; costs of holding and shortage would tell which model is cheapest."
            );
        }
        let parts = ["holding", "shortage", "orders", "waste"].into_iter().zip(total.costs);
        let parts: Vec<String> =
            parts.filter(|(_, cost)| *cost > 0.0).map(|(part, cost)| format!("{part} {}", units(cost))).collect();
        let mut text =
            format!("{name} on {many} over {steps} costs {} ({}): {service}.", units(total.cost()), parts.join(", "));
        let told = |one: (usize, usize)| more(&self.more(one));
        let labels = self.backtest.models();
        let accurate = self.backtest.best_by("mase").ok().and_then(|label| Some(place(&label, &labels).ok()?.0));
        match accurate {
            Some(m) if m == self.best && names.len() > 1 => text += " It is the most accurate model too.",
            Some(m) if m != self.best => {
                text += &format!(" The most accurate model, {}, would cost {}.", names[m], told((m, 0)));
            }
            _ => {}
        }
        let others = self.policies.iter().enumerate().skip(1).map(|(of, policy)| {
            let target = policy.fill_rate.or(policy.cycle_service).filter(|_| policy.belief == self.policies[0].belief);
            let target = target.map(|target| format!(" to a target of {}", percent(target))).unwrap_or_default();
            format!("{}{target} {}", by(policy.belief), told((self.best, of)))
        });
        let others: Vec<String> = others.collect();
        if !others.is_empty() {
            text += &format!(" Its orders would cost: {}.", others.join("; "));
        }
        text
    }

    fn table(&self) -> Result<Table> {
        let labels = self.backtest.models();
        let of = |value: &dyn Fn(&Ledger) -> f64| -> Vec<f64> {
            self.ranked.iter().map(|one| value(self.total(*one))).collect()
        };
        let known = |values: Vec<f64>| -> Vec<Option<f64>> {
            values.into_iter().map(|value| self.has_costs.then_some(value)).collect()
        };
        let count = |value: &dyn Fn(&Ledger) -> usize| -> Vec<i64> {
            self.ranked.iter().map(|one| value(self.total(*one)) as i64).collect()
        };
        let more: Vec<Estimate> = self.ranked.iter().map(|one| self.more(*one)).collect();
        let beliefs = self.ranked.iter().map(|(_, of)| word(self.policies[*of].belief)).collect::<Vec<_>>();
        let target = |(_, of): &(usize, usize)| self.policies[*of].fill_rate.or(self.policies[*of].cycle_service);
        let targets = self.ranked.iter().map(target).collect::<Vec<_>>();
        let items = self.played.items.len() as f64;
        let columns = vec![
            Column::new("model".into(), self.ranked.iter().map(|(m, _)| labels[*m].as_str()).collect::<Vec<_>>()),
            Column::new("belief".into(), beliefs),
            Column::new("target".into(), targets),
            Column::new("cost".into(), known(of(&Ledger::cost))),
            Column::new("holding".into(), known(of(&|ledger| ledger.costs[0]))),
            Column::new("shortage".into(), known(of(&|ledger| ledger.costs[1]))),
            Column::new("ordering".into(), known(of(&|ledger| ledger.costs[2]))),
            Column::new("waste".into(), known(of(&|ledger| ledger.costs[3]))),
            Column::new("more".into(), known(more.iter().map(|one| one.value).collect())),
            Column::new("lower".into(), known(more.iter().map(|one| one.interval(LEVEL).0).collect())),
            Column::new("upper".into(), known(more.iter().map(|one| one.interval(LEVEL).1).collect())),
            Column::new("fill_rate".into(), of(&Ledger::fill_rate)),
            Column::new("cycle_service".into(), of(&Ledger::cycle_service)),
            Column::new("stockouts".into(), count(&|ledger| ledger.steps_out)),
            Column::new("mean_stock".into(), of(&|ledger| ledger.left * items / ledger.steps.max(1) as f64)),
            Column::new("orders".into(), count(&|ledger| ledger.orders)),
            Column::new("units".into(), of(&|ledger| ledger.units)),
            Column::new("wasted".into(), of(&|ledger| ledger.wasted)),
        ];
        let best = self.ranked.iter().position(|one| *one == (self.best, 0)).unwrap_or(0);
        let table = Table::new(DataFrame::new(self.ranked.len(), columns)?);
        Ok(if self.has_costs { table.highlight(best) } else { table })
    }

    /// The stock of an item step by step, by the orders of the cheapest model.
    fn explain(&self, item: &str) -> Result<Finding> {
        let panel = self.backtest.panel();
        let labels: Vec<String> = panel.keys();
        let place = find(item, &labels, "item")?;
        if let Some((_, why)) = self.played.left_out.iter().find(|(left_out, _)| *left_out == place) {
            return Err(Error::data(format!("{item} is not simulated: {why}")));
        }
        let mut past = Past::of(&self.backtest, None, &self.policies[0])?;
        past.items.clone_from(&self.items);
        let mut steps = Vec::new();
        let ledger = past.play(self.best, place, &self.policies[..1], |step| steps.push(step))?.swap_remove(0);
        let start = past.windows[0].starts[place];
        let of = |value: fn(&Step) -> f64| steps.iter().map(value).collect::<Vec<f64>>();
        let time = &panel.inner().columns.time;
        let positions = (0..steps.len() as i64).map(|step| start + step);
        let table = Table::new(DataFrame::new(
            steps.len(),
            vec![
                stamp_column(&panel.inner().calendar, time, positions)?,
                Column::new("arrives".into(), of(|step| step.arrives)),
                Column::new("on_shelf".into(), of(|step| step.start)),
                Column::new("demand".into(), of(|step| step.mean)),
                Column::new("left".into(), of(|step| step.left)),
                Column::new("short".into(), of(|step| step.short)),
            ],
        )?);
        let sentence = format!(
            "Ordered by {}, {} of the demand of {item} is met from stock; it runs out in {} of {}, and {} units are left at the end \
             of a step on average.",
            self.backtest.names()[self.best],
            percent(ledger.fill_rate()),
            ledger.steps_out,
            counted(ledger.steps, "step", "steps"),
            units(ledger.left / ledger.steps.max(1) as f64)
        );
        let title = format!("Simulated stock of {item}");
        Ok(Finding::new(title.clone(), sentence, table).drawn(stock_figure(title, &panel, start, &steps)))
    }

    fn undecided(&self) -> Result<Table> {
        let panel = self.backtest.panel();
        without(self.played.left_out.iter().map(|(item, why)| (panel.label(*item), why.as_str())))
    }

    /// Models by name, with what decides between them.
    fn blocks(&self) -> Result<Vec<Block>> {
        let names = self.backtest.names();
        let whole = |name: &str, value: &dyn Fn((usize, usize)) -> f64| {
            let values: Vec<f64> = self.ranked.iter().map(|one| value(*one).round()).collect();
            Column::new(name.into(), values)
        };
        let share = |name: &str, value: fn(&Ledger) -> f64| {
            let values: Vec<String> = self.ranked.iter().map(|one| percent(value(self.total(*one)))).collect();
            Column::new(name.into(), values)
        };
        let mut columns = vec![
            Column::new("model".into(), self.ranked.iter().map(|one| names[one.0].as_str()).collect::<Vec<_>>()),
            Column::new(
                "orders by".into(),
                self.ranked.iter().map(|one| ordered_by(self.policies[one.1].belief)).collect::<Vec<_>>(),
            ),
        ];
        if self.has_costs {
            columns.extend([
                whole("cost", &|one| self.total(one).cost()),
                whole("more than the best", &|one| self.more(one).value),
                whole("from", &|one| self.more(one).interval(LEVEL).0),
                whole("to", &|one| self.more(one).interval(LEVEL).1),
            ]);
        }
        let items = self.played.items.len() as f64;
        columns.extend([
            share("demand met", Ledger::fill_rate),
            share("reviews met", Ledger::cycle_service),
            whole("mean stock", &|one| self.total(one).left * items / self.total(one).steps.max(1) as f64),
        ]);
        let best = self.ranked.iter().position(|one| *one == (self.best, 0)).unwrap_or(0);
        let table = Table::new(DataFrame::new(self.ranked.len(), columns)?);
        Ok(vec![Block::Table(if self.has_costs { table.highlight(best) } else { table })])
    }

    fn caveats(&self) -> Vec<String> {
        self.backtest.caveat().into_iter().collect()
    }
}
