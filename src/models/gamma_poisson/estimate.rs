//! Index, level and season of many series, from what was sold and whether it could be sold: numbers in, numbers out.

use crate::panel::median;

/// Times that the common factor of all series is refined.
const FACTOR_ROUNDS: usize = 4;
/// Times that the index of the groups is refined.
const INDEX_ROUNDS: usize = 2;
/// The weight of a series' mean in its expected demand, in steps.
const CENTRED: f64 = 4.0;
/// The least index that a logarithm is taken of.
const LEAST_INDEX: f64 = 0.05;
/// Seasons back that the season is taken from, and the weight of the steps beside the same place.
const SEASONS: i64 = 2;
const SIDE: f64 = 0.5;

/// What was sold on common steps: NaN where demand is not known.
pub(super) struct Sales {
    /// By series, from its first step on.
    pub values: Vec<Vec<f64>>,
    /// The common step of the first value of each series.
    pub first: Vec<usize>,
    /// Common steps.
    pub steps: usize,
    /// The series in the order in which they are summed.
    pub order: Vec<usize>,
}

/// Groupings, the coarsest first: the group of each series, and the weight of the index before it.
pub(super) type Groupings = Vec<(Vec<usize>, f64)>;

impl Sales {
    /// The known sales of a series: common step and value.
    fn known(&self, series: usize) -> impl Iterator<Item = (usize, f64)> {
        let first = self.first[series];
        let cells = self.values[series].iter().enumerate().filter(|(_, y)| !y.is_nan());
        cells.map(move |(t, y)| (first + t, *y))
    }

    /// The seasonal indices: one for each combination of groups, and which of them each series has.
    pub(super) fn indices(&self, groupings: &Groupings, half: usize) -> (Vec<Vec<f64>>, Vec<usize>) {
        let (of, members) = combinations(groupings, self.values.len());
        let overall = relative(&self.common_factor(), half);
        let mut indices = vec![overall; members.len()];
        for _ in 0..INDEX_ROUNDS {
            indices = self.refined(groupings, &of, &members, &indices, half);
        }
        (indices, of)
    }

    /// What all series have in common, step by step, whatever their levels.
    fn common_factor(&self) -> Vec<f64> {
        let mut factor = vec![1.0; self.steps];
        let mut total = vec![0.0; self.steps];
        for i in &self.order {
            self.known(*i).for_each(|(t, y)| total[t] += y);
        }
        for _ in 0..FACTOR_ROUNDS {
            let mut exposure = vec![0.0; self.steps];
            for i in &self.order {
                let (sold, expected) =
                    self.known(*i).fold((0.0, 0.0), |(sold, expected), (t, y)| (sold + y, expected + factor[t]));
                let level = (sold + 1.0) / (expected + 1.0);
                self.known(*i).for_each(|(t, _)| exposure[t] += level);
            }
            let ratio = |(sold, exposure): (&f64, &f64)| if *exposure > 0.0 { sold / exposure.max(1e-9) } else { 1.0 };
            factor = total.iter().zip(&exposure).map(ratio).collect();
            let mean = factor.iter().sum::<f64>() / factor.len().max(1) as f64;
            if mean > 0.0 {
                factor.iter_mut().for_each(|one| *one /= mean);
            }
        }
        factor
    }

    fn refined(
        &self,
        groupings: &Groupings,
        of: &[usize],
        members: &[usize],
        indices: &[Vec<f64>],
        half: usize,
    ) -> Vec<Vec<f64>> {
        let sums = |groups: usize| vec![(vec![0.0; self.steps], vec![0.0; self.steps]); groups];
        let count = |group: &[usize]| group.iter().max().map_or(0, |last| last + 1);
        let mut all = sums(1);
        let mut grouped: Vec<_> = groupings.iter().map(|(group, _)| sums(count(group))).collect();
        for i in &self.order {
            let expected = self.expected(*i, &indices[of[*i]], half);
            let add = |(sold, exposure): &mut (Vec<f64>, Vec<f64>)| {
                for (t, y) in self.known(*i) {
                    sold[t] += y;
                    exposure[t] += expected[t - self.first[*i]];
                }
            };
            add(&mut all[0]);
            for ((group, _), sums) in groupings.iter().zip(&mut grouped) {
                add(&mut sums[group[*i]]);
            }
        }
        let (sold, exposure) = &all[0];
        let ratio: Vec<f64> = sold
            .iter()
            .zip(exposure)
            .map(|(sold, expected)| if *expected > 0.0 { sold / expected } else { 1.0 })
            .collect();
        let overall = relative(&ratio, half);
        let index = |member: &usize| {
            let mut index = overall.clone();
            for ((group, prior), sums) in groupings.iter().zip(&grouped) {
                let (sold, exposure) = &sums[group[*member]];
                for ((one, sold), exposure) in index.iter_mut().zip(sold).zip(exposure) {
                    *one = (sold + prior * *one) / (exposure + prior);
                }
            }
            index
        };
        members.iter().map(index).collect()
    }

