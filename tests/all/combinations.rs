//! `combine` and `auto`: means, quantiles and paths of several models, weights by a trial, calibrated intervals.

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

const SERIES: &str = "Store=1, Dept=1";

#[test]
fn a_combination_is_that_of_its_members() {
    let sales = crate::sales();
    let labels = ["theta", "seasonal_naive", "ets(season=1)"];
    let alone = sales.fit(labels).unwrap().forecast(8).unwrap();
    let of = |what: &dyn Fn(&str) -> Vec<f64>| labels.map(what);
    let means = of(&|label| alone.mean(label, SERIES).unwrap());
    let ends = of(&|label| alone.quantile(label, SERIES, 0.9).unwrap());
    for by in ["mean", "median", "trimmed"] {
        let label = format!("combine(models=[\"theta\", \"seasonal_naive\", \"ets(season=1)\"], by={by})");
        let together = sales.fit([label.as_str()]).unwrap().forecast(8).unwrap();
        let model = together.models().remove(0);
        let combined = |parts: &[Vec<f64>; 3], step: usize| {
            let mut values = [parts[0][step], parts[1][step], parts[2][step]];
            values.sort_by(f64::total_cmp);
            if by == "mean" { values.iter().sum::<f64>() / 3.0 } else { values[1] }
        };
        let mean = together.mean(&model, SERIES).unwrap();
        let end = together.quantile(&model, SERIES, 0.9).unwrap();
        for step in 0..8 {
            assert!((mean[step] - combined(&means, step)).abs() < 1e-9 * mean[step].abs(), "{by} {step}");
            let expected = combined(&ends, step);
            assert!((end[step] - expected).abs() < 2e-3 * expected, "{by} {step}: {} {expected}", end[step]);
        }
        let paths = together.paths(400, 5).unwrap().of(&model, SERIES).unwrap();
        let middle = paths.iter().map(|path| path[0]).sum::<f64>() / 400.0;
        assert!((middle - mean[0]).abs() < 0.1 * mean[0], "{by}: {middle} {}", mean[0]);
    }
}

#[test]
fn weights_follow_the_trial_and_stand_in_the_form() {
    // A line: the drift method is right, and the naive one is not.
    let y: Vec<f64> = (0..60).map(|t| 5.0 + 2.0 * f64::from(t) + f64::from(t % 3)).collect();
    let frame = df!("t" => (1..=60_i64).collect::<Vec<_>>(), "y" => y).unwrap();
    let panel = Panel::from_frame(frame, Columns::new([""; 0], "t", "y").season(1)).unwrap();
    let fits = panel.fit(["combine(models=[\"naive\", \"drift\"], by=weights)"]).unwrap();
    let form = fits.diagnostics().unwrap().get(0, "specification").unwrap().to_string();
    assert!(form.contains("% drift"), "{form}");
    let mean = fits.forecast(8).unwrap().mean(&fits.models()[0], "all").unwrap();
    assert!((mean[7] - 139.0).abs() < 4.0, "{mean:?}");
}

#[test]
fn auto_says_what_it_chose_and_is_no_worse_than_its_members() {
    let sales = crate::sales();
    let trial =
        sales.backtest(["ensemble(horizon=8)", "seasonal_naive", "naive", "ets", "theta"], Folds::new(3, 8)).unwrap();
    let score = |model: &str| trial.score(model, "mase").unwrap();
    let auto = score("ensemble(horizon=8)");
    for model in ["naive", "ets", "theta"] {
        assert!(auto < 1.05 * score(model), "{model}: {auto} {}", score(model));
    }
    let fits = sales.fit(["ensemble(horizon=8)"]).unwrap();
    let form = fits.diagnostics().unwrap().get(0, "specification").unwrap().to_string();
    assert!(form.contains('%') && form.contains(" + "), "{form}");
    assert!(fits.failures().is_empty());
}

