//! What was the demand of steps in which an item could not always be sold? Estimated from the steps before and after,
//! from what was sold in the step itself, and from what its siblings sold in the same step, with its uncertainty.
//!
//! Demand of series i in step t has the mean μ = exp(ηᵢₜ + Σ log R) and the dispersion aᵢ: variance μ + aμ² for counts,
//! aμ² for other sales. ηᵢₜ is the log level of the series, a random walk that is smoothed from both sides ([`level`]);
//! the factors R are what a group of series has in common in a step, over all series, then within each grouping, then
//! the series' own season:
//!
//! R_gt = (Σ w s + k c_gt) / (Σ w μ + k), with c_gt = (Σ' w s + k') / (Σ' w μ + k') over the same place of other
//! seasons, w = 1/(1 + aμ).
//!
//! The sums leave out the series for which the factor is used, so that no step explains itself. k and k' come from how
//! much more the factors vary than chance lets them (moments), dispersions from the errors of estimates that leave out
//! their own step, the drift of the levels, a multiple of a, from the likelihood of these estimates. They are made to
//! add up to known demand: all of them together, and those of a series the more, the more series differ beyond chance,
//! because a level is that of most steps, and few steps may make most of the sales. A step of which only a lower bound is known takes part with its expected demand (the EM
//! algorithm).
//!
//! What could not be sold in a share 1 − e of the step has, given what was sold, the mean (1 − e)μ(r + s)/(r + eμ):
//! much sold in little time says that the step was a strong one. Where the moment is unknown, demand is that beyond s
//! ([`beyond`]).
//!
//! The variance of a total takes errors together that belong together: levels by the covariances of the random walk,
//! factors over all series of their group, what a series adds up to over its steps, and what all series miss in the same
//! step, as far as hidden steps are not spread as the known ones are, over which this cancels. Fails where being sold out depends on demand
//! and nothing was recorded of how much or how long something was sold: then the steps that are seen are the weak ones,
//! and no method can tell from sales alone.

mod beyond;
mod level;

use std::collections::BTreeMap;

use rayon::prelude::*;

use beyond::{Beyond, beyond, quantile, quantile_beyond};
pub(crate) use level::Cell;
use level::{Path, Spread, Walk};

use crate::error::Result;

/// Times that levels, dispersions and factors are estimated in turn.
const ROUNDS: usize = 4;
/// Drifts that are tried first, in multiples of the dispersion.
const DRIFTS: [f64; 6] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3];
/// Series whose likelihood chooses the drift.
const SAMPLE: usize = 300;
/// The dispersion before any estimate.
const DISPERSION: f64 = 0.3;
/// The dispersions that are believed.
const BELIEVED: (f64, f64) = (1e-4, 20.0);
/// The weight of the dispersion of series of about the same size, in steps.
const PRIOR: f64 = 10.0;
/// The least relative variance of a factor, which bounds the weight of its prior.
const LEAST_VARIANCE: f64 = 1e-4;
/// The least level of a series, in typical levels.
const LEAST_LEVEL: f64 = 1e-3;
/// The least factor.
const LEAST_FACTOR: f64 = 0.02;
/// The prior variance of log levels is at least this.
const LEAST_PRIOR: f64 = 0.25;
/// From so many steps on a season is that of a year, whose neighbouring steps count half.
const LONG: usize = 26;
/// Cells of a grouping's sums at most; a finer grouping is left out.
const MOST: usize = 20_000_000;

/// What was sold on common steps.
pub(crate) struct Sales {
    /// By series, from its first step on.
    pub cells: Vec<Vec<Cell>>,
    /// The common step of the first cell of each series.
    pub first: Vec<usize>,
    /// The group of each series, by grouping, the coarsest first; all series together are a grouping of their own.
    pub groupings: Vec<Vec<usize>>,
    /// Steps of a season, at most 1 without one.
    pub season: usize,
    /// The series in the order in which they are summed.
    pub order: Vec<usize>,
}

/// The demand of a step in which the item could not always be sold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepDemand {
    /// The step of the series.
    pub step: usize,
    pub sold: f64,
    /// Mean and variance of what could not be sold.
    pub lost: f64,
    variance: f64,
    /// Mean and dispersion of demand where only a bound is known.
    bound: Option<(f64, f64)>,
    counts: bool,
}

