//! Many items share one budget, shelf or truck: how much of each?
//!
//! Minimise the sum of expected costs cᵢ(Sᵢ) with Σ wᵢ (Sᵢ − positionᵢ) ≤ B. With a shadow price θ of the limit, each item's
//! level solves Fᵢ(Sᵢ) = (uᵢ − θwᵢ) / (uᵢ + oᵢ), its newsvendor level when a unit also costs θwᵢ; θ is found by bisection
//! (Hadley & Whitin 1963, chapter 6). Whole units: units are added in the order of cost saved per unit of the limit, which is
//! optimal as costs are convex, if items take equal amounts of the limit or it is used up exactly (Fox 1966, *Management
//! Science* 13). Otherwise it is a knapsack problem, and Lagrangian duality bounds how far the result is from its optimum.
//!
//! Reference: Silver, Pyke & Thomas 2017, chapter 10.
//!
//! Fails where items substitute for each other or share customers, and for several limits at once (raise the price of the
//! tightest first, then check the others).

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::{Demand, MAX_WHOLE, Newsvendor, Units, finite, first_whole, non_negative, positive, whole};
use crate::error::{Error, Result};

/// One of the items that share a limit.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// The name, for messages.
    pub name: &'a str,
    /// Demand until the next delivery could arrive (lead time plus review period), in units.
    pub demand: &'a Demand,
    /// What a unit too many or too few costs.
    pub costs: Newsvendor,
    /// How much of the limit one unit takes: money, volume, shelf space.
    pub weight: f64,
    /// The stock position before the order (on hand plus on order, less backorders), in units.
    pub position: f64,
    /// The least level to order up to, in units.
    pub minimum: Option<f64>,
    /// The greatest level to order up to, in units.
    pub maximum: Option<f64>,
}

/// The levels of all items under the limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Allocation {
    /// The level of each item after its order, in units.
    pub levels: Vec<f64>,
    /// The order of each item, in units.
    pub orders: Vec<f64>,
    /// How much of the limit the orders take.
    pub used: f64,
    /// What one more unit of the limit would save; zero if it does not bind.
    pub shadow_price: f64,
    /// The expected cost of all items.
    pub cost: f64,
    /// By how much that can be above the least possible cost: zero if the solution is exact.
    pub gap: f64,
}

/// The orders of least expected cost that take no more than `limit` in total.
///
/// ```
/// use tradewind::decide::stock::{Demand, Item, Newsvendor, Units, allocate};
/// let (tea, rice) = (Demand::poisson(10.0)?, Demand::poisson(4.0)?);
/// let item = |name, demand, costs, weight| Item { name, demand, costs, weight, position: 0.0, minimum: None, maximum: None };
/// let items = [
///     item("tea", &tea, Newsvendor::costs(1.0, 5.0)?, 2.0),
///     item("rice", &rice, Newsvendor::costs(1.0, 9.0)?, 1.0),
/// ];
/// let orders = allocate(&items, 20.0, Units::Whole)?;
/// assert!(orders.used <= 20.0 && orders.shadow_price > 0.0);
/// # Ok::<(), tradewind::prelude::Error>(())
/// ```
///
/// # Errors
/// When there is no item, a weight is not positive, the limit is negative, a position is not whole although units are, an item's
/// minimum is above its maximum, or the minimum levels together take more than the limit; the message names the items.
pub fn allocate(items: &[Item], limit: f64, units: Units) -> Result<Allocation> {
    non_negative("the limit", limit)?;
    if items.is_empty() {
        return Err(Error::usage("a limit needs at least one item to share it"));
    }
    let ranges = items.iter().map(|item| range(item, units)).collect::<Result<Vec<_>>>()?;
    let problem = Problem { items, ranges, limit, units };
    problem.check_minimums()?;
    let unlimited = problem.levels(0.0);
    if problem.fits(problem.used(&unlimited)) {
        return Ok(problem.allocation(unlimited, 0.0, 0.0));
    }
    let (low, high) = problem.bracket();
    Ok(match units {
        Units::Divisible => problem.divide(low, high),
        Units::Whole => problem.add_units(high),
    })
}

