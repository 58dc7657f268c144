//! When does the next value come? The step between timestamps, where the steps are anchored, and how a timestamp
//! becomes a position on the calendar and back.
//!
//! Timestamps travel as `i64`: microseconds since 1970-01-01T00:00 for dates and times, the number itself for
//! integer steps. A position is a count of steps, so that a gap is a difference above one, a duplicate a
//! difference of zero, and the future simply the next positions.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, Weekday};
use polars::prelude::{DataType, TimeUnit};
use serde::{Deserialize, Serialize};

use super::columns::Stamps;
use crate::error::{Error, Result};

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
/// A twelfth of 365.25 days.
const MONTH: i64 = 2_629_800 * SECOND;

/// The step between two timestamps of a series, with its anchor: `weekly (Fridays)`.
///
/// ```
/// use tradewind::prelude::*;
/// let weekly: Frequency = "W-FRI".parse()?;
/// assert_eq!(weekly.to_string(), "weekly (Fridays)");
/// assert_eq!(weekly.season(), 52);
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frequency(Step);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Step {
    /// Every `step` of an integer index, first at `phase`.
    Whole { step: i64, phase: i64 },
    /// Every `step` microseconds, first at `phase` after 1970-01-01T00:00.
    Fixed { step: i64, phase: i64 },
    /// Every `every` months, `phase` months after January, on a day of the month, `time` microseconds after midnight.
    Months { every: i64, phase: i64, day: Day, time: i64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Day {
    Of(u32),
    Last,
}

impl Frequency {
    /// Integer steps, one by one.
    pub(crate) const STEPS: Self = Self(Step::Whole { step: 1, phase: 0 });

    /// How many steps make the season that people mean by default: 24 hours, 7 days, 52 weeks, 12 months, 4 quarters;
    /// 1 (no season) for years and integer steps.
    pub fn season(&self) -> usize {
        match self.0 {
            Step::Whole { .. } => 1,
            Step::Months { every, .. } => (12 / every).max(1) as usize,
            Step::Fixed { step, .. } if step < DAY => ((DAY / step).max(1)) as usize,
            Step::Fixed { step, .. } if step < WEEK => (WEEK / step).max(1) as usize,
            Step::Fixed { step, .. } => (364 * DAY / step).max(1) as usize,
        }
    }

    /// The word for one step: `week`, `month`, `step`.
    pub fn noun(&self) -> &'static str {
        match self.0 {
            Step::Fixed { step: HOUR, .. } => "hour",
            Step::Fixed { step: DAY, .. } => "day",
            Step::Fixed { step: WEEK, .. } => "week",
            Step::Months { every: 1, .. } => "month",
            Step::Months { every: 3, .. } => "quarter",
            Step::Months { every: 12, .. } => "year",
            _ => "step",
        }
    }

    /// How long a step is: microseconds (months by their mean length), or integer steps.
    pub(crate) fn length(&self) -> i64 {
        match self.0 {
            Step::Whole { step, .. } | Step::Fixed { step, .. } => step,
            Step::Months { every, .. } => every * MONTH,
        }
    }

    /// Is a timestamp the first or the last day of its period, if not stated? Weeks are usually dated to their last
    /// day; months to whichever day their dates have.
    fn stamps(&self) -> Stamps {
        match self.0 {
            Step::Fixed { step, .. } if step % WEEK == 0 => Stamps::End,
            Step::Months { day: Day::Last, .. } => Stamps::End,
            _ => Stamps::Start,
        }
    }

    /// Does it count integer steps rather than time?
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.0, Step::Whole { .. })
    }

    /// Is the step a day, or a part of one?
    pub(crate) fn is_day_or_part(&self) -> bool {
        matches!(self.0, Step::Fixed { step, .. } if step <= DAY)
    }

    /// Finds the step of the distinct, sorted timestamps of each series. `kind` says what the timestamps are.
    ///
    /// The step is the longest observed difference that at least 95 % of all differences are whole multiples of, so
    /// that neither gaps nor rarely selling series hide it; the anchor is the commonest one.
    ///
    /// # Errors
    /// When no series has two timestamps, so that nothing can be inferred.
    pub(crate) fn infer<'a>(kind: StampKind, series: impl Iterator<Item = &'a [i64]>) -> Result<Self> {
        let mut differences: HashMap<i64, usize> = HashMap::new();
        let mut stamps: HashMap<i64, usize> = HashMap::new();
        for times in series {
            for pair in times.windows(2) {
                let Some(difference) = pair[1].checked_sub(pair[0]).filter(|d| *d > 0) else { continue };
                *differences.entry(difference).or_default() += 1;
            }
            for stamp in times {
                *stamps.entry(*stamp).or_default() += 1;
            }
        }
        if differences.is_empty() {
            return Err(Error::data(
                "the frequency cannot be inferred: no series has two different stamps; \
                 state it, for example freq = \"W-SUN\", \"D\", \"MS\" or \"1\"",
            ));
        }
        if kind == StampKind::Clock
            && let Some(months) = infer_months(&differences, &stamps)
        {
            return Ok(months);
        }
        let step = common_step(&differences);
        let phase = commonest(stamps.iter().map(|(stamp, n)| (stamp.rem_euclid(step), *n)));
        Ok(Self(match kind {
            StampKind::Whole => Step::Whole { step, phase },
            StampKind::Clock => Step::Fixed { step, phase },
        }))
    }

    /// The same step with its anchor taken from `stamps`, for a frequency that was stated without one (`W`, `D`, `MS`).
    pub(crate) fn anchored<'a>(self, stamps: impl Iterator<Item = &'a i64>) -> Self {
        match self.0 {
            Step::Whole { step, .. } => {
                Self(Step::Whole { step, phase: commonest(stamps.map(|stamp| (stamp.rem_euclid(step), 1))) })
            }
            // A stated weekday stays; only the time of day follows the data.
            Step::Fixed { step, phase } if step >= DAY => {
                let time = commonest(stamps.map(|stamp| (stamp.rem_euclid(DAY), 1)));
                Self(Step::Fixed { step, phase: phase - phase.rem_euclid(DAY) + time })
            }
            Step::Fixed { step, .. } => {
                Self(Step::Fixed { step, phase: commonest(stamps.map(|stamp| (stamp.rem_euclid(step), 1))) })
            }
            Step::Months { .. } => self,
        }
    }

    /// The position of a timestamp and whether it lies exactly on the calendar; between two positions, the earlier one.
    pub(crate) fn position(&self, stamp: i64) -> (i64, bool) {
        match self.0 {
            Step::Whole { step, phase } | Step::Fixed { step, phase } => {
                let offset = stamp.saturating_sub(phase);
                (offset.div_euclid(step), offset.rem_euclid(step) == 0)
            }
            Step::Months { every, phase, .. } => {
                let Some(date) = clock(stamp) else { return (stamp.signum() * i64::from(i32::MAX), false) };
                let months = i64::from(date.year()) * 12 + i64::from(date.month0()) - phase;
                let position = months.div_euclid(every);
                let exact = self.stamp(position);
                if exact > stamp { (position - 1, false) } else { (position, exact == stamp) }
            }
        }
    }

    /// The timestamp at a position.
    pub(crate) fn stamp(&self, position: i64) -> i64 {
        match self.0 {
            Step::Whole { step, phase } | Step::Fixed { step, phase } => {
                position.saturating_mul(step).saturating_add(phase)
            }
            Step::Months { every, phase, day, time } => {
                let months = position.saturating_mul(every).saturating_add(phase);
                let first = i32::try_from(months.div_euclid(12))
                    .ok()
                    .and_then(|year| NaiveDate::from_ymd_opt(year, months.rem_euclid(12) as u32 + 1, 1));
                let Some(first) = first else { return months.saturating_mul(30 * DAY) };
                let last = first.checked_add_months(Months::new(1)).and_then(|next| next.pred_opt()).unwrap_or(first);
                let date = match day {
                    Day::Last => last,
                    Day::Of(day) => {
                        first.checked_add_days(Days::new(u64::from(day.saturating_sub(1)))).unwrap_or(last).min(last)
                    }
                };
                date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros() + time
            }
        }
    }
}

