//! How does everything in the outbox get to the server exactly once?
//!
//! A run is made on the server with a tag that holds its local identifier, and is looked for by it before it is made a
//! second time: when an earlier attempt had no outcome, when the journal does not know the run, or after an answer that
//! was lost. All else that MLflow is told may be told again: equal params, metrics (by key, time, step and value), tags,
//! inputs and files leave it as it was. So the journal saves work and never decides what is true.
//!
//! One process at a time sends from an outbox (a lock on a file, which ends with the process). What the server refuses
//! for good is noted with its reason; a request of many parts is halved until those that are refused stand alone.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::api::{Batch, pairs};
use crate::disk;
use crate::error::{Error, Result};
use crate::journal::{Entry, Journal, Known, Sent};
use crate::net::{Load, Net};
use crate::place::Place;
use crate::store::Store;
use crate::types::{LOCAL_ID, PARENT, Status};

/// As many parts of each kind as the server takes at once.
const METRICS: usize = 1_000;
const PAIRS: usize = 100;
/// Bytes of a request, with some room below the server's million.
const BYTES: usize = 900_000;

/// What the server would not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The run or model that it belongs to.
    pub of: String,
    /// Which part: `param alpha`, `artifact model/fit.bin`.
    pub item: String,
    /// What the server said.
    pub why: String,
}

/// What was sent.
#[derive(Clone, Debug, Default)]
#[must_use = "it says whether the server has everything"]
pub struct Synced {
    /// Runs of which something was sent.
    pub runs: usize,
    /// Params.
    pub params: usize,
    /// Values of metrics.
    pub metrics: usize,
    /// Tags that were set or changed after a run was made.
    pub tags: usize,
    /// Datasets.
    pub inputs: usize,
    /// Files.
    pub artifacts: usize,
    /// Versions of models.
    pub versions: usize,
    /// Aliases that were set or removed.
    pub aliases: usize,
    /// Runs and changes of models that the server still lacks; runs that go on count only if something was not sent.
    pub pending: usize,
    /// What the server has refused, now or before.
    pub refused: Vec<Refusal>,
    /// Runs of the outbox that cannot be read, and why.
    pub unreadable: Vec<(String, String)>,
    /// Why it ended early: the server is away or lets nobody in.
    pub stopped: Option<Error>,
}

/// The way to a server.
pub(crate) struct Remote {
    pub net: Net,
    pub store: Store,
    pub journal: Journal,
    /// Held while this process sends.
    sending: Mutex<()>,
    /// Held while an experiment is looked up or made.
    experiments: Mutex<()>,
    /// Held while a run is sent.
    turns: Mutex<HashMap<String, Arc<Mutex<()>>>>,
}

