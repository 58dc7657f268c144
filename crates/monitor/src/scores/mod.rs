//! How large are the errors of every model, series and step, and how do they change?
//!
//! When actuals arrive, each forecast that was issued for their date is scored: the forecast of step 1 by the issue before,
//! that of step 2 by the one before that, and so on. Where a track issued twice for the same date and step, the later one
//! counts, series by series. Scores are a function of issues and valid actuals alone: what a new or corrected actual
//! touches is computed anew from them, whole blocks of series at once, so that nothing is counted twice and the order in
//! which things arrive does not matter.
//!
//! Rolling sums cover the last 4, 13 and 52 periods of a track's calendar up to its newest date with an actual; a period
//! without actuals is a part of the window, and adds nothing.

mod chunk;
mod first;
mod sums;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;

pub use chunk::{Place, Score};
pub use sums::Sums;

use crate::error::{Error, Result};
use crate::store::blobs::{broken, pack_whole, part, unpack, unpack_whole};
use crate::store::database::{Batch, Column, Database, Existing, Value};
use crate::store::{BLOCK, Store, seconds, stamp};
use chunk::{Chunk, Read, SERIES};

/// The lengths of the windows that are kept, in periods.
pub const WINDOWS: [usize; 3] = [4, 13, 52];
/// Blocks written at once.
const BLOCKS: usize = 8;

/// What was scored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scored {
    /// Scores computed, those that were there before among them.
    pub scores: usize,
    /// Per track its number and the dates scored, in order.
    pub dates: Vec<(i64, NaiveDateTime)>,
}

impl Store {
    /// Scores what was received or issued since it was last asked, and brings the rolling sums up to date.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn score(&mut self) -> Result<Scored> {
        self.database.whole(|database| {
            let mut unscored: BTreeMap<i64, BTreeMap<i64, Vec<i64>>> = BTreeMap::new();
            database.query("select track, at, block from unscored order by track, at, block", &[], |row| {
                unscored.entry(row.int(0)?).or_default().entry(row.int(1)?).or_default().push(row.int(2)?);
                Ok(())
            })?;
            let mut scored = Scored::default();
            // Every track: an issue alone can add dates to its calendar, and so move a window.
            for track in database.rows("select id from track order by id", &[], |row| row.int(0))? {
                let mut touched = BTreeSet::new();
                for (at, blocks) in unscored.remove(&track).unwrap_or_default() {
                    scored.scores += score(database, track, at, &blocks)?;
                    scored.dates.push((track, stamp(at)));
                    touched.extend(blocks);
                }
                roll(database, track, touched)?;
            }
            database.execute("delete from unscored", &[])?;
            Ok(scored)
        })
    }

    /// The scores of a track at a date, by series and step (from 1).
    ///
    /// # Errors
    /// The store cannot be read, or `each` fails.
    pub fn scores(&mut self, track: i64, at: NaiveDateTime, mut each: impl FnMut(i64, usize, Score)) -> Result<()> {
        // Block by block through the key, which begins with it.
        for block in blocks(&mut self.database, track)? {
            self.database.query(
                "select cells, steps from score where track = $1 and block = $2 and at = $3",
                &[Value::Int(track), Value::Int(block), Value::Int(seconds(at))],
                |row| {
                    let first = block * BLOCK;
                    Read::new(row.blob(0)?, row.int(1)?)?
                        .each(|place, step, score| each(first + place as i64, step + 1, score));
                    Ok(())
                },
            )?;
        }
        Ok(())
    }

    /// The dates of a track's longest window, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn calendar(&mut self, track: i64) -> Result<Vec<NaiveDateTime>> {
        Ok(dates(&mut self.database, track)?.into_iter().map(stamp).collect())
    }

    /// The sums of all series over a window, per step.
    ///
    /// # Errors
    /// The window is not kept, or the store cannot be read.
    pub fn portfolio(&mut self, track: i64, window: usize) -> Result<Vec<Sums>> {
        let window = kept(window)?;
        let mut portfolio: Vec<Sums> = Vec::new();
        self.database.query(
            "select steps, totals from rolling where track = $1 order by block",
            &[Value::Int(track)],
            |row| {
                let steps = usize::try_from(row.int(0)?).map_err(|_| broken())?;
                let all = sums::all(row.blob(1)?)?.get(window * steps..(window + 1) * steps).ok_or_else(broken)?;
                portfolio.resize(portfolio.len().max(steps), Sums::default());
                for (total, sums) in portfolio.iter_mut().zip(all) {
                    total.merge(&Sums::read(sums));
                }
                Ok(())
            },
        )?;
        Ok(portfolio)
    }

    /// The sums of each series over a window: number of the series and sums per step, in the order of the numbers. Series
    /// without a score in the window are left out.
    ///
    /// # Errors
    /// The window is not kept, the store cannot be read, or `each` fails.
    pub fn by_series(
        &mut self,
        track: i64,
        window: usize,
        mut each: impl FnMut(i64, &[Sums]) -> Result<()>,
    ) -> Result<()> {
        let window = kept(window)?;
        let mut own = Vec::new();
        self.database.query(
            "select steps, sums, block from rolling where track = $1 order by block",
            &[Value::Int(track)],
            |row| {
                let steps = usize::try_from(row.int(0)?).map_err(|_| broken())?;
                let first = row.int(2)? * BLOCK;
                let size = SERIES * steps;
                let all = sums::all(row.blob(1)?)?.get(window * size..(window + 1) * size).ok_or_else(broken)?;
                for (series, of_series) in (first..).zip(all.chunks(steps.max(1))) {
                    own.clear();
                    own.extend(of_series.iter().map(Sums::read));
                    if own.iter().any(|sums| sums.count > 0) {
                        each(series, &own)?;
                    }
                }
                Ok(())
            },
        )
    }

    /// The sums over a window by the values of some key columns (their places, from 0), per step: the levels between
    /// series and portfolio.
    ///
    /// # Errors
    /// A key has no such column, the window is not kept, or the store cannot be read.
    pub fn by_group(
        &mut self,
        track: i64,
        window: usize,
        columns: &[usize],
    ) -> Result<BTreeMap<Vec<String>, Vec<Sums>>> {
        let mut names: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        self.series(|series, key| {
            let group: Option<Vec<String>> = columns.iter().map(|column| key.get(*column).cloned()).collect();
            let missing = || Error::usage(format!("series {} has no key column {columns:?}", key.join(" / ")));
            names.insert(series, group.ok_or_else(missing)?);
            Ok(())
        })?;
        let mut groups: BTreeMap<Vec<String>, Vec<Sums>> = BTreeMap::new();
        self.by_series(track, window, |series, own| {
            let Some(name) = names.get(&series) else { return Ok(()) };
            let group = match groups.get_mut(name) {
                Some(group) => group,
                None => groups.entry(name.clone()).or_default(),
            };
            group.resize(group.len().max(own.len()), Sums::default());
            for (total, sums) in group.iter_mut().zip(own) {
                total.merge(sums);
            }
            Ok(())
        })?;
        Ok(groups)
    }
}

