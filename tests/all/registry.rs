//! Every table of names: synonyms are served or answered, none hides another, and each surface takes them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use tradewind::prelude::*;
use tradewind::registry::Row;

/// A name without what may be written differently.
fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn names(list: &str) -> Vec<&str> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
}

/// Names as people write them.
fn spellings(name: &str) -> [String; 4] {
    [name.replace('_', " "), name.replace(' ', "_"), name.replace([' ', '_'], "-"), name.to_uppercase()]
}

fn each_row<T>(registry: Registry<T>, check: impl Fn(Registry<T>, &'static Row<T>)) {
    registry.iter().for_each(|row| check(registry, row));
}

fn is_whole<T>(registry: Registry<T>) {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    each_row(registry, |registry, row| {
        for name in spellings(row.name).iter().map(String::as_str).chain([row.name]) {
            assert_eq!(registry.named(name).unwrap().name, row.name);
        }
        for also in names(row.also) {
            for spelling in spellings(also) {
                assert_eq!(registry.named(&spelling).unwrap().name, row.name, "{spelling}");
            }
        }
        for (list, why) in row.similar {
            assert!(!why.is_empty() && !why.ends_with('.'), "{list}: {why}");
            for similar in names(list) {
                let error = registry.named(similar).err().unwrap();
                assert!(error.is_usage(), "{similar}");
                let expected =
                    format!("there is no {} `{similar}`; the closest is `{}`: {why}", registry.kind(), row.name);
                assert_eq!(error.to_string(), expected);
            }
        }
        assert!(!row.summary.ends_with(['.', '?']) && row.summary.chars().count() < 105, "{}", row.summary);
    });
    for row in registry {
        let similar = row.similar.iter().flat_map(|(list, _)| names(list));
        for name in [row.name].into_iter().chain(names(row.also)).chain(similar) {
            let before = known.insert(folded(name), row.name);
            assert!(
                before.is_none(),
                "{name} stands in the rows of {} and of {}",
                before.unwrap_or_default(),
                row.name
            );
        }
    }
    let list = registry.list().unwrap();
    assert_eq!(list.rows(), registry.iter().count());
    let nonsense = registry.named("qqqqqqqqqqqq").err().unwrap().to_string();
    assert!(nonsense.contains(registry.iter().next().unwrap().name), "{nonsense}");
}

#[test]
fn every_synonym_is_served_or_answered_and_hides_no_other() {
    is_whole(MODELS);
    is_whole(QUESTIONS);
    is_whole(FEATURES);
    is_whole(METRICS);
    for summary in MODELS.iter().map(|row| row.summary).chain(QUESTIONS.iter().map(|row| row.summary)) {
        assert!(summary.starts_with(char::is_uppercase), "{summary}");
    }
}

#[test]
fn a_served_name_becomes_the_label_of_the_house() {
    for (typed, label) in [
        ("snaive(season=52.0)", "seasonal_naive(season=52)"),
        ("Random Walk", "naive"),
        ("Auto-ARIMA(season=12)", "arima(season=12)"),
        ("ElasticNet(penalty=0.1)", "elastic_net(penalty=0.1)"),
        ("GBM(rate=0.05, leaves=15)", "boost(learning_rate=0.05, num_leaves=15)"),
        ("dynamic harmonic regression", "harmonic"),
    ] {
        let model = Model::named(typed).unwrap();
        assert_eq!(model.label(), label, "{typed}");
        assert_eq!(Model::named(model.label()).unwrap().label(), label);
        assert_eq!(MODELS.check(typed).unwrap(), label);
    }
    // A label that holds others keeps them as they are written, and is read back.
    let around = Model::named("conformal(model=\"snaive(season=4)\")").unwrap();
    assert_eq!(Model::named(around.label()).unwrap().label(), around.label());
    assert_eq!(QUESTIONS.check("Seasonal(season=52)").unwrap(), "seasonality(season=52)");
    assert_eq!(FEATURES.check("lag(steps=[8.0])").unwrap(), "lags(steps=[8])");
    assert_eq!(METRICS.check("MAPE%").unwrap(), "mape");
    assert_eq!(METRICS.check("mape(level=0.8)").unwrap_err().to_string(), "mape has no options");
}

#[test]
fn names_that_newcomers_type_are_answered_rightly() {
    let sales = crate::sales();
    let explored = |question: &str| sales.explore(question).err().unwrap().to_string();
    for (question, closest, never) in [
        ("covariates", "`correlation`", "autocorrelation"),
        ("price", "`elasticity`", "profile"),
        ("promotion", "`uplift`", "profile"),
    ] {
        let error = explored(question);
        assert!(error.contains(closest) && !error.contains(never), "{error}");
    }
    for (name, question) in [("outliers", "anomalies"), ("temperature", "weather"), ("pearson", "correlation")] {
        assert_eq!(QUESTIONS.named(name).unwrap().name, question);
    }
    let model = |name: &str| Model::named(name).err().unwrap().to_string();
    assert!(model("lightgbm").contains("the closest is `boost`"));
    assert!(model("tbats").contains("the closest is `mstl`"));
    assert!(model("holt-winters").contains("ets(model=AAA)"));
    assert!(model("lightgmb").contains("did you mean `boost` (lightgbm)?"));
    assert!(model("seasonal_niave").contains("did you mean `seasonal_naive`?"));
    assert!(sales.features("rolling mean").err().unwrap().to_string().contains("rolling(window=13, stat=mean)"));
    let country = |code: &str| sales.features(format!("holidays(country={code})")).map(|panel| panel.rows());
    assert_eq!(country("USA").unwrap(), country("US").unwrap());
    assert!(country("USB").unwrap_err().to_string().contains("did you mean `US`?"));
    assert!(Model::named("ets(model=AAA)").is_ok() && Model::named("ets(model=MAM)").is_ok());
    for label in ["ets(model=AAN)", "ets(model=AAdN)", "ets(model=ANN)", "theta(kind=auto)", "croston(alpha=0.1)"] {
        assert!(Model::named(label).is_ok(), "{label} is named as an answer");
    }
}

#[test]
fn values_that_do_not_fit_are_refused_in_words() {
    let said = |error: Option<Error>| error.unwrap().to_string();
    assert_eq!(
        said(Clean::parse("missing=season").err()),
        "option `missing` of clean cannot be \"season\", did you mean `seasonal`?"
    );
    let other = said(Clean::parse("duplicates=add").err());
    assert!(other.starts_with("option `duplicates` of clean cannot be \"add\": it takes one of"), "{other}");
    for (label, expected) in [
        ("theta(season=soon)", "option `season` of theta cannot be \"soon\": it takes a whole number of at least 0"),
        ("theta(season=-3)", "option `season` of theta cannot be -3: it takes a whole number of at least 0"),
        ("boost(num_rounds=1.5)", "option `num_rounds` of boost cannot be 1.5: it takes a whole number of at least 0"),
        ("boost(learning_rate=[1])", "option `learning_rate` of boost cannot be [1]: it takes a number"),
        ("ensemble(counts=1)", "option `counts` of ensemble cannot be 1: it takes true or false"),
        ("lstm(checkpoint=3)", "option `checkpoint` of lstm cannot be 3: it takes a text"),
        ("combine(models=3)", "option `models` of combine cannot be 3: it takes a list in brackets"),
    ] {
        assert_eq!(said(Model::named(label).err()), expected);
    }
}

#[test]
fn options_have_the_names_of_the_field_too() {
    for entry in MODELS {
        let options = entry.options().unwrap();
        let all: Vec<String> = options.column("option").unwrap().iter().map(ToString::to_string).collect();
        let mut known: Vec<String> = all.iter().map(|option| folded(option)).collect();
        let Ok(others) = options.column("also") else { continue };
        for (row, option) in all.iter().enumerate() {
            for other in names(&others[row].to_string()) {
                assert!(!known.contains(&folded(other)), "{other} of {} stands for two options", entry.name);
                known.push(folded(other));
                let default: serde_json::Value =
                    serde_json::from_str(&options.get(row, "default").unwrap().to_string()).unwrap_or_default();
                let given = |name: &str| serde_json::Map::from_iter([(name.to_string(), default.clone())]);
                let label = |name: &str| entry.with(given(name)).unwrap().label().to_string();
                assert_eq!(label(other), label(option), "{other} of {}", entry.name);
            }
        }
    }
    let boost = |options: &str| Model::named(&format!("boost({options})")).map(|model| model.label().to_string());
    assert_eq!(boost("eta=0.05, rows=0.5").unwrap(), "boost(learning_rate=0.05, subsample=0.5)");
    assert_eq!(boost("Learning-Rate=0.05").unwrap(), "boost(learning_rate=0.05)");
    let error = |options: &str| boost(options).unwrap_err().to_string();
    assert_eq!(error("lerning_rate=0.05"), "unknown option `lerning_rate` of boost, did you mean `learning_rate`?");
    assert!(error("rate=0.05, learning_rate=0.05").contains("is stated twice"));
    assert!(boost("learning_rate=2").is_err());
    assert_eq!(Reading::parse("Sheet=2024").unwrap(), Reading::parse("sheet=2024").unwrap());
    let plan = |search: &str| Plan { search: search.into(), ..Plan::default() }.check().map_err(|e| e.to_string());
    assert_eq!(plan("Metric=Mase, trials=2"), Ok(()));
    let search = Search::parse("trials=2, space={rate=[0.05, 0.1]}, trying={windows=0}").unwrap();
    let tuning = crate::sales().only("Dept", "1").unwrap().tune("boost(rounds=5)", Folds::new(2, 4), search).unwrap();
    let best = tuning.best().unwrap();
    assert!(best.starts_with("boost(num_rounds=5"), "{best}");
}

/// Names of options and metrics before they were those of the field.
#[test]
fn former_names_are_served() {
    let former = [
        (
            "boost(rounds=5, rate=0.1, leaves=7, depth=3)",
            "boost(num_rounds=5, learning_rate=0.1, num_leaves=7, max_depth=3)",
        ),
        ("boost(least=4, rows=0.5, columns=0.5)", "boost(min_data_in_leaf=4, subsample=0.5, colsample_bytree=0.5)"),
        ("boost(most_rows=9)", "boost(max_rows=9)"),
        ("xgboost(most_rows=9)", "xgboost(max_rows=9)"),
        ("forest(trees=5, leaves=7, least=4)", "forest(num_trees=5, num_leaves=7, min_data_in_leaf=4)"),
        ("forest(rows=0.5, columns=0.25, most_rows=9)", "forest(subsample=0.5, colsample_bytree=0.25, max_rows=9)"),
        ("ridge(most_rows=9)", "ridge(max_rows=9)"),
        ("lasso(most_rows=9)", "lasso(max_rows=9)"),
        ("elastic_net(most_rows=9)", "elastic_net(max_rows=9)"),
        ("lstm(context=9, hidden=8, layers=2)", "lstm(context_length=9, hidden_size=8, num_layers=2)"),
        ("lstm(embedding=4, batches=5, batch=8)", "lstm(embedding_size=4, batches_per_epoch=5, batch_size=8)"),
        ("lstm(rate=0.01, clip=0.5)", "lstm(learning_rate=0.01, gradient_clip=0.5)"),
        ("ensemble(siblings=false)", "ensemble(pool_seasonality=false)"),
    ];
    for (before, now) in former {
        assert_eq!(Model::named(before).unwrap().label(), now);
        assert_eq!(Model::named(now).unwrap().label(), now);
    }
    assert_eq!(METRICS.check("sis80").unwrap(), "msis80");
    assert_eq!(METRICS.check("sis95").unwrap(), "msis95");
}

#[test]
fn results_are_asked_for_by_any_spelling_of_their_model() {
    let sales = crate::sales().only("Dept", "1").unwrap();
    let fits = sales.fit(["snaive"]).unwrap();
    assert_eq!(fits.models(), ["seasonal_naive"]);
    let forecast = fits.forecast(4).unwrap();
    let key = &forecast.keys()[0];
    let mean = forecast.mean("seasonal_naive", key).unwrap();
    for name in ["snaive", "Seasonal Naive", "seasonal_naive()"] {
        assert_eq!(forecast.mean(name, key).unwrap(), mean, "{name}");
    }
    let trial = sales.backtest(["random walk", "snaive"], Folds::new(2, 4)).unwrap();
    assert_eq!(trial.score("rw", "Quantile Loss").unwrap(), trial.score("naive", "pinball").unwrap());
    let finding = trial.compare("rw", "snaive", "MASE").unwrap();
    assert!(
        finding.title().contains("Naive (last value) better than Seasonal naive (last season)"),
        "{}",
        finding.title()
    );
    assert!(trial.leaderboard("WMAPE").unwrap().to_string().contains("wape"));
}

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/walmart_sales_weekly.csv");

fn tradewind(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tradewind")).args(args).current_dir(folder).output().unwrap()
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_command_line_takes_and_shows_synonyms() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| said(&tradewind(folder.path(), args));
    for table in ["models", "questions", "features", "metrics"] {
        let (code, list, _) = run(&[table]);
        assert!(code == Some(0) && list.contains("also") && list.contains('…') == (table == "features"), "{list}");
    }
    let (_, described, remark) = run(&["models", "snaive"]);
    assert!(
        described.contains("seasonal_naive: The last value") && described.contains("Also called: snaive"),
        "{described}"
    );
    assert_eq!(remark, "the model `snaive` is called `seasonal_naive` here\n");
    assert!(run(&["models", "boost"]).1.contains("learning_rate"));
    assert_eq!(run(&["models", "snaive", "-q"]).2, "");
    let (code, _, error) = run(&["models", "lightgbm"]);
    assert!(code == Some(2) && error.contains("the closest is `boost`"), "{error}");
    assert!(run(&["metrics", "mase"]).1.contains("Also called: mean absolute scaled error"));
    assert!(run(&["questions", "acf"]).1.contains("autocorrelation"));
    assert!(run(&["features", "lag"]).1.contains("steps"));

    let columns = ["--data", DATA, "--id", "Store,Dept", "--time", "Date", "--target", "Weekly_Sales"];
    let rest = ["--models", "snaive; RW", "--metric", "WMAPE", "--horizon", "4", "--folds", "2"];
    let (code, board, remarks) = run(&[&["backtest"][..], &columns, &rest].concat());
    assert!(code == Some(0) && board.contains("seasonal_naive") && board.contains("wape"), "{board}{remarks}");
    assert_eq!(remarks.matches("is called `seasonal_naive` here").count(), 1, "{remarks}");

    let plan = format!(
        "data = {DATA:?}\nid = \"Store, Dept\"\ntime = \"Date\"\ntarget = \"Weekly_Sales\"\nmodels = [\"SNaive\", \"naive\"]\n\
         features = [\"lag(steps=[8])\"]\nmetric = \"quantile loss\"\nfolds = 1\nhorizon = 4\n"
    );
    std::fs::write(folder.path().join("plan.toml"), plan).unwrap();
    let (code, _, error) = run(&["run", "plan.toml", "--out", "results"]);
    assert_eq!(code, Some(0), "{error}");
    let board = std::fs::read_to_string(folder.path().join("results/leaderboard.csv")).unwrap();
    assert!(board.contains("\nseasonal_naive,") && board.contains("pinball"), "{board}");
}

#[test]
fn scripts_take_and_explain_synonyms() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(DATA, folder.path().join("sales.csv")).unwrap();
    let run = |text: &str| {
        std::fs::write(folder.path().join("s.rhai"), text).unwrap();
        said(&tradewind(folder.path(), &["script", "s.rhai"]))
    };
    let script = r#"
        let sales = read_panel("sales.csv", columns(["Store", "Dept"], "Date", "Weekly_Sales")).only("Dept", "1");
        let fits = sales.fit(["random walk", boost(#{rate: 0.1, num_boost_round: 5, windows: 0})]);
        print(fits.models);
        print(model("SNaive(season=52)").label);
        print(sales.explore("seasonal").title == sales.explore("seasonality").title);
        print(help("acf"));
        print(help("wmape"));
        print(help());
    "#;
    let (code, out, remarks) = run(script);
    assert_eq!(code, Some(0), "{remarks}");
    assert!(out.starts_with("[\"naive\", \"boost(num_rounds=5, learning_rate=0.1, windows=0)\"]\n"), "{out}");
    assert!(out.contains("seasonal_naive(season=52)\ntrue\n"), "{out}");
    assert!(out.contains("Also called: acf") && out.contains("Also called: wmape") && out.contains("snaive"), "{out}");
    assert!(remarks.contains("the model `random walk` is called `naive` here"), "{remarks}");
    assert_eq!(remarks.matches("the option `rate` of boost is called `learning_rate` here").count(), 1, "{remarks}");
    for (text, expected) in [
        ("holt_winters()", "the closest model is `ets`"),
        ("snaive(#{season: 52})", "did you mean `seasonal_naive`?"),
        ("help(\"lightgbm\")", "the closest model is `boost`"),
        ("boost(#{lerning_rate: 0.1})", "did you mean `learning_rate`?"),
    ] {
        let (code, _, error) = run(text);
        assert!(code == Some(1) && error.contains(expected), "{text}: {error}");
    }
}

/// An option that is written otherwise names a file all the same, which is not written over.
#[test]
fn files_behind_synonyms_are_inputs_too() {
    let folder = tempfile::tempdir().unwrap();
    let events = "name,start\nFair,2012-10-24\n";
    std::fs::write(folder.path().join("events.csv"), events).unwrap();
    let columns = ["--data", DATA, "--id", "Store,Dept", "--time", "Date", "--target", "Weekly_Sales"];
    let rest = ["--features", "Event(File='events.csv')", "--models", "naive", "--out", "events.csv"];
    let (code, _, error) = said(&tradewind(folder.path(), &[&["forecast"][..], &columns, &rest].concat()));
    assert!(code == Some(2) && error.contains("overwrite the input"), "{error}");
    assert_eq!(std::fs::read_to_string(folder.path().join("events.csv")).unwrap(), events);
}
