//! A fitted method that is part of another one: kept with its label, by which it is loaded again.

use serde::{Deserialize, Serialize, Serializer, ser};

use super::{Entry, FittedSeries, Series};
use crate::error::{Error, Result};

#[derive(Deserialize)]
#[serde(try_from = "SavedPart")]
pub(super) struct Part {
    pub label: String,
    pub fit: Box<dyn FittedSeries>,
}

impl Part {
    /// The model that a label describes, fitted to a series.
    ///
    /// # Errors
    /// When there is no such model, or it cannot serve the series.
    pub fn fit(label: &str, series: &Series) -> Result<Self> {
        Ok(Self { label: label.into(), fit: Entry::part(label)?.fit(series)? })
    }

    /// The same parameters on a longer series.
    ///
    /// # Errors
    /// When the series cannot be served.
    pub fn update(&self, series: &Series) -> Result<Self> {
        Ok(Self { label: self.label.clone(), fit: self.fit.update(series)? })
    }
}

#[derive(Serialize, Deserialize)]
struct SavedPart {
    label: String,
    bytes: Vec<u8>,
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let bytes = self.fit.save().map_err(ser::Error::custom)?;
        SavedPart { label: self.label.clone(), bytes }.serialize(serializer)
    }
}

impl TryFrom<SavedPart> for Part {
    type Error = Error;

    fn try_from(saved: SavedPart) -> Result<Self> {
        Ok(Self { fit: Entry::load_part(&saved.label, &saved.bytes)?, label: saved.label })
    }
}
