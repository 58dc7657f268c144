//! When does the next value come? The step between timestamps, where the steps are anchored, and how a timestamp
//! becomes a position on the calendar and back.
//!
//! Timestamps travel as `i64`: microseconds since 1970-01-01T00:00 for dates and times, the number itself for
//! integer steps. A position is a count of steps, so that a gap is a difference above one, a duplicate a
//! difference of zero, and the future simply the next positions.
//!
//! | file | question |
//! |---|---|
//! | `open` | on which days and hours is the shop open? |
//! | `months` | on which day of a month do ledgers close? |
//! | `retail` | which weeks make a retailer's months, quarters and years? |
//! | `infer` | which step do timestamps have that nobody has stated one for? |
//! | `names` | what are steps called? |

mod infer;
mod months;
mod names;
mod open;
mod retail;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};
use polars::prelude::{DataType, TimeUnit};
use serde::{Deserialize, Serialize};

use super::columns::Stamps;
use crate::error::{Error, Result};
use months::{Halves, Monthly};
use names::{MONTHS, WEEKDAYS};
use open::Open;
pub(crate) use retail::Place as RetailPlace;
use retail::{Parts, Retail};

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
    /// The open days or hours of a week.
    Open(Open),
    /// Every so many months.
    Months(Monthly),
    /// Twice a month.
    Halves(Halves),
    /// Months, quarters or years of whole weeks.
    Retail(Retail),
}

impl Frequency {
    /// Integer steps, one by one.
    pub(crate) const STEPS: Self = Self(Step::Whole { step: 1, phase: 0 });

    /// How many steps make the season that people mean by default: 24 hours, 7 days, 52 weeks, 12 months, 4 quarters; the
    /// open hours of a day, the working days of a week; 1 (no season) for years and integer steps.
    pub fn season(&self) -> usize {
        match self.0 {
            Step::Whole { .. } => 1,
            Step::Fixed { step, .. } if step < DAY => ((DAY / step).max(1)) as usize,
            Step::Fixed { step, .. } if step < WEEK => (WEEK / step).max(1) as usize,
            Step::Fixed { step, .. } => (364 * DAY / step).max(1) as usize,
            Step::Open(open) => open.season(),
            Step::Months(months) => (12 / months.every).max(1) as usize,
            Step::Halves(_) => 24,
            Step::Retail(retail) => retail.parts.count() as usize,
        }
    }

