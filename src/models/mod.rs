//! The methods that forecast: the traits they implement, the table that lists them, and one file per method.
//!
//! A new method is one file with an options struct that implements [`SeriesModel`] and [`Method`], and two lines here:
//! its `mod` and its row in [`MODELS`]. Label, options, help, saved files, scripts and contract tests follow.

mod drift;
mod fits;
mod local;
mod model;
mod naive;
mod regression;
mod seasonal_naive;
mod theta;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use drift::{Drift, FittedDrift};
pub use fits::{Failure, Fits, Horizon};
pub(crate) use fits::{failures_sentence, failures_table, find};
pub(crate) use model::distinct;
pub use model::{Entry, IntoModel, Model};
pub use naive::{FittedNaive, Naive};
pub use regression::{FittedRegression, Regression};
pub use seasonal_naive::{FittedSeasonalNaive, SeasonalNaive};
pub use theta::{FittedTheta, Theta};

use crate::error::{Error, Result};
use crate::panel::normalise::Scale;
use crate::panel::{Future, Panel, Role};

/// Every method there is, by name.
pub const MODELS: &[Entry] = &[
    Entry::of::<Naive>(),
    Entry::of::<SeasonalNaive>(),
    Entry::of::<Drift>(),
    Entry::of::<Theta>(),
    Entry::of::<Regression>(),
];

/// Fits a whole panel. Global models implement it; local ones get it from [`SeriesModel`].
pub trait Forecaster: Send + Sync {
    /// Fits every series of `train`; a series that cannot be served is kept as its failure.
    ///
    /// # Errors
    /// When the panel as a whole cannot be served, or the user interrupts.
    fn fit(&self, train: &Panel) -> Result<Box<dyn Fitted>>;
}

/// A fitted panel.
pub trait Fitted: Send + Sync {
    /// Why a series could not be fitted.
    fn failure(&self, series: usize) -> Option<&Error>;

    /// Mean and spread of each step of the future of one series.
    ///
    /// # Errors
    /// When the series was not fitted, or the future lacks a covariate that the model needs.
    fn forecast(&self, future: &Future, series: usize) -> Result<Marginal>;

    /// In-sample one-step errors on the model's scale, one per calendar step of the series, NaN where there is none.
    fn residuals(&self, series: usize) -> &[f64];

    /// One path on the model's scale around `mean` on that scale, which the one-step errors `shocks` lead to, from the first step after the training data.
    ///
    /// # Errors
    /// As [`forecast`](Self::forecast).
    fn simulate(&self, future: &Future, series: usize, mean: &[f64], shocks: &[f64], path: &mut [f64]) -> Result<()>;

    /// The fit as bytes, for the loader in [`MODELS`].
    ///
    /// # Errors
    /// When the fit cannot be encoded.
    fn save(&self) -> Result<Vec<u8>>;
}

/// Fits one series; an adapter makes it a [`Forecaster`].
pub trait SeriesModel: Send + Sync {
    /// Does it read covariates? Their future values are then demanded.
    fn reads_covariates(&self) -> bool {
        false
    }

    /// Fits one series.
    ///
    /// # Errors
    /// When the series cannot be served: too short, too few complete rows.
    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>>;
}

/// One fitted series.
pub trait FittedSeries: Save + Send + Sync {
    /// The mean of each step, `horizon` values.
    ///
    /// # Errors
    /// When a step cannot be computed.
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>>;

    /// The standard deviation of the forecast error of each step, `horizon` values.
    fn spread(&self, ahead: &Ahead) -> Vec<f64>;

    /// In-sample one-step errors, one per training value, NaN where there is none.
    fn residuals(&self) -> &[f64];

    /// Writes to `path` (`horizon` values) what the one-step errors `shocks` (`lead + horizon` values) lead to.
    /// Independent errors around the mean unless a model knows better.
    fn simulate(&self, ahead: &Ahead, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        for ((cell, mean), shock) in path.iter_mut().zip(mean).zip(&shocks[ahead.lead..]) {
            *cell = mean + shock;
        }
    }
}

/// A value that can be kept in a file; every serde type is one.
pub trait Save {
    /// The value as bytes.
    ///
    /// # Errors
    /// When it cannot be encoded.
    fn save(&self) -> Result<Vec<u8>>;
}

impl<T: Serialize> Save for T {
    fn save(&self) -> Result<Vec<u8>> {
        encode(self)
    }
}

/// What [`MODELS`] needs to know of a method; its options struct implements it.
pub trait Method: SeriesModel + Clone + Default + Serialize + DeserializeOwned + JsonSchema + 'static {
    /// The name in labels: lower case, words joined by underscores.
    const NAME: &str;
    /// One line.
    const SUMMARY: &str;
    /// A label that works on the bundled data.
    const EXAMPLE: &str;
    /// The fitted form, which saved files hold.
    type Fitted: FittedSeries + DeserializeOwned + 'static;

    /// Checks that the options make sense together.
    ///
    /// # Errors
    /// When one does not, naming it.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// One series as a model sees it: every calendar step from the first to the last value.
