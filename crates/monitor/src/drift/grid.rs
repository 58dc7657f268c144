//! A column of numbers in bounded memory: a grid of the reference's quantiles, and what lies in its cells.
//!
//! The grid has at most [`EDGES`] edges, all distinct values of a reference that has no more of them. A [`Counts`]
//! holds for every edge how many values equal it, and how many lie strictly between it and the edge before, with their
//! sum. From two of them follow the stability index (its bins are unions of cells), the Kolmogorov–Smirnov distance
//! (exact where all distinct values of the reference are edges, else within 1/[`EDGES`]) and the Wasserstein distance
//! (exact but for cells in which the distribution functions cross).

use super::{Bin, Drift, Verdict, distance, judge, judge_missing, judge_psi, noise, percent, psi, sentence};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The most edges of a grid.
pub const EDGES: usize = 4096;

/// Where the quantiles of a reference lie: what a column of numbers is counted against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Ascending and distinct; the first is the least value, the last the greatest.
    edges: Vec<f64>,
    /// For each bin of the index the position of its upper edge; the last bin has no upper limit.
    upper: Vec<u32>,
    /// The interquartile range / 1.349, or the standard deviation where that is zero.
    spread: f64,
}

impl Grid {
    /// The grid of a sample with so many quantile bins; bins that ties make equal are one bin.
    ///
    /// # Errors
    /// A sample without a single finite value, or no bin.
    pub fn of(values: &[f64], bins: usize) -> Result<Self> {
        if bins == 0 {
            return Err(Error::data("a stability index needs at least one bin; ask for ten"));
        }
        let mut sorted: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).map(|x| x + 0.0).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let n = sorted.len();
        let (Some(&least), Some(&greatest)) = (sorted.first(), sorted.last()) else {
            return Err(Error::data("the reference has no value; give one that has"));
        };
        let at = |share: f64| sorted.get(((share * n as f64).ceil() as usize).clamp(1, n) - 1).copied();
        // The inverse of the distribution function: a bin holds at least its share, and equal values are never parted.
        let mut limits: Vec<f64> = (1..bins).filter_map(|b| at(b as f64 / bins as f64)).collect();
        limits.dedup();
        limits.retain(|x| *x < greatest);
        let mut edges = distinct(&sorted).unwrap_or_else(|| {
            let mut edges: Vec<f64> = (1..EDGES - bins).filter_map(|k| at(k as f64 / (EDGES - bins) as f64)).collect();
            edges.extend(limits.iter().copied().chain([least, greatest]));
            edges.sort_unstable_by(f64::total_cmp);
            edges.dedup();
            edges
        });
        edges.shrink_to_fit();
        let upper = limits.iter().map(|x| edges.partition_point(|e| e < x) as u32).collect();
        let quartiles = (at(0.75).unwrap_or(greatest) - at(0.25).unwrap_or(least)) / 1.349;
        let mean = sorted.iter().map(|x| x / n as f64).sum::<f64>();
        let deviation = sorted.iter().map(|x| (x - mean) * ((x - mean) / n as f64)).sum::<f64>().sqrt();
        Ok(Self { edges, upper, spread: if quartiles > 0.0 { quartiles } else { deviation } })
    }

    /// The bin of the index that a value falls into; missing values have none.
    pub fn bin(&self, x: f64) -> Option<usize> {
        let edge = |u: &u32| self.edges.get(*u as usize).is_some_and(|e| *e < x);
        x.is_finite().then(|| self.upper.partition_point(edge))
    }

    /// How many bins the index has.
    pub fn bins(&self) -> usize {
        self.upper.len() + 1
    }

    /// Nothing counted yet.
    pub fn empty(&self) -> Counts {
        let cells = self.edges.len() + 1;
        Counts { between: vec![0; cells], sum: vec![0.0; cells], equal: vec![0; cells], missing: 0 }
    }

    /// What of a sample lies in which cell.
    pub fn count(&self, values: &[f64]) -> Counts {
        let mut counts = self.empty();
        counts.extend(self, values);
        counts
    }

    /// The position of the first edge that is not below `x`.
    ///
    /// A search without a branch: the next step does not wait for a guess, which halves the time of 10⁷ rows.
    fn cell(&self, x: f64) -> usize {
        let mut rest = self.edges.as_slice();
        let mut base = 0;
        while rest.len() > 1 {
            let half = rest.len() / 2;
            let (low, high) = rest.split_at(half);
            let right = low.last().is_some_and(|e| *e < x);
            base += if right { half } else { 0 };
            rest = if right { high } else { &rest[..rest.len() - half] };
        }
        base + usize::from(rest.first().is_some_and(|e| *e < x))
    }

    fn label(&self, bin: usize) -> String {
        let edge = |b: usize| self.upper.get(b).and_then(|u| self.edges.get(*u as usize));
        match (bin.checked_sub(1).and_then(edge), edge(bin)) {
            (None, None) => "all".into(),
            (None, Some(high)) => format!("≤ {high}"),
            (Some(low), None) => format!("> {low}"),
            (Some(low), Some(high)) => format!("({low}, {high}]"),
        }
    }
}

