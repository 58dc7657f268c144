//! `ridge`, `lasso`, `elastic_net`: linear functions of the features, with a penalty on the sizes of their coefficients (Hoerl &
//! Kennard 1970, *Technometrics* 12; Tibshirani 1996, *J. Royal Statistical Society B* 58; Zou & Hastie 2005, *ibid.* 67), fitted
//! by coordinate descent (linfa) to all series together. A descent looks at every row in every round; it is given as many rows
//! as there are columns instead, with the same sums of squares and products, which have the same coefficients.
//!
//! Columns are brought to mean 0 and variance 1; what is missing counts as the mean. Categories are left out: a series is seen
//! relative to its own level anyway. Where no penalty is stated, the one of a few that loses least on a fifth of the rows, held
//! out, is taken.

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_elasticnet::ElasticNet as Net;
use linfa_linalg::eigh::Eigh;
use ndarray::{Array1, Array2, Ix1};
use serde::{Deserialize, Serialize};

use super::Method;
use super::kinds::AcrossSeries;
use super::learned::{self, Learner, Learnt, Table, Task, learner_options};
use crate::error::{Error, Result};

/// Penalties tried where none is stated, in units of the target's standard deviation.
const PENALTIES: [f64; 5] = [0.3, 0.1, 0.03, 0.01, 0.001];
/// As many rows are enough to choose a penalty.
const CHOSEN_ON: usize = 20_000;

