//! Recent values count most: exponential smoothing in state-space form, chosen and fitted by likelihood.
//!
//! Level, trend and season are smoothed, each none, additive or multiplicative, with additive or relative errors; a
//! trend may be damped: the 30 models ETS(error, trend, season) of Hyndman, Koehler, Ord & Snyder 2008, *Forecasting
//! with Exponential Smoothing*, and Hyndman & Athanasopoulos, 3rd ed., ch. 8. `ets` with no options chooses by AICc
//! among those that R's `forecast::ets` tries, with the same bounds and the same count of parameters: multiplicative
//! parts only for positive values, multiplicative trends only on request, no additive error beside a multiplicative
//! part. `ets(model=MAdM)` fits one of them.
//!
//! Likelihood, smoothing parameters and first states are estimated together, by Gauss-Newton steps from several starts.
//! For a series with a season (of more than 24 steps: if it has three of them), forms first compete with their first
//! states held where a decomposition puts them; those within 1 of the best are fitted in full and compared again, which
//! forecasts better than R's rule, all fitted in full, on folds of monthly and daily series. The criterion of the
//! chosen form may therefore be larger than R's.
//!
//! Means are those of the point forecast recursion (exact expectations where error and season are multiplicative, as in
//! R); variances are exact (ch. 6 there) but for models with a multiplicative trend, or a multiplicative season and
//! additive errors: those have quantiles of simulated paths.
//!
//! At a missing value the states run on without correction. A season that is longer than 24 steps, which R refuses, is
//! fitted like any other. Series of up to six values are fitted with the first states held at the first values, as R
//! does. A named form fails on series with too few values for its parameters, and, if multiplicative, on values that
//! are not positive.

mod choice;
mod filter;
mod forecast;
mod form;
mod search;
mod start;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::filter::{Parameters, States};
use self::form::{Form, Kind, Pattern};
use super::{Ahead, BoxCox, Criterion, Description, FittedSeries, Likelihood, Method, Quantiles, Series, SeriesModel};
use crate::error::{Error, Result};

/// Options of `ets`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ets {
    /// Steps in a season; the panel's season if not given, 1 for no season.
    pub season: Option<usize>,
    /// Error (A or M), trend (N, A, Ad, M or Md; d for damped) and season (N, A or M) in one word, such as `MAdM`; Z
    /// for a component to be chosen.
    pub model: String,
    /// Damped trends only, or undamped ones only; both are candidates if not given.
    pub damped: Option<bool>,
    /// The information criterion.
    pub criterion: Criterion,
    /// Are multiplicative trends candidates too?
    pub multiplicative_trend: bool,
    /// The power of a Box-Cox transformation, or `auto`; only additive models are then candidates.
    pub box_cox: Option<BoxCox>,
}

impl Default for Ets {
    fn default() -> Self {
        Self {
            season: None,
            model: "ZZZ".to_owned(),
            damped: None,
            criterion: Criterion::Aicc,
            multiplicative_trend: false,
            box_cox: None,
        }
    }
}

/// A fitted exponential smoothing model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FittedEts {
    form: Form,
    parameters: Parameters,
    /// Before the first value. States are in units of `scale`.
    first: States,
    /// After the last value.
    last: States,
    /// The calendar position of the first value.
    start: i64,
    scale: f64,
    /// The variance of innovations: shares of the forecast, or errors in units of `scale`.
    variance: f64,
    likelihood: Likelihood,
    residuals: Vec<f64>,
}

impl Method for Ets {
    const NAME: &str = "ets";
    const TITLE: &str = "Exponential smoothing (ETS)";
    const SUMMARY: &str = "Exponential smoothing (ETS): error, trend and season chosen by information criterion";
    const EXAMPLE: &str = "ets(season=52)";
    const ALSO: &str = "exponential smoothing, auto ets";
    const SIMILAR: &[(&str, &str)] = &[
        (
            "holt winters, hw, triple exponential smoothing",
            "ets(model=AAA) is the additive form, ets(model=MAM) the multiplicative one; `ets` alone chooses",
        ),
        (
            "holt, holt linear, double exponential smoothing",
            "ets(model=AAN), or with a damped trend ets(model=AAdN); `ets` alone chooses",
        ),
        ("ses, simple exponential smoothing", "ets(model=ANN); `ets` alone chooses"),
        (
            "bsts, ucm, structural time series, state space, unobserved components, local level, kalman",
            "level, trend and season in state-space form",
        ),
    ];
    const SEARCH: &[(&str, &[&str])] = &[
        ("criterion", &["aicc", "bic"]),
        ("damped", &["true", "false"]),
        ("multiplicative_trend", &["true", "false"]),
        ("box_cox", &["auto", "0"]),
    ];
    type Scope = crate::models::Local;
    type Fitted = FittedEts;

    fn check(&self) -> Result<()> {
        super::check_season(self.season)?;
        super::check_box_cox(self.box_cox)?;
        let pattern = Pattern::parse(&self.model)?;
        if self.damped.is_some() && !pattern.chooses_trend() {
            return Err(Error::usage(format!(
                "`damped` says which trends to choose among, but model `{}` names its trend",
                self.model
            )));
        }
        if pattern.demands_season() && self.season == Some(1) {
            return Err(Error::usage(format!(
                "model `{}` has a season, but `season` is 1, which means none",
                self.model
            )));
        }
        if self.box_cox.is_some() && pattern.demands_positive() {
            return Err(Error::usage(format!(
                "a Box-Cox transformation goes with additive parts only: write A, N or Z instead of M in `{}`",
                self.model
            )));
        }
        Ok(())
    }
}

