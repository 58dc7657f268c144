//! The target normalised: models see a transformed series, everything else is on the scale of the data.

use proptest::prelude::*;
use tradewind::polars::prelude::*;
use tradewind::prelude::*;

use crate::oracles::{number, rows, series};
use crate::sales;

const KINDS: [Normalise; 4] = [Normalise::Standard, Normalise::MinMax, Normalise::Log1p, Normalise::BoxCox];

fn panel_of(values: &[f64], season: usize) -> Panel {
    let frame = df!("t" => (1..=values.len() as i64).collect::<Vec<_>>(), "y" => values).unwrap();
    let frame = frame.lazy().with_column(col("y").fill_nan(lit(NULL))).collect().unwrap();
    Panel::from_frame(frame, Columns::new([""; 0], "t", "y").season(season)).unwrap()
}

fn lambda(panel: &Panel) -> f64 {
    let scales = panel.normalised(Normalise::BoxCox).unwrap().scales().unwrap();
    number(&scales.get(0, "lambda").unwrap().to_string())
}

/// λ by Guerrero's method agrees with R's `BoxCox.lambda`, by the same search to the same tolerance.
#[test]
fn lambdas_agree_with_r() {
    let series = series();
    let mut compared = 0;
    for row in rows("normalise_lambda.csv") {
        let air = || series["AirPassengers"].1.clone();
        let (season, values) = match row[0].as_str() {
            "AirPassengers_holes" => {
                let mut values = air();
                [2, 39, 40, 99].into_iter().for_each(|at| values[at] = f64::NAN);
                (12, values)
            }
            "AirPassengers_short" => (12, air()[..24].to_vec()),
            "woolyrnq" => (4, rows("woolyrnq.csv").iter().map(|row| number(&row[1])).collect()),
            name => series[name].clone(),
        };
        let ours = panel_of(&values, season).normalised(Normalise::BoxCox).unwrap().scales().unwrap();
        let ours = ours.frame().column("lambda").unwrap().f64().unwrap().get(0).unwrap();
        assert!((ours - number(&row[1])).abs() < 1e-6, "{}: {ours} is not R's {}", row[0], row[1]);
        compared += 1;
    }
    assert_eq!(compared, 14);
}

/// Forecasts of the naive family on the transformed scale, brought back with bias adjustment, agree with R's
/// `rwf(y, lambda, biasadj = TRUE)` and its kin: means and interval ends to 1e-6 of their size.
#[test]
fn forecasts_agree_with_r() {
    let series = series();
    let (mut compared, mut refused) = (0, 0);
    // `log` is λ = 0 as stated, which a user does not state: a unit test of the transformation compares it.
    for row in rows("normalise_forecasts.csv").iter().filter(|row| row[1] != "log") {
        let (season, y) = &series[&row[0]];
        let method = row[2].as_str();
        let panel = panel_of(y, *season).normalised(Normalise::named(&row[1]).unwrap()).unwrap();
        let h: usize = row[4].parse().unwrap();
        // Where the upper tail of a negative λ has no value, R says NA and its mean runs away; here the series is a
        // failure: at once for random walks, after some years for seasonal ones.
        let wide = row[0] == "UKgas" && row[1] == "box-cox";
        let served = if wide { 8 } else { 18 };
        let forecast = panel.fit([method]).unwrap().forecast(served.max(h)).unwrap();
        if wide && (method != "seasonal_naive" || h > 16) {
            assert!(forecast.failures()[0].reason.contains("upper tail has no value"), "{row:?}");
            refused += 1;
            continue;
        }
        let (lower80, upper80) = forecast.interval(method, "all", 0.8).unwrap();
        let (lower95, upper95) = forecast.interval(method, "all", 0.95).unwrap();
        let ours = [&forecast.mean(method, "all").unwrap(), &lower80, &upper80, &lower95, &upper95];
        for (ours, theirs) in ours.iter().zip(&row[5..10]) {
            // R goes below zero under a power of a series that never did.
            let (ours, theirs) = (ours[h - 1], number(theirs).max(0.0));
            assert!((ours - theirs).abs() <= 1e-6 * theirs, "{row:?}: {ours} is not R's {theirs}");
            compared += 1;
        }
    }
    assert_eq!((compared, refused), ((5 * 2 * 3 - 2) * 18 * 5 - 2 * 5, 2 * 18 + 2));
}

