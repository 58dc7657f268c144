//! An engine that invents everything, always the same: for tests and for looking at pages.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde_json::{Map, Value, json};
use tradewind_serve::engine::*;
use tradewind_serve::{Fault, Kind};

/// A name that breaks whatever does not escape.
pub const HOSTILE: &str = r#"<b>"'&</b><script>alert(1)</script>"#;

/// Milliseconds that a step of a job takes.
const STEP: u64 = 20;

/// Three models: `weekly` with 2,000 series, `daily` with 40 (one of them with a hostile name) and `spoilt`, which is damaged.
pub struct Fake {
    /// How often a forecast was made.
    pub forecasts: AtomicUsize,
    /// How often models were looked for.
    pub refreshes: AtomicUsize,
    /// Jobs that saw that they were to stop.
    pub cancelled: AtomicUsize,
    /// How long a forecast takes.
    pub delay: Duration,
    /// Without models, changes, runs and alerts: how a fresh server looks.
    pub is_empty: bool,
    /// Every question about the store is refused.
    pub is_down: AtomicBool,
    overrides: Mutex<Vec<OverrideCard>>,
    actuals: Mutex<BTreeMap<(String, String), f64>>,
}

impl Default for Fake {
    fn default() -> Self {
        let card = |id: &str, sentence: &str, reason: &str, state: &str| OverrideCard {
            id: id.into(),
            sentence: sentence.into(),
            author: "Ann".into(),
            reason: reason.into(),
            made: "2012-10-20 09:14".into(),
            state: state.into(),
        };
        Self {
            forecasts: AtomicUsize::new(0),
            refreshes: AtomicUsize::new(0),
            cancelled: AtomicUsize::new(0),
            delay: Duration::ZERO,
            is_empty: false,
            is_down: AtomicBool::new(false),
            overrides: Mutex::new(vec![
                card(
                    "0f3a",
                    "Store=1, Dept=1: 20 % more from 2012-11-02 to 2012-11-09",
                    "Opening of the new car park",
                    "active",
                ),
                card("0f3b", &format!("Store={HOSTILE}: set to 300,000 on 2012-11-16"), HOSTILE, "expired"),
            ]),
            actuals: Mutex::new(BTreeMap::new()),
        }
    }
}

impl Fake {
    /// A server on its first day.
    pub fn empty() -> Self {
        Self { is_empty: true, overrides: Mutex::new(Vec::new()), ..Self::default() }
    }

    fn up(&self) -> Answer<()> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(Fault::new(Kind::Unavailable, "the store cannot be reached: connection refused"));
        }
        Ok(())
    }

    fn card(&self, name: Option<&str>) -> Answer<ModelCard> {
        let models = self.models();
        let card = match name {
            Some(name) => models.into_iter().find(|card| card.name == name),
            None if models.is_empty() => None,
            None if models.len() == 1 => models.into_iter().next(),
            None => {
                return Err(Fault::new(
                    Kind::Invalid,
                    "there are several models: name one of weekly, daily as `model`",
                ));
            }
        };
        let card = card.ok_or_else(|| {
            Fault::new(Kind::UnknownModel, format!("no model `{}`: there are weekly, daily", name.unwrap_or_default()))
        })?;
        match &card.problem {
            Some(problem) => Err(Fault::new(Kind::DamagedModel, problem.clone())),
            None => Ok(card),
        }
    }

    /// The series of a request and the first date that it forecasts.
    fn asked(&self, request: &ForecastRequest) -> Answer<(Option<ModelCard>, Vec<String>, usize)> {
        if let Some(last) = request.history.last() {
            NaiveDate::parse_from_str(&last.date, "%Y-%m-%d")
                .map_err(|_| Fault::new(Kind::Invalid, format!("history: `{}` is no date", last.date)))?;
            return Ok((None, vec![String::new()], request.horizon.unwrap_or(8)));
        }
        let card = self.card(request.model.as_deref())?;
        if let Some(method) = &request.method
            && !card.methods.contains(method)
        {
            return Err(Fault::new(
                Kind::UnknownMethod,
                format!("no method `{method}`: there are {}", card.methods.join("; ")),
            ));
        }
        let names = names(&card.name);
        for series in &request.series {
            if !names.contains(series) {
                return Err(Fault::new(Kind::UnknownSeries, format!("no series `{series}` in {}", card.name)));
            }
        }
        let series = if request.series.is_empty() { names } else { request.series.clone() };
        let horizon = request.horizon.unwrap_or(card.horizon);
        Ok((Some(card), series, horizon))
    }
}

