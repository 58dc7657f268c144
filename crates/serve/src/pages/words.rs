//! How numbers, counts and times read on a page.

use chrono::{DateTime, Utc};

/// A number that is not there.
pub(crate) const MISSING: &str = "–";

/// A number for a person: about four significant digits, a comma between thousands.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return MISSING.into();
    }
    if value == 0.0 {
        return "0".into();
    }
    let size = value.abs();
    if !(1e-4..1e15).contains(&size) {
        return format!("{value:.2e}").replace('-', "−");
    }
    let decimals = if value.fract() == 0.0 { 0 } else { 3 - (size.log10().floor() as i32).clamp(-3, 3) };
    let text = fixed(value, decimals.max(0) as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

/// The decimals with which the numbers of one column align: about four significant digits of the largest.
pub(crate) fn shared_decimals(values: impl IntoIterator<Item = f64>) -> usize {
    let mut largest = 0.0_f64;
    let mut is_whole = true;
    for value in values.into_iter().filter(|value| value.is_finite()) {
        largest = largest.max(value.abs());
        is_whole &= value.fract() == 0.0;
    }
    if is_whole || largest == 0.0 { 0 } else { (3 - largest.log10().floor() as i32).clamp(0, 6) as usize }
}

/// A number with so many decimals and a comma between thousands.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return MISSING.into();
    }
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut out = String::with_capacity(text.len() + whole.len() / 3 + 1);
    if value < 0.0 && text.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) {
        out.push('−');
    }
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

/// A number as a field of a form holds it: no commas, no more digits than a person would type.
pub(crate) fn field(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" || text.is_empty() { "0".into() } else { text.into() }
}

/// `1 series`, `2,000 series`, `1 model`, `3 models`.
pub(crate) fn count(number: usize, one: &str, more: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {more}", fixed(number as f64, 0)) }
}

/// The steps of a frequency: `week` and `weeks` for `weekly (Fridays)`; `step` and `steps` where it has no such name.
pub(crate) fn steps(frequency: &str) -> (&'static str, &'static str) {
    match frequency.split_whitespace().next().unwrap_or_default().to_lowercase().as_str() {
        "hourly" => ("hour", "hours"),
        "daily" => ("day", "days"),
        "weekly" => ("week", "weeks"),
        "monthly" => ("month", "months"),
        "quarterly" => ("quarter", "quarters"),
        "yearly" | "annual" | "annually" => ("year", "years"),
        _ => ("step", "steps"),
    }
}

/// How long ago, roughly; the date of what was months ago.
pub(crate) fn ago(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - then).num_seconds().max(0) as usize;
    match seconds {
        0..60 => "just now".into(),
        60..3_600 => format!("{} ago", count(seconds / 60, "minute", "minutes")),
        3_600..86_400 => format!("{} ago", count(seconds / 3_600, "hour", "hours")),
        86_400..5_184_000 => format!("{} ago", count(seconds / 86_400, "day", "days")),
        _ => then.format("%Y-%m-%d").to_string(),
    }
}

/// A moment as people of any country read it.
pub(crate) fn moment(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// The size of a file.
pub(crate) fn bytes(size: u64) -> String {
    const KB: f64 = 1024.0;
    let write = |size: f64, unit: &str| format!("{} {unit}", number((size * 10.0).round() / 10.0));
    match size as f64 {
        size if size < KB => write(size, "bytes"),
        size if size < KB * KB => write(size / KB, "KB"),
        size if size < KB * KB * KB => write(size / KB / KB, "MB"),
        size => write(size / KB / KB / KB, "GB"),
    }
}

/// What a fault says as a sentence for people, who know no backticks: “a” in place of `a`.
pub(crate) fn sentence(text: &str) -> String {
    let mut out = capitalised(text.trim());
    while let Some((before, rest)) = out.split_once('`') {
        let Some((name, after)) = rest.split_once('`') else { break };
        out = format!("{before}“{name}”{after}");
    }
    if !out.ends_with(['.', '!', '…', '?']) {
        out.push('.');
    }
    out
}

/// The same text with a capital first letter, for the beginning of a sentence.
pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(number(1_234_567.8), "1,234,568");
        assert_eq!(number(0.123_456), "0.1235");
        assert_eq!(number(18_003.2), "18,003");
        assert_eq!(number(-12.5), "−12.5");
        assert_eq!(number(9.99), "9.99");
        assert_eq!(number(f64::NAN), "–");
        assert_eq!(fixed(-0.001, 1), "0.0");
        assert_eq!(field(9.990_000_000_1), "9.99");
        assert_eq!(field(-0.0), "0");
        assert_eq!(shared_decimals([1.5, 12_345.25]), 0);
        assert_eq!(shared_decimals([1.5, 2.25]), 3);
    }

    #[test]
    fn counts_and_times_are_words() {
        assert_eq!(count(1, "model", "models"), "1 model");
        assert_eq!(count(2000, "series", "series"), "2,000 series");
        assert_eq!(steps("weekly (Fridays)"), ("week", "weeks"));
        assert_eq!(steps("every 2 weeks (Fridays)"), ("step", "steps"));
        let now = Utc::now();
        assert_eq!(ago(now - chrono::Duration::minutes(1), now), "1 minute ago");
        assert_eq!((bytes(200 << 20), bytes(1_700), bytes(12)), ("200 MB".into(), "1.7 KB".into(), "12 bytes".into()));
        assert_eq!(
            ago(now - chrono::Duration::days(400), now),
            (now - chrono::Duration::days(400)).format("%Y-%m-%d").to_string()
        );
        assert_eq!(sentence("no series `a` in x"), "No series “a” in x.");
        assert_eq!(sentence("is it `odd?"), "Is it `odd?");
    }
}
