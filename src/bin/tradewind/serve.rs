//! `tradewind serve` and `token`: forecasts over HTTP, and who may ask for them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::json;
use tradewind::prelude::*;
use tradewind::serve::{Hosting, Served, Serving, host, list_tokens, new_token, revoke_token};

use crate::out::Out;

/// The folder of a server, where none is named, and the store within it.
const STATE: &str = "tradewind-state";
const STORE: &str = "tradewind.db";
/// The roles of tokens, the least first.
const ROLES: [&str; 4] = ["viewer", "planner", "operator", "admin"];

#[derive(Args)]
pub(crate) struct Serve {
    /// Plan file that is operated: its champion forecasts, and is fitted again on request.
    plan: Option<PathBuf>,
    /// Folder of fits that `tradewind fit --save` has written: each file is a model under its name. Changed files are noticed.
    #[arg(long, value_name = "FOLDER", env = "TRADEWIND_MODELS_DIR", hide_env = true)]
    models: Option<PathBuf>,
    /// Where to listen; other machines reach it only if there is a token.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", env = "TRADEWIND_LISTEN", hide_env = true)]
    listen: SocketAddr,
    /// Folder of the server: uploads, work that goes on.
    #[arg(long, value_name = "FOLDER", default_value = STATE, env = "TRADEWIND_STATE", hide_env = true)]
    state: PathBuf,
    /// Where jobs, tokens and issued forecasts are kept: an SQLite file, or the URL postgres://… of a server; by default where the plan
    /// says, else tradewind.db in the folder of the server.
    #[arg(long, value_name = "STORE", env = "TRADEWIND_STORE", hide_env_values = true)]
    store: Option<String>,
    /// File with the rules of alerts and their destinations: TOML; by default that of the plan.
    #[arg(long, value_name = "FILE", env = "TRADEWIND_ALERTS", hide_env = true)]
    alerts: Option<PathBuf>,
    /// The address by which people reach it, where a proxy stands before it: https://forecast.example.com.
    #[arg(long, value_name = "URL", env = "TRADEWIND_PUBLIC_URL", hide_env = true)]
    public_url: Option<String>,
    /// Jobs that go on at once.
    #[arg(long, value_name = "N", default_value_t = 1, env = "TRADEWIND_WORKERS", hide_env = true,
        value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
    #[command(flatten)]
    limits: Limits,
}

/// How much may be asked of a server.
#[derive(Args)]
#[command(next_help_heading = "Limits")]
struct Limits {
    /// MB of an upload.
    #[arg(long, value_name = "MB", env = "TRADEWIND_MAX_UPLOAD", hide_env = true)]
    max_upload: Option<u64>,
    /// MB that an upload may unpack to.
    #[arg(long, value_name = "MB", default_value_t = 2048, env = "TRADEWIND_MAX_UNPACKED", hide_env = true)]
    max_unpacked: u64,
    /// Values of one answer: series × steps.
    #[arg(long, value_name = "N", env = "TRADEWIND_MAX_VALUES", hide_env = true)]
    max_values: Option<usize>,
    /// KB of any other request.
    #[arg(long, value_name = "KB", env = "TRADEWIND_MAX_BODY", hide_env = true)]
    max_body: Option<usize>,
    /// Connections at once.
    #[arg(long, value_name = "N", env = "TRADEWIND_MAX_CONNECTIONS", hide_env = true)]
    max_connections: Option<usize>,
    /// Jobs that wait.
    #[arg(long, value_name = "N", env = "TRADEWIND_MAX_QUEUE", hide_env = true)]
    max_queue: Option<usize>,
}

impl Serve {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        tradewind::serve::ready()?;
        let plan = self.plan.as_ref().map(|file| operated(file, out)).transpose()?;
        let of_plan = plan.as_ref().and_then(|plan| plan.store.clone());
        let store = self.store.or(of_plan).unwrap_or_else(|| store_in(&self.state));
        let limits = self.limits;
        let serving = Serving::open(Served {
            plan,
            models: self.models,
            store: Some(store.clone()),
            alerts: self.alerts,
            unpacked: limits.max_unpacked.saturating_mul(1 << 20),
        })?;
        let hosting = Hosting {
            listen: self.listen,
            state: self.state,
            public_url: self.public_url,
            workers: usize::from(self.workers),
            upload: limits.max_upload.map(|mb| mb.saturating_mul(1 << 20)),
            values: limits.max_values,
            body: limits.max_body.map(|kb| kb.saturating_mul(1 << 10)),
            connections: limits.max_connections,
            queue: limits.max_queue,
        };
        // To stdout: whoever asks for port 0 reads there which one it is. A closed stdout is no reason not to serve.
        host(serving, &hosting, &store, |address| {
            let _ = out.result(&Block::Text(format!("listening on {address}")), json!({"address": address}));
        })
    }
}

/// The plan of a file, with the columns of its data that it does not state.
fn operated(file: &Path, out: &Out) -> Result<Plan> {
    let patch = Patch::read(file)?;
    patch.clone().over(Plan::default()).check()?;
    let (patch, found) = patch.completed()?;
    if let Some(found) = found {
        out.say(&found);
    }
    Ok(patch.over(Plan::default()))
}

/// The store in the folder of a server.
fn store_in(state: &Path) -> String {
    state.join(STORE).to_string_lossy().into_owned()
}

#[derive(Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    verb: Verb,
    /// Folder of the server, in which the store is unless one is named.
    #[arg(long, global = true, value_name = "FOLDER", default_value = STATE, env = "TRADEWIND_STATE", hide_env = true)]
    state: PathBuf,
    /// The store of the server: an SQLite file, or the URL postgres://… of a server.
    #[arg(long, global = true, value_name = "STORE", env = "TRADEWIND_STORE", hide_env_values = true)]
    store: Option<String>,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a token. Its secret is printed once, and kept nowhere.
    New {
        /// Whose it is.
        name: String,
        /// What it allows: to look and forecast (viewer), to decide, upload and change forecasts (planner), to take in sales, fit anew
        /// and go back (operator), everything (admin).
        #[arg(long, value_name = "ROLE", value_parser = PossibleValuesParser::new(ROLES))]
        role: String,
        /// Days for which it counts.
        #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
    },
    /// All tokens: whose they are, what they allow, until when they count.
    List,
    /// From now on a token does not count any more.
    Revoke {
        /// Its id.
        id: String,
    },
}

impl Token {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let store = self.store.unwrap_or_else(|| store_in(&self.state));
        match self.verb {
            Verb::New { name, role, days } => {
                let (id, secret) = new_token(&store, &name, &role, days)?;
                out.say(&format!("token {id} of {name}, {role}, for {days} days; its secret is shown this once"));
                out.result(
                    &Block::Text(secret.clone()),
                    json!({"id": id, "secret": secret, "role": role, "days": days}),
                )
            }
            Verb::List => {
                let table = list_tokens(&store)?;
                out.result(&table, table.to_json()?)
            }
            Verb::Revoke { id } => {
                revoke_token(&store, &id)?;
                let said = format!("{id} does not count any more.");
                out.result(&Block::Text(said.clone()), json!({"id": id, "sentence": said}))
            }
        }
    }
}
