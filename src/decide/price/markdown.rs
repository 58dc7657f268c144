//! By which path of prices is a stock sold until a date, at the greatest expected revenue?
//!
//! The stock is there: what it cost is spent. Each step brings price × units sold, less holding what is left; what is
//! left in the end brings its salvage value. Demand of each step and the elasticity are draws (`setting.rs`); the
//! dynamic programme (`clearance.rs`) finds the price for every stock and step. The path that is planned, one cut now
//! and the present price held run through the same joint draws, and the best of them is proposed: later prices are a
//! plan, to be made again when more is known.
//!
//! Fails where the prices that are needed lie far below those that were seen: without a lowest price, none lower is
//! proposed.

use std::path::Path;

use polars::prelude::*;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::clearance::{Clearance, Outcomes, Policy, Run};
use super::ladder::Ladder;
use super::optimum::{Difference, difference};
use super::policy::{check_draws, check_limits};
use super::setting::{Draws, Known, Setting, tag};
use super::state::Shelf;
use super::{PricePolicy, caveats, chance, interval, moves, span};
use crate::decide::stock::non_negative;
use crate::decide::{Decided, Decision, Reading};
use crate::error::{Error, Result, find};
use crate::figures::{Line as Stroke, Lines, TimeAxis};
use crate::forecast::Forecast;
use crate::panel::{Panel, parse_stamp};
use crate::progress;
use crate::show::words::{about, counted, rounded};
use crate::show::{Block, Figure, Finding, Table, number};

/// The columns of the paths as a planner reads them, and what they mean.
const READ: &[(&str, &str)] = &[
    ("stock", "stock"),
    ("price", "price now"),
    ("path", "path"),
    ("hold", "as it is"),
    ("value", "marked down"),
    ("low", "difference"),
    ("left", "left"),
    ("p_sold", "sold out, %"),
];
const MEANING: &str = "As it is: what the stock brings at the price of now until its date; marked down: by the path of prices; \
                       difference: the interval of what is more. Left: units in the end; sold out: the probability that there are none.";

/// Prices that a path may take at most.
const RUNGS: usize = 20;
/// Outcomes of the demand of a step in the dynamic programme.
const OUTCOMES: usize = 50;

/// How a stock is cleared: the same for all items, unless the file with the stock says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MarkdownPolicy {
    /// The column that holds the price; empty: the one that is named so.
    pub price_column: String,
    /// A key or fixed column whose values have an elasticity each: `brand`.
    pub by: String,
    /// The date by which the stock is to be sold; empty: the last step of the forecast.
    pub until: String,
    /// What a unit brings that is left then.
    pub salvage: f64,
    /// The cost of a unit that is left after a step.
    pub holding: f64,
    /// Changes of the price at most, the first one now included; 0 for any number.
    pub changes: usize,
    /// May prices rise again?
    pub rises: bool,
    /// No price is lower; without one, none is lower than those that the history of the item has seen.
    pub lowest: Option<f64>,
    /// The prices that are allowed; empty for any.
    pub prices: Vec<f64>,
    /// The endings of the prices that are allowed, such as 0.99; empty for any.
    pub endings: Vec<f64>,
    /// Is the target turnover rather than a quantity?
    pub turnover: bool,
    /// The probability of the intervals; an elasticity whose interval includes zero decides nothing.
    pub level: f64,
    /// Draws of demand and elasticity.
    pub draws: usize,
    /// Random seed of the draws.
    pub seed: u64,
}

impl Default for MarkdownPolicy {
    fn default() -> Self {
        let PricePolicy { level, draws, seed, .. } = PricePolicy::default();
        Self {
            price_column: String::new(),
            by: String::new(),
            until: String::new(),
            salvage: 0.0,
            holding: 0.0,
            changes: 3,
            rises: false,
            lowest: None,
            prices: Vec::new(),
            endings: Vec::new(),
            turnover: false,
            level,
            draws,
            seed,
        }
    }
}

impl MarkdownPolicy {
    /// Reads a policy as people write it: `until=2012-12-28, salvage=0.2, changes=2`.
    ///
    /// # Errors
    /// When an option or its value is unknown; the nearest one is suggested.
    pub fn parse(text: &str) -> Result<Self> {
        crate::options::read("the markdown policy", crate::options::parse(text)?)
    }

