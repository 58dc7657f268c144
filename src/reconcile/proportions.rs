//! How is a sum shared out among its leaves?
//!
//! | proportions | share of a leaf |
//! |---|---|
//! | `average` | the average of its share on each date of the past (Gross & Sohl 1990, method A) |
//! | `averages` | its average in the past over that of the sum (Gross & Sohl 1990, method F) |
//! | `forecast` | its forecast over the sum of those of its siblings, on the way down through all levels that nest (Athanasopoulos, Ahmed & Hyndman 2009); alike where the siblings' sum is zero |
//!
//! The first two are shares of what was sold on dates on which both have a value; the shares of a sum add up to 1, so that nothing is
//! lost of it where a series is younger than the others.

use super::method::Proportions;
use crate::error::{Error, Result};
use crate::panel::{Nodes, Panel};

/// Each leaf's share of its sum at a level, where the past tells it; and the sums of that level.
pub(super) struct Shares {
    /// The sum that each leaf belongs to, as a place among the sums.
    of: Vec<usize>,
    kind: Kind,
}

enum Kind {
    /// Of each leaf.
    Past(Vec<f64>),
    /// The levels below, each as the series that stands above every leaf; the last are the leaves.
    Forecast(Vec<Vec<usize>>),
}

impl Shares {
    /// # Errors
    /// When there is no such level, or forecast proportions are asked for levels that do not nest.
    pub(super) fn new(panel: &Panel, nodes: &Nodes, level: Option<&str>, proportions: Proportions) -> Result<Self> {
        let level = match level {
            Some(name) => nodes.level_named(name)?,
            None => nodes.level_named(crate::panel::TOTAL).map_err(|_| {
                Error::usage(format!(
                    "top_down shares the total out, and the hierarchy has none; add it to the levels (\"total; {}\")",
                    nodes.levels.join("; ")
                ))
            })?,
        };
        if level + 1 == nodes.levels.len() {
            return Err(Error::usage(format!("{} are the leaves: there is nothing below them", nodes.levels[level])));
        }
        let of = parents(nodes, level)?;
        let kind = match proportions {
            Proportions::Forecast => Kind::Forecast(chain(nodes, level)?),
            Proportions::Average | Proportions::Averages => Kind::Past(past(panel, nodes, &of, proportions)),
        };
        Ok(Self { of, kind })
    }

    /// The leaves, given the forecasts of all series.
    pub(super) fn shared(&self, nodes: &Nodes, base: &[f64]) -> Vec<f64> {
        let sum = |leaf: usize| base[nodes.uppers[self.of[leaf]]];
        match &self.kind {
            Kind::Past(shares) => shares.iter().enumerate().map(|(leaf, share)| share * sum(leaf)).collect(),
            Kind::Forecast(levels) => {
                // Of each leaf, the series above it on the level that is shared out, and its value.
                let mut above: Vec<usize> = (0..self.of.len()).map(|leaf| nodes.uppers[self.of[leaf]]).collect();
                let mut value: Vec<f64> = (0..self.of.len()).map(sum).collect();
                for level in levels {
                    // The siblings of each: those that are below the same series.
                    let mut siblings = vec![0.0; nodes.len()];
                    let mut count = vec![0.0; nodes.len()];
                    let mut seen = vec![false; nodes.len()];
                    for (child, parent) in level.iter().zip(&above) {
                        if !std::mem::replace(&mut seen[*child], true) {
                            siblings[*parent] += base[*child];
                            count[*parent] += 1.0;
                        }
                    }
                    for ((child, parent), value) in level.iter().zip(&above).zip(&mut value) {
                        let share = match siblings[*parent].abs() < 1e-8 {
                            true => 1.0 / count[*parent],
                            false => base[*child] / siblings[*parent],
                        };
                        *value *= share;
                    }
                    above.clone_from(level);
                }
                value
            }
        }
    }
}

/// The sum of a level that each leaf belongs to, as a place among the sums.
fn parents(nodes: &Nodes, level: usize) -> Result<Vec<usize>> {
    let mut of = vec![usize::MAX; nodes.leaves.len()];
    for upper in (0..nodes.uppers.len()).filter(|upper| nodes.level[nodes.uppers[*upper]] == level) {
        nodes.below(upper).iter().for_each(|leaf| of[*leaf as usize] = upper);
    }
    match of.contains(&usize::MAX) {
        true => Err(Error::data(format!("some series have no sum on the level {}", nodes.levels[level]))),
        false => Ok(of),
    }
}

/// The levels below one that nest in each other, from the coarsest to the leaves, each as the series above every leaf.
fn chain(nodes: &Nodes, top: usize) -> Result<Vec<Vec<usize>>> {
    let bottom = nodes.levels.len() - 1;
    let mut chain: Vec<Vec<usize>> = Vec::new();
    let mut above: Vec<usize> = parents(nodes, top)?.into_iter().map(|upper| nodes.uppers[upper]).collect();
    let mut last = top;
    for level in top + 1..bottom {
        let own: Vec<usize> = parents(nodes, level)?.into_iter().map(|upper| nodes.uppers[upper]).collect();
        let mut parent = vec![usize::MAX; nodes.len()];
        let nests = own.iter().zip(&above).all(|(child, above)| {
            let known = std::mem::replace(&mut parent[*child], *above);
            known == usize::MAX || known == *above
        });
        if !nests {
            return Err(Error::usage(format!(
                "forecast proportions go down levels that nest, and `{}` does not nest in `{}`; state proportions=average, or levels \
                 that nest",
                nodes.levels[level], nodes.levels[last]
            )));
        }
        last = level;
        above.clone_from(&own);
        chain.push(own);
    }
    chain.push(nodes.leaves.clone());
    Ok(chain)
}

/// The shares in the past, of each leaf in its sum.
fn past(panel: &Panel, nodes: &Nodes, of: &[usize], proportions: Proportions) -> Vec<f64> {
    let share = |leaf: usize| {
        let (own, sum) = (nodes.leaves[leaf], nodes.uppers[of[leaf]]);
        let (positions, values) = (panel.positions(sum), panel.target(sum));
        let at = |position: &i64| positions.binary_search(position).ok().map(|row| values[row]);
        let both =
            panel.positions(own).iter().zip(panel.target(own)).filter_map(|(position, y)| Some((*y, at(position)?)));
        let known: Vec<(f64, f64)> = both.filter(|(y, sum)| !y.is_nan() && !sum.is_nan()).collect();
        match proportions {
            // A date on which nothing was sold at all has no shares.
            Proportions::Average => {
                let shares: Vec<f64> = known.iter().filter(|(_, sum)| *sum != 0.0).map(|(y, sum)| y / sum).collect();
                shares.iter().sum::<f64>() / shares.len().max(1) as f64
            }
            _ => known.iter().map(|(y, _)| y).sum::<f64>() / known.len().max(1) as f64,
        }
    };
    let mut shares: Vec<f64> = (0..of.len()).map(share).collect();
    let mut whole = vec![0.0; nodes.uppers.len()];
    let mut count = vec![0.0; nodes.uppers.len()];
    of.iter().zip(&shares).for_each(|(upper, share)| {
        whole[*upper] += share;
        count[*upper] += 1.0;
    });
    // What was never sold is shared alike.
    of.iter().zip(&mut shares).for_each(|(upper, share)| {
        *share = if whole[*upper] == 0.0 { 1.0 / count[*upper] } else { *share / whole[*upper] };
    });
    shares
}
