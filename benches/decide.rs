//! What orders cost in held-out steps, and how long a decision takes. Run as
//! `TRADEWIND_DATA=… cargo bench --features full --bench decide -- ROW`:
//!
//! | row | what it shows |
//! |---|---|
//! | `service` | a target fill rate of 95 % on walmart_dept300 and rossmann_daily100: seasonal naive and the best point model with the normal formula, against what is chosen on earlier steps |
//! | `time` | orders of 13 simulated weeks of 3,031 series |
//!
//! Models and levels are chosen on the steps before the held-out ones alone.

use std::path::{Path, PathBuf};

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

/// Whatever can go wrong in a bench.
type Any<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const RATE: f64 = 0.95;

fn main() -> Any<()> {
    let Some(data) = std::env::var_os("TRADEWIND_DATA").map(PathBuf::from) else {
        println!("skipped: TRADEWIND_DATA not set");
        return Ok(());
    };
    let row = std::env::args().skip(1).find(|word| !word.starts_with("--"));
    let asked = |name: &str| row.as_deref().is_none_or(|row| row == name);
    if asked("service") {
        service(&data, "walmart_dept300", &["IsHoliday"], 13)?;
        service(&data, "rossmann_daily100", &["Promo", "Open", "Holiday"], 42)?;
    }
    if asked("time") {
        time(&data)?;
    }
    Ok(())
}

/// CPU seconds of the process so far.
fn cpu() -> f64 {
    cpu_time::ProcessTime::now().as_duration().as_secs_f64()
}

fn service(data: &Path, name: &str, known: &[&str], held_out: usize) -> Any<()> {
    let part = |part: &str| -> Any<DataFrame> {
        let file = std::fs::File::open(data.join(format!("samples/{name}_{part}.parquet")))?;
        Ok(ParquetReader::new(file).finish()?)
    };
    let names = [&["unique_id", "ds", "y"], known].concat();
    let frame = part("train")?.select(names.iter().copied())?.vstack(&part("test")?.select(names.iter().copied())?)?;
    let sales = Panel::from_frame(frame, Columns::new(["unique_id"], "ds", "y").known(known.iter().copied()))?;
    let models = ["gamma_poisson", "ets", "theta", "ridge", "boost(regressors=true)", "seasonal_naive"];
    let (lead, review) = (2, 1);
    let folds = |reviews: usize| Folds::new(reviews, lead + review).step(review);
    let begun = cpu();
    // The training part ends where the test part begins: what is chosen is chosen on its last reviews.
    let past = sales.split(&Folds::new(1, held_out))?.swap_remove(0).train();
    let trial = past.backtest(models, folds(26))?;
    let policy = StockPolicy {
        lead_time: lead,
        review,
        holding: Some(0.2),
        shortage: Some(1.0),
        fill_rate: Some(RATE),
        ..StockPolicy::default()
    };
    let choice = trial.choose_policy(&policy)?;
    println!("{name}: {}", choice.sentence());
    let chosen = choice.table()?.get(0, "model")?.to_string();
    let target = |name: &str| -> Any<Option<f64>> { Ok(choice.table()?.frame().column(name)?.f64()?.get(0)) };
    let point = trial.best("mase")?;
    println!("most accurate on the past: {point}; chosen on cost: {chosen}");
    let (cycle_service, fill_rate) = (target("cycle_service_target")?, target("fill_rate_target")?);
    let ours = StockPolicy { cycle_service, fill_rate, ..policy.clone() };
    let normal = StockPolicy { belief: Belief::Normal, ..policy };
    for other in ["seasonal_naive", point.as_str()] {
        let mut both = vec![chosen.as_str()];
        if other != chosen {
            both.push(other);
        }
        let held = sales.backtest(both, folds(held_out - lead))?.simulate_each(&[ours.clone(), normal.clone()])?;
        println!("{}", held.sentence());
        println!("{}", held.table()?);
    }
    println!("CPU {:.1} s", cpu() - begun);
    Ok(())
}

fn time(data: &Path) -> Any<()> {
    let columns = Columns::new(["store", "dept"], "date", "sales");
    let sales = Panel::read(data.join("walmart.parquet"), columns)?.clean(&Clean::parse("negatives=clip")?)?;
    let policy = StockPolicy::parse("lead_time=2, holding=0.2, shortage=1, cycle_service=0.95")?;
    let begun = (cpu(), std::time::Instant::now());
    let trial = sales.backtest(["gamma_poisson"], Folds::new(13, 3).step(1))?;
    let simulated = trial.simulate(&policy)?;
    println!("{}", simulated.sentence());
    println!(
        "13 weeks of {} series: {:.1} s, CPU {:.1} s",
        sales.keys().len(),
        begun.1.elapsed().as_secs_f64(),
        cpu() - begun.0
    );
    Ok(())
}
