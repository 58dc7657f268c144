//! How does a file get written so that no half-written output ever stands under its final name?
//!
//! The bytes go to a temporary file in the target's folder, which is renamed into place at the end: a reader sees
//! the old file or the new one, never a part. When writing fails, the temporary file is removed.

use std::fs::File;
use std::path::Path;

use crate::error::{Error, Result};

/// Write `path` through `write`, creating its folder, and replace what stood there in one step.
pub(crate) fn write_atomically(path: &Path, write: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
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
    write(temporary.as_file_mut()).map_err(|error| error.within(format!("cannot write {}", path.display())))?;
    temporary.persist(path).map_err(|failure| refused(path, &failure.error))?;
    Ok(())
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
    use std::io::Write as _;

    fn put(path: &Path, text: &str) -> Result<()> {
        write_atomically(path, |file| {
            file.write_all(text.as_bytes()).map_err(|cause| Error::io("the write failed").because(cause))
        })
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
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("c.txt");
        put(&path, "old").unwrap();
        let error = write_atomically(&path, |file| {
            file.write_all(b"half").map_err(|cause| Error::io("x").because(cause))?;
            Err(Error::data("the numbers ran out"))
        })
        .unwrap_err();
        assert!(error.is_data() && error.to_string().contains("c.txt"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
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
