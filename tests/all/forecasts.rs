//! Forecasts by themselves: opened from files of ours and of others, scored, combined, with paths of a stated dependence, and
//! figures that give their data. Numbers to compare with are worked out by hand, or are those of the forecast that was saved.

use std::path::{Path, PathBuf};

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

fn sales() -> Panel {
    Panel::read("data/walmart_sales_weekly.csv", Columns::new(["Store", "Dept"], "Date", "Weekly_Sales")).unwrap()
}

fn forecast(models: &str) -> Forecast {
    let models: Vec<&str> = models.split("; ").collect();
    sales().before("2012-09-01").unwrap().fit(models).unwrap().forecast(8).unwrap()
}

/// A folder with one file of this text.
fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(name);
    std::fs::write(&path, text).unwrap();
    (home, path)
}

fn open(text: &str) -> Forecast {
    let (_home, path) = file("theirs.csv", text);
    Forecast::open(&path).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str) -> String {
    let (_home, path) = file("theirs.csv", text);
    match Forecast::open(&path) {
        Ok(forecast) => panic!("opened {forecast}"),
        Err(error) => error.to_string(),
    }
}

fn number(table: &Table, row: usize, column: &str) -> Option<f64> {
    match table.get(row, column).unwrap() {
        tradewind::show::Value::Number(value) => Some(value),
        tradewind::show::Value::Whole(value) => Some(value as f64),
        _ => None,
    }
}

/// The spread of a total over all steps: the distance of its 5 % and 95 % quantiles.
fn width(forecast: &Forecast, model: &str) -> f64 {
    let mut totals: Vec<f64> =
        forecast.paths(1000, 5).unwrap().total(model).unwrap().iter().map(|path| path.iter().sum()).collect();
    totals.sort_by(f64::total_cmp);
    totals[950] - totals[50]
}

// ------------------------------------------------------------------------------------------------ opening

#[test]
fn what_was_saved_is_opened_to_the_bit() {
    let home = tempfile::tempdir().unwrap();
    let saved = forecast("theta; seasonal_naive").levels([0.5, 0.8, 0.95]).unwrap();
    for name in ["f.parquet", "f.csv", "f.json"] {
        let path = home.path().join(name);
        saved.save(&path).unwrap();
        let opened = Forecast::open(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((opened.models(), opened.keys(), opened.horizon()), (saved.models(), saved.keys(), 8), "{name}");
        let (one, other) = (opened.to_frame().unwrap(), saved.to_frame().unwrap());
        assert_eq!(one.get_column_names(), other.get_column_names(), "{name}");
        for column in other.get_column_names() {
            let text = |frame: &DataFrame| frame.column(column).unwrap().cast(&DataType::String).unwrap();
            let same = match other.column(column).unwrap().dtype() {
                DataType::Float64 => one.column(column).unwrap() == other.column(column).unwrap(),
                _ => text(&one) == text(&other),
            };
            assert!(same, "{name}: {column}");
        }
        for model in saved.models() {
            for key in saved.keys() {
                assert_eq!(opened.interval(&model, &key, 0.8).unwrap(), saved.interval(&model, &key, 0.8).unwrap());
            }
        }
        let error = opened.quantile("theta", "Store=1, Dept=1", 0.999).unwrap_err().to_string();
        assert!(error.contains("0.025 to 0.975") && error.contains("0.999"), "{error}");
        let again = home.path().join(format!("again-{name}"));
        opened.save(&again).unwrap();
        assert!(Forecast::open(&again).unwrap().to_frame().unwrap().equals(&one), "{name}");
        assert!(opened.plot("theta").unwrap().svg().unwrap().starts_with("<svg"));
        assert!(
            opened
                .explain("theta", "Store=1, Dept=1", "2012-09-07")
                .unwrap_err()
                .to_string()
                .contains("without its fits")
        );
        assert_eq!(opened.panel().rows(), 0);
    }
}

/// The total of the opened forecast is about as wide as that of the saved one; of a file that does not tell, it is as wide as
/// can be, and says so.
#[test]
fn dependence_is_kept_in_parquet_and_stated_for_others() {
    let home = tempfile::tempdir().unwrap();
    let saved = forecast("theta");
    let (parquet, csv) = (home.path().join("f.parquet"), home.path().join("f.csv"));
    saved.save(&parquet).unwrap();
    saved.save(&csv).unwrap();
    let (kept, bare) = (Forecast::open(&parquet).unwrap(), Forecast::open(&csv).unwrap());
    let (own, kept_width) = (width(&saved, "theta"), width(&kept, "theta"));
    assert!((kept_width / own - 1.0).abs() < 0.2, "{kept_width} beside {own}");
    assert_eq!(kept.caveat(), None);
    assert!(bare.caveat().unwrap().contains("comonotone"));
    assert!(bare.paths(10, 1).unwrap().to_string().contains("comonotone"));
    let independent = bare.dependence("independent".parse().unwrap()).unwrap();
    assert!(width(&independent, "theta") < own && own < width(&bare, "theta"));
    // The quantile of a comonotone total is the sum of the quantiles.
    let total = bare.paths(1001, 3).unwrap().total("theta").unwrap();
    let mut first: Vec<f64> = total.iter().map(|path| path[0]).collect();
    first.sort_by(f64::total_cmp);
    let medians: f64 = bare.keys().iter().map(|key| bare.quantile("theta", key, 0.5).unwrap()[0]).sum();
    assert!((first[500] / medians - 1.0).abs() < 1e-9, "{} is not {medians}", first[500]);
}

/// Paths of an opened forecast have its quantiles, at each step of each series.
#[test]
fn paths_of_an_opened_forecast_have_its_quantiles() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("f.parquet");
    forecast("theta").save(&path).unwrap();
    let opened = Forecast::open(&path).unwrap();
    let paths = opened.paths(1000, 9).unwrap();
    for series in paths.each("theta").unwrap() {
        let (key, values) = series.unwrap();
        assert_eq!(values, paths.of("theta", &key).unwrap());
        for p in [0.025, 0.1, 0.5, 0.9] {
            let quantile = opened.quantile("theta", &key, p).unwrap();
            for (step, expected) in quantile.iter().enumerate() {
                let below = values.iter().filter(|path| path[step] < *expected).count();
                assert_eq!(below, (1000.0 * p) as usize, "{key}, step {step}, quantile {p}");
            }
        }
    }
}

