//! Which series, which number and which category do the cells of a given future mean, where they are typed otherwise than in the
//! history?
//!
//! A column of numbers in one file may be one of texts in the other, because the other has an `a` among its zeros. What is taken for
//! something else is said; what could be two things is an error.

use std::collections::HashMap;

use polars::prelude::*;

use super::Panel;
use super::frame::labels_of;
use super::meaning;
use crate::error::{Error, Result};
use crate::progress;

/// A given cell that means no category of the history, or more than one.
#[derive(Clone)]
pub(super) struct Refused {
    pub(super) covariate: String,
    pub(super) series: usize,
    pub(super) step: usize,
    pub(super) cell: String,
    /// The categories that it could mean.
    pub(super) several: Vec<String>,
    pub(super) known: Vec<String>,
}

/// The series of each row of given keys; none where the panel has no such series. Keys are those of the panel however they are
/// typed, `17.0` for 17 and `01` for 1, where that leaves no doubt.
pub(super) fn series_of_rows(panel: &Panel, keys: &DataFrame, place: &str) -> Result<Vec<Option<usize>>> {
    let known: HashMap<&str, usize> =
        panel.inner().labels.iter().enumerate().map(|(i, label)| (label.as_str(), i)).collect();
    let labels = labels_of(keys, keys.height())?;
    let exact: Vec<Option<usize>> = labels.iter().map(|label| known.get(label.as_str()).copied()).collect();
    let mut has_rows = vec![false; panel.len()];
    exact.iter().flatten().for_each(|i| has_rows[*i] = true);
    if exact.iter().all(Option::is_some) || has_rows.iter().all(|has| *has) {
        return Ok(exact);
    }
    let mut alike: HashMap<String, Vec<usize>> = HashMap::new();
    for (i, key) in
        simple_keys(&panel.inner().keys, panel.len())?.into_iter().enumerate().filter(|(i, _)| !has_rows[*i])
    {
        alike.entry(key).or_default().push(i);
    }
    let mut meant: HashMap<&str, Option<usize>> = HashMap::new();
    let mut taken: HashMap<usize, &str> = HashMap::new();
    for (label, key) in labels.iter().zip(simple_keys(keys, keys.height())?) {
        if known.contains_key(label.as_str()) || meant.contains_key(label.as_str()) {
            continue;
        }
        let found = match alike.get(&key).map(Vec::as_slice) {
            None | Some([]) => None,
            Some([one]) => match taken.insert(*one, label) {
                None => Some(*one),
                Some(other) => {
                    return Err(Error::data(format!(
                        "the rows of {place} for {other} and for {label} could both be of series {}; write the key as the history does",
                        panel.label(*one)
                    )));
                }
            },
            Some(several) => {
                let series: Vec<String> = several.iter().map(|i| panel.label(*i).to_string()).collect();
                return Err(Error::data(format!(
                    "the rows of {place} for {label} could be of series {}; write the key as the history does",
                    series.join(" or ")
                )));
            }
        };
        meant.insert(label, found);
    }
    let mut taken: Vec<(usize, &str)> = taken.into_iter().collect();
    taken.sort_unstable();
    if let Some((i, label)) = taken.first() {
        let others = match taken.len() - 1 {
            0 => String::new(),
            n => format!(", and {} more alike", crate::show::number(n as f64)),
        };
        progress::say_once(&format!("{place}: {label} is taken for series {}{others}", panel.label(*i)));
    }
    let strange = meant.iter().filter(|(_, found)| found.is_none()).map(|(label, _)| *label).min();
    let without = (0..panel.len()).find(|i| !has_rows[*i] && !taken.iter().any(|(taken, _)| taken == i));
    if let (Some(strange), Some(without)) = (strange, without) {
        progress::say_once(&format!(
            "{place}: rows of series that the history does not have are not used, such as {strange}; there is no row for {}",
            panel.label(without)
        ));
    }
    let of = |(label, exact): (&String, Option<usize>)| exact.or_else(|| meant.get(label.as_str()).copied().flatten());
    Ok(labels.iter().zip(exact).map(of).collect())
}

/// The keys of each row without what is typed differently.
fn simple_keys(keys: &DataFrame, height: usize) -> Result<Vec<String>> {
    let mut simple = vec![String::new(); height];
    for column in keys.columns() {
        let texts = column.cast(&DataType::String)?;
        for (whole, text) in simple.iter_mut().zip(texts.str()?.iter()) {
            whole.push('\u{1f}');
            whole.push_str(&text.map(meaning::simple).unwrap_or_default());
        }
    }
    Ok(simple)
}

/// A given column of yes and no as the numbers 1 and 0, if the history has no others and each cell says one of them.
pub(super) fn as_flags(given: &Column, history: &Column) -> Result<Option<Column>> {
    let seen = history.cast(&DataType::Float64)?;
    if given.dtype() != &DataType::String || seen.f64()?.iter().flatten().any(|value| value != 0.0 && value != 1.0) {
        return Ok(None);
    }
    let mut flags = Vec::with_capacity(given.len());
    for text in given.str()?.iter() {
        match text.map(meaning::flag) {
            Some(None) => return Ok(None),
            flag => flags.push(flag.flatten().map(|yes| f64::from(u8::from(yes)))),
        }
    }
    Ok(Some(Column::new(given.name().clone(), flags)))
}

/// A given column of numbers as texts, whole numbers without their `.0`.
pub(super) fn as_texts(given: &Column) -> Result<Column> {
    let texts = given.cast(&DataType::String)?;
    let plain: StringChunked = texts.str()?.iter().map(|text| text.map(super::features::plain)).collect();
    Ok(plain.with_name(given.name().clone()).into_series().into_column())
}

