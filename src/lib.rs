//! Tradewind: from a raw sales file to forecasts, decisions, reports and slides.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod error;
pub mod evaluate;
mod files;
pub mod forecast;
pub mod models;
pub mod panel;
pub mod prelude;
pub mod progress;
pub mod show;

pub use error::{Error, Result};
pub use polars;