/// The series of a model.
pub fn names(model: &str) -> Vec<String> {
    match model {
        "weekly" => (0..2000).map(|place| format!("Store={}, Dept={}", place / 40 + 1, place % 40 + 1)).collect(),
        "daily" => {
            let mut names: Vec<String> = (1..40).map(|place| format!("Item={place}")).collect();
            names.push(format!("Item={HOSTILE}"));
            names
        }
        _ => Vec::new(),
    }
}

fn until(model: &str) -> NaiveDate {
    let date = if model == "daily" { (2012, 10, 28) } else { (2012, 10, 26) };
    NaiveDate::from_ymd_opt(date.0, date.1, date.2).unwrap_or_default()
}

fn days(model: &str) -> u64 {
    if model == "daily" { 1 } else { 7 }
}

/// The usual sales of a series.
fn level(series: &str) -> f64 {
    let sum: u32 = series.bytes().map(u32::from).sum();
    8_000.0 + f64::from(sum % 97) * 311.7
}

fn season(step: f64) -> f64 {
    1.0 + 0.18 * (step * 0.55).sin() + 0.07 * (step * 1.3).cos()
}

/// What the values of the covariates make of the sales of a step.
fn effect(values: &BTreeMap<String, f64>) -> f64 {
    let of = |name: &str, usual: f64| values.get(name).copied().unwrap_or(usual);
    (1.0 + 0.22 * of("Promotion", 0.0))
        * (1.0 - 0.04 * (of("Price", 9.99) - 9.99))
        * (1.0 + 0.002 * (of("Temperature", 14.0) - 14.0))
}

fn step_of(
    series: &str,
    date: NaiveDate,
    ahead: usize,
    values: &BTreeMap<String, f64>,
    levels: &[f64],
) -> ForecastStep {
    let mean = level(series) * season(ahead as f64) * effect(values);
    let sd = mean * 0.06 * (1.0 + 0.1 * ahead as f64);
    let mut quantiles = BTreeMap::from([("q0.5".to_string(), mean)]);
    for level in levels {
        // A distribution that is uniform as far as anyone here cares.
        let (low, high) = ((1.0 - level) / 2.0, (1.0 + level) / 2.0);
        quantiles.insert(format!("q{}", (low * 1e6).round() / 1e6), mean - sd * 2.4 * level);
        quantiles.insert(format!("q{}", (high * 1e6).round() / 1e6), mean + sd * 2.4 * level);
    }
    ForecastStep { date: date.to_string(), mean, quantiles }
}

impl Engine for Fake {
    fn models(&self) -> Vec<ModelCard> {
        if self.is_empty {
            return Vec::new();
        }
        let card = |name: &str, series: usize, frequency: &str, horizon: usize, methods: &[&str]| ModelCard {
            name: name.into(),
            version: format!("{name}-1a2b3c"),
            methods: methods.iter().map(|method| (*method).to_string()).collect(),
            series,
            frequency: frequency.into(),
            horizon,
            until: until(name).to_string(),
            target: "Weekly_Sales".into(),
            known: vec!["Promotion".into(), "Price".into()],
            made_at: DateTime::<Utc>::from_timestamp(1_351_500_000, 0),
            problem: None,
        };
        vec![
            card("weekly", 2000, "weekly", 8, &["ets(season=52)", "theta", "seasonal_naive(season=52)"]),
            card("daily", 40, "daily", 28, &["boost", "ets(season=7)"]),
            ModelCard {
                name: "spoilt".into(),
                problem: Some("the file spoilt.tw is damaged: its checksum differs; save the model again".into()),
                ..ModelCard::default()
            },
        ]
    }

    fn series(&self, model: &str, query: &str, offset: usize, most: usize) -> Answer<SeriesPage> {
        let card = self.card(Some(model))?;
        let words: Vec<String> = query.to_lowercase().split_whitespace().map(str::to_string).collect();
        let found: Vec<String> = names(&card.name)
            .into_iter()
            .filter(|name| {
                let name = name.to_lowercase();
                words.iter().all(|word| name.contains(word.as_str()))
            })
            .collect();
        Ok(SeriesPage { total: found.len(), series: found.into_iter().skip(offset).take(most).collect() })
    }