/// The distinct values, unless there are more than a grid takes.
fn distinct(sorted: &[f64]) -> Option<Vec<f64>> {
    let mut edges = Vec::new();
    for x in sorted {
        if edges.last() != Some(x) {
            if edges.len() == EDGES {
                return None;
            }
            edges.push(*x);
        }
    }
    Some(edges)
}

/// What of a sample lies in the cells of a [`Grid`]: bounded memory, counted row by row, and added up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Values strictly between the edge before and this one; the last cell is above all edges.
    between: Vec<u64>,
    /// The sum of the distances of those from the edge they lie next to: above the edge before, or below the first.
    sum: Vec<f64>,
    /// Values equal to the edge.
    equal: Vec<u64>,
    missing: u64,
}

impl Counts {
    /// One more value; NaN and infinities are missing ones.
    pub fn push(&mut self, grid: &Grid, x: f64) {
        if !x.is_finite() {
            self.missing += 1;
            return;
        }
        let cell = grid.cell(x);
        if grid.edges.get(cell) == Some(&x) {
            if let Some(count) = self.equal.get_mut(cell) {
                *count += 1;
            }
            return;
        }
        let distance = match cell.checked_sub(1).and_then(|c| grid.edges.get(c)) {
            Some(below) => x - below,
            None => grid.edges.first().map_or(0.0, |first| first - x),
        };
        if let (Some(count), Some(sum)) = (self.between.get_mut(cell), self.sum.get_mut(cell)) {
            *count += 1;
            *sum += distance;
        }
    }

    /// More values.
    pub fn extend(&mut self, grid: &Grid, values: &[f64]) {
        for x in values {
            self.push(grid, *x);
        }
    }

    /// Another part of the same sample, counted on the same grid.
    ///
    /// # Errors
    /// Counts of another grid.
    pub fn add(&mut self, other: &Self) -> Result<()> {
        let sizes = |c: &Self| [c.between.len(), c.sum.len(), c.equal.len()];
        if sizes(self) != sizes(other) {
            return Err(Error::data("two counts belong to different grids; count both on the reference's grid"));
        }
        self.missing += other.missing;
        self.between.iter_mut().zip(&other.between).for_each(|(a, b)| *a += b);
        self.equal.iter_mut().zip(&other.equal).for_each(|(a, b)| *a += b);
        self.sum.iter_mut().zip(&other.sum).for_each(|(a, b)| *a += b);
        Ok(())
    }

    /// Values that are not missing.
    pub fn rows(&self) -> u64 {
        self.between.iter().sum::<u64>() + self.equal.iter().sum::<u64>()
    }

    /// Are these counts of that grid? What is read back from a file may not be.
    fn fits(&self, grid: &Grid) -> bool {
        [self.between.len(), self.sum.len(), self.equal.len()].iter().all(|cells| *cells == grid.edges.len() + 1)
    }

    /// The share of missing values.
    pub fn missing(&self) -> f64 {
        self.missing as f64 / (self.missing + self.rows()).max(1) as f64
    }

