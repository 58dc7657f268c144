//! What can be sold of each item, and what it costs, from a file with its keys.

use std::path::Path;

use crate::decide::rows::Rows;
use crate::decide::stock::{non_negative, positive, whole};
use crate::error::{Error, Result};
use crate::panel::Panel;

/// What a row may say beside the keys.
const COLUMNS: [&str; 4] = ["on_hand", "cost", "salvage", "holding"];

/// The units on hand of each item.
pub(super) struct Shelf {
    /// By series of the panel.
    items: Vec<Option<Row>>,
    /// Items that the panel has no series of.
    pub unknown: Vec<String>,
}

/// One item.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub on_hand: f64,
    pub cost: Option<f64>,
    pub salvage: Option<f64>,
    pub holding: Option<f64>,
}

impl Shelf {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, lacks a column or nearly has one, has an item twice, or a number that cannot be.
    pub(super) fn read(path: &Path, panel: &Panel) -> Result<Self> {
        let rows = Rows::read(path, panel, "on_hand", &[])?;
        rows.check_names(&COLUMNS)?;
        rows.check_once()?;
        let [on_hand, cost, salvage, holding] = COLUMNS.map(|name| rows.numbers(name));
        let (on_hand, cost, salvage, holding) = (on_hand?, cost?, salvage?, holding?);
        let mut shelf = Self { items: vec![None; panel.len()], unknown: Vec::new() };
        for (row, label) in rows.labels().iter().enumerate() {
            let Some(units) = on_hand[row] else {
                return Err(rows.at(row, Error::data("`on_hand` is empty: state what is on the shelf, 0 for none")));
            };
            let least = |what: &str, value: Option<f64>| {
                value.map(|value| non_negative(what, value)).transpose().map_err(|error| rows.at(row, error))
            };
            let cost = cost[row].map(|cost| positive("`cost`", cost)).transpose();
            let units = non_negative("`on_hand`", units).and_then(|units| whole("`on_hand`", units));
            let item = Row {
                on_hand: units.map_err(|error| rows.at(row, error))?,
                cost: cost.map_err(|error| rows.at(row, error))?,
                salvage: least("`salvage`", salvage[row])?,
                holding: least("`holding`", holding[row])?,
            };
            match panel.place_of(label) {
                Some(series) => shelf.items[series] = Some(item),
                None => shelf.unknown.push(label.clone()),
            }
        }
        rows.check_known(panel)?;
        Ok(shelf)
    }

    pub(super) fn item(&self, series: usize) -> Option<&Row> {
        self.items.get(series)?.as_ref()
    }

    pub(super) fn cost(&self, series: usize) -> Option<f64> {
        self.item(series)?.cost
    }
}
