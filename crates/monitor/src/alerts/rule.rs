//! What is watched, and who is told?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::observe::{Costs, Observation};
use crate::error::{Error, Result};
use crate::scores::WINDOWS;
use crate::store::Kind;

/// What a rule watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Forecast errors over a window: WAPE in %, or MASE.
    Error,
    /// The bias over a window, in % of sales; too high or too low.
    Bias,
    /// The share of actuals within the outermost interval over a window.
    Coverage,
    /// Inputs that are no longer as they were: 1 is a little, 2 is much, so that `above = 0` tells of both.
    Drift,
    /// Series with a forecast for the newest date and no actual, in %.
    MissingData,
    /// Periods since the newest actual.
    NoActuals,
    /// Periods since the newest forecast.
    NoForecast,
    /// A model that could not be fitted anew.
    RetrainFailed,
}

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Portfolio,
    Group,
    Series,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

/// By which measure errors are watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    #[default]
    Wape,
    Mase,
}

/// One thing that is watched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name: with level and key it names an alert.
    pub name: String,
    pub what: What,
    pub level: Level,
    /// The key columns of the groups, where the level is `group`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// The model that is watched; every one if not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The kind of forecast that is watched; every one if not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Periods that are added up: 4, 13 or 52.
    #[serde(default = "four")]
    pub window: usize,
    /// The step that is watched, from 1; all together if not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    #[serde(default)]
    pub measure: Measure,
    /// Alert above this size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    /// Alert below this size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
    /// How many false alarms a quarter are accepted of all series or groups together; for what states how likely it is by
    /// chance, as detectors do. For errors, bias and coverage it asks for the detectors of [`crate::monitor`] in place of a
    /// limit on size: they watch the first step that was forecast, whatever `step` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub false_alarms: Option<f64>,
    /// For how many periods in a row it must hold.
    #[serde(default = "one")]
    pub periods: u32,
    pub severity: Severity,
    /// Hours between reminders; none if not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_hours: Option<f64>,
    /// The names of destinations.
    pub to: Vec<String>,
}

fn four() -> usize {
    4
}

fn one() -> u32 {
    1
}

/// How a mail server is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// Encrypted after the greeting (port 587).
    #[default]
    Starttls,
    /// Encrypted from the start (port 465).
    Implicit,
    /// In clear (port 25): without a password, within one's own network.
    None,
}

/// Where messages go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Destination {
    /// A line of JSON at the end of a file.
    Log { path: String },
    /// JSON to a URL, which an environment variable holds if it is itself a secret.
    Webhook {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url_env: Option<String>,
        /// The variable that holds the key of the signature: `X-Tradewind-Signature: sha256=` HMAC-SHA256 of the body.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        secret_env: Option<String>,
        #[serde(default = "ten")]
        timeout_seconds: f64,
    },
    /// Mail in plain text.
    Mail {
        host: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
        #[serde(default)]
        tls: Tls,
        from: String,
        to: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user_env: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password_env: Option<String>,
        #[serde(default = "ten")]
        timeout_seconds: f64,
    },
    /// Prometheus Alertmanager, by its address: `http://127.0.0.1:9093`.
    Alertmanager {
        url: String,
        /// The variable that holds a bearer token.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token_env: Option<String>,
        #[serde(default = "ten")]
        timeout_seconds: f64,
    },
}

fn ten() -> f64 {
    10.0
}

/// What a unit costs that was forecast too much or too little, in the currency of the rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnitCosts {
    /// Of a unit forecast too much: left over, marked down.
    pub over: f64,
    /// Of a unit forecast too little: the lost margin.
    pub under: f64,
    /// A file with the costs of single series. This crate reads no files: whoever opens a monitor does, and answers with
    /// what is in it in [`crate::monitor::MonitorOptions::costs`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

impl UnitCosts {
    /// The costs of a series that no file states.
    pub fn usual(&self) -> Costs {
        Costs { over: self.over, under: self.under }
    }

