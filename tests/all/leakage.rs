//! Nothing that happens after the cut-off reaches a forecast, whatever cleans, aggregates, joins, normalises and makes
//! covariates on the way; and what is scored is what happened, as it was recorded.

use std::path::Path;
use std::process::Command;

use chrono::{Days, NaiveDate};
use proptest::prelude::*;
use tradewind::polars::prelude::*;
use tradewind::prelude::*;

use crate::sales;

/// Every policy, every value of it, and some together.
const POLICIES: [&str; 27] = [
    "duplicates=mean",
    "duplicates=last",
    "duplicates=identical-sum",
    "starts=sale",
    "gaps=fill",
    "gaps=fill, ends=panel",
    "gaps=fill, ends=panel, missing=zero, starts=sale",
    "missing=linear",
    "missing=seasonal",
    "missing=zero",
    "missing=last",
    "negatives=clip",
    "negatives=apart",
    "stockouts=missing",
    "outliers=clip",
    "outliers=interpolate",
    "covariates=zero",
    "covariates=last",
    "gaps=fill, missing=linear",
    "gaps=fill, missing=zero",
    "gaps=fill, missing=seasonal, outliers=interpolate, stockouts=missing",
    "gaps=fill, missing=last, negatives=apart, outliers=clip, covariates=last",
    "off_calendar=nearest",
    "off_calendar=previous",
    "off_calendar=next",
    "off_calendar=period",
    "off_calendar=drop",
];

const DAYS: usize = 126;
const HORIZON: usize = 7;
const MODELS_HERE: [&str; 4] = ["naive", "seasonal_naive", "theta", "regression"];

/// The policy, with what is needed for the data below to be forecast at all.
fn whole(policy: &str) -> Clean {
    let duplicates = if policy.contains("duplicates") { "" } else { ", duplicates=sum" };
    Clean::parse(&format!("{policy}{duplicates}")).unwrap()
}

/// Is a policy about stamps off the calendar? Other data have none, so that they can be forecast without it.
fn beside(policy: &str) -> bool {
    policy.contains("off_calendar")
}

#[derive(Clone)]
struct Row {
    key: &'static str,
    hour: i64,
    y: Option<f64>,
    seen: Option<f64>,
}

/// Two series of days with dirt of every kind, of which some lies just before the last window; `beside` the calendar, too.
fn rows(beside: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for (s, key) in ["a", "b"].into_iter().enumerate() {
        for day in 0..DAYS {
            let cut = DAYS - HORIZON;
            let usual = 50.0 + 10.0 * (day % 7) as f64 + ((day * 37 + s * 11) % 13) as f64;
            let y = match day {
                // Gaps, holes and an outlier in the middle and at the end of the training part.
                30 | 31 => continue,
                day if day == cut - 1 && s == 1 => continue,
                40 => None,
                day if (cut - 3..cut - 1).contains(&day) => None,
                50 => Some(-12.0),
                60 => Some(4_000.0),
                day if day == cut - 5 => Some(3_000.0),
                70..80 => Some(0.0),
                _ => Some(usual),
            };
            let hour = 24 * day as i64;
            let seen = (day % 9 > 0).then_some((day % 5) as f64);
            rows.push(Row { key, hour, y, seen });
            if day == 20 {
                rows.push(Row { key, hour, y, seen });
            }
            if beside && day == 90 {
                rows.push(Row { key, hour: hour + 5, y: Some(3.0), seen });
            }
        }
    }
    rows
}

fn panel(rows: &[Row]) -> Panel {
    let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
    let frame = df!(
        "k" => rows.iter().map(|row| row.key).collect::<Vec<_>>(),
        "ds" => rows.iter().map(|row| first + chrono::TimeDelta::hours(row.hour)).collect::<Vec<_>>(),
        "y" => rows.iter().map(|row| row.y).collect::<Vec<_>>(),
        "seen" => rows.iter().map(|row| row.seen).collect::<Vec<_>>(),
    )
    .unwrap();
    Panel::from_frame(frame, Columns::new(["k"], "ds", "y").observed(["seen"]).freq("D").unwrap()).unwrap()
}

