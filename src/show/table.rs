//! What does every tabular verb return, and how does it become cells that a person can read?
//!
//! A [`Table`] is a data frame with a title and one row set apart. [`Table::save`] writes the exact values;
//! what is *shown* (text, Markdown, HTML, a slide) goes through one grid of strings, so that a number looks the
//! same everywhere.

use std::borrow::Borrow;
use std::fmt;
use std::path::Path;

use chrono::{DateTime, NaiveDateTime};
use polars::prelude::*;

use super::wording::said;
use super::{Block, Show};
use crate::error::{Error, Result, suggestion};
use crate::files::{mark, write_atomically};
use crate::format::{Digits, MISSING, number, whole};

/// Rows and named columns, with an optional title: what every tabular verb returns.
///
/// ```
/// use tradewind::polars::prelude::*;
/// use tradewind::show::{Table, Value};
/// let table = Table::new(df!("model" => ["naive", "theta"], "mase" => [1.25, 0.875])?).titled("Leaderboard");
/// assert_eq!(table.get(1, "mase")?, Value::Number(0.875));
/// assert!(table.get(1, "mas").unwrap_err().to_string().contains("did you mean `mase`?"));
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone)]
pub struct Table {
    pub(super) title: Option<String>,
    pub(super) frame: DataFrame,
    pub(super) highlight: Option<usize>,
    /// Rows that there are besides, and that are not in it.
    pub(super) left_out: usize,
}

