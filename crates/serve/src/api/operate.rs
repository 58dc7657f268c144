//! What was sold; alerts of Prometheus; is the server well?

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::Map;
use utoipa::ToSchema;

use super::Json;
use super::describe::Refusals;
use crate::access::{Person, Role, hash};
use crate::app::App;
use crate::engine::{Actual, JobKind, JobRequest, Received, objects};
use crate::fault::{Fault, Kind};
use crate::metrics::Now;

/// What was sold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Actuals {
    /// One for each series and date.
    #[serde(deserialize_with = "objects")]
    #[schema(min_items = 1)]
    actuals: Vec<Actual>,
}

/// Take in what was sold.
///
/// Issued forecasts of those dates are scored, and whoever the rules name is told. The same values again change nothing.
#[utoipa::path(post, path = "/v1/actuals", tag = "Operation", operation_id = "actuals", request_body = Actuals,
    responses((status = 200, description = "What came of it", body = Received), Refusals))]
pub(super) async fn actuals(
    State(app): State<App>,
    person: Person,
    Json(actuals): Json<Actuals>,
) -> Result<axum::Json<Received>, Fault> {
    person.must_be(Role::Operator)?;
    if actuals.actuals.is_empty() {
        return Err(Fault::new(Kind::Invalid, "`actuals` is empty"));
    }
    Ok(axum::Json(app.ask(move |engine| engine.receive(&actuals.actuals)).await?))
}

/// What Alertmanager sends to a webhook; what is not needed here is not read.
#[derive(Deserialize, ToSchema)]
pub(super) struct Webhook {
    /// The alerts.
    #[serde(deserialize_with = "objects")]
    alerts: Vec<Alert>,
}

/// One alert.
#[derive(Deserialize, ToSchema)]
pub(super) struct Alert {
    /// `firing` or `resolved`.
    #[schema(example = "firing")]
    status: String,
    /// Its labels; `action="retrain"` asks for a challenger.
    #[serde(default)]
    #[schema(example = json!({"alertname": "TradewindInputDrift", "action": "retrain"}))]
    labels: BTreeMap<String, String>,
    /// The same as long as it is the same alert.
    #[serde(default)]
    fingerprint: String,
    /// Since when.
    #[serde(default, rename = "startsAt")]
    starts_at: String,
}

/// What came of alerts.
#[derive(Serialize, ToSchema)]
pub(super) struct Heard {
    /// Jobs that retrain, by id; one alert starts one, however often it is told.
    jobs: Vec<String>,
}

/// Hear an alert.
///
/// The webhook of Alertmanager: a firing alert with the label `action="retrain"` starts a job that lets a challenger against the champion.
#[utoipa::path(post, path = "/v1/alerts", tag = "Operation", operation_id = "alerts", request_body = Webhook,
    responses((status = 202, description = "Heard", body = Heard), Refusals))]
pub(super) async fn alerts(
    State(app): State<App>,
    person: Person,
    Json(webhook): Json<Webhook>,
) -> Result<Response<Body>, Fault> {
    person.must_be(Role::Operator)?;
    let mut jobs = Vec::new();
    let is_asked = |alert: &&Alert| {
        alert.status == "firing" && alert.labels.get("action").is_some_and(|action| action == "retrain")
    };
    for alert in webhook.alerts.iter().filter(is_asked) {
        let labels = format!("{:?}", alert.labels);
        let key = hash(&format!("{} {} {labels}", alert.fingerprint, alert.starts_at));
        let request = JobRequest { kind: JobKind::Retrain, model: None, upload: None, plan: Map::new() };
        let job = app.jobs().add(&person, &request, Some(&key)).await?;
        if !jobs.contains(&job.id) {
            jobs.push(job.id);
        }
    }
    Ok((axum::http::StatusCode::ACCEPTED, axum::Json(Heard { jobs })).into_response())
}

/// Is it well?
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`, or what is wrong.
    status: &'static str,
}

/// Does the process live?
#[utoipa::path(get, path = "/healthz", tag = "Operation", operation_id = "healthy", security(()),
    responses((status = 200, description = "It lives", body = Health), Refusals))]
pub(super) async fn healthy() -> axum::Json<Health> {
    axum::Json(Health { status: "ok" })
}

/// Can it answer?
///
/// 503 while the store cannot be asked, and from the moment at which the server is asked to end.
#[utoipa::path(get, path = "/readyz", tag = "Operation", operation_id = "ready", security(()),
    responses((status = 200, description = "It answers", body = Health), Refusals))]
pub(super) async fn ready(State(app): State<App>) -> Result<axum::Json<Health>, Fault> {
    if app.is_ending() {
        return Err(Fault::new(Kind::Unavailable, "the server is ending"));
    }
    app.check_store().await.map_err(|_| Fault::new(Kind::Unavailable, "the store cannot be asked"))?;
    Ok(axum::Json(Health { status: "ok" }))
}

/// Measure.
///
/// Requests, forecasts, jobs, accuracy, coverage, drift, ages of data and models, for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "Operation", operation_id = "metrics",
    responses((status = 200, description = "OpenMetrics", body = String,
        content_type = "application/openmetrics-text"), Refusals))]
pub(super) async fn metrics(State(app): State<App>, _person: Person) -> Result<Response<Body>, Fault> {
    let jobs = app.jobs().waiting().await.ok();
    let gauges = app.ask(|engine| engine.gauges()).await;
    if let Err(fault) = &gauges {
        tracing::debug!(%fault, "without accuracy and drift");
    }
    let now = Now {
        version: app.settings().version.clone(),
        started: app.started(),
        models: app.engine().models(),
        gauges: gauges.ok(),
        jobs,
    };
    let text = app.metrics().text(now).map_err(|cause| Fault::new(Kind::Internal, cause.to_string()))?;
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
