//! `ridge`, `lasso`, `elastic_net`: penalised linear regression on the features (Hoerl & Kennard 1970, *Technometrics* 12;
//! Tibshirani 1996, *J. Royal Statistical Society B* 58; Zou & Hastie 2005, *ibid.* 67) as global models. The coefficients of `ridge` solve its normal equations, of columns or, where those are more, of rows;
//! those of the others come from coordinate descent on the mean squares and products of columns (Friedman, Hastie & Tibshirani
//! 2010, *J. Statistical Software* 33, §2.2), which an interrupt ends.
//!
//! Columns are standardised; missing values are replaced by the mean. Categories are left out: series are divided by their
//! level anyway. Where no penalty is given, it is chosen from a grid by the error on the last fifth of the steps, held out.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::{FeatureMatrix, FittedRegressor, Global, GlobalOptions, Method, Regressor};
use crate::error::{Error, Result};
use crate::fitting::{global, global::global_options};
use crate::optimise::positive_definite::solve;
use crate::progress;

/// The grid of penalties where none is given, in units of the target's standard deviation.
const PENALTIES: [f64; 7] = [3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.001];
/// The most rows that the penalty is chosen on.
const CHOSEN_ON: usize = 20_000;
/// The most rows times squared columns (about a second); of more rows, a systematic sample is taken.
const WORK: usize = 5_000_000_000;
/// The most rounds of coordinate descent, and its tolerance: the largest change of a coefficient relative to the largest one.
const ROUNDS: usize = 1000;
const SETTLED: f64 = 1e-6;

macro_rules! linear {
    ($method:ident, $name:literal, $title:literal, $also:literal, $doc:literal, $summary:literal, $ratio:expr $(, $extra:ident: $about:literal)?) => {
        global_options! {
            #[doc = $doc]
            $method, max_rows: 100_000,
            /// The penalty; chosen on held-out rows if not given.
            penalty: Option<f64> = None,
            $(#[doc = $about] $extra: f64 = 0.5,)?
        }

        impl Method for $method {
            const NAME: &str = $name;
            const TITLE: &str = $title;
            const SUMMARY: &str = $summary;
            const EXAMPLE: &str = concat!($name, "(penalty=0.01)");
            const ALSO: &str = $also;
            const SEARCH: &[(&str, &[&str])] = &[
                ("penalty", &["0.0001..1.0 log"]),
                ("scale", &["level", "standard"]),
                ("difference", &["auto", "none", "recent"]),
            ];
            type Scope = Global;
            type Fitted = FittedLinear;

            fn check(&self) -> Result<()> {
                global::check(&self.common())?;
                $(if !(0.0..=1.0).contains(&self.$extra) {
                    return Err(Error::usage(format!(
                        concat!("`", stringify!($extra), "` lies between 0 and 1, not at {}"),
                        self.$extra
                    )));
                })?
                match self.penalty {
                    Some(penalty) if !(penalty >= 0.0 && penalty.is_finite()) => {
                        Err(Error::usage(format!("`penalty` is a number of at least 0, not {penalty}")))
                    }
                    _ => Ok(()),
                }
            }
        }

        impl Regressor for $method {
            fn common(&self) -> GlobalOptions {
                self.common()
            }

            fn fit(&self, matrix: &FeatureMatrix, target: &[f64]) -> Result<Box<dyn FittedRegressor>> {
                let ratio: fn(&Self) -> f64 = $ratio;
                Ok(Box::new(FittedLinear::of(matrix, target, self.penalty, ratio(self))?))
            }
        }
    };
}

linear!(
    Ridge,
    "ridge",
    "Ridge regression",
    "ridge regression",
    "Options of `ridge`.",
    "Linear regression with an L2 penalty, as a global model",
    |_| 0.0
);
linear!(
    Lasso,
    "lasso",
    "Lasso regression",
    "lasso regression",
    "Options of `lasso`.",
    "Linear regression with an L1 penalty, which selects features, as a global model",
    |_| 1.0
);
linear!(
    ElasticNet,
    "elastic_net",
    "Elastic net regression",
    "enet, elastic net regression",
    "Options of `elastic_net`.",
    "Linear regression with L1 and L2 penalties, as a global model",
    |net| net.l1_ratio,
    l1_ratio: "The fraction of the penalty that is L1 (lasso)."
);

/// A fitted linear regression.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FittedLinear {
    /// By column: the mean, which replaces missing values, and the coefficient.
    means: Vec<f64>,
    slopes: Vec<f64>,
    /// The intercept: the prediction where every column is at its mean.
    level: f64,
}

