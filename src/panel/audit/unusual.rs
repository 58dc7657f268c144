//! Which values are unusual for their series?
//!
//! A series is split into trend (running median), season (median of the detrended values at each phase of the season)
//! and residual; medians throughout, so that outliers do not mask themselves. Outliers and level shifts are detected in
//! the logarithms of the positive values, because sales vary by factors: a digit too many is a factor of ten in a
//! strong week and in a weak one.
//!
//! - *Outliers* are residuals that the double median absolute deviation (Rosenmai 2013) sets apart.
//! - *Level shifts* are places where the medians on both sides differ by more than the residuals explain.
//! - *Stock-outs* are runs of zeros that are improbable under the series' own rate of zeros at those places of the
//!   season.
//!
//! Steps in which the item could not always be sold are judged by none of them: a run of zeros goes on over the days on which
//! the shop is closed, which count neither as zeros nor as others.
//!
//! Series that are too short have no findings: they need at least [`LEAST`] values.

use super::Found;
use super::rows::runs;
use crate::panel::{LONGEST, Panel};
use crate::show::number;

/// Values that a series needs before one of them is unusual.
const LEAST: usize = 24;
/// How many robust standard deviations of the residuals make an outlier worth a word.
const FAR: f64 = 8.0;
/// However little a series varies, an outlier is at least this many times the expected value, or at most that fraction
/// of it.
const FACTOR: f64 = 4.0;
/// A level shift changes the level by this factor at least.
const CHANGE: f64 = 1.8;
/// As [`FAR`], by the deviations on the residual's own side, which asymmetric residuals need.
const FAR_ON_ITS_SIDE: f64 = 5.0;
/// Runs of zeros that a series would show less often than this in all its length are suspected.
const EXPECTED: f64 = 0.02;

/// `open` is the share of each row's step in which the item could be sold, if that is known.
pub(super) fn check(panel: &Panel, i: usize, open: Option<&[f64]>) -> Vec<Found> {
    // One wrong timestamp can make the calendar larger than memory; it is reported as a gap.
    let ends = panel.positions(i).first().zip(panel.positions(i).last());
    if ends.is_some_and(|(first, last)| last.saturating_sub(*first) > LONGEST) {
        return Vec::new();
    }
    let mut y = panel.regular(i).into_owned();
    if y.iter().filter(|v| !v.is_nan()).count() < LEAST {
        return Vec::new();
    }
    let first = panel.positions(i).first().copied().unwrap_or(0);
    let label = |t: usize| panel.inner().calendar.label(first + t as i64);
    let season = panel.season();
    let mut found = Vec::new();
    let shares = open.map(|open| panel.available(i, open));
    let is_open = |t: usize| shares.as_ref().is_none_or(|shares| shares[t] >= 1.0);
    for run in stock_outs(&y, season, is_open) {
        let zeros = run.clone().filter(|t| is_open(*t)).count();
        found.push(Found::new("stock-outs", i, label(run.start), Some("0".into()), zeros));
        // Zeros of a stock-out do not enter level and season.
        y[run].fill(f64::NAN);
    }
    (0..y.len()).filter(|t| !is_open(*t)).for_each(|t| y[t] = f64::NAN);
    let logs = logs(&y);
    let parts = Parts::of(&logs, season);
    // With less than two seasons, a season looks like a shift.
    let shifts =
        if season > 1 && y.len() < 2 * season { Vec::new() } else { level_shifts(&y, &parts.adjusted(&logs), season) };
    for (t, expected, _) in far_out(&logs, &parts, season) {
        // The values on the edge of a step are not its outliers.
        if !shifts.iter().any(|(shift, ..)| shift.abs_diff(t) <= 1) {
            let value = format!("{}, expected {}", number(y[t]), number(expected));
            found.push(Found::new("outliers", i, label(t), Some(value), 1));
        }
    }
    for (t, before, after) in shifts {
        let value = format!("from {} to {}", number(before), number(after));
        found.push(Found::new("level shifts", i, label(t), Some(value), 1));
    }
    found
}

