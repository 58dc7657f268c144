//! How much is ordered of each item, and why?
//!
//! | file | question |
//! |---|---|
//! | `mod.rs` | how much is ordered of each item, and why? |
//! | `policy.rs` | when is there an order, what is it to achieve, what does it cost? |
//! | `state.rs` | what is on the shelf and on the way? |
//! | `order.rs` | how much makes a pipeline of stock reach its target, under lost sales or backorders? |
//! | `shelf.rs` | what is left on the shelf from step to step? |
//! | `limit.rs` | all orders share a budget or a space: how much of each? |
//! | `past.rs` | what happens to stock when past orders are played on what was sold? |
//! | `simulate.rs` | what would a policy have cost in the past? |
//! | `choose.rs` | which model and which service level cost least in simulated past starts? |

mod choose;
mod limit;
mod order;
mod past;
mod policy;
mod shelf;
mod simulate;
mod state;

use std::path::Path;
use std::sync::Arc;

use polars::prelude::*;
use rayon::prelude::*;

pub(crate) use choose::{Choice, LEVELS};
pub use policy::{Belief, Lots, StockPolicy, Unmet};
pub(crate) use state::State;

use super::{Decided, Decision, keyed, only_model, without};
use crate::error::{Error, Result, find};
use crate::explore;
use crate::figures::{Figure, Line, Lines, TimeAxis};
use crate::forecast::{Distribution, Forecast, Paths};
use crate::panel::Panel;
use crate::progress;
use crate::show::words::counted;
use crate::show::{Block, Finding, Table, number};
use order::{Ask, Demand, Goal, Order, Pipeline, Step, Target, Timing};
use shelf::Shelf;
use state::Item;

/// Orders that a report tells in words, and rows of its table.
const FIRST: usize = 5;
const SHOWN: usize = 20;

/// The columns of the orders as a planner reads them, and what they mean.
const READ: [(&str, &str); 5] =
    [("position", "stock"), ("level", "enough with"), ("mean", "demand"), ("p_out", "risk"), ("expected_cost", "cost")];
const MEANING: &str = "Stock: on hand and on the way. Enough with: what stock and order together should be. Demand: expected until \
                       the next order arrives. Risk: the probability that something is asked for and not there. Cost: expected in \
                       the steps that the order is for.";

/// What an order meets when it arrives.
pub(crate) struct Arrival {
    /// The steps that it is for: a date, or the first and the last.
    pub covered: String,
    /// Units that are expected to be left on the shelf.
    pub left: f64,
    /// Units that come in beside it.
    pub others: f64,
    /// What is expected to be asked for in these steps.
    pub demand: f64,
}

/// The orders of all items.
struct Orders {
    forecast: Forecast,
    resupply: Resupply,
    /// In the order of the panel; items that only the state has come last.
    lines: Vec<Row>,
    /// What the shared limit did.
    limited: Option<String>,
}

/// The decision on one item.
struct Row {
    label: String,
    /// The series of the panel; none for an item without a history.
    series: Option<usize>,
    /// The order, or why there is none.
    order: Result<Order, String>,
    reason: String,
}

impl Forecast {
    /// How much to order of each item now. `state` is a file with the keys, `on_hand` and `in_transit_1`, `in_transit_2` … (on
    /// the shelf at the start of the first, second … step of the forecast), and optionally `price`, `cost`, `holding`, `shortage`,
    /// `order_cost`, `pack`, `minimum`, `maximum`, `volume`, `shelf_life`, `lead_time` and `target` of each item. The forecast is of
    /// one model, and at least as long as lead time and review together.
    ///
    /// # Errors
    /// When the file cannot be read, a number in it or in the policy is none that a decision can rest on, or the forecast is too
    /// short or of several models. An item that cannot be decided on is listed in the decision with the reason.
    pub fn decide_stock(&self, state: impl AsRef<Path>, policy: &StockPolicy) -> Result<Decision> {
        policy.check()?;
        self.decide(&State::read(state.as_ref(), &self.panel(), policy)?, policy)
    }

    /// The same of a state that was read before.
    pub(crate) fn decide(&self, state: &State, policy: &StockPolicy) -> Result<Decision> {
        self.decide_but(state, policy, None)
    }

