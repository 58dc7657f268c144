//! Which date is in a cell? One format for the whole column, found by trying; it is an error if two formats fit every
//! cell but give different dates.
//!
//! Whole numbers that encode periods are dates, in text as in numeric columns: 202412 is December 2024, 202452 its last
//! week, 20241 its first quarter, 20241231 its last day. As integer steps, the month after 202412 would be 202413. For
//! integer steps, state the frequency: freq = "1".

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use polars::prelude::*;

use super::stray::OPTION;
use super::{MISSING, short};
use crate::error::{Error, Result, suggestion};
use crate::panel::calendar::{Frequency, StampKind};
use crate::panel::{Columns, Provenance};

/// Ways to write a date, a month, a week or a quarter; the first that reads every cell is taken, unless another reads
/// them all differently. `%q` stands for a quarter, which chrono has no sign for.
const DATES: [&str; 18] = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y%m%d",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%b %d, %Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%Y-%m",
    "%b %Y",
    "%m/%Y",
];
const PERIODS: [&str; 4] = ["%G-W%V", "%GW%V", "%Y-Q%q", "%YQ%q"];
const TIMES: [&str; 14] = [
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M %p",
    "%Y%m%d%H%M%S",
];
/// With their offset from UTC.
const OFFSETS: [&str; 3] = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f %#z"];

/// Midnight of the first day of what a text names, or its time; and its offset from UTC in seconds if it has one.
fn parse(text: &str, format: &str) -> Option<(NaiveDateTime, Option<i32>)> {
    let day = |text: &str, format: &str| {
        NaiveDate::parse_from_str(text, format).ok().map(|date| (date.and_time(NaiveTime::MIN), None))
    };
    if format.contains("z") {
        let utc = |text: &str| text.strip_suffix('Z').map(|text| format!("{text}+0000"));
        let stamp = DateTime::parse_from_str(&utc(text).unwrap_or_else(|| text.into()), format).ok()?;
        return Some((stamp.naive_local(), Some(stamp.offset().local_minus_utc())));
    }
    if has_clock(format) {
        return NaiveDateTime::parse_from_str(text, format).ok().map(|stamp| (stamp, None));
    }
    if let Some(start) = format.strip_suffix("%q") {
        let (quarter, before) = (text.chars().last()?.to_digit(10)?, &text[..text.len() - 1]);
        let month = (1..=4).contains(&quarter).then_some(quarter * 3 - 2)?;
        return day(&format!("{before}{month}-1"), &format!("{start}%m-%d"));
    }
    // A week is its Monday.
    if ["%V", "%W", "%U"].iter().any(|week| format.contains(week)) {
        return day(&format!("{text}-1"), &format!("{format}-%u"));
    }
    if format.contains("%d") { day(text, format) } else { day(&format!("1 {text}"), &format!("%d {format}")) }
        // chrono reads `12` for %Y as the year 12: two digits are no year of sales.
        .filter(|(stamp, _)| !format.contains("%Y") || chrono::Datelike::year(stamp) >= 1000)
}

fn has_clock(format: &str) -> bool {
    ["%H", "%I", "%s", "%T", "%R", "z"].iter().any(|sign| format.contains(sign))
}

/// The share of texts that are read as dates, times or periods by the one way of writing them that reads most, or by
/// the one that is stated.
pub(in crate::panel) fn share_of_dates(texts: &[&str], stated: Option<&str>) -> f64 {
    let formats: Vec<&str> = match stated {
        Some(format) => vec![format],
        None => DATES.into_iter().chain(PERIODS).chain(TIMES).chain(OFFSETS).collect(),
    };
    let read = |format: &str| texts.iter().filter(|text| parse(text, format).is_some()).count();
    let most = formats.into_iter().map(read).max().unwrap_or(0);
    most as f64 / (texts.len() as f64).max(1.0)
}

/// Can whole numbers be periods, such as 202412 for a month or a week?
pub(in crate::panel) fn reads_as_periods(whole: &[i64]) -> bool {
    !matches!(period(whole, None), Ok(None))
}