/// The logarithms of the positive values; zeros and returns are judged for themselves.
fn logs(y: &[f64]) -> Vec<f64> {
    y.iter().map(|v| if *v > 0.0 { v.ln() } else { f64::NAN }).collect()
}

/// A series as trend, season and residual; NaN where the value is missing.
pub(in crate::panel) struct Parts {
    pub(in crate::panel) season: Vec<f64>,
    residual: Vec<f64>,
    /// The spread of the residuals: the median absolute deviation, scaled to a standard deviation.
    spread: f64,
}

impl Parts {
    pub(in crate::panel) fn of(y: &[f64], m: usize) -> Self {
        let n = y.len();
        let seasonal = m > 1 && n >= 2 * m;
        // Whole seasons where they are short, else a quarter of one: a trend, not the season itself.
        let window = match (seasonal, m) {
            (true, 2..=14) => 2 * m + 1,
            (true, _) => (m / 4).clamp(13, 53) | 1,
            (false, _) => 13,
        };
        let trend = running_median(y, window);
        let mut season = vec![0.0; n];
        let deviation = |values: &[f64]| 1.4826 * median(values.iter().map(|r| r.abs()).collect());
        // A median of two or three values lies so near to them that what it leaves says little of their spread.
        let floor =
            if seasonal && n < 5 * m { deviation(&(0..n).map(|t| y[t] - trend[t]).collect::<Vec<_>>()) } else { 0.0 };
        if seasonal {
            let mut places: Vec<Vec<f64>> = vec![Vec::new(); m];
            for t in 0..n {
                places[t % m].push(y[t] - trend[t]);
            }
            let middles: Vec<f64> = places.into_iter().map(repeated).collect();
            (0..n).for_each(|t| season[t] = middles[t % m]);
        }
        let adjusted: Vec<f64> = (0..n).map(|t| y[t] - season[t]).collect();
        let trend = running_median(&adjusted, window);
        let residual: Vec<f64> = (0..n).map(|t| adjusted[t] - trend[t]).collect();
        let spread = deviation(&residual).max(floor);
        Self { season, residual, spread }
    }

    /// The values less their season.
    fn adjusted(&self, y: &[f64]) -> Vec<f64> {
        y.iter().zip(&self.season).map(|(y, s)| y - s).collect()
    }
}

/// What repeats at a place of the season: the median, of two values the one nearer to nothing, of one nothing.
fn repeated(mut values: Vec<f64>) -> f64 {
    values.retain(|v| !v.is_nan());
    match values[..] {
        [] | [_] => 0.0,
        [a, b] if a * b <= 0.0 => 0.0,
        [a, b] => a.signum() * a.abs().min(b.abs()),
        _ => median(values),
    }
}

/// The outliers: step, expected value, and the threshold on that side.
pub(in crate::panel) fn outliers(y: &[f64], m: usize) -> Vec<(usize, f64, f64)> {
    let logs = logs(y);
    far_out(&logs, &Parts::of(&logs, m), m)
}

