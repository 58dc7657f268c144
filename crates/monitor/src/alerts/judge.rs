//! Which alerts begin, go on and end?
//!
//! An alert waits (`pending`) until it held for as many periods as its rule states, is then `open`, and `over` when it is
//! observed and within the limit. Without an observation nothing changes: no news is no good news. What is not observed for
//! five weeks (a series that is sold no more) is over as well. States and messages are written in one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::cause::Cause;
use super::fingerprint;
use super::message::{Alert, Event, Message, NAMED, sentence};
use super::observe::Observation;
use super::rule::{Level, Rule, Rules};
use crate::error::{Error, Result};
use crate::store::database::{Batch, Column, Database, Existing, Value};
use crate::store::{Store, time};

/// After how many days without an observation an alert is over.
const FORGOTTEN: i64 = 35;

/// What a round of judging found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judged {
    pub begun: usize,
    pub reminded: usize,
    pub over: usize,
    /// Alerts that hold, though not yet for as long as their rules state.
    pub pending: usize,
    pub open: usize,
    /// Messages that wait for delivery now, of this round.
    pub messages: usize,
    /// What began, was reminded of or ended: rule by rule, and the dearest first.
    pub alerts: Vec<(Event, Alert)>,
}

/// An alert that goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Open {
    pub alert: Alert,
    /// When it was first observed; what it is about may have begun before, as [`Alert::since`] says.
    pub began_at: DateTime<Utc>,
    pub seen_at: DateTime<Utc>,
}

/// An alert as the store has it, and what this round made of it.
struct State {
    id: i64,
    phase: &'static str,
    rounds: i64,
    began_at: i64,
    seen_at: i64,
    told_at: Option<i64>,
    body: Body,
    changed: bool,
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Body {
    alert: Alert,
    /// The date of the data behind it, which must move on for another period to count.
    at: chrono::NaiveDateTime,
}

impl Store {
    /// Compares what was observed with the rules, keeps what became of each alert, and makes the messages. `explain` says
    /// what coincides with an alert that begins; it is given how many alert by the same rule, of how many that are watched.
    ///
    /// # Errors
    /// A rule contradicts itself, or the store cannot be written.
    pub fn judge(
        &mut self,
        rules: &Rules,
        seen: &[Observation],
        mut explain: impl FnMut(&Observation, (usize, usize)) -> Vec<Cause>,
        now: DateTime<Utc>,
    ) -> Result<Judged> {
        rules.check()?;
        self.database.whole(|database| {
            let mut states = states(database)?;
            let mut next =
                database.first("select coalesce(max(id), 0) + 1 from alert", &[], |row| row.int(0))?.unwrap_or(1);
            let mut judged = Judged::default();
            for rule in &rules.rules {
                // What is no number is no news.
                let usable =
                    |seen: &&Observation| seen.value.is_finite() && seen.money.is_finite() && rule.watches(seen);
                let watched: Vec<&Observation> = seen.iter().filter(usable).collect();
                let is_broken = |seen: &&Observation| rule.is_broken(seen, watched.len(), rules.periods_a_quarter);
                let broken: Vec<bool> = watched.iter().map(is_broken).collect();
                let together = (broken.iter().filter(|broken| **broken).count(), watched.len());
                let mut known = HashSet::new();
                let mut told: BTreeMap<Event, Vec<Alert>> = BTreeMap::new();
                for (seen, broken) in watched.into_iter().zip(broken) {
                    let fingerprint = identity(rule, seen);
                    if !broken && !states.contains_key(&fingerprint) {
                        continue;
                    }
                    // The first of two observations of the same counts.
                    if !known.insert(fingerprint.clone()) {
                        continue;
                    }
                    let state = states.entry(fingerprint.clone()).or_insert_with(|| {
                        next += 1;
                        State::new(next - 1, rule, seen, fingerprint, now)
                    });
                    if let Some((event, mut alert)) = state.step(rule, seen, broken, now) {
                        if event == Event::Begun {
                            alert.causes = explain(seen, together);
                            state.body.alert.causes.clone_from(&alert.causes);
                        }
                        told.entry(event).or_default().push(alert);
                    }
                }
                for state in states.values_mut().filter(|state| state.body.alert.rule == rule.name) {
                    if let Some(alert) = state.forget(now) {
                        told.entry(Event::Over).or_default().push(alert);
                    }
                }
                let open =
                    states.values().filter(|state| state.phase == "open" && state.body.alert.rule == rule.name).count();
                for event in [Event::Begun, Event::Reminder, Event::Over] {
                    let mut alerts = told.remove(&event).unwrap_or_default();
                    alerts.sort_by(dearest);
                    match event {
                        Event::Begun => judged.begun += alerts.len(),
                        Event::Reminder => judged.reminded += alerts.len(),
                        Event::Over => judged.over += alerts.len(),
                    }
                    judged.messages += tell(database, rules, rule, event, &alerts, open, now)?;
                    judged.alerts.extend(alerts.into_iter().map(|alert| (event, alert)));
                }
            }
            // A rule that is stated no more: nobody is left to be told.
            let stated = |state: &&mut State| !rules.rules.iter().any(|rule| rule.name == state.body.alert.rule);
            for state in states.values_mut().filter(stated) {
                state.changed = true;
                if state.phase == "open" {
                    state.end(now);
                } else {
                    state.phase = "dropped"
                }
            }
            judged.open = states.values().filter(|state| state.phase == "open").count();
            judged.pending = states.values().filter(|state| state.phase == "pending").count();
            keep(database, &states, now)?;
            Ok(judged)
        })
    }

