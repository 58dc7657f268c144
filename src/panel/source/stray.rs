//! Which rows of a file are no sales? Reports and queries put a total, a note or the number of rows below a table, and
//! where two exports were put together, the header stands there once more.
//!
//! Left out unasked, and named, is what cannot be a sale: rows that repeat the header, empty rows and lines of dashes
//! wherever they stand, and below the table rows that have no date, and no key with a number. A row in the middle of the
//! table that has no date, or more or fewer cells than the header, may be a sale that was damaged: it is refused with its
//! line, unless `stray = "drop"` leaves it out. A row that only names a key, above rows without one, gives them its key.

use std::collections::{BTreeSet, HashMap};

use polars::prelude::*;

use super::{MISSING, Needed, Part, Wanted, dates, short};
use crate::error::{Error, Result};
use crate::options::choice;
use crate::panel::called::names_total;

choice!(/// What to do with rows that are no sales.
    Stray { Ask, Drop, Refuse });

/// More rows than this below a table are no footer.
const MOST: usize = 30;

/// How people are told to leave such rows out.
pub(in crate::panel) const OPTION: &str = "stray = \"drop\" (on the command line: --reading stray=drop)";

/// A row with more or fewer cells than the header, which has no place in the frame.
pub(super) struct Ragged {
    /// How many rows of the frame stand above it.
    pub(super) before: usize,
    pub(super) line: u32,
    pub(super) cells: Vec<String>,
    /// What is wrong with it.
    pub(super) error: Error,
}

/// Why a row was left out.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub(super) enum Why {
    Header,
    Empty,
    Heading,
    Below,
    Dropped,
}

impl Why {
    fn words(self) -> &'static str {
        match self {
            Self::Header => "the header again",
            Self::Empty => "empty or of dashes",
            Self::Heading => "naming the key of the rows below",
            Self::Below => "below the table",
            Self::Dropped => "no sales",
        }
    }
}

/// A row that was left out: why, where, and what its first cell says.
#[derive(Clone, Debug)]
pub(super) struct Left {
    pub(super) why: Why,
    pub(super) place: u32,
    /// Is the place a line of the file, and not the number of a row?
    pub(super) line: bool,
    pub(super) said: String,
}

/// The part without the rows that are no sales; `stamps` are its columns of targets where it has one column per date.
///
/// # Errors
/// When a row has more or fewer cells than the header and may be a sale, or repeats the header in another order.
pub(super) fn without(
    part: Part,
    mut ragged: Vec<Ragged>,
    stamps: &[String],
    source: &str,
    wanted: &Wanted,
) -> Result<Part> {
    if wanted.reading.stray == Stray::Refuse {
        return if ragged.is_empty() { Ok(part) } else { Err(ragged.swap_remove(0).error) };
    }
    let columns = wanted.columns;
    let any = [Needed::Table, Needed::Own, Needed::Unasked].contains(&wanted.part);
    let long = stamps.is_empty() && !any;
    let mut work = Work { gone: BTreeSet::new(), left: Vec::new(), part };
    let first = if long { Some(columns.time.as_str()) } else { None };
    work.repeated(first)?;
    let end = work.below(&mut ragged, long, wanted)?;
    if long {
        work.headings(end, wanted)?;
    }
    ragged.retain(|row| {
        let empty = !row.cells.iter().any(|cell| says(cell));
        if empty {
            work.leave_ragged(Why::Empty, row);
        }
        !empty
    });
    for row in &ragged {
        let names = columns.names();
        let named = |name: &&str| row.cells.iter().any(|cell| cell.trim() == *name);
        if !any && names.iter().all(named) {
            return Err(another_header(source, &format!("line {}", row.line)));
        }
    }
    if wanted.reading.stray == Stray::Drop {
        if long {
            work.dropped(source, wanted)?;
        }
        // Where most rows are not as long as the header, it is the header that is wrong.
        if ragged.len() <= work.part.frame.height() {
            for row in std::mem::take(&mut ragged) {
                work.leave_ragged(Why::Dropped, &row);
            }
        }
    }
    if !ragged.is_empty() {
        return Err(ragged.swap_remove(0).error);
    }
    work.finish()
}

fn another_header(source: &str, place: &str) -> Error {
    Error::data(format!(
        "{place} of {source} is a header again, but its columns are not those of the first: split the file there, so \
         that each part has one header"
    ))
}

