//! Are sales growing? The last year against the one before, date by date.
//!
//! Each date of the last year is compared with what it corresponds to a year before: the same weekday of the same week of the
//! year, the same holiday where sales show that it moved, the share of each of two weeks where a year is longer than 52 of
//! them. Only series and dates with both values count; series that began or ended in between are told apart. Growth is the
//! ratio of the two sums less one; its interval allows for autocorrelation over dates and for shocks that all series share
//! ([`Estimate`](crate::statistics::Estimate)). Where sales follow a price, it is as wide as at a steady one (`steady`).

use polars::prelude::*;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::steady::at_steady_price;
use super::{Ask, Finding};
use crate::error::{Error, Result};
use crate::figures::{Line, Lines, TimeAxis};
use crate::fitting::Anniversary;
use crate::panel::{Panel, median, order};
use crate::progress;
use crate::show::words::{amount, counted, rounded};
use crate::show::{Claim, Table, number};
use crate::statistics::{Estimate, check_level, relative};

/// The least share of a year that must have a counterpart in the year before.
const LEAST: f64 = 0.25;

/// Options of `trend`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Trend {
    /// Rows of the table: the series that grew most and least.
    pub top: usize,
    /// Probability of the intervals.
    pub level: f64,
}

impl Default for Trend {
    fn default() -> Self {
        Self { top: 10, level: 0.95 }
    }
}

/// A series in both years.
struct Pair {
    series: usize,
    now: f64,
    then: f64,
}

/// The last year and the one before, series by series and date by date.
struct Years {
    /// Steps in a year.
    steps: usize,
    /// Where the last year begins.
    from: i64,
    /// Sums over the series with both, date by date from there.
    now: Vec<f64>,
    then: Vec<f64>,
    pairs: Vec<Pair>,
    /// Sales of this year without a counterpart, and of the year before without one.
    begun: f64,
    ended: f64,
}

impl Ask for Trend {
    const NAME: &str = "trend";
    const SUMMARY: &str = "Are sales growing: the last year vs the one before, date by date";
    const EXAMPLE: &str = "trend(top=5)";
    const ALSO: &str = "growth, yoy, year on year, year over year";
    const SIMILAR: &[(&str, &str)] =
        &[("momentum, level", "the last year vs the one before, and the last quarter of it")];

    fn check(&self) -> Result<()> {
        check_level(self.level)
    }

