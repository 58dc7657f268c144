//! How do strokes, areas and words become SVG or pixels?
//!
//! One canvas in CSS pixels over the two plotters backends. Both count whole units, so a CSS pixel has six of them:
//! an SVG carries six units per pixel in its `viewBox`, and a PNG is drawn at six and averaged down to two, which
//! smooths every edge. Colours are opaque (a tint is mixed with white beforehand), so nothing depends on blending.
//! Words are measured and drawn with the embedded font (plotters' own drawing forgets the side bearings of letters).
//! A viewer of an SVG without that font takes a similar one, which may be a tenth wider: each text says how long it
//! is, so that it is set into the room that was kept for it.

use std::fmt::Write as _;
use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, PxScale, ScaleFont};
use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::{Color, RGBColor, ShapeStyle};

use crate::error::{Error, Result};
use crate::show::one_line;
use crate::show::wording::{once, said};

/// The embedded font: Open Sans, reduced to Latin letters, punctuation and arrows.
pub(crate) const REGULAR: &[u8] = include_bytes!("fonts/OpenSans-Regular.ttf");
/// Its heavier cut, for titles.
pub(crate) const SEMIBOLD: &[u8] = include_bytes!("fonts/OpenSans-Semibold.ttf");

/// The font that an SVG asks for.
const FAMILY: &str = "Open Sans, Segoe UI, Helvetica, Arial, sans-serif";
/// Units per CSS pixel.
const UNITS: f64 = 6.0;
/// Units averaged into one pixel of a PNG: two pixels per CSS pixel; one and a half where many pictures are in one file.
pub(crate) const FINE: usize = 3;
pub(crate) const LIGHT: usize = 4;

/// An opaque colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// The colour mixed with white; 1 leaves it, 0 is white.
    #[must_use]
    pub fn tint(self, share: f64) -> Self {
        let mix = |part: u8| (255.0 - (255.0 - f64::from(part)) * share.clamp(0.0, 1.0)).round() as u8;
        Self(mix(self.0), mix(self.1), mix(self.2))
    }

    /// Red, green, blue.
    pub(super) fn parts(self) -> [u8; 3] {
        [self.0, self.1, self.2]
    }

    fn opaque(self) -> RGBColor {
        RGBColor(self.0, self.1, self.2)
    }

    fn filled(self) -> ShapeStyle {
        self.opaque().filled()
    }

    fn stroked(self, width: f64) -> ShapeStyle {
        self.opaque().stroke_width(units(width).max(1) as u32)
    }
}

/// Which end of a text stands at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The text starts there.
    Start,
    /// The text is centred on it.
    Middle,
    /// The text ends there.
    End,
}

/// How words look: size in CSS pixels, weight, colour.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// Font size in CSS pixels.
    pub size: f64,
    /// The heavier cut.
    pub bold: bool,
    /// Colour of the letters.
    pub colour: Colour,
}

enum Sheet<'a> {
    Svg(SVGBackend<'a>),
    Pixels(BitMapBackend<'a>),
}

/// A white sheet to draw on, in CSS pixels from its upper left corner.
pub struct Canvas<'a> {
    sheet: Sheet<'a>,
    size: (f64, f64),
    /// The texts of an SVG, which stand above all else.
    words: String,
}

/// The same call on whichever backend is there. Writing to memory cannot fail, and a picture that lacks a stroke
/// is better than none: the backends' errors are dropped.
macro_rules! on {
    ($sheet:expr, $backend:ident => $call:expr) => {
        match &mut $sheet {
            Sheet::Svg($backend) => drop($call),
            Sheet::Pixels($backend) => drop($call),
        }
    };
}

