//! Which model is really better: tests agree with R and scipy, see the headers of `comparison.csv` and
//! `studentized_range.csv`; every verb answers whatever the backtest, and says when a test has no meaning.

use tradewind::polars::prelude::*;
use tradewind::prelude::*;
use tradewind::show::Value;
use tradewind::statistics::*;

use crate::oracles::{number, rows};

fn near(ours: f64, theirs: f64) -> bool {
    (ours - theirs).abs() <= 1e-9 * theirs.abs() + 1e-13
}

#[test]
fn tests_of_better_agree_with_r() {
    let mut compared = 0;
    for row in rows("comparison.csv") {
        let (h, columns) = (row[1].parse::<usize>().unwrap(), row[2].parse::<usize>().unwrap());
        let values: Vec<f64> = row[3].split(';').map(number).collect();
        let blocks = || values.chunks(columns).map(<[f64]>::to_vec).collect::<Vec<_>>();
        let (statistic, p) = match row[0].as_str() {
            "dm" | "dm_negative" => {
                let test = diebold_mariano(&values, h).unwrap();
                assert_eq!(test.fell_back, row[0] == "dm_negative", "{row:?}");
                (test.statistic, test.p_value)
            }
            "friedman" => friedman(&blocks()).map(|test| (test.statistic, test.p_value)).unwrap(),
            "iman_davenport" => friedman(&blocks()).map(|test| (test.f, test.f_p_value)).unwrap(),
            _ => wilcoxon(&values).unwrap(),
        };
        assert!(near(statistic, number(&row[4])) && near(p, number(&row[5])), "{row:?}: {statistic} {p}");
        compared += 1;
    }
    assert!(compared > 40);
}

#[test]
fn the_studentised_range_agrees_with_scipy_and_the_table_of_the_paper() {
    for row in rows("studentized_range.csv") {
        let k = row[0].parse().unwrap();
        let quantile = studentised_range_quantile(number(&row[1]), k).unwrap();
        let tail = studentised_range(number(&row[3]), k);
        assert!((quantile - number(&row[2])).abs() < 1e-6 && (tail - number(&row[4])).abs() < 1e-6, "{row:?}");
    }
    for (k, printed) in (2..).zip([1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]) {
        let ours = studentised_range_quantile(0.95, k).unwrap() / 2_f64.sqrt();
        // The paper prints 2.343 where 2.3437 is.
        assert!((ours - printed).abs() < 1e-3, "{k}: {ours}");
    }
}

