//! Which fields of a plan may a request state? Those that say how a file is read, what is forecast and what is decided; never one that
//! names another file, a database, a server or a store.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use tradewind_serve::engine::Answer;
use tradewind_serve::{Fault, Kind};

use crate::error::{Error, Result, suggestion};
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

/// The largest whole number that every reader of JSON takes for what it is.
const LARGEST: u64 = (1 << 53) - 1;

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
        properties.values_mut().for_each(bounded);
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

/// Says up to where a whole number is read.
fn bounded(property: &mut Value) {
    let Some(property) = property.as_object_mut() else { return };
    if property.get("format").is_some_and(|format| format == "uint" || format == "uint64") {
        property.insert("maximum".into(), LARGEST.into());
    }
}

/// The fields that a request states.
///
/// # Errors
/// When a field is unknown, not for this purpose, or cannot have its value.
pub(super) fn patch(purposes: &[Purpose], stated: &Map<String, Value>) -> Answer<Patch> {
    for name in stated.keys() {
        if !allowed(purposes).any(|known| known == name) {
            let (kind, why) = match Patch::FIELDS.contains(&name.as_str()) {
                true if allowed(&ALL).any(|known| known == name) => {
                    (Kind::UnusablePlan, format!("the field `{name}` says nothing of what is asked for here"))
                }
                true => (Kind::Invalid, format!("the field `{name}` cannot be stated here")),
                false => (Kind::Invalid, format!("there is no field `{name}`{}", suggestion(name, allowed(purposes)))),
            };
            return Err(Fault::new(kind, why));
        }
    }
    let patch: Patch = crate::options::read("the plan", stated.clone())?;
    // What is of the right kind and still means nothing is told apart from what is not.
    usable(&patch).map_err(|error| Fault::new(Kind::UnusablePlan, error.to_string()))?;
    Ok(patch)
}

/// Can the fields be followed?
fn usable(patch: &Patch) -> Result<()> {
    if let Some(reading) = &patch.reading
        && Reading::parse(reading)?.query.is_some()
    {
        return Err(Error::usage("`reading` cannot state a query here"));
    }
    if let Some(features) = &patch.features
        && !files_of(&features.names()).is_empty()
    {
        return Err(Error::usage("`features` cannot name a file here"));
    }
    patch.clone().over(Plan::default()).check()
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
            assert_eq!(patch(&ALL, &fields(hidden.clone())).unwrap_err().kind, Kind::UnusablePlan, "{hidden}");
        }
    }

    #[test]
    fn every_field_that_is_allowed_is_one() {
        for name in allowed(&ALL) {
            assert!(Patch::FIELDS.contains(&name), "{name}");
        }
        let decide = schema("decide");
        assert_eq!(decide["properties"]["lead_time"]["type"], json!(["integer", "null"]));
        assert_eq!(decide["properties"]["lead_time"]["maximum"], LARGEST);
        let list = schema("forecast")["properties"]["models"].to_string();
        assert!(list.contains("array") && list.contains("string"), "{list}");
        assert_eq!(decide["additionalProperties"], false);
        assert!(!decide.to_string().contains("$ref"));
    }

    #[test]
    fn values_are_of_their_kinds() {
        let stated = json!({"lead_time": 2, "review": 1.0, "backorders": true, "shortage": null, "lots": "fixed"});
        let read = patch(&[Purpose::Decide], &fields(stated)).unwrap();
        assert_eq!((read.lead_time, read.review), (Some(2), Some(1)));
        assert_eq!((read.backorders, read.shortage), (Some(true), None));
        for wrong in [json!({"lead_time": "2"}), json!({"lead_time": -1}), json!({"holding": [1]})] {
            let refused = patch(&[Purpose::Decide], &fields(wrong.clone())).unwrap_err();
            assert_eq!(refused.kind, Kind::Invalid, "{wrong}: {}", refused.detail);
        }
        for names in [json!("theta; naive"), json!(["theta", "naive"])] {
            let read = patch(&[Purpose::Forecast], &fields(json!({"models": names}))).unwrap();
            assert_eq!(read.models.unwrap().names(), ["theta", "naive"]);
        }
        let near = patch(&[Purpose::Decide], &fields(json!({"lead_tim": 2}))).unwrap_err();
        assert!(near.detail.contains("did you mean `lead_time`?"), "{}", near.detail);
        let unknown = patch(&[Purpose::Forecast], &fields(json!({"models": "thetta"}))).unwrap_err();
        assert_eq!(unknown.kind, Kind::UnusablePlan, "{}", unknown.detail);
    }
}
