//! The habits of the commands: the data first, the columns found out, the flags that each heeds, what each prints.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tradewind::prelude::*;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/walmart_sales_weekly.csv");
/// The commands that take data, with what each needs besides.
const TAKERS: &[&[&str]] = &[
    &["describe"],
    &["audit"],
    &["clean", "--dry-run"],
    &["explore"],
    &["forecast"],
    &["backtest"],
    &["compare"],
    &["explain"],
    &["tune"],
    &["fit", "--save", "x.fits"],
    &["report"],
];

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
    command.args(args).current_dir(folder);
    command
}

fn tradewind(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().unwrap()
}

/// What is printed to stdout and stderr by a run that succeeds.
fn done(folder: &Path, args: &[&str]) -> (String, String) {
    let output = tradewind(folder, args);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{args:?}: {err}");
    (out, err)
}

fn json(folder: &Path, args: &[&str]) -> Value {
    serde_json::from_str(&done(folder, &[args, &["--json"]].concat()).0).unwrap()
}

/// Help without its line breaks.
fn help(folder: &Path, args: &[&str]) -> String {
    done(folder, args).0.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The message of wrong usage, in a folder in which nothing must be written.
fn refused(folder: &Path, args: &[&str]) -> String {
    let output = tradewind(folder, args);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
    assert!(!text.contains("panicked"), "{text}");
    text
}

#[test]
fn the_data_come_first_and_their_columns_are_found_out() {
    let home = tempfile::tempdir().unwrap();
    let (first, said) = done(home.path(), &["forecast", DATA, "--horizon", "3", "--models", "theta", "--csv"]);
    let line = "id: Store, Dept; time: Date; target: Weekly_Sales; --id, --time, --target state others\n";
    assert!(said.contains(line), "{said}");
    let stated = ["--data", DATA, "--id", "Store,Dept", "--time", "Date", "--target", "Weekly_Sales"];
    let (flags, said) =
        done(home.path(), &[&["forecast", "--horizon", "3", "--models", "theta", "--csv"][..], &stated].concat());
    assert!(first == flags && !said.contains("state others"), "{said}");
    // The environment states as well as a flag does, and the first argument goes before it.
    let output = command(home.path(), &["audit", DATA])
        .env("TRADEWIND_FILE", "absent.csv")
        .env("TRADEWIND_ID", "id")
        .env("TRADEWIND_TARGET", "Temperature")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("time: Date; --time states another"), "{said}");
    let text = refused(home.path(), &["audit", DATA, "--data", DATA]);
    assert!(text.contains("named twice"), "{text}");
    let text = refused(home.path(), &["audit", DATA, DATA]);
    assert!(text.contains("one more") && text.contains("quotes"), "{text}");
}

#[test]
fn a_plan_file_is_completed_and_what_it_says_holds() {
    let home = tempfile::tempdir().unwrap();
    let plan = format!("data = {DATA:?}\ntarget = \"Temperature\"\nmodels = \"naive\"\nfolds = 1\nhorizon = 2\n");
    std::fs::write(home.path().join("plan.toml"), plan).unwrap();
    let (_, said) = done(home.path(), &["run", "plan.toml", "--out", "results"]);
    assert!(said.contains("id: Store, Dept; time: Date; --id, --time state others"), "{said}");
    let header = std::fs::read_to_string(home.path().join("results/forecast.csv")).unwrap();
    assert!(header.starts_with("Store,Dept,Date,model"), "{header}");
}

