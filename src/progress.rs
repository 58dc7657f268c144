//! Long work, seen and stopped: a progress bar on stderr when a person is watching, a line in a notebook, remarks on how
//! files were read, and an interrupt that every long loop asks about.
//!
//! All are process-wide on purpose: there is one terminal or notebook and one Ctrl-C. A library user sees no bars unless
//! the program [shows](show) or [watches](watch) them.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle, TermLike};

use crate::error::{Error, Result};
use crate::format::number;
use crate::job;

static SHOWN: AtomicBool = AtomicBool::new(false);
static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// Is there a bar around those of the parts?
static WITHIN: AtomicBool = AtomicBool::new(false);
static WATCHER: Mutex<Option<Watcher>> = Mutex::new(None);

/// Who is told of every new state of a bar, as one line.
type Watcher = Arc<dyn Fn(&str) + Send + Sync>;

/// Shows (or hides) progress bars, which are drawn on stderr if it is a terminal, and remarks on how files were read.
pub fn show(shown: bool) {
    SHOWN.store(shown, Ordering::Relaxed);
}

/// Says what was decided on the way, on stderr, if progress is shown.
pub(crate) fn say(remark: &str) {
    if SHOWN.load(Ordering::Relaxed) {
        // Nobody may be there to hear it.
        let _ = io::Write::write_all(&mut io::stderr().lock(), format!("{remark}\n").as_bytes());
    }
}

/// Says it once in a job, however often it comes up.
pub(crate) fn say_once(remark: &str) {
    #[derive(Default)]
    struct Said(Mutex<BTreeSet<String>>);
    let said = job::Job::current().kept::<Said>();
    if said.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(remark.into()) {
        say(remark);
    }
}

/// Says so of how a source was read.
pub(crate) fn remark<'a>(source: &str, remarks: impl IntoIterator<Item = &'a String>) {
    remarks.into_iter().for_each(|remark| say(&format!("{source}: {remark}")));
}

/// Tells `watcher` of progress, one line of text at a time, instead of drawing it; an empty line when work has ended.
pub fn watch(watcher: impl Fn(&str) + Send + Sync + 'static) {
    *WATCHER.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Arc::new(watcher));
}

/// Asks running work to stop: it ends with [`Error::is_interrupted`] and leaves no half-written file. Had it been asked
/// already?
pub fn interrupt() -> bool {
    INTERRUPTED.swap(true, Ordering::Relaxed)
}

/// Forgets an interrupt, so that new work can start.
pub fn resume() {
    INTERRUPTED.store(false, Ordering::Relaxed);
}

/// Was an interrupt asked for?
pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Was the work interrupted, or the script that it is done for stopped?
pub(crate) fn is_stopped() -> bool {
    is_interrupted() || job::stopped()
}

/// An error where [`is_stopped`] says so.
pub(crate) fn check() -> Result<()> {
    if is_stopped() { Err(Error::interrupted()) } else { Ok(()) }
}

/// A bar for long work whose parts have bars of their own: those stay hidden until it is dropped.
pub(crate) struct Whole(ProgressBar);

/// A bar for `steps` pieces of work, of which `done` are done already.
pub(crate) fn around(done: usize, steps: usize, message: &'static str) -> Whole {
    let bar = drawn(steps, message, true).with_position(done as u64);
    bar.reset_eta();
    WITHIN.store(true, Ordering::Relaxed);
    Whole(bar)
}

impl Whole {
    pub(crate) fn inc(&self, steps: u64) {
        self.0.inc(steps);
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        WITHIN.store(false, Ordering::Relaxed);
        self.0.finish_and_clear();
    }
}

/// A bar for `steps` pieces of work.
pub(crate) fn bar(steps: usize, message: &'static str) -> ProgressBar {
    match WITHIN.load(Ordering::Relaxed) {
        true => ProgressBar::hidden(),
        false => drawn(steps, message, false),
    }
}

/// A bar, which says how fast the work is if it is long.
fn drawn(steps: usize, message: &'static str, long: bool) -> ProgressBar {
    let watcher = WATCHER.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let (template, target) = match watcher {
        Some(watcher) => {
            let line = Line { watcher, text: Mutex::default() };
            (
                "{msg} {human_pos} of {human_len}{rate}, {eta} left",
                ProgressDrawTarget::term_like_with_hz(Box::new(line), 5),
            )
        }
        None => {
            let shown = SHOWN.load(Ordering::Relaxed);
            let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
            ("{msg:>12} [{bar:32}] {human_pos}/{human_len}{rate} {eta}", target)
        }
    };
    let rate = move |state: &ProgressState, f: &mut dyn std::fmt::Write| {
        if long {
            // What cannot be written is not shown.
            let _ = write!(f, ", {}/s", number(state.per_sec()));
        }
    };
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", rate)
        .progress_chars("=> ");
    ProgressBar::with_draw_target(Some(steps as u64), target).with_style(style).with_message(message)
}

/// A terminal of one line, which is told to a watcher whenever it is drawn.
struct Line {
    watcher: Watcher,
    text: Mutex<String>,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}

impl Line {
    fn text(&self) -> std::sync::MutexGuard<'_, String> {
        self.text.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl TermLike for Line {
    fn width(&self) -> u16 {
        200
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.text().push_str(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.text().clear();
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let text = std::mem::take(&mut *self.text());
        (self.watcher)(text.trim());
        Ok(())
    }
}
