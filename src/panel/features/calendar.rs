//! What day is it? Day of week, hour, week, month, quarter, season, starts and ends of months, paydays.
//!
//! A step longer than a day is a period: a week contains the end of a month or not, and belongs to the month of its
//! middle day. Groups of flags have a column for every value, whether it occurs in the history or not, so that the
//! first December after a short history has its column. Week numbers are those of ISO 8601, seasons the meteorological
//! ones (winter is December to February in the north).

use chrono::{Datelike, NaiveDate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::places::Period;
use super::{Data, Derive, Derived, Kind, Places};
use crate::error::{Error, Result};
use crate::panel::calendar::{DAY, Frequency, HOUR};

/// How a place in a cycle is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    /// One yes-or-no column per value.
    #[default]
    Flags,
    /// One column with the number.
    Number,
}

/// The columns of a place in a cycle: `names` for flags, or the number itself, counted from `from`.
fn cycle(
    places: &Places,
    name: &str,
    form: Form,
    names: &[String],
    from: f64,
    at: impl Fn(Period) -> usize,
) -> Result<Vec<Derived>> {
    match form {
        Form::Number => {
            let columns = places.by_period(&[], 1, |_, period, row| {
                row[0] = from + at(period) as f64;
                Ok(())
            })?;
            Ok(columns.into_iter().map(|values| Derived::known(name, Kind::Whole, values)).collect())
        }
        Form::Flags => {
            let columns = places.by_period(&[], names.len(), |_, period, row| {
                row[at(period)] = 1.0;
                Ok(())
            })?;
            let named = names.iter().zip(columns);
            Ok(named.map(|(value, flags)| Derived::known(format!("{name}_{value}"), Kind::Flag, flags)).collect())
        }
    }
}

/// One column that counts the days of each period that satisfy `is`; yes or no where a period is a day, or if `flag`.
fn days(places: &Places, name: &str, is: impl Fn(NaiveDate) -> bool) -> Result<Vec<Derived>> {
    let columns = places.by_period(&[], 1, |_, period, row| {
        row[0] = period.days().filter(|day| is(*day)).count() as f64;
        Ok(())
    })?;
    let kind = if places.daily() { Kind::Flag } else { Kind::Whole };
    Ok(columns.into_iter().map(|values| Derived::known(name, kind, values)).collect())
}

fn numbered(from: usize, to: usize) -> Vec<String> {
    (from..=to).map(|number| number.to_string()).collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_string()).collect()
}

/// The last day of the month of `day`.
fn month_end(day: NaiveDate) -> u32 {
    let next = match day.month() {
        12 => NaiveDate::from_ymd_opt(day.year() + 1, 1, 1),
        month => NaiveDate::from_ymd_opt(day.year(), month + 1, 1),
    };
    next.and_then(|next| next.pred_opt()).map_or(31, |last| last.day())
}

/// Options of `weekday`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Weekday {
    /// flags (weekday_mon … weekday_sun) or number (1 for Monday … 7).
    form: Form,
}

impl Derive for Weekday {
    const NAME: &str = "weekday";
    const SUMMARY: &str = "The day of the week, for daily or finer data";
    const EXAMPLE: &str = "weekday(form=number)";
    const ALSO: &str = "day of week, dow";

    fn columns(&self, places: &Places, _: &Data) -> Result<Vec<Derived>> {
        places.dated(1.0, "the day of the week")?;
        let names = words(&["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
        cycle(places, "weekday", self.form, &names, 1.0, |period| {
            period.first.weekday().num_days_from_monday() as usize
        })
    }
}

/// Options of `hour`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Hour {
    /// flags (hour_0 … hour_23) or number (0 … 23).
    form: Form,
}

impl Derive for Hour {
    const NAME: &str = "hour";
    const SUMMARY: &str = "The hour of the day, for data finer than daily";
    const EXAMPLE: &str = "hour(form=number)";
    const ALSO: &str = "hour of day";

    fn columns(&self, places: &Places, _: &Data) -> Result<Vec<Derived>> {
        places.dated(0.999, "the hour of the day")?;
        // A day has many steps here: the hour is that of the timestamp.
        let frequency = places.panel.frequency();
        let hour = |period: Period| (frequency.stamp(period.position).rem_euclid(DAY) / HOUR) as usize;
        cycle(places, "hour", self.form, &numbered(0, 23), 0.0, hour)
    }
}

/// Options of `week`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Week {
    /// number (1 … 53, as ISO 8601 counts) or flags (week_1 … week_53).
    form: Form,
    /// The retail calendar whose weeks are counted: "4-5-4", "4-4-5 last Friday of June"; by default that of ISO 8601.
    calendar: Option<String>,
}

