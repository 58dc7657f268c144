//! How does any sales file become a frame? Text with whatever delimiter, decimal mark, quote, encoding and compression,
//! Parquet, Excel, NDJSON, a folder or pattern of files as one, and the answer of an SQL query.
//!
//! What is not stated is detected, and what was detected is reported. Everything but Parquet is read as text first, so
//! that a cell that is not a number or date can be quoted as written, with its line. Types are inferred column by
//! column over all files together: keys become whole numbers if every one is written as such (`007` stays text),
//! covariates numbers or booleans if all of them are.
//!
//! | file | question |
//! |---|---|
//! | `bytes` | how do compressed bytes in some encoding become text, without filling the memory? |
//! | `delimited`, `excel`, `ndjson`, `parquet`, `sql` | one kind of source each |
//! | `folders` | which columns stand in the names of folders? |
//! | `keys` | does an empty key repeat that of the row above? |
//! | `stray` | which rows are no sales? |
//! | `wide` | how does a column per date become a row per date? |
//! | `numbers`, `dates` | which numbers or dates are in a column? |
//! | `amounts`, `written`, `names` | which amount, which date is in one cell? |
//! | `own` | a file that is not a panel: [`Table::read`](crate::show::Table::read) |
//! | `transactions` | how do many rows per day become one? |
//! | `table` | the cells of a file that is not a panel |
//! | `unpacked` | how large is a file once it is unpacked? |

mod amounts;
mod bytes;
mod dates;
mod delimited;
mod excel;
pub(crate) mod folders;
mod keys;
mod names;
mod ndjson;
mod numbers;
mod own;
mod parquet;
mod sql;
mod stray;
mod table;
mod transactions;
#[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "only a server takes files of anybody"))]
mod unpacked;
mod wide;
mod written;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::columns::{check_present, halves};
use super::{Columns, Provenance};
use crate::error::{Error, Result};
use crate::job::Job;
use crate::{options, progress};
use stray::{Left, Ragged};

pub(crate) use dates::parse_stamp;
pub(super) use dates::{dated, joint, parse_time, reads_as_periods, share_of_dates, time_column};
pub(super) use numbers::{all_numbers, nothing_in_target, target_numbers};
pub(super) use parquet::{CLEANED, ROLES, kept, saved_columns};
pub(super) use stray::OPTION as LEAVE_OUT;
pub use stray::Stray;
pub(crate) use table::Rows;
pub(super) use transactions::per_period;
#[cfg(feature = "serve")]
pub(crate) use unpacked::unpacks_within;

/// Cells that mean "no value".
const MISSING: [&str; 8] = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"];

/// Cells that mean "no value" where all others of the column are numbers; elsewhere they may be a category.
const NOTHING: [&str; 13] = ["#N/A", "#n/a", "#NA", "#NV", "n/a", "n.a.", "-", "--", "–", "—", ".", "?", "N.A."];

/// How a source is to be read where it should not be found out.
///
/// ```
/// use tradewind::prelude::*;
/// let reading = Reading::parse("delimiter=';', decimal=',', encoding=latin1")?;
/// assert_eq!(reading.decimal.as_deref(), Some(","));
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Reading {
    /// The delimiter of a text file: one character, or the word tab.
    pub delimiter: Option<String>,
    /// The quote around cells of a text file that contain a delimiter: one character.
    pub quote: Option<String>,
    /// The decimal mark of numbers written as text: a point or a comma.
    pub decimal: Option<String>,
    /// The encoding of a text file by its common name: utf-8, latin1, windows-1252, utf-16le.
    pub encoding: Option<String>,
    /// The time zone of the timestamps: Europe/Berlin. Required where timestamps carry changing offsets; without offsets
    /// they are the wall clock of that zone.
    pub time_zone: Option<String>,
    /// The sheet of a workbook, by name; several by a pattern, such as * for all.
    pub sheet: Option<String>,
    /// The SQL query that returns the data.
    pub query: Option<String>,
    /// Time limit of a query in seconds; by default an hour, in a script ten minutes.
    pub seconds: Option<u64>,
    /// Limit of the rows of a query's answer; by default a billion, in a script twenty million.
    pub rows: Option<u64>,
    /// Is there one column per date? By default detected from the header.
    pub wide: Option<bool>,
    /// Sums transactions by this period: D, h or 15min.
    pub per: Option<String>,
    /// Do empty keys repeat those of the row above, as where a key is written once per block? By default detected.
    pub fill_down: Option<bool>,
    /// Rows that are no sales, such as a total or a note: ask (the header again, empty rows and what stands below the table
    /// are left out and named, any other is refused), drop (all rows without a date, and those that are longer or
    /// shorter than the header, are left out and named) or refuse.
    pub stray: Stray,
}

