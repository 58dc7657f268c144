//! How are forecasts and decisions served to people and programs that speak HTTP? [`Serving`] answers whatever the crate
//! `tradewind-serve` asks, over the nouns of this library; the crate does the rest: requests, pages, access, jobs.
//!
//! | file | question |
//! |---|---|
//! | `mod.rs` | what is served, and how much may be asked? |
//! | `enabled/`, `disabled.rs` | how are requests answered? (feature `serve`) |
//! | `enabled/mod.rs` | what is a server made of, and which file answers what? |
//! | `enabled/fault.rs` | as which refusal is an error told? |
//! | `enabled/models.rs` | which models are served, and how are changed ones noticed? |
//! | `enabled/asked.rs` | of which model, series and future is a request? |
//! | `enabled/forecast.rs` | how are single series forecast at once? |
//! | `enabled/explore.rs` | what does the explorer show? |
//! | `enabled/decide.rs` | how much is ordered of the items of a request? |
//! | `enabled/fields.rs` | which fields of a plan may a request state? |
//! | `enabled/upload.rs` | what does a file hold that somebody has sent? |
//! | `enabled/work.rs` | how is a job done? |
//! | `enabled/convert.rs` | how is the table of a job written in another format? |
//! | `enabled/planning.rs` | how do sales and planners' changes come in? |
//! | `enabled/watching.rs` | how good are the forecasts, and what has been run? |
//! | `enabled/host.rs` | how does a server start, and who may use it? |

#[cfg(not(feature = "serve"))]
mod disabled;
#[cfg(not(feature = "serve"))]
pub use disabled::{Serving, host, list_tokens, new_token, ready, revoke_token};
#[cfg(feature = "serve")]
mod enabled;
#[cfg(feature = "serve")]
pub use enabled::{Serving, host, list_tokens, new_token, ready, revoke_token};

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::plan::Plan;

/// The most bytes that a file may unpack to, unless stated otherwise.
const UNPACKED: u64 = 2 << 30;

/// What is served, and from where.
#[derive(Clone)]
pub struct Served {
    /// The plan that is operated: its data are fitted again, and its champion forecasts.
    pub plan: Option<Plan>,
    /// A folder of fits that `tradewind fit --save` has written, each of which is a model under the name of its file.
    pub models: Option<PathBuf>,
    /// Where forecasts are kept that are given out; by default where the plan says.
    pub store: Option<String>,
    /// The rules of alerts; by default those of the plan.
    pub alerts: Option<PathBuf>,
    /// The most bytes that a file that is sent may unpack to.
    pub unpacked: u64,
}

impl Default for Served {
    fn default() -> Self {
        Self { plan: None, models: None, store: None, alerts: None, unpacked: UNPACKED }
    }
}

/// Where a server listens, and how much may be asked of it; what is not stated is as the server has it.
#[derive(Clone, Debug)]
pub struct Hosting {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its folder: uploads, work that goes on.
    pub state: PathBuf,
    /// The address by which people reach it, where a proxy stands before it.
    pub public_url: Option<String>,
    /// Jobs that go on at once.
    pub workers: usize,
    /// Bytes of an upload.
    pub upload: Option<u64>,
    /// Values of an answer: series × steps.
    pub values: Option<usize>,
    /// Bytes of any other request.
    pub body: Option<usize>,
    /// Connections at once.
    pub connections: Option<usize>,
    /// Jobs that wait.
    pub queue: Option<usize>,
}