    fn weight(&self, request: &ForecastRequest) -> Answer<usize> {
        let (_, series, horizon) = self.asked(request)?;
        Ok(series.len() * horizon)
    }

    fn forecast(&self, request: &ForecastRequest) -> Answer<ForecastAnswer> {
        self.forecasts.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(self.delay);
        let (card, series, horizon) = self.asked(request)?;
        let model = card.as_ref().map_or("weekly", |card| card.name.as_str());
        let start = match request.history.last() {
            Some(last) => NaiveDate::parse_from_str(&last.date, "%Y-%m-%d").unwrap_or_default(),
            None => until(model),
        };
        let usual = [0.8, 0.95];
        let levels = request.levels.as_deref().unwrap_or(&usual);
        let forecasts = series
            .iter()
            .map(|name| SeriesForecast {
                series: name.clone(),
                steps: (1..=horizon)
                    .map(|ahead| {
                        let date = start + Days::new(days(model) * ahead as u64);
                        let given = request.future.iter().filter(|row| {
                            row.date == date.to_string() && row.series.as_ref().is_none_or(|of| of == name)
                        });
                        let values = given.flat_map(|row| row.values.clone()).collect();
                        step_of(name, date, ahead, &values, levels)
                    })
                    .collect(),
            })
            .collect();
        Ok(ForecastAnswer {
            model: card.as_ref().map(|card| card.name.clone()),
            version: card.as_ref().map(|card| card.version.clone()),
            method: request
                .method
                .clone()
                .or_else(|| card.as_ref().and_then(|card| card.methods.first().cloned()))
                .unwrap_or_else(|| "ets".into()),
            forecasts,
            failures: Vec::new(),
            caveat: (model == "daily").then(|| "The history of this model is 40 days old.".into()),
        })
    }

    fn explore(&self, request: &ExploreRequest) -> Answer<Explored> {
        let answer = self.forecast(&request.forecast)?;
        let Some(of) = answer.forecasts.first() else {
            return Err(Fault::new(Kind::Invalid, "name one series to explore"));
        };
        let model = answer.model.clone().unwrap_or_default();
        let history: Vec<(String, Option<f64>)> = (0..60_i32)
            .map(|back| {
                let place = 59 - back;
                let date = until(&model) - Days::new(days(&model) * place as u64);
                let value = level(&of.series)
                    * season(-f64::from(place))
                    * (1.0 + 0.03 * f64::from(place * 7919 % 13 - 6) / 6.0);
                (date.to_string(), (place != 31).then_some(value))
            })
            .collect();
        let value = |step: &ForecastStep, name: &str| {
            request
                .forecast
                .future
                .iter()
                .filter(|row| row.date == step.date)
                .find_map(|row| row.values.get(name).copied())
        };
        let path = |name: &str, is_known: bool, is_flag: bool, usual: f64| CovariatePath {
            name: name.into(),
            is_known,
            is_flag,
            values: of.steps.iter().map(|step| Some(value(step, name).unwrap_or(usual))).collect(),
        };
        let covariates = vec![
            path("Promotion", true, true, 0.0),
            path("Price", true, false, 9.99),
            path("Temperature", false, false, 14.0),
        ];
        let total: f64 = of.steps.iter().take(3).map(|step| step.mean).sum();
        let (order, quantity) = if request.policy.is_empty() {
            (None, None)
        } else {
            let quantity =
                (total * 1.1 - request.on_hand.unwrap_or(0.0) - request.on_order.unwrap_or(0.0)).max(0.0).round();
            let text = if quantity > 0.0 {
                format!(
                    "Order {} units now: they arrive in 2 steps and last until the next order.",
                    thousands(quantity)
                )
            } else {
                "Order nothing now: what is there lasts until the next order arrives.".into()
            };
            (Some(text), Some(quantity))
        };
        let alternative = format!(
            "Sales of {} over the last {} dates and the forecast of the next {}: {} on average.",
            of.series,
            history.len(),
            of.steps.len(),
            thousands(of.steps.iter().map(|step| step.mean).sum::<f64>() / of.steps.len().max(1) as f64)
        );
        let svg = format!("<div class=\"plot\">{}</div>", drawing(&history, &of.steps, &alternative));
        Ok(Explored { answer, history, covariates, svg, alternative, order, quantity })
    }