    /// Do the numbers make sense, each and together?
    ///
    /// # Errors
    /// When one does not, naming it, or two contradict each other.
    pub fn check(&self) -> Result<()> {
        non_negative("the salvage value of a unit", self.salvage)?;
        non_negative("the holding cost of a unit", self.holding)?;
        check_limits(self.lowest, None)?;
        Ladder::new(&self.prices, &self.endings)?;
        crate::options::level(self.level)?;
        check_draws(self.draws)
    }

    /// Steps from the end of the history to the date by which all is to be sold; none where the forecast says when.
    ///
    /// # Errors
    /// When it is no date of the calendar, or not after the history.
    pub(crate) fn steps(&self, panel: &Panel) -> Result<Option<usize>> {
        if self.until.is_empty() {
            return Ok(None);
        }
        let calendar = &panel.inner().calendar;
        let stamp = parse_stamp(&self.until, calendar.kind())?;
        let (last, _) = calendar.frequency.position(stamp);
        let end = panel.extent().map_or(0, |(_, end)| end);
        match last - end {
            steps @ 1..=10_000 => Ok(Some(steps as usize)),
            steps if steps < 1 => Err(Error::usage(format!(
                "all is to be sold by {}, and the history ends on {}: state a later date",
                self.until,
                calendar.label(end)
            ))),
            _ => Err(Error::usage(format!("{} is farther than any forecast reaches", self.until))),
        }
    }

    fn as_prices(&self) -> PricePolicy {
        PricePolicy {
            price_column: self.price_column.clone(),
            by: self.by.clone(),
            turnover: self.turnover,
            level: self.level,
            draws: self.draws,
            seed: self.seed,
            ..PricePolicy::default()
        }
    }
}

/// The path of prices that is planned for each item.
struct Markdowns {
    setting: Setting,
    policy: MarkdownPolicy,
    steps: usize,
    lines: Vec<Line>,
    total: Difference,
}

/// The decision on one item.
struct Line {
    label: String,
    series: Option<usize>,
    path: Result<Planned, String>,
    reason: String,
}

/// Which of the ways to sell a stock?
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Path,
    Cut,
    Hold,
}

/// What a way is expected to bring.
#[derive(Clone, Default)]
struct Expected {
    /// Revenue plus salvage less holding.
    value: f64,
    left: f64,
    /// The probability that all is sold.
    sold_out: f64,
    /// Stock at the start and units sold, step by step.
    steps: Vec<(f64, f64)>,
}

/// The path of one item.
struct Planned {
    known: Known,
    stock: f64,
    way: Way,
    /// Step by step, if sales go as expected.
    prices: Vec<f64>,
    plan: Expected,
    hold: Expected,
    /// One cut now: to which price, and what it brings.
    cut: (f64, Expected),
    difference: Difference,
    /// The lowest price that was allowed, if the path ends there, and what set it.
    limit: Option<String>,
}

impl Forecast {
    /// The path of prices that brings most of a stock until a date, for each item of a file with the keys, `on_hand`,
    /// and optionally `salvage` and `holding`. The forecast is of one model and has its history, with a column that
    /// holds the price.
    ///
    /// # Errors
    /// When the file cannot be read, a number in it or in the policy cannot be, the forecast ends before the date, or
    /// nothing in the history says how sales react to prices. An item that cannot be decided on is listed in the
    /// decision with the reason.
    pub fn decide_markdown(&self, stock: impl AsRef<Path>, policy: &MarkdownPolicy) -> Result<Decision> {
        policy.check()?;
        let panel = self.panel();
        let steps = policy.steps(&panel)?.unwrap_or(self.horizon());
        if steps > self.horizon() {
            return Err(Error::usage(format!(
                "until {} there are {steps} steps, and the forecast has {}: forecast as many",
                policy.until,
                self.horizon()
            )));
        }
        let shelf = Shelf::read(stock.as_ref(), &panel)?;
        let unknown = shelf.unknown.clone();
        let setting = Setting::of(self, &policy.as_prices(), Some(shelf))?;
        let of = |i: usize| {
            progress::check()?;
            let label = self.label(i).to_string();
            match planned(&setting, policy, steps, i) {
                Ok((path, draws)) => {
                    let reason = reason(&setting, policy, i, &path, steps);
                    Ok((Line { label, series: Some(i), reason, path: Ok(path) }, draws))
                }
                Err(error) if error.is_interrupted() => Err(error),
                Err(error) => Ok((undecided(label, Some(i), error.to_string()), Vec::new())),
            }
        };
        let found: Vec<(Line, Vec<f64>)> = (0..panel.len()).into_par_iter().map(of).collect::<Result<_>>()?;
        let mut sums = vec![0.0; policy.draws];
        found.iter().for_each(|(_, draws)| sums.iter_mut().zip(draws).for_each(|(sum, draw)| *sum += draw));
        let mut lines: Vec<Line> = found.into_iter().map(|(line, _)| line).collect();
        let why = "the history has no series of it";
        lines.extend(unknown.into_iter().map(|label| undecided(label, None, why.into())));
        let total = difference(sums, policy.level);
        Ok(Decision::of(Markdowns { setting, policy: policy.clone(), steps, lines, total }))
    }
}

