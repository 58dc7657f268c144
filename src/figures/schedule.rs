//! What runs when? A row per thing, a bar from its start to its end with a word on it; what is certain is darker.

use super::axes::{self, Scale};
use super::canvas::{Anchor, Canvas, Colour, Words};
use super::data::Data;
use super::layout::{self, AXIS, BLUE, GRID, INK, Key, MARGIN, ORANGE, SMALL};
use super::{Drawing, Figure, TimeAxis, dates};
use crate::show::{Table, number};

/// Rows that one picture holds, and bars that the alternative text names.
const MOST: usize = 40;
const NAMED: usize = 12;
const ROW: f64 = 26.0;
const NAMES: f64 = 220.0;

/// Bars over time.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The title.
    pub title: String,
    /// What the words on the bars are.
    pub value: String,
    /// Dates or steps.
    pub axis: TimeAxis,
    /// Row, start and end, word, and whether it is of the first kind; those of the first forty rows are drawn.
    pub bars: Vec<(String, (f64, f64), String, bool)>,
    /// The names of the two kinds.
    pub kinds: (String, String),
}

impl Schedule {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    /// The rows in the order of their first bars.
    fn rows(&self) -> Vec<&str> {
        let mut rows: Vec<&str> = Vec::new();
        for (name, ..) in &self.bars {
            if !rows.contains(&name.as_str()) && rows.len() < MOST {
                rows.push(name);
            }
        }
        rows
    }

    fn value(&self) -> String {
        let mut rows: Vec<&str> = self.bars.iter().map(|bar| bar.0.as_str()).collect();
        rows.sort_unstable();
        rows.dedup();
        match rows.len() {
            all if all > MOST => format!("{} · {MOST} of {all} rows shown", self.value),
            _ => self.value.clone(),
        }
    }

    fn colour(sure: bool) -> Colour {
        if sure { BLUE.tint(0.6) } else { ORANGE.tint(0.35) }
    }

    fn legend(&self) -> Vec<(Key, String)> {
        let of = |sure: bool, name: &String| {
            self.bars.iter().any(|bar| bar.3 == sure).then(|| (Key::Patch(Self::colour(sure)), name.clone()))
        };
        [of(true, &self.kinds.0), of(false, &self.kinds.1)].into_iter().flatten().collect()
    }

    fn place(&self, x: f64) -> String {
        match self.axis {
            TimeAxis::Dates => dates::words(x),
            TimeAxis::Steps => format!("step {}", number(x)),
        }
    }
}

impl Drawing for Schedule {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let part = |(name, ends, word, _): &(String, (f64, f64), String, bool)| {
            format!("{name} from {}: {word}", self.place(ends.0))
        };
        let parts: Vec<String> = self.bars.iter().take(NAMED).map(part).collect();
        let more = self.bars.len() - parts.len();
        let more = if more > 0 { format!("; {more} more in the figure") } else { String::new() };
        if parts.is_empty() {
            format!("{}: no data.", self.value)
        } else {
            format!("{}: {}{more}.", self.value, parts.join("; "))
        }
    }

    fn height(&self, width: f64) -> f64 {
        layout::head(width, &self.title, &self.value(), &self.legend()) + self.rows().len().max(2) as f64 * ROW + 60.0
    }

    fn data(&self) -> Table {
        Data::default()
            .names("name", self.bars.iter().map(|bar| bar.0.as_str()))
            .places(self.axis, self.bars.iter().map(|bar| bar.1.0))
            .names("value", self.bars.iter().map(|bar| bar.2.as_str()))
            .names(
                "kind",
                self.bars.iter().map(|bar| if bar.3 { self.kinds.0.as_str() } else { self.kinds.1.as_str() }),
            )
            .table(&self.title)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value(), &self.legend()) + 8.0;
        let rows = self.rows();
        let ends: Vec<f64> = self.bars.iter().flat_map(|bar| [bar.1.0, bar.1.1]).collect();
        let Some((low, high)) = layout::span(&ends).filter(|_| !rows.is_empty()) else {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        };
        let name = Words { size: 12.5, bold: false, colour: INK };
        let room = layout::names_room(canvas.width(), NAMES);
        let names = rows.iter().map(|row| canvas.measure(row, name)).fold(0.0, f64::max).min(room);
        let (left, right) = (MARGIN + names + 14.0, canvas.width() - MARGIN);
        let scale = Scale::new((low, if high > low { high } else { low + 1.0 }), left, right);
        let bottom = top + rows.len() as f64 * ROW;
        let marks = match self.axis {
            TimeAxis::Dates => dates::marks(canvas, (low, high), &scale),
            TimeAxis::Steps => axes::numbers(canvas, (low, high), &scale),
        };
        for mark in &marks {
            let x = scale.at(mark.at);
            if (left - 0.5..=right + 0.5).contains(&x) {
                canvas.line(&[(x, top), (x, bottom)], GRID, 1.0);
                for (row, text) in [&mark.label, &mark.below].into_iter().enumerate() {
                    let half = canvas.measure(text, SMALL) / 2.0;
                    let centre = x.clamp(half + 2.0, (canvas.width() - half - 2.0).max(half + 2.0));
                    canvas.text((centre, bottom + 17.0 + 15.0 * row as f64), Anchor::Middle, text, SMALL);
                }
            }
        }
        canvas.line(&[(left, bottom), (right, bottom)], AXIS, 1.0);
        for (index, row) in rows.iter().enumerate() {
            let y = top + index as f64 * ROW;
            let text = canvas.fit(row, name, room);
            canvas.text((MARGIN + names, y + ROW / 2.0 + 4.5), Anchor::End, &text, name);
            for (_, (from, to), word, sure) in self.bars.iter().filter(|bar| bar.0 == *row) {
                let (from, to) = (scale.at(*from), scale.at(*to));
                let (from, to) = (from, to.max(from + 3.0));
                canvas.rect((from, y + 4.0), (to - 1.0, y + ROW - 4.0), Self::colour(*sure));
                let width = canvas.measure(word, SMALL);
                // Beside a bar that is too short for its word, on the side with room.
                let (at, anchor) = match () {
                    () if width + 6.0 <= to - from => (f64::midpoint(from, to), Anchor::Middle),
                    () if to + 4.0 + width <= canvas.width() - 2.0 => (to + 4.0, Anchor::Start),
                    () => (from - 4.0, Anchor::End),
                };
                canvas.text((at, y + ROW / 2.0 + 4.5), anchor, word, Words { colour: INK, ..SMALL });
            }
        }
    }
}
