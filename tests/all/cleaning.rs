//! Nothing is cleaned in silence: what differs after cleaning is a row of the trail, and nothing else is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use chrono::{Days, NaiveDate};
use proptest::prelude::*;
use tradewind::polars::prelude::*;
use tradewind::prelude::*;

fn tradewind(folder: &Path, args: &[&str]) -> Output {
    let base = ["--data", "in.csv", "--id", "id", "--time", "ds", "--target", "y"];
    if let Some(at) = args.iter().position(|word| *word == "--out") {
        let _ = std::fs::remove_file(folder.join(args[at + 1]));
    }
    let args = args[..1].iter().chain(&base).chain(&args[1..]);
    Command::new(env!("CARGO_BIN_EXE_tradewind")).args(args).current_dir(folder).output().unwrap()
}

fn json(folder: &Path, args: &[&str]) -> serde_json::Value {
    let output = tradewind(folder, &[args, &["--json", "-q"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What the trail says was done to stamps off the calendar: old stamp, place in the file, what became of it.
fn moved(answer: &serde_json::Value) -> Vec<[String; 3]> {
    let rows = answer["findings"].as_array().unwrap().iter();
    rows.filter(|row| row["finding"] == "off calendar" && !row["done"].is_null())
        .map(|row| ["stamp", "value", "done"].map(|name| row[name].as_str().unwrap().to_string()))
        .collect()
}

fn stamps(folder: &Path, file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let stamp = |line: &str| line.split(',').nth(1).unwrap().replace('T', " ").chars().take(16).collect();
    text.lines().skip(1).map(stamp).collect()
}

const POLICIES: [&str; 12] = [
    "duplicates=sum",
    "duplicates=last",
    "gaps=fill",
    "missing=linear",
    "missing=zero",
    "negatives=clip",
    "negatives=apart",
    "outliers=clip",
    "outliers=interpolate",
    "stockouts=missing",
    "covariates=zero",
    "normalise=log1p",
];

/// A folder with the file, of which so many rows lie off the calendar.
fn with(rows: &[(String, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let lines: String = rows.iter().map(|(stamp, y)| format!("a,{stamp},{y}\n")).collect();
    std::fs::write(folder.path().join("in.csv"), format!("id,ds,y\n{lines}")).unwrap();
    folder
}

/// No other policy touches a stamp off the calendar; the audit's error stays, and models are refused as without one.
fn every_other_policy_leaves(folder: &Path, freq: &str, off: &[&str]) {
    let found = |answer: &serde_json::Value| -> Vec<String> {
        let rows = answer["findings"].as_array().unwrap().iter();
        rows.filter(|row| row["finding"] == "off calendar" && row["done"].is_null())
            .map(|row| row["stamp"].as_str().unwrap().to_string())
            .collect()
    };
    let before = stamps(folder, "in.csv");
    assert_eq!(found(&json(folder, &["audit", "--freq", freq])), off);
    for policy in POLICIES {
        let answer = json(folder, &["clean", "--freq", freq, "--policy", policy, "--out", "out.csv"]);
        assert_eq!(found(&answer), off, "{policy}");
        let after = stamps(folder, "out.csv");
        assert!(before.iter().all(|stamp| after.contains(stamp)), "{policy}: {after:?}");
        let forecast = ["forecast", "--freq", freq, "--policy", policy, "--models", "naive", "--horizon", "1"];
        let refused = tradewind(folder, &[&forecast[..], &["--out", "f.csv"]].concat());
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(1) && said.contains("is not on the calendar"), "{policy}: {said}");
        assert!(!folder.join("f.csv").exists(), "{policy}");
    }
}

#[test]
fn a_thursday_among_fridays_is_moved_where_that_is_asked_for_alone() {
    let first = NaiveDate::from_ymd_opt(2024, 1, 5).unwrap();
    let day = |i: u64| (first + Days::new(7 * i - u64::from(i == 10))).to_string();
    let rows: Vec<_> = (0..12).map(|i| (day(i), (i + 1).to_string())).collect();
    let folder = with(&rows);
    every_other_policy_leaves(folder.path(), "W-FRI", &["2024-03-14"]);
    for (policy, to) in [("nearest", "2024-03-15"), ("next", "2024-03-15"), ("period", "2024-03-15")] {
        let policy = format!("off_calendar={policy}");
        let arguments = ["clean", "--freq", "W-FRI", "--policy", &policy, "--out", "out.csv"];
        let answer = json(folder.path(), &arguments);
        let expected = ["2024-03-14".to_string(), "line 12".into(), format!("moved to {to}")];
        assert_eq!(moved(&answer), [expected], "{policy}");
        assert_eq!(answer["changes"], 1);
        assert!(stamps(folder.path(), "out.csv").contains(&to.to_string()));
        let arguments = ["forecast", "--freq", "W-FRI", "--policy", &policy, "--models", "naive", "--horizon", "1"];
        let output = tradewind(folder.path(), &[&arguments[..], &["--out", &format!("{policy}.csv")]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    // The Friday before has a row already: two rows for one stamp wait for a decision of their own.
    let previous = ["clean", "--freq", "W-FRI", "--policy", "off_calendar=previous", "--out", "out2.csv"];
    let refused = tradewind(folder.path(), &previous);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("several rows for 2024-03-08"));
    let dropped =
        json(folder.path(), &["clean", "--freq", "W-FRI", "--policy", "off_calendar=drop", "--out", "o3.csv"]);
    assert_eq!(moved(&dropped), [["2024-03-14", "line 12", "the row removed, its target 11"].map(String::from)]);
    assert_eq!(stamps(folder.path(), "o3.csv").len(), 11);
}

#[test]
fn a_row_in_the_middle_of_the_month_replaces_no_other_unasked() {
    let month = |i: u32| format!("{}-{:02}-01", 2021 + i / 12, i % 12 + 1);
    let mut rows: Vec<(String, String)> = (0..36).map(|i| (month(i), (i + 1).to_string())).collect();
    rows.push(("2023-10-15".into(), "5000".into()));
    let folder = with(&rows);
    every_other_policy_leaves(folder.path(), "MS", &["2023-10-15"]);
    // The month that holds the day is October; the nearest first day of a month is the same, the next is November.
    for (policy, to, sum) in
        [("period", "2023-10-01", 5034), ("nearest", "2023-10-01", 5034), ("next", "2023-11-01", 5035)]
    {
        let policy = format!("off_calendar={policy}, duplicates=sum");
        let answer = json(folder.path(), &["clean", "--freq", "MS", "--policy", &policy, "--out", "out.csv"]);
        let expected = ["2023-10-15".to_string(), "line 38".into(), format!("moved to {to}")];
        assert_eq!(moved(&answer), [expected], "{policy}");
        assert_eq!(answer["changes"], 2, "{policy}");
        let text = std::fs::read_to_string(folder.path().join("out.csv")).unwrap();
        assert!(text.contains(&format!("a,{to},{sum}")), "{policy}: {text}");
    }
}

#[test]
fn half_an_hour_of_daylight_saving_is_moved_where_that_is_asked_for_alone() {
    // The clocks of Lord Howe Island go back by half an hour: 15 hours before it are dated to the full hour.
    let first = NaiveDate::from_ymd_opt(2024, 4, 6).unwrap().and_hms_opt(11, 0, 0).unwrap();
    let hour = |i: i64| first + chrono::TimeDelta::minutes(60 * i - if i < 15 { 0 } else { 30 });
    let stamp = |i: i64| hour(i).format("%Y-%m-%d %H:%M").to_string();
    let rows: Vec<_> = (0..80).map(|i| (stamp(i), (10 + i % 5).to_string())).collect();
    let folder = with(&rows);
    let off: Vec<String> = (0..15).map(|i| stamp(i).trim_end_matches(" 00:00").to_string()).collect();
    every_other_policy_leaves(folder.path(), "h", &off.iter().map(String::as_str).collect::<Vec<_>>());
    let answer = json(folder.path(), &["clean", "--freq", "h", "--policy", "off_calendar=nearest", "--out", "out.csv"]);
    let done = moved(&answer);
    assert_eq!(done.len(), 15);
    assert_eq!(done[0], ["2024-04-06 11:00", "line 2", "moved to 2024-04-06 10:30"].map(String::from));
    assert_eq!(answer["changes"], 15);
    assert!(json(folder.path(), &["audit", "--freq", "h"])["findings"].to_string().contains("off calendar"));
}

#[test]
fn dropping_leaves_no_series_empty() {
    let frame = df!("k" => ["a", "a", "a", "b"], "ds" => ["2024-01-05", "2024-01-12", "2024-01-19", "2024-01-18"],
        "y" => [1.0, 2.0, 3.0, 4.0])
    .unwrap();
    let panel = Panel::from_frame(frame, Columns::new(["k"], "ds", "y").freq("W-FRI").unwrap()).unwrap();
    let error = panel.clean(&Clean::parse("off_calendar=drop").unwrap()).err().unwrap().to_string();
    assert!(error.contains("series k=b") && error.contains("nearest"), "{error}");
}

type Cell = (String, String);

/// The targets of each series and stamp, and each covariate's cells, as they stand there.
fn cells(panel: &Panel, column: &str) -> BTreeMap<Cell, Vec<String>> {
    let frame = panel.to_frame();
    let text = |name: &str| frame.column(name).unwrap().cast(&DataType::String).unwrap();
    let (keys, stamps) = (text("k"), text("ds"));
    let values = frame.column(column).unwrap().cast(&DataType::Float64).unwrap();
    let values = values.f64().unwrap().clone();
    let mut cells: BTreeMap<Cell, Vec<String>> = BTreeMap::new();
    for ((key, stamp), value) in keys.str().unwrap().iter().zip(stamps.str().unwrap().iter()).zip(values.iter()) {
        let place = (key.unwrap().to_string(), stamp.unwrap()[..10].to_string());
        cells.entry(place).or_default().push(format!("{value:?}"));
    }
    cells
}

struct Trail {
    kind: String,
    cell: Cell,
    value: String,
    done: String,
}

fn trail(panel: &Panel) -> (Vec<Trail>, Vec<(String, Cell)>) {
    let audit = panel.audit().unwrap();
    let table = audit.table().unwrap();
    let (mut done, mut open) = (Vec::new(), Vec::new());
    for row in 0..table.rows() {
        let text = |name: &str| table.get(row, name).unwrap().to_string();
        let (kind, cell) = (text("finding"), (text("k"), text("stamp")));
        match table.frame().column("done").unwrap().str().unwrap().get(row) {
            Some(action) => done.push(Trail { kind, cell, value: text("value"), done: action.into() }),
            None => open.push((kind, cell)),
        }
    }
    (done, open)
}

fn policy() -> impl Strategy<Value = String> {
    let of = |name: &'static str, values: &'static [&'static str]| {
        prop::sample::select(values).prop_map(move |value| format!("{name}={value}"))
    };
    (
        of("off_calendar", &["leave", "nearest", "previous", "next", "period", "drop"]),
        of("duplicates", &["sum", "mean", "last", "identical-sum", "identical-mean", "identical-last"]),
        of("starts", &["leave", "sale"]),
        prop::sample::select(vec!["gaps=leave", "gaps=fill", "gaps=fill, ends=panel"]).prop_map(String::from),
        of("missing", &["leave", "linear", "seasonal", "zero", "last"]),
        of("negatives", &["keep", "clip", "apart"]),
        of("stockouts", &["keep", "missing"]),
        of("outliers", &["keep", "clip", "interpolate"]),
        of("covariates", &["leave", "zero", "last"]),
    )
        .prop_map(|(a, b, c, d, e, f, g, h, i)| [a, b, c, d, e, f, g, h, i].join(", "))
}

/// Weekly rows of two series with dirt of every kind: what is at each week.
fn dirt() -> impl Strategy<Value = Vec<Vec<(u8, u8)>>> {
    let week = (prop_oneof![12 => Just(0_u8), 9 => 1..10_u8], 0..7_u8);
    prop::collection::vec(prop::collection::vec(week, 30..70), 1..3)
}

fn panel_of(series: &[Vec<(u8, u8)>]) -> Panel {
    let first = NaiveDate::from_ymd_opt(2022, 1, 7).unwrap();
    let (mut keys, mut days, mut y, mut x) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (s, weeks) in series.iter().enumerate() {
        for (i, (what, slip)) in weeks.iter().enumerate() {
            // The first two weeks of a series are sound, so that its calendar is.
            let what = if i < 2 { 0 } else { *what };
            let usual = 100.0 + 10.0 * (i % 5) as f64 + f64::from(*slip);
            let mut row = |slip: u8, value: Option<f64>| {
                keys.push(format!("s{s}"));
                days.push(
                    first + Days::new(7 * i as u64) + Days::new(u64::from(slip)) - Days::new(3 * u64::from(slip > 0)),
                );
                y.push(value);
                x.push((i % 4 > 0).then_some(f64::from(1 + slip)));
            };
            match what {
                1 => {}
                2 => row(0, None),
                3 => row(0, Some(-usual)),
                4 => row(0, Some(40.0 * usual)),
                5 => {
                    row(0, Some(usual));
                    row(0, Some(usual + 1.0));
                }
                6 => row(1 + slip % 6, Some(usual)),
                7 => {
                    row(0, Some(usual));
                    row(1 + slip % 6, Some(usual + 2.0));
                }
                8 => row(0, Some(0.0)),
                9 => {
                    row(0, Some(usual));
                    row(0, Some(usual));
                }
                _ => row(0, Some(usual)),
            }
        }
    }
    let frame = df!("k" => keys, "ds" => days, "y" => y, "x" => x).unwrap();
    Panel::from_frame(frame, Columns::new(["k"], "ds", "y").known(["x"]).freq("W-FRI").unwrap().season(4)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the data and the policies, the difference between before and after is what the trail says: rows added,
    /// removed and moved, values changed; and no finding goes without a row that says why.
    #[test]
    fn the_trail_is_the_difference(series in dirt(), policy in policy()) {
        let before = panel_of(&series);
        let after = before.clean(&Clean::parse(&policy).unwrap()).unwrap();
        let (done, open) = trail(&after);
        let mut told: BTreeMap<Cell, Vec<&Trail>> = BTreeMap::new();
        for change in done.iter().filter(|change| change.kind != "missing covariates") {
            told.entry(change.cell.clone()).or_default().push(change);
            if let Some(to) = change.done.strip_prefix("moved to ") {
                told.entry((change.cell.0.clone(), to.to_string())).or_default().push(change);
            }
        }
        let (old, new) = (cells(&before, "y"), cells(&after, "y"));
        for cell in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
            let differs = old.get(cell) != new.get(cell);
            let said = told.get(cell).map_or(0, Vec::len);
            prop_assert!(!differs || said > 0, "{policy}: {cell:?} changed from {:?} to {:?} unsaid", old.get(cell), new.get(cell));
            // One change alone makes a difference; several may come to what was there before.
            prop_assert!(differs || said != 1, "{policy}: {cell:?} is said to have changed and has not");
        }
        prop_assert!(told.keys().all(|cell| old.contains_key(cell) || new.contains_key(cell)));
        // Rows that were added, taken away and moved.
        let rows = |panel: &Panel| panel.rows() as i64;
        let count = |kind: &str, word: &str| done.iter().filter(|c| c.kind == kind && c.done.starts_with(word)).count() as i64;
        let merged: i64 = done.iter().filter(|c| c.kind == "duplicates").map(|c| c.value.matches(" and ").count() as i64).sum();
        prop_assert_eq!(rows(&after) - rows(&before), count("gaps", "a row added") - count("off calendar", "the row removed") - count("copies", "the row") - count("launch", "the row removed") - merged);
        // Covariates change where a hole was filled, and nowhere else.
        let (old, new) = (cells(&before, "x"), cells(&after, "x"));
        let holes: BTreeSet<Cell> = done.iter().filter(|c| c.kind == "missing covariates").map(|c| c.cell.clone()).collect();
        for (cell, values) in old.iter().filter(|(cell, _)| !told.contains_key(cell)) {
            prop_assert_eq!(new.get(cell) != Some(values), holes.contains(cell), "{} {:?}", policy, cell);
        }
        // Findings of single rows go where a change of that row is listed; those of a series where one of it is.
        let still: BTreeSet<(String, Cell)> = open.into_iter().collect();
        let series: BTreeSet<&str> = done.iter().map(|change| change.cell.0.as_str()).collect();
        for (kind, cell) in trail(&before).1 {
            let gone = !still.contains(&(kind.clone(), cell.clone()));
            let row = ["off calendar", "copies", "duplicates", "negative"].contains(&kind.as_str());
            // What is said of a covariate is said of all series.
            let some = series.contains(cell.0.as_str()) || (cell.0 == "–" && !series.is_empty());
            let listed = told.contains_key(&cell) || (!row && some);
            prop_assert!(!gone || listed, "{policy}: {kind} on {cell:?} is gone without a word");
        }
    }
}
