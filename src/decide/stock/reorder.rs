//! Continuous review: at which stock position r to order, and how much, Q?
//!
//! The stock position is uniform between r and r + Q, so the cost per unit of time is
//! C(r, Q) = (Kλ + ∫ g(y) dy) / Q over that range, with g(y) = h E\[(y − D)⁺\] + p E\[(D − y)⁺\] and D the demand over the lead time
//! (Hadley & Whitin 1963). The integral is a difference of second-order losses, so nothing is approximated, whatever the
//! distribution; for whole units it is the sum of g over r + 1, …, r + Q. At the optimum g(r) = g(r + Q) = C(r, Q) (Zheng 1992,
//! *Management Science* 38); for whole units the Q cheapest values of g are taken while they are below their mean (Federgruen &
//! Zheng 1992, *Operations Research* 40).
//!
//! Three approximations are here to compare with: the expected-inventory-level approximation, whose shortage cost is per unit
//! short *however long it waits*, and the two that take Q from the EOQ with or without backorders.
//!
//! Reference: Snyder & Shen 2019, chapter 5; Silver, Pyke & Thomas 2017, chapters 6 and 7.
//!
//! Fails where demand comes in large batches (the position jumps past r: use [`min_max`](super::min_max)) and where sales are
//! lost; there the policy is a fair approximation only while the fill rate is high.

use super::eoq::{eoq, eoq_with_backorders};
use super::{Demand, Newsvendor, Units, finite, first_whole, positive, proportion, root, whole};
use crate::error::{Error, Result};

/// The costs of a continuous-review policy.
#[derive(Clone, Copy, PartialEq)]
pub struct ReorderCosts {
    pub(super) fixed: f64,
    pub(super) mismatch: Newsvendor,
    pub(super) rate: f64,
}

/// A reorder point and an order quantity.
#[derive(Clone, Copy, PartialEq)]
pub struct ReorderPolicy {
    /// The stock position at which to order, in units; may be negative when demand can wait cheaply.
    pub reorder_point: f64,
    /// Units per order.
    pub quantity: f64,
    /// The expected cost per unit of time, exact unless stated otherwise.
    pub cost: f64,
}

impl ReorderCosts {
    /// With the fixed cost of an order, the holding and the backorder cost per unit and unit of time, and the demand per unit of
    /// time.
    ///
    /// # Errors
    /// When an argument is not positive.
    pub fn new(fixed: f64, holding: f64, backorder: f64, demand_rate: f64) -> Result<Self> {
        let (fixed, rate) = (positive("the fixed cost of an order", fixed)?, positive("the demand rate", demand_rate)?);
        Ok(Self { fixed, mismatch: Newsvendor::costs(holding, backorder)?, rate })
    }

    /// The expected cost per unit of time of a given policy.
    ///
    /// # Errors
    /// When the quantity is not positive, the reorder point is not finite, or either is not whole although units are.
    pub fn policy(&self, demand: &Demand, reorder_point: f64, quantity: f64, units: Units) -> Result<ReorderPolicy> {
        let (r, q) = (finite("the reorder point", reorder_point)?, positive("the order quantity", quantity)?);
        let stock = match units {
            Units::Divisible => self.integral(demand, r, q),
            Units::Whole => {
                let (r, q) = (whole("the reorder point", r)?, whole("the order quantity", q)?);
                check_size(q)?;
                (1..=q as u64).map(|k| self.mismatch.cost(demand, r + k as f64)).sum()
            }
        };
        Ok(ReorderPolicy { reorder_point: r, quantity: q, cost: (self.fixed * self.rate + stock) / q })
    }

    /// The policy of least expected cost; `demand` is the demand over the lead time.
    ///
    /// ```
    /// use tradewind::decide::stock::{Demand, Units, reorder::ReorderCosts};
    /// let policy = ReorderCosts::new(100.0, 20.0, 150.0, 1.5)?.optimal(&Demand::poisson(3.0)?, Units::Whole)?;
    /// assert_eq!((policy.reorder_point, policy.quantity), (3.0, 5.0));
    /// # Ok::<(), tradewind::prelude::Error>(())
    /// ```
    ///
    /// # Errors
    /// When units are whole and the best order exceeds 20,000 of them.
    pub fn optimal(&self, demand: &Demand, units: Units) -> Result<ReorderPolicy> {
        match units {
            Units::Whole => self.optimal_whole(demand),
            Units::Divisible => {
                // The mean cost falls with the quantity as long as it is above the cost rate at both ends of the range.
                let excess = |q: f64| {
                    let r = self.point_for(demand, q);
                    q * self.mismatch.cost(demand, r + q) - self.integral(demand, r, q) - self.fixed * self.rate
                };
                let mut high = eoq(self.fixed, self.mismatch.overage(), self.rate)?.quantity;
                while excess(high) < 0.0 && high < 1e300 {
                    high *= 2.0;
                }
                let quantity = root(0.0, high, excess);
                self.policy(demand, self.point_for(demand, quantity), quantity, units)
            }
        }
    }

    /// The best reorder point for a given order quantity.
    ///
    /// # Errors
    /// When the quantity is not positive, or not whole although units are.
    pub fn optimal_for(&self, demand: &Demand, quantity: f64, units: Units) -> Result<ReorderPolicy> {
        let quantity = positive("the order quantity", quantity)?;
        let point = match units {
            Units::Divisible => self.point_for(demand, quantity),
            Units::Whole => {
                let quantity = whole("the order quantity", quantity)?;
                let rise =
                    |r: f64| self.mismatch.cost(demand, r + quantity + 1.0) - self.mismatch.cost(demand, r + 1.0);
                first_whole(self.least(demand, Units::Whole) - quantity, rise)
            }
        };
        self.policy(demand, point, quantity, units)
    }

