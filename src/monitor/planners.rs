//! What did planners change in a forecast, and did it help?

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use polars::prelude::{Column, DataFrame};

use super::keys;
use crate::error::{Error, Result};
use crate::forecast::Forecast;
use crate::show::{Block, Show, Table};

/// A change to the forecast of some series and dates, by whom and why.
///
/// It speaks of the *total* of what it selects, date by date, and is given to the series by their shares of the forecast.
///
/// ```
/// use tradewind::prelude::*;
/// let change = Override::new("ann", "promotion in week 36")
///     .only("Store", "1")
///     .between("2012-09-07", "2012-09-14")?
///     .percent(20.0)
///     .expires("2030-01-01")?;
/// assert_eq!(
///     change.sentence(),
///     "ann: +20 % for Store=1 from 2012-09-07 to 2012-09-14 (promotion in week 36), heeded until 2030-01-01."
/// );
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone)]
pub struct Override {
    pub(super) id: Option<String>,
    pub(super) author: String,
    pub(super) reason: String,
    pub(super) selection: BTreeMap<String, String>,
    pub(super) dates: Option<(NaiveDate, NaiveDate)>,
    pub(super) change: Option<Change>,
    pub(super) expires: Option<NaiveDate>,
}

/// What becomes of the total at each date.
#[derive(Clone, Copy)]
pub(super) enum Change {
    Set(f64),
    Add(f64),
    Percent(f64),
}

impl Override {
    /// A change by this author for this reason; what it changes is stated next.
    pub fn new(author: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            id: None,
            author: author.into(),
            reason: reason.into(),
            selection: BTreeMap::new(),
            dates: None,
            change: None,
            expires: None,
        }
    }

    /// Of series with this value in a key column; all series where no column is stated.
    #[must_use]
    pub fn only(mut self, column: impl Into<String>, value: impl Into<String>) -> Self {
        self.selection.insert(column.into(), value.into());
        self
    }

    /// Of these dates (`2012-09-07`), both included.
    ///
    /// # Errors
    /// When a text is no date.
    pub fn between(mut self, from: &str, to: &str) -> Result<Self> {
        self.dates = Some((date(from)?, date(to)?));
        Ok(self)
    }

    /// The total becomes so many units.
    #[must_use]
    pub fn set(mut self, units: f64) -> Self {
        self.change = Some(Change::Set(units));
        self
    }

    /// So many units are added to the total; below 0 to lower it.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "it says what is changed and adds no overrides")]
    pub fn add(mut self, units: f64) -> Self {
        self.change = Some(Change::Add(units));
        self
    }

    /// This share of the total is added, in %; below 0 to lower it.
    #[must_use]
    pub fn percent(mut self, percent: f64) -> Self {
        self.change = Some(Change::Percent(percent));
        self
    }

    /// The last day on which it is heeded.
    ///
    /// # Errors
    /// When the text is no date.
    pub fn expires(mut self, day: &str) -> Result<Self> {
        self.expires = Some(date(day)?);
        Ok(self)
    }

    /// A name that no other has; one is made where none is stated.
    #[must_use]
    pub fn named(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// It in words.
    pub fn sentence(&self) -> String {
        let change = match self.change {
            None => "nothing yet".to_string(),
            Some(Change::Set(units)) => format!("set to {}", crate::show::number(units)),
            Some(Change::Add(units)) => format!("{} units", signed(units)),
            Some(Change::Percent(percent)) => format!("{} %", signed(percent)),
        };
        let selection: Vec<String> = self.selection.iter().map(|(column, value)| format!("{column}={value}")).collect();
        let whom = if selection.is_empty() { "all series".to_string() } else { selection.join(", ") };
        let when = self.dates.map_or_else(String::new, |(from, to)| format!(" from {from} to {to}"));
        let until = self.expires.map_or_else(String::new, |day| format!(", heeded until {day}"));
        format!("{}: {change} for {whom}{when} ({}){until}.", self.author, self.reason)
    }
}

fn signed(value: f64) -> String {
    let sign = if value < 0.0 { "−" } else { "+" };
    format!("{sign}{}", crate::show::number(value.abs()))
}

/// A day as people write it for a computer.
fn date(text: &str) -> Result<NaiveDate> {
    NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d")
        .map_err(|_| Error::usage(format!("`{text}` is no date; write it as 2026-03-31")))
}

impl Show for Override {
    fn block(&self) -> Block {
        Block::Text(self.sentence())
    }
}

crate::show::noun!(Override);

/// What is released: as planners want it, or with doubted changes damped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubts {
    /// Doubts are told, and every change is released whole.
    #[default]
    Told,
    /// Of a doubted change as much is released as history speaks for.
    Heeded,
}

/// A forecast with overrides.
#[derive(Clone)]
pub struct Overridden(pub(super) Arc<Planned>);

pub(super) struct Planned {
    pub statistical: Forecast,
    pub planned: Forecast,
    pub released: Forecast,
    pub sentence: String,
    pub outcomes: Table,
    pub doubts: Table,
}

impl Overridden {
    /// What to order by: the forecast with overrides, or with as much of the doubted ones as was asked for.
    pub fn forecast(&self) -> Forecast {
        self.0.released.clone()
    }

