//! What is in the data, which series matter, what kinds there are, how far they can be forecast, where growth came from and
//! what moves together: numbers computed by hand, and worlds in which there is nothing to find.

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

use crate::random::Random;

/// A monthly panel from January 2022 on: by name, the values.
fn monthly(series: &[(&str, Vec<f64>)]) -> Panel {
    let (mut name, mut ds, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for (id, values) in series {
        for (t, value) in values.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
            let month = chrono::NaiveDate::from_ymd_opt(2022 + (t / 12) as i32, (t % 12) as u32 + 1, 1).unwrap();
            name.push(id.to_string());
            ds.push(month);
            y.push(*value);
        }
    }
    Panel::from_frame(df!("item" => name, "ds" => ds, "y" => y).unwrap(), Columns::new(["item"], "ds", "y")).unwrap()
}

fn numbers(table: &Table, name: &str) -> Vec<f64> {
    let column = table.frame().column(name).unwrap().cast(&DataType::Float64).unwrap();
    column.f64().unwrap().iter().map(|v| v.unwrap_or(f64::NAN)).collect()
}

fn words(table: &Table, name: &str) -> Vec<String> {
    let column = table.frame().column(name).unwrap().cast(&DataType::String).unwrap();
    column.str().unwrap().iter().map(|v| v.unwrap_or_default().to_string()).collect()
}

fn close(ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() < 1e-9 * theirs.abs().max(1.0), "{ours}, not {theirs}");
}

#[test]
fn classes_are_those_computed_by_hand() {
    // Sales of the last year: 12 × 70 = 840, 12 × 20 = 240, 60 + 60 = 120 in two months, and returns.
    let lumps: Vec<f64> = (0..12).map(|t| if t == 3 || t == 9 { 60.0 } else { 0.0 }).collect();
    let up_and_down: Vec<f64> = (0..12).map(|t| if t % 2 == 0 { 5.0 } else { 35.0 }).collect();
    let panel = monthly(&[
        ("big", vec![70.0; 12]),
        ("middle", up_and_down),
        ("lumpy", lumps),
        ("returned", (0..12).map(|t| if t == 0 { 3.0 } else { -1.0 }).collect()),
    ]);
    let finding = panel.explore("abc").unwrap();
    let table = finding.table();
    assert_eq!(words(&table, "item"), ["big", "middle", "lumpy", "returned"]);
    // Shares of 1,200: 70 %, 20 %, 10 %. The one that crosses 80 % is A, the one that crosses 95 % is B.
    assert_eq!(words(&table, "ABC"), ["A", "A", "B", "C"]);
    for (ours, theirs) in numbers(&table, "share %").into_iter().zip([70.0, 20.0, 10.0, -100.0 * 8.0 / 1200.0]) {
        close(ours, theirs);
    }
    // CV: 0; 15 √(12/11) / 20; 60 √(2 × (5/6)² + 10 × (1/6)²) / √11 / 10.
    let cv = numbers(&table, "CV");
    close(cv[0], 0.0);
    close(cv[1], 15.0 * (12.0_f64 / 11.0).sqrt() / 20.0);
    close(cv[2], 60.0 * ((50.0 / 36.0 + 10.0 / 36.0) / 11.0_f64).sqrt() / 10.0);
    assert_eq!(words(&table, "XYZ"), ["X", "Y", "Z", "Z"]);
    assert_eq!(words(&table, "demand")[..3], ["smooth", "erratic", "intermittent"].map(String::from));
    let cells = &finding.also()[0];
    assert_eq!(numbers(cells, "X series"), [1.0, 0.0, 0.0]);
    assert_eq!(numbers(cells, "Y series"), [1.0, 0.0, 0.0]);
    assert_eq!(numbers(cells, "Z series"), [0.0, 1.0, 1.0]);
    assert!(
        finding.sentence().starts_with("2 of 4 series (A) make 90 % of sales; 1 of these is steady (X)"),
        "{finding}"
    );
    assert!(finding.caveats().iter().any(|caveat| caveat.contains("more returns than sales")), "{finding}");
    for bad in ["abc(a=0.9, b=0.8)", "abc(a=0)", "abc(x=1, y=0.5)", "abc(by=nothing)"] {
        assert!(panel.explore(bad).unwrap_err().to_string().lines().count() == 1, "{bad}");
    }
}

#[test]
fn a_season_is_no_uncertainty() {
    // The same year twice: all variation is the season.
    let year = |t: usize| 100.0 + 80.0 * (t as f64 * std::f64::consts::TAU / 12.0).sin();
    let panel = monthly(&[("a", (0..24).map(year).collect()), ("b", (0..24).map(year).collect())]);
    let finding = panel.explore("abc").unwrap();
    assert!(numbers(&finding.table(), "CV").iter().all(|cv| *cv < 1e-9), "{finding}");
}