fn infer_months(differences: &HashMap<i64, usize>, stamps: &HashMap<i64, usize>) -> Option<Frequency> {
    if *differences.keys().min()? < 28 * DAY {
        return None;
    }
    let total: usize = stamps.values().sum();
    let mut days: HashMap<u32, usize> = HashMap::new();
    let (mut last, mut latest_day) = (0, 0);
    for (stamp, count) in stamps {
        let date = clock(*stamp)?.date();
        *days.entry(date.day()).or_default() += count;
        latest_day = latest_day.max(date.day());
        if date.succ_opt().is_some_and(|next| next.day() == 1) {
            last += count;
        }
    }
    let (day, count) = days.into_iter().max_by_key(|(day, count)| (*count, *day))?;
    let enough = |count: usize| count * 100 >= total * 95;
    let day = if enough(count) {
        Day::Of(day)
    } else if enough(last) {
        Day::Last
    } else {
        return None;
    };
    let month = |stamp: i64| clock(stamp).map(|date| i64::from(date.year()) * 12 + i64::from(date.month0()));
    // Differences in months, from the differences in days: 28–31 is one month, 59–62 two, and so on.
    let months: HashMap<i64, usize> = differences.iter().fold(HashMap::new(), |mut months, (difference, count)| {
        *months.entry(((*difference as f64) / (30.4375 * DAY as f64)).round() as i64).or_default() += count;
        months
    });
    let every = [12, 6, 4, 3, 2, 1]
        .into_iter()
        .find(|every| {
            let fitting: usize = months.iter().filter(|(m, _)| *m % every == 0).map(|(_, n)| n).sum();
            fitting * 100 >= months.values().sum::<usize>() * 95 && months.contains_key(every)
        })
        .unwrap_or(1);
    let phase = commonest(stamps.iter().filter_map(|(stamp, n)| Some((month(*stamp)?.rem_euclid(every), *n))));
    let time = commonest(stamps.iter().map(|(stamp, n)| (stamp.rem_euclid(DAY), *n)));
    Some(Frequency(Step::Months { every, phase, day, time }))
}

