//! How are runs kept in a folder, so that MLflow reads them as its own?
//!
//! The layout is MLflow's (`mlflow/store/tracking/file_store.py` of 3.17):
//!
//! ```text
//! <experiment>/meta.yaml
//! <experiment>/<run>/meta.yaml                 written last when a run begins: without it there is no run
//! <experiment>/<run>/{params,tags}/<key>       the value
//! <experiment>/<run>/metrics/<key>             lines `time value step`
//! <experiment>/<run>/inputs/<id>/meta.yaml     which dataset
//! <experiment>/<run>/artifacts/…
//! <experiment>/datasets/<id>/meta.yaml
//! .trash/<experiment>                          deleted
//! ```
//!
//! Files of ours in the root begin with `.tradewind-`; MLflow looks at folders only. An experiment that was deleted in
//! the meantime comes back when something is written to it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::disk;
use crate::error::{Error, Result};
use crate::index::Index;
use crate::keys;
use crate::meta::{self, ExperimentMeta, META, RunMeta};
use crate::place::Place;
use crate::types::NAME;

/// Folders of an experiment that hold no run.
const RESERVED: [&str; 4] = ["tags", "datasets", "traces", "models"];
/// What a file's address escapes.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'?').add(b'#').add(b'"').add(b'<').add(b'>');

/// A folder of runs.
#[derive(Clone)]
pub(crate) struct Store {
    root: PathBuf,
    /// The numbers of experiments by their names.
    known: Arc<Mutex<HashMap<String, String>>>,
    pub(crate) index: Arc<Mutex<Option<Index>>>,
}

