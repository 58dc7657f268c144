//! Rust, Rhai and the command line give equal numbers to the last bit; every script runs; every verb can be called.

use std::process::Command;

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

#[test]
fn rust_rhai_and_the_command_line_agree_to_the_last_bit() {
    let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    let sales = Panel::read("data/walmart_sales_weekly.csv", columns).unwrap();
    let models = "naive; seasonal_naive; drift; theta; regression(penalty=0.1)";
    let rust = sales.fit(Model::list(models).unwrap()).unwrap().forecast(8).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (script, command) = (folder.path().join("script.parquet"), folder.path().join("command.parquet"));
    tradewind::script::engine()
        .run(&format!(
            r#"let sales = read_panel("data/walmart_sales_weekly.csv", columns(["Store", "Dept"], "Date", "Weekly_Sales"));
               sales.fit([naive(), "seasonal_naive", model("drift"), "theta", regression(#{{penalty: 0.1}})]).forecast(8).save({script:?});"#
        ))
        .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tradewind"))
        .args(["forecast", "--data", "data/walmart_sales_weekly.csv", "--id", "Store,Dept", "--time", "Date"])
        .args(["--target", "Weekly_Sales", "--horizon", "8", "--models", models, "--out"])
        .arg(&command)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |path| ParquetReader::new(std::fs::File::open(path).unwrap()).finish().unwrap();
    let frame = rust.to_frame().unwrap();
    assert_eq!(frame, read(script));
    assert_eq!(frame, read(command));
}

/// Arguments of a script's second run, and the code that it must end with.
fn second_run(name: &str) -> (&'static [&'static str], i32) {
    match name {
        "weekly_report" => (&["horizon=4", "out=reports/short"], 0),
        "compare_models" => (&["models=naive; theta", "metric=wape", "by=Dept", "folds=2", "out=page.html"], 0),
        "train" => (&["models=naive; drift", "out=kept/x.fits"], 0),
        "batch_forecast" => (&["from=data/*.csv", "to=out"], 1),
        "quality_gate" => (&["wape=0.1"], 1),
        "promo_calendar" => (&["weeks=3"], 0),
        "reorder" => (&["lead=2", "reviews=4", "models=seasonal_naive; theta"], 0),
        "operate" => (&["rounds=1", "horizon=2", "home=kept/operate", "when=1d"], 0),
        "departments" => (&["since=2012-01-01", "out=reports/late"], 0),
        other => panic!("say how to run scripts/{other}.rhai a second time"),
    }
}

#[test]
fn every_script_runs() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    for name in ["walmart_sales_weekly.csv", "events.csv", "stock.csv"] {
        std::fs::copy(format!("data/{name}"), folder.path().join("data").join(name)).unwrap();
    }
    let mut ran = 0;
    for entry in std::fs::read_dir("scripts").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(name) = name.strip_suffix(".rhai").filter(|name| !["api.d", "input"].contains(name)) else { continue };
        if name == "operate" && !cfg!(all(feature = "track", feature = "monitor")) {
            ran += 2;
            continue;
        }
        let (arguments, code) = second_run(name);
        let settings = arguments.iter().flat_map(|argument| ["--arg", argument]);
        for (settings, code) in [(Vec::new(), 0), (settings.collect(), code)] {
            let output = Command::new(env!("CARGO_BIN_EXE_tradewind"))
                .arg("script")
                .arg(std::path::absolute(&path).unwrap())
                .args(&settings)
                .current_dir(folder.path())
                .output()
                .unwrap();
            let (out, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert_eq!(output.status.code(), Some(code), "{name} {settings:?}: {out}{said}");
            assert!(!out.is_empty() && !out.contains("NaN"), "{name} {settings:?}: {out}");
            ran += 1;
        }
    }
    assert_eq!(ran, 18);
    assert!(folder.path().join("reports/weekly-slides.html").is_file() && folder.path().join("kept/x.fits").is_file());
}

/// A notebook keeps a variable by its type's name and shows the last expression by `evcxr_display`.
#[test]
fn every_noun_can_be_stored_and_shows_itself() {
    fn stored<T: Clone + Send + Sync + std::fmt::Display + std::fmt::Debug + 'static>(noun: T) {
        assert!(!noun.to_string().is_empty());
        let name = std::any::type_name::<T>();
        assert!(name.starts_with("tradewind::") && !name.contains('{'), "{name} cannot be written in a cell");
    }
    let sales = crate::sales();
    let fits = sales.fit(["naive"]).unwrap();
    let forecast = fits.forecast(4).unwrap();
    let trial = sales.backtest(["naive"], Folds::new(2, 4)).unwrap();
    let outcome = Plan::read_text(
        "data = \"data/walmart_sales_weekly.csv\"\nid = [\"Store\", \"Dept\"]\ntime = \"Date\"\ntarget = \"Weekly_Sales\"\nmodels = \"naive\"",
    )
    .unwrap()
    .run()
    .unwrap();
    sales.evcxr_display();
    sales.summary().unwrap().evcxr_display();
    sales.audit().unwrap().evcxr_display();
    forecast.evcxr_display();
    trial.evcxr_display();
    stored(sales.audit().unwrap());
    stored(sales.explore("trend").unwrap());
    stored(sales.summary().unwrap());
    stored(sales.future(3).unwrap());
    stored(sales.plot().unwrap());
    stored(Model::named("theta").unwrap());
    stored(Folds::new(2, 4));
    stored(forecast.paths(3, 1).unwrap());
    stored(outcome.report().unwrap());
    stored(outcome);
    stored(forecast);
    stored(fits);
    stored(trial);
    stored(sales.split(&Folds::new(2, 4)).unwrap().remove(0));
    stored(sales.columns());
    stored(Plan::default());
    stored(sales);
}
