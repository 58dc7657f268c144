//! What will be sold, what is to be ordered, which models are there?

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::describe::Refusals;
use super::{Json, Path, Query};
use crate::access::{Person, Role};
use crate::app::App;
use crate::engine::{DecideAnswer, DecideRequest, ForecastAnswer, ForecastRequest, ModelCard, SeriesPage};
use crate::fault::{Fault, Kind};

/// A forecast of so few values is made at once, on the thread that read the request.
const LIGHT: usize = 400;

/// How many values a request asks for, or brings along: a row of the future without a series is one for each.
fn weight(app: &App, request: &ForecastRequest) -> Result<usize, Fault> {
    let given = request.future.len().saturating_mul(request.series.len().max(1));
    Ok(app.engine().weight(request)?.max(given))
}

/// Forecast some series.
///
/// Mean and quantiles of each coming step: of series of a saved model, or of a history that comes with the request. Larger requests than
/// one answer may hold are refused with 413; start a job for them.
#[utoipa::path(post, path = "/v1/forecast", tag = "Forecasts", operation_id = "forecast", request_body = ForecastRequest,
    responses((status = 200, description = "Forecasts, by series", body = ForecastAnswer), Refusals))]
pub(super) async fn forecast(
    State(app): State<App>,
    person: Person,
    Json(request): Json<ForecastRequest>,
) -> Result<Response<Body>, Fault> {
    person.must_be(if request.issue.is_some() { Role::Planner } else { Role::Viewer })?;
    let (weight, most) = (weight(&app, &request)?, app.settings().limits.values);
    if weight > most {
        return Err(Fault::new(
            Kind::TooLarge,
            format!(
                "{weight} values are asked for, and an answer may have {most}: ask for fewer series or steps, or start a job with \
                 POST /v1/jobs"
            ),
        ));
    }
    let is_light = weight <= LIGHT && request.history.is_empty() && request.issue.is_none();
    let answer = if is_light {
        app.engine().forecast(&request)?
    } else {
        app.ask(move |engine| engine.forecast(&request)).await?
    };
    app.metrics().forecasts(answer.model.as_deref(), answer.forecasts.len() as u64);
    let text = serde_json::to_vec(&answer).map_err(|cause| Fault::new(Kind::Internal, cause.to_string()))?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response())
}

/// Decide what to order.
///
/// How much to order of each item now, from the forecast, what is there, lead time, review period, costs or a service level.
#[utoipa::path(post, path = "/v1/decide", tag = "Decisions", operation_id = "decide", request_body = DecideRequest,
    responses((status = 200, description = "Orders, and why", body = DecideAnswer), Refusals))]
pub(super) async fn decide(
    State(app): State<App>,
    person: Person,
    Json(request): Json<DecideRequest>,
) -> Result<axum::Json<DecideAnswer>, Fault> {
    person.must_be(Role::Planner)?;
    let (weight, most) = (weight(&app, &request.forecast())?, app.settings().limits.values);
    if weight > most {
        let detail = format!(
            "{weight} values are asked for, and an answer may have {most}: decide on fewer items, or start a job"
        );
        return Err(Fault::new(Kind::TooLarge, detail));
    }
    Ok(axum::Json(app.ask(move |engine| engine.decide(&request)).await?))
}

/// The models that are served.
#[derive(Serialize, ToSchema)]
pub(super) struct Models {
    /// Each with what it can forecast.
    models: Vec<ModelCard>,
}

/// List the models.
#[utoipa::path(get, path = "/v1/models", tag = "Forecasts", operation_id = "models",
    responses((status = 200, description = "The models that are served, the damaged ones too", body = Models), Refusals))]
pub(super) async fn models(State(app): State<App>, _person: Person) -> axum::Json<Models> {
    axum::Json(Models { models: app.engine().models() })
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Search {
    /// Words that the names contain.
    #[serde(default)]
    #[param(max_length = 200)]
    query: String,
    /// The place of the first.
    #[serde(default)]
    #[param(minimum = 0, maximum = 1_000_000_000)]
    offset: usize,
    /// How many at most.
    #[serde(default = "hundred")]
    #[param(minimum = 1, maximum = 10_000, default = 100)]
    most: usize,
}

fn hundred() -> usize {
    100
}

/// List the series of a model.
#[utoipa::path(get, path = "/v1/models/{model}/series", tag = "Forecasts", operation_id = "series",
    params(("model" = String, Path, description = "The name of the model", example = "weekly"), Search),
    responses((status = 200, description = "Names of series", body = SeriesPage), Refusals))]
pub(super) async fn series(
    State(app): State<App>,
    _person: Person,
    Path(model): Path<String>,
    Query(search): Query<Search>,
) -> Result<axum::Json<SeriesPage>, Fault> {
    if !(1..=10_000).contains(&search.most) || search.offset > 1_000_000_000 || search.query.chars().count() > 200 {
        return Err(Fault::new(
            Kind::BadRequest,
            "`most` is 1 to 10000, `offset` at most a milliard, `query` at most 200 signs",
        ));
    }
    Ok(axum::Json(app.ask(move |engine| engine.series(&model, &search.query, search.offset, search.most)).await?))
}
