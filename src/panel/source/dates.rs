//! Which dates are in a column? One format for the whole column, found by trying; it is an error if two formats fit every
//! cell but give different dates.
//!
//! Whole numbers that encode periods are dates, in text as in numeric columns: 202412 is December 2024, 202452 its last
//! week, 20241 its first quarter, 20241231 its last day. As integer steps, the month after 202412 would be 202413. For
//! integer steps, state the frequency: freq = "1". Numbers that count days as spreadsheets do, or seconds as Unix does,
//! are dates where they can be nothing else.

use std::collections::HashMap;

use chrono::{DateTime, LocalResult, NaiveDateTime, NaiveTime, Offset, TimeZone};
use polars::prelude::*;

use super::stray::OPTION;
use super::written::{Count, DATES, Pattern, Stamp, patterns};
use super::{MISSING, short};
use crate::error::{Error, Result, suggestion};
use crate::panel::calendar::{Frequency, StampKind};
use crate::panel::{Columns, Provenance};

/// The share of texts that are read as dates, times or periods by the one way of writing them that reads most, or by
/// the one that is stated.
pub(in crate::panel) fn share_of_dates(texts: &[&str], stated: Option<&str>) -> f64 {
    let most = most_read(texts, stated).len();
    most as f64 / (texts.len() as f64).max(1.0)
}

/// The header cells that name dates, by one and the same format.
pub(in crate::panel) fn dated<'a>(header: &[&'a str], stated: Option<&str>) -> Vec<&'a str> {
    most_read(header, stated)
}

/// The texts that the way of writing dates reads that reads most of them.
fn most_read<'a>(texts: &[&'a str], stated: Option<&str>) -> Vec<&'a str> {
    if let Some(count) = stated.and_then(Count::stated) {
        return texts.iter().copied().filter(|text| count.read(text).is_some()).collect();
    }
    let own = stated.map(Pattern::stated);
    let tried: &[Pattern] = own.as_ref().map_or_else(|| patterns(), std::slice::from_ref);
    // Without a digit there is no year; which languages there are is the same for all patterns.
    let texts: Vec<&str> = texts.iter().copied().filter(|text| text.bytes().any(|b| b.is_ascii_digit())).collect();
    let mut languages: Vec<&str> = texts.iter().flat_map(|text| super::names::of(text)).collect();
    languages.sort_unstable();
    languages.dedup();
    let mut best = Vec::new();
    for pattern in tried {
        for language in if pattern.has_names() { languages.as_slice() } else { &[""] } {
            let read = |text: &&str| pattern.read(text, language).is_some();
            let count = texts.iter().filter(|text| read(text)).count();
            if count > best.len() {
                best = texts.iter().copied().filter(read).collect();
            }
        }
    }
    best
}

/// Can whole numbers of a column be periods, such as 202412 for a month or a week, or a count of days or seconds?
pub(in crate::panel) fn reads_as_periods(name: &str, whole: &[i64]) -> bool {
    let counts = || (is_of_days(name) || is_of_times(name)) && matches!(counted(name, whole, None), Ok(Some(_)));
    !matches!(period(whole, None), Ok(None)) || counts()
}