    /// The same of the items that the state knows, as if there were no others.
    #[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "only a server is asked for single items"))]
    pub(crate) fn decide_known(&self, state: &State, policy: &StockPolicy) -> Result<Decision> {
        self.decide_of(state, policy, None, &|i| state.item(i).is_some())
    }

    /// The same, with steps in which nothing can be sold.
    fn decide_but(&self, state: &State, policy: &StockPolicy, closed: Option<&Closed>) -> Result<Decision> {
        self.decide_of(state, policy, closed, &|_| true)
    }

    fn decide_of(
        &self,
        state: &State,
        policy: &StockPolicy,
        closed: Option<&Closed>,
        asked: &dyn Fn(usize) -> bool,
    ) -> Result<Decision> {
        let model = only_model(self.models(), "")?;
        if state.reach() > self.horizon() {
            return Err(Error::usage(format!(
                "a lead time of {} and a review period of {} need a forecast of {} steps; it has {}",
                state.reach() - policy.review,
                policy.review,
                state.reach(),
                self.horizon()
            )));
        }
        let panel = self.panel();
        let classes = class_targets(&panel, policy)?;
        let mut goals = (0..self.len()).filter_map(|i| {
            state.item(i).map(|item| item.goal(policy, classes.as_ref().and_then(|of| of[i]), 1.0).map(|_| ()))
        });
        if let Some(Err(error)) = goals.next()
            && goals.all(|goal| goal.is_err())
        {
            return Err(error);
        }
        limit::check(state, self.len(), policy, |i| self.label(i).to_string())?;
        let paths = self.paths(policy.paths, policy.seed)?;
        let ordering = Ordering { policy, classes: classes.as_deref(), paths, closed };
        let available = panel.available_rows()?;
        let shares = limit::is_shared(policy);
        let best = |i: usize| {
            progress::check()?;
            let ask = if shares { Ask::WithSmaller } else { Ask::Best };
            match state.item(i) {
                _ if panel.is_never_sold(i, available.as_deref()) => {
                    Ok(Err("it was never in stock, so that nothing is known of its demand".into()))
                }
                None => Ok(Err("the state has no row of it: its stock is not known".into())),
                Some(item) => told(ordering.order(self, &model, i, item, ask)),
            }
        };
        let mut orders: Vec<Result<Order, String>> =
            (0..self.len()).into_par_iter().map(best).collect::<Result<_>>()?;
        let limited = limit::share(state, policy, &mut orders, |i, item, quantity| {
            told(ordering.order(self, &model, i, item, Ask::Quantity(quantity)))
        })?;
        let line = |(i, order): (usize, Result<Order, String>)| {
            let reason = match (&order, state.item(i)) {
                (Ok(order), Some(item)) => self.reason(i, item, policy, order),
                (Err(why), _) => format!("no decision: {why}"),
                (Ok(_), None) => String::new(),
            };
            Row { label: self.label(i).to_string(), series: Some(i), order, reason }
        };
        let mut lines: Vec<Row> = orders.into_par_iter().enumerate().map(line).collect();
        lines.retain(|line| line.series.is_none_or(asked));
        lines.extend(state.unknown().iter().map(|label| {
            let why = "the history has no series of it".to_string();
            Row { label: label.clone(), series: None, reason: format!("no decision: {why}"), order: Err(why) }
        }));
        let resupply = Resupply { state: Arc::new(state.clone()), policy: policy.clone() };
        Ok(Decision::of(Orders { forecast: self.clone(), resupply, lines, limited }))
    }

    /// What an order meets when it arrives.
    fn arrival(&self, series: usize, item: &Item, policy: &StockPolicy, order: &Order) -> Arrival {
        let (panel, lead) = (self.panel(), item.lead_time.min(order.steps.len().saturating_sub(1)));
        let date = |step: usize| panel.inner().calendar.label(self.start(series) + step as i64);
        let covered = match policy.review {
            1 => date(lead),
            review => format!("{} to {}", date(lead), date(lead + review - 1)),
        };
        let others = item.arrivals.get(lead).copied().unwrap_or(0.0);
        let left = order.steps[lead].start - order.quantity - others;
        Arrival { covered, left, others, demand: order.steps[lead..].iter().map(|step| step.mean).sum() }
    }