/// One cell of a [`Table`]; it prints as the tables print it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing is there.
    Missing,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Whole(i64),
    /// Any other number.
    Number(f64),
    /// A word, or a date in ISO form.
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str(MISSING),
            Self::Bool(value) => f.write_str(if *value { "yes" } else { "no" }),
            Self::Whole(value) => f.write_str(&whole(i128::from(*value))),
            Self::Number(value) => f.write_str(&number(*value)),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Table {
    /// A table of everything in `frame`, which is a data frame or a reference to one.
    pub fn new(frame: impl Borrow<DataFrame>) -> Self {
        Self { title: None, frame: frame.borrow().clone(), highlight: None, left_out: 0 }
    }

    /// The same table under a title.
    #[must_use]
    pub fn titled(&self, title: impl Into<String>) -> Self {
        Self { title: Some(title.into()), ..self.clone() }
    }

    /// The same table with one row (counted from 0) set in bold, such as the best model.
    #[must_use]
    pub fn highlight(&self, row: usize) -> Self {
        Self { highlight: Some(row), ..self.clone() }
    }

    /// The first rows of the table, which says how many more there are.
    #[must_use]
    pub fn cut(&self, count: usize) -> Self {
        let kept = self.rows().min(count);
        let highlight = self.highlight.filter(|row| *row < kept);
        Self { frame: self.frame.head(Some(kept)), highlight, ..self.clone() }.of_rows(self.rows() + self.left_out)
    }

    /// The same table as a part of one of so many rows.
    #[must_use]
    pub(crate) fn of_rows(self, all: usize) -> Self {
        Self { left_out: all.saturating_sub(self.rows()), ..self }
    }

    /// The same table with other texts in a column.
    pub(crate) fn with<'a>(&self, column: &str, texts: impl Iterator<Item = &'a str>) -> Result<Self> {
        let mut frame = self.frame.clone();
        frame.with_column(Column::new(column.into(), texts.collect::<Vec<_>>()))?;
        Ok(Self { frame, ..self.clone() })
    }

    /// The same table with other names of columns, each from and to.
    pub(crate) fn renamed(&self, names: &[(&str, &str)]) -> Result<Self> {
        let name = |column: &Column| names.iter().find(|(from, _)| *from == column.name().as_str());
        let columns = self.frame.columns().iter().map(|column| match name(column) {
            Some((_, to)) => column.clone().with_name((*to).into()),
            None => column.clone(),
        });
        Ok(Self { frame: DataFrame::new(self.rows(), columns.collect())?, ..self.clone() })
    }

    /// The title, if it has one.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The exact values as a polars data frame.
    pub fn frame(&self) -> &DataFrame {
        &self.frame
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.frame.height()
    }

    /// The names of the columns, in order.
    pub fn columns(&self) -> Vec<String> {
        self.frame.get_column_names().iter().map(ToString::to_string).collect()
    }

    /// The cells of a column, from the first row to the last.
    ///
    /// # Errors
    /// The column is unknown; the nearest name is suggested.
    pub fn column(&self, name: &str) -> Result<Vec<Value>> {
        let cells = self.cells(name)?;
        let stamps = Stamps::of(cells);
        (0..cells.len()).map(|row| Ok(value(&cells.get(row)?, &stamps))).collect()
    }

    pub(super) fn cells(&self, column: &str) -> Result<&Column> {
        self.frame.column(column).map_err(|_| {
            let names = self.columns();
            let hint = suggestion(column, names.iter().map(String::as_str));
            Error::usage(format!("unknown column `{column}` of the table{hint}"))
        })
    }

    /// The cell in `row` (counted from 0) of `column`.
    ///
    /// # Errors
    /// The column is unknown (the nearest name is suggested) or the row is past the end.
    pub fn get(&self, row: usize, column: &str) -> Result<Value> {
        let cells = self.cells(column)?;
        let cell = cells.get(row).map_err(|_| {
            let rows = self.rows();
            Error::usage(format!("the table has no row {row}: it has {rows} rows, counted from 0"))
        })?;
        Ok(value(&cell, &Stamps::of(cells)))
    }

    /// Write the exact values to a `.csv`, `.parquet`, `.json` or `.xlsx` file, by the extension of `path`.
    ///
    /// # Errors
    /// The extension is another, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let format = Format::of(path)?;
        let mut bytes = Vec::new();
        match format {
            Format::Csv => bytes = self.to_csv()?.into_bytes(),
            Format::Parquet => {
                let mut frame = self.frame.clone();
                ParquetWriter::new(&mut bytes).with_key_value_metadata(mark::parquet(None)).finish(&mut frame)?;
            }
            Format::Json => bytes = rows_as_lines(&self.to_json()?)?.into_bytes(),
            Format::Workbook => bytes = self.to_workbook()?,
        }
        write_atomically(path, &bytes)
    }

    /// Checks that [`save`](Self::save) could write to `path`, before the work that fills the table.
    ///
    /// # Errors
    /// When the extension is another than .csv, .parquet, .json or .xlsx, or the path is a folder.
    pub fn can_save(path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        Format::of(path)?;
        crate::files::allowed(path)?;
        match crate::files::is_folder(path) {
            true => {
                Err(Error::usage(format!("cannot write {}: it is a folder; name a file inside it", path.display())))
            }
            false => Ok(()),
        }
    }

    /// The exact values as CSV, as [`save`](Self::save) writes them.
    ///
    /// # Errors
    /// A column cannot be written.
    pub fn to_csv(&self) -> Result<String> {
        let mut frame = self.frame.clone();
        let mut bytes = Vec::new();
        plain_columns(&mut frame)?;
        CsvWriter::new(&mut bytes).finish(&mut frame)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The exact values as a workbook, as [`save`](Self::save) writes them.
    ///
    /// # Errors
    /// There are more rows or columns than a sheet has.
    pub(crate) fn to_workbook(&self) -> Result<Vec<u8>> {
        super::workbook::bytes(self)
    }

    /// An array with one object per row; what is missing or not finite is `null`.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn to_json(&self) -> Result<serde_json::Value> {
        let columns: Vec<(String, &Column, Stamps)> =
            self.frame.columns().iter().map(|column| (column.name().to_string(), column, Stamps::of(column))).collect();
        let mut rows = Vec::with_capacity(self.rows());
        for row in 0..self.rows() {
            let mut object = serde_json::Map::with_capacity(columns.len());
            for (name, column, stamps) in &columns {
                let cell = match value(&column.get(row)?, stamps) {
                    Value::Missing => serde_json::Value::Null,
                    Value::Bool(flag) => flag.into(),
                    Value::Whole(count) => count.into(),
                    Value::Number(number) => serde_json::Value::from(number),
                    Value::Text(text) => text.into(),
                };
                object.insert(name.clone(), cell);
            }
            rows.push(serde_json::Value::Object(object));
        }
        Ok(serde_json::Value::Array(rows))
    }

    /// The cells as strings, at most `most` rows of them.
    pub(crate) fn grid(&self, most: usize) -> Grid {
        let shown = self.rows().min(most);
        let mut rows = vec![Vec::with_capacity(self.frame.width()); shown];
        let mut right = Vec::with_capacity(self.frame.width());
        for column in self.frame.columns() {
            right.push(column.dtype().is_primitive_numeric());
            let write = Writer::of(column);
            for (row, cells) in rows.iter_mut().enumerate() {
                cells.push(column.get(row).map_or_else(|_| MISSING.to_string(), |cell| write.cell(&cell)));
            }
        }
        Grid {
            header: self.columns().iter().map(|name| one_line(&said(name))).collect(),
            right,
            rows,
            bold: self.highlight.filter(|row| *row < shown),
            left_out: self.rows() - shown + self.left_out,
            columns_left_out: 0,
        }
    }
}

