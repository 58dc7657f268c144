//! Which series move together, and which take sales from each other? Correlations of what is left of siblings when level,
//! season and what all share are taken out.
//!
//! **Siblings** are series that differ only in the last key column that varies: products of one shop. A pair of products is
//! one hypothesis, pooled over the shops that sell both.
//!
//! **What is left.** Sales by their mean, on the scale of the inverse hyperbolic sine, lose their local level and the phases
//! of the calendar (as in [`uplift`](super::uplift)); steps of a season that stand out in the years there are lose their means
//! too. Then the common shock of each date is taken out: the mean of the siblings' standardised remainders, each with the
//! loading that least squares gives (the correlated-effects idea of Pesaran 2006, *Econometrica* vol. 74). That makes
//! independent siblings look correlated by about −1/(n − 1), and others less than they are; both are corrected, from loadings
//! and variances.
//!
//! **The test.** Correlations are those of normal scores, which no Christmas dominates, of the innovations of an autoregression
//! of order three of what is left (prewhitening). The variance of one is that of its
//! influence function, summed over shops date by date so that shocks that shops share count once, at least (1 − r²) / n; n is
//! the number of effective dates: divided by 1 + 2 Σ (1 − k/n) ρ(k) ρ′(k) of the two series' autocorrelations (Bartlett 1946;
//! Pyper & Peterman 1998, *Canadian Journal of Fisheries and Aquatic Sciences* 55), less what level and phases used up. A pair
//! whose two halves (alternating blocks of dates) do not agree has the larger of their p-values, if that is larger.
//!
//! **A sibling's promotion.** Where a known flag differs among siblings, the effect of the siblings' flag on a series' own
//! sales, its own flag held fixed, is that of the pooled regression of [`within`](super::within).

use std::collections::{BTreeMap, HashMap};

use polars::prelude::*;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use super::trend::year;
use super::within::{Controls, Cycle, Given, Group, demean, regress};
use super::{Ask, Finding};
use crate::error::{Error, Result};
use crate::figures::Correlations;
use crate::optimise::positive_definite::solve;
use crate::panel::{Panel, Role, median};
use crate::progress;
use crate::show::words::{about, counted, listed, p_value, rounded};
use crate::show::{Claim, Table, number};
use crate::statistics::{Estimate, benjamini_yekutieli, check_level, is_constant};

/// The most pairs that are tested.
const PAIRS: usize = 2000;
/// The fewest dates with both series.
const LEAST: usize = 40;
/// From this number of siblings on their mean is a common shock.
const SIBLINGS: usize = 5;
/// Series in the figure.
const DRAWN: usize = 12;
/// The rate of false discoveries in the sentence.
const RATE: f64 = 0.05;
/// A step of the season stands out if its mean is this many standard errors from zero.
const STANDS_OUT: f64 = 2.5;
/// Steps of the season are held fixed from this ratio of the variance between them to that within on.
const SEASONAL: f64 = 2.0;
/// The most siblings, on average, whose flags are compared.
const FAMILY: f64 = 60.0;
/// The order of the autoregression that whitens what is left.
const ORDER: usize = 3;
/// How often level and peaks are estimated in turn.
const SWEEPS: usize = 4;
/// Halves that both have at most this p-value agree.
const AGREE: f64 = 0.3;

/// Options of `comovement`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Comovement {
    /// Rows of the table: pairs, the surest first.
    pub top: usize,
    /// Probability of the intervals.
    pub level: f64,
}

impl Default for Comovement {
    fn default() -> Self {
        Self { top: 10, level: 0.95 }
    }
}

/// Which series are siblings.
struct Families {
    /// The key column in which they differ.
    key: String,
    /// Of each series: its parent and its name.
    parent: Vec<usize>,
    name: Vec<usize>,
    names: Vec<String>,
    parents: usize,
}

/// What is left of a series.
struct Rest {
    /// Its first date, counted from the panel's.
    offset: usize,
    /// Normal scores, NaN where there is no value.
    scores: Vec<f64>,
    /// The remainder in standard deviations of what was left before common shocks.
    left: Vec<f64>,
    /// The standard deviation of the remainder as a share of mean sales.
    deviation: f64,
    /// Its loading on the common shock, and its own variance without that.
    loading: f64,
    own: f64,
    autocorrelations: Vec<f64>,
}

/// A pair of names.
struct Pair {
    a: usize,
    b: usize,
    estimate: Estimate,
    /// The larger p-value where halves disagree.
    p: f64,
    /// How much more b sells, as a share, per share that a sells more.
    slope: f64,
    dates: usize,
    parents: usize,
}

impl Ask for Comovement {
    const NAME: &str = "comovement";
    const SUMMARY: &str = "Which siblings sell together and which take sales from each other, beyond season";
    const EXAMPLE: &str = "comovement()";
    const ALSO: &str = "cannibalisation, cannibalization, correlation between series, substitutes, complements";
    const SIMILAR: &[(&str, &str)] = &[(
        "halo, basket, cross price, clusters of series",
        "which siblings move together or against each other beyond season and common shocks",
    )];

