//! How stock is replenished: the part of a form that the explorer and the decisions share.

use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::fields::{Fields, Input};
use crate::engine::Answer;

/// What the fields hold before anybody has touched them.
const USUAL: &[(&str, &str)] = &[("lead_time", "1"), ("review", "1"), ("service", "95")];

fn shown<'a>(fields: &'a Fields, name: &str) -> &'a str {
    if fields.has(name) {
        return fields.text(name);
    }
    USUAL.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
}

/// The fields of a plan that the form states.
///
/// # Errors
/// A field holds no number.
pub(super) fn policy(fields: &Fields) -> Answer<Map<String, Value>> {
    let held = Fields(
        ["lead_time", "review", "service", "holding", "shortage"]
            .iter()
            .map(|name| ((*name).to_string(), shown(fields, name).to_string()))
            .collect(),
    );
    let mut policy = Map::new();
    policy.insert("lead_time".into(), json!(held.whole("lead_time", "Arrives after", 0, 1000)?.unwrap_or(0)));
    policy.insert("review".into(), json!(held.whole("review", "Order every", 1, 1000)?.unwrap_or(1)));
    if let Some(percent) = held.number("service", "Chance to have enough")? {
        policy.insert("cycle_service".into(), json!((percent * 1e9).round() / 1e11));
    }
    for (name, label) in [("holding", "Cost of a unit left"), ("shortage", "Cost of a unit short")] {
        if let Some(cost) = held.number(name, label)? {
            policy.insert(name.into(), json!(cost));
        }
    }
    Ok(policy)
}

/// The fields; `steps` is what a step is called when there are several.
pub(super) fn policy_fields(fields: &Fields, steps: &str) -> Markup {
    let number = |name: &'static str, label: &'static str, unit: &'static str, hint: &'static str| Input {
        name,
        label,
        kind: "number",
        value: shown(fields, name),
        hint,
        least: Some("0"),
        unit,
        ..Input::default()
    };
    html! {
        div.pair {
            (Input { unit: steps, ..number("lead_time", "Arrives after", "", "") }.show())
            (Input { unit: steps, least: Some("1"), ..number("review", "Order every", "", "") }.show())
        }
        (Input { most: Some("99.99"), ..number("service", "Chance to have enough", "%", "Leave it empty to order at the least cost of the two below.") }.show())
        div.pair {
            (number("holding", "Cost of a unit left", "", "").show())
            (number("shortage", "Cost of a unit short", "", "").show())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &[(&str, &str)]) -> Fields {
        Fields(text.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }

    #[test]
    fn a_policy_is_read() {
        assert_eq!(
            Value::from(policy(&fields(&[])).unwrap()),
            json!({"lead_time": 1, "review": 1, "cycle_service": 0.95})
        );
        let stated = fields(&[("lead_time", "2"), ("service", ""), ("holding", "0,2"), ("shortage", "1")]);
        let read = Value::from(policy(&stated).unwrap());
        assert_eq!(read, json!({"lead_time": 2, "review": 1, "holding": 0.2, "shortage": 1.0}));
        assert_eq!(
            policy(&fields(&[("lead_time", "x")])).unwrap_err().detail,
            "Arrives after: “x” is not a whole number from 0 to 1000"
        );
    }
}