pub(crate) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hash(text: &str) -> u64 {
    let bytes = blake3::hash(text.as_bytes());
    bytes.as_bytes().iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

impl Remote {
    pub(crate) fn new(net: Net, store: Store) -> Self {
        let journal = Journal::at(store.root());
        Self { net, store, journal, sending: Mutex::default(), experiments: Mutex::default(), turns: Mutex::default() }
    }

    /// Keeps other senders out, of this process and of others.
    pub(crate) fn alone(&self) -> Result<(MutexGuard<'_, ()>, std::fs::File)> {
        let here = held(&self.sending);
        disk::folder(self.store.root())?;
        Ok((here, disk::lock(&self.store.root().join(".tradewind-sending"))?))
    }

    /// Sends what is new of some runs, several at a time, until the server is away; whoever calls it is alone.
    pub(crate) fn ship_all(&self, runs: Vec<String>, retries: usize, report: &Mutex<Synced>) {
        let threads = self.net.options().parallel.clamp(1, 64).min(runs.len());
        let queue = Mutex::new(VecDeque::from(runs));
        let work = || {
            while held(report).stopped.is_none() {
                let Some(run) = held(&queue).pop_front() else { return };
                if let Err(error) = self.ship(&run, retries, report) {
                    let mut report = held(report);
                    if error.is_away() || error.is_denied() {
                        report.stopped.get_or_insert(error);
                        report.pending += 1;
                    } else {
                        report.unreadable.push((run, error.to_string()));
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(work);
            }
        });
        held(report).pending += held(&queue).len();
        held(&self.turns).clear();
    }

    /// The runs of which the server may lack something.
    pub(crate) fn unsent(&self) -> Result<Vec<String>> {
        let mut runs = Vec::new();
        for experiment in self.store.experiments()? {
            runs.extend(self.store.run_folders(&experiment)?);
        }
        self.journal.look(|state| runs.retain(|run| !state.runs.get(run).is_some_and(Known::is_done)))?;
        Ok(runs)
    }

    fn known(&self, run: &str) -> Result<Known> {
        self.journal.look(|state| state.runs.get(run).cloned().unwrap_or_default())
    }

    /// Sends what is new of a run; what the server refuses is noted, and the rest goes on.
    pub(crate) fn ship(&self, run: &str, retries: usize, report: &Mutex<Synced>) -> Result<()> {
        // A folder that is no run, or one that was removed.
        let Some(place) = self.store.find_run(run)? else { return Ok(()) };
        for ancestor in self.ancestors(&place)?.iter().rev() {
            match self.server_run_of(ancestor, retries) {
                // It is told when its own turn comes; its children go on without it.
                Err(error) if error.is_refused() => {}
                done => done.map(|_| ())?,
            }
        }
        let opens = self.known(run)?.opens;
        let mut may_repeat = true;
        loop {
            let done = self.server_run_of(&place, retries).and_then(|(server, artifacts)| {
                let turn = self.turn(run);
                let _turn = held(&turn);
                self.ship_parts(&place, &server, &artifacts, retries, report)
            });
            match done {
                // The server was set up anew, or the run removed from it for good.
                Err(error) if error.is_refused() && error.is_missing() && may_repeat => {
                    self.journal.note(&[Entry::Forgotten { run: run.to_owned() }])?;
                    may_repeat = false;
                }
                Err(error) if error.is_refused() => {
                    self.refuse(run, "run", &error, report)?;
                    return self.journal.note(&[Entry::Done { run: run.to_owned(), opens }]);
                }
                done => return done,
            }
        }
    }

    fn turn(&self, run: &str) -> Arc<Mutex<()>> {
        Arc::clone(held(&self.turns).entry(run.to_owned()).or_default())
    }

    /// The runs above a run in the outbox, the nearest first.
    fn ancestors(&self, place: &Place) -> Result<Vec<Place>> {
        let mut found: Vec<Place> = Vec::new();
        let mut next = place.value("tags", PARENT)?;
        while let Some(parent) = next {
            // A circle would have no first run.
            if parent == place.id || found.iter().any(|known| known.id == parent) {
                break;
            }
            let Ok(Some(above)) = self.store.find_run(&parent) else { break };
            next = above.value("tags", PARENT)?;
            found.push(above);
        }
        Ok(found)
    }

    /// The run's identifier on the server and the address of its artifacts; it is made there if need be.
    fn server_run_of(&self, place: &Place, retries: usize) -> Result<(String, String)> {
        let turn = self.turn(&place.id);
        let _turn = held(&turn);
        let known = self.known(&place.id)?;
        if let Some(server) = known.server {
            return Ok(server);
        }
        let run = place.meta()?;
        let tags = self.server_tags(place)?.into_iter().take(PAIRS).collect();
        let mut may_exist = known.tried || known.opens == 0 || !self.journal.look(|state| state.is_whole)?;
        let mut experiment = self.experiment(place, false, retries)?;
        let mut make = || {
            if may_exist {
                if let Some(found) = self.find_run(&experiment, &place.id)? {
                    return Ok(found);
                }
            } else {
                self.journal.note(&[Entry::Trying { run: place.id.clone() }])?;
                may_exist = true;
            }
            self.net.create_run(&experiment, &run.run_name, run.start_time.unwrap_or_default(), &tags)
        };
        let made = match self.net.patiently(retries, &mut make) {
            // The experiment may have been deleted on the server meanwhile.
            Err(error) if error.is_refused() => {
                experiment = self.experiment(place, true, retries)?;
                self.net.patiently(retries, || {
                    if let Some(found) = self.find_run(&experiment, &place.id)? {
                        return Ok(found);
                    }
                    self.net.create_run(&experiment, &run.run_name, run.start_time.unwrap_or_default(), &tags)
                })
            }
            made => made,
        }?;
        let (server, artifacts) = made;
        let set =
            tags.iter().filter(|(key, _)| key.as_str() != LOCAL_ID).map(|(key, value)| (key.clone(), hash(value)));
        let sent = Sent { run: place.id.clone(), tags: set.collect(), ..Sent::default() };
        let created = Entry::Created { run: place.id.clone(), server: server.clone(), artifacts: artifacts.clone() };
        self.journal.note(&[created, Entry::Sent(Box::new(sent))])?;
        Ok((server, artifacts))
    }

    /// The tags of a run as the server is to have them.
    fn server_tags(&self, place: &Place) -> Result<BTreeMap<String, String>> {
        let mut tags = place.values("tags")?;
        if let Some(parent) = tags.get_mut(PARENT)
            && let Some((server, _)) = self.known(parent)?.server
        {
            *parent = server;
        }
        tags.insert(LOCAL_ID.to_owned(), place.id.clone());
        Ok(tags)
    }

    /// The run that an earlier attempt has made.
    fn find_run(&self, experiment: &str, id: &str) -> Result<Option<(String, String)>> {
        let filter = format!("tags.`{LOCAL_ID}` = '{id}'");
        let mut found = self.net.search_runs(&[experiment.to_owned()], &filter, |_| true)?;
        found.sort_by_key(|run| (run.record.params.len() + run.record.metrics.len(), run.record.tags.len()));
        let kept = found.pop();
        // An attempt that was given up, and that the server carried out after all.
        for double in found {
            if let Some(id) = double.record.info.server_id {
                self.net.delete_run(&id)?;
            }
        }
        Ok(kept.and_then(|run| Some((run.record.info.server_id?, run.artifacts))))
    }

    /// The number of a run's experiment on the server.
    fn experiment(&self, place: &Place, anew: bool, retries: usize) -> Result<String> {
        let _alone = held(&self.experiments);
        let local = place.experiment.clone();
        let known = self.journal.look(|state| state.experiments.get(&local).cloned())?;
        if let Some(server) = known.filter(|_| !anew) {
            return Ok(server);
        }
        let name = self.store.name_of(&local)?;
        let server = self.net.patiently(retries, || self.net.make_experiment(&name))?;
        self.journal.note(&[Entry::Experiment { local, server: server.clone() }])?;
        Ok(server)
    }

    fn refuse(&self, run: &str, item: &str, error: &Error, report: &Mutex<Synced>) -> Result<()> {
        let (item, why) = (item.to_owned(), error.to_string());
        let of = run.to_owned();
        self.journal.note(&[Entry::Refused { run: of.clone(), item: item.clone(), why: why.clone() }])?;
        held(report).refused.push(Refusal { of, item, why });
        Ok(())
    }

    fn ship_parts(
        &self,
        place: &Place,
        server: &str,
        artifacts: &str,
        retries: usize,
        report: &Mutex<Synced>,
    ) -> Result<()> {
        // In this order: what is written after the journal was read has an opening of its own, and the end of a run is
        // written after all of its parts.
        let known = self.known(&place.id)?;
        if known.is_done() {
            return Ok(());
        }
        let run = place.meta()?;
        let status = Status::of_number(run.status);
        let mut sent = Sent { run: place.id.clone(), ..Sent::default() };
        let mut batch = Batch::default();
        for (key, value) in place.values("params")? {
            if !known.params.contains(&key) {
                sent.params.push(key.clone());
                batch.params.push((key, value));
            }
        }
        for (key, value) in self.server_tags(place)?.into_iter().filter(|(key, _)| key != LOCAL_ID) {
            let mark = hash(&value);
            if known.tags.get(&key) != Some(&mark) {
                sent.tags.push((key.clone(), mark));
                batch.tags.push((key, value));
            }
        }
        for (key, end, metrics) in place.news(&known.metrics)? {
            sent.metrics.push((key, end));
            batch.metrics.extend(metrics);
        }
        let mut is_new = false;
        for part in split(batch) {
            is_new = true;
            self.log(place, server, &part, retries, report)?;
        }
        for (id, dataset) in place.inputs()?.into_iter().filter(|(id, _)| !known.inputs.contains(id)) {
            is_new = true;
            match self.net.patiently(retries, || self.net.log_input(server, &dataset)) {
                Err(error) if error.is_refused() && !error.is_missing() => {
                    self.refuse(&place.id, &format!("input {}", dataset.name), &error, report)?;
                }
                done => done.map(|()| held(report).inputs += 1)?,
            }
            sent.inputs.push(id);
        }
        is_new |= self.send_files(place, artifacts, &known, retries, report)?;
        let end = (status, run.end_time.unwrap_or_default());
        if status.is_end() && known.end != Some(end) {
            is_new = true;
            self.net.patiently(retries, || self.net.end_run(server, end.0, end.1))?;
            sent.end = Some(end);
        }
        let mut entries = Vec::new();
        if is_new {
            entries.push(Entry::Sent(Box::new(sent)));
            held(report).runs += 1;
        }
        if status.is_end() {
            entries.push(Entry::Done { run: place.id.clone(), opens: known.opens });
        }
        if entries.is_empty() { Ok(()) } else { self.journal.note(&entries) }
    }

    /// Sends the files that are new or have changed, and says whether there were any.
    fn send_files(
        &self,
        place: &Place,
        uri: &str,
        known: &Known,
        retries: usize,
        report: &Mutex<Synced>,
    ) -> Result<bool> {
        let mut is_new = false;
        for (path, file) in disk::walk(&place.path().join("artifacts"))? {
            let mark = disk::stamp(&file).map_or_else(String::new, |(time, length, _)| format!("{time}-{length}"));
            if known.artifacts.get(&path) == Some(&mark) {
                continue;
            }
            is_new = true;
            let sent = self.net.artifact_path(uri, &path).and_then(|address| {
                self.net.patiently(retries, || self.net.once("PUT", &address, &[], &Load::File(&file)))
            });
            match sent {
                Err(error) if error.is_refused() => {
                    self.refuse(&place.id, &format!("artifact {path}"), &error, report)?;
                }
                done => done.map(|_| held(report).artifacts += 1)?,
            }
            let artifacts = vec![(path, mark)];
            self.journal.note(&[Entry::Sent(Box::new(Sent {
                run: place.id.clone(),
                artifacts,
                ..Sent::default()
            }))])?;
        }
        Ok(is_new)
    }

    /// Logs a batch; where it is refused, what is wrong is found by halves.
    fn log(&self, place: &Place, server: &str, batch: &Batch, retries: usize, report: &Mutex<Synced>) -> Result<()> {
        let log = |batch: &Batch| self.net.patiently(retries, || self.net.log_batch(server, batch));
        let count = |batch: &Batch| {
            let mut report = held(report);
            report.params += batch.params.len();
            report.tags += batch.tags.len();
            report.metrics += batch.metrics.len();
        };
        let mut waiting = vec![batch.clone()];
        let mut is_alive = false;
        while let Some(part) = waiting.pop() {
            match log(&part) {
                Ok(()) => count(&part),
                Err(error) if error.is_missing() || !error.is_refused() => return Err(error),
                // Is it the run that is not taken any more, or what is said of it?
                Err(error) if !is_alive => {
                    let active = || self.net.patiently(retries, || Ok(self.net.server_run(server)?.is_active));
                    if !active()? {
                        self.experiment(place, true, retries)?;
                        if !active()? {
                            return Err(Error::refused("the run was deleted on the server", error.code()));
                        }
                    }
                    is_alive = true;
                    waiting.push(part);
                }
                Err(error) => match part.halves() {
                    Some((one, other)) => waiting.extend([other, one]),
                    None => self.refuse(&place.id, &part.item(), &error, report)?,
                },
            }
        }
        Ok(())
    }
}

impl Batch {
    /// What the only part of it is called.
    fn item(&self) -> String {
        let param = self.params.first().map(|(key, _)| format!("param {key}"));
        let tag = || self.tags.first().map(|(key, _)| format!("tag {key}"));
        let metric = || self.metrics.first().map(|metric| format!("metric {} at step {}", metric.key, metric.step));
        param.or_else(tag).or_else(metric).unwrap_or_default()
    }

    /// The two halves, unless it is a single part.
    fn halves(&self) -> Option<(Self, Self)> {
        let count = self.params.len() + self.tags.len() + self.metrics.len();
        let half = (count > 1).then_some(count / 2)?;
        let (mut one, mut other) = (Self::default(), Self::default());
        for (number, pair) in self.params.iter().enumerate() {
            if number < half { &mut one } else { &mut other }.params.push(pair.clone());
        }
        for (number, pair) in (self.params.len()..).zip(&self.tags) {
            if number < half { &mut one } else { &mut other }.tags.push(pair.clone());
        }
        for (number, metric) in (self.params.len() + self.tags.len()..).zip(&self.metrics) {
            if number < half { &mut one } else { &mut other }.metrics.push(metric.clone());
        }
        Some((one, other))
    }
}

/// Batches that the server takes, in the order params, tags, metrics.
fn split(whole: Batch) -> Vec<Batch> {
    let mut batches = Vec::new();
    let (mut now, mut bytes) = (Batch::default(), 0);
    let mut room = |now: &mut Batch, size: usize, is_full: bool| {
        if is_full || bytes + size > BYTES {
            batches.push(std::mem::take(now));
            bytes = 0;
        }
        bytes += size;
    };
    let size = |pair: &(String, String)| pairs([(&pair.0, &pair.1)]).to_string().len();
    for param in whole.params {
        let is_full = now.params.len() >= PAIRS;
        room(&mut now, size(&param), is_full);
        now.params.push(param);
    }
    for tag in whole.tags {
        let is_full = now.tags.len() >= PAIRS;
        room(&mut now, size(&tag), is_full);
        now.tags.push(tag);
    }
    for metric in whole.metrics {
        // At most 1,000 of all kinds together.
        let is_full = now.metrics.len() + now.params.len() + now.tags.len() >= METRICS;
        room(&mut now, metric.key.len() + 120, is_full);
        now.metrics.push(metric);
    }
    batches.push(now);
    batches.retain(|batch| !(batch.params.is_empty() && batch.tags.is_empty() && batch.metrics.is_empty()));
    batches
}