#[test]
fn a_file_of_two_dates_or_none_is_asked_about() {
    let home = tempfile::tempdir().unwrap();
    let orders: String = (10..30).map(|d| format!("2024-01-{d},2024-02-{d},{d}\n")).collect();
    std::fs::write(home.path().join("two.csv"), format!("order_date,ship_date,qty\n{orders}")).unwrap();
    let none: String = (10..30).map(|d| format!("a{},{d}\n", d % 3)).collect();
    std::fs::write(home.path().join("none.csv"), format!("shop,sold\n{none}")).unwrap();
    for taker in TAKERS {
        let with = |file| [&taker[..1], &[file], &taker[1..]].concat();
        let text = refused(home.path(), &with("two.csv"));
        assert!(text.contains("two columns of two.csv hold dates: order_date, ship_date; --time says which"), "{text}");
        let text = refused(home.path(), &with("none.csv"));
        assert!(text.contains("no column of none.csv holds dates; --time says"), "{text}");
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 2, "nothing was written");
    let output = tradewind(home.path(), &["audit", "two.csv", "--time", "orderdate"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && text.contains("(--time), did you mean `order_date`?"), "{text}");
}

/// Every command says which flags it takes, and refuses every other field of a plan.
#[test]
fn a_flag_that_is_not_heeded_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let mut refusals = 0;
    for taker in TAKERS.iter().copied().chain([&["run", "plan.toml"][..]]) {
        let (help, _) = done(home.path(), &[taker[0], "-h"]);
        for field in Patch::FIELDS {
            let flag = format!("--{}", field.replace('_', "-"));
            if help.contains(&format!("{flag} <")) || help.contains(&format!("{flag}[=")) {
                continue;
            }
            refusals += 1;
            let text = refused(home.path(), &[taker, &[&flag, "1"]].concat());
            assert!(text.contains(&format!("`{}` does not take {flag}", taker[0])), "{text}");
        }
    }
    assert!(refusals > 90, "{refusals}");
    for (args, flag) in [
        (["audit", "--models", "naive"], "--models"),
        (["forecast", "--folds", "3"], "--folds"),
        (["backtest", "--title", "x"], "--title"),
        (["explore", "--metric", "mae"], "--metric"),
    ] {
        assert!(refused(home.path(), &args).contains(flag));
    }
    assert!(refused(home.path(), &["models", "--horizon", "3"]).contains("--horizon"));
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "nothing was written");
}

#[test]
fn a_value_that_is_heeded_is_checked_and_one_that_is_not_is_no_matter() {
    let home = tempfile::tempdir().unwrap();
    for (flag, value, said) in [
        ("--aggregate", "foo=1", "unknown option `foo`"),
        ("--features", "nonsense", "no feature `nonsense`"),
        ("--join", "a.csv(foo=1)", "unknown option `foo`"),
        ("--reading", "foo=1", "unknown option `foo`"),
        ("--policy", "foo=1", "unknown option `foo`"),
        ("--freq", "fortnightly", "not a frequency"),
    ] {
        for taker in [&["audit"][..], &["describe"], &["explore"], &["clean", "--dry-run"]] {
            let text = refused(home.path(), &[&taker[..1], &[DATA], &taker[1..], &[flag, value]].concat());
            assert!(text.contains(said), "{taker:?} {flag}: {text}");
        }
    }
    let output = command(home.path(), &["audit", DATA])
        .env("TRADEWIND_MODELS", "nonsense")
        .env("TRADEWIND_HORIZON", "soon")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // The audit is that of what was made of the data.
    let (_, said) = done(home.path(), &["audit", DATA, "--aggregate", "freq=MS, keys=[Dept]"]);
    assert!(said.contains("7 series, 224 rows, monthly"), "{said}");
}

