//! How is a request made, so that nothing secret is told, nothing waits for ever, and what may help is tried again?
//!
//! HTTP by `ureq`, TLS by `rustls` with the certificates of the system. A connection has 5 seconds, a whole request what
//! the caller says (30 by default). A failed connection, 408, 429 and 5xx are tried again after pauses that double and
//! vary (`backon`), as late as the server's `Retry-After` asks; any other answer is final. An answer that is no JSON is
//! no answer of MLflow, whatever its status: a proxy's page never counts as a refusal of ours.

use std::cell::Cell;
use std::fs::File;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use backon::{BlockingRetryable, ExponentialBuilder};
use base64::Engine;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use ureq::http::{HeaderValue, Request, Response, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

use crate::error::{Error, Result};

/// The longest answer that is read.
const ANSWER: u64 = 64 << 20;
/// The longest pause that a server may ask for.
const LONGEST: Duration = Duration::from_secs(30);
/// What stays as it is in a path of an address.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// How a server is spoken to.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// How long a whole request may take; larger files get a second more for each megabyte.
    pub timeout: Duration,
    /// How often a request that failed for no lasting reason is tried again.
    pub retries: usize,
    /// The first pause before that; each next one is twice as long.
    pub pause: Duration,
    /// How many requests are under way at the same time.
    pub parallel: usize,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(30), retries: 4, pause: Duration::from_millis(200), parallel: 4 }
    }
}

/// Who we are and whom we trust, from MLflow's variables; it is never printed.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    pub user: Option<String>,
    pub password: Option<String>,
    pub token: Option<String>,
    pub insecure: bool,
    pub certificates: Option<PathBuf>,
}

impl Secrets {
    pub(crate) fn from_env() -> Self {
        let get = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            user: get("MLFLOW_TRACKING_USERNAME"),
            password: get("MLFLOW_TRACKING_PASSWORD"),
            token: get("MLFLOW_TRACKING_TOKEN"),
            insecure: get("MLFLOW_TRACKING_INSECURE_TLS").is_some_and(|value| value.eq_ignore_ascii_case("true")),
            certificates: get("MLFLOW_TRACKING_SERVER_CERT_PATH").map(PathBuf::from),
        }
    }
}