fn common_step(differences: &HashMap<i64, usize>) -> i64 {
    let total: usize = differences.values().sum();
    let mut candidates: Vec<i64> = differences.keys().copied().collect();
    candidates.sort_unstable_by_key(|difference| std::cmp::Reverse((differences[difference], *difference)));
    // Only frequent differences can be the step; the cap keeps wild timestamps from costing a quadratic search.
    candidates.truncate(200);
    candidates.sort_unstable_by(|a, b| b.cmp(a));
    let covers = |step: i64| {
        let fitting: usize = differences.iter().filter(|(d, _)| *d % step == 0).map(|(_, n)| n).sum();
        fitting * 100 >= total * 95
    };
    let gcd = |a: i64, b: i64| {
        let (mut a, mut b) = (a, b);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    candidates
        .iter()
        .copied()
        .find(|step| covers(*step))
        .unwrap_or_else(|| candidates.iter().copied().fold(0, gcd).max(1))
}

/// The commonest value, the smallest among equals; 0 for none.
fn commonest(values: impl Iterator<Item = (i64, usize)>) -> i64 {
    let mut counts: HashMap<i64, usize> = HashMap::new();
    for (value, count) in values {
        *counts.entry(value).or_default() += count;
    }
    counts.into_iter().max_by_key(|(value, count)| (*count, std::cmp::Reverse(*value))).map_or(0, |(value, _)| value)
}

/// The day of a timestamp in microseconds.
pub(crate) fn day_of(stamp: i64) -> Option<NaiveDate> {
    clock(stamp).map(|time| time.date())
}

fn clock(stamp: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(stamp).map(|time| time.naive_utc())
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Step::Whole { step: 1, .. } => f.write_str("integer steps"),
            Step::Whole { step, .. } => write!(f, "every {step} integer steps"),
            Step::Fixed { step: HOUR, .. } => f.write_str("hourly"),
            Step::Fixed { step: DAY, .. } => f.write_str("daily"),
            Step::Fixed { step, phase } if step % WEEK == 0 => {
                // 1970-01-01 was a Thursday, three days after a Monday.
                let weekday =
                    Weekday::try_from((phase.div_euclid(DAY) + 3).rem_euclid(7) as u8).unwrap_or(Weekday::Mon);
                let day = WEEKDAYS[weekday.num_days_from_monday() as usize].1;
                match step / WEEK {
                    1 => write!(f, "weekly ({day}s)"),
                    weeks => write!(f, "every {weeks} weeks ({day}s)"),
                }
            }
            Step::Fixed { step, .. } if step % DAY == 0 => write!(f, "every {} days", step / DAY),
            Step::Fixed { step, .. } if step % HOUR == 0 => write!(f, "every {} hours", step / HOUR),
            Step::Fixed { step, .. } if step % MINUTE == 0 => write!(f, "every {} minutes", step / MINUTE),
            Step::Fixed { step, .. } => write!(f, "every {} seconds", step as f64 / SECOND as f64),
            Step::Months { every, day, .. } => {
                match every {
                    1 => f.write_str("monthly")?,
                    3 => f.write_str("quarterly")?,
                    12 => f.write_str("yearly")?,
                    _ => write!(f, "every {every} months")?,
                }
                match day {
                    Day::Of(1) => f.write_str(" (first day)"),
                    Day::Of(day) => write!(f, " (day {day})"),
                    Day::Last => f.write_str(" (last day)"),
                }
            }
        }
    }
}