    fn check(&self) -> Result<()> {
        check_level(self.level)
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let families = Families::of(panel)?;
        let (kept, all) = families.largest(panel);
        let mut controls = Controls::of(panel);
        let rests = rests(panel, &mut controls, &families)?;
        let pairs = pairs(&rests.0, &families, &kept, &controls)?;
        if pairs.is_empty() {
            return Err(Error::data(format!(
                "no two siblings have {LEAST} {}s in common on which both vary",
                panel.frequency().noun()
            )));
        }
        let promotions = promotions(panel, &controls, &families)?;
        self.finding(panel, &families, &controls, &rests, pairs, promotions, (kept.len(), all))
    }
}

impl Families {
    fn of(panel: &Panel) -> Result<Self> {
        let columns = panel.columns();
        let none = || Error::data("a single series moves with no other");
        if panel.len() < 2 {
            return Err(none());
        }
        let mut keys: Vec<(String, Vec<String>)> = Vec::new();
        for key in &columns.keys {
            keys.push((key.clone(), panel.attribute(key)?.unwrap_or_default()));
        }
        let varies = |of: &[String]| of.iter().any(|value| *value != of[0]);
        let place = keys.iter().rposition(|(_, of)| varies(of)).ok_or_else(none)?;
        let (key, of) = keys.remove(place);
        let mut parents: HashMap<Vec<&str>, usize> = HashMap::new();
        let mut parent = Vec::with_capacity(panel.len());
        for i in 0..panel.len() {
            let id: Vec<&str> = keys.iter().map(|(_, of)| of[i].as_str()).collect();
            let next = parents.len();
            parent.push(*parents.entry(id).or_insert(next));
        }
        let mut places: HashMap<&str, usize> = HashMap::new();
        let (mut name, mut names) = (Vec::with_capacity(panel.len()), Vec::new());
        for value in &of {
            let at = *places.entry(value).or_insert_with(|| {
                names.push(value.clone());
                names.len() - 1
            });
            name.push(at);
        }
        let parents = parents.len();
        if parents == panel.len() {
            return Err(Error::data("no two series are siblings: they share no value of the other keys"));
        }
        Ok(Self { key, parent, name, names, parents })
    }

    /// The names that sell most, as many as make no more pairs than are tested; and how many there are.
    fn largest(&self, panel: &Panel) -> (Vec<usize>, usize) {
        let mut sums = vec![0.0; self.names.len()];
        let mut of: Vec<Vec<usize>> = vec![Vec::new(); self.names.len()];
        for i in 0..panel.len() {
            sums[self.name[i]] += panel.target(i).iter().filter(|y| !y.is_nan()).sum::<f64>();
            of[self.name[i]].push(self.parent[i]);
        }
        of.iter_mut().for_each(|parents| parents.sort_unstable());
        let mut order: Vec<usize> = (0..sums.len()).collect();
        order.sort_by(|a, b| sums[*b].total_cmp(&sums[*a]).then_with(|| self.names[*a].cmp(&self.names[*b])));
        let mut there = vec![Vec::<usize>::new(); self.parents];
        let (mut kept, mut pairs) = (Vec::new(), 0);
        for name in order {
            let mut others: Vec<usize> = of[name].iter().flat_map(|parent| there[*parent].iter().copied()).collect();
            others.sort_unstable();
            others.dedup();
            if pairs + others.len() > PAIRS {
                break;
            }
            pairs += others.len();
            of[name].iter().for_each(|parent| there[*parent].push(name));
            kept.push(name);
        }
        (kept, self.names.len())
    }

    fn called(&self, name: usize) -> String {
        let text = &self.names[name];
        let is_number = text.chars().all(|letter| letter.is_ascii_digit() || letter == '.' || letter == '-');
        if is_number { format!("{} {text}", self.key) } else { text.clone() }
    }
}

/// Of a series: its first date, what counts, and what is left of it.
type Left = (usize, Vec<bool>, Vec<f64>);

