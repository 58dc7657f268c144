//! The output heads of the network: parameters of the predictive distribution of a step.
//!
//! | head | outputs | loss |
//! |---|---|---|
//! | `quantile` | seven quantiles | pinball loss of each (Wen et al. 2017, *A Multi-Horizon Quantile Recurrent Forecaster*) |
//! | `negative_binomial` | mean and shape of a negative binomial | negative log-likelihood (Salinas et al. 2020, *International Journal of Forecasting* 36, §3.1) |
//!
//! Crossing quantiles are sorted; the mean is calculated from them by trapezoids, which was more accurate than a mean learned by
//! squared error.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fitting::{PROBABILITIES, QuantileFunction};

/// The predictive distribution of a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// Quantiles.
    #[default]
    Quantile,
    /// A negative binomial distribution, for counts.
    NegativeBinomial,
}

/// The number of quantiles.
pub(super) const QUANTILES: usize = PROBABILITIES.len();

/// The smallest dispersion of a negative binomial: below it single precision cannot tell it from a Poisson distribution.
pub(super) const MIN_SHAPE: f64 = 1e-3;

/// The prediction for a step, in units of the window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Predicted {
    pub mean: f64,
    pub sd: f64,
    /// The quantile function of the error; none for counts.
    pub errors: Option<QuantileFunction>,
}

impl Head {
    /// The number of outputs per step.
    pub(super) fn outputs(self) -> usize {
        match self {
            Self::Quantile => QUANTILES,
            Self::NegativeBinomial => 2,
        }
    }

    /// The initial outputs, for scaled values.
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

    /// The prediction of some outputs; `unit` is one unit of the window in counts.
    pub(super) fn predicted(self, outputs: &[f32], unit: f64) -> Predicted {
        let number = |k: usize| f64::from(outputs[k]);
        match self {
            Self::Quantile => {
                let mut values: [f64; QUANTILES] = std::array::from_fn(number);
                values.sort_by(f64::total_cmp);
                let mean = mean(&values);
                let errors = values.map(|value| value - mean);
                // Between the 0.1 and the 0.9 quantile of a normal distribution lie 2.563 standard deviations.
                let sd = ((errors[QUANTILES - 2] - errors[1]) / 2.563).max(1e-9);
                Predicted { mean, sd, errors: Some(QuantileFunction(errors)) }
            }
            Self::NegativeBinomial => {
                let mean = softplus(number(0)).max(1e-9);
                let shape = softplus(number(1)) / unit.sqrt() + MIN_SHAPE;
                let counts = mean * unit;
                Predicted { mean, sd: (counts + shape * counts * counts).sqrt() / unit, errors: None }
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
