//! When is there an order, when does it arrive, and what is it to achieve?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Gamma};

use super::order::Target;
use crate::decide::stock::{non_negative, positive, proportion};
use crate::error::{Error, Result};
use crate::options::choice;

choice!(/// What becomes of demand that finds no stock: it is lost, as in a shop, or it waits.
    Unmet { Lost, Backordered });
/// What an order rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Belief {
    /// The whole distribution of the forecast.
    #[default]
    Forecast,
    /// The textbook's normal distribution: its standard deviation over n steps is √n times that of one step. To be compared with.
    Normal,
    /// The point forecast alone, without safety stock. To be compared with.
    Point,
}

/// How much is ordered once an order is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Lots {
    /// What is missing.
    #[default]
    Any,
    /// Multiples of a lot, as in an (R, nQ) policy.
    Fixed,
    /// What is missing and a lot on top, as in an (s, S) policy.
    Minmax,
}

/// How stock is replenished: the same for all items, unless their state says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StockPolicy {
    /// Lead time in steps: with 2, an order of today is on the shelf at the start of the third step.
    pub lead_time: usize,
    /// Standard deviation of the lead time, in steps.
    pub lead_time_sd: f64,
    /// Steps from one order to the next.
    pub review: usize,
    /// The cost of holding a unit for a step.
    pub holding: Option<f64>,
    /// The cost of a unit that is asked for and not there; for each step that it waits, where it waits.
    pub shortage: Option<f64>,
    /// The cost of placing an order of an item.
    pub order_cost: Option<f64>,
    /// Demand that finds no stock: lost or backordered.
    pub unmet: Unmet,
    /// The probability that all demand is met until the next order arrives, between 0 and 1.
    pub cycle_service: Option<f64>,
    /// The share of demand that is met from stock, between 0 and 1.
    pub fill_rate: Option<f64>,
    /// Steps of expected demand that stock and orders together cover, such as 3.5: the rule of thumb of many shops.
    pub cover: Option<f64>,
    /// The service target by class of item, such as `A=0.98, B=0.95, CZ=0.9`: ABC by share of sales, XYZ by how much sales vary.
    /// Other items have the target above.
    pub classes: String,
    /// How much is ordered once an order is due: `any` (what is missing), `fixed` or `minmax`.
    pub lots: Lots,
    /// The lot of `fixed` and `minmax`, in units; the economic order quantity if not given.
    pub lot: Option<f64>,
    /// The most that all orders together may cost; needs `cost` of each item.
    pub budget: Option<f64>,
    /// The most that all orders together may take of a space; needs `volume` of each item.
    pub space: Option<f64>,
    /// What an order rests on: `forecast`, `normal` or `point`.
    pub belief: Belief,
    /// Sample paths per item, where a decision is made on them.
    pub paths: usize,
    /// Random seed of the paths.
    pub seed: u64,
}

impl Default for StockPolicy {
    fn default() -> Self {
        Self {
            lead_time: 1,
            lead_time_sd: 0.0,
            review: 1,
            holding: None,
            shortage: None,
            order_cost: None,
            unmet: Unmet::Lost,
            cycle_service: None,
            fill_rate: None,
            cover: None,
            classes: String::new(),
            lots: Lots::Any,
            lot: None,
            budget: None,
            space: None,
            belief: Belief::Forecast,
            paths: 2000,
            seed: 1,
        }
    }
}

/// The longest lead time and review period, in steps.
const LONGEST: usize = 10_000;
/// What is left out of the tail of a random lead time.
const TAIL: f64 = 1e-4;

impl StockPolicy {
    /// Reads a policy as people write it: `lead_time=2, holding=0.2, shortage=1`.
    ///
    /// # Errors
    /// When an option or its value is unknown; the nearest one is suggested.
    pub fn parse(text: &str) -> Result<Self> {
        crate::options::read("the stock policy", crate::options::parse(text)?)
    }

    /// Do the numbers make sense, each and together?
    ///
    /// # Errors
    /// When one does not, naming it.
    pub fn check(&self) -> Result<()> {
        for (what, steps) in [("lead time", self.lead_time), ("review period", self.review)] {
            check_steps(what, steps)?;
        }
        if non_negative("the standard deviation of the lead time", self.lead_time_sd)? > self.lead_time as f64 {
            return Err(Error::usage(format!(
                "a lead time of {} with a standard deviation of {} is too uncertain to order by",
                self.lead_time, self.lead_time_sd
            )));
        }
        let costs = [
            ("the holding cost", self.holding),
            ("the shortage cost", self.shortage),
            ("the cost of an order", self.order_cost),
            ("the cover", self.cover),
            ("the lot", self.lot),
            ("the budget", self.budget),
            ("the space", self.space),
        ];
        costs.into_iter().try_for_each(|(what, cost)| cost.map_or(Ok(0.0), |cost| positive(what, cost)).map(|_| ()))?;
        self.cycle_service.map_or(Ok(0.0), |level| proportion("the cycle service level", level))?;
        self.fill_rate.map_or(Ok(0.0), |rate| proportion("the fill rate", rate))?;
        let targets =
            [("a cycle service level", self.cycle_service), ("a fill rate", self.fill_rate), ("a cover", self.cover)];
        let stated: Vec<&str> = targets.iter().filter(|(_, target)| target.is_some()).map(|(what, _)| *what).collect();
        if let [one, other, ..] = stated.as_slice() {
            return Err(Error::usage(format!("{one} and {other} are two targets of one order: state one of them")));
        }
        if self.budget.is_some() && self.space.is_some() {
            return Err(Error::usage("a budget and a space are two limits of one order: state the tighter one"));
        }
        if self.lots != Lots::Any && self.lot.is_none() && (self.order_cost.is_none() || self.holding.is_none()) {
            return Err(Error::usage(
                "nothing says how large a lot is: state `lot`, or the cost of an order and of holding a unit",
            ));
        }
        if self.paths < 100 {
            return Err(Error::usage(format!("a decision takes at least 100 sample paths, not {}", self.paths)));
        }
        self.class_targets().map(|_| ())
    }

