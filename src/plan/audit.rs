//! What is wrong with a plan's data, and which command mends them?

use serde_json::Value;

use super::{Group, Patch, Plan};
use crate::error::Result;
use crate::options;
use crate::panel::{Audit, Clean, Panel};

impl Plan {
    /// The audit of this plan's data as models see them: cleaned by its policy, aggregated, joined, with their features.
    /// Commands on its page state all that the plan states.
    ///
    /// # Errors
    /// As [`Plan::panel`] and [`Panel::audit`].
    pub fn audit(&self) -> Result<Audit> {
        let audit = self.panel()?.audit()?;
        Ok(audit.stated_by(self.flags()?, Clean::parse(&self.policy)?))
    }

    /// The flags that state the data of this plan, how they are read and what is made of them, without its policy.
    fn flags(&self) -> Result<Vec<(String, String)>> {
        let mut stated = options::stated(self)?;
        // Parameters were laid over the plan already.
        stated.shift_remove("params");
        let saved = self.columns()? == Self::default().columns()? && Panel::is_saved(&self.data);
        let columns = ["id", "time", "target"];
        let mut flags = Vec::new();
        for field in Patch::FIELDS.iter().copied() {
            if !matches!(Patch::group(field), Some(Group::Data | Group::Shape)) {
                continue;
            }
            // A column that bears its usual name is not guessed anew.
            let value = match stated.get(field) {
                Some(value) => text(field, value),
                None if columns.contains(&field) && !saved => {
                    options::fields(self)?.get(field).map(|value| text(field, value)).unwrap_or_default()
                }
                None => continue,
            };
            flags.push((field.to_string(), value));
        }
        Ok(flags)
    }
}

/// The value of a field as a flag takes it.
fn text(field: &str, value: &Value) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), String::from);
    let between = if ["join", "features"].contains(&field) { "; " } else { "," };
    match value {
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(between),
        value => plain(value),
    }
}
