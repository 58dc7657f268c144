//! Is an effect larger than what the same estimate finds where there is none? The flag is moved to other dates.
//!
//! **Placebos.** In every series the flag, with level and cycles removed, is shifted around the circle of its history by the
//! same number of steps: by whole weeks for daily and hourly data, so that weekdays stay what they are. The real steps
//! with the flag do not count. The estimate is that of the regression, on its residuals: a ratio of sums of products,
//! weighted by series as there. Shifts that leave less than a quarter of the flag's variation are not used. As these
//! placebos have fewer steps than the flag they spread rather more than its estimate would by chance.
//!
//! **Around a run.** The mean of sales relative to the baseline at each step from the start and after the end of a run,
//! less one, with the same weights; scores are summed date by date.

use rayon::prelude::*;

use super::effect::Effects;
use super::matched::spread;
use super::spill::Windows;
use super::within::Controls;
use crate::error::Result;
use crate::progress;
use crate::statistics::{Estimate, of_scores};

/// The most series that are moved.
const MOST: usize = 150;
/// The most placebos.
const SHIFTS: usize = 80;
/// The share of the flag's variation that a placebo must keep.
const LEAST: f64 = 0.25;
/// The most steps of a run that the figure shows.
const LONG: usize = 14;

/// What the estimate is elsewhere, and around the runs.
pub(super) struct Elsewhere {
    /// The estimate at each shift.
    pub(super) placebos: Vec<f64>,
    /// Steps from the start of a run (after it: as if it had the usual length), the effect there.
    pub(super) around: Vec<(i64, Estimate)>,
    /// The usual length of a run.
    pub(super) length: usize,
}

struct Part {
    weight: f64,
    offset: usize,
    /// The flag as the regression sees it, what the flags leave unexplained, and sales relative to the baseline less one.
    flag: Vec<f64>,
    rest: Vec<f64>,
    relative: Vec<f64>,
    counts: Vec<bool>,
    on: Vec<bool>,
}

/// Placebos and surroundings of flag `k`.
///
/// # Errors
/// When the work is interrupted.
pub(super) fn elsewhere(found: &Effects, k: usize, windows: &Windows, skip: &[usize]) -> Result<Elsewhere> {
    let Effects { setting, all, weights, .. } = found;
    let panel = setting.panel;
    let groups: Vec<_> = setting.controls.groups.iter().collect();
    let with: Vec<f64> = (0..panel.len())
        .map(|i| if panel.column_of(i, &setting.flags[k].on).iter().any(|on| *on > 0.0) { weights[i] } else { 0.0 })
        .collect();
    let size = |i: usize| panel.target(i).iter().filter(|y| !y.is_nan()).sum::<f64>();
    let parts = spread(&with, &size, MOST)
        .par_iter()
        .map(|i| {
            progress::check()?;
            Ok(setting.adjusted(*i, all, &groups).map(|mut series| {
                let n = series.sales.len();
                let rest = (0..n)
                    .map(|t| if series.counts[t] { series.sales[t] - series.fitted(all, t) } else { 0.0 })
                    .collect();
                let mut relative = std::mem::take(&mut series.relative);
                for (j, flag) in setting.flags.iter().enumerate().filter(|(j, _)| *j != k && !skip.contains(j)) {
                    let column = panel.regular_column(*i, &flag.on);
                    let times = (1.0 + all[j]).max(0.1);
                    relative.iter_mut().zip(column.iter()).filter(|(_, on)| **on > 0.0).for_each(|(r, _)| *r /= times);
                }
                relative.iter_mut().for_each(|r| *r -= 1.0);
                let on = panel.regular_column(*i, &setting.flags[k].on).iter().map(|on| *on > 0.0).collect();
                let flag = std::mem::take(&mut series.flags[k]);
                Part { weight: with[*i], offset: series.offset, flag, rest, relative, counts: series.counts, on }
            }))
        })
        .collect::<Result<Vec<_>>>()?;
    let parts: Vec<Part> = parts.into_iter().flatten().collect();
    let length = length(&parts);
    let around = surroundings(&parts, windows, length, &setting.controls, found.effects[k].runs);
    Ok(Elsewhere { placebos: placebos(&parts, windows.cycle, setting.controls.dates), around, length })
}