impl Canvas<'_> {
    /// Width in CSS pixels.
    pub fn width(&self) -> f64 {
        self.size.0
    }

    /// Height in CSS pixels.
    pub fn height(&self) -> f64 {
        self.size.1
    }

    /// A filled rectangle between two corners.
    pub fn rect(&mut self, from: (f64, f64), to: (f64, f64), colour: Colour) {
        let (from, to) = (point(from), point(to));
        let corner = (from.0.min(to.0), from.1.min(to.1));
        let opposite = (from.0.max(to.0), from.1.max(to.1));
        if corner.0 < opposite.0 && corner.1 < opposite.1 {
            on!(self.sheet, backend => backend.draw_rect(corner, opposite, &colour.filled(), true));
        }
    }

    /// A line through points; one that is not finite breaks it.
    pub fn line(&mut self, points: &[(f64, f64)], colour: Colour, width: f64) {
        for run in points.split(|(x, y)| !x.is_finite() || !y.is_finite()) {
            let mut run: Vec<(i32, i32)> = run.iter().map(|&at| point(at)).collect();
            run.dedup();
            match (&mut self.sheet, run.as_slice()) {
                (_, []) => {}
                // A single point between two gaps would vanish.
                (_, [only]) => {
                    let radius = units(width * 0.9).max(1) as u32;
                    on!(self.sheet, backend => backend.draw_circle(*only, radius, &colour.filled(), true));
                }
                (Sheet::Svg(backend), _) => drop(backend.draw_path(run, &colour.stroked(width))),
                (Sheet::Pixels(backend), _) => stroke(backend, &run, colour, width * UNITS),
            }
        }
    }

    /// A dashed line: `dash` pixels drawn, `gap` pixels left out.
    pub fn dashed(&mut self, points: &[(f64, f64)], colour: Colour, width: f64, dash: f64, gap: f64) {
        for run in points.split(|(x, y)| !x.is_finite() || !y.is_finite()) {
            for piece in dashes(run, dash.max(0.5), gap.max(0.5)) {
                self.line(&piece, colour, width);
            }
        }
    }

    /// A filled area between two lines over the same places; a place where either is not finite breaks it.
    pub fn band(&mut self, x: &[f64], low: &[f64], high: &[f64], colour: Colour) {
        let places: Vec<(f64, f64, f64)> =
            x.iter().zip(low).zip(high).map(|((&x, &low), &high)| (x, low, high)).collect();
        for run in places.split(|(x, low, high)| !(x.is_finite() && low.is_finite() && high.is_finite())) {
            if let [(x, low, high)] = run {
                self.rect((x - 4.0, *low), (x + 4.0, *high), colour);
                continue;
            }
            let there = run.iter().map(|&(x, low, _)| point((x, low)));
            let back = run.iter().rev().map(|&(x, _, high)| point((x, high)));
            match &mut self.sheet {
                Sheet::Svg(backend) if !run.is_empty() => {
                    drop(backend.fill_polygon(there.chain(back).collect::<Vec<_>>(), &colour.filled()));
                }
                Sheet::Svg(_) => {}
                // Slice by slice: the scan-line filler is exact for a shape without hollows.
                Sheet::Pixels(backend) => {
                    for pair in run.windows(2) {
                        let corners =
                            [(0, true), (1, true), (1, false), (0, false)].map(|(index, lower): (usize, bool)| {
                                let (x, low, high) = pair[index];
                                point((x, if lower { low } else { high }))
                            });
                        drop(backend.fill_polygon(corners, &colour.filled()));
                    }
                }
            }
        }
    }

    /// A dot.
    pub fn dot(&mut self, at: (f64, f64), radius: f64, colour: Colour) {
        if at.0.is_finite() && at.1.is_finite() {
            let radius = units(radius).max(1) as u32;
            on!(self.sheet, backend => backend.draw_circle(point(at), radius, &colour.filled(), true));
        }
    }

    /// A hollow dot.
    pub fn ring(&mut self, at: (f64, f64), radius: f64, colour: Colour) {
        self.dot(at, radius + 0.75, colour);
        self.dot(at, radius - 0.75, Colour(255, 255, 255));
    }

    /// Words on the baseline at `at`.
    pub fn text(&mut self, at: (f64, f64), anchor: Anchor, text: &str, words: Words) {
        let text = one_line(&said(text));
        if text.is_empty() || !at.0.is_finite() || !at.1.is_finite() {
            return;
        }
        let em = words.size * UNITS;
        let long = extent(&text, em, words.bold);
        let (x, baseline) = point(at);
        match &mut self.sheet {
            Sheet::Svg(_) => {
                let anchor = match anchor {
                    Anchor::Start => "start",
                    Anchor::Middle => "middle",
                    Anchor::End => "end",
                };
                let weight = if words.bold { " font-weight=\"bold\"" } else { "" };
                let Colour(red, green, blue) = words.colour;
                // Writing to a string cannot fail.
                let _ = writeln!(
                    self.words,
                    "<text x=\"{x}\" y=\"{baseline}\" text-anchor=\"{anchor}\" font-size=\"{em}\"{weight} \
                     fill=\"#{red:02X}{green:02X}{blue:02X}\" textLength=\"{long:.0}\" \
                     lengthAdjust=\"spacingAndGlyphs\">{}</text>",
                    xml(&text),
                );
            }
            Sheet::Pixels(backend) => {
                let start = match anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => long / 2.0,
                    Anchor::End => long,
                };
                letters(backend, &text, (f64::from(x) - start, f64::from(baseline)), em, words);
            }
        }
    }

    /// The width of a text, in CSS pixels.
    pub fn measure(&self, text: &str, words: Words) -> f64 {
        measure(text, words)
    }

    /// The words cut with an ellipsis so that they are at most `room` wide.
    pub fn fit(&self, text: &str, words: Words, room: f64) -> String {
        fit(text, words, room)
    }

    /// The words in at most `most` lines of at most `room` pixels.
    pub fn wrap(&self, text: &str, words: Words, room: f64, most: usize) -> Vec<String> {
        wrap(text, words, room, most)
    }
}

