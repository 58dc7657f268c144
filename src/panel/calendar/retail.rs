//! The calendars that retailers keep: years of 52 or 53 whole weeks, quarters of 13 weeks, months of four and five.
//!
//! A year ends on a day of the week: the one nearest to the end of a month, or the last one in it. The National Retail
//! Federation's 4-5-4 calendar ends on the Saturday nearest to 31 January; Walmart's year, and so that of the M5 data, on the last
//! Friday of January. A year of 53 weeks has its last week in its last month.
//!
//! Reference: National Retail Federation, *4-5-4 Calendar*.

use std::fmt;

use chrono::{Datelike, Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::months::{midnight, month_end};
use super::{DAY, MONTHS, WEEKDAYS, clock};

/// How the weeks of a year are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Parts {
    /// Months of so many weeks, in each quarter.
    Months(u8, u8, u8),
    /// Thirteen periods of four weeks.
    FourWeeks,
    Quarters,
    Years,
}

impl Parts {
    pub(super) const PATTERNS: [Self; 4] =
        [Self::Months(4, 5, 4), Self::Months(4, 4, 5), Self::Months(5, 4, 4), Self::FourWeeks];

    /// The week of the year with which each part begins; the last part takes what is left of the year.
    fn starts(self) -> Vec<i64> {
        let weeks: Vec<i64> = match self {
            Self::Months(a, b, c) => [a, b, c].iter().cycle().take(12).map(|weeks| i64::from(*weeks)).collect(),
            Self::FourWeeks => vec![4; 13],
            Self::Quarters => vec![13; 4],
            Self::Years => vec![52],
        };
        let start = |part: usize| weeks[..part].iter().sum();
        (0..weeks.len()).map(start).collect()
    }

    pub(super) fn count(self) -> i64 {
        match self {
            Self::Months(..) => 12,
            Self::FourWeeks => 13,
            Self::Quarters => 4,
            Self::Years => 1,
        }
    }
}

/// Which day ends a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct YearEnd {
    /// 0 for Monday.
    pub(super) weekday: u8,
    /// The month, 1 for January.
    pub(super) month: u8,
    /// The last such weekday in the month, or the one nearest to its end?
    pub(super) last: bool,
}

impl YearEnd {
    /// The National Retail Federation's: the Saturday nearest to 31 January.
    pub(super) const NRF: Self = Self { weekday: 5, month: 1, last: false };
    /// Walmart's, and so that of the M5 data: the last Friday of January.
    pub(super) const WALMART: Self = Self { weekday: 4, month: 1, last: true };

    /// The day that ends the retail year whose last month is in a calendar year.
    fn of(&self, year: i32) -> Option<NaiveDate> {
        let end = month_end(NaiveDate::from_ymd_opt(year, u32::from(self.month), 1)?);
        let back = (end.weekday().num_days_from_monday() + 7 - u32::from(self.weekday)) % 7;
        let before = end.checked_sub_days(Days::new(u64::from(back)))?;
        if !self.last && back > 3 { before.checked_add_days(Days::new(7)) } else { Some(before) }
    }
}

impl fmt::Display for YearEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weekday = WEEKDAYS[usize::from(self.weekday) % 7].1;
        let month = NaiveDate::from_ymd_opt(2001, u32::from(self.month), 1).map(month_end);
        match (self.last, month) {
            (true, Some(month)) => write!(f, "the last {weekday} of {}", month.format("%B")),
            (false, Some(month)) => write!(f, "the {weekday} nearest to {}", month.format("%-d %B")),
            _ => f.write_str(weekday),
        }
    }
}

/// Where a day lies in a retail year: its week, month and quarter, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) week: usize,
    pub(crate) month: usize,
    pub(crate) quarter: usize,
}

/// A retail calendar: its parts, its years, and the day of each part that its timestamps are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Retail {
    pub(super) parts: Parts,
    pub(super) year: YearEnd,
    /// Is a part dated to its last day, not to its first?
    pub(super) at_end: bool,
    pub(super) time: i64,
}

impl Retail {
    /// The first day of the year that ends in a calendar year.
    fn start(&self, year: i64) -> Option<NaiveDate> {
        self.year.of(i32::try_from(year).ok()? - 1)?.succ_opt()
    }

    /// First and last day of a part.
    pub(super) fn days(&self, position: i64) -> Option<(NaiveDate, NaiveDate)> {
        let (year, part) = (position.div_euclid(self.parts.count()), position.rem_euclid(self.parts.count()) as usize);
        let (start, next) = (self.start(year)?, self.start(year + 1)?);
        let starts = self.parts.starts();
        let first = |weeks: &i64| start.checked_add_days(Days::new(7 * *weeks as u64));
        let end = starts.get(part + 1).map_or(Some(next), first)?;
        Some((first(&starts[part])?, end.pred_opt()?))
    }

