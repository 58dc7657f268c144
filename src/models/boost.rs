//! `boost`: gradient boosted trees as a global model.
//!
//! Trees are those of [`crate::boosting`]; features, blocks of horizons and intervals those of [`crate::fitting::global`]. On
//! retail data with promotions and calendar effects, one such global model beats local models (Makridakis, Spiliotis &
//! Assimakopoulos 2022, *International Journal of Forecasting* 38). Trees do not extrapolate: series are divided by their mean,
//! and `difference=recent` lets forecasts follow a trend.

use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FeatureMatrix, FittedRegressor, Global, GlobalOptions, Method, Prepared, Regressor};
use crate::boosting::{Binned, Boosting, Ensemble, Objective, Rows};
use crate::error::{Error, Result};
use crate::fitting::{check_count, check_share, global, global::global_options};

/// A sketch has so many times fewer trees, each of which learns half as many times more.
const SKETCHED: usize = 4;

/// The loss function of trees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BoostObjective {
    /// Squared error: forecasts the mean.
    #[default]
    Squared,
    /// Absolute error: forecasts the median.
    Absolute,
    /// Quantile loss: forecasts the quantile of `probability`.
    Quantile,
    /// Poisson deviance, for counts.
    Poisson,
    /// Tweedie deviance with variance power `power`, for intermittent sales.
    Tweedie,
}

global_options! {
    /// Options of `boost`.
    Boost, max_rows: 250_000,
    /// The loss function.
    objective: BoostObjective = BoostObjective::default(),
    /// The probability of the quantile that `objective=quantile` forecasts.
    probability: f64 = 0.5,
    /// The variance power of `objective=tweedie`, between 1 and 2.
    #[schemars(extend("also" = "tweedie_variance_power"))]
    power: f64 = 1.5,
    /// The number of trees.
    #[schemars(extend("also" = "rounds, num_boost_round, num_iterations, n_estimators"))]
    num_rounds: usize = 150,
    /// The learning rate: the shrinkage of each tree.
    #[schemars(extend("also" = "rate, eta"))]
    learning_rate: f64 = 0.09,
    /// The largest number of leaves of a tree.
    #[schemars(extend("also" = "leaves, max_leaves"))]
    num_leaves: usize = 31,
    /// The largest depth of a tree.
    #[schemars(extend("also" = "depth"))]
    max_depth: usize = 12,
    /// The smallest number of rows in a leaf.
    #[schemars(extend("also" = "least, min_child_samples"))]
    min_data_in_leaf: usize = 10,
    /// The L2 penalty on leaf values.
    #[schemars(extend("also" = "lambda, lambda_l2, reg_lambda"))]
    l2: f64 = 1.0,
    /// The fraction of rows sampled for each tree.
    #[schemars(extend("also" = "rows, bagging_fraction"))]
    subsample: f64 = 1.0,
    /// The fraction of features sampled for each tree.
    #[schemars(extend("also" = "columns, colsample, feature_fraction"))]
    colsample_bytree: f64 = 0.3,
    /// The random seed.
    seed: u64 = 1,
}

impl Method for Boost {
    const NAME: &str = "boost";
    const TITLE: &str = "Boosted trees";
    const SUMMARY: &str = "Gradient boosted trees: a global model with promotions, calendar and quantiles";
    const EXAMPLE: &str = "boost(num_rounds=50)";
    const ALSO: &str = "gbm, gbdt, gradient boosting, boosting, boosted trees, gradient boosted trees";
    const SIMILAR: &[(&str, &str)] = &[
        (
            "lightgbm, lgbm, lgb, catboost, mlforecast",
            "gradient boosted trees as a global model, grown leaf-wise as in LightGBM, whose names of options are accepted",
        ),
        (
            "svr, svm, knn, nearest neighbours, nearest neighbors, gaussian process",
            "a global model on the same kind of features",
        ),
    ];
    const SEARCH: &[(&str, &[&str])] = &[
        ("objective", &["squared", "absolute"]),
        ("num_rounds", &["50..600 log"]),
        ("learning_rate", &["0.02..0.2 log"]),
        ("num_leaves", &["7..127 log"]),
        ("min_data_in_leaf", &["3..100 log"]),
        ("l2", &["0.1..30 log"]),
        ("subsample", &["0.5..1.0"]),
        ("colsample_bytree", &["0.15..0.8"]),
        ("scale", &["level", "standard"]),
        ("difference", &["auto", "none", "recent"]),
    ];
    type Scope = Global;
    type Fitted = Ensemble;

    fn check(&self) -> Result<()> {
        global::check(&self.common())?;
        for (what, value) in [
            ("learning_rate", self.learning_rate),
            ("subsample", self.subsample),
            ("colsample_bytree", self.colsample_bytree),
        ] {
            check_share(what, value)?;
        }
        crate::options::probability(self.probability, "probability")?;
        if !(self.power > 1.0 && self.power < 2.0) {
            return Err(Error::usage(format!("`power` lies between 1 and 2, not at {}", self.power)));
        }
        if !(self.l2 >= 0.0 && self.l2.is_finite()) {
            return Err(Error::usage(format!("`l2` is a number of at least 0, not {}", self.l2)));
        }
        for (what, value, min) in [
            ("num_rounds", self.num_rounds, 1),
            ("num_leaves", self.num_leaves, 2),
            ("max_depth", self.max_depth, 1),
            ("min_data_in_leaf", self.min_data_in_leaf, 1),
        ] {
            check_count(what, value, min)?;
        }
        Ok(())
    }
}

