//! What every model promises, checked for every row of `MODELS`.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use tradewind::polars::prelude::*;
use tradewind::prelude::*;

use crate::sales;

/// A future whose known covariates are those that the last rows had.
fn future(panel: &Panel, horizon: usize) -> Future {
    let future = panel.future(horizon).unwrap();
    let mut frame = future.to_frame().unwrap();
    frame.with_column(Column::new("IsHoliday".into(), vec![false; frame.height()])).unwrap();
    future.given(frame).unwrap()
}

fn each_model(check: impl Fn(&'static Entry, Model)) {
    for entry in MODELS {
        for label in [usual(entry), entry.example] {
            check(entry, Model::named(label).unwrap());
        }
    }
}

/// A model as it comes. A network of its usual size, and members that are fitted to four windows each, would take minutes
/// here; their examples go the same ways.
fn usual(entry: &Entry) -> &'static str {
    if ["lstm", "select", "stack"].contains(&entry.name) { entry.example } else { entry.name }
}

fn panel_of(values: Vec<Option<f64>>) -> Result<Panel> {
    let steps: Vec<i64> = (1..=values.len() as i64).collect();
    Panel::from_frame(df!("t" => steps, "y" => values).unwrap(), Columns::new([""; 0], "t", "y").season(4).freq("1")?)
}

#[test]
fn every_series_is_forecast_on_the_dates_that_follow() {
    let sales = sales();
    each_model(|_, model| {
        let forecast = sales.fit([&model]).unwrap().forecast(future(&sales, 8)).unwrap();
        let frame = forecast.to_frame().unwrap();
        assert_eq!(frame.height(), 7 * 8, "{}", model.label());
        assert!(forecast.failures().is_empty());
        let dates = frame.column("Date").unwrap().cast(&DataType::String).unwrap();
        let dates: Vec<&str> = dates.str().unwrap().iter().flatten().take(8).collect();
        assert_eq!((dates[0], dates[7]), ("2012-11-02", "2012-12-21"));
        assert_eq!(frame.column("Dept").unwrap().i64().unwrap().get(8), Some(3));
        assert_eq!(frame.column("Date").unwrap().dtype(), sales.to_frame().column("Date").unwrap().dtype());
    });
}

#[test]
fn quantiles_are_ordered_and_the_median_is_among_them() {
    let sales = sales();
    each_model(|_, model| {
        let forecast = sales.fit([&model]).unwrap().forecast(future(&sales, 5)).unwrap();
        let frame = forecast.levels([0.5, 0.8, 0.9, 0.99]).unwrap().to_frame().unwrap();
        let names: Vec<&str> =
            frame.get_column_names().into_iter().map(|n| n.as_str()).filter(|n| n.starts_with('q')).collect();
        assert_eq!(names, ["q0.005", "q0.05", "q0.1", "q0.25", "q0.5", "q0.75", "q0.9", "q0.95", "q0.995"]);
        for pair in names.windows(2) {
            let (low, high) = (frame.column(pair[0]).unwrap(), frame.column(pair[1]).unwrap());
            let rows = low.f64().unwrap().iter().zip(high.f64().unwrap().iter());
            assert!(rows.into_iter().all(|(low, high)| low <= high), "{}: {pair:?}", model.label());
        }
    });
}

#[test]
fn what_comes_after_the_cut_off_does_not_change_the_forecast() {
    let sales = sales();
    let mut frame = sales.to_frame();
    let late = frame.column("Date").unwrap().cast(&DataType::String).unwrap();
    let late: Vec<bool> = late.str().unwrap().iter().map(|date| date >= Some("2012-08-31")).collect();
    let changed = |name: &str, frame: &DataFrame| {
        let values = frame.column(name).unwrap().f64().unwrap().iter().zip(&late);
        Column::new(
            name.into(),
            values.map(|(v, late)| if *late { v.map(|v| 1e6 - 7.0 * v) } else { v }).collect::<Vec<_>>(),
        )
    };
    for name in ["Weekly_Sales", "Temperature"] {
        let column = changed(name, &frame);
        frame.with_column(column).unwrap();
    }
    let other = Panel::from_frame(frame, sales.columns()).unwrap();
    each_model(|_, model| {
        let cut = |panel: &Panel| panel.before("2012-08-31").unwrap();
        assert_eq!(
            cut(&sales).fit([&model]).unwrap().forecast(future(&cut(&sales), 8)).unwrap().to_frame().unwrap(),
            cut(&other).fit([&model]).unwrap().forecast(future(&cut(&other), 8)).unwrap().to_frame().unwrap(),
            "{}",
            model.label()
        );
    });
    // In a backtest the window's target must not matter either.
    let mut frame = sales.to_frame();
    let dates = frame.column("Date").unwrap().cast(&DataType::String).unwrap();
    let inside: Vec<bool> = dates.str().unwrap().iter().map(|date| date >= Some("2012-09-07")).collect();
    for name in ["Weekly_Sales", "Temperature"] {
        let values = frame.column(name).unwrap().f64().unwrap().iter().zip(&inside);
        let values: Vec<Option<f64>> = values.map(|(v, inside)| if *inside { v.map(|v| 3.0 * v) } else { v }).collect();
        frame.with_column(Column::new(name.into(), values)).unwrap();
    }
    let other = Panel::from_frame(frame, sales.columns()).unwrap();
    each_model(|_, model| {
        let means = |panel: &Panel| {
            let table = panel.backtest([&model], Folds::new(1, 8)).unwrap().forecasts().unwrap();
            table.frame().column("mean").unwrap().f64().unwrap().to_vec()
        };
        assert_eq!(means(&sales), means(&other), "{}", model.label());
    });
}

