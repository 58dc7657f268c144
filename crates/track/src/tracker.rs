//! Where are runs recorded? In a folder, or on an MLflow server by way of a folder.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use percent_encoding::percent_decode_str;

use crate::disk;
use crate::error::{Error, Result};
use crate::journal::{Change, Entry, Known};
use crate::keys;
use crate::net::{Net, Secrets, ServerOptions};
use crate::run::Run;
use crate::send::{Refusal, Remote, Synced, held};
use crate::store::{self, Store};
use crate::types::{PARENT, Version};
use crate::worker::Bell;

/// A home of runs: a folder in MLflow's layout, or a server with an outbox in front of it.
///
/// Clones share everything. With a server, each verb that writes is done once the outbox has it; a thread sends it on,
/// and [`sync`](Self::sync) sends what is left. Call it before the program ends.
///
/// ```
/// use tradewind_track::{Filter, Metric, Status, Tracker};
/// # let folder = tempfile::tempdir().unwrap();
/// let tracker = Tracker::local(folder.path().join("mlruns"))?;
/// let run = tracker.start("backtests", "theta", &[("market", "north")])?;
/// run.params([("season", "52")])?;
/// run.metrics([Metric::now("rmse", 12.5)])?;
/// run.finish(Status::Finished)?;
/// let found = tracker.runs(&Filter::new().experiment("backtests"))?;
/// assert_eq!(found.runs[0].name, "theta");
/// assert_eq!(tracker.run(run.id())?.metrics["rmse"], 12.5);
/// # Ok::<(), tradewind_track::Error>(())
/// ```
#[derive(Clone)]
pub struct Tracker(Arc<Inner>);

struct Inner {
    store: Store,
    remote: Option<(Arc<Remote>, Bell)>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some((_, bell)) = &self.remote {
            bell.close();
        }
    }
}

impl std::fmt::Debug for Tracker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tracker({})", self.home())
    }
}

impl Tracker {
    /// Runs in a folder, which is made when something is first written.
    ///
    /// # Errors
    /// If no folder is named, or it is a file.
    pub fn local(folder: impl AsRef<Path>) -> Result<Self> {
        Ok(Self(Arc::new(Inner { store: Store::at(folder.as_ref())?, remote: None })))
    }

    /// Runs on an MLflow server; all is written to the folder `outbox` first.
    ///
    /// Who we are is taken from `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, or `MLFLOW_TRACKING_TOKEN`, or
    /// from `user:password@` in the address, which is told to nobody else. No request is made yet.
    ///
    /// # Errors
    /// If the address is none, or a file of certificates cannot be read.
    pub fn server(url: &str, outbox: impl AsRef<Path>) -> Result<Self> {
        Self::server_with(url, outbox, ServerOptions::default())
    }

    /// As [`server`](Self::server), with other limits.
    ///
    /// # Errors
    /// As for [`server`](Self::server).
    pub fn server_with(url: &str, outbox: impl AsRef<Path>, options: ServerOptions) -> Result<Self> {
        Self::with_secrets(url, outbox.as_ref(), options, Secrets::from_env())
    }

    pub(crate) fn with_secrets(url: &str, outbox: &Path, options: ServerOptions, secrets: Secrets) -> Result<Self> {
        let store = Store::at(outbox)?;
        let remote = Arc::new(Remote::new(Net::new(url, secrets, options)?, store.clone()));
        let bell = Bell::start(&remote);
        Ok(Self(Arc::new(Inner { store, remote: Some((remote, bell)) })))
    }

    /// The home that `explicit` names, a folder, `file://…` or the address of a server; else the one that
    /// `MLFLOW_TRACKING_URI` names; else the folder `local`. A server's outbox is the folder `local` with `-outbox`.
    ///
    /// # Errors
    /// If what is named is neither a folder nor the address of a server, such as a database.
    pub fn from_env(explicit: Option<&str>, local: impl AsRef<Path>) -> Result<Self> {
        let named = |text: &String| !text.trim().is_empty();
        let variable = || std::env::var("MLFLOW_TRACKING_URI").ok();
        let mut options = ServerOptions::default();
        let seconds = std::env::var("MLFLOW_HTTP_REQUEST_TIMEOUT").ok().and_then(|text| text.parse().ok());
        options.timeout = seconds.map_or(options.timeout, Duration::from_secs);
        Self::choose(
            explicit.map(str::to_owned).filter(named).or_else(|| variable().filter(named)),
            local.as_ref(),
            options,
        )
    }