/// A time column of whatever type as dates, times or whole numbers. Remarks go to `origin`.
///
/// # Errors
/// When the time zone is none, or a cell no date.
pub(in crate::panel) fn time_column(
    column: &Column,
    columns: &Columns,
    zone: Option<&str>,
    origin: &mut Provenance,
) -> Result<Column> {
    zone.map(named).transpose()?;
    // Whole numbers beside gaps come as numbers with a fraction of nothing.
    let is_whole = |numbers: &Float64Chunked| numbers.iter().flatten().all(|n| n.fract() == 0.0 && n.abs() < 9e15);
    let whole = match column.dtype() {
        dtype if dtype.is_float() && is_whole(column.cast(&DataType::Float64)?.f64()?) => {
            column.cast(&DataType::Int64)?
        }
        _ => column.clone(),
    };
    match whole.dtype() {
        DataType::String => parse_time(column, columns, zone, origin),
        dtype if dtype.is_integer() && whole.null_count() == 0 => {
            let steps = columns.time_format.is_none() && {
                let distinct = whole.as_materialized_series().unique()?.strict_cast(&DataType::Int64);
                let distinct: Vec<i64> = distinct.ok().map_or_else(Vec::new, |distinct| {
                    distinct.i64().map_or_else(|_| Vec::new(), |whole| whole.into_no_null_iter().collect())
                });
                way(column.name(), &distinct, columns.frequency, origin)?.is_none()
            };
            if steps { Ok(whole) } else { parse_time(&whole.cast(&DataType::String)?, columns, zone, origin) }
        }
        dtype if dtype.is_float() && whole.null_count() == 0 => {
            let range = whole.cast(&DataType::Float64)?;
            let fits = range.f64()?.iter().flatten().all(|days| (SERIALS.0 as f64..=SERIALS.1 as f64).contains(&days));
            match columns.time_format.is_some() || (fits && is_of_days(column.name())) {
                true => parse_time(&whole.cast(&DataType::String)?, columns, zone, origin),
                false => Ok(whole),
            }
        }
        dtype => {
            if columns.time_format.is_some() && matches!(dtype, DataType::Date | DataType::Datetime(..)) {
                origin.found.push(format!("time_format does not matter: column {} holds dates as such", column.name()));
            }
            wall_time(&whole, zone, origin)
        }
    }
}

/// A column of dates and one of times of day as one of both; a cell is empty where either is.
pub(in crate::panel) fn joint(name: &str, date: &Column, clock: &Column) -> Result<Column> {
    // A date that is kept as midnight is a date.
    let day = match date.dtype() {
        DataType::Datetime(..) => date.cast(&DataType::Date)?,
        _ => date.clone(),
    };
    let (days, clocks) = (day.cast(&DataType::String)?, clock.cast(&DataType::String)?);
    let both = days.str()?.iter().zip(clocks.str()?.iter());
    let both: StringChunked = both.map(|(day, clock)| Some(format!("{} {}", day?.trim(), clock?.trim()))).collect();
    Ok(both.with_name(name.into()).into_series().into_column())
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
    let parse = |value: &i64, format: &str| Pattern::stated(format).read(&value.to_string(), "");
    let years = whole.iter().map(|value| value / 100).collect::<std::collections::BTreeSet<_>>().len();
    if all(10_000, 101..=1231) {
        // A slip among dates is a slip; numbers that are no dates are numbers.
        let dates = whole.iter().filter(|value| parse(value, "%Y%m%d").is_some()).count();
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
        let read = |format: &str| whole.iter().all(|value| parse(value, format).is_some());
        return match ["%G%V", "%Y%W"].into_iter().find(|format| read(format)) {
            Some(format) => Ok(Some(format)),
            None => Err("weeks, of which some are not in the ISO calendar, or integer steps".into()),
        };
    }
    let decades = whole.iter().map(|value| value / 10).collect::<std::collections::BTreeSet<_>>().len();
    Ok((all(10, 1..=4) && decades > 1).then_some("%Y%q"))
}

/// The numbers of the days of a spreadsheet from 1954 to 2064.
const SERIALS: (i64, i64) = (20_000, 60_000);

/// Seconds of the years 1990 to 2032, in which no number is a date and hour as well (1980010100).
const SECONDS: std::ops::Range<i64> = 631_152_000..1_980_000_000;

/// What whole numbers count that are times; none if they are mere numbers.
///
/// # Errors
/// When it is ambiguous: days of a spreadsheet or integer steps.
fn counted(name: &str, whole: &[i64], frequency: Option<Frequency>) -> std::result::Result<Option<Count>, String> {
    if whole.is_empty() || frequency.is_some_and(|frequency| frequency.is_whole()) {
        return Ok(None);
    }
    for parts in [1, 1_000, 1_000_000, 1_000_000_000] {
        if whole.iter().all(|value| SECONDS.contains(&value.div_euclid(parts))) {
            return Ok(Some(Count::Unix(parts)));
        }
    }
    let all = |from: i64| whole.iter().all(|value| (from..=SERIALS.1).contains(value));
    let first = || whole.iter().min().copied().unwrap_or_default().to_string();
    let date = |text: &str| Count::Excel.read(text).map(|stamp| stamp.date().to_string()).unwrap_or_default();
    match all(SERIALS.0) && (is_of_days(name) || frequency.is_some()) {
        true => Ok(Some(Count::Excel)),
        false if all(30_000) && !is_of_steps(name) => {
            Err(format!("the days of a spreadsheet ({} is {}) or integer steps", first(), date(&first())))
        }
        false => Ok(None),
    }
}

