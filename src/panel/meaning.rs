//! Which of the known words does a cell mean, however it is typed?
//!
//! The cell as it is comes first. Then words are compared without what people and programs write differently: case, blanks of any
//! kind, composed letters, and the same number (`1`, `1.0`, `01`). Where all known words say yes or no, so does the cell: `True` and
//! `1` are `Yes`. A cell that could mean two known words means neither: whoever asks has to say so.

use std::collections::HashMap;

use super::spelling::folded;

/// What says yes, and what says no, without case.
const YES: &str = "yes y true t 1 on ja j wahr oui o vrai si sí s sim verdadero";
const NO: &str = "no n false f 0 off nein falsch non faux não nao falso";

/// Words that are known, to find others among them.
pub(crate) struct Known<'a> {
    words: Vec<&'a str>,
    alike: HashMap<String, Vec<usize>>,
    /// Where all words say yes or no: those that say no, and those that say yes.
    flags: Option<[Vec<usize>; 2]>,
}

/// What a cell means.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Meaning {
    /// The known word that is written so.
    Same(usize),
    /// The only known word that it can mean.
    Other(usize),
    /// It could mean any of these.
    Several(Vec<usize>),
    /// No known word.
    New,
}

impl<'a> Known<'a> {
    /// Of different words.
    pub(crate) fn of(words: impl IntoIterator<Item = &'a str>) -> Self {
        let words: Vec<&str> = words.into_iter().collect();
        let mut alike: HashMap<String, Vec<usize>> = HashMap::new();
        let mut flags = Some([Vec::new(), Vec::new()]);
        for (at, word) in words.iter().enumerate() {
            alike.entry(simple(word)).or_default().push(at);
            match (flag(word), &mut flags) {
                (Some(yes), Some(flags)) => flags[usize::from(yes)].push(at),
                _ => flags = None,
            }
        }
        Self { words, alike, flags }
    }

    /// The words, in the order in which they were given.
    pub(crate) fn words(&self) -> &[&'a str] {
        &self.words
    }

    /// What a cell means among them.
    pub(crate) fn find(&self, cell: &str) -> Meaning {
        if let Some(at) = self.words.iter().position(|word| *word == cell) {
            return Meaning::Same(at);
        }
        let said = || flag(cell).and_then(|yes| self.flags.as_ref().map(|flags| &flags[usize::from(yes)]));
        match self.alike.get(&simple(cell)).or_else(said).map(Vec::as_slice) {
            None | Some([]) => Meaning::New,
            Some([one]) => Meaning::Other(*one),
            Some(several) => Meaning::Several(several.to_vec()),
        }
    }

    /// The words that are written in several ways, each with all its ways.
    pub(crate) fn written_in_several_ways(&self) -> Vec<Vec<&'a str>> {
        let mut ways: Vec<Vec<&str>> = (self.alike.values())
            .filter(|places| places.len() > 1)
            .map(|places| places.iter().map(|at| self.words[*at]).collect())
            .collect();
        ways.sort_unstable();
        ways
    }
}

/// Does a cell say yes or no?
pub(crate) fn flag(cell: &str) -> Option<bool> {
    let word = simple(cell);
    let among = |list: &str| list.split(' ').any(|one| one == word);
    if among(YES) { Some(true) } else { among(NO).then_some(false) }
}

/// A cell without what is written differently.
pub(crate) fn simple(cell: &str) -> String {
    let text = folded(cell);
    number(&text).unwrap_or(text)
}

/// A number in its shortest form: without zeros in front and behind the decimal point.
fn number(text: &str) -> Option<String> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let only_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !only_digits(whole) || !only_digits(part) {
        return None;
    }
    let (whole, part) = (whole.trim_start_matches('0'), part.trim_end_matches('0'));
    Some(match (whole, part) {
        ("", "") => "0".into(),
        (whole, "") => format!("{sign}{whole}"),
        (whole, part) => format!("{sign}{}.{part}", if whole.is_empty() { "0" } else { whole }),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_word_however_it_is_typed() {
        for (words, cell, meaning) in [
            (&["No", "Yes"][..], "Yes", Meaning::Same(1)),
            (&["No", "Yes"], "YES", Meaning::Other(1)),
            (&["No", "Yes"], " yes\u{a0}", Meaning::Other(1)),
            (&["No", "Yes"], "1", Meaning::Other(1)),
            (&["No", "Yes"], "True", Meaning::Other(1)),
            (&["No", "Yes"], "0.0", Meaning::Other(0)),
            (&["No", "Yes"], "maybe", Meaning::New),
            (&["No", "YES", "Yes"], "Yes", Meaning::Same(2)),
            (&["No", "YES", "Yes"], "yes", Meaning::Several(vec![1, 2])),
            (&["No", "YES", "Yes"], "1", Meaning::Several(vec![1, 2])),
            (&["0", "a", "b"], "0.0", Meaning::Other(0)),
            (&["0", "a", "b"], "no", Meaning::New),
            (&["0", "a", "b"], "B ", Meaning::Other(2)),
            (&["1.0", "2.0"], "01", Meaning::Other(0)),
            (&["1.50"], "1.5", Meaning::Other(0)),
            (&["10"], "1", Meaning::New),
            // One letter, and a letter with a mark of its own.
            (&["Café"], "Cafe\u{301}", Meaning::Other(0)),
            (&["Summer  sale"], "summer sale", Meaning::Other(0)),
            (&["No"], "Yes", Meaning::New),
            (&[], "Yes", Meaning::New),
        ] {
            assert_eq!(Known::of(words.iter().copied()).find(cell), meaning, "{cell} among {words:?}");
        }
        let known = Known::of(["a", "YES", "A", "Yes", "b"]);
        assert_eq!(known.written_in_several_ways(), [vec!["YES", "Yes"], vec!["a", "A"]]);
    }

    proptest! {
        /// A cell means one word only if no other known word is like it, and a known word always means itself.
        #[test]
        fn no_cell_means_two_words_in_silence(
            words in proptest::collection::btree_set("[aAbB01 .\u{a0}é]{0,4}|Yes|YES|No|true|False", 0..8),
            cell in "[aAbB01 .\u{a0}é]{0,4}|yes|NO|True|0",
        ) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let known = Known::of(words.iter().copied());
            for (at, word) in words.iter().enumerate() {
                prop_assert_eq!(known.find(word), Meaning::Same(at));
            }
            let means = |word: &str| simple(word) == simple(&cell) || (flag(word).is_some() && flag(word) == flag(&cell));
            match known.find(&cell) {
                Meaning::Same(at) => prop_assert_eq!(words[at], &cell),
                Meaning::Other(at) => {
                    prop_assert!(means(words[at]));
                    // Of words that say the same, one that is written alike is the nearer.
                    let alike = words.iter().filter(|word| simple(word) == simple(&cell)).count();
                    prop_assert!(alike == 1 || (alike == 0 && words.iter().filter(|word| means(word)).count() == 1));
                }
                Meaning::Several(at) => prop_assert!(at.len() > 1 && at.iter().all(|at| means(words[*at]))),
                Meaning::New => prop_assert!(!words.iter().any(|word| simple(word) == simple(&cell))),
            }
        }

        #[test]
        fn what_is_simple_stays_so(cell in ".{0,12}") {
            prop_assert_eq!(simple(&simple(&cell)), simple(&cell));
        }
    }
}
