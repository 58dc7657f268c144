//! `xgboost`: XGBoost itself (Chen & Guestrin 2016, *KDD*), on the same features as `boost`.
//!
//! The library grows the trees; they are kept in its JSON format, which any XGBoost loads, and evaluated here without it: a saved
//! fit forecasts in a build without XGBoost. Parameters have XGBoost's names and meanings.

#[cfg(feature = "xgboost")]
mod enabled;
#[cfg(feature = "xgboost")]
use enabled::train;

#[cfg(not(feature = "xgboost"))]
mod disabled;
#[cfg(not(feature = "xgboost"))]
use disabled::train;

mod format;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FeatureMatrix, FittedRegressor, Global, GlobalOptions, Method, Prepared, Regressor};
use crate::boosting::{Ensemble, Rows};
use crate::error::{Error, Result};
use crate::fitting::{check_count, check_share, global, global::global_options};

/// The loss function of XGBoost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum XgboostObjective {
    /// Squared error.
    #[default]
    #[serde(rename = "reg:squarederror")]
    SquaredError,
    /// Absolute error.
    #[serde(rename = "reg:absoluteerror")]
    AbsoluteError,
    /// Quantile loss of `quantile_alpha`.
    #[serde(rename = "reg:quantileerror")]
    QuantileError,
    /// Poisson deviance.
    #[serde(rename = "count:poisson")]
    Poisson,
    /// Tweedie deviance with variance power `tweedie_variance_power`.
    #[serde(rename = "reg:tweedie")]
    Tweedie,
}

global_options! {
    /// Options of `xgboost`.
    Xgboost, max_rows: 250_000,
    /// The loss function.
    objective: XgboostObjective = XgboostObjective::default(),
    /// The probability of the quantile that `reg:quantileerror` forecasts.
    quantile_alpha: f64 = 0.5,
    /// The variance power of `reg:tweedie`, between 1 and 2.
    tweedie_variance_power: f64 = 1.5,
    /// The number of trees.
    #[schemars(extend("also" = "num_rounds, rounds, n_estimators"))]
    num_boost_round: usize = 200,
    /// The learning rate: the shrinkage of each tree.
    #[schemars(extend("also" = "learning_rate, rate"))]
    eta: f64 = 0.07,
    /// The largest depth of a tree.
    #[schemars(extend("also" = "depth"))]
    max_depth: usize = 6,
    /// The smallest sum of second derivatives (Hessian) in a leaf.
    min_child_weight: f64 = 5.0,
    /// The smallest gain of a split.
    #[schemars(extend("also" = "min_split_loss"))]
    gamma: f64 = 0.0,
    /// The L2 penalty on leaf values.
    #[schemars(extend("also" = "reg_lambda, l2"))]
    lambda: f64 = 1.0,
    /// The L1 penalty on leaf values.
    #[schemars(extend("also" = "reg_alpha, l1"))]
    alpha: f64 = 0.0,
    /// The fraction of rows sampled for each tree.
    #[schemars(extend("also" = "rows"))]
    subsample: f64 = 1.0,
    /// The fraction of features sampled for each tree.
    #[schemars(extend("also" = "colsample, columns"))]
    colsample_bytree: f64 = 0.3,
    /// The largest number of histogram bins of a feature.
    max_bin: usize = 256,
    /// The random seed.
    seed: u32 = 1,
}

impl Method for Xgboost {
    const NAME: &str = "xgboost";
    const TITLE: &str = "Boosted trees (XGBoost)";
    const SUMMARY: &str = "XGBoost as a global model, with its own parameters and file format";
    const EXAMPLE: &str = "xgboost(num_boost_round=50)";
    const ALSO: &str = "xgb";
    const SEARCH: &[(&str, &[&str])] = &[
        ("objective", &["\"reg:squarederror\"", "\"reg:absoluteerror\""]),
        ("num_boost_round", &["50..600 log"]),
        ("eta", &["0.02..0.2 log"]),
        ("max_depth", &["3..10"]),
        ("min_child_weight", &["1.0..50 log"]),
        ("lambda", &["0.1..30 log"]),
        ("subsample", &["0.5..1.0"]),
        ("colsample_bytree", &["0.15..0.8"]),
        ("scale", &["level", "standard"]),
        ("difference", &["auto", "none", "recent"]),
    ];
    type Scope = Global;
    type Fitted = FittedXgboost;

