//! Which static pictures are there, and how does one become SVG or PNG?
//!
//! A figure is a [`Drawing`]: a title, a size, words for those who cannot see it, and one `draw` on a [`Canvas`]
//! that hides whether strokes become SVG or pixels. It is drawn when it is first asked for, and the same data give
//! the same bytes. It knows plain numbers and no noun: [`show`](crate::show) holds it, and which figure shows a noun is
//! decided above the nouns. **A new figure is one file here and two lines below** (`mod` and `pub use`).
//!
//! | file | question |
//! |---|---|
//! | `canvas.rs` | strokes, areas, words → SVG or pixels |
//! | `axes.rs`, `dates.rs` | where the ticks go and what they say |
//! | `data.rs` | what a figure shows, as a table |
//! | `layout.rs` | title, legend, palette: what all figures share |
//! | `overview.rs` … | one figure each |
//! | `tables.rs` | figures of a table of one's own |

mod axes;
mod canvas;
mod data;
mod dates;
mod layout;
mod tables;

mod around;
mod bars;
mod calendar;
mod calibration;
mod chart;
mod correlations;
mod correlogram;
mod critical;
mod decomposition;
mod distribution;
mod fan;
mod glance;
mod heat;
mod history;
mod intervals;
mod lines;
mod marked;
mod matrix;
mod overview;
mod panels;
mod pareto;
mod repairs;
mod scatter;
mod schedule;
mod seasonal;
mod waterfall;

pub use around::Around;
pub use bars::Bars;
pub use calendar::CalendarHeat;
pub use calibration::Calibration;
pub use chart::{Chart, Places, Shape};
pub use correlations::Correlations;
pub use correlogram::Correlogram;
pub use critical::CriticalDifference;
pub use decomposition::Decomposed;
pub use distribution::Distribution;
pub use fan::{Band, Fan, Fans};
pub use glance::{Glance, Shows};
pub use heat::{Cell, Heat};
pub use history::OptimisationHistory;
pub use intervals::Intervals;
pub use lines::Lines;
pub use marked::Marked;
pub use matrix::Matrix;
pub use overview::Overview;
pub use panels::Panels;
pub use pareto::Pareto;
pub use repairs::{Repair, Repairs};
pub use scatter::Scatter;
pub use schedule::Schedule;
pub use seasonal::Seasonal;
pub use tables::Look;
pub use waterfall::Waterfall;

pub use canvas::{Anchor, Canvas, Colour, Words};
pub(crate) use canvas::{REGULAR, SEMIBOLD, draws, extent};

use std::sync::OnceLock;

use crate::error::Result;
pub use crate::show::Figure;
use crate::show::wording::is_own;
use crate::show::{Categories, Picture, SimpleChart, Table};

/// One kind of picture. Implement it, and [`Figure::new`] does the rest.
pub trait Drawing: Send + Sync {
    /// The title, in sentence case: what the reader should see.
    fn title(&self) -> String;

    /// The picture in words, for those who cannot see it.
    fn alt(&self) -> String;

    /// Width and height in CSS pixels.
    fn size(&self) -> (u32, u32) {
        (layout::WIDTH as u32, self.height(layout::WIDTH).ceil() as u32)
    }

    /// The height that it takes at a width, both in CSS pixels; `draw` asks the canvas for the width it has.
    fn height(&self, width: f64) -> f64;

    /// The data that it shows, also those for which there is no room.
    fn data(&self) -> Table;

    /// Draw it, in CSS pixels from the upper left corner of a white canvas, which may be narrower than `size`.
    fn draw(&self, canvas: &mut Canvas);

    /// The drawing as a chart that a presentation can draw by itself, where that shows the same.
    fn chart(&self) -> Option<SimpleChart> {
        None
    }
}

/// Is the horizontal axis made of dates or of numbered steps?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeAxis {
    /// Seconds since 1970-01-01T00:00Z.
    Dates,
    /// Step numbers.
    Steps,
}

impl TimeAxis {
    /// Places on the axis as the categories of a chart.
    fn categories(self, places: Vec<f64>) -> Categories {
        match self {
            Self::Dates => Categories::Dates(places),
            Self::Steps => Categories::Steps(places),
        }
    }
}

/// One named line: `x` in seconds since 1970 or step numbers, `y` with a NaN where the line has a gap.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// The name.
    pub name: String,
    /// The x coordinates.
    pub x: Vec<f64>,
    /// Their values; NaN is a gap.
    pub y: Vec<f64>,
}

/// A drawing as a picture. The same data give the same bytes, so that the text is drawn once.
struct Drawn<D> {
    title: String,
    alt: String,
    drawing: D,
    svg: OnceLock<String>,
}

impl<D: Drawing> Drawn<D> {
    fn size_within(&self, width: u32) -> (u32, u32) {
        (width, self.drawing.height(f64::from(width)).ceil() as u32)
    }

    /// The width at which it is most nearly so many times as wide as high.
    fn width_filling(&self, aspect: f64) -> u32 {
        let far = |width: &u32| (f64::from(*width) / self.drawing.height(f64::from(*width)) / aspect).ln().abs();
        (600..=1_320).step_by(40).min_by(|a, b| far(a).total_cmp(&far(b))).unwrap_or(layout::WIDTH as u32)
    }
}

impl<D: Drawing> Picture for Drawn<D> {
    fn title(&self) -> &str {
        &self.title
    }

    fn alt(&self) -> &str {
        &self.alt
    }

    fn size(&self) -> (u32, u32) {
        self.drawing.size()
    }

    fn data(&self) -> Table {
        self.drawing.data()
    }

    fn svg(&self) -> Result<String> {
        // What is drawn for the readers of one page is not for those of another.
        if let Some(svg) = self.svg.get().filter(|_| !is_own()) {
            return Ok(svg.clone());
        }
        let svg = canvas::to_svg(self.size(), &self.title, &self.alt, &mut |canvas| self.drawing.draw(canvas))?;
        if is_own() {
            return Ok(svg);
        }
        Ok(self.svg.get_or_init(|| svg).clone())
    }

    fn png(&self) -> Result<Vec<u8>> {
        canvas::to_png(self.size(), canvas::FINE, &mut |canvas| self.drawing.draw(canvas))
    }

    fn svg_filling(&self, aspect: f64, titled: bool) -> Result<String> {
        layout::titled(titled, || self.svg_within(self.width_filling(aspect)))
    }

    fn png_filling(&self, aspect: f64, titled: bool) -> Result<Vec<u8>> {
        layout::titled(titled, || {
            let size = self.size_within(self.width_filling(aspect));
            canvas::to_png(size, canvas::LIGHT, &mut |canvas| self.drawing.draw(canvas))
        })
    }

    fn chart(&self) -> Option<SimpleChart> {
        self.drawing.chart()
    }

    fn svg_within(&self, width: u32) -> Result<String> {
        canvas::to_svg(self.size_within(width), &self.title, &self.alt, &mut |canvas| self.drawing.draw(canvas))
    }
}

impl Figure {
    /// A figure that draws `drawing` when it is first asked for.
    pub fn new(drawing: impl Drawing + 'static) -> Self {
        Self::from(Drawn { title: drawing.title(), alt: drawing.alt(), drawing, svg: OnceLock::new() })
    }
}

#[cfg(test)]
mod tests;
