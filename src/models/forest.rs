//! `forest`: the mean of many deep trees, each on rows and columns of its own (Breiman 2001, *Machine Learning* 45).
//!
//! Trees are those of [`crate::boosting`] (the forests of linfa know classes only), features, blocks of steps and intervals
//! those of [`super::learned`].

use super::Method;
use super::kinds::AcrossSeries;
use super::learned::{self, Learner, Learnt, Table, Task, learner_options};
use crate::boosting::{Boosting, Ensemble, Rows};
use crate::error::Result;

learner_options! {
    /// Options of `forest`.
    Forest, most_rows: 100_000,
    /// Trees.
    #[schemars(extend("also" = "num_trees, n_estimators"))]
    trees: usize = 100,
    /// The most leaves of a tree.
    #[schemars(extend("also" = "max_leaves, num_leaves, max_leaf_nodes"))]
    leaves: usize = 1000,
    /// The fewest rows in a leaf.
    #[schemars(extend("also" = "min_data_in_leaf, min_samples_leaf"))]
    least: usize = 5,
    /// The share of rows that each tree sees.
    #[schemars(extend("also" = "subsample, max_samples"))]
    rows: f64 = 0.632,
    /// The share of columns that each tree sees.
    #[schemars(extend("also" = "colsample, max_features"))]
    columns: f64 = 0.5,
    /// Where the draws begin.
    seed: u64 = 1,
}

impl Method for Forest {
    const NAME: &str = "forest";
    const SUMMARY: &str = "A random forest that learns from all series together";
    const EXAMPLE: &str = "forest(trees=20)";
    const ALSO: &str = "random forest, rf, random forest regressor";
    const SIMILAR: &[(&str, &str)] = &[("decision tree, tree, cart, extra trees", "the mean of many trees")];
    const SEARCH: &[(&str, &[&str])] = &[
        ("columns", &["0.15..0.8"]),
        ("rows", &["0.3..1.0"]),
        ("least", &["3..50 log"]),
        ("scale", &["level", "standard"]),
        ("difference", &["auto", "none", "recent"]),
    ];
    type Kind = AcrossSeries;
    type Fitted = Ensemble;

    fn check(&self) -> Result<()> {
        learned::check(&self.task())?;
        learned::check_share("rows", self.rows)?;
        learned::check_share("columns", self.columns)?;
        for (what, value, least) in [("trees", self.trees, 1), ("leaves", self.leaves, 2), ("least", self.least, 1)] {
            learned::check_count(what, value, least)?;
        }
        Ok(())
    }
}

impl Learner for Forest {
    fn task(&self) -> Task {
        self.task()
    }

    fn learn(&self, table: &Table, target: &[f64]) -> Result<Box<dyn Learnt>> {
        let forest = Boosting {
            bagged: true,
            rounds: self.trees,
            leaves: self.leaves,
            depth: 64,
            least: self.least,
            l2: 0.0,
            rows: self.rows,
            columns: self.columns,
            seed: self.seed,
            ..Boosting::default()
        };
        let rows = Rows { columns: &table.columns, categorical: &table.categorical };
        Ok(Box::new(forest.fit(rows, target, None)))
    }
}
