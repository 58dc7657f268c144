//! How long does a new week of thirty thousand series take: stored, scored against every issue, watched, told about?
//!
//! `cargo bench -p tradewind-monitor --bench store [-- SERIES [WEEKS]]` fills a store with WEEKS weeks (13 if not stated) of
//! SERIES series (30,000), one issue a week of 13 steps with a mean and two quantiles; then one more week of actuals comes.
//! It checks the answer first. Time is that of the processor and of the clock; memory the most that the system counted as
//! resident (VmHWM), in a process of its own for the week. With TRADEWIND_POSTGRES set, the same on that server.

use std::process::Command;
use std::time::Instant;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use cpu_time::ProcessTime;
use tradewind_monitor::alerts::{Coincidence, Costs, Level, Observation, Rules, What, causes};
use tradewind_monitor::store::{Actual, Issue, Kind, Options, SeriesForecast, Store};

const STEPS: usize = 13;
const LEVELS: [f64; 2] = [0.1, 0.9];

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |at: usize, usual: usize| arguments.get(at).map_or(Ok(usual), |text| text.parse());
    if arguments.first().is_some_and(|first| first == "week") {
        return week(arguments.get(1).ok_or("no place")?, number(2, 0)?, number(3, 0)?);
    }
    let (series, weeks) = (number(0, 30_000)?, number(1, 13)?);
    let home = tempfile::tempdir()?;
    let file = home.path().join("monitor.db").to_string_lossy().into_owned();
    let servers = std::env::var("TRADEWIND_POSTGRES").into_iter();
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
        let done = Command::new(std::env::current_exe()?)
            .args(["week", &place, &series.to_string(), &weeks.to_string()])
            .status()?;
        if !done.success() {
            return Err("the week failed".into());
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
    let mut store = Store::open(place, options())?;
    lap("open (SQLite: and check every page)", false);
    let received = store.receive(&rows, now(week))?;
    assert_eq!(received.stored, series);
    lap("store", true);
    let scored = store.score()?;
    let track = store.tracks()?.first().ok_or("no track")?.id;
    assert_eq!(scored.scores, series * STEPS.min(week));
    let portfolio = store.portfolio(track, 4)?;
    let first = portfolio.first().ok_or("no sums")?;
    let expected: f64 = rows.iter().enumerate().map(|(at, row)| (10.0 + (at % 50) as f64 - row.value).abs()).sum();
    let before: f64 = (week.saturating_sub(3).max(1)..week)
        .flat_map(|week| actuals(series, week).into_iter().enumerate())
        .map(|(at, row)| (10.0 + (at % 50) as f64 - row.value).abs())
        .sum();
    assert!((first.absolute - expected - before).abs() < 1e-6 * expected, "{first:?}");
    lap("score", true);
    let seen = detect(&mut store, track, week)?;
    lap("detect", true);
    let rules: Rules = toml::from_str(RULES)?;
    let mut seen = [seen, store.observe(&rules, |_| Costs { over: 1.0, under: 3.0 }, now(week))?].concat();
    lap("observe", true);
    let explain = |_: &Observation, together| causes(&Coincidence { together, ..Coincidence::default() });
    let judged = store.judge(&rules, &seen, explain, now(week))?;
    assert!(judged.open > 0 && judged.messages > 0, "{judged:?}");
    let delivered = store.deliver(&rules, &|_| None, now(week))?;
    assert_eq!((delivered.sent, delivered.failed), (judged.messages, 0));
    println!("  {} observed, {} alerts, {} messages", seen.len(), judged.open, delivered.sent);
    let (clock, cpu) = lap("alert", true);
    println!("  in all {clock:.2} s, {cpu:.2} s CPU, {:.0} MB at most", memory()?);
    // And a bad week: every series alerts at once.
    seen.iter_mut()
        .filter(|seen| seen.level == Level::Series)
        .for_each(|seen| (seen.value, seen.odds) = (1e3, Some(0.0)));
    let judged = store.judge(&rules, &seen, explain, now(week))?;
    assert_eq!(judged.open, seen.iter().filter(|seen| seen.level == Level::Series).count() + 1);
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
    name = "drift"
    what = "drift"
    level = "series"
    false_alarms = 10.0
    severity = "warning"
    to = ["log"]
    [destination.log]
    kind = "log"
    path = "/dev/null"
"#;

/// A detector of the simplest kind: an exponentially weighted mean of scaled errors of step 1 for every series.
fn detect(store: &mut Store, track: i64, week: usize) -> Result<Vec<Observation>> {
    let mut states: std::collections::HashMap<i64, Vec<u8>> = store.states("ewma")?.into_iter().collect();
    let mut keys: Vec<Vec<String>> = Vec::new();
    store.series(|_, key| {
        keys.push(key);
        Ok(())
    })?;
    let (mut kept, mut seen) = (Vec::new(), Vec::new());
    store.scores(track, date(week), |series, step, score| {
        if step != 1 {
            return;
        }
        let before = states.remove(&series).and_then(|bytes| bytes.try_into().ok()).map_or(0.0, f64::from_le_bytes);
        let mean = 0.8 * before + 0.2 * score.error;
        kept.push((series, mean.to_le_bytes().to_vec()));
        seen.push(Observation {
            rule: None,
            what: What::Drift,
            level: Level::Series,
            key: keys.get(series as usize).cloned().unwrap_or_default(),
            model: "ets".into(),
            kind: None,
            at: date(week),
            since: None,
            value: mean,
            odds: Some((-mean.abs()).exp()),
            money: score.error.abs(),
            detail: String::new(),
        });
    })?;
    store.keep_states("ewma", &kept)?;
    Ok(seen)
}

/// The most memory that the system counted as resident, in MB.
fn memory() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM")).ok_or("no VmHWM")?;
    let kib: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kib * 1.024 / 1e3)
}
