//! What of the outbox has the server, and how is that known after any crash?
//!
//! `.tradewind-journal` in the outbox: lines of JSON, only ever appended, each by one write that begins and ends with a
//! line break, so that half a line never spoils the next. Whoever reads it goes on from where it read before. A line that
//! says nothing makes the journal untrustworthy for one question alone, whether something was never sent: then the server
//! is asked before anything is made there. All else that is sent twice leaves the server as it was.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::types::Status;

/// One thing that has happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entry {
    /// An experiment has this number on the server.
    Experiment { local: String, server: String },
    /// A run was begun, or is written to again.
    Open { run: String },
    /// The server will be asked to make it, with an outcome that may not be learnt.
    Trying { run: String },
    /// The server has made it.
    Created { run: String, server: String, artifacts: String },
    /// The server has these parts.
    Sent(Box<Sent>),
    /// The server said no to a part, for good.
    Refused { run: String, item: String, why: String },
    /// The server has lost the run.
    Forgotten { run: String },
    /// The server has all that was there after so many openings.
    Done { run: String, opens: u32 },
    /// The registry is to be changed.
    Asked { id: String, change: Change },
    /// The server has changed it.
    Answered { id: String, version: Option<u32> },
    /// The server will not.
    Declined { id: String, why: String },
}

/// Parts of a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sent {
    pub run: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<String>,
    /// Tags and inputs, with a hash of the value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, u64)>,
    /// Metrics, with the byte up to which their lines were sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<(String, u64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// Artifacts, with their stamp.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<(Status, i64)>,
}

/// A change of the registry.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// The version of a provisional number.
    Register {
        model: String,
        number: u32,
        run: String,
        path: String,
    },
    Alias {
        model: String,
        alias: String,
        number: u32,
    },
    Unalias {
        model: String,
        alias: String,
    },
}

/// What is known of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub opens: u32,
    pub tried: bool,
    /// Its identifier on the server and the address of its artifacts.
    pub server: Option<(String, String)>,
    pub params: HashSet<String>,
    pub tags: HashMap<String, u64>,
    pub metrics: HashMap<String, u64>,
    pub inputs: HashSet<String>,
    pub artifacts: HashMap<String, String>,
    pub end: Option<(Status, i64)>,
    pub refused: Vec<(String, String)>,
    pub done: Option<u32>,
}

impl Known {
    /// Does the server have all of it?
    pub(crate) fn is_done(&self) -> bool {
        self.done == Some(self.opens)
    }
}

/// What happened to a change of the registry.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    Waiting,
    Done,
    Declined(String),
}

/// All that the journal says.
#[derive(Default)]
pub(crate) struct State {
    pub experiments: HashMap<String, String>,
    pub runs: HashMap<String, Known>,
    /// Which run of the outbox one of the server is.
    pub locals: HashMap<String, String>,
    pub changes: Vec<(String, Change, Fate)>,
    /// The numbers of the server for provisional ones.
    pub versions: HashMap<(String, u32), u32>,
    /// Could every line be read?
    pub is_whole: bool,
}