    /// One order in words.
    fn reason(&self, series: usize, item: &Item, policy: &StockPolicy, order: &Order) -> String {
        let Arrival { covered, left, others, demand } = self.arrival(series, item, policy, order);
        let (left, demand) = (units(left), units(demand));
        let left = match others > 0.0 {
            true => format!("about {left} are left and {} come in", number(others)),
            false => format!("about {left} are left"),
        };
        let enough = format!(
            "{left} and {demand} are expected to be asked for; enough with a probability of {}",
            percent(1.0 - order.p_out)
        );
        let mut text = match order.quantity > 0.0 {
            true => format!("{} to be on the shelf for {covered}, when {enough}", number(order.quantity)),
            false => format!("nothing needed for {covered}, when {enough}"),
        };
        let ideal = number(order.ideal.max(0.0));
        if order.quantity > order.ideal.max(0.0) {
            let by = if policy.lots == Lots::Any { "pack or minimum" } else { "lot, pack or minimum" };
            text += &format!("; {ideal} would do, raised to the {by}");
        } else if order.quantity < order.ideal.max(0.0) {
            let limit = match (policy.budget, policy.space) {
                (Some(_), _) => "more than the budget of all allows",
                (_, Some(_)) => "more than the space of all allows",
                _ if item.rule.accepts(order.quantity + 1.0) => "more than the maximum allows",
                _ => "but the next order that can be placed costs more than it saves, or is above the maximum",
            };
            text += &format!("; {ideal} would be best, {limit}");
        }
        if order.wasted >= 0.05 {
            text += &format!("; {} expected to spoil", units(order.wasted));
        }
        text
    }
}

/// What was found of an item, or why there is nothing; an interruption ends all.
fn told<T>(answer: Result<T>) -> Result<Result<T, String>> {
    match answer {
        Err(error) if error.is_interrupted() => Err(error),
        answer => Ok(answer.map_err(|error| error.to_string())),
    }
}

/// The service target of each series by its class; none where the policy names no class.
fn class_targets(panel: &Panel, policy: &StockPolicy) -> Result<Option<Vec<Option<f64>>>> {
    let targets = policy.class_targets()?;
    if targets.is_empty() {
        return Ok(None);
    }
    let classes = explore::classes(panel)?;
    let of = |class: &String| {
        let stated =
            |(name, target): &(String, f64)| (name.chars().all(|letter| class.contains(letter))).then_some(*target);
        // The more letters, the closer.
        targets.iter().filter(|(name, _)| name.len() == 2).chain(&targets).find_map(stated)
    };
    Ok(Some(classes.iter().map(of).collect()))
}

/// What all orders of a decision share.
struct Ordering<'a> {
    policy: &'a StockPolicy,
    classes: Option<&'a [Option<f64>]>,
    paths: Paths,
    closed: Option<&'a Closed>,
}

impl Ordering<'_> {
    fn order(&self, forecast: &Forecast, model: &str, series: usize, item: &Item, ask: Ask) -> Result<Order> {
        let label = forecast.label(series);
        let mean = forecast.mean(model, label)?;
        let lead = self.policy.lead_times(item.lead_time)?;
        let reach = (lead.longest() + self.policy.review).min(mean.len());
        let typical = mean[..reach].iter().sum::<f64>() / reach.max(1) as f64;
        item.check(typical * forecast.panel().steps_in_a_year())?;
        let class = self.classes.and_then(|of| of[series]);
        let goal = item.goal(self.policy, class, typical)?;
        let shelf = Shelf::new(item.on_hand, item.shelf_life);
        let pipeline = Pipeline { shelf, arrivals: item.arrivals.clone() };
        let timing = Timing { lead: &lead, review: self.policy.review, unmet: self.policy.unmet };
        let closed = self.closed.map_or(&[] as &[bool], |closed| &closed[series]);
        let belief = Believed { belief: self.policy.belief, cell: forecast.cell(0, series), from: 0, closed };
        belief.order(&goal, ask, &pipeline, &timing, || self.paths.of(model, label))
    }
}

