//! The decomposition models: seasons go on, saved fits forecast the same bits, updates estimate nothing, no input panics.

use tradewind::models::*;

fn ahead(lead: usize, horizon: usize) -> Ahead<'static> {
    Ahead { lead, horizon, covariates: Vec::new() }
}

fn series(values: &[f64], season: usize) -> Series<'_> {
    Series::of(values, 3, season)
}

fn air() -> Vec<f64> {
    crate::oracles::series()["AirPassengers"].1.clone()
}

/// R 4.2.2, forecast 8.20: `stlf(AirPassengers, h = 24, method = "rwdrift")`, 80 % intervals.
#[test]
fn a_drift_with_seasons_agrees_with_r() {
    let y = air();
    for model in [
        Box::new(Stl { trend: "drift".into(), ..Stl::default() }) as Box<dyn SeriesModel>,
        Box::new(Mstl { seasons: vec![12, 500], trend: "drift".into(), ..Mstl::default() }),
    ] {
        let fit = model.fit(&series(&y, 12)).unwrap();
        let mean = fit.mean(&ahead(0, 24)).unwrap();
        for (h, theirs) in [
            (1, 445.937173797377),
            (2, 429.853499589412),
            (7, 592.068846506865),
            (12, 461.137279795181),
            (13, 475.074453592558),
            (24, 490.274559590363),
        ] {
            assert!((mean[h - 1] - theirs).abs() < 1e-8 * theirs, "{h}: {} is not {theirs}", mean[h - 1]);
        }
        assert_eq!(fit.mean(&ahead(5, 4)).unwrap(), mean[5..9]);
    }
}

#[test]
fn a_saved_fit_forecasts_the_same_bits() {
    let mut y = air();
    y[7] = f64::NAN;
    for trend in ["drift", "theta", "ets"] {
        let model = Mstl { trend: trend.into(), ..Mstl::default() };
        model.check().unwrap();
        let fit = model.fit(&series(&y, 12)).unwrap();
        let loaded: FittedMstl = rmp_serde::from_slice(&fit.save().unwrap()).unwrap();
        let ahead = ahead(2, 30);
        assert_eq!(fit.mean(&ahead).unwrap(), loaded.mean(&ahead).unwrap());
        assert_eq!(fit.std_dev(&ahead), loaded.std_dev(&ahead));
        assert_eq!(fit.describe(), loaded.describe());
        assert!(fit.describe().specification.starts_with("STL[12] + "), "{:?}", fit.describe());
        let same = fit.update(&series(&y, 12)).map(|fit| fit.mean(&ahead).unwrap());
        if let Ok(same) = same {
            let mean = fit.mean(&ahead).unwrap();
            assert!(same.iter().zip(&mean).all(|(a, b)| (a - b).abs() < 1e-9 * b.abs()), "{trend}");
        }
    }
}

#[test]
fn an_update_carries_the_season_on() {
    let y = air();
    let model = Stl { trend: "drift".into(), ..Stl::default() };
    let fit = model.fit(&series(&y[..130], 12)).unwrap();
    let updated = fit.update(&series(&y, 12)).unwrap();
    let season = |fit: &dyn FittedSeries, h: usize| {
        let mean = fit.mean(&ahead(0, 40)).unwrap();
        mean[h] - mean[h - 1]
    };
    // From step to step both rise by the same slope and the same season.
    for h in 1..25 {
        assert!((season(&*fit, h + 14) - season(&*updated, h)).abs() < 1e-8);
    }
    // A series that begins later is brought into step by its calendar.
    let later = Series::of(&y[20..], 23, 12);
    let (late, updated) = (fit.update(&later).unwrap(), updated.mean(&ahead(0, 12)).unwrap());
    assert!(late.mean(&ahead(0, 12)).unwrap().iter().zip(updated).all(|(a, b)| (a - b).abs() < 1e-8));
    assert!(fit.update(&series(&y[..100], 12)).is_err_and(|why| why.is_model()));
}

#[test]
fn without_shocks_a_simulated_path_is_the_forecast() {
    let y = air();
    for trend in ["drift", "theta"] {
        let fit = Stl { trend: trend.into(), ..Stl::default() }.fit(&series(&y, 12)).unwrap();
        let ahead = ahead(3, 20);
        let (mean, mut path) = (fit.mean(&ahead).unwrap(), vec![0.0; 20]);
        fit.simulate(&ahead, &mean, &[0.0; 23], &mut path);
        assert!(path.iter().zip(&mean).all(|(a, b)| (a - b).abs() < 1e-9 * b.abs()), "{trend}");
    }
}

#[test]
fn options_that_make_no_sense_are_refused() {
    assert!(Stl { season: Some(0), ..Stl::default() }.check().is_err_and(|why| why.is_usage()));
    assert!(Mstl { window: Some(Window::Seasons(4)), ..Mstl::default() }.check().is_err_and(|why| why.is_usage()));
    let why = Mstl { trend: "nothing".into(), ..Mstl::default() }.check().unwrap_err();
    assert!(why.is_usage() && why.to_string().contains("nothing"));
}

#[test]
fn no_input_panics_or_forecasts_what_is_no_number() {
    let mut cases: Vec<Vec<f64>> = vec![vec![f64::NAN; 40], (0..100).map(|t| f64::from(t % 7)).collect()];
    for n in [0, 1, 2, 4, 5, 13, 25, 60] {
        for scale in [0.0, 1.0, 1e15, 1e-15, 1e308, -1e308] {
            cases.push(vec![scale; n]);
            cases.push((0..n).map(|t| if t % 3 == 0 { -scale } else { scale * 0.9 }).collect());
            cases.push((0..n).map(|t| if t % 4 == 1 { f64::NAN } else { scale * (t % 7) as f64 * 0.1 }).collect());
        }
    }
    for y in &cases {
        for seasons in [vec![], vec![1], vec![12, 3], vec![y.len() / 2 + 1], vec![usize::MAX, 2]] {
            for trend in ["drift", "ets"] {
                let model = Mstl { seasons: seasons.clone(), trend: trend.into(), ..Mstl::default() };
                let Ok(fit) = model.fit(&series(y, 4)) else { continue };
                let Ok(mean) = fit.mean(&ahead(1, 9)) else { continue };
                // The adapter refuses forecasts that leave the range of numbers, as sums near its end must.
                let near_the_end = y.iter().any(|v| v.abs() > 1e300);
                assert!(near_the_end || mean.iter().chain(&fit.std_dev(&ahead(1, 9))).all(|v| v.is_finite()), "{y:?}");
            }
        }
    }
}
