//! `conformal`: any model, with intervals from how far it was off rather than from its own distribution.
//!
//! The model forecasts the last windows of each series, fitted to what lies before each; its errors there, in the
//! standard deviations that it stated, calibrate the intervals of all series together, step by step (split conformal
//! prediction, scaled). That is the `split` kind. The `adaptive` one follows each series besides: its
//! intervals stretch after a value outside the 0.8 interval and shrink, four times as slowly, after one inside (Gibbs & Candès
//! 2021, *Advances in Neural Information Processing Systems* 34; in the form of Angelopoulos, Candès & Tibshirani 2023,
//! *ibid.* 36, on a logarithmic scale), and go on doing so as `Fits.update` brings new values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::part::Part;
use super::trial::{Between, Trial};
use super::{Ahead, Description, Entry, FittedSeries, Method, Series, SeriesModel, standard_normal};
use crate::error::{Error, Result};

/// Options of `conformal`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Conformal {
    /// The label of the model.
    pub model: String,
    /// Do the intervals follow each series?
    pub kind: Conformity,
    /// Steps ahead that the model is tried on; a season if not stated (see `auto`).
    pub horizon: Option<usize>,
}

/// What intervals follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Conformity {
    /// The errors of all series.
    #[default]
    Split,
    /// Those of each series besides.
    Adaptive,
}

impl Default for Conformal {
    fn default() -> Self {
        Self { model: "theta".into(), kind: Conformity::default(), horizon: None }
    }
}

impl Method for Conformal {
    const NAME: &str = "conformal";
    const SUMMARY: &str = "Any model, with intervals from how far it was off";
    const EXAMPLE: &str = "conformal(model=theta, kind=adaptive)";
    const SEARCH: &[(&str, &[&str])] = &[("kind", &["split", "adaptive"])];
    type Fitted = FittedConformal;

    fn check(&self) -> Result<()> {
        if self.horizon == Some(0) {
            return Err(Error::usage("`horizon` is at least 1 step, not 0"));
        }
        super::combine::check(std::slice::from_ref(&self.model))
    }
}

impl SeriesModel for Conformal {
    fn reads_covariates(&self) -> bool {
        Entry::part(&self.model).is_ok_and(|model| model.reads_covariates())
    }

    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let part = Part::fit(&self.model, series)?;
        let trial = Trial::of(std::slice::from_ref(&self.model), series, self.horizon, Between::Fit)?;
        let mut stretch = 1.0;
        let mut tried = trial.errors();
        if self.kind == Conformity::Adaptive {
            for error in tried.iter_mut().flatten().filter(|e| !e.is_nan()) {
                let seen = *error / stretch;
                stretch = stretched(stretch, seen);
                *error = seen;
            }
        }
        let next = series.start + series.values.len() as i64;
        Ok(Box::new(FittedConformal { part, kind: self.kind, tried, stretch, next }))
    }
}

/// How fast intervals follow a series.
const PACE: f64 = 0.05;
/// The share of values that are meant to lie outside.
const OUTSIDE: f64 = 0.2;

/// The stretch of the next interval after an error in stretched standard deviations.
fn stretched(stretch: f64, error: f64) -> f64 {
    let outside = error.abs() > standard_normal(1.0 - OUTSIDE / 2.0);
    let by = if outside { 1.0 - OUTSIDE } else { -OUTSIDE };
    (stretch * (PACE * by).exp()).clamp(0.1, 10.0)
}

/// A fitted model with what its intervals are calibrated by.
#[derive(Serialize, Deserialize)]
pub struct FittedConformal {
    part: Part,
    kind: Conformity,
    tried: Vec<Vec<f64>>,
    stretch: f64,
    /// The position after the last value.
    next: i64,
}

impl FittedSeries for FittedConformal {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        self.part.fit.mean(ahead)
    }

    fn spread(&self, ahead: &Ahead) -> Vec<f64> {
        self.part.fit.spread(ahead).into_iter().map(|sd| sd * self.stretch).collect()
    }

    fn tried(&self) -> &[Vec<f64>] {
        &self.tried
    }

    fn residuals(&self) -> &[f64] {
        self.part.fit.residuals()
    }

    fn describe(&self) -> Description {
        let mut description = self.part.fit.describe();
        if description.form.is_empty() {
            description.form.clone_from(&self.part.label);
        }
        if self.kind == Conformity::Adaptive {
            description.parameters.push(("stretch".into(), self.stretch));
        }
        description
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let mut stretch = self.stretch;
        let next = series.start + series.values.len() as i64;
        let new = usize::try_from(next - self.next).unwrap_or(0).min(series.values.len());
        if self.kind == Conformity::Adaptive && new > 0 {
            let known = series.values.len() - new;
            let columns: Vec<&[f64]> = series.covariates.iter().map(|column| &column.values[known..]).collect();
            let ahead = Ahead { lead: 0, horizon: new, covariates: columns };
            let (mean, sd) = (self.part.fit.mean(&ahead)?, self.part.fit.spread(&ahead));
            for ((y, mean), sd) in series.values[known..].iter().zip(mean).zip(sd).filter(|((y, _), _)| !y.is_nan()) {
                stretch = stretched(stretch, (y - mean) / (sd * stretch));
            }
        }
        Ok(Box::new(Self {
            part: self.part.update(series)?,
            kind: self.kind,
            tried: self.tried.clone(),
            stretch,
            next,
        }))
    }

    fn simulate(&self, ahead: &Ahead, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        self.part.fit.simulate(ahead, mean, shocks, path);
    }
}
