//! How good is it, on data it has not seen? Folds cut time, a backtest fits and scores, metrics say how well.
//!
//! | file | question |
//! |---|---|
//! | `folds.rs` | where is time cut |
//! | `backtest.rs` | what did every model say on every fold, and how good was it |
//! | `metrics.rs` | how good is one forecast |
//! | `groups.rs` | which series or folds belong together |
//! | `significance.rs` | is a model really better, or was it luck |
//! | `calibration.rs` | do the intervals hold what they promise |
//! | `errors.rs` | where, when, which way and why does a model err |

mod backtest;
mod calibration;
mod errors;
mod folds;
mod groups;
pub mod metrics;
pub(crate) mod significance;

pub use backtest::Backtest;
pub use folds::{Fold, Folds};
pub use metrics::{METRICS, Metric};
