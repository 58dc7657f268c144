//! `auto`: what the default does with panels that nobody has looked at.

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

/// Numbers between 0 and 1, the same in every run.
fn numbers(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Series by step, `value(series, step)`, on integer steps without a stated season.
fn steps(series: usize, n: usize, mut value: impl FnMut(usize, usize) -> f64) -> Panel {
    let (mut id, mut t, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..series {
        for step in 0..n {
            id.push(i as i64);
            t.push(step as i64);
            y.push(value(i, step));
        }
    }
    let frame = df!("id" => id, "t" => t, "y" => y).unwrap();
    Panel::from_frame(frame, Columns::new(["id"], "t", "y").freq("1").unwrap()).unwrap()
}

fn specification(fits: &Fits, row: usize) -> String {
    fits.diagnostics().unwrap().get(row, "specification").unwrap().to_string()
}

#[test]
fn months_on_integer_steps_have_a_year() {
    let mut noise = numbers(1);
    let wave = |t: usize| (t as f64 / 12.0 * std::f64::consts::TAU).sin();
    let panel = steps(8, 72, |i, t| 100.0 + 10.0 * i as f64 + 30.0 * wave(t) + 4.0 * noise());
    let fits = panel.fit_for(["auto"], 12).unwrap();
    assert!(specification(&fits, 0).contains("season of 12 steps"), "{}", specification(&fits, 0));
    let mean = fits.forecast(12).unwrap().mean("auto", "id=0").unwrap();
    let off = mean.iter().enumerate().map(|(k, mean)| (mean - 102.0 - 30.0 * wave(72 + k)).abs()).fold(0.0, f64::max);
    assert!(off < 6.0, "{mean:?}");
    // Kept and brought up to date, it is the same.
    let bytes = tempfile::tempdir().unwrap();
    fits.save(bytes.path().join("fits")).unwrap();
    let loaded = Fits::load(bytes.path().join("fits")).unwrap();
    assert_eq!(loaded.forecast(12).unwrap().mean("auto", "id=0").unwrap(), mean);
}

#[test]
fn days_of_two_years_have_a_week_and_a_year() {
    let mut noise = numbers(2);
    let days = 800;
    let (mut id, mut day, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..10_i64 {
        for t in 0..days {
            let christmas = if (340..360).contains(&(t % 365)) { 60.0 } else { 0.0 };
            id.push(i);
            day.push(18_262 + t);
            y.push(80.0 + 20.0 * f64::from(u8::from(t % 7 == 4)) + christmas + 8.0 * noise());
        }
    }
    let day = Column::new("day".into(), day).cast(&DataType::Date).unwrap();
    let frame = df!("id" => id, "y" => y).unwrap().hstack(&[day]).unwrap();
    // The first fold ends before the second Christmas.
    let panel = Panel::from_frame(frame, Columns::new(["id"], "day", "y")).unwrap().before("2021-12-27").unwrap();
    let trial = panel.backtest(["auto", "ets"], Folds::new(1, 28)).unwrap();
    let (auto, ets) = (trial.score("auto", "wape").unwrap(), trial.score("ets", "wape").unwrap());
    assert!(auto < 0.5 * ets, "auto {auto}, ets {ets}");
}

/// Every 17th day the shop is shut, and a flag says so ahead.
#[test]
fn nothing_is_sold_on_closed_days() {
    let mut noise = numbers(3);
    let (mut id, mut day, mut y, mut open) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for i in 0..4_i64 {
        for t in 0..200 {
            let shut = (t + i as i32) % 17 == 0;
            id.push(i);
            day.push(19_723 + t);
            open.push(i64::from(!shut));
            y.push(if shut { 0.0 } else { 50.0 + 10.0 * f64::from(t % 7) + 5.0 * noise() });
        }
    }
    let day = Column::new("day".into(), day).cast(&DataType::Date).unwrap();
    let frame = df!("id" => id, "y" => y, "open" => open.clone()).unwrap().hstack(&[day]).unwrap();
    let whole = Panel::from_frame(frame.clone(), Columns::new(["id"], "day", "y").known(["open"])).unwrap();
    let known = whole.before("2024-06-29").unwrap();
    let future = known.future(14).unwrap().given(frame).unwrap();
    // With most of the weight on models that read no covariates, too.
    for label in ["auto", "auto(models=[seasonal_naive, \"boost(num_rounds=2)\"])"] {
        let forecast = known.fit_for([label], 14).unwrap().forecast(&future).unwrap();
        let model = forecast.models().remove(0);
        for i in 0..4_usize {
            let key = format!("id={i}");
            let (mean, high) = (forecast.mean(&model, &key).unwrap(), forecast.quantile(&model, &key, 0.975).unwrap());
            for step in 0..14 {
                let shut = open[i * 200 + 180 + step] == 0;
                assert_eq!(mean[step] == 0.0, shut, "{label} {key} {step}: {mean:?}");
                assert_eq!(high[step] == 0.0, shut, "{label} {key} {step}: {high:?}");
            }
        }
    }
}

#[test]
fn what_was_never_below_zero_is_not_forecast_there() {
    for label in ["auto", "ensemble"] {
        let mut noise = numbers(4);
        let panel = steps(3, 60, |i, t| {
            let falling = (9.0 - 0.15 * t as f64).max(0.0) + 1.5 * noise();
            if i == 2 { falling - 6.0 } else { falling }
        });
        let forecast = panel.fit_for([label], 12).unwrap().forecast(12).unwrap();
        let low = |key: &str| forecast.quantile(label, key, 0.025).unwrap();
        for key in ["id=0", "id=1"] {
            assert!(forecast.mean(label, key).unwrap().iter().all(|mean| *mean >= 0.0), "{label}");
            assert!(low(key).iter().all(|low| *low >= 0.0), "{label}");
            let paths = forecast.paths(200, 7).unwrap().of(label, key).unwrap();
            assert!(paths.iter().flatten().all(|value| *value >= 0.0), "{label}");
        }
        // A series that was below zero goes on.
        assert!(low("id=2").iter().all(|low| *low < -3.0), "{label}: {:?}", low("id=2"));
    }
}

/// Eight per cent a step for forty steps: a hundred more would be two thousand times as much.
#[test]
fn what_explodes_is_left_out() {
    let mut noise = numbers(5);
    let panel = steps(1, 40, |_, t| 1.08_f64.powi(t as i32) * (0.7 + 0.6 * noise()));
    let alone = panel.fit(["ets(model=MMN)"]).unwrap().forecast(100).unwrap();
    let highest = |forecast: &Forecast, model: &str| {
        forecast.quantile(model, "id=0", 0.975).unwrap().into_iter().fold(0.0, f64::max)
    };
    assert!(highest(&alone, "ets(model=MMN)") > 1e4);
    let label = "combine(models=[\"ets(model=MMN)\", naive, theta], by=weights)";
    let both = panel.fit([label]).unwrap().forecast(100).unwrap();
    assert!(highest(&both, label) < 500.0, "{}", highest(&both, label));
}

/// What a default must bear.
#[test]
fn odd_panels_are_served() {
    let mut noise = numbers(6);
    let three = steps(500, 3, |i, t| 1.0 + i as f64 + t as f64);
    let zero = steps(5, 40, |_, _| 0.0);
    let one = steps(1, 60, |_, t| 20.0 + (t % 4) as f64);
    let holes = steps(4, 40, |_, t| if t % 3 == 1 { f64::NAN } else { 10.0 + (t % 12) as f64 + noise() });
    for (what, panel) in [("three values", three), ("zero", zero), ("one series", one), ("holes", holes)] {
        let forecast = panel.fit_for(["auto"], 4).unwrap().forecast(4).unwrap();
        assert!(forecast.failures().is_empty(), "{what}: {:?}", forecast.failures());
        for key in panel.keys() {
            assert!(forecast.mean("auto", &key).unwrap().iter().all(|mean| mean.is_finite()), "{what}");
        }
        if what == "zero" {
            assert_eq!(forecast.quantile("auto", "id=0", 0.975).unwrap(), [0.0; 4]);
        }
    }
}

/// With TRADEWIND_DATA: 78 weeks of a shop's departments, and thirteen ahead; no model of a single series has seen two years.
#[test]
fn less_than_two_years_know_the_year() {
    let Some(folder) = crate::data_folder("samples") else { return };
    let file = std::fs::File::open(folder.join("walmart_dept300_train.parquet")).unwrap();
    let sales = ParquetReader::new(file).finish().unwrap().select(["unique_id", "ds", "y"]).unwrap();
    let panel = Panel::from_frame(sales, Columns::new(["unique_id"], "ds", "y")).unwrap().before("2011-11-04").unwrap();
    let trial = panel.backtest(["auto", "ensemble", "seasonal_naive"], Folds::new(1, 13)).unwrap();
    let score = |model: &str| trial.score(model, "mase").unwrap();
    assert!(score("auto") < score("seasonal_naive") && score("auto") < 0.9 * score("ensemble"), "{}", score("auto"));
}

#[test]
fn what_it_is_made_of_is_said() {
    let sales = crate::sales();
    let fits = sales.fit_for(["auto(regressors=false)"], 8).unwrap();
    let shares = fits.chosen("auto(regressors=false)").unwrap();
    let share = |row: usize| shares.get(row, "mean weight").unwrap().to_string().parse::<f64>().unwrap();
    let total: f64 = (0..shares.rows()).map(share).sum();
    assert!((total - 1.0).abs() < 1e-3, "{shares}");
    assert!(Model::named("auto(budget=0)").is_err() && Model::named("auto(seasons=[0])").is_err());
    let error = Model::named("combine(models=[auto, naive])").err().unwrap().to_string();
    assert!(error.contains("ensemble"), "{error}");
}

/// Weeks of some series before a Christmas that no window has seen but one year ago: shops that sell three times as much then,
/// each a little more or less.
fn weeks(series: usize, n: i32, unit: f64) -> Panel {
    let mut noise = numbers(8);
    let (mut id, mut day, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..series {
        for t in 0..n {
            let end = 14_645 + 7 * t;
            // The three weeks from 4 December 2010 and 2011 on.
            let festive =
                (end - 6..=end).filter(|day| [14_947, 15_312].iter().any(|first| (0..21).contains(&(day - first))));
            let peak = (2.0 + 0.1 * (i % 5) as f64) * festive.count() as f64 / 7.0;
            id.push(i as i64);
            day.push(end);
            y.push(unit * (100.0 + 5.0 * i as f64) * (1.0 + peak + 0.1 * noise()));
        }
    }
    let day = Column::new("day".into(), day).cast(&DataType::Date).unwrap();
    let frame = DataFrame::new(id.len(), vec![Column::new("id".into(), id), day, Column::new("y".into(), y)]).unwrap();
    Panel::from_frame(frame, Columns::new(["id"], "day", "y")).unwrap()
}

#[test]
fn a_christmas_that_no_window_has_seen_is_known_and_intervals_are_wider_there() {
    let whole = weeks(30, 105, 1.0);
    let known = whole.before("2011-11-11").unwrap();
    let sold = whole.to_frame();
    let sold: Vec<f64> = sold.column("y").unwrap().f64().unwrap().into_no_null_iter().collect();
    let forecast = known.fit_for(["auto"], 13).unwrap().forecast(13).unwrap();
    let mut covered = 0;
    for (key, sold) in known.keys().into_iter().zip(sold.chunks(105)) {
        let mean = forecast.mean("auto", &key).unwrap();
        let actual = &sold[92..];
        let (low, high) = forecast.interval("auto", &key, 0.95).unwrap();
        for step in 4..7 {
            assert!((mean[step] / actual[step] - 1.0).abs() < 0.15, "{key} {step}: {} {}", mean[step], actual[step]);
            covered += usize::from((low[step]..=high[step]).contains(&actual[step]));
            assert!(high[step] - low[step] > 1.2 * (high[0] - low[0]), "{key} {step}");
        }
    }
    assert!(covered >= 80, "{covered} of 90");
    let caveat = forecast.caveat().unwrap();
    assert!(caveat.contains("30 series: intervals are up to") && caveat.contains("this part of the year"), "{caveat}");
}

#[test]
fn sales_may_be_counted_in_any_unit() {
    let of = |unit: f64| {
        let forecast = weeks(12, 92, unit).fit_for(["auto"], 13).unwrap().forecast(13).unwrap();
        let all = forecast.keys().into_iter().flat_map(|key| {
            let (low, high) = forecast.interval("auto", &key, 0.8).unwrap();
            [forecast.mean("auto", &key).unwrap(), low, high].concat()
        });
        all.map(|value| value / unit).collect::<Vec<f64>>()
    };
    let one = of(1.0);
    for unit in [0.001, 12.5] {
        let other = of(unit);
        let off = one.iter().zip(&other).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max);
        assert!(off < 1e-6, "{unit}: {off}");
    }
}

#[test]
fn who_fails_on_some_windows_stands_below_who_serves_all() {
    let panel = steps(2, 24, |i, t| if i == 1 && t < 18 { f64::NAN } else { 10.0 + 3.0 * t as f64 });
    let trial = panel.backtest(["naive", "drift"], Folds::new(1, 4)).unwrap();
    assert!(trial.score("drift", "mae").unwrap() < trial.score("naive", "mae").unwrap());
    assert_eq!(trial.failures().len(), 1, "{:?}", trial.failures());
    assert_eq!(trial.best("mae").unwrap(), "naive");
    assert!(trial.caveat().unwrap().contains("stands below who served all"));
}

/// Trees that cannot follow growth are not fitted to the end, unless somebody asks for them.
#[test]
fn what_is_dear_and_far_behind_is_left_out() {
    let mut noise = numbers(5);
    let growth = |i: usize, t: usize| ((0.02 + 0.01 * i as f64) * t as f64).exp();
    let panel = steps(20, 60, |i, t| 100.0 * growth(i, t) * (1.0 + 0.001 * noise()));
    let said = |model: &str| specification(&panel.fit_for([model], 6).unwrap(), 0);
    assert!(said("auto").contains(", without boost"), "{}", said("auto"));
    let asked = "stack(models=[ensemble, boost])";
    assert!(!said(asked).contains("without"), "{}", said(asked));
}

#[test]
fn covariates_that_are_read_are_named() {
    let panel = steps(6, 60, |i, t| 50.0 + i as f64 + (t % 4) as f64);
    let mut frame = panel.to_frame();
    let promo: Vec<f64> = (0..frame.height()).map(|row| f64::from(u8::from(row % 7 == 3))).collect();
    frame.with_column(Column::new("promo".into(), promo)).unwrap();
    frame.with_column(Column::new("same".into(), vec![1.0; frame.height()])).unwrap();
    let columns = Columns::new(["id"], "t", "y").freq("1").unwrap().known(["promo", "same"]);
    let panel = Panel::from_frame(frame, columns).unwrap();
    let said = specification(&panel.fit_for(["stack(models=[ridge, theta])"], 4).unwrap(), 0);
    assert!(said.contains("reading promo") && !said.contains("same"), "{said}");
}
