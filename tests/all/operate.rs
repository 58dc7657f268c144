//! Runs kept and found again, champions and challengers, files that arrive, projects.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use tradewind::plan::List;
use tradewind::prelude::*;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/walmart_sales_weekly.csv");

fn plan(models: &str) -> Plan {
    Plan::read_text(&format!(
        r#"
        title = "Weekly sales"
        data = "{DATA}"
        id = ["Store", "Dept"]
        time = "Date"
        target = "Weekly_Sales"
        models = "{models}"
        folds = 4
        horizon = 4
        "#
    ))
    .unwrap()
}

fn home(folder: &Path) -> Runs {
    Runs::at(folder.join("mlruns").to_str()).unwrap()
}

fn cell(table: &Table, what: &str, name: &str) -> Option<String> {
    let row = (0..table.rows()).find(|row| {
        table.get(*row, "what").unwrap().to_string() == what && table.get(*row, "name").unwrap().to_string() == name
    })?;
    Some(table.get(row, "value").unwrap().to_string())
}

#[test]
fn every_run_of_a_plan_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("mlruns").to_string_lossy().into_owned();
    let first = Plan { track: Some(place.clone()), ..plan("naive; seasonal_naive") };
    let outcome = first.run().unwrap();
    Plan { track: Some(place), horizon: 6, ..plan("naive; theta") }.run().unwrap();
    let runs = home(folder.path());
    let list = runs.list(Some("Weekly sales"), 10).unwrap();
    assert_eq!(list.rows(), 2);
    assert_eq!(runs.list(Some("others"), 10).unwrap().rows(), 0);
    let id = |row: usize| list.get(row, "run").unwrap().to_string();
    let shown = runs.show(&id(1)).unwrap();
    assert_eq!(cell(&shown, "setting", "models").as_deref(), Some("naive; seasonal_naive"));
    assert_eq!(cell(&shown, "setting", "best"), Some(outcome.best()));
    assert_eq!(cell(&shown, "data", "walmart_sales_weekly.csv"), Some(outcome.panel().fingerprint()));
    let score = outcome.backtest().score(&outcome.best(), "wape").unwrap();
    let kept: f64 = cell(&shown, "score", "wape").unwrap().parse().unwrap();
    assert!((kept - score).abs() < 0.01 * score, "{kept} {score}");
    assert!(cell(&shown, "file", "scores.parquet").is_some() && cell(&shown, "file", "plan.toml").is_some());
    let compared = runs.compare(&[&id(1), &id(0)]).unwrap();
    let differs = |name: &str| (0..compared.rows()).any(|row| compared.get(row, "what").unwrap().to_string() == name);
    assert!(differs("horizon") && differs("models") && differs("mase") && !differs("folds"));
    // The plan that was kept makes the same run.
    let files = runs.download(&id(1), "plan.toml", folder.path().join("copy")).unwrap();
    assert_eq!(Plan::read(&files[0]).unwrap(), Plan { track: None, ..first });
}

#[test]
fn the_trials_of_a_search_are_runs_below_it() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("mlruns").to_string_lossy().into_owned();
    let plan = Plan { track: Some(place), search: "trials=5".into(), ..plan("theta") };
    let tuning = plan.tune().unwrap();
    let list = home(folder.path()).list(None, 100).unwrap();
    let names: Vec<String> = (0..list.rows()).map(|row| list.get(row, "name").unwrap().to_string()).collect();
    let trials = names.iter().filter(|name| name.starts_with("trial ")).count();
    assert_eq!((trials, names.len()), (tuning.trials().unwrap().rows(), trials + 1), "{names:?}");
    let status: Vec<String> = (0..list.rows()).map(|row| list.get(row, "status").unwrap().to_string()).collect();
    assert!(status.iter().all(|status| status == "finished"), "{status:?}");
}

