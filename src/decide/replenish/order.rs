//! How much makes a pipeline of stock reach its target, under lost sales or backorders?
//!
//! An order of now arrives after the lead time L, at the start of step L + 1, and the next one R steps later: it is for the steps
//! L + 1 to L + R. Until then the stock runs down by what is demanded and rises by what is in transit.
//!
//! - **Lost sales.** xⱼ = (xⱼ₋₁ + aⱼ − Dⱼ)⁺: what is short does not come back. The stock that is left is projected through all
//!   steps, and the order is the smallest q whose target holds over its distribution: P(D ≤ x + q) ≥ service level, the share of
//!   demand met ≥ fill rate, or one more unit no longer lowers the expected cost. An order-up-to level on the position (the rule
//!   for backorders) would count sales that are lost as if they had used up stock, and order too much.
//! - **Backorders.** The net stock is position + q less demand: the same targets on the distribution over lead time and review.
//!
//! Independent counts are projected exactly, by convolution; every other forecast on its joint sample paths, which keep the
//! dependence between steps. Lead times that vary are drawn path by path, that of the order and that of the next one. Expected
//! costs are those of the steps that the order is for: holding what is left at the end of a step, what is short, and what of the
//! stock at hand spoils before it is sold, also later.
//!
//! References: Karlin & Scarf 1958 and Zipkin 2008, *Operations Research* 56 (lost sales with lead times); Silver, Pyke & Thomas
//! 2017, chapter 7.
//!
//! Fails where leftovers matter beyond the next order: the rule looks one order ahead, so that in a falling season a service
//! level below the critical ratio is cheaper; simulated past orders tell by how much (`choose.rs`). In the steps of a review
//! period, what is in transit counts from the step it arrives.

use super::percent;
use super::policy::{LeadTimes, Lots, Unmet};
use super::shelf::Shelf;
use crate::decide::stock::{Demand as Distribution, OrderRule};
use crate::error::Result;
use crate::show::number;
use crate::statistics::NegativeBinomial;

/// More units than this are projected on paths: convolutions take their square.
const MOST_UNITS: f64 = 4000.0;
/// No order is larger.
const LARGEST: f64 = 1e12;
/// Smaller orders that are compared where all orders share a limit.
const SMALLER: usize = 48;
/// What spreads numbers evenly over an interval: the golden ratio and the plastic number's square, as fractions.
const SPREAD: [f64; 2] = [0.618_033_988_749_895, 0.754_877_666_246_693];

/// What is on the shelf, and what arrives at the start of the first, second … step.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    pub shelf: Shelf,
    pub arrivals: Vec<f64>,
}

/// When an order arrives and how many steps later the next one is placed.
pub(super) struct Timing<'a> {
    pub lead: &'a LeadTimes,
    pub review: usize,
    pub unmet: Unmet,
}

/// Demand, step by step.
#[derive(Clone, Copy)]
pub(super) enum Demand<'a> {
    /// Independent negative binomial counts: their means and standard deviations.
    Counts(&'a [f64], &'a [f64]),
    /// Joint sample paths.
    Paths(&'a [Vec<f64>]),
    /// Means alone, and the standard deviation of one step: normal, and √n times as much over n steps; none for a point forecast.
    Formula(&'a [f64], f64),
}

impl Demand<'_> {
    /// The mean of a step, over the first so many.
    fn per_step(&self, steps: usize) -> f64 {
        let of = |means: &[f64]| {
            let first = &means[..steps.min(means.len())];
            first.iter().sum::<f64>() / first.len().max(1) as f64
        };
        match self {
            Self::Counts(means, _) | Self::Formula(means, _) => of(means),
            Self::Paths(paths) => paths.iter().map(|path| of(path)).sum::<f64>() / paths.len().max(1) as f64,
        }
    }
}

/// What an order is to achieve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Target {
    /// The probability that all demand is met.
    Service(f64),
    /// The share of demand that is met.
    FillRate(f64),
    /// Stock and orders together are so many steps of expected demand.
    Cover(f64),
    /// The least expected cost.
    Cost,
}

impl Target {
    /// What it says, in words: `a fill rate of 95 %`.
    pub fn words(self) -> String {
        match self {
            Self::Service(level) => format!("a cycle service of {}", percent(level)),
            Self::FillRate(rate) => format!("a fill rate of {}", percent(rate)),
            Self::Cover(steps) => format!("a cover of {} steps", number(steps)),
            Self::Cost => "the least expected cost".into(),
        }
    }

