//! What was chosen and estimated for a series: specification, parameters, likelihood.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was chosen and estimated for a series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The specification that was chosen, in the field's notation: `ETS(M,Ad,M)`; empty where there is nothing to choose.
    pub specification: String,
    /// Estimated parameters by name.
    pub parameters: Vec<(String, f64)>,
    /// The likelihood of the series under the model.
    pub likelihood: Option<Likelihood>,
    /// Degrees of freedom used by the fit, which a portmanteau test subtracts (`fitdf` of R's `Box.test`).
    pub fitdf: usize,
    /// Candidates and calibrations that were left out, and why.
    pub remarks: Vec<String>,
}

/// The likelihood of a series under a fitted model, on the model's scale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Likelihood {
    /// The logarithm of the likelihood.
    pub log: f64,
    /// Estimated parameters, including the variance.
    pub parameters: usize,
    /// Observations.
    pub observations: usize,
}

impl Likelihood {
    /// Akaike's information criterion.
    pub fn aic(&self) -> f64 {
        2.0 * self.parameters as f64 - 2.0 * self.log
    }

    /// Akaike's criterion corrected for short series; infinite where there are too few values for the parameters.
    pub fn aicc(&self) -> f64 {
        let (k, n) = (self.parameters as f64, self.observations as f64);
        if n - k - 1.0 > 0.0 { self.aic() + 2.0 * k * (k + 1.0) / (n - k - 1.0) } else { f64::INFINITY }
    }

    /// Schwarz's (Bayesian) information criterion.
    pub fn bic(&self) -> f64 {
        self.parameters as f64 * (self.observations as f64).ln() - 2.0 * self.log
    }
}

/// The information criterion that models of one series are compared by; lower is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Criterion {
    /// Akaike's, corrected for short series.
    #[default]
    Aicc,
    /// Akaike's.
    Aic,
    /// Schwarz's.
    Bic,
}

impl Criterion {
    /// Its value; less is better.
    pub(crate) fn of(self, likelihood: &Likelihood) -> f64 {
        match self {
            Self::Aicc => likelihood.aicc(),
            Self::Aic => likelihood.aic(),
            Self::Bic => likelihood.bic(),
        }
    }
}
