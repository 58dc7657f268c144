//! A page to try the API: the operations come from `/openapi.json`, and a script makes forms of them.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use maud::{Markup, html};

use super::layout::{Sheet, Visitor};
use crate::access::Person;
use crate::app::App;

pub(super) fn router() -> Router<App> {
    Router::new().route("/api", get(look))
}

async fn look(State(app): State<App>, person: Person) -> Markup {
    page(&Visitor::of(&app, Some(&person)))
}

fn page(visitor: &Visitor) -> Markup {
    let body = html! {
        p { "The description that programs read: " a href="/openapi.json" { "openapi.json" } ". Programs send a token as "
            code { "Authorization: Bearer TOKEN" } "; here you are " (visitor.name) "." }
        noscript { div.note { p { "Trying the API needs JavaScript. Everything else on these pages does without." } } }
        div #operations data-openapi="/openapi.json" aria-busy="true" {}
    };
    let lead = "Every operation with a body to edit. What you send here counts: jobs are started, sales are taken in.";
    Sheet { title: "API", place: "/api", lead, ..Sheet::default() }.show(visitor, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_points_to_the_description() {
        let page = page(&Visitor { name: "<b>".into(), ..Visitor::default() }).into_string();
        assert!(page.contains("href=\"/openapi.json\"") && page.contains("<noscript>") && !page.contains("<b>"));
    }
}
