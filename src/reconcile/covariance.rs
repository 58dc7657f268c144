//! How do the errors of the forecasts vary, and vary together?
//!
//! | method | covariance W |
//! |---|---|
//! | `ols` | the same variance for all series |
//! | `wls_struct` | a variance proportional to the number of leaves of each sum |
//! | `wls_var` | the mean squared error of each series |
//! | `mint_sample` | the sample covariance of the errors |
//! | `mint_shrink` | the same, its correlations shrunk towards zero by the intensity of Schäfer & Strimmer (2005) |
//!
//! Errors are those of one step ahead that the models made in their training set, or out of sample where a model keeps such. As in
//! hierarchicalforecast 1.5.3, the variances of `wls_var` are about zero, those of the two `mint` methods about the mean; R's FoReco
//! takes both about zero. Variances get 2e-8 at least, so that a series without errors does not stop the others.
//!
//! Of a series with missing errors the known ones count; where errors of two series overlap in part, the common dates do, each series
//! scaled by its own count. That keeps the covariance positive semi-definite, where pairwise estimates need not.

use super::project::Covariance;
use crate::panel::Nodes;

/// The least variance, as in hierarchicalforecast.
const LEAST: f64 = 2e-8;

/// One variance for all.
pub(super) fn ols(nodes: &Nodes) -> Covariance {
    Covariance::diagonal(vec![1.0; nodes.len()])
}

/// As many as each sum has leaves.
pub(super) fn structural(nodes: &Nodes) -> Covariance {
    let mut diagonal = vec![1.0; nodes.len()];
    for (upper, series) in nodes.uppers.iter().enumerate() {
        diagonal[*series] = nodes.below(upper).len() as f64;
    }
    Covariance::diagonal(diagonal)
}

/// The errors of all series on the dates that any has some, a row for each series.
pub(super) struct Errors {
    /// Row after row, NaN where there is none.
    pub(super) values: Vec<f64>,
    pub(super) dates: usize,
}

impl Errors {
    fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.dates.max(1))
    }

    /// The mean squared error of each series.
    pub(super) fn mean_squares(&self) -> Covariance {
        let square = |row: &[f64]| {
            let known = row.iter().filter(|e| !e.is_nan());
            let count = known.clone().count();
            LEAST + known.map(|e| e * e).sum::<f64>() / count.max(1) as f64
        };
        Covariance::diagonal(self.rows().map(square).collect())
    }

    /// The sample covariance, of which the correlations are shrunk if that is asked for.
    pub(super) fn covariance(&self, shrunk: bool) -> Covariance {
        let (n, dates) = (self.values.len() / self.dates.max(1), self.dates);
        // Deviations from the mean, zero where there is none, over the root of the degrees of freedom.
        let mut factor = vec![0.0; n * dates];
        // The same, standardised by the whole of the dates.
        let mut standard = vec![0.0; n * dates];
        for ((row, own), standard) in
            self.rows().zip(factor.chunks_exact_mut(dates)).zip(standard.chunks_exact_mut(dates))
        {
            let known = row.iter().filter(|e| !e.is_nan());
            let count = known.clone().count() as f64;
            if count < 2.0 {
                continue;
            }
            let mean = known.clone().sum::<f64>() / count;
            let squares: f64 = known.map(|e| (e - mean) * (e - mean)).sum();
            let (root, deviation) = ((count - 1.0).sqrt(), (squares / count).sqrt() + LEAST);
            for ((e, own), standard) in row.iter().zip(own).zip(standard).filter(|((e, _), _)| !e.is_nan()) {
                *own = (e - mean) / root;
                *standard = (e - mean) / deviation;
            }
        }
        let variances: Vec<f64> =
            factor.chunks_exact(dates.max(1)).map(|row| row.iter().map(|v| v * v).sum()).collect();
        if !shrunk {
            return Covariance { diagonal: vec![0.0; n], factor, rank: dates };
        }
        let intensity = intensity(&standard, dates);
        let keeps = (1.0 - intensity).sqrt();
        factor.iter_mut().for_each(|v| *v *= keeps);
        let diagonal = variances.iter().map(|v| v.max(LEAST) - (1.0 - intensity) * v).collect();
        Covariance { diagonal, factor, rank: dates }
    }
}

/// How much correlations are shrunk: the sum of the variances of their estimates over the sum of their squares, of all pairs of
/// different series. Sums over pairs are those of the dates' cross products, so that the cost is linear in the series.
fn intensity(standard: &[f64], dates: usize) -> f64 {
    let t = dates as f64;
    if dates < 2 {
        return 1.0;
    }
    let mut cross = vec![0.0; dates * dates];
    let (mut squares, mut fourths, mut own) = (vec![0.0; dates], vec![0.0; dates], 0.0);
    for row in standard.chunks_exact(dates) {
        for (a, line) in row.iter().zip(cross.chunks_exact_mut(dates)) {
            line.iter_mut().zip(row).for_each(|(cell, b)| *cell += a * b);
        }
        let sum: f64 = row.iter().map(|v| v * v).sum();
        own += sum * sum;
        for (v, (square, fourth)) in row.iter().zip(squares.iter_mut().zip(fourths.iter_mut())) {
            *square += v * v;
            *fourth += v * v * v * v;
        }
    }
    // Σ over pairs i ≠ j of (Σₜ xᵢₜ xⱼₜ)² and of Σₜ (xᵢₜ xⱼₜ)².
    let products = cross.iter().map(|v| v * v).sum::<f64>() - own;
    let each: f64 = squares.iter().zip(&fourths).map(|(square, fourth)| square * square - fourth).sum();
    let variance = (each - products / t) / (t * (t - 1.0));
    let square = products / (t * t);
    (variance / (square + LEAST)).clamp(0.0, 1.0)
}
