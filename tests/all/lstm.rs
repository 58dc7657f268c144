//! `lstm`: what it learns, that it is the same every time, that training goes on where it was broken off.
#![cfg(feature = "lstm")]

use std::process::{Command, Stdio};
use std::time::Duration;

use proptest::prelude::*;
use tradewind::polars::prelude::*;
use tradewind::prelude::*;

/// Shops with a week, and a promotion that doubles sales; days from 2022-01-03, a Monday. `change` sees shop, day and value.
fn shops(shops: usize, days: usize, change: impl Fn(usize, usize, f64) -> f64) -> DataFrame {
    let (mut shop_of, mut day_of, mut sold, mut promotions) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut noise = 12_345_u64;
    for shop in 0..shops {
        for day in 0..days {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let shake = (noise >> 40) as f64 / (1_u64 << 24) as f64 - 0.5;
            let promotion = i64::from((day / 7 + shop) % 3 == 0);
            let level = 50.0 * (1.0 + shop as f64);
            let value = level * (1.0 + 0.1 * (day % 7) as f64) * (1.0 + promotion as f64) * (1.0 + 0.2 * shake);
            shop_of.push(format!("shop{shop:02}"));
            day_of.push(18_995 + day as i32);
            sold.push(change(shop, day, value.round()));
            promotions.push(promotion);
        }
    }
    let mut frame = df!("shop" => shop_of, "sold" => sold, "promotion" => promotions).unwrap();
    frame.with_column(Column::new("date".into(), day_of).cast(&DataType::Date).unwrap()).unwrap();
    frame
}

fn columns() -> Columns {
    Columns::new(["shop"], "date", "sold").known(["promotion"])
}

fn panel(days: usize) -> Panel {
    Panel::from_frame(shops(4, days, |_, _, sold| sold), columns()).unwrap()
}

/// The forecast of the next `days` as a frame.
fn ahead(fits: &Fits, days: usize) -> DataFrame {
    let known = fits.panel();
    let future = known.future(days).unwrap().given(shops(4, 300, |_, _, sold| sold)).unwrap();
    fits.forecast(&future).unwrap().to_frame().unwrap()
}

const QUICK: &str = "hidden_size=12, epochs=4, batches_per_epoch=6, windows=1";

#[test]
fn a_week_and_promotions_are_learned() {
    let whole = Panel::from_frame(shops(8, 240, |_, _, sold| sold), columns()).unwrap();
    let model = "lstm(hidden_size=24, epochs=12, batches_per_epoch=20, learning_rate=0.01, windows=2)";
    let trial = whole.backtest([model, "seasonal_naive"], Folds::new(1, 14)).unwrap();
    let (own, naive) = (trial.score(model, "wape").unwrap(), trial.score("seasonal_naive", "wape").unwrap());
    assert!(own < 12.0 && own < 0.35 * naive, "{own} against {naive}");
    let inside = trial.score(model, "coverage80").unwrap();
    assert!((0.6..=0.97).contains(&inside), "{inside}");
}

#[test]
fn counts_have_a_distribution_of_counts() {
    let counts = |shop: usize, day: usize, sold: f64| (sold / 40.0).round() + f64::from((shop + day).is_multiple_of(2));
    let frame = shops(4, 200, counts);
    let panel = Panel::from_frame(frame, Columns::new(["shop"], "date", "sold")).unwrap();
    let model = "lstm(head=negative_binomial, hidden_size=12, epochs=6, batches_per_epoch=10, windows=1)";
    let forecast = panel.fit_for([model], 7).unwrap().forecast(7).unwrap();
    assert!(forecast.failures().is_empty(), "{:?}", forecast.failures());
    let (low, high) = forecast.interval(model, "shop=shop03", 0.9).unwrap();
    assert!(low.iter().chain(&high).all(|end| end.fract() == 0.0 && *end >= 0.0), "{low:?} {high:?}");
    let mean = forecast.mean(model, "shop=shop03").unwrap();
    assert!(low.iter().zip(&mean).all(|(low, mean)| low <= mean), "{mean:?}");
    // What is no count is refused, with the series and the value.
    let broken = shops(4, 200, |shop, day, sold| if (shop, day) == (2, 50) { sold + 0.5 } else { sold });
    let panel = Panel::from_frame(broken, Columns::new(["shop"], "date", "sold")).unwrap();
    let failures = panel.fit_for([model], 7).unwrap().failures();
    assert!(failures[0].reason.contains("counts") && failures[0].reason.contains("shop02"), "{}", failures[0].reason);
}

