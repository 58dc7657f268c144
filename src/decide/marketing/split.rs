//! The split of a marketing budget as a planner reads it: what to spend on each channel, why, and how sure that is.

use polars::prelude::*;

use super::allocate::Split;
use super::fit::{Effect, Fit};
use super::market::Market;
use crate::decide::{Decided, without};
use crate::error::{Result, find};
use crate::figures::{Line as Curve, Lines, Scatter, TimeAxis, Waterfall};
use crate::panel::Panel;
use crate::show::words::{about, amount, listed};
use crate::show::{Block, Figure, Finding, Table, number};
use crate::statistics::summary::quantile;

/// How a marketing budget is best split over channels, and what each of them brought.
pub(super) struct BudgetSplit {
    pub panel: Panel,
    /// The position of the first period.
    pub start: i64,
    /// The probability of the intervals.
    pub level: f64,
    /// The budget per period, and what is spent now per period on average.
    pub budget: f64,
    pub now: f64,
    pub market: Market,
    pub fit: Fit,
    pub lines: Vec<Line>,
    pub split: Split,
    /// Sales per period above those of the present split of the same budget, and their interval.
    pub gain: (f64, (f64, f64)),
    pub caveats: Vec<String>,
}

/// Which limit a proposed spend is at.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Limit {
    None,
    Low,
    High,
    /// The most that the data have tried.
    Tried,
    /// There is no room between the two.
    Fixed,
}

/// One channel.
pub(super) struct Line {
    pub name: String,
    /// Spend per period: now, that of the present split at the budget, proposed.
    pub present: f64,
    pub reference: f64,
    pub proposed: f64,
    pub bounds: (f64, f64),
    pub limit: Limit,
    pub effect: Effect,
    /// Intervals of the effect's numbers.
    pub contribution: (f64, f64),
    pub average: (f64, f64),
    pub marginal: (f64, f64),
    /// The share of sales that it brought.
    pub share: f64,
    /// Expected sales per period at the reference and at the proposed spend.
    pub brings: (f64, f64),
    /// Expected sales of the next unit of spend at the proposed one.
    pub next: f64,
}

impl Line {
    fn limit(&self) -> &'static str {
        match self.limit {
            Limit::None => "",
            Limit::Low => "lower bound",
            Limit::High => "upper bound",
            Limit::Tried => "the most that the data have tried",
            Limit::Fixed => "fixed by its bounds",
        }
    }

    /// Does it change by more than a hundredth?
    fn changes(&self) -> bool {
        (self.proposed - self.present).abs() > 0.01 * self.present.max(1e-9 + self.proposed)
    }
}

/// Points of a response curve.
const POINTS: usize = 24;

