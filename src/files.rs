//! How does a file get written so that no half-written output ever stands under its final name?
//!
//! The bytes go to a temporary file in the target's folder, which is renamed into place at the end: a reader sees
//! the old file or the new one, never a part. When writing fails, the temporary file is removed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::error::{Error, Result};
use crate::progress;

/// The temporary files that are being written now.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Write `bytes` to `path`, creating its folder, and replace what stood there in one step.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    progress::check()?;
    if path.as_os_str().is_empty() || path.file_name().is_none() {
        return Err(Error::usage(format!("cannot write `{}`: the path names no file", path.display())));
    }
    if path.is_dir() {
        return Err(Error::io(format!("cannot write {}: it is a folder; name a file inside it", path.display())));
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(|cause| refused(path, &cause))?;
    let mut temporary = builder().prefix(".writing-").tempfile_in(folder).map_err(|cause| refused(path, &cause))?;
    let place = temporary.path().to_path_buf();
    with_unfinished(|files| files.push(place.clone()));
    let written = temporary
        .write_all(bytes)
        .map_err(|cause| refused(path, &cause))
        .and_then(|()| temporary.persist(path).map_err(|failure| refused(path, &failure.error)));
    with_unfinished(|files| files.retain(|file| *file != place));
    written.map(|_| ())
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

/// The machine's refusal with what to do about it.
fn refused(path: &Path, cause: &std::io::Error) -> Error {
    use std::io::ErrorKind;
    let (why, advice) = match cause.kind() {
        ErrorKind::PermissionDenied => ("the folder is not writable", "choose another path"),
        ErrorKind::NotFound => ("its folder cannot be made", "choose another path"),
        ErrorKind::ReadOnlyFilesystem => ("the disk is read-only", "choose another path"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => ("the disk is full", "free some space"),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            ("a file stands where its folder should be", "choose another path")
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
