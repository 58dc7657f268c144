//! What a server is answered is what the library's own verbs give.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;
use tradewind_serve::engine::{JobKind, Point, Row, Stock};

use super::*;
use crate::decide::StockPolicy;
use crate::forecast::Forecast;
use crate::models::Fits;
use crate::panel::{Columns, Panel};
use crate::show::Table;

const DATA: &str = "data/walmart_sales_weekly.csv";
const FIRST: &str = "Store=1, Dept=1";
const THIRD: &str = "Store=1, Dept=3";

fn columns() -> Columns {
    Columns::new(["Store", "Dept"], "Date", "Weekly_Sales")
}

fn sales() -> Panel {
    Panel::read(DATA, columns()).unwrap()
}

fn with_holidays() -> Panel {
    Panel::read(DATA, columns().known(["IsHoliday"])).unwrap()
}

/// A folder with two models: one with two methods, and one that reads a covariate.
fn folder() -> (TempDir, Fits, Fits) {
    let home = tempfile::tempdir().unwrap();
    let weekly = sales().fit(["theta", "seasonal_naive"]).unwrap();
    let holidays = with_holidays().fit_for(["ridge"], 4).unwrap();
    weekly.save(home.path().join("weekly.fits")).unwrap();
    holidays.save(home.path().join("holidays.fits")).unwrap();
    (home, weekly, holidays)
}

fn opened(home: &Path) -> Serving {
    Serving::open(Served { models: Some(home.into()), ..Served::default() }).unwrap()
}

fn request(model: &str, series: &[&str]) -> ForecastRequest {
    let series = series.iter().map(ToString::to_string).collect();
    ForecastRequest { model: Some(model.into()), series, ..ForecastRequest::default() }
}