    /// The part that holds a day.
    fn holding(&self, day: NaiveDate) -> Option<i64> {
        let year = (-1..2).map(|ahead| i64::from(day.year()) + ahead).find(|year| {
            self.start(*year).is_some_and(|start| start <= day) && self.start(*year + 1).is_some_and(|next| day < next)
        })?;
        let week = (day - self.start(year)?).num_days() / 7;
        let part = self.parts.starts().iter().rposition(|start| *start <= week)?;
        Some(year * self.parts.count() + part as i64)
    }

    /// Is it the last part of a year of 53 weeks?
    pub(super) fn has_extra_week(&self, position: i64) -> bool {
        let year = Self { parts: Parts::Years, ..*self };
        let is_last = (position + 1).rem_euclid(self.parts.count()) == 0;
        let days = year.days(position.div_euclid(self.parts.count())).map_or(0, |(a, b)| (b - a).num_days() + 1);
        is_last && days == 53 * 7
    }

    /// Where a day lies in its year.
    pub(super) fn place(&self, day: NaiveDate) -> Option<Place> {
        let year = self.holding(day)?.div_euclid(self.parts.count());
        let month = self.holding(day)?.rem_euclid(self.parts.count()) as usize;
        let week = usize::try_from((day - self.start(year)?).num_days() / 7).ok()?;
        Some(Place { week, month, quarter: (week / 13).min(3) })
    }

    pub(super) fn position(&self, stamp: i64) -> (i64, bool) {
        let held = clock(stamp).and_then(|time| self.holding(time.date()));
        let Some(held) = held else { return (stamp.signum() * i64::from(i32::MAX), false) };
        let exact = self.stamp(held);
        if exact > stamp { (held - 1, false) } else { (held, exact == stamp) }
    }

    pub(super) fn stamp(&self, position: i64) -> i64 {
        match self.days(position) {
            Some((first, last)) => midnight(if self.at_end { last } else { first }) + self.time,
            None => position.saturating_mul(364 / self.parts.count() * DAY),
        }
    }

    /// The month whose name a part bears, 0 for January; none for other parts than months.
    pub(super) fn month(&self, position: i64) -> Option<&'static str> {
        let is_month = matches!(self.parts, Parts::Months(..));
        let month = (i64::from(self.year.month) + position.rem_euclid(self.parts.count())).rem_euclid(12) as usize;
        is_month.then_some(MONTHS[month].1)
    }

    pub(super) fn noun(&self) -> &'static str {
        match self.parts {
            Parts::Months(..) => "month",
            Parts::FourWeeks => "period",
            Parts::Quarters => "quarter",
            Parts::Years => "year",
        }
    }

    /// Other year ends under which these timestamps would be the same calendar, and later ones might not.
    pub(super) fn alike(&self, stamps: &[i64]) -> Vec<Self> {
        let parts = if matches!(self.parts, Parts::Months(..)) { &Parts::PATTERNS[..3] } else { &[self.parts][..] };
        let others = candidates(self.time, &[usize::from(self.weekday())], parts);
        let same = |other: &Self| {
            other != self && other.at_end == self.at_end && stamps.iter().all(|stamp| other.position(*stamp).1)
        };
        others.into_iter().filter(same).collect()
    }

    fn weekday(&self) -> u8 {
        if self.at_end { self.year.weekday } else { (self.year.weekday + 1) % 7 }
    }
}

/// All calendars whose timestamps fall on one of these weekdays, 0 for Monday: the federation's first, then those of years
/// that end in the months in which most do.
pub(super) fn candidates(time: i64, weekdays: &[usize], parts: &[Parts]) -> Vec<Retail> {
    const ENDS: [u8; 12] = [1, 12, 6, 9, 3, 2, 8, 7, 10, 11, 4, 5];
    let mut found = Vec::new();
    for month in ENDS {
        for (last, &parts) in [false, true].iter().flat_map(|last| parts.iter().map(move |parts| (*last, parts))) {
            for weekday in weekdays {
                let of = |weekday: usize, at_end| Retail {
                    parts,
                    year: YearEnd { weekday: weekday as u8, month, last },
                    at_end,
                    time,
                };
                found.extend([of(*weekday, true), of((weekday + 6) % 7, false)]);
            }
        }
    }
    found
}

