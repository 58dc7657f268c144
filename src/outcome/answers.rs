//! The first page: what happened, what drives it, what comes, what to do, how sure? Each with one number, one small figure and one
//! sentence, in words that need no knowledge of statistics.

use super::outlook::Spread;
use super::{BENCHMARK, Outcome};
use crate::decide::Decision;
use crate::error::Result;
use crate::explore::{LastYear, days_to_a_week, last_year};
use crate::figures::{Glance, Line, Shows};
use crate::panel::Panel;
use crate::show::words::{amount, capital, counted, rounded};
use crate::show::{Answer, Block, Finding, Table, Value, number};

/// Bars of a small figure.
const BARS: usize = 4;

impl Outcome {
    /// The five questions of the first page with their answers, each followed by where it comes from.
    ///
    /// # Errors
    /// When a figure or a total cannot be made.
    pub(super) fn answers(&self) -> Result<Block> {
        let answers = [self.happened()?, self.drives()?, self.comes()?, self.to_do()?, self.sure()?];
        let blocks = answers.into_iter().flat_map(|(answer, source)| [Block::Answer(answer), Block::Source(source)]);
        Ok(Block::Group(blocks.collect()))
    }

    /// An amount with the plan's currency or unit.
    pub(super) fn amount(&self, value: f64) -> String {
        self.plan().quantity(&format!("{}{}", if value < 0.0 { "−" } else { "" }, amount(value)))
    }

    fn happened(&self) -> Result<(Answer, String)> {
        let panel = self.panel();
        let target = panel.columns().target().to_string();
        let noun = panel.frequency().noun();
        let question = "What happened?";
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
            return Ok((Answer::new(question, signed(change), sentence).drawn(glance.figure()), source));
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
        Ok((Answer::new(question, self.amount(sum), sentence).drawn(glance.figure()), "panel.plot()".into()))
    }