/// A mean and a variance of what could not be sold, of many steps.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lost {
    pub mean: f64,
    pub variance: f64,
    counts: bool,
}

/// What could not be sold.
pub(crate) struct Estimates {
    /// By series, the steps in which it could not always be sold.
    pub steps: Vec<Vec<StepDemand>>,
    pub series: Vec<Lost>,
    pub total: Lost,
}

impl StepDemand {
    /// The interval that holds the step's demand with this probability.
    pub fn interval(&self, level: f64) -> (f64, f64) {
        let (low, high) = ((1.0 - level) / 2.0, (1.0 + level) / 2.0);
        if let Some((mean, a)) = self.bound {
            let at = |p: f64| quantile_beyond(p, mean, a, self.sold, self.counts);
            // Of counts the least is likely: nothing is left below it.
            return if self.counts { (self.sold, at(level)) } else { (at(low), at(high)) };
        }
        let (from, to) = ends(self.lost, self.variance, (low, high, level), self.counts);
        (self.sold + from, self.sold + to)
    }
}

impl Lost {
    /// The interval that holds it with this probability.
    pub fn interval(&self, level: f64) -> (f64, f64) {
        ends(self.mean, self.variance, ((1.0 - level) / 2.0, (1.0 + level) / 2.0, level), self.counts)
    }
}

/// Equal tails; where nothing is below the lower end, the whole rest is above the upper one.
fn ends(mean: f64, variance: f64, (low, high, level): (f64, f64, f64), counts: bool) -> (f64, f64) {
    let from = quantile(low, mean, variance, counts);
    let upper = if counts && from == 0.0 { level } else { high };
    (from, quantile(upper, mean, variance, counts))
}

/// A series in the making.
struct Series {
    path: Path,
    /// The log factors of its steps, by grouping, its own season last; and their variances.
    logs: Vec<Vec<f64>>,
    vague: Vec<Vec<f64>>,
    /// The sum of its log factors.
    factors: Vec<f64>,
    spread: Spread,
    /// What its estimates are multiplied by so that they come closer to its known demand, and the variance of its log.
    scale: (f64, f64),
    /// Is anything known of it?
    known: bool,
}

/// Estimates that leave out their own step, and what is known or expected of the demand of the step.
struct Left {
    mean: Vec<f64>,
    variance: Vec<f64>,
    demand: Vec<f64>,
    /// The variance of that, where only a bound is known; NaN where nothing is.
    doubt: Vec<f64>,
}

impl Left {
    /// The steps of which something is known.
    fn known(&self) -> impl Iterator<Item = usize> {
        (0..self.mean.len()).filter(|t| !self.doubt[*t].is_nan())
    }

    /// Demand of the known steps, and the sum of their estimates.
    fn sums(&self) -> (f64, f64) {
        self.known().fold((0.0, 0.0), |(a, b), t| (a + self.demand[t], b + self.mean[t]))
    }

    fn multiply(&mut self, factor: f64) {
        self.mean.iter_mut().for_each(|mean| *mean *= factor);
    }
}

struct Work<'a> {
    sales: &'a Sales,
    series: Vec<Series>,
    counts: bool,
    start: (f64, f64),
    drift: f64,
    /// What estimates are multiplied by so that they add up to known demand.
    scale: f64,
    /// The groupings of several series each.
    groupings: Vec<(Vec<usize>, usize)>,
    steps: usize,
}

/// Estimates the demand of all steps in which something may not have been sold.
///
/// # Errors
/// When the work is interrupted.
pub(crate) fn estimate(sales: &Sales) -> Result<Estimates> {
    let mut work = Work::of(sales);
    for round in 0..ROUNDS {
        crate::progress::check()?;
        match round {
            0 => work.choose_drift(&DRIFTS, 6),
            1 => work.choose_drift(&[work.drift / 2.0, work.drift, work.drift * 2.0], 4),
            _ if round + 1 == ROUNDS => work.choose_drift(&[work.drift / 2.0, work.drift, work.drift * 2.0], 4),
            _ => {}
        }
        work.smooth(if round == 0 { 8 } else { 5 });
        let left = work.left_out(1);
        work.disperse(&left);
        for grouping in 0..=work.groupings.len() {
            crate::progress::check()?;
            work.factor(grouping, &left);
        }
    }
    work.smooth(25);
    let mut left = work.left_out(3);
    work.weigh(&mut left);
    Ok(work.estimates(&left))
}

