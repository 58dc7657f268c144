//! Seasonal adjustment by STL or MSTL: any model without a season forecasts the adjusted series, and the seasons are added back.
//!
//! ŷ(T+h) = x̂(T+h) + Σ s(T+h−m·k), k = ⌈h/m⌉: x is the series less its seasonal components from an STL or MSTL
//! decomposition, x̂ the forecast of the component model, and the last season of each seasonal component is repeated (Hyndman &
//! Athanasopoulos, 3rd ed., §13.4; R's `stlf`). Intervals are those of the component model: the season is taken as known,
//! which makes them a little too narrow. An update keeps the seasonal components, repeats the last season of each, and
//! updates the component model. Seasons that the series does not hold more than twice are left out; with none left, the
//! component model forecasts the series as it is. Missing values stay missing. Fails where the component model fails.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ensembles::FittedComponent;
use super::{
    Ahead, BoxCox, Covariate, Description, Entry, FittedSeries, Method, Quantiles, Series, SeriesModel, check_box_cox,
    check_season,
};
use crate::error::{Error, Result};
use crate::statistics::{self, MstlOptions, SeasonalWindow};

/// Options of `stl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Stl {
    /// Steps in a season; the panel's season if not given.
    pub season: Option<usize>,
    /// The seasonal window: an odd number of seasons, or `periodic` for constant seasonality; 11 if not given.
    pub window: Option<Window>,
    /// Is the decomposition robust to outliers?
    pub robust: bool,
    /// The label of the model for the seasonally adjusted series.
    pub trend: String,
    /// The power of a Box-Cox transformation, or `auto`; none if not given.
    pub box_cox: Option<BoxCox>,
}

/// Options of `mstl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mstl {
    /// Steps in each season, such as `[24, 168]`; the panel's season if not given.
    pub seasons: Vec<usize>,
    /// The seasonal windows: an odd number of seasons, or `periodic`; 11, 15, 19, … if not given.
    pub window: Option<Window>,
    /// Is the decomposition robust to outliers?
    pub robust: bool,
    /// The label of the model for the seasonally adjusted series.
    pub trend: String,
    /// The power of a Box-Cox transformation, or `auto`; none if not given.
    pub box_cox: Option<BoxCox>,
}

/// How fast a season may change: a number of seasons, or `periodic`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected how many seasons, or `periodic`")]
pub enum Window {
    /// Loess over so many seasons.
    Seasons(usize),
    /// Not at all.
    Named(Periodic),
}

/// Constant seasonality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Periodic {
    /// The same each time.
    Periodic,
}

const TREND: &str = "ets";
/// What `stl` and `mstl` are worth tuning over.
const SEARCH: &[(&str, &[&str])] = &[
    ("window", &["7", "11", "15", "periodic"]),
    ("robust", &["true", "false"]),
    ("trend", &["ets", "theta", "drift"]),
    ("box_cox", &["auto", "0"]),
];

impl Default for Stl {
    fn default() -> Self {
        Self { season: None, window: None, robust: false, trend: TREND.into(), box_cox: None }
    }
}

impl Default for Mstl {
    fn default() -> Self {
        Self { seasons: Vec::new(), window: None, robust: false, trend: TREND.into(), box_cox: None }
    }
}

impl Method for Stl {
    const NAME: &str = "stl";
    const TITLE: &str = "STL decomposition";
    const SUMMARY: &str = "STL decomposition; another model forecasts the seasonally adjusted series";
    const EXAMPLE: &str = "stl(season=52)";
    const ALSO: &str = "stlf, stl decomposition";
    const SIMILAR: &[(&str, &str)] = &[(
        "x11, x13, seats, classical decomposition, decomposition",
        "it takes the season out by loess (STL) and forecasts the rest by another model",
    )];
    const SEARCH: &[(&str, &[&str])] = SEARCH;
    type Scope = super::Local;
    type Fitted = FittedMstl;

    fn check(&self) -> Result<()> {
        check_season(self.season)?;
        check(self.window, &self.trend, self.box_cox)
    }
}

