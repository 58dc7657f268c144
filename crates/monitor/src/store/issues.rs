//! Which forecasts were issued?
//!
//! The same run and model is stored once, however often it is given. Forecasts of different kinds by one model are
//! different *tracks*: what statistics said, what people made of it, what was released, and the naive forecast to compare
//! with. A forecast whose actuals are known already is scored as well.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::blobs::{broken, pack, pack_whole, unpack, unpack_whole};
use super::database::{Batch, Column, Database, Existing, Value};
use super::notes::keep_overridden_in;
use super::{BLOCK, Overridden, Store, numbered, seconds, stamp, time, written};
use crate::error::{Error, Result};

/// Rows of forecasts held in memory while they are stored.
const ROWS: usize = 4096;

/// Where a forecast comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A model's.
    Statistical,
    /// What people made of it.
    Override,
    /// What was released to those who order by it.
    Released,
    /// The naive forecast that the others must beat.
    Naive,
}

impl Kind {
    /// Its name in stores and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Statistical => "statistical",
            Self::Override => "override",
            Self::Released => "released",
            Self::Naive => "naive",
        }
    }

    fn named(name: &str) -> Result<Self> {
        [Self::Statistical, Self::Override, Self::Released, Self::Naive]
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| Error::data(format!("`{name}` is no kind of forecast; restore the store from a backup")))
    }
}

/// The forecast of one model by one run, without its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Issue {
    /// The run: with the model it names the issue.
    pub run: String,
    pub model: String,
    pub kind: Kind,
    pub issued_at: DateTime<Utc>,
    /// Of the plan and the data.
    pub fingerprint: String,
    /// The dates of the steps, in order.
    pub dates: Vec<NaiveDateTime>,
    /// Quantile levels, between 0 and 1, in order.
    pub levels: Vec<f64>,
}

/// The forecast of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesForecast {
    /// The values of the key columns.
    pub key: Vec<String>,
    /// The mean absolute error of the naive forecast in the history, by which MASE divides; not above 0 where there is none.
    pub scale: f64,
    /// Per step; NaN where there is none.
    pub mean: Vec<f64>,
    /// Per step, then per level.
    pub quantiles: Vec<Vec<f64>>,
}

/// What became of an issue that was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Issued {
    pub id: i64,
    /// Was it stored? False where the store had it already.
    pub stored: bool,
    pub series: usize,
    /// Series that the store did not know.
    pub new_series: usize,
    /// By how much the clock of whoever issued it runs ahead, where it does.
    pub clock_ahead: Option<TimeDelta>,
}

/// An issue in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    pub id: i64,
    pub track: i64,
    pub issue: Issue,
    pub series: usize,
    pub stored_at: DateTime<Utc>,
}

/// A model and kind whose issues are scored as one.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    pub id: i64,
    pub kind: Kind,
    pub model: String,
    /// The newest date with a score.
    pub newest: Option<NaiveDateTime>,
}

/// The forecast of one series in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    pub scale: f64,
    pub mean: Vec<f64>,
    pub quantiles: Vec<Vec<f64>>,
}

/// The row of a series in an issue: issues follow one another, and in each the series.
pub(crate) fn row_of(issue: i64, series: i64) -> i64 {
    (issue << 32) | series
}

impl Store {
    /// Stores an issue; `rows` are taken one after another and never held all at once.
    ///
    /// # Errors
    /// A forecast has another number of steps or levels than the issue, levels or dates are out of order, a series comes
    /// twice, or the store cannot be written.
    pub fn issue(
        &mut self,
        issue: &Issue,
        rows: impl IntoIterator<Item = SeriesForecast>,
        now: DateTime<Utc>,
    ) -> Result<Issued> {
        self.database.whole(|database| issue_in(database, issue, rows, now))
    }

    /// Stores all forecasts of a run that is released, with the values that overrides changed: all or nothing. The statistical one
    /// may be there already; where another one is, nothing is stored and the answer is false.
    ///
    /// # Errors
    /// Those of [`Store::issue`].
    pub fn release(
        &mut self,
        issues: Vec<(Issue, Vec<SeriesForecast>)>,
        changed: &[Overridden],
        now: DateTime<Utc>,
    ) -> Result<bool> {
        self.database.whole(|database| {
            for (issue, _) in issues.iter().filter(|(issue, _)| issue.kind != Kind::Statistical) {
                if is_known(database, issue)? {
                    return Ok(false);
                }
            }
            for (issue, rows) in issues {
                issue_in(database, &issue, rows, now)?;
            }
            keep_overridden_in(database, changed)?;
            Ok(true)
        })
    }