    fn decide(&self, request: &DecideRequest) -> Answer<DecideAnswer> {
        if request.stock.is_empty() {
            return Err(Fault::new(Kind::Invalid, "stock: name at least one series with what is on hand"));
        }
        let (Some(card), _, _) = self.asked(&request.forecast)? else {
            return Err(Fault::new(Kind::Invalid, "an order needs a served model"));
        };
        let known = names(&card.name);
        let (mut orders, mut undecided) = (Vec::new(), Vec::new());
        for item in &request.stock {
            let mut row = Map::new();
            row.insert("series".into(), json!(item.series));
            if known.contains(&item.series) {
                let position = item.on_hand + item.on_order;
                let mean = level(&item.series) * 3.0;
                let order = (mean * 1.1 - position).max(0.0).round();
                row.insert("order".into(), json!(order));
                row.insert("position".into(), json!(position));
                row.insert("mean".into(), json!(mean + 0.123_456_789_012));
                row.insert("p_out".into(), json!(0.047_619_047_619));
                row.insert("reason".into(), json!("expected demand until the next order arrives, and 10 % on top"));
                orders.push(row);
            } else {
                row.insert("reason".into(), json!("the history has no such series"));
                undecided.push(row);
            }
        }
        let total: f64 = orders.iter().filter_map(|row| row["order"].as_f64()).sum();
        Ok(DecideAnswer {
            sentence: format!(
                "Order {} units of {} items; {} without an order.",
                thousands(total),
                orders.len(),
                undecided.len()
            ),
            csv: format!("series,order\n{}", orders.len()),
            orders,
            undecided,
            ..DecideAnswer::default()
        })
    }

    fn detect(&self, file: &Path, plan: &Map<String, Value>) -> Answer<Detected> {
        let text = std::fs::read(file).map_err(|cause| Fault::new(Kind::Internal, cause.to_string()))?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let mut lines = text.lines();
        let header = lines.next().unwrap_or_default();
        if header.is_empty() {
            return Err(Fault::new(Kind::BadData, "the file is empty"));
        }
        let rows: Vec<Vec<String>> = lines.take(3).map(|line| line.split(',').map(str::to_string).collect()).collect();
        let columns: Vec<DetectedColumn> = header
            .split(',')
            .enumerate()
            .map(|(place, name)| {
                let sample: Vec<String> = rows.iter().filter_map(|row| row.get(place).cloned()).collect();
                let first = sample.first().cloned().unwrap_or_default();
                let kind = if first.parse::<f64>().is_ok() {
                    "number"
                } else if NaiveDate::parse_from_str(&first, "%Y-%m-%d").is_ok() {
                    "date"
                } else if ["true", "false", "TRUE", "FALSE"].contains(&first.as_str()) {
                    "yes or no"
                } else {
                    "text"
                };
                DetectedColumn { name: name.into(), kind: kind.into(), sample }
            })
            .collect();
        let mut guess = plan.clone();
        if guess.is_empty() {
            let first =
                |kind: &str| columns.iter().find(|column| column.kind == kind).map(|column| column.name.clone());
            guess.insert("time".into(), json!(first("date")));
            guess.insert(
                "target".into(),
                json!(columns.iter().rev().find(|c| c.kind == "number").map(|c| c.name.clone())),
            );
            let keys: Vec<String> =
                columns.iter().take(2).filter(|c| c.kind != "date").map(|c| c.name.clone()).collect();
            guess.insert("id".into(), json!(keys));
        }
        let is_set =
            |name: &str| guess.get(name).is_some_and(|value| value.as_str().is_some_and(|text| !text.is_empty()));
        let summary = if is_set("time") && is_set("target") {
            Ok("3,331 series, weekly from 2010-02-05 to 2012-10-26, 143 dates; 20 % of them are incomplete.".into())
        } else {
            Err("no column holds dates, or none holds what was sold: choose them below".into())
        };
        let notes = vec![
            "CSV, separated by commas, decimal point, UTF-8".into(),
            format!("{} columns, {} rows", columns.len(), thousands(text.lines().count() as f64 - 1.0)),
        ];
        Ok(Detected { columns, plan: guess, notes, summary })
    }

    fn audit(&self, _file: &Path, _plan: &Map<String, Value>) -> Answer<Page> {
        Ok(Page {
            title: "Data quality".into(),
            sentence: "2 things deserve attention: 12 negative values and 3 gaps.".into(),
            html: table(
                "What was found",
                &["what", "rows", "example"],
                &[&["negative sales", "12", "Store=1, Dept=6"], &["gap", "3", "Store=2, Dept=99"]],
            ),
        })
    }

