//! How wide are the columns of a table on paper, and how small are its letters?
//!
//! A table is set at the largest size at which it fits as it is; then at the largest at which it fits with its texts on several
//! lines, which numbers never take; then without columns in its middle, and the line below it says so.

use super::source::pieces;
use crate::figures::extent;
use crate::show::Grid;

/// Around a cell, in letters' size, where texts take one line, and where room is short.
const GAP: f64 = 0.75;
const NARROW: f64 = 0.5;
/// A column of texts is at least this wide if its texts are longer, and its header.
const TEXT: f64 = 8.0;
const HEADER: f64 = 6.0;
/// The last columns that are left.
const FEWEST: usize = 3;

/// A table as it is set.
pub(super) struct Columns {
    /// The size of letters, in points.
    pub size: f64,
    /// The width of each column with the gaps around it, in letters' size.
    pub widths: Vec<f64>,
    pub gap: f64,
}

/// A column's width without gaps: where its texts take one line, and where they take several.
#[derive(Clone, Copy)]
struct Width {
    natural: f64,
    least: f64,
}

/// Sizes of letters, in points, the largest first: those for texts on one line, and those for texts on several.
pub(super) struct Sizes {
    pub lines: &'static [f64],
    pub wrapped: &'static [f64],
}

pub(super) const PAGE: Sizes = Sizes { lines: &[9.0, 8.5, 8.0], wrapped: &[8.5, 8.0, 7.5, 7.0, 6.5] };
pub(super) const SLIDE: Sizes =
    Sizes { lines: &[20.0, 18.0, 16.0, 15.0, 14.0], wrapped: &[16.0, 15.0, 14.0, 13.0, 12.0, 11.0] };

impl Columns {
    /// The columns of `grid` on so many points; what has no room leaves the grid.
    pub(super) fn of(grid: &mut Grid, room: f64, sizes: &Sizes) -> Self {
        let smallest = sizes.wrapped.last().copied().unwrap_or(6.5);
        let mut widths = measured(grid);
        let columns = widths.len();
        let least = |widths: &[Width]| widths.iter().map(|width| width.least).sum::<f64>() + gaps(widths.len(), NARROW);
        if least(&widths) * smallest > room && columns > FEWEST {
            // Those at both ends say what a row is and what it comes to.
            let kept = (FEWEST..columns).rev().find(|kept| {
                let (first, last) = middle(columns, *kept);
                let rest: Vec<Width> = widths[..first].iter().chain(&widths[last..]).copied().chain([DOTS]).collect();
                least(&rest) * smallest <= room
            });
            let (first, last) = middle(columns, kept.unwrap_or(FEWEST));
            grid.drop_columns(first, last);
            widths.splice(first..last, [DOTS]);
        }
        let natural = widths.iter().map(|width| width.natural).sum::<f64>() + gaps(widths.len(), GAP);
        let fits = |needed: f64, sizes: &[f64]| sizes.iter().copied().find(|size| needed * size <= room);
        let (size, gap) = match fits(natural, sizes.lines) {
            Some(size) => (size, GAP),
            None => (fits(least(&widths), sizes.wrapped).unwrap_or(smallest), NARROW),
        };
        let widths = shared(&widths, room / size - gaps(widths.len(), gap));
        let last = widths.len().saturating_sub(1);
        let widths = widths.iter().enumerate().map(|(at, width)| width + around(at, last, gap)).collect();
        Self { size, widths, gap }
    }

    /// How much of a column is for its texts, in letters' size.
    pub(super) fn inside(&self, column: usize) -> f64 {
        let last = self.widths.len().saturating_sub(1);
        self.widths[column] - around(column, last, self.gap)
    }
}

/// The column that stands for those without room.
const DOTS: Width = Width { natural: 1.0, least: 1.0 };

/// The columns that go if so many remain, of which one holds dots.
fn middle(columns: usize, kept: usize) -> (usize, usize) {
    (kept / 2, columns - (kept - 1 - kept / 2))
}

fn gaps(columns: usize, gap: f64) -> f64 {
    2.0 * gap * columns.saturating_sub(1) as f64
}