fn undecided(label: String, series: Option<usize>, why: String) -> Line {
    Line { label, series, reason: format!("no decision: {why}"), path: Err(why) }
}

/// The best path of an item, and what it brings more than the present price, draw by draw.
fn planned(setting: &Setting, policy: &MarkdownPolicy, steps: usize, series: usize) -> Result<(Planned, Vec<f64>)> {
    let row = setting.shelf.as_ref().and_then(|shelf| shelf.item(series)).copied();
    let Some(row) = row else {
        return Err(Error::data("the file with the stock has no row of it: what is to be sold is not known"));
    };
    if row.on_hand <= 0.0 {
        return Err(Error::data("there is no stock of it to sell"));
    }
    let known = setting.known(series).map_err(Error::data)?;
    let salvage = row.salvage.unwrap_or(policy.salvage);
    if salvage >= known.present {
        return Err(Error::data(format!(
            "the salvage value, {}, is not below the present price, {}: selling brings less than keeping",
            tag(salvage),
            tag(known.present)
        )));
    }
    let seen = format!("the lowest `{}` seen so far, {}", setting.reactions.column, tag(known.seen.0));
    let (low, what) = match policy.lowest {
        Some(lowest) if lowest > known.present => {
            return Err(Error::data(format!(
                "the lowest price allowed, {}, is above the present price, {}: nothing can be marked down",
                tag(lowest),
                tag(known.present)
            )));
        }
        Some(lowest) => (lowest, format!("the lowest price allowed, {}", tag(lowest))),
        None => (known.seen.0, seen),
    };
    let high = if policy.rises { known.seen.1 } else { known.present };
    let ladder = Ladder::new(&policy.prices, &policy.endings)?;
    // The present price stands, whether or not it is on the ladder.
    let mut prices = ladder.descending(low, high, RUNGS)?;
    if !prices.contains(&known.present) {
        prices.push(known.present);
        prices.sort_by(|a, b| b.total_cmp(a));
    }
    let present = prices.iter().position(|price| *price == known.present).unwrap_or(0);
    let draws = setting.draws(series, &known)?;
    let asked = asked(&draws, &prices, known.present, steps);
    if asked.iter().flatten().flatten().sum::<f64>() <= 0.0 {
        return Err(Error::data("no demand is expected, so that no price sells anything"));
    }
    let demand: Vec<Vec<Outcomes>> =
        asked.iter().map(|step| step.iter().map(|draws| outcomes(draws)).collect()).collect();
    let clearance = Clearance {
        prices: &prices,
        present,
        demand: &demand,
        stock: row.on_hand,
        salvage,
        holding: row.holding.unwrap_or(policy.holding),
        changes: (policy.changes > 0).then_some(policy.changes),
        rises: policy.rises,
    };
    let best = clearance.solved();
    let runs = |choose: &dyn Fn(usize, f64, usize, usize) -> usize| -> Vec<Run> {
        (0..draws.elasticity.len())
            .map(|k| clearance.run(best.changes(), choose, |step, price| asked[step][price][k]))
            .collect()
    };
    let path = |step: usize, stock: f64, price: usize, left: usize| best.choice(step, stock, price, left).0;
    let (planned, held) = (runs(&path), runs(&|_, _, price, _| price));
    let lower = if policy.rises { 0..prices.len() } else { present..prices.len() };
    let mean = |runs: &[Run]| runs.iter().map(|run| run.value).sum::<f64>() / runs.len().max(1) as f64;
    let mut cut = (present, held.clone());
    for place in lower.filter(|place| *place != present) {
        progress::check()?;
        let tried = runs(&|_, _, _, _| place);
        if mean(&tried) > mean(&cut.1) {
            cut = (place, tried);
        }
    }
    let (way, chosen) = match (mean(&planned), mean(&cut.1), mean(&held)) {
        (path, cut, hold) if path > cut && path > hold => (Way::Path, &planned),
        (_, one, hold) if one > hold => (Way::Cut, &cut.1),
        _ => (Way::Hold, &held),
    };
    let course = course(&clearance, &best, &asked, way, cut.0);
    let each: Vec<f64> = chosen.iter().zip(&held).map(|(plan, hold)| plan.value - hold.value).collect();
    let found = difference(each.clone(), policy.level);
    let ends = course.last().is_some_and(|place| *place == prices.len() - 1) && way != Way::Hold;
    let plan = Planned {
        stock: row.on_hand,
        way,
        prices: course.iter().map(|place| prices[*place]).collect(),
        plan: expected(chosen),
        hold: expected(&held),
        cut: (prices[cut.0], expected(&cut.1)),
        difference: found,
        limit: ends.then_some(what),
        known,
    };
    Ok((plan, each))
}