/// The width of a text, in CSS pixels.
pub(crate) fn measure(text: &str, words: Words) -> f64 {
    extent(&one_line(&said(text)), words.size, words.bold)
}

/// The words cut with an ellipsis so that they are at most `room` wide.
pub(crate) fn fit(text: &str, words: Words, room: f64) -> String {
    let text = one_line(text);
    if measure(&text, words) <= room {
        return text;
    }
    let letters: Vec<char> = said(&text).chars().collect();
    let cut = |count: usize| once(letters[..count].iter().collect::<String>().trim_end().to_string() + "…");
    let (mut fits, mut fails) = (0, letters.len());
    while fails - fits > 1 {
        let middle = usize::midpoint(fits, fails);
        if measure(&cut(middle), words) <= room { fits = middle } else { fails = middle }
    }
    cut(fits)
}

/// The words in at most `most` lines of at most `room` pixels.
pub(crate) fn wrap(text: &str, words: Words, room: f64, most: usize) -> Vec<String> {
    let text = one_line(text);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let full = lines.len() == most;
        let Some(line) = lines.last_mut() else { break };
        let longer = if line.is_empty() { word.to_string() } else { format!("{line} {word}") };
        if full || line.is_empty() || measure(&longer, words) <= room {
            *line = longer;
        } else {
            lines.push(word.to_string());
        }
    }
    lines.iter().map(|line| fit(line, words, room)).collect()
}

/// Draw into one SVG element.
pub(crate) fn to_svg(size: (u32, u32), title: &str, alt: &str, draw: &mut dyn FnMut(&mut Canvas)) -> Result<String> {
    fonts()?;
    let (width, height) = (size.0.max(1), size.1.max(1));
    let mut buffer = String::new();
    let sheet = Sheet::Svg(SVGBackend::with_string(&mut buffer, (width * UNITS as u32, height * UNITS as u32)));
    let words = paint(sheet, (width, height), draw);
    let shapes = buffer.split_once('>').map_or("", |(_, body)| body).trim_end().trim_end_matches("</svg>");
    // No `id` anywhere: several pictures may stand in one page.
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" \
         preserveAspectRatio=\"xMinYMin meet\" \
         role=\"img\" aria-label=\"{}\" stroke-linejoin=\"round\" style=\"max-width:100%;height:auto\">\n\
         <title>{}</title>{shapes}<g font-family=\"{FAMILY}\">\n{words}</g>\n</svg>\n",
        f64::from(width) * UNITS,
        f64::from(height) * UNITS,
        xml(&said(alt)),
        xml(&said(title)),
    ))
}

