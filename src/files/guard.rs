//! Which files may be overwritten? None that this job reads, and none that anybody else has written.
//!
//! A [`Guard`] belongs to a [`Job`]. It knows every file that was read, and every file that a folder or pattern of data
//! names, by identity and not by spelling: links, hard links, relative paths and other letter case lead to the same
//! file. None of them is overwritten.
//!
//! Any other file at the place of an output is replaced if it is our own: this job has written it, or it has our
//! [`mark`](super::mark). Otherwise it is refused, unless its replacement was allowed.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::SystemTime;

use super::Lock;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::progress;

/// What a job has read and written.
#[derive(Default)]
pub(crate) struct Guard {
    known: Mutex<Known>,
    /// May everything be replaced that is no input?
    all: AtomicBool,
}

#[derive(Default)]
struct Known {
    /// What is read, and how it was called.
    inputs: HashMap<Identity, PathBuf>,
    /// What is added to, as the record of a search is.
    records: HashMap<Identity, PathBuf>,
    /// Where files are data because of where they lie.
    sources: Vec<Source>,
    /// What this job has written, as it left it.
    written: HashMap<PathBuf, Stamp>,
    /// What may be replaced, whoever has written it.
    allowed: HashSet<PathBuf>,
    /// Folders that were looked through for what killed runs have left.
    swept: HashSet<PathBuf>,
    /// Folders that this job keeps from others.
    locks: HashMap<PathBuf, Weak<Lock>>,
}

/// What a file is known by.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Identity {
    /// Its path with every link followed.
    Place(PathBuf),
    /// Its device and number there.
    #[cfg(unix)]
    Node(u64, u64),
}

/// Length and time of the last change.
type Stamp = (u64, Option<SystemTime>);

/// A place whose files are data.
struct Source {
    shown: PathBuf,
    names: Names,
}

enum Names {
    /// Every file of the folder, and of its partitions, whose name is that of data.
    Folder(PathBuf, fn(&Path) -> bool),
    /// Every file that the pattern matches.
    Pattern(glob::Pattern),
}

impl Guard {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a file that is read from being written over. What this job has written itself and nobody has changed since
    /// is no input.
    pub(crate) fn reads(&self, path: &Path) {
        let mut known = self.known();
        if known.is_own(path) {
            return;
        }
        for identity in identities(path) {
            known.inputs.insert(identity, path.to_path_buf());
        }
    }

    /// Keeps what a folder or pattern names from being written over, and new files from coming to lie among it; of the
    /// files in a folder, those are data that `data` says are.
    pub(crate) fn reads_all(&self, place: &Path, files: &[PathBuf], data: fn(&Path) -> bool) {
        files.iter().for_each(|file| self.reads(file));
        let names = match place.is_dir() {
            true => place.canonicalize().ok().map(|folder| Names::Folder(folder, data)),
            // The folder before the first wildcard is taken as it is really called.
            false => real_pattern(place).and_then(|text| glob::Pattern::new(&text).ok()).map(Names::Pattern),
        };
        let Some(names) = names else { return };
        let mut known = self.known();
        if known.sources.iter().all(|source| source.shown != place) {
            known.sources.push(Source { shown: place.to_path_buf(), names });
        }
    }

    /// Lets a file be replaced, whoever has written it; an input is refused all the same.
    pub(crate) fn allow(&self, path: &Path) {
        self.known().allowed.insert(place(path));
    }

    /// Lets every file be replaced, whoever has written it; an input is refused all the same.
    pub(crate) fn allow_all(&self) {
        self.all.store(true, Ordering::Relaxed);
    }

    /// Keeps a file that is added to from being written over; what is read is not added to.
    pub(crate) fn appends(&self, path: &Path) -> Result<()> {
        let mut known = self.known();
        Known::refuse(path, "input", &known.inputs)?;
        for identity in identities(path) {
            known.records.insert(identity, path.to_path_buf());
        }
        Ok(())
    }

