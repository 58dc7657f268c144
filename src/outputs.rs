//! Where do the results of a run go? Looked at before its work, so that what would be refused at the end is refused at the
//! beginning, and kept from other runs until it ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Result;
use crate::files::{self, Lock};
use crate::job::Job;
use crate::models::Failure;
use crate::plan::Plan;

/// The results of a run: files and folders that may be written, none of which another run is writing into.
///
/// ```
/// use tradewind::outputs::Outputs;
/// use tradewind::prelude::*;
/// let plan = Plan { data: "data/walmart_sales_weekly.csv".into(), ..Plan::default() };
/// let error = Outputs::of(&plan).file("./data/../data/walmart_sales_weekly.csv").err().unwrap();
/// assert!(error.to_string().contains("overwrite the input"));
/// let folder = tempfile::tempdir().unwrap();
/// let outputs = Outputs::of(&plan).folder(folder.path().join("results"), &["one.csv"])?;
/// assert!(folder.path().join("results").exists());
/// drop(outputs);
/// assert!(!folder.path().join("results").exists(), "nothing was written there");
/// # Ok::<(), tradewind::Error>(())
/// ```
#[must_use]
pub struct Outputs(Vec<Arc<Lock>>);

impl Drop for Outputs {
    /// A folder that lies in another goes first, so that the other is empty.
    fn drop(&mut self) {
        while self.0.pop().is_some() {}
    }
}

impl Outputs {
    /// Those of a plan, whose inputs no verb of this process writes over from here on. Where the plan says
    /// [`overwrite`](Plan::overwrite), what somebody else has written is replaced from here on.
    pub fn of(plan: &Plan) -> Self {
        let guard = Job::current().guard();
        if plan.overwrite {
            guard.allow_all();
        }
        let inputs = plan.inputs();
        inputs.data.iter().chain(&inputs.beside).filter(|file| files::exists(file)).for_each(|file| guard.reads(file));
        Self(Vec::new())
    }

    /// The same, with an input that the plan does not name.
    pub fn reading(self, input: impl AsRef<Path>) -> Self {
        files::reads(input.as_ref());
        self
    }

    /// The same, with the record of the plan's search.
    ///
    /// # Errors
    /// When the record is one of the inputs.
    pub fn record(self, plan: &Plan) -> Result<Self> {
        plan.record().map_or(Ok(()), |path| Job::current().guard().appends(&path)).map(|()| self)
    }

    /// The same, with a file.
    ///
    /// # Errors
    /// When the file is an input, would lie among the data, or is somebody else's.
    pub fn file(self, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        files::allowed(path)?;
        Job::current().guard().replaces(path).map(|_| self)
    }

    /// The same, with a file of which it is not known yet whether it will be the one that stands there.
    ///
    /// # Errors
    /// When the file is an input, or would lie among the data.
    pub fn spared(self, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        files::allowed(path)?;
        Job::current().guard().spare(path).map(|()| self)
    }

    /// The same, with a folder, kept from other runs until this is dropped, and the names of files in it; a page brings the
    /// pictures that it had.
    ///
    /// # Errors
    /// As [`file`](Self::file), and when another run is writing into the folder.
    pub fn folder(self, folder: impl AsRef<Path>, names: &[&str]) -> Result<Self> {
        let folder = folder.as_ref();
        let mut outputs = names.iter().try_fold(self, |outputs, name| outputs.file(folder.join(name)))?;
        let assets = folder.join("assets");
        let pictures = if files::is_folder(&assets) { files::list(&assets)? } else { Vec::new() };
        for page in names.iter().filter_map(|name| name.strip_suffix(".md")) {
            let name = |path: &Path| {
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{page}-")))
            };
            outputs = pictures.iter().filter(|path| name(path)).try_fold(outputs, Outputs::file)?;
        }
        outputs.0.push(Lock::on(folder)?);
        Ok(outputs)
    }
}

impl Outputs {
    /// Writes files, all of them or none.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn write<'a>(&self, pages: impl IntoIterator<Item = (PathBuf, &'a [u8])>) -> Result<()> {
        files::together(|| pages.into_iter().try_for_each(|(path, text)| files::write_atomically(&path, text)))
    }
}

/// Lists what could not be served beside an output, in `NAME.failures.csv`, and returns where; an earlier list of ours goes
/// when there is nothing to list.
///
/// # Errors
/// When the list cannot be written, or would replace somebody else's file.
pub fn list_failures(failures: &[Failure], beside: impl AsRef<Path>) -> Result<Option<PathBuf>> {
    let path = failures_of(beside);
    match failures {
        [] => files::remove_own(&path).map(|()| None),
        failures => crate::models::failures_table(failures)?.save(&path).map(|()| Some(path)),
    }
}

/// Where failures are listed beside an output: `NAME.failures.csv`.
pub fn failures_of(output: impl AsRef<Path>) -> PathBuf {
    output.as_ref().with_extension("failures.csv")
}
