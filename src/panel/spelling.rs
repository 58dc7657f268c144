//! Which keys do people take for one? `85123A` and `85123a`, `Café` composed in two ways, `0017` and `17`.
//!
//! A text is folded in steps, each of which undoes one way of writing the same; two texts with one result are *like*
//! each other, and the steps that are needed for it say by what they differ. Texts that then differ by an accent only
//! (`Café`, `Cafe`) are suspicious and no more: both may be names of their own.
//!
//! Of the spellings of a value the commonest by rows is kept, of equally common ones the first of the file. Columns are
//! looked at one by one: `Berlin` and `berlin` are one shop whatever its departments are.

use std::borrow::Cow;
use std::collections::HashMap;

use polars::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::Panel;
use crate::error::Result;

/// What a step undoes, and how.
type Step = (&'static str, fn(&str) -> String);

/// The steps of folding, in the order in which they are taken.
const STEPS: [Step; 9] = [
    ("invisible characters", |text| text.chars().filter(|c| !invisible(*c)).collect()),
    ("letters composed otherwise", |text| text.nfc().collect()),
    ("dashes of another kind", |text| text.chars().map(|c| if dash(c) { '-' } else { c }).collect()),
    ("quotation marks of another kind", |text| text.chars().map(|c| if quote(c) { '\'' } else { c }).collect()),
    ("characters of another width or form", compatible),
    ("blanks", |text| text.split_whitespace().collect::<Vec<_>>().join(" ")),
    ("letters of another case", |text| text.to_uppercase().to_lowercase()),
    ("a decimal point", |text| whole(text).unwrap_or(text).to_string()),
    ("leading zeros", |text| without_zeros(text).to_string()),
];

/// Two spellings of one text that differ by an accent.
const ACCENT: &str = "an accent";

fn invisible(c: char) -> bool {
    let format = matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
    );
    format || (c.is_control() && !c.is_whitespace())
}

fn dash(c: char) -> bool {
    matches!(
        c,
        '\u{2010}'
            ..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{2e3a}' | '\u{2e3b}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
    )
}

fn quote(c: char) -> bool {
    matches!(c, '`' | '\u{b4}' | '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{2bc}' | '\u{ff07}')
}

/// Full-width digits, ligatures and the like as plain characters; what other steps undo is left to them.
fn compatible(text: &str) -> String {
    let plain = |c: char| -> Vec<char> {
        if c.is_ascii() || c.is_whitespace() || dash(c) || quote(c) {
            vec![c]
        } else {
            std::iter::once(c).nfkc().collect()
        }
    };
    text.chars().flat_map(plain).collect()
}

/// `17` of `17.0`.
fn whole(text: &str) -> Option<&str> {
    let (digits, rest) = text.split_once('.')?;
    let is = |text: &str, digit: fn(u8) -> bool| !text.is_empty() && text.bytes().all(digit);
    (is(digits, |b| b.is_ascii_digit()) && is(rest, |b| b == b'0')).then_some(digits)
}

/// `17` of `0017`, `17A` of `0017A`; `0` of `000`, and `0.5` as it is.
fn without_zeros(text: &str) -> &str {
    let zeros = text.bytes().take_while(|b| *b == b'0').count();
    match text.as_bytes().get(zeros) {
        Some(next) if next.is_ascii_digit() => &text[zeros..],
        None | Some(b'.') => &text[zeros.saturating_sub(1)..],
        Some(_) => text,
    }
}

/// The text that all spellings of it become.
pub(super) fn folded(text: &str) -> String {
    if text.is_ascii() && !text.bytes().any(|b| b.is_ascii_control() || b == b'`') {
        // What most keys are: the steps that do nothing are spared.
        let text = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
        return without_zeros(whole(&text).unwrap_or(&text)).to_string();
    }
    folded_without(text, STEPS.len())
}

/// The same without one of the steps.
fn folded_without(text: &str, left_out: usize) -> String {
    let steps = STEPS.iter().enumerate().filter(|(step, _)| *step != left_out);
    steps.fold(text.to_string(), |text, (_, (_, undo))| undo(&text))
}

/// A folded text without its accents: those of Latin, Greek and Cyrillic letters.
fn unaccented(folded: &str) -> String {
    folded.nfd().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).nfc().collect()
}