impl BudgetSplit {
    fn noun(&self) -> &'static str {
        self.panel.frequency().noun()
    }

    fn interval(&self, (low, high): (f64, f64)) -> String {
        format!("{} % interval {} to {}", number(100.0 * self.level), signed(low), signed(high))
    }

    /// One channel in words.
    fn reason(&self, line: &Line) -> String {
        let noun = self.noun();
        let spend = match line.changes() {
            true if line.proposed < 0.005 * line.present => format!("stop (now {} a {noun})", amount(line.present)),
            true => format!("{} a {noun} instead of {}", amount(line.proposed), amount(line.present)),
            false => format!("{} a {noun} as now", amount(line.present)),
        };
        let limit = match line.limit {
            Limit::None => String::new(),
            Limit::Tried => format!("; {} is the most that the data have tried", amount(line.proposed)),
            _ => format!(
                "; this is its {}",
                if line.limit == Limit::Fixed { "only allowed spend" } else { line.limit() }
            ),
        };
        format!(
            "{spend}: a unit of money has brought {} in sales on average ({}), the next one would bring {}{limit}",
            about(line.effect.average),
            self.interval(line.average),
            about(line.next)
        )
    }

    /// A response curve: spend, expected sales per period and their interval.
    fn curve(&self, channel: usize) -> Result<Vec<(f64, f64, f64, f64)>> {
        let line = &self.lines[channel];
        let most =
            line.bounds.1.min(2.0 * line.proposed.max(line.reference)).max(1.2 * line.proposed.max(line.reference));
        let spends = (0..=POINTS).map(|i| most * i as f64 / POINTS as f64);
        let point = |spend: f64| {
            let values: Vec<f64> = self.fit.draws.iter().map(|draw| draw[channel].response.value(spend)).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let end = |probability: f64| quantile(&values, probability);
            Ok((spend, mean, end(0.5 - self.level / 2.0)?, end(0.5 + self.level / 2.0)?))
        };
        spends.map(point).collect()
    }

    fn curve_figure(&self, channel: usize) -> Result<Figure> {
        let (line, noun) = (&self.lines[channel], self.noun());
        Ok(Scatter {
            title: format!("What {} brings", line.name),
            value: format!("expected sales per {noun}"),
            foot: format!("spend per {noun} that is kept up"),
            groups: vec![
                ("present spend".into(), vec![(line.reference, line.brings.0)]),
                ("proposed spend".into(), vec![(line.proposed, line.brings.1)]),
            ],
            curve: self.curve(channel)?,
        }
        .figure())
    }

    /// Where sales came from, per period on average over the periods with sales.
    fn parts_figure(&self) -> Figure {
        let known: Vec<usize> = (0..self.market.sales.len()).filter(|t| self.market.sales[*t].is_finite()).collect();
        let mean = |values: &[f64]| known.iter().map(|t| values[*t]).sum::<f64>() / known.len() as f64;
        let mut parts: Vec<(String, f64)> = (self.lines.iter().zip(&self.fit.contributions))
            .map(|(line, values)| (line.name.clone(), mean(values)))
            .collect();
        parts.sort_by(|a, b| b.1.total_cmp(&a.1));
        Waterfall {
            title: "Where sales came from".into(),
            value: format!("sales per {}, on average", self.noun()),
            start: ("without these channels".into(), mean(&self.fit.baseline)),
            parts,
            end: "all sales".into(),
        }
        .figure()
    }

    /// Contributions over time.
    fn times_figure(&self) -> Figure {
        let calendar = &self.panel.inner().calendar;
        let x: Vec<f64> = (0..self.market.sales.len()).map(|t| calendar.x(self.start + t as i64)).collect();
        let mut order: Vec<usize> = (0..self.lines.len()).collect();
        order.sort_by(|a, b| self.lines[*b].effect.contribution.total_cmp(&self.lines[*a].effect.contribution));
        let line =
            |c: usize| Curve { name: self.lines[c].name.clone(), x: x.clone(), y: self.fit.contributions[c].clone() };
        Lines {
            title: "What each channel contributed".into(),
            value: format!("sales per {}", self.noun()),
            axis: if self.panel.frequency().is_whole() { TimeAxis::Steps } else { TimeAxis::Dates },
            foot: String::new(),
            lines: order.into_iter().map(line).collect(),
            reference: None,
        }
        .figure()
    }
}

/// An amount with its sign, if it is negative.
fn signed(value: f64) -> String {
    if value < 0.0 { format!("−{}", amount(-value)) } else { amount(value) }
}

impl Decided for BudgetSplit {
    fn title(&self) -> String {
        "Marketing budget".into()
    }