#[test]
fn a_challenger_is_promoted_only_when_it_is_better_and_can_be_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let runs = home(folder.path());
    let error = runs.rollback("Weekly sales").unwrap_err();
    assert!(error.is_usage() && error.to_string().contains("no champion"), "{error}");
    // A week that repeats itself: the last day says little of the next ones.
    let days = (0..140).map(|day| {
        let date = chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + chrono::Days::new(day);
        format!("{date},{}\n", [40, 44, 39, 52, 75, 110, 20][day as usize % 7] + day * 37 % 5)
    });
    let file = folder.path().join("days.csv");
    std::fs::write(&file, format!("ds,y\n{}", days.collect::<String>())).unwrap();
    let plan = |models: &str| Plan {
        data: file.clone(),
        id: List::default(),
        time: "ds".into(),
        target: "y".into(),
        folds: 8,
        ..plan(models)
    };
    let first = plan("naive").retrain(&runs).unwrap();
    assert!(first.promoted() && first.sentence().contains("first champion"));
    let second = plan("seasonal_naive").retrain(&runs).unwrap();
    assert!(second.promoted(), "{}", second.sentence());
    assert!(second.sentence().contains("takes the place of naive") && second.comparison().is_some());
    assert_eq!(runs.champion_fits("Weekly sales").unwrap().models(), ["seasonal_naive"]);
    // Far worse: the champion stays, fitted again.
    let third = plan("naive").retrain(&runs).unwrap();
    assert_eq!((third.promoted(), third.model().as_str(), third.version()), (false, "seasonal_naive", 3));
    assert_eq!(runs.rollback("Weekly sales").unwrap(), 2);
    assert_eq!(runs.rollback("Weekly sales").unwrap(), 1);
    assert_eq!(runs.champion_fits("Weekly sales").unwrap().models(), ["naive"]);
    assert!(runs.rollback("Weekly sales").unwrap_err().to_string().contains("replaced none"));

    // A damaged champion is named, and fitting anew takes its place.
    let first = runs.champion("Weekly sales").unwrap().unwrap().run;
    let kept = std::fs::read_dir(folder.path().join("mlruns")).unwrap().flatten();
    let fits = kept.map(|one| one.path().join(&first).join("artifacts/model/fits.bin")).find(|file| file.exists());
    std::fs::write(fits.unwrap(), "damaged").unwrap();
    let told = runs.champion_fits("Weekly sales").unwrap_err().to_string();
    assert!(told.contains("version 1 of Weekly sales holds no saved fits, or is damaged"), "{told}");
    assert_eq!(plan("naive").retrain(&runs).unwrap().version(), 4);
    assert_eq!(runs.champion_fits("Weekly sales").unwrap().models(), ["naive"]);
}

#[test]
fn two_retrainings_at_once_leave_one_champion_that_loads() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("mlruns");
    let retrain = || {
        Command::new(env!("CARGO_BIN_EXE_tradewind"))
            .args(["retrain", DATA, "--id", "Store,Dept", "--time", "Date", "--target", "Weekly_Sales"])
            .args(["--models", "naive", "--folds", "2", "--experiment", "shop", "--track"])
            .arg(&place)
            .spawn()
            .unwrap()
    };
    let (mut one, mut other) = (retrain(), retrain());
    let done = [one.wait().unwrap(), other.wait().unwrap()].map(|status| status.code());
    assert!(done.contains(&Some(0)) && done.iter().all(|code| [Some(0), Some(1)].contains(code)), "{done:?}");
    let runs = home(folder.path());
    assert_eq!(runs.champion_fits("shop").unwrap().models(), ["naive"]);
    let versions = runs.versions("shop").unwrap();
    assert_eq!(versions.len(), done.iter().filter(|code| **code == Some(0)).count());
}

