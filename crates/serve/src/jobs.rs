//! How is work done that takes longer than a request may?
//!
//! Jobs are in the store. Workers claim one after another, tell the store every second that they live, and end a job together with its
//! files in one transaction. A server that is killed begins anew under its former name and takes its jobs up again; one that is asked to
//! end hands them back.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tradewind_monitor::store::{Job, JobState, NewJob};

use crate::access::{Person, id};
use crate::engine::{Engine, Finished, JobRequest, Progress, Workplace};
use crate::fault::{Fault, Kind};
use crate::keeper::{Keeper, blocking};
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::uploads::{Uploads, disk};

/// The files of a job.
pub(crate) const RESULT: &str = "result.parquet";
pub(crate) const REPORT: &str = "report.html";
/// How long a claim lasts that nobody extends, and how often it is extended.
const LEASE: TimeDelta = TimeDelta::seconds(20);
const BEAT: Duration = Duration::from_millis(500);
/// Bytes of what is to be done.
const LONGEST: usize = 64 << 10;
/// Jobs of one person that may wait, or a quarter of all if that is more.
const OWN: i64 = 50;
/// How often a worker looks for jobs of other servers.
const LOOK: Duration = Duration::from_secs(2);

/// The jobs of a server.
#[derive(Clone)]
pub struct Jobs(Arc<Inner>);

struct Inner {
    keeper: Keeper,
    engine: Arc<dyn Engine>,
    uploads: Uploads,
    metrics: Metrics,
    /// The name of this server among those that share a store.
    instance: String,
    work: PathBuf,
    most: i64,
    keep: Duration,
    /// What goes on here, by the ids of the jobs.
    running: Mutex<HashMap<String, Arc<State>>>,
    awake: Notify,
    ending: CancellationToken,
    workers: TaskTracker,
    /// Held as long as this process uses the folder.
    _lock: File,
}

impl Jobs {
    pub(crate) fn open(
        keeper: Keeper,
        engine: Arc<dyn Engine>,
        uploads: Uploads,
        metrics: Metrics,
        settings: &Settings,
    ) -> Result<Self, Fault> {
        let lock = File::create(settings.state.join("lock")).map_err(|cause| disk(&cause))?;
        lock.try_lock().map_err(|_| {
            let place = settings.state.display();
            Fault::new(Kind::Conflict, format!("another server uses {place}; give each its own --state"))
        })?;
        let instance = instance(&settings.state)?;
        let work = settings.state.join("work");
        // What a killed server left: nobody else works here.
        let _ = std::fs::remove_dir_all(&work);
        std::fs::create_dir_all(&work).map_err(|cause| disk(&cause))?;
        let name = instance.clone();
        let again = keeper.now(|store| store.reclaim_jobs(&name))?;
        if again > 0 {
            tracing::info!(jobs = again, "taken up again");
        }
        let most = i64::try_from(settings.limits.queue).unwrap_or(i64::MAX);
        let (keep, awake, ending) = (settings.limits.keep, Notify::new(), CancellationToken::new());
        let (running, workers) = (Mutex::default(), TaskTracker::new());
        Ok(Self(Arc::new(Inner {
            keeper,
            engine,
            uploads,
            metrics,
            instance,
            work,
            most,
            keep,
            running,
            awake,
            ending,
            workers,
            _lock: lock,
        })))
    }

    /// Begins to work.
    pub(crate) fn start(&self, workers: usize) {
        for _ in 0..workers.max(1) {
            let jobs = self.clone();
            self.0.workers.spawn(async move { jobs.worker().await });
        }
        let jobs = self.clone();
        self.0.workers.spawn(async move { jobs.tidy().await });
    }

    /// Hands back what goes on, once it has had so long to come to its end.
    pub(crate) async fn end(&self, grace: Duration) {
        self.0.workers.close();
        self.0.ending.cancel();
        let _ = tokio::time::timeout(grace, self.0.workers.wait()).await;
    }