const LONG: &str = "unique_id,ds,mean,q0.1,q0.9
a,2024-01-01,10,8,13
a,2024-01-02,11,8,14
b,2024-01-01,20,15,25
b,2024-01-02,21,15,26
";

#[test]
fn others_ways_to_write_a_forecast() {
    let long = open(LONG);
    assert_eq!((long.models(), long.horizon()), (vec!["theirs".to_string()], 2));
    assert_eq!(long.interval("theirs", "unique_id=b", 0.8).unwrap(), (vec![15.0, 15.0], vec![25.0, 26.0]));
    // What Nixtla's libraries write: a column per model, intervals in percent, an empty cell where a model failed.
    let wide = open(
        "unique_id,ds,AutoETS,AutoETS-lo-80,AutoETS-hi-80,Naive
a,2024-01-01,10.5,8.5,13.0,9.5
a,2024-01-02,11.5,8.0,14.0,9.5
b,2024-01-01,20.5,15.0,25.0,
b,2024-01-02,21.5,15.0,26.0,
",
    );
    assert_eq!(wide.models(), ["AutoETS", "Naive"]);
    assert_eq!(wide.quantile("AutoETS", "unique_id=a", 0.1).unwrap(), [8.5, 8.0]);
    assert_eq!(wide.mean("Naive", "unique_id=a").unwrap(), [9.5, 9.5]);
    let without = wide.interval("Naive", "unique_id=a", 0.8).unwrap_err().to_string();
    assert!(without.contains("means without quantiles"), "{without}");
    // Saved, it is one row per model: what a model lacks is an empty cell there, and stays so.
    let home = tempfile::tempdir().unwrap();
    for name in ["w.csv", "w.parquet"] {
        wide.save(home.path().join(name)).unwrap();
        let again = Forecast::open(home.path().join(name)).unwrap();
        assert_eq!(again.interval("AutoETS", "unique_id=a", 0.8).unwrap(), (vec![8.5, 8.0], vec![13.0, 14.0]));
        assert!(again.interval("Naive", "unique_id=a", 0.8).is_err());
        assert_eq!(again.mean("Naive", "unique_id=a").unwrap(), [9.5, 9.5]);
    }
    assert!(wide.mean("Naive", "unique_id=b").unwrap_err().to_string().contains("no rows"));
    assert_eq!(wide.failures().len(), 1);
    assert_eq!(wide.table().unwrap().rows(), 6);
    // AutoGluon's; percentiles; R's, of a single series; steps instead of dates, several keys.
    let gluon = open("item_id,timestamp,mean,0.1,0.5,0.9\nx,2024-01-31,5,3,5,8\nx,2024-02-29,6,3,5,9\n");
    assert_eq!(gluon.quantile("theirs", "item_id=x", 0.5).unwrap(), [5.0, 5.0]);
    assert_eq!(gluon.panel().frequency().to_string(), "monthly (last day)");
    let percent = open("shop;article;week;prediction;p10;p90\n1;007;1;2,5;1,5;4,25\n1;007;2;2,5;1,5;4,25\n");
    assert_eq!(percent.keys(), ["shop=1, article=007"]);
    assert_eq!(percent.interval("theirs", "shop=1, article=007", 0.8).unwrap().1, [4.25, 4.25]);
    let r = open("Date,Point Forecast,Lo 80,Hi 80,Lo 95,Hi 95\n2024-01-01,5,3,7,2,8\n2024-01-02,5,3,7,2,8\n");
    assert_eq!(r.interval("theirs", "all", 0.95).unwrap(), (vec![2.0, 2.0], vec![8.0, 8.0]));
    let models = open("id,date,model,yhat\na,2024-01-01,m,1\na,2024-01-02,m,2\na,2024-01-01,n,3\na,2024-01-02,n,4\n");
    assert_eq!((models.models(), models.mean("n", "id=a").unwrap()), (vec!["m".into(), "n".into()], vec![3.0, 4.0]));
    // A single step tells no frequency, and needs none.
    assert_eq!(open("id,ds,yhat\na,2024-01-01,1.5\nb,2024-01-01,2.5\n").horizon(), 1);
    // Without means, medians stand in for them, and it is said.
    let medians = open("id,ds,q0.1,q0.5,q0.9\na,1,1,2,3\na,2,1,2,3\n");
    assert_eq!(medians.mean("theirs", "id=a").unwrap(), [2.0, 2.0]);
    assert!(medians.caveat().unwrap().contains("medians stand in"));
}