    fn check(&self) -> Result<()> {
        global::check(&self.common())?;
        for (what, value) in
            [("eta", self.eta), ("subsample", self.subsample), ("colsample_bytree", self.colsample_bytree)]
        {
            check_share(what, value)?;
        }
        let penalties = [
            ("min_child_weight", self.min_child_weight),
            ("gamma", self.gamma),
            ("lambda", self.lambda),
            ("alpha", self.alpha),
        ];
        if let Some((what, value)) = penalties.into_iter().find(|(_, value)| !(*value >= 0.0 && value.is_finite())) {
            return Err(Error::usage(format!("`{what}` is a number of at least 0, not {value}")));
        }
        for (what, value, min) in [
            ("num_boost_round", self.num_boost_round, 1),
            ("max_depth", self.max_depth, 1),
            ("max_bin", self.max_bin, 2),
        ] {
            check_count(what, value, min)?;
        }
        crate::options::probability(self.quantile_alpha, "quantile_alpha")?;
        match self.tweedie_variance_power > 1.0 && self.tweedie_variance_power < 2.0 {
            true => Ok(()),
            false => Err(Error::usage(format!(
                "`tweedie_variance_power` lies between 1 and 2, not at {}",
                self.tweedie_variance_power
            ))),
        }
    }
}

impl Xgboost {
    /// The parameters that are passed to the library.
    #[cfg_attr(not(feature = "xgboost"), expect(dead_code, reason = "needs the library"))]
    fn parameters(&self) -> Result<Vec<(String, String)>> {
        let ours = [
            "num_boost_round",
            "horizon",
            "block",
            "scale",
            "difference",
            "box_cox",
            "regressors",
            "max_rows",
            "windows",
        ];
        let mut parameters: Vec<(String, String)> = crate::options::fields(self)?
            .into_iter()
            .filter(|(name, _)| !ours.contains(&name.as_str()))
            .map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), str::to_string)))
            .collect();
        // One thread: its sums, and so its trees, are then the same on every machine.
        for (name, value) in [("tree_method", "hist"), ("nthread", "1"), ("verbosity", "0")] {
            parameters.push((name.into(), value.into()));
        }
        Ok(parameters)
    }
}

impl Regressor for Xgboost {
    fn common(&self) -> GlobalOptions {
        self.common()
    }

    fn fit(&self, matrix: &FeatureMatrix, target: &[f64]) -> Result<Box<dyn FittedRegressor>> {
        let fit = self.fits(matrix, &[target.to_vec()])?.into_iter().next();
        fit.ok_or_else(|| Error::model("there is nothing to fit"))
    }

    fn prepare(&self, matrix: FeatureMatrix) -> Box<dyn Prepared + '_> {
        Box::new(PreparedXgboost { options: self, matrix })
    }
}

impl Xgboost {
    fn fits(&self, matrix: &FeatureMatrix, targets: &[Vec<f64>]) -> Result<Vec<Box<dyn FittedRegressor>>> {
        let counted = matches!(self.objective, XgboostObjective::Poisson | XgboostObjective::Tweedie);
        if counted && targets.iter().flatten().any(|y| *y < 0.0) {
            return Err(Error::model(
                "count:poisson and reg:tweedie need non-negative values, with scale=level or scale=none",
            ));
        }
        let fit = |json: String| -> Result<Box<dyn FittedRegressor>> {
            // An overflow in single precision becomes a value in its trees that JSON cannot represent.
            let fit = FittedXgboost::try_from(json).map_err(|cause| {
                Error::model("XGBoost calculates in single precision, whose range these values leave").because(cause)
            })?;
            Ok(Box::new(fit))
        };
        train(self, matrix, targets)?.into_iter().map(fit).collect()
    }
}

struct PreparedXgboost<'a> {
    options: &'a Xgboost,
    matrix: FeatureMatrix,
}

impl Prepared for PreparedXgboost<'_> {
    fn fits(&self, targets: &[Vec<f64>]) -> Result<Vec<Box<dyn FittedRegressor>>> {
        self.options.fits(&self.matrix, targets)
    }
}

/// A model fitted by XGBoost.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FittedXgboost {
    /// The model in its native format.
    json: String,
    ensemble: Ensemble,
}

impl TryFrom<String> for FittedXgboost {
    type Error = Error;

    fn try_from(json: String) -> Result<Self> {
        Ok(Self { ensemble: format::read(&json)?, json })
    }
}

impl From<FittedXgboost> for String {
    fn from(fit: FittedXgboost) -> Self {
        fit.json
    }
}

/// A number in single precision, finite, as XGBoost takes it.
fn single(value: f64) -> f32 {
    (value as f32).clamp(f32::MIN, f32::MAX)
}

fn all_single(columns: &[Vec<f64>]) -> Vec<Vec<f64>> {
    columns.iter().map(|column| column.iter().map(|value| f64::from(single(*value))).collect()).collect()
}

impl FittedRegressor for FittedXgboost {
    fn predict(&self, columns: &[Vec<f64>]) -> Vec<f64> {
        self.ensemble.predict(Rows { columns: &all_single(columns), categorical: &[] })
    }

    fn gains(&self, columns: usize) -> Option<Vec<f64>> {
        Some(self.ensemble.gains(columns))
    }

    fn contributions(&self, columns: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
        Some(self.ensemble.contributions(Rows { columns: &all_single(columns), categorical: &[] }))
    }

    fn exported(&self) -> Option<&str> {
        Some(&self.json)
    }
}
