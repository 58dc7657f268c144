//! How did a search get on? A dot for each trial, and the best so far as a line of steps.

use super::axes::{FOOT, Frame, Room, label_width, value_range};
use super::canvas::{Anchor, Canvas, Colour};
use super::data::Data;
use super::layout::{self, BLUE, Key, MARGIN, SMALL};
use super::{Drawing, Figure, TimeAxis};
use crate::show::{Table, number};

const DOT: Colour = Colour(158, 184, 204);
/// Trials worse than the median by this many quartile distances are drawn at the edge: they would squeeze the others
/// together.
const FAR: f64 = 3.0;

/// The scores of trials in the order in which they were tried.
#[derive(Clone, Debug)]
pub struct OptimisationHistory {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// The number of each trial and its score.
    pub trials: Vec<(usize, f64)>,
    /// What a perfect score would be.
    pub perfect: f64,
}

impl OptimisationHistory {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    /// The best score so far, by trial.
    fn best(&self) -> Vec<(f64, f64)> {
        let mut best: Option<f64> = None;
        let better = |a: f64, b: f64| (a - self.perfect).abs() < (b - self.perfect).abs();
        let mut steps = Vec::new();
        for (trial, score) in &self.trials {
            let before = best;
            if best.is_none_or(|known| better(*score, known)) {
                best = Some(*score);
            }
            steps.extend(before.map(|before| (*trial as f64, before)));
            steps.extend(best.map(|best| (*trial as f64, best)));
        }
        steps
    }

    /// The scores that are drawn, and how many lie beyond.
    fn range(&self) -> Option<((f64, f64), usize)> {
        let mut sorted: Vec<f64> = self.trials.iter().map(|(_, score)| *score).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| sorted.get(((sorted.len().max(1) - 1) as f64 * share).round() as usize).copied();
        let (low, middle, high) = (at(0.25)?, at(0.5)?, at(0.75)?);
        let far = FAR * (high - low).max(1e-9 * middle.abs());
        let kept = |score: &&f64| self.trials.len() < 8 || (*score - middle).abs() <= far;
        let (from, to) = layout::span(sorted.iter().filter(kept))?;
        let beyond = sorted.iter().filter(|score| **score < from || **score > to).count();
        Some((value_range(from, to), beyond))
    }
}

fn legend() -> [(Key, String); 2] {
    [(Key::Dots(DOT), "a trial".to_string()), (Key::Line(BLUE, 2.0), "the best so far".to_string())]
}

impl Drawing for OptimisationHistory {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        match (self.trials.first(), self.best().last()) {
            (Some((_, first)), Some((_, best))) => format!(
                "{}: {} at first, {} at best after {} trials.",
                self.value,
                number(*first),
                number(*best),
                self.trials.len()
            ),
            _ => format!("{}: no trial was finished.", self.value),
        }
    }

    fn height(&self, width: f64) -> f64 {
        layout::head(width, &self.title, &self.value, &legend()) + 260.0 + FOOT
    }

    fn data(&self) -> Table {
        let mut best: Option<f64> = None;
        let so_far = self.trials.iter().map(|(_, score)| {
            let held = best.filter(|held| (held - self.perfect).abs() <= (score - self.perfect).abs());
            *best.insert(held.unwrap_or(*score))
        });
        let so_far: Vec<f64> = so_far.collect();
        Data::default()
            .counts("trial", self.trials.iter().map(|(trial, _)| *trial))
            .numbers("score", self.trials.iter().map(|(_, score)| *score))
            .numbers("best so far", so_far)
            .table(&self.title)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value, &legend()) + 6.0;
        let Some((y, beyond)) = self.range() else {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        };
        let numbers: Vec<f64> = self.trials.iter().map(|(trial, _)| *trial as f64).collect();
        let (first, last) = layout::span(&numbers).unwrap_or((0.0, 1.0));
        let x = (first, last.max(first + 1.0));
        let bottom = canvas.height() - FOOT;
        let labels = label_width(canvas, y, bottom - top);
        let room = Room { left: MARGIN, right: canvas.width() - MARGIN, top, bottom };
        let frame = Frame::new(canvas, room, x, y, labels);
        for (trial, score) in self.trials.iter().filter(|(_, score)| (y.0..=y.1).contains(score)) {
            canvas.dot((frame.x.at(*trial as f64), frame.y.at(*score)), 3.0, DOT);
        }
        let within = |(trial, score): &(f64, f64)| (frame.x.at(*trial), frame.y.at(score.clamp(y.0, y.1)));
        let steps: Vec<(f64, f64)> = self.best().iter().map(within).collect();
        canvas.line(&steps, BLUE, 2.0);
        frame.time_axis(canvas, TimeAxis::Steps, x, true);
        if beyond > 0 {
            let text = format!("{beyond} far worse, not drawn");
            canvas.text((frame.right, frame.top + 12.0), Anchor::End, &text, SMALL);
        }
    }
}
