//! Which files may a script reach?
//!
//! A script works behind a [`Fence`]: whatever its verbs list, read, create or remove must be below one of the fence's
//! folders once every link and every `..` is resolved, which is checked before any other access to the file system. A
//! refusal reads the same whether the file exists or not. The fence belongs to the script's [`Job`]; outside a script
//! there is none.

use std::fs::File;
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, Result};
use crate::job::{Fence, Job};

impl Fence {
    /// A fence around folders, the first of which is the working folder.
    pub(crate) fn around(folders: impl IntoIterator<Item = PathBuf>) -> Result<Self> {
        let real = |folder: PathBuf| {
            folder
                .canonicalize()
                .map_err(|cause| Error::usage(format!("{} cannot be allowed", folder.display())).because(cause))
        };
        Ok(Self::of(folders.into_iter().map(real).collect::<Result<_>>()?))
    }

    fn check(&self, path: &Path) -> Result<()> {
        if real_place(path).is_some_and(|real| self.holds(&real)) {
            Ok(())
        } else {
            Err(self.refusal(path, path.parent().unwrap_or(path)))
        }
    }

    /// Says no more of a place than whoever names it has said; `folder` is what would have to be allowed.
    fn refusal(&self, path: &Path, folder: &Path) -> Error {
        let home = self.home().map_or_else(String::new, |home| format!(" {}", home.display()));
        let folder = if folder.as_os_str().is_empty() { Path::new("FOLDER") } else { folder };
        Error::usage(format!(
            "{} lies outside the working folder{home}, below which a script reads and writes; allow more by --allow {}",
            path.display(),
            folder.display()
        ))
    }
}

/// Where a path leads once every link is followed; what does not exist yet is taken from the nearest folder that does.
fn real_place(path: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(path).ok()?;
    let existing = absolute.ancestors().find(|place| place.symlink_metadata().is_ok())?;
    let rest = absolute.strip_prefix(existing).ok()?;
    if rest.components().all(|part| matches!(part, Component::Normal(_))) {
        Some(existing.canonicalize().ok()?.join(rest))
    } else {
        None
    }
}

/// Says whether the running script may touch a path; outside a script everything may be touched.
pub(crate) fn allowed(path: &Path) -> Result<()> {
    Job::current().fences().try_for_each(|fence| fence.check(path))
}

/// As [`allowed`], of a folder that is looked into.
pub(super) fn folder_allowed(folder: &Path) -> Result<()> {
    let refused = |fence: &Fence| !real_place(folder).is_some_and(|real| fence.holds(&real));
    match Job::current().fences().find(|fence| refused(fence)) {
        Some(fence) => Err(fence.refusal(&folder.join(""), folder)),
        None => Ok(()),
    }
}

/// As [`allowed`], of a file that was opened under this path: a link that was changed in between leads nowhere.
pub(super) fn still_allowed(path: &Path, file: &File) -> Result<()> {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        let job = Job::current();
        let mut fences = job.fences().peekable();
        if fences.peek().is_some() {
            let real = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok();
            // Where the system does not say, what was judged before it was opened must do.
            return match real {
                Some(real) => match fences.find(|fence| !fence.holds(&real)) {
                    Some(fence) => Err(fence.refusal(path, path.parent().unwrap_or(path))),
                    None => Ok(()),
                },
                None => Ok(()),
            };
        }
    }
    let _ = (path, file);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_fence_follows_links_and_dots() {
        let home = tempfile::tempdir().unwrap();
        let (inside, outside) = (home.path().join("in"), home.path().join("out"));
        std::fs::create_dir_all(inside.join("a")).unwrap();
        std::fs::create_dir(&outside).unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("link")).unwrap();
        std::os::unix::fs::symlink(home.path().join("nowhere"), inside.join("dangling")).unwrap();
        Job::behind(Fence::around([inside.clone()]).unwrap()).during(|| {
            for good in ["new.txt", "a/b/c/new.txt", "a/../new.txt", ""] {
                assert!(allowed(&inside.join(good)).is_ok(), "{good}");
            }
            for bad in ["../out/x", "link/x", "dangling", "a/../../out", "none/../../out/x", "/etc/passwd"] {
                assert!(allowed(&inside.join(bad)).unwrap_err().to_string().contains("--allow"), "{bad}");
            }
        });
        assert!(allowed(&outside).is_ok());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_was_opened_is_judged_again() {
        let home = tempfile::tempdir().unwrap();
        let (inside, outside) = (home.path().join("in"), home.path().join("out.txt"));
        std::fs::create_dir(&inside).unwrap();
        std::fs::write(&outside, "x").unwrap();
        std::fs::write(inside.join("own.txt"), "x").unwrap();
        let (own, foreign) = (File::open(inside.join("own.txt")).unwrap(), File::open(&outside).unwrap());
        Job::behind(Fence::around([inside.clone()]).unwrap()).during(|| {
            assert!(still_allowed(&inside.join("own.txt"), &own).is_ok());
            assert!(still_allowed(&inside.join("own.txt"), &foreign).unwrap_err().to_string().contains("--allow"));
        });
    }
}
