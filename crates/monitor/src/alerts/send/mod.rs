//! How is a message sent?
//!
//! A destination is tried three times, a fifth and two fifths of a second apart, where it does not answer or is overloaded;
//! what it refuses for good is not tried again at once.

mod http;
#[cfg(feature = "mail")]
mod mail;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::Duration;

use backon::{BlockingRetryable as _, ExponentialBuilder};

use super::deliver::without;
use super::message::Message;
use super::rule::Destination;
use crate::error::{Error, Result};

/// Why a try failed, and whether another may help.
pub(super) struct Failure {
    why: String,
    again: bool,
}

impl Failure {
    fn for_now(why: impl ToString) -> Self {
        Self { why: why.to_string(), again: true }
    }

    fn for_good(why: impl ToString) -> Self {
        Self { why: why.to_string(), again: false }
    }
}

/// Secrets that were looked up: what messages about failures must not show.
struct Secrets<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    known: BTreeSet<String>,
}

impl Secrets<'_> {
    fn get(&mut self, name: &str) -> Result<String> {
        let value = (self.variable)(name).filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| Error::usage(format!("the environment variable {name} is not set")))?;
        self.known.insert(value.clone());
        Ok(value)
    }

    fn maybe(&mut self, name: Option<&String>) -> Result<Option<String>> {
        name.map(|name| self.get(name)).transpose()
    }
}

/// Sends a message.
///
/// # Errors
/// It could not be sent, and why, without any secret.
pub(super) fn send(to: &Destination, message: &Message, variable: &dyn Fn(&str) -> Option<String>) -> Result<()> {
    let mut secrets = Secrets { variable, known: BTreeSet::new() };
    let mut sender: Box<dyn FnMut() -> Result<(), Failure>> = match to {
        Destination::Log { path } => return log(path, message),
        Destination::Webhook { url, url_env, secret_env, timeout_seconds } => {
            let url = match (url, url_env) {
                (Some(url), _) => url.clone(),
                (None, Some(name)) => secrets.get(name)?,
                (None, None) => return Err(Error::usage("the webhook has no URL")),
            };
            let secret = secrets.maybe(secret_env.as_ref())?;
            let agent = http::agent(Duration::from_secs_f64(*timeout_seconds))?;
            let body = written(message)?;
            let signature = secret.map(|secret| http::signature(secret.as_bytes(), body.as_bytes())).transpose()?;
            let id = message.id.clone();
            Box::new(move || {
                let mut headers = vec![("Idempotency-Key", id.as_str())];
                headers.extend(signature.as_ref().map(|signature| ("X-Tradewind-Signature", signature.as_str())));
                http::post(&agent, &url, &headers, &body)
            })
        }
        Destination::Alertmanager { url, token_env, timeout_seconds } => {
            let token = secrets.maybe(token_env.as_ref())?.map(|token| format!("Bearer {token}"));
            let agent = http::agent(Duration::from_secs_f64(*timeout_seconds))?;
            let url = format!("{}/api/v2/alerts", url.trim_end_matches('/'));
            let body = http::alertmanager(message).to_string();
            Box::new(move || {
                let headers: Vec<(&str, &str)> = token.iter().map(|token| ("Authorization", token.as_str())).collect();
                http::post(&agent, &url, &headers, &body)
            })
        }
        #[cfg(not(feature = "mail"))]
        Destination::Mail { .. } => return Err(Error::usage(super::rule::NO_MAIL)),
        #[cfg(feature = "mail")]
        Destination::Mail { host, port, tls, from, to, user_env, password_env, timeout_seconds } => {
            let user = secrets.maybe(user_env.as_ref())?.zip(secrets.maybe(password_env.as_ref())?);
            let mail = mail::letter(from, to, message)?;
            let server = mail::server(host, *port, *tls, user, Duration::from_secs_f64(*timeout_seconds))?;
            Box::new(move || mail::send(&server, &mail))
        }
    };
    let patience =
        ExponentialBuilder::default().with_min_delay(Duration::from_millis(200)).with_factor(2.0).with_max_times(2);
    let done = (|| sender()).retry(patience).when(|failure: &Failure| failure.again).call();
    done.map_err(|failure| Error::io(without(&failure.why, &secrets.known)))
}

fn written(message: &Message) -> Result<String> {
    serde_json::to_string(message).map_err(|cause| Error::data("the message cannot be written").because(cause))
}

/// A line at the end of a file, all at once.
fn log(path: &str, message: &Message) -> Result<()> {
    let line = written(message)? + "\n";
    let failed = |cause| Error::io(format!("the log {path} cannot be written")).because(cause);
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
    file.write_all(line.as_bytes()).map_err(failed)?;
    // What is marked as sent is on the disk, where there is one: not a pipe or terminal.
    if file.metadata().map_err(failed)?.is_file() { file.sync_data().map_err(failed) } else { Ok(()) }
}
