//! How wide are the intervals of a global model? Its errors on hold-out windows are the sample of a quantile regression.
//!
//! Errors, each divided by the RMSE of its series, are regressed on covariates that may explain their scale (the step ahead,
//! the prediction, promotions) by small boosted trees with the quantile loss. Trees fitted to the other windows give the
//! calibration scores of each window, and the quantiles are recalibrated step by step (cross-conformal prediction: Vovk 2015,
//! *Annals of Mathematics and Artificial Intelligence* 74). Crossing quantiles are sorted (Chernozhukov, Fernández-Val &
//! Galichon 2010, *Econometrica* 78).
//!
//! The errors of a window share their sign: three windows tell how far forecasts are off, hardly in which direction. So the
//! median is the prediction itself, unless medians that are learned on the other windows have clearly smaller absolute errors,
//! as where sales are rare.

use serde::{Deserialize, Serialize};

use crate::boosting::{Binned, Boosting, Ensemble, Objective, Rows};
use crate::fitting::{Calibration, PROBABILITIES, QuantileFunction, Quantiles, StepDistribution, Support};

/// Errors below which there is no quantile regression: quantiles are then those of all errors.
const ENOUGH: usize = 600;
/// The share of the absolute errors below which medians that were learned on other windows are better than the prediction.
const CLEARLY: f64 = 0.95;
/// The number of parts that the series are divided into where there is one window alone.
const PARTS: usize = 2;

/// A hold-out forecast of one series in one window.
pub(super) struct HoldOut {
    pub series: usize,
    /// The number of the window, from 0.
    pub window: usize,
    /// Its errors, one per step, divided by the RMSE of the series; NaN where nothing was observed.
    pub errors: Vec<f64>,
    /// By covariate of the error scale, one value per step.
    pub covariates: Vec<Vec<f64>>,
    /// The first step of the window in the series.
    pub start: usize,
    /// The predictions, scaled.
    pub predicted: Vec<f64>,
    /// Is nothing sold at a step?
    pub closed: Vec<bool>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ErrorDistribution {
    /// One per quantile; empty without a quantile regression.
    trees: Vec<Ensemble>,
    calibration: Option<Calibration>,
    /// The standard deviation of errors divided by RMSE.
    sd: f64,
    /// Is the median error zero?
    centred: bool,
}

impl ErrorDistribution {
    /// The distribution of errors on hold-out windows.
    pub fn of(hold_out: &[HoldOut]) -> Self {
        let errors = || hold_out.iter().flat_map(|window| &window.errors).copied().filter(|e| e.is_finite());
        let n = errors().count();
        let sd = if n > 0 { (errors().map(|e| e * e).sum::<f64>() / n as f64).sqrt().max(1e-9) } else { 1.0 };
        if n < ENOUGH {
            let windows: Vec<Vec<f64>> =
                hold_out.iter().map(|window| window.errors.iter().map(|e| e / sd).collect()).collect();
            let calibration = Calibration::symmetric(std::iter::once(&windows[..]));
            return Self { trees: Vec::new(), calibration, sd, centred: true };
        }
        // Errors of one date are correlated, so whole windows are held out where there are several.
        let windows = hold_out.iter().map(|one| one.window + 1).max().unwrap_or(1);
        let (parts, by_window) = if windows > 1 { (windows, true) } else { (PARTS, false) };
        let part = |k: usize, part: usize| part == if by_window { hold_out[k].window } else { k % PARTS };
        let mut predicted = Vec::with_capacity(hold_out.len());
        let (mut plain, mut moved) = (0.0, 0.0);
        for held_out in 0..parts {
            let windows =
                |held: bool| (0..hold_out.len()).filter(move |k| part(*k, held_out) == held).map(|k| &hold_out[k]);
            let trees = fit(&windows(false).collect::<Vec<_>>());
            for window in windows(true) {
                let quantiles = quantiles(&trees, &window.covariates, window.errors.len());
                for (quantiles, e) in quantiles.iter().zip(&window.errors).filter(|(_, e)| e.is_finite()) {
                    plain += e.abs();
                    moved += (e - quantiles.median()).abs();
                }
                predicted.push((quantiles, &window.errors));
            }
        }
        // A single window has no other to learn a direction from.
        let centred = !by_window || moved > CLEARLY * plain;
        let deviate = |(quantiles, e): (&QuantileFunction, &f64)| match centred {
            true => quantiles.centred().deviate(*e),
            false => quantiles.deviate(*e),
        };
        let deviates: Vec<Vec<f64>> =
            predicted.iter().map(|(quantiles, errors)| quantiles.iter().zip(*errors).map(deviate).collect()).collect();
        let scores = std::iter::once(&deviates[..]);
        let calibration = if centred { Calibration::symmetric(scores) } else { Calibration::of(scores) };
        Self { trees: fit(&hold_out.iter().collect::<Vec<_>>()), calibration, sd, centred }
    }