fn kind<T>(answer: Answer<T>) -> Kind {
    answer.err().unwrap().kind
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn means(answer: &ForecastAnswer, series: usize) -> Vec<f64> {
    answer.forecasts[series].steps.iter().map(|step| step.mean).collect()
}

/// A job without anybody who waits for it.
#[derive(Default)]
struct Nobody {
    told: Mutex<Vec<(u64, u64, String)>>,
    cancelled: AtomicBool,
}

impl Progress for Nobody {
    fn tell(&self, done: u64, of: u64, what: &str) {
        self.told.lock().unwrap().push((done, of, what.into()));
    }
    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
    fn when_cancelled(&self, then: Box<dyn FnOnce() + Send>) {
        if self.is_cancelled() {
            then();
        }
    }
}

fn job(kind: JobKind, model: Option<&str>, plan: Value) -> JobRequest {
    JobRequest { kind, model: model.map(String::from), upload: None, plan: map(plan) }
}

/// Does a job in a folder of its own: what it came to, its table and its page.
fn done(
    serving: &Serving,
    request: &JobRequest,
    upload: Option<&Path>,
    nobody: &Nobody,
) -> (TempDir, Answer<Finished>, PathBuf, String) {
    let home = tempfile::tempdir().unwrap();
    let (result, report) = (home.path().join("result.parquet"), home.path().join("report.html"));
    let place = Workplace { folder: home.path(), upload, result: &result, report: &report, owner: "ann" };
    let finished = serving.work(request, &place, nobody);
    let page = std::fs::read_to_string(&report).unwrap_or_default();
    (home, finished, result, page)
}

#[test]
fn forecasts_are_those_of_the_fits() {
    let (home, weekly, _) = folder();
    let serving = opened(home.path());
    let cards = serving.models();
    let names: Vec<&str> = cards.iter().map(|card| card.name.as_str()).collect();
    assert_eq!(names, ["holidays", "weekly"]);
    assert_eq!((cards[0].known.as_slice(), cards[0].horizon), (&["IsHoliday".to_string()][..], 4));
    assert_eq!((cards[1].series, cards[1].until.as_str(), cards[1].problem.as_ref()), (7, "2012-10-26", None));
    assert_eq!(cards[1].methods, ["theta", "seasonal_naive"]);

    let mut asked = request("weekly", &[THIRD, FIRST]);
    (asked.horizon, asked.levels) = (Some(3), Some(vec![0.5]));
    assert_eq!(serving.weight(&asked).unwrap(), 6);
    let forecast = weekly.forecast(3).unwrap();
    for method in [None, Some("seasonal_naive")] {
        asked.method = method.map(String::from);
        let answer = serving.forecast(&asked).unwrap();
        let method = method.unwrap_or("theta");
        assert_eq!((answer.method.as_str(), answer.version.as_ref()), (method, Some(&cards[1].version)));
        for (at, series) in [THIRD, FIRST].into_iter().enumerate() {
            assert_eq!(means(&answer, at), forecast.mean(method, series).unwrap());
            let steps = &answer.forecasts[at].steps;
            assert_eq!(steps[0].date, "2012-11-02");
            for (name, probability) in [("q0.25", 0.25), ("q0.5", 0.5), ("q0.75", 0.75)] {
                let quantiles: Vec<f64> = steps.iter().map(|step| step.quantiles[name]).collect();
                assert_eq!(quantiles, forecast.quantile(method, series, probability).unwrap());
            }
        }
    }
    // The horizon that it was fitted for, unless another is asked for.
    let usual = serving.forecast(&request("weekly", &[FIRST])).unwrap();
    assert_eq!(means(&usual, 0).len(), weekly.horizon());
}

#[test]
fn what_is_not_there_is_named() {
    let (home, ..) = folder();
    let serving = opened(home.path());
    let refused = |change: &dyn Fn(&mut ForecastRequest)| {
        let mut asked = request("weekly", &[FIRST]);
        change(&mut asked);
        serving.forecast(&asked).err().unwrap()
    };
    let series = refused(&|asked| asked.series = vec!["Store=1, Dept=l".into()]);
    assert!(series.kind == Kind::UnknownSeries && series.detail.contains("did you mean"), "{}", series.detail);
    let model = refused(&|asked| asked.model = Some("wekly".into()));
    assert!(model.kind == Kind::UnknownModel && model.detail.contains("did you mean `weekly`?"), "{}", model.detail);
    assert_eq!(refused(&|asked| asked.model = None).kind, Kind::UnknownModel);
    assert_eq!(refused(&|asked| asked.method = Some("naive".into())).kind, Kind::UnknownMethod);
    assert_eq!(refused(&|asked| asked.horizon = Some(0)).kind, Kind::Invalid);
    assert_eq!(refused(&|asked| asked.horizon = Some(1001)).kind, Kind::Invalid);
    assert_eq!(refused(&|asked| asked.levels = Some(vec![95.0])).kind, Kind::Invalid);
    let all = ForecastRequest { series: Vec::new(), ..request("weekly", &[FIRST]) };
    assert_eq!(serving.forecast(&all).unwrap().forecasts.len(), 7);
    assert_eq!(serving.weight(&all).unwrap(), 7 * serving.weight(&request("weekly", &[FIRST])).unwrap());
    assert_eq!(kind(serving.series("none", "", 0, 10)), Kind::UnknownModel);
    // A server without models says what to start it with.
    let none = Serving::open(Served::default()).unwrap();
    assert!(none.forecast(&request("weekly", &[FIRST])).unwrap_err().detail.contains("--models"));
    assert!(none.models().is_empty());
    for refused in [kind(none.runs()), kind(none.rollback()), kind(none.gauges()), kind(none.overrides())] {
        assert_eq!(refused, Kind::Conflict);
    }
    assert_eq!(kind(none.dashboard()), Kind::NotFound);
    let missing = Serving::open(Served { models: Some(home.path().join("none")), ..Served::default() });
    assert!(missing.is_err());
}

#[test]
fn series_are_found_by_their_words() {
    let (home, ..) = folder();
    let serving = opened(home.path());
    let all = serving.series("weekly", "", 5, 10).unwrap();
    assert_eq!((all.total, all.series.len()), (7, 2));
    let some = serving.series("weekly", "dept=1 STORE", 0, 1).unwrap();
    assert_eq!((some.total, some.series.as_slice()), (2, &[FIRST.to_string()][..]));
    assert_eq!(serving.series("weekly", "nowhere", 0, 10).unwrap().total, 0);
}

#[test]
fn covariates_of_the_request_are_heeded() {
    let (home, _, holidays) = folder();
    let serving = opened(home.path());
    let future = with_holidays().future(2).unwrap();
    let row = |date: &str, holiday: f64| Row {
        series: None,
        date: date.into(),
        values: [("IsHoliday".to_string(), holiday)].into(),
    };
    let mut asked = request("holidays", &[FIRST]);
    asked.horizon = Some(2);
    // What has to be known and is not.
    assert_eq!(kind(serving.forecast(&asked)), Kind::MissingCovariate);
    asked.future = vec![row("2012-11-02", 0.0), row("2012-11-09", 1.0)];
    let changed = holidays.forecast(future.what_if("IsHoliday", &[0.0, 1.0]).unwrap()).unwrap();
    for series in [vec![FIRST], vec![THIRD, FIRST]] {
        asked.series = series.iter().map(ToString::to_string).collect();
        let answer = serving.forecast(&asked).unwrap();
        for (at, series) in series.iter().enumerate() {
            assert_eq!(means(&answer, at), changed.mean("ridge", series).unwrap(), "{series}");
        }
    }
    for (wrong, word) in [("2012-11-03", "none of the coming steps"), ("2013-11-01", "none of"), ("soon", "soon")] {
        asked.future = vec![row(wrong, 0.0)];
        let fault = serving.forecast(&asked).unwrap_err();
        assert!(fault.detail.contains(word), "{}", fault.detail);
    }
    asked.future = vec![Row { values: [("Holiday".to_string(), 1.0)].into(), ..row("2012-11-02", 0.0) }];
    assert_eq!(kind(serving.forecast(&asked)), Kind::UnknownCovariate);
}

#[test]
fn a_history_of_the_request_is_fitted() {
    let serving = Serving::open(Served::default()).unwrap();
    let panel = sales().series(FIRST).unwrap();
    let table = Table::new(panel.to_frame());
    let point = |row: usize| Point {
        date: table.get(row, "Date").unwrap().to_string(),
        value: panel.target(0).get(row).copied(),
    };
    let history: Vec<Point> = (0..table.rows()).map(point).collect();
    let asked =
        ForecastRequest { history, method: Some("theta".into()), horizon: Some(4), ..ForecastRequest::default() };
    assert_eq!(serving.weight(&asked).unwrap(), 4);
    let answer = serving.forecast(&asked).unwrap();
    let forecast = panel.fit_for(["theta"], 4).unwrap().forecast(4).unwrap();
    assert_eq!(means(&answer, 0), forecast.mean("theta", FIRST).unwrap());
    assert_eq!((answer.model, answer.forecasts[0].steps[0].date.as_str()), (None, "2012-11-02"));
    let short = ForecastRequest { history: asked.history[..1].to_vec(), ..asked.clone() };
    let short = serving.forecast(&short).unwrap();
    assert!(short.forecasts.is_empty() && short.failures.len() == 1, "as a series that could not be fitted");
    let mut nonsense = asked.clone();
    nonsense.history[0].date = "yesterday".into();
    assert_eq!(kind(serving.forecast(&nonsense)), Kind::Invalid);
    let twice = ForecastRequest { model: Some("x".into()), ..asked };
    assert_eq!(kind(serving.forecast(&twice)), Kind::Conflict);
}

#[test]
fn changed_models_are_noticed() {
    let (home, ..) = folder();
    let serving = opened(home.path());
    let file = home.path().join("weekly.fits");
    let version =
        |serving: &Serving| serving.models().into_iter().find(|card| card.name == "weekly").map(|card| card.version);
    let before = version(&serving);
    let aged = |file: &Path| {
        let old = SystemTime::now() - Duration::from_secs(60);
        std::fs::File::options().write(true).open(file).unwrap().set_modified(old).unwrap();
    };
    sales().fit(["drift"]).unwrap().save(&file).unwrap();
    serving.refresh();
    let after = version(&serving);
    assert!(after.is_some() && before != after);
    assert_eq!(serving.forecast(&request("weekly", &[FIRST])).unwrap().method, "drift");

    // One that is being copied goes on as it was; one that is damaged says so.
    std::fs::write(&file, "half").unwrap();
    serving.refresh();
    assert_eq!(version(&serving), after);
    aged(&file);
    serving.refresh();
    assert_eq!(kind(serving.forecast(&request("weekly", &[FIRST]))), Kind::DamagedModel);
    let card = serving.models().into_iter().find(|card| card.name == "weekly").unwrap();
    assert!(
        card.problem.is_some_and(|why| why.contains("damaged") && !why.contains(&home.path().display().to_string()))
    );
    std::fs::remove_file(&file).unwrap();
    serving.refresh();
    assert_eq!(kind(serving.forecast(&request("weekly", &[FIRST]))), Kind::UnknownModel);
    // Only one is left, and need not be named.
    assert_eq!(serving.series("holidays", "", 0, 1).unwrap().total, 7);
}

#[test]
fn orders_are_those_of_the_library() {
    let (home, weekly, _) = folder();
    let serving = opened(home.path());
    let state = home.path().join("stock.csv");
    std::fs::write(&state, "Store,Dept,on_hand,in_transit_1\n1,1,20000,1000\n1,3,5000,0\n").unwrap();
    let policy = StockPolicy { lead_time: 2, cycle_service: Some(0.9), ..StockPolicy::default() };
    let theta = sales().fit(["theta"]).unwrap();
    let expected = theta.forecast(3).unwrap().decide_stock(&state, &policy).unwrap().table().unwrap();
    let fields = map(json!({"lead_time": 2, "cycle_service": 0.9}));
    let stock = |series: &str, on_hand: f64, on_order: f64| Stock { series: series.into(), on_hand, on_order };
    let asked = DecideRequest {
        forecast: request("weekly", &[]),
        policy: fields.clone(),
        stock: vec![stock(FIRST, 20000.0, 1000.0), stock(THIRD, 5000.0, 0.0)],
    };
    let answer = serving.decide(&asked).unwrap();
    assert_eq!((answer.orders.len(), answer.undecided.len()), (2, 0));
    for (row, order) in answer.orders.iter().enumerate() {
        for column in ["order", "position", "level", "reason"] {
            let shown = expected.to_json().unwrap()[row][column].clone();
            assert_eq!(order[column], shown, "{column}");
        }
    }
    assert!(answer.sentence.contains("of 2 items") && answer.html.contains("<table"), "{}", answer.sentence);
    let explored = serving
        .explore(&ExploreRequest {
            forecast: ForecastRequest { horizon: Some(6), ..request("weekly", &[FIRST]) },
            policy: fields.clone(),
            on_hand: Some(20000.0),
            on_order: Some(1000.0),
        })
        .unwrap();
    assert_eq!(explored.quantity.map(|quantity| quantity as i64), answer.orders[0]["order"].as_i64());
    assert!(explored.order.unwrap().contains("to be on the shelf"));
    assert_eq!(means(&explored.answer, 0), weekly.forecast(6).unwrap().mean("theta", FIRST).unwrap());
    assert!(explored.svg.contains("<svg") && !explored.svg.contains("style=") && !explored.alternative.is_empty());
    assert_eq!(explored.history.last().unwrap().0, "2012-10-26");

    let refused = |change: &dyn Fn(&mut DecideRequest)| {
        let mut asked = asked.clone();
        change(&mut asked);
        kind(serving.decide(&asked))
    };
    assert_eq!(refused(&|asked| asked.stock.clear()), Kind::Invalid);
    assert_eq!(refused(&|asked| asked.stock.iter_mut().for_each(|item| item.series = "x".into())), Kind::UnknownSeries);
    let mut known = asked.clone();
    known.stock[1].series = "Store=1, Dept=2".into();
    let left_out = serving.decide(&known).unwrap();
    assert_eq!((left_out.orders.len(), left_out.undecided.len()), (1, 1));
    assert_eq!(left_out.undecided[0]["series"], "Store=1, Dept=2");
    assert!(left_out.csv.starts_with("Store,Dept,order,") && left_out.csv.lines().count() == 2, "{}", left_out.csv);
    assert_eq!(refused(&|asked| asked.stock[0].on_hand = -1.0), Kind::Invalid);
    assert_eq!(refused(&|asked| asked.policy = map(json!({"store": "x.db"}))), Kind::Invalid);
    let long = json!({"lead_time": 5000, "cycle_service": 0.9});
    assert_eq!(refused(&|asked| asked.policy = map(long.clone())), Kind::UnusablePlan);
    let twice = stock(FIRST, 1.0, 0.0);
    assert_eq!(refused(&|asked| asked.stock.push(twice.clone())), Kind::Conflict);
}

#[test]
fn the_explorer_offers_what_can_be_changed() {
    let (home, ..) = folder();
    let serving = opened(home.path());
    let row = |date: &str| Row { series: None, date: date.into(), values: [("IsHoliday".to_string(), 1.0)].into() };
    let dates = ["2012-11-02", "2012-11-09", "2012-11-16", "2012-11-23"];
    let forecast = ForecastRequest { future: dates.map(row).to_vec(), ..request("holidays", &[FIRST]) };
    let explored = serving.explore(&ExploreRequest { forecast, ..ExploreRequest::default() }).unwrap();
    let [holiday] = explored.covariates.as_slice() else { panic!("{:?}", explored.covariates) };
    assert!(holiday.name == "IsHoliday" && holiday.is_known && holiday.is_flag);
    assert_eq!((holiday.values.as_slice(), explored.order), (&[Some(1.0); 4][..], None));
}

#[test]
fn files_are_looked_into() {
    let serving = Serving::open(Served::default()).unwrap();
    let found = serving.detect(Path::new(DATA), &Map::new()).unwrap();
    assert_eq!(found.plan["id"], json!(["Store", "Dept"]));
    assert_eq!((&found.plan["time"], &found.plan["target"]), (&json!("Date"), &json!("Weekly_Sales")));
    let date = found.columns.iter().find(|column| column.name == "Date").unwrap();
    assert_eq!((date.kind.as_str(), date.sample[0].as_str()), ("date", "2010-02-05"));
    assert!(found.summary.as_ref().unwrap().contains("7 series, 1,001 rows"), "{:?}", found.summary);
    assert!(!found.notes.iter().any(|note| note.contains("--")), "{:?}", found.notes);
    let wrong = serving.detect(Path::new(DATA), &map(json!({"target": "Sold"}))).unwrap();
    assert!(wrong.summary.unwrap_err().contains("Sold"));
    let page = serving.audit(Path::new(DATA), &map(json!({"id": "Store, Dept"}))).unwrap();
    assert!(!page.sentence.is_empty() && !page.html.is_empty() && !page.html.contains("<style"));

    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("sales.csv");
    std::fs::write(&file, "a,b\n1,x\n").unwrap();
    let refused = serving.audit(&file, &Map::new()).unwrap_err();
    assert!(!refused.detail.contains(&home.path().display().to_string()), "{}", refused.detail);
}

#[test]
fn what_unpacks_to_too_much_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let serving = Serving::open(Served { unpacked: 1 << 20, ..Served::default() }).unwrap();
    let zeros = vec![b'0'; 4 << 20];
    let gzip = home.path().join("bomb.csv.gz");
    let mut packed = flate2::write::GzEncoder::new(std::fs::File::create(&gzip).unwrap(), flate2::Compression::best());
    packed.write_all(&zeros).unwrap();
    packed.finish().unwrap();
    let zstd = home.path().join("bomb.csv.zst");
    std::fs::write(&zstd, zstd::encode_all(&zeros[..], 3).unwrap()).unwrap();
    let book = home.path().join("bomb.xlsx");
    let mut archive = ::zip::ZipWriter::new(std::fs::File::create(&book).unwrap());
    archive.start_file("xl/workbook.xml", ::zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(&zeros).unwrap();
    archive.finish().unwrap();
    for file in [&gzip, &zstd, &book] {
        assert_eq!(kind(serving.detect(file, &Map::new())), Kind::TooLarge, "{}", file.display());
        let (_home, finished, ..) =
            done(&serving, &job(JobKind::Forecast, None, json!({})), Some(file), &Nobody::default());
        assert_eq!(kind(finished), Kind::TooLarge, "{}", file.display());
    }
    std::fs::write(&gzip, [0x1f, 0x8b, 8, 0, 1, 2]).unwrap();
    assert_eq!(kind(serving.detect(&gzip, &Map::new())), Kind::BadData);
}

#[test]
fn jobs_forecast_all_series() {
    let (home, weekly, _) = folder();
    let serving = opened(home.path());
    let nobody = Nobody::default();
    let asked = job(JobKind::Forecast, Some("weekly"), json!({"horizon": 5, "levels": [0.9]}));
    let (_home, finished, result, page) = done(&serving, &asked, None, &nobody);
    let finished = finished.unwrap();
    assert_eq!((finished.rows, finished.sentence.as_str()), (35, "7 series forecast 5 weeks ahead (Theta method)."));
    let table = Forecast::open(&result).unwrap();
    let expected = weekly.forecast(5).unwrap();
    assert_eq!(table.mean("theta", FIRST).unwrap(), expected.mean("theta", FIRST).unwrap());
    assert!(page.contains("<svg") && !page.contains("<script"));

    let mut csv = Vec::new();
    serving.convert(&result, Format::Csv, &mut csv).unwrap();
    assert_eq!(String::from_utf8(csv).unwrap(), Table::read(&result).unwrap().to_csv().unwrap());
    let (mut lines, mut book, mut same) = (Vec::new(), Vec::new(), Vec::new());
    serving.convert(&result, Format::Ndjson, &mut lines).unwrap();
    let lines = String::from_utf8(lines).unwrap();
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((lines.lines().count(), &first["Date"]), (35, &json!("2012-11-02")));
    serving.convert(&result, Format::Xlsx, &mut book).unwrap();
    assert!(book.starts_with(b"PK"));
    serving.convert(&result, Format::Parquet, &mut same).unwrap();
    assert_eq!(same, std::fs::read(&result).unwrap());

    let stopped = Nobody { cancelled: AtomicBool::new(true), ..Nobody::default() };
    let (_home, finished, ..) = done(&serving, &asked, None, &stopped);
    assert_eq!(kind(finished), Kind::Cancelled);
}

#[test]
fn what_was_sent_is_read_fitted_and_forecast() {
    let serving = Serving::open(Served::default()).unwrap();
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("upload.csv");
    std::fs::copy(DATA, &file).unwrap();
    let asked = job(JobKind::Forecast, None, json!({"models": "naive; seasonal_naive", "horizon": 4, "folds": 2}));
    let nobody = Nobody::default();
    let (_home, finished, result, page) = done(&serving, &asked, Some(&file), &nobody);
    let finished = finished.unwrap();
    let trial = sales().backtest(["naive", "seasonal_naive"], crate::evaluate::Folds::new(2, 4)).unwrap();
    let best = trial.best("mase").unwrap();
    let forecast = Forecast::open(&result).unwrap();
    assert_eq!((forecast.models().as_slice(), finished.rows), (&[best][..], 28));
    assert!(finished.sentence.contains("the best of 2 methods on 2 folds"), "{}", finished.sentence);
    assert!(page.contains("Methods on past folds") && !page.contains(&home.path().display().to_string()));

    for (plan, kind, word) in [
        (json!({"data": "/etc/passwd"}), Kind::Invalid, "`data`"),
        (json!({"join": "/etc/passwd"}), Kind::Invalid, "`join`"),
        (json!({"models": "nothing"}), Kind::UnusablePlan, "nothing"),
        (json!({"models": "naive", "horizon": 2000}), Kind::UnusablePlan, "1000"),
    ] {
        let (_home, finished, ..) = done(&serving, &job(JobKind::Forecast, None, plan), Some(&file), &nobody);
        let refused = finished.unwrap_err();
        assert!(refused.kind == kind && refused.detail.contains(word), "{}", refused.detail);
    }
}

#[test]
fn what_can_never_be_done_does_not_wait_in_the_queue() {
    let (home, ..) = folder();
    let serving = opened(home.path());
    let check = |job: JobRequest| serving.check(&job).map_err(|fault| fault.kind);
    let with = |upload: &str, job: JobRequest| JobRequest { upload: Some(upload.into()), ..job };
    let policy = || json!({"lead_time": 2, "cycle_service": 0.9});
    assert_eq!(check(job(JobKind::Forecast, Some("weekly"), json!({"horizon": 4, "levels": [0.5]}))), Ok(()));
    assert_eq!(
        check(with("1", job(JobKind::Forecast, None, json!({"models": ["naive", "theta"], "id": "Store"})))),
        Ok(())
    );
    assert_eq!(check(with("1", job(JobKind::Decide, Some("weekly"), policy()))), Ok(()));
    for (asked, wanted) in [
        (job(JobKind::Forecast, Some("monthly"), json!({})), Kind::UnknownModel),
        (job(JobKind::Forecast, Some("weekly"), json!({"data": "/etc/passwd"})), Kind::Invalid),
        (job(JobKind::Forecast, Some("weekly"), json!({"horizon": "four"})), Kind::Invalid),
        (job(JobKind::Forecast, Some("weekly"), json!({"horizon": 2000})), Kind::UnusablePlan),
        (job(JobKind::Forecast, Some("weekly"), json!({"levels": [95, 0.5]})), Kind::UnusablePlan),
        (job(JobKind::Forecast, Some("weekly"), json!({"models": "nothing"})), Kind::UnusablePlan),
        (job(JobKind::Forecast, Some("weekly"), json!({"models": "naive"})), Kind::UnknownMethod),
        (job(JobKind::Forecast, Some("weekly"), json!({"models": "theta; naive"})), Kind::UnusablePlan),
        (with("1", job(JobKind::Forecast, Some("weekly"), json!({}))), Kind::Conflict),
        (with("1", job(JobKind::Forecast, None, json!({"folds": -1}))), Kind::Invalid),
        (job(JobKind::Decide, Some("weekly"), policy()), Kind::Conflict),
        (with("1", job(JobKind::Decide, Some("weekly"), json!({"lead_time": 5000}))), Kind::UnusablePlan),
        (job(JobKind::Retrain, None, json!({})), Kind::Conflict),
    ] {
        let text = serde_json::to_string(&asked).unwrap();
        assert_eq!(check(asked), Err(wanted), "{text}");
    }
}

#[test]
fn jobs_decide_by_a_file_with_the_stock() {
    let (home, ..) = folder();
    let serving = opened(home.path());
    let asked = job(JobKind::Decide, Some("weekly"), json!({"lead_time": 2, "cycle_service": 0.9}));
    let (_home, finished, result, page) = done(&serving, &asked, Some(Path::new("data/stock.csv")), &Nobody::default());
    let finished = finished.unwrap();
    let policy = StockPolicy { lead_time: 2, cycle_service: Some(0.9), ..StockPolicy::default() };
    let theta = sales().fit(["theta"]).unwrap();
    let reach = crate::decide::State::read(Path::new("data/stock.csv"), &sales(), &policy).unwrap().reach();
    let expected = theta.forecast(reach).unwrap().decide_stock("data/stock.csv", &policy).unwrap();
    assert_eq!((finished.sentence, finished.rows), (expected.sentence(), 7));
    let orders = Table::read(&result).unwrap();
    assert_eq!(orders.column("order").unwrap(), expected.table().unwrap().column("order").unwrap());
    assert!(page.contains("Orders") && !page.contains("<script"));
    let (_home, finished, ..) = done(&serving, &asked, None, &Nobody::default());
    assert_eq!(kind(finished), Kind::Conflict);
}

/// A plan whose runs and store are in a folder of their own.
fn plan(home: &Path) -> Plan {
    Plan::read_text(&format!(
        "data = {DATA:?}\nid = [\"Store\", \"Dept\"]\ntime = \"Date\"\ntarget = \"Weekly_Sales\"\nmodels = \"naive; seasonal_naive\"\n\
         folds = 2\nhorizon = 4\nexperiment = \"departments\"\ntrack = {:?}\nstore = {:?}\n",
        home.join("mlruns").display().to_string(),
        home.join("monitor.db").display().to_string()
    ))
    .unwrap()
}

#[test]
fn the_champion_of_a_plan_is_served() {
    let home = tempfile::tempdir().unwrap();
    let serving = Serving::open(Served { plan: Some(plan(home.path())), ..Served::default() }).unwrap();
    assert!(serving.models().is_empty() && Engine::runs(&serving).unwrap().sentence.contains("no champion yet"));
    assert_eq!(kind(Engine::rollback(&serving)), Kind::Conflict);
    let (_home, finished, _, page) = done(&serving, &job(JobKind::Retrain, None, json!({})), None, &Nobody::default());
    let finished = finished.unwrap();
    assert!(finished.sentence.starts_with("Version 1 of departments forecasts."), "{}", finished.sentence);
    assert!(page.contains("first champion"));
    let cards = serving.models();
    assert_eq!((cards[0].name.as_str(), cards[0].version.as_str()), ("departments", "1"));
    let answer = serving.forecast(&ForecastRequest { model: None, ..request("", &[FIRST]) }).unwrap();
    assert_eq!((answer.model.as_deref(), answer.forecasts[0].steps.len()), (Some("departments"), 4));
    assert!(Engine::runs(&serving).unwrap().html.contains("champion"));

    done(&serving, &job(JobKind::Retrain, None, json!({})), None, &Nobody::default()).1.unwrap();
    assert_eq!(serving.models()[0].version, "2");
    assert_eq!(Engine::rollback(&serving).unwrap(), "Version 1 of departments forecasts again.");
    assert_eq!(serving.models()[0].version, "1");
    let (_home, finished, ..) =
        done(&serving, &job(JobKind::Retrain, None, json!({"folds": 3})), None, &Nobody::default());
    assert_eq!(kind(finished), Kind::Conflict);
    let page = serving.dashboard().unwrap();
    assert!(page.contains("<html") && page == serving.dashboard().unwrap());
}

#[test]
fn forecasts_are_kept_and_scored() {
    let home = tempfile::tempdir().unwrap();
    let fits = sales().before("2012-09-01").unwrap().fit(["theta"]).unwrap();
    fits.save(home.path().join("weekly.fits")).unwrap();
    let store = tempfile::tempdir().unwrap();
    let place = store.path().join("monitor.db").display().to_string();
    let served = Served { models: Some(home.path().into()), store: Some(place), ..Served::default() };
    let serving = Serving::open(served).unwrap();
    assert!(serving.monitoring().unwrap().sentence.contains("has met its sales"));
    assert_eq!(serving.gauges().unwrap().actuals_until, None);
    let asked =
        ForecastRequest { issue: Some("september".into()), horizon: Some(8), ..request("weekly", &[FIRST, THIRD]) };
    assert_eq!(serving.forecast(&asked).unwrap().caveat, None);
    assert!(serving.forecast(&asked).unwrap().caveat.unwrap().contains("there already"));

    let actual = |series: &str, date: &str, value: f64| Actual { series: series.into(), date: date.into(), value };
    let rows = [actual(FIRST, "2012-09-07", 17000.0), actual(THIRD, "2012-09-07", 9000.0)];
    let received = serving.receive(&rows).unwrap();
    assert_eq!((received.new, received.revised, received.same), (2, 0, 0));
    assert!(received.sentence.contains("2 scores"), "{}", received.sentence);
    let again = serving.receive(&[actual(FIRST, "2012-09-07", 17500.0), rows[1].clone()]).unwrap();
    assert_eq!((again.new, again.revised, again.same), (0, 1, 1));
    for (wrong, expected) in [
        (actual("Store=9, Dept=9", "2012-09-07", 1.0), Kind::UnknownSeries),
        (actual(FIRST, "2012-09-08", 1.0), Kind::Invalid),
        (actual(FIRST, "soon", 1.0), Kind::Invalid),
        (actual(FIRST, "2012-09-07", f64::NAN), Kind::Invalid),
    ] {
        let refused = serving.receive(&[rows[0].clone(), wrong]).unwrap_err();
        assert!(refused.kind == expected && refused.detail.starts_with("row 2: "), "{}", refused.detail);
    }
    let gauges = serving.gauges().unwrap();
    assert_eq!(gauges.actuals_until.unwrap().to_string(), "2012-09-07 00:00:00 UTC");
    assert!(gauges.mase.iter().any(|(model, window, _)| model == "theta" && *window == 4));
    assert!(gauges.coverage.iter().any(|(_, level, ..)| *level == 0.95), "{:?}", gauges.coverage);
    assert!(serving.monitoring().unwrap().html.contains("theta"));

    assert_eq!(serving.keys(), ["Store", "Dept"]);
    let change = OverrideRequest {
        only: [("Dept".to_string(), "1".to_string())].into(),
        from: "2030-09-14".into(),
        how: "percent".into(),
        amount: 20.0,
        reason: "promotion".into(),
        ..OverrideRequest::default()
    };
    let id = serving.keep(&change, "ann").unwrap();
    let cards = serving.overrides().unwrap();
    assert_eq!((cards[0].id.as_str(), cards[0].author.as_str(), cards[0].state.as_str()), (&*id, "ann", "active"));
    assert!(cards[0].sentence.contains("+20 % for Dept=1 from 2030-09-14 to 2030-09-14"), "{}", cards[0].sentence);
    serving.withdraw(&id).unwrap();
    assert_eq!(serving.overrides().unwrap()[0].state, "withdrawn");
    assert_eq!(kind(serving.withdraw("none")), Kind::NotFound);
    for wrong in [
        OverrideRequest { how: "double".into(), ..change.clone() },
        OverrideRequest { reason: " ".into(), ..change.clone() },
        OverrideRequest { from: "soon".into(), ..change.clone() },
        OverrideRequest { only: [("Shop".to_string(), "1".to_string())].into(), ..change.clone() },
        OverrideRequest { expires: "2001-01-01".into(), ..change },
    ] {
        assert_eq!(kind(serving.keep(&wrong, "ann")), Kind::Invalid);
    }
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(FIRST.to_string()),
        Just("weekly".into()),
        Just("theta".into()),
        Just("2012-11-02".into()),
        Just("IsHoliday".into()),
        "\\PC{0,12}",
    ]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), 0.0..1.0, -1e4..1e4, Just(f64::NAN), Just(f64::INFINITY)]
}

