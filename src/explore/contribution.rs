//! Where did the change come from? The change of sales from one year to the next, split over the branches of the hierarchy,
//! new series and ended ones.
//!
//! Dates of the last year are compared with those that they correspond to a year before, as in [`trend`](super::trend). With
//! sales now and then, Σ now − Σ then = Σ over branches of (now − then) on dates with both (like for like) + sales of dates
//! before which a series did not exist (new) − sales of dates after which it does not exist any more (ended). Each part is
//! divided by Σ then: points of growth, which add up. Dates inside a series on which one of the two is missing are left out
//! of both years: nobody knows what was sold on them. The intervals of a branch's like-for-like growth allow for autocorrelation and for shocks that its series
//! share ([`Estimate`](crate::statistics::Estimate)).

use std::collections::HashMap;

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::abc::{Member, members};
use super::trend::Matched;
use super::{Ask, Finding};
use crate::error::{Error, Result};
use crate::figures::Waterfall;
use crate::options::choice;
use crate::panel::Panel;
use crate::show::words::{about, counted, listed, rounded};
use crate::show::{Table, number};
use crate::statistics::{Estimate, check_level, relative};

/// The most branches in the figure; the others are drawn together.
const DRAWN: usize = 8;
/// Branches that the sentence names.
const NAMED: usize = 3;
/// A part smaller than this many points is not worth a word.
const WORTH: f64 = 0.05;

choice! {
    /// How long a time is compared with the same dates a year before.
    Period { Year, Quarter, Month }
}

/// Options of `contribution`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Contribution {
    /// The key or fixed column whose branches are told apart; every key column if empty.
    pub by: String,
    /// How long a time at the end of the history is compared with the same dates a year before: year, quarter or month.
    pub period: Period,
    /// Rows of the table: the branches that gave and took most.
    pub top: usize,
    /// Probability of the intervals.
    pub level: f64,
}

impl Default for Contribution {
    fn default() -> Self {
        Self { by: String::new(), period: Period::Year, top: 20, level: 0.95 }
    }
}

/// The parts of the change of one or more series.
#[derive(Clone, Default)]
struct Parts {
    /// Sales on dates with both, date by date.
    now: Vec<f64>,
    then: Vec<f64>,
    new: f64,
    ended: f64,
    /// Sales now, and then, of dates within a series that lack the other of the two.
    gaps: (f64, f64),
    /// Sums of all.
    after: f64,
    before: f64,
}

/// A branch of a level.
struct Branch {
    level: String,
    name: String,
    parts: Parts,
}

impl Parts {
    fn like_for_like(&self) -> f64 {
        self.now.iter().sum::<f64>() - self.then.iter().sum::<f64>()
    }

    fn change(&self) -> f64 {
        self.after - self.before
    }

    fn growth(&self) -> Option<Estimate> {
        (self.then.iter().sum::<f64>() > 0.0).then(|| relative(&self.now, &self.then, f64::INFINITY))
    }

    fn add(&mut self, other: &Self) {
        self.now.resize(other.now.len(), 0.0);
        self.then.resize(other.then.len(), 0.0);
        self.now.iter_mut().zip(&other.now).for_each(|(a, b)| *a += b);
        self.then.iter_mut().zip(&other.then).for_each(|(a, b)| *a += b);
        self.new += other.new;
        self.ended += other.ended;
        self.gaps = (self.gaps.0 + other.gaps.0, self.gaps.1 + other.gaps.1);
        self.after += other.after;
        self.before += other.before;
    }
}

impl Ask for Contribution {
    const NAME: &str = "contribution";
    const SUMMARY: &str = "Where growth came from: branches of the hierarchy, new series, ended series";
    const EXAMPLE: &str = "contribution(by=Dept)";
    const ALSO: &str = "contributions, growth bridge, bridge, growth by branch";
    const SIMILAR: &[(&str, &str)] = &[
        (
            "drivers of growth, waterfall, variance analysis",
            "what part of the change each branch, new and ended series gave",
        ),
        ("new series, ended series, launches, delistings", "what new and ended series gave and took"),
    ];

    fn check(&self) -> Result<()> {
        check_level(self.level)
    }