/// The gaps around a column: none at the edges of the table.
fn around(column: usize, last: usize, gap: f64) -> f64 {
    gap * (f64::from(u8::from(column > 0)) + f64::from(u8::from(column < last)))
}

fn measured(grid: &Grid) -> Vec<Width> {
    let column = |(at, header): (usize, &String)| {
        let number = grid.right[at];
        let mut widest = Width { natural: letters(header, true), least: longest_word(header, true).min(HEADER) };
        for (row, cells) in grid.rows.iter().enumerate() {
            let bold = grid.bold == Some(row);
            let natural = letters(&cells[at], bold);
            let least = if number { natural } else { longest_word(&cells[at], bold).min(TEXT) };
            widest = Width { natural: widest.natural.max(natural), least: widest.least.max(least) };
        }
        widest
    };
    grid.header.iter().enumerate().map(column).collect()
}

/// Widths that fill at most `room`: narrow columns as wide as they like, wide ones all the same.
fn shared(widths: &[Width], room: f64) -> Vec<f64> {
    let at = |level: f64| widths.iter().map(move |width| level.clamp(width.least, width.natural.max(width.least)));
    let (mut low, mut high) = (0.0, widths.iter().map(|width| width.natural).fold(0.0, f64::max));
    if at(high).sum::<f64>() > room {
        for _ in 0..40 {
            let level = (low + high) / 2.0;
            if at(level).sum::<f64>() > room { high = level } else { low = level }
        }
        high = low;
    }
    at(high).collect()
}

/// How long a text is, in letters' size; scripts that the embedded font lacks take a square for each letter.
pub(super) fn letters(text: &str, bold: bool) -> f64 {
    let square = |letter: &char| *letter >= '\u{2e80}';
    let squares = text.chars().filter(square).count() as f64;
    let rest: String = text.chars().filter(|letter| !square(letter)).collect();
    // Rounding, and what kerning does otherwise than here.
    (extent(&rest, 1.0, bold) + squares) * 1.01 + 0.05
}

fn longest_word(text: &str, bold: bool) -> f64 {
    text.split(' ').map(|word| letters(word, bold)).fold(0.0, f64::max)
}

/// A cell for a column of this width: in pieces if a word of it is wider.
pub(super) fn cell(text: &str, width: f64, bold: bool) -> serde_json::Value {
    const PIECE: usize = 4;
    if longest_word(text, bold) > width { pieces(text, PIECE, PIECE) } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::Table;
    use polars::prelude::*;

    fn grid(columns: usize, text: &str) -> Grid {
        let mut all = vec![Column::new("name".into(), vec![text; 3])];
        all.extend((1..columns).map(|at| Column::new(format!("value {at}").into(), vec![1_234_567.891; 3])));
        Table::new(DataFrame::new(3, all).unwrap()).grid(10)
    }

    #[test]
    fn tables_fit() {
        let room = 482.0;
        for columns in [1, 2, 5, 9, 12, 15, 40] {
            for text in ["short", "a text of several words that goes on and on, as remarks do", &"x".repeat(200)] {
                let mut grid = grid(columns, text);
                let set = Columns::of(&mut grid, room, &PAGE);
                let wide: f64 = set.widths.iter().sum::<f64>() * set.size;
                assert!(wide <= room + 0.5, "{columns} columns: {wide}");
                assert!(grid.header.len() == set.widths.len() && set.size >= 6.5);
                assert_eq!(grid.columns_left_out > 0, grid.header.contains(&"…".to_string()));
                // Numbers stay on one line.
                for at in (0..grid.header.len()).filter(|at| grid.right[*at]) {
                    assert!(letters(&grid.rows[0][at], false) <= set.inside(at) + 1e-6);
                }
            }
        }
    }

    #[test]
    fn small_tables_keep_their_size_and_no_column_goes_for_long_words() {
        let mut small = grid(4, "short");
        assert_eq!(Columns::of(&mut small, 482.0, &PAGE).size, 9.0);
        let mut long = grid(4, &"x".repeat(200));
        let set = Columns::of(&mut long, 482.0, &PAGE);
        assert_eq!(long.columns_left_out, 0);
        assert!(cell(&long.rows[0][0], set.inside(0), false).is_array());
        assert!(cell("short", 8.0, false).is_string());
    }
}
