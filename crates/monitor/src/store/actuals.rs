//! What happened?
//!
//! The value received last is the valid one; what it replaced is kept as history. The same value again changes nothing.
//! Each new or corrected value marks what has to be scored anew.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, NaiveDateTime, Utc};

use super::database::{Batch, Column, Database, Existing, Value};
use super::{BLOCK, Store, numbered, seconds, stamp, time, written};
use crate::error::Result;

/// How many examples a report names.
const EXAMPLES: usize = 10;

/// The value of a series at a date.
#[derive(Clone, Debug, PartialEq)]
pub struct Actual {
    /// The values of the key columns.
    pub key: Vec<String>,
    pub at: NaiveDateTime,
    pub value: f64,
}

/// What became of the actuals that were given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Received {
    /// Values for dates that had none.
    pub stored: usize,
    /// Values that replaced another.
    pub corrected: usize,
    /// Values that the store had already.
    pub unchanged: usize,
    /// Values of series that nobody had forecast or sold before; they are stored.
    pub unknown: usize,
    /// Some of those series.
    pub unknown_series: Vec<Vec<String>>,
    /// Values that change no score any more, because forecasts for their dates were pruned.
    pub unscored: usize,
    /// Rows that were not stored.
    pub refused: usize,
    /// Some of them, and why.
    pub refusals: Vec<Refused>,
}

/// A row that was not stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// Its place among the rows that were given, from 0.
    pub row: usize,
    pub reason: String,
}

/// A value that was valid until another came.
#[derive(Clone, Debug, PartialEq)]
pub struct Former {
    pub value: f64,
    pub received_at: DateTime<Utc>,
}

impl Store {
    /// Stores actuals: new ones, corrections, and again those that it has.
    ///
    /// # Errors
    /// The store cannot be written; single rows that cannot be used are counted, not errors.
    pub fn receive(&mut self, rows: &[Actual], now: DateTime<Utc>) -> Result<Received> {
        let latest = self.ahead(now).div_euclid(1_000_000);
        let mut received = Received::default();
        let mut good = Vec::with_capacity(rows.len());
        for (place, row) in rows.iter().enumerate() {
            let at = seconds(row.at);
            let reason = if !row.value.is_finite() {
                format!("the value of series {} at {} is no number", row.key.join(" / "), row.at)
            } else if at > latest {
                format!("series {} is dated {}, which is still to come", row.key.join(" / "), row.at)
            } else {
                good.push((at, row));
                continue;
            };
            received.refused += 1;
            if received.refusals.len() < EXAMPLES {
                received.refusals.push(Refused { row: place, reason });
            }
        }
        if good.is_empty() {
            return Ok(received);
        }
        let keys: Vec<String> = good.iter().map(|(_, row)| written(&row.key)).collect();
        self.database.whole(|database| {
            let (series, new) = numbered(database, &keys)?;
            let mut seen = HashSet::new();
            for (((_, row), series), _) in good.iter().zip(&series).zip(&new).filter(|(_, new)| **new) {
                received.unknown += 1;
                if seen.insert(*series) && received.unknown_series.len() < EXAMPLES {
                    received.unknown_series.push(row.key.clone());
                }
            }
            let mut by_date: BTreeMap<i64, Vec<(i64, f64)>> = BTreeMap::new();
            for ((at, row), series) in good.iter().zip(&series) {
                by_date.entry(*at).or_default().push((*series, row.value));
            }
            let tracks = database.rows(
                "select distinct s.at, s.track, t.pruned from step s join track t on t.id = s.track",
                &[],
                |row| Ok((row.int(0)?, row.int(1)?, row.int(2)?)),
            )?;
            let mut tracks_at: BTreeMap<i64, Vec<(i64, i64)>> = BTreeMap::new();
            for (at, track, pruned) in tracks {
                tracks_at.entry(at).or_default().push((track, pruned));
            }
            for (at, values) in by_date {
                let changed = merge(database, at, values, now, &mut received)?;
                let blocks: BTreeSet<i64> = changed.iter().map(|series| series / BLOCK).collect();
                let blocks: Vec<i64> = blocks.into_iter().collect();
                let tracks = tracks_at.remove(&at).unwrap_or_default();
                if tracks.iter().any(|(_, pruned)| at <= *pruned) {
                    received.unscored += changed.len();
                }
                for (track, _) in tracks.into_iter().filter(|(_, pruned)| at > *pruned) {
                    database.write(&Batch {
                        table: "unscored",
                        names: &["track", "at", "block"],
                        keys: 3,
                        existing: Existing::Keep,
                        columns: &[
                            Column::Int(&vec![track; blocks.len()]),
                            Column::Int(&vec![at; blocks.len()]),
                            Column::Int(&blocks),
                        ],
                    })?;
                }
            }
            Ok(())
        })?;
        Ok(received)
    }

