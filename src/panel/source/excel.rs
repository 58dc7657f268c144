//! Workbooks: Excel (.xlsx, .xlsm, .xlsb, .xls) and OpenDocument (.ods), through calamine.

use std::collections::{HashMap, HashSet};
use std::io::{BufReader, Read};
use std::path::Path;

use calamine::{Data, Dimensions, Ods, Range, Reader, SheetVisible, Sheets, Xls, Xlsb, Xlsx};
use polars::prelude::*;

use super::{Cells, Part, Parts, Wanted, listed, places};
use crate::error::{Error, Result, suggestion};
use crate::files::{self, File};

/// The most rows above the header.
const PREAMBLE: usize = 30;

/// A sheet that is read.
struct Sheet {
    name: String,
    range: Range<Data>,
    /// The row of the header within the range.
    header: usize,
    /// The first cell of each region of merged cells, for its other cells, by row and column of the sheet.
    merged: HashMap<(u32, u32), (u32, u32)>,
}

/// Reads the sheets that hold the declared columns: several are one table when none repeats the series and timestamps
/// of another, else it is asked which is meant.
pub(super) fn read(path: &Path, wanted: &Wanted) -> Result<Parts> {
    let source = path.display().to_string();
    let damaged = |cause: calamine::Error| Error::data(format!("{source} is not a readable workbook")).because(cause);
    let mut book = open(path, damaged)?;
    let mut all: Vec<(String, bool)> = book
        .sheets_metadata()
        .iter()
        .map(|sheet| (sheet.name.clone(), sheet.visible == SheetVisible::Visible))
        .collect();
    let (mut stated, mut named) = (false, false);
    if let Some(name) = &wanted.reading.sheet {
        let pattern = glob::Pattern::new(name).ok();
        let exact = all.iter().any(|(known, _)| known == name);
        let is = |known: &str| {
            if exact { known == name } else { pattern.as_ref().is_some_and(|pattern| pattern.matches(known)) }
        };
        let nearest = suggestion(name, all.iter().map(|(known, _)| known.as_str()));
        let missing = Error::usage(format!("{source} has no sheet `{name}`{nearest}"));
        all.retain(|(known, _)| is(known));
        // Those that a pattern names may be read together whatever they hold.
        (stated, named) = (!exact, exact);
        if all.is_empty() {
            return Err(missing);
        }
        all.iter_mut().for_each(|(_, visible)| *visible = true);
    }
    let mut sheets = Vec::new();
    for name in all.iter().filter(|(_, visible)| *visible).map(|(name, _)| name) {
        let range = match book.worksheet_range(name) {
            Ok(range) => range,
            Err(cause) if named => return Err(damaged(cause)),
            // A chart has no cells.
            Err(_) => continue,
        };
        if !range.is_empty() {
            let (header, matches) = header(&range, wanted);
            sheets.push((matches, Sheet { name: name.clone(), range, header, merged: HashMap::new() }));
        }
    }
    let most = sheets.iter().map(|(matches, _)| *matches).max();
    let Some(most) = most else { return Err(Error::data(format!("{source} has no sheet with cells"))) };
    let mut sheets: Vec<Sheet> = sheets.into_iter().filter(|(matches, _)| *matches == most).map(|(_, s)| s).collect();
    if sheets.len() > 1 {
        let first = sheets[0].columns();
        let alike = |sheet: &Sheet| {
            let columns = sheet.columns();
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            match wanted.part {
                super::Needed::Table | super::Needed::Own | super::Needed::Unasked => sheet.columns() == first,
                _ => wanted.layout(&columns, &source).is_ok(),
            }
        };
        match sheets.iter().any(alike) {
            // Sheets with nothing below the header say nothing.
            true => sheets.retain(|sheet| alike(sheet) && (sheet.range.height() > sheet.header + 1)),
            false => sheets.truncate(1),
        }
    }
    for sheet in &mut sheets {
        sheet.merged = merged(&mut book, &sheet.name, &sheet.range);
    }
    let mut awaited = None;
    for sheet in &sheets {
        calculated(&mut book, sheet, path, &mut awaited, wanted)?;
    }
    let names: Vec<String> = sheets.iter().map(|sheet| sheet.name.clone()).collect();
    let rest: Vec<String> = all.into_iter().map(|(name, _)| name).filter(|name| !names.contains(name)).collect();
    let mut said = Vec::new();
    let mut parts = Vec::new();
    for sheet in sheets {
        let part = sheet.part(&source, wanted)?;
        parts.push((format!("{source}, sheet {}", sheet.name), part));
    }
    match names.as_slice() {
        [] => return Err(Error::data(format!("{source} has no rows"))),
        [name] => said.push(format!("sheet {name}")),
        names => {
            if !stated {
                apart(&parts, names, &source, wanted)?;
            }
            said.push(format!("{} sheets read as one: {}", names.len(), listed(names)));
        }
    }
    if let [(name, part)] = parts.as_mut_slice() {
        *name = source.clone();
        said.append(&mut part.found);
    }
    if !rest.is_empty() {
        said.push(format!("sheets not read: {}", listed(&rest)));
    }
    Ok((parts, said))
}

