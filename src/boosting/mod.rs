//! How do many small regression trees, each fitted to what the ones before it left over, become one function?
//!
//! Gradient boosting (Friedman 2001, *Annals of Statistics* 29) on histograms: every column is cut into at most 254 bins once,
//! a split is sought among bins, the sums of a child are those of its parent less its sibling's, and trees grow leaf by leaf,
//! the one first that gains most (Ke et al. 2017, *Advances in Neural Information Processing Systems* 30). Gains and leaves are
//! of second order with a penalty (Chen & Guestrin 2016, *KDD*). Missing values go where they fit best; categories are ordered
//! by their own gradients at each split (Fisher 1958, *J. American Statistical Association* 53).
//!
//! Sums run over rows in their order, column by column, so that the result does not depend on the number of threads.
//!
//! | file | what it does |
//! |---|---|
//! | `bins` | columns of numbers become columns of bins |
//! | `objective` | what is minimised: gradients, first value, leaves |
//! | `grow` | one tree on gradients |
//! | `tree` | what a tree is, and how it is read |
//! | `shapley` | what each column adds to a prediction |

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

pub use objective::{Link, Objective};
pub use tree::{Node, Split};

use crate::progress;
use bins::Binned;
use grow::{Grower, Limits, Sums};
use tree::Tree;

/// A table by column: numbers, NaN where missing. A column of categories holds whole numbers from 0.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// By column, of one length.
    pub columns: &'a [Vec<f64>],
    /// Which columns hold categories; by column, or none.
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

/// How trees are grown.
#[derive(Clone, Debug, PartialEq)]
pub struct Boosting {
    /// What is minimised.
    pub objective: Objective,
    /// Trees.
    pub rounds: usize,
    /// The share of each tree's values that is kept.
    pub rate: f64,
    /// The most leaves of a tree.
    pub leaves: usize,
    /// The most splits between the root and a leaf.
    pub depth: usize,
    /// The fewest rows in a leaf.
    pub least: usize,
    /// The penalty on squared leaf values.
    pub l2: f64,
    /// The share of rows that each tree sees.
    pub rows: f64,
    /// The share of columns that each tree sees.
    pub columns: f64,
    /// Where the draws of rows and columns begin.
    pub seed: u64,
    /// Is each tree fitted to the values themselves, and their mean taken (a random forest)? `rate` is then without meaning.
    pub bagged: bool,
}

