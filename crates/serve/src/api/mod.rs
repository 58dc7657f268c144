//! What can programs ask?
//!
//! | file | question |
//! |---|---|
//! | `forecast.rs` | What will be sold, what is to be ordered, which models are there? |
//! | `work.rs` | Jobs and uploads |
//! | `operate.rs` | What was sold; alerts of Prometheus; is the server well? |
//! | `body.rs` | How is a request read? |
//! | `describe.rs` | How is all of it described (OpenAPI)? |

mod body;
mod describe;
mod forecast;
mod operate;
mod work;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::app::App;

pub(crate) use body::{Json, Path, Query};
pub(crate) use work::check_size;

pub(crate) fn router(app: &App) -> Router<App> {
    Router::new()
        .route("/v1/forecast", post(forecast::forecast))
        .route("/v1/decide", post(forecast::decide))
        .route("/v1/models", get(forecast::models))
        .route("/v1/models/{model}/series", get(forecast::series))
        .route("/v1/actuals", post(operate::actuals))
        .route("/v1/alerts", post(operate::alerts))
        .route("/v1/jobs", get(work::jobs).post(work::add_job))
        .route("/v1/jobs/{id}", get(work::job))
        .route("/v1/jobs/{id}/cancel", post(work::cancel_job))
        .route("/v1/jobs/{id}/events", get(work::job_events))
        .route("/v1/jobs/{id}/result", get(work::result))
        .route("/v1/jobs/{id}/report", get(work::report))
        .route("/v1/uploads/{id}", get(work::upload).delete(work::remove_upload))
        .route("/healthz", get(operate::healthy))
        .route("/readyz", get(operate::ready))
        .route("/metrics", get(operate::metrics))
        .route("/openapi.json", get(describe::document))
        .layer(DefaultBodyLimit::max(app.settings().limits.body))
        .route("/v1/uploads", get(work::uploads).post(work::add_upload).layer(DefaultBodyLimit::disable()))
}
