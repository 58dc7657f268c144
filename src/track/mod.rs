//! What was run, with which data and settings, and how good was it? Runs are kept in a folder of MLflow's layout or on an MLflow
//! server; models are registered there, and the alias `champion` leads to the one that forecasts.
//!
//! | file | question |
//! |---|---|
//! | `mod.rs` | what is told of a run? |
//! | `enabled.rs`, `disabled.rs` | how is it kept? (feature `track`) |
//!
//! The crate `tradewind-track` does the keeping: the layout of the folder, the requests, the outbox from which nothing is lost while a
//! server is away.

#[cfg(not(feature = "track"))]
mod disabled;
#[cfg(not(feature = "track"))]
pub use disabled::{Runs, Trials, ready};
#[cfg(feature = "track")]
mod enabled;
#[cfg(feature = "track")]
pub use enabled::{Runs, Trials, ready};

use std::path::PathBuf;
use std::time::SystemTime;

use crate::error::Error;

/// The folder of runs, where nothing else is named.
pub const FOLDER: &str = "mlruns";
/// The alias of the model that forecasts.
pub const CHAMPION: &str = "champion";
/// The alias of the model that may take its place.
pub const CHALLENGER: &str = "challenger";

/// All that is told of a run.
#[derive(Default)]
#[cfg_attr(not(feature = "track"), expect(dead_code, reason = "nobody keeps it there"))]
pub(crate) struct Told {
    /// What is compared with one another.
    pub experiment: String,
    /// What the run is called.
    pub name: String,
    pub tags: Vec<(String, String)>,
    pub params: Vec<(String, String)>,
    /// What was measured, the value, and the fold or the step that it belongs to.
    pub metrics: Vec<(String, f64, i64)>,
    pub data: Option<Data>,
    /// Files, and their places among the run's artifacts.
    pub files: Vec<(String, PathBuf)>,
    /// When it began, where it is told of when it is over.
    pub began: Option<SystemTime>,
    /// Why it has no results.
    pub failed: Option<Error>,
}

/// The data of a run.
#[cfg_attr(not(feature = "track"), expect(dead_code, reason = "nobody keeps it there"))]
pub(crate) struct Data {
    pub name: String,
    /// Their fingerprint.
    pub digest: String,
    pub source: String,
    /// Name and type of each column.
    pub columns: Vec<(String, String)>,
    pub rows: usize,
    pub series: usize,
}

/// A version of a registered model.
#[derive(Clone, Debug, PartialEq)]
pub struct Registered {
    /// The name of the model.
    pub model: String,
    /// The number of the version.
    pub version: u32,
    /// The run that made it.
    pub run: String,
    /// The aliases that lead to it.
    pub aliases: Vec<String>,
    /// What is noted of it.
    pub notes: Vec<(String, String)>,
    /// When it was registered, in milliseconds since 1970.
    pub created: i64,
}

impl Registered {
    /// What is noted of the version under a name.
    pub(crate) fn note(&self, name: &str) -> Option<&str> {
        self.notes.iter().find(|(note, _)| note == name).map(|(_, value)| value.as_str())
    }
}
