//! Decisions from a forecast distribution: how much to order of each item, and what that is expected to cost.
//!
//! | file | question |
//! |---|---|
//! | `mod.rs` | how much is ordered of each item, and why? |
//! | `policy.rs` | when is there an order, what is it to achieve, what does it cost? |
//! | `state.rs` | what is on the shelf and on the way? |
//! | `replenish.rs` | how much makes a pipeline of stock reach its target, under lost sales or backorders? |
//! | [`stock`] | the mathematics of inventory, as plain functions |

mod policy;
mod replenish;
mod state;
pub mod stock;

use std::path::Path;
use std::sync::Arc;

use polars::prelude::*;
use rayon::prelude::*;

pub use policy::{StockPolicy, Unmet};
pub(crate) use state::State;

use crate::error::{Error, Result, find};
use crate::forecast::{Distribution, Forecast, Paths};
use crate::progress;
use crate::show::words::counted;
use crate::show::{Block, Finding, Show, Table, number};
use replenish::{Demand, Order, Pipeline, Step};
use state::Item;

/// What is ordered of each item, from a forecast and the stock that there is.
///
/// ```
/// use tradewind::polars::prelude::*;
/// use tradewind::prelude::*;
/// let sold = [3.0, 5.0, 2.0, 4.0, 6.0, 3.0, 4.0, 5.0, 2.0, 6.0, 4.0, 3.0];
/// let frame = df!("item" => ["a"; 12], "week" => (1..=12).collect::<Vec<i64>>(), "sold" => sold)?;
/// let sales = Panel::from_frame(frame, Columns::new(["item"], "week", "sold"))?;
/// let folder = tempfile::tempdir()?;
/// let state = folder.path().join("state.csv");
/// std::fs::write(&state, "item,on_hand,in_transit_1\na,9,2\n")?;
/// let forecast = sales.fit(["gamma_poisson"])?.forecast(3)?;
/// let policy = StockPolicy { lead_time: 2, cycle_service: Some(0.9), ..StockPolicy::default() };
/// let decision = forecast.decide_stock(&state, &policy)?;
/// assert_eq!(decision.table()?.get(0, "position")?.to_string(), "11");
/// println!("{}", decision.explain("item=a")?.sentence());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Decision(Arc<Inner>);

struct Inner {
    forecast: Forecast,
    policy: StockPolicy,
    /// In the order of the panel; items that only the state has come last.
    lines: Vec<Line>,
}

