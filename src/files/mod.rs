//! How are files written so that no half-written output ever has its final name? And which files may a script touch?
//!
//! This module is the only one with access to the file system: it checks every path first, so that no other module can
//! forget to. `setup/check_tree.py` enforces that.
//!
//! The bytes go to a temporary file in the target's folder, which is renamed into place at the end: a reader sees
//! the old file or the new one, never a part. When writing fails, the temporary file is removed.
//!
//! | file | question |
//! |---|---|
//! | `fence` | which files may a script touch? |
//! | `guard` | which files may be overwritten? |
//! | `mark` | how are our own files recognised? |
//! | `reading` | what is on the disk, as far as the caller may know? |
//! | `set` | how are several files that belong together written? |

mod fence;
mod guard;
pub(crate) mod mark;
mod reading;
mod set;

use std::fs::OpenOptions;
pub(crate) use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use polars::prelude::PolarsError;

use crate::error::{Error, Result};
use crate::job::{Job, spend};
use crate::progress;

pub(crate) use fence::allowed;
use guard::Guard;
pub use guard::overwrite;
pub(crate) use guard::reads;
pub(crate) use reading::{
    changed, exists, home_of, is_file, is_folder, lies_beside, list, machine_memory, matching, metadata, missing, open,
    read_bytes, read_text, read_trusted,
};
pub(crate) use set::Lock;
pub use set::together;

/// What the names of files begin with that are being written.
pub(crate) const WRITING: &str = ".tradewind-writing-";

/// The temporary files that are being written now.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

impl Job {
    /// What this job has read and written.
    pub(crate) fn guard(&self) -> Arc<Guard> {
        self.kept()
    }
}

/// A folder for what is only on its way; it is removed with all in it. A script has it among its own folders.
pub(crate) fn scratch() -> Result<tempfile::TempDir> {
    let folder = match crate::job::is_fenced() {
        true => tempfile::Builder::new().prefix(".tradewind-").tempdir_in("."),
        false => tempfile::tempdir(),
    };
    folder.map_err(|cause| Error::io("no temporary folder can be made").because(cause))
}

/// Is it a Parquet file, by its name?
pub(crate) fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|end| ["parquet", "pq"].iter().any(|known| end.eq_ignore_ascii_case(known)))
}

/// Write `bytes` to `path`, creating its folder, and replace what stood there in one step, if it may be.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    progress::check()?;
    spend(0, bytes.len() as u64)?;
    write_with(path, |file| file.write_all(bytes).map_err(|cause| refused(path, &cause)))
}

/// As [`write_atomically`], with what `work` writes.
pub(crate) fn write_with(path: &Path, work: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    write(path, false, work)
}

/// As [`write_atomically`], into a folder that is known to be of our own making: what stands there is ours.
pub(crate) fn write_own(path: &Path, bytes: &[u8]) -> Result<()> {
    progress::check()?;
    spend(0, bytes.len() as u64)?;
    write(path, true, |file| file.write_all(bytes).map_err(|cause| refused(path, &cause)))
}

fn write(path: &Path, own: bool, work: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    allowed(path)?;
    if path.as_os_str().is_empty() || path.file_name().is_none() {
        return Err(Error::usage(format!("cannot write `{}`: the path names no file", path.display())));
    }
    let guard = Job::current().guard();
    guard.spare(path)?;
    // A link stays, and what it leads to is replaced.
    let target = if path.is_symlink() { guard::place(path) } else { path.to_path_buf() };
    // What stands there and is not ours may still be the very bytes that are to be written.
    let foreign = if own { None } else { guard.replaces(path).err() };
    if let Some(error) = foreign.as_ref().filter(|_| !path.is_file()) {
        return Err(error.clone());
    }
    spend(1, 0)?;
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let made = Made::folder(folder).map_err(|cause| refused(path, &cause))?;
    if guard.is_first_in(folder) {
        set::heal(folder);
        sweep(folder);
    }
    let mut unfinished = Unfinished::begin(folder, path, target.clone(), own, made)?;
    fence::still_allowed(path, unfinished.temporary.as_file())?;
    work(unfinished.temporary.as_file_mut())?;
    if let Some(error) = foreign {
        return if unfinished.is_there() { Ok(()) } else { Err(error) };
    }
    if let Some(unfinished) = set::wait(unfinished) {
        let replaced = unfinished.check()?;
        unfinished.rename()?.tell(replaced);
    }
    Ok(())
}

/// A file that is being written beside its place; it is removed if it does not get there.
pub(crate) struct Unfinished {
    temporary: tempfile::NamedTempFile,
    _listed: Listed,
    /// As the caller called its place.
    path: PathBuf,
    target: PathBuf,
    own: bool,
    /// Behind the file itself, which lies in them.
    _made: Made,
}