    /// Refuses to write over what is read, or among it.
    pub(crate) fn spare(&self, path: &Path) -> Result<()> {
        let real = place(path);
        let known = self.known();
        Known::refuse(path, "input", &known.inputs)?;
        Known::refuse(path, "record", &known.records)?;
        match known.sources.iter().find(|source| source.holds(&real)) {
            Some(source) if !known.is_own(path) => Err(Error::usage(format!(
                "writing {} would put it among the data, {}, of which it would be a part from then on; name another folder",
                path.display(),
                source.shown.display()
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses to write over what is read, and over what somebody else has written. Returns whether a file is replaced
    /// that is not our own.
    pub(crate) fn replaces(&self, path: &Path) -> Result<bool> {
        self.spare(path)?;
        let Ok(metadata) = path.symlink_metadata() else { return Ok(false) };
        let metadata = if metadata.is_symlink() {
            path.metadata().map_err(|_| {
                Error::usage(format!(
                    "{} is a link that leads nowhere; remove it, or name another file",
                    path.display()
                ))
            })?
        } else {
            metadata
        };
        if metadata.is_dir() {
            return Err(Error::io(format!("cannot write {}: it is a folder; name a file inside it", path.display())));
        }
        if !metadata.is_file() {
            return Err(Error::usage(format!("{} is no file but a device or a pipe; name a file", path.display())));
        }
        // An empty file holds nothing that could be lost.
        if metadata.len() == 0 || self.known().is_own(path) || super::mark::bears(path) {
            return Ok(false);
        }
        if self.all.load(Ordering::Relaxed) || self.known().allowed.contains(&place(path)) {
            Ok(true)
        } else {
            Err(Error::usage(format!(
                "{0} is there already, and tradewind has not written it; name another file, or replace it by --overwrite \
                 (in a script or notebook: overwrite(\"{0}\"))",
                path.display()
            )))
        }
    }

    /// Remembers a file as our own. It is a new one, whatever its number stood for before.
    pub(super) fn wrote(&self, path: &Path) {
        let mut known = self.known();
        let ids = identities(path);
        known.inputs.retain(|identity, _| !ids.contains(identity));
        if let (Some(stamp), real) = (stamp(path), place(path)) {
            known.written.insert(real, stamp);
        }
    }

    /// Is it the first time that something is written into this folder?
    pub(super) fn is_first_in(&self, folder: &Path) -> bool {
        self.known().swept.insert(place(folder))
    }

    /// Keeps `folder` as `take` does, unless this job keeps it already.
    pub(super) fn keep(
        &self,
        folder: &Path,
        take: impl FnOnce() -> Result<std::sync::Arc<Lock>>,
    ) -> Result<std::sync::Arc<Lock>> {
        let key = place(folder);
        if let Some(lock) = self.known().locks.get(&key).and_then(Weak::upgrade) {
            return Ok(lock);
        }
        let lock = take()?;
        self.known().locks.insert(place(folder), std::sync::Arc::downgrade(&lock));
        Ok(lock)
    }

    /// The outermost folder that this job keeps from others and a file lies in.
    pub(super) fn kept_around(&self, file: &Path) -> Option<PathBuf> {
        let real = place(file);
        let known = self.known();
        let kept = known.locks.iter().filter(|(folder, lock)| lock.strong_count() > 0 && real.starts_with(folder));
        kept.map(|(folder, _)| folder).min_by_key(|folder| folder.components().count()).cloned()
    }
}

impl Known {
    /// Refuses a path at which one of these files stands.
    fn refuse(path: &Path, what: &str, files: &HashMap<Identity, PathBuf>) -> Result<()> {
        let found = identities(path).into_iter().find_map(|identity| {
            let file = files.get(&identity)?;
            // A number may have gone to another file since.
            let still = matches!(identity, Identity::Place(_)) || identities(file).contains(&identity);
            still.then_some(file)
        });
        let Some(file) = found else { return Ok(()) };
        let file = if file == path { String::new() } else { format!(" {}", file.display()) };
        Err(Error::usage(format!("writing {} would overwrite the {what}{file}; name another file", path.display())))
    }

    fn is_own(&self, path: &Path) -> bool {
        self.written.get(&place(path)).is_some_and(|left| stamp(path).as_ref() == Some(left))
    }
}

impl Source {
    fn holds(&self, real: &Path) -> bool {
        match &self.names {
            // Folders that are called `name=value` are parts of the data.
            Names::Folder(folder, data) => {
                let below = real.parent().and_then(|parent| parent.strip_prefix(folder).ok());
                below.is_some_and(|below| below.iter().all(|part| part.to_string_lossy().contains('='))) && data(real)
            }
            Names::Pattern(pattern) => {
                let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
                pattern.matches_path_with(real, options)
            }
        }
    }
}

/// A pattern below the real folder that its part before the first wildcard names.
fn real_pattern(pattern: &Path) -> Option<String> {
    let text = std::path::absolute(pattern).ok()?;
    let wild = |part: &std::path::Component| part.as_os_str().to_string_lossy().contains(['*', '?', '[']);
    let fixed: PathBuf = text.components().take_while(|part| !wild(part)).collect();
    let rest: PathBuf = text.components().skip_while(|part| !wild(part)).collect();
    let fixed = fixed.canonicalize().ok()?;
    let fixed = glob::Pattern::escape(fixed.to_str()?);
    Some(PathBuf::from(fixed).join(rest).to_str()?.to_string())
}

/// Where a path leads: every link followed, and what does not exist yet below the real folder that holds it.
pub(super) fn place(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    match (absolute.parent(), absolute.file_name()) {
        (Some(parent), Some(name)) => place(parent).join(name),
        _ => absolute,
    }
}

fn identities(path: &Path) -> Vec<Identity> {
    #[allow(unused_mut)]
    let mut found = vec![Identity::Place(place(path))];
    #[cfg(unix)]
    if let Ok(metadata) = path.metadata() {
        use std::os::unix::fs::MetadataExt;
        found.push(Identity::Node(metadata.dev(), metadata.ino()));
    }
    found
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = path.metadata().ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}

/// A file is read: nothing may be written over it from here on.
pub(crate) fn reads(path: &Path) {
    Job::current().guard().reads(path);
}

/// Lets the file at `path` be replaced, whoever has written it, the next time that something is saved there. Without it
/// a verb that saves replaces what Tradewind has written, and refuses what somebody else has. What is read in the same
/// run is never replaced.
///
/// ```
/// use tradewind::report::Report;
/// let folder = tempfile::tempdir().unwrap();
/// let notes = folder.path().join("notes.md");
/// std::fs::write(&notes, "my own words").unwrap();
/// assert!(Report::new("Sales").save(&notes).unwrap_err().to_string().contains("has not written it"));
/// tradewind::overwrite(&notes)?;
/// Report::new("Sales").save(&notes)?;
/// Report::new("Sales").text("They rose.").save(&notes)?;
/// # Ok::<(), tradewind::Error>(())
/// ```
///
/// # Errors
/// When the file was read in this run, or lies where a script may not write.
pub fn overwrite(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    super::allowed(path)?;
    let job = Job::current();
    job.guard().spare(path)?;
    job.guard().allow(path);
    Ok(())
}

/// Says that a file is replaced which is not our own.
pub(super) fn say_replaced(path: &Path) {
    progress::say(&format!("replaced {}, which tradewind had not written", path.display()));
}
