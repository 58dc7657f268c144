//! Decompositions and tests agree with R: see the header of each file in `tests/oracles/`.

use std::collections::BTreeMap;

use tradewind::statistics::*;

use crate::oracles::{known_series, rows, series};

fn number(text: &str) -> f64 {
    if text.trim() == "NA" { f64::NAN } else { text.trim().parse().unwrap() }
}

#[test]
fn decompositions_agree_with_r() {
    let series = series();
    let mut oracle: BTreeMap<(String, String), Vec<[f64; 4]>> = BTreeMap::new();
    for row in rows("decomposition.csv") {
        let parts = [3, 4, 5, 6].map(|i| number(&row[i]));
        oracle.entry((row[0].clone(), row[1].clone())).or_default().push(parts);
    }
    let mut worst = BTreeMap::new();
    for ((name, kind), theirs) in &oracle {
        // Hours with a season of a day and one of a week: the formula of decompose.R.
        let hour = |t: u32| {
            let turn = |season: f64| std::f64::consts::TAU * f64::from(t) / season;
            100.0
                + f64::from(t) / 10.0
                + 10.0 * turn(24.0).sin()
                + 5.0 * turn(168.0).cos()
                + f64::from(t * 7919 % 101) / 10.0
        };
        let (seasons, mut y) = match series.get(name) {
            Some((season, y)) => (vec![*season], y.clone()),
            None => (vec![168, 24], (0..600).map(hour).collect()),
        };
        y.iter_mut().zip(theirs).filter(|(_, p)| p[3].is_nan()).for_each(|(y, _)| *y = f64::NAN);
        let ours = match kind.as_str() {
            "periodic" => {
                let options = StlOptions { seasonal: SeasonalWindow::Periodic, ..StlOptions::default() };
                let parts = stl(&y, seasons[0], &options).unwrap();
                Mstl { seasons, seasonal: vec![parts.seasonal], trend: parts.trend, remainder: parts.remainder }
            }
            _ => mstl(&y, &seasons, &MstlOptions::default()).unwrap(),
        };
        let scale = y.iter().filter(|v| !v.is_nan()).fold(0.0_f64, |a, v| a.max(v.abs()));
        for (t, theirs) in theirs.iter().enumerate() {
            let season = |i: usize| ours.seasonal.get(i).map_or(0.0, |s| s[t]);
            let ours = [ours.trend[t], season(0), season(1), ours.remainder[t]];
            for (ours, theirs) in ours.iter().zip(theirs) {
                assert_eq!(ours.is_nan(), theirs.is_nan());
                if !ours.is_nan() {
                    let w = worst.entry((name, kind)).or_insert(0.0_f64);
                    *w = w.max((ours - theirs).abs() / scale);
                }
            }
        }
    }
    // Gaps are filled with the help of a robust decomposition, in which R's medians are not always medians: see robust.py.
    let near = |name: &str, kind: &str| match (kind, name) {
        ("gaps", "USAccDeaths") => 1e-8,
        ("gaps", _) => 0.02,
        _ => 1e-8,
    };
    for ((name, kind), worst) in worst {
        assert!(worst < near(name, kind), "{name}, {kind}: {worst}");
    }
}

#[test]
fn unit_root_tests_agree_with_r() {
    let series = series();
    for row in rows("unit_roots.csv") {
        let (season, y) = &series[&row[0]];
        assert_eq!(ndiffs(y, 0.05).to_string(), row[1], "{row:?}");
        assert_eq!(nsdiffs(y, *season).to_string(), row[2], "{row:?}");
        let (level, trend) = (kpss(y, Around::Level, None).unwrap(), kpss(y, Around::Trend, None).unwrap());
        let augmented = adf(y, Deterministic::Trend, None).unwrap();
        assert_eq!(augmented.lags.to_string(), row[8]);
        let ours = [
            level.statistic,
            level.p_value,
            trend.statistic,
            trend.p_value,
            augmented.statistic,
            adf(y, Deterministic::Nothing, Some(3)).unwrap().statistic,
            adf(y, Deterministic::Constant, Some(3)).unwrap().statistic,
        ];
        for (ours, i) in ours.iter().zip([3, 4, 5, 6, 7, 9, 10]) {
            let theirs = number(&row[i]);
            assert!((ours - theirs).abs() < 1e-8 * theirs.abs().max(1.0), "{} column {i}: {ours} {theirs}", row[0]);
        }
    }
}