#[test]
fn tests_of_better_are_fair() {
    let d = [0.4, -0.1, 0.3, 0.8, 0.2, -0.3, 0.5];
    let turned: Vec<f64> = d.iter().map(|d| -d).collect();
    let (one, other) = (diebold_mariano(&d, 2).unwrap(), diebold_mariano(&turned, 2).unwrap());
    assert!(near(one.statistic, -other.statistic) && near(one.p_value, other.p_value));
    let larger: Vec<f64> = d.iter().map(|d| d * 1e300).collect();
    assert!(near(diebold_mariano(&larger, 2).unwrap().p_value, one.p_value));
    // The interval and the p-value say the same.
    assert_eq!(one.p_value < 0.05, one.mean.abs() > one.margin);

    assert_eq!(diebold_mariano(&[0.0; 5], 1).unwrap().p_value, 1.0);
    assert!(diebold_mariano(&[0.5; 5], 1).is_err(), "no variance to compare with");
    assert!(diebold_mariano(&[0.5], 1).is_err() && diebold_mariano(&[], 1).is_err());
    assert!(diebold_mariano(&[1.0, 2.0, f64::NAN], 1).is_err());
    assert!(diebold_mariano(&[1.0, 2.0, 4.0], 3).is_err(), "the correction leaves nothing");
    assert!(diebold_mariano(&[1.0, 2.0, 4.0], 50).is_err());

    let same = friedman(&[vec![1.0, 1.0, 1.0], vec![2.0, 2.0, 2.0]]).unwrap();
    assert_eq!((same.mean_ranks, same.statistic, same.p_value), (vec![2.0; 3], 0.0, 1.0));
    let clear = friedman(&vec![vec![1.0, 2.0, 3.0]; 9]).unwrap();
    assert_eq!((clear.f_p_value, clear.mean_ranks.iter().sum::<f64>()), (0.0, 6.0));
    assert!(friedman(&[]).is_err() && friedman(&[vec![1.0, 2.0]]).is_err());
    assert!(friedman(&[vec![1.0, 2.0], vec![1.0]]).is_err());
    assert!(wilcoxon(&[0.0, 0.0]).is_err());
    assert_eq!(holm(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
    assert_eq!(alike(&[1.0, 1.5, 2.0, 3.5, 3.6], 1.0), [(0, 2), (3, 4)]);
    assert_eq!(alike(&[1.0, 2.0, 3.0], 1.0), [(0, 1), (1, 2)]);
    assert!(alike(&[1.0, 3.0], 1.0).is_empty() && alike(&[], 1.0).is_empty());
    assert!(critical_difference(1, 5).is_err() && critical_difference(3, 0).is_err());
}

/// `count` weekly series of 60 weeks with a season of four, trends of their own, and some that sell seldom.
fn panel(count: usize) -> Panel {
    let (mut key, mut day, mut y, mut promotion) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut state = 7_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    for series in 0..count {
        for week in 0..60_i32 {
            let promoted = f64::from(u8::from(week % 9 == 4));
            let level = 20.0 + 7.0 * (series % 5) as f64 + 6.0 * f64::from(week % 4) + 15.0 * promoted;
            let seldom = series % 4 == 3 && random() < 0.6;
            key.push(format!("s{series}"));
            day.push(18_000 + 7 * week);
            y.push(if seldom { 0.0 } else { level + 8.0 * random() });
            promotion.push(promoted);
        }
    }
    let frame = df!("key" => key, "day" => day, "y" => y, "promotion" => promotion).unwrap();
    let day = frame.column("day").unwrap().cast(&DataType::Date).unwrap();
    let mut frame = frame;
    frame.with_column(day).unwrap();
    Panel::from_frame(frame, Columns::new(["key"], "day", "y").known(["promotion"]).season(4)).unwrap()
}

/// The same without dates: numbered steps.
fn numbered(count: usize) -> Panel {
    let mut frame = panel(count).to_frame();
    let steps: Vec<i64> = (0..frame.height()).map(|row| row as i64 % 60).collect();
    frame.with_column(Column::new("day".into(), steps)).unwrap();
    Panel::from_frame(frame, Columns::new(["key"], "day", "y").season(4)).unwrap()
}

fn value(table: &Table, row: usize, column: &str) -> f64 {
    match table.get(row, column).unwrap() {
        Value::Number(value) => value,
        Value::Whole(value) => value as f64,
        other => panic!("{column} is {other}"),
    }
}

#[test]
fn a_comparison_is_symmetric_and_its_scores_are_those_of_the_leaderboard() {
    let trial = panel(6).backtest(["naive", "seasonal_naive", "theta"], Folds::new(8, 4)).unwrap();
    for metric in ["mae", "rmse", "mase", "wape", "pinball", "msis80"] {
        let one = trial.compare("theta", "naive", metric).unwrap();
        let other = trial.compare("naive", "theta", metric).unwrap();
        assert_eq!(one.table().rows(), 5, "all steps and each of four");
        for row in 0..5 {
            assert!(near(value(&one.table(), row, "p"), value(&other.table(), row, "p")));
            assert!(near(value(&one.table(), row, "difference"), -value(&other.table(), row, "difference")));
            assert!(near(value(&one.table(), row, "from"), -value(&other.table(), row, "to")));
        }
        assert_eq!(one.sentence(), other.sentence());
        assert!(one.figure().unwrap().svg().unwrap().contains("Theta method better") && !one.caveats().is_empty());
    }
    let mae = trial.compare("theta", "naive", "mae").unwrap().table();
    assert!(near(value(&mae, 0, "theta"), trial.score("theta", "mae").unwrap()));
    // A season of four is a large and steady advantage.
    let clear = trial.compare("seasonal_naive", "naive", "mae").unwrap();
    assert!(
        value(&clear.table(), 0, "p") < 0.05
            && clear.sentence().contains("is significantly better than Naive (last value)"),
        "{}",
        clear.sentence()
    );
    assert_eq!(value(&clear.table(), 0, "folds"), 8.0);
}

#[test]
fn what_is_compared_must_be_two_models_and_a_loss() {
    let trial = panel(3).backtest(["naive", "theta"], Folds::new(2, 3)).unwrap();
    for (one, other, metric) in [
        ("naive", "naive", "mae"),
        ("naive", "thet", "mae"),
        ("naive", "theta", "ma"),
        ("naive", "theta", "bias"),
        ("naive", "theta", "coverage80"),
    ] {
        assert!(trial.compare(one, other, metric).unwrap_err().is_usage(), "{one} {other} {metric}");
    }
    assert!(trial.ranks("coverage95").unwrap_err().to_string().contains("calibration()"));
    assert!(trial.errors("other").is_err() && trial.calibration_of("other").is_err());
    assert!(trial.by("clas", "mae").unwrap_err().to_string().contains("did you mean `class`?"));
}

#[test]
fn the_same_forecasts_are_no_better() {
    let trial = panel(5).backtest(["seasonal_naive", "seasonal_naive(season=4)"], Folds::new(4, 4)).unwrap();
    let finding = trial.compare("seasonal_naive", "seasonal_naive(season=4)", "mase").unwrap();
    assert_eq!(value(&finding.table(), 0, "p"), 1.0);
    assert!(finding.sentence().contains("equally good"), "{}", finding.sentence());
    let ranks = trial.ranks("mase").unwrap();
    assert!(ranks.sentence().contains("do not differ significantly"), "{}", ranks.sentence());
    assert_eq!((value(&ranks.table(), 0, "mean rank"), value(&ranks.table(), 1, "p against first")), (1.5, 1.0));
    let page = trial.performance("mase").unwrap().to_string();
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains("It is no better than"), "{page}");
}

#[test]
fn ranks_add_up_and_bars_join_what_is_alike() {
    let trial = panel(20).backtest(["naive", "drift", "seasonal_naive", "theta"], Folds::new(3, 4)).unwrap();
    let ranks = trial.ranks("mae").unwrap();
    let sum: f64 = (0..4).map(|row| value(&ranks.table(), row, "mean rank")).sum();
    assert!(near(sum, 10.0));
    let best = (0..4).map(|row| value(&ranks.table(), row, "best in")).sum::<f64>();
    assert!(best >= 20.0, "a tie counts for both");
    assert!(
        ranks.sentence().contains("are not all equally good")
            && ranks.figure().unwrap().svg().unwrap().contains("critical difference")
    );
    assert!(ranks.caveats().iter().any(|caveat| caveat.contains("share their dates")));
    // Numbered steps are no dates: series count, and nothing is said of dates.
    let trial = numbered(20).backtest(["naive", "seasonal_naive"], Folds::new(1, 4)).unwrap();
    assert!(trial.ranks("mae").unwrap().caveats().is_empty());
    let duel = trial.compare("seasonal_naive", "naive", "mae").unwrap();
    assert_eq!(value(&duel.table(), 0, "series"), 20.0);
}

#[test]
fn calibration_agrees_with_the_leaderboard() {
    let models = ["naive", "theta", "tsb"];
    let trial = panel(8).backtest(models, Folds::new(4, 4)).unwrap();
    let finding = trial.calibration().unwrap();
    for row in 0..3 {
        let model = finding.table().get(row, "model").unwrap().to_string();
        for metric in ["coverage80", "coverage95"] {
            let (ours, theirs) = (value(&finding.table(), row, metric), trial.score(&model, metric).unwrap());
            assert!(near(ours, theirs), "{model} {metric}: {ours} {theirs}");
        }
    }
    assert!(finding.figure().unwrap().svg().unwrap().contains("PIT histogram of"));
    let one = trial.calibration_of("theta").unwrap();
    assert_eq!(one.table().rows(), 5);
    assert!(near(value(&one.table(), 4, "coverage80"), trial.score("theta", "coverage80").unwrap()));
}

#[test]
fn scores_are_taken_by_class_and_size() {
    let trial = panel(9).backtest(["naive"], Folds::new(2, 4)).unwrap();
    let classes = trial.by("class", "mae").unwrap();
    assert_eq!(classes.column("class").unwrap(), ["smooth", "intermittent"].map(|c| Value::Text(c.into())));
    let sizes = trial.by("size", "mae").unwrap();
    assert_eq!(sizes.column("size").unwrap(), ["large", "medium", "small"].map(|c| Value::Text(c.into())));
    let mean = (0..3).map(|row| value(&sizes, row, "naive")).sum::<f64>() / 3.0;
    assert!(near(mean, trial.score("naive", "mae").unwrap()), "thirds of nine series are of one size");
}

#[test]
fn errors_say_where_when_which_way_and_why() {
    let trial = panel(12).backtest(["theta"], Folds::new(5, 4)).unwrap();
    let found = trial.errors("theta").unwrap();
    let titles: Vec<String> = found.iter().map(Finding::title).collect();
    assert_eq!(
        titles,
        [
            "Where Theta method errs",
            "When Theta method errs",
            "Bias of Theta method",
            "Factors that go with errors of Theta method"
        ]
    );
    let shares: f64 = (0..12).map(|row| value(&found[0].table(), row, "% of error")).sum();
    assert!(near(shares, 100.0));
    // What sells seldom has the largest errors for its size, and a promotion that the model does not see has some.
    let what = found[3].table().column("factor").unwrap();
    for there in ["promotion", "steps between sales", "size of the series"] {
        assert!(what.contains(&Value::Text(there.into())), "{there}: {what:?}");
    }
    for finding in &found {
        assert!(
            finding.figure().unwrap().svg().is_ok() && !finding.sentence().contains("NaN"),
            "{}",
            finding.sentence()
        );
    }
}

/// One model, one series, one fold, numbered steps, 25 models, a series that never sold: every page says what it can.
#[test]
fn every_backtest_has_a_page() {
    let many: Vec<String> =
        (2..25).map(|k| format!("seasonal_naive(season={k})")).chain(["naive".into(), "drift".into()]).collect();
    let some = || vec!["naive".to_string(), "seasonal_naive".into(), "theta".into()];
    let nothing = {
        let frame = panel(3).to_frame().lazy().with_column((col("y") * lit(0.0)).alias("y")).collect().unwrap();
        Panel::from_frame(frame, Columns::new(["key"], "day", "y")).unwrap()
    };
    let cases: Vec<(&str, Panel, Vec<String>, Folds)> = vec![
        ("one model", panel(4), vec!["theta".into()], Folds::new(3, 4)),
        ("one series", panel(1), some(), Folds::new(4, 3)),
        ("one fold", panel(7), some(), Folds::new(1, 4)),
        ("one of each", panel(1), vec!["naive".into()], Folds::new(1, 1)),
        ("two folds of one step", panel(2), some(), Folds::new(2, 1)),
        ("overlapping folds", panel(3), some(), Folds::new(12, 4).step(1)),
        ("numbered steps", numbered(9), some(), Folds::new(2, 4)),
        ("many models", panel(5), many, Folds::new(3, 4)),
        ("nothing sold", nothing, some(), Folds::new(2, 4)),
    ];
    for (name, panel, models, folds) in cases {
        let trial = panel.backtest(models.iter().map(String::as_str), folds).unwrap();
        let report = trial.performance("mae").unwrap();
        let folder = tempfile::tempdir().unwrap();
        report.save(folder.path().join("page.html")).unwrap();
        report.save_slides(folder.path().join("slides.html")).unwrap();
        let page = std::fs::read_to_string(folder.path().join("page.html")).unwrap() + report.to_string().as_str();
        for bad in ["NaN", ">inf", "∞", " 1 folds", " 1 models", "..", "Infinity"] {
            let at = page.find(bad).map(|at| page[..at + 40].chars().rev().take(160).collect::<Vec<_>>());
            assert!(at.is_none(), "{name}: {bad} in {}", at.unwrap().iter().rev().collect::<String>());
        }
        match name {
            "one model" | "one of each" => {
                assert!(page.contains("There is only one model. Add a benchmark to compare it with"))
            }
            "one fold" => assert!(page.contains("cannot be tested: one fold gives no variance")),
            _ => assert!(page.contains("Accuracy by fold")),
        }
    }
    let trial = panel(4).backtest(["naive", "theta"], Folds::new(3, 4)).unwrap();
    for metric in ["bias", "coverage80", "wape"] {
        assert!(trial.performance(metric).unwrap().to_string().contains("Leaderboard"), "{metric}");
    }
    assert!(trial.performance("nonsense").unwrap_err().is_usage());
}

/// Readers are told names, programs labels; the page says once what to type for each name.
#[test]
fn readers_are_told_names_and_programs_labels() {
    let labels = ["seasonal_naive(season=4)", "ets(model=ANN)", "ets(model=AAN)", "combine(models=[theta, naive])"];
    let names = [
        "Seasonal naive (last season)",
        "Exponential smoothing (ETS; model: ANN)",
        "Exponential smoothing (ETS; model: AAN)",
        "Combination of models",
    ];
    let trial = panel(6).backtest(labels, Folds::new(4, 4)).unwrap();
    assert_eq!(labels.map(|label| trial.name(label).unwrap()), names);
    assert!(trial.name("theta").is_err());

    let mut findings = vec![trial.ranks("mae").unwrap(), trial.calibration().unwrap()];
    findings.push(trial.compare(labels[0], labels[1], "mae").unwrap());
    for label in labels {
        findings.push(trial.calibration_of(label).unwrap());
        findings.extend(trial.errors(label).unwrap());
    }
    let mut told: String =
        findings.iter().map(|finding| finding.to_string() + finding.figure().unwrap().alt()).collect();
    let figures = [trial.plot("mae"), trial.plot_last(labels[3]), trial.plot_last(labels[1])].map(Result::unwrap);
    told.extend(figures.iter().map(|figure| format!("{} {}", figure.title(), figure.data())));
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    for (label, name) in labels.iter().zip(names) {
        assert!(!told.contains(label) && told.contains(name), "{label}: {told}");
    }
    for table in [trial.leaderboard("mae").unwrap(), findings[0].table(), findings[1].table()] {
        let mut models: Vec<String> = table.column("model").unwrap().iter().map(ToString::to_string).collect();
        models.sort();
        assert_eq!(models, [labels[3], labels[2], labels[1], labels[0]]);
    }
    assert!(findings[2].table().columns()[1..3] == labels[..2]);

    let folder = tempfile::tempdir().unwrap();
    let report = trial.performance("mae").unwrap();
    let file = folder.path().join("page.md");
    for save in [Report::save, Report::save_slides] {
        save(&report, &file).unwrap();
        let page = std::fs::read_to_string(&file).unwrap().replace('\\', "");
        for (label, name) in labels.iter().zip(names) {
            assert!(page.matches(label).count() == 1 && page.matches(name).count() > 1, "{label}: {page}");
        }
    }
}

#[test]
fn scripts_have_every_verb() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    tradewind::script::engine()
        .run(&format!(
            r#"let shape = columns(["Store", "Dept"], "Date", "Weekly_Sales").known(["IsHoliday"]);
               let sales = read_panel("data/walmart_sales_weekly.csv", shape);
               let trial = sales.backtest("naive; seasonal_naive; theta", folds(4, 4));
               let duel = trial.compare("theta", "naive", "mae");
               if type_of(duel.table().get(0, "p")) != "f64" {{ throw "p"; }}
               let found = trial.errors("theta");
               if found.len() != 4 {{ throw "errors"; }}
               if trial.name("theta") != "Theta method" {{ throw "name"; }}
               let table = trial.by("class", "mase");
               report("All").add(duel).add(trial.ranks("mase")).add(trial.calibration()).add(trial.calibration("theta"))
                   .add(found).add(table).add(trial.performance("mase")).save({page:?});"#
        ))
        .unwrap();
    assert!(std::fs::read_to_string(page).unwrap().contains("Is the best model significantly better?"));
}

#[test]
fn the_command_writes_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_tradewind"))
        .args(["backtest", "--data", "data/walmart_sales_weekly.csv", "--id", "Store,Dept", "--time", "Date"])
        .args([
            "--target",
            "Weekly_Sales",
            "--horizon",
            "4",
            "--folds",
            "3",
            "--models",
            "naive; seasonal_naive",
            "--page",
        ])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for name in ["report.md", "report.html", "slides.md", "slides.html"] {
        let page = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(page.contains("Is the best model significantly better?") && !page.contains("NaN"), "{name}");
    }
}
