//! What may a script reach, and what may it use up?
//!
//! A script works behind a [`Fence`]: whatever its verbs look at, list, read, make or remove must lie below one of the
//! fence's folders once every link and every `..` is followed, which is judged before the file system is asked anything
//! else. What is refused is refused in the same words whether it is there or not. The fence belongs to the script's
//! [`Job`]; outside a script there is none.

use std::fs::File;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::format::number;
use crate::job::Job;

/// The folders below which files may be read and written, the databases that may be asked, what may be used up.
#[derive(Debug)]
pub(crate) struct Fence {
    folders: Vec<PathBuf>,
    databases: Vec<String>,
    most: Option<Most>,
    bytes: AtomicU64,
    files: AtomicU64,
    /// Milliseconds.
    asleep: AtomicU64,
    stopped: AtomicU8,
}

/// Why a script is stopped from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stop {
    /// It takes too much memory.
    Memory = 1,
    /// It takes too long.
    Time = 2,
    /// It writes a value that is longer than any text may be.
    Text = 3,
}

/// What a script may use up of the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    /// Seconds that a query may take, and rows that it may answer.
    pub(crate) seconds: u64,
    pub(crate) rows: u64,
    /// Seconds that it sleeps, all sleeps of a text together.
    pub(crate) asleep: u64,
    /// Bytes that it writes.
    pub(crate) disk: u64,
    /// Files that it writes.
    pub(crate) files: u64,
    /// Bytes that one table, or whatever else is made by one call, may take.
    pub(crate) memory: u64,
}

/// What is added to a refusal that a trusted script can do without.
pub(crate) const LIFTED: &str = "run it with --unlimited if it is meant to";

impl Fence {
    /// A fence around folders, the first of which is the working folder.
    pub(crate) fn around(folders: impl IntoIterator<Item = PathBuf>) -> Result<Self> {
        let real = |folder: PathBuf| {
            folder
                .canonicalize()
                .map_err(|cause| Error::usage(format!("{} cannot be allowed", folder.display())).because(cause))
        };
        let folders = folders.into_iter().map(real).collect::<Result<_>>()?;
        Ok(Self {
            folders,
            databases: Vec::new(),
            most: None,
            bytes: AtomicU64::new(0),
            files: AtomicU64::new(0),
            asleep: AtomicU64::new(0),
            stopped: AtomicU8::new(0),
        })
    }

    /// What is counted for each text begins anew.
    pub(crate) fn begin(&self) {
        self.asleep.store(0, Ordering::Relaxed);
        self.stopped.store(0, Ordering::Relaxed);
    }

    /// Stops what works behind it at the next place where it looks.
    pub(crate) fn stop(&self, why: Stop) {
        self.stopped.store(why as u8, Ordering::Relaxed);
    }

    /// Why what works behind it was stopped, if it was.
    pub(crate) fn stopped(&self) -> Option<Stop> {
        match self.stopped.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Stop::Memory),
            2 => Some(Stop::Time),
            _ => Some(Stop::Text),
        }
    }

    /// The same with databases that may be asked, by their names.
    pub(crate) fn with_databases(self, databases: impl IntoIterator<Item = String>) -> Self {
        Self { databases: databases.into_iter().collect(), ..self }
    }

    /// The same with limits.
    pub(crate) fn with_limits(self, most: Most) -> Self {
        Self { most: Some(most), ..self }
    }

    /// Does a real place lie behind it?
    pub(crate) fn holds(&self, real: &Path) -> bool {
        self.folders.iter().any(|folder| real.starts_with(folder))
    }

    fn check(&self, path: &Path) -> Result<()> {
        match real_place(path).is_some_and(|real| self.holds(&real)) {
            true => Ok(()),
            false => Err(self.refusal(path, path.parent().unwrap_or(path))),
        }
    }

    /// Says no more of a place than whoever names it has said; `folder` is what would have to be allowed.
    fn refusal(&self, path: &Path, folder: &Path) -> Error {
        let home = self.folders.first().map_or_else(String::new, |home| format!(" {}", home.display()));
        let folder = if folder.as_os_str().is_empty() { Path::new("FOLDER") } else { folder };
        Error::usage(format!(
            "{} lies outside the working folder{home}, below which a script reads and writes; allow more by --allow {}",
            path.display(),
            folder.display()
        ))
    }

    /// May a script ask this database? `host`, `host:port` and either with `/database` allow what they name.
    fn check_database(&self, host: &str, port: u16, database: &str) -> Result<()> {
        let server = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let plain = server.rsplit_once(':').map_or(host, |(host, _)| host);
        let names = [server.clone(), plain.into(), format!("{server}/{database}"), format!("{plain}/{database}")];
        match self.databases.iter().any(|allowed| names.iter().any(|name| name.eq_ignore_ascii_case(allowed))) {
            true => Ok(()),
            false => Err(Error::usage(format!(
                "a script asks no database that it was not allowed by name; allow this one by --allow-database {server}/{database}"
            ))),
        }
    }

    /// Counts what is about to be written.
    fn spend(&self, files: u64, bytes: u64) -> Result<()> {
        let Some(most) = self.most else { return Ok(()) };
        let spend = |spent: &AtomicU64, more: u64| spent.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        if spend(&self.files, files) > most.files {
            return Err(Error::usage(format!(
                "the script writes more than the limit of {} files; {LIFTED}",
                number(most.files as f64)
            )));
        }
        if spend(&self.bytes, bytes) > most.disk {
            let limit = number((most.disk >> 20) as f64);
            return Err(Error::usage(format!("the script writes more than the limit of {limit} MB; {LIFTED}")));
        }
        Ok(())
    }
}

