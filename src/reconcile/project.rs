//! Which coherent values are nearest to the forecasts of all series?
//!
//! Generalised least squares: of all values y whose sums agree, those with the least (y − ŷ)ᵀ W⁻¹ (y − ŷ), where W is the
//! covariance of the errors of the forecasts ŷ (Wickramasuriya, Athanasopoulos & Hyndman 2019). With A y = 0 for "every sum is
//! the sum of its leaves", y = ŷ − W Aᵀ (A W Aᵀ)⁻¹ A ŷ (Di Fonzo & Girolimetto 2023). There are as many unknowns as sums, not as
//! series, and W is never inverted.
//!
//! W is a diagonal and, for shrunk and sample covariances, K Kᵀ besides, with a column of K per date of the errors: nothing of the
//! size of series × series is stored. Up to [`DENSE`] sums A W Aᵀ is factored once; beyond that, conjugate gradients
//! solve it from sparse products.
//!
//! **Without negative values** the same distance is minimised under y ≥ 0 for the leaves, by block principal pivoting (Portugal,
//! Júdice & Vicente 1994; for reconciliation Wickramasuriya, Turlach & Hyndman 2020): a set of leaves is held at zero, the rest is
//! solved, and leaves that turn negative, or whose multiplier says that they should be free, change sides together. Where that
//! does not bring their number down, they change one at a time, which ends after finitely many steps.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::optimise::positive_definite::{factor, substitute};
use crate::panel::Nodes;
use crate::progress;

/// Sums up to which their system is factored: 32 MB.
const DENSE: usize = 2_000;
/// How often the leaves may change sides together without fewer of them being wrong.
const PATIENCE: usize = 5;
/// Rounds of pivoting, after which something is wrong.
const ROUNDS: usize = 2_000;

/// The covariance of the errors, of all series of the panel.
pub(super) struct Covariance {
    /// Of each series; never below zero.
    pub(super) diagonal: Vec<f64>,
    /// Row after row the factor K, a row for each series; empty where W is diagonal.
    pub(super) factor: Vec<f64>,
    /// The columns of K.
    pub(super) rank: usize,
}

impl Covariance {
    pub(super) fn diagonal(diagonal: Vec<f64>) -> Self {
        Self { diagonal, factor: Vec::new(), rank: 0 }
    }

    fn row(&self, series: usize) -> &[f64] {
        &self.factor[series * self.rank..(series + 1) * self.rank]
    }

    /// The variance of a series.
    pub(super) fn variance(&self, series: usize) -> f64 {
        self.diagonal[series] + self.row(series).iter().map(|v| v * v).sum::<f64>()
    }
}

/// The projection onto coherent values.
pub(super) struct Projection {
    nodes: Arc<Nodes>,
    covariance: Covariance,
    /// Of each leaf, where its sums begin among `above`; and the end of the last.
    starts: Vec<usize>,
    /// Places among the sums.
    above: Vec<u32>,
    /// Row after row A K, a row for each sum.
    constrained: Vec<f64>,
    /// The diagonal of A W Aᵀ.
    scale: Vec<f64>,
    /// The factor of A W Aᵀ, where there are few sums.
    dense: Option<Vec<f64>>,
}

/// Leaves that are held at zero, ascending.
pub(super) type Held = Vec<u32>;

