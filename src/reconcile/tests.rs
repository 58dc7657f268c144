use std::collections::BTreeMap;
use std::sync::Arc;

use polars::prelude::*;
use proptest::prelude::*;
use serde::Deserialize;

use super::covariance::Errors;
use super::method::Method;
use super::solver::Solver;
use crate::evaluate::Folds;
use crate::forecast::Forecast;
use crate::panel::{Columns, Nodes, Panel};

#[derive(Deserialize)]
struct Oracle {
    leaves: Vec<[String; 3]>,
    history: Vec<Vec<f64>>,
    cases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
struct Case {
    levels: String,
    labels: Vec<String>,
    base: Vec<Vec<f64>>,
    errors: Vec<Vec<f64>>,
    expected: BTreeMap<String, Vec<Vec<f64>>>,
    foreco: BTreeMap<String, Vec<Vec<f64>>>,
}

fn sales(leaves: &[[String; 3]], history: &[Vec<f64>]) -> Panel {
    let (mut store, mut dept, mut region) = (Vec::new(), Vec::new(), Vec::new());
    let (mut t, mut y) = (Vec::new(), Vec::new());
    for ([r, s, d], values) in leaves.iter().zip(history) {
        for (step, value) in (0_i64..).zip(values) {
            store.push(s.as_str());
            dept.push(d.as_str());
            region.push(r.as_str());
            t.push(step);
            y.push(*value);
        }
    }
    let frame = df!("Store" => store, "Dept" => dept, "t" => t, "y" => y, "Region" => region).unwrap();
    Panel::from_frame(frame, Columns::new(["Store", "Dept"], "t", "y").fixed(["Region"]).season(4)).unwrap()
}

/// hierarchicalforecast 1.5.3, forecopy 0.1.1 and, without negative values, scipy 1.17, by tests/oracles/reconcile.py.
#[test]
fn every_method_agrees_with_its_oracle() {
    let oracle: Oracle = serde_json::from_str(include_str!("../../tests/oracles/reconcile.json")).unwrap();
    let sales = sales(&oracle.leaves, &oracle.history);
    let mut compared = 0;
    for (name, case) in &oracle.cases {
        let panel = sales.hierarchy(&case.levels).unwrap();
        let nodes = Arc::new(Nodes::of(&panel).unwrap());
        let places: Vec<usize> = case.labels.iter().map(|label| panel.place(label).unwrap()).collect();
        let dates = case.errors[0].len();
        let mut values = vec![f64::NAN; panel.len() * dates];
        for (place, errors) in places.iter().zip(&case.errors) {
            values[place * dates..(place + 1) * dates].copy_from_slice(errors);
        }
        let errors = || Ok(Errors { values: values.clone(), dates });
        let plain = case.foreco.iter().map(|(method, values)| (format!("{method}(nonnegative=false)"), values));
        for (method, expected) in case.expected.iter().map(|(method, values)| (method.clone(), values)).chain(plain) {
            let solver = Solver::with(&panel, &nodes, &Method::named(&method).unwrap(), &errors).unwrap();
            let greatest = expected.iter().flatten().fold(0.0, |most: f64, v| most.max(v.abs()));
            for step in 0..expected[0].len() {
                let mut base = vec![0.0; panel.len()];
                places.iter().zip(&case.base).for_each(|(place, values)| base[*place] = values[step]);
                let got = solver.solve(&base, &mut Vec::new(), 1e-13).unwrap();
                for (place, wanted) in places.iter().zip(expected) {
                    let (got, wanted) = (got[*place], wanted[step]);
                    assert!(
                        (got - wanted).abs() <= 1e-6 * greatest,
                        "{name}, {method}, {}, step {step}: {got} instead of {wanted}",
                        panel.label(*place)
                    );
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 2_000, "{compared}");
}

/// A year of weeks of some leaves in two regions, of which one was never sold.
fn year() -> Panel {
    let leaves: Vec<[String; 3]> = [("n", "1"), ("n", "2"), ("s", "3")]
        .into_iter()
        .flat_map(|(r, s)| ["x", "y", "z"].map(|d| [r, s, d].map(String::from)))
        .collect();
    let value = |leaf: usize, step: usize| match leaf {
        4 => 0.0,
        _ => (10 * (leaf + 1) + (7 * step + 3 * leaf) % 11 + 5 * (step % 4)) as f64,
    };
    let history: Vec<Vec<f64>> =
        (0..leaves.len()).map(|leaf| (0..52).map(|step| value(leaf, step)).collect()).collect();
    sales(&leaves, &history)
}

const LEVELS: &str = "total; Region; Store; Dept; Region, Dept";

fn is_coherent(panel: &Panel, value: impl Fn(usize) -> f64) {
    let nodes = Nodes::of(panel).unwrap();
    let leaves: Vec<f64> = nodes.leaves.iter().map(|i| value(*i)).collect();
    for (i, sum) in nodes.sums(&leaves).into_iter().enumerate() {
        assert!(
            (sum - value(i)).abs() <= 1e-9 * sum.abs().max(1.0),
            "{}: {} instead of {sum}",
            panel.label(i),
            value(i)
        );
    }
}

#[test]
fn means_and_paths_add_up_by_every_method() {
    let panel = year().hierarchy(LEVELS).unwrap();
    let forecast = panel.fit(["theta"]).unwrap().forecast(4).unwrap();
    for method in [
        "bottom_up",
        "top_down(proportions=average)",
        "middle_out(level=Store, proportions=average)",
        "ols",
        "wls_struct",
        "wls_var",
        "mint_shrink",
    ] {
        let made = forecast.reconcile(method).unwrap();
        let model = made.models().remove(0);
        assert!(model.ends_with("(theta)"), "{model}");
        assert!(made.failures().is_empty());
        let mean = |i: usize, step: usize| made.mean(&model, panel.label(i)).unwrap()[step];
        let paths = made.paths(64, 3).unwrap();
        let drawn: Vec<Vec<Vec<f64>>> = (0..panel.len()).map(|i| paths.of(&model, panel.label(i)).unwrap()).collect();
        (0..4).for_each(|step| is_coherent(&panel, |i| mean(i, step)));
        let cells = (0..64).flat_map(|path| (0..4).map(move |step| (path, step)));
        cells.for_each(|(path, step)| is_coherent(&panel, |i| drawn[i][path][step]));
        let (low, high) = made.interval(&model, "total", 0.8).unwrap();
        assert!(low[0] < mean(0, 0) && mean(0, 0) < high[0], "{method}: {low:?} {high:?}");
        // The total counts the leaves once.
        let total = made.totals(0, 1).unwrap().frame().column("total").unwrap().f64().unwrap().get(0).unwrap();
        let means: f64 = made.mean(&model, "total").unwrap().iter().sum();
        assert!((total - means).abs() < 1e-6 * means);
    }
}

#[test]
fn nothing_is_below_zero_where_nothing_was() {
    let panel = year().hierarchy(LEVELS).unwrap();
    let made = panel.fit(["naive"]).unwrap().forecast(2).unwrap().reconcile("mint_shrink").unwrap();
    let paths = made.paths(100, 5).unwrap();
    for key in panel.keys() {
        assert!(paths.of("mint_shrink(naive)", &key).unwrap().iter().flatten().all(|v| *v >= 0.0), "{key}");
    }
    let zero = made.mean("mint_shrink(naive)", "Store=2, Dept=y, Region=n").unwrap();
    assert!(zero.iter().all(|v| v.abs() < 1e-3), "{zero:?}");
}

#[test]
fn a_year_without_any_sale_stays_without() {
    let leaves: Vec<[String; 3]> = ["1", "2"].map(|s| ["n", s, "x"].map(String::from)).to_vec();
    let panel = sales(&leaves, &[vec![0.0; 20], vec![0.0; 20]]).hierarchy("total").unwrap();
    for method in ["bottom_up", "top_down", "ols", "wls_var", "mint_shrink"] {
        let made = panel.fit(["naive"]).unwrap().forecast(2).unwrap().reconcile(method).unwrap();
        assert_eq!(made.mean(&made.models()[0], "total").unwrap(), [0.0, 0.0], "{method}");
    }
}

#[test]
fn a_level_with_one_child_and_negative_leaves_are_reconciled() {
    let leaves: Vec<[String; 3]> = [("n", "1"), ("s", "2")].map(|(r, s)| [r, s, "x"].map(String::from)).to_vec();
    let history: Vec<Vec<f64>> =
        (0..2).map(|leaf| (0..40).map(|step| ((step * 7 + leaf * 5) % 13) as f64 - 4.0).collect()).collect();
    let panel = sales(&leaves, &history).hierarchy("total; Region; Store").unwrap();
    for method in ["ols", "wls_var", "mint_shrink", "mint_shrink(nonnegative=true)"] {
        let made = panel.fit(["theta"]).unwrap().forecast(2).unwrap().reconcile(method).unwrap();
        let model = made.models().remove(0);
        is_coherent(&panel, |i| made.mean(&model, panel.label(i)).unwrap()[0]);
        let least = made.mean(&model, "Store=1, Dept=x, Region=n").unwrap()[0];
        assert!(!method.contains("true") || least >= 0.0, "{method}: {least}");
    }
}

#[test]
fn leaves_without_a_forecast_are_left_out_and_said() {
    let mut frame = year().to_frame();
    // One leaf has a single value, which theta cannot be fitted to.
    let rows = frame.height();
    let keep: Vec<bool> = (0..rows).map(|row| row == 0 || row >= 52).collect();
    frame = frame.filter(&BooleanChunked::from_slice("".into(), &keep)).unwrap();
    let panel = Panel::from_frame(frame, year().columns()).unwrap().hierarchy("total; Store").unwrap();
    let forecast = panel.fit(["ets"]).unwrap().forecast(2).unwrap();
    let failed = forecast.failures().len();
    let made = forecast.reconcile("wls_struct").unwrap();
    assert_eq!(made.failures().len(), failed);
    if failed > 0 {
        assert!(made.caveat().unwrap().contains("left out of the sums"), "{:?}", made.caveat());
    }
}

#[test]
fn what_cannot_be_reconciled_is_said() {
    let sales = year();
    let flat = sales.fit(["theta"]).unwrap().forecast(2).unwrap();
    assert!(flat.reconcile("ols").err().unwrap().to_string().contains("hierarchy(\"total"));
    let panel = sales.hierarchy(LEVELS).unwrap();
    let forecast = panel.fit(["theta"]).unwrap().forecast(2).unwrap();
    let said = |method: &str| forecast.reconcile(method).err().unwrap().to_string();
    assert!(said("mint_shrinc").contains("mint_shrink"));
    assert!(said("ols(nonegative=true)").contains("nonnegative"));
    assert!(said("middle_out").contains("level"));
    assert!(said("middle_out(level=Shop)").contains("total; Region"), "{}", said("middle_out(level=Shop)"));
    assert!(said("top_down").contains("does not nest"), "{}", said("top_down"));
    let few = sales.before("12").unwrap().hierarchy(LEVELS).unwrap();
    let few = few.fit(["naive"]).unwrap().forecast(1).unwrap().reconcile("mint_sample").err().unwrap().to_string();
    assert!(few.contains("singular") && few.contains("mint_shrink"), "{few}");
}

#[test]
fn a_forecast_from_a_file_is_reconciled_without_errors() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("forecast.parquet");
    let panel = year().hierarchy("total; Store").unwrap();
    let forecast = panel.fit(["theta"]).unwrap().forecast(2).unwrap();
    forecast.save(&file).unwrap();
    let opened = Forecast::open(&file).unwrap();
    let (made, again) =
        (forecast.reconcile("wls_struct").unwrap(), opened.reconcile("wls_struct(nonnegative=true)").unwrap());
    for key in panel.keys() {
        let (a, b) = (made.mean("wls_struct(theta)", &key).unwrap(), again.mean(&again.models()[0], &key).unwrap());
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-6), "{key}: {a:?} {b:?}");
    }
    let said = opened.reconcile("mint_shrink").err().unwrap().to_string();
    assert!(said.contains("errors") && said.contains("wls_struct"), "{said}");
    let said = opened.reconcile("top_down(proportions=average)").err().unwrap().to_string();
    assert!(said.contains("past"), "{said}");
}

#[test]
fn folds_choose_models_by_level_and_a_method() {
    let panel = year().hierarchy(LEVELS).unwrap();
    let trial = panel.backtest(["naive", "theta"], Folds::new(3, 4)).unwrap();
    let chosen = trial.reconciliation().unwrap();
    assert!(chosen.table().rows() >= 8, "{}", chosen.sentence());
    let forecast = panel.fit(["naive", "theta"]).unwrap().forecast(4).unwrap().reconcile_as(&chosen).unwrap();
    let model = forecast.models().remove(0);
    is_coherent(&panel, |i| forecast.mean(&model, panel.label(i)).unwrap()[3]);
    let beside = trial.reconcile_as(&chosen).unwrap();
    assert_eq!(beside.models().len(), 3);
    let by = beside.by("level", "rmsse").unwrap();
    assert!(by.columns().iter().any(|name| name.as_str() == "total" || name.as_str() == "level"), "{:?}", by.columns());
    // Alone, the models are what they were.
    assert_eq!(beside.score("theta", "rmsse").unwrap(), trial.score("theta", "rmsse").unwrap());
}

#[test]
fn leaves_are_forecast_alone_with_the_same_paths() {
    let panel = year().hierarchy("total; Store").unwrap();
    let made = panel.fit(["theta"]).unwrap().forecast(3).unwrap().reconcile("wls_var").unwrap();
    let leaves = made.leaves().unwrap();
    assert_eq!(leaves.keys(), year().keys());
    let key = &leaves.keys()[2];
    let (all, alone) = (made.paths(20, 9).unwrap(), leaves.paths(20, 9).unwrap());
    assert_eq!(all.of("wls_var(theta)", key).unwrap(), alone.of("wls_var(theta)", key).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// No leaf below zero, all sums equal, and no other coherent point nearer: the gradient points inwards.
    #[test]
    fn the_nearest_values_without_negatives_are_nearest(
        base in prop::collection::vec(-50.0..200.0_f64, 9 + 1 + 2 + 3 + 3),
        variances in prop::collection::vec(0.001..1000.0_f64, 18),
    ) {
        let panel = year().hierarchy("total; Region; Store; Dept").unwrap();
        let nodes = Arc::new(Nodes::of(&panel).unwrap());
        let values: Vec<f64> = variances.iter().flat_map(|v| [v.sqrt(), -v.sqrt()]).collect();
        let errors = || Ok(Errors { values: values.clone(), dates: 2 });
        let method = Method::named("wls_var(nonnegative=true)").unwrap();
        let got = Solver::with(&panel, &nodes, &method, &errors).unwrap().solve(&base, &mut Vec::new(), 1e-12).unwrap();
        let distance = |leaves: &[f64]| -> f64 {
            nodes.sums(leaves).iter().zip(&base).zip(&variances).map(|((y, b), v)| (y - b) * (y - b) / v).sum()
        };
        let leaves: Vec<f64> = nodes.leaves.iter().map(|i| got[*i]).collect();
        prop_assert!(leaves.iter().all(|v| *v >= 0.0));
        let nearest = distance(&leaves);
        for leaf in 0..leaves.len() {
            for step in [-1e-3, 1e-3] {
                let mut other = leaves.clone();
                other[leaf] = (other[leaf] + step).max(0.0);
                prop_assert!(distance(&other) >= nearest - 1e-7 * nearest.max(1.0), "{} {}", leaf, step);
            }
        }
    }
}