    fn check(&self) -> Result<()> {
        for (name, cost) in [("over", self.over), ("under", self.under)] {
            if !(cost.is_finite() && cost >= 0.0) {
                return Err(Error::usage(format!(
                    "costs: `{name}` is what a unit costs, a number that is not below 0, not {cost}"
                )));
            }
        }
        Ok(())
    }
}

/// All that is watched, and where messages go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// The names of the key columns.
    #[serde(default)]
    pub keys: Vec<String>,
    /// The key column whose values are the classes of products by which planners' overrides are judged; classes A, B and C by
    /// what is sold if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The currency of costs, for messages.
    #[serde(default)]
    pub currency: String,
    /// How many periods a quarter has: 13 weeks, 91 days, 3 months.
    #[serde(default = "thirteen")]
    pub periods_a_quarter: f64,
    /// What errors cost; unknown if not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub costs: Option<UnitCosts>,
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
    #[serde(default, rename = "destination")]
    pub destinations: BTreeMap<String, Destination>,
}

fn thirteen() -> f64 {
    13.0
}

impl Default for Rules {
    /// Nothing is watched; a quarter has 13 periods.
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            class: None,
            currency: String::new(),
            periods_a_quarter: thirteen(),
            costs: None,
            rules: Vec::new(),
            destinations: BTreeMap::new(),
        }
    }
}

impl Rules {
    /// Are they without contradiction?
    ///
    /// # Errors
    /// The first that is not, and what to state instead.
    pub fn check(&self) -> Result<()> {
        let mut names = std::collections::BTreeSet::new();
        for rule in &self.rules {
            let wrong = |what: &str| Err(Error::usage(format!("rule `{}`: {what}", rule.name)));
            if rule.name.is_empty() || !names.insert(&rule.name) {
                return wrong("each rule needs a name of its own");
            }
            let limits = [rule.above, rule.below, rule.false_alarms];
            if limits.iter().flatten().count() != 1 {
                return wrong("state one of above, below and false_alarms");
            }
            if limits.iter().flatten().any(|limit| !limit.is_finite()) {
                return wrong("the limit must be a number");
            }
            if !WINDOWS.contains(&rule.window) {
                return wrong("the window is 4, 13 or 52 periods");
            }
            if rule.false_alarms.is_some_and(|count| count <= 0.0) {
                return wrong("false_alarms must be above 0");
            }
            if rule.periods == 0 || rule.step == Some(0) {
                return wrong("periods and step count from 1");
            }
            if rule.remind_hours.is_some_and(|hours| hours.is_nan() || hours <= 0.0) {
                return wrong("remind_hours must be above 0");
            }
            if (rule.level == Level::Group) == rule.by.is_empty() {
                return wrong("`by` states the key columns of groups, for the level `group` alone");
            }
            self.columns(rule)?;
            if rule.to.is_empty() {
                return wrong("state in `to` where its messages go");
            }
            if let Some(missing) = rule.to.iter().find(|name| !self.destinations.contains_key(*name)) {
                return wrong(&format!("there is no destination `{missing}`; describe it in [destination.{missing}]"));
            }
        }
        if let Some(class) = self.class.as_ref().filter(|class| !self.keys.contains(class)) {
            return Err(Error::usage(format!(
                "`class` names `{class}`, which is no key column; there is {}",
                self.keys.join(", ")
            )));
        }
        if self.periods_a_quarter.is_nan() || self.periods_a_quarter <= 0.0 {
            return Err(Error::usage("periods_a_quarter must be above 0"));
        }
        if let Some(costs) = &self.costs {
            costs.check()?;
        }
        self.destinations.iter().try_for_each(|(name, destination)| destination.check(name))
    }