    /// How `now` differs from this reference, both counted on `grid`.
    ///
    /// # Errors
    /// A sample without a value, or counts of another grid.
    pub fn drift(&self, column: &str, grid: &Grid, now: &Self) -> Result<Drift> {
        if [self, now].iter().any(|c| !c.fits(grid)) {
            return Err(Error::data(format!("column `{column}`: the counts belong to another grid; count again")));
        }
        let (n, m) = (self.rows(), now.rows());
        if n == 0 || m == 0 {
            let side = if n == 0 { "in the reference" } else { "now" };
            return Err(Error::data(format!("column `{column}` has no value {side}; compare it once it has some")));
        }
        let (mut ks, mut wasserstein) = (0.0_f64, 0.0_f64);
        let (mut f, mut g) = (0_u64, 0_u64);
        let mut bins = vec![(0_u64, 0_u64); grid.bins()];
        let mut bin = 0;
        let share = |f: u64, g: u64| f as f64 / n as f64 - g as f64 / m as f64;
        let cells = self.between.iter().zip(&now.between);
        let inside = self.sum.iter().zip(&now.sum).zip(self.equal.iter().zip(&now.equal));
        for (cell, ((a, b), ((sum_a, sum_b), (equal_a, equal_b)))) in cells.zip(inside).enumerate() {
            let below = cell.checked_sub(1).and_then(|c| grid.edges.get(c));
            // The integral of the difference of the distribution functions over the cell.
            let inner = match (below, grid.edges.get(cell)) {
                (Some(below), Some(edge)) => {
                    let width = edge - below;
                    let rest = |count: u64, sum: f64, of: u64| (count as f64 * width - sum) / of as f64;
                    share(f, g) * width + rest(*a, *sum_a, n) - rest(*b, *sum_b, m)
                }
                // Below and above all edges one of the two functions is constant.
                _ => sum_a / n as f64 - sum_b / m as f64,
            };
            wasserstein += inner.abs();
            f += a;
            g += b;
            ks = ks.max(share(f, g).abs());
            f += equal_a;
            g += equal_b;
            ks = ks.max(share(f, g).abs());
            if let Some((p, q)) = bins.get_mut(bin) {
                *p += a + equal_a;
                *q += b + equal_b;
            }
            if grid.upper.get(bin).is_some_and(|u| *u as usize == cell) {
                bin += 1;
            }
        }
        let wasserstein = if grid.spread > 0.0 {
            wasserstein / grid.spread
        } else if wasserstein > 0.0 {
            // A constant that changes has moved by infinitely many times its spread: any number above the limits.
            1.0
        } else {
            0.0
        };
        let bins: Vec<Bin> = bins
            .iter()
            .enumerate()
            .map(|(b, (p, q))| Bin { label: grid.label(b), before: *p as f64 / n as f64, now: *q as f64 / m as f64 })
            .collect();
        let psi = psi(bins.iter().map(|b| (b.before, b.now)));
        let noise = noise(n, m);
        let mut votes = [
            judge_psi(psi, bins.len(), noise),
            judge((ks * ks - distance::SQUARE * noise).max(0.0).sqrt(), 0.12, 0.2),
            judge((wasserstein * wasserstein - noise).max(0.0).sqrt(), 0.3, 0.5),
        ];
        votes.sort_unstable();
        let all = |rows: u64, missing: u64| rows + missing;
        let gaps = judge_missing((self.missing(), all(n, self.missing)), (now.missing(), all(m, now.missing)));
        let [_, middle, _] = votes;
        let verdict = middle.max(gaps);
        let mut moved =
            vec![format!("the values moved by {wasserstein:.2} of their spread (stability index {psi:.2})")];
        if gaps > Verdict::None || verdict == Verdict::None && self.missing() != now.missing() {
            moved.push(format!("missing {} after {}", percent(now.missing()), percent(self.missing())));
        }
        Ok(Drift {
            column: column.into(),
            psi,
            ks: Some(ks),
            wasserstein: Some(wasserstein),
            p: distance::p_value(ks, n, m),
            rows_before: n,
            rows_now: m,
            missing_before: self.missing(),
            missing_now: now.missing(),
            new_categories: Vec::new(),
            new_category_rate: 0.0,
            bins,
            verdict,
            sentence: sentence(column, verdict, &moved, n.min(m) < 100),
        })
    }
}
