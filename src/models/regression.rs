//! Sales explained by trend, season and covariates: a penalised linear regression.
//!
//! y(t) = β₀ + β₁t + Σₖ (γₖ sin 2πkt/m + δₖ cos 2πkt/m) + Σⱼ θⱼxⱼ(t) + ε(t), fitted by the elastic net (Zou & Hastie 2005;
//! coordinate descent, Friedman, Hastie & Tibshirani 2010) on standardised columns, so that one penalty serves them all.
//! Known covariates enter as they are and must be given for the future; observed ones enter as they were and follow the
//! future's scenario; fixed ones do not vary within a series and stay out. Rows with a missing target or covariate are
//! left out of the fit. Errors are taken as independent: intervals do not widen with the horizon.
//!
//! Fails on a series with fewer complete rows than twice its columns need at the least.

use linfa::prelude::*;
use linfa_elasticnet::ElasticNet;
use ndarray::{Array1, Array2};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ahead, Description, FittedSeries, Method, Series, SeriesModel};
use crate::error::{Error, Result};
use crate::panel::Role;

/// Options of `regression`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Regression {
    /// Steps in a season; the panel's season if not given, 1 for no season.
    pub season: Option<usize>,
    /// Fourier terms (pairs of sine and cosine); as many as the series supports, six at the most, if not given.
    pub harmonics: Option<usize>,
    /// A linear trend?
    pub trend: bool,
    /// The penalty on standardised regressors; 0 is least squares.
    pub penalty: f64,
    /// The fraction of the penalty that is L1 (lasso), the rest is L2 (ridge); from 0 to 1.
    pub l1_ratio: f64,
}

impl Default for Regression {
    fn default() -> Self {
        Self { season: None, harmonics: None, trend: true, penalty: 0.01, l1_ratio: 0.5 }
    }
}

/// A fitted regression.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FittedRegression {
    terms: Vec<Term>,
    coefficients: Vec<f64>,
    intercept: f64,
    sigma: f64,
    residuals: Vec<f64>,
    /// The position of the step after the last value.
    next: i64,
    /// Where the trend is one, and the steps over which it has risen from zero.
    origin: i64,
    n: usize,
    season: usize,
}

/// One column of the design.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Term {
    Trend,
    Sine(usize),
    Cosine(usize),
    /// The panel's covariate column of that number.
    Covariate(usize),
}

impl Method for Regression {
    const NAME: &str = "regression";
    const TITLE: &str = "Time series regression";
    const SUMMARY: &str = "Local elastic net on trend, Fourier terms and covariates";
    const EXAMPLE: &str = "regression(penalty=0.1)";
    const SIMILAR: &[(&str, &str)] = &[(
        "linear regression, linear model, lm, tslm, ols, least squares",
        "regression(penalty=0) is least squares over trend, Fourier terms and covariates of each series; `ridge`, `lasso` and `elastic_net` learn from all series together",
    )];
    const SEARCH: &[(&str, &[&str])] = &[
        ("penalty", &["0", "0.001", "0.01", "0.1", "1"]),
        ("l1_ratio", &["0", "0.5", "1"]),
        ("trend", &["true", "false"]),
    ];
    type Scope = super::Local;
    type Fitted = FittedRegression;

    fn check(&self) -> Result<()> {
        super::check_season(self.season)?;
        if !(self.penalty >= 0.0 && self.penalty.is_finite()) {
            return Err(Error::usage(format!("the penalty of regression is 0 or more, not {}", self.penalty)));
        }
        if !(0.0..=1.0).contains(&self.l1_ratio) {
            return Err(Error::usage(format!("the l1_ratio of regression is between 0 and 1, not {}", self.l1_ratio)));
        }
        Ok(())
    }
}

impl SeriesModel for Regression {
    fn reads_covariates(&self) -> bool {
        true
    }

    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let y = series.values;
        let season = self.season.unwrap_or(series.season);
        let complete: Vec<usize> = (0..y.len())
            .filter(|t| {
                !y[*t].is_nan() && series.covariates.iter().all(|c| c.role == Role::Fixed || !c.values[*t].is_nan())
            })
            .collect();
        let mut fitted = FittedRegression {
            terms: self.terms(series, season, &complete),
            coefficients: Vec::new(),
            intercept: 0.0,
            sigma: 0.0,
            residuals: vec![f64::NAN; y.len()],
            next: series.start + y.len() as i64,
            origin: series.start + y.len() as i64,
            n: y.len(),
            season,
        };
        let needed = 2 * fitted.terms.len() + 4;
        if complete.len() < needed {
            return Err(Error::model(format!(
                "regression needs {needed} complete rows for its {} columns, the series has {} \
                 (rows with a missing covariate are left out; clean with covariates = \"zero\" if empty means none)",
                fitted.terms.len(),
                complete.len()
            )));
        }
        fitted.solve(self, series, &complete)?;
        Ok(Box::new(fitted))
    }
}

