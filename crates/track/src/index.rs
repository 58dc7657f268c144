//! How are ten thousand runs listed in a blink?
//!
//! `.tradewind-index` in the root holds what a list tells of each run, with the stamp (time of change, length, number on
//! the disk) of the two files that it comes from. A row counts only while they are as they were and were two seconds old
//! when they were read, so that a change within the resolution of the disk's clock is never missed. The file begins with
//! a hash of the rest: whatever is wrong with it, it is made anew. Without the right to write it, lists are as right and
//! slower.
//!
//! Asking for the stamps is what a list costs. That of `meta.yaml` is always asked for; that of the tag with the parent
//! when runs are wanted by their parent. Another parent given by Tradewind changes the first as well; one that another
//! program gives to a run that has ended shows in other lists when that run changes next.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::PoisonError;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::disk;
use crate::error::Result;
use crate::meta::META;
use crate::place::Place;
use crate::store::Store;
use crate::types::{Filter, Listing, PARENT, RunInfo, Status};

/// The file of the index.
const FILE: &str = ".tradewind-index";
/// A file that changed less than that before it was read may change again without looking so.
const FRESH: u128 = Duration::from_secs(2).as_nanos();

/// Time of change in nanoseconds, length, number on the disk.
type Stamp = (u64, u64, u64);

/// What is known of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    meta: Stamp,
    /// Of the tag with the parent, if there is one.
    tag: Option<Stamp>,
    /// May both be trusted as long as they are the same?
    settled: bool,
    name: String,
    status: i64,
    start: i64,
    end: Option<i64>,
    parent: Option<String>,
    deleted: bool,
    /// Why the run cannot be read.
    broken: Option<String>,
}

/// The rows of each experiment, by run.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Index(BTreeMap<String, HashMap<String, Row>>);

fn stamp(path: &std::path::Path) -> Option<Stamp> {
    disk::stamp(path).map(|(time, length, number)| (u64::try_from(time).unwrap_or(u64::MAX), length, number))
}

impl Index {
    fn load(path: &std::path::Path) -> Option<Self> {
        let bytes = std::fs::read(path).ok()?;
        let (hash, rest) = bytes.split_at_checked(64)?;
        (blake3::hash(rest).to_hex().as_bytes() == hash).then_some(())?;
        rmp_serde::from_slice(rest).ok()
    }

    fn save(&self, store: &Store) {
        if let Ok(rows) = rmp_serde::to_vec(self) {
            let whole = [blake3::hash(&rows).to_hex().as_bytes(), &rows].concat();
            // It only saves time: the list is right without it.
            let _ = disk::write(store.root(), &store.root().join(FILE), &whole);
        }
    }
}

impl Row {
    fn read(place: &Place, meta: Stamp, tag: Option<Stamp>) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |past| past.as_nanos());
        let is_old = |stamp: Stamp| u128::from(stamp.0) + FRESH < now;
        let mut row = Self {
            meta,
            tag,
            settled: is_old(meta) && tag.is_none_or(is_old),
            name: String::new(),
            status: 1,
            start: 0,
            end: None,
            parent: None,
            deleted: false,
            broken: None,
        };
        match place.meta().and_then(|run| Ok((run, disk::text(&place.parent_path())?))) {
            Ok((run, parent)) => {
                row.name = run.run_name;
                row.status = run.status;
                row.start = run.start_time.unwrap_or_default();
                row.end = run.end_time;
                row.deleted = run.lifecycle_stage == "deleted";
                row.parent = parent;
            }
            Err(error) => row.broken = Some(error.to_string()),
        }
        row
    }

    fn info(&self, experiment: &str, run: &str) -> RunInfo {
        RunInfo {
            id: run.to_owned(),
            server_id: None,
            experiment_id: experiment.to_owned(),
            name: self.name.clone(),
            status: Status::of_number(self.status),
            start: self.start,
            end: self.end,
            parent: self.parent.clone(),
        }
    }
}

