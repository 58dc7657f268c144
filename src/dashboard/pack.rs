//! How do ten million numbers fit into a page that people send by mail? A matrix becomes integers, integers become byte
//! planes, planes become a zlib stream that every browser unpacks itself (`DecompressionStream`), and that becomes base64.
//!
//! | step | why |
//! |---|---|
//! | decimal integers | sales are counts or cents: `value = integer · 10^exponent` is exact, and no float is stored |
//! | differences, zigzag | neighbours in time are close, and small integers of either sign have empty high bytes |
//! | byte planes | the high bytes of all cells lie together and compress to almost nothing |
//! | zlib | what browsers unpack without a line of our own |
//!
//! Where values have no such form, or where the exact form would not fit the [budget](exact_or_rounded), each row is rounded
//! to a number of significant digits of its greatest value; the page says so. It fails on nothing: what is not finite is
//! missing, and what is too large for an integer is rounded.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};

/// The most decimals that count as exact: cents of a cent.
const DECIMALS: i32 = 4;
/// The largest integer that a page computes with exactly.
const LARGEST: f64 = 9_007_199_254_740_992.0;
/// Rows on which the form of a matrix is tried out.
const SAMPLE: usize = 256;

/// A compressed part of a page: what it is and how it is read, and the bytes.
pub(super) struct Block {
    /// How the script reads it.
    pub head: Value,
    /// A zlib stream.
    pub bytes: Vec<u8>,
}

/// A matrix as integers, with the power of ten of each row: `value = integer · 10^exponent`; none where a value is missing.
#[derive(Clone)]
pub(super) struct Decimals {
    pub cells: Vec<Option<i64>>,
    /// One per row, or one for all of them.
    pub exponents: Vec<i8>,
    pub columns: usize,
}

impl Decimals {
    /// The values of a matrix of so many columns exactly, if they are integers or have few decimals.
    pub fn exact(values: &[f64], columns: usize) -> Option<Self> {
        let places = (0..=DECIMALS).find(|places| {
            let scale = 10_f64.powi(*places);
            let fits = |value: &f64| {
                let whole = (value * scale).round();
                whole.abs() < LARGEST && whole / scale == *value
            };
            values.iter().filter(|value| value.is_finite()).all(fits)
        })?;
        let scale = 10_f64.powi(places);
        let cell = |value: &f64| value.is_finite().then(|| (value * scale).round() as i64);
        Some(Self { cells: values.iter().map(cell).collect(), exponents: vec![-(places as i8)], columns })
    }

    /// Each row to so many significant digits of its greatest value.
    pub fn rounded(values: &[f64], columns: usize, digits: i32) -> Self {
        let rows = values.chunks(columns.max(1));
        let exponents: Vec<i8> = rows.clone().map(|row| exponent(row, digits)).collect();
        Self::at(values, columns, exponents)
    }

    /// The integers at stated exponents, a row each.
    pub fn at(values: &[f64], columns: usize, exponents: Vec<i8>) -> Self {
        let mut cells = Vec::with_capacity(values.len());
        for (row, exponent) in values.chunks(columns.max(1)).zip(&exponents) {
            cells.extend(row.iter().map(|value| {
                let whole = times(*value, -i32::from(*exponent)).round();
                whole.is_finite().then(|| whole.clamp(-LARGEST, LARGEST) as i64)
            }));
        }
        Self { cells, exponents, columns }
    }

    /// The value that the page shows for a cell; NaN where it is missing.
    pub fn value(&self, cell: usize) -> f64 {
        let exponent = match self.exponents.as_slice() {
            [one] => *one,
            many => many[cell / self.columns.max(1)],
        };
        self.cells[cell].map_or(f64::NAN, |whole| times(whole as f64, i32::from(exponent)))
    }

    /// The same matrix relative to another one of the same exponents: what remains is small.
    pub fn less(&self, other: &Self) -> Self {
        let pairs = self.cells.iter().zip(&other.cells);
        let cells = pairs.map(|(one, other)| Some((*one)? - (*other)?)).collect();
        Self { cells, exponents: self.exponents.clone(), columns: self.columns }
    }

