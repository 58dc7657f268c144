//! What are readers told of models? Titles in words instead of labels, with what differs where a method occurs more than once.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Entry, MODELS};
use crate::options;
use crate::show::words::{aside, listed};

/// Options that hold labels of other models.
const PARTS: [&str; 3] = ["model", "models", "trend"];
/// The most names in a list; what is left of it is counted.
const MOST: usize = 4;

/// What readers of reports and figures are told instead of labels: a model's title where it is the only one of its kind in the
/// list, otherwise also its options that differ. Labels of no model here, such as the columns of another tool, stay as they
/// are. Different labels have different names.
///
/// ```
/// use tradewind::models::names;
/// assert_eq!(names(&["auto(regressors=false)", "theta(season=52)"]), ["Automatic", "Theta method"]);
/// assert_eq!(names(&["auto(regressors=false)", "auto"]), ["Automatic, without covariates", "Automatic"]);
/// assert_eq!(names(&["theta(season=52)", "their forecast"]), ["Theta method", "their forecast"]);
/// assert_eq!(names(&["theta", "mint_shrink(theta)"]), ["Theta method", "Theta method, reconciled"]);
/// ```
pub fn names<L: AsRef<str>>(labels: &[L]) -> Vec<String> {
    let labels: Vec<&str> = labels.iter().map(AsRef::as_ref).collect();
    let known: Vec<Option<Known>> = labels.iter().map(|label| Known::of(label)).collect();
    let name = |place: usize, detail: &Detail| match (&known[place], detail) {
        (Some(one), Detail::Short) => one.name(&known, MOST),
        (Some(one), Detail::Whole) => one.name(&known, usize::MAX),
        (None, Detail::Short) => reconciled(labels[place]).unwrap_or_else(|| labels[place].to_string()),
        _ => labels[place].to_string(),
    };
    let mut details = vec![Detail::Short; labels.len()];
    loop {
        let names: Vec<String> = details.iter().enumerate().map(|(place, detail)| name(place, detail)).collect();
        let is_taken =
            |place: &usize| (0..labels.len()).any(|o| names[o] == names[*place] && labels[o] != labels[*place]);
        let taken: Vec<usize> = (0..labels.len()).filter(is_taken).collect();
        if taken.is_empty() {
            return names;
        }
        // In the end all of these are labels, which differ.
        taken.into_iter().for_each(|place| details[place] = details[place].more());
    }
}

/// The name of a model whose forecasts were reconciled, `mint_shrink(theta)`: the last parentheses hold its label.
fn reconciled(label: &str) -> Option<String> {
    let inside = label.strip_suffix(')')?;
    let mut depth = 1;
    let start = inside.char_indices().rev().find(|(_, character)| {
        depth += match character {
            ')' => 1,
            '(' => -1,
            _ => 0,
        };
        depth == 0
    });
    let inner = &inside[start?.0 + 1..];
    let name = match inner {
        "by level" => "Models by level".to_string(),
        inner => Known::of(inner)?.name(&[], MOST),
    };
    Some(format!("{name}, reconciled"))
}

/// How much of a label its name says.
#[derive(Clone)]
enum Detail {
    Short,
    Whole,
    Label,
}

impl Detail {
    fn more(&self) -> Self {
        match self {
            Self::Short => Self::Whole,
            Self::Whole | Self::Label => Self::Label,
        }
    }
}

/// A label of a model.
struct Known {
    entry: &'static Entry,
    options: Map<String, Value>,
}

impl Known {
    /// The label as it is printed: the names that people type for the same may be other tools' columns.
    fn of(label: &str) -> Option<Self> {
        let (name, options) = options::split(label).ok()?;
        let entry = MODELS.iter().find(|entry| entry.name == name)?;
        Some(Self { entry, options })
    }

