//! Keys of like spelling, copies, contradicting rows, launches and ends: what cleaning makes of them, by the definition of
//! each policy.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tradewind::polars::prelude::*;
use tradewind::prelude::*;

/// Days after 2024-01-01.
const FIRST: i32 = 19_723;

type Row = (String, i32, Option<f64>);

fn panel(rows: &[Row]) -> Panel {
    let frame = df!(
        "id" => rows.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(),
        "ds" => rows.iter().map(|row| FIRST + row.1).collect::<Vec<_>>(),
        "y" => rows.iter().map(|row| row.2).collect::<Vec<_>>(),
    );
    let frame = frame.unwrap().lazy().with_column(col("ds").cast(DataType::Date)).collect().unwrap();
    Panel::from_frame(frame, Columns::new(["id"], "ds", "y").freq("D").unwrap()).unwrap()
}

fn cleaned(panel: &Panel, policy: &str) -> Result<Panel> {
    panel.clean(&Clean::parse(policy).unwrap())
}

/// The rows of a panel: series, day, value.
fn rows_of(panel: &Panel) -> Vec<Row> {
    let frame = panel.to_frame();
    let ids = frame.column("id").unwrap().cast(&DataType::String).unwrap();
    let days = frame.column("ds").unwrap().cast(&DataType::Int32).unwrap();
    let cells =
        ids.str().unwrap().iter().zip(days.i32().unwrap().iter()).zip(frame.column("y").unwrap().f64().unwrap().iter());
    cells.map(|((id, day), y)| (id.unwrap().to_string(), day.unwrap() - FIRST, y)).collect()
}

fn row(id: &str, day: i32, y: f64) -> Row {
    (id.into(), day, Some(y))
}

/// Each change: kind, series, value, what was done.
fn changes(panel: &Panel) -> Vec<[String; 4]> {
    let table = panel.audit().unwrap().table().unwrap();
    let done = table.frame().column("done").unwrap().str().unwrap().clone();
    let text = |row: usize, name: &str| table.get(row, name).unwrap().to_string();
    let changed = (0..table.rows()).filter(|row| done.get(*row).is_some());
    changed.map(|row| ["finding", "id", "value", "done"].map(|name| text(row, name))).collect()
}

#[test]
fn keys_of_like_spelling_become_one_series() {
    let mut rows: Vec<Row> = (0..10).map(|day| row("85123A", day, 1.0)).collect();
    rows.extend((10..14).map(|day| row("85123a", day, 2.0)));
    rows.extend((0..3).map(|day| row("0017", day, 1.0)));
    rows.extend((3..9).map(|day| row("17", day, 3.0)));
    rows.extend((0..5).map(|day| row("Caf\u{e9}", day, 1.0)));
    rows.extend((0..4).map(|day| row("Cafe", day, 1.0)));
    let panel = panel(&rows);
    assert_eq!(panel.audit().unwrap().count("similar keys"), 3);
    // An accent may make two names: it stays.
    let merged = cleaned(&panel, "keys=merge").unwrap();
    assert_eq!(merged.keys(), ["id=17", "id=85123A", "id=Cafe", "id=Caf\u{e9}"]);
    assert_eq!(merged.rows(), panel.rows());
    assert_eq!(merged.series("id=85123A").unwrap().span(), ("2024-01-01".into(), "2024-01-14".into()));
    let said = changes(&merged);
    assert_eq!(
        said,
        [
            ["similar keys", "17", "id=0017", "spelled as the key that it is like: leading zeros"],
            ["similar keys", "85123A", "id=85123a", "spelled as the key that it is like: letters of another case"],
        ]
        .map(|change| change.map(String::from))
    );
    assert_eq!(merged.audit().unwrap().count("similar keys"), 1);
}

#[test]
fn merged_series_that_share_a_day_need_a_decision() {
    let rows: Vec<Row> = (0..20).flat_map(|day| [row("Tea", day, 5.0), row("tea\u{200b}", day, 5.0)]).collect();
    let panel = panel(&rows);
    let error = cleaned(&panel, "keys=merge").err().unwrap().to_string();
    assert!(error.contains("several rows for 2024-01-01") && error.contains("duplicates"), "{error}");
    // Two series that sold the same are no copies of each other.
    for policy in ["keys=merge, duplicates=sum", "keys=merge, duplicates=identical-sum"] {
        let merged = cleaned(&panel, policy).unwrap();
        assert!(rows_of(&merged).iter().all(|row| row.2 == Some(10.0)) && merged.len() == 1, "{policy}");
    }
    assert!(cleaned(&panel, "keys=merge, duplicates=identical").is_err());
}