impl Reading {
    /// Reads options as people write them: `decimal=',', sheet=2024`.
    ///
    /// # Errors
    /// When an option is unknown; the nearest one is suggested.
    pub fn parse(text: &str) -> Result<Self> {
        let mut map = options::spelled::<Self>("reading", options::parse(text)?)?;
        // A sheet named 2024 is a name all the same.
        let named = |name: &str| !["seconds", "rows"].contains(&name);
        for (_, value) in map.iter_mut().filter(|(name, value)| value.is_number() && named(name)) {
            *value = value.to_string().into();
        }
        options::read("reading", map)
    }

    /// A one-character option as a byte.
    fn byte(text: &Option<String>, what: &str) -> Result<Option<u8>> {
        let Some(text) = text else { return Ok(None) };
        match text.as_bytes() {
            [byte] => Ok(Some(*byte)),
            _ if ["tab", "\\t"].contains(&text.as_str()) => Ok(Some(b'\t')),
            _ => Err(Error::usage(format!("the {what} is one plain character or the word tab, not `{text}`"))),
        }
    }

    fn decimal(&self) -> Result<Option<char>> {
        match self.decimal.as_deref() {
            None => Ok(None),
            Some("." | "point") => Ok(Some('.')),
            Some("," | "comma") => Ok(Some(',')),
            Some(other) => Err(Error::usage(format!("the decimal mark is a point or a comma, not `{other}`"))),
        }
    }
}

/// What a panel wants of the columns that a source has.
struct Wanted<'a> {
    columns: &'a Columns,
    reading: &'a Reading,
    part: Needed,
    /// The decimal mark of the history that this belongs to, if one is known: what its own cells leave open.
    decimal: Option<char>,
    /// The columns that the file at hand has from the names of its folders.
    given: folders::Given,
}

/// Which of the columns a source must have.
#[derive(Clone, Copy, PartialEq)]
enum Needed {
    /// All declared ones.
    History,
    /// Key, time and covariates: no target, observed covariates only if it has them.
    Future,
    /// Any; the declared ones are keys if it has them.
    Table,
    /// All, each for its own sake: there is no role that says what a cell must be.
    Own,
    /// All that have a name to themselves, to find out which of them are declared best.
    Unasked,
}

/// The columns to read of one part.
struct Layout {
    kept: Vec<String>,
    /// Columns that each hold the targets of one timestamp, where there is one column per timestamp.
    stamps: Vec<String>,
    /// Columns that are not needed.
    unread: Vec<String>,
    /// Those of them that the names of folders give, and not the file.
    given: Vec<String>,
    /// What it is a part of, as an error names it.
    source: String,
    /// The time column that two columns make, and these: a date and a time of day.
    joint: Option<[String; 3]>,
}

