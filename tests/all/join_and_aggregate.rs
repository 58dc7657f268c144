//! Columns of other files, longer steps, fewer keys; the scenario of what is usual.

use tradewind::polars::prelude::*;
use tradewind::prelude::*;

use crate::features::{column, daily, texts};
use crate::sales;

fn plain() -> Panel {
    Panel::read(
        "data/walmart_sales_weekly.csv",
        Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").fixed(["Type"]),
    )
    .unwrap()
}

fn file(folder: &tempfile::TempDir, text: &str) -> std::path::PathBuf {
    let path = folder.path().join("joined.csv");
    std::fs::write(&path, text).unwrap();
    path
}

fn join(text: &str) -> Join {
    Join::parse(text).unwrap()
}

#[test]
fn finer_rows_are_averaged_and_later_ones_serve_the_future() {
    let folder = tempfile::tempdir().unwrap();
    // Days of the weeks that end on 2012-10-19, 2012-10-26 and 2012-11-02, for stores of type A.
    let mut text = String::from("Type,Date,Rain,Wet,Sky\n");
    for (day, rain) in (13..=31).zip(0..) {
        text += &format!("A,2012-10-{day},{rain},{},{}\n", rain == 5, if rain < 7 { "grey" } else { "blue" });
    }
    let path = file(&folder, &text);
    let joined = plain().join(&path, &join("on=[Date, Type], observed=[Rain, Sky], known=[Wet]")).unwrap();
    let frame = joined.to_frame();
    assert_eq!(column(&frame, "Rain")[140..143], [None, Some(3.0), Some(10.0)]);
    assert_eq!(texts(&frame, "Sky")[140..143], ["", "grey", "blue"]);
    assert_eq!(texts(&frame, "Wet")[140..143], ["", "true", "false"]);
    assert_eq!(joined.audit().unwrap().count("missing covariates"), 3 * 7 * 141);
    // The week to come: known columns from the file at once, observed ones if the file is to be believed.
    let future = joined.future(2).unwrap().to_frame().unwrap();
    assert_eq!(column(&future, "Wet")[..2], [Some(0.0), None]);
    assert_eq!(column(&future, "Rain")[0], Some(6.5));
    let given = joined.future_under(2, Scenario::Given).unwrap().to_frame().unwrap();
    assert_eq!(column(&given, "Rain")[..2], [Some(16.0), None]);
    assert_eq!(column(&given, "Sky=blue")[..2], [Some(1.0), None]);
    // A frame of the future need not repeat what the file says.
    let frame = given.select(["Store", "Dept", "Date"]).unwrap();
    let told = joined.future_under(2, Scenario::Given).unwrap().given(frame).unwrap().to_frame().unwrap();
    assert_eq!(column(&told, "Rain")[..2], [Some(16.0), None]);
}

#[test]
fn what_cannot_be_joined_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let sales = plain();
    for (text, options, part) in [
        (
            "Date,Rain\n2012-10-26,1\n2012-10-26,2\n",
            "observed=[Rain]",
            "several rows for 2012-10-26 (line 2 and line 3)",
        ),
        (
            "Date,Store,Rain\n2012-10-26,1,1\n2012-10-26,1,2\n",
            "observed=[Rain]",
            "several rows for Store=1, 2012-10-26",
        ),
        ("Date,Rain\n2012-10-26,1\n", "observed=[Rian]", "did you mean `Rain`?"),
        ("Date,Rain\n2012-10-26,1\n", "fixed=[Rain]", "matched by time"),
        ("Store,Rain\n1,1\n", "observed=[Rain]", "fixed=[Rain]"),
        ("Date,Rain\n2019-10-26,1\n", "observed=[Rain]", "no row"),
        (
            "When,Rain\n2019-10-26,1\n",
            "observed=[Rain]",
            "none of the columns that its rows could be matched by; there is `When`, `Rain`",
        ),
        ("Date,Type,Rain\n2012-10-26,,1\n", "observed=[Rain]", "line 2, has no Type"),
        ("Date,Type,Rain\n2012-10-26,A,1\n", "fixed=[], on=[Date]", "join needs the columns to take"),
        ("Date,Weekly_Sales\n2012-10-26,1\n", "observed=[Weekly_Sales]", "there is one already"),
    ] {
        let error = sales.join(file(&folder, text), &join(options)).err().unwrap().to_string();
        assert!(error.contains(part), "{options}: {error}");
    }
    assert!(sales.join(folder.path().join("none.csv"), &join("observed=[Rain]")).err().unwrap().is_io());
    let size = sales.join(file(&folder, "Store,Area\n1,37\n"), &join("fixed=[Area]")).unwrap();
    assert_eq!(column(&size.to_frame(), "Area")[..2], [Some(37.0), Some(37.0)]);
    let when =
        sales.join(file(&folder, "When,Rain\n2012-10-26,1\n"), &join("on=[Date], time=When, observed=[Rain]")).unwrap();
    assert_eq!(column(&when.to_frame(), "Rain")[142], Some(1.0));
}