impl<'a> Work<'a> {
    fn of(sales: &'a Sales) -> Self {
        let whole = |cell: &Cell| cell.sold().fract() == 0.0;
        let counts = sales.cells.iter().flatten().all(whole);
        let sums: Vec<(f64, f64)> = sales.cells.iter().map(|cells| cells.iter().fold((0.0, 0.0), seen)).collect();
        let logs: Vec<f64> = (sales.order.iter().map(|i| sums[*i]))
            .filter(|(sold, time)| *sold > 0.0 && *time > 0.0)
            .map(|(sold, time)| (sold / time).ln())
            .collect();
        // Where nothing was ever sold, half a unit was nearly sold.
        let time: f64 = sales.order.iter().map(|i| sums[*i].1).sum();
        let typical = if logs.is_empty() { 0.5 / time.max(1.0) } else { mean(&logs).exp() };
        let level = |(sold, time): (f64, f64)| ((sold + 0.5 * typical) / (time + 0.5)).max(LEAST_LEVEL * typical).ln();
        let levels: Vec<f64> = sums.iter().map(|sums| level(*sums)).collect();
        let there: Vec<f64> = sales.order.iter().filter(|i| sums[**i].1 > 0.0).map(|i| levels[*i]).collect();
        let middle = if there.is_empty() { typical.ln() } else { mean(&there) };
        let around = mean(&there.iter().map(|level| (level - middle).powi(2)).collect::<Vec<_>>());
        let steps = sales.cells.iter().zip(&sales.first).map(|(cells, first)| first + cells.len()).max().unwrap_or(0);
        let mut groupings = Vec::new();
        if sales.cells.len() > 1 {
            let all = std::iter::once(vec![0; sales.cells.len()]).chain(sales.groupings.iter().cloned());
            for of in all {
                let groups = of.iter().max().map_or(0, |last| last + 1);
                if groups * steps <= MOST {
                    groupings.push((of, groups));
                }
            }
        }
        let one = |(i, cells): (usize, &Vec<Cell>)| Series {
            path: Path { eta: vec![levels[i]; cells.len()], ..Path::default() },
            logs: vec![vec![0.0; cells.len()]; groupings.len() + 1],
            vague: vec![vec![0.0; cells.len()]; groupings.len() + 1],
            factors: vec![0.0; cells.len()],
            spread: Spread {
                counts,
                a: DISPERSION,
                unit: if counts { 1.0 } else { DISPERSION / 2.0 * levels[i].exp() },
            },
            scale: (1.0, 0.0),
            known: sums[i].1 > 0.0 || cells.iter().any(|cell| matches!(cell, Cell::AtLeast(_))),
        };
        let series = sales.cells.iter().enumerate().map(one).collect();
        let start = (middle, 1.0 / around.max(LEAST_PRIOR));
        Self { sales, series, counts, start, drift: 0.03, scale: 1.0, groupings, steps }
    }

    fn walk(&self, series: &Series) -> Walk {
        Walk { drift: self.drift * series.spread.a, start: self.start }
    }

    fn smooth(&mut self, rounds: usize) {
        let (drift, start, sales) = (self.drift, self.start, self.sales);
        self.series.par_iter_mut().zip(&sales.cells).filter(|(one, _)| one.known).for_each(|(one, cells)| {
            let walk = Walk { drift: drift * one.spread.a, start };
            let Series { path, factors, spread, .. } = one;
            path.refine(cells, factors, *spread, walk, rounds, 1e-7);
        });
    }

