//! A picture, whoever draws it: what every page, report and notebook asks of one.

use std::path::Path;
use std::sync::Arc;

use super::{Block, Show, SimpleChart, Table, noun};
use crate::error::{Error, Result};
use crate::files::{mark, write_atomically};

/// What a [`Figure`] is made of. [`figures`](crate::figures) draws all of ours; implement it for pictures that come
/// from elsewhere, and `Figure::from(picture)` goes wherever a figure does.
pub trait Picture: Send + Sync {
    /// The title, in sentence case: what the reader should see.
    fn title(&self) -> &str;

    /// The picture in words, for those who cannot see it.
    fn alt(&self) -> &str;

    /// Width and height in CSS pixels.
    fn size(&self) -> (u32, u32);

    /// The data that the picture shows.
    fn data(&self) -> Table;

    /// The picture as one SVG element.
    ///
    /// # Errors
    /// When it cannot be drawn.
    fn svg(&self) -> Result<String>;

    /// The picture laid out for another width, in CSS pixels; one that knows a single layout answers with that.
    ///
    /// # Errors
    /// When it cannot be drawn.
    fn svg_within(&self, width: u32) -> Result<String> {
        let _ = width;
        self.svg()
    }

    /// The picture laid out to fill a room whose width is so many times its height; without its title where another says what it
    /// shows. One that knows a single layout answers with that.
    ///
    /// # Errors
    /// When it cannot be drawn.
    fn svg_filling(&self, aspect: f64, titled: bool) -> Result<String> {
        let _ = (aspect, titled);
        self.svg()
    }

    /// The same as PNG with one and a half pixels for each CSS pixel: many of them are in one file.
    ///
    /// # Errors
    /// When it cannot be drawn.
    fn png_filling(&self, aspect: f64, titled: bool) -> Result<Vec<u8>> {
        let _ = (aspect, titled);
        self.png()
    }

    /// The picture as PNG with two pixels for each CSS pixel.
    ///
    /// # Errors
    /// When it cannot be drawn.
    fn png(&self) -> Result<Vec<u8>>;

    /// The picture as a chart that a presentation can draw by itself, if it is as simple as that.
    fn chart(&self) -> Option<SimpleChart> {
        None
    }
}

/// A picture: its title, its alternative text, and its drawing, made when first needed.
///
/// ```
/// use tradewind::figures::Bars;
/// let rows = vec![("theta".to_string(), 0.81), ("naive".to_string(), 1.0)];
/// let bars = Bars { title: "Accuracy".into(), value: "MASE".into(), rows, best: Some(0), reference: None };
/// assert!(bars.figure().svg()?.starts_with("<svg"));
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone)]
pub struct Figure(Arc<dyn Picture>);

impl Figure {
    /// The figure as one SVG element, for a page of its own or within another.
    ///
    /// # Errors
    /// The embedded font cannot be read.
    pub fn svg(&self) -> Result<String> {
        self.0.svg()
    }

    /// The figure laid out for another width, in CSS pixels, from 240 to 2,000: a telephone has about 360 for it.
    ///
    /// # Errors
    /// The embedded font cannot be read.
    pub fn svg_within(&self, width: u32) -> Result<String> {
        self.0.svg_within(width.clamp(240, 2_000))
    }

    /// The picture as PNG with two pixels for each CSS pixel.
    ///
    /// # Errors
    /// The embedded font cannot be read, or the encoder refuses.
    pub fn png(&self) -> Result<Vec<u8>> {
        self.0.png()
    }

    /// The figure for a slide, whose title says what it shows: laid out for a room so many times as wide as high, without a title.
    pub(crate) fn svg_filling(&self, aspect: f64, titled: bool) -> Result<String> {
        self.0.svg_filling(aspect, titled)
    }

    /// The same as PNG.
    pub(crate) fn png_filling(&self, aspect: f64, titled: bool) -> Result<Vec<u8>> {
        self.0.png_filling(aspect, titled)
    }

    /// The figure as a chart that a presentation can draw by itself; none if its meaning lies in more than lines or
    /// bars.
    ///
    /// ```
    /// use tradewind::figures::Bars;
    /// let rows = vec![("Toys".to_string(), 120.0), ("Food".to_string(), 80.0)];
    /// let bars = Bars { title: "Sales".into(), value: "USD".into(), rows, best: None, reference: None };
    /// assert_eq!(bars.figure().chart().map(|chart| chart.series[0].values.clone()), Some(vec![120.0, 80.0]));
    /// ```
    pub fn chart(&self) -> Option<SimpleChart> {
        self.0.chart().and_then(SimpleChart::checked)
    }

    /// Width over height, for pages that lay text beside a figure.
    pub(crate) fn aspect(&self) -> f64 {
        let (wide, high) = self.0.size();
        f64::from(wide) / f64::from(high.max(1))
    }

    /// Its width in CSS pixels.
    pub(crate) fn width(&self) -> u32 {
        self.0.size().0
    }

    /// The data behind the figure, including those for which it has no room: a column per quantity, `date` or `step`
    /// for the time axis, and names where several things of one kind are drawn.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let forecast = Panel::read("data/walmart_sales_weekly.csv", columns)?.fit(["theta"])?.forecast(8)?;
    /// let data = forecast.plot("theta")?.data();
    /// assert_eq!(data.columns()[..4], ["series", "date", "history", "mean"]);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    pub fn data(&self) -> Table {
        self.0.data()
    }

    /// The title.
    pub fn title(&self) -> &str {
        self.0.title()
    }

    /// The alternative text.
    pub fn alt(&self) -> &str {
        self.0.alt()
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

impl<P: Picture + 'static> From<P> for Figure {
    fn from(picture: P) -> Self {
        Self(Arc::new(picture))
    }
}

impl Show for Figure {
    fn block(&self) -> Block {
        Block::Figure(self.clone())
    }
}

noun!(Figure);
