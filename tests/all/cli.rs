//! The command line: the fixed contract, exit codes, nothing half-written, inputs untouched.

use std::path::Path;
use std::process::{Command, Output};

use tradewind::polars::prelude::*;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/walmart_sales_weekly.csv");
const COLUMNS: [&str; 8] = ["--data", DATA, "--id", "Store,Dept", "--time", "Date", "--target", "Weekly_Sales"];

fn tradewind(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tradewind")).args(args).current_dir(folder).output().unwrap()
}

fn with_columns<'a>(command: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    [command].into_iter().chain(COLUMNS).chain(rest.iter().copied()).collect()
}

/// Exit status and the text of stderr.
fn failed(folder: &Path, args: &[&str]) -> (i32, String) {
    let output = tradewind(folder, args);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!text.contains("panicked") && !text.contains("RUST_BACKTRACE"), "{text}");
    (output.status.code().unwrap(), text)
}

#[test]
fn forecast_keeps_its_contract() {
    let folder = tempfile::tempdir().unwrap();
    // The input in the form other programs use: unique_id, nanosecond stamps, Parquet.
    let frame = CsvReadOptions::default().try_into_reader_with_file_path(Some(DATA.into())).unwrap().finish().unwrap();
    let stamps = frame.column("Date").unwrap().cast(&DataType::Date).unwrap();
    let stamps = stamps.cast(&DataType::Datetime(TimeUnit::Nanoseconds, None)).unwrap();
    let mut input = df!("unique_id" => frame.column("id").unwrap().str().unwrap().clone(), "y" => frame.column("Weekly_Sales").unwrap().f64().unwrap().clone()).unwrap();
    input.with_column(stamps.with_name("ds".into())).unwrap();
    ParquetWriter::new(std::fs::File::create(folder.path().join("in.parquet")).unwrap()).finish(&mut input).unwrap();
    let before = std::fs::read(folder.path().join("in.parquet")).unwrap();
    let args = [
        "forecast",
        "--data",
        "in.parquet",
        "--id",
        "unique_id",
        "--time",
        "ds",
        "--target",
        "y",
        "--freq",
        "W-FRI",
        "--season",
        "52",
        "--horizon",
        "13",
        "--models",
        "seasonal_naive; theta",
        "--out",
        "out/forecast.parquet",
    ];
    let output = tradewind(folder.path(), &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let out =
        ParquetReader::new(std::fs::File::open(folder.path().join("out/forecast.parquet")).unwrap()).finish().unwrap();
    let names: Vec<&str> = out.get_column_names().into_iter().map(|name| name.as_str()).collect();
    assert_eq!(names, ["unique_id", "ds", "model", "mean", "q0.025", "q0.1", "q0.5", "q0.9", "q0.975"]);
    assert_eq!(out.height(), 7 * 13 * 2);
    assert_eq!(out.column("ds").unwrap().dtype(), &DataType::Datetime(TimeUnit::Nanoseconds, None));
    assert_eq!(std::fs::read(folder.path().join("in.parquet")).unwrap(), before, "the input is untouched");
}

#[test]
fn a_streamed_forecast_is_that_of_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let sales = crate::sales();
    sales.save(folder.path().join("sales.parquet")).unwrap();
    let forecast = |extra: &[&str]| {
        let common = ["forecast", "--data", "sales.parquet", "--models", "seasonal_naive; theta", "--horizon", "5"];
        tradewind(folder.path(), &[&common, extra].concat())
    };
    assert!(forecast(&["--out", "whole.parquet"]).status.success());
    let output = forecast(&["--stream", "--chunk", "200", "--json", "--out", "streamed.parquet"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((said[0]["series"].as_u64(), said[0]["chunks"].as_u64()), (Some(7), Some(4)));
    let read =
        |name: &str| ParquetReader::new(std::fs::File::open(folder.path().join(name)).unwrap()).finish().unwrap();
    assert!(read("whole.parquet").equals(&read("streamed.parquet")));
    let output = forecast(&["--stream", "--out", "streamed.csv"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("streamed.parquet"));
    let across = ["forecast", "--data", "sales.parquet", "--models", "boost", "--stream", "--out", "never.parquet"];
    let output = tradewind(folder.path(), &across);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("boost learns across series"));
}

#[test]
fn stamps_keep_the_inputs_type_and_csv_is_csv() {
    let folder = tempfile::tempdir().unwrap();
    let mut input = df!("unique_id" => ["a"; 40], "ds" => (1..=40_i64).collect::<Vec<_>>(), "y" => (0..40).map(|i| f64::from(i % 4)).collect::<Vec<_>>()).unwrap();
    ParquetWriter::new(std::fs::File::create(folder.path().join("in.parquet")).unwrap()).finish(&mut input).unwrap();
    let output = tradewind(
        folder.path(),
        &[
            "forecast",
            "--data",
            "in.parquet",
            "--id",
            "unique_id",
            "--horizon",
            "2",
            "--levels",
            "0.9",
            "--models",
            "naive",
            "--out",
            "f.csv",
        ],
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(folder.path().join("f.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "unique_id,ds,model,mean,q0.05,q0.5,q0.95");
    assert!(lines[1].starts_with("a,41,naive,3") && lines[2].starts_with("a,42,naive,3"), "{text}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("season 1 (the default of this frequency"), "{said}");
}

#[test]
fn backtest_writes_its_four_files() {
    let folder = tempfile::tempdir().unwrap();
    let args = with_columns(
        "backtest",
        &["--models", "naive; theta", "--folds", "2", "--step", "4", "--out", "bt", "--json", "-q"],
    );
    let output = tradewind(folder.path(), &args);
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let board: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((board.as_array().unwrap().len(), board[0]["model"].as_str().unwrap()), (2, "theta"));
    for name in ["leaderboard.csv", "scores.parquet", "forecasts.parquet", "failures.csv"] {
        assert!(folder.path().join("bt").join(name).exists(), "{name}");
    }
    let scores =
        ParquetReader::new(std::fs::File::open(folder.path().join("bt/scores.parquet")).unwrap()).finish().unwrap();
    assert_eq!(scores.height(), 2 * 2 * 7);
}

#[test]
fn fits_are_kept_and_forecast_again() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| assert!(tradewind(folder.path(), args).status.success(), "{args:?}");
    run(&with_columns("fit", &["--models", "theta", "--save", "theta.fits"]));
    run(&["forecast", "--fits", "theta.fits", "--horizon", "5", "--out", "a.csv"]);
    run(&with_columns("forecast", &["--models", "theta", "--horizon", "5", "--out", "b.csv"]));
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_eq!(read("a.csv"), read("b.csv"));
}

#[test]
fn plans_files_environment_and_flags_have_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let plan = format!(
        "data = {DATA:?}\nid = \"Store, Dept\"\ntime = \"Date\"\ntarget = \"Weekly_Sales\"\nmodels = [\"naive\"]\nfolds = 2\nhorizon = 4\n"
    );
    std::fs::write(folder.path().join("plan.toml"), plan).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tradewind"))
        .args(["run", "plan.toml", "--models", "drift", "--out", "results"])
        .env("TRADEWIND_MODELS", "theta")
        .env("TRADEWIND_FOLDS", "1")
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let board = std::fs::read_to_string(folder.path().join("results/leaderboard.csv")).unwrap();
    assert!(board.contains("\ndrift,") && !board.contains("theta") && board.contains(",7,0,"), "{board}");
    for name in ["audit.csv", "forecast.csv", "report.md", "report.html", "slides/slides.md", "slides/slides.html"] {
        assert!(folder.path().join("results").join(name).exists(), "{name}");
    }
    let schema = tradewind(folder.path(), &["run", "--schema"]);
    let schema: serde_json::Value = serde_json::from_slice(&schema.stdout).unwrap();
    assert!(schema["properties"]["horizon"]["description"].as_str().unwrap().contains("Forecast horizon, in steps"));
}

#[test]
fn wrong_usage_is_2_and_bad_data_is_1() {
    let folder = tempfile::tempdir().unwrap();
    let out = ["--out", "f.csv"];
    let forecast = |rest: &[&'static str]| failed(folder.path(), &with_columns("forecast", &[rest, &out].concat()));
    let (code, text) = forecast(&["--models", "thta"]);
    assert!(code == 2 && text.contains("did you mean `theta`?"), "{code} {text}");
    let (code, text) = forecast(&["--horizon", "0"]);
    assert!(code == 2 && text.contains("at least 1"), "{code} {text}");
    let (code, text) = forecast(&["--horizon=-3"]);
    assert!(code == 2 && text.contains("-3"), "{code} {text}");
    let (code, text) = forecast(&["--levels", "95"]);
    assert!(code == 2 && text.contains("0.95"), "{code} {text}");
    let (code, text) = forecast(&["--freq", "fortnightly"]);
    assert!(code == 2 && text.contains("not a frequency"), "{code} {text}");
    let (code, text) = forecast(&["--known", "IsHoliday", "--models", "regression"]);
    assert!(code == 1 && text.contains("IsHoliday") && text.contains("2012-11-02"), "{code} {text}");
    let (code, text) = failed(folder.path(), &["forecast", "--data", "absent.csv", "--out", "f.csv"]);
    assert!(code == 1 && text.contains("absent.csv does not exist"), "{code} {text}");
    let (code, _) = failed(folder.path(), &["forecast", "--out", "f.csv"]);
    assert_eq!(code, 2);
    let (code, _) = failed(folder.path(), &["conquer"]);
    assert_eq!(code, 2);
    let (code, text) = failed(folder.path(), &with_columns("forecast", &["--out", "/proc/none/f.csv"]));
    assert!(code == 1 && text.contains("/proc/none/f.csv"), "{code} {text}");
    let (code, text) = failed(folder.path(), &with_columns("forecast", &["--out", "f.docx"]));
    assert!(code == 2 && text.contains("f.docx"), "{code} {text}");
    let (code, text) =
        failed(folder.path(), &["audit", "--data", DATA, "--id", "Store", "--time", "Date", "--target", "Weekly_Sale"]);
    assert!(code == 1 && text.contains("did you mean `Weekly_Sales`?"), "{code} {text}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was written");
}

#[test]
fn inputs_are_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("leaderboard.csv");
    std::fs::copy(DATA, &data).unwrap();
    let columns = ["--id", "Store,Dept", "--time", "Date", "--target", "Weekly_Sales", "--data", "leaderboard.csv"];
    for rest in [
        &["forecast", "--horizon", "2", "--out", "./leaderboard.csv"][..],
        &["audit", "--out", "leaderboard.csv"],
        &["clean", "--out", "leaderboard.csv"],
        &["fit", "--save", "leaderboard.csv"],
        &["backtest", "--out", "."],
    ] {
        let args: Vec<&str> = rest[..1].iter().chain(&columns).chain(&rest[1..]).copied().collect();
        let (code, text) = failed(folder.path(), &args);
        assert!(code == 2 && text.contains("overwrite the input"), "{args:?}: {code} {text}");
    }
    assert_eq!(std::fs::read(&data).unwrap(), std::fs::read(DATA).unwrap());
}

#[test]
fn what_kept_fits_decided_is_not_stated_again() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        tradewind(folder.path(), &with_columns("fit", &["--models", "naive", "--save", "n.fits"])).status.success()
    );
    let (code, text) = failed(folder.path(), &["forecast", "--fits", "n.fits", "--season", "3", "--out", "f.csv"]);
    assert!(code == 2 && text.contains("--season is determined by the saved fits"), "{code} {text}");
    let output = Command::new(env!("CARGO_BIN_EXE_tradewind"))
        .args(["forecast", "--fits", "n.fits", "--out", "f.csv"])
        .env("TRADEWIND_FILE", DATA)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn numbers_beyond_reason_are_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    for rest in [
        ["--horizon", "1000000000"],
        ["--horizon", "-1"],
        ["--seed", "-1"],
        ["--threads", "1000000"],
        ["--levels", "0.999999999"],
        ["--policy", "foo"],
    ] {
        let (code, text) = failed(folder.path(), &with_columns("forecast", &[&rest[..], &["--out", "f.csv"]].concat()));
        assert!(code == 2 && text.contains(rest[1]), "{rest:?}: {code} {text}");
    }
    let (code, text) = failed(folder.path(), &with_columns("backtest", &["--folds", "18446744073709551615"]));
    assert_eq!(code, 2, "{text}");
}

/// A closed pipe is no failure, a full disk is.
#[test]
#[cfg(target_os = "linux")]
fn results_that_cannot_be_printed_are_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.rhai"), "for i in 0..1000 { print(i); }").unwrap();
    for args in [&["models"][..], &["run", "--schema"], &["script", "p.rhai"]] {
        let run = |stdout: std::process::Stdio| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
            command.args(args).current_dir(folder.path()).stdout(stdout).stderr(std::process::Stdio::null());
            command.spawn().unwrap()
        };
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert_eq!(run(full.into()).wait().unwrap().code(), Some(1), "{args:?}");
        let mut closed = run(std::process::Stdio::piped());
        drop(closed.stdout.take());
        assert_eq!(closed.wait().unwrap().code(), Some(0), "{args:?}");
    }
}

/// Ctrl-C ends a long run with 130 and leaves nothing behind.
#[test]
#[cfg(unix)]
fn an_interrupt_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("loop.rhai"), "let i = 0; print(\"started\"); loop { i += 1; }").unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tradewind"))
        .args(["script", "loop.rhai"])
        .current_dir(folder.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut started = [0; 7];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut started).unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// What the demonstration writes.
