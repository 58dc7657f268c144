//! Actual and expected sales around every date: what the sums over series are, and which series say how much.
//!
//! Expected is a line through the ordinary steps on both sides of the window around the date, times the index of the weekday
//! and the factors of what is held fixed. Steps on which a series that sells else was shut count on holidays alone.
//!
//! **Weights.** The effect of the total is that of the largest and noisiest series. Where the effects of series are no
//! further from one another than their own ordinary dates let expect, a mean that trusts the quieter series more says the same
//! with less noise. Each series' effect is drawn to that mean as far as they are alike (DerSimonian & Laird 1986, *Controlled
//! Clinical Trials* vol. 7), and the total is that of these effects: where series differ, it is the plain total.

use rayon::prelude::*;

use super::kept::{Holiday, Kept};
use super::ordinary::{Baseline, PARTS, Part};
use crate::error::Result;
use crate::panel::{Panel, median};
use crate::progress;

/// The fewest series that are weighted.
const LEAST_SERIES: usize = 5;
/// The fewest ordinary dates that say how noisy a series is.
const LEAST_DATES: usize = 10;
/// A series counts as at least this share of the usual variance.
const QUIET: f64 = 0.25;

/// Actual and expected sales around every date, for windows of one length and one set of series.
pub(super) struct Sums {
    /// By step of the window, then by date of its first holiday step.
    pub(super) actual: Vec<Vec<f64>>,
    pub(super) expected: Vec<Vec<f64>>,
}

impl Sums {
    pub(super) fn empty(width: usize, dates: usize) -> Self {
        Self { actual: vec![vec![0.0; dates]; width], expected: vec![vec![0.0; dates]; width] }
    }

    /// Over these steps of the window around a date.
    pub(super) fn over(&self, date: usize, steps: &std::ops::Range<usize>) -> [f64; 2] {
        let of = |values: &[Vec<f64>]| steps.clone().map(|k| values[k][date]).sum::<f64>();
        [of(&self.actual), of(&self.expected)]
    }

    fn add(&mut self, other: Self) {
        let both = self.actual.iter_mut().zip(other.actual).chain(self.expected.iter_mut().zip(other.expected));
        both.for_each(|(sum, part)| sum.iter_mut().zip(part).for_each(|(a, b)| *a += b));
    }
}

/// What is summed for a holiday or several of the same length.
pub(super) struct Job<'a> {
    pub(super) length: usize,
    pub(super) set: usize,
    /// The weight of each series; one if there are none.
    pub(super) weights: Option<Vec<f64>>,
    /// First steps of holidays whose effects are asked for series by series.
    pub(super) starts: Vec<(&'a Holiday, Vec<usize>)>,
}

/// The sums of a job.
pub(super) struct Answer {
    pub(super) sums: Sums,
    /// By date: sales, and level times index, of ordinary steps.
    pub(super) steps: Vec<[f64; 2]>,
    /// By holiday and series: its effect times what was expected, that, and the variance of its effect on ordinary dates.
    pub(super) series: Vec<Vec<[f64; 3]>>,
}

/// Running sums over the steps that count, from which a line through any of them follows.
pub(super) struct Lines<'a> {
    series: &'a Part,
    /// Steps that count.
    at: Vec<usize>,
    /// Sums of y, y t, index, index t, index t² before each of them.
    sums: Vec<[f64; 5]>,
    middle: f64,
}

impl<'a> Lines<'a> {
    pub(super) fn of(series: &'a Part) -> Self {
        let at: Vec<usize> = (0..series.y.len()).filter(|t| series.counts[*t] && series.index[*t] > 0.05).collect();
        let middle = series.y.len() as f64 / 2.0;
        let mut sum = [0.0; 5];
        let mut sums = vec![sum];
        for t in &at {
            let (y, index, place) = (series.y[*t], series.index[*t], *t as f64 - middle);
            let next = [y, y * place, index, index * place, index * place * place];
            sum.iter_mut().zip(next).for_each(|(sum, next)| *sum += next);
            sums.push(sum);
        }
        Self { series, at, sums, middle }
    }