    /// Every model and kind that has issued, in the order in which they first did.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn tracks(&mut self) -> Result<Vec<Track>> {
        self.database.rows("select id, kind, model, dates from track order by id", &[], |row| {
            let dates = unpack_whole(row.blob(3)?)?;
            Ok(Track {
                id: row.int(0)?,
                kind: Kind::named(&row.text(1)?)?,
                model: row.text(2)?,
                newest: dates.first().copied().map(stamp),
            })
        })
    }

    /// The issues in the store, in the order in which they were stored.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn issues(&mut self) -> Result<Vec<Past>> {
        let sql = "select i.id, i.track, i.run, t.model, t.kind, i.issued_at, i.fingerprint, i.dates, i.levels, i.series, \
                   i.stored_at from issue i join track t on t.id = i.track order by i.id";
        self.database.rows(sql, &[], |row| {
            Ok(Past {
                id: row.int(0)?,
                track: row.int(1)?,
                issue: Issue {
                    run: row.text(2)?,
                    model: row.text(3)?,
                    kind: Kind::named(&row.text(4)?)?,
                    issued_at: time(row.int(5)?),
                    fingerprint: row.text(6)?,
                    dates: unpack_whole(row.blob(7)?)?.into_iter().map(stamp).collect(),
                    levels: unpack(row.blob(8)?)?,
                },
                series: usize::try_from(row.int(9)?).unwrap_or_default(),
                stored_at: time(row.int(10)?),
            })
        })
    }

    /// The forecast of one series in an issue, if it has one.
    ///
    /// # Errors
    /// The store cannot be read, or holds a forecast of another length than its issue.
    pub fn forecast(&mut self, past: &Past, key: &[String]) -> Result<Option<Forecast>> {
        let Some(Some(series)) = self.database.numbers(&[written(key)])?.first().copied() else { return Ok(None) };
        let width = past.issue.levels.len() + 1;
        self.database.first(
            "select scale, cells from forecast where id = $1",
            &[Value::Int(row_of(past.id, series))],
            |row| {
                let cells = unpack(row.blob(1)?)?;
                if cells.len() != past.issue.dates.len() * width {
                    return Err(broken());
                }
                let steps = || cells.chunks_exact(width);
                Ok(Forecast {
                    scale: row.real(0)?,
                    mean: steps().filter_map(|step| step.first().copied()).collect(),
                    quantiles: steps().map(|step| step.iter().skip(1).copied().collect()).collect(),
                })
            },
        )
    }
}

impl Store {
    /// The means of every series in an issue: its number, its scale, a mean per step.
    ///
    /// # Errors
    /// The store cannot be read, or holds a forecast of another length than its issue.
    pub(crate) fn means(&mut self, past: &Past, mut each: impl FnMut(i64, f64, Vec<f64>)) -> Result<()> {
        let width = past.issue.levels.len() + 1;
        self.database.query(
            "select id, scale, cells from forecast where id between $1 and $2 order by id",
            &[Value::Int(row_of(past.id, 0)), Value::Int(row_of(past.id + 1, 0) - 1)],
            |row| {
                let cells = unpack(row.blob(2)?)?;
                if cells.len() != past.issue.dates.len() * width {
                    return Err(broken());
                }
                each(row.int(0)? & i64::from(u32::MAX), row.real(1)?, cells.into_iter().step_by(width).collect());
                Ok(())
            },
        )
    }
}

impl Issue {
    fn check(&self) -> Result<()> {
        let place = || format!("the forecast of `{}` by run `{}`", self.model, self.run);
        if self.dates.is_empty() {
            return Err(Error::data(format!("{} has no step; state the dates of its steps", place())));
        }
        if self.dates.windows(2).any(|pair| pair.first() >= pair.last()) {
            return Err(Error::data(format!(
                "the dates of {} are not in order; sort them and state each once",
                place()
            )));
        }
        let inside = self.levels.iter().all(|level| *level > 0.0 && *level < 1.0);
        if !inside || self.levels.windows(2).any(|pair| pair.first() >= pair.last()) {
            return Err(Error::data(format!("the quantile levels of {} must rise between 0 and 1", place())));
        }
        Ok(())
    }

    /// The numbers of a series, step by step.
    fn pack(&self, row: &SeriesForecast) -> Result<Vec<u8>> {
        let (steps, levels) = (self.dates.len(), self.levels.len());
        let whole = row.mean.len() == steps
            && (row.quantiles.len() == steps || (levels == 0 && row.quantiles.is_empty()))
            && row.quantiles.iter().all(|step| step.len() == levels);
        if !whole {
            return Err(Error::data(format!(
                "the forecast of series {} by `{}` must have {steps} steps of a mean and {levels} quantiles",
                row.key.join(" / "),
                self.model
            )));
        }
        let cells = row.mean.iter().enumerate().flat_map(|(step, mean)| {
            std::iter::once(*mean).chain(row.quantiles.get(step).into_iter().flatten().copied())
        });
        Ok(pack(cells))
    }
}

