//! Forecasts and sales of panels for the store of the crate `tradewind-monitor`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, NaiveDateTime, Utc};
use polars::prelude::{Column, DataFrame};
use tradewind_monitor::alerts::{Alert, Destination, Event, Rules};
use tradewind_monitor::monitor::{Accuracy, MonitorOptions, Report, Told};
use tradewind_monitor::store::{Actual, Issue, Kind, Received, SeriesForecast};

use super::costs::costs;
use super::flags::flags;
use super::{Inner, Monitored, inputs, keys};
use crate::error::{Error, Result};
use crate::forecast::Forecast;
use crate::panel::Panel;
use crate::show::words::counted;
use crate::show::{Block, Show, Table};

/// Series shown.
const WORST: usize = 10;

impl From<tradewind_monitor::Error> for Error {
    fn from(error: tradewind_monitor::Error) -> Self {
        match error.is_usage() {
            true => Self::usage(error.to_string()),
            false => Self::io(error.to_string()),
        }
    }
}

/// Can forecasts be monitored?
///
/// # Errors
/// In a build that leaves it out.
pub fn ready() -> Result<()> {
    Ok(())
}

/// Forecasts that were given out, what happened, and who is told when they go wrong.
///
/// ```
/// use tradewind::prelude::*;
/// let home = tempfile::tempdir().unwrap();
/// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
/// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
/// let monitor = Monitor::open(&home.path().join("monitor.db").to_string_lossy(), None)?;
/// monitor.issue(&sales.before("2012-09-01")?.fit(["theta"])?.forecast(8)?, "september")?;
/// let told = monitor.receive(&sales)?;
/// assert!(told.sentence().contains("56 scores"), "{}", told.sentence());
/// assert_eq!(monitor.accuracy()?.get(0, "model")?.to_string(), "theta");
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone)]
pub struct Monitor(Arc<Mutex<tradewind_monitor::monitor::Monitor>>);

impl Monitor {
    /// Opens the store at a place, an SQLite file or the URL `postgres://…` of a server, and makes it where there is none. `rules` is a
    /// TOML file with the rules of alerts and their destinations; without one nothing is told, and accuracy is kept all the same.
    ///
    /// # Errors
    /// When the rules or the costs that they name cannot be read or contradict themselves, or the store cannot be opened; in a script,
    /// when the store or a destination is no file of the script's folders.
    pub fn open(store: &str, rules: Option<&Path>) -> Result<Self> {
        let rules: Rules = match rules {
            None => Rules { periods_a_quarter: 13.0, ..Rules::default() },
            Some(file) => {
                let text = crate::files::read_text(file)?;
                toml::from_str(&text).map_err(|cause| {
                    Error::usage(format!("{} holds no rules of alerts", file.display()))
                        .because(cause.to_string().trim().to_string())
                })?
            }
        };
        if crate::job::is_fenced() {
            if store.contains("://") {
                return Err(Error::usage("a script keeps forecasts in a file; a server is for the program"));
            }
            crate::files::allowed(Path::new(store))?;
            for destination in rules.destinations.values() {
                match destination {
                    Destination::Log { path } => crate::files::allowed(Path::new(path))?,
                    _ => {
                        return Err(Error::usage(
                            "a script tells nobody of alerts but a log file; `tradewind monitor` sends them",
                        ));
                    }
                }
            }
        }
        let options = MonitorOptions { costs: costs(&rules)?, ..MonitorOptions::default() };
        let monitor = tradewind_monitor::monitor::Monitor::open(store, rules, options)?;
        Ok(Self(Arc::new(Mutex::new(monitor))))
    }

    pub(super) fn held(&self) -> MutexGuard<'_, tradewind_monitor::monitor::Monitor> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a forecast with all its models, as given out under the name of a run; the same run again changes nothing. Says what was
    /// kept.
    ///
    /// # Errors
    /// When the steps of the forecast are no dates, or the store cannot be written.
    pub fn issue(&self, forecast: &Forecast, run: &str) -> Result<String> {
        let now = Utc::now();
        let (mut stored, mut known) = (0, 0);
        for model in 0..forecast.models().len() {
            let (issue, rows) = issued(forecast, model, run, Kind::Statistical, now)?;
            match self.held().issue(&issue, rows, now)?.stored {
                true => stored += 1,
                false => known += 1,
            }
        }
        let again = if known > 0 {
            format!("; {} of this run there already", counted(known, "was", "were"))
        } else {
            String::new()
        };
        Ok(format!(
            "{} of {} over {} kept as {run}{again}",
            counted(stored, "forecast", "forecasts"),
            counted(forecast.len(), "series", "series"),
            counted(forecast.horizon(), "step", "steps")
        ))
    }

