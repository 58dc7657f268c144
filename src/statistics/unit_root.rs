//! Does a series wander, and how often must it be differenced until it does not?
//!
//! KPSS (Kwiatkowski, Phillips, Schmidt & Shin 1992): stationary around a level or a trend is the null hypothesis; the
//! statistic is the mean squared cumulated residual over the long-run variance with Bartlett weights, its p-value
//! interpolated in their table between 0.01 and 0.1. ADF (Said & Dickey 1984): a unit root is the null hypothesis; the
//! statistic is the t value of y(t−1) in a regression of Δy(t) on it and `lags` further changes, its p-value by
//! MacKinnon's response surface (1994, *J. Business & Economic Statistics* 12). How many differences to take, as R's
//! `forecast::ndiffs` and `nsdiffs` say: KPSS until it accepts, at most two; one seasonal difference where the strength
//! of the season exceeds 0.64 (Hyndman & Khandakar 2008; Wang, Smith & Hyndman 2006). Missing values are left out.

use statrs::distribution::{ContinuousCDF, Normal};

use super::mstl::{MstlOptions, mstl, usable};
use crate::error::{Error, Result};

/// What a series is, or might be, stationary around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// A level.
    Level,
    /// A straight line.
    Trend,
}

/// A test of a unit root or of its absence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnitRootTest {
    /// The test statistic.
    pub statistic: f64,
    /// The p-value under the null hypothesis; that of KPSS lies between 0.01 and 0.1.
    pub p_value: f64,
    /// Lags used.
    pub lags: usize,
}

/// Lags of the long-run variance in a KPSS test of `n` values: ⌊4 (n/100)^¼⌋, `lags="short"` in R.
pub fn short_lags(n: usize) -> usize {
    (4.0 * (n as f64 / 100.0).powf(0.25)) as usize
}

/// The KPSS test; `lags` of the long-run variance are [`short_lags`] if not stated.
///
/// # Errors
/// When there are fewer than three values or no variation around the level or trend.
pub fn kpss(values: &[f64], around: Around, lags: Option<usize>) -> Result<UnitRootTest> {
    let y: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    let lags = lags.unwrap_or_else(|| short_lags(y.len()));
    if y.len() < 3 {
        return Err(Error::model("a KPSS test needs three values"));
    }
    let statistic = kpss_statistic(&y, around, lags);
    match statistic.filter(|_| !is_constant(&y)) {
        Some(statistic) => Ok(UnitRootTest { statistic, p_value: kpss_p_value(statistic, around), lags }),
        None => Err(Error::model("a KPSS test needs finite values that vary around their level or trend")),
    }
}

/// The statistic of values without gaps; none where it is not a number.
fn kpss_statistic(y: &[f64], around: Around, lags: usize) -> Option<f64> {
    let n = y.len() as f64;
    let mean = y.iter().sum::<f64>() / n;
    let slope = match around {
        Around::Level => 0.0,
        Around::Trend => {
            let middle = (n - 1.0) / 2.0;
            let products: f64 = y.iter().enumerate().map(|(t, v)| (t as f64 - middle) * (v - mean)).sum();
            products / (n * (n * n - 1.0) / 12.0)
        }
    };
    let residuals: Vec<f64> =
        y.iter().enumerate().map(|(t, v)| v - mean - slope * (t as f64 - (n - 1.0) / 2.0)).collect();
    let mut cumulated = 0.0;
    let mut squares = 0.0;
    for residual in &residuals {
        cumulated += residual;
        squares += cumulated * cumulated;
    }
    let products = |lag: usize| -> f64 {
        residuals.get(lag..).unwrap_or_default().iter().zip(&residuals).map(|(a, b)| a * b).sum()
    };
    let weight = |lag: usize| 1.0 - lag as f64 / (lags as f64 + 1.0);
    let variance = products(0) + 2.0 * (1..=lags).map(|lag| weight(lag) * products(lag)).sum::<f64>();
    let statistic = squares / (n * variance);
    statistic.is_finite().then_some(statistic)
}

fn kpss_p_value(statistic: f64, around: Around) -> f64 {
    let critical = match around {
        Around::Level => [0.347, 0.463, 0.574, 0.739],
        Around::Trend => [0.119, 0.146, 0.176, 0.216],
    };
    between(&critical, &[0.1, 0.05, 0.025, 0.01], statistic)
}

/// Linear interpolation in a table with rising `x`; the end values beyond its ends.
fn between<const N: usize>(x: &[f64; N], y: &[f64; N], at: f64) -> f64 {
    match x.iter().position(|x| *x >= at) {
        Some(0) => y[0],
        Some(i) => y[i - 1] + (y[i] - y[i - 1]) * (at - x[i - 1]) / (x[i] - x[i - 1]),
        None => y[N - 1],
    }
}

/// What the regression of an ADF test holds besides y(t−1) and lagged changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deterministic {
    /// Nothing: under the alternative the series returns to zero.
    Nothing,
    /// A constant.
    Constant,
    /// A constant and a trend.
    Trend,
}