#[test]
fn a_file_of_days_serves_hours() {
    let folder = tempfile::tempdir().unwrap();
    let mut frame =
        df!("t" => (0..48_i64).map(|hour| hour * 3_600_000_000).collect::<Vec<_>>(), "y" => vec![1.0; 48]).unwrap();
    let stamps = frame.column("t").unwrap().cast(&DataType::Datetime(TimeUnit::Microseconds, None)).unwrap();
    frame.with_column(stamps).unwrap();
    let panel = Panel::from_frame(frame, Columns::new([""; 0], "t", "y")).unwrap();
    let joined =
        panel.join(file(&folder, "t,Rain\n1970-01-01,1\n1970-01-02,2\n1970-01-03,4\n"), &join("known=[Rain]")).unwrap();
    assert_eq!(column(&joined.to_frame(), "Rain")[22..26], [1.0, 1.0, 2.0, 2.0].map(Some));
    assert_eq!(column(&joined.future(2).unwrap().to_frame().unwrap(), "Rain"), [4.0, 4.0].map(Some));
}

#[test]
fn days_become_weeks_and_months_whole_or_marked() {
    // 2024-01-03 is a Wednesday; one target is missing in the third week.
    let values: Vec<Option<f64>> = (0..40).map(|i| (i != 15).then_some(1.0)).collect();
    let panel = daily("2024-01-03", values);
    let weeks = panel.aggregate(&Aggregate::parse("freq=W-SUN, partial=keep").unwrap()).unwrap();
    assert_eq!((weeks.frequency().to_string().as_str(), weeks.season()), ("weekly (Sundays)", 52));
    let frame = weeks.to_frame();
    assert_eq!(texts(&frame, "ds")[..3], ["2024-01-07", "2024-01-14", "2024-01-21"]);
    assert_eq!(column(&frame, "y"), [5.0, 7.0, 6.0, 7.0, 7.0, 7.0].map(Some));
    let partial = weeks.audit().unwrap().table().unwrap();
    let of = |row: usize, column: &str| partial.get(row, column).unwrap().to_string();
    let stamps: Vec<String> =
        (0..partial.rows()).filter(|row| of(*row, "finding") == "partial").map(|row| of(row, "stamp")).collect();
    assert_eq!(stamps, ["2024-01-07", "2024-01-21"]);
    assert!(weeks.to_string().contains("2 of 6 periods are partial"), "{weeks}");
    // Dropping takes the ends only: a hole in the middle would become a gap.
    let whole = panel.aggregate(&Aggregate::parse("freq=W-SUN, partial=drop").unwrap()).unwrap();
    assert_eq!((whole.rows(), whole.audit().unwrap().count("partial")), (5, 1));
    assert_eq!(whole.before("2024-01-21").unwrap().audit().unwrap().count("partial"), 0);
    let months = panel.aggregate(&Aggregate::parse("freq=ME, target=mean, partial=keep").unwrap()).unwrap();
    assert_eq!(texts(&months.to_frame(), "ds"), ["2024-01-31", "2024-02-29"]);
    assert_eq!(column(&months.to_frame(), "y"), [1.0, 1.0].map(Some));
    assert_eq!(months.audit().unwrap().count("partial"), 2);
    for text in ["freq=h", "freq=\"1\"", "keys=[Shop]", "", "target=sum", "freq=W-XXX", "frq=D"] {
        assert!(Aggregate::parse(text).and_then(|how| panel.aggregate(&how)).err().unwrap().is_usage(), "{text}");
    }
    let error = weeks.aggregate(&Aggregate::parse("freq=W-FRI").unwrap()).err().unwrap().to_string();
    assert!(error.contains("what happened inside a step is not known"), "{error}");
    assert!(panel.features("month_end").unwrap().aggregate(&Aggregate::parse("freq=MS").unwrap()).is_err());
}