impl Regression {
    /// The columns that vary over the complete rows.
    fn terms(&self, series: &Series, season: usize, complete: &[usize]) -> Vec<Term> {
        let covariates: Vec<Term> = (0..series.covariates.len())
            .filter(|c| {
                let values = &series.covariates[*c].values;
                series.covariates[*c].role != Role::Fixed && complete.windows(2).any(|w| values[w[0]] != values[w[1]])
            })
            .map(Term::Covariate)
            .collect();
        // Above half the season, a sine repeats one below it (aliasing).
        let most = if season < 2 { 0 } else { season / 2 };
        let afford = complete.len().saturating_sub(2 * covariates.len() + 8) / 8;
        let harmonics = self.harmonics.unwrap_or(6.min(afford)).min(most);
        let mut terms = Vec::new();
        if self.trend {
            terms.push(Term::Trend);
        }
        for k in 1..=harmonics {
            terms.push(Term::Cosine(k));
            if 2 * k != season {
                terms.push(Term::Sine(k));
            }
        }
        terms.extend(covariates);
        terms
    }
}

impl FittedRegression {
    /// The value of a term at a position; covariates are looked up by `covariate`.
    fn value(&self, term: &Term, position: i64, covariate: impl Fn(usize) -> f64) -> f64 {
        let angle = |k: usize| {
            std::f64::consts::TAU * (k as i64 * position).rem_euclid(self.season as i64) as f64 / self.season as f64
        };
        match term {
            Term::Trend => 1.0 + (position - self.origin) as f64 / self.n as f64,
            Term::Sine(k) => angle(*k).sin(),
            Term::Cosine(k) => angle(*k).cos(),
            Term::Covariate(c) => covariate(*c),
        }
    }

    fn solve(&mut self, options: &Regression, series: &Series, complete: &[usize]) -> Result<()> {
        let (n, p) = (complete.len(), self.terms.len());
        let y: Array1<f64> = complete.iter().map(|t| series.values[*t]).collect();
        let x = Array2::from_shape_fn((n, p), |(row, c)| {
            let t = complete[row];
            self.value(&self.terms[c], series.start + t as i64, |c| series.covariates[c].values[t])
        });
        let means: Vec<f64> = x.columns().into_iter().map(|column| column.sum() / n as f64).collect();
        let scales: Vec<f64> = x.columns().into_iter().map(|column| column.std(0.0)).collect();
        let (y_mean, y_scale) = (y.sum() / n as f64, y.std(0.0));
        if y_scale > 0.0 && p > 0 {
            let z =
                Array2::from_shape_fn(
                    (n, p),
                    |(row, c)| {
                        if scales[c] > 0.0 { (x[(row, c)] - means[c]) / scales[c] } else { 0.0 }
                    },
                );
            let target = y.mapv(|v| (v - y_mean) / y_scale);
            let net = ElasticNet::<f64>::params()
                .penalty(options.penalty)
                .l1_ratio(options.l1_ratio)
                .tolerance(1e-6)
                .max_iterations(5_000)
                .with_intercept(false)
                .fit(&Dataset::new(z, target))
                .map_err(|cause| Error::model("the regression cannot be solved").because(cause.to_string()))?;
            let scaled = |(c, w): (usize, &f64)| if scales[c] > 0.0 { w * y_scale / scales[c] } else { 0.0 };
            self.coefficients = net.hyperplane().iter().enumerate().map(scaled).collect();
        } else {
            self.coefficients = vec![0.0; p];
        }
        self.intercept = y_mean - self.coefficients.iter().zip(&means).map(|(w, mean)| w * mean).sum::<f64>();
        let mut squares = 0.0;
        for (row, t) in complete.iter().enumerate() {
            let fit = self.intercept + self.coefficients.iter().enumerate().map(|(c, w)| w * x[(row, c)]).sum::<f64>();
            self.residuals[*t] = y[row] - fit;
            squares += self.residuals[*t].powi(2);
        }
        let used = self.coefficients.iter().filter(|w| **w != 0.0).count() + 1;
        self.sigma = (squares / (n - used) as f64).sqrt();
        Ok(())
    }
}

impl FittedSeries for FittedRegression {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        Ok((0..ahead.horizon)
            .map(|step| {
                let position = self.next + (ahead.lead + step) as i64;
                let terms = self.terms.iter().zip(&self.coefficients);
                self.intercept
                    + terms.map(|(term, w)| w * self.value(term, position, |c| ahead.covariates[c][step])).sum::<f64>()
            })
            .collect())
    }

    fn std_dev(&self, ahead: &Ahead) -> Vec<f64> {
        vec![self.sigma; ahead.horizon]
    }

    fn residuals(&self) -> &[f64] {
        &self.residuals
    }

    fn describe(&self) -> Description {
        let name = |term: &Term| match term {
            Term::Trend => "trend".to_string(),
            Term::Sine(k) => format!("sine {k}"),
            Term::Cosine(k) => format!("cosine {k}"),
            Term::Covariate(c) => format!("covariate {}", c + 1),
        };
        let slopes = self.terms.iter().zip(&self.coefficients).map(|(term, w)| (name(term), *w));
        let parameters = std::iter::once(("intercept".to_string(), self.intercept)).chain(slopes).collect();
        Description { parameters, ..Description::default() }
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let mut updated = self.clone();
        let error = |(t, y): (usize, &f64)| {
            let position = series.start + t as i64;
            let terms = self.terms.iter().zip(&self.coefficients);
            let fit: f64 =
                terms.map(|(term, w)| w * self.value(term, position, |c| series.covariates[c].values[t])).sum();
            y - self.intercept - fit
        };
        updated.next = series.start + series.values.len() as i64;
        updated.residuals = series.values.iter().enumerate().map(error).collect();
        Ok(Box::new(updated))
    }
}