    /// What is decided, in one sentence.
    fn sentence(&self) -> String {
        let noun = self.noun();
        let changed: Vec<&Line> = self.lines.iter().filter(|line| line.changes()).collect();
        let (gain, ends) = self.gain;
        let same = (self.budget / self.now - 1.0).abs() < 1e-9;
        let limits: Vec<String> = (self.lines.iter())
            .filter(|line| {
                matches!(line.limit, Limit::High | Limit::Tried) || line.limit == Limit::Low && line.bounds.0 > 0.0
            })
            .map(|line| format!("{} at {}", line.name, line.limit()))
            .collect();
        let limits = match limits.is_empty() {
            true => String::new(),
            false => format!(" Limits that bind: {}.", limits.join("; ")),
        };
        if same && changed.is_empty() {
            return format!(
                "Keep the present split of {} a {noun}: no other is expected to bring more.{limits}",
                amount(self.budget)
            );
        }
        let part = |line: &&Line| {
            let now = if line.changes() { format!("instead of {}", amount(line.present)) } else { "as now".into() };
            format!("{} a {noun} on {} {now}", amount(line.proposed), line.name)
        };
        let shown: Vec<String> =
            if same { changed.iter().map(part).collect() } else { self.lines.iter().map(|line| part(&line)).collect() };
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        let than = match same {
            true => format!("with the same budget of {}", amount(self.budget)),
            false => format!(
                "than with the present split of this budget of {} (now {})",
                amount(self.budget),
                amount(self.now)
            ),
        };
        // Bounds can forbid the present split.
        let by = format!("{} a {noun} ({})", amount(gain.abs()), self.interval(ends));
        let (rise, higher) = if gain < 0.0 { ("fall", "lower") } else { ("rise", "higher") };
        let expected = match same {
            true => format!("{than}, sales are expected to {rise} by {by}"),
            false => format!("sales are expected to be {higher} by {by} {than}"),
        };
        format!("Spend {}: {expected}.{limits}", listed(&shown, 8))
    }

    /// A row per channel, all spends and sales per period: `channel`; `spend` (now, on average), `proposed`, `at_least` and
    /// `at_most`, `limit` (the bound that it is at); `contribution` (sales that came from it, with the interval from
    /// `contribution_from` to `contribution_to`) and its `share` of sales; `average` (sales per unit of spend) and `marginal`
    /// (of the next unit as spend was) with their intervals; `next` (sales of the next unit at the proposed spend); `sales_now`
    /// (expected from the present split of the budget) and `sales_proposed`; `half_life` (periods until half of an effect has
    /// come) and `half_saturation` (the spend that is kept up for half of the greatest effect); `reason`.
    fn table(&self) -> Result<Table> {
        let lines = &self.lines;
        let of = |name: &str, value: &dyn Fn(&Line) -> f64| {
            Column::new(name.into(), lines.iter().map(value).collect::<Vec<f64>>())
        };
        let texts = |name: &str, value: &dyn Fn(&Line) -> String| {
            Column::new(name.into(), lines.iter().map(value).collect::<Vec<String>>())
        };
        let columns = vec![
            texts("channel", &|line| line.name.clone()),
            of("spend", &|line| line.present),
            of("proposed", &|line| line.proposed),
            of("at_least", &|line| line.bounds.0),
            of("at_most", &|line| line.bounds.1),
            texts("limit", &|line| line.limit().into()),
            of("contribution", &|line| line.effect.contribution),
            of("contribution_from", &|line| line.contribution.0),
            of("contribution_to", &|line| line.contribution.1),
            of("share", &|line| line.share),
            of("average", &|line| line.effect.average),
            of("average_from", &|line| line.average.0),
            of("average_to", &|line| line.average.1),
            of("marginal", &|line| line.effect.marginal),
            of("marginal_from", &|line| line.marginal.0),
            of("marginal_to", &|line| line.marginal.1),
            of("next", &|line| line.next),
            of("sales_now", &|line| line.brings.0),
            of("sales_proposed", &|line| line.brings.1),
            of("half_life", &|line| line.effect.memory.half_life()),
            of("half_saturation", &|line| line.effect.response.half / line.effect.response.gain),
            texts("reason", &|line| self.reason(line)),
        ];
        Ok(Table::new(DataFrame::new(lines.len(), columns)?))
    }

