//! Theta as Hyndman & Billah write it: simple exponential smoothing plus half the slope of the linear trend.

use serde::{Deserialize, Serialize};

use crate::optimise::on_interval;

/// The range in which R's `ets` looks for α.
const ALPHA: (f64, f64) = (1e-4, 0.9999);

/// Simple exponential smoothing with its least-squares α and ℓ(0), and half the slope.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Standard {
    pub alpha: f64,
    start: f64,
    /// Half the slope of the deseasonalised series.
    pub drift: f64,
    level: f64,
    n: usize,
}

impl Standard {
    /// The best fit to a series without season, and its one-step errors.
    pub fn fit(y: &[f64]) -> (Self, Vec<f64>) {
        let alpha = on_interval(ALPHA, |alpha| squares(y, alpha).0);
        let (_, start) = squares(y, alpha);
        Self { alpha, start, drift: slope(y) / 2.0, level: start, n: 0 }.run(y)
    }

    /// The same parameters on another series.
    pub fn run(&self, y: &[f64]) -> (Self, Vec<f64>) {
        let mut level = self.start;
        let errors = y
            .iter()
            .map(|v| {
                let error = v - level;
                if !error.is_nan() {
                    level += self.alpha * error;
                }
                error
            })
            .collect();
        (Self { level, n: y.len(), ..*self }, errors)
    }

    /// What half the trend adds to the level `h` steps ahead.
    fn trend(&self, h: usize) -> f64 {
        self.drift * ((h - 1) as f64 + (1.0 - (1.0 - self.alpha).powi(self.n as i32)) / self.alpha)
    }

    pub fn mean(&self, h: usize) -> f64 {
        self.level + self.trend(h)
    }

    /// The variance `h` steps ahead, in those of one step.
    pub fn variance(&self, h: usize) -> f64 {
        1.0 + (h - 1) as f64 * self.alpha * self.alpha
    }

    /// What the one-step errors lead to, step by step.
    pub fn simulate(&self, shocks: &[f64], mut visit: impl FnMut(usize, f64)) {
        let mut level = self.level;
        for (step, shock) in shocks.iter().enumerate() {
            visit(step, level + self.trend(step + 1) + shock);
            level += self.alpha * shock;
        }
    }
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
