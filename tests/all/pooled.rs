//! Metrics where something is zero: WAPE and bias are pooled over all windows, and a history without a scale is ranked by another
//! metric than MASE.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Output};

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

use crate::oracles::{number, rows};

const COLUMNS: [&str; 6] = ["--id", "id", "--time", "ds", "--target", "y"];

/// Runs a command on a file of daily series; exit 0 is demanded.
fn tradewind(folder: &Path, file: &str, args: &[&str]) -> Output {
    let (command, rest) = args.split_first().unwrap();
    let args = [&[*command, "--data", file], &COLUMNS[..], rest].concat();
    let output = Command::new(env!("CARGO_BIN_EXE_tradewind")).args(&args).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Writes daily series, each by what it sells on the days from 0 on.
fn daily(folder: &Path, file: &str, days: i32, series: &[(&str, &dyn Fn(i32) -> f64)]) {
    let parts = series.iter().map(|(name, sold)| {
        let (ds, y): (Vec<i32>, Vec<f64>) = (0..days).map(|day| (19_723 + day, sold(day))).unzip();
        df!("id" => vec![*name; days as usize], "ds" => ds, "y" => y).unwrap()
    });
    let mut frame = parts.reduce(|a, b| a.vstack(&b).unwrap()).unwrap();
    let ds = frame.column("ds").unwrap().cast(&DataType::Date).unwrap();
    frame.with_column(ds).unwrap();
    CsvWriter::new(&mut std::fs::File::create(folder.join(file)).unwrap()).finish(&mut frame).unwrap();
}

fn read(folder: &Path, file: &str) -> Panel {
    Panel::read(folder.join(file), Columns::new(["id"], "ds", "y")).unwrap()
}

/// A series that dies, one that never sells, returns, days without a value: WAPE and bias of all windows, by fold, series and
/// step, and of single cases agree with sums that are taken before dividing (numpy, see the oracle's header).
#[test]
fn wape_and_bias_are_sums_taken_before_dividing() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/pooled_sales.csv")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sales.csv"), text.split_once('\n').unwrap().1).unwrap();
    let trial = read(folder.path(), "sales.csv").backtest(["naive", "seasonal_naive"], Folds::new(3, 7)).unwrap();
    let mut found: HashMap<[String; 4], Option<f64>> = HashMap::new();
    for metric in ["wape", "bias"] {
        let mut take =
            |place: [&str; 3], score| found.insert([place[0], place[1], place[2], metric].map(String::from), score);
        let numbers = |table: &Table, name: &str| table.frame().column(name).unwrap().f64().unwrap().to_vec();
        for model in ["naive", "seasonal_naive"] {
            take(["all", "all", model], trial.score(model, metric).ok());
            for dimension in ["fold", "id", "step"] {
                let table = trial.by(dimension, metric).unwrap();
                for (row, score) in numbers(&table, model).into_iter().enumerate() {
                    take([dimension, &table.get(row, dimension).unwrap().to_string(), model], score);
                }
            }
        }
        let scores = trial.scores().unwrap();
        for (row, score) in numbers(&scores, metric).into_iter().enumerate() {
            let text = |name: &str| scores.get(row, name).unwrap().to_string();
            take([&format!("case {}", text("fold")), &text("id"), &text("model")], score);
        }
    }
    let mut compared = 0;
    for row in rows("pooled.csv") {
        for (metric, theirs) in [("wape", &row[3]), ("bias", &row[4])] {
            let ours = found[&[row[0].clone(), row[1].clone(), row[2].clone(), metric.into()]];
            let theirs = (!theirs.is_empty()).then(|| number(theirs));
            let same = match (ours, theirs) {
                (Some(ours), Some(theirs)) => (ours - theirs).abs() <= 1e-12 * theirs.abs(),
                (ours, theirs) => ours.is_none() && theirs.is_none(),
            };
            assert!(same, "{metric} of {} {} {}: {ours:?} is not {theirs:?}", row[0], row[1], row[2]);
            compared += 1;
        }
    }
    assert_eq!(compared, 2 * 2 * (1 + 3 + 5 + 7 + 15));
    // Two models are compared by the pooled score of each fold.
    let duel = trial.compare("naive", "seasonal_naive", "wape").unwrap().table();
    let of_folds: Vec<f64> = rows("pooled.csv")
        .iter()
        .filter(|row| row[0] == "fold" && row[2] == "naive")
        .map(|row| number(&row[3]))
        .collect();
    let ours = duel.frame().column("naive").unwrap().f64().unwrap().get(0).unwrap();
    assert!((ours - of_folds.iter().sum::<f64>() / 3.0).abs() < 1e-9, "{ours} is not the mean of {of_folds:?}");
}

