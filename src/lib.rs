//! Tradewind.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod error;
pub mod evaluate;
pub mod explore;
pub mod figures;
mod files;
pub mod report;
pub mod script;
pub mod show;

pub use error::{Error, Result};
pub use polars;