/// Counts a sleep that is about to begin.
pub(crate) fn sleep(seconds: f64) -> Result<()> {
    Job::current().fences().try_for_each(|fence| {
        let Some(most) = fence.most else { return Ok(()) };
        let more = (seconds.max(0.0) * 1000.0).min(1e15) as u64;
        match fence.asleep.fetch_add(more, Ordering::Relaxed).saturating_add(more) > most.asleep.saturating_mul(1000) {
            true => Err(Error::usage(format!(
                "the script sleeps longer than the limit of {} seconds; {LIFTED}",
                number(most.asleep as f64)
            ))),
            false => Ok(()),
        }
    })
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

/// Is there a fence at all?
pub(crate) fn is_fenced() -> bool {
    Job::current().fences().next().is_some()
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

/// Says whether the running script may ask a database of a server.
#[cfg_attr(not(feature = "sql"), allow(dead_code))]
pub(crate) fn database_allowed(host: &str, port: u16, database: &str) -> Result<()> {
    Job::current().fences().try_for_each(|fence| fence.check_database(host, port, database))
}

/// Seconds that a script's query may take, and rows that it may answer; none where none are set.
#[cfg_attr(not(feature = "sql"), allow(dead_code))]
pub(crate) fn query_limits() -> Option<(u64, u64)> {
    let most = |pick: fn(Most) -> u64| Job::current().fences().filter_map(|fence| fence.most).map(pick).min();
    Some((most(|most| most.seconds)?, most(|most| most.rows)?))
}

/// Counts files and bytes that are about to be written; a script may write so many.
pub(crate) fn spend(files: u64, bytes: u64) -> Result<()> {
    Job::current().fences().try_for_each(|fence| fence.spend(files, bytes))
}

/// Refuses what would take more memory than a script may have: `count` things of `each` bytes, known as `what`.
pub(crate) fn room(what: &str, count: u64, each: u64) -> Result<()> {
    let asked = count.saturating_mul(each);
    let most = Job::current().fences().filter_map(|fence| fence.most).map(|most| most.memory).min();
    match most.filter(|most| asked > *most) {
        Some(most) => Err(Error::usage(format!(
            "{} {what} take more memory than the script's limit of {} MB; {LIFTED}",
            number(count as f64),
            number((most >> 20) as f64)
        ))),
        None => Ok(()),
    }
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

    #[test]
    fn databases_are_allowed_by_name() {
        let home = tempfile::tempdir().unwrap();
        let ask = |allowed: &str, host: &str| {
            let fence = Fence::around([home.path().to_path_buf()]).unwrap().with_databases([allowed.to_string()]);
            Job::behind(fence).during(|| database_allowed(host, 5432, "shop").is_ok())
        };
        for (allowed, host, expected) in [
            ("db", "db", true),
            ("DB:5432", "db", true),
            ("db/shop", "db", true),
            ("db:5432/shop", "db", true),
            ("[::1]:5432", "::1", true),
            ("db:5433", "db", false),
            ("db/other", "db", false),
            ("d", "db", false),
            ("", "db", false),
        ] {
            assert_eq!(ask(allowed, host), expected, "{allowed} {host}");
        }
        assert!(database_allowed("db", 5432, "shop").is_ok());
    }

    #[test]
    fn what_is_written_is_counted() {
        let home = tempfile::tempdir().unwrap();
        let most = Most { disk: 100 << 20, files: 3, memory: 1 << 30, asleep: 10, seconds: 1, rows: 1 };
        Job::behind(Fence::around([home.path().to_path_buf()]).unwrap().with_limits(most)).during(|| {
            assert!(spend(1, 60 << 20).is_ok() && spend(1, 40 << 20).is_ok());
            assert!(spend(1, 1).unwrap_err().to_string().contains("100 MB"));
            assert!(spend(1, 0).unwrap_err().to_string().contains("3 files"));
            assert!(sleep(4.0).is_ok() && sleep(6.0).is_ok() && sleep(-3.0).is_ok());
            assert!(sleep(0.5).unwrap_err().to_string().contains("10 seconds"));
            assert!(room("rows", 1 << 20, 1 << 10).is_ok());
            assert!(room("rows", u64::MAX, 2).unwrap_err().to_string().contains("1,024 MB"));
        });
        assert!(spend(1 << 40, 1 << 60).is_ok() && room("rows", u64::MAX, 2).is_ok());
    }
}