const WEEKDAYS: [(&str, &str); 7] = [
    ("MON", "Monday"),
    ("TUE", "Tuesday"),
    ("WED", "Wednesday"),
    ("THU", "Thursday"),
    ("FRI", "Friday"),
    ("SAT", "Saturday"),
    ("SUN", "Sunday"),
];

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// Reads the short names that pandas made common (`h`, `30min`, `D`, `W-SUN`, `MS`, `ME`, `QS`, `QE`, `YS`, `YE`, `1`)
/// and the plain words (`hourly`, `daily`, `weekly`, `monthly`, `quarterly`, `yearly`, `integer`).
impl FromStr for Frequency {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let unknown = || {
            Error::usage(format!(
                "`{text}` is not a frequency; write 30min, h, D, W-SUN … W-SAT, MS or ME (monthly, first or last day), \
                 QS or QE, YS or YE, or a whole number for integer steps"
            ))
        };
        let upper = text.trim().to_uppercase();
        let months = |every, phase, day| Ok(Self(Step::Months { every, phase, day, time: 0 }));
        let fixed = |step| Ok(Self(Step::Fixed { step, phase: 0 }));
        let (name, anchor) =
            upper.split_once('-').map_or((upper.as_str(), None), |(name, anchor)| (name, Some(anchor)));
        let month = || match anchor {
            None => Ok(None),
            Some(anchor) => MONTHS.iter().position(|m| *m == anchor).map(|m| Some(m as i64)).ok_or_else(unknown),
        };
        match name {
            "H" | "HOURLY" if anchor.is_none() => fixed(HOUR),
            "D" | "DAILY" if anchor.is_none() => fixed(DAY),
            "W" | "WEEKLY" => {
                let weekday = match anchor {
                    None => 6,
                    Some(day) => WEEKDAYS.iter().position(|(short, _)| *short == day).ok_or_else(unknown)?,
                };
                Ok(Self(Step::Fixed { step: WEEK, phase: (weekday as i64 - 3).rem_euclid(7) * DAY }))
            }
            "M" | "MS" | "MONTHLY" if anchor.is_none() => months(1, 0, Day::Of(1)),
            "ME" if anchor.is_none() => months(1, 0, Day::Last),
            // A quarter's or year's anchor is the month in which it starts (…S) or ends (…E).
            "Q" | "QS" | "QUARTERLY" => months(3, month()?.unwrap_or(0).rem_euclid(3), Day::Of(1)),
            "QE" => months(3, month()?.unwrap_or(11).rem_euclid(3), Day::Last),
            "Y" | "YS" | "A" | "AS" | "YEARLY" => months(12, month()?.unwrap_or(0), Day::Of(1)),
            "YE" => months(12, month()?.unwrap_or(11), Day::Last),
            "INT" | "INTEGER" if anchor.is_none() => Ok(Self::STEPS),
            _ => {
                if let Some(minutes) = upper.strip_suffix("MIN") {
                    let minutes: i64 = minutes.parse().map_err(|_| unknown())?;
                    return if (1..=1440).contains(&minutes) { fixed(minutes * MINUTE) } else { Err(unknown()) };
                }
                let step: i64 = upper.parse().map_err(|_| unknown())?;
                if step < 1 {
                    return Err(unknown());
                }
                Ok(Self(Step::Whole { step, phase: 0 }))
            }
        }
    }
}