/// What a request carries.
pub(crate) enum Load<'a> {
    Nothing,
    /// Nothing; and what comes back may take its time as long as it comes.
    Patience,
    Json(&'a Value),
    File(&'a std::path::Path),
}

/// A server, as requests see it.
pub(crate) struct Net {
    /// Its address without a name, a password or a slash at the end.
    base: String,
    agent: Agent,
    authorization: Option<HeaderValue>,
    options: ServerOptions,
}

impl Net {
    pub(crate) fn new(url: &str, mut secrets: Secrets, options: ServerOptions) -> Result<Self> {
        let address = Address::parse(url)?;
        if let Some((user, password)) = address.credentials {
            (secrets.user, secrets.password) = (Some(user), Some(password));
        }
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(5)))
            .max_idle_connections_per_host(options.parallel.max(1))
            .user_agent(concat!("tradewind-track/", env!("CARGO_PKG_VERSION")));
        // A proxy reaches its own loopback, not ours.
        if matches!(address.host.as_str(), "localhost" | "[::1]") || address.host.starts_with("127.") {
            config = config.proxy(None);
        }
        if address.base.starts_with("https:") {
            config = config.tls_config(tls(&secrets)?);
        }
        Ok(Self {
            base: address.base,
            agent: config.build().new_agent(),
            authorization: authorization(&secrets)?,
            options,
        })
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn options(&self) -> &ServerOptions {
        &self.options
    }

    /// Does `work`, and does it again while its error may pass, `retries` times at most.
    pub(crate) fn patiently<T>(&self, retries: usize, work: impl FnMut() -> Result<T>) -> Result<T> {
        let asked = Rc::new(Cell::new(Duration::ZERO));
        let pause = Rc::clone(&asked);
        let pauses = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(self.options.pause)
            .with_max_delay(LONGEST)
            .with_max_times(retries);
        work.retry(pauses)
            .sleep(move |planned: Duration| std::thread::sleep(planned.max(pause.get())))
            .when(Error::is_away)
            .notify(move |error: &Error, _| asked.set(error.wait().unwrap_or_default().min(LONGEST)))
            .call()
    }

    /// One request and its answer, without another try.
    pub(crate) fn once(&self, method: &str, path: &str, query: &[(&str, &str)], load: &Load<'_>) -> Result<Value> {
        let answer = self.send(method, path, query, load)?;
        let status = answer.status().as_u16();
        let wait = seconds(answer.headers().get(header::RETRY_AFTER));
        let moved = answer.headers().contains_key(header::LOCATION);
        let text = answer
            .into_body()
            .into_with_config()
            .limit(ANSWER)
            .read_to_vec()
            .map_err(|cause| self.unreachable(&cause))?;
        self.understood(status, moved, &text).map_err(|error| error.after(wait))
    }

    /// The bytes of a file, for reading.
    pub(crate) fn bytes(&self, path: &str) -> Result<Body> {
        let answer = self.send("GET", path, &[], &Load::Patience)?;
        let status = answer.status().as_u16();
        if status == 200 {
            return Ok(answer.into_body());
        }
        let text = answer.into_body().into_with_config().limit(ANSWER).read_to_vec().unwrap_or_default();
        match self.understood(status, false, &text) {
            Err(error) => Err(error),
            Ok(_) => Err(Error::away(format!("the server {} answered {status} instead of a file", self.base))),
        }
    }

    fn send(&self, method: &str, path: &str, query: &[(&str, &str)], load: &Load<'_>) -> Result<Response<Body>> {
        let mut address = format!("{}/{}", self.base, utf8_percent_encode(path, PLAIN));
        for (number, (key, value)) in query.iter().enumerate() {
            let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
            address.push_str(&format!("{}{key}={value}", if number == 0 { '?' } else { '&' }));
        }
        let mut request = Request::builder().method(method).uri(address);
        if let Some(secret) = &self.authorization {
            request = request.header(header::AUTHORIZATION, secret);
        }
        let wrong = |_| Error::usage(format!("`{path}` is no address of the server {}", self.base));
        let timeout = self.options.timeout;
        let sent = match load {
            Load::Nothing => {
                let request = request.body(()).map_err(wrong)?;
                self.agent.run(self.agent.configure_request(request).timeout_global(Some(timeout)).build())
            }
            Load::Patience => {
                let request = self.agent.configure_request(request.body(()).map_err(wrong)?);
                let request = request.timeout_recv_response(Some(timeout)).timeout_per_read(Some(timeout));
                self.agent.run(request.build())
            }
            Load::Json(value) => {
                let request = request.header(header::CONTENT_TYPE, "application/json").body(value.to_string());
                let request = request.map_err(wrong)?;
                self.agent.run(self.agent.configure_request(request).timeout_global(Some(timeout)).build())
            }
            Load::File(place) => {
                let file = File::open(place).map_err(|cause| Error::io("read", place, &cause))?;
                let size = file.metadata().map_err(|cause| Error::io("read", place, &cause))?.len();
                let request = request
                    .header(header::CONTENT_TYPE, "application/octet-stream")
                    .header(header::CONTENT_LENGTH, size)
                    .body(file)
                    .map_err(wrong)?;
                let timeout = timeout + Duration::from_secs(size >> 20);
                self.agent.run(self.agent.configure_request(request).timeout_global(Some(timeout)).build())
            }
        };
        sent.map_err(|cause| self.unreachable(&cause))
    }

    fn unreachable(&self, cause: &ureq::Error) -> Error {
        let server = &self.base;
        match cause {
            ureq::Error::Timeout(ureq::Timeout::Connect) => {
                Error::away(format!("the server {server} cannot be reached within 5 seconds"))
            }
            ureq::Error::Timeout(_) => Error::away(format!(
                "the server {server} did not answer within {} seconds",
                self.options.timeout.as_secs_f64()
            )),
            ureq::Error::HostNotFound => Error::away(format!("there is no server {server}: check its address")),
            _ if is_distrust(cause) => Error::away(format!(
                "the server {server} shows no certificate that this system trusts: name the file of the one that signs \
                 it in MLFLOW_TRACKING_SERVER_CERT_PATH"
            )),
            ureq::Error::Io(cause) => Error::away(format!("the server {server} cannot be reached ({cause})")),
            _ => Error::away(format!("the server {server} cannot be reached")),
        }
    }

    /// What an answer means.
    fn understood(&self, status: u16, moved: bool, text: &[u8]) -> Result<Value> {
        let server = &self.base;
        let json = serde_json::from_slice::<Value>(text).ok();
        let said = |value: &Value| {
            let message = value.get("message").and_then(Value::as_str).unwrap_or("no reason given");
            message.chars().take(300).collect::<String>()
        };
        match status {
            // A file that was taken is answered by nothing or by `{}`.
            200..300 if text.is_empty() => Ok(Value::Null),
            200..300 => json.ok_or_else(|| {
                Error::away(format!(
                    "the server {server} answered something that is not of MLflow: check that its address is right"
                ))
            }),
            401 | 403 => Err(Error::denied(format!(
                "the server {server} does not let us in ({status}): check MLFLOW_TRACKING_USERNAME and \
                 MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
            ))),
            408 | 429 | 500.. => {
                let why = json.as_ref().map(|value| format!(": {}", said(value))).unwrap_or_default();
                Err(Error::away(format!("the server {server} cannot answer now ({status}{why})")))
            }
            300..=399 if moved => {
                Err(Error::away(format!("the server {server} sends us elsewhere ({status}): give that address")))
            }
            _ => match json.filter(|value| value.get("error_code").is_some()) {
                Some(value) => {
                    let code = value.get("error_code").and_then(Value::as_str).unwrap_or_default();
                    Err(Error::refused(format!("the server {server} refuses: {}", said(&value)), code))
                }
                None => Err(Error::away(format!(
                    "the server {server} answered {status} without a reason: check that it is one of MLflow"
                ))),
            },
        }
    }
}

