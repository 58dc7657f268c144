//! Are intervals well calibrated? On the left the observed against the nominal coverage of central intervals: below the
//! diagonal they are too narrow, above it too wide. On the right the PIT histogram of one model: flat if its
//! distributions are calibrated, high at the ends if they are too narrow, high on one side if they are biased.

use super::axes::{Frame, Room};
use super::canvas::{Anchor, Canvas};
use super::data::Data;
use super::layout::{self, AXIS, BLUE, GREY, Key, MARGIN, NAMED, PANEL, REST, SMALL, line_colour};
use super::{Drawing, Figure};
use crate::show::{Table, number};

/// Coverage of several models, and the probability integral transform of one.
#[derive(Clone, Debug)]
pub struct Calibration {
    /// The title.
    pub title: String,
    /// The quantity, and over what.
    pub value: String,
    /// Name, nominal and observed coverage (0 to 1) of each curve, the most important first; the first six are named.
    pub curves: Vec<(String, Vec<(f64, f64)>)>,
    /// The model on the right, and the share of actual values in each bin of its PIT histogram.
    pub histogram: Option<(String, Vec<f64>)>,
}

impl Calibration {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn legend(&self) -> Vec<(Key, String)> {
        let named = self.curves.iter().take(NAMED).enumerate();
        let mut legend: Vec<(Key, String)> = named
            .map(|(index, (name, _))| {
                (Key::Line(line_colour(index), if index == 0 { 2.75 } else { 1.75 }), name.clone())
            })
            .collect();
        match self.curves.len().saturating_sub(NAMED) {
            0 => {}
            1 => legend.push((Key::Line(REST, 1.5), self.curves[NAMED].0.clone())),
            more => legend.push((Key::Line(REST, 1.5), format!("{more} others"))),
        }
        legend.push((Key::Dashed(GREY), "nominal".into()));
        legend
    }

    fn is_empty(&self) -> bool {
        !self.curves.iter().flat_map(|(_, points)| points).any(|(_, observed)| observed.is_finite())
    }
}

