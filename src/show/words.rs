//! How do counts, shares, p-values and names read in a sentence, and how is a sentence set on a page?

use super::wording::said;
use crate::format::{decimals, number};

/// `1 week`, `52 weeks`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", number(count as f64), if count == 1 { one } else { many })
}

/// `the year before`: where the last season lies, for steps of this name, so many of them in a season and in a week.
pub(crate) fn season_before(noun: &str, season: usize, week: Option<usize>) -> String {
    match (noun, season) {
        (_, 1) => format!("the {noun} before"),
        ("hour", 24) => "the day before".into(),
        (_, season) if week == Some(season) => "the week before".into(),
        ("hour", season) if week.is_some_and(|week| week % season == 0) => "the day before".into(),
        ("day", season) if week.is_some_and(|week| season == 52 * week) => "the year before".into(),
        ("day", 364..=366) | ("week", 52 | 53) | ("month", 12) | ("quarter", 4) => "the year before".into(),
        (_, season) => format!("{} before", counted(season, noun, &format!("{noun}s"))),
    }
}

/// The text with a capital first letter; `sMAPE` and the like stay as they are.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if !letters.as_str().starts_with(char::is_uppercase) => {
            first.to_uppercase().chain(letters).collect()
        }
        _ => text.to_string(),
    }
}

/// `a`, `a and b`, `a, b and 3 others`.
pub(crate) fn listed(names: &[&str], most: usize) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_string(),
        _ if names.len() > most => format!("{} and {} others", names[..most - 1].join(", "), names.len() + 1 - most),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// `theta (p = 0.3)`; what already ends in brackets gets no second pair: `ARIMA (fast; p = 0.3)`.
pub(crate) fn aside(text: &str, aside: &str) -> String {
    let mut depth = 0;
    let opens = text.char_indices().rev().find(|(_, letter)| {
        depth += i32::from(*letter == ')') - i32::from(*letter == '(');
        depth <= 0
    });
    match (opens, text.strip_suffix(')')) {
        (Some((at, '(')), Some(inside)) if text[..at].ends_with(' ') => format!("{inside}; {aside})"),
        _ => format!("{text} ({aside})"),
    }
}

/// A number with at most this many decimals.
pub(crate) fn rounded(value: f64, decimals: i32) -> String {
    let scale = 10_f64.powi(decimals);
    number((value * scale).round() / scale + 0.0)
}

/// A number with three significant digits, or whole where it has more before the point.
pub(crate) fn about(value: f64) -> String {
    let decimals = if value == 0.0 { 0 } else { (2 - value.abs().log10().floor() as i32).clamp(0, 12) };
    rounded(value, decimals)
}

/// An amount as people say it: `34.6 million`, `620,000`, `41.3`; without its sign.
pub(crate) fn amount(value: f64) -> String {
    let size = value.abs();
    // Rounded first: 999,999 is a million.
    let scale = 10_f64.powi((size.max(1.0).log10().floor() as i32 - 2).max(0));
    match (size / scale).round() * scale {
        v if v >= 1e9 => format!("{} billion", about(v / 1e9)),
        v if v >= 1e6 => format!("{} million", about(v / 1e6)),
        v if v >= 1e3 => about(v),
        _ => about(size),
    }
}

/// `p = 0.012`, `p = 0.31`, `p < 0.001`.
pub(crate) fn p_value(p: f64) -> String {
    match p {
        p if p < 0.001 => "p < 0.001".into(),
        p if p < 0.1 => format!("p = {}", decimals(p, 3)),
        p => format!("p = {}", decimals(p, 2)),
    }
}

/// A metric as prose writes it: `MASE` for `mase`, `80 % coverage` for `coverage80`.
pub(crate) fn metric(name: &str) -> String {
    match name {
        "bias" => name.into(),
        "pinball" => "pinball loss".into(),
        "smape" => "sMAPE".into(),
        _ => match name.find(|letter: char| letter.is_ascii_digit()).map(|digit| name.split_at(digit)) {
            Some(("coverage", level)) => format!("{level} % coverage"),
            Some((score, level)) => format!("{} ({level} %)", score.to_uppercase()),
            None => name.to_uppercase(),
        },
    }
}