#[test]
fn fits_of_combinations_are_kept_and_brought_up_to_date() {
    let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    let sales = Panel::read("data/walmart_sales_weekly.csv", columns).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fits");
    let labels = [
        "ensemble(horizon=8)",
        "combine(models=[\"theta\", \"ets(season=1)\"], by=trimmed)",
        "conformal(model=theta, kind=adaptive)",
    ];
    let fits = sales.before("2012-09-01").unwrap().fit(labels).unwrap();
    fits.save(&file).unwrap();
    let loaded = Fits::load(&file).unwrap();
    let frame = |fits: &Fits| fits.forecast(8).unwrap().to_frame().unwrap();
    assert!(frame(&fits).equals(&frame(&loaded)));
    let updated = loaded.update(&sales).unwrap();
    assert!(updated.failures().is_empty());
    assert!(!frame(&updated).equals(&frame(&loaded)));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (label, why) in [
        ("combine(models=[])", "at least one"),
        ("combine(models=[theta, theta])", "twice"),
        ("combine(models=[thta])", "did you mean `theta`"),
        ("combine(models=[\"ets(box_cox=0)\"])", "normalise the panel"),
        ("ensemble(budget=0)", "milliseconds above 0"),
        ("ensemble(horizon=0)", "at least 1"),
        ("ensemble(seasons=[0])", "at least 1"),
    ] {
        let said = Model::named(label).err().unwrap().to_string();
        assert!(said.contains(why), "{label}: {said}");
    }
}

#[test]
fn short_and_odd_series_are_served() {
    for n in [1, 2, 3, 4, 5, 7, 11, 13, 25, 26, 27] {
        let y: Vec<f64> = (0..n).map(|t| 10.0 + f64::from(t % 4)).collect();
        let frame = df!("t" => (1..=i64::from(n)).collect::<Vec<_>>(), "y" => y).unwrap();
        let panel = Panel::from_frame(frame, Columns::new([""; 0], "t", "y").season(12).freq("1").unwrap()).unwrap();
        let forecast = panel.fit(["auto"]).unwrap().forecast(5).unwrap();
        match forecast.failures().as_slice() {
            [] => assert!(forecast.mean("auto", "all").unwrap().iter().all(|mean| mean.is_finite()), "{n}"),
            _ => assert!(n == 1, "{n}: {:?}", forecast.failures()),
        }
    }
}

/// With TRADEWIND_DATA: the intervals of `auto` cover what they say, also where a series has room for few trials.
#[test]
fn calibrated_intervals_cover() {
    let Some(folder) = crate::data_folder("samples") else { return };
    for (set, season, horizon, narrow, wide) in
        [("m3_monthly500", 12, 18, 0.75..0.85, 0.92..0.98), ("walmart_dept300", 52, 13, 0.76..0.86, 0.92..0.98)]
    {
        let read = |part: &str| {
            let file = std::fs::File::open(folder.join(format!("{set}_{part}.parquet"))).unwrap();
            ParquetReader::new(file).finish().unwrap().select(["unique_id", "ds", "y"]).unwrap()
        };
        let whole = read("train").vstack(&read("test")).unwrap();
        let panel = Panel::from_frame(whole, Columns::new(["unique_id"], "ds", "y").season(season)).unwrap();
        let trial = panel.backtest(["auto"], Folds::new(1, horizon)).unwrap();
        let (inner, outer) = (trial.score("auto", "coverage80").unwrap(), trial.score("auto", "coverage95").unwrap());
        assert!(narrow.contains(&inner) && wide.contains(&outer), "{set}: {inner} {outer}");
    }
}

/// With TRADEWIND_DATA: half a year of a department's sales says nothing of its season; other stores do. Scored before the last
/// quarter, which records of accuracy are kept of.
#[test]
fn siblings_lend_their_season_to_short_series() {
    let Some(folder) = crate::data_folder("samples") else { return };
    let date = |text: &str| lit(text.parse::<chrono::NaiveDate>().unwrap());
    let sales = std::fs::File::open(folder.with_file_name("walmart.parquet")).unwrap();
    let sales = ParquetReader::new(sales).finish().unwrap().lazy();
    let departments =
        [1, 5, 13, 38, 72, 92].map(|dept| col("dept").eq(lit(dept))).into_iter().reduce(Expr::or).unwrap();
    let short = (col("store") % lit(3)).eq(lit(0));
    let kept = short.clone().not().or(col("date").gt(date("2011-11-04")));
    let frame = sales.filter(departments.and(kept).and(col("date").lt_eq(date("2012-07-27"))));
    let frame = frame.select([col("store"), col("dept"), col("date"), col("sales")]).collect().unwrap();
    let panel = Panel::from_frame(frame, Columns::new(["store", "dept"], "date", "sales")).unwrap();
    let trial = panel
        .backtest(["ensemble(horizon=13)", "ensemble(horizon=13, pool_seasonality=false)"], Folds::new(1, 13))
        .unwrap();
    let scores = trial.scores().unwrap().frame().clone().lazy().filter(short).group_by([col("model")]);
    let scores = scores.agg([col("wape").mean()]).sort(["model"], SortMultipleOptions::default()).collect().unwrap();
    let wape = scores.column("wape").unwrap().f64().unwrap();
    let (with, without) = (wape.get(0).unwrap(), wape.get(1).unwrap());
    assert!(with < 0.96 * without, "{with} {without}");
}

