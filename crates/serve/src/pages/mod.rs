//! What do people see?
//!
//! Pages are made here and need no script; `app.js` adds what moves by itself. Each file has the views of a page, functions of plain
//! values, and below them the handlers that ask for those values.
//!
//! | file | question |
//! |---|---|
//! | `layout.rs` | What do all pages share? |
//! | `fields.rs` | What does a form say, and what is it made of? |
//! | `words.rs` | How do numbers and times read? |
//! | `assets.rs` | Style, script, icon |
//! | `overview.rs` … `login.rs` | a page each |

mod api;
mod assets;
mod dashboard;
mod decisions;
mod explore;
mod fields;
mod jobs;
mod layout;
mod login;
mod monitoring;
mod overrides;
mod overview;
mod policy;
mod refusal;
mod runs;
mod upload;
mod words;

use axum::Router;

use crate::app::App;

pub(crate) use refusal::refused;

/// The pages.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .merge(overview::router())
        .merge(explore::router())
        .merge(upload::router())
        .merge(jobs::router())
        .merge(dashboard::router())
        .merge(decisions::router())
        .merge(overrides::router())
        .merge(runs::router())
        .merge(monitoring::router())
        .merge(api::router())
        .merge(login::router())
        .merge(assets::router())
}