#[test]
fn defaults_variables_and_options_are_in_the_help() {
    let home = tempfile::tempdir().unwrap();
    let text = help(home.path(), &["backtest", "-h"]);
    for shown in ["[default: 8]", "[default: 4]", "[default: 0.8, 0.95]", "[default: mase]", "[default: climatology]"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    let text = help(home.path(), &["clean", "--help"]);
    for shown in ["TRADEWIND_FILE", "not to be confused with TRADEWIND_DATA", "off_calendar:", "fill_down:", "partial:"]
    {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    let policy = help(home.path(), &["help", "policy"]);
    assert!(
        policy.contains("stockouts:") && policy.contains("Taken by: init, describe, audit, clean, explore"),
        "{policy}"
    );
    assert!(!policy.contains('…') || policy.contains("month … that holds it"), "{policy}");
    let forecast = help(home.path(), &["help", "forecast"]);
    assert!(forecast.contains("--fits") && !forecast.contains("--model "), "{forecast}");
    assert!(help(home.path(), &["help", "theta"]).contains("theta"));
    assert!(refused(home.path(), &["help", "nonsense"]).contains("`nonsense`"));
}

#[test]
fn a_forecast_without_a_file_is_printed() {
    let home = tempfile::tempdir().unwrap();
    let args = ["forecast", DATA, "--horizon", "4", "--models", "seasonal_naive; theta"];
    let (text, _) = done(home.path(), &args);
    assert!(text.contains("Weekly_Sales, 4 weeks ahead") && text.contains("… 36 more rows"), "{text}");
    assert!(text.contains("The total of all series over all steps") && text.contains("q0.9"), "{text}");
    let (csv, _) = done(home.path(), &[&args[..], &["--csv"]].concat());
    assert_eq!(csv.lines().count(), 1 + 7 * 4 * 2);
    done(home.path(), &[&args[..], &["--out", "f.csv"]].concat());
    assert_eq!(std::fs::read_to_string(home.path().join("f.csv")).unwrap(), csv);
    let whole = json(home.path(), &args);
    assert_eq!(whole["forecast"].as_array().unwrap().len(), 56);
    let sum = |model: &str| {
        let rows = whole["forecast"].as_array().unwrap().iter().filter(|row| row["model"] == model);
        rows.map(|row| row["mean"].as_f64().unwrap()).sum::<f64>()
    };
    for total in whole["totals"].as_array().unwrap() {
        let (mean, model) = (total["total"].as_f64().unwrap(), total["model"].as_str().unwrap());
        assert!((mean - sum(model)).abs() < 1e-6 * mean, "{total}");
        assert!(total["q0.1"].as_f64().unwrap() < mean && mean < total["q0.9"].as_f64().unwrap(), "{total}");
    }
    assert!(refused(home.path(), &[&args[..], &["--csv", "--json"]].concat()).contains("--csv"));
    let (_, said) = done(home.path(), &["forecast", DATA, "--horizon", "2", "--models", "auto"]);
    assert!(said.contains("auto leans most on") && said.contains("of 7 series"), "{said}");
}

#[test]
fn questions_are_arguments() {
    let home = tempfile::tempdir().unwrap();
    let found = json(home.path(), &["explore", DATA, "seasonality", "uplift(by=IsHoliday)"]);
    assert_eq!(found.as_array().unwrap().len(), 2);
    assert!(found[1]["sentence"].as_str().unwrap().starts_with("With IsHoliday"), "{found}");
    let (text, said) = done(home.path(), &["explore", DATA]);
    assert!(text.contains("Growth") && said.contains("more questions: profile, seasonality"), "{said}");
    let output = command(home.path(), &["explore", "trend"]).env("TRADEWIND_FILE", DATA).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("Growth"), "{output:?}");
    assert!(refused(home.path(), &["explore", DATA, "seasonalty"]).contains("did you mean `seasonality`"));
    done(home.path(), &["explore", DATA, "trend", "--page", "answers", "-q"]);
    assert!(home.path().join("answers/report.html").exists());
}

#[test]
fn models_are_compared_and_explained() {
    let home = tempfile::tempdir().unwrap();
    let args = ["compare", DATA, "--models", "naive; theta", "--folds", "6", "--horizon", "2", "--out", "board.csv"];
    let found = json(home.path(), &args);
    assert_eq!((&found["best"], found["findings"].as_array().unwrap().len()), (&Value::from("theta"), 1));
    assert!(home.path().join("board.csv").exists());
    let text = refused(home.path(), &["compare", DATA, "--models", "naive"]);
    assert!(text.contains("two models at least"), "{text}");
    let model = ["--models", "ridge", "--horizon", "2"];
    let found = json(home.path(), &[&["explain", DATA][..], &model].concat());
    assert!(found[0]["sentence"].as_str().unwrap().contains("The most important feature"), "{found}");
    let one = ["--series", "Store=1, Dept=1", "--date", "2012-11-09"];
    let found = json(home.path(), &[&["explain", DATA][..], &model, &one].concat());
    assert!(found[1]["sentence"].as_str().unwrap().contains("2012-11-09"), "{found}");
    let text = refused(home.path(), &[&["explain", DATA][..], &model, &one[2..]].concat());
    assert!(text.contains("--series"), "{text}");
    let text = refused(home.path(), &["explain", DATA, "--models", "theta", "--horizon", "2"]);
    assert!(text.contains("boost"), "{text}");
}

#[test]
fn data_are_described_and_holidays_listed() {
    let home = tempfile::tempdir().unwrap();
    let told = json(home.path(), &["describe", DATA, "--known", "IsHoliday", "--rows", "3"]);
    assert_eq!((&told["series"], &told["season"]), (&Value::from(7), &Value::from(52)));
    assert_eq!(told["head"].as_array().unwrap().len(), 3);
    let role =
        |name: &str| told["columns"].as_array().unwrap().iter().find(|row| row["column"] == name).unwrap().clone();
    assert_eq!(
        (role("IsHoliday")["role"].as_str(), role("IsHoliday")["cells"].as_str()),
        (Some("known"), Some("yes or no"))
    );
    let year = ["--from", "2024-01-01", "--to", "2024-12-31"];
    let days = json(home.path(), &[&["holidays", "USA"][..], &year].concat());
    let names: Vec<&str> = days.as_array().unwrap().iter().map(|day| day["holiday"].as_str().unwrap()).collect();
    assert!(names.contains(&"Thanksgiving Day") && names.contains(&"Christmas Day"), "{names:?}");
    assert!(refused(home.path(), &["holidays", "XX"]).contains("`XX` is no country"));
    assert!(refused(home.path(), &["holidays", "DE", "--from", "soon"]).contains("soon"));
    assert!(refused(home.path(), &["holidays", "DE", "--from", "1990-01-01"]).contains("2000"));
    done(home.path(), &[&["holidays", "DE", "--region", "BY", "--out", "days.csv"][..], &year].concat());
    assert!(std::fs::read_to_string(home.path().join("days.csv")).unwrap().contains("2024-11-01"));
}

#[test]
fn shells_and_manuals_are_served() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        assert!(done(home.path(), &["completions", shell]).0.contains("forecast"), "{shell}");
    }
    assert!(done(home.path(), &["man"]).0.contains(".TH tradewind"));
    done(home.path(), &["man", "pages"]);
    let page = std::fs::read_to_string(home.path().join("pages/tradewind-forecast.1")).unwrap();
    assert!(page.contains("horizon") && page.contains("fits"), "{page}");
    // Whose pages these are cannot be told from them.
    assert!(refused(home.path(), &["man", "pages"]).contains("--overwrite"));
    done(home.path(), &["man", "pages", "--overwrite"]);
}

