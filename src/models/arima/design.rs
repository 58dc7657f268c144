//! The series and its regressors, brought into the form that estimation wants.
//!
//! The series is centred and divided by a power of two near its size, so that ±10³⁰⁸ and 10⁻¹⁵ are both ordinary numbers.
//! Regressors are made orthonormal after differencing (modified Gram–Schmidt, twice), which keeps least squares well
//! conditioned for every filter; one that differencing wipes out, or that the columns before it span, is left out: it
//! could not be told from them. Order decides: the constant comes first.

use super::difference::differenced;
use super::kalman::Kalman;
use super::likelihood::Exact;
use super::polynomial::{Orders, Polynomials};
use crate::error::{Error, Result};

/// The share of a column that must be left, after differencing and beside the columns before it, for it to be kept.
const INDEPENDENT: f64 = 1e-7;

/// What is to be explained, and by what.
#[derive(Clone)]
pub(super) struct Design {
    /// What the series was divided by after `shift` was taken away.
    pub scale: f64,
    pub shift: f64,
    /// The centred and scaled series, from its first value on.
    pub values: Vec<f64>,
    /// The kept regressors, combined so that their differences are orthonormal.
    pub columns: Vec<Vec<f64>>,
    /// Which of the regressors are kept.
    pub kept: Vec<usize>,
    /// Column by column, how the kept regressors are combined.
    pub combination: Vec<Vec<f64>>,
    /// Is a row missing?
    pub gaps: bool,
}

/// The power of two next to the largest size of the values, from 2⁻¹⁰²⁰ to 2¹⁰²⁰; 1 if all are zero.
pub(super) fn size(values: impl Iterator<Item = f64>) -> f64 {
    let most = values.filter(|v| v.is_finite()).map(f64::abs).fold(0.0, f64::max);
    if most > 0.0 { most.log2().ceil().clamp(-1020.0, 1020.0).exp2() } else { 1.0 }
}

impl Design {
    /// Of a series and regressors of the same length; `centred` where the model has a level of its own, which a shift of
    /// the series does not change.
    ///
    /// # Errors
    /// When too few rows are complete.
    pub fn new(y: &[f64], regressors: &[Vec<f64>], differencing: &[f64], centred: bool) -> Result<Self> {
        let scale = size(y.iter().copied());
        let values: Vec<f64> = y.iter().map(|v| v / scale).collect();
        let complete: Vec<bool> =
            (0..y.len()).map(|t| !y[t].is_nan() && regressors.iter().all(|x| !x[t].is_nan())).collect();
        let observed = complete.iter().filter(|c| **c).count();
        if observed <= differencing.len() {
            return Err(Error::model(format!(
                "arima needs more than {} complete rows after {0} are lost to differencing, the series has {observed}",
                differencing.len()
            )));
        }
        let present = values.iter().zip(&complete).filter(|(_, c)| **c);
        let mean = if centred { present.map(|(v, _)| v).sum::<f64>() / observed as f64 } else { 0.0 };
        let values = values.iter().zip(&complete).map(|(v, c)| if *c { v - mean } else { f64::NAN }).collect();
        let mut design = Self {
            scale,
            shift: mean,
            values,
            columns: Vec::new(),
            kept: Vec::new(),
            combination: Vec::new(),
            gaps: observed < y.len(),
        };
        design.orthonormalise(regressors, &complete, differencing);
        Ok(design)
    }

    fn orthonormalise(&mut self, regressors: &[Vec<f64>], complete: &[bool], differencing: &[f64]) {
        let masked =
            |x: &[f64]| -> Vec<f64> { x.iter().zip(complete).map(|(v, c)| if *c { *v } else { f64::NAN }).collect() };
        let norm = |x: &[f64]| x.iter().filter(|v| !v.is_nan()).map(|v| v * v).sum::<f64>().sqrt();
        let mut basis: Vec<Vec<f64>> = Vec::new();
        for (index, regressor) in regressors.iter().enumerate() {
            let size = size(regressor.iter().copied());
            let mut column: Vec<f64> = regressor.iter().map(|v| v / size).collect();
            let mut weights = vec![0.0; regressors.len()];
            weights[index] = 1.0 / size;
            let mut difference = differenced(&masked(&column), differencing);
            let before = norm(&masked(&column));
            for _ in 0..2 {
                for ((base, raw), combined) in basis.iter().zip(&self.columns).zip(&self.combination) {
                    let both = difference.iter().zip(base).filter(|(a, b)| !a.is_nan() && !b.is_nan());
                    let share: f64 = both.map(|(a, b)| a * b).sum();
                    difference.iter_mut().zip(base).for_each(|(a, b)| *a -= share * b);
                    column.iter_mut().zip(raw).for_each(|(a, b)| *a -= share * b);
                    weights.iter_mut().zip(combined).for_each(|(a, b)| *a -= share * b);
                }
            }
            let left = norm(&difference);
            if left > INDEPENDENT * before && basis.len() + 1 < difference.iter().filter(|v| !v.is_nan()).count() {
                difference.iter_mut().chain(&mut column).chain(&mut weights).for_each(|v| *v /= left);
                basis.push(difference);
                self.columns.push(column);
                self.combination.push(weights);
                self.kept.push(index);
            }
        }
    }

    /// The coefficients of the regressors as they were given, on the scale of the series, from those of the columns.
    pub fn coefficients(&self, of_columns: &[f64], regressors: usize) -> Vec<f64> {
        let mut out = vec![0.0; regressors];
        for (b, weights) in of_columns.iter().zip(&self.combination) {
            out.iter_mut().zip(weights).for_each(|(o, w)| *o += b * w);
        }
        out
    }

    /// A filter of the series and the columns.
    pub fn filter(&self, orders: &Orders) -> Filter {
        let differencing = orders.differencing();
        let all = std::iter::once(&self.values).chain(&self.columns);
        if !self.gaps {
            return Filter::Complete(Exact::new(all.map(|c| differenced(c, &differencing)).collect()));
        }
        let masked = |c: &Vec<f64>| -> Vec<f64> {
            // What is unknown at first is taken to be near zero, and so the columns have to start there.
            let origin = if differencing.is_empty() { 0.0 } else { c.first().copied().unwrap_or(0.0) };
            c.iter().zip(&self.values).map(|(x, y)| if y.is_nan() { f64::NAN } else { x - origin }).collect()
        };
        Filter::Gaps(Kalman::new(all.map(masked).collect(), differencing))
    }
}

/// The filter that a series needs.
#[derive(Clone)]
pub(super) enum Filter {
    /// Every row is complete.
    Complete(Exact),
    /// Some are not.
    Gaps(Kalman),
}

impl Filter {
    /// Filters; the sum of the logarithms of the variance factors, none where the model is not stationary.
    pub fn run(&mut self, model: &Polynomials) -> Option<f64> {
        match self {
            Self::Complete(exact) => exact.filter(model),
            Self::Gaps(kalman) => kalman.filter(model),
        }
    }

    /// Innovations of the series and of each column over the roots of their variance factors, as of the last run.
    pub fn whitened(&self) -> &[Vec<f64>] {
        match self {
            Self::Complete(exact) => &exact.whitened,
            Self::Gaps(kalman) => &kalman.whitened,
        }
    }

    /// Innovations that count.
    pub fn counted(&self) -> usize {
        match self {
            Self::Complete(exact) => exact.whitened.first().map_or(0, Vec::len),
            Self::Gaps(kalman) => kalman.counts.iter().filter(|c| **c).count(),
        }
    }
}
