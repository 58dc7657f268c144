//! Which numbers are in a column? Decimal points or commas, thousands separators, currencies, accounting brackets.
//!
//! A source has one decimal mark, decided by the cells of all its numeric columns together: `1,5` can only have a
//! decimal comma, `1,234.50` and `0.750` only a point. Where every cell is ambiguous (`1,234`, `1.250` beside `987`),
//! reading fails and asks the user. Numbers that the source stores as numbers, not as text, are no evidence. A column
//! has one currency.

use std::borrow::Cow;

use polars::prelude::*;

use super::amounts::{self, APOSTROPHES, Amount, Mark};
use super::{MISSING, NOTHING, Needed, Wanted, short};
use crate::error::{Error, Result};
use crate::panel::Provenance;
use crate::panel::covariates::is_number;

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

/// A column of numbers that are not all plain.
struct Mixed {
    name: PlSmallStr,
    /// Is a dash among them a zero?
    dash_is_zero: bool,
}

/// Finds the decimal mark of the text columns that hold numbers, rewrites these in plain numbers, and says how they are
/// written where it is more than a decimal point.
///
/// # Errors
/// When the cells can be read two ways and nobody says which, or a declared column is in two currencies.
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
        let (mut numeric, mut dashes) = (0_usize, 0_usize);
        for text in texts.iter().flatten() {
            let text = text.strip_prefix(TYPED).unwrap_or(text);
            if amounts::begins(text) {
                numeric += 1;
            } else if amounts::dash(text).is_some() {
                dashes += 1;
            }
        }
        if numeric * 2 <= texts.len() - texts.null_count() - dashes {
            let words = untyped(texts);
            frame.with_column(words.with_name(name).into_series().into_column())?;
            continue;
        }
        let mut currencies = Currencies::default();
        let mut dash_is_zero = false;
        for (row, text) in texts.iter().enumerate() {
            let Some(text) = text.filter(|text| !text.starts_with(TYPED)) else { continue };
            let read = |mark| Amount::read(text, mark);
            let value = |amount: &Amount| amount.number.parse::<f64>().ok();
            let (point, comma) = (read(Mark::Point), read(Mark::Comma));
            match (point.as_ref().and_then(value), comma.as_ref().and_then(value)) {
                (Some(a), Some(b)) if a == b => {}
                (Some(_), Some(_)) => doubtful(&name, row, text),
                (Some(_), None) => points += 1,
                (None, Some(_)) => commas += 1,
                (None, None) => {}
            }
            let currency = match point.or(comma) {
                Some(amount) => {
                    dash_is_zero |= amount.is_money;
                    amount.currency
                }
                None => amounts::dash(text).and_then(|dash| {
                    dash_is_zero |= dash.is_zero;
                    dash.currency
                }),
            };
            if let Some(currency) = currency {
                currencies.add(currency, row);
            }
        }
        let declared = [Needed::History, Needed::Future].contains(&wanted.part);
        match currencies.two() {
            Some(rows) if declared => return Err(two_currencies(&name, texts, rows, origin)),
            Some(_) => {
                origin.found.push(format!("column {name} left as text: it is in two currencies"));
                let words = untyped(texts);
                frame.with_column(words.with_name(name).into_series().into_column())?;
                continue;
            }
            None => origin.found.extend(currencies.remark(&name)),
        }
        mixed.push(Mixed { name, dash_is_zero });
    }
    let torn = doubt.is_some() && commas.min(points + decimals) * SLIP > commas.max(points + decimals);
    let known = stated.or(match commas > points {
        _ if torn => None,
        true => Some(','),
        false => (points + decimals > 0).then_some('.'),
    });
    let mark = match (known.or(wanted.decimal), doubt) {
        (None, Some(doubt)) => return Err(two_ways(&doubt, origin)),
        (Some(','), _) => Mark::Comma,
        _ => Mark::Point,
    };
    origin.decimal = known.or(wanted.decimal);
    let mut group: Option<char> = None;
    let thousands = mark == Mark::Comma && (stated.is_some() || decimals <= commas);
    let mixed = mixed.into_iter().map(|column| (column, true));
    let dotted = dotted.into_iter().map(|name| Mixed { name, dash_is_zero: false });
    for (Mixed { name, dash_is_zero }, mixed) in
        mixed.chain(dotted.filter(|_| thousands).map(|column| (column, stated.is_some())))
    {
        let texts = frame.column(&name)?.str()?.clone();
        let zero = |text: &str| dash_is_zero && amounts::dash(text).is_some();
        // A target keeps the cells that no mark can read, to be quoted; a covariate with such cells is one of words,
        // and plain numbers that the mark cannot read are plain numbers.
        let says_nothing = |text: &str| name != wanted.columns.target && NOTHING.contains(&text.trim());
        let is_number = |text: &str| plain(text, mark).is_some() || zero(text) || says_nothing(text);
        let all = texts.iter().flatten().all(is_number);
        let rewrite = all || (mixed && name == wanted.columns.target);
        let mut zeros = 0;
        let numbers: StringChunked = texts
            .iter()
            .map(|text| {
                let text = text?;
                let number = if rewrite { plain(text, mark) } else { None };
                if number.is_some() && group.is_none() {
                    group = between_digits(text).find(|c| mark.groups(*c));
                }
                if rewrite && number.is_none() && zero(text) {
                    zeros += 1;
                    return Some(Cow::Borrowed("0"));
                }
                Some(number.unwrap_or(Cow::Borrowed(text.strip_prefix(TYPED).unwrap_or(text))))
            })
            .collect();
        if zeros > 0 {
            origin.found.push(format!(
                "a dash in column {name} read as 0, as accounting formats write it, {zeros} {}; leave the cell empty \
                 where there is no value",
                if zeros == 1 { "time" } else { "times" }
            ));
        }
        frame.with_column(numbers.with_name(name).into_series().into_column())?;
    }
    let group = group.map(|group| match group {
        '.' => "points",
        ',' => "commas",
        group if APOSTROPHES.contains(&group) => "apostrophes",
        _ => "blanks",
    });
    origin.found.extend(match (mark == Mark::Comma, group) {
        (false, None) => None,
        (false, Some(group)) => Some(format!("numbers with {group} between thousands")),
        (true, None) => Some("numbers with decimal commas".into()),
        (true, Some(group)) => Some(format!("numbers with decimal commas and {group} between thousands")),
    });
    Ok(())
}

