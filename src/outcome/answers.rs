//! The first page: what happened, what drives it, what comes next, what should be done, how sure is that? Each with one number, one small figure and one
//! sentence, in words that need no knowledge of statistics.

use super::outlook::Spread;
use super::{BENCHMARK, Outcome};
use crate::decide::{Arrival, Decision};
use crate::error::Result;
use crate::explore::{LastYear, days_to_a_week, last_year};
use crate::figures::{Glance, Line, Shows};
use crate::panel::Panel;
use crate::show::words::{amount, capital, counted, rounded};
use crate::show::{Answer, Block, Finding, Table, Value, number};

/// Bars of a small figure.
const BARS: usize = 4;

const HAPPENED: &str = "What happened?";
const DRIVES: &str = "What drives it?";
const COMES: &str = "What comes next?";
const TO_DO: &str = "What should we do?";
const SURE: &str = "How sure are we?";

impl Outcome {
    /// The five questions of the first page with their answers, each followed by where it comes from.
    ///
    /// # Errors
    /// When a figure or a total cannot be made.
    pub(super) fn answers(&self) -> Result<Block> {
        let blocks =
            self.five()?.into_iter().flat_map(|(answer, source)| [Block::Answer(answer), Block::Source(source)]);
        Ok(Block::Group(blocks.collect()))
    }

    /// The five answers, each with where it comes from. One that cannot be given says why.
    pub(super) fn five(&self) -> Result<[(Answer, String); 5]> {
        let or_why = |question: &str, source: &str, answer: Result<(Answer, String)>| match answer {
            Err(error) if !error.is_interrupted() => {
                Ok((Answer::new(question, "–", format!("This cannot be told: {error}")), source.to_string()))
            }
            answer => answer,
        };
        Ok([
            or_why(HAPPENED, "outcome.panel", self.happened())?,
            or_why(DRIVES, "outcome.tour", self.drives())?,
            or_why(COMES, "outcome.forecast", self.comes())?,
            or_why(TO_DO, "outcome.forecast", self.to_do())?,
            or_why(SURE, "outcome.backtest", self.sure())?,
        ])
    }

    /// An amount with the plan's currency or unit.
    pub(super) fn amount(&self, value: f64) -> String {
        self.plan().quantity(&format!("{}{}", if value < 0.0 { "−" } else { "" }, amount(value)))
    }

    fn happened(&self) -> Result<(Answer, String)> {
        let panel = self.panel();
        let target = panel.columns().target().to_string();
        let noun = panel.frequency().noun();
        let source = "panel.explore(\"trend\")".to_string();
        if let Ok(LastYear { now, then, lines, axis, compared, whole, clear }) = last_year(&panel) {
            let change = now / then - 1.0;
            let span = match whole {
                true => "the last year".to_string(),
                false => format!("the last {}", counted(compared, noun, &format!("{noun}s"))),
            };
            let sentence = match clear {
                true => format!(
                    "{target} {} in {span}: {} after {} in the same {noun}s of the year before.",
                    moved(change),
                    self.amount(now),
                    self.amount(then)
                ),
                false => format!(
                    "{target} came to {} in {span}, after {} in the same {noun}s of the year before: no clear change.",
                    self.amount(now),
                    self.amount(then)
                ),
            };
            let shows = Shows::Lines { axis, lines, band: None };
            let value = self.plan().measured(&target) + per(&panel, days_to_a_week(&panel) > 1).as_str();
            let glance = Glance { title: "The last year and the year before".into(), value, shows };
            return Ok((Answer::new(HAPPENED, signed(change), sentence).drawn(glance.figure()), source));
        }
        let (first, last) = panel.span();
        let (start, sums) = crate::explore::total(&panel);
        let sum: f64 = sums.iter().filter(|y| !y.is_nan()).sum();
        let calendar = &panel.inner().calendar;
        let line =
            Line { name: target.clone(), x: (0..sums.len()).map(|t| calendar.x(start + t as i64)).collect(), y: sums };
        let sentence = format!(
            "{target} came to {} from {first} to {last}; the history is too short to compare it with a year before.",
            self.amount(sum)
        );
        let shows = Shows::Lines { axis: super::axis(&panel), lines: vec![line], band: None };
        let glance = Glance { title: "All sales".into(), value: self.plan().measured(&target), shows };
        Ok((Answer::new(HAPPENED, self.amount(sum), sentence).drawn(glance.figure()), "panel.plot()".into()))
    }

