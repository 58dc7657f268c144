//! Registries of models, questions, features and metrics: a row each, found by its name, listed, described with its options.
//!
//! A name is read in any case, with or without spaces, hyphens and underscores. Other names of the same thing
//! ([`Row::also`]) are served, with one remark on what it is called here. Names of similar things ([`Row::similar`]) are
//! answered with the row that comes closest, and why. For any other name the nearest is suggested.

use std::fmt;
use std::ops::Deref;

use polars::prelude::{Column, DataFrame};
use serde_json::{Map, Value};

use crate::error::{Error, Result, folded, nearest, suggestion};
use crate::options;
use crate::progress;
use crate::show::{Block, Show, Table};

/// A registry: rows found by name.
///
/// ```
/// use tradewind::prelude::*;
/// assert_eq!(MODELS.named("Random Walk")?.name, "naive");
/// assert_eq!(MODELS.check("snaive(season=52.0)")?, "seasonal_naive(season=52)");
/// assert!(MODELS.named("lightgbm").unwrap_err().to_string().contains("`boost`"));
/// # Ok::<(), tradewind::Error>(())
/// ```
pub struct Registry<T: 'static> {
    /// What a row is, in one word.
    pub(crate) kind: &'static str,
    pub(crate) rows: &'static [Row<T>],
}

/// A row of a [`Registry`]: its names and a `T`, whose fields and methods are the row's.
pub struct Row<T> {
    /// The name in labels and tables.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// A label that works on the bundled data; empty where there are no options.
    pub example: &'static str,
    /// Synonyms, separated by commas.
    pub also: &'static str,
    /// Names of similar things that are not implemented, separated by commas, and what the row has in common with them.
    pub similar: &'static [(&'static str, &'static str)],
    /// The search space: options to tune with their values, as labels write them, or one range: `7..127 log`.
    pub search: &'static [(&'static str, &'static [&'static str])],
    pub(crate) reader: Option<Reader>,
    pub(crate) does: T,
}

/// Options as they are given.
type Given = Map<String, Value>;

/// How a row's options are read and described.
pub(crate) struct Reader {
    /// Options by their own names.
    pub(crate) spelled: fn(Given) -> Result<Given>,
    /// Checks options and writes the label.
    pub(crate) label: fn(Given) -> Result<String>,
    /// One row per option.
    pub(crate) table: fn() -> Result<Table>,
}

/// The row of a type with the constants `NAME`, `SUMMARY`, `EXAMPLE`, `ALSO`, `SIMILAR` and the method `check`.
macro_rules! row {
    ($of:ty, $search:expr, $does:expr) => {
        $crate::registry::Row {
            name: <$of>::NAME,
            summary: <$of>::SUMMARY,
            example: <$of>::EXAMPLE,
            also: <$of>::ALSO,
            similar: <$of>::SIMILAR,
            search: $search,
            reader: Some($crate::registry::Reader {
                spelled: |given| $crate::options::spelled::<$of>(<$of>::NAME, given),
                label: |given| {
                    let options = $crate::options::read::<$of>(<$of>::NAME, given)?;
                    options.check()?;
                    $crate::options::label(<$of>::NAME, &options)
                },
                table: $crate::options::table::<$of>,
            }),
            does: $does,
        }
    };
}
pub(crate) use row;

/// How a name refers to a row.
enum Meant {
    Itself,
    Also,
    Similar(&'static str),
}

/// The names in a list of them.
fn names(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split(", ").filter(|name| !name.is_empty())
}

impl<T> Registry<T> {
    /// What a row is, in one word: `model`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Every row, in the order of the table.
    pub fn iter(&self) -> std::slice::Iter<'static, Row<T>> {
        self.rows.iter()
    }

