//! What is the forecast once planners have spoken, and which of their words had no effect?
//!
//! Every override states the total of its selection, date by date; `Add` and `Percent` start from the total of the
//! *statistical* forecast, whatever other overrides do. The rules, date by date:
//!
//! 1. **Rolled down.** The total is given to the cells (one series at one date) by their shares of the statistical
//!    forecast, in equal shares where that is zero everywhere. Sums are sums of cells, so every other sum follows.
//! 2. **The finer one fixes its cells.** Overrides act from the fewest cells to the most (of as many, the later made
//!    first), and each gives what is missing to its total to those of its cells that no finer one has fixed.
//! 3. **The later one replaces the earlier** where both have the very same cells; the earlier is reported as
//!    superseded.
//! 4. **Conflicts.** Where finer overrides have fixed all its cells to another total, or to more than its total, the
//!    finer ones are kept, the cells that are left become 0, and the coarser one is reported with the names of those
//!    that stand against it. A planner who knows about an item is believed before one who knows about a region.
//! 5. **Nothing below zero** unless negative forecasts are allowed ([`Sign`]); what was cut is reported.
//!
//! What has expired, or was made after `now`, is ignored, and so does not supersede anything. So is what selects no
//! series or no date of the forecast; where only some dates are there, those are changed. The order in which overrides
//! are given does not matter. Quantiles are moved with the mean by [`Change::movement`].

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Serialize;

use super::plan::Override;
use crate::error::{Error, Result};

/// The difference between two totals that rounding explains, in shares of what was added up.
const ROUNDING: f64 = 1e-9;

/// Forecast means of series × dates.
#[derive(Clone, Copy, Debug)]
pub struct Cells<'a> {
    /// The names of the key columns.
    pub columns: &'a [String],
    /// Per series its value in each column.
    pub keys: &'a [Vec<String>],
    /// Ascending.
    pub dates: &'a [NaiveDateTime],
    /// Per series the mean at each date: series × dates.
    pub mean: &'a [f64],
}

/// May a forecast be below zero?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sign {
    /// No: sales. What would be, becomes zero.
    #[default]
    NotNegative,
    /// Yes: net of returns.
    Any,
}

/// How the quantiles of a cell follow its mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Move {
    /// They are multiplied by this, above or equal to 0.
    Scale(f64),
    /// This is added to them, in units.
    Shift(f64),
}

impl Move {
    /// Where a quantile (or the mean) of the statistical forecast goes.
    pub fn of(self, value: f64) -> f64 {
        match self {
            Self::Scale(factor) => value * factor,
            Self::Shift(units) => value + units,
        }
    }
}

/// A cell that was changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The place of its series among the keys, and of its date among the dates.
    pub series: usize,
    pub date: usize,
    /// The place of the override that fixed it.
    pub by: usize,
    /// The mean of the statistical forecast.
    pub before: f64,
    pub after: f64,
}

impl Change {
    /// How the quantiles follow: scaled where the mean was above zero, else shifted.
    pub fn movement(&self) -> Move {
        let factor = self.after / self.before;
        if self.before > 0.0 && self.after >= 0.0 && factor.is_finite() {
            Move::Scale(factor)
        } else {
            Move::Shift(self.after - self.before)
        }
    }
}

/// Why an override had no effect, or not the one wanted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    /// It was to be heeded until an earlier day.
    Expired,
    /// It was made after the moment of the forecast.
    NotYetMade,
    /// This column of its selection is none of the key columns.
    NoColumn(String),
    /// The forecast has no such series any more.
    NoSeries,
    /// The forecast has none of its dates.
    NoDates,
    /// The forecast ends before, or begins after, some of its dates.
    SomeDates,
    /// Another one with the same cells was made later.
    Superseded { by: String, dates: Vec<NaiveDateTime> },
    /// Finer ones fixed its cells to another total, and were kept.
    Conflict { with: Vec<String>, dates: Vec<NaiveDateTime> },
    /// Its total would have been below zero, and is zero.
    Negative { dates: Vec<NaiveDateTime> },
    /// Its total is too large to be written as a number.
    TooLarge { dates: Vec<NaiveDateTime> },
}