impl Projection {
    /// # Errors
    /// When the covariance does not tell the series apart: fewer dates than sums, or forecasts without errors.
    pub(super) fn new(nodes: Arc<Nodes>, covariance: Covariance) -> Result<Self> {
        let sums = nodes.uppers.len();
        let mut count = vec![0_usize; nodes.leaves.len() + 1];
        nodes.members.iter().for_each(|leaf| count[*leaf as usize + 1] += 1);
        for leaf in 0..nodes.leaves.len() {
            count[leaf + 1] += count[leaf];
        }
        let starts = count.clone();
        let mut above = vec![0_u32; nodes.members.len()];
        for upper in 0..sums {
            for leaf in nodes.below(upper) {
                above[count[*leaf as usize]] = upper as u32;
                count[*leaf as usize] += 1;
            }
        }
        let rank = covariance.rank;
        let mut constrained = Vec::with_capacity(sums * rank);
        let mut scale = Vec::with_capacity(sums);
        for (upper, series) in nodes.uppers.iter().enumerate() {
            let start = constrained.len();
            constrained.extend_from_slice(covariance.row(*series));
            let mut diagonal = covariance.diagonal[*series];
            for leaf in nodes.below(upper) {
                let leaf = nodes.leaves[*leaf as usize];
                diagonal += covariance.diagonal[leaf];
                constrained[start..].iter_mut().zip(covariance.row(leaf)).for_each(|(sum, value)| *sum -= value);
            }
            scale.push(diagonal + constrained[start..].iter().map(|v| v * v).sum::<f64>());
        }
        let mut projection = Self { nodes, covariance, starts, above, constrained, scale, dense: None };
        if projection.scale.iter().any(|scale| *scale <= 0.0 || !scale.is_finite()) {
            return Err(singular(&projection.covariance, sums));
        }
        if sums <= DENSE {
            let mut system = projection.system();
            if !factor(&mut system, sums) {
                return Err(singular(&projection.covariance, sums));
            }
            projection.dense = Some(system);
        } else if projection.covariance.diagonal.iter().all(|v| *v == 0.0) {
            return Err(singular(&projection.covariance, sums));
        }
        Ok(projection)
    }

    /// A W Aᵀ, row after row.
    fn system(&self) -> Vec<f64> {
        let (sums, rank) = (self.scale.len(), self.covariance.rank);
        let mut system = vec![0.0; sums * sums];
        for leaf in 0..self.nodes.leaves.len() {
            let weight = self.covariance.diagonal[self.nodes.leaves[leaf]];
            for i in self.above(leaf) {
                self.above(leaf).iter().for_each(|j| system[*i as usize * sums + *j as usize] += weight);
            }
        }
        for (i, series) in self.nodes.uppers.iter().enumerate() {
            system[i * sums + i] += self.covariance.diagonal[*series];
            for j in 0..i + 1 {
                let (a, b) = (&self.constrained[i * rank..(i + 1) * rank], &self.constrained[j * rank..(j + 1) * rank]);
                let dot: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                system[i * sums + j] += dot;
            }
        }
        system
    }

    fn above(&self, leaf: usize) -> &[u32] {
        &self.above[self.starts[leaf]..self.starts[leaf + 1]]
    }

    /// The coherent values nearest to these, of all series; `accuracy` is that of the equations, relative to their right side.
    ///
    /// # Errors
    /// When the equations cannot be solved to the accuracy that was asked for, or the user interrupts.
    pub(super) fn nearest(&self, base: &[f64], accuracy: f64) -> Result<Vec<f64>> {
        let mut unknowns = vec![0.0; self.scale.len()];
        self.solve(base, &Held::new(), &mut unknowns, accuracy)?;
        Ok(self.nodes.sums(&self.leaves(base, &Held::new(), &unknowns)))
    }

    /// As [`nearest`](Self::nearest), with no leaf below zero; `held` are leaves expected at zero, and those that are.
    ///
    /// # Errors
    /// As [`nearest`](Self::nearest).
    pub(super) fn nearest_without_negatives(&self, base: &[f64], held: &mut Held, accuracy: f64) -> Result<Vec<f64>> {
        let sums = self.scale.len();
        let size: Vec<f64> =
            self.nodes.leaves.iter().map(|i| base[*i].abs() + self.covariance.variance(*i).sqrt()).collect();
        let slack = 1e3 * accuracy;
        let mut unknowns = vec![0.0; sums];
        let (mut fewest, mut patience) = (usize::MAX, PATIENCE);
        for _ in 0..ROUNDS {
            unknowns.resize(sums, 0.0);
            unknowns.resize(sums + held.len(), 0.0);
            self.solve(base, held, &mut unknowns, accuracy)?;
            let leaves = self.leaves(base, held, &unknowns);
            let mut wrong: Vec<u32> = (0..leaves.len() as u32)
                .filter(|leaf| {
                    let at = *leaf as usize;
                    match held.binary_search(leaf) {
                        // Positive: the distance falls when the leaf leaves zero.
                        Ok(place) => {
                            unknowns[sums + place] * self.covariance.variance(self.nodes.leaves[at]) > slack * size[at]
                        }
                        Err(_) => leaves[at] < -slack * size[at],
                    }
                })
                .collect();
            if wrong.is_empty() {
                let leaves: Vec<f64> = leaves.into_iter().map(|value| value.max(0.0)).collect();
                return Ok(self.nodes.sums(&leaves));
            }
            match wrong.len() < fewest {
                true => (fewest, patience) = (wrong.len(), PATIENCE),
                false if patience > 0 => patience -= 1,
                false => wrong = wrong.split_off(wrong.len() - 1),
            }
            *held = exchanged(held, &wrong);
        }
        Err(Error::model(
            "the sums could not be reconciled without negative values; reconcile with nonnegative=false, or with wls_struct",
        ))
    }