    /// What orders aim at.
    pub(super) fn target(&self) -> Target {
        match (self.fill_rate, self.cycle_service, self.cover) {
            (Some(rate), ..) => Target::FillRate(rate),
            (_, Some(level), _) => Target::Service(level),
            (.., Some(steps)) => Target::Cover(steps),
            _ => Target::Cost,
        }
    }

    /// The same policy, aiming at something else.
    pub(super) fn aimed_at(&self, target: Target) -> Self {
        let (mut cycle_service, mut fill_rate, mut cover) = (None, None, None);
        match target {
            Target::Service(level) => cycle_service = Some(level),
            Target::FillRate(rate) => fill_rate = Some(rate),
            Target::Cover(steps) => cover = Some(steps),
            Target::Cost => {}
        }
        Self { cycle_service, fill_rate, cover, ..self.clone() }
    }

    /// Steps of forecast that an order needs: the longest lead time and the review period.
    pub(crate) fn reach(&self) -> Result<usize> {
        Ok(self.lead_times(self.lead_time)?.longest() + self.review)
    }

    /// The target of each class that is named: letters of ABC, of XYZ or both.
    pub(super) fn class_targets(&self) -> Result<Vec<(String, f64)>> {
        let stated = crate::options::parse(&self.classes)?;
        let target = |(name, value): (&String, &serde_json::Value)| {
            let letters: Vec<char> = name.chars().collect();
            let known = match letters.as_slice() {
                [one] => "ABCXYZ".contains(*one),
                [abc, xyz] => "ABC".contains(*abc) && "XYZ".contains(*xyz),
                _ => false,
            };
            if !known {
                return Err(Error::usage(format!(
                    "`{name}` is no class: name A, B or C, X, Y or Z, or both, such as AX"
                )));
            }
            let value = value.as_f64().ok_or_else(|| {
                Error::usage(format!("the target of class {name} is a number between 0 and 1, not {value}"))
            })?;
            Ok((name.clone(), proportion(&format!("the target of class {name}"), value)?))
        };
        stated.iter().map(target).collect()
    }

    /// The probabilities of lead times, from the shortest to the longest: a gamma distribution in whole steps.
    pub(super) fn lead_times(&self, mean: usize) -> Result<LeadTimes> {
        if self.lead_time_sd == 0.0 {
            return Ok(LeadTimes(vec![(mean, 1.0)]));
        }
        let (mean, sd) = (mean as f64, self.lead_time_sd);
        let gamma = Gamma::new((mean / sd).powi(2), mean / sd.powi(2))
            .map_err(|why| Error::usage("no lead time has this mean and standard deviation").because(why))?;
        let (mut times, mut below) = (Vec::new(), 0.0);
        for step in 1..=LONGEST {
            let until = gamma.cdf(step as f64 + 0.5);
            times.push((step, until - below));
            below = until;
            if below > 1.0 - TAIL {
                break;
            }
        }
        times.iter_mut().for_each(|(_, probability)| *probability /= below);
        Ok(LeadTimes(times))
    }
}

/// Lead times in steps and their probabilities, the shortest first.
#[derive(Clone, Debug)]
pub(super) struct LeadTimes(Vec<(usize, f64)>);

impl LeadTimes {
    /// The longest.
    pub fn longest(&self) -> usize {
        self.0.last().map_or(1, |(steps, _)| *steps)
    }

    /// Mean and variance.
    pub fn moments(&self) -> (f64, f64) {
        let mean: f64 = self.0.iter().map(|(steps, part)| *steps as f64 * part).sum();
        (mean, self.0.iter().map(|(steps, part)| (*steps as f64 - mean).powi(2) * part).sum())
    }

    /// Is it always the same?
    pub fn is_certain(&self) -> bool {
        self.0.len() == 1
    }

    /// That of a probability from 0 to 1.
    pub fn at(&self, probability: f64) -> usize {
        let mut below = 0.0;
        for (steps, part) in &self.0 {
            below += part;
            if probability < below {
                return *steps;
            }
        }
        self.longest()
    }
}

/// Is this a number of steps that an order can take?
pub(super) fn check_steps(what: &str, steps: usize) -> Result<()> {
    match steps {
        0 if what == "lead time" => Err(Error::usage(
            "a lead time is at least 1 step, not 0: with 1, what is ordered today is there at the start of the second step",
        )),
        0 => Err(Error::usage(format!("a {what} is at least 1 step, not 0"))),
        1..=LONGEST => Ok(()),
        _ => Err(Error::usage(format!("a {what} of {steps} steps is longer than any forecast reaches"))),
    }
}
