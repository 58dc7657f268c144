//! How far were sales from what was to be expected, in robust standard deviations?
//!
//! Expected is what [`super::expected`] says, times what the series of the same panel, and of the same group, did on the
//! same date (medians); and, in the share in which other years predict this one, the deviation at the same time of other
//! years. Deviations are divided by a robust scale: the median absolute deviation of the series, and of that time of year
//! where that is larger.

use rayon::prelude::*;

use super::anomalies::{LEAST, SHARED};
use super::expected::Usual;
use crate::panel::median;

/// In groups of up to so many series each is compared with the others.
const ALONE: usize = 40;
/// The third quartile of the normal distribution.
const QUARTILE: f64 = 0.674_489_75;
/// Powers that are tried, the standard errors from which ratios are not symmetric, and the least ratio.
const POWERS: [f64; 5] = [1.0, 0.75, 0.5, 0.25, 0.0];
const SKEWED: f64 = 3.0;
const LEAST_RATIO: f64 = 0.02;
/// A step that is known to be closed and sold less than this share of what was expected is no anomaly of its series.
const SHUT: f64 = 0.3;

/// Sales and what was expected of them, judged.
pub(super) struct Judged {
    pub(super) offset: usize,
    pub(super) y: Vec<f64>,
    pub(super) expected: Vec<f64>,
    /// Deviations in robust standard deviations, by the smallest of them; NaN where there is none.
    pub(super) unusual: Vec<f64>,
    /// Deviations from what is expected, the same.
    pub(super) deviation: Vec<f64>,
    /// The robust standard deviation, in units of sales.
    pub(super) scale: Vec<f64>,
}

/// How deviations are judged.
pub(super) struct Rules {
    /// Steps in a year; of days, so many that they fall on the same weekday.
    pub(super) year: usize,
    pub(super) reach: usize,
    /// The power of the ratio to what is expected that is as far above as below: 1 for ratios, 0 for their logarithms.
    pub(super) power: f64,
}

/// The power with which ratios of sales to what was expected of them are symmetric: that whose quantiles of 5 % and 95 %, over
/// all series, are as far from the median; 1 where ratios themselves are about symmetric.
pub(super) fn power(usual: &[Option<Usual>]) -> f64 {
    let ratios = usual.par_iter().flatten().filter_map(|one| {
        let own = (0..one.y.len()).filter(|t| !one.closed[*t] && !one.marked[*t]);
        let mut own: Vec<f64> = own.map(|t| one.y[t] / one.expected[0][t]).filter(|ratio| ratio.is_finite()).collect();
        own.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| own[(share * (own.len() - 1) as f64).round() as usize];
        (own.len() >= LEAST).then(|| (own.len() as f64, [at(0.05), at(0.5), at(0.95)]))
    });
    let ratios: Vec<(f64, [f64; 3])> = ratios.collect();
    let all: f64 = ratios.iter().map(|(n, _)| n).sum();
    let skew = |power: f64| {
        let of = |quantiles: &[f64; 3]| {
            let [low, middle, high] = quantiles.map(|ratio| symmetric(ratio, power));
            if high > low { (high + low - 2.0 * middle) / (high - low) } else { 0.0 }
        };
        ratios.iter().map(|(n, quantiles)| n * of(quantiles)).sum::<f64>() / all.max(1.0)
    };
    if skew(1.0).abs() < SKEWED / all.max(1.0).sqrt() {
        return 1.0;
    }
    let least = POWERS.into_iter().min_by(|a, b| skew(*a).abs().total_cmp(&skew(*b).abs()));
    least.unwrap_or(1.0)
}

/// How far a ratio is from one, in this power (Box and Cox 1964).
fn symmetric(ratio: f64, power: f64) -> f64 {
    if power == 1.0 {
        ratio - 1.0
    } else if power == 0.0 {
        ratio.max(LEAST_RATIO).ln()
    } else if ratio.is_nan() {
        ratio
    } else {
        (ratio.max(LEAST_RATIO).powf(power) - 1.0) / power
    }
}