impl Unfinished {
    fn begin(folder: &Path, path: &Path, target: PathBuf, own: bool, made: Made) -> Result<Self> {
        let temporary = begun(folder).map_err(|cause| refused(path, &cause))?;
        let listed = Listed::new(temporary.path());
        Ok(Self { temporary, _listed: listed, path: path.into(), target, own, _made: made })
    }

    /// Do these very bytes stand there already?
    fn is_there(&self) -> bool {
        let read = |path: &Path| std::fs::read(path).ok();
        let length = |path: &Path| path.metadata().ok().map(|metadata| metadata.len());
        length(&self.target) == length(self.temporary.path()) && read(&self.target) == read(self.temporary.path())
    }

    /// May it take its place? Whether it replaces what is not our own.
    fn check(&self) -> Result<bool> {
        if self.own { Ok(false) } else { Job::current().guard().replaces(&self.path) }
    }

    /// Renames it into its place.
    fn rename(self) -> Result<Placed> {
        let Self { temporary, _listed, path, target, .. } = self;
        temporary.persist(&target).map_err(|failure| refused(&path, &failure.error))?;
        Ok(Placed { path, target })
    }
}

/// The folders that were made for a file, the innermost first: they go again if the file does not get there.
struct Made(Vec<PathBuf>);

impl Made {
    fn folder(folder: &Path) -> std::io::Result<Self> {
        let missing = folder.ancestors().take_while(|part| !part.as_os_str().is_empty() && !part.exists());
        let made = Self(missing.map(PathBuf::from).collect());
        std::fs::create_dir_all(folder)?;
        Ok(made)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for folder in &self.0 {
            // Only an empty folder goes.
            if std::fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
}

/// A file in its place.
pub(crate) struct Placed {
    path: PathBuf,
    target: PathBuf,
}

impl Placed {
    /// Remembers it as our own, and says what it has replaced.
    fn tell(&self, replaced: bool) {
        Job::current().guard().wrote(&self.target);
        if replaced {
            guard::say_replaced(&self.path);
        }
    }
}

/// A file that is being written into a folder, locked, which says that somebody is at work on it.
fn begun(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    loop {
        let made = builder().prefix(WRITING).tempfile_in(folder)?;
        // Another run may have taken it for a leftover before it was locked; a file system without locks has to do
        // without.
        if made.as_file().lock().is_err() || set::is_at(made.as_file(), made.path()) {
            return Ok(made);
        }
    }
}

/// An entry among the temporary files that are being written.
struct Listed(PathBuf);

impl Listed {
    fn new(path: &Path) -> Self {
        with_unfinished(|files| files.push(path.to_path_buf()));
        Self(path.to_path_buf())
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        with_unfinished(|files| files.retain(|file| *file != self.0));
    }
}

/// Removes what killed runs have left of files that they were writing into a folder: what nobody has locked.
fn sweep(folder: &Path) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(std::result::Result::ok);
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(WRITING)) {
        let Ok(file) = std::fs::OpenOptions::new().write(true).open(entry.path()) else { continue };
        if file.try_lock().is_ok() {
            // Another run may have removed it.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Removes a file of our own, if one stands there; anybody else's stays. While a set is written this waits for its end.
pub(crate) fn remove_own(path: &Path) -> Result<()> {
    allowed(path)?;
    if set::goes_later(path) || !path.is_file() || Job::current().guard().spare(path).is_err() || !mark::bears(path) {
        return Ok(());
    }
    std::fs::remove_file(path).map_err(|cause| refused(path, &cause))
}

/// Makes a folder, and those that it lies in.
pub(crate) fn make_folder(folder: &Path) -> Result<()> {
    allowed(folder)?;
    std::fs::create_dir_all(folder).map_err(|cause| refused(folder, &cause))
}

/// Begins a file that is written in parts, for this run alone to read; what stood there is gone.
pub(crate) fn create(path: &Path) -> Result<File> {
    let file = opened(path, OpenOptions::new().write(true).create(true).truncate(false))?;
    file.set_len(0).map_err(|cause| refused(path, &cause))?;
    Ok(file)
}

/// Opens a file to read and to write to, which is begun, with its folder, if there is none.
pub(crate) fn open_to_write(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder)?;
    }
    opened(path, OpenOptions::new().read(true).write(true).create(true).truncate(false))
}

fn opened(path: &Path, options: &OpenOptions) -> Result<File> {
    allowed(path)?;
    if exists(path) && !is_file(path) {
        return Err(Error::io(format!("cannot write {}: it is no file", path.display())));
    }
    spend(1, 0)?;
    let file = options.open(path).map_err(|cause| refused(path, &cause))?;
    fence::still_allowed(path, &file)?;
    Ok(file)
}

/// Removes a file.
pub(crate) fn remove_file(path: &Path) -> Result<()> {
    allowed(path)?;
    std::fs::remove_file(path).map_err(|cause| refused(path, &cause))
}

/// Removes a folder if nothing lies in it.
pub(crate) fn remove_if_empty(folder: &Path) -> Result<()> {
    allowed(folder)?;
    match std::fs::remove_dir(folder) {
        Err(cause) if cause.kind() != std::io::ErrorKind::DirectoryNotEmpty => Err(refused(folder, &cause)),
        _ => Ok(()),
    }
}

/// Removes output that is being written, for a program that is about to end without waiting for running work.
pub fn remove_unfinished() {
    with_unfinished(|files| {
        for file in files.drain(..) {
            // The program ends: there is nobody left to tell.
            let _ = std::fs::remove_file(file);
        }
    });
}

fn with_unfinished(change: impl FnOnce(&mut Vec<PathBuf>)) {
    change(&mut UNFINISHED.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
}

/// A temporary file is private (0600) by default; an output should get the mode of an ordinary file: 0666 less the
/// umask, which the operating system applies when the file is opened.
fn builder() -> tempfile::Builder<'static, 'static> {
    #[allow(unused_mut)]
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
}

/// The machine's part in an error of polars, whose Parquet writer keeps but the text of it: `… (os error 28)`.
pub(crate) fn io_error(cause: PolarsError) -> std::io::Error {
    if let PolarsError::IO { error, .. } = &cause {
        return std::io::Error::new(error.kind(), error.to_string());
    }
    let text = cause.to_string();
    let number = text.rsplit_once("(os error ").and_then(|(_, rest)| rest.split(')').next()?.parse().ok());
    number.map_or_else(|| std::io::Error::other(text), std::io::Error::from_raw_os_error)
}

/// The machine's refusal with what to do about it.
pub(crate) fn refused(path: &Path, cause: &std::io::Error) -> Error {
    use std::io::ErrorKind;
    let (why, advice) = match cause.kind() {
        ErrorKind::PermissionDenied => ("the folder is not writable", "choose another path"),
        ErrorKind::NotFound => ("its folder cannot be made", "choose another path"),
        ErrorKind::ReadOnlyFilesystem => ("the disk is read-only", "choose another path"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => ("the disk is full", "free some space"),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            ("there is a file where its folder should be", "choose another path")
        }
        ErrorKind::InvalidFilename => ("the file name is too long or not allowed", "choose another name"),
        _ => return Error::io(format!("cannot write {}", path.display())).because(cause.to_string()),
    };
    Error::io(format!("cannot write {}: {why}; {advice}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &Path, text: &str) -> Result<()> {
        write_atomically(path, text.as_bytes())
    }

    #[test]
    fn creates_folders_and_replaces() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b/c.txt");
        put(&path, "one").unwrap();
        put(&path, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
    }

    #[test]
    fn a_failure_leaves_nothing_behind() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("c.txt")).unwrap();
        assert!(put(&home.path().join("c.txt"), "half").unwrap_err().is_io());
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
        assert!(UNFINISHED.lock().unwrap().iter().all(|file| !file.starts_with(home.path())));
    }

    #[test]
    fn a_failure_leaves_no_folder_behind() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("page")).unwrap();
        let failed = together(|| {
            put(&home.path().join("a/b/1.txt"), "one")?;
            put(&home.path().join("a/b/2.txt"), "two")?;
            put(&home.path().join("page"), "a folder stands there")
        });
        assert!(failed.is_err());
        let names = |folder: &Path| std::fs::read_dir(folder).unwrap().count();
        assert_eq!((names(home.path()), names(&home.path().join("page"))), (1, 0));
        // A folder that was there before stays, empty or not.
        assert!(write_with(&home.path().join("page/x.txt"), |_| Err(Error::io("no"))).is_err());
        assert!(home.path().join("page").is_dir());
    }

    #[test]
    fn a_full_disk_is_told_from_the_words_of_polars() {
        let said = |text: &'static str| io_error(PolarsError::ComputeError(text.into())).kind();
        let full = "parquet: File out of specification: underlying IO error: No space left on device (os error 28)";
        assert_eq!(said(full), std::io::ErrorKind::StorageFull);
        assert_eq!(said("another"), std::io::ErrorKind::Other);
    }

    #[test]
    fn a_refusal_says_where_and_what_to_do() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("file"), "").unwrap();
        let error = put(&home.path().join("file/inner.txt"), "x").unwrap_err();
        assert!(error.is_io());
        assert!(error.to_string().contains("inner.txt") && error.to_string().contains("choose another"), "{error}");
        assert!(put(home.path(), "x").unwrap_err().to_string().contains("it is a folder"));
        assert!(put(Path::new(""), "x").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn the_mode_is_an_ordinary_files() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        put(&home.path().join("ours"), "x").unwrap();
        std::fs::write(home.path().join("theirs"), "x").unwrap();
        let mode = |name: &str| std::fs::metadata(home.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode("ours"), mode("theirs"));
    }
}
