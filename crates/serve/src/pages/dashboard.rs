//! The engine's own document to explore, in a frame that is cut off from these pages.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, header};
use axum::response::IntoResponse;
use axum::routing::get;
use maud::{Markup, html};

use super::layout::{Sheet, Visitor};
use crate::access::Person;
use crate::app::App;
use crate::fault::Fault;

/// What the document may do: run its own scripts, reach nothing, and be shown by our pages alone.
const POLICY: &str = "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      img-src data: blob:; font-src data:; frame-ancestors 'self'";

pub(super) fn router() -> Router<App> {
    Router::new().route("/dashboard", get(look)).route("/dashboard/view", get(view))
}

async fn look(State(app): State<App>, person: Person) -> Markup {
    let has_model = app.engine().models().iter().any(|card| card.problem.is_none());
    page(&Visitor::of(&app, Some(&person)), has_model)
}

async fn view(State(app): State<App>, _person: Person) -> Result<Response<Body>, Fault> {
    let document = app.ask(|engine| engine.dashboard()).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")),
    ];
    Ok((headers, document).into_response())
}

fn page(visitor: &Visitor, has_model: bool) -> Markup {
    let body = html! {
        @if has_model {
            iframe.dashboard sandbox="allow-scripts" src="/dashboard/view" title="Dashboard of history, forecast and errors" {}
            p.hint { a href="/dashboard/view" target="_blank" rel="noopener" { "Open it in a tab of its own" } }
        } @else {
            div.empty { p { strong { "There is nothing to explore yet." } } p { "See " a href="/" { "how a model is served" } "." } }
        }
    };
    Sheet { title: "Dashboard", place: "/dashboard", is_wide: true, ..Sheet::default() }.show(visitor, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_cut_off() {
        let shown = page(&Visitor::default(), true).into_string();
        assert!(shown.contains("sandbox=\"allow-scripts\"") && shown.contains("title=\"Dashboard"));
        assert!(!page(&Visitor::default(), false).into_string().contains("<iframe"));
    }
}