/// The same history with another end; the last day stays, so that the window does.
fn futures(beside: bool) -> Vec<(&'static str, Vec<Row>)> {
    let start = 24 * (DAYS - HORIZON) as i64;
    let last = 24 * (DAYS - 1) as i64;
    let change = |what: &dyn Fn(usize, Row) -> Vec<Row>| -> Vec<Row> {
        let rows = rows(beside).into_iter().enumerate();
        rows.flat_map(|(i, row)| if row.hour >= start { what(i, row) } else { vec![row] }).collect()
    };
    let mut futures = vec![
        ("thousands", change(&|i, row| vec![Row { y: Some(1_000.0 + i as f64), seen: Some(90.0), ..row }])),
        ("huge", change(&|_, row| vec![Row { y: row.y.map(|y| 1e6 * y), seen: None, ..row }])),
        ("missing", change(&|i, row| vec![Row { y: row.y.filter(|_| row.hour == last || i % 3 == 0), ..row }])),
        ("negative", change(&|_, row| vec![Row { y: row.y.map(|y| -y), seen: row.seen.map(|x| -x), ..row }])),
        ("nothing sold", change(&|_, row| vec![Row { y: row.y.filter(|_| row.hour == last).or(Some(0.0)), ..row }])),
        ("twice", change(&|_, row| vec![row.clone(), Row { y: Some(700.0), ..row }])),
        ("absent", change(&|_, row| if row.hour == last { vec![row] } else { Vec::new() })),
    ];
    if beside {
        let change = change(&|_, row| match row.hour > start && row.hour < last {
            true => vec![row.clone(), Row { hour: row.hour - 5, y: Some(900.0), ..row }],
            false => vec![row],
        });
        futures.push(("beside the calendar", change));
    }
    futures
}

type Said = std::collections::BTreeMap<(String, String, String), Vec<u64>>;

/// Every number that was said of the windows, by model, series and stamp, to the bit. Cases that were not scored are
/// not there.
fn said(trial: &Backtest) -> Said {
    let table = trial.forecasts().unwrap();
    let frame = table.frame();
    let text = |name: &str| {
        let column = frame.column(name).unwrap().cast(&DataType::String).unwrap();
        column.str().unwrap().iter().map(|text| text.unwrap().to_string()).collect::<Vec<_>>()
    };
    let keys = trial.panel().columns().keys();
    let keys: Vec<Vec<String>> = keys.iter().map(|key| text(key)).collect();
    let (models, stamps) = (text("model"), text(trial.panel().columns().time()));
    let names: Vec<String> = frame.get_column_names().into_iter().map(|name| name.to_string()).collect();
    let start = names.iter().position(|name| name == "mean").unwrap();
    let numbers: Vec<Vec<f64>> = names[start..]
        .iter()
        .map(|name| frame.column(name).unwrap().f64().unwrap().iter().map(|v| v.unwrap_or(f64::NAN)).collect())
        .collect();
    (0..frame.height())
        .map(|row| {
            let key: Vec<&str> = keys.iter().map(|key| key[row].as_str()).collect();
            let bits = numbers.iter().map(|column| column[row].to_bits()).collect();
            ((models[row].clone(), key.join("|"), stamps[row].clone()), bits)
        })
        .collect()
}

/// What is said of the same windows is the same; where one side has no case to score, there is nothing to compare.
fn assert_same(a: &Said, b: &Said, what: &str) {
    let common: Vec<_> = a.keys().filter(|key| b.contains_key(*key)).collect();
    assert!(!common.is_empty(), "{what}: nothing to compare");
    for key in common {
        let numbers = |said: &Said| said[key].iter().map(|bits| f64::from_bits(*bits)).collect::<Vec<_>>();
        assert!(a[key] == b[key], "{what}: {key:?} was {:?}, is {:?}", numbers(a), numbers(b));
    }
}

#[test]
fn no_policy_looks_past_the_cut_off() {
    let folds = || Folds::new(1, HORIZON);
    for policy in POLICIES {
        let run =
            |rows: &[Row]| said(&panel(rows).clean(&whole(policy)).unwrap().backtest(MODELS_HERE, folds()).unwrap());
        let before = run(&rows(beside(policy)));
        for (name, other) in futures(beside(policy)) {
            assert_same(&before, &run(&other), &format!("{policy}, {name}"));
        }
    }
}