/// Draw into a PNG, so many units to a pixel.
pub(crate) fn to_png(size: (u32, u32), samples: usize, draw: &mut dyn FnMut(&mut Canvas)) -> Result<Vec<u8>> {
    fonts()?;
    let (width, height) = (size.0.max(1), size.1.max(1));
    let (columns, rows) = (width as usize * UNITS as usize, height as usize * UNITS as usize);
    let mut fine = vec![255_u8; columns * rows * 3];
    {
        let backend = BitMapBackend::with_buffer(&mut fine, (columns as u32, rows as u32));
        paint(Sheet::Pixels(backend), (width, height), draw);
    }
    let stride = columns;
    let (columns, rows) = (columns / samples, rows / samples);
    let refused = |cause: png::EncodingError| Error::io("the picture cannot be encoded").because(cause);
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, columns as u32, rows as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // Flat colours: what predicts the next pixel of a photograph makes them larger.
    // The last per cent of size would take a third of the time of a deck.
    encoder.set_compression(png::Compression::Balanced);
    encoder.set_filter(png::Filter::NoFilter);
    let (key, text) = crate::files::mark::SOFTWARE;
    encoder.add_text_chunk(key.into(), text.into()).map_err(refused)?;
    let mut writer = encoder.write_header().map_err(refused)?;
    writer.write_image_data(&average(&fine, stride, (columns, rows), samples)).map_err(refused)?;
    writer.finish().map_err(refused)?;
    Ok(out)
}

/// Draw on a sheet; the texts that an SVG still needs.
fn paint(sheet: Sheet<'_>, (width, height): (u32, u32), draw: &mut dyn FnMut(&mut Canvas)) -> String {
    let mut canvas = Canvas { sheet, size: (f64::from(width), f64::from(height)), words: String::new() };
    canvas.rect((0.0, 0.0), canvas.size, Colour(255, 255, 255));
    draw(&mut canvas);
    on!(canvas.sheet, backend => backend.present());
    canvas.words
}

/// Each pixel is the mean of `samples` × `samples` fine ones, of which a line has `wide`.
fn average(fine: &[u8], wide: usize, (columns, rows): (usize, usize), samples: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(columns * rows * 3);
    let mut sums = vec![0_u32; columns * 3];
    for lines in fine.chunks_exact(wide * 3 * samples).take(rows) {
        sums.fill(0);
        for line in lines.chunks_exact(wide * 3) {
            for (sum, pixels) in sums.chunks_exact_mut(3).zip(line.chunks_exact(3 * samples)) {
                for pixel in pixels.chunks_exact(3) {
                    sum.iter_mut().zip(pixel).for_each(|(sum, channel)| *sum += u32::from(*channel));
                }
            }
        }
        out.extend(sums.iter().map(|sum| (sum / (samples * samples) as u32) as u8));
    }
    out
}

