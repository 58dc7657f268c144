//! Forecasting methods: the registry [`MODELS`], and one file or folder per method; ensembles of them in `ensembles`.
//!
//! A new method is one file with an options struct that implements [`Method`] and, by its scope, [`SeriesModel`] (local),
//! [`Regressor`] (global) or [`Forecaster`], and two lines here: its `mod` and its row in [`MODELS`]. Label, options, help, saved
//! files, scripts and contract tests follow. What carries methods is in the room `fitting`.

mod arima;
mod boost;
mod ces;
mod drift;
mod ensembles;
mod ets;
mod fits;
mod forest;
mod gamma_poisson;
mod group_seasonal;
mod harmonic;
mod intermittent;
mod linear;
mod lstm;
mod model;
mod mstl;
mod naive;
mod names;
mod prophet;
mod regression;
mod seasonal_naive;
mod theta;
mod xgboost;

pub use arima::{Arima, FittedArima, Search};
pub use boost::{Boost, BoostObjective};
pub use ces::{Ces, CesSeasonality, FittedCes};
pub use drift::{Drift, FittedDrift};
pub use ensembles::{
    Automatic, By, Combine, Conformal, Conformity, Ensemble, FittedCombine, FittedConformal, FittedEnsemble,
    FittedStack, Select, Stack, StackLoss,
};
pub use ets::{Ets, FittedEts};
pub use fits::{Failure, Fits, Horizon};
pub(crate) use fits::{failures_sentence, failures_table, remarks_sentence};
pub use forest::Forest;
pub use gamma_poisson::{FittedGammaPoisson, GammaPoisson};
pub use group_seasonal::{FittedGroupSeasonal, GroupSeasonal};
pub use harmonic::{FittedHarmonic, Harmonic};
pub use intermittent::{Adida, CountDistribution, Croston, FittedIntermittent, Imapa, Sba, Tsb};
pub use linear::{ElasticNet, FittedLinear, Lasso, Ridge};
pub use lstm::{Device, FittedLstm, Head, Lstm};
pub use model::{Entry, IntoModel, Making, Model};
pub(crate) use model::{distinct, place};
pub use mstl::{FittedMstl, Mstl, Periodic, Stl, Window};
pub use naive::{FittedNaive, Naive};
pub use names::names;
pub use prophet::{FittedProphet, Growth, Limit, MapOptimizer, Prophet, ProphetMode, ProphetSeason, ProphetTerms};
pub use regression::{FittedRegression, Regression};
pub use seasonal_naive::{FittedSeasonalNaive, SeasonalNaive};
pub use theta::{FittedTheta, Theta, ThetaKind};
pub use xgboost::{FittedXgboost, Xgboost, XgboostObjective};

pub(crate) use crate::fitting::standard_normal;
pub use crate::fitting::{
    Ahead, Aim, Auto, BoxCox, Component, Covariate, Criterion, Description, Difference, Epoch, Explanation,
    ExportedModel, FeatureMatrix, Fitted, FittedRegressor, FittedSeries, Forecaster, Global, GlobalOptions, HeldOut,
    Importance, Likelihood, Local, Method, PanelLevel, Prepared, Quantiles, Regressor, Restore, Save, Scaling, Scope,
    Season, Series, SeriesModel, Shocks, StepDistribution, WindowForecast, Windows,
};
use crate::fitting::{changes, check_box_cox, check_season, last_observed, root_mean_square};
use crate::registry::Registry;

/// Every method there is, by name.
pub const MODELS: Registry<Making> = Registry {
    kind: "model",
    rows: &[
        Entry::of::<Automatic>(),
        Entry::of::<Ensemble>(),
        Entry::of::<Combine>(),
        Entry::of::<Conformal>(),
        Entry::of::<Stack>(),
        Entry::of::<Select>(),
        Entry::of::<Naive>(),
        Entry::of::<SeasonalNaive>(),
        Entry::of::<GroupSeasonal>(),
        Entry::of::<GammaPoisson>(),
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
    ],
};
