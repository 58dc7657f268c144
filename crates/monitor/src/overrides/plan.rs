//! What did a planner want, until when, and why?
//!
//! An override speaks of the *total* of a selection of series, date by date: whoever sets a region to 500 says nothing
//! of its stores. How it reaches them is the matter of [`apply`](super::apply).

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What becomes of the total of the selection at each date.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It becomes this, in units.
    Set(f64),
    /// This is added to the statistical forecast, in units; below 0 to lower it.
    Add(f64),
    /// This share of the statistical forecast is added, in %; above −100.
    Percent(f64),
}

impl How {
    /// The total wanted, for a total of the statistical forecast.
    pub fn of(self, total: f64) -> f64 {
        match self {
            Self::Set(units) => units,
            Self::Add(units) => total + units,
            Self::Percent(percent) => total * (1.0 + percent / 100.0),
        }
    }
}

/// A change to the forecast of a selection of series and dates, by whom and why.
///
/// ```
/// use tradewind_monitor::overrides::{How, Override};
/// let text = r#"
///     id = "17"
///     author = "ann"
///     reason = "promotion"
///     made_at = "2026-01-05T09:00:00Z"
///     expires = "2026-02-01"
///     selection = { store = "north", item = "A-7" }
///     from = "2026-01-12"
///     to = "2026-01-25"
///     how = { percent = 30 }
/// "#;
/// let change: Override = toml::from_str(text).unwrap();
/// change.check().unwrap();
/// assert_eq!(change.how, How::Percent(30.0));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Its name; no other has it.
    pub id: String,
    pub author: String,
    pub reason: String,
    pub made_at: DateTime<Utc>,
    /// The last day (UTC) on which it is heeded; without one, until it is withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<NaiveDate>,
    /// Key columns and the value that each must have; all series if there are none.
    #[serde(default)]
    pub selection: BTreeMap<String, String>,
    /// The first day whose forecasts are changed.
    pub from: NaiveDate,
    /// The last day whose forecasts are changed.
    pub to: NaiveDate,
    pub how: How,
}

impl Override {
    /// Is it stated without contradiction?
    ///
    /// # Errors
    /// The first thing that is not, and what to state instead.
    pub fn check(&self) -> Result<()> {
        let wrong = |what: &str| Err(Error::usage(format!("override `{}`: {what}", self.id)));
        if self.id.trim().is_empty() {
            return Err(Error::usage(format!("an override by `{}` has no id; give each one of its own", self.author)));
        }
        if self.author.trim().is_empty() {
            return wrong("state in `author` who made it");
        }
        if self.reason.trim().is_empty() {
            return wrong("state in `reason` why it was made");
        }
        if self.from > self.to {
            return wrong(&format!("`from` ({}) lies after `to` ({}); exchange them", self.from, self.to));
        }
        if self.selection.keys().any(String::is_empty) {
            return wrong("a column of `selection` has no name; state column = value");
        }
        match self.how {
            How::Set(units) | How::Add(units) if !units.is_finite() => wrong("state its units as a finite number"),
            How::Percent(percent) if !(percent.is_finite() && percent > -100.0) => {
                wrong("state `percent` as a number above -100, or `set = 0` for nothing at all")
            }
            _ => Ok(()),
        }
    }
}
