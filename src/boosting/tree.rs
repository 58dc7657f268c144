//! One tree: splits on columns, values at the leaves.

use serde::{Deserialize, Serialize};

use super::Rows;

/// The categories that go left, one bit each.
pub(super) type Set = [u64; 4];

/// By what a node divides its rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Rule {
    /// Values below the number go left.
    Below(f64),
    /// Categories of the set go left; all others, unknown ones too, right.
    In(Set),
}

/// What a node does with its rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Split {
    pub(super) column: usize,
    pub(super) rule: Rule,
    /// Do missing values go left?
    pub(super) missing_left: bool,
    /// The last bin that goes left, while the tree grows.
    #[serde(skip)]
    pub(super) bin: u8,
    pub(super) gain: f64,
    /// The left child; the right one is the next.
    pub(super) left: usize,
}

/// A place in a tree.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// How many rows came here, as the second derivatives count them.
    pub cover: f64,
    /// The value, at a leaf.
    pub value: f64,
    /// What is done with the rows; none at a leaf.
    pub split: Option<Split>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Node>", into = "Vec<Node>")]
pub(super) struct Tree {
    pub nodes: Vec<Node>,
}

impl TryFrom<Vec<Node>> for Tree {
    type Error = &'static str;

    fn try_from(nodes: Vec<Node>) -> Result<Self, Self::Error> {
        let leads =
            |(at, node): (usize, &Node)| node.split.is_none_or(|split| split.left > at && split.left + 1 < nodes.len());
        match !nodes.is_empty() && nodes.iter().enumerate().all(leads) {
            true => Ok(Self { nodes }),
            false => Err("a node of a tree leads nowhere, or back"),
        }
    }
}

impl From<Tree> for Vec<Node> {
    fn from(tree: Tree) -> Self {
        tree.nodes
    }
}

pub(super) fn holds(set: &Set, category: usize) -> bool {
    set.get(category / 64).is_some_and(|word| word >> (category % 64) & 1 == 1)
}

impl Split {
    /// Values below `edge` go left, to the node `left`; the others to the next one.
    pub fn below(column: usize, edge: f64, missing_left: bool, gain: f64, left: usize) -> Self {
        Self { column, rule: Rule::Below(edge), missing_left, bin: 0, gain, left }
    }

    /// Does a value go left?
    pub fn is_left(&self, value: f64) -> bool {
        match self.rule {
            _ if value.is_nan() => self.missing_left,
            Rule::Below(edge) => value < edge,
            Rule::In(set) => (0.0..256.0).contains(&value) && holds(&set, value as usize),
        }
    }

    /// Does a row in this bin go left, where `missing` is the bin of missing values?
    pub fn is_left_binned(&self, bin: u8, missing: usize) -> bool {
        match self.rule {
            _ if usize::from(bin) == missing => self.missing_left,
            Rule::Below(_) => bin <= self.bin,
            Rule::In(set) => holds(&set, usize::from(bin)),
        }
    }
}

impl Tree {
    pub fn is_leaf(&self) -> bool {
        self.nodes.len() == 1
    }

    pub fn set(&mut self, node: usize, value: f64) {
        self.nodes[node].value = value;
    }

    /// The value of the leaf that a row comes to.
    pub fn read(&self, rows: Rows, row: usize) -> f64 {
        let mut node = &self.nodes[0];
        while let Some(split) = &node.split {
            let value = rows.columns.get(split.column).map_or(f64::NAN, |column| column[row]);
            node = &self.nodes[split.left + usize::from(!split.is_left(value))];
        }
        node.value
    }

    pub fn add_gains(&self, gains: &mut [f64]) {
        for split in self.nodes.iter().filter_map(|node| node.split) {
            if let Some(gain) = gains.get_mut(split.column) {
                *gain += split.gain;
            }
        }
    }
}