    fn drives(&self) -> Result<(Answer, String)> {
        let tour = self.tour();
        let worth = tour.worth();
        // What is worth most; else what stands first, where growth came from, the season, the largest series.
        let dearest = tour.dearest();
        let stands = tour.findings().into_iter().filter(|finding| finding.title() != "Growth");
        let else_told =
            ["contribution", "seasonality", "profile"].iter().filter_map(|label| self.panel().explore(label).ok());
        let told = dearest.as_ref().map(|(finding, _)| finding.clone());
        let Some(first) = told.into_iter().chain(stands).chain(else_told).find(|finding| finding.number().is_some())
        else {
            let sentence = "Nothing in these data could be told from chance; the reasons are in the appendix.";
            return Ok((Answer::new(DRIVES, "–", sentence), "outcome.tour".into()));
        };
        let parts = self.parts(&first);
        let (number, sentence, value, bars) = match (dearest.zip(worth.first()), parts.as_slice()) {
            (Some(((_, sentence), (_, money))), _) => {
                // What it is worth, with its currency.
                let plain = format!(" about {} ", amount(money.abs()));
                let priced = format!(" about {} ", self.amount(money.abs()));
                let sentence = without_intervals(&sentence).replacen(&plain, &priced, 1);
                let bar = |(about, money): &(String, f64)| {
                    // A key's name stays as it is: readers may have another for it.
                    let name = if about.contains('=') { about.replace('=', " ") } else { capital(about) };
                    (name, *money, self.signed_amount(*money))
                };
                (first.number().unwrap_or_default(), sentence, "worth in a year", worth.iter().map(bar).collect())
            }
            (None, [(name, change, size), rest @ ..]) => {
                // In words: a line could end behind a sign.
                let by = |change: f64| {
                    format!("{} {}", self.amount(change.abs()), if change < 0.0 { "less" } else { "more" })
                };
                let rest: Vec<String> =
                    rest.iter().take(2).map(|(name, change, _)| format!("{name} ({})", by(*change))).collect();
                let then = if rest.is_empty() { String::new() } else { format!("; then {}", rest.join(" and ")) };
                let sentence = format!("{name} changed most on the year before, {}{then}.", by(*change));
                (size.clone(), sentence, "change on the year before", parts)
            }
            (None, []) => (first.number().unwrap_or_default(), format!("{}.", first.headline()), "", Vec::new()),
        };
        let answer = Answer::new(DRIVES, number, sentence);
        let answer = match bars.is_empty() {
            true => answer,
            false => {
                let shows = Shows::Bars(bars.into_iter().take(BARS).collect());
                answer.drawn(Glance { title: first.title(), value: value.into(), shows }.figure())
            }
        };
        Ok((answer, "outcome.tour".into()))
    }

    /// `+$281,000`.
    fn signed_amount(&self, value: f64) -> String {
        format!("{}{}", if value > 0.0 { "+" } else { "" }, self.amount(value))
    }

    /// The parts of a finding with their names and amounts, where its table has them.
    fn parts(&self, finding: &Finding) -> Vec<(String, f64, String)> {
        let table = finding.table();
        let word = |row: usize, name: &str| table.get(row, name).ok();
        let part = |row: usize| {
            let change = numeric(&table, row, "change")?;
            let name = format!("{} {}", word(row, "level")?, word(row, "branch")?);
            Some((name, change, self.signed_amount(change)))
        };
        (0..table.rows().min(BARS)).map(part).collect::<Option<_>>().unwrap_or_default()
    }

