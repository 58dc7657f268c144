//! Runs in a folder or on a server, by the crate `tradewind-track`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use polars::prelude::{Column, DataFrame};
use serde_json::json;
use tradewind_track::{Dataset, Filter, Metric, Record, Run, RunInfo, Status, Synced, Tracker, Version};

use super::{CHAMPION, Data, FOLDER, Registered, Told};
use crate::error::{Error, Result};
use crate::show::words::counted;
use crate::show::{Block, Show, Table, number};

/// Runs shown at once.
const SHOWN: usize = 20;
/// The metrics of a list, where a run has them.
const LISTED: [&str; 3] = ["mase", "wape", "coverage80"];

impl From<tradewind_track::Error> for Error {
    fn from(error: tradewind_track::Error) -> Self {
        match error.is_usage() || error.is_missing() {
            true => Self::usage(error.to_string()),
            false => Self::io(error.to_string()),
        }
    }
}

/// Can runs be kept?
///
/// # Errors
/// In a build that leaves it out.
pub fn ready() -> Result<()> {
    Ok(())
}

/// Where runs are kept: a folder, or an MLflow server.
///
/// ```
/// use tradewind::prelude::*;
/// let home = tempfile::tempdir().unwrap();
/// let runs = Runs::at(Some(home.path().join("mlruns").to_str().unwrap()))?;
/// assert_eq!(runs.list(None, 10)?.rows(), 0);
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone)]
pub struct Runs(Tracker);

impl Runs {
    /// Those in a folder, or at the address of an MLflow server; where none is named those at `MLFLOW_TRACKING_URI`, else in the
    /// folder `mlruns`. A server is reached by MLflow's own variables: `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, or
    /// `MLFLOW_TRACKING_TOKEN`.
    ///
    /// # Errors
    /// When the place is neither; in a script, when it is a server or lies outside of the script's folders.
    pub fn at(place: Option<&str>) -> Result<Self> {
        if !crate::job::is_fenced() {
            return Ok(Self(Tracker::from_env(place, FOLDER)?));
        }
        let folder = place.unwrap_or(FOLDER);
        if folder.contains("://") {
            return Err(Error::usage("a script keeps runs in a folder; `tradewind runs sync` sends them to a server"));
        }
        crate::files::allowed(Path::new(folder))?;
        Ok(Self(Tracker::local(folder)?))
    }

    /// Where they are, without a password.
    pub fn home(&self) -> String {
        self.0.home()
    }

    /// Their folder on this machine: that of the runs, or of what is on its way to the server.
    pub fn folder(&self) -> PathBuf {
        self.0.folder().to_path_buf()
    }

    /// The latest runs, of all experiments or of one: when, what, how far, how good.
    ///
    /// # Errors
    /// When the place cannot be read.
    pub fn list(&self, experiment: Option<&str>, most: usize) -> Result<Table> {
        let filter = experiment.into_iter().fold(Filter::new(), Filter::experiment);
        let listing = self.0.runs(&filter)?;
        let count = listing.runs.len();
        let shown: Vec<Record> =
            listing.runs.into_iter().take(most).map(|info| self.0.run(&info.id)).collect::<Result<_, _>>()?;
        let of = |value: &dyn Fn(&Record) -> Option<String>| shown.iter().map(value).collect::<Vec<_>>();
        let mut columns = vec![
            Column::new("run".into(), of(&|run| Some(short(&run.info)))),
            Column::new("started".into(), of(&|run| Some(when(run.info.start)))),
            Column::new("name".into(), of(&|run| Some(run.info.name.clone()))),
            Column::new("status".into(), of(&|run| Some(status(&run.info)))),
        ];
        for name in LISTED {
            let values: Vec<Option<f64>> = shown.iter().map(|run| run.metrics.get(name).copied()).collect();
            if values.iter().any(Option::is_some) {
                columns.push(Column::new(name.into(), values));
            }
        }
        let mut title = format!("Runs in {}", self.home());
        if let Some(away) = listing.away {
            title = format!("{title} as far as they are known here: {away}");
        }
        if !listing.unreadable.is_empty() {
            let (folder, why) = &listing.unreadable[0];
            let many = counted(listing.unreadable.len(), "run cannot", "runs cannot");
            title = format!("{title}; {many} be read (first: {folder}: {why})");
        }
        Ok(Table::new(DataFrame::new(shown.len(), columns)?).titled(title).of_rows(count))
    }

