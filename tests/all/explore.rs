//! Questions answer with known numbers, and leave out what cannot answer.

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

use crate::oracles::{number, rows};

/// What R and statsmodels say of the bundled sales (`tests/oracles/explore.R`, `explore.py`), by department or `total`.
fn oracle(series: &str, what: &str) -> Vec<(usize, f64)> {
    let rows = rows("explore.csv").into_iter().filter(|row| row[0] == series && row[1] == what);
    rows.map(|row| (row[2].parse().unwrap(), number(&row[3]))).collect()
}

fn column(table: &Table, name: &str) -> Vec<f64> {
    let column = table.frame().column(name).unwrap().cast(&DataType::Float64).unwrap();
    column.f64().unwrap().iter().map(|v| v.unwrap_or(f64::NAN)).collect()
}

fn words(table: &Table, name: &str) -> Vec<String> {
    let column = table.frame().column(name).unwrap().cast(&DataType::String).unwrap();
    column.str().unwrap().iter().map(|v| v.unwrap_or_default().to_string()).collect()
}

/// Every series' value of a column is the oracle's.
fn agrees(finding: &Finding, name: &str, what: &str) {
    let table = finding.table();
    let departments = words(&table, "Dept");
    assert_eq!(departments.len(), 7);
    for (department, ours) in departments.iter().zip(column(&table, name)) {
        let theirs = oracle(department, what)[0].1;
        assert!((ours - theirs).abs() < 1e-6, "{name} of {department}: {ours}, not {theirs}");
    }
}

#[test]
fn numbers_agree_with_r_and_statsmodels() {
    let sales = crate::sales();
    let finding = sales.explore("decomposition(seasons=[52])").unwrap();
    agrees(&finding, "trend strength", "trend");
    agrees(&finding, "season 52 strength", "season");
    let finding = sales.explore("stationarity").unwrap();
    agrees(&finding, "KPSS p", "kpss");
    agrees(&finding, "ADF p", "adf");
    agrees(&finding, "differences", "ndiffs");
    agrees(&finding, "seasonal differences", "nsdiffs");
    let finding = sales.explore("normality").unwrap();
    agrees(&finding, "Jarque–Bera p", "jarque");
    agrees(&finding, "Shapiro–Wilk p", "shapiro");

    let finding = sales.explore("autocorrelation(lags=60)").unwrap();
    for (name, what) in [("autocorrelation", "acf"), ("partial", "pacf")] {
        let theirs = oracle("total", what);
        assert_eq!(theirs.len(), 60);
        for (ours, (lag, theirs)) in column(&finding.table(), name).iter().zip(theirs) {
            assert!((ours - theirs).abs() < 1e-6, "{what} at {lag}: {ours}, not {theirs}");
        }
    }
    assert!(oracle("total", "ljung")[0].1 < 0.001 && finding.sentence().contains("test over 28 weeks, p < 0.001"));
}

/// The algorithm written out over all run lengths finds 25 breaks. The dependency leaves out the least likely run lengths, so
/// that it dates some earlier, misses one and adds one: at least 23 are found within four weeks, and no more than two others.
#[test]
fn breaks_are_nearly_those_of_the_written_out_algorithm() {
    let sales = crate::sales();
    let table = sales.explore("changepoints(expected=100, top=100)").unwrap().table();
    let dates = words(&Table::new(sales.series("Store=1, Dept=1").unwrap().to_frame()), "Date");
    let found: Vec<(String, String)> = words(&table, "Dept").into_iter().zip(words(&table, "from")).collect();
    let (mut same, mut all) = (0, 0);
    for department in ["1", "3", "8", "13", "38", "93", "95"] {
        let own = found.iter().filter(|(d, _)| d == department).map(|(_, from)| from);
        let ours: Vec<usize> = own.map(|from| dates.iter().position(|date| date == from).unwrap()).collect();
        let theirs = oracle(department, "break");
        same += theirs.iter().filter(|(at, _)| ours.iter().any(|own| own.abs_diff(*at) <= 4)).count();
        all += theirs.len();
    }
    assert!(all == 25 && same >= 23 && found.len() <= same + 2, "{same} of {all}, {} in all", found.len());
}