impl Show for Table {
    fn block(&self) -> Block {
        Block::Table(self.clone())
    }
}

/// A table as strings: what all the outputs lay out.
pub(crate) struct Grid {
    pub(crate) header: Vec<String>,
    pub(crate) right: Vec<bool>,
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) bold: Option<usize>,
    pub(crate) left_out: usize,
    pub(crate) columns_left_out: usize,
}

impl Grid {
    /// The sentence under a table that was cut; `place` says where the rest is.
    pub(crate) fn rest(&self, place: &str) -> Option<String> {
        let count = |count: usize, one: &str| {
            (count > 0).then(|| format!("{} more {one}{}", whole(count as i128), if count == 1 { "" } else { "s" }))
        };
        let parts: Vec<String> =
            [count(self.left_out, "row"), count(self.columns_left_out, "column")].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("… {}{place}", parts.join(" and ")))
    }

    /// Replace the columns from `first` to before `last` by one column of dots.
    pub(crate) fn drop_columns(&mut self, first: usize, last: usize) {
        let dots = || "…".to_string();
        self.columns_left_out += last - first;
        self.header.splice(first..last, [dots()]);
        self.right.splice(first..last, [false]);
        for row in &mut self.rows {
            row.splice(first..last, [dots()]);
        }
    }
}

/// What all the stamps of a date column have in common decides how much of them is shown.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Stamps {
    Days,
    Minutes,
    Seconds,
}

impl Stamps {
    pub(super) fn of(column: &Column) -> Self {
        if !matches!(column.dtype(), DataType::Datetime(..)) {
            return Self::Days;
        }
        let mut finest = Self::Days;
        for row in 0..column.len() {
            let Some(seconds) = column.get(row).ok().as_ref().and_then(stamp).map(|at| at.and_utc().timestamp()) else {
                continue;
            };
            if seconds.rem_euclid(60) != 0 {
                return Self::Seconds;
            }
            if seconds.rem_euclid(86_400) != 0 {
                finest = Self::Minutes;
            }
        }
        finest
    }

    fn write(self, at: NaiveDateTime) -> String {
        at.format(match self {
            Self::Days => "%Y-%m-%d",
            Self::Minutes => "%Y-%m-%d %H:%M",
            Self::Seconds => "%Y-%m-%d %H:%M:%S",
        })
        .to_string()
    }
}