/// What is left of every series, and of how many common shocks could be taken out.
fn rests(panel: &Panel, controls: &mut Controls, families: &Families) -> Result<(Vec<Option<Rest>>, bool)> {
    let season = year(panel);
    let seasonal = controls.groups.iter().any(|group| group.cycle == Cycle::Season);
    let peaks = !seasonal && season > 4 && controls.dates >= 2 * season;
    // Of each series: its first date, what counts, and what is left of it.
    let mut first: Vec<Option<Left>> = (0..panel.len())
        .into_par_iter()
        .map(|i| {
            progress::check()?;
            let y = panel.regular(i);
            let there = y.iter().filter(|y| y.is_finite()).count();
            if there < LEAST || is_constant(&y) {
                return Ok(None);
            }
            let Some(start) = panel.positions(i).first() else { return Ok(None) };
            let offset = (start - controls.first) as usize;
            let mean = y.iter().filter(|y| y.is_finite()).map(|y| y.abs()).sum::<f64>() / there as f64;
            let counts: Vec<bool> = y.iter().map(|y| y.is_finite()).collect();
            let scaled = |y: &f64| if y.is_finite() { (y / mean).asinh() } else { 0.0 };
            let values: Vec<f64> = y.iter().map(scaled).collect();
            let local = controls.local(&counts);
            let mut left = controls.removed(offset, &values, &local);
            if peaks {
                // A peak lifts the level around it, which hides its size: level and peaks are estimated in turn.
                let mut peaks = vec![0.0; season];
                for _ in 0..SWEEPS {
                    let found = standing_out(&left, &peaks, &counts, offset, season);
                    if found.iter().all(|peak| *peak == 0.0) {
                        break;
                    }
                    peaks = found;
                    let lower = |t: usize| values[t] - peaks[(offset + t) % season];
                    left = controls.removed(offset, &(0..values.len()).map(lower).collect::<Vec<_>>(), &local);
                }
            }
            Ok(Some((offset, counts, left)))
        })
        .collect::<Result<Vec<_>>>()?;
    if peaks {
        let ratio = |(offset, counts, left): &(usize, Vec<bool>, Vec<f64>)| {
            (counts.iter().filter(|counts| **counts).count() >= 2 * season)
                .then(|| seasonality(left, counts, *offset, season))
        };
        let ratios: Vec<f64> = first.par_iter().flatten().filter_map(ratio).collect();
        if !ratios.is_empty() && median(ratios) > SEASONAL {
            let of: Vec<u32> = (0..controls.dates).map(|date| (date % season) as u32).collect();
            let group = Group { cycle: Cycle::Season, of, count: season };
            first.par_iter_mut().flatten().for_each(|(offset, counts, left)| demean(left, &[&group], *offset, counts));
            controls.groups.push(group);
        }
    }
    let first: Vec<Option<(usize, Vec<f64>, f64)>> = first
        .into_iter()
        .map(|series| {
            let (offset, counts, left) = series?;
            let there = counts.iter().filter(|counts| **counts).count();
            let deviation = (left.iter().map(|left| left * left).sum::<f64>() / there as f64).sqrt();
            if deviation.is_nan() || deviation <= 1e-9 {
                return None;
            }
            let cells =
                left.iter().zip(&counts).map(|(left, counts)| if *counts { left / deviation } else { f64::NAN });
            // Of sinh⁻¹ at the mean, a share of sales is √2 as large.
            Some((offset, cells.collect(), deviation * std::f64::consts::SQRT_2))
        })
        .collect();
    // The common shock of each parent's series where these are enough, else of all series.
    let mut sizes = vec![0; families.parents];
    (0..panel.len()).filter(|i| first[*i].is_some()).for_each(|i| sizes[families.parent[i]] += 1);
    let own_parents = sizes.iter().any(|size| *size >= SIBLINGS);
    let group = |i: usize| if own_parents { families.parent[i] } else { 0 };
    let groups = if own_parents { families.parents } else { 1 };
    let mut members = vec![Vec::new(); groups];
    (0..panel.len()).filter(|i| first[*i].is_some()).for_each(|i| members[group(i)].push(i));
    let common = members.iter().any(|members| members.len() >= SIBLINGS);
    let mut rests: Vec<Option<Rest>> = (0..panel.len()).map(|_| None).collect();
    let reach = controls.reach;
    for members in &members {
        progress::check()?;
        let enough = members.len() >= SIBLINGS;
        if common && !enough {
            continue;
        }
        let (mut sums, mut present) = (vec![0.0; controls.dates], vec![0.0; controls.dates]);
        for (offset, left, _) in members.iter().filter_map(|i| first[*i].as_ref()) {
            for (t, left) in left.iter().enumerate().filter(|(_, left)| !left.is_nan()) {
                sums[offset + t] += left;
                present[offset + t] += 1.0;
            }
        }
        let shock: Vec<f64> =
            sums.iter().zip(&present).map(|(sum, n)| if enough && *n >= 2.0 { sum / n } else { 0.0 }).collect();
        let dates = present.iter().filter(|n| **n > 0.0).count().max(1) as f64;
        let n = (present.iter().sum::<f64>() / dates).max(1.0);
        let found: Vec<(usize, usize, Vec<f64>, f64, f64)> = members
            .par_iter()
            .filter_map(|i| {
                let (offset, left, deviation) = first[*i].as_ref()?;
                let shocks = &shock[*offset..offset + left.len()];
                let pairs = || left.iter().zip(shocks).filter(|(left, _)| !left.is_nan());
                let squares: f64 = pairs().map(|(_, shock)| shock * shock).sum();
                let products: f64 = pairs().map(|(left, shock)| left * shock).sum();
                let loading = if squares > 0.0 { products / squares } else { 0.0 };
                let own: Vec<f64> = left.iter().zip(shocks).map(|(left, shock)| left - loading * shock).collect();
                Some((*i, *offset, own, loading, *deviation))
            })
            .collect();
        let spread = |own: &[f64]| {
            let there = own.iter().filter(|own| !own.is_nan());
            there.clone().map(|own| own * own).sum::<f64>() / there.count().max(1) as f64
        };
        let spreads: Vec<f64> = found.iter().map(|(_, _, own, ..)| spread(own)).collect();
        let mut own = spreads.clone();
        if enough {
            for _ in 0..3 {
                let mean = own.iter().sum::<f64>() / own.len() as f64;
                for (at, (_, _, _, loading, _)) in found.iter().enumerate() {
                    let less = spreads[at] - loading * loading * mean / n;
                    own[at] = (less / (1.0 - 2.0 * loading / n).max(0.3)).max(0.3 * spreads[at]);
                }
            }
        }
        let done: Vec<(usize, Rest)> = found
            .into_par_iter()
            .zip(own)
            .map(|((i, offset, left, loading, deviation), own)| {
                let scores = normal_scores(&whitened(&left));
                let lags = (2 * reach).min(scores.len() / 4).max(1);
                let autocorrelations = autocorrelations(&scores, lags);
                let deviation = deviation * usual(&left);
                (i, Rest { offset, scores, left, deviation, loading, own, autocorrelations })
            })
            .collect();
        for (i, rest) in done {
            rests[i] = Some(rest);
        }
    }
    Ok((rests, common))
}