#[test]
fn robust_decompositions_agree_with_statsmodels() {
    let oracle = rows("robust.csv");
    for (name, (season, y)) in series().iter().filter(|(_, (season, _))| *season > 1) {
        let options = StlOptions { seasonal: SeasonalWindow::Seasons(7), robust: true, ..StlOptions::default() };
        let ours = stl(y, *season, &options).unwrap();
        let scale = y.iter().fold(0.0_f64, |a, v| a.max(v.abs()));
        for (t, row) in oracle.iter().filter(|row| row[0] == *name).enumerate() {
            for (ours, theirs) in [ours.trend[t], ours.seasonal[t], ours.remainder[t]].iter().zip(&row[2..]) {
                assert!((ours - number(theirs)).abs() < 1e-8 * scale, "{name}, {t}: {ours} is not {theirs}");
            }
        }
    }
}

#[test]
fn tests_of_one_series_agree_with_r() {
    let series = series();
    for row in rows("tests.csv") {
        let mut y = series[&row[0]].1.clone();
        let (at, statistic, p) = (row[2].parse::<usize>().unwrap(), number(&row[3]), number(&row[4]));
        let what = row[1].strip_suffix("_gaps").unwrap_or(&row[1]);
        if what != row[1] {
            [2, 9, 10].iter().for_each(|t| y[*t] = f64::NAN);
        }
        let portmanteau = |test: Portmanteau| (test.statistic, test.p_value);
        let normality = |test: NormalityTest| (test.statistic, test.p_value);
        let ours = match what {
            "acf" => (autocorrelations(&y, 12).unwrap()[at - 1], 0.0),
            "pacf" => (partial_autocorrelations(&autocorrelations(&y, 12).unwrap())[at - 1], 0.0),
            "ljung" => portmanteau(ljung_box(&y, 10, 2).unwrap()),
            "pierce" => portmanteau(box_pierce(&y, 10, 2).unwrap()),
            "shapiro" => normality(shapiro_wilk(&y).unwrap()),
            "shapiro_first" => normality(shapiro_wilk(&y[..at]).unwrap()),
            _ => normality(jarque_bera(&y).unwrap()),
        };
        let near = |ours: f64, theirs: f64| (ours - theirs).abs() < 1e-8 * theirs.abs() + 1e-10;
        assert!(near(ours.0, statistic) && near(ours.1, p), "{row:?}: {ours:?}");
    }
}

#[test]
fn no_input_is_answered_by_a_panic_or_a_number_that_is_none() {
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from_bits(state ^ (state >> 29))
    };
    let wild: Vec<f64> = (0..60).map(|_| random()).collect();
    let noise: Vec<f64> = (0..1_500_u64).map(|t| (t.wrapping_mul(2_654_435_761) % 1_000) as f64 * 1e-9).collect();
    let mut spike = noise.clone();
    spike[1_400] = 1e9;
    let mut cases = vec![wild, noise, spike, (0..60).map(f64::from).collect(), vec![f64::NAN; 30]];
    for n in [0, 1, 2, 3, 5, 13, 25, 40] {
        for scale in [0.0, 1.0, 1e15, 1e-15, 1e308, -1e308, 5e-324] {
            cases.push(vec![scale; n]);
            cases.push((0..n).map(|t| if t % 3 == 0 { -scale } else { scale * 0.9 }).collect());
            cases.push((0..n).map(|t| if t % 4 == 1 { f64::NAN } else { scale * (t % 7) as f64 * 0.1 }).collect());
        }
    }
    for y in &cases {
        for season in [1, 2, 7, 12, y.len() / 2 + 1, usize::MAX] {
            for robust in [false, true] {
                if let Ok(parts) = mstl(y, &[season, 3], &MstlOptions { robust, ..MstlOptions::default() }) {
                    assert!(parts.trend.iter().chain(parts.seasonal.iter().flatten()).all(|v| v.is_finite()), "{y:?}");
                    let strengths = parts.seasonal_strengths();
                    assert!(strengths.iter().chain([&parts.trend_strength()]).all(|s| (0.0..=1.0).contains(s)));
                }
                let options = StlOptions { seasonal: SeasonalWindow::Periodic, trend: Some(0), robust };
                if let Ok(parts) = stl(y, season, &options) {
                    assert!(parts.remainder.iter().all(|v| v.is_finite()));
                }
            }
            assert!(nsdiffs(y, season) <= 1);
        }
        assert!(ndiffs(y, 0.05) <= 2);
        for lags in [None, Some(0), Some(3), Some(usize::MAX - 1)] {
            for around in [Around::Level, Around::Trend] {
                if lags.is_none_or(|lags| lags < 10)
                    && let Ok(test) = kpss(y, around, lags)
                {
                    assert!(test.statistic.is_finite() && (0.01..=0.1).contains(&test.p_value));
                }
            }
            for with in [Deterministic::Nothing, Deterministic::Constant, Deterministic::Trend] {
                if let Ok(test) = adf(y, with, lags) {
                    assert!(test.statistic.is_finite() && (0.0..=1.0).contains(&test.p_value));
                }
            }
        }
        for lags in [0, 1, 5, 100] {
            let whole = |test: tradewind::Result<Portmanteau>| {
                test.is_ok_and(|test| !test.statistic.is_finite() || !(0.0..=1.0).contains(&test.p_value))
            };
            assert!(!whole(ljung_box(y, lags, 1)) && !whole(box_pierce(y, lags, 0)));
            if let Ok(correlations) = autocorrelations(y, lags) {
                assert!(partial_autocorrelations(&correlations).iter().all(|r| r.is_finite()), "{y:?}");
            }
        }
        for test in [jarque_bera(y), shapiro_wilk(y)].into_iter().flatten() {
            assert!(test.statistic.is_finite() && (0.0..=1.0).contains(&test.p_value), "{y:?} {test:?}");
        }
        if let Ok(found) = changepoints(y, 100.0) {
            assert!(found.iter().all(|at| *at > 0 && *at < y.len()));
        }
    }
}