pub(super) fn stamp(cell: &AnyValue) -> Option<NaiveDateTime> {
    let at = match cell {
        AnyValue::Date(days) => DateTime::from_timestamp(i64::from(*days) * 86_400, 0),
        AnyValue::Datetime(ticks, unit, _) | AnyValue::DatetimeOwned(ticks, unit, _) => match unit {
            TimeUnit::Milliseconds => DateTime::from_timestamp_millis(*ticks),
            TimeUnit::Microseconds => DateTime::from_timestamp_micros(*ticks),
            TimeUnit::Nanoseconds => Some(DateTime::from_timestamp_nanos(*ticks)),
        },
        _ => None,
    };
    at.map(|at| at.naive_utc())
}

pub(super) fn value(cell: &AnyValue, stamps: &Stamps) -> Value {
    match cell {
        AnyValue::Null => Value::Missing,
        AnyValue::Boolean(flag) => Value::Bool(*flag),
        AnyValue::String(text) => Value::Text((*text).to_string()),
        AnyValue::StringOwned(text) => Value::Text(text.to_string()),
        cell if cell.is_integer() => match cell.try_extract_whole() {
            Some(count) => Value::Whole(count),
            None => Value::Text(cell.to_string()),
        },
        AnyValue::Float32(number) => Value::Number(f64::from(*number)),
        AnyValue::Float64(number) => Value::Number(*number),
        cell => match stamp(cell) {
            Some(at) => Value::Text(stamps.write(at)),
            None => Value::Text(cell.str_value().into_owned()),
        },
    }
}

/// `AnyValue::extract` goes through a cast that is exact for every whole type that fits.
trait Whole {
    fn try_extract_whole(&self) -> Option<i64>;
}

impl Whole for AnyValue<'_> {
    fn try_extract_whole(&self) -> Option<i64> {
        match self {
            AnyValue::Int8(n) => Some(i64::from(*n)),
            AnyValue::Int16(n) => Some(i64::from(*n)),
            AnyValue::Int32(n) => Some(i64::from(*n)),
            AnyValue::Int64(n) => Some(*n),
            AnyValue::UInt8(n) => Some(i64::from(*n)),
            AnyValue::UInt16(n) => Some(i64::from(*n)),
            AnyValue::UInt32(n) => Some(i64::from(*n)),
            AnyValue::UInt64(n) => i64::try_from(*n).ok(),
            _ => None,
        }
    }
}

/// How the cells of one column are written.
struct Writer {
    digits: Digits,
    stamps: Stamps,
    grouped: bool,
}

impl Writer {
    fn of(column: &Column) -> Self {
        let floats = column.dtype().is_float();
        let numbers = (0..if floats { column.len() } else { 0 })
            .filter_map(|row| column.get(row).ok().and_then(|cell| cell.extract::<f64>()));
        let name = column.name().to_lowercase();
        // A year and an identifier are names that happen to be digits.
        let grouped = !(name == "year" || name == "id" || name.ends_with("_id") || name.ends_with(" id"));
        Self { digits: Digits::of(numbers), stamps: Stamps::of(column), grouped }
    }

    fn cell(&self, cell: &AnyValue) -> String {
        match value(cell, &self.stamps) {
            Value::Number(number) => self.digits.write(number),
            Value::Whole(count) if !self.grouped => count.to_string(),
            Value::Text(text) => one_line(&text),
            other => other.to_string(),
        }
    }
}

/// Line breaks and other control characters would break a row: each run of them becomes one space.
pub(crate) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            letter if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            letter => out.push(letter),
        }
    }
    out.trim().to_string()
}

/// For a spreadsheet: dates without a midnight, and an empty cell where a number is not one.
fn plain_columns(frame: &mut DataFrame) -> Result<()> {
    let mut columns = frame.columns().to_vec();
    for column in &mut columns {
        if matches!(column.dtype(), DataType::Datetime(..)) && Stamps::of(column) == Stamps::Days {
            *column = column.cast(&DataType::Date)?;
        } else if let Ok(numbers) = column.f64() {
            let missing = numbers.is_nan();
            if missing.any() {
                *column = numbers.set(&missing, None)?.into_column();
            }
        }
    }
    *frame = DataFrame::new(frame.height(), columns)?;
    Ok(())
}