#[test]
fn what_is_given_later_is_found_under_its_merged_key() {
    let folder = tempfile::tempdir().unwrap();
    let (sales, future) = (folder.path().join("sales.csv"), folder.path().join("future.csv"));
    let rows: String = (1..=30)
        .flat_map(|day| {
            [format!("Tea,2024-01-{day:02},{},{}\n", day % 5, day % 2), format!("TEA,2024-01-{day:02},1,{}\n", day % 2)]
        })
        .collect();
    std::fs::write(&sales, format!("item,day,sold,promo\n{rows}")).unwrap();
    std::fs::write(&future, "item,day,promo\ntea ,2024-01-31,1\nTEA,2024-02-01,1\n").unwrap();
    let columns = Columns::new(["item"], "day", "sold").known(["promo"]);
    let panel = Panel::read(&sales, columns).unwrap();
    let panel = cleaned(&panel, "keys=merge, duplicates=sum").unwrap();
    let given = panel.future(2).unwrap().given_file(&future).unwrap().to_frame().unwrap();
    let promo: Vec<Option<f64>> =
        given.column("promo").unwrap().cast(&DataType::Float64).unwrap().f64().unwrap().iter().collect();
    assert_eq!(promo, [Some(1.0), Some(1.0)]);
    // A saved panel remembers that its keys were merged.
    let saved = folder.path().join("saved.parquet");
    panel.save(&saved).unwrap();
    assert!(Panel::open(&saved).unwrap().future(2).unwrap().given_file(&future).is_ok());
    let weather = folder.path().join("weather.csv");
    std::fs::write(&weather, "item,rain\n tea,4\n").unwrap();
    let joined = panel.join(&weather, &Join { fixed: vec!["rain".into()], ..Join::default() }).unwrap();
    assert_eq!(joined.to_frame().column("rain").unwrap().null_count(), 0);
}

#[test]
fn copies_are_dropped_and_contradictions_are_not() {
    let copied = panel(&[row("a", 0, 1.0), row("a", 1, 2.0), row("a", 1, 2.0), row("a", 2, 3.0)]);
    let audit = copied.audit().unwrap();
    assert_eq!((audit.count("copies"), audit.count("duplicates"), audit.is_usable()), (1, 0, false));
    assert!(copied.fit(["naive"]).err().unwrap().to_string().contains("duplicates=identical"));
    let mended = cleaned(&copied, "duplicates=identical").unwrap();
    assert_eq!(rows_of(&mended), [row("a", 0, 1.0), row("a", 1, 2.0), row("a", 2, 3.0)]);
    assert_eq!((mended.audit().unwrap().count("copies"), mended.audit().unwrap().changes()), (0, 1));
    let both = panel(&[row("a", 0, 1.0), row("a", 1, 2.0), row("a", 1, 2.0), row("a", 1, 5.0), row("a", 2, 3.0)]);
    let audit = both.audit().unwrap();
    assert_eq!((audit.count("copies"), audit.count("duplicates")), (1, 1));
    let error = cleaned(&both, "duplicates=identical").err().unwrap().to_string();
    assert!(error.contains("no copies") && error.contains("2024-01-02"), "{error}");
    for (policy, expected) in [
        ("sum", 9.0),
        ("mean", 3.0),
        ("last", 5.0),
        ("identical-sum", 7.0),
        ("identical-mean", 3.5),
        ("identical-last", 5.0),
    ] {
        let mended = cleaned(&both, &format!("duplicates={policy}")).unwrap();
        assert_eq!(rows_of(&mended)[1], row("a", 1, expected), "{policy}");
    }
    assert!(Clean::parse("duplicates=identicalsum").is_err());
}