impl Default for Week {
    fn default() -> Self {
        Self { form: Form::Number, calendar: None }
    }
}

/// Where the days of a retail year lie in it: week, month and quarter, counted from 0.
fn retail(calendar: &Option<String>) -> Result<Option<Frequency>> {
    calendar.as_deref().map(Frequency::retail).transpose()
}

impl Derive for Week {
    const NAME: &str = "week";
    const SUMMARY: &str = "The week of the year, for weekly or finer data";
    const EXAMPLE: &str = "week";
    const ALSO: &str = "week of year, iso week";

    fn columns(&self, places: &Places, _: &Data) -> Result<Vec<Derived>> {
        places.dated(7.0, "the week of the year")?;
        let retail = retail(&self.calendar)?;
        let week = |day: NaiveDate| match retail.and_then(|retail| retail.retail_place(day)) {
            Some(place) => place.week,
            None => day.iso_week().week0() as usize,
        };
        cycle(places, "week", self.form, &numbered(1, 53), 1.0, |period| week(period.middle()))
    }
}

/// Options of `month`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Month {
    /// flags (month_jan … month_dec) or number (1 … 12).
    form: Form,
    /// The retail calendar whose months are meant: "4-5-4", "4-4-5 last Friday of June"; by default those of the year. In
    /// numbers, they are counted from the first of its year.
    calendar: Option<String>,
}

impl Derive for Month {
    const NAME: &str = "month";
    const SUMMARY: &str = "The month, for monthly or finer data";
    const EXAMPLE: &str = "month";
    const ALSO: &str = "month of year";
    const SIMILAR: &[(&str, &str)] = &[(
        "calendar, date parts, datetime, dates",
        "features of the calendar are weekday, hour, week, month, quarter, season, month_start, month_end and payday",
    )];

    fn columns(&self, places: &Places, _: &Data) -> Result<Vec<Derived>> {
        places.dated(31.0, "the month")?;
        let names = words(&["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]);
        let Some(retail) = retail(&self.calendar)? else {
            return cycle(places, "month", self.form, &names, 1.0, |period| period.middle().month0() as usize);
        };
        let place = |day: NaiveDate| retail.retail_place(day).map_or(0, |place| place.month);
        let named = |month: usize| (month + retail.retail_start()) % 12;
        let flags = self.form == Form::Flags;
        cycle(places, "month", self.form, &names, 1.0, |period| {
            let month = place(period.middle());
            if flags { named(month) } else { month }
        })
    }
}

/// Options of `quarter`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Quarter {
    /// flags (quarter_1 … quarter_4) or number (1 … 4).
    form: Form,
    /// The retail calendar whose quarters are meant: "4-5-4", "4-4-5 last Friday of June"; by default those of the year.
    calendar: Option<String>,
}

impl Derive for Quarter {
    const NAME: &str = "quarter";
    const SUMMARY: &str = "The quarter of the year, for quarterly or finer data";
    const EXAMPLE: &str = "quarter";
    const ALSO: &str = "quarter of year";

    fn columns(&self, places: &Places, _: &Data) -> Result<Vec<Derived>> {
        places.dated(92.0, "the quarter")?;
        let retail = retail(&self.calendar)?;
        let quarter = |day: NaiveDate| match retail.and_then(|retail| retail.retail_place(day)) {
            Some(place) => place.quarter,
            None => day.month0() as usize / 3,
        };
        cycle(places, "quarter", self.form, &numbered(1, 4), 1.0, |period| quarter(period.middle()))
    }
}

/// Options of `season`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Season {
    /// flags (season_winter … season_autumn) or number (1 for winter … 4).
    form: Form,
    /// The southern hemisphere, where December is summer?
    south: bool,
}

impl Derive for Season {
    const NAME: &str = "season";
    const SUMMARY: &str = "Winter, spring, summer, autumn, for monthly or finer data";
    const EXAMPLE: &str = "season";
    const ALSO: &str = "season of year";

    fn columns(&self, places: &Places, _: &Data) -> Result<Vec<Derived>> {
        places.dated(31.0, "the season")?;
        let shift = if self.south { 2 } else { 0 };
        cycle(places, "season", self.form, &words(&["winter", "spring", "summer", "autumn"]), 1.0, |period| {
            (period.middle().month() as usize % 12 / 3 + shift) % 4
        })
    }
}