/// The words of a column's name, in small letters.
fn words(name: &str) -> Vec<String> {
    name.to_lowercase().split(|c: char| !c.is_alphanumeric()).map(String::from).collect()
}

/// Is a column called a date or a day?
fn is_of_days(name: &str) -> bool {
    const DAYS: [&str; 16] = [
        "day", "datum", "tag", "fecha", "dia", "día", "jour", "giorno", "dag", "dato", "dzień", "gün", "tarih", "дата",
        "день", "päivä",
    ];
    name.to_lowercase().contains("date") || words(name).iter().any(|word| DAYS.contains(&word.as_str()))
}

fn is_of_times(name: &str) -> bool {
    const TIMES: [&str; 9] = ["time", "timestamp", "datetime", "ts", "epoch", "unix", "ds", "zeit", "stamp"];
    words(name).iter().any(|word| TIMES.contains(&word.as_str()))
}

fn is_of_steps(name: &str) -> bool {
    const STEPS: [&str; 9] = ["t", "step", "steps", "index", "idx", "i", "n", "row", "number"];
    words(name).iter().any(|word| STEPS.contains(&word.as_str()))
}

/// How to read a column.
enum Way {
    Written(&'static str),
    Counted(Count),
}

/// How whole numbers are to be read as dates; none if they are integer steps.
fn way(name: &str, whole: &[i64], frequency: Option<Frequency>, origin: &Provenance) -> Result<Option<Way>> {
    let asked = |why: String, options: &str| {
        Error::data(format!(
            "column `{name}` of {} holds whole numbers that can be {why}; state which: {options}, \
             freq = \"1\" for integer steps",
            origin.source
        ))
    };
    let months = "time_format = \"%Y%m\" for months, time_format = \"%G%V\" for ISO weeks";
    if let Some(format) = period(whole, frequency).map_err(|why| asked(why, months))? {
        return Ok(Some(Way::Written(format)));
    }
    let days = "time_format = \"excel\" for dates (\"excel1904\" for those of a workbook that counts from 1904)";
    Ok(counted(name, whole, frequency).map_err(|why| asked(why, days))?.map(Way::Counted))
}

/// One reading of all cells of a column.
struct Reading {
    /// What is stated for it.
    format: String,
    stamps: Vec<Stamp>,
    has_clock: bool,
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
    // What was whole beside gaps: `202401.0`.
    let floats =
        distinct.iter().all(|(text, _)| text.strip_suffix(".0").is_some_and(|whole| whole.parse::<i64>().is_ok()));
    if floats {
        distinct.iter_mut().for_each(|(text, _)| *text = text.strip_suffix(".0").unwrap_or(text));
    }
    let looks_like_date =
        |(text, _): &(&str, usize)| text.len() == 8 && (text.starts_with("19") || text.starts_with("20"));
    let steps = columns.frequency.is_some_and(|frequency| frequency.is_whole());
    let mut found = None;
    if columns.time_format.is_none() && (steps || !distinct.iter().all(looks_like_date)) {
        let whole: Option<Vec<i64>> = distinct.iter().map(|(text, _)| text.parse().ok()).collect();
        if let Some(whole) = whole {
            found = way(&name, &whole, columns.frequency, origin)?;
            if found.is_none() {
                return Ok(Column::new(name, codes.iter().map(|code| whole[*code as usize]).collect::<Vec<_>>()));
            }
        } else if is_of_days(&name) {
            let days =
                |text: &str| text.parse::<f64>().is_ok_and(|n| (SERIALS.0 as f64..=SERIALS.1 as f64).contains(&n));
            found = distinct.iter().all(|(text, _)| days(text)).then_some(Way::Counted(Count::Excel));
        }
    }
    let stated = columns.time_format.as_deref().filter(|format| {
        let applies = !is_iso(&distinct) || reads_any(format, &distinct);
        if !applies {
            let first = distinct.first().map_or("", |(text, _)| text);
            origin.found.push(format!(
                "time_format = \"{format}\" does not apply to column {name}, whose dates have the year first: {}",
                short(first)
            ));
        }
        applies
    });
    let count = match (stated, &found) {
        (Some(format), _) => Count::stated(format),
        (None, Some(Way::Counted(count))) => Some(*count),
        _ => None,
    };
    let reading = match count {
        Some(count) => by_count(&name, &distinct, count, stated.is_none(), origin)?,
        None => {
            let stated = match (stated, found) {
                (Some(format), _) => Some(format),
                (None, Some(Way::Written(format))) => Some(format),
                _ => None,
            };
            written(&name, &distinct, stated, origin)?
        }
    };
    let local = wall_clock(&name, &distinct, &reading, zone, origin)?;
    if count.is_none() && reading.format != DATES[0] {
        origin.found.push(format!("dates read as {}", reading.format));
    }
    let micros: Vec<i64> = codes.iter().map(|code| local[*code as usize].and_utc().timestamp_micros()).collect();
    let times = Column::new(name, micros).cast(&DataType::Datetime(TimeUnit::Microseconds, None))?;
    Ok(if reading.has_clock { times } else { times.cast(&DataType::Date)? })
}

/// Are all texts dates as 2024-01-31, as cells of a workbook that are dates become?
fn is_iso(distinct: &[(&str, usize)]) -> bool {
    let is = |(text, _): &(&str, usize)| {
        let date = text.get(..10).is_some_and(|date| chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").is_ok());
        date && text[10..].chars().next().is_none_or(|next| " T".contains(next))
    };
    distinct.iter().all(is)
}

/// Does a stated way of writing dates read any of the texts?
fn reads_any(format: &str, distinct: &[(&str, usize)]) -> bool {
    match Count::stated(format) {
        Some(count) => distinct.iter().any(|(text, _)| count.read(text).is_some()),
        None => {
            let pattern = Pattern::stated(format);
            distinct.iter().any(|(text, _)| pattern.read(text, "").is_some())
        }
    }
}

/// Numbers that count days or seconds.
fn by_count(
    name: &str,
    distinct: &[(&str, usize)],
    count: Count,
    is_found: bool,
    origin: &mut Provenance,
) -> Result<Reading> {
    let offset = if matches!(count, Count::Unix(_)) { Some(0) } else { None };
    let mut stamps = Vec::with_capacity(distinct.len());
    for (text, row) in distinct {
        let local = count.read(text).ok_or_else(|| {
            Error::data(format!(
                "`{}` in column `{name}` of {}, {}, is not a number that time_format = \"{}\" reads as a date; correct it, \
                 or state how dates are written: time_format = \"%d.%m.%Y\"",
                short(text),
                origin.source,
                origin.row_text(*row),
                count.word(),
            ))
        })?;
        stamps.push(Stamp { local, offset, zone: None });
    }
    if is_found {
        let (text, date) = (distinct[0].0, stamps[0].local);
        origin.found.push(match count {
            Count::Unix(_) => format!("numbers of {name} read as Unix time ({}): {text} is {date} UTC", count.word()),
            _ => format!(
                "numbers of {name} read as days of a spreadsheet: {text} is {}; for a workbook that counts from 1904 state \
                 time_format = \"excel1904\"",
                date.date()
            ),
        });
    }
    let has_clock = !is_midnight(&stamps);
    Ok(Reading { format: count.word().into(), stamps, has_clock })
}

fn is_midnight(stamps: &[Stamp]) -> bool {
    stamps.iter().all(|stamp| stamp.local.time() == NaiveTime::MIN)
}

/// Texts by the one way of writing dates that reads all of them.
fn written(name: &str, distinct: &[(&str, usize)], stated: Option<&str>, origin: &Provenance) -> Result<Reading> {
    let own = stated.map(Pattern::stated);
    let tried: &[Pattern] = own.as_ref().map_or_else(|| patterns(), std::slice::from_ref);
    let languages = distinct.first().map_or_else(Vec::new, |(text, _)| super::names::of(text));
    let alike = |a: &[Stamp], b: &[Stamp]| a.iter().zip(b).all(|(a, b)| (a.local, a.offset) == (b.local, b.offset));
    let mut first: Option<(&Pattern, &str, Vec<Stamp>)> = None;
    let mut furthest = (0, &tried[0]);
    for pattern in tried {
        for language in if pattern.has_names() { languages.as_slice() } else { &[""] } {
            let mut stamps = Vec::new();
            stamps.extend(distinct.iter().map_while(|(text, _)| pattern.read(text, language)));
            if stamps.len() < distinct.len() {
                if stamps.len() > furthest.0 {
                    furthest = (stamps.len(), pattern);
                }
                continue;
            }
            match &first {
                None => first = Some((pattern, language, stamps)),
                Some((_, _, known)) if alike(known, &stamps) => {}
                Some((other, spoken, known)) => {
                    let at = known.iter().zip(&stamps).position(|(a, b)| a.local != b.local).unwrap_or(0);
                    // Months of one name in two languages.
                    let is_one = other.format == pattern.format;
                    let format = |pattern: &Pattern, language: &str| match is_one {
                        true => format!("{language}:{}", pattern.format),
                        false => pattern.format.clone(),
                    };
                    let (one, two) = (format(other, spoken), format(pattern, language));
                    return Err(Error::data(format!(
                        "`{}` in column `{name}` of {}, {}, can be read as {one} ({}) or {two} ({}); \
                         state which: time_format = \"{one}\" or time_format = \"{two}\"",
                        short(distinct[at].0),
                        origin.source,
                        origin.row_text(distinct[at].1),
                        known[at].local.date(),
                        stamps[at].local.date(),
                    )));
                }
            }
        }
    }
    let Some((pattern, _, stamps)) = first else {
        return Err(unread(name, distinct, furthest, stated.is_some(), origin));
    };
    if stated.is_none() && pattern.is_short() && looks_like_days(&stamps) {
        return Err(Error::data(format!(
            "`{}` in column `{name}` of {}, {}, can be a month and its year or a day without one; write the year with four \
             digits, or state time_format = \"{}\" for months",
            short(distinct[0].0),
            origin.source,
            origin.row_text(distinct[0].1),
            pattern.format,
        )));
    }
    let has_clock = pattern.has_clock() && !(pattern.is_halved() && is_midnight(&stamps));
    Ok(Reading { format: pattern.format.clone(), stamps, has_clock })
}

/// Do the two digits beside the names of months run as days do, rather than as years?
fn looks_like_days(stamps: &[Stamp]) -> bool {
    use chrono::Datelike;
    let months: std::collections::BTreeSet<i32> =
        stamps.iter().map(|stamp| stamp.local.year() * 12 + stamp.local.month0() as i32).collect();
    let years: std::collections::BTreeSet<i32> = months.iter().map(|month| month / 12).collect();
    let span = months.last().zip(months.first()).map_or(0, |(last, first)| last - first + 1);
    let days = years.iter().all(|year| (2001..=2031).contains(year));
    days && months.len() > 2 && (years.len() >= 20 || months.len() as i32 * 2 < span)
}

/// Why no way of writing dates reads all cells.
fn unread(
    name: &str,
    distinct: &[(&str, usize)],
    (at, pattern): (usize, &Pattern),
    is_stated: bool,
    origin: &Provenance,
) -> Error {
    let (text, row) = distinct[at];
    let place = format!("`{}` in column `{name}` of {}, {}", short(text), origin.source, origin.row_text(row));
    let all = if is_stated { std::slice::from_ref(pattern) } else { patterns() };
    if let Some((year, week)) = all.iter().find_map(|pattern| pattern.no_such_week(text)) {
        let last = if week > 53 { "at most 53".into() } else { format!("no week {week}") };
        return Error::data(format!(
            "{place}, is no week: {year} has {last} in the ISO calendar, whose weeks begin on Monday; correct it, or write the \
             day on which each week begins"
        ));
    }
    // How those are written that are dates by themselves.
    let reads = |pattern: &Pattern, text: &str| pattern.languages(text).iter().any(|l| pattern.read(text, l).is_some());
    let mut seen: Vec<&Pattern> = if at > 0 { vec![pattern] } else { Vec::new() };
    for (text, _) in distinct {
        if seen.len() < 4 && !seen.iter().any(|pattern| reads(pattern, text)) {
            seen.extend(patterns().iter().find(|pattern| reads(pattern, text)));
        }
    }
    let others =
        if row > 0 && at > 0 { format!(" as those before it are ({})", pattern.format) } else { String::new() };
    let formats: Vec<&str> = seen.iter().map(|pattern| pattern.format.as_str()).collect();
    let several = match formats.len() {
        0 | 1 => String::new(),
        _ => format!("; the column has dates in several formats: {}", formats.join(", ")),
    };
    Error::data(format!(
        "{place}, is not a date{others}{several}; correct it, or state how dates are written: time_format = \"%d.%m.%Y\""
    ))
}

/// What the clock on the wall showed at each stamp: in the stated zone, or where they were written.
fn wall_clock(
    name: &str,
    distinct: &[(&str, usize)],
    reading: &Reading,
    zone: Option<&str>,
    origin: &mut Provenance,
) -> Result<Vec<NaiveDateTime>> {
    let stamps = &reading.stamps;
    let as_written = || stamps.iter().map(|stamp| stamp.local).collect::<Vec<_>>();
    let offset = stamps.first().and_then(|stamp| stamp.offset);
    if let Some(zone) = zone {
        let zone = named(zone)?;
        origin.zone = Some(zone.name().into());
        if offset.is_none() {
            return Ok(as_written());
        }
        origin.found.push(format!("timestamps in the time zone {zone}"));
        let utc = |stamp: &Stamp| stamp.local - chrono::Duration::seconds(stamp.offset.unwrap_or(0).into());
        return Ok(stamps.iter().map(|stamp| zone.from_utc_datetime(&utc(stamp)).naive_local()).collect());
    }
    // The zone whose abbreviations stand beside them, if its clocks went by these offsets.
    let own = stamps.first().and_then(|stamp| stamp.zone).filter(|own| stamps.iter().all(|s| s.zone == Some(own)));
    if let Some(own) = own.map(named).transpose()? {
        let shows = |stamp: &Stamp| {
            let is = |time: DateTime<chrono_tz::Tz>| stamp.offset == Some(time.offset().fix().local_minus_utc());
            match own.from_local_datetime(&stamp.local) {
                LocalResult::Single(time) => is(time),
                LocalResult::Ambiguous(first, second) => is(first) || is(second),
                LocalResult::None => false,
            }
        };
        if stamps.iter().all(shows) {
            origin.zone = Some(own.name().into());
            origin.found.push(format!("timestamps in the time zone {own}"));
            return Ok(as_written());
        }
    }
    if let Some(at) = stamps.iter().position(|stamp| stamp.offset != offset) {
        let (text, row) = distinct[at];
        return Err(Error::data(format!(
            "`{}` in column `{name}` of {}, {}, has another offset from UTC than the timestamps before it; \
             state the time zone: time_zone = \"Europe/Berlin\"",
            short(text),
            origin.source,
            origin.row_text(row),
        )));
    }
    Ok(as_written())
}

/// A text column as dates or times if all that is there is read by one way of writing them, and by no other
/// differently.
pub(super) fn found(column: &Column, origin: &mut Provenance) -> Result<Option<Column>> {
    let texts = column.str()?;
    let mut distinct: Vec<&str> = texts.iter().flatten().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let languages = distinct.first().map_or_else(Vec::new, |text| super::names::of(text));
    let mut readings: Vec<(&Pattern, Vec<NaiveDateTime>)> = Vec::new();
    for pattern in patterns().iter().filter(|pattern| !pattern.is_zoned()) {
        for language in if pattern.has_names() { languages.as_slice() } else { &[""] } {
            let read = |text: &&str| pattern.read(text, language).map(|stamp| stamp.local);
            readings.extend(distinct.iter().map(read).collect::<Option<Vec<_>>>().map(|stamps| (pattern, stamps)));
        }
    }
    let Some((pattern, stamps)) = readings.first() else { return Ok(None) };
    if readings.iter().any(|(_, other)| other != stamps) {
        origin.found.push(format!("column {} left as text: its dates can be read in two ways", column.name()));
        return Ok(None);
    }
    if pattern.format != DATES[0] {
        origin.found.push(format!("dates of {} read as {}", column.name(), pattern.format));
    }
    let micros = |text: &str| {
        let at = distinct.binary_search(&text).ok()?;
        Some(stamps[at].and_utc().timestamp_micros())
    };
    let micros: Vec<Option<i64>> = texts.iter().map(|text| text.and_then(micros)).collect();
    let times = Column::new(column.name().clone(), micros).cast(&DataType::Datetime(TimeUnit::Microseconds, None))?;
    Ok(Some(if pattern.has_clock() { times } else { times.cast(&DataType::Date)? }))
}

/// A column of timestamps in a time zone as the wall clock of that zone, or of the stated one, shows them.
fn wall_time(column: &Column, stated: Option<&str>, origin: &mut Provenance) -> Result<Column> {
    let DataType::Datetime(_, Some(own)) = column.dtype() else {
        // Without a zone of their own they are the clock on the wall of the stated one.
        origin.zone = zone_name(stated)?;
        return Ok(column.clone());
    };
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

fn zone_name(zone: Option<&str>) -> Result<Option<String>> {
    Ok(zone.map(named).transpose()?.map(|zone| zone.name().to_string()))
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
        StampKind::Clock => {
            let read = |pattern: &'static Pattern| {
                let languages = pattern.languages(text).into_iter();
                languages.filter_map(move |language| Some((pattern, pattern.read(text, language)?.local)))
            };
            let mut readings = patterns().iter().flat_map(read);
            let first = readings.next();
            if let Some((pattern, stamp)) = first
                && let Some((other, different)) = readings.find(|(_, other)| *other != stamp)
            {
                return Err(Error::usage(format!(
                    "`{}` can be {} ({}) or {} ({}); write it as 2012-10-26",
                    short(text),
                    stamp.date(),
                    pattern.format,
                    different.date(),
                    other.format,
                )));
            }
            first.map(|(_, stamp)| stamp.and_utc().timestamp_micros())
        }
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

    /// A column of texts in a column called `name`, and what was said of it.
    fn read(name: &str, texts: &[&str], columns: impl Fn(Columns) -> Columns) -> (Result<String>, Vec<String>) {
        let mut origin = Provenance { source: "f.csv".into(), ..Provenance::default() };
        let columns = columns(Columns::new([""; 0], name, "y"));
        let zone = if texts.iter().any(|text| text.contains("+0")) { Some("Europe/Berlin") } else { None };
        let times = time_column(&Column::new(name.into(), texts.to_vec()), &columns, zone, &mut origin);
        let last = |times: Column| times.get(texts.len() - 1).unwrap().to_string();
        (times.map(last), origin.found)
    }

    #[test]
    fn counts_of_days_and_seconds() {
        let plain = |name, texts: &[&str]| read(name, texts, |columns| columns);
        let (date, said) = plain("Order Date", &["45291", "45292"]);
        assert_eq!(date.unwrap(), "2024-01-01");
        assert!(said[0].contains("excel1904"), "{said:?}");
        assert_eq!(plain("day", &["45291.0", "45292.5"]).0.unwrap(), "2024-01-01 12:00:00");
        assert!(plain("x", &["45291", "45292"]).0.unwrap_err().to_string().contains("time_format = \"excel\""));
        assert_eq!(plain("t", &["45291", "45292"]).0.unwrap(), "45292");
        assert_eq!(plain("at", &["1704063600", "1704067200"]).0.unwrap(), "2024-01-01 00:00:00");
        assert_eq!(plain("at", &["1703980800000", "1704067200000"]).0.unwrap(), "2024-01-01");
        assert_eq!(plain("month", &["202312.0", "202401.0"]).0.unwrap(), "2024-01-01");
        let stated = |texts: &[&str], format: &str| read("x", texts, |columns| columns.time_format(format)).0;
        assert_eq!(stated(&["43830"], "excel1904").unwrap(), "2024-01-01");
        assert!(stated(&["soon"], "unix").is_err());
    }

    #[test]
    fn what_is_refused_and_what_is_asked() {
        let refused = |texts: &[&str]| read("day", texts, |columns| columns).0.unwrap_err().to_string();
        let said = refused(&["2024-01-05", "31.01.2024", "2/28/2024"]);
        for part in ["`31.01.2024`", "row 1", "%Y-%m-%d, %d.%m.%Y, %m/%d/%Y"] {
            assert!(said.contains(part), "{said}");
        }
        assert!(refused(&["2021-W52", "2021-W53"]).contains("`2021-W53`"));
        let said = refused(&["01/02/2024", "03/02/2024"]);
        assert!(said.contains("time_format = \"%d/%m/%Y\" or time_format = \"%m/%d/%Y\""), "{said}");
        assert!(refused(&["1 listopad 2024", "2 listopad 2024"]).contains("pl:%d %B %Y"));
        assert!(refused(&["Jan-01", "Jan-02", "Jan-03"]).contains("without one"));
        let plain = |texts: &[&str]| read("day", texts, |columns| columns).0.unwrap();
        assert_eq!(plain(&["1 studeni 2024", "2 listopad 2024"]), "2024-10-02");
        assert_eq!(plain(&["Jan-24", "Feb-24", "Mar-24"]), "2024-03-01");
    }

    #[test]
    fn clocks_beside_their_zones() {
        let plain = |texts: &[&str]| read("at", texts, |columns| columns);
        let (stamp, said) = plain(&["Mar 10, 2024 1:30:00 AM PST", "Mar 10, 2024 3:30:00 AM PDT"]);
        assert_eq!(stamp.unwrap(), "2024-03-10 03:30:00");
        assert!(said.iter().any(|said| said.contains("America/Los_Angeles")), "{said:?}");
        let (stamp, said) = plain(&["1/5/2024 12:00:00 AM", "1/15/2024 12:00:00 AM"]);
        assert_eq!(
            (stamp.unwrap().as_str(), said),
            ("2024-01-15", vec!["dates read as %m/%d/%Y %I:%M:%S%.f %p".to_string()])
        );
        assert_eq!(plain(&["2024-01-15 00:00:00+0000"]).0.unwrap(), "2024-01-15 01:00:00");
        assert!(plain(&["2024-01-15 00:00 PST", "2024-07-15 00:00 EDT"]).0.is_err());
    }

    #[test]
    fn a_date_beside_its_time() {
        let column = |name: &str, texts: [Option<&str>; 2]| Column::new(name.into(), texts);
        let (date, clock) =
            (column("Date", [Some("01/15/24"), None]), column("Time", [Some(" 9:05 PM"), Some("10:00")]));
        let both = joint("Date+Time", &date, &clock).unwrap();
        assert_eq!(both.str().unwrap().iter().collect::<Vec<_>>(), [Some("01/15/24 9:05 PM"), None]);
    }

    #[test]
    fn what_people_type() {
        let of = |text| parse_stamp(text, StampKind::Clock).map(|stamp| stamp / 86_400_000_000);
        assert_eq!(of("2024-01-15").unwrap(), 19_737);
        for text in ["15.01.2024", "Jan 15, 2024", "15. Januar 2024", "2024-01-15 12:30 PM"] {
            assert_eq!(of(text).unwrap(), 19_737, "{text}");
        }
        assert!(of("01/02/2024").unwrap_err().to_string().contains("can be 2024-02-01"));
        assert!(of("soon").is_err() && parse_stamp("7", StampKind::Whole).is_ok());
    }

    #[test]
    fn headers_of_wide_files() {
        assert_eq!(dated(&["Store", "2024-01-01", "2024-01-02", "Size"], None), ["2024-01-01", "2024-01-02"]);
        assert_eq!(dated(&["id", "Jan 2024", "Feb 2024"], None), ["Jan 2024", "Feb 2024"]);
        assert!(dated(&["Store", "1", "2"], None).is_empty());
    }
}
