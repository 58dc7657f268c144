//! How does a file become a frame? CSV and Parquet, the declared columns only, and every cell that does not parse
//! named with its line and text.
//!
//! A CSV is read as text first: only then can a cell that is no number or date be quoted as it stands. Types are then
//! found column by column: keys become whole numbers when every one is written as such (`007` stays text), covariates
//! numbers or booleans when all of them are.

use std::path::Path;
use std::sync::Arc;

use chrono::{NaiveDate, NaiveDateTime};
use polars::prelude::*;

use super::calendar::StampKind;
use super::columns::check_present;
use super::covariates::is_number;
use super::{Columns, Origin};
use crate::error::{Error, Result, first_line};

/// Cells that mean "no value".
const MISSING: [&str; 8] = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"];

/// Chooses the columns to read from those that a file has.
type Wanted<'a> = &'a dyn Fn(&[&str], &str) -> Result<Vec<String>>;

/// The declared columns of a file of history.
pub(super) fn read(path: &Path, columns: &Columns) -> Result<(DataFrame, Origin)> {
    read_wanted(path, columns, &|present, source| {
        columns.check(present, source)?;
        Ok(columns.names().into_iter().map(String::from).collect())
    })
}

/// Keys, time and covariates of a file of the future, which needs no target.
pub(super) fn read_future(path: &Path, columns: &Columns) -> Result<(DataFrame, Origin)> {
    read_wanted(path, columns, &|present, source| {
        let names = columns.future_names(present);
        check_present(&names, present, source)?;
        Ok(names.into_iter().map(String::from).collect())
    })
}

fn read_wanted(path: &Path, columns: &Columns, wanted: Wanted) -> Result<(DataFrame, Origin)> {
    let source = path.display().to_string();
    let metadata = std::fs::metadata(path).map_err(|cause| match cause.kind() {
        std::io::ErrorKind::NotFound => Error::io(format!("{source} does not exist")),
        _ => Error::io(format!("{source} cannot be read")).because(cause),
    })?;
    if metadata.is_dir() {
        return Err(Error::io(format!("{source} is a directory; name a CSV or Parquet file in it")));
    }
    if metadata.len() == 0 {
        return Err(Error::data(format!("{source} is empty")));
    }
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    match extension.as_str() {
        "parquet" | "pq" => {
            let frame = read_parquet(path, wanted, &source)?;
            Ok((frame, Origin { source, ..Origin::default() }))
        }
        "csv" | "txt" => {
            let frame = read_csv(path, columns, wanted, &source)?;
            Ok((frame, Origin { source, first_row: 2, ..Origin::default() }))
        }
        _ => Err(Error::usage(format!("{source} ends in neither .csv nor .parquet, the two formats that can be read"))),
    }
}

fn read_parquet(path: &Path, wanted: Wanted, source: &str) -> Result<DataFrame> {
    let open =
        || std::fs::File::open(path).map_err(|cause| Error::io(format!("{source} cannot be read")).because(cause));
    let damaged = |cause: PolarsError| Error::data(format!("{source} is not a readable Parquet file")).because(cause);
    let mut reader = ParquetReader::new(open()?);
    let schema = reader.schema().map_err(damaged)?;
    let present: Vec<&str> = schema.iter_names().map(PlSmallStr::as_str).collect();
    let names = wanted(&present, source)?;
    ParquetReader::new(open()?).with_columns(Some(names)).finish().map_err(damaged)
}

fn read_csv(path: &Path, columns: &Columns, wanted: Wanted, source: &str) -> Result<DataFrame> {
    let not_csv =
        |cause: PolarsError| Error::data(format!("{source} is not a readable CSV file")).because(first_line(&cause));
    let missing: Vec<PlSmallStr> = MISSING.iter().map(|text| PlSmallStr::from_static(text)).collect();
    let options = |rows: Option<usize>, names: Option<Arc<[PlSmallStr]>>| {
        let parse = CsvParseOptions::default().with_null_values(Some(NullValues::AllColumns(missing.clone())));
        CsvReadOptions::default()
            .with_has_header(true)
            .with_infer_schema_length(Some(0))
            .with_n_rows(rows)
            .with_columns(names)
            .with_parse_options(parse)
            .try_into_reader_with_file_path(Some(path.to_path_buf()))
            .and_then(|reader| reader.finish())
            .map_err(not_csv)
    };
    check_text(path, source)?;
    let header = options(Some(0), None)?;
    let present: Vec<&str> = header.get_column_names().into_iter().map(PlSmallStr::as_str).collect();
    if let ([header], true) = (&present[..], columns.names().len() > 2) {
        for (separator, word) in [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")] {
            if header.contains(separator) {
                return Err(Error::data(format!("the columns of {source} are separated by {word}; commas are needed")));
            }
        }
    }
    let names = wanted(&present, source)?;
    let mut frame = options(None, Some(names.iter().map(|name| PlSmallStr::from_str(name)).collect()))?;
    for name in &columns.keys {
        let typed = typed_key(frame.column(name)?)?;
        frame.with_column(typed)?;
    }
    for (name, _) in columns.covariates.iter().filter(|(name, _)| names.contains(name)) {
        let typed = typed_covariate(frame.column(name)?)?;
        frame.with_column(typed)?;
    }
    Ok(frame)
}

