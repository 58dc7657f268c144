//! Models that learn across series: what they learn, that nothing leaks, what they say of themselves.

use std::process::Command;

use tradewind::boosting::{Binned, Boosting, Objective, Rows};
use tradewind::prelude::*;

/// Two groups of shops with a promotion that doubles sales and a day on which they are closed; days from 2022-01-03, a Monday.
fn shops(shops: usize, days: usize) -> DataFrame {
    let mut rows: Vec<(String, i32, f64, i64, i64, f64, String)> = Vec::new();
    let mut noise = 12_345_u64;
    for shop in 0..shops {
        for day in 0..days {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let shake = (noise >> 40) as f64 / (1_u64 << 24) as f64 - 0.5;
            let open = i64::from(day % 7 != 6);
            let promotion = i64::from((day / 7 + shop) % 3 == 0);
            let level = 100.0 * (1.0 + shop as f64) * if shop % 2 == 0 { 1.0 } else { 3.0 };
            let weekday = 1.0 + 0.1 * (day % 7) as f64;
            let sold = level * weekday * (1.0 + promotion as f64) * (1.0 + 0.1 * shake) * open as f64;
            rows.push((
                format!("shop{shop:02}"),
                18_995 + day as i32,
                sold.round(),
                promotion,
                open,
                shake,
                if shop % 2 == 0 { "small" } else { "large" }.into(),
            ));
        }
    }
    let day: Vec<i32> = rows.iter().map(|row| row.1).collect();
    let date = Column::new("date".into(), day).cast(&DataType::Date).unwrap();
    let frame = df!(
        "shop" => rows.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(),
        "sold" => rows.iter().map(|row| row.2).collect::<Vec<_>>(),
        "promotion" => rows.iter().map(|row| row.3).collect::<Vec<_>>(),
        "open" => rows.iter().map(|row| row.4).collect::<Vec<_>>(),
        "mood" => rows.iter().map(|row| row.5).collect::<Vec<_>>(),
        "kind" => rows.iter().map(|row| row.6.as_str()).collect::<Vec<_>>(),
    );
    let mut frame = frame.unwrap();
    frame.with_column(date).unwrap();
    frame
}

fn columns() -> Columns {
    Columns::new(["shop"], "date", "sold").known(["promotion", "open"]).observed(["mood"]).fixed(["kind"])
}

#[test]
fn promotions_and_closed_days_are_learned() {
    let panel = Panel::from_frame(shops(8, 300), columns()).unwrap();
    for model in ["boost(num_rounds=60)", "forest(num_trees=30)", "ridge", "elastic_net"] {
        let trial = panel.backtest([model, "seasonal_naive"], Folds::new(2, 14)).unwrap();
        let (own, naive) = (trial.score(model, "wape").unwrap(), trial.score("seasonal_naive", "wape").unwrap());
        assert!(own < 0.35 * naive && own < 12.0, "{model}: {own} against {naive}");
        let inside = trial.score(model, "coverage80").unwrap();
        assert!((0.65..=0.95).contains(&inside), "{model}: {inside}");
    }
    let (known, whole) = (panel.before("2022-10-10").unwrap(), shops(8, 300));
    let future = known.future(14).unwrap().given(whole).unwrap();
    let forecast = known.fit_for(["boost(num_rounds=60)"], 14).unwrap().forecast(&future).unwrap();
    let mean = forecast.mean("boost(num_rounds=60)", "shop=shop03").unwrap();
    assert_eq!((mean[6], mean[13]), (0.0, 0.0), "closed on Sundays: {mean:?}");
    let (low, high) = forecast.interval("boost(num_rounds=60)", "shop=shop03", 0.95).unwrap();
    assert_eq!((low[6], high[6]), (0.0, 0.0));
    assert!(low.iter().zip(&high).all(|(low, high)| low <= high));
    // What if there were no promotion?
    let without = known.fit_for(["boost(num_rounds=60)"], 14).unwrap();
    let means =
        |future: &Future| without.forecast(future).unwrap().mean("boost(num_rounds=60)", "shop=shop03").unwrap();
    let (with, without) =
        (means(&future.what_if("promotion", &[1.0]).unwrap()), means(&future.what_if("promotion", &[0.0]).unwrap()));
    for (step, (with, without)) in with.iter().zip(&without).enumerate().filter(|(step, _)| step % 7 != 6) {
        assert!((1.6..2.4).contains(&(with / without)), "step {step}: {with} against {without}");
    }
    assert!(future.what_if("promotions", &[1.0]).unwrap_err().to_string().contains("did you mean `promotion`?"));
    assert!(future.what_if("promotion", &[1.0; 3]).is_err() && future.what_if("kind=large", &[1.0]).is_err());
}