impl Sheet {
    /// The cells of the header.
    fn columns(&self) -> Vec<String> {
        let cells = self.range.rows().nth(self.header).unwrap_or_default();
        cells.iter().map(|cell| text(cell).trim().to_string()).collect()
    }

    fn part(&self, book: &str, wanted: &Wanted) -> Result<Part> {
        let source = format!("{book}, sheet {},", self.name);
        let (top, left) = self.range.start().unwrap_or_default();
        let header = self.columns();
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        let layout = wanted.layout(&header, &source)?;
        let names = layout.names();
        let at = places(&names, &header, &source)?;
        let mut cells = Cells::new(names, wanted);
        let (mut lines, mut spread) = (Vec::new(), Vec::new());
        for (row, values) in self.range.rows().enumerate().skip(self.header + 1) {
            // Empty rows at the end are formatting, not data.
            if values.iter().all(|cell| matches!(cell, Data::Empty)) {
                continue;
            }
            for (column, place) in at.iter().enumerate() {
                let mut cell = &values[*place];
                let own = (top + row as u32, left + *place as u32);
                // Merged cells are one: what the first holds is said of them all. A sum over rows is no row's target.
                if let Some(first) = self.merged.get(&own)
                    && matches!(cell, Data::Empty)
                    && header[*place] != wanted.columns.target
                    && let Some(value) = self.range.get_value(*first)
                {
                    cell = value;
                    if !spread.contains(place) {
                        spread.push(*place);
                    }
                }
                match cell {
                    Data::Float(number) => cells.push_number(column, &number.to_string()),
                    cell => cells.push(column, &text(cell)),
                }
            }
            lines.push(own_row(top, row));
        }
        let mut found = Vec::new();
        if self.header > 0 {
            found.push(format!("the header is in row {}", own_row(top, self.header)));
        }
        if !spread.is_empty() {
            spread.sort_unstable();
            let names: Vec<String> = spread.iter().map(|place| header[*place].to_string()).collect();
            found.push(format!("merged cells repeated for each of their rows: {}", listed(&names)));
        }
        layout.part(cells.frame()?, lines, found, wanted)
    }
}

/// The row of the sheet, counted from 1.
fn own_row(top: u32, row: usize) -> u32 {
    top + row as u32 + 1
}

/// Opens a workbook of the kind that its extension names.
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

/// For each cell of a region of merged cells but the first: the first, by row and column of the sheet.
fn merged<R: std::io::Read + std::io::Seek>(
    book: &mut Sheets<R>,
    name: &str,
    range: &Range<Data>,
) -> HashMap<(u32, u32), (u32, u32)> {
    // A workbook whose regions cannot be read has none: its cells are what they are.
    let regions: Vec<Dimensions> = match book {
        Sheets::Xlsx(book) => book.merge_cells_by_sheet_name(name).unwrap_or_default(),
        Sheets::Xls(book) => book.merge_cells_by_sheet_name(name).unwrap_or_default(),
        Sheets::Xlsb(_) | Sheets::Ods(_) => Vec::new(),
    };
    let (last_row, last_column) = range.end().unwrap_or_default();
    let mut merged = HashMap::new();
    for region in regions {
        for row in region.start.0..=region.end.0.min(last_row) {
            for column in region.start.1..=region.end.1.min(last_column) {
                if (row, column) != region.start {
                    merged.insert((row, column), region.start);
                }
            }
        }
    }
    merged
}