#[test]
fn a_period_that_is_not_over_is_left_out_and_that_is_said() {
    let of = |first: &str, days: usize, how: &str| {
        daily(first, vec![Some(1.0); days]).aggregate(&Aggregate::parse(how).unwrap()).unwrap()
    };
    // From the first of January to the fifteenth of March: a month and a leap February are whole.
    let months = of("2024-01-01", 31 + 29 + 15, "freq=MS");
    assert_eq!(column(&months.to_frame(), "y"), [31.0, 29.0].map(Some));
    let said = "left out, unfinished at the ends of the data: the period of 2024-03-01; partial=keep keeps it";
    assert!(months.remarks().iter().any(|remark| remark == said), "{:?}", months.remarks());
    assert_eq!(months.audit().unwrap().count("partial"), 0);
    let weeks = of("2024-01-03", 40, "freq=W-SUN");
    assert_eq!(texts(&weeks.to_frame(), "ds")[..2], ["2024-01-14", "2024-01-21"]);
    let kept = of("2024-01-01", 31 + 29 + 15, "freq=MS, partial=keep");
    assert_eq!(column(&kept.to_frame(), "y"), [31.0, 29.0, 15.0].map(Some));
    // A backtest of the aggregated data sees the same first month.
    assert_eq!(of("2024-01-05", 87, "freq=MS").before("2024-03-01").unwrap().span().0, "2024-02-01");
    // Nothing whole is nothing to go by.
    let error =
        daily("2024-01-05", vec![Some(1.0); 20]).aggregate(&Aggregate::parse("freq=MS").unwrap()).err().unwrap();
    assert!(error.to_string().contains("partial=keep") && !error.is_usage(), "{error}");
}

/// A shop that is closed on Sundays has whole months that end on a Sunday; an item that sold nothing in the last days of
/// the month has a whole month, too.
#[test]
fn closed_days_and_quiet_items_leave_no_period_unfinished() {
    let (mut keys, mut days) = (Vec::new(), Vec::new());
    // 2024-03-31 is a Sunday, 2024-01-01 a Monday.
    for day in (0..91_i32).filter(|day| day % 7 != 6) {
        keys.push("a");
        days.push(19_723 + day);
        if day < 70 {
            keys.push("b");
            days.push(19_723 + day);
        }
    }
    let n = days.len();
    let frame = df!("k" => keys, "ds" => days, "y" => vec![1.0; n]).unwrap();
    let frame = frame.lazy().with_column(col("ds").cast(DataType::Date)).collect().unwrap();
    let panel = Panel::from_frame(frame, Columns::new(["k"], "ds", "y").freq("D").unwrap()).unwrap();
    let months = panel.aggregate(&Aggregate::parse("freq=MS").unwrap()).unwrap();
    assert_eq!(column(&months.to_frame(), "y"), [27.0, 25.0, 26.0, 27.0, 25.0, 8.0].map(Some));
}

#[test]
fn hours_become_days_and_integer_steps_their_tens() {
    let mut frame =
        df!("t" => (5..60_i64).map(|hour| hour * 3_600_000_000).collect::<Vec<_>>(), "y" => vec![1.0; 55]).unwrap();
    let stamps = frame.column("t").unwrap().cast(&DataType::Datetime(TimeUnit::Microseconds, None)).unwrap();
    frame.with_column(stamps).unwrap();
    let panel = Panel::from_frame(frame, Columns::new([""; 0], "t", "y")).unwrap();
    let days = panel.aggregate(&Aggregate::parse("freq=D, partial=keep").unwrap()).unwrap();
    assert_eq!(column(&days.to_frame(), "y"), [19.0, 24.0, 12.0].map(Some));
    assert_eq!((days.audit().unwrap().count("partial"), days.season()), (2, 7));
    let frame = df!("t" => (3..26_i64).collect::<Vec<_>>(), "y" => vec![1.0; 23]).unwrap();
    let whole = Panel::from_frame(frame, Columns::new([""; 0], "t", "y")).unwrap();
    let tens = whole.aggregate(&Aggregate::parse("freq=\"10\", partial=keep").unwrap()).unwrap();
    assert_eq!(column(&tens.to_frame(), "t"), [3.0, 13.0, 23.0].map(Some));
    assert_eq!(column(&tens.to_frame(), "y"), [10.0, 10.0, 3.0].map(Some));
    assert_eq!(tens.audit().unwrap().count("partial"), 1);
    assert!(whole.aggregate(&Aggregate::parse("freq=W").unwrap()).is_err());
}