    /// Keeps a job for a person.
    ///
    /// # Errors
    /// Too many jobs wait, the request can never be met, it names no model or upload of this person, or the store cannot be written.
    pub async fn add(&self, person: &Person, request: &JobRequest, key: Option<&str>) -> Result<Job, Fault> {
        let (engine, asked) = (self.0.engine.clone(), request.clone());
        blocking(move || engine.check(&asked)).await?;
        let subject = match (&request.model, &request.upload) {
            (_, Some(upload)) => self.0.uploads.get(person, upload)?.0.name,
            (model, None) => model.clone().unwrap_or_default(),
        };
        let text = serde_json::to_string(request).map_err(|cause| Fault::new(Kind::Internal, cause.to_string()))?;
        if text.len() > LONGEST {
            return Err(Fault::new(Kind::TooLarge, format!("the request of a job has at most {} KB", LONGEST >> 10)));
        }
        let kind = kind_name(request);
        let (id, owner, key, most) = (id()?, person.name.clone(), key.map(String::from), self.0.most);
        let added = self.0.keeper.ask(move |store| {
            let new = NewJob {
                id: &id,
                owner: &owner,
                kind: &kind,
                subject: &subject,
                request: &text,
                idempotency: key.as_deref(),
                most,
                // One person does not fill the queue of all.
                most_own: most.min(OWN.max(most / 4)),
            };
            store.add_job(&new, Utc::now())
        });
        match added.await? {
            Some(job) => {
                self.0.awake.notify_one();
                Ok(job)
            }
            None => {
                let detail = format!("{} jobs wait already; ask again later", self.0.most);
                Err(Fault { retry_after: Some(30), ..Fault::new(Kind::Busy, detail) })
            }
        }
    }

    /// A job that this person may see.
    ///
    /// # Errors
    /// There is none of this id, it is somebody else's, or the store cannot be read.
    pub async fn get(&self, person: &Person, id: &str) -> Result<Job, Fault> {
        let asked = id.to_string();
        let job = self.0.keeper.ask(move |store| store.job(&asked)).await?;
        let job = job.filter(|job| person.sees().is_none_or(|name| name == job.owner));
        job.ok_or_else(|| Fault::new(Kind::UnknownJob, format!("there is no job `{}`", id.escape_debug())))
    }