/// The panel, its audit and what a forecast is compared with stay on the scale of the data.
#[test]
fn only_a_model_sees_it() {
    let sales = sales();
    for kind in KINDS {
        let normalised = sales.normalised(kind).unwrap();
        assert_eq!(normalised.to_frame(), sales.to_frame());
        assert_eq!(normalised.audit().unwrap().sentence(), sales.audit().unwrap().sentence());
        let actual = |panel: &Panel| {
            let table = panel.backtest(["seasonal_naive"], Folds::new(2, 4)).unwrap().forecasts().unwrap();
            table.frame().column("actual").unwrap().clone()
        };
        assert_eq!(actual(&normalised), actual(&sales));
        let forecast = normalised.fit(["seasonal_naive"]).unwrap().forecast(8).unwrap();
        let plain = sales.fit(["seasonal_naive"]).unwrap().forecast(8).unwrap();
        assert!(forecast.failures().is_empty());
        for key in sales.keys() {
            let median = |forecast: &Forecast| forecast.quantile("seasonal_naive", &key, 0.5).unwrap();
            // The median of a value carried forward is that value, whatever it went through.
            for (ours, plain) in median(&forecast).iter().zip(median(&plain)) {
                assert!((ours / plain - 1.0).abs() < 1e-9, "{kind:?} {key}");
            }
        }
        assert!(normalised.to_string().contains(kind.name()));
    }
    assert_eq!(sales.normalised(Normalise::None).unwrap().to_string(), sales.to_string());
}

#[test]
fn columns_and_panel_say_the_same() {
    let declared = Panel::read("data/walmart_sales_weekly.csv", crate::columns().normalise(Normalise::Log1p)).unwrap();
    let forecast = |panel: &Panel| panel.fit(["theta"]).unwrap().forecast(5).unwrap().to_frame().unwrap();
    assert_eq!(forecast(&declared), forecast(&sales().normalised(Normalise::Log1p).unwrap()));
    assert!(Normalise::named("box-cos").unwrap_err().to_string().contains("did you mean `box-cox`?"));
}

/// Methods that only shift and scale with the data forecast the same with and without a shift and a division.
#[test]
fn scaling_changes_nothing_for_methods_that_scale_with_the_data() {
    for (season, y) in series().values() {
        for kind in [Normalise::Standard, Normalise::MinMax] {
            // Theta's multiplicative season is not one of them, and where its sum of squares is flat α is known to the root of a rounding error only.
            for (method, near) in
                [("naive", 1e-9), ("drift", 1e-9), ("seasonal_naive", 1e-9), ("theta(season=1)", 1e-7)]
            {
                let plain = panel_of(y, *season);
                let forecast = |panel: &Panel| panel.fit([method]).unwrap().forecast(18).unwrap();
                let (plain, scaled) = (forecast(&plain), forecast(&plain.normalised(kind).unwrap()));
                let level = y.iter().map(|v| v.abs()).fold(0.0, f64::max);
                let same = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= near * level);
                assert!(same(&plain.mean(method, "all").unwrap(), &scaled.mean(method, "all").unwrap()), "{method}");
                for p in [0.025, 0.5, 0.9] {
                    let quantile = |forecast: &Forecast| forecast.quantile(method, "all", p).unwrap();
                    assert!(same(&quantile(&plain), &quantile(&scaled)), "{method} {kind:?} {p}");
                }
                // Step by step in order: which of two equal paths comes first is decided by their last bit.
                let paths = |forecast: &Forecast| {
                    let paths = forecast.paths(20, 3).unwrap().of(method, "all").unwrap();
                    let step = |step: usize| {
                        let mut values: Vec<f64> = paths.iter().map(|path| path[step]).collect();
                        values.sort_by(f64::total_cmp);
                        values
                    };
                    (0..18).flat_map(step).collect::<Vec<f64>>()
                };
                assert!(same(&paths(&plain), &paths(&scaled)), "{method} {kind:?}");
            }
        }
    }
}

#[test]
fn a_constant_series_forecasts_its_constant() {
    for value in [7.3, 0.0, -41.7] {
        let panel = panel_of(&[value; 40], 4);
        for kind in [Normalise::Standard, Normalise::MinMax] {
            for method in ["naive", "seasonal_naive", "drift", "theta", "regression"] {
                let forecast = panel.normalised(kind).unwrap().fit([method]).unwrap().forecast(6).unwrap();
                let mean = forecast.mean(method, "all").unwrap();
                assert!(mean.iter().all(|mean| (mean - value).abs() < 1e-12), "{method} {kind:?} {mean:?}");
            }
        }
    }
    assert_eq!(lambda(&panel_of(&[7.3; 40], 4)), 1.0);
}

