//! How long do the classical models take for a series, and how good are they? Fit and forecast of every series, in CPU time.
//!
//! `TRADEWIND_DATA=FOLDER cargo bench --bench classical` prints one line per data set and model. With arguments
//! (`-- SET MODEL SERIES FILE`) it does one of them on the first `SERIES` series (0 for all) and writes the forecast
//! means as CSV; benches/classical.py does so for both sides of a comparison. A series that a model cannot serve is counted,
//! and its seasonal naive forecast stands in the file.

use std::path::{Path, PathBuf};

use cpu_time::ProcessTime;
use tradewind::polars::prelude::*;
use tradewind::prelude::*;

/// A data set: its folder and name, season, horizon, and how its covariates are used.
struct Set {
    name: &'static str,
    path: &'static str,
    season: usize,
    horizon: usize,
    /// Which are seen in the past alone, the others being known ahead; none where none is used.
    covariates: Option<&'static [&'static str]>,
}

const fn set(name: &'static str, path: &'static str, season: usize, horizon: usize) -> Set {
    Set { name, path, season, horizon, covariates: None }
}

/// The same with its covariates; `+x` where all are taken to be known ahead, `+h` where weather and the economy are not.
const fn with(
    name: &'static str,
    path: &'static str,
    season: usize,
    horizon: usize,
    observed: &'static [&'static str],
) -> Set {
    Set { name, path, season, horizon, covariates: Some(observed) }
}

const SETS: &[Set] = &[
    set("m3_monthly500", "samples/m3_monthly500", 12, 18),
    set("m4_weekly", "m4/m4_weekly", 1, 13),
    set("m4_weekly_52", "m4/m4_weekly", 52, 13),
    set("rossmann_daily100", "samples/rossmann_daily100", 7, 42),
    with("rossmann_daily100+x", "samples/rossmann_daily100", 7, 42, &[]),
    with("rossmann_daily100+h", "samples/rossmann_daily100", 7, 42, &["Mean_TemperatureC", "Precipitationmm"]),
    set("m3_yearly", "m3/m3_yearly", 1, 6),
    set("m3_quarterly", "m3/m3_quarterly", 4, 8),
    set("m3_monthly", "m3/m3_monthly", 12, 18),
    set("m3_other", "m3/m3_other", 1, 8),
    set("m4_hourly", "m4/m4_hourly", 24, 48),
    set("walmart_dept300", "samples/walmart_dept300", 52, 13),
    with("walmart_dept300+x", "samples/walmart_dept300", 52, 13, &[]),
    with("walmart_dept300+h", "samples/walmart_dept300", 52, 13, &["Temperature", "Fuel_Price", "CPI", "Unemployment"]),
    set("m5_monthly500", "samples/m5_monthly500", 12, 6),
];

/// What is timed when nothing is asked for; the rest of the sets are those of accuracy records.
const TIMED: [(&str, &[&str]); 4] = [
    ("m3_monthly500", &["arima", "ets", "theta(kind=dynamic-optimised)", "ces", "mstl"]),
    ("m4_weekly", &["arima", "ets", "theta(kind=dynamic-optimised)", "ces"]),
    ("m4_weekly_52", &["mstl"]),
    ("rossmann_daily100", &["arima(regressors=false)", "ets", "theta(kind=dynamic-optimised)", "ces", "mstl"]),
];

fn main() -> Result<()> {
    let Some(folder) = std::env::var_os("TRADEWIND_DATA").map(PathBuf::from) else {
        println!("skipped: TRADEWIND_DATA not set");
        return Ok(());
    };
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.as_slice() {
        [] => TIMED.iter().try_for_each(|(name, models)| {
            models.iter().try_for_each(|model| measure(&folder, named(name)?, model, 0, None))
        }),
        [name, model, series, rest @ ..] => {
            let series = series.parse().map_err(|_| Error::usage("the third argument is a number of series"))?;
            measure(&folder, named(name)?, model, series, rest.first().map(Path::new))
        }
        _ => Err(Error::usage("arguments: SET MODEL SERIES [FILE]")),
    }
}

