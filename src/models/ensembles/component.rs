//! A component model: a local method fitted inside another one, kept with its label, by which it is loaded again.

use serde::{Deserialize, Serialize, Serializer, ser};

use crate::error::{Error, Result};
use crate::models::{Covariate, Entry, FittedSeries, Series};

#[derive(Deserialize)]
#[serde(try_from = "SavedComponent")]
pub(in crate::models) struct FittedComponent {
    pub label: String,
    pub fit: Box<dyn FittedSeries>,
}

impl FittedComponent {
    /// The model that a label describes, fitted to a series.
    ///
    /// # Errors
    /// When there is no such model, or it cannot be fitted to the series.
    pub fn fit(label: &str, series: &Series) -> Result<Self> {
        let covariates = series.covariates.iter().map(Covariate::borrowed).collect();
        // Windows are asked of the method that it is part of.
        let series = Series { covariates, windows: None, ..*series };
        Ok(Self { label: label.into(), fit: Entry::component(label)?.fit(&series)? })
    }

    /// The same parameters on a longer series.
    ///
    /// # Errors
    /// When the series cannot be updated.
    pub fn update(&self, series: &Series) -> Result<Self> {
        Ok(Self { label: self.label.clone(), fit: self.fit.update(series)? })
    }
}

#[derive(Serialize, Deserialize)]
struct SavedComponent {
    label: String,
    bytes: Vec<u8>,
}

impl Serialize for FittedComponent {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let bytes = self.fit.save().map_err(ser::Error::custom)?;
        SavedComponent { label: self.label.clone(), bytes }.serialize(serializer)
    }
}

impl TryFrom<SavedComponent> for FittedComponent {
    type Error = Error;

    fn try_from(saved: SavedComponent) -> Result<Self> {
        Ok(Self { fit: Entry::load_component(&saved.label, &saved.bytes)?, label: saved.label })
    }
}
