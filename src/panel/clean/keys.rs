//! Which series are one? Those whose keys differ in spelling only, if the policy says so.
//!
//! Merging looks at the whole panel: a spelling is a name, and which one a series bears tells nothing of its values.
//! It comes first, so that the recorded rows of a cleaned panel bear the merged names already.

use std::collections::HashMap;
use std::sync::Arc;

use polars::prelude::*;

use crate::error::{Error, Result};
use crate::panel::Panel;
use crate::panel::audit::Change;
use crate::panel::frame::assemble;
use crate::panel::recorded::Recorded;
use crate::panel::spelling::{Like, texts};

const ORDER: &str = "tradewind order";
const ROW: &str = "tradewind row";

impl Panel {
    /// The panel whose keys have one spelling each, the rows of merged series in time.
    pub(super) fn with_keys_merged(&self) -> Result<Panel> {
        let inner = self.inner();
        let mut columns = inner.columns.clone();
        columns.merged_keys = true;
        let mut alike = self.alike_keys()?;
        alike.iter_mut().for_each(|of_column| of_column.retain(|_, like| !like.accent));
        if alike.iter().all(HashMap::is_empty) {
            let merged =
                assemble(inner.frame.clone(), &columns, inner.calendar.clone(), self.season(), inner.origin.clone())?;
            return Ok(merged.with_recorded(self.recorded().cloned()));
        }
        if let Some(made) = inner.columns.made.first() {
            return Err(Error::usage(format!(
                "merge keys before joining and making features: {} is there",
                made.label
            )));
        }
        if self.recipe().is_some() {
            return Err(Error::usage(
                "keys are merged before anything else is cleaned: state keys=merge together with the other policies",
            ));
        }
        let mut frame = inner.frame.clone();
        let mut of_series: Vec<Vec<String>> = vec![Vec::new(); self.len()];
        for (name, alike) in inner.columns.keys.iter().zip(&alike) {
            respell(self, &mut frame, name, alike, &mut of_series)?;
        }
        // Rows of one timestamp lie in the order of the source.
        let order: Vec<u32> = match inner.origin.rows.len() == frame.height() {
            true => inner.origin.rows.clone(),
            false => (0..frame.height() as u32).collect(),
        };
        frame.with_column(Column::new(ORDER.into(), order))?;
        frame.with_column(Column::new(ROW.into(), (0..frame.height() as u32).collect::<Vec<_>>()))?;
        let by: Vec<PlSmallStr> = (columns.keys.iter().chain([&columns.time]).map(String::as_str))
            .chain([ORDER])
            .map(PlSmallStr::from_str)
            .collect();
        let mut frame = frame.sort(by, SortMultipleOptions::default().with_maintain_order(true))?;
        frame.drop_in_place(ORDER)?;
        let rows: Vec<usize> = frame.drop_in_place(ROW)?.u32()?.into_no_null_iter().map(|row| row as usize).collect();
        frame.rechunk_mut();
        let mut origin = inner.origin.clone();
        origin.rows = rows.iter().filter_map(|row| inner.origin.rows.get(*row).copied()).collect();
        let mut respelled = (*origin.respelled).clone();
        for (i, _) in of_series.iter().enumerate().filter(|(_, changes)| !changes.is_empty()) {
            let inputs = inner.origin.rows.get(inner.spans[i].clone()).unwrap_or_default();
            respelled.extend(inputs.iter().map(|input| (*input, i as u32)));
        }
        origin.respelled = Arc::new(respelled);
        let mut merged = assemble(frame, &columns, inner.calendar.clone(), self.season(), origin)?;
        // Where each series went.
        let mut places = vec![0; self.len()];
        for (row, old) in rows.iter().enumerate() {
            places[self.series_of(*old)] = merged.series_of(row);
        }
        let own = inner.origin.changes.iter().map(|change| Change { series: places[change.series], ..change.clone() });
        let names = of_series.iter().enumerate().filter(|(_, differs)| !differs.is_empty()).map(|(i, differs)| {
            let position = self.positions(i).first().copied().unwrap_or(0);
            Change {
                kind: "similar keys",
                series: places[i],
                position,
                target: (f64::NAN, f64::NAN),
                stamp: inner.calendar.label(position),
                value: self.label(i).to_string(),
                action: format!("spelled as the key that it is like: {}", differs.join("; ")),
            }
        });
        let changes = Arc::new(own.chain(names).collect());
        // It was assembled a moment ago and is nobody else's yet.
        if let Some(made) = Arc::get_mut(&mut merged.0) {
            made.origin.changes = changes;
        }
        let actual = self.recorded().map(|_| rows.iter().map(|row| self.actuals()[*row]).collect());
        Ok(merged.with_recorded(actual.map(Recorded::plain)))
    }
}

/// Gives the values of a key column their one spelling, and tells each series by what its own differed.
fn respell(
    panel: &Panel,
    frame: &mut DataFrame,
    name: &str,
    alike: &HashMap<String, Like>,
    differs: &mut [Vec<String>],
) -> Result<()> {
    let inner = panel.inner();
    let column = inner.keys.column(name)?;
    let Some(texts) = texts(column)?.filter(|_| !alike.is_empty()) else { return Ok(()) };
    let mut spelled: Vec<Option<&str>> = Vec::with_capacity(frame.height());
    for (i, text) in texts.iter().enumerate() {
        let like = text.and_then(|text| alike.get(text));
        differs[i].extend(like.map(|like| like.differs.clone()));
        let text = like.map(|like| like.kept.as_str()).or(text);
        spelled.extend(std::iter::repeat_n(text, inner.spans[i].len()));
    }
    let made = Column::new(name.into(), spelled).cast(column.dtype())?;
    frame.with_column(made)?;
    Ok(())
}