#[test]
fn contributions_are_those_computed_by_hand() {
    // Two years. like: 100 → 110 a month; shrinks: 50 → 45; new: from the second year on 10 a month; ended: 20 a month of
    // the first year.
    let (none, years) = (f64::NAN, |a: f64, b: f64| [vec![a; 12], vec![b; 12]].concat());
    let panel = monthly(&[
        ("like", years(100.0, 110.0)),
        ("shrinks", years(50.0, 45.0)),
        ("new", years(none, 10.0)),
        ("old", years(20.0, none)),
    ]);
    let finding = panel.explore("contribution").unwrap();
    let table = finding.table();
    // A year before: 12 × 170 = 2,040; last year 12 × 165 = 1,980.
    let of = |branch: &str, column: &str| {
        let at = words(&table, "branch").iter().position(|name| name == branch).unwrap();
        numbers(&table, column)[at]
    };
    close(of("like", "like-for-like points"), 100.0 * 120.0 / 2040.0);
    close(of("shrinks", "like-for-like points"), -100.0 * 60.0 / 2040.0);
    close(of("new", "new points"), 100.0 * 120.0 / 2040.0);
    close(of("old", "ended points"), -100.0 * 240.0 / 2040.0);
    close(of("like", "change %"), 10.0);
    close(of("like", "share of change %"), 100.0 * 120.0 / -60.0);
    let bridge = &finding.also()[0];
    let (sales, points) = (numbers(bridge, "sales"), numbers(bridge, "points"));
    for (ours, theirs) in sales.iter().zip([2040.0, 120.0, -60.0, 120.0, -240.0, 1980.0]) {
        close(*ours, theirs);
    }
    close(points[..5].iter().sum(), points[5]);
    assert!(finding.sentence().starts_with("y fell by 2.9 %: 1,980 in the last 12 months"), "{finding}");
    assert!(finding.figure().is_ok());
    let quarter = panel.explore("contribution(period=quarter)").unwrap();
    close(numbers(&quarter.also()[0], "sales")[0], 510.0);
    let year = monthly(&[("a", vec![1.0; 12]), ("b", vec![2.0; 12])]);
    assert!(year.explore("contribution").unwrap_err().to_string().contains("needs"));
}

#[test]
fn columns_that_deserve_attention_are_named() {
    let n = 100;
    let start = chrono::NaiveDate::from_ymd_opt(2023, 1, 1).unwrap();
    let dates: Vec<chrono::NaiveDate> = (0..n).map(|t| start + chrono::Days::new(t)).collect();
    let sales: Vec<f64> = (0..n).map(|t| t as f64 - 2.0).collect();
    let late: Vec<Option<f64>> = (0..n).map(|t| (t >= 60).then_some(t as f64)).collect();
    let frame = df!(
        "ds" => dates, "y" => &sales, "late" => late, "copy" => &sales, "same" => vec![1.0; n as usize],
        "none" => vec![None::<f64>; n as usize],
    );
    let columns = Columns::new(Vec::<String>::new(), "ds", "y").observed(["late", "copy", "same", "none"]);
    let finding = Panel::from_frame(frame.unwrap(), columns).unwrap().explore("columns").unwrap();
    let remarks = words(&finding.table(), "remark");
    let of = |name: &str| &remarks[words(&finding.table(), "column").iter().position(|column| column == name).unwrap()];
    assert_eq!(of("late"), "late is missing before 2023-03-02");
    assert_eq!(of("copy"), "copy is the same as y in every row");
    assert_eq!(of("same"), "same is always 1");
    assert_eq!(of("none"), "none is no values at all".replace("is no", "has no").as_str());
    assert_eq!(of("y"), "y is negative in 2 % of rows");
    assert_eq!(numbers(&finding.table(), "missing %")[2], 60.0);
}

#[test]
fn kinds_are_found_and_described() {
    let mut random = Random(3);
    let christmas = |random: &mut Random| {
        (0..36).map(|t| 100.0 * if t % 12 == 11 { 3.0 } else { 1.0 } + 5.0 * random.normal()).collect::<Vec<f64>>()
    };
    let steady = |random: &mut Random| (0..36).map(|_| 100.0 + 5.0 * random.normal()).collect::<Vec<f64>>();
    let declining =
        |random: &mut Random| (0..36).map(|t| 150.0 - 3.0 * t as f64 + 5.0 * random.normal()).collect::<Vec<f64>>();
    let names: Vec<String> = (0..30).map(|i| format!("{}{i}", ["christmas", "steady", "declining"][i % 3])).collect();
    let series: Vec<(&str, Vec<f64>)> =
        (0..30).map(|i| (names[i].as_str(), [christmas, steady, declining][i % 3](&mut random))).collect();
    let finding = monthly(&series).explore("clusters(top=30)").unwrap();
    let members = &finding.also()[0];
    for (item, group) in words(members, "item").iter().zip(words(members, "group")) {
        let kind = item.trim_end_matches(|letter: char| letter.is_ascii_digit()).to_lowercase();
        assert!(group.to_lowercase().contains(&kind), "{item}: {group}");
    }
    assert_eq!(numbers(&finding.table(), "series"), [10.0; 3], "{finding}");
    assert_eq!(finding.sentence(), monthly(&series).explore("clusters(top=30)").unwrap().sentence());
    assert!(monthly(&series[..2]).explore("clusters").unwrap_err().to_string().contains("at least 4 series"));
}