impl Store {
    /// The store in a folder that need not exist yet.
    pub(crate) fn at(folder: &Path) -> Result<Self> {
        if folder.as_os_str().is_empty() {
            return Err(Error::usage("no folder is given for the runs: name one, such as `mlruns`"));
        }
        let root = std::path::absolute(folder).map_err(|cause| Error::io("find", folder, &cause))?;
        if root.exists() && !root.is_dir() {
            return Err(Error::usage(format!("{} is a file: name a folder for the runs", root.display())));
        }
        Ok(Self { root, known: Arc::default(), index: Arc::default() })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn trash(&self) -> PathBuf {
        self.root.join(".trash")
    }

    /// Keeps other writers of experiments and models out.
    pub(crate) fn lock(&self) -> Result<std::fs::File> {
        if !self.root.is_dir() {
            disk::folder(&self.root)?;
            // MLflow expects what it makes itself in a new folder.
            disk::folder(&self.trash())?;
            self.write_experiment("0", "Default")?;
        }
        disk::lock(&self.root.join(".tradewind-lock"))
    }

    fn write_experiment(&self, id: &str, name: &str) -> Result<()> {
        let now = disk::now();
        let experiment = ExperimentMeta {
            artifact_location: Some(address(&self.root.join(id))),
            creation_time: Some(now),
            experiment_id: id.to_owned(),
            last_update_time: Some(now),
            lifecycle_stage: meta::active(),
            name: name.to_owned(),
            more: Default::default(),
        };
        let folder = self.root.join(id);
        disk::folder(&folder)?;
        meta::write(&folder, &folder.join(META), &experiment)
    }

    /// The number of the experiment of a name, which is made or brought back if need be.
    pub(crate) fn experiment(&self, name: &str) -> Result<String> {
        keys::check_experiment(name)?;
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = known().get(name).filter(|id| self.root.join(id).join(META).is_file()).cloned() {
            return Ok(id);
        }
        let _alone = self.lock()?;
        let id = match self.named(name)? {
            Some((id, true)) => id,
            Some((id, false)) => self.restore(&id).map(|()| id)?,
            None => {
                // As MLflow's: whole numbers of 18 digits, which the server's tables take.
                let random = uuid::Uuid::new_v4().as_u128() % 900_000_000_000_000_000;
                let id = (random + 100_000_000_000_000_000).to_string();
                self.write_experiment(&id, name).map(|()| id)?
            }
        };
        known().insert(name.to_owned(), id.clone());
        Ok(id)
    }

    /// The number of an experiment, and whether it is there or deleted.
    pub(crate) fn named(&self, name: &str) -> Result<Option<(String, bool)>> {
        for (folder, is_active) in [(self.root.clone(), true), (self.trash(), false)] {
            for id in self.ids(&folder)? {
                // One that cannot be read is not ours to judge.
                let found = meta::read::<ExperimentMeta>(&folder.join(&id).join(META)).ok().flatten();
                if let Some(experiment) = found.filter(|experiment| experiment.name == name) {
                    return Ok(Some((id, is_active && experiment.lifecycle_stage == "active")));
                }
            }
        }
        Ok(None)
    }

    /// The name of an experiment.
    pub(crate) fn name_of(&self, experiment: &str) -> Result<String> {
        let found = [self.root.clone(), self.trash()]
            .into_iter()
            .find_map(|folder| meta::read::<ExperimentMeta>(&folder.join(experiment).join(META)).ok().flatten());
        found
            .map(|experiment| experiment.name)
            .ok_or_else(|| Error::missing(format!("the experiment {experiment} is not in {}", self.root.display())))
    }

    fn ids(&self, folder: &Path) -> Result<Vec<String>> {
        let mut ids = disk::names(folder, true)?;
        ids.retain(|id| !id.starts_with('.') && id != "models");
        ids.sort();
        Ok(ids)
    }

    /// The experiments that are not deleted.
    pub(crate) fn experiments(&self) -> Result<Vec<String>> {
        self.ids(&self.root)
    }

    /// The folders of an experiment that may be runs.
    pub(crate) fn run_folders(&self, experiment: &str) -> Result<Vec<String>> {
        let mut found = disk::names(&self.root.join(experiment), true)?;
        found.retain(|name| !RESERVED.contains(&name.as_str()));
        Ok(found)
    }

    /// Takes a deleted experiment and the runs that went with it out of the trash, as MLflow does.
    fn restore(&self, id: &str) -> Result<()> {
        let (from, to) = (self.trash().join(id), self.root.join(id));
        // One that was being brought back when the process ended is in its place already.
        if !to.is_dir() {
            std::fs::rename(&from, &to).map_err(|cause| Error::io("bring back", &to, &cause))?;
        }
        if let Some(mut experiment) = meta::read::<ExperimentMeta>(&to.join(META))? {
            experiment.lifecycle_stage = meta::active();
            experiment.last_update_time = Some(disk::now());
            meta::write(&to, &to.join(META), &experiment)?;
        }
        for run in self.run_folders(id)? {
            let folder = to.join(run);
            // A run that cannot be read stays as it is.
            if let Ok(Some(mut run)) = meta::read::<RunMeta>(&folder.join(META))
                && run.lifecycle_stage == "deleted"
            {
                (run.lifecycle_stage, run.deleted_time) = (meta::active(), None);
                meta::write(&folder, &folder.join(META), &run)?;
            }
        }
        Ok(())
    }

    /// Makes sure that an experiment is there to be written to.
    pub(crate) fn revive(&self, experiment: &str) -> Result<()> {
        let _alone = self.lock()?;
        if self.root.join(experiment).is_dir() {
            return Ok(());
        }
        if self.trash().join(experiment).is_dir() {
            return self.restore(experiment);
        }
        Err(Error::missing(format!(
            "the experiment {experiment} was deleted from {} for good: start a new run",
            self.root.display()
        )))
    }

    /// Begins a run.
    pub(crate) fn create_run(
        &self,
        experiment: &str,
        id: &str,
        name: &str,
        tags: &[(String, String)],
        started: i64,
    ) -> Result<Place> {
        let folder = self.root.join(experiment);
        if !folder.is_dir() {
            self.revive(experiment)?;
        }
        let place = Place::new(self.clone(), experiment.to_owned(), id.to_owned());
        let run = RunMeta {
            artifact_uri: Some(address(&place.path().join("artifacts"))),
            deleted_time: None,
            end_time: None,
            entry_point_name: String::new(),
            experiment_id: experiment.to_owned(),
            lifecycle_stage: meta::active(),
            run_id: id.to_owned(),
            run_name: name.to_owned(),
            source_name: String::new(),
            source_type: 4,
            source_version: String::new(),
            start_time: Some(started),
            status: 1,
            tags: Vec::new(),
            user_id: user(),
            more: Default::default(),
        };
        for part in ["params", "metrics", "tags", "artifacts"] {
            disk::folder(&place.path().join(part))?;
        }
        place.tags(tags)?;
        place.tags(&[(NAME.to_owned(), name.to_owned())])?;
        meta::write(place.path(), &place.path().join(META), &run)?;
        Ok(place)
    }

    /// The place of a run.
    pub(crate) fn run(&self, id: &str) -> Result<Place> {
        self.find_run(id)?.ok_or_else(|| Error::missing(format!("the run `{id}` is not in {}", self.root.display())))
    }

    pub(crate) fn find_run(&self, id: &str) -> Result<Option<Place>> {
        let is_id = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
        if id.is_empty() || id.len() > 255 || !id.chars().all(is_id) {
            return Err(Error::usage(format!("`{id}` is no identifier of a run")));
        }
        let holds = |experiment: &String| self.root.join(experiment).join(id).join(META).is_file();
        let found = self.experiments()?.into_iter().find(holds);
        Ok(found.map(|experiment| Place::new(self.clone(), experiment, id.to_owned())))
    }
}

/// A path as an address.
pub(crate) fn address(path: &Path) -> String {
    let path = path.to_string_lossy().replace('\\', "/");
    let root = if path.starts_with('/') { "" } else { "/" };
    format!("file://{root}{}", utf8_percent_encode(&path, ESCAPED))
}

/// Who works here.
pub(crate) fn user() -> String {
    let named = |name: &&str| std::env::var(name).ok().filter(|user| !user.is_empty());
    ["USER", "LOGNAME", "USERNAME"].iter().find_map(named).unwrap_or_else(|| "unknown".to_owned())
}
