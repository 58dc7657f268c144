//! What does the server ask of whoever makes the forecasts?
//!
//! The server knows no panel and no model: it speaks HTTP, decides who may do what, keeps jobs. An [`Engine`] answers with plain
//! values, and with HTML of its own for what it shows as it likes.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::fault::Fault;

/// The result of whatever an engine is asked.
pub type Answer<T> = std::result::Result<T, Fault>;

/// What makes forecasts and decisions. Its functions may take long: the server calls them on threads of their own, except
/// [`forecast`](Self::forecast) of a request whose [`weight`](Self::weight) is light.
pub trait Engine: Send + Sync + 'static {
    /// The models that are served, the damaged ones too; from memory.
    fn models(&self) -> Vec<ModelCard>;
    /// The series of a model whose names contain every word of `query`, from place `offset` on.
    fn series(&self, model: &str, query: &str, offset: usize, most: usize) -> Answer<SeriesPage>;
    /// How many values a request asks for: series × steps.
    fn weight(&self, request: &ForecastRequest) -> Answer<usize>;
    /// Forecasts.
    fn forecast(&self, request: &ForecastRequest) -> Answer<ForecastAnswer>;
    /// The forecast of one series beside its history, and the order that follows from it.
    fn explore(&self, request: &ExploreRequest) -> Answer<Explored>;
    /// Orders.
    fn decide(&self, request: &DecideRequest) -> Answer<DecideAnswer>;
    /// What a file holds, as far as one can tell; with columns as they were confirmed, if any.
    fn detect(&self, file: &Path, plan: &Map<String, Value>) -> Answer<Detected>;
    /// What is wrong with a file's data.
    fn audit(&self, file: &Path, plan: &Map<String, Value>) -> Answer<Page>;
    /// The fields of a plan that a request may contain, by what they are for: `read`, `forecast`, `decide`; a JSON schema of an object.
    fn fields(&self, purpose: &str) -> Value;
    /// Can a job be begun? What only its upload can tell is found out when it is done.
    fn check(&self, job: &JobRequest) -> Answer<()>;
    /// Does a job; writes its table to `work.result` and, where there is one, a page to `work.report`.
    fn work(&self, job: &JobRequest, work: &Workplace<'_>, progress: &dyn Progress) -> Answer<Finished>;
    /// Writes the table of a job, a Parquet file, in another format, piece by piece.
    fn convert(&self, table: &Path, format: Format, out: &mut (dyn Write + Send)) -> Answer<()>;
    /// Takes in what was sold.
    fn receive(&self, actuals: &[Actual]) -> Answer<Received>;
    /// What planners have changed.
    fn overrides(&self) -> Answer<Vec<OverrideCard>>;
    /// Keeps a change; its id.
    fn keep(&self, change: &OverrideRequest, author: &str) -> Answer<String>;
    /// Takes a change back.
    fn withdraw(&self, id: &str) -> Answer<()>;
    /// The columns by which series are named, for whoever changes a forecast.
    fn keys(&self) -> Vec<String>;
    /// What has been run, champion and challengers.
    fn runs(&self) -> Answer<Page>;
    /// Brings back the champion that the present one replaced; a sentence.
    fn rollback(&self) -> Answer<String>;
    /// Accuracy, coverage, drift and alerts, to look at.
    fn monitoring(&self) -> Answer<Page>;
    /// The same as numbers.
    fn gauges(&self) -> Answer<Gauges>;
    /// A whole HTML document to explore, with scripts of its own.
    fn dashboard(&self) -> Answer<String>;
    /// Looks for changed models; the server calls it every few seconds.
    fn refresh(&self);
}

/// A piece of HTML that an engine made, with a title and a sentence to put above it.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// What it is about.
    pub title: String,
    /// The answer in one sentence.
    pub sentence: String,
    /// Safe HTML: everything in it that came from data is escaped.
    pub html: String,
}

/// A served model.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct ModelCard {
    /// The name by which requests ask for it.
    #[schema(example = "weekly")]
    pub name: String,
    /// Changes whenever the model does.
    pub version: String,
    /// The methods that were fitted; requests may choose one.
    #[schema(example = json!(["ets(season=52)"]))]
    pub methods: Vec<String>,
    /// Number of series.
    pub series: usize,
    /// The step from one date to the next.
    #[schema(example = "weekly")]
    pub frequency: String,
    /// The horizon that it was fitted for, in steps.
    pub horizon: usize,
    /// The last date of its history.
    pub until: String,
    /// What is forecast.
    pub target: String,
    /// Covariates whose future values a request may give.
    pub known: Vec<String>,
    /// When it was made.
    pub made_at: Option<DateTime<Utc>>,
    /// Why it cannot forecast; absent where it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Some of the series of a model.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct SeriesPage {
    /// How many there are in all that match.
    pub total: usize,
    /// Their names.
    #[schema(example = json!(["Store=1, Dept=1"]))]
    pub series: Vec<String>,
}