    /// Packed in the form that takes the least room on a sample of its rows.
    pub fn pack(&self, with_exponents: bool) -> Block {
        let rows = self.cells.len() / self.columns.max(1);
        let every = (rows / SAMPLE).max(1);
        let sample: Vec<Option<i64>> =
            self.cells.chunks(self.columns.max(1)).step_by(every).take(SAMPLE).flatten().copied().collect();
        let size = |form: &Form| deflated(&form.bytes(&sample, self.columns), Compression::fast()).len();
        // The first of equals, so that the choice does not depend on anything but the numbers.
        let form = Form::ALL.iter().min_by_key(|form| size(form)).copied().unwrap_or(Form::ALL[0]);
        let mut bytes = Vec::new();
        if with_exponents {
            bytes.extend(self.exponents.iter().map(|exponent| exponent.to_le_bytes()[0]));
        }
        let missing = self.cells.iter().any(Option::is_none);
        if missing {
            bytes.extend(bits(self.cells.iter().map(Option::is_none)));
        }
        let planes = form.planes(&self.cells, self.columns);
        bytes.extend(form.bytes(&self.cells, self.columns));
        let head = json!({
            "rows": rows, "columns": self.columns, "planes": planes, "difference": form.difference, "turned": form.turned,
            "most": self.cells.iter().flatten().map(|cell| cell.unsigned_abs()).max().unwrap_or(0),
            "missing": missing, "exponents": if with_exponents { self.exponents.len() } else { 0 },
        });
        Block { head, bytes: deflated(&bytes, Compression::best()) }
    }
}

/// The exact form where there is one that takes at most `budget` bytes; else each row rounded to `digits`, with fewer digits
/// as long as that does not fit. Returns what was packed, and to how many significant digits it is rounded.
pub(super) fn exact_or_rounded(
    values: &[f64],
    columns: usize,
    digits: i32,
    budget: usize,
) -> (Decimals, Block, Option<i32>) {
    if let Some(exact) = Decimals::exact(values, columns) {
        let block = exact.pack(true);
        if block.bytes.len() <= budget {
            return (exact, block, None);
        }
    }
    let mut digits = digits;
    loop {
        let rounded = Decimals::rounded(values, columns, digits);
        let block = rounded.pack(true);
        if block.bytes.len() <= budget || digits <= 2 {
            return (rounded, block, Some(digits));
        }
        digits -= 1;
    }
}

/// A value as JSON.
pub(super) fn text(value: &Value) -> Block {
    let text = value.to_string();
    Block { head: json!({ "json": true }), bytes: deflated(text.as_bytes(), Compression::best()) }
}

/// The bits of a sequence, the first in the lowest place.
fn bits(values: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (place, value) in values.enumerate() {
        if place % 8 == 0 {
            bytes.push(0);
        }
        if let Some(last) = bytes.last_mut() {
            *last |= u8::from(value) << (place % 8);
        }
    }
    bytes
}

/// The power of ten at which a row has so many significant digits.
fn exponent(row: &[f64], digits: i32) -> i8 {
    let most = row.iter().filter(|value| value.is_finite()).fold(0.0, |most: f64, value| most.max(value.abs()));
    let size = if most > 0.0 { most.log10().floor() as i32 + 1 } else { 0 };
    (size - digits).clamp(-100, 127) as i8
}

/// By division where the power is negative: `12345 / 100` is the number that is written 123.45, `12345 · 0.01` is not always.
fn times(value: f64, power: i32) -> f64 {
    if power < 0 { value / 10_f64.powi(-power) } else { value * 10_f64.powi(power) }
}

fn deflated(bytes: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::with_capacity(bytes.len() / 4), level);
    // Writing to memory cannot fail.
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default()
}

/// In which order cells stand, and whether each is stored less the one before it in time.
#[derive(Clone, Copy)]
struct Form {
    difference: bool,
    /// Step after step, rather than row after row.
    turned: bool,
}

impl Form {
    const ALL: [Self; 4] = [
        Self { difference: false, turned: false },
        Self { difference: true, turned: false },
        Self { difference: false, turned: true },
        Self { difference: true, turned: true },
    ];

    /// Zigzag codes, in the order in which they are stored. A missing cell repeats the last known one, so that its difference
    /// is nothing.
    fn codes(self, cells: &[Option<i64>], columns: usize) -> Vec<u64> {
        let columns = columns.max(1);
        let rows = cells.len() / columns;
        let mut codes = vec![0; cells.len()];
        for row in 0..rows {
            let mut before = 0;
            for column in 0..columns {
                let value = cells[row * columns + column].unwrap_or(if self.difference { before } else { 0 });
                let code = if self.difference { value - before } else { value };
                before = value;
                let place = if self.turned { column * rows + row } else { row * columns + column };
                codes[place] = ((code << 1) ^ (code >> 63)) as u64;
            }
        }
        codes
    }

