//! Tomorrow is as today plus the average step so far: a random walk with drift.
//!
//! ŷ(T+h) = y(T) + h·b, b the mean change between the first and the last value, with standard deviation
//! σ√(h + h²/(T−1)), σ² the variance of the one-step changes around b (Hyndman & Athanasopoulos, 3rd ed., §5.2 and §5.5).
//! Fails on fewer than three values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ahead, FittedSeries, Method, Series, SeriesModel, changes, last_observed, root_mean_square};
use crate::error::{Error, Result};

/// Options of `drift`: it has none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Drift {}

/// A fitted random walk with drift.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FittedDrift {
    last: f64,
    /// Steps since the last observed value.
    age: usize,
    slope: f64,
    /// Steps between the first and the last observed value.
    length: usize,
    sigma: f64,
    residuals: Vec<f64>,
}

impl Method for Drift {
    const NAME: &str = "drift";
    const TITLE: &str = "Random walk with drift";
    const SUMMARY: &str = "The last value plus the average change (random walk with drift)";
    const EXAMPLE: &str = "drift";
    const ALSO: &str = "rwd, rw drift, random walk with drift";
    const SIMILAR: &[(&str, &str)] =
        &[("trend, linear trend", "the line from the first value to the last; `regression` fits one to all values")];
    type Scope = super::Local;
    type Fitted = FittedDrift;
}

impl SeriesModel for Drift {
    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let y = series.values;
        let (at, last) = last_observed(y)?;
        let first = y.iter().position(|v| !v.is_nan()).unwrap_or(at);
        if at < first + 2 {
            return Err(Error::model("drift needs three values"));
        }
        let slope = (last - y[first]) / (at - first) as f64;
        let residuals: Vec<f64> = changes(y, 1).into_iter().map(|change| change - slope).collect();
        let sigma = root_mean_square(&residuals, 1, "drift needs three consecutive values")?;
        Ok(Box::new(FittedDrift { last, age: y.len() - 1 - at, slope, length: at - first, sigma, residuals }))
    }
}

impl FittedSeries for FittedDrift {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        Ok(ahead.steps().map(|h| self.last + (h + self.age) as f64 * self.slope).collect())
    }

    fn std_dev(&self, ahead: &Ahead) -> Vec<f64> {
        let variance = |h: f64| h + h * h / self.length as f64;
        ahead.steps().map(|h| self.sigma * variance((h + self.age) as f64).sqrt()).collect()
    }

    fn residuals(&self) -> &[f64] {
        &self.residuals
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let (at, last) = last_observed(series.values)?;
        let residuals = changes(series.values, 1).into_iter().map(|change| change - self.slope).collect();
        Ok(Box::new(Self { last, age: series.values.len() - 1 - at, residuals, ..*self }))
    }

    fn simulate(&self, ahead: &Ahead, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        let mut walked = 0.0;
        for (step, shock) in shocks.iter().enumerate() {
            walked += shock;
            if let Some(at) = step.checked_sub(ahead.lead) {
                path[at] = mean[at] + walked;
            }
        }
    }
}