    /// Takes in what was sold, scores every forecast of those dates, and tells whom the rules name. The same sales again change
    /// nothing; a corrected value is scored anew.
    ///
    /// The panel's columns since the newest forecast with four periods of sales behind it are compared with those before it, the 104
    /// periods before at most: what drifted is told by rules on drift, and is a likely cause of other alerts, as are the flags of the
    /// panel (promotions, holidays) that fall on their dates.
    ///
    /// # Errors
    /// When the steps of the panel are no dates, or the store cannot be read or written. A destination that fails is told of in the
    /// notes and tried again next time.
    pub fn receive(&self, sales: &Panel) -> Result<Monitored> {
        let dates = Dates::of(sales)?;
        let keys = keys(sales)?;
        let columns = inputs::Columns::of(sales)?;
        let events = flags(sales, &columns, &dates)?;
        let mut monitor = self.held();
        monitor.set_events(Box::new(move |at| events.get(at).cloned().unwrap_or_default()));
        let found = inputs::since_issue(sales, &columns, &dates, &keys, monitor.store())?;
        let first = monitor.store().issues()?.iter().filter_map(|past| past.issue.dates.first().copied()).min();
        let mut actuals = Vec::new();
        // What was sold before the first forecast is compared with nothing.
        if let Some(first) = first {
            for (i, key) in keys.iter().enumerate() {
                for (position, value) in sales.positions(i).iter().zip(sales.target(i)) {
                    let at = dates.at(*position)?;
                    if at >= first && !value.is_nan() {
                        actuals.push(Actual { key: key.clone(), at, value: *value });
                    }
                }
            }
        }
        // First, so that what drifted is known when the causes of other alerts are named.
        let drifted = if found.is_empty() { None } else { Some(monitor.drift(&found, Utc::now())?) };
        Ok(told(together(drifted, monitor.receive(&actuals, Utc::now())?))?.into())
    }

    /// Takes in single values of what was sold, and scores them; what came of them, and how many were new, corrected and known.
    ///
    /// # Errors
    /// When the store cannot be written.
    #[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "elsewhere sales come as panels"))]
    pub(crate) fn receive_values(&self, values: &[Actual]) -> Result<(Monitored, [usize; 3])> {
        let found = self.held().receive(values, Utc::now())?;
        let Received { stored, corrected, unchanged, .. } = found.received;
        Ok((told(found)?.into(), [stored, corrected, unchanged]))
    }

    /// The last date with sales; none without any.
    ///
    /// # Errors
    /// When the store cannot be read.
    #[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "only a server tells it"))]
    pub(crate) fn sold_until(&self) -> Result<Option<NaiveDateTime>> {
        Ok(self.held().store().last_actual()?)
    }

    /// The level of the outermost interval of the newest forecast by each model and kind.
    ///
    /// # Errors
    /// When the store cannot be read.
    #[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "only a server tells it"))]
    pub(crate) fn outermost_levels(&self) -> Result<HashMap<(String, Kind), f64>> {
        let issues = self.held().store().issues()?;
        let mut levels: HashMap<(String, Kind), (DateTime<Utc>, f64)> = HashMap::new();
        for Issue { model, kind, issued_at, levels: probabilities, .. } in issues.into_iter().map(|past| past.issue) {
            let (Some(low), Some(high)) = (probabilities.first(), probabilities.last()) else { continue };
            let newest = levels.entry((model, kind)).or_insert((issued_at, high - low));
            if issued_at >= newest.0 {
                *newest = (issued_at, high - low);
            }
        }
        Ok(levels.into_iter().map(|(track, (_, level))| (track, level)).collect())
    }

    pub(crate) fn report(&self, worst: usize) -> Result<Report> {
        Ok(self.held().report(worst)?)
    }