/// One series alive, one that died: 74 units of error on 11 sold.
#[test]
fn what_is_forecast_for_dead_items_counts() {
    let folder = tempfile::tempdir().unwrap();
    let alive = |day: i32| f64::from(1 + day % 2);
    let dead = |day: i32| if day < 49 { f64::from(10 + day % 3) } else { 0.0 };
    daily(folder.path(), "z.csv", 56, &[("alive", &alive), ("dead", &dead)]);
    let args = ["--models", "naive", "--horizon", "7", "--folds", "1", "--metric", "wape", "-q", "--json"];
    let said = tradewind(folder.path(), "z.csv", &[&["backtest"], &args[..]].concat()).stdout;
    let said: serde_json::Value = serde_json::from_slice(&said).unwrap();
    let score = |metric: &str| said[0][metric].as_f64().unwrap();
    let off: f64 = (49..56).map(|day| (alive(day) - alive(48)).abs() + dead(48)).sum();
    let sold: f64 = (49..56).map(alive).sum();
    assert!((score("wape") - 100.0 * off / sold).abs() < 0.01 && score("wape") > 600.0, "{}", score("wape"));
    assert!(score("bias") > 550.0, "{}", score("bias"));
}

/// Sum of absolute errors over sum of absolute actual values, from the forecasts that a backtest lists.
fn trial_error(trial: &Backtest, model: &str) -> f64 {
    let table = trial.forecasts().unwrap();
    let column = |name: &str| table.frame().column(name).unwrap().f64().unwrap().to_vec();
    let labels = table.frame().column("model").unwrap().str().unwrap().clone();
    let rows = column("actual").into_iter().zip(column("mean")).zip(labels.iter());
    let rows = rows.filter(|(_, label)| *label == Some(model)).filter_map(|((y, f), _)| Some((y?, f?)));
    let (off, sold) = rows.fold((0.0, 0.0), |(off, sold), (y, f)| (off + (f - y).abs(), sold + y.abs()));
    off / sold
}

/// `select` and `tune` choose by the same sums.
#[test]
fn selection_and_tuning_count_dead_items_too() {
    let folder = tempfile::tempdir().unwrap();
    // The windows before the end: one series sells on, the other has sold nothing since the first of them began.
    let alive = |day: i32| f64::from(2 + day % 7);
    let dead = |day: i32| if day < 42 { f64::from(40 + day % 7) } else { 0.0 };
    daily(folder.path(), "z.csv", 63, &[("alive", &alive), ("dead", &dead)]);
    let panel = read(folder.path(), "z.csv");
    // The seasonal naive is exact for what lives, and for a week far too high for what died; the mean of the naive is neither.
    let label = "select(models=[\"seasonal_naive\", \"naive\"], by=panel, metric=wape, horizon=7)";
    let form = panel.fit([label]).unwrap().diagnostics().unwrap().get(0, "specification").unwrap().to_string();
    let by_hand = |model: &str| trial_error(&panel.backtest([model], Folds::new(3, 7)).unwrap(), model);
    let best = if by_hand("seasonal_naive") < by_hand("naive") { "seasonal_naive" } else { "naive" };
    assert!(form.starts_with(best), "{form} is not {best}");
    // A fold in which nothing was sold has a score: what was forecast counts in the sum over folds.
    let ended = |day: i32| if day < 56 { f64::from(5 + day % 7) } else { 0.0 };
    daily(folder.path(), "ended.csv", 63, &[("ended", &ended)]);
    let search = Search { metric: "wape".into(), untouched: 0, trials: 2, ..Search::default() };
    let tuning = read(folder.path(), "ended.csv").tune("theta", Folds::new(2, 7), search).unwrap();
    let board = tuning.trials().unwrap();
    assert!(board.rows() > 0);
}