#[test]
fn means_alone_have_no_intervals_and_no_paths() {
    let means = open("unique_id,ds,yhat\na,2024-01-01,10\na,2024-01-02,11\n");
    let said = |error: tradewind::Error| error.to_string();
    assert!(said(means.interval("theirs", "unique_id=a", 0.8).unwrap_err()).contains("means without quantiles"));
    assert!(means.paths(10, 1).err().map(said).unwrap().contains("no sample paths"));
    assert_eq!(means.table().unwrap().columns(), ["unique_id", "ds", "model", "mean"]);
    let actuals = df!("unique_id" => ["a", "a"], "ds" => [19723, 19724], "y" => [12.0, 12.0]).unwrap();
    let mut actuals = actuals;
    let dates = actuals.column("ds").unwrap().cast(&DataType::Int32).unwrap().cast(&DataType::Date).unwrap();
    actuals.with_column(dates).unwrap();
    let actuals = Panel::from_frame(actuals, Columns::new(["unique_id"], "ds", "y")).unwrap();
    let scores = means.score(&actuals).unwrap();
    assert_eq!(number(&scores, 0, "mae"), Some(1.5));
    // Neither quantiles nor a history to scale by.
    for empty in ["pinball", "coverage80", "mase"] {
        assert_eq!(number(&scores, 0, empty), None, "{empty}");
    }
}

