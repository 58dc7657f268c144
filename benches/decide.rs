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
    if asked("hidden") {
        let file = |name: &str| {
            Ok::<_, Box<dyn std::error::Error>>(ParquetReader::new(std::fs::File::open(data.join(name))?).finish()?)
        };
        let vn2 = Columns::new(["store", "product"], "week", "sales").fixed(["store_format", "department"]);
        hidden("VN2", file("vn2/vn2_weekly.parquet")?, vn2, Some("in_stock"))?;
        hidden(
            "Walmart",
            file("walmart.parquet")?,
            Columns::new(["store", "dept"], "date", "sales").fixed(["Type"]),
            None,
        )?;
        let daily = file("samples/rossmann_daily100_train.parquet")?;
        hidden("rossmann_daily100", daily, Columns::new(["unique_id"], "ds", "y"), None)?;
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

/// How much of what is hidden is found again, and how often intervals of 90 % hold it.
fn hidden(name: &str, frame: DataFrame, columns: Columns, in_stock: Option<&str>) -> Any<()> {
    let begun = cpu();
    let sales =
        frame.column(&columns.target)?.cast(&DataType::Float64)?.f64()?.iter().map(|y| y.unwrap_or(f64::NAN).max(0.0));
    let sales: Vec<f64> = sales.collect();
    // Steps that were out of stock are not known; they take no part.
    let known: Vec<bool> = match in_stock {
        Some(flag) => frame.column(flag)?.bool()?.iter().map(|there| there.unwrap_or(false)).collect(),
        None => vec![true; sales.len()],
    };
    let (mut total, mut series, mut steps, mut bias) = ([0, 0], [0, 0], [0, 0], 0.0);
    let (draws, mut state) = (200, 1_u64);
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    for _ in 0..draws {
        let out: Vec<bool> = known.iter().map(|known| *known && uniform() < 0.1).collect();
        let shown = |at: usize| (known[at] && !out[at]).then_some(sales[at]);
        let mut masked = frame.clone();
        masked.with_column(Column::new(
            columns.target.as_str().into(),
            (0..sales.len()).map(shown).collect::<Vec<_>>(),
        ))?;
        masked.with_column(Column::new("there".into(), out.iter().map(|out| !out).collect::<Vec<_>>()))?;
        masked.with_column(Column::new("truth".into(), sales.clone()))?;
        let panel = Panel::from_frame(masked.clone(), columns.clone().available("there"))?;
        let finding = panel.explore("lost_sales(top=100000)")?;
        let also = finding.also();
        let keys: Vec<&str> = columns.keys().iter().map(String::as_str).collect();
        let on: Vec<&str> = keys.iter().copied().chain([columns.time.as_str()]).collect();
        let truth = masked.select(on.iter().copied().chain(["truth"]))?;
        let each = also[0].frame().join(&truth, on.clone(), on, JoinArgs::new(JoinType::Inner), None)?;
        let number = |frame: &DataFrame, name: &str| -> Any<Vec<f64>> {
            Ok(frame.column(name)?.cast(&DataType::Float64)?.f64()?.iter().map(|y| y.unwrap_or(f64::NAN)).collect())
        };
        let holds = |(from, to): (f64, f64), truth: f64| usize::from(from <= truth + 1e-9 && truth <= to + 1e-9);
        let (from, to, found) = (number(&each, "from")?, number(&each, "to")?, number(&each, "truth")?);
        for (at, truth) in found.iter().enumerate() {
            steps = [steps[0] + holds((from[at], to[at]), *truth), steps[1] + 1];
        }
        let sums = each.group_by_stable(keys.clone())?.select(["truth"]).sum()?;
        let both = finding.table().frame().join(&sums, keys.clone(), keys, JoinArgs::new(JoinType::Inner), None)?;
        let (from, to, found) = (number(&both, "from")?, number(&both, "to")?, number(&both, "truth_sum")?);
        for (at, truth) in found.iter().enumerate() {
            series = [series[0] + holds((from[at], to[at]), *truth), series[1] + 1];
        }
        let (all, truth) = (also[1].frame(), found.iter().sum::<f64>());
        total = [total[0] + holds((number(all, "from")?[0], number(all, "to")?[0]), truth), total[1] + 1];
        bias += (number(all, "lost")?[0] / truth - 1.0) / f64::from(draws);
    }
    let percent = |[inside, all]: [usize; 2]| 100.0 * inside as f64 / all.max(1) as f64;
    println!(
        "{name}: {draws} draws, bias {:.2} %; intervals of 90 % hold {:.1} % of totals, {:.1} % of series, {:.1} % of steps; CPU {:.0} s",
        100.0 * bias,
        percent(total),
        percent(series),
        percent(steps),
        cpu() - begun
    );
    Ok(())
}
