//! How is read what was recorded, wherever it is?
//!
//! With a server, it is asked; while it is away, what the outbox has stands in. Runs that it does not have yet come from
//! the outbox as well.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::api::ServerRun;
use crate::disk;
use crate::error::{Error, Result};
use crate::keys;
use crate::place::Place;
use crate::send::Remote;
use crate::tracker::Tracker;
use crate::types::{Artifact, Filter, Listing, Metric, Record, RunInfo, Version};

/// Runs side by side, a column each.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The runs, in the order in which they were asked for.
    pub runs: Vec<RunInfo>,
    /// Params that differ, with the value of each run.
    pub params: Vec<(String, Vec<Option<String>>)>,
    /// All metrics, with the latest value of each run.
    pub metrics: Vec<(String, Vec<Option<f64>>)>,
}

/// A run, where it can be read.
enum Found<'a> {
    Here(Place),
    There(&'a Remote, String),
}

impl Remote {
    /// A run that only the server knows, and the name of its experiment.
    pub(crate) fn foreign(&self, id: &str) -> Result<(ServerRun, String)> {
        let found = self.net.server_run(id).map_err(|error| match error.is_missing() {
            true => Error::missing(format!("the run `{id}` is neither here nor on the server {}", self.net.base())),
            false => error,
        })?;
        let name = self.net.experiment_name(&found.record.info.experiment_id)?;
        Ok((found, name))
    }

    fn runs(&self, filter: &Filter) -> Result<Vec<ServerRun>> {
        let experiments = match &filter.experiment {
            Some(name) => {
                let found = self.net.experiment_named(name)?.filter(|(_, is_active)| *is_active);
                found.map(|(id, _)| id).into_iter().collect()
            }
            None => self.net.experiments()?,
        };
        if experiments.is_empty() {
            return Ok(Vec::new());
        }
        let parent = match &filter.parent {
            Some(parent) => Some(self.server_id(parent)?.unwrap_or_else(|| parent.clone())),
            None => None,
        };
        let mut parts = Vec::new();
        // A text that holds what it would be quoted by is compared here alone.
        let mut add = |what: &str, value: &str| {
            if !value.contains(['\'', '"', '\\']) {
                parts.push(format!("{what} = '{value}'"));
            }
        };
        for (key, value) in &filter.tags {
            add(&format!("tags.`{key}`"), value);
        }
        for (key, value) in &filter.params {
            add(&format!("params.`{key}`"), value);
        }
        if let Some(parent) = &parent {
            add("tags.`mlflow.parentRunId`", parent);
        }
        if let Some(status) = filter.status {
            add("attributes.status", status.name());
        }
        let filter = Filter { parent, ..filter.clone() };
        let fits = |run: &ServerRun| {
            let has = |(key, value): &(String, String)| run.record.tags.get(key) == Some(value);
            let says = |(key, value): &(String, String)| run.record.params.get(key) == Some(value);
            run.is_active
                && filter.takes(&run.record.info)
                && filter.tags.iter().all(has)
                && filter.params.iter().all(says)
        };
        let limit = filter.limit.unwrap_or(usize::MAX);
        let mut runs = self.net.search_runs(&experiments, &parts.join(" and "), |runs| {
            limit < usize::MAX && runs.iter().filter(|run| fits(run)).count() >= limit
        })?;
        runs.retain(fits);
        runs.iter_mut().try_for_each(|run| self.localise(&mut run.record.info))?;
        Ok(runs)
    }

    /// Names the parent as the outbox does, if it knows it.
    fn localise(&self, info: &mut RunInfo) -> Result<()> {
        let Some(parent) = info.parent.take() else { return Ok(()) };
        let local = self.journal.look(|state| state.locals.get(&parent).cloned())?;
        info.parent = Some(local.unwrap_or(parent));
        Ok(())
    }

    /// The identifier on the server of a run in the outbox.
    fn server_id(&self, id: &str) -> Result<Option<String>> {
        self.journal.look(|state| Some(state.runs.get(id)?.server.as_ref()?.0.clone()))
    }
}