    /// Its number; none where it is the cost.
    pub fn level(self) -> Option<f64> {
        match self {
            Self::Service(level) | Self::FillRate(level) | Self::Cover(level) => Some(level),
            Self::Cost => None,
        }
    }

    /// Is the other one of the same kind?
    pub fn is_like(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

/// What a unit costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Costs {
    /// Held for a step.
    pub holding: f64,
    /// Short.
    pub shortage: f64,
    /// Thrown away.
    pub waste: f64,
}

/// What an order is to achieve, what units cost as far as it is known, and which orders can be placed.
pub(super) struct Goal<'a> {
    pub target: Target,
    pub costs: Option<Costs>,
    pub rule: &'a OrderRule,
    pub lots: Lots,
    /// The lot of `fixed` and `minmax`.
    pub lot: f64,
}

/// An order with what is expected of it.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// Units to order: what a supplier accepts.
    pub quantity: f64,
    /// What would be needed without packs, lots and limits; below zero where there is more than enough.
    pub ideal: f64,
    /// On hand and on the way, less what is owed.
    pub position: f64,
    /// The probability that some demand is not met in the steps that the order is for.
    pub p_out: f64,
    /// The expected cost of these steps.
    pub cost: Option<f64>,
    /// Units of what is at hand that are expected to spoil.
    pub wasted: f64,
    /// What is expected of each step until the next order arrives.
    pub steps: Vec<Step>,
    /// Smaller orders and what they forgo (cost, or units short), the smallest first; asked for where all share a limit.
    pub smaller: Vec<(f64, f64)>,
}

/// What is expected of a step.
#[derive(Clone, Copy, Debug, Default)]
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
    wasted: f64,
}

impl Outlook {
    fn cost(&self, costs: &Costs) -> f64 {
        costs.holding * self.left + costs.shortage * self.short + costs.waste * self.wasted
    }
}

/// How an order is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ask {
    /// The one that reaches the target.
    Best,
    /// The same, without what is expected of each step.
    Quick,
    /// The same, and what smaller ones would forgo.
    WithSmaller,
    /// This one.
    Quantity(f64),
}

/// The order of a pipeline; none where the demand cannot be projected in this way, or no order of a countable size reaches the
/// target.
pub(super) fn order(demand: Demand, pipeline: &Pipeline, timing: &Timing, goal: &Goal, ask: Ask) -> Option<Order> {
    let cycle: Box<dyn Cycle> = match demand {
        Demand::Counts(means, sds) if Exact::serves(pipeline, timing) => {
            Box::new(Exact::of(means, sds, pipeline, timing.lead.longest())?)
        }
        Demand::Counts(..) => return None,
        Demand::Paths(paths) if Sorted::serves(pipeline, timing) => Box::new(Sorted::of(paths, pipeline, timing)),
        Demand::Paths(paths) => Box::new(Simulated::of(paths, pipeline, timing)),
        Demand::Formula(means, sd) => Box::new(Formula::of(means, sd, pipeline, timing).ok()?),
    };
    let mean = cycle.demand();
    let position = pipeline.position();
    let step = demand.per_step(timing.lead.longest() + timing.review);
    let enough = |q: f64| match (goal.target, &goal.costs) {
        (Target::Service(level), _) => cycle.outlook(q).met >= level,
        (Target::FillRate(rate), _) => cycle.outlook(q).unmet <= (1.0 - rate) * mean,
        (Target::Cover(steps), _) => position + q >= steps * step,
        (Target::Cost, Some(costs)) => cycle.outlook(q + 1.0).cost(costs) >= cycle.outlook(q).cost(costs),
        (Target::Cost, None) => true,
    };
    let ideal = smallest(-position - 1.0, enough)?;
    let quantity = match ask {
        Ask::Quantity(quantity) => quantity,
        _ => goal.quantity(ideal, |q, costs| cycle.outlook(q).cost(costs))?,
    };
    let forgone = |q: f64| {
        let outlook = cycle.outlook(q);
        (q, goal.costs.map_or(outlook.unmet, |costs| outlook.cost(&costs)))
    };
    let smaller = match ask {
        Ask::WithSmaller => goal.smaller(quantity).into_iter().map(forgone).collect(),
        _ => Vec::new(),
    };
    let outlook = cycle.outlook(quantity);
    Some(Order {
        quantity,
        ideal,
        position,
        p_out: (1.0 - outlook.met).clamp(0.0, 1.0),
        cost: goal.costs.map(|costs| outlook.cost(&costs)),
        wasted: outlook.wasted,
        steps: if ask == Ask::Quick { Vec::new() } else { cycle.steps(quantity) },
        smaller,
    })
}

