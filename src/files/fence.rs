//! Which files may a script touch?
//!
//! A script works behind a [`Fence`]: whatever its verbs open must lie below one of the fence's folders, links followed.
//! The fence belongs to the script's [`Job`]; outside a script there is none.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::job::Job;

/// The folders below which files may be read and written.
#[derive(Clone)]
pub(crate) struct Fence(Arc<[PathBuf]>);

impl Fence {
    /// A fence around folders, the first of which is the working folder.
    pub(crate) fn around(folders: impl IntoIterator<Item = PathBuf>) -> Result<Self> {
        let real = |folder: PathBuf| {
            folder
                .canonicalize()
                .map_err(|cause| Error::usage(format!("{} cannot be allowed", folder.display())).because(cause))
        };
        Ok(Self(folders.into_iter().map(real).collect::<Result<_>>()?))
    }

    fn check(&self, path: &Path) -> Result<()> {
        let real = real_place(path);
        if real.as_ref().is_some_and(|real| self.0.iter().any(|folder| real.starts_with(folder))) {
            return Ok(());
        }
        let real = real.unwrap_or_else(|| path.to_path_buf());
        let folder = real.parent().unwrap_or(&real).display().to_string();
        let home = self.0.first().map_or_else(String::new, |home| format!(" {}", home.display()));
        Err(Error::usage(format!(
            "{} lies outside the working folder{home}, below which a script reads and writes; allow more by --allow {folder}",
            path.display()
        )))
    }
}

/// Where a path leads once every link is followed; what does not exist yet is taken from the nearest folder that does.
fn real_place(path: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(path).ok()?;
    let existing = absolute.ancestors().find(|place| place.symlink_metadata().is_ok())?;
    let rest = absolute.strip_prefix(existing).ok()?;
    match rest.components().all(|part| matches!(part, Component::Normal(_))) {
        true => Some(existing.canonicalize().ok()?.join(rest)),
        false => None,
    }
}

/// Says whether the running script may touch a path; outside a script everything may be touched.
pub(crate) fn allowed(path: &Path) -> Result<()> {
    Job::current().fence().map_or(Ok(()), |fence| fence.check(path))
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
}
