//! What do all figures share? Palette, type sizes, the title, the legend and the words for missing data.
//!
//! Colours follow Okabe & Ito (2008), which stay apart for the colour-blind; greys carry what is context.

use std::cell::Cell;

use super::canvas::{Anchor, Canvas, Colour, Words, fit, measure, wrap};
use crate::show::number;

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
    /// The edge of a square.
    Box(Colour),
}

/// The width of a figure on a page, and the width below which a figure is laid out for a telephone.
pub(crate) const WIDTH: f64 = 820.0;
pub(crate) const NARROW: f64 = 600.0;
/// The width above which a figure is laid out for a slide.
pub(crate) const SLIDE: f64 = 1_000.0;

/// The lines of a title: two on a page, more where lines are short.
fn title_lines(text: &str, width: f64) -> Vec<String> {
    wrap(text, TITLE, width - 2.0 * MARGIN, if width < NARROW { 4 } else { 2 })
}

thread_local! {
    static TITLED: Cell<bool> = const { Cell::new(true) };
}

/// What is drawn inside has its title, or none where it stands below another that says what it shows.
pub(super) fn titled<T>(titled: bool, draw: impl FnOnce() -> T) -> T {
    struct Restored(bool);
    impl Drop for Restored {
        fn drop(&mut self) {
            TITLED.set(self.0);
        }
    }
    let _restored = Restored(TITLED.replace(titled));
    draw()
}

/// Where a figure begins that has no title.
const UNTITLED: f64 = 4.0;

/// The title; returns where the rest of the figure may begin.
pub(crate) fn title(canvas: &mut Canvas, text: &str) -> f64 {
    if !TITLED.get() {
        return UNTITLED;
    }
    let mut y = MARGIN + 14.0;
    for line in title_lines(text, canvas.width()) {
        canvas.text((MARGIN, y), Anchor::Start, &line, TITLE);
        y += 21.0;
    }
    y - 8.0
}

/// Where the value and the entries of a legend stand, from `top` on, and where the rest may begin.
struct Flow {
    value: Vec<String>,
    entries: Vec<(f64, f64, String)>,
    end: f64,
}

fn swatch(key: Key) -> f64 {
    if matches!(key, Key::Dots(_) | Key::Ring(_) | Key::Upright(_) | Key::Box(_)) { 8.0 } else { 18.0 }
}

fn flow(width: f64, top: f64, value: &str, legend: &[(Key, String)]) -> Flow {
    let (right, mut y) = (width - MARGIN, top + 14.0);
    let value = wrap(value, VALUE, right - MARGIN, 3);
    let first = value.iter().map(|line| measure(line, VALUE)).fold(0.0, f64::max);
    y += 17.0 * (value.len() as f64 - 1.0);
    let mut x = match value.as_slice() {
        [only] if only.is_empty() => MARGIN,
        [_] => MARGIN + first + 28.0,
        _ => right,
    };
    let mut entries = Vec::with_capacity(legend.len());
    for (key, name) in legend {
        let name = fit(name, SMALL, right - MARGIN - 26.0);
        let width = swatch(*key) + 6.0 + measure(&name, SMALL);
        if x + width > right && x > MARGIN {
            x = MARGIN;
            y += 19.0;
        }
        entries.push((x, y, name));
        x += width + 18.0;
    }
    Flow { value, entries, end: y + 10.0 }
}

