//! How much does a pipeline of stock need, so that what is left when the order arrives, and the order, reach a target?
//!
//! An order of now arrives after the lead time L, at the start of step L + 1, and the next one R steps later: it is for the steps
//! L + 1 to L + R. Until then the stock runs down by what is demanded and rises by what is in transit.
//!
//! - **Lost sales.** xⱼ = (xⱼ₋₁ + aⱼ − Dⱼ)⁺: what is short does not come back. The stock that is left is projected through all
//!   steps, and the order is the smallest q whose target holds over its distribution: P(D ≤ x + q) ≥ service level, the share of demand
//!   met ≥ fill rate, or one more unit no longer lowers the expected cost. An order-up-to level on the position (the rule for
//!   backorders) would count sales that are lost as if they had used up stock, and order too much.
//! - **Backorders.** The net stock is position + q less demand: the same targets on the distribution over lead time and review.
//!
//! Independent counts are projected exactly, by convolution; every other forecast on its joint sample paths, which keep the
//! dependence between steps. Expected costs are those of the steps that the order is for: holding what is left at the end of a
//! step, and what is short.
//!
//! References: Karlin & Scarf 1958 and Zipkin 2008, *Operations Research* 56 (lost sales with lead times); Silver, Pyke & Thomas 2017, chapter 7.
//!
//! Fails where leftovers matter beyond the next order: the rule looks one order ahead, so that in a falling season a service level below the critical
//! ratio is cheaper. In the steps of a review period, what is in transit counts from the step it arrives.

use super::policy::Unmet;
use super::stock::OrderRule;
use crate::statistics::NegativeBinomial;

/// More units than this are projected on paths: convolutions take their square.
const MOST_UNITS: f64 = 4000.0;
/// No order is larger.
const LARGEST: f64 = 1e12;

/// What is on the shelf, and what arrives at the start of the first, second … step.
pub(super) struct Pipeline {
    pub on_hand: f64,
    pub arrivals: Vec<f64>,
}

/// Demand, step by step.
#[derive(Clone, Copy)]
pub(super) enum Demand<'a> {
    /// Independent negative binomial counts: their means and standard deviations.
    Counts(&'a [f64], &'a [f64]),
    /// Joint sample paths.
    Paths(&'a [Vec<f64>]),
}

/// What an order is to achieve; holding and shortage costs as far as they are known.
pub(super) enum Target {
    /// The probability that all demand is met.
    Service { level: f64, costs: Option<(f64, f64)> },
    /// The share of demand that is met.
    FillRate { rate: f64, costs: Option<(f64, f64)> },
    /// The least expected cost.
    Cost { holding: f64, shortage: f64 },
}

/// An order with what is expected of it.
pub(super) struct Order {
    /// Units to order: what a supplier accepts.
    pub quantity: f64,
    /// What would be needed without packs and limits; below zero where there is more than enough.
    pub ideal: f64,
    /// On hand and on the way.
    pub position: f64,
    /// The probability that some demand is not met in the steps that the order is for.
    pub p_out: f64,
    /// The expected cost of these steps.
    pub cost: Option<f64>,
    /// What is expected of each step until the next order arrives.
    pub steps: Vec<Step>,
}

/// What is expected of a step.
#[derive(Clone, Copy, Default)]
pub(super) struct Step {
    pub arrives: f64,
    /// On the shelf at its start, arrivals included; below zero what is owed.
    pub start: f64,
    pub mean: f64,
    pub left: f64,
    pub short: f64,
}

/// What is expected of the steps that an order is for.
#[derive(Clone, Copy, Default)]
struct Outlook {
    /// The probability that all demand is met.
    met: f64,
    /// Units of their demand that are not met from stock.
    unmet: f64,
    /// Units short and units left, summed over steps.
    short: f64,
    left: f64,
}

impl Outlook {
    fn cost(&self, (holding, shortage): (f64, f64)) -> f64 {
        holding * self.left + shortage * self.short
    }
}

impl Target {
    fn costs(&self) -> Option<(f64, f64)> {
        match self {
            Self::Service { costs, .. } | Self::FillRate { costs, .. } => *costs,
            Self::Cost { holding, shortage } => Some((*holding, *shortage)),
        }
    }
}

