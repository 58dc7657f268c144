//! What else is kept: the states of detectors, overrides as people stated them, and the values that these changed.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::database::{Batch, Column, Database, Existing, Value};
use super::{Store, key, numbered, seconds, stamp, time, written};
use crate::error::{Error, Result};
use crate::overrides::Override;

/// An override as it was stated.
#[derive(Clone, Debug, PartialEq)]
pub struct Stated {
    pub change: Override,
    /// Since when it is not heeded any more.
    pub withdrawn_at: Option<DateTime<Utc>>,
}

/// The forecast of one series at one date that an override changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Overridden {
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

    /// Keeps an override as it was stated.
    ///
    /// # Errors
    /// It contradicts itself, another one has its id, or the store cannot be written.
    pub fn state_override(&mut self, change: &Override) -> Result<()> {
        change.check()?;
        let body =
            serde_json::to_string(change).map_err(|cause| Error::data("an override is no JSON").because(cause))?;
        let kept = self.database.execute(
            "insert into stated (id, body, made_at) values ($1, $2, $3) on conflict (id) do nothing",
            &[Value::Text(&change.id), Value::Text(&body), Value::Int(change.made_at.timestamp_micros())],
        )?;
        match kept {
            0 => Err(Error::usage(format!("there is an override `{}` already; give this one another id", change.id))),
            _ => Ok(()),
        }
    }

    /// From `now` on an override is not heeded any more.
    ///
    /// # Errors
    /// There is none of this id, it was withdrawn before, or the store cannot be written.
    pub fn withdraw_override(&mut self, id: &str, now: DateTime<Utc>) -> Result<()> {
        let withdrawn = self.database.execute(
            "update stated set withdrawn_at = $1 where id = $2 and withdrawn_at is null",
            &[Value::Int(now.timestamp_micros()), Value::Text(id)],
        )?;
        match withdrawn {
            0 => Err(Error::usage(format!("there is no override `{id}` that is heeded"))),
            _ => Ok(()),
        }
    }

    /// All overrides, in the order in which they were made.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn stated_overrides(&mut self) -> Result<Vec<Stated>> {
        self.database.rows("select body, withdrawn_at from stated order by made_at, id", &[], |row| {
            let change = serde_json::from_str(&row.text(0)?)
                .map_err(|cause| Error::data("an override in the store cannot be read").because(cause))?;
            Ok(Stated { change, withdrawn_at: row.maybe_int(1)?.map(time) })
        })
    }

    /// Keeps which values overrides changed; the same change again is kept once.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn keep_overridden(&mut self, made: &[Overridden]) -> Result<()> {
        self.database.whole(|database| keep_overridden_in(database, made))
    }

    /// The values that overrides changed, in the order in which these were made.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn overridden(&mut self) -> Result<Vec<Overridden>> {
        self.database.rows(
            "select s.key, o.at, o.made_at, o.author, o.before, o.after, o.reason from overridden o \
             join series s on s.id = o.series order by o.made_at, o.series, o.at, o.author",
            &[],
            |row| {
                Ok(Overridden {
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

/// Keeps which values overrides changed; only within a transaction.
pub(super) fn keep_overridden_in(database: &mut Database, made: &[Overridden]) -> Result<()> {
    let keys: Vec<String> = made.iter().map(|one| written(&one.key)).collect();
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
}
