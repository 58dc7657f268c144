//! One order for one period: how much stock balances leftovers against lost sales?
//!
//! A unit too many costs the overage cost cₒ, a unit too few the underage cost cᵤ. The expected cost of a level S is
//! cₒ E\[(S − D)⁺\] + cᵤ E\[(D − S)⁺\]. It is convex, and least at the smallest S with F(S) ≥ cᵤ / (cᵤ + cₒ), the critical ratio.
//! With prices, cₒ = cost − salvage value and cᵤ = price − cost + goodwill; the expected profit is (price − cost) E\[D\] less the
//! expected cost. The same level is the optimal base-stock level of a product reviewed each period without a fixed order cost,
//! if unmet demand waits and D is the demand over lead time plus review period.
//!
//! Reference: Silver, Pyke & Thomas 2017, chapter 10; Snyder & Shen 2019, chapter 4.
//!
//! Fails where unsold stock or unmet customers carry over at a cost that depends on how long; and where the shortage cost is a
//! guess: the level moves with its logarithm, so show it for half and for double the guess.

use super::{Demand, Units, finite, first_whole, non_negative, positive};
use crate::error::{Error, Result};

/// The costs of one unit too many and of one too few.
///
/// ```
/// use tradewind::decide::stock::{Demand, Newsvendor, Units};
/// let best = Newsvendor::costs(0.18, 0.70)?.optimal(&Demand::normal(50.0, 8.0)?, Units::Divisible);
/// assert!((best.level - 56.604).abs() < 1e-3 && (best.cost - 1.9976).abs() < 1e-4);
/// # Ok::<(), tradewind::prelude::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq)]
pub struct Newsvendor {
    /// The cost of a unit left over.
    overage: f64,
    /// The cost of a unit short.
    underage: f64,
    /// Price less cost of a unit sold, if known.
    margin: Option<f64>,
}

/// A stock level with what it is expected to cost.
#[derive(Clone, Copy, PartialEq)]
pub struct OrderUpTo {
    /// The stock to order up to, in units; never negative.
    pub level: f64,
    /// The expected cost of overage and underage.
    pub cost: f64,
    /// The expected profit; none if prices are unknown.
    pub profit: Option<f64>,
    /// The probability that all demand is met.
    pub service_level: f64,
    /// The expected proportion of demand that is met from stock; 1 if no demand is expected.
    pub fill_rate: f64,
}

impl Newsvendor {
    /// From the holding cost of a unit left over and the shortage cost of a unit short.
    ///
    /// # Errors
    /// When a cost is not positive: without a holding cost the best stock is infinite, without a shortage cost it is zero.
    pub fn costs(holding: f64, shortage: f64) -> Result<Self> {
        let (overage, underage) = (positive("the holding cost", holding)?, positive("the shortage cost", shortage)?);
        Ok(Self { overage, underage, margin: None })
    }

    /// From a unit's price, cost and salvage value (negative if disposal costs money), and the loss of goodwill per unit short
    /// beyond the lost margin.
    ///
    /// # Errors
    /// When the price is not above the cost, or the cost not above the salvage value.
    pub fn prices(price: f64, cost: f64, salvage: f64, goodwill: f64) -> Result<Self> {
        let (price, cost) = (positive("the price", price)?, non_negative("the unit cost", cost)?);
        let (salvage, goodwill) =
            (finite("the salvage value", salvage)?, non_negative("the loss of goodwill", goodwill)?);
        if price <= cost {
            return Err(Error::usage(format!(
                "the price {price} must be above the unit cost {cost}: at a loss per unit, nothing is worth ordering"
            )));
        }
        if cost <= salvage {
            return Err(Error::usage(format!(
                "the unit cost {cost} must be above the salvage value {salvage}: otherwise every unsold unit earns money and the \
                 best order is infinite"
            )));
        }
        Ok(Self { overage: cost - salvage, underage: price - cost + goodwill, margin: Some(price - cost) })
    }

    /// The cost of a unit left over.
    pub fn overage(&self) -> f64 {
        self.overage
    }

    /// The cost of a unit short.
    pub fn underage(&self) -> f64 {
        self.underage
    }

    /// The probability of meeting all demand that balances the two costs.
    pub fn critical_ratio(&self) -> f64 {
        self.underage / (self.underage + self.overage)
    }

    /// The level of least expected cost, and that cost. A level below zero, which a normal distribution can ask for, is zero.
    pub fn optimal(&self, demand: &Demand, units: Units) -> OrderUpTo {
        self.at_level(demand, self.marginal_level(demand, units, 0.0).max(0.0))
    }

    /// What a given level is expected to cost.
    ///
    /// # Errors
    /// When the level is negative or not finite.
    pub fn at(&self, demand: &Demand, level: f64) -> Result<OrderUpTo> {
        Ok(self.at_level(demand, non_negative("a stock level", level)?))
    }

    fn at_level(&self, demand: &Demand, level: f64) -> OrderUpTo {
        let cost = self.cost(demand, level);
        let met = 1.0 - demand.expected_shortage(level) / demand.mean();
        OrderUpTo {
            level,
            cost,
            profit: self.margin.map(|margin| margin * demand.mean() - cost),
            service_level: demand.cdf(level),
            fill_rate: if demand.mean() > 0.0 { met.clamp(0.0, 1.0) } else { 1.0 },
        }
    }

    /// The expected cost of a level, which may be negative: stock positions can be.
    pub(super) fn cost(&self, demand: &Demand, level: f64) -> f64 {
        self.overage * demand.expected_overage(level) + self.underage * demand.expected_shortage(level)
    }

    /// What one more unit on top of a level adds to the expected cost.
    pub(super) fn step(&self, demand: &Demand, level: f64) -> f64 {
        let covered = demand.expected_overage(level + 1.0) - demand.expected_overage(level);
        (self.overage + self.underage) * covered - self.underage
    }

    /// The level of least expected cost when each unit of stock also costs `price`. It may be negative, and is infinitely so if
    /// a unit costs more than a shortage.
    pub(super) fn marginal_level(&self, demand: &Demand, units: Units, price: f64) -> f64 {
        let ratio = (self.underage - price) / (self.underage + self.overage);
        if ratio <= 0.0 {
            return f64::NEG_INFINITY;
        }
        let level = demand.quantile_at(ratio);
        match units {
            Units::Divisible => level,
            Units::Whole if demand.is_whole() => level,
            // The best whole level is the smallest from which a further unit does not pay; it lies beside the best of all.
            Units::Whole => first_whole(level.floor() - 1.0, |s| self.step(demand, s) + price),
        }
    }
}
