//! Which options are tried next? The points of a grid in turn, random ones, or those that a tree-structured Parzen
//! estimator (TPE) expects to be best.
//!
//! `model` is the tree-structured Parzen estimator (Bergstra et al. 2011, *Advances in Neural Information Processing
//! Systems* 24): for each option, how much denser the better places lie there than the others; of some candidates drawn
//! among the better ones the most promising is taken. The first places are random.

use std::collections::HashSet;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tpe::density_estimation::DefaultEstimatorBuilder;
use tpe::{TpeOptimizer, TpeOptimizerBuilder};

use super::space::{Place, Space, Values};
use crate::error::{Error, Result};
use crate::metrics::METRICS;
use crate::options;

/// How options of a model are searched.
///
/// ```
/// use tradewind::prelude::*;
/// let search = Search { trials: 20, ..Search::default() };
/// assert_eq!(Search::parse("trials=20")?, search);
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Search {
    /// Sampling strategy.
    pub sampler: Sampler,
    /// Number of trials, the untuned model included.
    pub trials: usize,
    /// Time budget in seconds; time spent before a search was resumed counts.
    pub seconds: Option<f64>,
    /// The metric that is to be best.
    pub metric: String,
    /// Are trials that lie behind after the first folds left there (successive halving)?
    pub halving: bool,
    /// The last folds, held out from the search: the score there is out of sample.
    pub untouched: usize,
    /// Which series are tuned together: `panel` for all, `series`, `class` of demand, `size`, a key column or a fixed
    /// covariate.
    pub by: String,
    /// Options and the values to try, instead of the model's default space: a list, or a range such as "0.02..0.2" or
    /// "7..127 log".
    pub space: Map<String, Value>,
    /// Options that hold while trying alone, for speed: `{windows: 0}` spares `boost` its intervals. The label that is
    /// found does not have them, nor has it where it is scored on untouched folds.
    pub trying: Map<String, Value>,
    /// Trials that go on at the same time. What is found does not depend on the number of threads, but on this.
    pub parallel: usize,
    /// Random seed.
    pub seed: u64,
    /// A file that records every trial. An interrupted search resumes from it.
    pub record: Option<String>,
}

/// Sampling strategy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sampler {
    /// Every combination of the values; four of each range.
    Grid,
    /// Anywhere.
    Random,
    /// Where the better ones lie so far.
    #[default]
    Model,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            sampler: Sampler::default(),
            trials: 50,
            seconds: None,
            metric: "mase".into(),
            halving: true,
            untouched: 1,
            by: "panel".into(),
            space: Map::new(),
            trying: Map::new(),
            parallel: 2,
            seed: 1,
            record: None,
        }
    }
}

impl Search {
    /// Reads what people write: `trials=100, seconds=300, record=runs/boost.jsonl`.
    ///
    /// # Errors
    /// When an option or its value is unknown; the nearest is suggested.
    pub fn parse(text: &str) -> Result<Self> {
        options::read("the search", options::parse(text)?)
    }

    /// Options that are wrong in themselves.
    pub(super) fn check(&self) -> Result<()> {
        METRICS.named(&self.metric)?;
        for (what, value) in [("trials", self.trials), ("parallel", self.parallel)] {
            if !(1..=1_000_000).contains(&value) {
                return Err(Error::usage(format!("`{what}` is at least 1 and at most a million, not {value}")));
            }
        }
        match self.seconds {
            Some(seconds) if !(seconds > 0.0 && seconds.is_finite()) => {
                Err(Error::usage(format!("`seconds` is a number above 0, not {seconds}")))
            }
            _ => Ok(()),
        }
    }
}

/// Random places before a model has a say.
const FIRST: usize = 10;
/// The share of places that count as better, and candidates drawn among them.
const BETTER: f64 = 0.2;
const CANDIDATES: usize = 24;
/// Draws that may repeat earlier trials before a search ends, and how many of them follow the TPE model.
const REPEATS: usize = 200;
const LIKELY: usize = 10;

/// What proposes places.
pub(super) struct Proposer<'a> {
    space: &'a Space,
    sampler: Sampler,
    random: ChaCha8Rng,
    /// Combinations of the grid that were proposed.
    proposed: usize,
    told: usize,
    /// One per option.
    estimators: Vec<TpeOptimizer<DefaultEstimatorBuilder>>,
    /// The labels of all places that were proposed.
    seen: HashSet<String>,
}

impl<'a> Proposer<'a> {
    /// # Errors
    /// When a grid is too large.
    pub fn new(space: &'a Space, search: &Search, stream: u64) -> Result<Self> {
        if search.sampler == Sampler::Grid {
            space.combinations()?;
        }
        let estimator = |values: &Values| {
            let (shape, size) = match values {
                Values::List(values) => (tpe::histogram_estimator(), tpe::categorical_range(values.len())),
                // Both ends are in it.
                Values::Range { .. } => (tpe::parzen_estimator(), tpe::range(0.0, 1.0 + f64::EPSILON)),
            };
            let size = size.map_err(|cause| Error::usage("the search space is empty").because(cause))?;
            let mut builder = TpeOptimizerBuilder::new();
            builder.gamma(BETTER).candidates(CANDIDATES);
            builder.build(shape, size).map_err(|cause| Error::usage("the search cannot start").because(cause))
        };
        let estimators =
            space.dimensions.iter().map(|dimension| estimator(&dimension.values)).collect::<Result<_>>()?;
        let mut random = ChaCha8Rng::seed_from_u64(search.seed);
        random.set_stream(stream);
        Ok(Self { space, sampler: search.sampler, random, proposed: 0, told: 0, estimators, seen: HashSet::new() })
    }

    /// A label that was not proposed by it.
    pub fn known(&mut self, label: &str) {
        self.seen.insert(label.to_string());
    }

    /// The next place, with its label, or why its options do not go together; none if there is no new one.
    pub fn next(&mut self) -> Option<(Place, Result<String>)> {
        for draw in 0..REPEATS {
            let place = match self.sampler {
                Sampler::Grid if self.space.combinations().is_ok_and(|count| self.proposed >= count) => return None,
                Sampler::Grid => self.space.combination(self.proposed),
                // Where the better ones lie all may have been tried.
                Sampler::Model if self.told >= FIRST && draw < LIKELY => self.expected(),
                Sampler::Random | Sampler::Model => self.space.random(&mut self.random),
            };
            self.proposed += 1;
            let label = self.space.label(&place);
            let name = label.as_ref().map_or_else(|_| format!("{place:?}"), String::clone);
            if self.seen.insert(name) {
                return Some((place, label));
            }
        }
        None
    }

    /// Where the better places lie.
    fn expected(&mut self) -> Place {
        let random = &mut self.random;
        let ask = |estimator: &mut TpeOptimizer<DefaultEstimatorBuilder>| match estimator.ask(random) {
            Ok(at) => at,
            Err(never) => match never {},
        };
        self.estimators.iter_mut().map(ask).collect()
    }

    /// Records the loss of a trial.
    pub fn tell(&mut self, place: &[f64], loss: f64) {
        let loss = if loss.is_nan() { f64::INFINITY } else { loss };
        for (estimator, at) in self.estimators.iter_mut().zip(place) {
            // Both were made by the range that the estimator has.
            let _ = estimator.tell(*at, loss);
        }
        self.told += 1;
    }
}