impl Goal<'_> {
    /// What is ordered where so much is needed.
    fn quantity(&self, ideal: f64, cost: impl Fn(f64, &Costs) -> f64) -> Option<f64> {
        let need = ideal.max(0.0);
        let wanted = match self.lots {
            _ if need == 0.0 => 0.0,
            Lots::Any => need,
            Lots::Fixed => self.lot * (need / self.lot).ceil(),
            // An order is due at s, one unit below the level that reaches the target, and brings the position up to S = s + lot.
            Lots::Minmax => need - 1.0 + self.lot,
        };
        let above = self.rule.round_up(wanted.ceil()).ok()?;
        Some(match (self.target, &self.costs, self.lots) {
            // Rounding up is not always right: a pack for a need of two can cost more than the two.
            (Target::Cost, Some(costs), Lots::Any) => {
                let below = self.rule.down(need);
                if cost(above, costs) < cost(below, costs) { above } else { below }
            }
            _ => above,
        })
    }

    /// Orders from none to this one that can be placed.
    fn smaller(&self, quantity: f64) -> Vec<f64> {
        let step = (quantity / SMALLER as f64).ceil().max(1.0);
        let mut orders = vec![0.0];
        for part in 1..=SMALLER {
            let order = self.rule.down((part as f64 * step).min(quantity));
            if orders.last().is_none_or(|last| order > *last) {
                orders.push(order);
            }
        }
        if orders.last().is_none_or(|last| quantity > *last) {
            orders.push(quantity);
        }
        orders
    }
}

