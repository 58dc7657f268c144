//! Options are searched, every trial is on record, and a search that was stopped goes on as if nothing had been.

use std::path::Path;

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

/// A few short series of small counts: fits that cost next to nothing.
fn counts() -> Panel {
    let values: Vec<f64> = (0..160_u32).map(|k| f64::from((k * k * 7 + k * 3) % 11 % 4)).collect();
    let names: Vec<&str> = (0..160).map(|k| if k < 80 { "a" } else { "b" }).collect();
    let steps: Vec<i64> = (0..160).map(|k| k % 80).collect();
    let frame = df!("name" => names, "t" => steps, "y" => values).unwrap();
    Panel::from_frame(frame, Columns::new(["name"], "t", "y").season(1).freq("1").unwrap()).unwrap()
}

fn search(text: &str) -> Search {
    Search::parse(text).unwrap()
}

fn labels(tuning: &Tuning) -> Vec<String> {
    let trials = tuning.trials().unwrap();
    (0..trials.rows()).map(|row| trials.get(row, "model").unwrap().to_string()).collect()
}

#[test]
fn a_grid_tries_everything_once() {
    let tuning = counts().tune(
        "tsb",
        Folds::new(4, 5),
        search("sampler=grid, halving=false, space={alpha=[0.1, 0.3], beta=\"0.05..0.2\"}"),
    );
    let tuning = tuning.unwrap();
    let mut tried = labels(&tuning);
    // The model as it stands, and 2 × 4 combinations.
    assert_eq!(tried.len(), 9);
    tried.sort_unstable();
    tried.dedup();
    assert_eq!(tried.len(), 9, "{tried:?}");
    let best = tuning.best().unwrap();
    assert!(tried.contains(&best));
    let trials = tuning.trials().unwrap();
    let scores: Vec<f64> = trials.frame().column("mase").unwrap().f64().unwrap().iter().flatten().collect();
    let least = scores.iter().copied().fold(f64::INFINITY, f64::min);
    let chosen = (0..trials.rows()).find(|row| trials.get(*row, "model").unwrap().to_string() == best).unwrap();
    assert_eq!(scores[chosen], least);
    assert!(trials.frame().column("folds").unwrap().u64().unwrap().iter().flatten().all(|folds| folds == 3));
}

#[test]
fn scores_are_those_of_a_backtest() {
    let sales = counts();
    let tuning = sales.tune("tsb", Folds::new(4, 5), search("trials=6, halving=false, untouched=2")).unwrap();
    let best = tuning.best().unwrap();
    let summary = tuning.summary().unwrap();
    // The last two folds of four are the two of a backtest with two.
    let trial = sales.backtest([best.as_str()], Folds::new(2, 5)).unwrap();
    let told: f64 = summary.get(0, "best, untouched").unwrap().to_string().parse().unwrap();
    assert!((told - trial.score(&best, "mase").unwrap()).abs() < 1e-3, "{summary}");
}

#[test]
fn what_is_behind_is_left_behind() {
    let tuning = counts().tune("tsb", Folds::new(10, 4), search("trials=40, sampler=random")).unwrap();
    let trials = tuning.trials().unwrap();
    let folds: Vec<u64> = trials.frame().column("folds").unwrap().u64().unwrap().iter().flatten().collect();
    assert_eq!(folds[0], 9, "the model as it stands goes all the way");
    assert!(folds.iter().all(|folds| [1, 3, 9].contains(folds)), "{folds:?}");
    assert!(folds.iter().filter(|folds| **folds == 9).count() < 15 && folds.contains(&1), "{folds:?}");
}

#[test]
fn a_model_of_what_was_found_looks_where_the_better_ones_lie() {
    // Smoothing of a constant with rare outliers: the smaller, the better.
    let values: Vec<f64> = (0..120).map(|t| if t % 9 == 4 { 60.0 } else { 10.0 }).collect();
    let steps: Vec<i64> = (0..120).collect();
    let frame = df!("t" => steps, "y" => values).unwrap();
    let panel = Panel::from_frame(frame, Columns::new([""; 0], "t", "y").season(1).freq("1").unwrap()).unwrap();
    let late = |sampler: &str| {
        let tuning = panel.tune(
            "sba",
            Folds::new(8, 9),
            search(&format!("sampler={sampler}, trials=60, halving=false, space={{alpha=\"0.01..1.0\"}}, metric=rmse")),
        );
        let trials = tuning.unwrap().trials().unwrap();
        let scores: Vec<f64> = trials.frame().column("rmse").unwrap().f64().unwrap().iter().flatten().collect();
        scores[30..].iter().sum::<f64>() / 30.0
    };
    assert!(late("model") < late("random"), "{} {}", late("model"), late("random"));
}

