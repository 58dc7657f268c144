//! Steady demand: which lot size balances order costs against holding costs?
//!
//! With K per order, holding cost h per unit and unit of time, and demand λ per unit of time, a lot Q costs Kλ/Q + hQ/2 per unit
//! of time, least at Q* = √(2Kλ/h). Variants:
//!
//! - planned backorders at cost p per unit and unit of time: h becomes hp/(h + p);
//! - a production rate μ > λ: h becomes h(1 − λ/μ);
//! - quantity discounts on all units or on the units beyond each break, holding cost being a rate on the unit cost;
//! - several items that share an order: a base cycle with power-of-two multiples, whose best costs about 2 % more than any
//!   policy at most (Jackson, Maxwell & Muckstadt 1985).
//!
//! Reference: Harris 1913; Silver, Pyke & Thomas 2017, chapters 4 and 10; Jackson, Maxwell & Muckstadt 1985, *IIE Transactions*
//! 17 for joint orders.
//!
//! Fails where demand is not steady: with a trend or seasons use [`lot_sizing`](super::lot_sizing), with uncertainty
//! [`reorder`](super::reorder). The cost is flat around its minimum: 40 % more than Q* costs 6 % more, so round freely.

use super::{non_negative, positive};
use crate::error::{Error, Result};

/// A lot size with its cost.
#[derive(Clone, Copy, PartialEq)]
pub struct Lot {
    /// Units per order.
    pub quantity: f64,
    /// Order and holding cost per unit of time.
    pub cost: f64,
}

/// A lot size with planned backorders.
#[derive(Clone, Copy, PartialEq)]
pub struct BackorderedLot {
    /// Units per order.
    pub quantity: f64,
    /// The proportion of demand that waits for the next delivery.
    pub backordered_fraction: f64,
    /// Order, holding and backorder cost per unit of time.
    pub cost: f64,
}

/// The unit cost from a quantity on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriceBreak {
    /// The smallest quantity at this unit cost; zero for the first.
    pub from: f64,
    /// The cost of a unit.
    pub unit_cost: f64,
}

/// What a quantity discount applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discount {
    /// Every unit of the order.
    AllUnits,
    /// The units beyond the break.
    Incremental,
}

/// A lot size under a quantity discount.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DiscountedLot {
    /// Units per order.
    pub quantity: f64,
    /// Which price break applies, from 0.
    pub bracket: usize,
    /// Purchase, order and holding cost per unit of time.
    pub cost: f64,
}

/// One of several items that are ordered together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JointItem {
    /// The cost of adding the item to an order; may be zero.
    pub minor_cost: f64,
    /// Holding cost per unit and unit of time.
    pub holding_cost: f64,
    /// Demand per unit of time.
    pub demand_rate: f64,
}

/// A joint replenishment cycle.
#[derive(Clone, Debug, PartialEq)]
pub struct JointLots {
    /// Time between two joint orders.
    pub cycle: f64,
    /// Each item is in every so many-th order: a power of two.
    pub multiples: Vec<u32>,
    /// Units of each item when it is ordered.
    pub quantities: Vec<f64>,
    /// Order and holding cost per unit of time.
    pub cost: f64,
}

/// The economic order quantity: the lot size of least order and holding cost.
///
/// ```
/// use tradewind::decide::stock::eoq::eoq;
/// assert!((eoq(8.0, 0.225, 1300.0)?.quantity - 304.047).abs() < 1e-3);
/// # Ok::<(), tradewind::prelude::Error>(())
/// ```
///
/// # Errors
/// When the fixed cost of an order, the holding cost or the demand rate is not positive.
pub fn eoq(fixed_cost: f64, holding_cost: f64, demand_rate: f64) -> Result<Lot> {
    let fixed = positive("the fixed cost of an order", fixed_cost)?;
    let (holding, rate) = (positive("the holding cost", holding_cost)?, positive("the demand rate", demand_rate)?);
    let quantity =
        positive("the lot size that these costs and this demand lead to", (2.0 * fixed * rate / holding).sqrt())?;
    Ok(Lot { quantity, cost: holding * quantity })
}

