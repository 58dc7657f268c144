//! Where will the series go, and how sure is that? The past, the mean forecast and its intervals, light to dark.

use super::axes::{FOOT, Frame, Room, label_width, value_range};
use super::canvas::{Anchor, Canvas, Colour};
use super::data::Data;
use super::layout::{self, BLUE, GREY, INK, Key, MARGIN, PANEL};
use super::{Drawing, Figure, Line, TimeAxis, dates};
use crate::show::{ChartKind, ChartSeries, SimpleChart, Table, number};

const HISTORY: Colour = Colour(98, 106, 115);

/// A central interval around the forecast, by step of the mean line.
#[derive(Clone, Debug)]
pub struct Band {
    /// The share of futures it should hold, between 0 and 1.
    pub level: f64,
    /// Lower ends.
    pub lower: Vec<f64>,
    /// Upper ends.
    pub upper: Vec<f64>,
}

/// The past of one series, its forecast with intervals and, when they are known, the actual values.
#[derive(Clone, Debug)]
pub struct Fan {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// Dates or steps.
    pub axis: TimeAxis,
    /// The history up to the forecast origin.
    pub history: Line,
    /// The actual values, if they are known.
    pub actual: Option<Line>,
    /// The mean forecast.
    pub mean: Line,
    /// Intervals over the steps of `mean`, in any order.
    pub bands: Vec<Band>,
}

/// Several forecasts side by side over one time axis; each keeps its own value axis.
#[derive(Clone, Debug)]
pub struct Fans {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// Dates or steps.
    pub axis: TimeAxis,
    /// One panel each, under its own title; the first twelve are drawn.
    pub panels: Vec<Fan>,
}

impl Fan {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    /// The bands from the widest to the narrowest, so that the narrow ones lie on top.
    fn ordered(&self) -> Vec<&Band> {
        let mut bands: Vec<&Band> = self.bands.iter().collect();
        bands.sort_by(|one, other| other.level.total_cmp(&one.level));
        bands
    }

    fn places(&self) -> Option<(f64, f64)> {
        let actual = self.actual.iter().flat_map(|line| &line.x);
        layout::span(self.history.x.iter().chain(&self.mean.x).chain(actual))
    }

    fn values(&self) -> Option<(f64, f64)> {
        let actual = self.actual.iter().flat_map(|line| &line.y);
        let bands = self.bands.iter().flat_map(|band| band.lower.iter().chain(&band.upper));
        layout::span(self.history.y.iter().chain(&self.mean.y).chain(actual).chain(bands))
    }

    /// A row for each place: the history, the actual values, the mean forecast and the ends of the intervals.
    fn columns(&self) -> Data {
        let mut lines = vec![("history".to_string(), &self.history.x[..], &self.history.y[..])];
        lines.extend(self.actual.iter().map(|line| ("actual".to_string(), &line.x[..], &line.y[..])));
        lines.push(("mean".to_string(), &self.mean.x[..], &self.mean.y[..]));
        for band in self.ordered() {
            lines.push((format!("lower {}", band.level), &self.mean.x[..], &band.lower[..]));
            lines.push((format!("upper {}", band.level), &self.mean.x[..], &band.upper[..]));
        }
        Data::default().lines(self.axis, &lines)
    }

    fn legend(&self) -> Vec<(Key, String)> {
        let any = |line: &Line| line.y.iter().any(|value| value.is_finite());
        let name = |line: &Line, or: &str| if line.name.is_empty() { or.to_string() } else { line.name.clone() };
        let mut legend = Vec::new();
        if any(&self.history) {
            legend.push((Key::Line(HISTORY, 1.5), name(&self.history, "history")));
        }
        if let Some(actual) = self.actual.as_ref().filter(|line| any(line)) {
            legend.push((Key::Dots(INK), name(actual, "actual")));
        }
        if any(&self.mean) {
            legend.push((Key::Line(BLUE, 2.25), name(&self.mean, "forecast")));
        }
        let bands = self.ordered();
        for (index, band) in bands.iter().enumerate().rev() {
            legend.push((Key::Patch(shade(index, bands.len())), format!("{} %", number(percent(band.level)))));
        }
        legend
    }

