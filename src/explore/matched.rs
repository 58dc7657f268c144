//! What would sales have been without a flag? Matched before and after: each step of a run with the steps without the flag
//! of the same weekday, shortly before and shortly after the run.
//!
//! **Comparison.** A step is compared with the nearest steps without the flag in the same phase (of daily data the same
//! weekday, of hourly data the same hour of the week, of monthly data the same month; of weekly data any), up to
//! [`NEAREST`] on either side. Steps just before and just after a run, in which sales may have been held back or
//! borrowed, are left out wherever the flag is rare enough to allow it. The mean before and the mean after are weighted
//! so that their mean time is that of the step, which removes a linear trend (an interrupted time series with a
//! reversal; Shadish, Cook and Campbell 2002, chapter 6). A step without such neighbours on both sides is left out. Other
//! flags are divided out at their effects in the regression, and so is the index of the day of the month or of the week
//! of the year where the regression holds it fixed, from the steps without the flag in all series.
//!
//! **Effect.** The ratio of the sums of sales and of comparisons over all runs, less one. Its scores are summed date by date
//! ([`crate::statistics::Estimate`]); degrees of freedom are one less than there are runs, at most.
//!
//! It fails where the flag is on in every week, so that hardly a step has neighbours: then it is left out.

use rayon::prelude::*;

use super::effect::{Effects, Setting};
use super::within::{Cycle, line};
use crate::error::Result;
use crate::progress;
use crate::statistics::{Estimate, of_scores};

/// Comparisons on either side; of data in which every step is alike, twice as many.
const NEAREST: usize = 3;
/// The share of the steps with the flag that must have comparisons.
const LEAST: f64 = 0.5;
/// The share that must have them for steps around runs to be left out.
const ENOUGH: f64 = 0.7;
/// Steps on which another flag leaves less than this share of sales are not compared.
const CLOSED: f64 = 0.3;
/// An index or level below this share of the mean is too low to divide by.
const LEAST_LEVEL: f64 = 0.05;
/// A season longer than this is followed by series together.
const LONG: usize = 31;
/// The most series that are compared.
pub(super) const MOST: usize = 600;

/// How the effect of a flag turns out by one method.
pub(super) struct Method {
    pub(super) name: &'static str,
    pub(super) all: Estimate,
    /// What each date adds to the estimate by chance.
    pub(super) scores: Vec<f64>,
}

impl Method {
    /// The ratio of two sums over dates, less one, with at most this many degrees of freedom.
    pub(super) fn of_sums(
        name: &'static str,
        actual: &[f64],
        expected: &[f64],
        runs: usize,
        memory: usize,
    ) -> Option<Self> {
        let (a, b): (f64, f64) = (actual.iter().sum(), expected.iter().sum());
        if b <= 0.0 || !a.is_finite() || !b.is_finite() {
            return None;
        }
        let value = a / b - 1.0;
        // Deviations from a mean of few runs are too small.
        let few = (runs as f64 / (runs as f64 - 1.0).max(1.0)).sqrt();
        let scores: Vec<f64> = actual.iter().zip(expected).map(|(a, e)| few * (a - (1.0 + value) * e) / b).collect();
        let all = of_scores(value, &scores, (runs as f64 - 1.0).max(1.0), Some(memory));
        Some(Self { name, all, scores })
    }
}

/// A series with what is not the flag's taken out.
pub(super) struct Clean {
    /// Its first date, counted from the panel's.
    pub(super) offset: usize,
    /// Sales; NaN at steps that do not count.
    pub(super) sales: Vec<f64>,
    /// The factor of other flags and of the cycles that all series share.
    pub(super) factor: Vec<f64>,
    /// The index of the step's phase in the series' own cycles.
    pub(super) index: Vec<f64>,
    pub(super) on: Vec<bool>,
}

/// The series in which a flag is compared, and how.
pub(super) struct Cleaned {
    pub(super) series: Vec<Clean>,
    pub(super) dates: usize,
    /// Dates apart from which nothing is autocorrelated.
    pub(super) memory: usize,
    /// Steps before and after a run that are left out.
    pub(super) guard: (usize, usize),
    /// The length of the cycle of which steps must have the same phase.
    phase: usize,
    limit: usize,
    nearest: usize,
}

/// Series spread by size, at most this many, in the panel's order.
pub(super) fn spread(weights: &[f64], size: &dyn Fn(usize) -> f64, most: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..weights.len()).filter(|i| weights[*i] > 0.0).collect();
    if order.len() <= most {
        return order;
    }
    let sizes: Vec<f64> = (0..weights.len()).map(|i| if weights[i] > 0.0 { size(i) } else { 0.0 }).collect();
    order.sort_by(|a, b| sizes[*b].total_cmp(&sizes[*a]).then(a.cmp(b)));
    let every = order.len() as f64 / most as f64;
    let mut picked: Vec<usize> = (0..most).map(|k| order[((k as f64 + 0.5) * every) as usize]).collect();
    picked.sort_unstable();
    picked
}

