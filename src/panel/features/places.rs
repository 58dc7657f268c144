//! For which series and timestamps are cells wanted: the rows of a history, or the steps of a future?

use std::borrow::Cow;

use chrono::NaiveDate;
use polars::prelude::*;
use rayon::prelude::*;

use crate::error::{Error, Result, suggestion};
use crate::panel::calendar::{DAY, StampKind};
use crate::panel::{LONGEST, Panel, Role};

/// Where cells are wanted: row by row of a history, or series by series and step by step of its future.
pub(crate) struct Places<'a> {
    /// The history; features may use nothing else.
    pub(crate) panel: &'a Panel,
    future: Option<(&'a [i64], usize)>,
    /// The columns that were made before, when they are made again.
    wanted: Option<&'a [String]>,
}

/// One period of the calendar.
#[derive(Clone, Copy)]
pub(crate) struct Period {
    /// Its place on the calendar.
    pub(crate) position: i64,
    /// Its first day.
    pub(crate) first: NaiveDate,
    /// Its last day.
    pub(crate) last: NaiveDate,
}

impl Period {
    /// Its days.
    pub(crate) fn days(self) -> impl Iterator<Item = NaiveDate> {
        self.first.iter_days().take_while(move |day| *day <= self.last)
    }

    /// The day in its middle, which decides to which week, month or season it belongs.
    pub(crate) fn middle(self) -> NaiveDate {
        self.first + chrono::Days::new((self.last - self.first).num_days() as u64 / 2)
    }
}

impl<'a> Places<'a> {
    /// The rows of a panel.
    pub(crate) fn history(panel: &'a Panel) -> Self {
        Self { panel, future: None, wanted: None }
    }

    /// The steps of a future: the first position of each series, and how many.
    pub(crate) fn future(panel: &'a Panel, starts: &'a [i64], horizon: usize) -> Self {
        Self { panel, future: Some((starts, horizon)), wanted: None }
    }

    /// The same places, for columns that exist already.
    pub(crate) fn wanting(&self, columns: &'a [String]) -> Self {
        Self { panel: self.panel, future: self.future, wanted: Some(columns) }
    }

