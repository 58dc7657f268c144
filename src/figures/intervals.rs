//! How large is a difference, and could it be none? A dot with its interval in each row, and a line where there would
//! be no difference.

use super::axes::{Scale, ticks};
use super::canvas::{Anchor, Canvas, Words};
use super::data::Data;
use super::layout::{self, AXIS, BLUE, GREY, GRID, INK, Key, MARGIN, SMALL};
use super::{Drawing, Figure};
use crate::format::{number, tick_labels};
use crate::show::Table;

const MOST: usize = 40;
/// Rows that the alternative text names.
const NAMED: usize = 12;
const ROW: f64 = 24.0;
const NAMES: f64 = 280.0;

/// Differences with their intervals.
#[derive(Clone, Debug)]
pub struct Intervals {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// Name, difference, lower and upper end of its interval, NaN where there is none; the first forty are drawn.
    pub rows: Vec<(String, f64, f64, f64)>,
    /// Probability of the intervals.
    pub level: f64,
    /// The meaning of values left and right of the line.
    pub sides: (String, String),
}

impl Intervals {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn shown(&self) -> &[(String, f64, f64, f64)] {
        &self.rows[..self.rows.len().min(MOST)]
    }

    fn legend(&self) -> [(Key, String); 1] {
        [(Key::Line(BLUE.tint(0.6), 3.0), format!("{} % interval", number(100.0 * self.level)))]
    }

    fn range(&self) -> Option<(f64, f64)> {
        let ends: Vec<f64> = self.shown().iter().flat_map(|(_, at, low, high)| [*at, *low, *high]).collect();
        layout::span(&ends).map(|(low, high)| (low.min(0.0), high.max(0.0)))
    }
}

impl Drawing for Intervals {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let parts: Vec<String> = (self.shown().iter().filter(|row| row.1.is_finite()).take(NAMED))
            .map(|(name, at, low, high)| {
                if low.is_finite() && high.is_finite() {
                    format!("{name} {} ({} to {})", number(*at), number(*low), number(*high))
                } else {
                    format!("{name} {}", number(*at))
                }
            })
            .collect();
        let more = self.shown().iter().filter(|row| row.1.is_finite()).count() - parts.len();
        let more = if more > 0 { format!("; {more} more in the figure") } else { String::new() };
        if parts.is_empty() {
            format!("{}: no data.", self.value)
        } else {
            format!("{}: {}{more}.", self.value, parts.join("; "))
        }
    }

    fn height(&self, width: f64) -> f64 {
        layout::head(width, &self.title, &self.value, &self.legend()) + self.shown().len().max(2) as f64 * ROW + 72.0
    }

    fn data(&self) -> Table {
        Data::default()
            .names("name", self.rows.iter().map(|(name, ..)| name.as_str()))
            .numbers("difference", self.rows.iter().map(|row| row.1))
            .numbers("lower", self.rows.iter().map(|row| row.2))
            .numbers("upper", self.rows.iter().map(|row| row.3))
            .table(&self.title)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value, &self.legend()) + 24.0;
        let rows = self.shown();
        let Some((low, high)) = self.range().filter(|_| !rows.is_empty()) else {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        };
        let name = |first: bool| Words { size: 12.5, bold: first, colour: INK };
        let room = layout::names_room(canvas.width(), NAMES);
        let names = rows.iter().map(|row| canvas.measure(&row.0, name(true))).fold(0.0, f64::max).min(room);
        let (left, right) = (MARGIN + names + 14.0, canvas.width() - MARGIN - 8.0);
        let air = (high / 2.0 - low / 2.0) * 0.08;
        let scale = Scale::new((low - air, high + air), left, right);
        let bottom = top + rows.len() as f64 * ROW;
        let marks = ticks(low - air, high + air, 5);
        let marks: Vec<f64> = marks.into_iter().filter(|at| (left..=right).contains(&scale.at(*at))).collect();
        for (mark, label) in marks.iter().zip(tick_labels(&marks)) {
            let x = scale.at(*mark);
            canvas.line(&[(x, top), (x, bottom)], GRID, 1.0);
            canvas.text((x, bottom + 17.0), Anchor::Middle, &label, SMALL);
        }
        let zero = scale.at(0.0);
        canvas.line(&[(zero, top - 4.0), (zero, bottom)], AXIS, 1.5);
        let half = (right - MARGIN) / 2.0 - 12.0;
        let (one, other) = (format!("← {}", self.sides.0), format!("{} →", self.sides.1));
        let (one, other) = (canvas.fit(&one, SMALL, half), canvas.fit(&other, SMALL, half));
        // The words on the left may reach over the names.
        let taken = right - canvas.measure(&other, SMALL) - 16.0;
        let start = left.min(taken - canvas.measure(&one, SMALL)).max(MARGIN);
        canvas.text((start, top - 9.0), Anchor::Start, &one, SMALL);
        canvas.text((right, top - 9.0), Anchor::End, &other, SMALL);
        for (index, (text, at, from, to)) in rows.iter().enumerate() {
            let y = top + (index as f64 + 0.5) * ROW;
            let first = index == 0;
            let text = canvas.fit(text, name(first), room);
            canvas.text((MARGIN + names, y + 4.5), Anchor::End, &text, name(first));
            if from.is_finite() && to.is_finite() {
                let apart = *from > 0.0 || *to < 0.0;
                let colour = if apart { BLUE } else { BLUE.tint(0.45) };
                canvas.line(&[(scale.at(*from), y), (scale.at(*to), y)], colour, if first { 4.0 } else { 2.5 });
            }
            if at.is_finite() {
                canvas.dot(
                    (scale.at(*at), y),
                    if first { 5.0 } else { 4.0 },
                    if from.is_finite() { BLUE } else { GREY },
                );
            }
        }
    }
}
