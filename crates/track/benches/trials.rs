//! How long does a search of many trials take to log, and its runs to list?
//!
//! `cargo bench -p tradewind-track --bench trials [-- TRIALS]` logs one run with TRIALS (10,000) below it, each with five
//! parameters and five metrics, in a folder; reads them back; and some seconds later lists the newest hundred and all of them, as a
//! program does that has just been started. With MLFLOW_TRACKING_URI set, the same over that server, with a twentieth of the trials.

use std::time::{Duration, Instant};

use tradewind_track::{Filter, Metric, Status, Tracker};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let count = std::env::args().skip(1).find(|argument| argument != "--bench");
    let count: usize = count.map_or(Ok(10_000), |text| text.parse())?;
    let home = tempfile::tempdir()?;
    let folder = home.path().join("mlruns");
    log("folder", &Tracker::local(&folder)?, count)?;
    // What has just changed is read again each time, until it is older than the clock of the disk can mistake.
    std::thread::sleep(Duration::from_secs(3));
    Tracker::local(&folder)?.runs(&Filter::new())?;
    for (what, filter) in [("newest hundred", Filter::new().limit(100)), ("all", Filter::new().limit(count + 1))] {
        let began = Instant::now();
        let found = Tracker::local(&folder)?.runs(&filter)?.runs.len();
        println!("folder: {found} runs ({what}) listed in {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    }
    if let Ok(url) = std::env::var("MLFLOW_TRACKING_URI") {
        log("server", &Tracker::server(&url, home.path().join("outbox"))?, count / 20)?;
    }
    Ok(())
}

fn log(home: &str, tracker: &Tracker, trials: usize) -> Result<()> {
    let began = Instant::now();
    let search = tracker.start("trials", "search", &[])?;
    for number in 0..trials {
        let trial = search.child(&format!("trial {number}"))?;
        trial.params((0..5).map(|key| (format!("p{key}"), number.to_string())))?;
        trial.metrics((0..5).map(|key| Metric::now(format!("m{key}"), number as f64)))?;
        trial.finish(Status::Finished)?;
    }
    search.finish(Status::Finished)?;
    let sent = tracker.sync()?;
    let seconds = began.elapsed().as_secs_f64();
    let below = Filter::new().experiment("trials").parent(search.id()).limit(trials + 1);
    let kept = tracker.runs(&below)?.runs.len();
    println!("{home}: {trials} trials in {seconds:.1} s, {:.0} a second", trials as f64 / seconds);
    match kept == trials && sent.stopped.is_none() && sent.refused.is_empty() {
        true => Ok(()),
        false => Err(format!("the {home} has {kept} of {trials} trials: {sent:?}").into()),
    }
}
