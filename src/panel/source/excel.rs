//! Workbooks: Excel (.xlsx, .xlsm, .xlsb, .xls) and OpenDocument (.ods), through calamine.

use std::io::BufReader;
use std::path::Path;

use calamine::{Data, Ods, Range, Reader, Sheets, Xls, Xlsb, Xlsx};

use super::{Cells, Part, Wanted, places};
use crate::error::{Error, Result, suggestion};
use crate::files::{self, File};

/// Rows that may stand above the header.
const PREAMBLE: usize = 30;

pub(super) fn read(path: &Path, wanted: &Wanted) -> Result<Part> {
    let source = path.display().to_string();
    let damaged = |cause: calamine::Error| Error::data(format!("{source} is not a readable workbook")).because(cause);
    let mut book = open(path, damaged)?;
    let names = book.sheet_names();
    let (sheet, range) = match &wanted.reading.sheet {
        Some(name) => {
            if !names.contains(name) {
                let nearest = suggestion(name, names.iter().map(String::as_str));
                return Err(Error::usage(format!("{source} has no sheet `{name}`{nearest}")));
            }
            (name.clone(), book.worksheet_range(name).map_err(damaged)?)
        }
        None => best_sheet(&mut book, names, wanted, &source)?,
    };
    let source = format!("{source}, sheet {sheet},");
    let top = range.start().map_or(0, |(row, _)| row);
    let header_row = header(&range, wanted).0;
    let mut rows = range.rows().skip(header_row);
    let Some(header) = rows.next() else { return Err(Error::data(format!("{source} is empty"))) };
    let header: Vec<String> = header.iter().map(|cell| text(cell).trim().to_string()).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let layout = wanted.layout(&header, &source)?;
    let names = layout.names();
    let at = places(&names, &header, &source)?;
    let mut cells = Cells::new(names, wanted);
    let mut lines = Vec::new();
    for (row, values) in rows.enumerate() {
        // Empty rows at the end are formatting, not data.
        if values.iter().all(|cell| matches!(cell, Data::Empty)) {
            continue;
        }
        for (column, place) in at.iter().enumerate() {
            cells.push(column, &text(&values[*place]));
        }
        lines.push(top + header_row as u32 + row as u32 + 2);
    }
    let mut found = vec![format!("sheet {sheet}")];
    if header_row > 0 {
        found.push(format!("the header is in row {}", top as usize + header_row + 1));
    }
    let part = Part { frame: cells.frame()?, lines, found };
    layout.long(part, wanted.columns)
}

/// Opens a workbook of the kind that its name says.
fn open(path: &Path, damaged: impl Fn(calamine::Error) -> Error) -> Result<Sheets<BufReader<File>>> {
    let file = BufReader::new(files::open(path)?);
    let end = path.extension().map(|end| end.to_string_lossy().to_lowercase());
    let book = match end.as_deref() {
        Some("xls") => Xls::new(file).map(Sheets::Xls).map_err(calamine::Error::Xls),
        Some("xlsb") => Xlsb::new(file).map(Sheets::Xlsb).map_err(calamine::Error::Xlsb),
        Some("ods") => Ods::new(file).map(Sheets::Ods).map_err(calamine::Error::Ods),
        _ => Xlsx::new(file).map(Sheets::Xlsx).map_err(calamine::Error::Xlsx),
    };
    book.map_err(damaged)
}

/// The sheet whose header names most of the declared columns, the first among equals.
fn best_sheet<R: std::io::Read + std::io::Seek>(
    book: &mut Sheets<R>,
    names: Vec<String>,
    wanted: &Wanted,
    source: &str,
) -> Result<(String, Range<Data>)> {
    let mut best: Option<(usize, String, Range<Data>)> = None;
    for name in names {
        let Ok(range) = book.worksheet_range(&name) else { continue };
        let matches = header(&range, wanted).1;
        if !range.is_empty() && best.as_ref().is_none_or(|(known, ..)| matches > *known) {
            best = Some((matches, name, range));
        }
    }
    best.map(|(_, name, range)| (name, range)).ok_or_else(|| Error::data(format!("{source} has no sheet with cells")))
}

/// The row that names most of the declared columns, and how many.
fn header(range: &Range<Data>, wanted: &Wanted) -> (usize, usize) {
    let mut best = (0, 0);
    for (row, cells) in range.rows().take(PREAMBLE).enumerate() {
        let cells: Vec<String> = cells.iter().map(|cell| text(cell).trim().to_string()).collect();
        let matches = wanted.matches(cells.iter().map(String::as_str));
        if matches > best.1 {
            best = (row, matches);
        }
    }
    best
}

/// A cell as it would stand in a text file; whole numbers without a point, dates as 2012-10-26.
fn text(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Int(number) => number.to_string(),
        Data::Float(number) => number.to_string(),
        Data::Bool(value) => value.to_string(),
        Data::DateTime(stamp) => match stamp.as_datetime() {
            Some(stamp) if stamp.time() == chrono::NaiveTime::MIN => stamp.format("%Y-%m-%d").to_string(),
            Some(stamp) => stamp.format("%Y-%m-%d %H:%M:%S").to_string(),
            None => stamp.as_f64().to_string(),
        },
        Data::Error(calamine::CellErrorType::NA) => String::new(),
        Data::Error(error) => error.to_string(),
    }
}
