//! What is said of alerts, in words?

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::cause::Cause;
use super::observe::Observation;
use super::rule::{Level, Measure, Rule, Severity, What};

/// How many alerts a message names.
pub(super) const NAMED: usize = 10;

/// Something that went wrong and goes on, or is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Of rule, level, key and model.
    pub fingerprint: String,
    pub rule: String,
    pub what: What,
    pub level: Level,
    pub key: Vec<String>,
    /// The model, and the kind of its forecast where that is not a statistical one.
    pub model: String,
    pub severity: Severity,
    /// What it is, in words.
    pub sentence: String,
    pub since: DateTime<Utc>,
    #[serde(default)]
    pub until: Option<DateTime<Utc>>,
    pub size: f64,
    pub money: f64,
    /// What coincides, most telling first.
    pub causes: Vec<Cause>,
}

/// What became of alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Begun,
    Reminder,
    Over,
}

impl Event {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Reminder => "reminder",
            Self::Over => "over",
        }
    }
}

/// What one destination is told of one rule at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The same for the same message, however often it is sent.
    pub id: String,
    pub event: Event,
    pub rule: String,
    pub severity: Severity,
    pub made_at: DateTime<Utc>,
    /// How many alerts it is about.
    pub count: usize,
    /// How many alerts of the rule go on after this.
    pub open: usize,
    /// What they cost together.
    pub money: f64,
    pub currency: String,
    /// The dearest of them, ten at most.
    pub alerts: Vec<Alert>,
    /// Hours until the next reminder, if there is one.
    #[serde(default)]
    pub remind_hours: Option<f64>,
    /// The fingerprints of those that are over and not named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
}

impl Message {
    /// The first line.
    pub fn subject(&self) -> String {
        let event = match self.event {
            Event::Begun => "",
            Event::Reminder => "still: ",
            Event::Over => "over: ",
        };
        match (self.count, self.alerts.first()) {
            (1, Some(alert)) => format!("{event}{}", alert.sentence),
            (count, _) => format!("{event}{} – {count} alerts", self.rule),
        }
    }

    /// The whole, line by line.
    pub fn text(&self) -> String {
        let mut lines = vec![self.subject(), String::new()];
        if self.count > 1 {
            let cost = if self.money > 0.0 {
                format!(", {} in all", money(self.money, &self.currency))
            } else {
                String::new()
            };
            lines.push(format!("{} alerts by rule `{}`{cost}:", self.count, self.rule));
        }
        for alert in &self.alerts {
            lines.push(format!("- {}", alert.sentence));
            let mut about = vec![format!("since {}", alert.since.format("%Y-%m-%d %H:%M UTC"))];
            if let Some(until) = alert.until {
                about.push(format!("until {}", until.format("%Y-%m-%d %H:%M UTC")));
            }
            if alert.money > 0.0 {
                about.push(format!("cost {}", money(alert.money, &self.currency)));
            }
            lines.push(format!("  {}", about.join("; ")));
            if !alert.causes.is_empty() {
                let causes: Vec<&str> = alert.causes.iter().map(|cause| cause.text.as_str()).collect();
                lines.push(format!("  probably: {}", causes.join("; ")));
            }
        }
        let more = self.count.saturating_sub(self.alerts.len());
        if more > 0 {
            lines.push(format!("- and {more} more"));
        }
        lines.push(String::new());
        lines.push(format!("Severity: {}. Alerts of this rule that go on: {}.", severity(self.severity), self.open));
        lines.join("\n")
    }
}

/// The name of a severity.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

/// An amount with its thousands apart.
fn money(amount: f64, currency: &str) -> String {
    let digits = format!("{:.0}", amount.abs());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    let sign = if amount < 0.0 { "-" } else { "" };
    if currency.is_empty() { format!("{sign}{text}") } else { format!("{sign}{text} {currency}") }
}

/// What was observed, in words.
pub(super) fn sentence(rule: &Rule, seen: &Observation) -> String {
    let whose = match seen.level {
        Level::Portfolio => "all series".to_string(),
        _ => seen.key.join(" / "),
    };
    let by = if seen.model.is_empty() { String::new() } else { format!(" by {}", seen.by()) };
    let step = rule.step.map(|step| format!(" at step {step}")).unwrap_or_default();
    let over = format!("over {} periods{step}", rule.window);
    let limit = match (rule.above, rule.below, rule.false_alarms) {
        (Some(limit), _, _) => format!("at most {} is allowed", number(limit)),
        (_, Some(limit), _) => format!("at least {} is expected", number(limit)),
        (_, _, Some(count)) => {
            format!("rarer than {} false alarm{} a quarter", number(count), if count == 1.0 { "" } else { "s" })
        }
        _ => String::new(),
    };
    let detail = if seen.detail.is_empty() { String::new() } else { format!(": {}", seen.detail) };
    let value = number(seen.value);
    match rule.what {
        // Detectors say themselves what they found.
        What::Error | What::Bias | What::Coverage if rule.detects() => format!("{}; {limit}", seen.detail),
        What::Drift if seen.level == Level::Portfolio && !seen.detail.is_empty() => seen.detail.clone(),
        What::Error if rule.measure == Measure::Mase => {
            format!("Forecasts of {whose}{by} miss by {value} times the naive error (MASE {over}); {limit}")
        }
        What::Error => format!("Forecasts of {whose}{by} miss by {value} % of sales (WAPE {over}); {limit}"),
        What::Bias => {
            let side = if seen.value > 0.0 { "too high" } else { "too low" };
            format!("Forecasts of {whose}{by} are {} % {side} {over}; {limit}", number(seen.value.abs()))
        }
        What::Coverage => format!(
            "{} % of actuals of {whose} lie in the interval{by} {over}; {}",
            number(100.0 * seen.value),
            match rule.below.or(rule.above) {
                Some(limit) => format!("{} % is the limit", number(100.0 * limit)),
                None => limit,
            }
        ),
        What::Drift => format!("{whose} drifted{by}{detail}; {limit}"),
        What::MissingData => format!("{value} % of the newest data of {whose} are missing{detail}; {limit}"),
        What::NoActuals => format!("Actuals are {value} periods late{by}{detail}; {limit}"),
        What::NoForecast => format!("The newest forecast{by} is {value} periods old{detail}; {limit}"),
        What::RetrainFailed if !seen.key.is_empty() => {
            format!("{} could not be fitted anew{detail}", seen.key.join(" / "))
        }
        What::RetrainFailed => format!("A model of {whose} could not be fitted anew{by}{detail}"),
    }
}

/// A number with three digits that count, or all before the point.
pub(crate) fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 || size == size.trunc() => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}
