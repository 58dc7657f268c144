//! What would have been sold in steps in which an item could not always be sold?
//!
//! The estimate is that of [`crate::statistics::censored`]: series are pooled with all others and with those of the
//! same key or fixed covariate, where these divide the panel into groups of several. Nothing is estimated before an
//! item was first sold or in stock, nor after the last such step: it was not launched yet, or is no longer sold. An
//! item that was never in stock has no estimate.

use super::groups::Groups;
use super::{Panel, order};
use crate::error::{Error, Result};
use crate::statistics::censored::{Cell, Estimates, Sales, estimate};

/// The estimated demand of all steps of a panel in which an item could not always be sold.
pub(crate) struct Unsold {
    pub estimates: Estimates,
    /// Series that were out of stock and of which nothing is known.
    pub unknown: Vec<usize>,
    /// Sales below zero, which count as none.
    pub negative: usize,
}

/// One series: the calendar position of its first step, what was sold, NaN where it is not known, and the share of each
/// step in which it could be.
pub(super) struct Shelf {
    pub first: i64,
    pub sold: Vec<f64>,
    pub shares: Vec<f64>,
}

impl Panel {
    /// The estimated demand of steps in which an item could not always be sold.
    ///
    /// # Errors
    /// When the panel does not tell when items could be sold, or they always could.
    pub(crate) fn unsold(&self) -> Result<Unsold> {
        let Some(rows) = self.available_rows()? else { return Err(no_column()) };
        let shelf = |i: usize| Shelf {
            first: self.positions(i).first().copied().unwrap_or(0),
            sold: self.regular(i).into_owned(),
            shares: self.available(i, &rows).into_owned(),
        };
        let shelves: Vec<Shelf> = (0..self.len()).map(shelf).collect();
        if shelves.iter().flat_map(|shelf| &shelf.shares).all(|share| *share >= 1.0) {
            return Err(Error::data("every item could always be sold: there is nothing to estimate"));
        }
        self.unsold_of(&shelves)
    }

    /// The same of other values of the panel's series.
    pub(super) fn unsold_of(&self, shelves: &[Shelf]) -> Result<Unsold> {
        let there = |shelf: &&Shelf| !shelf.sold.is_empty();
        let base = shelves.iter().filter(there).map(|shelf| shelf.first).min().unwrap_or(0);
        let mut negative = 0;
        let mut unknown = Vec::new();
        let mut cells = Vec::with_capacity(shelves.len());
        for (i, shelf) in shelves.iter().enumerate() {
            let lives = |t: &usize| {
                (shelf.shares[*t] > 0.0 && shelf.shares[*t] < 1.0)
                    || shelf.sold[*t] > 0.0
                    || (shelf.shares[*t] == 1.0 && !shelf.sold[*t].is_nan())
            };
            let first = (0..shelf.sold.len()).find(lives);
            let last = (0..shelf.sold.len()).rev().find(lives);
            if first.is_none() && shelf.shares.iter().any(|share| *share < 1.0) {
                unknown.push(i);
            }
            let mut row = vec![Cell::Unknown; shelf.sold.len()];
            if let (Some(first), Some(last)) = (first, last) {
                for (t, place) in row.iter_mut().enumerate().take(last + 1).skip(first) {
                    negative += usize::from(shelf.sold[t] < 0.0);
                    *place = cell(shelf.sold[t].max(0.0), shelf.sold[t].is_nan(), shelf.shares[t]);
                }
            }
            cells.push(row);
        }
        let steps = |shelf: &Shelf| usize::try_from(shelf.first - base).unwrap_or(0);
        let sales = Sales {
            first: shelves.iter().map(|shelf| if shelf.sold.is_empty() { 0 } else { steps(shelf) }).collect(),
            cells,
            groupings: self.siblings()?,
            season: self.season(),
            order: order::by_content(self)?,
        };
        Ok(Unsold { estimates: estimate(&sales)?, unknown, negative })
    }

    /// The keys and fixed covariates that divide the series into groups of several, the coarsest first.
    fn siblings(&self) -> Result<Vec<Vec<usize>>> {
        let names: Vec<String> = self.columns().attributes().map(String::from).collect();
        let mut found: Vec<(usize, Vec<usize>)> = Vec::new();
        for name in names {
            let groups = Groups::by(&name, self)?;
            let count = groups.names.len();
            let new = !found.iter().any(|(_, of)| *of == groups.of);
            if count > 1 && 2 * count <= self.len() && new {
                found.push((count, groups.of));
            }
        }
        found.sort_by_key(|(count, _)| *count);
        Ok(found.into_iter().map(|(_, of)| of).collect())
    }
}

/// What is known of the demand of a step.
fn cell(sold: f64, missing: bool, share: f64) -> Cell {
    match share {
        1.0 if missing => Cell::Unknown,
        1.0 => Cell::Sold(sold),
        _ if missing => Cell::Hidden,
        0.0 if sold > 0.0 => Cell::AtLeast(sold),
        0.0 => Cell::Hidden,
        share => Cell::Part { sold, share },
    }
}

/// What is missing where a panel does not tell when items could be sold.
pub(super) fn no_column() -> Error {
    Error::usage("this needs the column that tells when an item could be sold: state it as `available`")
}