impl Default for Boosting {
    fn default() -> Self {
        Self {
            objective: Objective::Squared,
            rounds: 300,
            rate: 0.05,
            leaves: 31,
            depth: 12,
            least: 20,
            l2: 1.0,
            rows: 1.0,
            columns: 1.0,
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

impl Boosting {
    /// Fits trees to `y`, one value per row; rows count as much as `weights` says, or alike. Rows without a value are left out.
    /// Work that is interrupted ends with the trees that there are.
    pub fn fit(&self, rows: Rows, y: &[f64], weights: Option<&[f64]>) -> Ensemble {
        let kept: Vec<u32> = (0..y.len() as u32).filter(|r| y[*r as usize].is_finite()).collect();
        let y: Vec<f64> = kept.iter().map(|r| y[*r as usize]).collect();
        let weights: Option<Vec<f64>> = weights.map(|w| kept.iter().map(|r| w[*r as usize]).collect());
        let weights = weights.as_deref();
        let binned = Binned::of(rows, &kept);
        let base = self.objective.first(&y, weights);
        let plain = weights.is_none() && self.objective.has_plain_curvature() && y.len() < grow::MOST_PACKED;
        let trees = match plain {
            _ if y.is_empty() => Vec::new(),
            true => self.trees::<i64>(&binned, &y, weights, base, grow::packed),
            false => self.trees::<[f64; 2]>(&binned, &y, weights, base, |gradients| (gradients.to_vec(), 1.0)),
        };
        Ensemble { link: self.objective.link(), base, trees }
    }

    /// One tree after the other; `count` brings derivatives into the form in which they are summed, and tells the unit.
    fn trees<S: Sums>(
        &self,
        binned: &Binned,
        y: &[f64],
        weights: Option<&[f64]>,
        base: f64,
        count: impl Fn(&[[f32; 2]]) -> (Vec<S::Row>, f64),
    ) -> Vec<Tree> {
        let mut trees: Vec<Tree> = Vec::new();
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let mut score = vec![base; y.len()];
        let mut gradients = vec![[0.0_f32; 2]; y.len()];
        self.objective.gradients(y, weights, &score, &mut gradients);
        let largest = gradients.iter().fold(0.0, |most: f64, [g, _]| most.max(f64::from(*g).abs()));
        let (least, noise) = (self.least.max(1), (NOISE * largest).powi(2));
        let limits = Limits { leaves: self.leaves, depth: self.depth, least, l2: self.l2, noise };
        let mut grower = Grower::<S>::new(binned, limits);
        let rate = if self.bagged { 1.0 / self.rounds as f64 } else { self.rate };
        let all: Vec<u32> = (0..y.len() as u32).collect();
        for _ in 0..self.rounds {
            // Whoever asked sees the interrupt, not the trees so far.
            if progress::is_stopped() {
                break;
            }
            self.objective.gradients(y, weights, &score, &mut gradients);
            let (counted, unit) = count(&gradients);
            let draw =
                |random: &mut ChaCha8Rng| all.iter().copied().filter(|_| random.random::<f64>() < self.rows).collect();
            let seen = if self.rows < 1.0 { draw(&mut random) } else { all.clone() };
            let columns = self.draw_columns(binned.columns.len(), &mut random);
            let (mut tree, leaves) = grower.grow(seen, (&counted, unit), &columns);
            if tree.is_leaf() {
                // Nothing can be split any more; with draws another round may still find something.
                match self.rows < 1.0 || self.columns < 1.0 {
                    true => continue,
                    false => break,
                }
            }
            let values: Vec<f64> = leaves
                .par_iter()
                .map(|(_, rows, sums)| rate * self.objective.leaf(y, weights, &score, rows, *sums, self.l2))
                .collect();
            for ((node, ..), value) in leaves.iter().zip(&values) {
                tree.set(*node, *value);
            }
            trees.push(tree);
            let Some(tree) = trees.last().filter(|_| !self.bagged) else { continue };
            match self.rows < 1.0 {
                true => score
                    .par_iter_mut()
                    .enumerate()
                    .with_min_len(4096)
                    .for_each(|(row, score)| *score += tree.read_binned(binned, row)),
                false => {
                    for ((_, rows, _), value) in leaves.iter().zip(&values) {
                        rows.iter().for_each(|r| score[*r as usize] += value);
                    }
                }
            }
        }
        trees
    }

    /// Which columns a tree may see.
    fn draw_columns(&self, count: usize, random: &mut ChaCha8Rng) -> Vec<bool> {
        let mut seen = vec![self.columns >= 1.0; count];
        if self.columns < 1.0 {
            let mut order: Vec<usize> = (0..count).collect();
            order.shuffle(random);
            let taken = ((count as f64 * self.columns).ceil() as usize).clamp(1, count.max(1));
            order.iter().take(taken).for_each(|c| seen[*c] = true);
        }
        seen
    }
}

/// A share of the largest first derivative whose square no split has to gain: it is rounding.
const NOISE: f64 = 1e-9;
/// Rows that are predicted together.
const TOGETHER: usize = 128;

impl Ensemble {
    /// Trees that were grown elsewhere, each as its nodes from the root on; none where a node leads nowhere or back.
    pub fn new(link: Link, base: f64, trees: Vec<Vec<Node>>) -> Option<Self> {
        let trees = trees.into_iter().map(|nodes| Tree::try_from(nodes).ok()).collect::<Option<_>>()?;
        Some(Self { link, base, trees })
    }

    /// A prediction for each row, on the scale of `y`.
    pub fn predict(&self, rows: Rows) -> Vec<f64> {
        let mut said = vec![self.base; rows.len()];
        // Tree by tree for some rows: the tree stays where the processor finds it soonest.
        said.par_chunks_mut(TOGETHER).enumerate().for_each(|(part, said)| {
            for tree in &self.trees {
                let numbered = (part * TOGETHER..).zip(said.iter_mut());
                numbered.for_each(|(row, score)| *score += tree.read(rows, row));
            }
            said.iter_mut().for_each(|score| *score = self.link.back(*score));
        });
        said
    }

    /// What each column adds to the prediction of each row, and last what there is without any: exact Shapley values of the
    /// trees (Lundberg et al. 2020, *Nature Machine Intelligence* 2, by the path of each row). They sum to the prediction;
    /// where trees add up on the logarithmic scale, each column gets its share of what the prediction differs by.
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

    /// What the splits on each column have gained together.
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