#[test]
fn more_steps_than_were_learned_go_on_recursively() {
    let panel = Panel::from_frame(shops(4, 200), columns()).unwrap();
    let known = panel.before("2022-06-06").unwrap();
    let future = known.future(40).unwrap().given(shops(4, 200)).unwrap();
    for model in ["boost(num_rounds=40, horizon=7)", "boost(num_rounds=40, horizon=1)"] {
        let forecast = known.fit([model]).unwrap().forecast(&future).unwrap();
        let mean = forecast.mean(model, "shop=shop01").unwrap();
        let actual = panel.series("shop=shop01").unwrap();
        assert!(mean.iter().all(|mean| mean.is_finite()) && actual.len() == 1);
        // Sundays are closed, and a promotion doubles sales, 40 steps ahead as well.
        assert!((0..40).all(|step| (step % 7 == 6) == (mean[step] == 0.0)), "{mean:?}");
        let level = |step: usize| mean[step] / (1.0 + 0.1 * (step % 7) as f64);
        let (least, most) = (0..40)
            .filter(|step| step % 7 != 6)
            .fold((f64::MAX, 0.0_f64), |(least, most), step| (least.min(level(step)), most.max(level(step))));
        assert!((1.6..2.6).contains(&(most / least)), "{model}: {least} {most}");
    }
}

#[test]
fn a_shop_without_history_is_forecast() {
    let mut frame = shops(8, 200);
    let keys: Vec<String> =
        frame.column("shop").unwrap().str().unwrap().iter().map(|key| key.unwrap().to_string()).collect();
    let sold: Vec<Option<f64>> = frame.column("sold").unwrap().f64().unwrap().iter().collect();
    let hidden: Vec<Option<f64>> =
        keys.iter().zip(&sold).map(|(key, y)| if key == "shop05" { None } else { *y }).collect();
    frame.with_column(Column::new("sold".into(), hidden)).unwrap();
    let panel = Panel::from_frame(frame, columns()).unwrap();
    let known = panel.before("2022-07-04").unwrap();
    let future = known.future(14).unwrap().given(shops(8, 200)).unwrap();
    let fits = known.fit_for(["boost(num_rounds=60)", "theta"], 14).unwrap();
    assert_eq!(fits.failures().len(), 1, "theta alone cannot be fitted to it: {:?}", fits.failures());
    let forecast = fits.forecast(&future).unwrap();
    let mean = forecast.mean("boost(num_rounds=60)", "shop=shop05").unwrap();
    // Large shops sell from 600 to 2,400 on a Monday without a promotion; small ones from 100 to 700.
    assert!(mean[0] > 300.0 && mean[0] < 5_000.0 && mean[6] == 0.0, "{mean:?}");
}