/// The header cells that name dates, by one and the same format.
pub(in crate::panel) fn dated<'a>(header: &[&'a str], stated: Option<&str>) -> Vec<&'a str> {
    let formats: Vec<&str> = match stated {
        Some(format) => vec![format],
        None => DATES.into_iter().chain(PERIODS).chain(TIMES).collect(),
    };
    let of = |format: &str| header.iter().copied().filter(|cell| parse(cell, format).is_some()).collect::<Vec<_>>();
    formats.into_iter().map(of).max_by_key(Vec::len).unwrap_or_default()
}

/// A time column of whatever type as dates, times or whole numbers. Remarks go to `origin`.
pub(in crate::panel) fn time_column(
    column: &Column,
    columns: &Columns,
    zone: Option<&str>,
    origin: &mut Provenance,
) -> Result<Column> {
    match column.dtype() {
        DataType::String => parse_time(column, columns, zone, origin),
        dtype if dtype.is_integer() && column.null_count() == 0 => {
            let format = match &columns.time_format {
                Some(format) => Some(format.clone()),
                None => {
                    let distinct = column.as_materialized_series().unique()?.strict_cast(&DataType::Int64);
                    let whole: Vec<i64> = distinct.ok().map_or_else(Vec::new, |distinct| {
                        distinct.i64().map_or_else(|_| Vec::new(), |whole| whole.into_no_null_iter().collect())
                    });
                    period(&whole, columns.frequency)
                        .map_err(|why| asked(column.name(), &why, origin))?
                        .map(String::from)
                }
            };
            match format {
                Some(format) => {
                    let columns = Columns { time_format: Some(format), ..columns.clone() };
                    parse_time(&column.cast(&DataType::String)?, &columns, zone, origin)
                }
                None => Ok(column.clone()),
            }
        }
        _ => wall_time(column, zone, origin),
    }
}

/// Years that whole numbers may begin with to be periods.
const YEARS: std::ops::RangeInclusive<i64> = 1900..=2100;

/// The format of whole numbers that are periods; none if they are mere numbers.
///
/// # Errors
/// When it is ambiguous: months or weeks.
fn period(whole: &[i64], frequency: Option<Frequency>) -> std::result::Result<Option<&'static str>, String> {
    if whole.is_empty() || frequency.is_some_and(|frequency| frequency.is_whole()) {
        return Ok(None);
    }
    let all = |part: i64, last: std::ops::RangeInclusive<i64>| {
        whole.iter().all(|value| YEARS.contains(&(value / part)) && last.contains(&(value % part)))
    };
    let years = whole.iter().map(|value| value / 100).collect::<std::collections::BTreeSet<_>>().len();
    if all(10_000, 101..=1231) {
        // A slip among dates is a slip; numbers that are no dates are numbers.
        let dates = whole.iter().filter(|value| parse(&value.to_string(), "%Y%m%d").is_some()).count();
        return Ok((dates * 10 >= whole.len() * 9).then_some("%Y%m%d"));
    }
    if all(100, 1..=12) {
        return match frequency.map(|frequency| frequency.noun()) {
            Some("week") => Ok(Some("%G%V")),
            Some(_) => Ok(Some("%Y%m")),
            None if years > 1 => Ok(Some("%Y%m")),
            None => Err("months, weeks or integer steps".into()),
        };
    }
    if all(100, 0..=53) {
        let read = |format: &str| whole.iter().all(|value| parse(&value.to_string(), format).is_some());
        return match ["%G%V", "%Y%W"].into_iter().find(|format| read(format)) {
            Some(format) => Ok(Some(format)),
            None => Err("weeks, of which some are not in the ISO calendar, or integer steps".into()),
        };
    }
    let decades = whole.iter().map(|value| value / 10).collect::<std::collections::BTreeSet<_>>().len();
    Ok((all(10, 1..=4) && decades > 1).then_some("%Y%q"))
}

fn asked(name: &str, what: &str, origin: &Provenance) -> Error {
    Error::data(format!(
        "column `{name}` of {} holds whole numbers that can be {what}; state which: time_format = \"%Y%m\" for months, \
         time_format = \"%G%V\" for ISO weeks, freq = \"1\" for integer steps",
        origin.source
    ))
}

