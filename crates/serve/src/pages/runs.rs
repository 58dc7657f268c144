//! Which model forecasts, which others were tried, and how to go back.

use axum::Router;
use axum::extract::State;
use axum::response::Redirect;
use axum::routing::{get, post};
use maud::{Markup, PreEscaped, html};
use serde_json::Map;

use super::fields::{Posted, csrf, done, refusal};
use super::jobs::begin;
use super::layout::{Sheet, Visitor};
use super::monitoring::{expected, none};
use crate::access::{Person, Role};
use crate::app::App;
use crate::engine::{Answer, JobKind, JobRequest, Page};
use crate::fault::Fault;

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/runs", get(look))
        .route("/runs/rollback", get(ask).post(rollback))
        .route("/runs/retrain", post(retrain))
}

async fn look(State(app): State<App>, person: Person) -> Result<Markup, Fault> {
    let found = expected(app.ask(|engine| engine.runs()).await)?;
    Ok(page(&Visitor::of(&app, Some(&person)), &found, "", None))
}

async fn ask(State(app): State<App>, person: Person) -> Result<Markup, Fault> {
    person.must_be(Role::Operator)?;
    Ok(confirmation(&Visitor::of(&app, Some(&person))))
}

async fn rollback(State(app): State<App>, Posted(person, _): Posted) -> Result<Markup, Fault> {
    person.must_be(Role::Operator)?;
    let said = expected(app.ask(|engine| engine.rollback()).await)?;
    let found = expected(app.ask(|engine| engine.runs()).await)?;
    let visitor = Visitor::of(&app, Some(&person));
    Ok(match said {
        Ok(sentence) => page(&visitor, &found, &sentence, None),
        Err(fault) => page(&visitor, &found, "", Some(&fault)),
    })
}

async fn retrain(State(app): State<App>, Posted(person, _): Posted) -> Result<Redirect, Fault> {
    person.must_be(Role::Operator)?;
    begin(&app, &person, &JobRequest { kind: JobKind::Retrain, model: None, upload: None, plan: Map::new() }).await
}

fn page(visitor: &Visitor, found: &Answer<Page>, said: &str, fault: Option<&Fault>) -> Markup {
    let lead = found.as_ref().map_or("", |page| page.sentence.as_str());
    let is_operated = found.is_ok();
    let body = html! {
        (done(said))
        @if let Some(fault) = fault { (refusal(fault)) }
        @match found {
            Err(fault) => (none(fault)),
            Ok(page) if page.html.is_empty() => div.empty {
                p { strong { "Nothing has been run yet." } }
                p { "Retraining fits all methods of the plan; the best one becomes the champion, the model that forecasts." }
            },
            Ok(page) => div.engine { (PreEscaped(&page.html)) },
        }
        @if visitor.may_manage && is_operated {
            section.card aria-labelledby="change" {
                h2 #change { "Change the model" }
                p { "Retraining fits all methods anew on the latest sales. The best of them takes over only if it is better than the present champion." }
                div.buttons {
                    form method="post" action="/runs/retrain" { (csrf(visitor)) button.main type="submit" { "Retrain now" } }
                    a.button href="/runs/rollback" { "Bring back the former champion …" }
                }
            }
        }
    };
    Sheet { title: "Runs", place: "/runs", lead, ..Sheet::default() }.show(visitor, &body)
}

fn confirmation(visitor: &Visitor) -> Markup {
    let body = html! {
        form.card.narrow method="post" action="/runs/rollback" {
            (csrf(visitor))
            p { "From then on all forecasts and decisions rest on the model that the present champion replaced. Nothing is deleted, and retraining can change it again." }
            div.buttons {
                button.main.danger type="submit" { "Bring it back" }
                a.button href="/runs" { "Keep the present one" }
            }
        }
    };
    Sheet { title: "Bring back the former champion?", place: "/runs", ..Sheet::default() }.show(visitor, &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Kind;

    #[test]
    fn only_who_may_sees_the_buttons() {
        let shown = Ok(Page { sentence: "<b>".into(), html: "<p>table</p>".into(), ..Page::default() });
        let operator = Visitor { name: "a".into(), csrf: "secret".into(), may_manage: true, ..Visitor::default() };
        let page = |visitor: &Visitor, found: &Answer<Page>| {
            super::page(visitor, found, "<b>", Some(&Fault::new(Kind::Conflict, "<b>"))).into_string()
        };
        let seen = page(&operator, &shown);
        assert!(seen.contains("/runs/retrain") && seen.contains("/runs/rollback") && !seen.contains("<b>"));
        assert!(!page(&Visitor::default(), &shown).contains("/runs/retrain"));
        assert!(!page(&operator, &Err(Fault::new(Kind::Conflict, "x"))).contains("/runs/retrain"));
        assert!(confirmation(&operator).into_string().contains("value=\"secret\""));
    }
}
