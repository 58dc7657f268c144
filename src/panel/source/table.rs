//! A file of anybody's that is no panel: rows, of which a later room knows what the columns are.

use std::path::Path;

use polars::prelude::*;

use super::{kept, numbers, read_table, time_column};
use crate::error::Result;
use crate::panel::covariates::is_number;
use crate::panel::frame::stamps;
use crate::panel::{Columns, Provenance};

/// All rows and columns of a file, typed.
pub(crate) struct Rows {
    frame: DataFrame,
    origin: Provenance,
}

impl Rows {
    /// Reads a file. Columns of digits alone are numbers, unless `names` says that they are names, as `007` is one.
    /// Where numbers can be read two ways, a point is the decimal mark.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn read(path: &Path, names: impl Fn(&str) -> bool) -> Result<Self> {
        let read = |keys: &[&str]| read_table(path, keys, Some('.'));
        let (frame, origin) = read(&[])?;
        // Which columns there are is known only now.
        let is_doubtful = |column: &&Column| {
            !crate::files::is_parquet(path) && is_number(column.dtype()) && names(column.name().as_str())
        };
        let again: Vec<String> = frame.columns().iter().filter(is_doubtful).map(|c| c.name().to_string()).collect();
        if again.is_empty() {
            return Ok(Self { frame, origin });
        }
        let again: Vec<&str> = again.iter().map(String::as_str).collect();
        let (frame, origin) = read(&again)?;
        Ok(Self { frame, origin })
    }

    /// What a Parquet file's metadata have under a key.
    pub(crate) fn note(path: &Path, key: &str) -> Option<String> {
        if crate::files::is_parquet(path) { kept(path, key) } else { None }
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.frame.height()
    }

    /// The names of the columns, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.frame.get_column_names().iter().map(ToString::to_string).collect()
    }

    /// The columns of these names.
    ///
    /// # Errors
    /// When there is no such column.
    pub(crate) fn select(&self, names: &[String]) -> Result<DataFrame> {
        Ok(self.frame.select(names.iter().map(String::as_str))?)
    }

    /// Does a column hold numbers with a fraction, or that could have one?
    pub(crate) fn is_measured(&self, name: &str) -> bool {
        self.frame.column(name).is_ok_and(|column| match column.dtype() {
            DataType::String => {
                column.cast(&DataType::Float64).is_ok_and(|numbers| numbers.null_count() == column.null_count())
                    && column.str().is_ok_and(|texts| texts.iter().flatten().any(|text| text.contains(['.', 'e'])))
            }
            dtype => dtype.is_float(),
        })
    }

    /// Does a column hold dates or times?
    pub(crate) fn is_dated(&self, name: &str) -> bool {
        self.frame.column(name).is_ok_and(|column| matches!(column.dtype(), DataType::Date | DataType::Datetime(..)))
    }

    /// Does a column hold words that can be read as dates?
    pub(crate) fn reads_as_dates(&self, name: &str) -> bool {
        let Ok(column) = self.frame.column(name) else { return false };
        let read = || time_column(column, &Columns::new([""; 0], name, ""), None, &mut self.origin.clone());
        column.dtype() == &DataType::String && read().is_ok_and(|times| !times.dtype().is_integer())
    }

    /// How many different cells a column has.
    ///
    /// # Errors
    /// When there is no such column.
    pub(crate) fn distinct(&self, name: &str) -> Result<usize> {
        Ok(self.frame.column(name)?.as_materialized_series().unique()?.len())
    }

    /// A column as text.
    ///
    /// # Errors
    /// When there is no such column.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<Option<String>>> {
        let texts = self.frame.column(name)?.cast(&DataType::String)?;
        Ok(texts.str()?.iter().map(|text| text.map(String::from)).collect())
    }

    /// A column as numbers, NaN where a cell is empty.
    ///
    /// # Errors
    /// When a cell is no number: the text, the column, the line.
    pub(crate) fn numbers(&self, name: &str) -> Result<Vec<f64>> {
        let numbers = numbers::all_numbers(self.frame.column(name)?, &self.origin)?;
        Ok(numbers.f64()?.iter().map(|number| number.unwrap_or(f64::NAN)).collect())
    }

    /// A column as dates, times or whole numbers, and the timestamps that these are.
    ///
    /// # Errors
    /// When a cell is no date: the text, the column, the line.
    pub(crate) fn times(&mut self, columns: &Columns) -> Result<(Column, Vec<i64>)> {
        let column = self.frame.column(columns.time())?.clone();
        let times = time_column(&column, columns, None, &mut self.origin)?;
        let stamps = stamps(&times)?;
        Ok((times, stamps))
    }

    /// `line 17` of a text file, `row 16` of anything else.
    pub(crate) fn place(&self, row: usize) -> String {
        self.origin.row_text(row)
    }
}