/// What follows on cleaning does not look either: normalising, aggregating, features, joined files.
#[test]
fn what_follows_on_cleaning_does_not_look_past_the_cut_off() {
    let policy = whole("gaps=fill, missing=linear, outliers=clip, stockouts=missing, negatives=apart, covariates=last");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weather.csv");
    let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    let weather = |late: f64| {
        let lines = (0..DAYS).map(|day| {
            let (rain, due) = (if day < DAYS - HORIZON { (day % 8) as f64 } else { late }, day % 6 == 0);
            format!("{},{rain},{}\n", first + Days::new(day as u64), u8::from(due))
        });
        std::fs::write(&file, format!("ds,rain,due\n{}", lines.collect::<String>())).unwrap();
    };
    type Then<'a> = Box<dyn Fn(Panel) -> Panel + 'a>;
    let mut ways: Vec<(String, Then)> = Vec::new();
    for kind in [Normalise::Standard, Normalise::MinMax, Normalise::Log1p] {
        ways.push((format!("{kind:?}"), Box::new(move |panel| panel.normalised(kind).unwrap())));
    }
    for how in ["freq=W-SUN", "freq=W-SUN, target=mean", "keys=[]", "freq=W-SUN, keys=[], partial=drop"] {
        ways.push((how.into(), Box::new(move |panel| panel.aggregate(&Aggregate::parse(how).unwrap()).unwrap())));
    }
    let features = "lags(steps=[7, 14]); rolling(window=7, lag=7); expanding(lag=7); weekday; month_end";
    let interaction = "lags(steps=[7]); weekday; interaction(a=lag_7, b=weekday)";
    for labels in [features, interaction] {
        ways.push((labels.into(), Box::new(move |panel| panel.features(labels).unwrap())));
    }
    for join in ["observed=[rain]", "known=[due]", "observed=[rain], known=[due]"] {
        let file = &file;
        let then = move |panel: Panel| panel.join(file, &Join::parse(join).unwrap()).unwrap();
        ways.push((join.into(), Box::new(then)));
    }
    let (join, file) = ("observed=[rain], known=[due]", &file);
    let then = move |panel: Panel| {
        let joined = panel.join(file, &Join::parse(join).unwrap()).unwrap();
        joined.features("lags(steps=[7]); interaction(a=rain, b=due)").unwrap().normalised(Normalise::Standard).unwrap()
    };
    ways.push(("all of it".into(), Box::new(then)));
    for (name, then) in &ways {
        let models = ["naive", "theta", "regression", "ridge"];
        let run = |rows: &[Row], late: f64| {
            weather(late);
            let panel = then(panel(rows).clean(&policy).unwrap());
            let folds = if name.contains("freq") { Folds::new(1, 1) } else { Folds::new(1, HORIZON) };
            said(&panel.backtest(models, folds).unwrap())
        };
        let before = run(&rows(false), 2.0);
        // A week of which a part is not known is not scored.
        let scored = |end: &str| !name.contains("freq") || !["missing", "absent", "nothing sold"].contains(&end);
        for (end, other) in futures(false).into_iter().filter(|(end, _)| scored(end)) {
            assert_same(&before, &run(&other, 77.0), &format!("{name}, {end}"));
        }
    }
}

/// Every feature that there is, on the bundled sales with dirt, cleaned.
#[test]
fn no_feature_of_cleaned_data_looks_past_the_cut_off() {
    let dirty = |late: &dyn Fn(usize, f64) -> Option<f64>| {
        let sales = sales();
        let mut frame = sales.to_frame();
        let dates = frame.column("Date").unwrap().cast(&DataType::String).unwrap();
        let dates = dates.str().unwrap().clone();
        let values = frame.column("Weekly_Sales").unwrap().f64().unwrap().clone();
        let values: Vec<Option<f64>> = (0..frame.height())
            .map(|row| match (dates.get(row).unwrap(), values.get(row)) {
                (date, Some(y)) if date >= "2012-09-07" => late(row, y),
                ("2012-08-31" | "2012-08-24" | "2011-03-04", _) => None,
                ("2012-08-10", Some(y)) => Some(60.0 * y),
                (_, y) => y,
            })
            .collect();
        frame.with_column(Column::new("Weekly_Sales".into(), values)).unwrap();
        let panel = Panel::from_frame(frame, sales.columns()).unwrap();
        panel.clean(&Clean::parse("missing=linear, outliers=interpolate").unwrap()).unwrap()
    };
    for feature in FEATURES {
        let run = |late: &dyn Fn(usize, f64) -> Option<f64>| {
            let Ok(panel) = dirty(late).features(feature.example) else { return None };
            Some(said(&panel.backtest(["ridge", "regression", "naive"], Folds::new(1, 8)).unwrap()))
        };
        let (Some(before), Some(after)) = (run(&|_, y| Some(y)), run(&|row, y| (row % 3 > 0).then_some(1e4 - y)))
        else {
            // A day of the week has no place in weekly data.
            continue;
        };
        assert_same(&before, &after, feature.example);
    }
}

