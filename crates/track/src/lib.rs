//! Where are runs recorded, and how does nothing of them get lost?
//!
//! A [`Tracker`] keeps runs in a folder, in the layout that MLflow reads and migrates (`mlflow migrate-filestore`), or on
//! an MLflow server. With a server, a run is first written to an outbox, a folder of the same layout, and sent from there
//! while the work goes on; [`Tracker::sync`] sends what is left, exactly once, after any crash.
//!
//! | file | question |
//! |---|---|
//! | `tracker` | where are runs recorded? |
//! | `run` | what does a run tell while it goes on? |
//! | `read` | how is read what was recorded, wherever it is? |
//! | `send` | how does everything in the outbox get to the server exactly once? |
//! | `changes` | and changes of the registry, in their order? |
//! | `worker` | who sends while the work goes on, without slowing it? |
//! | `journal` | what of the outbox has the server, and how is that known after any crash? |
//! | `api` | which requests does MLflow's server take? |
//! | `net` | how is a request made? |
//! | `store` | how are runs kept in a folder, so that MLflow reads them as its own? |
//! | `place` | how is one run written and read there? |
//! | `registry` | how are models, versions and aliases kept there? |
//! | `index` | how are ten thousand runs listed in a blink? |
//! | `meta` | what stands in the `meta.yaml` files? |
//! | `keys` | which names and values does MLflow take, and what becomes of the others? |
//! | `disk` | how do files get to the disk so that nobody ever reads half of one? |
//! | `types` | what is a run made of? |
//! | `error` | what can go wrong? |

mod api;
mod changes;
mod disk;
mod error;
mod index;
mod journal;
mod keys;
mod meta;
mod net;
mod place;
mod read;
mod registry;
mod run;
mod send;
mod store;
mod tracker;
mod types;
mod worker;

pub use error::{Error, Result};
pub use keys::mended_key;
pub use net::ServerOptions;
pub use read::Comparison;
pub use run::Run;
pub use send::{Refusal, Synced};
pub use tracker::Tracker;
pub use types::{Artifact, Dataset, Filter, Listing, Metric, Record, RunInfo, Status, Version};