prop_compose! {
    fn requests()(
        model in proptest::option::of(texts()),
        method in proptest::option::of(texts()),
        series in proptest::collection::vec(texts(), 0..4),
        horizon in proptest::option::of(prop_oneof![0_usize..40, any::<usize>()]),
        levels in proptest::option::of(proptest::collection::vec(number(), 0..11)),
        rows in proptest::collection::vec((proptest::option::of(texts()), texts(), texts(), number()), 0..3),
        history in proptest::collection::vec((texts(), proptest::option::of(number())), 0..3),
    ) -> ForecastRequest {
        let row = |(series, date, name, value)| Row { series, date, values: [(name, value)].into() };
        let future = rows.into_iter().map(row).collect();
        let history = history.into_iter().map(|(date, value)| Point { date, value }).collect();
        ForecastRequest { model, method, series, horizon, levels, future, history, issue: None }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_request_panics(
        forecast in requests(),
        fields in proptest::collection::vec((texts(), number()), 0..3),
        stock in proptest::collection::vec((texts(), number(), number()), 0..3),
        lead in proptest::option::of(prop_oneof![Just(json!(2)), any::<i64>().prop_map(|n| json!(n)), texts().prop_map(|t| json!(t))]),
    ) {
        static SERVING: std::sync::OnceLock<(TempDir, Serving)> = std::sync::OnceLock::new();
        let (_, serving) = SERVING.get_or_init(|| {
            let (home, ..) = folder();
            let serving = opened(home.path());
            (home, serving)
        });
        let finite = |answer: &ForecastAnswer| {
            let steps = || answer.forecasts.iter().flat_map(|series| &series.steps);
            steps().all(|step| step.mean.is_finite() && step.quantiles.values().all(|value| value.is_finite()))
        };
        if let Ok(answer) = serving.forecast(&forecast) {
            prop_assert!(finite(&answer));
        }
        let _ = serving.weight(&forecast);
        let mut policy: Map<String, Value> = fields.into_iter().map(|(name, value)| (name, json!(value))).collect();
        policy.extend(lead.map(|lead| ("lead_time".to_string(), lead)));
        policy.insert("cycle_service".into(), json!(0.9));
        let stock: Vec<Stock> =
            stock.into_iter().map(|(series, on_hand, on_order)| Stock { series, on_hand, on_order }).collect();
        let on_hand = stock.first().map(|stock| stock.on_hand);
        let _ = serving.explore(&ExploreRequest { forecast: forecast.clone(), policy: policy.clone(), on_hand, on_order: None });
        let _ = serving.decide(&DecideRequest { forecast, policy, stock });
    }
}
