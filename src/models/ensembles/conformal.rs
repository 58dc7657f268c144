//! `conformal`: any local model, with intervals calibrated on its out-of-sample errors instead of its own distribution.
//!
//! The model forecasts the last windows of each series, refitted before each; its standardised errors there calibrate the
//! intervals of all series together, step by step (`kind=split`: scaled split conformal prediction). `kind=adaptive` also scales
//! the intervals of each series: they widen after values outside and narrow after values inside, also when `Fits.update` brings
//! new values (see `calibration`). The calibration pools the series of the panel, or of a chunk where a forecast is streamed: the
//! intervals of a series depend on the other series, its means do not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FittedComponent;
use super::validation::{Refit, RollingValidation};
use crate::error::{Error, Result};
use crate::models::{Ahead, Description, Entry, FittedSeries, Local, Method, Series, SeriesModel};

/// Options of `conformal`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Conformal {
    /// The label of the model.
    pub model: String,
    /// Are the intervals adaptive?
    pub kind: Conformity,
    /// The horizon of the validation windows; a season if not given (see `ensemble`).
    pub horizon: Option<usize>,
}

/// The kind of conformal prediction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Conformity {
    /// Split conformal: calibrated on the errors of all series.
    #[default]
    Split,
    /// Adaptive: also scaled by the errors of each series.
    Adaptive,
}

impl Default for Conformal {
    fn default() -> Self {
        Self { model: "theta".into(), kind: Conformity::default(), horizon: None }
    }
}

impl Method for Conformal {
    const NAME: &str = "conformal";
    const TITLE: &str = "Conformal intervals";
    const SUMMARY: &str = "Any local model, with intervals calibrated on its out-of-sample errors";
    const EXAMPLE: &str = "conformal(model=theta, kind=adaptive)";
    const ALSO: &str = "conformal prediction";
    const SIMILAR: &[(&str, &str)] = &[(
        "aci, adaptive conformal inference, enbpi, cqr",
        "conformal(kind=adaptive) scales intervals by recent errors",
    )];
    const SEARCH: &[(&str, &[&str])] = &[("kind", &["split", "adaptive"])];
    type Scope = Local;
    type Fitted = FittedConformal;

    fn check(&self) -> Result<()> {
        if self.horizon == Some(0) {
            return Err(Error::usage("`horizon` is at least 1 step, not 0"));
        }
        super::combine::check(std::slice::from_ref(&self.model))
    }
}

impl SeriesModel for Conformal {
    fn is_calibrated(&self) -> bool {
        true
    }

    fn reads_covariates(&self) -> bool {
        Entry::component(&self.model).is_ok_and(|model| model.reads_covariates())
    }

    fn has_options_in_data_units(&self) -> bool {
        Entry::component(&self.model).is_ok_and(|model| model.has_options_in_data_units())
    }

    fn depends_on_scenario(&self) -> bool {
        self.reads_covariates()
    }

    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let component = FittedComponent::fit(&self.model, series)?;
        let models = std::slice::from_ref(&self.model);
        let validation = RollingValidation::of(models, series, self.horizon, Refit::EachWindow)?;
        let uncalibrated = validation.failure().map(ToString::to_string);
        Ok(Box::new(FittedConformal { component, kind: self.kind, scores: validation.scores(), uncalibrated }))
    }
}

/// A fitted model with its calibration scores.
#[derive(Serialize, Deserialize)]
pub struct FittedConformal {
    component: FittedComponent,
    kind: Conformity,
    scores: Vec<Vec<f64>>,
    /// Why there are no scores.
    uncalibrated: Option<String>,
}

impl FittedSeries for FittedConformal {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        self.component.fit.mean(ahead)
    }

    fn std_dev(&self, ahead: &Ahead) -> Vec<f64> {
        self.component.fit.std_dev(ahead)
    }

    fn calibration_scores(&self) -> &[Vec<f64>] {
        &self.scores
    }

    fn is_adaptive(&self) -> bool {
        self.kind == Conformity::Adaptive
    }

    fn residuals(&self) -> &[f64] {
        self.component.fit.residuals()
    }

    fn describe(&self) -> Description {
        let mut description = self.component.fit.describe();
        if description.specification.is_empty() {
            description.specification.clone_from(&self.component.label);
        }
        if let Some(why) = &self.uncalibrated {
            description.specification.push_str(", without calibration scores of its own");
            description.remarks.push(format!("its own errors do not calibrate its intervals: {why}"));
        }
        description
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let component = self.component.update(series)?;
        let (scores, uncalibrated) = (self.scores.clone(), self.uncalibrated.clone());
        Ok(Box::new(Self { component, kind: self.kind, scores, uncalibrated }))
    }

    fn simulate(&self, ahead: &Ahead, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        self.component.fit.simulate(ahead, mean, shocks, path);
    }
}