/// What is asked for in each step at each price, draw by draw.
fn asked(draws: &Draws, prices: &[f64], present: f64, steps: usize) -> Vec<Vec<Vec<f64>>> {
    let ratios: Vec<Vec<f64>> = prices
        .iter()
        .map(|price| draws.elasticity.iter().map(|elasticity| (elasticity * (price / present).ln()).exp()).collect())
        .collect();
    let at = |t: usize| -> Vec<Vec<f64>> {
        let of = |ratio: &Vec<f64>| draws.demand.iter().zip(ratio).map(|(path, ratio)| path[t] * ratio).collect();
        ratios.iter().map(of).collect()
    };
    (0..steps).map(at).collect()
}

/// Draws as a few equally probable outcomes with the same mean.
fn outcomes(draws: &[f64]) -> Outcomes {
    let mut sorted = draws.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = OUTCOMES.min(sorted.len()).max(1);
    let ends = (0..=count).map(|k| k * sorted.len() / count).collect::<Vec<usize>>();
    let parts = ends.windows(2).filter(|ends| ends[1] > ends[0]);
    parts
        .map(|ends| {
            let part = &sorted[ends[0]..ends[1]];
            (part.iter().sum::<f64>() / part.len() as f64, part.len() as f64 / sorted.len() as f64)
        })
        .collect()
}

/// The places of the prices, step by step, if sales are as expected.
fn course(clearance: &Clearance, best: &Policy, asked: &[Vec<Vec<f64>>], way: Way, cut: usize) -> Vec<usize> {
    let mean = |step: usize, price: usize| {
        let draws = &asked[step][price];
        draws.iter().sum::<f64>() / draws.len().max(1) as f64
    };
    let choose = |step: usize, stock: f64, price: usize, left: usize| match way {
        Way::Path => best.choice(step, stock, price, left).0,
        Way::Cut => cut,
        Way::Hold => price,
    };
    clearance.run(best.changes(), choose, mean).steps.into_iter().map(|(price, ..)| price).collect()
}

/// What runs are expected to bring.
fn expected(runs: &[Run]) -> Expected {
    let n = runs.len().max(1) as f64;
    let mean = |of: &dyn Fn(&Run) -> f64| runs.iter().map(of).sum::<f64>() / n;
    let steps = runs.first().map_or(0, |run| run.steps.len());
    Expected {
        value: mean(&|run| run.value),
        left: mean(&|run| run.left),
        sold_out: mean(&|run| f64::from(u8::from(run.left < 0.5))),
        steps: (0..steps).map(|t| (mean(&|run| run.steps[t].1), mean(&|run| run.steps[t].2))).collect(),
    }
}

/// The changes of a path: the step and the price.
fn changes(path: &Planned) -> Vec<(usize, f64)> {
    let before = std::iter::once(&path.known.present).chain(&path.prices);
    let pairs = path.prices.iter().zip(before).enumerate();
    pairs.filter(|(_, (price, before))| price != before).map(|(step, (price, _))| (step, *price)).collect()
}

/// The changes of a path in words: `1.99 from 2012-11-02, 1.49 from 2012-11-30`.
fn path_words(forecast: &Forecast, series: usize, path: &Planned) -> String {
    let panel = forecast.panel();
    let date = |step: usize| panel.inner().calendar.label(forecast.start(series) + step as i64);
    changes(path)
        .iter()
        .map(|(step, price)| format!("{} from {}", tag(*price), date(*step)))
        .collect::<Vec<_>>()
        .join(", ")
}

