//! How is a request read? Whatever is wrong with it is refused by name and says where.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::fault::{Fault, Kind};

/// A body of JSON.
pub(crate) struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &App) -> Result<Self, Fault> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if kind != "application/json" && !(kind.starts_with("application/") && kind.ends_with("+json")) {
            return Err(Fault::new(
                Kind::UnsupportedType,
                "send JSON, with the header `Content-Type: application/json`",
            ));
        }
        let bytes = all(request, app).await?;
        if bytes.trim_ascii_start().first() == Some(&b'[') {
            return Err(Fault::new(Kind::Invalid, "the body is a list, and an object is asked for here"));
        }
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        let value = T::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
        value.map(Self).map_err(|cause| {
            if cause.is_data() {
                Fault::new(Kind::Invalid, format!("the body is JSON, but not what is asked for here: {cause}"))
            } else {
                Fault::new(Kind::Malformed, format!("the body is no JSON: {cause}"))
            }
        })
    }
}

/// A whole body, within its limits of size and time.
async fn all(request: Request, app: &App) -> Result<Bytes, Fault> {
    let limits = &app.settings().limits;
    let patience: Duration = limits.patience;
    match tokio::time::timeout(patience, Bytes::from_request(request, app)).await {
        Err(_) => Err(Fault::new(Kind::Timeout, format!("the body did not come within {} s", patience.as_secs()))),
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(cause)) if cause.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Fault::new(
            Kind::TooLarge,
            format!("a body may have {} KB; ask for less at once, or upload a file and start a job", limits.body >> 10),
        )),
        Ok(Err(cause)) => Err(Fault::new(Kind::Malformed, format!("the body cannot be read: {}", cause.body_text()))),
    }
}

/// Values of the query.
pub(crate) struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        match axum::extract::Query::<T>::from_request_parts(parts, app).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(cause) => Err(Fault::new(Kind::BadRequest, cause.body_text())),
        }
    }
}

/// Values of the path.
pub(crate) struct Path<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        match axum::extract::Path::<T>::from_request_parts(parts, app).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(cause) => Err(Fault::new(Kind::BadRequest, cause.body_text())),
        }
    }
}