struct Work {
    part: Part,
    gone: BTreeSet<usize>,
    left: Vec<Left>,
}

/// Does a cell say anything? Dashes and stars do not.
fn says(cell: &str) -> bool {
    cell.chars().any(char::is_alphanumeric)
}

fn is_rule(cell: &str) -> bool {
    let cell = cell.trim();
    cell.len() > 1 && cell.chars().all(|c| "-=_+*─━═".contains(c))
}

/// Can it be read as a date by any way of writing them, or as a number, which a step is?
fn dated(text: &str, wanted: &Wanted) -> bool {
    let text = text.trim();
    text.parse::<f64>().is_ok_and(f64::is_finite)
        || dates::share_of_dates(&[text], wanted.columns.time_format.as_deref()) > 0.0
}

impl Work {
    fn leave(&mut self, why: Why, row: usize, said: &str) {
        if self.gone.insert(row) {
            let line = self.part.lines.get(row);
            let place = line.copied().unwrap_or(u32::try_from(row).unwrap_or(u32::MAX));
            self.left.push(Left { why, place, line: line.is_some(), said: short(said.trim()) });
        }
    }

    fn leave_ragged(&mut self, why: Why, row: &Ragged) {
        let said = row.cells.iter().find(|cell| says(cell)).map_or("", String::as_str);
        self.left.push(Left { why, place: row.line, line: true, said: short(said.trim()) });
    }

    /// Rows of which every cell is the name of its column, or dashes; only those are looked at whose cell in the column
    /// `first` is.
    fn repeated(&mut self, first: Option<&str>) -> Result<()> {
        let frame = &self.part.frame;
        let Some(first) = first.and_then(|name| frame.column(name).ok()).or_else(|| frame.columns().first()) else {
            return Ok(());
        };
        let (Ok(texts), true) = (first.str(), frame.width() > 1) else { return Ok(()) };
        let is = |cell: &str, name: &str| cell.trim_start_matches('\u{feff}').trim() == name;
        let name = first.name().as_str();
        let rule = |cell: &str| cell.starts_with(['-', '=', '_', '+', '*', '─', '━', '═']) && is_rule(cell);
        let marked = texts.iter().enumerate().filter_map(|(row, cell)| {
            let cell = cell?;
            (is(cell, name) || rule(cell)).then_some(row)
        });
        let mut found = Vec::new();
        for row in marked.collect::<Vec<_>>() {
            let cells = frame.columns().iter().map(|column| {
                let cell = column.str().ok().map(|texts| texts.get(row));
                (column.name().as_str(), cell)
            });
            let all = |test: &dyn Fn(&str, Option<&str>) -> bool| {
                cells.clone().all(|(name, cell)| cell.is_some_and(|cell| test(name, cell)))
            };
            if all(&|name, cell| cell.is_some_and(|cell| is(cell, name))) {
                found.push((Why::Header, row));
            } else if all(&|_, cell| cell.is_none_or(is_rule)) {
                found.push((Why::Empty, row));
            }
        }
        found.into_iter().for_each(|(why, row)| self.leave(why, row, ""));
        Ok(())
    }

    /// Leaves out what stands below the table; returns where that begins.
    fn below(&mut self, ragged: &mut Vec<Ragged>, long: bool, wanted: &Wanted) -> Result<usize> {
        let height = self.part.frame.height();
        let start = height.saturating_sub(MOST + 1);
        let tail = if long { Some(Tail::of(&self.part.frame, start, wanted)?) } else { None };
        let (mut end, mut fits, mut taken) = (height, ragged.len(), 0);
        let cut = ragged.last().is_some_and(|last| last.before == height && self.is_cut(&last.cells));
        while taken <= MOST {
            if let Some(last) = fits.checked_sub(1).map(|at| &ragged[at]).filter(|last| last.before >= end) {
                if (cut && fits == ragged.len()) || !is_note(&last.cells, long, wanted) {
                    break;
                }
                fits -= 1;
            } else if end > start && self.gone.contains(&(end - 1)) {
                end -= 1;
            } else if let Some(tail) = tail.as_ref().filter(|_| end > start)
                && tail.is_no_sale(end - 1 - start, wanted)
            {
                end -= 1;
            } else {
                break;
            }
            taken += 1;
        }
        // Where nothing is left above, or there are too many, it is no footer.
        if end == 0 || taken > MOST {
            return Ok(height);
        }
        let mut below: Vec<(u32, Option<usize>)> = (end..height).map(|row| (0, Some(row))).collect();
        below.retain(|(_, row)| row.is_some_and(|row| !self.gone.contains(&row)));
        for row in ragged.drain(fits..) {
            let why = if row.cells.iter().any(|cell| says(cell)) { Why::Below } else { Why::Empty };
            self.leave_ragged(why, &row);
        }
        for row in below.into_iter().filter_map(|(_, row)| row) {
            let said = tail.as_ref().map_or_else(String::new, |tail| tail.said(row - start));
            self.leave(if says(&said) { Why::Below } else { Why::Empty }, row, &said);
        }
        Ok(end)
    }

