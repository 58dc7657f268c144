//! Which number is in a cell? Decimal points or commas, thousands separators, currency signs, accounting brackets.
//!
//! A source has one decimal mark, decided by the cells of all its numeric columns together: `1,5` can only have a
//! decimal comma, `1,234.50` and `0.750` only a point. Where every cell is ambiguous (`1,234`, `1.250` beside `987`),
//! reading fails and asks the user. Numbers that the source stores as numbers, not as text, are no evidence.

use std::borrow::Cow;

use polars::prelude::*;

use super::{MISSING, NOTHING, Wanted, short};
use crate::error::{Error, Result};
use crate::panel::Provenance;
use crate::panel::covariates::is_number;

/// How the numbers of a source are written.
#[derive(Clone, Copy, PartialEq)]
struct Mark {
    decimal: char,
    /// Allowed separators of groups of three digits.
    groups: &'static [char],
}

const POINT: Mark = Mark { decimal: '.', groups: &[',', ' ', '\'', '\u{a0}', '\u{202f}', '’'] };
const COMMA: Mark = Mark { decimal: ',', groups: &['.', ' ', '\'', '\u{a0}', '\u{202f}', '’'] };

/// Signs that say what is counted, not how much.
const SIGNS: [char; 6] = ['$', '€', '£', '¥', '₹', '%'];

/// Stands before a cell that is a number in its source, so that no mark is looked for in it.
pub(super) const TYPED: char = '\u{1}';

/// A rarer decimal mark is an error, not evidence, where the other occurs in this many times as many cells.
const SLIP: usize = 20;

/// A cell that can be read two ways.
struct Doubt {
    column: String,
    row: usize,
    text: String,
}

/// Finds the decimal mark of the text columns that hold numbers, rewrites these in plain numbers, and says how they are
/// written where it is more than a decimal point.
///
/// # Errors
/// When the cells can be read two ways and nobody says which.
pub(super) fn find_decimal(frame: &mut DataFrame, wanted: &Wanted, origin: &mut Provenance) -> Result<()> {
    let stated = wanted.reading.decimal()?;
    // Columns of numbers that are not all plain, and plain ones with points that may stand between thousands.
    let (mut mixed, mut dotted, mut either) = (Vec::new(), Vec::new(), 0_usize);
    // How many cells only one mark can read, and a cell that the two read differently.
    let (mut points, mut commas, mut decimals) = (0_usize, 0_usize, 0_usize);
    let mut doubt: Option<Doubt> = None;
    let mut doubtful = |column: &PlSmallStr, row: usize, text: &str| {
        doubt.get_or_insert_with(|| Doubt { column: column.to_string(), row, text: text.into() });
    };
    for name in frame.get_column_names_owned() {
        let column = frame.column(&name)?;
        if wanted.columns.keys.iter().any(|key| *key == name.as_str())
            || name == wanted.columns.time
            || column.dtype() != &DataType::String
        {
            continue;
        }
        let texts = column.str()?;
        // Plain numbers need no thought, except where points may stand between thousands.
        if column.cast(&DataType::Float64)?.null_count() == column.null_count() {
            let before = either;
            for (row, text) in texts.iter().enumerate() {
                match text.and_then(point) {
                    Some(Point::Decimal) => decimals += 1,
                    Some(Point::Either) => {
                        either += 1;
                        doubtful(&name, row, text.unwrap_or_default());
                    }
                    None => {}
                }
            }
            if either > before {
                dotted.push(name);
            }
            continue;
        }
        // A covariate of words stays one; a target of words is refused where its cells are read.
        let numeric = texts.iter().flatten().filter(|text| looks_numeric(text)).count();
        if numeric * 2 <= texts.len() - texts.null_count() {
            let bare: StringChunked =
                texts.iter().map(|text| text.map(|text| text.strip_prefix(TYPED).unwrap_or(text))).collect();
            frame.with_column(bare.with_name(name).into_series().into_column())?;
            continue;
        }
        for (row, text) in texts.iter().enumerate() {
            let Some(text) = text else { continue };
            let value = |mark| plain(text, mark).and_then(|text| text.parse::<f64>().ok());
            match (value(POINT), value(COMMA)) {
                (Some(a), Some(b)) if a == b => {}
                (Some(_), Some(_)) => doubtful(&name, row, text),
                (Some(_), None) => points += 1,
                (None, Some(_)) => commas += 1,
                (None, None) => {}
            }
        }
        mixed.push(name);
    }
    let torn = doubt.is_some() && commas.min(points + decimals) * SLIP > commas.max(points + decimals);
    let known = stated.or(match commas > points {
        _ if torn => None,
        true => Some(','),
        false => (points + decimals > 0).then_some('.'),
    });
    let mark = match (known.or(wanted.decimal), doubt) {
        (None, Some(doubt)) => return Err(two_ways(&doubt, origin)),
        (Some(','), _) => COMMA,
        _ => POINT,
    };
    origin.decimal = known.or(wanted.decimal);
    let mut group: Option<char> = None;
    let thousands = mark == COMMA && (stated.is_some() || decimals <= commas);
    let mixed = mixed.into_iter().map(|name| (name, true));
    for (name, mixed) in mixed.chain(dotted.into_iter().filter(|_| thousands).map(|name| (name, stated.is_some()))) {
        let texts = frame.column(&name)?.str()?.clone();
        // A target keeps the cells that no mark can read, to be quoted; a covariate with such cells is one of words,
        // and plain numbers that the mark cannot read are plain numbers.
        let all = texts.iter().flatten().all(|text| plain(text, mark).is_some());
        let rewrite = all || (mixed && name == wanted.columns.target);
        let numbers: StringChunked = texts
            .iter()
            .map(|text| {
                let text = text?;
                let number = if rewrite { plain(text, mark) } else { None };
                if number.is_some() && group.is_none() {
                    group = between_digits(text).find(|c| mark.groups.contains(c));
                }
                Some(number.unwrap_or(Cow::Borrowed(text.strip_prefix(TYPED).unwrap_or(text))))
            })
            .collect();
        frame.with_column(numbers.with_name(name).into_series().into_column())?;
    }
    let group = group.map(|group| match group {
        '.' => "points",
        ',' => "commas",
        '\'' | '’' => "apostrophes",
        _ => "blanks",
    });
    origin.found.extend(match (mark == COMMA, group) {
        (false, None) => None,
        (false, Some(group)) => Some(format!("numbers with {group} between thousands")),
        (true, None) => Some("numbers with decimal commas".into()),
        (true, Some(group)) => Some(format!("numbers with decimal commas and {group} between thousands")),
    });
    Ok(())
}

