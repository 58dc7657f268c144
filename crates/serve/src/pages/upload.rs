//! A file of one's own: what it holds, what its columns are, a forecast from it.

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Multipart, Request, State};
use axum::response::Redirect;
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use maud::{Markup, PreEscaped, html};
use serde_json::{Map, Value, json};

use super::fields::{Fields, Input, Posted, csrf, refusal};
use super::jobs::{begin, horizon};
use super::layout::{Sheet, Visitor};
use super::overview::query;
use super::words::{ago, bytes, capitalised, sentence};
use crate::access::{Person, Role};
use crate::api::{Path, check_size};
use crate::app::App;
use crate::engine::{Answer, Detected, JobKind, JobRequest, Page};
use crate::fault::{Fault, Kind};
use crate::keeper::blocking;
use crate::uploads::Upload;

/// What a column can be: the word of the form, the field of a plan, what it means.
const ROLES: [(&str, &str, &str); 7] = [
    ("ignore", "", "Not used"),
    ("date", "time", "Date"),
    ("target", "target", "What to forecast"),
    ("key", "id", "Names the series"),
    ("known", "known", "Known ahead: promotion, price, holiday"),
    ("observed", "observed", "Seen afterwards: weather, visitors"),
    ("fixed", "fixed", "Never changes: size, region"),
];

/// Methods that are offered: the name of a method and what it does.
const METHODS: [(&str, &str, bool); 5] = [
    ("ets", "Exponential smoothing", true),
    ("theta", "Theta: trend and level", true),
    ("seasonal_naive", "As in the season before", true),
    ("auto", "Chooses by itself for each series", false),
    ("boost", "Boosted trees over all series: slow, needs much data", false),
];

/// Endings of files that a dialogue offers.
const ACCEPT: &str = ".csv,.tsv,.txt,.gz,.zst,.zip,.parquet,.xlsx,.xls,.ods,.ndjson,.jsonl";

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/upload", get(look).post(receive).layer(DefaultBodyLimit::disable()))
        .route("/uploads/{id}", get(detected))
        .route("/uploads/{id}/audit", get(audited))
        .route("/uploads/{id}/forecast", post(forecast))
        .route("/uploads/{id}/remove", post(remove))
}

async fn look(State(app): State<App>, person: Person) -> Result<Markup, Fault> {
    let (uploads, asked) = (app.uploads().clone(), person.clone());
    let list = blocking(move || Ok(uploads.list(&asked))).await?;
    Ok(page(&Visitor::of(&app, Some(&person)), &list, app.settings().limits.upload, Utc::now()))
}

async fn receive(State(app): State<App>, request: Request) -> Result<Redirect, Fault> {
    let (mut parts, body) = request.into_parts();
    let person = Person::from_request_parts(&mut parts, &app).await?;
    person.must_be(Role::Planner)?;
    // A form is a little longer than its file, and a file may be as long as it may.
    let told = check_size(&app, &parts.headers)?.map(|bytes| bytes.min(app.settings().limits.upload));
    let wrong =
        |cause: &dyn std::fmt::Display| Fault::new(Kind::Malformed, format!("the upload cannot be read: {cause}"));
    let request = Request::from_parts(parts, body);
    let mut form = Multipart::from_request(request, &app).await.map_err(|cause| wrong(&cause.body_text()))?;
    let mut is_ours = false;
    while let Some(field) = form.next_field().await.map_err(|cause| wrong(&cause))? {
        match field.name() {
            // The page has it before the file, so that nothing is kept for another site.
            Some("csrf") => {
                person.check_form(&short(field).await?)?;
                is_ours = true;
            }
            Some("file") => {
                if !is_ours {
                    person.check_form("")?;
                }
                let name = field.file_name().unwrap_or_default().to_string();
                if name.is_empty() {
                    return Err(Fault::new(Kind::Invalid, "choose a file first"));
                }
                let upload = app.uploads().receive(&person, &name, told, Box::pin(field)).await?;
                return Ok(Redirect::to(&format!("/uploads/{}", upload.id)));
            }
            _ => {}
        }
    }
    Err(Fault::new(Kind::Invalid, "choose a file first"))
}

/// A field that is no file: no longer than such fields are.
async fn short(mut field: axum::extract::multipart::Field<'_>) -> Result<String, Fault> {
    let mut text = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|cause| Fault::new(Kind::Malformed, cause.to_string()))? {
        text.extend_from_slice(&piece);
        if text.len() > 1_000 {
            return Err(Fault::new(Kind::Malformed, "a field of the form is too long"));
        }
    }
    String::from_utf8(text).map_err(|_| Fault::new(Kind::Malformed, "a field of the form is no text"))
}

