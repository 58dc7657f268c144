//! Holidays by name and the weather: planted effects are found with intervals that hold them, nothing is found where there is
//! nothing, the regression is statsmodels', and what cannot be told is said in one line.

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

use crate::oracles::{number, rows};
use crate::random::Random;

/// Four shops over 900 days with weekdays and shared shocks; in the days from five before to three after 15 August of each
/// year, which a column names, sales are `bump` higher.
fn shops(bump: f64, seed: u64) -> Panel {
    let mut random = Random(seed);
    let start = chrono::NaiveDate::from_ymd_opt(2021, 1, 4).unwrap();
    let dates: Vec<chrono::NaiveDate> = (0..900).map(|t| start + chrono::Days::new(t)).collect();
    let shocks: Vec<f64> = dates.iter().map(|_| 0.05 * random.normal()).collect();
    let feast = |year| chrono::NaiveDate::from_ymd_opt(year, 8, 15).unwrap();
    let (mut shop, mut ds, mut y, mut named) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for s in 0..4 {
        for (t, date) in dates.iter().enumerate() {
            let away =
                (2021..=2023).map(|year| (*date - feast(year)).num_days()).min_by_key(|away| away.abs()).unwrap();
            let usual = 100.0 * (1.0 + f64::from(s)) * (1.0 + 0.1 * (t % 7) as f64);
            let factor = if (-5..=3).contains(&away) { 1.0 + bump } else { 1.0 };
            shop.push(format!("shop {s}"));
            ds.push(date.to_string());
            y.push(usual * factor * (1.0 + shocks[t] + 0.05 * random.normal()));
            named.push((away == 0).then_some("Harvest"));
        }
    }
    let frame = df!("shop" => shop, "ds" => ds, "y" => y, "feast" => named).unwrap();
    Panel::from_frame(&frame, Columns::new(["shop"], "ds", "y").known(["feast"])).unwrap()
}

fn cell(table: &Table, row: usize, name: &str) -> f64 {
    let column = table.frame().column(name).unwrap().cast(&DataType::Float64).unwrap();
    column.f64().unwrap().get(row).unwrap_or(f64::NAN)
}

fn text(table: &Table, row: usize, name: &str) -> String {
    table.get(row, name).unwrap().to_string()
}

#[test]
fn a_planted_holiday_is_found_by_its_name() {
    let (mut held, draws) = (0, 20);
    for seed in 0..draws {
        let table = shops(0.2, seed).explore("holidays(by=feast, level=0.9)").unwrap().table();
        assert_eq!(text(&table, 0, "holiday"), "Harvest");
        assert_eq!(cell(&table, 0, "occurrences"), 2.0);
        assert!((cell(&table, 0, "all %") - 20.0).abs() < 8.0);
        held += usize::from(cell(&table, 0, "from %") <= 20.0 && 20.0 <= cell(&table, 0, "to %"));
        assert!(cell(&table, 0, "from %") > 0.0, "found");
    }
    assert!(held >= 15, "90 % intervals hold the truth in {held} of {draws}");
}

#[test]
fn a_holiday_without_an_effect_is_seldom_found() {
    let found = (0..40).filter(|seed| {
        let table = shops(0.0, 100 + seed).explore("holidays(by=feast)").unwrap().table();
        cell(&table, 0, "from %") > 0.0 || cell(&table, 0, "to %") < 0.0
    });
    assert!(found.count() <= 5);
}

#[test]
fn what_a_holiday_is_worth_is_what_was_added() {
    let panel = shops(0.3, 7);
    let table = panel.explore("holidays(by=feast)").unwrap().table();
    // Nine days of four shops that sell 1,000 a day, times the mean index of the weekday.
    let truth = 0.3 * 9.0 * 1000.0 * 1.3;
    assert!((cell(&table, 0, "a year") / truth - 1.0).abs() < 0.15, "{} for {truth}", cell(&table, 0, "a year"));
}