    fn first(_: &Panel) -> Vec<Self> {
        vec![Self::default()]
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let years = Years::of(panel)?;
        let target = panel.columns().target().to_string();
        let noun = panel.frequency().noun();
        let steady = at_steady_price(panel, &[])?;
        let growth = years.growth(steady.as_ref().map(|steady| &steady.panel));
        let (now, then): (f64, f64) = (years.now.iter().sum(), years.then.iter().sum());
        let compared = years.then.iter().filter(|then| **then != 0.0).count();
        let span = match compared < years.steps {
            true => format!("the last {compared} {noun}s with a counterpart"),
            false => format!("the last {}", counted(years.steps, noun, &format!("{noun}s"))),
        };
        let calendar = &panel.inner().calendar;
        let last = years.from + years.now.len() as i64 - 1;
        let of = |estimate: &Estimate| {
            let (low, high) = estimate.interval(self.level);
            format!("{} % interval {} to {}", number(100.0 * self.level), signed(low), signed(high))
        };
        let moved = |share: f64| match rounded(100.0 * share.abs(), 1) {
            size if size == "0" => "did not change".to_string(),
            size => format!("{} by {size} %", if share > 0.0 { "rose" } else { "fell" }),
        };
        let verb = if growth.excludes_zero(self.level) {
            moved(growth.value)
        } else {
            format!("show no clear growth ({})", signed(growth.value))
        };
        let head = format!(
            "{target} {verb} year on year ({}): {} in {span} to {}, {} on the same dates a year before",
            of(&growth),
            amount(now),
            calendar.label(last),
            amount(then),
        );
        let recent = years.recent().map_or(String::new(), |(steps, recent)| {
            format!(
                " In the last {}, sales {} year on year ({}).",
                counted(steps, noun, &format!("{noun}s")),
                moved(recent.value),
                of(&recent)
            )
        });
        let change = |pair: &Pair| pair.now / pair.then - 1.0;
        let each = match years.pairs.len() {
            1 => String::new(),
            n => format!(
                " {} of {} series grew; the median series {}.",
                number(years.pairs.iter().filter(|pair| pair.now > pair.then).count() as f64),
                number(n as f64),
                moved(median(years.pairs.iter().map(change).collect()))
            ),
        };
        let claim = Claim {
            about: target.clone(),
            sentence: format!("{head}."),
            estimate: growth.times(100.0),
            p: growth.p_value(),
            money: (now - then) * years.steps as f64 / compared.max(1) as f64,
            placebo: None,
            again: true,
            unit: "%",
        };
        let headline = match growth.excludes_zero(self.level) {
            true => format!("{target} {} on the year before", moved(growth.value)),
            false => format!("No clear growth of {target} on the year before"),
        };
        let table = self.table(panel, &years)?;
        let title = format!("{target} in the last year and the year before");
        let mut finding = Finding::new("Growth", format!("{head}.{recent}{each}"), table)
            .headed(signed(growth.value), headline)
            .drawn(years.figure(panel, title, &target))
            .claiming(vec![claim]);
        if let Some(steady) = &steady {
            finding = finding.but(steady.told_of_growth());
        }
        if compared < years.steps {
            finding = finding.but(format!(
                "Less than two years of history: only {} of a year have a counterpart in the year before.",
                counted(compared, noun, &format!("{noun}s"))
            ));
        }
        if years.begun > 0.0 || years.ended > 0.0 {
            finding = finding.but(format!(
                "Like for like: sales without a counterpart are left out, {} of the last year (series that began) and {} of the \
                 year before (series that ended).",
                amount(years.begun),
                amount(years.ended)
            ));
        }
        Ok(finding)
    }
}

impl Trend {
    fn table(&self, panel: &Panel, years: &Years) -> Result<Table> {
        let pairs = &years.pairs;
        let change = |pair: &Pair| 100.0 * (pair.now / pair.then - 1.0);
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        order.sort_by(|a, b| change(&pairs[*b]).total_cmp(&change(&pairs[*a])));
        if order.len() > self.top.max(2) {
            let half = self.top.max(2) / 2;
            order.drain(half..order.len() - half);
        }
        let mut columns = panel.key_columns(order.iter().map(|at| pairs[*at].series))?;
        let column = |name: &str, pick: &dyn Fn(&Pair) -> f64| {
            Column::new(name.into(), order.iter().map(|at| pick(&pairs[*at])).collect::<Vec<_>>())
        };
        columns.push(column("year before", &|pair| pair.then.round()));
        columns.push(column("last year", &|pair| pair.now.round()));
        columns.push(column("change %", &change));
        Ok(Table::new(DataFrame::new(order.len(), columns)?).of_rows(pairs.len()).titled("Growth by series"))
    }
}

/// Steps in a year: 364 days keep the weekdays; on calendars of whole numbers, the season.
pub(crate) fn year(panel: &Panel) -> usize {
    let frequency = panel.frequency();
    match frequency.week() {
        Some(week) => 52 * week,
        None if frequency.is_whole() => panel.season(),
        None => frequency.season().max(1),
    }
}

/// Sales of the last year and of the same dates a year before, series by series and date by date.
pub(super) struct Matched {
    /// Steps in a year.
    pub(super) steps: usize,
    /// The panel's first position.
    pub(super) first: i64,
    /// Where the last year begins.
    pub(super) from: i64,
    /// For each series and date of the last year: its sales, and those of the date that it corresponds to.
    pub(super) each: Vec<Vec<(Option<f64>, Option<f64>)>>,
}