fn samples() -> Vec<&'static str> {
    let mut files = vec![
        "reports/demo/report.md",
        "reports/demo/report.html",
        "reports/demo/dashboard.html",
        "slides/demo/slides.md",
        "slides/demo/slides.html",
        "slides/demo/slides.pptx",
    ];
    if cfg!(feature = "pdf") {
        files.extend(["reports/demo/report.pdf", "slides/demo/slides.pdf"]);
    }
    files
}

/// The committed sample report and slides are what the program writes today.
#[test]
fn the_committed_samples_are_true() {
    let folder = tempfile::tempdir().unwrap();
    assert!(tradewind(folder.path(), &["demo"]).status.success());
    for file in samples() {
        let committed = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let written = std::fs::read(folder.path().join(file)).unwrap();
        assert!(committed == written, "{file} is out of date: run `tradewind demo` in the repository and commit it");
        assert!(written.len() <= 1_000_000, "{file} has {} bytes", written.len());
    }
}

#[test]
fn the_demonstration_works_in_an_empty_folder() {
    let folder = tempfile::tempdir().unwrap();
    let output = tradewind(folder.path(), &["demo"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    for file in samples() {
        assert!(said.contains(file) && folder.path().join(file).exists(), "{file}");
        // A page to explore has a program in it, which knows what NaN is.
        let is_text = file.ends_with(".md") || file.ends_with(".html") && !file.ends_with("dashboard.html");
        let text = if is_text { std::fs::read_to_string(folder.path().join(file)).unwrap() } else { String::new() };
        assert!(!text.contains("NaN") && !text.contains("inf\""), "{file}");
    }
    let read = || samples().iter().map(|file| std::fs::read(folder.path().join(file)).unwrap()).collect::<Vec<_>>();
    let first = read();
    assert!(tradewind(folder.path(), &["demo", "--threads", "1"]).status.success());
    assert!(read() == first, "same data, same bytes");
}
