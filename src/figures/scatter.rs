//! How does one quantity go with another? A dot for each pair, and the fitted curve with its band.

use super::axes::{Frame, Room, label_width, numbers, value_range};
use super::canvas::{Anchor, Canvas, Colour};
use super::data::Data;
use super::layout::{self, Key, MARGIN, NAMED, ORANGE, REST, SMALL, line_colour, short};
use super::{Drawing, Figure};
use crate::show::{Table, number};

/// Dots that one picture holds.
const MOST: usize = 4000;
/// Dots behind a curve, and the curve.
const DOT: Colour = Colour(124, 170, 203);
const CURVE: Colour = ORANGE;

/// Pairs and a curve.
#[derive(Clone, Debug)]
pub struct Scatter {
    /// The title.
    pub title: String,
    /// The quantity of the vertical axis and its unit.
    pub value: String,
    /// The quantity of the horizontal axis and its unit.
    pub foot: String,
    /// Named groups of pairs; the first six have a colour each.
    pub groups: Vec<(String, Vec<(f64, f64)>)>,
    /// Points of the curve: x, value, lower and upper end of its interval; empty for none.
    pub curve: Vec<(f64, f64, f64, f64)>,
}

impl Scatter {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn count(&self) -> usize {
        self.groups.iter().map(|(_, pairs)| pairs.iter().filter(|pair| finite(pair)).count()).sum()
    }

    /// Of too many pairs every so-manieth is drawn.
    fn every(&self) -> usize {
        self.count().div_ceil(MOST).max(1)
    }

    fn value(&self) -> String {
        let (all, every) = (self.count(), self.every());
        if every > 1 {
            format!("{} · every {every}th of {} dots", self.value, number(all as f64))
        } else {
            self.value.clone()
        }
    }

    fn colour(&self, index: usize) -> Colour {
        match (self.groups.len(), index) {
            (1, _) if !self.curve.is_empty() => DOT,
            (_, index) if index < NAMED => line_colour(index),
            _ => REST,
        }
    }

    fn legend(&self) -> Vec<(Key, String)> {
        let mut legend: Vec<(Key, String)> = Vec::new();
        if self.groups.len() > 1 {
            let named = self.groups.iter().take(NAMED).enumerate();
            legend.extend(named.map(|(index, (name, _))| (Key::Dots(self.colour(index)), name.clone())));
            match self.groups.len().saturating_sub(NAMED) {
                0 => {}
                1 => legend.push((Key::Dots(REST), self.groups[NAMED].0.clone())),
                more => legend.push((Key::Dots(REST), format!("{more} others"))),
            }
        }
        if self.curve.iter().any(|point| point.1.is_finite()) {
            legend.push((Key::Line(CURVE, 2.5), "fitted curve".into()));
        }
        if self.curve.iter().any(|point| point.2.is_finite() && point.3.is_finite()) {
            legend.push((Key::Patch(CURVE.tint(0.22)), "its interval".into()));
        }
        legend
    }

    fn span(&self, of: fn(&(f64, f64)) -> f64) -> Option<(f64, f64)> {
        let pairs = self.groups.iter().flat_map(|(_, pairs)| pairs).filter(|pair| finite(pair));
        let values: Vec<f64> = pairs.map(of).collect();
        layout::span(&values)
    }

    fn ranges(&self) -> Option<((f64, f64), (f64, f64))> {
        let join = |span: Option<(f64, f64)>, more: Vec<f64>| {
            let mut ends = more;
            ends.extend(span.into_iter().flat_map(|(low, high)| [low, high]));
            layout::span(&ends)
        };
        let x = join(self.span(|pair| pair.0), self.curve.iter().map(|point| point.0).collect())?;
        // A band that widens without end must not flatten the dots.
        let dots = self.span(|pair| pair.1);
        let line = join(dots, self.curve.iter().map(|point| point.1).collect())?;
        let band = layout::span(self.curve.iter().flat_map(|point| [&point.2, &point.3])).unwrap_or(line);
        let more = (line.1 / 2.0 - line.0 / 2.0) * 0.6;
        let y = (line.0.min(band.0.max(line.0 - more)), line.1.max(band.1.min(line.1 + more)));
        let air = (x.1 / 2.0 - x.0 / 2.0) * 0.04;
        Some(((x.0 - air, x.1 + air), value_range(y.0, y.1)))
    }
}