impl FittedLinear {
    fn of(matrix: &FeatureMatrix, target: &[f64], penalty: Option<f64>, ratio: f64) -> Result<Self> {
        let kept: Vec<usize> = (0..target.len()).filter(|r| target[*r].is_finite()).collect();
        let n = kept.len() as f64;
        let level = kept.iter().map(|r| target[*r]).sum::<f64>() / n;
        let size = (kept.iter().map(|r| (target[*r] - level).powi(2)).sum::<f64>() / n).sqrt();
        let mut means = vec![0.0; matrix.columns.len()];
        let mut spreads = vec![0.0; matrix.columns.len()];
        for (c, column) in matrix.columns.iter().enumerate() {
            let there = || kept.iter().map(|r| column[*r]).filter(|v| v.is_finite());
            let count = there().count() as f64;
            if count > 0.0 && matrix.categorical.get(c) != Some(&true) {
                means[c] = there().sum::<f64>() / count;
                spreads[c] = (there().map(|v| (v - means[c]).powi(2)).sum::<f64>() / n).sqrt();
            }
        }
        let used: Vec<usize> =
            (0..spreads.len()).filter(|c| spreads[*c] > 1e-12 * means[*c].abs().max(1e-300)).collect();
        if used.is_empty() || size == 0.0 {
            return Ok(Self { slopes: vec![0.0; means.len()], means, level });
        }
        let cell = |r: usize, c: usize| {
            let value = matrix.columns[c][r];
            if value.is_finite() { (value - means[c]) / spreads[c] } else { 0.0 }
        };
        // The cost of squares and products is rows times squared columns.
        let every = (kept.len() * used.len() * used.len()).div_ceil(WORK).max(1);
        let kept: Vec<usize> = kept.into_iter().step_by(every).collect();
        let moments = |rows: &[usize]| -> Result<Moments> {
            progress::check()?;
            let x = Array2::from_shape_fn((rows.len(), used.len()), |(i, k)| cell(rows[i], used[k]));
            let y = Array1::from_iter(rows.iter().map(|r| (target[*r] - level) / size));
            Ok(Moments::of(x, &y, ratio == 0.0))
        };
        let fit = |moments: &Moments, penalty: f64| match ratio == 0.0 {
            true => moments.ridge(penalty),
            false => moments.net(penalty, ratio),
        };
        let penalty = match penalty {
            Some(penalty) => penalty,
            None => {
                let some: Vec<usize> = kept.iter().copied().step_by(kept.len().div_ceil(CHOSEN_ON)).collect();
                // The last fifth, since forecasts are extrapolations too.
                let mut later: Vec<usize> = some.iter().map(|row| matrix.later_steps[*row]).collect();
                later.sort_unstable();
                // Of short series these are the last steps at least; where there is one step alone, some of the series.
                let last = later[later.len() / 5].max(later[0] + 1);
                let is_held = |(k, row): &(usize, usize)| match later[later.len() - 1] < last {
                    true => k % 5 == 4,
                    false => matrix.later_steps[*row] < last,
                };
                let (held, learned): (Vec<_>, Vec<_>) = some.into_iter().enumerate().partition(is_held);
                let rows = |part: Vec<(usize, usize)>| part.into_iter().map(|(_, row)| row).collect::<Vec<usize>>();
                let (held, learned) = (rows(held), rows(learned));
                let learned = moments(&learned)?;
                let mut best = (f64::INFINITY, PENALTIES[0]);
                for penalty in PENALTIES.into_iter().filter(|_| !held.is_empty()) {
                    let slopes = fit(&learned, penalty)?;
                    let loss = |r: &usize| {
                        let predicted: f64 = used.iter().zip(&slopes).map(|(c, slope)| slope * cell(*r, *c)).sum();
                        ((target[*r] - level) / size - predicted).powi(2)
                    };
                    let loss: f64 = held.iter().map(loss).sum();
                    if loss < best.0 {
                        best = (loss, penalty);
                    }
                }
                best.1
            }
        };
        let mut slopes = vec![0.0; means.len()];
        for (c, slope) in used.iter().zip(&fit(&moments(&kept)?, penalty)?) {
            slopes[*c] = slope * size / spreads[*c];
        }
        Ok(Self { means, slopes, level })
    }

    fn part(&self, column: usize, value: f64) -> f64 {
        if value.is_finite() { self.slopes[column] * (value - self.means[column]) } else { 0.0 }
    }
}

/// Second moments of the columns and with the target; of the rows, where `ridge` has more columns than rows.
struct Moments {
    squares: Array2<f64>,
    products: Array1<f64>,
    /// The matrix, where the moments are of its rows.
    rows: Option<Array2<f64>>,
}

impl Moments {
    fn of(x: Array2<f64>, y: &Array1<f64>, ridge: bool) -> Self {
        let n = y.len() as f64;
        match ridge && x.nrows() < x.ncols() {
            true => Self { squares: x.dot(&x.t()) / n, products: y / n, rows: Some(x) },
            false => Self { squares: x.t().dot(&x) / n, products: x.t().dot(y) / n, rows: None },
        }
    }

