//! What do the series look like, one by one? Small multiples: a panel per line, one time axis, a value axis each.

use super::axes::{FOOT, Frame, Room, label_width, value_range};
use super::canvas::{Anchor, Canvas, Colour};
use super::data::Data;
use super::layout::{self, BLUE, GREY, Key, MARGIN, PALETTE, PANEL};
use super::{Drawing, Figure, Line, TimeAxis, dates};
use crate::show::Table;

/// The most panels of one figure; the subtitle says when there were more lines.
const MOST: usize = 12;
const HEAD: f64 = 24.0;

/// A panel per line over one time axis, with events marked in all of them.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// Dates or steps.
    pub axis: TimeAxis,
    /// The lines; the first twelve are drawn.
    pub lines: Vec<Line>,
    /// Events: where, and what. Each distinct text has one colour and one entry in the legend.
    pub marks: Vec<(f64, String)>,
}

impl Overview {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn shown(&self) -> &[Line] {
        &self.lines[..self.lines.len().min(MOST)]
    }

    /// Columns, rows and the height of one panel.
    fn plan(&self, width: f64) -> (usize, usize, f64) {
        match self.shown().len() {
            0 | 1 => (1, 1, 290.0),
            count if width < layout::NARROW => (1, count, 120.0),
            count @ 2..=3 => (1, count, 150.0),
            count @ 4..=6 => (2, count.div_ceil(2), 140.0),
            count => (3, count.div_ceil(3), 120.0),
        }
    }

    /// The distinct texts of the marks, in the order they appear, as many as there are colours.
    fn kinds(&self) -> Vec<&str> {
        let mut kinds: Vec<&str> = Vec::new();
        for (_, text) in &self.marks {
            if !kinds.contains(&text.as_str()) {
                kinds.push(text);
            }
        }
        kinds
    }

    fn legend(&self) -> Vec<(Key, String)> {
        let kinds = self.kinds();
        let mut legend: Vec<(Key, String)> = kinds
            .iter()
            .take(PALETTE.len())
            .map(|kind| (Key::Upright(Self::colour(&kinds, kind).tint(0.75)), (*kind).to_string()))
            .collect();
        if kinds.len() > PALETTE.len() {
            legend.push((Key::Upright(GREY), format!("{} other events", kinds.len() - PALETTE.len())));
        }
        legend
    }

    fn value(&self) -> String {
        match self.lines.len().saturating_sub(MOST) {
            0 => self.value.clone(),
            _ => format!("{} · {MOST} of {} series shown", self.value, self.lines.len()),
        }
    }

    fn colour(kinds: &[&str], text: &str) -> Colour {
        let place = kinds.iter().position(|kind| *kind == text).unwrap_or(usize::MAX);
        PALETTE.get(place).copied().unwrap_or(GREY)
    }
}

impl Drawing for Overview {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let lines = self.shown().len();
        let what = if lines == 1 { "A line".to_string() } else { format!("{lines} lines, one panel each,") };
        let places = layout::span(self.shown().iter().flat_map(|line| &line.x));
        let range = match (places, self.axis) {
            (None, _) => " without data".to_string(),
            (Some((low, high)), TimeAxis::Dates) => format!(" from {} to {}", dates::words(low), dates::words(high)),
            (Some((low, high)), TimeAxis::Steps) => format!(" from step {low} to step {high}"),
        };
        let names: Vec<&str> =
            self.shown().iter().map(|line| line.name.as_str()).filter(|name| !name.is_empty()).collect();
        let names = if names.is_empty() { String::new() } else { format!(": {}", names.join("; ")) };
        format!("{what} of {}{range}{names}.", self.value)
    }

    fn height(&self, width: f64) -> f64 {
        let (_, rows, height) = self.plan(width);
        let head = if self.shown().len() > 1 { HEAD } else { 4.0 };
        layout::head(width, &self.title, &self.value(), &self.legend()) + rows as f64 * (height + head) + FOOT + 12.0
    }

    fn data(&self) -> Table {
        let points = || self.lines.iter().flat_map(|line| line.x.iter().zip(&line.y).map(move |(x, y)| (line, *x, *y)));
        let data = Data::default()
            .names("line", points().map(|(line, ..)| line.name.as_str()))
            .places(self.axis, points().map(|(_, x, _)| x))
            .numbers("value", points().map(|(.., y)| y));
        let data = if self.marks.is_empty() {
            data
        } else {
            let marks = Data::default().places(self.axis, self.marks.iter().map(|(x, _)| *x));
            data.above(marks.names("event", self.marks.iter().map(|(_, text)| text.as_str())))
        };
        data.table(&self.title)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let kinds = self.kinds();
        let top = layout::subtitle(canvas, top, &self.value(), &self.legend());

        let (columns, rows, _) = self.plan(canvas.width());
        let lines = self.shown();
        let Some(range) = layout::span(lines.iter().flat_map(|line| &line.x)) else {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        };
        let head = if lines.len() > 1 { HEAD } else { 4.0 };
        let width = (canvas.width() - MARGIN * 2.0 + 18.0) / columns as f64 - 18.0;
        let height = (canvas.height() - top - FOOT - 8.0) / rows as f64;
        let ranges: Vec<(f64, f64)> = lines
            .iter()
            .map(|line| layout::span(&line.y).map_or((0.0, 1.0), |(low, high)| value_range(low, high)))
            .collect();
        let widest = ranges.iter().map(|&y| label_width(canvas, y, height - head - 6.0)).fold(0.0, f64::max);
        for (index, line) in lines.iter().enumerate() {
            let (row, column) = (index / columns, index % columns);
            let left = MARGIN + column as f64 * (width + 18.0);
            let top = top + row as f64 * height;
            if lines.len() > 1 {
                let name = canvas.fit(&line.name, PANEL, width);
                canvas.text((left, top + 15.0), Anchor::Start, &name, PANEL);
            }
            let room = Room { left, right: left + width, top: top + head, bottom: top + height - 6.0 };
            let frame = Frame::new(canvas, room, range, ranges[index], widest);
            for (at, text) in self.marks.iter().filter(|(at, _)| (range.0..=range.1).contains(at)) {
                canvas.line(&frame.upright(*at), Self::colour(&kinds, text).tint(0.6), 1.0);
            }
            canvas.line(&frame.points(&line.x, &line.y), BLUE, 1.5);
            if layout::span(&line.y).is_none() {
                layout::no_data(canvas, ((frame.left + frame.right) / 2.0, (frame.top + frame.bottom) / 2.0));
            }
            // The lowest panel of each column carries the labels.
            frame.time_axis(canvas, self.axis, range, index + columns >= lines.len());
        }
    }
}