fn finite((x, y): &(f64, f64)) -> bool {
    x.is_finite() && y.is_finite()
}

impl Drawing for Scatter {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let (Some(x), Some(y)) = (self.span(|pair| pair.0), self.span(|pair| pair.1)) else {
            return format!("{}: no data.", self.value);
        };
        let groups = if self.groups.len() > 1 {
            let names: Vec<&str> = self.groups.iter().take(NAMED).map(|(name, _)| name.as_str()).collect();
            let more = self.groups.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!(" in {} groups ({}{more})", self.groups.len(), names.join(", "))
        } else {
            String::new()
        };
        let mut curve = self.curve.iter().filter(|point| point.0.is_finite() && point.1.is_finite());
        let ends = curve.next().map(|first| (first, curve.next_back().unwrap_or(first)));
        let curve = ends.map_or(String::new(), |(first, last)| {
            format!(
                " The fitted curve runs from {} at {} to {} at {}.",
                short(first.1),
                short(first.0),
                short(last.1),
                short(last.0)
            )
        });
        format!(
            "{} by {}: {} dots{groups}, from {} to {} across and from {} to {} upwards.{curve}",
            self.value,
            self.foot,
            number(self.count() as f64),
            short(x.0),
            short(x.1),
            short(y.0),
            short(y.1)
        )
    }

    fn height(&self, width: f64) -> f64 {
        layout::head(width, &self.title, &self.value(), &self.legend()) + 340.0
    }

    fn data(&self) -> Table {
        let pairs = || self.groups.iter().flat_map(|(name, pairs)| pairs.iter().map(move |pair| (name, *pair)));
        let dots = Data::default()
            .names("group", pairs().map(|(name, _)| name.as_str()))
            .numbers("x", pairs().map(|(_, (x, _))| x))
            .numbers("y", pairs().map(|(_, (_, y))| y));
        let curve = Data::default()
            .names("group", self.curve.iter().map(|_| "fitted curve"))
            .numbers("x", self.curve.iter().map(|point| point.0))
            .numbers("y", self.curve.iter().map(|point| point.1))
            .numbers("lower", self.curve.iter().map(|point| point.2))
            .numbers("upper", self.curve.iter().map(|point| point.3));
        if self.curve.is_empty() { dots.table(&self.title) } else { dots.above(curve).table(&self.title) }
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value(), &self.legend());
        let Some((range, y)) = self.ranges() else {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        };
        let (right, bottom) = (canvas.width() - MARGIN, canvas.height() - 46.0);
        let room = Room { left: MARGIN, right, top: top + 8.0, bottom };
        let labels = label_width(canvas, y, room.bottom - room.top);
        let frame = Frame::new(canvas, room, range, y, labels);
        let within = |value: f64| if value.is_finite() { frame.y.at(value.clamp(y.0, y.1)) } else { f64::NAN };
        let across: Vec<f64> = self.curve.iter().map(|point| frame.x.at(point.0)).collect();
        let low: Vec<f64> = self.curve.iter().map(|point| within(point.2)).collect();
        let high: Vec<f64> = self.curve.iter().map(|point| within(point.3)).collect();
        canvas.band(&across, &low, &high, CURVE.tint(0.22));
        let radius = match self.count() / self.every() {
            0..=200 => 3.25,
            201..=2000 => 2.25,
            _ => 1.5,
        };
        // The first group lies on top.
        for (index, (_, pairs)) in self.groups.iter().enumerate().rev() {
            for (x, y) in pairs.iter().filter(|pair| finite(pair)).step_by(self.every()) {
                canvas.dot((frame.x.at(*x), frame.y.at(*y)), radius, self.colour(index));
            }
        }
        let (x, y): (Vec<f64>, Vec<f64>) = self.curve.iter().map(|point| (point.0, point.1)).unzip();
        canvas.line(&frame.points(&x, &y), CURVE, 2.5);
        let marks = numbers(canvas, range, &frame.x);
        frame.axis(canvas, &marks, true);
        let foot = canvas.fit(&self.foot, SMALL, frame.right - frame.left);
        canvas.text((f64::midpoint(frame.left, frame.right), frame.bottom + 36.0), Anchor::Middle, &foot, SMALL);
    }
}
