//! On which day of a month do ledgers close? The first, the last, the 30th; the first or last working day; twice a month.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

use super::{DAY, clock};

/// The day of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Day {
    /// Its number; the last day of months that have fewer.
    Of(u32),
    Last,
    /// The first Monday to Friday.
    FirstWorking,
    /// The last Monday to Friday.
    LastWorking,
}

impl Day {
    /// The day of the month that begins on `first`.
    pub(super) fn within(self, first: NaiveDate) -> NaiveDate {
        let last = month_end(first);
        let back = |day: NaiveDate, days: u64| day.checked_sub_days(Days::new(days)).unwrap_or(day);
        let ahead = |day: NaiveDate, days: u64| day.checked_add_days(Days::new(days)).unwrap_or(day);
        match self {
            Self::Of(day) => ahead(first, u64::from(day.saturating_sub(1))).min(last),
            Self::Last => last,
            Self::FirstWorking => match first.weekday() {
                Weekday::Sat => ahead(first, 2),
                Weekday::Sun => ahead(first, 1),
                _ => first,
            },
            Self::LastWorking => match last.weekday() {
                Weekday::Sat => back(last, 1),
                Weekday::Sun => back(last, 2),
                _ => last,
            },
        }
    }

    /// Does it close the month whose name it bears, as the last working day, the 30th and the last day do?
    pub(super) fn is_end(self) -> bool {
        matches!(self, Self::Last | Self::LastWorking | Self::Of(28..))
    }

    pub(super) fn words(self) -> String {
        match self {
            Self::Of(1) => "first day".into(),
            Self::Of(day) => format!("day {day}"),
            Self::Last => "last day".into(),
            Self::FirstWorking => "first working day".into(),
            Self::LastWorking => "last working day".into(),
        }
    }
}

pub(super) fn month_end(first: NaiveDate) -> NaiveDate {
    first.checked_add_months(Months::new(1)).and_then(|next| next.pred_opt()).unwrap_or(first)
}

/// The first day of a month counted from that of the year 0.
pub(super) fn month_start(months: i64) -> Option<NaiveDate> {
    let year = i32::try_from(months.div_euclid(12)).ok()?;
    NaiveDate::from_ymd_opt(year, months.rem_euclid(12) as u32 + 1, 1)
}

/// The months from that of the year 0 to that of a timestamp.
pub(super) fn month_of(stamp: i64) -> Option<i64> {
    clock(stamp).map(|date| i64::from(date.year()) * 12 + i64::from(date.month0()))
}

/// Microseconds from 1970 to the start of a day.
pub(super) fn midnight(day: NaiveDate) -> i64 {
    day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros()
}

/// Every so many months, on a day of the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Monthly {
    pub(super) every: i64,
    /// Months after January.
    pub(super) phase: i64,
    pub(super) day: Day,
    /// Microseconds after midnight.
    pub(super) time: i64,
    /// Does any day of the month stand for it, as where working days move with public holidays?
    #[serde(default)]
    pub(super) any_day: bool,
}

impl Monthly {
    pub(super) fn new(every: i64, phase: i64, day: Day) -> Self {
        Self { every, phase, day, time: 0, any_day: false }
    }

    pub(super) fn position(&self, stamp: i64) -> (i64, bool) {
        let Some(month) = month_of(stamp) else { return (stamp.signum() * i64::from(i32::MAX), false) };
        let months = month - self.phase;
        let position = months.div_euclid(self.every);
        if self.any_day && months.rem_euclid(self.every) == 0 {
            return (position, true);
        }
        let exact = self.stamp(position);
        if exact > stamp { (position - 1, false) } else { (position, exact == stamp) }
    }

    pub(super) fn stamp(&self, position: i64) -> i64 {
        let months = position.saturating_mul(self.every).saturating_add(self.phase);
        match month_start(months) {
            Some(first) => midnight(self.day.within(first)) + self.time,
            None => months.saturating_mul(30 * DAY),
        }
    }

    /// The calendar months that a position stands for, where its day is none that begins or ends a period by itself.
    pub(super) fn whole(&self, position: i64) -> Option<(NaiveDate, NaiveDate)> {
        let months = position.saturating_mul(self.every).saturating_add(self.phase);
        let (first, last) = match self.day {
            _ if self.day.is_end() => (months - self.every + 1, months),
            _ if self.any_day || self.day == Day::FirstWorking => (months, months + self.every - 1),
            _ => return None,
        };
        Some((month_start(first)?, month_end(month_start(last)?)))
    }
}

/// Twice a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Halves {
    pub(super) days: (Day, Day),
    pub(super) time: i64,
}

impl Halves {
    pub(super) fn position(&self, stamp: i64) -> (i64, bool) {
        let Some(month) = month_of(stamp) else { return (stamp.signum() * i64::from(i32::MAX), false) };
        let position = (0..2).rev().map(|half| 2 * month + half).find(|at| self.stamp(*at) <= stamp);
        let position = position.unwrap_or(2 * month - 1);
        (position, self.stamp(position) == stamp)
    }

    pub(super) fn stamp(&self, position: i64) -> i64 {
        let (month, day) = (position.div_euclid(2), [self.days.0, self.days.1][position.rem_euclid(2) as usize]);
        match month_start(month) {
            Some(first) => midnight(day.within(first)) + self.time,
            None => month.saturating_mul(30 * DAY),
        }
    }
}
