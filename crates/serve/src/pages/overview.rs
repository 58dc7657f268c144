//! What is served, what goes on, what needs attention.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use tradewind_monitor::store::Job;

use super::fields::csrf;
use super::jobs::job_table;
use super::layout::{Sheet, Visitor};
use super::words::{ago, count, sentence, steps};
use crate::access::Person;
use crate::app::App;
use crate::engine::{Answer, Gauges, ModelCard};
use crate::fault::Fault;

/// Jobs that are shown.
const JOBS: usize = 5;

pub(super) fn router() -> Router<App> {
    Router::new().route("/", get(look))
}

async fn look(State(app): State<App>, person: Person) -> Result<Markup, Fault> {
    let (jobs, gauges) = tokio::join!(app.jobs().list(&person, JOBS), app.ask(|engine| engine.gauges()));
    Ok(page(&Visitor::of(&app, Some(&person)), &app.engine().models(), &jobs?, &gauges, Utc::now()))
}

fn page(visitor: &Visitor, models: &[ModelCard], jobs: &[Job], gauges: &Answer<Gauges>, now: DateTime<Utc>) -> Markup {
    let broken = models.iter().filter(|card| card.problem.is_some()).count();
    let mut lead = format!("{} served", count(models.len() - broken, "model is", "models are"));
    lead.push_str(&match broken {
        0 => ".".into(),
        1 => "; 1 cannot be used.".into(),
        more => format!("; {more} cannot be used."),
    });
    let body = html! {
        (attention(gauges))
        section aria-labelledby="models" {
            h2 #models { "Models" }
            @if models.is_empty() {
                div.empty {
                    p { strong { "No model is served yet." } }
                    p {
                        @if visitor.may_plan { a href="/upload" { "Upload a file" } " to forecast from it at once. " }
                        "To serve a model all the time, save one with " code { "tradewind fit … --save models/weekly.fits" }
                        " and start the server with " code { "--models models" } "."
                    }
                }
            }
            div.cards { @for card in models { (model(visitor, card, now)) } }
        }
        section aria-labelledby="work" {
            h2 #work { "Jobs" }
            @if jobs.is_empty() {
                div.empty { p {
                    "Nothing has been started. A job forecasts or decides what takes longer than a moment: all series of a model, or a file of yours."
                } }
            } @else {
                (job_table(jobs, now))
                p { a href="/jobs" { "All jobs" } }
            }
        }
    };
    let lead = if models.is_empty() { "" } else { &lead };
    Sheet { title: "Overview", place: "/", lead, ..Sheet::default() }.show(visitor, &body)
}

/// What needs attention, in a sentence.
fn attention(gauges: &Answer<Gauges>) -> Markup {
    let gauges = match gauges {
        Ok(gauges) => gauges,
        Err(fault) => return html! { div.note { p { "Nothing is monitored. " (sentence(&fault.detail)) } } },
    };
    let alerts: usize = gauges.alerts.iter().map(|(.., number)| number).sum();
    let known = gauges.actuals_until.map(|date| date.format("%Y-%m-%d").to_string());
    html! {
        div.note.bad[alerts > 0].good[alerts == 0 && known.is_some()] {
            p {
                @if alerts > 0 {
                    strong { (count(alerts, "alert needs", "alerts need")) " attention" } ": "
                    @for (place, (rule, severity, number)) in gauges.alerts.iter().enumerate() {
                        @if place > 0 { ", " }
                        (rule.replace('_', " ")) " (" (severity) @if *number > 1 { ", " (number) " times" } ")"
                    }
                    ". "
                } @else if known.is_some() {
                    "No alerts. "
                }
                @match &known {
                    Some(date) => { "Sales are known until " (date) ". " a href="/monitoring" { "See how good the forecasts are" } },
                    None => "No sales have been received yet, so nothing can be said about how good the forecasts are.",
                }
            }
        }
    }
}

/// A model.
fn model(visitor: &Visitor, card: &ModelCard, now: DateTime<Utc>) -> Markup {
    let (one, more) = steps(&card.frequency);
    html! {
        article.card.broken[card.problem.is_some()] {
            h3 dir="auto" { (card.name) }
            @if let Some(problem) = &card.problem {
                p.bad { strong { "Cannot be used. " } (sentence(problem)) }
            } @else {
                p.figure { (count(card.series, "series", "series")) }
                dl.facts {
                    div { dt { "Forecasts" } dd dir="auto" { (card.target.replace('_', " ")) } }
                    div { dt { "History until" } dd { (card.until) ", " (card.frequency) } }
                    div { dt { "Looks ahead" } dd { (count(card.horizon, one, more)) } }
                    @if let Some(made) = card.made_at { div { dt { "Made" } dd { time datetime=(made.to_rfc3339()) { (ago(made, now)) } } } }
                    div { dt { (if card.methods.len() == 1 { "Method" } else { "Methods" }) } dd dir="auto" { (card.methods.join(", ")) } }
                }
                div.buttons {
                    a.button.main href=(format!("/explore?{}", query("model", &card.name))) { "Explore" span.hidden { " " (card.name) } }
                    @if visitor.may_plan {
                        form method="post" action="/jobs" {
                            (csrf(visitor))
                            input type="hidden" name="model" value=(card.name);
                            button type="submit" { "Forecast all series" span.hidden { " of " (card.name) } }
                        }
                    }
                }
            }
        }
    }
}

/// A field of a query, escaped.
pub(super) fn query(name: &str, value: &str) -> String {
    let mut out = format!("{name}=");
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVIL: &str = r#"<b>"'&"#;

    #[test]
    fn names_are_escaped() {
        let card = ModelCard {
            name: EVIL.into(),
            target: EVIL.into(),
            methods: vec![EVIL.into()],
            series: 2_000,
            ..ModelCard::default()
        };
        let broken = ModelCard { name: "x".into(), problem: Some(EVIL.into()), ..ModelCard::default() };
        let gauges = Ok(Gauges { alerts: vec![(EVIL.into(), EVIL.into(), 2)], ..Gauges::default() });
        let visitor = Visitor { name: "ann".into(), may_plan: true, ..Visitor::default() };
        let page = page(&visitor, &[card, broken], &[], &gauges, Utc::now()).into_string();
        assert!(!page.contains("<b>"), "{page}");
        assert!(page.contains("/explore?model=%3Cb%3E%22%27%26") && page.contains("2,000 series"));
        assert!(page.contains("1 model is served; 1 cannot be used.") && page.contains("2 alerts need attention"));
    }

    #[test]
    fn an_empty_server_says_what_to_do() {
        let page = page(&Visitor::default(), &[], &[], &Ok(Gauges::default()), Utc::now()).into_string();
        assert!(page.contains("No model is served yet") && page.contains("No sales have been received"));
    }
}
