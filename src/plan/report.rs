//! How a plan's report is written: for whom, in which currency or unit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Plan;
use crate::error::{Error, Result};
use crate::report::Report;

/// Whom a report is for: which sections it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// All of them: the first page, sections, and an appendix with the evidence.
    #[default]
    All,
    /// The first page, what comes, what to do, limits.
    Director,
    /// The same with accuracy and the data.
    Planner,
    /// All, the evidence before the forecast.
    Analyst,
}

impl Plan {
    /// An empty report, framed and worded as the plan says.
    ///
    /// # Errors
    /// When the plan's locale or names are none.
    pub(crate) fn blank_report(&self) -> Result<Report> {
        let report = Report::new(&self.title).worded(self.locale.as_deref(), self.names()?)?;
        Ok(match &self.templates {
            Some(folder) => report.templates(folder),
            None => report,
        })
    }

    /// The names that readers see for columns.
    fn names(&self) -> Result<Vec<(String, String)>> {
        let stated = self.names.as_deref().unwrap_or_default();
        let pairs = stated.split([',', ';']).map(str::trim).filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| match pair.split_once('=') {
                Some((column, name)) => Ok((column.trim().to_string(), name.trim().to_string())),
                None => Err(Error::usage(format!(
                    "`{pair}` names no column for readers: a column, `=` and a name, such as Weekly_Sales=Sales"
                ))),
            })
            .collect()
    }

    /// An amount with the plan's currency before it, or its unit behind.
    pub(crate) fn quantity(&self, amount: &str) -> String {
        let currency = self.currency.as_deref().unwrap_or_default().trim();
        let amount = match currency.chars().last() {
            None => amount.to_string(),
            // A code or a word stands apart, a sign does not.
            Some(last) if last.is_alphabetic() => format!("{currency} {amount}"),
            Some(_) => match amount.strip_prefix('−') {
                Some(size) => format!("−{currency}{size}"),
                None => format!("{currency}{amount}"),
            },
        };
        match self.unit.as_deref().unwrap_or_default().trim() {
            "" => amount,
            unit => format!("{amount} {unit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_a_currency_or_a_unit() {
        let plan = |currency: &str, unit: &str| Plan {
            currency: Some(currency.into()),
            unit: Some(unit.into()),
            ..Plan::default()
        };
        let cases = [
            ("$", "", "−$5"),
            ("EUR", "", "EUR −5"),
            ("", "pieces", "−5 pieces"),
            ("US$", "", "−US$5"),
            ("", "", "−5"),
        ];
        for (currency, unit, expected) in cases {
            assert_eq!(plan(currency, unit).quantity("−5"), expected);
        }
    }
}
