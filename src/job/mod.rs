//! A piece of work that can be watched and cancelled, whatever threads it runs on; several run in one process without a
//! word between them.
//!
//! A job also takes along what holds it: the fence that its files must lie behind, the databases that it may ask, and what it
//! may use up; and what other rooms keep for it, such as what it has read and written. A job within a job is held by both, and
//! is cancelled with the outer one.
//!
//! A job is entered by [`Job::run`], or within the crate by `Job::during` on the thread that starts the work. A job that runs
//! works in threads of its own, which know it from their first moment, so that no loop that spreads work over threads needs
//! to think of it. Where work is handed to other threads, `carried` takes its job along, and `beside` starts a thread that
//! knows it.
//!
//! Whoever forgets errs on the safe side: a thread of a pool that knows no job is held by every script that runs in the
//! process. A script that runs within another one is held by both.
//!
//! | file | question |
//! |---|---|
//! | `fence` | what may a script use up, and which places lie behind its fence? |
//! | `watch` | how far is a job, and how long will it take? |

mod fence;
mod watch;

use std::any::Any;
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
pub(crate) use fence::{Fence, Most, Stop, is_fenced, room, sleep, spend};
#[cfg(feature = "sql")]
pub(crate) use fence::{LIFTED, database_allowed, query_limits};
pub(crate) use watch::Form;
use watch::Watch;
pub use watch::{Event, Progress};

/// The work of whoever calls the library without a job.
static PROCESS: LazyLock<Job> = LazyLock::new(Job::apart);

thread_local! {
    /// The job that this thread works for, if it has been told.
    static CURRENT: RefCell<Option<Job>> = const { RefCell::new(None) };
}

/// The jobs with a fence that run now, in this process.
static RUNNING: Mutex<Vec<Job>> = Mutex::new(Vec::new());

fn running() -> MutexGuard<'static, Vec<Job>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A piece of work that can be watched and cancelled; a clone is the same job.
///
/// ```
/// use tradewind::prelude::*;
/// use tradewind::job::{Event, Job};
/// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
/// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
/// let job = Job::new().watched(|event| {
///     if let Event::Progress(progress) = event {
///         println!("{progress}"); // fold 2 of 4, theta, fitting 3 of 8
///     }
/// });
/// // Another thread may call `job.clone().cancel()` at any time.
/// let trial = job.run(|| sales.backtest(["naive", "theta"], Folds::new(4, 8)))??;
/// assert_eq!(trial.models(), ["naive", "theta"]);
///
/// job.cancel();
/// assert!(job.run(|| sales.backtest(["naive"], Folds::new(4, 8)))?.unwrap_err().is_interrupted());
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone)]
pub struct Job(Arc<Inner>);

#[derive(Clone, Default)]
struct Inner {
    /// The fences around it, every one of which holds.
    fences: Vec<Arc<Fence>>,
    /// Set when it, or a job that it is a part of, is cancelled; its own first.
    cancelled: Vec<Arc<AtomicBool>>,
    watch: Option<Arc<Watch>>,
    kept: Arc<Kept>,
}

/// What other rooms keep for a job, one value of each type.
type Kept = Mutex<Vec<Arc<dyn Any + Send + Sync>>>;

/// The stack of each thread of a job, in bytes: that of a program's first thread.
const STACK: usize = 8 << 20;

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}

impl Default for Job {
    fn default() -> Self {
        Self::new()
    }
}

impl Job {
    /// A job that nobody watches. It is a part of the job of this thread, if there is one: cancelled with it, and held by the
    /// fence around it.
    pub fn new() -> Self {
        Self::apart().within(&Self::current())
    }

    /// A job that is a part of none.
    fn apart() -> Self {
        Self(Arc::new(Inner { cancelled: vec![Arc::default()], ..Inner::default() }))
    }

