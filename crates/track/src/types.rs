//! What is a run made of, whichever home it has?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The tag by which MLflow nests a run under another.
pub(crate) const PARENT: &str = "mlflow.parentRunId";
/// The tag with a run's name.
pub(crate) const NAME: &str = "mlflow.runName";
/// The tag by which a run or a version is found again on the server.
pub(crate) const LOCAL_ID: &str = "tradewind.local_id";
/// What the tags with the original of a mended key begin with.
pub(crate) const ORIGINAL: &str = "tradewind.key.";

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// It goes on, or it was broken off and nobody has said so.
    Running,
    /// It waits for its turn.
    Scheduled,
    /// It is done.
    Finished,
    /// It went wrong.
    Failed,
    /// It was stopped.
    Killed,
}

impl Status {
    /// MLflow's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Scheduled => "SCHEDULED",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Killed => "KILLED",
        }
    }

    /// Has the run ended?
    pub fn is_end(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Killed)
    }

    /// The number that stands for it in a file.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Running => 1,
            Self::Scheduled => 2,
            Self::Finished => 3,
            Self::Failed => 4,
            Self::Killed => 5,
        }
    }

    const ALL: [Self; 5] = [Self::Running, Self::Scheduled, Self::Finished, Self::Failed, Self::Killed];

    /// As MLflow does, it takes what it does not know for a run that goes on.
    pub(crate) fn of_number(number: i64) -> Self {
        Self::ALL.into_iter().find(|status| status.number() == number).unwrap_or(Self::Running)
    }

    pub(crate) fn of_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|status| status.name() == name).unwrap_or(Self::Running)
    }
}

/// One measured value.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// What was measured, such as `rmse`.
    pub key: String,
    /// The value; not a number and infinity are kept as such.
    pub value: f64,
    /// The step that it belongs to, such as the epoch or the fold.
    pub step: i64,
    /// Milliseconds since 1970.
    pub time: i64,
}

impl Metric {
    /// A value at step 0, measured now.
    pub fn now(key: impl Into<String>, value: f64) -> Self {
        Self { key: key.into(), value, step: 0, time: crate::disk::now() }
    }

    /// The same at another step.
    #[must_use]
    pub fn at(self, step: i64) -> Self {
        Self { step, ..self }
    }

    /// What a line of the folder layout says, or `None` if it says nothing of the kind.
    pub(crate) fn of_line(key: &str, line: &str) -> Option<Self> {
        let parts: Vec<&str> = line.split(' ').collect();
        let (time, value) = (parts.first()?.parse().ok()?, parts.get(1)?.parse().ok()?);
        // The layout has 2, 3 or 5 fields; only the third form of them has no step.
        let step = if parts.len() == 3 { parts.get(2)?.parse().ok()? } else { 0 };
        matches!(parts.len(), 2 | 3 | 5).then(|| Self { key: key.to_owned(), value, step, time })
    }

    /// The order in which MLflow takes the latest: by step, then time, then value.
    pub(crate) fn is_later(&self, other: &Self) -> bool {
        (self.step, self.time) > (other.step, other.time)
            || ((self.step, self.time) == (other.step, other.time) && self.value > other.value)
    }
}

/// Data that a run has read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dataset {
    /// What it is called.
    pub name: String,
    /// A fingerprint of its content, at most 36 characters.
    pub digest: String,
    /// What kind of place it comes from: `local`, `http`, `code` …
    pub source_type: String,
    /// The place, as a path, an address or JSON.
    pub source: String,
    /// Its columns, as JSON in MLflow's form.
    pub schema: Option<String>,
    /// Its size and statistics, as JSON.
    pub profile: Option<String>,
    /// What it was read for: `training`, `validation`, `testing` …
    pub context: Option<String>,
}

impl Dataset {
    pub(crate) fn check(&self) -> Result<()> {
        let long = |text: &str, limit: usize| text.chars().count() > limit;
        if self.name.is_empty() || long(&self.name, 500) {
            return Err(Error::usage("a dataset needs a name of 1 to 500 characters"));
        }
        if self.digest.is_empty() || long(&self.digest, 36) {
            return Err(Error::usage(format!("the dataset `{}` needs a digest of 1 to 36 characters", self.name)));
        }
        Ok(())
    }
}