    fn tour(_: &Panel) -> Vec<Self> {
        vec![Self::default()]
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let matched = Matched::of(panel)?;
        let steps = match self.period {
            Period::Year => matched.steps,
            Period::Quarter => matched.steps / 4,
            Period::Month => matched.steps / 12,
        };
        if steps == 0 {
            return Err(Error::data(format!("a step is a {}: too long for this period", panel.frequency().noun())));
        }
        let each: Vec<Parts> = (0..panel.len()).map(|i| parts(panel, &matched, i, steps)).collect();
        let mut total = Parts::default();
        each.iter().for_each(|parts| total.add(parts));
        if total.before <= 0.0 || total.then.iter().sum::<f64>() <= 0.0 {
            return Err(Error::data("no series sells both in this time and a year before, so growth has no parts"));
        }
        let mut branches = self.branches(panel, &each)?;
        let first = branches.first().map(|branch| branch.level.clone()).unwrap_or_default();
        // Which level the sentence and the figure speak of: the first in the table's order.
        branches.sort_by(|a, b| {
            let size = |branch: &Branch| branch.parts.like_for_like().abs();
            (a.level != first)
                .cmp(&(b.level != first))
                .then(size(b).total_cmp(&size(a)))
                .then_with(|| a.name.cmp(&b.name))
        });
        self.finding(panel, &matched, steps, &total, &branches)
    }
}

/// The parts of one series in the last `steps` of the year.
fn parts(panel: &Panel, matched: &Matched, series: usize, steps: usize) -> Parts {
    let skipped = matched.steps - steps;
    let mut parts = Parts { now: vec![0.0; steps], then: vec![0.0; steps], ..Parts::default() };
    let ends = (panel.positions(series).first().copied(), panel.positions(series).last().copied());
    let (Some(begins), Some(stops)) = ends else { return parts };
    for (t, date) in matched.each[series].iter().skip(skipped).enumerate() {
        let position = matched.from + (skipped + t) as i64;
        let before = position - matched.steps as i64;
        match date {
            (Some(now), Some(then)) => (parts.now[t], parts.then[t]) = (*now, *then),
            // The panel itself does not reach back so far.
            (Some(_), None) if before < matched.first => continue,
            (Some(now), None) if before < begins => parts.new += now,
            (Some(now), None) => {
                parts.gaps.0 += now;
                continue;
            }
            (None, Some(then)) if position > stops => parts.ended += then,
            (None, Some(then)) => {
                parts.gaps.1 += then;
                continue;
            }
            (None, None) => continue,
        }
        parts.after += date.0.unwrap_or(0.0);
        parts.before += date.1.unwrap_or(0.0);
    }
    parts
}

impl Contribution {
    /// The branches of every level, the level with the fewest first.
    fn branches(&self, panel: &Panel, each: &[Parts]) -> Result<Vec<Branch>> {
        let columns = panel.columns();
        let levels = if self.by.is_empty() { columns.keys.clone() } else { vec![self.by.clone()] };
        let mut of: Vec<(String, Vec<Member>)> = Vec::new();
        for level in levels {
            let members = members(panel, &level, Self::NAME)?;
            if members.len() > 1 || !self.by.is_empty() {
                of.push((level, members));
            }
        }
        if of.is_empty() {
            return Err(Error::data("a single series has no branches: `trend` answers whether it grows"));
        }
        of.sort_by_key(|(_, members)| members.len());
        let sum = |member: &Member| {
            let mut parts = Parts::default();
            member.series.iter().for_each(|i| parts.add(&each[*i]));
            parts
        };
        let branch = |(level, members): &(String, Vec<Member>)| {
            let of = |member: &Member| Branch { level: level.clone(), name: member.name.clone(), parts: sum(member) };
            members.iter().map(of).collect::<Vec<_>>()
        };
        Ok(of.iter().flat_map(branch).collect())
    }