/// The hour that the clock shows twice has two rows by right, also when they are equal; in exports that overlap, it has
/// copies.
#[test]
fn the_hour_that_comes_twice_is_no_copy() {
    let hours = |values: &[(i64, f64)]| {
        // From 2024-10-26 00:00; the clocks of Berlin show 2024-10-27 02:00 twice.
        let stamps: Vec<i64> = values.iter().map(|(hour, _)| (1_729_900_800 + 3600 * hour) * 1_000_000).collect();
        let frame = df!("t" => stamps, "y" => values.iter().map(|(_, y)| *y).collect::<Vec<_>>()).unwrap();
        let stamp = col("t").cast(DataType::Datetime(TimeUnit::Microseconds, None));
        let frame = frame.lazy().with_column(stamp).collect().unwrap();
        Panel::from_frame(frame, Columns::new([""; 0], "t", "y").freq("h").unwrap()).unwrap()
    };
    let mut once: Vec<(i64, f64)> = (0..48).map(|hour| (hour, 4.0)).collect();
    once.insert(27, (26, 4.0));
    let panel = hours(&once);
    let audit = panel.audit().unwrap();
    assert_eq!((audit.count("daylight saving"), audit.count("copies"), audit.count("duplicates")), (1, 0, 0));
    assert!(audit.advice()[0].contains("duplicates=sum"), "{:?}", audit.advice());
    assert!(cleaned(&panel, "duplicates=identical").is_err());
    let summed = cleaned(&panel, "duplicates=identical-sum").unwrap().to_frame();
    assert_eq!(summed.column("y").unwrap().f64().unwrap().sum(), Some(49.0 * 4.0));
    let mut twice = once.clone();
    twice.retain(|(hour, _)| *hour != 26);
    let twice: Vec<(i64, f64)> = twice.iter().flat_map(|row| [*row, *row]).collect();
    assert_eq!(hours(&twice).audit().unwrap().count("copies"), 47);
}

#[test]
fn ends_and_launches_are_changed_by_policy_alone() {
    let mut rows: Vec<Row> = (0..10).map(|day| row("bread", day, 4.0)).collect();
    rows.extend([row("candle", 0, 0.0), row("candle", 1, 0.0), row("candle", 2, 3.0), row("candle", 5, 1.0)]);
    let panel = panel(&rows);
    let candle = |policy: &str| -> Vec<(i32, Option<f64>)> {
        let mended = cleaned(&panel, policy).unwrap();
        rows_of(&mended).into_iter().filter(|row| row.0 == "candle").map(|row| (row.1, row.2)).collect()
    };
    let some = |values: &[(i32, f64)]| values.iter().map(|(day, y)| (*day, Some(*y))).collect::<Vec<_>>();
    // True ends and what lies before the first row are respected.
    assert_eq!(candle("gaps=fill, missing=zero"), some(&[(0, 0.0), (1, 0.0), (2, 3.0), (3, 0.0), (4, 0.0), (5, 1.0)]));
    let ended = candle("gaps=fill, ends=panel, missing=zero");
    assert_eq!(ended.len(), 10);
    assert_eq!(ended[5..], some(&[(5, 1.0), (6, 0.0), (7, 0.0), (8, 0.0), (9, 0.0)]));
    assert_eq!(candle("gaps=fill, ends=panel")[6], (6, None));
    assert_eq!(candle("starts=sale"), some(&[(2, 3.0), (5, 1.0)]));
    assert_eq!(candle("starts=sale, gaps=fill, missing=zero")[..2], some(&[(2, 3.0), (3, 0.0)]));
    assert!(Clean::parse("ends=panel").err().unwrap().to_string().contains("gaps=fill"));
    // Other dates than those of the panel are said with the forecast.
    let caveat = |policy: &str| {
        let forecast = cleaned(&panel, policy).unwrap().fit(["naive"]).unwrap().forecast(2).unwrap();
        forecast.caveat().unwrap_or_default()
    };
    let early = caveat("gaps=fill, missing=zero");
    assert!(early.contains("id=candle ends 4 days before the panel: its forecast begins on 2024-01-07"), "{early}");
    assert!(!caveat("gaps=fill, ends=panel, missing=zero").contains("ends"));
}

#[test]
fn zeros_before_the_first_sale_are_a_note() {
    let rows = |zeros: i32, every: i32| -> Vec<Row> {
        (0..100).map(|day| row("a", day, if day < zeros || day % every == 1 { 0.0 } else { 5.0 })).collect()
    };
    assert_eq!(panel(&rows(30, 200)).audit().unwrap().count("launch"), 30);
    // An item that often sells nothing says nothing by a few zeros.
    assert_eq!(panel(&rows(2, 2)).audit().unwrap().count("launch"), 0);
    assert_eq!(panel(&rows(0, 200)).audit().unwrap().count("launch"), 0);
}

