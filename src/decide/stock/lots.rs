//! The supplier sells in case packs, from a minimum and up to a maximum: how much to order, and what does the rule cost?
//!
//! Allowed are no order at all, and every multiple of the pack from the minimum to the maximum. As the expected cost of a stock
//! level is convex, the best allowed order is one of the two allowed neighbours of the best order without rules; both are
//! compared by their expected cost, because rounding up is not always right: a pack of 24 for a need of 2 can cost more in
//! leftovers than the two sales.
//!
//! Reference: Silver, Pyke & Thomas 2017, section 4.10 and chapter 10.
//!
//! Fails where the cost is not convex in the stock level (a fixed cost per order; see [`min_max`](super::min_max)).

use super::{Demand, Newsvendor, Units, non_negative, positive};
use crate::error::{Error, Result};

/// Which order quantities a supplier accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrderRule {
    pack: Option<f64>,
    smallest: f64,
    largest: f64,
}

/// An order with what the supplier's rule costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoundedOrder {
    /// Units to order; a multiple of the pack, or zero.
    pub quantity: f64,
    /// Units that would be ordered without the rule.
    pub ideal_quantity: f64,
    /// The expected cost.
    pub cost: f64,
    /// By how much the rule raises the expected cost.
    pub cost_of_rule: f64,
}

impl OrderRule {
    /// With a pack size, a minimum order and a maximum order, all in units and each optional.
    ///
    /// # Errors
    /// When the pack or the maximum is not positive, the minimum is negative, or no multiple of the pack lies between minimum
    /// and maximum.
    pub fn new(pack: Option<f64>, minimum: Option<f64>, maximum: Option<f64>) -> Result<Self> {
        let pack = pack.map(|pack| positive("a case pack", pack)).transpose()?;
        let minimum = non_negative("the minimum order", minimum.unwrap_or(0.0))?;
        let maximum = maximum.map(|max| positive("the maximum order", max)).transpose()?.unwrap_or(f64::INFINITY);
        if maximum < minimum {
            return Err(Error::usage(format!("the maximum order, {maximum}, is below the minimum order, {minimum}")));
        }
        let smallest = pack.map_or(minimum, |pack| pack * up(minimum / pack).max(1.0));
        let largest = pack.map_or(maximum, |pack| pack * down(maximum / pack));
        if let Some(pack) = pack
            && largest < smallest
        {
            return Err(Error::usage(format!(
                "no multiple of the case pack of {pack} lies between the minimum order, {minimum}, and the maximum order, {maximum}"
            )));
        }
        Ok(Self { pack, smallest, largest })
    }

    /// Is this quantity accepted? Zero always is.
    pub fn accepts(&self, quantity: f64) -> bool {
        quantity == 0.0 || self.up(quantity) == quantity
    }

    /// The smallest accepted quantity that covers a need, or the largest accepted one if none does; zero for no need.
    ///
    /// # Errors
    /// When the need is negative or not finite.
    pub fn round_up(&self, need: f64) -> Result<f64> {
        Ok(self.up(non_negative("the quantity needed", need)?))
    }

    fn up(&self, need: f64) -> f64 {
        match need <= 0.0 {
            true => 0.0,
            false => self.pack.map_or(need, |pack| pack * up(need / pack)).clamp(self.smallest, self.largest),
        }
    }

    /// The largest accepted quantity that does not exceed a need.
    pub(in crate::decide) fn down(&self, need: f64) -> f64 {
        let packs = self.pack.map_or(need, |pack| pack * down(need / pack)).min(self.largest);
        if packs < self.smallest { 0.0 } else { packs }
    }

    /// The accepted order of least expected cost, from a stock position (on hand plus on order, less backorders) that may be
    /// negative.
    ///
    /// ```
    /// use tradewind::decide::stock::{Demand, Newsvendor, OrderRule, Units};
    /// let rule = OrderRule::new(Some(24.0), None, None)?;
    /// let order = rule.order(&Newsvendor::costs(1.0, 4.0)?, &Demand::poisson(6.0)?, 6.0, Units::Whole)?;
    /// // Two units are missing; a whole pack would cost more than going without them.
    /// assert_eq!((order.ideal_quantity, order.quantity), (2.0, 0.0));
    /// # Ok::<(), tradewind::prelude::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the stock position is not finite.
    pub fn order(&self, costs: &Newsvendor, demand: &Demand, position: f64, units: Units) -> Result<RoundedOrder> {
        let position = super::finite("the stock position", position)?;
        let ideal = (costs.optimal(demand, units).level - position).max(0.0);
        let cost = |quantity: f64| costs.cost(demand, position + quantity);
        let (below, above) = (self.down(ideal), self.up(ideal));
        let quantity = if cost(above) < cost(below) { above } else { below };
        let cost_of_rule = (cost(quantity) - cost(ideal)).max(0.0);
        Ok(RoundedOrder { quantity, ideal_quantity: ideal, cost: cost(quantity), cost_of_rule })
    }
}

/// The number of packs that covers this many; a number that is whole but for rounding is whole.
fn up(packs: f64) -> f64 {
    (packs * (1.0 - 1e-12)).ceil()
}

/// The number of whole packs in this many.
fn down(packs: f64) -> f64 {
    (packs * (1.0 + 1e-12)).floor()
}