    /// The demand expected at each step of a series without a season: a running mean.
    fn expected(&self, series: usize, index: &[f64], half: usize) -> Vec<f64> {
        let (values, first) = (&self.values[series], self.first[series]);
        let n = values.len();
        let (mut sold, mut exposure) = (vec![0.0; n + 1], vec![0.0; n + 1]);
        for (t, y) in values.iter().enumerate() {
            let known = !y.is_nan();
            sold[t + 1] = sold[t] + if known { *y } else { 0.0 };
            exposure[t + 1] = exposure[t] + if known { index[first + t] } else { 0.0 };
        }
        let mean = (sold[n] + 2.0) / (exposure[n] + 2.0);
        let at = |t: usize| {
            let (from, to) = (t.saturating_sub(half), (t + half + 1).min(n));
            (sold[to] - sold[from] + CENTRED * mean) / (exposure[to] - exposure[from] + CENTRED)
        };
        (0..n).map(at).collect()
    }

    /// The level of the typical series: the geometric mean of slow levels.
    pub(super) fn typical(&self, indices: &[Vec<f64>], of: &[usize], slow_half_life: f64) -> f64 {
        let logarithm = |i: &usize| {
            let end = self.first[*i] + self.values[*i].len();
            let (sold, exposure) = self.known(*i).fold((0.0, 0.0), |(sold, exposure), (t, y)| {
                let weight = 0.5_f64.powf((end - 1 - t) as f64 / slow_half_life);
                (sold + weight * y, exposure + weight * indices[of[*i]][t])
            });
            ((sold + 1.0) / (exposure + 1.0)).ln()
        };
        let sum: f64 = self.order.iter().map(logarithm).sum();
        (sum / self.order.len().max(1) as f64).exp()
    }
}

/// How the level of a series is drawn from its past.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Smoothing {
    pub half_life: f64,
    pub slow_half_life: f64,
    /// The weight of a prior, in steps.
    pub prior: f64,
    /// The level of the typical series, and the part of it that is added to every level.
    pub typical: f64,
    pub floor: f64,
}

impl Smoothing {
    /// The level after each step of a series; the first is that before any.
    pub(super) fn levels(&self, values: &[f64], index: &[f64]) -> Vec<f64> {
        let (fast, slow) = (0.5_f64.powf(1.0 / self.half_life), 0.5_f64.powf(1.0 / self.slow_half_life));
        let (mut a, mut b, mut c, mut d) = (0.0, 0.0, 0.0, 0.0);
        let level = |a: f64, b: f64, c: f64, d: f64| {
            let base = (a + self.prior * self.typical) / (b + self.prior);
            (c + self.prior * base) / (d + self.prior) + self.floor * self.typical
        };
        let mut levels = Vec::with_capacity(values.len() + 1);
        levels.push(level(a, b, c, d));
        for (y, index) in values.iter().zip(index) {
            (a, b, c, d) = (slow * a, slow * b, fast * c, fast * d);
            if !y.is_nan() {
                (a, b, c, d) = (a + y, b + index, c + y, d + index);
            }
            levels.push(level(a, b, c, d));
        }
        levels
    }
}

/// The season of a step, from an index of which steps from 0 on are known.
pub(super) fn season(index: &[f64], step: usize, season: usize, power: f64) -> f64 {
    if season < 2 {
        return 1.0;
    }
    let (n, m, step) = (index.len() as i64, season as i64, step as i64);
    let nearest = ((step - n).div_euclid(m) + 1).max(1);
    let (mut sum, mut weights) = (0.0, 0.0);
    for back in nearest..nearest + SEASONS {
        for (beside, weight) in [(-1, SIDE), (0, 1.0), (1, SIDE)] {
            let place = step - back * m + beside;
            if let Some(value) = usize::try_from(place).ok().and_then(|place| index.get(place)) {
                sum += weight * value.max(LEAST_INDEX).ln();
                weights += weight;
            }
        }
    }
    if weights > 0.0 { (power * sum / weights).exp() } else { 1.0 }
}

/// Relative to the running median, which a peak does not lift; 1 where that is zero.
fn relative(values: &[f64], half: usize) -> Vec<f64> {
    let n = values.len();
    let one = |t: usize| {
        let middle = median(values[t.saturating_sub(half)..(t + half + 1).min(n)].to_vec());
        if middle > 0.0 { values[t] / middle } else { 1.0 }
    };
    (0..n).map(one).collect()
}

/// The combination of groups of each series, and a member of each combination.
fn combinations(groupings: &Groupings, series: usize) -> (Vec<usize>, Vec<usize>) {
    let mut places = std::collections::HashMap::new();
    let mut members = Vec::new();
    let of = (0..series).map(|i| {
        let groups: Vec<usize> = groupings.iter().map(|(group, _)| group[i]).collect();
        *places.entry(groups).or_insert_with(|| {
            members.push(i);
            members.len() - 1
        })
    });
    (of.collect(), members)
}