    /// May the single cell of the last row be the beginning of a row that was cut off?
    fn is_cut(&self, cells: &[String]) -> bool {
        let [cell] = cells else { return false };
        let cell = cell.trim();
        let begins = |text: &str| text.len() > cell.len() && text.starts_with(cell);
        !cell.is_empty()
            && self
                .part
                .frame
                .columns()
                .iter()
                .filter_map(|column| column.str().ok())
                .any(|texts| texts.iter().flatten().any(begins))
    }

    /// Gives the key of a row that says nothing else to the row below it, which has none; what is empty altogether goes.
    fn headings(&mut self, end: usize, wanted: &Wanted) -> Result<()> {
        let columns = wanted.columns;
        let Ok(time) = self.part.frame.column(&columns.time) else { return Ok(()) };
        if time.null_count() == 0 {
            return Ok(());
        }
        let time = time.is_null();
        let Ok(target) = self.part.frame.column(&columns.target) else { return Ok(()) };
        let target = target.is_null();
        let texts = columns.keys.iter().filter_map(|name| self.part.frame.column(name).ok()?.str().ok().cloned());
        let mut keys: Vec<Vec<Option<String>>> =
            texts.map(|texts| texts.iter().map(|text| text.map(String::from)).collect()).collect();
        if keys.len() < columns.keys.len() {
            return Ok(());
        }
        let mut moved = false;
        let mut below = None;
        for row in (0..end).rev().filter(|row| !self.gone.contains(row)).collect::<Vec<_>>() {
            let empty = target.get(row) == Some(true);
            if time.get(row) != Some(true) {
                below = Some(row);
            } else if empty {
                let named: Vec<usize> = (0..keys.len()).filter(|key| keys[*key][row].is_some()).collect();
                if named.is_empty() {
                    self.leave(Why::Empty, row, "");
                } else if let Some(below) = below.filter(|below| named.iter().all(|key| keys[*key][*below].is_none())) {
                    let said = named.iter().filter_map(|key| keys[*key][row].clone()).collect::<Vec<_>>().join(", ");
                    for key in named {
                        keys[key][below] = keys[key][row].clone();
                    }
                    moved = true;
                    self.leave(Why::Heading, row, &said);
                } else {
                    below = Some(row);
                }
            } else {
                below = Some(row);
            }
        }
        if moved {
            for (name, cells) in columns.keys.iter().zip(keys) {
                self.part.frame.with_column(Column::new(name.as_str().into(), cells))?;
            }
        }
        Ok(())
    }