#[test]
fn what_is_no_forecast_is_refused_with_its_place() {
    let crossed = refused("id,ds,mean,q0.1,q0.9\na,2024-01-01,10,8,13\na,2024-01-02,10,14,13\n");
    for part in ["out of order", "series id=a", "2024-01-02", "q0.1 is 14", "q0.9 is 13"] {
        assert!(crossed.contains(part), "{part}: {crossed}");
    }
    let gap = refused("id,ds,mean\na,2024-01-01,1\na,2024-01-02,1\na,2024-01-03,1\nb,2024-01-01,1\nb,2024-01-03,1\n");
    assert!(gap.contains("id=b") && gap.contains("no row for 2024-01-02") && gap.contains("3 steps"), "{gap}");
    let short = refused("id,ds,mean\na,2024-01-01,1\na,2024-01-02,1\nb,2024-01-01,1\n");
    assert!(short.contains("id=b") && short.contains("no row for 2024-01-02"), "{short}");
    let twice = refused("id,ds,mean\na,2024-01-01,1\na,2024-01-02,1\na,2024-01-02,2\n");
    assert!(twice.contains("two rows for 2024-01-02") && twice.contains("line 3 and line 4"), "{twice}");
    let origins = refused("id,ds,cutoff,mean\na,2024-01-02,2024-01-01,1\na,2024-01-03,2024-01-02,1\n");
    assert!(origins.contains("several origins") && origins.contains("cutoff"), "{origins}");
    let nothing = refused("id,ds,colour\na,2024-01-01,red\n");
    assert!(nothing.contains("no column of means") && nothing.contains("`colour`"), "{nothing}");
    let timeless = refused("id,mean\na,1\n");
    assert!(timeless.contains("no column of dates or steps"), "{timeless}");
    assert!(refused("id,ds,mean,q0\na,2024-01-01,1,1\n").contains("`q0` is named as a quantile"));
    assert!(refused("id,ds,mean,q0.1,p10\na,2024-01-01,1,1,1\n").contains("are the same quantile"));
    assert!(refused("id,ds,mean,q0.1\na,2024-01-01,1,1\na,2024-01-02,1,\n").contains("has no q0.1"));
    assert!(refused("id,ds,mean\na,2024-01-01,1\na,2024-01-02,many\na,2024-01-03,2\n").contains("many"));
    assert!(Forecast::open("data/no_such.csv").is_err());
}

#[test]
fn another_format_is_refused_by_its_version() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("later.parquet");
    let mut frame = df!("id" => ["a", "a"], "ds" => [1, 2], "mean" => [1.0, 2.0]).unwrap();
    let note = KeyValueMetadata::from_static(vec![("tradewind.forecast".into(), "{\"format\":7}".into())]);
    let file = std::fs::File::create(&path).unwrap();
    ParquetWriter::new(file).with_key_value_metadata(Some(note)).finish(&mut frame).unwrap();
    let error = Forecast::open(&path).unwrap_err().to_string();
    assert!(error.contains("format 7") && error.contains("reads 1"), "{error}");
}

#[test]
fn scripts_open_and_score_behind_their_fence() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("f.csv");
    forecast("theta").save(&path).unwrap();
    let text = format!("open_forecast({:?}).mean(\"theta\", \"Store=1, Dept=1\").len()", path.display().to_string());
    let run = |allow: &[&Path]| {
        use tradewind::script::{Session, Settings, Terminal};
        let allow = allow.iter().map(|path| path.to_path_buf()).collect();
        let mut session = Session::new(&Settings { allow, ..Settings::default() }, Terminal::new()).unwrap();
        session.run("text", &text).map(|value| value.text()).map_err(|failure| failure.to_string())
    };
    assert_eq!(run(&[home.path()]).unwrap(), "8");
    assert!(run(&[]).is_err());
}

// ------------------------------------------------------------------------------------------------ scoring

/// A fold of a backtest and the same forecast by itself, made or opened, have the same scores to the bit.
#[test]
fn scores_are_those_of_a_backtest() {
    let home = tempfile::tempdir().unwrap();
    let sales = sales();
    let folds = Folds::new(1, 8);
    let models = ["naive", "seasonal_naive", "theta"];
    let trial = sales.backtest(models, folds.clone()).unwrap();
    let fold = sales.split(&folds).unwrap().remove(0);
    let made = fold.train().fit_for(models, fold.future()).unwrap().forecast(fold.future()).unwrap();
    made.save(home.path().join("f.parquet")).unwrap();
    let opened = Forecast::open(home.path().join("f.parquet")).unwrap();
    for forecast in [made, opened] {
        let scores = forecast.score(&sales).unwrap();
        assert_eq!(scores.rows(), 3);
        for (row, model) in models.iter().enumerate() {
            assert_eq!(scores.get(row, "model").unwrap().to_string(), *model);
            for metric in tradewind::metrics::METRICS {
                assert_eq!(
                    number(&scores, row, metric.name),
                    trial.score(model, metric.name).ok(),
                    "{model} {}",
                    metric.name
                );
            }
            assert_eq!(number(&scores, row, "series"), Some(7.0));
        }
        assert_eq!(scores.title(), Some("7 series scored"));
        // The window alone is enough for what is not scaled by a history.
        let window = forecast.score(&fold.test()).unwrap();
        assert_eq!(number(&window, 2, "wape"), number(&scores, 2, "wape"));
    }
}

