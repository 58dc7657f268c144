//! Is it time to fit again? Where an alert goes on that began under the champion, or where the champion has grown old.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::show::words::counted;
use crate::show::{Block, Show};
use crate::track::Runs;

/// Is it time to fit again, and why?
#[derive(Clone)]
pub struct Due(Arc<Inner>);

struct Inner {
    is_due: bool,
    why: String,
}

impl Due {
    fn new(is_due: bool, why: String) -> Self {
        Self(Arc::new(Inner { is_due, why }))
    }

    /// Is it time?
    pub fn is_due(&self) -> bool {
        self.0.is_due
    }

    /// Why it is time, or why not: `not due: version 3 of shop is 12 days old`.
    pub fn sentence(&self) -> String {
        let what = if self.0.is_due { "due" } else { "not due" };
        format!("{what}: {}", self.0.why)
    }
}

impl Show for Due {
    fn block(&self) -> Block {
        Block::Text(self.sentence())
    }
}

crate::show::noun!(Due);

/// What makes a retraining due: one of them is enough.
#[derive(Default)]
struct When {
    alert: bool,
    /// An age of the champion, and how it was written.
    age: Option<(TimeDelta, String)>,
}

impl When {
    fn parse(text: &str) -> Result<Self> {
        let mut when = Self::default();
        for word in text.split(',').map(str::trim) {
            if word == "alert" {
                when.alert = true;
                continue;
            }
            let age = age(word).ok_or_else(|| {
                Error::usage(format!(
                    "`{word}` makes no retraining due; write alert, an age such as 28d, 4w or 12h, or both"
                ))
            })?;
            if when.age.replace((age, word.to_string())).is_some() {
                return Err(Error::usage(format!("`{text}` states two ages; state one")));
            }
        }
        Ok(when)
    }
}

/// `28d`, `4w`, `12h`.
fn age(word: &str) -> Option<TimeDelta> {
    let unit = word.chars().last()?;
    let count: u32 = word.strip_suffix(unit)?.trim_end().parse().ok().filter(|count| *count > 0)?;
    let hours = match unit {
        'h' => 1,
        'd' => 24,
        'w' => 7 * 24,
        _ => return None,
    };
    TimeDelta::try_hours(i64::from(count) * hours)
}

/// An age in words: `3 days`.
fn aged(age: TimeDelta) -> String {
    let whole = |number: i64| usize::try_from(number).unwrap_or_default();
    match age.num_days() {
        0 => counted(whole(age.num_hours()), "hour", "hours"),
        days => counted(whole(days), "day", "days"),
    }
}

impl Plan {
    /// Is it time to fit again? `when` says what makes it so: `alert`, if an alert of severity warning or critical goes on in the plan's
    /// store that is about errors, bias, coverage or drift and began after the champion was made; an age of the champion, `28d`, `4w` or
    /// `12h`; or either of both, `alert, 28d`. Without a champion it always is.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let home = tempfile::tempdir().unwrap();
    /// let runs = Runs::at(home.path().join("mlruns").to_str())?;
    /// let plan = Plan::read_text(r#"
    ///     data = "data/walmart_sales_weekly.csv"
    ///     id = ["Store", "Dept"]
    ///     time = "Date"
    ///     target = "Weekly_Sales"
    ///     models = "naive"
    ///     experiment = "departments"
    /// "#)?;
    /// assert!(plan.is_due(&runs, "28d")?.is_due());
    /// plan.retrain(&runs)?;
    /// assert_eq!(plan.is_due(&runs, "28d")?.sentence(), "not due: version 1 of departments is 0 hours old");
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `when` is none of these, alerts are asked for and the plan names no store, or runs or store cannot be read.
    pub fn is_due(&self, runs: &Runs, when: &str) -> Result<Due> {
        let wanted = When::parse(when)?;
        let monitor = match wanted.alert {
            false => None,
            true => Some(self.monitor()?.ok_or_else(|| {
                Error::usage("alerts are kept in a store, and the plan names none: state store, or an age such as 28d")
            })?),
        };
        let name = self.model_name();
        let Some(champion) = runs.champion(&name)? else {
            return Ok(Due::new(true, format!("{name} has no champion yet")));
        };
        let made = DateTime::<Utc>::from_timestamp_millis(champion.created).unwrap_or_default();
        let old = Utc::now().signed_duration_since(made);
        let version = format!("version {} of {name} is {} old", champion.version, aged(old));
        if let Some(monitor) = monitor {
            let troubles = monitor.troubles_since(made)?;
            if let Some(first) = troubles.first() {
                let more = match troubles.len() - 1 {
                    0 => String::new(),
                    more => format!(", and {}", counted(more, "other alert", "other alerts")),
                };
                return Ok(Due::new(true, format!("{first}{more}")));
            }
        }
        match wanted.age {
            Some((age, written)) if old >= age => Ok(Due::new(true, format!("{version}, {written} or more"))),
            _ if wanted.alert => Ok(Due::new(false, format!("{version}, and no alert raised since then goes on"))),
            _ => Ok(Due::new(false, version)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read() {
        let when = When::parse("alert, 28d").unwrap();
        assert!(when.alert);
        assert_eq!(when.age, Some((TimeDelta::days(28), "28d".into())));
        assert_eq!(When::parse("4w").unwrap().age.unwrap().0, TimeDelta::days(28));
        assert_eq!(When::parse(" 12h ").unwrap().age.unwrap().0, TimeDelta::hours(12));
        for wrong in ["", "alerts", "28", "d", "0d", "-3d", "3.5d", "28m", "28ä", "alert,", "1d, 2d", "99999999999d"] {
            assert!(When::parse(wrong).is_err_and(|error| error.is_usage()), "{wrong}");
        }
    }
}
