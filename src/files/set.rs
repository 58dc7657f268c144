//! How are several files that belong together written, so that no other run mixes its own with them, and a kill leaves
//! either the old ones or the new ones?
//!
//! A lock on a file in the folder excludes other runs; the operating system releases it when a run is killed, and the
//! next run finds the file unlocked and removes it at its end. All files of a set are first written under temporary
//! names, and renamed one after the other at the end. A kill between two renames, a matter of microseconds, divides the
//! set: a journal in the locked folder lists the files still to be renamed, and the next run that locks the folder or
//! writes into it first completes the renames. Folders that are not nested are completed one by one.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::guard::place;
use super::{Listed, Unfinished, WRITING, refused, remove_own};
use crate::error::{Error, Result};
use crate::job::Job;

/// The file that is locked.
const NAME: &str = ".tradewind.lock";

/// The journal of a set; its name begins as those of files do that are being written.
const JOURNAL: &str = ".tradewind-writing-set";

thread_local! {
    /// What waits for its end, while a set is written.
    static WAITING: RefCell<Option<Waiting>> = const { RefCell::new(None) };
}

/// Files to be renamed into their places, and after them those to be removed.
#[derive(Default)]
struct Waiting {
    begun: Vec<Unfinished>,
    gone: Vec<PathBuf>,
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
                    heal(folder);
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

/// Writes files that belong together: what `work` writes takes its place when all of it is there, in the order in which
/// it was written, and what it removes goes then; nothing of it happens when `work` fails.
///
/// # Errors
/// As `work`, and when a file cannot be put into its place.
pub fn together<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    /// Forgets what waits, also when `work` panics.
    struct Forget;
    impl Drop for Forget {
        fn drop(&mut self) {
            // The last first: the folder that was made for the first file goes with it, once it is empty.
            let mut waiting = WAITING.take().unwrap_or_default();
            while waiting.begun.pop().is_some() {}
        }
    }
    if WAITING.with_borrow(Option::is_some) {
        return work();
    }
    WAITING.set(Some(Waiting::default()));
    let forget = Forget;
    let outcome = work()?;
    let Waiting { begun, gone } = WAITING.take().unwrap_or_default();
    drop(forget);
    let replaced = begun.iter().map(Unfinished::check).collect::<Result<Vec<_>>>()?;
    let _journals = Journal::of(&begun)?;
    // Nothing but the renames lies between the first file and the last.
    let placed = begun.into_iter().map(Unfinished::rename).collect::<Result<Vec<_>>>()?;
    placed.iter().zip(replaced).for_each(|(file, replaced)| file.tell(replaced));
    gone.iter().try_for_each(|path| remove_own(path))?;
    Ok(outcome)
}

/// What is still to be renamed in a folder; it is gone when all of it is.
struct Journal {
    path: PathBuf,
    /// Locked for as long as the run lives that renames.
    _file: File,
    _listed: Listed,
}

impl Journal {
    /// For the files of a set, where the next run will look: in the folder that is kept from other runs, else in their
    /// own. A file alone needs none.
    fn of(set: &[Unfinished]) -> Result<Vec<Self>> {
        let mut folders: BTreeMap<PathBuf, Vec<[PathBuf; 2]>> = BTreeMap::new();
        let guard = Job::current().guard();
        for file in set.iter().filter(|_| set.len() > 1) {
            let (from, to) = (place(file.temporary.path()), place(&file.target));
            let folder = guard.kept_around(&to).or_else(|| Some(to.parent()?.to_path_buf()));
            let Some(folder) = folder else { continue };
            if let (Ok(from), Ok(to)) = (from.strip_prefix(&folder), to.strip_prefix(&folder)) {
                let renamed = [from.to_path_buf(), to.to_path_buf()];
                folders.entry(folder).or_default().push(renamed);
            }
        }
        folders.into_iter().map(|(folder, renames)| Self::write(&folder, &renames)).collect()
    }