#[test]
fn what_moved_a_forecast_adds_up() {
    let panel = Panel::from_frame(shops(6, 200), columns()).unwrap();
    let known = panel.before("2022-07-04").unwrap();
    let future = known.future(14).unwrap().given(shops(6, 200)).unwrap();
    let model = "boost(num_rounds=40, difference=none)";
    let fits = known.fit_for([model, "ridge"], 14).unwrap();
    let forecast = fits.forecast(&future).unwrap();
    for label in [model, "ridge"] {
        let why = forecast.explain(label, "shop=shop02", "2022-07-12").unwrap();
        let table = why.table();
        let added: f64 =
            (0..table.rows()).map(|row| table.get(row, "adds").unwrap().to_string().parse::<f64>().unwrap()).sum();
        let mean = forecast.mean(label, "shop=shop02").unwrap()[8];
        let sentence = why.sentence();
        let usual = sentence.split(" baseline of ").nth(1).unwrap().split([' ', ';']).next().unwrap();
        let usual: f64 = usual.trim_end_matches('.').replace(',', "").parse().unwrap();
        assert!(
            (usual + added - mean).abs() < 0.01 * mean,
            "{label}: {usual} + {added} is not {mean}: {}",
            why.sentence()
        );
        assert!(why.figure().unwrap().svg().unwrap().starts_with("<svg"));
    }
    let counts = fits.importance(model).unwrap();
    assert!(
        counts.table().rows() > 20 && counts.sentence().contains("The most important feature"),
        "{}",
        counts.sentence()
    );
    let alone = known.fit(["theta"]).unwrap();
    assert!(alone.importance("theta").is_err());
    assert!(alone.forecast(&future).unwrap().explain("theta", "shop=shop02", "2022-07-12").is_err());
    assert!(forecast.explain(model, "shop=shop02", "2022-08-12").is_err());
}

#[test]
fn bad_input_is_told_or_served() {
    let frame = shops(4, 120);
    let panel = Panel::from_frame(frame.clone(), columns()).unwrap();
    let known = panel.before("2022-04-18").unwrap();
    let fits = known.fit_for(["boost(num_rounds=10)"], 7).unwrap();
    // A known covariate that is missing in the future.
    let error = fits.forecast(7).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("promotion") && error.contains("2022-04-18"), "{error}");
    // Constant and all-missing covariates.
    let mut odd = frame.clone();
    odd.with_column(Column::new("constant".into(), vec![1.0; odd.height()])).unwrap();
    odd.with_column(Column::new("nothing".into(), vec![None::<f64>; odd.height()])).unwrap();
    let declared =
        Columns::new(["shop"], "date", "sold").known(["promotion", "open", "constant"]).observed(["nothing"]);
    let panel = Panel::from_frame(odd, declared).unwrap();
    let trial = panel.backtest(["boost(num_rounds=10)", "ridge"], Folds::new(1, 7)).unwrap();
    for model in ["boost(num_rounds=10)", "ridge"] {
        assert!(trial.score(model, "wape").unwrap() < 60.0, "{model}: {:?}", trial.failures());
    }
    // A global model is no component of a local one.
    let error = known.fit(["combine(models=[\"boost\", \"theta\"])"]).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("all series together"), "{error}");
    for (label, told) in [
        ("boost(learning_rate=0)", "learning_rate"),
        ("boost(num_rounds=0)", "num_rounds"),
        ("boost(objective=poison)", "poisson"),
        ("ridge(penalty=-1)", "penalty"),
        ("forest(colsample_bytree=2)", "colsample_bytree"),
        ("boost(horizon=0)", "horizon"),
        ("xgboost(eta=-1)", "eta"),
    ] {
        let error = known.fit([label]).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(told), "{label}: {error}");
    }
}

#[test]
fn saved_fits_tell_when_something_is_wrong() {
    let panel = Panel::from_frame(shops(4, 120), columns()).unwrap();
    let (known, model) = (panel.before("2022-04-18").unwrap(), "boost(num_rounds=10)");
    let future = known.future(7).unwrap().given(shops(4, 130)).unwrap();
    let fits = known.fit_for([model, "ridge"], 7).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept.fits");
    fits.save(&file).unwrap();
    let frame = |fits: &Fits| fits.forecast(&future).unwrap().to_frame().unwrap();
    let (bytes, said) = (std::fs::read(&file).unwrap(), frame(&fits));
    assert_eq!(frame(&Fits::load(&file).unwrap()), said);
    for at in (0..bytes.len()).step_by(bytes.len() / 60) {
        let mut changed = bytes.clone();
        changed[at] ^= 4;
        std::fs::write(&file, changed).unwrap();
        match Fits::load(&file) {
            Err(error) => assert!(error.is_data() || error.is_usage(), "{at}: {error}"),
            Ok(loaded) => panic!("{at} of {} was changed, and nobody minds: {}", bytes.len(), frame(&loaded)),
        }
    }
    for cut in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&file, &bytes[..cut]).unwrap();
        assert!(Fits::load(&file).err().unwrap().to_string().contains("damaged"));
    }
    // A panel with other roles, or with other series.
    let others = Columns::new(["shop"], "date", "sold").known(["promotion", "open", "mood"]).fixed(["kind"]);
    let error = fits.update(&Panel::from_frame(shops(4, 120), others).unwrap()).err().unwrap().to_string();
    assert!(error.contains("other covariates"), "{error}");
    let error = fits.update(&Panel::from_frame(shops(5, 120), columns()).unwrap()).err().unwrap().to_string();
    assert!(error.contains("other series"), "{error}");
    // Brought up to date it goes on from the new end.
    let updated = fits.update(&panel).unwrap();
    let ahead = panel.future(7).unwrap().given(shops(4, 130)).unwrap();
    assert!(updated.forecast(&ahead).unwrap().failures().is_empty());
}

