//! What are the sales per week, per month, per store? Aggregation over time and over keys.
//!
//! A step belongs to the new period that contains it; one that lies in two (a week across the end of a month) to the
//! period of its middle day. Weeks and months are dated as everywhere: weeks and `ME` to their last day, `MS` to their
//! first.
//!
//! A new period is *partial* if not all of its steps have values: at the start or the end of the series, or where a row
//! or a target is missing. Its sum is too low for that reason alone, so it is marked and counted, and `partial=drop`
//! removes those at the ends of a series. A series that starts later or ends earlier than others does not make sums
//! over keys partial: it sold nothing at those times.
//!
//! A period that the data as a whole reach only a part of, their first and their last one, is *unfinished* and left out
//! unless `partial=keep` is stated: half a month beside whole ones looks like a fall by half. Days of the week on which
//! the data never have a row (closed Sundays) leave no period unfinished.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calendar::{Calendar, Frequency, StampKind};
use super::columns::Stamps;
use super::covariates::is_number;
use super::frame::{assemble, labels_of, numbers, stamp_column};
use super::recorded::Recorded;
use super::{Columns, LONGEST, Panel, Provenance, Role};
use crate::error::{Error, Result, suggestion};
use crate::options::choice;
use crate::show::number;
use crate::show::words::counted;

/// How a panel is aggregated.
///
/// ```
/// use tradewind::prelude::*;
/// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").known(["IsHoliday"]);
/// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
/// let store = sales.aggregate(&Aggregate::parse("keys=[Store]")?)?;
/// assert_eq!((store.len(), store.rows()), (1, 143));
/// let months = sales.aggregate(&Aggregate::parse("freq=MS, partial=drop")?)?;
/// assert_eq!((months.len(), months.span().0.as_str(), months.season()), (7, "2010-02-01", 12));
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Aggregate {
    /// The new step: D, W-SUN, MS, QS, 4-5-4 …, or a whole number of integer steps; by default that of the panel.
    pub freq: Option<String>,
    /// The keys to keep; all, if not stated; [] for one series of everything.
    pub keys: Option<Vec<String>>,
    /// sum or mean of the target.
    pub target: Target,
    /// mean, sum, last or max of covariates that are numbers.
    pub covariates: Numbers,
    /// any or mean (the share) of covariates that are true or false.
    pub booleans: Booleans,
    /// Periods that are not whole: ends (the first and the last period of the data are left out if unfinished; others are kept
    /// and marked), keep (all are kept and marked), or drop (also those at the ends of each series are left out).
    pub partial: Partial,
}

choice!(/// What becomes of the targets of a period.
    Target { Sum, Mean });
choice!(/// What becomes of covariates that are numbers.
    Numbers { Mean, Sum, Last, Max });
choice!(/// What becomes of covariates that are true or false.
    Booleans { Any, Mean });
choice!(/// What becomes of periods that are not whole.
    Partial { Ends, Keep, Drop });

impl Aggregate {
    /// Reads options as people write them: `freq=W-SUN, keys=[Store], target=sum, partial=drop`.
    ///
    /// # Errors
    /// When an option or its value is unknown; the nearest one is suggested.
    pub fn parse(text: &str) -> Result<Self> {
        let given: Self = crate::options::read("aggregate", crate::options::parse(text)?)?;
        given.freq.iter().try_for_each(|freq| freq.parse::<Frequency>().map(|_| ()))?;
        Ok(given)
    }
}