/// What the timestamps of a panel are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StampKind {
    Whole,
    Clock,
}

impl StampKind {
    pub(crate) fn of(dtype: &DataType) -> Option<Self> {
        match dtype {
            DataType::Date | DataType::Datetime(_, _) => Some(Self::Clock),
            dtype if dtype.is_integer() => Some(Self::Whole),
            _ => None,
        }
    }
}

/// A panel's frequency together with the type that its timestamps had in the input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Calendar {
    pub(crate) frequency: Frequency,
    pub(crate) dtype: DataType,
}

impl Calendar {
    pub(crate) fn kind(&self) -> StampKind {
        StampKind::of(&self.dtype).unwrap_or(StampKind::Whole)
    }

    /// The timestamp at a position, as people read it: `2012-10-26`, `2012-10-26 14:00`, `143`.
    pub(crate) fn label(&self, position: i64) -> String {
        stamp_label(self.kind(), self.frequency.stamp(position))
    }

    /// The position on a figure's x axis: seconds since 1970 or the step itself.
    pub(crate) fn x(&self, position: i64) -> f64 {
        let stamp = self.frequency.stamp(position) as f64;
        match self.kind() {
            StampKind::Whole => stamp,
            StampKind::Clock => stamp / SECOND as f64,
        }
    }

    /// The name of a position within a season of `period` steps: `Jan`, `Monday`, `14:00`, or its number.
    pub(crate) fn season_label(&self, position: i64, period: usize) -> String {
        let index = position.rem_euclid(period.max(1) as i64);
        let stamp = self.frequency.stamp(position);
        match (self.frequency.0, clock(stamp)) {
            (Step::Months { every: 1, .. }, Some(date)) if period == 12 => date.format("%b").to_string(),
            (Step::Months { every: 3, .. }, Some(date)) if period == 4 => format!("Q{}", date.month0() / 3 + 1),
            (Step::Fixed { step: DAY, .. }, Some(date)) if period == 7 => date.format("%a").to_string(),
            (Step::Fixed { step: HOUR, .. }, Some(date)) if period == 24 => date.format("%H:%M").to_string(),
            _ => (index + 1).to_string(),
        }
    }

    /// The first and last day of the period at a position; `None` on integer calendars. For hours and minutes that is
    /// their day.
    ///
    /// `stamps` is what the columns state; if they state nothing, weeks end with their timestamp, months that are dated
    /// to their last day too, and everything else begins with it.
    pub(crate) fn period(&self, position: i64, stamps: Option<Stamps>) -> Option<(NaiveDate, NaiveDate)> {
        if self.kind() == StampKind::Whole {
            return None;
        }
        let time = |position: i64| clock(self.frequency.stamp(position));
        let at = time(position)?;
        let length = self.frequency.length();
        match stamps.unwrap_or(self.frequency.stamps()) {
            // An hour that ends at midnight belongs to the day before.
            Stamps::End if length < DAY => clock(self.frequency.stamp(position) - 1).map(|t| (t.date(), t.date())),
            _ if length <= DAY => Some((at.date(), at.date())),
            Stamps::Start => Some((at.date(), time(position + 1)?.date().pred_opt()?.max(at.date()))),
            Stamps::End => Some((time(position - 1)?.date().succ_opt()?.min(at.date()), at.date())),
        }
    }