/// The decision on one item.
struct Line {
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
    /// `pack`, `minimum`, `maximum` and `lead_time` of each item. The forecast is of one model, and at least as long as lead time
    /// and review together.
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
        let model = match self.models().as_slice() {
            [model] => model.clone(),
            models => {
                return Err(Error::usage(format!(
                    "a decision rests on the forecast of one model, not of {}: name one",
                    models.len()
                )));
            }
        };
        let reach = state.longest_lead() + policy.review;
        if reach > self.horizon() {
            return Err(Error::usage(format!(
                "a lead time of {} and a review period of {} need a forecast of {reach} steps; it has {}",
                state.longest_lead(),
                policy.review,
                self.horizon()
            )));
        }
        let mut targets = (0..self.len()).filter_map(|i| state.item(i)).map(|item| policy.target(item).map(|_| ()));
        if let Some(Err(error)) = targets.next()
            && targets.all(|target| target.is_err())
        {
            return Err(error);
        }
        let paths = self.paths(policy.paths, policy.seed)?;
        let panel = self.panel();
        let available = panel.available_rows()?;
        let of = |i: usize| {
            progress::check()?;
            let label = self.label(i).to_string();
            let (order, reason) = match state.item(i) {
                _ if panel.is_never_sold(i, available.as_deref()) => {
                    let why = "it was never in stock, so that nothing is known of its demand";
                    (Err(why.into()), String::new())
                }
                None => (Err("the state has no row of it: its stock is not known".into()), String::new()),
                Some(item) => match self.order(i, &model, item, policy, &paths) {
                    Ok(order) => {
                        let reason = self.reason(i, item, policy, &order);
                        (Ok(order), reason)
                    }
                    Err(error) if error.is_interrupted() => return Err(error),
                    Err(error) => (Err(error.to_string()), String::new()),
                },
            };
            let reason = order.as_ref().err().map_or(reason, |why: &String| format!("no decision: {why}"));
            Ok(Line { label, series: Some(i), order, reason })
        };
        let mut lines: Vec<Line> = (0..self.len()).into_par_iter().map(of).collect::<Result<_>>()?;
        lines.extend(state.unknown().iter().map(|label| {
            let why = "the history has no series of it".to_string();
            Line { label: label.clone(), series: None, reason: format!("no decision: {why}"), order: Err(why) }
        }));
        Ok(Decision(Arc::new(Inner { forecast: self.clone(), policy: policy.clone(), lines })))
    }

    fn order(&self, series: usize, model: &str, item: &Item, policy: &StockPolicy, paths: &Paths) -> Result<Order> {
        let label = self.label(series);
        let mean = self.mean(model, label)?;
        let reach = item.lead_time + policy.review;
        item.check(mean[..reach].iter().sum::<f64>() / reach as f64 * self.panel().steps_in_a_year())?;
        let target = policy.target(item)?;
        let pipeline = Pipeline { on_hand: item.on_hand, arrivals: item.arrivals.clone() };
        let counts = match self.cell(0, series) {
            Some(Distribution::Model(steps)) if steps.is_independent_counts() => Some(steps),
            _ => None,
        };
        let timing = (item.lead_time, policy.review);
        let exact = counts.filter(|_| policy.review == 1 && policy.unmet == Unmet::Lost);
        if let Some(order) = exact.and_then(|steps| {
            replenish::order(
                Demand::Counts(&steps.mean, &steps.sd),
                &pipeline,
                timing,
                policy.unmet,
                &target,
                &item.rule,
            )
        }) {
            return Ok(order);
        }
        let paths = paths.of(model, label)?;
        let demand = Demand::Paths(&paths);
        replenish::order(demand, &pipeline, timing, policy.unmet, &target, &item.rule)
            .ok_or_else(|| Error::model("no order of a countable size reaches the target"))
    }

    /// One order in words.
    fn reason(&self, series: usize, item: &Item, policy: &StockPolicy, order: &Order) -> String {
        let (panel, lead) = (self.panel(), item.lead_time);
        let date = |step: usize| panel.inner().calendar.label(self.start(series) + step as i64);
        let covered = match policy.review {
            1 => date(lead),
            review => format!("{} to {}", date(lead), date(lead + review - 1)),
        };
        let served = number((1000.0 * (1.0 - order.p_out)).round() / 1000.0);
        let demand = rounded(order.steps[lead..].iter().map(|step| step.mean).sum());
        let arrives = item.arrivals.get(lead).copied().unwrap_or(0.0);
        let left = rounded(order.steps[lead].start - order.quantity - arrives);
        let left = match arrives > 0.0 {
            true => format!("about {left} left and {} on the way then", number(arrives)),
            false => format!("about {left} left then"),
        };
        let have = format!("{left}, {demand} expected to be asked for");
        let mut text = if order.quantity > 0.0 {
            format!(
                "{} on the shelf for {covered}: {have}; all is served with probability {served}",
                number(order.quantity)
            )
        } else {
            format!("nothing needed for {covered}: {have}; all is served with probability {served}")
        };
        if order.quantity > order.ideal.max(0.0) {
            text += &format!("; {} raised by pack or minimum", number(order.ideal.max(0.0)));
        } else if order.quantity < order.ideal.max(0.0) {
            text += &format!("; {} would reach the target, pack, minimum or maximum allow less", number(order.ideal));
        }
        text
    }
}

/// A number of units in words.
fn rounded(value: f64) -> String {
    number((10.0 * value).round() / 10.0)
}

