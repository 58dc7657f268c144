//! What did cleaning do to the series? A panel per kind of change: the cleaned line, the values before cleaning, and
//! the values that were added.

use super::axes::{FOOT, Frame, Room, label_width, value_range};
use super::canvas::{Anchor, Canvas};
use super::data::Data;
use super::layout::{self, BLUE, GREY, Key, MARGIN, ORANGE, PALETTE, PANEL, SMALL};
use super::{Drawing, Figure, Line, TimeAxis};
use crate::show::Table;

const MOST: usize = 6;
const HEIGHT: f64 = 150.0;
const HEAD: f64 = 26.0;

/// One kind of change in one series.
#[derive(Clone, Debug)]
pub struct Repair {
    /// What was found: `negative`.
    pub kind: String,
    /// In which series, and how often: `4 of 1,283 · Store=1, Dept=3`.
    pub place: String,
    /// The series after cleaning.
    pub after: Line,
    /// Values before cleaning, where they differ: x and y.
    pub before: Vec<(f64, f64)>,
    /// Values that were added or filled: x and y, NaN where the row was added without a value.
    pub added: Vec<(f64, f64)>,
}

/// Before and after cleaning, a panel per kind of change.
#[derive(Clone, Debug)]
pub struct Repairs {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// Dates or steps.
    pub axis: TimeAxis,
    /// The panels; the first six are drawn.
    pub panels: Vec<Repair>,
}

impl Repairs {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn shown(&self) -> &[Repair] {
        &self.panels[..self.panels.len().min(MOST)]
    }

    fn columns(&self, width: f64) -> usize {
        if self.shown().len() < 2 || width < layout::NARROW { 1 } else { 2 }
    }

    fn legend(&self) -> Vec<(Key, String)> {
        let mut legend = vec![(Key::Line(BLUE, 1.5), "after cleaning".to_string())];
        if self.shown().iter().any(|panel| !panel.before.is_empty()) {
            legend.push((Key::Ring(ORANGE), "before".into()));
        }
        if self.shown().iter().any(|panel| !panel.added.is_empty()) {
            legend.push((Key::Dots(PALETTE[1]), "added or filled".into()));
        }
        legend
    }
}

impl Repair {
    fn values(&self) -> (f64, f64) {
        let points = self.before.iter().chain(&self.added).map(|(_, y)| y);
        layout::span(self.after.y.iter().chain(points)).map_or((0.0, 1.0), |(low, high)| value_range(low, high))
    }

    fn places(&self) -> (f64, f64) {
        let points = self.before.iter().chain(&self.added).map(|(x, _)| x);
        layout::span(self.after.x.iter().chain(points)).unwrap_or((0.0, 1.0))
    }
}

impl Drawing for Repairs {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let panels: Vec<String> = self.shown().iter().map(|panel| format!("{}: {}", panel.kind, panel.place)).collect();
        if panels.is_empty() {
            format!("{}: no changes.", self.value)
        } else {
            format!("{} before and after cleaning: {}.", self.value, panels.join("; "))
        }
    }

    fn height(&self, width: f64) -> f64 {
        let rows = self.shown().len().div_ceil(self.columns(width)).max(1) as f64;
        layout::head(width, &self.title, &self.value, &self.legend()) + rows * (HEAD + HEIGHT + FOOT + 8.0) + 4.0
    }

    fn data(&self) -> Table {
        let panel = |panel: &Repair| {
            let apart = |points: &[(f64, f64)]| points.iter().copied().unzip::<f64, f64, Vec<f64>, Vec<f64>>();
            let (before, added) = (apart(&panel.before), apart(&panel.added));
            let lines = [
                ("after".to_string(), &panel.after.x[..], &panel.after.y[..]),
                ("before".to_string(), &before.0[..], &before.1[..]),
                ("added".to_string(), &added.0[..], &added.1[..]),
            ];
            Data::default().lines(self.axis, &lines).headed("change", &panel.kind).headed("place", &panel.place)
        };
        self.panels.iter().map(panel).fold(Data::default(), Data::above).table(&self.title)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value, &self.legend());
        let (panels, columns) = (self.shown(), self.columns(canvas.width()));
        if panels.is_empty() {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        }
        let width = (canvas.width() - MARGIN * 2.0 + 20.0) / columns as f64 - 20.0;
        let height = HEAD + HEIGHT + FOOT + 8.0;
        let labels = panels.iter().map(|panel| label_width(canvas, panel.values(), HEIGHT)).fold(0.0, f64::max);
        for (index, panel) in panels.iter().enumerate() {
            let left = MARGIN + (index % columns) as f64 * (width + 20.0);
            let top = top + (index / columns) as f64 * height;
            let kind = canvas.fit(&panel.kind, PANEL, width * 0.7);
            canvas.text((left, top + 16.0), Anchor::Start, &kind, PANEL);
            let from = canvas.measure(&kind, PANEL) + 10.0;
            let place = canvas.fit(&panel.place, SMALL, width - from);
            canvas.text((left + from, top + 16.0), Anchor::Start, &place, SMALL);
            let room = Room { left, right: left + width, top: top + HEAD, bottom: top + HEAD + HEIGHT };
            let range = panel.places();
            let frame = Frame::new(canvas, room, range, panel.values(), labels);
            // From the value before cleaning to the value after it, beneath the line.
            for (x, y) in &panel.before {
                let now = panel.after.x.iter().position(|at| at == x).map_or(f64::NAN, |at| panel.after.y[at]);
                if now.is_finite() {
                    let points = frame.points(&[*x, *x], &[*y, now]);
                    canvas.line(&points, GREY.tint(0.5), 1.0);
                }
            }
            canvas.line(&frame.points(&panel.after.x, &panel.after.y), BLUE, 1.5);
            let many = panel.before.len() + panel.added.len() > 40;
            let radius = if many { 2.25 } else { 3.25 };
            for (x, y) in &panel.added {
                if y.is_finite() {
                    canvas.dot((frame.x.at(*x), frame.y.at(*y)), radius, PALETTE[1]);
                } else {
                    // A row without a value is drawn on the axis.
                    let x = frame.x.at(*x);
                    canvas.line(&[(x, frame.bottom - 7.0), (x, frame.bottom)], PALETTE[1], 2.0);
                }
            }
            for (x, y) in &panel.before {
                canvas.ring((frame.x.at(*x), frame.y.at(*y)), radius, ORANGE);
            }
            frame.time_axis(canvas, self.axis, range, true);
        }
    }
}
