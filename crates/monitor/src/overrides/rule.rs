//! Which overrides will do harm, and how far should they be heeded?
//!
//! What an override gained is known once the actual is: |actual − statistical| − |actual − planned|, at most its own
//! size and at least minus that. In shares of its size it lies within −1 … 1, whatever the units and however heavy the
//! tails of demand. The rule predicts that share for a new override as the mean of all past ones plus what its planner,
//! direction, size, reason, class, age and agreement with the recent bias have added, each shrunk towards nothing as
//! far as its history is short (empirical Bayes: `shrunken`). Overrides of the same date and direction share their
//! luck: an effect of date and direction takes it off, and is not predicted. The same for what would have been gained
//! by heeding a quarter, a half or three quarters of each override, and for whether it did harm.
//!
//! An override with an expected gain of at least 0 is kept whole. Another one is damped: statistical + factor ×
//! (planned − statistical), with the factor of the largest expected gain, a fifth at least (Fildes, Goodwin, Lawrence &
//! Nikolopoulos 2009 damp in like manner by regression).
//!
//! Reasons count where there are at most [`REASONS`] different ones; more are text that no rule learns from. Planners
//! who change their ways are recognised only as their history grows; keep the history to two years or so.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

use super::shrunken::shrunken;
use crate::error::{Error, Result};

/// How many different reasons are taken as codes.
pub const REASONS: usize = 20;
/// Limits of sizes, in % of the statistical forecast.
const SIZES: [u32; 5] = [5, 10, 20, 40, 80];
/// The parts of an override that may be heeded; what is learnt of each, and of harm.
const PARTS: [f64; 4] = [0.25, 0.5, 0.75, 1.0];
/// A doubted override is heeded this far at least: planners know what no history holds. On the bench's worlds it keeps
/// 3 points more of the gain of good ones, and costs 3 % of all gains.
const LEAST: f64 = 0.2;
const WHOLE: usize = PARTS.len() - 1;
const HARM: usize = PARTS.len();
type Learnt = [f64; PARTS.len() + 1];

/// An override of one series at one date, as it is known when it is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Made {
    pub planner: String,
    pub reason: String,
    /// The class of the product.
    pub class: String,
    /// The date that is forecast, and how many periods before it the override was made, from 1.
    pub date: NaiveDateTime,
    pub age: u32,
    pub statistical: f64,
    pub planned: f64,
    /// The mean of actual − statistical forecast over the last few periods, in units, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recent_bias: Option<f64>,
}

/// An override and what happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Past {
    pub made: Made,
    pub actual: f64,
}

/// What is to be thought of an override.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Doubt {
    /// Absolute error that it takes away, in units; below 0 if it is expected to add some.
    pub expected_gain: f64,
    pub probability_of_harm: f64,
    /// How much of it to heed: 1 is all.
    pub factor: f64,
    /// The forecast with that much of it.
    pub released: f64,
    pub sentence: String,
}

impl Doubt {
    /// Is it kept whole?
    pub fn is_kept(&self) -> bool {
        self.expected_gain >= 0.0
    }
}

/// What a group of overrides adds to the mean of all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Effect {
    overrides: usize,
    adds: Learnt,
}

/// What past overrides teach of the next ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    overrides: usize,
    mean: Learnt,
    /// By the words that name a group.
    effects: BTreeMap<String, Effect>,
    reasons: BTreeSet<String>,
}

impl Rule {
    /// Learns from overrides whose date lies before `until`; later ones are passed over.
    ///
    /// # Errors
    /// A number is not finite.
    pub fn learn(history: &[Past], until: NaiveDateTime) -> Result<Self> {
        for past in history {
            past.made.check()?;
            if !past.actual.is_finite() {
                return Err(Error::data(format!(
                    "an actual at {} is no finite number; leave out overrides whose actual is not known",
                    past.made.date
                )));
            }
        }
        let history: Vec<&Past> = history
            .iter()
            .filter(|past| past.made.date < until && past.made.planned != past.made.statistical)
            .collect();
        let mut reasons: BTreeSet<String> = history.iter().map(|past| code(&past.made.reason)).collect();
        if reasons.len() > REASONS {
            reasons.clear();
        }
        let mut rule = Self { overrides: history.len(), mean: Learnt::default(), effects: BTreeMap::new(), reasons };
        let mut names: Vec<BTreeMap<String, usize>> = Vec::new();
        let mut factors: Vec<Vec<usize>> = Vec::new();
        for past in &history {
            let mut groups = rule.groups(&past.made);
            groups.push(format!("{} {}", past.made.date, past.made.way()));
            names.resize(groups.len(), BTreeMap::new());
            factors.resize(groups.len(), Vec::new());
            for ((group, names), levels) in groups.into_iter().zip(&mut names).zip(&mut factors) {
                let next = names.len();
                levels.push(*names.entry(group).or_insert(next));
            }
        }
        // What belongs to dates is taken off, and not kept.
        let kept = names.len().saturating_sub(1);
        for target in 0..=HARM {
            let values: Vec<f64> = history.iter().map(|past| past.learnt(target)).collect();
            let fit = shrunken(&values, &factors);
            if let Some(mean) = rule.mean.get_mut(target) {
                *mean = fit.mean;
            }
            for ((names, levels), effects) in names.iter().zip(&factors).zip(&fit.effects).take(kept) {
                for (name, level) in names {
                    let effect = rule.effects.entry(name.clone()).or_insert_with(|| Effect {
                        overrides: levels.iter().filter(|one| *one == level).count(),
                        adds: Learnt::default(),
                    });
                    if let Some(adds) = effect.adds.get_mut(target) {
                        *adds = effects.get(*level).copied().unwrap_or_default();
                    }
                }
            }
        }
        Ok(rule)
    }