impl Decision {
    /// A row per item: its keys, `order` (whole units, empty where there is no decision), `position` (on hand and on the way),
    /// `level` (what the order brings the position up to before packs and limits), `mean` (expected demand until the next order
    /// arrives), `p_out` (the probability that some demand is not met while the order lasts), `expected_cost` (of the steps that it
    /// is for, empty without costs) and `reason`.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn table(&self) -> Result<Table> {
        let inner = &*self.0;
        let panel = inner.forecast.panel();
        let mut columns = panel.key_columns(inner.lines.iter().filter_map(|line| line.series))?;
        let unknown: Vec<&Line> = inner.lines.iter().filter(|line| line.series.is_none()).collect();
        if !unknown.is_empty() {
            for column in &mut columns {
                let name = column.name().clone();
                let part = |line: &&Line| {
                    line.label.split(", ").find_map(|part| part.strip_prefix(&format!("{name}="))).map(String::from)
                };
                let texts = column.cast(&DataType::String)?;
                let more: Vec<Option<String>> = unknown.iter().map(part).collect();
                let all = texts.str()?.iter().map(|text| text.map(String::from)).chain(more);
                *column = Column::new(name, all.collect::<Vec<_>>());
            }
        }
        let of = |value: fn(&Order) -> Option<f64>| -> Vec<Option<f64>> {
            inner.lines.iter().map(|line| line.order.as_ref().ok().and_then(value)).collect()
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
            Column::new("reason".into(), inner.lines.iter().map(|line| line.reason.as_str()).collect::<Vec<_>>()),
        ]);
        Ok(Table::new(DataFrame::new(inner.lines.len(), columns)?))
    }

    /// Why so much is ordered of an item: step by step what is on the shelf, what is asked for, what is left and what is short.
    ///
    /// # Errors
    /// When there is no such item; the nearest is suggested.
    pub fn explain(&self, item: &str) -> Result<Finding> {
        let inner = &*self.0;
        let labels: Vec<String> = inner.lines.iter().map(|line| line.label.clone()).collect();
        let line = &inner.lines[find(item, &labels, "item")?];
        let steps: &[Step] = line.order.as_ref().map_or(&[], |order| &order.steps);
        let panel = inner.forecast.panel();
        let start = line.series.map_or(0, |series| inner.forecast.start(series));
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
        Ok(Finding::new(format!("Order of {}", line.label), line.reason.clone(), table))
    }

    /// The items without a decision, each with the reason.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn undecided(&self) -> Result<Table> {
        let lines =
            self.0.lines.iter().filter_map(|line| Some((line.label.as_str(), line.order.as_ref().err()?.as_str())));
        let (labels, reasons): (Vec<&str>, Vec<&str>) = lines.unzip();
        let columns = vec![Column::new("series".into(), &labels), Column::new("reason".into(), &reasons)];
        Ok(Table::new(DataFrame::new(labels.len(), columns)?))
    }

    /// What is decided, in one sentence.
    pub fn sentence(&self) -> String {
        let lines = &self.0.lines;
        let orders: Vec<&Order> = lines.iter().filter_map(|line| line.order.as_ref().ok()).collect();
        let units: f64 = orders.iter().map(|order| order.quantity).sum();
        let ordered = orders.iter().filter(|order| order.quantity > 0.0).count();
        let costs: Vec<f64> = orders.iter().filter_map(|order| order.cost).collect();
        let cost = match costs.is_empty() {
            true => String::new(),
            false => format!(", expected cost {} in the steps that they are for", rounded(costs.iter().sum())),
        };
        let without = match lines.len() - orders.len() {
            0 => String::new(),
            n => format!("; {} without a decision", counted(n, "item", "items")),
        };
        format!(
            "{} of {} ordered, {} units{cost}{without}.",
            number(ordered as f64),
            counted(lines.len(), "item", "items"),
            number(units)
        )
    }

    /// The policy.
    pub fn policy(&self) -> StockPolicy {
        self.0.policy.clone()
    }

    /// The forecast that it rests on.
    pub fn forecast(&self) -> Forecast {
        self.0.forecast.clone()
    }

    /// Writes [`table`](Self::table), by the end of the path's name as CSV, Parquet, JSON or workbook.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.table()?.save(path)
    }
}

impl Show for Decision {
    fn block(&self) -> Block {
        let mut blocks = vec![Block::Text(self.sentence())];
        blocks.extend(self.table().ok().map(Block::Table));
        Block::Group(blocks)
    }
}

crate::show::noun!(Decision);