/// The lowest and the highest level that an item may have.
fn range(item: &Item, units: Units) -> Result<(f64, f64)> {
    let named = |error: Error| error.within(format!("item `{}`", item.name));
    let checked = || {
        positive("what a unit takes of the limit", item.weight)?;
        let position = finite("the stock position", item.position)?;
        let minimum = item.minimum.map(|level| non_negative("the minimum level", level)).transpose()?;
        let maximum = item.maximum.map(|level| non_negative("the maximum level", level)).transpose()?;
        let (mut low, mut high) = (minimum.unwrap_or(position), maximum.unwrap_or(f64::INFINITY));
        if units == Units::Whole {
            whole("the stock position", position)?;
            (low, high) = (low.ceil(), high.floor());
        }
        if let (Some(minimum), Some(maximum)) = (minimum, maximum)
            && low > high
        {
            return Err(Error::usage(format!(
                "no level lies between its minimum, {minimum}, and its maximum, {maximum}"
            )));
        }
        // Stock that is already there stays, also above the maximum.
        Ok((low.max(position), high.max(position)))
    };
    checked().map_err(named)
}

struct Problem<'a> {
    items: &'a [Item<'a>],
    ranges: Vec<(f64, f64)>,
    limit: f64,
    units: Units,
}

impl Problem<'_> {
    fn used(&self, levels: &[f64]) -> f64 {
        self.items.iter().zip(levels).map(|(item, level)| item.weight * (level - item.position)).sum()
    }

    /// Is this much within the limit, but for rounding?
    fn fits(&self, used: f64) -> bool {
        used <= self.limit * (1.0 + 1e-12)
    }

    fn cost(&self, levels: &[f64]) -> f64 {
        self.items.iter().zip(levels).map(|(item, level)| item.costs.cost(item.demand, *level)).sum()
    }

    /// The best levels when a unit of the limit costs `price`.
    fn levels(&self, price: f64) -> Vec<f64> {
        let best = |(item, (low, high)): (&Item, &(f64, f64))| {
            item.costs.marginal_level(item.demand, self.units, price * item.weight).clamp(*low, *high)
        };
        self.items.iter().zip(&self.ranges).map(best).collect()
    }

    fn check_minimums(&self) -> Result<()> {
        let mut needs: Vec<(&str, f64)> = Vec::new();
        for (item, (low, _)) in self.items.iter().zip(&self.ranges) {
            if *low > item.position {
                needs.push((item.name, item.weight * (low - item.position)));
            }
        }
        let total: f64 = needs.iter().map(|(_, need)| need).sum();
        if self.fits(total) {
            return Ok(());
        }
        needs.sort_by(|a, b| b.1.total_cmp(&a.1));
        let shown: Vec<String> = needs.iter().take(5).map(|(name, need)| format!("`{name}` {need}")).collect();
        let rest = if needs.len() > 5 { format!(" and {} more", needs.len() - 5) } else { String::new() };
        Err(Error::usage(format!(
            "the minimum levels take {total}, more than the limit of {}: {}{rest}; raise the limit or lower the minimum levels",
            self.limit,
            shown.join(", ")
        )))
    }

    /// Two prices, as close as numbers are, with levels above the limit at the first and within it at the second.
    fn bracket(&self) -> (f64, f64) {
        let dearest = self.items.iter().map(|item| item.costs.underage() / item.weight).fold(0.0, f64::max);
        let (mut low, mut high) = (0.0, dearest);
        for _ in 0..100 {
            let middle = low + (high - low) / 2.0;
            if middle <= low || middle >= high || high - low <= 1e-15 * dearest {
                break;
            }
            match self.fits(self.used(&self.levels(middle))) {
                true => high = middle,
                false => low = middle,
            }
        }
        (low, high)
    }

    /// Divisible units: at the shadow price itself, items whose levels jump there are indifferent between both ends, so the
    /// limit is used up by going the same part of the way in each.
    fn divide(&self, low: f64, high: f64) -> Allocation {
        let (above, below) = (self.levels(low), self.levels(high));
        let (most, least) = (self.used(&above), self.used(&below));
        let part = if most > least { ((self.limit - least) / (most - least)).clamp(0.0, 1.0) } else { 0.0 };
        let levels = below.iter().zip(&above).map(|(below, above)| below + part * (above - below)).collect();
        self.allocation(levels, high, 0.0)
    }

    /// Whole units: from levels within the limit, units are added while they save and fit, the best saving per unit of the
    /// limit first.
    fn add_units(&self, price: f64) -> Allocation {
        let mut levels = self.levels(price);
        let mut used = self.used(&levels);
        let next = |index: usize, level: f64| {
            let item = &self.items[index];
            let saving = -item.costs.step(item.demand, level) / item.weight;
            (level + 1.0 <= self.ranges[index].1.min(MAX_WHOLE) && saving > 0.0).then_some(Step { saving, index })
        };
        let mut steps: BinaryHeap<Step> = levels.iter().enumerate().filter_map(|(i, level)| next(i, *level)).collect();
        // The saving of the first unit that did not fit, and a bound from below on the cost of any allocation.
        let mut refused = None;
        while let Some(Step { saving, index }) = steps.pop() {
            let weight = self.items[index].weight;
            if self.fits(used + weight) {
                let units = self.alike(index, levels[index], ((self.limit - used) / weight).floor());
                levels[index] += units;
                used += units * weight;
                steps.extend(next(index, levels[index]));
            } else if refused.is_none() {
                let left = (self.reachable() - used).max(0.0);
                refused = Some((saving, self.cost(&levels) - saving * left));
            }
        }
        let gap = refused.map_or(0.0, |(_, bound)| (self.cost(&levels) - bound).max(0.0));
        self.allocation(levels, refused.map_or(0.0, |(saving, _)| saving), gap)
    }

    /// How many units of an item, up to `most` but at least one, save as much as the next one: between two distant draws, a
    /// great many.
    fn alike(&self, index: usize, level: f64, most: f64) -> f64 {
        let Item { demand, costs, .. } = &self.items[index];
        let tolerance = 1e-12 * (costs.overage() + costs.underage());
        let first = costs.step(demand, level);
        let most = most.min(self.ranges[index].1 - level).min(MAX_WHOLE - level);
        let alike =
            first_whole(
                1.0,
                |units| if units >= most { 0.0 } else { costs.step(demand, level + units) - first - tolerance },
            );
        alike.min(most).max(1.0)
    }

    /// The most of the limit that whole units can take: if all weigh the same, a multiple of that.
    fn reachable(&self) -> f64 {
        match self.items.split_first() {
            Some((first, rest)) if rest.iter().all(|item| item.weight == first.weight) => {
                first.weight * (self.limit / first.weight * (1.0 + 1e-12)).floor()
            }
            _ => self.limit,
        }
    }

    fn allocation(&self, levels: Vec<f64>, shadow_price: f64, gap: f64) -> Allocation {
        let orders = self.items.iter().zip(&levels).map(|(item, level)| level - item.position).collect();
        Allocation { used: self.used(&levels), cost: self.cost(&levels), levels, orders, shadow_price, gap }
    }
}

/// What one more unit of an item would save per unit of the limit.
struct Step {
    saving: f64,
    index: usize,
}

impl Ord for Step {
    fn cmp(&self, other: &Self) -> Ordering {
        self.saving.total_cmp(&other.saving).then(other.index.cmp(&self.index))
    }
}

impl PartialOrd for Step {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Step {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Step {}