    fn fields(&self, purpose: &str) -> Value {
        let fields = match purpose {
            "read" => {
                json!({"id": {"type": "array", "items": {"type": "string"}}, "time": {"type": "string"}, "target": {"type": "string"}})
            }
            "decide" => {
                json!({"lead_time": {"type": "string"}, "review": {"type": "integer"}, "holding": {"type": "number"}, "shortage": {"type": "number"}})
            }
            _ => {
                json!({"horizon": {"type": "integer"}, "models": {"type": "array", "items": {"type": "string"}}, "steps": {"type": "integer"}, "fail": {"type": "string"}, "panic": {"type": "boolean"}})
            }
        };
        json!({"type": "object", "properties": fields, "additionalProperties": false})
    }

    fn check(&self, job: &JobRequest) -> Answer<()> {
        match &job.model {
            Some(name) if !self.models().iter().any(|model| model.name == *name) => {
                Err(Fault::new(Kind::UnknownModel, format!("no model is called `{name}`")))
            }
            _ => Ok(()),
        }
    }

    /// Takes `plan.steps` steps, 20 by default; with `plan.fail` it is refused at the last, with `plan.panic` it panics there.
    fn work(&self, job: &JobRequest, work: &Workplace<'_>, progress: &dyn Progress) -> Answer<Finished> {
        let steps = job.plan.get("steps").and_then(Value::as_u64).unwrap_or(20);
        for step in 0..steps {
            if progress.is_cancelled() {
                self.cancelled.fetch_add(1, Ordering::Relaxed);
                return Err(Fault::new(Kind::Cancelled, format!("stopped after {step} of {steps} steps")));
            }
            progress.tell(step, steps, if step * 2 < steps { "fitting models" } else { "forecasting" });
            std::thread::sleep(Duration::from_millis(STEP));
        }
        if let Some(reason) = job.plan.get("fail").and_then(Value::as_str) {
            return Err(Fault::new(Kind::BadData, reason));
        }
        assert!(job.plan.get("panic").and_then(Value::as_bool) != Some(true), "as it was asked");
        progress.tell(steps, steps, "done");
        let internal = |cause: std::io::Error| Fault::new(Kind::Internal, cause.to_string());
        let mut out = std::fs::File::create(work.result).map_err(internal)?;
        let names = names(job.model.as_deref().unwrap_or("daily"));
        for name in &names {
            writeln!(out, "{}", json!({"series": name, "mean": level(name)})).map_err(internal)?;
        }
        std::fs::write(
            work.report,
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Report</title></head><body><h1>Report</h1><p>All went well.</p></body></html>",
        )
        .map_err(internal)?;
        Ok(Finished {
            sentence: format!(
                "The next 8 steps of {} series were forecast with ets, the best on past folds.",
                names.len()
            ),
            rows: names.len() as u64,
        })
    }

    fn convert(&self, table: &Path, format: Format, out: &mut (dyn Write + Send)) -> Answer<()> {
        let internal = |cause: std::io::Error| Fault::new(Kind::Internal, cause.to_string());
        let text = std::fs::read_to_string(table).map_err(internal)?;
        match format {
            Format::Csv => {
                writeln!(out, "series,mean").map_err(internal)?;
                for line in text.lines() {
                    let row: Value =
                        serde_json::from_str(line).map_err(|cause| Fault::new(Kind::Internal, cause.to_string()))?;
                    let series = row["series"].as_str().unwrap_or_default().replace('"', "\"\"");
                    writeln!(out, "\"{series}\",{}", row["mean"]).map_err(internal)?;
                }
            }
            Format::Parquet | Format::Ndjson | Format::Xlsx => {
                for line in text.lines() {
                    writeln!(out, "{line}").map_err(internal)?;
                }
            }
        }
        Ok(())
    }

    fn receive(&self, actuals: &[Actual]) -> Answer<Received> {
        self.up()?;
        let mut received = Received::default();
        let mut known = self.actuals.lock().map_err(|_| Fault::new(Kind::Internal, "poisoned"))?;
        for actual in actuals {
            match known.insert((actual.series.clone(), actual.date.clone()), actual.value) {
                None => received.new += 1,
                Some(before) if before == actual.value => received.same += 1,
                Some(_) => received.revised += 1,
            }
        }
        received.sentence = format!("{} new, {} revised, {} known.", received.new, received.revised, received.same);
        Ok(received)
    }