    /// How many bytes the largest code takes.
    fn planes(self, cells: &[Option<i64>], columns: usize) -> usize {
        let most = self.codes(cells, columns).into_iter().max().unwrap_or(0);
        (64 - most.leading_zeros() as usize).div_ceil(8)
    }

    /// The planes of bytes, the lowest first.
    fn bytes(self, cells: &[Option<i64>], columns: usize) -> Vec<u8> {
        let codes = self.codes(cells, columns);
        let planes = self.planes(cells, columns);
        let plane = |plane: usize| codes.iter().map(move |code| (code >> (8 * plane)) as u8);
        (0..planes).flat_map(plane).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    /// What the page's script does.
    fn unpacked(block: &Block) -> Vec<Option<i64>> {
        let mut bytes = Vec::new();
        flate2::read::ZlibDecoder::new(&block.bytes[..]).read_to_end(&mut bytes).unwrap();
        let of = |name: &str| block.head[name].as_u64().unwrap() as usize;
        let (rows, columns, planes) = (of("rows"), of("columns"), of("planes"));
        let flag = |name: &str| block.head[name].as_bool().unwrap();
        let mut at = of("exponents");
        let mask = if flag("missing") { &bytes[at..at + (rows * columns).div_ceil(8)] } else { &[] };
        at += mask.len();
        let mut cells = vec![None; rows * columns];
        for row in 0..rows {
            let mut before = 0;
            for column in 0..columns {
                let place = if flag("turned") { column * rows + row } else { row * columns + column };
                let byte = |plane: usize| u64::from(bytes[at + plane * rows * columns + place]) << (8 * plane);
                let code = (0..planes).map(byte).sum::<u64>();
                let code = (code >> 1) as i64 ^ -((code & 1) as i64);
                let value = if flag("difference") { before + code } else { code };
                before = value;
                let cell = row * columns + column;
                let missing = mask.get(cell / 8).is_some_and(|byte| byte >> (cell % 8) & 1 == 1);
                cells[cell] = (!missing).then_some(value);
            }
        }
        cells
    }

    #[test]
    fn cents_come_back_exactly() {
        let values: Vec<f64> = (0..3000).map(|i| f64::from(i * i % 7919 - 800) / 100.0).collect();
        let (decimals, block, digits) = exact_or_rounded(&values, 30, 6, usize::MAX);
        assert_eq!(digits, None);
        assert_eq!(unpacked(&block), decimals.cells);
        for (cell, value) in values.iter().enumerate() {
            assert_eq!(decimals.value(cell).to_bits(), (value + 0.0).to_bits());
        }
    }

    #[test]
    fn what_is_missing_stays_missing() {
        let values = [f64::NAN, 3.0, f64::INFINITY, -7.0, f64::NAN, 1e6];
        let (decimals, block, _) = exact_or_rounded(&values, 3, 6, usize::MAX);
        assert_eq!(unpacked(&block), [None, Some(3), None, Some(-7), None, Some(1_000_000)]);
        assert!(decimals.value(0).is_nan());
    }

    #[test]
    fn what_has_no_end_is_rounded() {
        let values = [1.0 / 3.0, 2.0 / 3.0, 12_345.678_9, 1e-9];
        let (decimals, block, digits) = exact_or_rounded(&values, 2, 4, usize::MAX);
        assert_eq!(digits, Some(4));
        assert_eq!((decimals.value(0), decimals.value(1), decimals.value(2)), (0.3333, 0.6667, 12_350.0));
        assert_eq!(unpacked(&block), decimals.cells);
    }

    #[test]
    fn a_budget_costs_digits() {
        let values: Vec<f64> =
            (0..5000_u32).map(|i| f64::from(i.wrapping_mul(2_654_435_761) % 1_000_003) / 100.0).collect();
        let (_, whole, _) = exact_or_rounded(&values, 50, 6, usize::MAX);
        let (_, part, digits) = exact_or_rounded(&values, 50, 6, whole.bytes.len() * 3 / 4);
        assert!(digits.is_some_and(|digits| digits < 6) && part.bytes.len() <= whole.bytes.len() * 3 / 4);
    }

    #[test]
    fn nothing_and_one_cell_can_be_packed() {
        for values in [&[] as &[f64], &[0.0], &[f64::NAN], &[1e300]] {
            let (decimals, block, _) = exact_or_rounded(values, 1, 6, usize::MAX);
            assert_eq!(unpacked(&block), decimals.cells);
        }
    }
}
