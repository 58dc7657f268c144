//! How does a number come about? A waterfall chart: from a baseline, each part up or down, to the result.

use super::axes::Scale;
use super::canvas::{Anchor, Canvas, Words};
use super::data::Data;
use super::layout::{self, AXIS, BLUE, GREY, INK, Key, MARGIN, ORANGE};
use super::{Drawing, Figure};
use crate::format::{column_labels, number};
use crate::show::Table;

const ROW: f64 = 27.0;
const NAMES: f64 = 260.0;

/// A number as the sum of its parts.
#[derive(Clone, Debug)]
pub struct Waterfall {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// The start: a name and a value.
    pub start: (String, f64),
    /// The contributions, in the order given.
    pub parts: Vec<(String, f64)>,
    /// The name of where it ends.
    pub end: String,
}

impl Waterfall {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    /// By row: the name, where its bar begins and ends, and whether it is a part.
    fn rows(&self) -> Vec<(&str, f64, f64, bool)> {
        let mut at = self.start.1;
        let mut rows = vec![(self.start.0.as_str(), 0.0, at, false)];
        for (name, part) in &self.parts {
            rows.push((name, at, at + part, true));
            at += part;
        }
        rows.push((&self.end, 0.0, at, false));
        rows
    }

    /// The ends of all bars. Where the parts are small beside the whole, zero is left out: what is to be seen is the
    /// parts.
    fn range(&self) -> Option<(f64, f64, bool)> {
        let rows = self.rows();
        let ends: Vec<f64> =
            rows.iter().flat_map(|(_, from, to, part)| if *part { [*from, *to] } else { [*to, *to] }).collect();
        let (low, high) = layout::span(&ends)?;
        let far = low > 0.0 && high - low < 0.5 * high || high < 0.0 && high - low < -0.5 * low;
        Some((low, high, far))
    }

    fn value(&self, far: bool) -> String {
        if far { format!("{} · the bars do not begin at 0", self.value) } else { self.value.clone() }
    }
}

fn legend() -> [(Key, String); 2] {
    [(Key::Patch(BLUE), "more".to_string()), (Key::Patch(ORANGE), "less".to_string())]
}

impl Drawing for Waterfall {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let end = self.rows().last().map_or(0.0, |row| row.2);
        let parts: Vec<String> =
            self.parts.iter().map(|(name, part)| format!("{name} {}{}", sign(*part), number(part.abs()))).collect();
        format!(
            "{}: {} {}; {}; {} {}.",
            self.value,
            self.start.0,
            number(self.start.1),
            parts.join(", "),
            self.end,
            number(end)
        )
    }

    fn height(&self, width: f64) -> f64 {
        let value = self.value(self.range().is_some_and(|(.., far)| far));
        layout::head(width, &self.title, &value, &legend()) + (self.parts.len() + 2) as f64 * ROW + 22.0
    }

    fn data(&self) -> Table {
        let rows = self.rows();
        Data::default()
            .names("name", rows.iter().map(|(name, ..)| *name))
            .numbers("adds", rows.iter().map(|(_, from, to, part)| if *part { to - from } else { f64::NAN }))
            .numbers("reaches", rows.iter().map(|(_, _, to, _)| *to))
            .table(&self.title)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let rows = self.rows();
        let Some((low, high, far)) = self.range() else {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        };
        let (low, high) = if far {
            (low - 0.2 * (high - low).max(1e-9), high + 0.05 * (high - low))
        } else {
            (low.min(0.0), high.max(0.0))
        };
        let (low, high) = if low == high { (low, low + 1.0) } else { (low, high) };
        let top = layout::subtitle(canvas, top, &self.value(far), &legend()) + 6.0;
        let words = |bold: bool| Words { size: 12.5, bold, colour: INK };
        let amounts: Vec<f64> = rows.iter().map(|(_, from, to, part)| if *part { to - from } else { *to }).collect();
        let labels: Vec<String> = column_labels(&amounts.iter().map(|amount| amount.abs()).collect::<Vec<_>>())
            .into_iter()
            .zip(&rows)
            .zip(&amounts)
            .map(
                |((label, row), amount)| {
                    if row.3 || *amount < 0.0 { format!("{}{label}", sign(*amount)) } else { label }
                },
            )
            .collect();
        let width = |texts: &mut dyn Iterator<Item = &str>| {
            texts.map(|text| canvas.measure(text, words(true))).fold(0.0, f64::max)
        };
        let limit = layout::names_room(canvas.width(), NAMES);
        let names = width(&mut rows.iter().map(|row| row.0)).min(limit);
        let room = width(&mut labels.iter().map(String::as_str)) + 10.0;
        let left = MARGIN + names + 12.0;
        let scale = Scale::new((low, high), left + room, canvas.width() - MARGIN - room);
        let origin = scale.at(if far { low } else { 0.0 });
        for (index, ((name, from, to, part), label)) in rows.iter().zip(&labels).enumerate() {
            let middle = top + (index as f64 + 0.5) * ROW;
            let name = canvas.fit(name, words(!part), limit);
            canvas.text((MARGIN + names, middle + 4.5), Anchor::End, &name, words(!part));
            let (a, b) = if *part { (scale.at(*from), scale.at(*to)) } else { (origin, scale.at(*to)) };
            let colour = match (*part, to >= from) {
                (false, _) => GREY,
                (true, true) => BLUE,
                (true, false) => ORANGE,
            };
            canvas.rect((a, middle - 9.0), (b, middle + 9.0), colour);
            if index + 1 < rows.len() {
                // From where a bar ends to where the next begins.
                canvas.line(&[(b, middle + 9.0), (b, middle + ROW - 9.0)], AXIS, 1.0);
            }
            let (at, anchor) = if b >= a { (a.max(b) + 6.0, Anchor::Start) } else { (a.min(b) - 6.0, Anchor::End) };
            canvas.text((at, middle + 4.5), anchor, label, words(!part));
        }
    }
}

fn sign(value: f64) -> &'static str {
    if value < 0.0 { "−" } else { "+" }
}