#[test]
fn sums_over_keys_keep_every_value() {
    let sales = Panel::read(
        "data/walmart_sales_weekly.csv",
        Columns::new(["Store", "Dept"], "Date", "Weekly_Sales")
            .known(["IsHoliday", "MarkDown1"])
            .observed(["Temperature"])
            .fixed(["Type"]),
    )
    .unwrap();
    let total = |panel: &Panel| column(&panel.to_frame(), "Weekly_Sales").into_iter().flatten().sum::<f64>();
    let store = sales.aggregate(&Aggregate::parse("keys=[Store]").unwrap()).unwrap();
    assert_eq!((store.keys(), store.rows()), (vec!["Store=1".to_string()], 143));
    assert!((total(&store) - total(&sales)).abs() < 1e-3);
    assert_eq!(
        store.columns().names(),
        ["Store", "Date", "Weekly_Sales", "IsHoliday", "MarkDown1", "Temperature", "Type"]
    );
    assert_eq!(column(&store.to_frame(), "Temperature")[..2], [Some(42.31), Some(38.51)]);
    assert_eq!(store.to_frame().column("IsHoliday").unwrap().dtype(), &DataType::Boolean);
    assert_eq!(store.audit().unwrap().count("partial"), 0);
    // Keys that are no prefix come in their own order, and a month takes the weeks whose middle it holds.
    let months = sales
        .aggregate(&Aggregate::parse("freq=MS, keys=[Dept], covariates=max, booleans=mean, partial=keep").unwrap())
        .unwrap();
    assert_eq!(months.keys()[..3], ["Dept=1", "Dept=3", "Dept=8"]);
    assert!((total(&months) - total(&sales)).abs() < 1e-3);
    assert_eq!(months.span(), ("2010-02-01".into(), "2012-10-01".into()));
    assert_eq!(column(&months.to_frame(), "IsHoliday")[0], Some(0.25));
    let all = sales.aggregate(&Aggregate::parse("keys=[]").unwrap()).unwrap();
    assert_eq!(all.keys(), ["all"]);
    // What was fixed for a series but differs within a new one goes, and that is said.
    let frame = df!("a" => ["x", "x", "y", "y"], "t" => [1_i64, 2, 1, 2], "y" => [1.0, 2.0, 3.0, f64::NAN], "size" => [5, 5, 6, 6]);
    let panel = Panel::from_frame(frame.unwrap(), Columns::new(["a"], "t", "y").fixed(["size"])).unwrap();
    let one = panel.aggregate(&Aggregate::parse("keys=[]").unwrap()).unwrap();
    assert_eq!(one.columns().names(), ["t", "y"]);
    assert_eq!(column(&one.to_frame(), "y"), [4.0, 2.0].map(Some));
    assert_eq!(one.audit().unwrap().count("partial"), 1);
    assert!(one.to_string().contains("`size` was dropped"), "{one}");
}

