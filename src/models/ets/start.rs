//! Where the search begins: smoothing parameters that smooth strongly, and first states from a classical decomposition
//! (or, for fewer than three seasons, a line and a sine wave), as in Hyndman & Khandakar 2008, *Journal of Statistical
//! Software* 27(3), §2.3.

use super::filter::States;
use super::form::{Form, Kind};
use crate::optimise::positive_definite;

/// First states for a scaled series.
pub(super) fn states(form: Form, season: usize, y: &[f64]) -> States {
    let figure = match form.seasonal {
        Kind::None => Vec::new(),
        kind => figure(y, season, kind == Kind::Multiplicative),
    };
    let (level, growth) = trend(form, y, &figure);
    States { level, growth, season: figure, place: 0 }
}

/// Level and growth before the first of `y`, whose seasonal states are `figure`, the first one's first.
pub(super) fn trend(form: Form, y: &[f64], figure: &[f64]) -> (f64, f64) {
    let m = figure.len().max(1);
    let adjusted = |(t, value): (usize, &f64)| match form.seasonal {
        Kind::None => *value,
        Kind::Additive => value - figure[t % m],
        Kind::Multiplicative => value / figure[t % m],
    };
    // The first ten values or two seasons, and more where some of them are missing.
    let observed = y.iter().enumerate().filter(|(_, v)| !v.is_nan()).take(10.max(2 * m));
    let points: Vec<(f64, f64)> = observed.map(|at| (at.0 as f64 + 1.0, adjusted(at))).collect();
    let n = points.len() as f64;
    let (t_mean, mean) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    if !form.has_trend() {
        return (mean, 0.0);
    }
    let variance: f64 = points.iter().map(|(t, _)| (t - t_mean).powi(2)).sum();
    let covariance: f64 = points.iter().map(|(t, v)| (t - t_mean) * (v - mean)).sum();
    let slope = if variance > 0.0 { covariance / variance } else { 0.0 };
    let level = mean - slope * t_mean;
    if form.trend == Kind::Additive {
        return (level, slope);
    }
    // The ratio of the first two steps of the line, carried back by one step.
    let ratio = (level + 2.0 * slope) / (level + slope);
    let first = (level + slope) / ratio;
    if first > 1e-8 && ratio > 1e-8 && ratio.is_finite() { (first, ratio) } else { (mean, 1.0) }
}

/// Seasonal states by place, their mean 0 (or 1).
fn figure(y: &[f64], m: usize, multiplicative: bool) -> Vec<f64> {
    let observed = y.iter().filter(|v| !v.is_nan()).count();
    let raw = if observed >= 3 * m { decomposed(y, m, multiplicative) } else { wave(y, m, multiplicative) };
    let neutral = f64::from(multiplicative);
    let mut figure: Vec<f64> = raw.into_iter().map(|v| if v.is_finite() { v } else { neutral }).collect();
    if multiplicative {
        figure.iter_mut().for_each(|v| *v = v.max(0.01));
    }
    let mean = figure.iter().sum::<f64>() / m as f64;
    figure.iter_mut().for_each(|v| *v = if multiplicative { *v / mean } else { *v - mean });
    figure
}

/// Means, by place, of differences from (or ratios to) a centred moving average over one season.
fn decomposed(y: &[f64], m: usize, multiplicative: bool) -> Vec<f64> {
    let half = m / 2;
    let mut sums = vec![(0.0, 0_usize); m];
    // Sums over the m steps from t on, and how many of them are observed.
    let (mut sum, mut count) = (0.0, 0_usize);
    let mut windows = Vec::with_capacity(y.len());
    for (t, value) in y.iter().enumerate() {
        if !value.is_nan() {
            sum += value;
            count += 1;
        }
        if let Some(gone) = t.checked_sub(m).map(|before| y[before]).filter(|v| !v.is_nan()) {
            sum -= gone;
            count -= 1;
        }
        if t + 1 >= m {
            windows.push((sum, count));
        }
    }
    for t in half..y.len().saturating_sub(half) {
        // An even season's average is that of the two windows which hold the step in the middle.
        let (first, last) = (t - half, t - half + usize::from(m.is_multiple_of(2)));
        let (Some(a), Some(b)) = (windows.get(first), windows.get(last)) else { continue };
        let average = (a.0 + b.0) / (a.1 + b.1) as f64;
        let apart = if multiplicative { y[t] / average } else { y[t] - average };
        if apart.is_finite() {
            sums[t % m].0 += apart;
            sums[t % m].1 += 1;
        }
    }
    sums.iter().map(|(sum, n)| sum / *n as f64).collect()
}

/// The sine wave of one season's length in `y` = line + wave, as a difference from the line or a ratio to it.
fn wave(y: &[f64], m: usize, multiplicative: bool) -> Vec<f64> {
    let turn = std::f64::consts::TAU / m as f64;
    let row = |t: usize| [1.0, t as f64 / y.len() as f64, (turn * t as f64).cos(), (turn * t as f64).sin()];
    let mut matrix = [0.0; 16];
    let mut right = [0.0; 4];
    for (t, value) in y.iter().enumerate().filter(|(_, v)| !v.is_nan()) {
        let row = row(t);
        for i in 0..4 {
            right[i] += row[i] * value;
            for j in 0..4 {
                matrix[4 * i + j] += row[i] * row[j];
            }
        }
    }
    // A season of two steps has no sine: the ridge keeps its coefficient at zero.
    for i in 0..4 {
        matrix[5 * i] += 1e-9 * y.len() as f64;
    }
    if !positive_definite::solve(&mut matrix, &mut right) {
        return vec![f64::NAN; m];
    }
    let mut sums = vec![(0.0, 0_usize); m];
    for (t, value) in y.iter().enumerate().filter(|(_, v)| !v.is_nan()) {
        let row = row(t);
        let line = right[0] + right[1] * row[1];
        let apart = if multiplicative { value / line } else { value - line };
        // Half of what was seen at the place, half of the wave: one or two values say little.
        let wave = right[2] * row[2] + right[3] * row[3];
        let smooth = if multiplicative { 1.0 + wave / line } else { wave };
        if apart.is_finite() && smooth.is_finite() {
            sums[t % m].0 += (apart + smooth) / 2.0;
            sums[t % m].1 += 1;
        }
    }
    sums.iter().map(|(sum, n)| sum / *n as f64).collect()
}