    /// The name among others; lists in it have at most so many parts.
    fn name(&self, all: &[Option<Self>], most: usize) -> String {
        let alike: Vec<&Self> = all.iter().flatten().filter(|other| other.entry.name == self.entry.name).collect();
        let parts = Parts::of(&alike, most);
        let inner = self.inner();
        let mut name = match &inner {
            Some(inner) => format!("{} with {}", parts.name(inner), self.entry.title.to_lowercase()),
            None => self.entry.title.to_string(),
        };
        let differs = |option: &str| alike.iter().any(|other| other.options.get(option) != self.options.get(option));
        let said = |option: &str| differs(option) && !(option == "model" && inner.is_some());
        let mut pairs = Vec::new();
        for (option, value) in self.options.iter().filter(|(option, _)| said(option)) {
            match (option.as_str(), value) {
                ("regressors", Value::Bool(false)) => name += ", without covariates",
                ("regressors", Value::Bool(true)) => name += ", with covariates",
                ("models", value) => pairs.push(parts.said(value)),
                (option, value) if PARTS.contains(&option) => pairs.push(format!("{option}: {}", parts.said(value))),
                (option, value) => pairs.push(format!("{}: {}", option.replace('_', " "), plain(value))),
            }
        }
        if pairs.is_empty() { name } else { aside(&name, &pairs.join("; ")) }
    }

    /// The label of the one model that it is made around, also where that is the default.
    fn inner(&self) -> Option<String> {
        let stated = self.options.get("model").cloned();
        let label = stated.or_else(|| (self.entry.defaults)().ok()?.remove("model"))?;
        label.as_str().filter(|label| Self::of(label).is_some()).map(String::from)
    }

    /// The labels inside.
    fn parts(&self) -> impl Iterator<Item = String> {
        let stated = PARTS.iter().filter_map(|option| self.options.get(*option));
        let texts = stated.flat_map(|value| match value {
            Value::Array(values) => values.iter().filter_map(Value::as_str).map(String::from).collect(),
            value => value.as_str().map(String::from).into_iter().collect::<Vec<_>>(),
        });
        texts.chain(self.inner())
    }
}

/// The names of models inside others of one kind.
struct Parts {
    names: BTreeMap<String, String>,
    most: usize,
}

impl Parts {
    fn of(alike: &[&Known], most: usize) -> Self {
        let mut labels: Vec<String> = alike.iter().flat_map(|known| known.parts()).collect();
        labels.sort();
        labels.dedup();
        let names = names(&labels);
        Self { names: labels.into_iter().zip(names).collect(), most }
    }

    fn name(&self, label: &str) -> String {
        self.names.get(label).map_or_else(|| label.to_string(), String::clone)
    }

    /// A label or a list of them in words.
    fn said(&self, value: &Value) -> String {
        match value {
            Value::String(label) => self.name(label),
            Value::Array(values) if !values.is_empty() => {
                let names: Vec<String> = values.iter().map(|value| self.said(value)).collect();
                listed(&names.iter().map(String::as_str).collect::<Vec<_>>(), self.most)
            }
            value => plain(value),
        }
    }
}

