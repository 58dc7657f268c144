//! Tomorrow is as today: the last value carried forward, a random walk.
//!
//! ŷ(T+h) = y(T), with standard deviation σ√h, σ the root mean square of the one-step changes (Hyndman & Athanasopoulos,
//! *Forecasting: Principles and Practice*, 3rd ed., §5.2 and §5.5). A missing last value makes the last observed one
//! older: its age counts as further steps. Fails on fewer than two consecutive values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ahead, FittedSeries, Method, Series, SeriesModel, changes, last_observed, root_mean_square};
use crate::error::Result;

/// Options of `naive`: it has none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Naive {}

/// A fitted random walk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FittedNaive {
    last: f64,
    /// Steps since the last observed value.
    age: usize,
    sigma: f64,
    residuals: Vec<f64>,
}

impl Method for Naive {
    const NAME: &str = "naive";
    const TITLE: &str = "Naive (last value)";
    const SUMMARY: &str = "The last value carried forward (random walk)";
    const EXAMPLE: &str = "naive";
    const ALSO: &str = "random walk, rw, last value, persistence";
    const SIMILAR: &[(&str, &str)] = &[(
        "mean, average, historic average, historical average, window average, moving average, sma",
        "it repeats the last value; the mean of the history is no model here, and ets(model=ANN) is a mean in which later values weigh more",
    )];
    type Scope = super::Local;
    type Fitted = FittedNaive;
}

impl SeriesModel for Naive {
    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let (at, last) = last_observed(series.values)?;
        let residuals = changes(series.values, 1);
        let sigma = root_mean_square(&residuals, 0, "naive needs two consecutive values")?;
        Ok(Box::new(FittedNaive { last, age: series.values.len() - 1 - at, sigma, residuals }))
    }
}

impl FittedSeries for FittedNaive {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        Ok(vec![self.last; ahead.horizon])
    }

    fn std_dev(&self, ahead: &Ahead) -> Vec<f64> {
        ahead.steps().map(|h| self.sigma * ((h + self.age) as f64).sqrt()).collect()
    }

    fn residuals(&self) -> &[f64] {
        &self.residuals
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let (at, last) = last_observed(series.values)?;
        let residuals = changes(series.values, 1);
        Ok(Box::new(Self { last, age: series.values.len() - 1 - at, sigma: self.sigma, residuals }))
    }

    fn simulate(&self, ahead: &Ahead, _: &[f64], shocks: &[f64], path: &mut [f64]) {
        let mut level = self.last;
        for (step, shock) in shocks.iter().enumerate() {
            level += shock;
            if let Some(at) = step.checked_sub(ahead.lead) {
                path[at] = level;
            }
        }
    }
}
