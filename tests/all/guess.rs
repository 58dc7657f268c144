//! Key, time and target of files of which nobody has said what is what.

use std::fmt::Write;
use std::path::Path;

use proptest::prelude::*;
use tradewind::panel::{Guess, Stated};
use tradewind::prelude::*;

/// Writes a table with a header and rows made by a function of their number.
fn file(folder: &Path, header: &str, rows: usize, row: impl Fn(usize) -> String) -> std::path::PathBuf {
    let mut text = format!("{header}\n");
    (0..rows).for_each(|at| writeln!(text, "{}", row(at)).unwrap());
    let path = folder.join("sales.csv");
    std::fs::write(&path, text).unwrap();
    path
}

fn day(at: usize) -> String {
    let first = chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    (first + chrono::Days::new(at as u64)).to_string()
}

fn guessed(path: &Path, stated: &Stated) -> Result<Guess> {
    stated.guess(path, &Reading::default())
}

fn told(guess: &Guess) -> String {
    format!("{} | {} | {}", guess.id.join(","), guess.time, guess.target)
}

#[test]
fn one_sensible_reading_is_taken() {
    let home = tempfile::tempdir().unwrap();
    let shops = ["north", "south", "east"];
    type Row = Box<dyn Fn(usize) -> String>;
    let cases: [(&str, &str, usize, Row); 9] = [
        ("one series", "day,sold", 40, Box::new(|at| format!("{},{}", day(at), at % 7))),
        ("a shop", "shop,day,sold", 90, Box::new(move |at| format!("{},{},{}", shops[at % 3], day(at / 3), at % 11))),
        (
            "shop and item, the price beside",
            "shop,item,price,day,units_sold",
            240,
            Box::new(move |at| format!("{},{},{}.5,{},{}", shops[at % 3], at / 3 % 2, at % 5, day(at / 6), at % 13)),
        ),
        (
            "the month beside the day, the year beside both",
            "day,month,year,quantity",
            90,
            Box::new(|at| format!("{},{},{},{}", day(at), &day(at)[..7], &day(at)[..4], at % 9)),
        ),
        (
            "a column that spells others",
            "id,store,dept,week,sales",
            120,
            Box::new(|at| format!("1_{0},1,{0},{1},{2}", at % 4, day(at / 4 * 7), at % 17)),
        ),
        (
            "whole steps",
            "series,t,value",
            80,
            Box::new(|at| format!("{},{},{}", ["a", "b"][at % 2], at / 2 + 1, at % 5)),
        ),
        ("months as numbers", "month,y", 30, Box::new(|at| format!("{}{:02},{}", 2020 + at / 12, at % 12 + 1, at))),
        (
            "copies of a row",
            "shop,day,sold",
            91,
            Box::new(move |at| format!("{},{},{}", shops[at.min(89) % 3], day(at.min(89) / 3), at.min(89) % 11)),
        ),
        (
            "y and ds among others",
            "ds,ordered,y,sales,shop",
            60,
            Box::new(move |at| format!("{},{},{},{},{}", day(at / 2), day(at % 7), at % 5, at, shops[at % 2])),
        ),
    ];
    let expected = [
        " | day | sold",
        "shop | day | sold",
        "shop,item | day | units_sold",
        " | day | quantity",
        "store,dept | week | sales",
        "series | t | value",
        " | month | y",
        "shop | day | sold",
        "shop | ds | y",
    ];
    for ((name, header, rows, row), expected) in cases.iter().zip(expected) {
        let path = file(home.path(), header, *rows, row);
        let guess = guessed(&path, &Stated::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(told(&guess), expected, "{name}");
        let columns = Columns::new(guess.id, guess.time, guess.target);
        Panel::read(&path, columns).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn where_two_are_as_likely_or_none_the_flag_is_named() {
    let home = tempfile::tempdir().unwrap();
    let orders = |at: usize| format!("{},{},{}", day(at), day(at + at % 3), at % 7);
    let path = file(home.path(), "order_date,ship_date,qty", 60, orders);
    let error = guessed(&path, &Stated::default()).unwrap_err();
    let said = "two columns of";
    assert!(error.is_usage() && error.to_string().contains(said), "{error}");
    assert!(error.to_string().contains("hold dates: order_date, ship_date; --time says which"), "{error}");
    let stated = Stated { time: Some("order_date".into()), ..Stated::default() };
    assert_eq!(told(&guessed(&path, &stated).unwrap()), " | order_date | qty");

    let path = file(home.path(), "shop,sold", 30, |at| format!("s{},{at}", at % 3));
    let error = guessed(&path, &Stated::default()).unwrap_err().to_string();
    assert!(error.contains("no column of") && error.contains("--time") && error.contains("shop, sold"), "{error}");

    let path = file(home.path(), "day,sales,quantity", 30, |at| format!("{},{at}.5,{at}", day(at)));
    let error = guessed(&path, &Stated::default()).unwrap_err().to_string();
    assert!(error.contains("could be the target: sales, quantity; --target says which"), "{error}");

    let path = file(home.path(), "day,name", 30, |at| format!("{},n{at}", day(at)));
    let error = guessed(&path, &Stated::default()).unwrap_err().to_string();
    assert!(error.contains("--target says which"), "{error}");

    let path = file(home.path(), "day,sold", 60, |at| format!("{},{at}", day(at / 2)));
    let error = guessed(&path, &Stated::default()).unwrap_err().to_string();
    assert!(error.contains("several rows") && error.contains("--id") && error.contains("per=D"), "{error}");
}

#[test]
fn what_is_stated_is_never_overridden() {
    let home = tempfile::tempdir().unwrap();
    let row = |at: usize| format!("{},{},{},{}", ["a", "b"][at % 2], day(at / 2), at % 5, at % 3);
    let path = file(home.path(), "shop,day,sold,returned", 60, row);
    let stated = Stated { id: Some(Vec::new()), target: Some("returned".into()), ..Stated::default() };
    let guess = guessed(&path, &stated).unwrap();
    assert_eq!(told(&guess), " | day | returned");
    assert_eq!(guess.sentence().unwrap(), "time: day; --time states another");
    for (stated, flag) in [
        (Stated { id: Some(vec!["shopp".into()]), ..Stated::default() }, "--id"),
        (Stated { time: Some("dya".into()), ..Stated::default() }, "--time"),
        (Stated { target: Some("solld".into()), ..Stated::default() }, "--target"),
    ] {
        let error = guessed(&path, &stated).unwrap_err().to_string();
        assert!(error.contains(flag) && error.contains("did you mean"), "{error}");
    }
    // A covariate names no series, and numbers that may be measures are proposed alone.
    let stated = Stated { others: vec!["shop".into()], ..Stated::default() };
    let error = guessed(&path, &stated).unwrap_err().to_string();
    assert!(error.contains("--id") && error.contains("such as returned"), "{error}");
}

#[test]
fn a_column_per_date_is_a_wide_file() {
    let home = tempfile::tempdir().unwrap();
    let header = (0..12).fold("shop".to_string(), |header, at| format!("{header},{}", day(at)));
    let row = |at: usize| (0..12).fold(format!("s{at}"), |row, day| format!("{row},{}", at * day));
    let path = file(home.path(), &header, 6, row);
    let guess = guessed(&path, &Stated { id: Some(vec!["shop".into()]), ..Stated::default() }).unwrap();
    assert_eq!(told(&guess), "shop | ds | y");
    let sales = Panel::read(&path, Columns::new(guess.id, guess.time, guess.target)).unwrap();
    assert_eq!((sales.len(), sales.rows()), (6, 72));
}

#[test]
fn a_title_above_and_names_once_per_block_are_no_obstacle() {
    let home = tempfile::tempdir().unwrap();
    let row = |at: usize| {
        format!("{},{},{}", if at.is_multiple_of(20) { ["north", "south"][at / 20] } else { "" }, day(at % 20), at % 7)
    };
    let path = file(home.path(), "Sales of two shops,,\n\nshop,day,sold", 40, row);
    let guess = guessed(&path, &Stated::default()).unwrap();
    assert_eq!(told(&guess), "shop | day | sold");
    assert_eq!(Panel::read(&path, Columns::new(guess.id, guess.time, guess.target)).unwrap().len(), 2);
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    for (name, expected) in [("shops.xlsx", "Shop | Day | Sold"), ("merged.xlsx", "Store | Month | Revenue")] {
        let guess = guessed(&book.join(name), &Stated::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(told(&guess), expected, "{name}");
    }
}

#[test]
fn the_data_that_others_have_published_are_told() {
    let Some(folder) = crate::data_folder("m3") else { return };
    let data = folder.parent().unwrap();
    for (name, expected) in [
        ("walmart_demo.csv", "Store,Dept | Date | Weekly_Sales"),
        ("m3/m3_monthly_train.parquet", "unique_id | ds | y"),
        ("m4/m4_hourly_train.parquet", "unique_id | ds | y"),
        ("vn2/vn2_weekly.parquet", "store,product | week | sales"),
    ] {
        assert_eq!(told(&guessed(&data.join(name), &Stated::default()).unwrap()), expected, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever a file holds, the answer is columns of it, each in one role, or an error that says what to state.
    #[test]
    fn any_table_is_answered(
        header in proptest::collection::vec("[a-z]{1,4}|sales|date|ds|y|id|t|2024-01-0[1-9]|\\PC{0,6}", 1..6),
        rows in proptest::collection::vec(
            proptest::collection::vec(
                "|[0-9]{1,3}|2024-0[1-9]-1[0-9]|20240[1-9]|[0-9]{1,2}\\.[0-9]|a|b|1_a|True|NA|\\PC{0,5}", 6),
            0..30),
    ) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("any.csv");
        let width = header.len();
        let mut writer = csv::WriterBuilder::new().flexible(true).from_path(&path).unwrap();
        writer.write_record(&header).unwrap();
        rows.iter().for_each(|row| writer.write_record(&row[..width]).unwrap());
        writer.flush().unwrap();
        drop(writer);
        match guessed(&path, &Stated::default()) {
            Ok(guess) if !guess.found.iter().any(|found| found.contains("the names of")) => {
                let mut roles = [guess.id.clone(), vec![guess.time.clone(), guess.target.clone()]].concat();
                // The header is the line with most words, which need not be the first.
                let known = |role: &String| rows.iter().flatten().chain(&header).any(|name| name.trim() == role);
                prop_assert!(roles.iter().all(known), "{roles:?} of {header:?}");
                let _ = Panel::read(&path, Columns::new(guess.id.clone(), &guess.time, &guess.target));
                let all = roles.len();
                roles.sort();
                roles.dedup();
                prop_assert_eq!(roles.len(), all);
            }
            Ok(_) => {}
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
