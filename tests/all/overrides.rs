//! Planners' overrides: how they reach series and sums, what becomes of impossible ones, and what they turn out to be worth.

use std::path::Path;
use std::process::Command;

use tradewind::prelude::*;
use tradewind::show::Value;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/walmart_sales_weekly.csv");

fn sales() -> Panel {
    Panel::read(DATA, Columns::new(["Store", "Dept"], "Date", "Weekly_Sales")).unwrap()
}

fn monitor(folder: &Path, rules: &str) -> Monitor {
    std::fs::write(folder.join("rules.toml"), rules).unwrap();
    Monitor::open(&folder.join("monitor.db").to_string_lossy(), Some(&folder.join("rules.toml"))).unwrap()
}

fn promotion() -> Override {
    Override::new("ann", "promotion").between("2012-09-07", "2012-09-14").unwrap()
}

fn text(table: &Table, row: usize, column: &str) -> String {
    table.get(row, column).unwrap().to_string()
}

fn real(table: &Table, row: usize, column: &str) -> f64 {
    match table.get(row, column).unwrap() {
        Value::Number(value) => value,
        value => panic!("{column} is {value}"),
    }
}

#[test]
fn a_total_reaches_series_sums_quantiles_and_paths() {
    let forecast = sales().before("2012-09-01").unwrap().fit(["theta"]).unwrap().forecast(8).unwrap();
    let set = promotion().set(500_000.0);
    let item = promotion().only("Dept", "1").percent(50.0).named("item");
    let released = forecast.overridden("theta", [set, item]).unwrap();
    let after = released.forecast();
    let mean = |forecast: &Forecast, series: &str| forecast.mean("theta", series).unwrap();
    let total = |step: usize| after.keys().iter().map(|key| mean(&after, key)[step]).sum::<f64>();
    assert!((total(0) - 500_000.0).abs() < 1e-6 && (total(1) - 500_000.0).abs() < 1e-6, "{} {}", total(0), total(1));
    // The finer one holds, and the others share what is left as they shared the forecast.
    let (one, other, third) = ("Store=1, Dept=1", "Store=1, Dept=3", "Store=1, Dept=8");
    assert!((mean(&after, one)[0] / mean(&forecast, one)[0] - 1.5).abs() < 1e-9);
    let share = |forecast: &Forecast| mean(forecast, other)[0] / mean(forecast, third)[0];
    assert!((share(&after) / share(&forecast) - 1.0).abs() < 1e-9);
    assert_eq!(mean(&after, other)[2..], mean(&forecast, other)[2..]);
    // Quantiles and paths go with the mean.
    let factor = mean(&after, other)[0] / mean(&forecast, other)[0];
    let quantile = |forecast: &Forecast| forecast.quantile("theta", other, 0.9).unwrap()[0];
    assert!((quantile(&after) / quantile(&forecast) / factor - 1.0).abs() < 1e-9);
    let path = |forecast: &Forecast| forecast.paths(50, 3).unwrap().of("theta", other).unwrap();
    for (before, after) in path(&forecast).iter().zip(path(&after)) {
        assert!((after[0] - factor * before[0]).abs() < 1e-6 && after[2] == before[2]);
    }
    let sums = released.sums(["Store"]).unwrap();
    assert_eq!(sums.rows(), 8);
    assert!((real(&sums, 0, "released") - 500_000.0).abs() < 1e-6);
    assert!(released.sums(["Shop"]).is_err_and(|error| error.to_string().contains("no key column `Shop`")));
    assert!(after.caveat().unwrap().contains("14 values were changed by planners"), "{:?}", after.caveat());
    // What is written can be read and ordered by.
    let folder = tempfile::tempdir().unwrap();
    after.save(folder.path().join("released.parquet")).unwrap();
    let again = Forecast::open(folder.path().join("released.parquet")).unwrap();
    assert_eq!(mean(&again, one), mean(&after, one));
}