impl Method for Mstl {
    const NAME: &str = "mstl";
    const TITLE: &str = "Multiple STL decomposition";
    const SUMMARY: &str = "MSTL decomposition with several seasons; another model forecasts the adjusted series";
    const EXAMPLE: &str = "mstl(seasons=[4, 52])";
    const ALSO: &str = "multiple stl";
    const SIMILAR: &[(&str, &str)] =
        &[("tbats, bats, dshw", "it takes several seasons out; `harmonic` has several as Fourier terms, as TBATS has")];
    const SEARCH: &[(&str, &[&str])] = SEARCH;
    type Scope = super::Local;
    type Fitted = FittedMstl;

    fn check(&self) -> Result<()> {
        self.seasons.iter().try_for_each(|season| check_season(Some(*season)))?;
        check(self.window, &self.trend, self.box_cox)
    }
}

fn check(window: Option<Window>, trend: &str, box_cox: Option<BoxCox>) -> Result<()> {
    check_box_cox(box_cox)?;
    if let Some(Window::Seasons(window)) = window
        && (window < 3 || window.is_multiple_of(2))
    {
        return Err(Error::usage(format!("a seasonal window is an odd number of seasons from 3, not {window}")));
    }
    let model =
        Entry::component(trend).map_err(|why| why.within("the trend of a decomposition is the label of a model"))?;
    match model.box_cox() {
        Some(_) => Err(Error::usage("box_cox is an option of the decomposition, not of the model of its trend")),
        None => Ok(()),
    }
}

impl SeriesModel for Stl {
    fn reads_covariates(&self) -> bool {
        reads_covariates(&self.trend)
    }

    fn box_cox(&self) -> Option<BoxCox> {
        self.box_cox
    }

    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let season = self.season.unwrap_or(series.season);
        Ok(Box::new(FittedMstl::new(&[season], self.window, self.robust, &self.trend, series)?))
    }
}

impl SeriesModel for Mstl {
    fn reads_covariates(&self) -> bool {
        reads_covariates(&self.trend)
    }

    fn box_cox(&self) -> Option<BoxCox> {
        self.box_cox
    }

    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let usual = [series.season];
        let seasons = if self.seasons.is_empty() { &usual } else { self.seasons.as_slice() };
        Ok(Box::new(FittedMstl::new(seasons, self.window, self.robust, &self.trend, series)?))
    }
}

fn reads_covariates(trend: &str) -> bool {
    Entry::component(trend).is_ok_and(|model| model.reads_covariates())
}

/// A decomposed series and the fitted model of what is left without its seasons.
#[derive(Serialize, Deserialize)]
pub struct FittedMstl {
    /// The calendar position of the first value that was decomposed.
    start: i64,
    /// The sum of the seasonal components over the series that was decomposed.
    seasonal: Vec<f64>,
    /// The last season of each component.
    cycles: Vec<Vec<f64>>,
    /// Steps from the end of the decomposed series to the end of the one forecast.
    age: usize,
    trend_strength: f64,
    seasonal_strengths: Vec<f64>,
    adjusted: FittedComponent,
}

impl FittedMstl {
    fn new(seasons: &[usize], window: Option<Window>, robust: bool, trend: &str, series: &Series) -> Result<Self> {
        let seasonal = window.map(|window| match window {
            Window::Seasons(window) => SeasonalWindow::Seasons(window),
            Window::Named(Periodic::Periodic) => SeasonalWindow::Periodic,
        });
        let n = series.values.len();
        let parts = match statistics::usable(seasons, n).as_slice() {
            [] => None,
            seasons => Some(statistics::mstl(series.values, seasons, &MstlOptions { seasonal, robust })?),
        };
        let seasonal: Vec<f64> =
            parts.as_ref().map_or_else(Vec::new, |parts| (0..n).map(|t| parts.season_at(t)).collect());
        let cycles = parts.as_ref().map_or_else(Vec::new, |parts| {
            parts.seasonal.iter().zip(&parts.seasons).map(|(component, m)| component[n - m..].to_vec()).collect()
        });
        let adjusted = adjusted(series.values, |t| seasonal.get(t).copied().unwrap_or(0.0))?;
        let part = FittedComponent::fit(trend, &without_season(series, &adjusted)).map_err(|why| within(trend, why))?;
        Ok(Self {
            start: series.start,
            seasonal,
            cycles,
            age: 0,
            trend_strength: parts.as_ref().map_or(f64::NAN, |parts| parts.trend_strength()),
            seasonal_strengths: parts.as_ref().map_or_else(Vec::new, |parts| parts.seasonal_strengths()),
            adjusted: part,
        })
    }

