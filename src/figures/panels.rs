//! What do the members of each group look like? A small panel per group, its members in grey and their middle in front.

use super::axes::{self, FOOT, Frame, Mark, Room, Scale, apart, label_width, value_range};
use super::canvas::{Anchor, Canvas};
use super::data::Data;
use super::layout::{self, AXIS, BLUE, Key, MARGIN, PANEL, REST, SMALL, short};
use super::{Drawing, Figure, Line, TimeAxis, dates};
use crate::show::{Table, number};

const MOST: usize = 12;
/// Members that one panel draws.
const MEMBERS: usize = 40;
const HEIGHT: f64 = 156.0;
const GAP: f64 = 22.0;

/// Small panels on one pair of axes.
#[derive(Clone, Debug)]
pub struct Panels {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// Dates or steps.
    pub axis: TimeAxis,
    /// Names of the steps (`Jan` … `Dec`); empty for numbers or dates.
    pub positions: Vec<String>,
    /// The name of each panel, its members and what stands in front; the first twelve are drawn.
    pub panels: Vec<(String, Vec<Line>, Line)>,
}

impl Panels {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn shown(&self) -> &[(String, Vec<Line>, Line)] {
        &self.panels[..self.panels.len().min(MOST)]
    }

    fn columns(&self, width: f64) -> usize {
        match self.shown().len() {
            0..=1 => 1,
            _ if width < layout::NARROW => 1,
            2..=4 => 2,
            _ => 3,
        }
    }

    fn value(&self) -> String {
        match self.panels.len().saturating_sub(MOST) {
            0 => self.value.clone(),
            _ => format!("{} · {MOST} of {} groups shown", self.value, self.panels.len()),
        }
    }

    fn legend(&self) -> Vec<(Key, String)> {
        let mut legend = Vec::new();
        let front = self.shown().iter().map(|(.., front)| front.name.as_str()).find(|name| !name.is_empty());
        legend.push((Key::Line(BLUE, 2.25), front.unwrap_or("the middle of the group").to_string()));
        let most = self.shown().iter().map(|(_, members, _)| members.len()).max().unwrap_or(0);
        if most > MEMBERS {
            legend.push((Key::Line(REST, 1.0), format!("members, at most {MEMBERS} of each group")));
        } else if most > 0 {
            legend.push((Key::Line(REST, 1.0), "members".to_string()));
        }
        legend
    }

    /// Every so-manieth member where there are too many.
    fn drawn_members(members: &[Line]) -> impl Iterator<Item = &Line> {
        members.iter().step_by(members.len().div_ceil(MEMBERS).max(1))
    }

    fn lines(&self) -> impl Iterator<Item = &Line> {
        self.shown().iter().flat_map(|(_, members, front)| Self::drawn_members(members).chain([front]))
    }

    fn range(&self) -> Option<(f64, f64)> {
        let (low, high) = layout::span(self.lines().flat_map(|line| &line.x))?;
        match self.positions.len() {
            0 => Some((low, high)),
            count => Some((low.min(0.0), high.max((count - 1) as f64))),
        }
    }

    fn place(&self, x: f64) -> String {
        if let Some(name) = (x >= 0.0 && x.fract() == 0.0).then(|| self.positions.get(x as usize)).flatten() {
            return name.clone();
        }
        match self.axis {
            TimeAxis::Dates => dates::words(x),
            TimeAxis::Steps => number(x),
        }
    }

    /// The marks of the x axis: names where there are some, as many as there is room for.
    fn marks(&self, canvas: &Canvas, range: (f64, f64), scale: &Scale, ends: (f64, f64)) -> Vec<Mark> {
        if self.positions.is_empty() {
            return match self.axis {
                TimeAxis::Dates => dates::marks(canvas, range, scale),
                TimeAxis::Steps => axes::numbers(canvas, range, scale),
            };
        }
        let count = self.positions.len();
        // Names stay near their panel: beside it is another.
        let (left, right) = ends;
        let near = |x: f64| (2.0 * (x - left).min(right - x) + GAP - 8.0).clamp(8.0, 110.0);
        for every in [1, 2, 3, 4, 5, 6, 10, 12, 13, 24, 25, 50, 100, 250, 500, 1000] {
            let room = (scale.at(every as f64) - scale.at(0.0)).abs();
            let name = |place: usize| Mark {
                at: place as f64,
                label: canvas.fit(&self.positions[place], SMALL, near(scale.at(place as f64))),
                below: String::new(),
            };
            let marks: Vec<Mark> = (0..count).step_by(every).map(name).collect();
            if every >= count || room >= 14.0 && apart(canvas, &marks, scale) {
                return marks;
            }
        }
        Vec::new()
    }
}

