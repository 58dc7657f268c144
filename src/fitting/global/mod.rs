//! Global models: one regression on features of a series and a step, fitted to all series together (Montero-Manso & Hyndman
//! 2021, *International Journal of Forecasting* 37).
//!
//! The adapter here makes a [`Regressor`] a [`Forecaster`](super::Forecaster). A regressor sees a feature matrix and a target,
//! nothing of series.
//!
//! | question | file |
//! |---|---|
//! | How does a panel become aligned, scaled series? | `extractor`, `scaling` |
//! | Which features does a row have, and how are they calculated? | `features`, `columns` |
//! | What is the level of a series without history (cold start)? | `cold_start` |
//! | Which rows are models trained on? | `rows` |
//! | How are they trained and validated? | `training` |
//! | What do they forecast, and how are they kept? | `fitted` |
//! | How large are errors, and how do they move together? | `residuals` |
//! | How wide are intervals? | `error_distribution` |
//! | Which features matter? | `attribution` |
//!
//! **Direct by block of horizons.** The model for steps 1 to 14 uses lags of at least 14 steps, the one for steps 15 to 28 lags
//! of at least 28 steps; so no forecast is ever a feature (Taieb & Hyndman 2014, *Boosting multi-step autoregressive
//! forecasts*). Beyond the last block, forecasts take the place of values (recursive): `horizon=1` is the purely recursive
//! strategy.
//!
//! **Invariance.** Series are taken in an order by content and covariates in the order of their names (see `order`), a constant
//! covariate is left out, and values that differ by rounding alone are one to a tree. So a forecast depends neither on the
//! names of series, nor on the order in which columns are declared, nor on the unit of the target. It may depend on the names
//! of covariates: trees that sample columns then sample others.

mod attribution;
mod cold_start;
mod columns;
mod error_distribution;
mod extractor;
mod features;
mod fitted;
mod residuals;
mod rows;
mod scaling;
#[cfg(test)]
mod tests;
mod training;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BoxCox, Save, check_box_cox};
use crate::error::{Error, Result};

pub(crate) use extractor::FeatureExtractor;
pub(crate) use features::{AlignedSeries, FeatureSet, Schema, Unit};
pub(super) use fitted::load;
pub use scaling::Scaling;
pub(super) use training::GlobalForecaster;

/// The options that all global models have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GlobalOptions {
    /// Horizons that are forecast directly; the forecast horizon if not given.
    pub horizon: Option<usize>,
    /// Horizons per model; a season or two weeks' worth if not given.
    pub block: Option<usize>,
    /// How series are scaled.
    pub scale: Scaling,
    /// What is subtracted from each value before the fit.
    pub difference: Difference,
    /// The power of a Box-Cox transformation, applied first.
    pub box_cox: Option<BoxCox>,
    /// Are covariates features? Those that are known ahead must then be given with the future.
    pub regressors: bool,
    /// The largest number of training rows, sampled evenly over series and steps.
    pub max_rows: usize,
    /// The largest number of hold-out windows that intervals are calibrated on.
    pub windows: usize,
}

/// The options struct of a global model: its own options, followed by the common ones, which become its [`GlobalOptions`].
macro_rules! global_options {
    ($(#[$about:meta])* $name:ident, max_rows: $max_rows:literal,
     $($(#[$doc:meta])* $field:ident: $type:ty = $default:expr,)*) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)*
            /// Horizons that are forecast directly; the forecast horizon if not given. 1 is the recursive strategy.
            pub horizon: Option<usize>,
            /// Horizons per model: one is fitted for each block of so many steps ahead; about two weeks of days, a dozen of
            /// other periods, if not given.
            pub block: Option<usize>,
            /// How series are scaled.
            pub scale: $crate::fitting::Scaling,
            /// What is subtracted from each value before the fit, and added back to the forecast.
            pub difference: $crate::fitting::Difference,
            /// The power of a Box-Cox transformation, or `auto`; 0 is the logarithm.
            pub box_cox: Option<$crate::fitting::BoxCox>,
            /// Are covariates features? Those that are known ahead must then be given with the future.
            pub regressors: bool,
            /// The largest number of training rows, sampled evenly over series and steps.
            #[schemars(extend("also" = "most_rows"))]
            pub max_rows: usize,
            /// Hold-out windows, each as long as the forecast, for intervals and for `difference=auto`; as many as there is
            /// room for. With 0, which is faster, intervals are normal and as wide as the in-sample RMSE implies.
            pub windows: usize,
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($field: $default,)*
                    horizon: None,
                    block: None,
                    scale: Default::default(),
                    difference: Default::default(),
                    box_cox: None,
                    regressors: true,
                    max_rows: $max_rows,
                    windows: 3,
                }
            }
        }

        impl $name {
            fn common(&self) -> $crate::fitting::GlobalOptions {
                let &Self { horizon, block, scale, difference, box_cox, regressors, max_rows, windows, .. } = self;
                $crate::fitting::GlobalOptions {
                    horizon, block, scale, difference, box_cox, regressors, max_rows, windows
                }
            }
        }
    };
}
pub(crate) use global_options;

