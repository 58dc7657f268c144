//! What does the target go through before a model sees it, and how does a forecast come back?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the target of each series goes through before a model sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Normalise {
    /// Nothing.
    #[default]
    None,
    /// Mean 0, standard deviation 1.
    Standard,
    /// Least value 0, greatest 1.
    #[serde(rename = "min-max")]
    MinMax,
    /// ln(1 + y).
    Log1p,
    /// The Box-Cox transformation with lambda by Guerrero's method.
    #[serde(rename = "box-cox")]
    BoxCox,
}

impl super::Panel {
    /// The same panel, whose target models see normalised.
    pub(crate) fn normalised(&self, kind: Normalise) -> crate::error::Result<super::Panel> {
        let inner = self.inner();
        let columns = super::Columns { normalise: kind, ..inner.columns.clone() };
        super::frame::assemble(
            inner.frame.clone(),
            &columns,
            inner.calendar.clone(),
            self.season(),
            inner.origin.clone(),
        )
    }
}