impl Drawing for Panels {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let panel = |(name, members, front): &(String, Vec<Line>, Line)| {
            let there = || front.x.iter().zip(&front.y).filter(|(x, y)| x.is_finite() && y.is_finite());
            let high = there().max_by(|one, other| one.1.total_cmp(other.1))?;
            let low = there().min_by(|one, other| one.1.total_cmp(other.1))?;
            let count = match members.len() {
                0 => String::new(),
                1 => ", 1 member".to_string(),
                count => format!(", {} members", number(count as f64)),
            };
            Some(format!(
                "{name}{count}, from {} at {} to {} at {}",
                short(*low.1),
                self.place(*low.0),
                short(*high.1),
                self.place(*high.0)
            ))
        };
        let parts: Vec<String> = self.shown().iter().filter_map(panel).collect();
        if parts.is_empty() {
            format!("{}: no data.", self.value)
        } else {
            format!("{}, a panel for each group; its middle lies: {}.", self.value(), parts.join("; "))
        }
    }

    fn height(&self, width: f64) -> f64 {
        let rows = self.shown().len().div_ceil(self.columns(width)).max(1) as f64;
        layout::head(width, &self.title, &self.value(), &self.legend()) + rows * HEIGHT + FOOT
    }

    fn data(&self) -> Table {
        type Row<'a> = (&'a str, &'a Line, &'static str, f64, f64);
        let rows = || {
            self.panels.iter().flat_map(|(name, members, front)| {
                let kinds = members.iter().map(|line| (line, "member")).chain([(front, "middle")]);
                kinds.flat_map(move |(line, kind)| {
                    line.x.iter().zip(&line.y).map(move |(x, y)| -> Row<'_> { (name, line, kind, *x, *y) })
                })
            })
        };
        let data = Data::default()
            .names("group", rows().map(|row| row.0))
            .names("line", rows().map(|row| row.1.name.as_str()))
            .names("kind", rows().map(|row| row.2));
        let data = if self.positions.is_empty() {
            data.places(self.axis, rows().map(|row| row.3))
        } else {
            data.names("position", rows().map(|row| self.place(row.3)))
        };
        data.numbers("value", rows().map(|row| row.4)).table(&self.title)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value(), &self.legend());
        let values = layout::span(self.lines().flat_map(|line| &line.y));
        let (Some(range), Some((low, high))) = (self.range(), values) else {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        };
        let y = value_range(low, high);
        let (panels, columns) = (self.shown(), self.columns(canvas.width()));
        let width = (canvas.width() - MARGIN * 2.0 + GAP) / columns as f64 - GAP;
        let labels = label_width(canvas, y, HEIGHT - 54.0);
        for (index, (name, members, front)) in panels.iter().enumerate() {
            let left = MARGIN + (index % columns) as f64 * (width + GAP);
            let top = top + (index / columns) as f64 * HEIGHT;
            let count = match members.len() {
                0 => String::new(),
                1 => "1 member".to_string(),
                count => format!("{} members", number(count as f64)),
            };
            let room = width - canvas.measure(&count, SMALL) - 10.0;
            let name = canvas.fit(name, PANEL, room);
            let after = left + canvas.measure(&name, PANEL) + if name.is_empty() { 0.0 } else { 10.0 };
            canvas.text((left, top + 16.0), Anchor::Start, &name, PANEL);
            canvas.text((after, top + 16.0), Anchor::Start, &count, SMALL);
            let room = Room { left, right: left + width, top: top + 32.0, bottom: top + HEIGHT - 22.0 };
            let frame = Frame::new(canvas, room, range, y, labels);
            for line in Self::drawn_members(members) {
                canvas.line(&frame.points(&line.x, &line.y), REST, 1.0);
            }
            if y.0 < 0.0 && y.1 > 0.0 {
                let zero = frame.y.at(0.0);
                canvas.line(&[(frame.left, zero), (frame.right, zero)], AXIS, 1.0);
            }
            canvas.line(&frame.points(&front.x, &front.y), BLUE, 2.25);
            let empty = layout::span(&front.y).is_none() && !members.iter().any(|line| layout::span(&line.y).is_some());
            if empty {
                layout::no_data(canvas, ((frame.left + frame.right) / 2.0, (frame.top + frame.bottom) / 2.0));
            }
            // The lowest panel of each column carries the labels, which say the year below the month.
            let marks = self.marks(canvas, range, &frame.x, (left, left + width));
            frame.axis(canvas, &marks, index + columns >= panels.len());
        }
    }
}
