//! What people really hand in: one clear sentence with what, where and what to do, and never a panic.

use std::path::PathBuf;

use proptest::prelude::*;
use tradewind::prelude::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

fn simple() -> Columns {
    Columns::new(["id"], "ds", "y")
}

fn refused(path: impl AsRef<std::path::Path>, columns: Columns, parts: &[&str]) {
    let error = Panel::read(path, columns).expect_err("it must be refused");
    let text = error.to_string();
    assert!(parts.iter().all(|part| text.contains(part)), "`{text}` lacks one of {parts:?}");
    assert!(!text.contains('\n') || text.lines().count() < 4, "one sentence, not a page: {text}");
}

#[test]
fn files_that_are_no_sales_files() {
    let folder = Folder::new();
    refused(folder.file("empty.csv", ""), simple(), &["empty.csv is empty"]);
    refused(folder.file("header.csv", "id,ds,y\n"), simple(), &["header.csv has no rows"]);
    refused(folder.0.path(), simple(), &["empty.csv is empty"]);
    refused(folder.0.path().join("absent.csv"), simple(), &["absent.csv does not exist"]);
    refused(folder.file("sales.xyz", "id,ds,y\n"), simple(), &["has no known format"]);
    let noise: Vec<u8> = (0..5000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    refused(folder.file("noise.csv", &noise), simple(), &["noise.csv", "bytes that are not text"]);
    refused(folder.file("noise.parquet", &noise), simple(), &["noise.parquet is not a readable Parquet file"]);
    refused(folder.file("cut.parquet", b"PAR1\x15\x04\x15"), simple(), &["cut.parquet is not a readable Parquet file"]);
}

#[test]
fn cells_that_do_not_parse_are_quoted_with_their_line() {
    let folder = Folder::new();
    let number = folder.file("n.csv", "id,ds,y\na,2024-01-01,1\na,2024-01-02,1\na,2024-01-03,12 apples\n");
    let panel = Panel::read(number, simple()).unwrap();
    let refused_by = panel.fit(["naive"]).err().unwrap().to_string();
    assert!(
        ["`12 apples`", "line 4", "not a number", "or clean"].iter().all(|p| refused_by.contains(p)),
        "{refused_by}"
    );
    assert_eq!(panel.audit().unwrap().count("not a number"), 1);
    let cleaned = panel.clean(&Clean::default()).unwrap();
    assert_eq!((cleaned.audit().unwrap().changes(), cleaned.audit().unwrap().count("missing")), (1, 1));
    let date = folder.file("d.csv", "id,ds,y\na,2024-01-01,1\na,2024-02-30,2\n");
    refused(date, simple(), &["`2024-02-30`", "column `ds`", "line 3", "not a date"]);
    let ambiguous = folder.file("a.csv", "id,ds,y\na,01/02/2024,1\na,02/02/2024,2\n");
    refused(&ambiguous, simple(), &["can be read as %d/%m/%Y (2024-02-01) or %m/%d/%Y (2024-01-02)", "time_format"]);
    let panel = Panel::read(ambiguous, simple().time_format("%d/%m/%Y")).unwrap();
    assert_eq!(panel.span(), ("2024-02-01".into(), "2024-02-02".into()));
    let absent = folder.file("t.csv", "id,ds,y\na,,1\n");
    refused(absent, simple(), &["no timestamp", "line 2"]);
}

#[test]
fn wrong_columns_suggest_the_nearest() {
    let path = "data/walmart_sales_weekly.csv";
    refused(
        path,
        Columns::new(["Store"], "Date", "Weekly_Sale"),
        &["no column `Weekly_Sale`", "did you mean `Weekly_Sales`?"],
    );
    refused(path, Columns::new(["store"], "Date", "Weekly_Sales"), &["did you mean `Store`?"]);
    refused(path, Columns::new(["Store"], "Date", "Weekly_Sales").known(["Date"]), &["`Date` is declared twice"]);
    refused(path, Columns::new(["Store"], "Type", "Weekly_Sales"), &["`A`", "not a date"]);
    refused(path, Columns::new(["Store"], "Date", "Type"), &["`A`", "line 2", "not a number"]);
}

#[test]
fn duplicates_are_named_and_mended_only_when_asked() {
    let folder = Folder::new();
    let path = folder
        .file("d.csv", "id,ds,y\na,2024-01-01,1\na,2024-01-02,2\na,2024-01-02,4\na,2024-01-03,5\nb,2024-01-01,1\n");
    let panel = Panel::read(path, simple()).unwrap();
    assert_eq!(panel.audit().unwrap().count("duplicates"), 1);
    for error in [
        panel.fit(["naive"]).err().unwrap(),
        panel.backtest(["naive"], Folds::new(1, 1)).err().unwrap(),
        panel.clean(&Clean::default()).err().unwrap(),
    ] {
        let text = error.to_string();
        assert!(text.contains("id=a") && text.contains("2024-01-02") && text.contains("duplicates"), "{text}");
    }
    for (policy, expected) in [("sum", 6.0), ("mean", 3.0), ("last", 4.0)] {
        let cleaned = panel.clean(&Clean::parse(&format!("duplicates={policy}")).unwrap()).unwrap();
        assert_eq!(cleaned.to_frame().column("y").unwrap().f64().unwrap().get(1), Some(expected));
        assert_eq!((cleaned.audit().unwrap().count("duplicates"), cleaned.audit().unwrap().changes()), (0, 1));
    }
}

#[test]
fn gaps_and_missing_values_are_filled_only_by_policy() {
    let folder = Folder::new();
    let path =
        folder.file("g.csv", "id,ds,y,promo\na,2024-01-01,1,1\na,2024-01-02,,0\na,2024-01-05,4,1\na,2024-01-06,5,0\n");
    let panel = Panel::read(path, simple().known(["promo"])).unwrap();
    let audit = panel.audit().unwrap();
    assert_eq!((audit.count("gaps"), audit.count("missing")), (2, 1));
    let cleaned = panel.clean(&Clean::parse("gaps=fill, missing=linear, covariates=zero").unwrap()).unwrap();
    let frame = cleaned.to_frame();
    let y: Vec<Option<f64>> = frame.column("y").unwrap().f64().unwrap().iter().collect();
    assert_eq!(y, [1.0, 1.75, 2.5, 3.25, 4.0, 5.0].map(Some));
    assert_eq!(frame.column("id").unwrap().null_count(), 0);
    let audit = cleaned.audit().unwrap();
    assert_eq!((audit.count("gaps"), audit.count("missing"), audit.changes()), (0, 0, 2 + 3 + 2));
    let untouched = panel.clean(&Clean::default()).unwrap();
    assert_eq!(untouched.to_frame().column("y").unwrap().null_count(), 1);
}

/// The future's cells are read as the history's type: a word where a number belongs is quoted, not taken as zero.
#[test]
fn a_future_that_does_not_fit_is_refused() {
    let folder = Folder::new();
    let days: Vec<String> = (1..=28).map(|d| format!("2024-01-{d:02}")).collect();
    let rows: String =
        days.iter().enumerate().map(|(i, d)| format!("a,{d},{},{},{}\n", i % 5, i % 2, ["x", "y"][i % 2])).collect();
    let path = folder.file("h.csv", format!("id,ds,y,promo,kind\n{rows}"));
    let panel = Panel::read(path, simple().known(["promo", "kind"])).unwrap();
    let fits = panel.fit(["regression(season=1)"]).unwrap();
    let ahead = panel.future(2).unwrap();
    let given = |text: &str| ahead.given_file(folder.file("f.csv", format!("id,ds,promo,kind\n{text}")));
    let fine = given("a,2024-01-29,1,x\na,2024-01-30,0,y\n").unwrap();
    assert!(fits.forecast(fine).is_ok());
    let text = |future: Result<Future>| match future {
        Ok(future) => fits.forecast(future).err().unwrap().to_string(),
        Err(error) => error.to_string(),
    };
    let word = text(given("a,2024-01-29,1,x\na,2024-01-30,lots,y\n"));
    assert!(word.contains("`lots`") && word.contains("line 3") && word.contains("`promo`"), "{word}");
    let category = text(given("a,2024-01-29,1,x\na,2024-01-30,0,z\n"));
    assert!(
        category.contains("`kind`") && category.contains("2024-01-30") && category.contains("category"),
        "{category}"
    );
    let twice = text(given("a,2024-01-29,1,x\na,2024-01-29,0,x\n"));
    assert!(twice.contains("several rows") && twice.contains("2024-01-29"), "{twice}");
    let absent = text(given("a,2024-01-29,1,x\n"));
    assert!(absent.contains("no usable value") && absent.contains("2024-01-30"), "{absent}");
}

#[test]
fn stamps_that_leave_their_type_are_refused() {
    use tradewind::polars::prelude::*;
    let steps: Vec<u32> = (200..250).collect();
    let steps = Column::new("ds".into(), steps).cast(&DataType::UInt8).unwrap();
    let y = Column::new("y".into(), (0..50).map(f64::from).collect::<Vec<_>>());
    let panel =
        Panel::from_frame(DataFrame::new(50, vec![steps, y]).unwrap(), Columns::new([""; 0], "ds", "y")).unwrap();
    let forecast = panel.fit(["naive"]).unwrap().forecast(13).unwrap();
    let error = forecast.to_frame().unwrap_err().to_string();
    assert!(error.contains("range of column `ds`"), "{error}");
    let last = i64::MAX - 1;
    let frame = df!("ds" => [last - 2, last - 1, last], "y" => [1.0, 2.0, 3.0]).unwrap();
    let panel = Panel::from_frame(frame, Columns::new([""; 0], "ds", "y")).unwrap();
    assert!(panel.future(14).err().unwrap().to_string().contains("beyond the end of the calendar"));
    let frame = df!("ds" => [u64::MAX - 1, u64::MAX], "y" => [1.0, 2.0]).unwrap();
    assert!(
        Panel::from_frame(frame, Columns::new([""; 0], "ds", "y"))
            .err()
            .unwrap()
            .to_string()
            .contains("range of timestamps")
    );
}

#[test]
fn infinite_targets_wait_for_a_decision() {
    let folder = Folder::new();
    let path = folder.file("i.csv", "id,ds,y\na,2024-01-01,1\na,2024-01-02,inf\na,2024-01-03,3\na,2024-01-04,4\n");
    let panel = Panel::read(path, simple()).unwrap();
    assert_eq!(panel.audit().unwrap().count("infinite"), 1);
    let error = panel.fit(["naive"]).err().unwrap().to_string();
    assert!(error.contains("infinite") && error.contains("2024-01-02"), "{error}");
    let cleaned = panel.clean(&Clean::parse("missing=linear").unwrap()).unwrap();
    assert_eq!((cleaned.audit().unwrap().count("infinite"), cleaned.audit().unwrap().changes()), (0, 2));
    assert!(cleaned.fit(["naive"]).is_ok());
}

#[test]
fn headers_that_cannot_serve_are_refused_at_once() {
    let folder = Folder::new();
    let path = folder.file("m.csv", "model,ds,y\na,2024-01-01,1\n");
    refused(path, Columns::new(["model"], "ds", "y"), &["`model` would clash"]);
    refused(
        folder.file("r.csv", "id,ds,y\na,2024-01-01,1\na,2024-01-02,1,7,8\n"),
        simple(),
        &["line 3 of ", "5 cells", "header has 3"],
    );
}

#[test]
fn unknown_words_suggest_the_nearest() {
    let sales = crate::sales();
    let text = |error: Option<Error>| error.unwrap().to_string();
    assert!(text(Clean::parse("duplicate=sum").err()).contains("did you mean `duplicates`?"));
    assert!(text(Clean::parse("duplicates=add").err()).contains("duplicates"));
    assert!(text(sales.explore("seasonalty").err()).contains("did you mean `seasonality`?"));
    assert!(text(sales.explore("uplift(by=IsHolyday)").err()).contains("did you mean `IsHoliday`?"));
    assert!(text(sales.only("Dep", "1").err()).contains("did you mean `Dept`?"));
    assert!(text(sales.only("Dept", "99").err()).contains("no series has Dept=99"));
    assert!(text(sales.before("soon").err()).contains("not a date"));
    assert!(text(sales.future(0).err()).contains("at least 1"));
    let forecast = sales.fit(["naive"]).unwrap().forecast(2).unwrap();
    assert!(text(forecast.quantile("naive", "Store=1, Dept=1", 95.0).err()).contains("did you mean 0.95?"));
    assert!(text(forecast.mean("naiv", "Store=1, Dept=1").err()).contains("did you mean `naive`?"));
    assert!(text(forecast.paths(0, 1).err()).contains("at least 1"));
    assert!(text(sales.backtest(["naive"], Folds::new(0, 8)).err()).contains("folds is at least 1"));
    assert!(text(sales.backtest(["naive"], Folds::new(30, 8)).err()).contains("fewer folds"));
    assert!(text(sales.backtest(["naive", "naive"], Folds::new(1, 8)).err()).contains("named twice"));
    assert!(text(Plan::read_text("horzon = 3").err()).contains("did you mean `horizon`?"));
    assert!(text(Plan::read_text("horizon = -3").err()).contains("horizon"));
}

#[test]
fn negatives_are_clipped_on_dates_off_the_calendar_too() {
    let folder = Folder::new();
    let path = folder.file("off.csv", "id,ds,y\nb,2024-01-01,0\na,2024-01-02,-0.1\nb,2024-01-03,0\n");
    let panel = Panel::read(path, simple()).unwrap();
    assert_eq!(panel.audit().unwrap().count("off calendar"), 1);
    let cleaned = panel.clean(&Clean::parse("negatives=clip").unwrap()).unwrap();
    assert_eq!(cleaned.audit().unwrap().count("negative"), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any text under a right header is read or refused, never a panic; what is read can be audited and cleaned.
    #[test]
    fn arbitrary_csv_is_read_or_refused(body in "(?s)([a-c]?,(2024-0[1-3]-[0-3][0-9]|.{0,6}),(-?[0-9]{1,4}(\\.[0-9])?|inf|NaN||.{0,4})\n){0,30}") {
        let folder = Folder::new();
        let path = folder.file("any.csv", format!("id,ds,y\n{body}"));
        if let Ok(panel) = Panel::read(path, simple()) {
            let audit = panel.audit().unwrap();
            prop_assert!(!audit.sentence().is_empty());
            let policy = Clean::parse("duplicates=sum, gaps=fill, missing=linear, negatives=clip").unwrap();
            if let Ok(cleaned) = panel.clean(&policy) {
                let audit = cleaned.audit().unwrap();
                prop_assert_eq!(audit.count("duplicates") + audit.count("negative"), 0);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let folder = Folder::new();
        for name in ["any.csv", "any.parquet"] {
            let path = folder.file(name, &bytes);
            prop_assert!(Panel::read(path, simple()).is_err());
        }
    }

    #[test]
    fn arbitrary_labels_are_read_or_refused(label in "\\PC{0,40}") {
        let _ = Model::named(&label);
        let _ = Model::named(&format!("theta({label})"));
        let _ = Clean::parse(&label);
    }
}
