//! What do all figures share? Palette, type sizes, the title, the legend and the words for missing data.
//!
//! Colours follow Okabe & Ito (2008), which stay apart for the colour-blind; greys carry what is context.

use super::canvas::{Anchor, Canvas, Colour, Words};

/// Text that is read.
pub(crate) const INK: Colour = Colour(32, 36, 42);
/// Text that is looked up: ticks, legends.
pub(crate) const GREY: Colour = Colour(98, 106, 115);
/// Axis lines.
pub(crate) const AXIS: Colour = Colour(150, 156, 163);
/// Grid lines.
pub(crate) const GRID: Colour = Colour(228, 231, 235);
/// The main series.
pub(crate) const BLUE: Colour = Colour(0, 114, 178);
/// What stands out from it.
pub(crate) const ORANGE: Colour = Colour(213, 94, 0);
/// Distinct things, in the order they are given out.
pub(crate) const PALETTE: [Colour; 6] = [
    Colour(213, 94, 0),
    Colour(0, 158, 115),
    Colour(204, 121, 167),
    Colour(230, 159, 0),
    Colour(86, 180, 233),
    Colour(0, 114, 178),
];
/// Lines that have a colour and a name of their own, and the colour of the rest.
pub(super) const NAMED: usize = 6;
pub(super) const REST: Colour = Colour(203, 208, 214);

/// The colour of one of several lines; the first is the main one.
pub(super) fn line_colour(index: usize) -> Colour {
    match index {
        0 => BLUE,
        index if index < NAMED => PALETTE[index - 1],
        _ => REST,
    }
}

/// The title of a figure.
pub(crate) const TITLE: Words = Words { size: 16.0, bold: true, colour: INK };
/// The title of a panel.
pub(crate) const PANEL: Words = Words { size: 12.5, bold: true, colour: INK };
/// The quantity and its unit.
pub(crate) const VALUE: Words = Words { size: 12.5, bold: false, colour: GREY };
/// Ticks and legends.
pub(crate) const SMALL: Words = Words { size: 12.0, bold: false, colour: GREY };

/// White space at the edge of every figure.
pub(crate) const MARGIN: f64 = 16.0;

/// How a legend entry is drawn.
#[derive(Clone, Copy)]
pub(crate) enum Key {
    Line(Colour, f64),
    Dashed(Colour),
    Dots(Colour),
    Ring(Colour),
    Patch(Colour),
    Upright(Colour),
}

/// The title in at most two lines; returns where the rest of the figure may begin.
pub(crate) fn title(canvas: &mut Canvas, text: &str) -> f64 {
    let mut y = MARGIN + 14.0;
    for line in canvas.wrap(text, TITLE, canvas.width() - 2.0 * MARGIN, 2) {
        canvas.text((MARGIN, y), Anchor::Start, &line, TITLE);
        y += 21.0;
    }
    y - 8.0
}

/// What is measured on the left and the legend after it, in as many lines as needed; returns where the rest begins.
pub(crate) fn subtitle(canvas: &mut Canvas, top: f64, value: &str, legend: &[(Key, String)]) -> f64 {
    let (right, mut y) = (canvas.width() - MARGIN, top + 14.0);
    let value = canvas.fit(value, VALUE, right - MARGIN);
    canvas.text((MARGIN, y), Anchor::Start, &value, VALUE);
    let mut x = MARGIN + if value.is_empty() { 0.0 } else { canvas.measure(&value, VALUE) + 28.0 };
    for (key, name) in legend {
        let name = canvas.fit(name, SMALL, right - MARGIN - 26.0);
        let swatch = if matches!(key, Key::Dots(_) | Key::Ring(_) | Key::Upright(_)) { 8.0 } else { 18.0 };
        let width = swatch + 6.0 + canvas.measure(&name, SMALL);
        if x + width > right && x > MARGIN {
            x = MARGIN;
            y += 19.0;
        }
        let middle = y - 4.0;
        let ends = [(x, middle), (x + swatch, middle)];
        match *key {
            Key::Line(colour, width) => canvas.line(&ends, colour, width),
            Key::Dashed(colour) => canvas.dashed(&ends, colour, 1.5, 4.5, 2.25),
            Key::Dots(colour) => canvas.dot((x + 4.0, middle), 3.0, colour),
            Key::Ring(colour) => canvas.ring((x + 4.0, middle), 3.25, colour),
            Key::Patch(colour) => canvas.rect((x, middle - 5.0), (x + swatch, middle + 5.0), colour),
            Key::Upright(colour) => canvas.line(&[(x + 4.0, middle - 7.0), (x + 4.0, middle + 7.0)], colour, 1.5),
        }
        canvas.text((x + swatch + 6.0, y), Anchor::Start, &name, SMALL);
        x += width + 18.0;
    }
    y + 10.0
}

/// How many lines [`subtitle`] will need is known only when drawing; this is a safe guess for the figure's height.
pub(crate) fn header_height(title: &str, legend: usize) -> u32 {
    let lines = if title.chars().count() > 80 { 2 } else { 1 };
    40 + 21 * (lines - 1) + 26 + 19 * (legend.saturating_sub(4) / 5) as u32
}

/// The words where a picture would be.
pub(crate) fn no_data(canvas: &mut Canvas, centre: (f64, f64)) {
    canvas.text(centre, Anchor::Middle, "No data", VALUE);
}

/// The least and the greatest finite value.
pub(crate) fn span<'a>(values: impl IntoIterator<Item = &'a f64>) -> Option<(f64, f64)> {
    values.into_iter().filter(|value| value.is_finite()).fold(None, |span, &value| match span {
        None => Some((value, value)),
        Some((low, high)) => Some((low.min(value), high.max(value))),
    })
}
