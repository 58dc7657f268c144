//! Progress and remarks on stderr: one line, redrawn in place while somebody watches, that is gone once the work is done.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use tradewind::job::{Event, Job, Progress};

/// How finely the bar is drawn.
const WIDTH: u64 = 1_000;

/// The job, told of on the terminal; not at all if it is to be quiet.
pub fn watched(job: Job, quiet: bool) -> Job {
    if quiet {
        return job;
    }
    let bar: Mutex<Option<ProgressBar>> = Mutex::default();
    job.watched(move |event| {
        let mut bar = bar.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Progress(progress) => draw(bar.get_or_insert_with(new), progress),
            Event::Idle => bar.take().iter().for_each(ProgressBar::finish_and_clear),
            Event::Remark(remark) => match &*bar {
                Some(bar) => bar.suspend(|| say(remark)),
                None => say(remark),
            },
            _ => {}
        }
    })
}

fn new() -> ProgressBar {
    let style = ProgressStyle::with_template("[{bar:20}] {wide_msg}");
    ProgressBar::new(WIDTH).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "))
}

fn draw(bar: &ProgressBar, progress: &Progress) {
    bar.set_position((progress.share * WIDTH as f64) as u64);
    bar.set_message(progress.to_string());
}

fn say(remark: &str) {
    // Nobody may be there to hear it.
    let _ = writeln!(std::io::stderr().lock(), "{remark}");
}