    /// Tells, for every date and step of the window around it, the step of the series and what was expected of it.
    pub(super) fn around(
        &self,
        reach: usize,
        before: usize,
        length: usize,
        after: usize,
        mut tell: impl FnMut(usize, usize, usize, f64),
    ) {
        let n = self.series.y.len();
        let (mut left, mut right) = (0, 0);
        // Steps on one side may be a little further away where a holiday lies between, but not much.
        let furthest = 3 * reach;
        for c in 0..n {
            let low = c as i64 - before as i64;
            let high = c + length + after;
            while left < self.at.len() && (self.at[left] as i64) < low {
                left += 1;
            }
            while right < self.at.len() && self.at[right] < high {
                right += 1;
            }
            let (from, to) = (left.saturating_sub(reach), (right + reach).min(self.at.len()));
            let enough = |steps: usize| 2 * steps >= reach;
            if low < 0
                || high > n
                || !enough(left - from)
                || !enough(to - right)
                || (c - self.at[from]) > furthest
                || self.at[to - 1] - c > furthest
            {
                continue;
            }
            let mut s = [0.0; 5];
            for (k, s) in s.iter_mut().enumerate() {
                *s = self.sums[left][k] - self.sums[from][k] + self.sums[to][k] - self.sums[right][k];
            }
            // y = index (level + slope (t − c)), steps weighted by the inverse of their index.
            let at = c as f64 - self.middle;
            let [y, yt, i, it, itt] = s;
            let (first, second, product) = (it - at * i, itt - 2.0 * at * it + at * at * i, yt - at * y);
            let determinant = i * second - first * first;
            if determinant.is_nan() || determinant <= 1e-9 * i * second {
                continue;
            }
            let level = (second * y - first * product) / determinant;
            let slope = (i * product - first * y) / determinant;
            for k in 0..before + length + after {
                let t = (low + k as i64) as usize;
                if self.series.y[t].is_finite() {
                    tell(c, k, t, self.series.index[t] * (level + slope * (t as f64 - c as f64)));
                }
            }
        }
    }
}

