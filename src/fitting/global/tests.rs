//! Tests of features: their values, and that there is no leakage.

use proptest::prelude::*;

use super::{AlignedSeries, FeatureSet, Schema};

fn schema() -> Schema {
    let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
    Schema {
        season: 7,
        year: Some(28),
        calendar: names(&["month"]),
        known: names(&["promo", "price"]),
        flags: vec![0],
        observed: names(&["weather"]),
        fixed: names(&["size"]),
        keys: names(&["shop"]),
    }
}

fn series(y: &[f64], seed: usize) -> AlignedSeries {
    let of = |k: usize| (0..y.len()).map(|t| ((t * (k + 3) + seed) % (k + 2)) as f64).collect::<Vec<f64>>();
    let calendar = vec![(0..y.len()).map(|t| (t / 30 % 12) as f64).collect()];
    AlignedSeries {
        start: 5,
        y: y.to_vec(),
        known: vec![of(0), of(3)],
        observed: vec![of(9)],
        fixed: vec![4.0],
        keys: vec![1.0],
        level: 2.0,
        calendar,
    }
}

#[test]
fn features_have_the_values_that_their_names_promise() {
    let y: Vec<f64> = (0..60).map(f64::from).collect();
    let features = FeatureSet::new(&schema(), 5);
    let aligned = series(&y, 0);
    let columns = features.columns(&aligned, 50..52);
    let of = |name: &str| {
        let at = features.names.iter().position(|known| known == name);
        columns[at.unwrap_or_else(|| panic!("{name}: {:?}", features.names))].clone()
    };
    assert_eq!(of("lag 5"), [45.0, 46.0]);
    assert_eq!(of("lag 7"), [43.0, 44.0]);
    assert_eq!(of("mean of 4 seasons from lag 7"), [32.5, 33.5]);
    assert_eq!(of("mean of 7 from lag 5"), [42.0, 43.0]);
    assert_eq!(of("season"), [(55 % 7) as f64, (56 % 7) as f64]);
    assert_eq!(of("promo"), [aligned.known[0][50], aligned.known[0][51]]);
    assert_eq!(of("price 1 later"), [aligned.known[1][51], aligned.known[1][52]]);
    assert_eq!(of("weather, lag 5"), [aligned.observed[0][45], aligned.observed[0][46]]);
    assert_eq!((of("since promo changed"), of("until promo changes")), (vec![1.0; 2], vec![1.0; 2]));
    assert_eq!((of("size"), of("level"), of("age")), (vec![4.0; 2], vec![2.0; 2], vec![50.0, 51.0]));
    assert_eq!(of("month"), [1.0, 1.0]);
}

#[test]
fn a_step_is_settled_where_all_lags_are_available() {
    let features = FeatureSet::new(&schema(), 5);
    let settled = |steps: usize| features.settled(steps);
    // A year ago is 28 steps back, and its older neighbour 29; the mean of 28 steps from 5 ago reaches back 32.
    assert_eq!((settled(60), settled(64)), (Some(29), Some(32)));
    assert_eq!((settled(10), settled(9), settled(0)), (Some(5), None, None));
    let y: Vec<f64> = (0..64).map(f64::from).collect();
    let aligned = series(&y, 0);
    for (name, column) in features.names.iter().zip(features.columns(&aligned, 32..33)) {
        // What reaches farther than half of the series is not waited for.
        let far = ["lag 56", "growth over", "grown over", "mean of 8 seasons", "changes"];
        let known = column[0].is_finite() || far.iter().any(|far| name.contains(far));
        assert!(known || name.ends_with("changed"), "{name}");
    }
}

proptest! {
    /// Whatever the target does within reach of a row or later, the row is the same.
    #[test]
    fn no_feature_leaks_later_values(
        y in proptest::collection::vec(prop_oneof![4 => -5.0..5.0_f64, 1 => Just(f64::NAN)], 40..120),
        reach in 1..30_usize,
        at in 0.0..1.0_f64,
    ) {
        let t = (at * (y.len() - 1) as f64) as usize;
        let features = FeatureSet::new(&schema(), reach);
        let mut changed = y.clone();
        changed[(t + 1).saturating_sub(reach)..].iter_mut().for_each(|y| *y = 1e9);
        let rows = |y: &[f64]| features.columns(&series(y, 1), t..t + 1).concat();
        let (before, after) = (rows(&y), rows(&changed));
        prop_assert!(before.iter().zip(&after).all(|(a, b)| a == b || (a.is_nan() && b.is_nan())));
    }
}