#[test]
fn aggregated_panels_are_forecast_from_a_plan_and_a_script() {
    let plan = Plan::read_text(
        "data = \"data/walmart_sales_weekly.csv\"\nid = [\"Store\", \"Dept\"]\ntime = \"Date\"\ntarget = \"Weekly_Sales\"\n\
         models = \"naive; regression(season=1)\"\naggregate = \"freq=MS, partial=drop\"\nfeatures = \"month(form=number); lags(steps=[12])\"\nhorizon = 3",
    )
    .unwrap();
    let forecast = plan.forecast().unwrap();
    assert!(forecast.failures().is_empty());
    assert_eq!(forecast.panel().frequency().to_string(), "monthly (first day)");
    let wrong = Plan { aggregate: Some("freq=MS, partly=drop".into()), ..plan };
    assert!(wrong.check().err().unwrap().to_string().contains("did you mean `partial`?"));
    let rows: i64 = tradewind::script::engine()
        .eval(
            r#"let sales = read_panel("data/walmart_sales_weekly.csv", columns(["Store", "Dept"], "Date", "Weekly_Sales").stamps("end"));
               sales.aggregate("keys=[Store]"); sales.partial();
               sales.aggregate(#{freq: "MS", keys: ["Dept"], partial: "drop"}).features("quarter; month_x").rows"#,
        )
        .unwrap_or(-1);
    assert_eq!(rows, -1, "an unknown feature stops a script");
    let rows: i64 = tradewind::script::engine()
        .eval(
            r#"let sales = read_panel("data/walmart_sales_weekly.csv", columns(["Store", "Dept"], "Date", "Weekly_Sales").stamps("end"));
               sales.aggregate(#{freq: "MS", keys: ["Dept"], partial: "drop"}).features("quarter").rows"#,
        )
        .unwrap();
    assert_eq!(rows, 7 * 32);
}

#[test]
fn what_is_usual_follows_the_year() {
    // Temperature of store 1: the normals of November to July of the next year follow the season's course.
    let future = sales().future(40).unwrap().to_frame().unwrap();
    let normal = column(&future, "Temperature");
    let (winter, summer) = (normal[10].unwrap(), normal[37].unwrap());
    assert!((40.0..52.0).contains(&winter) && (78.0..86.0).contains(&summer), "{winter} {summer}");
    let steps = normal[..40].windows(2).map(|pair| (pair[1].unwrap() - pair[0].unwrap()).abs());
    assert!(steps.fold(0.0, f64::max) < 3.5, "normals are smooth");
}

#[test]
fn one_wild_stamp_does_not_ask_for_all_memory() {
    let frame = df!("t" => [1_i64, 2, 3, 4, 1_000_000_000_000_000], "y" => [1.0; 5]).unwrap();
    let panel = Panel::from_frame(frame, Columns::new([""; 0], "t", "y").freq("1").unwrap()).unwrap();
    for error in [panel.fit(["naive"]).err().unwrap(), panel.features("lags").err().unwrap()] {
        assert!(error.is_data() && error.to_string().contains("correct the timestamps"), "{error}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]

    /// Whatever the stamps and values: features and aggregates are made or refused in words, and no sale is lost.
    #[test]
    fn arbitrary_stamps_never_break_features_or_aggregates(
        start in -4_000_000_000_i64..8_000_000_000,
        step in proptest::sample::select(vec![60_i64, 1_800, 3_600, 86_400, 604_800, 2_678_400]),
        gaps in proptest::collection::vec(1..4_i64, 2..40),
        huge in proptest::bool::weighted(0.1),
        freq in proptest::sample::select(vec!["h", "D", "W-WED", "MS", "ME", "QS", "YE", "\"7\""]),
    ) {
        let mut seconds = start;
        let mut stamps: Vec<i64> = Vec::new();
        for gap in &gaps {
            stamps.push(seconds * 1_000_000);
            seconds += gap * step;
        }
        if huge {
            stamps.push(i64::MAX / 4);
        }
        let values: Vec<Option<f64>> = (0..stamps.len()).map(|i| (i % 5 != 3).then_some(i as f64)).collect();
        let mut frame = df!("t" => stamps, "y" => &values).unwrap();
        let typed = frame.column("t").unwrap().cast(&DataType::Datetime(TimeUnit::Microseconds, None)).unwrap();
        frame.with_column(typed).unwrap();
        let Ok(panel) = Panel::from_frame(frame, Columns::new([""; 0], "t", "y")) else { return Ok(()) };
        for feature in FEATURES.iter().filter(|feature| feature.name != "interaction") {
            if let Ok(made) = panel.features(feature.example) {
                let _ = made.future(3).map(|future| future.to_frame());
            }
        }
        if let Ok(longer) = panel.aggregate(&Aggregate::parse(&format!("freq={freq}, partial=keep")).unwrap()) {
            let total = column(&longer.to_frame(), "y").into_iter().flatten().sum::<f64>();
            proptest::prop_assert!((total - values.iter().flatten().sum::<f64>()).abs() < 1e-6);
        }
    }
}
