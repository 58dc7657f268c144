//! How good are the forecasts that were given out, now that the sales are known? Issued forecasts are kept in a store; as actuals arrive
//! they are scored, and rules tell when something has to be done.
//!
//! | file | question |
//! |---|---|
//! | `mod.rs` | what came of actuals that arrived? |
//! | `enabled.rs`, `disabled.rs` | how do a forecast and sales get into the store? (feature `monitor`) |
//! | `planners.rs` | what did planners change, and did it help? |
//! | `overrides.rs` | how does that reach a forecast and the store? (feature `monitor`) |
//! | `value.rs` | what have planners added? (feature `monitor`) |
//! | `inputs.rs` | have the target or the covariates changed? |
//! | `flags.rs` | which promotions and holidays fall on a date? |
//! | `costs.rs` | what does an error cost? |
//! | `refit.rs` | is there a reason to fit again, and what follows once that is done? |
//!
//! The crate `tradewind-monitor` does the keeping, the scores, the detectors and the alerts; the file of rules is described there.

#[cfg(feature = "monitor")]
mod costs;
#[cfg(not(feature = "monitor"))]
mod disabled;
#[cfg(not(feature = "monitor"))]
pub use disabled::{Monitor, ready};
#[cfg(feature = "monitor")]
mod enabled;
#[cfg(feature = "monitor")]
pub use enabled::{Monitor, ready};
#[cfg(feature = "monitor")]
mod flags;
#[cfg(feature = "monitor")]
mod inputs;
#[cfg(feature = "monitor")]
mod overrides;
mod planners;
#[cfg(feature = "monitor")]
mod refit;
#[cfg(feature = "monitor")]
mod value;
pub use planners::{Doubts, Overridden, Override, ValueAdded};

use std::sync::Arc;

use polars::prelude::DataType;

use crate::error::Result;
use crate::panel::Panel;
use crate::show::{Block, Show, Table};

/// What came of actuals that arrived.
#[derive(Clone)]
pub struct Monitored(Arc<Inner>);

pub(crate) struct Inner {
    pub sentence: String,
    /// Alerts that began or ended.
    pub alerts: Table,
    pub notes: Vec<String>,
}

impl Monitored {
    /// What was received, scored and told, in words.
    pub fn sentence(&self) -> String {
        self.0.sentence.clone()
    }

    /// The alerts that began or ended: which, since when, how bad, what it costs, what may be the cause.
    pub fn alerts(&self) -> Table {
        self.0.alerts.clone()
    }

    /// What else is worth knowing: how many dates detectors lack, rows that were refused, destinations that failed.
    pub fn notes(&self) -> Vec<String> {
        self.0.notes.clone()
    }
}

impl From<Inner> for Monitored {
    fn from(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }
}

impl Show for Monitored {
    fn block(&self) -> Block {
        let mut blocks = vec![Block::Text(self.sentence())];
        if self.0.alerts.rows() > 0 {
            blocks.push(Block::Table(self.alerts()));
        }
        blocks.extend(self.0.notes.iter().cloned().map(Block::Note));
        Block::Group(blocks)
    }
}

crate::show::noun!(Monitored);

/// The values of the key columns of every series, as texts.
fn keys(panel: &Panel) -> Result<Vec<Vec<String>>> {
    let columns = panel.key_columns(0..panel.len())?;
    let columns =
        columns.iter().map(|column| column.cast(&DataType::String)).collect::<std::result::Result<Vec<_>, _>>()?;
    let texts = columns
        .iter()
        .map(|column| Ok(column.str()?.iter().map(|text| text.unwrap_or_default().to_string()).collect()));
    let texts: Vec<Vec<String>> = texts.collect::<Result<_>>()?;
    Ok((0..panel.len()).map(|i| texts.iter().map(|column| column[i].clone()).collect()).collect())
}