async fn detected(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Markup, Fault> {
    let (upload, place) = app.uploads().get(&person, &id)?;
    let plan = plan(&fields);
    let is_stated = !plan.is_empty();
    let found = app.ask(move |engine| engine.detect(&place, &plan)).await;
    let visitor = Visitor::of(&app, Some(&person));
    match found {
        Ok(found) => Ok(file_page(&visitor, &upload, &Ok(found), is_stated)),
        Err(fault) if fault.kind.status() < 500 => Ok(file_page(&visitor, &upload, &Err(fault), is_stated)),
        Err(fault) => Err(fault),
    }
}

async fn audited(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Markup, Fault> {
    let (upload, place) = app.uploads().get(&person, &id)?;
    let stated = plan(&fields);
    let audit = app.ask(move |engine| engine.audit(&place, &stated)).await;
    let back = format!("/uploads/{}?{}", upload.id, stated_query(&fields));
    match audit {
        Err(fault) if fault.kind.status() >= 500 => Err(fault),
        audit => Ok(audit_page(&Visitor::of(&app, Some(&person)), &upload, &audit, &back)),
    }
}

async fn forecast(
    State(app): State<App>,
    Path(id): Path<String>,
    Posted(person, fields): Posted,
) -> Result<Redirect, Fault> {
    person.must_be(Role::Planner)?;
    app.uploads().get(&person, &id)?;
    let mut plan = plan(&fields);
    let mut methods: Vec<&str> = fields.all("method").collect();
    methods.extend(fields.text("more").split(';').map(str::trim).filter(|method| !method.is_empty()));
    if methods.is_empty() {
        return Err(Fault::new(Kind::Invalid, "choose at least one method; go back to do so"));
    }
    plan.insert("models".into(), json!(methods));
    plan.insert("horizon".into(), json!(horizon(&fields)?));
    begin(&app, &person, &JobRequest { kind: JobKind::Forecast, model: None, upload: Some(id), plan }).await
}

async fn remove(State(app): State<App>, Path(id): Path<String>, Posted(person, _): Posted) -> Result<Redirect, Fault> {
    person.must_be(Role::Planner)?;
    let uploads = app.uploads().clone();
    blocking(move || uploads.remove(&person, &id)).await?;
    Ok(Redirect::to("/upload"))
}

/// The columns of a form as fields of a plan; empty where it states none.
fn plan(fields: &Fields) -> Map<String, Value> {
    let mut plan = Map::new();
    let names: Vec<(usize, &str)> = stated(fields).collect();
    if names.is_empty() {
        return plan;
    }
    for (_, place, _) in ROLES.iter().filter(|(_, place, _)| !place.is_empty()) {
        plan.insert((*place).into(), if matches!(*place, "time" | "target") { json!("") } else { json!([]) });
    }
    for (at, name) in names {
        let role = fields.text(&format!("role.{at}"));
        let Some((_, place, _)) = ROLES.iter().find(|(word, place, _)| *word == role && !place.is_empty()) else {
            continue;
        };
        match plan.get_mut(*place) {
            Some(Value::Array(list)) => list.push(json!(name)),
            Some(text) => *text = json!(name),
            None => {}
        }
    }
    // What is empty was not stated: the engine finds it out, or says that it is missing.
    plan.retain(|_, value| *value != json!(""));
    plan
}

/// The columns that a form names, with their places. A name is as it is, blanks and all.
fn stated(fields: &Fields) -> impl Iterator<Item = (usize, &str)> {
    fields.0.iter().filter_map(|(field, name)| Some((field.strip_prefix("name.")?.parse().ok()?, name.as_str())))
}

/// The same columns as a query.
fn stated_query(fields: &Fields) -> String {
    let pairs = stated(fields).flat_map(|(at, name)| {
        let role = format!("role.{at}");
        [query(&format!("name.{at}"), name), query(&role, fields.text(&role))]
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn page(visitor: &Visitor, uploads: &[Upload], most: u64, now: DateTime<Utc>) -> Markup {
    let hint = format!("CSV, Excel, Parquet and others, up to {}: a row for each series and date.", bytes(most));
    let body = html! {
        @if visitor.may_plan {
            form.card.narrow method="post" action="/upload" enctype="multipart/form-data" data-upload {
                (csrf(visitor))
                div.field.drop {
                    label for="file" { "File with past sales" }
                    input id="file" name="file" type="file" required accept=(ACCEPT) aria-describedby="file-hint";
                    p.hint id="file-hint" { (hint) }
                }
                div.progress hidden data-progress { progress max="100" value="0" aria-label="Upload" {} span.share data-share {} }
                p role="status" aria-live="polite" data-note {}
                div.buttons { button.main type="submit" { "Upload" } }
            }
        } @else {
            div.note { p { "Your role, " (visitor.role) ", may look and may not upload. Ask for the role planner." } }
        }
        section aria-labelledby="sent" {
            h2 #sent { "Files sent before" }
            @if uploads.is_empty() {
                div.empty { p { "None yet. What you upload is kept for some days, and nobody but you and the operators sees it." } }
            } @else {
                div.scroll tabindex="0" role="group" aria-label="Files sent before" {
                    table {
                        thead { tr { th scope="col" { "File" } th.n scope="col" { "Size" } th scope="col" { "Sent" } th scope="col" { span.hidden { "Remove" } } } }
                        tbody { @for upload in uploads {
                            tr {
                                th scope="row" { a href=(format!("/uploads/{}", upload.id)) dir="auto" { (upload.name) } }
                                td.n { (bytes(upload.bytes)) }
                                td { (ago(upload.made_at, now)) }
                                td { @if visitor.may_plan {
                                    form method="post" action=(format!("/uploads/{}/remove", upload.id)) {
                                        (csrf(visitor))
                                        button.quiet type="submit" { "Remove" span.hidden { " " (upload.name) } }
                                    }
                                } }
                            }
                        } }
                    }
                }
            }
        }
    };
    let lead = "Forecast from a file of your own. Nothing in it is changed.";
    Sheet { title: "Upload", place: "/upload", lead, ..Sheet::default() }.show(visitor, &body)
}

/// The role of a column according to a plan.
fn role(plan: &Map<String, Value>, column: &str) -> &'static str {
    let is = |place: &str| match plan.get(place) {
        Some(Value::String(name)) => name == column,
        Some(Value::Array(names)) => names.iter().any(|name| name == column),
        _ => false,
    };
    ROLES.iter().find(|(_, place, _)| !place.is_empty() && is(place)).map_or("ignore", |(word, ..)| word)
}

fn file_page(visitor: &Visitor, upload: &Upload, found: &Answer<Detected>, is_stated: bool) -> Markup {
    let body = match found {
        Err(fault) => {
            html! { (refusal(fault)) p { a href=(format!("/uploads/{}", upload.id)) { "Begin again" } " or " a href="/upload" { "upload another file" } "." } }
        }
        Ok(found) => html! {
            @match &found.summary {
                Ok(summary) => div.note.good role="status" { p { strong { (if is_stated { "Read as you say: " } else { "Found: " }) } (summary) } },
                Err(problem) => div.note.bad role="alert" { p { strong { "The columns are not settled yet. " } (sentence(problem)) } },
            }
            @if !found.notes.is_empty() { ul.plain { @for note in &found.notes { li dir="auto" { (capitalised(note)) } } } }
            (columns(upload, found))
            (start(visitor, upload, found))
        },
    };
    let lead = format!("{}, sent as {}", bytes(upload.bytes), upload.name);
    Sheet { title: "What the file holds", place: "/upload", lead: &lead, ..Sheet::default() }.show(visitor, &body)
}

/// The columns with what each is used for.
fn columns(upload: &Upload, found: &Detected) -> Markup {
    html! {
        form.card method="get" action=(format!("/uploads/{}", upload.id)) aria-labelledby="columns" {
            h2 #columns { "1. What is each column?" }
            div.scroll tabindex="0" role="group" aria-label="Columns of the file" {
                table {
                    thead { tr { th scope="col" { "Column" } th scope="col" { "Used as" } th scope="col" { "Looks like" } th scope="col" { "First values" } } }
                    tbody { @for (at, column) in found.columns.iter().enumerate() {
                        @let chosen = role(&found.plan, &column.name);
                        tr {
                            th scope="row" dir="auto" { (column.name) input type="hidden" name=(format!("name.{at}")) value=(column.name); }
                            td { select name=(format!("role.{at}")) aria-label=(format!("Use of {}", column.name)) {
                                @for (word, _, words) in ROLES { option value=(word) selected[word == chosen] { (words) } }
                            } }
                            td { (column.kind) }
                            td.sample dir="auto" { (column.sample.join(" · ")) }
                        }
                    } }
                }
            }
            div.buttons {
                button.main type="submit" { "Confirm the columns" }
                button type="submit" formaction=(format!("/uploads/{}/audit", upload.id)) { "Check the data" }
            }
        }
    }
}

/// How to forecast, and the button that starts it.
fn start(visitor: &Visitor, upload: &Upload, found: &Detected) -> Markup {
    if !visitor.may_plan || found.summary.is_err() {
        return html! {};
    }
    html! {
        form.card method="post" action=(format!("/uploads/{}/forecast", upload.id)) aria-labelledby="start" {
            h2 #start { "2. Forecast" }
            (csrf(visitor))
            @for (at, column) in found.columns.iter().enumerate() {
                input type="hidden" name=(format!("name.{at}")) value=(column.name);
                input type="hidden" name=(format!("role.{at}")) value=(role(&found.plan, &column.name));
            }
            div.pair {
                (Input { name: "horizon", label: "Look ahead", kind: "number", value: "8", least: Some("1"), most: Some("1000"), is_required: true,
                    unit: "steps of the data", ..Input::default() }.show())
            }
            fieldset {
                legend { "Methods: each is tried on the past, and the best one forecasts" }
                @for (name, words, is_chosen) in METHODS {
                    label.tick { input type="checkbox" name="method" value=(name) checked[is_chosen]; span { (words) " " code { (name) } } }
                }
            }
            (Input { name: "more", label: "Other methods", hint: "Names separated by semicolons, such as ets(season=52); croston", ..Input::default() }.show())
            div.buttons { button.main type="submit" { "Start the forecast" } }
        }
    }
}

fn audit_page(visitor: &Visitor, upload: &Upload, audit: &Answer<Page>, back: &str) -> Markup {
    let body = html! {
        @match audit {
            Ok(audit) => {
                div.note { p { (audit.sentence) } }
                div.engine { (PreEscaped(&audit.html)) }
            },
            Err(fault) => (refusal(fault)),
        }
        p { a.button href=(back) { "Back to the columns" } }
    };
    let lead = format!("What deserves attention in {}.", upload.name);
    Sheet { title: "Data quality", place: "/upload", lead: &lead, ..Sheet::default() }.show(visitor, &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::DetectedColumn;

    const EVIL: &str = r#"<b>"'&"#;

    fn upload() -> Upload {
        Upload {
            id: "0a".into(),
            name: EVIL.into(),
            bytes: 2_500_000,
            made_at: Utc::now(),
            owner: "ann".into(),
            file: "upload.csv".into(),
        }
    }

    fn found(summary: Result<String, String>) -> Detected {
        let column = |name: &str| DetectedColumn {
            name: name.into(),
            kind: "text".into(),
            sample: vec![EVIL.into(), "2".into()],
        };
        let plan = json!({"id": [EVIL], "time": "Date", "target": "Sales"});
        Detected {
            columns: vec![column(EVIL), column("Date"), column("Sales")],
            plan: plan.as_object().cloned().unwrap(),
            notes: vec![EVIL.into()],
            summary,
        }
    }

    #[test]
    fn files_are_shown_escaped() {
        let visitor = Visitor { name: "ann".into(), csrf: "secret".into(), may_plan: true, ..Visitor::default() };
        let list = page(&visitor, &[upload()], 200 << 20, Utc::now()).into_string();
        let good = file_page(&visitor, &upload(), &Ok(found(Ok(EVIL.into()))), false).into_string();
        let bad = file_page(&visitor, &upload(), &Ok(found(Err(EVIL.into()))), false).into_string();
        let worse = file_page(&visitor, &upload(), &Err(Fault::new(Kind::BadData, EVIL)), false).into_string();
        for page in [&list, &good, &bad, &worse] {
            assert!(!page.contains("<b>"), "{page}");
        }
        assert!(list.find("name=\"csrf\"") < list.find("name=\"file\""), "the file comes last");
        assert!(good.contains("<option value=\"date\" selected>") && good.contains("Start the forecast"));
        assert!(!bad.contains("Start the forecast"));
        assert!(page(&Visitor::default(), &[], 1, Utc::now()).into_string().contains("None yet"));
    }

    #[test]
    fn roles_become_a_plan() {
        let form = [
            ("name.0", " Store "),
            ("role.0", "key"),
            ("name.1", "Date"),
            ("role.1", "date"),
            ("name.2", "Sales"),
            ("role.2", "target"),
            ("name.3", "Holiday"),
            ("role.3", "known"),
            ("name.4", "x"),
            ("role.4", "nonsense"),
        ];
        let fields = Fields(form.map(|(name, value)| (name.to_string(), value.to_string())).to_vec());
        let plan = Value::from(plan(&fields));
        assert_eq!(
            plan,
            json!({"time": "Date", "target": "Sales", "id": [" Store "], "known": ["Holiday"], "observed": [], "fixed": []})
        );
        assert!(super::plan(&Fields::default()).is_empty());
        assert!(stated_query(&fields).starts_with("name.0=%20Store%20&role.0=key&name.1=Date"));
    }
}
