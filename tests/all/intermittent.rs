//! Methods for what sells seldom: against statsforecast, and as distributions over counts.

use proptest::prelude::*;
use tradewind::models::{Ahead, Series};
use tradewind::polars::prelude::*;
use tradewind::prelude::*;

fn panel(values: &[f64]) -> Panel {
    let frame = df!("t" => (1..=values.len() as i64).collect::<Vec<_>>(), "y" => values).unwrap();
    Panel::from_frame(frame, Columns::new([""; 0], "t", "y").season(1).freq("1").unwrap()).unwrap()
}

#[test]
fn forecasts_agree_with_statsforecast() {
    let mut compared = 0;
    for row in crate::oracles::rows("intermittent.csv") {
        let values: Vec<f64> = row[0].split(' ').map(crate::oracles::number).collect();
        let label = row[1].replace(';', ",");
        let theirs = crate::oracles::number(&row[2]);
        let ours = panel(&values).fit([label.as_str()]).unwrap().forecast(3).unwrap();
        let model = ours.models().remove(0);
        for mean in ours.mean(&model, "all").unwrap() {
            // Where the smoothing parameter is looked for, theirs stops early.
            let near = if label.contains("alpha") { 1e-9 } else { 5e-3 };
            assert!((mean - theirs).abs() <= near * theirs, "{label} on {}: {mean}, statsforecast {theirs}", row[0]);
        }
        compared += 1;
    }
    assert!(compared > 200, "{compared}");
}

#[test]
fn counts_stay_counts() {
    let values: Vec<f64> = (0..80_u32).map(|t| f64::from((t * 7919 % 11) / 8 * (1 + t % 3))).collect();
    for label in [
        "croston",
        "sba",
        "tsb",
        "adida",
        "imapa",
        "auto",
        "tsb(distribution=bootstrap)",
        "sba(distribution=zero-inflated)",
    ] {
        let forecast = panel(&values).fit([label]).unwrap().forecast(6).unwrap();
        let model = forecast.models().remove(0);
        for probability in [0.05, 0.5, 0.9, 0.99] {
            for quantile in forecast.quantile(&model, "all", probability).unwrap() {
                assert!(quantile >= 0.0 && quantile.fract() == 0.0, "{label}: {quantile} at {probability}");
            }
        }
        let paths = forecast.paths(500, 3).unwrap().of(&model, "all").unwrap();
        assert!(paths.iter().flatten().all(|value| value.fract() == 0.0 && *value >= 0.0), "{label}");
        let of_paths = paths.iter().flatten().sum::<f64>() / 3000.0;
        let mean = forecast.mean(&model, "all").unwrap().iter().sum::<f64>() / 6.0;
        assert!((of_paths - mean).abs() < 0.5 * mean + 0.1, "{label}: paths {of_paths}, mean {mean}");
    }
}