#[test]
fn a_series_that_cannot_be_transformed_is_a_counted_failure() {
    let keys: Vec<&str> = ["a", "b"].into_iter().flat_map(|key| std::iter::repeat_n(key, 30)).collect();
    let steps: Vec<i64> = (1..=30).chain(1..=30).collect();
    let values: Vec<f64> = (0..60).map(|i| if i == 45 { -3.0 } else { 20.0 + f64::from(i % 5) }).collect();
    let frame = df!("k" => keys, "t" => steps, "y" => values).unwrap();
    let panel = Panel::from_frame(frame, Columns::new(["k"], "t", "y").season(5)).unwrap();
    for (kind, bound) in [(Normalise::Log1p, "above -1"), (Normalise::BoxCox, "above 0")] {
        let panel = panel.normalised(kind).unwrap();
        let fits = panel.fit(["naive"]).unwrap();
        let failures = fits.failures();
        assert_eq!(failures.len(), 1);
        assert_eq!(failures[0].series, "k=b");
        assert!(failures[0].reason.contains(bound) && failures[0].reason.contains("least: -3"), "{:?}", failures[0]);
        assert!(fits.forecast(3).unwrap().mean("naive", "k=a").is_ok());
        let scales = panel.scales().unwrap();
        assert!(scales.get(1, "failure").unwrap().to_string().contains("least: -3"));
        // Counted in a backtest as any failure is.
        let trial = panel.backtest(["naive"], Folds::new(2, 3)).unwrap();
        assert_eq!(trial.failures().len(), 2);
        assert!(trial.score("naive", "wape").is_ok());
    }
    // Sales that jump between nothing and thousands have no meaningful mean on a logarithm's scale.
    let wild: Vec<f64> = (0..60).map(|i| if i % 2 == 0 { 0.0 } else { 90_000.0 }).collect();
    let failures =
        panel_of(&wild, 1).normalised(Normalise::Log1p).unwrap().fit(["naive"]).unwrap().forecast(9).unwrap();
    assert!(failures.failures()[0].reason.contains("too wide"), "{:?}", failures.failures());
}

/// A series emptied by a cut-off keeps its place.
#[test]
fn every_series_keeps_its_place() {
    let frame = df!("k" => ["a", "a", "b", "b"], "t" => [1_i64, 2, 5, 6], "y" => [1.0, 2.0, 3.0, 4.0]).unwrap();
    let panel = Panel::from_frame(frame, Columns::new(["k"], "t", "y")).unwrap().before("5").unwrap();
    assert_eq!(panel.normalised(Normalise::Standard).unwrap().len(), 2);
}

/// Nothing after the cut-off reaches the scale: the window's values are multiplied, the forecasts stay.
#[test]
fn nothing_leaks_into_the_scale() {
    let sales = sales();
    let mut frame = sales.to_frame();
    let dates = frame.column("Date").unwrap().cast(&DataType::String).unwrap();
    let late: Vec<bool> = dates.str().unwrap().iter().map(|date| date >= Some("2012-09-07")).collect();
    let values = frame.column("Weekly_Sales").unwrap().f64().unwrap().iter().zip(&late);
    let values: Vec<Option<f64>> = values.map(|(v, late)| if *late { v.map(|v| 30.0 * v) } else { v }).collect();
    frame.with_column(Column::new("Weekly_Sales".into(), values)).unwrap();
    let other = Panel::from_frame(frame, sales.columns()).unwrap();
    for kind in KINDS {
        let forecasts = |panel: &Panel| {
            let panel = panel.normalised(kind).unwrap();
            let table = panel.backtest(["naive", "theta"], Folds::new(1, 8)).unwrap().forecasts().unwrap();
            table.frame().select(["mean", "q0.1", "q0.9"]).unwrap()
        };
        assert_eq!(forecasts(&sales), forecasts(&other), "{kind:?}");
    }
}

#[test]
fn kept_fits_forecast_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    for kind in KINDS {
        let fits = sales().normalised(kind).unwrap().fit(["theta", "drift"]).unwrap();
        let file = folder.path().join(kind.name());
        fits.save(&file).unwrap();
        let (a, b) = (fits.forecast(6).unwrap(), Fits::load(&file).unwrap().forecast(6).unwrap());
        assert_eq!(a.to_frame().unwrap(), b.to_frame().unwrap());
        assert_eq!(a.paths(20, 3).unwrap().total("theta").unwrap(), b.paths(20, 3).unwrap().total("theta").unwrap());
    }
}