pub struct Series<'a> {
    /// The target, NaN where it is missing.
    pub values: &'a [f64],
    /// The calendar position of the first value.
    pub start: i64,
    /// Steps in a season.
    pub season: usize,
    /// The covariate columns, for models that read them.
    pub covariates: Vec<Covariate<'a>>,
}

/// A covariate column of one series.
pub struct Covariate<'a> {
    /// What may be known of it.
    pub role: Role,
    /// One value per step of the series, NaN where it is missing.
    pub values: Cow<'a, [f64]>,
}

/// The steps to forecast: `horizon` of them, after `lead` steps that nobody asked for.
pub struct Ahead<'a> {
    /// Steps between the last value and the first forecast.
    pub lead: usize,
    /// Steps to forecast.
    pub horizon: usize,
    /// The covariate columns in the order of [`Series::covariates`], `horizon` values each.
    pub covariates: Vec<&'a [f64]>,
}

impl Ahead<'_> {
    /// How far ahead each step is, counted from the last value: `lead + 1` to `lead + horizon`.
    pub fn steps(&self) -> impl Iterator<Item = usize> {
        self.lead + 1..=self.lead + self.horizon
    }
}

/// The forecast distribution of each step of a series: normal on the scale that the model saw, which is that of the data
/// unless the panel is [normalised](crate::panel::Normalise).
#[derive(Clone, Debug, PartialEq)]
pub struct Marginal {
    /// The mean of each step, on the scale of the data.
    pub mean: Vec<f64>,
    /// The standard deviation of each step, on the model's scale.
    pub sd: Vec<f64>,
    /// The way back from the model's scale, and the mean on it; none where the model saw the data as they are.
    back: Option<(Scale, Vec<f64>)>,
}

impl Marginal {
    /// Normal with this mean and standard deviation of each step.
    pub fn normal(mean: Vec<f64>, sd: Vec<f64>) -> Self {
        Self { mean, sd, back: None }
    }

    /// What is normal with this mean and standard deviation of each step on `scale`, brought back from it.
    ///
    /// # Errors
    /// When the forecast has no meaning on the scale of the data.
    pub(crate) fn scaled(scale: Scale, mean: Vec<f64>, sd: Vec<f64>) -> Result<Self> {
        if scale == Scale::Same {
            return Ok(Self::normal(mean, sd));
        }
        mean.iter().zip(&sd).try_for_each(|(mean, sd)| scale.check(*mean, *sd))?;
        let adjusted = mean.iter().zip(&sd).map(|(mean, sd)| scale.mean(*mean, *sd)).collect();
        Ok(Self { mean: adjusted, sd, back: Some((scale, mean)) })
    }

    /// The mean of each step on the model's scale.
    pub(crate) fn seen(&self) -> &[f64] {
        self.back.as_ref().map_or(&self.mean, |(_, mean)| mean)
    }

    /// The value of a step, on the scale of the data, that lies `deviates` standard deviations from the mean on the
    /// model's.
    pub(crate) fn at(&self, step: usize, deviates: f64) -> f64 {
        let scale = self.back.as_ref().map_or(Scale::Same, |(scale, _)| *scale);
        scale.at(self.seen()[step], self.sd[step], deviates)
    }

    /// The `probability` quantile of each step.
    pub(crate) fn quantile(&self, probability: f64) -> Vec<f64> {
        let z = standard_normal(probability);
        (0..self.sd.len()).map(|step| self.at(step, z)).collect()
    }
}

/// The quantile of the standard normal distribution; exactly 0 for one half, so that the median is the mean to the bit.
pub(crate) fn standard_normal(probability: f64) -> f64 {
    use statrs::distribution::{ContinuousCDF, Normal};
    if probability == 0.5 { 0.0 } else { Normal::standard().inverse_cdf(probability) }
}

fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    rmp_serde::to_vec_named(value).map_err(|cause| Error::model("the fit cannot be encoded").because(cause))
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    rmp_serde::from_slice(bytes).map_err(|cause| Error::data("the saved fit is damaged").because(cause))
}

fn check_season(season: Option<usize>) -> Result<()> {
    match season {
        Some(0) => Err(Error::usage("a season is at least 1 step, not 0; 1 means no season")),
        _ => Ok(()),
    }
}

/// Index and value of the last value that is not missing.
fn last_observed(values: &[f64]) -> Result<(usize, f64)> {
    let last = values.iter().rposition(|v| !v.is_nan());
    last.map(|at| (at, values[at])).ok_or_else(|| Error::model("the series has no values"))
}

/// Changes over `lag` steps, one per value, NaN where either end is missing.
fn changes(values: &[f64], lag: usize) -> Vec<f64> {
    (0..values.len()).map(|t| t.checked_sub(lag).map_or(f64::NAN, |before| values[t] - values[before])).collect()
}

/// The root of the summed squares over their number less the parameters estimated.
fn root_mean_square(errors: &[f64], parameters: usize, needs: &str) -> Result<f64> {
    let observed: Vec<f64> = errors.iter().copied().filter(|e| !e.is_nan()).collect();
    if observed.len() <= parameters {
        return Err(Error::model(needs));
    }
    Ok((observed.iter().map(|e| e * e).sum::<f64>() / (observed.len() - parameters) as f64).sqrt())
}
