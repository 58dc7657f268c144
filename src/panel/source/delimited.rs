//! Delimited text: which delimiter, where is the header, and which rows?

use std::path::Path;

use csv::{ByteRecord, ErrorKind, ReaderBuilder};

use super::bytes::{Guard, Text};
use super::dates::share_of_dates;
use super::stray::{OPTION, Ragged, Stray};
use super::{Cells, Part, Reading, Wanted, places};
use crate::error::{Error, Result};
use crate::progress;

/// The most lines above the header.
const PREAMBLE: usize = 30;

/// More rows than this of another length than the header's are no notes beside the table.
const MOST_ODD: usize = 100;
/// So many lines within a cell, each with as many cells as the header, are rows.
const MANY: usize = 12;

/// Delimiter, quote and line of the header.
struct Dialect {
    delimiter: u8,
    quote: u8,
    /// Lines above the header.
    above: usize,
}

pub(super) fn read(path: &Path, wanted: &Wanted) -> Result<Part> {
    let mut text = Text::open(path, wanted.reading.encoding.as_deref())?;
    match rows(&text, wanted)? {
        Rows::Read(part) => Ok(part),
        // Bytes that are not UTF-8 further down than the sample: once more in the encoding that they look like.
        Rows::NotUtf8(line, bytes) => {
            let refused = || Error::data(format!("{} is not text in its encoding on line {line}", text.source));
            let error = refused();
            if !text.reconsider(&bytes) {
                return Err(error);
            }
            match rows(&text, wanted)? {
                Rows::Read(part) => Ok(part),
                Rows::NotUtf8(..) => Err(error),
            }
        }
    }
}

enum Rows {
    Read(Part),
    NotUtf8(u64, Vec<u8>),
}

