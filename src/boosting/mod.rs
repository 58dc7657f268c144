//! Gradient boosted regression trees, and random forests.
//!
//! Gradient boosting (Friedman 2001, *Annals of Statistics* 29) on histograms: every column is divided once into at most 254
//! bins, splits are searched among bins, the histogram of a child is its parent's less its sibling's, and trees grow leaf-wise,
//! best first (Ke et al. 2017, *Advances in Neural Information Processing Systems* 30). Gains and leaf values are of second order
//! with a penalty (Chen & Guestrin 2016, *KDD*). Each split learns a default direction for missing values; categories are
//! ordered by their gradients at each split (Fisher 1958, *J. American Statistical Association* 53).
//!
//! Sums run over rows in their order, column by column, so that the result does not depend on the number of threads.
//!
//! | file | what it does |
//! |---|---|
//! | `bins` | histogram bins of columns |
//! | `objective` | loss functions: gradients, first value, leaf values |
//! | `grow` | one tree on gradients |
//! | `tree` | the tree and its predictions |
//! | `shapley` | Shapley values |

mod bins;
mod grow;
mod objective;
mod shapley;
mod tree;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use bins::Binned;
pub use objective::{Link, Objective};
pub use tree::{Node, Split};

use crate::progress;
use grow::{Grower, Limits, Sums};
use tree::Tree;

/// A feature matrix by column, NaN where a value is missing. Categories are coded as whole numbers from 0.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// By column, of one length.
    pub columns: &'a [Vec<f64>],
    /// Which columns are categorical; empty if none is.
    pub categorical: &'a [bool],
}

impl Rows<'_> {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The hyperparameters of boosted trees.
#[derive(Clone, Debug, PartialEq)]
pub struct Boosting {
    /// The loss function.
    pub objective: Objective,
    /// The number of trees.
    pub num_rounds: usize,
    /// The learning rate (shrinkage of each tree).
    pub learning_rate: f64,
    /// The largest number of leaves of a tree.
    pub num_leaves: usize,
    /// The largest depth of a tree.
    pub max_depth: usize,
    /// The smallest number of rows in a leaf.
    pub min_data_in_leaf: usize,
    /// The L2 penalty on leaf values.
    pub l2: f64,
    /// The fraction of rows sampled for each tree.
    pub subsample: f64,
    /// The fraction of columns sampled for each tree.
    pub colsample_bytree: f64,
    /// The random seed.
    pub seed: u64,
    /// A random forest: trees are fitted to the values themselves and averaged? `learning_rate` is then without effect.
    pub bagged: bool,
}

impl Default for Boosting {
    fn default() -> Self {
        Self {
            objective: Objective::Squared,
            num_rounds: 300,
            learning_rate: 0.05,
            num_leaves: 31,
            max_depth: 12,
            min_data_in_leaf: 20,
            l2: 1.0,
            subsample: 1.0,
            colsample_bytree: 1.0,
            seed: 1,
            bagged: false,
        }
    }
}

/// Fitted trees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ensemble {
    link: Link,
    /// The prediction before the first tree, on the scale of the trees.
    base: f64,
    trees: Vec<Tree>,
}

/// What is fitted: values and case weights by row, the rows that have a value, and the best constant for them.
struct Sample<'a> {
    y: &'a [f64],
    weights: Option<&'a [f64]>,
    rows: Vec<u32>,
    base: f64,
}

impl Boosting {
    /// Fits trees to `y`, one value per row, with case weights if given. Rows without a value are left out. An interrupted fit
    /// ends with the trees so far.
    pub fn fit(&self, binned: &Binned, y: &[f64], weights: Option<&[f64]>) -> Ensemble {
        let rows: Vec<u32> = (0..binned.rows.min(y.len()) as u32).filter(|r| y[*r as usize].is_finite()).collect();
        let base = self.objective.first(y, weights, &rows);
        let plain = weights.is_none() && self.objective.has_plain_curvature() && rows.len() < grow::MOST_PACKED;
        let sample = Sample { y, weights, rows, base };
        let trees = match plain {
            _ if sample.rows.is_empty() => Vec::new(),
            true => self.trees::<i64>(binned, sample, grow::packed),
            false => self.trees::<[f64; 2]>(binned, sample, |gradients, _| (gradients.to_vec(), 1.0)),
        };
        Ensemble { link: self.objective.link(), base, trees }
    }

