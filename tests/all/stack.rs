//! Models weighed or chosen by windows that they had not seen: who gets weight, who steps in, what is told.

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

/// Series by name, one value per step, a season of 4.
fn panel(series: &[(&str, Vec<f64>)]) -> Panel {
    let names: Vec<&str> = series.iter().flat_map(|(name, values)| values.iter().map(|_| *name)).collect();
    let steps: Vec<i64> = series.iter().flat_map(|(_, values)| 1..=values.len() as i64).collect();
    let values: Vec<f64> = series.iter().flat_map(|(_, values)| values.iter().copied()).collect();
    let frame = df!("name" => names, "t" => steps, "y" => values).unwrap();
    Panel::from_frame(frame, Columns::new(["name"], "t", "y").season(4).freq("1").unwrap()).unwrap()
}

/// Numbers between −½ and ½, always the same.
fn noise(seed: u64) -> impl Iterator<Item = f64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1_u64 << 24) as f64 - 0.5
    })
}

fn walk(n: usize, seed: u64) -> Vec<f64> {
    noise(seed)
        .take(n)
        .scan(200.0, |level, step| {
            *level += 8.0 * step;
            Some(*level)
        })
        .collect()
}

fn seasonal(n: usize, seed: u64) -> Vec<f64> {
    let figure = [30.0, 120.0, 60.0, 200.0];
    noise(seed).take(n).enumerate().map(|(t, shake)| figure[t % 4] + 4.0 * shake).collect()
}

#[test]
fn each_series_gets_the_model_that_suits_it() {
    let sales = panel(&[("walk", walk(80, 3)), ("seasonal", seasonal(80, 5)), ("other", seasonal(60, 9))]);
    let fits = sales.fit_for(["select(models=[naive, seasonal_naive])"], 4).unwrap();
    let table = fits.diagnostics().unwrap();
    let form = |row: usize| table.get(row, "specification").unwrap().to_string();
    // In the order of their names.
    assert_eq!([form(0), form(1), form(2)], ["seasonal_naive", "seasonal_naive", "naive"]);
    // One for all: two of three are seasonal.
    let fits = sales.fit_for(["select(models=[naive, seasonal_naive], by=panel)"], 4).unwrap();
    let table = fits.diagnostics().unwrap();
    assert!((0..3).all(|row| table.get(row, "specification").unwrap().to_string() == "seasonal_naive"));
}

#[test]
fn a_stack_is_as_good_as_its_better_member_and_covers_what_it_says() {
    let sales: Vec<(String, Vec<f64>)> = (0..24)
        .map(|k| (format!("s{k:02}"), if k % 2 == 0 { walk(120, k + 1) } else { seasonal(120, k + 1) }))
        .collect();
    let sales: Vec<(&str, Vec<f64>)> = sales.iter().map(|(name, values)| (name.as_str(), values.clone())).collect();
    let sales = panel(&sales);
    let models = ["stack(models=[naive, seasonal_naive], by=series)", "naive", "seasonal_naive"];
    let trial = sales.backtest(models, Folds::new(3, 4)).unwrap();
    let score = |m: usize, metric: &str| trial.score(models[m], metric).unwrap();
    // Half of the series are served well by one member, half by the other.
    let board = trial.leaderboard("mase").unwrap();
    assert!(score(0, "mase") < 0.95 * score(1, "mase").min(score(2, "mase")), "{board}");
    assert!((0.7..0.9).contains(&score(0, "coverage80")), "{}", score(0, "coverage80"));
}

#[test]
fn what_is_too_short_to_weigh_models_on_gets_the_ensemble_and_says_so() {
    let sales = panel(&[("short", walk(9, 3))]);
    for model in ["stack", "select"] {
        let fits = sales.fit_for([format!("{model}(models=[naive, theta])")], 8).unwrap();
        let form = fits.diagnostics().unwrap().get(0, "specification").unwrap().to_string();
        assert!(
            form.starts_with("ensemble: ") && form.ends_with("(the series are too short for a held-out window)"),
            "{form}"
        );
        let own = sales.fit_for(["ensemble"], 8).unwrap().forecast(8).unwrap();
        let name = &fits.models()[0];
        assert_eq!(
            fits.forecast(8).unwrap().mean(name, "name=short").unwrap(),
            own.mean("ensemble", "name=short").unwrap()
        );
    }
}

#[test]
fn a_series_that_no_member_serves_gets_the_ensemble() {
    let below: Vec<f64> = walk(40, 3).into_iter().map(|y| y - 200.0).collect();
    let sales = panel(&[("below", below), ("above", walk(40, 5))]);
    let model = "stack(models=[croston, sba])";
    let fits = sales.fit_for([model], 4).unwrap();
    assert!(fits.failures().is_empty(), "{:?}", fits.failures());
    let table = fits.diagnostics().unwrap();
    assert!(table.get(0, "specification").unwrap().to_string().contains("croston"));
    assert!(table.get(1, "specification").unwrap().to_string().starts_with("ensemble: "));
    let forecast = fits.forecast(4).unwrap();
    assert!(forecast.mean(model, "name=below").unwrap().iter().all(|y| y.is_finite()));
    // Alone, the members fail where they should.
    assert_eq!(sales.fit_for(["croston"], 4).unwrap().failures().len(), 1);
}

#[test]
fn groups_are_keys_classes_sizes_or_fixed_covariates() {
    let sales = crate::sales();
    for by in ["panel", "series", "class", "size", "Store", "Dept"] {
        let model = format!("stack(models=[theta, seasonal_naive], by={by})");
        assert!(sales.fit_for([model.as_str()], 8).unwrap().failures().is_empty(), "{by}");
    }
    let error = sales.fit(["stack(models=[theta, naive], by=Stor)"]).err().unwrap().to_string();
    assert!(error.contains("did you mean `Store`?"), "{error}");
}

#[test]
fn wrong_options_are_named() {
    for (label, said) in [
        ("stack(models=[])", "no model is named"),
        ("stack(models=[theta, theta])", "named twice"),
        ("stack(models=[thta])", "did you mean `theta`?"),
        ("stack(windows=0)", "at least 1"),
        ("stack(horizon=0)", "at least 1 step"),
        ("select(metric=wap)", "did you mean `wape`?"),
        ("combine(models=[stack])", "cannot be a component"),
    ] {
        let error = Model::named(label).err().unwrap_or_else(|| panic!("{label} was taken")).to_string();
        assert!(error.contains(said), "{label}: {error}");
    }
}

#[test]
fn a_known_covariate_that_is_missing_ahead_is_named() {
    let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").known(["IsHoliday"]);
    let sales = Panel::read("data/walmart_sales_weekly.csv", columns).unwrap();
    let fits = sales.fit_for(["stack(models=[theta, ridge])"], 8).unwrap();
    let error = fits.forecast(8).err().unwrap();
    assert!(error.is_data() && error.to_string().contains("IsHoliday"), "{error}");
}