    fn comes(&self) -> Result<(Answer, String)> {
        let outlook = self.outlook()?;
        let Spread { mean, low, high } = outlook.sum;
        let brief = format!("{}.", self.expectation()?);
        let sentence = format!(
            "{brief} In 8 cases out of 10 the total will be between {} and {}.",
            self.amount(low),
            self.amount(high)
        );
        let (axis, history, mut expected) = outlook.glance(&self.panel());
        // The forecast goes on where the history ends.
        let last = history.x.last().copied().zip(history.y.last().copied().filter(|y| y.is_finite()));
        if let Some((x, y)) = last {
            expected.x.insert(0, x);
            expected.y.insert(0, y);
        }
        let ends = |pick: fn(&Spread) -> f64| {
            last.map(|(_, y)| y).into_iter().chain(outlook.shown.iter().map(pick)).collect::<Vec<f64>>()
        };
        let band = Some((ends(|step| step.low), ends(|step| step.high)));
        let shows = Shows::Lines { axis, lines: vec![history, expected], band };
        let value =
            self.plan().measured(self.panel().columns().target()) + per(&self.panel(), outlook.is_weekly()).as_str();
        let glance = Glance { title: "All series: sold and expected".into(), value, shows };
        let source = self.total_source();
        Ok((Answer::new(COMES, self.amount(mean), sentence).in_short(brief).drawn(glance.figure()), source))
    }

    /// The call that gives the total of all series over all steps with its interval.
    fn total_source(&self) -> String {
        format!("outcome.forecast.totals(2000, {})", self.plan().seed)
    }

    /// The call that gives the totals of all series step by step.
    pub(super) fn steps_source(&self) -> Result<String> {
        Ok(format!("outcome.forecast.paths(2000, {}).total({:?})", self.plan().seed, self.forecaster()?))
    }

    /// What is expected, and how it compares with the year before.
    pub(super) fn expectation(&self) -> Result<String> {
        let outlook = self.outlook()?;
        let against = outlook.growth.map_or(String::new(), |growth| match rounded(100.0 * growth.abs(), 0) {
            size if size == "0" => ", as much as a year before".into(),
            size => format!(", {size} % {} than a year before", if growth > 0.0 { "more" } else { "less" }),
        });
        Ok(format!("{} is expected over {}{against}", self.amount(outlook.sum.mean), self.ahead()))
    }

    fn to_do(&self) -> Result<(Answer, String)> {
        if let Some(decision) = self.decision() {
            let orders = self.orders(&decision)?;
            let sum: f64 = orders.iter().map(|order| order.quantity).sum();
            let ordered = orders.iter().filter(|order| order.quantity > 0.0).count();
            let (brief, sentence) = match ordered {
                0 => {
                    let enough = "Order nothing now: what is on hand and on the way is enough until the next review.";
                    (enough.to_string(), enough.to_string())
                }
                n => {
                    let items = counted(n, "item", "items");
                    let brief = match self.orders_are_money() {
                        true => format!("Order goods for {} now ({items})", self.pieces(sum)),
                        false => format!("Order {} of {items} now", self.pieces(sum)),
                    };
                    let Order { name, quantity, arrival } = &orders[0];
                    let when = arrival.as_ref().map_or(String::new(), |Arrival { covered, left, others, demand }| {
                        let others = match *others > 0.0 {
                            true => format!(", {} comes in", self.bare(*others)),
                            false => String::new(),
                        };
                        let (left, demand) = (self.bare(left.max(0.0)), self.bare(*demand));
                        format!(
                            ", to be on the shelf for {covered}, when about {left} is left{others} and {demand} is expected to be sold"
                        )
                    });
                    let sentence = format!(
                        "{brief}; the largest order is {} of {name}{when}. The list is in the section “What to do”.",
                        self.bare(*quantity)
                    );
                    (format!("{brief}."), sentence)
                }
            };
            let bar = |order: &Order| (order.name.clone(), order.quantity, self.bare(order.quantity));
            let mut bars: Vec<_> = orders.iter().take(ordered.min(BARS)).map(bar).collect();
            if ordered > BARS {
                let rest: f64 = orders[BARS..].iter().map(|order| order.quantity).sum();
                bars.push((counted(ordered - BARS, "other", "others"), rest, self.bare(rest)));
            }
            let shows = Shows::Bars(bars);
            let glance = Glance { title: "The largest orders".into(), value: "to order now".into(), shows };
            let answer = Answer::new(TO_DO, self.pieces(sum), sentence).in_short(brief);
            let answer = if ordered > 0 { answer.drawn(glance.figure()) } else { answer };
            return Ok((answer, "outcome.decision".into()));
        }
        let outlook = self.outlook()?;
        let panel = self.panel();
        let Spread { mean, high, .. } = outlook.sum;
        let peak = match outlook.peak() {
            Some(step) => format!(
                " Most is needed {} {}, {}.",
                match panel.frequency().noun() {
                    "day" => "on".to_string(),
                    noun => format!("in the {noun} of"),
                },
                panel.inner().calendar.label(outlook.start + step as i64),
                self.amount(outlook.steps[step].high)
            ),
            None => String::new(),
        };
        let more = if mean > 0.0 {
            format!(", {} % above what is expected", rounded(100.0 * (high / mean - 1.0), 0))
        } else {
            String::new()
        };
        let plan = format!("Plan stock and staff for {} over {}", self.amount(high), self.ahead());
        let sentence = format!("{plan}{more}: this is enough in 9 cases out of 10.{peak}");
        let (axis, _, mut expected) = outlook.glance(&panel);
        expected.name = "expected".into();
        let enough = Line {
            name: "enough in 9 cases out of 10".into(),
            x: expected.x.clone(),
            y: outlook.shown.iter().map(|step| step.high).collect(),
        };
        let shows = Shows::Lines { axis, lines: vec![enough, expected], band: None };
        let value = self.plan().measured(panel.columns().target()) + per(&panel, outlook.is_weekly()).as_str();
        let glance = Glance { title: "What to plan for".into(), value, shows };
        let source = self.total_source();
        Ok((
            Answer::new(TO_DO, self.amount(high), sentence).in_short(format!("{plan}.")).drawn(glance.figure()),
            source,
        ))
    }