    /// One tree after the other; `count` brings derivatives into the form in which they are summed, and tells the unit.
    fn trees<S: Sums>(
        &self,
        binned: &Binned,
        Sample { y, weights, rows: kept, base }: Sample,
        count: impl Fn(&[[f32; 2]], usize) -> (Vec<S::Row>, f64),
    ) -> Vec<Tree> {
        let mut trees: Vec<Tree> = Vec::new();
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let mut score = vec![base; y.len()];
        let mut gradients = vec![[0.0_f32; 2]; y.len()];
        self.objective.gradients(y, weights, &score, &mut gradients);
        let largest = gradients.iter().fold(0.0, |most: f64, [g, _]| most.max(f64::from(*g).abs()));
        let (least, noise) = (self.min_data_in_leaf.max(1), (NOISE * largest).powi(2));
        let limits = Limits { leaves: self.num_leaves, depth: self.max_depth, least, l2: self.l2, noise };
        let mut grower = Grower::<S>::new(binned, limits);
        let rate = if self.bagged { 1.0 / self.num_rounds as f64 } else { self.learning_rate };
        for _ in 0..self.num_rounds {
            // Whoever asked sees the interrupt, not the trees so far.
            if progress::is_stopped() {
                break;
            }
            self.objective.gradients(y, weights, &score, &mut gradients);
            let (counted, unit) = count(&gradients, kept.len());
            let parts =
                if self.subsample < 1.0 { self.draw_rows(&kept, &mut random) } else { [kept.clone(), Vec::new()] };
            let columns = self.draw_columns(binned.columns.len(), &mut random);
            let (mut tree, leaves) = grower.grow(parts, (&counted, unit), &columns);
            if tree.is_leaf() {
                // Nothing can be split any more; with draws another round may still find something.
                match self.subsample < 1.0 || self.colsample_bytree < 1.0 {
                    true => continue,
                    false => break,
                }
            }
            let values: Vec<f64> = leaves
                .par_iter()
                .map(|leaf| rate * self.objective.leaf(y, weights, &score, &leaf.rows, leaf.sums, self.l2))
                .collect();
            for (leaf, value) in leaves.iter().zip(&values) {
                tree.set(leaf.node, *value);
                if !self.bagged {
                    leaf.rows.iter().chain(&leaf.others).for_each(|r| score[*r as usize] += value);
                }
            }
            trees.push(tree);
        }
        trees
    }

    /// The rows sampled for a tree, and the others.
    fn draw_rows(&self, rows: &[u32], random: &mut ChaCha8Rng) -> [Vec<u32>; 2] {
        let mut drawn = vec![0_u8; 2 * rows.len()];
        random.fill(&mut drawn[..]);
        let below = (self.subsample * f64::from(u16::MAX) + 0.5) as u16;
        let (drawn, _) = drawn.as_chunks::<2>();
        let mut drawn = drawn.iter();
        grow::parted(rows, |_| drawn.next().is_some_and(|bytes| u16::from_le_bytes(*bytes) < below))
    }

    /// The columns sampled for a tree.
    fn draw_columns(&self, count: usize, random: &mut ChaCha8Rng) -> Vec<bool> {
        let mut seen = vec![self.colsample_bytree >= 1.0; count];
        if self.colsample_bytree < 1.0 {
            let mut order: Vec<usize> = (0..count).collect();
            order.shuffle(random);
            let taken = ((count as f64 * self.colsample_bytree).ceil() as usize).clamp(1, count.max(1));
            order.iter().take(taken).for_each(|c| seen[*c] = true);
        }
        seen
    }
}

/// Gains below the square of this fraction of the largest gradient are rounding errors.
const NOISE: f64 = 1e-9;
/// Rows that are predicted together.
const TOGETHER: usize = 128;

impl Ensemble {
    /// Trees of another library, each as its nodes from the root on; none if the nodes do not form a tree.
    pub fn new(link: Link, base: f64, trees: Vec<Vec<Node>>) -> Option<Self> {
        let trees = trees.into_iter().map(|nodes| Tree::try_from(nodes).ok()).collect::<Option<_>>()?;
        Some(Self { link, base, trees })
    }

    /// A prediction for each row, on the scale of `y`.
    pub fn predict(&self, rows: Rows) -> Vec<f64> {
        let mut scores = vec![self.base; rows.len()];
        // Tree by tree for a block of rows, so that the tree stays in the cache.
        scores.par_chunks_mut(TOGETHER).enumerate().for_each(|(part, scores)| {
            for tree in &self.trees {
                let numbered = (part * TOGETHER..).zip(scores.iter_mut());
                numbered.for_each(|(row, score)| *score += tree.read(rows, row));
            }
            scores.iter_mut().for_each(|score| *score = self.link.back(*score));
        });
        scores
    }

    /// By row, the contribution of each column to the prediction and, last, the expected value: exact Shapley values of the trees
    /// (Lundberg et al. 2020, *Nature Machine Intelligence* 2, path-dependent). They sum to the prediction; with a log link, each
    /// column gets its share of the difference on the response scale.
    pub fn contributions(&self, rows: Rows) -> Vec<Vec<f64>> {
        let of = |row: usize| {
            let mut sums = vec![0.0; rows.columns.len() + 1];
            sums[rows.columns.len()] = self.base;
            self.trees.iter().for_each(|tree| shapley::add(tree, rows, row, &mut sums));
            if self.link == Link::Log {
                let (base, added) = (sums[rows.columns.len()], sums[..rows.columns.len()].iter().sum::<f64>());
                let whole = self.link.back(base + added) - self.link.back(base);
                let share = if added.abs() > 1e-12 { whole / added } else { 0.0 };
                sums.iter_mut().for_each(|sum| *sum *= share);
                sums[rows.columns.len()] = self.link.back(base);
            }
            sums
        };
        (0..rows.len()).into_par_iter().map(of).collect()
    }

    /// The total gain of the splits on each column.
    pub fn gains(&self, columns: usize) -> Vec<f64> {
        let mut gains = vec![0.0; columns];
        self.trees.iter().for_each(|tree| tree.add_gains(&mut gains));
        gains
    }

    /// The number of trees.
    pub fn len(&self) -> usize {
        self.trees.len()
    }

    /// Is there no tree?
    pub fn is_empty(&self) -> bool {
        self.trees.is_empty()
    }
}