impl Rules {
    /// The sum of some series and what was expected of it.
    pub(super) fn judge_sum(&self, usual: &[Option<Usual>], members: &[usize], dates: usize) -> Option<Judged> {
        let there: Vec<&Usual> = members.iter().filter_map(|i| usual[*i].as_ref()).collect();
        if there.len() < SHARED {
            return None;
        }
        let mut y = vec![0.0; dates];
        let mut sums: [Vec<f64>; 3] = std::array::from_fn(|_| vec![0.0; dates]);
        let (mut present, mut closed, mut marked) = (vec![0_usize; dates], vec![0_usize; dates], vec![0_usize; dates]);
        for one in &there {
            for t in 0..one.y.len() {
                let at = one.offset + t;
                let [all, before, after] = [0, 1, 2].map(|k| one.expected[k][t]);
                if one.y[t].is_finite() && all.is_finite() {
                    y[at] += one.y[t];
                    sums[0][at] += all;
                    // Where one side is not known, all around stands for it.
                    sums[1][at] += if before.is_finite() { before } else { all };
                    sums[2][at] += if after.is_finite() { after } else { all };
                    present[at] += 1;
                    closed[at] += usize::from(one.closed[t]);
                    marked[at] += usize::from(one.marked[t]);
                }
            }
        }
        let least = there.len().div_ceil(4).max(SHARED / 2);
        for t in 0..dates {
            if present[t] < least {
                y[t] = f64::NAN;
                sums.iter_mut().for_each(|sum| sum[t] = f64::NAN);
            }
        }
        let closed = (0..dates).map(|t| 2 * closed[t] > present[t]).collect();
        let marked = (0..dates).map(|t| 5 * marked[t] > present[t]).collect();
        self.judge(Usual { offset: 0, y, expected: sums, closed, marked })
    }

    /// One series: of it, a step known to be closed on which it sold nothing is as expected.
    pub(super) fn judge_one(&self, usual: Usual) -> Option<Judged> {
        let shut = |t: usize| usual.closed[t] && usual.y[t] < SHUT * usual.expected[0][t];
        let shut: Vec<bool> = (0..usual.y.len()).map(shut).collect();
        let mut judged = self.judge(usual)?;
        judged.unusual.iter_mut().zip(shut).filter(|(_, shut)| *shut).for_each(|(unusual, _)| *unusual = f64::NAN);
        Some(judged)
    }

    fn judge(&self, usual: Usual) -> Option<Judged> {
        let n = usual.y.len();
        let ratio = |k: usize, t: usize| usual.y[t] / usual.expected[k][t] - 1.0;
        let plain: Vec<f64> = (0..n).map(|t| ratio(0, t)).collect();
        let ordinary = |t: usize| plain[t].is_finite() && !usual.closed[t] && !usual.marked[t];
        if (0..n).filter(|t| ordinary(*t)).count() < LEAST {
            return None;
        }
        let years = self.other_years(&plain, &usual.closed);
        let of = |ratio: f64| symmetric(ratio, self.power);
        let deviation: Vec<f64> = (0..n).map(|t| of((1.0 + plain[t]) / (1.0 + years[t]))).collect();
        let scale = self.scales(&deviation, &(0..n).map(ordinary).collect::<Vec<_>>())?;
        let unusual: Vec<f64> = (0..n)
            .map(|t| {
                if !plain[t].is_finite() {
                    return f64::NAN;
                }
                let side = |k: usize| 1.0 + ratio(k, t);
                let sides = [1, 2].map(|k| if side(k).is_finite() { of(side(k) / (1.0 + years[t])) } else { f64::NAN });
                let all = [deviation[t], of(1.0 + plain[t]), sides[0], sides[1]];
                // The others need to agree by half: a change of level passes on one side, another year's anomaly without it.
                let sign = deviation[t].signum();
                let weakest = all.iter().filter(|d| d.is_finite()).map(|d| sign * d).fold(f64::INFINITY, f64::min);
                let least = if weakest >= 0.5 * deviation[t].abs() { deviation[t] } else { sign * weakest.max(0.0) };
                least / scale[t]
            })
            .collect();
        let expected: Vec<f64> = (0..n).map(|t| usual.expected[0][t] * (1.0 + years[t])).collect();
        let sales = (0..n).map(|t| scale[t] * expected[t]).collect();
        let deviation = (0..n).map(|t| if ordinary(t) { deviation[t] / scale[t] } else { f64::NAN }).collect();
        Some(Judged { offset: usual.offset, y: usual.y, expected, unusual, deviation, scale: sales })
    }

    /// What other years had at the same time, in the share in which they predict: the smallest of their deviations, zero where
    /// they do not agree.
    fn other_years(&self, plain: &[f64], closed: &[bool]) -> Vec<f64> {
        let n = plain.len();
        let year = self.year;
        if year < 2 || 2 * n < 3 * year {
            return vec![0.0; n];
        }
        let at = |t: Option<usize>| t.filter(|t| *t < n && !closed[*t]).map(|t| plain[t]).filter(|x| x.is_finite());
        let others: Vec<f64> = (0..n)
            .map(|t| {
                let most = n / year + 1;
                let near =
                    (1..=most).flat_map(|k| [at(t.checked_sub(k * year)), at(t.checked_add(k * year))]).flatten();
                let (low, high) = near.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
                if low.is_infinite() {
                    0.0
                } else if low > 0.0 {
                    low
                } else if high < 0.0 {
                    high
                } else {
                    0.0
                }
            })
            .collect();
        let sizes: Vec<f64> = plain.iter().filter(|x| x.is_finite()).map(|x| x.abs()).collect();
        let most = 5.0 * 1.4826 * median(sizes);
        let (mut both, mut square) = (0.0, 0.0);
        for t in (0..n).filter(|t| plain[*t].is_finite() && !closed[*t]) {
            let other = others[t].clamp(-most, most);
            both += other * plain[t].clamp(-most, most);
            square += other * other;
        }
        let share = if square > 0.0 { (both / square).clamp(0.0, 1.0) } else { 0.0 };
        let share = if share < 0.2 { 0.0 } else { share };
        others.into_iter().map(|other| (share * other).max(-0.9)).collect()
    }