impl Matched {
    /// Matches the dates.
    ///
    /// # Errors
    /// When the history is shorter than a year and a quarter, or has no year.
    pub(super) fn of(panel: &Panel) -> Result<Self> {
        let steps = year(panel);
        let noun = panel.frequency().noun();
        let (first, last) = panel.extent().unwrap_or((0, 0));
        if steps < 2 && panel.frequency().is_whole() {
            return Err(Error::data("growth year on year needs a season: state how many steps make a year"));
        }
        let least = ((1.0 + LEAST) * steps as f64).ceil() as i64;
        if last - first + 1 < least.max(2) {
            return Err(Error::data(format!(
                "growth year on year needs {}, and the history has {}: less cannot be told from the season",
                counted(least as usize, noun, &format!("{noun}s")),
                counted((last - first + 1).max(0) as usize, noun, &format!("{noun}s"))
            )));
        }
        let anniversary = Anniversary::of(panel, steps, &order::by_content(panel)?)?;
        let from = last + 1 - steps as i64;
        let each = (0..panel.len())
            .into_par_iter()
            .map(|i| {
                progress::check()?;
                let y = panel.regular(i);
                let start = panel.positions(i).first().copied().unwrap_or(0);
                let at = |position: i64| {
                    let place = usize::try_from(position - start).ok()?;
                    y.get(place).copied().filter(|y| !y.is_nan())
                };
                let both = |position: i64| (at(position), anniversary.value(position, 1, steps, &at));
                Ok((from..=last).map(both).collect::<Vec<_>>())
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { steps, first, from, each })
    }
}

impl Years {
    fn of(panel: &Panel) -> Result<Self> {
        let Matched { steps, first, from, each } = Matched::of(panel)?;
        let (mut now, mut then) = (vec![0.0; steps], vec![0.0; steps]);
        let (mut pairs, mut begun, mut ended) = (Vec::new(), 0.0, 0.0);
        for (series, dates) in each.iter().enumerate() {
            let mut pair = Pair { series, now: 0.0, then: 0.0 };
            for (t, date) in dates.iter().enumerate() {
                match date {
                    (Some(this), Some(before)) => {
                        now[t] += this;
                        then[t] += before;
                        pair.now += this;
                        pair.then += before;
                    }
                    (Some(this), None) if from + t as i64 - steps as i64 >= first => begun += this,
                    (None, Some(before)) => ended += before,
                    _ => {}
                }
            }
            if pair.then > 0.0 {
                pairs.push(pair);
            }
        }
        let compared = then.iter().filter(|then| **then != 0.0).count();
        if pairs.is_empty() || (compared as f64) < LEAST * steps as f64 || then.iter().sum::<f64>() <= 0.0 {
            return Err(Error::data("no series sells in both of the last two years, so growth cannot be told"));
        }
        Ok(Self { steps, from, now, then, pairs, begun, ended })
    }

    /// The growth, as sure as it is at a steady price: what prices did to sales is no chance.
    fn growth(&self, steady: Option<&Panel>) -> Estimate {
        let growth = relative(&self.now, &self.then, f64::INFINITY);
        match steady.and_then(|panel| Self::of(panel).ok()) {
            Some(steady) => Estimate { value: growth.value, ..relative(&steady.now, &steady.then, f64::INFINITY) },
            None => growth,
        }
    }

    /// The growth of the last quarter.
    fn recent(&self) -> Option<(usize, Estimate)> {
        let quarter = (self.steps / 4).max(1);
        let start = self.now.len() - quarter;
        let there = self.then[start..].iter().filter(|then| **then != 0.0).count();
        let enough = quarter >= 3 && self.steps >= 12 && there == quarter;
        enough.then(|| (quarter, relative(&self.now[start..], &self.then[start..], f64::INFINITY)))
    }

