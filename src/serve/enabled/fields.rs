//! Which fields of a plan may a request state? Those that say how a file is read, what is forecast and what is decided; never one that
//! names another file, a database, a server or a store.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use tradewind_serve::engine::Answer;
use tradewind_serve::{Fault, Kind};

use crate::error::suggestion;
use crate::panel::{Reading, files_of};
use crate::plan::{Patch, Plan};

/// What fields are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// How a file is read and prepared.
    Read,
    /// What is forecast, how far, and how models are compared.
    Forecast,
    /// How stock is replenished.
    Decide,
}

const ALL: [Purpose; 3] = [Purpose::Read, Purpose::Forecast, Purpose::Decide];

impl Purpose {
    fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Read => &[
                "id",
                "time",
                "target",
                "known",
                "observed",
                "fixed",
                "available",
                "freq",
                "season",
                "stamps",
                "time_format",
                "reading",
                "policy",
                "aggregate",
                "features",
            ],
            Self::Forecast => &[
                "models", "horizon", "gap", "levels", "scenario", "folds", "step", "window", "metric", "seed", "title",
            ],
            Self::Decide => &[
                "lead_time",
                "lead_time_sd",
                "review",
                "lost_sales",
                "backorders",
                "holding",
                "shortage",
                "order_cost",
                "lots",
                "lot",
                "belief",
                "classes",
                "cycle_service",
                "fill_rate",
                "cover",
                "budget",
                "space",
            ],
        }
    }

    /// The purposes of a name; all of them if it has another.
    fn named(name: &str) -> &'static [Purpose] {
        match name {
            "read" => &[Purpose::Read],
            "forecast" => &[Purpose::Read, Purpose::Forecast],
            "decide" => &[Purpose::Decide],
            _ => &ALL,
        }
    }
}

/// Is a field for this purpose?
pub(super) fn is_for(purpose: Purpose, field: &str) -> bool {
    purpose.fields().contains(&field)
}

fn allowed(purposes: &[Purpose]) -> impl Iterator<Item = &'static str> + '_ {
    purposes.iter().flat_map(|purpose| purpose.fields()).copied()
}

/// The JSON schema of a patch, every part of it in its place.
fn whole() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<Patch>().to_value()
}

/// The JSON schema of the fields for a purpose.
pub(super) fn schema(purpose: &str) -> Value {
    let mut schema = whole();
    let names: Vec<&str> = allowed(Purpose::named(purpose)).collect();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|name, _| names.contains(&name.as_str()));
        // What is left out is at its default: nobody has to state a null.
        properties.values_mut().for_each(without_null);
    }
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("type".into(), "object".into());
        schema.insert("additionalProperties".into(), false.into());
        ["$schema", "title", "description", "$defs"].iter().for_each(|name| {
            schema.remove(*name);
        });
    }
    schema
}

fn without_null(property: &mut Value) {
    let Some(property) = property.as_object_mut() else { return };
    if let Some(Value::Array(types)) = property.get_mut("type") {
        types.retain(|of| of != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            property.insert("type".into(), only);
        }
    }
    if property.get("default").is_some_and(Value::is_null) {
        property.remove("default");
    }
    if let Some(Value::Array(of)) = property.get_mut("anyOf") {
        of.retain(|one| one.get("type") != Some(&Value::from("null")));
    }
}

/// The fields that a request states.
///
/// # Errors
/// When a field is unknown, not for this purpose, or cannot have its value.
pub(super) fn patch(purposes: &[Purpose], stated: &Map<String, Value>) -> Answer<Patch> {
    let invalid = |detail: String| Fault::new(Kind::Invalid, detail);
    let mut fields = Map::new();
    let schema = if stated.values().any(Value::is_string) { whole() } else { Value::Null };
    for (name, value) in stated {
        if !allowed(purposes).any(|known| known == name) {
            let why = match Patch::FIELDS.contains(&name.as_str()) {
                true => format!("the field `{name}` cannot be stated here"),
                false => format!("there is no field `{name}`{}", suggestion(name, allowed(purposes))),
            };
            return Err(invalid(why));
        }
        if !value.is_null() {
            fields.extend(typed(&schema, name, value).map(|value| (name.clone(), value)));
        }
    }
    let patch: Patch = crate::options::read("the plan", fields)?;
    if let Some(reading) = &patch.reading
        && Reading::parse(reading)?.query.is_some()
    {
        return Err(invalid("`reading` cannot state a query here".into()));
    }
    if let Some(features) = &patch.features
        && !files_of(&features.names()).is_empty()
    {
        return Err(invalid("`features` cannot name a file here".into()));
    }
    patch.clone().over(Plan::default()).check()?;
    Ok(patch)
}

