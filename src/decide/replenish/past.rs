//! What happens to stock when past orders are played on what was sold?
//!
//! At each review of the held-out windows an order rests on the newest forecast made before it, and on the stock that earlier
//! orders of the same model have left. Stock starts as a shop that orders what it sells: one review period of mean sales on the
//! shelf and as much on the way for each, the same for all models. Costs count from the step at which the first order can
//! arrive to the end of the last one's steps, so that every cost follows from a decision. Items are played one by one; where
//! their orders share a budget or a space, all together, and at each review what is too much is cut (`limit.rs`).
//!
//! Fails where sales are less than demand: what was asked for in steps without stock, or what customers of a better supplied
//! shop would have bought, is not in the record. Steps in which the item could not always be sold tell no demand: they cost nothing.

use std::collections::{HashMap, VecDeque};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::order::{Ask, Costs, Order, Pipeline, Step, Target, Timing};
use super::policy::{LeadTimes, StockPolicy, Unmet};
use super::shelf::Shelf;
use super::state::{Item, State};
use super::{Believed, class_targets, limit, told};
use crate::error::{Error, Result};
use crate::evaluate::Backtest;
use crate::forecast::{Forecast, Paths};
use crate::panel::Panel;
use crate::progress;
use crate::statistics::{Estimate, of_scores};

/// Steps whose mean the stock starts from.
const RECENT: usize = 13;
/// Sample paths of an order in a simulation: many orders average what few paths leave uncertain.
const PATHS: usize = 500;

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
        if target.is_like(Target::FillRate(0.0)) { self.fill_rate() } else { self.cycle_service() }
    }
}

/// Past orders that can be played: windows, items, their rules.
pub(super) struct Past<'a> {
    pub backtest: &'a Backtest,
    pub policy: &'a StockPolicy,
    panel: Panel,
    windows: Vec<Window<'a>>,
    pub items: Vec<Item>,
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
struct Play<'a> {
    item: usize,
    rules: &'a Item,
    lead: LeadTimes,
    /// Steps from a review to the end of what its order is for, at most.
    reach: usize,
    demand: Vec<f64>,
    /// The mean of a step before the first window.
    typical: f64,
    /// Steps that are played.
    end: usize,
    /// Draws of lead times.
    late: ChaCha8Rng,
    /// By policy.
    running: Vec<Running>,
    /// The sample paths of a window.
    drawn: Option<(usize, Vec<Vec<f64>>)>,
}