/// The order of a pipeline for lead time and review period; none where the demand cannot be projected in this way, or no order
/// of a countable size reaches the target.
pub(super) fn order(
    demand: Demand,
    pipeline: &Pipeline,
    (lead, review): (usize, usize),
    unmet: Unmet,
    target: &Target,
    rule: &OrderRule,
) -> Option<Order> {
    let cycle: Box<dyn Cycle> = match (demand, unmet) {
        (Demand::Counts(means, sds), Unmet::Lost) if review == 1 => Box::new(Exact::of(means, sds, pipeline, lead)?),
        (Demand::Counts(..), _) => return None,
        (Demand::Paths(paths), unmet) => Box::new(Simulated { paths, pipeline, lead, review, unmet }),
    };
    let mean = cycle.demand();
    let enough = |q: f64| match target {
        Target::Service { level, .. } => cycle.outlook(q).met >= *level,
        Target::FillRate { rate, .. } => cycle.outlook(q).unmet <= (1.0 - rate) * mean,
        Target::Cost { holding, shortage } => {
            let costs = (*holding, *shortage);
            cycle.outlook(q + 1.0).cost(costs) >= cycle.outlook(q).cost(costs)
        }
    };
    let ideal = smallest(-pipeline.position() - 1.0, enough)?;
    let need = ideal.max(0.0);
    let above = rule.round_up(need).ok()?;
    let quantity = match target {
        // Rounding up is not always right: a pack for a need of two can cost more than the two.
        Target::Cost { holding, shortage } => {
            let (below, costs) = (rule.down(need), (*holding, *shortage));
            if cycle.outlook(above).cost(costs) < cycle.outlook(below).cost(costs) { above } else { below }
        }
        _ => above,
    };
    let outlook = cycle.outlook(quantity);
    Some(Order {
        quantity,
        ideal,
        position: pipeline.position(),
        p_out: (1.0 - outlook.met).clamp(0.0, 1.0),
        cost: target.costs().map(|costs| outlook.cost(costs)),
        steps: cycle.steps(quantity),
    })
}