    /// The leaves, given the unknowns.
    fn leaves(&self, base: &[f64], held: &Held, unknowns: &[f64]) -> Vec<f64> {
        let sums = self.scale.len();
        let common = self.common(held, unknowns);
        let mut moved = vec![0.0; self.nodes.leaves.len()];
        held.iter().zip(&unknowns[sums..]).for_each(|(leaf, value)| moved[*leaf as usize] = *value);
        let value = |(leaf, moved): (usize, f64)| {
            let series = self.nodes.leaves[leaf];
            let own: f64 = moved - self.above(leaf).iter().map(|upper| unknowns[*upper as usize]).sum::<f64>();
            let shared: f64 = self.covariance.row(series).iter().zip(&common).map(|(a, b)| a * b).sum();
            base[series] - self.covariance.diagonal[series] * own - shared
        };
        let mut leaves: Vec<f64> = moved.into_iter().enumerate().map(value).collect();
        held.iter().for_each(|leaf| leaves[*leaf as usize] = 0.0);
        leaves
    }

    /// Kᵀ Aᵀ times the unknowns.
    fn common(&self, held: &Held, unknowns: &[f64]) -> Vec<f64> {
        let rank = self.covariance.rank;
        let mut common = vec![0.0; rank];
        if rank == 0 {
            return common;
        }
        let sums = self.scale.len();
        for (row, value) in self.constrained.chunks_exact(rank).zip(unknowns) {
            common.iter_mut().zip(row).for_each(|(sum, v)| *sum += v * value);
        }
        for (leaf, value) in held.iter().zip(&unknowns[sums..]) {
            let row = self.covariance.row(self.nodes.leaves[*leaf as usize]);
            common.iter_mut().zip(row).for_each(|(sum, v)| *sum += v * value);
        }
        common
    }

    /// A W Aᵀ times the unknowns, where A has a further row for each leaf that is held.
    fn product(&self, held: &Held, unknowns: &[f64], moved: &mut [f64], product: &mut [f64]) {
        let (sums, rank) = (self.scale.len(), self.covariance.rank);
        let common = self.common(held, unknowns);
        for (leaf, moved) in moved.iter_mut().enumerate() {
            *moved = -self.above(leaf).iter().map(|upper| unknowns[*upper as usize]).sum::<f64>();
        }
        held.iter().zip(&unknowns[sums..]).for_each(|(leaf, value)| moved[*leaf as usize] += value);
        for (leaf, moved) in moved.iter_mut().enumerate() {
            *moved *= self.covariance.diagonal[self.nodes.leaves[leaf]];
        }
        let shared = |row: &[f64]| row.iter().zip(&common).map(|(a, b)| a * b).sum::<f64>();
        for (upper, series) in self.nodes.uppers.iter().enumerate() {
            let below: f64 = self.nodes.below(upper).iter().map(|leaf| moved[*leaf as usize]).sum();
            product[upper] = self.covariance.diagonal[*series] * unknowns[upper] - below
                + shared(&self.constrained[upper * rank..(upper + 1) * rank]);
        }
        for (place, leaf) in held.iter().enumerate() {
            product[sums + place] =
                moved[*leaf as usize] + shared(self.covariance.row(self.nodes.leaves[*leaf as usize]));
        }
    }

