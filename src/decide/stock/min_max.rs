//! Periodic review with a fixed order cost: below which stock s (the min) to order up to which level S (the max)?
//!
//! Each period, if the stock position is at most s, order up to S. With period demand of probabilities φ, m(0) = 1/(1 − φ(0)) and
//! m(j) = m(0) Σ φ(l) m(j − l), the renewal density of demand, the mean cost per period is
//! c(s, S) = (K + Σ m(j) g(S − j)) / Σ m(j) over j = 0 … S − s − 1, where g(y) = h E\[(y − D)⁺\] + p E\[(D − y)⁺\] and D is demand
//! over lead time plus one period. The exact optimum follows from one search upwards in S, which stops when g(S) exceeds the
//! best cost (Zheng & Federgruen 1991, *Operations Research* 39). The power approximation needs mean and standard deviation only
//! (Ehrhardt & Mosier 1984, *Management Science* 30).
//!
//! Reference: Silver, Pyke & Thomas 2017, chapter 7; Snyder & Shen 2019, section 4.4.
//!
//! Fails where demand is not stationary (recalculate as the forecast moves) or sales are lost; and the exact method where demand
//! has more than some thousand units per period (work in case packs, or use the power approximation, whose regression covers
//! 4 ≤ p/h ≤ 99 and costs a few per cent).

use std::collections::HashMap;

use super::eoq::eoq_with_backorders;
use super::{Demand, Newsvendor, Units, non_negative, positive, whole};
use crate::error::{Error, Result};

/// A min and a max.
#[derive(Clone, Copy, PartialEq)]
pub struct MinMax {
    /// The stock position at or below which to order, in units.
    pub min: f64,
    /// The stock position to order up to, in units.
    pub max: f64,
}

/// A min and a max with their cost.
#[derive(Clone, Copy, PartialEq)]
pub struct MinMaxPolicy {
    /// The levels.
    pub levels: MinMax,
    /// The expected cost per period.
    pub cost: f64,
}

/// What the power approximation gives.
#[derive(Clone, Copy, PartialEq)]
pub struct PowerApproximation {
    /// The regression's own levels, good while an order covers more than one and a half periods.
    pub regression: MinMax,
    /// The levels to use: for smaller orders neither is above the newsvendor's level, as the authors advise.
    pub levels: MinMax,
}

/// The levels of least expected cost per period: `fixed` per order, holding and shortage cost per unit and period; `period` is
/// the demand of one period, `protection` that over lead time plus one period (the same without a lead time).
///
/// ```
/// use tradewind::decide::stock::{Demand, min_max::optimal};
/// let demand = Demand::poisson(6.0)?;
/// let policy = optimal(5.0, 1.0, 4.0, &demand, &demand)?;
/// assert_eq!((policy.levels.min, policy.levels.max), (4.0, 10.0));
/// # Ok::<(), tradewind::prelude::Error>(())
/// ```
///
/// # Errors
/// When a holding or shortage cost is not positive, the fixed cost is negative, demand is not in whole units, none is expected, or max and min would be too far apart.
pub fn optimal(fixed: f64, holding: f64, shortage: f64, period: &Demand, protection: &Demand) -> Result<MinMaxPolicy> {
    let mut costs = Costs::new(fixed, holding, shortage, period, protection)?;
    if fixed > 0.0 {
        // Max and min are about this far apart: a search that cannot end well is not begun.
        check_range(eoq_with_backorders(fixed, holding, shortage, period.mean())?.quantity / 2.0)?;
    }
    let mut max = costs.mismatch.marginal_level(protection, Units::Whole, 0.0);
    let mut min = max - 1.0;
    while costs.policy(min, max)? > costs.rate(min) {
        min -= 1.0;
    }
    let mut best = costs.policy(min, max)?;
    let mut next = max + 1.0;
    while costs.rate(next) <= best {
        if costs.policy(min, next)? < best {
            max = next;
            // Without a fixed cost both are equal when one unit is left between them.
            while min + 1.0 < max && costs.policy(min, max)? <= costs.rate(min + 1.0) {
                min += 1.0;
            }
            best = costs.policy(min, max)?;
        }
        next += 1.0;
    }
    Ok(MinMaxPolicy { levels: MinMax { min, max }, cost: best })
}