/// The augmented Dickey–Fuller test; `lags` are ⌊(n−1)^⅓⌋ if not stated. Every value must be there.
///
/// # Errors
/// When values are missing, too few for the lags, or do not vary.
pub fn adf(values: &[f64], with: Deterministic, lags: Option<usize>) -> Result<UnitRootTest> {
    let n = values.len();
    if !values.iter().all(|v| v.is_finite()) {
        return Err(Error::model("an ADF test needs values without gaps"));
    }
    let lags = lags.unwrap_or_else(|| ((n.saturating_sub(1)) as f64).cbrt() as usize);
    let regressors = lags.saturating_add(match with {
        Deterministic::Nothing => 1,
        Deterministic::Constant => 2,
        Deterministic::Trend => 3,
    });
    // Rows of the regression: changes less those lost to lags.
    let rows = n.saturating_sub(1).saturating_sub(lags);
    if rows <= regressors {
        return Err(Error::model(format!("an ADF test with {lags} lags needs more than {n} values")));
    }
    let changes: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // y(t−1) comes last: what the others leave of it and of Δy(t) gives its coefficient.
    let mut columns: Vec<Vec<f64>> = Vec::with_capacity(regressors);
    if with != Deterministic::Nothing {
        columns.push(vec![1.0; rows]);
    }
    if with == Deterministic::Trend {
        columns.push((0..rows).map(|t| t as f64 / rows as f64).collect());
    }
    columns.extend((1..=lags).map(|lag| changes[lags - lag..changes.len() - lag].to_vec()));
    columns.push(values[lags..n - 1].to_vec());
    let t_value = last_t_value(columns, changes[lags..].to_vec());
    let statistic =
        t_value.ok_or_else(|| Error::model("an ADF test needs values that vary, and not just by a trend"))?;
    Ok(UnitRootTest { statistic, p_value: mac_kinnon(statistic, with), lags })
}

/// The t value of the last column in the least-squares regression of `y`; none where the columns are dependent or the
/// fit is perfect.
fn last_t_value(mut columns: Vec<Vec<f64>>, mut y: Vec<f64>) -> Option<f64> {
    let inner = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let freedom = y.len().checked_sub(columns.len()).filter(|freedom| *freedom > 0)? as f64;
    let scale = inner(&y, &y);
    let (mut coefficient, mut length) = (0.0, 0.0);
    for at in 0..columns.len() {
        let (before, after) = columns.split_at_mut(at);
        let column = after.first_mut()?;
        let whole = inner(column, column);
        for _ in 0..2 {
            for basis in &*before {
                let share = inner(basis, column);
                column.iter_mut().zip(basis).for_each(|(cell, b)| *cell -= share * b);
            }
        }
        length = inner(column, column).sqrt();
        if length * length <= 1e-18 * whole || !length.is_normal() {
            return None;
        }
        column.iter_mut().for_each(|cell| *cell /= length);
        coefficient = inner(column, &y);
        y.iter_mut().zip(&*column).for_each(|(cell, c)| *cell -= coefficient * c);
    }
    let left = inner(&y, &y);
    let statistic = coefficient / (left / freedom).sqrt();
    (left > 1e-24 * scale && length > 0.0 && statistic.is_finite()).then_some(statistic)
}

/// The asymptotic p-value of a Dickey–Fuller t value (MacKinnon 1994, table 3).
fn mac_kinnon(statistic: f64, with: Deterministic) -> f64 {
    let (least, turn, most, small, large) = match with {
        Deterministic::Nothing => {
            (-19.04, -1.04, f64::INFINITY, [0.6344, 1.2378, 0.032496], [0.4797, 0.93557, -0.06999, 0.033066])
        }
        Deterministic::Constant => {
            (-18.83, -1.61, 2.74, [2.1659, 1.4412, 0.038269], [1.7339, 0.93202, -0.12745, -0.010368])
        }
        Deterministic::Trend => {
            (-16.18, -2.89, 0.7, [3.2512, 1.6047, 0.049588], [2.5261, 0.61654, -0.37956, -0.060285])
        }
    };
    if statistic > most {
        return 1.0;
    }
    if statistic < least {
        return 0.0;
    }
    let polynomial = |c: &[f64]| c.iter().rev().fold(0.0, |sum, c| sum * statistic + c);
    let z = if statistic <= turn { polynomial(&small) } else { polynomial(&large) };
    Normal::standard().cdf(z)
}

/// The number of differences for stationarity around a level: KPSS at `alpha` (between 0.01 and 0.1), at most two.
/// The long-run variance has ⌊3√n/13⌋ lags.
pub fn ndiffs(values: &[f64], alpha: f64) -> usize {
    let alpha = alpha.clamp(0.01, 0.1);
    let mut y: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    for differences in 0..2 {
        if is_constant(&y) {
            return differences;
        }
        let lags = (3.0 * (y.len() as f64).sqrt() / 13.0) as usize;
        match kpss_statistic(&y, Around::Level, lags) {
            Some(statistic) if kpss_p_value(statistic, Around::Level) < alpha => {}
            Some(_) => return differences,
            // The last difference left nothing to test.
            None => return differences.saturating_sub(1),
        }
        for t in 1..y.len() {
            y[t - 1] = y[t] - y[t - 1];
        }
        y.pop();
    }
    2
}

/// How many seasonal differences a series needs, none or one: is its season stronger than 0.64?
pub fn nsdiffs(values: &[f64], season: usize) -> usize {
    const STRONG: f64 = 0.64;
    if is_constant(values) || usable(&[season], values.len()).is_empty() {
        return 0;
    }
    let parts = mstl(values, &[season], &MstlOptions::default());
    let strengths = parts.map_or_else(|_| Vec::new(), |parts| parts.seasonal_strengths());
    usize::from(strengths.iter().any(|strength| *strength > STRONG))
}

/// Do the values differ from the first by less than 1.5e-8 of their size?
pub fn is_constant(values: &[f64]) -> bool {
    let Some(first) = values.iter().copied().find(|v| !v.is_nan()) else { return true };
    let others = || values.iter().filter(|v| !v.is_nan() && **v != first);
    let (size, away) = others().fold((0.0, 0.0), |(size, away), v| (size + v.abs(), away + (v - first).abs()));
    let count = others().count() as f64;
    const TOLERANCE: f64 = 1.490_116_119_384_765_6e-8;
    let relative = if size / count > TOLERANCE && size.is_finite() { away / size } else { away / count };
    count == 0.0 || relative < TOLERANCE
}