fn two_ways(doubt: &Doubt, origin: &Provenance) -> Error {
    let read = |mark| plain(&doubt.text, mark).and_then(|text| text.parse::<f64>().ok()).unwrap_or(f64::NAN);
    Error::data(format!(
        "`{}` in column `{}` of {}, {}, can be read two ways: {} with a decimal point, {} with a decimal comma; \
         state which: decimal = \".\" or decimal = \",\" (on the command line: --reading \"decimal=','\")",
        short(&doubt.text),
        doubt.column,
        origin.source,
        origin.row_text(doubt.row),
        read(POINT),
        read(COMMA),
    ))
}

/// The characters that have a digit on either side.
fn between_digits(text: &str) -> impl Iterator<Item = char> {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    text.char_indices()
        .filter(move |(at, c)| digit(text[..*at].chars().last()) && digit(text[at + c.len_utf8()..].chars().next()))
        .map(|(_, c)| c)
}

/// What a point in a plain number can be.
#[derive(PartialEq, Debug)]
enum Point {
    /// A decimal point alone: `0.75`, `12.5`, `1234.567`.
    Decimal,
    /// A decimal point, or one between thousands: `1.250`.
    Either,
}

/// What the points of a plain number can be; none if it has none.
fn point(text: &str) -> Option<Point> {
    let text = text.trim().trim_start_matches(['-', '+']);
    let mut groups = text.split('.');
    let first = groups.next()?;
    let mut rest = groups.peekable();
    rest.peek()?;
    let thousands = (1..=3).contains(&first.len())
        && !first.starts_with('0')
        && rest.all(|group| group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit()));
    Some(if thousands { Point::Either } else { Point::Decimal })
}

/// Does it begin like a number, whatever it is written in?
fn looks_numeric(text: &str) -> bool {
    let text = text.strip_prefix(TYPED).unwrap_or(text);
    let rest = text.trim().trim_start_matches(|c: char| SIGNS.contains(&c) || "+-−( ".contains(c));
    rest.starts_with(|c: char| c.is_ascii_digit() || ".,".contains(c))
}

