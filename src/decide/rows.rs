//! A file with a row per item: its keys beside what is known of each.
//!
//! What a file is about is left to who reads it: which columns there are, which numbers can be, and whether an item may have
//! several rows.

use std::collections::HashMap;
use std::path::Path;

use polars::prelude::*;

use crate::error::{Error, Result, nearest, suggestion};
use crate::panel::{Frequency, Panel, Sheet, labels_of};

/// The rows of a file.
pub(super) struct Rows {
    sheet: Sheet,
    /// The file, as errors name it.
    place: String,
    keys: Vec<String>,
    labels: Vec<String>,
}

impl Rows {
    /// Reads a file with the keys of a panel and one column more; `dates` are columns that keep their text.
    ///
    /// # Errors
    /// When it cannot be read or lacks a column.
    pub(super) fn read(path: &Path, panel: &Panel, needed: &str, dates: &[&str]) -> Result<Self> {
        let (keys, place) = (panel.columns().keys(), path.display().to_string());
        let names: Vec<&str> = keys.iter().map(String::as_str).collect();
        let sheet = Sheet::read_all(path, &[&names, dates].concat(), panel)?;
        let frame = sheet.frame();
        let present = || frame.get_column_names().into_iter().map(PlSmallStr::as_str);
        for name in names.iter().copied().chain([needed]) {
            if !present().any(|known| known == name) {
                return Err(Error::data(format!("{place} has no column `{name}`{}", suggestion(name, present()))));
            }
        }
        let labels = labels_of(&frame.select(names)?, frame.height())?;
        Ok(Self { sheet, place, keys, labels })
    }

    /// The file, as errors name it.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The items, row by row.
    pub(super) fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The columns that are neither keys nor among these.
    pub(super) fn others<'a>(&'a self, known: &'a [&str]) -> impl Iterator<Item = &'a str> {
        let names = self.sheet.frame().get_column_names().into_iter().map(PlSmallStr::as_str);
        names.filter(|name| !known.contains(name) && !self.keys.iter().any(|key| key == name))
    }

    /// Other columns may stand beside those that are known, but a name that is nearly one of them is a mistake.
    ///
    /// # Errors
    /// When there is such a name.
    pub(super) fn check_names(&self, known: &[&str]) -> Result<()> {
        self.others(known).try_for_each(|name| self.check_name(name, known))
    }

    /// The same of one name.
    ///
    /// # Errors
    /// When it is nearly one of those that are known.
    pub(super) fn check_name(&self, name: &str, known: &[&str]) -> Result<()> {
        match nearest(name, known.iter().copied()) {
            Some(near) => Err(Error::data(format!("{} has a column `{name}`, did you mean `{near}`?", self.place))),
            None => Ok(()),
        }
    }

    /// Has every item one row?
    ///
    /// # Errors
    /// When an item has two.
    pub(super) fn check_once(&self) -> Result<()> {
        let mut rows: HashMap<&str, usize> = HashMap::new();
        for (row, label) in self.labels.iter().enumerate() {
            if let Some(before) = rows.insert(label, row) {
                return Err(Error::data(format!(
                    "{} has {label} twice ({} and {}): one row per item",
                    self.place,
                    self.sheet.row_text(before),
                    self.sheet.row_text(row)
                )));
            }
        }
        Ok(())
    }

    /// Is any item a series of the panel? If none is, the file is about something else.
    ///
    /// # Errors
    /// When none is.
    pub(super) fn check_known(&self, panel: &Panel) -> Result<()> {
        if self.labels.iter().any(|label| panel.place_of(label).is_some()) {
            return Ok(());
        }
        let Some(first) = self.labels.first() else {
            return Err(Error::data(format!("{} has no row below its header: one per item", self.place)));
        };
        Err(Error::data(format!(
            "no item of {} is a series of the history: its first is {first}, that of the history {}",
            self.place,
            panel.keys().first().map_or("none", String::as_str)
        )))
    }

    /// An error of a row.
    pub(super) fn at(&self, row: usize, error: Error) -> Error {
        Error::data(format!("{}, {} ({})", self.place, self.sheet.row_text(row), self.labels[row])).because(error)
    }

    /// The numbers of a column, none where a cell is empty or there is no such column.
    ///
    /// # Errors
    /// When a cell holds anything else.
    pub(super) fn numbers(&self, name: &str) -> Result<Vec<Option<f64>>> {
        let frame = self.sheet.frame();
        let Ok(column) = frame.column(name) else { return Ok(vec![None; frame.height()]) };
        let numbers = column.cast(&DataType::Float64)?;
        let texts = column.cast(&DataType::String)?;
        let (numbers, texts) = (numbers.f64()?, texts.str()?);
        let cell = |row: usize| match (numbers.get(row), texts.get(row)) {
            (None, Some(text)) if !text.trim().is_empty() => {
                Err(self.at(row, Error::data(format!("`{name}` is `{text}`, not a number"))))
            }
            (number, _) => Ok(number.filter(|number| !number.is_nan())),
        };
        (0..frame.height()).map(cell).collect()
    }

    /// The dates of a column, none where a cell is empty.
    ///
    /// # Errors
    /// When a cell holds no date.
    pub(super) fn stamps(&self, name: &str, frequency: Frequency) -> Result<Vec<Option<i64>>> {
        self.sheet.stamps(name, Some(frequency))
    }
}
