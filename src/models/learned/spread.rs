//! How unsure is a forecast of a model that learns across series? As unsure as it was on windows that it had not seen.
//!
//! Errors on the last windows, each in the usual error of its series, are what quantiles are learned from: small boosted
//! trees with the quantile loss, on what may make a step harder than others (how far ahead, how much is expected, promotions).
//! Trees fitted to the other windows say where the values of each window stood; by that the quantiles are corrected, step by step (cross-conformal prediction: Vovk 2015, *Annals of Mathematics and Artificial Intelligence* 74).
//! Quantiles that cross are put in order (Chernozhukov, Fernández-Val & Galichon 2010, *Econometrica* 78).

use serde::{Deserialize, Serialize};

use crate::boosting::{Boosting, Ensemble, Objective, Rows};
use crate::models::calibration::Calibration;
use crate::models::marginal::Support;
use crate::models::{Marginal, Quantiles, standard_normal};

/// The quantiles that are learned; between them straight lines.
pub(in crate::models) const PROBABILITIES: [f64; 7] = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975];
/// Errors below which nothing is learned: quantiles are then those of all errors.
const ENOUGH: usize = 600;
/// Into as many parts the series are divided where there is one window alone.
const PARTS: usize = 2;

/// A forecast beside what happened.
pub(super) struct Tried {
    pub series: usize,
    /// Which of the windows it is, counted from 0.
    pub window: usize,
    /// What happened less what was said, one per step, in the usual error of the series; NaN where nothing was observed.
    pub errors: Vec<f64>,
    /// What each step looked like, by column.
    pub looks: Vec<Vec<f64>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Spread {
    trees: Vec<Ensemble>,
    calibration: Option<Calibration>,
    /// The standard deviation of errors in the usual error of a series.
    sd: f64,
}

impl Spread {
    /// From windows of the past.
    pub fn of(tried: &[Tried]) -> Self {
        let errors = || tried.iter().flat_map(|window| &window.errors).copied().filter(|e| e.is_finite());
        let n = errors().count();
        let sd = if n > 0 { (errors().map(|e| e * e).sum::<f64>() / n as f64).sqrt().max(1e-9) } else { 1.0 };
        if n < ENOUGH {
            let windows: Vec<Vec<f64>> =
                tried.iter().map(|window| window.errors.iter().map(|e| e / sd).collect()).collect();
            return Self { trees: Vec::new(), calibration: Calibration::of(std::iter::once(&windows[..])), sd };
        }
        // Series go together on one date, so windows are held out whole where there are several.
        let windows = tried.iter().map(|tried| tried.window + 1).max().unwrap_or(1);
        let (parts, by_window) = if windows > 1 { (windows, true) } else { (PARTS, false) };
        let part = |k: usize, part: usize| part == if by_window { tried[k].window } else { k % PARTS };
        let mut deviates = Vec::with_capacity(tried.len());
        for held_out in 0..parts {
            let windows = |held: bool| (0..tried.len()).filter(move |k| part(*k, held_out) == held).map(|k| &tried[k]);
            let trees = learn(&windows(false).collect::<Vec<_>>());
            for window in windows(true) {
                let knots = knots(&trees, &window.looks, window.errors.len());
                deviates
                    .push(knots.iter().zip(&window.errors).map(|(knots, e)| deviate(knots, *e)).collect::<Vec<f64>>());
            }
        }
        let trees = learn(&tried.iter().collect::<Vec<_>>());
        Self { trees, calibration: Calibration::of(std::iter::once(&deviates[..])), sd }
    }

    /// The distribution around means on a scale. `usual` is the usual error of the series in units of the scale, 0 at steps
    /// that are certain; `looks` is what each step looks like; `lead` steps before the first were not asked for.
    pub fn around(&self, marginal: Marginal, usual: f64, looks: &[Vec<f64>], positive: bool, lead: usize) -> Marginal {
        let support = if positive { Support::Positive } else { Support::Numbers };
        let knots = knots(&self.trees, looks, marginal.sd.len());
        let values = |step: usize, deviates: &[f64]| {
            let mean = marginal.seen()[step];
            let at = |z: &f64| match marginal.sd[step] > 0.0 {
                true if self.trees.is_empty() => mean + marginal.sd[step] * z,
                true => mean + usual * value(&knots[step], *z),
                false => mean,
            };
            deviates.iter().map(at).collect()
        };
        let quantiles = Quantiles::by(marginal.seen(), &marginal.sd, support, values);
        marginal.shaped(Some(quantiles)).calibrated(self.calibration.as_ref(), lead)
    }