impl Panel {
    /// The panel aggregated to a longer step, or to fewer keys, or both.
    ///
    /// # Errors
    /// When neither is asked for, the new step is not longer, a key does not exist, or the data hold duplicates or
    /// timestamps off the calendar; and on a panel that has made features, which belong to its step: aggregate first.
    pub fn aggregate(&self, how: &Aggregate) -> Result<Panel> {
        if how.partial != Partial::Ends || how.freq.is_none() {
            return self.aggregated(how, None);
        }
        self.check_calendar()?;
        let steps = Steps::of(self, how, None)?;
        let unfinished = steps.unfinished(self);
        let kept = Aggregate { partial: Partial::Keep, ..how.clone() };
        if unfinished.is_empty() {
            return self.aggregated(&kept, None);
        }
        let frequency = steps.calendar.frequency;
        let labels: Vec<String> = unfinished.iter().map(|place| steps.calendar.label(*place)).collect();
        let whole = self.within(&|_, position| !unfinished.contains(&steps.place(position)))?.occupied()?;
        if whole.is_empty() {
            let (first, last) = self.span();
            return Err(Error::data(format!(
                "the data run from {first} to {last}, so that no period that is {frequency} is whole; keep unfinished ones \
                 with partial=keep, or choose a shorter period"
            )));
        }
        let lost = (0..self.len()).filter(|i| whole.place_of(self.label(*i)).is_none()).count();
        let lost = if lost == 0 {
            String::new()
        } else {
            format!(", and with them {}", counted(lost, "series that has no other", "series that have no others"))
        };
        let (periods, them) = if labels.len() == 1 { ("the period", "it") } else { ("the periods", "them") };
        let remark = format!(
            "left out, unfinished at the ends of the data: {periods} of {}{lost}; partial=keep keeps {them}",
            labels.join(" and ")
        );
        crate::progress::say_once(&remark);
        let mut panel = whole.aggregated(&kept, Some(frequency))?;
        if let Some(inner) = Arc::get_mut(&mut panel.0) {
            inner.origin.found.push(remark);
        }
        Ok(panel)
    }

    /// As [`aggregate`](Self::aggregate), on a frequency that was found before for more of the same data.
    pub(super) fn aggregated(&self, how: &Aggregate, frequency: Option<Frequency>) -> Result<Panel> {
        self.check_calendar()?;
        let columns = self.columns();
        if let Some(made) = columns.made.first() {
            return Err(Error::usage(format!(
                "aggregate before making features or joining: {} belongs to data that are {}",
                made.label,
                self.frequency()
            )));
        }
        if how.freq.is_none() && how.keys.is_none() {
            return Err(Error::usage("state what to aggregate to: freq=W-SUN, keys=[Store], or both"));
        }
        let steps = Steps::of(self, how, frequency)?;
        let work = Work::of(self, how, steps)?;
        work.finished(how)
    }
}

/// Which new period each old position goes to, and how many old positions a whole one has.
struct Steps {
    calendar: Calendar,
    changed: bool,
    first: i64,
    to: Vec<i64>,
    whole: BTreeMap<i64, usize>,
}

impl Steps {
    fn of(panel: &Panel, how: &Aggregate, frequency: Option<Frequency>) -> Result<Self> {
        let inner = panel.inner();
        let (old, now) = (&inner.calendar, inner.calendar.frequency);
        let bounds = inner.positions.iter().fold((i64::MAX, i64::MIN), |(a, b), p| (a.min(*p), b.max(*p)));
        let (first, last) = if bounds.0 > bounds.1 { (0, -1) } else { bounds };
        let frequency = match (&how.freq, frequency) {
            (None, _) => now,
            (Some(_), Some(found)) => found,
            (Some(text), None) => Self::longer(text, panel, now, first)?,
        };
        let calendar = Calendar { frequency, dtype: old.dtype.clone() };
        let changed = frequency != now;
        if last.saturating_sub(first) > LONGEST {
            return Err(Error::data(format!(
                "the timestamps run from {} to {}; check them with audit",
                old.label(first),
                old.label(last)
            )));
        }
        let to = |position: i64| place(old, inner.columns.stamps, &calendar, position);
        let mut whole: BTreeMap<i64, usize> = BTreeMap::new();
        let places: Vec<i64> = (first..=last).map(to).collect();
        places.iter().for_each(|place| *whole.entry(*place).or_default() += 1);
        // A whole period may reach beyond the data at both ends.
        if let (Some(start), Some(end)) = (places.first(), places.last()) {
            // No period has more steps than a year has seconds; timestamps beyond the calendar would never end.
            let before = (1..40_000_000).take_while(|back| to(first - back) == *start).count();
            let after = (1..40_000_000).take_while(|ahead| to(last + ahead) == *end).count();
            *whole.entry(*start).or_default() += before;
            *whole.entry(*end).or_default() += after;
        }
        Ok(Self { calendar, changed, first, to: places, whole })
    }