#[test]
fn holidays_of_a_country_have_names_and_months_have_none() {
    let sentence = shops(0.0, 3).explore("holidays(country=DE)").unwrap();
    let table = sentence.table();
    let names: Vec<String> = (0..table.rows()).map(|row| text(&table, row, "holiday")).collect();
    assert!(names.contains(&"Christmas".into()) && names.contains(&"Easter".into()), "{names:?}");
    assert!(sentence.figure().is_ok());
    let days: Vec<String> = (0..48).map(|month| format!("{}-{:02}-01", 2020 + month / 12, month % 12 + 1)).collect();
    let frame = df!("ds" => days, "y" => (0..48).map(f64::from).collect::<Vec<_>>()).unwrap();
    let months = Panel::from_frame(&frame, Columns::new(Vec::<String>::new(), "ds", "y")).unwrap();
    let why = months.explore("holidays").unwrap_err().to_string();
    assert!(why.contains("month") && why.lines().count() == 1, "{why}");
}

#[test]
fn holidays_that_cannot_be_told_are_said_to_be_so() {
    let panel = shops(0.2, 1).before("2022-03-01").unwrap();
    let finding = panel.explore("holidays(by=feast)").unwrap();
    assert!(cell(&finding.table(), 0, "from %").is_nan(), "one occurrence has no interval");
    assert!(finding.caveats().iter().any(|caveat| caveat.contains("two occurrences")));
    for (question, says) in [
        ("holidays(by=nothing)", "no covariate"),
        ("holidays(country=XX)", "is no country"),
        ("holidays(country=DE, by=feast)", "not both"),
        ("holidays(before=400)", "at most"),
        ("holidays(level=95)", "probability"),
        ("weather(by=nothing)", "no numeric covariate"),
        ("weather", "named like weather"),
    ] {
        let why = panel.explore(question).unwrap_err().to_string();
        assert!(why.contains(says), "{question}: {why}");
    }
}

#[test]
fn the_weather_is_that_of_statsmodels() {
    let path = format!("{}/tests/oracles/weather_sales.csv", env!("CARGO_MANIFEST_DIR"));
    let panel = Panel::read(path, Columns::new(["Store"], "Date", "Sales").observed(["Temperature"])).unwrap();
    let table = panel.explore("weather").unwrap().table();
    assert_eq!(table.rows(), 3);
    for theirs in rows("weather.csv") {
        let row = (0..3).find(|row| text(&table, *row, "part of the year") == theirs[0]).unwrap();
        for (at, name) in ["low", "high", "effect %", "from %", "to %"].iter().enumerate() {
            let ours = cell(&table, row, name);
            assert!((ours - number(&theirs[at + 1])).abs() < 0.006, "{name}: {ours} for {}", theirs[at + 1]);
        }
        assert!((cell(&table, row, "p") - number(&theirs[6])).abs() < 1e-6);
        let curve = cell(&table, row, "p of the curve");
        assert!(theirs[7].is_empty() || (curve - number(&theirs[7])).abs() < 1e-6, "{curve} for {}", theirs[7]);
    }
}

#[test]
fn weather_that_says_nothing_is_an_error_in_one_line() {
    let read = |values: &dyn Fn(usize) -> f64, days: usize| {
        let start = chrono::NaiveDate::from_ymd_opt(2021, 1, 4).unwrap();
        let ds: Vec<String> = (0..days).map(|t| (start + chrono::Days::new(t as u64)).to_string()).collect();
        let y: Vec<f64> = (0..days).map(|t| 100.0 + (t % 7) as f64 + ((t * 37) % 11) as f64).collect();
        let frame = df!("ds" => ds, "y" => y, "rain" => (0..days).map(values).collect::<Vec<_>>()).unwrap();
        Panel::from_frame(&frame, Columns::new(Vec::<String>::new(), "ds", "y").observed(["rain"])).unwrap()
    };
    let cycle = |t: usize| 10.0 * (std::f64::consts::TAU * (t as f64 + 3.0) / 365.2425).sin();
    for (panel, says) in [
        (read(&|_| 1.0, 800), "constant"),
        (read(&cycle, 800), "the same dates of every year"),
        (read(&|t| (t % 5) as f64, 300), "less than a year"),
        (read(&|t| (t % 2) as f64, 800), "flag"),
    ] {
        let why = panel.explore("weather(by=rain)").unwrap_err().to_string();
        assert!(why.contains(says) && why.lines().count() == 1, "{why}");
    }
}
