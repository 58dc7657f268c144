//! The effect of a flag by three methods: what they must agree on, what cannot be told, and what is worth what.

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

use crate::oracles::{number, rows};

/// A number between 0 and 1 for a step of a series, always the same, by splitmix64.
fn luck(series: usize, step: usize, of: u64) -> f64 {
    let mut z = (series as u64 * 1_000_003 + step as u64 * 7919 + of).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn normal(series: usize, step: usize) -> f64 {
    let (a, b) = (luck(series, step, 1), luck(series, step, 2));
    (-2.0 * a.max(1e-300).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

/// Daily sales of a few shops, times a factor, with a flag and a second one.
fn shops(
    series: usize,
    n: usize,
    flag: impl Fn(usize, usize) -> bool,
    second: impl Fn(usize, usize) -> bool,
    factor: impl Fn(usize, usize) -> f64,
) -> DataFrame {
    let start = chrono::NaiveDate::from_ymd_opt(2022, 1, 3).unwrap();
    let at: Vec<(usize, usize)> = (0..series).flat_map(|s| (0..n).map(move |t| (s, t))).collect();
    let y = |(s, t): &(usize, usize)| {
        100.0 * [1.0, 0.9, 0.9, 1.0, 1.3, 1.5, 0.7][t % 7] * factor(*s, *t) * (0.08 * normal(*s, *t)).exp()
    };
    df!(
        "shop" => at.iter().map(|(s, _)| *s as i64).collect::<Vec<_>>(),
        "ds" => at.iter().map(|(_, t)| (start + chrono::Days::new(*t as u64)).to_string()).collect::<Vec<_>>(),
        "y" => at.iter().map(y).collect::<Vec<_>>(),
        "promo" => at.iter().map(|(s, t)| flag(*s, *t)).collect::<Vec<_>>(),
        "other" => at.iter().map(|(s, t)| second(*s, *t)).collect::<Vec<_>>(),
    )
    .unwrap()
}

fn panel(frame: &DataFrame, known: &[&str]) -> Panel {
    Panel::from_frame(frame, Columns::new(["shop"], "ds", "y").known(known.iter().copied())).unwrap()
}

/// Four days about every four weeks, at other times in every shop.
fn runs(s: usize, t: usize) -> bool {
    let start = 28 * (t / 28) + (14.0 * luck(s, t / 28, 3)) as usize;
    (start..start + 4).contains(&t)
}

fn cell(table: &Table, row: usize, column: &str) -> f64 {
    table.frame().column(column).unwrap().f64().unwrap().get(row).unwrap()
}

#[test]
fn methods_are_those_of_pandas_and_statsmodels() {
    let daily = Columns::new(["shop"], "day", "y").known(["flyer", "holiday"]);
    let weekly = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    for row in rows("uplift_methods.csv") {
        let panel = match row[0].as_str() {
            "daily" => Panel::read("tests/oracles/uplift_daily.csv", daily.clone()).unwrap(),
            _ => Panel::read("data/walmart_sales_weekly.csv", weekly.clone().known([row[1].as_str()])).unwrap(),
        };
        let table = panel.explore(&format!("uplift(by={})", row[1])).unwrap().also()[0].clone();
        let names = table.frame().column("method").unwrap().clone();
        let at = names.str().unwrap().iter().position(|name| name == Some(row[2].as_str())).unwrap();
        for (column, theirs) in ["uplift %", "from %", "to %"].into_iter().zip(&row[3..]) {
            let (ours, theirs) = (cell(&table, at, column), 100.0 * number(theirs));
            assert!((ours - theirs).abs() <= 0.0501, "{} {} {column}: {ours}, not {theirs}", row[0], row[2]);
        }
    }
}

#[test]
fn three_methods_find_a_promotion_and_what_it_borrows() {
    // A quarter more on the promotion's days, a tenth less in the week after.
    let dip = |s: usize, t: usize| !runs(s, t) && (1..=7).any(|back| t >= back && runs(s, t - back));
    let factor = |s: usize, t: usize| match (runs(s, t), dip(s, t)) {
        (true, _) => 1.25,
        (_, true) => 0.9,
        _ => 1.0,
    };
    let sales = panel(&shops(8, 730, runs, |_, _| false, factor), &["promo"]);
    let finding = sales.explore("uplift(by=promo)").unwrap();
    let methods = finding.also()[0].clone();
    for row in 0..3 {
        assert!((cell(&methods, row, "uplift %") - 25.0).abs() < 2.5, "{methods}");
        assert!(cell(&methods, row, "from %") < 25.0 && cell(&methods, row, "to %") > 25.0, "{methods}");
    }
    assert!(finding.sure().concat().contains("The three methods agree on promo"), "{:?}", finding.sure());
    assert!(finding.sure().concat().contains("gives as large an effect in 0 %"), "{:?}", finding.sure());
    assert!(finding.sentence().contains("is borrowed from the week after"), "{}", finding.sentence());
    let around = finding.also()[1].clone();
    assert!((cell(&around, 1, "uplift %") + 10.0).abs() < 2.5, "{around}");
    // About 8 shops × 365 / 7 days × 0.25 × 104 a day.
    let worth = cell(&methods, 0, "sales a year");
    assert!((worth / (8.0 * 365.25 / 7.0 * 0.25 * 104.0) - 1.0).abs() < 0.15, "{worth}");
    assert!(finding.figure().is_ok());
    let narrow = sales.explore("uplift(by=promo,level=0.5)").unwrap();
    assert!(narrow.sentence().contains("(50 % interval"), "{}", narrow.sentence());
    assert!(sales.explore("uplift(by=promo,level=95)").unwrap_err().to_string().contains("did you mean 0.95?"));
}

#[test]
fn what_cannot_be_told_apart_has_no_number() {
    let refused = |frame: &DataFrame, known: &[&str]| {
        let error = panel(frame, known).explore("uplift(by=promo)").unwrap_err();
        assert!(error.is_data(), "{error}");
        error.to_string()
    };
    let twice = shops(3, 300, runs, runs, |_, _| 1.0);
    assert!(refused(&twice, &["promo", "other"]).contains("`promo` is on only when `other` is"));
    let always = shops(3, 300, |_, _| true, |_, _| false, |_, _| 1.0);
    assert!(refused(&always, &["promo"]).contains("on at every step"));
    let never = shops(3, 300, |_, _| false, |_, _| false, |_, _| 1.0);
    assert!(refused(&never, &["promo"]).contains("never on"));
    let saturdays = shops(3, 300, |_, t| t % 7 == 5, |_, _| false, |_, _| 1.0);
    assert!(refused(&saturdays, &["promo"]).contains("the same times of every week"));
    // In every shop on the same days: no other series without it on those dates.
    let common = panel(&shops(4, 400, |_, t| runs(0, t), |_, _| false, |_, _| 1.0), &["promo"]);
    let finding = common.explore("uplift(by=promo)").unwrap();
    assert!(finding.caveats().concat().contains("takes sales from other series cannot be told"), "{finding}");
}

#[test]
fn one_occasion_is_described_and_proves_nothing() {
    let once = |_: usize, t: usize| (200..203).contains(&t);
    let frame = shops(5, 400, once, |_, _| false, |s, t| if once(s, t) { 2.0 } else { 1.0 });
    let finding = panel(&frame, &["promo"]).explore("uplift(by=promo)").unwrap();
    let said = finding.sentence();
    assert!(said.contains("on the one occasion") && said.contains("cannot tell the effect from chance"), "{said}");
    assert!(!said.contains("interval"), "{said}");
    let from = finding.also()[0].frame().column("from %").unwrap().clone();
    assert!(from.f64().unwrap().get(0).is_none());
    assert!(finding.sure().concat().contains("one occasion cannot tell"), "{:?}", finding.sure());
}

#[test]
fn an_effect_is_relative_to_sales_with_the_other_flags() {
    // The second flag doubles sales on half of all days; the promotion adds a fifth to what would be sold.
    let often = |s: usize, t: usize| luck(s, t, 5) < 0.4;
    let factor = |s: usize, t: usize| {
        let second = if often(s, t) { 2.0 } else { 1.0 };
        if runs(s, t) { 1.2 * second } else { second }
    };
    let frame = shops(8, 730, runs, often, factor);
    let finding = panel(&frame, &["promo", "other"]).explore("uplift(by=promo)").unwrap();
    let methods = finding.also()[0].clone();
    for row in 0..3 {
        assert!((cell(&methods, row, "uplift %") - 20.0).abs() < 2.5, "{methods}");
    }
}