    /// The predictive distribution around the means of a forecast. `rmse` is the RMSE of the series on the model's scale;
    /// `covariates` are those of the error scale at each step; the first step follows a gap of `lead` steps.
    pub fn around(
        &self,
        forecast: StepDistribution,
        rmse: f64,
        covariates: &[Vec<f64>],
        positive: bool,
        lead: usize,
    ) -> StepDistribution {
        let support = if positive { Support::Positive } else { Support::Numbers };
        let mut errors = quantiles(&self.trees, covariates, forecast.sd.len());
        if self.centred {
            errors.iter_mut().for_each(|errors| *errors = errors.centred());
        }
        let values = |step: usize, deviates: &[f64]| {
            let mean = forecast.model_mean()[step];
            let at = |z: &f64| match forecast.sd[step] > 0.0 {
                true if self.trees.is_empty() => mean + forecast.sd[step] * z,
                true => mean + rmse * errors[step].value(*z),
                false => mean,
            };
            deviates.iter().map(at).collect()
        };
        let quantiles = Quantiles::by(forecast.model_mean(), &forecast.sd, support, values);
        forecast.with_quantiles(Some(quantiles)).calibrated(self.calibration.as_ref(), lead)
    }

    /// The standard deviation of errors divided by RMSE.
    pub fn sd(&self) -> f64 {
        self.sd
    }
}

/// Quantile regressions, one per probability.
fn fit(hold_out: &[&HoldOut]) -> Vec<Ensemble> {
    use rayon::prelude::*;
    let columns: Vec<Vec<f64>> = (0..hold_out.first().map_or(0, |window| window.covariates.len()))
        .map(|c| hold_out.iter().flat_map(|window| window.covariates[c].iter().copied()).collect())
        .collect();
    let errors: Vec<f64> = hold_out.iter().flat_map(|window| window.errors.iter().copied()).collect();
    let binned = Binned::of(Rows { columns: &columns, categorical: &[] });
    let min_data_in_leaf = (errors.len() / 50).clamp(20, 200);
    let fit = |p: &f64| {
        let objective = Objective::Quantile(*p);
        let boosting = Boosting {
            objective,
            num_rounds: 60,
            learning_rate: 0.1,
            num_leaves: 8,
            min_data_in_leaf,
            ..Boosting::default()
        };
        boosting.fit(&binned, &errors, None)
    };
    PROBABILITIES.par_iter().map(fit).collect()
}

/// The quantile function of errors at each step, sorted.
fn quantiles(trees: &[Ensemble], covariates: &[Vec<f64>], steps: usize) -> Vec<QuantileFunction> {
    let rows = Rows { columns: covariates, categorical: &[] };
    let predicted: Vec<Vec<f64>> = trees.iter().map(|ensemble| ensemble.predict(rows)).collect();
    let step = |t: usize| {
        let value = |k: usize| predicted.get(k).map_or(0.0, |values| values[t]);
        let mut values: [f64; PROBABILITIES.len()] = std::array::from_fn(value);
        values.sort_by(f64::total_cmp);
        QuantileFunction(values)
    };
    (0..steps).map(step).collect()
}
