//! What moves together? A matrix of correlations, blue for together and orange for against.

use super::canvas::{Anchor, Canvas, Colour, Words, fit, measure, wrap};
use super::data::Data;
use super::layout::{self, BLUE, GREY, INK, Key, MARGIN, ORANGE, SMALL};
use super::{Drawing, Figure};
use crate::format::{MISSING, decimals};
use crate::show::{Table, number, one_line};

const ROWS: usize = 40;
/// Pairs that the alternative text names.
const TOLD: usize = 8;
const ROW: f64 = 24.0;
const NAMES: f64 = 220.0;
const NAME: Words = Words { size: 12.5, bold: false, colour: INK };
/// Where there is no correlation.
const NONE: Colour = Colour(243, 244, 246);

/// A matrix of correlations.
#[derive(Clone, Debug)]
pub struct Correlations {
    /// The title.
    pub title: String,
    /// The quantity: `correlation of weekly changes`.
    pub value: String,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The name and the correlations of each row, NaN where there is none.
    pub rows: Vec<(String, Vec<f64>)>,
}

impl Correlations {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn shown(&self) -> &[(String, Vec<f64>)] {
        &self.rows[..self.rows.len().min(ROWS)]
    }

    fn heads(&self, width: f64) -> &[String] {
        &self.columns[..self.columns.len().min(if width < layout::NARROW { 12 } else { 24 })]
    }

    /// Rows and columns of the same things: a number stands for the name of a column.
    fn square(&self) -> bool {
        self.rows.len() == self.columns.len()
            && self.rows.iter().zip(&self.columns).all(|((name, _), column)| name == column)
    }

    fn plan(&self, width: f64) -> Plan {
        let room = layout::names_room(width, NAMES);
        let name =
            |index: usize, text: &str| if self.square() { format!("{text}  {}", index + 1) } else { text.into() };
        let names = self.shown().iter().enumerate().map(|(index, (text, _))| measure(&name(index, text), NAME));
        let names = names.fold(0.0, f64::max).min(room);
        let left = MARGIN + names + 10.0;
        let heads = self.heads(width);
        let cell = ((width - MARGIN - left) / heads.len().max(1) as f64).min(if self.square() { 52.0 } else { 96.0 });
        let words = |most: usize| -> Vec<Vec<String>> {
            heads.iter().map(|head| wrap(head, SMALL, cell - 6.0, most)).collect()
        };
        // A head is cut only where there is no room for it; a list below then says it in full.
        let whole = |lines: &[Vec<String>]| {
            lines
                .iter()
                .zip(heads)
                .all(|(lines, head)| lines.join(" ") == one_line(head).split_whitespace().collect::<Vec<_>>().join(" "))
        };
        let lines = words(3);
        let numbered = self.square() || !whole(&lines);
        let heads_height =
            if numbered { 24.0 } else { 12.0 + 14.0 * lines.iter().map(Vec::len).max().unwrap_or(1) as f64 };
        let list = if numbered && !self.square() {
            let entry =
                |(index, head): (usize, &String)| fit(&format!("{}  {head}", index + 1), SMALL, width - 2.0 * MARGIN);
            heads.iter().enumerate().map(entry).collect()
        } else {
            Vec::new()
        };
        Plan { names, left, cell, lines: if numbered { Vec::new() } else { lines }, heads_height, list }
    }

    fn value(&self, width: f64) -> String {
        let (rows, columns) = (self.rows.len(), self.columns.len());
        let (drawn_rows, drawn) = (self.shown().len(), self.heads(width).len());
        match (drawn_rows < rows, drawn < columns) {
            (false, false) => self.value.clone(),
            (true, false) => format!("{} · the first {drawn_rows} of {rows} rows", self.value),
            (false, true) => format!("{} · the first {drawn} of {columns} columns", self.value),
            (true, true) => {
                format!("{} · the first {drawn_rows} of {rows} rows and {drawn} of {columns} columns", self.value)
            }
        }
    }

    fn legend() -> Vec<(Key, String)> {
        vec![
            (Key::Patch(colour(1.0)), "+1, together".to_string()),
            (Key::Patch(colour(0.5)), "+0.5".to_string()),
            (Key::Patch(colour(-0.5)), "−0.5".to_string()),
            (Key::Patch(colour(-1.0)), "−1, against each other".to_string()),
        ]
    }

    /// The pairs of different things with their correlation, the strongest first.
    fn pairs(&self) -> Vec<(&str, &str, f64)> {
        let square = self.square();
        let mut pairs = Vec::new();
        for (row, (name, values)) in self.rows.iter().enumerate() {
            for (column, (head, value)) in self.columns.iter().zip(values).enumerate() {
                if value.is_finite() && name != head && !(square && column > row) {
                    pairs.push((name.as_str(), head.as_str(), *value));
                }
            }
        }
        pairs.sort_by(|one, other| other.2.abs().total_cmp(&one.2.abs()));
        pairs
    }
}