/// A file that was whole a minute ago.
fn arrive(folder: &Path, name: &str, text: &str) {
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    let file = std::fs::File::options().append(true).open(&path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
}

#[test]
fn each_arriving_file_is_forecast_once() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("arriving"), folder.path().join("forecasts"));
    let text = std::fs::read_to_string(DATA).unwrap();
    let plan = plan("seasonal_naive");
    arrive(&from, "a.csv", &text);
    arrive(&from, "b.csv", "Store,Dept,Date,Weekly_Sales\n1,1,yesterday,much\n");
    arrive(&from, "c.csv.part", &text);
    arrive(&from, ".hidden.csv", &text);
    std::fs::write(from.join("now.csv"), &text).unwrap();
    let seen = plan.watch(&from, &to, None).unwrap();
    assert_eq!((seen.len(), seen.failed()), (2, 1), "{seen}");
    let forecast = std::fs::read(to.join("a.csv.forecast.csv")).unwrap();
    assert!(plan.watch(&from, &to, None).unwrap().is_empty());
    // Killed before the note was there: made again, to the same bytes.
    std::fs::remove_file(to.join("a.csv.forecast.json")).unwrap();
    assert_eq!(plan.watch(&from, &to, None).unwrap().len(), 1);
    assert_eq!(std::fs::read(to.join("a.csv.forecast.csv")).unwrap(), forecast);
    // Mended.
    arrive(&from, "b.csv", &text);
    let seen = plan.watch(&from, &to, None).unwrap();
    assert_eq!((seen.len(), seen.failed()), (1, 0), "{seen}");
    // A champion, with the newest history of the file.
    let runs = home(folder.path());
    assert!(plan.watch(&from, &to, Some(&runs)).unwrap_err().to_string().contains("no champion"));
    plan.retrain(&runs).unwrap();
    arrive(&from, "d.csv", &text);
    assert_eq!(plan.watch(&from, &to, Some(&runs)).unwrap().failed(), 0);
    assert_eq!(std::fs::read(to.join("d.csv.forecast.csv")).unwrap(), forecast);
}

#[test]
fn a_project_runs_where_it_was_begun() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("shop");
    let files = plan("seasonal_naive; theta").init(&home).unwrap();
    assert_eq!(files.len(), 8);
    assert!(plan("naive").init(&home).unwrap_err().to_string().contains("not empty"));
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_tradewind")).args(args).current_dir(&home).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    // The commands of dvc.yaml, as they stand there.
    let stages = std::fs::read_to_string(home.join("dvc.yaml")).unwrap();
    let commands: Vec<&str> = stages.lines().filter_map(|line| line.trim().strip_prefix("cmd: tradewind ")).collect();
    assert_eq!(commands.len(), 5);
    for command in commands {
        run(&command.split(' ').collect::<Vec<_>>());
    }
    let scores = std::fs::read_to_string(home.join("results/metrics/metrics.json")).unwrap();
    let scores: serde_json::Value = serde_json::from_str(&scores).unwrap();
    assert!(
        scores["mase"].as_f64().unwrap() > 0.0 && scores.as_object().unwrap().values().all(|value| value.is_number())
    );
    let steps = std::fs::read_to_string(home.join("results/metrics/steps.csv")).unwrap();
    assert!(steps.starts_with("step,error,seasonal_naive\n1,"), "{steps}");
    assert_eq!(steps.lines().count(), 5);
    // A parameter wins over the plan.
    let params = std::fs::read_to_string(home.join("params.yaml")).unwrap();
    std::fs::write(home.join("params.yaml"), params.replace("horizon: 4", "horizon: 2")).unwrap();
    std::fs::remove_dir_all(home.join("results")).unwrap();
    run(&["backtest", "plan.toml", "--metrics", "results/metrics"]);
    assert_eq!(std::fs::read_to_string(home.join("results/metrics/steps.csv")).unwrap().lines().count(), 3);
}

