//! Several seasons at once: a day within a week within a year.
//!
//! MSTL (Bandara, Hyndman & Bergmeir 2021) takes the seasons out one after the other by [STL](super::stl), the shorter
//! first, and goes round once more with the others out; windows grow with the rank of the season, 11, 15, 19, …, as in
//! R's `mstl`. Seasons that the series does not hold more than twice are dropped; without one, the super smoother gives
//! the trend. Missing values are [filled](super::filled) before and missing in the remainder. How strong the trend and
//! each season are: 1 − Var(R) / Var(R + component), between 0 and 1 (Wang, Smith & Hyndman 2006; FPP3 §4.3).

use super::interpolate::filled;
use super::stl::{SeasonalWindow, StlOptions, Workspace};
use super::supsmu::super_smooth;
use crate::error::{Error, Result};

/// How to decompose by several seasons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MstlOptions {
    /// How fast seasons may change; if none, over 11 seasons for the shortest, 4 more for each longer one.
    pub seasonal: Option<SeasonalWindow>,
    /// Are outliers weighed down?
    pub robust: bool,
}

/// A series taken apart: `values = trend + seasonal components + remainder`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mstl {
    /// The lengths of the seasons kept, shortest first.
    pub seasons: Vec<usize>,
    /// What recurs, one component per season.
    pub seasonal: Vec<Vec<f64>>,
    /// The level without it.
    pub trend: Vec<f64>,
    /// What is left, NaN where the value is missing.
    pub remainder: Vec<f64>,
}

impl Mstl {
    /// How strong the trend is, 0 to 1.
    pub fn trend_strength(&self) -> f64 {
        strength(&self.trend, &self.remainder)
    }

    /// How strong each season is, 0 to 1.
    pub fn seasonal_strengths(&self) -> Vec<f64> {
        self.seasonal.iter().map(|component| strength(component, &self.remainder)).collect()
    }

    /// The sum of the seasonal components at a step of the series.
    pub fn season_at(&self, t: usize) -> f64 {
        self.seasonal.iter().map(|component| component[t]).sum()
    }

    /// The sum of the seasonal components `h` ≥ 1 steps after the series: the last season of each, repeated.
    pub fn season_ahead(&self, h: usize) -> f64 {
        let ahead = |(component, m): (&Vec<f64>, &usize)| component[component.len() - m + (h - 1) % m];
        self.seasonal.iter().zip(&self.seasons).map(ahead).sum()
    }

    /// The series without its seasons, gaps filled.
    pub fn adjusted(&self) -> Vec<f64> {
        self.trend.iter().zip(&self.remainder).map(|(t, r)| if r.is_nan() { *t } else { t + r }).collect()
    }
}

/// Decomposes `values` by `seasons`, steps each; NaN is missing.
///
/// # Errors
/// When there are no values, or values too large to calculate with.
pub fn mstl(values: &[f64], seasons: &[usize], options: &MstlOptions) -> Result<Mstl> {
    let n = values.len();
    if values.iter().any(|v| v.is_infinite()) {
        return Err(Error::model("a decomposition needs finite values"));
    }
    let seasons = usable(seasons, n);
    let mut adjusted = filled(values, &seasons)?;
    let mut seasonal = vec![vec![0.0; n]; seasons.len()];
    let trend = if seasons.is_empty() {
        super_smooth(&adjusted)
    } else {
        let mut trend = vec![0.0; n];
        let rank = |i: usize| options.seasonal.unwrap_or(SeasonalWindow::Seasons(11 + 4 * i));
        let of = |(i, m): (usize, &usize)| {
            Workspace::new(n, *m, &StlOptions { seasonal: rank(i), trend: None, robust: options.robust })
        };
        let mut workspaces = seasons.iter().enumerate().map(of).collect::<Result<Vec<_>>>()?;
        let rounds = if seasons.len() > 1 { 2 } else { 1 };
        for _ in 0..rounds {
            for (workspace, component) in workspaces.iter_mut().zip(&mut seasonal) {
                adjusted.iter_mut().zip(&*component).for_each(|(cell, season)| *cell += season);
                workspace.decompose(&adjusted, component, &mut trend);
                adjusted.iter_mut().zip(&*component).for_each(|(cell, season)| *cell -= season);
            }
        }
        trend
    };
    if !adjusted.iter().chain(&trend).all(|v| v.is_finite()) {
        return Err(Error::model("the values are too large to decompose: sums of them overflow"));
    }
    let remainder = (0..n).map(|t| if values[t].is_nan() { f64::NAN } else { adjusted[t] - trend[t] }).collect();
    Ok(Mstl { seasons, seasonal, trend, remainder })
}

/// The seasons that a series of `n` values holds more than twice, each once, shortest first.
pub fn usable(seasons: &[usize], n: usize) -> Vec<usize> {
    let mut usable: Vec<usize> = seasons.iter().copied().filter(|m| *m > 1 && *m <= n / 2 && n != 2 * m).collect();
    usable.sort_unstable();
    usable.dedup();
    usable
}

/// 1 − Var(R) / Var(R + component), between 0 and 1; 0 where neither varies.
fn strength(component: &[f64], remainder: &[f64]) -> f64 {
    let left = variance(remainder.iter().copied());
    let both = variance(component.iter().zip(remainder).map(|(c, r)| c + r));
    let scale = component.iter().fold(0.0, |scale: f64, c| scale.max(c.abs()));
    // Below the rounding of the values themselves there is nothing to share out.
    if both <= (1e-14 * scale).powi(2) || !both.is_finite() { 0.0 } else { (1.0 - left / both).clamp(0.0, 1.0) }
}

/// The variance of the values that are not missing.
fn variance(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let observed = values.filter(|v| !v.is_nan());
    let n = observed.clone().count() as f64;
    let mean = observed.clone().sum::<f64>() / n;
    observed.map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)
}