/// Order and holding cost per unit of time of any lot size.
///
/// # Errors
/// When an argument is not positive.
pub fn eoq_cost(quantity: f64, fixed_cost: f64, holding_cost: f64, demand_rate: f64) -> Result<f64> {
    let (quantity, fixed) = (positive("the lot size", quantity)?, positive("the fixed cost of an order", fixed_cost)?);
    let (holding, rate) = (positive("the holding cost", holding_cost)?, positive("the demand rate", demand_rate)?);
    Ok(fixed * rate / quantity + holding * quantity / 2.0)
}

/// The economic order quantity when demand may wait at a cost per unit and unit of time.
///
/// # Errors
/// When an argument is not positive.
pub fn eoq_with_backorders(
    fixed_cost: f64,
    holding_cost: f64,
    backorder_cost: f64,
    demand_rate: f64,
) -> Result<BackorderedLot> {
    let backorder = positive("the backorder cost", backorder_cost)?;
    let holding = positive("the holding cost", holding_cost)?;
    let waiting = holding / (holding + backorder);
    let lot = eoq(fixed_cost, backorder * waiting, demand_rate)?;
    Ok(BackorderedLot { quantity: lot.quantity, backordered_fraction: waiting, cost: lot.cost })
}

/// The economic production quantity: the lot size when a lot arrives at a rate instead of at once.
///
/// # Errors
/// When an argument is not positive, or production is no faster than demand.
pub fn production_quantity(fixed_cost: f64, holding_cost: f64, demand_rate: f64, production_rate: f64) -> Result<Lot> {
    let (rate, production) =
        (positive("the demand rate", demand_rate)?, positive("the production rate", production_rate)?);
    if production <= rate {
        return Err(Error::usage(format!(
            "the production rate {production} must be above the demand rate {rate}: otherwise stock never builds up"
        )));
    }
    eoq(fixed_cost, positive("the holding cost", holding_cost)? * (1.0 - rate / production), demand_rate)
}

/// The lot size of least total cost under a quantity discount; `holding_rate` is the holding cost per unit of value and unit of
/// time (such as 0.25 a year).
///
/// # Errors
/// When a cost or rate is not positive, there is no price break, the first is not from 0, they do not ascend, or the unit cost
/// rises from one to the next.
pub fn discounted_quantity(
    fixed_cost: f64,
    holding_rate: f64,
    demand_rate: f64,
    breaks: &[PriceBreak],
    discount: Discount,
) -> Result<DiscountedLot> {
    let fixed = positive("the fixed cost of an order", fixed_cost)?;
    let (holding, rate) = (positive("the holding rate", holding_rate)?, positive("the demand rate", demand_rate)?);
    check_breaks(breaks)?;
    let mut best = DiscountedLot { quantity: f64::NAN, bracket: 0, cost: f64::INFINITY };
    // What an order of the bracket costs beyond its quantity times the unit cost of the bracket.
    let mut surcharge = 0.0;
    for (bracket, PriceBreak { from, unit_cost }) in breaks.iter().copied().enumerate() {
        if let (Discount::Incremental, Some(before)) = (discount, bracket.checked_sub(1)) {
            surcharge += (breaks[before].unit_cost - unit_cost) * from;
        }
        let below = breaks.get(bracket + 1).map_or(f64::INFINITY, |next| next.from);
        // The next bracket is no dearer at its break, so a quantity beyond this bracket is dominated.
        let quantity = (2.0 * (fixed + surcharge) * rate / (holding * unit_cost)).sqrt().max(from);
        let cost = unit_cost * rate
            + holding * surcharge / 2.0
            + (fixed + surcharge) * rate / quantity
            + holding * unit_cost * quantity / 2.0;
        if quantity < below && cost < best.cost {
            best = DiscountedLot { quantity, bracket, cost };
        }
    }
    positive("the lot size that these costs and this demand lead to", best.quantity)?;
    Ok(best)
}