    /// The same job, which tells `tell` what it does. Called from the threads of the job, it should return soon.
    #[must_use]
    pub fn watched(self, tell: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner { watch: Some(Arc::new(Watch::new(tell))), ..(*self.0).clone() }))
    }

    /// Asks its work to stop: a verb that runs ends with [`Error::is_interrupted`] and leaves no half-written file, and so does
    /// every later one. Had it been asked already?
    pub fn cancel(&self) -> bool {
        self.0.cancelled.first().is_some_and(|cancelled| cancelled.swap(true, Ordering::Relaxed))
    }

    /// Forgets that it was cancelled, so that more work can be done, as at a prompt after an interrupt. A job that it is a part
    /// of stays as it is.
    pub fn resume(&self) {
        self.0.cancelled.first().iter().for_each(|cancelled| cancelled.store(false, Ordering::Relaxed));
    }

    /// Is it cancelled, by itself or with a job that it is a part of?
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.iter().any(|cancelled| cancelled.load(Ordering::Relaxed))
    }

    /// Does `work` as this job, on as many threads of its own as the caller would use.
    ///
    /// # Errors
    /// When the threads cannot be started. What `work` returns is returned as it is.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        self.run_on(rayon::current_num_threads(), work)
    }

    /// As [`run`](Self::run), on so many threads.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_on<T: Send>(&self, threads: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
        Workers::start(self.within(&Self::current()), threads, STACK)?.run(work)
    }

    /// Work behind a fence, as a part of the job of this thread.
    pub(crate) fn behind(fence: impl Into<Arc<Fence>>) -> Self {
        Self::held([fence.into()], Arc::default()).within(&Self::current())
    }

    fn held(fences: impl IntoIterator<Item = Arc<Fence>>, kept: Arc<Kept>) -> Self {
        Self(Arc::new(Inner { fences: fences.into_iter().collect(), kept, ..(*Self::apart().0).clone() }))
    }

    /// The job that this thread works for. A thread of a pool that was not told works for all scripts at once.
    pub(crate) fn current() -> Self {
        if let Some(job) = CURRENT.with_borrow(Option::clone) {
            return job;
        }
        match rayon::current_thread_index() {
            Some(_) => {
                Self::held(running().iter().flat_map(|job| job.0.fences.iter().cloned()), PROCESS.0.kept.clone())
            }
            None => PROCESS.clone(),
        }
    }

    /// The fences of this job, every one of which holds; none if it is free.
    pub(crate) fn fences(&self) -> impl Iterator<Item = &Fence> {
        self.0.fences.iter().map(AsRef::as_ref)
    }

    /// This job as a part of another one: what holds or cancels either, does so to it.
    fn within(&self, outer: &Self) -> Self {
        fn added<T>(own: &[Arc<T>], outer: &[Arc<T>]) -> Vec<Arc<T>> {
            let new = outer.iter().filter(|known| !own.iter().any(|own| Arc::ptr_eq(own, known)));
            own.iter().chain(new).cloned().collect()
        }
        let (own, outer) = (&*self.0, &*outer.0);
        let fences = added(&own.fences, &outer.fences);
        let cancelled = added(&own.cancelled, &outer.cancelled);
        let watch = own.watch.as_ref().or(outer.watch.as_ref()).cloned();
        let is_part = fences.len() == own.fences.len() && cancelled.len() == own.cancelled.len();
        if is_part && watch.is_some() == own.watch.is_some() {
            return self.clone();
        }
        Self(Arc::new(Inner { fences, cancelled, watch, kept: own.kept.clone() }))
    }

    /// The value of a type that is kept for this job, and for all that is a part of it; a new one if none is.
    pub(crate) fn kept<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.iter().find_map(|value| value.clone().downcast().ok()) {
            return known;
        }
        let new = Arc::<T>::default();
        kept.push(new.clone());
        new
    }

    /// Does `work` as a part of this job.
    pub(crate) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        /// One that runs no longer runs, also when `work` panics.
        struct Runs(Option<Job>);
        impl Drop for Runs {
            fn drop(&mut self) {
                let Some(job) = &self.0 else { return };
                let mut running = running();
                if let Some(at) = running.iter().position(|known| Arc::ptr_eq(&known.0, &job.0)) {
                    running.swap_remove(at);
                }
            }
        }
        let job = self.within(&Self::current());
        let fenced = (!job.0.fences.is_empty()).then(|| job.clone());
        running().extend(fenced.clone());
        let _runs = Runs(fenced);
        job.enter(work)
    }

    /// As [`during`](Self::during), on one of many threads.
    fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
        /// Puts back what stood before, also when `work` panics.
        struct Before(Option<Job>);
        impl Drop for Before {
            fn drop(&mut self) {
                CURRENT.set(self.0.take());
            }
        }
        let _before = Before(CURRENT.replace(Some(self.clone())));
        work()
    }
}