    /// The EOQ with backorders, and the best reorder point for it.
    ///
    /// # Errors
    /// When the result is not finite.
    pub fn from_backorder_eoq(&self, demand: &Demand) -> Result<ReorderPolicy> {
        let lot = eoq_with_backorders(self.fixed, self.mismatch.overage(), self.mismatch.underage(), self.rate)?;
        self.optimal_for(demand, lot.quantity, Units::Divisible)
    }

    /// The EOQ, and the newsvendor's level as reorder point: simple, and with too much safety stock when lots are large.
    ///
    /// # Errors
    /// When the result is not finite.
    pub fn from_eoq(&self, demand: &Demand) -> Result<ReorderPolicy> {
        let lot = eoq(self.fixed, self.mismatch.overage(), self.rate)?;
        self.policy(demand, self.least(demand, Units::Divisible), lot.quantity, Units::Divisible)
    }

    /// The expected-inventory-level approximation of Hadley & Whitin: here the shortage cost is per unit short, *however long it
    /// waits*, and so is the cost of the result, h(r − E\[D\] + Q/2) + (K + pL(r)) λ/Q, an approximation too.
    ///
    /// # Errors
    /// When shortages are so cheap that no reorder point balances them (hQ ≥ pλ), or the iteration does not converge.
    pub fn expected_inventory_level(&self, demand: &Demand) -> Result<ReorderPolicy> {
        let (fixed, rate) = (self.fixed, self.rate);
        let (holding, shortage) = (self.mismatch.overage(), self.mismatch.underage());
        let mut q = eoq(fixed, holding, rate)?.quantity;
        for _ in 0..1_000 {
            let uncovered = holding * q / (shortage * rate);
            if uncovered >= 1.0 {
                return Err(Error::usage(format!(
                    "a shortage cost of {shortage} per unit is too low for the expected-inventory-level approximation: holding a \
                     lot of {q:.1} costs more than running out of it; use the exact policy"
                )));
            }
            let r = demand.quantile_at(proportion("the probability of a stockout", 1.0 - uncovered)?);
            let short = demand.expected_shortage(r);
            let next = (2.0 * rate * (fixed + shortage * short) / holding).sqrt();
            if (next - q).abs() <= 1e-12 * q {
                let cost = holding * (r - demand.mean() + next / 2.0) + (fixed + shortage * short) * rate / next;
                return Ok(ReorderPolicy { reorder_point: r, quantity: next, cost });
            }
            q = next;
        }
        Err(Error::model("the expected-inventory-level approximation does not converge; use the exact policy"))
    }

    /// ∫ g(y) dy from r to r + q.
    fn integral(&self, demand: &Demand, r: f64, q: f64) -> f64 {
        let short = demand.second_order_loss(r) - demand.second_order_loss(r + q);
        let over = q * (r + q / 2.0 - demand.mean()) + short;
        self.mismatch.overage() * over + self.mismatch.underage() * short
    }

    /// The level at which the cost rate is least.
    fn least(&self, demand: &Demand, units: Units) -> f64 {
        match units {
            // Unlike an order-up-to level, a stock position may be negative.
            Units::Divisible => demand.quantile_at(self.mismatch.critical_ratio()),
            Units::Whole => self.mismatch.marginal_level(demand, units, 0.0),
        }
    }

    /// The reorder point at which the cost rate is the same at both ends of the range.
    fn point_for(&self, demand: &Demand, q: f64) -> f64 {
        let least = self.least(demand, Units::Divisible);
        root(least - q, least, |r| self.mismatch.cost(demand, r + q) - self.mismatch.cost(demand, r))
    }

    fn optimal_whole(&self, demand: &Demand) -> Result<ReorderPolicy> {
        // The best quantity is hardly below that for a known demand (Zheng 1992), so a search that cannot end well is not begun.
        let (holding, backorder) = (self.mismatch.overage(), self.mismatch.underage());
        check_size(eoq_with_backorders(self.fixed, holding, backorder, self.rate)?.quantity)?;
        let start = self.least(demand, Units::Whole);
        let g = |y: f64| self.mismatch.cost(demand, y);
        let (mut r, mut quantity, mut sum) = (start - 1.0, 1.0, self.fixed * self.rate + g(start));
        let (mut below, mut above) = (g(r), g(start + 1.0));
        // The range grows at its cheaper end while that lowers the mean.
        while below.min(above) < sum / quantity {
            sum += below.min(above);
            quantity += 1.0;
            match below < above {
                true => (r, below) = (r - 1.0, g(r - 1.0)),
                false => above = g(r + quantity + 1.0),
            }
            check_size(quantity)?;
        }
        Ok(ReorderPolicy { reorder_point: r, quantity, cost: sum / quantity })
    }
}

/// Whole units of an order that are added up one by one.
const MAX_UNITS: f64 = 20_000.0;

fn check_size(quantity: f64) -> Result<()> {
    if quantity <= MAX_UNITS {
        return Ok(());
    }
    Err(Error::usage(format!("an order of more than {MAX_UNITS} whole units: calculate with divisible units")))
}
