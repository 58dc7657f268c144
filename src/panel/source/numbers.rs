//! What number does a cell say? Decimal points or commas, groups of thousands, currency signs, accounting brackets.
//!
//! A source has one decimal mark. Which, follows from its cells: `1,5` can only be a decimal comma, `1,234.50` only a
//! point, and where every cell can be read both ways (`1,234`) the user is asked, not guessed at.

use std::borrow::Cow;

use polars::prelude::*;

use super::{MISSING, Wanted, short};
use crate::error::{Error, Result};
use crate::panel::Origin;
use crate::panel::covariates::is_number;

/// How the numbers of a source are written.
#[derive(Clone, Copy, PartialEq)]
struct Mark {
    decimal: char,
    /// What may stand between groups of three digits.
    groups: &'static [char],
}

const POINT: Mark = Mark { decimal: '.', groups: &[',', ' ', '\'', '\u{a0}', '\u{202f}', '’'] };
const COMMA: Mark = Mark { decimal: ',', groups: &['.', ' ', '\'', '\u{a0}', '\u{202f}', '’'] };

/// Signs that say what is counted, not how much.
const SIGNS: [char; 6] = ['$', '€', '£', '¥', '₹', '%'];

/// Finds the decimal mark of the text columns that hold numbers, and rewrites these in plain numbers. Says what was
/// found, if it is more than a decimal point.
pub(super) fn find_decimal(frame: &mut DataFrame, wanted: &Wanted, origin: &Origin) -> Result<Option<String>> {
    let stated = wanted.reading.decimal()?;
    let names: Vec<PlSmallStr> = frame.get_column_names_owned();
    let mut mixed: Vec<(PlSmallStr, bool)> = Vec::new();
    for name in names {
        let role = wanted.columns.keys.iter().any(|key| *key == name.as_str()) || name == wanted.columns.time;
        let column = frame.column(&name)?;
        if role || column.dtype() != &DataType::String {
            continue;
        }
        let target = name == wanted.columns.target;
        // What casts as it is needs no thought, except where points may be groups of thousands.
        let plain = column.cast(&DataType::Float64)?.null_count() == column.null_count();
        if plain && stated != Some(',') {
            continue;
        }
        // A covariate of words stays one; a target of words is refused where its cells are read.
        let texts = column.str()?;
        let numeric = texts.iter().flatten().filter(|text| looks_numeric(text)).count();
        if numeric * 2 > texts.len() - texts.null_count() {
            mixed.push((name.clone(), target));
        }
    }
    if mixed.is_empty() {
        return Ok(None);
    }
    // How many cells each mark reads, and a cell that the two read differently.
    let (mut points, mut commas) = (0_usize, 0_usize);
    let mut doubtful: Option<(String, usize, String)> = None;
    for (name, _) in &mixed {
        for (row, text) in frame.column(name)?.str()?.iter().enumerate() {
            let Some(text) = text else { continue };
            let (point, comma) = (plain(text, POINT), plain(text, COMMA));
            let value = |text: &Option<Cow<str>>| text.as_ref().and_then(|text| text.parse::<f64>().ok());
            match (value(&point), value(&comma)) {
                (Some(a), Some(b)) if a == b => {}
                (Some(_), Some(_)) if doubtful.is_none() => doubtful = Some((name.to_string(), row, text.to_string())),
                (Some(_), None) => points += 1,
                (None, Some(_)) => commas += 1,
                _ => {}
            }
        }
    }
    let mark = match stated {
        Some(',') => COMMA,
        Some(_) => POINT,
        None if commas > points => COMMA,
        None if points > 0 => POINT,
        None => match doubtful {
            Some((name, row, text)) => {
                return Err(Error::data(format!(
                    "`{}` in column `{name}` of {}, {}, can be read with a decimal point or a decimal comma; \
                     state which: decimal = \".\" or decimal = \",\"",
                    short(&text),
                    origin.source,
                    origin.row_text(row),
                )));
            }
            None => POINT,
        },
    };
    for (name, target) in mixed {
        let texts = frame.column(&name)?.str()?.clone();
        // A target keeps the cells that no mark can read, to be quoted; a covariate with such cells is one of words.
        let all = texts.iter().flatten().all(|text| plain(text, mark).is_some());
        if all || target {
            let numbers: StringChunked =
                texts.iter().map(|text| text.map(|text| plain(text, mark).unwrap_or(Cow::Borrowed(text)))).collect();
            frame.with_column(numbers.with_name(name).into_series().into_column())?;
        }
    }
    Ok((mark == COMMA).then(|| "numbers with decimal commas".into()))
}

/// Does it begin like a number, whatever it is written in?
fn looks_numeric(text: &str) -> bool {
    let rest = text.trim().trim_start_matches(|c: char| SIGNS.contains(&c) || "+-−( ".contains(c));
    rest.starts_with(|c: char| c.is_ascii_digit() || ".,".contains(c))
}

/// The number in Rust's own notation; none if it is not written by this mark.
fn plain(text: &str, mark: Mark) -> Option<Cow<'_, str>> {
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
            if !(1..=3).contains(&first.len()) || rest.iter().any(|group| group.len() != 3) {
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
    Ok(match same.str()?.iter().eq(column.str()?.iter()) {
        true => whole,
        false => column.clone(),
    })
}

pub(super) fn typed_covariate(column: &Column) -> Result<Column> {
    if column.dtype() != &DataType::String {
        return Ok(column.clone());
    }
    let numbers = column.cast(&DataType::Float64)?;
    if numbers.null_count() == column.null_count() {
        return Ok(numbers);
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

/// A text column as numbers, and the cells that are none, with their rows. When more than half are none, the column
/// is not one of numbers, and the first such cell is an error that quotes it.
pub(in crate::panel) fn target_numbers(column: &Column, origin: &Origin) -> Result<(Column, Vec<(u32, String)>)> {
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
pub(in crate::panel) fn all_numbers(column: &Column, origin: &Origin) -> Result<Column> {
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
        for text in ["12 apples", "1,23,4", "1.2.3", "", "-", "(", "1,2345.6", "--3", "(-3)"] {
            assert_eq!(read(text, POINT), None, "{text}");
        }
    }
}
