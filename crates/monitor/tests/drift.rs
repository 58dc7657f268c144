//! Drift of a column against scipy 1.17.1 and numpy 2.4.6, and what must hold for any column.
//!
//! The samples are those of a linear congruential generator (1103515245, 12345, 2³¹), the same on both sides. Python:
//! `scipy.stats.ks_2samp(a, b).statistic`, `scipy.stats.kstwobign.sf(D * sqrt(n * m / (n + m)))`,
//! `scipy.stats.wasserstein_distance(a, b) / spread` with the quartiles of `numpy.quantile(a, [.25, .75],
//! method="inverted_cdf")`, and the index by its definition over `numpy.unique(numpy.quantile(a, numpy.arange(1, 10) /
//! 10, method="inverted_cdf"))`, shares at least 1e-4. The index and the distance agree to 1e-12; the Wasserstein
//! distance to 1 % (cells in which the distribution functions cross).

use proptest::prelude::*;
use tradewind_monitor::drift::cost::mix_cost;
use tradewind_monitor::drift::{Drift, Grid, Verdict, compare, compare_labels};

/// `n` uniform numbers between 0 and 1.
fn uniform(seed: u64, n: usize) -> Vec<f64> {
    let mut state = seed;
    let next = |_| {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        (state as f64 + 0.5) / f64::from(1_u32 << 31)
    };
    (0..n).map(next).collect()
}

fn map(x: Vec<f64>, f: impl Fn(f64) -> f64) -> Vec<f64> {
    x.into_iter().map(f).collect()
}

fn check(drift: &Drift, psi: f64, bins: usize, ks: f64, p: f64, wasserstein: f64, tolerance: f64) {
    assert!((drift.psi - psi).abs() < 1e-12, "{drift:?}");
    assert_eq!(drift.bins.len(), bins);
    assert!((drift.ks.unwrap() - ks).abs() < tolerance, "{:?} {ks}", drift.ks);
    assert!((drift.p - p).abs() < 1e-9 + 20.0 * tolerance, "{} {p}", drift.p);
    assert!((drift.wasserstein.unwrap() / wasserstein - 1.0).abs() < 0.01, "{:?} {wasserstein}", drift.wasserstein);
}

#[test]
fn as_scipy() {
    let drift = compare("exp", &map(uniform(1, 3000), |u| -u.ln()), &map(uniform(2, 2000), |u| -1.3 * u.ln())).unwrap();
    check(&drift, 0.07424935922679736, 10, 0.113, 9.813298763808046e-14, 0.35483155064176386, 1e-12);
    let ties = |k| move |u: f64| (8.0 * u.powi(k)).floor();
    let drift = compare("ties", &map(uniform(3, 3000), ties(3)), &map(uniform(4, 500), ties(2))).unwrap();
    check(&drift, 0.0855762472700396, 6, 0.13766666666666671, 1.7622231491180508e-07, 0.19725377777777786, 1e-12);
    let drift = compare("same", &uniform(7, 20_000), &uniform(8, 300)).unwrap();
    check(
        &drift,
        0.061724138115515755,
        10,
        0.07176666666666665,
        0.09522008418289019,
        0.06514199976352647,
        1.0 / 4096.0,
    );
    let (a, b) = (map(uniform(5, 50_000), |u| -u.ln()), map(uniform(6, 30_000), |u| 0.2 - u.ln()));
    let drift = compare("large", &a, &b).unwrap();
    check(&drift, 0.8353334702356987, 10, 0.18103333333333332, 0.0, 0.24728997358531762, 1.0 / 4096.0);
}

#[test]
fn the_verdict_does_not_depend_on_the_number_of_rows() {
    for (shift, verdict) in [(0.0, Verdict::None), (0.4, Verdict::Small), (0.8, Verdict::Large)] {
        for n in [1_000, 30_000, 300_000] {
            // The sum of four uniform numbers, which is nearly normal, in standard deviations.
            let normal = |seed| -> Vec<f64> {
                let u = uniform(seed, 4 * n);
                u.chunks(4).map(|c| (c.iter().sum::<f64>() - 2.0) * 3.0_f64.sqrt()).collect()
            };
            let drift = compare("x", &normal(11), &map(normal(12), |x| x + shift)).unwrap();
            assert_eq!(drift.verdict, verdict, "{n} {shift} {}", drift.sentence);
        }
    }
}

#[test]
fn two_hundred_rows_do_not_alarm_by_noise() {
    let reference = uniform(21, 20_000);
    let alarms = (0..500).filter(|s| {
        let drift = compare("x", &reference, &uniform(1_000 + 7 * s, 200)).unwrap();
        drift.verdict > Verdict::None
    });
    assert!(alarms.count() <= 2);
}

#[test]
fn missing_values_are_counted_and_left_out() {
    let before = uniform(1, 2000);
    let mut now = before.clone();
    now.iter_mut().step_by(4).for_each(|x| *x = f64::NAN);
    now[1] = f64::INFINITY;
    let drift = compare("x", &before, &now).unwrap();
    assert_eq!((drift.missing_before, drift.missing_now), (0.0, 501.0 / 2000.0));
    assert_eq!(drift.verdict, Verdict::Large);
    assert!(drift.ks.unwrap() < 0.03);
    assert!(drift.sentence.contains("missing 25 % after 0 %"), "{}", drift.sentence);
    assert!(compare("x", &[f64::NAN], &before).unwrap_err().to_string().contains("`x`"));
    assert!(compare("x", &before, &[f64::NAN]).unwrap_err().to_string().contains("`x` has no value now"));
}

