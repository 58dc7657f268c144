//! How is the API described? As OpenAPI, from the handlers themselves; what depends on the engine is filled in when it is asked for.

use std::collections::BTreeMap;

use axum::extract::State;
use serde_json::{Value, json};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi};

use super::{forecast, operate, work};
use crate::app::App;
use crate::fault::Kind;
use crate::problem::Problem;

/// The refusals that every operation knows.
pub(super) struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let refusal = |description: &str| {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            ResponseBuilder::new().description(description).content("application/problem+json", content).build()
        };
        BTreeMap::from([
            ("4XX".to_string(), refusal("Refused: the problem says why, and what to do").into()),
            ("5XX".to_string(), refusal("Not possible now: the problem says why").into()),
        ])
    }
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Tradewind", description = "Forecasts of sales, and what to order.", license(name = "MIT OR Apache-2.0")),
    paths(
        forecast::forecast, forecast::decide, forecast::models, forecast::series, work::add_job, work::jobs, work::job,
        work::cancel_job, work::job_events, work::result, work::report, work::add_upload, work::uploads, work::upload,
        work::remove_upload, operate::actuals, operate::alerts, operate::healthy, operate::ready, operate::metrics
    ),
    components(schemas(Problem)),
    security(("token" = [])),
    modifiers(&Scheme)
)]
struct Document;

struct Scheme;

impl Modify for Scheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("`tradewind token new NAME`"));
        let parts = document.components.get_or_insert_default();
        parts.security_schemes.insert("token".into(), SecurityScheme::Http(token.build()).into());
    }
}

/// The document.
pub(super) async fn document(State(app): State<App>) -> axum::Json<Value> {
    let mut document = app.document(|| described(&app)).clone();
    if app.is_open() {
        document["security"] = json!([]);
    }
    axum::Json(document)
}

fn described(app: &App) -> Value {
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    document["info"]["version"] = app.settings().version.clone().into();
    if let Some(url) = &app.settings().public_url {
        document["servers"] = json!([{"url": url}]);
    }
    // Which fields of a plan a request may have is known to the engine.
    let schemas = &mut document["components"]["schemas"];
    for (schema, field, purpose) in [("DecideRequest", "policy", "decide"), ("JobRequest", "plan", "")] {
        let fields = app.engine().fields(purpose);
        let place = &mut schemas[schema]["properties"][field];
        for key in ["type", "properties", "additionalProperties", "$defs"] {
            if let Some(value) = fields.get(key) {
                place[key] = value.clone();
            }
        }
    }
    let names: Vec<String> = Kind::ALL.iter().map(|kind| format!("urn:tradewind:{}", kind.name())).collect();
    schemas["Problem"]["properties"]["type"]["enum"] = names.into();
    document
}
