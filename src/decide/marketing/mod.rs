//! How much of sales came from which marketing channel, and how is a budget best split? Mathematics in plain numbers
//! first, then the verb of the panel.
//!
//! | question | file |
//! |---|---|
//! | How long does spend work? | [`adstock`] |
//! | How do returns diminish? | [`saturation`] |
//! | What is the model made of? | [`market`] |
//! | Can the channels be told apart at all? | [`identify`](mod@identify) |
//! | What did each bring, and how sure is that? | [`fit`](mod@fit) |
//! | Which split of a budget is best? | [`allocate`](mod@allocate) |
//! | What is asked of a panel? | `options.rs` |
//! | How do a panel's series become one market, and what is decided? | `budget.rs` |
//! | How is that told? | `split.rs` |

pub mod adstock;
pub mod allocate;
mod budget;
pub mod fit;
pub mod identify;
pub mod market;
mod options;
pub mod saturation;
mod split;

pub use adstock::{Memory, Normalisation};
pub use allocate::{Candidate, Split, allocate};
pub use fit::{Effect, Fit, Resampling, fit};
pub use identify::{Unidentified, identify};
pub use market::{Channel, Form, Kind, LiftTest, Market};
pub use options::{Carryover, MarketingBudget, Returns};
pub use saturation::{Response, Saturation};

#[cfg(test)]
mod tests;
