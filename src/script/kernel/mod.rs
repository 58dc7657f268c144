//! The Jupyter kernel for Rhai notebooks: `tradewind kernel install`, and what Jupyter then starts.

#[cfg(not(feature = "kernel"))]
mod disabled;
#[cfg(feature = "kernel")]
mod enabled;

#[cfg(not(feature = "kernel"))]
pub use disabled::{install, run};
#[cfg(feature = "kernel")]
pub use enabled::{install, run};

use std::path::PathBuf;

/// Where the kernel is installed, and what it may do.
#[derive(Clone, Debug, Default)]
pub struct Install {
    /// The environment's folder (`…/share/jupyter` below it is used); the user's own if none.
    pub prefix: Option<PathBuf>,
    /// The folder in which the kernel works for all notebooks below it; else each works beside its notebook.
    pub root: Option<PathBuf>,
    /// Folders that cells may read and write besides.
    pub allow: Vec<PathBuf>,
    /// Databases that cells may ask, by name.
    pub allow_databases: Vec<String>,
    /// Without limits?
    pub unlimited: bool,
}