    /// The drift under which steps are the most probable, given all others.
    fn choose_drift(&mut self, drifts: &[f64], rounds: usize) {
        let known: Vec<usize> = self.sales.order.iter().copied().filter(|i| self.series[*i].known).collect();
        let every = known.len().div_ceil(SAMPLE).max(1);
        let sample: Vec<usize> = known.into_iter().step_by(every).collect();
        let mut best = (f64::NEG_INFINITY, self.drift);
        for drift in drifts {
            self.drift = *drift;
            let one = |i: &usize| {
                let (series, cells) = (&self.series[*i], &self.sales.cells[*i]);
                let mut path = Path { eta: series.path.eta.clone(), ..Path::default() };
                path.refine(cells, &series.factors, series.spread, self.walk(series), rounds, 1e-7);
                let likelihood = |(t, cell): (usize, &Cell)| match cell {
                    Cell::Sold(sold) => {
                        let (eta, variance) = path.without(t);
                        let mean = (eta + series.factors[t]).min(700.0).exp().max(1e-300);
                        log_density(*sold, mean, series.spread.a + variance, self.counts)
                    }
                    _ => 0.0,
                };
                cells.iter().enumerate().map(likelihood).sum::<f64>()
            };
            let each: Vec<f64> = sample.par_iter().map(one).collect();
            let sum: f64 = each.iter().sum();
            if sum > best.0 {
                best = (sum, *drift);
            }
        }
        self.drift = best.1;
    }

    /// Estimates of each step without the step, which add up to what is known; `rounds` of EM where bounds are.
    fn left_out(&mut self, rounds: usize) -> Vec<Left> {
        let (counts, sales) = (self.counts, self.sales);
        let one = |(series, cells): (&Series, &Vec<Cell>)| {
            let n = if series.known { cells.len() } else { 0 };
            let left = (0..n).map(|t| series.path.without(t));
            let (eta, variance): (Vec<f64>, Vec<f64>) = left.unzip();
            let mean = eta.iter().zip(&series.factors).map(|(eta, f)| (eta + f).min(700.0).exp()).collect();
            Left { mean, variance, demand: vec![0.0; n], doubt: vec![f64::NAN; n] }
        };
        let mut left: Vec<Left> = self.series.par_iter().zip(&sales.cells).map(one).collect();
        for _ in 0..rounds {
            let scale = self.scale;
            let sums: Vec<(f64, f64)> = (left.par_iter_mut().zip(&sales.cells).zip(&self.series))
                .map(|((left, cells), series)| {
                    let mut sums = (0.0, 0.0);
                    for (t, cell) in cells.iter().enumerate().take(left.mean.len()) {
                        (left.demand[t], left.doubt[t]) = match *cell {
                            Cell::Sold(sold) => (sold, 0.0),
                            Cell::AtLeast(sold) => {
                                let a = series.spread.a + left.variance[t];
                                let beyond = beyond(scale * left.mean[t], a, sold, counts);
                                (beyond.mean, beyond.variance)
                            }
                            Cell::Part { sold, share } => {
                                let spread = series.spread.and(left.variance[t]);
                                let (lost, noise, _) = unsold(scale * left.mean[t], sold, share, spread);
                                (sold + lost, noise)
                            }
                            _ => continue,
                        };
                        sums = (sums.0 + left.demand[t], sums.1 + left.mean[t]);
                    }
                    sums
                })
                .collect();
            let (demand, expected) = sales.order.iter().fold((0.0, 0.0), |(a, b), i| (a + sums[*i].0, b + sums[*i].1));
            self.scale = if demand > 0.0 && expected > 0.0 { demand / expected } else { 1.0 };
        }
        let scale = self.scale;
        left.par_iter_mut().for_each(|left| left.multiply(scale));
        left
    }

