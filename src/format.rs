//! How is a number written so that a person can read it?
//!
//! About four significant digits, a comma between thousands, no `NaN`, no `-0`, and scientific notation only where
//! plain digits would be a wall (from 10¹⁵ up) or nothing but zeros (below 10⁻⁴). The numbers of one column or
//! one axis share their decimals, so that they align and can be compared.

/// Where plain digits stop: from here on a number is written as `1.5e15`.
const HUGE: f64 = 1e15;
/// Where plain decimals stop: below this a number is written as `1.0e-9`.
const TINY: f64 = 1e-4;
/// A number that is not there.
pub(crate) const MISSING: &str = "–";

/// A number as every table, axis and sentence writes it: about four significant digits and a comma between thousands.
///
/// ```
/// use tradewind::show::number;
/// assert_eq!(number(1_234_567.8), "1,234,568");
/// assert_eq!(number(0.123456), "0.1235");
/// assert_eq!(number(f64::NAN), "–");
/// ```
pub fn number(value: f64) -> String {
    if !value.is_finite() || value == 0.0 {
        return special(value);
    }
    let size = value.abs();
    if !(TINY..HUGE).contains(&size) {
        return scientific(value, 3);
    }
    if value.fract() == 0.0 {
        return plain(value, 0);
    }
    let text = plain(value, decimals_for(size));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

/// A number with a stated number of decimals and a comma between thousands.
pub(crate) fn decimals(value: f64, decimals: usize) -> String {
    if value.is_finite() { plain(value, decimals) } else { special(value) }
}

/// The shared form of a column's or an axis's numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Digits {
    /// This many decimals.
    Plain(usize),
    /// Mantissa with this many decimals, and an exponent.
    Scientific(usize),
}

impl Digits {
    /// The form that suits most of `values`: four digits of the middle one, and at least two of the smallest.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sizes: Vec<f64> =
            values.into_iter().filter(|value| value.is_finite() && *value != 0.0).map(f64::abs).collect();
        sizes.sort_by(f64::total_cmp);
        let (Some(&least), Some(&most)) = (sizes.first(), sizes.last()) else { return Self::Plain(0) };
        let middle = sizes[sizes.len() / 2];
        if !(TINY..HUGE).contains(&most) {
            return Self::Scientific(3);
        }
        if sizes.iter().all(|size| size.fract() == 0.0) {
            return Self::Plain(0);
        }
        let wanted = decimals_for(middle).min(6).max(decimals_for(least).saturating_sub(2).min(4));
        // 0.5, 1.5, 2.5 need one decimal, not four.
        let needed = (0..wanted)
            .find(|&decimals| {
                let scale = 10f64.powi(decimals as i32);
                sizes.iter().all(|size| ((size * scale).round() / scale - size).abs() <= size * 1e-9)
            })
            .unwrap_or(wanted);
        Self::Plain(needed)
    }

    /// One number in this form. One that would be rounded to nothing keeps its own scientific form.
    pub(crate) fn write(self, value: f64) -> String {
        if !value.is_finite() || value == 0.0 {
            return match self {
                Self::Plain(decimals) if value == 0.0 => plain(0.0, decimals),
                _ => special(value),
            };
        }
        match self {
            Self::Scientific(decimals) => format!("{value:.decimals$e}"),
            Self::Plain(decimals) => {
                let text = plain(value, decimals);
                if text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) { text } else { scientific(value, 1) }
            }
        }
    }
}

/// Numbers that stand under each other: shared digits.
pub(crate) fn column_labels(values: &[f64]) -> Vec<String> {
    let digits = Digits::of(values.iter().copied());
    values.iter().map(|&value| digits.write(value)).collect()
}

/// The labels of an axis: shared digits, as many as keep neighbours apart.
pub(crate) fn tick_labels(ticks: &[f64]) -> Vec<String> {
    if let [only] = ticks {
        return vec![number(*only)];
    }
    let size = ticks.iter().fold(0.0_f64, |most, tick| most.max(tick.abs()));
    if size >= HUGE || (size > 0.0 && size < TINY) {
        let write = |decimals: usize| -> Vec<String> {
            ticks.iter().map(|&tick| Digits::Scientific(decimals).write(tick)).collect()
        };
        return (0..=8).map(write).find(|labels| distinct(labels)).unwrap_or_else(|| write(8));
    }
    let step = ticks.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(f64::INFINITY, f64::min);
    let decimals = if step.is_finite() && step > 0.0 { (-step.log10().floor()).clamp(0.0, 12.0) as usize } else { 4 };
    let write = |decimals: usize| -> Vec<String> { ticks.iter().map(|&tick| plain(tick, decimals)).collect() };
    // A step of 2.5 needs a decimal more than its size says.
    let exact = |decimals: usize| {
        let scale = 10f64.powi(decimals as i32);
        ticks.iter().all(|tick| ((tick * scale).round() / scale - tick).abs() <= step.min(1.0) * 1e-3)
    };
    if distinct(&write(decimals)) && exact(decimals) { write(decimals) } else { write(decimals + 1) }
}