    /// Are orders amounts of money? Where the plan has a currency and no unit, sales are.
    fn orders_are_money(&self) -> bool {
        let is_given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
        is_given(&self.plan().currency) && !is_given(&self.plan().unit)
    }

    /// What is ordered: `$190,000`, `1,200 units`, or in the plan's unit.
    fn pieces(&self, count: f64) -> String {
        let bare = self.bare(count);
        match self.plan().unit.as_deref().map(str::trim).filter(|unit| !unit.is_empty()) {
            Some(unit) => format!("{bare} {unit}"),
            None if self.orders_are_money() => bare,
            None => format!("{bare} {}", if count.round() == 1.0 { "unit" } else { "units" }),
        }
    }

    /// The same without the unit, beside others of its kind.
    fn bare(&self, count: f64) -> String {
        match self.orders_are_money() {
            true => self.amount(count),
            false => number(count.round()),
        }
    }

    /// `to order, $`: what a figure of orders shows.
    pub(super) fn order_unit(&self) -> String {
        let unit = if self.orders_are_money() { &self.plan().currency } else { &self.plan().unit };
        format!("to order, {}", unit.as_deref().map(str::trim).filter(|unit| !unit.is_empty()).unwrap_or("units"))
    }

    /// What is ordered of each item, the largest order first.
    pub(super) fn orders(&self, decision: &Decision) -> Result<Vec<Order>> {
        let table = decision.table()?;
        let keys = self.panel().columns().keys().to_vec();
        let order = |(row, arrival): (usize, Option<Arrival>)| -> Result<Order> {
            let name: Vec<String> =
                keys.iter().map(|key| Ok(format!("{key} {}", table.get(row, key)?))).collect::<Result<_>>()?;
            let quantity = numeric(&table, row, "order").unwrap_or(0.0);
            Ok(Order { name: name.join(", "), quantity, arrival })
        };
        let mut orders = decision.arrivals().into_iter().enumerate().map(order).collect::<Result<Vec<_>>>()?;
        orders.sort_by(|a, b| b.quantity.total_cmp(&a.quantity));
        Ok(orders)
    }

    /// By how many per cent the benchmark missed, where another model makes the forecast.
    pub(super) fn usual_miss(&self, model: &str) -> Option<f64> {
        if model == BENCHMARK { None } else { self.backtest().score(BENCHMARK, "wape").ok() }
    }