#[test]
fn quantiles_cover_as_they_say() {
    // Poisson sales with mean 0.6, the end of which is held back; every series has its own numbers.
    let mut state = 11_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut poisson = || {
        let (mut count, mut product) = (0.0, uniform());
        while product > f64::exp(-0.6) {
            product *= uniform();
            count += 1.0;
        }
        count
    };
    let (mut id, mut t, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for series in 0..200_u32 {
        for step in 1..=60_i64 {
            id.push(series);
            t.push(step);
            y.push(poisson());
        }
    }
    let frame = df!("id" => id, "t" => t, "y" => y).unwrap();
    let panel = Panel::from_frame(frame, Columns::new(["id"], "t", "y").season(1).freq("1").unwrap()).unwrap();
    let trial = panel.backtest(["tsb", "sba", "auto", "theta"], Folds::new(1, 10)).unwrap();
    for model in ["tsb", "sba", "auto"] {
        let coverage = trial.score(model, "coverage95").unwrap();
        assert!((0.93..=0.995).contains(&coverage), "{model}: {coverage}");
        // What is asked for is a count: its distribution beats normal intervals.
        assert!(trial.score(model, "pinball").unwrap() < trial.score("theta", "pinball").unwrap(), "{model}");
    }
}

#[test]
fn series_that_cannot_be_served_say_why() {
    for label in ["croston", "sba", "tsb", "adida", "imapa"] {
        let failed = panel(&[1.0, 0.0, -2.0, 3.0]).fit([label]).unwrap().failures();
        assert!(failed[0].reason.contains("at least 0") && failed[0].reason.contains("-2"), "{}", failed[0].reason);
        let zeros = panel(&[0.0; 12]).fit([label]).unwrap().forecast(3).unwrap();
        assert_eq!(zeros.mean(&zeros.models()[0], "all").unwrap(), [0.0; 3]);
        let once = panel(&[0.0, 0.0, 0.0, 0.0, 9.0, 0.0]).fit([label]).unwrap().forecast(3).unwrap();
        let mean = once.mean(&once.models()[0], "all").unwrap();
        assert!(mean[0] > 0.0 && mean[0] <= 9.0, "{label}: {mean:?}");
    }
    assert!(Model::named("tsb(beta=2)").unwrap_err().is_usage());
    assert!(Model::named("croston(distribution=gauss)").unwrap_err().to_string().contains("negative-binomial"));
}

proptest! {
    #[test]
    fn any_counts_get_ordered_finite_answers(values in proptest::collection::vec(prop_oneof![3 => Just(0.0), 2 => (0..1000_u32).prop_map(f64::from), 1 => 0.0..1e12_f64], 1..60)) {
        for label in ["croston", "sba", "tsb", "adida", "imapa", "tsb(distribution=bootstrap)", "imapa(distribution=zero-inflated)"] {
            let forecast = panel(&values).fit([label]).unwrap().forecast(4).unwrap();
            let model = forecast.models().remove(0);
            let (low, high) = forecast.interval(&model, "all", 0.95).unwrap();
            prop_assert!(low.iter().zip(&high).all(|(low, high)| low.is_finite() && high.is_finite() && low <= high && *low >= 0.0), "{label} {low:?} {high:?}");
        }
    }
}

#[test]
fn demand_has_a_class() {
    let (mut id, mut t, mut y) = (Vec::new(), Vec::new(), Vec::new());
    let series: [(&str, &dyn Fn(i64) -> f64); 3] = [
        ("bread", &|t| 20.0 + (t % 3) as f64),
        ("screw", &|t| if t % 4 == 0 { 2.0 } else { 0.0 }),
        ("pump", &|t| if t % 5 == 0 { 1.0 + 30.0 * f64::from(t == 20) } else { 0.0 }),
    ];
    for (name, of) in series {
        for step in 1..=40 {
            id.push(name);
            t.push(step);
            y.push(of(step));
        }
    }
    let frame = df!("id" => id, "t" => t, "y" => y).unwrap();
    let panel = Panel::from_frame(frame, Columns::new(["id"], "t", "y").season(1).freq("1").unwrap()).unwrap();
    let finding = panel.explore("demand").unwrap();
    assert!(
        finding.sentence().starts_with("Demand is smooth in 1, intermittent in 1, lumpy in 1 of 3 series."),
        "{}",
        finding.sentence()
    );
    assert_eq!(finding.table().get(0, "class").unwrap().to_string(), "lumpy");
}

#[test]
fn an_update_follows_the_new_values() {
    let values: Vec<f64> = (0..60).map(|t| f64::from(u8::from(t % 5 == 0))).collect();
    let model = tradewind::models::Tsb::default();
    let fit = |n: usize| Series::of(&values[..n], 0, 1);
    use tradewind::models::SeriesModel;
    let before = model.fit(&fit(40)).unwrap();
    let after = before.update(&fit(60)).unwrap();
    let ahead = Ahead { lead: 0, horizon: 2, covariates: Vec::new() };
    assert_eq!(after.residuals().len(), 60);
    assert!((after.mean(&ahead).unwrap()[0] - 0.2).abs() < 0.1);
}
