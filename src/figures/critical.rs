//! Which models differ significantly in their mean ranks? The critical-difference diagram of Demšar (2006): models on
//! an axis of ranks, the best on the left, and bars over those that do not differ significantly.

use super::axes::Scale;
use super::canvas::{Anchor, Canvas, Words, wrap};
use super::data::Data;
use super::layout::{self, AXIS, BLUE, GREY, INK, MARGIN, ORANGE, SMALL};
use super::{Drawing, Figure};
use crate::format::{decimals, number};
use crate::show::Table;

/// More than these cannot be read; the best are drawn.
const MOST: usize = 40;
const ROW: f64 = 21.0;
const BAR: f64 = 8.0;
/// The most room for the names on one side.
const NAMES: f64 = 225.0;

/// Mean ranks, and the difference between them that is significant.
#[derive(Clone, Debug)]
pub struct CriticalDifference {
    /// The title.
    pub title: String,
    /// What was ranked, and over what.
    pub value: String,
    /// The name and the mean rank of each model, the best first; the first forty are drawn.
    pub ranks: Vec<(String, f64)>,
    /// The runs of models, from and to in `ranks`, that do not differ significantly.
    pub alike: Vec<(usize, usize)>,
    /// The critical difference of two mean ranks.
    pub difference: f64,
}

impl CriticalDifference {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn shown(&self) -> Vec<(&str, f64)> {
        let there = self.ranks.iter().filter(|(_, rank)| rank.is_finite());
        there.take(MOST).map(|(name, rank)| (name.as_str(), *rank)).collect()
    }

    fn bars(&self) -> Vec<(usize, usize)> {
        let last = self.shown().len().saturating_sub(1);
        self.alike.iter().map(|(from, to)| (*from, (*to).min(last))).filter(|(from, to)| from < to).collect()
    }

    /// Names of two lines need higher rows.
    fn row(&self, width: f64) -> f64 {
        let words = Words { size: 12.5, bold: true, colour: INK };
        let long = self.shown().iter().any(|(name, _)| wrap(name, words, room(width), 2).len() > 1);
        if long { ROW + 13.0 } else { ROW }
    }
}

/// The room for the names on one side, which leaves some for the axis.
fn room(width: f64) -> f64 {
    NAMES.min((width - 2.0 * MARGIN - 130.0) / 2.0 - 44.0).max(20.0)
}

impl Drawing for CriticalDifference {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let shown = self.shown();
        if shown.is_empty() {
            return format!("{}: no data.", self.value);
        }
        let parts: Vec<String> = shown.iter().map(|(name, rank)| format!("{name} {}", decimals(*rank, 2))).collect();
        let alike: Vec<String> = (self.bars().iter())
            .map(|(from, to)| shown[*from..=*to].iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "))
            .collect();
        let alike = if alike.is_empty() {
            " All differ significantly.".to_string()
        } else {
            format!(" No significant difference: {}.", alike.join("; "))
        };
        format!("Mean ranks: {}.{alike}", parts.join(", "))
    }

    fn height(&self, width: f64) -> f64 {
        let rows = self.shown().len().div_ceil(2).max(2) as f64 * self.row(width);
        let more = if self.ranks.len() > MOST { 18.0 } else { 0.0 };
        let bars = self.bars().len() as f64 * BAR;
        layout::head(width, &self.title, &self.value, &[]) + 82.0 + bars + rows + more
    }

    fn data(&self) -> Table {
        let bars = |place: usize| {
            let over =
                self.alike.iter().enumerate().filter(|(_, (from, to))| from < to && (*from..=*to).contains(&place));
            over.map(|(bar, _)| (bar + 1).to_string()).collect::<Vec<_>>().join(", ")
        };
        Data::default()
            .names("model", self.ranks.iter().map(|(name, _)| name.as_str()))
            .numbers("mean rank", self.ranks.iter().map(|(_, rank)| *rank))
            .names("bars", (0..self.ranks.len()).map(bars))
            .numbers("critical difference", self.ranks.iter().map(|_| self.difference))
            .table(&self.title)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value, &[]);
        let shown = self.shown();
        let Some((_, worst)) = shown.last().filter(|_| shown.len() > 1) else {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        };
        let name = |first: bool| Words { size: 12.5, bold: first, colour: INK };
        let row = self.row(canvas.width());
        let half = shown.len().div_ceil(2);
        let room = room(canvas.width());
        // Of ranks that are none, what fits is shown.
        let written = |rank: f64| canvas.fit(&decimals(rank, 2), SMALL, 60.0);
        let ranks = shown.iter().map(|(_, rank)| canvas.measure(&written(*rank), SMALL));
        let rank_room = ranks.fold(24.0, f64::max) + 16.0;
        let widest = |side: &[(&str, f64)]| {
            let width = side.iter().map(|(text, _)| canvas.measure(text, name(true))).fold(0.0, f64::max);
            width.min(room) + rank_room + 4.0
        };
        let (left, right) = (MARGIN + widest(&shown[..half]), canvas.width() - MARGIN - widest(&shown[half..]));
        let last = worst.ceil().max(2.0).min(self.ranks.len().max(2) as f64);
        let scale = Scale::new((1.0, last), left + 10.0, right - 10.0);
        let axis = top + 48.0;