/// Where nothing was sold at all, WAPE and bias are undefined: the leaderboard says so and is ranked by another metric.
#[test]
fn nothing_sold_is_ranked_and_said() {
    let folder = tempfile::tempdir().unwrap();
    daily(folder.path(), "none.csv", 40, &[("a", &|_| 0.0), ("b", &|_| 0.0)]);
    let args = ["backtest", "--models", "naive; drift", "--horizon", "4", "--folds", "2", "--metric", "wape", "--json"];
    let output = tradewind(folder.path(), "none.csv", &args);
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(said[0]["wape"].is_null() && said[0]["mae"].as_f64() == Some(0.0), "{said}");
    let remark = String::from_utf8(output.stderr).unwrap();
    assert!(remark.contains("WAPE") && remark.contains("undefined") && remark.contains("ranked by MAE"), "{remark}");
}

/// A constant and a perfectly periodic history have no scale for MASE: every command serves, ranks by the mean absolute error and
/// says so.
#[test]
fn histories_without_a_scale_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    daily(at, "constant.csv", 70, &[("a", &|_| 7.0)]);
    daily(at, "periodic.csv", 70, &[("a", &|day| f64::from(3 + day % 7)), ("b", &|day| f64::from(9 - day % 7))]);
    let rest = ["--models", "naive; seasonal_naive; theta", "--horizon", "7", "--folds", "2"];
    for file in ["constant.csv", "periodic.csv"] {
        let output = tradewind(at, file, &[&["backtest"], &rest[..], &["--page", "page", "--json"]].concat());
        let board: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(
            board[0]["mase"].is_null() && board[0]["mae"].as_f64().is_some_and(|mae| mae < 1e-9),
            "{file}: {board}"
        );
        let remark = String::from_utf8(output.stderr).unwrap();
        assert!(remark.contains("every window") && remark.contains("ranked by MAE"), "{file}: {remark}");
        let page = std::fs::read_to_string(at.join("page/report.md")).unwrap();
        assert!(page.contains("by MAE") && page.contains("ranked by MAE"), "{file}");
        tradewind(at, file, &[&["report"], &rest[..], &["--out", "report", "--slides", "slides", "-q"]].concat());
        let report = std::fs::read_to_string(at.join("report/report.md")).unwrap();
        assert!(report.contains("models ranked by MAE"), "{file}: {report}");
    }
    std::fs::write(
        at.join("plan.toml"),
        "data = \"constant.csv\"\nid = [\"id\"]\ntime = \"ds\"\ntarget = \"y\"\nhorizon = 7\n",
    )
    .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tradewind"))
        .args(["run", "plan.toml", "-q"])
        .current_dir(at)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// One series without a scale beside one that has it: the mean is of the other alone, and the windows left out are counted.
#[test]
fn a_series_without_a_scale_is_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let moving = |day: i32| f64::from(10 + day * day % 11);
    daily(folder.path(), "both.csv", 70, &[("constant", &|_| 7.0), ("moving", &moving)]);
    daily(folder.path(), "one.csv", 70, &[("moving", &moving)]);
    let trial = |file: &str| read(folder.path(), file).backtest(["naive", "theta"], Folds::new(2, 7)).unwrap();
    let (both, one) = (trial("both.csv"), trial("one.csv"));
    for model in ["naive", "theta"] {
        assert_eq!(both.score(model, "mase").unwrap(), one.score(model, "mase").unwrap(), "{model}");
    }
    let caveat = both.caveat().unwrap_or_default();
    assert!(caveat.contains("leave out 2 of 4 windows") && !caveat.contains("ranked by MAE"), "{caveat}");
    assert_eq!(one.caveat(), None);
}