impl SeriesModel for Ets {
    fn box_cox(&self) -> Option<BoxCox> {
        self.box_cox
    }

    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let scale = scale(series.values)?;
        let season = self.season.unwrap_or(series.season).max(1);
        let y: Vec<f64> = series.values.iter().map(|v| v / scale).collect();
        let chosen = choice::choose(self, &y, season, scale)?;
        Ok(Box::new(FittedEts::new(chosen, &y, series.start, scale)?))
    }
}

/// The mean size of the values, 1 if they are all zero.
fn scale(values: &[f64]) -> Result<f64> {
    let observed = || values.iter().filter(|v| !v.is_nan()).map(|v| v.abs());
    let most = observed().fold(0.0, f64::max);
    if observed().next().is_none() {
        return Err(Error::model("the series has no values"));
    }
    if !most.is_finite() {
        return Err(Error::model("the series has infinite values: ets cannot smooth them"));
    }
    if most == 0.0 {
        return Ok(1.0);
    }
    // A sum of large values could overflow, and one of the smallest numbers has too few digits to divide by.
    let mean = most * (observed().map(|v| v / most).sum::<f64>() / observed().count() as f64);
    Ok(mean.max(f64::MIN_POSITIVE))
}

/// The chosen model.
struct Chosen {
    form: Form,
    point: search::Point,
    /// Degrees of freedom that the fit has used.
    used: usize,
}

impl FittedEts {
    fn new(chosen: Chosen, y: &[f64], start: i64, scale: f64) -> Result<Self> {
        let Chosen { form, point, used } = chosen;
        let unused =
            Likelihood { log: 0.0, parameters: form.parameters(point.states.season.len()) + 1, observations: 0 };
        let fitted = Self {
            form,
            parameters: point.parameters,
            last: point.states.clone(),
            first: point.states,
            start,
            scale,
            variance: 0.0,
            likelihood: unused,
            residuals: Vec::new(),
        };
        let (mut fitted, squares) = fitted.run(y)?;
        let free = fitted.likelihood.observations.saturating_sub(used).max(1);
        fitted.variance = squares / free as f64;
        Ok(fitted)
    }

    /// Brings the states from `first` to the end of a scaled series; the squared innovations, too.
    fn run(mut self, y: &[f64]) -> Result<(Self, f64)> {
        self.last.copy(&self.first);
        let (sums, mut residuals) =
            filter::innovations(self.form, self.parameters, &mut self.last, y).ok_or_else(|| {
                Error::model(format!(
                    "the states of {} leave the range in which it makes sense: fit again, or take an additive model",
                    self.form.name()
                ))
            })?;
        if !self.form.relative {
            residuals.iter_mut().for_each(|v| *v *= self.scale);
        }
        if residuals.iter().any(|v| v.is_infinite()) {
            return Err(Error::model(
                "the errors of ets are too large for a number: measure the series in larger units",
            ));
        }
        self.residuals = residuals;
        self.likelihood.log = -0.5 * log_scale(sums.deviance(), sums.count, self.scale);
        self.likelihood.observations = sums.count;
        Ok((self, sums.squares))
    }
}

/// The deviance of a series in its own units, from that in units of `scale`.
fn log_scale(deviance: f64, observations: usize, scale: f64) -> f64 {
    deviance + 2.0 * observations as f64 * scale.ln()
}

impl FittedSeries for FittedEts {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        let mean: Vec<f64> = self.point_forecasts(ahead).into_iter().map(|v| v * self.scale).collect();
        if mean.iter().all(|v| v.is_finite()) {
            return Ok(mean);
        }
        Err(Error::model(format!(
            "the forecast of {} grows out of the range of numbers: shorten the horizon, or damp the trend",
            self.form.name()
        )))
    }

    fn std_dev(&self, ahead: &Ahead) -> Vec<f64> {
        self.deviations(ahead).into_iter().map(|v| (v * self.scale).min(f64::MAX)).collect()
    }

    fn quantiles(&self, ahead: &Ahead) -> Option<Quantiles> {
        self.simulated_quantiles(ahead)
    }

    fn residuals(&self) -> &[f64] {
        &self.residuals
    }

    fn describe(&self) -> Description {
        let Parameters { alpha, beta, gamma, phi } = self.parameters;
        let growth = if self.form.trend == Kind::Multiplicative { 1.0 } else { self.scale } * self.first.growth;
        let all = [
            ("alpha", alpha, true),
            ("beta", beta, self.form.has_trend()),
            ("gamma", gamma, self.form.is_seasonal()),
            ("phi", phi, self.form.damped),
            ("level", self.first.level * self.scale, true),
            ("growth", growth, self.form.has_trend()),
        ];
        let there = all.into_iter().filter(|(.., there)| *there);
        Description {
            specification: self.form.name(),
            parameters: there.map(|(name, value, _)| (name.to_owned(), value)).collect(),
            likelihood: Some(self.likelihood),
            ..Description::default()
        }
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let y: Vec<f64> = series.values.iter().map(|v| v / self.scale).collect();
        let mut fitted = self.clone();
        if series.start != self.start {
            // A window that has moved on: its season and growth are the latest that are known, its level is looked for.
            let m = self.last.season.len().max(1) as i64;
            let end = self.start + self.residuals.len() as i64;
            let turn = (series.start - end).rem_euclid(m) as usize;
            let next = self.last.season.iter().cycle().skip(self.last.place + turn);
            fitted.first.season = next.take(self.last.season.len()).copied().collect();
            (fitted.first.level, _) = start::trend(self.form, &y, &fitted.first.season);
            (fitted.first.growth, fitted.first.place) = (self.last.growth, 0);
            fitted.start = series.start;
        }
        Ok(Box::new(fitted.run(&y)?.0))
    }

    fn simulate(&self, ahead: &Ahead, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        self.walk(ahead, mean, shocks, path);
    }
}

#[cfg(test)]
mod tests;