/// A text time column as dates, times or whole numbers, by the format that reads it. Remarks go to `origin`.
pub(in crate::panel) fn parse_time(
    column: &Column,
    columns: &Columns,
    zone: Option<&str>,
    origin: &mut Provenance,
) -> Result<Column> {
    let name = column.name().clone();
    let texts: Vec<&str> = column.str()?.iter().map(|text| text.unwrap_or("").trim()).collect();
    if let Some(row) = texts.iter().position(|text| MISSING.contains(text)) {
        let count = texts.iter().filter(|text| MISSING.contains(text)).count();
        return Err(Error::data(format!(
            "column `{name}` of {} has no timestamp in {}{}; correct it, or leave such rows out: {OPTION}",
            origin.source,
            origin.row_text(row),
            if count > 1 { format!(" ({count} such rows)") } else { String::new() },
        )));
    }
    // A date stands in many rows: each different text is read once.
    let mut distinct: Vec<(&str, usize)> = Vec::new();
    let mut known: HashMap<&str, u32> = HashMap::new();
    let codes: Vec<u32> = texts
        .iter()
        .enumerate()
        .map(|(row, text)| {
            *known.entry(text).or_insert_with(|| {
                distinct.push((text, row));
                distinct.len() as u32 - 1
            })
        })
        .collect();
    let failed = |at: usize, format: &str| {
        let (text, row) = distinct[at];
        let others = if row > 0 { format!(" as those before it are ({format})") } else { String::new() };
        Error::data(format!(
            "`{}` in column `{name}` of {}, {}, is not a date{others}; \
             correct it, leave out rows that are no sales: {OPTION}, or state how dates are written: \
             time_format = \"%d.%m.%Y\"",
            short(text),
            origin.source,
            origin.row_text(row),
        ))
    };
    let looks_like_date =
        |(text, _): &(&str, usize)| text.len() == 8 && (text.starts_with("19") || text.starts_with("20"));
    let steps = columns.frequency.is_some_and(|frequency| frequency.is_whole());
    let mut periods = None;
    if columns.time_format.is_none() && (steps || !distinct.iter().all(looks_like_date)) {
        let whole: Option<Vec<i64>> = distinct.iter().map(|(text, _)| text.parse().ok()).collect();
        if let Some(whole) = whole {
            periods = period(&whole, columns.frequency).map_err(|why| asked(&name, &why, origin))?;
            if periods.is_none() {
                return Ok(Column::new(name, codes.iter().map(|code| whole[*code as usize]).collect::<Vec<_>>()));
            }
        }
    }
    let formats: Vec<&str> = match columns.time_format.as_deref().or(periods) {
        Some(format) => vec![format],
        None => DATES.into_iter().chain(PERIODS).chain(TIMES).chain(OFFSETS).collect(),
    };
    type Stamps = Vec<(NaiveDateTime, Option<i32>)>;
    let mut readings: Vec<(&str, Stamps)> = Vec::new();
    let mut furthest = (0, formats[0]);
    for format in formats {
        let mut stamps = Vec::with_capacity(distinct.len());
        stamps.extend(distinct.iter().map_while(|(text, _)| parse(text, format)));
        match stamps.len() == distinct.len() {
            true => readings.push((format, stamps)),
            false if stamps.len() > furthest.0 => furthest = (stamps.len(), format),
            false => {}
        }
    }
    let Some((format, stamps)) = readings.first() else { return Err(failed(furthest.0, furthest.1)) };
    if let Some((other, different)) = readings.iter().skip(1).find(|(_, other)| other != stamps) {
        let at = stamps.iter().zip(different).position(|(a, b)| a != b).unwrap_or(0);
        let (text, row) = distinct[at];
        return Err(Error::data(format!(
            "`{text}` in column `{name}` of {}, {}, can be read as {format} or {other}; \
             state which: time_format = \"{format}\"",
            origin.source,
            origin.row_text(row),
        )));
    }
    let local = match zone.filter(|_| stamps.iter().any(|(_, offset)| offset.is_some())) {
        Some(zone) => {
            let zone = named(zone)?;
            origin.zone = Some(zone.name().into());
            origin.found.push(format!("timestamps in the time zone {zone}"));
            let utc = |(stamp, offset): &(NaiveDateTime, Option<i32>)| {
                *stamp - chrono::Duration::seconds(offset.unwrap_or(0).into())
            };
            stamps.iter().map(|stamp| zone.from_utc_datetime(&utc(stamp)).naive_local()).collect::<Vec<_>>()
        }
        None => {
            let offset = stamps.first().and_then(|(_, offset)| *offset);
            if let Some(at) = stamps.iter().position(|(_, other)| *other != offset) {
                let (text, row) = distinct[at];
                return Err(Error::data(format!(
                    "`{text}` in column `{name}` of {}, {}, has another offset from UTC than the timestamps before it; \
                     state the time zone: time_zone = \"Europe/Berlin\"",
                    origin.source,
                    origin.row_text(row),
                )));
            }
            stamps.iter().map(|(stamp, _)| *stamp).collect()
        }
    };
    if *format != DATES[0] {
        origin.found.push(format!("dates read as {format}"));
    }
    let micros: Vec<i64> = codes.iter().map(|code| local[*code as usize].and_utc().timestamp_micros()).collect();
    let times = Column::new(name, micros).cast(&DataType::Datetime(TimeUnit::Microseconds, None))?;
    Ok(if has_clock(format) { times } else { times.cast(&DataType::Date)? })
}

