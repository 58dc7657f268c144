//! Does the cycle repeat? One line per cycle (per year) over the positions in it, and their mean.

use super::axes::{FOOT, Frame, Room, label_width, value_range};
use super::canvas::{Anchor, Canvas, Colour};
use super::data::Data;
use super::layout::{self, AXIS, Key, MARGIN, ORANGE, SMALL};
use super::{Drawing, Figure};
use crate::show::Table;

/// Early to late.
const EARLY: Colour = Colour(196, 216, 232);
const LATE: Colour = Colour(0, 114, 178);
/// More cycles than this share one legend entry.
const NAMED: usize = 6;

/// One line per cycle over the positions in it, light for the earliest and dark for the latest, and their mean.
#[derive(Clone, Debug)]
pub struct Seasonal {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// The names of the positions in the cycle: `Jan` … `Dec`, or `1` … `52`.
    pub positions: Vec<String>,
    /// Each cycle's name and its values by position; NaN where there is none.
    pub cycles: Vec<(String, Vec<f64>)>,
    /// The mean by position.
    pub profile: Vec<f64>,
}

impl Seasonal {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn colour(&self, index: usize) -> Colour {
        let share = if self.cycles.len() < 2 { 1.0 } else { index as f64 / (self.cycles.len() - 1) as f64 };
        let mix = |early: u8, late: u8| (f64::from(early) + (f64::from(late) - f64::from(early)) * share).round() as u8;
        Colour(mix(EARLY.0, LATE.0), mix(EARLY.1, LATE.1), mix(EARLY.2, LATE.2))
    }

    fn legend(&self) -> Vec<(Key, String)> {
        let mut legend: Vec<(Key, String)> = Vec::new();
        if self.profile.iter().any(|value| value.is_finite()) {
            legend.push((Key::Line(ORANGE, 2.5), "mean".into()));
        }
        let key = |index: usize| (Key::Line(self.colour(index), 2.0), self.cycles[index].0.clone());
        match self.cycles.len() {
            0 => {}
            count if count <= NAMED => legend.extend((0..count).map(key)),
            count => {
                legend.push(key(0));
                legend.push((Key::Line(self.colour(count / 2), 2.0), "…".into()));
                legend.push(key(count - 1));
            }
        }
        legend
    }
}

impl Drawing for Seasonal {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let peak = |better: fn(f64, f64) -> bool| {
            let mut best: Option<(usize, f64)> = None;
            for (place, &value) in self.profile.iter().enumerate().filter(|(_, value)| value.is_finite()) {
                if best.is_none_or(|(_, held)| better(value, held)) {
                    best = Some((place, value));
                }
            }
            best.and_then(|(place, _)| self.positions.get(place))
        };
        let ends = match (peak(|value, held| value > held), peak(|value, held| value < held)) {
            (Some(high), Some(low)) if high != low => format!(" The average is highest at {high} and lowest at {low}."),
            _ => String::new(),
        };
        let count = self.cycles.len();
        let cycles = if count == 1 { "cycle" } else { "cycles" };
        format!("{} by position in the cycle, {count} {cycles} and their mean.{ends}", self.value)
    }

    fn height(&self, width: f64) -> f64 {
        layout::head(width, &self.title, &self.value, &self.legend()) + 340.0
    }

    fn data(&self) -> Table {
        let data = Data::default()
            .names("position", self.positions.iter().map(String::as_str))
            .numbers("mean", self.profile.iter().copied());
        let cycles = self.cycles.iter();
        cycles.fold(data, |data, (name, values)| data.numbers(name, values.iter().copied())).table(&self.title)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value, &self.legend());
        let values = self.cycles.iter().flat_map(|(_, values)| values).chain(&self.profile);
        let Some((low, high)) = layout::span(values) else {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        };
        let room =
            Room { left: MARGIN, right: canvas.width() - MARGIN, top: top + 8.0, bottom: canvas.height() - FOOT + 6.0 };
        let y = value_range(low, high);
        let longest = self.cycles.iter().map(|(_, values)| values.len()).chain([self.profile.len()]).max().unwrap_or(0);
        let count = self.positions.len().max(longest).max(1);
        let labels = label_width(canvas, y, room.bottom - room.top);
        let frame = Frame::new(canvas, room, (0.0, (count - 1) as f64), y, labels);
        let places: Vec<f64> = (0..count).map(|place| place as f64).collect();
        for (index, (_, values)) in self.cycles.iter().enumerate() {
            let points = frame.points(&places, values);
            canvas.line(&points, self.colour(index), 1.5);
            if count <= 12 {
                points.iter().for_each(|&at| canvas.dot(at, 2.2, self.colour(index)));
            }
        }
        canvas.line(&frame.points(&places, &self.profile), ORANGE, 2.5);
        self.positions_axis(canvas, &frame);
    }
}

impl Seasonal {
    /// The names of the positions, as many as do not touch; of equal neighbours (weeks of one month) the first alone.
    fn positions_axis(&self, canvas: &mut Canvas, frame: &Frame) {
        canvas.line(&[(frame.left, frame.bottom), (frame.right, frame.bottom)], AXIS, 1.0);
        let widest = self.positions.iter().map(|name| canvas.measure(name, SMALL)).fold(8.0_f64, f64::max).min(140.0);
        let named: Vec<usize> =
            (0..self.positions.len()).filter(|p| *p == 0 || self.positions[*p] != self.positions[p - 1]).collect();
        let nearest = named.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(1) as f64;
        let slot = nearest * (frame.x.at(1.0) - frame.x.at(0.0)).max(1.0);
        let every = [1, 2, 3, 4, 5, 6, 10, 12, 13, 24, 25, 50, 100, 250, 500, 1000]
            .into_iter()
            .find(|every| slot * *every as f64 >= widest + 6.0)
            .unwrap_or(5000);
        for place in named.into_iter().step_by(every) {
            let x = frame.x.at(place as f64);
            let room = (2.0 * (x - 2.0).min(canvas.width() - 2.0 - x)).clamp(8.0, widest);
            let name = canvas.fit(&self.positions[place], SMALL, room);
            canvas.line(&[(x, frame.bottom), (x, frame.bottom + 4.0)], AXIS, 1.0);
            canvas.text((x, frame.bottom + 17.0), Anchor::Middle, &name, SMALL);
        }
    }
}
