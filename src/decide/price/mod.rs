//! Which price of each item earns most, and which path of prices clears a stock?
//!
//! | file | question |
//! |---|---|
//! | `mod.rs` | which price is proposed for each item, and why? |
//! | `policy.rs` | what does a unit cost, which prices are allowed? |
//! | `optimum.rs` | which price earns most under an uncertain elasticity? |
//! | `ladder.rs` | which prices can be on the tag? |
//! | `setting.rs` | what is known of each item, and how is what is not known drawn? |
//! | `state.rs` | what is on the shelf? |
//! | `markdown.rs` | which path of prices sells a stock by a date? |
//! | `clearance.rs` | the dynamic programme of such a path |

mod clearance;
mod ladder;
mod markdown;
mod optimum;
mod policy;
mod setting;
mod state;

use polars::prelude::*;
use rayon::prelude::*;

pub use markdown::MarkdownPolicy;
pub(in crate::decide) use optimum::{Difference, difference};
pub use policy::PricePolicy;
pub(in crate::decide) use setting::{order, scale};

use crate::decide::{Decided, Decision, Reading};
use crate::error::{Error, Result, find};
use crate::figures::{Intervals, Scatter};
use crate::forecast::Forecast;
use crate::progress;
use crate::show::words::{about, counted, rounded};
use crate::show::{Block, Figure, Finding, Table, number};
use ladder::Ladder;
use optimum::{Item, Outlook};
use setting::{Draws, Known, Setting, signed, tag};
use state::Shelf;

/// The columns of the prices as a planner reads them, and what they mean.
const READ: &[(&str, &str)] = &[
    ("price", "price now"),
    ("proposed", "proposed"),
    ("units", "units now"),
    ("new_units", "units then"),
    ("profit", "profit now"),
    ("new_profit", "profit then"),
    ("difference", "difference"),
    ("low", "its interval"),
];
const MEANING: &str = "Units and profit are those expected over all steps of the forecast, at the price of now and at the \
                       proposed one; the interval is that of the difference in profit.";

/// Points of the curve of profit against price.
const POINTS: usize = 41;
/// A price is at a limit within this share of it.
const AT: f64 = 1e-4;

/// The price that is proposed for each item, and what it is expected to change.
struct Prices {
    setting: Setting,
    policy: PricePolicy,
    lines: Vec<Line>,
    /// The difference in profit over all items.
    total: Difference,
}

/// The decision on one item.
struct Line {
    label: String,
    series: Option<usize>,
    price: Result<Priced, String>,
    reason: String,
}

/// The price of one item.
struct Priced {
    known: Known,
    cost: f64,
    proposed: f64,
    now: Outlook,
    then: Outlook,
    difference: Difference,
    /// The lowest and the highest price that is allowed.
    limits: (f64, f64),
    /// What keeps it from a better price.
    limit: Option<String>,
    stock: Option<f64>,
}

/// A limit of the price, and what sets it.
struct Limit {
    price: f64,
    what: String,
}