    /// The dispersions, by the errors of estimates that leave out their own step; those of series of about the same
    /// size draw them together.
    fn disperse(&mut self, left: &[Left]) {
        let counts = self.counts;
        let least = LEAST_LEVEL * self.start.0.exp();
        let height = |series: &Series| mean(&series.path.eta).exp().max(least);
        let one = |(left, series): (&Left, &Series)| {
            let height = height(series);
            let (mut errors, mut squares, mut level, mut sum, mut n) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for t in left.known() {
                let (mean, error) = (left.mean[t], left.demand[t] - left.mean[t]);
                errors += error * error + left.doubt[t] - if counts { mean } else { 0.0 };
                squares += if counts { mean * mean } else { mean * (mean + height) / 2.0 };
                level += left.variance[t] * mean * mean;
                (sum, n) = (sum + mean, n + 1.0);
            }
            // The variance of the level is in proportion to the dispersion: they share the errors as they did before.
            let was = series.spread.a * squares;
            let noise = if was + level > 0.0 { errors * was / (was + level) } else { 0.0 };
            let size = if n > 0.0 && sum > 0.0 { (sum / n).ln() } else { f64::NAN };
            (noise, squares, size, n)
        };
        let own: Vec<(f64, f64, f64, f64)> = left.iter().zip(&self.series).map(one).collect();
        let ratio = |noise: f64, squares: f64| if squares > 0.0 { noise / squares } else { 0.0 };
        let class = |size: f64| size.floor() as i64;
        let mut classes: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for i in self.sales.order.iter().filter(|i| !own[**i].2.is_nan()) {
            classes.entry(class(own[*i].2)).or_default().push(*i);
        }
        let typical = |members: &mut dyn Iterator<Item = &usize>| {
            if counts {
                let sums = members.fold((0.0, 0.0), |(a, b), i| (a + own[*i].0, b + own[*i].1));
                return ratio(sums.0, sums.1);
            }
            let mut each: Vec<f64> = members.map(|i| ratio(own[*i].0, own[*i].1)).collect();
            each.sort_by(f64::total_cmp);
            each.get(each.len() / 2).copied().unwrap_or(DISPERSION)
        };
        let believed = |a: f64| a.clamp(BELIEVED.0, BELIEVED.1);
        let by_class: BTreeMap<i64, f64> = (classes.keys())
            .map(|k| (*k, believed(typical(&mut classes.range(k - 1..=k + 1).flat_map(|(_, members)| members)))))
            .collect();
        let overall = believed(typical(&mut self.sales.order.iter().filter(|i| !own[**i].2.is_nan())));
        for (series, (noise, squares, size, n)) in self.series.iter_mut().zip(own) {
            let typical = by_class.get(&class(size)).copied().filter(|_| !size.is_nan()).unwrap_or(overall);
            // A step of few counts tells little of it.
            let told = if counts { (size.exp() * typical / (1.0 + size.exp() * typical)).powi(2) } else { 1.0 };
            let weight = if size.is_nan() { 0.0 } else { n * told };
            let a = believed((weight * ratio(noise, squares) + PRIOR * typical) / (weight + PRIOR));
            series.spread = Spread { counts, a, unit: if counts { 1.0 } else { a / 2.0 * height(series) } };
        }
    }

    /// Brings the estimates of each series closer to its known demand: the more, the more series differ beyond chance.
    fn weigh(&mut self, left: &mut [Left]) {
        // The relative error of a series, the variance that chance gives it, and its steps.
        let one = |(left, series): (&Left, &Series)| {
            let (demand, expected) = left.sums();
            let noise = |t: usize| (series.spread.variance(left.mean[t]) - left.doubt[t]).max(0.0);
            let chance: f64 = left.known().map(noise).sum();
            match expected > 0.0 {
                true => (demand / expected - 1.0, chance / (expected * expected), left.known().count() as f64),
                false => (0.0, 0.0, 0.0),
            }
        };
        let own: Vec<(f64, f64, f64)> = left.par_iter().zip(&self.series).map(one).collect();
        let (mut more, mut steps) = (0.0, 0.0);
        for (error, chance, n) in self.sales.order.iter().map(|i| own[*i]) {
            (more, steps) = (more + n * (error * error - chance), steps + n);
        }
        if more <= 0.0 {
            return;
        }
        let differ = more / steps;
        for ((series, left), (error, chance, _)) in self.series.iter_mut().zip(left.iter_mut()).zip(own) {
            let weight = differ / (differ + chance);
            series.scale = ((1.0 + weight * error).max(LEAST_FACTOR), weight * chance);
            left.multiply(series.scale.0);
        }
        let sums = self.sales.order.iter().map(|i| left[*i].sums());
        let (demand, expected) = sums.fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
        if demand > 0.0 && expected > 0.0 {
            self.scale *= demand / expected;
            left.iter_mut().for_each(|left| left.multiply(demand / expected));
        }
    }