fn reason(setting: &Setting, policy: &MarkdownPolicy, series: usize, path: &Planned, steps: usize) -> String {
    let label = setting.forecast.label(series);
    let noun = setting.panel.frequency().noun();
    let (plan, hold) = (&path.plan, &path.hold);
    let when = counted(steps, noun, &format!("{noun}s"));
    let words = path_words(&setting.forecast, series, path);
    let mut text = match path.way {
        Way::Hold => format!(
            "Hold the price of {label} at {}: no cut is expected to bring more than the {} that the {} bring in {when}.",
            tag(path.known.present),
            about(hold.value),
            counted(path.stock as usize, "unit", "units")
        ),
        _ => format!(
            "Mark down {label} to {words} (now {}): the {} are expected to bring {} in {when} instead of {} at the present price; the \
             difference is {} {}, and above zero with probability {}.",
            tag(path.known.present),
            counted(path.stock as usize, "unit", "units"),
            about(plan.value),
            about(hold.value),
            about(path.difference.mean),
            interval(&path.difference, policy.level),
            chance(path.difference.better)
        ),
    };
    text += &format!(
        " About {} units are left in the end, {} at the present price; all is sold with probability {} instead of {}.",
        rounded(plan.left, 0),
        rounded(hold.left, 0),
        chance(plan.sold_out),
        chance(hold.sold_out)
    );
    if path.way == Way::Path && path.cut.0 != path.known.present {
        text += &format!(" One cut now, to {}, brings {}.", tag(path.cut.0), about(path.cut.1.value));
    }
    if let Some(limit) = &path.limit {
        text += &format!(" The price stops at {limit}.");
    }
    text
}

impl Decided for Markdowns {
    /// The title.
    fn title(&self) -> String {
        format!("Markdowns for {}", span(&self.setting.forecast))
    }

    /// A row per item: its keys, the `stock`, the `price` now and the `proposed` one of the first step, the planned
    /// `path` of changes, what the stock is expected to bring (`value`: revenue plus salvage less holding), the same at
    /// the present price (`hold`) and with `one_cut` now, the expected `difference` to the present price with its
    /// interval and the probability `p_better` that it is above zero, units `left` in the end, the probability `p_sold`
    /// that all is sold, the `limit` at which the path ends, and the `reason`.
    fn table(&self) -> Result<Table> {
        let lines = &self.lines;
        let keyed = lines.iter().map(|line| (line.series, line.label.as_str()));
        let mut columns = crate::decide::keyed(&self.setting.panel, keyed)?;
        let of = |name: &str, value: &dyn Fn(&Planned) -> f64| {
            let cells = lines.iter().map(|line| line.path.as_ref().ok().map(value));
            Column::new(name.into(), cells.collect::<Vec<Option<f64>>>())
        };
        let text = |name: &str, value: &dyn Fn(&Line, &Planned) -> Option<String>| {
            let cells = lines.iter().map(|line| value(line, line.path.as_ref().ok()?));
            Column::new(name.into(), cells.collect::<Vec<Option<String>>>())
        };
        columns.extend([
            of("stock", &|p| p.stock),
            of("price", &|p| p.known.present),
            of("proposed", &|p| p.prices.first().copied().unwrap_or(p.known.present)),
            text("path", &|line, path| Some(path_words(&self.setting.forecast, line.series?, path))),
            of("value", &|p| p.plan.value),
            of("hold", &|p| p.hold.value),
            of("one_cut", &|p| p.cut.1.value),
            of("difference", &|p| p.difference.mean),
            of("low", &|p| p.difference.low),
            of("high", &|p| p.difference.high),
            of("p_better", &|p| p.difference.better),
            of("left", &|p| p.plan.left),
            of("p_sold", &|p| p.plan.sold_out),
            text("limit", &|_, path| path.limit.clone()),
            Column::new("reason".into(), lines.iter().map(|line| line.reason.as_str()).collect::<Vec<_>>()),
        ]);
        Ok(Table::new(DataFrame::new(lines.len(), columns)?).titled(self.title()))
    }