/// The smallest whole number from `least` on from which on `enough` holds.
fn smallest(least: f64, enough: impl Fn(f64) -> bool) -> Option<f64> {
    let (mut low, mut step) = (least - 1.0, 1.0);
    while !enough(low + step) {
        (low, step) = (low + step, 2.0 * step);
        if step > LARGEST {
            return None;
        }
    }
    let mut high = low + step;
    while high - low > 1.0 {
        let middle = ((low + high) / 2.0).floor();
        if enough(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

impl Pipeline {
    fn position(&self) -> f64 {
        self.on_hand + self.arrivals.iter().sum::<f64>()
    }

    /// What arrives at the start of a step, counted from 0.
    fn arrives(&self, step: usize) -> f64 {
        self.arrivals.get(step).copied().unwrap_or(0.0)
    }
}

/// The steps that an order is for.
trait Cycle {
    /// What is expected of them with an order.
    fn outlook(&self, order: f64) -> Outlook;

    /// Their expected demand.
    fn demand(&self) -> f64;

    /// What is expected of each step until their end.
    fn steps(&self, order: f64) -> Vec<Step>;
}

/// One step after the lead time, under lost sales and independent counts.
struct Exact {
    /// The probability of each stock at its start, without the order.
    stock: Vec<f64>,
    /// The probability that demand is at most 0, 1, 2 …, and how much of it exceeds that on average.
    cdf: Vec<f64>,
    excess: Vec<f64>,
    mean: f64,
    /// The steps before.
    before: Vec<Step>,
    arrives: f64,
}

impl Exact {
    fn of(means: &[f64], sds: &[f64], pipeline: &Pipeline, lead: usize) -> Option<Self> {
        let (mean, sd) = (*means.get(lead)?, *sds.get(lead)?);
        let most = (mean + 12.0 * sd + 15.0).ceil();
        let units = pipeline.on_hand + (0..=lead).map(|step| pipeline.arrives(step)).sum::<f64>();
        if most > MOST_UNITS || units > MOST_UNITS {
            return None;
        }
        let mut stock = shifted(&[1.0], pipeline.on_hand);
        let mut before = Vec::with_capacity(lead);
        for step in 0..lead {
            let arrives = pipeline.arrives(step);
            let start = shifted(&stock, arrives);
            stock = sold(&start, &NegativeBinomial::new(means[step], sds[step]));
            let (from, left) = (expected(&start), expected(&stock));
            before.push(Step {
                arrives,
                start: from,
                mean: means[step],
                left,
                short: (means[step] - from + left).max(0.0),
            });
        }
        let arrives = pipeline.arrives(lead);
        let stock = shifted(&stock, arrives);
        let counts = NegativeBinomial::new(mean, sd);
        let mut sum = 0.0;
        let cdf: Vec<f64> = (0..=most as usize)
            .map(|count| {
                sum += counts.log_probability(count as f64).exp();
                sum
            })
            .collect();
        let mut rest = mean;
        let excess = cdf.iter().map(|below| {
            let now = rest;
            rest = (rest - (1.0 - below)).max(0.0);
            now
        });
        Some(Self { excess: excess.collect(), stock, cdf, mean, before, arrives })
    }
}

impl Cycle for Exact {
    fn outlook(&self, order: f64) -> Outlook {
        let last = self.cdf.len() as i64 - 1;
        let (mut met, mut short) = (0.0, 0.0);
        for (units, probability) in self.stock.iter().enumerate() {
            let level = units as i64 + order as i64;
            if level < 0 {
                short += probability * (self.mean - level as f64);
                continue;
            }
            let level = level.min(last) as usize;
            met += probability * self.cdf[level];
            short += probability * self.excess[level];
        }
        let left = expected(&self.stock) + order - self.mean + short;
        Outlook { met, unmet: short, short, left: left.max(0.0) }
    }

    fn demand(&self) -> f64 {
        self.mean
    }

    fn steps(&self, order: f64) -> Vec<Step> {
        let Outlook { left, short, .. } = self.outlook(order);
        let start = expected(&self.stock) + order;
        let mut steps = self.before.clone();
        steps.push(Step { arrives: self.arrives + order, start, mean: self.mean, left, short });
        steps
    }
}

/// The distribution of a stock that rises by some units.
fn shifted(stock: &[f64], units: f64) -> Vec<f64> {
    let mut shifted = vec![0.0; units as usize];
    shifted.extend_from_slice(stock);
    shifted
}

/// The distribution of what is left of a stock; what is short is lost.
fn sold(stock: &[f64], demand: &NegativeBinomial) -> Vec<f64> {
    let probabilities: Vec<f64> = (0..stock.len()).map(|count| demand.log_probability(count as f64).exp()).collect();
    let left = |units: usize| stock[units..].iter().zip(&probabilities).map(|(stock, sold)| stock * sold).sum::<f64>();
    let mut rest: Vec<f64> = (0..stock.len()).map(|units| if units == 0 { 0.0 } else { left(units) }).collect();
    rest[0] = (1.0 - rest.iter().sum::<f64>()).max(0.0);
    rest
}

fn expected(stock: &[f64]) -> f64 {
    stock.iter().enumerate().map(|(units, probability)| units as f64 * probability).sum()
}

/// The steps of a review period on joint sample paths.
struct Simulated<'a> {
    paths: &'a [Vec<f64>],
    pipeline: &'a Pipeline,
    lead: usize,
    review: usize,
    unmet: Unmet,
}

impl Simulated<'_> {
    /// Runs through every path with an order; `each` is told of every step: its number, stock at its start, demand, stock left (below
    /// zero what is owed).
    fn run(&self, order: f64, mut each: impl FnMut(usize, f64, f64, f64)) {
        for path in self.paths {
            let mut stock = self.pipeline.on_hand;
            for step in 0..self.lead + self.review {
                stock += self.pipeline.arrives(step) + if step == self.lead { order } else { 0.0 };
                let (start, demand) = (stock, path[step].max(0.0));
                stock -= demand;
                each(step, start, demand, stock);
                if self.unmet == Unmet::Lost {
                    stock = stock.max(0.0);
                }
            }
        }
    }

    fn count(&self) -> f64 {
        self.paths.len().max(1) as f64
    }
}

impl Cycle for Simulated<'_> {
    fn outlook(&self, order: f64) -> Outlook {
        let (mut out, mut is_out, mut outlook) = (0.0, false, Outlook::default());
        let last = self.lead + self.review - 1;
        self.run(order, |step, start, _, left| {
            if step < self.lead {
                return;
            }
            // What was owed before was not met before.
            let owed = if self.unmet == Unmet::Lost { 0.0 } else { (-start).max(0.0) };
            let missed = (-left).max(0.0) - owed;
            is_out |= missed > 0.0;
            outlook.unmet += missed;
            outlook.short += (-left).max(0.0);
            outlook.left += left.max(0.0);
            if step == last {
                out += f64::from(u8::from(is_out));
                is_out = false;
            }
        });
        let n = self.count();
        Outlook { met: 1.0 - out / n, unmet: outlook.unmet / n, short: outlook.short / n, left: outlook.left / n }
    }

    fn demand(&self) -> f64 {
        let steps = self.lead..self.lead + self.review;
        self.paths.iter().flat_map(|path| &path[steps.clone()]).map(|demand| demand.max(0.0)).sum::<f64>()
            / self.count()
    }

    fn steps(&self, order: f64) -> Vec<Step> {
        let mut steps = vec![Step::default(); self.lead + self.review];
        self.run(order, |step, start, demand, left| {
            let sums = &mut steps[step];
            sums.start += start;
            sums.mean += demand;
            sums.left += left.max(0.0);
            sums.short += (-left).max(0.0);
        });
        for (place, step) in steps.iter_mut().enumerate() {
            let n = self.count();
            let arrives = self.pipeline.arrives(place) + if place == self.lead { order } else { 0.0 };
            *step = Step {
                arrives,
                start: step.start / n,
                mean: step.mean / n,
                left: step.left / n,
                short: step.short / n,
            };
        }
        steps
    }
}