    /// Rolling accuracy: a row for each model, window of 4, 13 or 52 periods, and step ahead. A window that holds no more scores than a
    /// shorter one is left out.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn accuracy(&self) -> Result<Table> {
        let mut seen = HashMap::new();
        let mut says_more = |row: &Accuracy| {
            let before = seen.insert((row.model.clone(), row.kind, row.step), row.count);
            before.is_none_or(|count| count < row.count)
        };
        let rows = self.report(0)?.accuracy.into_iter().filter(|row| row.count > 0 && says_more(row));
        let rows: Vec<Accuracy> = rows.collect();
        let columns = vec![
            Column::new("model".into(), rows.iter().map(|row| row.model.as_str()).collect::<Vec<_>>()),
            Column::new("kind".into(), rows.iter().map(|row| row.kind.name()).collect::<Vec<_>>()),
            Column::new("periods".into(), rows.iter().map(|row| row.window as u64).collect::<Vec<_>>()),
            Column::new("step".into(), rows.iter().map(|row| row.step as u64).collect::<Vec<_>>()),
            Column::new("scores".into(), rows.iter().map(|row| row.count).collect::<Vec<_>>()),
            Column::new("wape".into(), rows.iter().map(|row| row.wape).collect::<Vec<_>>()),
            Column::new("bias".into(), rows.iter().map(|row| row.bias).collect::<Vec<_>>()),
            Column::new("mase".into(), rows.iter().map(|row| row.mase).collect::<Vec<_>>()),
            Column::new("coverage".into(), rows.iter().map(|row| row.coverage).collect::<Vec<_>>()),
        ];
        Ok(Table::new(DataFrame::new(rows.len(), columns)?).titled("Accuracy of the forecasts that were given out"))
    }

    /// The series whose next-step forecasts missed most over the last 13 periods; those whose errors cost most where the rules state
    /// costs.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn worst(&self, most: usize) -> Result<Table> {
        let rows = self.report(most)?.worst;
        let mut columns = vec![
            Column::new("series".into(), rows.iter().map(|row| row.key.join(", ")).collect::<Vec<_>>()),
            Column::new("model".into(), rows.iter().map(|row| row.model.as_str()).collect::<Vec<_>>()),
            Column::new("missed by".into(), rows.iter().map(|row| row.absolute).collect::<Vec<_>>()),
            Column::new("wape".into(), rows.iter().map(|row| row.wape).collect::<Vec<_>>()),
            Column::new("bias".into(), rows.iter().map(|row| row.bias).collect::<Vec<_>>()),
        ];
        if rows.iter().any(|row| row.money > 0.0) {
            columns.insert(2, Column::new("money".into(), rows.iter().map(|row| row.money).collect::<Vec<_>>()));
        }
        Ok(Table::new(DataFrame::new(rows.len(), columns)?).titled("The series that were missed most"))
    }

    /// What was last found of the inputs, a row for each column: as [`Panel::drift`] has it, and what the change costs in accuracy where
    /// enough rows before it have been forecast and scored.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn drift(&self) -> Result<Table> {
        inputs::kept(self.report(0)?.inputs)
    }

    /// The alerts that go on, the dearest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn alerts(&self) -> Result<Table> {
        let open = self.report(0)?.open;
        Ok(table(open.iter().map(|open| ("goes on", &open.alert)))?.titled("Alerts that go on"))
    }
}

impl Show for Monitor {
    fn block(&self) -> Block {
        let tables = [self.alerts(), self.accuracy(), self.worst(WORST)];
        let shown = tables.into_iter().map(|table| match table {
            Ok(table) => Block::Table(table),
            Err(error) => Block::Text(error.to_string()),
        });
        Block::Group(shown.collect())
    }
}

crate::show::noun!(Monitor);

/// The forecast of one model, given its place, as the store takes it.
pub(super) fn issued(
    forecast: &Forecast,
    model: usize,
    run: &str,
    kind: Kind,
    now: DateTime<Utc>,
) -> Result<(Issue, Vec<SeriesForecast>)> {
    let panel = forecast.panel();
    let all: Vec<usize> = (0..forecast.len()).collect();
    let (first, dates) = Dates::of(&panel)?.span(forecast, &all)?;
    let keys = keys(&panel)?;
    let steps = dates.len();
    let issue = Issue {
        run: run.into(),
        model: forecast.models().swap_remove(model),
        kind,
        issued_at: now,
        fingerprint: panel.fingerprint(),
        dates,
        levels: forecast.probabilities().to_vec(),
    };
    let of_series = |i: usize| {
        let cell = forecast.cell(model, i)?;
        let before = usize::try_from(forecast.start(i) - first).ok()?;
        let quantiles: Vec<Vec<f64>> = issue.levels.iter().map(|level| cell.quantile(*level)).collect();
        let mut mean = vec![f64::NAN; steps];
        let mut all = vec![vec![f64::NAN; issue.levels.len()]; steps];
        for (step, value) in cell.mean().iter().enumerate() {
            mean[before + step] = *value;
            all[before + step] = quantiles.iter().map(|quantile| quantile[step]).collect();
        }
        // A forecast from a file has no history, and none by which its errors could be scaled.
        let scale = crate::metrics::scales(&panel.regular(i), panel.season()).0;
        let scale = if scale.is_finite() { scale } else { 0.0 };
        Some(SeriesForecast { key: keys[i].clone(), scale, mean, quantiles: all })
    };
    let rows = all.into_iter().filter_map(of_series).collect();
    Ok((issue, rows))
}

/// The dates of a calendar.
pub(super) struct Dates<'a>(&'a Panel);

impl<'a> Dates<'a> {
    pub(super) fn of(panel: &'a Panel) -> Result<Self> {
        match panel.frequency().is_whole() {
            true => Err(Error::data("the steps of these data are numbers; what is monitored needs dates")),
            false => Ok(Self(panel)),
        }
    }

