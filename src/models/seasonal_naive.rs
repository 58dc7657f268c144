//! This December is as last December: the last value at the same place in the season.
//!
//! ŷ(T+h) = y(T+h−m·(k+1)), k = ⌊(h−1)/m⌋, with standard deviation σ√(k+1), σ the root mean square of the changes over
//! one season (Hyndman & Athanasopoulos, 3rd ed., §5.2 and §5.5). Where that value is missing, the one a season earlier
//! stands in and counts as one season more. Fails on a series without two values a season apart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ahead, FittedSeries, Method, Series, SeriesModel, changes, root_mean_square};
use crate::error::{Error, Result};

/// Options of `seasonal_naive`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SeasonalNaive {
    /// Steps in a season; the panel's season if not given.
    pub season: Option<usize>,
}

/// A fitted seasonal random walk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FittedSeasonalNaive {
    /// The last observed value at each of the `m` places that come next, and how many seasons old it is.
    cycle: Vec<(f64, usize)>,
    sigma: f64,
    residuals: Vec<f64>,
}

impl Method for SeasonalNaive {
    const NAME: &str = "seasonal_naive";
    const TITLE: &str = "Seasonal naive (last season)";
    const SUMMARY: &str = "The last value at the same place in the season";
    const EXAMPLE: &str = "seasonal_naive(season=52)";
    const ALSO: &str = "snaive, seasonal random walk";
    const SIMILAR: &[(&str, &str)] = &[(
        "seasonal average, seasonal window average, historical profile, last year",
        "it repeats the last season as it was",
    )];
    const SEARCH: &[(&str, &[&str])] = &[("season", &["4", "7", "12", "13", "24", "26", "52"])];
    type Scope = super::Local;
    type Fitted = FittedSeasonalNaive;

    fn check(&self) -> Result<()> {
        super::check_season(self.season)
    }
}

impl SeriesModel for SeasonalNaive {
    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let m = self.season.unwrap_or(series.season);
        let n = series.values.len();
        if n <= m {
            return Err(Error::model(format!(
                "seasonal_naive needs more than one season ({m} steps), the series has {n}"
            )));
        }
        let residuals = changes(series.values, m);
        let sigma = root_mean_square(&residuals, 0, "seasonal_naive needs two values a season apart")?;
        Ok(Box::new(FittedSeasonalNaive { cycle: cycle(series.values, m)?, sigma, residuals }))
    }
}

/// The last observed value at each of the `m` places that come next, and how many seasons old it is.
fn cycle(values: &[f64], m: usize) -> Result<Vec<(f64, usize)>> {
    let n = values.len();
    let last = |place: usize| {
        let value = |age: usize| (n + place).checked_sub(age * m).map(|at| values[at]);
        (1..=n.div_ceil(m))
            .map_while(|age| Some((value(age)?, age)))
            .find(|(y, _)| !y.is_nan())
            .ok_or_else(|| Error::model(format!("seasonal_naive finds no value at place {} of the season", place + 1)))
    };
    (0..m).map(last).collect()
}

impl FittedSeasonalNaive {
    /// The value carried to step `h` and over how many seasons.
    fn source(&self, h: usize) -> (f64, usize) {
        let m = self.cycle.len();
        let (value, age) = self.cycle[(h - 1) % m];
        (value, age + (h - 1) / m)
    }
}

impl FittedSeries for FittedSeasonalNaive {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        Ok(ahead.steps().map(|h| self.source(h).0).collect())
    }

    fn std_dev(&self, ahead: &Ahead) -> Vec<f64> {
        ahead.steps().map(|h| self.sigma * (self.source(h).1 as f64).sqrt()).collect()
    }

    fn residuals(&self) -> &[f64] {
        &self.residuals
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let m = self.cycle.len();
        let (cycle, residuals) = (cycle(series.values, m)?, changes(series.values, m));
        Ok(Box::new(Self { cycle, sigma: self.sigma, residuals }))
    }

    fn simulate(&self, ahead: &Ahead, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        let m = self.cycle.len();
        let mut walked = vec![0.0; shocks.len()];
        for step in 0..shocks.len() {
            walked[step] = shocks[step] + step.checked_sub(m).map_or(0.0, |before| walked[before]);
            if let Some(at) = step.checked_sub(ahead.lead) {
                path[at] = mean[at] + walked[step];
            }
        }
    }
}
