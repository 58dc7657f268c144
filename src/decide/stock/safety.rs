//! How much safety stock does a service level or a fill rate take?
//!
//! The cycle service level is the probability of no stockout in a replenishment cycle, F(level); the fill rate is the proportion
//! of demand met from stock. With loss L(s) = E\[(D − s)⁺\]:
//!
//! - continuous review, order Q at reorder point r, D being lead-time demand: the fill rate is 1 − (L(r) − L(r + Q)) / Q when
//!   demand waits, and Q / (Q + L(r)) when it is lost;
//! - periodic review, order up to S, lead-time demand D₀ and protection demand D₁ (lead time plus review period): the fill rate
//!   is 1 − (E\[(D₁ − S)⁺\] − E\[(D₀ − S)⁺\]) / E\[D₁ − D₀\] when demand waits, and at least 1 − E\[(D₁ − S)⁺\] / E\[D₁ − D₀\] when
//!   it is lost (exact without a lead time).
//!
//! Textbooks often leave L(r + Q) and E\[(D₀ − S)⁺\] out; below a fill rate of 90 %, or when the lot is small, that overstates the
//! safety stock, and can make the fill rate negative.
//!
//! Reference: Silver, Pyke & Thomas 2017, chapter 6; Hadley & Whitin 1963, *Analysis of Inventory Systems*, chapter 4.
//!
//! Fails where orders overshoot: with large single demands the stock position falls below the reorder point before the order is
//! placed, and the fill rate of continuous review is too high; the formula for lost sales there needs at most one open order
//! (Q > r). Demand must be independent from period to period, or come as [samples](Demand::samples) of its sums.

use serde::Deserialize;

use super::{Demand, Units, finite, first_whole, non_negative, positive, proportion, root};
use crate::error::{Error, Result};

/// What happens to demand that finds no stock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shortages {
    /// It waits for the next delivery.
    Backordered,
    /// It is lost, as in a shop.
    #[default]
    Lost,
}

/// A reorder point or order-up-to level with its service.
#[derive(Clone, Copy, PartialEq)]
pub struct Service {
    /// The reorder point or order-up-to level, in units.
    pub level: f64,
    /// What the level holds beyond expected demand over the lead time (and review period), in units.
    pub safety_stock: f64,
    /// The probability of no stockout in a cycle.
    pub cycle_service_level: f64,
    /// The expected proportion of demand met from stock.
    pub fill_rate: f64,
}

/// Mean and standard deviation of demand over a lead time that may vary: (μ L, √(L σ² + μ² σ_L²)), from mean and standard
/// deviation of demand per period and of the lead time in periods. Both must be independent.
///
/// # Errors
/// When an argument is negative or not finite.
pub fn lead_time_demand(demand_mean: f64, demand_sd: f64, lead_mean: f64, lead_sd: f64) -> Result<(f64, f64)> {
    let mean = non_negative("mean demand", demand_mean)?;
    let sd = non_negative("the standard deviation of demand", demand_sd)?;
    let lead = non_negative("the lead time", lead_mean)?;
    let lead_sd = non_negative("the standard deviation of the lead time", lead_sd)?;
    Ok((mean * lead, (lead * sd * sd + (mean * lead_sd).powi(2)).sqrt()))
}

/// Continuous review: `quantity` is ordered whenever the stock position falls to the reorder point.
///
/// ```
/// use tradewind::decide::stock::{Demand, Units, safety::{ContinuousReview, Shortages}};
/// let demand = Demand::normal(50.0, 11.4)?;
/// let review = ContinuousReview::new(&demand, 200.0, Shortages::Backordered)?;
/// assert!((review.for_fill_rate(0.99, Units::Divisible)?.level - 56.563).abs() < 1e-3);
/// # Ok::<(), tradewind::prelude::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ContinuousReview<'a> {
    demand: &'a Demand,
    quantity: f64,
    shortages: Shortages,
}

impl<'a> ContinuousReview<'a> {
    /// With demand over the lead time, and the units of an order.
    ///
    /// # Errors
    /// When the order quantity is not positive.
    pub fn new(lead_time_demand: &'a Demand, quantity: f64, shortages: Shortages) -> Result<Self> {
        Ok(Self { demand: lead_time_demand, quantity: positive("the order quantity", quantity)?, shortages })
    }

    /// The service of a reorder point, which may be negative when demand waits.
    ///
    /// # Errors
    /// When the reorder point is not finite, or it is negative and unmet demand is lost.
    pub fn at(&self, reorder_point: f64) -> Result<Service> {
        let level = finite("the reorder point", reorder_point)?;
        if self.shortages == Shortages::Lost {
            non_negative("the reorder point when sales are lost", level)?;
        }
        Ok(self.service(level))
    }

    /// The smallest reorder point, from zero, that reaches a cycle service level.
    ///
    /// # Errors
    /// When the service level is not strictly between 0 and 1.
    pub fn for_service_level(&self, service_level: f64, units: Units) -> Result<Service> {
        Ok(self.service(covering(self.demand, proportion("a service level", service_level)?, units)))
    }

