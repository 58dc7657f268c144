//! How good is it, on data it has not seen? Folds cut time, a backtest fits and scores, metrics say how well.

mod backtest;
mod folds;
pub mod metrics;

pub use backtest::Backtest;
pub use folds::{Fold, Folds};
pub use metrics::{METRICS, Metric};