/// A cleaned panel before a day is the panel before that day, cleaned: to the bit, with its trail.
#[test]
fn cutting_and_cleaning_commute() {
    let days = ["2024-02-01", "2024-03-02", "2024-04-01", "2024-04-20", "2024-04-29"];
    for policy in POLICIES {
        for (name, rows) in futures(beside(policy)) {
            let (raw, clean) = (panel(&rows), whole(policy));
            let cleaned = raw.clean(&clean).unwrap();
            // A stamp of March that is moved to the first of April is a row of April.
            for day in days.iter().filter(|day| !(policy.ends_with("next") && **day == "2024-04-01")) {
                let cut = raw.before(day).unwrap();
                let (a, b) = (cleaned.before(day).unwrap(), cut.clean(&clean).unwrap());
                assert!(a.to_frame().equals_missing(&b.to_frame()), "{policy}, {name}, {day}");
                let trail = |panel: &Panel| panel.audit().unwrap().table().unwrap().frame().clone();
                assert!(
                    trail(&a).equals_missing(&trail(&b)),
                    "{policy}, {name}, {day}: {:?} {:?}",
                    trail(&a),
                    trail(&b)
                );
            }
        }
    }
}

/// What happened on the days of the window, by policy.
#[test]
fn what_is_scored_is_what_was_recorded() {
    let days = 70;
    let table = |policy: &str| {
        let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
        let value = |day: usize| match day {
            63 => None,
            65 => Some(5_000.0),
            66 => Some(-7.0),
            69 => Some(21.0),
            day => Some(20.0 + (day % 3) as f64),
        };
        // No row at all on day 64, two on day 67.
        let list: Vec<usize> = (0..days).filter(|day| *day != 64).chain([67]).collect();
        let frame = df!("ds" => list.iter().map(|day| first + Days::new(*day as u64)).collect::<Vec<_>>(),
            "y" => list.iter().map(|day| value(*day)).collect::<Vec<_>>())
        .unwrap();
        let panel = Panel::from_frame(frame, Columns::new([""; 0], "ds", "y")).unwrap();
        let cleaned = panel.clean(&Clean::parse(policy).unwrap()).unwrap();
        let trial = cleaned.backtest(["naive"], Folds::new(1, 7)).unwrap();
        let actual = trial.forecasts().unwrap().frame().column("actual").unwrap().f64().unwrap().to_vec();
        // The mean absolute error is that of the numbers in the table, and the fold's own test part has the same ones.
        let said = trial.forecasts().unwrap().frame().column("mean").unwrap().f64().unwrap().to_vec();
        let errors: Vec<f64> =
            actual.iter().zip(&said).filter_map(|(y, mean)| Some((mean.unwrap() - (*y)?).abs())).collect();
        let mae = errors.iter().sum::<f64>() / errors.len() as f64;
        assert!((trial.score("naive", "mae").unwrap() - mae).abs() < 1e-9, "{policy}");
        let test = cleaned.split(&Folds::new(1, 7)).unwrap()[0].test();
        let test: Vec<Option<f64>> =
            test.to_frame().column("y").unwrap().f64().unwrap().iter().flatten().map(Some).collect();
        assert_eq!(test, actual.iter().copied().filter(Option::is_some).collect::<Vec<_>>(), "{policy}");
        actual
    };
    let plain = [None, None, Some(5_000.0), Some(-7.0), Some(44.0 - 2.0), Some(20.0 + 2.0), Some(21.0)];
    for policy in [
        "gaps=fill",
        "missing=linear",
        "missing=seasonal",
        "missing=last",
        "gaps=fill, missing=linear",
        "gaps=fill, missing=seasonal",
        "negatives=clip",
        "outliers=clip",
        "outliers=interpolate",
        "gaps=fill, missing=last, negatives=clip, outliers=interpolate, normalise=standard",
    ] {
        assert_eq!(table(&format!("duplicates=sum, {policy}")), plain, "{policy}");
    }
    let with = |changes: &[(usize, f64)]| {
        let mut actual = plain;
        changes.iter().for_each(|(day, y)| actual[*day] = Some(*y));
        actual.to_vec()
    };
    assert_eq!(table("duplicates=sum, missing=zero"), with(&[(0, 0.0)]));
    assert_eq!(table("duplicates=sum, gaps=fill, missing=zero"), with(&[(0, 0.0), (1, 0.0)]));
    assert_eq!(table("duplicates=sum, negatives=apart"), with(&[(3, 0.0)]));
    assert_eq!(table("duplicates=mean, outliers=clip"), with(&[(4, 21.0)]));
    assert_eq!(table("duplicates=last, outliers=clip"), with(&[(4, 21.0)]));
}