fn check_breaks(breaks: &[PriceBreak]) -> Result<()> {
    if breaks.first().is_none_or(|first| first.from != 0.0) {
        return Err(Error::usage("price breaks must begin with one from quantity 0"));
    }
    for price in breaks {
        non_negative("a price break", price.from)?;
        positive("a unit cost", price.unit_cost)?;
    }
    for (number, pair) in breaks.windows(2).enumerate() {
        let (before, after) = (pair[0], pair[1]);
        if after.from <= before.from {
            return Err(Error::usage(format!(
                "price break {} from {} must come after {}",
                number + 1,
                after.from,
                before.from
            )));
        }
        if after.unit_cost > before.unit_cost {
            return Err(Error::usage(format!(
                "the unit cost must not rise with the quantity: {} from {}, but {} from {}",
                before.unit_cost, before.from, after.unit_cost, after.from
            )));
        }
    }
    Ok(())
}

/// The cheapest joint replenishment cycle with power-of-two multiples: `major_cost` is paid per order, each item's minor cost
/// when it is in the order.
///
/// # Errors
/// When there is no item, a cost or demand rate is not positive (minor costs may be zero), or they are
/// hundreds of orders of magnitude apart.
pub fn joint_replenishment(major_cost: f64, items: &[JointItem]) -> Result<JointLots> {
    let major = positive("the cost of a joint order", major_cost)?;
    if items.is_empty() {
        return Err(Error::usage("a joint order needs at least one item"));
    }
    for item in items {
        non_negative("the minor cost of an item", item.minor_cost)?;
        positive("the holding cost", item.holding_cost)?;
        positive("the demand rate", item.demand_rate)?;
    }
    // Every item in every order is the longest cycle that can be best. The other end follows from its cost: items cannot do
    // better than alone without a major cost, and what is left pays for major orders.
    let (cycle, cost) = best_cycle(major, items, &vec![1; items.len()]);
    let alone: f64 = items.iter().map(|i| (2.0 * i.minor_cost * i.holding_cost * i.demand_rate).sqrt()).sum();
    let shortest = (major / (cost - alone).max(major / cycle)).min(cycle);
    if !(shortest > 0.0 && items.iter().all(|item| own_cycle(item).is_finite())) {
        return Err(Error::usage("the costs and demand rates of the items are too far apart for a joint cycle"));
    }
    // Multiples change where a cycle passes the best of an item by √2 times a power of two; between two such cycles they stay.
    let mut cycles = vec![shortest, cycle];
    for item in items {
        let mut change = own_cycle(item) / std::f64::consts::SQRT_2;
        while change > cycle {
            change /= 2.0;
        }
        while change > shortest {
            cycles.push(change);
            change /= 2.0;
        }
    }
    cycles.sort_by(f64::total_cmp);
    let mut best = JointLots { cycle, multiples: vec![1; items.len()], quantities: Vec::new(), cost };
    for pair in cycles.windows(2) {
        let middle = (pair[0] * pair[1]).sqrt();
        let multiples: Vec<u32> = items.iter().map(|item| power_of_two(item, middle)).collect();
        let (cycle, cost) = best_cycle(major, items, &multiples);
        if cost < best.cost {
            best = JointLots { cycle, multiples, quantities: Vec::new(), cost };
        }
    }
    let of = |(item, multiple): (&JointItem, &u32)| f64::from(*multiple) * best.cycle * item.demand_rate;
    best.quantities = items.iter().zip(&best.multiples).map(of).collect();
    Ok(best)
}

/// The best cycle of an item that has no share in the major cost.
fn own_cycle(item: &JointItem) -> f64 {
    (2.0 * item.minor_cost / (item.holding_cost * item.demand_rate)).sqrt()
}

/// The best cycle at given multiples, and its cost.
fn best_cycle(major: f64, items: &[JointItem], multiples: &[u32]) -> (f64, f64) {
    let pairs = || items.iter().zip(multiples).map(|(item, multiple)| (item, f64::from(*multiple)));
    let orders = major + pairs().map(|(item, multiple)| item.minor_cost / multiple).sum::<f64>();
    let stock: f64 = pairs().map(|(item, multiple)| item.holding_cost * item.demand_rate * multiple).sum();
    ((2.0 * orders / stock).sqrt(), (2.0 * orders * stock).sqrt())
}

/// The power of two that is the cheapest multiple of a cycle for an item: the one within √2 of its own best.
fn power_of_two(item: &JointItem, cycle: f64) -> u32 {
    let power = (own_cycle(item) / cycle).log2().round().clamp(0.0, 31.0);
    1 << power as u32
}