/// Forecasts of twelve weeks are kept and scored; a shift of the level is told of at a webhook, once, with its recovery; the same sales
/// again change nothing; a champion is found anew.
#[cfg(feature = "monitor")]
#[test]
fn what_was_given_out_is_scored_and_a_shift_is_told_of() {
    use std::io::{Read, Write};
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    // A receiver of alerts.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::<String>::new()));
    let hearing = heard.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut text, mut bytes) = (String::new(), [0; 4096]);
            let whole = |text: &str| {
                let (head, body) = text.split_once("\r\n\r\n")?;
                let long =
                    head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
                (body.len() >= long.unwrap_or(0_usize)).then(|| body.to_string())
            };
            let body = loop {
                if let Some(body) = whole(&text) {
                    break body;
                }
                let count = stream.read(&mut bytes).unwrap();
                text += &String::from_utf8_lossy(&bytes[..count]);
            };
            hearing.lock().unwrap().push(body);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        }
    });
    let rules = format!(
        r#"
        keys = ["Store", "Dept"]
        currency = "USD"
        [[rule]]
        name = "forecasts are off"
        what = "error"
        level = "portfolio"
        above = 15.0
        severity = "critical"
        to = ["desk"]
        [destination.desk]
        kind = "webhook"
        url = "http://{address}/alerts"
        "#
    );
    std::fs::write(at("alerts.toml"), rules).unwrap();
    let sales = Panel::read(DATA, Columns::new(["Store", "Dept"], "Date", "Weekly_Sales")).unwrap();
    let store = at("monitor.db").to_string_lossy().into_owned();
    let open = || Monitor::open(&store, Some(&at("alerts.toml"))).unwrap();
    // A forecast of every week of a quarter, each given out before the week.
    let fridays =
        (1..=12).map(|week| chrono::NaiveDate::from_ymd_opt(2012, 6, 1).unwrap() + chrono::Days::new(7 * week));
    for friday in fridays {
        let day = friday.to_string();
        let forecast = sales.before(&day).unwrap().fit(["seasonal_naive"]).unwrap().forecast(4).unwrap();
        open().issue(&forecast, &day).unwrap();
        let again = open().issue(&forecast, &day).unwrap();
        assert!(again.contains("was of this run there already"), "{again}");
    }
    let before = open().receive(&sales.before("2012-07-20").unwrap()).unwrap();
    assert!(before.alerts().rows() == 0 && !before.sentence().starts_with("0 "), "{before}");
    let same = open().receive(&sales.before("2012-07-20").unwrap()).unwrap();
    assert!(same.sentence().starts_with("0 new values received; 0 scores computed"), "{same}");
    // From now on half as much again is sold.
    let text = std::fs::read_to_string(DATA).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let names: Vec<&str> = header.split(',').map(|name| name.trim_matches('"')).collect();
    let place = |name: &str| names.iter().position(|other| *other == name).unwrap();
    let (date, sold) = (place("Date"), place("Weekly_Sales"));
    let shifted = |factor: f64| {
        let row = |row: &str| {
            let mut cells: Vec<String> = row.split(',').map(String::from).collect();
            if cells[date].trim_matches('"') >= "2012-07-20" {
                cells[sold] = (cells[sold].parse::<f64>().unwrap() * factor).to_string();
            }
            cells.join(",")
        };
        format!("{header}\n{}\n", rows.lines().map(row).collect::<Vec<_>>().join("\n"))
    };
    std::fs::write(at("shifted.csv"), shifted(1.5)).unwrap();
    let shifted_sales =
        Panel::read(at("shifted.csv"), Columns::new(["Store", "Dept"], "Date", "Weekly_Sales")).unwrap();
    let told = open().receive(&shifted_sales.before("2012-08-18").unwrap()).unwrap();
    assert!(told.sentence().contains("1 alert began"), "{told}");
    assert_eq!(heard.lock().unwrap().len(), 1);
    assert!(heard.lock().unwrap()[0].contains("forecasts are off"));
    open().receive(&shifted_sales.before("2012-08-18").unwrap()).unwrap();
    assert_eq!(heard.lock().unwrap().len(), 1, "the same again");
    // The models are fitted again, and the best forecasts.
    let runs = home(folder.path());
    let again = Plan { data: at("shifted.csv"), ..plan("naive; seasonal_naive") }.retrain(&runs).unwrap();
    assert!(again.promoted());
    // What had been shifted was a mistake of the till: corrected, the alert is over.
    let told = open().receive(&sales.before("2012-08-18").unwrap()).unwrap();
    assert!(told.sentence().contains("corrected") && told.sentence().contains("1 alert ended"), "{told}");
    assert_eq!(heard.lock().unwrap().len(), 2);
    let accuracy = open().accuracy().unwrap();
    assert_eq!(accuracy.get(0, "model").unwrap().to_string(), "seasonal_naive");
    assert_eq!((open().alerts().unwrap().rows(), open().worst(3).unwrap().rows()), (0, 3));
}