impl fmt::Display for Retail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts {
            Parts::Months(a, b, c) => write!(f, "monthly ({a}-{b}-{c} weeks")?,
            Parts::FourWeeks => f.write_str("every four weeks (13 periods a year")?,
            Parts::Quarters => f.write_str("quarterly (13 weeks")?,
            Parts::Years => f.write_str("yearly (52 or 53 weeks")?,
        }
        write!(f, ", dated to the {} day; years end on {})", if self.at_end { "last" } else { "first" }, self.year)
    }
}

/// The weekday of a day, 0 for Monday.
pub(super) fn weekday_of(day: NaiveDate) -> usize {
    day.weekday().num_days_from_monday() as usize
}

#[cfg(test)]
mod tests {
    use super::super::{Frequency, Step};
    use super::*;

    fn date(text: &str) -> NaiveDate {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap()
    }

    fn named(text: &str) -> Retail {
        match text.parse::<Frequency>().unwrap().0 {
            Step::Retail(retail) => retail,
            other => panic!("{text}: {other:?}"),
        }
    }

    /// The years of 53 weeks that the National Retail Federation has published, by the calendar year in which they begin.
    #[test]
    fn the_federations_years_of_53_weeks() {
        let years = Retail { parts: Parts::Years, ..named("4-5-4") };
        let long = |year: i64| {
            let (first, last) = years.days(year + 1).unwrap();
            ((last - first).num_days() + 1) / 7 == 53
        };
        assert_eq!((2000..=2027).filter(|year| long(*year)).collect::<Vec<_>>(), [2000, 2006, 2012, 2017, 2023]);
        // Walmart's fiscal year 2014 ended on Friday, 31 January 2014, after 53 weeks.
        let walmart = Retail { parts: Parts::Years, ..named("4-5-4 walmart") };
        assert_eq!(walmart.days(2014).unwrap(), (date("2013-01-26"), date("2014-01-31")));
    }

    /// tests/oracles/retail.py: pandas gives years and quarters, npm's retail-calendar the first days of months.
    #[test]
    fn years_quarters_and_months_of_two_packages() {
        let text = include_str!("../../../tests/oracles/retail.csv");
        let mut compared = 0;
        for line in text.lines().skip(2) {
            let cells: Vec<&str> = line.split(',').collect();
            let [package, calendar, weeks, first, last, parts] = cells[..] else { panic!("{line}") };
            let (first, last) = (date(first), date(last));
            let parts: Vec<NaiveDate> = parts.split(' ').map(date).collect();
            let months = named(calendar);
            let years = Retail { parts: Parts::Years, ..months };
            let year = years.holding(first).unwrap();
            assert_eq!(years.days(year).unwrap(), (first, last), "{line}");
            assert_eq!(((last - first).num_days() + 1) / 7, weeks.parse::<i64>().unwrap(), "{line}");
            let of = if package == "pandas" { Retail { parts: Parts::Quarters, ..months } } else { months };
            let ours = (0..of.parts.count()).map(|part| of.days(year * of.parts.count() + part).unwrap());
            let ours: Vec<NaiveDate> =
                ours.map(|(first, last)| if package == "pandas" { last } else { first }).collect();
            assert_eq!(ours, parts, "{line}");
            compared += 1;
        }
        assert!(compared > 200);
    }

    #[test]
    fn weeks_months_and_quarters_of_a_year() {
        // In 2023, a year of 53 weeks, the federation's February began on 29 January, and week 53 on 28 January 2024.
        let calendar = named("4-5-4");
        let at = |week, month, quarter| Some(Place { week, month, quarter });
        assert_eq!(calendar.place(date("2023-01-29")), at(0, 0, 0));
        assert_eq!(calendar.place(date("2023-02-26")), at(4, 1, 0));
        assert_eq!(calendar.place(date("2023-11-24")), at(42, 9, 3));
        assert_eq!(calendar.place(date("2024-02-03")), at(52, 11, 3));
        assert_eq!(calendar.place(date("2024-02-04")), at(0, 0, 0));
    }

    #[test]
    fn parts_follow_each_other_and_hold_their_days() {
        for text in
            ["4-5-4", "4-4-5 last Fri Jun", "5-4-4 nearest Sun Dec", "4-week", "13-week last Wed Feb", "52-week"]
        {
            let retail = named(text);
            let mut before = retail.days(24_000 / 12 * retail.parts.count() - 1).unwrap().1;
            for position in (0..120).map(|part| 24_000 / 12 * retail.parts.count() + part) {
                let (first, last) = retail.days(position).unwrap();
                assert_eq!(Some(first), before.succ_opt(), "{text}");
                assert!([27, 34, 41, 90, 97, 363, 370].contains(&(last - first).num_days()), "{text} {first} {last}");
                for day in [first, last] {
                    assert_eq!(retail.holding(day), Some(position), "{text}");
                }
                before = last;
            }
        }
    }
}