    /// The new frequency, which has to be longer than the old one.
    fn longer(text: &str, panel: &Panel, now: Frequency, first: i64) -> Result<Frequency> {
        let stated: Frequency = text.parse()?;
        let whole = panel.inner().calendar.kind() == StampKind::Whole;
        if stated.is_whole() != whole {
            return Err(Error::usage(format!("data that are {now} cannot become {stated}")));
        }
        // Integer steps have no anchor of their own: the first period starts with the data.
        let start = now.stamp(first);
        let stated = if whole { stated.anchored(&[start]).0 } else { stated };
        let fits = stated.length() > now.length() && (!whole || stated.length() % now.length() == 0);
        if fits || stated == now {
            Ok(stated)
        } else {
            Err(Error::usage(format!(
                "data can only be aggregated to longer steps: {now} data cannot become {stated}, because what happened \
                 inside a step is not known"
            )))
        }
    }

    /// The first and the last period, as far as the data reach a part of them only. Days of the week that the data never
    /// have do not count.
    fn unfinished(&self, panel: &Panel) -> Vec<i64> {
        let (Some(start), Some(end)) = (self.to.first(), self.to.last()) else { return Vec::new() };
        let inner = panel.inner();
        let (old, stamps) = (&inner.calendar, inner.columns.stamps);
        let place = |position: i64| place(old, stamps, &self.calendar, position);
        // A calendar of working days has no positions for the others.
        let daily = old.frequency.week() == Some(7) && !old.frequency.has_holes();
        let mut open = [!daily; 7];
        inner.positions.iter().for_each(|position| open[position.rem_euclid(7) as usize] = true);
        let counts = |position: &i64| open[position.rem_euclid(7) as usize];
        let last = self.first + self.to.len() as i64 - 1;
        // As in `of`, no period is longer than that.
        let before =
            (1..40_000_000).map(|back| self.first - back).take_while(|p| place(*p) == *start).any(|p| counts(&p));
        let after = (1..40_000_000).map(|ahead| last + ahead).take_while(|p| place(*p) == *end).any(|p| counts(&p));
        let ends = [(before, *start), (after, *end)];
        let mut found: Vec<i64> = ends.into_iter().filter(|(is, _)| *is).map(|(_, place)| place).collect();
        found.dedup();
        found
    }

    fn place(&self, position: i64) -> i64 {
        self.to[(position - self.first) as usize]
    }
}

/// The position on a longer calendar, or the same, that a step goes to.
pub(super) fn place(from: &Calendar, stamps: Option<Stamps>, to: &Calendar, position: i64) -> i64 {
    if from.frequency == to.frequency { position } else { to.holding(middle(from, position, stamps), None) }
}

/// The timestamp in the middle of a step, in microseconds; the timestamp itself for steps up to a day and for integers.
fn middle(calendar: &Calendar, position: i64, stamps: Option<Stamps>) -> i64 {
    let stamp = calendar.frequency.stamp(position);
    let midnight = |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros();
    match calendar.period(position, stamps) {
        Some((first, last)) if first < last => midnight(first + (last - first) / 2),
        // An hour that is dated to its end belongs to what came before.
        Some(_) if stamps == Some(Stamps::End) && calendar.frequency.length() < super::calendar::DAY => stamp - 1,
        _ => stamp,
    }
}

/// One new row: the old rows that go into it.
struct Cell {
    group: usize,
    place: i64,
    rows: Vec<u32>,
    partial: bool,
}

impl Cell {
    /// What becomes of the values that its rows have, if there are any.
    fn target(&self, values: &[f64], how: Target) -> Option<f64> {
        let present = || self.rows.iter().map(|row| values[*row as usize]).filter(|y| !y.is_nan());
        let count = present().count();
        let sum: f64 = present().sum();
        (count > 0).then(|| if how == Target::Sum { sum } else { sum / count as f64 })
    }
}

struct Work<'a> {
    panel: &'a Panel,
    steps: Steps,
    columns: Columns,
    /// The old series from which each new one takes its keys.
    lenders: Vec<usize>,
    /// The new keys of each old series.
    names: Vec<String>,
    /// The new keys of each new series.
    labels: Vec<String>,
    cells: Vec<Cell>,
}