/// The first kilobytes must be text, or polars would be asked to find columns in an image.
fn check_text(path: &Path, source: &str) -> Result<()> {
    use std::io::Read;
    let mut start = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(64 * 1024).read_to_end(&mut start))
        .map_err(|cause| Error::io(format!("{source} cannot be read")).because(cause))?;
    let text = match std::str::from_utf8(&start) {
        Ok(_) => true,
        // The cut may fall inside a character.
        Err(error) => error.error_len().is_none(),
    };
    match text && !start.contains(&0) {
        true => Ok(()),
        false => Err(Error::data(format!("{source} is not a CSV file in UTF-8: it holds bytes that are not text"))),
    }
}

/// Whole numbers if every key is written as one would write it (so that `007` and `1.0` stay text).
fn typed_key(column: &Column) -> Result<Column> {
    let whole = column.cast(&DataType::Int64)?;
    let same = whole.cast(&DataType::String)?;
    Ok(match same.str()?.iter().eq(column.str()?.iter()) {
        true => whole,
        false => column.clone(),
    })
}

fn typed_covariate(column: &Column) -> Result<Column> {
    let numbers = column.cast(&DataType::Float64)?;
    if numbers.null_count() == column.null_count() {
        return Ok(numbers);
    }
    let booleans: Option<Vec<Option<bool>>> = column
        .str()?
        .iter()
        .map(|text| match text {
            None => Some(None),
            Some("True" | "true" | "TRUE") => Some(Some(true)),
            Some("False" | "false" | "FALSE") => Some(Some(false)),
            Some(_) => None,
        })
        .collect();
    Ok(match booleans {
        Some(booleans) => Column::new(column.name().clone(), booleans),
        None => column.clone(),
    })
}

/// The target as numbers; what is no number is an error that quotes it.
pub(super) fn to_numbers(column: &Column, origin: &Origin) -> Result<Column> {
    let name = column.name();
    let dtype = column.dtype();
    if is_number(dtype) {
        return Ok(column.cast(&DataType::Float64)?);
    }
    if dtype != &DataType::String {
        return Err(Error::data(format!("column `{name}` of {} holds {dtype}, not numbers", origin.source)));
    }
    let numbers = column.cast(&DataType::Float64)?;
    let failed = numbers.is_null().iter().zip(column.str()?.iter()).enumerate().find_map(|(row, (null, text))| {
        let text = text?;
        (null == Some(true) && !MISSING.contains(&text.trim())).then_some((row, text))
    });
    match failed {
        None => Ok(numbers),
        Some((row, text)) => Err(Error::data(format!(
            "`{}` in column `{name}` of {}, {}, is not a number; correct it, or leave the cell empty",
            short(text),
            origin.source,
            origin.row_text(row),
        ))),
    }
}

/// Ways to write a date; the first that reads every cell is taken, unless another reads them all differently.
const DATES: [&str; 8] =
    ["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y%m%d", "%b %d, %Y"];
const TIMES: [&str; 8] = [
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.fZ",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
];

