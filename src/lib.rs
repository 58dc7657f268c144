//! Tradewind: from a raw sales file to forecasts, decisions, reports and slides.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod error;
pub mod evaluate;
pub mod explore;
pub mod figures;
mod files;
pub mod forecast;
pub mod models;
pub mod outcome;
pub mod panel;
pub mod plan;
pub mod prelude;
pub mod progress;
pub mod report;
pub mod script;
pub mod show;

pub use error::{Error, Result};
pub use polars;