    fn figure(&self, panel: &Panel, title: String, target: &str) -> crate::figures::Figure {
        let (axis, lines) = self.lines(panel);
        Lines { title, value: target.into(), axis, foot: String::new(), lines, reference: None }.figure()
    }

    /// Both years over the dates of the last one.
    fn lines(&self, panel: &Panel) -> (TimeAxis, Vec<Line>) {
        let calendar = &panel.inner().calendar;
        let axis = if panel.frequency().is_whole() { TimeAxis::Steps } else { TimeAxis::Dates };
        let line = |name: &str, values: &[f64]| Line {
            name: name.into(),
            x: (0..values.len()).map(|t| calendar.x(self.from + t as i64)).collect(),
            y: values.iter().zip(&self.then).map(|(y, then)| if *then == 0.0 { f64::NAN } else { *y }).collect(),
        };
        (axis, vec![line("last year", &self.now), line("same dates a year before", &self.then)])
    }
}

/// The sales of the last year and those of the same dates a year before.
pub(crate) struct LastYear {
    pub(crate) now: f64,
    pub(crate) then: f64,
    pub(crate) lines: Vec<Line>,
    pub(crate) axis: TimeAxis,
    /// Steps with a counterpart, and whether these are all of a year.
    pub(crate) compared: usize,
    pub(crate) whole: bool,
    /// Is the change more than chance?
    pub(crate) clear: bool,
}

/// Days to a week: in a small figure, a year of days is a block of ink.
pub(crate) fn days_to_a_week(panel: &Panel) -> usize {
    panel.frequency().week().filter(|_| panel.frequency().noun() == "day").unwrap_or(1)
}

/// Values by the week where they are daily, counted back from the last; a week that lacks a day has no sum.
pub(crate) fn by_week(panel: &Panel, x: &[f64], y: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let days = days_to_a_week(panel);
    if days == 1 || y.len() < 4 * days {
        return (x.to_vec(), y.to_vec());
    }
    let first = y.len() % days;
    let sums = y[first..].chunks(days).map(|week| week.iter().sum());
    (x[first..].iter().step_by(days).copied().collect(), sums.collect())
}

/// The last year and the year before, of series and dates that have both.
///
/// # Errors
/// When the history has too little of two years.
pub(crate) fn last_year(panel: &Panel) -> Result<LastYear> {
    let years = Years::of(panel)?;
    let steady = at_steady_price(panel, &[])?;
    let growth = years.growth(steady.as_ref().map(|steady| &steady.panel));
    let compared = years.then.iter().filter(|then| **then != 0.0).count();
    let (axis, mut lines) = years.lines(panel);
    for line in &mut lines {
        let (x, y) = by_week(panel, &line.x, &line.y);
        *line = Line { name: std::mem::take(&mut line.name), x, y };
    }
    Ok(LastYear {
        now: years.now.iter().sum(),
        then: years.then.iter().sum(),
        lines,
        axis,
        compared,
        whole: compared >= years.steps,
        clear: growth.excludes_zero(Trend::default().level),
    })
}

/// `+2.1 %`, `−0.4 %` of a share.
fn signed(share: f64) -> String {
    format!("{}{} %", if share < 0.0 { "−" } else { "+" }, rounded(100.0 * share.abs(), 1))
}

/// The least-squares slope of values over time.
pub(super) fn slope(points: &[(usize, f64)]) -> f64 {
    let n = points.len() as f64;
    let t_mean = points.iter().map(|(t, _)| *t as f64).sum::<f64>() / n;
    let y_mean = points.iter().map(|(_, y)| y).sum::<f64>() / n;
    let covariance: f64 = points.iter().map(|(t, y)| (*t as f64 - t_mean) * (y - y_mean)).sum();
    let variance: f64 = points.iter().map(|(t, _)| (*t as f64 - t_mean).powi(2)).sum();
    if variance > 0.0 { covariance / variance } else { 0.0 }
}