#[test]
fn series_on_one_side_alone_are_counted_and_said() {
    let sales = sales();
    let few = sales.only("Dept", "1").unwrap();
    let forecast = forecast("naive");
    let scores = forecast.score(&few).unwrap();
    assert_eq!((number(&scores, 0, "series"), number(&scores, 0, "without actuals")), (Some(1.0), Some(6.0)));
    assert!(scores.title().unwrap().contains("6 of the forecast without actuals (first: Store=1, Dept=3)"));
    let one = few.before("2012-09-01").unwrap().fit(["naive"]).unwrap().forecast(8).unwrap();
    let scores = one.score(&sales).unwrap();
    assert_eq!((number(&scores, 0, "series"), number(&scores, 0, "without forecast")), (Some(1.0), Some(6.0)));
    assert!(scores.title().unwrap().contains("6 of the actuals without a forecast"));
    let error = sales.fit(["naive"]).unwrap().forecast(8).unwrap().score(&sales).unwrap_err().to_string();
    assert!(error.contains("no value in the period") && error.contains("2012-11-02"), "{error}");
    let others = open("unique_id,ds,mean\na,2012-09-07,1\na,2012-09-14,1\n").score(&sales).unwrap_err().to_string();
    assert!(others.contains("unique_id=a") && others.contains("Store=1, Dept=1"), "{others}");
}

// ------------------------------------------------------------------------------------------------ combining

#[test]
fn quantiles_are_averaged_probability_by_probability() {
    let (one, other) = (forecast("theta"), forecast("seasonal_naive"));
    let third = forecast("naive");
    let key = "Store=1, Dept=3";
    let of = |p: f64| {
        let quantile = |forecast: &Forecast, model: &str| forecast.quantile(model, key, p).unwrap();
        (quantile(&one, "theta"), quantile(&other, "seasonal_naive"), quantile(&third, "naive"))
    };
    let mean = one.combine([other.clone()], Combination::Mean).unwrap();
    let weighted = one.combine([other.clone()], Combination::Weights(vec![0.7, 0.3])).unwrap();
    let median = one.combine([other.clone(), third.clone()], Combination::Median).unwrap();
    assert_eq!(weighted.models(), ["weighted(0.7 theta, 0.3 seasonal_naive)"]);
    for p in [0.01, 0.1, 0.5, 0.9] {
        let (a, b, c) = of(p);
        let found = mean.quantile(&mean.models()[0], key, p).unwrap();
        assert!((0..8).all(|k| (found[k] - (a[k] + b[k]) / 2.0).abs() < 1e-9), "mean {p}");
        let found = weighted.quantile(&weighted.models()[0], key, p).unwrap();
        assert!((0..8).all(|k| (found[k] - 0.7 * a[k] - 0.3 * b[k]).abs() < 1e-9), "weighted {p}");
        let found = median.quantile(&median.models()[0], key, p).unwrap();
        let middle = |k: usize| a[k].max(b[k]).min(a[k].min(b[k]).max(c[k]));
        assert!((0..8).all(|k| found[k] == middle(k)), "median {p}");
    }
    // Paths have the quantiles of the combination, and a total between those of the members.
    let model = &mean.models()[0];
    let paths = mean.paths(1000, 3).unwrap().of(model, key).unwrap();
    let upper = mean.quantile(model, key, 0.9).unwrap();
    assert_eq!(paths.iter().filter(|path| path[3] < upper[3]).count(), 900);
    let (low, high) = (width(&one, "theta"), width(&other, "seasonal_naive"));
    assert!(width(&mean, model) < 1.1 * low.max(high), "{} beside {low} and {high}", width(&mean, model));
    // It is a forecast as any other.
    let home = tempfile::tempdir().unwrap();
    mean.save(home.path().join("m.parquet")).unwrap();
    let opened = Forecast::open(home.path().join("m.parquet")).unwrap();
    assert_eq!(opened.mean(model, key).unwrap(), mean.mean(model, key).unwrap());
    assert!(number(&mean.score(&sales()).unwrap(), 0, "mase").is_some());
    // The models of one forecast go together too.
    assert_eq!(forecast("naive; theta").combine([], Combination::Mean).unwrap().models(), ["mean(naive, theta)"]);
}