/// A thick line as quadrilaterals with round joints: plotters' own outline of a jagged line crosses itself and
/// leaves holes.
fn stroke(backend: &mut BitMapBackend, run: &[(i32, i32)], colour: Colour, width: f64) {
    let style = colour.filled();
    for pair in run.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let (dx, dy) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
        let length = dx.hypot(dy).max(1e-9);
        let (nx, ny) = (-dy / length * width / 2.0, dx / length * width / 2.0);
        let corner = |at: (i32, i32), side: f64| {
            ((f64::from(at.0) + side * nx).round() as i32, (f64::from(at.1) + side * ny).round() as i32)
        };
        let corners = [corner(from, 1.0), corner(to, 1.0), corner(to, -1.0), corner(from, -1.0)];
        if dx == 0.0 || dy == 0.0 {
            // Upright and level strokes are rectangles: exact, and the grid has many.
            let half = (width / 2.0).round().max(0.0) as i32;
            let (low, high) = ((from.0.min(to.0), from.1.min(to.1)), (from.0.max(to.0), from.1.max(to.1)));
            let (across, along) = if dx == 0.0 { (half, 0) } else { (0, half) };
            let odd = i32::from(width.round() as i32 % 2 == 0);
            let end = (high.0 + across - odd * i32::from(across > 0), high.1 + along - odd * i32::from(along > 0));
            drop(backend.draw_rect((low.0 - across, low.1 - along), end, &style, true));
        } else {
            drop(backend.fill_polygon(corners, &style));
        }
    }
    let radius = (width / 2.0).floor() as u32;
    if radius > 1 {
        for joint in run.iter().skip(1).take(run.len().saturating_sub(2)) {
            drop(backend.draw_circle(*joint, radius, &style, true));
        }
    }
}

/// A line cut into dashes.
fn dashes(run: &[(f64, f64)], dash: f64, gap: f64) -> Vec<Vec<(f64, f64)>> {
    const FAR: f64 = 20_000.0;
    let run: Vec<(f64, f64)> = run.iter().map(|(x, y)| (x.clamp(-FAR, FAR), y.clamp(-FAR, FAR))).collect();
    let mut pieces = Vec::new();
    let mut piece: Vec<(f64, f64)> = run.first().copied().into_iter().collect();
    let (mut drawing, mut left) = (true, dash);
    for pair in run.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let length = (x1 - x0).hypot(y1 - y0);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let at = (x0 + (x1 - x0) * done / length, y0 + (y1 - y0) * done / length);
            piece.push(at);
            if drawing {
                pieces.push(std::mem::take(&mut piece));
            }
            drawing = !drawing;
            left = if drawing { dash } else { gap };
            piece = vec![at];
        }
        left -= length - done;
        piece.push((x1, y1));
    }
    if drawing && piece.len() > 1 {
        pieces.push(piece);
    }
    pieces
}

