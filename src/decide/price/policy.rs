//! What does a unit cost, which prices are allowed, and how sure is sure?

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ladder::Ladder;
use crate::decide::stock::positive;
use crate::error::{Error, Result};
use crate::explore::Elasticity;

/// How prices are chosen: the same for all items, unless a column or the file with the stock says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PricePolicy {
    /// The column that holds the price; empty: the one that is named so.
    pub price_column: String,
    /// The cost of a unit.
    pub cost: Option<f64>,
    /// The column that holds the cost of a unit: the last value of each item counts.
    pub cost_column: String,
    /// A key or fixed column whose values have an elasticity each: `brand`.
    pub by: String,
    /// No price is lower.
    pub lowest: Option<f64>,
    /// No price is higher.
    pub highest: Option<f64>,
    /// The largest change as a share of the present price, such as 0.1; without one, prices stay within those that the
    /// history of the item has seen.
    pub change: Option<f64>,
    /// The prices that are allowed; empty for any.
    pub prices: Vec<f64>,
    /// The endings of the prices that are allowed, such as 0.99; empty for any.
    pub endings: Vec<f64>,
    /// A file with the units that can be sold of each item at most: its keys, `on_hand`, and optionally `cost`.
    pub stock: Option<PathBuf>,
    /// Is the target turnover rather than a quantity?
    pub turnover: bool,
    /// The probability of the intervals; an elasticity whose interval includes zero decides nothing.
    pub level: f64,
    /// Draws of demand and elasticity.
    pub draws: usize,
    /// Random seed of the draws.
    pub seed: u64,
}

impl Default for PricePolicy {
    fn default() -> Self {
        Self {
            price_column: String::new(),
            cost: None,
            cost_column: String::new(),
            by: String::new(),
            lowest: None,
            highest: None,
            change: None,
            prices: Vec::new(),
            endings: Vec::new(),
            stock: None,
            turnover: false,
            level: 0.9,
            draws: 1000,
            seed: 1,
        }
    }
}

impl PricePolicy {
    /// Reads a policy as people write it: `cost=1.2, change=0.1, endings=[0.99]`.
    ///
    /// # Errors
    /// When an option or its value is unknown; the nearest one is suggested.
    pub fn parse(text: &str) -> Result<Self> {
        crate::options::read("the price policy", crate::options::parse(text)?)
    }

    /// Do the numbers make sense, each and together?
    ///
    /// # Errors
    /// When one does not, naming it, or two contradict each other.
    pub fn check(&self) -> Result<()> {
        self.cost.map_or(Ok(0.0), |cost| positive("the cost of a unit", cost))?;
        if self.cost.is_some() && !self.cost_column.is_empty() {
            return Err(Error::usage(
                "the cost of a unit is a number or a column: state cost or cost_column, not both",
            ));
        }
        self.ladder()?;
        check_limits(self.lowest, self.highest)?;
        if let Some(change) = self.change
            && !(change.is_finite() && change > 0.0)
        {
            return Err(Error::usage(format!("the largest change of a price must be a positive share, not {change}")));
        }
        if let Some(change) = self.change.filter(|change| *change >= 1.0) {
            let meant = if change < 100.0 { format!(", did you mean {}?", change / 100.0) } else { String::new() };
            return Err(Error::usage(format!(
                "the largest change of a price is a share of it below 1, such as 0.1, not {change}{meant}"
            )));
        }
        crate::options::level(self.level)?;
        check_draws(self.draws)
    }

    /// Is anything known of the costs?
    ///
    /// # Errors
    /// When no cost is stated, as a number, a column or in the file with the stock.
    pub(crate) fn check_cost(&self) -> Result<()> {
        if self.cost.is_none() && self.cost_column.is_empty() && self.stock.is_none() {
            return Err(Error::usage("profit needs the cost of a unit: state cost, such as 1.2, or cost_column"));
        }
        Ok(())
    }

    pub(super) fn ladder(&self) -> Result<Ladder> {
        Ladder::new(&self.prices, &self.endings)
    }

    pub(super) fn elasticity(&self) -> Elasticity {
        Elasticity {
            price: self.price_column.clone(),
            by: self.by.clone(),
            turnover: self.turnover,
            level: self.level,
            ..Elasticity::default()
        }
    }
}

/// Are the limits prices, and the lower one below the higher one?
pub(super) fn check_limits(lowest: Option<f64>, highest: Option<f64>) -> Result<()> {
    lowest.map_or(Ok(0.0), |price| positive("the lowest price", price))?;
    highest.map_or(Ok(0.0), |price| positive("the highest price", price))?;
    match (lowest, highest) {
        (Some(lowest), Some(highest)) if lowest > highest => Err(Error::usage(format!(
            "the lowest price, {lowest}, is above the highest, {highest}: no price lies between them"
        ))),
        _ => Ok(()),
    }
}

/// Are there enough draws for an interval, and no more than can be held?
pub(super) fn check_draws(draws: usize) -> Result<()> {
    match draws {
        0..100 => Err(Error::usage(format!("a decision takes at least 100 draws, not {draws}"))),
        100..=100_000 => Ok(()),
        _ => Err(Error::usage(format!("{draws} draws are too many; 100,000 at most"))),
    }
}
