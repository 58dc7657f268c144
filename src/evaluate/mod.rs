//! How good is it, on data it has not seen? A backtest fits and scores every model on every fold.

mod backtest;

pub use backtest::Backtest;

pub use crate::metrics::{self, METRICS, Metric};
pub use crate::panel::{Fold, Folds};
