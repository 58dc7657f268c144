//! Does an empty key repeat that of the row above? Pivot tables in outline form, and merged cells that were exported as
//! text, have a key once, in the first row of its block, and empty cells below.
//!
//! Empty keys are filled down automatically where nothing else makes sense: the first row has a key, no key is written
//! twice in a row, and each series has one row per timestamp only with the keys of the rows above. Where empty keys are
//! scattered and have one row per timestamp, they are a series of their own; anything else is an error that asks.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use polars::prelude::*;

use super::{Needed, Part, Wanted};
use crate::error::{Error, Result};
use crate::progress;

/// Rows with the same key and timestamp that are dirt rather than a sign that keys were filled down wrongly: one in so
/// many of those that filling down resolves.
const DIRT: usize = 20;

/// The part with its empty keys filled down where that is stated or the only sensible reading.
pub(super) fn fill_down(mut part: Part, wanted: &Wanted) -> Result<Part> {
    let holed = |name: &&String| part.frame.column(name).is_ok_and(|column| column.null_count() > 0);
    let names: Vec<&String> = wanted.columns.keys.iter().filter(holed).collect();
    let any = [Needed::Table, Needed::Unasked].contains(&wanted.part);
    if names.is_empty() || any || wanted.reading.fill_down == Some(false) {
        return Ok(part);
    }
    let height = part.frame.height();
    let texts = |frame: &DataFrame, name: &str| Ok::<_, Error>(frame.column(name)?.cast(&DataType::String)?);
    let columns: Vec<Column> = names.iter().map(|name| texts(&part.frame, name)).collect::<Result<_>>()?;
    let mut said: Vec<Vec<Option<&str>>> = Vec::new();
    for column in &columns {
        said.push(column.str()?.iter().collect());
    }
    let rows: Vec<bool> = (0..height).map(|row| said.iter().any(|cells| cells[row].is_none())).collect();
    let count = rows.iter().filter(|empty| **empty).count();
    // What is written less often is the outer key.
    said.sort_by_key(|cells| cells.iter().flatten().count());
    let once = said.iter().enumerate().all(|(depth, cells)| {
        let below = |row: usize| said[..depth].iter().any(|outer| outer[row].is_some());
        height > 0
            && cells[0].is_some()
            && (1..height).all(|row| match cells[row] {
                Some(key) => cells[row - 1] != Some(key),
                None => !below(row),
            })
    });
    let mut filled = part.frame.clone();
    for name in &names {
        let column = filled.column(name)?.fill_null(FillNullStrategy::Forward(None))?;
        filled.with_column(column)?;
    }
    let (before, after) = (repeated(&part.frame, wanted, &rows)?, repeated(&filled, wanted, &rows)?);
    let alone = after * DIRT <= before && (before > 0 || count * 2 >= height);
    let named = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
    if wanted.reading.fill_down == Some(true) || (once && alone) {
        part.frame = filled;
        part.found.push(format!("empty cells of {named} filled with the key above them: {count} rows"));
    } else if before == 0 {
        part.found.push(format!("rows with an empty {named}, treated as a key of its own: {count}"));
    } else {
        let first = part.row_text(rows.iter().position(|empty| *empty).unwrap_or(0));
        return Err(Error::data(format!(
            "{count} rows have an empty {named} (first: {first}), and several of them the same stamp; is it the key of the row \
             above? State fill_down = true or fill_down = false (on the command line: --reading fill_down=true)"
        )));
    }
    Ok(part)
}

/// How many of the marked rows have keys and timestamp of a row before them.
fn repeated(frame: &DataFrame, wanted: &Wanted, marked: &[bool]) -> Result<usize> {
    let names = wanted.columns.keys.iter().chain([&wanted.columns.time]);
    let columns: Vec<Column> = names
        .filter_map(|name| frame.column(name).ok())
        .map(|column| column.cast(&DataType::String))
        .collect::<PolarsResult<_>>()?;
    let columns: Vec<&StringChunked> = columns.iter().map(Column::str).collect::<PolarsResult<_>>()?;
    let columns: Vec<Vec<Option<&str>>> = columns.iter().map(|column| column.iter().collect()).collect();
    let place = |row: usize| columns.iter().map(move |cells| cells[row]);
    let hash = |row: usize| {
        let mut hasher = DefaultHasher::new();
        place(row).for_each(|cell| cell.hash(&mut hasher));
        hasher.finish()
    };
    // Few rows are marked: only what may be one of their places is kept.
    let hashes: HashSet<u64> = (0..marked.len()).filter(|row| marked[*row]).map(hash).collect();
    let mut seen: HashSet<Vec<Option<&str>>> = HashSet::new();
    let mut count = 0;
    for (row, marked) in marked.iter().enumerate() {
        if row % (1 << 16) == 0 {
            progress::check()?;
        }
        if hashes.contains(&hash(row)) {
            count += usize::from(!seen.insert(place(row).collect()) && *marked);
        }
    }
    Ok(count)
}