    /// How many overrides it has learnt from.
    pub fn overrides(&self) -> usize {
        self.overrides
    }

    /// What is to be thought of an override.
    ///
    /// # Errors
    /// A number is not finite.
    pub fn judge(&self, made: &Made) -> Result<Doubt> {
        made.check()?;
        if made.planned == made.statistical {
            return Ok(Doubt {
                expected_gain: 0.0,
                probability_of_harm: 0.0,
                factor: 1.0,
                released: made.planned,
                sentence: "kept: it changes nothing".into(),
            });
        }
        let mut learnt = self.mean;
        // The group that speaks most against it.
        let mut worst: Option<(f64, String, usize)> = None;
        for group in self.groups(made) {
            let Some(effect) = self.effects.get(&group) else { continue };
            learnt.iter_mut().zip(&effect.adds).for_each(|(sum, adds)| *sum += adds);
            let adds = effect.adds.get(WHOLE).copied().unwrap_or_default();
            if adds < worst.as_ref().map_or(0.0, |worst| worst.0) {
                worst = Some((adds, group, effect.overrides));
            }
        }
        let change = made.planned - made.statistical;
        let share = learnt.get(WHOLE).copied().unwrap_or_default().clamp(-1.0, 1.0);
        let expected_gain = share * change.abs();
        let probability_of_harm = learnt.get(HARM).copied().unwrap_or_default().clamp(0.01, 0.99);
        let cases = 100.0 * probability_of_harm;
        if share >= 0.0 {
            let sentence = if self.overrides == 0 {
                "kept: there is no history to doubt it by".into()
            } else {
                format!(
                    "kept: it is expected to take {expected_gain:.1} off the error; harm in {cases:.0} of 100 cases"
                )
            };
            return Ok(Doubt { expected_gain, probability_of_harm, factor: 1.0, released: made.planned, sentence });
        }
        let (factor, _) = PARTS
            .iter()
            .zip(&learnt)
            .take(WHOLE)
            .fold((LEAST, 0.0), |best, (part, gain)| if *gain > best.1 { (*part, *gain) } else { best });
        let because = worst.map_or_else(String::new, |(_, group, overrides)| {
            format!("; what speaks most against it: {group} ({overrides} before)")
        });
        Ok(Doubt {
            expected_gain,
            probability_of_harm,
            factor,
            released: made.statistical + factor * change,
            sentence: format!(
                "doubted: it is expected to add {:.1} to the error, with harm in {cases:.0} of 100 cases{because}; heed \
                 {:.0} % of it",
                -expected_gain,
                100.0 * factor
            ),
        })
    }

    /// The groups that an override belongs to, in words.
    fn groups(&self, made: &Made) -> Vec<String> {
        let planner = &made.planner;
        let way = made.way();
        let percent = 100.0 * (made.planned - made.statistical).abs() / made.statistical.max(0.0);
        let size = SIZES
            .iter()
            .find(|limit| percent <= f64::from(**limit))
            .map_or("by any more".to_string(), |limit| format!("by up to {limit} %"));
        let reason = code(&made.reason);
        let reason = if self.reasons.contains(&reason) { reason } else { "any reason".to_string() };
        let recent = match made.recent_bias {
            Some(bias) if bias * (made.planned - made.statistical) > 0.0 => "that follow the recent error",
            Some(_) => "that go against the recent error",
            None => "with no recent error known",
        };
        let age = match made.age {
            0 | 1 => "one period ahead",
            2..=4 => "two to four periods ahead",
            _ => "five or more periods ahead",
        };
        vec![
            format!("changes by {planner}"),
            format!("changes {way} by {planner}"),
            format!("changes {way} {size} by {planner}"),
            format!("changes by {planner} for `{reason}`"),
            format!("changes {way} {size} for `{reason}`"),
            format!("changes for `{reason}`"),
            format!("changes {way} {size}"),
            format!("changes {way} of class {}", made.class),
            format!("changes {way} {recent}"),
            format!("changes {recent} by {planner}"),
            format!("changes {age}"),
        ]
    }
}

/// A reason as a code.
fn code(reason: &str) -> String {
    reason.trim().to_lowercase()
}

impl Made {
    fn way(&self) -> &'static str {
        if self.planned > self.statistical { "upward" } else { "downward" }
    }

    fn check(&self) -> Result<()> {
        let numbers = [Some(self.statistical), Some(self.planned), self.recent_bias];
        if numbers.iter().flatten().any(|number| !number.is_finite()) {
            return Err(Error::data(format!(
                "an override by `{}` at {} has a forecast or a recent bias that is no finite number; leave it out",
                self.planner, self.date
            )));
        }
        Ok(())
    }
}

impl Past {
    /// What one of the targets was: the gain of a part in shares of the size, or whether the whole did harm.
    fn learnt(&self, target: usize) -> f64 {
        let change = self.made.planned - self.made.statistical;
        let error = self.actual - self.made.statistical;
        let gain = |part: f64| (error.abs() - (error - part * change).abs()) / change.abs();
        PARTS.get(target).map_or_else(|| f64::from(u8::from(gain(1.0) < 0.0)), |part| gain(*part))
    }
}