impl Remark {
    /// The same remark with the dates of another, where they say the same.
    fn join(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Superseded { by, dates }, Self::Superseded { by: other, dates: more }) if by == other => {
                dates.extend(more);
            }
            (Self::Conflict { with, dates }, Self::Conflict { with: other, dates: more }) if with == other => {
                dates.extend(more);
            }
            (Self::Negative { dates }, Self::Negative { dates: more })
            | (Self::TooLarge { dates }, Self::TooLarge { dates: more }) => dates.extend(more),
            _ => return false,
        }
        true
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at =
            |dates: &[NaiveDateTime]| dates.iter().map(|date| date.date().to_string()).collect::<Vec<_>>().join(", ");
        match self {
            Self::Expired => write!(f, "ignored: it has expired"),
            Self::NotYetMade => write!(f, "ignored: it was made after this forecast"),
            Self::NoColumn(column) => write!(f, "ignored: there is no key column `{column}`"),
            Self::NoSeries => write!(f, "ignored: the forecast has no such series"),
            Self::NoDates => write!(f, "ignored: the forecast has none of its dates"),
            Self::SomeDates => write!(f, "applied in part: the forecast does not reach over all of its dates"),
            Self::Superseded { by, dates } => write!(f, "superseded by the later `{by}` on {}", at(dates)),
            Self::Conflict { with, dates } => {
                write!(f, "its total does not hold on {}: finer overrides were kept ({})", at(dates), with.join(", "))
            }
            Self::Negative { dates } => write!(f, "its total would be below zero on {} and is zero", at(dates)),
            Self::TooLarge { dates } => write!(f, "ignored on {}: its total is too large", at(dates)),
        }
    }
}

/// What became of one override.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Outcome {
    pub id: String,
    /// Dates at which it acted.
    pub dates: usize,
    /// Cells that it fixed; others of its selection were fixed by finer ones.
    pub cells: usize,
    /// The total of its selection over those dates: in the statistical forecast, as wanted, and after all overrides.
    pub before: f64,
    pub wanted: f64,
    pub after: f64,
    /// Why it did not act as wanted; empty if it did.
    pub remarks: Vec<Remark>,
}

impl Outcome {
    fn remark(&mut self, remark: Remark) {
        if !self.remarks.iter_mut().any(|known| known.join(&remark)) {
            self.remarks.push(remark);
        }
    }
}

/// A forecast with all overrides.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// Series × dates, as the forecast given.
    pub mean: Vec<f64>,
    /// The cells that differ from the statistical forecast, by date, then by the override that fixed them.
    pub changes: Vec<Change>,
    /// One for each override, in their order.
    pub outcomes: Vec<Outcome>,
}

impl Cells<'_> {
    fn check(&self) -> Result<()> {
        if self.mean.len() != self.keys.len() * self.dates.len() {
            return Err(Error::data(format!(
                "{} series at {} dates need as many means each; there are {}",
                self.keys.len(),
                self.dates.len(),
                self.mean.len()
            )));
        }
        if let Some(key) = self.keys.iter().find(|key| key.len() != self.columns.len()) {
            return Err(Error::data(format!(
                "the key ({}) needs a value for each of the columns {}",
                key.join(", "),
                self.columns.join(", ")
            )));
        }
        if !self.dates.is_sorted_by(|before, after| before < after) {
            return Err(Error::data("the dates of the forecast must ascend; sort them"));
        }
        if self.mean.iter().any(|mean| !mean.is_finite()) {
            return Err(Error::data(
                "a mean of the forecast is no finite number; leave out series that have no forecast",
            ));
        }
        Ok(())
    }

    /// The sums of cells by the values of some key columns, in order: the values, and the sum at each date.
    ///
    /// # Errors
    /// A column is none of the key columns, or the forecast is incomplete.
    pub fn sums(&self, by: &[&str]) -> Result<BTreeMap<Vec<String>, Vec<f64>>> {
        self.check()?;
        let place = |name: &&str| {
            self.columns.iter().position(|column| column == name).ok_or_else(|| {
                Error::usage(format!("there is no key column `{name}` to sum by; there is {}", self.columns.join(", ")))
            })
        };
        let places = by.iter().map(place).collect::<Result<Vec<_>>>()?;
        let mut sums = BTreeMap::new();
        for (key, means) in self.keys.iter().zip(self.mean.chunks(self.dates.len().max(1))) {
            let group: Vec<String> = places.iter().filter_map(|place| key.get(*place)).cloned().collect();
            let sum = sums.entry(group).or_insert_with(|| vec![0.0; self.dates.len()]);
            sum.iter_mut().zip(means).for_each(|(sum, mean)| *sum += mean);
        }
        Ok(sums)
    }
}