/// Paths are on the scale of the data: their ranks lie on the forecast's quantiles, and their mean is the forecast's.
#[test]
fn paths_lie_on_the_forecasts_quantiles() {
    for kind in KINDS {
        let forecast = sales().normalised(kind).unwrap().fit(["theta"]).unwrap().forecast(5).unwrap();
        let key = &forecast.keys()[0];
        let paths = forecast.paths(1000, 4).unwrap().of("theta", key).unwrap();
        for p in [0.1, 0.5, 0.9] {
            for (step, expected) in forecast.quantile("theta", key, p).unwrap().iter().enumerate() {
                let below = paths.iter().filter(|path| path[step] < *expected).count();
                assert_eq!(below, (1000.0 * p) as usize, "{kind:?}, step {step}, quantile {p}");
            }
        }
        for (step, mean) in forecast.mean("theta", key).unwrap().iter().enumerate() {
            let of_paths = paths.iter().map(|path| path[step]).sum::<f64>() / 1000.0;
            assert!((of_paths / mean - 1.0).abs() < 5e-3, "{kind:?}, step {step}: {of_paths} and {mean}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// No series, however wild, makes a transformed forecast anything but finite and ordered, or a counted failure.
    #[test]
    fn quantiles_stay_ordered(
        values in proptest::collection::vec(
            prop_oneof![4 => 0.1..1e4_f64, 1 => Just(0.0), 1 => -5.0..5.0_f64, 1 => proptest::num::f64::POSITIVE],
            2..60,
        ),
        season in 1..7_usize,
    ) {
        let panel = panel_of(&values, season);
        for kind in KINDS {
            for entry in MODELS {
                let forecast = panel.normalised(kind).unwrap().fit([entry.name]).unwrap().forecast(6).unwrap();
                let frame = forecast.levels([0.5, 0.8, 0.95, 0.9999]).unwrap().to_frame().unwrap();
                prop_assert_eq!(forecast.failures().len() + frame.height() / 6, 1);
                let columns: Vec<Vec<f64>> = frame
                    .columns()
                    .iter()
                    .filter(|column| column.name().starts_with('q'))
                    .map(|column| column.f64().unwrap().iter().flatten().collect())
                    .collect();
                for pair in columns.windows(2) {
                    prop_assert!(pair[0].iter().zip(&pair[1]).all(|(low, high)| low <= high && high.is_finite()));
                }
                if frame.height() > 0 {
                    prop_assert!(forecast.mean(entry.name, "all").unwrap().iter().all(|mean| mean.is_finite()));
                }
            }
        }
    }
}

/// What was never below zero is not forecast there, in the mean, the quantiles or the paths; what was, may be.
#[test]
fn logarithms_and_powers_keep_to_zero() {
    let fading: Vec<f64> = (0..48).map(|t| f64::from((60 - 2 * t + (t * 7) % 5).max(0))).collect();
    let positive: Vec<f64> = fading.iter().map(|y| y + 1.0).collect();
    for (kind, values) in [(Normalise::Log1p, &fading), (Normalise::BoxCox, &positive)] {
        let panel = panel_of(values, 12).normalised(kind).unwrap();
        for method in ["naive", "drift", "theta", "ets", "seasonal_naive", "regression"] {
            let forecast = panel.fit([method]).unwrap().forecast(12).unwrap();
            assert!(forecast.failures().is_empty(), "{method}: {:?}", forecast.failures());
            let mean = forecast.mean(method, "all").unwrap();
            let low = forecast.quantile(method, "all", 0.01).unwrap();
            assert!(mean.iter().chain(&low).all(|y| *y >= 0.0), "{method} {kind:?}: {mean:?} {low:?}");
            let paths = forecast.paths(50, 1).unwrap().of(method, "all").unwrap();
            assert!(paths.iter().flatten().all(|y| *y >= 0.0), "{method} {kind:?}");
        }
    }
    let mut returned = fading;
    returned[40] = -0.5;
    let forecast =
        panel_of(&returned, 12).normalised(Normalise::Log1p).unwrap().fit(["drift"]).unwrap().forecast(12).unwrap();
    assert!(forecast.quantile("drift", "all", 0.025).unwrap().iter().any(|y| *y < 0.0));
}