/// The smallest whole number from `least` on from which on `enough` holds.
fn smallest(least: f64, enough: impl Fn(f64) -> bool) -> Option<f64> {
    let (mut low, mut step) = (least.floor() - 1.0, 1.0);
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
    pub fn position(&self) -> f64 {
        self.shelf.net() + self.arrivals.iter().sum::<f64>()
    }

    /// What arrives at the start of a step, counted from 0.
    pub fn arrives(&self, step: usize) -> f64 {
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
    /// One step that an order is for, whole units that last, and sales that are lost.
    fn serves(pipeline: &Pipeline, timing: &Timing) -> bool {
        let whole = |units: f64| units.fract() == 0.0 && units >= 0.0;
        timing.review == 1
            && timing.unmet == Unmet::Lost
            && timing.lead.is_certain()
            && pipeline.shelf.life().is_none()
            && whole(pipeline.shelf.net())
            && pipeline.arrivals.iter().all(|units| whole(*units))
    }

    fn of(means: &[f64], sds: &[f64], pipeline: &Pipeline, lead: usize) -> Option<Self> {
        let (mean, sd) = (*means.get(lead)?, *sds.get(lead)?);
        let most = (mean + 12.0 * sd + 15.0).ceil();
        let units = pipeline.shelf.net() + (0..=lead).map(|step| pipeline.arrives(step)).sum::<f64>();
        if most > MOST_UNITS || units > MOST_UNITS {
            return None;
        }
        let mut stock = shifted(&[1.0], pipeline.shelf.net());
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
        Outlook { met, unmet: short, short, left: left.max(0.0), wasted: 0.0 }
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
    pipeline: &'a Pipeline,
    unmet: Unmet,
    runs: Vec<Run<'a>>,
    /// Steps until the next order arrives at the latest.
    until: usize,
}

/// One path: demand, when the order arrives and when the next one does, and the stock before the order.
struct Run<'a> {
    demand: &'a [f64],
    from: usize,
    until: usize,
    shelf: Shelf,
}

impl<'a> Simulated<'a> {
    fn of(paths: &'a [Vec<f64>], pipeline: &'a Pipeline, timing: &Timing) -> Self {
        let run = |(place, path): (usize, &'a Vec<f64>)| {
            let draw = |spread: f64| timing.lead.at((0.5 + (place + 1) as f64 * spread).fract());
            let (from, next) = (draw(SPREAD[0]), draw(SPREAD[1]));
            let until = (timing.review + next).max(from + 1);
            let mut shelf = pipeline.shelf.clone();
            for step in 0..from {
                shelf.step(pipeline.arrives(step), at(path, step), timing.unmet);
            }
            Run { demand: path, from, until, shelf }
        };
        let runs: Vec<Run> = paths.iter().enumerate().map(run).collect();
        let until = runs.iter().map(|run| run.until).max().unwrap_or(1);
        Self { pipeline, unmet: timing.unmet, runs, until }
    }

    fn count(&self) -> f64 {
        self.runs.len().max(1) as f64
    }
}

/// Demand of a step; beyond the last one it stays as it is.
fn at(path: &[f64], step: usize) -> f64 {
    path.get(step).or(path.last()).copied().unwrap_or(0.0).max(0.0)
}

impl Cycle for Simulated<'_> {
    fn outlook(&self, order: f64) -> Outlook {
        let mut outlook = Outlook::default();
        for run in &self.runs {
            let (mut shelf, mut is_out) = (run.shelf.clone(), false);
            // Less than nothing is ordered where less stock than there is would do.
            shelf.promise((-order).max(0.0));
            for step in run.from..run.until {
                let arrives = self.pipeline.arrives(step) + if step == run.from { order.max(0.0) } else { 0.0 };
                let played = shelf.step(arrives, at(run.demand, step), self.unmet);
                let short = match self.unmet {
                    Unmet::Lost => played.missed + played.owed,
                    Unmet::Backordered => played.owed,
                };
                is_out |= played.missed > 0.0 || (self.unmet == Unmet::Lost && played.owed > 0.0);
                outlook.unmet += if self.unmet == Unmet::Lost { short } else { played.missed };
                outlook.short += short;
                outlook.left += played.left;
                outlook.wasted += played.wasted;
            }
            // What is sold last of it may spoil only later; orders that follow do not change that, as the oldest is sold first.
            for step in run.until..run.from + shelf.life().unwrap_or(0) {
                outlook.wasted += shelf.step(0.0, at(run.demand, step), Unmet::Lost).wasted;
            }
            outlook.met += f64::from(u8::from(!is_out));
        }
        let n = self.count();
        Outlook {
            met: outlook.met / n,
            unmet: outlook.unmet / n,
            short: outlook.short / n,
            left: outlook.left / n,
            wasted: outlook.wasted / n,
        }
    }

    fn demand(&self) -> f64 {
        let of = |run: &Run| (run.from..run.until).map(|step| at(run.demand, step)).sum::<f64>();
        self.runs.iter().map(of).sum::<f64>() / self.count()
    }

    fn steps(&self, order: f64) -> Vec<Step> {
        let (mut steps, n) = (vec![Step::default(); self.until], self.count());
        for run in &self.runs {
            let mut shelf = self.pipeline.shelf.clone();
            for (place, sums) in steps.iter_mut().enumerate() {
                let arrives = self.pipeline.arrives(place) + if place == run.from { order } else { 0.0 };
                let demand = at(run.demand, place);
                let played = shelf.step(arrives, demand, self.unmet);
                sums.arrives += arrives / n;
                sums.start += played.start / n;
                sums.mean += demand / n;
                sums.left += played.left / n;
                sums.short += if self.unmet == Unmet::Lost { played.missed } else { played.owed } / n;
            }
        }
        steps
    }
}

/// One step after a certain lead time, on joint sample paths under lost sales: what each path lacks without an order, sorted, so that
/// every order is judged at once.
struct Sorted<'a> {
    runs: Simulated<'a>,
    /// Demand less stock, ascending, and the sum of each and all above it.
    lacks: Vec<f64>,
    above: Vec<f64>,
    demand: f64,
}

impl<'a> Sorted<'a> {
    fn serves(pipeline: &Pipeline, timing: &Timing) -> bool {
        timing.review == 1 && timing.unmet == Unmet::Lost && timing.lead.is_certain() && pipeline.shelf.life().is_none()
    }

    fn of(paths: &'a [Vec<f64>], pipeline: &'a Pipeline, timing: &Timing) -> Self {
        let runs = Simulated::of(paths, pipeline, timing);
        let lack = |run: &Run| at(run.demand, run.from) - run.shelf.net() - pipeline.arrives(run.from);
        let mut lacks: Vec<f64> = runs.runs.iter().map(lack).collect();
        lacks.sort_by(f64::total_cmp);
        let mut above = lacks.clone();
        for place in (1..above.len()).rev() {
            above[place - 1] += above[place];
        }
        Self { demand: runs.demand(), runs, lacks, above }
    }
}

