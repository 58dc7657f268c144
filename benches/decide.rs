//! What orders cost in held-out steps, and how long a decision takes. Run as
//! `TRADEWIND_DATA=… cargo bench --features full --bench decide -- ROW`:
//!
//! | row | what it shows |
//! |---|---|
//! | `service` | a target fill rate of 95 % on walmart_dept300 and rossmann_daily100: seasonal naive and the best point model with the normal formula, against what is chosen on earlier steps |
//! | `time` | orders of 13 simulated weeks of 3,031 series |
//! | `hidden` | a tenth of the in-stock steps of VN2, Walmart and rossmann_daily100 taken for out of stock, 200 times: how well sales are found again |
//!
//! Models and levels are chosen on the steps before the held-out ones alone.

use std::collections::HashMap;
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
        let weekly = ["gamma_poisson", "group_seasonal", "theta", "seasonal_naive"];
        service(&data, "walmart_dept300", &[], weekly, 13)?;
        let daily = ["gamma_poisson", "theta", "ridge", "seasonal_naive"];
        service(&data, "rossmann_daily100", &["Promo", "Open", "Holiday"], daily, 42)?;
    }
    if asked("time") {
        time(&data)?;
    }
    if asked("hidden") {
        let vn2 = Hidden {
            name: "VN2",
            file: "vn2/vn2_weekly.parquet",
            keys: &["store", "product"],
            fixed: &["store_format", "department"],
            time: "week",
            target: "sales",
            in_stock: Some("in_stock"),
        };
        let walmart = Hidden {
            name: "Walmart",
            file: "walmart.parquet",
            keys: &["store", "dept"],
            fixed: &["Type"],
            time: "date",
            target: "sales",
            in_stock: None,
        };
        let rossmann = Hidden {
            name: "rossmann_daily100",
            file: "samples/rossmann_daily100_train.parquet",
            keys: &["unique_id"],
            fixed: &[],
            time: "ds",
            target: "y",
            in_stock: None,
        };
        for of in [vn2, walmart, rossmann] {
            hidden(&data, &of)?;
        }
    }
    Ok(())
}

/// CPU seconds of the process so far.
fn cpu() -> f64 {
    cpu_time::ProcessTime::now().as_duration().as_secs_f64()
}

fn service(data: &Path, name: &str, known: &[&str], models: [&str; 4], held_out: usize) -> Any<()> {
    let part = |part: &str| -> Any<DataFrame> {
        let file = std::fs::File::open(data.join(format!("samples/{name}_{part}.parquet")))?;
        Ok(ParquetReader::new(file).finish()?)
    };
    let names = [&["unique_id", "ds", "y"], known].concat();
    let frame = part("train")?.select(names.iter().copied())?.vstack(&part("test")?.select(names.iter().copied())?)?;
    let sales = Panel::from_frame(frame, Columns::new(["unique_id"], "ds", "y").known(known.iter().copied()))?;
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

/// A panel of which steps are hidden.
struct Hidden<'a> {
    name: &'a str,
    file: &'a str,
    keys: &'a [&'a str],
    fixed: &'a [&'a str],
    time: &'a str,
    target: &'a str,
    /// The flag of the steps that were in stock; others are not known and take no part.
    in_stock: Option<&'a str>,
}

fn numbers(frame: &DataFrame, name: &str) -> Any<Vec<f64>> {
    Ok(frame.column(name)?.cast(&DataType::Float64)?.f64()?.iter().map(|y| y.unwrap_or(f64::NAN)).collect())
}

/// Cells of a row as one text.
fn labels(frame: &DataFrame, names: &[&str]) -> Any<Vec<String>> {
    let mut labels = vec![String::new(); frame.height()];
    for name in names {
        let cells = frame.column(name)?.cast(&DataType::String)?;
        labels
            .iter_mut()
            .zip(cells.str()?.iter())
            .for_each(|(label, cell)| *label += &format!("{}|", cell.unwrap_or("")));
    }
    Ok(labels)
}

/// How much of what is hidden is found again, and how often intervals of 90 % hold it.
fn hidden(data: &Path, of: &Hidden) -> Any<()> {
    let begun = cpu();
    let frame = ParquetReader::new(std::fs::File::open(data.join(of.file))?).finish()?;
    let sales: Vec<f64> = numbers(&frame, of.target)?.iter().map(|y| y.max(0.0)).collect();
    let known: Vec<bool> = match of.in_stock {
        Some(flag) => frame.column(flag)?.bool()?.iter().map(|there| there.unwrap_or(false)).collect(),
        None => vec![true; sales.len()],
    };
    let on: Vec<&str> = of.keys.iter().copied().chain([of.time]).collect();
    let place: HashMap<String, usize> =
        labels(&frame, &on)?.into_iter().enumerate().map(|(row, key)| (key, row)).collect();
    let (mut total, mut series, mut steps, mut bias) = ([0, 0], [0, 0], [0, 0], 0.0);
    let (draws, mut state) = (200, 1_u64);
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let count = |counts: &mut [usize; 2], (from, to): (f64, f64), truth: f64| {
        *counts = [counts[0] + usize::from(from <= truth + 1e-6 && truth <= to + 1e-6), counts[1] + 1];
    };
    for _ in 0..draws {
        let out: Vec<bool> = known.iter().map(|known| *known && uniform() < 0.1).collect();
        let shown: Vec<Option<f64>> = (0..sales.len()).map(|at| (known[at] && !out[at]).then_some(sales[at])).collect();
        let mut masked = frame.clone();
        masked.with_column(Column::new(of.target.into(), shown))?;
        masked.with_column(Column::new("there".into(), out.iter().map(|out| !out).collect::<Vec<_>>()))?;
        let columns = Columns::new(of.keys.iter().copied(), of.time, of.target).fixed(of.fixed.iter().copied());
        let finding = Panel::from_frame(masked, columns.available("there"))?.explore("lost_sales(top=100000)")?;
        let (by_series, also) = (finding.table(), finding.also());
        let (by_step, all) = (also[0].frame(), also[1].frame());
        let mut sums: HashMap<String, f64> = HashMap::new();
        let (from, to) = (numbers(by_step, "from")?, numbers(by_step, "to")?);
        for (at, (step, item)) in labels(by_step, &on)?.iter().zip(labels(by_step, of.keys)?).enumerate() {
            let truth = sales[place[step]];
            count(&mut steps, (from[at], to[at]), truth);
            *sums.entry(item).or_default() += truth;
        }
        let (from, to) = (numbers(by_series.frame(), "from")?, numbers(by_series.frame(), "to")?);
        for (at, item) in labels(by_series.frame(), of.keys)?.iter().enumerate() {
            count(&mut series, (from[at], to[at]), sums[item]);
        }
        let truth: f64 = sums.values().sum();
        count(&mut total, (numbers(all, "from")?[0], numbers(all, "to")?[0]), truth);
        bias += (numbers(all, "lost")?[0] / truth - 1.0) / f64::from(draws);
    }
    let percent = |[inside, all]: [usize; 2]| 100.0 * inside as f64 / all.max(1) as f64;
    println!(
        "{}: {draws} draws, bias {:.2} %; intervals of 90 % hold {:.1} % of totals, {:.1} % of series, {:.1} % of steps; CPU {:.0} s",
        of.name,
        100.0 * bias,
        percent(total),
        percent(series),
        percent(steps),
        cpu() - begun
    );
    Ok(())
}