/// A value as its field takes it: forms send numbers and switches as texts, and nothing where a field is left empty.
fn typed(schema: &Value, name: &str, value: &Value) -> Option<Value> {
    let Value::String(text) = value else { return Some(value.clone()) };
    let of = &schema["properties"][name]["type"];
    let takes = |kind: &str| of == kind || of.as_array().is_some_and(|kinds| kinds.iter().any(|known| known == kind));
    let text = text.trim();
    match () {
        () if text.is_empty() && !takes("string") => None,
        () if takes("boolean") => match text {
            "true" | "on" | "yes" | "1" => Some(true.into()),
            "false" | "off" | "no" | "0" => Some(false.into()),
            _ => Some(value.clone()),
        },
        () if takes("integer") || takes("number") => {
            let number = text.parse::<u64>().map(Value::from).or_else(|_| text.parse::<f64>().map(Value::from));
            Some(number.unwrap_or_else(|_| value.clone()))
        }
        () => Some(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn no_field_names_a_place() {
        let places = [
            "data",
            "join",
            "query",
            "future",
            "stock",
            "on_hand",
            "calendar",
            "track",
            "store",
            "alerts",
            "params",
            "templates",
            "search",
            "lift",
            "experiment",
            "format",
            "overwrite",
        ];
        for name in places {
            assert!(Patch::FIELDS.contains(&name), "{name}");
            let refused = patch(&ALL, &fields(json!({name: "/etc/passwd"}))).unwrap_err();
            assert_eq!(refused.kind, Kind::Invalid);
            assert!(refused.detail.contains(&format!("`{name}`")), "{}", refused.detail);
            for purpose in ["read", "forecast", "decide", ""] {
                assert!(schema(purpose)["properties"].get(name).is_none(), "{name}");
            }
        }
        for hidden in [
            json!({"reading": "query='select 1'"}),
            json!({"features": "events(file=/etc/passwd)"}),
            json!({"features": ["month_end", "events(file=x.csv)"]}),
        ] {
            assert_eq!(patch(&ALL, &fields(hidden.clone())).unwrap_err().kind, Kind::Invalid, "{hidden}");
        }
    }

    #[test]
    fn every_field_that_is_allowed_is_one() {
        for name in allowed(&ALL) {
            assert!(Patch::FIELDS.contains(&name), "{name}");
        }
        let decide = schema("decide");
        assert_eq!(decide["properties"]["lead_time"]["type"], "integer");
        assert_eq!(decide["additionalProperties"], false);
        assert!(!decide.to_string().contains("$ref"));
    }

    #[test]
    fn forms_send_texts() {
        let stated = json!({"lead_time": "2", "review": 1.0, "holding": "0.2", "backorders": "on", "shortage": "", "lots": "fixed"});
        let read = patch(&[Purpose::Decide], &fields(stated)).unwrap();
        assert_eq!((read.lead_time, read.review, read.holding), (Some(2), Some(1), Some(0.2)));
        assert_eq!((read.backorders, read.shortage), (Some(true), None));
        let wrong = patch(&[Purpose::Decide], &fields(json!({"lead_time": "soon"}))).unwrap_err();
        assert!(wrong.kind == Kind::Invalid && wrong.detail.contains("lead_time"), "{}", wrong.detail);
        let near = patch(&[Purpose::Decide], &fields(json!({"lead_tim": 2}))).unwrap_err();
        assert!(near.detail.contains("did you mean `lead_time`?"), "{}", near.detail);
    }
}