fn distinct(labels: &[String]) -> bool {
    labels.windows(2).all(|pair| pair[0] != pair[1])
}

/// Decimals that leave four significant digits.
fn decimals_for(size: f64) -> usize {
    (3.0 - size.log10().floor()).clamp(0.0, 8.0) as usize
}

fn special(value: f64) -> String {
    match value {
        _ if value == f64::INFINITY => "∞".into(),
        _ if value == f64::NEG_INFINITY => "-∞".into(),
        _ if value.is_nan() => MISSING.into(),
        _ => "0".into(),
    }
}

/// `1.0e-9`, `1.235e-9`: up to `most` decimals of the mantissa, at least one.
fn scientific(value: f64, most: usize) -> String {
    let text = format!("{value:.most$e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let short = mantissa.trim_end_matches('0');
            let dot = if short.ends_with('.') { "0" } else { "" };
            format!("{short}{dot}e{exponent}")
        }
        None => text,
    }
}

/// Fixed decimals with a comma between thousands, and no sign on a zero.
fn plain(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), ""), |(whole, fraction)| (whole, fraction));
    let negative = value < 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    let mut out = String::with_capacity(text.len() + 6);
    if negative {
        out.push('-');
    }
    out.push_str(&thousands(whole));
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// A whole number with a comma between thousands.
pub(crate) fn whole(value: i128) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", thousands(&value.unsigned_abs().to_string()))
}

fn thousands(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let cases = [
            (1_234_567.8, "1,234,568"),
            (0.123456, "0.1235"),
            (23.456, "23.46"),
            (1e-9, "1.0e-9"),
            (1.23456e-9, "1.235e-9"),
            (0.0, "0"),
            (-0.0, "0"),
            (-1e-4, "-0.0001"),
            (3.0, "3"),
            (0.5, "0.5"),
            (-1234.56, "-1,235"),
            (999.96, "1,000"),
            (1e15, "1.0e15"),
            (999_999_999_999.0, "999,999,999,999"),
            (-2.5e20, "-2.5e20"),
            (f64::NAN, "–"),
            (f64::INFINITY, "∞"),
            (f64::MIN_POSITIVE, "2.225e-308"),
            (f64::MAX, "1.798e308"),
            (0.1 + 0.2, "0.3"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text, "{value:e}");
        }
    }

    #[test]
    fn a_column_shares_its_decimals() {
        let write = |values: &[f64]| {
            let digits = Digits::of(values.iter().copied());
            values.iter().map(|&value| digits.write(value)).collect::<Vec<_>>()
        };
        assert_eq!(write(&[0.81234, 12.345, 1050.25]), ["0.81", "12.35", "1,050.25"]);
        assert_eq!(write(&[1.0, 2.0, f64::NAN]), ["1", "2", "–"]);
        assert_eq!(write(&[0.5, 1.5, -0.0]), ["0.5", "1.5", "0.0"]);
        assert_eq!(write(&[1e-12, 0.5]), ["1.0e-12", "0.5000"]);
        assert_eq!(write(&[1e16, 2.5e15]), ["1.000e16", "2.500e15"]);
        assert_eq!(write(&[]), Vec::<String>::new());
    }

    #[test]
    fn ticks_stay_apart_and_short() {
        assert_eq!(tick_labels(&[0.0, 0.5, 1.0]), ["0.0", "0.5", "1.0"]);
        assert_eq!(tick_labels(&[0.0, 2.5, 5.0]), ["0.0", "2.5", "5.0"]);
        assert_eq!(tick_labels(&[0.0, 0.25, 0.5]), ["0.00", "0.25", "0.50"]);
        assert_eq!(tick_labels(&[0.0, 20_000.0, 40_000.0]), ["0", "20,000", "40,000"]);
        assert_eq!(tick_labels(&[0.0, 1e15, 2e15]), ["0", "1e15", "2e15"]);
        assert_eq!(tick_labels(&[1e-9, 1.5e-9, 2e-9]), ["1.0e-9", "1.5e-9", "2.0e-9"]);
        assert_eq!(tick_labels(&[-0.0]), ["0"]);
        assert_eq!(tick_labels(&[40_000.0]), ["40,000"]);
    }
}
