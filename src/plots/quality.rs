//! Which figures show the state of the data? The state of every series over time, and what cleaning changed: chosen and
//! counted here, drawn by [`Heat`] and [`Repairs`].

use std::collections::{BTreeMap, HashSet};

use super::axis;
use crate::error::Result;
use crate::figures::{Cell, Figure, Heat, Line, Repair, Repairs};
use crate::panel::{Change, Panel};
use crate::show::number;

/// Columns of a heat map: finer ones would be narrower than two pixels.
const COLUMNS: i64 = 320;
/// The most steps that a panel of repairs shows: with more, single points are indistinguishable.
const WINDOW: i64 = 160;
const MOST_REPAIRS: usize = 6;

impl Panel {
    /// Data quality over time: the state of every series at each step, the series with the most problems first.
    ///
    /// # Errors
    /// Only if the figure cannot be assembled.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let figure = Panel::read("data/walmart_sales_weekly.csv", columns)?.plot_quality()?;
    /// assert!(figure.alt().starts_with("The state of each series over time from 2010-02-05"));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    pub fn plot_quality(&self) -> Result<Figure> {
        let inner = self.inner();
        let repaired: HashSet<(usize, i64)> =
            inner.origin.changes.iter().filter(|change| moves(change)).map(|c| (c.series, c.position)).collect();
        let (first, last) = self.extent().unwrap_or((0, -1));
        let per = ((last - first + 1) as u64).div_ceil(COLUMNS as u64).max(1) as i64;
        let bins = ((last - first + 1) as u64).div_ceil(per as u64) as usize;
        let mut all = vec![[0_u32; 8]; bins];
        let mut rows: Vec<(u64, usize, Vec<Cell>)> = Vec::new();
        for i in 0..self.len() {
            let (trouble, cells) = self.cells(i, first, per, bins, &repaired);
            for (counts, cell) in all.iter_mut().zip(&cells) {
                counts[*cell as usize] += 1;
            }
            rows.push((trouble, i, cells));
            // Of many series only the worst so far are kept.
            if rows.len() >= 8 * Heat::MOST_ROWS {
                rows.sort_by_key(|(trouble, i, _)| (std::cmp::Reverse(*trouble), *i));
                rows.truncate(Heat::MOST_ROWS);
            }
        }
        rows.sort_by_key(|(trouble, i, _)| (std::cmp::Reverse(*trouble), *i));
        rows.truncate(Heat::MOST_ROWS);
        let shown = rows.len();
        let troubled = rows.iter().any(|(trouble, ..)| *trouble > 0);
        let title = match (shown < self.len(), troubled) {
            (true, true) => {
                format!(
                    "Data quality over time: the {shown} of {} series with the most problems",
                    number(self.len() as f64)
                )
            }
            (true, false) => format!("Data quality over time: {shown} of {} series", number(self.len() as f64)),
            _ => "Data quality over time".into(),
        };
        let noun = self.frequency().noun();
        let value = match per {
            1 => format!("one cell is one {noun}"),
            _ => format!("one cell is {per} {noun}s and shows the worst of them"),
        };
        let calendar = &inner.calendar;
        let edge = |bin: usize| calendar.x((first + bin as i64 * per).min(last + 1));
        let all = (shown < self.len()).then(|| (format!("all {} series", number(self.len() as f64)), all));
        Ok(Heat {
            title,
            value,
            axis: axis(self),
            edges: if bins == 0 { Vec::new() } else { (0..=bins).map(edge).collect() },
            rows: rows.into_iter().map(|(_, i, cells)| (self.label(i).to_string(), cells)).collect(),
            all,
        }
        .figure())
    }

    /// The target before and after cleaning, a panel for each kind of change; none where cleaning changed no target.
    ///
    /// # Errors
    /// Only if the figure cannot be assembled.
    pub fn plot_repairs(&self) -> Result<Option<Figure>> {
        let changes: Vec<&Change> = self.inner().origin.changes.iter().filter(|change| moves(change)).collect();
        let added: HashSet<(usize, i64)> =
            changes.iter().filter(|change| adds_row(change)).map(|c| (c.series, c.position)).collect();
        let mut kinds: Vec<(&str, Vec<&Change>)> = Vec::new();
        for change in changes {
            // The value that an added row was filled with is part of its own panel.
            if change.target.0.is_nan() && !adds_row(change) && added.contains(&(change.series, change.position)) {
                continue;
            }
            match kinds.iter_mut().find(|(kind, _)| *kind == change.kind) {
                Some((_, members)) => members.push(change),
                None => kinds.push((change.kind, vec![change])),
            }
        }
        kinds.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));
        kinds.truncate(MOST_REPAIRS);
        if kinds.is_empty() {
            return Ok(None);
        }
        Ok(Some(
            Repairs {
                title: "Before and after cleaning: the series with the most changes of each kind".into(),
                value: self.inner().columns.target.clone(),
                axis: axis(self),
                panels: kinds.iter().map(|(kind, members)| self.repair(kind, members)).collect(),
            }
            .figure(),
        ))
    }

    /// Is there anything that the figure of data quality shows: gaps, duplicates, missing, negative or repaired
    /// targets?
    pub(crate) fn has_marks(&self) -> bool {
        let marked = |i: usize| {
            self.positions(i).windows(2).any(|pair| pair[1] - pair[0] != 1)
                || self.target(i).iter().any(|y| y.is_nan() || *y < 0.0)
        };
        self.inner().origin.changes.iter().any(moves) || (0..self.len()).any(marked)
    }

    /// How many steps of a series have problems, and the state of each bin of `per` steps from `first` on.
    fn cells(&self, i: usize, first: i64, per: i64, bins: usize, repaired: &HashSet<(usize, i64)>) -> (u64, Vec<Cell>) {
        let (positions, target) = (self.positions(i), self.target(i));
        let mut cells = vec![Cell::Outside; bins];
        // Zeros and values in a bin: the majority is shown, because single zeros are no trouble.
        let mut counts = vec![(0_u32, 0_u32); bins];
        let mut trouble = 0_u64;
        let bin = |position: i64| ((position - first) / per) as usize;
        for (row, (position, y)) in positions.iter().zip(target).enumerate() {
            let at = bin(*position);
            let before = row.checked_sub(1).map(|before| positions[before]);
            let cell = if before == Some(*position) {
                Cell::Duplicate
            } else if y.is_nan() {
                Cell::Missing
            } else if repaired.contains(&(i, *position)) {
                Cell::Repaired
            } else if *y < 0.0 {
                Cell::Negative
            } else if *y == 0.0 {
                Cell::Zero
            } else {
                Cell::Value
            };
            counts[at].0 += u32::from(cell == Cell::Zero);
            counts[at].1 += u32::from(cell == Cell::Value);
            trouble += u64::from(cell > Cell::Repaired);
            cells[at] = cells[at].max(cell);
            if let Some(before) = before.filter(|before| position - before > 1) {
                trouble += (position - before - 1) as u64;
                for cell in &mut cells[bin(before + 1)..=bin(position - 1)] {
                    *cell = (*cell).max(Cell::Gap);
                }
            }
        }
        for (cell, (zeros, values)) in cells.iter_mut().zip(counts) {
            if matches!(cell, Cell::Zero | Cell::Value) {
                *cell = if zeros > values { Cell::Zero } else { Cell::Value };
            }
        }
        (trouble, cells)
    }

    /// The series with the most changes of a kind, around most of them.
    fn repair(&self, kind: &str, members: &[&Change]) -> Repair {
        let mut by_series: BTreeMap<usize, Vec<&Change>> = BTreeMap::new();
        members.iter().for_each(|change| by_series.entry(change.series).or_default().push(change));
        let mut own: (usize, Vec<&Change>) = (0, Vec::new());
        for (series, changes) in by_series {
            if changes.len() > own.1.len() {
                own = (series, changes);
            }
        }
        let (series, mut changes) = own;
        changes.sort_by_key(|change| change.position);
        let (positions, target) = (self.positions(series), self.target(series));
        let (start, end) = (positions.first().copied().unwrap_or(0), positions.last().map_or(0, |last| last + 1));
        let (from, to) = window(start, end, &changes);
        let shown: Vec<&&Change> = changes.iter().filter(|change| (from..to).contains(&change.position)).collect();
        let calendar = &self.inner().calendar;
        let at = |position: i64| positions.binary_search(&position).map_or(f64::NAN, |row| target[row]);
        let count = if shown.len() == members.len() {
            number(members.len() as f64)
        } else {
            format!("{} of {}", number(shown.len() as f64), number(members.len() as f64))
        };
        Repair {
            kind: kind.to_string(),
            place: if self.inner().columns.keys.is_empty() {
                count
            } else {
                format!("{count} · {}", self.label(series))
            },
            after: Line {
                name: String::new(),
                x: (from..to).map(|position| calendar.x(position)).collect(),
                y: (from..to).map(at).collect(),
            },
            before: shown
                .iter()
                .filter(|change| !change.target.0.is_nan())
                .map(|change| (calendar.x(change.position), change.target.0))
                .collect(),
            added: shown
                .iter()
                .filter(|change| change.target.0.is_nan())
                .map(|change| (calendar.x(change.position), at(change.position)))
                .collect(),
        }
    }
}

/// Does a change touch the target, rather than a covariate?
fn moves(change: &Change) -> bool {
    !change.target.0.is_nan() || !change.target.1.is_nan() || adds_row(change)
}

/// Did it add a row whose target is missing?
fn adds_row(change: &Change) -> bool {
    change.kind == "gaps"
}

/// The steps between `start` and `end` to show: all of them, or those around the most changes.
fn window(start: i64, end: i64, changes: &[&Change]) -> (i64, i64) {
    if end - start <= WINDOW {
        return (start, end);
    }
    // A margin, so that the first change is not on the edge.
    let (room, margin) = (WINDOW * 4 / 5, WINDOW / 10);
    let inside = |from: i64| changes.iter().filter(|c| (from..from + room).contains(&c.position)).count();
    let mut best = (0, start);
    for change in changes {
        let count = inside(change.position);
        if count > best.0 {
            best = (count, change.position);
        }
    }
    let from = (best.1 - margin).clamp(start, end - WINDOW);
    (from, from + WINDOW)
}