/// What to forecast: series of a saved model, or a history that comes with the request.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForecastRequest {
    /// The served model; may be absent where there is only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "weekly", min_length = 1, max_length = 200)]
    pub model: Option<String>,
    /// The method, such as `ets(season=52)`: one of the model's, by default its first; any for a `history`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 1000)]
    pub method: Option<String>,
    /// Names of series, as `GET /v1/models/{model}/series` lists them; by default all of the model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["Store=1, Dept=1"]))]
    pub series: Vec<String>,
    /// Steps ahead; by default what the model was fitted for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "whole")]
    #[schema(example = 8, minimum = 1, maximum = 1000)]
    pub horizon: Option<usize>,
    /// Levels of the prediction intervals, from 0.001 to 0.999; by default 0.8 and 0.95.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Level>>, example = json!([0.8, 0.95]), max_items = 9)]
    pub levels: Option<Vec<f64>>,
    /// Covariates of the coming steps: where a model needs known ones, all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "objects")]
    pub future: Vec<Row>,
    /// A history to fit `method` to, in place of a saved model: dates and values of one series.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "objects")]
    pub history: Vec<Point>,
    /// Keeps the forecast for the monitor, under this name of a run; asks for the role of a planner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200)]
    pub issue: Option<String>,
}

/// The level of an interval.
#[derive(ToSchema)]
#[schema(minimum = 0.001, maximum = 0.999)]
#[allow(dead_code, reason = "it describes a number")]
pub struct Level(f64);

/// Covariates of one date.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The series that it is of; absent: of every series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<String>,
    /// The date, or date and time.
    #[schema(example = "2012-11-02", format = Date)]
    pub date: String,
    /// Values by the names of the covariates.
    #[schema(value_type = BTreeMap<String, f64>)]
    pub values: BTreeMap<String, f64>,
}

/// One value of a history.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// The date, or date and time.
    #[schema(example = "2012-10-26", format = Date)]
    pub date: String,
    /// The value; null where it is not known.
    pub value: Option<f64>,
}

/// Forecasts of one method.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct ForecastAnswer {
    /// The served model; absent for a history of the request's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The method.
    pub method: String,
    /// One for each series.
    pub forecasts: Vec<SeriesForecast>,
    /// Series that could not be forecast, and why.
    pub failures: Vec<SeriesFailure>,
    /// What to know before relying on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caveat: Option<String>,
}

/// The forecast of one series.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct SeriesForecast {
    /// Its name.
    pub series: String,
    /// The steps in order.
    pub steps: Vec<ForecastStep>,
}

/// The forecast of one date.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct ForecastStep {
    /// The date.
    #[schema(example = "2012-11-02")]
    pub date: String,
    /// The expected value.
    pub mean: f64,
    /// Quantiles, named by their probabilities: `q0.1`, `q0.5`, `q0.9`.
    #[schema(example = json!({"q0.1": 15210.4, "q0.5": 18003.2, "q0.9": 20795.9}))]
    pub quantiles: BTreeMap<String, f64>,
}

/// A series without a forecast.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct SeriesFailure {
    /// Its name.
    pub series: String,
    /// Why.
    pub reason: String,
}

/// What the explorer shows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ExploreRequest {
    /// Model, method, one series, horizon, levels and the changed covariates.
    pub forecast: ForecastRequest,
    /// Lead time, review period, costs, as fields of a plan; empty: no order.
    pub policy: Map<String, Value>,
    /// What is there of this series, if an order is asked for.
    pub on_hand: Option<f64>,
    /// What has been ordered.
    pub on_order: Option<f64>,
}

/// One series beside its forecast.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Explored {
    /// The forecast.
    pub answer: ForecastAnswer,
    /// The last values of the history.
    pub history: Vec<(String, Option<f64>)>,
    /// The covariates that may be changed, with their values at each coming step.
    pub covariates: Vec<CovariatePath>,
    /// The figure as HTML: an SVG in `div.plot`, or one in `div.wide` and one in `div.narrow`; without styles of its own.
    pub svg: String,
    /// What the figure shows, in a sentence.
    pub alternative: String,
    /// What to order now, in a sentence; absent without a policy.
    pub order: Option<String>,
    /// How much to order.
    pub quantity: Option<f64>,
}

