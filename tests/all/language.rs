//! Scripts: every verb runs, errors name place and remedy, limits and the fence hold, state goes on from text to text.

use std::path::Path;
use std::process::{Command, Output};

use tradewind::script::{Completeness, Language, Limits, Session, Settings, Terminal, Verb, definitions};

fn session() -> Session {
    Session::new(&Settings::default(), Terminal::new()).unwrap()
}

/// A session that may write to a folder.
fn session_with(folder: &Path) -> Session {
    let settings = Settings { allow: vec![folder.to_path_buf()], ..Settings::default() };
    Session::new(&settings, Terminal::new()).unwrap()
}

/// What a text gives, as it is shown.
fn eval(text: &str) -> String {
    session().run("text", text).unwrap_or_else(|failure| panic!("{text}: {failure}")).text()
}

/// What is said of a text that fails.
fn failure(text: &str) -> String {
    match session().run("text", text) {
        Ok(value) => panic!("{text} gave {}", value.text()),
        Err(failure) => failure.to_string(),
    }
}

const SALES: &str = r#"let shape = columns(["Store", "Dept"], "Date", "Weekly_Sales").known(["IsHoliday"]).observed("Temperature").fixed(["Type"]);
let sales = read_panel("data/walmart_sales_weekly.csv", shape);
"#;

/// Runs a script with the binary, in a folder of its own that holds the bundled data.
fn tradewind(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tradewind")).args(args).current_dir(folder).output().unwrap()
}

// ------------------------------------------------------------------------------------------------ every verb

