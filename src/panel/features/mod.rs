//! Which covariates can be made from what is there: the calendar, holidays, events, the past of the target?

use serde::{Deserialize, Serialize};

/// Covariate columns that a feature made, and how to make them again for other stamps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Made {
    /// The feature as a label: `holidays(country=US)`.
    pub(crate) label: String,
    /// The names of its columns.
    pub(crate) columns: Vec<String>,
}