    fn choose(place: Option<String>, local: &Path, options: ServerOptions) -> Result<Self> {
        let Some(place) = place else { return Self::local(local) };
        match place.split_once(':') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => {
                let path = rest.strip_prefix("//localhost/").map(|path| format!("/{path}"));
                let path = path.unwrap_or_else(|| rest.strip_prefix("//").unwrap_or(rest).to_owned());
                Self::local(percent_decode_str(&path).decode_utf8_lossy().as_ref())
            }
            Some((scheme, _)) if ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
                let mut outbox = local.as_os_str().to_owned();
                outbox.push("-outbox");
                Self::server_with(&place, Path::new(&outbox), options)
            }
            // A letter alone is a drive.
            Some((scheme, _)) if place.contains("://") || (scheme.len() > 1 && place == "databricks") => {
                Err(Error::usage(format!(
                    "runs cannot be kept at `{scheme}:…`: name a folder, or the address of an MLflow server (http or https)"
                )))
            }
            _ => Self::local(place),
        }
    }

    /// Where runs are kept, as a person reads it.
    pub fn home(&self) -> String {
        match &self.0.remote {
            Some((remote, _)) => remote.net.base().to_owned(),
            None => self.0.store.root().display().to_string(),
        }
    }

    /// The folder on this machine: that of the runs, or of what is on its way to the server.
    pub fn folder(&self) -> &Path {
        self.0.store.root()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn remote(&self) -> Option<&Remote> {
        self.0.remote.as_ref().map(|(remote, _)| &**remote)
    }

    /// Has a run news to be sent?
    pub(crate) fn ring(&self, run: &str) {
        if let Some((_, bell)) = &self.0.remote {
            bell.ring(run);
        }
    }

    /// Begins a run in an experiment, which is made, or brought back from the trash, if need be.
    ///
    /// # Errors
    /// If the experiment has no possible name, or the disk refuses.
    pub fn start(&self, experiment: &str, name: &str, tags: &[(&str, &str)]) -> Result<Run> {
        self.start_at(experiment, name, tags, SystemTime::now())
    }

    /// As [`Tracker::start`], of a run that began earlier: one that is told of when it is over.
    ///
    /// # Errors
    /// Those of [`Tracker::start`].
    pub fn start_at(&self, experiment: &str, name: &str, tags: &[(&str, &str)], began: SystemTime) -> Result<Run> {
        let experiment = self.store().experiment(experiment)?;
        let user = store::user();
        let whose = [("mlflow.user", user.as_str()), ("mlflow.source.type", "LOCAL")];
        let mut all: Vec<(String, String)> = Vec::new();
        for (key, value) in whose.iter().chain(tags) {
            all.push(((*key).to_owned(), (*value).to_owned()));
        }
        self.begin(&experiment, name, &all, disk::millis(began))
    }

    pub(crate) fn begin(&self, experiment: &str, name: &str, tags: &[(String, String)], began: i64) -> Result<Run> {
        let id = disk::new_id();
        if let Some(remote) = self.remote() {
            remote.journal.note(&[Entry::Open { run: id.clone() }])?;
        }
        let place = self.store().create_run(experiment, &id, name, tags, began)?;
        self.ring(&id);
        Ok(Run::new(self.clone(), place, true))
    }

    /// A run to go on with, by its identifier here or on the server.
    ///
    /// # Errors
    /// If there is no such run, or only the server has it and is away.
    pub fn resume(&self, id: &str) -> Result<Run> {
        if let Some(place) = self.store().find_run(id)? {
            return Ok(Run::new(self.clone(), place, false));
        }
        let Some(remote) = self.remote() else {
            return self.store().run(id).map(|place| Run::new(self.clone(), place, false));
        };
        if let Some(local) = remote.journal.look(|state| state.locals.get(id).cloned())? {
            return self.store().run(&local).map(|place| Run::new(self.clone(), place, false));
        }
        // Known to the server alone: from now on its news go through the outbox as well.
        let (found, experiment) = remote.foreign(id)?;
        let experiment = self.store().experiment(&experiment)?;
        let mut tags = vec![];
        tags.extend(found.record.info.parent.map(|parent| (PARENT.to_owned(), parent)));
        let created = Entry::Created { run: id.to_owned(), server: id.to_owned(), artifacts: found.artifacts };
        remote.journal.note(&[Entry::Open { run: id.to_owned() }, created])?;
        let place = self.store().create_run(&experiment, id, &found.record.info.name, &tags, disk::now())?;
        Ok(Run::new(self.clone(), place, false))
    }

    /// Sends everything that the server does not have, and says what was sent; a folder has nothing to send.
    ///
    /// It may be called as often as one likes, by several processes, and after any crash: nothing is sent twice so that it
    /// shows. A server that is away ends it with `stopped`; what it refuses is in `refused` and does not hold up the rest.
    ///
    /// # Errors
    /// If the outbox cannot be read or written.
    pub fn sync(&self) -> Result<Synced> {
        let Some((remote, bell)) = &self.0.remote else { return Ok(Synced::default()) };
        let report = Mutex::new(Synced::default());
        let retries = remote.net.options().retries;
        if remote.store.root().is_dir() {
            let _alone = remote.alone()?;
            let before = self.refusals()?;
            remote.ship_all(remote.unsent()?, retries, &report);
            if held(&report).stopped.is_none()
                && let Err(error) = remote.deliver(retries, &report)
            {
                if !error.is_away() && !error.is_denied() {
                    return Err(error);
                }
                held(&report).stopped = Some(error);
            }
            let mut report = held(&report);
            for old in before {
                if !report.refused.iter().any(|new| new.of == old.of && new.item == old.item) {
                    report.refused.push(old);
                }
            }
        }
        let report = report.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        if report.stopped.is_none() {
            bell.wake();
        }
        Ok(report)
    }

    /// What the server has refused until now.
    fn refusals(&self) -> Result<Vec<Refusal>> {
        let Some(remote) = self.remote() else { return Ok(Vec::new()) };
        remote.journal.look(|state| {
            let of_runs = state.runs.iter().flat_map(|(run, Known { refused, .. })| {
                refused.iter().map(|(item, why)| Refusal { of: run.clone(), item: item.clone(), why: why.clone() })
            });
            let of_models = state.changes.iter().filter_map(|(_, change, fate)| match fate {
                crate::journal::Fate::Declined(why) => {
                    let (of, item) = change.name();
                    Some(Refusal { of, item, why: why.clone() })
                }
                _ => None,
            });
            of_runs.chain(of_models).collect()
        })
    }

    /// Registers what a run has at a place of its artifacts as the next version of a model, which is made if need be.
    ///
    /// With a server that is away, the version is kept in the outbox with a provisional number, which
    /// [`alias`](Self::alias) takes, and which leads to the server's own once it has been sent.
    ///
    /// # Errors
    /// If the run is unknown, the model has no possible name, or the server refuses.
    pub fn register(&self, model: &str, run: &str, path: &str, tags: &[(&str, &str)]) -> Result<Version> {
        let path = keys::artifact_path(path)?;
        keys::check_model(model)?;
        let tags: Vec<(String, String)> =
            tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let Some(remote) = self.remote() else {
            let place = self.store().run(run)?;
            let source = format!("{}/{path}", store::address(&place.artifact_folder()?));
            return self.store().register(model, run, &source, &tags, false);
        };
        let run = remote.journal.look(|state| state.locals.get(run).cloned())?.unwrap_or_else(|| run.to_owned());
        if self.store().find_run(&run)?.is_none() {
            remote.foreign(&run)?;
        }
        let version = self.store().register(model, &run, &format!("runs:/{run}/{path}"), &tags, true)?;
        let change = Change::Register { model: model.to_owned(), number: version.number, run: run.clone(), path };
        if remote.ask(change)? {
            self.ring(&run);
        }
        match remote.number(model, version.number) {
            Ok(number) => Ok(Version { number, ..version }),
            Err(_) => Ok(version),
        }
    }

    /// Lets an alias such as `champion` lead to a version of a model.
    ///
    /// # Errors
    /// If MLflow reserves the alias (`latest`, `v1`), or there is no such version.
    pub fn alias(&self, model: &str, alias: &str, version: u32) -> Result<()> {
        self.store().alias(model, alias, version, self.remote().is_some())?;
        let Some(remote) = self.remote() else { return Ok(()) };
        remote.ask(Change::Alias { model: model.to_owned(), alias: alias.to_owned(), number: version }).map(|_| ())
    }

    /// Removes an alias; one that is not there is no error.
    ///
    /// # Errors
    /// If the disk or the server refuses.
    pub fn unalias(&self, model: &str, alias: &str) -> Result<()> {
        self.store().unalias(model, alias)?;
        let Some(remote) = self.remote() else { return Ok(()) };
        remote.ask(Change::Unalias { model: model.to_owned(), alias: alias.to_owned() }).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_chosen_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let local = folder.path().join("mlruns");
        let home = |place: &str| Tracker::choose(Some(place.to_owned()), &local, ServerOptions::default());
        assert_eq!(
            Tracker::choose(None, &local, ServerOptions::default()).unwrap().home(),
            local.display().to_string()
        );
        assert_eq!(home("file:///a%20b/mlruns").unwrap().home(), "/a b/mlruns");
        assert_eq!(home("/a/b").unwrap().home(), "/a/b");
        assert_eq!(home("http://ann:s3cret@127.0.0.1:1/x/").unwrap().home(), "http://127.0.0.1:1/x"); // tree-check: allow
        for bad in ["sqlite:///a.db", "databricks://x", "http://"] {
            assert!(home(bad).unwrap_err().is_usage(), "{bad}");
        }
    }
}
