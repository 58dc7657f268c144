//! When could the item be sold? Sales of a step in which it could not are less than its demand.
//!
//! A column says so that is declared `available`. Known flags that are named like one and without which nothing was ever sold are
//! believed by the audit, and suggested.

use std::borrow::Cow;
use std::collections::HashMap;

use polars::prelude::*;

use super::covariates::is_number;
use super::frame::numbers;
use super::{Panel, Provenance, Role, meaning, spread};
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
            } else if (0.0..=1.0).contains(share) && inner.columns.closed {
                *share = 1.0 - *share;
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

    /// What [`available_rows`](Self::available_rows) gives or, without such a column, what known flags say that are named like
    /// one and without which nothing was ever sold.
    pub(crate) fn open_rows(&self) -> Result<Option<Vec<f64>>> {
        if let Some(rows) = self.available_rows()? {
            return Ok(Some(rows));
        }
        let mut open: Option<Vec<f64>> = None;
        for (_, shares) in self.likely_available()? {
            let target = &self.inner().target;
            if !shares.iter().zip(target).any(|(share, sold)| *share < 1.0 && *sold > 0.0) {
                let open = open.get_or_insert_with(|| vec![1.0; shares.len()]);
                open.iter_mut().zip(shares).for_each(|(all, share)| *all = all.min(share));
            }
        }
        Ok(open)
    }

    /// Known columns that seem to say when the item could be sold, as one would state them (`Open`, `not Closed`), with the share
    /// of each row.
    pub(crate) fn likely_available(&self) -> Result<Vec<(String, Vec<f64>)>> {
        let inner = self.inner();
        let mut likely = Vec::new();
        if inner.columns.available.is_some() {
            return Ok(likely);
        }
        for name in inner.columns.with_role(Role::Known) {
            let Some(says_open) = named(name) else { continue };
            let column = inner.frame.column(name)?;
            let column = flags_of(column)?.unwrap_or_else(|| column.clone());
            if !is_number(column.dtype()) {
                continue;
            }
            let mut shares = numbers(&column)?;
            if shares.iter().any(|share| !share.is_nan() && !(0.0..=1.0).contains(share)) {
                continue;
            }
            for share in &mut shares {
                *share = match share.is_nan() {
                    true => 1.0,
                    false if says_open => *share,
                    false => 1.0 - *share,
                };
            }
            if shares.iter().any(|share| *share < 1.0) && shares.contains(&1.0) {
                likely.push((if says_open { name.to_string() } else { format!("not {name}") }, shares));
            }
        }
        Ok(likely)
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

/// Names of columns that say when an item could be sold, and of those that say when it could not, as [`folded`](crate::error::folded).
const OPEN: &str = "open isopen opened shopopen storeopen openflag instock isinstock available isavailable availability onsale \
                    geöffnet geoeffnet offen verfügbar lieferbar abierto disponible ouvert aperto aberto";
const CLOSED: &str = "closed isclosed shopclosed storeclosed closedflag outofstock isoutofstock oos stockout stockouts isstockout \
                      soldout unavailable notavailable geschlossen ausverkauft cerrado agotado fermé rupture chiuso fechado";

/// Does the name of a column say when an item could be sold (`Open`), or when not (`Closed`)?
pub(crate) fn named(column: &str) -> Option<bool> {
    let name = crate::error::folded(column);
    let among = |list: &str| list.split_whitespace().any(|word| word == name);
    if among(OPEN) { Some(true) } else { among(CLOSED).then_some(false) }
}

/// A column of texts that all say yes or no as booleans; none of any other.
fn flags_of(column: &Column) -> Result<Option<Column>> {
    if column.dtype() != &DataType::String {
        return Ok(None);
    }
    let mut known: HashMap<&str, bool> = HashMap::new();
    let mut flags = Vec::with_capacity(column.len());
    for text in column.str()?.iter() {
        let Some(text) = text else {
            flags.push(None);
            continue;
        };
        let flag = match known.get(text) {
            Some(flag) => *flag,
            None => {
                let Some(flag) = meaning::flag(text) else { return Ok(None) };
                known.insert(text, flag);
                flag
            }
        };
        flags.push(Some(flag));
    }
    Ok(Some(Column::new(column.name().clone(), flags)))
}

/// The column that tells when an item could be sold, texts of yes and no as booleans.
///
/// # Errors
/// When a text says neither, quoting it.
pub(super) fn flags(column: &Column, origin: &Provenance) -> Result<Column> {
    if column.dtype() != &DataType::String || column.null_count() == column.len() {
        return Ok(column.clone());
    }
    if let Some(flags) = flags_of(column)? {
        return Ok(flags);
    }
    let texts = column.str()?;
    let odd = texts.iter().enumerate().find(|(_, text)| text.is_some_and(|text| meaning::flag(text).is_none()));
    let (row, text) = odd.map_or((0, ""), |(row, text)| (row, text.unwrap_or_default()));
    Err(Error::data(format!(
        "`{text}` in column `{}` of {}, {}, does not say whether the item could be sold: that is a flag (true and false, yes and no, \
         1 and 0) or a share from 0 to 1",
        column.name(),
        origin.source,
        origin.row_text(row)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::Columns;

    #[test]
    fn names_say_open_or_closed() {
        for (name, says) in [
            ("Open", Some(true)),
            ("in_stock", Some(true)),
            ("InStock", Some(true)),
            ("Closed", Some(false)),
            ("out of stock", Some(false)),
            ("opening", None),
            ("price", None),
        ] {
            assert_eq!(named(name), says, "{name}");
        }
    }

    /// A panel of ten steps of which a column says something.
    fn panel(said: Column, columns: Columns) -> Result<Panel> {
        let sold = [5.0, 0.0, 6.0, 4.0, 0.0, 7.0, 5.0, 6.0, 3.0, 8.0];
        let mut frame = df!("t" => (1..=10_i64).collect::<Vec<_>>(), "sold" => sold)?;
        frame.with_column(said)?;
        Panel::from_frame(frame, columns)
    }

    fn columns() -> Columns {
        Columns::new([""; 0], "t", "sold")
    }

    #[test]
    fn flags_are_read_however_they_are_typed_and_the_contrary_is_turned() {
        let mut open = vec![1.0; 10];
        (open[1], open[4]) = (0.0, 0.0);
        let of = |words: [&str; 2]| -> Vec<String> {
            open.iter().map(|open| words[usize::from(*open == 1.0)].to_string()).collect()
        };
        for (name, words, stated) in [
            ("Open", ["no", "yes"], "Open"),
            ("Open", ["False", "TRUE "], "Open"),
            ("Open", ["0", "1"], "Open"),
            ("Closed", ["Y", "N"], "not Closed"),
            ("Closed", ["1", "0"], "!Closed"),
        ] {
            let panel = panel(Column::new(name.into(), of(words)), columns().available(stated)).unwrap();
            assert_eq!(panel.availability("all").unwrap(), open, "{stated} {words:?}");
            assert_eq!(panel.columns().names(), ["t", "sold", name]);
        }
        let closed =
            Column::new("Closed".into(), [None, Some(1.0), Some(0.25), None, None, None, None, None, None, None]);
        let shares = panel(closed, columns().available("not Closed")).unwrap().availability("all").unwrap();
        assert_eq!(shares[..4], [1.0, 0.0, 0.75, 1.0]);
        let odd = panel(Column::new("Open".into(), of(["maybe", "yes"])), columns().available("Open")).err().unwrap();
        assert!(odd.to_string().contains("`maybe` in column `Open`"), "{odd}");
    }

    #[test]
    fn what_is_named_like_it_is_believed_where_nothing_is_sold_without_it() {
        let closed = |at: usize| Column::new("Closed".into(), (0..10).map(|t| t == 1 || t == at).collect::<Vec<_>>());
        let known = || columns().known(["Closed"]);
        let believed = panel(closed(4), known()).unwrap();
        assert_eq!(believed.likely_available().unwrap()[0].0, "not Closed");
        assert_eq!(believed.open_rows().unwrap().unwrap().iter().filter(|open| **open == 0.0).count(), 2);
        // Something was sold while it was closed.
        let doubted = panel(closed(5), known()).unwrap();
        assert!(doubted.open_rows().unwrap().is_none() && doubted.likely_available().unwrap().len() == 1);
    }
}
