//! Work that takes longer: what goes on, how far it is, what came of it.

use axum::Router;
use axum::extract::State;
use axum::response::Redirect;
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde_json::{Map, Value};
use tradewind_monitor::store::{Job, JobState};

use super::fields::{Fields, Posted, csrf};
use super::layout::{Sheet, Visitor};
use super::words::{ago, capitalised, count, fixed, moment, sentence};
use crate::access::{Person, Role};
use crate::api::Path;
use crate::app::App;
use crate::engine::{JobKind, JobRequest};
use crate::fault::{Fault, Kind};
use crate::jobs::REPORT;

/// Jobs that are listed.
const LISTED: usize = 100;
/// Seconds after which a browser without scripts looks again.
const RELOAD: u32 = 3;

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/jobs", get(list).post(start))
        .route("/jobs/{id}", get(look))
        .route("/jobs/{id}/cancel", post(cancel))
}

async fn list(State(app): State<App>, person: Person) -> Result<Markup, Fault> {
    let jobs = app.jobs().list(&person, LISTED).await?;
    Ok(list_page(&Visitor::of(&app, Some(&person)), &jobs, Utc::now()))
}

/// Forecasts all series of a model.
async fn start(State(app): State<App>, Posted(person, fields): Posted) -> Result<Redirect, Fault> {
    person.must_be(Role::Planner)?;
    let name = fields.text("model");
    if !app.engine().models().iter().any(|model| model.name == name) {
        return Err(Fault::new(Kind::UnknownModel, format!("no model is called “{name}”")));
    }
    let request = JobRequest { kind: JobKind::Forecast, model: Some(name.into()), upload: None, plan: Map::new() };
    begin(&app, &person, &request).await
}

/// Keeps a job and shows it.
pub(super) async fn begin(app: &App, person: &Person, request: &JobRequest) -> Result<Redirect, Fault> {
    let job = app.jobs().add(person, request, None).await?;
    Ok(Redirect::to(&format!("/jobs/{}", job.id)))
}

async fn look(State(app): State<App>, person: Person, Path(id): Path<String>) -> Result<Markup, Fault> {
    let job = app.jobs().get(&person, &id).await?;
    let has_report = job.state == JobState::Done && app.jobs().piece(&job.id, REPORT, 0).await?.is_some();
    Ok(page(&Visitor::of(&app, Some(&person)), &job, has_report, Utc::now()))
}

async fn cancel(State(app): State<App>, Path(id): Path<String>, Posted(person, _): Posted) -> Result<Redirect, Fault> {
    person.must_be(Role::Planner)?;
    let job = match app.jobs().cancel(&person, &id).await {
        // It ended while its page was looked at: that is what the page will say.
        Err(fault) if fault.kind == Kind::Conflict => app.jobs().get(&person, &id).await?,
        other => other?,
    };
    Ok(Redirect::to(&format!("/jobs/{}", job.id)))
}

/// What a job does, and of what.
fn title(job: &Job) -> String {
    let of = if job.subject.is_empty() { String::new() } else { format!(" of {}", job.subject) };
    let what = match job.kind.as_str() {
        "forecast" => "Forecast",
        "decide" => "Orders",
        "retrain" => "Retraining",
        other => return capitalised(other) + &of,
    };
    format!("{what}{of}")
}

/// The state in a word.
fn state(job: &Job) -> &'static str {
    match job.state {
        JobState::Queued => "waiting",
        JobState::Running if job.stopping => "stopping",
        JobState::Running => "running",
        JobState::Done => "done",
        JobState::Failed => "failed",
        JobState::Cancelled => "cancelled",
    }
}

fn badge(job: &Job) -> Markup {
    html! { span class=(format!("badge {}", state(job))) { (state(job)) } }
}

/// A list of jobs.
pub(super) fn job_table(jobs: &[Job], now: DateTime<Utc>) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label="Jobs" {
            table {
                thead { tr {
                    th scope="col" { "Job" } th scope="col" { "State" } th scope="col" { "Asked for" } th scope="col" { "By" } th scope="col" { "What came of it" }
                } }
                tbody { @for job in jobs {
                    tr {
                        th scope="row" { a href=(format!("/jobs/{}", job.id)) dir="auto" { (title(job)) } }
                        td { (badge(job)) }
                        td { time datetime=(job.made_at.to_rfc3339()) title=(moment(job.made_at)) { (ago(job.made_at, now)) } }
                        td dir="auto" { (job.owner) }
                        td.long dir="auto" { (capitalised(&job.note)) }
                    }
                } }
            }
        }
    }
}

fn list_page(visitor: &Visitor, jobs: &[Job], now: DateTime<Utc>) -> Markup {
    let body = html! {
        @if jobs.is_empty() {
            div.empty {
                p { strong { "Nothing has been started yet." } }
                p { "Forecast all series of a model from the " a href="/" { "overview" } @if visitor.may_plan { ", or " a href="/upload" { "upload a file" } " of your own" } "." }
            }
        } @else {
            (job_table(jobs, now))
        }
    };
    let lead = if visitor.may_manage {
        "What everybody has started, the newest first."
    } else {
        "What you have started, the newest first."
    };
    Sheet { title: "Jobs", place: "/jobs", lead, ..Sheet::default() }.show(visitor, &body)
}