/// The number in Rust's own notation; none if it is not written by this mark.
fn plain(text: &str, mark: Mark) -> Option<Cow<'_, str>> {
    if let Some(number) = text.strip_prefix(TYPED) {
        return Some(Cow::Borrowed(number));
    }
    let trimmed = text.trim();
    if mark == POINT && trimmed.parse::<f64>().is_ok() {
        return Some(Cow::Borrowed(trimmed));
    }
    let inside = trimmed.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let bare = inside.unwrap_or(trimmed).trim_matches(|c: char| SIGNS.contains(&c) || c.is_whitespace());
    let (negative, digits) = match bare.strip_prefix(['-', '−']).or_else(|| bare.strip_suffix(['-', '−'])) {
        Some(rest) => (true, rest.trim_matches(|c: char| SIGNS.contains(&c) || c.is_whitespace())),
        None => (false, bare.strip_prefix('+').unwrap_or(bare)),
    };
    if negative && inside.is_some() {
        return None;
    }
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => digits.split_at(at),
        None => (digits, ""),
    };
    let (whole, fraction) = match mantissa.split_once(mark.decimal) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits_only = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let whole: String = match whole.find(|c| mark.groups.contains(&c)) {
        None => whole.into(),
        Some(at) => {
            let separator = whole[at..].chars().next()?;
            let mut groups = whole.split(separator);
            let first = groups.next()?;
            let rest: Vec<&str> = groups.collect();
            // Nothing counts 0 thousand and 750.
            let thousands = (1..=3).contains(&first.len()) && !first.starts_with('0');
            if !thousands || rest.iter().any(|group| group.len() != 3) {
                return None;
            }
            std::iter::once(first).chain(rest).collect()
        }
    };
    if !digits_only(&whole)
        || !fraction.is_none_or(digits_only)
        || (whole.is_empty() && fraction.is_none_or(str::is_empty))
    {
        return None;
    }
    let sign = if negative || inside.is_some() { "-" } else { "" };
    let text = format!("{sign}{}.{}{exponent}", if whole.is_empty() { "0" } else { &whole }, fraction.unwrap_or("0"));
    let text = text.replace(".e", ".0e").replace(".E", ".0e");
    text.parse::<f64>().is_ok().then_some(Cow::Owned(text))
}

/// Whole numbers if every key is written as one would write it (so that `007` and `1.0` stay text).
pub(super) fn typed_key(column: &Column) -> Result<Column> {
    if column.dtype() != &DataType::String {
        return Ok(column.clone());
    }
    let whole = column.cast(&DataType::Int64)?;
    let same = whole.cast(&DataType::String)?;
    Ok(if same.str()?.iter().eq(column.str()?.iter()) { whole } else { column.clone() })
}

/// What a column of texts says in all its cells: numbers, but for cells that say nothing; yes and no; or words.
pub(super) fn typed_covariate(column: &Column, origin: &mut Provenance) -> Result<Column> {
    if column.dtype() != &DataType::String {
        return Ok(column.clone());
    }
    let numbers = column.cast(&DataType::Float64)?;
    if numbers.null_count() == column.null_count() {
        return Ok(numbers);
    }
    if numbers.null_count() < column.len() {
        let texts = column.str()?.iter();
        let others: Option<Vec<&str>> = (numbers.is_null().iter().zip(texts))
            .filter_map(|(null, text)| text.filter(|_| null == Some(true)).map(str::trim))
            .map(|text| NOTHING.contains(&text).then_some(text))
            .collect();
        if let Some(others) = others {
            origin.found.push(nothing(column.name(), &others));
            return Ok(numbers);
        }
    }
    let booleans: Option<Vec<Option<bool>>> = column
        .str()?
        .iter()
        .map(|text| match text {
            None => Some(None),
            Some("True" | "true" | "TRUE" | "t") => Some(Some(true)),
            Some("False" | "false" | "FALSE" | "f") => Some(Some(false)),
            Some(_) => None,
        })
        .collect();
    Ok(match booleans {
        Some(booleans) => Column::new(column.name().clone(), booleans),
        None => column.clone(),
    })
}

/// What is said of cells of a column of numbers that say nothing.
fn nothing(column: &str, cells: &[&str]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for cell in cells {
        match counts.iter_mut().find(|(known, _)| known == cell) {
            Some((_, count)) => *count += 1,
            None => counts.push((cell, 1)),
        }
    }
    let each: Vec<String> = counts.iter().map(|(cell, count)| format!("`{cell}` in {count}")).collect();
    let cells = if counts.len() == 1 && counts[0].1 == 1 { "cell" } else { "cells" };
    format!("column `{column}` is one of numbers, in which {} {cells} count as missing", each.join(", "))
}

