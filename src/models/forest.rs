//! `forest`: a random forest, the mean of many deep trees on bootstrap-like samples of rows and columns (Breiman 2001, *Machine
//! Learning* 45), as a global model.
//!
//! Trees are those of [`crate::boosting`] (the forests of linfa are classifiers), features, blocks of horizons and intervals
//! those of [`crate::fitting::global`].

use super::boost::PreparedTrees;
use super::{FeatureMatrix, FittedRegressor, Global, GlobalOptions, Method, Prepared, Regressor};
use crate::boosting::{Boosting, Ensemble};
use crate::error::Result;
use crate::fitting::{check_count, check_share, global, global::global_options};

global_options! {
    /// Options of `forest`.
    Forest, max_rows: 100_000,
    /// The number of trees.
    #[schemars(extend("also" = "trees, n_estimators"))]
    num_trees: usize = 100,
    /// The largest number of leaves of a tree.
    #[schemars(extend("also" = "leaves, max_leaves, max_leaf_nodes"))]
    num_leaves: usize = 1000,
    /// The smallest number of rows in a leaf.
    #[schemars(extend("also" = "least, min_samples_leaf"))]
    min_data_in_leaf: usize = 5,
    /// The fraction of rows sampled for each tree.
    #[schemars(extend("also" = "rows, max_samples"))]
    subsample: f64 = 0.632,
    /// The fraction of features sampled for each tree.
    #[schemars(extend("also" = "columns, colsample, max_features"))]
    colsample_bytree: f64 = 0.5,
    /// The random seed.
    seed: u64 = 1,
}

impl Method for Forest {
    const NAME: &str = "forest";
    const TITLE: &str = "Random forest";
    const SUMMARY: &str = "A random forest as a global model";
    const EXAMPLE: &str = "forest(num_trees=20)";
    const ALSO: &str = "random forest, rf, random forest regressor";
    const SIMILAR: &[(&str, &str)] = &[("decision tree, tree, cart, extra trees", "the mean of many trees")];
    const SEARCH: &[(&str, &[&str])] = &[
        ("colsample_bytree", &["0.15..0.8"]),
        ("subsample", &["0.3..1.0"]),
        ("min_data_in_leaf", &["3..50 log"]),
        ("scale", &["level", "standard"]),
        ("difference", &["auto", "none", "recent"]),
    ];
    type Scope = Global;
    type Fitted = Ensemble;

    fn check(&self) -> Result<()> {
        global::check(&self.common())?;
        check_share("subsample", self.subsample)?;
        check_share("colsample_bytree", self.colsample_bytree)?;
        for (what, value, min) in [
            ("num_trees", self.num_trees, 1),
            ("num_leaves", self.num_leaves, 2),
            ("min_data_in_leaf", self.min_data_in_leaf, 1),
        ] {
            check_count(what, value, min)?;
        }
        Ok(())
    }
}

impl Regressor for Forest {
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

impl Forest {
    fn boosting(&self) -> Boosting {
        Boosting {
            bagged: true,
            num_rounds: self.num_trees,
            num_leaves: self.num_leaves,
            max_depth: 64,
            min_data_in_leaf: self.min_data_in_leaf,
            l2: 0.0,
            subsample: self.subsample,
            colsample_bytree: self.colsample_bytree,
            seed: self.seed,
            ..Boosting::default()
        }
    }
}
