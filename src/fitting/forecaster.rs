//! A model of a panel, and what its fit offers: forecasts, residuals, paths, feature importance.

use serde::{Deserialize, Serialize};

use super::{Description, StepDistribution};
use crate::error::{Error, Result};
use crate::panel::{Future, Panel, Scenario};

/// What a fit is for: its forecast horizon, and the scenario of observed covariates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aim {
    /// The horizon: steps from the end of the history to the last one that is forecast. The default for the season if not
    /// known.
    pub steps: Option<usize>,
    /// The scenario for observed covariates.
    pub scenario: Scenario,
    /// The windows that an ensemble wants forecasts of; none if nobody asks.
    #[serde(skip)]
    pub windows: Option<Windows>,
}

/// Windows at the end of a panel, one after the other, whose values a fit is to forecast as if they were not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// How many.
    pub count: usize,
    /// The steps of each.
    pub steps: usize,
}

impl Windows {
    /// The first step of each window of a series of `n` steps, oldest first; none of windows for which it is too short.
    pub(crate) fn starts(self, n: usize) -> impl Iterator<Item = Option<usize>> {
        (0..self.count).map(move |k| n.checked_sub((self.count - k) * self.steps))
    }
}

/// What a fit would have forecast for one window of one series from the values before the window alone.
pub struct HeldOut {
    /// The series.
    pub series: usize,
    /// The calendar position of the first step.
    pub start: i64,
    /// The forecast.
    pub forecast: StepDistribution,
}

impl Aim {
    /// For a horizon under a scenario. Values that are given with a future are not known for windows of the past, where the
    /// climatology stands in for them.
    pub(crate) fn new(steps: usize, scenario: Scenario) -> Self {
        let scenario = if scenario == Scenario::Given { Scenario::Climatology } else { scenario };
        Self { steps: Some(steps), scenario, windows: None }
    }
}

/// The forecast horizon of validation windows where none is given: a season, a quarter of a long one, 8 steps without one.
pub(crate) fn default_horizon(season: usize) -> usize {
    match season {
        0 | 1 => 8,
        2..=47 => season.max(4),
        long => (long / 4).clamp(13, 48),
    }
}

/// The calendar position after the last value of a series.
pub(crate) fn end(panel: &Panel, series: usize) -> i64 {
    panel.positions(series).last().map_or(0, |last| last + 1)
}

/// Fits a whole panel. Global models implement it; local ones get it from [`SeriesModel`](super::SeriesModel).
pub trait Forecaster: Send + Sync {
    /// Fits every series of `train` for forecasts with this horizon and scenario; a series that cannot be fitted is kept as a
    /// failure.
    ///
    /// # Errors
    /// When the panel as a whole cannot be fitted, or the user interrupts.
    fn fit(&self, train: &Panel, aim: Aim) -> Result<Box<dyn Fitted>>;

    /// Fits as [`fit`](Self::fit) does, unless that does not pay: where the last part of a fit is dear, and what it would have
    /// forecast for the windows of its aim is known before, `pays` is asked with the means of that. None where it does not.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    fn fit_if(&self, train: &Panel, aim: Aim, _pays: &dyn Fn(&[HeldOut]) -> bool) -> Result<Option<Box<dyn Fitted>>> {
        self.fit(train, aim).map(Some)
    }

    /// Does it read covariates? Their future values are then required.
    fn reads_covariates(&self) -> bool;

    /// Is it a global model: are its parameters estimated from all series together? Calibration of intervals and pooled
    /// seasonality, which local models share, do not count.
    fn is_global(&self) -> bool {
        true
    }

    /// The label of the local model that does its part where series are fitted one by one, as in a stream; none without one.
    fn by_series(&self) -> Option<String> {
        None
    }

    /// Does the forecast of a series depend on the others, by a seasonal pattern or calibrated intervals that they share?
    fn shares(&self) -> bool {
        self.is_global()
    }

    /// Does the fit depend on the forecast horizon?
    fn depends_on_horizon(&self) -> bool {
        true
    }

    /// Does the fit depend on the scenario, where covariates are observed?
    fn depends_on_scenario(&self) -> bool {
        false
    }
}

/// The importance of a feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Importance {
    /// The feature.
    pub feature: String,
    /// Its share of the total gain of all splits, between 0 and 1; none where the method has no splits.
    pub gain: Option<f64>,
    /// Permutation importance: the relative increase of the error when the values of the feature are shuffled.
    pub permutation: f64,
}