/// A run of zeros that is taken for an empty shelf is no demand that anybody saw.
#[test]
fn suspected_stock_outs_are_not_scored() {
    let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    let value = |day: usize| if (105..112).contains(&day) { 0.0 } else { 30.0 + (day % 7) as f64 };
    let frame = df!("ds" => (0..119).map(|day| first + Days::new(day)).collect::<Vec<_>>(),
        "y" => (0..119).map(value).collect::<Vec<_>>())
    .unwrap();
    let panel = Panel::from_frame(frame, Columns::new([""; 0], "ds", "y")).unwrap();
    let scored = |panel: &Panel| {
        let trial = panel.backtest(["naive"], Folds::new(1, 14)).unwrap();
        let actual = trial.forecasts().unwrap().frame().column("actual").unwrap().f64().unwrap().to_vec();
        actual.iter().flatten().count()
    };
    assert_eq!(scored(&panel), 14);
    for policy in ["stockouts=missing", "stockouts=missing, missing=linear", "stockouts=missing, missing=zero"] {
        let cleaned = panel.clean(&Clean::parse(policy).unwrap()).unwrap();
        assert_eq!(scored(&cleaned), 7, "{policy}");
    }
}

/// Periods of which a part was filled in have no value that happened; the others have the sum of what was recorded.
#[test]
fn aggregated_periods_are_scored_as_recorded() {
    let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    let value = |day: u64| match day {
        101 => None,
        108 => Some(9_000.0),
        _ => Some(10.0),
    };
    let frame = df!("ds" => (0..112).map(|day| first + Days::new(day)).collect::<Vec<_>>(),
        "y" => (0..112).map(value).collect::<Vec<_>>())
    .unwrap();
    let panel = Panel::from_frame(frame, Columns::new([""; 0], "ds", "y")).unwrap();
    let weeks = |policy: &str| {
        let cleaned = panel.clean(&Clean::parse(policy).unwrap()).unwrap();
        let weeks = cleaned.aggregate(&Aggregate::parse("freq=W-SUN").unwrap()).unwrap();
        let table = weeks.backtest(["naive"], Folds::new(1, 2)).unwrap().forecasts().unwrap();
        table.frame().column("actual").unwrap().f64().unwrap().to_vec()
    };
    assert_eq!(weeks("missing=linear, outliers=clip"), [None, Some(9_060.0)]);
    assert_eq!(weeks("missing=zero, outliers=interpolate"), [Some(60.0), Some(9_060.0)]);
}

fn mae(folder: &Path, value: impl Fn(usize) -> String, policy: &str, models: &str) -> (f64, Vec<f64>) {
    let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    let lines: String = (0..60).map(|i| format!("a,{},{}\n", first + Days::new(i as u64), value(i))).collect();
    std::fs::write(folder.join("l.csv"), format!("id,ds,y\n{lines}")).unwrap();
    let _ = std::fs::remove_dir_all(folder.join("bt"));
    let args = ["backtest", "--data", "l.csv", "--id", "id", "--time", "ds", "--target", "y", "--policy", policy];
    let more = ["--models", models, "--horizon", "7", "--folds", "1", "--metric", "mae", "--out", "bt", "-q"];
    let program = env!("CARGO_BIN_EXE_tradewind");
    let output = Command::new(program).args(args).args(more).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| std::fs::File::open(folder.join("bt").join(name)).unwrap();
    let scores = ParquetReader::new(read("scores.parquet")).finish().unwrap();
    let forecasts = ParquetReader::new(read("forecasts.parquet")).finish().unwrap();
    let mean = forecasts.column("mean").unwrap().f64().unwrap().iter().flatten().collect();
    (scores.column("mae").unwrap().f64().unwrap().get(0).unwrap(), mean)
}