    /// The whole identifier of a run of which the beginning is known.
    fn whole(&self, start: &str) -> Result<String> {
        if start.len() >= 32 {
            return Ok(start.to_string());
        }
        let runs = self.0.runs(&Filter::new())?.runs;
        let is_meant = |info: &&RunInfo| {
            info.id.starts_with(start) || info.server_id.as_ref().is_some_and(|id| id.starts_with(start))
        };
        let found: Vec<&RunInfo> = runs.iter().filter(is_meant).collect();
        match found.as_slice() {
            _ if start.is_empty() => Err(Error::usage("a run is named by the beginning of its identifier")),
            [one] => Ok(one.id.clone()),
            [] => Err(Error::usage(format!(
                "no run in {} begins with `{start}`; `tradewind runs list` shows them",
                self.home()
            ))),
            many => {
                Err(Error::usage(format!("{} runs begin with `{start}`; name one by more of its letters", many.len())))
            }
        }
    }

    /// All that is known of a run, which is named by its identifier or the beginning of it: a row for each setting, score, data set,
    /// note and file.
    ///
    /// # Errors
    /// When there is no such run, or several begin so.
    pub fn show(&self, run: &str) -> Result<Table> {
        let id = self.whole(run)?;
        let Record { info, params, metrics, tags, inputs } = self.0.run(&id)?;
        let mut rows: Vec<(&str, String, String)> = Vec::new();
        rows.extend(params.into_iter().map(|(name, value)| ("setting", name, value)));
        rows.extend(metrics.into_iter().map(|(name, value)| ("score", name, number(value))));
        rows.extend(inputs.into_iter().map(|data| ("data", data.name, data.digest)));
        let told = |(name, _): &(String, String)| !name.starts_with("mlflow.");
        rows.extend(tags.into_iter().filter(told).map(|(name, value)| ("note", name, value)));
        let files = self.0.artifacts(&id)?;
        rows.extend(files.into_iter().map(|file| ("file", file.path, format!("{} bytes", number(file.size as f64)))));
        let title = format!("Run {id}: {}, {}, started {}", info.name, status(&info), when(info.start));
        let columns = vec![
            Column::new("what".into(), rows.iter().map(|row| row.0).collect::<Vec<_>>()),
            Column::new("name".into(), rows.iter().map(|row| row.1.as_str()).collect::<Vec<_>>()),
            Column::new("value".into(), rows.iter().map(|row| row.2.as_str()).collect::<Vec<_>>()),
        ];
        Ok(Table::new(DataFrame::new(rows.len(), columns)?).titled(title))
    }

    /// Runs side by side: the settings that differ, and every metric.
    ///
    /// # Errors
    /// When there are fewer than two, or one is not there.
    pub fn compare(&self, runs: &[&str]) -> Result<Table> {
        if runs.len() < 2 {
            return Err(Error::usage("two runs or more are compared"));
        }
        let ids = runs.iter().map(|run| self.whole(run)).collect::<Result<Vec<_>>>()?;
        let found = self.0.compare(&ids.iter().map(String::as_str).collect::<Vec<_>>())?;
        let rows = found.params.len() + found.metrics.len();
        let names = found.params.iter().map(|row| &row.0).chain(found.metrics.iter().map(|row| &row.0));
        let mut columns = vec![Column::new("what".into(), names.map(String::as_str).collect::<Vec<_>>())];
        for (place, run) in found.runs.iter().enumerate() {
            let params = found.params.iter().map(|(_, values)| values[place].clone());
            let metrics = found.metrics.iter().map(|(_, values)| values[place].map(number));
            let name = format!("{} {}", short(run), run.name);
            columns.push(Column::new(name.into(), params.chain(metrics).collect::<Vec<_>>()));
        }
        Ok(Table::new(DataFrame::new(rows, columns)?).titled("Settings that differ, and scores"))
    }

    /// Sends to the server what it does not have, once; says what was sent.
    ///
    /// # Errors
    /// When the server is away, refuses who we are, or has refused a part.
    pub fn send(&self) -> Result<String> {
        let report = self.0.sync()?;
        let said = sent(&report);
        if let Some(error) = report.stopped {
            return Err(Error::from(error).within(said));
        }
        match report.refused.as_slice() {
            [] => Ok(said),
            [first, ..] => Err(Error::io(format!(
                "{said}; {} of {} refused (first: {} of {}: {})",
                report.refused.len(),
                self.home(),
                first.item,
                first.of,
                first.why
            ))),
        }
    }