/// The value of an option in words.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::Bool(flag) => if *flag { "yes" } else { "no" }.into(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "none".into(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(options) => options::pairs(options),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn titles_are_distinct_words() {
        let titles: BTreeSet<String> = MODELS.iter().map(|entry| entry.title.to_lowercase()).collect();
        assert_eq!(titles.len(), MODELS.iter().count());
        for entry in MODELS {
            let title = entry.title;
            assert!(title.starts_with(char::is_uppercase) && title.chars().count() < 40, "{title}");
            assert!(!title.contains(['_', '=', '`', '.']) && title.trim() == title, "{title}");
            let expected = if entry.name == "conformal" { "Theta method with conformal intervals" } else { title };
            assert_eq!(names(&[entry.name]), [expected]);
        }
    }

    #[test]
    fn what_differs_is_said_in_words() {
        let cases: [(&[&str], &[&str]); 9] = [
            (&["auto(regressors=false)", "naive"], &["Automatic", "Naive (last value)"]),
            (
                &["auto(regressors=false)", "auto", "auto(regressors=false, by=size)"],
                &["Automatic, without covariates", "Automatic", "Automatic, without covariates (by: size)"],
            ),
            (
                &["boost(num_rounds=20, regressors=false)", "boost(num_rounds=50, regressors=false)"],
                &["Boosted trees (num rounds: 20)", "Boosted trees (num rounds: 50)"],
            ),
            (
                &["seasonal_naive", "seasonal_naive(season=4)"],
                &["Seasonal naive (last season)", "Seasonal naive (last season; season: 4)"],
            ),
            (
                &["arima(order=[1, 0, 0])", "arima(order=[0, 1, 1], season=12)"],
                &["ARIMA (order: 1, 0, 0)", "ARIMA (order: 0, 1, 1; season: 12)"],
            ),
            (
                &["conformal(model=\"ets(season=4)\", kind=adaptive)", "conformal", "theta"],
                &[
                    "Exponential smoothing (ETS) with conformal intervals (kind: adaptive)",
                    "Theta method with conformal intervals",
                    "Theta method",
                ],
            ),
            (
                &["combine(models=[theta, naive])", "combine(models=[\"theta(season=4)\", naive, drift])"],
                &[
                    "Combination of models (Theta method and Naive (last value))",
                    "Combination of models (Theta method (season: 4), Naive (last value) and Random walk with drift)",
                ],
            ),
            (
                &["stl(trend=theta)", "stl(trend=\"arima(order=[1, 0, 0])\")"],
                &["STL decomposition (trend: Theta method)", "STL decomposition (trend: ARIMA)"],
            ),
            (
                &["Automatic", "auto", "mean(theta, naive)", "Prophet", "prophet", "their ets (v2)"],
                &["Automatic", "auto", "mean(theta, naive)", "Prophet", "prophet", "their ets (v2)"],
            ),
        ];
        for (labels, expected) in cases {
            assert_eq!(names(labels), expected);
        }
    }

    #[test]
    fn long_lists_are_cut_where_that_leaves_them_different() {
        let of = |last: &str| format!("stack(models=[ets, theta, ces, naive, {last}])");
        let [long, other] = <[String; 2]>::try_from(names(&[of("drift"), "stack".into()])).unwrap();
        assert!(long.ends_with("Complex exponential smoothing and 2 others)") && other == "Stacked ensemble", "{long}");
        let whole = names(&[of("drift"), of("arima")]);
        assert!(whole[0].ends_with("and Random walk with drift)") && whole[1].ends_with("and ARIMA)"), "{whole:?}");
    }

    /// Labels of models, of models in models, and of anything else.
    fn labels() -> impl Strategy<Value = String> {
        let plain: Vec<String> =
            MODELS.iter().flat_map(|row| [row.name, row.example, row.title]).map(String::from).collect();
        let value =
            prop_oneof!["[a-z]{1,3}", "\"[a-z,; ]{0,6}\"", "[0-9]{1,2}(\\.[0-9])?", "(true|\"yes\"|\\[\\]|none)"];
        let options = (proptest::sample::select(vec!["theta", "auto", "combine"]), "(regressors|by|models)", value)
            .prop_map(|(name, option, value)| format!("{name}({option}={value})"));
        let leaf = prop_oneof![proptest::sample::select(plain), options, "\\PC{0,12}"];
        leaf.prop_recursive(2, 8, 3, |inner| {
            let list = proptest::collection::vec(inner, 1..6);
            (list, proptest::sample::select(vec!["combine", "stack", "conformal"])).prop_map(|(labels, name)| {
                let value = if name == "conformal" { Value::from(labels[0].clone()) } else { Value::from(labels) };
                let option = if name == "conformal" { "model" } else { "models" };
                format!("{name}({})", options::pairs(&Map::from_iter([(option.to_string(), value)])))
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn different_labels_have_different_names(labels in proptest::collection::vec(labels(), 1..8)) {
            let names = names(&labels);
            for (one, name) in labels.iter().zip(&names) {
                for (other, theirs) in labels.iter().zip(&names) {
                    prop_assert_eq!(one == other, name == theirs, "{} {}: {}", one, other, name);
                }
            }
        }
    }
}
