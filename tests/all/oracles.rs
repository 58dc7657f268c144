//! Numbers from R: see the header of each file in `tests/oracles/`.

use std::collections::BTreeMap;

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

/// The rows of an oracle file after its header comment.
pub fn rows(file: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(format!("{}/tests/oracles/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines.map(|line| line.split(',').map(String::from).collect()).collect()
}

pub fn number(text: &str) -> f64 {
    text.trim().parse().unwrap()
}

/// Each series with its season.
pub fn series() -> BTreeMap<String, (usize, Vec<f64>)> {
    let mut series: BTreeMap<String, (usize, Vec<f64>)> = BTreeMap::new();
    for row in rows("series.csv") {
        let entry = series.entry(row[0].clone()).or_insert((row[1].parse().unwrap(), Vec::new()));
        entry.1.push(number(&row[3]));
    }
    series
}

/// Series by set and name: the classic ones, and all of M3 (`m3_yearly` …) where the data are there.
pub fn known_series() -> BTreeMap<(String, String), Vec<f64>> {
    let mut known: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    for (name, (_, values)) in series() {
        known.insert(("classic".into(), name), values);
    }
    let Some(folder) = crate::data_folder("m3") else { return known };
    for set in ["m3_yearly", "m3_quarterly", "m3_monthly", "m3_other"] {
        let file = std::fs::File::open(folder.join(format!("{set}_train.parquet"))).unwrap();
        let frame = ParquetReader::new(file).finish().unwrap();
        let ids = frame.column("unique_id").unwrap().cast(&DataType::String).unwrap();
        let values = frame.column("y").unwrap().f64().unwrap();
        for (id, value) in ids.str().unwrap().iter().zip(values.iter()) {
            known.entry((set.into(), id.unwrap_or_default().into())).or_default().push(value.unwrap_or(f64::NAN));
        }
    }
    known
}

/// Forecast means and interval ends of the benchmark methods agree with R: the naive family to rounding, theta's means
/// within 1e-3 of the series' level and its interval widths within 5e-3, because R's search stops before the optimum: on
/// sunspot.year its sum of squares is 74994, ours 74406, and σ is narrower accordingly.
#[test]
fn benchmarks_agree_with_r() {
    let series = series();
    let mut compared = 0;
    for row in rows("benchmarks.csv") {
        let (name, method, h) = (&row[0], &row[1], row[2].parse::<usize>().unwrap());
        let (season, y) = &series[name];
        let frame = df!("t" => (1..=y.len() as i64).collect::<Vec<_>>(), "y" => y).unwrap();
        let panel = Panel::from_frame(frame, Columns::new([""; 0], "t", "y").season(*season)).unwrap();
        let forecast = panel.fit([method.as_str()]).unwrap().forecast(18).unwrap();
        let (lower80, upper80) = forecast.interval(method, "all", 0.8).unwrap();
        let (lower95, upper95) = forecast.interval(method, "all", 0.95).unwrap();
        let ours = [&forecast.mean(method, "all").unwrap(), &lower80, &upper80, &lower95, &upper95];
        let level = y.iter().map(|v| v.abs()).sum::<f64>() / y.len() as f64;
        let mean = number(&row[3]);
        let (near, wide) = if method == "theta" { (1e-3, 5e-3) } else { (1e-8, 1e-8) };
        for (ours, theirs) in ours.iter().zip(&row[3..8]) {
            let (ours, theirs) = (ours[h - 1], number(theirs));
            assert!(
                (ours - theirs).abs() <= near * level.max(theirs.abs()) + wide * (theirs - mean).abs(),
                "{method} on {name}, step {h}: {ours} is not R's {theirs}"
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 12 * 4 * 18 * 5);
}