#[test]
fn the_seed_alone_decides() {
    let panel = panel(120);
    let run = |threads: usize, options: &str| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| ahead(&panel.fit_for([format!("lstm({QUICK}{options})")], 7).unwrap(), 7))
    };
    let means = |frame: &DataFrame| frame.column("mean").unwrap().f64().unwrap().to_vec();
    let first = run(1, "");
    assert_eq!(first, run(3, ""));
    assert_ne!(means(&first), means(&run(2, ", seed=2")));
    // Two at once, in one process, do not disturb each other.
    let both: Vec<DataFrame> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..2).map(|_| scope.spawn(|| run(2, ""))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(both.iter().all(|other| *other == first));
}

/// The program is killed in the middle of training, started again, and says what it says when it is let be.
#[test]
fn training_that_was_killed_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let model = |kept: &str| {
        let kept = folder.join(kept);
        let label = format!(
            "lstm(hidden_size=12, epochs=6, batches_per_epoch=8, windows=1, checkpoint={:?})",
            kept.display().to_string()
        );
        Model::named(&label).unwrap().label().to_string()
    };
    let start = |kept: &str| {
        Command::new(env!("CARGO_BIN_EXE_tradewind"))
            .args(["fit", "--data", "data/walmart_sales_weekly.csv", "--id", "Store,Dept", "--time", "Date"])
            .args(["--target", "Weekly_Sales", "--horizon", "8", "--models", &model(kept), "--save"])
            .arg(folder.join(format!("{kept}.fits")))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let file = || {
        std::fs::read_dir(folder.join("killed"))
            .ok()?
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|end| end == "checkpoint"))
    };
    let mut killed = start("killed");
    // The file is written after every epoch; there are twelve.
    let written = (0..60_000).find_map(|_| {
        std::thread::sleep(Duration::from_millis(2));
        file()
    });
    killed.kill().unwrap();
    assert!(!killed.wait().unwrap().success() && written.is_some());
    assert!(!folder.join("killed.fits").exists());
    let left = std::fs::read(written.unwrap()).unwrap();
    assert!(start("killed").wait().unwrap().success() && start("let be").wait().unwrap().success());
    let (killed, whole) =
        ["killed", "let be"].map(|kept| Fits::load(folder.join(format!("{kept}.fits"))).unwrap()).into();
    let curve = |fits: &Fits, kept: &str| fits.training(&model(kept)).unwrap().frame().clone();
    assert_eq!(curve(&killed, "killed"), curve(&whole, "let be"));
    let mean = |fits: &Fits, kept: &str| fits.forecast(8).unwrap().mean(&model(kept), "Store=1, Dept=1").unwrap();
    assert_eq!(mean(&killed, "killed"), mean(&whole, "let be"));
    // A file that is damaged is refused, not trained over.
    let place = file().unwrap();
    std::fs::write(&place, &left[..left.len() / 2]).unwrap();
    let sales =
        Panel::read("data/walmart_sales_weekly.csv", Columns::new(["Store", "Dept"], "Date", "Weekly_Sales")).unwrap();
    let error = sales.fit_for([model("killed")], 8).map(|_| ()).unwrap_err();
    assert!(error.is_data() && error.to_string().contains("delete it"), "{error}");
}

