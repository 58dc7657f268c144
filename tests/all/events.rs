//! Anomalies and lasting changes of level: what is planted is found, what is not there is not claimed.

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

fn words(table: &Table, name: &str) -> Vec<String> {
    let column = table.frame().column(name).unwrap().cast(&DataType::String).unwrap();
    column.str().unwrap().iter().map(|v| v.unwrap_or_default().to_string()).collect()
}

fn column(table: &Table, name: &str) -> Vec<f64> {
    let column = table.frame().column(name).unwrap().cast(&DataType::Float64).unwrap();
    column.f64().unwrap().iter().map(|v| v.unwrap_or(f64::NAN)).collect()
}

/// Nearly normal noise, the same each time: sums of twelve numbers of a linear congruence.
fn noise(series: usize, n: usize) -> Vec<f64> {
    let mut state = 12_345 + 7919 * series as u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1_u64 << 31) as f64
    };
    (0..n).map(|_| (0..12).map(|_| next()).sum::<f64>() - 6.0).collect()
}

/// Weekly sales around 1,000 of so many series over `n` weeks, changed by `with`.
fn weeks(series: usize, n: usize, with: impl Fn(usize, usize, f64) -> f64) -> Panel {
    let (mut id, mut t, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..series {
        for (week, noise) in noise(i, n).into_iter().enumerate() {
            id.push(format!("s{i}"));
            t.push(15_000 + 7 * week as i32);
            y.push(with(i, week, 1000.0 + 50.0 * noise));
        }
    }
    let t = Column::new("t".into(), t).cast(&DataType::Date).unwrap();
    let mut frame = df!("id" => id, "y" => y).unwrap();
    frame.with_column(t).unwrap();
    Panel::from_frame(frame, Columns::new(["id"], "t", "y")).unwrap()
}

#[test]
fn nothing_is_claimed_of_noise() {
    let panel = weeks(10, 150, |_, _, y| y);
    assert!(panel.explore("anomalies").unwrap().sentence().starts_with("No week of 10 series"));
    assert_eq!(panel.explore("changepoints").unwrap().sentence(), "No lasting change of level in 10 series.");
}

#[test]
fn a_single_week_is_found_with_its_worth_and_is_no_change_of_level() {
    let panel = weeks(10, 150, |i, t, y| if i == 3 && t == 90 { y + 900.0 } else { y });
    let finding = panel.explore("anomalies").unwrap();
    let table = finding.table();
    assert_eq!((words(&table, "id")[0].as_str(), words(&table, "stands")[0].as_str()), ("s3", "yes"));
    let difference = column(&table, "difference")[0];
    assert!((difference / 900.0 - 1.0).abs() < 0.2, "{difference}");
    assert!(finding.sentence().starts_with("1 anomaly stands out"), "{}", finding.sentence());
    assert_eq!(words(&table, "stands").iter().filter(|stands| *stands == "yes").count(), 1);
    assert!(panel.explore("changepoints").unwrap().sentence().starts_with("No lasting change"));
}

#[test]
fn a_lasting_change_is_found_with_its_date_and_is_no_anomaly() {
    let panel = weeks(10, 150, |i, t, y| if i == 3 && t >= 80 { 1.3 * y } else { y });
    let finding = panel.explore("changepoints").unwrap();
    let table = finding.table();
    // The total may have changed with it.
    let row = words(&table, "id").iter().position(|id| id == "s3").unwrap();
    assert_eq!(words(&table, "stands")[row], "yes");
    assert!((column(&table, "change %")[row] - 30.0).abs() < 5.0);
    assert!(column(&table, "low %")[row] < 30.0 && column(&table, "high %")[row] > 30.0);
    assert!(finding.sentence().contains("1 of 10 series changed"), "{}", finding.sentence());
    assert!(panel.explore("anomalies").unwrap().sentence().starts_with("No week"));
}

#[test]
fn trends_and_bumps_are_no_lasting_changes() {
    let trend = weeks(10, 150, |i, t, y| if i == 3 { y * (1.0 + 0.003 * t as f64) } else { y });
    assert!(trend.explore("changepoints").unwrap().sentence().starts_with("No lasting change"));
    let bump = weeks(10, 150, |i, t, y| if i == 3 && (60..75).contains(&t) { 1.4 * y } else { y });
    assert!(bump.explore("changepoints").unwrap().sentence().starts_with("No lasting change"));
}

#[test]
fn what_all_series_share_is_no_anomaly_of_each() {
    let panel = weeks(12, 150, |_, t, y| if t == 90 { 0.4 * y } else { y });
    let table = panel.explore("anomalies(top=50)").unwrap().table();
    // A candidate of the total alone: no series has it besides what it shares.
    assert_eq!((words(&table, "id")[0].as_str(), words(&table, "steps")[0].as_str()), ("all", "1"));
    assert!((column(&table, "difference")[0] / 12_000.0 + 0.6).abs() < 0.06);
    assert!(words(&table, "id").iter().zip(words(&table, "stands")).all(|(id, stands)| id == "all" || stands != "yes"));
}

#[test]
fn odd_panels_are_answered_in_words() {
    let tiny = weeks(1, 5, |_, _, y| y);
    let zero = weeks(3, 150, |_, _, _| 0.0);
    let constant = weeks(3, 150, |_, _, _| 7.0);
    let negative = weeks(3, 150, |_, _, y| y - 1000.0);
    for panel in [tiny, zero, constant, negative] {
        for question in ["anomalies", "changepoints"] {
            match panel.explore(question) {
                Err(error) => assert!(error.is_data(), "{question}: {error}"),
                Ok(finding) => assert!(!finding.sentence().contains("NaN"), "{}", finding.sentence()),
            }
        }
    }
    let panel = weeks(3, 150, |_, _, y| y);
    assert!(panel.explore("anomalies(level=95)").unwrap_err().is_usage());
    assert!(panel.explore("anomalies(since=nonsense)").is_err());
    assert!(panel.explore("anomalies(since=2013-01-01)").is_ok());
}
