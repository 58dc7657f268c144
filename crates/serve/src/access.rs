//! Who asks, and may they?
//!
//! A token is 32 random bytes, shown once; the store has its SHA-256 (with that much chance in it a slow hash adds nothing). Programs
//! send it as `Authorization: Bearer`; people give it to the page that signs in, and get a cookie for a session, of which the store also
//! has the hash alone. Without tokens a server listens on this machine only, and answers only under this machine's names, so that no
//! page of another site reaches it through the browser.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tradewind_monitor::store::Token;

use crate::fault::{Fault, Kind};
use crate::keeper::Keeper;
use crate::settings::Settings;

/// What somebody may do; each may also do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Looks and asks for forecasts.
    Viewer,
    /// Uploads, decides, changes forecasts, starts jobs of their own.
    Planner,
    /// Takes in actuals, retrains, brings models back, sees everybody's jobs.
    Operator,
    /// Whatever there is.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Planner, Self::Operator, Self::Admin];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Planner => "planner",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// Whoever asks.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their name, under which their jobs are kept.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// What forms have to carry; none for programs that send a token.
    pub csrf: Option<String>,
    /// Did they sign in, so that they can sign out?
    pub is_signed_in: bool,
}

impl Person {
    /// May they?
    ///
    /// # Errors
    /// Their role does not suffice.
    pub fn must_be(&self, role: Role) -> Result<(), Fault> {
        if self.role >= role {
            return Ok(());
        }
        let (name, own, role) = (&self.name, self.role.name(), role.name());
        Err(Fault::new(Kind::Forbidden, format!("{name} is a {own}; this needs the role {role}")))
    }

    /// Whose jobs and uploads they see: none means everybody's.
    pub fn sees(&self) -> Option<&str> {
        (self.role < Role::Operator).then_some(self.name.as_str())
    }

    /// Does a form come from a page that this person was given?
    ///
    /// # Errors
    /// It does not.
    pub fn check_form(&self, csrf: &str) -> Result<(), Fault> {
        match &self.csrf {
            Some(known) if known.as_bytes().ct_eq(csrf.as_bytes()).into() => Ok(()),
            None => Ok(()),
            _ => Err(Fault::new(Kind::CrossSite, "this form is out of date; load its page again and repeat")),
        }
    }
}

/// Why there is nobody behind a request, for handlers that need somebody.
#[derive(Clone, Debug)]
pub(crate) struct Nobody(pub Fault);

impl<S: Send + Sync> FromRequestParts<S> for Person {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        match parts.extensions.get::<Person>() {
            Some(person) => Ok(person.clone()),
            None => Err(match parts.extensions.get::<Nobody>() {
                Some(nobody) => nobody.0.clone(),
                None => Fault::new(Kind::Unauthenticated, "sign in, or send a token as `Authorization: Bearer TOKEN`"),
            }),
        }
    }
}

/// The cookie of a visit where nobody signs in.
pub(crate) const VISIT: &str = "tradewind_visit";
/// The header in which scripts of our pages send what forms carry in a field.
pub(crate) const CSRF: &str = "x-csrf-token";
/// How long a session lasts, and how long it lasts unused.
const SESSION_HOURS: i64 = 12;
const IDLE_HOURS: i64 = 2;
/// How long what the store said of a token is believed.
const BELIEVED: Duration = Duration::from_secs(3);
/// Wrong tokens of one address in a minute.
const WRONG: usize = 20;

/// Who is known, and how often an address was wrong.
pub(crate) struct Access {
    keeper: Keeper,
    /// Is everybody let in, from this machine? Not any more once there is a token.
    open: AtomicBool,
    /// Makes the token of a form where there is no visit yet: known to this process alone.
    secret: String,
    hosts: Vec<String>,
    origin: Option<String>,
    pub secure: bool,
    known: Mutex<HashMap<String, (Instant, Token)>>,
    wrong: Mutex<HashMap<IpAddr, Vec<Instant>>>,
}