    /// Copies a file of a run, or all below a folder of it, into a folder.
    ///
    /// # Errors
    /// When there is no such run or file, or it cannot be written.
    pub fn download(&self, run: &str, path: &str, folder: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        crate::files::allowed(folder.as_ref())?;
        Ok(self.0.download(&self.whole(run)?, path, folder)?)
    }

    fn begin(&self, told: &Told) -> Result<Run> {
        let tags: Vec<(&str, &str)> = told.tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let began = told.began.unwrap_or_else(SystemTime::now);
        Ok(self.0.start_at(&told.experiment, &told.name, &tags, began)?)
    }

    /// Keeps a run that is over; its identifier.
    pub(crate) fn record(&self, told: Told) -> Result<String> {
        let id = end(self.begin(&told)?, told)?;
        self.flush();
        Ok(id)
    }

    /// Sends what waits for the server. One that is away is no failure of the run: what it lacks is sent later, which is said.
    fn flush(&self) {
        let waits = match self.0.sync() {
            Ok(report) => report.stopped.map(|error| error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = waits {
            let later =
                format!("{why}; what it lacks waits in {}: `tradewind runs sync` sends it", self.folder().display());
            crate::progress::remark(&self.home(), std::iter::once(&later));
        }
    }

    /// Begins a search, whose trials are runs of their own below it.
    pub(crate) fn trials(&self, told: Told) -> Result<Trials> {
        Ok(Trials {
            runs: self.clone(),
            parent: self.begin(&told)?,
            children: Mutex::default(),
            failed: Mutex::default(),
        })
    }

    /// Registers a file of a run as the next version of a model.
    ///
    /// # Errors
    /// When there is no such run, or the server refuses the name.
    pub fn register(&self, model: &str, run: &str, path: &str, notes: &[(&str, &str)]) -> Result<Registered> {
        Ok(self.0.register(model, &self.whole(run)?, path, notes)?.into())
    }

    /// Gives a version an alias, which leaves the version that had it.
    ///
    /// # Errors
    /// When there is no such version.
    pub fn alias(&self, model: &str, alias: &str, version: u32) -> Result<()> {
        Ok(self.0.alias(model, alias, version)?)
    }

    /// The version of a model that forecasts; none before the first was promoted.
    ///
    /// # Errors
    /// When the place cannot be read.
    pub fn champion(&self, model: &str) -> Result<Option<Registered>> {
        Ok(self.versions(model)?.into_iter().find(|version| version.aliases.iter().any(|alias| alias == CHAMPION)))
    }

    /// The versions of a model, the latest first; none where there is no such model.
    ///
    /// # Errors
    /// When the place cannot be read.
    pub fn versions(&self, model: &str) -> Result<Vec<Registered>> {
        match self.0.versions(model) {
            Ok(mut versions) => {
                versions.sort_by_key(|version| std::cmp::Reverse(version.number));
                Ok(versions.into_iter().map(Registered::from).collect())
            }
            Err(error) if error.is_missing() => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Runs {
    /// Every version of a model, the latest first: its aliases, which model it is, which version it replaced and why, and its run.
    ///
    /// # Errors
    /// When the place cannot be read.
    pub fn promotions(&self, model: &str) -> Result<Table> {
        let versions = self.versions(model)?;
        let note = |name: &str| {
            let of = |version: &Registered| version.note(name).unwrap_or_default().to_string();
            versions.iter().map(of).collect::<Vec<_>>()
        };
        let columns = vec![
            Column::new("version".into(), versions.iter().map(|one| u64::from(one.version)).collect::<Vec<_>>()),
            Column::new("alias".into(), versions.iter().map(|one| one.aliases.join(", ")).collect::<Vec<_>>()),
            Column::new("model".into(), note("model")),
            Column::new("replaced".into(), note("replaced")),
            Column::new("why".into(), note("why")),
            Column::new("run".into(), versions.iter().map(|one| one.run.as_str()).collect::<Vec<_>>()),
        ];
        Ok(Table::new(DataFrame::new(versions.len(), columns)?).titled(format!("Versions of {model}")))
    }
}

impl Show for Runs {
    fn block(&self) -> Block {
        match self.list(None, SHOWN) {
            Ok(table) => Block::Table(table),
            Err(error) => Block::Text(error.to_string()),
        }
    }
}

crate::show::noun!(Runs);

impl From<Version> for Registered {
    fn from(version: Version) -> Self {
        Self {
            model: version.model,
            version: version.number,
            run: version.run_id.unwrap_or_default(),
            aliases: version.aliases,
            notes: version.tags.into_iter().collect(),
            created: version.created,
        }
    }
}

/// The trials of a search while it goes on: a run for each, below the run of the search.
pub struct Trials {
    runs: Runs,
    parent: Run,
    children: Mutex<HashMap<String, Run>>,
    /// The first thing that went wrong: tracking does not stop a search.
    failed: Mutex<Option<Error>>,
}

impl Trials {
    /// A trial was scored on a fold, or failed there.
    pub(crate) fn scored(&self, trial: &str, model: &str, fold: usize, seconds: f64, score: Result<f64, &str>) {
        if let Err(error) = self.score(trial, model, fold, seconds, score) {
            self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }

    fn score(&self, trial: &str, model: &str, fold: usize, seconds: f64, score: Result<f64, &str>) -> Result<()> {
        // Held to the end: two folds of a trial may be told at once.
        let mut children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        let child = match children.get(trial) {
            Some(child) => child.clone(),
            None => {
                // Of the first fold it is told when that is over.
                let before = Duration::try_from_secs_f64(seconds).unwrap_or_default();
                let child = self.parent.child_at(trial, SystemTime::now() - before)?;
                let (_, options) = crate::options::split(model)?;
                let options = options.into_iter().map(|(name, value)| (name, text(&value)));
                child.params([("model".to_string(), model.to_string())].into_iter().chain(options))?;
                children.insert(trial.into(), child.clone());
                child
            }
        };
        let step = fold as i64;
        match score {
            Ok(score) => {
                child.metrics([Metric::now("score", score).at(step), Metric::now("seconds", seconds).at(step)])?
            }
            Err(why) => child.tags([("failure", why)])?,
        }
        Ok(())
    }

    /// Ends the search and its trials; the identifier of its run.
    pub(crate) fn finish(self, told: Told) -> Result<String> {
        for child in self.children.into_inner().unwrap_or_else(PoisonError::into_inner).into_values() {
            child.finish(Status::Finished)?;
        }
        let id = end(self.parent, told)?;
        self.runs.flush();
        match self.failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(id),
        }
    }
}

/// Tells all of a run that is over.
fn end(run: Run, told: Told) -> Result<String> {
    run.params(told.params)?;
    run.metrics(told.metrics.into_iter().map(|(name, value, step)| Metric::now(name, value).at(step)))?;
    if let Some(data) = &told.data {
        run.input(&dataset(data))?;
    }
    for (place, file) in &told.files {
        run.artifact_file(place, file)?;
    }
    let id = run.id().to_string();
    run.finish(match &told.failed {
        None => Status::Finished,
        Some(error) => {
            run.tags([("failure", error.to_string())])?;
            if error.is_interrupted() { Status::Killed } else { Status::Failed }
        }
    })?;
    Ok(id)
}

fn dataset(data: &Data) -> Dataset {
    let columns: Vec<_> =
        data.columns.iter().map(|(name, kind)| json!({"type": kind, "name": name, "required": true})).collect();
    Dataset {
        name: data.name.clone(),
        digest: data.digest.clone(),
        source_type: "local".into(),
        source: json!({"uri": data.source}).to_string(),
        schema: Some(json!({"mlflow_colspec": columns}).to_string()),
        profile: Some(json!({"num_rows": data.rows, "num_series": data.series}).to_string()),
        context: Some("training".into()),
    }
}

/// A value as it is typed.
fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), String::from)
}

/// The letters of an identifier that are shown: the server's own, once it has one.
fn short(run: &RunInfo) -> String {
    run.server_id.as_ref().unwrap_or(&run.id).chars().take(8).collect()
}

fn when(milliseconds: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(milliseconds)
        .map_or_else(|| "–".into(), |at| at.format("%Y-%m-%d %H:%M UTC").to_string())
}

fn status(info: &RunInfo) -> String {
    info.status.name().to_lowercase()
}

/// What was sent, in words.
fn sent(report: &Synced) -> String {
    let parts = [
        counted(report.params, "setting", "settings"),
        counted(report.metrics, "value", "values"),
        counted(report.artifacts, "file", "files"),
        counted(report.versions, "model version", "model versions"),
    ];
    let rest = match report.pending {
        0 => String::new(),
        n => format!("; {} to be sent", counted(n, "run is still", "runs are still")),
    };
    format!("{} sent, with {}{rest}", counted(report.runs, "run", "runs"), parts.join(", "))
}