        let difference = self.difference;
        if difference.is_finite() && difference >= 0.0 {
            // Too wide for the axis, the bar would say less than the number.
            let (from, to) = (scale.at(1.0), scale.at((1.0 + difference).min(last)));
            let y = top + 16.0;
            canvas.line(&[(from, y), (to, y)], ORANGE, 2.0);
            for x in [from, to] {
                canvas.line(&[(x, y - 4.0), (x, y + 4.0)], ORANGE, 2.0);
            }
            let wider = if 1.0 + difference > last { ", wider than the axis" } else { "" };
            let text = format!("critical difference {}{wider}", number((difference * 100.0).round() / 100.0));
            let words = Words { colour: INK, ..SMALL };
            if to + 8.0 + canvas.measure(&text, words) < canvas.width() - MARGIN {
                canvas.text((to + 8.0, y + 4.0), Anchor::Start, &text, words)
            } else {
                let text = canvas.fit(&text, words, canvas.width() - 2.0 * MARGIN);
                let least = MARGIN + canvas.measure(&text, words);
                canvas.text((to.max(least), y - 8.0), Anchor::End, &text, words)
            }
        }
        canvas.line(&[(scale.at(1.0), axis), (scale.at(last), axis)], AXIS, 1.5);
        let apart = scale.at(2.0) - scale.at(1.0);
        let every = (22.0 / apart).ceil().max(1.0) as usize;
        for rank in (1..=last as usize).step_by(every) {
            let x = scale.at(rank as f64);
            canvas.line(&[(x, axis - 4.0), (x, axis)], AXIS, 1.0);
            canvas.text((x, axis - 9.0), Anchor::Middle, &rank.to_string(), SMALL);
        }

        let bars = self.bars();
        let under = axis + 12.0 + bars.len() as f64 * BAR;
        for (index, (text, rank)) in shown.iter().enumerate() {
            let on_left = index < half;
            let place = if on_left { index } else { shown.len() - 1 - index };
            let y = under + (place as f64 + 0.5) * row;
            let x = scale.at(*rank);
            let colour = if index == 0 { BLUE } else { GREY };
            let edge = if on_left { left } else { right };
            canvas.line(&[(x, axis), (x, y), (edge, y)], colour, if index == 0 { 1.75 } else { 1.0 });
            canvas.dot((x, axis), if index == 0 { 4.0 } else { 3.0 }, colour);
            let written = canvas.fit(&decimals(*rank, 2), SMALL, 60.0);
            let (side, anchor) = if on_left { (-1.0, Anchor::End) } else { (1.0, Anchor::Start) };
            canvas.text((edge + side * 5.0, y + 4.0), anchor, &written, SMALL);
            let lines = canvas.wrap(text, name(index == 0), room, 2);
            let above = (lines.len() as f64 - 1.0) * 7.0;
            for (line, text) in lines.iter().enumerate() {
                let at = (edge + side * rank_room, y + 4.5 - above + 14.0 * line as f64);
                canvas.text(at, anchor, text, name(index == 0));
            }
        }
        for (index, (from, to)) in bars.iter().enumerate() {
            let y = axis + 10.0 + index as f64 * BAR;
            canvas.line(&[(scale.at(shown[*from].1) - 4.0, y), (scale.at(shown[*to].1) + 4.0, y)], INK, 4.0);
        }
        if self.ranks.len() > MOST {
            let more = format!("… {} more", self.ranks.len() - MOST);
            canvas.text((MARGIN, canvas.height() - 8.0), Anchor::Start, &more, SMALL);
        }
    }
}