#[test]
fn a_shift_of_the_level_is_found() {
    let y: Vec<f64> = (0..200_u64)
        .map(|t| (t.wrapping_mul(2_654_435_761) % 1_000) as f64 / 1_000.0 + if t < 120 { 0.0 } else { 3.0 })
        .collect();
    let found = changepoints(&y, 250.0).unwrap();
    assert!(found.len() == 1 && found[0].abs_diff(120) <= 1, "{found:?}");
}

/// The annual flow of the Nile fell in 1899 (Cobb 1978, Biometrika 65: the drop follows 1898), the 28th year after 1871.
#[test]
fn the_nile_fell_once() {
    assert_eq!(changepoints(&series()["Nile"].1, 100.0).unwrap(), [28]);
}

/// Statistics and p-values of `adfuller(maxlag=lags, autolag=None)` in statsmodels 0.15.
#[test]
fn dickey_fuller_p_values_agree_with_statsmodels() {
    use Deterministic::{Constant, Nothing, Trend};
    let series = series();
    for (name, with, lags, statistic, p) in [
        ("Nile", Nothing, 0, -1.1170486082378992, 0.23955512502462684),
        ("Nile", Nothing, 3, -0.9133231025538601, 0.3233497690355551),
        ("Nile", Constant, 0, -5.664609694969192, 9.212788656117925e-7),
        ("Nile", Constant, 3, -3.111884551020395, 0.02568608884114898),
        ("Nile", Trend, 0, -6.607991420815022, 1.0665007916483243e-7),
        ("Nile", Trend, 3, -3.7843920756560894, 0.017367542524984843),
        ("AirPassengers", Nothing, 0, 0.04711965847541439, 0.6997326711216105),
        ("AirPassengers", Nothing, 3, 0.2603383997204886, 0.7639617599242073),
        ("AirPassengers", Constant, 0, -1.7480928476954314, 0.40651928610565724),
        ("AirPassengers", Constant, 3, -1.5356277683826973, 0.5158189874233662),
        ("AirPassengers", Trend, 0, -4.639196964346895, 0.0008857695636921938),
        ("AirPassengers", Trend, 3, -6.935821136302973, 1.973007224929077e-8),
    ] {
        let test = adf(&series[name].1, with, Some(lags)).unwrap();
        assert!((test.statistic - statistic).abs() < 1e-8 && (test.p_value - p).abs() < 1e-8 * p + 1e-12, "{test:?}");
    }
}

/// All 200 M3 series need the differences that R says, and have seasons as strong; skipped without the data.
#[test]
fn differences_on_m3_are_those_of_r() {
    let m3: BTreeMap<String, Vec<f64>> =
        known_series().into_iter().filter(|((set, _), _)| set != "classic").map(|((_, id), y)| (id, y)).collect();
    if m3.is_empty() {
        return;
    }
    let rows = rows("ndiffs_m3.csv");
    assert_eq!(rows.len(), 200);
    for row in rows {
        let (y, season) = (&m3[&row[0]], number(&row[1]) as usize);
        assert_eq!([ndiffs(y, 0.05), nsdiffs(y, season)].map(|d| d.to_string()), row[2..4], "{row:?}");
        let parts = mstl(y, &[season], &MstlOptions::default()).unwrap();
        let strength = parts.seasonal_strengths().first().copied().unwrap_or(0.0);
        assert!(season == 1 || (strength - number(&row[4])).abs() < 1e-6, "{row:?}: {strength}");
    }
}