#[test]
fn categories_that_were_never_seen_and_keys_that_come_twice() {
    let with_weather = |days: usize, last: &str| {
        let mut frame = shops(4, days);
        let sky = (0..frame.height()).map(|row| match row % days {
            day if day >= 105 => last,
            day if day % 3 == 0 => "sun",
            _ => "rain",
        });
        frame.with_column(Column::new("sky".into(), sky.map(String::from).collect::<Vec<_>>())).unwrap();
        frame
    };
    let declared = || columns().known(["sky"]);
    let known = Panel::from_frame(with_weather(105, "sun"), declared()).unwrap();
    let fits = known.fit_for(["boost(num_rounds=10)", "ridge"], 7).unwrap();
    let ahead = |sky: &str| known.future(7).unwrap().given(with_weather(112, sky)).unwrap();
    assert!(fits.forecast(ahead("rain")).unwrap().failures().is_empty());
    // What hail does nobody knows: that is said, with where it is.
    let error = fits.forecast(ahead("hail")).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("`sky`") && error.contains("2022-04-18") && error.contains("category"), "{error}");
    let twice = shops(4, 105).vstack(&shops(1, 105)).unwrap();
    let error = Panel::from_frame(twice, columns())
        .and_then(|panel| panel.fit_for(["boost(num_rounds=10)"], 7)?.forecast(7))
        .map(|forecast| forecast.failures().len());
    assert!(error.is_err(), "{error:?}");
}

#[test]
fn what_was_taken_off_is_put_back() {
    // Two years in which sales grow to nearly twice what they were.
    let mut frame = shops(4, 728);
    let sold: Vec<f64> = frame
        .column("sold")
        .unwrap()
        .f64()
        .unwrap()
        .iter()
        .enumerate()
        .map(|(row, y)| y.unwrap() * (1.0 + (row % 728) as f64 / 2184.0).powi(2))
        .collect();
    frame.with_column(Column::new("sold".into(), sold)).unwrap();
    let panel = Panel::from_frame(frame, columns()).unwrap();
    let boost = |options: &str| format!("boost(num_rounds=60, {options})");
    let models: Vec<String> = [
        "difference=none",
        "difference=recent",
        "difference=seasonal",
        "difference=none, box_cox=0",
        "difference=recent, box_cox=0.5",
    ]
    .map(boost)
    .to_vec();
    let trial = panel.backtest(models.clone(), Folds::new(2, 28)).unwrap();
    for model in &models {
        let (wape, bias) = (trial.score(model, "wape").unwrap(), trial.score(model, "bias").unwrap());
        assert!(wape < 9.0 && bias.abs() < 5.0, "{model}: WAPE {wape}, bias {bias}");
    }
}

