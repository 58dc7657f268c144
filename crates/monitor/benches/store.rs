//! How long does a new week of thirty thousand series take: stored, scored against every issue, watched, told about?
//!
//! `cargo bench -p tradewind-monitor --bench store [-- SERIES [WEEKS]]` fills a store with WEEKS weeks (28 if not stated, 27 at
//! least) of SERIES series (30,000), one issue a week of 13 steps with a mean and two quantiles; detectors are calibrated on
//! the first 26 weeks with actuals; then one more week of actuals comes. It checks the answer first. Time is that of the
//! processor and of the clock; memory the most that the system counted as resident (VmHWM), in processes of their own for the
//! calibration and the week. With TRADEWIND_TEST_POSTGRES set, the same on that server.

use std::process::Command;
use std::time::Instant;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use cpu_time::ProcessTime;
use tradewind_monitor::alerts::{Coincidence, Costs, Level, Observation, Rules, causes};
use tradewind_monitor::monitor::{Monitor, MonitorOptions};
use tradewind_monitor::store::{Actual, Issue, Kind, Options, SeriesForecast, Store};

const STEPS: usize = 13;
const LEVELS: [f64; 2] = [0.1, 0.9];

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |at: usize, usual: usize| arguments.get(at).map_or(Ok(usual), |text| text.parse());
    match arguments.first().map(String::as_str) {
        Some("calibrate") => return calibrate(arguments.get(1).ok_or("no place")?, number(3, 0)?),
        Some("week") => return week(arguments.get(1).ok_or("no place")?, number(2, 0)?, number(3, 0)?),
        _ => {}
    }
    let (series, weeks) = (number(0, 30_000)?, number(1, 28)?);
    let home = tempfile::tempdir()?;
    let file = home.path().join("monitor.db").to_string_lossy().into_owned();
    let servers = std::env::var("TRADEWIND_TEST_POSTGRES").into_iter();
    for place in std::iter::once(file.clone()).chain(servers) {
        let name = if place == file { "SQLite" } else { "PostgreSQL" };
        let started = Instant::now();
        fill(&place, series, weeks)?;
        println!(
            "{name}: {series} series, {weeks} issues of {STEPS} steps filled in {:.1} s",
            started.elapsed().as_secs_f64()
        );
        if place == file {
            println!("{name}: {:.0} MB", std::fs::metadata(&file)?.len() as f64 / 1e6);
        }
        for part in ["calibrate", "week"] {
            let done = Command::new(std::env::current_exe()?)
                .args([part, &place, &series.to_string(), &weeks.to_string()])
                .status()?;
            if !done.success() {
                return Err(format!("{part} failed").into());
            }
        }
        if place == file {
            println!("{name}: {:.0} MB with the new week", std::fs::metadata(&file)?.len() as f64 / 1e6);
        }
    }
    Ok(())
}

fn options() -> Options {
    Options { schema: "tradewind_bench".into(), ..Options::default() }
}

fn date(week: usize) -> NaiveDateTime {
    let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap_or_default();
    (first + Days::new(7 * week as u64)).and_time(NaiveTime::MIN)
}

fn now(week: usize) -> DateTime<Utc> {
    date(week).and_utc()
}

fn key(series: usize) -> Vec<String> {
    vec![format!("store-{:03}", series % 100), format!("item-{:05}", series / 100)]
}