impl Layout {
    fn new(kept: &[&str], stamps: &[&str], present: &[&str], source: &str) -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let unread = |name: &&&str| !name.is_empty() && !kept.contains(*name) && !stamps.contains(*name);
        Self {
            kept: owned(kept),
            stamps: owned(stamps),
            unread: present.iter().filter(unread).map(|name| name.to_string()).collect(),
            given: Vec::new(),
            source: source.into(),
            joint: None,
        }
    }

    /// As [`new`](Self::new), where the date and the time of day may stand in two columns.
    fn timed(names: &[&str], time: &str, present: &[&str], source: &str) -> Self {
        let Some((date, clock)) = halves(time, '+', present) else { return Self::new(names, &[], present, source) };
        let mut kept: Vec<&str> = names.iter().copied().filter(|name| *name != time).collect();
        kept.extend([date, clock].into_iter().filter(|half| !names.contains(half)));
        Self { joint: Some([time, date, clock].map(String::from)), ..Self::new(&kept, &[], present, source) }
    }

    /// The columns to read of the file, in this order.
    fn names(&self) -> Vec<String> {
        self.kept.iter().filter(|name| !self.given.contains(name)).chain(&self.stamps).cloned().collect()
    }

    /// The part that was read: without rows that are no sales, its keys filled down, one row per timestamp.
    fn part(self, frame: DataFrame, lines: Vec<u32>, found: Vec<String>, wanted: &Wanted) -> Result<Part> {
        self.part_beside(frame, lines, found, Vec::new(), wanted)
    }

    /// As [`part`](Self::part), where some rows are longer or shorter than the header.
    fn part_beside(
        self,
        frame: DataFrame,
        lines: Vec<u32>,
        found: Vec<String>,
        ragged: Vec<Ragged>,
        wanted: &Wanted,
    ) -> Result<Part> {
        let part = Part { frame, lines, found, unread: self.unread, left: Vec::new() };
        let mut part = stray::without(part, ragged, &self.stamps, &self.source, wanted)?;
        if !wanted.given.is_empty() {
            part.frame = folders::with_given(part.frame, &wanted.given, &self.kept, &self.source)?;
        }
        let mut part = keys::fill_down(part, wanted)?;
        if let Some([time, date, clock]) = &self.joint {
            let joint = dates::joint(time, part.frame.column(date)?, part.frame.column(clock)?)?;
            part.frame.with_column(joint)?;
            for half in [date, clock] {
                if !wanted.columns.names().contains(&half.as_str()) {
                    part.frame = part.frame.drop(half)?;
                }
            }
            part.found.push(format!("times from the columns {date} and {clock}"));
        }
        if self.stamps.is_empty() { Ok(part) } else { wide::long(part, &self.kept, &self.stamps, wanted.columns) }
    }
}

/// The columns of one file, as text except for Parquet.
struct Part {
    frame: DataFrame,
    /// The line of each row; none where rows are counted instead.
    lines: Vec<u32>,
    found: Vec<String>,
    /// Columns that are not needed.
    unread: Vec<String>,
    /// Rows that are no sales.
    left: Vec<Left>,
}

impl Part {
    /// `line 17` of a text file, `row 16` of anything else.
    fn row_text(&self, row: usize) -> String {
        self.lines.get(row).map_or_else(|| format!("row {row}"), |line| format!("line {line}"))
    }
}

/// The parts of a file, such as the sheets of a workbook, each with its name, and remarks on all of them.
type Parts = (Vec<(String, Part)>, Vec<String>);

