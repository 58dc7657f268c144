//! What becomes of the values of cleaned rows: stock-outs, returns, outliers, missing targets, empty covariates?

use std::sync::Arc;

use polars::prelude::*;

use super::{Clean, Covariates, Missing, Negatives, Outliers, Row, Stockouts, Work};
use crate::error::Result;
use crate::panel::audit::unusual::{Parts, outliers, stock_outs};
use crate::panel::audit::{Change, MISSING_COVARIATES};
use crate::panel::covariates::is_number;
use crate::panel::frame::{assemble, numbers};
use crate::panel::unsold::Shelf;
use crate::panel::{Panel, Provenance, spread};
use crate::show::number;
use crate::show::words::about;

impl Work<'_> {
    /// Where the item could not be sold all the time, demand is unknown: at least what was sold.
    fn censored(&mut self) -> Result<()> {
        let Some(available) = self.panel.available_rows()? else { return Ok(()) };
        let mut rows = std::mem::take(&mut self.rows);
        for row in rows.iter_mut().filter(|row| !row.added && !row.off && available[row.row] < 1.0) {
            if !row.target.is_nan() {
                let action = format!("taken as missing: demand was at least {}", number(row.target));
                self.note("censored", *row, f64::NAN, number(row.target), action);
            }
            (row.target, row.actual, row.sold_out) = (f64::NAN, f64::NAN, true);
        }
        self.rows = rows;
        Ok(())
    }

    /// Where the item could not be sold all the time, its expected demand takes the place of the sales; where nothing
    /// is known of it, demand is unknown.
    fn estimated(&mut self) -> Result<()> {
        let Some(available) = self.panel.available_rows()? else { return Ok(()) };
        let mut rows = std::mem::take(&mut self.rows);
        let empty = || Shelf { first: 0, sold: Vec::new(), shares: Vec::new() };
        let mut shelves: Vec<Shelf> = (0..self.panel.len()).map(|_| empty()).collect();
        for series in rows.chunk_by(|a, b| a.series == b.series) {
            let (first, sold) = regular(series);
            let mut shares = vec![1.0; sold.len()];
            for row in series.iter().filter(|row| !row.added && !row.off) {
                shares[(row.position - first) as usize] = available[row.row];
            }
            shelves[series[0].series] = Shelf { first, sold, shares };
        }
        let unsold = self.panel.unsold_of(&shelves)?;
        for row in rows.iter_mut().filter(|row| !row.added && !row.off && available[row.row] < 1.0) {
            let steps = &unsold.estimates.steps[row.series];
            let step = (row.position - shelves[row.series].first) as usize;
            let found = steps.binary_search_by_key(&step, |one| one.step).ok().map(|at| steps[at]);
            let sold = if row.target.is_nan() { "missing".to_string() } else { number(row.target) };
            match found {
                Some(one) => {
                    let demand = one.sold + one.lost;
                    let action = format!("the expected demand, {}, with those who found none", about(demand));
                    self.note("censored", *row, demand, sold, action);
                    row.target = demand;
                }
                None => {
                    if !row.target.is_nan() {
                        let action = "taken as missing: the item was not yet or no longer sold".to_string();
                        self.note("censored", *row, f64::NAN, sold, action);
                    }
                    row.target = f64::NAN;
                }
            }
            (row.actual, row.sold_out) = (f64::NAN, true);
        }
        self.rows = rows;
        Ok(())
    }

    pub(super) fn targets(&mut self, policy: &Clean) -> Result<()> {
        match policy.stockouts {
            Stockouts::Censored => self.censored()?,
            Stockouts::Estimated => self.estimated()?,
            Stockouts::Keep | Stockouts::Missing => {}
        }
        let season = self.panel.season();
        let judged = policy.stockouts == Stockouts::Missing || policy.outliers != Outliers::Keep;
        let open = if judged { self.panel.open_rows()? } else { None };
        let mut rows = std::mem::take(&mut self.rows);
        for series in rows.chunk_by_mut(|a, b| a.series == b.series) {
            crate::progress::check()?;
            // Before returns become zeros, which are no empty shelves.
            if policy.stockouts == Stockouts::Missing {
                let (first, y) = regular(series);
                let closed = closed_steps(series, y.len(), open.as_deref());
                let out: Vec<usize> = stock_outs(&y, season, |t| !closed[t]).into_iter().flatten().collect();
                for row in on(series).filter(|row| row.target == 0.0) {
                    let step = (row.position - first) as usize;
                    if out.binary_search(&step).is_ok() && !closed[step] {
                        self.note("stock-outs", *row, f64::NAN, number(row.target), "taken as missing".into());
                        (row.target, row.actual, row.sold_out) = (f64::NAN, f64::NAN, true);
                    }
                }
            }
            if policy.negatives != Negatives::Keep {
                // A return is one on whatever date.
                for row in series.iter_mut().filter(|row| row.target < 0.0) {
                    let apart = policy.negatives == Negatives::Apart;
                    let action = if apart { "0, the rest moved to returns" } else { "clipped to 0" };
                    self.note("negative", *row, 0.0, number(row.target), action.into());
                    if apart {
                        (row.returned, row.actual) = (-row.target, 0.0);
                    }
                    row.target = 0.0;
                }
            }
            if policy.outliers != Outliers::Keep {
                self.outliers(series, policy.outliers, season, open.as_deref());
            }
            if policy.missing != Missing::Leave {
                self.missing(series, policy.missing, season);
            }
        }
        self.rows = rows;
        Ok(())
    }

    fn outliers(&mut self, series: &mut [Row], policy: Outliers, season: usize, open: Option<&[f64]>) {
        let (first, mut y) = regular(series);
        let closed = closed_steps(series, y.len(), open);
        (0..y.len()).filter(|t| closed[*t]).for_each(|t| y[t] = f64::NAN);
        let found = outliers(&y, season);
        let mut without = y.clone();
        found.iter().for_each(|(t, ..)| without[*t] = f64::NAN);
        let between = Between::of(&without, season, true);
        for row in on(series) {
            let t = (row.position - first) as usize;
            let Some((_, expected, limit)) = found.iter().find(|(at, ..)| *at == t) else { continue };
            let (value, word) = match policy {
                // Before the first and after the last other value there is nothing to go between.
                Outliers::Interpolate => (between.at(t).filter(|v| *v >= 0.0).unwrap_or(*expected), "interpolated"),
                _ => (*limit, "clipped"),
            };
            self.note("outliers", *row, value, number(row.target), format!("{word} to {}", number(value)));
            row.target = value;
        }
    }

    fn missing(&mut self, series: &mut [Row], policy: Missing, season: usize) {
        let (first, y) = regular(series);
        let between = Between::of(&y, season, policy == Missing::Seasonal);
        let mut last = f64::NAN;
        for row in on(series) {
            if !row.target.is_nan() {
                last = row.target;
                continue;
            }
            let filled = match policy {
                Missing::Zero => 0.0,
                Missing::Last => last,
                _ => between.at((row.position - first) as usize).unwrap_or(f64::NAN),
            };
            // Before the first and after the last value there is nothing to go between.
            if filled.is_nan() {
                continue;
            }
            let how =
                if policy == Missing::Seasonal && !between.seasonal { " (linear: under two seasons)" } else { "" };
            self.note("missing", *row, filled, "missing".into(), format!("filled with {}{how}", number(filled)));
            row.target = filled;
            // Zero says that nothing was sold; every other filling is a guess.
            if policy == Missing::Zero && !row.sold_out {
                row.actual = 0.0;
            }
        }
    }
}