fn rows(text: &Text, wanted: &Wanted) -> Result<Rows> {
    let source = &text.source;
    let dialect = dialect(text, wanted)?;
    let guard = Guard::new(dialect.quote);
    let mut reader = text.reader(&guard)?;
    let mut above = 0;
    for _ in 0..dialect.above {
        above += skip_line(&mut reader).map_err(|cause| text.broken(cause))?;
    }
    let mut reader = ReaderBuilder::new()
        .delimiter(dialect.delimiter)
        .quote(dialect.quote)
        .flexible(true)
        .has_headers(false)
        .from_reader(reader);
    let mut record = ByteRecord::new();
    // The line on which the next row begins; none at the end.
    let mut next = |record: &mut ByteRecord| match reader.read_byte_record(record) {
        Ok(false) => Ok(None),
        Ok(true) => {
            guard.row_at(above + reader.position().byte());
            let (start, end) = (record.position().map_or(0, csv::Position::line), reader.position().line());
            // The reader counts blank lines above a row to the row.
            let blank = if end > start + 1 { (end - start - 1).saturating_sub(newlines(record) as u64) } else { 0 };
            Ok(Some(start + blank + dialect.above as u64))
        }
        Err(cause) => Err(match cause.into_kind() {
            ErrorKind::Io(cause) => text.broken(cause),
            other => Error::data(format!("{source} is not a readable text file")).because(format!("{other:?}")),
        }),
    };
    let Some(first) = next(&mut record)? else { return Err(Error::data(format!("{source} has no rows"))) };
    let Ok(header) =
        record.iter().map(|cell| std::str::from_utf8(cell).map(str::trim)).collect::<std::result::Result<Vec<_>, _>>()
    else {
        return Ok(Rows::NotUtf8(first, record.as_slice().to_vec()));
    };
    let layout = wanted.layout(&header, source)?;
    let names = layout.names();
    let at = places(&names, &header, source)?;
    let width = header.len();
    let mut cells = Cells::new(names, wanted);
    let mut lines = Vec::new();
    let mut row = ByteRecord::new();
    let mut last = (0, 0);
    let (mut odd, mut beyond): (Vec<Ragged>, usize) = (Vec::new(), 0);
    let mut first_beyond = None;
    while let Some(line) = next(&mut row)? {
        let within = newlines(&row);
        if within > 0 {
            if row.len() != width && guard.open_quote() {
                return Err(unclosed(source, line));
            }
            if row.iter().any(|cell| swallows(cell, dialect.delimiter, width, wanted)) {
                let last = next(&mut ByteRecord::new())?.is_none();
                let open = last && guard.open_quote();
                return Err(if open { unclosed(source, line) } else { swallowed(source, line, within) });
            }
        }
        // An empty cell holds nothing that could be lost, an empty row neither.
        if row.len() > width && row.iter().skip(width).all(<[u8]>::is_empty) {
            beyond += 1;
            first_beyond.get_or_insert_with(|| ragged(source, line, row.len(), width));
        } else if row.len() != width {
            let error = ragged(source, line, row.len(), width);
            // So many are no notes: the first of them says what is wrong.
            if odd.len() > lines.len() + MOST_ODD || (odd.len() > MOST_ODD && wanted.reading.stray != Stray::Drop) {
                return Err(odd.swap_remove(0).error);
            }
            let cells = row.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
            odd.push(Ragged { before: lines.len(), line: u32::try_from(line).unwrap_or(u32::MAX), cells, error });
            continue;
        }
        for (column, place) in at.iter().enumerate() {
            match std::str::from_utf8(&row[*place]) {
                Ok(cell) => cells.push(column, cell),
                Err(_) => return Ok(Rows::NotUtf8(line, row.as_slice().to_vec())),
            }
        }
        lines.push(u32::try_from(line).unwrap_or(u32::MAX));
        if lines.len() % 65_536 == 0 {
            progress::check()?;
        }
        last = (line, within);
    }
    if let Some(error) = first_beyond.filter(|_| beyond * 2 > lines.len()) {
        return Err(error);
    }
    if last.1 > 0 && guard.open_quote() {
        return Err(unclosed(source, last.0));
    }
    let mut found = text.found.clone();
    if dialect.delimiter != b',' {
        found.push(format!("cells separated by {}", word(dialect.delimiter)));
    }
    if dialect.quote != b'"' {
        found.push(format!("cells quoted by {}", dialect.quote as char));
    }
    if dialect.above > 0 {
        found.push(format!("the header is on line {first}"));
    }
    Ok(Rows::Read(layout.part_beside(cells.frame()?, lines, found, odd, wanted)?))
}

fn ragged(source: &str, line: u64, cells: usize, width: usize) -> Error {
    let has = |n: usize| if n == 1 { "1 cell".to_string() } else { format!("{n} cells") };
    Error::data(format!(
        "line {line} of {source} has {}, the header has {width}; quote cells that hold a delimiter, mend the line, or leave \
         such rows out: {OPTION}",
        has(cells)
    ))
}

fn unclosed(source: &str, line: u64) -> Error {
    Error::data(format!(
        "a quote that opens on line {line} of {source} is never closed; close it, or state another quote"
    ))
}

/// Does a cell hold what rows of the table look like: is its quote open by mistake?
fn swallows(cell: &[u8], delimiter: u8, width: usize, wanted: &Wanted) -> bool {
    let lines: Vec<&[u8]> = cell.split(|byte| *byte == b'\n').collect();
    let cells = |line: &&[u8]| line.iter().filter(|byte| **byte == delimiter).count() + 1;
    // The first and the last are parts of lines.
    let inner = lines.get(1..lines.len().saturating_sub(1)).unwrap_or_default();
    let even = inner.iter().filter(|line| cells(line) == width).count();
    let all: usize = lines.iter().map(|line| cells(line) - 1).sum();
    let alike = if inner.is_empty() { lines.len() == 2 && all + 1 == width } else { even * 3 >= inner.len() * 2 };
    let dated = |piece: &[u8]| {
        let piece = std::str::from_utf8(piece).unwrap_or_default().trim();
        share_of_dates(&[piece], wanted.columns.time_format.as_deref()) > 0.0
    };
    width > 1
        && alike
        && (inner.len() >= MANY || lines[1..].iter().any(|line| line.split(|b| *b == delimiter).any(dated)))
}

