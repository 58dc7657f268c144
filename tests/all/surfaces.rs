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

#[test]
fn every_script_runs() {
    let folder = tempfile::tempdir().unwrap();
    let root = env!("CARGO_MANIFEST_DIR");
    std::os::unix::fs::symlink(format!("{root}/data"), folder.path().join("data")).unwrap();
    let mut ran = 0;
    for entry in std::fs::read_dir("scripts").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "rhai") {
            let output = Command::new(env!("CARGO_BIN_EXE_tradewind"))
                .arg("script")
                .arg(std::path::absolute(&path).unwrap())
                .current_dir(folder.path())
                .output()
                .unwrap();
            assert!(output.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
            assert!(!output.stdout.is_empty());
            ran += 1;
        }
    }
    assert!(ran > 0);
}

/// A script that calls every verb of every noun: none is a word that Rhai reserves.
#[test]
fn every_verb_can_be_called_from_a_script() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display();
    let script = format!(
        r#"
        let shape = columns(["Store", "Dept"], "Date", "Weekly_Sales").known(["IsHoliday"]).observed("Temperature").fixed(["Type"]);
        let sales = read_panel("data/walmart_sales_weekly.csv", shape.freq("W-FRI").season(52).stamps("end").time_format("%Y-%m-%d"));
        sales.len(); sales.rows; sales.season; sales.frequency; sales.keys; sales.summary(); sales.plot();
        sales.clean("negatives=clip"); sales.clean(#{{gaps: "fill"}}); sales.before("2012-06-01"); let one = sales.only("Dept", 3);
        sales.features("month_end; lags(steps=[8])"); sales.features(["payday", "rolling(lag=4)"]);
        sales.aggregate("keys=[Store]"); let months = sales.aggregate(#{{freq: "MS", partial: "drop"}});
        sales.join("data/walmart_sales_weekly.csv", "on=[Date, Dept], observed=[Fuel_Price]"); sales.join("data/walmart_sales_weekly.csv", #{{on: ["Date", "Dept"], known: ["MarkDown1"]}});
        let audit = sales.audit();
        audit.sentence; audit.usable; audit.changes; audit.count("gaps"); audit.overview(); audit.changed(); audit.table(); audit.save("{out}/a.csv");
        let finding = sales.explore("seasonality"); sales.plot_quality(); sales.plot_repairs(); sales.normalised("log1p").scales(); shape.normalise("box-cox"); audit.report();
        finding.title; finding.sentence; finding.table(); finding.figure().save("{out}/f.svg");
        let table = sales.summary();
        table.rows; table.columns; table.get(0, "mean"); table.save("{out}/t.json");
        let future = sales.future(4); sales.future(4, "last"); future.horizon;
        let m = theta(#{{season: 52.0}}); m.label;
        let fits = sales.fit([m, "naive"]);
        fits.summary(); fits.failures(); fits.residuals("naive", sales.keys[0]); fits.save("{out}/x.fits"); load_fits("{out}/x.fits");
        let forecast = fits.forecast(4); fits.forecast(future);
        forecast.models; forecast.keys; forecast.horizon; forecast.levels([0.5]); forecast.failures(); forecast.table();
        forecast.mean("naive", sales.keys[0]); forecast.quantile("naive", sales.keys[0], 0.9); forecast.interval("naive", sales.keys[0], 0.8);
        forecast.save("{out}/f.csv"); forecast.plot("naive");
        let paths = forecast.paths(10, 1); paths.of("naive", sales.keys[0]); paths.total("naive");
        let trial = sales.backtest("naive; theta", folds(2, 4).step(2).gap(1).sliding(110));
        trial.models; trial.leaderboard("wape"); trial.by("Dept", "mase"); trial.by("step", "mase"); trial.best("mase"); trial.worst("mase");
        trial.score("theta", "mase"); trial.scores(); trial.caveat(); trial.forecasts(); trial.failures(); trial.save("{out}/bt"); trial.plot("mase"); trial.plot_last("theta");
        let told = report("Title").subtitle("sub").heading("one").text("text").note("note").add(sales).add(audit).add(finding).add(fits)
            .add(forecast).add(trial).add(table).add(sales.plot());
        told.save("{out}/r.html"); told.save_slides("{out}/s.html");
        let outcome = plan(#{{data: "data/walmart_sales_weekly.csv", id: ["Store", "Dept"], time: "Date", target: "Weekly_Sales", horizon: 4, folds: 2}}).run();
        outcome.panel; outcome.audit; outcome.findings; outcome.backtest; outcome.best; outcome.forecast; outcome.report();
        `${{sales}} ${{audit}} ${{finding}} ${{fits}} ${{forecast}} ${{trial}} ${{table}} ${{m}} ${{paths}} ${{outcome}} ${{told}} ${{future}}`
        "#
    );
    let text: String = tradewind::script::engine().eval(&script).unwrap();
    assert!(text.contains("weekly (Fridays)") && !text.contains("NaN"), "{text}");
}

#[test]
fn a_script_that_fails_names_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let run = |text: &str| {
        let path = folder.path().join("s.rhai");
        std::fs::write(&path, text).unwrap();
        tradewind::script::run_file(&path, &[("name".into(), "value".into())]).map_err(|error| error.to_string())
    };
    assert!(run("print(args.name);").is_ok());
    let error = run("let a = 1;\nlet b = theta(#{seson: 1});").unwrap_err();
    assert!(error.contains("s.rhai, line 2, column 9") && error.contains("did you mean `season`?"), "{error}");
    let error = run("let a = ;").unwrap_err();
    assert!(error.contains("line 1"), "{error}");
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
    stored(sales);
}
