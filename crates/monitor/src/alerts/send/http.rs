//! Messages as JSON by HTTP: webhooks and Prometheus Alertmanager (its API v2: POST /api/v2/alerts).

use std::sync::Arc;
use std::time::Duration;

use chrono::{SecondsFormat, TimeDelta};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::Failure;
use crate::alerts::hex;
use crate::alerts::message::{Alert, Event, Message, NAMED, severity};
use crate::error::{Error, Result};

/// Bytes of an answer that are read, to say why it is a refusal.
const ANSWER: u64 = 300;

/// Who asks, with the certificates of this machine; no redirection is followed, since it would take secrets elsewhere.
pub(super) fn agent(timeout: Duration) -> Result<Agent> {
    let roots: Vec<Certificate<'static>> = rustls_native_certs::load_native_certs()
        .certs
        .iter()
        .map(|der| Certificate::from_der(der).to_owned())
        .collect();
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&roots))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    Ok(Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(timeout))
        .max_redirects(0)
        .http_status_as_error(false)
        .user_agent(concat!("tradewind/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent())
}

/// Posts JSON; fine is any answer of success.
pub(super) fn post(agent: &Agent, url: &str, headers: &[(&str, &str)], body: &str) -> Result<(), Failure> {
    let mut request = agent.post(url).header("Content-Type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut answer = request.send(body).map_err(|cause| match cause {
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => Failure::for_good("it has no URL that can be used"),
        cause => Failure::for_now(format!("it does not answer: {cause}")),
    })?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let words = answer.body_mut().with_config().limit(ANSWER).lossy_utf8(true).read_to_string().unwrap_or_default();
    let why = format!("it answers {status} {}", words.split_whitespace().collect::<Vec<&str>>().join(" "));
    // Overloaded, or asked to wait.
    let again = status.is_server_error() || status.as_u16() == 429 || status.as_u16() == 408;
    Err(if again { Failure::for_now(why) } else { Failure::for_good(why) })
}

/// `sha256=` and the HMAC-SHA256 of a body, as hexadecimal digits (RFC 2104).
pub(super) fn signature(secret: &[u8], body: &[u8]) -> Result<String> {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret)
        .map_err(|_| Error::usage("the key of the webhook's signature cannot be used"))?;
    mac.update(body);
    Ok(format!("sha256={}", hex(&mac.finalize().into_bytes())))
}

/// A message as Alertmanager has it: an alert for each that is named; for more than ten at once a single one, which is over
/// when none of the rule goes on.
///
/// Alertmanager takes an alert for over at its `endsAt`, so that of one that goes on lies after the next reminder.
pub(super) fn alertmanager(message: &Message) -> Value {
    let stamp = |time: chrono::DateTime<chrono::Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
    let over = message.event == Event::Over;
    let patience = message.remind_hours.map_or(30.0 * 24.0, |hours| 2.0 * hours);
    let later = message.made_at + TimeDelta::seconds((patience * 3600.0).min(1e9) as i64);
    let ends = stamp(if over { message.made_at } else { later });
    let labels = |fingerprint: &str| {
        json!({
            "alertname": message.rule,
            "severity": severity(message.severity),
            "service": "tradewind",
            "fingerprint": fingerprint,
        })
    };
    let single = |alert: &Alert| {
        let causes: Vec<&str> = alert.causes.iter().map(|cause| cause.text.as_str()).collect();
        json!({
            "labels": labels(&alert.fingerprint),
            "annotations": {
                "summary": alert.sentence,
                "key": alert.key.join(" / "),
                "model": alert.model,
                "cause": causes.join("; "),
                "cost": format!("{:.2} {}", alert.money, message.currency).trim(),
            },
            "startsAt": stamp(alert.since),
            "endsAt": ends,
        })
    };
    let together = || {
        json!({
            "labels": labels("together"),
            "annotations": { "summary": message.subject(), "description": message.text() },
            "startsAt": stamp(message.alerts.iter().map(|alert| alert.since).min().unwrap_or(message.made_at)),
            "endsAt": ends,
        })
    };
    let mut alerts: Vec<Value> = Vec::new();
    if over || message.count <= NAMED {
        alerts.extend(message.alerts.iter().map(single));
    }
    for fingerprint in &message.others {
        alerts.push(json!({ "labels": labels(fingerprint), "startsAt": stamp(message.made_at), "endsAt": ends }));
    }
    if message.count > NAMED && !over || over && message.open == 0 {
        alerts.push(together());
    }
    Value::Array(alerts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf '{"a":1}' | openssl dgst -sha256 -hmac key` of OpenSSL 3.0.
    #[test]
    fn a_signature_as_openssl_has_it() {
        assert_eq!(
            signature(b"key", br#"{"a":1}"#).unwrap(),
            "sha256=88a67f24bbcdaed0e6c997404bb79a743baf44c6bab2f4c27328e3009d22e342"
        );
    }
}