    /// The path of an item, step by step, with what is expected to be on the shelf and to be sold.
    fn explain(&self, item: &str) -> Result<Finding> {
        let labels: Vec<String> = self.lines.iter().map(|line| line.label.clone()).collect();
        let line = &self.lines[find(item, &labels, "item")?];
        let title = format!("Clearing {}", line.label);
        let (Ok(path), Some(series)) = (&line.path, line.series) else {
            return Ok(Finding::new(title, line.reason.clone(), Table::new(DataFrame::empty())));
        };
        let forecast = &self.setting.forecast;
        let calendar = &self.setting.panel.inner().calendar;
        let position = |step: usize| forecast.start(series) + step as i64;
        let column = |name: &str, values: Vec<f64>| Column::new(name.into(), values);
        let table = Table::new(DataFrame::new(
            self.steps,
            vec![
                Column::new("step".into(), (0..self.steps).map(|t| calendar.label(position(t))).collect::<Vec<_>>()),
                column("price", path.prices.clone()),
                column("on the shelf", path.plan.steps.iter().map(|step| step.0).collect()),
                column("sold", path.plan.steps.iter().map(|step| step.1).collect()),
                column("sold at the present price", path.hold.steps.iter().map(|step| step.1).collect()),
            ],
        )?);
        let x: Vec<f64> = (0..self.steps).map(|t| calendar.x(position(t))).collect();
        let axis = if calendar.frequency.is_whole() { TimeAxis::Steps } else { TimeAxis::Dates };
        let share = |name: &str, values: Vec<f64>| Stroke { name: name.into(), x: x.clone(), y: values };
        let of_stock = |of: &Expected| of.steps.iter().map(|step| 100.0 * step.0 / path.stock).collect();
        let figure = Lines {
            title: format!("{}: price and stock", line.label),
            value: "% of today's".into(),
            axis,
            foot: String::new(),
            lines: vec![
                share("price", path.prices.iter().map(|price| 100.0 * price / path.known.present).collect()),
                share("stock with it", of_stock(&path.plan)),
                share("stock at the present price", of_stock(&path.hold)),
            ],
            reference: None,
        };
        let finding = Finding::new(title, line.reason.clone(), table).drawn(figure.figure());
        Ok(self.caveats().into_iter().fold(finding, Finding::but))
    }

    /// The items without a decision, each with the reason.
    fn undecided(&self) -> Result<Table> {
        let lines = self.lines.iter();
        crate::decide::without(lines.filter_map(|line| Some((line.label.as_str(), line.path.as_ref().err()?.as_str()))))
    }

    /// What is decided, in one sentence.
    fn sentence(&self) -> String {
        let paths: Vec<&Planned> = self.lines.iter().filter_map(|line| line.path.as_ref().ok()).collect();
        let cut = paths.iter().filter(|path| path.way != Way::Hold).count();
        let (stock, left) = paths.iter().fold((0.0, 0.0), |(a, b), path| (a + path.stock, b + path.plan.left));
        let of = counted(self.lines.len(), "item", "items");
        let without = match self.lines.len() - paths.len() {
            0 => String::new(),
            n => format!("; {} without a decision", counted(n, "item", "items")),
        };
        if cut == 0 {
            return format!("Of {of}, none is expected to bring more at lower prices{without}.");
        }
        format!(
            "Of {of}, mark down {cut}: what the stock brings is expected to {} {}; {} of {} units are left in the end{without}.",
            moves(self.total.mean),
            interval(&self.total, self.policy.level),
            rounded(left, 0),
            number(stock)
        )
    }

    /// What the paths rest on.
    fn caveats(&self) -> Vec<String> {
        let mut all = caveats(&self.setting);
        all.push(
            "Only the first price is a decision; the later ones are a plan that assumes sales as expected: decide again when more is sold."
                .into(),
        );
        all
    }

    /// What the path, one cut now and the present price bring, of the items with the largest difference.
    fn figures(&self) -> Result<Vec<Figure>> {
        let paths = self.lines.iter().filter_map(|line| Some((line, line.path.as_ref().ok()?)));
        let mut rows: Vec<(String, f64, f64, f64)> = paths
            .filter(|(_, path)| path.way != Way::Hold)
            .map(|(line, path)| (line.label.clone(), path.difference.mean, path.difference.low, path.difference.high))
            .collect();
        if rows.is_empty() {
            return Err(Error::usage("no price changes, so that there is nothing to draw"));
        }
        rows.sort_by(|a, b| b.1.total_cmp(&a.1));
        let figure = crate::figures::Intervals {
            title: "What marking down is expected to bring".into(),
            value: "difference to the present price held".into(),
            rows,
            level: self.policy.level,
            sides: ("less".into(), "more".into()),
        };
        Ok(vec![figure.figure()])
    }

    /// Figure and table.
    fn blocks(&self) -> Result<Vec<Block>> {
        let reading = Reading { keys: self.setting.panel.columns().keys(), columns: READ, meaning: MEANING };
        reading.figures_first(self)
    }

    /// The forecast that it rests on.
    fn forecast(&self) -> Option<Forecast> {
        Some(self.setting.forecast.clone())
    }
}