/// Intervals may be had from the errors of the fit alone, with one fit for each block.
#[test]
fn windows_are_what_intervals_are_learned_from() {
    let panel = Panel::from_frame(shops(4, 300), columns()).unwrap();
    let known = panel.before("2022-10-10").unwrap();
    let future = known.future(14).unwrap().given(shops(4, 300)).unwrap();
    let ends = |model: &str| {
        let forecast = known.fit_for([model], 14).unwrap().forecast(&future).unwrap();
        (forecast.mean(model, "shop=shop01").unwrap(), forecast.interval(model, "shop=shop01", 0.8).unwrap())
    };
    let (mean, (low, high)) = ends("boost(num_rounds=40, difference=none, windows=0)");
    let (learned, quantiles) = ends("boost(num_rounds=40, difference=none)");
    assert_eq!(mean, learned);
    assert!((low.clone(), high.clone()) != quantiles);
    assert!((0..14).all(|step| (step % 7 == 6) == (low[step] == high[step])));
    assert!((0..14).all(|step| low[step] <= mean[step] && mean[step] <= high[step]));
    assert!(known.fit(["boost(windows=50)"]).err().unwrap().to_string().contains("windows"));
}

#[test]
fn objectives_lose_least_by_their_own_measure() {
    let n = 30_000;
    let x: Vec<f64> = (0..n).map(|k| (k * 7919 % n) as f64 / n as f64).collect();
    let u: Vec<f64> = (0..n).map(|k| (k * 104_729 % n) as f64 / n as f64).collect();
    let y: Vec<f64> = x.iter().zip(&u).map(|(x, u)| -(1.0 - u).max(1e-9).ln() * (1.0 + 4.0 * x)).collect();
    let columns = [x.clone(), vec![f64::NAN; n], vec![3.0; n]];
    let rows = Rows { columns: &columns, categorical: &[] };
    let binned = Binned::of(rows);
    let fit = |objective: Objective| {
        Boosting {
            objective,
            num_rounds: 60,
            num_leaves: 8,
            learning_rate: 0.1,
            min_data_in_leaf: 500,
            ..Boosting::default()
        }
        .fit(&binned, &y, None)
        .predict(rows)
    };
    // The exponential distribution with mean 1 + 4x: its quantiles are −ln(1 − p) means.
    let off = |said: &[f64], factor: f64| {
        said.iter().zip(&x).map(|(said, x)| (said - factor * (1.0 + 4.0 * x)).abs()).sum::<f64>() / n as f64
    };
    assert!(off(&fit(Objective::Squared), 1.0) < 0.25);
    assert!(off(&fit(Objective::Poisson), 1.0) < 0.25);
    assert!(off(&fit(Objective::Tweedie(1.5)), 1.0) < 0.25);
    assert!(off(&fit(Objective::Quantile(0.5)), 2.0_f64.ln()) < 0.2);
    assert!(off(&fit(Objective::Quantile(0.9)), 10.0_f64.ln()) < 0.7);
}

/// The mean absolute errors of means and of medians over all windows of a backtest.
fn errors_of_means_and_medians(panel: &Panel, model: &str, folds: Folds) -> (f64, f64) {
    let table = panel.backtest([model], folds).unwrap().forecasts().unwrap();
    let column = |name: &str| table.frame().column(name).unwrap().f64().unwrap().to_vec();
    let (actual, mean, median) = (column("actual"), column("mean"), column("q0.5"));
    let error = |said: &[Option<f64>]| {
        let errors = said.iter().zip(&actual).filter_map(|(said, y)| Some(((*said)? - (*y)?).abs()));
        errors.clone().sum::<f64>() / errors.count() as f64
    };
    (error(&mean), error(&median))
}

#[test]
fn medians_are_no_worse_than_means_and_better_where_sales_are_rare() {
    let model = "boost(num_rounds=40)";
    // After a window of high sales, the median does not follow its errors.
    let mut frame = shops(12, 300);
    let raised = frame.column("sold").unwrap().f64().unwrap().iter().enumerate();
    let raised =
        raised.map(|(row, sold)| sold.map(|sold| if (244..258).contains(&(row % 300)) { 1.3 * sold } else { sold }));
    let raised = Column::new("sold".into(), raised.collect::<Vec<_>>());
    frame.with_column(raised).unwrap();
    let panel = Panel::from_frame(frame, columns()).unwrap();
    let (mean, median) = errors_of_means_and_medians(&panel, model, Folds::new(2, 14));
    assert!(median <= 1.001 * mean, "{median} {mean}");
    // One in five days sees a sale: the median is none.
    let (mut item, mut day, mut sold, mut state) = (Vec::new(), Vec::new(), Vec::new(), 7_u64);
    for series in 0..40_i64 {
        for step in 0..160_i64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            item.push(series);
            day.push(step);
            sold.push(if state >> 33 < (1 << 31) / 5 { 3.0 } else { 0.0 });
        }
    }
    let frame = df!("item" => item, "day" => day, "sold" => sold).unwrap();
    let rare = Panel::from_frame(frame, Columns::new(["item"], "day", "sold").season(7).freq("1").unwrap()).unwrap();
    let (mean, median) = errors_of_means_and_medians(&rare, model, Folds::new(2, 14));
    assert!(median < 0.8 * mean, "{median} {mean}");
}