/// By what two texts with one folded form differ.
fn differing(a: &str, b: &str) -> String {
    let needed = (0..STEPS.len()).filter(|step| folded_without(a, *step) != folded_without(b, *step));
    let words: Vec<&str> = needed.map(|step| STEPS[step].0).collect();
    if words.is_empty() { "another spelling".into() } else { words.join(", ") }
}

/// The spelling that a value of a key column is like.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Like {
    pub(super) kept: String,
    /// By what they differ, in words.
    pub(super) differs: String,
    /// Do they differ by an accent, and may be two?
    pub(super) accent: bool,
}

/// A value of a column: how many rows it has, and the first of them in the source.
#[derive(Clone, Copy)]
struct Seen {
    rows: usize,
    first: u32,
}

/// The values that are like a commoner one.
fn alike(values: &HashMap<&str, Seen>) -> HashMap<String, Like> {
    // The commonest first, of equally common ones the first of the source.
    let mut order: Vec<(&str, Seen)> = values.iter().map(|(text, seen)| (*text, *seen)).collect();
    order.sort_unstable_by_key(|(text, seen)| (std::cmp::Reverse(seen.rows), seen.first, *text));
    let mut kept: HashMap<String, &str> = HashMap::with_capacity(order.len());
    let mut accentless: HashMap<String, &str> = HashMap::new();
    let mut found = HashMap::new();
    for (text, _) in order {
        let plain = folded(text);
        if let Some(like) = kept.get(&plain) {
            let like = Like { kept: (*like).to_string(), differs: differing(text, like), accent: false };
            found.insert(text.to_string(), like);
            continue;
        }
        let bare = if plain.is_ascii() { plain.clone() } else { unaccented(&plain) };
        match accentless.get(&bare) {
            Some(like) => {
                let like = Like { kept: (*like).to_string(), differs: ACCENT.into(), accent: true };
                found.insert(text.to_string(), like);
            }
            None => {
                accentless.insert(bare, text);
            }
        }
        kept.insert(plain, text);
    }
    found
}

/// The values of a key column as text; none where no two spellings of one value are possible.
pub(super) fn texts(column: &Column) -> Result<Option<StringChunked>> {
    if column.dtype().is_primitive_numeric() || column.dtype().is_bool() || column.dtype().is_temporal() {
        return Ok(None);
    }
    Ok(Some(column.cast(&DataType::String)?.str()?.rechunk().into_owned()))
}

impl Panel {
    /// For each key column, the values that are like a commoner one.
    pub(super) fn alike_keys(&self) -> Result<Vec<HashMap<String, Like>>> {
        let inner = self.inner();
        let of = |column: &Column| {
            let Some(texts) = texts(column)? else { return Ok(HashMap::new()) };
            let mut values: HashMap<&str, Seen> = HashMap::new();
            for (text, span) in texts.iter().zip(&inner.spans) {
                let (Some(text), false) = (text, span.is_empty()) else { continue };
                let rows = inner.origin.rows.get(span.clone()).unwrap_or_default();
                let first = rows.iter().min().copied().unwrap_or(span.start as u32);
                let seen = values.entry(text).or_insert(Seen { rows: 0, first });
                (seen.rows, seen.first) = (seen.rows + span.len(), seen.first.min(first));
            }
            Ok(alike(&values))
        };
        inner.keys.columns().iter().map(of).collect()
    }