impl<'a> Work<'a> {
    fn of(panel: &'a Panel, how: &Aggregate, steps: Steps) -> Result<Self> {
        let inner = panel.inner();
        let mut columns = panel.columns();
        if let Some(keys) = &how.keys {
            if let Some(odd) = keys.iter().find(|key| !columns.keys.contains(key)) {
                let nearest = suggestion(odd, columns.keys.iter().map(String::as_str));
                return Err(Error::usage(format!("`{odd}` is not a key column{nearest}")));
            }
            columns.keys.retain(|key| keys.contains(key));
        }
        let kept = inner.keys.select(columns.keys.iter().map(String::as_str))?;
        let names = labels_of(&kept, panel.len())?;
        // The new series in the order of their keys, as reading sorts them.
        let mut lenders: Vec<usize> = Vec::new();
        let mut seen: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
        for (series, name) in names.iter().enumerate() {
            seen.entry(name).or_insert_with(|| {
                lenders.push(series);
                series
            });
        }
        if !columns.keys.is_empty() {
            let rows = IdxCa::from_vec("".into(), lenders.iter().map(|series| *series as IdxSize).collect());
            let mut lent = kept.take(&rows)?;
            lent.with_column(Column::new(
                "tradewind series".into(),
                lenders.iter().map(|s| *s as u64).collect::<Vec<_>>(),
            ))?;
            let by: Vec<PlSmallStr> = columns.keys.iter().map(|key| PlSmallStr::from_str(key)).collect();
            let sorted = lent.sort(by, SortMultipleOptions::default().with_maintain_order(true))?;
            lenders =
                sorted.column("tradewind series")?.u64()?.into_no_null_iter().map(|series| series as usize).collect();
        }
        let place: std::collections::HashMap<&str, usize> =
            lenders.iter().enumerate().map(|(group, series)| (names[*series].as_str(), group)).collect();
        let of_series: Vec<usize> = names.iter().map(|name| place[name.as_str()]).collect();
        let labels = lenders.iter().map(|series| names[*series].clone()).collect();
        let cells = cells(panel, &steps, &of_series, lenders.len());
        Ok(Self { panel, steps, columns, lenders, names, labels, cells })
    }

    fn finished(mut self, how: &Aggregate) -> Result<Panel> {
        let inner = self.panel.inner();
        let mut found: Vec<String> = inner.origin.found.clone();
        if how.partial == Partial::Drop {
            let before = self.cells.len();
            self.drop_ends();
            if self.cells.is_empty() {
                return Err(Error::data(format!(
                    "no series has a complete period that is {}; keep the partial ones, or choose a shorter period",
                    self.steps.calendar.frequency
                )));
            }
            if before > self.cells.len() {
                found.push(format!(
                    "{} partial periods at the ends of series were dropped",
                    number((before - self.cells.len()) as f64)
                ));
            }
        }
        let partial: Vec<(String, i64)> = self
            .cells
            .iter()
            .filter(|cell| cell.partial)
            .map(|cell| (self.labels[cell.group].clone(), cell.place))
            .collect();
        let from = if self.steps.changed { format!("from {} ", inner.calendar.frequency) } else { String::new() };
        let of = if self.lenders.len() == self.panel.len() {
            String::new()
        } else {
            format!("of {} series ", number(self.panel.len() as f64))
        };
        let whole = match partial.len() {
            0 => "every period is complete".to_string(),
            n => format!("{} of {} periods are partial", number(n as f64), number(self.cells.len() as f64)),
        };
        found.push(format!(
            "aggregated {from}{of}by the {}: {whole}",
            if how.target == Target::Sum { "sum" } else { "mean" }
        ));
        if !inner.origin.changes.is_empty() {
            found.push(format!("cleaning before that changed {} values", number(inner.origin.changes.len() as f64)));
        }
        let (frame, dropped) = self.frame(how)?;
        for (name, place) in dropped {
            found.push(format!("fixed covariate `{name}` was dropped: it differs within {place}"));
        }
        let height = frame.height() as u32;
        let origin = Provenance {
            source: inner.origin.source.clone(),
            rows: (0..height).collect(),
            partial: Arc::new(partial),
            found,
            left_out: inner.origin.left_out.clone(),
            removed: inner.origin.removed.clone(),
            decimal: inner.origin.decimal,
            ..Provenance::default()
        };
        let season = if self.steps.changed { self.steps.calendar.frequency.season() } else { self.panel.season() };
        let mut panel = assemble(frame, &self.columns, self.steps.calendar.clone(), season, origin)?;
        if let (Some(said), Some(inner)) = (panel.said_of_long_years(), Arc::get_mut(&mut panel.0)) {
            inner.origin.found.push(said);
        }
        if self.panel.recorded().is_none() {
            return Ok(panel);
        }
        let recorded = Recorded::aggregated(self.panel, &panel, how, &self.names, self.actual(how))?;
        Ok(panel.with_recorded(Some(recorded)))
    }

