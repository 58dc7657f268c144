//! Which rows of a table, in what order, and aggregated how? Filtering, sorting, the first rows, groups.
//!
//! A missing value is neither less nor greater than anything: comparisons leave it out, sorting puts it last,
//! aggregations ignore it.

use std::cmp::Ordering;

use polars::prelude::*;

use super::{Table, Value};
use crate::error::{Error, Result, suggestion};

/// What [`Table::filter`] compares by.
const COMPARISONS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];
/// What [`Table::group`] makes of the values of a group.
const SUMMARIES: [&str; 8] = ["sum", "mean", "median", "min", "max", "count", "first", "last"];

impl Table {
    /// The rows whose cell in `column` satisfies `comparison` (`==`, `!=`, `<`, `<=`, `>`, `>=`) with `value`. Dates
    /// compare by their ISO form, in whole or in part: `"2012-06"`.
    ///
    /// ```
    /// use tradewind::polars::prelude::*;
    /// use tradewind::show::Table;
    /// let board = Table::new(df!("model" => ["naive", "theta", "drift"], "mase" => [1.25, 0.875, 1.5])?);
    /// assert_eq!(board.filter("mase", "<", 1.3)?.column("model")?, board.filter("model", "!=", "drift")?.column("model")?);
    /// assert!(board.filter("mase", "<", "low").unwrap_err().to_string().contains("number"));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// The column or the comparison is unknown, or the value is not of the column's kind.
    pub fn filter(&self, column: &str, comparison: &str, value: impl Into<Value>) -> Result<Table> {
        let value = value.into();
        if !COMPARISONS.contains(&comparison) {
            let known = COMPARISONS.map(|known| format!("`{known}`")).join(", ");
            return Err(Error::usage(format!("`{comparison}` is not a comparison; there is {known}")));
        }
        let cells = self.column(column)?;
        if let Some(cell) = cells.iter().find(|cell| !is_missing(cell))
            && !is_missing(&value)
            && order(cell, &value).is_none()
        {
            return Err(Error::usage(format!("column `{column}` holds {}, not {}", kind(cell), quoted(&value))));
        }
        let holds = |cell: &Value| match (is_missing(cell), is_missing(&value)) {
            (true, true) => comparison == "==",
            (false, true) => comparison == "!=",
            _ => order(cell, &value).is_some_and(|order| match comparison {
                "==" => order.is_eq(),
                "!=" => order.is_ne(),
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                ">" => order.is_gt(),
                _ => order.is_ge(),
            }),
        };
        let kept: Vec<usize> = (0..cells.len()).filter(|row| holds(&cells[*row])).collect();
        self.picked(&kept)
    }