#[test]
fn threads_and_seeds_decide_nothing_but_what_they_should() {
    let sales = sales();
    each_model(|_, model| {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let forecast = sales.fit([&model]).unwrap().forecast(future(&sales, 6)).unwrap();
                (forecast.to_frame().unwrap(), forecast.paths(50, 9).unwrap().total(model.label()).unwrap())
            })
        };
        assert_eq!(run(1), run(5), "{}", model.label());
        let forecast = sales.fit([&model]).unwrap().forecast(future(&sales, 6)).unwrap();
        let total = |seed: u64| forecast.paths(50, seed).unwrap().total(model.label()).unwrap();
        assert_eq!(total(1), total(1));
        assert_ne!(total(1), total(2), "{}", model.label());
    });
}

#[test]
fn labels_and_options_round_trip() {
    each_model(|entry, model| {
        assert_eq!(Model::named(model.label()).unwrap().label(), model.label());
        assert_eq!(model.name(), entry.name);
        let options = entry.options().unwrap();
        for row in 0..options.rows() {
            assert_ne!(
                options.get(row, "meaning").unwrap().to_string(),
                "",
                "{} has an undocumented option",
                entry.name
            );
        }
        assert_eq!(entry.search.is_empty(), options.rows() == 0, "{} has options and nothing worth trying", entry.name);
        for (option, values) in entry.search {
            // A range is tried at its ends.
            let values = values.iter().flat_map(|value| value.trim_end_matches(" log").split(".."));
            for value in values {
                let label = format!("{}({option}={value})", entry.name);
                Model::named(&label).unwrap_or_else(|error| panic!("{label}: {error}"));
            }
        }
        let error = Model::named(&format!("{}(nonsense=1)", entry.name)).unwrap_err();
        assert!(error.is_usage() && error.to_string().contains("nonsense"), "{error}");
    });
    assert!(Model::named("theta(season=0)").unwrap_err().is_usage());
    assert!(Model::named("regression(l1_ratio=2)").unwrap_err().is_usage());
    let error = Model::named("theta(seson=52)").unwrap_err().to_string();
    assert_eq!(error, "unknown option `seson` of theta, did you mean `season`?");
}

#[test]
fn kept_fits_forecast_to_the_same_bits() {
    let sales = sales();
    let folder = tempfile::tempdir().unwrap();
    each_model(|entry, model| {
        let fits = sales.fit([&model]).unwrap();
        let file = folder.path().join(entry.name);
        fits.save(&file).unwrap();
        let loaded = Fits::load(&file).unwrap();
        let ahead = future(&sales, 8);
        let (a, b) = (fits.forecast(&ahead).unwrap(), loaded.forecast(&ahead).unwrap());
        assert_eq!(a.to_frame().unwrap(), b.to_frame().unwrap(), "{}", model.label());
        assert_eq!(
            a.paths(20, 3).unwrap().total(model.label()).unwrap(),
            b.paths(20, 3).unwrap().total(model.label()).unwrap()
        );
        let bytes = std::fs::read(&file).unwrap();
        std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        let error = Fits::load(&file).err().unwrap();
        assert!(error.to_string().contains("damaged"), "{error}");
    });
}

