//! What did the newest forecast of each series say of a date?
//!
//! For detectors, which watch one error of a series at a time: that of the first step that was forecast, as a rule one
//! period before. Actual and forecast are those of its score; the outermost interval is read from the forecast itself, and
//! unknown where that was pruned.

use std::collections::BTreeSet;

use crate::detect::Observation;
use crate::error::Result;
use crate::store::blobs::{broken, part, unpack};
use crate::store::database::Value;
use crate::store::{Store, row_of, stamp};

impl Store {
    /// The dates of which a track has scores, oldest first, as the store has them.
    pub(crate) fn scored_dates(&mut self, track: i64) -> Result<Vec<i64>> {
        let sql = "select distinct at from score where track = $1 order by at";
        self.database.rows(sql, &[Value::Int(track)], |row| row.int(0))
    }

    /// How many series have a score at a date.
    pub(crate) fn scored_series(&mut self, track: i64, at: i64) -> Result<usize> {
        let (mut last, mut count) = (None, 0);
        self.scores(track, stamp(at), |series, _, _| {
            count += usize::from(last != Some(series));
            last = Some(series);
        })?;
        Ok(count)
    }

    /// Number and first step of each series that has a score at a date, in the order of the numbers.
    pub(crate) fn first_steps(&mut self, track: i64, at: i64) -> Result<Vec<(i64, Observation)>> {
        let mut first: Vec<(i64, usize, Observation)> = Vec::new();
        self.scores(track, stamp(at), |series, step, score| {
            // The steps of a series come in order.
            if first.last().is_none_or(|(last, ..)| *last != series) {
                first.push((series, step, Observation::point(score.actual, score.actual + score.error)));
            }
        })?;
        let steps: BTreeSet<usize> = first.iter().map(|(_, step, _)| *step).collect();
        let mut values = Vec::new();
        for step in steps {
            // In the order in which they were issued: a later one overwrites, as it does when scored.
            let issues = self.database.rows(
                "select s.issue, i.levels from step s join issue i on i.id = s.issue \
                 where s.track = $1 and s.at = $2 and s.step = $3 order by s.issued_at, s.issue",
                &[Value::Int(track), Value::Int(at), Value::Int(step as i64 - 1)],
                |row| Ok((row.int(0)?, unpack(row.blob(1)?)?)),
            )?;
            for (issue, levels) in issues {
                if !(levels.first().is_some_and(|level| *level < 0.5)
                    && levels.last().is_some_and(|level| *level > 0.5))
                {
                    continue;
                }
                self.database.query(
                    "select id, cells from forecast where id between $1 and $2",
                    &[Value::Int(row_of(issue, 0)), Value::Int(row_of(issue + 1, 0) - 1)],
                    |row| {
                        let series = row.int(0)? - row_of(issue, 0);
                        let place = first.binary_search_by_key(&series, |(series, ..)| *series);
                        let Some((_, of, seen)) = place.ok().and_then(|place| first.get_mut(place)) else {
                            return Ok(());
                        };
                        if *of == step {
                            part(row.blob(1)?, step - 1, levels.len() + 1, &mut values)?;
                            let (Some(mean), Some(lower), Some(upper)) = (values.first(), values.get(1), values.last())
                            else {
                                return Err(broken());
                            };
                            if mean.is_finite() {
                                (seen.lower, seen.upper) = (*lower, *upper);
                            }
                        }
                        Ok(())
                    },
                )?;
            }
        }
        Ok(first.into_iter().map(|(series, _, seen)| (series, seen)).collect())
    }
}
