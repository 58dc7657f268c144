//! How long does the forecast of a million series take, in how much memory, and does a run that was killed end in the same
//! bytes? From Parquet to Parquet, by the program itself.
//!
//! `cargo bench --bench stream [-- SERIES [MODEL]]` makes SERIES monthly series of 120 values (a million if not stated) in
//! the folder for temporary files, forecasts a year of them by MODEL (`theta`), and again with two kills on the way. Memory
//! is the most that the system counts as resident (VmHWM), where it says so.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tradewind::polars::prelude::*;

const LENGTH: usize = 120;
const HORIZON: usize = 12;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let series: usize = arguments.first().map_or(Ok(1_000_000), |text| text.parse())?;
    let model = arguments.get(1).map_or("theta", String::as_str);
    let home = tempfile::tempdir()?;
    let data = home.path().join("sales.parquet");
    generate(&data, series)?;
    println!("{series} series of {LENGTH} values, {:.0} MB as Parquet", data.metadata()?.len() as f64 / 1e6);

    let whole = home.path().join("whole.parquet");
    let started = Instant::now();
    let (cpu, memory) = watch(run(&data, &whole, model)?, |_| false)?;
    let rows = ParquetReader::new(File::open(&whole)?).num_rows()?;
    assert_eq!(rows, series * HORIZON);
    println!("{model}, forecast: {:.0} s, {cpu:.0} s CPU, {memory:.0} MB", started.elapsed().as_secs_f64());

    let killed = home.path().join("killed.parquet");
    let (started, mut cpu, mut memory) = (Instant::now(), 0.0, 0.0);
    for third in 1..=3 {
        let enough = |folder: &Path| third < 3 && done(folder) * 3 >= third * series / 2_000;
        let (own_cpu, own_memory) =
            watch(run(&data, &killed, model)?, |_| enough(&home.path().join("killed.parquet.partial")))?;
        cpu += own_cpu;
        memory = f64::max(memory, own_memory);
    }
    assert!(same(&whole, &killed)?, "another forecast after two kills");
    println!("killed twice, the same bytes: {:.0} s, {cpu:.0} s CPU, {memory:.0} MB", started.elapsed().as_secs_f64());
    Ok(())
}

/// Monthly sales with a level, a trend, a season and noise of their own each.
fn generate(path: &Path, series: usize) -> Result<()> {
    let month =
        |t: usize| chrono::NaiveDate::from_ymd_opt(2015 + (t / 12) as i32, 1 + (t % 12) as u32, 1).unwrap_or_default();
    let months: Vec<chrono::NaiveDate> = (0..LENGTH).map(month).collect();
    let mut state = 1_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut writer = None;
    for first in (0..series).step_by(2_000) {
        let ids: Vec<u32> = (first..(first + 2_000).min(series)).map(|id| id as u32).collect();
        let mut y = Vec::with_capacity(ids.len() * LENGTH);
        for _ in &ids {
            let (level, slope, season, phase) = (10.0 + 990.0 * uniform(), uniform() - 0.4, 0.4 * uniform(), uniform());
            y.extend((0..LENGTH).map(|t| {
                let wave = season * (std::f64::consts::TAU * (t as f64 / 12.0 + phase)).sin();
                let noise = 0.3 * (uniform() + uniform() - 1.0);
                (level * (1.0 + slope * t as f64 / LENGTH as f64 + wave + noise) * 100.0).round() / 100.0
            }));
        }
        let id: Vec<u32> = ids.iter().flat_map(|id| std::iter::repeat_n(*id, LENGTH)).collect();
        let ds: Vec<chrono::NaiveDate> = ids.iter().flat_map(|_| months.iter().copied()).collect();
        let frame = df!("id" => id, "ds" => ds, "y" => y)?;
        let writer = match &mut writer {
            Some(writer) => writer,
            none => none.insert(ParquetWriter::new(File::create(path)?).batched(frame.schema())?),
        };
        writer.write_batch(&frame)?;
    }
    if let Some(writer) = writer {
        writer.finish()?;
    }
    Ok(())
}

fn run(data: &Path, out: &Path, model: &str) -> Result<Child> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
    command.args(["forecast", "--stream", "--quiet", "--id", "id", "--models", model, "--horizon"]);
    command.arg(HORIZON.to_string()).arg("--data").arg(data).arg("--out").arg(out).stdout(Stdio::null());
    Ok(command.spawn()?)
}

/// Waits for the program to end, or kills it; its CPU seconds and megabytes.
fn watch(mut child: Child, enough: impl Fn(&Child) -> bool) -> Result<(f64, f64)> {
    let (mut cpu, mut memory) = (0.0, 0.0);
    let proc = |name: &str, id: u32| std::fs::read_to_string(format!("/proc/{id}/{name}")).unwrap_or_default();
    loop {
        let status = proc("status", child.id());
        let high = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        memory = high.and_then(|text| text.parse::<f64>().ok()).map_or(memory, |kilobytes| kilobytes / 1e3);
        let stat = proc("stat", child.id());
        let ticks = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
        let ticks: f64 = ticks.filter_map(|text| text.parse::<f64>().ok()).sum();
        cpu = f64::max(cpu, ticks / 100.0);
        if let Some(status) = child.try_wait()? {
            assert!(status.success(), "the program failed");
            return Ok((cpu, memory));
        }
        if enough(&child) {
            child.kill()?;
            child.wait()?;
            return Ok((cpu, memory));
        }
        sleep(Duration::from_millis(20));
    }
}

/// How many chunks are there?
fn done(folder: &Path) -> usize {
    let names = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.file_name());
    names
        .filter(|name| name.to_string_lossy().starts_with("forecast-") && name.to_string_lossy().ends_with(".json"))
        .count()
}

fn same(a: &Path, b: &Path) -> Result<bool> {
    Ok(std::fs::read(a)? == std::fs::read(b)?)
}