impl Forecast {
    /// The price of each item that is expected to earn most over the steps of the forecast, under an elasticity that is
    /// estimated from its history with an error. The forecast is of one model and has its history, with a column that
    /// holds the price.
    ///
    /// ```
    /// use tradewind::polars::prelude::*;
    /// use tradewind::prelude::*;
    /// let price: Vec<f64> = (0..120).map(|t| [2.0, 2.2, 1.9, 2.1, 2.3][(t * 7 / 3) % 5]).collect();
    /// let noise = |t: usize| 0.03 * ((t * 37 % 11) as f64 - 5.0) / 5.0;
    /// let sold: Vec<f64> = price.iter().enumerate().map(|(t, p)| 500.0 * p.powf(-2.5) * noise(t).exp()).collect();
    /// let frame = df!("item" => ["a"; 120], "week" => (1..=120).collect::<Vec<i64>>(), "price" => price, "sold" => sold)?;
    /// let sales = Panel::from_frame(frame, Columns::new(["item"], "week", "sold").observed(["price"]))?;
    /// let policy = PricePolicy { cost: Some(1.2), ..PricePolicy::default() };
    /// let decision = sales.fit(["ets"])?.forecast(8)?.decide_price(&policy)?;
    /// println!("{}", decision.explain("item=a")?.sentence());
    /// assert_eq!(decision.table()?.rows(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When a number of the policy cannot be, there is no price or no cost, or nothing in the history says how sales
    /// react to prices. An item that cannot be decided on is listed in the decision with the reason.
    pub fn decide_price(&self, policy: &PricePolicy) -> Result<Decision> {
        policy.check()?;
        policy.check_cost()?;
        let panel = self.panel();
        let shelf = policy.stock.as_ref().map(|path| Shelf::read(path, &panel)).transpose()?;
        let unknown = shelf.as_ref().map_or_else(Vec::new, |shelf| shelf.unknown.clone());
        let setting = Setting::of(self, policy, shelf)?;
        let ladder = policy.ladder()?;
        let of = |i: usize| {
            progress::check()?;
            let label = self.label(i).to_string();
            match priced(&setting, policy, &ladder, i) {
                Ok((price, draws)) => {
                    let reason = reason(&setting, policy, &label, &price);
                    Ok((Line { label, series: Some(i), reason, price: Ok(price) }, draws))
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
        Ok(Decision::of(Prices { setting, policy: policy.clone(), lines, total }))
    }
}

fn undecided(label: String, series: Option<usize>, why: String) -> Line {
    Line { label, series, reason: format!("no decision: {why}"), price: Err(why) }
}

/// The best price of an item, and the difference in profit draw by draw.
fn priced(setting: &Setting, policy: &PricePolicy, ladder: &Ladder, series: usize) -> Result<(Priced, Vec<f64>)> {
    let known = setting.known(series).map_err(Error::data)?;
    let cost = setting.cost(series, known.present).map_err(Error::data)?;
    let stock = match &setting.shelf {
        None => None,
        Some(shelf) => match shelf.item(series) {
            Some(row) => Some(row.on_hand),
            None => return Err(Error::data("the file with the stock has no row of it: what can be sold is not known")),
        },
    };
    let (low, high) = limits(policy, &known, &setting.reactions.column)?;
    let draws = setting.draws(series, &known)?;
    let demand = total(&draws);
    if demand.iter().sum::<f64>() <= 0.0 {
        return Err(Error::data("no demand is expected, so that no price earns anything"));
    }
    let item = Item { present: known.present, cost, stock, demand: &demand, elasticity: &draws.elasticity };
    let ideal = item.best(low.price, high.price);
    let mut rungs = ladder.near(ideal, low.price, high.price)?;
    // A price that stands is on the ladder of those who put it there.
    let stands = known.present >= low.price && known.present <= high.price;
    if stands {
        rungs.insert(0, known.present);
    }
    let proposed = item.best_of(&rungs).unwrap_or(known.present);
    let (now, then) = (item.at(known.present), item.at(proposed));
    let limit = if proposed != known.present || !stands {
        match ideal {
            ideal if ideal <= low.price * (1.0 + AT) => Some(low.what),
            ideal if ideal >= high.price * (1.0 - AT) => Some(high.what),
            _ => None,
        }
    } else {
        None
    };
    let pairs = item.profits(proposed).into_iter().zip(item.profits(known.present));
    let each: Vec<f64> = pairs.map(|(new, old)| new - old).collect();
    let found = difference(each.clone(), policy.level);
    let limits = (low.price, high.price);
    Ok((Priced { cost, proposed, now, then, difference: found, limits, limit, stock, known }, each))
}

/// What is asked for in all steps together, draw by draw.
fn total(draws: &Draws) -> Vec<f64> {
    draws.demand.iter().map(|path| path.iter().sum()).collect()
}

/// Between which prices is the best one looked for?
fn limits(policy: &PricePolicy, known: &Known, column: &str) -> Result<(Limit, Limit)> {
    let present = known.present;
    let (mut low, mut high) = match policy.change {
        Some(change) => {
            let what = format!("the largest change allowed, {} %", number(100.0 * change));
            let limit = |price: f64| Limit { price, what: what.clone() };
            (limit(present * (1.0 - change)), limit(present * (1.0 + change)))
        }
        None => (
            Limit { price: known.seen.0, what: format!("the lowest `{column}` seen so far, {}", tag(known.seen.0)) },
            Limit { price: known.seen.1, what: format!("the highest `{column}` seen so far, {}", tag(known.seen.1)) },
        ),
    };
    if let Some(price) = policy.lowest.filter(|lowest| *lowest > low.price) {
        low = Limit { price, what: format!("the lowest price allowed, {}", tag(price)) };
    }
    if let Some(price) = policy.highest.filter(|highest| *highest < high.price) {
        high = Limit { price, what: format!("the highest price allowed, {}", tag(price)) };
    }
    if low.price > high.price {
        return Err(Error::data(format!("no price satisfies both limits: {} is above {}", low.what, high.what)));
    }
    Ok((low, high))
}

/// The words `the next 8 weeks`.
pub(in crate::decide) fn span(forecast: &Forecast) -> String {
    let noun = forecast.panel().frequency().noun();
    match forecast.horizon() {
        1 => format!("the next {noun}"),
        n => format!("the next {n} {noun}s"),
    }
}

/// The words `rise by 340` or `fall by 12`.
pub(in crate::decide) fn moves(mean: f64) -> String {
    format!("{} by {}", if mean < 0.0 { "fall" } else { "rise" }, about(mean.abs()))
}

/// The words `(90 % interval −12 to 560)`.
pub(in crate::decide) fn interval(found: &Difference, level: f64) -> String {
    format!("({} % interval {} to {})", number(100.0 * level), signed(found.low), signed(found.high))
}

/// A probability in words, never certain.
pub(in crate::decide) fn chance(probability: f64) -> String {
    match probability {
        p if p > 0.99 => "above 0.99".into(),
        p if p < 0.01 => "below 0.01".into(),
        p => rounded(p, 2),
    }
}

/// The price of an item in words.
fn reason(setting: &Setting, policy: &PricePolicy, label: &str, price: &Priced) -> String {
    let (known, found) = (&price.known, &price.difference);
    let when = span(&setting.forecast);
    let mut text = if price.proposed == known.present {
        format!(
            "Keep the price of {label} at {}: no other that is allowed, from {} to {}, is expected to earn more in {when}.",
            tag(known.present),
            tag(price.limits.0),
            tag(price.limits.1)
        )
    } else {
        format!(
            "{} the price of {label} from {} to {}: profit of {when} is expected to {} {}, and is higher with probability {}.",
            if price.proposed > known.present { "Raise" } else { "Lower" },
            tag(known.present),
            tag(price.proposed),
            moves(found.mean),
            interval(found, policy.level),
            chance(found.better)
        )
    };
    if price.proposed != known.present && found.low <= 0.0 && found.high >= 0.0 {
        text += " It is open whether the change pays.";
    }
    let (low, high) = known.estimate.interval(policy.level);
    let whose = if known.own { "" } else { ", taken from the other series because its own price moved too little" };
    text += &format!(
        " At a price 1 % higher, {} % less is sold ({} % interval {} to {} %{whose}).",
        about(-known.estimate.value),
        number(100.0 * policy.level),
        about(-high),
        about(-low)
    );
    if let Some(limit) = &price.limit {
        text += &format!(" The price stops at {limit}");
        text += if limit.contains("seen so far") { ": what happens beyond is not known." } else { "." };
    }
    let outside = price.proposed < known.seen.0 * (1.0 - AT) || price.proposed > known.seen.1 * (1.0 + AT);
    if outside {
        text += &format!(
            " It lies outside the prices seen so far, {} to {}, where the reaction of sales is a guess.",
            tag(known.seen.0),
            tag(known.seen.1)
        );
    }
    if let Some(stock) = price.stock.filter(|stock| price.then.units > 0.95 * stock) {
        text += &format!(" The stock of {} limits what is sold.", number(stock));
    }
    text
}

impl Decided for Prices {
    /// The title.
    fn title(&self) -> String {
        format!("Prices for {}", span(&self.setting.forecast))
    }

    /// A row per item, over all steps of the forecast: its keys, the `price` now and the one `proposed`, `units`,
    /// `revenue` and `profit` now and then (`new_…`), the expected `difference` in profit with its interval (`low`,
    /// `high`), the probability `p_better` that it is above zero, the `elasticity` with its interval (`e_low`,
    /// `e_high`), the `limit` that keeps the price from a better one, and the `reason`.
    fn table(&self) -> Result<Table> {
        let lines = &self.lines;
        let mut columns =
            super::keyed(&self.setting.panel, lines.iter().map(|line| (line.series, line.label.as_str())))?;
        let of = |name: &str, value: &dyn Fn(&Priced) -> f64| {
            let cells = lines.iter().map(|line| line.price.as_ref().ok().map(value));
            Column::new(name.into(), cells.collect::<Vec<Option<f64>>>())
        };
        let level = self.policy.level;
        columns.extend([
            of("price", &|p| p.known.present),
            of("proposed", &|p| p.proposed),
            of("units", &|p| p.now.units),
            of("new_units", &|p| p.then.units),
            of("revenue", &|p| p.now.revenue),
            of("new_revenue", &|p| p.then.revenue),
            of("profit", &|p| p.now.profit),
            of("new_profit", &|p| p.then.profit),
            of("difference", &|p| p.difference.mean),
            of("low", &|p| p.difference.low),
            of("high", &|p| p.difference.high),
            of("p_better", &|p| p.difference.better),
            of("elasticity", &|p| p.known.estimate.value),
            of("e_low", &|p| p.known.estimate.interval(level).0),
            of("e_high", &|p| p.known.estimate.interval(level).1),
            Column::new(
                "limit".into(),
                lines.iter().map(|line| line.price.as_ref().ok()?.limit.as_deref()).collect::<Vec<_>>(),
            ),
            Column::new("reason".into(), lines.iter().map(|line| line.reason.as_str()).collect::<Vec<_>>()),
        ]);
        Ok(Table::new(DataFrame::new(lines.len(), columns)?).titled(self.title()))
    }

    /// What other prices of an item are expected to earn, as a table and a figure.
    fn explain(&self, item: &str) -> Result<Finding> {
        let labels: Vec<String> = self.lines.iter().map(|line| line.label.clone()).collect();
        let line = &self.lines[find(item, &labels, "item")?];
        let title = format!("The price of {}", line.label);
        let (Ok(price), Some(series)) = (&line.price, line.series) else {
            let table = Table::new(DataFrame::empty());
            return Ok(Finding::new(title, line.reason.clone(), table));
        };
        let (setting, level, known) = (&self.setting, self.policy.level, &price.known);
        let draws = setting.draws(series, known)?;
        let demand = total(&draws);
        let item = Item {
            present: known.present,
            cost: price.cost,
            stock: price.stock,
            demand: &demand,
            elasticity: &draws.elasticity,
        };
        let (low, high) = (price.limits.0.min(known.present), price.limits.1.max(known.present));
        let mut prices: Vec<f64> =
            (0..POINTS).map(|k| low + (high - low) * k as f64 / (POINTS - 1) as f64).chain([price.proposed]).collect();
        prices.sort_by(f64::total_cmp);
        prices.dedup();
        let curve: Vec<(f64, f64, f64, f64)> = prices
            .iter()
            .map(|price| {
                let found = item.against_present(*price, level);
                (*price, found.mean, found.low, found.high)
            })
            .collect();
        let when = span(&setting.forecast);
        let figure = Scatter {
            title: format!("{}: profit at other prices", line.label),
            value: format!(
                "profit of {when} compared with the present price, with the {} % interval",
                number(100.0 * level)
            ),
            foot: "price".into(),
            groups: vec![
                (format!("proposed, {}", tag(price.proposed)), vec![(price.proposed, price.difference.mean)]),
                (format!("present, {}", tag(known.present)), vec![(known.present, 0.0)]),
            ],
            curve: curve.clone(),
        };
        let outlooks: Vec<Outlook> = prices.iter().map(|price| item.at(*price)).collect();
        let column = |name: &str, values: Vec<f64>| Column::new(name.into(), values);
        let table = Table::new(DataFrame::new(
            prices.len(),
            vec![
                column("price", prices.clone()),
                column("units", outlooks.iter().map(|at| at.units).collect()),
                column("revenue", outlooks.iter().map(|at| at.revenue).collect()),
                column("profit", outlooks.iter().map(|at| at.profit).collect()),
                column("difference", curve.iter().map(|point| point.1).collect()),
                column("low", curve.iter().map(|point| point.2).collect()),
                column("high", curve.iter().map(|point| point.3).collect()),
            ],
        )?);
        Ok(caveats(setting)
            .into_iter()
            .fold(Finding::new(title, line.reason.clone(), table).drawn(figure.figure()), Finding::but))
    }

    /// The items without a decision, each with the reason.
    fn undecided(&self) -> Result<Table> {
        let lines = self.lines.iter();
        super::without(lines.filter_map(|line| Some((line.label.as_str(), line.price.as_ref().err()?.as_str()))))
    }

    /// What is decided, in one sentence.
    fn sentence(&self) -> String {
        let prices: Vec<&Priced> = self.lines.iter().filter_map(|line| line.price.as_ref().ok()).collect();
        let count = |way: &dyn Fn(&Priced) -> bool| prices.iter().filter(|price| way(price)).count();
        let raised = count(&|price| price.proposed > price.known.present);
        let lowered = count(&|price| price.proposed < price.known.present);
        let kept = prices.len() - raised - lowered;
        let without = match self.lines.len() - prices.len() {
            0 => String::new(),
            n => format!("; {} without a decision", counted(n, "item", "items")),
        };
        let of = counted(self.lines.len(), "item", "items");
        if raised + lowered == 0 {
            return format!("Of {of}, {kept} keep their price{without}.");
        }
        format!(
            "Of {of}, raise the price of {raised}, lower that of {lowered} and keep {kept}: profit of {} is expected to {} {}{without}.",
            span(&self.setting.forecast),
            moves(self.total.mean),
            interval(&self.total, self.policy.level)
        )
    }

    /// What the prices rest on.
    fn caveats(&self) -> Vec<String> {
        caveats(&self.setting)
    }

    /// The differences in profit of the items that gain most, with their intervals.
    fn figures(&self) -> Result<Vec<Figure>> {
        let mut rows: Vec<(String, f64, f64, f64)> = Vec::new();
        for line in &self.lines {
            if let Ok(price) = &line.price
                && price.proposed != price.known.present
            {
                let found = &price.difference;
                let name = format!("{}, {} to {}", line.label, tag(price.known.present), tag(price.proposed));
                rows.push((name, found.mean, found.low, found.high));
            }
        }
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        rows.sort_by(|a, b| b.1.total_cmp(&a.1));
        let figure = Intervals {
            title: "What other prices are expected to earn".into(),
            value: format!("difference in profit of {}", span(&self.setting.forecast)),
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

/// What every price rests on.
fn caveats(setting: &Setting) -> Vec<String> {
    let column = &setting.reactions.column;
    let mut caveats = vec![format!(
        "How sales react is estimated from past changes of {column} against the steps around them: it is the reaction of the short \
         run. A price that was set in view of the demand expected biases it; a test of prices at random does not."
    )];
    if !setting.price_is_known() {
        caveats.push(format!(
            "The forecast is taken for what would be sold at the last {column} of the history; a model that does not see prices averages \
             over recent ones."
        ));
    }
    caveats
}
