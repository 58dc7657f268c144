//! The methods that forecast: the traits they implement, the table that lists them, and one file per method.
//!
//! A new method is one file with an options struct that implements [`SeriesModel`] and [`Method`], and two lines here:
//! its `mod` and its row in [`MODELS`]. Label, options, help, saved files, scripts and contract tests follow.

mod arima;
mod automatic;
mod boost;
mod calibration;
mod ces;
mod combine;
mod conformal;
mod decomposition;
mod drift;
mod ets;
mod fits;
mod forest;
mod groups;
mod harmonic;
mod intermittent;
mod kinds;
mod learned;
mod linear;
mod local;
mod lstm;
mod marginal;
mod model;
mod mstl;
mod naive;
mod native;
mod order;
mod part;
mod prophet;
mod regression;
mod seasonal_naive;
mod series;
mod siblings;
mod stack;
mod theta;
mod trial;
mod xgboost;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use arima::{Arima, FittedArima, Search};
pub use automatic::{Automatic, FittedAutomatic};
pub use boost::{Boost, Loss};
pub use ces::{Ces, CesSeasonality, FittedCes};
pub use combine::{By, Combine, FittedCombine};
pub use conformal::{Conformal, Conformity, FittedConformal};
pub use decomposition::Season;
pub use drift::{Drift, FittedDrift};
pub use ets::{Ets, FittedEts};
pub use fits::{Failure, Fits, Horizon};
pub(crate) use fits::{failures_sentence, failures_table, find, find_model, remarks_sentence};
pub use forest::Forest;
pub(crate) use groups::Groups;
pub use harmonic::{FittedHarmonic, Harmonic};
pub use intermittent::{Adida, CountDistribution, Croston, DemandClass, FittedIntermittent, Imapa, Sba, Tsb};
pub(crate) use intermittent::{Demand, ERRATIC, SELDOM};
pub use kinds::{AcrossSeries, EachSeries, Kept, Kind, Part, WholePanel};
pub use learned::{Difference, Learner, Learnt, Scaling, Table as LearningTable, Task};
pub use linear::{ElasticNet, Lasso, Line, Ridge};
pub use lstm::{Device, Epoch, FittedLstm, Head, Lstm};
pub(crate) use marginal::standard_normal;
pub use marginal::{Marginal, Quantiles};
pub(crate) use model::distinct;
pub use model::{Entry, IntoModel, Model};
pub use mstl::{FittedMstl, Mstl, Periodic, Stl, Window};
pub use naive::{FittedNaive, Naive};
pub use native::Foreign;
pub(crate) use order::mixed;
pub use prophet::{FittedProphet, Growth, Limit, MapOptimizer, Prophet, ProphetMode, ProphetSeason, ProphetTerms};
pub use regression::{FittedRegression, Regression};
pub use seasonal_naive::{FittedSeasonalNaive, SeasonalNaive};
pub use series::{
    Ahead, Auto, BoxCox, Covariate, Criterion, Description, FittedSeries, Likelihood, Method, Save, Series, SeriesModel,
};
pub use stack::{FittedStack, Loss as StackLoss, Select, Stack};
pub use theta::{FittedTheta, Theta, ThetaKind};
pub use xgboost::{FittedXgboost, Xgboost, XgboostObjective};

use crate::error::{Error, Result};
use crate::panel::{Future, Panel, Scenario};
use series::{changes, check_box_cox, check_season, last_observed, root_mean_square};

/// Every method there is, by name.
pub const MODELS: &[Entry] = &[
    Entry::of::<Automatic>(),
    Entry::of::<Combine>(),
    Entry::of::<Conformal>(),
    Entry::of::<Stack>(),
    Entry::of::<Select>(),
    Entry::of::<Naive>(),
    Entry::of::<SeasonalNaive>(),
    Entry::of::<Drift>(),
    Entry::of::<Arima>(),
    Entry::of::<Ets>(),
    Entry::of::<Theta>(),
    Entry::of::<Ces>(),
    Entry::of::<Stl>(),
    Entry::of::<Mstl>(),
    Entry::of::<Harmonic>(),
    Entry::of::<Regression>(),
    Entry::of::<Prophet>(),
    Entry::of::<Croston>(),
    Entry::of::<Sba>(),
    Entry::of::<Tsb>(),
    Entry::of::<Adida>(),
    Entry::of::<Imapa>(),
    Entry::of::<Boost>(),
    Entry::of::<Xgboost>(),
    Entry::of::<Forest>(),
    Entry::of::<Lstm>(),
    Entry::of::<Ridge>(),
    Entry::of::<Lasso>(),
    Entry::of::<ElasticNet>(),
];