#[test]
fn old_names_and_slips_are_answered_in_words() {
    let home = tempfile::tempdir().unwrap();
    done(home.path(), &["fit", DATA, "--models", "naive", "--save", "n.fits"]);
    let (_, said) = done(home.path(), &["forecast", "--model", "n.fits", "--horizon", "2"]);
    assert_eq!(said.matches("--model is called --fits now").count(), 1, "{said}");
    let (_, said) = done(home.path(), &["forecast", "--fits", "n.fits", "--horizon", "2"]);
    assert!(!said.contains("--model"), "{said}");
    assert!(
        refused(home.path(), &["forecast", DATA, "--fits", "n.fits"]).contains("the saved fits determine the data")
    );
    for (args, said) in [
        (&["clean", DATA, "--dry-run", "--policy", "missing=season"][..], "did you mean `seasonal`?"),
        (&["clean", DATA, "--dry-run", "--policy", "negative=clip"], "did you mean `negatives`?"),
        (&["audit", DATA, "--reading", "sheet=title above"], "stands in quotes: sheet='title above'"),
        (&["audit", DATA, "--season", "x"], "--season takes a whole number"),
        (&["forecast", DATA, "--horizon=-3"], "--horizon takes a whole number of at least 0, not `-3`"),
        (&["forecast", DATA, "--models", "theta(season=x)"], "a whole number"),
        (&["forecast", DATA, "--models", "theta(season=52 trend=1)"], "separated by commas"),
    ] {
        let text = refused(home.path(), args);
        assert!(text.contains(said) && !text.contains("TOML") && !text.contains("usize"), "{text}");
    }
    done(home.path(), &["clean", DATA, "--dry-run", "--policy", "stock-outs=missing"]);
}