/// The series of a panel by which the effect of flag `k` is compared.
///
/// # Errors
/// When the work is interrupted.
pub(super) fn cleaned(found: &Effects, k: usize, windows: (usize, usize)) -> Result<Cleaned> {
    let Effects { setting, all, weights, .. } = found;
    let Setting { panel, flags, controls, .. } = setting;
    let size = |i: usize| panel.target(i).iter().filter(|y| !y.is_nan()).sum::<f64>();
    // Only series in which the flag is on tell what it does.
    let with: Vec<f64> = (0..panel.len())
        .map(|i| if panel.column_of(i, &flags[k].on).iter().any(|on| *on > 0.0) { weights[i] } else { 0.0 })
        .collect();
    let picked = spread(&with, &size, MOST);
    let is_shared = |count: usize, cycle: Cycle| cycle == Cycle::Month || (cycle == Cycle::Season && count > LONG);
    let own: Vec<_> = controls.groups.iter().filter(|group| !is_shared(group.count, group.cycle)).collect();
    let shared: Vec<_> = controls.groups.iter().filter(|group| is_shared(group.count, group.cycle)).collect();
    let parts = picked
        .par_iter()
        .map(|i| {
            progress::check()?;
            let y = panel.regular(*i);
            let Some(offset) = panel.positions(*i).first().and_then(|at| usize::try_from(at - controls.first).ok())
            else {
                return Ok(None);
            };
            let n = y.len();
            let mut factor = vec![1.0; n];
            for (j, flag) in flags.iter().enumerate().filter(|(j, _)| *j != k) {
                let column = panel.regular_column(*i, &flag.on);
                let times = (1.0 + all[j]).max(0.1);
                factor.iter_mut().zip(column.iter()).filter(|(_, on)| **on > 0.0).for_each(|(f, _)| *f *= times);
            }
            let on: Vec<bool> = panel.regular_column(*i, &flags[k].on).iter().map(|on| *on > 0.0).collect();
            let mut counts: Vec<bool> = (0..n).map(|t| !y[t].is_nan() && factor[t] >= CLOSED).collect();
            let free: Vec<bool> = (0..n).map(|t| counts[t] && !on[t]).collect();
            let bare: Vec<f64> = (0..n).map(|t| if counts[t] { y[t] / factor[t] } else { 0.0 }).collect();
            let frees = free.iter().filter(|free| **free).count();
            let mean = (0..n).filter(|t| free[*t]).map(|t| bare[t]).sum::<f64>() / frees.max(1) as f64;
            if frees < 3 || mean <= 0.0 {
                return Ok(None);
            }
            let level = line(&bare, &free, controls.reach);
            let usable: Vec<bool> = level.iter().map(|level| *level > LEAST_LEVEL * mean).collect();
            // The index of each phase, from the steps without the flag; the same steps, in turn, for cycles together.
            let mut index = vec![1.0; n];
            let of = |values: &dyn Fn(usize) -> f64, phases: &[u32], count: usize| {
                let (mut sums, mut sizes) = (vec![0.0; count], vec![0.0; count]);
                for t in (0..n).filter(|t| free[*t] && usable[*t]) {
                    sums[phases[t] as usize] += values(t);
                    sizes[phases[t] as usize] += 1.0;
                }
                (sums, sizes)
            };
            for group in &own {
                let phases = &group.of[offset..offset + n];
                let (sums, sizes) = of(&|t| bare[t] / level[t] / index[t], phases, group.count);
                for t in 0..n {
                    let phase = phases[t] as usize;
                    let known = sizes[phase] > 0.0;
                    index[t] *= if known { sums[phase] / sizes[phase] } else { 1.0 };
                    counts[t] &= known && index[t] > LEAST_LEVEL;
                }
            }
            let ratios: Vec<(Vec<f64>, Vec<f64>)> = shared
                .iter()
                .map(|group| {
                    let ratio = |t: usize| if index[t] > LEAST_LEVEL { bare[t] / level[t] / index[t] } else { 1.0 };
                    of(&ratio, &group.of[offset..offset + n], group.count)
                })
                .collect();
            let sales = (0..n).map(|t| if counts[t] { y[t] } else { f64::NAN }).collect();
            Ok(Some((Clean { offset, sales, factor, index, on }, ratios)))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut indices: Vec<Vec<f64>> = shared.iter().map(|group| vec![1.0; group.count]).collect();
    for (g, group) in shared.iter().enumerate() {
        let (mut sums, mut sizes) = (vec![0.0; group.count], vec![0.0; group.count]);
        for (_, ratios) in parts.iter().flatten() {
            for phase in 0..group.count {
                sums[phase] += ratios[g].0[phase];
                sizes[phase] += ratios[g].1[phase];
            }
        }
        for phase in (0..group.count).filter(|phase| sizes[*phase] > 0.0) {
            indices[g][phase] = (sums[phase] / sizes[phase]).max(LEAST_LEVEL);
        }
    }
    let mut series = Vec::with_capacity(parts.len());
    for (mut clean, _) in parts.into_iter().flatten() {
        for (group, index) in shared.iter().zip(&indices) {
            clean.factor.iter_mut().zip(&group.of[clean.offset..]).for_each(|(f, phase)| *f *= index[*phase as usize]);
        }
        series.push(clean);
    }
    let phase = own.iter().map(|group| group.count).max().unwrap_or(1);
    let (limit, nearest) = if phase > 1 { (6 * phase, NEAREST) } else { (2 * controls.reach, 2 * NEAREST) };
    let mut cleaned =
        Cleaned { series, dates: controls.dates, memory: controls.memory(), guard: (0, 0), phase, limit, nearest };
    for guard in [windows, (windows.0.div_ceil(2), windows.1.div_ceil(2)), (0, 0)] {
        cleaned.guard = guard;
        if cleaned.share() >= ENOUGH {
            break;
        }
    }
    Ok(cleaned)
}

impl Cleaned {
    /// Which steps of a series are without the flag and not around a run of it?
    pub(super) fn free(&self, clean: &Clean) -> Vec<bool> {
        let n = clean.on.len();
        let mut free: Vec<bool> = (0..n).map(|t| !clean.on[t] && !clean.sales[t].is_nan()).collect();
        for t in (0..n).filter(|t| clean.on[*t]) {
            if t + 1 < n && !clean.on[t + 1] {
                free[t + 1..(t + 1 + self.guard.1).min(n)].fill(false);
            }
            if t > 0 && !clean.on[t - 1] {
                free[t.saturating_sub(self.guard.0)..t].fill(false);
            }
        }
        free
    }

    /// What each step with the flag is compared with, before and after.
    fn compared(&self, clean: &Clean) -> Vec<(usize, Option<f64>)> {
        let free = self.free(clean);
        let n = clean.on.len();
        let side = |t: usize, ahead: bool| -> Option<(f64, f64)> {
            let (mut sum, mut times, mut count) = (0.0, 0.0, 0.0);
            for step in (self.phase..=self.limit).step_by(self.phase) {
                let at = if ahead { Some(t + step).filter(|at| *at < n) } else { t.checked_sub(step) };
                let Some(at) = at else { break };
                if free[at] {
                    sum += clean.sales[at] / clean.factor[at];
                    times += step as f64;
                    count += 1.0;
                    if count as usize == self.nearest {
                        break;
                    }
                }
            }
            (count > 0.0).then(|| (sum / count, times / count))
        };
        (0..n)
            .filter(|t| clean.on[*t] && !clean.sales[*t].is_nan())
            .map(|t| {
                let both = side(t, false).zip(side(t, true));
                (t, both.map(|((a, far), (b, near))| clean.factor[t] * (a * near + b * far) / (near + far)))
            })
            .collect()
    }

    /// The share of the steps with the flag that have comparisons.
    fn share(&self) -> f64 {
        let every = (self.series.len() / 100).max(1);
        let counts: Vec<(usize, usize)> = (self.series.par_iter().step_by(every))
            .map(|clean| {
                let compared = self.compared(clean);
                (compared.iter().filter(|(_, expected)| expected.is_some()).count(), compared.len())
            })
            .collect();
        let (with, all) = counts.iter().fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
        with as f64 / all.max(1) as f64
    }

    /// The effect, matched before and after; nothing where too few steps have comparisons.
    pub(super) fn matched(&self, runs: usize) -> Option<Method> {
        let all: Vec<Vec<(usize, Option<f64>)>> = self.series.par_iter().map(|clean| self.compared(clean)).collect();
        let (mut actual, mut expected) = (vec![0.0; self.dates], vec![0.0; self.dates]);
        let (mut with, mut steps) = (0_usize, 0_usize);
        for (clean, compared) in self.series.iter().zip(&all) {
            for (t, comparison) in compared {
                steps += 1;
                if let Some(comparison) = comparison {
                    with += 1;
                    actual[clean.offset + t] += clean.sales[*t];
                    expected[clean.offset + t] += comparison;
                }
            }
        }
        let enough = steps > 0 && with as f64 >= LEAST * steps as f64;
        enough.then(|| Method::of_sums("matched before and after", &actual, &expected, runs, self.memory)).flatten()
    }
}