    /// The sum of the seasonal components `h` ≥ 1 steps after the series that was decomposed.
    fn carried(&self, h: usize) -> f64 {
        self.cycles.iter().map(|cycle| cycle[(h - 1) % cycle.len()]).sum()
    }
}

/// The seasonally adjusted values.
fn adjusted(values: &[f64], season: impl Fn(usize) -> f64) -> Result<Vec<f64>> {
    let adjusted: Vec<f64> = values.iter().enumerate().map(|(t, y)| y - season(t)).collect();
    match adjusted.iter().any(|v| v.is_infinite()) {
        true => Err(Error::model("a value less its season leaves the range of numbers")),
        false => Ok(adjusted),
    }
}

fn within(trend: &str, why: Error) -> Error {
    why.within(format!("{trend} cannot be fitted to the seasonally adjusted series"))
}

/// The same series with its adjusted values and no season.
fn without_season<'a>(series: &'a Series, values: &'a [f64]) -> Series<'a> {
    let covariates = series.covariates.iter().map(Covariate::borrowed).collect();
    Series { values, season: 1, covariates, ..*series }
}

impl FittedSeries for FittedMstl {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        let mut mean = self.adjusted.fit.mean(ahead)?;
        mean.iter_mut().zip(ahead.steps()).for_each(|(cell, h)| *cell += self.carried(self.age + h));
        Ok(mean)
    }

    fn std_dev(&self, ahead: &Ahead) -> Vec<f64> {
        self.adjusted.fit.std_dev(ahead)
    }

    fn quantiles(&self, ahead: &Ahead) -> Option<Quantiles> {
        self.adjusted.fit.quantiles(ahead)
    }

    fn residuals(&self) -> &[f64] {
        self.adjusted.fit.residuals()
    }

    /// The specification and the parameters of the adjusted series' model, and how strong trend and seasons are. Its likelihood is
    /// left out: it is of the adjusted series and must not be compared with likelihoods of the series itself.
    fn describe(&self) -> Description {
        let inner = self.adjusted.fit.describe();
        let model = if inner.specification.is_empty() { &self.adjusted.label } else { &inner.specification };
        let periods: Vec<String> = self.cycles.iter().map(|cycle| cycle.len().to_string()).collect();
        let mut parameters = inner.parameters;
        if !self.cycles.is_empty() {
            parameters.push(("trend strength".into(), self.trend_strength));
        }
        let strengths = periods.iter().zip(&self.seasonal_strengths);
        parameters.extend(strengths.map(|(m, strength)| (format!("seasonal strength {m}"), *strength)));
        let specification = match self.cycles.is_empty() {
            true => model.clone(),
            false => format!("STL[{}] + {model}", periods.join(",")),
        };
        Description { specification, parameters, fitdf: inner.fitdf, ..Description::default() }
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let offset = usize::try_from(series.start.saturating_sub(self.start))
            .map_err(|_| Error::model("the series starts before the one that was decomposed; fit it again"))?;
        let known = self.seasonal.len();
        let season = |t: usize| match self.seasonal.get(offset.saturating_add(t)) {
            Some(season) => *season,
            None => self.carried(offset + t + 1 - known),
        };
        let end = offset + series.values.len();
        // Without seasons there is nothing to be in step with.
        let age = if self.cycles.is_empty() { 0 } else { end.checked_sub(known).ok_or_else(shorter)? };
        let values = adjusted(series.values, |t| if self.cycles.is_empty() { 0.0 } else { season(t) })?;
        let part = self.adjusted.update(&without_season(series, &values));
        Ok(Box::new(Self {
            start: self.start,
            seasonal: self.seasonal.clone(),
            cycles: self.cycles.clone(),
            age,
            trend_strength: self.trend_strength,
            seasonal_strengths: self.seasonal_strengths.clone(),
            adjusted: part.map_err(|why| within(&self.adjusted.label, why))?,
        }))
    }

    fn simulate(&self, ahead: &Ahead, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        let season = |at: usize| self.carried(self.age + ahead.lead + at + 1);
        let without: Vec<f64> = mean.iter().enumerate().map(|(at, mean)| mean - season(at)).collect();
        self.adjusted.fit.simulate(ahead, &without, shocks, path);
        path.iter_mut().enumerate().for_each(|(at, cell)| *cell += season(at));
    }
}

fn shorter() -> Error {
    Error::model("the series ends before the one that was decomposed; fit it again")
}
