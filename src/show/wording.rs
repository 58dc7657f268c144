//! How are numbers and column names written on a page for its readers? In the marks of their locale, under names of their own.
//!
//! Texts are made with a comma between thousands and a point before decimals; while a page with a [`Wording`] is written, every text,
//! table and figure passes through [`said`]. What is no number of a sentence stays as it is: dates, versions, labels of models
//! (`ets(alpha=0.5)`), code.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_locale_core::Locale;

use crate::error::{Error, Result};

/// A locale for numbers, and names for columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Wording {
    locale: Option<String>,
    names: Vec<(String, String)>,
}

/// Before a text that was said already: cut to its room, it must not be said again.
const SAID: char = '\u{2060}';

/// A wording at work.
struct Speaker {
    numbers: Option<DecimalFormatter>,
    names: Vec<(String, String)>,
}

thread_local! {
    static NOW: RefCell<Option<Rc<Speaker>>> = const { RefCell::new(None) };
}

impl Wording {
    /// A locale such as `de-CH`, and pairs of a column's name and the one that readers see.
    ///
    /// # Errors
    /// When the locale is none, or a name is empty.
    pub(crate) fn new(locale: Option<&str>, names: Vec<(String, String)>) -> Result<Self> {
        if let Some(locale) = locale {
            formatter(locale)?;
        }
        if names.iter().any(|(from, to)| from.trim().is_empty() || to.trim().is_empty()) {
            return Err(Error::usage(
                "a column and its name for readers are both words: names = \"Weekly_Sales=Sales\"",
            ));
        }
        Ok(Self { locale: locale.map(String::from), names })
    }

    /// The locale of the numbers; none is English.
    pub(crate) fn locale(&self) -> Option<&str> {
        self.locale.as_deref()
    }

    /// What readers see for a column.
    pub(crate) fn name_of(&self, column: &str) -> Option<&str> {
        self.names.iter().find(|(from, _)| from == column).map(|(_, to)| to.as_str())
    }

    /// Are numbers and columns written as they are?
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// What is written inside is said this way.
    pub(crate) fn within<T>(&self, write: impl FnOnce() -> T) -> T {
        if self.is_plain() {
            return write();
        }
        struct Restored(Option<Rc<Speaker>>);
        impl Drop for Restored {
            fn drop(&mut self) {
                let before = self.0.take();
                NOW.with(|now| *now.borrow_mut() = before);
            }
        }
        let numbers = self.locale.as_deref().and_then(|locale| formatter(locale).ok());
        let speaker = Rc::new(Speaker { numbers, names: self.names.clone() });
        let _restored = Restored(NOW.with(|now| now.borrow_mut().replace(speaker)));
        write()
    }
}

fn formatter(locale: &str) -> Result<DecimalFormatter> {
    let parsed: Locale =
        locale.parse().map_err(|_| Error::usage(format!("`{locale}` is no locale: en-US, de, fr-CH, en-IN")))?;
    DecimalFormatter::try_new(parsed.into(), Default::default())
        .map_err(|cause| Error::usage(format!("numbers cannot be written as in `{locale}`")).because(cause.to_string()))
}

/// Is a page being written in a wording of its own?
pub(crate) fn is_own() -> bool {
    NOW.with(|now| now.borrow().is_some())
}

/// A text as its readers see it.
pub(crate) fn said(text: &str) -> Cow<'_, str> {
    if let Some(text) = text.strip_prefix(SAID) {
        return Cow::Borrowed(text);
    }
    match NOW.with(|now| now.borrow().clone()) {
        None => Cow::Borrowed(text),
        Some(speaker) => Cow::Owned(speaker.say(text)),
    }
}

/// A text that was said already and is not said again.
pub(crate) fn once(text: String) -> String {
    if is_own() { format!("{SAID}{text}") } else { text }
}

