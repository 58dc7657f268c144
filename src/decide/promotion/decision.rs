//! Promotions as a decision: in sentences, as a table, as a calendar to look at.

use polars::prelude::*;

use super::setting::Setting;
use super::{Judged, PromotionPolicy};
use crate::decide::price::{Difference, chance, interval, moves, span};
use crate::decide::{Decided, Reading, keyed};
use crate::error::{Result, find};
use crate::figures::{Schedule, TimeAxis, Waterfall};
use crate::forecast::Forecast;
use crate::show::words::{about, counted, rounded};
use crate::show::{Block, Figure, Finding, Table, number};

/// The columns of the promotions as a planner reads them, and what they mean.
const READ: &[(&str, &str)] = &[
    ("start", "start"),
    ("length", "steps"),
    ("discount", "discount, %"),
    ("cost", "cost"),
    ("base", "sales without"),
    ("more", "more sold"),
    ("borrowed", "of it borrowed"),
    ("difference", "profit"),
    ("low", "its interval"),
];
const MEANING: &str = "More sold: in the steps of the promotion; of it borrowed: what the steps around sell less. Profit: the expected \
                       difference, its cost taken off.";

/// What promotions are expected to earn, and which are chosen.
pub(super) struct Promotions {
    pub setting: Setting,
    pub policy: PromotionPolicy,
    /// By first step, those that could not be judged last.
    pub lines: Vec<Line>,
    pub total: Difference,
    /// By what share of its gain the calendar is below the best possible one at most.
    pub below: f64,
    /// Promotions that were possible.
    pub tried: usize,
    /// Were they chosen, or given?
    pub chosen: bool,
}

/// One promotion.
pub(super) struct Line {
    pub label: String,
    pub series: Option<usize>,
    /// Its first step.
    pub date: String,
    pub judged: Result<Judged, String>,
    pub reason: String,
}

impl Line {
    pub(super) fn undecided(label: String, series: Option<usize>, date: String, why: String) -> Self {
        Self { label, series, date, reason: format!("no decision: {why}"), judged: Err(why) }
    }

    /// The item, with the date where there is one.
    fn name(&self) -> String {
        if self.date.is_empty() { self.label.clone() } else { format!("{} {}", self.label, self.date) }
    }
}

impl Judged {
    /// Is it a gain beyond doubt?
    fn is_sure(&self) -> bool {
        self.difference.low > 0.0
    }

    /// Is it open whether it gains or loses?
    fn is_open(&self) -> bool {
        self.difference.low <= 0.0 && self.difference.high >= 0.0
    }
}

/// A promotion in words.
pub(super) fn reason(setting: &Setting, policy: &PromotionPolicy, label: &str, date: &str, judged: &Judged) -> String {
    let noun = setting.panel.frequency().noun();
    let (run, mean, found) = (&judged.run, &judged.mean, &judged.difference);
    let unit = if policy.turnover { "" } else { " units" };
    let off = if run.discount > 0.0 { format!(" at {} % off", number(100.0 * run.discount)) } else { String::new() };
    let change = format!("{}{unit} {}", about(mean.more.abs()), if mean.more < 0.0 { "fewer" } else { "more" });
    let change = if policy.turnover { change.replace("fewer", "less") } else { change };
    let borrowed = match mean.borrowed {
        units if units < 0.0 => format!(", {}{unit} of it from the {noun}s around", about(-units)),
        _ => String::new(),
    };
    let taken = match mean.siblings {
        loss if loss < 0.0 => format!("; it takes {} of profit from its siblings", about(-loss)),
        _ => String::new(),
    };
    let cost = if run.cost > 0.0 { format!(", its cost of {} paid,", number(run.cost)) } else { String::new() };
    let mut text = format!(
        "Promote {label} for {} from {date}{off}: {change} than {} sold{borrowed}{taken}; profit{cost} is expected to {} {}.",
        counted(run.length, noun, &format!("{noun}s")),
        about(judged.base),
        moves(found.mean),
        interval(found, policy.level)
    );
    if judged.is_open() {
        text += &format!(" A loss is possible: it gains with probability {}.", chance(found.better));
    } else if !judged.is_sure() {
        text += " It loses money.";
    }
    if let Some(usual) = setting.measured.discount
        && (run.discount > 1.5 * usual || run.discount < 0.5 * usual)
    {
        text += &format!(
            " Past promotions took {} % off: what another discount does is a guess.",
            rounded(100.0 * usual, 0)
        );
    }
    text
}

