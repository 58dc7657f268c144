//! How few make most of it? Bars from the largest to the smallest, and the line of their cumulated share.

use super::axes::Scale;
use super::canvas::{Anchor, Canvas, Words};
use super::data::Data;
use super::layout::{self, AXIS, BLUE, GREY, GRID, INK, Key, MARGIN, ORANGE, SMALL, percent, short};
use super::{Drawing, Figure};
use crate::format::MISSING;
use crate::show::{Categories, ChartKind, ChartSeries, SimpleChart, Table, number};

/// Rows that one picture holds; the rest is drawn together.
const MOST: usize = 25;
/// Rows that the alternative text names.
const TOLD: usize = 8;
const ROW: f64 = 21.0;
const NAMES: f64 = 240.0;

/// Shares of a whole, the largest first.
#[derive(Clone, Debug)]
pub struct Pareto {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// Name and value of each, the largest first; the rest is drawn together where there are many.
    pub rows: Vec<(String, f64)>,
    /// Cumulated shares at which classes end: 0.8, 0.95.
    pub thresholds: Vec<f64>,
}

impl Pareto {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    /// What is positive and finite; the rest takes no part in the whole.
    fn part(value: f64) -> f64 {
        if value.is_finite() { value.max(0.0) } else { 0.0 }
    }

    /// Cumulated shares, row by row; empty where the whole is nothing.
    fn shares(&self) -> Vec<f64> {
        // Scaled first: a sum of the greatest floats would overflow.
        let most = self.rows.iter().map(|row| Self::part(row.1)).fold(0.0, f64::max);
        let parts: Vec<f64> = self.rows.iter().map(|row| Self::part(row.1) / most).collect();
        let all: f64 = parts.iter().sum();
        if !(all.is_finite() && all > 0.0) {
            return Vec::new();
        }
        parts
            .iter()
            .scan(0.0, |sum, part| {
                *sum += part / all;
                Some(*sum)
            })
            .collect()
    }

    fn shown(&self) -> usize {
        if self.rows.len() <= MOST + 1 { self.rows.len() } else { MOST }
    }

    /// How many of the first rows make a share of the whole.
    fn needed(&self, shares: &[f64], threshold: f64) -> Option<usize> {
        (threshold > 0.0).then(|| shares.iter().position(|share| *share >= threshold - 1e-9))?.map(|place| place + 1)
    }

    fn counts(&self) -> Vec<String> {
        let (shares, all) = (self.shares(), self.rows.len());
        let told = |threshold: &f64| {
            let count = self.needed(&shares, *threshold)?;
            let of = format!("{} of {}", number(count as f64), number(all as f64));
            Some(format!("{} from {of} ({})", percent(*threshold), percent(count as f64 / all as f64)))
        };
        self.thresholds.iter().filter_map(told).collect()
    }

    fn value(&self) -> String {
        let counts = self.counts();
        if counts.is_empty() { self.value.clone() } else { format!("{} · {}", self.value, counts.join("; ")) }
    }

    fn legend(&self) -> Vec<(Key, String)> {
        vec![(Key::Patch(BLUE.tint(0.55)), "value".into()), (Key::Line(ORANGE, 2.0), "cumulated share".into())]
    }
}