impl Wanted<'_> {
    /// The columns to read of a source that has these and those in the names of its folders.
    fn layout(&self, present: &[&str], source: &str) -> Result<Layout> {
        let given = self.given.iter().map(|(name, _)| name.as_str()).filter(|name| !present.contains(name));
        let all: Vec<&str> = present.iter().copied().chain(given.clone()).collect();
        let mut layout = self.layout_of(&all, source)?;
        layout.given = given.map(String::from).collect();
        Ok(layout)
    }

    fn layout_of(&self, present: &[&str], source: &str) -> Result<Layout> {
        let columns = self.columns;
        // With the column that a date and a time of day in two columns make.
        let time = columns.time.as_str();
        let joint = halves(time, '+', present).map(|_| time);
        let all: Vec<&str> = present.iter().copied().chain(joint).collect();
        if [Needed::Table, Needed::Own].contains(&self.part) {
            return Ok(Layout::new(present, &[], present, source));
        }
        if self.part == Needed::Unasked {
            let alone = |name: &&&str| !name.is_empty() && present.iter().filter(|other| other == name).count() == 1;
            let named = present.iter().filter(alone).copied().chain(joint);
            return Ok(Layout::timed(&named.collect::<Vec<_>>(), time, present, source));
        }
        if self.part == Needed::Future {
            let names = columns.future_names(present);
            check_present(&names, &all, source)?;
            return Ok(Layout::timed(&names, time, present, source));
        }
        let absent = !all.contains(&time) && !present.contains(&columns.target.as_str());
        let dated = || dates::dated(present, columns.time_format.as_deref());
        if self.reading.wide == Some(true) || (absent && self.reading.wide.is_none() && dated().len() > 1) {
            let stamps = dated();
            if stamps.is_empty() {
                return Err(Error::data(format!("{source} is declared to be wide, but no column is named by a date")));
            }
            let made = [columns.time.as_str(), columns.target.as_str()];
            let kept: Vec<&str> = columns.names().into_iter().filter(|name| !made.contains(name)).collect();
            check_present(&kept, present, source)?;
            return Ok(Layout::new(&kept, &stamps, present, source));
        }
        columns.check(&all, source)?;
        Ok(Layout::timed(&columns.names(), time, present, source))
    }

    /// How many of the declared columns a header has: what tells a header from other lines, a delimiter from others.
    fn matches<'h>(&self, header: impl Iterator<Item = &'h str>) -> usize {
        if self.part == Needed::Unasked {
            // Where nothing is declared, a header is what has most words.
            let word = |cell: &str| cell.starts_with(|c: char| c.is_alphabetic() || c == '_');
            return header.filter(|cell| word(cell)).collect::<HashSet<_>>().len();
        }
        let mut names = self.columns.names();
        // A date and a time of day may stand in two columns: `Date+Time`.
        names.extend(self.columns.time.split('+').filter(|half| *half != self.columns.time).map(str::trim));
        header.filter(|cell| !cell.is_empty() && names.contains(cell)).count()
    }
}

/// The declared columns of a source of history.
pub(super) fn read(place: &Path, columns: &Columns, reading: &Reading) -> Result<(DataFrame, Provenance)> {
    read_wanted(place, &Wanted { columns, reading, part: Needed::History, decimal: None, given: Vec::new() })
}

/// Keys, time and covariates of a source of the future, which needs no target. `decimal` is the history's decimal mark.
pub(super) fn read_future(place: &Path, columns: &Columns, decimal: Option<char>) -> Result<(DataFrame, Provenance)> {
    let reading = Reading::default();
    remarked(read_wanted(
        place,
        &Wanted { columns, reading: &reading, part: Needed::Future, decimal, given: Vec::new() },
    )?)
}

/// All columns of a source; those named in `keys` keep their text unless it is that of a whole number. `decimal` is the
/// history's decimal mark.
pub(super) fn read_table(place: &Path, keys: &[&str], decimal: Option<char>) -> Result<(DataFrame, Provenance)> {
    let columns = Columns::new(keys.iter().copied(), "", "");
    let reading = Reading::default();
    remarked(read_wanted(
        place,
        &Wanted { columns: &columns, reading: &reading, part: Needed::Table, decimal, given: Vec::new() },
    )?)
}

/// All columns of a source of which some may be stated, and what it is called. Numbers that can be read in two ways are
/// read with a decimal point: whoever reads the columns in earnest asks.
pub(super) fn read_unasked(place: &Path, columns: &Columns, reading: &Reading) -> Result<(DataFrame, String)> {
    let wanted = Wanted { columns, reading, part: Needed::Unasked, decimal: Some('.'), given: Vec::new() };
    read_wanted(place, &wanted).map(|(frame, origin)| (frame, origin.source))
}

/// A source of history once more, with some of the columns that were not read before.
pub(super) fn read_more(
    place: &Path,
    columns: &Columns,
    more: &[String],
    reading: &Reading,
) -> Result<(DataFrame, Provenance)> {
    let columns = columns.clone().fixed(more.iter().cloned());
    // Numbers that can be read in two ways are not asked about twice.
    read_wanted(
        place,
        &Wanted { columns: &columns, reading, part: Needed::History, decimal: Some('.'), given: Vec::new() },
    )
}