fn page(visitor: &Visitor, job: &Job, has_report: bool, now: DateTime<Utc>) -> Markup {
    let title = title(job);
    let is_over = job.state.is_over();
    let body = html! {
        p.meta { (badge(job)) " Asked for by " span dir="auto" { (job.owner) } " " time datetime=(job.made_at.to_rfc3339()) { (ago(job.made_at, now)) }
            @if let (Some(begun), Some(ended)) = (job.begun_at, job.ended_at) { ", took " (took((ended - begun).num_milliseconds())) } "." }
        @match job.state {
            JobState::Queued | JobState::Running => (progress(visitor, job)),
            JobState::Done => (result(visitor, job, has_report)),
            JobState::Failed => {
                div.note.bad role="alert" { p { strong { "It could not be done." } " " (sentence(&job.note)) } }
                p { (next(job)) }
            },
            JobState::Cancelled => {
                div.note { p { "It was cancelled before it was done." } }
                p { (next(job)) }
            },
        }
        p { a href="/jobs" { "All jobs" } }
    };
    let reload = (!is_over).then_some(RELOAD);
    Sheet { title: &title, place: "/jobs", reload, ..Sheet::default() }.show(visitor, &body)
}

/// Where to go on from a job that has no result.
fn next(job: &Job) -> Markup {
    let request: Value = serde_json::from_str(&job.request).unwrap_or_default();
    html! {
        @if let Some(upload) = request["upload"].as_str() { a href=(format!("/uploads/{upload}")) { "Back to the file" } }
        @else { a href="/" { "Back to the models" } }
    }
}

fn progress(visitor: &Visitor, job: &Job) -> Markup {
    let text = match (job.state, job.note.as_str()) {
        _ if job.stopping => "Stopping …".into(),
        (JobState::Queued, _) => "Waiting for its turn …".into(),
        (_, "") => "Has begun …".into(),
        (_, note) => format!("{} …", capitalised(note)),
    };
    let share = if job.steps > 0 { (job.done as f64 / job.steps as f64).clamp(0.0, 1.0) } else { 0.0 };
    html! {
        section.card aria-labelledby="progress-title" data-events=(format!("/v1/jobs/{}/events", job.id)) {
            h2 #progress-title { "Progress" }
            div.progress {
                progress aria-labelledby="progress-title" max="1000" value=(fixed(share * 1000.0, 0).replace(',', "")) {}
                span.share data-share { (fixed(share * 100.0, 0)) " %" }
            }
            p role="status" aria-live="polite" data-note { (text) }
            @if visitor.may_plan && !job.stopping {
                form method="post" action=(format!("/jobs/{}/cancel", job.id)) {
                    (csrf(visitor))
                    button type="submit" { "Cancel" }
                }
            }
            p.hint { "You may leave this page: the work goes on, and is listed under Jobs." }
        }
    }
}

fn result(_: &Visitor, job: &Job, has_report: bool) -> Markup {
    let file = |format: &str| format!("/v1/jobs/{}/result?format={format}", job.id);
    let report = format!("/v1/jobs/{}/report", job.id);
    html! {
        div.note.good role="status" { p { (capitalised(&job.note)) } }
        section aria-labelledby="download" {
            h2 #download { "Download" }
            p { (count(job.rows.max(0) as usize, "row", "rows")) ", as you like to have them:" }
            div.buttons {
                a.button.main href=(file("xlsx")) download { "Excel" }
                a.button href=(file("csv")) download { "CSV" }
                a.button href=(file("parquet")) download { "Parquet" }
            }
        }
        @if has_report {
            section aria-labelledby="report" {
                h2 #report { "Report" }
                p { a href=(report) target="_blank" rel="noopener" { "Open it in a tab of its own" } }
                iframe.report sandbox="" src=(report) title="Report of this job" loading="lazy" {}
            }
        }
    }
}

fn took(milliseconds: i64) -> String {
    let seconds = (milliseconds.max(0) as f64) / 1000.0;
    match seconds {
        seconds if seconds < 10.0 => format!("{} seconds", fixed(seconds, 1)),
        seconds if seconds < 120.0 => format!("{} seconds", fixed(seconds, 0)),
        seconds => format!("{} minutes", fixed(seconds / 60.0, 0)),
    }
}

/// Where jobs begin: what a form states of how to forecast.
pub(super) fn horizon(fields: &Fields) -> Result<usize, Fault> {
    Ok(fields.whole("horizon", "Look ahead", 1, 1000)?.unwrap_or(8))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVIL: &str = r#"<b>"'&"#;

    fn job(state: JobState) -> Job {
        Job {
            id: "0a".into(),
            owner: EVIL.into(),
            kind: "forecast".into(),
            subject: EVIL.into(),
            request: serde_json::json!({"model": EVIL}).to_string(),
            state,
            stopping: false,
            tries: 1,
            done: 1,
            steps: 3,
            note: EVIL.into(),
            rows: 16_000,
            made_at: Utc::now(),
            begun_at: Some(Utc::now()),
            ended_at: Some(Utc::now()),
        }
    }

    #[test]
    fn every_state_has_a_page() {
        let visitor = Visitor { name: "a".into(), csrf: "secret".into(), may_plan: true, ..Visitor::default() };
        for state in JobState::ALL {
            let page = page(&visitor, &job(state), true, Utc::now()).into_string();
            assert!(!page.contains("<b>"), "{state:?}: {page}");
            assert_eq!(page.contains("http-equiv=\"refresh\""), !state.is_over());
            assert_eq!(page.contains("action=\"/jobs/0a/cancel\""), !state.is_over());
            assert_eq!(page.contains("format=xlsx") && page.contains("16,000 rows"), state == JobState::Done);
        }
        assert!(page(&visitor, &job(JobState::Running), false, Utc::now()).into_string().contains("value=\"333\""));
        assert!(!list_page(&visitor, &[job(JobState::Done)], Utc::now()).into_string().contains("<b>"));
        assert!(list_page(&visitor, &[], Utc::now()).into_string().contains("Nothing has been started yet"));
    }
}
