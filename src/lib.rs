//! Tradewind.
mod error;
pub mod figures;
pub mod report;
pub mod show;
pub use error::{Error, Result};
pub use polars;