/// With DVC (TRADEWIND_DVC: the folder of its programs): the stages run, metrics and plots are shown, a parameter is changed, data and
/// fits go to a storage and come back.
#[test]
fn dvc_keeps_a_project() {
    let Some(dvc) = std::env::var_os("TRADEWIND_DVC") else {
        return crate::skipped("dvc_keeps_a_project", "DVC is not there (TRADEWIND_DVC)");
    };
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("shop");
    plan("seasonal_naive; theta").init(&home).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_tradewind")).parent().unwrap();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let first = [program.to_path_buf(), dvc.into()];
    let path = std::env::join_paths(first.into_iter().chain(std::env::split_paths(&paths))).unwrap();
    let run = |text: &str| -> String {
        let mut shell = Command::new("sh");
        shell.args(["-ec", text]).current_dir(&home).env("PATH", &path).env("DVC_NO_ANALYTICS", "true");
        for (name, value) in [("GIT_AUTHOR", "a planner"), ("GIT_COMMITTER", "a planner")] {
            shell.env(format!("{name}_NAME"), value).env(format!("{name}_EMAIL"), "planner@example.org");
        }
        let output = shell.output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{text}: {out}\n{err}");
        out.into_owned()
    };
    run("git init -q && dvc init -q && dvc add -q data/walmart_sales_weekly.csv && mkdir ../storage");
    run("dvc remote add -q --default storage ../storage && git add -A . && git commit -qm first");
    run("dvc repro -q && git add -A . && git commit -qm results");
    let shown: serde_json::Value = serde_json::from_str(&run("dvc metrics show --json")).unwrap();
    assert!(shown.to_string().contains("mase"), "{shown}");
    assert!(run("dvc plots show").contains("index.html"));
    assert!(run("dvc repro").contains("didn't change"));
    run("dvc push -q");
    let fits = std::fs::read(home.join("models/fits.bin")).unwrap();
    run("rm -rf .dvc/cache models/fits.bin data/walmart_sales_weekly.csv && dvc pull -q");
    assert!(std::fs::read(home.join("models/fits.bin")).unwrap() == fits);
    run("dvc exp run -q -S horizon=2");
    assert!(run("cat params.yaml").contains("horizon: 2"));
    assert_eq!(run("cat results/metrics/steps.csv").lines().count(), 3);
}

/// The Monday of a week, from 0.
#[cfg(feature = "monitor")]
fn monday(week: usize) -> String {
    (chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + chrono::Days::new(7 * week as u64)).to_string()
}

/// Eighty weeks of twenty items. In week 70 the price rises by half, sales with it, and half of the items become of a kind that was
/// never seen before; every 19th week has a promotion.
#[cfg(feature = "monitor")]
fn shop() -> String {
    let mut rows = String::from("item,week,sold,price,kind,promo\n");
    for (item, week) in (0..20).flat_map(|item| (0..80).map(move |week| (item, week))) {
        let noise = ((item * 31 + week * 17) % 11) as f64 / 100.0;
        let rise = if week >= 70 { 1.5 } else { 1.0 };
        let kind = if week >= 70 && item % 2 == 0 { "new" } else { "old" };
        let (sold, price) = (100.0 * rise * (1.0 + noise), 10.0 * rise * (1.0 + noise));
        rows += &format!("{item},{},{sold:.2},{price:.2},{kind},{}\n", monday(week), u8::from(week % 19 == 0));
    }
    rows
}

#[cfg(feature = "monitor")]
fn shop_in(folder: &Path) -> Panel {
    let file = folder.join("shop.csv");
    std::fs::write(&file, shop()).unwrap();
    Panel::read(file, Columns::new(["item"], "week", "sold").observed(["price", "kind", "promo"])).unwrap()
}