/// A text column as dates or times if all that is there is read by one way of writing them, and by no other
/// differently.
pub(super) fn found(column: &Column, origin: &mut Provenance) -> Result<Option<Column>> {
    let texts = column.str()?;
    let mut distinct: Vec<&str> = texts.iter().flatten().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let read =
        |format: &&str| distinct.iter().map(|text| Some(parse(text.trim(), format)?.0)).collect::<Option<Vec<_>>>();
    let formats = DATES.iter().chain(&PERIODS).chain(&TIMES);
    let readings: Vec<(&str, Vec<NaiveDateTime>)> =
        formats.filter_map(|format| Some((*format, read(format)?))).collect();
    let Some((format, stamps)) = readings.first() else { return Ok(None) };
    if readings.iter().any(|(_, other)| other != stamps) {
        origin.found.push(format!("column {} left as text: its dates can be read in two ways", column.name()));
        return Ok(None);
    }
    if *format != DATES[0] {
        origin.found.push(format!("dates of {} read as {format}", column.name()));
    }
    let micros = |text: &str| {
        let at = distinct.binary_search(&text).ok()?;
        Some(stamps[at].and_utc().timestamp_micros())
    };
    let micros: Vec<Option<i64>> = texts.iter().map(|text| text.and_then(micros)).collect();
    let times = Column::new(column.name().clone(), micros).cast(&DataType::Datetime(TimeUnit::Microseconds, None))?;
    Ok(Some(if has_clock(format) { times } else { times.cast(&DataType::Date)? }))
}

/// A column of timestamps in a time zone as the wall clock of that zone, or of the stated one, shows them.
fn wall_time(column: &Column, stated: Option<&str>, origin: &mut Provenance) -> Result<Column> {
    let DataType::Datetime(_, Some(own)) = column.dtype() else { return Ok(column.clone()) };
    let zone = named(stated.unwrap_or(own.as_str()))?;
    let stamps = crate::panel::frame::stamps(column)?;
    let local: Vec<i64> = stamps
        .iter()
        .map(|stamp| {
            let utc = DateTime::from_timestamp_micros(*stamp).unwrap_or_default().naive_utc();
            zone.from_utc_datetime(&utc).naive_local().and_utc().timestamp_micros()
        })
        .collect();
    origin.zone = Some(zone.name().into());
    origin.found.push(format!("timestamps in the time zone {zone}"));
    Ok(Column::new(column.name().clone(), local).cast(&DataType::Datetime(TimeUnit::Microseconds, None))?)
}

