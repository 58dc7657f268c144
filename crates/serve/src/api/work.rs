//! Jobs and uploads.

use std::convert::Infallible;
use std::io::Write;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::Stream;
use serde::{Deserialize, Serialize};
use tokio_stream::wrappers::ReceiverStream;
use tradewind_monitor::store::{Job, JobState};
use utoipa::{IntoParams, ToSchema};

use super::describe::Refusals;
use super::{Json, Path, Query};
use crate::access::{Person, Role};
use crate::app::App;
use crate::engine::{Format, JobKind, JobRequest};
use crate::fault::{Fault, Kind};
use crate::jobs::{REPORT, RESULT};
use crate::keeper::blocking;
use crate::uploads::Upload;

/// A job.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobView {
    /// Its id.
    id: String,
    /// What kind of work.
    #[schema(example = "forecast")]
    kind: String,
    /// The model or the file that it is of.
    #[schema(example = "weekly")]
    subject: String,
    /// Who asked for it.
    owner: String,
    /// `queued`, `running`, `done`, `failed` or `cancelled`.
    #[schema(example = "running")]
    state: &'static str,
    /// Steps that are done.
    done: i64,
    /// All steps; 0 where that is not known.
    steps: i64,
    /// What is being done; what came of it; why it failed.
    note: String,
    /// Rows of its table.
    rows: i64,
    /// When it was asked for.
    made_at: DateTime<Utc>,
    /// When work on it began.
    begun_at: Option<DateTime<Utc>>,
    /// When it ended.
    ended_at: Option<DateTime<Utc>>,
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        Self {
            state: job.state.name(),
            id: job.id,
            kind: job.kind,
            subject: job.subject,
            owner: job.owner,
            done: job.done,
            steps: job.steps,
            note: job.note,
            rows: job.rows,
            made_at: job.made_at,
            begun_at: job.begun_at,
            ended_at: job.ended_at,
        }
    }
}

/// One event of a stream.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it describes what is written as text")]
pub(super) struct JobEvent {
    /// `progress`.
    event: String,
    /// The job as JSON.
    data: String,
}

/// Jobs.
#[derive(Serialize, ToSchema)]
pub(super) struct JobList {
    /// The newest first.
    jobs: Vec<JobView>,
}

/// Start a job.
///
/// For what takes longer than a request may: all series of a model or of an upload. Repeat a request whose answer was lost with the same
/// `Idempotency-Key`: it is the same job.
#[utoipa::path(post, path = "/v1/jobs", tag = "Jobs", operation_id = "start_job", request_body = JobRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "A word of yours that names this request",
        min_length = 1, max_length = 200, pattern = "^[!-~]+$")),
    responses((status = 202, description = "The job waits", body = JobView,
        headers(("Location" = String, description = "Where it is"))), Refusals))]
pub(super) async fn add_job(
    State(app): State<App>,
    person: Person,
    headers: HeaderMap,
    Json(request): Json<JobRequest>,
) -> Result<Response<Body>, Fault> {
    person.must_be(if request.kind == JobKind::Retrain { Role::Operator } else { Role::Planner })?;
    let key = match headers.get("idempotency-key") {
        None => None,
        Some(key) => match key.to_str() {
            Ok(key) if (1..=200).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Some(key.to_string())
            }
            _ => return Err(Fault::new(Kind::BadRequest, "an Idempotency-Key has 1 to 200 visible ASCII signs")),
        },
    };
    let job = app.jobs().add(&person, &request, key.as_deref()).await?;
    let place = format!("/v1/jobs/{}", job.id);
    let place = HeaderValue::try_from(place).map_err(|cause| Fault::new(Kind::Internal, cause.to_string()))?;
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, place)], axum::Json(JobView::from(job))).into_response())
}

/// List your jobs.
///
/// Operators see everybody's.
#[utoipa::path(get, path = "/v1/jobs", tag = "Jobs", operation_id = "jobs",
    responses((status = 200, description = "The newest hundred", body = JobList), Refusals))]
pub(super) async fn jobs(State(app): State<App>, person: Person) -> Result<axum::Json<JobList>, Fault> {
    let jobs = app.jobs().list(&person, 100).await?;
    Ok(axum::Json(JobList { jobs: jobs.into_iter().map(JobView::from).collect() }))
}