    fn finding(
        &self,
        panel: &Panel,
        matched: &Matched,
        steps: usize,
        total: &Parts,
        branches: &[Branch],
    ) -> Result<Finding> {
        let target = panel.columns().target().to_string();
        let calendar = &panel.inner().calendar;
        let noun = panel.frequency().noun();
        let points = |part: f64| 100.0 * part / total.before;
        let level = branches.first().map(|branch| branch.level.as_str()).unwrap_or_default();
        let of_level: Vec<&Branch> = branches.iter().filter(|branch| branch.level == level).collect();
        let last = matched.from + matched.steps as i64 - 1;
        let span = match self.period {
            Period::Year => format!("the last {}", counted(steps, noun, &format!("{noun}s"))),
            _ => format!("the last {} ({})", counted(steps, noun, &format!("{noun}s")), self.spelled()),
        };
        let growth = points(total.change());
        let head = format!(
            "{target} {}: {} in {span} to {}, {} on the same dates a year before",
            moved(growth),
            about(total.after),
            calendar.label(last),
            about(total.before)
        );
        let mut named: Vec<(String, f64)> = of_level
            .iter()
            .take(NAMED)
            .map(|branch| (format!("{level} {}", branch.name), points(branch.parts.like_for_like())))
            .collect();
        named.push(("new series".into(), points(total.new)));
        named.push(("ended series".into(), -points(total.ended)));
        named.retain(|(_, points)| points.abs() >= WORTH);
        let told = |sign: f64, verb: &str| {
            let some: Vec<&(String, f64)> = named.iter().filter(|(_, points)| points * sign > 0.0).collect();
            let part = |(at, (name, points)): (usize, &&(String, f64))| match at {
                0 => format!("{name} {verb} {} points", rounded(points.abs(), 1)),
                _ => format!("{name} {}", rounded(points.abs(), 1)),
            };
            let parts: Vec<String> = some.iter().enumerate().map(part).collect();
            listed(&parts.iter().map(String::as_str).collect::<Vec<_>>(), parts.len().max(1))
        };
        let both: Vec<String> =
            [told(1.0, "added"), told(-1.0, "took away")].into_iter().filter(|told| !told.is_empty()).collect();
        let largest = if both.is_empty() { String::new() } else { format!(" Of that, {}.", both.join("; ")) };
        let grew: Vec<f64> =
            of_level.iter().map(|branch| points(branch.parts.like_for_like())).filter(|points| *points > 0.0).collect();
        let shrank: f64 =
            of_level.iter().map(|branch| points(branch.parts.like_for_like())).filter(|points| *points < 0.0).sum();
        let counts = match of_level.len() {
            0..=3 => String::new(),
            n if grew.len() == n => format!(" All {} values of {level} grew.", number(n as f64)),
            n => format!(
                " {} of {} values of {level} grew, by {} points together; the others took away {}.",
                number(grew.len() as f64),
                number(n as f64),
                rounded(grew.iter().sum(), 1),
                rounded(shrank.abs(), 1)
            ),
        };
        let sentence = format!("{head}.{largest}{counts}");
        let kept: Vec<&Branch> = branches.iter().take(self.top.max(1)).collect();
        let table = self.table(&kept, branches.len(), total)?;
        let most = named.iter().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
        let mut finding = Finding::new("Where the change came from", sentence, table)
            .and(bridge(&of_level, total)?)
            .drawn(figure(level, &of_level, total, growth, &target));
        if let Some((name, points)) = most {
            let size = rounded(points.abs(), 1);
            let (sign, verb) = if *points < 0.0 { ("−", "took away") } else { ("+", "added") };
            finding =
                finding.headed(format!("{sign}{size} points"), format!("{name} {verb} most: {size} points of growth"));
        }
        let compared = total.then.iter().filter(|then| **then != 0.0).count();
        if compared < steps {
            finding = finding.but(format!(
                "Only {} of {} have a counterpart in the year before.",
                number(compared as f64),
                counted(steps, noun, &format!("{noun}s"))
            ));
        }
        if total.gaps != (0.0, 0.0) {
            finding = finding.but(format!(
                "Left out, because the value of the other year is missing within a series: {} of this time, {} of the year \
                 before.",
                about(total.gaps.0),
                about(total.gaps.1)
            ));
        }
        if branches.iter().any(|branch| branch.level != level) {
            finding =
                finding.but("Branches of different levels overlap: points add up within a level, not over levels.");
        }
        Ok(finding.but(format!(
            "Change %: like for like, on dates with a value in both years; {} % intervals. Points: part of the growth of \
             {target}, in percentage points.",
            number(100.0 * self.level)
        )))
    }