/// What is subtracted from each value before the fit, and added back to the forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Difference {
    /// Nothing or the recent mean, whichever has the smaller error on the hold-out windows.
    #[default]
    Auto,
    /// Nothing.
    None,
    /// The mean of the last season that is available at the horizon, so that trees can follow a trend.
    Recent,
    /// The value a season before (as many seasons as the horizon requires).
    Seasonal,
}

/// A feature matrix, by column.
#[derive(Clone)]
pub struct FeatureMatrix {
    /// The names of the features.
    pub names: Vec<String>,
    /// By feature, one value per row, NaN where it is missing.
    pub columns: Vec<Vec<f64>>,
    /// Which features are categorical, coded as whole numbers from 0.
    pub categorical: Vec<bool>,
    /// By row, the number of later steps of its series.
    pub later_steps: Vec<usize>,
}

/// A regression method: fits one function to a feature matrix.
pub trait Regressor: Send + Sync {
    /// The common options of global models.
    fn common(&self) -> GlobalOptions;

    /// Fits `target`, one value per row; rows without one are left out.
    ///
    /// # Errors
    /// When the matrix cannot be fitted.
    fn fit(&self, matrix: &FeatureMatrix, target: &[f64]) -> Result<Box<dyn FittedRegressor>>;

    /// Do its prepared matrices make sketches?
    fn has_sketches(&self) -> bool {
        false
    }

    /// A matrix made ready for several fits: by default as it is.
    fn prepare(&self, matrix: FeatureMatrix) -> Box<dyn Prepared + '_> {
        Box::new(AsItIs { regressor: self, matrix })
    }
}

/// A feature matrix made ready for several fits of a regression method.
pub trait Prepared: Send + Sync {
    /// As [`Regressor::fit`], a fit to each of some targets.
    ///
    /// # Errors
    /// When the matrix cannot be fitted.
    fn fits(&self, targets: &[Vec<f64>]) -> Result<Vec<Box<dyn FittedRegressor>>>;

    /// Fits with less effort, good enough to tell which of some targets is the best; with all effort where a method has no
    /// such thing.
    ///
    /// # Errors
    /// As [`Regressor::fit`].
    fn sketches(&self, targets: &[Vec<f64>]) -> Result<Vec<Box<dyn FittedRegressor>>> {
        self.fits(targets)
    }
}

struct AsItIs<'a, R: ?Sized> {
    regressor: &'a R,
    matrix: FeatureMatrix,
}

impl<R: Regressor + ?Sized> Prepared for AsItIs<'_, R> {
    fn fits(&self, targets: &[Vec<f64>]) -> Result<Vec<Box<dyn FittedRegressor>>> {
        targets.iter().map(|target| self.regressor.fit(&self.matrix, target)).collect()
    }
}

/// A fitted regressor.
pub trait FittedRegressor: Save + Send + Sync {
    /// The prediction for each row of a feature matrix, given by column.
    fn predict(&self, columns: &[Vec<f64>]) -> Vec<f64>;

    /// The model in the native format of the library that fitted it; none for our own.
    fn exported(&self) -> Option<&str> {
        None
    }

    /// The total gain of the splits on each of so many features, in any unit; none for a method without splits.
    fn gains(&self, _columns: usize) -> Option<Vec<f64>> {
        None
    }

    /// By row, the contribution of each feature to the prediction and, last, the expected value (SHAP base value); they sum to
    /// the prediction.
    fn contributions(&self, _columns: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
        None
    }
}

/// The most hold-out windows.
const MAX_WINDOWS: usize = 20;

/// Checks the common options.
pub(crate) fn check(options: &GlobalOptions) -> Result<()> {
    check_box_cox(options.box_cox)?;
    for (what, value) in [("horizon", options.horizon), ("block", options.block), ("max_rows", Some(options.max_rows))]
    {
        if value == Some(0) {
            return Err(Error::usage(format!("`{what}` is at least 1, not 0")));
        }
    }
    match options.windows {
        0..=MAX_WINDOWS => Ok(()),
        more => Err(Error::usage(format!("`windows` is at most {MAX_WINDOWS}, not {more}"))),
    }
}
