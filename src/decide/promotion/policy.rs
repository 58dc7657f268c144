//! What is promoted how, at what cost, and which rules does a calendar keep to?

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calendar::check_discount;
use crate::decide::stock::{non_negative, positive};
use crate::error::{Error, Result};

/// What a promotion is, and the rules of a calendar of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PromotionPolicy {
    /// The column that is on where an item was promoted.
    pub promotion: String,
    /// A file with the promotions: the keys, `start`, and optionally `length`, `discount` and `cost`. Without one, each
    /// item at each step is possible, and the best calendar is chosen.
    pub calendar: Option<PathBuf>,
    /// Choose the best of the promotions of the file, instead of judging all of them.
    pub choose: bool,
    /// Steps of a promotion.
    pub length: usize,
    /// The share that is taken off the price, such as 0.2.
    pub discount: f64,
    /// What a promotion costs besides the discount.
    pub spend: f64,
    /// The column that holds the price: the last value of each item counts; empty: the one that is named so.
    pub price_column: String,
    /// The price, if it is no column.
    pub price: Option<f64>,
    /// The cost of a unit; a share of the price, where the target is turnover.
    pub cost: Option<f64>,
    /// The column that holds the cost of a unit: the last value of each item counts.
    pub cost_column: String,
    /// Is the target turnover rather than a quantity?
    pub turnover: bool,
    /// What all promotions may cost together.
    pub budget: Option<f64>,
    /// Promotions of an item at most; 0 for any number.
    pub most: usize,
    /// Steps without a promotion between two of an item; by default as many as sales are borrowed from.
    pub gap: Option<usize>,
    /// Items that are promoted at the same time at most; 0 for any number.
    pub at_once: usize,
    /// A key or fixed column: of the items with the same value one is promoted at a time.
    pub group: String,
    /// Dates without a promotion.
    pub blocked: Vec<String>,
    /// The probability of the intervals.
    pub level: f64,
    /// Draws of demand and uplift.
    pub draws: usize,
    /// Random seed of the draws.
    pub seed: u64,
}

impl Default for PromotionPolicy {
    fn default() -> Self {
        Self {
            promotion: String::new(),
            calendar: None,
            choose: false,
            length: 1,
            discount: 0.0,
            spend: 0.0,
            price_column: String::new(),
            price: None,
            cost: None,
            cost_column: String::new(),
            turnover: false,
            budget: None,
            most: 0,
            gap: None,
            at_once: 0,
            group: String::new(),
            blocked: Vec::new(),
            level: 0.9,
            draws: 500,
            seed: 1,
        }
    }
}

impl PromotionPolicy {
    /// Reads a policy as people write it: `promotion=promo, cost=1.2, discount=0.2, budget=500`.
    ///
    /// # Errors
    /// When an option or its value is unknown; the nearest one is suggested.
    pub fn parse(text: &str) -> Result<Self> {
        crate::options::read("the promotion policy", crate::options::parse(text)?)
    }

    /// Do the numbers make sense, each and together?
    ///
    /// # Errors
    /// When one does not, naming it, or two contradict each other.
    pub fn check(&self) -> Result<()> {
        if self.promotion.is_empty() {
            return Err(Error::usage(
                "nothing says when items were promoted: name the column, promotion=NAME, that is on then",
            ));
        }
        if self.length == 0 || self.length > 10_000 {
            return Err(Error::usage(format!("a promotion is at least 1 step long, not {}", self.length)));
        }
        check_discount("the discount", self.discount)?;
        non_negative("the cost of a promotion", self.spend)?;
        self.price.map_or(Ok(0.0), |price| positive("the price", price))?;
        self.cost.map_or(Ok(0.0), |cost| positive("the cost of a unit", cost))?;
        self.budget.map_or(Ok(0.0), |budget| positive("the budget", budget))?;
        if self.cost.is_some() && !self.cost_column.is_empty() {
            return Err(Error::usage(
                "the cost of a unit is a number or a column: state cost or cost_column, not both",
            ));
        }
        if self.cost.is_none() && self.cost_column.is_empty() {
            return Err(Error::usage("profit needs the cost of a unit: state cost, such as 1.2, or cost_column"));
        }
        if self.price.is_some() && !self.price_column.is_empty() {
            return Err(Error::usage("the price is a number or a column: state price or price_column, not both"));
        }
        if self.turnover
            && let Some(cost) = self.cost.filter(|cost| *cost >= 1.0)
        {
            return Err(Error::usage(format!(
                "where the target is turnover, the cost is a share of the price below 1, such as 0.7, not {cost}"
            )));
        }
        if self.choose && self.calendar.is_none() {
            return Err(Error::usage("choose takes the best promotions of a file: name it with calendar"));
        }
        let rules = [
            (self.budget.is_some(), "budget"),
            (self.most > 0, "most"),
            (self.gap.is_some(), "gap"),
            (self.at_once > 0, "at_once"),
            (!self.group.is_empty(), "group"),
            (!self.blocked.is_empty(), "blocked"),
        ];
        if self.calendar.is_some()
            && !self.choose
            && let Some((_, rule)) = rules.iter().find(|(stated, _)| *stated)
        {
            return Err(Error::usage(format!(
                "`{rule}` is a rule for choosing, and a calendar is judged as it is: add choose to take the best of its promotions"
            )));
        }
        crate::options::level(self.level)?;
        match self.draws {
            100..=100_000 => Ok(()),
            few if few < 100 => Err(Error::usage(format!("a decision takes at least 100 draws, not {few}"))),
            many => Err(Error::usage(format!("{many} draws are too many; 100,000 at most"))),
        }
    }
}
