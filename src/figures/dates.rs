//! Which dates does a time axis name?
//!
//! The finest rhythm whose labels do not touch, at most thirteen of them: hours, days, weeks (Mondays), months,
//! quarters, years. The larger unit (the year, or the day of an hour) stands below the first label and where it
//! changes.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, TimeDelta, Timelike};

use super::axes::{Mark, Scale, apart};
use super::canvas::Canvas;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Rhythm {
    Minutes(i64),
    Hours(i64),
    Days(u64),
    Weeks(u64),
    Months(u32),
    Years(i32),
}

const RHYTHMS: [Rhythm; 23] = [
    Rhythm::Minutes(1),
    Rhythm::Minutes(5),
    Rhythm::Minutes(15),
    Rhythm::Hours(1),
    Rhythm::Hours(3),
    Rhythm::Hours(6),
    Rhythm::Hours(12),
    Rhythm::Days(1),
    Rhythm::Days(2),
    Rhythm::Weeks(1),
    Rhythm::Weeks(2),
    Rhythm::Months(1),
    Rhythm::Months(3),
    Rhythm::Months(6),
    Rhythm::Years(1),
    Rhythm::Years(2),
    Rhythm::Years(5),
    Rhythm::Years(10),
    Rhythm::Years(20),
    Rhythm::Years(50),
    Rhythm::Years(100),
    Rhythm::Years(500),
    Rhythm::Years(1000),
];
const MOST: usize = 13;

/// The marks of a date axis over `range` (seconds since 1970).
pub(crate) fn marks(canvas: &Canvas, (low, high): (f64, f64), scale: &Scale) -> Vec<Mark> {
    let (Some(from), Some(to)) = (moment(low.floor()), moment(high.ceil())) else { return Vec::new() };
    for rhythm in RHYTHMS {
        // A rhythm far too fine need not be laid out.
        if (high - low) / rhythm.seconds() > 2.0 * MOST as f64 + 2.0 {
            continue;
        }
        let marks = label(rhythm, &beats(rhythm, from, to));
        if !marks.is_empty() && marks.len() <= MOST && apart(canvas, &marks, scale) {
            return marks;
        }
    }
    label(Rhythm::Days(1), &[from])
}

impl Rhythm {
    fn seconds(self) -> f64 {
        const DAY: f64 = 86_400.0;
        match self {
            Self::Minutes(count) => 60.0 * count as f64,
            Self::Hours(count) => 3600.0 * count as f64,
            Self::Days(count) => DAY * count as f64,
            Self::Weeks(count) => 7.0 * DAY * count as f64,
            Self::Months(count) => 30.4 * DAY * f64::from(count),
            Self::Years(count) => 365.2 * DAY * f64::from(count),
        }
    }

    /// The last beat at or before `at`.
    fn floor(self, at: NaiveDateTime) -> Option<NaiveDateTime> {
        let day = at.date();
        let since_monday =
            |day: NaiveDate| day.checked_sub_days(Days::new(u64::from(day.weekday().num_days_from_monday())));
        match self {
            Self::Minutes(count) => day.and_hms_opt(at.hour(), at.minute() - at.minute() % count as u32, 0),
            Self::Hours(count) => day.and_hms_opt(at.hour() - at.hour() % count as u32, 0, 0),
            Self::Days(_) => day.and_hms_opt(0, 0, 0),
            Self::Weeks(_) => since_monday(day)?.and_hms_opt(0, 0, 0),
            Self::Months(count) => {
                NaiveDate::from_ymd_opt(day.year(), day.month0() / count * count + 1, 1)?.and_hms_opt(0, 0, 0)
            }
            Self::Years(count) => {
                NaiveDate::from_ymd_opt(day.year().div_euclid(count) * count, 1, 1)?.and_hms_opt(0, 0, 0)
            }
        }
    }

    fn next(self, at: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Self::Minutes(count) => at.checked_add_signed(TimeDelta::try_minutes(count)?),
            Self::Hours(count) => at.checked_add_signed(TimeDelta::try_hours(count)?),
            Self::Days(count) => at.checked_add_days(Days::new(count)),
            Self::Weeks(count) => at.checked_add_days(Days::new(7 * count)),
            Self::Months(count) => at.checked_add_months(Months::new(count)),
            Self::Years(count) => at.checked_add_months(Months::new(12 * count.unsigned_abs())),
        }
    }
}

