//! How long does spend work after it is spent?
//!
//! Adstock is a weighted sum of present and past spend, aₜ = Σ wₗ xₜ₋ₗ. Three memories, told apart because packages do
//! not:
//!
//! - **Geometric, infinite**: wₗ ∝ λˡ for all l ≥ 0, λ the retention (Broadbent 1979, *Journal of the Market Research
//!   Society* 21).
//! - **Geometric, finite**: the same for l < `window`, and nothing after it.
//! - **Weibull**: wₗ = S(l) − S(l + 1) with the survival function S(l) = exp(−(l / scale)^shape): the probability that
//!   an effect with a Weibull delay falls into period l. The weights sum to one and depend on no window; with a shape
//!   above 1 the peak can come later than the spend.
//!
//! **Normalisation** is stated: with [`Normalisation::Sum`] all weights sum to one, so that spend kept at x per period
//! has an adstock of x; with [`Normalisation::Peak`] the greatest weight is one.
//!
//! Spend before the first period is not in the data. It is taken as a constant `before`, whose effect fades as the
//! memory does; zero says that there was none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What the weights of an adstock are scaled to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Normalisation {
    /// All weights, those beyond the data included, sum to one.
    #[default]
    Sum,
    /// The greatest weight is one.
    Peak,
}

/// How spend is remembered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Memory {
    /// Each period keeps the same share of the period before.
    Geometric {
        /// The share that is kept from one period to the next: at least 0, below 1.
        retention: f64,
        /// The number of periods that have an effect, the one of the spend among them; none for an infinite memory.
        window: Option<usize>,
    },
    /// The delay of an effect has a Weibull distribution.
    Weibull {
        /// Above 1 the peak can come after the spend; 1 is geometric.
        shape: f64,
        /// The delay within which 63 % of the effect has come, in periods.
        scale: f64,
    },
}

impl Memory {
    /// Are the parameters possible?
    ///
    /// # Errors
    /// When one is not, naming it.
    pub fn check(&self) -> Result<()> {
        match *self {
            Self::Geometric { retention, .. } if !(0.0..1.0).contains(&retention) => Err(Error::usage(format!(
                "a retention is at least 0 and below 1, not {retention}: it is the share that the next period keeps"
            ))),
            Self::Geometric { window: Some(0), .. } => {
                Err(Error::usage("a memory of 0 periods has no effect at all; with a window of 1 spend works at once"))
            }
            Self::Weibull { shape, scale }
                if !(shape > 0.0 && shape.is_finite() && scale > 0.0 && scale.is_finite()) =>
            {
                Err(Error::usage(format!(
                    "shape and scale of a Weibull memory are positive numbers, not {shape} and {scale}"
                )))
            }
            _ => Ok(()),
        }
    }

    /// The weight of lag `lag` before it is normalised.
    fn raw(&self, lag: usize) -> f64 {
        match *self {
            Self::Geometric { window: Some(window), .. } if lag >= window => 0.0,
            Self::Geometric { retention, .. } => retention.powi(lag.min(i32::MAX as usize) as i32),
            Self::Weibull { shape, scale } => survival(lag, shape, scale) - survival(lag + 1, shape, scale),
        }
    }

    /// The sum of all weights before they are normalised.
    fn raw_total(&self) -> f64 {
        match *self {
            Self::Geometric { retention, window: None } => 1.0 / (1.0 - retention),
            Self::Geometric { retention, window: Some(window) } => {
                (1.0 - retention.powi(window.min(i32::MAX as usize) as i32)) / (1.0 - retention)
            }
            Self::Weibull { .. } => 1.0,
        }
    }