impl Decided for Promotions {
    /// The title.
    fn title(&self) -> String {
        format!("Promotions in {}", span(&self.setting.forecast))
    }

    /// A row per promotion: the keys, `start`, `length`, `discount` and `cost`; `base`, what would be sold without it,
    /// `more` sold, and `borrowed` from the steps around (below zero); profit of its `own` steps, of the steps `around`
    /// and of `siblings`; the expected `difference` in profit with its interval (`low`, `high`) and the probability
    /// `p_better` that it is above zero; whether the interval `excludes_zero`, and the `reason`.
    fn table(&self) -> Result<Table> {
        let lines = &self.lines;
        let mut columns = keyed(&self.setting.panel, lines.iter().map(|line| (line.series, line.label.as_str())))?;
        let of = |name: &str, value: &dyn Fn(&Judged) -> f64| {
            let cells = lines.iter().map(|line| line.judged.as_ref().ok().map(value));
            Column::new(name.into(), cells.collect::<Vec<Option<f64>>>())
        };
        let length = lines.iter().map(|line| line.judged.as_ref().ok().map(|judged| judged.run.length as u32));
        let sure = lines.iter().map(|line| line.judged.as_ref().ok().map(|judged| !judged.is_open()));
        columns.extend([
            Column::new("start".into(), lines.iter().map(|line| line.date.as_str()).collect::<Vec<_>>()),
            Column::new("length".into(), length.collect::<Vec<Option<u32>>>()),
            of("discount", &|judged| judged.run.discount),
            of("cost", &|judged| judged.run.cost),
            of("base", &|judged| judged.base),
            of("more", &|judged| judged.mean.more),
            of("borrowed", &|judged| judged.mean.borrowed),
            of("own", &|judged| judged.mean.own),
            of("around", &|judged| judged.mean.around),
            of("siblings", &|judged| judged.mean.siblings),
            of("difference", &|judged| judged.difference.mean),
            of("low", &|judged| judged.difference.low),
            of("high", &|judged| judged.difference.high),
            of("p_better", &|judged| judged.difference.better),
            Column::new("excludes_zero".into(), sure.collect::<Vec<Option<bool>>>()),
            Column::new("reason".into(), lines.iter().map(|line| line.reason.as_str()).collect::<Vec<_>>()),
        ]);
        Ok(Table::new(DataFrame::new(lines.len(), columns)?).titled(self.title()))
    }

    /// What a promotion gains in parts: `item` is the item, or the item and the first date, `item=a 2012-11-02`.
    fn explain(&self, item: &str) -> Result<Finding> {
        let names: Vec<String> = self.lines.iter().map(Line::name).collect();
        let place = match self.lines.iter().position(|line| line.label == item) {
            Some(place) => place,
            None => find(item, &names, "promotion")?,
        };
        let line = &self.lines[place];
        let title = format!("The promotion of {}", line.name());
        let Ok(judged) = &line.judged else {
            return Ok(Finding::new(title, line.reason.clone(), Table::new(DataFrame::empty())));
        };
        let mean = &judged.mean;
        let parts = [
            ("while it runs", mean.own),
            ("borrowed from the steps around", mean.around),
            ("taken from siblings", mean.siblings),
            ("its cost", -judged.run.cost),
        ];
        let parts: Vec<(String, f64)> =
            parts.into_iter().filter(|(_, value)| *value != 0.0).map(|(name, value)| (name.into(), value)).collect();
        let columns = vec![
            Column::new("part".into(), parts.iter().map(|part| part.0.as_str()).collect::<Vec<_>>()),
            Column::new("profit".into(), parts.iter().map(|part| part.1).collect::<Vec<_>>()),
        ];
        let table = Table::new(DataFrame::new(parts.len(), columns)?);
        let figure = Waterfall {
            title: title.clone(),
            value: "expected difference in profit".into(),
            start: ("without it".into(), 0.0),
            parts,
            end: "with it".into(),
        };
        let finding = Finding::new(title, line.reason.clone(), table).drawn(figure.figure());
        Ok(self.caveats().into_iter().fold(finding, Finding::but))
    }

