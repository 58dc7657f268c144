//! What should a reader see at a glance? A small figure without a title, for a page whose words stand beside it: a few lines with
//! an interval around one of them, or a few bars.

use super::axes::{Scale, value_range};
use super::canvas::{Anchor, Canvas, Colour, Words};
use super::data::Data;
use super::dates;
use super::layout::{self, AXIS, BLUE, GREY, INK, SMALL, short};
use super::{Drawing, Figure, Line, TimeAxis};
use crate::show::{Table, number};

/// The size on a page, in CSS pixels.
const SIZE: (u32, u32) = (360, 168);
/// Names, values and dates.
const NAME: Words = Words { size: 12.0, bold: false, colour: INK };
const VALUE: Words = Words { size: 12.0, bold: true, colour: INK };
/// What the first of several things is compared with.
const OTHER: Colour = Colour(150, 156, 163);
/// The most bars.
const MOST: usize = 5;

/// A small figure.
#[derive(Clone, Debug)]
pub struct Glance {
    /// What it shows, for those who cannot see it.
    pub title: String,
    /// What is measured, above it.
    pub value: String,
    /// What is drawn.
    pub shows: Shows,
}

/// What a [`Glance`] draws.
#[derive(Clone, Debug)]
pub enum Shows {
    /// Lines over time, the first of which matters most, and the ends of an interval around the last one.
    Lines {
        /// Dates or steps.
        axis: TimeAxis,
        /// The lines; the first five are named where they end.
        lines: Vec<Line>,
        /// Lower and upper ends, by the steps of the last line.
        band: Option<(Vec<f64>, Vec<f64>)>,
    },
    /// Bars with a name, a value and how it is written; the first one matters most, and five are drawn.
    Bars(Vec<(String, f64, String)>),
}

impl Glance {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn bars(&self, canvas: &mut Canvas, top: f64, rows: &[(String, f64, String)]) {
        let rows = &rows[..rows.len().min(MOST)];
        if !rows.iter().any(|(_, value, _)| value.is_finite()) {
            return layout::no_data(canvas, (canvas.width() / 2.0, canvas.height() / 2.0));
        }
        let values: Vec<f64> = rows.iter().map(|(_, value, _)| *value).chain([0.0]).collect();
        let (low, high) = layout::span(&values).unwrap_or((0.0, 1.0));
        let (low, high) = if low == high { (0.0, 1.0) } else { (low, high) };
        let scale = Scale::new((low, high), 0.0, canvas.width());
        let zero = scale.at(0.0);
        // Name and value above their bar: a value at the end of a short bar would meet the name.
        let step = ((canvas.height() - top) / rows.len().max(1) as f64).min(44.0);
        for (index, (name, value, text)) in rows.iter().enumerate() {
            let y = top + step * index as f64;
            let text = canvas.fit(text, VALUE, canvas.width() / 2.0);
            let name = canvas.fit(name, NAME, canvas.width() - canvas.measure(&text, VALUE) - 12.0);
            canvas.text((0.0, y + 12.0), Anchor::Start, &name, NAME);
            canvas.text((canvas.width(), y + 12.0), Anchor::End, &text, VALUE);
            let end = if value.is_finite() { scale.at(*value) } else { zero };
            let bottom = y + (step - 6.0).min(32.0);
            canvas.rect((zero, y + 18.0), (end, bottom), if index == 0 { BLUE } else { OTHER });
            canvas.line(&[(zero, y + 16.0), (zero, bottom + 2.0)], AXIS, 1.0);
        }
    }

