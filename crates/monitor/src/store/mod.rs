//! What was forecast, when, by which run, and what happened then?
//!
//! A store is an SQLite file, or a schema on a PostgreSQL server where the place is a URL `postgres://…`; both give the same
//! answers. An *issue* is the forecast of one model by one run: a row of its own with dates and quantile levels, and per
//! series a row of packed numbers, steps × (mean and quantiles). Series are numbered from 0 as they come, and 256 of them
//! are a *block*: scores and rolling sums are kept per block, because thirty thousand large rows a week are read in no time
//! and millions of small ones are not.
//!
//! Every verb is one transaction: what ends in its midst, by `kill -9` too, leaves the store as it was before.
//!
//! It fails where the file is damaged, of another program, or of a newer version; where the disk is full or the file may not
//! be written; and where another process writes for longer than [`Options::busy`]. Each time it says what to do.

mod access;
mod actuals;
pub(crate) mod blobs;
pub(crate) mod database;
mod issues;
mod jobs;
mod notes;
#[cfg(feature = "postgres")]
mod postgres;
mod prune;
mod schema;
mod sqlite;

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};

pub use access::Token;
pub use actuals::{Actual, Former, Received, Refused};
pub(crate) use issues::row_of;
pub use issues::{Forecast, Issue, Issued, Kind, Past, SeriesForecast, Track};
pub use jobs::{Job, JobState, NewJob};
pub use notes::{Overridden, Stated};
pub use prune::Pruned;

use crate::error::{Error, Result};
use database::{Batch, Column, Database, Existing};

/// Series of a block.
pub(crate) const BLOCK: i64 = 256;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long to wait for another process that writes.
    pub busy: Duration,
    /// How far ahead of now an actual or an issue may be dated, for clocks that differ.
    pub tolerance: Duration,
    /// Is every page of an SQLite file compared with what it must hold? A second for each gigabyte.
    pub check: bool,
    /// The schema on a PostgreSQL server.
    pub schema: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            busy: Duration::from_secs(30),
            tolerance: Duration::from_secs(24 * 3600),
            check: true,
            schema: "tradewind".to_string(),
        }
    }
}

/// Issued forecasts, actuals, scores, states of detectors, alerts and overrides.
pub struct Store {
    pub(crate) database: Database,
    tolerance: Duration,
}

impl Store {
    /// Opens a store, and makes it where there is none: the path of an SQLite file, or a URL `postgres://…`.
    ///
    /// # Errors
    /// The place cannot be reached or written, is no store, is damaged, or was written by a newer version.
    pub fn open(place: &str, options: Options) -> Result<Self> {
        let mut database = Database::open(place, &options)?;
        schema::migrate(&mut database)?;
        Ok(Self { database, tolerance: options.tolerance })
    }

    /// The keys of series by their numbers, in the order of the numbers: `each` gets one after another.
    ///
    /// # Errors
    /// The store cannot be read, or `each` fails.
    pub fn series(&mut self, mut each: impl FnMut(i64, Vec<String>) -> Result<()>) -> Result<()> {
        self.database.query("select id, key from series order by id", &[], |row| each(row.int(0)?, key(&row.text(1)?)?))
    }

    /// The key of one series.
    ///
    /// # Errors
    /// There is no series of this number, or the store cannot be read.
    pub fn key(&mut self, series: i64) -> Result<Vec<String>> {
        let found =
            self.database
                .first("select key from series where id = $1", &[database::Value::Int(series)], |row| row.text(0))?;
        key(&found.ok_or_else(|| Error::usage(format!("there is no series number {series} in the store")))?)
    }

    pub(crate) fn ahead(&self, now: DateTime<Utc>) -> i64 {
        now.timestamp_micros().saturating_add(i64::try_from(self.tolerance.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The key as the store has it: a JSON array of texts.
pub(crate) fn written(key: &[String]) -> String {
    serde_json::Value::from(key).to_string()
}

/// The key as it was given.
pub(crate) fn key(text: &str) -> Result<Vec<String>> {
    serde_json::from_str(text)
        .map_err(|cause| Error::data(format!("`{text}` is no key of a series; restore the store")).because(cause))
}

/// A time as the store has it, and back.
pub(crate) fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

/// The date of a step as the store has it: seconds since 1970, whatever the zone.
pub(crate) fn seconds(at: NaiveDateTime) -> i64 {
    at.and_utc().timestamp()
}

/// The date of a step as it was given.
pub(crate) fn stamp(seconds: i64) -> NaiveDateTime {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc()
}

/// The numbers of series, new ones given to those that have none; and which are new. Only within a transaction.
pub(crate) fn numbered(database: &mut Database, keys: &[String]) -> Result<(Vec<i64>, Vec<bool>)> {
    let known = database.numbers(keys)?;
    let mut new: std::collections::HashMap<&str, i64> = std::collections::HashMap::new();
    let mut next = None;
    let (mut ids, mut names) = (Vec::new(), Vec::new());
    let mut numbers = Vec::with_capacity(keys.len());
    for (key, known) in keys.iter().zip(&known) {
        if let Some(id) = known.or_else(|| new.get(key.as_str()).copied()) {
            numbers.push(id);
            continue;
        }
        let id = match next {
            Some(id) => id,
            None => database
                .first("select coalesce(max(id), -1) + 1 from series", &[], |row| row.int(0))?
                .unwrap_or_default(),
        };
        if id > i64::from(i32::MAX) {
            return Err(Error::data("the store holds two milliard series and takes no more; use another store"));
        }
        next = Some(id + 1);
        new.insert(key, id);
        ids.push(id);
        names.push(key.clone());
        numbers.push(id);
    }
    if !ids.is_empty() {
        database.write(&Batch {
            table: "series",
            names: &["id", "key"],
            keys: 1,
            existing: Existing::Keep,
            columns: &[Column::Int(&ids), Column::Text(&names)],
        })?;
    }
    Ok((numbers, known.iter().map(Option::is_none).collect()))
}