fn kept(window: usize) -> Result<usize> {
    let unkept = || Error::usage(format!("sums over {window} periods are not kept; ask for 4, 13 or 52"));
    WINDOWS.iter().position(|kept| *kept == window).ok_or_else(unkept)
}

/// The blocks of series of which a track has scores.
fn blocks(database: &mut Database, track: i64) -> Result<Vec<i64>> {
    database.rows("select block from rolling where track = $1 order by block", &[Value::Int(track)], |row| row.int(0))
}

fn dates(database: &mut Database, track: i64) -> Result<Vec<i64>> {
    let dates = database
        .first("select dates from track where id = $1", &[Value::Int(track)], |row| unpack_whole(row.blob(0)?))?;
    Ok(dates.unwrap_or_default())
}

/// Scores some blocks at one date; how many scores they have.
fn score(database: &mut Database, track: i64, at: i64, blocks: &[i64]) -> Result<usize> {
    // In the order in which they were issued: a later one overwrites.
    let issues = database.rows(
        "select s.issue, s.step, i.levels from step s join issue i on i.id = s.issue \
         where s.track = $1 and s.at = $2 order by s.issued_at, s.issue",
        &[Value::Int(track), Value::Int(at)],
        |row| Ok((row.int(0)?, usize::try_from(row.int(1)?).map_err(|_| broken())?, unpack(row.blob(2)?)?)),
    )?;
    let steps = issues.iter().map(|(_, step, _)| step + 1).max().unwrap_or_default();
    let mut scores = 0;
    let mut values = Vec::new();
    for some in blocks.chunks(BLOCKS) {
        let mut cells = Vec::with_capacity(some.len());
        for block in some {
            let mut chunk = Chunk::new(steps);
            let first = block * BLOCK;
            database.query(
                "select series, value from actual where at = $1 and series between $2 and $3",
                &[Value::Int(at), Value::Int(first), Value::Int(first + BLOCK - 1)],
                |row| {
                    let place = usize::try_from(row.int(0)? - first).map_err(|_| broken())?;
                    *chunk.actuals.get_mut(place).ok_or_else(broken)? = row.real(1)?;
                    Ok(())
                },
            )?;
            for (issue, step, levels) in &issues {
                let row_of = |series| crate::store::row_of(*issue, series);
                let from = row_of(first);
                database.query(
                    "select id, scale, cells from forecast where id between $1 and $2",
                    &[Value::Int(from), Value::Int(row_of(first + BLOCK - 1))],
                    |row| {
                        let place = usize::try_from(row.int(0)? - from).map_err(|_| broken())?;
                        let actual = *chunk.actuals.get(place).ok_or_else(broken)?;
                        if actual.is_nan() {
                            return Ok(());
                        }
                        part(row.blob(2)?, *step, levels.len() + 1, &mut values)?;
                        if let Some(score) = Score::of(actual, row.real(1)?, levels, &values) {
                            chunk.put(place, *step, &score);
                            scores += 1;
                        }
                        Ok(())
                    },
                )?;
            }
            cells.push((*block, chunk));
        }
        let cells: Vec<(i64, Vec<u8>)> =
            cells.iter().filter(|(_, chunk)| !chunk.is_empty()).map(|(block, chunk)| (*block, chunk.bytes())).collect();
        let (blocks, cells): (Vec<i64>, Vec<Vec<u8>>) = cells.into_iter().unzip();
        database.write(&Batch {
            table: "score",
            names: &["track", "block", "at", "steps", "cells"],
            keys: 3,
            existing: Existing::Replace,
            columns: &[
                Column::Int(&vec![track; blocks.len()]),
                Column::Int(&blocks),
                Column::Int(&vec![at; blocks.len()]),
                Column::Int(&vec![steps as i64; blocks.len()]),
                Column::Blob(&cells),
            ],
        })?;
    }
    Ok(scores)
}