/// The cells of a column of words as they are written.
fn untyped(texts: &StringChunked) -> StringChunked {
    texts.iter().map(|text| text.map(|text| text.strip_prefix(TYPED).unwrap_or(text))).collect()
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
        read(Mark::Point),
        read(Mark::Comma),
    ))
}

fn two_currencies(name: &str, texts: &StringChunked, rows: [usize; 2], origin: &Provenance) -> Error {
    let cell = |row: usize| format!("`{}` in {}", short(texts.get(row).unwrap_or_default()), origin.row_text(row));
    Error::data(format!(
        "column `{name}` of {} is in two currencies: {}, {}; convert one of them, or read the rows of each by themselves",
        origin.source,
        cell(rows[0]),
        cell(rows[1]),
    ))
}

/// The currencies that occur in a column, each with its first row.
#[derive(Default)]
struct Currencies(Vec<(&'static str, usize)>);

impl Currencies {
    fn add(&mut self, currency: &'static str, row: usize) {
        if !self.0.iter().any(|(known, _)| *known == currency) {
            self.0.push((currency, row));
        }
    }

    /// The rows of two that cannot be the same.
    fn two(&self) -> Option<[usize; 2]> {
        let other = |(i, (currency, row)): (usize, &(&str, usize))| {
            let before = self.0[..i].iter().find(|(known, _)| !amounts::is_same(known, currency))?;
            Some([before.1, *row])
        };
        self.0.iter().enumerate().find_map(other)
    }

    fn remark(&self, column: &str) -> Option<String> {
        let names: Vec<&str> = self.0.iter().map(|(name, _)| *name).collect();
        match names.as_slice() {
            [] => None,
            [one] => Some(format!("amounts of {column} in {one}")),
            several => Some(format!("amounts of {column} in {}, taken as one currency", several.join(" and "))),
        }
    }
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

/// The number in Rust's own notation; none if it is not written by this mark.
fn plain(text: &str, mark: Mark) -> Option<Cow<'_, str>> {
    match text.strip_prefix(TYPED) {
        Some(number) => Some(Cow::Borrowed(number)),
        None => Amount::read(text, mark).map(|amount| amount.number),
    }
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
        origin.found.push(format!("{}; missing=zero takes them as nothing sold", nothing(column, &cells)));
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

    #[test]
    fn numbers_of_the_source_are_numbers_under_every_mark() {
        assert_eq!(plain("\u{1}1.25", Mark::Comma).as_deref(), Some("1.25"));
        assert_eq!(plain("\u{1}1.250", Mark::Point).as_deref(), Some("1.250"));
    }

    #[test]
    fn one_currency_by_several_names() {
        let of = |names: &[&'static str]| {
            let mut currencies = Currencies::default();
            names.iter().enumerate().for_each(|(row, name)| currencies.add(name, row));
            currencies.two()
        };
        assert_eq!((of(&["$", "USD", "$"]), of(&["kr"])), (None, None));
        assert_eq!(of(&["$", "$", "EUR", "GBP"]), Some([0, 2]));
        assert_eq!(of(&["USD", "$", "CAD"]), Some([0, 2]));
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
