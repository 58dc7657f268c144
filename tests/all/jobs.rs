//! Several jobs in one process: each is watched and cancelled by itself.

use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tradewind::job::{Event, Job};
use tradewind::prelude::*;

fn sales() -> Panel {
    let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    Panel::read("data/walmart_sales_weekly.csv", columns).unwrap()
}

fn scored(sales: &Panel) -> Result<Vec<String>> {
    let trial = sales.backtest(["ets", "theta"], Folds::new(3, 8))?;
    // All but the seconds.
    let board = trial.leaderboard("mase")?;
    ["mase", "wape", "bias", "pinball"].iter().map(|metric| Ok(format!("{:?}", board.column(metric)?))).collect()
}

#[test]
fn one_of_two_jobs_is_cancelled_and_the_other_goes_on() {
    let sales = sales();
    let alone = scored(&sales).unwrap();
    let (goes_on, ends) = (Job::new(), Job::new());
    let (begun, begins) = channel();
    std::thread::scope(|scope| {
        let endless = ends.clone();
        let sales = &sales;
        let ended = scope.spawn(move || {
            endless.run(|| {
                begun.send(()).unwrap();
                loop {
                    if let Err(error) = scored(sales) {
                        return error.is_interrupted();
                    }
                }
            })
        });
        begins.recv().unwrap();
        let other = scope.spawn(move || goes_on.run(|| (0..3).map(|_| scored(sales)).collect::<Result<Vec<_>>>()));
        assert!(!ends.cancel());
        assert!(ended.join().unwrap().unwrap());
        let boards = other.join().unwrap().unwrap().unwrap();
        assert!(boards.iter().all(|board| *board == alone));
    });
    // What is cancelled stays so until it is resumed.
    assert!(ends.cancel() && ends.is_cancelled());
    assert!(ends.run(|| scored(&sales)).unwrap().unwrap_err().is_interrupted());
    ends.resume();
    assert_eq!(ends.run(|| scored(&sales)).unwrap().unwrap(), alone);
}

#[test]
fn a_job_within_a_job_ends_with_it() {
    let sales = sales();
    let outer = Job::new();
    outer
        .run(|| {
            let inner = Job::new();
            assert!(inner.run(|| scored(&sales)).unwrap().is_ok());
            inner.cancel();
            assert!(inner.run(|| scored(&sales)).unwrap().unwrap_err().is_interrupted());
            // The outer one goes on.
            assert!(scored(&sales).is_ok());
            outer.cancel();
            inner.resume();
            assert!(inner.is_cancelled());
            assert!(inner.run(|| scored(&sales)).unwrap().unwrap_err().is_interrupted());
        })
        .unwrap();
}

#[test]
fn whoever_watches_is_told_of_folds_models_and_series() {
    let sales = sales();
    let told: Arc<Mutex<Vec<(String, f64)>>> = Arc::default();
    let heard = told.clone();
    let job = Job::new().watched(move |event| {
        let state = match event {
            Event::Progress(progress) => (progress.to_string(), progress.share),
            Event::Idle => ("idle".into(), 1.0),
            _ => return,
        };
        heard.lock().unwrap().push(state);
    });
    job.run(|| sales.backtest(["boost(num_rounds=600)", "ets"], Folds::new(4, 8))).unwrap().unwrap();
    let told = told.lock().unwrap();
    assert_eq!(told.last().unwrap().0, "idle");
    assert!(told.len() > 2, "{told:?}");
    assert!(told.iter().all(|(line, share)| (0.0..=1.0).contains(share) && !line.contains("NaN")), "{told:?}");
    assert!(told.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{told:?}");
    // Which states are told depends on how long each lasts.
    assert!(told.iter().any(|(line, _)| line.starts_with("fold ") && line.contains(" of 4, boost")), "{told:?}");
}

/// Nobody is told of a job that others do.
#[test]
fn watchers_hear_of_their_own_job_alone() {
    let sales = sales();
    let heard: Arc<Mutex<usize>> = Arc::default();
    let count = heard.clone();
    let watched = Job::new().watched(move |_| *count.lock().unwrap() += 1);
    Job::new().run(|| sales.backtest(["boost"], Folds::new(2, 8))).unwrap().unwrap();
    sales.backtest(["naive"], Folds::new(2, 8)).unwrap();
    assert_eq!(*heard.lock().unwrap(), 0);
    watched.run(|| sales.backtest(["naive"], Folds::new(2, 8))).unwrap().unwrap();
    assert!(*heard.lock().unwrap() > 0);
}

#[test]
fn what_is_cancelled_while_it_writes_leaves_whole_files() {
    fn write(finding: &Finding, title: &str, folder: &Path) -> Result<()> {
        let report = Report::new(title).add(finding);
        report.save(folder.join("report.html"))?;
        report.save_slides(folder.join("slides.html")).map(drop)
    }
    fn read(folder: &Path) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().unwrap().is_file())
            .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
            .collect();
        files.sort();
        files
    }
    let finding = sales().explore("seasonality").unwrap();
    let home = tempfile::tempdir().unwrap();
    let (folder, other) = (home.path().join("a"), home.path().join("b"));
    write(&finding, "Old", &folder).unwrap();
    write(&finding, "New", &other).unwrap();
    let (old, new) = (read(&folder), read(&other));
    let mut cancelled = 0;
    for late in 0..40 {
        write(&finding, "Old", &folder).unwrap();
        let job = Job::new();
        let canceller = job.clone();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(Duration::from_micros(100 * late));
                canceller.cancel();
            });
            if let Err(error) = job.run(|| write(&finding, "New", &folder)).unwrap() {
                assert!(error.is_interrupted(), "{error}");
                cancelled += 1;
            }
        });
        let files = read(&folder);
        assert_eq!(files.len(), old.len());
        // Each file is the old one or the new one.
        assert!(files.iter().all(|file| old.contains(file) || new.contains(file)));
    }
    assert!(cancelled > 0);
}