/// An override that is heeded, with the series that it selects.
struct Heeded<'a> {
    place: usize,
    change: &'a Override,
    series: Vec<usize>,
    /// Those with the same series share a number.
    same: usize,
}

/// The forecast with overrides as of `now`.
///
/// # Errors
/// An override is not stated as it must be, two have the same id, or the forecast is incomplete.
pub fn apply(cells: &Cells, overrides: &[Override], now: DateTime<Utc>, sign: Sign) -> Result<Applied> {
    cells.check()?;
    let mut names = BTreeSet::new();
    for change in overrides {
        change.check()?;
        if !names.insert(&change.id) {
            return Err(Error::usage(format!("two overrides have the id `{}`; give each one of its own", change.id)));
        }
    }
    let mut outcomes: Vec<Outcome> =
        overrides.iter().map(|change| Outcome { id: change.id.clone(), ..Outcome::default() }).collect();
    let mut heeded = heed(cells, overrides, now, &mut outcomes);
    heeded.sort_by_key(|one| (one.series.len(), Reverse(one.change.made_at), &one.change.id));
    let mut released = Released { mean: cells.mean.to_vec(), changes: Vec::new(), fixed: Vec::new() };
    for date in 0..cells.dates.len() {
        released.at(cells, date, &heeded, sign, &mut outcomes);
    }
    Ok(Applied { mean: released.mean, changes: released.changes, outcomes })
}

/// Those that are heeded; for the others it is said why not.
fn heed<'a>(cells: &Cells, overrides: &'a [Override], now: DateTime<Utc>, outcomes: &mut [Outcome]) -> Vec<Heeded<'a>> {
    // Series by column and value.
    let mut index: BTreeMap<&str, BTreeMap<&str, Vec<usize>>> =
        cells.columns.iter().map(|column| (column.as_str(), BTreeMap::new())).collect();
    for (series, key) in cells.keys.iter().enumerate() {
        for (column, value) in cells.columns.iter().zip(key) {
            index.entry(column).or_default().entry(value).or_default().push(series);
        }
    }
    let mut same: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    let mut heeded = Vec::new();
    for ((place, change), outcome) in overrides.iter().enumerate().zip(outcomes) {
        let mut series: Option<Vec<usize>> = None;
        let mut stranger = None;
        for (column, value) in &change.selection {
            let Some(values) = index.get(column.as_str()) else {
                stranger = Some(column.clone());
                break;
            };
            let with = values.get(value.as_str()).map_or(&[][..], Vec::as_slice);
            // Both ascend.
            series = Some(match series {
                None => with.to_vec(),
                Some(series) => series.into_iter().filter(|one| with.binary_search(one).is_ok()).collect(),
            });
        }
        let series = series.unwrap_or_else(|| (0..cells.keys.len()).collect());
        let days = |day: &NaiveDateTime| (change.from..=change.to).contains(&day.date());
        let refused = if change.expires.is_some_and(|last| now.date_naive() > last) {
            Some(Remark::Expired)
        } else if change.made_at > now {
            Some(Remark::NotYetMade)
        } else if let Some(column) = stranger {
            Some(Remark::NoColumn(column))
        } else if series.is_empty() {
            Some(Remark::NoSeries)
        } else if !cells.dates.iter().any(days) {
            Some(Remark::NoDates)
        } else {
            None
        };
        if let Some(remark) = refused {
            outcome.remark(remark);
            continue;
        }
        let whole = cells.dates.first().is_some_and(|first| first.date() <= change.from)
            && cells.dates.last().is_some_and(|last| change.to <= last.date());
        if !whole {
            outcome.remark(Remark::SomeDates);
        }
        let next = same.len();
        let same = *same.entry(series.clone()).or_insert(next);
        heeded.push(Heeded { place, change, series, same });
    }
    heeded
}