    /// The newest jobs that a person sees.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn list(&self, person: &Person, most: usize) -> Result<Vec<Job>, Fault> {
        let owner = person.sees().map(String::from);
        self.0.keeper.ask(move |store| store.jobs(owner.as_deref(), most)).await
    }

    /// Stops a job.
    ///
    /// # Errors
    /// There is none that this person may see, it is over, or the store cannot be written.
    pub async fn cancel(&self, person: &Person, id: &str) -> Result<Job, Fault> {
        let job = self.get(person, id).await?;
        let asked = job.id.clone();
        if !self.0.keeper.ask(move |store| store.cancel_job(&asked, Utc::now())).await? {
            return Err(Fault::new(Kind::Conflict, format!("the job is over: {}", job.state.name())));
        }
        // Another server hears of it from the store.
        let here = self.0.running.lock().ok().and_then(|running| running.get(id).cloned());
        if let Some(state) = here {
            state.stop(Stop::Cancelled);
        }
        self.get(person, id).await
    }

    /// A piece of a file of a job; none after the last.
    pub(crate) async fn piece(&self, id: &str, file: &'static str, piece: i64) -> Result<Option<Vec<u8>>, Fault> {
        let id = id.to_string();
        self.0.keeper.ask(move |store| store.job_piece(&id, file, piece)).await
    }

    /// How many wait and go on.
    pub(crate) async fn waiting(&self) -> Result<(usize, usize), Fault> {
        self.0.keeper.ask(|store| store.waiting_jobs()).await
    }

    async fn tidy(&self) {
        let mut hours = tokio::time::interval(Duration::from_secs(3600));
        while self.0.ending.run_until_cancelled(hours.tick()).await.is_some() {
            let (before, uploads) = (Utc::now() - self.0.keep, self.0.uploads.clone());
            if let Err(fault) = self.0.keeper.ask(move |store| store.forget_jobs(before)).await {
                tracing::warn!(%fault, "old jobs could not be removed");
            }
            let _ = blocking(move || {
                uploads.prune();
                Ok(())
            })
            .await;
        }
    }

    async fn worker(&self) {
        while !self.0.ending.is_cancelled() {
            let claim = match id() {
                Ok(id) => format!("{}:{id}", self.0.instance),
                Err(fault) => {
                    tracing::error!(%fault, "a worker has to stop");
                    return;
                }
            };
            let asked = claim.clone();
            match self.0.keeper.ask(move |store| store.claim_job(&asked, Utc::now(), LEASE)).await {
                Ok(Some(job)) => self.work(job, claim).await,
                Ok(None) => self.pause().await,
                Err(fault) => {
                    tracing::warn!(%fault, "jobs cannot be claimed");
                    self.pause().await;
                }
            }
        }
    }

    /// Waits for a job, or for a while.
    async fn pause(&self) {
        tokio::select! {
            () = self.0.awake.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
            () = self.0.ending.cancelled() => {}
        }
    }

    async fn work(&self, job: Job, claim: String) {
        tracing::info!(job = job.id, kind = job.kind, owner = job.owner, tries = job.tries, "a job begins");
        let begun = Instant::now();
        let state = Arc::new(State::default());
        if let Ok(mut running) = self.0.running.lock() {
            running.insert(job.id.clone(), state.clone());
        }
        let folder = self.0.work.join(&job.id);
        let done = {
            let (jobs, job, folder, state) = (self.clone(), job.clone(), folder.clone(), state.clone());
            tokio::spawn(blocking(move || jobs.done(&job, &folder, &state)))
        };
        let beating = CancellationToken::new();
        let heart = tokio::spawn(self.clone().beat(claim.clone(), state.clone(), beating.clone()));
        let ending = {
            let (ending, state, beating) = (self.0.ending.clone(), state.clone(), beating.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = ending.cancelled() => state.stop(Stop::HandBack),
                    () = beating.cancelled() => {}
                }
            })
        };
        let outcome = match done.await {
            Ok(outcome) => outcome,
            Err(cause) => Err(Fault::new(Kind::Internal, cause.to_string())),
        };
        ending.abort();
        let stop = state.why();
        let outcome = match (outcome, stop) {
            (Err(_), Some(Stop::HandBack)) => {
                beating.cancel();
                let handed = claim.clone();
                if let Err(fault) = self.0.keeper.ask(move |store| store.hand_back_job(&handed)).await {
                    tracing::warn!(%fault, "a job could not be handed back; its claim will run out");
                }
                "handed back"
            }
            (_, Some(Stop::Lost)) => "lost",
            (Err(_), Some(Stop::Cancelled)) => self.close(&claim, JobState::Cancelled, String::new(), 0, &folder).await,
            (Err(fault), None) => {
                tracing::warn!(job = job.id, name = fault.kind.name(), %fault, "a job failed");
                self.close(&claim, JobState::Failed, fault.detail, 0, &folder).await
            }
            (Ok(finished), _) => {
                let rows = i64::try_from(finished.rows).unwrap_or(i64::MAX);
                self.close(&claim, JobState::Done, finished.sentence, rows, &folder).await
            }
        };
        if let Ok(mut running) = self.0.running.lock() {
            running.remove(&job.id);
        }
        beating.cancel();
        let _ = heart.await;
        let _ = tokio::fs::remove_dir_all(&folder).await;
        let seconds = begun.elapsed().as_secs_f64();
        self.0.metrics.job(&job.kind, outcome, seconds);
        tracing::info!(job = job.id, outcome, seconds, "a job ends");
    }

    /// Ends a job in the store, however long the store is away.
    async fn close(&self, claim: &str, state: JobState, note: String, rows: i64, folder: &Path) -> &'static str {
        loop {
            let (claim, note, folder) = (claim.to_string(), note.clone(), folder.to_path_buf());
            let ended = self.0.keeper.ask(move |store| {
                let open = |name: &str| File::open(folder.join(name)).ok().filter(|_| state == JobState::Done);
                let (mut result, mut report) = (open(RESULT), open(REPORT));
                let mut files: Vec<(&str, &mut dyn Read)> = Vec::new();
                if let Some(file) = &mut result {
                    files.push((RESULT, file));
                }
                if let Some(file) = &mut report {
                    files.push((REPORT, file));
                }
                store.end_job(&claim, state, (&note, rows), &mut files, Utc::now())
            });
            match ended.await {
                Ok(true) => return state.name(),
                Ok(false) => return "lost",
                Err(fault) => {
                    tracing::warn!(%fault, "a job cannot be ended; once more");
                    tokio::time::sleep(LOOK).await;
                    // Whoever comes next takes the job up once the claim has run out.
                    if self.0.ending.is_cancelled() {
                        return "lost";
                    }
                }
            }
        }
    }

    /// Tells the store that the worker lives, and hears from it whether to stop.
    async fn beat(self, claim: String, state: Arc<State>, over: CancellationToken) {
        let mut failing = None;
        while over.run_until_cancelled(tokio::time::sleep(BEAT)).await.is_some() {
            let (done, of, note) = state.at();
            let asked = claim.clone();
            let kept = self.0.keeper.ask(move |store| store.extend_job(&asked, Utc::now() + LEASE, (done, of), &note));
            match kept.await {
                Ok(true) => failing = None,
                Ok(false) => {
                    let lost = claim.clone();
                    let mine = self.0.keeper.ask(move |store| store.is_claimed(&lost)).await;
                    if let Ok(mine) = mine {
                        state.stop(if mine { Stop::Cancelled } else { Stop::Lost });
                        if !mine {
                            return;
                        }
                    }
                }
                Err(fault) => {
                    let since = *failing.get_or_insert_with(Instant::now);
                    tracing::warn!(%fault, seconds = since.elapsed().as_secs(), "the store cannot be told how far a job is");
                }
            }
        }
    }

    /// Does the work on this thread.
    fn done(&self, job: &Job, folder: &Path, state: &State) -> Result<Finished, Fault> {
        let request: JobRequest = serde_json::from_str(&job.request)
            .map_err(|cause| Fault::new(Kind::Invalid, format!("the job was asked for by another version: {cause}")))?;
        std::fs::create_dir_all(folder).map_err(|cause| disk(&cause))?;
        let everybody =
            Person { name: job.owner.clone(), role: crate::access::Role::Admin, csrf: None, is_signed_in: false };
        let upload = match &request.upload {
            Some(id) => Some(self.0.uploads.get(&everybody, id)?.1),
            None => None,
        };
        let (result, report) = (folder.join(RESULT), folder.join(REPORT));
        let work = Workplace { folder, upload: upload.as_deref(), result: &result, report: &report, owner: &job.owner };
        self.0.engine.work(&request, &work, state)
    }
}

