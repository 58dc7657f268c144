//! How does a column per date become a row per date?

use polars::prelude::*;

use super::Part;
use crate::error::Result;
use crate::panel::Columns;

/// One row per row and stamp. Empty cells before the first and after the last value of a row are outside the life of its
/// series and give no row; empty cells between stay, as missing.
pub(super) fn long(part: Part, kept: &[String], stamps: &[String], columns: &Columns) -> Result<Part> {
    let height = part.frame.height();
    let cells: Vec<Column> =
        stamps.iter().map(|stamp| part.frame.column(stamp)?.cast(&DataType::String)).collect::<PolarsResult<_>>()?;
    let cells: Vec<&StringChunked> = cells.iter().map(Column::str).collect::<PolarsResult<_>>()?;
    let mut rows: Vec<IdxSize> = Vec::new();
    let mut times = StringChunkedBuilder::new(columns.time.as_str().into(), height * stamps.len());
    let mut values = StringChunkedBuilder::new(columns.target.as_str().into(), height * stamps.len());
    let mut lines = Vec::new();
    for row in 0..height {
        let given = |stamp: &usize| cells[*stamp].get(row).is_some();
        let Some(first) = (0..stamps.len()).find(given) else { continue };
        let last = (0..stamps.len()).rfind(given).unwrap_or(first);
        for stamp in first..=last {
            rows.push(row as IdxSize);
            times.append_value(&stamps[stamp]);
            values.append_option(cells[stamp].get(row));
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
    Ok(Part { frame, lines, found })
}