/// The expected cost per period of given levels; arguments as in [`optimal`].
///
/// # Errors
/// As [`optimal`], and when a level is not whole or the max is not above the min.
pub fn policy(
    levels: MinMax,
    fixed: f64,
    holding: f64,
    shortage: f64,
    period: &Demand,
    protection: &Demand,
) -> Result<MinMaxPolicy> {
    let (min, max) = (whole("the min", levels.min)?, whole("the max", levels.max)?);
    if max <= min {
        return Err(Error::usage(format!("the max, {max}, must be above the min, {min}")));
    }
    let cost = Costs::new(fixed, holding, shortage, period, protection)?.policy(min, max)?;
    Ok(MinMaxPolicy { levels, cost })
}

/// The power approximation: levels from moments only, not rounded. `period_mean` is demand per period, the other two are of
/// demand over lead time plus one period.
///
/// # Errors
/// When an argument is not positive.
pub fn power_approximation(
    fixed: f64,
    holding: f64,
    shortage: f64,
    period_mean: f64,
    protection_mean: f64,
    protection_sd: f64,
) -> Result<PowerApproximation> {
    let fixed = positive("the fixed cost of an order", fixed)?;
    let ratio = Newsvendor::costs(holding, shortage)?.critical_ratio();
    let (mean, sd) =
        (positive("mean demand", period_mean)?, positive("the standard deviation of demand", protection_sd)?);
    let protection = positive("mean demand over lead time plus period", protection_mean)?;
    let order = 1.30 * mean.powf(0.494) * (fixed / holding).powf(0.506) * (1.0 + (sd / mean).powi(2)).powf(0.116);
    let z = (order / sd * holding / shortage).sqrt();
    let min = 0.973 * protection + sd * (0.183 / z + 1.063 - 2.192 * z);
    let regression = MinMax { min, max: min + order };
    let cap = Demand::normal(protection, sd)?.quantile_at(ratio);
    let levels = match order / mean > 1.5 {
        true => regression,
        false => MinMax { min: min.min(cap), max: (min + order).min(cap) },
    };
    Ok(PowerApproximation { regression, levels })
}

/// The costs of policies, with the renewal density as far as it has been needed.
struct Costs<'a> {
    fixed: f64,
    mismatch: Newsvendor,
    protection: &'a Demand,
    probabilities: Vec<f64>,
    renewals: Vec<f64>,
    /// Cost rates by stock position, as the search comes back to them.
    rates: HashMap<i64, f64>,
}

/// Units between max and min up to which the renewal density is calculated.
const MAX_RANGE: f64 = 5_000.0;

fn check_range(range: f64) -> Result<()> {
    if range <= MAX_RANGE {
        return Ok(());
    }
    Err(Error::usage(format!(
        "max and min would be more than {MAX_RANGE} units apart: calculate in larger units, such as case packs"
    )))
}

impl<'a> Costs<'a> {
    fn new(fixed: f64, holding: f64, shortage: f64, period: &Demand, protection: &'a Demand) -> Result<Self> {
        let (fixed, mismatch) =
            (non_negative("the fixed cost of an order", fixed)?, Newsvendor::costs(holding, shortage)?);
        let probabilities = period.probabilities()?;
        let none = probabilities.first().copied().unwrap_or(1.0);
        if 1.0 - none <= 1e-12 {
            return Err(Error::data("no demand is expected, so no order is ever due"));
        }
        if !protection.is_whole() {
            return Err(Error::usage(
                "demand over lead time plus one period must come in whole units, as that of a period",
            ));
        }
        Ok(Self {
            fixed,
            mismatch,
            protection,
            probabilities,
            renewals: vec![1.0 / (1.0 - none)],
            rates: HashMap::new(),
        })
    }

    /// The expected cost of a period that begins with a stock position.
    fn rate(&mut self, position: f64) -> f64 {
        let (mismatch, protection) = (self.mismatch, self.protection);
        *self.rates.entry(position as i64).or_insert_with(|| mismatch.cost(protection, position))
    }

    /// The mean cost per period of a policy.
    fn policy(&mut self, min: f64, max: f64) -> Result<f64> {
        check_range(max - min)?;
        let range = (max - min) as usize;
        for j in self.renewals.len()..range {
            let reach = j.min(self.probabilities.len() - 1);
            let sum: f64 = (1..=reach).map(|l| self.probabilities[l] * self.renewals[j - l]).sum();
            self.renewals.push(self.renewals[0] * sum);
        }
        let stock: f64 = (0..range).map(|j| self.renewals[j] * self.rate(max - j as f64)).sum();
        Ok((self.fixed + stock) / self.renewals[..range].iter().sum::<f64>())
    }
}