macro_rules! linear {
    ($method:ident, $name:literal, $doc:literal, $summary:literal, $ratio:expr $(, $extra:ident: $about:literal)?) => {
        learner_options! {
            #[doc = $doc]
            $method, most_rows: 100_000,
            /// The penalty; chosen on held-out rows if not stated.
            penalty: Option<f64> = None,
            $(#[doc = $about] $extra: f64 = 0.5,)?
        }

        impl Method for $method {
            const NAME: &str = $name;
            const SUMMARY: &str = $summary;
            const EXAMPLE: &str = concat!($name, "(penalty=0.01)");
            const SEARCH: &[(&str, &[&str])] = &[
                ("penalty", &["0.0001..1.0 log"]),
                ("scale", &["level", "standard"]),
                ("difference", &["auto", "none", "recent"]),
            ];
            type Kind = AcrossSeries;
            type Fitted = Line;

            fn check(&self) -> Result<()> {
                learned::check(&self.task())?;
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

        impl Learner for $method {
            fn task(&self) -> Task {
                self.task()
            }

            fn learn(&self, table: &Table, target: &[f64]) -> Result<Box<dyn Learnt>> {
                let ratio: fn(&Self) -> f64 = $ratio;
                Ok(Box::new(Line::of(table, target, self.penalty, ratio(self))?))
            }
        }
    };
}

linear!(
    Ridge,
    "ridge",
    "Options of `ridge`.",
    "A linear function of the features, with a penalty on squared coefficients",
    |_| 0.0
);
linear!(
    Lasso,
    "lasso",
    "Options of `lasso`.",
    "A linear function of few of the features: a penalty on the sizes of coefficients",
    |_| 1.0
);
linear!(
    ElasticNet,
    "elastic_net",
    "Options of `elastic_net`.",
    "A linear function of the features with the penalties of ridge and lasso together",
    |net| net.l1_ratio,
    l1_ratio: "The share of the penalty that is that of lasso."
);

/// A linear function.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// By column: what stands for a missing value, and what one unit adds.
    means: Vec<f64>,
    slopes: Vec<f64>,
    /// The value where every column is at its mean.
    level: f64,
}

impl Line {
    fn of(table: &Table, target: &[f64], penalty: Option<f64>, ratio: f64) -> Result<Self> {
        let kept: Vec<usize> = (0..target.len()).filter(|r| target[*r].is_finite()).collect();
        let n = kept.len() as f64;
        let level = kept.iter().map(|r| target[*r]).sum::<f64>() / n;
        let size = (kept.iter().map(|r| (target[*r] - level).powi(2)).sum::<f64>() / n).sqrt();
        let mut means = vec![0.0; table.columns.len()];
        let mut spreads = vec![0.0; table.columns.len()];
        for (c, column) in table.columns.iter().enumerate() {
            let there = || kept.iter().map(|r| column[*r]).filter(|v| v.is_finite());
            let count = there().count() as f64;
            if count > 0.0 && table.categorical.get(c) != Some(&true) {
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
            let value = table.columns[c][r];
            if value.is_finite() { (value - means[c]) / spreads[c] } else { 0.0 }
        };
        let design = |rows: &[usize]| -> Result<Design> {
            let x = Array2::from_shape_fn((rows.len(), used.len()), |(i, k)| cell(rows[i], used[k]));
            let y = Array1::from_iter(rows.iter().map(|r| (target[*r] - level) / size));
            compressed(&x, &y)
        };
        let fit = |design: &Design, penalty: f64| -> Result<Array1<f64>> {
            let net = Net::params()
                .penalty(penalty)
                .l1_ratio(ratio)
                .with_intercept(false)
                .max_iterations(1000)
                .tolerance(1e-5);
            let fitted = net.fit(design).map_err(|cause| Error::model("the fit failed").because(cause))?;
            Ok(fitted.hyperplane().clone())
        };
        let penalty = match penalty {
            Some(penalty) => penalty,
            None => {
                let some: Vec<usize> = kept.iter().copied().step_by(kept.len().div_ceil(CHOSEN_ON)).collect();
                let part = |held: bool| some.iter().enumerate().filter(move |(k, _)| (k % 5 == 4) == held);
                let rows = |held: bool| part(held).map(|(_, row)| *row).collect::<Vec<usize>>();
                let (held, learned) = (rows(true), rows(false));
                let learned = design(&learned)?;
                let mut best = (f64::INFINITY, PENALTIES[0]);
                for penalty in PENALTIES.into_iter().filter(|_| !held.is_empty()) {
                    let slopes = fit(&learned, penalty)?;
                    let loss = |r: &usize| {
                        let said: f64 = used.iter().zip(&slopes).map(|(c, slope)| slope * cell(*r, *c)).sum();
                        ((target[*r] - level) / size - said).powi(2)
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
        for (c, slope) in used.iter().zip(&fit(&design(&kept)?, penalty)?) {
            slopes[*c] = slope * size / spreads[*c];
        }
        Ok(Self { means, slopes, level })
    }

    fn part(&self, column: usize, value: f64) -> f64 {
        if value.is_finite() { self.slopes[column] * (value - self.means[column]) } else { 0.0 }
    }
}

/// Rows with their targets.
type Design = Dataset<f64, f64, Ix1>;

/// As many rows as there are columns, with the mean squares and products of all rows: the eigenvectors of those, each in the
/// units of its value.
fn compressed(x: &Array2<f64>, y: &Array1<f64>) -> Result<Design> {
    let n = y.len() as f64;
    let squares = x.t().dot(x) / n;
    let products = x.t().dot(y) / n;
    let (values, vectors) = squares.eigh().map_err(|cause| Error::model("the fit failed").because(cause))?;
    let columns = values.len() as f64;
    // What is left of columns that are sums of others is rounding.
    let least = values.iter().copied().fold(0.0, f64::max) * 1e-12 * columns;
    let there: Vec<usize> = (0..values.len()).filter(|k| values[*k] > least).collect();
    // The descent takes means over its rows, of which there is one where nothing varies.
    let rows = there.len().max(1);
    let unit = |k: usize| (values[k] * rows as f64).sqrt();
    let cell = |(i, c): (usize, usize)| there.get(i).map_or(0.0, |k| unit(*k) * vectors[[c, *k]]);
    let target = |i: usize| there.get(i).map_or(0.0, |k| vectors.column(*k).dot(&products) * rows as f64 / unit(*k));
    let x = Array2::from_shape_fn((rows, values.len()), cell);
    Ok(Dataset::new(x, Array1::from_shape_fn(rows, target)))
}

impl Learnt for Line {
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