/// The median length of a run.
fn length(parts: &[Part]) -> usize {
    let mut lengths: Vec<usize> =
        parts.iter().flat_map(|part| part.on.chunk_by(|a, b| a == b).filter(|run| run[0]).map(<[bool]>::len)).collect();
    lengths.sort_unstable();
    lengths.get(lengths.len() / 2).copied().unwrap_or(1)
}

fn placebos(parts: &[Part], cycle: usize, dates: usize) -> Vec<f64> {
    let least = if cycle > 1 { cycle } else { 3 };
    let possible: Vec<usize> = (least..=dates.saturating_sub(least)).step_by(cycle.max(1)).collect();
    let every = possible.len().div_ceil(SHIFTS).max(1);
    let shifts: Vec<usize> = possible.into_iter().step_by(every).collect();
    let whole: f64 = parts.iter().map(|part| part.weight * part.flag.iter().map(|x| x * x).sum::<f64>()).sum();
    let estimates = shifts.par_iter().map(|shift| {
        let (mut products, mut squares) = (0.0, 0.0);
        for part in parts {
            let n = part.flag.len();
            let shift = if cycle > 1 && n > 2 * cycle { shift % (n - n % cycle) } else { shift % n.max(1) };
            if shift == 0 {
                continue;
            }
            let (ahead, start) = part.flag.split_at(shift);
            let moved = start.iter().chain(ahead);
            let (mut count, mut sum, mut square, mut product, mut rest) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for ((x, u), (counts, on)) in moved.zip(&part.rest).zip(part.counts.iter().zip(&part.on)) {
                if *counts && !on {
                    count += 1.0;
                    sum += x;
                    square += x * x;
                    product += x * u;
                    rest += u;
                }
            }
            if count > 0.0 {
                products += part.weight * (product - sum * rest / count);
                squares += part.weight * (square - sum * sum / count);
            }
        }
        (squares >= LEAST * whole && squares > 0.0).then(|| products / squares)
    });
    estimates.collect::<Vec<_>>().into_iter().flatten().collect()
}

fn surroundings(
    parts: &[Part],
    windows: &Windows,
    length: usize,
    controls: &Controls,
    runs: usize,
) -> Vec<(i64, Estimate)> {
    let inside = length.clamp(1, LONG);
    let (before, after) = (windows.before.max(3), windows.after.max(3));
    let places = before + inside + after;
    let mut sums = vec![vec![0.0; controls.dates]; places];
    let mut sizes = sums.clone();
    for part in parts {
        let n = part.on.len();
        // Steps since the last step with the flag and since the start of its run; steps to the next.
        let mut next = vec![usize::MAX; n];
        let mut to = usize::MAX;
        for t in (0..n).rev() {
            to = if part.on[t] { 0 } else { to.saturating_add(1) };
            next[t] = to;
        }
        let (mut since, mut into) = (usize::MAX, 0);
        for t in 0..n {
            into = if part.on[t] { into + 1 } else { 0 };
            since = if part.on[t] { 0 } else { since.saturating_add(1) };
            if !part.counts[t] {
                continue;
            }
            let place = if into > 0 {
                (into <= inside).then(|| before + into - 1)
            } else if next[t] <= before && next[t] < since {
                Some(before - next[t])
            } else {
                (since <= after).then(|| before + inside + since - 1)
            };
            if let Some(place) = place {
                sums[place][part.offset + t] += part.weight * part.relative[t];
                sizes[place][part.offset + t] += part.weight;
            }
        }
    }
    (0..places)
        .filter_map(|place| {
            let (sum, size) = (sums[place].iter().sum::<f64>(), sizes[place].iter().sum::<f64>());
            let value = sum / size;
            let scores: Vec<f64> = sums[place].iter().zip(&sizes[place]).map(|(s, w)| (s - value * w) / size).collect();
            let most = (runs as f64 - 1.0).max(1.0);
            (size > 0.0)
                .then(|| (place as i64 - before as i64, of_scores(value, &scores, most, Some(controls.memory()))))
        })
        .collect()
}