impl Refused {
    pub(super) fn error(&self, series: &str, stamp: &str) -> Error {
        let Self { covariate, cell, .. } = self;
        let listed = |words: &[String]| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        Error::data(match &self.several[..] {
            [] => format!(
                "`{cell}` in the known covariate `{covariate}` of series {series} on {stamp} is no category of the history, which has {}; \
                 write one of these, or use a model that does not read it, such as auto(regressors=false)",
                listed(&self.known)
            ),
            several => format!(
                "`{cell}` in the known covariate `{covariate}` of series {series} on {stamp} could be {}, which the history tells apart; \
                 write it as one of them",
                listed(several)
            ),
        })
    }
}

/// The category of an indicator's name: `A` of `Type=A`.
pub(super) fn category<'a>(name: &'a str, covariate: &str) -> &'a str {
    name.strip_prefix(covariate).and_then(|rest| rest.strip_prefix('=')).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::{Columns, Future};

    /// Forty days of two shops with a promotion of some words, by another column of numbers.
    fn future(words: [&str; 2]) -> Future {
        let n = 40_i64;
        let keys: Vec<i64> = (0..2 * n).map(|row| 1 + row / n).collect();
        let steps: Vec<i64> = (0..2 * n).map(|row| row % n).collect();
        let promo: Vec<&str> = steps.iter().map(|t| words[usize::from(t % 5 == 0)]).collect();
        let flag: Vec<i64> = steps.iter().map(|t| i64::from(t % 7 == 0)).collect();
        let sold: Vec<f64> = steps.iter().map(|t| if t % 5 == 0 { 160.0 } else { 100.0 }).collect();
        let frame = df!("shop" => keys, "t" => steps, "sold" => sold, "promo" => promo, "flag" => flag).unwrap();
        let columns = Columns::new(["shop"], "t", "sold").known(["promo", "flag"]);
        Panel::from_frame(frame, columns).unwrap().future(2).unwrap()
    }

    fn given(future: &Future, shops: Column, promo: Column, flag: Column) -> Result<DataFrame> {
        let steps = Column::new("t".into(), [40_i64, 41, 40, 41]);
        let given = future.given(DataFrame::new(4, vec![shops, steps, promo, flag])?)?;
        for series in 0..2 {
            given.check(series, |_| true)?;
        }
        given.to_frame()
    }

    fn column(name: &str, values: [i64; 4]) -> Column {
        Column::new(name.into(), values)
    }

    fn texts(name: &str, values: [&str; 4]) -> Column {
        Column::new(name.into(), values)
    }

    #[test]
    fn the_future_is_understood_however_it_is_typed() {
        let same = |frame: DataFrame| {
            let values = |name: &str| frame.column(name).unwrap().f64().unwrap().iter().flatten().collect::<Vec<_>>();
            assert_eq!(values("promo=Yes"), [1.0, 0.0, 0.0, 1.0]);
            assert_eq!(values("promo=No"), [0.0, 1.0, 1.0, 0.0]);
            assert_eq!(values("flag"), [0.0, 1.0, 0.0, 0.0]);
        };
        let future = future(["No", "Yes"]);
        let whole = || column("shop", [1, 1, 2, 2]);
        let flags = || column("flag", [0, 1, 0, 0]);
        for promo in [["Yes", "No", "No", "Yes"], ["YES", "no ", "No", "\u{a0}yes"], ["True", "false", "0", "1"]] {
            same(given(&future, whole(), texts("promo", promo), flags()).unwrap());
        }
        // Numbers and booleans where the history has words, words where it has numbers; keys of other types.
        same(given(&future, whole(), column("promo", [1, 0, 0, 1]), flags()).unwrap());
        let floats = Column::new("promo".into(), [1.0, 0.0, 0.0, 1.0]);
        same(given(&future, Column::new("shop".into(), [1.0, 1.0, 2.0, 2.0]), floats, flags()).unwrap());
        let booleans = Column::new("promo".into(), [true, false, false, true]);
        let words = texts("flag", ["no", "Yes", "no", "NO"]);
        same(given(&future, texts("shop", ["01", "01", "2 ", "2 "]), booleans, words).unwrap());
    }

    #[test]
    fn what_is_new_or_can_be_two_things_is_quoted() {
        let whole = || column("shop", [1, 1, 2, 2]);
        let flags = || column("flag", [0, 1, 0, 0]);
        let promo = texts("promo", ["Yes", "No", "maybe", "Yes"]);
        let error = given(&future(["No", "Yes"]), whole(), promo, flags()).unwrap_err().to_string();
        for part in ["`maybe`", "`promo`", "shop=2", "40", "`No`, `Yes`"] {
            assert!(error.contains(part), "{error}");
        }
        let promo = texts("promo", ["yes", "yes", "yes", "yes"]);
        let error = given(&future(["YES", "Yes"]), whole(), promo, flags()).unwrap_err().to_string();
        assert!(error.contains("`yes`") && error.contains("`YES`, `Yes`"), "{error}");
        let promo = texts("promo", ["Yes", "No", "No", "Yes"]);
        let shops = texts("shop", ["01", "1.0", "2", "2"]);
        let error = given(&future(["No", "Yes"]), shops, promo, flags()).unwrap_err().to_string();
        assert!(error.contains("shop=01") && error.contains("shop=1.0"), "{error}");
    }
}
