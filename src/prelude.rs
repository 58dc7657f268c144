//! Everything that an analyst imports: `use tradewind::prelude::*;`.

pub use crate::error::{Error, Result};
pub use crate::evaluate::{Backtest, Fold, Folds};
pub use crate::explore::{Finding, QUESTIONS};
pub use crate::figures::Figure;
pub use crate::forecast::{Forecast, Paths};
pub use crate::models::{Drift, Entry, Fits, MODELS, Model, Naive, Regression, SeasonalNaive, Theta};
pub use crate::outcome::Outcome;
pub use crate::panel::{
    Aggregate, Audit, Clean, Columns, FEATURES, Feature, Frequency, Future, Join, Normalise, Panel, Reading, Role,
    Scenario, Stamps,
};
pub use crate::plan::{Patch, Plan};
pub use crate::report::Report;
pub use crate::show::{Block, Show, Table};