    /// The columns that were made before; `None` when they are made for the first time.
    pub(crate) fn wanted(&self) -> Option<&'a [String]> {
        self.wanted
    }

    /// How many cells a column has.
    pub(crate) fn cells(&self) -> usize {
        self.future.map_or(self.panel.rows(), |(starts, horizon)| starts.len() * horizon)
    }

    /// The positions of a series; none in the future of a series without history, which cannot be forecast.
    fn positions(&self, series: usize) -> Cow<'a, [i64]> {
        let past = self.panel.positions(series);
        match self.future {
            None => Cow::Borrowed(past),
            Some(_) if past.is_empty() => Cow::Borrowed(&[]),
            Some((starts, horizon)) => {
                Cow::Owned((0..horizon as i64).map(|step| starts[series].saturating_add(step)).collect())
            }
        }
    }

    /// A column whose cells `fill` writes series by series: positions, cells that are NaN so far.
    pub(crate) fn each(&self, fill: impl Fn(usize, &[i64], &mut [f64]) + Sync) -> Vec<f64> {
        let mut cells = vec![f64::NAN; self.cells()];
        let mut rest = cells.as_mut_slice();
        let mut parts = Vec::with_capacity(self.panel.len());
        for series in 0..self.panel.len() {
            let height = self.future.map_or(self.panel.positions(series).len(), |(_, horizon)| horizon);
            let (part, others) = rest.split_at_mut(height);
            parts.push(part);
            rest = others;
        }
        parts.into_par_iter().enumerate().for_each(|(series, part)| {
            let positions = self.positions(series);
            if !positions.is_empty() {
                fill(series, &positions, part);
            }
        });
        cells
    }

    /// `width` columns that depend on the period and on the group of the series alone. `of` fills one row.
    pub(crate) fn by_period(
        &self,
        groups: &[usize],
        width: usize,
        of: impl Fn(usize, Period, &mut [f64]) -> Result<()>,
    ) -> Result<Vec<Vec<f64>>> {
        let (first, steps) = self.bounded()?;
        let count = groups.iter().max().map_or(1, |group| group + 1);
        // Which periods of each group occur at all, and then their rows.
        let mut places = vec![u32::MAX; count * steps as usize];
        let group = |series: usize| groups.get(series).copied().unwrap_or(0) * steps as usize;
        let mut rows: Vec<f64> = Vec::new();
        for series in 0..self.panel.len() {
            let positions = self.positions(series);
            for position in positions.iter() {
                let place = &mut places[group(series) + (position - first) as usize];
                if *place == u32::MAX {
                    *place = (rows.len() / width.max(1)) as u32;
                    let period = self.period(*position)?;
                    let start = rows.len();
                    rows.resize(start + width, 0.0);
                    of(groups.get(series).copied().unwrap_or(0), period, &mut rows[start..])?;
                }
            }
        }
        let column = |c: usize| {
            self.each(|series, positions, cells| {
                let base = group(series);
                for (position, cell) in positions.iter().zip(cells) {
                    *cell = rows[places[base + (position - first) as usize] as usize * width + c];
                }
            })
        };
        Ok((0..width).map(column).collect())
    }

    /// The first position and the number of steps to the last one, which a table can hold.
    pub(crate) fn bounded(&self) -> Result<(i64, i64)> {
        let calendar = &self.panel.inner().calendar;
        let (first, last) = (0..self.panel.len()).fold((i64::MAX, i64::MIN), |(first, last), series| {
            let positions = self.positions(series);
            let ends = (positions.first().copied(), positions.last().copied());
            (first.min(ends.0.unwrap_or(i64::MAX)), last.max(ends.1.unwrap_or(i64::MIN)))
        });
        let steps = last.saturating_sub(first).saturating_add(1).max(0);
        if steps > LONGEST {
            Err(Error::data(format!(
                "the stamps run from {} to {}, more than {LONGEST} steps; look at them with audit, and mend those that are \
                 wrong, or state the frequency",
                calendar.label(first),
                calendar.label(last)
            )))
        } else {
            Ok((first, steps))
        }
    }

    fn period(&self, position: i64) -> Result<Period> {
        let inner = self.panel.inner();
        let (first, last) = inner
            .calendar
            .period(position, inner.columns.stamps)
            .ok_or_else(|| Error::data(format!("{} is no date of the calendar", inner.calendar.label(position))))?;
        Ok(Period { position, first, last })
    }

    /// The calendar knows dates, and its steps are no longer than `days`.
    pub(crate) fn dated(&self, days: f64, what: &str) -> Result<()> {
        let frequency = self.panel.frequency();
        if self.panel.inner().calendar.kind() == StampKind::Whole {
            return Err(Error::usage(format!(
                "{what} needs dates, but column `{}` counts integer steps; only fourier, lags, rolling, expanding and \
                 interaction work without dates",
                self.panel.inner().columns.time
            )));
        }
        if frequency.length() as f64 > days * DAY as f64 {
            return Err(Error::usage(format!(
                "{what} says nothing about data that are {frequency}: each step holds all of them; leave it out"
            )));
        }
        Ok(())
    }

    /// Are the steps days or shorter, so that what a day is counts as yes or no?
    pub(crate) fn daily(&self) -> bool {
        self.panel.frequency().length() <= DAY
    }
}

/// The text of a column for each series, for a key or a column with one value per series; `None` where it is missing.
pub(crate) fn series_texts(panel: &Panel, column: &str) -> Result<Vec<Option<String>>> {
    let inner = panel.inner();
    let owned = |text: Option<&str>| text.map(plain);
    if inner.columns.keys.iter().any(|key| key == column) {
        let texts = inner.keys.column(column)?.cast(&DataType::String)?;
        return Ok(texts.str()?.iter().map(owned).collect());
    }
    let known = inner.columns.keys.iter().map(String::as_str);
    if !inner.columns.covariates.iter().any(|(name, _)| name == column) {
        let nearest = suggestion(column, known.chain(inner.columns.with_role(Role::Fixed)));
        return Err(Error::usage(format!(
            "`{column}` is neither a key nor a declared column with one value per series{nearest}"
        )));
    }
    let texts = inner.frame.column(column)?.cast(&DataType::String)?;
    let texts = texts.str()?.rechunk();
    (0..panel.len())
        .map(|series| {
            let mut only: Option<&str> = None;
            for row in inner.spans[series].clone() {
                match (texts.get(row), only) {
                    (Some(text), None) => only = Some(text),
                    (Some(text), Some(first)) if text != first => {
                        return Err(Error::data(format!(
                            "`{column}` of series {} is {first} and {text}; one value per series is needed here",
                            panel.label(series)
                        )));
                    }
                    _ => {}
                }
            }
            Ok(owned(only))
        })
        .collect()
}

/// A cell in the form in which cells are compared: whole numbers without their `.0`, without surrounding spaces.
pub(crate) fn plain(text: &str) -> String {
    let text = text.trim();
    match text.strip_suffix(".0") {
        Some(whole) if whole.parse::<i64>().is_ok() => whole.to_string(),
        _ => text.to_string(),
    }
}