/// Random bytes as text for URLs and headers.
pub(crate) fn secret() -> Result<String, Fault> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|cause| Fault::new(Kind::Internal, format!("no random numbers: {cause}")))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// An id that nobody guesses.
pub(crate) fn id() -> Result<String, Fault> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|cause| Fault::new(Kind::Internal, format!("no random numbers: {cause}")))?;
    Ok(hex(&bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash by which the store knows a secret.
pub(crate) fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// What forms of a session carry: who reads the page knows it, another site does not.
fn csrf_of(secret: &str) -> String {
    hash(&format!("form {secret}"))
}

/// The value of a cookie.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    })
}

impl Access {
    pub fn new(keeper: Keeper, settings: &Settings) -> Result<Self, Fault> {
        // One that has expired or was revoked counts: a server that had tokens is never open again.
        let none = keeper.now(|store| store.tokens())?.is_empty();
        let reached = if settings.listen.ip().is_loopback() {
            settings.public_url.clone()
        } else {
            Some(settings.listen.to_string())
        };
        if let Some(place) = reached.filter(|_| none) {
            return Err(Fault::new(
                Kind::Forbidden,
                format!(
                    "{place} can be reached from other machines, and there is no token yet: make one with `tradewind token new NAME \
                     --role admin --store {}`, or listen on 127.0.0.1 without a public address",
                    if settings.store.contains("://") { "STORE" } else { &settings.store }
                ),
            ));
        }
        let origin = settings.public_url.as_ref().map(|url| url.trim_end_matches('/').to_ascii_lowercase());
        let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "[::1]"].map(String::from).to_vec();
        hosts.extend(origin.as_ref().and_then(|url| Some(host_of(url.split_once("://")?.1).to_string())));
        Ok(Self {
            keeper,
            open: AtomicBool::new(none),
            secret: secret()?,
            hosts,
            secure: origin.as_ref().is_some_and(|url| url.starts_with("https://")),
            origin,
            known: Mutex::default(),
            wrong: Mutex::default(),
        })
    }

    /// Is everybody let in?
    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    /// Looks whether there are tokens meanwhile; from then on one is needed.
    pub async fn refresh(&self) {
        if self.is_open() && self.keeper.ask(|store| store.tokens()).await.is_ok_and(|tokens| !tokens.is_empty()) {
            tracing::warn!("there is a token now: from here on one is needed");
            self.open.store(false, Ordering::Relaxed);
        }
    }

    /// Is the request meant for this server, and does it come from its own pages, where a browser sends it?
    pub fn check_origin(&self, method: &Method, headers: &HeaderMap) -> Result<(), Fault> {
        let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(header::HOST).unwrap_or_default().to_ascii_lowercase();
        let forwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
        if self.is_open() && forwarded.iter().any(|name| headers.contains_key(*name)) {
            return Err(Fault::new(
                Kind::CrossSite,
                "a server without tokens answers its own machine only, and this comes through a proxy: make a token first",
            ));
        }
        if self.is_open() && !self.hosts.iter().any(|known| known == host_of(&host)) {
            return Err(Fault::new(Kind::CrossSite, "a server without tokens answers under the name localhost only"));
        }
        if method.is_safe() {
            return Ok(());
        }
        let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
        let strange_site = site.is_some_and(|site| site != "same-origin" && site != "none");
        let strange_origin = text(header::ORIGIN).is_some_and(|origin| {
            let origin = origin.to_ascii_lowercase();
            let own = origin.split_once("://").is_some_and(|(_, place)| place == host);
            !own && self.origin.as_ref() != Some(&origin)
        });
        if strange_site || strange_origin {
            return Err(Fault::new(Kind::CrossSite, "the request comes from a page of another site"));
        }
        Ok(())
    }

    /// Whoever sent these headers.
    pub async fn person(&self, headers: &HeaderMap, address: IpAddr) -> Result<Person, Fault> {
        if let Some(given) = headers.get(header::AUTHORIZATION) {
            let token = given.to_str().ok().and_then(|text| {
                let (scheme, token) = text.split_once(' ')?;
                scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
            });
            let Some(token) = token else {
                return Err(Fault::new(Kind::Unauthenticated, "the header must read `Authorization: Bearer TOKEN`"));
            };
            let token = self.token(token, address).await?;
            return Ok(Person { name: token.name, role: role(&token.role)?, csrf: None, is_signed_in: false });
        }
        if let Some(secret) = cookie(headers, self.session()) {
            let hash = hash(secret);
            let now = Utc::now();
            let found =
                self.keeper.ask(move |store| store.session(&hash, now, now - TimeDelta::hours(IDLE_HOURS))).await?;
            if let Some(token) = found.filter(|token| token.is_valid(now)) {
                let csrf = Some(csrf_of(secret));
                return Ok(Person { name: token.name, role: role(&token.role)?, csrf, is_signed_in: true });
            }
        }
        if self.is_open() {
            let csrf = Some(csrf_of(cookie(headers, VISIT).unwrap_or(&self.secret)));
            return Ok(Person { name: "local".into(), role: Role::Admin, csrf, is_signed_in: false });
        }
        Err(Fault::new(Kind::Unauthenticated, "sign in, or send a token as `Authorization: Bearer TOKEN`"))
    }

    /// Does whoever sends a change by cookie, or by none, prove that they read our page?
    ///
    /// Forms prove it by a field, which their handlers check. Scripts prove it by a header; a program without cookies needs no proof,
    /// because no browser sends such a request for another site without asking first.
    pub fn check_script(&self, person: &Person, headers: &HeaderMap) -> Result<(), Fault> {
        let is_browser = headers.contains_key(header::COOKIE) || headers.contains_key("sec-fetch-site");
        match headers.get(CSRF).and_then(|value| value.to_str().ok()) {
            Some(csrf) => person.check_form(csrf),
            None if person.csrf.is_some() && is_browser => {
                Err(Fault::new(Kind::CrossSite, "a page must send its token along; load it again"))
            }
            None => Ok(()),
        }
    }

    async fn token(&self, secret: &str, address: IpAddr) -> Result<Token, Fault> {
        let hash = hash(secret);
        let believed = self.known.lock().ok().and_then(|known| {
            let (since, token) = known.get(&hash)?;
            (since.elapsed() < BELIEVED && token.is_valid(Utc::now())).then(|| token.clone())
        });
        if let Some(token) = believed {
            return Ok(token);
        }
        let asked = hash.clone();
        let found = self.keeper.ask(move |store| store.token(&asked)).await?;
        match found {
            Some(token) if token.is_valid(Utc::now()) => {
                if let Ok(mut known) = self.known.lock() {
                    known.retain(|_, (since, _)| since.elapsed() < BELIEVED);
                    known.insert(hash, (Instant::now(), token.clone()));
                }
                Ok(token)
            }
            other => {
                // Behind a proxy everybody has its address: who has a token is never held up by those who guess.
                self.check_patience(address)?;
                if let Ok(mut wrong) = self.wrong.lock() {
                    wrong.entry(address).or_default().push(Instant::now());
                }
                tracing::warn!(%address, known = other.is_some(), "a token was refused");
                Err(Fault::new(
                    Kind::Unauthenticated,
                    match other {
                        Some(token) if token.revoked_at.is_some() => "the token was revoked",
                        Some(_) => "the token has expired",
                        None => "the token is not known",
                    },
                ))
            }
        }
    }

    /// One address may be wrong so many times a minute.
    fn check_patience(&self, address: IpAddr) -> Result<(), Fault> {
        let Ok(mut wrong) = self.wrong.lock() else { return Ok(()) };
        wrong.retain(|_, times| {
            times.retain(|time| time.elapsed() < Duration::from_secs(60));
            !times.is_empty()
        });
        if wrong.get(&address).is_some_and(|times| times.len() >= WRONG) {
            let detail = "too many wrong tokens from this address; wait a minute";
            return Err(Fault { retry_after: Some(60), ..Fault::new(Kind::Busy, detail) });
        }
        Ok(())
    }

    /// A session for whoever has a token: the cookie to set.
    pub async fn sign_in(&self, token: &str, headers: &HeaderMap, address: IpAddr) -> Result<String, Fault> {
        let token = self.token(token.trim(), address).await?;
        let secret = secret()?;
        let (hash, now) = (hash(&secret), Utc::now());
        let until = (now + TimeDelta::hours(SESSION_HOURS)).min(token.expires_at);
        self.end(headers).await?;
        tracing::info!(person = token.name, %address, "signed in");
        self.keeper.ask(move |store| store.add_session(&hash, &token.id, now, until)).await?;
        Ok(self.cookie(self.session(), &secret, SESSION_HOURS * 3600))
    }

    /// Ends the session of these headers, if there is one.
    async fn end(&self, headers: &HeaderMap) -> Result<(), Fault> {
        let Some(secret) = cookie(headers, self.session()) else { return Ok(()) };
        let hash = hash(secret);
        self.keeper.ask(move |store| store.end_session(&hash)).await
    }

    /// Ends the session of these headers; the cookie to set.
    pub async fn sign_out(&self, headers: &HeaderMap) -> Result<String, Fault> {
        self.end(headers).await?;
        tracing::info!("signed out");
        Ok(self.cookie(self.session(), "", 0))
    }

    /// The cookie of a first visit, where nobody signs in: forms are bound to it.
    pub fn first_visit(&self, headers: &HeaderMap) -> Option<(String, String)> {
        if !self.is_open() || cookie(headers, VISIT).is_some() {
            return None;
        }
        let secret = secret().ok()?;
        Some((self.cookie(VISIT, &secret, SESSION_HOURS * 3600), csrf_of(&secret)))
    }

    /// The name of the cookie of a session: browsers take one that begins so over https only, and of this host alone.
    fn session(&self) -> &'static str {
        if self.secure { "__Host-tradewind_session" } else { "tradewind_session" }
    }

    fn cookie(&self, name: &str, value: &str, seconds: i64) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
    }
}