    /// The places of the columns that a rule groups by.
    pub(crate) fn columns(&self, rule: &Rule) -> Result<Vec<usize>> {
        let place = |name: &String| {
            self.keys.iter().position(|key| key == name).ok_or_else(|| {
                Error::usage(format!(
                    "rule `{}` groups by `{name}`, which is no key column; there is {}",
                    rule.name,
                    self.keys.join(", ")
                ))
            })
        };
        rule.by.iter().map(place).collect()
    }
}

impl Rule {
    /// Does it ask for the detectors of errors?
    pub(crate) fn detects(&self) -> bool {
        self.false_alarms.is_some() && matches!(self.what, What::Error | What::Bias | What::Coverage)
    }

    /// Is it about the forecasts of this model and kind?
    pub(crate) fn is_for(&self, model: &str, kind: Kind) -> bool {
        self.model.as_ref().is_none_or(|of| of == model) && self.kind.is_none_or(|of| of == kind)
    }

    /// Is it about what was observed?
    pub(super) fn watches(&self, seen: &Observation) -> bool {
        self.what == seen.what
            && self.level == seen.level
            && seen.rule.as_ref().is_none_or(|rule| *rule == self.name)
            && self.model.as_ref().is_none_or(|model| seen.model.is_empty() || *model == seen.model)
            && self.kind.is_none_or(|kind| seen.kind.is_none_or(|of| of == kind))
    }

    /// Is what was observed beyond the limit? `tests` is how many are watched at once.
    ///
    /// A limit on false alarms: of `tests` that each alert by chance with probability p a period, `tests` × p × periods a
    /// quarter are expected, so p may be that much (Bonferroni).
    pub(super) fn is_broken(&self, seen: &Observation, tests: usize, periods_a_quarter: f64) -> bool {
        // A bias too low is as bad as one too high.
        let size = if self.what == What::Bias { seen.value.abs() } else { seen.value };
        let rare = |allowed: f64| seen.odds.is_some_and(|odds| odds * tests as f64 * periods_a_quarter <= allowed);
        self.above.is_some_and(|limit| size > limit)
            || self.below.is_some_and(|limit| size < limit)
            || self.false_alarms.is_some_and(rare)
    }
}

/// What is said where mail was left out of the program.
pub(super) const NO_MAIL: &str =
    "this program was built without mail; send to a webhook, or build it with the feature `mail`";

impl Destination {
    fn check(&self, name: &str) -> Result<()> {
        let wrong = |what: &str| Err(Error::usage(format!("destination `{name}`: {what}")));
        let plain = |url: &String| (url.starts_with("http://") || url.starts_with("https://")) && !url.contains('@');
        const PLAIN: &str = "write the URL as http(s)://HOST/…, without a password in it";
        match self {
            Self::Log { path } if path.is_empty() => wrong("state the path of its file"),
            Self::Webhook { url, url_env, .. } if url.is_some() == url_env.is_some() => {
                wrong("state `url`, or in `url_env` the environment variable that holds it")
            }
            Self::Webhook { url: Some(url), .. } | Self::Alertmanager { url, .. } if !plain(url) => wrong(PLAIN),
            Self::Mail { .. } if cfg!(not(feature = "mail")) => wrong(NO_MAIL),
            Self::Mail { user_env, password_env, .. } if user_env.is_some() != password_env.is_some() => {
                wrong("user_env and password_env go together")
            }
            Self::Mail { tls: Tls::None, password_env: Some(_), .. } => {
                wrong("a password is not sent in clear; state tls = \"starttls\" or \"implicit\"")
            }
            Self::Mail { to, .. } if to.is_empty() => wrong("state in `to` who gets the mail"),
            Self::Webhook { timeout_seconds, .. }
            | Self::Alertmanager { timeout_seconds, .. }
            | Self::Mail { timeout_seconds, .. }
                if !(*timeout_seconds > 0.0 && *timeout_seconds <= 600.0) =>
            {
                wrong("timeout_seconds must lie between 0 and 600")
            }
            _ => Ok(()),
        }
    }
}
