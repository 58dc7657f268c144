//! Which promotions, holidays and other events fall on a date? The flags among the covariates say it: they may be the cause of an alert.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDateTime;

use super::enabled::Dates;
use super::inputs::{Cells, Columns};
use crate::error::Result;
use crate::panel::Panel;

/// The flags that are on in at least half of the rows of a date, by the date. A covariate is a flag if it holds only 0 and 1 (false and
/// true), and is on at less than half of the dates: what is always so is no event.
pub(super) fn flags(panel: &Panel, columns: &Columns, dates: &Dates) -> Result<BTreeMap<NaiveDateTime, Vec<String>>> {
    let mut events: BTreeMap<NaiveDateTime, Vec<String>> = BTreeMap::new();
    // The first is the target.
    for (name, _, cells) in columns.compared.iter().skip(1) {
        let Cells::Numbers(cells) = cells else { continue };
        if !cells.iter().all(|cell| cell.is_nan() || *cell == 0.0 || *cell == 1.0) {
            continue;
        }
        let mut counts: HashMap<i64, (usize, usize)> = HashMap::new();
        for i in 0..panel.len() {
            for (position, cell) in panel.positions(i).iter().zip(panel.column_of(i, cells)) {
                let (on, all) = counts.entry(*position).or_default();
                *on += usize::from(*cell == 1.0);
                *all += 1;
            }
        }
        let is_on = |(_, (on, all)): &(&i64, &(usize, usize))| 2 * on >= *all;
        let on: Vec<i64> = counts.iter().filter(is_on).map(|(position, _)| *position).collect();
        if 2 * on.len() < counts.len() {
            for position in on {
                events.entry(dates.at(position)?).or_default().push(name.clone());
            }
        }
    }
    Ok(events)
}