    /// The position whose period holds a timestamp.
    pub(crate) fn holding(&self, stamp: i64, stamps: Option<Stamps>) -> i64 {
        let (position, exact) = self.frequency.position(stamp);
        let length = self.frequency.length();
        if self.kind() == StampKind::Whole || length < DAY {
            let end = stamps == Some(Stamps::End) && self.kind() == StampKind::Clock;
            return if end && !exact { position + 1 } else { position };
        }
        let Some(day) = clock(stamp).map(|time| time.date()) else { return position };
        [position, position + 1, position - 1]
            .into_iter()
            .find(|p| self.period(*p, stamps).is_some_and(|(first, last)| (first..=last).contains(&day)))
            .unwrap_or(position)
    }

    /// The month of a position, where the calendar knows months.
    pub(crate) fn month(&self, position: i64) -> Option<String> {
        let date = clock(self.frequency.stamp(position)).filter(|_| self.kind() == StampKind::Clock)?;
        Some(date.format("%b").to_string())
    }

    /// The calendar year of a position, where the calendar knows years.
    pub(crate) fn year(&self, position: i64) -> Option<i32> {
        (self.kind() == StampKind::Clock).then(|| clock(self.frequency.stamp(position)).map(|d| d.year())).flatten()
    }
}

pub(crate) fn stamp_label(kind: StampKind, stamp: i64) -> String {
    match (kind, clock(stamp)) {
        (StampKind::Clock, Some(time)) if stamp.rem_euclid(DAY) == 0 => time.format("%Y-%m-%d").to_string(),
        (StampKind::Clock, Some(time)) if stamp.rem_euclid(MINUTE) == 0 => time.format("%Y-%m-%d %H:%M").to_string(),
        (StampKind::Clock, Some(time)) => time.format("%Y-%m-%d %H:%M:%S").to_string(),
        _ => stamp.to_string(),
    }
}

