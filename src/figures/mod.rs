//! Which static pictures are there, and how does one become SVG or PNG?
//!
//! A figure is a [`Drawing`]: a title, a size, words for those who cannot see it, and one `draw` on a [`Canvas`]
//! that hides whether strokes become SVG or pixels. It is drawn when it is first asked for, and the same data give
//! the same bytes. **A new figure is one file here and two lines below** (`mod` and `pub use`).
//!
//! | file | question |
//! |---|---|
//! | `canvas.rs` | strokes, areas, words → SVG or pixels |
//! | `axes.rs`, `dates.rs` | where the ticks go and what they say |
//! | `layout.rs` | title, legend, palette: what all figures share |
//! | `overview.rs` … | one figure each |
//! | `tables.rs` | figures of a table of one's own |

mod axes;
mod canvas;
mod dates;
mod layout;
mod plots;
mod quality;
mod tables;

mod bars;
mod calibration;
mod chart;
mod correlogram;
mod course;
mod critical;
mod decomposition;
mod fan;
mod heat;
mod intervals;
mod lines;
mod matrix;
mod overview;
mod repairs;
mod seasonal;
mod waterfall;

pub use bars::Bars;
pub use calibration::Calibration;
pub use chart::{Chart, Places, Shape};
pub use correlogram::Correlogram;
pub use course::Course;
pub use critical::CriticalDifference;
pub use decomposition::Decomposed;
pub use fan::{Band, Fan, Fans};
pub use heat::{Cell, Heat};
pub use intervals::Intervals;
pub use lines::Lines;
pub use matrix::Matrix;
pub use overview::Overview;
pub use repairs::{Repair, Repairs};
pub use seasonal::Seasonal;
pub use tables::Look;
pub use waterfall::Waterfall;

pub use canvas::{Anchor, Canvas, Colour, Words};
pub(crate) use canvas::{REGULAR, SEMIBOLD};

use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::error::{Error, Result};
use crate::files::{mark, write_atomically};
use crate::show::{Block, Show, noun};

/// A picture: its title, what it says in words, and its drawing, made when first asked for.
///
/// ```
/// use tradewind::figures::Bars;
/// let rows = vec![("theta".to_string(), 0.81), ("naive".to_string(), 1.0)];
/// let bars = Bars { title: "Accuracy".into(), value: "MASE".into(), rows, best: Some(0), reference: None };
/// assert!(bars.figure().svg()?.starts_with("<svg"));
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone)]
pub struct Figure(Arc<Inner>);

struct Inner {
    title: String,
    alt: String,
    drawing: Box<dyn Drawing>,
    svg: OnceLock<String>,
}

/// One kind of picture. Implement it, and [`Figure::new`] does the rest.
pub trait Drawing: Send + Sync {
    /// The title, in sentence case: what the reader should see.
    fn title(&self) -> String;

    /// The picture in words, for those who cannot see it.
    fn alt(&self) -> String;

    /// Width and height in CSS pixels.
    fn size(&self) -> (u32, u32);

    /// Draw it, in CSS pixels from the upper left corner of a white canvas.
    fn draw(&self, canvas: &mut Canvas);
}

/// Is the horizontal axis made of dates or of numbered steps?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeAxis {
    /// Seconds since 1970-01-01T00:00Z.
    Dates,
    /// Step numbers.
    Steps,
}

/// One named line: `x` in seconds since 1970 or step numbers, `y` with a NaN where the line has a gap.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// What the line is.
    pub name: String,
    /// Where its points are.
    pub x: Vec<f64>,
    /// Their values; NaN is a gap.
    pub y: Vec<f64>,
}

impl Figure {
    /// A figure that draws `drawing` when it is first asked for.
    pub fn new(drawing: impl Drawing + 'static) -> Self {
        let (title, alt) = (drawing.title(), drawing.alt());
        Self(Arc::new(Inner { title, alt, drawing: Box::new(drawing), svg: OnceLock::new() }))
    }

    /// The picture as one SVG element: fit for a page of its own and for standing inside another.
    ///
    /// # Errors
    /// The embedded font cannot be read.
    pub fn svg(&self) -> Result<String> {
        if let Some(svg) = self.0.svg.get() {
            return Ok(svg.clone());
        }
        let drawing = &self.0.drawing;
        let svg = canvas::to_svg(drawing.size(), &self.0.title, &self.0.alt, &mut |canvas| drawing.draw(canvas))?;
        Ok(self.0.svg.get_or_init(|| svg).clone())
    }

    /// The picture as PNG with two pixels for each CSS pixel.
    ///
    /// # Errors
    /// The embedded font cannot be read, or the encoder refuses.
    pub fn png(&self) -> Result<Vec<u8>> {
        let drawing = &self.0.drawing;
        canvas::to_png(drawing.size(), &mut |canvas| drawing.draw(canvas))
    }

    /// Width over height: a page that lays words beside a picture wants to know.
    pub(crate) fn aspect(&self) -> f64 {
        let (wide, high) = self.0.drawing.size();
        f64::from(wide) / f64::from(high.max(1))
    }

    /// The title.
    pub fn title(&self) -> &str {
        &self.0.title
    }

    /// The picture in words.
    pub fn alt(&self) -> &str {
        &self.0.alt
    }

    /// Write a `.svg` or `.png` file, by the extension of `path`.
    ///
    /// # Errors
    /// The extension is another, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("").to_lowercase();
        let bytes = match extension.as_str() {
            "svg" => mark::at_end(&self.svg()?).into_bytes(),
            "png" => self.png()?,
            _ => {
                return Err(Error::usage(format!(
                    "cannot save a figure as `{}`: name a file that ends in .svg or .png",
                    path.display()
                )));
            }
        };
        write_atomically(path, &bytes)
    }
}

impl Show for Figure {
    fn block(&self) -> Block {
        Block::Figure(self.clone())
    }
}

noun!(Figure);

#[cfg(test)]
mod tests;