impl Regressor for Boost {
    fn common(&self) -> GlobalOptions {
        self.common()
    }

    fn fit(&self, matrix: &FeatureMatrix, target: &[f64]) -> Result<Box<dyn FittedRegressor>> {
        PreparedTrees::new(self.boosting(), matrix.clone()).one(target)
    }

    fn has_sketches(&self) -> bool {
        true
    }

    fn prepare(&self, matrix: FeatureMatrix) -> Box<dyn Prepared + '_> {
        Box::new(PreparedTrees::new(self.boosting(), matrix))
    }
}

impl Boost {
    fn boosting(&self) -> Boosting {
        let objective = match self.objective {
            BoostObjective::Squared => Objective::Squared,
            BoostObjective::Absolute => Objective::Quantile(0.5),
            BoostObjective::Quantile => Objective::Quantile(self.probability),
            BoostObjective::Poisson => Objective::Poisson,
            BoostObjective::Tweedie => Objective::Tweedie(self.power),
        };
        Boosting {
            objective,
            num_rounds: self.num_rounds,
            learning_rate: self.learning_rate,
            num_leaves: self.num_leaves,
            max_depth: self.max_depth,
            min_data_in_leaf: self.min_data_in_leaf,
            l2: self.l2,
            subsample: self.subsample,
            colsample_bytree: self.colsample_bytree,
            seed: self.seed,
            bagged: false,
        }
    }
}

/// Trees to be fitted to a feature matrix. Its bins are those of the rows that have a target, and are kept for the next fit to
/// the same rows.
pub(super) struct PreparedTrees {
    boosting: Boosting,
    matrix: FeatureMatrix,
    binned: Mutex<Vec<(Vec<bool>, Arc<Binned>)>>,
}

impl PreparedTrees {
    pub fn new(boosting: Boosting, matrix: FeatureMatrix) -> Self {
        Self { boosting, matrix, binned: Mutex::default() }
    }

    /// A single fit.
    ///
    /// # Errors
    /// When the target cannot be fitted.
    pub fn one(&self, target: &[f64]) -> Result<Box<dyn FittedRegressor>> {
        let fit = self.fits(&[target.to_vec()])?.into_iter().next();
        fit.ok_or_else(|| Error::model("there is nothing to fit"))
    }

    /// The bins of the rows whose target is there.
    fn binned(&self, target: &[f64]) -> Arc<Binned> {
        let rows: Vec<bool> = target.iter().map(|y| y.is_finite()).collect();
        let mut kept = self.binned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, binned)) = kept.iter().find(|(known, _)| *known == rows) {
            return Arc::clone(binned);
        }
        let there: Vec<u32> = (0..rows.len() as u32).filter(|row| rows[*row as usize]).collect();
        let matrix = Rows { columns: &self.matrix.columns, categorical: &self.matrix.categorical };
        let binned = Arc::new(Binned::of_rows(matrix, &there));
        kept.push((rows, Arc::clone(&binned)));
        binned
    }
}

impl PreparedTrees {
    fn grown(&self, boosting: &Boosting, targets: &[Vec<f64>]) -> Result<Vec<Box<dyn FittedRegressor>>> {
        let counts = matches!(boosting.objective, Objective::Poisson | Objective::Tweedie(_));
        if counts && targets.iter().flatten().any(|y| *y < 0.0) {
            return Err(Error::model(
                "objective=poisson and objective=tweedie need non-negative values, with scale=level or scale=none",
            ));
        }
        let grown = |target: &Vec<f64>| Box::new(boosting.fit(&self.binned(target), target, None)) as Box<_>;
        Ok(targets.iter().map(grown).collect())
    }
}

impl Prepared for PreparedTrees {
    fn fits(&self, targets: &[Vec<f64>]) -> Result<Vec<Box<dyn FittedRegressor>>> {
        self.grown(&self.boosting, targets)
    }

    fn sketches(&self, targets: &[Vec<f64>]) -> Result<Vec<Box<dyn FittedRegressor>>> {
        let boosting = Boosting {
            num_rounds: self.boosting.num_rounds.div_ceil(SKETCHED),
            learning_rate: (SKETCHED as f64 / 2.0 * self.boosting.learning_rate).min(1.0),
            ..self.boosting.clone()
        };
        self.grown(&boosting, targets)
    }
}

impl FittedRegressor for Ensemble {
    fn predict(&self, columns: &[Vec<f64>]) -> Vec<f64> {
        self.predict(Rows { columns, categorical: &[] })
    }

    fn gains(&self, columns: usize) -> Option<Vec<f64>> {
        Some(self.gains(columns))
    }

    fn contributions(&self, columns: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
        Some(self.contributions(Rows { columns, categorical: &[] }))
    }
}
