//! Labels are read back as they were printed, on every surface, however deep they are nested.

use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use tradewind::models::{Conformal, Entry, MODELS, Stack, Stl};
use tradewind::prelude::*;

const INNER: &str = "arima(order=[1,0,0])";

/// A stack of a decomposition of a model, in every spelling.
fn spellings() -> [String; 4] {
    [
        format!("stack(models=['stl(trend=\"{INNER}\")','naive'])"),
        format!("stack(models=[\"stl(trend=\\\"{INNER}\\\")\", naive])"),
        format!("stack(models=[\"stl(trend='{INNER}')\", \"naive\"])"),
        Model::from(Stack { models: vec![format!("stl(trend=\"{INNER}\")"), "naive".into()], ..Stack::default() })
            .label()
            .to_string(),
    ]
}

fn is_read_back(label: &str) {
    let model = Model::named(label).unwrap_or_else(|error| panic!("{label}: {error}"));
    assert_eq!(Model::named(model.label()).unwrap_or_else(|error| panic!("{label}: {error}")).label(), model.label());
    let others = ["croston(alpha=0.123)", "sba(alpha=0.123)"];
    let listed = Model::list(&format!("{}; {}, {}", model.label(), others[0], others[1])).unwrap();
    assert_eq!(listed.iter().map(Model::label).collect::<Vec<_>>(), [model.label(), others[0], others[1]]);
}

#[test]
fn every_spelling_of_a_nested_label_is_read() {
    spellings().iter().for_each(|label| is_read_back(label));
    let deep = Conformal { model: Model::named(&spellings()[0]).unwrap().label().into(), ..Conformal::default() };
    let stl = Stl { trend: "theta(kind=standard)".into(), ..Stl::default() };
    for model in [Model::from(deep), Model::from(stl)] {
        let (name, _) = model.label().split_once('(').unwrap();
        // What cannot be a part is refused for what it is, not for how it is written.
        match Model::named(model.label()) {
            Ok(again) => assert_eq!((again.name(), again.label()), (name, model.label())),
            Err(error) => assert!(error.to_string().contains("all series together"), "{error}"),
        }
    }
}

/// Labels of every model with the values that are worth trying.
fn plain() -> Vec<String> {
    let one = |entry: &'static Entry| {
        let tried = entry.search.iter().flat_map(|(option, values)| values.iter().map(move |value| (option, value)));
        let tried = tried
            .filter(|(_, value)| !value.contains(".."))
            .map(|(option, value)| format!("{}({option}={value})", entry.name));
        [entry.name.to_string(), entry.example.to_string()].into_iter().chain(tried)
    };
    MODELS.iter().flat_map(one).collect()
}

#[test]
fn labels_of_every_model_are_read_back() {
    let labels = plain();
    let read = labels.iter().filter(|label| Model::named(label).is_ok());
    assert!(read.map(|label| is_read_back(label)).count() > 60);
}

/// A label around others.
fn around(wrapper: usize, parts: &[String]) -> Option<Model> {
    let map = |value: serde_json::Value| match value {
        serde_json::Value::Object(map) => map,
        _ => serde_json::Map::new(),
    };
    let (name, options) = match wrapper {
        0 => ("conformal", serde_json::json!({"model": parts[0]})),
        1 => ("combine", serde_json::json!({"models": parts})),
        2 => ("stack", serde_json::json!({"models": parts})),
        3 => ("select", serde_json::json!({"models": parts})),
        4 => ("stl", serde_json::json!({"trend": parts[0]})),
        5 => ("mstl", serde_json::json!({"trend": parts[0], "seasons": [7, 30]})),
        6 => ("ensemble", serde_json::json!({"models": parts, "budget": 1e-7})),
        _ => ("auto", serde_json::json!({"models": parts, "budget": 1e-7})),
    };
    MODELS.named(name).unwrap().with(map(options)).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nested_labels_are_read_back(
        leaves in proptest::collection::vec(any::<prop::sample::Index>(), 2),
        wrappers in proptest::collection::vec(0..8_usize, 1..5),
    ) {
        let plain = plain();
        let mut parts: Vec<String> = leaves.iter().map(|leaf| leaf.get(&plain).clone()).collect();
        prop_assume!(parts[0] != parts[1]);
        for wrapper in wrappers {
            // What may not be inside is left as it is.
            if let Some(model) = around(wrapper, &parts) {
                is_read_back(model.label());
                parts[0] = model.label().to_string();
            }
        }
    }

    #[test]
    fn texts_of_any_kind_are_read_back(text in prop_oneof![
        "\\PC{0,12}",
        "[\"'\\\\\\[\\](){},;=# a\u{7f}\t\n-]{0,12}",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}:[0-9]{2})?",
        "(true|false|nan|inf|null|[+-]?[0-9]{1,3}(\\.[0-9]{1,3})?(e[+-]?[0-9]{1,2})?)[a-z ]?",
    ]) {
        let text = format!("{text}.");
        let options = serde_json::json!({"checkpoint": text, "learning_rate": 1.5e-7});
        let serde_json::Value::Object(options) = options else { unreachable!() };
        is_read_back(MODELS.named("lstm").unwrap().with(options).unwrap().label());
    }
}

fn tradewind(folder: &Path, args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tradewind")).args(args).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The command line, a plan, a script and a saved fit take a label as a leaderboard prints it.
#[test]
fn nested_labels_work_on_every_surface() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..60).map(|i| format!("a,{},{}\n", i + 1, 10 + i % 7 + i * 13 % 5)).collect();
    std::fs::write(folder.path().join("d.csv"), format!("id,ds,y\n{rows}")).unwrap();
    let columns = ["--data", "d.csv", "--id", "id", "--time", "ds", "--target", "y", "--season", "7", "-q"];
    for label in spellings() {
        let run = |rest: &[&str]| tradewind(folder.path(), &[&rest[..1], &columns[..], &rest[1..]].concat());
        run(&["fit", "--models", &label, "--horizon", "2", "--save", "n.fits"]);
        tradewind(folder.path(), &["forecast", "--fits", "n.fits", "--horizon", "2", "--out", "saved.csv", "-q"]);
        run(&["forecast", "--models", &format!("{label}; drift"), "--horizon", "2", "--out", "direct.csv"]);
        let plan = toml_plan(&label);
        std::fs::write(folder.path().join("plan.toml"), plan).unwrap();
        tradewind(folder.path(), &["run", "plan.toml", "-q"]);
    }
    let script = r#"
        let panel = read_panel("d.csv", columns(["id"], "ds", "y").season(7));
        let m = model("stack(models=['stl(trend=\"arima(order=[1,0,0])\")','naive'])");
        let again = model(m.label);
        if again.label != m.label { throw again.label; }
        let trial = panel.backtest([m.label], folds(1, 2));
        let best = trial.best("mase");
        let tuning = panel.tune(best, folds(2, 2), #{trials: 2});
        panel.fit([model(tuning.best())]).save("script.fits");
        load_fits("script.fits").forecast(2);
    "#;
    std::fs::write(folder.path().join("script.rhai"), script).unwrap();
    tradewind(folder.path(), &["script", "script.rhai"]);
}

fn toml_plan(label: &str) -> String {
    let texts = |text: &str| serde_json::Value::from(text).to_string();
    format!(
        "data = \"d.csv\"\nid = [\"id\"]\ntime = \"ds\"\ntarget = \"y\"\nseason = 7\nmodels = [{}, \"naive\"]\nhorizon = 2\nfolds = 1\n",
        texts(label)
    )
}
