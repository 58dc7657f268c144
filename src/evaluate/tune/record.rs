//! Every trial on every fold in a file, one line each, so that an interrupted search resumes from it.
//!
//! The first line states the search and the data; a record of another search is refused. A line that was cut off by a
//! kill is dropped.

use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::files::{self, File, TryLockError};
use crate::job::{self, Job};
use crate::metrics::Sums;

/// What a trial came to on a fold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// The sums that a metric is the ratio of.
    Score { above: f64, below: f64 },
    /// Why there is none.
    Failure(String),
}

#[derive(Serialize, Deserialize)]
struct Line {
    group: String,
    trial: usize,
    model: String,
    fold: usize,
    /// Seconds that this took, and since the search began.
    seconds: f64,
    elapsed: f64,
    outcome: Outcome,
}

/// Group, trial, fold.
type Case = (String, usize, usize);

/// A trial on a fold.
pub(super) struct Run<'a> {
    pub group: &'a str,
    pub trial: usize,
    pub model: &'a str,
    pub fold: usize,
}

/// The record of a search; of none, if it has no file.
pub(super) struct Record {
    path: PathBuf,
    file: Option<Mutex<File>>,
    known: HashMap<Case, Line>,
    /// Seconds that were spent before.
    pub spent: f64,
    /// Who is told of every trial on every fold.
    told: Option<Listener>,
}

/// Who is told of every trial on every fold as the search goes on.
pub(crate) type Listener = Arc<dyn Fn(&Scored) + Send + Sync>;

/// A trial that was scored on a fold.
pub(crate) struct Scored<'a> {
    /// The group of series that it was scored on.
    pub group: &'a str,
    pub trial: usize,
    /// Its label.
    pub model: &'a str,
    pub fold: usize,
    pub seconds: f64,
    /// The score; why there is none.
    pub score: std::result::Result<f64, &'a str>,
}

impl Drop for Record {
    fn drop(&mut self) {
        // Closing the file is not enough where a program that was started meanwhile has inherited it.
        if let Some(file) = self.file.as_ref().and_then(|file| file.lock().ok()) {
            let _ = file.unlock();
        }
    }
}

impl Record {
    /// No file.
    pub fn none() -> Self {
        Self { path: PathBuf::new(), file: None, known: HashMap::new(), spent: 0.0, told: None }
    }

    /// The same, of which somebody is told.
    pub fn telling(mut self, told: Option<Listener>) -> Self {
        self.told = told;
        self
    }

    /// Tells of a trial on a fold, now or before an interruption.
    pub fn tell(&self, run: &Run, seconds: f64, outcome: &Outcome) {
        let Some(told) = &self.told else { return };
        let score = match outcome {
            Outcome::Score { above, below } => {
                Sums { above: *above, below: *below }.value().ok_or("the score is undefined")
            }
            Outcome::Failure(why) => Err(why.as_str()),
        };
        told(&Scored { group: run.group, trial: run.trial, model: run.model, fold: run.fold, seconds, score });
    }

    /// Opens the record in a file, or begins it. `header` states the search.
    ///
    /// # Errors
    /// When the file cannot be read or written, is damaged, belongs to another search, or is written by one right now.
    pub fn open(path: &Path, header: &Value) -> Result<Self> {
        files::allowed(path)?;
        Job::current().guard().appends(path)?;
        let refused = |cause: &std::io::Error| files::refused(path, cause);
        let mut file = files::open_to_write(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::usage(format!("{} is being written by another search", path.display())));
            }
            // A file system without locks has to do without.
            Err(TryLockError::Error(_)) => {}
        }
        let mut text = String::new();
        let outcome = file.read_to_string(&mut text);
        outcome
            .map_err(|cause| Error::data(format!("{} is not the record of a search", path.display())).because(cause))?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        // A record that was killed while it was begun is a beginning of its first line; anything else is somebody's
        // file.
        if whole == 0 && !header.to_string().starts_with(&text) {
            return Err(Error::data(format!("{} is not the record of a search", path.display())));
        }
        let known = read(&text[..whole], header).map_err(|error| error.within(path.display().to_string()))?;
        let spent = known.values().fold(0.0, |most: f64, line| most.max(line.elapsed));
        let begin = |file: &mut File| {
            file.set_len(whole as u64)?;
            file.seek(SeekFrom::End(0))?;
            if whole == 0 { writeln!(file, "{header}") } else { Ok(()) }
        };
        begin(&mut file).map_err(|cause| refused(&cause))?;
        Ok(Self { path: path.into(), file: Some(Mutex::new(file)), known, spent, told: None })
    }

    /// What is known of a trial on a fold: its seconds and what it came to.
    ///
    /// # Errors
    /// When the record has another model at this trial.
    pub fn known(&self, run: &Run) -> Result<Option<(f64, Outcome)>> {
        match self.known.get(&(run.group.to_string(), run.trial, run.fold)) {
            Some(line) if line.model == run.model => Ok(Some((line.seconds, line.outcome.clone()))),
            Some(line) => Err(Error::data(format!(
                "{}: trial {} is {} in the record, and {} now: the record was written by another version",
                self.path.display(),
                run.trial,
                line.model,
                run.model
            ))),
            None => Ok(None),
        }
    }

    /// Adds a line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&self, run: &Run, seconds: f64, elapsed: f64, outcome: &Outcome) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let &Run { trial, fold, .. } = run;
        let (group, model, outcome) = (run.group.into(), run.model.into(), outcome.clone());
        let line = Line { group, trial, model, fold, seconds, elapsed, outcome };
        let text = serde_json::to_string(&line);
        let text = text.map_err(|cause| Error::model("the trial cannot be written").because(cause))?;
        job::spend(0, text.len() as u64 + 1)?;
        let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // In one piece, so that a kill cuts the last line at most.
        file.write_all(format!("{text}\n").as_bytes()).map_err(|cause| files::refused(&self.path, &cause))
    }
}

/// The lines of a record by what they are of.
fn read(text: &str, header: &Value) -> Result<HashMap<Case, Line>> {
    let mut lines = text.lines();
    let mut known = HashMap::new();
    let Some(first) = lines.next() else { return Ok(known) };
    let damaged = |number: usize| Error::data(format!("line {number} is damaged; remove the file to start again"));
    let written: Option<Value> = serde_json::from_str(first).ok();
    let Some(written) = written.filter(|written| written.get("tuning").is_some()) else {
        return Err(Error::data("this is not the record of a search"));
    };
    if written != *header {
        let differs = header.as_object().into_iter().flatten().find(|(name, value)| written.get(*name) != Some(*value));
        let what = differs.map_or_else(|| "its header".into(), |(name, _)| format!("`{name}`"));
        return Err(Error::usage(format!(
            "this is the record of another search ({what} differs); name another file, or remove this one"
        )));
    }
    for (number, line) in lines.enumerate() {
        let line: Line = serde_json::from_str(line).map_err(|cause| damaged(number + 2).because(cause))?;
        known.insert((line.group.clone(), line.trial, line.fold), line);
    }
    Ok(known)
}