/// A number between 0 and 1 that depends on what it is asked for alone.
fn noise(series: usize, week: usize) -> f64 {
    let mut state = (series as u64) << 20 | week as u64;
    for _ in 0..3 {
        state = (state ^ state >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    (state >> 11) as f64 / (1_u64 << 53) as f64
}

fn actuals(series: usize, week: usize) -> Vec<Actual> {
    let level = |series: usize| 10.0 + (series % 50) as f64;
    let value = |series: usize| level(series) + 8.0 * noise(series, week) - 4.0;
    (0..series).map(|series| Actual { key: key(series), at: date(week), value: value(series) }).collect()
}

/// Issue `week` is for the weeks after it; the actuals of a week come before the next issue.
fn fill(place: &str, series: usize, weeks: usize) -> Result<()> {
    let mut store = Store::open(place, options())?;
    for week in 0..weeks {
        if week > 0 {
            store.receive(&actuals(series, week), now(week))?;
            store.score()?;
        }
        let issue = Issue {
            run: format!("week {week}"),
            model: "ets".into(),
            kind: Kind::Statistical,
            issued_at: now(week),
            fingerprint: "4f1d".into(),
            dates: (1..=STEPS).map(|step| date(week + step)).collect(),
            levels: LEVELS.to_vec(),
        };
        let forecast = |series: usize| {
            let mean = 10.0 + (series % 50) as f64;
            SeriesForecast {
                key: key(series),
                scale: 2.0,
                mean: vec![mean; STEPS],
                quantiles: vec![vec![mean - 3.2, mean + 3.2]; STEPS],
            }
        };
        store.issue(&issue, (0..series).map(forecast), now(week))?;
    }
    Ok(())
}

fn open(place: &str) -> Result<Monitor> {
    let options = MonitorOptions {
        store: options(),
        reference: 26,
        costs: Box::new(|_| Costs { over: 1.0, under: 3.0 }),
        ..MonitorOptions::default()
    };
    Ok(Monitor::open(place, toml::from_str(RULES)?, options)?)
}

/// The detectors up to the newest week of the store.
fn calibrate(place: &str, weeks: usize) -> Result<()> {
    let mut monitor = open(place)?;
    let (clock, cpu) = (Instant::now(), ProcessTime::now());
    let told = monitor.receive(&[], now(weeks - 1))?;
    assert!(told.notes.is_empty(), "{:?}", told.notes);
    let (clock, cpu) = (clock.elapsed().as_secs_f64(), cpu.elapsed().as_secs_f64());
    println!("  calibrate detectors: {clock:.2} s, {cpu:.2} s CPU, {:.0} MB at most", memory()?);
    Ok(())
}

fn week(place: &str, series: usize, week: usize) -> Result<()> {
    let rows = actuals(series, week);
    let (mut clock, mut cpu) = (Instant::now(), ProcessTime::now());
    let (mut total_clock, mut total_cpu) = (0.0, 0.0);
    let mut lap = |what: &str, counts: bool| {
        let (wall, own) = (clock.elapsed().as_secs_f64(), cpu.elapsed().as_secs_f64());
        println!("  {what}: {wall:.2} s, {own:.2} s CPU");
        if counts {
            (total_clock, total_cpu) = (total_clock + wall, total_cpu + own);
        }
        (clock, cpu) = (Instant::now(), ProcessTime::now());
        (total_clock, total_cpu)
    };
    let mut monitor = open(place)?;
    lap("open (SQLite: and check every page)", false);
    // In parts, as a monitor does it: what is stored and scored already, `receive` does not do again.
    let received = monitor.store().receive(&rows, now(week))?;
    assert_eq!(received.stored, series);
    lap("store", true);
    let scored = monitor.store().score()?;
    let track = monitor.store().tracks()?.first().ok_or("no track")?.id;
    assert_eq!(scored.scores, series * STEPS.min(week));
    lap("score", true);
    let told = monitor.receive(&[], now(week))?;
    assert_eq!((told.delivered.sent, told.delivered.failed, told.notes.len()), (told.judged.messages, 0, 0));
    println!("  {} alerts, {} messages", told.judged.open, told.delivered.sent);
    let (all_clock, all_cpu) = lap("detect, judge, tell", true);
    println!("  in all {all_clock:.2} s, {all_cpu:.2} s CPU, {:.0} MB at most", memory()?);
    let portfolio = monitor.store().portfolio(track, 4)?;
    let first = portfolio.first().ok_or("no sums")?;
    let error = |week: usize| -> f64 {
        actuals(series, week).iter().enumerate().map(|(at, row)| (10.0 + (at % 50) as f64 - row.value).abs()).sum()
    };
    let expected: f64 = (week.saturating_sub(3).max(1)..=week).map(error).sum();
    assert!((first.absolute - expected).abs() < 1e-6 * expected, "{first:?}");
    lap("check", false);
    let again = monitor.receive(&rows, now(week))?;
    assert_eq!((again.received.unchanged, again.judged.alerts.len()), (series, 0));
    lap("the same again", false);
    let report = monitor.report(20)?;
    assert_eq!(report.watched.first().map(|watched| watched.series), Some(series));
    lap("report", false);
    // And a bad week: every series alerts at once.
    let rules: Rules = toml::from_str(RULES)?;
    let store = monitor.store();
    let mut seen = store.observe(&rules, |_| Costs { over: 1.0, under: 3.0 }, now(week))?;
    seen.iter_mut().filter(|seen| seen.level == Level::Series).for_each(|seen| seen.value = 1e3);
    let explain = |_: &Observation, together| causes(&Coincidence { together, ..Coincidence::default() });
    let judged = store.judge(&rules, &seen, explain, now(week))?;
    assert!(judged.open >= series, "{}", judged.open);
    store.deliver(&rules, &|_| None, now(week))?;
    lap(&format!("{} alerts at once", judged.open), false);
    println!("  {:.0} MB at most", memory()?);
    Ok(())
}

/// A line to the null device for each message.
const RULES: &str = r#"
    keys = ["store", "item"]
    [[rule]]
    name = "portfolio"
    what = "error"
    level = "portfolio"
    above = 1.0
    severity = "critical"
    to = ["log"]
    [[rule]]
    name = "series that miss"
    what = "error"
    level = "series"
    above = 18.0
    severity = "warning"
    to = ["log"]
    [[rule]]
    name = "series that changed"
    what = "error"
    level = "series"
    false_alarms = 1.0
    severity = "warning"
    to = ["log"]
    [[rule]]
    name = "stores that changed"
    what = "error"
    level = "group"
    by = ["store"]
    false_alarms = 1.0
    severity = "warning"
    to = ["log"]
    [[rule]]
    name = "the whole that changed"
    what = "error"
    level = "portfolio"
    false_alarms = 1.0
    severity = "critical"
    to = ["log"]
    [destination.log]
    kind = "log"
    path = "/dev/null"
"#;

/// The most memory that the system counted as resident, in MB.
fn memory() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM")).ok_or("no VmHWM")?;
    let kib: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kib * 1.024 / 1e3)
}
