//! What can be sold of each item, and what it costs, from a file with its keys.

use std::collections::HashMap;
use std::path::Path;

use crate::decide::replenish::Cells;
use crate::decide::stock::{non_negative, positive, whole};
use crate::error::{Error, Result, nearest, suggestion};
use crate::panel::{Panel, Sheet, labels_of};

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
        let columns = panel.columns();
        let keys = columns.keys();
        let names: Vec<&str> = keys.iter().map(String::as_str).collect();
        let sheet = Sheet::read_all(path, &names, panel)?;
        let (frame, place) = (sheet.frame(), path.display().to_string());
        let present: Vec<String> = frame.get_column_names().into_iter().map(|name| name.to_string()).collect();
        for name in names.iter().copied().chain(["on_hand"]) {
            if !present.iter().any(|known| known == name) {
                let near = suggestion(name, present.iter().map(String::as_str));
                return Err(Error::data(format!("{place} has no column `{name}`{near}")));
            }
        }
        for name in present.iter().filter(|name| !names.contains(&name.as_str()) && !COLUMNS.contains(&name.as_str())) {
            if let Some(near) = nearest(name, COLUMNS) {
                return Err(Error::data(format!("{place} has a column `{name}`, did you mean `{near}`?")));
            }
        }
        let labels = labels_of(&frame.select(names.iter().copied())?, frame.height())?;
        let cells = Cells { frame, sheet: &sheet, labels: &labels, place: &place };
        let mut rows: HashMap<&str, usize> = HashMap::new();
        for (row, label) in labels.iter().enumerate() {
            if let Some(before) = rows.insert(label, row) {
                return Err(Error::data(format!(
                    "{place} has {label} twice ({} and {}): one row per item",
                    sheet.row_text(before),
                    sheet.row_text(row)
                )));
            }
        }
        let [on_hand, cost, salvage, holding] = COLUMNS.map(|name| cells.column(name));
        let (on_hand, cost, salvage, holding) = (on_hand?, cost?, salvage?, holding?);
        let mut shelf = Self { items: vec![None; panel.len()], unknown: Vec::new() };
        for (row, label) in labels.iter().enumerate() {
            let Some(units) = on_hand[row] else {
                return Err(cells.at(row, Error::data("`on_hand` is empty: state what is on the shelf, 0 for none")));
            };
            let least = |what: &str, value: Option<f64>| {
                value.map(|value| non_negative(what, value)).transpose().map_err(|error| cells.at(row, error))
            };
            let cost = cost[row].map(|cost| positive("`cost`", cost)).transpose();
            let units = non_negative("`on_hand`", units).and_then(|units| whole("`on_hand`", units));
            let item = Row {
                on_hand: units.map_err(|error| cells.at(row, error))?,
                cost: cost.map_err(|error| cells.at(row, error))?,
                salvage: least("`salvage`", salvage[row])?,
                holding: least("`holding`", holding[row])?,
            };
            match panel.place_of(label) {
                Some(series) => shelf.items[series] = Some(item),
                None => shelf.unknown.push(label.clone()),
            }
        }
        if shelf.items.iter().all(Option::is_none) {
            return Err(Error::data(format!(
                "no item of {place} is a series of the history: its first is {}, that of the history {}",
                labels.first().map_or("none", String::as_str),
                panel.keys().first().map_or("none", String::as_str)
            )));
        }
        Ok(shelf)
    }

    pub(super) fn item(&self, series: usize) -> Option<&Row> {
        self.items.get(series)?.as_ref()
    }

    pub(super) fn cost(&self, series: usize) -> Option<f64> {
        self.item(series)?.cost
    }
}
