//! How does a request come in, and an answer go out? Connections, time limits, who asks, headers, logs, the end.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::Next;
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

use crate::access::{Access, Nobody, Person};
use crate::engine::Engine;
use crate::fault::{Fault, Kind};
use crate::jobs::Jobs;
use crate::keeper::{Keeper, blocking};
use crate::metrics::{Metrics, seconds_now};
use crate::settings::Settings;
use crate::uploads::Uploads;
use crate::{api, pages};

/// What handlers share.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    engine: Arc<dyn Engine>,
    settings: Settings,
    keeper: Keeper,
    access: Access,
    jobs: Jobs,
    uploads: Uploads,
    metrics: Metrics,
    heavy: Arc<Semaphore>,
    listeners: Arc<Semaphore>,
    /// The description of the API, made once.
    document: OnceLock<serde_json::Value>,
    is_ending: AtomicBool,
    started: f64,
    requests: AtomicU64,
}

/// People who may follow jobs at once.
const LISTENERS: usize = 200;

impl App {
    /// Whoever makes the forecasts.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.0.engine
    }

    /// How the server is set up.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Work that takes longer than a request may.
    pub fn jobs(&self) -> &Jobs {
        &self.0.jobs
    }

    /// Files that were sent.
    pub fn uploads(&self) -> &Uploads {
        &self.0.uploads
    }

    /// Does the server let everybody in, from this machine?
    pub fn is_open(&self) -> bool {
        self.0.access.is_open()
    }

    pub(crate) fn access(&self) -> &Access {
        &self.0.access
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn document(&self, make: impl FnOnce() -> serde_json::Value) -> &serde_json::Value {
        self.0.document.get_or_init(make)
    }

    pub(crate) fn started(&self) -> f64 {
        self.0.started
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.0.is_ending.load(Ordering::Relaxed)
    }

    /// May the store be asked?
    pub(crate) async fn check_store(&self) -> Result<(), Fault> {
        self.0.keeper.ask(|store| store.waiting_jobs()).await.map(drop)
    }

    /// Asks the engine something that takes a while, on a thread for that.
    ///
    /// # Errors
    /// Too much is asked at once, or the engine refuses.
    pub async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Engine) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let permit = self.heavy().await?;
        let engine = self.0.engine.clone();
        blocking(move || {
            // Given back when the work is done, which may be after its client has left.
            let _permit = permit;
            ask(&*engine)
        })
        .await
    }

    /// A place among the requests that take a while.
    pub(crate) async fn heavy(&self) -> Result<OwnedSemaphorePermit, Fault> {
        permit(&self.0.heavy, Duration::from_secs(2)).await
    }

    pub(crate) async fn listener(&self) -> Result<OwnedSemaphorePermit, Fault> {
        permit(&self.0.listeners, Duration::ZERO).await
    }
}

/// A place among those who are served, after a short wait.
async fn permit(places: &Arc<Semaphore>, wait: Duration) -> Result<OwnedSemaphorePermit, Fault> {
    match tokio::time::timeout(wait, places.clone().acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(Fault::new(Kind::Busy, "too much is asked at once; try again in a second")),
    }
}

/// A server that is about to serve.
pub struct Server {
    app: App,
    listener: std::net::TcpListener,
}

impl Server {
    /// Opens the store and the state folder, and begins to listen; nothing is answered before [`run`](Self::run).
    ///
    /// # Errors
    /// The place is taken, the store or the folder cannot be used, or it would be reachable from other machines without a token.
    pub fn open(settings: Settings, engine: Arc<dyn Engine>) -> Result<Self, Fault> {
        own_folder(&settings.state).map_err(|cause| crate::uploads::disk(&cause))?;
        let keeper = Keeper::open(&settings.store, &settings.schema)?;
        let access = Access::new(keeper.clone(), &settings)?;
        let metrics = Metrics::new();
        let uploads = Uploads::open(&settings.state, &settings.limits)?;
        let jobs = Jobs::open(keeper.clone(), engine.clone(), uploads.clone(), metrics.clone(), &settings)?;
        let listener = std::net::TcpListener::bind(settings.listen).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(listener)
        });
        let listener = listener
            .map_err(|cause| Fault::new(Kind::Unavailable, format!("cannot listen on {}: {cause}", settings.listen)))?;
        let app = App(Arc::new(Inner {
            engine,
            heavy: Arc::new(Semaphore::new(settings.limits.heavy)),
            listeners: Arc::new(Semaphore::new(LISTENERS)),
            settings,
            keeper,
            access,
            jobs,
            uploads,
            metrics,
            document: OnceLock::new(),
            is_ending: AtomicBool::new(false),
            started: seconds_now(),
            requests: AtomicU64::new(0),
        }));
        Ok(Self { app, listener })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// Only if the system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the process is asked to end (SIGTERM, Ctrl-C): then what is being answered is answered, and jobs are handed back.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn run(self) -> Result<(), Fault> {
        self.run_until(asked_to_end())
    }

    /// As [`run`](Self::run), until `end`.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_until(self, end: impl Future<Output = ()> + Send + 'static) -> Result<(), Fault> {
        let system = |cause: std::io::Error| Fault::new(Kind::Unavailable, format!("the server cannot begin: {cause}"));
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(system)?;
        let served = runtime.block_on(async move {
            let listener = TcpListener::from_std(self.listener).map_err(system)?;
            serve(self.app, listener, end).await;
            Ok(())
        });
        // Work that nobody waits for any more does not hold up the end.
        runtime.shutdown_timeout(Duration::from_secs(1));
        served
    }
}