#[test]
fn a_constant_that_changes_is_large() {
    assert_eq!(compare("x", &[5.0; 300], &[5.0; 300]).unwrap().verdict, Verdict::None);
    assert_eq!(compare("x", &[5.0; 300], &[6.0; 300]).unwrap().verdict, Verdict::Large);
}

#[test]
fn new_levels_are_a_bin_of_their_own() {
    let before: Vec<_> = (0..1000).map(|i| Some(["a", "b", "c"][i % 3])).collect();
    let now: Vec<_> = (0..1000).map(|i| Some(["a", "b", "c", "d"][if i % 20 == 0 { 3 } else { i % 3 }])).collect();
    let drift = compare_labels("x", before.clone(), now).unwrap();
    assert_eq!((drift.new_categories.as_slice(), drift.new_category_rate), (["d".to_string()].as_slice(), 0.05));
    // 0.05 ln(0.05 / 1e-4) for the new level, next to nothing for the others.
    assert!((drift.psi - 0.05 * (500.0_f64).ln()).abs() < 0.01, "{}", drift.psi);
    assert_eq!(drift.verdict, Verdict::Large);
    assert_eq!(compare_labels("x", before.clone(), before).unwrap().verdict, Verdict::None);
}

#[test]
fn the_cost_of_a_mix_is_that_of_its_rows() {
    // Simulated: two bins with mean errors 1 and 3 (exponential), shares 0.8/0.2 before and 0.6/0.4 now: change 0.4.
    // Over repetitions the standard error must be the spread of the estimate.
    let trials: Vec<(f64, f64)> = (0..400)
        .map(|s| {
            let (u, e, v) = (uniform(3 * s + 1, 500), uniform(3 * s + 100_002, 500), uniform(3 * s + 200_003, 400));
            let before = u.iter().zip(&e).map(|(u, e)| if *u < 0.8 { (0, -e.ln()) } else { (1, -3.0 * e.ln()) });
            let cost = mix_cost(before, v.iter().map(|v| usize::from(*v >= 0.6))).unwrap();
            (cost.change, cost.standard_error)
        })
        .collect();
    let mean = trials.iter().map(|t| t.0).sum::<f64>() / 400.0;
    let spread = (trials.iter().map(|t| (t.0 - mean).powi(2)).sum::<f64>() / 400.0).sqrt();
    let stated = trials.iter().map(|t| t.1).sum::<f64>() / 400.0;
    assert!((mean - 0.4).abs() < 0.02, "{mean}");
    assert!((stated / spread - 1.0).abs() < 0.12, "{stated} {spread}");
    let known = mix_cost([(0, 1.0), (1, f64::NAN), (1, 2.0)], [0, 1, 7, 7]).unwrap();
    assert_eq!((known.unknown, known.change), (0.5, 0.0));
    assert!(mix_cost([], [1]).is_err() && mix_cost([(1, 1.0)], [2]).is_err());
}

fn column() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![8 => -1e6..1e6, 2 => (-5..5).prop_map(f64::from), 1 => any::<f64>()];
    prop::collection::vec(value, 2..200)
}

proptest! {
    #[test]
    fn rows_in_any_order_and_in_parts(a in column(), b in column(), cut in 0_usize..200) {
        let Ok(drift) = compare("x", &a, &b) else { return Ok(()) };
        let turned = |v: &[f64]| v.iter().rev().copied().collect::<Vec<_>>();
        let again = compare("x", &turned(&a), &turned(&b)).unwrap();
        prop_assert_eq!(drift.verdict, again.verdict);
        prop_assert_eq!((drift.psi, drift.ks, drift.p), (again.psi, again.ks, again.p));
        prop_assert!(drift.psi.is_finite() && (0.0..=1.0).contains(&drift.ks.unwrap()));
        let grid = Grid::of(&a, 10).unwrap();
        let (first, second) = b.split_at(cut.min(b.len()));
        let mut counts = grid.count(first);
        counts.add(&grid.count(second)).unwrap();
        prop_assert_eq!(grid.count(&a).drift("x", &grid, &counts).unwrap().ks, drift.ks);
        // What is kept of a reference can be written and read.
        let read: Grid = serde_json::from_str(&serde_json::to_string(&grid).unwrap()).unwrap();
        prop_assert_eq!(read, grid);
    }

    #[test]
    fn another_unit_changes_nothing(
        a in prop::collection::vec(-1e6..1e6, 20..100),
        b in prop::collection::vec(-1e6..1e6, 20..100),
    ) {
        let scaled = |v: &[f64]| v.iter().map(|x| 1024.0 * x).collect::<Vec<_>>();
        let (one, other) = (compare("x", &a, &b).unwrap(), compare("x", &scaled(&a), &scaled(&b)).unwrap());
        prop_assert_eq!((one.psi, one.ks, one.verdict), (other.psi, other.ks, other.verdict));
        prop_assert!((one.wasserstein.unwrap() - other.wasserstein.unwrap()).abs() < 1e-9);
    }
}