    fn panel(&self, canvas: &mut Canvas, room: Room, range: (f64, f64), labels: f64, foot: bool) {
        let y = self.values().map_or((0.0, 1.0), |(low, high)| value_range(low, high));
        let frame = Frame::new(canvas, room, range, y, labels);
        let bands = self.ordered();
        for (index, band) in bands.iter().enumerate() {
            let x: Vec<f64> = self.mean.x.iter().map(|&x| frame.x.at(x)).collect();
            let pixels = |values: &[f64]| -> Vec<f64> { values.iter().map(|&value| frame.y.at(value)).collect() };
            canvas.band(&x, &pixels(&band.lower), &pixels(&band.upper), shade(index, bands.len()));
        }
        let past = frame.points(&self.history.x, &self.history.y);
        canvas.line(&past, HISTORY, 1.5);
        let future = frame.points(&self.mean.x, &self.mean.y);
        let last = past.iter().rev().find(|(x, _)| x.is_finite()).copied();
        if let (Some(from), Some(&to)) = (last, future.first()) {
            // The origin: after the last value known, before the first forecast.
            let x = (from.0 + to.0) / 2.0;
            canvas.dashed(&[(x, frame.top), (x, frame.bottom)], GREY, 1.0, 3.0, 3.0);
            canvas.line(&[from, to], BLUE.tint(0.45), 1.5);
        }
        canvas.line(&future, BLUE, 2.25);
        if let Some(actual) = &self.actual {
            let points = frame.points(&actual.x, &actual.y);
            canvas.dashed(&points, INK, 1.0, 3.5, 2.5);
            let radius = if points.len() > 60 { 1.5 } else { 2.5 };
            points.iter().for_each(|&at| canvas.dot(at, radius, INK));
        }
        if self.values().is_none() {
            layout::no_data(canvas, ((frame.left + frame.right) / 2.0, (frame.top + frame.bottom) / 2.0));
        }
        frame.time_axis(canvas, self.axis, range, foot);
    }
}

/// Light for the widest band, dark for the narrowest.
fn shade(index: usize, count: usize) -> Colour {
    let share = if count < 2 { 0.5 } else { index as f64 / (count - 1) as f64 };
    BLUE.tint(0.18 + 0.24 * share)
}

/// 0.8 → 80 without the tail of a binary fraction.
fn percent(level: f64) -> f64 {
    (level * 1e6).round() / 1e4
}

impl Drawing for Fan {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let finite = |line: &Line| layout::span(&line.y).is_some();
        if !finite(&self.mean) {
            return format!("{}: no forecast.", self.value);
        }
        let last = self.mean.x.iter().zip(&self.mean.y).rev().find(|(_, y)| y.is_finite());
        let end = last.map_or(String::new(), |(&x, &y)| {
            let place = match self.axis {
                TimeAxis::Dates => dates::words(x),
                TimeAxis::Steps => format!("step {}", number(x)),
            };
            format!(", {} at {place}", number(y))
        });
        let levels: Vec<String> =
            self.ordered().iter().rev().map(|band| format!("{} %", number(percent(band.level)))).collect();
        let bands =
            if levels.is_empty() { String::new() } else { format!(", with intervals of {}", levels.join(" and ")) };
        let actual =
            if self.actual.as_ref().is_some_and(finite) { " The actual values are drawn as dots." } else { "" };
        let steps = self.mean.y.len();
        let unit = if steps == 1 { "step" } else { "steps" };
        format!("{}: history and a forecast of {steps} {unit}{end}{bands}.{actual}", self.value)
    }

    fn height(&self, width: f64) -> f64 {
        layout::head(width, &self.title, &self.value, &self.legend()) + 340.0
    }

    fn data(&self) -> Table {
        self.columns().table(&self.title)
    }

    /// An interval is two lines there: an area between two values is a stack of areas in an office chart, whose numbers
    /// would be widths.
    fn chart(&self) -> Option<SimpleChart> {
        let name = |line: &Line, or: &str| if line.name.is_empty() { or.to_string() } else { line.name.clone() };
        let mut lines: Vec<(&[f64], &[f64])> = vec![(&self.history.x, &self.history.y), (&self.mean.x, &self.mean.y)];
        let thin =
            |name: String, colour: Colour| ChartSeries { width: 1.5, ..ChartSeries::new(name, vec![], colour.parts()) };
        let mut series = vec![
            thin(name(&self.history, "history"), HISTORY),
            ChartSeries { width: 2.25, ..thin(name(&self.mean, "forecast"), BLUE) },
        ];
        for band in self.ordered().into_iter().rev() {
            for (end, values) in [("low", &band.lower), ("high", &band.upper)] {
                lines.push((&self.mean.x, values));
                let title = format!("{} % interval, {end}", number(percent(band.level)));
                series.push(thin(title, BLUE.tint(if series.len() < 4 { 0.6 } else { 0.35 })));
            }
        }
        if let Some(actual) = &self.actual {
            lines.push((&actual.x, &actual.y));
            series.push(ChartSeries { dashed: true, ..thin(name(actual, "actual"), INK) });
        }
        let (places, rows) = SimpleChart::over(&lines, self.axis == TimeAxis::Steps)?;
        Some(SimpleChart {
            kind: ChartKind::Lines,
            categories: self.axis.categories(places),
            category_title: String::new(),
            value_title: self.value.clone(),
            series: series.into_iter().zip(rows).map(|(series, values)| ChartSeries { values, ..series }).collect(),
            shares: None,
        })
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value, &self.legend());
        let Some(range) = self.places() else {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        };
        let room =
            Room { left: MARGIN, right: canvas.width() - MARGIN, top: top + 8.0, bottom: canvas.height() - FOOT - 6.0 };
        let y = self.values().map_or((0.0, 1.0), |(low, high)| value_range(low, high));
        let labels = label_width(canvas, y, room.bottom - room.top);
        self.panel(canvas, room, range, labels, true);
    }
}