#[test]
fn a_search_goes_on_where_the_better_places_are_used_up() {
    let tuning =
        counts().tune("tsb", Folds::new(2, 4), search("trials=400, space={alpha=\"0.02..0.5\", beta=[0.1, 0.2]}"));
    assert_eq!(labels(&tuning.unwrap()).len(), 400);
}

#[test]
fn a_search_that_was_stopped_goes_on_to_the_same_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs").join("tsb.jsonl");
    let settings = |path: &Path| search(&format!("trials=24, record=\"{}\"", path.display()));
    let sales = counts();
    let whole = sales.tune("tsb", Folds::new(5, 5), settings(&path)).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let first = text.find('\n').unwrap() + 1;
    for cut in (0..text.len()).step_by(text.len() / 23) {
        let path = folder.path().join(format!("{cut}.jsonl"));
        std::fs::write(&path, &text[..cut]).unwrap();
        let again = sales.tune("tsb", Folds::new(5, 5), settings(&path)).unwrap();
        assert_eq!(labels(&again), labels(&whole), "cut at {cut}");
        assert_eq!((again.best().unwrap(), again.sentences()), (whole.best().unwrap(), whole.sentences()));
        let written = std::fs::read_to_string(&path).unwrap();
        assert_eq!(written.lines().count(), text.lines().count(), "cut at {cut}");
        assert!(cut < first || written.starts_with(&text[..text[..cut].rfind('\n').unwrap() + 1]));
    }
    // Nothing is tried anew, and more trials go on from there.
    let again = sales.tune("tsb", Folds::new(5, 5), settings(&path)).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    assert_eq!(again.sentences(), whole.sentences());
    let more = search(&format!("trials=30, record=\"{}\"", path.display()));
    let more = sales.tune("tsb", Folds::new(5, 5), more).unwrap();
    assert_eq!(labels(&more)[..24], labels(&whole)[..]);
    assert!(std::fs::read_to_string(&path).unwrap().starts_with(&text));
}

#[test]
fn a_record_of_another_search_is_refused_and_a_damaged_one_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tsb.jsonl");
    let settings = |more: &str| search(&format!("trials=4, record=\"{}\"{more}", path.display()));
    let sales = counts();
    sales.tune("tsb", Folds::new(3, 5), settings("")).unwrap();
    let refused =
        |model: &str, folds: Folds, more: &str| sales.tune(model, folds, settings(more)).err().unwrap().to_string();
    assert!(refused("tsb", Folds::new(3, 5), ", seed=2").contains("`seed` differs"));
    assert!(refused("tsb", Folds::new(3, 6), "").contains("`folds` differs"));
    assert!(refused("tsb(alpha=0.2)", Folds::new(3, 5), "").contains("`model` differs"));
    let other = sales.only("name", "a").unwrap();
    assert!(other.tune("tsb", Folds::new(3, 5), settings("")).err().unwrap().to_string().contains("`data` differs"));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"trial\":1", "\"trail\":1", 1)).unwrap();
    let error = refused("tsb", Folds::new(3, 5), "");
    assert!(error.contains("tsb.jsonl") && error.contains("damaged"), "{error}");
    // What belongs to somebody else stays as it is.
    for other in [&[0xff, 0xfe, 0x00][..], b"{\"a\": 1}", b"a,b\n1,2\n", b"{\"a\": 1}\n{}\n"] {
        std::fs::write(&path, other).unwrap();
        assert!(refused("tsb", Folds::new(3, 5), "").contains("is not the record of a search"));
        assert_eq!(std::fs::read(&path).unwrap(), other);
    }
}

#[test]
fn what_holds_while_trying_is_neither_searched_nor_found() {
    let sales = counts();
    let settings = |trying: &str| search(&format!("trials=12, halving=false{trying}"));
    let tuning = sales.tune("tsb", Folds::new(3, 5), settings(", trying={alpha=0.5}")).unwrap();
    assert!(labels(&tuning).iter().all(|label| !label.contains("alpha")), "{:?}", labels(&tuning));
    assert!(tuning.to_string().contains("Options during the search alone: alpha=0.5"), "{tuning}");
    // Chosen with it, and scored without it on the held-out fold.
    let best = tuning.best().unwrap();
    let told = |tuning: &Tuning, column: &str| {
        tuning.summary().unwrap().get(0, column).unwrap().to_string().parse::<f64>().unwrap()
    };
    let trial = sales.backtest([best.as_str()], Folds::new(1, 5)).unwrap();
    assert!((told(&tuning, "best, untouched") - trial.score(&best, "mase").unwrap()).abs() < 1e-3, "{tuning}");
    let held = sales.tune("tsb(alpha=0.5)", Folds::new(3, 5), search("trials=1")).unwrap();
    assert_eq!(told(&tuning, "as it stood, chosen on"), told(&held, "best, chosen on"));
}

