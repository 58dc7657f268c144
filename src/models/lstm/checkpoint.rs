//! Checkpoints, from which interrupted training resumes: a file per fit, written whole after every epoch.
//!
//! The file is named after the data, the options and the version, so that folds of a backtest and other models have files of
//! their own, and a changed panel starts afresh.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Lstm;
use super::training::State;
use crate::error::{Error, Result};
use crate::panel::Panel;

const FORMAT: u32 = 2;

/// The states of the trainings of one fit.
pub(super) struct Checkpoint {
    file: Option<PathBuf>,
    saved: Saved,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    fingerprint: String,
    states: Vec<Option<State>>,
}

impl Checkpoint {
    /// Of a fit, if the options name a folder: the states that an earlier run has saved there.
    ///
    /// # Errors
    /// When the folder may not be used, or the file cannot be read or is damaged.
    pub fn of(options: &Lstm, panel: &Panel, horizon: usize) -> Result<Self> {
        let Some(folder) = &options.checkpoint else {
            return Ok(Self { file: None, saved: Saved { fingerprint: String::new(), states: Vec::new() } });
        };
        // The folder is no property of the model.
        let model = Lstm { checkpoint: None, ..options.clone() };
        let mut hash = blake3::Hasher::new();
        for word in [
            env!("CARGO_PKG_VERSION").to_string(),
            FORMAT.to_string(),
            crate::options::label("lstm", &model)?,
            horizon.to_string(),
            panel.fingerprint(),
        ] {
            hash.update(&(word.len() as u64).to_le_bytes());
            hash.update(word.as_bytes());
        }
        let fingerprint = hash.finalize().to_hex()[..32].to_string();
        let file = PathBuf::from(folder).join(format!("lstm-{}.checkpoint", &fingerprint[..16]));
        crate::files::allowed(&file)?;
        let states = match crate::files::exists(&file).then(|| crate::files::read_bytes(&file)).transpose()? {
            Some(bytes) => {
                let damaged = || {
                    Error::data(format!(
                        "{} holds no training of this model on these data, or is damaged; delete it to start again",
                        file.display()
                    ))
                };
                let saved: Saved =
                    checked(&bytes).and_then(|bytes| crate::fitting::decode(bytes).ok()).ok_or_else(damaged)?;
                if saved.fingerprint != fingerprint {
                    return Err(damaged());
                }
                saved.states
            }
            None => Vec::new(),
        };
        Ok(Self { file: Some(file), saved: Saved { fingerprint, states } })
    }

    /// The state of a training.
    ///
    /// # Errors
    /// When the file holds another network.
    pub fn resume(&mut self, part: u64, parameters: usize) -> Result<Option<State>> {
        let state = self.saved.states.get(part as usize).cloned().flatten();
        match state.as_ref().is_some_and(|state| !state.fits(parameters)) {
            true => Err(Error::data("the checkpoint is of another network; delete it to start again")),
            false => Ok(state),
        }
    }

    /// Saves the state of a training.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&mut self, part: u64, state: &State) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let part = part as usize;
        self.saved.states.resize(self.saved.states.len().max(part + 1), None);
        self.saved.states[part] = Some(state.clone());
        let mut bytes = crate::fitting::encode(&self.saved)?;
        bytes.extend(blake3::hash(&bytes).as_bytes());
        crate::files::write_atomically(file, &bytes)
    }
}

/// The bytes before their checksum, if it is theirs.
fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (bytes, checksum) = bytes.split_at_checked(bytes.len().checked_sub(blake3::OUT_LEN)?)?;
    (blake3::hash(bytes).as_bytes() == checksum).then_some(bytes)
}
