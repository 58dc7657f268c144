//! How does a server start, and who may use it?

use std::path::Path;
use std::sync::Arc;

use chrono::Utc;
use polars::prelude::{Column, DataFrame};
use tradewind_serve::{Fault, Kind, Limits, Role, Server, Settings};

use super::Serving;
use crate::error::{Error, Result, suggestion};
use crate::serve::Hosting;
use crate::show::Table;

/// The schema on a PostgreSQL server.
const SCHEMA: &str = "tradewind";

/// A refusal before anything is served.
fn refused(fault: Fault) -> Error {
    match fault.kind {
        Kind::Unavailable | Kind::DiskFull | Kind::Internal => Error::io(fault.detail),
        _ => Error::usage(fault.detail),
    }
}

/// Serves until the process is asked to end. Jobs and tokens are kept in the store at `store`; `listening` hears at which address.
///
/// # Errors
/// When the place is taken, the store or the folder cannot be used, or other machines could reach it without a token.
pub fn host(serving: Serving, hosting: &Hosting, store: &str, listening: impl FnOnce(&str)) -> Result<()> {
    let usual = Limits::default();
    let limits = Limits {
        body: hosting.body.unwrap_or(usual.body),
        upload: hosting.upload.unwrap_or(usual.upload),
        values: hosting.values.unwrap_or(usual.values),
        connections: hosting.connections.unwrap_or(usual.connections),
        queue: hosting.queue.unwrap_or(usual.queue),
        ..usual
    };
    let settings = Settings {
        listen: hosting.listen,
        store: store.into(),
        schema: SCHEMA.into(),
        state: hosting.state.clone(),
        public_url: hosting.public_url.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
        workers: hosting.workers,
        limits,
    };
    tradewind_serve::log();
    let server = Server::open(settings, Arc::new(serving)).map_err(refused)?;
    let address = server.address().map_err(|cause| Error::io("the server has no address").because(cause))?;
    listening(&format!("http://{address}"));
    server.run().map_err(refused)
}

/// Makes a token for somebody with a role, which counts for so many days; its id, and the secret that is shown once.
///
/// # Errors
/// When the role is none, the name is taken or no name, or the store cannot be written.
pub fn new_token(store: &str, name: &str, role: &str, days: u32) -> Result<(String, String)> {
    // Whoever has no server yet makes the first token, and the store with it.
    if !store.contains("://")
        && let Some(folder) = Path::new(store).parent().filter(|folder| !folder.as_os_str().is_empty())
    {
        crate::files::make_folder(folder)?;
    }
    let named = Role::named(role).ok_or_else(|| {
        let near = suggestion(role, Role::ALL.iter().map(|role| role.name()));
        Error::usage(format!("there is no role `{role}`{near}"))
    })?;
    tradewind_serve::new_token(store, SCHEMA, name, named, days).map_err(refused)
}

/// All tokens, without their secrets: id, name, role, when they were made and until when they count.
///
/// # Errors
/// When the store cannot be read.
pub fn list_tokens(store: &str) -> Result<Table> {
    let (tokens, now) = (tradewind_serve::tokens(store, SCHEMA).map_err(refused)?, Utc::now());
    let state = |token: &tradewind_monitor::store::Token| match token.revoked_at {
        Some(at) => format!("revoked {}", at.format("%Y-%m-%d")),
        None if token.is_valid(now) => "valid".to_string(),
        None => "expired".to_string(),
    };
    let texts = |of: &dyn Fn(&tradewind_monitor::store::Token) -> String| tokens.iter().map(of).collect::<Vec<_>>();
    let columns = vec![
        Column::new("id".into(), texts(&|token| token.id.clone())),
        Column::new("name".into(), texts(&|token| token.name.clone())),
        Column::new("role".into(), texts(&|token| token.role.clone())),
        Column::new("made".into(), texts(&|token| token.made_at.format("%Y-%m-%d").to_string())),
        Column::new("until".into(), texts(&|token| token.expires_at.format("%Y-%m-%d").to_string())),
        Column::new("state".into(), texts(&state)),
    ];
    Ok(Table::new(DataFrame::new(tokens.len(), columns)?).titled("Tokens"))
}

/// From now on a token, given its id, does not count any more; servers hear of it within seconds.
///
/// # Errors
/// When there is none of this id, or the store cannot be written.
pub fn revoke_token(store: &str, id: &str) -> Result<()> {
    tradewind_serve::revoke_token(store, SCHEMA, id, Utc::now()).map_err(refused)
}