    fn overrides(&self) -> Answer<Vec<OverrideCard>> {
        self.up()?;
        Ok(self.overrides.lock().map_err(|_| Fault::new(Kind::Internal, "poisoned"))?.clone())
    }

    fn keep(&self, change: &OverrideRequest, author: &str) -> Answer<String> {
        self.up()?;
        if change.reason.trim().is_empty() {
            return Err(Fault::new(Kind::Invalid, "reason: say why, others will want to know"));
        }
        let mut overrides = self.overrides.lock().map_err(|_| Fault::new(Kind::Internal, "poisoned"))?;
        let id = format!("{:04x}", 0x1000 + overrides.len());
        let mut sentence =
            change.only.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ");
        if sentence.is_empty() {
            sentence = "All series".into();
        }
        let _ = write!(sentence, ": {} {} from {} to {}", change.how, change.amount, change.from, change.to);
        overrides.push(OverrideCard {
            id: id.clone(),
            sentence,
            author: author.into(),
            reason: change.reason.clone(),
            made: "2012-10-27 08:00".into(),
            state: "active".into(),
        });
        Ok(id)
    }

    fn withdraw(&self, id: &str) -> Answer<()> {
        self.up()?;
        let mut overrides = self.overrides.lock().map_err(|_| Fault::new(Kind::Internal, "poisoned"))?;
        let card = overrides.iter_mut().find(|card| card.id == id);
        card.ok_or_else(|| Fault::new(Kind::NotFound, format!("no override `{id}`")))?.state = "withdrawn".into();
        Ok(())
    }

    fn keys(&self) -> Vec<String> {
        vec!["Store".into(), "Dept".into()]
    }

    fn runs(&self) -> Answer<Page> {
        self.up()?;
        if self.is_empty {
            return Ok(Page::default());
        }
        Ok(Page {
            title: "Champion and challengers".into(),
            sentence: "ets(season=52) is the champion since 2012-10-20: its error is 4 % less than that of theta."
                .into(),
            html: table(
                "Runs",
                &["run", "model", "error", "state"],
                &[
                    &["2012-10-20", "ets(season=52)", "0.812", "champion"],
                    &["2012-10-13", HOSTILE, "0.845", "challenger"],
                ],
            ),
        })
    }

    fn rollback(&self) -> Answer<String> {
        self.up()?;
        if self.is_empty {
            return Err(Fault::new(Kind::Conflict, "there is no earlier champion to bring back"));
        }
        Ok("theta of 2012-10-13 is the champion again.".into())
    }

    fn monitoring(&self) -> Answer<Page> {
        self.up()?;
        if self.is_empty {
            return Ok(Page::default());
        }
        Ok(Page {
            title: "Monitoring".into(),
            sentence: "1 alert: the forecasts of Store=7 have been 12 % too low for 4 weeks.".into(),
            html: format!(
                "<h2>Accuracy</h2><p>Sales of the last 8 dates against what was forecast.</p><figure><div class=\"plot\">{}</div></figure>{}<aside class=\"note\" role=\"note\"><p>Sales of 2 stores are missing since 2012-10-12.</p></aside>",
                drawing(
                    &[("2012-10-19".into(), Some(9_000.0)), ("2012-10-26".into(), Some(9_500.0))],
                    &(1..9)
                        .map(|ahead| step_of(
                            "a",
                            until("weekly") + Days::new(7 * ahead as u64),
                            ahead,
                            &BTreeMap::new(),
                            &[0.8]
                        ))
                        .collect::<Vec<_>>(),
                    "Errors of the last weeks"
                ),
                table(
                    "Worst series",
                    &["series", "sold", "forecast", "error"],
                    &[&["Store=7, Dept=92", "182,411", "160,020", "−12.3 %"], &[HOSTILE, "1,204", "1,180", "−2.0 %"]]
                )
            ),
        })
    }

    fn gauges(&self) -> Answer<Gauges> {
        self.up()?;
        Ok(Gauges {
            actuals_until: DateTime::<Utc>::from_timestamp(1_351_209_600, 0),
            mase: vec![("ets(season=52)".into(), 8, 0.91)],
            coverage: vec![("ets(season=52)".into(), 0.8, 8, 0.77)],
            drift: vec![("Temperature".into(), 0.04, 0)],
            alerts: if self.is_empty { Vec::new() } else { vec![("bias".into(), "warning".into(), 1)] },
        })
    }