/// The means of the steps of the season that stand out in the years that there are, zero for the others: what is left of
/// them and what was taken out before.
fn standing_out(left: &[f64], before: &[f64], counts: &[bool], offset: usize, season: usize) -> Vec<f64> {
    let (mut sums, mut sizes) = (vec![0.0; season], vec![0.0_f64; season]);
    for t in (0..left.len()).filter(|t| counts[*t]) {
        sums[(offset + t) % season] += left[t];
        sizes[(offset + t) % season] += 1.0;
    }
    let there: Vec<f64> = left.iter().zip(counts).filter(|(_, counts)| **counts).map(|(left, _)| *left).collect();
    let usual = usual(&there);
    let peak = |phase: usize| {
        let mean = sums[phase] / sizes[phase].max(1.0) + before[phase];
        let stands_out = sizes[phase] >= 2.0 && mean.abs() * sizes[phase].sqrt() > STANDS_OUT * usual;
        if stands_out { mean } else { 0.0 }
    };
    (0..season).map(peak).collect()
}

/// The median of the absolute values, as a standard deviation of a normal distribution; NaN does not count.
fn usual(values: &[f64]) -> f64 {
    let sizes: Vec<f64> = values.iter().filter(|value| !value.is_nan()).map(|value| value.abs()).collect();
    if sizes.is_empty() { 0.0 } else { 1.4826 * median(sizes) }
}

/// The ratio of the variance between the steps of the season to that within them, each by its degrees of freedom.
fn seasonality(left: &[f64], counts: &[bool], offset: usize, season: usize) -> f64 {
    let (mut sums, mut sizes) = (vec![0.0; season], vec![0.0_f64; season]);
    let mut squares = 0.0;
    for t in (0..left.len()).filter(|t| counts[*t]) {
        sums[(offset + t) % season] += left[t];
        sizes[(offset + t) % season] += 1.0;
        squares += left[t] * left[t];
    }
    let n: f64 = sizes.iter().sum();
    let phases = sizes.iter().filter(|size| **size > 0.0).count() as f64;
    let between: f64 =
        sums.iter().zip(&sizes).filter(|(_, size)| **size > 0.0).map(|(sum, size)| sum * sum / size).sum();
    between / phases / ((squares - between).max(1e-300) / (n - phases).max(1.0))
}

/// Normal quantiles of the ranks, with mean zero and variance one; NaN stays.
fn normal_scores(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).filter(|t| !values[*t].is_nan()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let n = order.len() as f64;
    let mut scores = vec![f64::NAN; values.len()];
    let Ok(normal) = Normal::new(0.0, 1.0) else { return scores };
    let mut from = 0;
    while from < order.len() {
        let mut to = from + 1;
        while to < order.len() && values[order[to]] == values[order[from]] {
            to += 1;
        }
        // Equal values share the middle of their ranks.
        let score = normal.inverse_cdf((0.5 * (from + to) as f64) / n);
        order[from..to].iter().for_each(|t| scores[*t] = score);
        from = to;
    }
    let there = || order.iter().map(|t| scores[*t]);
    let mean = there().sum::<f64>() / n;
    let deviation = (there().map(|score| (score - mean).powi(2)).sum::<f64>() / n).sqrt();
    scores.iter().map(|score| if deviation > 0.0 { (score - mean) / deviation } else { *score }).collect()
}

/// Innovations: what an autoregression on the last steps leaves (Yule–Walker); steps without a value count as zero.
fn whitened(left: &[f64]) -> Vec<f64> {
    let r = autocorrelations(left, ORDER);
    if r.len() < ORDER {
        return left.to_vec();
    }
    let at = |lag: usize| if lag == 0 { 1.0 } else { r[lag - 1] };
    let mut system: Vec<f64> = (0..ORDER).flat_map(|i| (0..ORDER).map(move |j| i.abs_diff(j))).map(at).collect();
    let mut phi = r.clone();
    if !solve(&mut system, &mut phi) {
        return left.to_vec();
    }
    let cell = |t: usize| if left[t].is_nan() { 0.0 } else { left[t] };
    let past = |t: usize| (1..=ORDER.min(t)).map(|lag| phi[lag - 1] * cell(t - lag)).sum::<f64>();
    (0..left.len()).map(|t| left[t] - past(t)).collect()
}

/// Autocorrelations of scores from lag one on; steps without a value count nothing.
fn autocorrelations(scores: &[f64], lags: usize) -> Vec<f64> {
    let cells: Vec<f64> = scores.iter().map(|score| if score.is_nan() { 0.0 } else { *score }).collect();
    let squares: f64 = cells.iter().map(|cell| cell * cell).sum();
    let at = |lag: usize| cells[lag..].iter().zip(&cells).map(|(a, b)| a * b).sum::<f64>() / squares.max(1e-300);
    (1..=lags.min(cells.len().saturating_sub(1))).map(at).collect()
}