#[test]
fn impossible_overrides_are_told_and_the_others_go_on() {
    let forecast = sales().before("2012-09-01").unwrap().fit(["theta"]).unwrap().forecast(8).unwrap();
    let overrides = [
        promotion().add(700.0).only("Dept", "3").named("good"),
        promotion().add(700.0).expires("2020-01-01").unwrap().named("expired"),
        promotion().add(700.0).only("Dept", "999").named("gone"),
        promotion().add(700.0).only("Region", "north").named("no column"),
        promotion().add(-9e9).only("Dept", "8").named("negative"),
        Override::new("bob", "next year").between("2013-09-07", "2013-09-14").unwrap().percent(5.0).named("late"),
        // A sum that its own part contradicts.
        promotion().set(10.0).named("sum"),
    ];
    let table = forecast.overridden("theta", overrides).unwrap().table();
    let remark = |id: &str| {
        let row = (0..table.rows()).find(|row| text(&table, *row, "id") == id).unwrap();
        text(&table, row, "remarks")
    };
    assert_eq!(remark("good"), "");
    for (id, said) in [
        ("expired", "it has expired"),
        ("gone", "the forecast has no such series"),
        ("no column", "there is no key column `Region`"),
        ("negative", "its total would be below zero on 2012-09-07, 2012-09-14"),
        ("late", "the forecast has none of its dates"),
        ("sum", "finer overrides were kept ("),
    ] {
        assert!(remark(id).contains(said), "{id}: {}", remark(id));
    }
    let refused = |change: Override| forecast.overridden("theta", [change]).map(|_| ()).unwrap_err().to_string();
    assert!(refused(promotion()).contains("state what it changes"));
    assert!(refused(Override::new("ann", "x").set(1.0)).contains("state the dates"));
    assert!(refused(promotion().percent(-150.0)).contains("above -100"));
    assert!(refused(promotion().set(f64::NAN)).contains("finite number"));
    assert!(refused(Override::new("", "x").between("2012-09-07", "2012-09-14").unwrap().set(1.0)).contains("`author`"));
    let backwards = Override::new("ann", "x").between("2012-09-14", "2012-09-07").unwrap().set(1.0);
    assert!(refused(backwards).contains("lies after"));
    let twice = forecast.overridden("theta", [promotion().set(1.0).named("1"), promotion().set(2.0).named("1")]);
    assert!(twice.is_err_and(|error| error.to_string().contains("two overrides have the id `1`")));
    assert!(promotion().between("7.9.2012", "2012-09-14").is_err_and(|error| error.to_string().contains("is no date")));
    assert!(forecast.overridden("thata", [promotion().set(1.0)]).is_err());
}

/// A planner who always adds half and is always wrong is found out, and one who is right is believed.
#[test]
fn the_past_tells_whom_to_doubt() {
    let folder = tempfile::tempdir().unwrap();
    let rules = "keys = [\"Store\", \"Dept\"]\nclass = \"Dept\"\n";
    let monitor = monitor(folder.path(), rules);
    let sales = sales();
    let starts = ["2012-03-02", "2012-03-30", "2012-04-27", "2012-05-25", "2012-06-22", "2012-07-20", "2012-08-17"];
    for (run, start) in starts.iter().enumerate() {
        let forecast = sales.before(start).unwrap().fit(["seasonal_naive", "theta"]).unwrap().forecast(4).unwrap();
        let table = forecast.table().unwrap();
        let dates: Vec<String> = (0..4).map(|step| text(&table, step, "Date").chars().take(10).collect()).collect();
        for (dept, author) in [("1", "bob"), ("3", "bob"), ("8", "bob"), ("13", "ann"), ("38", "ann"), ("93", "ann")] {
            let series = format!("Store=1, Dept={dept}");
            for date in &dates {
                let change = Override::new(author, "feeling").only("Dept", dept).between(date, date).unwrap();
                // Ann knows what will be sold.
                let change = match author {
                    "bob" => change.percent(50.0),
                    _ => change.set(sold(&sales, &series, date)),
                };
                monitor.keep(&change.named(format!("{author} {dept} {date}"))).unwrap();
            }
        }
        let run = format!("run {run}");
        let released = monitor.release(&forecast, "theta", &run, Doubts::Told).unwrap();
        assert_eq!(released.sentence().split(" by ").next().unwrap(), "24 values changed");
        assert!(monitor.release(&forecast, "theta", &run, Doubts::Told).is_err_and(|error| error.is_usage()));
    }
    assert!(monitor.value_added().is_err_and(|error| error.to_string().contains("has met its sales yet")));
    monitor.receive(&sales).unwrap();
    let added = monitor.value_added().unwrap();
    assert!(
        added.sentence().contains("ann makes it surely better. bob makes it surely worse."),
        "{}",
        added.sentence()
    );
    let ladder = added.ladder();
    let rungs: Vec<String> = (0..4).map(|row| text(&ladder, row, "forecast")).collect();
    assert_eq!(rungs, ["naive", "statistical", "override", "released"]);
    // By hand: what the changes added is the error before less the error after.
    let planners = added.planners();
    let row = |name: &str| (0..planners.rows()).find(|row| text(&planners, *row, "planner") == name).unwrap();
    assert!(real(&planners, row("ann"), "added") > 0.0 && real(&planners, row("bob"), "high") < 0.0);
    assert!(real(&planners, row("ann"), "wape after") < 0.01);
    let classes = added.classes();
    assert!((0..classes.rows()).any(|row| text(&classes, row, "class") == "93"), "{classes}");
    // The next time, bob is heeded by a fifth at least and far from whole, and ann whole.
    let forecast = sales.before("2012-09-14").unwrap().fit(["theta"]).unwrap().forecast(4).unwrap();
    for (dept, author) in [("1", "bob"), ("13", "ann")] {
        let change = Override::new(author, "feeling").only("Dept", dept).between("2012-09-14", "2012-09-28").unwrap();
        monitor.keep(&change.percent(50.0).named(format!("next {author}"))).unwrap();
    }
    let late = promotion().percent(50.0).expires("2020-01-01").unwrap();
    assert!(monitor.keep(&late).is_err_and(|error| error.is_usage() && error.to_string().contains("2020-01-01")));
    let released = monitor.release(&forecast, "theta", "next", Doubts::Heeded).unwrap();
    let doubts = released.doubts();
    let heed = |author: &str| {
        let row = (0..doubts.rows()).find(|row| text(&doubts, *row, "author") == author).unwrap();
        real(&doubts, row, "heed")
    };
    assert!((0.2..0.6).contains(&heed("bob")) && heed("ann") > heed("bob"), "{doubts}");
    let share = |series: &str| {
        let mean = |forecast: Forecast| forecast.mean("theta", series).unwrap()[0];
        (mean(released.forecast()) - mean(forecast.clone())) / (mean(released.planned()) - mean(forecast.clone()))
    };
    assert!((share("Store=1, Dept=1") - heed("bob")).abs() < 0.2, "{}", share("Store=1, Dept=1"));
    let list = monitor.overrides().unwrap();
    assert_eq!(list.rows(), 7 * 24 + 2);
    monitor.withdraw("next bob").unwrap();
    assert!(monitor.withdraw("next bob").is_err());
    let list = monitor.overrides().unwrap();
    let last = (0..list.rows()).find(|row| text(&list, *row, "id") == "next bob").unwrap();
    assert!(text(&list, last, "state").starts_with("withdrawn"), "{list}");
}

