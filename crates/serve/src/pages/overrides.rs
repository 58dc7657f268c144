//! What planners know and no history holds: changes of the forecast.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::State;
use axum::response::Redirect;
use axum::routing::{get, post};
use maud::{Markup, html};

use super::fields::{Fields, Input, Posted, csrf, done, refusal, select};
use super::layout::{Sheet, Visitor};
use crate::access::{Person, Role};
use crate::api::Path;
use crate::app::App;
use crate::engine::{Answer, OverrideCard, OverrideRequest};
use crate::fault::{Fault, Kind};

/// What can be done to a forecast.
const HOW: [(&str, &str); 3] = [("percent", "By a percentage"), ("add", "Add an amount"), ("set", "Set to an amount")];

pub(super) fn router() -> Router<App> {
    Router::new().route("/overrides", get(look).post(add)).route("/overrides/{id}/withdraw", post(withdraw))
}

async fn look(State(app): State<App>, person: Person, fields: Fields) -> Result<Markup, Fault> {
    let said = match fields.text("done") {
        "added" => "The change is kept. It counts from the next release on.",
        "withdrawn" => "The change is withdrawn.",
        _ => "",
    };
    shown(&app, &person, &Fields::default(), said, None).await
}

async fn shown(
    app: &App,
    person: &Person,
    fields: &Fields,
    said: &str,
    fault: Option<&Fault>,
) -> Result<Markup, Fault> {
    let cards = match app.ask(|engine| engine.overrides()).await {
        Err(fault) if fault.kind.status() >= 500 || fault.kind == Kind::Busy => return Err(fault),
        cards => cards,
    };
    Ok(page(&Visitor::of(app, Some(person)), &cards, &app.engine().keys(), fields, said, fault))
}

async fn add(State(app): State<App>, Posted(person, fields): Posted) -> Result<Result<Redirect, Markup>, Fault> {
    person.must_be(Role::Planner)?;
    let kept = match request(&fields) {
        Ok(request) => {
            let author = person.name.clone();
            app.ask(move |engine| engine.keep(&request, &author)).await
        }
        Err(fault) => Err(fault),
    };
    match kept {
        Ok(_) => Ok(Ok(Redirect::to("/overrides?done=added"))),
        Err(fault) if fault.kind.status() >= 500 || fault.kind == Kind::Busy => Err(fault),
        Err(fault) => Ok(Err(shown(&app, &person, &fields, "", Some(&fault)).await?)),
    }
}

async fn withdraw(
    State(app): State<App>,
    Path(id): Path<String>,
    Posted(person, _): Posted,
) -> Result<Redirect, Fault> {
    person.must_be(Role::Planner)?;
    app.ask(move |engine| engine.withdraw(&id)).await?;
    Ok(Redirect::to("/overrides?done=withdrawn"))
}

fn request(fields: &Fields) -> Answer<OverrideRequest> {
    let only: BTreeMap<String, String> = fields
        .0
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("key.")?.to_string(), value.trim().to_string())))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let amount = fields.number("amount", "How much")?;
    let text = |name: &str| fields.text(name).to_string();
    Ok(OverrideRequest {
        only,
        from: text("from"),
        to: text("to"),
        how: text("how"),
        amount: amount.ok_or_else(|| Fault::new(Kind::Invalid, "How much: enter a number"))?,
        reason: text("reason"),
        expires: text("expires"),
    })
}

fn page(
    visitor: &Visitor,
    cards: &Answer<Vec<OverrideCard>>,
    keys: &[String],
    fields: &Fields,
    said: &str,
    fault: Option<&Fault>,
) -> Markup {
    let body = html! {
        (done(said))
        @if let Some(fault) = fault { (refusal(fault)) }
        @match cards {
            Err(fault) => (super::monitoring::none(fault)),
            Ok(cards) => {
                section aria-labelledby="kept" {
                    h2 #kept { "Changes" }
                    @if cards.is_empty() {
                        div.empty {
                            p { strong { "Nobody has changed a forecast yet." } }
                            p { "When you know what the history cannot, such as an opening or a campaign, say so "
                                @if visitor.may_plan { "below" } @else { "to a planner" } ". Later it will be seen whether it helped." }
                        }
                    } @else { (table(visitor, cards)) }
                }
                @if visitor.may_plan { (form(visitor, keys, fields)) }
            },
        }
    };
    let lead = "What planners know and no history holds, by whom and why.";
    Sheet { title: "Overrides", place: "/overrides", lead, ..Sheet::default() }.show(visitor, &body)
}