/// Every pair of names that is tested.
fn pairs(rests: &[Option<Rest>], families: &Families, kept: &[usize], controls: &Controls) -> Result<Vec<Pair>> {
    let mut of: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for (i, rest) in rests.iter().enumerate() {
        if rest.is_some() {
            of.insert((families.name[i], families.parent[i]), i);
        }
    }
    let mut siblings: Vec<f64> = vec![0.0; families.parents];
    rests.iter().enumerate().filter(|(_, rest)| rest.is_some()).for_each(|(i, _)| siblings[families.parent[i]] += 1.0);
    let mut variances: Vec<f64> = vec![0.0; families.parents];
    for (i, rest) in rests.iter().enumerate() {
        if let Some(rest) = rest {
            variances[families.parent[i]] += rest.own / siblings[families.parent[i]];
        }
    }
    let parents_of =
        |name: usize| of.range((name, 0)..(name + 1, 0)).map(|((_, parent), i)| (*parent, *i)).collect::<Vec<_>>();
    let series: Vec<Vec<(usize, usize)>> = kept.iter().map(|name| parents_of(*name)).collect();
    let places: Vec<(usize, usize)> = (0..kept.len()).flat_map(|a| (a + 1..kept.len()).map(move |b| (a, b))).collect();
    let pair = |(a, b): &(usize, usize)| {
        progress::check()?;
        let other: HashMap<usize, usize> = series[*b].iter().copied().collect();
        let both: Vec<(&Rest, &Rest, (f64, f64))> = series[*a]
            .iter()
            .filter_map(|(parent, i)| {
                let (one, two) = (rests[*i].as_ref()?, rests[*other.get(parent)?].as_ref()?);
                let (n, mean) = (siblings[*parent], variances[*parent]);
                let bias = if one.loading == 0.0 && two.loading == 0.0 {
                    0.0
                } else {
                    let product = one.loading * two.loading * mean;
                    (product - one.loading * two.own - two.loading * one.own) / n
                };
                let spread = |rest: &Rest| {
                    let there = rest.left.iter().filter(|left| !left.is_nan());
                    (there.clone().map(|left| left * left).sum::<f64>() / there.count().max(1) as f64).sqrt()
                };
                // Taking out a mean that both are part of takes this share of their covariance, too.
                let kept = if one.loading == 0.0 && two.loading == 0.0 {
                    1.0
                } else {
                    (1.0 - (one.loading + two.loading) / n).clamp(0.3, 1.5)
                };
                Some((one, two, (bias / (spread(one) * spread(two)).max(1e-12), kept)))
            })
            .collect();
        Ok(test(&both, controls).map(|(estimate, p, slope, dates)| Pair {
            a: kept[*a],
            b: kept[*b],
            estimate,
            p,
            slope,
            dates,
            parents: both.len(),
        }))
    };
    let found = places.par_iter().map(pair).collect::<Result<Vec<_>>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// The correlation of a pair, pooled over parents: estimate, p-value, slope, dates.
fn test(both: &[(&Rest, &Rest, (f64, f64))], controls: &Controls) -> Option<(Estimate, f64, f64, usize)> {
    // Alternating blocks are the halves.
    let block = (2 * controls.reach).max(1);
    let estimate = |half: Option<usize>| {
        let mut influence = vec![0.0; controls.dates];
        let mut touched = vec![false; controls.dates];
        let (mut value, mut steps, mut slope, mut memory, mut shares) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (one, two, (bias, kept)) in both {
            let from = one.offset.max(two.offset);
            let to = (one.offset + one.scores.len()).min(two.offset + two.scores.len());
            let pairs = || {
                (from..to.max(from))
                    .filter(|date| half.is_none_or(|half| (date / block) % 2 == half))
                    .map(|date| (date, one.scores[date - one.offset], two.scores[date - two.offset]))
                    .filter(|(_, a, b)| !a.is_nan() && !b.is_nan())
            };
            let n = pairs().count();
            if n < LEAST / if half.is_some() { 2 } else { 1 } {
                continue;
            }
            let products: f64 = pairs().map(|(_, a, b)| a * b).sum();
            let squares = |pick: fn(&(usize, f64, f64)) -> f64| pairs().map(|cell| pick(&cell)).sum::<f64>();
            let scale = (squares(|cell| cell.1 * cell.1) * squares(|cell| cell.2 * cell.2)).sqrt();
            if scale.is_nan() || scale <= 0.0 {
                continue;
            }
            let r = (products / scale).clamp(-1.0, 1.0);
            for (date, a, b) in pairs() {
                influence[date] += a * b - r * 0.5 * (a * a + b * b);
                touched[date] = true;
            }
            let n = n as f64;
            value += n * (r - bias) / kept;
            shares += n / kept;
            slope += n * (r - bias) / kept * two.deviation / one.deviation.max(1e-12);
            let lagged = one.autocorrelations.iter().zip(&two.autocorrelations).enumerate();
            memory +=
                n * (1.0 + 2.0 * lagged.map(|(k, (a, b))| (1.0 - (k + 1) as f64 / n).max(0.0) * a * b).sum::<f64>());
            steps += n;
        }
        let dates = touched.iter().filter(|touched| **touched).count();
        if steps <= 0.0 {
            return None;
        }
        let (value, slope, memory) = (value / steps, slope / steps, (memory / steps).max(1.0));
        let value = value.clamp(-0.999, 0.999);
        let rest = 1.0 - value * value;
        // Shops add less than they would if they were independent, and dates of uproar more.
        let pooled = influence.iter().map(|influence| influence * influence).sum::<f64>() / (rest * rest) / steps;
        // What the level used up shows in the autocorrelations, but for the ends of the series.
        let used = dates as f64 / (4.0 * controls.reach as f64) + groups_of(controls) + 2.0;
        let effective = ((dates as f64 - used) / memory).max(1.0);
        let error = (rest * pooled.max(1.0) / steps * dates as f64 / effective).sqrt() * (shares / steps);
        Some((Estimate { value, error, freedom: (effective - 2.0).max(1.0) }, slope, dates))
    };
    let (all, slope, dates) = estimate(None)?;
    let halves = [estimate(Some(0)), estimate(Some(1))];
    let mut p = all.p_value();
    for half in &halves {
        match half {
            Some((half, ..)) if half.value * all.value > 0.0 && half.p_value() <= AGREE => {}
            Some((half, ..)) if half.value * all.value > 0.0 => p = p.max(half.p_value()),
            _ => p = 1.0,
        }
    }
    Some((all, p, slope, dates))
}

/// Degrees of freedom that the phases of the calendar used up.
fn groups_of(controls: &Controls) -> f64 {
    controls.groups.iter().map(|group| group.count as f64 - 1.0).sum()
}

/// What a sibling's flag does to a series.
struct Promotion {
    name: String,
    /// The share of own sales lost or won while one more of the siblings has it.
    estimate: Estimate,
    money: f64,
}

/// The effect of siblings' flags, where these differ among siblings.
fn promotions(panel: &Panel, controls: &Controls, families: &Families) -> Result<Vec<Promotion>> {
    let matrix = panel.matrix()?;
    if panel.len() as f64 > FAMILY * families.parents as f64 {
        return Ok(Vec::new());
    }
    let flag = |c: usize| {
        let column = &matrix.columns[c];
        matrix.sources[c].1 == Role::Known
            && matrix.sources[c].0 == matrix.names[c]
            && column.iter().all(|x| x.is_nan() || *x == 0.0 || *x == 1.0)
            && column.contains(&1.0)
    };
    let flags: Vec<usize> = (0..matrix.names.len()).filter(|c| flag(*c)).collect();
    let mut found = Vec::new();
    for c in &flags {
        progress::check()?;
        // By parent and date: series, and series with the flag.
        let size = families.parents * controls.dates;
        if size > 50_000_000 {
            continue;
        }
        let (mut all, mut on) = (vec![0.0_f32; size], vec![0.0_f32; size]);
        let cell = |i: usize, position: i64| families.parent[i] * controls.dates + (position - controls.first) as usize;
        let mut sales = 0.0;
        for i in 0..panel.len() {
            for (position, x) in panel.positions(i).iter().zip(panel.column_of(i, &matrix.columns[*c])) {
                all[cell(i, *position)] += 1.0;
                on[cell(i, *position)] += f32::from(u8::from(*x > 0.0));
            }
            sales += panel.target(i).iter().filter(|y| !y.is_nan()).sum::<f64>();
        }
        let shared = all.iter().zip(&on).filter(|(all, _)| **all >= 2.0);
        let differ = shared.clone().filter(|(all, on)| **on > 0.0 && on < all).count();
        let some = shared.filter(|(_, on)| **on > 0.0).count();
        if some < 10 || (differ as f64) < 0.2 * some as f64 {
            continue;
        }
        let others: Vec<usize> = flags.iter().copied().filter(|other| other != c).take(6).collect();
        let given = |i: usize| -> Option<Given> {
            let y = panel.regular(i);
            let there = y.iter().filter(|y| y.is_finite());
            let mean = there.clone().sum::<f64>() / there.count().max(1) as f64;
            if mean.is_nan() || mean <= 0.0 {
                return None;
            }
            let start = *panel.positions(i).first()?;
            let own = panel.regular_column(i, &matrix.columns[*c]);
            let siblings: Vec<f64> = (0..y.len())
                .map(|t| {
                    let at = cell(i, start + t as i64);
                    f64::from(on[at]) - if own[t] > 0.0 { 1.0 } else { 0.0 }
                })
                .collect();
            let fixed = |c: usize| {
                panel
                    .regular_column(i, &matrix.columns[c])
                    .iter()
                    .map(|x| f64::from(u8::from(*x > 0.0)))
                    .collect::<Vec<_>>()
            };
            let mut x = vec![siblings, fixed(*c)];
            x.extend(others.iter().map(|c| fixed(*c)));
            Some(Given { y: y.iter().map(|y| y / mean).collect(), x })
        };
        let Some(regression) = regress(panel, controls, 2, &given)? else { continue };
        let estimate = regression.coefficient(0, f64::INFINITY);
        // Over all sales: what the siblings' flags of an average date did, for a year.
        let pressure: f64 = (0..size).map(|at| f64::from(on[at]) * f64::from(all[at] - 1.0).max(0.0)).sum();
        let rows: f64 = all.iter().map(|all| f64::from(*all)).sum();
        let years = controls.dates as f64 / year(panel).max(1) as f64;
        let money = estimate.value * pressure / rows.max(1.0) * sales / years;
        found.push(Promotion { name: matrix.names[*c].clone(), estimate, money });
    }
    Ok(found)
}

impl Comovement {
    #[allow(clippy::too_many_arguments)]
    fn finding(
        &self,
        panel: &Panel,
        families: &Families,
        controls: &Controls,
        rests: &(Vec<Option<Rest>>, bool),
        mut pairs: Vec<Pair>,
        promotions: Vec<Promotion>,
        (kept, all): (usize, usize),
    ) -> Result<Finding> {
        let common = rests.1;
        let noun = panel.frequency().noun();
        // Without common shocks taken out, only what moves against each other says anything.
        let tested = |pair: &Pair| common || pair.estimate.value < 0.0;
        pairs.sort_by(|a, b| a.p.total_cmp(&b.p).then(b.estimate.value.abs().total_cmp(&a.estimate.value.abs())));
        let sentence = |pair: &Pair| {
            let (a, b) = (families.called(pair.a), families.called(pair.b));
            let percent = about_percent(10.0 * pair.slope.abs());
            match pair.estimate.value < 0.0 {
                true => format!(
                    "{a} and {b} move against each other, apart from what all share: when {a} sells 10 % more than usual, {b} sells about {percent} % less"
                ),
                false => format!(
                    "{a} and {b} move together beyond season and common events: when {a} sells 10 % more than usual, {b} sells \
                     about {percent} % more"
                ),
            }
        };
        let mut claims: Vec<Claim> = pairs
            .iter()
            .filter(|pair| tested(pair))
            .map(|pair| Claim {
                about: format!("{} and {}", families.called(pair.a), families.called(pair.b)),
                sentence: format!(
                    "{}: {}.",
                    sentence(pair),
                    match pair.estimate.value < 0.0 {
                        true => "if they compete, one that is promoted costs the other, and only the sum is a gain",
                        false => "what lifts one is likely to lift the other, and they are short together",
                    }
                ),
                estimate: pair.estimate,
                p: pair.p,
                money: f64::NAN,
                placebo: None,
                again: false,
                unit: "",
            })
            .collect();
        let of_pairs = claims.len();
        let target = panel.columns().target().to_string();
        for promotion in &promotions {
            let effect = 100.0 * promotion.estimate.value;
            let verb = if effect < 0.0 { "loses" } else { "gains" };
            claims.push(Claim {
                about: format!("{} of siblings", promotion.name),
                sentence: format!(
                    "While one more of its siblings has {}, a series {verb} about {} % of its own sales: {} {target} a year, to be \
                     set against what the promoted one gains.",
                    promotion.name,
                    rounded(effect.abs(), i32::from(effect.abs() < 10.0)),
                    about(promotion.money.abs())
                ),
                estimate: promotion.estimate.times(100.0),
                p: promotion.estimate.p_value(),
                money: promotion.money,
                placebo: None,
                again: false,
                unit: "%",
            });
        }
        let adjusted = benjamini_yekutieli(&claims.iter().map(|claim| claim.p).collect::<Vec<_>>());
        let clear: Vec<usize> = (0..of_pairs).filter(|at| adjusted[*at] <= RATE).collect();
        let shown: Vec<&Pair> = pairs.iter().filter(|pair| tested(pair)).collect();
        let against = clear.iter().filter(|at| shown[**at].estimate.value < 0.0).count();
        let mut told = match clear.first() {
            None => format!(
                "No two of {} {} clearly move together or against each other beyond season{}: {} tested.",
                number(kept as f64),
                if kept == all { "siblings" } else { "largest siblings" },
                if common { " and common shocks" } else { "" },
                counted(of_pairs, "pair", "pairs"),
            ),
            Some(_) => {
                let strongest = |sign: f64| {
                    let those = clear.iter().map(|at| shown[*at]).filter(|pair| pair.estimate.value * sign > 0.0);
                    those.max_by(|a, b| a.estimate.value.abs().total_cmp(&b.estimate.value.abs())).map(sentence)
                };
                let parts: Vec<String> = [strongest(-1.0), strongest(1.0)].into_iter().flatten().collect();
                format!(
                    "{}. Of {} tested, {} clearly {} together and {} against each other.",
                    parts.join(". "),
                    counted(of_pairs, "pair", "pairs"),
                    number((clear.len() - against) as f64),
                    if clear.len() - against == 1 { "moves" } else { "move" },
                    number(against as f64)
                )
            }
        };
        for (at, promotion) in promotions.iter().enumerate() {
            match adjusted[of_pairs + at] <= RATE {
                true => told.push_str(&format!(" {}", claims[of_pairs + at].sentence)),
                false => {
                    told.push_str(&format!(" {} of a sibling shows no clear effect on the others.", promotion.name))
                }
            }
        }
        let table = self.table(families, &shown, &adjusted)?;
        let mut finding = Finding::new("What moves together", told, table).claiming(claims);
        if let Some(figure) = figure(families, &pairs, noun) {
            finding = finding.drawn(figure);
        }
        if let Some(pair) = shown.first() {
            finding = finding.sure_by(format!(
                "The surest pair has {} over {} {noun}s; false discoveries are controlled over all pairs (Benjamini and \
                 Yekutieli 2001).",
                p_value(pair.p),
                number(pair.dates as f64)
            ));
        }
        if !promotions.is_empty() {
            finding = finding.and(self.flags(&promotions)?);
        }
        if kept < all {
            finding = finding.but(format!(
                "Only the {} largest of {} values of {} are compared: {} pairs.",
                number(kept as f64),
                number(all as f64),
                families.key,
                number(of_pairs as f64)
            ));
        }
        if !common {
            finding = finding.but(format!(
                "With fewer than {SIBLINGS} siblings, what all share cannot be told from what two share: only pairs that move \
                 against each other are claimed.",
            ));
        }
        if families.parents > 1 {
            finding = finding.but(format!(
                "Each pair is pooled over the {} groups that it occurs in.",
                number(families.parents as f64)
            ));
        }
        Ok(finding.but(format!(
            "Correlation: of ranks, after level over {} {noun}s before and after, calendar{} are taken out. An association: two \
             series may share a cause.",
            controls.reach,
            if common { " and common shocks" } else { "" }
        )))
    }

    fn table(&self, families: &Families, pairs: &[&Pair], adjusted: &[f64]) -> Result<Table> {
        let rows: Vec<(&&Pair, &f64)> = pairs.iter().zip(adjusted).take(self.top.max(1)).collect();
        let real = |name: &str, pick: &dyn Fn(&Pair) -> f64| {
            Column::new(name.into(), rows.iter().map(|(pair, _)| pick(pair)).collect::<Vec<_>>())
        };
        let text = |name: &str, pick: &dyn Fn(&Pair) -> usize| {
            let names = rows.iter().map(|(pair, _)| families.names[pick(pair)].as_str()).collect::<Vec<_>>();
            Column::new(name.into(), names)
        };
        let columns = vec![
            text(&families.key, &|pair| pair.a),
            text("and", &|pair| pair.b),
            real("correlation", &|pair| pair.estimate.value),
            real("from", &|pair| pair.estimate.interval(self.level).0.max(-1.0)),
            real("to", &|pair| pair.estimate.interval(self.level).1.min(1.0)),
            real("second at +10 % of first, %", &|pair| 10.0 * pair.slope),
            real("p", &|pair| pair.p),
            Column::new("adjusted p".into(), rows.iter().map(|(_, p)| **p).collect::<Vec<_>>()),
            Column::new("dates".into(), rows.iter().map(|(pair, _)| pair.dates as u64).collect::<Vec<_>>()),
            Column::new("groups".into(), rows.iter().map(|(pair, _)| pair.parents as u64).collect::<Vec<_>>()),
        ];
        Ok(Table::new(DataFrame::new(rows.len(), columns)?).of_rows(pairs.len()).titled("Pairs, the surest first"))
    }

    fn flags(&self, promotions: &[Promotion]) -> Result<Table> {
        let bound = |of: fn((f64, f64)) -> f64| {
            promotions.iter().map(|one| 100.0 * of(one.estimate.interval(self.level))).collect::<Vec<_>>()
        };
        let columns = vec![
            Column::new("flag of a sibling".into(), promotions.iter().map(|one| one.name.as_str()).collect::<Vec<_>>()),
            Column::new(
                "own sales %".into(),
                promotions.iter().map(|one| 100.0 * one.estimate.value).collect::<Vec<_>>(),
            ),
            Column::new("from %".into(), bound(|(low, _)| low)),
            Column::new("to %".into(), bound(|(_, high)| high)),
            Column::new("a year".into(), promotions.iter().map(|one| one.money.round()).collect::<Vec<_>>()),
        ];
        Ok(Table::new(DataFrame::new(promotions.len(), columns)?).titled("What a sibling's flag does to own sales"))
    }
}

fn about_percent(percent: f64) -> String {
    rounded(percent, i32::from(percent < 9.95))
}

/// The correlations of those that occur in the surest pairs.
fn figure(families: &Families, pairs: &[Pair], noun: &str) -> Option<crate::figures::Figure> {
    let mut names: Vec<usize> = Vec::new();
    for pair in pairs {
        for name in [pair.a, pair.b] {
            if names.len() < DRAWN && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let of: HashMap<(usize, usize), f64> = pairs.iter().map(|pair| ((pair.a, pair.b), pair.estimate.value)).collect();
    let cell = |a: usize, b: usize| match a == b {
        true => 1.0,
        false => of.get(&(a, b)).or_else(|| of.get(&(b, a))).copied().unwrap_or(f64::NAN),
    };
    let columns: Vec<String> = names.iter().map(|name| families.called(*name)).collect();
    let rows = names.iter().map(|a| (families.called(*a), names.iter().map(|b| cell(*a, *b)).collect())).collect();
    let title = format!("What moves together: {}", listed(&columns.iter().map(String::as_str).collect::<Vec<_>>(), 3));
    (names.len() > 1).then(|| {
        Correlations { title, value: format!("correlation by {noun}, beyond season and common shocks"), columns, rows }
            .figure()
    })
}
