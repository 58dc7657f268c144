//! Forecasts over HTTP: an API, pages, jobs that survive, access, measurements; over whatever [`Engine`](engine::Engine) makes them.
//!
//! | module | question |
//! |---|---|
//! | [`engine`] | What does the server ask of whoever makes the forecasts? |
//! | `app` | How does a request come in, and an answer go out? |
//! | `api` | What can programs ask, and how is that described (OpenAPI)? |
//! | `pages` | What do people see? |
//! | `access` | Who asks, and may they? |
//! | `jobs` | How is work done that takes longer than a request may? |
//! | `uploads` | Where are files that were sent? |
//! | `keeper` | How is the store asked from a server that must not wait? |
//! | `metrics` | What does Prometheus hear? |
//! | `fault`, `problem` | What can go wrong, and how is it answered? |
//! | `settings` | What may a server be told, and how much may be asked of it? |
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod access;
mod api;
mod app;
pub mod engine;
mod fault;
mod jobs;
mod keeper;
mod log;
mod metrics;
mod pages;
mod problem;
mod settings;
mod uploads;

pub use access::{Person, Role, new_token, revoke_token, tokens};
pub use app::{App, Server};
pub use fault::{Fault, Kind};
pub use jobs::Jobs;
pub use log::log;
pub use problem::Problem;
pub use settings::{Limits, Settings};
pub use uploads::{Upload, Uploads};
