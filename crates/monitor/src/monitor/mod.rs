//! How is a portfolio of forecasts watched in a few calls?
//!
//! A [`Monitor`] owns a store and what watches it. [`Monitor::issue`] keeps a forecast; [`Monitor::receive`] keeps actuals,
//! scores them, runs the detectors, judges the rules and sends what has to be said; [`Monitor::drift`] takes in what was found
//! of the inputs; [`Monitor::report`] has the tables.
//!
//! Every step is a transaction of the store, and a function of what the store holds: what a process that is killed leaves
//! undone is done by the next call, once, and the same actuals again change nothing.
//!
//! **Detectors.** A rule on errors, bias or coverage with `false_alarms` in place of a limit is told of by a
//! [`crate::detect::Watch`] for each model and kind of forecast. It needs a reference, [`MonitorOptions::reference`] dates with
//! actuals, before which only rules with limits tell anything, and a note says how many dates are missing. Its groups are those
//! that rules of level `group` name. The smallest `false_alarms` of a track's rules is the rate of the whole portfolio. A date
//! that is not the newest any more is final for the detectors, whatever is corrected in it later; the newest is looked at anew
//! each time, so that its actuals may come in parts. Series that came after the reference are watched from
//! [`Monitor::recalibrate`] on.
//!
//! A `bias` rule is told of long one-sided errors, a `coverage` rule of missed intervals, an `error` rule of everything that no
//! other rule of its level is told of.
//!
//! ```
//! use chrono::{DateTime, NaiveDate};
//! use tradewind_monitor::alerts::Rules;
//! use tradewind_monitor::monitor::{Monitor, MonitorOptions};
//! use tradewind_monitor::store::{Actual, Issue, Kind, SeriesForecast};
//! # fn main() -> tradewind_monitor::Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let (place, log) = (folder.path().join("monitor.db"), folder.path().join("alerts.jsonl"));
//! let rules: Rules = toml::from_str(&format!(r#"
//!     keys = ["store", "item"]
//!     [[rule]]
//!     name = "off"
//!     what = "error"
//!     level = "portfolio"
//!     above = 15.0
//!     severity = "warning"
//!     to = ["log"]
//!     [destination.log]
//!     kind = "log"
//!     path = {log:?}
//! "#)).unwrap();
//! let now = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
//! let week = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap().into();
//! let mut monitor = Monitor::open(&place.to_string_lossy(), rules, MonitorOptions::default())?;
//! let issue = Issue {
//!     run: "2026-W01".into(),
//!     model: "ets".into(),
//!     kind: Kind::Statistical,
//!     issued_at: now,
//!     fingerprint: "4f1d".into(),
//!     dates: vec![week],
//!     levels: vec![0.1, 0.9],
//! };
//! let key = vec!["north".to_string(), "A-7".to_string()];
//! let forecast = SeriesForecast { key: key.clone(), scale: 2.0, mean: vec![10.0], quantiles: vec![vec![7.0, 13.0]] };
//! monitor.issue(&issue, [forecast], now)?;
//! let told = monitor.receive(&[Actual { key, at: week, value: 12.5 }], now)?;
//! assert_eq!((told.received.stored, told.scored.scores, told.delivered.sent), (1, 1, 1));
//! assert_eq!(
//!     told.begun().next().unwrap().sentence,
//!     "Forecasts of all series by ets miss by 20 % of sales (WAPE over 4 periods); at most 15 is allowed"
//! );
//! # Ok(())
//! # }
//! ```

mod history;
mod inputs;
mod report;
mod watched;

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime, Utc};

pub use history::History;
pub use inputs::Input;
pub use report::{Accuracy, Report, Watched, Worst};

use crate::alerts::{
    Alert, Cause, Coincidence, Costs, Delivered, Event, Judged, Level, Observation, Rules, What, causes,
};
use crate::error::{Error, Result};
use crate::scores::Scored;
use crate::store::{Actual, Issue, Issued, Options, Received, SeriesForecast, Store};
use watched::Wish;

/// The least share of missing rows that may have caused something.
const MISSING: f64 = 0.05;

/// What a monitor asks of its owner.
pub type Ask<Of, Answer> = Box<dyn Fn(&Of) -> Answer + Send>;