    fn dashboard(&self) -> Answer<String> {
        self.up()?;
        Ok("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Dashboard</title></head><body><h1>Dashboard</h1><p id=\"x\">Without scripts.</p><script>document.getElementById('x').textContent='With scripts.'</script></body></html>".into())
    }

    fn refresh(&self) {
        self.refreshes.fetch_add(1, Ordering::Relaxed);
    }
}

/// A whole number with commas.
fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("−{text}") } else { text }
}

/// Text within HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A table as the reports of the real engine write it.
fn table(title: &str, header: &[&str], rows: &[&[&str]]) -> String {
    let mut out = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{0}\"><table><caption dir=\"auto\">{0}</caption><thead><tr>",
        escaped(title)
    );
    for name in header {
        let _ = write!(out, "<th scope=\"col\" dir=\"auto\">{}</th>", escaped(name));
    }
    out.push_str("</tr></thead><tbody>");
    for (place, row) in rows.iter().enumerate() {
        out.push_str(if place == 0 { "<tr class=\"best\">" } else { "<tr>" });
        for cell in *row {
            let _ = write!(out, "<td dir=\"auto\">{}</td>", escaped(cell));
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>");
    out
}

/// History and forecast, on white, with a size in CSS pixels, as the figures of the real engine are.
fn drawing(history: &[(String, Option<f64>)], steps: &[ForecastStep], alternative: &str) -> String {
    let (wide, high) = (820.0, 330.0);
    let count = (history.len() + steps.len()).max(2) as f64 - 1.0;
    let top = history
        .iter()
        .filter_map(|(_, value)| *value)
        .chain(steps.iter().map(|step| step.mean * 1.3))
        .fold(1.0, f64::max);
    let at = |place: usize, value: f64| {
        (60.0 + (wide - 80.0) * place as f64 / count, high - 40.0 - (high - 60.0) * value / top)
    };
    let mut lines = String::new();
    let mut path = String::new();
    for (place, (_, value)) in history.iter().enumerate() {
        if let Some(value) = value {
            let (x, y) = at(place, *value);
            let _ = write!(path, "{x:.1},{y:.1} ");
        }
    }
    let _ = write!(lines, "<polyline fill=\"none\" stroke=\"#20242A\" stroke-width=\"1.5\" points=\"{path}\"/>");
    let (mut mean, mut upper, mut lower) = (String::new(), String::new(), Vec::new());
    for (place, step) in steps.iter().enumerate() {
        let place = history.len() + place;
        let (x, y) = at(place, step.mean);
        let _ = write!(mean, "{x:.1},{y:.1} ");
        let high = step.quantiles.values().copied().fold(step.mean, f64::max);
        let low = step.quantiles.values().copied().fold(step.mean, f64::min);
        let _ = write!(upper, "{x:.1},{:.1} ", at(place, high).1);
        lower.push(format!("{x:.1},{:.1}", at(place, low).1));
    }
    lower.reverse();
    let _ = write!(lines, "<polygon fill=\"#0072B2\" opacity=\"0.2\" points=\"{upper}{}\"/>", lower.join(" "));
    let _ = write!(lines, "<polyline fill=\"none\" stroke=\"#0072B2\" stroke-width=\"2\" points=\"{mean}\"/>");
    let first = history.first().map_or("", |(date, _)| date.as_str());
    let last = steps.last().map_or("", |step| step.date.as_str());
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide}\" height=\"{high}\" viewBox=\"0 0 {wide} {high}\" role=\"img\" aria-label=\"{0}\">\n<title>{0}</title><rect width=\"{wide}\" height=\"{high}\" fill=\"#FFFFFF\"/>{lines}<g font-family=\"'Open Sans',Arial,sans-serif\" font-size=\"13\" fill=\"#4A4F57\"><text x=\"4\" y=\"24\">{1}</text><text x=\"60\" y=\"{2}\">{first}</text><text x=\"{3}\" y=\"{2}\" text-anchor=\"end\">{last}</text></g></svg>",
        escaped(alternative),
        thousands(top),
        high - 12.0,
        wide - 20.0,
    )
}