/// Is the job of this thread over: cancelled, or stopped as a script is that takes too much?
pub(crate) fn is_over() -> bool {
    CURRENT.with_borrow(|job| {
        job.as_ref().is_some_and(|job| job.is_cancelled() || job.fences().any(|fence| fence.stopped().is_some()))
    })
}

/// Tells whoever watches the job of this thread.
pub(crate) fn tell(event: Event) {
    if let Some(watch) = CURRENT.with_borrow(|job| job.as_ref().and_then(|job| job.0.watch.clone())) {
        (watch.tell)(event);
    }
}

/// A part of a job's work, which its watcher hears of until it is dropped.
pub(crate) struct Bar(Option<(Arc<Watch>, u64)>);

impl Bar {
    /// A part of the work of this thread's job, of which `done` of `steps` are done already.
    pub(crate) fn new(form: Form, done: usize, steps: usize) -> Self {
        let watch = CURRENT.with_borrow(|job| job.as_ref().and_then(|job| job.0.watch.clone()));
        Self(watch.map(|watch| {
            let id = watch.begin(form, done, steps);
            (watch, id)
        }))
    }

    /// More of its steps are done.
    pub(crate) fn inc(&self, steps: usize) {
        if let Some((watch, id)) = &self.0 {
            watch.advance(*id, steps);
        }
    }

    /// The next of its steps has this name.
    pub(crate) fn name(&self, name: &str) {
        if let Some((watch, id)) = &self.0 {
            watch.name(*id, name);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some((watch, id)) = &self.0 {
            watch.end(*id);
        }
    }
}

/// Stops the job of this thread.
pub(crate) fn stop(why: Stop) {
    Job::current().fences().for_each(|fence| fence.stop(why));
}

/// `work` as a part of the job of this thread, on whatever thread it is called.
pub(crate) fn carried<A, T>(work: impl Fn(A) -> T) -> impl Fn(A) -> T {
    let job = Job::current();
    move |part| job.enter(|| work(part))
}

/// Starts a thread beside this one for the same job.
pub(crate) fn beside<'scope, 'env, T: Send + 'scope>(
    scope: &'scope std::thread::Scope<'scope, 'env>,
    name: &str,
    stack: Option<usize>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<std::thread::ScopedJoinHandle<'scope, T>> {
    let builder = std::thread::Builder::new().name(name.into());
    let builder = stack.into_iter().fold(builder, std::thread::Builder::stack_size);
    let job = CURRENT.with_borrow(Option::clone);
    let work = move || match job {
        Some(job) => job.enter(work),
        None => work(),
    };
    builder.spawn_scoped(scope, work).map_err(no_thread)
}

/// Starts a thread that serves the process, for no job.
pub(crate) fn apart(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    std::thread::Builder::new().name(name.into()).spawn(work).map(|_| ()).map_err(no_thread)
}

fn no_thread(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::io("no thread could be started").because(cause)
}

/// The threads of one job, which work for nothing else.
pub(crate) struct Workers {
    job: Job,
    threads: rayon::ThreadPool,
    stack: usize,
}