/// A folder that others on the machine do not look into.
fn own_folder(place: &std::path::Path) -> std::io::Result<()> {
    let mut folder = std::fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(place)
}

/// SIGTERM or Ctrl-C.
async fn asked_to_end() {
    #[cfg(unix)]
    if let Ok(mut term) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = term.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        return;
    }
    let _ = tokio::signal::ctrl_c().await;
}

async fn serve(app: App, listener: TcpListener, end: impl Future<Output = ()>) {
    let settings = app.settings().clone();
    let limits = &settings.limits;
    app.jobs().start(settings.workers);
    let over = CancellationToken::new();
    let refreshing = tokio::spawn(over.clone().run_until_cancelled_owned(refresh(app.clone())));
    let (places, open) = (Arc::new(Semaphore::new(limits.connections)), TaskTracker::new());
    let router = router(app.clone());
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.patience).max_buf_size(64 << 10).half_close(false);
    tokio::pin!(end);
    loop {
        // One that finds no place waits in the system's queue.
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place,
            () = &mut end => break,
        };
        let (stream, address) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(cause) => {
                    // No more descriptors, perhaps: others are given back soon.
                    tracing::warn!(%cause, "a connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut end => break,
        };
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let answer = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(address.ip());
            router.clone().oneshot(request)
        });
        // Whoever takes nothing of an answer is hung up on.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits.patience));
        let connection = http.serve_connection(TokioIo::new(Box::pin(stream)), answer);
        let over = over.clone();
        open.spawn(async move {
            let _place = place;
            tokio::pin!(connection);
            tokio::select! {
                _ = connection.as_mut() => return,
                () = over.cancelled() => connection.as_mut().graceful_shutdown(),
            }
            let _ = connection.await;
        });
    }
    tracing::info!("ending");
    app.0.is_ending.store(true, Ordering::Relaxed);
    drop(listener);
    over.cancel();
    open.close();
    let _ = tokio::join!(tokio::time::timeout(limits.grace, open.wait()), app.jobs().end(limits.grace));
    let _ = refreshing.await;
    tracing::info!("ended");
}

/// Lets the engine look for changed models.
async fn refresh(app: App) {
    let mut ticks = tokio::time::interval(Duration::from_secs(2));
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let engine = app.engine().clone();
        let looked = blocking(move || {
            engine.refresh();
            Ok(())
        });
        let _ = tokio::join!(looked, app.access().refresh());
    }
}

/// All paths.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .merge(api::router(&app))
        .merge(pages::router())
        .fallback(async || Fault::new(Kind::NotFound, "there is nothing at this address"))
        .method_not_allowed_fallback(async || {
            Fault::new(Kind::MethodNotAllowed, "the address is right, and takes another method: see the header Allow")
        })
        .layer(CatchPanicLayer::custom(panicked))
        .layer(axum::middleware::from_fn_with_state(app.clone(), around))
        .with_state(app)
}

/// A mistake of ours ends one answer, not the server.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response<Body> {
    Fault::new(Kind::Internal, "this request could not be met because of a mistake in the program").into_response()
}

/// Addresses at which programs ask; at all others people do.
fn is_api(path: &str) -> bool {
    path.starts_with("/v1/") || ["/healthz", "/readyz", "/metrics", "/openapi.json"].contains(&path)
}

/// What happens around every request.
async fn around(State(app): State<App>, request: Request, next: Next) -> Response<Body> {
    let id = request_id(&app, request.headers());
    // Whatever is written down on the way carries the id.
    let span = tracing::info_span!("request", id);
    answered(app, id, request, next).instrument(span).await
}

