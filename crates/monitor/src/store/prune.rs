//! How does a store stay small?
//!
//! A week of thirty thousand series takes 10 MB of forecasts and 7 MB of scores. Forecasts all of whose dates lie before a
//! date are let go, and scores before it that no window needs any more. The issue itself stays, as do actuals. An actual that
//! comes later for such a date is kept, and changes no score: those that were computed with all forecasts stand.

use chrono::NaiveDateTime;

use super::blobs::unpack_whole;
use super::database::Value;
use super::{Store, row_of, seconds};
use crate::error::Result;

/// What was let go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Forecasts, each of one series in one issue.
    pub forecasts: usize,
    /// Scores, each of a block of series at one date.
    pub scores: usize,
}

impl Store {
    /// Lets go of forecasts for dates before `before`, and of scores before it that no window needs any more.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn prune(&mut self, before: NaiveDateTime) -> Result<Pruned> {
        // What waits to be scored needs its forecasts.
        self.score()?;
        let before = seconds(before);
        self.database.whole(|database| {
            let mut pruned = Pruned::default();
            let ended = database.rows(
                "select track, issue, max(at) from step group by track, issue having max(at) < $1",
                &[Value::Int(before)],
                |row| Ok((row.int(0)?, row.int(1)?, row.int(2)?)),
            )?;
            for (track, issue, last) in ended {
                pruned.forecasts += database.execute(
                    "delete from forecast where id between $1 and $2",
                    &[Value::Int(row_of(issue, 0)), Value::Int(row_of(issue + 1, 0) - 1)],
                )?;
                database.execute(
                    "update track set pruned = $1 where id = $2 and pruned < $1",
                    &[Value::Int(last), Value::Int(track)],
                )?;
            }
            let windows = database
                .rows("select id, dates from track", &[], |row| Ok((row.int(0)?, unpack_whole(row.blob(1)?)?)))?;
            for (track, dates) in windows {
                let oldest = dates.last().copied().unwrap_or(i64::MIN);
                pruned.scores += database.execute(
                    "delete from score where track = $1 and at < $2",
                    &[Value::Int(track), Value::Int(oldest.min(before))],
                )?;
            }
            Ok(pruned)
        })
    }
}