/// What is believed of the demand of a series, from a step of its forecast on.
struct Believed<'a> {
    belief: Belief,
    cell: Option<&'a Distribution>,
    from: usize,
    /// The steps of the forecast in which nothing can be sold.
    closed: &'a [bool],
}

/// By series, the steps of a forecast that are meant.
pub(crate) type Closed = Vec<Vec<bool>>;

/// What orders are placed by.
#[derive(Clone)]
pub(crate) struct Resupply {
    state: Arc<State>,
    policy: StockPolicy,
}

impl Resupply {
    /// The orders by another forecast, where nothing can be sold in some steps and orders arrive later.
    pub fn again(&self, forecast: &Forecast, closed: Option<&Closed>, late: i64) -> Result<Decision> {
        forecast.decide_but(&self.state.later(late, &self.policy)?, &self.policy, closed)
    }
}

impl Believed<'_> {
    /// The order that rests on it; `paths` are drawn where it takes them.
    fn order(
        &self,
        goal: &Goal,
        ask: Ask,
        pipeline: &Pipeline,
        timing: &Timing,
        paths: impl FnOnce() -> Result<Vec<Vec<f64>>>,
    ) -> Result<Order> {
        let none = || Error::model("no order of a countable size reaches the target");
        let cell = self.cell.ok_or_else(|| Error::model("there is no forecast of it"))?;
        let mean = &cell.mean()[self.from.min(cell.mean().len())..];
        let is_closed = |step: usize| self.closed.get(self.from + step).copied().unwrap_or(false);
        let open: Vec<f64>;
        let (mean, all_open) = match (0..mean.len()).any(is_closed) {
            false => (mean, true),
            true => {
                open = mean.iter().enumerate().map(|(step, mean)| if is_closed(step) { 0.0 } else { *mean }).collect();
                (&open[..], false)
            }
        };
        let paths = || {
            let mut paths = paths()?;
            if !all_open {
                paths
                    .iter_mut()
                    .flat_map(|path| path.iter_mut().enumerate())
                    .filter(|(step, _)| is_closed(*step))
                    .for_each(|(_, y)| *y = 0.0);
            }
            Ok::<_, Error>(paths)
        };
        match (self.belief, cell) {
            (Belief::Normal, _) => {
                // The first step in which about as much is sold as in others: one that is closed has no errors.
                let typical = mean.iter().sum::<f64>() / mean.len().max(1) as f64;
                let step = self.from + mean.iter().position(|mean| *mean >= typical / 2.0).unwrap_or(0);
                let sd = (cell.at(step, 1.0) - cell.at(step, -1.0)) / 2.0;
                order::order(Demand::Formula(mean, sd.max(0.0)), pipeline, timing, goal, ask).ok_or_else(none)
            }
            // The mean of lead time and review period, whatever the target.
            (Belief::Point, _) => {
                let goal = Goal { target: Target::Service(0.5), ..*goal };
                order::order(Demand::Formula(mean, 0.0), pipeline, timing, &goal, ask).ok_or_else(none)
            }
            (Belief::Forecast, Distribution::Model(steps)) if all_open && steps.is_independent_counts() => {
                let counts = Demand::Counts(mean, &steps.sd[self.from..]);
                if let Some(order) = order::order(counts, pipeline, timing, goal, ask) {
                    return Ok(order);
                }
                order::order(Demand::Paths(&paths()?), pipeline, timing, goal, ask).ok_or_else(none)
            }
            (Belief::Forecast, _) => {
                order::order(Demand::Paths(&paths()?), pipeline, timing, goal, ask).ok_or_else(none)
            }
        }
    }
}

/// A number of units or a cost in words: whole from ten on.
fn units(value: f64) -> String {
    number(if value.abs() >= 10.0 { value.round() } else { (10.0 * value).round() / 10.0 })
}

/// A share in words: `95.2 %`.
fn percent(share: f64) -> String {
    format!("{} %", number((1000.0 * share).round() / 10.0))
}

impl Row {
    /// What is ordered; below zero where there is no decision.
    fn quantity(&self) -> f64 {
        self.order.as_ref().map_or(-1.0, |order| order.quantity)
    }
}

