//! What may a script use up of the machine, and which places lie behind its fence?
//!
//! A script works behind a [`Fence`], which belongs to its [`Job`]; outside a script there is none. The room of files judges
//! places by it, whoever makes or spends something counts it here.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use super::Job;
use crate::error::{Error, Result};
use crate::format::number;

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
    /// A fence around real folders, the first of which is the working folder.
    pub(crate) fn of(folders: Vec<PathBuf>) -> Self {
        Self {
            folders,
            databases: Vec::new(),
            most: None,
            bytes: AtomicU64::new(0),
            files: AtomicU64::new(0),
            asleep: AtomicU64::new(0),
            stopped: AtomicU8::new(0),
        }
    }

    /// The working folder.
    pub(crate) fn home(&self) -> Option<&Path> {
        self.folders.first().map(PathBuf::as_path)
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
        if !charge(&self.files, files, most.files) {
            return Err(Error::usage(format!(
                "the script writes more than the limit of {} files; {LIFTED}",
                number(most.files as f64)
            )));
        }
        if !charge(&self.bytes, bytes, most.disk) {
            let limit = number((most.disk >> 20) as f64);
            return Err(Error::usage(format!("the script writes more than the limit of {limit} MB; {LIFTED}")));
        }
        Ok(())
    }
}

/// Adds to what was used up, unless that would be more than there may be; was it added?
fn charge(used: &AtomicU64, more: u64, most: u64) -> bool {
    let sum = |used: u64| used.checked_add(more).filter(|sum| *sum <= most);
    used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum).is_ok()
}

/// Counts a sleep that is about to begin.
pub(crate) fn sleep(seconds: f64) -> Result<()> {
    Job::current().fences().try_for_each(|fence| {
        let Some(most) = fence.most else { return Ok(()) };
        let more = (seconds.max(0.0) * 1000.0).min(1e15) as u64;
        match charge(&fence.asleep, more, most.asleep.saturating_mul(1000)) {
            true => Ok(()),
            false => Err(Error::usage(format!(
                "the script sleeps longer than the limit of {} seconds; {LIFTED}",
                number(most.asleep as f64)
            ))),
        }
    })
}

/// Is there a fence at all?
pub(crate) fn is_fenced() -> bool {
    Job::current().fences().next().is_some()
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

    #[test]
    fn databases_are_allowed_by_name() {
        let ask = |allowed: &str, host: &str| {
            let fence = Fence::of(Vec::new()).with_databases([allowed.to_string()]);
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
        let most = Most { disk: 100 << 20, files: 3, memory: 1 << 30, asleep: 10, seconds: 1, rows: 1 };
        Job::behind(Fence::of(Vec::new()).with_limits(most)).during(|| {
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