    /// The alerts that go on, the dearest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open_alerts(&mut self) -> Result<Vec<Open>> {
        let mut open: Vec<Open> = states(&mut self.database)?
            .into_values()
            .filter(|state| state.phase == "open")
            .map(|state| Open { alert: state.body.alert, began_at: time(state.began_at), seen_at: time(state.seen_at) })
            .collect();
        open.sort_by(|a, b| dearest(&a.alert, &b.alert));
        Ok(open)
    }

    /// The alerts that wait or go on, in no order.
    pub(crate) fn alerts_now(&mut self) -> Result<Vec<Alert>> {
        Ok(states(&mut self.database)?.into_values().map(|state| state.body.alert).collect())
    }

    /// Every alert that ended, in the order in which they began.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn past_alerts(&mut self) -> Result<Vec<Alert>> {
        self.database
            .rows("select body from alert where phase = 'over' order by id", &[], |row| Ok(body(&row.text(0)?)?.alert))
    }
}

fn dearest(a: &Alert, b: &Alert) -> std::cmp::Ordering {
    b.money.total_cmp(&a.money).then_with(|| a.fingerprint.cmp(&b.fingerprint))
}

/// What names an alert: its rule, level, key and model.
fn identity(rule: &Rule, seen: &Observation) -> String {
    let level = match seen.level {
        Level::Portfolio => "portfolio",
        Level::Group => "group",
        Level::Series => "series",
    };
    fingerprint([rule.name.as_str(), level, &seen.by()].into_iter().chain(seen.key.iter().map(String::as_str)))
}

impl State {
    fn new(id: i64, rule: &Rule, seen: &Observation, fingerprint: String, now: DateTime<Utc>) -> Self {
        let alert = Alert {
            fingerprint,
            rule: rule.name.clone(),
            what: seen.what,
            level: seen.level,
            key: seen.key.clone(),
            model: seen.by(),
            severity: rule.severity,
            sentence: String::new(),
            since: seen.since.map_or(now, |since| since.and_utc().min(now)),
            until: None,
            size: seen.value,
            money: seen.money,
            causes: Vec::new(),
        };
        let now = now.timestamp_micros();
        let body = Body { alert, at: seen.at };
        Self { id, phase: "pending", rounds: 0, began_at: now, seen_at: now, told_at: None, body, changed: true }
    }

    /// What another observation makes of it, and what is told of that.
    fn step(&mut self, rule: &Rule, seen: &Observation, broken: bool, now: DateTime<Utc>) -> Option<(Event, Alert)> {
        self.changed = true;
        let micros = now.timestamp_micros();
        self.seen_at = micros;
        if !broken {
            if self.phase == "open" {
                return Some((Event::Over, self.end(now)));
            }
            self.phase = "dropped";
            return None;
        }
        let alert = &mut self.body.alert;
        (alert.size, alert.money, alert.severity) = (seen.value, seen.money, rule.severity);
        alert.sentence = sentence(rule, seen);
        if self.rounds == 0 || seen.at > self.body.at {
            self.rounds += 1;
            self.body.at = seen.at;
        }
        if self.phase == "pending" {
            if self.rounds < i64::from(rule.periods) {
                return None;
            }
            (self.phase, self.told_at) = ("open", Some(micros));
            return Some((Event::Begun, self.body.alert.clone()));
        }
        let due = |hours: f64| micros as f64 - self.told_at.unwrap_or_default() as f64 >= hours * 3.6e9;
        if rule.remind_hours.is_some_and(due) {
            self.told_at = Some(micros);
            return Some((Event::Reminder, self.body.alert.clone()));
        }
        None
    }

    /// Ends an alert that nothing was heard of for long.
    fn forget(&mut self, now: DateTime<Utc>) -> Option<Alert> {
        let old = now.signed_duration_since(time(self.seen_at)) > TimeDelta::days(FORGOTTEN);
        match (old, self.phase) {
            (true, "open") => {
                self.changed = true;
                self.body.alert.sentence.push_str("; it was not observed any more");
                Some(self.end(now))
            }
            (true, "pending") => {
                (self.changed, self.phase) = (true, "dropped");
                None
            }
            _ => None,
        }
    }

    fn end(&mut self, now: DateTime<Utc>) -> Alert {
        self.phase = "over";
        self.body.alert.until = Some(now);
        self.body.alert.clone()
    }
}