#[test]
fn categories_are_split_by_what_they_do() {
    let n = 3_000;
    let kind: Vec<f64> = (0..n).map(|k| (k * 17 % 30) as f64).collect();
    let y: Vec<f64> = kind.iter().map(|kind| if (*kind as usize).is_multiple_of(3) { 10.0 } else { 0.0 }).collect();
    let columns = [kind];
    let rows = Rows { columns: &columns, categorical: &[true] };
    let one = Boosting { num_rounds: 1, learning_rate: 1.0, num_leaves: 2, l2: 0.0, ..Boosting::default() }.fit(
        &Binned::of(rows),
        &y,
        None,
    );
    let said = one.predict(rows);
    assert!(
        said.iter().zip(&y).all(|(said, y)| (said - y).abs() < 1e-5),
        "one split tells every third category from the others"
    );
    let unknown = [vec![77.0, f64::NAN, -3.0, 1e12]];
    assert!(one.predict(Rows { columns: &unknown, categorical: &[] }).iter().all(|said| said.is_finite()));
}

/// Python's xgboost, where it is installed, loads what `save_native` writes and says the same to 1e-6.
#[test]
fn xgboost_is_xgboost() {
    let panel = Panel::from_frame(shops(6, 200), columns()).unwrap();
    let known = panel.before("2022-07-04").unwrap();
    let future = known.future(14).unwrap().given(shops(6, 200)).unwrap();
    let model = "xgboost(num_boost_round=30)";
    let fits = match known.fit_for([model], 14) {
        Ok(fits) => fits,
        Err(error) if error.to_string().contains("built without XGBoost") => {
            return crate::skipped("xgboost_is_xgboost", "built without XGBoost");
        }
        Err(error) => panic!("{error}"),
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept.fits");
    fits.save(&file).unwrap();
    let again = Fits::load(&file).unwrap();
    let means = |fits: &Fits| fits.forecast(&future).unwrap().mean(model, "shop=shop02").unwrap();
    assert_eq!(means(&fits), means(&again));
    let written = fits.save_native(model, &future, folder.path()).unwrap();
    assert_eq!(written.len(), 2, "{written:?}");
    let Some(python) = std::env::var_os("XGBOOST_PYTHON") else {
        return crate::skipped("xgboost_is_xgboost", "XGBOOST_PYTHON names no Python with xgboost");
    };
    let script = "import csv, sys, xgboost\n\
        rows = list(csv.DictReader(open(sys.argv[2])))\n\
        names = [name for name in rows[0] if name.startswith('feature: ')]\n\
        cells = [[float(row[name]) if row[name] not in ('', 'NaN') else float('nan') for name in names] for row in rows]\n\
        booster = xgboost.Booster(model_file=sys.argv[1])\n\
        said = booster.inplace_predict(__import__('numpy').array(cells, dtype='float32'), validate_features=False)\n\
        print(len(rows), max(abs(float(a) - float(row['predicted'])) for a, row in zip(said, rows)))";
    let out = Command::new(python).args(["-c", script]).args(&written).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).to_string();
    let mut words = said.split_whitespace();
    assert_eq!(words.next(), Some("84"), "{said} {}", String::from_utf8_lossy(&out.stderr));
    let most: f64 = words.next().unwrap().parse().unwrap();
    assert!(most < 1e-6, "{most}");
}