#[cfg(feature = "monitor")]
#[test]
fn drift_is_judged_by_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let sales = shop_in(folder.path());
    let found = sales.drift(&monday(70)).unwrap();
    let table = found.table();
    let row = |column: &str| (0..4).find(|row| table.get(*row, "column").unwrap().to_string() == column).unwrap();
    let of = |column: &str, what: &str| table.get(row(column), what).unwrap().to_string();
    assert_eq!(table.rows(), 4);
    assert_eq!(
        ["sold", "price", "kind", "promo"].map(|column| of(column, "drift")),
        ["large", "large", "large", "none"]
    );
    assert_eq!(
        (of("price", "ks"), of("kind", "new categories"), of("sold", "role")),
        ("1".into(), "new".into(), "target".into())
    );
    assert_eq!(row("promo"), 3, "what moved comes first");
    assert!(
        found.sentence().starts_with("3 of 4 columns have drifted since 2025-05-05; much: "),
        "{}",
        found.sentence()
    );
    // The same rows before and after: nothing.
    let calm = sales.before(&monday(70)).unwrap().drift(&monday(40)).unwrap();
    assert_eq!(calm.sentence(), "None of 4 columns has drifted since 2024-10-07.");
    // A column that nobody fills any more, and one that nobody filled before.
    let emptied = |line: &str| {
        let mut cells: Vec<&str> = line.split(',').collect();
        if cells[0] != "item" {
            let empty = if cells[1] < monday(70).as_str() { 5 } else { 3 };
            cells[empty] = "";
        }
        cells.join(",") + "\n"
    };
    let emptied: String = shop().lines().map(emptied).collect();
    let file = folder.path().join("emptied.csv");
    std::fs::write(&file, emptied).unwrap();
    let shape = Columns::new(["item"], "week", "sold").observed(["price", "promo"]);
    let found = Panel::read(file, shape).unwrap().drift(&monday(70)).unwrap();
    let texts: Vec<String> = (0..2).map(|row| found.table().get(row, "what").unwrap().to_string()).collect();
    assert!(texts.contains(&"`price` has no value any more: missing 100 % after 0 %.".to_string()), "{texts:?}");
    assert!(found.caveats().iter().any(|caveat| caveat.contains("promo")), "{:?}", found.caveats());
    for (from, why) in
        [("2020-01-01", "no rows before"), ("2030-01-01", "no rows from"), ("soon", "`soon` is not a date")]
    {
        let error = sales.drift(from).unwrap_err();
        assert!(error.is_usage() && error.to_string().contains(why), "{error}");
    }
}