/// The alerts that wait or go on.
fn states(database: &mut Database) -> Result<HashMap<String, State>> {
    let rows = database.rows(
        "select fingerprint, id, phase, rounds, began_at, seen_at, told_at, body from alert \
         where phase in ('pending', 'open')",
        &[],
        |row| {
            let phase = if row.text(2)? == "open" { "open" } else { "pending" };
            let state = State {
                id: row.int(1)?,
                phase,
                rounds: row.int(3)?,
                began_at: row.int(4)?,
                seen_at: row.int(5)?,
                told_at: row.maybe_int(6)?,
                body: body(&row.text(7)?)?,
                changed: false,
            };
            Ok((row.text(0)?, state))
        },
    )?;
    Ok(rows.into_iter().collect())
}

fn body(text: &str) -> Result<Body> {
    serde_json::from_str(text).map_err(|cause| {
        Error::data("the store holds an alert that cannot be read; restore it from a backup").because(cause)
    })
}

fn unwritable(cause: serde_json::Error) -> Error {
    Error::data("an alert holds a number that cannot be written; look at the observations").because(cause)
}

fn keep(database: &mut Database, states: &HashMap<String, State>, now: DateTime<Utc>) -> Result<()> {
    let mut changed: Vec<(&String, &State)> = states.iter().filter(|(_, state)| state.changed).collect();
    changed.sort_by_key(|(_, state)| state.id);
    for (_, state) in changed.iter().filter(|(_, state)| state.phase == "dropped") {
        database.execute("delete from alert where id = $1", &[Value::Int(state.id)])?;
    }
    changed.retain(|(_, state)| state.phase != "dropped");
    let whole = |of: fn(&State) -> i64| changed.iter().map(|(_, state)| of(state)).collect::<Vec<i64>>();
    let words = |of: fn(&State) -> String| changed.iter().map(|(_, state)| of(state)).collect::<Vec<String>>();
    let bodies = changed
        .iter()
        .map(|(_, state)| serde_json::to_string(&state.body).map_err(unwritable))
        .collect::<Result<Vec<String>>>()?;
    let ended = |state: &State| (state.phase == "over").then(|| now.timestamp_micros());
    database.write(&Batch {
        table: "alert",
        names: &[
            "id",
            "fingerprint",
            "rule",
            "phase",
            "rounds",
            "began_at",
            "seen_at",
            "told_at",
            "ended_at",
            "money",
            "body",
        ],
        keys: 1,
        existing: Existing::Replace,
        columns: &[
            Column::Int(&whole(|state| state.id)),
            Column::Text(&words(|state| state.body.alert.fingerprint.clone())),
            Column::Text(&words(|state| state.body.alert.rule.clone())),
            Column::Text(&words(|state| state.phase.to_string())),
            Column::Int(&whole(|state| state.rounds)),
            Column::Int(&whole(|state| state.began_at)),
            Column::Int(&whole(|state| state.seen_at)),
            Column::MaybeInt(&changed.iter().map(|(_, state)| state.told_at).collect::<Vec<Option<i64>>>()),
            Column::MaybeInt(&changed.iter().map(|(_, state)| ended(state)).collect::<Vec<Option<i64>>>()),
            Column::Real(&changed.iter().map(|(_, state)| state.body.alert.money).collect::<Vec<f64>>()),
            Column::Text(&bodies),
        ],
    })
}

/// Puts what is told of a rule into the outbox, once for each destination; the number of messages.
fn tell(
    database: &mut Database,
    rules: &Rules,
    rule: &Rule,
    event: Event,
    alerts: &[Alert],
    open: usize,
    now: DateTime<Utc>,
) -> Result<usize> {
    if alerts.is_empty() {
        return Ok(0);
    }
    let (count, money) = (alerts.len(), alerts.iter().map(|alert| alert.money).sum());
    let when = now.timestamp_micros().to_string();
    for destination in &rule.to {
        let parts = [rule.name.as_str(), destination, event.name(), &when].into_iter();
        let id = fingerprint(parts.chain(alerts.iter().map(|alert| alert.fingerprint.as_str())));
        let message = Message {
            id: id.clone(),
            event,
            rule: rule.name.clone(),
            severity: rule.severity,
            made_at: now,
            count,
            open,
            money,
            currency: rules.currency.clone(),
            alerts: alerts.iter().take(NAMED).cloned().collect(),
            remind_hours: rule.remind_hours,
            others: match event {
                Event::Over => alerts.iter().skip(NAMED).map(|alert| alert.fingerprint.clone()).collect(),
                Event::Begun | Event::Reminder => Vec::new(),
            },
        };
        let next = database.first("select coalesce(max(id), 0) + 1 from outbox", &[], |row| row.int(0))?.unwrap_or(1);
        database.execute(
            "insert into outbox (id, idempotency, destination, body, made_at, due_at, tries, claimed_until) \
             values ($1, $2, $3, $4, $5, $6, 0, 0) on conflict (idempotency) do nothing",
            &[
                Value::Int(next),
                Value::Text(&id),
                Value::Text(destination),
                Value::Text(&serde_json::to_string(&message).map_err(unwritable)?),
                Value::Int(now.timestamp_micros()),
                Value::Int(now.timestamp_micros()),
            ],
        )?;
    }
    Ok(rule.to.len())
}