/// What a list tells of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInfo {
    /// By what it is found here.
    pub id: String,
    /// By what the server knows it, once it does.
    pub server_id: Option<String>,
    /// The number of its experiment.
    pub experiment_id: String,
    /// What it is called.
    pub name: String,
    /// How far it has come.
    pub status: Status,
    /// When it began, in milliseconds since 1970.
    pub start: i64,
    /// When it ended.
    pub end: Option<i64>,
    /// The run that it belongs to.
    pub parent: Option<String>,
}

/// All that is known of a run but the histories of its metrics and its artifacts.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What a list tells of it.
    pub info: RunInfo,
    /// What it was told to do.
    pub params: BTreeMap<String, String>,
    /// The latest value of each metric.
    pub metrics: BTreeMap<String, f64>,
    /// What is noted of it.
    pub tags: BTreeMap<String, String>,
    /// What it has read.
    pub inputs: Vec<Dataset>,
}

/// Runs, the latest first.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Those that fit.
    pub runs: Vec<RunInfo>,
    /// Runs that cannot be read: their folder, and why.
    pub unreadable: Vec<(String, String)>,
    /// Why the list is that of the outbox alone, where the server is away.
    pub away: Option<Error>,
}

/// Which runs?
///
/// ```
/// use tradewind_track::{Filter, Status};
/// let best = Filter::new().experiment("backtests").status(Status::Finished).tag("market", "north").limit(10);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub(crate) experiment: Option<String>,
    pub(crate) parent: Option<String>,
    pub(crate) status: Option<Status>,
    pub(crate) name: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) limit: Option<usize>,
}

impl Filter {
    /// All runs of all experiments.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those of one experiment, by its name.
    #[must_use]
    pub fn experiment(mut self, name: impl Into<String>) -> Self {
        self.experiment = Some(name.into());
        self
    }

    /// Those nested under a run.
    #[must_use]
    pub fn parent(mut self, run: impl Into<String>) -> Self {
        self.parent = Some(run.into());
        self
    }

    /// Those that have come so far.
    #[must_use]
    pub fn status(mut self, status: Status) -> Self {
        self.status = Some(status);
        self
    }

    /// Those of a name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Those with this tag.
    #[must_use]
    pub fn tag(mut self, key: &str, value: impl Into<String>) -> Self {
        self.tags.push((crate::mended_key(key).into_owned(), value.into()));
        self
    }

    /// Those with this param.
    #[must_use]
    pub fn param(mut self, key: &str, value: impl Into<String>) -> Self {
        self.params.push((crate::mended_key(key).into_owned(), value.into()));
        self
    }

    /// At most so many.
    #[must_use]
    pub fn limit(mut self, runs: usize) -> Self {
        self.limit = Some(runs);
        self
    }

    pub(crate) fn takes(&self, info: &RunInfo) -> bool {
        self.status.is_none_or(|status| status == info.status)
            && self.name.as_ref().is_none_or(|name| *name == info.name)
            && self.parent.as_ref().is_none_or(|parent| info.parent.as_ref() == Some(parent))
    }
}

/// A version of a registered model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The name of the model.
    pub model: String,
    /// Its number; one above a million stands for a number that the server has yet to give.
    pub number: u32,
    /// The run that made it.
    pub run_id: Option<String>,
    /// Where its files are.
    pub source: String,
    /// What is noted of it.
    pub tags: BTreeMap<String, String>,
    /// The aliases that lead to it.
    pub aliases: Vec<String>,
    /// When it was registered, in milliseconds since 1970.
    pub created: i64,
}

/// Above it, numbers of versions are those of versions that the server does not have yet.
pub(crate) const PROVISIONAL: u32 = 1_000_000;

impl Version {
    /// Does the server still have to be told?
    pub fn is_pending(&self) -> bool {
        self.number > PROVISIONAL
    }
}

/// A file of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Its place below the run's artifacts.
    pub path: String,
    /// Its length in bytes.
    pub size: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_line_is_read_as_it_was_written(time in 0_i64.., value: f64, step: i64) {
            let read = Metric::of_line("m", &format!("{time} {value:?} {step}")).unwrap();
            proptest::prop_assert!(read.value == value || (read.value.is_nan() && value.is_nan()));
            proptest::prop_assert_eq!((read.time, read.step), (time, step));
        }

        #[test]
        fn any_line_is_read_or_left_out(line in "[0-9a-z. -]{0,20}") {
            let _ = Metric::of_line("m", &line);
        }
    }
}