    /// The forecast as planners want it.
    pub fn planned(&self) -> Forecast {
        self.0.planned.clone()
    }

    /// The model's forecast, unchanged.
    pub fn statistical(&self) -> Forecast {
        self.0.statistical.clone()
    }

    /// How many values were changed by how many overrides.
    pub fn sentence(&self) -> String {
        self.0.sentence.clone()
    }

    /// A row for each override: the total before, as wanted and after, and why it did not act as wanted.
    pub fn table(&self) -> Table {
        self.0.outcomes.clone()
    }

    /// A row for each override that changed something: what the past says of it, and how much of it to heed.
    pub fn doubts(&self) -> Table {
        self.0.doubts.clone()
    }

    /// Sums by the values of some key columns, date by date: the model's forecast, the planners', and what is released; of all
    /// series where no column is named.
    ///
    /// # Errors
    /// When a column is none of the key columns.
    pub fn sums<S: Into<String>>(&self, columns: impl IntoIterator<Item = S>) -> Result<Table> {
        let panel = self.0.statistical.panel();
        let names = panel.columns().keys();
        let place = |column: String| {
            names.iter().position(|name| *name == column).ok_or_else(|| {
                Error::usage(format!("there is no key column `{column}` to sum by; there is {}", names.join(", ")))
            })
        };
        let places: Vec<usize> = columns.into_iter().map(Into::into).map(place).collect::<Result<_>>()?;
        let keys = keys(&panel)?;
        let mut sums: BTreeMap<(Vec<String>, i64), [f64; 3]> = BTreeMap::new();
        let rungs = [&self.0.statistical, &self.0.planned, &self.0.released];
        for (rung, forecast) in rungs.into_iter().enumerate() {
            for (i, key) in keys.iter().enumerate() {
                let group: Vec<String> = places.iter().map(|place| key[*place].clone()).collect();
                let mean = forecast.cell(0, i).map_or(&[][..], |cell| cell.mean());
                for (position, value) in (forecast.start(i)..).zip(mean) {
                    sums.entry((group.clone(), position)).or_default()[rung] += value;
                }
            }
        }
        let mut columns: Vec<Column> = (places.iter().enumerate())
            .map(|(at, place)| {
                let values = sums.keys().map(|(group, _)| group[at].as_str());
                Column::new(names[*place].as_str().into(), values.collect::<Vec<_>>())
            })
            .collect();
        let positions: Vec<i64> = sums.keys().map(|(_, position)| *position).collect();
        let time = panel.columns().time().to_string();
        columns.push(crate::panel::stamp_column(&panel.inner().calendar, &time, positions.into_iter())?);
        for (rung, name) in ["statistical", "override", "released"].into_iter().enumerate() {
            columns.push(Column::new(name.into(), sums.values().map(|sum| sum[rung]).collect::<Vec<_>>()));
        }
        Ok(Table::new(DataFrame::new(sums.len(), columns)?))
    }
}

impl Show for Overridden {
    fn block(&self) -> Block {
        let mut blocks = vec![Block::Text(self.sentence())];
        let tables = [(&self.0.outcomes, "Overrides"), (&self.0.doubts, "What the past says of them")];
        let tables = tables.into_iter().filter(|(table, _)| table.rows() > 0);
        blocks.extend(tables.map(|(table, title)| Block::Table(table.titled(title))));
        Block::Group(blocks)
    }
}

crate::show::noun!(Overridden);

/// What planners have added to the forecast: the ladder naive → statistical → override → released.
#[derive(Clone)]
pub struct ValueAdded(pub(super) Arc<Added>);

pub(super) struct Added {
    pub sentence: String,
    pub ladder: Table,
    pub planners: Table,
    pub classes: Table,
    pub sizes: Table,
}

impl ValueAdded {
    /// Whether planners have made the forecast better, and who.
    pub fn sentence(&self) -> String {
        self.0.sentence.clone()
    }

    /// A row for each rung: its errors, what it adds to the one below it in units and in money, with intervals of 90 %.
    pub fn ladder(&self) -> Table {
        self.0.ladder.clone()
    }

    /// What overrides added, by planner.
    pub fn planners(&self) -> Table {
        self.0.planners.clone()
    }

    /// What overrides added, by class of products.
    pub fn classes(&self) -> Table {
        self.0.classes.clone()
    }

    /// What overrides added, by direction and size: small up to 10 % of the forecast, medium up to 30 %.
    pub fn sizes(&self) -> Table {
        self.0.sizes.clone()
    }
}

impl Show for ValueAdded {
    fn block(&self) -> Block {
        let Added { sentence, ladder, planners, classes, sizes } = &*self.0;
        let tables = [
            (ladder, "From the naive forecast to the released one"),
            (planners, "By planner"),
            (classes, "By class of products"),
            (sizes, "By direction and size"),
        ];
        let tables = tables.map(|(table, title)| Block::Table(table.titled(title)));
        Block::Group(std::iter::once(Block::Text(sentence.clone())).chain(tables).collect())
    }
}

crate::show::noun!(ValueAdded);
