//! Which values of which options are tried: lists of values and ranges of numbers, as [`MODELS`](crate::models::MODELS)
//! has them or as they are stated.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Number, Value};

use crate::error::{Error, Result};
use crate::models::{Entry, MODELS, Model};
use crate::options;

/// Points of a range in a grid.
const GRID: usize = 4;
/// Combinations that a grid may have.
const MOST_COMBINATIONS: usize = 100_000;

/// The options that are tried, and the base that they are laid over.
pub(super) struct Space {
    entry: &'static Entry,
    base: Map<String, Value>,
    trying: Map<String, Value>,
    pub dimensions: Vec<Dimension>,
}

/// One option.
pub(super) struct Dimension {
    pub option: String,
    pub values: Values,
}

/// What is tried of an option.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    /// These.
    List(Vec<Value>),
    /// Numbers between two ends.
    Range {
        /// The least and the largest.
        ends: (f64, f64),
        /// Evenly on a logarithmic scale?
        log: bool,
        /// Whole numbers alone?
        whole: bool,
    },
}

/// A place in the space: for each dimension the place in its list, or the share of the way through its range.
pub(super) type Place = Vec<f64>;

impl Values {
    /// From `0.02..0.2`, `7..127 log`.
    fn range(text: &str) -> Option<Result<Self>> {
        let (from, rest) = text.split_once("..")?;
        let (to, log) = match rest.trim().strip_suffix("log") {
            Some(to) => (to, true),
            None => (rest, false),
        };
        let ends = from.trim().parse::<f64>().ok().zip(to.trim().parse::<f64>().ok());
        let whole = !text.replace("..", " ").contains(['.', 'e', 'E']);
        Some(match ends {
            Some((from, to)) if from < to && from.is_finite() && to.is_finite() && (from > 0.0 || !log) => {
                Ok(Self::Range { ends: (from, to), log, whole })
            }
            _ => Err(Error::usage(format!(
                "`{text}` is not a range from a smaller to a larger number, such as 0.02..0.2, or 7..127 log for a \
                 logarithmic scale (from above 0)"
            ))),
        })
    }

    /// From the values of an option in the model's default space.
    fn listed(option: &str, texts: &[&str]) -> Result<Self> {
        if let [text] = texts
            && let Some(range) = Self::range(text)
        {
            return range;
        }
        let value = |text: &&str| {
            let one = options::parse(&format!("{option}={text}"))?;
            Ok(one.into_iter().next().map_or(Value::Null, |(_, value)| value))
        };
        Ok(Self::List(texts.iter().map(value).collect::<Result<_>>()?))
    }

    /// From what is stated of an option: a list, a range as a text, or one value that is always taken.
    fn stated(value: &Value) -> Result<Self> {
        match value {
            Value::Array(values) => Ok(Self::List(values.clone())),
            Value::String(text) => Self::range(text).unwrap_or_else(|| Ok(Self::List(vec![value.clone()]))),
            other => Ok(Self::List(vec![other.clone()])),
        }
    }

    fn value(&self, place: f64) -> Value {
        match self {
            Self::List(values) => values[(place as usize).min(values.len() - 1)].clone(),
            Self::Range { ends: (from, to), log, whole } => {
                let share = place.clamp(0.0, 1.0);
                let exact = if *log { from * (to / from).powf(share) } else { from + (to - from) * share };
                match whole {
                    true => Value::from(exact.round() as i64),
                    // Three digits say all that a search can tell, and labels stay readable.
                    false => Number::from_f64(three_digits(exact).clamp(*from, *to)).map_or(Value::Null, Value::Number),
                }
            }
        }
    }

    /// The places that a grid has.
    fn grid(&self) -> Vec<f64> {
        match self {
            Self::List(values) => (0..values.len()).map(|k| k as f64).collect(),
            Self::Range { .. } => (0..GRID).map(|k| k as f64 / (GRID - 1) as f64).collect(),
        }
    }

    /// The ends, for an error or a check of each.
    fn extremes(&self) -> Vec<Value> {
        match self {
            Self::List(values) => values.clone(),
            Self::Range { .. } => vec![self.value(0.0), self.value(1.0)],
        }
    }
}

/// Options, with `others` replacing those of the same name.
fn laid_over(options: &Map<String, Value>, others: &Map<String, Value>) -> Map<String, Value> {
    options.iter().chain(others).map(|(option, value)| (option.clone(), value.clone())).collect()
}