    /// The word for one step: `week`, `month`, `step`.
    pub fn noun(&self) -> &'static str {
        match self.0 {
            Step::Fixed { step: WEEK, .. } => "week",
            Step::Fixed { step, .. } => Self::part_of_day(step),
            Step::Open(open) => Self::part_of_day(open.step()),
            Step::Months(Monthly { every: 1, .. }) => "month",
            Step::Months(Monthly { every: 3, .. }) => "quarter",
            Step::Months(Monthly { every: 12, .. }) => "year",
            Step::Halves(_) => "half-month",
            Step::Retail(retail) => retail.noun(),
            Step::Months(_) | Step::Whole { .. } => "step",
        }
    }

    fn part_of_day(step: i64) -> &'static str {
        match step {
            HOUR => "hour",
            DAY => "day",
            _ => "step",
        }
    }

    /// How long a step is: microseconds (months by their mean length), or integer steps. Steps of a week with holes are as long
    /// as one of them, not as far apart as they are on average: see [`a_year`](Self::a_year).
    pub(crate) fn length(&self) -> i64 {
        match self.0 {
            Step::Whole { step, .. } | Step::Fixed { step, .. } => step,
            Step::Open(open) => open.step(),
            Step::Months(months) => months.every * MONTH,
            Step::Halves(_) => MONTH / 2,
            Step::Retail(Retail { parts: Parts::FourWeeks, .. }) => 4 * WEEK,
            Step::Retail(retail) => 12 / retail.parts.count() * MONTH,
        }
    }

    /// Steps in a year of 365.25 days; none of integer steps.
    pub(crate) fn a_year(&self) -> Option<f64> {
        const YEAR: f64 = 365.25 * DAY as f64;
        match self.0 {
            Step::Whole { .. } => None,
            Step::Open(open) => Some(YEAR / WEEK as f64 * open.week() as f64),
            _ => Some(YEAR / self.length() as f64),
        }
    }

    /// Steps in a week, where they are a whole number of days or parts of one; none of longer steps.
    pub(crate) fn week(&self) -> Option<usize> {
        match self.0 {
            Step::Fixed { step, .. } if step <= DAY && WEEK % step == 0 => Some((WEEK / step) as usize),
            Step::Open(open) => Some(open.week() as usize),
            _ => None,
        }
    }

    /// Is a timestamp the first or the last day of its period, if not stated? Weeks are usually dated to their last
    /// day; months to whichever day their dates have.
    fn stamps(&self) -> Stamps {
        match self.0 {
            Step::Fixed { step, .. } if step % WEEK == 0 => Stamps::End,
            Step::Months(Monthly { day, .. }) if day.is_end() => Stamps::End,
            Step::Halves(Halves { days: (_, day), .. }) if day.is_end() => Stamps::End,
            Step::Retail(Retail { at_end: true, .. }) => Stamps::End,
            _ => Stamps::Start,
        }
    }

    /// Does it count integer steps rather than time?
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.0, Step::Whole { .. })
    }

    /// Is the step a day, or a part of one?
    pub(crate) fn is_day_or_part(&self) -> bool {
        matches!(self.0, Step::Fixed { step, .. } if step <= DAY) || matches!(self.0, Step::Open(_))
    }

    /// Are there times between two steps at which nothing can be sold, since the shop is shut?
    pub(crate) fn has_holes(&self) -> bool {
        matches!(self.0, Step::Open(_))
    }

    /// A retail calendar by its name.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn retail(text: &str) -> Result<Self> {
        match text.parse::<Self>() {
            Ok(found @ Self(Step::Retail(Retail { parts: Parts::Months(..), .. }))) => Ok(found),
            _ => Err(Error::usage(format!(
                "`{text}` is not a retail calendar; write 4-5-4 (the National Retail Federation's), 4-4-5 or 5-4-4, and the end of \
                 its years if it is another: `4-4-5 last Friday of June`"
            ))),
        }
    }

    /// Where a day lies in the year of a retail calendar of months.
    pub(crate) fn retail_place(&self, day: NaiveDate) -> Option<RetailPlace> {
        if let Step::Retail(retail) = self.0 { retail.place(day) } else { None }
    }

    /// The month of the year, 0 for January, whose name the first month of a retail year bears.
    pub(crate) fn retail_start(&self) -> usize {
        if let Step::Retail(retail) = self.0 { usize::from(retail.year.month) % 12 } else { 0 }
    }

    /// Does a period hold the 53rd week of a retail year, so that it is longer than that of the year before?
    pub(crate) fn has_extra_week(&self, position: i64) -> bool {
        if let Step::Retail(retail) = self.0 { retail.has_extra_week(position) } else { false }
    }

    /// The working days that a text names: `Mon-Fri`, `Tue Sat`.
    ///
    /// # Errors
    /// When it names none, or all.
    pub(crate) fn working_days(text: &str) -> Result<Self> {
        match text.parse::<Self>() {
            Ok(found @ Self(Step::Open(open))) if open.step() == DAY => Ok(found),
            _ => Err(Error::usage(format!("`{text}` names no days of the week; write Mon-Fri, or `Tue Thu Sat`"))),
        }
    }

    /// The short names of the days of the week that are open.
    pub(crate) fn day_names(&self, between: &str) -> String {
        if let Step::Open(open) = self.0 { open.name().replace(' ', between) } else { String::new() }
    }

    /// Is the shop open on this day of the week?
    pub(crate) fn is_open_on(&self, day: NaiveDate) -> bool {
        if let Step::Open(open) = self.0 { !open.shut().contains(&retail::weekday_of(day)) } else { true }
    }

    /// The position of a timestamp and whether it lies exactly on the calendar; between two positions, the earlier one.
    pub(crate) fn position(&self, stamp: i64) -> (i64, bool) {
        match self.0 {
            Step::Whole { step, phase } | Step::Fixed { step, phase } => {
                let offset = stamp.saturating_sub(phase);
                (offset.div_euclid(step), offset.rem_euclid(step) == 0)
            }
            Step::Open(open) => open.position(stamp),
            Step::Months(months) => months.position(stamp),
            Step::Halves(halves) => halves.position(stamp),
            Step::Retail(retail) => retail.position(stamp),
        }
    }

    /// The timestamp at a position.
    pub(crate) fn stamp(&self, position: i64) -> i64 {
        match self.0 {
            Step::Whole { step, phase } | Step::Fixed { step, phase } => {
                position.saturating_mul(step).saturating_add(phase)
            }
            Step::Open(open) => open.stamp(position),
            Step::Months(months) => months.stamp(position),
            Step::Halves(halves) => halves.stamp(position),
            Step::Retail(retail) => retail.stamp(position),
        }
    }
}

