//! Exponential smoothing of a complex number: complex exponential smoothing.
//!
//! The level ℓ comes with an imaginary companion p, the information that it has not taken in yet, and both learn from
//! the error e = y − ŷ with a complex parameter α₀ + iα₁ (Svetunkov, Kourentzes & Ord 2022, *Naval Research Logistics*
//! 69): ℓ ← ℓ − (1−α₁)p + (α₀−α₁)e, p ← ℓ + (1−α₀)p + (α₀+α₁)e. One model so covers series with a trend and without.
//!
//! - `none`: ŷ(t) = ℓ(t−1).
//! - `simple`: a pair (ℓ, p) at each place of the season, ŷ(t) = ℓ(t−m).
//! - `partial`: ŷ(t) = ℓ(t−1) + s(t−m), s ← s + βe.
//! - `full`: the season is a complex number too, which learns with β₀ + iβ₁ as the level does.
//!
//! α and β minimise the sum of squared one-step errors within 1 ≤ α₀ ≤ 1.8, 0.01 ≤ α₁ ≤ 1.9 and 0.01 ≤ β ≤ 1.5, the
//! bounds of statsforecast but for that of α₀ from below: under 1 and with α₁ near 1 the model is not invertible, that
//! is, it never forgets a wrong start. The starting states are found by running the model to the end of the series and
//! back. `auto` takes the form with the least AICc. See `filter.rs` for the derivatives.
//!
//! The model is linear with constant coefficients: the variance h steps ahead is σ²(1 + c₁² + … + c²ₕ₋₁), cⱼ what an
//! error adds j steps later. It is not always stable: forecasts of far-away steps may grow without end. Missing values
//! are taken for what the model expected. Fails on fewer than four values, and for a seasonal form on fewer than two
//! seasons.

mod filter;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::filter::{Filter, Fit};
use super::{Ahead, BoxCox, Description, FittedSeries, Likelihood, Method, Series, SeriesModel};
use crate::error::{Error, Result};

/// Options of `ces`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ces {
    /// Steps in a season; the panel's season if not given, 1 for no season.
    pub season: Option<usize>,
    /// The seasonality: `none`; `simple` (a level at each place of the season); `partial` (a real season); `full` (a
    /// complex season); `auto` for the one with the smallest AICc.
    pub seasonality: CesSeasonality,
    /// The power of a Box-Cox transformation, or `auto`; none if not given.
    pub box_cox: Option<BoxCox>,
}

/// The seasonality of complex exponential smoothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CesSeasonality {
    /// The one with the smallest AICc.
    #[default]
    Auto,
    /// None.
    None,
    /// A level at each place of the season.
    Simple,
    /// A real season beside the level.
    Partial,
    /// A complex season beside the level.
    Full,
}

/// Fitted complex exponential smoothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FittedCes {
    filter: Filter,
    sigma: f64,
    likelihood: Option<Likelihood>,
    residuals: Vec<f64>,
}

impl Method for Ces {
    const NAME: &str = "ces";
    const TITLE: &str = "Complex exponential smoothing";
    const SUMMARY: &str =
        "Complex exponential smoothing: level and trend in one complex state, with or without a season";
    const EXAMPLE: &str = "ces(season=52)";
    const ALSO: &str = "complex exponential smoothing, auto ces";
    const SEARCH: &[(&str, &[&str])] =
        &[("seasonality", &["auto", "none", "simple", "partial", "full"]), ("box_cox", &["auto", "0"])];
    type Scope = crate::models::Local;
    type Fitted = FittedCes;

    fn check(&self) -> Result<()> {
        super::check_box_cox(self.box_cox)?;
        super::check_season(self.season)
    }
}