impl Tracker {
    /// The runs that a filter takes, the latest first.
    ///
    /// # Errors
    /// If the folder cannot be read, or the server lets nobody in.
    pub fn runs(&self, filter: &Filter) -> Result<Listing> {
        let mut here = match self.remote() {
            None => return self.store().runs(filter),
            Some(_) => self.store().runs(filter)?,
        };
        let Some(remote) = self.remote() else { return Ok(here) };
        for run in &mut here.runs {
            run.server_id = remote.server_id(&run.id)?;
        }
        match remote.runs(filter) {
            Ok(there) => {
                here.runs.retain(|run| run.server_id.is_none());
                here.runs.extend(there.into_iter().map(|run| run.record.info));
                here.runs.sort_by(|one, other| other.start.cmp(&one.start).then_with(|| one.id.cmp(&other.id)));
                here.runs.truncate(filter.limit.unwrap_or(usize::MAX));
                Ok(here)
            }
            Err(error) if error.is_away() => Ok(Listing { away: Some(error), ..here }),
            Err(error) => Err(error),
        }
    }

    fn find(&self, id: &str) -> Result<Found<'_>> {
        let Some(remote) = self.remote() else { return self.store().run(id).map(Found::Here) };
        if let Some(server) = remote.server_id(id)? {
            return Ok(Found::There(remote, server));
        }
        match self.store().find_run(id)? {
            Some(place) => Ok(Found::Here(place)),
            None => Ok(Found::There(remote, id.to_owned())),
        }
    }

    /// Reads from where a run is; from the outbox if the server is away.
    fn read<T>(
        &self,
        id: &str,
        there: impl FnOnce(&Remote, &str) -> Result<T>,
        here: impl FnOnce(&Place) -> Result<T>,
    ) -> Result<T> {
        match self.find(id)? {
            Found::Here(place) => here(&place),
            Found::There(remote, server) => match there(remote, &server) {
                Err(error) if error.is_away() => {
                    let local = remote.journal.look(|state| state.locals.get(&server).cloned())?;
                    let place = self.store().find_run(local.as_deref().unwrap_or(id))?;
                    place.map_or(Err(error), |place| here(&place))
                }
                done => done,
            },
        }
    }

    /// All that is known of a run, by its identifier here or on the server.
    ///
    /// # Errors
    /// If there is no such run, or it cannot be read.
    pub fn run(&self, id: &str) -> Result<Record> {
        let there = |remote: &Remote, server: &str| {
            let mut record = remote.net.server_run(server)?.record;
            remote.localise(&mut record.info)?;
            Ok(record)
        };
        self.read(id, there, Place::record)
    }

    /// All values of a metric, by step and time.
    ///
    /// # Errors
    /// If there is no such run, or it cannot be read.
    pub fn metric_history(&self, id: &str, key: &str) -> Result<Vec<Metric>> {
        let key = keys::mended_key(key);
        let mut history =
            self.read(id, |remote, server| remote.net.history(server, &key), |place| place.history(&key))?;
        history.sort_by_key(|metric| (metric.step, metric.time));
        Ok(history)
    }

    /// The files of a run.
    ///
    /// # Errors
    /// If there is no such run, or it cannot be read.
    pub fn artifacts(&self, id: &str) -> Result<Vec<Artifact>> {
        self.read(id, |remote, server| remote.net.artifacts(server), Place::artifacts)
    }

    /// Fetches a file of a run, or all below a folder of its artifacts, into `folder`, and says where they are.
    ///
    /// # Errors
    /// If the run has no such file, or the disk refuses.
    pub fn download(&self, id: &str, path: &str, folder: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        let path = keys::artifact_path(path)?;
        let wanted = |artifacts: Vec<Artifact>| -> Result<Vec<String>> {
            let inside = format!("{path}/");
            let mut files: Vec<String> = artifacts.into_iter().map(|artifact| artifact.path).collect();
            files.retain(|file| *file == path || file.starts_with(&inside));
            if files.is_empty() {
                return Err(Error::missing(format!("the run {id} has no artifact `{path}`")));
            }
            // Names come from a server: they stay below the folder.
            files.iter().map(|file| keys::artifact_path(file)).collect()
        };
        let folder = folder.as_ref();
        disk::folder(folder)?;
        let here = |place: &Place| {
            let from = place.artifact_folder()?;
            let files = wanted(place.artifacts()?)?.into_iter();
            let fetch = |file: String| {
                let target = folder.join(&file);
                disk::copy(folder, &from.join(&file), &target).map(|()| target)
            };
            files.map(fetch).collect()
        };
        let there = |remote: &Remote, server: &str| {
            let uri = remote.net.server_run(server)?.artifacts;
            let files = wanted(remote.net.artifacts(server)?)?.into_iter();
            let fetch = |file: String| {
                let target = folder.join(&file);
                let body = remote.net.bytes(&remote.net.artifact_path(&uri, &file)?)?;
                let mut reader = body.into_reader();
                disk::fill(folder, &target, |temporary| {
                    std::io::copy(&mut reader, &mut File::create(temporary)?).map(|_| ())
                })?;
                Ok(target)
            };
            files.map(fetch).collect()
        };
        self.read(id, there, here)
    }

    /// Runs side by side: the params in which they differ, and all metrics.
    ///
    /// # Errors
    /// If one of the runs cannot be read.
    pub fn compare(&self, ids: &[&str]) -> Result<Comparison> {
        let records: Vec<Record> = ids.iter().map(|id| self.run(id)).collect::<Result<_>>()?;
        let keys: BTreeSet<&String> = records.iter().flat_map(|record| record.params.keys()).collect();
        let params = keys.into_iter().map(|key| {
            let values: Vec<Option<String>> = records.iter().map(|record| record.params.get(key).cloned()).collect();
            (key.clone(), values)
        });
        let differ = |values: &[Option<String>]| values.windows(2).any(|pair| pair.first() != pair.last());
        let params = params.filter(|(_, values)| differ(values)).collect();
        let keys: BTreeSet<&String> = records.iter().flat_map(|record| record.metrics.keys()).collect();
        let metrics = keys
            .into_iter()
            .map(|key| (key.clone(), records.iter().map(|record| record.metrics.get(key).copied()).collect()));
        let metrics = metrics.collect();
        Ok(Comparison { metrics, params, runs: records.into_iter().map(|record| record.info).collect() })
    }

    /// All versions of a model, the latest first.
    ///
    /// # Errors
    /// If the registry cannot be read.
    pub fn versions(&self, model: &str) -> Result<Vec<Version>> {
        keys::check_model(model)?;
        let Some(remote) = self.remote() else { return self.store().versions(model) };
        let asked =
            remote.net.search_versions(&format!("name='{}'", model.replace('\'', "\\'"))).and_then(|versions| {
                // A model without versions may be none.
                let aliases = if versions.is_empty() { Default::default() } else { remote.net.aliases(model)? };
                Ok((versions, aliases))
            });
        let here = self.store().versions(model)?;
        match asked {
            Ok((mut versions, aliases)) => {
                for version in &mut versions {
                    let lead = aliases.iter().filter(|(_, number)| **number == version.number);
                    version.aliases = lead.map(|(alias, _)| alias.clone()).collect();
                }
                versions.extend(here.into_iter().filter(|version| remote.number(model, version.number).is_err()));
                versions.sort_by_key(|version| std::cmp::Reverse(version.number));
                Ok(versions)
            }
            Err(error) if error.is_away() && !here.is_empty() => Ok(here),
            Err(error) => Err(error),
        }
    }

    /// The version of a model that an alias leads to.
    ///
    /// # Errors
    /// If the model has no such alias, or the server is away and the alias was not set from this outbox.
    pub fn version_by_alias(&self, model: &str, alias: &str) -> Result<Version> {
        keys::check_alias(alias)?;
        let Some(remote) = self.remote() else { return self.store().version_by_alias(model, alias) };
        let missing = || Error::missing(format!("the model `{model}` has no alias `{alias}`"));
        let asked = remote.net.aliases(model).map_err(|error| if error.is_missing() { missing() } else { error });
        match asked {
            Ok(aliases) => {
                let number = *aliases.get(alias).ok_or_else(missing)?;
                let versions = self.versions(model)?.into_iter();
                versions.into_iter().find(|version| version.number == number).ok_or_else(missing)
            }
            Err(error) if error.is_away() => self.store().version_by_alias(model, alias).map_err(|_| error),
            Err(error) => Err(error),
        }
    }
}