impl Cycle for Sorted<'_> {
    fn outlook(&self, order: f64) -> Outlook {
        let n = self.runs.count();
        let met = self.lacks.partition_point(|lack| *lack <= order);
        let missing = self.above.get(met).map_or(0.0, |sum| sum - order * (self.lacks.len() - met) as f64);
        let short = (missing / n).max(0.0);
        let left = order - self.above.first().map_or(0.0, |sum| sum / n) + short;
        Outlook { met: met as f64 / n, unmet: short, short, left: left.max(0.0), wasted: 0.0 }
    }

    fn demand(&self) -> f64 {
        self.demand
    }

    fn steps(&self, order: f64) -> Vec<Step> {
        self.runs.steps(order)
    }
}

/// The textbook's formula: demand over lead time and review period is normal, and the order brings the position up to a level.
struct Formula<'a> {
    means: &'a [f64],
    pipeline: &'a Pipeline,
    lead: Distribution,
    all: Distribution,
    review: usize,
    until: usize,
    unmet: Unmet,
}

impl<'a> Formula<'a> {
    fn of(means: &'a [f64], sd: f64, pipeline: &'a Pipeline, timing: &Timing) -> Result<Self> {
        let (lead, variance) = timing.lead.moments();
        let until = timing.lead.longest() + timing.review;
        let mean = (0..until).map(|step| at(means, step)).sum::<f64>() / until.max(1) as f64;
        let over = |steps: f64, total: f64| {
            Distribution::normal(total, (steps * sd * sd + if sd > 0.0 { mean * mean * variance } else { 0.0 }).sqrt())
        };
        let all = lead + timing.review as f64;
        let total: f64 = match timing.lead.is_certain() {
            true => (0..all as usize).map(|step| at(means, step)).sum(),
            false => mean * all,
        };
        Ok(Self {
            means,
            pipeline,
            // The formula knows no seasons: its demand is the same in every step, also where the next one is a closed day.
            lead: over(lead, total * lead / all)?,
            all: over(all, total)?,
            review: timing.review,
            until,
            unmet: timing.unmet,
        })
    }
}

impl Cycle for Formula<'_> {
    fn outlook(&self, order: f64) -> Outlook {
        let level = self.pipeline.position() + order;
        let short = self.all.expected_shortage(level);
        let before = match self.unmet {
            Unmet::Backordered => self.lead.expected_shortage(level),
            Unmet::Lost => 0.0,
        };
        let (steps, during) = (self.review as f64, self.demand());
        let left = (level - self.all.mean() + short).max(0.0);
        Outlook {
            met: self.all.cdf(level),
            unmet: (short - before).max(0.0),
            short,
            left: steps * left + during * (steps - 1.0) / 2.0,
            wasted: 0.0,
        }
    }

    fn demand(&self) -> f64 {
        (self.all.mean() - self.lead.mean()).max(0.0)
    }

    fn steps(&self, order: f64) -> Vec<Step> {
        let mut shelf = self.pipeline.shelf.clone();
        let step = |place: usize| {
            let arrives = self.pipeline.arrives(place) + if place + self.review == self.until { order } else { 0.0 };
            let mean = at(self.means, place);
            let played = shelf.step(arrives, mean, self.unmet);
            Step { arrives, start: played.start, mean, left: played.left, short: played.missed }
        };
        (0..self.until).map(step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::policy::StockPolicy;
    use super::*;

    /// What is judged at once is what is judged path by path.
    #[test]
    fn sorted_paths_are_simulated_paths() {
        let paths: Vec<Vec<f64>> = (0..200_i32)
            .map(|k| (0..3).map(|step| f64::from((k * 37 + step * 11) % 23) * f64::from(k % 3)).collect())
            .collect();
        let pipeline = Pipeline { shelf: Shelf::new(9.0, None), arrivals: vec![4.0, 0.0, 7.0] };
        let lead = StockPolicy { lead_time: 2, ..StockPolicy::default() }.lead_times(2).unwrap();
        let timing = Timing { lead: &lead, review: 1, unmet: Unmet::Lost };
        let (sorted, simulated) = (Sorted::of(&paths, &pipeline, &timing), Simulated::of(&paths, &pipeline, &timing));
        for order in -25..60 {
            let order = f64::from(order) / 1.5;
            let (one, other) = (sorted.outlook(order), simulated.outlook(order));
            let pairs =
                [(one.met, other.met), (one.unmet, other.unmet), (one.short, other.short), (one.left, other.left)];
            assert!(pairs.iter().all(|(a, b)| (a - b).abs() < 1e-9), "{order}: {pairs:?}");
        }
    }
}
