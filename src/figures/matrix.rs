//! Who is good at what? A row per thing, a column per case, the number in each cell; the best of a column is blue, and
//! what errs more is the redder the more it errs.

use super::canvas::{Anchor, Canvas, Colour, Words};
use super::data::Data;
use super::layout::{self, BLUE, GREY, INK, Key, MARGIN, ORANGE, SMALL};
use super::{Drawing, Figure};
use crate::format::{MISSING, column_labels};
use crate::show::Table;

/// Rows and columns that one picture holds.
const MOST_ROWS: usize = 40;
const MOST_COLUMNS: usize = 12;
const NAMES: f64 = 260.0;
const ROW: f64 = 26.0;
const HEAD: f64 = 34.0;

/// A table of losses as a picture.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// The names of the columns; the first twelve are drawn.
    pub columns: Vec<String>,
    /// The name and the values of each row, NaN where there is none; the first forty are drawn.
    pub rows: Vec<(String, Vec<f64>)>,
    /// The value that is best: 0 for an error.
    pub best: f64,
}

impl Matrix {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn shown(&self) -> &[(String, Vec<f64>)] {
        &self.rows[..self.rows.len().min(MOST_ROWS)]
    }

    fn heads(&self) -> &[String] {
        &self.columns[..self.columns.len().min(MOST_COLUMNS)]
    }

    /// How far from best each cell of a column is, and the least of it.
    fn losses(&self, column: usize) -> (Vec<f64>, f64) {
        let loss = |values: &Vec<f64>| values.get(column).map_or(f64::NAN, |value| (value - self.best).abs());
        let losses: Vec<f64> = self.shown().iter().map(|(_, values)| loss(values)).collect();
        let least = losses.iter().copied().filter(|loss| loss.is_finite()).fold(f64::INFINITY, f64::min);
        (losses, least)
    }
}

fn legend() -> [(Key, String); 2] {
    [
        (Key::Patch(BLUE.tint(0.35)), "best of its column".to_string()),
        (Key::Patch(ORANGE.tint(0.6)), "twice its error or more".to_string()),
    ]
}

impl Drawing for Matrix {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let winner = |(column, head): (usize, &String)| {
            let (losses, least) = self.losses(column);
            let place = losses.iter().position(|loss| *loss == least && least.is_finite())?;
            Some(format!("{} in {head}", self.shown()[place].0))
        };
        let parts: Vec<String> = self.heads().iter().enumerate().filter_map(winner).collect();
        if parts.is_empty() {
            format!("{}: no data.", self.value)
        } else {
            format!("{}, best by column: {}.", self.value, parts.join(", "))
        }
    }

    fn height(&self, width: f64) -> f64 {
        let rows = self.shown().len().max(2) as f64 * ROW + if self.rows.len() > MOST_ROWS { 18.0 } else { 0.0 };
        layout::head(width, &self.title, &self.value, &legend()) + HEAD + rows + 20.0
    }

    fn data(&self) -> Table {
        let data = Data::default().names("name", self.rows.iter().map(|(name, _)| name.as_str()));
        let columns = self.columns.iter().enumerate();
        let cell = |k: usize| move |(_, values): &(String, Vec<f64>)| values.get(k).copied().unwrap_or(f64::NAN);
        columns.fold(data, |data, (k, name)| data.numbers(name, self.rows.iter().map(cell(k)))).table(&self.title)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value, &legend()) + HEAD;
        let (rows, heads) = (self.shown(), self.heads());
        if rows.is_empty() || heads.is_empty() {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        }
        let name = Words { size: 12.5, bold: false, colour: INK };
        let room = layout::names_room(canvas.width(), NAMES);
        let names = rows.iter().map(|(text, _)| canvas.measure(text, name)).fold(0.0, f64::max).min(room);
        let left = MARGIN + names + 12.0;
        // A column is no wider than a number needs room, so that few columns stay together.
        let width = ((canvas.width() - MARGIN - left) / heads.len() as f64).min(150.0);
        for (column, head) in heads.iter().enumerate() {
            let middle = left + (column as f64 + 0.5) * width;
            let lines = canvas.wrap(head, SMALL, width - 4.0, 2);
            for (line, text) in lines.iter().rev().enumerate() {
                canvas.text((middle, top - 7.0 - 14.0 * line as f64), Anchor::Middle, text, SMALL);
            }
        }
        let all: Vec<f64> = rows.iter().flat_map(|(_, values)| values.iter().take(heads.len()).copied()).collect();
        let labels = column_labels(&all);
        let mut label = labels.iter();
        let losses: Vec<(Vec<f64>, f64)> = (0..heads.len()).map(|column| self.losses(column)).collect();
        for (row, (text, values)) in rows.iter().enumerate() {
            let upper = top + row as f64 * ROW;
            let text = canvas.fit(text, name, room);
            canvas.text((MARGIN + names, upper + ROW / 2.0 + 4.5), Anchor::End, &text, name);
            for (column, value) in values.iter().take(heads.len()).enumerate() {
                let (losses, least) = &losses[column];
                let from = left + column as f64 * width;
                let best = losses[row] == *least;
                let excess = if *least > 0.0 { losses[row] / least - 1.0 } else { f64::from(u8::from(!best)) };
                let colour = if !value.is_finite() {
                    Colour(246, 247, 248)
                } else if best {
                    BLUE.tint(0.35)
                } else {
                    ORANGE.tint(0.6 * excess.clamp(0.0, 1.0))
                };
                canvas.rect((from + 1.0, upper + 1.0), (from + width - 1.0, upper + ROW - 1.0), colour);
                let written = label.next().filter(|_| value.is_finite()).map_or(MISSING, String::as_str);
                let words = Words { bold: best, colour: if value.is_finite() { INK } else { GREY }, ..name };
                let written = canvas.fit(written, words, width - 2.0);
                canvas.text((from + width / 2.0, upper + ROW / 2.0 + 4.5), Anchor::Middle, &written, words);
            }
        }
        if self.rows.len() > MOST_ROWS {
            let more = format!("… {} more", self.rows.len() - MOST_ROWS);
            canvas.text((MARGIN + names, top + rows.len() as f64 * ROW + 15.0), Anchor::End, &more, SMALL);
        }
    }
}
