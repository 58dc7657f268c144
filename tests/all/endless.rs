//! Nothing takes for ever: long series, wide tables and large counts are served in time that grows with their size, and an
//! interrupt ends any of it within seconds.
#![cfg(unix)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Starts the program with so many seconds of the processor at the most.
fn start(folder: &Path, args: &[&str], seconds: u32) -> Child {
    Command::new("sh")
        .args(["-c", &format!("ulimit -t {seconds}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_tradewind")])
        .args(args)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn ended(child: &mut Child, within: Duration) -> Option<i32> {
    let start = Instant::now();
    while start.elapsed() < within {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status.code().unwrap_or(-1));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

fn stderr(child: &mut Child) -> String {
    let mut text = String::new();
    std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut text).unwrap();
    text
}

const COLUMNS: [&str; 8] = ["--data", "d.csv", "--id", "id", "--time", "ds", "--target", "y"];

/// Hours from 2010 on, or whatever `steps` counts.
fn long(folder: &Path, steps: usize) {
    use std::fmt::Write;
    let mut rows = String::from("id,ds,y\n");
    let mut level = 0.0;
    for i in 0..steps {
        level = 0.7 * level + ((i * 7919) % 1009) as f64 / 1009.0 - 0.5;
        let (day, hour) = (i / 24, i % 24);
        let wave = 10.0 * (std::f64::consts::TAU * hour as f64 / 24.0).sin();
        writeln!(rows, "a,{},{}", stamp(day, hour), 100.0 + wave + 5.0 * level).unwrap();
    }
    std::fs::write(folder.join("d.csv"), rows).unwrap();
}

fn stamp(day: usize, hour: usize) -> String {
    let date = date(day);
    format!("{date} {hour:02}:00:00")
}

/// The date so many days after 2010-01-01.
fn date(mut day: usize) -> String {
    let mut year = 2010;
    loop {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = if leap { 366 } else { 365 };
        if day < days {
            let months = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            let mut month = 0;
            while day >= months[month] {
                day -= months[month];
                month += 1;
            }
            return format!("{year}-{:02}-{:02}", month + 1, day + 1);
        }
        day -= days;
        year += 1;
    }
}

/// Fifty days of two series with so many known covariates.
fn wide(folder: &Path, covariates: usize) -> String {
    let names: Vec<String> = (0..covariates).map(|c| format!("x{c}")).collect();
    let mut rows = format!("id,ds,y,{}\n", names.join(","));
    for series in 0..2 {
        for day in 0..50 {
            let cells: Vec<String> = (0..covariates)
                .map(|c| format!("{}", ((day * 31 + c * 17 + series * 7) * 7919 % 1009) as f64 / 1009.0))
                .collect();
            let y = 50.0 + 10.0 * (day % 7) as f64 + (day * 37 % 11) as f64;
            rows.push_str(&format!("{series},{},{y},{}\n", date(day), cells.join(",")));
        }
    }
    std::fs::write(folder.join("d.csv"), rows).unwrap();
    names.join(",")
}

fn served(folder: &Path, models: &str, rest: &[&str]) {
    let args =
        [&["fit"][..], &COLUMNS, &["--models", models, "--horizon", "7", "--save", "kept.fits", "-q"], rest].concat();
    let mut child = start(folder, &args, 20);
    let code = ended(&mut child, Duration::from_secs(600));
    assert_eq!(code, Some(0), "{models}: {}", stderr(&mut child));
}

#[test]
fn large_counts_are_learned_in_no_more_time_than_small_ones() {
    if cfg!(not(feature = "lstm")) {
        return crate::skipped("large counts", "built without lstm");
    }
    let folder = tempfile::tempdir().unwrap();
    let mut rows = String::from("id,ds,y\n");
    for series in 0..2 {
        for day in 0..60 {
            let value = if day == 30 { 1_000_000_000 } else { 100_000_000 + 1_000_000 * (day * 37 % 11) };
            rows.push_str(&format!("{series},{},{value}\n", date(day)));
        }
    }
    std::fs::write(folder.path().join("d.csv"), rows).unwrap();
    served(folder.path(), "lstm(head=negative_binomial, hidden_size=4, epochs=2, batches_per_epoch=5)", &[]);
}

#[test]
fn tables_wider_than_long_are_learned() {
    let folder = tempfile::tempdir().unwrap();
    let names = wide(folder.path(), 300);
    served(folder.path(), "ridge; lasso; elastic_net(penalty=0.1)", &["--known", &names]);
}

#[test]
fn long_series_are_fitted() {
    let folder = tempfile::tempdir().unwrap();
    long(folder.path(), 100_000);
    served(folder.path(), "arima; harmonic", &[]);
}

/// Ctrl-C ends each of these, none of which would end by itself, with 130.
#[test]
fn an_interrupt_ends_every_fit_within_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let names = wide(folder.path(), 30);
    let mut models =
        vec!["boost(num_rounds=1000000)", "forest(num_trees=1000000)", "boost(num_rounds=1000000, windows=0)"];
    if cfg!(feature = "xgboost") {
        models.push("xgboost(num_boost_round=1000000)");
    }
    if cfg!(feature = "lstm") {
        models.push("lstm(epochs=1000000, patience=1000000, hidden_size=64)");
    }
    for model in models {
        interrupted(folder.path(), model, &["--known", &names]);
    }
    long(folder.path(), 60_000);
    for model in
        ["arima(search=exhaustive, max_p=8, max_q=8, max_order=16)", "harmonic(seasons=[24, 168, 730.5], max_terms=60)"]
    {
        interrupted(folder.path(), model, &[]);
    }
}

fn interrupted(folder: &Path, model: &str, rest: &[&str]) {
    let args =
        [&["fit"][..], &COLUMNS, &["--models", model, "--horizon", "7", "--save", "kept.fits", "-q"], rest].concat();
    let mut child = start(folder, &args, 600);
    assert_eq!(ended_or_running(&mut child, Duration::from_secs(4)), None, "{model}: {}", stderr(&mut child));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let code = ended(&mut child, Duration::from_secs(15));
    assert_eq!(code, Some(130), "{model}");
    assert!(!folder.join("kept.fits").exists());
}

fn ended_or_running(child: &mut Child, wait: Duration) -> Option<i32> {
    std::thread::sleep(wait);
    child.try_wait().unwrap().map(|status| status.code().unwrap_or(-1))
}