/// Brings the rolling sums of a track up to date: of what was touched, or of all where the window has moved on.
fn roll(database: &mut Database, track: i64, touched: BTreeSet<i64>) -> Result<()> {
    let before = dates(database, track)?;
    let scored: Option<i64> = database
        .first("select max(at) from score where track = $1", &[Value::Int(track)], |row| row.maybe_int(0))?
        .flatten();
    let Some(newest) = scored else { return Ok(()) };
    let [.., longest] = WINDOWS;
    let window = database.rows(
        &format!("select distinct at from step where track = $1 and at <= $2 order by at desc limit {longest}"),
        &[Value::Int(track), Value::Int(newest)],
        |row| row.int(0),
    )?;
    let Some(oldest) = window.last().copied() else { return Ok(()) };
    let mut due = touched;
    if window != before {
        database.execute(
            "update track set dates = $1 where id = $2",
            &[Value::Blob(&pack_whole(&window)), Value::Int(track)],
        )?;
        due.extend(blocks(database, track)?);
    }
    // How long ago a date is, in periods.
    let age: BTreeMap<i64, usize> = window.iter().copied().zip(0..).collect();
    let due: Vec<i64> = due.into_iter().collect();
    for some in due.chunks(BLOCKS) {
        let (mut numbers, mut steps_of, mut totals, mut all) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for block in some {
            let Some((steps, sums)) = summed(database, track, *block, oldest, &age)? else { continue };
            let mut bytes = Vec::with_capacity(sums.len() * sums::BYTES);
            let mut total = vec![Sums::default(); WINDOWS.len() * steps];
            for (of_window, total) in sums.chunks(SERIES * steps).zip(total.chunks_mut(steps)) {
                for series in of_window.chunks(steps) {
                    for (total, sums) in total.iter_mut().zip(series) {
                        total.merge(sums);
                        sums.write(&mut bytes);
                    }
                }
            }
            let mut total_bytes = Vec::new();
            total.iter().for_each(|sums| sums.write(&mut total_bytes));
            numbers.push(*block);
            steps_of.push(steps as i64);
            totals.push(total_bytes);
            all.push(bytes);
        }
        database.write(&Batch {
            table: "rolling",
            names: &["track", "block", "steps", "totals", "sums"],
            keys: 2,
            existing: Existing::Replace,
            columns: &[
                Column::Int(&vec![track; numbers.len()]),
                Column::Int(&numbers),
                Column::Int(&steps_of),
                Column::Blob(&totals),
                Column::Blob(&all),
            ],
        })?;
    }
    Ok(())
}

/// The sums of a block: by window, series and step, and the number of steps; nothing where it has no score.
///
/// Newest first, so that each window is the beginning of the next longer one: one pass gives all three, and always in the
/// same order.
fn summed(
    database: &mut Database,
    track: i64,
    block: i64,
    oldest: i64,
    age: &BTreeMap<i64, usize>,
) -> Result<Option<(usize, Vec<Sums>)>> {
    let values = [Value::Int(track), Value::Int(block), Value::Int(oldest)];
    let widest = "select max(steps) from score where track = $1 and block = $2 and at >= $3";
    let steps = database.first(widest, &values, |row| row.maybe_int(0))?.flatten();
    let Some(steps) = steps else { return Ok(None) };
    let steps = usize::try_from(steps).map_err(|_| broken())?;
    let size = SERIES * steps;
    let mut running = vec![Sums::default(); size];
    let mut sums: Vec<Sums> = Vec::with_capacity(WINDOWS.len() * size);
    database.query(
        "select at, steps, cells from score where track = $1 and block = $2 and at >= $3 order by at desc",
        &values,
        |row| {
            // A date that no issue has any more adds nothing; none is ever removed today.
            let Some(age) = age.get(&row.int(0)?) else { return Ok(()) };
            while WINDOWS.get(sums.len() / size.max(1)).is_some_and(|window| age >= window) {
                sums.extend_from_slice(&running);
            }
            Read::new(row.blob(2)?, row.int(1)?)?.each(|place, step, score| {
                if let Some(sums) = running.get_mut(place * steps + step) {
                    sums.add(&score);
                }
            });
            Ok(())
        },
    )?;
    while sums.len() < WINDOWS.len() * size {
        sums.extend_from_slice(&running);
    }
    Ok(Some((steps, sums)))
}