/// Remarks that a job has made on sources that have no panel to report them later.
#[derive(Default)]
struct Remarked(Mutex<HashSet<String>>);

/// Reports how a source was read that has no panel to report it later; once, though every chunk of a stream reads it.
fn remarked((frame, origin): (DataFrame, Provenance)) -> Result<(DataFrame, Provenance)> {
    let said = Job::current().kept::<Remarked>();
    let is_new = |remark: &&String| {
        let remark = format!("{}: {remark}", origin.source);
        said.0.lock().unwrap_or_else(PoisonError::into_inner).insert(remark)
    };
    progress::remark(&origin.source, origin.found.iter().chain(&origin.left_out).filter(is_new));
    Ok((frame, origin))
}

fn read_wanted(place: &Path, wanted: &Wanted) -> Result<(DataFrame, Provenance)> {
    if let Some(query) = &wanted.reading.query {
        let source = sql::shown(place);
        let part = sql::read(place, query, wanted)?;
        return together(vec![(source.clone(), part)], 1, Provenance { source, ..Provenance::default() }, wanted);
    }
    if sql::is_server(place) {
        return Err(Error::usage(format!(
            "{} is a database: state the query: query = \"select …\"",
            sql::shown(place)
        )));
    }
    let files = files(place)?;
    let mut origin = Provenance { source: place.display().to_string(), ..Provenance::default() };
    if files.len() > 1 {
        origin.found.push(format!("{} files read as one", files.len()));
    }
    let mut parts = Vec::with_capacity(files.len());
    let mut columns: Vec<String> = Vec::new();
    for file in &files {
        progress::check()?;
        let given = folders::given(file);
        let names = given.iter().map(|(name, _)| name.clone()).filter(|name| !columns.contains(name));
        columns.extend(names.collect::<Vec<_>>());
        let (more, said) = read_file(file, &Wanted { given, ..*wanted })?;
        parts.extend(more);
        origin.found.extend(said);
    }
    columns.retain(|name| parts.iter().any(|(_, part)| part.frame.column(name).is_ok()));
    if !columns.is_empty() {
        origin.found.push(format!("columns from the names of folders: {}", listed(&columns)));
    }
    together(parts, files.len(), origin, wanted)
}

/// The files that a path, a folder or a pattern names, in the order of their names.
pub(super) fn files(place: &Path) -> Result<Vec<PathBuf>> {
    let source = place.display().to_string();
    let folder = crate::files::is_folder(place);
    // A file may have a bracket in its name: only what does not exist is a pattern.
    if !folder && (crate::files::exists(place) || !source.contains(['*', '?', '['])) {
        crate::files::metadata(place)?;
        crate::files::reads(place);
        return Ok(vec![place.to_path_buf()]);
    }
    let named = if folder { folders::walk(place)? } else { crate::files::matching(&source)? };
    let mut files = Vec::with_capacity(named.len());
    for path in named.into_iter().filter(|path| !hidden(path) && !folders::is_in_the_making(path)) {
        // A pattern may name the folders of a partition: what it means are their files.
        if !folder && folders::is_partition(&path) && crate::files::is_folder(&path) {
            files.extend(folders::walk(&path)?.into_iter().filter(|path| is_data(path)));
        } else if !folder || is_data(&path) {
            files.push(path);
        }
    }
    // What leads outside the fence is refused, not left out.
    files.iter().try_for_each(|path| crate::files::allowed(path))?;
    files.retain(|path| crate::files::is_file(path));
    Job::current().guard().reads_all(place, &files, is_data);
    if files.is_empty() {
        Err(Error::io(format!(
            "{source} {}",
            if folder {
                "is a directory without a file that can be read (.csv, .parquet, .xlsx, .ndjson)"
            } else {
                "names no file"
            }
        )))
    } else {
        Ok(files)
    }
}