impl Orders {
    /// The rows, the largest order first.
    fn largest(&self) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.lines.len()).collect();
        rows.sort_by(|a, b| self.lines[*b].quantity().total_cmp(&self.lines[*a].quantity()));
        rows
    }
}

impl Decided for Orders {
    fn title(&self) -> String {
        "Orders".into()
    }

    fn sentence(&self) -> String {
        let orders: Vec<&Order> = self.lines.iter().filter_map(|line| line.order.as_ref().ok()).collect();
        let ordered_units: f64 = orders.iter().map(|order| order.quantity).sum();
        let ordered = orders.iter().filter(|order| order.quantity > 0.0).count();
        let costs: Vec<f64> = orders.iter().filter_map(|order| order.cost).collect();
        let cost = match costs.is_empty() {
            true => String::new(),
            false => format!(", expected cost {} in the steps that they are for", units(costs.iter().sum())),
        };
        let without = match self.lines.len() - orders.len() {
            0 => String::new(),
            n => format!("; {} without a decision", counted(n, "item", "items")),
        };
        let limited = self.limited.as_ref().map(|how| format!(" {how}")).unwrap_or_default();
        format!(
            "{} of {} ordered, {} units{cost}{without}.{limited}",
            number(ordered as f64),
            counted(self.lines.len(), "item", "items"),
            number(ordered_units)
        )
    }

    /// A row per item: its keys, `order` (whole units, empty where there is no decision), `position` (on hand and on the way),
    /// `level` (what the order brings the position up to before packs and limits), `mean` (expected demand until the next order
    /// arrives), `p_out` (the probability that some demand is not met while the order lasts), `expected_cost` (of the steps that it
    /// is for, empty without costs) and `reason`.
    fn table(&self) -> Result<Table> {
        let mut columns =
            keyed(&self.forecast.panel(), self.lines.iter().map(|line| (line.series, line.label.as_str())))?;
        let of = |value: fn(&Order) -> Option<f64>| -> Vec<Option<f64>> {
            self.lines.iter().map(|line| line.order.as_ref().ok().and_then(value)).collect()
        };
        let whole = |value: fn(&Order) -> Option<f64>| -> Vec<Option<i64>> {
            of(value).into_iter().map(|value| value.map(|value| value as i64)).collect()
        };
        columns.extend([
            Column::new("order".into(), whole(|order| Some(order.quantity))),
            Column::new("position".into(), whole(|order| Some(order.position))),
            Column::new("level".into(), whole(|order| Some(order.position + order.ideal))),
            Column::new("mean".into(), of(|order| Some(order.steps.iter().map(|step| step.mean).sum()))),
            Column::new("p_out".into(), of(|order| Some(order.p_out))),
            Column::new("expected_cost".into(), of(|order| order.cost)),
            Column::new("reason".into(), self.lines.iter().map(|line| line.reason.as_str()).collect::<Vec<_>>()),
        ]);
        Ok(Table::new(DataFrame::new(self.lines.len(), columns)?))
    }

    /// Why so much is ordered of an item: step by step what is on the shelf, what is asked for, what is left and what is short.
    fn explain(&self, item: &str) -> Result<Finding> {
        let labels: Vec<String> = self.lines.iter().map(|line| line.label.clone()).collect();
        let line = &self.lines[find(item, &labels, "item")?];
        let steps: &[Step] = line.order.as_ref().map_or(&[], |order| &order.steps);
        let panel = self.forecast.panel();
        let start = line.series.map_or(0, |series| self.forecast.start(series));
        let date = |step: usize| panel.inner().calendar.label(start + step as i64);
        let of = |value: fn(&Step) -> f64| steps.iter().map(value).collect::<Vec<f64>>();
        let table = Table::new(DataFrame::new(
            steps.len(),
            vec![
                Column::new("step".into(), (0..steps.len()).map(date).collect::<Vec<_>>()),
                Column::new("arrives".into(), of(|step| step.arrives)),
                Column::new("on the shelf".into(), of(|step| step.start)),
                Column::new("demand".into(), of(|step| step.mean)),
                Column::new("left".into(), of(|step| step.left)),
                Column::new("short".into(), of(|step| step.short)),
            ],
        )?);
        let finding = Finding::new(format!("Order of {}", line.label), line.reason.clone(), table);
        Ok(match steps.is_empty() {
            true => finding,
            false => {
                let title = format!("Stock of {}", line.label);
                finding.drawn(stock_figure(title, &panel, start, steps))
            }
        })
    }

