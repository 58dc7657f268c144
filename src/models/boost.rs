//! `boost`: gradient boosted trees over all series together.
//!
//! Trees are those of [`crate::boosting`]; features, blocks of steps and intervals those of [`super::learned`]. On retail data with
//! promotions and a calendar one such model beats models of single series (Makridakis, Spiliotis & Assimakopoulos 2022,
//! *International Journal of Forecasting* 38). Trees do not extrapolate: a series is seen relative to its mean, and
//! `difference=recent` lets a trend go on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Method;
use super::kinds::AcrossSeries;
use super::learned::{self, Learner, Learnt, Table, Task, learner_options};
use crate::boosting::{Boosting, Ensemble, Objective, Rows};
use crate::error::{Error, Result};

/// What trees minimise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Loss {
    /// Squared errors: the forecast is the mean.
    #[default]
    Squared,
    /// Absolute errors: the median.
    Absolute,
    /// The quantile of `probability`.
    Quantile,
    /// Poisson's deviance, for counts.
    Poisson,
    /// Tweedie's deviance of `power`, for sales that are often zero.
    Tweedie,
}

learner_options! {
    /// Options of `boost`.
    Boost, most_rows: 250_000,
    /// What is minimised.
    objective: Loss = Loss::default(),
    /// The probability of the quantile that `objective=quantile` forecasts.
    probability: f64 = 0.5,
    /// How the variance grows with the mean under `objective=tweedie`, between 1 and 2.
    power: f64 = 1.5,
    /// Trees.
    #[schemars(extend("also" = "num_rounds, num_boost_round, num_iterations, n_estimators"))]
    rounds: usize = 200,
    /// The share of each tree's values that is kept.
    #[schemars(extend("also" = "learning_rate, eta"))]
    rate: f64 = 0.07,
    /// The most leaves of a tree.
    #[schemars(extend("also" = "num_leaves, max_leaves"))]
    leaves: usize = 31,
    /// The most splits between the root and a leaf.
    #[schemars(extend("also" = "max_depth"))]
    depth: usize = 12,
    /// The fewest rows in a leaf.
    #[schemars(extend("also" = "min_data_in_leaf, min_child_samples"))]
    least: usize = 10,
    /// The penalty on squared leaf values.
    #[schemars(extend("also" = "lambda, lambda_l2, reg_lambda"))]
    l2: f64 = 1.0,
    /// The share of rows that each tree sees.
    #[schemars(extend("also" = "subsample, bagging_fraction"))]
    rows: f64 = 1.0,
    /// The share of columns that each tree sees.
    #[schemars(extend("also" = "colsample, colsample_bytree, feature_fraction"))]
    columns: f64 = 0.3,
    /// Where the draws begin.
    seed: u64 = 1,
}

impl Method for Boost {
    const NAME: &str = "boost";
    const SUMMARY: &str = "Gradient boosted trees that learn from all series together; promotions, calendar, quantiles";
    const EXAMPLE: &str = "boost(rounds=50)";
    const ALSO: &str = "gbm, gbdt, gradient boosting, boosting, boosted trees, gradient boosted trees";
    const SIMILAR: &[(&str, &str)] = &[
        (
            "lightgbm, lgbm, lgb, catboost, mlforecast",
            "gradient boosted trees over all series, grown leaf by leaf as LightGBM grows them; its names for options are read too",
        ),
        (
            "svr, svm, knn, nearest neighbours, nearest neighbors, gaussian process",
            "it learns from the same features of all series",
        ),
    ];
    const SEARCH: &[(&str, &[&str])] = &[
        ("objective", &["squared", "absolute"]),
        ("rounds", &["50..600 log"]),
        ("rate", &["0.02..0.2 log"]),
        ("leaves", &["7..127 log"]),
        ("least", &["3..100 log"]),
        ("l2", &["0.1..30 log"]),
        ("rows", &["0.5..1.0"]),
        ("columns", &["0.15..0.8"]),
        ("scale", &["level", "standard"]),
        ("difference", &["auto", "none", "recent"]),
    ];
    type Kind = AcrossSeries;
    type Fitted = Ensemble;

    fn check(&self) -> Result<()> {
        learned::check(&self.task())?;
        for (what, value) in [("rate", self.rate), ("rows", self.rows), ("columns", self.columns)] {
            learned::check_share(what, value)?;
        }
        crate::options::probability(self.probability, "probability")?;
        if !(self.power > 1.0 && self.power < 2.0) {
            return Err(Error::usage(format!("`power` lies between 1 and 2, not at {}", self.power)));
        }
        if !(self.l2 >= 0.0 && self.l2.is_finite()) {
            return Err(Error::usage(format!("`l2` is a number of at least 0, not {}", self.l2)));
        }
        for (what, value, least) in
            [("rounds", self.rounds, 1), ("leaves", self.leaves, 2), ("depth", self.depth, 1), ("least", self.least, 1)]
        {
            learned::check_count(what, value, least)?;
        }
        Ok(())
    }
}

impl Learner for Boost {
    fn task(&self) -> Task {
        self.task()
    }

    fn learn(&self, table: &Table, target: &[f64]) -> Result<Box<dyn Learnt>> {
        let objective = match self.objective {
            Loss::Squared => Objective::Squared,
            Loss::Absolute => Objective::Quantile(0.5),
            Loss::Quantile => Objective::Quantile(self.probability),
            Loss::Poisson => Objective::Poisson,
            Loss::Tweedie => Objective::Tweedie(self.power),
        };
        if matches!(objective, Objective::Poisson | Objective::Tweedie(_)) && target.iter().any(|y| *y < 0.0) {
            return Err(Error::model(
                "objective=poisson and objective=tweedie are for values of 0 and above, as they are or divided by their mean",
            ));
        }
        let boosting = Boosting {
            objective,
            rounds: self.rounds,
            rate: self.rate,
            leaves: self.leaves,
            depth: self.depth,
            least: self.least,
            l2: self.l2,
            rows: self.rows,
            columns: self.columns,
            seed: self.seed,
            bagged: false,
        };
        let rows = Rows { columns: &table.columns, categorical: &table.categorical };
        Ok(Box::new(boosting.fit(rows, target, None)))
    }
}

impl Learnt for Ensemble {
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