    fn write(folder: &Path, renames: &[[PathBuf; 2]]) -> Result<Self> {
        let path = folder.join(JOURNAL);
        let failed = |cause: std::io::Error| refused(&path, &cause);
        let file = super::begun(folder).map_err(failed)?;
        // Whoever gives files names that are no text does without.
        let text = serde_json::to_vec(renames).unwrap_or_default();
        file.as_file().write_all(&text).map_err(failed)?;
        let _listed = Listed::new(&path);
        let _file = file.persist(&path).map_err(|failure| failed(failure.error))?;
        Ok(Self { path, _file, _listed })
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // One that cannot be removed names files that are gone.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Renames what a killed run had still to rename in a folder, as its journal there says.
pub(super) fn heal(folder: &Path) {
    let path = folder.join(JOURNAL);
    let Ok(journal) = OpenOptions::new().read(true).write(true).open(&path) else { return };
    // A run that lives renames by itself.
    if matches!(journal.try_lock(), Err(TryLockError::WouldBlock)) || !is_at(&journal, &path) {
        return;
    }
    let renames: Vec<[PathBuf; 2]> = serde_json::from_reader(&journal).unwrap_or_default();
    // What lies in the folder alone, and was being written: whoever else writes such a journal moves nothing by it.
    let real = place(folder);
    let inside = |path: &Path| {
        let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        let path = real.join(path);
        (plain && path.parent().is_some_and(|parent| place(parent) == parent)).then_some(path)
    };
    for [from, to] in &renames {
        let (Some(from), Some(to)) = (inside(from), inside(to)) else { continue };
        let begun = from.file_name().is_some_and(|name| name.to_string_lossy().starts_with(WRITING));
        let whole = begun && from.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
        if whole && Job::current().guard().replaces(&to).is_ok() {
            // What cannot be renamed is swept away as any other leftover is.
            let _ = std::fs::rename(&from, &to);
        }
    }
    let _ = std::fs::remove_file(&path);
}

/// Lets a file wait for the rest of its set; gives it back where none is being written.
pub(super) fn wait(file: Unfinished) -> Option<Unfinished> {
    WAITING.with_borrow_mut(|waiting| match waiting {
        Some(waiting) => {
            waiting.begun.retain(|other| other.target != file.target);
            waiting.begun.push(file);
            None
        }
        None => Some(file),
    })
}

/// Lets the removal of a file wait for the set that is being written; does it?
pub(super) fn goes_later(path: &Path) -> bool {
    WAITING.with_borrow_mut(|waiting| waiting.as_mut().map(|waiting| waiting.gone.push(path.into())).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::write_atomically;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// A folder as a kill leaves it after the first of three renames.
    fn divided() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("a"), "new").unwrap();
        for name in ["b", "c"] {
            std::fs::write(home.path().join(name), "").unwrap();
            std::fs::write(home.path().join(format!("{WRITING}{name}")), "new").unwrap();
        }
        let renames = ["a", "b", "c"].map(|name| (format!("{WRITING}{name}"), name));
        std::fs::write(home.path().join(JOURNAL), serde_json::to_string(&renames).unwrap()).unwrap();
        home
    }

    #[test]
    fn a_divided_set_is_made_whole_by_whoever_comes_next() {
        let whole = |home: &Path| {
            ["a", "b", "c"]
                .iter()
                .for_each(|name| assert_eq!(std::fs::read_to_string(home.join(name)).unwrap(), "new"));
        };
        let home = divided();
        drop(Lock::on(home.path()).unwrap());
        whole(home.path());
        assert_eq!(names(home.path()), ["a", "b", "c"]);
        let home = divided();
        write_atomically(&home.path().join("d"), b"text").unwrap();
        whole(home.path());
        assert_eq!(names(home.path()), ["a", "b", "c", "d"]);
        // A folder within the one that is locked.
        let home = divided();
        let around = tempfile::tempdir().unwrap();
        let inner = around.path().join("assets");
        std::fs::rename(home.path(), &inner).unwrap();
        let renames = ["a", "b", "c"].map(|name| (format!("assets/{WRITING}{name}"), format!("assets/{name}")));
        std::fs::write(around.path().join(JOURNAL), serde_json::to_string(&renames).unwrap()).unwrap();
        std::fs::remove_file(inner.join(JOURNAL)).unwrap();
        drop(Lock::on(around.path()).unwrap());
        whole(&inner);
        assert_eq!(
            (names(around.path()), names(&inner)),
            (vec!["assets".into()], vec!["a".into(), "b".into(), "c".into()])
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_journal_moves_nothing_else() {
        let home = divided();
        let outside = tempfile::tempdir().unwrap();
        let away = outside.path().join(format!("{WRITING}x")).to_str().unwrap().to_string();
        std::fs::write(&away, "theirs").unwrap();
        // Somebody has written words of his own where a file was to go, and another journal.
        let here = |name: &str| home.path().join(name);
        std::fs::write(here("b"), "words of their own").unwrap();
        std::os::unix::fs::symlink(outside.path(), here("link")).unwrap();
        let renames = [
            (away.as_str(), "d"),
            ("a", "e"),
            (".tradewind-writing-b", "b"),
            (".tradewind-writing-c", "../c"),
            ("link/.tradewind-writing-x", "x"),
            (".tradewind-writing-c", "link/c"),
        ];
        std::fs::write(here(JOURNAL), serde_json::to_string(&renames).unwrap()).unwrap();
        write_atomically(&here("f"), b"text").unwrap();
        assert_eq!(names(home.path()), ["a", "b", "c", "f", "link"]);
        assert_eq!(names(outside.path()), [".tradewind-writing-x"]);
        assert_eq!(std::fs::read_to_string(here("b")).unwrap(), "words of their own");
        assert_eq!(std::fs::read_to_string(&away).unwrap(), "theirs");
        std::fs::write(here(JOURNAL), "[[\"no").unwrap();
        write_atomically(&here("g"), b"text").unwrap();
        drop(Lock::on(home.path()).unwrap());
        assert_eq!(names(home.path()), ["a", "b", "c", "f", "g", "link"]);
    }

    #[test]
    fn what_goes_with_a_set_goes_with_it_alone() {
        let home = tempfile::tempdir().unwrap();
        let list = home.path().join("list.csv");
        write_atomically(&list, b"model,series,reason\n").unwrap();
        let failed: Result<()> = together(|| {
            remove_own(&list)?;
            Err(Error::data("the rest cannot be made"))
        });
        assert!(failed.is_err() && list.exists());
        together(|| remove_own(&list)).unwrap();
        assert!(!list.exists());
    }

    #[test]
    fn a_set_leaves_no_journal() {
        let home = tempfile::tempdir().unwrap();
        let write = |name: &str| write_atomically(&home.path().join("in").join(name), name.as_bytes());
        together(|| write("a").and_then(|()| write("b"))).unwrap();
        assert_eq!(names(&home.path().join("in")), ["a", "b"]);
        // A file that turns into a folder while the set is written is an error, and none of the set is there.
        let failed = together(|| {
            write("c")?;
            write("d")?;
            std::fs::create_dir_all(home.path().join("in/d/e")).unwrap();
            Ok(())
        });
        assert!(failed.unwrap_err().is_io());
        assert_eq!(names(&home.path().join("in")), ["a", "b", "d"]);
    }
}