impl SeriesModel for Ces {
    fn box_cox(&self) -> Option<BoxCox> {
        self.box_cox
    }

    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let y = series.values;
        let m = self.season.unwrap_or(series.season);
        let mut observed = y.iter().filter(|v| !v.is_nan());
        let n = observed.clone().count();
        if n < 4 {
            return Err(Error::model(format!("ces needs four values, the series has {n}")));
        }
        let first = observed.next();
        let constant = observed.all(|v| Some(v) == first);
        let seasons = m > 1 && y.len() / 2 >= m;
        let fit = match self.seasonality {
            CesSeasonality::Auto if seasons && !constant => auto(y, m, n),
            CesSeasonality::Auto | CesSeasonality::None => Fit::new(y, 1, CesSeasonality::None),
            form if seasons => Fit::new(y, m, form),
            _ => {
                return Err(Error::model(format!(
                    "a seasonal form of ces needs two seasons of two steps or more, not {} steps with a season of {m}",
                    y.len()
                )));
            }
        };
        let (filter, residuals) = fit.filter.run(y);
        let parameters = filter.parameters().len();
        let sigma = (fit.squares / n.saturating_sub(parameters).max(1) as f64).sqrt();
        if !sigma.is_finite() {
            return Err(out_of_range());
        }
        Ok(Box::new(FittedCes { likelihood: fit.likelihood(n), filter, sigma, residuals }))
    }
}

fn out_of_range() -> Error {
    Error::model("the values of the series overflow or underflow; change its units")
}

/// The form with the least AICc; the plainest where the series is too short to tell.
fn auto(y: &[f64], m: usize, n: usize) -> Fit {
    let criterion = |fit: &Fit| match fit.likelihood(n) {
        Some(likelihood) => likelihood.aicc(),
        // Without errors there is nothing to gain by another form.
        None if fit.squares == 0.0 => f64::NEG_INFINITY,
        None => f64::INFINITY,
    };
    let mut best = Fit::new(y, 1, CesSeasonality::None);
    let mut least = criterion(&best);
    for form in [CesSeasonality::Simple, CesSeasonality::Partial, CesSeasonality::Full] {
        let fit = Fit::new(y, m, form);
        let value = criterion(&fit);
        if value < least {
            (best, least) = (fit, value);
        }
    }
    best
}

impl FittedSeries for FittedCes {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        let mut mean = Vec::with_capacity(ahead.horizon);
        self.filter.walk(ahead.lead + ahead.horizon, |step, value| {
            if step >= ahead.lead {
                mean.push(value);
            }
            0.0
        });
        if mean.iter().all(|v| v.is_finite()) { Ok(mean) } else { Err(out_of_range()) }
    }

    fn std_dev(&self, ahead: &Ahead) -> Vec<f64> {
        let mut variance = 0.0;
        let mut spread = Vec::with_capacity(ahead.horizon);
        self.filter.at_rest().walk(ahead.lead + ahead.horizon, |step, response| {
            // An error of one at the first step and none later: what the model expects from then on is its effect.
            let effect = if step == 0 { 1.0 } else { response };
            variance += effect * effect;
            if step >= ahead.lead {
                spread.push(self.sigma * variance.sqrt());
            }
            if step == 0 { 1.0 } else { 0.0 }
        });
        spread
    }

    fn residuals(&self) -> &[f64] {
        &self.residuals
    }

    fn describe(&self) -> Description {
        let names = match self.filter.form() {
            CesSeasonality::Partial => ["alpha0", "alpha1", "beta", ""],
            _ => ["alpha0", "alpha1", "beta0", "beta1"],
        };
        let parameters = names.iter().zip(self.filter.parameters()).map(|(name, v)| ((*name).to_owned(), *v)).collect();
        let (specification, likelihood) = (self.filter.name(), self.likelihood);
        Description { specification, parameters, likelihood, ..Description::default() }
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let (filter, residuals) = self.filter.advance(series.values);
        Ok(Box::new(Self { filter, sigma: self.sigma, likelihood: self.likelihood, residuals }))
    }

    fn simulate(&self, ahead: &Ahead, _: &[f64], shocks: &[f64], path: &mut [f64]) {
        self.filter.walk(shocks.len(), |step, mean| {
            if let Some(cell) = step.checked_sub(ahead.lead).and_then(|at| path.get_mut(at)) {
                *cell = mean + shocks[step];
            }
            shocks[step]
        });
    }
}