    /// Solves for the unknowns by preconditioned conjugate gradients, from where they stand.
    fn solve(&self, base: &[f64], held: &Held, unknowns: &mut [f64], accuracy: f64) -> Result<()> {
        progress::check()?;
        let (sums, size) = (self.scale.len(), unknowns.len());
        let mut right = vec![0.0; size];
        for (upper, series) in self.nodes.uppers.iter().enumerate() {
            let below: f64 = self.nodes.below(upper).iter().map(|leaf| base[self.nodes.leaves[*leaf as usize]]).sum();
            right[upper] = base[*series] - below;
        }
        let variance = |leaf: &u32| self.covariance.variance(self.nodes.leaves[*leaf as usize]);
        let scale: Vec<f64> = self.scale.iter().copied().chain(held.iter().map(variance)).collect();
        for (place, leaf) in held.iter().enumerate() {
            right[sums + place] = base[self.nodes.leaves[*leaf as usize]];
        }
        // What cannot move is where it is.
        let norm = |values: &[f64]| {
            values.iter().zip(&scale).map(|(v, s)| if *s > 0.0 { v * v / s } else { 0.0 }).sum::<f64>()
        };
        let precondition = |residual: &[f64], into: &mut [f64]| {
            into.iter_mut().zip(residual).zip(&scale).for_each(|((z, r), s)| *z = if *s > 0.0 { r / s } else { 0.0 });
            if let Some(dense) = &self.dense {
                into[..sums].copy_from_slice(&residual[..sums]);
                substitute(dense, &mut into[..sums]);
            }
        };
        let goal = accuracy * accuracy * norm(&right);
        let mut moved = vec![0.0; self.nodes.leaves.len()];
        let mut product = vec![0.0; size];
        self.product(held, unknowns, &mut moved, &mut product);
        let mut residual: Vec<f64> = right.iter().zip(&product).map(|(r, p)| r - p).collect();
        if goal == 0.0 || norm(&residual) <= goal {
            return Ok(());
        }
        let mut z = vec![0.0; size];
        precondition(&residual, &mut z);
        let mut direction = z.clone();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut fit = dot(&residual, &z);
        let mut best = f64::INFINITY;
        for step in 0..20 * size + 1_000 {
            self.product(held, &direction, &mut moved, &mut product);
            let length = fit / dot(&direction, &product);
            if !length.is_finite() {
                break;
            }
            unknowns.iter_mut().zip(&direction).for_each(|(x, d)| *x += length * d);
            residual.iter_mut().zip(&product).for_each(|(r, p)| *r -= length * p);
            let left = norm(&residual);
            if left <= goal {
                return Ok(());
            }
            best = best.min(left);
            if step % 256 == 255 {
                progress::check()?;
                // Rounding parts what is kept of the residual from what it is.
                self.product(held, unknowns, &mut moved, &mut product);
                residual.iter_mut().zip(right.iter().zip(&product)).for_each(|(v, (r, p))| *v = r - p);
            }
            precondition(&residual, &mut z);
            let next = dot(&residual, &z);
            direction.iter_mut().zip(&z).for_each(|(d, z)| *d = z + next / fit * *d);
            fit = next;
        }
        // As near as rounding lets it come.
        if best <= 1e8 * goal {
            return Ok(());
        }
        Err(Error::model(
            "the sums could not be reconciled: the variances of the errors are too different, or their covariance tells some series \
             apart from no others; use wls_struct or bottom_up",
        ))
    }
}

fn singular(covariance: &Covariance, sums: usize) -> Error {
    Error::model(match covariance.rank {
        0 => "the forecasts have no errors to weigh them by; use wls_struct or bottom_up".to_string(),
        dates => format!(
            "the covariance of the errors of {dates} dates is singular for {sums} sums; use mint_shrink, or a hierarchy with fewer \
             sums"
        ),
    })
}

/// The leaves that are held after some have changed sides, ascending.
fn exchanged(held: &Held, wrong: &[u32]) -> Held {
    let stays = held.iter().filter(|leaf| wrong.binary_search(leaf).is_err()).copied();
    let joins = wrong.iter().filter(|leaf| held.binary_search(leaf).is_err()).copied();
    let mut next: Held = stays.chain(joins).collect();
    next.sort_unstable();
    next
}
