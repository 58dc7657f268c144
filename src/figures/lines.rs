//! How do a few named lines run over the same steps or dates? The first is set apart, five more have a colour each, and
//! the rest are grey.

use super::axes::{FOOT, Frame, Room, label_width, value_range};
use super::canvas::Canvas;
use super::data::Data;
use super::layout::{self, GREY, Key, MARGIN, NAMED, REST, SMALL, line_colour};
use super::{Drawing, Figure, Line, TimeAxis, dates};
use crate::show::{ChartKind, ChartSeries, SimpleChart, Table, number};

/// Named lines over one axis, the most important first.
#[derive(Clone, Debug)]
pub struct Lines {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// Dates or steps.
    pub axis: TimeAxis,
    /// The label of the x axis: `steps ahead`; empty for dates.
    pub foot: String,
    /// The lines; the first six are named.
    pub lines: Vec<Line>,
    /// A value to compare against, and what it is.
    pub reference: Option<(String, f64)>,
}

impl Lines {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn legend(&self) -> Vec<(Key, String)> {
        let width = |index: usize| if index == 0 { 2.75 } else { 1.75 };
        let mut legend: Vec<(Key, String)> = (self.lines.iter().take(NAMED).enumerate())
            .map(|(index, line)| (Key::Line(line_colour(index), width(index)), line.name.clone()))
            .collect();
        match self.lines.len().saturating_sub(NAMED) {
            0 => {}
            1 => legend.push((Key::Line(REST, 1.5), self.lines[NAMED].name.clone())),
            more => legend.push((Key::Line(REST, 1.5), format!("{more} others"))),
        }
        legend.extend(self.reference.iter().map(|(name, _)| (Key::Dashed(GREY), name.clone())));
        legend
    }

    fn values(&self) -> Option<(f64, f64)> {
        let reference = self.reference.iter().map(|(_, at)| at);
        layout::span(self.lines.iter().flat_map(|line| &line.y).chain(reference))
    }

    fn places(&self) -> Option<(f64, f64)> {
        layout::span(self.lines.iter().flat_map(|line| &line.x))
    }
}

impl Drawing for Lines {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let place = |x: f64| match self.axis {
            TimeAxis::Dates => dates::words(x),
            TimeAxis::Steps => format!("step {}", number(x)),
        };
        let parts = self.lines.iter().take(NAMED).filter_map(|line| {
            let mut there = line.x.iter().zip(&line.y).filter(|(_, y)| y.is_finite());
            let first = there.next()?;
            let last = there.next_back().unwrap_or(first);
            let name = &line.name;
            Some(format!(
                "{name} from {} at {} to {} at {}",
                number(*first.1),
                place(*first.0),
                number(*last.1),
                place(*last.0)
            ))
        });
        let parts: Vec<String> = parts.collect();
        if parts.is_empty() {
            format!("{}: no data.", self.value)
        } else {
            format!("{}: {}.", self.value, parts.join("; "))
        }
    }

    fn height(&self, width: f64) -> f64 {
        layout::head(width, &self.title, &self.value, &self.legend()) + 290.0
    }

    fn data(&self) -> Table {
        let points = || self.lines.iter().flat_map(|line| line.x.iter().zip(&line.y).map(move |(x, y)| (line, *x, *y)));
        let data = Data::default()
            .names("line", points().map(|(line, ..)| line.name.as_str()))
            .places(self.axis, points().map(|(_, x, _)| x))
            .numbers("value", points().map(|(.., y)| y));
        let data = match &self.reference {
            Some((name, at)) => data.numbers(name, points().map(|_| *at)),
            None => data,
        };
        data.table(&self.title)
    }

    /// Lines beyond the named ones are a grey mass without names: those stay a picture.
    fn chart(&self) -> Option<SimpleChart> {
        if self.lines.len() > NAMED {
            return None;
        }
        let lines: Vec<(&[f64], &[f64])> = self.lines.iter().map(|line| (&line.x[..], &line.y[..])).collect();
        let (places, rows) = SimpleChart::over(&lines, self.axis == TimeAxis::Steps)?;
        let reference = self.reference.as_ref().filter(|(_, at)| at.is_finite()).map(|(name, at)| ChartSeries {
            dashed: true,
            width: 1.25,
            ..ChartSeries::new(name.as_str(), vec![*at; places.len()], GREY.parts())
        });
        let lines = self.lines.iter().zip(rows).enumerate().map(|(index, (line, row))| ChartSeries {
            width: if index == 0 { 2.75 } else { 1.75 },
            ..ChartSeries::new(line.name.as_str(), row, line_colour(index).parts())
        });
        Some(SimpleChart {
            kind: ChartKind::Lines,
            series: lines.chain(reference).collect(),
            categories: self.axis.categories(places),
            category_title: self.foot.clone(),
            value_title: self.value.clone(),
            shares: None,
        })
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value, &self.legend());
        let (Some(range), Some((low, high))) = (self.places(), self.values()) else {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        };
        let y = value_range(low, high);
        let foot = if self.foot.is_empty() { FOOT } else { FOOT + 12.0 };
        let (right, bottom) = (canvas.width() - MARGIN, canvas.height() - foot - 4.0);
        let room = Room { left: MARGIN, right, top: top + 8.0, bottom };
        let labels = label_width(canvas, y, room.bottom - room.top);
        let frame = Frame::new(canvas, room, range, y, labels);
        if let Some((_, at)) = self.reference.as_ref().filter(|(_, at)| at.is_finite()) {
            let height = frame.y.at(*at);
            canvas.dashed(&[(frame.left, height), (frame.right, height)], GREY, 1.25, 4.5, 3.0);
        }
        for (index, line) in self.lines.iter().enumerate().rev() {
            let points = frame.points(&line.x, &line.y);
            let colour = line_colour(index);
            canvas.line(&points, colour, if index == 0 { 2.75 } else { 1.75 });
            if points.len() <= 40 && index < NAMED {
                points.iter().for_each(|at| canvas.dot(*at, if index == 0 { 3.25 } else { 2.5 }, colour));
            }
        }
        frame.time_axis(canvas, self.axis, range, true);
        if !self.foot.is_empty() {
            // Below the second line of the dates' labels, if there is one.
            let below = if self.axis == TimeAxis::Dates { 48.0 } else { 34.0 };
            let at = (f64::midpoint(frame.left, frame.right), bottom + below);
            let foot = canvas.fit(&self.foot, SMALL, frame.right - frame.left);
            canvas.text(at, super::Anchor::Middle, &foot, SMALL);
        }
    }
}