/// The day of a timestamp in microseconds.
pub(crate) fn day_of(stamp: i64) -> Option<NaiveDate> {
    clock(stamp).map(|time| time.date())
}

fn clock(stamp: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(stamp).map(|time| time.naive_utc())
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
        let date = clock(self.frequency.stamp(position));
        let named = date.and_then(|date| match self.frequency.0 {
            Step::Months(Monthly { every: 1, .. }) if period == 12 => Some(date.format("%b").to_string()),
            Step::Months(Monthly { every: 3, .. }) if period == 4 => Some(format!("Q{}", date.month0() / 3 + 1)),
            Step::Retail(retail) if period == 12 => retail.month(position).map(String::from),
            Step::Fixed { step: DAY, .. } if period == 7 => Some(date.format("%a").to_string()),
            Step::Fixed { step: HOUR, .. } if period == 24 => Some(date.format("%H:%M").to_string()),
            Step::Open(open) => open::label(&open, date, period),
            _ => None,
        });
        named.unwrap_or_else(|| (index + 1).to_string())
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
        match self.frequency.0 {
            Step::Retail(retail) => return retail.days(position),
            Step::Months(months) if stamps.is_none() => {
                if let Some(whole) = months.whole(position) {
                    return Some(whole);
                }
            }
            _ => {}
        }
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

    #[test]
    fn positions_and_stamps_are_inverse() {
        for text in [
            "h",
            "30min",
            "D",
            "W-SUN",
            "W-WED",
            "MS",
            "ME",
            "QS-FEB",
            "QE",
            "YS",
            "YE-JUN",
            "1",
            "5",
            "B",
            "Mon-Sat",
            "BME",
            "BMS",
            "BQE",
            "SMS",
            "SME",
            "4-5-4",
            "4-4-5 last Friday of June",
            "5-4-4 start",
            "4-week",
            "13-week",
            "52-week",
            "Tue Thu Sat",
            "Thu-Mon",
            "h Mon-Fri 8-18",
            "30min Mon-Fri 9-12 15:30-19",
            "15min 8-20",
            "h 22-23 0-5",
        ] {
            let frequency: Frequency = text.parse().unwrap();
            for position in [-700, -1, 0, 1, 59, 600] {
                assert_eq!(frequency.position(frequency.stamp(position)), (position, true), "{text} at {position}");
            }
            let again: Option<Frequency> = frequency.stated().map(|text| text.parse().unwrap());
            assert_eq!(again, Some(frequency), "{text}");
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
        for text in [
            "",
            "W-XXX",
            "fortnightly",
            "0",
            "-3",
            "0min",
            "99999min",
            "MS-FOO-",
            "Mon-Foo",
            "h 18-8",
            "h 8-25",
            "D 8-18",
            "4-5-5",
            "4-4-5 last Foo",
            "Mon-Sun",
        ] {
            let error = text.parse::<Frequency>().unwrap_err();
            assert!(error.is_usage() && error.to_string().contains("is not a frequency"), "{text}: {error}");
        }
    }
}