/// As [`outliers`], of the logarithms and their parts.
fn far_out(logs: &[f64], parts: &Parts, m: usize) -> Vec<(usize, f64, f64)> {
    let n = logs.len();
    let limit = (FAR * parts.spread).max(FACTOR.ln());
    let mut candidates: Vec<usize> = (0..n).filter(|t| parts.residual[*t].abs() > limit).collect();
    // Where the season is not known, weeks of a strong season look like outliers: only single ones are.
    if m > 1 && n < 2 * m {
        let near = |t: usize, side: f64| parts.residual.get(t).is_some_and(|r| r * side > limit / 2.0);
        let all = candidates.clone();
        candidates.retain(|t| {
            let side = parts.residual[*t].signum();
            !near(t.wrapping_sub(1), side) && !near(t + 1, side) && all.len() * 20 <= n
        });
    }
    if candidates.is_empty() {
        return Vec::new();
    }
    let known: Vec<f64> = parts.residual.iter().map(|r| if r.is_nan() { 0.0 } else { *r }).collect();
    let middle = median(known.clone());
    let deviations =
        |side: f64| 1.4826 * median(known.iter().map(|r| (r - middle) * side).filter(|d| *d >= 0.0).collect());
    let (below, above) = (deviations(-1.0), deviations(1.0));
    // Where half of a side lies in the middle itself, it tells nothing.
    if below > 0.0 && above > 0.0 {
        candidates.retain(|t| {
            let off = known[*t] - middle;
            off.abs() > FAR_ON_ITS_SIDE * if off < 0.0 { below } else { above }
        });
    }
    let back = |t: usize, residual: f64| (logs[t] - parts.residual[t] + residual).exp();
    candidates.into_iter().map(|t| (t, back(t, 0.0), back(t, limit.copysign(parts.residual[t])))).collect()
}

/// Where the level, less the season, changes and stays: the place, the median before and the median after.
/// `y` are the logarithms less their season, `given` the values themselves.
fn level_shifts(given: &[f64], y: &[f64], m: usize) -> Vec<(usize, f64, f64)> {
    let n = y.len();
    let window = (m / 4).clamp(8, 14);
    if n < 4 * window {
        return Vec::new();
    }
    let side = |range: std::ops::Range<usize>| median(y[range].to_vec());
    let ahead = sliding_medians(y, 0, window);
    let inside = |t: usize| (window..=n - window).contains(&t);
    let steps: Vec<f64> = (0..n).map(|t| if inside(t) { ahead[t] - ahead[t - window] } else { 0.0 }).collect();
    let noise = 1.4826 * median(y.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect()) / 2.0_f64.sqrt();
    let mut found: Vec<(usize, f64, f64)> = Vec::new();
    let mut order: Vec<usize> = (window..=n - window).filter(|t| steps[*t].abs() > 0.0).collect();
    order.sort_by(|a, b| steps[*b].abs().total_cmp(&steps[*a].abs()).then(a.cmp(b)));
    for t in order {
        if steps[t].abs() < 3.0 * noise {
            break;
        }
        if found.iter().any(|(known, ..)| known.abs_diff(t) < 2 * window) {
            continue;
        }
        // Wider on both sides: what comes back is no shift of the level.
        let (low, high) = (t.saturating_sub(2 * window), (t + 2 * window).min(n));
        let (before, after) = (side(low..t), side(t..high));
        let spread = 1.4826
            * median(
                (low..high)
                    .map(|s| (y[s] - if s < t { before } else { after }).abs())
                    .filter(|d| !d.is_nan())
                    .collect(),
            );
        let step = (after - before).abs();
        if step > 5.0 * spread.max(noise) && step > CHANGE.ln() {
            let exact = edge(y, t, window, before, after);
            let seen = |range: std::ops::Range<usize>| median(given[range].to_vec());
            found.push((exact, seen(low..exact), seen(exact..high)));
        }
    }
    found.sort_by_key(|(t, ..)| *t);
    found
}

/// The place near `t` from which values are nearer to the level after than to the one before.
fn edge(y: &[f64], t: usize, window: usize, before: f64, after: f64) -> usize {
    let (low, high) = (t.saturating_sub(window), (t + window).min(y.len()));
    let cost = |s: usize, level: f64| if y[s].is_nan() { 0.0 } else { (y[s] - level).abs() };
    let mut sum: f64 = (low..high).map(|s| cost(s, after)).sum();
    let mut best = (sum, low);
    for s in low..high {
        sum += cost(s, before) - cost(s, after);
        if sum < best.0 {
            best = (sum, s + 1);
        }
    }
    best.1
}