/// The forecast on its way.
struct Released {
    mean: Vec<f64>,
    changes: Vec<Change>,
    /// Per series by which of the heeded it is fixed at the date.
    fixed: Vec<Option<usize>>,
}

impl Released {
    fn at(&mut self, cells: &Cells, date: usize, heeded: &[Heeded], sign: Sign, outcomes: &mut [Outcome]) {
        let Some(&stamp) = cells.dates.get(date) else { return };
        let width = cells.dates.len();
        let before = |series: usize| cells.mean.get(series * width + date).copied().unwrap_or_default();
        self.fixed.clear();
        self.fixed.resize(cells.keys.len(), None);
        let mut latest: BTreeMap<usize, &str> = BTreeMap::new();
        for (rank, one) in heeded.iter().enumerate() {
            let Some(outcome) = outcomes.get_mut(one.place) else { continue };
            if !(one.change.from..=one.change.to).contains(&stamp.date()) {
                continue;
            }
            if let Some(by) = latest.get(&one.same) {
                outcome.remark(Remark::Superseded { by: by.to_string(), dates: vec![stamp] });
                continue;
            }
            let total: f64 = one.series.iter().map(|series| before(*series)).sum();
            let mut wanted = one.change.how.of(total);
            if !(wanted.is_finite() && total.is_finite()) {
                outcome.remark(Remark::TooLarge { dates: vec![stamp] });
                continue;
            }
            latest.insert(one.same, &one.change.id);
            outcome.wanted += wanted;
            if wanted < 0.0 && sign == Sign::NotNegative {
                outcome.remark(Remark::Negative { dates: vec![stamp] });
                wanted = 0.0;
            }
            let (mut held, mut finer, mut free) = (0.0, BTreeSet::new(), Vec::new());
            for &series in &one.series {
                match self.fixed.get(series).copied().flatten() {
                    Some(by) => {
                        held += self.mean.get(series * width + date).copied().unwrap_or_default();
                        finer.insert(by);
                    }
                    None => free.push(series),
                }
            }
            let mut rest = wanted - held;
            let slack = ROUNDING * (wanted.abs() + held.abs() + total.abs());
            let below = rest < 0.0 && sign == Sign::NotNegative;
            if below || free.is_empty() {
                if rest.abs() > slack {
                    let with = finer.iter().filter_map(|by| heeded.get(*by)).map(|one| one.change.id.clone()).collect();
                    outcome.remark(Remark::Conflict { with, dates: vec![stamp] });
                }
                rest = 0.0;
            }
            outcome.dates += 1;
            outcome.cells += free.len();
            outcome.before += total;
            outcome.after += held + if free.is_empty() { 0.0 } else { rest };
            let values: Vec<f64> = free.iter().map(|series| before(*series)).collect();
            for (series, after) in free.iter().zip(shared(&values, rest, sign)) {
                if let Some(fixed) = self.fixed.get_mut(*series) {
                    *fixed = Some(rank);
                }
                if let Some(mean) = self.mean.get_mut(series * width + date) {
                    if *mean != after {
                        let change = Change { series: *series, date, by: one.place, before: *mean, after };
                        self.changes.push(change);
                    }
                    *mean = after;
                }
            }
        }
    }
}

/// A total given to cells by their shares of the statistical forecast.
fn shared(before: &[f64], total: f64, sign: Sign) -> Vec<f64> {
    // Where nothing may be below zero, a cell that is has no share.
    let base: Vec<f64> = match sign {
        Sign::NotNegative => before.iter().map(|value| value.max(0.0)).collect(),
        Sign::Any => before.to_vec(),
    };
    let sum: f64 = base.iter().sum();
    let size: f64 = base.iter().map(|value| value.abs()).sum();
    if size == 0.0 {
        return vec![total / before.len().max(1) as f64; before.len()];
    }
    if base.iter().all(|value| *value >= 0.0) {
        return base.iter().map(|value| value / sum * total).collect();
    }
    // Of mixed signs the sum may be zero: the difference goes by size.
    base.iter().map(|value| value + (total - sum) * value.abs() / size).collect()
}