    /// The row of that name, or of another name of the same thing.
    ///
    /// # Errors
    /// When there is none: the row that comes closest is named, or the nearest name suggested.
    pub fn named(&self, name: &str) -> Result<&'static Row<T>> {
        let kind = self.kind;
        match self.meant(name) {
            Some((row, Meant::Itself)) => Ok(row),
            Some((row, Meant::Also)) => {
                progress::say_once(&format!("the {kind} `{name}` is called `{}` here", row.name));
                Ok(row)
            }
            Some((row, Meant::Similar(why))) => {
                Err(Error::usage(format!("there is no {kind} `{name}`; the closest is `{}`: {why}", row.name)))
            }
            None => Err(Error::usage(format!("there is no {kind} `{name}`{}", self.suggestion(name)))),
        }
    }

    /// The label that a label stands for, its options checked as far as that goes without data.
    ///
    /// # Errors
    /// As [`named`](Self::named), and when an option is unknown, of the wrong type or out of range.
    pub fn check(&self, label: &str) -> Result<String> {
        let (name, given) = options::split(label)?;
        self.named(name)?.label(given)
    }

    /// One row per row: name, one line, other names, an example.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn list(&self) -> Result<Table> {
        let column = |name: &str, cell: fn(&Row<T>) -> &'static str| {
            Column::new(name.into(), self.rows.iter().map(cell).collect::<Vec<_>>())
        };
        let mut columns = vec![
            column(self.kind, |row| row.name),
            column("what it does", |row| row.summary),
            column("also", |row| row.also),
        ];
        if self.rows.iter().any(|row| !row.example.is_empty()) {
            columns.push(column("example", |row| row.example));
        }
        Ok(Table::new(DataFrame::new(self.rows.len(), columns)?))
    }

    /// The row that serves a name, without a remark.
    pub(crate) fn served(&self, name: &str) -> Option<&'static Row<T>> {
        self.meant(name).filter(|(_, how)| !matches!(how, Meant::Similar(_))).map(|(row, _)| row)
    }

    /// What the error on a name says of it, if the name is a row's or near one's.
    pub(crate) fn hint(&self, name: &str) -> Option<String> {
        match self.meant(name) {
            Some((row, Meant::Similar(why))) => Some(format!("; the closest {} is `{}`: {why}", self.kind, row.name)),
            Some((row, _)) => Some(format!(", did you mean `{}`?", row.name)),
            None => None,
        }
    }

    fn meant(&self, name: &str) -> Option<(&'static Row<T>, Meant)> {
        let name = folded(name);
        let within = |list| names(list).any(|known| folded(known) == name);
        self.rows.iter().find_map(|row| {
            let how = match () {
                () if folded(row.name) == name => Meant::Itself,
                () if within(row.also) => Meant::Also,
                () => Meant::Similar(row.similar.iter().find(|(list, _)| within(list))?.1),
            };
            Some((row, how))
        })
    }

    /// The row whose name, or other name, is nearest; all names where none is near.
    fn suggestion(&self, name: &str) -> String {
        let own = self.rows.iter().map(|row| row.name);
        let others = self
            .rows
            .iter()
            .flat_map(|row| names(row.also).chain(row.similar.iter().flat_map(|(list, _)| names(list))));
        let near = nearest(name, own.clone().chain(others)).and_then(|near| Some((near, self.meant(near)?.0)));
        match near {
            Some((near, row)) if near != row.name => format!(", did you mean `{}` ({near})?", row.name),
            _ => suggestion(name, own),
        }
    }
}

impl<T> Clone for Registry<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Registry<T> {}

impl<T> IntoIterator for Registry<T> {
    type Item = &'static Row<T>;
    type IntoIter = std::slice::Iter<'static, Row<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T> Row<T> {
    /// The label with these options.
    ///
    /// # Errors
    /// When an option is unknown, of the wrong type or out of range.
    pub fn label(&self, options: Map<String, Value>) -> Result<String> {
        match &self.reader {
            Some(reader) => (reader.label)(options),
            None if options.is_empty() => Ok(self.name.into()),
            None => Err(Error::usage(format!("{} has no options", self.name))),
        }
    }

    /// Options by their own names.
    pub(crate) fn spelled(&self, options: Given) -> Result<Given> {
        self.reader.as_ref().map_or(Ok(options.clone()), |reader| (reader.spelled)(options))
    }

    /// One row per option: name, default, meaning, other names if there are any, and values worth trying if there are.
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn options(&self) -> Result<Table> {
        let table = self.reader.as_ref().map_or(Ok(Table::new(DataFrame::empty())), |reader| (reader.table)())?;
        if self.search.is_empty() {
            return Ok(table);
        }
        let mut frame = table.frame().clone();
        let names = frame.column("option")?.str()?.clone();
        let tried = |name: Option<&str>| {
            let space = self.search.iter().find(|(option, _)| Some(*option) == name);
            space.map_or_else(String::new, |(_, values)| values.join(", "))
        };
        frame.with_column(Column::new("worth trying".into(), names.iter().map(tried).collect::<Vec<_>>()))?;
        Ok(Table::new(frame))
    }
}

impl<T> fmt::Debug for Row<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl<T> Deref for Row<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.does
    }
}

/// Name, summary and example, other names, names of similar things, options.
impl<T> Show for Row<T> {
    fn block(&self) -> Block {
        let example = if self.example.is_empty() { String::new() } else { format!(" For example: {}", self.example) };
        let mut blocks = vec![Block::Text(format!("{}: {}.{example}", self.name, self.summary))];
        if !self.also.is_empty() {
            blocks.push(Block::Text(format!("Also called: {}.", self.also)));
        }
        if !self.similar.is_empty() {
            let similar = self.similar.iter().map(|(names, why)| format!("{names}: {why}"));
            blocks.extend([Block::Text("The closest to:".into()), Block::List(similar.collect())]);
        }
        blocks.extend(self.options().ok().filter(|table| table.rows() > 0).map(Block::Table));
        Block::Group(blocks)
    }
}