/// Runs of zeros that the series' own zeros do not explain, in steps that are open. What comes before the first sale is no
/// stock-out.
pub(in crate::panel) fn stock_outs(
    y: &[f64],
    m: usize,
    is_open: impl Fn(usize) -> bool,
) -> Vec<std::ops::Range<usize>> {
    let Some(start) = y.iter().position(|v| *v > 0.0) else { return Vec::new() };
    let zero = |t: usize| y[t] == 0.0 && is_open(t);
    let within = |run: std::ops::Range<usize>| {
        let (first, last) = (run.clone().find(|t| zero(*t))?, run.rev().find(|t| zero(*t))?);
        Some(first..last + 1)
    };
    let mut zeros: Vec<std::ops::Range<usize>> =
        runs(y.len(), |t| t >= start && (zero(t) || !is_open(t))).into_iter().filter_map(within).collect();
    if zeros.is_empty() {
        return zeros;
    }
    // Days of the week and hours have their own rates; weeks of the year come round too seldom to have one.
    let places = if (2..=24).contains(&m) && y.len() >= 8 * m { m } else { 1 };
    let mut suspected: Vec<std::ops::Range<usize>> = Vec::new();
    zeros.sort_by_key(|run| std::cmp::Reverse(run.len()));
    // The longest first: once it is set aside, the rate is that of the rest.
    for run in zeros {
        let mut seen = vec![(0.0_f64, 0.0_f64); places];
        for (t, v) in y.iter().enumerate().skip(start) {
            if v.is_nan() || !is_open(t) || run.contains(&t) || suspected.iter().any(|run| run.contains(&t)) {
                continue;
            }
            seen[t % places].1 += 1.0;
            seen[t % places].0 += f64::from(u8::from(*v == 0.0));
        }
        let rest: f64 = seen.iter().map(|(_, n)| n).sum();
        if rest < LEAST as f64 / 2.0 {
            break;
        }
        // A series that never shows a zero elsewhere is given a hundredth of one.
        let log: f64 = run
            .clone()
            .filter(|t| is_open(*t))
            .map(|t| ((seen[t % places].0 + 0.01) / (seen[t % places].1 + 0.02)).ln())
            .sum();
        if log + rest.ln() < EXPECTED.ln() { suspected.push(run) } else { break }
    }
    suspected.sort_by_key(|run| run.start);
    suspected
}

/// The median of the values within half a window on both sides; missing values are left out.
fn running_median(y: &[f64], window: usize) -> Vec<f64> {
    sliding_medians(y, window / 2, window / 2 + 1)
}

/// The median of `y[t - before..t + after]` for each t, as far as there is such; missing values are left out.
fn sliding_medians(y: &[f64], before: usize, after: usize) -> Vec<f64> {
    let mut sorted: Vec<f64> = Vec::with_capacity(before + after + 1);
    let mut medians = Vec::with_capacity(y.len());
    let place = |sorted: &[f64], v: f64| sorted.partition_point(|other| *other < v);
    for v in y.iter().take(after - 1).filter(|v| !v.is_nan()) {
        sorted.insert(place(&sorted, *v), *v);
    }
    for t in 0..y.len() {
        if let Some(v) = y.get(t + after - 1).filter(|v| !v.is_nan()) {
            sorted.insert(place(&sorted, *v), *v);
        }
        if let Some(v) = t.checked_sub(before + 1).map(|gone| y[gone]).filter(|v| !v.is_nan()) {
            sorted.remove(place(&sorted, v));
        }
        let n = sorted.len();
        medians.push(match n {
            0 => f64::NAN,
            n if n % 2 == 1 => sorted[n / 2],
            n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
        });
    }
    medians
}

/// The middle of some values, NaN for none; missing ones are left out.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.retain(|v| !v.is_nan());
    let n = values.len();
    if n == 0 {
        return f64::NAN;
    }
    let (_, upper, _) = values.select_nth_unstable_by(n / 2, f64::total_cmp);
    let upper = *upper;
    if n % 2 == 1 {
        return upper;
    }
    let lower = values[..n / 2].iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (lower + upper) / 2.0
}