    fn spelled(&self) -> &'static str {
        match self.period {
            Period::Year => "a year",
            Period::Quarter => "a quarter",
            Period::Month => "a month",
        }
    }

    fn table(&self, rows: &[&Branch], all: usize, total: &Parts) -> Result<Table> {
        let growth: HashMap<usize, Estimate> =
            rows.iter().enumerate().filter_map(|(at, branch)| Some((at, branch.parts.growth()?))).collect();
        let interval = |at: usize| growth.get(&at).map(|growth| growth.interval(self.level));
        let real = |name: &str, pick: &dyn Fn(usize, &Parts) -> f64| {
            let cells = rows.iter().enumerate().map(|(at, branch)| pick(at, &branch.parts)).collect::<Vec<_>>();
            Column::new(name.into(), cells)
        };
        let points = |part: f64| 100.0 * part / total.before;
        let columns = vec![
            Column::new("level".into(), rows.iter().map(|branch| branch.level.as_str()).collect::<Vec<_>>()),
            Column::new("branch".into(), rows.iter().map(|branch| branch.name.as_str()).collect::<Vec<_>>()),
            real("year before", &|_, parts| parts.before),
            real("last year", &|_, parts| parts.after),
            real("change", &|_, parts| parts.change()),
            real("share of change %", &|_, parts| 100.0 * parts.change() / total.change()),
            real("like-for-like points", &|_, parts| points(parts.like_for_like())),
            real("new points", &|_, parts| points(parts.new)),
            real("ended points", &|_, parts| -points(parts.ended)),
            real("change %", &|at, _| growth.get(&at).map_or(f64::NAN, |growth| 100.0 * growth.value)),
            real("from %", &|at, _| interval(at).map_or(f64::NAN, |(low, _)| 100.0 * low.max(-1.0))),
            real("to %", &|at, _| interval(at).map_or(f64::NAN, |(_, high)| 100.0 * high)),
        ];
        Ok(Table::new(DataFrame::new(rows.len(), columns)?).of_rows(all).titled("The change by branch"))
    }
}

fn moved(percent: f64) -> String {
    match rounded(percent.abs(), 1) {
        size if size == "0" => "did not change".into(),
        size => format!("{} by {size} %", if percent > 0.0 { "rose" } else { "fell" }),
    }
}

/// From the year before to the last one, part by part.
fn bridge(branches: &[&Branch], total: &Parts) -> Result<Table> {
    let like_for_like = branches.iter().map(|branch| branch.parts.like_for_like());
    let (gave, took): (Vec<f64>, Vec<f64>) = like_for_like.partition(|change| *change > 0.0);
    let rows = [
        ("year before", total.before),
        ("branches that grew", gave.iter().sum()),
        ("branches that shrank", took.iter().sum()),
        ("new series", total.new),
        ("ended series", -total.ended),
        ("last year", total.after),
    ];
    let points = rows.iter().map(|(_, value)| 100.0 * value / total.before).collect::<Vec<_>>();
    let columns = vec![
        Column::new("part".into(), rows.iter().map(|row| row.0).collect::<Vec<_>>()),
        Column::new("sales".into(), rows.iter().map(|row| row.1).collect::<Vec<_>>()),
        Column::new("points".into(), points),
    ];
    Ok(Table::new(DataFrame::new(rows.len(), columns)?).titled("From the year before to the last one"))
}

fn figure(level: &str, branches: &[&Branch], total: &Parts, growth: f64, target: &str) -> crate::figures::Figure {
    // Two decimals are more than the estimates can tell.
    let points = |part: f64| (1e4 * part / total.before).round() / 100.0;
    let mut parts: Vec<(String, f64)> = branches
        .iter()
        .take(DRAWN)
        .map(|branch| (format!("{level} {}", branch.name), points(branch.parts.like_for_like())))
        .collect();
    let rest: f64 = branches.iter().skip(DRAWN).map(|branch| branch.parts.like_for_like()).sum();
    if branches.len() > DRAWN {
        parts.push((format!("{} others", number((branches.len() - DRAWN) as f64)), points(rest)));
    }
    for (name, part) in [("new series", total.new), ("ended series", -total.ended)] {
        if part != 0.0 {
            parts.push((name.into(), points(part)));
        }
    }
    Waterfall {
        title: format!("What {target} {} came from", if growth < 0.0 { "lost" } else { "gained" }),
        value: "percentage points of growth".into(),
        start: ("year before".into(), 0.0),
        parts,
        end: "growth, year on year".into(),
    }
    .figure()
}