    /// What the groups of a grouping have in common in each step; the last grouping is each series by itself, its own
    /// season.
    fn factor(&mut self, grouping: usize, left: &[Left]) {
        let (scale, season) = (self.scale, self.sales.season);
        let one = |i: usize| {
            let series = &self.series[i];
            let n = left[i].mean.len();
            let mut sums = (vec![0.0; n], vec![0.0; n]);
            let r = series.spread.r();
            for t in 0..n {
                let (sold, time) = match self.sales.cells[i][t] {
                    Cell::Sold(sold) => (sold, 1.0),
                    Cell::Part { sold, share } => (sold, share),
                    Cell::AtLeast(_) => (left[i].demand[t] / scale, 1.0),
                    Cell::Unknown | Cell::Hidden => continue,
                };
                let all = time * (series.path.eta[t] + series.factors[t]).min(700.0).exp() / series.spread.unit;
                let weight = 1.0 / (1.0 + all / r);
                sums.0[t] = weight * sold / series.spread.unit;
                sums.1[t] = weight * all * (-series.logs[grouping][t]).exp();
            }
            sums
        };
        let each: Vec<(Vec<f64>, Vec<f64>)> = (0..left.len()).into_par_iter().map(one).collect();
        let Some((of, groups)) = self.groupings.get(grouping) else { return self.own_season(&each) };
        let steps = self.steps;
        let mut sums = vec![(vec![0.0; steps], vec![0.0; steps]); *groups];
        for i in &self.sales.order {
            let (sold, expected) = &mut sums[of[*i]];
            let first = self.sales.first[*i];
            for (t, (a, b)) in each[*i].0.iter().zip(&each[*i].1).enumerate() {
                sold[first + t] += a;
                expected[first + t] += b;
            }
        }
        let seasons: Vec<(Vec<f64>, Vec<f64>)> =
            sums.par_iter().map(|(sold, expected)| (elsewhere(sold, season), elsewhere(expected, season))).collect();
        let prior = weight_of(seasons.iter().map(|(sold, expected)| excess(sold, expected, None)));
        let centre = |(sold, expected): &(Vec<f64>, Vec<f64>)| -> Vec<f64> {
            sold.iter().zip(expected).map(|(a, b)| (a + prior) / (b + prior)).collect()
        };
        let centres: Vec<Vec<f64>> = seasons.iter().map(centre).collect();
        let own = weight_of(sums.iter().zip(&centres).map(|((sold, expected), c)| excess(sold, expected, Some(c))));
        let (first, of) = (&self.sales.first, of.clone());
        self.series.par_iter_mut().enumerate().for_each(|(i, series)| {
            let (sold, expected) = &sums[of[i]];
            let centre = &centres[of[i]];
            for t in 0..series.factors.len() {
                let at = first[i] + t;
                let (mine, mine_expected) =
                    (each[i].0.get(t).copied().unwrap_or(0.0), each[i].1.get(t).copied().unwrap_or(0.0));
                let others = (expected[at] - mine_expected).max(0.0);
                let factor = ((sold[at] - mine).max(0.0) + own * centre[at]) / (others + own);
                series.set(grouping, t, factor, 1.0 / (others + own));
            }
        });
    }

    fn own_season(&mut self, each: &[(Vec<f64>, Vec<f64>)]) {
        let season = self.sales.season;
        if season < 2 {
            return;
        }
        let seasons: Vec<(Vec<f64>, Vec<f64>)> =
            each.par_iter().map(|(sold, expected)| (elsewhere(sold, season), elsewhere(expected, season))).collect();
        let prior = weight_of(self.sales.order.iter().map(|i| excess(&seasons[*i].0, &seasons[*i].1, None)));
        let last = self.groupings.len();
        self.series.par_iter_mut().zip(&seasons).for_each(|(series, (sold, expected))| {
            for t in 0..sold.len() {
                series.set(last, t, (sold[t] + prior) / (expected[t] + prior), 1.0 / (expected[t] + prior));
            }
        });
    }

