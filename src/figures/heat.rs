//! Where are the data sound, and where not? A row per series, time to the right, a colour per state; below them, where
//! not every series has a row, the share of all series in each state.

use super::axes::{FOOT, Frame, Scale};
use super::canvas::{Anchor, Canvas, Colour, Words};
use super::data::Data;
use super::layout::{self, GREY, INK, Key, MARGIN, SMALL};
use super::{Drawing, Figure, TimeAxis, dates};
use crate::show::{Table, number};

const NAMES: f64 = 230.0;
const STRIP: f64 = 46.0;

/// The state of one series at one time, in increasing order of severity: where several steps share a cell, the most
/// severe one is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// Before the series' first row, or after its last.
    Outside,
    /// The target is zero.
    Zero,
    /// The target is above zero.
    Value,
    /// Cleaning changed or added the target.
    Repaired,
    /// There is no row between rows.
    Gap,
    /// There is a row without a target.
    Missing,
    /// The target is below zero.
    Negative,
    /// There are several rows.
    Duplicate,
}

impl Cell {
    /// Every state, in order.
    pub const ALL: [Cell; 8] = [
        Cell::Outside,
        Cell::Zero,
        Cell::Value,
        Cell::Repaired,
        Cell::Gap,
        Cell::Missing,
        Cell::Negative,
        Cell::Duplicate,
    ];

    fn colour(self) -> Colour {
        match self {
            Self::Outside => Colour(255, 255, 255),
            Self::Zero => Colour(214, 219, 224),
            Self::Value => Colour(158, 199, 224),
            Self::Repaired => Colour(0, 158, 115),
            Self::Gap => Colour(213, 94, 0),
            Self::Missing => Colour(240, 193, 60),
            Self::Negative => Colour(190, 90, 160),
            Self::Duplicate => INK,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Outside => "outside",
            Self::Zero => "zero",
            Self::Value => "value",
            Self::Repaired => "repaired",
            Self::Gap => "no row (gap)",
            Self::Missing => "target missing",
            Self::Negative => "negative",
            Self::Duplicate => "several rows",
        }
    }
}

/// A row per series and a column per time, a colour per state.
#[derive(Clone, Debug)]
pub struct Heat {
    /// The title.
    pub title: String,
    /// The meaning of a cell: `one cell is 1 week`.
    pub value: String,
    /// Dates or steps.
    pub axis: TimeAxis,
    /// The edges of the columns.
    pub edges: Vec<f64>,
    /// The name and the cells of each series; the first forty are drawn.
    pub rows: Vec<(String, Vec<Cell>)>,
    /// Its name and, column by column, how many series are in each state of [`Cell::ALL`]: all of them in one row.
    pub all: Option<(String, Vec<[u32; 8]>)>,
}

impl Heat {
    /// Rows that one picture holds.
    pub(crate) const MOST_ROWS: usize = 40;

    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn shown(&self) -> &[(String, Vec<Cell>)] {
        &self.rows[..self.rows.len().min(Self::MOST_ROWS)]
    }

    /// The height of a row: low ones when there are many.
    fn row(&self) -> f64 {
        match self.shown().len() {
            0..=4 => 26.0,
            5..=14 => 21.0,
            _ => 16.0,
        }
    }

    fn legend(&self) -> Vec<(Key, String)> {
        let here = |cell: Cell| {
            self.shown().iter().any(|(_, cells)| cells.contains(&cell))
                || self.all.iter().flat_map(|(_, shares)| shares).any(|counts| counts[cell as usize] > 0)
        };
        let named = Cell::ALL.into_iter().filter(|cell| *cell != Cell::Outside && here(*cell));
        named.map(|cell| (Key::Patch(cell.colour()), cell.name().to_string())).collect()
    }

    fn value(&self) -> String {
        let outside = self.shown().iter().any(|(_, cells)| cells.contains(&Cell::Outside));
        if outside {
            format!("{}; white: before the first or after the last row", self.value)
        } else {
            self.value.clone()
        }
    }
}