    /// The valid value of a series at a date.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn actual(&mut self, key: &[String], at: NaiveDateTime) -> Result<Option<f64>> {
        let Some(series) = self.number(key)? else { return Ok(None) };
        self.database.first(
            "select value from actual where at = $1 and series = $2",
            &[Value::Int(seconds(at)), Value::Int(series)],
            |row| row.real(0),
        )
    }

    /// The last date with actuals; none without any.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn last_actual(&mut self) -> Result<Option<NaiveDateTime>> {
        let newest = "select at from actual order by at desc limit 1";
        self.database.first(newest, &[], |row| Ok(stamp(row.int(0)?)))
    }

    /// The dates with actuals, in order.
    pub(crate) fn dates_with_actuals(&mut self) -> Result<Vec<NaiveDateTime>> {
        self.database.rows("select distinct at from actual order by at", &[], |row| Ok(stamp(row.int(0)?)))
    }

    /// The valid values of a date, by the numbers of the series.
    pub(crate) fn actuals_at(&mut self, at: NaiveDateTime) -> Result<HashMap<i64, f64>> {
        let values = self.database.rows(
            "select series, value from actual where at = $1",
            &[Value::Int(seconds(at))],
            |row| Ok((row.int(0)?, row.real(1)?)),
        )?;
        Ok(values.into_iter().collect())
    }

    /// The values that were valid before, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn former(&mut self, key: &[String], at: NaiveDateTime) -> Result<Vec<Former>> {
        let Some(series) = self.number(key)? else { return Ok(Vec::new()) };
        self.database.rows(
            "select value, received_at from former where at = $1 and series = $2 order by revision",
            &[Value::Int(seconds(at)), Value::Int(series)],
            |row| Ok(Former { value: row.real(0)?, received_at: time(row.int(1)?) }),
        )
    }

    pub(crate) fn number(&mut self, key: &[String]) -> Result<Option<i64>> {
        Ok(self.database.numbers(&[written(key)])?.first().copied().flatten())
    }
}

/// A value of a series at a date, as a row of `actual` or `former`.
#[derive(Clone, Copy)]
struct Kept {
    series: i64,
    revision: i64,
    value: f64,
    received_at: i64,
}

/// Stores the values of one date; the series in which something changed.
fn merge(
    database: &mut Database,
    at: i64,
    values: Vec<(i64, f64)>,
    now: DateTime<Utc>,
    received: &mut Received,
) -> Result<BTreeSet<i64>> {
    let now = now.timestamp_micros();
    let first = values.iter().map(|(series, _)| *series).min().unwrap_or_default();
    let last = values.iter().map(|(series, _)| *series).max().unwrap_or_default();
    // What is there and may be replaced.
    let mut there: BTreeMap<i64, Kept> = BTreeMap::new();
    database.query(
        "select series, revision, value, received_at from actual where at = $1 and series between $2 and $3",
        &[Value::Int(at), Value::Int(first), Value::Int(last)],
        |row| {
            let series = row.int(0)?;
            let kept = Kept { series, revision: row.int(1)?, value: row.real(2)?, received_at: row.int(3)? };
            there.insert(series, kept);
            Ok(())
        },
    )?;
    let mut changed: BTreeSet<i64> = BTreeSet::new();
    let mut former: Vec<Kept> = Vec::new();
    for (series, value) in values {
        let revision = match there.get(&series) {
            Some(old) if old.value == value => {
                received.unchanged += 1;
                continue;
            }
            Some(old) => {
                former.push(*old);
                received.corrected += 1;
                old.revision + 1
            }
            None => {
                received.stored += 1;
                0
            }
        };
        there.insert(series, Kept { series, revision, value, received_at: now });
        changed.insert(series);
    }
    let valid: Vec<Kept> = changed.iter().filter_map(|series| there.get(series).copied()).collect();
    keep(database, "actual", at, &valid)?;
    keep(database, "former", at, &former)?;
    Ok(changed)
}

fn keep(database: &mut Database, table: &'static str, at: i64, rows: &[Kept]) -> Result<()> {
    let column = |of: fn(&Kept) -> i64| rows.iter().map(of).collect::<Vec<i64>>();
    // Of valid values there is one a series and date, of former ones one for each revision.
    let (keys, existing) = if table == "actual" { (2, Existing::Replace) } else { (3, Existing::Keep) };
    database.write(&Batch {
        table,
        names: &["at", "series", "revision", "value", "received_at"],
        keys,
        existing,
        columns: &[
            Column::All(at),
            Column::Int(&column(|row| row.series)),
            Column::Int(&column(|row| row.revision)),
            Column::Real(&rows.iter().map(|row| row.value).collect::<Vec<f64>>()),
            Column::Int(&column(|row| row.received_at)),
        ],
    })
}