    /// The standard deviation of an error in the usual error of a series.
    pub fn sd(&self) -> f64 {
        self.sd
    }
}

/// Trees for each quantile.
fn learn(tried: &[&Tried]) -> Vec<Ensemble> {
    use rayon::prelude::*;
    let columns: Vec<Vec<f64>> = (0..tried.first().map_or(0, |window| window.looks.len()))
        .map(|c| tried.iter().flat_map(|window| window.looks[c].iter().copied()).collect())
        .collect();
    let errors: Vec<f64> = tried.iter().flat_map(|window| window.errors.iter().copied()).collect();
    let rows = Rows { columns: &columns, categorical: &[] };
    let least = (errors.len() / 50).clamp(20, 200);
    let fit = |p: &f64| {
        let objective = Objective::Quantile(*p);
        let boosting = Boosting { objective, rounds: 60, rate: 0.1, leaves: 8, least, ..Boosting::default() };
        boosting.fit(rows, &errors, None)
    };
    PROBABILITIES.par_iter().map(fit).collect()
}

/// The learned quantiles of each step, in order.
fn knots(trees: &[Ensemble], looks: &[Vec<f64>], steps: usize) -> Vec<[f64; PROBABILITIES.len()]> {
    let rows = Rows { columns: looks, categorical: &[] };
    let said: Vec<Vec<f64>> = trees.iter().map(|ensemble| ensemble.predict(rows)).collect();
    let step = |t: usize| {
        let mut knots: [f64; PROBABILITIES.len()] = std::array::from_fn(|k| said.get(k).map_or(0.0, |said| said[t]));
        knots.sort_by(f64::total_cmp);
        knots
    };
    (0..steps).map(step).collect()
}

/// The straight piece of a quantile function that `within` says to take: deviates and values of its two ends. Beyond the ends
/// it goes on as the normal distribution would from the middle through the end.
fn piece(knots: &[f64; PROBABILITIES.len()], within: impl Fn(f64, f64) -> bool) -> [(f64, f64); 2] {
    let at = |k: usize| (standard_normal(PROBABILITIES[k]), knots[k]);
    let last = PROBABILITIES.len() - 1;
    let k = (1..=last).find(|k| within(at(*k).0, at(*k).1));
    match k {
        Some(1) if within(at(0).0, at(0).1) => [at(0), at(last / 2)],
        None => [at(last / 2), at(last)],
        Some(k) => [at(k - 1), at(k)],
    }
}

/// The value of a quantile function at a standard normal deviate.
pub(in crate::models) fn value(knots: &[f64; PROBABILITIES.len()], z: f64) -> f64 {
    let [(z0, v0), (z1, v1)] = piece(knots, |at, _| z <= at);
    v0 + (z - z0) * (v1 - v0) / (z1 - z0)
}

/// The standard normal deviate at which a quantile function has a value.
pub(in crate::models) fn deviate(knots: &[f64; PROBABILITIES.len()], v: f64) -> f64 {
    let [(z0, v0), (z1, v1)] = piece(knots, |_, value| v <= value);
    if v1 > v0 {
        z0 + (v - v0) * (z1 - z0) / (v1 - v0)
    } else if v.is_nan() {
        v
    } else {
        z1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_function_and_its_inverse() {
        let normal: [f64; PROBABILITIES.len()] = PROBABILITIES.map(|p| 3.0 + 2.0 * standard_normal(p));
        for z in [-4.0, -2.5, -1.0, 0.0, 0.3, 1.5, 3.5] {
            assert!((value(&normal, z) - 3.0 - 2.0 * z).abs() < 1e-12);
            assert!((deviate(&normal, 3.0 + 2.0 * z) - z).abs() < 1e-12);
        }
        assert!(deviate(&normal, f64::NAN).is_nan());
        assert!(deviate(&[1.0; PROBABILITIES.len()], 1.0).is_finite());
    }
}