/// Refuses declared columns of formulas whose values nobody has calculated: programs that write workbooks store none, or 0,
/// and leave it to the spreadsheet program. `awaited` is whether the workbook says that it is to be calculated, once known.
fn calculated<R: std::io::Read + std::io::Seek>(
    book: &mut Sheets<R>,
    sheet: &Sheet,
    path: &Path,
    awaited: &mut Option<bool>,
    wanted: &Wanted,
) -> Result<()> {
    if ![super::Needed::History, super::Needed::Future].contains(&wanted.part) {
        return Ok(());
    }
    let (top, left) = sheet.range.start().unwrap_or_default();
    let zero = |cell: &Data| match cell {
        Data::Int(number) => *number == 0,
        Data::Float(number) => *number == 0.0,
        Data::DateTime(stamp) => stamp.as_f64() == 0.0,
        _ => false,
    };
    let header = sheet.columns();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let named = wanted.layout(&header, &sheet.name)?.names();
    let mut formulas: Option<Range<String>> = None;
    for place in (0..header.len()).filter(|place| named.iter().any(|name| name == header[*place])) {
        let cells = || sheet.range.rows().enumerate().skip(sheet.header + 1).map(|(row, cells)| (row, &cells[place]));
        let (empty, zeros) = cells().fold((0, 0), |(empty, zeros), (_, cell)| {
            (empty + usize::from(matches!(cell, Data::Empty)), zeros + usize::from(zero(cell)))
        });
        if empty + zeros == 0 {
            continue;
        }
        let awaited = *awaited.get_or_insert_with(|| is_to_be_calculated(path));
        // In a workbook that a spreadsheet program has saved, a zero is one.
        if !awaited && empty * 2 < cells().count() {
            continue;
        }
        if formulas.is_none() {
            formulas = Some(book.worksheet_formula(&sheet.name).unwrap_or_default());
        }
        let has = |row: usize| {
            let own = (top + row as u32, left + place as u32);
            formulas.as_ref().and_then(|formulas| formulas.get_value(own)).is_some_and(|formula| !formula.is_empty())
        };
        let of: Vec<(usize, &Data)> = cells().filter(|(row, _)| has(*row)).collect();
        let none: Vec<usize> = of.iter().filter(|(_, cell)| matches!(cell, Data::Empty)).map(|(row, _)| *row).collect();
        let nothing = of.iter().all(|(_, cell)| matches!(cell, Data::Empty) || (awaited && zero(cell)));
        let rows: Vec<usize> = if nothing { of.iter().map(|(row, _)| *row).collect() } else { none.clone() };
        // A single one without a value is a missing value, as the audit says.
        if rows.len() == 1 && none == rows {
            continue;
        }
        if let Some(first) = rows.first().filter(|_| nothing || awaited) {
            return Err(Error::data(format!(
                "column `{}` of {}, sheet {}, holds {} whose values were never calculated (first: row {}), so that they \
                 would count as 0 or as missing; open the workbook in a spreadsheet program, save it, and read \
                 it again",
                header[place],
                path.display(),
                sheet.name,
                crate::show::words::counted(rows.len(), "formula", "formulas"),
                own_row(top, *first),
            )));
        }
    }
    Ok(())
}

/// Does a workbook say that its formulas are to be calculated when it is opened?
fn is_to_be_calculated(path: &Path) -> bool {
    // The part that says so is short.
    const MOST: u64 = 1 << 20;
    let read = || {
        let mut archive = ::zip::ZipArchive::new(BufReader::new(files::open(path).ok()?)).ok()?;
        let mut text = String::new();
        archive.by_name("xl/workbook.xml").ok()?.take(MOST).read_to_string(&mut text).ok()?;
        Some(text)
    };
    read()
        .is_some_and(|text| ["fullCalcOnLoad=\"1\"", "fullCalcOnLoad=\"true\""].iter().any(|flag| text.contains(flag)))
}

/// Refuses sheets that contradict or repeat each other: a copy, a plan beside the sales, a shop each without its name.
fn apart(parts: &[(String, Part)], names: &[String], source: &str, wanted: &Wanted) -> Result<()> {
    let columns = wanted.columns;
    let mut before: HashSet<Vec<Option<String>>> = HashSet::new();
    for ((_, part), name) in parts.iter().zip(names) {
        let of = columns.keys.iter().chain([&columns.time]).filter_map(|name| part.frame.column(name).ok());
        let of: Vec<Column> = of.map(|column| column.cast(&DataType::String)).collect::<PolarsResult<_>>()?;
        let of: Vec<&StringChunked> = of.iter().map(Column::str).collect::<PolarsResult<_>>()?;
        let place = |row: usize| of.iter().map(|column| column.get(row).map(String::from)).collect::<Vec<_>>();
        let places: Vec<_> = (0..part.frame.height()).map(place).collect();
        if let Some((row, place)) = places.iter().enumerate().find(|(_, place)| before.contains(*place)) {
            let place: Vec<&str> = place.iter().map(|cell| cell.as_deref().unwrap_or("(empty)")).collect();
            return Err(Error::data(format!(
                "{source} has {} sheets with these columns, and sheet {name}, {}, repeats a row of a sheet before it ({}); \
                 state which to read: sheet = \"{}\", or sheet = \"*\" for all of {} (on the command line: \
                 --reading \"sheet='{}'\")",
                names.len(),
                part.row_text(row),
                place.join(", "),
                names[0],
                listed(names),
                names[0],
            )));
        }
        before.extend(places);
    }
    Ok(())
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

/// A cell as text: whole numbers without a point, dates as 2012-10-26.
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