/// Its stock under one policy.
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
        let panel = backtest.panel();
        let items: Vec<Item> = (0..panel.len())
            .map(|i| state.and_then(|state| state.item(i)).cloned().map_or_else(|| Item::plain(policy), Ok))
            .collect::<Result<_>>()?;
        if limit::is_shared(policy) {
            let Some(state) = state else {
                return Err(Error::usage(
                    "a budget or a space of all orders needs the file with the stock, which says what a unit of each item takes of it",
                ));
            };
            limit::check(state, panel.len(), policy, |i| panel.label(i).to_string())?;
        }
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
        if limit::is_shared(self.policy) && limit::weight(self.policy, &self.items[item]).is_none() {
            return Some("the file with the stock has no row of it: what it takes of the limit is not known".into());
        }
        let models = self.backtest.models();
        let silent = |window: &Window| (0..models.len()).find(|m| window.forecast.cell(*m, item).is_none());
        if let Some(m) = known().find_map(silent) {
            return Some(format!("{} has no forecast of it in some window", models[m]));
        }
        self.panel.is_never_sold(item, available).then(|| "it was never in stock".into())
    }

    /// An item at the start of the first window, under several policies.
    fn begin(&self, item: usize, policies: &[StockPolicy]) -> Result<Play<'_>> {
        let rules = &self.items[item];
        let (usual, review) = (rules.lead_time, self.policy.review);
        let lead = self.policy.lead_times(usual)?;
        let first = self.windows[0].starts[item];
        let history = self.panel.regular(item);
        let seen = self.panel.positions(item).first().map_or(0, |start| usize::try_from(first - start).unwrap_or(0));
        let recent = &history[seen.saturating_sub(RECENT).min(history.len())..seen.min(history.len())];
        let known = || recent.iter().filter(|y| !y.is_nan());
        let typical = (known().sum::<f64>() / known().count().max(1) as f64).max(0.0);
        let period = (review as f64 * typical).ceil();
        let start = || {
            // One delivery is on the way for each review before the first order can arrive.
            let transit = (0..usual).map(|step| if step > 0 && step % review == 0 { period } else { 0.0 });
            let (shelf, transit) = (Shelf::new(period, rules.shelf_life), transit.collect());
            Running { shelf, transit, ledger: Ledger::default(), is_out: false, placed: Vec::new() }
        };
        let mut late = ChaCha8Rng::seed_from_u64(self.policy.seed);
        late.set_stream(item as u64);
        let mut play = Play {
            item,
            rules,
            reach: lead.longest() + review,
            lead,
            demand: self.demand(item),
            typical,
            end: 0,
            late,
            running: policies.iter().map(|_| start()).collect(),
            drawn: None,
        };
        let last = (0..self.steps()).rev().find(|step| self.is_review(&play, *step));
        play.end = last.map_or(0, |step| step + usual + review).min(play.demand.len());
        Ok(play)
    }

    /// Is there an order at this step whose steps are all played?
    fn is_review(&self, play: &Play, step: usize) -> bool {
        let last = self.windows.last().map_or(0, |window| window.after);
        step.is_multiple_of(self.policy.review) && (step < last || step - last + play.reach <= self.horizon)
    }

    /// The orders of a review, by policy, and the steps until they arrive; none where nothing is ordered in this step.
    fn review(
        &self,
        model: usize,
        play: &mut Play,
        step: usize,
        policies: &[StockPolicy],
        ask: Ask,
    ) -> Result<Option<(Vec<Order>, usize)>> {
        if step >= play.end || !self.is_review(play, step) {
            return Ok(None);
        }
        let fold = self.windows.iter().rposition(|window| window.after <= step).unwrap_or(0);
        let window = &self.windows[fold];
        let (item, from) = (play.item, step - window.after);
        let wait = play.lead.at(play.late.random::<f64>());
        if window.actuals[item].is_empty() {
            return Ok(None);
        }
        let class = self.classes.as_ref().and_then(|of| of[item]);
        let Play { rules, lead, typical, running, drawn, .. } = play;
        let mut order = |(one, policy): (&Running, &StockPolicy)| {
            let cell = window.forecast.cell(model, item);
            let believed = Believed { belief: policy.belief, cell, from, closed: &[] };
            let goal = rules.goal(policy, class, *typical)?;
            let pipeline = Pipeline { shelf: one.shelf.clone(), arrivals: one.transit.iter().copied().collect() };
            let timing = Timing { lead, review: policy.review, unmet: policy.unmet };
            believed.order(&goal, ask, &pipeline, &timing, || {
                if drawn.as_ref().is_none_or(|(of, _)| *of != fold) {
                    let name = &self.backtest.models()[model];
                    *drawn = Some((fold, window.paths.of(name, self.panel.label(item))?));
                }
                let paths = drawn.iter().flat_map(|(_, paths)| paths);
                Ok(paths.map(|path| path[from.min(path.len())..].to_vec()).collect())
            })
        };
        let orders = running.iter().zip(policies).map(&mut order).collect::<Result<Vec<Order>>>()?;
        Ok(Some((orders, wait)))
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
        let mut play = self.begin(item, policies)?;
        for step in 0..play.end {
            if let Some((orders, wait)) = self.review(model, &mut play, step, policies, Ask::Quick)? {
                let quantities: Vec<f64> = orders.iter().map(|order| order.quantity).collect();
                self.place(&mut play, step, &quantities, wait);
            }
            each(self.advance(&mut play, step));
        }
        Ok(self.close(play))
    }

    /// The same of all items where their orders share a limit: at each review they are cut together. What happens to `item` under the
    /// first policy is told.
    fn play_all(
        &self,
        model: usize,
        items: &[usize],
        policies: &[StockPolicy],
        (item, mut each): (Option<usize>, impl FnMut(Step)),
    ) -> Result<Vec<Result<Vec<Ledger>, String>>> {
        let mut plays: Vec<Result<Play, String>> =
            items.iter().map(|item| told(self.begin(*item, policies))).collect::<Result<_>>()?;
        let end = plays.iter().flatten().map(|play| play.end).max().unwrap_or(0);
        for step in 0..end {
            progress::check()?;
            let review = |play: &mut Result<Play, String>| match play {
                Err(_) => Ok(None),
                Ok(open) => match told(self.review(model, open, step, policies, Ask::WithSmaller))? {
                    Ok(orders) => Ok(orders),
                    Err(why) => {
                        *play = Err(why);
                        Ok(None)
                    }
                },
            };
            let reviews: Vec<Option<(Vec<Order>, usize)>> = plays.par_iter_mut().map(review).collect::<Result<_>>()?;
            let ordered: Vec<usize> = (0..plays.len()).filter(|place| reviews[*place].is_some()).collect();
            let of = |policy: usize| {
                let orders = ordered.iter().filter_map(|place| {
                    let (orders, _) = reviews[*place].as_ref()?;
                    Some((&self.items[items[*place]], &orders[policy]))
                });
                limit::within(self.policy, orders)
            };
            let quantities: Vec<Vec<f64>> = (0..policies.len()).map(of).collect();
            for (k, place) in ordered.into_iter().enumerate() {
                if let (Ok(play), Some((_, wait))) = (&mut plays[place], &reviews[place]) {
                    let own: Vec<f64> = quantities.iter().map(|all| all[k]).collect();
                    self.place(play, step, &own, *wait);
                }
            }
            for play in plays.iter_mut().flatten().filter(|play| step < play.end) {
                let happened = self.advance(play, step);
                if item == Some(play.item) {
                    each(happened);
                }
            }
        }
        Ok(plays.into_iter().map(|play| play.map(|play| self.close(play))).collect())
    }

    /// Orders, by policy.
    fn place(&self, play: &mut Play, step: usize, quantities: &[f64], wait: usize) {
        let order_cost = self.order_cost(play.rules);
        for (one, quantity) in play.running.iter_mut().zip(quantities).filter(|(_, quantity)| **quantity > 0.0) {
            one.transit.resize(one.transit.len().max(wait + 1), 0.0);
            one.transit[wait] += quantity;
            one.ledger.orders += 1;
            one.ledger.units += quantity;
            one.ledger.costs[2] += order_cost;
            one.placed.push(step);
        }
    }

    fn order_cost(&self, rules: &Item) -> f64 {
        rules.order_cost.or(self.policy.order_cost).unwrap_or(0.0)
    }

    /// Deliveries and sales of a step under all policies; what happens under the first.
    fn advance(&self, play: &mut Play, step: usize) -> Step {
        let (policy, asked, costs) = (self.policy, play.demand[step], play.rules.costs(self.policy));
        let (known, asked) = (!asked.is_nan(), if asked.is_nan() { 0.0 } else { asked });
        let mut first = None;
        for one in &mut play.running {
            let arrives = one.transit.pop_front().unwrap_or(0.0);
            let played = one.shelf.step(arrives, asked, policy.unmet);
            let short = if policy.unmet == Unmet::Lost { played.missed } else { played.owed };
            first.get_or_insert(Step { arrives, start: played.start, mean: asked, left: played.left, short });
            // Before the first order can arrive, nothing follows from one.
            let Some(since) = step.checked_sub(play.rules.lead_time) else { continue };
            one.count(&played, known.then_some(asked), short, costs.as_ref());
            if since % policy.review == policy.review - 1 {
                one.ledger.cycles += 1;
                one.ledger.cycles_out += usize::from(one.is_out);
                one.is_out = false;
            }
        }
        first.unwrap_or_default()
    }

    /// What it has led to. An order costs when the first of its steps comes.
    fn close(&self, play: Play) -> Vec<Ledger> {
        let order_cost = self.order_cost(play.rules);
        let closed = |one: Running| {
            let mut ledger = one.ledger;
            for step in one.placed {
                if let Some(sum) = ledger.by_step.get_mut(step) {
                    *sum += order_cost;
                }
            }
            ledger
        };
        play.running.into_iter().map(closed).collect()
    }

    /// What happens to an item step by step under a policy, by the orders of a model.
    pub fn tell(
        &self,
        model: usize,
        item: usize,
        items: &[usize],
        policy: &StockPolicy,
    ) -> Result<(Ledger, Vec<Step>)> {
        let mut steps = Vec::new();
        let policies = std::slice::from_ref(policy);
        let ledger = match limit::is_shared(self.policy) {
            false => self.play(model, item, policies, |step| steps.push(step))?.swap_remove(0),
            true => {
                let all = self.play_all(model, items, policies, (Some(item), |step| steps.push(step)))?;
                let own = items.iter().zip(all).find(|(of, _)| **of == item).map(|(_, ledgers)| ledgers);
                let own = own.unwrap_or_else(|| Err("it is not simulated".into())).map_err(Error::data)?;
                own.into_iter().next().unwrap_or_default()
            }
        };
        Ok((ledger, steps))
    }

    /// The first step of an item that is played.
    pub fn start(&self, item: usize) -> i64 {
        self.windows[0].starts[item]
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
        let played: Vec<Result<Vec<Vec<Ledger>>, String>> = match limit::is_shared(self.policy) {
            false => {
                let one = |item: &usize| {
                    let of = |model: usize| told(self.play(model, *item, policies, |_| ()));
                    (0..models).map(of).collect::<Result<Result<_, String>>>()
                };
                items.par_iter().map(one).collect::<Result<_>>()?
            }
            true => {
                let of = |model: usize| self.play_all(model, &items, policies, (None, |_| ()));
                let mut by_model =
                    (0..models).map(of).map(|all| all.map(Vec::into_iter)).collect::<Result<Vec<_>>>()?;
                let one = |_: &usize| by_model.iter_mut().filter_map(Iterator::next).collect();
                items.iter().map(one).collect()
            }
        };
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

    /// The same with more policies, of the items that all of them could be played for.
    pub fn beside(self, more: Self) -> Self {
        let mut both = Self { items: Vec::new(), ledgers: Vec::new(), left_out: self.left_out };
        let mut others: HashMap<usize, Vec<Vec<Ledger>>> = more.items.into_iter().zip(more.ledgers).collect();
        for (item, mut ledgers) in self.items.into_iter().zip(self.ledgers) {
            match others.remove(&item) {
                Some(other) => {
                    ledgers.iter_mut().zip(other).for_each(|(own, other)| own.extend(other));
                    both.items.push(item);
                    both.ledgers.push(ledgers);
                }
                None => {
                    let why = more.left_out.iter().find(|(left_out, _)| *left_out == item);
                    both.left_out.push((item, why.map_or_else(String::new, |(_, why)| why.clone())));
                }
            }
        }
        both
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