#[test]
fn forecasts_that_do_not_fit_together_are_refused() {
    let one = forecast("naive");
    let said = |other: Forecast, how: Combination| one.combine([other], how).unwrap_err().to_string();
    let sales = sales();
    let shorter = sales.before("2012-09-01").unwrap().fit(["naive"]).unwrap().forecast(6).unwrap();
    assert!(said(shorter, Combination::Mean).contains("6 steps, and the first has 8"));
    let later = sales.before("2012-09-08").unwrap().fit(["naive"]).unwrap().forecast(8).unwrap();
    let dates = said(later, Combination::Mean);
    assert!(dates.contains("2012-09-07 in the first") && dates.contains("2012-09-14 in forecast 2"), "{dates}");
    let fewer =
        sales.only("Dept", "1").unwrap().before("2012-09-01").unwrap().fit(["naive"]).unwrap().forecast(8).unwrap();
    assert!(said(fewer, Combination::Mean).contains("6 series are in the first forecast alone"));
    let twin = || forecast("theta");
    assert!(said(twin(), Combination::Weights(vec![1.0])).contains("1 weights for 2 models"));
    assert!(said(twin(), Combination::Weights(vec![0.7, 0.7])).contains("add up to 1.4"));
    assert!(said(twin(), Combination::Weights(vec![1.5, -0.5])).contains("between 0 and 1"));
    assert!("avarage".parse::<Combination>().unwrap_err().is_usage());
    // A series that one of them has no forecast for is a failure of the combination, not the forecast of the others.
    let wide = |text: &str| open(&format!("unique_id,ds,{text}"));
    let whole = wide("yhat\na,1,1.5\na,2,1.5\nb,1,2.5\nb,2,2.5\n");
    let part = wide("A,B\na,1,1.5,3.5\na,2,1.5,3.5\nb,1,,3.5\nb,2,,3.5\n");
    let both = whole.combine([part], Combination::Mean).unwrap();
    let model = &both.models()[0];
    assert!((both.mean(model, "unique_id=a").unwrap()[0] - 6.5 / 3.0).abs() < 1e-12);
    assert!(
        both.mean(model, "unique_id=b").unwrap_err().to_string().contains("A has no forecast for series unique_id=b")
    );
}

// ------------------------------------------------------------------------------------------------ paths and figures

#[test]
fn paths_of_each_series_are_those_of_the_series_and_add_up() {
    let forecast = forecast("theta; ridge(regressors=false)");
    let paths = forecast.paths(64, 11).unwrap();
    for model in forecast.models() {
        let mut total = vec![vec![0.0; 8]; 64];
        let mut keys = Vec::new();
        for series in paths.each(&model).unwrap() {
            let (key, values) = series.unwrap();
            assert_eq!(values, forecast.paths(64, 11).unwrap().of(&model, &key).unwrap());
            for (sum, path) in total.iter_mut().zip(&values) {
                sum.iter_mut().zip(path).for_each(|(sum, value)| *sum += value);
            }
            keys.push(key);
        }
        assert_eq!(keys, forecast.keys());
        assert_eq!(total, paths.total(&model).unwrap());
    }
    assert!(paths.each("thet").is_err());
}

#[test]
fn figures_give_the_data_that_they_show() {
    let forecast = forecast("theta");
    let data = forecast.plot("theta").unwrap().data();
    assert_eq!(data.columns()[..4], ["series", "date", "history", "mean"]);
    let key = "Store=1, Dept=1";
    let rows: Vec<usize> =
        (0..data.rows()).filter(|row| data.get(*row, "series").unwrap().to_string() == key).collect();
    let of = |column: &str| -> Vec<f64> { rows.iter().filter_map(|row| number(&data, *row, column)).collect() };
    assert_eq!(of("mean"), forecast.mean("theta", key).unwrap());
    assert_eq!((of("lower 0.8"), of("upper 0.8")), forecast.interval("theta", key, 0.8).unwrap());
    assert_eq!(data.get(*rows.last().unwrap(), "date").unwrap().to_string(), "2012-10-26");
    let trial = sales().backtest(["naive", "theta"], Folds::new(2, 4)).unwrap();
    let bars = trial.plot("mase").unwrap().data();
    let best = trial.best("mase").unwrap();
    assert_eq!(bars.get(0, "name").unwrap().to_string(), trial.name(&best).unwrap());
    assert_eq!(number(&bars, 0, "value"), trial.score(&best, "mase").ok());
    let line = sales().plot().unwrap().data();
    let values: Vec<f64> = (0..line.rows())
        .filter(|row| line.get(*row, "line").unwrap().to_string() == key)
        .filter_map(|row| number(&line, row, "value"))
        .collect();
    assert_eq!(values[0], 24924.5);
}