    /// The greatest weight before they are normalised.
    fn raw_peak(&self) -> f64 {
        match *self {
            Self::Geometric { .. } => 1.0,
            Self::Weibull { shape, scale } => {
                // The density is greatest at the mode; the period with the greatest weight is next to it.
                let mode = if shape > 1.0 { scale * (1.0 - 1.0 / shape).powf(1.0 / shape) } else { 0.0 };
                let near = mode.floor().min(1e9) as usize;
                (near.saturating_sub(1)..=near + 1).map(|lag| self.raw(lag)).fold(0.0, f64::max)
            }
        }
    }

    fn scale(&self, normalisation: Normalisation) -> f64 {
        match normalisation {
            Normalisation::Sum => 1.0 / self.raw_total(),
            Normalisation::Peak => 1.0 / self.raw_peak(),
        }
    }

    /// The weights of the first `lags` periods, normalised over the whole memory.
    ///
    /// ```
    /// use tradewind::decide::marketing::{Memory, Normalisation};
    /// let memory = Memory::Geometric { retention: 0.5, window: None };
    /// assert_eq!(memory.weights(3, Normalisation::Sum), [0.5, 0.25, 0.125]);
    /// let finite = Memory::Geometric { retention: 0.5, window: Some(2) };
    /// assert_eq!(finite.weights(3, Normalisation::Peak), [1.0, 0.5, 0.0]);
    /// ```
    pub fn weights(&self, lags: usize, normalisation: Normalisation) -> Vec<f64> {
        let scale = self.scale(normalisation);
        (0..lags).map(|lag| scale * self.raw(lag)).collect()
    }

    /// The sum of all weights: the adstock of a spend of one per period that is kept up.
    pub fn gain(&self, normalisation: Normalisation) -> f64 {
        self.raw_total() * self.scale(normalisation)
    }

    /// The number of periods, the one of the spend among them, in which half of the effect has come, with a fraction as
    /// if the effect were spread evenly over a period.
    pub fn half_life(&self) -> f64 {
        let half = 0.5 * self.raw_total();
        let mut sum = 0.0;
        for lag in 0..100_000 {
            let weight = self.raw(lag);
            if sum + weight >= half {
                return lag as f64 + (half - sum) / weight;
            }
            sum += weight;
        }
        f64::INFINITY
    }

    /// The adstock of a series of spends, the first of which follows a constant spend of `before` per period.
    ///
    /// ```
    /// use tradewind::decide::marketing::{Memory, Normalisation};
    /// let memory = Memory::Geometric { retention: 0.5, window: None };
    /// assert_eq!(memory.adstock(&[8.0, 0.0, 4.0], 0.0, Normalisation::Sum), [4.0, 2.0, 3.0]);
    /// // Spend that was kept up before the data began is still remembered.
    /// assert_eq!(memory.adstock(&[0.0, 0.0], 8.0, Normalisation::Sum), [4.0, 2.0]);
    /// ```
    pub fn adstock(&self, spend: &[f64], before: f64, normalisation: Normalisation) -> Vec<f64> {
        let scale = self.scale(normalisation);
        if let Self::Geometric { retention, window: None } = *self {
            let mut level = before * self.raw_total();
            return (spend.iter())
                .map(|spend| {
                    level = spend + retention * level;
                    scale * level
                })
                .collect();
        }
        // Weights that no longer count are left out.
        let total = self.raw_total();
        let (mut weights, mut sums, mut sum) = (Vec::new(), Vec::new(), 0.0);
        for lag in 0..spend.len() {
            let weight = self.raw(lag);
            sum += weight;
            weights.push(weight);
            sums.push(sum);
            if total - sum <= 1e-15 * total {
                break;
            }
        }
        (0..spend.len())
            .map(|t| {
                let lags = weights.len().min(t + 1);
                let recent: f64 = (0..lags).map(|lag| weights[lag] * spend[t - lag]).sum();
                let older = sums.get(t).map_or(0.0, |sum| before * (total - sum).max(0.0));
                scale * (recent + older)
            })
            .collect()
    }
}

fn survival(lag: usize, shape: f64, scale: f64) -> f64 {
    (-(lag as f64 / scale).powf(shape)).exp()
}
