//! How long do reading, auditing and backtesting 3,031 series take? The answer is asserted before it is timed.
//!
//! `TRADEWIND_DATA=FOLDER cargo bench --bench walmart` prints CPU and wall seconds of each step and the peak memory; a
//! folder without walmart.parquet is skipped. CPU time is what to compare: machines are shared.

use std::time::Instant;

use cpu_time::ProcessTime;
use tradewind::prelude::*;

fn main() -> Result<()> {
    let Some(path) =
        std::env::var_os("TRADEWIND_DATA").map(|folder| std::path::Path::new(&folder).join("walmart.parquet"))
    else {
        println!("skipped: TRADEWIND_DATA not set");
        return Ok(());
    };
    let columns =
        || Columns::new(["store", "dept"], "date", "sales").known(["IsHoliday", "MarkDown1"]).observed(["Temperature"]);
    let panel = timed("read", || Panel::read(&path, columns()))?;
    assert_eq!((panel.rows(), panel.len()), (378_670, 3_031));
    let audit = timed("audit", || panel.audit())?;
    assert_eq!((audit.count("gaps"), audit.count("negative"), audit.count("duplicates")), (27_667, 1_283, 0));
    let trial = timed("backtest", || panel.backtest(["seasonal_naive", "theta"], Folds::new(3, 8)))?;
    assert_eq!(trial.scores()?.rows() + trial.failures().len(), 2 * 8_336);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown");
    println!("{:>10}  {}", "peak", peak.trim());
    Ok(())
}

fn timed<T>(name: &str, work: impl Fn() -> Result<T>) -> Result<T> {
    work()?;
    let (cpu, wall) = (ProcessTime::now(), Instant::now());
    let answer = work()?;
    println!("{name:>10}  {:.2} s CPU  {:.2} s wall", cpu.elapsed().as_secs_f64(), wall.elapsed().as_secs_f64());
    Ok(answer)
}