fn beats(rhythm: Rhythm, from: NaiveDateTime, to: NaiveDateTime) -> Vec<NaiveDateTime> {
    let mut beats = Vec::new();
    let mut next = rhythm.floor(from);
    while let Some(at) = next {
        if at > to || beats.len() > 4 * MOST {
            break;
        }
        if at >= from {
            beats.push(at);
        }
        next = rhythm.next(at);
    }
    beats
}

fn label(rhythm: Rhythm, beats: &[NaiveDateTime]) -> Vec<Mark> {
    let mut last = String::new();
    let mut marks = Vec::with_capacity(beats.len());
    for at in beats {
        let (label, larger) = match rhythm {
            Rhythm::Minutes(_) | Rhythm::Hours(_) => {
                (at.format("%H:%M").to_string(), at.format("%-d %b %Y").to_string())
            }
            Rhythm::Days(_) | Rhythm::Weeks(_) => (at.format("%-d %b").to_string(), at.year().to_string()),
            Rhythm::Months(_) => (at.format("%b").to_string(), at.year().to_string()),
            Rhythm::Years(_) => (at.year().to_string(), String::new()),
        };
        let below = if larger == last { String::new() } else { larger.clone() };
        last = larger;
        marks.push(Mark { at: at.and_utc().timestamp() as f64, label, below });
    }
    marks
}

/// A time on the calendar; none beyond what a picture can hold.
pub(crate) fn moment(seconds: f64) -> Option<NaiveDateTime> {
    // Beyond these the calendar is not ours to draw.
    if !(-3e11..=3e11).contains(&seconds) {
        return None;
    }
    DateTime::from_timestamp(seconds as i64, 0).map(|at| at.naive_utc())
}

/// A timestamp as words: the date, with the time of day where there is one.
pub(crate) fn words(seconds: f64) -> String {
    match moment(seconds.round()) {
        Some(at) if at.num_seconds_from_midnight() == 0 => at.format("%Y-%m-%d").to_string(),
        Some(at) => at.format("%Y-%m-%d %H:%M").to_string(),
        None => crate::show::number(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::canvas;

    fn labels(from: &str, to: &str, pixels: f64) -> Vec<String> {
        let seconds =
            |text: &str| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap().and_utc().timestamp() as f64;
        let range = (seconds(from), seconds(to));
        let mut out = Vec::new();
        canvas::to_svg((800, 100), "", "", &mut |canvas| {
            let marks = marks(canvas, range, &Scale::new(range, 0.0, pixels));
            out = marks.iter().map(|mark| format!("{} {}", mark.label, mark.below).trim().to_string()).collect();
        })
        .unwrap();
        out
    }

    #[test]
    fn the_rhythm_fits_the_range() {
        let quarters = labels("2010-02-05 00:00", "2012-04-26 00:00", 700.0);
        assert_eq!(quarters[..5], ["Apr 2010", "Jul", "Oct", "Jan 2011", "Apr"]);
        assert_eq!(labels("2012-01-01 00:00", "2012-02-15 00:00", 700.0)[..2], ["2 Jan 2012", "9 Jan"]);
        assert_eq!(labels("2012-01-01 00:00", "2012-01-02 00:00", 700.0)[..2], ["00:00 1 Jan 2012", "03:00"]);
        assert_eq!(labels("1950-01-01 00:00", "2012-01-01 00:00", 700.0)[0], "1950");
        assert_eq!(labels("2012-05-05 00:00", "2012-05-05 00:00", 700.0).len(), 1);
    }

    #[test]
    fn narrow_axes_get_fewer() {
        let wide = labels("2010-02-05 00:00", "2012-10-26 00:00", 700.0).len();
        let narrow = labels("2010-02-05 00:00", "2012-10-26 00:00", 120.0).len();
        assert!((1..wide).contains(&narrow));
    }
}