/// What was sold of a series at a date.
fn sold(sales: &Panel, series: &str, date: &str) -> f64 {
    let rows = sales.series(series).unwrap().before("2012-10-27").unwrap();
    let first = rows.rows() - rows.after(date).map_or(0, |after| after.rows()) - 1;
    rows.to_frame().column("Weekly_Sales").unwrap().f64().unwrap().get(first).unwrap()
}

#[test]
fn overrides_on_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_tradewind")).args(args).current_dir(home).output().unwrap();
        let both = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(both).unwrap())
    };
    let fine = |args: &[&str]| {
        let (code, said) = run(args);
        assert_eq!(code, 0, "{args:?}: {said}");
        said
    };
    sales()
        .before("2012-09-01")
        .unwrap()
        .fit(["theta"])
        .unwrap()
        .forecast(8)
        .unwrap()
        .save(home.join("f.parquet"))
        .unwrap();
    let whom = ["--author", "ann", "--reason", "promotion"];
    let add = |args: &[&str]| run(&[&["override", "add"][..], args, &whom].concat());
    let (code, said) = add(&[
        "--where",
        "Store=1",
        "--where",
        "Dept=3",
        "--from",
        "2012-09-07",
        "--percent",
        "-20",
        "--id",
        "seventeen",
    ]);
    assert!(code == 0 && said.contains("seventeen: ann: −20 % for Dept=3, Store=1"), "{code} {said}");
    for (args, expected) in [
        (&["--from", "2012-09-07", "--set", "1", "--id", "seventeen"][..], "an override `seventeen` already"),
        (&["--from", "2012-09-07"], "required"),
        (&["--from", "2012-09-07", "--set", "1", "--add", "2"], "cannot be used with"),
        (&["--from", "soon", "--set", "1"], "`soon` is no date"),
        (&["--where", "Store", "--from", "2012-09-07", "--set", "1"], "COLUMN=VALUE"),
        (&["--from", "2012-09-07", "--to", "2012-09-01", "--set", "1"], "lies after"),
    ] {
        let (code, said) = add(args);
        assert!(code == 2 && said.contains(expected), "{args:?}: {code} {said}");
    }
    let said = fine(&["override", "release", "f.parquet", "--out", "released.csv"]);
    assert!(said.contains("1 value changed by 1 override."), "{said}");
    assert!(home.join("released.csv").is_file());
    assert!(fine(&["override", "list"]).contains("heeded"));
    fine(&["override", "withdraw", "seventeen"]);
    assert_eq!(run(&["override", "withdraw", "seventeen"]).0, 2);
    assert_eq!(run(&["override", "value"]).0, 2);
    fine(&["monitor", "actuals", DATA]);
    let said = fine(&["override", "value", "--json"]);
    let value: serde_json::Value = serde_json::from_str(said.lines().last().unwrap_or(&said))
        .unwrap_or_else(|_| serde_json::from_str(&said).unwrap());
    assert_eq!(value["ladder"].as_array().map(Vec::len), Some(4), "{said}");
}
