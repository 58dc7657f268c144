//! Half the trend, all of the level: the Theta method that won the M3 competition.
//!
//! The series is deseasonalised by classical multiplicative decomposition when its autocorrelation at the season is
//! significant at 10 % (two-sided), then forecast by simple exponential smoothing plus half the slope b of its linear
//! trend: ŷ(T+h) = ℓ(T) + b/2 · (h − 1 + (1 − (1−α)ᵀ)/α), and reseasonalised (Assimakopoulos & Nikolopoulos 2000; Hyndman
//! & Billah 2003, eqs. 9–11). Errors have variance σ²(1 + (h−1)α²). α and ℓ(0) minimise the sum of squared one-step
//! errors; ℓ(0) in closed form for each α.
//!
//! Missing values leave the smoothed level as it is and drop out of the trend and the seasonal means. A series that
//! touches zero or goes below is decomposed additively, for which a multiplicative season makes no sense. Fails on fewer
//! than four values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ahead, FittedSeries, Method, Series, SeriesModel};
use crate::error::{Error, Result};

/// Options of `theta`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Theta {
    /// Steps in a season; the panel's season if not stated, 1 for none.
    pub season: Option<usize>,
}

/// A fitted Theta model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FittedTheta {
    alpha: f64,
    level: f64,
    /// Half the slope of the deseasonalised series.
    drift: f64,
    sigma: f64,
    n: usize,
    /// Seasonal figure by place, aligned with the step after the last value; empty when not seasonal.
    figure: Vec<f64>,
    additive: bool,
    residuals: Vec<f64>,
}

impl Method for Theta {
    const NAME: &str = "theta";
    const SUMMARY: &str = "exponential smoothing with half the trend, season removed and put back";
    const EXAMPLE: &str = "theta(season=52)";
    type Fitted = FittedTheta;

    fn check(&self) -> Result<()> {
        super::check_season(self.season)
    }
}

impl SeriesModel for Theta {
    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let y = series.values;
        let m = self.season.unwrap_or(series.season);
        let observed = y.iter().filter(|v| !v.is_nan()).count();
        if observed < 4 {
            return Err(Error::model(format!("theta needs four values, the series has {observed}")));
        }
        let additive = y.iter().any(|v| *v <= 0.0);
        let figure = if seasonal(y, m) { decompose(y, m, additive) } else { None };
        let n = y.len();
        let adjusted: Vec<f64> = match &figure {
            None => y.to_vec(),
            Some(figure) if additive => y.iter().enumerate().map(|(t, v)| v - figure[t % m]).collect(),
            Some(figure) => y.iter().enumerate().map(|(t, v)| v / figure[t % m]).collect(),
        };
        let smooth = Smoothing::fit(&adjusted);
        let residuals = smooth.errors(&adjusted);
        let squares: f64 = residuals.iter().filter(|e| !e.is_nan()).map(|e| e * e).sum();
        Ok(Box::new(FittedTheta {
            alpha: smooth.alpha,
            level: smooth.last_level(&adjusted),
            drift: slope(&adjusted) / 2.0,
            // Two parameters are estimated: α and the initial level.
            sigma: (squares / (observed - 2) as f64).sqrt(),
            n,
            figure: figure.map_or_else(Vec::new, |figure| (0..m).map(|place| figure[(n + place) % m]).collect()),
            additive,
            residuals,
        }))
    }
}

impl FittedTheta {
    fn with_season(&self, h: usize, value: f64) -> f64 {
        match self.figure.len() {
            0 => value,
            m if self.additive => value + self.figure[(h - 1) % m],
            m => value * self.figure[(h - 1) % m],
        }
    }

    /// What half the trend adds to the level `h` steps ahead.
    fn trend(&self, h: usize) -> f64 {
        self.drift * ((h - 1) as f64 + (1.0 - (1.0 - self.alpha).powi(self.n as i32)) / self.alpha)
    }
}

impl FittedSeries for FittedTheta {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        Ok(ahead.steps().map(|h| self.with_season(h, self.level + self.trend(h))).collect())
    }

    fn spread(&self, ahead: &Ahead) -> Vec<f64> {
        ahead.steps().map(|h| self.sigma * (1.0 + (h - 1) as f64 * self.alpha * self.alpha).sqrt()).collect()
    }

    fn residuals(&self) -> &[f64] {
        &self.residuals
    }

    fn simulate(&self, ahead: &Ahead, _: &[f64], shocks: &[f64], path: &mut [f64]) {
        let mut level = self.level;
        for (step, shock) in shocks.iter().enumerate() {
            let h = step + 1;
            if let Some(at) = step.checked_sub(ahead.lead) {
                path[at] = self.with_season(h, level + self.trend(h) + shock);
            }
            level += self.alpha * shock;
        }
    }
}

/// Is the autocorrelation at lag `m` significant at 10 % (two-sided, Bartlett's variance)?
fn seasonal(y: &[f64], m: usize) -> bool {
    let n = y.len();
    if m < 2 || n <= 2 * m {
        return false;
    }
    let observed: Vec<f64> = y.iter().copied().filter(|v| !v.is_nan()).collect();
    let mean = observed.iter().sum::<f64>() / observed.len() as f64;
    let centred: Vec<f64> = y.iter().map(|v| if v.is_nan() { 0.0 } else { v - mean }).collect();
    let total: f64 = centred.iter().map(|v| v * v).sum();
    if total <= f64::EPSILON * mean.abs().powi(2) * n as f64 {
        return false;
    }
    let correlation = |lag: usize| centred[lag..].iter().zip(&centred).map(|(a, b)| a * b).sum::<f64>() / total;
    let before: f64 = (1..m).map(|lag| correlation(lag).powi(2)).sum();
    const QUANTILE_95: f64 = 1.644_853_626_951_472_7;
    correlation(m).abs() > QUANTILE_95 * ((1.0 + 2.0 * before) / n as f64).sqrt()
}