    /// The promotions and items without a decision, each with the reason.
    fn undecided(&self) -> Result<Table> {
        let names: Vec<(String, &str)> =
            (self.lines.iter()).filter_map(|line| Some((line.name(), line.judged.as_ref().err()?.as_str()))).collect();
        crate::decide::without(names.iter().map(|(name, why)| (name.as_str(), *why)))
    }

    /// What is decided, in one sentence.
    fn sentence(&self) -> String {
        let judged: Vec<&Judged> = self.lines.iter().filter_map(|line| line.judged.as_ref().ok()).collect();
        let without = match self.lines.len() - judged.len() {
            0 => String::new(),
            n => format!("; {n} without a decision"),
        };
        if judged.is_empty() {
            return match self.chosen {
                true => {
                    format!("None of {} possible promotions is expected to gain{without}.", number(self.tried as f64))
                }
                false => format!("No promotion could be judged{without}."),
            };
        }
        let open = judged.iter().filter(|judged| judged.is_open()).count();
        let spent: f64 = judged.iter().map(|judged| judged.run.cost).sum();
        let all = counted(judged.len(), "promotion", "promotions");
        let lead = match self.chosen {
            true => format!("The best calendar has {all} of {} possible ones", number(self.tried as f64)),
            false => format!("The calendar has {all}"),
        };
        let cost = if spent > 0.0 { format!(" at a cost of {}", number(spent)) } else { String::new() };
        let open = match open {
            0 => String::new(),
            n => format!("; of {n} it is open whether {} pay", if n == 1 { "it does" } else { "they" }),
        };
        let open = open.replace("it does pay", "it pays");
        format!(
            "{lead}{cost}: profit is expected to {} {}{open}{without}.",
            moves(self.total.mean),
            interval(&self.total, self.policy.level)
        )
    }

    /// What the numbers rest on.
    fn caveats(&self) -> Vec<String> {
        let (policy, measured) = (&self.policy, &self.setting.measured);
        let noun = self.setting.panel.frequency().noun();
        let (low, high) = measured.all.interval(policy.level);
        let percent =
            |share: f64| format!("{}{} %", if share < 0.0 { "−" } else { "+" }, rounded(100.0 * share.abs(), 1));
        let mut all = vec![format!(
            "The uplift is that of past promotions ({}): {} on average ({} % interval {} to {}); it includes whatever else happened on \
             their dates.",
            policy.promotion,
            percent(measured.all.value),
            number(100.0 * policy.level),
            percent(low),
            percent(high)
        )];
        let around = [measured.before, measured.after].iter().flatten().count();
        if around == 0 {
            all.push(format!(
                "Sales of the {noun}s before and after past promotions are not lower beyond chance: none are borrowed."
            ));
        }
        all.push(match measured.siblings {
            Some(lower) => format!(
                "Siblings sold {} meanwhile. For the choice each promotion is judged alone; those of siblings at the same time take it once.",
                percent(lower.value)
            ),
            None => "Nothing shows that promotions took sales from siblings.".into(),
        });
        all.push(
            "The forecast is taken for sales without promotions; a model that does not know them has past ones in its level, and the gains \
             are then a little too large."
                .into(),
        );
        if self.below > 1e-6 {
            all.push(format!(
                "The search ended before the best calendar was proven: it is at most {} % better than this one.",
                about(100.0 * self.below)
            ));
        }
        all
    }

    /// The calendar.
    fn figures(&self) -> Result<Vec<Figure>> {
        let forecast = &self.setting.forecast;
        let calendar = &self.setting.panel.inner().calendar;
        let axis = if calendar.frequency.is_whole() { TimeAxis::Steps } else { TimeAxis::Dates };
        let bars = self.lines.iter().filter_map(|line| {
            let (judged, series) = (line.judged.as_ref().ok()?, line.series?);
            let start = forecast.start(series) + judged.run.start as i64;
            let label =
                format!("{}{}", if judged.mean.total < 0.0 { "−" } else { "+" }, about(judged.mean.total.abs()));
            let ends = (calendar.x(start), calendar.x(start + judged.run.length as i64));
            Some((line.label.clone(), ends, label, judged.is_sure()))
        });
        let bars: Vec<_> = bars.collect();
        if bars.is_empty() {
            return Ok(Vec::new());
        }
        let figure = Schedule {
            title: self.title(),
            value: "expected difference in profit of each".into(),
            axis,
            bars,
            kinds: (
                format!("a gain: the {} % interval lies above 0", number(100.0 * self.policy.level)),
                "a loss is possible".into(),
            ),
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