/// What a fit is for: how far ahead its forecasts reach, and what they assume of observed covariates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aim {
    /// Steps from the end of the history to the last one that is forecast; the usual ones of the season if not known.
    pub steps: Option<usize>,
    /// What stands in for observed covariates.
    pub scenario: Scenario,
}

impl Aim {
    /// For forecasts of so many steps under a scenario. Values that are given with a future are not known of windows of the
    /// past, where the climatology stands for them.
    pub(crate) fn new(steps: usize, scenario: Scenario) -> Self {
        let scenario = if scenario == Scenario::Given { Scenario::Climatology } else { scenario };
        Self { steps: Some(steps), scenario }
    }
}

/// Fits a whole panel. Global models implement it; local ones get it from [`SeriesModel`].
pub trait Forecaster: Send + Sync {
    /// Fits every series of `train`, for forecasts as `aim` says; a series that cannot be served is kept as its failure.
    ///
    /// # Errors
    /// When the panel as a whole cannot be served, or the user interrupts.
    fn fit(&self, train: &Panel, aim: Aim) -> Result<Box<dyn Fitted>>;

    /// Does it read covariates? Their future values are then demanded.
    fn reads_covariates(&self) -> bool;

    /// Does it learn from all series together, beyond what they may lend each other (the calibration of intervals, the season
    /// of siblings)?
    fn learns_across_series(&self) -> bool {
        true
    }

    /// Is a fit for other steps ahead another fit?
    fn minds_steps(&self) -> bool {
        true
    }

    /// Is a fit for another scenario another fit, where covariates are observed?
    fn minds_scenario(&self) -> bool {
        false
    }
}

/// What a feature counts for.
#[derive(Clone, Debug, PartialEq)]
pub struct Importance {
    /// The feature.
    pub feature: String,
    /// Its share of what all splits gained, between 0 and 1; none where the method has no splits.
    pub gain: Option<f64>,
    /// By what share of itself the error grows when its values are shuffled.
    pub permutation: f64,
}

/// What the means of the steps of one series are made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// What the model takes for usual, by step.
    pub usual: Vec<f64>,
    /// What each thing adds, by step.
    pub parts: Vec<(String, Vec<f64>)>,
}

/// One-step innovations that paths are drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Shocks<'a> {
    /// On the model's scale, one per calendar step of the series, NaN where there is none.
    pub values: &'a [f64],
    /// Do they tell how the series moves with others? They do not where the model lacked a past to look at: it is then off in
    /// every series alike.
    pub joint: bool,
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

    /// In-sample one-step innovations on the model's scale, one per calendar step of the series, NaN where there is none.
    fn residuals(&self, series: usize) -> &[f64];

    /// What paths are drawn from; the residuals, unless there is better.
    fn shocks(&self, series: usize) -> Shocks<'_> {
        Shocks { values: self.residuals(series), joint: true }
    }

    /// What the fit of a series came to.
    fn describe(&self, series: usize) -> Description;

    /// The same parameters on `train`, a later state of the panel that was fitted: the same series in the same order.
    ///
    /// # Errors
    /// When the user interrupts. A series that cannot be served is kept as its failure.
    fn update(&self, train: &Panel) -> Result<Box<dyn Fitted>>;

    /// One path on the model's scale around `mean` on that scale, which the one-step innovations `shocks` lead to, from
    /// the first step after the training data.
    ///
    /// # Errors
    /// As [`forecast`](Self::forecast).
    fn simulate(&self, future: &Future, series: usize, mean: &[f64], shocks: &[f64], path: &mut [f64]) -> Result<()>;

    /// What each feature counts for, for a method that has features.
    fn importance(&self) -> Option<Vec<Importance>> {
        None
    }

    /// What each feature adds to the mean of each step of the future of one series, for a method that can tell.
    ///
    /// # Errors
    /// As [`forecast`](Self::forecast).
    fn explain(&self, _future: &Future, _series: usize) -> Result<Option<Explanation>> {
        Ok(None)
    }

    /// How it was trained, round by round, for a method that is.
    fn training(&self) -> &[Epoch] {
        &[]
    }

    /// The parts of a model that another program has fitted, in that program's format, with the rows that the future of one
    /// series is forecast from; none of a model of our own.
    ///
    /// # Errors
    /// As [`forecast`](Self::forecast).
    fn foreign(&self, _future: &Future, _series: usize) -> Result<Option<Vec<Foreign>>> {
        Ok(None)
    }

    /// The fit as bytes, for the loader in [`MODELS`].
    ///
    /// # Errors
    /// When the fit cannot be encoded.
    fn save(&self) -> Result<Vec<u8>>;
}

fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    rmp_serde::to_vec_named(value).map_err(|cause| Error::model("the fit cannot be encoded").because(cause))
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    rmp_serde::from_slice(bytes).map_err(|cause| Error::data("the saved fit is damaged").because(cause))
}