/// One object per line: small, and still a diff that a person can read.
fn rows_as_lines(json: &serde_json::Value) -> Result<String> {
    let rows = json.as_array().map(Vec::as_slice).unwrap_or_default();
    let lines: std::result::Result<Vec<String>, _> = rows.iter().map(serde_json::to_string).collect();
    let lines = lines.map_err(|cause| Error::data("the table cannot be written as JSON").because(cause))?;
    Ok(if lines.is_empty() { "[]\n".into() } else { format!("[\n{}\n]\n", lines.join(",\n")) })
}

/// What a table can be saved as.
enum Format {
    Csv,
    Parquet,
    Json,
    Workbook,
}

impl Format {
    fn of(path: &Path) -> Result<Self> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("").to_lowercase();
        match extension.as_str() {
            "csv" => Ok(Self::Csv),
            "parquet" => Ok(Self::Parquet),
            "json" => Ok(Self::Json),
            "xlsx" => Ok(Self::Workbook),
            _ => Err(Error::usage(format!(
                "cannot save a table as `{}`: name a file that ends in .csv, .parquet, .json or .xlsx",
                path.display()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let stamps = Series::new("date".into(), [0_i64, 86_400_000])
            .cast(&DataType::Datetime(TimeUnit::Milliseconds, None))
            .unwrap();
        let mut frame = df!(
            "model" => ["ets(season=52)", "a|b\n<script>"],
            "mase" => [0.8123, f64::NAN],
            "year" => [2010_i64, 2012],
            "count" => [Some(1234_i32), None],
            "holiday" => [true, false]
        )
        .unwrap();
        frame.with_column(stamps.into_column()).unwrap();
        Table::new(frame)
    }

    #[test]
    fn cells_are_readable() {
        let grid = sample().highlight(1).grid(10);
        assert_eq!(grid.rows[0], ["ets(season=52)", "0.8123", "2010", "1,234", "yes", "1970-01-01"]);
        assert_eq!(grid.rows[1], ["a|b <script>", "–", "2012", "–", "no", "1970-01-02"]);
        assert_eq!(grid.right, [false, true, true, true, false, false]);
        assert_eq!((grid.bold, grid.left_out), (Some(1), 0));
        assert_eq!(sample().grid(1).rest("").as_deref(), Some("… 1 more row"));
    }

    #[test]
    fn json_has_null_for_what_is_missing() {
        let json = sample().to_json().unwrap();
        assert_eq!(json[1]["mase"], serde_json::Value::Null);
        assert_eq!(json[0]["count"], 1234);
        assert_eq!(json[0]["date"], "1970-01-01");
    }

    #[test]
    fn get_is_helpful() {
        let table = sample();
        assert_eq!(table.get(0, "count").unwrap(), Value::Whole(1234));
        assert_eq!(table.get(1, "count").unwrap(), Value::Missing);
        assert!(table.get(0, "modle").unwrap_err().to_string().contains("did you mean `model`?"));
        assert!(table.get(2, "model").unwrap_err().is_usage());
    }

    #[test]
    fn saves_by_extension() {
        let home = tempfile::tempdir().unwrap();
        let table = sample();
        for name in ["t.csv", "t.parquet", "sub/t.json", "t.xlsx"] {
            table.save(home.path().join(name)).unwrap();
        }
        let csv = std::fs::read_to_string(home.path().join("t.csv")).unwrap();
        assert!(csv.starts_with("model,mase,year") && csv.contains("1970-01-02") && !csv.contains("NaN"), "{csv}");
        let json = std::fs::read_to_string(home.path().join("sub/t.json")).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), table.to_json().unwrap());
        assert!(table.save(home.path().join("t.docx")).unwrap_err().is_usage());
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 4);
    }
}