/// Look at a job.
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "Jobs", operation_id = "job",
    params(("id" = String, Path, description = "The id of the job")),
    responses((status = 200, description = "How far it is", body = JobView), Refusals))]
pub(super) async fn job(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<axum::Json<JobView>, Fault> {
    Ok(axum::Json(app.jobs().get(&person, &id).await?.into()))
}

/// Stop a job.
#[utoipa::path(post, path = "/v1/jobs/{id}/cancel", tag = "Jobs", operation_id = "cancel_job",
    params(("id" = String, Path, description = "The id of the job")),
    responses((status = 202, description = "It stops as soon as it can", body = JobView), Refusals))]
pub(super) async fn cancel_job(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<(StatusCode, axum::Json<JobView>), Fault> {
    person.must_be(Role::Planner)?;
    Ok((StatusCode::ACCEPTED, axum::Json(app.jobs().cancel(&person, &id).await?.into())))
}

/// How long a stream of events goes on.
const FOLLOWED: Duration = Duration::from_secs(600);

/// Follow a job.
///
/// Server-sent events named `progress`, each with the job as `GET /v1/jobs/{id}` answers it; the stream ends with the job.
#[utoipa::path(get, path = "/v1/jobs/{id}/events", tag = "Jobs", operation_id = "job_events",
    params(("id" = String, Path, description = "The id of the job")),
    responses((status = 200, description = "A stream of events", body = JobEvent, content_type = "text/event-stream"), Refusals))]
pub(crate) async fn job_events(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Fault> {
    let place = app.listener().await?;
    let job = app.jobs().get(&person, &id).await?;
    let (send, receive) = tokio::sync::mpsc::channel(4);
    tokio::spawn(async move {
        let _place = place;
        let begun = Instant::now();
        let mut told = None;
        let mut job = job;
        loop {
            let is_over = job.state.is_over();
            if told.as_ref() != Some(&job) {
                told = Some(job.clone());
                let Ok(event) = Event::default().event("progress").json_data(JobView::from(job)) else { return };
                if send.send(Ok(event)).await.is_err() {
                    return;
                }
            }
            // Whoever follows for longer asks again, so that a token that was revoked ends here as well.
            if is_over || app.is_ending() || begun.elapsed() > FOLLOWED {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(500)) => {}
                () = send.closed() => return,
            }
            let Ok(next) = app.jobs().get(&person, &id).await else { return };
            job = next;
        }
    });
    Ok(Sse::new(ReceiverStream::new(receive)).keep_alive(KeepAlive::default()))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// How the table is written.
    #[serde(default)]
    #[param(inline)]
    pub format: Format,
}

/// Download the table of a job.
#[utoipa::path(get, path = "/v1/jobs/{id}/result", tag = "Jobs", operation_id = "job_result",
    params(("id" = String, Path, description = "The id of the job"), Wanted),
    responses((status = 200, description = "The table, as it is read from the store", content(
        (Vec<u8> = "application/vnd.apache.parquet"), (String = "text/csv"), (String = "application/x-ndjson"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))), Refusals))]
pub(crate) async fn result(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response<Body>, Fault> {
    let job = done(&app, &person, &id).await?;
    let (kind, end) = match wanted.format {
        Format::Parquet => ("application/vnd.apache.parquet", "parquet"),
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::Ndjson => ("application/x-ndjson", "ndjson"),
        Format::Xlsx => ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    };
    let name = format!("attachment; filename=\"{}-{}.{end}\"", job.kind, &job.id[..job.id.len().min(8)]);
    let body = match wanted.format {
        Format::Parquet => file_stream(&app, &job.id, RESULT).await?,
        other => converted(&app, &job.id, other).await?,
    };
    let name = HeaderValue::try_from(name).map_err(|cause| Fault::new(Kind::Internal, cause.to_string()))?;
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, body).into_response())
}

/// Read the report of a job.
#[utoipa::path(get, path = "/v1/jobs/{id}/report", tag = "Jobs", operation_id = "job_report",
    params(("id" = String, Path, description = "The id of the job")),
    responses((status = 200, description = "A page without scripts", body = String, content_type = "text/html"), Refusals))]
