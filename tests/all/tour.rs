//! The tour: what it tells is true, what it cannot tell it says, and it costs what it says.

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

use crate::random::Random;

/// Weekly sales of some shops over three years, with a flyer and a temperature: `lift` of the flyer, `growth` a year.
fn made_up(shops: usize, lift: f64, growth: f64, seed: u64) -> Panel {
    let mut random = Random(seed);
    let start = chrono::NaiveDate::from_ymd_opt(2021, 1, 4).unwrap();
    let (mut shop, mut ds, mut y, mut flyer, mut warm) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let weather: Vec<f64> = (0..156).map(|_| 15.0 + 5.0 * random.normal()).collect();
    for s in 0..shops {
        let level = 100.0 * (1.0 + s as f64);
        let mut on = false;
        for (t, degrees) in weather.iter().enumerate() {
            if t % 2 == 0 {
                on = random.uniform() < 0.2;
            }
            let mut mean = level * (1.0 + growth * t as f64 / 52.0);
            if on {
                mean *= 1.0 + lift;
            }
            shop.push(format!("shop {s}"));
            ds.push((start + chrono::Days::new(7 * t as u64)).to_string());
            y.push(mean * (1.0 + 0.05 * random.normal()));
            flyer.push(on);
            warm.push(*degrees);
        }
    }
    let frame = df!("shop" => shop, "ds" => ds, "y" => y, "flyer" => flyer, "temperature" => warm).unwrap();
    Panel::from_frame(frame, Columns::new(["shop"], "ds", "y").known(["flyer"]).observed(["temperature"])).unwrap()
}

#[test]
fn what_is_there_is_told_dearest_first() {
    let tour = made_up(12, 0.25, 0.1, 1).tour().unwrap();
    let table = tour.table().unwrap();
    let questions: Vec<String> = (0..table.rows()).map(|row| table.get(row, "question").unwrap().to_string()).collect();
    assert!(questions.iter().any(|question| question.contains("flyer")), "{tour}");
    assert!(questions.iter().any(|question| question.starts_with("trend")), "{tour}");
    assert!(!questions.iter().any(|question| question.contains("temperature")), "{tour}");
    let worth: Vec<f64> = tour
        .findings()
        .iter()
        .map(|finding| finding.effects(0.9).unwrap())
        .map(|effects| effects.frame().column("a year").unwrap().f64().unwrap().get(0).unwrap().abs())
        .collect();
    assert!(worth[0] > 0.0 && tour.findings().len() <= 12);
    assert_eq!(
        tour.table().unwrap().to_csv().unwrap(),
        made_up(12, 0.25, 0.1, 1).tour().unwrap().table().unwrap().to_csv().unwrap()
    );
}

#[test]
fn sentence_and_interval_are_of_one_number() {
    let finding = made_up(4, 0.2, 0.1, 2).explore("trend").unwrap();
    let effects = finding.effects(0.95).unwrap();
    let number = |name: &str| effects.frame().column(name).unwrap().f64().unwrap().get(0).unwrap();
    let said = finding.sentence().replace('−', "-");
    for name in ["estimate", "from", "to"] {
        let value = (10.0 * number(name)).round() / 10.0;
        assert!(said.contains(&format!("{value}")), "{name} {value}: {said}");
    }
}

#[test]
fn what_cannot_be_told_is_said() {
    let one = |n: usize| {
        let frame =
            df!("t" => (0..n as i64).collect::<Vec<_>>(), "y" => (0..n).map(|t| (t % 7) as f64).collect::<Vec<_>>())
                .unwrap();
        Panel::from_frame(frame, Columns::new(Vec::<String>::new(), "t", "y").freq("1").unwrap()).unwrap()
    };
    for n in [1, 2, 5, 30] {
        let tour = one(n).tour().unwrap();
        let unanswered = tour.unanswered().unwrap();
        assert!(unanswered.rows() > 0, "{tour}");
        for row in 0..unanswered.rows() {
            let why = unanswered.get(row, "why").unwrap().to_string();
            assert!(!why.is_empty() && !why.contains('\n') && !why.contains("NaN"), "{why}");
        }
        assert!(tour.findings().is_empty(), "{n}: {tour}");
    }
}

#[test]
fn awkward_names_are_shown_as_they_are() {
    let names = ["a|b", "\"quoted\"", "<script>alert(1)</script>", "مبيعات"];
    let (mut key, mut ds, mut y) = (Vec::new(), Vec::new(), Vec::new());
    let mut random = Random(3);
    for name in names {
        for t in 0..130_i64 {
            key.push(name);
            ds.push(
                (chrono::NaiveDate::from_ymd_opt(2021, 1, 4).unwrap() + chrono::Days::new(7 * t as u64)).to_string(),
            );
            y.push(100.0 + t as f64 + random.normal());
        }
    }
    let frame = df!("<b>key</b>" => key, "ds" => ds, "y|<i>" => y).unwrap();
    let panel = Panel::from_frame(frame, Columns::new(["<b>key</b>"], "ds", "y|<i>")).unwrap();
    let report = panel.tour().unwrap().report().unwrap();
    let folder = tempfile::tempdir().unwrap();
    report.save(folder.path().join("report.html")).unwrap();
    let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(!page.contains("<script>alert") && !page.contains("<i>") && !page.contains("<b>key"));
}

#[test]
fn a_session_has_one_purse() {
    let sales = made_up(4, 0.0, 0.1, 4);
    let sure = |panel: &Panel, question: &str| panel.explore(question).unwrap().sure().last().unwrap().clone();
    let first = sure(&sales, "trend");
    assert!(first.contains("after 1 question of this session"), "{first}");
    assert_eq!(
        first.replace("after 1", ""),
        sure(&sales, "trend").replace("after 1", ""),
        "asked again, it costs nothing"
    );
    let other = sure(&sales.only("shop", "shop 1").unwrap(), "trend(top=3)");
    assert!(other.contains("after 2 questions of this session"), "{other}");
}

#[test]
fn every_column_of_a_dictionary_says_what_it_is() {
    let sales = made_up(2, 0.1, 0.0, 5).features("lags(steps=[4])").unwrap();
    let dictionary = sales.dictionary().unwrap();
    assert_eq!(dictionary.columns(), ["column", "role", "meaning", "source", "missing %", "how made"]);
    assert_eq!(dictionary.rows(), sales.columns().names().len());
    let last = dictionary.rows() - 1;
    let cell = |row: usize, column: &str| dictionary.get(row, column).unwrap().to_string();
    assert_eq!(
        [cell(last, "column"), cell(last, "source"), cell(last, "how made")],
        ["lag_4", "computed", "lags(steps=[4])"]
    );
    assert_eq!([cell(0, "role"), cell(2, "role"), cell(3, "role")], ["key", "target", "known"]);
    assert!((0..=last).all(|row| !cell(row, "meaning").is_empty()));
}
