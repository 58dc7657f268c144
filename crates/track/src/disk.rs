//! How do files get to the disk so that nobody ever reads half of one?
//!
//! A file is written beside its run and renamed into place; lines are appended by one write, and taken back if the disk
//! is full half-way. This withstands the end of the process at any moment; a cut of the power may cost what the system
//! had not written yet.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};

/// What the names of unfinished files begin with.
const UNFINISHED: &str = ".writing-";

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    millis(SystemTime::now())
}

pub(crate) fn millis(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |past| i64::try_from(past.as_millis()).unwrap_or(i64::MAX))
}

/// A new identifier of 32 hexadecimal digits, as MLflow's are.
pub(crate) fn new_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Writes `bytes` to `path`; `beside` is a folder of the same disk that nobody lists files of.
pub(crate) fn write(beside: &Path, path: &Path, bytes: &[u8]) -> Result<()> {
    fill(beside, path, |temporary| fs::write(temporary, bytes))
}

/// Copies the file `from` to `path`, likewise.
pub(crate) fn copy(beside: &Path, from: &Path, path: &Path) -> Result<()> {
    if !from.is_file() {
        return Err(Error::usage(format!("there is no file {} to keep as an artifact", from.display())));
    }
    fill(beside, path, |temporary| fs::copy(from, temporary).map(|_| ()))
}

/// Lets `work` write a temporary file, which then gets its place.
pub(crate) fn fill(beside: &Path, path: &Path, work: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let temporary = beside.join(format!("{UNFINISHED}{}-{number}", std::process::id()));
    let written = work(&temporary).and_then(|()| match fs::rename(&temporary, path) {
        // The first file of its folder; and an empty folder stays a folder.
        Err(cause) if cause.kind() == ErrorKind::NotFound && temporary.exists() => {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::rename(&temporary, path)
        }
        done => done,
    });
    written.map_err(|cause| {
        // What is left of it is of no use, and the disk may be full.
        let _ = fs::remove_file(&temporary);
        Error::io("write", path, &cause)
    })
}

/// Appends whole lines to `path` somewhere below `beside`, which must be there. A line that an earlier writer left
/// unfinished gets its end first.
pub(crate) fn append(beside: &Path, path: &Path, lines: &str) -> Result<()> {
    let open = || File::options().read(true).append(true).create(true).open(path);
    let done = match open() {
        Err(cause) if cause.kind() == ErrorKind::NotFound && beside.is_dir() => {
            path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| open())
        }
        opened => opened,
    }
    .and_then(|mut file| {
        let length = file.metadata()?.len();
        let mut last = [b'\n'];
        if length > 0 {
            file.seek(SeekFrom::Start(length - 1))?;
            file.read_exact(&mut last)?;
        }
        let text = if last == [b'\n'] { lines.to_owned() } else { format!("\n{lines}") };
        let done = file.write_all(text.as_bytes());
        if done.is_err() {
            // Half a line would be read as another number. Nothing can be done if this fails as well.
            let _ = file.set_len(length);
        }
        done
    });
    done.map_err(|cause| Error::io("write", path, &cause))
}

/// The text of a file, or `None` if there is none.
pub(crate) fn text(path: &Path) -> Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(cause) => Err(Error::io("read", path, &cause)),
    }
}

/// Makes a folder and those above it.
pub(crate) fn folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|cause| Error::io("create the folder", path, &cause))
}

/// The names of the folders, or of the files, directly below a folder that may be missing.
pub(crate) fn names(path: &Path, folders: bool) -> Result<Vec<String>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        Err(cause) => return Err(Error::io("list", path, &cause)),
    };
    let wanted = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir() == folders));
    Ok(wanted.filter_map(|entry| entry.file_name().into_string().ok()).collect())
}

/// Every file below a folder, by its path from there with `/`, in order.
pub(crate) fn walk(root: &Path) -> Result<Vec<(String, PathBuf)>> {
    fn below(folder: &Path, prefix: &str, found: &mut Vec<(String, PathBuf)>) -> Result<()> {
        for name in names(folder, false)?.into_iter().filter(|name| !name.starts_with(UNFINISHED)) {
            found.push((format!("{prefix}{name}"), folder.join(name)));
        }
        for name in names(folder, true)? {
            below(&folder.join(&name), &format!("{prefix}{name}/"), found)?;
        }
        Ok(())
    }
    let mut found = Vec::new();
    below(root, "", &mut found)?;
    found.sort();
    Ok(found)
}

/// By what a file is known to be unchanged: its last change in nanoseconds, its length and its number on the disk.
pub(crate) type Stamp = (u128, u64, u64);

/// The stamp of a file, or `None` if there is none.
pub(crate) fn stamp(path: &Path) -> Option<Stamp> {
    let about = fs::metadata(path).ok()?;
    let changed = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&about);
    #[cfg(not(unix))]
    let number = 0;
    Some((changed, about.len(), number))
}

/// Keeps others out of `path` until it is dropped; waits for those inside.
pub(crate) fn lock(path: &Path) -> Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path);
    file.and_then(|file| file.lock().map(|()| file)).map_err(|cause| Error::io("lock", path, &cause))
}
