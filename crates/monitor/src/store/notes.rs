//! What else is kept: the states of detectors, and what people changed by hand.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::database::{Batch, Column, Existing, Value};
use super::{Store, key, numbered, seconds, stamp, time, written};
use crate::error::Result;

/// A forecast that someone changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    pub key: Vec<String>,
    pub at: NaiveDateTime,
    pub made_at: DateTime<Utc>,
    pub author: String,
    pub before: f64,
    pub after: f64,
    pub reason: String,
}

impl Store {
    /// Keeps the states of a detector by the number of what it watches: a series' own number, or any that the caller gives.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn keep_states(&mut self, detector: &str, states: &[(i64, Vec<u8>)]) -> Result<()> {
        let names = vec![detector.to_string(); states.len()];
        let subjects: Vec<i64> = states.iter().map(|(subject, _)| *subject).collect();
        let bytes: Vec<Vec<u8>> = states.iter().map(|(_, bytes)| bytes.clone()).collect();
        self.database.whole(|database| {
            database.write(&Batch {
                table: "detector",
                names: &["name", "subject", "state"],
                keys: 2,
                existing: Existing::Replace,
                columns: &[Column::Text(&names), Column::Int(&subjects), Column::Blob(&bytes)],
            })
        })
    }

    /// The states of a detector, in the order of what it watches.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn states(&mut self, detector: &str) -> Result<Vec<(i64, Vec<u8>)>> {
        self.database.rows(
            "select subject, state from detector where name = $1 order by subject",
            &[Value::Text(detector)],
            |row| Ok((row.int(0)?, row.blob(1)?.to_vec())),
        )
    }

    /// The state of a detector for one thing that it watches, if there is one.
    pub(crate) fn state(&mut self, detector: &str, subject: i64) -> Result<Option<Vec<u8>>> {
        self.database.first(
            "select state from detector where name = $1 and subject = $2",
            &[Value::Text(detector), Value::Int(subject)],
            |row| Ok(row.blob(0)?.to_vec()),
        )
    }

    /// Keeps what people changed; the same change again is kept once.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn keep_overrides(&mut self, made: &[Override]) -> Result<()> {
        let keys: Vec<String> = made.iter().map(|one| written(&one.key)).collect();
        self.database.whole(|database| {
            let (series, _) = numbered(database, &keys)?;
            database.write(&Batch {
                table: "overridden",
                names: &["series", "at", "made_at", "author", "before", "after", "reason"],
                keys: 4,
                existing: Existing::Keep,
                columns: &[
                    Column::Int(&series),
                    Column::Int(&made.iter().map(|one| seconds(one.at)).collect::<Vec<i64>>()),
                    Column::Int(&made.iter().map(|one| one.made_at.timestamp_micros()).collect::<Vec<i64>>()),
                    Column::Text(&made.iter().map(|one| one.author.clone()).collect::<Vec<String>>()),
                    Column::Real(&made.iter().map(|one| one.before).collect::<Vec<f64>>()),
                    Column::Real(&made.iter().map(|one| one.after).collect::<Vec<f64>>()),
                    Column::Text(&made.iter().map(|one| one.reason.clone()).collect::<Vec<String>>()),
                ],
            })
        })
    }

    /// What people changed, in the order in which they did.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn overrides(&mut self) -> Result<Vec<Override>> {
        self.database.rows(
            "select s.key, o.at, o.made_at, o.author, o.before, o.after, o.reason from overridden o \
             join series s on s.id = o.series order by o.made_at, o.series, o.at, o.author",
            &[],
            |row| {
                Ok(Override {
                    key: key(&row.text(0)?)?,
                    at: stamp(row.int(1)?),
                    made_at: time(row.int(2)?),
                    author: row.text(3)?,
                    before: row.real(4)?,
                    after: row.real(5)?,
                    reason: row.text(6)?,
                })
            },
        )
    }
}
