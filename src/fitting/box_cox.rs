//! Which transformation are the values of a panel put through before a model is fitted?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::panel::{Normalise, Panel};

/// The power of a Box-Cox transformation: a number, or `auto` for the one that Guerrero's method finds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a number, or `auto`")]
pub enum BoxCox {
    /// This power λ; 0 is the logarithm, 1 changes nothing but the origin.
    Lambda(f64),
    /// Estimated.
    Named(Auto),
}

/// What stands for an estimated value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Auto {
    /// Estimated from the series.
    Auto,
}

impl BoxCox {
    /// The power, none where it is to be estimated.
    pub fn lambda(self) -> Option<f64> {
        match self {
            Self::Lambda(lambda) => Some(lambda),
            Self::Named(Auto::Auto) => None,
        }
    }
}

pub(crate) fn check_box_cox(box_cox: Option<BoxCox>) -> Result<()> {
    match box_cox {
        Some(BoxCox::Lambda(lambda)) if !(-2.0..=2.0).contains(&lambda) => {
            Err(Error::usage(format!("a Box-Cox power lies between -2 and 2, not at {lambda}")))
        }
        _ => Ok(()),
    }
}

/// The transformation of the panel's values, and its power if it is a given one.
pub(crate) fn normalisation(train: &Panel, box_cox: Option<BoxCox>) -> Result<(Normalise, Option<f64>)> {
    let kind = match (train.inner().columns.normalise, box_cox) {
        (kind, None) => kind,
        (Normalise::None, Some(_)) => Normalise::BoxCox,
        (kind, Some(_)) => {
            return Err(Error::usage(format!(
                "the panel is normalised ({}) and the model asks for box_cox besides; leave one out",
                kind.name()
            )));
        }
    };
    Ok((kind, box_cox.and_then(BoxCox::lambda)))
}