    /// Why so much is spent on a channel: its response curve with the present and the proposed spend.
    fn explain(&self, item: &str) -> Result<Finding> {
        let names: Vec<String> = self.lines.iter().map(|line| line.name.clone()).collect();
        let channel = find(item, &names, "channel")?;
        let curve = self.curve(channel)?;
        let of = |pick: fn(&(f64, f64, f64, f64)) -> f64| curve.iter().map(pick).collect::<Vec<f64>>();
        let table = Table::new(DataFrame::new(
            curve.len(),
            vec![
                Column::new("spend".into(), of(|point| point.0)),
                Column::new("sales".into(), of(|point| point.1)),
                Column::new("from".into(), of(|point| point.2)),
                Column::new("to".into(), of(|point| point.3)),
            ],
        )?);
        let line = &self.lines[channel];
        let sentence = format!("{}: {}.", line.name, self.reason(line));
        let half = line.effect.memory.half_life();
        let sure = format!(
            "Half of an effect comes within {} {}s of the spend; half of the greatest effect takes a spend of {} a {}.",
            about(half),
            self.noun(),
            amount(line.effect.response.half / line.effect.response.gain),
            self.noun()
        );
        Ok(Finding::new(format!("Budget of {}", line.name), sentence, table)
            .sure_by(sure)
            .drawn(self.curve_figure(channel)?))
    }

    /// Channels without a decision: none, as effects that are not identified are an error before any number.
    fn undecided(&self) -> Result<Table> {
        without(std::iter::empty())
    }

    /// What a user should know beside it.
    fn caveats(&self) -> Vec<String> {
        let mut caveats = self.caveats.clone();
        caveats.push(format!(
            "The model explains {} of the variation of sales; the conditions of the best split hold to {}.",
            share(self.fit.r_squared.max(0.0)),
            if self.split.violation < 1e-6 { "a millionth".to_string() } else { number(self.split.violation) }
        ));
        if self.split.gap > 1e-6 * self.split.value {
            let gap = amount(self.split.gap);
            caveats.push(format!("Its expected sales are at most {gap} a {} below the best possible.", self.noun()));
        }
        caveats
    }

    /// The pictures: where sales came from, what each channel contributed over time, and the response curve of each.
    fn figures(&self) -> Result<Vec<Figure>> {
        let mut figures = vec![self.parts_figure(), self.times_figure()];
        for channel in 0..self.lines.len() {
            figures.push(self.curve_figure(channel)?);
        }
        Ok(figures)
    }

    /// What readers see of it below the sentence: a table, the pictures, what to doubt.
    fn blocks(&self) -> Result<Vec<Block>> {
        let of = |name: &str, value: &dyn Fn(&Line) -> f64| {
            Column::new(name.into(), self.lines.iter().map(value).collect::<Vec<f64>>())
        };
        let texts = |name: &str, value: &dyn Fn(&Line) -> String| {
            Column::new(name.into(), self.lines.iter().map(value).collect::<Vec<String>>())
        };
        let ends = |(low, high): (f64, f64)| format!("{} to {}", about(low), about(high));
        let mut columns = vec![
            texts("channel", &|line| line.name.clone()),
            of("spend now", &|line| line.present),
            of("proposed", &|line| line.proposed),
            texts("share of sales", &|line| share(line.share)),
            of("sales per unit of spend", &|line| line.effect.average),
            texts(&format!("{} % interval", number(100.0 * self.level)), &|line| ends(line.average)),
            of("of the next unit", &|line| line.next),
        ];
        if self.lines.iter().any(|line| !line.limit().is_empty()) {
            columns.insert(3, texts("limit", &|line| line.limit().into()));
        }
        let table = Table::new(DataFrame::new(self.lines.len(), columns)?).titled(format!("Per {}", self.noun()));
        let mut blocks = vec![Block::Table(table)];
        blocks.extend(self.figures()?.into_iter().map(Block::Figure));
        Ok(blocks)
    }
}

fn share(value: f64) -> String {
    format!("{} %", number((1000.0 * value).round() / 10.0))
}
