//! How often must a series be differenced before an ARMA model fits it?
//!
//! Seasonal differences: one where the strength of the season, 1 − Var(remainder)/Var(season + remainder) of STL, exceeds
//! 0.64 (Wang, Smith & Hyndman 2006; the rule of R's `nsdiffs`). Then ordinary differences until the KPSS test of level
//! stationarity does not reject at 5 % (Kwiatkowski, Phillips, Schmidt & Shin 1992; R's `ndiffs`).

use crate::statistics::{StlOptions, stl};

/// The value of the KPSS statistic that a stationary series exceeds in 5 % of all cases (their Table 1).
const KPSS_5_PERCENT: f64 = 0.463;
/// The strength of the season from which on it is differenced away.
const STRONG: f64 = 0.64;

/// The series of wₜ = yₜ − Σ δⱼ yₜ₋ⱼ, shorter by the number of weights.
pub(super) fn differenced(values: &[f64], weights: &[f64]) -> Vec<f64> {
    let lost = weights.len().min(values.len());
    let mut out = values[lost..].to_vec();
    for (j, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight != 0.0) {
        for (o, v) in out.iter_mut().zip(&values[lost - (j + 1).min(lost)..]) {
            *o -= weight * v;
        }
    }
    out
}

/// Changes over `lag` steps.
pub(super) fn lagged(values: &[f64], lag: usize) -> Vec<f64> {
    values.iter().skip(lag).zip(values).map(|(later, before)| later - before).collect()
}

/// Are all values that are not missing the same, up to rounding? Of values whose series has a size near one.
pub(super) fn is_constant(values: &[f64]) -> bool {
    let mut observed = values.iter().filter(|v| !v.is_nan());
    let Some(first) = observed.next() else { return true };
    let (apart, n) = observed.fold((0.0, 1.0), |(sum, n), v| (sum + (v - first).abs(), n + 1.0));
    apart / n <= f64::max(1.5e-8 * first.abs(), 1e-12)
}

/// Ordinary differences that the series needs, `most` at the most.
pub(super) fn ordinary(values: &[f64], most: usize) -> usize {
    let mut left: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    for d in 0..most {
        if is_constant(&left) || !(kpss_level(&left) > KPSS_5_PERCENT) {
            return d;
        }
        left = lagged(&left, 1);
    }
    most
}

/// Does the series need a seasonal difference?
pub(super) fn seasonal(values: &[f64], season: usize) -> bool {
    season > 1 && values.len() > 2 * season && !is_constant(values) && seasonal_strength(values, season) > STRONG
}

/// The KPSS statistic of level stationarity, with Bartlett weights up to lag ⌊3√n/13⌋; NaN for a constant series.
fn kpss_level(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let centred: Vec<f64> = values.iter().map(|v| v - mean).collect();
    let (mut sum, mut squares) = (0.0, 0.0);
    for v in &centred {
        sum += v;
        squares += sum * sum;
    }
    let lags = (3.0 * n.sqrt() / 13.0) as usize;
    let product = |lag: usize| -> f64 { centred.iter().skip(lag).zip(&centred).map(|(a, b)| a * b).sum() };
    let weighted: f64 = (1..=lags).map(|lag| (1.0 - lag as f64 / (lags + 1) as f64) * product(lag)).sum();
    squares / (n * (product(0) + 2.0 * weighted))
}

/// The strength of the season, from 0 to 1.
fn seasonal_strength(values: &[f64], season: usize) -> f64 {
    let Ok(parts) = stl(&filled(values), season, &StlOptions::default()) else { return 0.0 };
    let observed = |t: &usize| !values[*t].is_nan();
    let variance = |of: &dyn Fn(usize) -> f64| {
        let n = (0..values.len()).filter(observed).count() as f64;
        let mean = (0..values.len()).filter(observed).map(of).sum::<f64>() / n;
        (0..values.len()).filter(observed).map(|t| (of(t) - mean).powi(2)).sum::<f64>()
    };
    let left = variance(&|t| parts.remainder[t]);
    let with = variance(&|t| parts.remainder[t] + parts.seasonal[t]);
    if with > 0.0 { (1.0 - left / with).clamp(0.0, 1.0) } else { 0.0 }
}

/// The series with straight lines over its gaps.
fn filled(values: &[f64]) -> Vec<f64> {
    let mut out = values.to_vec();
    let mut last: Option<usize> = None;
    for t in 0..out.len() {
        if out[t].is_nan() {
            continue;
        }
        match last {
            None => {
                let first = out[t];
                out[..t].fill(first);
            }
            Some(before) => {
                let (from, slope) = (out[before], (out[t] - out[before]) / (t - before) as f64);
                (before + 1..t).for_each(|k| out[k] = from + slope * (k - before) as f64);
            }
        }
        last = Some(t);
    }
    if let Some(last) = last {
        let end = out[last];
        out[last + 1..].fill(end);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_those_of_the_weights() {
        let y = [1.0, 4.0, 9.0, 16.0, 25.0, 36.0];
        assert_eq!(differenced(&y, &[1.0]), [3.0, 5.0, 7.0, 9.0, 11.0]);
        assert_eq!(differenced(&y, &[2.0, -1.0]), [2.0; 4]);
        assert_eq!(differenced(&y, &[0.0, 0.0, 1.0]), lagged(&y, 3));
        assert_eq!(differenced(&y[..2], &[0.0, 0.0, 1.0]), [0.0; 0]);
        assert_eq!(filled(&[f64::NAN, 1.0, f64::NAN, 3.0, f64::NAN]), [1.0, 1.0, 2.0, 3.0, 3.0]);
    }

    #[test]
    fn a_trend_is_differenced_away_and_noise_is_not() {
        let trend: Vec<f64> = (0..50).map(|t| f64::from(t) + f64::from(t * 7919 % 13) / 13.0).collect();
        assert_eq!(ordinary(&trend, 2), 1);
        assert_eq!(ordinary(&lagged(&trend, 1), 2), 0);
        let wave: Vec<f64> = trend.iter().enumerate().map(|(t, v)| v + [0.0, 30.0, -20.0, 5.0][t % 4]).collect();
        assert!(seasonal(&wave, 4) && !seasonal(&trend, 4) && !seasonal(&wave[..8], 4));
        assert!(is_constant(&[5.0, f64::NAN, 5.0]) && !is_constant(&[1e-3, 2e-3]));
    }
}
