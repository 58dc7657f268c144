//! How is a refusal answered? As `application/problem+json` (RFC 9457) to programs, as a page to people.

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

use crate::fault::{Fault, Kind};

/// A refusal.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:tradewind:` and the name, which never changes.
    #[serde(rename = "type")]
    #[schema(example = "urn:tradewind:unknown-series")]
    pub kind: String,
    /// What it means, in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What, where, and what to do.
    pub detail: String,
}

impl From<&Fault> for Problem {
    fn from(fault: &Fault) -> Self {
        Self {
            kind: format!("urn:tradewind:{}", fault.kind.name()),
            title: fault.kind.title().into(),
            status: fault.kind.status(),
            detail: fault.detail.clone(),
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response<Body> {
        let status = StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(Problem::from(&self))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == Kind::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status.is_server_error() {
            tracing::error!(name = self.kind.name(), detail = %self.detail, "refused");
        }
        // What answers people makes a page of it.
        response.extensions_mut().insert(self);
        response
    }
}

/// What the store says, as a refusal.
impl From<tradewind_monitor::Error> for Fault {
    fn from(error: tradewind_monitor::Error) -> Self {
        let kind = if error.is_usage() { Kind::Conflict } else { Kind::Unavailable };
        Self::new(kind, error.to_string())
    }
}