/// The forecast means of one series as a baseline plus contributions of features (Shapley values for trees).
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The baseline (expected value) of each step, in units of the data.
    pub baseline: Vec<f64>,
    /// By group of features, its contribution at each step; baseline and contributions sum to the mean.
    pub contributions: Vec<(String, Vec<f64>)>,
}

/// One-step innovations that sample paths are drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Shocks<'a> {
    /// On the model's scale, one per calendar step of the series, NaN where there is none.
    pub values: &'a [f64],
    /// Do they carry the correlation between series? They do not where the history is too short for the model's lags: errors
    /// then have the same bias in every series.
    pub joint: bool,
}

/// One epoch of the training of a network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// 0 for training with a validation set, 1 for the refit on all steps.
    pub part: u64,
    /// The number of the epoch, from 1.
    pub epoch: usize,
    /// The mean training loss.
    pub loss: f64,
    /// The loss on the validation windows; none in the refit.
    pub validation_loss: Option<f64>,
    /// The learning rate at its end.
    pub learning_rate: f64,
    /// The mean norm of its gradients, before clipping.
    pub gradient_norm: f64,
}

/// A regressor in the format of the library that fitted it, with the rows of features of a forecast.
pub struct ExportedModel {
    /// The first and the last step ahead that it forecasts, counted from 1.
    pub steps: (usize, usize),
    /// The model in the library's native format.
    pub model: String,
    /// The names of the features.
    pub names: Vec<String>,
    /// The feature matrix by column: one row per step of the series.
    pub columns: Vec<Vec<f64>>,
    /// The prediction for each row, on the scale of the training target.
    pub predicted: Vec<f64>,
}

/// A fitted panel.
pub trait Fitted: Send + Sync {
    /// Why a series could not be fitted.
    fn failure(&self, series: usize) -> Option<&Error>;

    /// The predictive distribution of each step of the future of one series.
    ///
    /// # Errors
    /// When the series was not fitted, or the future lacks a covariate that the model needs.
    fn forecast(&self, future: &Future, series: usize) -> Result<StepDistribution>;

    /// In-sample one-step innovations on the model's scale, one per calendar step of the series, NaN where there is none.
    fn residuals(&self, series: usize) -> &[f64];

    /// The innovations that sample paths are drawn from: the residuals, unless out-of-sample errors are known.
    fn shocks(&self, series: usize) -> Shocks<'_> {
        Shocks { values: self.residuals(series), joint: true }
    }

    /// The specification and the parameters that were chosen or estimated for a series.
    fn describe(&self, series: usize) -> Description;

    /// Takes out of the fit what it would have forecast for the windows that its aim names, where it knows that without a further
    /// fit. A series may have none.
    fn take_held_out(&mut self) -> Vec<HeldOut> {
        Vec::new()
    }

    /// The same parameters on `train`, a later state of the panel that was fitted: the same series in the same order.
    ///
    /// # Errors
    /// When the user interrupts. A series that cannot be updated is kept as a failure.
    fn update(&self, train: &Panel) -> Result<Box<dyn Fitted>>;

    /// Simulates one path on the model's scale around `mean` on that scale, driven by the one-step innovations `shocks`, from
    /// the first step after the training data.
    ///
    /// # Errors
    /// As [`forecast`](Self::forecast).
    fn simulate(&self, future: &Future, series: usize, mean: &[f64], shocks: &[f64], path: &mut [f64]) -> Result<()>;

    /// The importance of each feature; none for a method without features.
    fn importance(&self) -> Option<Vec<Importance>> {
        None
    }

    /// The contribution of each feature to the mean of each step of the future of one series; none for a method without
    /// attributions.
    ///
    /// # Errors
    /// As [`forecast`](Self::forecast).
    fn explain(&self, _future: &Future, _series: usize) -> Result<Option<Explanation>> {
        Ok(None)
    }

    /// The epochs of its training; empty for a method that is not trained in epochs.
    fn training(&self) -> &[Epoch] {
        &[]
    }

    /// The models in the native format of the library that fitted them, one per block of horizons, with the feature matrix
    /// for the future of one series; none for our own methods.
    ///
    /// # Errors
    /// As [`forecast`](Self::forecast).
    fn exported(&self, _future: &Future, _series: usize) -> Result<Option<Vec<ExportedModel>>> {
        Ok(None)
    }

    /// The fit as bytes, for the loader in [`MODELS`](crate::models::MODELS).
    ///
    /// # Errors
    /// When the fit cannot be encoded.
    fn save(&self) -> Result<Vec<u8>>;
}
