//! Observed covariates: windows of the past have them as forecasts do, nothing of the window leaks, and who cannot be tried is
//! named.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

fn tradewind(folder: &Path, args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_tradewind")).args(args).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

const DAYS: usize = 140;

/// Daily sales with a weekly pattern and a promotion that adds 60, beside a temperature that says nothing.
fn promoted(temperature: impl Fn(usize) -> Option<f64>) -> DataFrame {
    let promo: Vec<i64> = (0..DAYS).map(|i| i64::from(i * 7919 % 100 < 20)).collect();
    let y: Vec<f64> = (0..DAYS).map(|i| (100 + 10 * (i % 7) + 60 * promo[i] as usize + i * 31 % 17) as f64).collect();
    let days: Vec<i32> = (0..DAYS as i32).map(|i| 19_723 + i).collect();
    let temp: Vec<Option<f64>> = (0..DAYS).map(temperature).collect();
    let mut frame = df!("id" => vec!["a"; DAYS], "ds" => days, "y" => y, "promo" => promo, "temp" => temp).unwrap();
    let ds = frame.column("ds").unwrap().cast(&DataType::Date).unwrap();
    frame.with_column(ds).unwrap();
    frame
}

fn panel(frame: DataFrame, observed: &[&str]) -> Panel {
    Panel::from_frame(frame, Columns::new(["id"], "ds", "y").known(["promo"]).observed(observed.iter().copied()))
        .unwrap()
}

const BY_WEIGHT: &str = "combine(models=[\"regression\", \"naive\"], by=weights)";

/// A covariate that says nothing takes nothing away: models that weigh others by windows of the past go on using the promotion.
#[test]
fn an_observed_covariate_takes_no_known_one_away() {
    let plain = panel(promoted(|i| Some((i % 11) as f64)), &[]);
    let observed = panel(promoted(|i| Some((i % 11) as f64)), &["temp"]);
    for model in ["auto", BY_WEIGHT, "stack(models=[\"regression\", \"naive\"])"] {
        let mase = |panel: &Panel| {
            let trial = panel.backtest([model], Folds::new(2, 7)).unwrap();
            trial.score(&trial.models()[0], "mase").unwrap()
        };
        let (without, with) = (mase(&plain), mase(&observed));
        assert!(without < 0.3 && with < 1.15 * without, "{model}: MASE {without} becomes {with}");
    }
}

/// On the bundled sales: with the temperature observed, `auto` still gives weight to candidates that read the holidays.
#[test]
fn bundled_sales_keep_their_regressors() {
    let sales = crate::sales();
    let shares = |sales: &Panel| {
        let table = sales.fit(["auto"]).unwrap().diagnostics().unwrap();
        let parameters = (0..table.rows()).map(|row| table.get(row, "parameters").unwrap().to_string());
        parameters.filter(|said| said.split(", ").any(|part| part.starts_with("regression "))).count()
    };
    let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").known(["IsHoliday"]);
    let plain = Panel::from_frame(sales.to_frame(), columns).unwrap();
    let (with, without) = (shares(&sales), shares(&plain));
    assert!(without > 0 && with > 0, "series with a regression: {with} with the temperature, {without} without");
}

/// 40 random walks with promotions: intervals of a regression are far too narrow, those that errors on windows calibrate are
/// not, whether or not a covariate is observed.
#[test]
fn conformal_intervals_keep_their_calibration() {
    let mut text = String::from("id,t,y,promo,temp\n");
    let mut state = 7_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1 << 24) - 0.5
    };
    for id in 0..40 {
        let mut level = 500.0;
        for t in 0..90 {
            level += 20.0 * draw();
            let promo = u8::from(draw() > 0.3);
            writeln!(text, "{id},{t},{},{promo},{}", level + 30.0 * f64::from(promo), t % 11).unwrap();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("walks.csv");
    std::fs::write(&file, text).unwrap();
    let model = "conformal(model=\"regression(trend=false)\")";
    let covered = |observed: &[&str]| {
        let columns = Columns::new(["id"], "t", "y").season(1).known(["promo"]).observed(observed.iter().copied());
        let panel = Panel::read(&file, columns).unwrap();
        let trial = panel.backtest([model, "regression(trend=false)"], Folds::new(1, 8)).unwrap();
        let models = trial.models();
        [0, 1].map(|m: usize| trial.score(&models[m], "coverage80").unwrap())
    };
    for observed in [&[][..], &["temp"]] {
        let [calibrated, own] = covered(observed);
        assert!(
            (calibrated - 0.8).abs() < (own - 0.8).abs() - 0.02,
            "{observed:?}: {calibrated} against {own} of its own"
        );
    }
}

/// What is observed inside the last window says nothing of the weights that it gives.
#[test]
fn windows_do_not_see_what_was_observed_in_them() {
    let last = DAYS - 7;
    for scenario in ["climatology", "last"] {
        let weights = |temperature: &dyn Fn(usize) -> Option<f64>| {
            let folder = tempfile::tempdir().unwrap();
            let mut frame = promoted(temperature);
            let mut file = std::fs::File::create(folder.path().join("o.csv")).unwrap();
            CsvWriter::new(&mut file).finish(&mut frame).unwrap();
            let args = ["fit", "--data", "o.csv", "--id", "id", "--time", "ds", "--target", "y", "--known", "promo"];
            let rest =
                ["--observed", "temp", "--scenario", scenario, "--models", BY_WEIGHT, "--save", "kept.fits", "-q"];
            tradewind(folder.path(), &[&args[..], &rest[..]].concat());
            let table = Fits::load(folder.path().join("kept.fits")).unwrap().diagnostics().unwrap();
            table.get(0, "specification").unwrap().to_string()
        };
        let usual = |i: usize| Some((i % 11) as f64);
        let form = weights(&usual);
        assert!(form.contains("regression"), "{form}");
        assert_eq!(form, weights(&|i| if i < last { usual(i) } else { Some(1000.0 - 50.0 * i as f64) }), "{scenario}");
    }
}

/// A scenario is the same for the windows inside a fit, the folds of a backtest and the forecast.
#[test]
fn the_scenario_of_a_plan_holds_for_windows_folds_and_forecasts() {
    let folder = tempfile::tempdir().unwrap();
    // Here the temperature says something.
    let mut frame = promoted(|i| Some((i % 11) as f64));
    let warm = frame.column("y").unwrap().f64().unwrap() + &(frame.column("temp").unwrap().f64().unwrap() * 6.0);
    frame.with_column(warm.into_column().with_name("y".into())).unwrap();
    let whole = panel(frame, &["temp"]);
    let models = ["auto", BY_WEIGHT, "conformal(model=regression)", "stack(models=[\"regression\", \"naive\"])"];
    let mut known = whole.to_frame().select(["id", "ds", "promo"]).unwrap();
    let mut file = std::fs::File::create(folder.path().join("future.csv")).unwrap();
    CsvWriter::new(&mut file).finish(&mut known).unwrap();
    let mut means = Vec::new();
    for scenario in [Scenario::Climatology, Scenario::Last] {
        let folds = Folds::new(1, 7).scenario(scenario);
        whole.split(&folds).unwrap()[0].train().save(folder.path().join("cut.parquet")).unwrap();
        let scored = whole.backtest(models, folds).unwrap().forecasts().unwrap();
        let plan = Plan {
            data: folder.path().join("cut.parquet"),
            future: Some(folder.path().join("future.csv")),
            models: models.join("; ").parse().unwrap(),
            horizon: 7,
            scenario,
            ..Plan::default()
        };
        let delivered = plan.forecast().unwrap();
        for (m, model) in delivered.models().iter().enumerate() {
            let of_model = scored.frame().column("mean").unwrap().f64().unwrap().slice(7 * m as i64, 7);
            assert_eq!(
                delivered.mean(model, "id=a").unwrap(),
                of_model.iter().flatten().collect::<Vec<_>>(),
                "{model}"
            );
        }
        means.push(delivered.mean(&delivered.models()[1], "id=a").unwrap());
    }
    assert_ne!(means[0], means[1], "the scenario matters");
}

/// A candidate that cannot be tried is named where results are read, with the reason.
#[test]
fn who_has_no_score_is_named() {
    let folder = tempfile::tempdir().unwrap();
    // The temperature begins so late that too little can be learned of it before the windows, and enough before the end.
    let mut frame = promoted(|i| (i >= DAYS - 14).then_some((i % 11) as f64));
    let mut file = std::fs::File::create(folder.path().join("o.csv")).unwrap();
    CsvWriter::new(&mut file).finish(&mut frame).unwrap();
    let args = ["fit", "--data", "o.csv", "--id", "id", "--time", "ds", "--target", "y", "--known", "promo"];
    for model in [BY_WEIGHT, "stack(models=[\"regression\", \"naive\"])"] {
        let rest = ["--observed", "temp", "--models", model, "--horizon", "7", "--save", "kept.fits"];
        let said = String::from_utf8(tradewind(folder.path(), &[&args[..], &rest[..]].concat()).stderr).unwrap();
        assert!(said.contains("was left out") && said.contains("without regression: "), "{model}: {said}");
        let table = Fits::load(folder.path().join("kept.fits")).unwrap().diagnostics().unwrap();
        let form = table.get(0, "specification").unwrap().to_string();
        assert!(form.contains("naive") && form.contains("without regression"), "{model}: {form}");
    }
}