pub(super) async fn report(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Response<Body>, Fault> {
    let job = done(&app, &person, &id).await?;
    let body = file_stream(&app, &job.id, REPORT).await?;
    // It is a document of its own: it may style itself and run nothing, and pages of ours may show it in a frame.
    let policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; frame-ancestors 'self'; \
                  base-uri 'none'; form-action 'none'";
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")),
    ];
    Ok((headers, body).into_response())
}

/// A job that has a result.
async fn done(app: &App, person: &Person, id: &str) -> Result<Job, Fault> {
    let job = app.jobs().get(person, id).await?;
    match job.state {
        JobState::Done => Ok(job),
        JobState::Queued | JobState::Running => {
            Err(Fault::new(Kind::Conflict, format!("the job is not done yet: {}", job.state.name())))
        }
        JobState::Failed => Err(Fault::new(Kind::Conflict, format!("the job failed: {}", job.note))),
        JobState::Cancelled => Err(Fault::new(Kind::Conflict, "the job was cancelled")),
    }
}

/// A file of a job, piece by piece from the store.
pub(crate) async fn file_stream(app: &App, id: &str, file: &'static str) -> Result<Body, Fault> {
    let Some(first) = app.jobs().piece(id, file, 0).await? else {
        return Err(Fault::new(Kind::NotFound, "the job has no such file"));
    };
    let (send, receive) = tokio::sync::mpsc::channel::<Result<Bytes, Fault>>(2);
    let (app, id) = (app.clone(), id.to_string());
    tokio::spawn(async move {
        let (mut piece, mut number) = (first, 0);
        while send.send(Ok(piece.into())).await.is_ok() {
            number += 1;
            match app.jobs().piece(&id, file, number).await {
                Ok(Some(next)) => piece = next,
                Ok(None) => return,
                Err(fault) => {
                    let _ = send.send(Err(fault)).await;
                    return;
                }
            }
        }
    });
    Ok(Body::from_stream(ReceiverStream::new(receive)))
}

/// The table of a job in another format, written while it is sent.
async fn converted(app: &App, id: &str, format: Format) -> Result<Body, Fault> {
    // Held until the last byte is taken or nobody takes any more.
    let place = app.heavy().await?;
    let (folder, patience) = (app.settings().state.join("work"), app.settings().limits.patience);
    let file = |cause: std::io::Error| crate::uploads::disk(&cause);
    let mut table = blocking(move || tempfile::NamedTempFile::new_in(folder).map_err(file)).await?;
    let mut number = 0;
    while let Some(piece) = app.jobs().piece(id, RESULT, number).await? {
        table = blocking(move || table.write_all(&piece).map(|()| table).map_err(file)).await?;
        number += 1;
    }
    if number == 0 {
        return Err(Fault::new(Kind::NotFound, "the job has no table"));
    }
    let (send, receive) = tokio::sync::mpsc::channel::<Result<Bytes, Fault>>(4);
    let engine = app.engine().clone();
    let runtime = tokio::runtime::Handle::current();
    tokio::spawn(blocking(move || {
        let _place = place;
        let mut out = std::io::BufWriter::with_capacity(
            64 << 10,
            Sender { send: send.clone(), patience, runtime: runtime.clone() },
        );
        let written = engine
            .convert(table.path(), format, &mut out)
            .and_then(|()| out.flush().map_err(|cause| Fault::new(Kind::Timeout, cause.to_string())));
        if let Err(fault) = written {
            let _ = send.try_send(Err(fault));
        }
        Ok(())
    }));
    Ok(Body::from_stream(ReceiverStream::new(receive)))
}

/// Hands on what is written, as fast as it is taken, for as long as it is taken.
struct Sender {
    send: tokio::sync::mpsc::Sender<Result<Bytes, Fault>>,
    patience: Duration,
    runtime: tokio::runtime::Handle,
}