/// How many of a column's own units make a microsecond timestamp: multiply (or divide) by this when reading (or
/// writing).
pub(crate) fn micros(dtype: &DataType) -> (i64, i64) {
    match dtype {
        DataType::Date => (DAY, 1),
        DataType::Datetime(TimeUnit::Milliseconds, _) => (1_000, 1),
        DataType::Datetime(TimeUnit::Nanoseconds, _) => (1, 1_000),
        _ => (1, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(dates: &[&str]) -> Vec<i64> {
        dates
            .iter()
            .map(|d| {
                NaiveDate::parse_from_str(d, "%Y-%m-%d")
                    .unwrap()
                    .and_hms_opt(0, 0, 0)
                    .unwrap()
                    .and_utc()
                    .timestamp_micros()
            })
            .collect()
    }

    fn inferred(stamps: &[i64]) -> String {
        Frequency::infer(StampKind::Clock, std::iter::once(stamps)).unwrap().to_string()
    }

    #[test]
    fn frequencies_are_recognised_with_their_anchor() {
        assert_eq!(inferred(&days(&["2024-01-05", "2024-01-12", "2024-01-19"])), "weekly (Fridays)");
        assert_eq!(inferred(&days(&["2024-01-01", "2024-01-02", "2024-01-05"])), "daily");
        assert_eq!(inferred(&days(&["2024-01-01", "2024-02-01", "2024-03-01", "2024-05-01"])), "monthly (first day)");
        assert_eq!(inferred(&days(&["2024-01-31", "2024-02-29", "2024-03-31"])), "monthly (last day)");
        assert_eq!(inferred(&days(&["2023-03-31", "2023-06-30", "2023-09-30", "2023-12-31"])), "quarterly (last day)");
        assert_eq!(inferred(&days(&["2021-07-01", "2022-07-01", "2023-07-01"])), "yearly (first day)");
        assert_eq!(inferred(&days(&["2024-01-05", "2024-01-19", "2024-02-02"])), "every 2 weeks (Fridays)");
        assert_eq!(inferred(&[0, HOUR, 2 * HOUR, 5 * HOUR]), "hourly");
        assert_eq!(inferred(&[0, 30 * MINUTE, HOUR]), "every 30 minutes");
        let whole = Frequency::infer(StampKind::Whole, std::iter::once(&[1_i64, 2, 3][..])).unwrap();
        assert_eq!((whole.to_string().as_str(), whole.season()), ("integer steps", 1));
    }

    #[test]
    fn positions_and_stamps_are_inverse() {
        for text in ["h", "30min", "D", "W-SUN", "W-WED", "MS", "ME", "QS-FEB", "QE", "YS", "YE-JUN", "1", "5"] {
            let frequency: Frequency = text.parse().unwrap();
            for position in [-700, -1, 0, 1, 59, 600] {
                assert_eq!(frequency.position(frequency.stamp(position)), (position, true), "{text} at {position}");
            }
        }
    }

    #[test]
    fn the_last_day_follows_leap_years() {
        let frequency: Frequency = "ME".parse().unwrap();
        let stamps = days(&["2024-02-29", "2024-03-31", "2023-02-28"]);
        let (february, exact) = frequency.position(stamps[0]);
        assert!(exact);
        assert_eq!(frequency.stamp(february + 1), stamps[1]);
        assert_eq!(frequency.stamp(february - 12), stamps[2]);
    }

    #[test]
    fn a_stamp_between_two_positions_is_not_exact() {
        let frequency: Frequency = "W-FRI".parse().unwrap();
        let stamps = days(&["2024-01-05", "2024-01-09"]);
        let (friday, _) = frequency.position(stamps[0]);
        assert_eq!(frequency.position(stamps[1]), (friday, false));
    }

    #[test]
    fn a_stamp_stands_for_a_period() {
        let period = |freq: &str, date: &str, stamps: Option<Stamps>| {
            let calendar = Calendar { frequency: freq.parse().unwrap(), dtype: DataType::Date };
            let (first, last) = calendar.period(calendar.frequency.position(days(&[date])[0]).0, stamps).unwrap();
            format!("{first} {last}")
        };
        assert_eq!(period("W-FRI", "2010-02-12", None), "2010-02-06 2010-02-12");
        assert_eq!(period("W-FRI", "2010-02-12", Some(Stamps::Start)), "2010-02-12 2010-02-18");
        assert_eq!(period("MS", "2012-02-01", None), "2012-02-01 2012-02-29");
        assert_eq!(period("ME", "2012-02-29", None), "2012-02-01 2012-02-29");
        assert_eq!(period("MS", "2012-03-01", Some(Stamps::End)), "2012-02-02 2012-03-01");
        assert_eq!(period("D", "2012-02-29", Some(Stamps::End)), "2012-02-29 2012-02-29");
        assert_eq!(period("h", "2012-02-29", None), "2012-02-29 2012-02-29");
        assert_eq!(period("h", "2012-02-29", Some(Stamps::End)), "2012-02-28 2012-02-28");
        for (freq, stamps) in [("W-FRI", None), ("W-FRI", Some(Stamps::Start)), ("MS", None), ("ME", None), ("D", None)]
        {
            let calendar = Calendar { frequency: freq.parse().unwrap(), dtype: DataType::Date };
            for day in days(&["2010-02-06", "2010-02-12", "2012-02-29", "2012-03-01", "2012-12-31"]) {
                let (first, last) = calendar.period(calendar.holding(day, stamps), stamps).unwrap();
                assert!((first..=last).contains(&clock(day).unwrap().date()), "{freq} {stamps:?}");
            }
        }
    }

    #[test]
    fn unknown_frequencies_are_refused_in_words() {
        for text in ["", "W-XXX", "fortnightly", "0", "-3", "0min", "99999min", "MS-FOO-"] {
            let error = text.parse::<Frequency>().unwrap_err();
            assert!(error.is_usage() && error.to_string().contains("is not a frequency"), "{text}: {error}");
        }
    }
}
