//! What does a run tell while it goes on?

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use crate::disk;
use crate::error::Result;
use crate::journal::Entry;
use crate::place::Place;
use crate::send::held;
use crate::tracker::Tracker;
use crate::types::{Dataset, Metric, PARENT, Status};

/// A run that is written to; what a verb was told is on the disk when it returns.
///
/// Clones are the same run. Keys that MLflow would not take are mended, see [`mended_key`](crate::mended_key).
#[derive(Clone)]
pub struct Run(Arc<Inner>);

struct Inner {
    tracker: Tracker,
    place: Place,
    /// Is it ours and not ended? Then its beginning says that there is news, else each change has to.
    is_open: Mutex<bool>,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Run({})", self.id())
    }
}

impl Run {
    pub(crate) fn new(tracker: Tracker, place: Place, is_open: bool) -> Self {
        Self(Arc::new(Inner { tracker, place, is_open: Mutex::new(is_open) }))
    }

    /// By what it is found in its home.
    pub fn id(&self) -> &str {
        &self.0.place.id
    }

    /// Writes something, and lets it be sent.
    fn write<T>(&self, ends: bool, work: impl FnOnce(&Place) -> Result<T>) -> Result<T> {
        let mut is_open = held(&self.0.is_open);
        let open = || match self.0.tracker.remote().filter(|_| !*is_open) {
            Some(remote) => remote.journal.note(&[Entry::Open { run: self.id().to_owned() }]),
            None => Ok(()),
        };
        // Before, so that it is sent even if this process ends now; and after, because others may be sending meanwhile.
        open()?;
        let done = work(&self.0.place)?;
        open()?;
        *is_open &= !ends;
        self.0.tracker.ring(self.id());
        Ok(done)
    }

    /// What it was told to do; a param that is there already cannot change.
    ///
    /// # Errors
    /// If a param has another value already, or the disk refuses.
    pub fn params<K: Into<String>, V: Into<String>>(&self, params: impl IntoIterator<Item = (K, V)>) -> Result<()> {
        let params: Vec<_> = params.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        self.write(false, |place| place.params(&params))
    }

    /// What was measured.
    ///
    /// # Errors
    /// If a time is before 1970, or the disk refuses.
    pub fn metrics(&self, metrics: impl IntoIterator<Item = Metric>) -> Result<()> {
        let metrics: Vec<_> = metrics.into_iter().collect();
        self.write(false, |place| place.metrics(&metrics))
    }

    /// What is noted of it; a tag that is there already gets its new value.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn tags<K: Into<String>, V: Into<String>>(&self, tags: impl IntoIterator<Item = (K, V)>) -> Result<()> {
        let tags: Vec<_> = tags.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        self.write(false, |place| place.tags(&tags))
    }

    /// Data that it reads.
    ///
    /// # Errors
    /// If the name or the digest is missing or too long, or the disk refuses.
    pub fn input(&self, dataset: &Dataset) -> Result<()> {
        self.write(false, |place| place.input(dataset))
    }

    /// Keeps bytes as a file of the run.
    ///
    /// # Errors
    /// If the path leads out of the run, or the disk refuses.
    pub fn artifact(&self, path: &str, bytes: &[u8]) -> Result<()> {
        self.write(false, |place| place.artifact(path, bytes))
    }

    /// Keeps a copy of a file with the run.
    ///
    /// # Errors
    /// If there is no such file, the path leads out of the run, or the disk refuses.
    pub fn artifact_file(&self, path: &str, file: impl AsRef<Path>) -> Result<()> {
        self.write(false, |place| place.artifact_file(path, file.as_ref()))
    }

    /// Begins a run that belongs to this one, such as a trial of a search.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn child(&self, name: &str) -> Result<Run> {
        self.child_at(name, SystemTime::now())
    }

    /// As [`Run::child`], of a run that began earlier.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn child_at(&self, name: &str, began: SystemTime) -> Result<Run> {
        let tags = [(PARENT.to_owned(), self.id().to_owned())];
        self.0.tracker.begin(&self.0.place.experiment, name, &tags, disk::millis(began))
    }

    /// Says how it ended.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn finish(&self, status: Status) -> Result<()> {
        self.write(status.is_end(), |place| place.finish(status))
    }
}