#[test]
fn values_that_come_from_nowhere_are_served_or_counted() {
    let values = prop_oneof![
        proptest::collection::vec(prop_oneof![Just(f64::NAN), Just(0.0), Just(1e291), -1e3..1e3_f64], 1..30),
        (1..30_usize).prop_map(|n| vec![7.0; n]),
        (1..30_usize).prop_map(|n| vec![f64::NAN; n]),
        Just(vec![3.0]),
    ];
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = proptest::collection::vec(values, 1..4);
    runner
        .run(&strategy, |series| {
            let (mut ids, mut steps, mut y) = (Vec::<u32>::new(), Vec::<i64>::new(), Vec::new());
            for (id, values) in series.iter().enumerate() {
                ids.extend(std::iter::repeat_n(id as u32, values.len()));
                steps.extend(1..=values.len() as i64);
                y.extend(values.iter().map(|y| (!y.is_nan()).then_some(*y)));
            }
            let frame = df!("id" => ids, "t" => steps, "y" => y).unwrap();
            let columns = Columns::new(["id"], "t", "y").season(4).freq("1").unwrap();
            let panel = Panel::from_frame(frame, columns).unwrap();
            let model = "lstm(hidden_size=4, epochs=2, batches_per_epoch=2, batch_size=8)";
            let forecast = panel.fit([model]).unwrap().forecast(5).unwrap();
            let frame = forecast.to_frame().unwrap();
            prop_assert_eq!(forecast.failures().len() + frame.height() / 5, panel.len());
            for column in frame.columns().iter().filter(|column| column.dtype() == &DataType::Float64) {
                prop_assert!(column.f64().unwrap().iter().flatten().all(f64::is_finite));
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_is_asked_for_wrongly_is_told() {
    let panel = panel(100);
    for (label, told) in [
        ("lstm(hiden_size=4)", "did you mean `hidden_size`?"),
        ("lstm(hidden_size=0)", "hidden_size"),
        ("lstm(learning_rate=0)", "learning_rate"),
        ("lstm(dropout=1)", "dropout"),
        ("lstm(head=poisson)", "poisson"),
        ("lstm(num_layers=9)", "num_layers"),
        ("lstm(head=negative_binomial, box_cox=0)", "box_cox"),
        ("lstm(checkpoint=\"\")", "checkpoint"),
        ("combine(models=[\"lstm\", \"theta\"])", "all series together"),
    ] {
        let error = panel.fit([label]).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(told), "{label}: {error}");
    }
    if !cfg!(feature = "cuda") {
        let error = panel.fit(["lstm(device=cuda)"]).map(|_| ()).unwrap_err();
        assert!(error.is_usage() && error.to_string().contains("lstm,cuda"), "{error}");
        assert!(error.to_string().contains("device=cpu"), "{error}");
    }
    // A known covariate that is missing ahead.
    let error = panel.fit_for([format!("lstm({QUICK})")], 7).unwrap().forecast(7).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("promotion") && error.contains("shop=shop00"), "{error}");
}

#[test]
fn a_loss_that_explodes_is_an_error_of_the_model() {
    let model = format!("lstm({QUICK}, learning_rate=1000000, gradient_clip=1000000000)");
    let fits = panel(120).fit_for([model.as_str()], 7).unwrap();
    let failures = fits.failures();
    assert_eq!(failures.len(), 4, "every series");
    assert!(
        failures[0].reason.contains("diverged in epoch") && failures[0].reason.contains("learning_rate"),
        "{}",
        failures[0].reason
    );
}

#[test]
fn kept_and_updated_fits_go_on() {
    let panel = panel(140);
    let known = panel.before("2022-05-16").unwrap();
    let model = format!("lstm({QUICK})");
    let fits = known.fit_for([model.as_str()], 7).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept.fits");
    fits.save(&file).unwrap();
    let loaded = Fits::load(&file).unwrap();
    assert_eq!(ahead(&fits, 7), ahead(&loaded, 7));
    // Beyond what is forecast at once forecasts become the past; the first week is the same.
    let (week, month) = (ahead(&fits, 7), ahead(&fits, 28));
    let mean = |frame: &DataFrame| frame.column("mean").unwrap().f64().unwrap().get(6).unwrap();
    assert!((mean(&week) - mean(&month)).abs() < 1e-9 && month.height() == 4 * 28);
    let updated = loaded.update(&panel).unwrap();
    assert_eq!(ahead(&updated, 7).height(), 28);
    let rounds = fits.training(&model).unwrap();
    assert!(rounds.rows() >= 5, "{}", rounds.rows());
    assert_eq!(known.fit(["naive"]).unwrap().training("naive").unwrap().rows(), 0);
}

/// A series without a past is forecast as any series.
#[test]
fn a_series_without_a_past_is_forecast() {
    let mut hidden = shops(4, 120, |shop, _, sold| if shop == 2 { f64::NAN } else { sold });
    let sold = hidden.column("sold").unwrap().f64().unwrap().iter();
    let sold: Vec<Option<f64>> = sold.map(|sold| sold.filter(|sold| !sold.is_nan())).collect();
    hidden.with_column(Column::new("sold".into(), sold)).unwrap();
    let panel = Panel::from_frame(hidden, columns()).unwrap();
    let fits = panel.fit_for([format!("lstm({QUICK})")], 7).unwrap();
    assert!(fits.failures().is_empty(), "{:?}", fits.failures());
    assert!(ahead(&fits, 7).column("mean").unwrap().f64().unwrap().iter().flatten().all(|mean| mean > 0.0));
}
