//! What does the network say of a step? Numbers that stand for a distribution.
//!
//! | head | says | loss |
//! |---|---|---|
//! | `quantile` | seven quantiles | pinball loss of each (Wen et al. 2017, *A Multi-Horizon Quantile Recurrent Forecaster*) |
//! | `negative_binomial` | mean and shape of a negative binomial | minus the logarithm of the probability (Salinas et al. 2020, *International Journal of Forecasting* 36, §3.1) |
//!
//! Quantiles that cross are put in order; the mean is that of the distribution between them (trapezoids), which was nearer to the
//! values than a mean that is learned by squared errors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::models::learned::spread::PROBABILITIES;

/// The form of a forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// Quantiles, of anything.
    #[default]
    Quantile,
    /// A negative binomial distribution, of counts.
    NegativeBinomial,
}

/// The quantiles that are learned.
pub(super) const QUANTILES: usize = PROBABILITIES.len();

/// The least shape of a negative binomial: below it single precision no longer tells it from Poisson's distribution.
pub(super) const LEAST_SHAPE: f64 = 1e-3;

/// What is said of a step, in units of the window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub mean: f64,
    pub sd: f64,
    /// How far from the mean the quantiles lie, in order; none where they are those of counts.
    pub knots: Option<[f64; QUANTILES]>,
}

impl Head {
    /// Numbers that are said of a step.
    pub(super) fn outputs(self) -> usize {
        match self {
            Self::Quantile => QUANTILES,
            Self::NegativeBinomial => 2,
        }
    }

    /// Numbers to begin with, for values as windows see them.
    pub(super) fn start(self, values: &mut [f32]) -> Vec<f32> {
        values.sort_by(f32::total_cmp);
        match self {
            Self::Quantile => {
                let place = |p: &f64| ((p * values.len() as f64) as usize).min(values.len().saturating_sub(1));
                PROBABILITIES.iter().map(|p| values.get(place(p)).copied().unwrap_or(0.0)).collect()
            }
            Self::NegativeBinomial => {
                let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len().max(1) as f64;
                // The inverse of `softplus`.
                vec![mean.max(1e-3).exp_m1().ln().min(50.0) as f32, 0.0]
            }
        }
    }

    /// What the numbers say; `unit` is one unit of the window in counts.
    pub(super) fn said(self, numbers: &[f32], unit: f64) -> Said {
        let number = |k: usize| f64::from(numbers[k]);
        match self {
            Self::Quantile => {
                let mut values: [f64; QUANTILES] = std::array::from_fn(number);
                values.sort_by(f64::total_cmp);
                let mean = mean(&values);
                let knots = values.map(|value| value - mean);
                // Between the 0.1 and the 0.9 quantile of a normal distribution lie 2.563 standard deviations.
                let sd = ((knots[QUANTILES - 2] - knots[1]) / 2.563).max(1e-9);
                Said { mean, sd, knots: Some(knots) }
            }
            Self::NegativeBinomial => {
                let mean = softplus(number(0)).max(1e-9);
                let shape = softplus(number(1)) / unit.sqrt() + LEAST_SHAPE;
                let counts = mean * unit;
                Said { mean, sd: (counts + shape * counts * counts).sqrt() / unit, knots: None }
            }
        }
    }
}

/// The mean of a distribution with these quantiles.
fn mean(values: &[f64; QUANTILES]) -> f64 {
    let last = QUANTILES - 1;
    let between = (1..=last).map(|k| (PROBABILITIES[k] - PROBABILITIES[k - 1]) * (values[k] + values[k - 1]) / 2.0);
    between.sum::<f64>() + PROBABILITIES[0] * values[0] + (1.0 - PROBABILITIES[last]) * values[last]
}

/// The logarithm of 1 + eˣ.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}
