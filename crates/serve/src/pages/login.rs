//! Where people sign in and out.

use std::net::IpAddr;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Response, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use axum::{Extension, Router};
use maud::{Markup, html};

use super::fields::{Fields, Input, Posted, refusal};
use super::layout::{Sheet, Visitor};
use crate::access::Person;
use crate::app::App;
use crate::fault::{Fault, Kind};

/// Where people sign in who wanted to see `path`.
pub(super) fn address(path: &str) -> String {
    match next(path) {
        "/" => "/login".into(),
        path => format!("/login?next={path}"),
    }
}

/// A page of this server that can be looked at again; the overview for whatever else is asked for.
fn next(path: &str) -> &str {
    let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let mut parts = path.split('/').skip(1);
    match (parts.next(), parts.next(), parts.next()) {
        (Some("jobs" | "uploads"), Some(id), None) if is_plain(id) && !id.is_empty() => path,
        (Some(page), None, None) if is_plain(page) && !["login", "logout", "uploads", ""].contains(&page) => path,
        _ => "/",
    }
}

fn page(visitor: &Visitor, next: &str, fault: Option<&Fault>) -> Markup {
    let hint = "Whoever runs this server makes it with: tradewind token new";
    let body = html! {
        @if let Some(fault) = fault { (refusal(fault)) }
        form.card.narrow method="post" action="/login" {
            input type="hidden" name="next" value=(next);
            (Input { name: "token", label: "Token", kind: "password", is_required: true, hint, ..Input::default() }.show())
            div.buttons { button.main type="submit" { "Log in" } }
        }
    };
    Sheet {
        title: "Log in",
        place: "/login",
        lead: "Sign in with your token to see forecasts and decisions.",
        ..Sheet::default()
    }
    .show(visitor, &body)
}

fn open(visitor: &Visitor) -> Markup {
    let body = html! { p { a href="/" { "Go to the overview" } } };
    let lead = "This server has no tokens: everybody on this machine may use it, and nobody from elsewhere.";
    Sheet { title: "Nobody signs in here", place: "/login", lead, ..Sheet::default() }.show(visitor, &body)
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/login", get(look).post(sign_in)).route("/logout", post(sign_out))
}

async fn look(State(app): State<App>, person: Option<Extension<Person>>, fields: Fields) -> Markup {
    let person = person.map(|Extension(person)| person);
    let visitor = Visitor::of(&app, person.as_ref());
    if app.is_open() { open(&visitor) } else { page(&visitor, next(fields.text("next")), None) }
}

async fn sign_in(
    State(app): State<App>,
    Extension(address): Extension<IpAddr>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response<Body>, Fault> {
    let fields = Fields::posted(request, &app).await?;
    match app.access().sign_in(fields.text("token"), &headers, address).await {
        Ok(cookie) => Ok(with_cookie(cookie, next(fields.text("next")))),
        Err(fault) if matches!(fault.kind, Kind::Unauthenticated | Kind::Busy) => {
            let status = StatusCode::from_u16(fault.kind.status()).unwrap_or(StatusCode::UNAUTHORIZED);
            let page = page(&Visitor::of(&app, None), next(fields.text("next")), Some(&fault));
            Ok((status, page).into_response())
        }
        Err(fault) => Err(fault),
    }
}

async fn sign_out(State(app): State<App>, headers: HeaderMap, Posted(..): Posted) -> Result<Response<Body>, Fault> {
    Ok(with_cookie(app.access().sign_out(&headers).await?, "/login"))
}

fn with_cookie(cookie: String, next: &str) -> Response<Body> {
    let cookie: [(HeaderName, String); 1] = [(header::SET_COOKIE, cookie)];
    (cookie, Redirect::to(next)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_away() {
        for path in
            ["//evil.example", "https://evil.example", "/\\evil", "/jobs/1/cancel", "/login", "/logout", "", "/uploads"]
        {
            assert_eq!(next(path), "/", "{path}");
        }
        for path in ["/explore", "/jobs/0af3", "/uploads/0af3"] {
            assert_eq!(next(path), path);
        }
        assert_eq!(address("/explore"), "/login?next=/explore");
        assert_eq!(address("/x?y=<b>"), "/login");
    }

    #[test]
    fn the_token_is_a_password() {
        let fault = Fault::new(Kind::Unauthenticated, "the token is <b>");
        let page = page(&Visitor::default(), "/", Some(&fault)).into_string();
        assert!(page.contains("type=\"password\"") && page.contains("role=\"alert\"") && !page.contains("<b>"));
    }
}