/// Random walks; after `calm` steps, every second series jumps three times as far.
fn walks(calm: i64) -> Panel {
    let mut state = 5_u64;
    let mut noise = || {
        let mut sum = 0.0;
        for _ in 0..12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            sum += (state >> 11) as f64 / (1_u64 << 53) as f64;
        }
        sum - 6.0
    };
    let (mut id, mut t, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for series in 0..120_u32 {
        let mut level = 100.0;
        for step in 1..=75_i64 {
            let wild = series % 2 == 1 && step > calm;
            level += noise() * if wild { 3.0 } else { 1.0 };
            id.push(series);
            t.push(step);
            y.push(level);
        }
    }
    let frame = df!("id" => id, "t" => t, "y" => y).unwrap();
    Panel::from_frame(frame, Columns::new(["id"], "t", "y").season(1).freq("1").unwrap()).unwrap()
}

#[test]
fn conformal_intervals_cover_where_a_model_is_too_sure_of_itself() {
    let walks = walks(75);
    // A line through a random walk is no forecast of it, and the spread around the line no measure of how far it goes.
    let labels = ["regression", "conformal(model=regression)", "conformal(model=regression, kind=adaptive)"];
    let trial = walks.backtest(labels, Folds::new(1, 8)).unwrap();
    let models = trial.models();
    let off = |model: usize| (trial.score(&models[model], "coverage80").unwrap() - 0.8).abs();
    assert!(off(1) < 0.06 && off(2) < 0.08 && off(0) > 0.2, "{} {} {}", off(0), off(1), off(2));
    assert_eq!(trial.score(&models[0], "mase").unwrap(), trial.score(&models[1], "mase").unwrap());
}

#[test]
fn adaptive_intervals_follow_a_series() {
    let walks = walks(44);
    let fits = walks.fit(["conformal(model=naive, kind=adaptive)"]).unwrap();
    let factor = |fits: &Fits| -> [f64; 2] {
        let table = fits.diagnostics().unwrap();
        let mut sums = [0.0; 2];
        for row in 0..table.rows() {
            let said = table.get(row, "parameters").unwrap().to_string();
            let factor: f64 = said.rsplit("interval scale ").next().unwrap().parse().unwrap();
            let id: usize = table.get(row, "id").unwrap().to_string().parse().unwrap();
            sums[id % 2] += factor / 60.0;
        }
        sums
    };
    let [calm, wild] = factor(&fits);
    assert!(wild > 1.1 * calm, "{calm} {wild}");
    let early = walks.before("60").unwrap().fit(["conformal(model=naive, kind=adaptive)"]).unwrap();
    let [_, before] = factor(&early);
    let [_, after] = factor(&early.update(&walks).unwrap());
    assert!(after > before, "{before} {after}");
}

#[test]
fn auto_reads_covariates_only_if_it_may() {
    let sales = crate::sales();
    // The future of a known covariate is demanded ...
    assert!(sales.fit(["ensemble(horizon=8)"]).unwrap().forecast(8).unwrap_err().to_string().contains("IsHoliday"));
    // ... unless nothing reads it.
    let forecast = sales.fit(["ensemble(horizon=8, regressors=false)"]).unwrap().forecast(8).unwrap();
    assert_eq!(forecast.mean("ensemble(horizon=8, regressors=false)", SERIES).unwrap().len(), 8);
}