    /// A frame whose keys are spelled as in this panel, if its own were merged: what a file of the future or one to be
    /// joined has in another spelling is found all the same.
    pub(super) fn spelled_alike(&self, mut frame: DataFrame) -> Result<DataFrame> {
        let inner = self.inner();
        for name in inner.columns.keys.iter().filter(|_| inner.columns.merged_keys) {
            let Ok(given) = frame.column(name) else { continue };
            let own = inner.keys.column(name)?.cast(&DataType::String)?;
            let own = own.str()?;
            let mut known: HashMap<String, &str> = HashMap::new();
            let mut exact = std::collections::HashSet::new();
            for text in own.iter().flatten() {
                known.entry(folded(text)).or_insert(text);
                exact.insert(text);
            }
            let given = given.cast(&DataType::String)?;
            let mut seen: HashMap<&str, Cow<str>> = HashMap::new();
            let spelled: StringChunked = given
                .str()?
                .iter()
                .map(|text| {
                    let text = text?;
                    let of = || match known.get(&folded(text)) {
                        Some(known) if !exact.contains(text) => Cow::Owned((*known).to_string()),
                        _ => Cow::Borrowed(text),
                    };
                    Some(seen.entry(text).or_insert_with(of).to_string())
                })
                .collect();
            let spelled = spelled.with_name(name.as_str().into()).into_series().into_column();
            frame.with_column(spelled)?;
        }
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(values: &[(&'static str, usize)]) -> HashMap<String, Like> {
        let seen =
            |(first, (text, rows)): (usize, &(&'static str, usize))| (*text, Seen { rows: *rows, first: first as u32 });
        alike(&values.iter().enumerate().map(seen).collect())
    }

    #[test]
    fn spellings_of_one_key_are_found_and_what_differs_is_said() {
        for (a, b, differs) in [
            ("85123A", "85123a", "letters of another case"),
            ("STRASSE", "Straße", "letters of another case"),
            ("Café", "Cafe\u{301}", "letters composed otherwise"),
            ("Tea", "Tea\u{200b}", "invisible characters"),
            ("Tea", "\u{feff}Tea", "invisible characters"),
            ("Tea Pot", "Tea\u{a0}Pot", "blanks"),
            ("Tea Pot", "Tea\u{2009}Pot", "blanks"),
            ("Tea Pot", " Tea  Pot ", "blanks"),
            ("0017", "17", "leading zeros"),
            ("0017A", "17A", "leading zeros"),
            ("17", "17.0", "a decimal point"),
            ("T-100", "T\u{2010}100", "dashes of another kind"),
            ("T-100", "T\u{2013}100", "dashes of another kind"),
            ("T-100", "T\u{2212}100", "dashes of another kind"),
            ("Lay's", "Lay\u{2019}s", "quotation marks of another kind"),
            ("17", "１７", "characters of another width or form"),
            ("0017", "１７", "characters of another width or form, leading zeros"),
            ("TEA", " tea", "blanks, letters of another case"),
        ] {
            let found = seen(&[(a, 5), (b, 2)]);
            let like = Like { kept: a.into(), differs: differs.into(), accent: false };
            assert_eq!(found.get(b), Some(&like), "{a} {b}");
            assert_eq!(found.len(), 1);
        }
    }

    #[test]
    fn what_is_not_one_key_is_not_taken_for_one() {
        for (a, b) in
            [("17", "170"), ("0.5", "5"), ("1.10", "1.1"), ("A-7", "A7"), ("0", "00A"), ("17", "17.5"), ("", "0")]
        {
            assert!(seen(&[(a, 5), (b, 2)]).is_empty(), "{a} {b}");
        }
        assert_eq!(without_zeros("000"), "0");
        assert_eq!(without_zeros("00.5"), "0.5");
    }

    #[test]
    fn an_accent_is_suspicious_and_no_more() {
        let found = seen(&[("Café", 5), ("Cafe", 9), ("CAFÉ", 1)]);
        assert!(found["Café"].accent && found["Café"].kept == "Cafe");
        assert!(!found["CAFÉ"].accent && found["CAFÉ"].kept == "Café");
    }

    #[test]
    fn the_commonest_spelling_is_kept_then_the_first() {
        assert_eq!(seen(&[("tea", 2), ("Tea", 3)])["tea"].kept, "Tea");
        assert_eq!(seen(&[("tea", 3), ("Tea", 3)])["Tea"].kept, "tea");
    }

    proptest::proptest! {
        /// The quick way of plain texts is the long way, and folding twice is folding once.
        #[test]
        fn folding_is_the_same_both_ways(text in "[ -~]{0,12}|[0-9.]{0,8}|\\PC{0,10}") {
            let once = folded(&text);
            proptest::prop_assert_eq!(&once, &folded_without(&text, STEPS.len()));
            if text.is_ascii() {
                proptest::prop_assert_eq!(&folded(&once), &once);
            }
        }
    }
}