impl Write for Sender {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let piece = self.send.send_timeout(Ok(Bytes::copy_from_slice(bytes)), self.patience);
        self.runtime.block_on(piece).map_err(|_| std::io::Error::from(std::io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A file that was sent.
#[derive(Serialize, ToSchema)]
pub(super) struct UploadView {
    /// Its id, by which jobs name it.
    id: String,
    /// The name that it came with.
    #[schema(example = "sales.csv")]
    name: String,
    /// Its size.
    bytes: u64,
    /// When it came.
    made_at: DateTime<Utc>,
}

impl From<Upload> for UploadView {
    fn from(upload: Upload) -> Self {
        Self { id: upload.id, name: upload.name, bytes: upload.bytes, made_at: upload.made_at }
    }
}

/// Uploads.
#[derive(Serialize, ToSchema)]
pub(super) struct UploadList {
    /// The newest first.
    uploads: Vec<UploadView>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Named {
    /// The name of the file; its end says what it is: csv, tsv, txt (also .gz, .zst, .zip), parquet, xlsx, xls, ods, ndjson.
    #[param(
        example = "sales.csv",
        min_length = 5,
        max_length = 200,
        pattern = r"^[A-Za-z0-9_-]+\.(csv|tsv|txt|parquet|xlsx|ndjson)$"
    )]
    name: String,
}

/// Upload a file.
///
/// The body is the file, as it is; it is written to disk as it comes.
#[utoipa::path(post, path = "/v1/uploads", tag = "Jobs", operation_id = "upload", params(Named),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, description = "The file is there", body = UploadView,
        headers(("Location" = String, description = "Where it is"))), Refusals))]
pub(super) async fn add_upload(
    State(app): State<App>,
    person: Person,
    Query(named): Query<Named>,
    request: Request,
) -> Result<Response<Body>, Fault> {
    person.must_be(Role::Planner)?;
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/octet-stream") {
        return Err(Fault::new(
            Kind::UnsupportedType,
            "send the file itself, with the header `Content-Type: application/octet-stream`",
        ));
    }
    let told = check_size(&app, request.headers())?;
    let upload = app.uploads().receive(&person, &named.name, told, request.into_body().into_data_stream()).await?;
    let place = HeaderValue::try_from(format!("/v1/uploads/{}", upload.id));
    let place = place.map_err(|cause| Fault::new(Kind::Internal, cause.to_string()))?;
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], axum::Json(UploadView::from(upload))).into_response())
}

/// How long a body says to be; what says that it is too large need not be read.
pub(crate) fn check_size(app: &App, headers: &HeaderMap) -> Result<Option<u64>, Fault> {
    let told = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let most = app.settings().limits.upload;
    match told {
        // A form has a little more around the file.
        Some(bytes) if bytes > most + (64 << 10) => Err(Fault::new(
            Kind::TooLarge,
            format!("an upload may have {} MB; send a smaller file or a compressed one", most >> 20),
        )),
        told => Ok(told),
    }
}

/// List your uploads.
#[utoipa::path(get, path = "/v1/uploads", tag = "Jobs", operation_id = "uploads",
    responses((status = 200, description = "The files that were sent", body = UploadList), Refusals))]
pub(super) async fn uploads(State(app): State<App>, person: Person) -> Result<axum::Json<UploadList>, Fault> {
    let list = {
        let uploads = app.uploads().clone();
        blocking(move || Ok(uploads.list(&person))).await?
    };
    Ok(axum::Json(UploadList { uploads: list.into_iter().map(UploadView::from).collect() }))
}

/// Look at an upload.
#[utoipa::path(get, path = "/v1/uploads/{id}", tag = "Jobs", operation_id = "look_at_upload",
    params(("id" = String, Path, description = "The id of the upload")),
    responses((status = 200, description = "The file", body = UploadView), Refusals))]
pub(super) async fn upload(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<axum::Json<UploadView>, Fault> {
    Ok(axum::Json(app.uploads().get(&person, &id)?.0.into()))
}

/// Remove an upload.
#[utoipa::path(delete, path = "/v1/uploads/{id}", tag = "Jobs", operation_id = "remove_upload",
    params(("id" = String, Path, description = "The id of the upload")),
    responses((status = 204, description = "It is gone"), Refusals))]
pub(super) async fn remove_upload(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    person.must_be(Role::Planner)?;
    let uploads = app.uploads().clone();
    blocking(move || uploads.remove(&person, &id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