/// How a portfolio is watched.
pub struct MonitorOptions {
    pub store: Options,
    /// Dates with actuals in which the errors were as they should be, at least 26: what detectors compare with.
    pub reference: usize,
    /// The shift of the level that matters to detectors, as a share: 0.3 is 30 % up or down.
    pub shift: f64,
    /// What a unit of a series costs, too much and too little.
    pub costs: Ask<[String], Costs>,
    /// Promotions, holidays and other events of a date, by name: they may be the cause of an alert.
    pub events: Ask<NaiveDateTime, Vec<String>>,
    /// The environment variables that destinations name.
    pub variable: Ask<str, Option<String>>,
}

impl Default for MonitorOptions {
    /// A reference of 52 dates, shifts of 30 %, no costs, no events, the variables of the process.
    fn default() -> Self {
        Self {
            store: Options::default(),
            reference: 52,
            shift: 0.3,
            costs: Box::new(|_| Costs::default()),
            events: Box::new(|_| Vec::new()),
            variable: Box::new(|name| std::env::var(name).ok()),
        }
    }
}

/// All that came of a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// Actuals that were stored, and those that were refused.
    pub received: Received,
    /// The scores that were computed.
    pub scored: Scored,
    /// The alerts that began, were reminded of and ended, and how many go on.
    pub judged: Judged,
    /// The messages that were sent, and those that wait.
    pub delivered: Delivered,
    /// What else is worth knowing: how many dates detectors lack, series that they do not watch.
    pub notes: Vec<String>,
}

impl Told {
    /// The alerts that began.
    pub fn begun(&self) -> impl Iterator<Item = &Alert> {
        self.of(Event::Begun)
    }

    /// The alerts that ended.
    pub fn over(&self) -> impl Iterator<Item = &Alert> {
        self.of(Event::Over)
    }

    fn of(&self, event: Event) -> impl Iterator<Item = &Alert> {
        self.judged.alerts.iter().filter(move |(of, _)| *of == event).map(|(_, alert)| alert)
    }
}

/// A store of forecasts, and what watches it.
pub struct Monitor {
    store: Store,
    rules: Rules,
    options: MonitorOptions,
}

impl Monitor {
    /// Opens the store at a place, an SQLite file or a URL `postgres://…`, and makes it where there is none.
    ///
    /// # Errors
    /// The rules or options contradict themselves, or the store cannot be opened.
    pub fn open(place: &str, rules: Rules, options: MonitorOptions) -> Result<Self> {
        rules.check()?;
        rules.rules.iter().try_for_each(|rule| rules.columns(rule).map(|_| ()))?;
        if options.reference < 26 {
            return Err(Error::usage(format!(
                "a reference of {} dates is too short for detectors; state 26 at least, better 52",
                options.reference
            )));
        }
        if !(options.shift.is_finite() && options.shift > 0.0) {
            return Err(Error::usage("the shift that matters must be above 0; 0.3 is 30 %"));
        }
        Ok(Self { store: Store::open(place, options.store.clone())?, rules, options })
    }

    /// The store itself: forecasts, actuals, scores, alerts, overrides.
    pub fn store(&mut self) -> &mut Store {
        &mut self.store
    }

    /// Stores a forecast, as [`Store::issue`] does.
    ///
    /// # Errors
    /// Those of [`Store::issue`].
    pub fn issue(
        &mut self,
        issue: &Issue,
        rows: impl IntoIterator<Item = SeriesForecast>,
        now: DateTime<Utc>,
    ) -> Result<Issued> {
        self.store.issue(issue, rows, now)
    }

    /// Stores actuals and does all that follows from them, and what an earlier call left undone: scores, detectors, rules,
    /// messages. Without a row it does the latter alone, as a watch that runs every hour needs for late data and failed
    /// deliveries.
    ///
    /// # Errors
    /// The store cannot be read or written. Rows that cannot be used and destinations that fail are counted, not errors.
    pub fn receive(&mut self, actuals: &[Actual], now: DateTime<Utc>) -> Result<Told> {
        let mut told = Told { received: self.store.receive(actuals, now)?, ..Told::default() };
        told.scored = self.store.score()?;
        let mut seen = Vec::new();
        let mut missing = HashMap::new();
        let mut watched: HashMap<String, usize> = HashMap::new();
        for track in self.store.tracks()? {
            missing.insert(crate::alerts::by(&track.model, Some(track.kind)), self.store.gaps(&track)?);
            if let Some(wish) = Wish::of(&self.rules, &self.options, &track)? {
                let found = watched::watch(&mut self.store, &self.rules, &self.options, &track, &wish)?;
                seen.extend(found.seen);
                told.notes.extend(found.notes);
                for rule in wish.rules {
                    *watched.entry(rule.name.clone()).or_default() += found.series;
                }
            }
        }
        seen.extend(self.store.observe(&self.rules, &self.options.costs, now)?);
        self.tell(&mut told, &seen, &missing, &watched, now)?;
        Ok(told)
    }