/// Stores an issue; only within a transaction.
fn issue_in(
    database: &mut Database,
    issue: &Issue,
    rows: impl IntoIterator<Item = SeriesForecast>,
    now: DateTime<Utc>,
) -> Result<Issued> {
    issue.check()?;
    let ahead = issue.issued_at.signed_duration_since(now);
    let clock_ahead = (ahead > TimeDelta::zero()).then_some(ahead);
    let track = track(database, issue)?;
    let there = database.first(
        "select id, series from issue where run = $1 and track = $2",
        &[Value::Text(&issue.run), Value::Int(track)],
        |row| Ok((row.int(0)?, row.int(1)?)),
    )?;
    if let Some((id, series)) = there {
        let series = usize::try_from(series).unwrap_or_default();
        return Ok(Issued { id, stored: false, series, new_series: 0, clock_ahead });
    }
    let id = database.first("select coalesce(max(id), 0) + 1 from issue", &[], |row| row.int(0))?.unwrap_or(1);
    let (mut series, mut new_series) = (0, 0);
    let mut batch = Vec::new();
    for row in rows {
        batch.push(row);
        if batch.len() == ROWS {
            new_series += store(database, issue, id, &batch)?;
            series += batch.len();
            batch.clear();
        }
    }
    new_series += store(database, issue, id, &batch)?;
    series += batch.len();
    head(database, issue, id, track, series, now)?;
    Ok(Issued { id, stored: true, series, new_series, clock_ahead })
}

/// Has the run an issue of this kind, by whatever model?
fn is_known(database: &mut Database, issue: &Issue) -> Result<bool> {
    let sql = "select i.id from issue i join track t on t.id = i.track where i.run = $1 and t.kind = $2 limit 1";
    Ok(database.first(sql, &[Value::Text(&issue.run), Value::Text(issue.kind.name())], |row| row.int(0))?.is_some())
}

/// The number of a model and kind, a new one where there is none.
fn track(database: &mut Database, issue: &Issue) -> Result<i64> {
    let names = [Value::Text(issue.kind.name()), Value::Text(&issue.model)];
    let there = database.first("select id from track where kind = $1 and model = $2", &names, |row| row.int(0))?;
    if let Some(id) = there {
        return Ok(id);
    }
    let [kind, model] = names;
    let id = database.first("select coalesce(max(id), 0) + 1 from track", &[], |row| row.int(0))?.unwrap_or(1);
    database.execute(
        "insert into track (id, kind, model, dates, pruned) values ($1, $2, $3, $4, $5)",
        &[Value::Int(id), kind, model, Value::Blob(&[]), Value::Int(i64::MIN)],
    )?;
    Ok(id)
}

/// Stores the numbers of some series; how many of them were new.
fn store(database: &mut Database, issue: &Issue, id: i64, rows: &[SeriesForecast]) -> Result<usize> {
    let keys: Vec<String> = rows.iter().map(|row| written(&row.key)).collect();
    let (series, new) = numbered(database, &keys)?;
    let ids: Vec<i64> = series.iter().map(|series| row_of(id, *series)).collect();
    let scales: Vec<f64> = rows.iter().map(|row| row.scale).collect();
    let cells = rows.iter().map(|row| issue.pack(row)).collect::<Result<Vec<Vec<u8>>>>()?;
    database.write(&Batch {
        table: "forecast",
        names: &["id", "scale", "cells"],
        keys: 1,
        existing: Existing::Keep,
        columns: &[Column::Int(&ids), Column::Real(&scales), Column::Blob(&cells)],
    })?;
    Ok(new.iter().filter(|new| **new).count())
}

/// Stores the issue itself, and notes what can be scored already.
fn head(database: &mut Database, issue: &Issue, id: i64, track: i64, series: usize, now: DateTime<Utc>) -> Result<()> {
    // A series given twice would have replaced nothing, and the count would be wrong.
    let stored = database
        .first(
            "select count(*) from forecast where id between $1 and $2",
            &[Value::Int(row_of(id, 0)), Value::Int(row_of(id + 1, 0) - 1)],
            |row| row.int(0),
        )?
        .unwrap_or_default();
    let count = i64::try_from(series).unwrap_or(i64::MAX);
    if stored != count {
        return Err(Error::data(format!(
            "the forecast of `{}` by run `{}` has {} series twice; give each once",
            issue.model,
            issue.run,
            count - stored
        )));
    }
    let dates: Vec<i64> = issue.dates.iter().copied().map(seconds).collect();
    let issued_at = issue.issued_at.timestamp_micros();
    database.execute(
        "insert into issue (id, run, track, issued_at, stored_at, fingerprint, levels, dates, series) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            Value::Int(id),
            Value::Text(&issue.run),
            Value::Int(track),
            Value::Int(issued_at),
            Value::Int(now.timestamp_micros()),
            Value::Text(&issue.fingerprint),
            Value::Blob(&pack(issue.levels.iter().copied())),
            Value::Blob(&pack_whole(&dates)),
            Value::Int(count),
        ],
    )?;
    for (step, at) in (0..).zip(dates) {
        database.execute(
            "insert into step (track, at, issued_at, issue, step) values ($1, $2, $3, $4, $5)",
            &[Value::Int(track), Value::Int(at), Value::Int(issued_at), Value::Int(id), Value::Int(step)],
        )?;
        database.execute(
            &format!(
                "insert into unscored (track, at, block) select distinct t.id, a.at, a.series / {BLOCK} from actual a, track t \
                 where t.id = $1 and a.at = $2 and a.at > t.pruned on conflict do nothing"
            ),
            &[Value::Int(track), Value::Int(at)],
        )?;
    }
    Ok(())
}
