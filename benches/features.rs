//! How long do features of 915 daily series take? The answer is asserted before it is timed.
//!
//! `TRADEWIND_DATA=FOLDER cargo bench --bench features` prints CPU and wall seconds of each step and the peak memory; a
//! folder without rossmann.parquet is skipped. CPU time is what to compare: machines are shared.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use cpu_time::ProcessTime;
use tradewind::polars::prelude::*;
use tradewind::prelude::*;

const WEATHER: [&str; 8] = [
    "Max_TemperatureC",
    "Mean_TemperatureC",
    "Min_TemperatureC",
    "Mean_Humidity",
    "Precipitationmm",
    "Mean_Wind_SpeedKm_h",
    "CloudCover",
    "Events",
];

fn main() -> Result<()> {
    let Some(path) = std::env::var_os("TRADEWIND_DATA").map(|folder| Path::new(&folder).join("rossmann.parquet"))
    else {
        println!("skipped: TRADEWIND_DATA not set");
        return Ok(());
    };
    if !path.exists() {
        println!("skipped: no rossmann.parquet in TRADEWIND_DATA");
        return Ok(());
    }
    let folder = tempfile::tempdir().map_err(|cause| Error::io("no temporary folder").because(cause))?;
    let weather = weather(&path, folder.path())?;
    let columns = || Columns::new(["Store"], "ds", "Sales").known(["Promo", "Open", "Holiday"]).fixed(["State"]);
    let started = (ProcessTime::now(), Instant::now());
    let panel = timed("read", || Panel::read(&path, columns()))?;
    assert_eq!((panel.rows(), panel.len()), (827_980, 915));
    let audit = timed("audit", || panel.audit())?;
    assert_eq!((audit.count("gaps"), audit.count("duplicates")), (33_479, 0));
    let dated = timed("holidays", || panel.features("holidays(country=DE, by=State)"))?;
    agree(&dated)?;
    let join = Join::parse(&format!("on=[ds, State], observed=[{}]", WEATHER[..7].join(", ")))?;
    let joined = timed("weather", || dated.join(&weather, &join))?;
    let lagged = timed("lags", || joined.features("lags(steps=[1, 7, 14])"))?;
    let rolled = timed("rolling", || lagged.features("rolling(window=28)"))?;
    for name in ["Mean_TemperatureC", "lag_14", "rolling_mean_28"] {
        assert!(rolled.to_frame().column(name)?.null_count() <= 15 * 915 + 33_950, "{name}");
    }
    println!(
        "{:>10}  {:.2} s CPU  {:.2} s wall, each step twice",
        "all",
        started.0.elapsed().as_secs_f64(),
        started.1.elapsed().as_secs_f64()
    );
    timed("future", || rolled.future(42))?;
    timed("weekly", || panel.aggregate(&Aggregate::parse("freq=W-SUN, partial=drop")?))?;
    timed("monthly", || panel.aggregate(&Aggregate::parse("freq=MS, keys=[]")?))?;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown");
    println!("{:>10}  {}", "peak", peak.trim());
    Ok(())
}

/// Our holidays are those that came with the data from another source, but for two that hold in parts of a state only, which
/// ours count: Assumption Day in Bavaria (26 stores, 2013) and Corpus Christi in Saxony (50 stores, three years).
fn agree(panel: &Panel) -> Result<()> {
    let frame = panel.to_frame();
    let theirs = frame.column("Holiday")?.cast(&DataType::Float64)?;
    let ours = frame.column("holiday")?.cast(&DataType::Float64)?;
    let differ = theirs.f64()?.iter().zip(ours.f64()?.iter()).filter(|(theirs, ours)| theirs != ours).count();
    assert_eq!((theirs.f64()?.sum(), differ), (Some(25_136.0), 26 + 3 * 50));
    Ok(())
}

/// The weather in a file of its own: one row per state and day.
fn weather(path: &Path, folder: &Path) -> Result<PathBuf> {
    let file =
        std::fs::File::open(path).map_err(|cause| Error::io("rossmann.parquet cannot be read").because(cause))?;
    let mut names: Vec<String> = WEATHER.iter().map(|name| (*name).to_string()).collect();
    names.extend(["State".into(), "ds".into()]);
    let frame = ParquetReader::new(file).with_columns(Some(names)).finish()?;
    let (states, days) = (frame.column("State")?.str()?.clone(), frame.column("ds")?.cast(&DataType::Int64)?);
    let mut seen = HashSet::new();
    let first: Vec<bool> = states.iter().zip(days.i64()?.iter()).map(|key| seen.insert(key)).collect();
    let mut frame = frame.filter(&BooleanChunked::from_slice("".into(), &first))?;
    let out = folder.join("weather.parquet");
    let file =
        std::fs::File::create(&out).map_err(|cause| Error::io("the weather cannot be written").because(cause))?;
    ParquetWriter::new(file).finish(&mut frame)?;
    Ok(out)
}

fn timed<T>(name: &str, work: impl Fn() -> Result<T>) -> Result<T> {
    work()?;
    let (cpu, wall) = (ProcessTime::now(), Instant::now());
    let answer = work()?;
    println!("{name:>10}  {:.2} s CPU  {:.2} s wall", cpu.elapsed().as_secs_f64(), wall.elapsed().as_secs_f64());
    Ok(answer)
}