/// Options of `month_start`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MonthStart {}

impl Derive for MonthStart {
    const NAME: &str = "month_start";
    const SUMMARY: &str = "Whether the day or period contains the first day of a month";
    const EXAMPLE: &str = "month_start";
    const ALSO: &str = "is month start, start of month";
    const SIMILAR: &[(&str, &str)] =
        &[("day of month, month day", "`month_start`, `month_end` and `payday` mark days of the month")];

    fn columns(&self, places: &Places, _: &Data) -> Result<Vec<Derived>> {
        places.dated(27.0, "the start of a month")?;
        days(places, Self::NAME, |day| day.day() == 1)
    }
}

/// Options of `month_end`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MonthEnd {}

impl Derive for MonthEnd {
    const NAME: &str = "month_end";
    const SUMMARY: &str = "Whether the day or period contains the last day of a month";
    const EXAMPLE: &str = "month_end";
    const ALSO: &str = "is month end, end of month";

    fn columns(&self, places: &Places, _: &Data) -> Result<Vec<Derived>> {
        places.dated(27.0, "the end of a month")?;
        days(places, Self::NAME, |day| day.day() == month_end(day))
    }
}

/// Options of `days`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DaysOf {
    /// The weekdays that are counted: Mon-Fri, Sat, "Tue Thu"; by default all.
    on: Option<String>,
}

impl Derive for DaysOf {
    const NAME: &str = "days";
    const SUMMARY: &str =
        "Number of days in the period, or of its working days: months and retail months differ in length";
    const EXAMPLE: &str = "days(on=Mon-Fri)";
    const ALSO: &str = "trading days, days in month, days in period";
    const SIMILAR: &[(&str, &str)] = &[("weeks in month, length of month", "`days` counts the days of the period")];

    fn check(&self) -> Result<()> {
        self.on.as_deref().map_or(Ok(()), |on| Frequency::working_days(on).map(drop))
    }

    fn columns(&self, places: &Places, _: &Data) -> Result<Vec<Derived>> {
        places.dated(f64::INFINITY, "the number of days")?;
        if places.daily() {
            return Err(Error::usage(
                "days counts the days of longer periods: a day or an hour has no number of them; use weekday instead",
            ));
        }
        let on = self.on.as_deref().map(Frequency::working_days).transpose()?;
        let name = on.map_or_else(|| "days".to_string(), |on| format!("days_{}", on.day_names("_").to_lowercase()));
        days(places, &name, |day| on.is_none_or(|on| on.is_open_on(day)))
    }
}

/// Options of `payday`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Payday {
    /// Days of the month on which people are paid, -1 for the last, -2 for the last but one.
    days: Vec<i64>,
    /// Paid on the last Monday to Friday before, where that day falls on a weekend?
    workday: bool,
}

impl Default for Payday {
    fn default() -> Self {
        Self { days: vec![15, -1], workday: false }
    }
}

impl Derive for Payday {
    const NAME: &str = "payday";
    const SUMMARY: &str = "Number of paydays in the day or period";
    const EXAMPLE: &str = "payday(days=[15, -1])";
    const ALSO: &str = "paydays";

    fn check(&self) -> Result<()> {
        match self.days.iter().find(|day| **day == 0 || !(-31..=31).contains(*day)) {
            Some(day) => Err(Error::usage(format!("{day} is no day of a month: 1 to 31, or -1 for the last"))),
            None if self.days.is_empty() => Err(Error::usage("payday needs days=[…], such as days=[15, -1]")),
            None => Ok(()),
        }
    }

    fn columns(&self, places: &Places, _: &Data) -> Result<Vec<Derived>> {
        places.dated(27.0, "a payday")?;
        let due = |day: NaiveDate| {
            let (number, last) = (i64::from(day.day()), i64::from(month_end(day)));
            // A month without a 31st pays on its last day.
            self.days.iter().any(|due| number == if *due > 0 { (*due).min(last) } else { (last + 1 + due).max(1) })
        };
        days(places, Self::NAME, |day| {
            if !self.workday {
                return due(day);
            }
            let following = |days: u64| day.checked_add_days(chrono::Days::new(days)).is_some_and(due);
            match day.weekday() {
                chrono::Weekday::Sat | chrono::Weekday::Sun => false,
                chrono::Weekday::Fri => due(day) || following(1) || following(2),
                _ => due(day),
            }
        })
    }
}