/// The name of a kind of work.
pub(crate) fn kind_name(request: &JobRequest) -> String {
    let name = serde_json::to_value(request.kind).ok();
    name.and_then(|name| name.as_str().map(String::from)).unwrap_or_default()
}

/// The name under which this server claims jobs, the same each time it begins.
fn instance(state: &Path) -> Result<String, Fault> {
    let place = state.join("instance");
    match std::fs::read_to_string(&place) {
        Ok(name) if name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok(name),
        _ => {
            let name = id()?;
            std::fs::write(&place, &name).map_err(|cause| disk(&cause))?;
            Ok(name)
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stop {
    /// Somebody does not want it any more.
    Cancelled,
    /// The server ends.
    HandBack,
    /// Another server has it.
    Lost,
}

/// How far a job is, and whether it is to stop.
#[derive(Default)]
struct State {
    is_stopped: AtomicBool,
    inner: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    done: i64,
    of: i64,
    what: String,
    stop: Option<Stop>,
    then: Vec<Box<dyn FnOnce() + Send>>,
}

impl State {
    fn at(&self) -> (i64, i64, String) {
        self.inner.lock().map(|known| (known.done, known.of, known.what.clone())).unwrap_or_default()
    }

    fn why(&self) -> Option<Stop> {
        self.inner.lock().ok().and_then(|known| known.stop)
    }

    fn stop(&self, why: Stop) {
        let then = match self.inner.lock() {
            Ok(mut known) => {
                known.stop.get_or_insert(why);
                std::mem::take(&mut known.then)
            }
            Err(_) => return,
        };
        self.is_stopped.store(true, Ordering::Release);
        then.into_iter().for_each(|then| then());
    }
}

impl Progress for State {
    fn tell(&self, done: u64, of: u64, what: &str) {
        if let Ok(mut known) = self.inner.lock() {
            known.done = i64::try_from(done).unwrap_or(i64::MAX);
            known.of = i64::try_from(of).unwrap_or(i64::MAX);
            known.what.clear();
            known.what.push_str(what);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }

    fn when_cancelled(&self, then: Box<dyn FnOnce() + Send>) {
        let Ok(mut known) = self.inner.lock() else { return };
        if known.stop.is_none() {
            known.then.push(then);
        } else {
            drop(known);
            then();
        }
    }
}