/// A text time column as dates, times or whole numbers, and the format that read it.
pub(super) fn parse_time(column: &Column, columns: &Columns, origin: &Origin) -> Result<(Column, Option<String>)> {
    let name = column.name().clone();
    let texts: Vec<&str> = column.str()?.iter().map(|text| text.unwrap_or("").trim()).collect();
    if let Some(row) = texts.iter().position(|text| MISSING.contains(text)) {
        return Err(Error::data(format!(
            "column `{name}` of {} has no stamp in {}",
            origin.source,
            origin.row_text(row)
        )));
    }
    let failed = |row: usize, format: &str| {
        let others = if row > 0 { format!(" as those before it are ({format})") } else { String::new() };
        Error::data(format!(
            "`{}` in column `{name}` of {}, {}, is not a date{others}; \
             correct it, or state how dates are written: time_format = \"%d.%m.%Y\"",
            short(texts[row]),
            origin.source,
            origin.row_text(row),
        ))
    };
    if let Some(format) = &columns.time_format {
        let (stamps, bad) = parse_all(&texts, format);
        return match bad {
            Some(row) => Err(failed(row, format)),
            None => Ok((to_column(name, &stamps, has_clock(format))?, Some(format.clone()))),
        };
    }
    let looks_like_date = |text: &&str| text.len() == 8 && (text.starts_with("19") || text.starts_with("20"));
    if !texts.iter().all(looks_like_date) {
        let whole: Option<Vec<i64>> = texts.iter().map(|text| text.parse().ok()).collect();
        if let Some(whole) = whole {
            return Ok((Column::new(name, whole), None));
        }
    }
    let mut reading: Vec<(&str, Vec<NaiveDateTime>)> = Vec::new();
    let mut furthest = (0, DATES[0]);
    for format in DATES.into_iter().chain(TIMES) {
        let (stamps, bad) = parse_all(&texts, format);
        match bad {
            None => reading.push((format, stamps)),
            Some(row) if row > furthest.0 => furthest = (row, format),
            Some(_) => {}
        }
    }
    match &reading[..] {
        [] => Err(failed(furthest.0, furthest.1)),
        [(format, stamps), others @ ..] => {
            if let Some((other, different)) = others.iter().find(|(_, other)| other != stamps) {
                let row = stamps.iter().zip(different).position(|(a, b)| a != b).unwrap_or(0);
                return Err(Error::data(format!(
                    "`{}` in column `{name}` of {}, {}, can be read as {format} or {other}; \
                     state which: time_format = \"{format}\"",
                    texts[row],
                    origin.source,
                    origin.row_text(row),
                )));
            }
            Ok((to_column(name, stamps, has_clock(format))?, Some((*format).to_string())))
        }
    }
}

fn has_clock(format: &str) -> bool {
    format.contains("%H") || format.contains("%I") || format.contains("%s") || format.contains("%T")
}

/// The stamps up to the first text that does not fit, and that text's row.
fn parse_all(texts: &[&str], format: &str) -> (Vec<NaiveDateTime>, Option<usize>) {
    let clock = has_clock(format);
    let mut stamps = Vec::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        let stamp = match clock {
            true => NaiveDateTime::parse_from_str(text, format).ok(),
            false => NaiveDate::parse_from_str(text, format).ok().map(|date| date.and_time(chrono::NaiveTime::MIN)),
        };
        match stamp {
            Some(stamp) => stamps.push(stamp),
            None => return (stamps, Some(row)),
        }
    }
    (stamps, None)
}

fn to_column(name: PlSmallStr, stamps: &[NaiveDateTime], clock: bool) -> Result<Column> {
    let micros: Vec<i64> = stamps.iter().map(|stamp| stamp.and_utc().timestamp_micros()).collect();
    let times = Column::new(name, micros).cast(&DataType::Datetime(TimeUnit::Microseconds, None))?;
    Ok(if clock { times } else { times.cast(&DataType::Date)? })
}

/// A stamp given by a person: `2012-10-26`, `2012-10-26 14:00`, `143`.
pub(super) fn parse_stamp(text: &str, kind: StampKind) -> Result<i64> {
    let text = text.trim();
    let stamp = match kind {
        StampKind::Whole => text.parse().ok(),
        StampKind::Clock => NaiveDate::parse_from_str(text, DATES[0])
            .ok()
            .map(|date| date.and_time(chrono::NaiveTime::MIN))
            .or_else(|| TIMES.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok()))
            .map(|time| time.and_utc().timestamp_micros()),
    };
    stamp.ok_or_else(|| {
        let wanted = match kind {
            StampKind::Whole => "a whole number, as the panel's stamps are",
            StampKind::Clock => "a date such as 2012-10-26 or a time such as 2012-10-26 14:00",
        };
        Error::usage(format!("`{}` is not {wanted}", short(text)))
    })
}

/// A cell as an error message quotes it.
fn short(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}
