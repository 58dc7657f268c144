//! What was found of the inputs, and what is made of it.

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

use crate::alerts::{Coincidence, Level, Observation, What};
use crate::drift::cost::MixCost;
use crate::drift::{Drift, Verdict};
use crate::error::Result;
use crate::store::Store;

/// The detector's name in the store.
const NAME: &str = "inputs";

/// How an input differs from its reference, and what that costs in accuracy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The newest date of the data behind it.
    pub at: NaiveDateTime,
    pub drift: Drift,
    /// What the change explains of the errors, where that was estimated.
    pub cost: Option<MixCost>,
}

impl Input {
    /// What the rules are told.
    pub(super) fn observation(&self) -> Observation {
        let (value, odds) = match self.drift.verdict {
            Verdict::None => (0.0, 1.0),
            Verdict::Small => (1.0, self.drift.p),
            Verdict::Large => (2.0, self.drift.p),
        };
        let cost = self.cost.as_ref().map(|cost| format!(" {}", cost.sentence)).unwrap_or_default();
        Observation {
            rule: None,
            what: What::Drift,
            level: Level::Portfolio,
            key: vec![self.drift.column.clone()],
            model: String::new(),
            kind: None,
            at: self.at,
            since: None,
            value,
            odds: Some(odds),
            money: 0.0,
            detail: format!("{}{cost}", self.drift.sentence),
        }
    }
}

/// Keeps what was found, in place of what was known of the same columns.
pub(super) fn keep(store: &mut Store, found: &[Input]) -> Result<()> {
    let mut inputs = kept(store)?;
    inputs.retain(|old| found.iter().all(|new| new.drift.column != old.drift.column));
    inputs.extend_from_slice(found);
    store.keep_states(NAME, &[(0, super::watched::packed(&inputs)?)])
}

/// What is known of every column.
pub(super) fn kept(store: &mut Store) -> Result<Vec<Input>> {
    match store.state(NAME, 0)? {
        Some(bytes) => super::watched::unpacked(&bytes),
        None => Ok(Vec::new()),
    }
}

/// What of it may be the cause of something.
pub(super) fn coincide(inputs: &[Input], coincidence: &mut Coincidence) {
    for input in inputs.iter().filter(|input| input.drift.verdict != Verdict::None) {
        let column = &input.drift.column;
        let cost = input.cost.as_ref().filter(|cost| cost.error_before > 0.0);
        coincidence.drifted.push(match cost {
            Some(cost) => format!("{column} (mean error {:+.0} %)", 100.0 * cost.change / cost.error_before),
            None => column.clone(),
        });
        let new = input.drift.new_categories.iter();
        coincidence.new_values.extend(new.map(|value| (column.clone(), value.clone())));
    }
}
