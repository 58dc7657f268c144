//! Long work, seen and stopped: a progress bar on stderr when a person is watching, and an interrupt that every long
//! loop asks about.
//!
//! Both are process-wide on purpose: there is one terminal and one Ctrl-C. A library user sees no bars unless the
//! program [shows](show) them.

use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::error::{Error, Result};

static SHOWN: AtomicBool = AtomicBool::new(false);
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Shows (or hides) progress bars; they are drawn on stderr, and only if it is a terminal.
pub fn show(shown: bool) {
    SHOWN.store(shown, Ordering::Relaxed);
}

/// Asks running work to stop: it ends with [`Error::is_interrupted`] and leaves no half-written file.
pub fn interrupt() {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// Forgets an interrupt, so that new work can start.
pub fn resume() {
    INTERRUPTED.store(false, Ordering::Relaxed);
}

/// Was the work interrupted?
pub(crate) fn check() -> Result<()> {
    match INTERRUPTED.load(Ordering::Relaxed) {
        true => Err(Error::interrupted()),
        false => Ok(()),
    }
}

/// A bar for `steps` pieces of work.
pub(crate) fn bar(steps: usize, message: &'static str) -> ProgressBar {
    let target = match SHOWN.load(Ordering::Relaxed) {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let style = ProgressStyle::with_template("{msg:>12} [{bar:32}] {human_pos}/{human_len} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    ProgressBar::with_draw_target(Some(steps as u64), target).with_style(style).with_message(message)
}
