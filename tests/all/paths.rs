//! Sample paths: their marginals are the forecast's, and they are dependent over steps and across series.

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

fn variance(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64
}

/// Two random walks with the same shocks, and one with its own: (panel, sd of a shock).
fn walks() -> Panel {
    let mut state = 12345_u64;
    let mut shock = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    };
    let (mut a, mut c) = (vec![100.0], vec![100.0]);
    for _ in 0..299 {
        a.push(a[a.len() - 1] + shock());
        c.push(c[c.len() - 1] + shock());
    }
    let keys: Vec<&str> = ["a", "b", "c"].into_iter().flat_map(|key| std::iter::repeat_n(key, 300)).collect();
    let steps: Vec<i64> = (0..3).flat_map(|_| 1..=300).collect();
    let values: Vec<f64> = a.iter().chain(&a).chain(&c).copied().collect();
    Panel::from_frame(df!("k" => keys, "t" => steps, "y" => values).unwrap(), Columns::new(["k"], "t", "y")).unwrap()
}

#[test]
fn marginals_are_the_forecasts_own() {
    let forecast = walks().fit(["naive"]).unwrap().forecast(10).unwrap();
    let paths = forecast.paths(1000, 4).unwrap().of("naive", "k=a").unwrap();
    for p in [0.1, 0.5, 0.9] {
        let quantile = forecast.quantile("naive", "k=a", p).unwrap();
        for (step, expected) in quantile.iter().enumerate() {
            let below = paths.column(step).iter().filter(|v| **v < *expected).count();
            assert_eq!(below, (1000.0 * p) as usize, "step {step}, quantile {p}");
        }
    }
}

/// The total of a random walk over 10 steps has variance σ²·Σk² = 385σ², not the 55σ² of independent steps.
#[test]
fn steps_depend_on_each_other_as_the_model_says() {
    let forecast = walks().fit(["naive"]).unwrap().forecast(10).unwrap();
    let paths = forecast.paths(4000, 4).unwrap().of("naive", "k=a").unwrap();
    let total = variance(paths.rows().into_iter().map(|row| row.sum()));
    let (low, high) = forecast.interval("naive", "k=a", 0.682_689_492).unwrap();
    let sigma = (high[0] - low[0]) / 2.0;
    let ratio = total / (sigma * sigma);
    assert!((ratio / 385.0 - 1.0).abs() < 0.1, "{ratio}");
}

/// Series that moved together have a total as wide as if they were one; independent ones a narrower one.
#[test]
fn series_move_together_as_they_did() {
    let forecast = walks().fit(["naive"]).unwrap().forecast(1).unwrap();
    let paths = forecast.paths(4000, 4).unwrap();
    let of = |key: &str| paths.of("naive", key).unwrap();
    let (a, b, c) = (of("k=a"), of("k=b"), of("k=c"));
    let one = variance(a.iter().copied());
    let same = variance(a.iter().zip(&b).map(|(a, b)| a + b)) / one;
    let apart = variance(a.iter().zip(&c).map(|(a, c)| a + c)) / (one + variance(c.iter().copied()));
    assert!((same - 4.0).abs() < 1e-9, "{same}");
    assert!((apart - 1.0).abs() < 0.15, "{apart}");
    let total = paths.total("naive").unwrap();
    let sum = &a + &b + &c;
    assert!(total.iter().zip(&sum).all(|(t, s)| (t - s).abs() < 1e-9));
}
