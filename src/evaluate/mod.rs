//! How good is it, on data it has not seen? Which model is really better, where does it err, and which options do best?
//!
//! | file | question |
//! |---|---|
//! | `backtest.rs` | what did every model say on every fold, and how good was it? |
//! | `score.rs` | how good is a forecast, whoever made it? |
//! | `groups.rs` | which series or folds belong together? |
//! | `significance.rs` | is a model really better, or was it luck? |
//! | `calibration.rs` | do the intervals hold what they promise? |
//! | `errors.rs` | where, when, which way and why does a model err? |
//! | `tune/` | which options of a model are best? |

mod backtest;
mod calibration;
mod errors;
mod groups;
mod score;
pub(crate) mod significance;
mod tune;

pub use backtest::Backtest;
pub use tune::{Sampler, Search, Tuning};

pub use crate::panel::{Fold, Folds};