    fn estimates(&self, left: &[Left]) -> Estimates {
        let counts = self.counts;
        // How much all series miss in the same step, relative to what is expected of them.
        let (mut errors, mut known) = (vec![0.0; self.steps], vec![0.0; self.steps]);
        for i in &self.sales.order {
            for t in left[*i].known() {
                let at = self.sales.first[*i] + t;
                errors[at] += left[*i].demand[t] - left[*i].mean[t];
                known[at] += left[*i].mean[t];
            }
        }
        let squares = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>();
        let common = if squares(&known) > 0.0 { squares(&errors) / squares(&known) } else { 0.0 };
        let each: Vec<(Vec<StepDemand>, Vec<f64>, Lost)> =
            (0..self.series.len()).into_par_iter().map(|i| self.lost(i)).collect();
        let mut total = Lost { counts, ..Lost::default() };
        for i in &self.sales.order {
            total.mean += each[*i].2.mean;
            total.variance += each[*i].2.variance;
        }
        for (grouping, (of, groups)) in self.groupings.iter().enumerate() {
            let mut sums = vec![0.0; groups * self.steps];
            for i in &self.sales.order {
                let (steps, slopes, _) = &each[*i];
                for (step, slope) in steps.iter().zip(slopes) {
                    let vague = self.series[*i].vague[grouping][step.step];
                    sums[of[*i] * self.steps + self.sales.first[*i] + step.step] += slope * vague.sqrt();
                }
            }
            total.variance += sums.iter().map(|sum| sum * sum).sum::<f64>();
        }
        // This cancels over the known steps: what counts is what weighs more among the hidden ones.
        let mut hidden = vec![0.0; self.steps];
        for i in &self.sales.order {
            each[*i].0.iter().for_each(|step| hidden[self.sales.first[*i] + step.step] += step.lost);
        }
        let part = total.mean / known.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let more: Vec<f64> = hidden.iter().zip(&known).map(|(hidden, known)| hidden - part * known).collect();
        total.variance += common * squares(&more);
        let mut estimates = Estimates { steps: Vec::new(), series: Vec::new(), total };
        for (i, (steps, slopes, mut lost)) in each.into_iter().enumerate() {
            let vague = &self.series[i].vague;
            let shared = |(step, slope): (&StepDemand, &f64)| {
                slope * slope * vague[..vague.len() - 1].iter().map(|vague| vague[step.step]).sum::<f64>()
            };
            lost.variance += steps.iter().zip(&slopes).map(shared).sum::<f64>();
            estimates.steps.push(steps);
            estimates.series.push(lost);
        }
        estimates
    }

    /// The steps of a series in which it could not always be sold; the derivative of what is lost in each by the log
    /// mean; and the sum, with the variance of what is the series' own: its noise, its level, its season, its scale.
    fn lost(&self, i: usize) -> (Vec<StepDemand>, Vec<f64>, Lost) {
        let (counts, series) = (self.counts, &self.series[i]);
        let mut sum = Lost { counts, ..Lost::default() };
        let (mut steps, mut slopes) = (Vec::new(), Vec::new());
        if !series.known {
            return (steps, slopes, sum);
        }
        let (spread, last) = (series.spread, self.groupings.len());
        // The covariance of all that was lost until now with the level of the step.
        let mut together = 0.0;
        let variance = &series.path.variance;
        for (t, cell) in self.sales.cells[i].iter().enumerate() {
            if t > 0 {
                together *= series.path.gain[t - 1] * variance[t] / variance[t - 1];
            }
            if !cell.is_censored() {
                continue;
            }
            let scale = self.scale * series.scale.0;
            let mean = scale * (series.path.eta[t] + series.factors[t]).min(700.0).exp();
            let vague: f64 = series.vague.iter().map(|vague| vague[t]).sum();
            let (lost, noise, slope, bound) = match *cell {
                Cell::AtLeast(sold) => {
                    let Beyond { mean: demand, variance, .. } = beyond(mean, spread.a, sold, counts);
                    let score = if counts { 1.0 + spread.a * mean } else { spread.a * mean };
                    (demand - sold, variance, variance / score, Some((mean, spread.a)))
                }
                cell => {
                    let share = if let Cell::Part { share, .. } = cell { share } else { 0.0 };
                    let (_, noise, slope) = unsold(mean, cell.sold(), share, spread);
                    // What was sold in the step counts once: beside what is known without it.
                    let (eta, doubt) = series.path.without(t);
                    let without = scale * (eta + series.factors[t]).min(700.0).exp();
                    let (lost, ..) = unsold(without, cell.sold(), share, spread.and(doubt + vague));
                    (lost, noise, slope, None)
                }
            };
            let bound = bound.map(|(mean, a)| (mean, a + variance[t] + vague));
            let demand = StepDemand {
                step: t,
                sold: cell.sold(),
                lost,
                variance: noise + slope * slope * (variance[t] + vague),
                bound,
                counts,
            };
            sum.mean += lost;
            sum.variance += noise + slope * slope * (variance[t] + series.vague[last][t]) + 2.0 * slope * together;
            together += slope * variance[t];
            steps.push(demand);
            slopes.push(slope);
        }
        sum.variance += sum.mean * sum.mean * series.scale.1;
        (steps, slopes, sum)
    }
}

