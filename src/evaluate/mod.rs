//! How good are the models out of sample? Which is significantly better, where does it err, and which options are best?
//!
//! | file | question |
//! |---|---|
//! | `backtest.rs` | what did every model forecast on every fold, and how good was it? |
//! | `score.rs` | how good is a forecast, whoever made it? |
//! | `groups.rs` | which series or folds belong together? |
//! | `significance.rs` | is a model significantly better? |
//! | `calibration.rs` | are the intervals well calibrated? |
//! | `errors.rs` | where and when does a model err, in which direction, and what goes with it? |
//! | `tune/` | which hyperparameters of a model are best? |

mod backtest;
mod calibration;
mod errors;
mod groups;
mod score;
pub(crate) mod significance;
mod tune;

pub use backtest::Backtest;
pub(crate) use tune::{Listener, Scored};
pub use tune::{Sampler, Search, Tuning};

pub use crate::panel::{Fold, Folds};