/// An update changes nothing when nothing is new, and brings the states up to the new end otherwise.
#[test]
fn fits_are_brought_up_to_date_without_fitting_again() {
    let sales = sales();
    let early = sales.before("2012-08-31").unwrap();
    each_model(|_, model| {
        let label = model.label();
        let fits = early.fit([&model]).unwrap();
        let again = fits.update(&early).unwrap();
        let means = |fits: &Fits, panel: &Panel| {
            let forecast = fits.forecast(future(panel, 8)).unwrap();
            assert!(forecast.failures().is_empty(), "{label}: {:?}", forecast.failures());
            forecast.keys().iter().map(|key| forecast.mean(label, key).unwrap()).collect::<Vec<_>>()
        };
        for (before, after) in means(&fits, &early).iter().flatten().zip(means(&again, &early).iter().flatten()) {
            assert!((before - after).abs() <= 1e-9 * before.abs(), "{label}: {before} is not {after}");
        }
        let updated = fits.update(&sales).unwrap();
        let key = &sales.keys()[0];
        assert_eq!(updated.residuals(label, key).unwrap().len(), 143, "{label}");
        // The parameters are those of the first fit: what it has seen leaves the same residuals.
        let (old, new) = (fits.residuals(label, key).unwrap(), updated.residuals(label, key).unwrap());
        let same =
            old.iter().zip(&new).all(|(a, b)| (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * a.abs().max(1.0));
        assert!(same, "{label}");
        assert!(means(&updated, &sales).iter().flatten().all(|mean| mean.is_finite()));
    });
    let fits = early.fit(["theta"]).unwrap();
    let other = sales.series("Store=1, Dept=1").unwrap();
    assert!(fits.update(&other).err().unwrap().is_usage());
    let bare = Panel::from_frame(sales.to_frame(), Columns::new(["Store", "Dept"], "Date", "Weekly_Sales")).unwrap();
    assert!(early.fit(["regression"]).unwrap().update(&bare).err().unwrap().to_string().contains("other covariates"));
    assert!(sales.fit(["theta"]).unwrap().update(&early).err().unwrap().to_string().contains("ends earlier"));
}

/// Series that some models cannot serve: each is forecast in finite numbers or counted as a failure with a reason.
#[test]
fn awkward_series_are_served_or_counted() {
    let some = |values: &[f64]| values.iter().map(|v| Some(*v)).collect::<Vec<_>>();
    let awkward: Vec<(&str, Vec<Option<f64>>)> = vec![
        ("one point", some(&[5.0])),
        ("two points", some(&[5.0, 6.0])),
        ("season + 1", some(&[5.0, 6.0, 4.0, 3.0, 5.0])),
        ("constant", some(&[7.0; 40])),
        ("all zero", some(&[0.0; 40])),
        ("all missing", vec![None; 12]),
        ("empty at the end", some(&[3.0, 4.0, 5.0, 4.0, 3.0, 5.0]).into_iter().chain(vec![None; 6]).collect()),
        ("every other missing", (0..40).map(|i| (i % 2 == 0).then_some(f64::from(i))).collect()),
        ("huge", (0..40).map(|i| Some(1e15 * f64::from(1 + i % 4))).collect()),
        ("tiny", (0..40).map(|i| Some(1e-15 * f64::from(1 + i % 4))).collect()),
        ("near the end of numbers", (0..40).map(|i| Some(if i % 2 == 0 { 1e308 } else { -1e308 })).collect()),
        ("negative", (0..40).map(|i| Some(-100.0 - f64::from(i % 4))).collect()),
        ("single sale", (0..40).map(|i| Some(f64::from(u8::from(i == 20)))).collect()),
    ];
    let check = |model: &Model| {
        for (name, values) in &awkward {
            let panel = panel_of(values.clone()).unwrap();
            let fits = panel.fit([model]).unwrap();
            let forecast = fits.forecast(9).unwrap();
            let frame = forecast.to_frame().unwrap();
            assert_eq!(forecast.failures().len() + frame.height() / 9, 1, "{} on {name}", model.label());
            assert!(forecast.failures().iter().all(|failure| !failure.reason.is_empty()));
            for column in frame.columns().iter().filter(|column| column.dtype() == &DataType::Float64) {
                assert!(column.f64().unwrap().iter().flatten().all(f64::is_finite), "{} on {name}", model.label());
            }
        }
    };
    each_model(|_, model| check(&model));
    // On one short series their usual members are soon done.
    for name in ["select", "stack"] {
        check(&Model::named(name).unwrap());
    }
}

#[test]
fn a_missing_known_covariate_is_an_error_that_names_series_and_date() {
    let sales = sales();
    let error = sales.fit(["regression"]).unwrap().forecast(8).err().unwrap().to_string();
    assert!(
        error.contains("IsHoliday") && error.contains("Store=1, Dept=1") && error.contains("2012-11-02"),
        "{error}"
    );
    assert!(sales.fit(["theta"]).unwrap().forecast(8).is_ok(), "theta reads no covariates");
}

#[test]
fn covariates_matter_to_the_model_that_reads_them() {
    let sales = sales();
    let fits = sales.fit(["regression(penalty=0)"]).unwrap();
    let frame = sales.future(8).unwrap().to_frame().unwrap();
    let with = |holiday: bool| {
        let mut frame = frame.clone();
        frame.with_column(Column::new("IsHoliday".into(), vec![holiday; frame.height()])).unwrap();
        let future = sales.future(8).unwrap().given(frame).unwrap();
        fits.forecast(&future).unwrap().mean("regression(penalty=0)", "Store=1, Dept=1").unwrap()
    };
    assert!(with(true).iter().zip(with(false)).all(|(on, off)| (on - off).abs() > 1.0));
}

/// Series as they come from nowhere: wild, short, constant, counted, seasonal, huge, tiny, with holes. Four of five are at most
/// five seasons of four steps: at the edge of what models can serve.
fn arbitrary_series() -> impl Strategy<Value = Vec<Option<f64>>> {
    let wild = prop_oneof![-1e3..1e3_f64, Just(0.0), Just(1e300), Just(-1e-300), proptest::num::f64::NORMAL,];
    let shaped = (1e-3..1e3_f64, -0.02..0.02_f64, 0.0..1.0_f64, 0.0..0.5_f64, -18..18_i32);
    let shaped = (shaped, proptest::collection::vec(-1.0..1.0_f64, 1..70)).prop_map(
        |((level, slope, wave, noise, power), e)| {
            let value = |(t, e): (usize, &f64)| {
                let season = wave * (std::f64::consts::TAU * t as f64 / 4.0).sin();
                level * 10.0_f64.powi(power) * (1.0 + slope * t as f64 + season + noise * e)
            };
            e.iter().enumerate().map(value).collect::<Vec<f64>>()
        },
    );
    let values = prop_oneof![
        3 => proptest::collection::vec(wild, 1..70),
        4 => shaped,
        1 => (proptest::num::f64::NORMAL, 1..70_usize).prop_map(|(value, n)| vec![value; n]),
        2 => proptest::collection::vec((0..4_u8).prop_map(f64::from), 1..70),
    ];
    let most = prop_oneof![4 => 1..=20_usize, 1 => Just(70)];
    (values, most, 0.0..0.3_f64, any::<u64>()).prop_map(|(mut values, most, holes, seed)| {
        values.truncate(most);
        let hole = |t: usize| (seed.wrapping_mul(t as u64 * 2 + 1) >> 40) as f64 / f64::from(1 << 24) < holes - 0.1;
        values.into_iter().enumerate().map(|(t, y)| (!hole(t)).then_some(y)).collect()
    })
}

/// No series, however wild, makes a model panic or forecast anything but finite, ordered numbers. The first four blocks of 500
/// series are tried through all models unless the variable `TRADEWIND_ARBITRARY` names other blocks, and models if it likes
/// (`4..2000 ets arima`: a million is a matter of hours, and may be divided); how many each model served is printed.
#[test]
fn arbitrary_series_never_break_a_model() {
    let asked = std::env::var("TRADEWIND_ARBITRARY").unwrap_or_else(|_| "0..4".into());
    let mut words = asked.split(' ');
    let (first, end) = words.next().unwrap().split_once("..").unwrap();
    let named: Vec<&str> = words.collect();
    let models: Vec<&Entry> = MODELS.iter().filter(|m| named.is_empty() || named.contains(&m.name)).collect();
    let strategy = arbitrary_series();
    let mut served = vec![0; models.len()];
    let mut tried = 0;
    for block in first.parse::<u64>().unwrap()..end.parse().unwrap() {
        let seed: Vec<u8> = [block, 0, 0, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), random);
        let (mut ids, mut steps, mut values) = (Vec::<u32>::new(), Vec::<i64>::new(), Vec::new());
        for id in 0..500_u32 {
            let series = strategy.new_tree(&mut runner).unwrap().current();
            ids.extend(std::iter::repeat_n(id, series.len()));
            steps.extend(1..=series.len() as i64);
            values.extend(series);
        }
        let frame = df!("id" => ids, "t" => steps, "y" => values).unwrap();
        let panel = Panel::from_frame(frame, Columns::new(["id"], "t", "y").season(4).freq("1").unwrap()).unwrap();
        for (entry, served) in models.iter().zip(&mut served) {
            let forecast = panel.fit([usual(entry)]).unwrap().forecast(7).unwrap();
            let frame = forecast.levels([0.95]).unwrap().to_frame().unwrap();
            assert_eq!(forecast.failures().len() + frame.height() / 7, panel.len(), "{}", entry.name);
            let column = |name: &str| frame.column(name).unwrap().f64().unwrap().to_vec_null_aware().left().unwrap();
            let (mean, low, high) = (column("mean"), column("q0.025"), column("q0.975"));
            assert!(mean.iter().chain(&low).chain(&high).all(|v| v.is_finite()), "{}", entry.name);
            assert!(low.iter().zip(&high).all(|(low, high)| low <= high), "{}", entry.name);
            *served += frame.height() / 7;
        }
        tried += panel.len();
        if block % 20 == 19 {
            println!("after block {block}: {tried} tried, served {served:?}");
        }
    }
    for (entry, served) in models.iter().zip(served) {
        println!("{:>24}: {served} of {tried} arbitrary series served, the others counted as failures", entry.name);
    }
}