/// Four series over `n` weeks: one that moves, a constant one, one without values, and one of four steps.
fn odd(n: i64) -> Panel {
    let (mut key, mut t, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for step in 0..n {
        let noise = (step * 7919 % 101) as f64;
        for (name, value) in [("moves", Some(noise)), ("constant", Some(5.0)), ("empty", None)] {
            // Every tenth value of the first is missing.
            let value = value.filter(|_| name != "moves" || step % 10 != 3);
            key.push(name);
            t.push(step);
            y.push(value);
        }
        if step < 4 {
            key.push("short");
            t.push(step);
            y.push(Some(noise));
        }
    }
    let frame = df!("key" => key, "t" => t, "y" => y).unwrap();
    Panel::from_frame(frame, Columns::new(["key"], "t", "y").season(12).freq("1").unwrap()).unwrap()
}

#[test]
fn what_cannot_answer_is_counted_and_named() {
    let panel = odd(120);
    for question in ["decomposition", "stationarity", "changepoints", "normality"] {
        let finding = panel.explore(question).unwrap();
        let said = finding.caveats().join("\n");
        assert!(said.contains("3 of 4 series left out"), "{question}: {said}");
        for why in ["constant (key=constant)", "without values (key=empty)", "(key=short)", "missing values"] {
            assert!(said.contains(why), "{question}: {said}");
        }
        assert!(!finding.sentence().contains("NaN") && !finding.sentence().is_empty(), "{}", finding.sentence());
    }
    let finding = panel.explore("autocorrelation(series=\"key=moves\")").unwrap();
    assert!(finding.caveats()[0].contains("12 of 120 steps have no value"), "{:?}", finding.caveats());
    assert!(panel.explore("autocorrelation").unwrap().caveats().concat().contains("1 of 4 series do not reach"));
    for series in ["constant", "empty"] {
        assert!(panel.explore(&format!("autocorrelation(series=\"key={series}\")")).unwrap_err().is_data());
    }
    let nearest = panel.explore("autocorrelation(series=\"key=mooves\")").unwrap_err().to_string();
    assert!(nearest.contains("key=moves"), "{nearest}");
}

#[test]
fn tiny_panels_are_refused_or_answered_in_words() {
    for n in [1, 2, 3, 5, 9, 11, 21, 24, 25, 26] {
        let panel = odd(n);
        for question in ["decomposition", "stationarity", "changepoints", "normality", "autocorrelation"] {
            match panel.explore(question) {
                Err(error) => assert!(error.is_data(), "{question} of {n}: {error}"),
                Ok(finding) => {
                    assert!(!finding.sentence().contains("NaN"), "{question} of {n}: {}", finding.sentence());
                    if let Ok(figure) = finding.figure() {
                        assert!(!figure.svg().unwrap().contains("NaN"));
                    }
                }
            }
        }
        assert!(panel.explore("normality").is_err() == (n < 23), "{n}");
    }
}

#[test]
fn options_out_of_range_are_usage_errors() {
    let sales = crate::sales();
    for question in [
        "decomposition(seasons=[1])",
        "changepoints(expected=0.5)",
        "changepoints(expected=1000)",
        "normality(alpha=5)",
        "autocorrelation(lags=0)",
        "autocorrelation(series=nobody)",
    ] {
        assert!(sales.explore(question).unwrap_err().is_usage(), "{question}");
    }
    assert!(sales.explore("autocorrelation(lags=143)").unwrap_err().is_data());
}

#[test]
fn examples_work_and_draw() {
    let sales = Panel::read("data/walmart_sales_weekly.csv", crate::columns().observed(["Fuel_Price"])).unwrap();
    // The bundled data do not tell when items could be sold.
    let mut frame = sales.to_frame();
    let there: Vec<bool> = (0..frame.height()).map(|row| row % 11 != 5).collect();
    frame.with_column(Column::new("in_stock".into(), there)).unwrap();
    let shelves = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").available("in_stock");
    let shelves = Panel::from_frame(frame, shelves).unwrap();
    for question in QUESTIONS {
        let panel = if question.name == "lost_sales" { &shelves } else { &sales };
        let finding = panel.explore(question.example).unwrap();
        assert!(!finding.sentence().contains("NaN") && finding.table().rows() > 0, "{}", question.name);
        if let Some(folder) = std::env::var_os("TRADEWIND_LOOK") {
            println!("{}: {}\n{}\n{:?}\n", question.example, finding.sentence(), finding.table(), finding.caveats());
            if let Ok(figure) = finding.figure() {
                figure.save(std::path::Path::new(&folder).join(format!("{}.png", question.name))).unwrap();
            }
        }
    }
}

/// A level that jumps after a long calm stretch, on which all likelihoods that are looked at could underflow.
#[test]
fn a_jump_after_a_long_calm_is_found() {
    let calm = |t: i64| 100.0 + (t * 7919 % 101) as f64 / 1e3;
    let y: Vec<f64> = (0..1200).map(|t| calm(t) + if t < 800 { 0.0 } else { 1e4 }).collect();
    for expected in [50.0, 250.0, 900.0] {
        let found = tradewind::statistics::changepoints(&y, expected).unwrap();
        assert!(found.len() == 1 && found[0].abs_diff(800) <= 1, "{expected}: {found:?}");
    }
}