/// Is it the certificate that is wrong?
fn is_distrust(cause: &ureq::Error) -> bool {
    match cause {
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::Pem(_) => true,
        ureq::Error::Io(cause) => cause.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()),
        _ => false,
    }
}

fn seconds(value: Option<&HeaderValue>) -> Option<Duration> {
    value?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

fn authorization(secrets: &Secrets) -> Result<Option<HeaderValue>> {
    let text = match (&secrets.user, &secrets.password, &secrets.token) {
        (Some(user), password, _) => {
            let pair = format!("{user}:{}", password.as_deref().unwrap_or_default());
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
        }
        (None, _, Some(token)) => format!("Bearer {token}"),
        (None, _, None) => return Ok(None),
    };
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| Error::usage("MLFLOW_TRACKING_TOKEN has characters that no token has: set it anew"))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

fn tls(secrets: &Secrets) -> Result<TlsConfig> {
    let roots: Vec<Certificate<'static>> = match &secrets.certificates {
        Some(path) => {
            let text = std::fs::read(path).map_err(|cause| Error::io("read the certificates", path, &cause))?;
            let certificates = parse_pem(&text).filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            });
            let certificates: Vec<_> = certificates.collect();
            if certificates.is_empty() {
                return Err(Error::usage(format!("{} holds no certificate in PEM", path.display())));
            }
            certificates
        }
        None => {
            let found = rustls_native_certs::load_native_certs().certs;
            found.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect()
        }
    };
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&roots))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .disable_verification(secrets.insecure)
        .build())
}

/// An address, taken apart.
struct Address {
    base: String,
    host: String,
    credentials: Option<(String, String)>,
}

impl Address {
    fn parse(url: &str) -> Result<Self> {
        // The address may hold a password, so that no error repeats it.
        let wrong = || Error::usage("the address of the server is not of the form http://host:port or https://host");
        let (scheme, rest) = url.trim().split_once("://").ok_or_else(wrong)?;
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            return Err(wrong());
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (credentials, place) = match authority.rsplit_once('@') {
            Some((pair, place)) => {
                let (user, password) = pair.split_once(':').unwrap_or((pair, ""));
                let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
                (Some((plain(user), plain(password))), place)
            }
            None => (None, authority),
        };
        if path.contains(['?', '#']) {
            return Err(Error::usage("the address of the server goes on after its path: leave out what follows `?`"));
        }
        let host = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                port.parse::<u16>().map_err(|_| wrong())?;
                host
            }
            _ => place,
        };
        let base = format!("{scheme}://{place}{}", path.trim_end_matches('/'));
        if host.is_empty() || base.parse::<ureq::http::Uri>().is_err() {
            return Err(wrong());
        }
        Ok(Self { host: host.to_ascii_lowercase(), base, credentials })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_the_address_is_taken_out() {
        let address = Address::parse("https://ann:s%40cret@host:5000/mlflow/").unwrap(); // tree-check: allow
        assert_eq!(address.base, "https://host:5000/mlflow");
        assert_eq!(address.credentials, Some(("ann".to_owned(), "s@cret".to_owned())));
        let bad = [
            "ftp://ann:s3cret@h",    // tree-check: allow
            "http://ann:s3cret@h:x", // tree-check: allow
            "http://ann:s3cret@",    // tree-check: allow
            "ann:s3cret@h",
            "http://a b",
        ];
        for bad in bad {
            let error = Address::parse(bad).err().map(|error| error.to_string()).unwrap();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_name_and_password_win_over_a_token() {
        let secrets = Secrets {
            user: Some("u".to_owned()),
            password: Some("p".to_owned()),
            token: Some("t".to_owned()),
            ..Secrets::default()
        };
        assert_eq!(authorization(&secrets).unwrap().unwrap(), "Basic dTpw");
        let secrets = Secrets { token: Some("t".to_owned()), ..Secrets::default() };
        assert_eq!(authorization(&secrets).unwrap().unwrap(), "Bearer t");
    }

    proptest::proptest! {
        #[test]
        fn no_address_tells_its_password(scheme in "(https?|ftp|x)", rest in "\\PC{0,20}") {
            if let Err(error) = Address::parse(&format!("{scheme}://ann:s3cret@{rest}")) {
                proptest::prop_assert!(!error.to_string().contains("s3cret"));
            }
        }

        #[test]
        fn any_answer_is_an_answer(status in 100_u16..1_000, moved: bool, text in "(\\{\"error_code\": \\w*\\}|\\PC{0,20})") {
            let net = Net::new("http://127.0.0.1:1", Secrets::default(), ServerOptions::default()).unwrap();
            let is_json = serde_json::from_str::<Value>(&text).is_ok();
            if let Err(error) = net.understood(status, moved, text.as_bytes()) {
                // Only what MLflow says is a refusal.
                proptest::prop_assert!(!error.is_refused() || is_json);
            }
        }
    }
}
