//! Messages as mail in plain text, by SMTP (RFC 5321), encrypted unless stated otherwise.

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{SmtpTransport, Transport as _};

use super::Failure;
use crate::alerts::message::Message;
use crate::alerts::rule::Tls;
use crate::error::{Error, Result};

/// The letter: its Message-ID is the key of the message, so that one sent twice is one to mail programs that look.
pub(super) fn letter(from: &str, to: &[String], message: &Message) -> Result<lettre::Message> {
    let address = |text: &str| -> Result<Mailbox> {
        text.parse().map_err(|cause| Error::usage(format!("`{text}` is no mail address")).because(cause))
    };
    let from = address(from)?;
    let id = format!("<{}@{}>", message.id, from.email.domain());
    let mut letter: MessageBuilder = lettre::Message::builder()
        .from(from)
        .subject(message.subject())
        .message_id(Some(id))
        .date(message.made_at.into())
        .header(ContentType::TEXT_PLAIN);
    for one in to {
        letter = letter.to(address(one)?);
    }
    letter.body(message.text()).map_err(|cause| Error::usage("the mail cannot be written").because(cause))
}

/// The server, not called yet.
pub(super) fn server(
    host: &str,
    port: Option<u16>,
    tls: Tls,
    user: Option<(String, String)>,
    timeout: Duration,
) -> Result<SmtpTransport> {
    let failed = |cause| Error::usage(format!("the mail server {host} cannot be called")).because(cause);
    let mut server = match tls {
        Tls::Starttls => SmtpTransport::starttls_relay(host).map_err(failed)?,
        Tls::Implicit => SmtpTransport::relay(host).map_err(failed)?,
        Tls::None => SmtpTransport::builder_dangerous(host),
    };
    if let Some(port) = port {
        server = server.port(port);
    }
    if let Some((user, password)) = user {
        server = server.credentials(Credentials::new(user, password));
    }
    Ok(server.timeout(Some(timeout)).build())
}

pub(super) fn send(server: &SmtpTransport, letter: &lettre::Message) -> Result<(), Failure> {
    match server.send(letter) {
        Ok(_) => Ok(()),
        Err(cause) if cause.is_permanent() => Err(Failure::for_good(format!("the mail server refuses: {cause}"))),
        Err(cause) => Err(Failure::for_now(format!("the mail server does not take it: {cause}"))),
    }
}