    fn drives(&self) -> Result<(Answer, String)> {
        let question = "What drives it?";
        // What stands first; else where growth came from, the season, the largest series.
        let stands = self.tour().findings().into_iter().filter(|finding| finding.title() != "Growth");
        let else_told =
            ["contribution", "seasonality", "profile"].iter().filter_map(|label| self.panel().explore(label).ok());
        let Some(first) = stands.chain(else_told).find(|finding| finding.number().is_some()) else {
            let sentence = "Nothing in these data could be told from chance; the reasons are in the appendix.";
            return Ok((Answer::new(question, "–", sentence), "panel.tour()".into()));
        };
        let worth = self.tour().worth();
        let parts = self.parts(&first);
        let (number, sentence, value, bars) = match (worth.first(), parts.as_slice()) {
            (Some((_, money)), _) => {
                // What it is worth, with its currency.
                let sentence =
                    first_sentence(&first.sentence()).replacen(&amount(money.abs()), &self.amount(money.abs()), 1);
                let bar = |(about, money): &(String, f64)| {
                    // A key's name stays as it is: readers may have another for it.
                    let name = if about.contains('=') { about.clone() } else { capital(about) };
                    (name, *money, self.signed_amount(*money))
                };
                (first.number().unwrap_or_default(), sentence, "worth in a year", worth.iter().map(bar).collect())
            }
            (None, [(name, _, size), rest @ ..]) => {
                let rest: Vec<String> = rest.iter().take(2).map(|(name, _, size)| format!("{name} ({size})")).collect();
                let then = if rest.is_empty() { String::new() } else { format!("; then {}", rest.join(" and ")) };
                let sentence = format!("{name} changed most on the year before, {size}{then}.");
                (size.clone(), sentence, "change on the year before", parts)
            }
            (None, []) => (first.number().unwrap_or_default(), first_sentence(&first.sentence()), "", Vec::new()),
        };
        let answer = Answer::new(question, number, sentence);
        let answer = match bars.is_empty() {
            true => answer,
            false => {
                let shows = Shows::Bars(bars.into_iter().take(BARS).collect());
                answer.drawn(Glance { title: first.title(), value: value.into(), shows }.figure())
            }
        };
        Ok((answer, "panel.tour()".into()))
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
        let against = outlook.growth.map_or(String::new(), |growth| match rounded(100.0 * growth.abs(), 0) {
            size if size == "0" => ", as much as a year before".into(),
            size => format!(", {size} % {} than a year before", if growth > 0.0 { "more" } else { "less" }),
        });
        let sentence = format!(
            "{} are expected over {}{against}. In 8 of 10 cases it will be between {} and {}.",
            self.amount(mean),
            self.ahead(),
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
        let source = format!("outcome.forecast.paths(2000, {}).total({:?})", self.plan().seed, self.forecaster()?);
        Ok((Answer::new("What comes?", self.amount(mean), sentence).drawn(glance.figure()), source))
    }

    fn to_do(&self) -> Result<(Answer, String)> {
        let question = "What to do?";
        if let Some(decision) = self.decision() {
            let orders = self.orders(&decision)?;
            let units: f64 = orders.iter().map(|order| order.1).sum();
            let ordered = orders.iter().filter(|order| order.1 > 0.0).count();
            let sentence = match ordered {
                0 => "Order nothing now: what is on hand and on the way is enough until the next review.".to_string(),
                n => format!(
                    "Order {} of {} now, the largest {} of {}. The list is in the section “What to do”.",
                    counted(units.round() as usize, "unit", "units"),
                    counted(n, "item", "items"),
                    number(orders[0].1),
                    orders[0].0
                ),
            };
            let bar = |(name, quantity): &(String, f64)| (name.clone(), *quantity, number(*quantity));
            let mut bars: Vec<_> = orders.iter().take(ordered.min(BARS)).map(bar).collect();
            if ordered > BARS {
                let rest: f64 = orders[BARS..].iter().map(|order| order.1).sum();
                bars.push((counted(ordered - BARS, "other", "others"), rest, number(rest)));
            }
            let shows = Shows::Bars(bars);
            let glance = Glance { title: "The largest orders".into(), value: "units to order now".into(), shows };
            let answer = Answer::new(question, format!("{} units", number(units.round())), sentence);
            let answer = if ordered > 0 { answer.drawn(glance.figure()) } else { answer };
            return Ok((answer, "plan.decide_stock()".into()));
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
        let sentence = format!(
            "Plan stock and staff for {} over {}{more}: it is enough in 9 of 10 cases.{peak}",
            self.amount(high),
            self.ahead()
        );
        let (axis, _, mut expected) = outlook.glance(&panel);
        expected.name = "expected".into();
        let enough = Line {
            name: "enough in 9 of 10 cases".into(),
            x: expected.x.clone(),
            y: outlook.shown.iter().map(|step| step.high).collect(),
        };
        let shows = Shows::Lines { axis, lines: vec![enough, expected], band: None };
        let value = self.plan().measured(panel.columns().target()) + per(&panel, outlook.is_weekly()).as_str();
        let glance = Glance { title: "What to plan for".into(), value, shows };
        let source = format!("outcome.forecast.paths(2000, {}).total({:?})", self.plan().seed, self.forecaster()?);
        Ok((Answer::new(question, self.amount(high), sentence).drawn(glance.figure()), source))
    }

    /// What is ordered of each item, the largest order first.
    pub(super) fn orders(&self, decision: &Decision) -> Result<Vec<(String, f64)>> {
        let table = decision.table()?;
        let keys = self.panel().columns().keys().to_vec();
        let order = |row: usize| -> Result<(String, f64)> {
            let name: Vec<String> =
                keys.iter().map(|key| Ok(format!("{key} {}", table.get(row, key)?))).collect::<Result<_>>()?;
            Ok((name.join(", "), numeric(&table, row, "order").unwrap_or(0.0)))
        };
        let mut orders = (0..table.rows()).map(order).collect::<Result<Vec<_>>>()?;
        orders.sort_by(|a, b| b.1.total_cmp(&a.1));
        Ok(orders)
    }

    fn sure(&self) -> Result<(Answer, String)> {
        let backtest = self.backtest();
        let model = self.forecaster()?;
        let share = |value: f64| format!("{} %", rounded(value, if value < 9.95 { 1 } else { 0 }));
        let miss = backtest.score(&model, "wape")?;
        let usual = if model == BENCHMARK { None } else { backtest.score(BENCHMARK, "wape").ok() };
        let before = self.season_before();
        let against =
            usual.map_or(String::new(), |usual| format!("; repeating {before} would have missed by {}", share(usual)));
        let held = backtest.score(&model, "coverage80").map_or(String::new(), |held| {
            format!(" Ranges meant to hold 80 of 100 actual sales held {}.", rounded(100.0 * held, 0))
        });
        let noun = self.panel().frequency().noun();
        let sentence = format!(
            "In {}, the forecast of a series and {noun} has missed by {} on average{against}.{held}",
            counted(backtest.folds().len(), "test on past data", "tests on past data"),
            share(miss)
        );
        let mut rows = vec![("this forecast".to_string(), miss, share(miss))];
        rows.extend(usual.map(|usual| (format!("repeating {before}"), usual, share(usual))));
        let glance = Glance {
            title: "By how much forecasts missed".into(),
            value: "average miss".into(),
            shows: Shows::Bars(rows),
        };
        let answer = Answer::new("How sure is that?", format!("{} off", share(miss)), sentence).drawn(glance.figure());
        Ok((answer, format!("outcome.backtest.leaderboard(\"wape\") // {model}")))
    }
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

/// The first sentence of a text, without what stands in brackets: intervals belong to those who read on.
pub(super) fn first_sentence(text: &str) -> String {
    let end = text.match_indices(". ").map(|(at, _)| at + 1).find(|at| text[..*at].len() > 20).unwrap_or(text.len());
    let mut out = String::new();
    let mut depth = 0_usize;
    for letter in text[..end].chars() {
        match letter {
            '(' => {
                depth += 1;
                if out.ends_with(' ') && depth == 1 {
                    out.pop();
                }
            }
            ')' => depth = depth.saturating_sub(1),
            letter if depth == 0 => out.push(letter),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_for_those_who_read_on() {
        let text =
            "With Promo, sales are 37.2 % above their baseline (95 % interval +33 % to +41 %), about 29 a year. More.";
        assert_eq!(first_sentence(text), "With Promo, sales are 37.2 % above their baseline, about 29 a year.");
        assert_eq!(first_sentence("(all) of it"), " of it");
        assert_eq!([moved(0.048), moved(-0.02)], ["rose by 4.8 %", "fell by 2 %"]);
    }
}