    /// Takes in what was found of the inputs: columns that drifted are alerts of rules with `what = "drift"` and level
    /// `portfolio`, and from now on likely causes of other alerts, until the same column is given again.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn drift(&mut self, found: &[Input], now: DateTime<Utc>) -> Result<Told> {
        inputs::keep(&mut self.store, found)?;
        let seen: Vec<Observation> = found.iter().map(Input::observation).collect();
        let mut told = Told::default();
        self.tell(&mut told, &seen, &HashMap::new(), &HashMap::new(), now)?;
        Ok(told)
    }

    /// Takes in how fitting a model anew came out, by the name of the model: why it failed, or that it did not. A failure is
    /// an alert of rules with `what = "retrain_failed"`, level `portfolio` and `above = 0.0`; the next success ends it.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn refitted(&mut self, name: &str, failure: Option<&str>, now: DateTime<Utc>) -> Result<Told> {
        let seen = Observation {
            rule: None,
            what: What::RetrainFailed,
            level: Level::Portfolio,
            key: vec![name.to_string()],
            model: String::new(),
            kind: None,
            at: now.naive_utc(),
            since: None,
            value: if failure.is_some() { 1.0 } else { 0.0 },
            odds: None,
            money: 0.0,
            detail: failure.unwrap_or_default().to_string(),
        };
        let mut told = Told::default();
        self.tell(&mut told, &[seen], &HashMap::new(), &HashMap::new(), now)?;
        Ok(told)
    }

    /// The promotions, holidays and other events of a date, from now on: what the newest data say of them.
    pub fn set_events(&mut self, events: Ask<NaiveDateTime, Vec<String>>) {
        self.options.events = events;
    }

    /// Has detectors find anew what is usual, for one model or all: in the newest dates with actuals, or from `from` on where
    /// that is stated, as after a model was fitted anew; until there are enough of those, the detectors of it rest. What they
    /// had alarmed about is over with the next call of [`Monitor::receive`].
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn recalibrate(&mut self, model: Option<&str>, from: Option<NaiveDateTime>) -> Result<()> {
        for track in self.store.tracks()? {
            if let Some(wish) = Wish::of(&self.rules, &self.options, &track)?
                && model.is_none_or(|model| model == track.model)
            {
                watched::recalibrate(&mut self.store, &track, wish, from)?;
            }
        }
        Ok(())
    }

    /// The tables: accuracy of each model and step over each window, the `worst` series of each model by cost, the state of
    /// the detectors, and the alerts that go on.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn report(&mut self, worst: usize) -> Result<Report> {
        report::report(&mut self.store, &self.rules, &self.options, worst)
    }

    /// What became of the forecasts that planners could change, over the newest 52 dates with actuals.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn history(&mut self) -> Result<History> {
        History::of(&mut self.store, &self.rules, &self.options)
    }

    /// Judges what was observed, and sends what is due. `missing` has per model how many rows are missing, of how many;
    /// `watched` per rule of detectors how many it watches.
    fn tell(
        &mut self,
        told: &mut Told,
        seen: &[Observation],
        missing: &HashMap<String, (usize, usize)>,
        watched: &HashMap<String, usize>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let inputs = inputs::kept(&mut self.store)?;
        let events = &self.options.events;
        let explain = |seen: &Observation, together: (usize, usize)| -> Vec<Cause> {
            let mut coincidence = Coincidence::default();
            if matches!(seen.what, What::Drift | What::RetrainFailed) {
                return Vec::new();
            }
            inputs::coincide(&inputs, &mut coincidence);
            let gaps = missing.get(&crate::alerts::by(&seen.model, seen.kind)).copied().unwrap_or_default();
            if gaps.0 as f64 > MISSING * gaps.1 as f64 {
                coincidence.missing = gaps;
            }
            for date in seen.since.into_iter().chain([seen.at]) {
                for event in events(&date) {
                    if !coincidence.events.contains(&event) {
                        coincidence.events.push(event);
                    }
                }
            }
            if seen.level == Level::Series {
                let all = seen.rule.as_ref().and_then(|rule| watched.get(rule)).copied();
                coincidence.together = (together.0, all.unwrap_or(together.1));
            }
            causes(&coincidence)
        };
        told.judged = self.store.judge(&self.rules, seen, explain, now)?;
        told.delivered = self.store.deliver(&self.rules, &self.options.variable, now)?;
        Ok(())
    }
}