    /// What happened in each period; not known where a part of it was filled in.
    fn actual(&self, how: &Aggregate) -> Vec<f64> {
        let (target, actual) = (&self.panel.inner().target, self.panel.actuals());
        let filled = |row: &u32| actual[*row as usize].is_nan() && !target[*row as usize].is_nan();
        let cell = |cell: &Cell| {
            if cell.rows.iter().any(filled) { f64::NAN } else { cell.target(actual, how.target).unwrap_or(f64::NAN) }
        };
        self.cells.iter().map(cell).collect()
    }

    /// Takes away the partial periods before the first and after the last whole one of each series.
    fn drop_ends(&mut self) {
        let cells = std::mem::take(&mut self.cells);
        let mut rest: Vec<Cell> = Vec::with_capacity(cells.len());
        let mut series: Vec<Cell> = Vec::new();
        let mut close = |series: &mut Vec<Cell>| {
            let first = series.iter().position(|cell| !cell.partial).unwrap_or(series.len());
            let last = series.iter().rposition(|cell| !cell.partial).map_or(0, |last| last + 1);
            rest.extend(
                series.drain(..).enumerate().filter(|(at, _)| (first..last).contains(at)).map(|(_, cell)| cell),
            );
        };
        for cell in cells {
            if series.last().is_some_and(|before| before.group != cell.group) {
                close(&mut series);
            }
            series.push(cell);
        }
        close(&mut series);
        self.cells = rest;
    }

    /// The new frame, and the fixed covariates that differ within a new series, with that series.
    fn frame(&mut self, how: &Aggregate) -> Result<(DataFrame, Vec<(String, String)>)> {
        let inner = self.panel.inner();
        let lent: Vec<IdxSize> =
            self.cells.iter().map(|cell| inner.spans[self.lenders[cell.group]].start as IdxSize).collect();
        let lent = IdxCa::from_vec("".into(), lent);
        let mut made: Vec<Column> = Vec::new();
        for key in &self.columns.keys {
            made.push(inner.frame.column(key)?.take(&lent)?);
        }
        let places = self.cells.iter().map(|cell| cell.place);
        made.push(stamp_column(&self.steps.calendar, &self.columns.time, places)?);
        let target: Vec<Option<f64>> = self.cells.iter().map(|cell| cell.target(&inner.target, how.target)).collect();
        made.push(Column::new(self.columns.target.as_str().into(), target));
        if let Some(available) = self.panel.available_rows()? {
            let mean = |cell: &Cell| {
                cell.rows.iter().map(|row| available[*row as usize]).sum::<f64>() / cell.rows.len().max(1) as f64
            };
            let name = self.columns.available.as_deref().unwrap_or_default();
            let said = |cell: &Cell| if self.columns.closed { 1.0 - mean(cell) } else { mean(cell) };
            made.push(Column::new(name.into(), self.cells.iter().map(said).collect::<Vec<_>>()));
        }
        let mut dropped = Vec::new();
        for (name, role) in std::mem::take(&mut self.columns.covariates) {
            let column = inner.frame.column(&name)?;
            if role == Role::Fixed {
                let texts = column.cast(&DataType::String)?;
                let texts = texts.str()?.rechunk();
                let odd = self.cells.chunk_by(|a, b| a.group == b.group).find(|series| {
                    let mut values =
                        series.iter().flat_map(|cell| &cell.rows).filter_map(|row| texts.get(*row as usize));
                    let first = values.next();
                    values.any(|value| Some(value) != first)
                });
                if let Some(series) = odd {
                    dropped.push((name, self.labels[series[0].group].clone()));
                    continue;
                }
            }
            made.push(self.covariate(column, role, how)?);
            self.columns.covariates.push((name, role));
        }
        if self.steps.changed {
            self.columns.frequency = Some(self.steps.calendar.frequency);
            (self.columns.season, self.columns.stamps) = (None, None);
        }
        Ok((DataFrame::new(self.cells.len(), made)?, dropped))
    }