    /// The position of a date; of one between two steps that of the later.
    pub(super) fn position(&self, at: NaiveDateTime) -> i64 {
        let (position, is_exact) = self.0.inner().calendar.frequency.position(at.and_utc().timestamp_micros());
        if is_exact { position } else { position + 1 }
    }

    pub(super) fn at(&self, position: i64) -> Result<NaiveDateTime> {
        let seconds = self.0.inner().calendar.x(position);
        DateTime::<Utc>::from_timestamp(seconds as i64, 0)
            .map(|at| at.naive_utc())
            .ok_or_else(|| Error::data(format!("step {position} of the data is no date that can be kept")))
    }

    /// The position of the first step of some series of a forecast, and the dates from there to the last step of any.
    pub(super) fn span(&self, forecast: &Forecast, series: &[usize]) -> Result<(i64, Vec<NaiveDateTime>)> {
        let starts = || series.iter().map(|i| forecast.start(*i));
        let (Some(first), Some(last)) = (starts().min(), starts().max()) else {
            return Err(Error::data("the forecast has no series"));
        };
        let steps = usize::try_from(last - first).unwrap_or_default() + forecast.horizon();
        let dates = (first..).take(steps).map(|position| self.at(position)).collect::<Result<_>>()?;
        Ok((first, dates))
    }
}

/// What was told of the inputs and then of the errors, as one.
fn together(inputs: Option<Told>, errors: Told) -> Told {
    let Some(inputs) = inputs else { return errors };
    let Told { received, scored, mut judged, mut delivered, notes } = errors;
    judged.begun += inputs.judged.begun;
    judged.reminded += inputs.judged.reminded;
    judged.over += inputs.judged.over;
    judged.messages += inputs.judged.messages;
    judged.alerts.splice(0..0, inputs.judged.alerts);
    delivered.sent += inputs.delivered.sent;
    delivered.failed += inputs.delivered.failed;
    delivered.failures.extend(inputs.delivered.failures);
    Told { received, scored, judged, delivered, notes }
}

/// What was told, in words and tables.
fn told(told: Told) -> Result<Inner> {
    let Told { received, scored, judged, delivered, notes } = told;
    let corrected = if received.corrected > 0 {
        format!(", {} corrected", counted(received.corrected, "value", "values"))
    } else {
        String::new()
    };
    let sentence = format!(
        "{} received{corrected}; {} computed; {} began, {} ended, {} on.",
        counted(received.stored, "new value", "new values"),
        counted(scored.scores, "score", "scores"),
        counted(judged.begun, "alert", "alerts"),
        counted(judged.over, "alert", "alerts"),
        counted(judged.open, "alert goes", "alerts go")
    );
    let mut notes = notes;
    if let Some(first) = received.refusals.first() {
        notes.push(format!("{} refused (first: {})", counted(received.refused, "row was", "rows were"), first.reason));
    }
    if received.unknown > 0 {
        let first =
            received.unknown_series.first().map_or(String::new(), |key| format!(" (first: {})", key.join(", ")));
        notes.push(format!(
            "{} of series that nobody has forecast{first}",
            counted(received.unknown, "value", "values")
        ));
    }
    notes.extend(
        delivered
            .failures
            .iter()
            .map(|(name, why)| format!("{name} could not be told: {why}; it is tried again next time")),
    );
    let event = |event: Event| match event {
        Event::Begun => "began",
        Event::Reminder => "goes on",
        Event::Over => "ended",
    };
    let alerts = table(judged.alerts.iter().map(|(of, alert)| (event(*of), alert)))?.titled("Alerts");
    Ok(Inner { sentence, alerts, notes })
}

fn table<'a>(alerts: impl Iterator<Item = (&'a str, &'a Alert)>) -> Result<Table> {
    let alerts: Vec<(&str, &Alert)> = alerts.collect();
    let of = |text: &dyn Fn(&Alert) -> String| alerts.iter().map(|(_, alert)| text(alert)).collect::<Vec<_>>();
    let columns = vec![
        Column::new("alert".into(), alerts.iter().map(|(event, _)| *event).collect::<Vec<_>>()),
        Column::new("what".into(), of(&|alert| alert.sentence.clone())),
        Column::new("since".into(), of(&|alert| alert.since.format("%Y-%m-%d").to_string())),
        Column::new("severity".into(), of(&|alert| format!("{:?}", alert.severity).to_lowercase())),
        Column::new("money".into(), alerts.iter().map(|(_, alert)| alert.money).collect::<Vec<_>>()),
        Column::new(
            "likely cause".into(),
            of(&|alert| alert.causes.first().map_or(String::new(), |cause| cause.text.clone())),
        ),
    ];
    Ok(Table::new(DataFrame::new(alerts.len(), columns)?))
}