fn is_data(path: &Path) -> bool {
    !hidden(path) && Kind::named(path).is_some()
}

fn hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['.', '_']))
}

/// What a file is, by its name.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Delimited,
    Parquet,
    Excel,
    Lines,
    Database,
}

impl Kind {
    fn named(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        let name = [".gz", ".zst"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
        Some(match name.rsplit_once('.')?.1 {
            "csv" | "txt" | "tsv" | "tab" | "dat" => Self::Delimited,
            "parquet" | "pq" => Self::Parquet,
            "xlsx" | "xlsm" | "xlsb" | "xls" | "ods" => Self::Excel,
            "ndjson" | "jsonl" | "json" => Self::Lines,
            "sqlite" | "sqlite3" | "db" => Self::Database,
            _ => return None,
        })
    }
}

fn read_file(path: &Path, wanted: &Wanted) -> Result<Parts> {
    let source = path.display().to_string();
    let metadata = crate::files::metadata(path)?;
    if !crate::files::is_file(path) {
        return Err(Error::io(format!("{source} is not a file; save its output to one")));
    }
    if metadata.len() == 0 {
        return Err(Error::data(format!("{source} is empty")));
    }
    let one = |part: Result<Part>| -> Result<Parts> { Ok((vec![(source.clone(), part?)], Vec::new())) };
    match Kind::named(path) {
        Some(Kind::Delimited) => one(delimited::read(path, wanted)),
        Some(Kind::Parquet) => one(parquet::read(path, wanted)),
        Some(Kind::Excel) => excel::read(path, wanted),
        Some(Kind::Lines) => one(ndjson::read(path, wanted)),
        Some(Kind::Database) => {
            Err(Error::usage(format!("{source} is a database: state the query: query = \"select …\"")))
        }
        None => Err(Error::usage(format!(
            "{source} has no known format: .csv, .tsv or .txt (also .gz, .zst), .parquet, .xlsx or .ods, \
             .ndjson, .sqlite; rename it accordingly"
        ))),
    }
}

/// One frame of all parts, which come from so many files, its types found; what reading showed is added to `origin`.
fn together(
    parts: Vec<(String, Part)>,
    files: usize,
    mut origin: Provenance,
    wanted: &Wanted,
) -> Result<(DataFrame, Provenance)> {
    let mut frame: Option<DataFrame> = None;
    let mut remarks: Vec<(String, usize)> = Vec::new();
    let mut unread: Vec<String> = Vec::new();
    let mut left: Vec<(String, Vec<Left>)> = Vec::new();
    for (name, part) in parts {
        unread.extend(part.unread);
        left.push((name.clone(), part.left));
        for remark in part.found {
            match remarks.iter_mut().find(|(known, _)| *known == remark) {
                Some((_, count)) => *count += 1,
                None => remarks.push((remark, 1)),
            }
        }
        let height = frame.as_ref().map_or(0, DataFrame::height);
        origin.parts.push((name.clone(), height));
        // A part without lines after one with lines: rows are counted there.
        if !part.lines.is_empty() || !origin.lines.is_empty() {
            origin.lines.resize(height, 0);
            origin.lines.extend(part.lines);
            origin.lines.resize(height + part.frame.height(), 0);
        }
        frame = Some(match frame {
            None => part.frame,
            Some(mut all) => {
                let mut more = part.frame;
                let names: Vec<PlSmallStr> = all.get_column_names_owned();
                if let Some(lost) = names.iter().find(|name| more.column(name).is_err()) {
                    return Err(Error::data(format!("{name} has no column `{lost}`, which the files before it have")));
                }
                for column in &names {
                    let (ours, theirs) = (all.column(column)?, more.column(column)?);
                    if ours.dtype() != theirs.dtype() {
                        let (ours, theirs) = (ours.cast(&DataType::String)?, theirs.cast(&DataType::String)?);
                        all.with_column(ours)?;
                        more.with_column(theirs)?;
                    }
                }
                all.vstack_mut(&more.select(names)?)?;
                all
            }
        });
    }
    let Some(mut frame) = frame else { return Err(Error::data(format!("{} has no rows", origin.source))) };
    let total = origin.parts.len();
    let of = if total == files { "files" } else { "sheets" };
    origin.found.extend(
        remarks.into_iter().map(
            |(remark, count)| if count < total { format!("{remark} (in {count} of {total} {of})") } else { remark },
        ),
    );
    origin.found.extend(stray::remarks(&left, of));
    let read = frame.get_column_names_owned();
    let mut seen = std::collections::HashSet::new();
    unread.retain(|name| !read.iter().any(|read| read == name.as_str()) && seen.insert(name.clone()));
    if !unread.is_empty() {
        origin.left_out.push(format!("columns not read: {}", listed(&unread)));
        origin.unread = unread.into();
    }
    frame.rechunk_mut();
    numbers::find_decimal(&mut frame, wanted, &mut origin)?;
    for name in frame.get_column_names_owned() {
        let is = |known: &str| known == name.as_str();
        let columns = wanted.columns;
        let typed = if wanted.part == Needed::Own {
            own::typed(frame.column(&name)?, &mut origin)?
        } else if columns.keys.iter().any(|key| is(key)) {
            numbers::typed_key(frame.column(&name)?)?
        } else if is(&columns.time) || is(&columns.target) {
            continue;
        } else {
            numbers::typed_covariate(frame.column(&name)?, &mut origin)?
        };
        frame.with_column(typed)?;
    }
    Ok((frame, origin))
}

/// The first names of a list, and how many more there are.
fn listed(names: &[String]) -> String {
    const NAMED: usize = 12;
    let shown = names[..names.len().min(NAMED)].join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A cell as an error message quotes it.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

/// Text columns in the making, one cell per row each.
struct Cells {
    columns: Vec<StringChunkedBuilder>,
    names: Vec<String>,
    keys: Vec<bool>,
    /// Columns whose cells are texts, whatever they look like: keys and dates.
    texts: Vec<bool>,
}

impl Cells {
    fn new(names: Vec<String>, wanted: &Wanted) -> Self {
        let columns = names.iter().map(|name| StringChunkedBuilder::new(name.as_str().into(), 1024)).collect();
        let keys: Vec<bool> = names.iter().map(|name| wanted.columns.keys.contains(name)).collect();
        let texts = names.iter().zip(&keys).map(|(name, key)| *key || *name == wanted.columns.time).collect();
        Self { columns, names, keys, texts }
    }

    /// Adds a cell; a key is missing only when it is empty, since `NA` is Namibia.
    fn push(&mut self, column: usize, text: &str) {
        let missing = if self.keys[column] { text.is_empty() } else { MISSING.contains(&text) };
        if missing { self.columns[column].append_null() } else { self.columns[column].append_value(text) }
    }

    /// Adds a cell that is a number in its source, not a text that says one.
    fn push_number(&mut self, column: usize, text: &str) {
        if text.contains('.') && !self.texts[column] {
            self.columns[column].append_value(format!("{}{text}", numbers::TYPED))
        } else {
            self.push(column, text)
        }
    }

    fn frame(self) -> Result<DataFrame> {
        let columns: Vec<Column> =
            self.columns.into_iter().map(|column| column.finish().into_series().into_column()).collect();
        let height = columns.first().map_or(0, Column::len);
        Ok(DataFrame::new(height, columns)?)
    }
}

/// The place of each name in a header; a declared name that stands there twice cannot be told apart.
fn places(names: &[String], header: &[&str], source: &str) -> Result<Vec<usize>> {
    names
        .iter()
        .map(|name| {
            let mut at = header.iter().enumerate().filter(|(_, cell)| *cell == name).map(|(at, _)| at);
            match (at.next(), at.count()) {
                (Some(at), 0) => Ok(at),
                (Some(_), more) => {
                    Err(Error::data(format!("{source} has {} columns named `{name}`; rename all but one", more + 1)))
                }
                (None, _) => Err(Error::data(format!("{source} has no column `{name}`"))),
            }
        })
        .collect()
}