    fn covariate(&self, column: &Column, role: Role, how: &Aggregate) -> Result<Column> {
        let (name, dtype) = (column.name().clone(), column.dtype());
        if dtype.is_bool() && role != Role::Fixed && how.booleans == Booleans::Any {
            let cells: Vec<Option<bool>> = column.bool()?.iter().collect();
            let any = |cell: &Cell| cell.rows.iter().filter_map(|row| cells[*row as usize]).reduce(|a, b| a || b);
            return Ok(Column::new(name, self.cells.iter().map(any).collect::<Vec<_>>()));
        }
        if is_number(dtype) && role != Role::Fixed {
            let values = numbers(column)?;
            let one = |cell: &Cell| {
                let present = || cell.rows.iter().map(|row| values[*row as usize]).filter(|v| !v.is_nan());
                let count = present().count();
                (count > 0).then(|| match how.covariates {
                    Numbers::Sum if !dtype.is_bool() => present().sum::<f64>(),
                    Numbers::Max if !dtype.is_bool() => present().fold(f64::NEG_INFINITY, f64::max),
                    Numbers::Last if !dtype.is_bool() => present().next_back().unwrap_or(f64::NAN),
                    _ => present().sum::<f64>() / count as f64,
                })
            };
            return Ok(Column::new(name, self.cells.iter().map(one).collect::<Vec<_>>()));
        }
        // Texts, and what is the same throughout: the last that is there.
        let missing = column.is_null();
        let missing: Vec<bool> = missing.iter().map(|null| null == Some(true)).collect();
        let last = |cell: &Cell| cell.rows.iter().rev().find(|row| !missing[**row as usize]).map(|row| *row as IdxSize);
        let rows: IdxCa = self.cells.iter().map(last).collect_ca("".into());
        Ok(column.take(&rows)?)
    }
}

/// The new rows, series by series and in time, with the old rows of each.
fn cells(panel: &Panel, steps: &Steps, of_series: &[usize], groups: usize) -> Vec<Cell> {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); groups];
    for (series, group) in of_series.iter().enumerate() {
        members[*group].push(series);
    }
    let mut cells = Vec::new();
    for (group, members) in members.iter().enumerate() {
        let ends = members.iter().filter_map(|i| Some((*panel.positions(*i).first()?, *panel.positions(*i).last()?)));
        let (first, last) = ends.fold((i64::MAX, i64::MIN), |(a, b), (c, d)| (a.min(c), b.max(d)));
        if first > last {
            continue;
        }
        let (start, end) = (steps.place(first), steps.place(last));
        let mut rows: Vec<Vec<(i64, u32)>> = vec![Vec::new(); (end - start + 1) as usize];
        let mut partial = vec![false; rows.len()];
        for i in members {
            let span = panel.inner().spans[*i].clone();
            let mut before: Option<i64> = None;
            for ((row, position), y) in span.zip(panel.positions(*i)).zip(panel.target(*i)) {
                let at = (steps.place(*position) - start) as usize;
                rows[at].push((*position, row as u32));
                partial[at] |= y.is_nan();
                // Steps of the series that have no row.
                for missing in before.map_or(*position, |before| before + 1)..*position {
                    partial[(steps.place(missing) - start) as usize] = true;
                }
                before = Some(*position);
            }
        }
        // At its ends, the series as a whole may cover a part of the period only.
        let covered = |place: i64| (first..=last).filter(|p| steps.place(*p) == place).count();
        for place in [start, end] {
            partial[(place - start) as usize] |= covered(place) < steps.whole.get(&place).copied().unwrap_or(0);
        }
        for (at, mut rows) in rows.into_iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
            // In time, so that the last is the last; in the order of the series within a step.
            rows.sort_by_key(|(position, _)| *position);
            let rows = rows.into_iter().map(|(_, row)| row).collect();
            cells.push(Cell { group, place: start + at as i64, rows, partial: partial[at] });
        }
    }
    cells
}
