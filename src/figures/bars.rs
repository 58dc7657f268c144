//! How do named things compare? Horizontal bars in the order given, each with its value at the end.

use super::axes::Scale;
use super::canvas::{Anchor, Canvas, Colour, Words};
use super::data::Data;
use super::layout::{self, AXIS, BLUE, GREY, INK, Key, MARGIN, ORANGE, SMALL};
use super::{Drawing, Figure};
use crate::format::{MISSING, column_labels};
use crate::show::{Categories, ChartKind, ChartSeries, SimpleChart, Table};

const MOST: usize = 40;
const ROW: f64 = 27.0;
const NAMES: f64 = 280.0;
const PLAIN: Colour = Colour(158, 184, 204);

/// Horizontal bars in the order given, one of them highlighted, with a reference line.
#[derive(Clone, Debug)]
pub struct Bars {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// Each thing's name and value; NaN is shown as a dash. The first forty are drawn.
    pub rows: Vec<(String, f64)>,
    /// The row to highlight, counted from 0.
    pub best: Option<usize>,
    /// A value to compare against, and what it is.
    pub reference: Option<(String, f64)>,
}

impl Bars {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn shown(&self) -> &[(String, f64)] {
        &self.rows[..self.rows.len().min(MOST)]
    }

    fn legend(&self) -> Vec<(Key, String)> {
        self.reference().map(|(name, _)| (Key::Dashed(ORANGE), name.to_string())).into_iter().collect()
    }

    fn reference(&self) -> Option<(&str, f64)> {
        self.reference.as_ref().filter(|(_, at)| at.is_finite()).map(|(name, at)| (name.as_str(), *at))
    }
}

impl Drawing for Bars {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let labels = column_labels(&self.shown().iter().map(|(_, value)| *value).collect::<Vec<_>>());
        let rows: Vec<String> =
            self.shown().iter().zip(&labels).take(8).map(|((name, _), value)| format!("{name} {value}")).collect();
        let more = self.rows.len().saturating_sub(8);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        if rows.is_empty() {
            format!("{}: no data.", self.value)
        } else {
            format!("{}: {}{more}.", self.value, rows.join(", "))
        }
    }

    fn height(&self, width: f64) -> f64 {
        let rows = self.shown().len().max(3) as f64 + if self.rows.len() > MOST { 1.0 } else { 0.0 };
        layout::head(width, &self.title, &self.value, &self.legend()) + rows * ROW + 22.0
    }

    fn data(&self) -> Table {
        let data = Data::default()
            .names("name", self.rows.iter().map(|(name, _)| name.as_str()))
            .numbers("value", self.rows.iter().map(|(_, value)| *value));
        let data = match self.reference() {
            Some((name, at)) => data.numbers(name, self.rows.iter().map(|_| at)),
            None => data,
        };
        data.table(&self.title)
    }

    /// A value to compare against is a line across lying bars, which no office chart has.
    fn chart(&self) -> Option<SimpleChart> {
        if self.reference().is_some() {
            return None;
        }
        let (names, values) = self.shown().iter().cloned().unzip();
        let marked = self.best.map(|best| (best, BLUE.parts()));
        let colour = if marked.is_some() { PLAIN } else { BLUE };
        Some(SimpleChart {
            kind: ChartKind::Bars,
            categories: Categories::Words(names),
            category_title: String::new(),
            value_title: self.value.clone(),
            series: vec![ChartSeries { marked, ..ChartSeries::new(self.value.as_str(), values, colour.parts()) }],
            shares: None,
        })
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value, &self.legend()) + 6.0;
        let rows = self.shown();
        if rows.is_empty() {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        }
        let name = |best: bool| Words { size: 12.5, bold: best, colour: INK };
        let labels = column_labels(&rows.iter().map(|(_, value)| *value).collect::<Vec<_>>());
        let width = |text: &str, words: Words| canvas.measure(text, words);
        let room = layout::names_room(canvas.width(), NAMES);
        let names = rows.iter().map(|(text, _)| width(text, name(true))).fold(0.0, f64::max).min(room);
        let value_room = labels.iter().map(|label| width(label, name(true))).fold(0.0, f64::max) + 10.0;

        let reference = self.reference().map(|(_, at)| at);
        let values: Vec<f64> = rows.iter().map(|(_, value)| *value).chain(reference).chain([0.0]).collect();
        let (low, high) = layout::span(&values).unwrap_or((0.0, 1.0));
        let (low, high) = if low == high { (0.0, 1.0) } else { (low, high) };
        let left = MARGIN + names + 12.0 + if low < 0.0 { value_room } else { 0.0 };
        let right = canvas.width() - MARGIN - if high > 0.0 { value_room } else { 0.0 };
        let scale = Scale::new((low, high), left, right);
        let zero = scale.at(0.0);
        let end = |value: f64| if value.is_finite() { scale.at(value) } else { zero };
        let middle = |index: usize| top + (index as f64 + 0.5) * ROW;
        let bottom = top + rows.len() as f64 * ROW;
        for (index, (text, value)) in rows.iter().enumerate() {
            let best = self.best == Some(index);
            let text = canvas.fit(text, name(best), room);
            canvas.text((MARGIN + names, middle(index) + 4.5), Anchor::End, &text, name(best));
            let colour = if best { BLUE } else { PLAIN };
            canvas.rect((zero, middle(index) - 9.0), (end(*value), middle(index) + 9.0), colour);
        }
        canvas.line(&[(zero, top), (zero, bottom)], AXIS, 1.0);
        if let Some(at) = reference {
            let x = scale.at(at);
            canvas.dashed(&[(x, top - 2.0), (x, bottom + 2.0)], ORANGE, 1.5, 4.5, 3.0);
        }
        for (index, ((_, value), label)) in rows.iter().zip(&labels).enumerate() {
            let best = self.best == Some(index);
            let (label, words) = if value.is_finite() {
                (label.as_str(), name(best))
            } else {
                (MISSING, Words { colour: GREY, ..name(false) })
            };
            let (anchor, side) = if *value < 0.0 { (Anchor::End, -1.0) } else { (Anchor::Start, 1.0) };
            let (from, width) = (end(*value) + side * 6.0, canvas.measure(label, words));
            // The line to compare against stops where a number stands.
            let (near, far) = (from - side * 3.0, from + side * (width + 3.0));
            canvas.rect((near, middle(index) - 9.0), (far, middle(index) + 9.0), Colour(255, 255, 255));
            canvas.text((from, middle(index) + 4.5), anchor, label, words);
        }
        if self.rows.len() > MOST {
            let more = format!("… {} more", self.rows.len() - MOST);
            canvas.text((MARGIN + names, bottom + 16.0), Anchor::End, &more, SMALL);
        }
    }
}