fn role(name: &str) -> Result<Role, Fault> {
    Role::named(name)
        .ok_or_else(|| Fault::new(Kind::Forbidden, format!("there is no role `{name}`; make the token anew")))
}

/// A host without its port.
fn host_of(place: &str) -> &str {
    let place = place.split('/').next().unwrap_or_default();
    match place.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => place,
    }
}

/// Makes a token; its id, and the secret that is shown once.
///
/// # Errors
/// The name is taken or no name, or the store cannot be written.
pub fn new_token(store: &str, schema: &str, name: &str, role: Role, days: u32) -> Result<(String, String), Fault> {
    let is_name =
        !name.is_empty() && name.len() <= 60 && name.chars().all(|c| c.is_alphanumeric() || "._- ".contains(c));
    if !is_name {
        return Err(Fault::new(
            Kind::Invalid,
            "a name has 1 to 60 letters, digits, spaces, points, hyphens or underscores",
        ));
    }
    let (secret, id, now) = (secret()?, id()?[..12].to_string(), Utc::now());
    let token = Token {
        id: id.clone(),
        name: name.into(),
        role: role.name().into(),
        made_at: now,
        expires_at: now + TimeDelta::days(i64::from(days.min(36_500))),
        revoked_at: None,
    };
    Keeper::open(store, schema)?.now(|store| store.add_token(&token, &hash(&secret)))?;
    Ok((id, secret))
}

/// All tokens, without their secrets.
///
/// # Errors
/// The store cannot be read.
pub fn tokens(store: &str, schema: &str) -> Result<Vec<Token>, Fault> {
    Keeper::open(store, schema)?.now(|store| store.tokens())
}

/// From now on a token does not count any more; servers hear of it within seconds.
///
/// # Errors
/// There is none of this id, or the store cannot be written.
pub fn revoke_token(store: &str, schema: &str, id: &str, now: DateTime<Utc>) -> Result<(), Fault> {
    Keeper::open(store, schema)?.now(|store| store.revoke_token(id, now))
}