    /// The rows for which `keep` returns true: it gets the index of each row, counted from 0; in scripts the row
    /// itself, a map of its columns: `table.filter(|row| row.mase < 1.0)`.
    ///
    /// ```
    /// use tradewind::polars::prelude::*;
    /// use tradewind::show::Table;
    /// let board = Table::new(df!("model" => ["naive", "theta", "drift"], "mase" => [1.25, 0.875, 1.5])?);
    /// assert_eq!(board.filter_rows(|row| row > 0)?.rows(), 2);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn filter_rows(&self, mut keep: impl FnMut(usize) -> bool) -> Result<Table> {
        let kept: Vec<usize> = (0..self.rows()).filter(|row| keep(*row)).collect();
        self.picked(&kept)
    }

    /// The rows from the least value of `column` to the greatest; equal ones stay in their order, missing ones come
    /// last.
    ///
    /// ```
    /// use tradewind::polars::prelude::*;
    /// use tradewind::show::{Table, Value};
    /// let board = Table::new(df!("model" => ["naive", "theta", "drift"], "mase" => [1.25, 0.875, 1.5])?);
    /// assert_eq!(board.sort("mase")?.get(0, "model")?, Value::Text("theta".into()));
    /// assert_eq!(board.sort_descending("mase")?.head(1)?.get(0, "model")?, Value::Text("drift".into()));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// The column is unknown; the nearest name is suggested.
    pub fn sort(&self, column: &str) -> Result<Table> {
        self.sorted(column, order)
    }

    /// As [`sort`](Self::sort), from the greatest value to the least.
    ///
    /// # Errors
    /// The column is unknown; the nearest name is suggested.
    pub fn sort_descending(&self, column: &str) -> Result<Table> {
        self.sorted(column, |a, b| order(b, a))
    }

    fn sorted(&self, column: &str, order: fn(&Value, &Value) -> Option<Ordering>) -> Result<Table> {
        let cells = self.column(column)?;
        let mut rows: Vec<usize> = (0..cells.len()).collect();
        rows.sort_by(|a, b| {
            let (a, b) = (&cells[*a], &cells[*b]);
            is_missing(a).cmp(&is_missing(b)).then_with(|| order(a, b).unwrap_or(Ordering::Equal))
        });
        self.picked(&rows)
    }

    /// The first `count` rows, or all if there are fewer.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn head(&self, count: usize) -> Result<Table> {
        let rows: Vec<usize> = (0..self.rows().min(count)).collect();
        self.picked(&rows)
    }

    /// One row for each group of rows that are equal in the columns of `by`, in the order in which the groups appear,
    /// with aggregations of other columns: `sum`, `mean`, `median`, `min`, `max`, `count` (of values that are not
    /// missing), `first` or `last`. A column with one aggregation keeps its name; with several, each is named: `Sales
    /// sum`, `Sales mean`. Without a column in `by` all rows are one group.
    ///
    /// ```
    /// use tradewind::polars::prelude::*;
    /// use tradewind::show::{Table, Value};
    /// let sold = Table::new(df!("shop" => ["a", "b", "a"], "pieces" => [3, 4, 5])?);
    /// let total = sold.group(["shop"], [("pieces", "sum")])?;
    /// assert_eq!(total.column("pieces")?, [Value::Whole(8), Value::Whole(4)]);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// A column or a word for what is wanted is unknown, nothing is wanted, or words are to be summed.
    pub fn group(
        &self,
        by: impl IntoIterator<Item = impl Into<String>>,
        how: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Result<Table> {
        let by: Vec<String> = by.into_iter().map(Into::into).collect();
        let how: Vec<(String, String)> = how.into_iter().map(|(column, how)| (column.into(), how.into())).collect();
        by.iter().try_for_each(|column| self.cells(column).map(|_| ()))?;
        if how.is_empty() {
            return Err(Error::usage("state what to compute for each group, such as the sum of a column"));
        }
        let asked = how.iter().map(|(column, word)| {
            if by.contains(column) {
                return Err(Error::usage(format!("column `{column}` defines the groups; choose another column")));
            }
            let several = how.iter().filter(|(other, _)| other == column).count() > 1;
            let name = if several { format!("{column} {word}") } else { column.clone() };
            Summary::new(self.cells(column)?, word, name)
        });
        let asked: Vec<Summary> = asked.collect::<Result<_>>()?;
        let everything = [(0..self.rows() as IdxSize).collect::<Vec<_>>()];
        let grouped = if by.is_empty() { None } else { Some(self.frame.group_by_stable(&by)?) };
        let groups: Vec<Vec<IdxSize>> = match &grouped {
            Some(grouped) => grouped.get_groups().iter().map(rows_of).collect(),
            None => everything.into(),
        };
        let mut columns = grouped.map(|grouped| grouped.keys()).unwrap_or_default();
        for summary in asked {
            columns.push(summary.of(&groups)?);
        }
        Ok(Table::new(DataFrame::new(groups.len(), columns)?))
    }

    /// These rows in this order; a highlighted row stays highlighted if it is among them.
    fn picked(&self, rows: &[usize]) -> Result<Table> {
        let places: Vec<IdxSize> = rows.iter().map(|row| *row as IdxSize).collect();
        let frame = self.frame.take(&IdxCa::from_vec("".into(), places))?;
        let highlight = self.highlight.and_then(|row| rows.iter().position(|picked| *picked == row));
        Ok(Table { title: self.title.clone(), frame, highlight, left_out: 0 })
    }
}