/// What is laid out for a width.
struct Plan {
    names: f64,
    left: f64,
    cell: f64,
    /// The words of each head; empty where numbers stand for them.
    lines: Vec<Vec<String>>,
    heads_height: f64,
    /// What the numbers mean, where the rows do not say it.
    list: Vec<String>,
}

fn colour(correlation: f64) -> Colour {
    let size = correlation.abs().clamp(0.0, 1.0);
    if correlation < 0.0 { ORANGE.tint(size) } else { BLUE.tint(size) }
}

fn written(correlation: f64) -> String {
    let text = decimals(correlation.abs().min(1.0), 2);
    if correlation < 0.0 && text != "0.00" { format!("−{text}") } else { text }
}

impl Drawing for Correlations {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let pairs = self.pairs();
        if pairs.is_empty() {
            return format!("{}: no data.", self.value);
        }
        let told: Vec<String> = pairs
            .iter()
            .take(TOLD)
            .map(|(one, other, value)| format!("{one} and {other} {}", written(*value)))
            .collect();
        let more = pairs.len().saturating_sub(TOLD);
        let more = if more > 0 { format!("; {} weaker ones", number(more as f64)) } else { String::new() };
        format!("{}, the strongest first: {}{more}.", self.value, told.join("; "))
    }

    fn height(&self, width: f64) -> f64 {
        let plan = self.plan(width);
        let rows = self.shown().len().max(2) as f64 * ROW;
        let list = if plan.list.is_empty() { 0.0 } else { 10.0 + 16.0 * plan.list.len() as f64 };
        layout::head(width, &self.title, &self.value(width), &Self::legend()) + plan.heads_height + rows + list + 20.0
    }

    fn data(&self) -> Table {
        let data = Data::default().names("name", self.rows.iter().map(|(name, _)| name.as_str()));
        let columns = self.columns.iter().enumerate();
        let cell = |k: usize| move |(_, values): &(String, Vec<f64>)| values.get(k).copied().unwrap_or(f64::NAN);
        columns.fold(data, |data, (k, name)| data.numbers(name, self.rows.iter().map(cell(k)))).table(&self.title)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let width = canvas.width();
        let top = layout::subtitle(canvas, top, &self.value(width), &Self::legend());
        let (rows, heads, plan) = (self.shown(), self.heads(width), self.plan(width));
        let cells = rows.iter().flat_map(|(_, values)| values.iter().take(heads.len()));
        if layout::span(cells).is_none() {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        }
        let top = top + plan.heads_height;
        let middle = |column: usize| plan.left + (column as f64 + 0.5) * plan.cell;
        if plan.lines.is_empty() {
            let every = (22.0 / plan.cell).ceil().max(1.0) as usize;
            for column in (0..heads.len()).step_by(every) {
                canvas.text((middle(column), top - 6.0), Anchor::Middle, &(column + 1).to_string(), SMALL);
            }
        }
        for (column, lines) in plan.lines.iter().enumerate() {
            for (line, text) in lines.iter().rev().enumerate() {
                canvas.text((middle(column), top - 6.0 - 14.0 * line as f64), Anchor::Middle, text, SMALL);
            }
        }
        let square = self.square();
        // Numbers are written where all of them fit.
        let small = Words { size: 11.0, bold: false, colour: INK };
        let wide = canvas.measure("−0.88", Words { bold: true, ..small }) + 3.0 <= plan.cell;
        let fits = wide || canvas.measure("−.88", Words { bold: true, ..small }) + 2.0 <= plan.cell;
        let written = |value: f64| match written(value) {
            text if wide => text,
            text => text.replacen("1.00", "1", 1).replacen("0.", ".", 1),
        };
        for (row, (text, values)) in rows.iter().enumerate() {
            let upper = top + row as f64 * ROW;
            let baseline = upper + ROW / 2.0 + 4.5;
            let number = if square { format!("  {}", row + 1) } else { String::new() };
            let text = canvas.fit(text, NAME, plan.names - canvas.measure(&number, NAME));
            canvas.text((MARGIN + plan.names, baseline), Anchor::End, &format!("{text}{number}"), NAME);
            for (column, value) in values.iter().take(heads.len()).enumerate() {
                let from = plan.left + column as f64 * plan.cell;
                let diagonal = square && row == column;
                let ground = if diagonal || !value.is_finite() { NONE } else { colour(*value) };
                canvas.rect((from + 0.5, upper + 0.5), (from + plan.cell - 0.5, upper + ROW - 0.5), ground);
                if !fits || diagonal {
                    continue;
                }
                let (text, colour) = match value {
                    value if !value.is_finite() => (MISSING.to_string(), GREY),
                    value if value.abs() > 0.7 => (written(*value), Colour(255, 255, 255)),
                    value => (written(*value), INK),
                };
                let words = Words { colour, bold: value.abs() > 0.7, ..small };
                canvas.text((middle(column), upper + ROW / 2.0 + 4.0), Anchor::Middle, &text, words);
            }
        }
        for (index, text) in plan.list.iter().enumerate() {
            let y = top + rows.len() as f64 * ROW + 22.0 + 16.0 * index as f64;
            canvas.text((MARGIN, y), Anchor::Start, text, SMALL);
        }
    }
}