impl Drawing for Calibration {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        if self.is_empty() {
            return format!("{}: no data.", self.value);
        }
        let percent = |share: f64| format!("{} %", number((100.0 * share).round()));
        let coverage: Vec<String> = (self.curves.iter().take(NAMED))
            .filter_map(|(name, points)| {
                let near = |a: &&(f64, f64), b: &&(f64, f64)| (a.0 - 0.8).abs().total_cmp(&(b.0 - 0.8).abs());
                let (nominal, observed) = points.iter().filter(|(_, observed)| observed.is_finite()).min_by(near)?;
                Some(format!("{name} {} for {}", percent(*observed), percent(*nominal)))
            })
            .collect();
        let parts = self.histogram.as_ref().map_or(String::new(), |(name, shares)| {
            let most = shares.iter().copied().fold(0.0, f64::max);
            format!(
                " In the PIT histogram of {name} no bin holds more than {} of the actual values; {} each would be ideal.",
                percent(most),
                percent(1.0 / shares.len() as f64)
            )
        });
        format!("Observed coverage of central intervals: {}.{parts}", coverage.join(", "))
    }

    fn height(&self, width: f64) -> f64 {
        let panels = if width < layout::NARROW && self.histogram.is_some() { 2.0 } else { 1.0 };
        layout::head(width, &self.title, &self.value, &self.legend()) + 350.0 * panels
    }

    fn data(&self) -> Table {
        let points = || self.curves.iter().flat_map(|(name, points)| points.iter().map(move |point| (name, *point)));
        let curves = Data::default()
            .names("panel", points().map(|_| "share inside intervals"))
            .names("model", points().map(|(name, _)| name.as_str()))
            .numbers("promised", points().map(|(_, (promised, _))| promised))
            .numbers("observed", points().map(|(_, (_, observed))| observed));
        let parts = || {
            self.histogram.iter().flat_map(|(name, shares)| {
                let parts = shares.len() as f64;
                shares.iter().map(move |share| (name, 1.0 / parts, *share))
            })
        };
        let histogram = Data::default()
            .names("panel", parts().map(|_| "place in the distribution"))
            .names("model", parts().map(|(name, ..)| name.as_str()))
            .numbers("promised", parts().map(|(_, promised, _)| promised))
            .numbers("observed", parts().map(|(.., share)| share));
        curves.above(histogram).table(&self.title)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value, &self.legend());
        if self.is_empty() {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        }
        // Beside each other, or below each other where there is no room.
        let narrow = canvas.width() < layout::NARROW;
        let middle = if narrow { canvas.width() - MARGIN + 20.0 } else { canvas.width() / 2.0 };
        let first = if narrow && self.histogram.is_some() { top + 350.0 } else { canvas.height() };
        let bottom = first - 46.0;
        let room = Room { left: MARGIN + 14.0, right: middle - 20.0, top: top + 40.0, bottom };
        canvas.text((MARGIN, top + 22.0), Anchor::Start, "Observed coverage, %", PANEL);
        let frame = shares(canvas, room, (0.0, 1.0), 30.0);
        canvas.dashed(&[(frame.x.at(0.0), frame.y.at(0.0)), (frame.x.at(1.0), frame.y.at(1.0))], GREY, 1.25, 4.5, 3.0);
        for (index, (_, points)) in self.curves.iter().enumerate().rev() {
            let (x, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
            let pixels = frame.points(&x, &y);
            canvas.line(&pixels, line_colour(index), if index == 0 { 2.75 } else { 1.75 });
            if index < NAMED {
                pixels.iter().for_each(|at| canvas.dot(*at, if index == 0 { 3.0 } else { 2.25 }, line_colour(index)));
            }
        }
        foot(canvas, &frame, "nominal coverage");
        let Some((name, shares_of)) = self.histogram.as_ref().filter(|(_, shares)| !shares.is_empty()) else { return };
        let (left, top, bottom) =
            if narrow { (MARGIN, first, canvas.height() - 46.0) } else { (middle + 8.0, top, bottom) };
        let words =
            canvas.fit(&format!("PIT histogram of {name}, % of actual values"), PANEL, canvas.width() - MARGIN - left);
        canvas.text((left, top + 22.0), Anchor::Start, &words, PANEL);
        let even = 1.0 / shares_of.len() as f64;
        let most = shares_of.iter().copied().filter(|share| share.is_finite()).fold(2.0 * even, f64::max);
        let room = Room { left: left + 14.0, right: canvas.width() - MARGIN, top: top + 40.0, bottom };
        let frame = shares(canvas, room, (0.0, most * 1.08), 30.0);
        let width = (frame.x.at(1.0) - frame.x.at(0.0)) / shares_of.len() as f64;
        for (index, share) in shares_of.iter().enumerate().filter(|(_, share)| share.is_finite()) {
            let from = frame.x.at(0.0) + index as f64 * width;
            canvas.rect((from + 1.0, frame.y.at(0.0)), (from + width - 1.0, frame.y.at(*share)), BLUE.tint(0.55));
        }
        let level = frame.y.at(even);
        canvas.dashed(&[(frame.left, level), (frame.right, level)], GREY, 1.25, 4.5, 3.0);
        canvas.line(&[(frame.left, frame.bottom), (frame.right, frame.bottom)], AXIS, 1.0);
        foot(canvas, &frame, "PIT: forecast probability of values below the actual one");
    }
}

/// A frame over shares: its value axis in per cent.
fn shares(canvas: &mut Canvas, room: Room, y: (f64, f64), labels: f64) -> Frame {
    let percent = (100.0 * y.0, 100.0 * y.1);
    let frame = Frame::new(canvas, room, (0.0, 1.0), percent, labels);
    let y = super::axes::Scale::new(y, room.bottom, room.top);
    Frame { y, ..frame }
}

fn foot(canvas: &mut Canvas, frame: &Frame, words: &str) {
    for at in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let x = frame.x.at(at);
        canvas.line(&[(x, frame.bottom), (x, frame.bottom + 4.0)], AXIS, 1.0);
        canvas.text((x, frame.bottom + 16.0), Anchor::Middle, &number(100.0 * at), SMALL);
    }
    let words = canvas.fit(&format!("{words}, %"), SMALL, frame.right - frame.left + 30.0);
    canvas.text((f64::midpoint(frame.left, frame.right), frame.bottom + 32.0), Anchor::Middle, &words, SMALL);
}