    fn undecided(&self) -> Result<Table> {
        without(self.lines.iter().filter_map(|line| Some((line.label.as_str(), line.order.as_ref().err()?.as_str()))))
    }

    fn forecast(&self) -> Option<Forecast> {
        Some(self.forecast.clone())
    }

    /// The stock of the largest order, step by step.
    fn figures(&self) -> Result<Vec<Figure>> {
        match self.largest().first().map(|row| &self.lines[*row]) {
            Some(line) if line.quantity() > 0.0 => Ok(self.explain(&line.label)?.figure().into_iter().collect()),
            _ => Ok(Vec::new()),
        }
    }

    fn arrivals(&self) -> Vec<Option<Arrival>> {
        let Resupply { state, policy } = &self.resupply;
        let of = |line: &Row| {
            let (series, order) = (line.series?, line.order.as_ref().ok()?);
            Some(self.forecast.arrival(series, state.item(series)?, policy, order))
        };
        self.lines.iter().map(of).collect()
    }

    fn resupply(&self) -> Option<Resupply> {
        Some(self.resupply.clone())
    }

    /// The largest orders in words, the first of them step by step, and a table of the largest.
    fn blocks(&self) -> Result<Vec<Block>> {
        let quantity = |row: &usize| self.lines[*row].quantity();
        let largest = self.largest();
        let point = |row: &usize| {
            let line = &self.lines[*row];
            let why = line.reason.strip_prefix(&number(quantity(row))).unwrap_or(&line.reason);
            format!("Order {} of {},{why}.", number(quantity(row)), line.label)
        };
        let points: Vec<String> = largest.iter().take(FIRST).filter(|row| quantity(row) > 0.0).map(point).collect();
        let mut blocks = Vec::new();
        if !points.is_empty() {
            blocks.push(Block::List(points));
        }
        blocks.extend(self.figures()?.into_iter().map(Block::Figure));
        let rows: Vec<IdxSize> = largest.iter().take(SHOWN).map(|row| *row as IdxSize).collect();
        let frame = self.table()?.frame().take(&IdxCa::from_vec("".into(), rows))?.drop("reason")?;
        let risks: Vec<Option<String>> = frame.column("p_out")?.f64()?.iter().map(|p| p.map(percent)).collect();
        // Hundredths are more than a cost is known to.
        let tenth = |cost: Option<f64>| cost.map(|cost| (10.0 * cost).round() / 10.0);
        let costs: Vec<Option<f64>> = frame.column("expected_cost")?.f64()?.iter().map(tenth).collect();
        let mut shown = frame;
        shown.with_column(Column::new("p_out".into(), risks))?;
        shown.with_column(Column::new("expected_cost".into(), costs))?;
        for (name, words) in READ {
            shown.rename(name, words.into())?;
        }
        blocks.push(Block::Table(Table::new(shown).of_rows(self.lines.len()).titled("The largest orders")));
        blocks.push(Block::Text(MEANING.into()));
        Ok(blocks)
    }
}

/// What is on the shelf at the start of each step, what is asked for and what arrives.
fn stock_figure(title: String, panel: &Panel, start: i64, steps: &[Step]) -> Figure {
    let x: Vec<f64> = (0..steps.len()).map(|step| panel.inner().calendar.x(start + step as i64)).collect();
    let line = |name: &str, value: fn(&Step) -> f64| Line {
        name: name.into(),
        x: x.clone(),
        y: steps.iter().map(value).collect(),
    };
    let lines = vec![
        line("on the shelf", |step| step.start),
        line("demand", |step| step.mean),
        line("delivered", |step| step.arrives),
        line("short", |step| step.short),
    ];
    let axis = if panel.frequency().is_whole() { TimeAxis::Steps } else { TimeAxis::Dates };
    Lines { title, value: "units".into(), axis, foot: String::new(), lines, reference: None }.figure()
}