fn table(visitor: &Visitor, cards: &[OverrideCard]) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label="Changes" {
            table {
                thead { tr {
                    th scope="col" { "Change" } th scope="col" { "Why" } th scope="col" { "Who" } th scope="col" { "When" } th scope="col" { "State" }
                    th scope="col" { span.hidden { "Withdraw" } }
                } }
                tbody { @for card in cards {
                    tr {
                        th.long scope="row" dir="auto" { (card.sentence) }
                        td.long dir="auto" { (card.reason) }
                        td dir="auto" { (card.author) }
                        td { (card.made) }
                        td { span class=(format!("badge {}", state(&card.state))) { (card.state) } }
                        td { @if visitor.may_plan && card.state == "active" {
                            form method="post" action=(format!("/overrides/{}/withdraw", super::overview::query("", &card.id).split_off(1))) {
                                (csrf(visitor))
                                button.quiet type="submit" { "Withdraw" span.hidden { ": " (card.sentence) } }
                            }
                        } }
                    }
                } }
            }
        }
    }
}

/// The state as a class; whatever else an engine may say has no colour.
fn state(state: &str) -> &'static str {
    match state {
        "active" => "running",
        "withdrawn" => "cancelled",
        _ => "waiting",
    }
}

fn form(visitor: &Visitor, keys: &[String], fields: &Fields) -> Markup {
    let how: Vec<(String, String)> = HOW.iter().map(|(value, words)| ((*value).into(), (*words).into())).collect();
    let date = |name: &'static str, label: &'static str, hint: &'static str| Input {
        name,
        label,
        kind: "date",
        value: fields.text(name),
        hint,
        ..Input::default()
    };
    html! {
        form.card.narrow method="post" action="/overrides" aria-labelledby="new" {
            h2 #new { "Change a forecast" }
            (csrf(visitor))
            @if !keys.is_empty() {
                fieldset {
                    legend { "Which series? Leave a field empty for all." }
                    div.pair { @for key in keys {
                        @let name = format!("key.{key}");
                        (Input { name: &name, label: key, value: fields.text(&name), ..Input::default() }.show())
                    } }
                }
            }
            div.pair {
                (date("from", "From", "Empty: the next date").show())
                (date("to", "To", "Empty: that date alone").show())
            }
            div.pair {
                (select("how", "How to change it", fields.text("how"), &how, ""))
                (Input { name: "amount", label: "How much", kind: "number", value: fields.text("amount"), is_required: true, hint: "Less than zero takes away.", ..Input::default() }.show())
            }
            (Input { name: "reason", label: "Why", value: fields.text("reason"), is_required: true, hint: "In a few words, the same for what recurs: what helped is learnt from it.", ..Input::default() }.show())
            (date("expires", "Counts until", "Empty: for good").show())
            div.buttons { button.main type="submit" { "Keep the change" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVIL: &str = r#"<b>"'&"#;

    #[test]
    fn changes_are_escaped() {
        let card = OverrideCard {
            id: "../x".into(),
            sentence: EVIL.into(),
            author: EVIL.into(),
            reason: EVIL.into(),
            made: EVIL.into(),
            state: "active".into(),
        };
        let visitor = Visitor { name: "ann".into(), csrf: "secret".into(), may_plan: true, ..Visitor::default() };
        let fields = Fields(vec![("reason".into(), EVIL.into()), (format!("key.{EVIL}"), EVIL.into())]);
        let fault = Fault::new(Kind::Invalid, EVIL);
        let page = page(&visitor, &Ok(vec![card]), &[EVIL.into()], &fields, EVIL, Some(&fault)).into_string();
        assert!(!page.contains("<b>"), "{page}");
        assert!(page.contains("action=\"/overrides/..%2Fx/withdraw\""));
        assert_eq!(page.matches("name=\"csrf\"").count(), 2);
    }

    #[test]
    fn a_change_is_read() {
        let fields = [
            ("key.Store", " 1 "),
            ("key.Dept", ""),
            ("how", "percent"),
            ("amount", "−20"),
            ("from", "2012-11-02"),
            ("reason", "x"),
        ];
        let fields = Fields(fields.map(|(name, value)| (name.to_string(), value.to_string())).to_vec());
        let change = request(&fields).unwrap();
        assert_eq!((change.amount, change.only), (-20.0, BTreeMap::from([("Store".to_string(), "1".to_string())])));
        assert!(request(&Fields::default()).is_err());
    }
}
