//! Tradewind.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod error;
pub mod figures;
mod files;
pub mod report;
pub mod show;
pub use error::{Error, Result};
pub use polars;