impl Drawing for Pareto {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let shares = self.shares();
        if shares.is_empty() {
            return format!("{}: no data.", self.value);
        }
        let mut before = 0.0;
        let parts: Vec<String> = (self.rows.iter().zip(&shares).take(TOLD))
            .map(|((name, value), share)| {
                let own = share - before;
                before = *share;
                format!("{name} {} ({})", short(*value), percent(own))
            })
            .collect();
        let counts = self.counts();
        let counts = if counts.is_empty() { String::new() } else { format!(" {}.", counts.join("; ")) };
        let more = self.rows.len().saturating_sub(TOLD);
        let more = if more > 0 { format!("; {} more", number(more as f64)) } else { String::new() };
        format!("{}, the largest first: {}{more}.{counts}", self.value, parts.join("; "))
    }

    fn height(&self, width: f64) -> f64 {
        let rows = self.shown() + usize::from(self.shown() < self.rows.len());
        layout::head(width, &self.title, &self.value(), &self.legend()) + rows.max(3) as f64 * ROW + 44.0
    }

    fn data(&self) -> Table {
        Data::default()
            .names("name", self.rows.iter().map(|(name, _)| name.as_str()))
            .numbers("value", self.rows.iter().map(|(_, value)| *value))
            .numbers("cumulated share", self.shares())
            .table(&self.title)
    }

    /// Columns and the line of shares over them, as every office program knows it; the rest is not drawn together there,
    /// where it would dwarf what is named.
    fn chart(&self) -> Option<SimpleChart> {
        let rows = &self.rows[..self.shown()];
        let (names, values) = rows.iter().map(|(name, value)| (name.clone(), Self::part(*value))).unzip();
        let shares = self.shares().into_iter().take(rows.len()).collect();
        let value = self.value.as_str();
        Some(SimpleChart {
            kind: ChartKind::Columns,
            categories: Categories::Words(names),
            category_title: String::new(),
            value_title: self.value(),
            series: vec![ChartSeries::new(value, values, BLUE.tint(0.55).parts())],
            shares: Some(ChartSeries::new("cumulated share", shares, ORANGE.parts())),
        })
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value(), &self.legend()) + 22.0;
        let shares = self.shares();
        if shares.is_empty() {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        }
        let count = self.shown();
        let rest = &self.rows[count..];
        let others = format!("{} others", number(rest.len() as f64));
        let mut rows: Vec<(&str, f64, f64)> = self.rows[..count]
            .iter()
            .zip(&shares)
            .map(|((name, value), share)| (name.as_str(), *value, *share))
            .collect();
        if !rest.is_empty() {
            let sum = rest.iter().map(|row| Self::part(row.1)).sum::<f64>();
            rows.push((&others, sum, 1.0));
        }
        let name = Words { size: 12.5, bold: false, colour: INK };
        let room = layout::names_room(canvas.width(), NAMES);
        let names = rows.iter().map(|row| canvas.measure(row.0, name)).fold(0.0, f64::max).min(room);
        let left = MARGIN + names + 12.0;
        let labels: Vec<String> =
            rows.iter().map(|row| if row.1.is_finite() { short(row.1) } else { MISSING.into() }).collect();
        let value_room = labels.iter().map(|label| canvas.measure(label, name)).fold(0.0, f64::max) + 12.0;
        // The line of shares has a place of its own on the right: numbers and line do not cross.
        let right = canvas.width() - MARGIN - 16.0;
        let from = left + (right - left) * if canvas.width() < layout::NARROW { 0.64 } else { 0.58 };
        let shares_at = Scale::new((0.0, 1.0), from, right);
        let most = rows[..count].iter().map(|row| Self::part(row.1)).fold(0.0, f64::max);
        let scale = Scale::new((0.0, most), left, (from - 12.0 - value_room).max(left + 12.0));
        let bottom = top + rows.len() as f64 * ROW;
        let every = if right - from < 190.0 { 0.5 } else { 0.25 };
        for step in 0..=(1.0 / every) as usize {
            let share = step as f64 * every;
            let x = shares_at.at(share);
            canvas.line(&[(x, top), (x, bottom)], if step == 0 { AXIS } else { GRID }, 1.0);
            canvas.text((x, bottom + 17.0), Anchor::Middle, &format!("{} %", number(100.0 * share)), SMALL);
        }
        let mut end = f64::NEG_INFINITY;
        let thresholds: Vec<f64> =
            self.thresholds.iter().copied().filter(|share| (0.0..=1.0).contains(share)).collect();
        for (index, threshold) in thresholds.iter().enumerate() {
            let x = shares_at.at(*threshold);
            canvas.dashed(&[(x, top - 4.0), (x, bottom)], GREY, 1.0, 3.0, 3.0);
            let text = percent(*threshold);
            let half = canvas.measure(&text, SMALL) / 2.0;
            // To the left where the next one is near.
            let near = thresholds.get(index + 1).is_some_and(|next| shares_at.at(*next) - x < 2.0 * half + 8.0);
            let centre = (if near { x - half + 4.0 } else { x }).max(end + half + 6.0);
            if (centre - x).abs() < half && centre + half <= canvas.width() - 2.0 {
                canvas.text((centre, top - 8.0), Anchor::Middle, &text, SMALL);
                end = centre + half;
            }
        }
        let mut curve = vec![(shares_at.at(0.0), top)];
        for (index, ((text, value, share), label)) in rows.iter().zip(&labels).enumerate() {
            let middle = top + (index as f64 + 0.5) * ROW;
            let other = index >= count;
            let words = Words { colour: if other { GREY } else { INK }, ..name };
            let text = canvas.fit(text, words, room);
            canvas.text((MARGIN + names, middle + 4.5), Anchor::End, &text, words);
            let mut x = left;
            // All others together may be longer than the picture is wide: their number says it.
            if !other {
                x = scale.at(Self::part(*value));
                canvas.rect((left, middle - 7.0), (x, middle + 7.0), BLUE.tint(0.55));
            }
            canvas.text((x + 6.0, middle + 4.5), Anchor::Start, label, words);
            curve.push((shares_at.at(*share), middle));
        }
        canvas.line(&[(left, top), (left, bottom)], AXIS, 1.0);
        canvas.line(&curve, ORANGE, 2.0);
        curve[1..].iter().for_each(|at| canvas.dot(*at, 2.75, ORANGE));
    }
}
