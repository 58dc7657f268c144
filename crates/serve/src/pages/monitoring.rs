//! How good the forecasts were, and what needs attention.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use maud::{Markup, PreEscaped, html};

use super::layout::{Sheet, Visitor};
use super::words::sentence;
use crate::access::Person;
use crate::app::App;
use crate::engine::{Answer, Page};
use crate::fault::{Fault, Kind};

pub(super) fn router() -> Router<App> {
    Router::new().route("/monitoring", get(look))
}

async fn look(State(app): State<App>, person: Person) -> Result<Markup, Fault> {
    let found = expected(app.ask(|engine| engine.monitoring()).await)?;
    Ok(page(&Visitor::of(&app, Some(&person)), &found))
}

/// An answer, or why there is none as long as the server is well: a server without a plan keeps no runs, and that is no error.
pub(super) fn expected<T>(answer: Answer<T>) -> Result<Answer<T>, Fault> {
    match answer {
        Err(fault) if fault.kind.status() >= 500 || fault.kind == Kind::Busy => Err(fault),
        answer => Ok(answer),
    }
}

/// Why there is nothing to see.
pub(super) fn none(fault: &Fault) -> Markup {
    html! { div.empty { p { strong { "There is nothing to see here yet." } } p { (sentence(&fault.detail)) } } }
}

fn page(visitor: &Visitor, found: &Answer<Page>) -> Markup {
    let lead = found.as_ref().map_or("", |page| page.sentence.as_str());
    let body = match found {
        Err(fault) => none(fault),
        Ok(page) if page.html.is_empty() => html! {
            div.empty {
                p { strong { "No forecast has met its sales yet." } }
                p { "Forecasts that are given out are kept and compared with what is sold once it is known. Send sales to " code { "/v1/actuals" } ", or start the server with a plan that reads them." }
            }
        },
        Ok(page) => html! { div.engine { (PreEscaped(&page.html)) } },
    };
    Sheet { title: "Monitoring", place: "/monitoring", lead, ..Sheet::default() }.show(visitor, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_something_to_read() {
        let visitor = Visitor { name: "a".into(), ..Visitor::default() };
        let empty = page(&visitor, &Ok(Page::default())).into_string();
        let refused = page(&visitor, &Err(Fault::new(Kind::Conflict, "the server operates no <b>"))).into_string();
        let shown =
            page(&visitor, &Ok(Page { sentence: "1 <b>".into(), html: "<p>safe</p>".into(), ..Page::default() }))
                .into_string();
        assert!(empty.contains("No forecast has met") && refused.contains("The server operates no &lt;b&gt;."));
        assert!(shown.contains("<p>safe</p>") && !shown.contains("<b>"));
    }
}
