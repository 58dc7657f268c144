//! How good is it, on data it has not seen? A backtest fits and scores every model on every fold; a search
//! finds the options that do best there.

mod backtest;
mod tune;

pub use backtest::Backtest;
pub use tune::{Sampler, Search, Tuning};

pub use crate::metrics::{self, METRICS, Metric};
pub use crate::panel::{Fold, Folds};