    /// The smallest reorder point, from zero, that reaches a fill rate.
    ///
    /// # Errors
    /// When the fill rate is not strictly between 0 and 1.
    pub fn for_fill_rate(&self, fill_rate: f64, units: Units) -> Result<Service> {
        let wanted = proportion("a fill rate", fill_rate)?;
        Ok(self.service(smallest(self.demand, units, |r| self.fill_rate(r) - wanted)))
    }

    fn fill_rate(&self, r: f64) -> f64 {
        let short = self.demand.expected_shortage(r);
        match self.shortages {
            Shortages::Backordered => 1.0 - (short - self.demand.expected_shortage(r + self.quantity)) / self.quantity,
            Shortages::Lost => self.quantity / (self.quantity + short),
        }
    }

    fn service(&self, level: f64) -> Service {
        Service::of(self.demand, level, self.fill_rate(level))
    }
}

/// Periodic review: each review period, an order brings the stock position up to a level.
///
/// ```
/// use tradewind::decide::stock::{Demand, Units, safety::{PeriodicReview, Shortages}};
/// // Two days of lead time, weekly reviews, 6 units a day.
/// let (lead, protection) = (Demand::poisson(12.0)?, Demand::poisson(54.0)?);
/// let review = PeriodicReview::new(&lead, &protection, Shortages::Lost)?;
/// assert_eq!(review.for_service_level(0.95, Units::Whole)?.level, 66.0);
/// # Ok::<(), tradewind::prelude::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PeriodicReview<'a> {
    lead: &'a Demand,
    protection: &'a Demand,
    shortages: Shortages,
}

impl<'a> PeriodicReview<'a> {
    /// With demand over the lead time (which may be zero), and over lead time plus review period.
    ///
    /// # Errors
    /// When the second mean is not above the first.
    pub fn new(lead: &'a Demand, protection: &'a Demand, shortages: Shortages) -> Result<Self> {
        if protection.mean() <= lead.mean() {
            return Err(Error::usage(format!(
                "mean demand over lead time plus review period, {}, must be above that over the lead time, {}",
                protection.mean(),
                lead.mean()
            )));
        }
        Ok(Self { lead, protection, shortages })
    }

    /// The service of an order-up-to level.
    ///
    /// # Errors
    /// When the level is negative or not finite.
    pub fn at(&self, level: f64) -> Result<Service> {
        Ok(self.service(non_negative("the order-up-to level", level)?))
    }

    /// The smallest order-up-to level that reaches a cycle service level.
    ///
    /// # Errors
    /// When the service level is not strictly between 0 and 1.
    pub fn for_service_level(&self, service_level: f64, units: Units) -> Result<Service> {
        Ok(self.service(covering(self.protection, proportion("a service level", service_level)?, units)))
    }

    /// The smallest order-up-to level that reaches a fill rate.
    ///
    /// # Errors
    /// When the fill rate is not strictly between 0 and 1.
    pub fn for_fill_rate(&self, fill_rate: f64, units: Units) -> Result<Service> {
        let wanted = proportion("a fill rate", fill_rate)?;
        Ok(self.service(smallest(self.protection, units, |level| self.fill_rate(level) - wanted)))
    }

    fn fill_rate(&self, level: f64) -> f64 {
        let before = match self.shortages {
            Shortages::Backordered => self.lead.expected_shortage(level),
            Shortages::Lost => 0.0,
        };
        1.0 - (self.protection.expected_shortage(level) - before) / (self.protection.mean() - self.lead.mean())
    }

    fn service(&self, level: f64) -> Service {
        Service::of(self.protection, level, self.fill_rate(level))
    }
}

impl Service {
    /// Of a level that has to cover this demand.
    fn of(demand: &Demand, level: f64, fill_rate: f64) -> Self {
        let (safety_stock, cycle_service_level) = (level - demand.mean(), demand.cdf(level));
        Self { level, safety_stock, cycle_service_level, fill_rate: fill_rate.clamp(0.0, 1.0) }
    }
}

/// The smallest level from zero that covers demand with a probability.
fn covering(demand: &Demand, service_level: f64, units: Units) -> f64 {
    let level = demand.quantile_at(service_level).max(0.0);
    if units == Units::Whole { level.ceil() } else { level }
}

/// The smallest level from zero at which `gap`, which increases, is not negative.
fn smallest(demand: &Demand, units: Units, gap: impl Fn(f64) -> f64) -> f64 {
    let mut high = demand.mean() + demand.sd();
    while gap(high) < 0.0 && high < 1e300 {
        high = 2.0 * high + 1.0;
    }
    match units {
        _ if gap(0.0) >= 0.0 => 0.0,
        Units::Divisible => root(0.0, high, gap),
        Units::Whole => first_whole(0.0, gap),
    }
}