/// The rows on the calendar.
pub(super) fn on(series: &mut [Row]) -> impl Iterator<Item = &mut Row> {
    series.iter_mut().filter(|row| !row.off)
}

/// A series on its full calendar, and its first position.
fn regular(series: &[Row]) -> (i64, Vec<f64>) {
    let rows = || series.iter().filter(|row| !row.off);
    let positions: Vec<i64> = rows().map(|row| row.position).collect();
    let targets: Vec<f64> = rows().map(|row| row.target).collect();
    (positions.first().copied().unwrap_or(0), spread(&positions, &targets).into_owned())
}

/// The steps of a series, of which there are so many, in which the item could not always be sold.
fn closed_steps(series: &[Row], steps: usize, open: Option<&[f64]>) -> Vec<bool> {
    let mut closed = vec![false; steps];
    let (Some(open), Some(first)) = (open, series.iter().find(|row| !row.off)) else { return closed };
    for row in series.iter().filter(|row| !row.added && !row.off) {
        closed[(row.position - first.position) as usize] = open[row.row] < 1.0;
    }
    closed
}

/// Values between their neighbours, on a line or on the line that their season is laid on.
struct Between {
    season: Vec<f64>,
    observed: Vec<(usize, f64)>,
    seasonal: bool,
}

impl Between {
    fn of(y: &[f64], m: usize, seasonal: bool) -> Self {
        let seasonal = seasonal && m > 1 && y.len() >= 2 * m;
        let season = if seasonal { Parts::of(y, m).season } else { vec![0.0; y.len()] };
        let observed = y.iter().zip(&season).enumerate().filter(|(_, (y, _))| !y.is_nan());
        Self { observed: observed.map(|(t, (y, s))| (t, y - s)).collect(), season, seasonal }
    }

    fn at(&self, t: usize) -> Option<f64> {
        let after = self.observed.partition_point(|(other, _)| *other < t);
        let (p, y) = self.observed[after.checked_sub(1)?];
        let (q, z) = *self.observed.get(after)?;
        Some(y + (z - y) * (t - p) as f64 / (q - p) as f64 + self.season[t])
    }
}

pub(super) fn fill_covariates(panel: &Panel, policy: Covariates) -> Result<Panel> {
    let inner = panel.inner();
    let mut frame = inner.frame.clone();
    let mut changes = inner.origin.changes.to_vec();
    for (name, _) in &inner.columns.covariates {
        let column = inner.frame.column(name)?;
        if column.null_count() == 0 || !is_number(column.dtype()) {
            continue;
        }
        let mut values = numbers(column)?;
        for i in 0..panel.len() {
            let span = inner.spans[i].clone();
            let mut last = f64::NAN;
            for (row, position) in span.zip(panel.positions(i)) {
                if inner.origin.off_calendar.binary_search(&row).is_ok() {
                    continue;
                }
                if values[row].is_nan() {
                    let filled = if policy == Covariates::Zero { 0.0 } else { last };
                    if filled.is_nan() {
                        continue;
                    }
                    changes.push(Change {
                        kind: MISSING_COVARIATES,
                        series: i,
                        position: *position,
                        target: (f64::NAN, f64::NAN),
                        stamp: inner.calendar.label(*position),
                        value: name.clone(),
                        action: format!("filled with {}", number(filled)),
                    });
                    values[row] = filled;
                }
                last = values[row];
            }
        }
        let values: Vec<Option<f64>> = values.into_iter().map(|v| (!v.is_nan()).then_some(v)).collect();
        frame.with_column(Column::new(name.as_str().into(), values))?;
    }
    let origin = Provenance { changes: Arc::new(changes), ..inner.origin.clone() };
    assemble(frame, &inner.columns, inner.calendar.clone(), panel.season(), origin)
}