/// The sums of all jobs, in one pass over the series, and by date how many series that sell else are open, and how many of
/// them sold nothing.
pub(super) fn around(
    panel: &Panel,
    kept: &Kept,
    baseline: &Baseline,
    jobs: &[Job],
    (before, after): (usize, usize),
    year: usize,
) -> Result<(Vec<Answer>, Vec<[f64; 2]>)> {
    let (first, last) = panel.extent().unwrap_or((0, -1));
    let dates = usize::try_from(last - first + 1).unwrap_or(0);
    let part = panel.len().div_ceil(PARTS).max(1);
    let empty = |job: &Job| Answer {
        sums: Sums::empty(before + job.length + after, dates),
        steps: vec![[0.0; 2]; dates],
        series: vec![Vec::new(); job.starts.len()],
    };
    let summed = (0..panel.len().div_ceil(part))
        .into_par_iter()
        .map(|chunk| {
            let mut answers: Vec<Answer> = jobs.iter().map(empty).collect();
            let mut open = vec![[0.0; 2]; dates];
            let mut core = vec![[0.0; 2]; dates];
            for i in chunk * part..((chunk + 1) * part).min(panel.len()) {
                progress::check()?;
                let series = baseline.part(panel, i, &kept.near).map(|mut series| {
                    series.without_shut(&kept.near, baseline.phases());
                    series
                });
                let offset = series.as_ref().map_or(0, |series| (series.start - first) as usize);
                let level = series.as_ref().map(|series| series.level(baseline.reach()));
                for (job, answer) in jobs.iter().zip(&mut answers) {
                    let (Some(series), Some(level), true) = (&series, &level, kept.sets[job.set][i]) else {
                        answer.series.iter_mut().for_each(|of| of.push([0.0, 0.0, f64::NAN]));
                        continue;
                    };
                    let weight = job.weights.as_ref().map_or(1.0, |weights| weights[i]);
                    core[..].fill([0.0; 2]);
                    let of = before..before + job.length;
                    Lines::of(series).around(baseline.reach(), before, job.length, after, |c, k, t, expected| {
                        let date = offset + c;
                        answer.sums.actual[k][date] += weight * series.y[t];
                        answer.sums.expected[k][date] += weight * expected;
                        if of.contains(&k) {
                            core[date] = [core[date][0] + series.y[t], core[date][1] + expected];
                        }
                    });
                    for t in (0..series.y.len()).filter(|t| series.counts[*t] && level[*t] > 0.0) {
                        let step = &mut answer.steps[offset + t];
                        step[0] += weight * series.y[t];
                        step[1] += weight * level[t] * series.index[t];
                    }
                    if job.starts.is_empty() {
                        continue;
                    }
                    let ordinary = |date: usize| {
                        (date..(date + job.length).min(dates)).all(|date| !kept.near.has(first + date as i64))
                    };
                    let variance = variance(&core, year, &ordinary);
                    for ((_, starts), of) in job.starts.iter().zip(&mut answer.series) {
                        let [a, e] = starts.iter().fold([0.0; 2], |[a, b], at| [a + core[*at][0], b + core[*at][1]]);
                        of.push([a - e, e, variance]);
                    }
                }
                let Some(series) = series else { continue };
                for t in (0..series.y.len()).filter(|t| series.y[*t].is_finite() && series.index[*t] > 0.05) {
                    open[offset + t][0] += 1.0;
                    open[offset + t][1] += f64::from(u8::from(series.y[t] == 0.0));
                }
            }
            Ok((answers, open))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut answers: Vec<Answer> = jobs.iter().map(empty).collect();
    let mut open = vec![[0.0; 2]; dates];
    for (parts, closed) in summed {
        for (answer, part) in answers.iter_mut().zip(parts) {
            answer.sums.add(part.sums);
            answer.steps.iter_mut().zip(part.steps).for_each(|(a, b)| (a[0], a[1]) = (a[0] + b[0], a[1] + b[1]));
            answer.series.iter_mut().zip(part.series).for_each(|(a, b)| a.extend(b));
        }
        open.iter_mut().zip(closed).for_each(|(a, b)| (a[0], a[1]) = (a[0] + b[0], a[1] + b[1]));
    }
    Ok((answers, open))
}

/// The variance of a series' mean effect over two ordinary dates a year apart; where these are few, of one date.
fn variance(core: &[[f64; 2]], year: usize, ordinary: &dyn Fn(usize) -> bool) -> f64 {
    let known: Vec<bool> = (0..core.len()).map(|date| core[date][1] > 0.0 && ordinary(date)).collect();
    let of = |lag: usize| {
        let sizes = (lag..core.len()).filter(|date| known[*date] && known[*date - lag]).map(|date| {
            let [a, e] = [core[date][0] + core[date - lag][0], core[date][1] + core[date - lag][1]];
            (a / e - 1.0).powi(2)
        });
        let sizes: Vec<f64> = sizes.collect();
        (sizes.iter().sum::<f64>() / sizes.len() as f64, sizes.len())
    };
    let (pairs, count) = of(year);
    let (single, alone) = of(0);
    match (count >= LEAST_DATES, alone >= LEAST_DATES) {
        (true, _) => pairs,
        (_, true) => single,
        _ => f64::NAN,
    }
}

/// The weights of series for a holiday, and the variance that is left because they are not the same; none for the plain total.
pub(super) fn weights(series: &[[f64; 3]]) -> Option<(Vec<f64>, f64)> {
    let usable = |[_, e, v]: &[f64; 3]| *e > 0.0 && v.is_finite() && *v > 0.0;
    let known: Vec<usize> = (0..series.len()).filter(|i| usable(&series[*i])).collect();
    if known.len() < LEAST_SERIES {
        return None;
    }
    let least = QUIET * median(known.iter().map(|i| series[*i][2]).collect());
    // Of each: its effect, the variance of that, and what it would have sold.
    let of: Vec<[f64; 3]> = known
        .iter()
        .map(|i| {
            let [d, e, v] = series[*i];
            [d / e, v.max(least), e]
        })
        .collect();
    let total = |weight: &dyn Fn(&[f64; 3]) -> f64| of.iter().map(weight).sum::<f64>();
    let (w, w2) = (total(&|[_, v, _]| 1.0 / v), total(&|[_, v, _]| 1.0 / (v * v)));
    let mean = total(&|[x, v, _]| x / v) / w;
    let q = total(&|[x, v, _]| (x - mean).powi(2) / v);
    let between = ((q - (of.len() as f64 - 1.0)) / (w - w2 / w)).max(0.0);
    let inverse = |v: f64| 1.0 / (between + v);
    let kept = |v: f64| between * inverse(v);
    let shared = total(&|[_, v, e]| e * (1.0 - kept(*v)));
    let (sum, base) = (total(&|[_, v, _]| inverse(*v)), total(&|[_, _, e]| *e));
    let weight = |[_, v, e]: &[f64; 3]| kept(*v) + shared * inverse(*v) / sum / e;
    let left = between
        * total(&|[x, v, e]| {
            let own = weight(&[*x, *v, *e]) * e;
            (own - e).powi(2)
        })
        / (base * base);
    let mut weights = vec![1.0; series.len()];
    known.iter().zip(&of).for_each(|(i, of)| weights[*i] = weight(of));
    Some((weights, left))
}