    fn lines(
        &self,
        canvas: &mut Canvas,
        top: f64,
        axis: TimeAxis,
        lines: &[Line],
        band: Option<&(Vec<f64>, Vec<f64>)>,
    ) {
        let ends = band.iter().flat_map(|(low, high)| low.iter().chain(high)).collect::<Vec<_>>();
        let values = layout::span(lines.iter().flat_map(|line| &line.y).chain(ends));
        let (Some(range), Some((low, high))) = (layout::span(lines.iter().flat_map(|line| &line.x)), values) else {
            return layout::no_data(canvas, (canvas.width() / 2.0, canvas.height() / 2.0));
        };
        let (bottom, right) = (canvas.height() - 20.0, canvas.width() - 2.0);
        let y = Scale::new(value_range(low, high), bottom, top + 4.0);
        let marks = [low, high].map(|value| (value, short(value)));
        let left = marks.iter().map(|(_, text)| canvas.measure(text, SMALL)).fold(0.0, f64::max) + 8.0;
        let x = Scale::new(range, left, right);
        for (value, text) in &marks {
            canvas.text((left - 8.0, y.at(*value) + 4.0), Anchor::End, text, SMALL);
        }
        canvas.line(&[(left, bottom), (right, bottom)], AXIS, 1.0);
        let place = |at: f64| match axis {
            TimeAxis::Dates => dates::words(at),
            TimeAxis::Steps => number(at),
        };
        canvas.text((left, bottom + 15.0), Anchor::Start, &place(range.0), SMALL);
        canvas.text((right, bottom + 15.0), Anchor::End, &place(range.1), SMALL);
        if let (Some((low, high)), Some(line)) = (band, lines.last()) {
            let pixels = |values: &[f64]| values.iter().map(|value| y.at(*value)).collect::<Vec<_>>();
            let places: Vec<f64> = line.x.iter().map(|at| x.at(*at)).collect();
            canvas.band(&places, &pixels(low), &pixels(high), BLUE.tint(0.3));
        }
        for (index, line) in lines.iter().enumerate().rev() {
            let points: Vec<(f64, f64)> =
                line.x.iter().zip(&line.y).map(|(at, value)| (x.at(*at), y.at(*value))).collect();
            canvas.line(&points, self.colour(index, lines.len(), band.is_some()), if index == 0 { 2.25 } else { 1.5 });
        }
    }

    /// The first line is what matters; with an interval it is the last.
    fn colour(&self, index: usize, count: usize, has_band: bool) -> Colour {
        let main = if has_band { count - 1 } else { 0 };
        if index == main { BLUE } else { OTHER }
    }
}

impl Drawing for Glance {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        match &self.shows {
            Shows::Bars(rows) => {
                let said: Vec<String> =
                    rows.iter().take(MOST).map(|(name, _, text)| format!("{name} {text}")).collect();
                format!("{}: {}.", self.value, if said.is_empty() { "no data".into() } else { said.join(", ") })
            }
            Shows::Lines { lines, .. } => {
                let said = lines.iter().filter_map(|line| {
                    let (low, high) = layout::span(&line.y)?;
                    Some(format!("{} between {} and {}", line.name, short(low), short(high)))
                });
                format!("{}: {}.", self.value, said.collect::<Vec<_>>().join("; "))
            }
        }
    }

    fn size(&self) -> (u32, u32) {
        SIZE
    }

    fn height(&self, _: f64) -> f64 {
        f64::from(SIZE.1)
    }

    fn data(&self) -> Table {
        match &self.shows {
            Shows::Bars(rows) => Data::default()
                .names("name", rows.iter().map(|(name, ..)| name.as_str()))
                .numbers("value", rows.iter().map(|(_, value, _)| *value))
                .table(&self.title),
            Shows::Lines { axis, lines, band } => {
                let mut all: Vec<(String, &[f64], &[f64])> =
                    lines.iter().map(|line| (line.name.clone(), &line.x[..], &line.y[..])).collect();
                if let (Some((low, high)), Some(line)) = (band, lines.last()) {
                    all.push(("lower".into(), &line.x, low));
                    all.push(("upper".into(), &line.x, high));
                }
                Data::default().lines(*axis, &all).table(&self.title)
            }
        }
    }

    fn draw(&self, canvas: &mut Canvas) {
        let value = canvas.fit(&self.value, SMALL, canvas.width());
        canvas.text((0.0, 12.0), Anchor::Start, &value, SMALL);
        match &self.shows {
            Shows::Bars(rows) => self.bars(canvas, 20.0, rows),
            Shows::Lines { axis, lines, band } => {
                // Names in the colours of their lines, above them.
                let mut at = 0.0;
                let count = lines.len();
                if count > 1 {
                    for (index, line) in lines.iter().enumerate().take(MOST) {
                        let words = Words { colour: self.colour(index, count, band.is_some()), ..VALUE };
                        let words = if words.colour == OTHER { Words { colour: GREY, ..words } } else { words };
                        let name = canvas.fit(&line.name, words, (canvas.width() - at).max(0.0));
                        canvas.text((at, 29.0), Anchor::Start, &name, words);
                        at += canvas.measure(&name, words) + 14.0;
                    }
                }
                self.lines(canvas, if count > 1 { 38.0 } else { 22.0 }, *axis, lines, band.as_ref());
            }
        }
    }
}
