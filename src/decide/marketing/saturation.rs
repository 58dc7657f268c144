//! How much less does the second thousand bring than the first?
//!
//! A saturation maps adstocked spend a ≥ 0 to the share of the greatest effect, from 0 to 1, with h the
//! half-saturation: the adstock at which half of the greatest effect is reached.
//!
//! - **Hill** with exponent n: aⁿ / (aⁿ + hⁿ) (Hill 1910). With n = 1 (Michaelis–Menten) it is concave; with n > 1 it
//!   is S-shaped: little spend does nearly nothing.
//! - **Exponential**: 1 − 2^(−a / h), concave.
//! - **Logistic**: tanh(a · artanh(½) / h), concave: the upper half of a logistic curve through the origin.
//!
//! Half-saturation is in the units of spend, so that it can be read and compared with what is spent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The form of diminishing returns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Saturation {
    /// Hill's curve.
    Hill {
        /// 1 is concave; above 1 the curve is S-shaped.
        exponent: f64,
    },
    /// The exponential curve.
    Exponential,
    /// The logistic curve.
    Logistic,
}

/// artanh(½), where tanh is one half.
const HALF_OF_TANH: f64 = 0.549_306_144_334_054_8;

impl Saturation {
    /// Is the exponent one that a response can have?
    ///
    /// # Errors
    /// When it is below 1 (the first unit would have an infinite return) or above 5.
    pub fn check(&self) -> Result<()> {
        match *self {
            Self::Hill { exponent } if !(1.0..=5.0).contains(&exponent) => Err(Error::usage(format!(
                "the exponent of a Hill curve lies between 1 and 5, not {exponent}: 1 has diminishing returns from the start, \
                 above 1 small spend does little"
            ))),
            _ => Ok(()),
        }
    }

    /// Does the return fall from the first unit on?
    pub fn is_concave(&self) -> bool {
        !matches!(*self, Self::Hill { exponent } if exponent > 1.0)
    }

    /// The share of the greatest effect, from 0 to 1, at an adstock `at` ≥ 0.
    ///
    /// ```
    /// use tradewind::decide::marketing::Saturation;
    /// for curve in [Saturation::Hill { exponent: 2.0 }, Saturation::Exponential, Saturation::Logistic] {
    ///     assert_eq!(curve.share(0.0, 300.0), 0.0);
    ///     assert!((curve.share(300.0, 300.0) - 0.5).abs() < 1e-12);
    /// }
    /// ```
    pub fn share(&self, at: f64, half: f64) -> f64 {
        let x = at.max(0.0) / half;
        match *self {
            Self::Hill { exponent: 1.0 } => x / (1.0 + x),
            Self::Hill { exponent } => {
                let power = x.powf(exponent);
                if power.is_finite() { power / (1.0 + power) } else { 1.0 }
            }
            Self::Exponential => -(-std::f64::consts::LN_2 * x).exp_m1(),
            Self::Logistic => (HALF_OF_TANH * x).tanh(),
        }
    }

    /// The derivative of [`share`](Self::share): the share that one more unit of adstock brings.
    pub fn slope(&self, at: f64, half: f64) -> f64 {
        let x = at.max(0.0) / half;
        match *self {
            Self::Hill { exponent: 1.0 } => 1.0 / (half * (1.0 + x) * (1.0 + x)),
            Self::Hill { exponent } => {
                let below = x.powf(exponent - 1.0);
                let whole = 1.0 + below * x;
                if whole.is_finite() { exponent * below / (half * whole * whole) } else { 0.0 }
            }
            Self::Exponential => std::f64::consts::LN_2 / half * (-std::f64::consts::LN_2 * x).exp(),
            Self::Logistic => {
                let tanh = (HALF_OF_TANH * x).tanh();
                HALF_OF_TANH / half * (1.0 - tanh * tanh)
            }
        }
    }
}

/// What a channel brings per period at a spend that is kept up: effect × share(gain × spend).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Response {
    /// The greatest effect, in units of sales per period.
    pub effect: f64,
    /// The adstock of half of it.
    pub half: f64,
    /// The adstock of a spend of one per period that is kept up.
    pub gain: f64,
    /// The form of the curve.
    pub saturation: Saturation,
}

impl Response {
    /// Sales per period that come from spending `spend` in every period.
    pub fn value(&self, spend: f64) -> f64 {
        self.effect * self.saturation.share(self.gain * spend, self.half)
    }

    /// Sales per period that one more unit of spend per period brings.
    pub fn slope(&self, spend: f64) -> f64 {
        self.effect * self.gain * self.saturation.slope(self.gain * spend, self.half)
    }
}