    /// Leaves out all rows without a date, as was asked.
    fn dropped(&mut self, source: &str, wanted: &Wanted) -> Result<()> {
        let columns = wanted.columns;
        let Ok(time) = self.part.frame.column(&columns.time) else { return Ok(()) };
        let mut known: HashMap<&str, bool> = HashMap::new();
        let texts = time.str().ok();
        let mut rows: Vec<(usize, String)> = Vec::new();
        for (row, empty) in time.is_null().iter().enumerate() {
            let text = texts.and_then(|texts| texts.get(row));
            let good = match text {
                Some(text) => *known.entry(text).or_insert_with(|| dated(text, wanted)),
                None => empty != Some(true),
            };
            if !good && !self.gone.contains(&row) {
                rows.push((row, text.unwrap_or_default().to_string()));
            }
        }
        let names = columns.names();
        for (row, _) in rows.iter().filter(|(_, said)| names.contains(&said.trim())) {
            let cells = self.part.frame.columns().iter().filter_map(|column| column.str().ok()?.get(*row));
            if cells.filter(|cell| names.contains(&cell.trim())).count() == names.len() {
                return Err(another_header(source, &self.part.row_text(*row)));
            }
        }
        // Where half of the rows have none, dates are written in a way that is not known.
        if rows.len() * 2 >= self.part.frame.height() {
            return Ok(());
        }
        for (row, said) in rows {
            let said = if says(&said) { said } else { Tail::of(&self.part.frame, row, wanted)?.said(0) };
            self.leave(Why::Dropped, row, &said);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Part> {
        if !self.gone.is_empty() {
            let mask: Vec<bool> = (0..self.part.frame.height()).map(|row| !self.gone.contains(&row)).collect();
            self.part.frame = self.part.frame.filter(&BooleanChunked::from_slice("".into(), &mask))?;
            if !self.part.lines.is_empty() {
                let mut kept = mask.iter();
                self.part.lines.retain(|_| kept.next() == Some(&true));
            }
        }
        self.left.sort_by_key(|left| left.place);
        self.part.left = self.left;
        Ok(self.part)
    }
}

/// The last rows of a part, as text.
struct Tail {
    keys: Vec<Column>,
    time: Option<Column>,
    target: Option<Column>,
    /// Are timestamps texts, which may be anything?
    written: bool,
}

impl Tail {
    fn of(frame: &DataFrame, start: usize, wanted: &Wanted) -> Result<Self> {
        let columns = wanted.columns;
        let text = |name: &String| -> Result<Option<Column>> {
            let Ok(column) = frame.column(name) else { return Ok(None) };
            Ok(Some(column.slice(start as i64, MOST + 1).cast(&DataType::String)?))
        };
        Ok(Self {
            keys: columns.keys.iter().filter_map(|name| text(name).transpose()).collect::<Result<_>>()?,
            time: text(&columns.time)?,
            target: text(&columns.target)?,
            written: frame.column(&columns.time).is_ok_and(|time| time.dtype() == &DataType::String),
        })
    }

    fn cell(column: &Column, row: usize) -> Option<&str> {
        column.str().ok()?.get(row).filter(|cell| says(cell))
    }

    /// What the first cell of a row says that says anything.
    fn said(&self, row: usize) -> String {
        let cells = self.time.iter().chain(&self.keys).chain(&self.target);
        cells.filter_map(|column| Self::cell(column, row)).next().unwrap_or_default().replace(super::numbers::TYPED, "")
    }

    /// Has a row no date, and no key with a number that a sale could be?
    fn is_no_sale(&self, row: usize, wanted: &Wanted) -> bool {
        let given = |cell: &&str| !MISSING.contains(&cell.trim());
        let time = self.time.as_ref().and_then(|column| Self::cell(column, row)).filter(given);
        let target = self.target.as_ref().and_then(|column| Self::cell(column, row)).filter(given);
        let keys: Vec<&str> = self.keys.iter().filter_map(|column| Self::cell(column, row)).collect();
        match time {
            Some(_) if !self.written => return false,
            Some(time) if dated(time, wanted) => return false,
            _ => {}
        }
        let named = time.is_some_and(names_total) || keys.iter().any(|key| names_total(key));
        let nobody = keys.is_empty() && !self.keys.is_empty();
        let note = self.target.is_some() && target.is_none() && (time.is_none() || keys.is_empty());
        named || nobody || note
    }
}

/// Is a row of another length than the header a note, a total, or nothing at all?
fn is_note(cells: &[String], long: bool, wanted: &Wanted) -> bool {
    let said: Vec<&str> = cells.iter().map(|cell| cell.trim()).filter(|cell| says(cell)).collect();
    match said.as_slice() {
        [] => true,
        [one] => !dated(one, wanted),
        [first, ..] => {
            let date = |cell: &&str| !cell.parse::<f64>().is_ok_and(f64::is_finite) && dated(cell, wanted);
            long && names_total(first) && !said.iter().any(date)
        }
    }
}

/// One remark for each reason for which rows of these parts were left out.
pub(super) fn remarks(parts: &[(String, Vec<Left>)], of: &str) -> Vec<String> {
    const NAMED: usize = 4;
    let mut remarks = Vec::new();
    for why in [Why::Header, Why::Empty, Why::Heading, Why::Below, Why::Dropped] {
        let lefts: Vec<(&str, Vec<&Left>)> = parts
            .iter()
            .map(|(name, lefts)| (name.as_str(), lefts.iter().filter(|left| left.why == why).collect::<Vec<_>>()))
            .filter(|(_, lefts)| !lefts.is_empty())
            .collect();
        let count: usize = lefts.iter().map(|(_, lefts)| lefts.len()).sum();
        let more =
            |shown: usize, all: usize| if all > shown { format!(" and {} more", all - shown) } else { String::new() };
        match lefts.as_slice() {
            [] => {}
            [(_, lefts)] if parts.len() == 1 => {
                let ranges = ranges(lefts);
                let shown: Vec<String> = ranges.iter().take(NAMED).cloned().collect();
                let unit = if lefts[0].line { "line" } else { "row" };
                let many = if count > 1 { "s" } else { "" };
                let mut said: Vec<&str> =
                    lefts.iter().map(|left| left.said.as_str()).filter(|said| says(said)).collect();
                said.dedup();
                let words = said.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
                let words = if words.is_empty() {
                    words
                } else {
                    format!(": {words}{}", if said.len() > NAMED { " …" } else { "" })
                };
                remarks.push(format!(
                    "{unit}{many} {}{} left out, {}{words}",
                    shown.join(", "),
                    more(shown.len(), ranges.len()),
                    why.words()
                ));
            }
            lefts => {
                let first = |(name, lefts): &(&str, Vec<&Left>)| {
                    let unit = if lefts[0].line { "line" } else { "row" };
                    let said = if says(&lefts[0].said) { format!(" ({})", lefts[0].said) } else { String::new() };
                    format!("{unit} {} of {name}{said}", lefts[0].place)
                };
                let shown: Vec<String> = lefts.iter().take(NAMED - 1).map(first).collect();
                remarks.push(format!(
                    "rows left out, {}: {count} in {} of {} {of}: {}{}",
                    why.words(),
                    lefts.len(),
                    parts.len(),
                    shown.join(", "),
                    if count > shown.len() { " …" } else { "" }
                ));
            }
        }
    }
    remarks
}

/// The places of rows, neighbours as one: `44–46`.
fn ranges(lefts: &[&Left]) -> Vec<String> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for left in lefts {
        match ranges.last_mut() {
            Some((_, end)) if left.place == end.saturating_add(1) => *end = left.place,
            _ => ranges.push((left.place, left.place)),
        }
    }
    ranges.iter().map(|(from, to)| if from == to { from.to_string() } else { format!("{from}–{to}") }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::panel::Columns;
    use crate::panel::source::Reading;

    fn read(rows: &[[&str; 3]], stray: Stray) -> Result<Part> {
        let column = |name: &str, at: usize| {
            let cells: Vec<Option<&str>> = rows.iter().map(|row| (!row[at].is_empty()).then_some(row[at])).collect();
            Column::new(name.into(), cells)
        };
        let frame = DataFrame::new(rows.len(), vec![column("item", 0), column("day", 1), column("sold", 2)])?;
        let lines = (2..2 + rows.len() as u32).collect();
        let part = Part { frame, lines, found: Vec::new(), unread: Vec::new(), left: Vec::new() };
        let columns = Columns::new(["item"], "day", "sold");
        let reading = Reading { stray, ..Reading::default() };
        let wanted =
            Wanted { columns: &columns, reading: &reading, part: Needed::History, decimal: None, given: Vec::new() };
        without(part, Vec::new(), &[], "a.csv", &wanted)
    }

    fn places(part: &Part) -> Vec<(Why, u32)> {
        part.left.iter().map(|left| (left.why, left.place)).collect()
    }

    #[test]
    fn what_stands_below_a_table() {
        let table = [["mug", "2024-01-01", "3"], ["mug", "2024-01-02", "5"]];
        for below in [
            ["", "Total", "8"],
            ["", "", "8"],
            ["Grand Total", "", "8"],
            ["Summe:", "", "8"],
            ["mug", "Total mug", "8"],
            ["", "Generated on 2024-01-03", ""],
            ["2 rows selected.", "", ""],
        ] {
            let part = read(&[table[0], table[1], below], Stray::Ask).unwrap();
            assert_eq!(places(&part), [(Why::Below, 4)], "{below:?}");
            assert_eq!((part.frame.height(), part.lines.len()), (2, 2));
            assert_eq!(read(&[table[0], table[1], below], Stray::Refuse).unwrap().frame.height(), 3);
        }
        // Each of these may be a sale.
        for sale in [["mug", "", "8"], ["mug", "2024-13-01", "8"], ["cup", "2024-01-03", ""], ["", "2024-01-03", "8"]] {
            assert!(places(&read(&[table[0], table[1], sale], Stray::Ask).unwrap()).is_empty(), "{sale:?}");
        }
        // In the middle of the table, a total is left to be asked about.
        let middle = [table[0], ["", "Total", "3"], table[1]];
        assert!(places(&read(&middle, Stray::Ask).unwrap()).is_empty());
        assert_eq!(places(&read(&middle, Stray::Drop).unwrap()), [(Why::Dropped, 3)]);
    }

    #[test]
    fn headers_again_and_rows_that_say_nothing() {
        let header = ["item", "day", "sold"];
        let rows = [["---", "---", "--"], ["mug", "2024-01-01", "3"], header, ["", "", ""], ["mug", "2024-01-02", "5"]];
        let part = read(&rows, Stray::Ask).unwrap();
        assert_eq!(places(&part), [(Why::Empty, 2), (Why::Header, 4), (Why::Empty, 5)]);
        let turned = [["mug", "2024-01-01", "3"], ["day", "item", "sold"], ["2024-01-02", "mug", "5"]];
        let error = read(&turned, Stray::Drop).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("line 3 of a.csv is a header again"), "{error}");
    }

    #[test]
    fn a_row_that_names_a_key_gives_it_to_those_below() {
        let rows = [
            ["mug", "", ""],
            ["", "2024-01-01", "3"],
            ["", "2024-01-02", "5"],
            ["cup", "", ""],
            ["", "2024-01-01", "1"],
        ];
        let part = read(&rows, Stray::Ask).unwrap();
        let items = part.frame.column("item").unwrap().str().unwrap().iter().collect::<Vec<_>>();
        assert_eq!(items, [Some("mug"), None, Some("cup")]);
        assert_eq!(places(&part), [(Why::Heading, 2), (Why::Heading, 5)]);
    }

    #[test]
    fn places_are_named_and_counted() {
        let left = |place, said: &str| Left { why: Why::Below, place, line: true, said: said.into() };
        let one = vec![("a.csv".to_string(), vec![left(44, "Total"), left(45, "note"), left(47, "")])];
        assert_eq!(remarks(&one, "files"), ["lines 44–45, 47 left out, below the table: Total, note"]);
        let many: Vec<(String, Vec<Left>)> = (0..50).map(|k| (format!("{k}.csv"), vec![left(44, "Total")])).collect();
        let said = remarks(&many, "files");
        assert_eq!(said.len(), 1);
        assert!(said[0].starts_with("rows left out, below the table: 50 in 50 of 50 files: line 44 of 0.csv (Total)"));
        assert!(said[0].len() < 200, "{}", said[0]);
    }

    proptest! {
        /// Whatever stands around it, a row with a date, a key and a number stays, and no row comes from nowhere.
        #[test]
        fn a_sale_is_never_left_out(
            rows in proptest::collection::vec(
                ("(mug|cup|Total|All items||item|---|.{0,4})", "(2024-0[1-9]-[0-2][1-8]||Total|day|---|.{0,6})", "([0-9]{1,3}||sold|---|.{0,3})"),
                0..50,
            ),
            drop: bool,
        ) {
            let cells: Vec<[&str; 3]> = rows.iter().map(|(item, day, sold)| [item.as_str(), day.as_str(), sold.as_str()]).collect();
            let stray = if drop { Stray::Drop } else { Stray::Ask };
            let sale = |row: &[&str; 3]| {
                !row[0].is_empty() && row[1].starts_with("2024-") && row[1].len() == 10 && row[2].parse::<f64>().is_ok()
            };
            if let Ok(part) = read(&cells, stray) {
                prop_assert_eq!(part.frame.height() + part.left.len(), cells.len());
                prop_assert_eq!(part.frame.height(), part.lines.len());
                for (row, _) in cells.iter().enumerate().filter(|(_, row)| sale(row)) {
                    prop_assert!(part.lines.contains(&(row as u32 + 2)), "row {} of {:?}", row, cells);
                }
            }
        }
    }
}
