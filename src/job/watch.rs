//! How far is a job, and how long will it take? What it tells whoever watches it.
//!
//! Work is nested: folds hold models, and models series. The share that is done is that of the outermost part, the parts
//! within it counted by their own shares; the time left follows from it, so that it does not start again with each part.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::format::number;

/// Two states of progress are told at least this far apart.
const APART: Duration = Duration::from_millis(100);
/// Before that nothing is known of the time left.
const KNOWN: Duration = Duration::from_secs(1);

/// What a job tells whoever [watches](super::Job::watched) it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// How far it is; at most ten times a second.
    Progress(&'a Progress),
    /// Work that told of its progress has ended, in whatever way.
    Idle,
    /// Something was decided on the way, such as how a file is read.
    Remark(&'a str),
}

/// How far a job is. Displayed, it is one line: `fold 2 of 4, theta, fitting 120 of 300, 12 s left`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// What is being done, the outermost part first: `fold 2 of 4, theta, fitting 120 of 300`.
    pub doing: String,
    /// How much of the outermost part is done, between 0 and 1.
    pub share: f64,
    /// The time left at the pace until now, once there is one.
    pub left: Option<Duration>,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.doing)?;
        match self.left.map(|left| left.as_secs()) {
            None => Ok(()),
            Some(seconds @ 0..100) => write!(f, ", {} s left", seconds.max(1)),
            Some(seconds @ 100..6_000) => write!(f, ", {} min left", (seconds + 30) / 60),
            Some(seconds) => write!(f, ", {} h left", (seconds + 1_800) / 3_600),
        }
    }
}

/// Who watches, and what is known of the work.
pub(super) struct Watch {
    pub(super) tell: Box<dyn Fn(Event) + Send + Sync>,
    work: Mutex<Work>,
}

/// The parts of the work that are under way, the outermost first.
#[derive(Default)]
struct Work {
    parts: Vec<Part>,
    /// Tells parts apart.
    count: u64,
    /// When the outermost part began, and how much of it was done then.
    began: Option<(Instant, f64)>,
    told: Option<Instant>,
    /// The largest share that was told: a model that goes over its series twice does not go back.
    share: f64,
}

struct Part {
    id: u64,
    form: Form,
    done: usize,
    steps: usize,
}