impl Speaker {
    fn say(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 8);
        let mut before = None;
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let taken = self.name(before, rest).or_else(|| self.number(text, text.len() - rest.len()));
            let (length, written) = taken.unwrap_or((letter.len_utf8(), Cow::Borrowed(&rest[..letter.len_utf8()])));
            out.push_str(&written);
            before = rest[..length].chars().next_back();
            rest = &rest[length..];
        }
        out
    }

    /// A column's name here, how long it is, and what readers see instead.
    fn name(&self, before: Option<char>, rest: &str) -> Option<(usize, Cow<'_, str>)> {
        let is_word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
        if is_word(before) {
            return None;
        }
        let whole = |name: &str| rest.starts_with(name) && !is_word(rest[name.len()..].chars().next());
        // What readers see is not replaced again, where it holds the name itself.
        let seen = self.names.iter().find(|(_, to)| whole(to)).map(|(_, to)| (to.len(), Cow::Borrowed(to.as_str())));
        seen.or_else(|| {
            let longest = self.names.iter().filter(|(from, _)| whole(from)).max_by_key(|(from, _)| from.len());
            longest.map(|(from, to)| (from.len(), Cow::Borrowed(to.as_str())))
        })
    }

    /// A number of a sentence here, how long it is, and how the locale writes it.
    fn number(&self, text: &str, at: usize) -> Option<(usize, Cow<'_, str>)> {
        let numbers = self.numbers.as_ref()?;
        let rest = &text[at..];
        if !rest.starts_with(|letter: char| letter.is_ascii_digit()) {
            return None;
        }
        let mut back = text[..at].chars().rev();
        let joins = match (back.next(), back.next()) {
            // A minus is one only after a blank or a bracket: dates have hyphens.
            (Some('-'), earlier) => earlier.is_some_and(|letter| !letter.is_whitespace() && letter != '('),
            (Some(letter), _) => letter.is_alphanumeric() || "_.,=/:".contains(letter),
            (None, _) => false,
        };
        let bytes = rest.as_bytes();
        let digits =
            |from: usize| bytes[from.min(bytes.len())..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut end = digits(0);
        let first = end;
        while bytes.get(end) == Some(&b',') && digits(end + 1) == 3 && first <= 3 {
            end += 4;
        }
        if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
            end += 1 + digits(end + 1);
        }
        let mut ahead = rest[end..].chars();
        let goes_on = match (ahead.next(), ahead.next()) {
            (Some(letter), _) if letter.is_alphanumeric() || "_/:=".contains(letter) => true,
            (Some('.' | ',' | '-'), Some(next)) => next.is_ascii_digit(),
            _ => false,
        };
        // All digits of it, so that its end is not looked at alone.
        if joins || goes_on || end == first {
            return Some((end.max(1), Cow::Owned(rest[..end].to_string())));
        }
        let value: Decimal = rest[..end].replace(',', "").parse().ok()?;
        Some((end, Cow::Owned(numbers.format_to_string(&value))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn worded(locale: &str, names: &[(&str, &str)], text: &str) -> String {
        let names = names.iter().map(|(from, to)| (from.to_string(), to.to_string())).collect();
        Wording::new((!locale.is_empty()).then_some(locale), names).unwrap().within(|| said(text).into_owned())
    }

    #[test]
    fn numbers_are_those_of_the_locale() {
        // The marks of CLDR 48, as ICU writes them.
        let cases = [
            ("de", "rose by 4.8 % to 1,234,567.5", "rose by 4,8 % to 1.234.567,5"),
            ("en-IN", "1,234,567 units", "12,34,567 units"),
            ("de-CH", "(1,234.5)", "(1’234.5)"),
            ("fr", "−0.5", "−0,5"),
            ("es", "1,234", "1234"),
        ];
        for (locale, text, expected) in cases {
            // Some versions of the data have the typewriter's apostrophe for Switzerland.
            assert_eq!(worded(locale, &[], text).replace('\'', "’"), expected, "{locale}");
        }
    }

    #[test]
    fn what_is_no_number_of_a_sentence_stays() {
        for text in [
            "2012-10-26",
            "ets(alpha=0.5)",
            "0.1.0",
            "q0.9",
            "v1.5",
            "1.5e-9",
            "2012",
            "10:30",
            "data/1.5.csv",
            "1,2,3",
        ] {
            assert_eq!(worded("de", &[], text), text);
        }
        assert_eq!(said("1,234.5"), "1,234.5");
    }

    #[test]
    fn names_are_whole_words_and_said_once() {
        let names = [("Weekly_Sales", "Sales"), ("Sales", "Sales in USD")];
        assert_eq!(
            worded("", &names, "Weekly_Sales rose; Weekly_Sales_2 and xSales not"),
            "Sales rose; Weekly_Sales_2 and xSales not"
        );
        let names = [("Dept", "Dept of sale")];
        let once = worded("", &names, "Dept=1");
        assert_eq!((once.as_str(), worded("", &names, &once).as_str()), ("Dept of sale=1", "Dept of sale=1"));
    }

    #[test]
    fn a_wording_ends_where_its_page_ends() {
        let wording = Wording::new(Some("de"), Vec::new()).unwrap();
        assert_eq!(wording.within(|| said(&once("1.5".into())).into_owned()), "1.5");
        assert_eq!((said("1.5"), once("1.5".into())), (Cow::Borrowed("1.5"), "1.5".to_string()));
        assert!(Wording::new(Some("not a locale"), Vec::new()).is_err());
        assert!(Wording::new(None, vec![("a".into(), " ".into())]).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_said(text in ".{0,60}", locale in "en|de|fr|en-IN|ar") {
            let once = worded(&locale, &[("a", "b")], &text);
            // Nothing but numbers and names changes.
            let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic() && !"ab".contains(*c)).collect::<String>();
            prop_assert_eq!(letters(&text), letters(&once));
        }
    }
}