/// An argument that works, by the verb and the name of the parameter.
fn sample(verb: &Verb, param: &str, out: &Path) -> String {
    let path = |name: &str| format!("{:?}", out.join(name).display().to_string());
    let end = match verb.noun {
        Some("Table") if verb.name == "save" => "xlsx",
        Some("Figure") => "svg",
        Some("Report" | "Dashboard") => "html",
        Some("Panel") => "parquet",
        Some("Fits") => "fits",
        _ => "csv",
    };
    match (verb.name, param) {
        ("read_panel" | "read_table" | "join", "path") => r#""data/walmart_sales_weekly.csv""#.into(),
        ("open_panel" | "is_panel", "path") => path("kept.parquet"),
        ("load_fits", "path") => path("kept.fits"),
        ("open_forecast", "path") => path("kept.csv"),
        ("read_plan", "path") => path("plan.toml"),
        ("given", "path") => path("future.csv"),
        ("download", "path") => r#""plan.toml""#.into(),
        (name, "path") => path(&format!("{name}-{}.{end}", verb.noun.unwrap_or("own"))),
        ("watch", "folder") => path("arriving"),
        ("init", "folder") => path("project"),
        (_, "folder") => path("trial"),
        ("runs", "place") => path("mlruns"),
        ("monitor", "store") => path("monitor.db"),
        ("monitor", "rules") => path("rules.toml"),
        (_, "forecast") => "forecast".into(),
        (_, "sales") => "sales".into(),
        ("worst", "most") => "3".into(),
        ("drift", "from") => r#""2012-06-01""#.into(),
        ("is_due", "when") => r#""28d""#.into(),
        (_, "experiment") => r#""Sales""#.into(),
        ("issue", "run") => r#""again""#.into(),
        ("release", "run") => format!(r#""run {}""#, verb.params.len()),
        (_, "run") => "first".into(),
        (_, "ids") => "[first, second]".into(),
        (_, "runs") => "runs".into(),
        ("alias", "alias") => r#""challenger""#.into(),
        (_, "version") => "1".into(),
        ("override_by", "author") => r#""ann""#.into(),
        ("override_by", "reason") => r#""promotion""#.into(),
        (_, "change") => r#"override_by("bob", "promotion").between("2012-11-02", "2012-11-09").percent(5)"#.into(),
        (_, "overrides") => "override_".into(),
        ("withdraw", "id") => r#""kept""#.into(),
        (_, "id") => r#""seventeen""#.into(),
        ("between", "from") | (_, "day") => r#""2012-11-02""#.into(),
        ("between", "to") => r#""2012-11-09""#.into(),
        (_, "units") if verb.noun == Some("Override") => "120".into(),
        ("percent", "share") => "12.5".into(),
        (_, "doubts") => r#""heeded""#.into(),
        ("release" | "overridden", "model") => r#""theta""#.into(),
        ("champion_fits" | "rollback" | "promotions" | "alias", "model") => "plan.fields.title".into(),
        ("importance" | "explain", "model") => r#""ridge(penalty=0.01, regressors=false)""#.into(),
        ("tune", "model") => r#""ridge(regressors=false)""#.into(),
        (_, "search") => "#{trials: 3}".into(),
        (_, "group") => r#""all""#.into(),
        (_, "one") => r#""naive""#.into(),
        (_, "other") => r#""theta""#.into(),
        ("save_native", "model") => r#""xgboost(num_boost_round=5, regressors=false)""#.into(),
        (_, "date") => r#""2012-11-16""#.into(),
        (_, "covariate") => r#""IsHoliday""#.into(),
        (_, "values") => "[0, 1, 0, 0]".into(),
        ("join", "options") => r#"#{on: ["Date", "Dept"], known: ["MarkDown1"]}"#.into(),
        ("aggregate", "options") => r#"#{freq: "MS", partial: "drop"}"#.into(),
        ("uplift", "options") => r#"#{by: "IsHoliday"}"#.into(),
        ("lags" | "rolling", "options") => "#{}".into(),
        ("holidays", "options") => r#"#{country: "US"}"#.into(),
        ("feasts", "options") => r#"#{names: ["easter"]}"#.into(),
        ("events", "options") => r#"#{file: "data/events.csv"}"#.into(),
        ("interaction", "options") => r#"#{a: "IsHoliday", b: "Temperature"}"#.into(),
        (_, "options") => "#{}".into(),
        ("table", "rows") => r#"[#{a: 1, b: "x"}, #{a: 2}]"#.into(),
        ("folds", "folds") => "2".into(),
        ("available", "name") => r#""MarkDown2""#.into(),
        (_, "state") => path("stock.csv"),
        ("decide_stock" | "simulate" | "choose_policy", "policy") => "#{cycle_service: 0.9, paths: 200}".into(),
        (_, "policies") => r#"[#{cycle_service: 0.9}, "cycle_service=0.9, belief=normal"]"#.into(),
        (_, "scenarios") => r#"["late(lead_time=1)"]"#.into(),
        ("decide_price", "policy") => r#"#{cost_column: "cost"}"#.into(),
        ("decide_markdown", "stock") => path("clear.csv"),
        ("decide_markdown", "policy") => "#{salvage: 0.2}".into(),
        ("decide_promotion", "policy") => {
            r#"#{promotion: "promo", discount: 0.1, cost_column: "cost", most: 1}"#.into()
        }
        (_, "budget") => r#"#{channels: ["tv", "radio", "search"], draws: 50}"#.into(),
        (_, "item") => r#""Store=1, Dept=1""#.into(),
        (_, "keys") => r#"["Store", "Dept"]"#.into(),
        (_, "time") => r#""Date""#.into(),
        (_, "target") => r#""Weekly_Sales""#.into(),
        ("table", "columns") => r#"["b", "a"]"#.into(),
        (_, "columns") => "shape".into(),
        (_, "reading") => r#""delimiter=','""#.into(),
        ("worded", "names") => r#"#{Weekly_Sales: "Sales"}"#.into(),
        (_, "paper") => r#""letter""#.into(),
        (_, "code") => r#""de""#.into(),
        (_, "backtest") => r#"backtest"#.into(),
        (_, "decision") => "decision".into(),
        (_, "locale") => r#""de""#.into(),
        (_, "query") => r#""sales.plot()""#.into(),
        ("section", "name") => r#""outlook""#.into(),
        (_, "names") => r#"["MarkDown2"]"#.into(),
        (_, "frequency") => r#""W-FRI""#.into(),
        (_, "at") => r#""end""#.into(),
        ("time_format", _) => r#""%Y-%m-%d""#.into(),
        ("normalise" | "normalised", "kind") => r#""log1p""#.into(),
        ("count", "kind") => r#""gaps""#.into(),
        (_, "pattern") => r#""data/*.csv""#.into(),
        (_, "policy") => r#"#{gaps: "fill"}"#.into(),
        (_, "labels") => r#""month_end""#.into(),
        (_, "question") => r#""seasonality""#.into(),
        (_, "scenario") => r#""last""#.into(),
        (_, "stamp") => r#""2012-06-01""#.into(),
        ("only", "column") => r#""Dept""#.into(),
        ("only", "value") => "1".into(),
        ("line" | "bar" | "scatter", "x") => r#""date""#.into(),
        ("line" | "bar" | "scatter", "y") => r#""y""#.into(),
        (_, "look") => r#"#{title: "words", unit: "USD"}"#.into(),
        ("filter", "keep") => "|row| row.mean > 0".into(),
        ("filter", "comparison") => r#"">""#.into(),
        ("filter", "value") => "0".into(),
        ("group", "by") => r#""Dept""#.into(),
        ("group", "how") => r#"#{mean: ["sum", "mean"]}"#.into(),
        ("get" | "filter" | "sort" | "sort_descending", "column") | ("column", "name") => r#""mean""#.into(),
        (_, "key") => "sales.keys[0]".into(),
        ("paths" | "totals", "n") => "10".into(),
        (_, "dependence") => r#""copula(steps=0.5, series=0.1)""#.into(),
        (_, "others") => r#"[sales.fit("drift").forecast(4)]"#.into(),
        (_, "how") => "[0.4, 0.3, 0.2, 0.1]".into(),
        (_, "actuals") => "sales".into(),
        (_, "seed") => "1".into(),
        (_, "models") => r#"["naive", theta()]"#.into(),
        ("watch", "out") => path("forecasts"),
        ("stream", "out") => format!("{:?}", out.join("streamed.parquet")),
        (_, "model") => r#""naive""#.into(),
        ("model", "label") => r#""theta(season=52)""#.into(),
        (_, "folds") => "plan_of_folds".into(),
        ("hierarchy", "levels") => r#""total; Dept""#.into(),
        (_, "levels") => "[0.5, 0.9]".into(),
        ("reconcile", "method") => r#""bottom_up""#.into(),
        ("reconcile", "methods") => r#"["bottom_up"]"#.into(),
        (_, "chosen") => "reconciliation".into(),
        (_, "level") => "0.8".into(),
        (_, "probability" | "share") => "0.9".into(),
        (_, "dimension") => r#""Dept""#.into(),
        (_, "metric") => r#""mase""#.into(),
        (_, "horizon" | "steps" | "count") => "4".into(),
        (_, "row" | "place") => "0".into(),
        (_, "decimals") => "2".into(),
        (_, "width") => "358".into(),
        (_, "number") => "12.5".into(),
        (_, "thing") => "sales".into(),
        (_, "title" | "text") => r#""words""#.into(),
        (_, "word") => r#""backtest""#.into(),
        (_, "fits") => "fits".into(),
        (_, "panel") => "sales".into(),
        (_, "fields") => {
            r#"#{data: "data/walmart_sales_weekly.csv", id: ["Store", "Dept"], time: "Date", target: "Weekly_Sales"}"#
                .into()
        }
        _ => inventory_sample(verb, param),
    }
}

/// The same for the mathematics of inventory, whose arguments are numbers and demands.
fn inventory_sample(verb: &Verb, param: &str) -> String {
    let text = match (verb.name, param) {
        ("requirements", "demand") => "[90, 120, 80, 70]",
        ("requirements", "fixed" | "holding" | "unit") if verb.params.len() == 4 => "[500, 400.5, 500, 500]",
        (_, "demand") if verb.noun == Some("ReorderCosts") => "normal_demand(108.3, 43.3)",
        ("periodic_review", "lead") => "poisson_demand(2)",
        (_, "demand" | "lead_time_demand" | "period" | "protection") => "demand",
        (_, "units") => r#""whole""#,
        (_, "shortages") => r#""lost""#,
        (_, "draws") => "[4, 6, 8.5]",
        (_, "mean" | "x" | "stock") => "6",
        (_, "sd" | "lead_mean") => "2",
        (_, "variance") => "9",
        (_, "demand_mean" | "period_mean" | "protection_mean") => "50",
        (_, "demand_sd" | "protection_sd") => "8",
        (_, "lead_sd") => "0.5",
        (_, "fixed_cost") => "8",
        (_, "holding_cost") => "0.225",
        (_, "demand_rate") => "1300",
        (_, "production_rate") => "1700",
        (_, "backorder_cost" | "backorder") => "7.5",
        (_, "fixed" | "price" | "quantity") => "5",
        (_, "holding" | "salvage") => "1",
        (_, "shortage" | "min") => "4",
        (_, "cost" | "reorder_point") => "3",
        (_, "goodwill") => "0.5",
        (_, "max") => "10",
        (_, "service_level" | "fill_rate") => "0.95",
        (verb, param) => panic!("no sample of `{param}` of {verb}: add one"),
    };
    text.into()
}

/// One of each noun.
const NOUNS: &str = r#"
let columns = shape; let panel = sales.only("Dept", 1);
let future = sales.future(4); let audit = sales.audit(); let finding = sales.explore("seasonality"); let tour = sales.explore(); let table = sales.summary();
let figure = sales.plot(); let model = theta(); let fits = sales.fit(["naive", "theta", "ridge(penalty=0.01, regressors=false)"]); let forecast = fits.forecast(4);
let paths = forecast.paths(10, 1); let plan_of_folds = folds(2, 4); let folds_ = plan_of_folds; let fold = sales.split(plan_of_folds)[0];
let backtest = sales.backtest(["naive", "theta"], plan_of_folds); let report_ = report("words");
let chain = read_panel("data/walmart_sales_weekly.csv", columns(["Store", "Dept"], "Date", "Weekly_Sales")).hierarchy("total; Dept");
let chain_trial = chain.backtest(["naive", "theta"], plan_of_folds); let reconciliation = chain_trial.reconciliation();
let plan = plan(#{data: "data/walmart_sales_weekly.csv", id: ["Store", "Dept"], time: "Date", target: "Weekly_Sales", horizon: 4, folds: 2, models: "naive"});
let tuning = sales.tune("ridge(regressors=false)", plan_of_folds, #{trials: 3});
let outcome = plan.run(); let dashboard = sales.fit("naive").forecast(4).dashboard(); let block = help("fit"); let array = [3.5, 1.0, 2.0];
let drawn = table([#{date: "2024-01-01", y: 1.0}, #{date: "2024-01-02", y: 3.0}]);
let demand = poisson_demand(6); let lot = eoq(8, 0.225, 1300); let backorderedlot = eoq_with_backorders(8, 0.225, 5, 1300);
let requirements = requirements([90, 120, 80, 70], 500, 2); let lotplan = requirements.optimal();
let newsvendor = newsvendor(5, 3, 1, 0.5); let orderupto = newsvendor.optimal(demand, "whole");
let continuousreview = continuous_review(demand, 5, "lost"); let service = continuousreview.at(8);
let periodicreview = periodic_review(poisson_demand(2), demand, "backordered");
let reordercosts = reorder_costs(8, 0.225, 7.5, 1300); let reorderpolicy = reordercosts.from_eoq(normal_demand(108.3, 43.3));
let minmaxpolicy = min_max(5, 1, 4, demand, demand); let minmax = minmaxpolicy.levels;
let powerapproximation = power_approximation(2.5, 0.18, 0.7, 50, 50, 8);
"#;

#[test]
fn every_verb_runs() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path();
    std::fs::copy("tests/notebooks/plan.toml", out.join("plan.toml")).unwrap();
    let mut session = session_with(out);
    session.run("sales", SALES).unwrap();
    session.run("nouns", NOUNS).unwrap_or_else(|failure| panic!("{failure}"));
    let kept = format!(
        "sales.save({:?}); fits.save({:?}); forecast.save({:?}); sales.future(4).table().save({:?});",
        out.join("kept.parquet"),
        out.join("kept.fits"),
        out.join("kept.csv"),
        out.join("future.csv")
    );
    // The future's table has no flags yet: its known column is given here.
    session.run("kept", &kept).unwrap();
    std::fs::write(out.join("stock.csv"), "Store,Dept,on_hand\n1,1,30000\n").unwrap();
    let stock = format!("{:?}", out.join("stock.csv"));
    // Items whose price moves and that are promoted now and then.
    let mut shop = String::from("item,week,price,cost,promo,sold\n");
    for (item, week) in ["a", "b"].into_iter().flat_map(|item| (1..=104).map(move |week| (item, week))) {
        let (step, promo) = (0.85 + 0.05 * f64::from((week * 7 + week / 5) % 7), week % 9 == 0);
        let noise = 1.0 + 0.01 * f64::from(week * 37 % 11 - 5);
        let sold = 200.0 * step.powi(-2) * if promo { 1.4 } else { 1.0 } * noise;
        shop += &format!("{item},{week},{:.2},1.1,{},{:.0}\n", 2.5 * step, u8::from(promo), sold);
    }
    std::fs::write(out.join("shop.csv"), shop).unwrap();
    std::fs::write(out.join("clear.csv"), "item,on_hand\na,700\nb,500\n").unwrap();
    let shop = format!("{:?}", out.join("shop.csv"));
    let clear = format!("{:?}", out.join("clear.csv"));
    let decision =
        format!("let decision = sales.fit(\"naive\").forecast(4).decide_stock({stock}, #{{cycle_service: 0.9}});");
    session.run("decision", &decision).unwrap();
    if cfg!(feature = "track") {
        std::fs::create_dir(out.join("arriving")).unwrap();
        let kept = format!(
            "let runs = runs({:?}); let first = outcome.track(runs); let second = outcome.track(runs); plan.retrain(runs);
             let retraining = plan.retrain(runs); let watching = plan.watch({:?}, {:?});
             let due = plan.is_due(runs, \"28d\");",
            out.join("mlruns"),
            out.join("arriving"),
            out.join("forecasts")
        );
        session.run("runs", &kept).unwrap_or_else(|failure| panic!("{failure}"));
    }
    if cfg!(feature = "monitor") {
        std::fs::write(out.join("rules.toml"), "keys = [\"Store\", \"Dept\"]\n").unwrap();
        let kept = format!(
            "let monitor = monitor({:?}); monitor.issue(forecast, \"first\"); let monitored = monitor.receive(sales);
             let override_ = override_by(\"ann\", \"promotion\").between(\"2012-09-07\", \"2012-09-14\").add(120).named(\"kept\");
             monitor.keep(override_);
             let overridden = monitor.release(sales.before(\"2012-09-01\").fit(\"theta\").forecast(4), \"theta\", \"past\");
             monitor.receive(sales); let valueadded = monitor.value_added();",
            out.join("monitor.db")
        );
        session.run("monitor", &kept).unwrap_or_else(|failure| panic!("{failure}"));
    }
    let text = std::fs::read_to_string(out.join("future.csv")).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let at = header.split(',').position(|name| name == "IsHoliday").unwrap();
    let rows: Vec<String> = rows
        .lines()
        .map(|row| {
            row.split(',').enumerate().map(|(i, cell)| if i == at { "0" } else { cell }).collect::<Vec<_>>().join(",")
        })
        .collect();
    std::fs::write(out.join("future.csv"), format!("{header}\n{}\n", rows.join("\n"))).unwrap();
    let language = Language::get();
    // XGBoost is a part of the full build.
    let keeps_runs = |verb: &Verb| {
        ["runs", "track", "retrain", "watch", "is_due"].contains(&verb.name)
            || verb.noun.is_some_and(|noun| ["Runs", "Due", "Retraining", "Watching"].contains(&noun))
    };
    let monitors = |verb: &Verb| {
        verb.name == "monitor"
            || (verb.noun, verb.name) == (Some("Panel"), "drift")
            || verb
                .noun
                .is_some_and(|noun| ["Monitor", "Monitored", "Override", "Overridden", "ValueAdded"].contains(&noun))
    };
    let can_run = |verb: &&Verb| {
        (verb.name != "save_native" || cfg!(feature = "xgboost"))
            && (!keeps_runs(verb) || cfg!(feature = "track"))
            && (!monitors(verb) || cfg!(feature = "monitor"))
    };
    for verb in language.verbs().iter().filter(can_run) {
        let arguments: Vec<String> = verb.params.iter().map(|(param, _)| sample(verb, param, out)).collect();
        let subject = verb.noun.map(|noun| match noun {
            "Folds" => "plan_of_folds".to_string(),
            "Report" => "report_".to_string(),
            "Override" => "override_".to_string(),
            "Fits" if verb.name == "save_native" => {
                "sales.fit(\"xgboost(num_boost_round=5, regressors=false)\")".to_string()
            }
            // What stands alone has nothing to search.
            "Plan" if verb.name == "tune" => {
                r#"plan(#{data: "data/walmart_sales_weekly.csv", id: ["Store", "Dept"], time: "Date", target: "Weekly_Sales", horizon: 4, folds: 2, models: "theta", search: "trials=2"})"#.to_string()
            }
            // Decisions rest on one model, and simulated ones on forecasts of every review.
            "Forecast" if ["decide_stock", "what_if"].contains(&verb.name) => r#"sales.fit("naive").forecast(4)"#.to_string(),
            "Backtest" if ["simulate", "simulate_each", "choose_policy"].contains(&verb.name) => {
                r#"sales.backtest("naive", folds(3, 2).step(1))"#.to_string()
            }
            "Plan" if ["decide_stock", "simulate_stock", "scenarios"].contains(&verb.name) => format!(
                r#"plan(#{{data: "data/walmart_sales_weekly.csv", id: ["Store", "Dept"], time: "Date", target: "Weekly_Sales", models: "naive", stock: {stock}, cycle_service: 0.9, reviews: 3, what_if: "late(lead_time=1)"}})"#
            ),
            "Forecast" if ["decide_price", "decide_markdown", "decide_promotion"].contains(&verb.name) => format!(
                r#"read_panel({shop}, columns("item", "week", "sold").known("promo").observed(["price", "cost"])).fit("ets").forecast(4)"#
            ),
            "Plan" if ["decide_price", "decide_markdown", "decide_promotion"].contains(&verb.name) => format!(
                r#"plan(#{{data: {shop}, id: ["item"], time: "week", target: "sold", known: ["promo"], observed: ["price", "cost"], models: "ets", horizon: 4, cost_column: "cost", on_hand: {clear}, promotion: "promo", discount: 0.1, most: 1}})"#
            ),
            "Panel" if verb.name == "decide_budget" => {
                r#"read_panel("data/marketing_weekly.csv", columns([], "week", "sales").known(["tv", "radio", "search"]))"#.to_string()
            }
            "Plan" if verb.name == "decide_budget" => {
                r#"plan(#{data: "data/marketing_weekly.csv", time: "week", target: "sales", channels: ["tv", "radio", "search"], mix: "draws=50"})"#.to_string()
            }
            "Panel" if verb.name == "hierarchy" => {
                r#"read_panel("data/walmart_sales_weekly.csv", columns(["Store", "Dept"], "Date", "Weekly_Sales"))"#.to_string()
            }
            "Forecast" if verb.name.starts_with("reconcile") => {
                r#"chain.fit(["naive", "theta"]).forecast(4)"#.to_string()
            }
            "Backtest" if verb.name.starts_with("reconcil") => "chain_trial".to_string(),
            // What is scored must have happened.
            "Forecast" if verb.name == "score" => r#"sales.before("2012-06-01").fit("naive").forecast(4)"#.to_string(),
            // From Parquet only.
            "Plan" if verb.name == "stream" => {
                format!("plan(#{{data: {:?}, models: \"naive\"}})", out.join("kept.parquet"))
            }
            // Of the columns that the figures draw.
            "Table" if ["line", "bar", "scatter"].contains(&verb.name) => "drawn".to_string(),
            noun => noun.to_lowercase(),
        });
        let call = match (&subject, verb.property) {
            (Some(subject), true) => format!("{subject}.{}; {subject}.{}()", verb.name, verb.name),
            (Some(subject), false) => format!("{subject}.{}({})", verb.name, arguments.join(", ")),
            (None, _) => format!("{}({})", verb.name, arguments.join(", ")),
        };
        let value = session.run("verb", &call).unwrap_or_else(|failure| panic!("{call}: {failure}"));
        let known = ["?", "()", value.type_name()];
        let absent = value.type_name() == "()";
        assert!(
            absent || verb.returns.split(" | ").any(|of| known.contains(&of)),
            "{call} gives a {}, not a {}",
            value.type_name(),
            verb.returns
        );
        assert!(!value.text().contains("NaN"), "{call}: {}", value.text());
    }
    assert!(language.verbs().len() > 150, "{}", language.verbs().len());
}

/// Verbs of the library's nouns that scripts do without, and why.
const NOT_IN_SCRIPTS: &[(&str, &str)] = &[
    ("from_frame", "scripts hold no polars frames: table() makes tables, read_panel() panels"),
    ("frame", "as above"),
    ("to_frame", "table()"),
    ("given", "of frames: given() takes a file"),
    ("new", "functions of the noun's own name"),
    ("evcxr_display", "of the Rust notebook"),
    ("png", "bytes: save() writes the file"),
    ("can_save", "save() says it"),
    ("to_json", "save() writes it"),
    ("schema", "of the command line"),
    ("stock_policy", "options of decide_stock()"),
    ("marketing_budget", "options of decide_budget()"),
    ("price_policy", "options of decide_price()"),
    ("markdown_policy", "options of decide_markdown()"),
    ("promotion_policy", "options of decide_promotion()"),
    ("read_text", "plan(#{…})"),
    ("list", "help()"),
    ("reading", "text of the plan: fields"),
    ("to_text", "print"),
    ("to_markdown", "report(…).save(\"….md\")"),
    ("to_html", "report(…).save(\"….html\")"),
    ("names_of", "labels"),
    ("fits_of", "fit_for() of the panel of the plan"),
    ("each", "of(), key by key"),
    ("html", "save() writes it"),
    ("chart", "of presentations: save_slides(\"….pptx\")"),
    ("formats", "the plan's format"),
    ("folder", "home()"),
    ("register", "retrain() does it"),
    ("champion", "promotions() says which"),
    ("versions", "promotions()"),
    ("monitor", "monitor(store)"),
    ("runs", "runs(place)"),
    ("tracked", "of the command line"),
    ("stream_arrow", "of the command line: standard input and output"),
    ("model_name", "the plan's experiment or title"),
    ("is_empty", "len()"),
    ("read_yaml", "plan(#{…})"),
];

#[test]
fn no_verb_of_the_library_is_forgotten() {
    let language = Language::get();
    let items: Vec<&str> = language.verbs().iter().map(|verb| verb.item.as_str()).collect();
    let mut missing = Vec::new();
    for (path, _) in tradewind::script::documentation() {
        let Some((noun, verb)) = path.split_once("::") else { continue };
        if language.nouns().contains(&noun)
            && !items.contains(path)
            && !NOT_IN_SCRIPTS.iter().any(|(name, _)| *name == verb)
        {
            missing.push(*path);
        }
    }
    assert!(missing.is_empty(), "scripts have no {}", missing.join(", "));
    // And what describes a verb exists.
    let undocumented: Vec<String> =
        language.verbs().iter().filter(|verb| verb.words().is_empty()).map(Verb::call).collect();
    assert!(undocumented.is_empty(), "no words for {undocumented:?}");
}

#[test]
fn the_definitions_for_editors_are_up_to_date() {
    let committed = std::fs::read_to_string("scripts/api.d.rhai").unwrap_or_default();
    assert!(committed == definitions(), "run: tradewind script --api > scripts/api.d.rhai");
    // What Rhai's language server reads: a module line, comments, types, functions with typed parameters.
    let identifier = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    let of = |text: &str| text.split(" | ").all(|one| one == "?" || identifier(one));
    let mut lines = committed.lines().filter(|line| !line.is_empty() && !line.starts_with("//"));
    assert_eq!(lines.next(), Some("module static;"));
    for line in lines {
        if let Some(name) = line.strip_prefix("type ").and_then(|line| line.strip_suffix(" = ?;")) {
            assert!(identifier(name), "{line}");
            continue;
        }
        let function =
            line.strip_prefix("fn ").and_then(|line| line.strip_suffix(';')).unwrap_or_else(|| panic!("{line}"));
        let (call, returns) = function.rsplit_once(") -> ").unwrap();
        let (name, params) = call.split_once('(').unwrap();
        assert!(identifier(name.strip_prefix("get ").unwrap_or(name)) && of(returns), "{line}");
        for param in params.split(", ").filter(|param| !param.is_empty()) {
            let (name, kind) = param.split_once(": ").unwrap();
            assert!(identifier(name) && of(kind), "{line}");
        }
    }
}

// ------------------------------------------------------------------------------------------------ words and values

#[test]
fn series_rows_and_folds_are_gone_through_and_indexed() {
    let text = format!(
        r#"{SALES}
        let names = [];
        for series in sales {{ names.push(series.keys[0]); }}
        let board = sales.backtest("naive; seasonal_naive", folds(2, 4)).leaderboard("mase");
        let models = [];
        for row in board {{ models.push(row.model); }}
        let cuts = [];
        for fold in sales.split(folds(3, 8)) {{ cuts.push(fold.test.span[0]); }}
        `${{names.len()}} ${{sales[0].keys[0]}} ${{sales[-1].keys[0]}} ${{sales["Store=1, Dept=3"].len()}} ${{models}} ${{board["model"]}} ${{board[-1].model}} ${{cuts}}`
        "#
    );
    assert_eq!(
        eval(&text),
        "7 Store=1, Dept=1 Store=1, Dept=95 1 [\"seasonal_naive\", \"naive\"] [\"seasonal_naive\", \"naive\"] naive \
         [\"2012-05-18\", \"2012-07-13\", \"2012-09-07\"]"
    );
    assert!(failure(&format!("{SALES} sales[7]")).contains("there is no place 7"));
    assert!(failure(&format!("{SALES} sales[\"Store=1, Dept=33\"]")).contains("did you mean `Store=1, Dept=3"));
    assert!(failure(&format!("{SALES} sales.summary()[\"men\"]")).contains("did you mean `mean`?"));
}

#[test]
fn numbers_and_dates_read_well_in_sentences() {
    assert_eq!(
        eval("let x = 1.0 / 3.0; `${x} ${12345.678} ${2.0} ${-0.0} ${1e300} ${0.1 + 0.2}`"),
        "0.3333 12,346 2 0 1.0e300 0.3"
    );
    assert_eq!(eval("`${[1.0 / 3.0, 12345.678]} ${#{a: 0.5}}`"), "[0.3333, 12346] #{a: 0.5}");
    assert_eq!(
        eval("`${format(1234.5678, 2)} ${format(0.001, 2)} ${percent(0.1234)} ${exact(0.1)}`"),
        "1,234.57 0.00 12.3 % 0.1"
    );
    assert_eq!(eval("`${2024} ${7}`"), "2024 7");
    let table = format!("{SALES} sales.table()[0].Date");
    assert_eq!(eval(&table), "2010-02-05");
}

#[test]
fn options_take_what_people_write() {
    assert_eq!(eval("theta(#{season: 52.0}).label"), "theta(season=52)");
    assert_eq!(eval("regression(#{penalty: 1}).label"), eval("regression(#{penalty: 1.0}).label"));
    assert_eq!(eval("uplift(#{by: \"IsHoliday\"})"), "uplift(by=IsHoliday)");
    assert_eq!(eval("lags(#{steps: [8, 52]})"), "lags(steps=[8, 52])");
    assert!(
        eval(&format!("{SALES} sales.explore(uplift(#{{by: \"IsHoliday\"}})).sentence")).starts_with("With IsHoliday")
    );
    assert_eq!(eval(&format!("{SALES} sales.fit(\"theta\").forecast(4.0).horizon")), "4");
}

#[test]
fn what_a_script_makes_is_shown_as_tables() {
    let shown = eval("[#{model: \"a\", mase: 0.5}, #{model: \"b\", mase: 1.25, note: \"x\"}]");
    assert!(shown.contains("model") && shown.contains("0.50") && shown.contains("–"), "{shown}");
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("t.csv");
    session_with(home.path()).run("t", &format!("table([#{{a: 1, b: 0.5}}, #{{a: 2}}]).save({file:?})")).unwrap();
    assert_eq!(std::fs::read_to_string(file).unwrap(), "a,b\n1,0.5\n2,\n");
    assert!(failure("table([1])").contains("the rows of a table are maps, not the number 1"));
}

// ------------------------------------------------------------------------------------------------ inventory

/// Values of stockpyl 1.0.2 from its documented examples, and of Python's `statistics.NormalDist` for the service of a lot.
const INVENTORY: &[(&str, f64)] = &[
    ("eoq(8, 0.225, 1300).quantity", 304.0467800),
    ("eoq(8.0, 0.225, 1300.0).cost", 68.4105255),
    ("eoq_cost(304.0467800, 8, 0.225, 1300)", 68.4105255),
    ("eoq_with_backorders(8, 0.225, 5, 1300).quantity", 310.8125552),
    ("eoq_with_backorders(8, 0.225, 5, 1300).backordered_fraction", 0.0430622),
    ("eoq_with_backorders(8, 0.225, 5, 1300).cost", 66.9213636),
    ("production_quantity(8, 0.225, 1300, 1700).quantity", 626.8084946),
    ("production_quantity(8, 0.225, 1300, 1700).cost", 33.1839791),
    (r#"newsvendor(0.18, 0.70).optimal(normal_demand(50, 8), "divisible").level"#, 56.6039559),
    (r#"newsvendor(0.18, 0.70).optimal(normal_demand(50, 8), "divisible").cost"#, 1.9976052),
    (r#"newsvendor(2, 18).optimal(normal_demand(120, 10), "divisible").level"#, 132.8155157),
    (r#"newsvendor(2, 18).optimal(normal_demand(120, 10), "divisible").cost"#, 35.0996664),
    (r#"newsvendor(0.18, 0.70).optimal(poisson_demand(50), "whole").level"#, 56.0),
    (r#"newsvendor(0.18, 0.70).optimal(poisson_demand(50), "whole").cost"#, 1.7972352),
    (r#"newsvendor(1, 4).at(poisson_demand(6), 8).cost"#, 3.5701069),
    ("reorder_costs(8, 0.225, 7.5, 1300).expected_inventory_level(lead).reorder_point", 213.9704414),
    ("reorder_costs(8, 0.225, 7.5, 1300).expected_inventory_level(lead).quantity", 318.5901811),
    ("reorder_costs(8, 0.225, 7.5, 1300).expected_inventory_level(lead).cost", 95.4511402),
    ("reorder_costs(8, 0.225, 7.5, 1300).from_backorder_eoq(lead).reorder_point", 128.6378144),
    ("reorder_costs(8, 0.225, 7.5, 1300).from_backorder_eoq(lead).quantity", 308.5737801),
    ("reorder_costs(8, 0.225, 7.5, 1300).from_eoq(lead).reorder_point", 190.3369966),
    (r#"reorder_costs(8, 0.225, 7.5, 1300).policy(lead, 126.8, 328.5, "divisible").cost"#, 78.0711625),
    (r#"reorder_costs(100, 20, 150, 1.5).optimal(poisson_demand(3), "whole").reorder_point"#, 3.0),
    (r#"reorder_costs(100, 20, 150, 1.5).optimal(poisson_demand(3), "whole").quantity"#, 5.0),
    (r#"reorder_costs(100, 20, 150, 1.5).optimal(poisson_demand(3), "whole").cost"#, 107.9235806),
    ("min_max(5, 1, 4, poisson_demand(6), poisson_demand(6)).levels.min", 4.0),
    ("min_max(5, 1, 4, poisson_demand(6), poisson_demand(6)).levels.max", 10.0),
    ("min_max(5, 1, 4, poisson_demand(6), poisson_demand(6)).cost", 8.0341116),
    ("min_max_policy(4, 10, 5, 1, 4, poisson_demand(6), poisson_demand(6)).cost", 8.0341116),
    ("power_approximation(2.5, 0.18, 0.70, 50, 50, 8).regression.min", 40.1946170),
    ("power_approximation(2.5, 0.18, 0.70, 50, 50, 8).regression.max", 74.2901701),
    ("requirements([90, 120, 80, 70], 500.0, 2.0).optimal().cost", 1380.0),
    (
        r#"continuous_review(normal_demand(50, 11.4), 200, "backordered").for_fill_rate(0.99, "divisible").level"#,
        56.5628728,
    ),
    (r#"continuous_review(normal_demand(50, 11.4), 200, "lost").for_fill_rate(0.99, "divisible").level"#, 56.4916059),
    (
        r#"continuous_review(normal_demand(50, 11.4), 200, "lost").for_service_level(0.95, "divisible").level"#,
        68.7513313,
    ),
];

#[test]
fn the_mathematics_of_inventory_gives_published_values() {
    let mut session = session();
    // A month of lead time, in years.
    let lead = "let lead = lead_time_demand(1300, 150, 1.0 / 12.0, 0); let lead = normal_demand(lead[0], lead[1]);";
    session.run("lead", lead).unwrap_or_else(|failure| panic!("{failure}"));
    for (text, expected) in INVENTORY {
        let shown =
            session.run("text", &format!("exact({text})")).unwrap_or_else(|failure| panic!("{text}: {failure}"));
        let value: f64 = shown.text().parse().unwrap();
        assert!((value - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{text} is {value}, not {expected}");
    }
    assert_eq!(eval("requirements([90, 120, 80, 70], 500, 2).optimal().quantities"), "[210, 0, 150, 0]");
    assert_eq!(eval("sample_demand([4, 6, 8]).mean"), "6");
}

#[test]
fn the_mathematics_of_inventory_answers_in_sentences() {
    assert_eq!(
        eval("`${eoq(8, 0.225, 1300)}`"),
        "Order 304 units at a time: ordering and holding cost 68.41 per unit of time."
    );
    assert_eq!(eval("normal_demand(50, 8)"), "Normal demand with a mean of 50 and a standard deviation of 8.");
    assert_eq!(
        eval("min_max(5, 1, 4, poisson_demand(6), poisson_demand(6))"),
        "Order up to 10 when the stock position is 4 or less: an expected cost of 8.034 per period."
    );
    let plan = eval("requirements([90, 120, 80, 70], 500, 2).optimal()");
    assert!(plan.starts_with("2 orders in 4 periods: ordering, buying and holding cost 1,380."), "{plan}");
    assert!(plan.contains("period") && plan.contains("stock") && plan.contains("210"), "{plan}");
    for (text, expected) in [
        ("eoq(8, -1, 1300)", "the holding cost must be a positive number, not -1"),
        ("normal_demand(50, 8).quantile(95)", "a probability must lie between 0 and 1, not 95, did you mean 0.95?"),
        (
            r#"continuous_review(poisson_demand(6), 5, "lost").for_service_level(95, "whole")"#,
            "a service level must lie between 0 and 1, not 95, did you mean 0.95?",
        ),
        (
            r#"newsvendor(1, 4).optimal(poisson_demand(6), "half")"#,
            r#"`units` of optimal: "whole" or "divisible" is needed, not the text "half""#,
        ),
        (r#"newsvendor(1, 4).optimal(6, "whole")"#, "`demand` of optimal: one Demand is needed, not the number 6"),
        ("eoq(8, 0.225)", "`eoq` is called as `eoq(fixed_cost, holding_cost, demand_rate)`, not with (int, float)"),
    ] {
        let said = failure(text);
        assert!(said.contains(expected), "{text}: {said}");
    }
}

// ------------------------------------------------------------------------------------------------ errors

#[test]
fn errors_name_place_cause_and_the_nearest_name() {
    let said = failure("let a = 1;\nlet b = theta(#{seson: 1});\n");
    assert_eq!(
        said,
        "text, line 2, column 9: unknown option `seson` of theta, did you mean `season`?\n\
         \u{20}\u{20}2 | let b = theta(#{seson: 1});\n\
         \u{20}\u{20}  |         ^"
    );
    for (text, expected) in [
        ("let sales = 1; salse + 1", "there is no variable `salse`, did you mean `sales`?"),
        ("theta", "`theta` is a function: write theta(…)"),
        ("thetta()", "there is no function `thetta`, did you mean `theta`?"),
        ("reed_panel(1)", "there is no function `reed_panel` for (int), did you mean `read_panel`?"),
        ("theta(1)", "`options` of theta: a map such as #{season: 52} is needed, not the number 1"),
        ("theta().lable", "a Model has no `lable`, did you mean `label`?"),
        ("folds(2, 4).leaderboard(\"mase\")", "`leaderboard` is a verb of Backtest and Retraining, not of Folds"),
        ("folds(2, 4).stp(1)", "a Folds has no verb `stp`, did you mean `step`?"),
        ("folds(2)", "`folds` is called as `folds(folds, horizon)`, not with (int)"),
        ("folds(2, \"4\")", "`horizon` of folds: a whole number that is not negative is needed, not the text \"4\""),
        ("folds(-2, 4)", "a whole number that is not negative is needed, not the number -2"),
        ("read_panel(\"nothing.csv\", columns([], \"a\", \"b\"))", "nothing.csv does not exist"),
        ("report(\"x\").add(1)", "something that can be shown is needed, not the number 1"),
        ("let n = 5; for x in n {}", "`for` goes over"),
        ("let x = \"open", "the text is not closed by a quote"),
        ("let match = 1;", "`match` is a reserved word"),
        ("throw \"too bad\"", "too bad"),
        ("1 / 0", "division by zero"),
        ("exit(\"x\")", "exit takes a whole number from 0 to 255, not the text \"x\""),
        ("files(\"/etc/*\")", "/etc/ lies outside the working folder"),
        (
            "fn score(a, b) { a.score(b, 1) }",
            "the function `score(a, b)` is called in the place of backtest.score(model, metric)",
        ),
        ("fn f(x) { x } f(1, 2)", "`f` is called as `f(x)`, not with (int, int)"),
    ] {
        let said = failure(text);
        assert!(said.contains(expected), "{text}: {said}");
    }
    let said = failure(&format!("{SALES}sales.fit(\"thetta\")"));
    assert!(said.contains("line 3, column 7") && said.contains("did you mean `theta`?"), "{said}");
    let said = failure(&format!("{SALES}sales.fit(\"naive\").forecast(4).paths(1000000000, 1)"));
    assert!(said.contains("ask for at most 50000000"), "{said}");
    let said = failure(&format!("{SALES}sales.rwos"));
    assert!(said.contains("a Panel has no `rwos`, did you mean `rows`?"), "{said}");
    let said = failure(&format!("{SALES}sales.audit"));
    assert!(said.contains("`audit` of a Panel is called: write panel.audit()"), "{said}");
}

#[test]
fn errors_inside_functions_say_who_called() {
    let said = failure("fn inner(x) { theta(#{seson: x}) }\nfn outer(x) { inner(x) }\nouter(1)");
    assert!(said.starts_with("text, line 1, column 15: "), "{said}");
    assert!(
        said.contains("in inner, called at text, line 2, column 15\n  in outer, called at text, line 3, column 1"),
        "{said}"
    );
    assert_eq!(
        eval("let m = (); try { theta(#{seson: 1}) } catch (e) { m = e.message } m").split(',').next(),
        Some("unknown option `seson` of theta")
    );
    assert_eq!(eval("let m = 0; try { throw 42 } catch (e) { m = e + 1 } m"), "43");
}

#[test]
fn a_long_line_keeps_the_caret_below_its_column() {
    let said = failure(&format!("let a = \"{}\"; missing", "ü".repeat(300)));
    let lines: Vec<&str> = said.lines().collect();
    let at = lines[1]
        .chars()
        .collect::<Vec<_>>()
        .windows(7)
        .position(|w| w.iter().collect::<String>() == "missing")
        .unwrap();
    assert_eq!(lines[2].chars().count() - 1, at, "{said}");
}

// ------------------------------------------------------------------------------------------------ limits and the fence

#[test]
fn limits_end_what_has_no_end() {
    for (text, expected) in [
        ("loop {}", "an endless loop"),
        ("fn f(x) { f(x + 1) } f(1)", "recursion without an end"),
        ("let f = |g, x| g.call(g, x + 1); f.call(f, 1)", "recursion without an end"),
        ("let a = []; a.pad(1250000000, 0); a.len()", "over the limit"),
        ("let a = []; a.pad(9999999, 0); a.pad(10000001, 0);", "over the limit"),
        ("let b = blob(10000000000); b.len()", "over the limit"),
    ] {
        let said = failure(text);
        assert!(said.contains(expected) && said.contains("--unlimited"), "{text}: {said}");
    }
    // However it is done, with little memory to take.
    let limits = Limits { memory: 400 << 20, ..Limits::default() };
    let settings = Settings { limits: Some(limits), ..Settings::default() };
    for text in [
        "let a = [0]; loop { a += a; }",
        "let s = \"x\"; loop { s += s; }",
        "let keep = #{}; for i in 0..1000 { let a = []; a.pad(900000, i); keep[`k${i}`] = a; }",
        "fn f(n) { let a = []; a.pad(900000, n); if n > 0 { f(n - 1) } a.len() } f(150)",
    ] {
        let said = tradewind::script::on_deep_stack(|| {
            let ran = Session::new(&settings, Terminal::new()).unwrap().run("text", text);
            ran.map(|value| value.text()).unwrap_err().to_string()
        });
        let said = said.unwrap();
        assert!(said.contains("memory") && said.contains("400 MB") && said.contains("--unlimited"), "{text}: {said}");
    }
    // What collects rows takes as long as there are rows.
    let started = std::time::Instant::now();
    let rows = "let a = []; for i in 0..200000 { a.push(`row ${i}`); } a.len()";
    let counted = tradewind::script::on_deep_stack(|| {
        Session::new(&Settings::default(), Terminal::new()).unwrap().run("text", rows).map(|value| value.text())
    });
    assert_eq!(counted.unwrap().unwrap(), "200000");
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    // Deeply nested text is refused, not a fault of the stack.
    assert!(!failure(&format!("{}1{}", "(".repeat(5000), ")".repeat(5000))).is_empty());
}

#[test]
fn limits_can_be_lifted() {
    let settings = Settings { limits: None, ..Settings::default() };
    let text = "fn down(n) { if n == 0 { 0 } else { 1 + down(n - 1) } } down(1000)";
    let deep = tradewind::script::on_deep_stack(|| {
        Session::new(&settings, Terminal::new()).unwrap().run("text", text).map(|value| value.text())
    });
    assert_eq!(deep.unwrap().unwrap(), "1000");
    assert!(failure(text).contains("--unlimited"));
    let endless = tradewind::script::on_deep_stack(|| {
        Session::new(&settings, Terminal::new())
            .unwrap()
            .run("text", "fn f(x) { f(x + 1) } f(1)")
            .map(|value| value.text())
    });
    assert!(endless.unwrap().unwrap_err().to_string().contains("recursion"));
}

#[test]
fn files_outside_the_working_folder_are_out_of_reach() {
    let home = tempfile::tempdir().unwrap();
    let outside = home.path().join("secret.csv");
    std::fs::copy("data/walmart_sales_weekly.csv", &outside).unwrap();
    let shape = r#"columns(["Store"], "Date", "Weekly_Sales")"#;
    let sales = |path: &Path| format!("read_panel({path:?}, {shape})");
    for text in [
        sales(Path::new("/etc/passwd")),
        sales(&outside),
        sales(&home.path().join("*.csv")),
        sales(home.path()),
        sales(Path::new("../../../../../../etc/passwd")),
        format!("open_panel({outside:?})"),
        format!("is_panel({outside:?})"),
        format!("load_fits({outside:?})"),
        format!("read_plan({outside:?})"),
        format!("plan(#{{data: {outside:?}, id: \"Store\", time: \"Date\", target: \"Weekly_Sales\"}}).read_panel()"),
        format!("{SALES} sales.join({outside:?}, \"on=[Date, Dept], observed=[Fuel_Price]\")"),
        format!("{SALES} sales.features(\"events(file='{}')\")", outside.display()),
        format!("{SALES} sales.future(4).given({outside:?})"),
        format!("{SALES} sales.save({:?})", home.path().join("new.parquet")),
        format!("{SALES} sales.plot().save({:?})", home.path().join("new.svg")),
        format!("{SALES} report(\"x\").add(sales).save({:?})", home.path().join("new.md")),
        format!("{SALES} sales.backtest(\"naive\", folds(2, 4)).save({:?})", home.path().join("folder")),
        format!("import {:?} as x;", home.path().join("module")),
        "import \"../../../../etc/passwd\" as x;".into(),
    ] {
        let said = failure(&text);
        assert!(said.contains("--allow") || said.contains("there is no script"), "{text}: {said}");
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
    let allowed =
        session_with(home.path()).run("text", &format!("{SALES} sales.save({:?})", home.path().join("new.parquet")));
    assert!(allowed.is_ok());
}

// ------------------------------------------------------------------------------------------------ text after text

#[test]
fn state_goes_on_from_text_to_text() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("tools.rhai"), "fn twice(x) { 2 * x }\nexport const BASE = 40;\n").unwrap();
    let mut session = session_with(home.path());
    let mut run =
        |text: &str| session.run("cell", text).map(|value| value.text()).map_err(|failure| failure.to_string());
    run("let a = 1; fn add(x) { x + 1 } const B = 10;").unwrap();
    assert_eq!(run("add(a) + B").unwrap(), "12");
    // A function can be written again, and a failed text keeps what it had done.
    assert_eq!(run("fn add(x) { x + 100 } add(a)").unwrap(), "101");
    assert!(run("let c = 5; let d = missing;").is_err());
    assert!(run("let c = 5; a = 7; throw \"stop\"").is_err());
    assert_eq!(run("a + c").unwrap(), "12");
    run("let f = |x| x + a;").unwrap();
    assert_eq!(run("f.call(1)").unwrap(), "8");
    run(&format!("import {:?} as tools;", home.path().join("tools"))).unwrap();
    assert_eq!(run("tools::twice(tools::BASE) + 1").unwrap(), "81");
    assert_eq!(
        run("add(1); missing").unwrap_err().lines().next(),
        Some("cell, line 1, column 9: there is no variable `missing`")
    );
    // What was imported is read again when the file has changed.
    std::fs::write(home.path().join("tools.rhai"), "fn twice(x) { 3 * x }\nexport const BASE = 40; // longer\n")
        .unwrap();
    assert_eq!(run("tools::twice(1)").unwrap(), "3");
}

#[test]
fn modules_that_fail_say_where() {
    let home = tempfile::tempdir().unwrap();
    let module = home.path().join("broken.rhai");
    std::fs::write(&module, "fn fine() { 1 }\nlet x = ;\n").unwrap();
    let said = session_with(home.path())
        .run("text", &format!("import {:?} as b;", home.path().join("broken")))
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("broken.rhai, line 2") && said.contains("let x = ;") && said.contains("imported at text, line 1"),
        "{said}"
    );
    std::fs::write(&module, "fn bad() { theta(#{seson: 1}) }\n").unwrap();
    let said = session_with(home.path())
        .run("text", &format!("import {:?} as b; b::bad()", home.path().join("broken")))
        .unwrap_err()
        .to_string();
    assert!(said.contains("broken.rhai, line 1, column 12") && said.contains("did you mean `season`?"), "{said}");
    std::fs::write(&module, format!("import {:?} as me;\n", home.path().join("broken"))).unwrap();
    let said = session_with(home.path())
        .run("text", &format!("import {:?} as b;", home.path().join("broken")))
        .unwrap_err()
        .to_string();
    assert!(said.contains("imports itself"), "{said}");
}

#[test]
fn unfinished_text_is_told_from_wrong_text() {
    let session = session();
    for (text, expected) in [
        ("let a = 1", Completeness::Complete),
        ("if true {", Completeness::Incomplete),
        ("folds(2,", Completeness::Incomplete),
        ("let a = [1, 2", Completeness::Incomplete),
        ("fn f(x)", Completeness::Incomplete),
        ("let a = `text", Completeness::Incomplete),
        ("theta(#{season: 52", Completeness::Incomplete),
        ("let a =", Completeness::Incomplete),
        ("let = 4", Completeness::Invalid),
        ("let a = 1 2", Completeness::Invalid),
        ("", Completeness::Complete),
    ] {
        assert_eq!(session.is_complete(text), expected, "{text}");
    }
}

#[test]
fn completion_knows_verbs_options_and_names() {
    let mut session = session();
    session.run("sales", SALES).unwrap();
    session.run("own", "fn mine(x) { x } let fits = sales.fit(\"naive\");").unwrap();
    let complete = |text: &str| session.complete(text, text.chars().count());
    let has = |text: &str, expected: &[&str]| {
        let found = complete(text).matches;
        for word in expected {
            assert!(found.iter().any(|match_| match_ == word), "{text}: {found:?} lacks {word}");
        }
        found
    };
    assert_eq!(has("sales.back", &["backtest"]), ["backtest"]);
    assert!(!has("fits.", &["forecast", "summary"]).iter().any(|word| word == "backtest"));
    has("sales.fit(\"theta\").", &["forecast", "residuals"]);
    has("sales.fit(\"theta\").forecast(8).pa", &["paths", "panel"]);
    has("let t = sales.backtest([\"theta\"], folds(2, 4)); t.", &["leaderboard", "best"]);
    has("sales[0].", &["fit"]);
    has("folds(2, 4).", &["step", "gap"]);
    has("sal", &["sales"]);
    has("min", &["mine"]);
    has("the", &["theta"]);
    has("read", &["read_panel"]);
    has("theta(#{", &["season: "]);
    has("regression(#{pe", &["penalty: "]);
    has("plan(#{data: \"x\", ho", &["horizon: "]);
    has("sales.clean(#{", &["gaps: "]);
    has("sales.fit(\"th", &["theta"]);
    has("sales.fit([\"naive\", \"seasonal", &["seasonal_naive"]);
    has("sales.fit(\"theta(se", &["season="]);
    has("sales.explore(\"up", &["uplift"]);
    has("sales.explore(\"uplift(b", &["by="]);
    has("sales.features(\"holi", &["holidays"]);
    has("t.leaderboard(\"ma", &["mae", "mase", "mape"]);
    assert!(complete("// sal").matches.is_empty());
    assert!(complete("theta(#{season: ").matches.contains(&"sales".to_string()));
    // Places are counted in characters, also after others than ASCII.
    let found = complete("let ä = \"ü\"; sales.back");
    assert_eq!((found.start, found.end), (19, 23));
}

#[test]
fn help_explains_verbs_nouns_models_and_variables() {
    let mut session = session();
    session.run("sales", SALES).unwrap();
    let inspect = |text: &str, at: usize| session.inspect(text, at).map(|block| block.to_text()).unwrap_or_default();
    let about = inspect("sales.backtest([\"theta\"], folds(2, 4))", 10);
    assert!(
        about.contains("Fits every model to the training set of every fold") && about.contains("Errors:"),
        "{about}"
    );
    assert!(inspect("theta(", 6).contains("season"));
    assert!(inspect("sales", 3).contains("Panel") && inspect("sales", 3).contains("weekly (Fridays)"));
    assert!(inspect("nothing_here", 3).is_empty());
    assert!(eval("help(\"Panel\")").contains("backtest"));
    assert!(eval("help()").contains("seasonal_naive"));
    assert!(failure("help(\"bactest\")").contains("did you mean `backtest`?"));
}

// ------------------------------------------------------------------------------------------------ the command line

#[test]
fn scripts_run_from_the_command_line() {
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(home.path().join(name), text).unwrap();
    let run = |args: &[&str]| {
        let output = tradewind(home.path(), args);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    };
    write("hello.rhai", "print(`Hello ${args.name}`); debug(1); exit(3); print(\"never\");");
    assert_eq!(
        run(&["script", "hello.rhai", "--arg", "name=Ada"]),
        (3, "Hello Ada\n".into(), "hello.rhai:1: 1\n".into())
    );
    write("fails.rhai", "let x = theta(#{seson: 1});");
    let (code, _, said) = run(&["script", "fails.rhai"]);
    assert_eq!(code, 1);
    assert!(said.starts_with("tradewind: fails.rhai, line 1, column 9: ") && said.contains("        ^"), "{said}");
    std::fs::create_dir(home.path().join("scripts")).unwrap();
    write("scripts/tools.rhai", "fn greet(who) { `Hi ${who}` }");
    write("uses.rhai", "import \"tools\" as tools; print(tools::greet(\"Bo\"));");
    assert_eq!(run(&["script", "uses.rhai"]).1, "Hi Bo\n");
    write("typo.rhai", "import \"tolls\" as tools;");
    assert!(run(&["script", "typo.rhai"]).2.contains("did you mean `tools`?"));
    write("passwd.rhai", "read_panel(\"/etc/passwd\", columns([], \"a\", \"b\"))");
    let (code, _, said) = run(&["script", "passwd.rhai"]);
    assert!(code == 1 && said.contains("lies outside the working folder") && said.contains("--allow /etc"), "{said}");
    assert!(run(&["script", "passwd.rhai", "--allow", "/etc"]).2.contains("has no known format"));
    write("inside.rhai", "[1].map(|x| exit(3));");
    assert_eq!(run(&["script", "inside.rhai"]).0, 3);
    write("marked.rhai", "\u{feff}#!/usr/bin/env tradewind\nprint(1.0 / 3.0); try { [1][5] } catch (e) { print(e) }");
    let (code, out, said) = run(&["script", "marked.rhai"]);
    assert!(code == 0 && out.starts_with("0.3333\n") && !out.contains("#{"), "{out}{said}");
    assert_eq!(run(&["script"]).0, 2);
    assert_eq!(run(&["script", "missing.rhai"]).0, 1);
    assert_eq!(run(&["script", "hello.rhai", "--arg", "name"]).0, 2);
}

#[test]
fn a_prompt_takes_lines_from_a_pipe() {
    use std::io::Write;
    let run = |lines: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tradewind"))
            .arg("repl")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (code, out, _) = run("let a = 20;\nfn double(x) {\n  2 * x\n}\ndouble(a) + 2\n\"text\"\n");
    assert_eq!((code, out.as_str()), (0, "42\ntext\n"));
    let (code, _, said) = run("thetta()\n");
    assert!(code == 1 && said.contains("did you mean `theta`?"), "{said}");
    assert_eq!(run("exit(4)\n1\n").0, 4);
}

#[test]
fn an_interrupt_ends_a_script_at_once() {
    let home = tempfile::tempdir().unwrap();
    for ending in ["loop {}", "sleep(100);"] {
        std::fs::write(home.path().join("long.rhai"), format!("print(\"begun\"); {ending}")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_tradewind"))
            .args(["script", "long.rhai", "--unlimited"])
            .current_dir(home.path())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.as_mut().unwrap()), &mut line).unwrap();
        assert_eq!(line, "begun\n");
        let begun = std::time::Instant::now();
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(begun.elapsed().as_secs_f64() < 1.0);
    }
}

#[test]
fn the_kernel_is_installed_where_it_is_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().canonicalize().unwrap();
    let output = tradewind(home.path(), &["kernel", "install", "--prefix", "env", "--root", "."]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let spec = std::fs::read_to_string(root.join("env/share/jupyter/kernels/tradewind-rhai/kernel.json")).unwrap();
    let spec: serde_json::Value = serde_json::from_str(&spec).unwrap();
    assert_eq!((spec["language"].as_str(), spec["interrupt_mode"].as_str()), (Some("rhai"), Some("message")));
    let argv: Vec<&str> = spec["argv"].as_array().unwrap().iter().filter_map(|part| part.as_str()).collect();
    assert!(Path::new(argv[0]).is_absolute() && argv.last() == Some(&"{connection_file}"));
    assert!(argv.contains(&root.to_str().unwrap()), "{argv:?}");
    assert_eq!(
        tradewind(home.path(), &["kernel", "install", "--prefix", "env", "--root", "nowhere"]).status.code(),
        Some(2)
    );
}

mod anything {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// Whatever is typed, nothing panics: not running, not completing, not explaining.
        #[test]
        fn that_is_typed_is_answered(text in r#"[a-z_\.\(\)\[\]\{\}#"`:;,= 0-9ü\n/]{0,60}"#, at in 0_usize..70) {
            let mut session = session();
            let _ = session.complete(&text, at);
            let _ = session.inspect(&text, at);
            let _ = session.is_complete(&text);
            let _ = session.run("text", &text).map_err(|failure| failure.to_string());
        }

        /// Pieces of real calls in any order.
        #[test]
        fn that_is_nearly_right_is_answered(pieces in proptest::collection::vec(prop::sample::select(vec![
            "sales", ".", "fit", "(", ")", "[", "]", "\"theta\"", "\"", "#{", "}", "season", ":", "52", ",", ";", "let x = ", "folds", "`${", "-1", "\n",
        ]), 0..14)) {
            let text = pieces.concat();
            let mut session = session();
            session.run("sales", "let sales = folds(2, 4);").unwrap();
            let _ = session.complete(&text, text.chars().count());
            let _ = session.inspect(&text, text.chars().count() / 2);
            let _ = session.run("text", &text).map_err(|failure| failure.to_string());
        }
    }
}
