//! How does a column per date become a row per date?

use polars::prelude::*;

use super::Part;
use super::numbers::TYPED;
use crate::error::Result;
use crate::panel::Columns;

/// One row per row and timestamp. Empty cells before the first and after the last value of a row are outside the life
/// of its series and give no row; empty cells between stay, as missing.
pub(super) fn long(part: Part, kept: &[String], stamps: &[String], columns: &Columns) -> Result<Part> {
    let height = part.frame.height();
    // What was a number stays one, whatever the decimal mark of text is.
    let numbers: Vec<bool> = stamps
        .iter()
        .map(|stamp| Ok(part.frame.column(stamp)?.dtype() != &DataType::String))
        .collect::<PolarsResult<_>>()?;
    let cells: Vec<Column> =
        stamps.iter().map(|stamp| part.frame.column(stamp)?.cast(&DataType::String)).collect::<PolarsResult<_>>()?;
    let cells: Vec<&StringChunked> = cells.iter().map(Column::str).collect::<PolarsResult<_>>()?;
    let mut rows: Vec<IdxSize> = Vec::new();
    let mut times = StringChunkedBuilder::new(columns.time.as_str().into(), height * stamps.len());
    let mut values = StringChunkedBuilder::new(columns.target.as_str().into(), height * stamps.len());
    let (mut lines, mut empty) = (Vec::new(), 0);
    for row in 0..height {
        let given = |stamp: &usize| cells[*stamp].get(row).is_some();
        let Some(first) = (0..stamps.len()).find(given) else {
            empty += 1;
            continue;
        };
        let last = (0..stamps.len()).rfind(given).unwrap_or(first);
        for stamp in first..=last {
            rows.push(row as IdxSize);
            times.append_value(&stamps[stamp]);
            match cells[stamp].get(row) {
                Some(cell) if numbers[stamp] => values.append_value(format!("{TYPED}{cell}")),
                cell => values.append_option(cell),
            }
            lines.extend(part.lines.get(row));
        }
    }
    let height = rows.len();
    let mut frame = part.frame.select(kept.iter().map(String::as_str))?.take(&IdxCa::from_vec("".into(), rows))?;
    if kept.is_empty() {
        frame = DataFrame::empty_with_height(height);
    }
    frame.with_column(times.finish().into_series().into_column())?;
    frame.with_column(values.finish().into_series().into_column())?;
    let mut found = part.found;
    found.push(format!("{} columns named by dates turned into rows", stamps.len()));
    if empty > 0 {
        found.push(format!("rows without any value left out: {empty}"));
    }
    Ok(Part { frame, lines, found, ..part })
}
