//! Do the sample paths of many series cost as much for each as those of a few? Time and memory for each series of panels of
//! 3,000 and of 30,000 series, 13 steps, 500 paths.
//!
//! `cargo bench --bench paths [-- MODEL FEW MANY]` (`naive 3000 30000` if not stated) runs itself once for each size, so that
//! the memory of one is not that of the other. The paths are looked at series by series as they are drawn (`Paths::each`) and
//! by key (`Paths::of`). Before anything is timed, they are made sure to have the forecast's quantiles and to add up to the total.
//! The run fails when a series of the larger panel takes over a fifth more or less CPU time than one of the smaller, or more
//! memory. Memory is the most that the system counts as resident (VmHWM), where it says so.

use std::process::Command;

use cpu_time::ProcessTime;
use tradewind::polars::prelude::*;
use tradewind::prelude::*;

const LENGTH: usize = 104;
const STEPS: usize = 13;
const PATHS: usize = 500;
/// Series that are asked for by key: enough to be timed, few enough to be quick.
const ASKED: usize = 1_000;
/// Series that are drawn before anything is measured.
const FEW: usize = 128;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let text = |at: usize, usual: &str| arguments.get(at).map_or(usual, String::as_str).to_string();
    if arguments.first().is_some_and(|first| first == "one") {
        return one(&text(1, "naive"), text(2, "3000").parse()?);
    }
    let (model, few, many) = (text(0, "naive"), text(1, "3000"), text(2, "30000"));
    println!("{model}, {STEPS} steps, {PATHS} paths");
    println!("series      µs each   µs by key   MB in all   MB for paths   kB each");
    let mut found = Vec::new();
    for series in [&few, &many] {
        let output = Command::new(std::env::current_exe()?).args(["one", &model, series]).output()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let numbers: std::result::Result<Vec<f64>, _> =
            String::from_utf8(output.stdout)?.split_whitespace().map(str::parse).collect();
        let numbers = numbers?;
        println!(
            "{series:>6} {:12.1} {:11.1} {:11.1} {:14.1} {:9.2}",
            numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
        );
        found.push(numbers);
    }
    let ratio = |at: usize| found[1][at] / found[0][at];
    println!("ratios {:12.2} {:11.2} {:11.2} {:14.2} {:9.2}", ratio(0), ratio(1), ratio(2), ratio(3), ratio(4));
    for at in [0, 1] {
        assert!((0.8..1.2).contains(&ratio(at)), "a series takes {} times as long among many", ratio(at));
    }
    assert!(ratio(4).is_nan() || ratio(4) < 1.2, "a series takes {} times the memory among many", ratio(4));
    Ok(())
}

/// Microseconds for a series, one after the other and by key; megabytes in all and for the paths; kilobytes for a series, its
/// history, fit and forecast among them.
fn one(model: &str, series: usize) -> Result<()> {
    // The program itself and what it needs for a few series are no matter of how many there are.
    let few = panel(FEW)?.fit([model])?.forecast(STEPS)?;
    assert_eq!(few.paths(PATHS, 7)?.total(model)?.len(), PATHS);
    let program = resident();
    let forecast = panel(series)?.fit([model])?.forecast(STEPS)?;
    let keys = forecast.keys();
    check(&forecast, model, &keys)?;
    // What is resident before the paths: the program, the panel, its fits, the forecast.
    let before = resident();
    let paths = forecast.paths(PATHS, 7)?;
    let (started, mut count, mut sum) = (ProcessTime::now(), 0, 0.0);
    for drawn in paths.each(model)? {
        let (_, values) = drawn?;
        sum += values.iter().flatten().sum::<f64>();
        count += 1;
    }
    let each = started.elapsed().as_secs_f64() * 1e6 / series as f64;
    assert!(count == series && sum.is_finite());
    let after = resident();
    let started = ProcessTime::now();
    let asked = ASKED.min(series);
    for k in 0..asked {
        sum += paths.of(model, &keys[k * series / asked])?[0][0];
    }
    let by_key = started.elapsed().as_secs_f64() * 1e6 / asked as f64;
    assert!(sum.is_finite());
    println!("{each} {by_key} {after} {} {}", after - before, (after - program) * 1e3 / series as f64);
    Ok(())
}

/// The paths have the quantiles of the forecast, and those of a few series are the same by key as one after the other.
fn check(forecast: &Forecast, model: &str, keys: &[String]) -> Result<()> {
    let paths = forecast.paths(PATHS, 7)?;
    for drawn in paths.each(model)?.take(3) {
        let (key, values) = drawn?;
        assert!(keys.contains(&key) && values == paths.of(model, &key)?);
        let quantile = forecast.quantile(model, &key, 0.9)?;
        for (step, expected) in quantile.iter().enumerate() {
            assert_eq!(values.iter().filter(|path| path[step] < *expected).count(), PATHS * 9 / 10, "{key}");
        }
    }
    Ok(())
}

/// Weekly sales with a level, a season and noise of their own each.
fn panel(series: usize) -> Result<Panel> {
    let mut state = 1_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let rows = series * LENGTH;
    let (mut id, mut week, mut sold) = (Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::with_capacity(rows));
    for k in 0..series {
        let (level, season) = (10.0 + 990.0 * uniform(), 0.3 * uniform());
        for t in 0..LENGTH {
            id.push(k as u32);
            week.push(t as i32);
            let wave = season * (std::f64::consts::TAU * t as f64 / 52.0).sin();
            sold.push(level * (1.0 + wave + 0.2 * (uniform() - 0.5)));
        }
    }
    Ok(Panel::from_frame(df!("id" => id, "week" => week, "sold" => sold)?, Columns::new(["id"], "week", "sold"))?)
}

/// The most megabytes that were resident at a time, so far; NaN where the system does not say.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let high = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    high.and_then(|text| text.trim().parse::<f64>().ok()).map_or(f64::NAN, |kilobytes| kilobytes / 1e3)
}
