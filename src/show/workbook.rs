//! How does a table become a workbook for a spreadsheet? One sheet with a header that stays in view; numbers are
//! numbers, dates are dates, and what is missing is an empty cell. The same table gives the same bytes.

use polars::prelude::*;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::Table;
use super::table::{Stamps, stamp, value};
use crate::error::{Error, Result};
use crate::{files, progress, show::Value};

/// Rows and columns that a sheet has.
const ROWS: usize = 1_048_576;
const COLUMNS: usize = 16_384;
/// Widths of columns, in letters.
const NARROW: usize = 8;
const WIDE: usize = 40;

/// The bytes of a workbook with one sheet that holds the exact values.
pub(super) fn bytes(table: &Table) -> Result<Vec<u8>> {
    let frame = table.frame();
    if frame.height() >= ROWS || frame.width() > COLUMNS {
        return Err(Error::usage(format!(
            "{} rows and {} columns do not fit on a sheet, which has {ROWS} and {COLUMNS}; save it as .csv or .parquet",
            frame.height(),
            frame.width()
        )));
    }
    let mut book = Workbook::new();
    // No time of day: what is written again is the same.
    let made = ExcelDateTime::from_ymd(2000, 1, 1).map_err(refused)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let sheet = book.add_worksheet();
    sheet.set_freeze_panes(1, 0).map_err(refused)?;
    let bold = Format::new().set_bold();
    for (place, column) in frame.columns().iter().enumerate() {
        progress::check()?;
        let place = place as u16;
        sheet.write_string_with_format(0, place, column.name().as_str(), &bold).map_err(refused)?;
        fill(sheet, place, column)?;
    }
    let bytes = book.save_to_buffer().map_err(refused)?;
    Ok(files::mark::archive(bytes))
}

fn fill(sheet: &mut Worksheet, place: u16, column: &Column) -> Result<()> {
    let stamps = Stamps::of(column);
    let dates = Format::new().set_num_format(match stamps {
        Stamps::Days => "yyyy-mm-dd",
        Stamps::Minutes => "yyyy-mm-dd hh:mm",
        Stamps::Seconds => "yyyy-mm-dd hh:mm:ss",
    });
    let mut letters = column.name().chars().count();
    for row in 0..column.len() {
        let cell = column.get(row)?;
        let at = row as u32 + 1;
        // Sheets know no dates before 1900: those are texts.
        let date = stamp(&cell).and_then(|at| ExcelDateTime::from_timestamp(at.and_utc().timestamp()).ok());
        let written = match (date, value(&cell, &stamps)) {
            (Some(date), _) => {
                letters = letters.max(if stamps == Stamps::Days { 10 } else { 19 });
                sheet.write_datetime_with_format(at, place, &date, &dates)
            }
            (_, Value::Missing) => continue,
            (_, Value::Number(number)) if !number.is_finite() => continue,
            (_, Value::Bool(flag)) => sheet.write_boolean(at, place, flag),
            (_, Value::Whole(count)) => sheet.write_number(at, place, count as f64),
            (_, Value::Number(number)) => sheet.write_number(at, place, number),
            (_, Value::Text(text)) => {
                letters = letters.max(text.chars().count());
                sheet.write_string(at, place, text)
            }
        };
        written.map_err(|cause| refused(cause).within(format!("row {} of column `{}`", row + 1, column.name())))?;
    }
    sheet.set_column_width(place, letters.clamp(NARROW, WIDE) as f64 + 2.0).map_err(refused)?;
    Ok(())
}

fn refused(cause: XlsxError) -> Error {
    Error::data("the table cannot be written as a workbook").because(cause.to_string())
}