fn swallowed(source: &str, line: u64, within: usize) -> Error {
    let ends = if within == 1 { "a line end" } else { &format!("{within} line ends") };
    Error::data(format!(
        "a cell on line {line} of {source} holds {ends} and what look like rows of the table: its quote seems to be \
         opened by mistake; close it, or state another quote"
    ))
}

fn newlines(row: &ByteRecord) -> usize {
    row.as_slice().iter().filter(|b| **b == b'\n').count()
}

fn word(delimiter: u8) -> &'static str {
    match delimiter {
        b';' => "semicolons",
        b'\t' => "tabs",
        b'|' => "bars",
        b',' => "commas",
        _ => "another character",
    }
}

/// Reads to the end of a line; how many bytes that were.
fn skip_line(reader: &mut impl std::io::Read) -> std::io::Result<u64> {
    let mut byte = [0];
    let mut n = 0;
    while reader.read(&mut byte)? == 1 {
        n += 1;
        if byte[0] == b'\n' {
            break;
        }
    }
    Ok(n)
}

/// How well a dialect fits: declared columns in the header, rows as long as the header, columns, cells left in quotes.
type Score = (usize, usize, usize, std::cmp::Reverse<usize>);

/// The delimiter and the header's line: those under which most declared columns are found, then those that give most
/// columns with the same number of cells in every row.
fn dialect(text: &Text, wanted: &Wanted) -> Result<Dialect> {
    let stated = Reading::byte(&wanted.reading.delimiter, "delimiter")?;
    let quote = Reading::byte(&wanted.reading.quote, "quote")?;
    // Where the plain quote is in use, an apostrophe is one.
    let quotes = match quote {
        Some(quote) => vec![quote],
        None if text.sample.contains('"') => vec![b'"'],
        None => vec![b'"', b'\''],
    };
    let delimiters: Vec<u8> = stated.map_or_else(|| b",;\t|".to_vec(), |byte| vec![byte]);
    let mut best: Option<(Score, Dialect)> = None;
    let mut start = 0;
    for above in 0..PREAMBLE {
        let rest = &text.sample[start..];
        if rest.is_empty() && above > 0 {
            break;
        }
        for &delimiter in &delimiters {
            for &quote in &quotes {
                let mut reader = ReaderBuilder::new()
                    .delimiter(delimiter)
                    .quote(quote)
                    .flexible(true)
                    .has_headers(false)
                    .from_reader(rest.as_bytes());
                let records: Vec<csv::StringRecord> = reader.records().take(20).filter_map(Result::ok).collect();
                let Some((header, rows)) = records.split_first() else { continue };
                let matches = wanted.matches(header.iter().map(str::trim));
                let even = rows.iter().filter(|record| record.len() == header.len()).count();
                let even = if header.len() > 1 { even } else { 0 };
                let wrapped = |cell: &str| cell.len() > 1 && cell.starts_with('\'') && cell.ends_with('\'');
                let wrapped = records.iter().flatten().filter(|cell| wrapped(cell)).count();
                let score = (matches, even, header.len(), std::cmp::Reverse(wrapped));
                // The first of equals: a plain comma with plain quotes and no line above.
                if best.as_ref().is_none_or(|(known, _)| better(score, *known, above)) {
                    best = Some((score, Dialect { delimiter, quote, above }));
                }
            }
        }
        match rest.find('\n') {
            Some(end) => start += end + 1,
            None => break,
        }
    }
    best.map(|(_, dialect)| dialect).ok_or_else(|| Error::data(format!("{} has no rows", text.source)))
}

/// A line further down is the header only if it names more declared columns.
fn better(score: Score, known: Score, above: usize) -> bool {
    if above > 0 { score.0 > known.0 } else { score > known }
}
