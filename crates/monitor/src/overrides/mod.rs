//! What do planners change in a forecast, does it help, and which of their changes should be doubted?
//!
//! | part | question |
//! |---|---|
//! | [`apply`](apply()) | What is the forecast once all [`Override`]s have reached their cells? |
//! | [`value`](value()) | What does each of naive → statistical → planned → released add, by planner and kind of change? |
//! | [`Rule`] | Which of the next changes will do harm, and how far should they be heeded? |
//!
//! Functions of plain numbers: nothing here reads or writes the store. The place to begin is Fildes, Goodwin, Lawrence
//! & Nikolopoulos (2009), International Journal of Forecasting 25(1): large changes help more often than small ones,
//! changes downward more often than those upward.

mod apply;
mod interval;
mod plan;
mod rule;
mod shrunken;
mod value;

pub use apply::{Applied, Cells, Change, Move, Outcome, Remark, Sign, apply};
pub use plan::{How, Override};
pub use rule::{Doubt, Made, Past, Rule};
pub use value::{Accuracy, Added, Band, Direction, Gain, Ladder, Options, Row, Value, value};
