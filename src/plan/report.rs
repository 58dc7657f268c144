//! How a plan's report is written: for whom, in which currency or unit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Plan;

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
