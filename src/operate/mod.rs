//! How does a forecast stay good while it is used? New files are forecast as they arrive, and the model is fitted again, challenged and
//! replaced when another one has been better.
//!
//! | file | question |
//! |---|---|
//! | `due.rs` | is it time to fit again? |
//! | `retrain.rs` | does a challenger take the champion's place? |
//! | `champion.rs` | which fits forecast now, and how is the former champion brought back? |
//! | `watch.rs` | how is each arriving file forecast once? |

mod champion;
mod due;
mod retrain;
mod watch;

pub use due::Due;
pub use retrain::Retraining;
pub use watch::Watching;