/// Is there no value? A number that is none is a missing one.
fn is_missing(value: &Value) -> bool {
    match value {
        Value::Missing => true,
        Value::Number(number) => number.is_nan(),
        _ => false,
    }
}

/// How two values of one kind compare; none if they are of different kinds, or one is missing.
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Whole(a), Value::Whole(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Whole(a), Value::Number(b)) => (*a as f64).partial_cmp(b),
        (Value::Number(a), Value::Whole(b)) => a.partial_cmp(&(*b as f64)),
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b),
        _ => None,
    }
}

/// What a column of such values holds.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Missing => "nothing",
        Value::Bool(_) => "yes and no (true and false)",
        Value::Whole(_) | Value::Number(_) => "numbers",
        Value::Text(_) => "texts",
    }
}

fn quoted(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("the text `{text}`"),
        Value::Bool(flag) => flag.to_string(),
        other => format!("the number {other}"),
    }
}

/// The rows of a group.
fn rows_of(group: GroupsIndicator) -> Vec<IdxSize> {
    match group {
        GroupsIndicator::Idx((_, rows)) => rows.to_vec(),
        GroupsIndicator::Slice([first, length]) => (first..first + length).collect(),
    }
}

/// A column to be summarised by group.
struct Summary {
    cells: Column,
    word: String,
    name: PlSmallStr,
}

impl Summary {
    fn new(cells: &Column, word: &str, name: String) -> Result<Self> {
        let (column, dtype) = (cells.name(), cells.dtype());
        if !SUMMARIES.contains(&word) {
            let near = suggestion(word, SUMMARIES);
            return Err(Error::usage(format!("a group has no `{word}`{near}")));
        }
        if ["sum", "mean", "median"].contains(&word) && !dtype.is_primitive_numeric() && !dtype.is_bool() {
            return Err(Error::usage(format!(
                "column `{column}` holds no numbers, so it has no {word}; use count, min, max, first or last"
            )));
        }
        let cells = match dtype.is_float() {
            // A number that is none is a missing one.
            true => {
                let series = cells.as_materialized_series();
                let missing = polars::prelude::Series::full_null(column.clone(), series.len(), dtype);
                missing.zip_with(&series.is_nan()?, series)?.into_column()
            }
            false => cells.clone(),
        };
        Ok(Self { cells, word: word.into(), name: name.into() })
    }

    /// One value per group of rows.
    fn of(&self, groups: &[Vec<IdxSize>]) -> Result<Column> {
        let summed = |rows: &Vec<IdxSize>| -> PolarsResult<Scalar> {
            let group = self.cells.take_slice(rows)?;
            let at = |row: usize| Ok(Scalar::new(group.dtype().clone(), group.get(row)?.into_static()));
            match self.word.as_str() {
                "sum" => group.sum_reduce(),
                "mean" => group.mean_reduce(),
                "median" => group.median_reduce(),
                "min" => group.min_reduce(),
                "max" => group.max_reduce(),
                "count" => Ok(Scalar::from((group.len() - group.null_count()) as IdxSize)),
                _ if group.is_empty() => Ok(Scalar::null(group.dtype().clone())),
                "first" => at(0),
                _ => at(group.len() - 1),
            }
        };
        let values: Vec<Scalar> = groups.iter().map(summed).collect::<PolarsResult<_>>()?;
        let Some(dtype) = values.first().map(|value| value.dtype().clone()) else {
            return Ok(Column::new_empty(self.name.clone(), self.cells.dtype()));
        };
        let values: Vec<AnyValue> = values.iter().map(Scalar::as_any_value).collect();
        Ok(polars::prelude::Series::from_any_values_and_dtype(self.name.clone(), &values, &dtype, true)?.into_column())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(whole: i64) -> Self {
        Self::Whole(whole)
    }
}

impl From<i32> for Value {
    fn from(whole: i32) -> Self {
        Self::Whole(whole.into())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}
