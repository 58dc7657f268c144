//! Saved fits: one file with the fits and their training data.

use std::path::Path;
use std::sync::Arc;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Fits, FittedModel, Inner};
use crate::error::{Error, Result};
use crate::fitting::{decode, encode};
use crate::models::{Aim, MODELS, Model};
use crate::panel::{Columns, Panel};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const KIND: &str = crate::files::mark::FITS;
/// Changes with every change of a saved form.
const FORMAT: u32 = 9;
/// The checksum of data and models.
fn checksum(data: &[u8], models: &[(String, Vec<u8>)]) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(data);
    for (label, bytes) in models {
        hash.update(label.as_bytes()).update(bytes);
    }
    hash.finalize().to_hex().to_string()
}

/// The fields by which a file of any format is recognised.
#[derive(Deserialize)]
struct Header {
    kind: String,
    format: u32,
    /// Formats before 9 do not have it.
    #[serde(default)]
    version: Option<String>,
}

impl Header {
    /// The version of the program that wrote the file.
    fn writer(&self) -> String {
        match &self.version {
            Some(version) => format!("version {version} of Tradewind"),
            None if self.format < FORMAT => "an earlier version of Tradewind".into(),
            None => "a later version of Tradewind".into(),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Saved {
    kind: String,
    format: u32,
    /// The version of the program that wrote it.
    version: String,
    columns: Columns,
    /// Which data it is, and the training frame as Parquet.
    fingerprint: String,
    data: Vec<u8>,
    aim: Aim,
    /// Of data and models.
    checksum: String,
    models: Vec<(String, Vec<u8>)>,
}

impl Fits {
    /// Writes the fits and their training data to one file, whole or not at all, after it was made sure that
    /// [`load`](Self::load) reads the same from it.
    ///
    /// # Errors
    /// When no series could be fitted, when the file cannot be written, or would not be read back.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let series = 0..self.0.panel.len();
        if !self.0.models.iter().any(|fit| series.clone().any(|i| fit.fitted.failure(i).is_none())) {
            let reason = self.failures().first().map_or_else(String::new, |failure| format!(": {}", failure.reason));
            return Err(Error::model(format!("no model could be fitted to any series, and nothing is saved{reason}")));
        }
        let mut frame = self.0.panel.to_frame();
        let mut data = Vec::new();
        ParquetWriter::new(&mut data).finish(&mut frame)?;
        let models = self.encoded()?;
        let saved = Saved {
            kind: KIND.into(),
            format: FORMAT,
            version: VERSION.into(),
            columns: self.0.panel.settled_columns(),
            fingerprint: self.0.panel.fingerprint(),
            checksum: checksum(&data, &models),
            data,
            aim: self.0.aim,
            models,
        };
        let bytes = encode(&saved)?;
        let place = path.as_ref().display().to_string();
        let again = Self::decoded(&bytes, &place).and_then(|(again, _)| again.encoded());
        match again {
            Ok(again) if again == saved.models => crate::files::write_atomically(path.as_ref(), &bytes),
            Ok(_) => {
                Err(Error::model("these fits would not be read as they are, so they were not saved").within(place))
            }
            Err(cause) => Err(Error::model("these fits could not be read again, so they were not saved")
                .within(place)
                .because(cause.to_string())),
        }
    }

    /// The label and the saved form of each model.
    fn encoded(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let model = |fit: &Arc<FittedModel>| Ok((fit.model.label().to_string(), fit.fitted.save()?));
        self.0.models.iter().map(model).collect()
    }

    /// Reads fits that [`save`](Self::save) wrote; they forecast to the same bits.
    ///
    /// # Errors
    /// When the file cannot be read, holds something else, or was saved by a version with another file format.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let fits = Self::load_as(path, &path.display().to_string())?;
        crate::files::reads(path);
        Ok(fits)
    }

    /// The same of a copy; messages name the `place` of what it is a copy of.
    pub(crate) fn load_as(path: &Path, place: &str) -> Result<Self> {
        Self::load_known(path, place).map(|(fits, _)| fits)
    }

    /// The same, with the checksum of data and models.
    pub(crate) fn load_known(path: &Path, place: &str) -> Result<(Self, String)> {
        Self::decoded(&crate::files::read_bytes(path)?, place)
    }

    fn decoded(bytes: &[u8], place: &str) -> Result<(Self, String)> {
        let damaged = || Error::data(format!("{place} holds no saved fits, or is damaged"));
        let header: Header = decode(bytes).map_err(|_| damaged())?;
        if header.kind != KIND {
            return Err(Error::data(format!("{place} holds {}, no saved fits", header.kind)));
        }
        if header.format != FORMAT {
            return Err(Error::data(format!(
                "{place} was saved by {} (file format {}); this one, {VERSION}, reads format {FORMAT}: fit the models again \
                 and save them, or open the file with that version",
                header.writer(),
                header.format
            )));
        }
        let saved: Saved = decode(bytes).map_err(|_| damaged())?;
        if saved.checksum != checksum(&saved.data, &saved.models) {
            return Err(damaged());
        }
        let frame = ParquetReader::new(std::io::Cursor::new(saved.data)).finish().map_err(|_| damaged())?;
        let panel = Panel::from_frame(frame, saved.columns)?;
        if saved.fingerprint != panel.fingerprint() {
            return Err(damaged());
        }
        let models = saved
            .models
            .into_iter()
            .map(|(label, bytes)| {
                let model = Model::named(&label)?;
                let fitted = MODELS.named(model.name())?.load(&bytes, &panel)?;
                Ok(Arc::new(FittedModel { model, fitted, seconds: 0.0 }))
            })
            .collect::<Result<_>>()
            .map_err(|error: Error| error.within(place))?;
        Ok((Self(Arc::new(Inner { panel, models, aim: saved.aim })), saved.checksum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files of another format may have other fields.
    #[derive(Serialize)]
    struct Other<'a> {
        kind: &'a str,
        format: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<&'a str>,
        more: Vec<u8>,
    }

    #[test]
    fn a_file_of_another_format_names_the_version_that_saved_it() {
        let error = |kind: &str, format: u32, version: Option<&str>| {
            let bytes = encode(&Other { kind, format, version, more: vec![7; 9] }).unwrap();
            Fits::decoded(&bytes, "old.fits").err().unwrap().to_string()
        };
        let earlier = error(KIND, 8, None);
        assert!(earlier.contains("old.fits was saved by an earlier version of Tradewind (file format 8)"), "{earlier}");
        assert!(earlier.contains("fit the models again"), "{earlier}");
        assert!(error(KIND, 11, Some("3.1.0")).contains("saved by version 3.1.0 of Tradewind (file format 11)"));
        assert!(error("other", FORMAT, None).contains("no saved fits"));
        assert!(error(KIND, FORMAT, None).contains("damaged"));
    }
}
