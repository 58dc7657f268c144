//! When could the item be sold? Sales of a step in which it could not are less than its demand.

use std::borrow::Cow;

use super::covariates::is_number;
use super::frame::numbers;
use super::{Panel, spread};
use crate::error::{Error, Result};

impl Panel {
    /// The share of each step, from the first to the last of a series, in which the item could be sold; 1 where nothing is
    /// recorded, and all of it where the panel has no such column.
    ///
    /// ```
    /// use tradewind::polars::prelude::*;
    /// use tradewind::prelude::*;
    /// let frame = df!("week" => [1, 2, 4], "sold" => [5.0, 0.0, 6.0], "in_stock" => [Some(true), Some(false), None])?;
    /// let panel = Panel::from_frame(frame, Columns::new([""; 0], "week", "sold").available("in_stock").freq("1")?)?;
    /// assert_eq!(panel.availability("all")?, [1.0, 0.0, 1.0, 1.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such series.
    pub fn availability(&self, series: &str) -> Result<Vec<f64>> {
        let place = self.place(series)?;
        let rows = self.available_rows()?;
        Ok(match rows.as_deref().map(|rows| self.available(place, rows)) {
            Some(shares) => shares.into_owned(),
            None => vec![1.0; self.regular(place).len()],
        })
    }

    /// The share of each row's step in which the item could be sold, 1 where it is not recorded; none without such a column.
    ///
    /// # Errors
    /// When a cell is no share from 0 to 1, naming series and date.
    pub(crate) fn available_rows(&self) -> Result<Option<Vec<f64>>> {
        let inner = self.inner();
        let Some(name) = &inner.columns.available else { return Ok(None) };
        let column = inner.frame.column(name)?;
        if !is_number(column.dtype()) && column.null_count() < column.len() {
            return Err(Error::data(format!(
                "column `{name}` holds {}; when an item could be sold is a flag (true, false) or a share from 0 to 1",
                column.dtype()
            )));
        }
        let mut shares = numbers(column)?;
        for (row, share) in shares.iter_mut().enumerate() {
            if share.is_nan() {
                *share = 1.0;
            } else if !(0.0..=1.0).contains(share) {
                return Err(Error::data(format!(
                    "column `{name}` of series {} on {} is {share}; the share of a step in which the item could be sold lies \
                     between 0 and 1",
                    self.label(self.series_of(row)),
                    self.stamp_text(row)
                )));
            }
        }
        Ok(Some(shares))
    }

    /// Is no demand of a series known, because it has no values of steps in which the item could be sold?
    pub(crate) fn is_never_sold(&self, series: usize, rows: Option<&[f64]>) -> bool {
        let shares = rows.map(|rows| self.column_of(series, rows));
        let known = |(step, y): (usize, &f64)| !y.is_nan() && shares.is_none_or(|shares| shares[step] == 1.0);
        !self.target(series).is_empty() && !self.target(series).iter().enumerate().any(known)
    }

    /// What [`available_rows`](Self::available_rows) gives, for the steps of a series from its first to its last.
    pub(crate) fn available<'a>(&self, series: usize, rows: &'a [f64]) -> Cow<'a, [f64]> {
        let shares = spread(self.positions(series), self.column_of(series, rows));
        match shares {
            Cow::Owned(mut shares) => {
                shares.iter_mut().filter(|share| share.is_nan()).for_each(|share| *share = 1.0);
                Cow::Owned(shares)
            }
            whole => whole,
        }
    }
}
