//! What is seen when a page cannot be shown.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::response::{IntoResponse, Redirect};
use maud::{Markup, html};

use super::layout::{Sheet, Visitor};
use super::{login, words};
use crate::access::Person;
use crate::app::App;
use crate::fault::{Fault, Kind};

/// A refusal as a page; who is not signed in is sent to where they can.
pub(crate) fn refused(app: &App, fault: &Fault, person: Option<&Person>, path: &str) -> Response<Body> {
    if fault.kind == Kind::Unauthenticated && person.is_none() {
        return Redirect::to(&login::address(path)).into_response();
    }
    let status = StatusCode::from_u16(fault.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, page(&Visitor::of(app, person), fault)).into_response()
}

/// The page.
fn page(visitor: &Visitor, fault: &Fault) -> Markup {
    let body = html! {
        p.lead { (words::sentence(&fault.detail)) }
        @if let Some(seconds) = fault.retry_after { p { "Try again in " (words::count(seconds as usize, "second", "seconds")) "." } }
        p { (way_out(fault.kind)) }
        p.hint { "Error " (fault.kind.status()) ", " (fault.kind.name()) }
    };
    Sheet { title: fault.kind.title(), ..Sheet::default() }.show(visitor, &body)
}

/// What to do next.
fn way_out(kind: Kind) -> Markup {
    match kind {
        Kind::UnknownModel | Kind::DamagedModel => html! { a href="/" { "See which models there are" } },
        Kind::UnknownSeries => html! { a href="/explore" { "Look for the series" } },
        Kind::UnknownJob => html! { a href="/jobs" { "See all jobs" } },
        Kind::UnknownUpload | Kind::TooLarge | Kind::UnsupportedType => {
            html! { a href="/upload" { "Upload another file" } }
        }
        Kind::Forbidden => {
            html! { "Ask whoever runs this server for another role, or " a href="/" { "go to the overview" } "." }
        }
        Kind::CrossSite => {
            html! { "Go back, load the page again and repeat, or " a href="/" { "go to the overview" } "." }
        }
        Kind::Internal => html! { "It was written to the log of the server. " a href="/" { "Go to the overview" } },
        _ => html! { a href="/" { "Go to the overview" } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_a_page() {
        for kind in Kind::ALL {
            let page = page(&Visitor::default(), &Fault::new(*kind, r#"no model `<b>"'&`"#)).into_string();
            assert!(page.contains(kind.title()) && page.contains("href=\"/"), "{kind:?}");
            assert!(!page.contains("<b>") && page.contains("&lt;b&gt;"));
        }
    }
}