async fn answered(app: App, id: String, mut request: Request, next: Next) -> Response<Body> {
    let begun = Instant::now();
    let _in_flight = app.metrics().begin();
    let (method, path) = (request.method().clone(), request.uri().path().to_string());
    let route: Cow<'static, str> = match request.extensions().get::<MatchedPath>() {
        Some(route) => route.as_str().to_string().into(),
        None => "other".into(),
    };
    let address = request.extensions().get::<IpAddr>().copied().unwrap_or(IpAddr::from([127, 0, 0, 1]));
    let wants_page = !is_api(&path)
        && request.headers().get(header::ACCEPT).is_none_or(|accept| {
            accept.to_str().is_ok_and(|accept| accept.contains("text/html") || accept.contains("*/*"))
        });
    let mut person = None;
    let mut visit = None;
    let checked = match app.access().check_origin(&method, request.headers()) {
        Err(fault) => Err(fault),
        Ok(()) => {
            match app.access().person(request.headers(), address).await {
                Ok(mut found) => {
                    if let Some((cookie, csrf)) = app.access().first_visit(request.headers()).filter(|_| wants_page) {
                        found.csrf = Some(csrf);
                        visit = Some(cookie);
                    }
                    request.extensions_mut().insert(found.clone());
                    person = Some(found);
                }
                Err(fault) => {
                    request.extensions_mut().insert(Nobody(fault));
                }
            }
            match &person {
                Some(person) if !method.is_safe() && is_api(&path) => {
                    app.access().check_script(person, request.headers())
                }
                _ => Ok(()),
            }
        }
    };
    let mut response = match checked {
        Err(fault) => fault.into_response(),
        Ok(()) => {
            // An upload is bounded by the patience for its pieces.
            let is_long = method == Method::POST && (path == "/v1/uploads" || path == "/upload");
            if is_long {
                next.run(request).await
            } else {
                let limit = app.settings().limits.time;
                match tokio::time::timeout(limit, next.run(request)).await {
                    Ok(response) => response,
                    Err(_) => Fault {
                        retry_after: Some(5),
                        ..Fault::new(
                            Kind::Unavailable,
                            format!("the answer took longer than {} s; ask for less, or start a job", limit.as_secs()),
                        )
                    }
                    .into_response(),
                }
            }
        }
    };
    let fault = response.extensions().get::<Fault>().cloned();
    let refusal = fault.as_ref().map_or("", |fault| fault.kind.name());
    if let Some(fault) = fault.filter(|_| wants_page) {
        let kept: Vec<(HeaderName, HeaderValue)> = [header::ALLOW, header::RETRY_AFTER, header::WWW_AUTHENTICATE]
            .into_iter()
            .filter_map(|name| Some((name.clone(), response.headers().get(&name)?.clone())))
            .collect();
        response = pages::refused(&app, &fault, person.as_ref(), &path);
        response.headers_mut().extend(kept);
    }
    // What axum itself refuses, before a handler sees it, is worded here.
    let status = response.status();
    let is_bare = status.is_client_error() && response.extensions().get::<Fault>().is_none() && !wants_page;
    if is_bare && status != StatusCode::UNPROCESSABLE_ENTITY {
        let kind = if status == StatusCode::PAYLOAD_TOO_LARGE { Kind::TooLarge } else { Kind::BadRequest };
        response = Fault::new(kind, "the path or a header of the request cannot be read").into_response();
    }
    let headers = response.headers_mut();
    if let Some(cookie) = visit.and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
        headers.append(header::SET_COOKIE, cookie);
    }
    if let Ok(id) = HeaderValue::try_from(&id) {
        headers.insert("x-request-id", id);
    }
    secure(headers, app.access().secure);
    let (status, seconds) = (response.status().as_u16(), begun.elapsed().as_secs_f64());
    let method = method_name(&method);
    app.metrics().request(method, route.clone(), status, seconds);
    let name = person.as_ref().map_or("", |person: &Person| person.name.as_str());
    // Probes and measurements every few seconds are no news.
    if matches!(&*route, "/healthz" | "/readyz" | "/metrics") {
        tracing::debug!(method, route = &*route, status, seconds, refusal, "answered");
    } else {
        let ms = (seconds * 1e5).round() / 100.0;
        tracing::info!(method, path, route = &*route, status, ms, person = name, %address, refusal, "answered");
    }
    response
}

/// The methods that there are; whatever else is sent counts as one, so that labels stay few.
fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "DELETE" => "DELETE",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// The id that a proxy gave, or one of ours: it is in the answer and in the logs.
fn request_id(app: &App, headers: &HeaderMap) -> String {
    let given = headers.get("x-request-id").and_then(|id| id.to_str().ok());
    let is_id = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    match given.filter(is_id) {
        Some(id) => id.to_string(),
        None => {
            let number = app.0.requests.fetch_add(1, Ordering::Relaxed);
            format!("{:x}-{number:x}", (app.started() * 1000.0) as u64)
        }
    }
}

const POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; object-src 'none'; \
                      frame-ancestors 'none'; form-action 'self'; base-uri 'none'";

/// What keeps a page from being used against whoever reads it.
fn secure(headers: &mut HeaderMap, is_https: bool) {
    let mut set = |name: &'static str, value: &'static str| {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    };
    set("content-security-policy", POLICY);
    set("x-content-type-options", "nosniff");
    set("x-frame-options", "DENY");
    set("referrer-policy", "same-origin");
    set("cross-origin-opener-policy", "same-origin");
    set("cross-origin-resource-policy", "same-origin");
    set("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
    set("cache-control", "no-store");
    if is_https {
        set("strict-transport-security", "max-age=31536000; includeSubDomains");
    }
}