fn named(zone: &str) -> Result<chrono_tz::Tz> {
    zone.parse().map_err(|_| {
        let nearest = suggestion(zone, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        Error::usage(format!("`{zone}` is not a time zone such as Europe/Berlin{nearest}"))
    })
}

/// A timestamp given by a person: `2012-10-26`, `2012-10-26 14:00`, `143`.
pub(crate) fn parse_stamp(text: &str, kind: StampKind) -> Result<i64> {
    let text = text.trim();
    let stamp = match kind {
        StampKind::Whole => text.parse().ok(),
        StampKind::Clock => std::iter::once(DATES[0])
            .chain(TIMES)
            .find_map(|format| parse(text, format))
            .map(|(time, _)| time.and_utc().timestamp_micros()),
    };
    stamp.ok_or_else(|| {
        let wanted = match kind {
            StampKind::Whole => "a whole number, as the panel's timestamps are",
            StampKind::Clock => "a date such as 2012-10-26 or a time such as 2012-10-26 14:00",
        };
        Error::usage(format!("`{}` is not {wanted}", short(text)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_to_write_a_date() {
        let read = |text, format| parse(text, format).map(|(stamp, _)| stamp.to_string());
        assert_eq!(read("2024-02-29", "%Y-%m-%d").as_deref(), Some("2024-02-29 00:00:00"));
        assert_eq!(read("2023-02-29", "%Y-%m-%d"), None);
        assert_eq!(read("2024-03", "%Y-%m").as_deref(), Some("2024-03-01 00:00:00"));
        assert_eq!(read("Mar 2024", "%b %Y").as_deref(), Some("2024-03-01 00:00:00"));
        assert_eq!(read("2020-W53", "%G-W%V").as_deref(), Some("2020-12-28 00:00:00"));
        assert_eq!(read("2024Q4", "%YQ%q").as_deref(), Some("2024-10-01 00:00:00"));
        assert_eq!(read("2024Q5", "%YQ%q"), None);
        assert_eq!(read("24Ä", "%YQ%q"), None);
        assert_eq!(read("01.02.12", "%d.%m.%Y"), None);
        let stamp = parse("2024-03-31T03:00:00+02:00", OFFSETS[0]).unwrap();
        assert_eq!((stamp.0.to_string().as_str(), stamp.1), ("2024-03-31 03:00:00", Some(7200)));
        assert_eq!(parse("2024-03-31T03:00:00Z", OFFSETS[0]).unwrap().1, Some(0));
    }

    #[test]
    fn whole_numbers_that_say_periods() {
        let of = |whole: &[i64]| period(whole, None);
        assert_eq!(of(&[202411, 202412, 202501]), Ok(Some("%Y%m")));
        assert_eq!(of(&[202451, 202452, 202501]), Ok(Some("%G%V")));
        assert_eq!(of(&[202452, 202453]), Ok(Some("%Y%W")));
        assert_eq!(of(&[20240229, 20240301]), Ok(Some("%Y%m%d")));
        assert_eq!(of(&[20233, 20234, 20241]), Ok(Some("%Y%q")));
        for numbers in
            [&[1, 2, 3][..], &[202412, 202413, 202454], &[2023, 2024], &[20241, 20242], &[20240230, 20240231]]
        {
            assert_eq!(of(numbers), Ok(None), "{numbers:?}");
        }
        assert!(of(&[202401, 202402]).is_err() && of(&[202352, 202353]).is_err());
        for (text, format) in [("W", "%G%V"), ("MS", "%Y%m")] {
            assert_eq!(period(&[202401, 202402], Some(text.parse().unwrap())), Ok(Some(format)));
        }
        assert_eq!(period(&[202411, 202501], Some(Frequency::STEPS)), Ok(None));
    }

    #[test]
    fn headers_of_wide_files() {
        assert_eq!(dated(&["Store", "2024-01-01", "2024-01-02", "Size"], None), ["2024-01-01", "2024-01-02"]);
        assert_eq!(dated(&["id", "Jan 2024", "Feb 2024"], None), ["Jan 2024", "Feb 2024"]);
        assert!(dated(&["Store", "1", "2"], None).is_empty());
    }
}
