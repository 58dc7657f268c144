//! What is in a file that is no panel: prices, a calendar, last year's plan? All of its columns, read as sales are.
//!
//! What a column holds is found out from all of its cells: whole numbers, numbers, yes and no, dates; anything else is
//! text. Numbers that begin with a zero (`007`) are names and stay text, and so do dates that can be read in two ways.

use std::path::Path;

use polars::prelude::*;

use super::{Needed, Reading, Wanted, dates, numbers, read_wanted, remarked};
use crate::error::Result;
use crate::panel::{Columns, Provenance};
use crate::show::Table;

impl Table {
    /// All columns of a file, a folder or a pattern of files: CSV and other delimited text with any delimiter, decimal
    /// mark, encoding and compression, Parquet, Excel, NDJSON. What was detected in the format is reported.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let sold = Table::read("data/walmart_sales_weekly.csv")?;
    /// let totals = sold.group(["Dept"], [("Weekly_Sales", "sum")])?.sort_descending("Weekly_Sales")?;
    /// assert_eq!(totals.rows(), 7);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the file cannot be read, two columns have one name, or its numbers can be read in two ways: see
    /// [`read_as`](Self::read_as).
    pub fn read(path: impl AsRef<Path>) -> Result<Table> {
        Self::read_as(path, &Reading::default())
    }

    /// All columns of a file, a folder or a pattern of files, with stated reading options: delimiter, decimal mark, sheet,
    /// query.
    ///
    /// # Errors
    /// As without reading options.
    pub fn read_as(path: impl AsRef<Path>, reading: &Reading) -> Result<Table> {
        let columns = Columns::new(Vec::<String>::new(), "", "");
        let wanted = Wanted { columns: &columns, reading, part: Needed::Own, decimal: None, given: Vec::new() };
        let (frame, _) = remarked(read_wanted(path.as_ref(), &wanted)?)?;
        Ok(Table::new(frame))
    }
}

/// A column of texts as what all of them say.
pub(super) fn typed(column: &Column, origin: &mut Provenance) -> Result<Column> {
    if column.dtype() != &DataType::String {
        return Ok(column.clone());
    }
    let whole = numbers::typed_key(column)?;
    let texts = column.str()?;
    if whole.dtype() != &DataType::String || texts.null_count() == texts.len() {
        return Ok(whole);
    }
    let coded = |text: &str| {
        let digits = text.trim_start_matches('-');
        digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    if texts.iter().flatten().any(coded) {
        return Ok(whole);
    }
    let value = numbers::typed_covariate(column, origin)?;
    if value.dtype() != &DataType::String {
        return Ok(value);
    }
    Ok(dates::found(column, origin)?.unwrap_or(value))
}