#[test]
fn groups_are_tuned_each_by_itself() {
    let sales = counts();
    let tuning = sales.tune("tsb", Folds::new(3, 5), search("trials=8, by=name")).unwrap();
    assert_eq!(tuning.groups(), ["a", "b"]);
    assert!(tuning.best().err().unwrap().to_string().contains("best_of(\"a\")"));
    let alone = sales.only("name", "a").unwrap().tune("tsb", Folds::new(3, 5), search("trials=8")).unwrap();
    assert_eq!(tuning.best_of("a").unwrap(), alone.best().unwrap());
    assert!(tuning.best_of("c").is_err());
    assert_eq!(tuning.summary().unwrap().rows(), 2);
    assert!(tuning.sentences()[0].starts_with("a: "));
}

#[test]
fn what_is_wrong_is_said() {
    let sales = counts();
    for (model, text, said) in [
        ("tsb", "trials=0", "`trials` is at least 1"),
        ("tsb", "parallel=0", "`parallel` is at least 1"),
        ("tsb", "seconds=0", "`seconds` is a number above 0"),
        ("tsb", "metric=wap", "did you mean `wape`?"),
        ("tsb", "untouched=3", "leaves none for the search"),
        ("tsb", "by=nme", "did you mean `name`?"),
        ("tsb", "space={alhpa=[0.1]}", "did you mean `alpha`?"),
        ("tsb", "space={alpha=[3]}", "alpha"),
        ("tsb", "space={alpha=\"0.5..0.1\"}", "is not a range"),
        ("tsb(alpha=0.1, beta=0.1, distribution=bootstrap)", "", "leaves no option to tune"),
        ("naive", "", "leaves no option to tune"),
        ("tsb", "trying={alhpa=0.1}", "did you mean `alpha`?"),
        ("tsb", "trying={alpha=3}", "while trying"),
        ("tsb", "trying={alpha=0.1}, space={alpha=[0.1, 0.2]}", "cannot both be searched and hold while trying"),
        ("tsb", "trying={alpha=0.1, beta=0.1, distribution=bootstrap}", "leaves no option to tune"),
    ] {
        let error = sales.tune(model, Folds::new(3, 5), search(text)).err().unwrap_or_else(|| panic!("{model} {text}"));
        assert!(error.is_usage() && error.to_string().contains(said), "{model} {text}: {error}");
    }
    let error = Search::parse("trails=3").err().unwrap().to_string();
    assert_eq!(error, "unknown option `trails` of the search, did you mean `trials`?");
}

#[test]
fn all_trials_failing_is_an_error_that_says_why() {
    let values: Vec<f64> = (0..60).map(|t| f64::from(t % 7) - 9.0).collect();
    let steps: Vec<i64> = (0..60).collect();
    let panel = Panel::from_frame(
        df!("t" => steps, "y" => values).unwrap(),
        Columns::new([""; 0], "t", "y").freq("1").unwrap(),
    );
    let error = panel.unwrap().tune("croston", Folds::new(3, 5), search("trials=5")).err().unwrap();
    assert!(error.is_model() && error.to_string().contains("all 5 trials failed"), "{error}");
    assert!(error.to_string().contains("need values of at least 0"), "{error}");
}

#[test]
fn a_budget_of_time_ends_the_search_with_what_there_is() {
    let tuning = counts().tune("tsb", Folds::new(3, 5), search("trials=1000000, seconds=0.3"));
    let tuning = tuning.unwrap();
    let tried = labels(&tuning).len();
    assert!((2..1_000_000).contains(&tried), "{tried}");
}

#[test]
fn threads_change_nothing() {
    let sales = crate::sales();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let tuning = sales.tune("theta", Folds::new(3, 8), search("trials=8, parallel=3")).unwrap();
            (labels(&tuning), tuning.sentences())
        })
    };
    assert_eq!(run(1), run(3));
}