/// The same on the command line, where the numbers can be counted by hand.
#[test]
fn a_backtest_of_the_command_line_fills_from_the_past_and_scores_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let usual = |i: usize| (10 + i % 3).to_string();
    // Three holes end the training part: there is no line to draw, and the last value is that of day 49.
    let hole = |late: &'static str| {
        move |i: usize| match i {
            50..53 => String::new(),
            i if i >= 53 && !late.is_empty() => late.to_string(),
            i => (10 + i % 3).to_string(),
        }
    };
    for policy in ["missing=linear", "missing=seasonal"] {
        let (plain, said) = mae(folder.path(), hole(""), policy, "naive");
        let (changed, other) = mae(folder.path(), hole("1000"), policy, "naive");
        assert_eq!((said.clone(), other), (vec![11.0; 7], vec![11.0; 7]), "{policy}");
        let actual = (53..60).map(|i| ((10 + i % 3) as f64 - 11.0).abs());
        assert!(
            (plain - actual.sum::<f64>() / 7.0).abs() < 1e-9 && (changed - 989.0).abs() < 1e-9,
            "{plain} {changed}"
        );
    }
    // A sale of 5,000 on day 56 counts as such.
    let sale = |i: usize| if i == 56 { "5000".into() } else { usual(i) };
    let last = (10 + 52 % 3) as f64;
    let expected =
        (53..60).map(|i| if i == 56 { 5000.0 - last } else { ((10 + i % 3) as f64 - last).abs() }).sum::<f64>() / 7.0;
    for policy in ["outliers=clip", "outliers=interpolate", "negatives=clip"] {
        let (scored, _) = mae(folder.path(), sale, policy, "naive");
        assert!((scored - expected).abs() < 1e-9, "{policy}: {scored} and {expected}");
    }
}

/// Tuning judges by what happened, too.
#[test]
fn searches_judge_by_the_record() {
    let rows = rows(false);
    let policy = whole("gaps=fill, missing=linear, outliers=clip");
    let tuned = |late: f64| {
        let changed: Vec<Row> = rows
            .iter()
            .cloned()
            .map(|row| match row.hour / 24 {
                day if day as usize == DAYS - 2 => Row { y: Some(late), ..row },
                _ => row,
            })
            .collect();
        let panel = panel(&changed).clean(&policy).unwrap();
        let search = Search::parse("trials=2, seed=1, metric=mae, untouched=0").unwrap();
        let best = panel.tune("theta", Folds::new(2, HORIZON), search).unwrap();
        best.trials().unwrap().get(0, "mae").unwrap().to_string()
    };
    // Both are outliers that clipping makes the same; they are not the same error.
    assert_ne!(tuned(50_000.0), tuned(90_000.0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any series, any policy: what comes after a day changes nothing before it.
    #[test]
    fn nothing_after_a_day_reaches_what_was_before(
        values in prop::collection::vec(prop::option::weighted(0.8, prop_oneof![6 => 50.0..90.0_f64, 1 => Just(0.0), 1 => -9.0..0.0_f64, 1 => 800.0..9e3_f64]), 40..80),
        others in prop::collection::vec(prop::option::weighted(0.7, -50.0..5e4_f64), 12),
        rows in prop::collection::vec(prop::bool::weighted(0.9), 80),
        policy in prop::sample::select(&POLICIES[..]),
    ) {
        let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
        let cut = values.len() - 12;
        let panel = |values: &[Option<f64>]| {
            let days: Vec<usize> = (0..values.len()).filter(|day| *day < 2 || rows[*day] || day + 1 == values.len()).collect();
            let frame = df!("ds" => days.iter().map(|day| first + Days::new(*day as u64)).collect::<Vec<_>>(),
                "y" => days.iter().map(|day| values[*day]).collect::<Vec<_>>()).unwrap();
            let panel = Panel::from_frame(frame, Columns::new([""; 0], "ds", "y").freq("D").unwrap()).unwrap();
            panel.clean(&whole(policy)).unwrap().before(&(first + Days::new(cut as u64)).to_string()).unwrap().to_frame()
        };
        let changed: Vec<Option<f64>> = values[..cut].iter().chain(&others).copied().collect();
        prop_assert!(panel(&values).equals_missing(&panel(&changed)), "{policy}");
    }
}