    /// The ridge coefficients.
    fn ridge(&self, penalty: f64) -> Result<Array1<f64>> {
        // Collinear columns have no unique solution without a penalty: a tiny one selects the smallest coefficients.
        for penalty in [penalty, 1e-9, 1e-6] {
            progress::check()?;
            let mut system = self.squares.clone();
            system.diag_mut().iter_mut().for_each(|square| *square += penalty);
            let (mut system, mut solved) = (system.into_iter().collect::<Vec<f64>>(), self.products.to_vec());
            if solve(&mut system, &mut solved) {
                let solved = Array1::from_vec(solved);
                return Ok(self.rows.as_ref().map_or(solved.clone(), |rows| rows.t().dot(&solved)));
            }
        }
        Err(Error::model("the normal equations have no solution"))
    }

    /// The elastic-net coefficients with the fraction `ratio` of L1 penalty.
    fn net(&self, penalty: f64, ratio: f64) -> Result<Array1<f64>> {
        let mut slopes = Array1::zeros(self.products.len());
        // The products of the columns with the residuals.
        let mut left = self.products.clone();
        for _ in 0..ROUNDS {
            progress::check()?;
            let (mut largest, mut moved) = (0.0_f64, 0.0_f64);
            for (k, row) in self.squares.rows().into_iter().enumerate().filter(|(k, row)| row[*k] > 0.0) {
                let before: f64 = slopes[k];
                let along: f64 = left[k] + row[k] * before;
                let shrunk = along.signum() * (along.abs() - penalty * ratio).max(0.0);
                let slope = shrunk / (row[k] + penalty * (1.0 - ratio));
                if slope != before {
                    left.scaled_add(before - slope, &row);
                    slopes[k] = slope;
                }
                (largest, moved) = (largest.max(slope.abs()), moved.max((slope - before).abs()));
            }
            if moved <= SETTLED * largest {
                break;
            }
        }
        Ok(slopes)
    }
}

impl FittedRegressor for FittedLinear {
    fn predict(&self, columns: &[Vec<f64>]) -> Vec<f64> {
        let rows = columns.first().map_or(0, Vec::len);
        let of = |r: usize| columns.iter().enumerate().map(|(c, column)| self.part(c, column[r])).sum::<f64>();
        (0..rows).map(|r| self.level + of(r)).collect()
    }

    fn contributions(&self, columns: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
        let rows = columns.first().map_or(0, Vec::len);
        let of = |r: usize| {
            columns.iter().enumerate().map(|(c, column)| self.part(c, column[r])).chain([self.level]).collect()
        };
        Some((0..rows).map(of).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows and a target that are the same on every machine.
    fn table(rows: usize, columns: usize) -> (Array2<f64>, Array1<f64>) {
        let cell = |i: usize, k: usize| ((i * 7919 + k * 104_729 + i * k * 31) % 1009) as f64 / 504.5 - 1.0;
        let x = Array2::from_shape_fn((rows, columns), |(i, k)| cell(i, k));
        let y = Array1::from_shape_fn(rows, |i| cell(i, 3) - 0.5 * cell(i, 1) + 0.1 * cell(i, 77));
        (x, y)
    }

    /// The gradient of half the mean squared error.
    fn gradient(x: &Array2<f64>, y: &Array1<f64>, slopes: &Array1<f64>) -> Array1<f64> {
        x.t().dot(&(x.dot(slopes) - y)) / y.len() as f64
    }

    #[test]
    fn ridge_solves_its_equations_be_the_table_long_or_wide() {
        for (rows, columns) in [(60, 6), (30, 30), (12, 200)] {
            let (x, y) = table(rows, columns);
            let moments = Moments::of(x.clone(), &y, true);
            for penalty in [0.3, 0.001] {
                let slopes = moments.ridge(penalty).unwrap();
                let left = gradient(&x, &y, &slopes) + penalty * &slopes;
                assert!(left.iter().all(|g| g.abs() < 1e-10), "{rows} × {columns}, {penalty}: {left}");
            }
        }
    }

    #[test]
    fn the_lasso_leaves_no_slope_that_would_pay() {
        for (rows, columns) in [(60, 6), (12, 200)] {
            let (x, y) = table(rows, columns);
            let slopes = Moments::of(x.clone(), &y, false).net(0.05, 1.0).unwrap();
            for (g, slope) in gradient(&x, &y, &slopes).iter().zip(&slopes) {
                let off = if *slope == 0.0 { (g.abs() - 0.05).max(0.0) } else { (g + 0.05 * slope.signum()).abs() };
                assert!(off < 1e-5, "{rows} × {columns}: {g} {slope}");
            }
            assert!(slopes.iter().any(|slope| *slope != 0.0));
        }
    }
}
