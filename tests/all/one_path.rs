//! One path: what a backtest scores is what a forecast delivers, at once, from kept fits, by plan and by command, to the bit.

use std::path::Path;
use std::process::{Command, Output};

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

const HORIZON: usize = 4;

fn tradewind(folder: &Path, args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_tradewind")).args(args).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// A model as it comes, but for networks and members that would take minutes.
fn usual(entry: &Entry) -> &'static str {
    if ["lstm", "select", "stack"].contains(&entry.name) { entry.example } else { entry.name }
}

/// Bits of the mean and quantile columns, by column.
fn bits(frame: &DataFrame) -> Vec<(String, Vec<u64>)> {
    let names = frame.get_column_names().into_iter().map(|name| name.to_string());
    let numbers = names.filter(|name| name == "mean" || name.starts_with('q'));
    let bits = |name: String| {
        let values = frame.column(&name).unwrap().f64().unwrap().iter().map(|v| v.unwrap().to_bits()).collect();
        (name, values)
    };
    numbers.map(bits).collect()
}

/// The bundled sales to the training part of one fold, and the known covariates of all, in files of a folder.
fn cut(folder: &Path, sales: &Panel, folds: &Folds) {
    sales.split(folds).unwrap()[0].train().save(folder.join("cut.parquet")).unwrap();
    let mut known = sales.to_frame().select(["Store", "Dept", "Date", "IsHoliday"]).unwrap();
    let mut file = std::fs::File::create(folder.join("future.csv")).unwrap();
    CsvWriter::new(&mut file).finish(&mut known).unwrap();
}

/// For every model and two gaps: the fold of a backtest, the plan's forecast of what lies before it, and kept fits.
#[test]
fn every_model_delivers_what_its_backtest_scores() {
    let sales = crate::sales();
    for gap in [0, 3] {
        let folder = tempfile::tempdir().unwrap();
        let folds = Folds::new(1, HORIZON).gap(gap);
        cut(folder.path(), &sales, &folds);
        let train = sales.split(&folds).unwrap()[0].train();
        let mut differ = Vec::new();
        for entry in MODELS {
            let model = Model::named(usual(entry)).unwrap();
            let scored = sales.backtest([&model], folds.clone()).unwrap();
            assert!(scored.failures().is_empty(), "{}: {:?}", model.label(), scored.failures());
            let scored = bits(scored.forecasts().unwrap().frame());
            assert_eq!((scored.len(), scored[0].1.len()), (6, 7 * HORIZON));
            let plan = Plan {
                data: folder.path().join("cut.parquet"),
                future: Some(folder.path().join("future.csv")),
                models: model.label().parse().unwrap(),
                horizon: HORIZON,
                gap,
                ..Plan::default()
            };
            let delivered = plan.forecast().unwrap();
            let fits = train.fit_for([&model], gap + HORIZON).unwrap();
            let file = folder.path().join("kept.fits");
            fits.save(&file).unwrap();
            let kept = plan.forecast_of(&Fits::load(&file).unwrap()).unwrap();
            for (way, forecast) in [("at once", &delivered), ("from kept fits", &kept)] {
                if bits(&forecast.to_frame().unwrap()) != scored {
                    differ.push(format!("{} {way}, gap {gap}", model.label()));
                }
            }
        }
        assert!(differ.is_empty(), "another forecast than was scored: {differ:?}");
    }
}

/// Through the command line: `forecast` at once, `fit --save` and then `forecast`, `run`, and a stream (of a model that can be
/// streamed) write the same numbers, which are those of the backtest's fold that ends there.
#[test]
fn every_command_delivers_the_same_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let (sales, at) = (crate::sales(), folder.path());
    let folds = Folds::new(1, HORIZON).gap(2);
    cut(at, &sales, &folds);
    let models = "boost; ridge; stack(models=[\"theta\", \"seasonal_naive\"])";
    let ahead = ["--future", "future.csv", "--horizon", "4", "--gap", "2", "-q"];
    let of = |command: &str, rest: &[&str]| tradewind(at, &[&[command], rest, &ahead[..]].concat());
    let fresh = ["--data", "cut.parquet", "--models", models];
    of("forecast", &[&fresh[..], &["--out", "once.parquet"]].concat());
    of("fit", &[&fresh[..], &["--save", "kept.fits"]].concat());
    of("forecast", &["--fits", "kept.fits", "--out", "kept.parquet"]);
    let alone = ["--data", "cut.parquet", "--models", "theta"];
    of("forecast", &[&alone[..], &["--out", "alone.parquet"]].concat());
    of("forecast", &[&alone[..], &["--stream", "--out", "streamed.parquet"]].concat());
    std::fs::write(at.join("plan.toml"), "folds = 2\n").unwrap();
    of("run", &[&["plan.toml"], &fresh[..], &["--out", "run"]].concat());
    let parquet = |name: &str| ParquetReader::new(std::fs::File::open(at.join(name)).unwrap()).finish().unwrap();
    let once = parquet("once.parquet");
    assert_eq!(once, parquet("kept.parquet"), "from kept fits");
    assert_eq!(parquet("alone.parquet"), parquet("streamed.parquet"), "streamed");
    let csv = CsvReadOptions::default().try_into_reader_with_file_path(Some(at.join("run/forecast.csv"))).unwrap();
    assert_eq!(bits(&once), bits(&csv.finish().unwrap()), "of a run");
    let scored = sales.backtest(Model::list(models).unwrap(), folds).unwrap().forecasts().unwrap();
    let by_model = |frame: &DataFrame, model: &str| {
        let rows = frame.column("model").unwrap().str().unwrap().iter().map(|label| label == Some(model));
        bits(&frame.filter(&rows.collect()).unwrap())
    };
    for model in ["boost", "ridge"] {
        assert_eq!(by_model(&once, model), by_model(scored.frame(), model), "{model} of a backtest");
    }
}

/// A fit that was made for another horizon than is forecast says so; one that was made for it says nothing.
#[test]
fn a_forecast_beyond_what_was_fitted_for_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    crate::sales().save(at.join("sales.parquet")).unwrap();
    let models = "ridge(regressors=false); theta";
    tradewind(at, &["fit", "--data", "sales.parquet", "--models", models, "--horizon", "4", "--save", "kept.fits"]);
    let said = |horizon: &str| {
        let args = ["forecast", "--fits", "kept.fits", "--horizon", horizon, "--out", "forecast.csv"];
        String::from_utf8(tradewind(at, &args).stderr).unwrap()
    };
    let other = said("9");
    assert!(
        other.contains("ridge(regressors=false): fitted for 4 steps ahead") && other.contains("this forecast has 9"),
        "{other}"
    );
    assert!(!other.contains("theta:"), "a fit of theta is the same for any horizon: {other}");
    assert!(!said("4").contains("fitted for"));
}