/// Inputs that drift are told of and are causes of the errors that follow; errors cost what the rules and a file state; a retraining is
/// due while an alert goes on that began under the champion; one that fails is told of until one succeeds.
#[cfg(feature = "monitor")]
#[test]
fn an_alert_makes_a_retraining_due() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let sales = shop_in(folder.path());
    std::fs::write(at("costs.csv"), "item,under,over\n3,50,\n4,,0\n").unwrap();
    let rule = |name: &str, what: &str, above: f64| {
        format!(
            "[[rule]]\nname = '{name}'\nwhat = '{what}'\nlevel = 'portfolio'\nabove = {above}\nseverity = 'warning'\nto = ['log']\n"
        )
    };
    let rules = format!(
        "keys = ['item']\n[costs]\nover = 0.5\nunder = 2.0\nfile = {:?}\n{}{}{}[destination.log]\nkind = 'log'\npath = {:?}\n",
        at("costs.csv"),
        rule("errors", "error", 5.0),
        rule("inputs", "drift", 0.0),
        rule("fits", "retrain_failed", 0.0),
        at("alerts.jsonl")
    );
    std::fs::write(at("alerts.toml"), &rules).unwrap();
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let plan = Plan::read_text(&format!(
        "experiment = 'shop'\ndata = {:?}\nid = ['item']\ntime = 'week'\ntarget = 'sold'\nobserved = ['price', 'kind', 'promo']\n\
         models = 'naive'\nfolds = 2\nhorizon = 4\nstore = {:?}\nalerts = {:?}\n",
        at("shop.csv"),
        at("monitor.db"),
        at("alerts.toml")
    ))
    .unwrap();
    let runs = home(folder.path());
    let due = |when: &str| plan.is_due(&runs, when).unwrap();
    assert_eq!(due("alert").sentence(), "due: shop has no champion yet");
    let first = plan.retrain(&runs).unwrap();
    assert_eq!(
        due("alert, 28d").sentence(),
        "not due: version 1 of shop is 0 hours old, and no alert raised since then goes on"
    );
    // The price rises, and with it what is sold.
    let monitor = plan.monitor().unwrap().unwrap();
    for week in 66..76 {
        let forecast = sales.before(&monday(week)).unwrap().fit(["naive"]).unwrap().forecast(4).unwrap();
        monitor.issue(&forecast, &monday(week)).unwrap();
    }
    let known = sales.before(&monday(77)).unwrap();
    let told = monitor.receive(&known).unwrap();
    let texts = |alerts: &Table| -> String {
        let what = alerts.column("what").unwrap();
        what.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let said = texts(&told.alerts());
    assert!(
        said.contains("`price` has drifted much") && said.contains("Forecasts of all series by naive miss by"),
        "{said}"
    );
    let log = std::fs::read_to_string(at("alerts.jsonl")).unwrap();
    assert!(log.contains("inputs drifted at the same time: sold, price, kind"), "{log}");
    assert!(log.contains("it falls on promo") && log.contains("never seen before: kind = new"), "{log}");
    let again = monitor.receive(&known).unwrap();
    assert!(again.sentence().contains("0 alerts began, 0 alerts ended"), "{again}");
    // Now that there are scores, the drift has a cost.
    let drift = monitor.drift().unwrap();
    assert_eq!((drift.rows(), drift.get(0, "column").unwrap().to_string().as_str()), (4, "sold"));
    assert!(drift.get(0, "what").unwrap().to_string().contains("moves the mean error by"), "{drift}");
    // The item whose lost sales cost most is the worst; item 4 costs as the rules say.
    let worst = monitor.worst(20).unwrap();
    assert_eq!(worst.get(0, "series").unwrap().to_string(), "3");
    let number =
        |row: usize, column: &str| worst.get(row, column).unwrap().to_string().replace(',', "").parse::<f64>().unwrap();
    assert!(number(0, "money") > 10.0 * number(1, "money"), "{worst}");
    assert!((0..20).all(|row| number(row, "money") > number(row, "missed by")), "{worst}");
    // Due, until it is done.
    let due_now = due("alert");
    assert!(due_now.is_due() && due_now.sentence().starts_with("due: "), "{due_now}");
    assert!(!due("28d").is_due() && plan.is_due(&runs, "28y").unwrap_err().is_usage());
    let retrain = |when: &str| {
        std::fs::write(at("plan.toml"), plan.to_string()).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_tradewind"))
            .args(["retrain", &text(&at("plan.toml")), "--if", when, "--track", &text(&at("mlruns"))])
            .output()
            .unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code(), format!("{out}{err}"))
    };
    let (code, said) = retrain("alert, 28d");
    assert!(code == Some(0) && said.contains("due: ") && !said.contains("not due"), "{said}");
    assert_eq!(runs.versions("shop").unwrap().len(), 2, "{}", first.sentence());
    let (code, said) = retrain("alert, 28d");
    assert!(code == Some(0) && said.starts_with("not due: version 2 of shop is 0 hours old"), "{said}");
    let (code, said) = retrain("sometimes");
    assert!(code == Some(2) && said.contains("`sometimes` makes no retraining due"), "{said}");
    assert_eq!(runs.versions("shop").unwrap().len(), 2);
    // A failure is told of, is itself no reason to try again, and is over with the next success.
    let broken = Plan { data: at("missing.csv"), ..plan.clone() };
    assert!(broken.retrain(&runs).unwrap_err().to_string().contains("missing.csv"));
    let goes_on = || texts(&monitor.alerts().unwrap());
    assert!(goes_on().contains("shop could not be fitted anew") && !due("alert").is_due(), "{}", goes_on());
    plan.retrain(&runs).unwrap();
    assert!(!goes_on().contains("could not be fitted anew"), "{}", goes_on());
}