    /// The robust standard deviation at each step: that of all steps, or of those around and at the same time of other years
    /// where it is larger.
    fn scales(&self, deviation: &[f64], ordinary: &[bool]) -> Option<Vec<f64>> {
        let n = deviation.len();
        let sizes: Vec<f64> = (0..n).filter(|t| ordinary[*t]).map(|t| deviation[t].abs()).collect();
        let all = median(sizes) / QUARTILE;
        if all.is_nan() || all <= 1e-9 {
            return None;
        }
        let year = self.year;
        let wide = self.reach.max(12);
        let stride = (wide / 4).max(1);
        let mut scale = vec![all; n];
        for from in (0..n).step_by(stride) {
            let to = (from + stride).min(n);
            let middle = (from + to) / 2;
            let mut near: Vec<f64> = Vec::with_capacity(8 * wide);
            let mut add = |centre: usize, reach: usize| {
                let steps = centre.saturating_sub(reach)..(centre + reach + 1).min(n);
                near.extend(steps.filter(|t| ordinary[*t]).map(|t| deviation[t].abs()));
            };
            add(middle, wide);
            if year >= 4 {
                (1..=n / year).for_each(|k| {
                    if let Some(earlier) = middle.checked_sub(k * year) {
                        add(earlier, wide / 2);
                    }
                    if middle + k * year < n {
                        add(middle + k * year, wide / 2);
                    }
                });
            }
            if near.len() >= 16 {
                let own = median(near) / QUARTILE;
                scale[from..to].fill(all.max(0.8 * own));
            }
        }
        Some(scale)
    }
}

/// Expects of each member what the others did: of many series one does not move the median.
pub(super) fn share_all(usual: &mut [Option<Usual>], members: &[usize], dates: usize) {
    let there: Vec<usize> = members.iter().copied().filter(|i| usual[*i].is_some()).collect();
    if there.len() < SHARED {
        return;
    }
    let all = if there.len() > ALONE { medians(usual, &there, None, dates) } else { Vec::new() };
    let commons: Vec<Vec<f64>> = if there.len() > ALONE {
        Vec::new()
    } else {
        there.par_iter().map(|i| medians(usual, &there, Some(*i), dates)).collect()
    };
    for (k, i) in there.iter().enumerate() {
        if let Some(usual) = &mut usual[*i] {
            share(usual, commons.get(k).unwrap_or(&all));
        }
    }
}

/// What the series but one share on each date: the median of their deviations; zero where few are there.
fn medians(usual: &[Option<Usual>], members: &[usize], but: Option<usize>, dates: usize) -> Vec<f64> {
    let there: Vec<&Usual> = members.iter().filter(|i| Some(**i) != but).filter_map(|i| usual[*i].as_ref()).collect();
    (0..dates)
        .into_par_iter()
        .with_min_len(64)
        .map(|date| {
            let of = |one: &&Usual| {
                let t = date.checked_sub(one.offset)?;
                let deviation = one.y.get(t)? / one.expected[0][t] - 1.0;
                deviation.is_finite().then_some(deviation)
            };
            let near: Vec<f64> = there.iter().filter_map(of).collect();
            if near.len() + 1 < SHARED {
                return 0.0;
            }
            // Less what the median of so many has by chance.
            let middle = median(near.clone());
            let spread = median(near.iter().map(|d| (d - middle).abs()).collect()) / QUARTILE;
            let chance = 1.57 * spread * spread / near.len() as f64;
            middle * (1.0 - chance / (middle * middle).max(1e-300)).max(0.0)
        })
        .collect()
}

/// Expects what the other series had as well. Where most were closed, a closed one is as expected, and an open one is compared
/// with its own usual sales.
fn share(usual: &mut Usual, common: &[f64]) {
    for t in 0..usual.y.len() {
        let common = common[usual.offset + t];
        if common > -0.7 {
            usual.expected.iter_mut().for_each(|expected| expected[t] *= 1.0 + common);
        } else if usual.y[t] < 0.3 * usual.expected[0][t] {
            usual.expected.iter_mut().for_each(|expected| expected[t] = f64::NAN);
        }
    }
}