#[test]
fn what_repeats_is_forecast_and_noise_is_not() {
    let mut random = Random(5);
    let season = |t: usize| 100.0 + 50.0 * (t as f64 * std::f64::consts::TAU / 12.0).sin();
    let panel = monthly(&[
        ("repeats", (0..60).map(season).collect()),
        ("noise", (0..60).map(|_| 100.0 + 30.0 * random.normal()).collect()),
    ]);
    let finding = panel.explore("forecastability").unwrap();
    let at = |item: &str| words(&finding.table(), "item").iter().position(|name| name == item).unwrap();
    let (errors, skills) = (numbers(&finding.table(), "error %"), numbers(&finding.table(), "skill"));
    assert!(errors[at("repeats")] < 1e-6 && skills[at("repeats")] > 0.999, "{finding}");
    assert!(errors[at("noise")] > 10.0 && skills[at("noise")] < 0.1, "{finding}");
}

/// Twenty products of a shop over 150 weeks: independent autoregressive noise, shocks that all share in different degree, a
/// season; the first two trade sales in that measure.
fn shop(traded: f64, seed: u64) -> Panel {
    let mut random = Random(seed * 1_000_003);
    let (weeks, products) = (150, 20);
    let start = chrono::NaiveDate::from_ymd_opt(2021, 1, 8).unwrap();
    let shocks: Vec<f64> = (0..weeks).map(|_| 0.1 * random.normal()).collect();
    let loadings: Vec<f64> = (0..products).map(|_| 1.0 + 0.4 * random.normal()).collect();
    let peaks: Vec<f64> = (0..products).map(|_| 0.3 * random.normal().abs()).collect();
    let mut noise = vec![0.0; products];
    let (mut item, mut ds, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for (t, shock) in shocks.iter().enumerate() {
        let draws: Vec<f64> = (0..products).map(|_| random.normal()).collect();
        for i in 0..products {
            let draw = if i == 1 { traded * draws[0] + (1.0 - traded * traded).sqrt() * draws[1] } else { draws[i] };
            noise[i] = 0.5 * noise[i] + 0.75_f64.sqrt() * draw;
            let season = 0.15 * (t as f64 * std::f64::consts::TAU / 52.18).sin();
            let peak = if (47..51).contains(&(t % 52)) { peaks[i] } else { 0.0 };
            item.push(format!("i{i:02}"));
            ds.push(start + chrono::Days::new(7 * t as u64));
            y.push(100.0 * (loadings[i] * shock + season + peak + 0.1 * noise[i]).exp());
        }
    }
    Panel::from_frame(df!("item" => item, "ds" => ds, "y" => y).unwrap(), Columns::new(["item"], "ds", "y")).unwrap()
}

#[test]
fn pairs_that_trade_sales_are_found_and_no_others() {
    let (mut found, mut wrong, mut chance) = (0, 0, 0);
    for seed in 1..=20 {
        let table = shop(-0.5, seed).explore("comovement(top=200)").unwrap().table();
        let pairs = words(&table, "item").into_iter().zip(words(&table, "and"));
        for ((a, b), (p, r)) in pairs.zip(numbers(&table, "adjusted p").into_iter().zip(numbers(&table, "correlation")))
        {
            let planted = a.as_str().min(b.as_str()) == "i00" && a.as_str().max(b.as_str()) == "i01";
            found += usize::from(planted && p <= 0.05 && r < 0.0);
            wrong += usize::from(!planted && p <= 0.05);
        }
        let table = shop(0.0, 100 + seed).explore("comovement(top=200)").unwrap().table();
        chance += usize::from(numbers(&table, "adjusted p").iter().any(|p| *p <= 0.05));
    }
    assert!(found >= FOUND && wrong <= 2 && chance <= 2, "found {found} of 20, wrong {wrong}, by chance {chance}");
}

/// Of twenty: a correlation of −0.5 over 150 weeks is found in somewhat more than half.
const FOUND: usize = 10;

#[test]
fn what_cannot_be_answered_is_said_in_one_line() {
    let one = monthly(&[("a", vec![5.0; 30])]);
    for question in ["abc", "contribution", "clusters", "forecastability", "comovement"] {
        let why = one.explore(question).unwrap_err().to_string();
        assert_eq!(why.lines().count(), 1, "{question}: {why}");
    }
    assert!(one.explore("columns").is_ok());
    let zero = monthly(&[("a", vec![0.0; 30]), ("b", vec![0.0; 30]), ("c", vec![0.0; 30]), ("d", vec![0.0; 30])]);
    for question in ["abc", "contribution", "clusters", "forecastability", "comovement"] {
        let why = zero.explore(question).unwrap_err().to_string();
        assert_eq!(why.lines().count(), 1, "{question}: {why}");
    }
}