    fn sure(&self) -> Result<(Answer, String)> {
        let backtest = self.backtest();
        let model = self.forecaster()?;
        let share = |value: f64| format!("{} %", rounded(value, if value < 9.95 { 1 } else { 0 }));
        let miss = backtest.score(&model, "wape")?;
        let usual = self.usual_miss(&model);
        let before = self.season_before();
        let against = usual
            .map_or(String::new(), |usual| format!("; repeating {before} would have been off by {}", share(usual)));
        let held = backtest.score(&model, "coverage80").map_or(String::new(), |held| {
            format!(" Its 80 % ranges contained {} % of the actual values.", rounded(100.0 * held, 0))
        });
        let noun = self.panel().frequency().noun();
        let brief = format!(
            "In {}, forecasts for a single series and {noun} were off by {} on average{against}.",
            counted(backtest.folds().len(), "test on past data", "tests on past data"),
            share(miss)
        );
        let sentence = format!("{brief}{held}");
        let mut rows = vec![("this forecast".to_string(), miss, share(miss))];
        rows.extend(usual.map(|usual| (format!("repeating {before}"), usual, share(usual))));
        let glance = Glance {
            title: "By how much forecasts were off".into(),
            value: "average error".into(),
            shows: Shows::Bars(rows),
        };
        let answer = Answer::new(SURE, format!("{} off", share(miss)), sentence).in_short(brief).drawn(glance.figure());
        Ok((answer, format!("outcome.backtest.leaderboard(\"wape\") // {model}")))
    }
}

/// What is ordered of an item.
pub(super) struct Order {
    /// The item.
    pub name: String,
    /// To be ordered now.
    pub quantity: f64,
    /// What it meets when it arrives; none without a decision.
    pub arrival: Option<Arrival>,
}

/// ` a week`: what the values of a small figure are sums over.
fn per(panel: &Panel, weekly: bool) -> String {
    match (panel.frequency().is_whole(), weekly) {
        (true, _) => String::new(),
        (_, true) => " a week".into(),
        (_, false) => {
            format!(" {} {}", if panel.frequency().noun() == "hour" { "an" } else { "a" }, panel.frequency().noun())
        }
    }
}

/// A number of a table; none where there is none.
fn numeric(table: &Table, row: usize, name: &str) -> Option<f64> {
    match table.get(row, name).ok()? {
        Value::Whole(value) => Some(value as f64),
        Value::Number(value) => Some(value),
        _ => None,
    }
}

/// `rose by 4.8 %`, `fell by 2 %`.
fn moved(change: f64) -> String {
    format!("{} by {} %", if change < 0.0 { "fell" } else { "rose" }, rounded(100.0 * change.abs(), 1))
}

/// `+4.8 %`.
fn signed(change: f64) -> String {
    format!("{}{} %", if change < 0.0 { "−" } else { "+" }, rounded(100.0 * change.abs(), 1))
}

/// A sentence without the intervals in brackets: they belong to those who read on. Other brackets may be of a name.
fn without_intervals(sentence: &str) -> String {
    let mut out = String::new();
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once(" (") {
        let Some((inside, behind)) = after.split_once(')').filter(|(inside, _)| inside.contains(" % interval ")) else {
            out.push_str(before);
            out.push_str(" (");
            rest = after;
            continue;
        };
        // A bracket that says more than the interval keeps the rest.
        let kept = inside.split_once("; ").map_or("", |(_, kept)| kept);
        out.push_str(before);
        if !kept.is_empty() {
            out.push_str(&format!(" ({kept})"));
        }
        rest = behind;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_for_those_who_read_on() {
        let text = "With Promo, sales are 37.2 % above their baseline (95 % interval +33 % to +41 %), about 29 a year.";
        assert_eq!(without_intervals(text), "With Promo, sales are 37.2 % above their baseline, about 29 a year.");
        for text in ["Coffee (decaf) sells 3 % more.", "An open ( and no end.", "(all) of it", "a) b"] {
            assert_eq!(without_intervals(text), text);
        }
        assert_eq!([moved(0.048), moved(-0.02)], ["rose by 4.8 %", "fell by 2 %"]);
    }
}