/// The future of one covariate.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CovariatePath {
    /// Its name.
    pub name: String,
    /// Is it known (promotion, price, holiday) or only seen in the past (weather)?
    pub is_known: bool,
    /// Is it only ever 0 or 1?
    pub is_flag: bool,
    /// Its values, one per step; none where they have to be given.
    pub values: Vec<Option<f64>>,
}

/// What to order.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideRequest {
    /// What the order rests on.
    #[serde(deserialize_with = "object")]
    pub forecast: ForecastRequest,
    /// Lead time, review period, costs, service: the fields of a plan that decide on stock.
    #[schema(value_type = Object, example = json!({"lead_time": 2, "review": 1, "holding": 0.2, "shortage": 1.0}))]
    pub policy: Map<String, Value>,
    /// What is there, by series.
    #[serde(deserialize_with = "objects")]
    #[schema(min_items = 1)]
    pub stock: Vec<Stock>,
}

impl DecideRequest {
    /// What is forecast: where the request names no series, those of the stock.
    pub(crate) fn forecast(&self) -> ForecastRequest {
        let mut forecast = self.forecast.clone();
        if forecast.series.is_empty() && forecast.history.is_empty() {
            forecast.series = self.stock.iter().map(|stock| stock.series.clone()).collect();
        }
        forecast
    }
}

/// The stock of a series.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Stock {
    /// Its name.
    #[schema(example = "Store=1, Dept=1")]
    pub series: String,
    /// Units in stock.
    #[schema(minimum = 0)]
    pub on_hand: f64,
    /// Units ordered that have not arrived.
    #[serde(default)]
    #[schema(minimum = 0)]
    pub on_order: f64,
}

/// Orders, and why.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct DecideAnswer {
    /// The answer in one sentence.
    pub sentence: String,
    /// One row for each item, as `tradewind decide stock --json` gives them.
    #[schema(value_type = Vec<Object>)]
    pub orders: Vec<Map<String, Value>>,
    /// Items without an order, and why.
    #[schema(value_type = Vec<Object>)]
    pub undecided: Vec<Map<String, Value>>,
    /// What to know before relying on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caveat: Option<String>,
    /// The same to look at.
    #[serde(skip)]
    pub html: String,
    /// The orders as CSV.
    #[serde(skip)]
    pub csv: String,
}

/// What a file holds.
#[derive(Clone, Debug, Serialize)]
pub struct Detected {
    /// All columns in order, with what they look like and their first values.
    pub columns: Vec<DetectedColumn>,
    /// What would be read as what: the fields `id`, `time`, `target`, `known`, `observed`, `fixed` of a plan.
    pub plan: Map<String, Value>,
    /// Format, delimiter, decimal sign, encoding, frequency, in words.
    pub notes: Vec<String>,
    /// Series, dates, frequency once the columns are settled; else why they cannot be read so.
    pub summary: std::result::Result<String, String>,
}

/// A column of a file.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DetectedColumn {
    /// Its name.
    pub name: String,
    /// `date`, `number`, `text`, `yes or no`.
    pub kind: String,
    /// The first values as they are written.
    pub sample: Vec<String>,
}

/// The kinds of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// Forecasts all series of a model, or of an upload: with several methods the best on past folds is chosen.
    Forecast,
    /// Decides what to order of all items.
    Decide,
    /// Fits anew, lets the best challenge the champion, promotes or keeps.
    Retrain,
}

/// Work that takes longer than a request may.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobRequest {
    /// What is to be done.
    pub kind: JobKind,
    /// A served model; or
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "weekly", min_length = 1, max_length = 200)]
    pub model: Option<String>,
    /// an upload, by the id that it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[0-9a-f]{32}$")]
    pub upload: Option<String>,
    /// Fields of a plan: how an upload is read, methods, horizon, folds, what decides on stock.
    #[serde(default)]
    #[schema(value_type = Object, example = json!({"horizon": 8}))]
    pub plan: Map<String, Value>,
}