fn three_digits(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

impl Space {
    /// The search space of the model with this label. Options that the label states are not searched; `stated` replaces
    /// the model's default space, if it is not empty. Options of `trying` hold during the search only, and are not
    /// searched.
    ///
    /// # Errors
    /// When there is no such model or option, a value does not fit, or nothing is left to try.
    pub fn of(label: &str, stated: &Map<String, Value>, trying: &Map<String, Value>) -> Result<Self> {
        let (name, base) = options::split(label)?;
        let entry = MODELS.named(name)?;
        entry.with(base.clone())?;
        let spelled = |given: &Map<String, Value>| entry.spelled(given.clone());
        let (base, stated) = (spelled(&base)?, &spelled(stated)?);
        let trying = &spelled(trying).map_err(|error| error.within("while trying"))?;
        entry.with(laid_over(&base, trying)).map_err(|error| error.within("while trying"))?;
        let mut dimensions = Vec::new();
        let usual = |option: &str| stated.is_empty() && !base.contains_key(option) && !trying.contains_key(option);
        for (option, texts) in entry.search.iter().filter(|(option, _)| usual(option)) {
            dimensions.push(Dimension { option: (*option).into(), values: Values::listed(option, texts)? });
        }
        for (option, value) in stated {
            if trying.contains_key(option) {
                return Err(Error::usage(format!(
                    "`{option}` cannot both be searched and hold while trying; take it out of `space` or of `trying`"
                )));
            }
            let values =
                Values::stated(value).map_err(|error| error.within(format!("`{option}` in the search space")))?;
            if values == Values::List(Vec::new()) {
                return Err(Error::usage(format!("`{option}` in the search space has no value to try")));
            }
            for value in values.extremes() {
                let mut options = base.clone();
                options.insert(option.clone(), value);
                entry.with(options).map_err(|error| error.within("the search space"))?;
            }
            dimensions.push(Dimension { option: option.clone(), values });
        }
        if dimensions.is_empty() {
            return Err(Error::usage(format!("{label} leaves no option to tune")));
        }
        Ok(Self { entry, base, trying: trying.clone(), dimensions })
    }

    /// The label of the model at a place.
    ///
    /// # Errors
    /// When the options do not go together.
    pub fn label(&self, place: &[f64]) -> Result<String> {
        let mut options = self.base.clone();
        for (dimension, at) in self.dimensions.iter().zip(place) {
            options.insert(dimension.option.clone(), dimension.values.value(*at));
        }
        Ok(self.entry.with(options)?.label().to_string())
    }

    /// The model of a label during the search.
    ///
    /// # Errors
    /// When the options do not go together.
    pub fn tried(&self, label: &str) -> Result<Model> {
        let (_, options) = options::split(label)?;
        self.entry.with(laid_over(&options, &self.trying))
    }

    /// Somewhere.
    pub fn random(&self, random: &mut ChaCha8Rng) -> Place {
        let draw = |dimension: &Dimension| match &dimension.values {
            Values::List(values) => random.random_range(0..values.len()) as f64,
            Values::Range { .. } => random.random::<f64>(),
        };
        self.dimensions.iter().map(draw).collect()
    }

    /// How many combinations a grid has.
    ///
    /// # Errors
    /// When there are more than anyone can try.
    pub fn combinations(&self) -> Result<usize> {
        let sizes = self.dimensions.iter().map(|dimension| dimension.values.grid().len());
        let count = sizes.fold(1_usize, usize::saturating_mul);
        if count <= MOST_COMBINATIONS {
            Ok(count)
        } else {
            Err(Error::usage(format!(
                "the grid has {count} combinations; state fewer options or values, or search by \"random\" or \"model\""
            )))
        }
    }

    /// A combination of a grid, the last option changing first.
    pub fn combination(&self, mut number: usize) -> Place {
        let mut place = vec![0.0; self.dimensions.len()];
        for (at, dimension) in place.iter_mut().zip(&self.dimensions).rev() {
            let grid = dimension.values.grid();
            *at = grid[number % grid.len()];
            number /= grid.len();
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated(text: &str) -> Map<String, Value> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn ranges_and_lists() {
        let space = Space::of(
            "boost(block=14)",
            &stated(r#"{"learning_rate": "0.02..0.2 log", "leaves": [15, 31], "num_rounds": "50..170"}"#),
            &Map::new(),
        );
        let space = space.unwrap();
        assert_eq!(space.label(&[0.5, 1.0, 1.0]).unwrap(), "boost(num_rounds=170, learning_rate=0.0632, block=14)");
        assert_eq!(
            space.label(&[1.0, 0.0, 0.5]).unwrap(),
            "boost(num_rounds=110, learning_rate=0.2, num_leaves=15, block=14)"
        );
        assert_eq!(space.combinations().unwrap(), 4 * 2 * 4);
        assert_eq!(space.combination(0), [0.0, 0.0, 0.0]);
        assert_eq!(space.combination(31), [1.0, 1.0, 1.0]);
        let places: std::collections::BTreeSet<String> =
            (0..32).map(|number| space.label(&space.combination(number)).unwrap()).collect();
        assert_eq!(places.len(), 32);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (label, space, said) in [
            ("boost", r#"{"lerning_rate": [0.1]}"#, "did you mean `learning_rate`?"),
            ("boost", r#"{"learning_rate": [2.0]}"#, "fraction above 0"),
            ("boost", r#"{"learning_rate": "0.2..0.1"}"#, "is not a range"),
            ("boost", r#"{"learning_rate": "0..0.1 log"}"#, "is not a range"),
            ("boost", r#"{"num_leaves": "0..31"}"#, "at least 2"),
            ("boost", r#"{"num_leaves": []}"#, "no value to try"),
            ("naive", "{}", "leaves no option to tune"),
            ("bost", "{}", "did you mean `boost`?"),
        ] {
            let error = Space::of(label, &stated(space), &Map::new()).err().unwrap().to_string();
            assert!(error.contains(said), "{label} {space}: {error}");
        }
    }
}