/// The embedded font, regular and heavier.
fn fonts() -> Result<&'static [FontRef<'static>; 2]> {
    static FONTS: OnceLock<Option<[FontRef<'static>; 2]>> = OnceLock::new();
    let read = |bytes: &'static [u8]| FontRef::try_from_slice(bytes).ok();
    let fonts = FONTS.get_or_init(|| Some([read(REGULAR)?, read(SEMIBOLD)?]));
    fonts.as_ref().ok_or_else(|| Error::io("the font inside the program cannot be read; build it again"))
}

fn font(bold: bool) -> Option<&'static FontRef<'static>> {
    fonts().ok().map(|fonts| &fonts[usize::from(bold)])
}

/// The scale at which the font's em is `em` long.
fn scale(font: &FontRef, em: f64) -> PxScale {
    let units = f64::from(font.units_per_em().unwrap_or(2048.0));
    PxScale::from((em * f64::from(font.height_unscaled()) / units) as f32)
}

/// Has the embedded font this letter?
pub(crate) fn draws(letter: char) -> bool {
    font(false).is_none_or(|font| font.glyph_id(letter).0 != 0)
}

/// How long a text is when its em is `em`.
pub(crate) fn extent(text: &str, em: f64, bold: bool) -> f64 {
    let Some(font) = font(bold) else { return text.chars().count() as f64 * em * 0.55 };
    let font = font.as_scaled(scale(font, em));
    let mut last = None;
    let mut extent = 0.0;
    for glyph in text.chars().map(|letter| font.glyph_id(letter)) {
        extent += last.map_or(0.0, |last| font.kern(last, glyph)) + font.h_advance(glyph);
        last = Some(glyph);
    }
    f64::from(extent)
}

/// Draw letters as pixels.
fn letters(backend: &mut BitMapBackend, text: &str, (x, baseline): (f64, f64), em: f64, words: Words) {
    let Some(outlines) = font(words.bold) else { return };
    let size = scale(outlines, em);
    let font = outlines.as_scaled(size);
    let mut last = None;
    let mut x = x as f32;
    for glyph in text.chars().map(|letter| font.glyph_id(letter)) {
        x += last.map_or(0.0, |last| font.kern(last, glyph));
        let placed = glyph.with_scale_and_position(size, ab_glyph::point(x, baseline as f32));
        if let Some(outline) = outlines.outline_glyph(placed) {
            let corner = outline.px_bounds().min;
            outline.draw(|column, row, cover| {
                let at = (corner.x as i32 + column as i32, corner.y as i32 + row as i32);
                let colour = words.colour.opaque().mix(f64::from(cover).clamp(0.0, 1.0));
                let (width, height) = backend.get_size();
                if (0..width as i32).contains(&at.0) && (0..height as i32).contains(&at.1) {
                    drop(backend.draw_pixel(at, colour.to_backend_color()));
                }
            });
        }
        x += font.h_advance(glyph);
        last = Some(glyph);
    }
}

/// CSS pixels to units, within what a picture can hold.
fn units(pixels: f64) -> i32 {
    (pixels * UNITS).round().clamp(-100_000.0, 100_000.0) as i32
}

fn point((x, y): (f64, f64)) -> (i32, i32) {
    (units(x), units(y))
}

fn xml(text: &str) -> String {
    let text = one_line(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_and_wrapped() {
        fonts().unwrap();
        let words = Words { size: 12.0, bold: false, colour: Colour(0, 0, 0) };
        let svg = to_svg((300, 100), "t <&>\"", "alt", &mut |canvas| {
            let long = "A title that is much too long for its place ".repeat(4);
            assert!(canvas.measure(&canvas.fit(&long, words, 100.0), words) <= 100.0);
            let lines = canvas.wrap(&long, words, 200.0, 2);
            assert_eq!(lines.len(), 2);
            assert!(lines.iter().all(|line| canvas.measure(line, words) <= 200.0));
            assert_eq!(canvas.wrap("", words, 10.0, 2), [""]);
            assert_eq!(canvas.fit("x", words, 0.0), "…");
            canvas.text((10.0, 20.0), Anchor::Start, "<b>\u{0}&", words);
        })
        .unwrap();
        assert!(svg.contains("&lt;b&gt; &amp;") || svg.contains("&lt;b&gt;&amp;"), "{svg}");
        assert!(svg.contains("<title>t &lt;&amp;&gt;&quot;</title>") && !svg.contains(" id="));
    }

    #[test]
    fn dashes_cover_their_share() {
        let pieces = dashes(&[(0.0, 0.0), (100.0, 0.0)], 6.0, 4.0);
        let drawn: f64 = pieces.iter().map(|piece| piece[piece.len() - 1].0 - piece[0].0).sum();
        assert!((drawn - 60.0).abs() < 1e-9 && pieces.len() == 10, "{pieces:?}");
    }

    #[test]
    fn nothing_breaks_it() {
        let draw = &mut |canvas: &mut Canvas| {
            canvas.line(&[(f64::NAN, 1.0), (1e30, -1e30), (5.0, 5.0)], Colour(0, 0, 0), 1.0);
            canvas.line(&[(3.0, 3.0)], Colour(0, 0, 0), 1.0);
            canvas.band(&[0.0, 1.0, 2.0], &[0.0, f64::NAN, 3.0], &[1.0, 2.0, 9.0], Colour(0, 0, 0));
            canvas.dashed(&[], Colour(0, 0, 0), 1.0, 0.0, 0.0);
            canvas.dot((f64::INFINITY, 0.0), 2.0, Colour(0, 0, 0));
        };
        assert!(to_svg((0, 0), "", "", draw).unwrap().ends_with("</svg>\n"));
        assert!(to_png((40, 40), FINE, draw).unwrap().starts_with(b"\x89PNG"));
    }
}