/// A text as a page sets it: in the page's wording, no line ends before a per cent sign or inside `p = 0.03`, and a minus is a minus.
pub(crate) fn typeset(text: &str) -> String {
    let text = &*said(text);
    const FIXED: char = '\u{a0}';
    let letters: Vec<char> = text.chars().collect();
    let at = |place: usize| letters.get(place).copied().unwrap_or(' ');
    let is_p = |place: usize| at(place) == 'p' && (place == 0 || !at(place - 1).is_alphanumeric());
    let is_value =
        |sign: usize| matches!(at(sign), '=' | '<') && at(sign + 1).is_whitespace() && at(sign + 2).is_ascii_digit();
    let set = |(place, letter): (usize, &char)| match letter {
        ' ' if place > 0 && at(place - 1).is_ascii_digit() && at(place + 1) == '%' => FIXED,
        ' ' if place > 0 && is_p(place - 1) && is_value(place + 1) => FIXED,
        ' ' if place > 2 && is_p(place - 3) && is_value(place - 1) => FIXED,
        '-' if at(place + 1).is_ascii_digit() && (place == 0 || matches!(at(place - 1), ' ' | '(')) => '−',
        letter => *letter,
    };
    letters.iter().enumerate().map(set).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_read_well() {
        assert_eq!([counted(1, "week", "weeks"), counted(5200, "week", "weeks")], ["1 week", "5,200 weeks"]);
        assert_eq!([capital("ärger"), capital("sMAPE"), capital("")], ["Ärger", "sMAPE", ""]);
        assert_eq!(listed(&["a"], 3), "a");
        assert_eq!(listed(&["a", "b", "c"], 3), "a, b and c");
        assert_eq!(listed(&["a", "b", "c", "d"], 3), "a, b and 2 others");
        assert_eq!([aside("a", "b"), aside("a (b)", "c"), aside("f(b)", "c")], ["a (b)", "a (b; c)", "f(b) (c)"]);
        assert_eq!(
            [aside("a (b) d", "c"), aside("a (b (d))", "c"), aside(")", "c")],
            ["a (b) d (c)", "a (b (d); c)", ") (c)"]
        );
        assert_eq!([about(12345.6), about(0.012345), about(-2.5)], ["12,346", "0.0123", "-2.5"]);
        let amounts = [34_561_335.0, -619_800.0, 1_234.0, 41.27].map(amount);
        assert_eq!(amounts, ["34.6 million", "620,000", "1,230", "41.3"]);
        let edges = [999_999.0, 999_999_999.0, 999.94, 999.96].map(amount);
        assert_eq!(edges, ["1 million", "1 billion", "1,000", "1,000"]);
        assert_eq!([0.0004, 0.03, 0.314].map(p_value), ["p < 0.001", "p = 0.030", "p = 0.31"]);
        let metrics = ["mase", "smape", "coverage80", "sis95", "bias", "pinball"].map(metric);
        assert_eq!(metrics, ["MASE", "sMAPE", "80 % coverage", "SIS (95 %)", "bias", "pinball loss"]);
    }

    #[test]
    fn pages_break_no_number() {
        let cases = [
            ("80 % of 3 %", "80\u{a0}% of 3\u{a0}%"),
            ("(p = 0.03), p < 0.001", "(p\u{a0}=\u{a0}0.03), p\u{a0}<\u{a0}0.001"),
            ("step = 3 and top < 1", "step = 3 and top < 1"),
            ("-3 (-0.5 to -0.1)", "−3 (−0.5 to −0.1)"),
            ("2012-01-27, ets(alpha=-1), --top", "2012-01-27, ets(alpha=-1), --top"),
            ("", ""),
        ];
        for (text, page) in cases {
            assert_eq!(typeset(text), page);
        }
    }
}