/// What is measured on the left and the legend after it, in as many lines as needed; returns where the rest begins.
pub(crate) fn subtitle(canvas: &mut Canvas, top: f64, value: &str, legend: &[(Key, String)]) -> f64 {
    let flow = flow(canvas.width(), top, value, legend);
    for (line, text) in flow.value.iter().enumerate() {
        canvas.text((MARGIN, top + 14.0 + 17.0 * line as f64), Anchor::Start, text, VALUE);
    }
    for ((key, _), (x, y, name)) in legend.iter().zip(flow.entries) {
        let (swatch, middle) = (swatch(*key), y - 4.0);
        let ends = [(x, middle), (x + swatch, middle)];
        match *key {
            Key::Line(colour, width) => canvas.line(&ends, colour, width),
            Key::Dashed(colour) => canvas.dashed(&ends, colour, 1.5, 4.5, 2.25),
            Key::Dots(colour) => canvas.dot((x + 4.0, middle), 3.0, colour),
            Key::Ring(colour) => canvas.ring((x + 4.0, middle), 3.25, colour),
            Key::Patch(colour) => canvas.rect((x, middle - 5.0), (x + swatch, middle + 5.0), colour),
            Key::Upright(colour) => canvas.line(&[(x + 4.0, middle - 7.0), (x + 4.0, middle + 7.0)], colour, 1.5),
            Key::Box(colour) => outline(canvas, (x, middle - 4.0), (x + 8.0, middle + 4.0), colour, 2.0),
        }
        canvas.text((x + swatch + 6.0, y), Anchor::Start, &name, SMALL);
    }
    flow.end
}

/// The edge of a rectangle.
pub(super) fn outline(canvas: &mut Canvas, from: (f64, f64), to: (f64, f64), colour: Colour, width: f64) {
    canvas.line(&[from, (to.0, from.1), to, (from.0, to.1), from, (to.0, from.1)], colour, width);
}

/// Where [`subtitle`] ends: what a figure's height begins with.
pub(crate) fn head(width: f64, title: &str, value: &str, legend: &[(Key, String)]) -> f64 {
    let top = match TITLED.get() {
        true => MARGIN + 14.0 + 21.0 * title_lines(title, width).len() as f64 - 8.0,
        false => UNTITLED,
    };
    flow(width, top, value, legend).end
}

/// The most room for names beside a plot: `most` on a page, a third of a narrow figure.
pub(super) fn names_room(width: f64, most: f64) -> f64 {
    if width < NARROW { most.min(width * 0.34) } else { most }
}

/// A value for people: three significant digits.
pub(super) fn short(value: f64) -> String {
    if !value.is_finite() || value == 0.0 || !(1e-4..1e15).contains(&value.abs()) {
        return number(value);
    }
    let scale = 10f64.powi(2 - value.abs().log10().floor() as i32);
    number((value * scale).round() / scale)
}

/// The same with a sign of its own.
pub(super) fn signed(value: f64) -> String {
    let text = short(value.abs());
    match value {
        value if value > 0.0 => format!("+{text}"),
        value if value < 0.0 => format!("−{text}"),
        _ => text,
    }
}

/// A share as `12 %`; what is there but rounds to nothing is `< 1 %`.
pub(super) fn percent(share: f64) -> String {
    match 100.0 * share {
        per if per > 0.0 && per < 1.0 => "< 1 %".into(),
        per => format!("{} %", number(per.round())),
    }
}

/// Words on a white ground, above whatever lies there.
pub(super) fn tag(canvas: &mut Canvas, at: (f64, f64), anchor: Anchor, text: &str, words: Words) {
    let width = canvas.measure(text, words);
    let start = match anchor {
        Anchor::Start => at.0,
        Anchor::Middle => at.0 - width / 2.0,
        Anchor::End => at.0 - width,
    };
    let (top, bottom) = (at.1 - 0.8 * words.size, at.1 + 0.25 * words.size);
    canvas.rect((start - 2.0, top), (start + width + 2.0, bottom), Colour(255, 255, 255));
    canvas.text(at, anchor, text, words);
}

/// The value below which a share of sorted values lies.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share.clamp(0.0, 1.0) * sorted.len().saturating_sub(1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    match (sorted.get(low), sorted.get(high)) {
        (Some(low), Some(high)) => low + (high - low) * place.fract(),
        _ => f64::NAN,
    }
}

/// The finite values in order.
pub(super) fn sorted<'a>(values: impl IntoIterator<Item = &'a f64>) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.into_iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted
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