fn named(name: &str) -> Result<&'static Set> {
    SETS.iter().find(|set| set.name == name).ok_or_else(|| Error::usage(format!("there is no set `{name}`")))
}

fn measure(folder: &Path, set: &Set, model: &str, most: usize, file: Option<&Path>) -> Result<()> {
    let (train, test) = (frame(folder, set, "train", most)?, frame(folder, set, "test", most)?);
    let columns = columns(&train, set);
    let panel = Panel::from_frame(&train, columns.clone())?;
    let whole = Panel::from_frame(train.vstack(&test)?, columns)?;
    let future = panel.future(set.horizon)?;
    let future = if set.covariates.is_some() { future.given(test)? } else { future };
    let started = ProcessTime::now();
    let forecast = panel.fit_for([model], set.horizon)?.forecast(&future)?;
    let cpu = started.elapsed().as_secs_f64();
    let failures = forecast.failures().len();
    println!(
        "{:>20}  {model:<32} {:>5} series  {:>9.3} ms CPU a series  {failures} failures",
        set.name,
        panel.len(),
        1e3 * cpu / panel.len() as f64
    );
    let Some(file) = file else { return Ok(()) };
    let trial = whole.backtest([model], Folds::new(1, set.horizon))?;
    let scores: Vec<String> = ["smape", "mase", "wape", "pinball", "msis95", "coverage80", "coverage95"]
        .iter()
        .map(|metric| Ok(format!("{metric} {:.4}", trial.score(model, metric)?)))
        .collect::<Result<_>>()?;
    println!("{:>20}  {}", "", scores.join(", "));
    write(&panel, &forecast, model, set, &future, file)
}

/// The rows of the first series.
fn frame(folder: &Path, set: &Set, part: &str, most: usize) -> Result<DataFrame> {
    let path = folder.join(format!("{}_{part}.parquet", set.path));
    let file = std::fs::File::open(&path)
        .map_err(|cause| Error::io(format!("{} cannot be read", path.display())).because(cause))?;
    let frame = ParquetReader::new(file).finish()?;
    let ids = frame.column("unique_id")?.cast(&DataType::String)?;
    let (mut seen, mut count) = ("", 0);
    let kept: Vec<bool> = ids
        .str()?
        .iter()
        .map(|id| {
            let id = id.unwrap_or_default();
            if id != seen {
                (seen, count) = (id, count + 1);
            }
            most == 0 || count <= most
        })
        .collect();
    Ok(frame.filter(&BooleanChunked::from_slice("".into(), &kept))?)
}

fn columns(frame: &DataFrame, set: &Set) -> Columns {
    let columns = Columns::new(["unique_id"], "ds", "y").season(set.season);
    let named = frame.get_column_names().into_iter().map(|name| name.to_string());
    let Some(observed) = set.covariates else { return columns };
    let covariates = named.filter(|name| !["unique_id", "ds", "y"].contains(&name.as_str()));
    let (fixed, others): (Vec<String>, Vec<String>) = covariates.partition(|name| name == "Size");
    let (observed, known): (Vec<String>, Vec<String>) =
        others.into_iter().partition(|name| observed.contains(&name.as_str()));
    columns.known(known).observed(observed).fixed(fixed)
}

/// `unique_id,ds,yhat` with the time as in the test file.
fn write(panel: &Panel, forecast: &Forecast, model: &str, set: &Set, future: &Future, file: &Path) -> Result<()> {
    let naive = panel.fit([format!("seasonal_naive(season={})", set.season)])?.forecast(future)?;
    let stand_in = naive.models().remove(0);
    let mut rows = String::from("unique_id,step,yhat\n");
    for key in panel.keys() {
        let mean = forecast.mean(model, &key).or_else(|_| naive.mean(&stand_in, &key))?;
        let id = key.strip_prefix("unique_id=").unwrap_or(&key);
        mean.iter().enumerate().for_each(|(step, value)| rows.push_str(&format!("{id},{step},{value}\n")));
    }
    std::fs::write(file, rows).map_err(|cause| Error::io("the forecasts cannot be written").because(cause))
}