impl Drawing for Heat {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let (Some(from), Some(to)) = (self.edges.first(), self.edges.last()) else {
            return format!("{}: no data.", self.title);
        };
        let range = match self.axis {
            TimeAxis::Dates => format!("from {} to {}", dates::words(*from), dates::words(*to)),
            TimeAxis::Steps => format!("from step {} to step {}", number(*from), number(*to)),
        };
        let states: Vec<String> = self.legend().into_iter().map(|(_, name)| name).collect();
        let names: Vec<&str> = self.shown().iter().take(6).map(|(name, _)| name.as_str()).collect();
        let more = if self.rows.len() > 6 { " and others" } else { "" };
        format!("The state of each series over time {range} ({}): {}{more}.", states.join(", "), names.join("; "))
    }

    fn height(&self, width: f64) -> f64 {
        let strip = if self.all.is_some() { STRIP + 12.0 } else { 0.0 };
        let rows = self.row() * self.shown().len().max(1) as f64;
        layout::head(width, &self.title, &self.value(), &self.legend()) + rows + strip + FOOT + 18.0
    }

    fn data(&self) -> Table {
        let cells = || {
            let row = |(name, cells): &'_ (String, Vec<Cell>)| {
                let columns = cells.iter().enumerate();
                columns.map(|(k, cell)| (name.clone(), k, *cell, 1)).collect::<Vec<_>>()
            };
            let all = self.all.iter().flat_map(|(name, columns)| {
                columns.iter().enumerate().flat_map(move |(k, counts)| {
                    let here = Cell::ALL.into_iter().filter(move |cell| counts[*cell as usize] > 0);
                    here.map(move |cell| (name.clone(), k, cell, counts[cell as usize] as usize))
                })
            });
            self.rows.iter().flat_map(row).chain(all).collect::<Vec<_>>()
        };
        let cells = cells();
        let edge = |k: usize| self.edges.get(k).copied().unwrap_or(f64::NAN);
        Data::default()
            .names("series", cells.iter().map(|(name, ..)| name.as_str()))
            .places(self.axis, cells.iter().map(|(_, k, ..)| edge(*k)))
            .names("state", cells.iter().map(|(_, _, cell, _)| cell.name()))
            .counts("count", cells.iter().map(|(.., count)| *count))
            .table(&self.title)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value(), &self.legend()) + 6.0;
        let (rows, row) = (self.shown(), self.row());
        let columns = self.edges.len().saturating_sub(1);
        if columns == 0 || (rows.is_empty() && self.all.is_none()) {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        }
        let name = Words { size: if row < 20.0 { 11.0 } else { 12.0 }, bold: false, colour: INK };
        let room = layout::names_room(canvas.width(), NAMES);
        let all = self.all.iter().map(|(text, _)| canvas.measure(text, SMALL)).fold(0.0, f64::max);
        let names = rows.iter().map(|(text, _)| canvas.measure(text, name)).fold(all, f64::max).min(room);
        let (left, right) = (MARGIN + names + 10.0, canvas.width() - MARGIN);
        let range = (self.edges[0], self.edges[columns]);
        let x = Scale::new(range, left, right);
        let place = |column: usize| x.at(self.edges[column]);
        for (index, (text, cells)) in rows.iter().enumerate() {
            let (high, low) =
                (top + index as f64 * row, top + (index + 1) as f64 * row - if row < 20.0 { 1.5 } else { 3.0 });
            let text = canvas.fit(text, name, room);
            canvas.text((MARGIN + names, (high + low) / 2.0 + name.size * 0.36), Anchor::End, &text, name);
            // A thread through the row shows where a series could have been.
            canvas.line(&[(left, (high + low) / 2.0), (right, (high + low) / 2.0)], layout::GRID, 1.0);
            let mut from = 0;
            for run in cells[..cells.len().min(columns)].chunk_by(|one, other| one == other) {
                if run[0] != Cell::Outside {
                    canvas.rect((place(from), high), (place(from + run.len()), low), run[0].colour());
                }
                from += run.len();
            }
        }
        let mut bottom = top + rows.len() as f64 * row;
        if let Some((text, shares)) = &self.all {
            let (high, low) = (bottom + 12.0, bottom + 12.0 + STRIP);
            let text = canvas.fit(text, SMALL, room);
            canvas.text((MARGIN + names, (high + low) / 2.0 + 4.0), Anchor::End, &text, SMALL);
            let most: f64 = shares.iter().map(|counts| counts.iter().map(|n| f64::from(*n)).sum()).fold(1.0, f64::max);
            let levels: Vec<[f64; 9]> = shares
                .iter()
                .map(|counts| {
                    let mut levels = [0.0; 9];
                    // What is wrong lies at the bottom, where shares can be compared.
                    for (at, cell) in Cell::ALL.iter().rev().enumerate() {
                        let share = if *cell == Cell::Outside { 0.0 } else { f64::from(counts[*cell as usize]) / most };
                        levels[at + 1] = levels[at] + share;
                    }
                    levels
                })
                .collect();
            for (at, cell) in Cell::ALL.iter().rev().enumerate() {
                let mut from = 0;
                for run in levels[..levels.len().min(columns)]
                    .chunk_by(|one, other| (one[at], one[at + 1]) == (other[at], other[at + 1]))
                {
                    let height = |level: f64| low - (low - high) * level;
                    // A little over the edge, which the next one covers: no white hair between them.
                    let (start, end) = (place(from), (place(from + run.len()) + 0.5).min(right));
                    canvas.rect((start, height(run[0][at])), (end, height(run[0][at + 1])), cell.colour());
                    from += run.len();
                }
            }
            canvas.line(&[(left, high), (right, high)], layout::GRID, 1.0);
            bottom = low;
        }
        let more = self.rows.len().saturating_sub(Self::MOST_ROWS);
        if more > 0 && self.all.is_none() {
            let words = Words { colour: GREY, ..SMALL };
            canvas.text((MARGIN + names, bottom + 13.0), Anchor::End, &format!("… {more} more"), words);
        }
        let frame = Frame { x, y: Scale::new((0.0, 1.0), bottom, top), left, right, top, bottom: bottom + 2.0 };
        frame.time_axis(canvas, self.axis, range, true);
    }
}