impl State {
    fn apply(&mut self, entry: Entry) {
        let runs = &mut self.runs;
        match entry {
            Entry::Experiment { local, server } => {
                self.experiments.insert(local, server);
            }
            Entry::Open { run: id } => runs.entry(id).or_default().opens += 1,
            Entry::Trying { run: id } => runs.entry(id).or_default().tried = true,
            Entry::Created { run: id, server, artifacts } => {
                runs.entry(id.clone()).or_default().server = Some((server.clone(), artifacts));
                self.locals.insert(server, id);
            }
            Entry::Sent(sent) => {
                let known = runs.entry(sent.run).or_default();
                known.params.extend(sent.params);
                known.tags.extend(sent.tags);
                known.metrics.extend(sent.metrics);
                known.inputs.extend(sent.inputs);
                known.artifacts.extend(sent.artifacts);
                known.end = sent.end.or(known.end);
            }
            Entry::Refused { run: id, item, why } => {
                let known = runs.entry(id).or_default();
                known.refused.retain(|(old, _)| *old != item);
                known.refused.push((item, why));
            }
            Entry::Forgotten { run: id } => {
                let known = runs.entry(id).or_default();
                let opens = known.opens;
                *known = Known { opens, tried: true, ..Known::default() };
            }
            Entry::Done { run: id, opens } => runs.entry(id).or_default().done = Some(opens),
            Entry::Asked { id, change } => self.changes.push((id, change, Fate::Waiting)),
            Entry::Answered { id, version } => {
                if let Some((_, change, fate)) = self.changes.iter_mut().find(|(known, ..)| *known == id) {
                    *fate = Fate::Done;
                    if let (Change::Register { model, number, .. }, Some(version)) = (change, version) {
                        self.versions.insert((model.clone(), *number), version);
                    }
                }
            }
            Entry::Declined { id, why } => {
                if let Some((.., fate)) = self.changes.iter_mut().find(|(known, ..)| *known == id) {
                    *fate = Fate::Declined(why);
                }
            }
        }
    }
}

/// The journal of an outbox.
pub(crate) struct Journal {
    path: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Default)]
pub(crate) struct Inner {
    file: Option<File>,
    read: u64,
    pub state: State,
}

impl Journal {
    pub(crate) fn at(outbox: &Path) -> Self {
        Self { path: outbox.join(".tradewind-journal"), inner: Mutex::default() }
    }

    fn guard(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what has happened.
    pub(crate) fn note(&self, entries: &[Entry]) -> Result<()> {
        let mut text = String::new();
        for entry in entries {
            let line = serde_json::to_string(entry)
                .map_err(|cause| Error::usage(format!("{} cannot be written: {cause}", self.path.display())))?;
            text.push_str(&format!("\n{line}\n"));
        }
        let mut inner = self.guard();
        let done = inner.file(&self.path).and_then(|file| file.write_all(text.as_bytes()));
        done.map_err(|cause| Error::io("write", &self.path, &cause))
    }

    /// Looks into all that has been noted until now, by anyone.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&State) -> T) -> Result<T> {
        let mut inner = self.guard();
        inner.catch_up(&self.path).map_err(|cause| Error::io("read", &self.path, &cause))?;
        Ok(at(&inner.state))
    }
}

impl Inner {
    fn file(&mut self, path: &Path) -> std::io::Result<&mut File> {
        if self.file.is_none() {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            self.file = Some(File::options().read(true).append(true).create(true).open(path)?);
        }
        self.file.as_mut().ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }

    fn catch_up(&mut self, path: &Path) -> std::io::Result<()> {
        let length = match std::fs::metadata(path) {
            Ok(about) => about.len(),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => 0,
            Err(cause) => return Err(cause),
        };
        if length < self.read {
            // Somebody has removed it: what is sent again is found on the server.
            *self = Self::default();
        }
        if self.read == 0 {
            self.state.is_whole = true;
        }
        if length == self.read {
            return Ok(());
        }
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        for line in bytes.get(..end).unwrap_or_default().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice(line) {
                Ok(entry) => self.state.apply(entry),
                Err(_) => self.state.is_whole = false,
            }
        }
        self.read += end as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn what_was_noted_survives_any_damage_around_it(damage in "\\PC{0,30}\n?", more in "[{}\"a-z]{0,30}") {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(".tradewind-journal");
            let journal = Journal::at(folder.path());
            std::fs::write(&path, damage).unwrap();
            journal.note(&[Entry::Open { run: "r".to_owned() }]).unwrap();
            let mut file = File::options().append(true).open(&path).unwrap();
            file.write_all(more.as_bytes()).unwrap();
            journal.note(&[Entry::Done { run: "r".to_owned(), opens: 1 }]).unwrap();
            let is_done = |journal: &Journal| journal.look(|state| state.runs["r"].is_done()).unwrap();
            proptest::prop_assert!(is_done(&journal) && is_done(&Journal::at(folder.path())));
        }
    }
}
