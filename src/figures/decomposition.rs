//! What is a series made of? The data above their trend, their seasons and the remainder, on one time axis, each on a
//! value axis of its own; a grey bar in each panel stands for the same amount, so that a low bar means a large
//! component.

use super::axes::{FOOT, Frame, Room, label_width, value_range};
use super::canvas::{Anchor, Canvas, Colour};
use super::data::Data;
use super::layout::{self, AXIS, BLUE, INK, Key, MARGIN, ORANGE, PANEL};
use super::{Drawing, Figure, TimeAxis, dates};
use crate::show::{Table, number};

const HEIGHT: f64 = 134.0;
const SEASON: Colour = Colour(0, 158, 115);
const BAR: Colour = Colour(190, 195, 201);
/// Room for the bars on the right.
const SIDE: f64 = 16.0;
/// Seasons that one picture holds.
const MOST: usize = 4;

/// A series and its parts: `data = trend + seasons + remainder`.
#[derive(Clone, Debug)]
pub struct Decomposed {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// Dates or steps.
    pub axis: TimeAxis,
    /// The x coordinates.
    pub x: Vec<f64>,
    /// The data; NaN is a gap.
    pub data: Vec<f64>,
    /// The level without the seasons.
    pub trend: Vec<f64>,
    /// Each season's name and what recurs; the first four are drawn.
    pub seasonal: Vec<(String, Vec<f64>)>,
    /// The remainder.
    pub remainder: Vec<f64>,
}

impl Decomposed {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    /// Name, values and colour of each panel.
    fn panels(&self) -> Vec<(&str, &[f64], Colour)> {
        let mut panels: Vec<(&str, &[f64], Colour)> = vec![("Data", &self.data, INK), ("Trend", &self.trend, ORANGE)];
        panels.extend(self.seasonal.iter().take(MOST).map(|(name, values)| (name.as_str(), &**values, SEASON)));
        panels.push(("Remainder", &self.remainder, BLUE));
        panels
    }
}

fn legend() -> [(Key, String); 1] {
    [(Key::Patch(BAR), "the same amount in every panel".to_string())]
}

impl Drawing for Decomposed {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let (Some((from, to)), Some(_)) = (layout::span(&self.x), layout::span(&self.data)) else {
            return format!("{}: no data.", self.value);
        };
        let words = |at: f64| match self.axis {
            TimeAxis::Dates => dates::words(at),
            TimeAxis::Steps => format!("step {}", number(at)),
        };
        let width = |(name, values, _): &(&str, &[f64], Colour)| {
            layout::span(*values)
                .map(|(low, high)| format!("{name} {} to {}", number(low.round()), number(high.round())))
        };
        let parts: Vec<String> = self.panels().iter().filter_map(width).collect();
        format!("{} decomposed, from {} to {}: {}.", self.value, words(from), words(to), parts.join("; "))
    }

    fn height(&self, width: f64) -> f64 {
        layout::head(width, &self.title, &self.value, &legend()) + self.panels().len() as f64 * HEIGHT + FOOT + 4.0
    }

    fn data(&self) -> Table {
        let data = Data::default()
            .places(self.axis, self.x.iter().copied())
            .numbers("data", self.data.iter().copied())
            .numbers("trend", self.trend.iter().copied());
        let seasons = self.seasonal.iter();
        let data = seasons.fold(data, |data, (name, values)| data.numbers(name, values.iter().copied()));
        data.numbers("remainder", self.remainder.iter().copied()).table(&self.title)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value, &legend());
        let (Some(range), Some(_)) = (layout::span(&self.x), layout::span(&self.data)) else {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        };
        let panels = self.panels();
        let ranges: Vec<(f64, f64)> = panels.iter().map(|(_, values, _)| shown(values)).collect();
        let height = HEIGHT - 40.0;
        let labels = ranges.iter().map(|y| label_width(canvas, *y, height)).fold(0.0, f64::max);
        let amount = ranges.iter().map(|(low, high)| high - low).fold(f64::INFINITY, f64::min) * 0.8;
        for (index, ((name, values, colour), y)) in panels.iter().zip(&ranges).enumerate() {
            let top = top + index as f64 * HEIGHT;
            let name = canvas.fit(name, PANEL, canvas.width() - 2.0 * MARGIN);
            canvas.text((MARGIN, top + 15.0), Anchor::Start, &name, PANEL);
            let right = canvas.width() - MARGIN;
            let room = Room { left: MARGIN, right: right - SIDE, top: top + 30.0, bottom: top + 30.0 + height };
            let frame = Frame::new(canvas, room, range, *y, labels);
            if *colour == BLUE {
                let zero = frame.y.at(0.0);
                canvas.line(&[(frame.left, zero), (frame.right, zero)], AXIS, 1.0);
                let width = (0.5 * (frame.right - frame.left) / values.len().max(1) as f64).clamp(0.75, 2.5);
                for at in frame.points(&self.x, values).into_iter().filter(|(x, _)| x.is_finite()) {
                    canvas.rect((at.0 - width / 2.0, zero), (at.0 + width / 2.0, at.1), *colour);
                }
            } else {
                canvas.line(&frame.points(&self.x, values), *colour, 1.75);
            }
            let half = (0.5 * height * amount / (y.1 - y.0)).clamp(0.75, height / 2.0);
            let middle = (frame.top + frame.bottom) / 2.0;
            if half.is_finite() {
                canvas.rect((right - 7.0, middle - half), (right, middle + half), BAR);
            }
            frame.time_axis(canvas, self.axis, range, index + 1 == panels.len());
        }
    }
}

/// The values with a little air; for what lies on both sides of zero that is both ways.
fn shown(values: &[f64]) -> (f64, f64) {
    match layout::span(values) {
        None => (-1.0, 1.0),
        Some((low, high)) if low < high => {
            let air = (high / 2.0 - low / 2.0) * 0.12;
            (low - air, high + air)
        }
        Some((low, high)) => value_range(low, high),
    }
}