impl Series {
    fn set(&mut self, grouping: usize, t: usize, factor: f64, vague: f64) {
        let log = factor.max(LEAST_FACTOR).ln();
        self.factors[t] += log - self.logs[grouping][t];
        self.logs[grouping][t] = log;
        self.vague[grouping][t] = vague;
    }
}

/// What could not be sold in a step of which a share was served: its mean and variance, and the derivative of the mean
/// by the log mean of the step's demand.
fn unsold(mean: f64, sold: f64, share: f64, spread: Spread) -> (f64, f64, f64) {
    let (sold, expected, r) = (sold / spread.unit, mean / spread.unit, spread.r());
    let left = (1.0 - share) * expected * (r + sold) / (r + share * expected);
    let noise = left + left * left / (r + sold);
    let slope = left * r / (r + share * expected);
    (left * spread.unit, noise * spread.unit * spread.unit, slope * spread.unit)
}

/// Sums of what was sold in steps, and of the time in which it could be.
fn seen((sold, time): (f64, f64), cell: &Cell) -> (f64, f64) {
    match cell {
        Cell::Sold(s) => (sold + s, time + 1.0),
        Cell::Part { sold: s, share } => (sold + s, time + share),
        _ => (sold, time),
    }
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// The sum over the same place of other seasons; of a year, the steps beside count half.
fn elsewhere(values: &[f64], season: usize) -> Vec<f64> {
    let n = values.len();
    if season < 2 || n <= season {
        return vec![0.0; n];
    }
    let mut places = vec![0.0; season];
    values.iter().enumerate().for_each(|(t, value)| places[t % season] += value);
    let others = |t: usize| places[t % season] - values[t];
    let at = |t: usize| {
        let sum = others(t);
        if season < LONG {
            return sum.max(0.0);
        }
        // Beyond the ends all of that place are others.
        let before = if t > 0 { others(t - 1) } else { places[season - 1] };
        let after = if t + 1 < n { others(t + 1) } else { places[(t + 1) % season] };
        (sum + 0.5 * (before + after)).max(0.0)
    };
    (0..n).map(at).collect()
}

/// By how much sums differ from what is expected beyond chance, and the squares of what is expected.
fn excess(sold: &[f64], expected: &[f64], centre: Option<&Vec<f64>>) -> (f64, f64) {
    let one = |(sums, t): ((f64, f64), usize)| {
        let expected = expected[t];
        if expected <= 0.0 {
            return sums;
        }
        let mean = expected * centre.map_or(1.0, |centre| centre[t]);
        (sums.0 + (sold[t] - mean).powi(2) - mean, sums.1 + expected * expected)
    };
    (0..sold.len()).fold((0.0, 0.0), |sums, t| one((sums, t)))
}

/// The weight of a prior: the inverse of the variance of what it is the prior of.
fn weight_of(excess: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (more, squares) = excess.fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
    let variance = if squares > 0.0 { more / squares } else { 0.0 };
    1.0 / variance.max(LEAST_VARIANCE)
}

/// The log density of what was sold, of this mean and dispersion, without what depends on neither.
fn log_density(sold: f64, mean: f64, a: f64, counts: bool) -> f64 {
    use statrs::function::gamma::ln_gamma;
    let r = 1.0 / a;
    if counts {
        return ln_gamma(sold + r) - ln_gamma(r) + sold * (mean / (mean + r)).ln() - r * (mean / r).ln_1p();
    }
    // Nothing has no density: a thousandth of the mean stands for it.
    let x = sold.max(1e-3 * mean) * r / mean;
    r * x.ln() - x - ln_gamma(r) - sold.max(1e-3 * mean).ln()
}
