//! `conformal`: any model, with intervals from how far it was off rather than from its own distribution.
//!
//! The model forecasts the last windows of each series, fitted to what lies before each; its errors there, in the
//! standard deviations that it stated, calibrate the intervals of all series together, step by step (split conformal
//! prediction, scaled). That is the `split` kind. The `adaptive` one follows each series besides: its intervals stretch after
//! values outside and shrink after values inside, and go on doing so as `Fits.update` brings new values (see `calibration`).
//! All series are those of the panel, or of a chunk where a forecast is streamed: what stands beside a series moves its intervals,
//! never its means.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::part::Part;
use super::trial::{Between, Trial};
use super::{Ahead, Description, Entry, FittedSeries, Method, Series, SeriesModel};
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
    const ALSO: &str = "conformal prediction";
    const SIMILAR: &[(&str, &str)] = &[(
        "aci, adaptive conformal inference, enbpi, cqr",
        "conformal(kind=adaptive) follows how far forecasts were off of late",
    )];
    const SEARCH: &[(&str, &[&str])] = &[("kind", &["split", "adaptive"])];
    type Kind = super::EachSeries;
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

    fn states_values(&self) -> bool {
        Entry::part(&self.model).is_ok_and(|model| model.states_values())
    }

    fn minds_scenario(&self) -> bool {
        self.reads_covariates()
    }

    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let part = Part::fit(&self.model, series)?;
        let trial = Trial::of(std::slice::from_ref(&self.model), series, self.horizon, Between::Fit)?;
        let untried = trial.failure().map(ToString::to_string);
        Ok(Box::new(FittedConformal { part, kind: self.kind, tried: trial.errors(), untried }))
    }
}

/// A fitted model with what its intervals are calibrated by.
#[derive(Serialize, Deserialize)]
pub struct FittedConformal {
    part: Part,
    kind: Conformity,
    tried: Vec<Vec<f64>>,
    /// Why there are no errors to calibrate by.
    untried: Option<String>,
}

impl FittedSeries for FittedConformal {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        self.part.fit.mean(ahead)
    }

    fn spread(&self, ahead: &Ahead) -> Vec<f64> {
        self.part.fit.spread(ahead)
    }

    fn tried(&self) -> &[Vec<f64>] {
        &self.tried
    }

    fn adapts(&self) -> bool {
        self.kind == Conformity::Adaptive
    }

    fn residuals(&self) -> &[f64] {
        self.part.fit.residuals()
    }

    fn describe(&self) -> Description {
        let mut description = self.part.fit.describe();
        if description.form.is_empty() {
            description.form.clone_from(&self.part.label);
        }
        if let Some(why) = &self.untried {
            description.form.push_str(", not tried on windows of its own");
            description.remarks.push(format!("its own errors do not calibrate its intervals: {why}"));
        }
        description
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let part = self.part.update(series)?;
        Ok(Box::new(Self { part, kind: self.kind, tried: self.tried.clone(), untried: self.untried.clone() }))
    }

    fn simulate(&self, ahead: &Ahead, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        self.part.fit.simulate(ahead, mean, shocks, path);
    }
}