/// How a part is put into words.
pub(crate) enum Form {
    /// Steps one after the other: `fold 2 of 4`.
    Stages(&'static str),
    /// One of several that have names: `theta`.
    Named(String),
    /// Steps in any order: `fitting 120 of 300`.
    Steps(&'static str),
    /// As `Steps`, with the pace, whatever happens within them.
    Whole(&'static str),
}

impl Watch {
    pub(super) fn new(tell: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self { tell: Box::new(tell), work: Mutex::default() }
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A part begins, of which `done` steps are done already; what it is known by.
    pub(super) fn begin(&self, form: Form, done: usize, steps: usize) -> u64 {
        let mut work = self.work();
        work.count += 1;
        let id = work.count;
        work.parts.push(Part { id, form, done, steps });
        if work.began.is_none() {
            work.began = Some((Instant::now(), work.share()));
        }
        self.tell_of(work);
        id
    }

    /// More steps of a part are done.
    pub(super) fn advance(&self, id: u64, steps: usize) {
        let mut work = self.work();
        if let Some(part) = work.parts.iter_mut().find(|part| part.id == id) {
            part.done += steps;
        }
        self.tell_of(work);
    }

    /// The next of several that have names.
    pub(super) fn name(&self, id: u64, name: &str) {
        let mut work = self.work();
        if let Some(part) = work.parts.iter_mut().find(|part| part.id == id) {
            part.form = Form::Named(name.into());
        }
        self.tell_of(work);
    }

    pub(super) fn end(&self, id: u64) {
        let mut work = self.work();
        work.parts.retain(|part| part.id != id);
        if work.parts.is_empty() {
            *work = Work { count: work.count, ..Work::default() };
            drop(work);
            (self.tell)(Event::Idle);
        }
    }

    /// Tells of the work if it is time. The watcher may ask anything of the job: nothing is locked then.
    fn tell_of(&self, mut work: MutexGuard<'_, Work>) {
        let now = Instant::now();
        let last = work.told.or(work.began.map(|(began, _)| began));
        if last.is_none_or(|last| now.duration_since(last) >= APART) {
            work.told = Some(now);
            let progress = work.progress(now);
            work.share = progress.share;
            drop(work);
            (self.tell)(Event::Progress(&progress));
        }
    }
}

impl Work {
    /// The parts that are told of: what happens within one that is whole goes on beside other things.
    fn told(&self) -> &[Part] {
        let whole = self.parts.iter().position(|part| matches!(part.form, Form::Whole(_)));
        &self.parts[..whole.map_or(self.parts.len(), |at| at + 1)]
    }

    fn share(&self) -> f64 {
        let within = |inner: f64, part: &Part| (part.done as f64 + inner) / part.steps.max(1) as f64;
        self.told().iter().rev().fold(0.0, |inner, part| within(inner, part).min(1.0)).max(self.share)
    }

    fn progress(&self, now: Instant) -> Progress {
        let share = self.share();
        let (took, before) =
            self.began.map_or((Duration::ZERO, 0.0), |(began, before)| (now.duration_since(began), before));
        let pace = (share - before) / took.as_secs_f64();
        let left = (took >= KNOWN && pace > 0.0).then(|| Duration::try_from_secs_f64((1.0 - share) / pace).ok());
        let words = |part: &Part| {
            let (done, steps) = (number(part.done as f64), number(part.steps as f64));
            match &part.form {
                Form::Stages(what) => format!("{what} {} of {steps}", number((part.done + 1).min(part.steps) as f64)),
                Form::Named(name) => name.clone(),
                Form::Steps(what) => format!("{what} {done} of {steps}"),
                Form::Whole(what) if pace > 0.0 && took >= KNOWN => {
                    format!("{what} {done} of {steps} ({} per second)", number(pace * part.steps as f64))
                }
                Form::Whole(what) => format!("{what} {done} of {steps}"),
            }
        };
        let doing: Vec<String> = self.told().iter().map(words).filter(|words| !words.is_empty()).collect();
        Progress { doing: doing.join(", "), share, left: left.flatten() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn nested_work_is_one_line_with_one_end() {
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = told.clone();
        let watch = Watch::new(move |event| {
            if let Event::Idle = event {
                heard.lock().unwrap().push("idle".into());
            }
        });
        let folds = watch.begin(Form::Stages("fold"), 0, 4);
        watch.advance(folds, 1);
        let models = watch.begin(Form::Named(String::new()), 0, 2);
        watch.name(models, "theta");
        let series = watch.begin(Form::Steps("fitting"), 0, 300);
        watch.advance(series, 150);
        let later = {
            let work = watch.work();
            work.progress(work.began.unwrap().0 + Duration::from_secs(5))
        };
        assert_eq!(later.doing, "fold 2 of 4, theta, fitting 150 of 300");
        // One fold, and a half of the first of two models.
        assert_eq!(later.share, (1.0 + 0.25) / 4.0);
        assert_eq!(later.to_string(), "fold 2 of 4, theta, fitting 150 of 300, 11 s left");
        [series, models, folds].into_iter().for_each(|id| watch.end(id));
        assert_eq!(*told.lock().unwrap(), ["idle"]);
    }

    #[test]
    fn what_was_done_before_says_nothing_of_the_pace() {
        let watch = Watch::new(|_| ());
        let id = watch.begin(Form::Whole("forecasting"), 500, 1_000);
        watch.begin(Form::Steps("fitting"), 0, 7);
        watch.advance(id, 100);
        let work = watch.work();
        let later = work.progress(work.began.unwrap().0 + Duration::from_secs(10));
        assert_eq!(later.to_string(), "forecasting 600 of 1,000 (10 per second), 40 s left");
    }
}