fn arbitrary() -> impl Strategy<Value = Vec<Row>> {
    let value = prop_oneof![4 => (0..4_u8).prop_map(|y| Some(f64::from(y))), 1 => Just(None)];
    let one = (prop::sample::select(vec!["a", "b", "c"]), 0..14_i32, value);
    prop::collection::vec(one.prop_map(|(id, day, y)| (id.to_string(), day, y)), 1..60)
}

/// Policies under which cleaning goes through whatever the rows are.
const POLICIES: [&str; 7] = [
    "duplicates=sum",
    "duplicates=identical-sum",
    "keys=merge, duplicates=identical-last",
    "duplicates=last, gaps=fill, ends=panel",
    "duplicates=sum, gaps=fill, ends=panel, missing=zero",
    "duplicates=sum, starts=sale",
    "duplicates=mean, starts=sale, gaps=fill, ends=panel, missing=last",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sums_and_distinct_rows_are_kept(rows in arbitrary()) {
        let panel = panel(&rows);
        let total = |rows: &[Row]| rows.iter().filter_map(|row| row.2).sum::<f64>();
        prop_assert_eq!(total(&rows_of(&cleaned(&panel, "duplicates=sum").unwrap())), total(&rows));
        let distinct: BTreeSet<(String, i32, Option<i64>)> =
            rows.iter().map(|row| (row.0.clone(), row.1, row.2.map(|y| y as i64))).collect();
        let expected: f64 = distinct.iter().filter_map(|row| row.2).map(|y| y as f64).sum();
        prop_assert_eq!(total(&rows_of(&cleaned(&panel, "duplicates=identical-sum").unwrap())), expected);
        let cells: BTreeSet<(&str, i32)> = distinct.iter().map(|row| (row.0.as_str(), row.1)).collect();
        let identical = cleaned(&panel, "duplicates=identical");
        prop_assert_eq!(identical.is_ok(), cells.len() == distinct.len());
        if let Ok(identical) = identical {
            let kept: BTreeSet<_> = rows_of(&identical).into_iter().map(|row| (row.0, row.1, row.2.map(|y| y as i64))).collect();
            prop_assert_eq!(kept, distinct.clone());
        }
        let audit = panel.audit().unwrap();
        prop_assert_eq!(audit.count("copies"), rows.len() - distinct.len());
        prop_assert_eq!(audit.count("duplicates"), distinct.len() - cells.len());
    }

    #[test]
    fn cleaning_twice_changes_nothing_more(rows in arbitrary(), policy in prop::sample::select(POLICIES.to_vec())) {
        let once = cleaned(&panel(&rows), policy).unwrap();
        let twice = cleaned(&once, policy).unwrap();
        prop_assert!(once.to_frame().equals_missing(&twice.to_frame()), "{}", policy);
    }

    /// What a backtest trains on is what it would have been had the data ended there.
    #[test]
    fn a_part_of_the_cleaned_is_the_part_cleaned(
        rows in arbitrary(), policy in prop::sample::select(POLICIES.to_vec()), cut in 2..14_i32,
    ) {
        let panel = panel(&rows);
        prop_assume!(rows.iter().any(|row| row.1 < cut));
        let stamp = format!("2024-01-{:02}", cut + 1);
        let late = rows_of(&cleaned(&panel, policy).unwrap().before(&stamp).unwrap());
        let early = rows_of(&cleaned(&panel.before(&stamp).unwrap(), policy).unwrap());
        prop_assert_eq!(late, early, "{}", policy);
    }

    /// Every spelling of a key goes where the others go, and nothing is lost.
    #[test]
    fn merging_keeps_every_row(rows in prop::collection::vec((prop::sample::select(vec!["Tea", "tea", " TEA", "te\u{e1}", "7", "07"]), 0..20_i32, 1..9_u8), 1..60)) {
        let rows: Vec<Row> = rows.into_iter().map(|(id, day, y)| row(id, day, f64::from(y))).collect();
        let merged = rows_of(&cleaned(&panel(&rows), "keys=merge, duplicates=sum").unwrap());
        let folded = |id: &str| id.trim().to_lowercase().trim_start_matches('0').to_string();
        let by_cell = |rows: &[Row]| {
            let mut cells: BTreeMap<(String, i32), f64> = BTreeMap::new();
            rows.iter().for_each(|row| *cells.entry((folded(&row.0), row.1)).or_default() += row.2.unwrap_or(0.0));
            cells
        };
        prop_assert_eq!(by_cell(&merged), by_cell(&rows));
        prop_assert_eq!(merged.len(), by_cell(&rows).len());
    }
}