#[cfg(feature = "monitor")]
#[test]
fn costs_that_cannot_be_used_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let open = |costs: &str, keys: &str| {
        std::fs::write(at("costs.csv"), costs).unwrap();
        std::fs::write(at("rules.toml"), format!("keys = [{keys}]\n[costs]\nfile = {:?}\n", at("costs.csv"))).unwrap();
        Monitor::open(&at("monitor.db").to_string_lossy(), Some(&at("rules.toml"))).map(|_| ())
    };
    assert!(open("item,over\na,0.5\nb,\n", "'item'").is_ok());
    for (costs, keys, why) in [
        ("item,over\na,1\n", "", "no key columns"),
        ("item,shops,over\na,b,1\n", "'item', 'shop'", "no column `shop`, did you mean `shops`?"),
        ("item,cost\na,1\n", "'item'", "neither a column `over` nor a column `under`"),
        ("item,over\na,1\nb,-2\n", "'item'", "line 3: `over` is what a unit costs"),
        ("item,over\na,1\nb,much\n", "'item'", "line 3: `over` is what a unit costs"),
        ("item,over\na,1\na,2\n", "'item'", "line 3: the costs of a are stated twice"),
    ] {
        let error = open(costs, keys).unwrap_err().to_string();
        assert!(error.contains(why), "{error} – {why}");
    }
}

/// July against two years is warm, July against Julys is not: what a store is watched by compares the same part of former years.
#[cfg(feature = "monitor")]
#[test]
fn a_season_is_no_drift_of_a_monitor() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = String::from("item,week,sold,warmth,heat\n");
    for (item, week) in (0..20).flat_map(|item| (0..136).map(move |week| (item, week))) {
        let season = (std::f64::consts::TAU * week as f64 / 52.0).sin();
        let noise = ((item * 31 + week * 17) % 11) as f64 / 10.0;
        // Warmth differs by item, heat is that of the one town.
        rows +=
            &format!("{item},{},{},{:.2},{:.2}\n", monday(week), 100 + week % 3, 10.0 * season + noise, 20.0 * season);
    }
    let file = folder.path().join("warm.csv");
    std::fs::write(&file, rows).unwrap();
    let sales = Panel::read(file, Columns::new(["item"], "week", "sold").observed(["warmth", "heat"])).unwrap();
    let verdict = |table: &Table, column: &str| {
        let row = (0..3).find(|row| table.get(*row, "column").unwrap().to_string() == column).unwrap();
        table.get(row, "drift").unwrap().to_string()
    };
    let by_hand = sales.drift(&monday(126)).unwrap();
    assert_eq!(verdict(&by_hand.table(), "warmth"), "large", "{by_hand}");
    assert!(by_hand.caveats().iter().any(|caveat| caveat.contains("season")), "{by_hand}");
    let monitor = Monitor::open(&folder.path().join("monitor.db").to_string_lossy(), None).unwrap();
    assert_eq!(monitor.drift().unwrap().rows(), 0);
    monitor.issue(&sales.before(&monday(126)).unwrap().fit(["naive"]).unwrap().forecast(4).unwrap(), "first").unwrap();
    // Three weeks are too few.
    monitor.receive(&sales.before(&monday(129)).unwrap()).unwrap();
    assert_eq!(monitor.drift().unwrap().rows(), 0);
    monitor.receive(&sales.before(&monday(130)).unwrap()).unwrap();
    let found = monitor.drift().unwrap();
    assert_eq!(["warmth", "heat", "sold"].map(|column| verdict(&found, column)), ["none"; 3], "{found}");
}