/// Classical decomposition: the mean ratio to (or difference from) a centred moving average at each place of the
/// season, scaled to mean one (or zero). None when a place was never seen or an index is too close to zero.
fn decompose(y: &[f64], m: usize, additive: bool) -> Option<Vec<f64>> {
    let half = m / 2;
    let mut sums = vec![(0.0, 0_usize); m];
    for t in half..y.len() - half {
        let (mut sum, mut weights) = (0.0, 0.0);
        for (i, v) in y[t - half..=t + half].iter().enumerate().filter(|(_, v)| !v.is_nan()) {
            // An even season's window has m + 1 points, the outer two at half weight.
            let weight = if m.is_multiple_of(2) && (i == 0 || i == m) { 0.5 } else { 1.0 };
            sum += weight * v;
            weights += weight;
        }
        let trend = sum / weights;
        let ratio = if additive { y[t] - trend } else { y[t] / trend };
        if ratio.is_finite() {
            sums[t % m].0 += ratio;
            sums[t % m].1 += 1;
        }
    }
    let means: Vec<f64> = sums.iter().map(|(sum, n)| sum / *n as f64).collect();
    let overall = means.iter().sum::<f64>() / m as f64;
    let figure: Vec<f64> = means.iter().map(|v| if additive { v - overall } else { v / overall }).collect();
    let usable = |v: &f64| v.is_finite() && (additive || v.abs() >= 1e-4);
    figure.iter().all(usable).then_some(figure)
}

/// The least-squares slope of the observed values on time.
fn slope(y: &[f64]) -> f64 {
    let points = || y.iter().enumerate().filter(|(_, v)| !v.is_nan()).map(|(t, v)| (t as f64, *v));
    let n = points().count() as f64;
    let (t_mean, y_mean) = (points().map(|p| p.0).sum::<f64>() / n, points().map(|p| p.1).sum::<f64>() / n);
    let covariance: f64 = points().map(|(t, v)| (t - t_mean) * (v - y_mean)).sum();
    let variance: f64 = points().map(|(t, _)| (t - t_mean).powi(2)).sum();
    covariance / variance
}

/// Simple exponential smoothing with its least-squares α and ℓ(0).
struct Smoothing {
    alpha: f64,
    start: f64,
}

/// The range in which R's `ets` looks for α.
const ALPHA: (f64, f64) = (1e-4, 0.9999);

impl Smoothing {
    /// The best α on a coarse grid, then golden-section search around it: the sum of squares can have two valleys.
    fn fit(y: &[f64]) -> Self {
        const GRID: usize = 24;
        let at = |i: usize| ALPHA.0 + (ALPHA.1 - ALPHA.0) * i as f64 / GRID as f64;
        let best = (0..=GRID).min_by(|a, b| squares(y, at(*a)).0.total_cmp(&squares(y, at(*b)).0)).unwrap_or(0);
        let (mut low, mut high) = (at(best.saturating_sub(1)), at((best + 1).min(GRID)));
        let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
        let (mut left, mut right) = (high - ratio * (high - low), low + ratio * (high - low));
        let (mut f_left, mut f_right) = (squares(y, left).0, squares(y, right).0);
        while high - low > 1e-9 {
            if f_left <= f_right {
                (high, right, f_right) = (right, left, f_left);
                left = high - ratio * (high - low);
                f_left = squares(y, left).0;
            } else {
                (low, left, f_left) = (left, right, f_right);
                right = low + ratio * (high - low);
                f_right = squares(y, right).0;
            }
        }
        // The search works inside the interval; the optimum may lie on the border itself.
        let alpha = [(low + high) / 2.0, ALPHA.0, ALPHA.1]
            .into_iter()
            .min_by(|a, b| squares(y, *a).0.total_cmp(&squares(y, *b).0))
            .unwrap_or(low);
        Self { alpha, start: squares(y, alpha).1 }
    }

    fn errors(&self, y: &[f64]) -> Vec<f64> {
        let mut level = self.start;
        y.iter()
            .map(|v| {
                let error = v - level;
                if !error.is_nan() {
                    level += self.alpha * error;
                }
                error
            })
            .collect()
    }

    fn last_level(&self, y: &[f64]) -> f64 {
        y.iter().filter(|v| !v.is_nan()).fold(self.start, |level, v| level + self.alpha * (v - level))
    }
}

/// The smallest sum of squared one-step errors for one α, and the ℓ(0) that gives it: each error is linear in ℓ(0).
fn squares(y: &[f64], alpha: f64) -> (f64, f64) {
    let (mut level, mut weight) = (0.0, 1.0);
    let (mut aa, mut ab, mut bb) = (0.0, 0.0, 0.0);
    for v in y.iter().filter(|v| !v.is_nan()) {
        let a = v - level;
        aa += a * a;
        ab += a * weight;
        bb += weight * weight;
        level += alpha * a;
        weight *= 1.0 - alpha;
    }
    let start = ab / bb;
    ((aa - ab * start).max(0.0), start)
}