impl Fans {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn shown(&self) -> &[Fan] {
        &self.panels[..self.panels.len().min(12)]
    }

    fn columns(&self, width: f64) -> usize {
        match self.shown().len() {
            0..3 => 1,
            _ if width < layout::NARROW => 1,
            5.. if width > layout::SLIDE => 3,
            _ => 2,
        }
    }

    fn value(&self) -> String {
        match self.panels.len().saturating_sub(12) {
            0 => self.value.clone(),
            _ => format!("{} · 12 of {} series shown", self.value, self.panels.len()),
        }
    }

    /// The fullest legend stands for all: a panel without actuals has no line that it does not name.
    fn legend(&self) -> Vec<(Key, String)> {
        self.shown().iter().map(Fan::legend).max_by_key(Vec::len).unwrap_or_default()
    }
}

impl Drawing for Fans {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let names: Vec<&str> = self.shown().iter().map(|panel| panel.title.as_str()).collect();
        format!("{}: history and forecast with intervals for {}.", self.value, names.join(", "))
    }

    fn height(&self, width: f64) -> f64 {
        let rows = self.shown().len().div_ceil(self.columns(width)).max(1) as f64;
        layout::head(width, &self.title, &self.value(), &self.legend()) + rows * 190.0 + FOOT + 12.0
    }

    fn data(&self) -> Table {
        let panel = |panel: &Fan| panel.columns().headed("series", &panel.title);
        self.panels.iter().map(panel).fold(Data::default(), Data::above).table(&self.title)
    }

    /// One panel is a fan; several charts on one slide would be too small to read.
    fn chart(&self) -> Option<SimpleChart> {
        match self.panels.as_slice() {
            [only] => only.chart().map(|chart| SimpleChart { value_title: self.value.clone(), ..chart }),
            _ => None,
        }
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value(), &self.legend());
        let spans: Vec<f64> = self.shown().iter().filter_map(Fan::places).flat_map(|(low, high)| [low, high]).collect();
        let Some(range) = layout::span(&spans) else {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        };
        let (panels, columns) = (self.shown(), self.columns(canvas.width()));
        let width = (canvas.width() - MARGIN * 2.0 + 20.0) / columns as f64 - 20.0;
        let outer = (canvas.height() - top - FOOT - 8.0) / panels.len().div_ceil(columns) as f64;
        let height = outer - 30.0;
        let ranges = panels.iter().map(|panel| panel.values().map_or((0.0, 1.0), |(low, high)| value_range(low, high)));
        let labels = ranges.map(|y| label_width(canvas, y, height)).fold(0.0, f64::max);
        for (index, panel) in panels.iter().enumerate() {
            let left = MARGIN + (index % columns) as f64 * (width + 20.0);
            let top = top + (index / columns) as f64 * outer;
            let name = canvas.fit(&panel.title, PANEL, width);
            canvas.text((left, top + 15.0), Anchor::Start, &name, PANEL);
            let room = Room { left, right: left + width, top: top + 24.0, bottom: top + outer - 6.0 };
            panel.panel(canvas, room, range, labels, index + columns >= panels.len());
        }
    }
}