impl Store {
    /// The runs that a filter takes, the latest first.
    pub(crate) fn runs(&self, filter: &Filter) -> Result<Listing> {
        let wanted = match &filter.experiment {
            Some(name) => self.named(name)?.filter(|(_, is_active)| *is_active).map(|(id, _)| id).into_iter().collect(),
            None => self.experiments()?,
        };
        let mut guard = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let mut index = guard.take().or_else(|| Index::load(&self.root().join(FILE))).unwrap_or_default();
        let mut listing = Listing::default();
        let mut changed = false;
        if filter.experiment.is_none() {
            index.0.retain(|experiment, _| wanted.contains(experiment));
        }
        for experiment in wanted {
            let folders = self.run_folders(&experiment)?;
            let rows = index.0.entry(experiment.clone()).or_default();
            changed |= self.refresh(&experiment, &folders, rows, filter.parent.is_some());
            for (run, row) in rows.iter().filter(|(_, row)| !row.deleted) {
                match &row.broken {
                    Some(why) => listing.unreadable.push((self.path_of(&experiment, run), why.clone())),
                    None => {
                        let info = row.info(&experiment, run);
                        if filter.takes(&info) {
                            listing.runs.push(info);
                        }
                    }
                }
            }
        }
        if changed {
            index.save(self);
        }
        *guard = Some(index);
        drop(guard);
        listing.runs.sort_by(|one, other| other.start.cmp(&one.start).then_with(|| one.id.cmp(&other.id)));
        listing.unreadable.sort();
        self.narrow(&mut listing, filter);
        Ok(listing)
    }

    /// Brings the rows of an experiment up to its files, and says whether any has changed. The work is mostly asking the
    /// disk, and two ask faster than one.
    fn refresh(&self, experiment: &str, folders: &[String], rows: &mut HashMap<String, Row>, parents: bool) -> bool {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let size = if folders.len() < 1_000 { folders.len() } else { folders.len().div_ceil(cores) }.max(1);
        let known = &*rows;
        let news: Vec<(&String, Option<Row>)> = std::thread::scope(|scope| {
            let look = |part: &'_ [String]| -> Vec<(usize, Option<Row>)> {
                let news = part.iter().enumerate();
                news.filter_map(|(place, run)| Some((place, self.news(experiment, run, known.get(run), parents)?)))
                    .collect()
            };
            let ask = |part| scope.spawn(move || look(part));
            let parts: Vec<_> = folders.chunks(size).map(|part| (part, ask(part))).collect();
            let done = parts.into_iter().flat_map(|(part, worker)| {
                let news = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                news.into_iter().filter_map(move |(place, row)| Some((part.get(place)?, row)))
            });
            done.collect()
        });
        let mut runs = folders.len();
        let mut changed = false;
        for (run, row) in news {
            match row {
                Some(row) => {
                    changed = true;
                    rows.insert(run.clone(), row);
                }
                None => {
                    runs -= 1;
                    changed |= rows.remove(run).is_some();
                }
            }
        }
        if rows.len() != runs {
            let there: HashSet<&String> = folders.iter().collect();
            rows.retain(|run, _| there.contains(run));
            changed = true;
        }
        changed
    }

    /// What is new of a folder: nothing, another row, or that it is no run, or none yet (`Some(None)`).
    fn news(&self, experiment: &str, run: &str, old: Option<&Row>, parents: bool) -> Option<Option<Row>> {
        let mut path = self.root().join(experiment);
        path.push(run);
        path.push(META);
        let Some(meta) = stamp(&path) else { return Some(None) };
        path.set_file_name("tags");
        path.push(PARENT);
        let old = old.filter(|row| row.settled && row.meta == meta);
        if old.is_some_and(|row| !parents || row.tag == stamp(&path)) {
            return None;
        }
        let tag = stamp(&path);
        Some(Some(Row::read(&Place::new(self.clone(), experiment.to_owned(), run.to_owned()), meta, tag)))
    }

    fn path_of(&self, experiment: &str, run: &str) -> String {
        [experiment, run].iter().fold(self.root().to_path_buf(), |path, part| path.join(part)).display().to_string()
    }

    /// Keeps the runs with the tags and params that are asked for, which only their files tell.
    fn narrow(&self, listing: &mut Listing, filter: &Filter) {
        let limit = filter.limit.unwrap_or(usize::MAX);
        if filter.tags.is_empty() && filter.params.is_empty() {
            listing.runs.truncate(limit);
            return;
        }
        let runs = std::mem::take(&mut listing.runs);
        let fits = |info: &RunInfo| {
            let place = Place::new(self.clone(), info.experiment_id.clone(), info.id.clone());
            let has = |part: &str, pairs: &[(String, String)]| {
                pairs.iter().all(|(key, value)| place.value(part, key).ok().flatten().as_ref() == Some(value))
            };
            has("tags", &filter.tags) && has("params", &filter.params)
        };
        listing.runs = runs.into_iter().filter(fits).take(limit).collect();
    }
}
