//! How do several files that belong together get written, so that no other run mixes its own with them, and a kill leaves
//! the old ones or the new ones?
//!
//! A folder is kept from other runs by a lock on a file in it, which the operating system takes back when a run is killed;
//! the next one finds the file free, and removes it at its end. All files of a set are written beside their places first,
//! and renamed into them one after the other at the end: a kill between two renames, a matter of microseconds, is all that
//! can divide a set.

use std::cell::RefCell;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Listed, Unfinished, refused};
use crate::error::{Error, Result};
use crate::job::Job;

/// The file that is locked.
const NAME: &str = ".tradewind.lock";

thread_local! {
    /// What waits to be renamed, while a set is written.
    static WAITING: RefCell<Option<Vec<Unfinished>>> = const { RefCell::new(None) };
}

/// A folder that is kept from other runs for as long as this lives.
pub(crate) struct Lock {
    folder: PathBuf,
    file: File,
    /// Folders that did not exist before, the innermost last.
    made: Vec<PathBuf>,
    /// A program that ends without waiting takes the file away.
    _listed: Listed,
}

impl Lock {
    /// Keeps a folder, which is made if it is not there, from every other run.
    ///
    /// # Errors
    /// When another run is at work there, or the folder cannot be made.
    pub(crate) fn on(folder: &Path) -> Result<Arc<Self>> {
        super::allowed(folder)?;
        Job::current().guard().keep(folder, || Self::take(folder).map(Arc::new))
    }

    fn take(folder: &Path) -> Result<Self> {
        let mut made: Vec<PathBuf> = folder
            .ancestors()
            .take_while(|part| !part.as_os_str().is_empty() && !part.exists())
            .map(PathBuf::from)
            .collect();
        made.reverse();
        std::fs::create_dir_all(folder).map_err(|cause| refused(folder, &cause))?;
        let path = folder.join(NAME);
        loop {
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
            let file = file.map_err(|cause| refused(&path, &cause))?;
            match file.try_lock() {
                // The run that kept it before may have removed it since it was opened.
                Ok(()) if !is_at(&file, &path) => continue,
                // A file system without locks has to do without.
                Ok(()) | Err(TryLockError::Error(_)) => {
                    let _listed = Listed::new(&path);
                    return Ok(Self { folder: folder.into(), file, made, _listed });
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::io(format!(
                        "another run is writing into {}; wait for it, or name another folder",
                        folder.display()
                    )));
                }
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next run.
        let _ = std::fs::remove_file(self.folder.join(NAME));
        let _ = self.file.unlock();
        for folder in self.made.iter().rev() {
            // Only an empty folder goes.
            if std::fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
}

/// Is this open file the one that stands at a path?
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let same = |a: std::fs::Metadata, b: std::fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
        file.metadata().is_ok_and(|open| path.metadata().is_ok_and(|there| same(open, there)))
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}

/// Writes files that belong together: what `work` writes takes its place when all of it is there, in the order in which it
/// was written, and nothing of it does when `work` fails.
///
/// # Errors
/// As `work`, and when a file cannot be put into its place.
pub fn together<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    /// Forgets what waits, also when `work` panics.
    struct Forget;
    impl Drop for Forget {
        fn drop(&mut self) {
            WAITING.set(None);
        }
    }
    if WAITING.with_borrow(Option::is_some) {
        return work();
    }
    WAITING.set(Some(Vec::new()));
    let forget = Forget;
    let outcome = work()?;
    let waiting = WAITING.take().unwrap_or_default();
    drop(forget);
    // Nothing but the renames lies between the first file and the last.
    let replaced = waiting.iter().map(Unfinished::check).collect::<Result<Vec<_>>>()?;
    let placed = waiting.into_iter().map(Unfinished::rename).collect::<Result<Vec<_>>>()?;
    placed.iter().zip(replaced).for_each(|(file, replaced)| file.tell(replaced));
    Ok(outcome)
}

/// Lets a file wait for the rest of its set; gives it back where none is being written.
pub(super) fn wait(file: Unfinished) -> Option<Unfinished> {
    WAITING.with_borrow_mut(|waiting| match waiting {
        Some(waiting) => {
            waiting.retain(|other| other.target != file.target);
            waiting.push(file);
            None
        }
        None => Some(file),
    })
}