impl Workers {
    /// As many threads as the process uses anyway, each with a stack of that many bytes.
    pub(crate) fn of(job: Job, stack: usize) -> Result<Self> {
        Self::start(job, rayon::current_num_threads(), stack)
    }

    fn start(job: Job, threads: usize, stack: usize) -> Result<Self> {
        let known = job.clone();
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|at| format!("job {at}"))
            .stack_size(stack)
            .start_handler(move |_| CURRENT.set(Some(known.clone())))
            .build()
            .map_err(no_thread)?;
        Ok(Self { job, threads, stack })
    }

    /// Does `work` on these threads.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        let within = self.job.within(&Job::current());
        // A script that another one runs is held by both, on threads of their own.
        if !Arc::ptr_eq(&within.0, &self.job.0) {
            return Self::of(within, self.stack)?.run(work);
        }
        Ok(self.job.during(|| self.threads.install(work)))
    }
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;

    fn behind(folder: &std::path::Path) -> Job {
        Job::behind(Fence::around([folder.to_path_buf()]).unwrap())
    }

    fn fences() -> usize {
        Job::current().fences().count()
    }

    #[test]
    fn every_thread_of_a_job_is_held() {
        let home = tempfile::tempdir().unwrap();
        let workers = Workers::of(behind(home.path()), 4 << 20).unwrap();
        let counts = workers.run(|| {
            let spread: Vec<usize> = (0..1000).into_par_iter().map(|_| fences()).collect();
            let other = std::thread::scope(|scope| beside(scope, "other", None, fences).unwrap().join().unwrap());
            (spread, other)
        });
        let (spread, other) = counts.unwrap();
        assert!(spread.iter().all(|count| *count == 1), "{spread:?}");
        assert_eq!(other, 1);
        assert_eq!(fences(), 0);
    }

    #[test]
    fn a_job_in_a_job_is_held_by_both() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (outer, inner) = (behind(one.path()), behind(two.path()));
        let (outer, inner) = (Workers::of(outer, 4 << 20).unwrap(), Workers::of(inner, 4 << 20).unwrap());
        let allowed = |folder: &tempfile::TempDir| crate::files::allowed(&folder.path().join("x")).is_ok();
        let both = outer.run(|| {
            let within = inner.run(|| {
                let spread: Vec<bool> = (0..100).into_par_iter().map(|_| allowed(&one) || allowed(&two)).collect();
                (fences(), spread.iter().any(|allowed| *allowed))
            });
            (within.unwrap(), fences())
        });
        assert_eq!(both.unwrap(), ((2, false), 1));
    }

    #[test]
    fn what_is_kept_for_a_job_is_kept_for_all_its_parts() {
        let count = |job: &Job| *job.kept::<Mutex<usize>>().lock().unwrap();
        let (job, other) = (Job::behind(Fence::of(Vec::new())), Job::behind(Fence::of(Vec::new())));
        *job.kept::<Mutex<usize>>().lock().unwrap() = 3;
        assert_eq!(job.during(|| count(&Job::current())), 3);
        assert_eq!(other.during(|| job.during(|| count(&Job::current()))), 3);
        assert_eq!(count(&other), 0);
    }

    #[test]
    fn a_thread_that_was_not_told_is_held_while_a_script_runs() {
        let home = tempfile::tempdir().unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let job = behind(home.path());
        // Of the threads of this test program others may be held at the same time by other tests.
        assert!(job.during(|| pool.install(|| Job::current().fences().count() >= 1)));
        let inside = |fence: &Fence| fence.holds(home.path());
        assert!(job.during(|| pool.install(|| Job::current().fences().any(inside))));
        assert!(!pool.install(|| Job::current().fences().any(inside)));
        // What is carried knows.
        assert_eq!(job.during(|| std::thread::scope(|scope| scope.spawn(fences).join().unwrap())), 0);
        let told = job.during(|| carried(|()| fences()));
        assert_eq!(pool.install(|| told(())), 1);
    }
}
