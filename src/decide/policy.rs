//! When is there an order, when does it arrive, and what is it to achieve?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::replenish::Target;
use super::state::Item;
use super::stock::{positive, proportion};
use crate::error::{Error, Result};
use crate::options::choice;

choice!(/// What becomes of demand that finds no stock: it is lost, as in a shop, or it waits.
    Unmet { Lost, Backordered });

/// How stock is replenished: the same for all items, unless their state says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StockPolicy {
    /// Lead time in steps: with 2, an order of today is on the shelf at the start of the third step.
    pub lead_time: usize,
    /// Steps from one order to the next.
    pub review: usize,
    /// The cost of holding a unit for a step.
    pub holding: Option<f64>,
    /// The cost of a unit that is asked for and not there; for each step that it waits, where it waits.
    pub shortage: Option<f64>,
    /// Demand that finds no stock: lost or backordered.
    pub unmet: Unmet,
    /// The probability that all demand is met until the next order arrives, between 0 and 1.
    pub cycle_service: Option<f64>,
    /// The share of demand that is met from stock, between 0 and 1.
    pub fill_rate: Option<f64>,
    /// Sample paths per item, where a decision is made on them.
    pub paths: usize,
    /// Random seed of the paths.
    pub seed: u64,
}

impl Default for StockPolicy {
    fn default() -> Self {
        Self {
            lead_time: 1,
            review: 1,
            holding: None,
            shortage: None,
            unmet: Unmet::Lost,
            cycle_service: None,
            fill_rate: None,
            paths: 2000,
            seed: 1,
        }
    }
}

/// The longest lead time and review period, in steps.
const LONGEST: usize = 10_000;

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
        self.holding.map_or(Ok(0.0), |cost| positive("the holding cost", cost))?;
        self.shortage.map_or(Ok(0.0), |cost| positive("the shortage cost", cost))?;
        self.cycle_service.map_or(Ok(0.0), |level| proportion("the cycle service level", level))?;
        self.fill_rate.map_or(Ok(0.0), |rate| proportion("the fill rate", rate))?;
        if self.cycle_service.is_some() && self.fill_rate.is_some() {
            return Err(Error::usage(
                "a cycle service level and a fill rate are two targets of one order: state one of them",
            ));
        }
        if self.paths < 100 {
            return Err(Error::usage(format!("a decision takes at least 100 sample paths, not {}", self.paths)));
        }
        Ok(())
    }

    /// What the order of an item is to achieve, and its costs as far as they are known.
    ///
    /// # Errors
    /// When there is neither a service target nor both costs.
    pub(super) fn target(&self, item: &Item) -> Result<Target> {
        let costs = item.holding.or(self.holding).zip(item.shortage.or(self.shortage));
        match (self.cycle_service, self.fill_rate, costs) {
            (Some(level), ..) => Ok(Target::Service { level, costs }),
            (_, Some(rate), _) => Ok(Target::FillRate { rate, costs }),
            (.., Some((holding, shortage))) => Ok(Target::Cost { holding, shortage }),
            _ => Err(Error::usage(
                "nothing says how much stock is enough: state a cycle service level, a fill rate, or the costs of holding and shortage",
            )),
        }
    }
}

/// Is this a number of steps that an order can take?
pub(super) fn check_steps(what: &str, steps: usize) -> Result<()> {
    match steps {
        0 => Err(Error::usage(format!(
            "a {what} is at least 1 step, not 0: with 1, what is ordered today is there at the start of the second step"
        ))),
        1..=LONGEST => Ok(()),
        _ => Err(Error::usage(format!("a {what} of {steps} steps is longer than any forecast reaches"))),
    }
}
