//! How much of a value is in those before it? Autocorrelations above partial ones, a stem per lag, and the band that
//! holds nineteen in twenty of them where there is nothing to find.

use super::axes::{FOOT, Frame, Room, label_width};
use super::canvas::{Anchor, Canvas, Colour};
use super::data::Data;
use super::layout::{self, AXIS, BLUE, Key, MARGIN, ORANGE, PANEL};
use super::{Drawing, Figure, TimeAxis};
use crate::show::{Table, number};

const INSIDE: Colour = Colour(150, 172, 190);
const BAND: Colour = Colour(240, 243, 246);
/// With more stems than this, they have no heads.
const HEADS: usize = 110;

/// Autocorrelations and partial autocorrelations by lag.
#[derive(Clone, Debug)]
pub struct Correlogram {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// Autocorrelations at lags 1, 2, …
    pub acf: Vec<f64>,
    /// Partial autocorrelations at lags 1, 2, …
    pub pacf: Vec<f64>,
    /// Half the width of the band around zero.
    pub band: f64,
    /// Steps in a season, whose lags are marked; 1 for none.
    pub season: usize,
}

impl Correlogram {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn lags(&self) -> usize {
        self.acf.len().max(self.pacf.len())
    }

    fn marked(&self) -> bool {
        self.season > 1 && self.season <= self.lags() && self.lags() / self.season <= 12
    }

    fn outside(&self, values: &[f64]) -> Vec<usize> {
        (0..values.len()).filter(|k| values[*k].abs() > self.band).map(|k| k + 1).collect()
    }

    fn legend(&self) -> Vec<(Key, String)> {
        let mut legend = vec![
            (Key::Line(BLUE, 2.5), "outside the band".to_string()),
            (Key::Line(INSIDE, 2.5), "inside".to_string()),
            (Key::Dashed(ORANGE), format!("±1.96/√n = ±{}", number((self.band * 1000.0).round() / 1000.0))),
        ];
        if self.marked() {
            legend.push((Key::Upright(AXIS), format!("season of {}", number(self.season as f64))));
        }
        legend
    }
}

impl Drawing for Correlogram {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        if self.acf.is_empty() {
            return format!("{}: no data.", self.value);
        }
        let named = |values: &[f64]| {
            let outside = self.outside(values);
            let lags: Vec<String> = outside.iter().take(8).map(|lag| number(*lag as f64)).collect();
            match (outside.len(), lags.join(", ")) {
                (0, _) => "none".to_string(),
                (count, lags) if count <= 8 => format!("lags {lags}"),
                (count, lags) => format!("lags {lags} and {} more", count - 8),
            }
        };
        format!(
            "Autocorrelations and partial autocorrelations at lags 1 to {}. Outside the band: {}; of the partial ones {}.",
            self.lags(),
            named(&self.acf),
            named(&self.pacf)
        )
    }

    fn height(&self, width: f64) -> f64 {
        layout::head(width, &self.title, &self.value, &self.legend()) + 2.0 * 196.0 + FOOT - 4.0
    }

    fn data(&self) -> Table {
        Data::default()
            .counts("lag", 1..=self.lags())
            .numbers("autocorrelation", self.acf.iter().copied())
            .numbers("partial", self.pacf.iter().copied())
            .numbers("band", (0..self.lags()).map(|_| self.band))
            .table(&self.title)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value, &self.legend());
        let Some((low, high)) = layout::span(self.acf.iter().chain(&self.pacf)) else {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        };
        // One scale for both, so that they can be compared; correlations end at one.
        let band = if self.band.is_finite() { self.band.clamp(0.0, 1.0) } else { 0.0 };
        let y = ((low.min(-band) * 1.12).max(-1.05), (high.max(band) * 1.12).min(1.05));
        let high = (canvas.height() - top - FOOT + 14.0) / 2.0;
        let labels = label_width(canvas, y, high - 40.0);
        let lags = self.lags();
        let range = (0.5, lags as f64 + 0.5);
        for (index, (name, values)) in
            [("Autocorrelation", &self.acf), ("Partial autocorrelation", &self.pacf)].into_iter().enumerate()
        {
            let top = top + index as f64 * high;
            canvas.text((MARGIN, top + 15.0), Anchor::Start, name, PANEL);
            let room =
                Room { left: MARGIN, right: canvas.width() - MARGIN, top: top + 30.0, bottom: top + high - 16.0 };
            let frame = self.panel(canvas, room, range, y, labels, values);
            frame.time_axis(canvas, TimeAxis::Steps, range, index == 1);
        }
    }
}

impl Correlogram {
    fn panel(
        &self,
        canvas: &mut Canvas,
        room: Room,
        range: (f64, f64),
        y: (f64, f64),
        labels: f64,
        values: &[f64],
    ) -> Frame {
        let frame = Frame::new(canvas, room, range, y, labels);
        let edges = |at: f64| [(frame.left, frame.y.at(at)), (frame.right, frame.y.at(at))];
        let [from, _] = edges(self.band);
        let [_, to] = edges(-self.band);
        canvas.rect(from, to, BAND);
        if self.marked() {
            for lag in (1..=self.lags() / self.season).map(|k| k * self.season) {
                canvas.line(&frame.upright(lag as f64), AXIS.tint(0.6), 1.5);
            }
        }
        canvas.line(&edges(0.0), AXIS, 1.0);
        for at in [self.band, -self.band] {
            canvas.dashed(&edges(at), ORANGE, 1.25, 4.5, 3.0);
        }
        let slot = (frame.x.at(2.0) - frame.x.at(1.0)).abs();
        let width = (slot * 0.35).clamp(0.75, 2.5);
        for (k, value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
            let colour = if value.abs() > self.band { BLUE } else { INSIDE };
            let (x, end) = (frame.x.at(k as f64 + 1.0), frame.y.at(*value));
            canvas.line(&[(x, frame.y.at(0.0)), (x, end)], colour, width);
            if values.len() <= HEADS {
                canvas.dot((x, end), (slot * 0.3).clamp(1.5, 3.0), colour);
            }
        }
        frame
    }
}