/// Where a job works.
pub struct Workplace<'a> {
    /// A folder of its own, empty when it begins, removed when it ends.
    pub folder: &'a Path,
    /// The upload, if the request names one.
    pub upload: Option<&'a Path>,
    /// The table that it makes: Parquet.
    pub result: &'a Path,
    /// The page that it may make: HTML, whole, without scripts.
    pub report: &'a Path,
    /// Who asked for it.
    pub owner: &'a str,
}

/// How far a job is, and whether it is to stop.
pub trait Progress: Send + Sync {
    /// So many steps of so many are done.
    fn tell(&self, done: u64, of: u64, what: &str);
    /// Is it to stop? The engine looks often, or registers with [`when_cancelled`](Self::when_cancelled).
    fn is_cancelled(&self) -> bool;
    /// Calls this once when it is to stop.
    fn when_cancelled(&self, then: Box<dyn FnOnce() + Send>);
}

/// What a job came to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Finished {
    /// In one sentence.
    pub sentence: String,
    /// Rows of its table.
    pub rows: u64,
}

/// How a table is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Apache Parquet.
    #[default]
    Parquet,
    /// Comma-separated values, UTF-8.
    Csv,
    /// One JSON object per line.
    Ndjson,
    /// An Excel workbook.
    Xlsx,
}

/// What was sold of a series on a date.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Actual {
    /// The series' name.
    #[schema(example = "Store=1, Dept=1")]
    pub series: String,
    /// The date, or date and time.
    #[schema(example = "2012-11-02", format = Date)]
    pub date: String,
    /// Units or money, as it was forecast.
    #[schema(example = 17950.1)]
    pub value: f64,
}

/// What came of actuals.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Received {
    /// Values that were not known.
    pub new: usize,
    /// Values that differ from what was known.
    pub revised: usize,
    /// Values that were known.
    pub same: usize,
    /// In one sentence, alerts that began or ended with them.
    pub sentence: String,
}

/// A planner's change as it is kept.
#[derive(Clone, Debug, Default, Serialize)]
pub struct OverrideCard {
    /// Its id.
    pub id: String,
    /// What it does, in a sentence.
    pub sentence: String,
    /// Who.
    pub author: String,
    /// Why.
    pub reason: String,
    /// When, as text.
    pub made: String,
    /// `active`, `withdrawn`, `expired`.
    pub state: String,
}

/// A planner's change.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OverrideRequest {
    /// Values of key columns that series must have; empty: all series.
    pub only: BTreeMap<String, String>,
    /// First date; empty: from the first step on.
    pub from: String,
    /// Last date.
    pub to: String,
    /// `set`, `add` or `percent`.
    pub how: String,
    /// By or to how much.
    pub amount: f64,
    /// Why.
    pub reason: String,
    /// The day from which on it no longer counts; empty: never.
    pub expires: String,
}

/// Serde reads a list as a struct as well, field by field; what is described as an object has to be one.
pub(crate) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<T, D::Error> {
    let map = Map::<String, Value>::deserialize(from)?;
    serde_json::from_value(Value::Object(map)).map_err(D::Error::custom)
}

/// The same of a list of objects.
pub(crate) fn objects<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Vec<T>, D::Error> {
    let maps = Vec::<Map<String, Value>>::deserialize(from)?;
    let read = |map| serde_json::from_value(Value::Object(map)).map_err(D::Error::custom);
    maps.into_iter().map(read).collect()
}

/// A whole number, which JSON may write as `8.0`.
fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<Option<usize>, D::Error> {
    match Option::<f64>::deserialize(from)? {
        None => Ok(None),
        // Above this, floats are no longer exact; no horizon is so long.
        Some(number) if number.fract() == 0.0 && (0.0..=9e15).contains(&number) => Ok(Some(number as usize)),
        Some(number) => Err(D::Error::custom(format!("{number} is no whole number of steps"))),
    }
}

/// Numbers for Prometheus.
#[derive(Clone, Debug, Default)]
pub struct Gauges {
    /// The last date of which actuals are known.
    pub actuals_until: Option<DateTime<Utc>>,
    /// Mean absolute scaled error, by model and window in periods.
    pub mase: Vec<(String, usize, f64)>,
    /// Share of actuals within the interval, by model, level and window.
    pub coverage: Vec<(String, f64, usize, f64)>,
    /// How far a column of the data has drifted: its population stability index, and whether that matters: 0 no, 1 a little, 2 it does.
    pub drift: Vec<(String, f64, u8)>,
    /// Alerts that go on, by rule and severity.
    pub alerts: Vec<(String, String, usize)>,
}