/// Takes those cells out of the unreadable ones of a target that say nothing: they are missing, which is said.
pub(in crate::panel) fn nothing_in_target(column: &str, unreadable: &mut Vec<(u32, String)>, origin: &mut Provenance) {
    let (empty, others): (Vec<_>, Vec<_>) =
        std::mem::take(unreadable).into_iter().partition(|(_, text)| NOTHING.contains(&text.trim()));
    if !empty.is_empty() {
        let cells: Vec<&str> = empty.iter().map(|(_, text)| text.trim()).collect();
        origin.found.push(nothing(column, &cells));
    }
    *unreadable = others;
}

/// A text column as numbers, and the cells that are none, with their rows. When more than half are none, the column
/// is not one of numbers, and the first such cell is an error that quotes it.
pub(in crate::panel) fn target_numbers(column: &Column, origin: &Provenance) -> Result<(Column, Vec<(u32, String)>)> {
    let name = column.name();
    let dtype = column.dtype();
    if is_number(dtype) {
        return Ok((column.cast(&DataType::Float64)?, Vec::new()));
    }
    if dtype != &DataType::String {
        return Err(Error::data(format!("column `{name}` of {} holds {dtype}, not numbers", origin.source)));
    }
    let numbers = column.cast(&DataType::Float64)?;
    let mut unreadable = Vec::new();
    for (row, (null, text)) in numbers.is_null().iter().zip(column.str()?.iter()).enumerate() {
        if let (Some(true), Some(text)) = (null, text)
            && !MISSING.contains(&text.trim())
        {
            unreadable.push((row as u32, short(text)));
        }
    }
    match unreadable.first() {
        Some((row, text)) if unreadable.len() * 2 > column.len() - column.null_count() => Err(Error::data(format!(
            "`{text}` in column `{name}` of {}, {}, is not a number{}; correct it, or leave the cell empty",
            origin.source,
            origin.row_text(*row as usize),
            match unreadable.len() {
                1 => String::new(),
                n => format!(", and so are {} more of {} cells", n - 1, column.len()),
            },
        ))),
        _ => Ok((numbers, unreadable)),
    }
}

/// As [`target_numbers`], every cell of which must be a number.
pub(in crate::panel) fn all_numbers(column: &Column, origin: &Provenance) -> Result<Column> {
    let (numbers, unreadable) = target_numbers(column, origin)?;
    match unreadable.first() {
        None => Ok(numbers),
        Some((row, text)) => Err(Error::data(format!(
            "`{text}` in column `{}` of {}, {}, is not a number; correct it, or leave the cell empty",
            column.name(),
            origin.source,
            origin.row_text(*row as usize),
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, mark: Mark) -> Option<f64> {
        plain(text, mark).and_then(|text| text.parse().ok())
    }

    #[test]
    fn numbers_as_people_write_them() {
        for (text, value) in [
            ("1234.5", 1234.5),
            ("1,234.5", 1234.5),
            ("$1,234,567.89", 1_234_567.89),
            (" - 12 ", -12.0),
            ("(1,200)", -1200.0),
            ("12-", -12.0),
            ("1 234,5".replace(',', ".").as_str(), 1234.5),
            ("45 %", 45.0),
            ("1e3", 1000.0),
            (".5", 0.5),
        ] {
            assert_eq!(read(text, POINT), Some(value), "{text}");
        }
        for (text, value) in [
            ("1234,5", 1234.5),
            ("1.234,5", 1234.5),
            ("1.234.567,89 €", 1_234_567.89),
            ("1\u{a0}234,5", 1234.5),
            ("-0,25", -0.25),
            ("1,5e2", 150.0),
            ("7", 7.0),
        ] {
            assert_eq!(read(text, COMMA), Some(value), "{text}");
        }
        for text in ["12 apples", "1,23,4", "1.2.3", "", "-", "(", "1,2345.6", "--3", "(-3)", "0,750"] {
            assert_eq!(read(text, POINT), None, "{text}");
        }
        for text in ["0.750", "012.500", "1.5"] {
            assert_eq!(read(text, COMMA), None, "{text}");
        }
        // What was a number in its source is one under every mark.
        assert_eq!((read("\u{1}1.25", COMMA), read("\u{1}1.250", POINT)), (Some(1.25), Some(1.25)));
    }

    #[test]
    fn what_a_point_can_be() {
        for text in ["1.250", "-12.500", "987.654", " 1.000"] {
            assert_eq!(point(text), Some(Point::Either), "{text}");
        }
        for text in ["0.750", "1.25", "1234.567", "1.2505", ".500", "1.25e3", "1.5"] {
            assert_eq!(point(text), Some(Point::Decimal), "{text}");
        }
        for text in ["987", "-3", "1e3", "NaN", ""] {
            assert_eq!(point(text), None, "{text}");
        }
    }
}
