//! How do the columns of a table of one's own look? Lines, upright bars or dots over dates, numbers or words, in the
//! house's own axes and colours: the first six lines have a colour each, and the rest are grey.

use super::axes::{FOOT, Frame, Mark, Room, label_width, numbers, value_range};
use super::canvas::{Anchor, Canvas};
use super::data::Data;
use super::layout::{self, AXIS, Key, MARGIN, NAMED, SMALL, line_colour};
use super::{Drawing, Figure, Line, TimeAxis, dates};
use crate::show::{Categories, ChartKind, ChartSeries, SimpleChart, Table, number};

/// The width of a line.
const WIDTH: f64 = 2.0;
/// Points that the words of a figure name.
const TOLD: usize = 8;
/// The share of its slot that a bar, or a group of bars, takes.
const FILLED: f64 = 0.76;

/// The kind of the x axis.
#[derive(Clone, Debug, PartialEq)]
pub enum Places {
    /// Seconds since 1970-01-01T00:00Z.
    Dates,
    /// Any numbers.
    Numbers,
    /// Words, each at its place: 0, 1, 2 …
    Words(Vec<String>),
}

/// Lines, bars or dots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Joined by lines.
    Lines,
    /// As upright bars from zero, side by side where there are several.
    Bars,
    /// A dot each.
    Dots,
}

/// Named values over one axis.
#[derive(Clone, Debug)]
pub struct Chart {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// The label of the x axis; empty where it needs none.
    pub foot: String,
    /// The kind of the x axis.
    pub places: Places,
    /// Lines, bars or dots.
    pub shape: Shape,
    /// The values; the first six lines are named.
    pub lines: Vec<Line>,
}

impl Chart {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn key(&self, index: usize) -> Key {
        let colour = line_colour(index);
        match self.shape {
            Shape::Lines => Key::Line(colour, WIDTH),
            Shape::Bars => Key::Patch(colour),
            Shape::Dots => Key::Dots(colour),
        }
    }

    /// A single line needs no legend: title and value say what it is.
    fn legend(&self) -> Vec<(Key, String)> {
        if self.lines.len() < 2 {
            return Vec::new();
        }
        let named = self.lines.iter().take(NAMED).enumerate();
        let mut legend: Vec<_> = named.map(|(index, line)| (self.key(index), line.name.clone())).collect();
        match self.lines.len().saturating_sub(NAMED) {
            0 => {}
            1 => legend.push((self.key(NAMED), self.lines[NAMED].name.clone())),
            more => legend.push((self.key(NAMED), format!("{more} others"))),
        }
        legend
    }

    /// The least distance of two places, which is the room of a bar.
    fn slot(&self) -> f64 {
        let mut places: Vec<f64> = self.lines.iter().flat_map(|line| &line.x).copied().collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        let least = places.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
        match self.places {
            Places::Words(_) => 1.0,
            _ if least.is_finite() => least,
            // A single date has a day around it.
            Places::Dates => 86_400.0,
            Places::Numbers => 1.0,
        }
    }

    /// The range of the x axis.
    fn range(&self) -> Option<(f64, f64)> {
        let (low, high) = layout::span(self.lines.iter().flat_map(|line| &line.x))?;
        Some(match (&self.places, self.shape) {
            (Places::Words(words), _) => (-0.5, words.len().max(1) as f64 - 0.5),
            (_, Shape::Bars) => (low - self.slot() / 2.0, high + self.slot() / 2.0),
            _ => (low, high),
        })
    }

    /// The range of the values; bars begin at zero.
    fn values(&self) -> Option<(f64, f64)> {
        let (low, high) = layout::span(self.lines.iter().flat_map(|line| &line.y))?;
        Some(match self.shape {
            Shape::Bars => value_range(low.min(0.0), high.max(0.0)),
            _ => value_range(low, high),
        })
    }

    fn marks(&self, canvas: &Canvas, range: (f64, f64), frame: &Frame) -> Vec<Mark> {
        match &self.places {
            Places::Dates => dates::marks(canvas, range, &frame.x),
            Places::Numbers => numbers(canvas, range, &frame.x),
            Places::Words(words) => {
                // As many as there is room for, each cut to its room.
                let room = frame.x.at(1.0) - frame.x.at(0.0);
                let widest = words.iter().map(|word| canvas.measure(word, SMALL)).fold(0.0, f64::max);
                let every = ((widest.clamp(16.0, 40.0) + 8.0) / room.max(0.5)).ceil().max(1.0) as usize;
                let fitted = |word: &String| canvas.fit(word, SMALL, room * every as f64 - 8.0);
                let mark =
                    |(at, word): (usize, &String)| Mark { at: at as f64, label: fitted(word), below: String::new() };
                words.iter().enumerate().step_by(every).map(mark).collect()
            }
        }
    }

    fn draw_line(&self, canvas: &mut Canvas, frame: &Frame, index: usize, line: &Line) {
        let points = frame.points(&line.x, &line.y);
        let colour = line_colour(index);
        canvas.line(&points, colour, WIDTH);
        if points.len() <= 40 && index < NAMED {
            points.iter().for_each(|at| canvas.dot(*at, 2.75, colour));
        }
    }

    fn draw_bars(&self, canvas: &mut Canvas, frame: &Frame, index: usize, line: &Line) {
        // Measured where the bars are: a scale knows nothing of places far outside.
        let from = self.range().map_or(0.0, |(low, _)| low);
        let slot = (frame.x.at(from + self.slot()) - frame.x.at(from)).abs() * FILLED;
        let width = (slot / self.lines.len() as f64).max(1.0);
        let zero = frame.y.at(0.0);
        for (x, y) in frame.points(&line.x, &line.y).into_iter().filter(|(x, y)| x.is_finite() && y.is_finite()) {
            let left = x - slot / 2.0 + width * index as f64;
            canvas.rect((left, zero), (left + width - 0.5_f64.min(width / 4.0), y), line_colour(index));
        }
    }

    fn draw_dots(&self, canvas: &mut Canvas, frame: &Frame, index: usize, line: &Line) {
        let all: usize = self.lines.iter().map(|line| line.y.len()).sum();
        let radius = match all {
            0..=200 => 3.25,
            201..=2000 => 2.25,
            _ => 1.5,
        };
        frame.points(&line.x, &line.y).iter().for_each(|at| canvas.dot(*at, radius, line_colour(index)));
    }

    /// A place in words.
    fn place(&self, x: f64) -> String {
        match &self.places {
            Places::Dates => dates::words(x),
            Places::Numbers => number(x),
            Places::Words(words) => words.get(x as usize).cloned().unwrap_or_default(),
        }
    }

    /// A line in words; none if nothing of it is there.
    fn parts(&self, line: &Line) -> Option<String> {
        let there: Vec<(f64, f64)> =
            line.x.iter().zip(&line.y).filter(|(_, y)| y.is_finite()).map(|(x, y)| (*x, *y)).collect();
        let (first, last) = (there.first()?, there.last()?);
        let name = if self.lines.len() > 1 { format!("{}: ", line.name) } else { String::new() };
        let said = match self.shape {
            Shape::Lines => format!(
                "from {} at {} to {} at {}",
                number(first.1),
                self.place(first.0),
                number(last.1),
                self.place(last.0)
            ),
            Shape::Bars => {
                let shown: Vec<String> =
                    there.iter().take(TOLD).map(|(x, y)| format!("{} {}", self.place(*x), number(*y))).collect();
                let more = there.len().saturating_sub(TOLD);
                format!("{}{}", shown.join(", "), if more > 0 { format!(" and {more} more") } else { String::new() })
            }
            Shape::Dots => {
                let (from, to) = layout::span(&line.x)?;
                let (low, high) = layout::span(&line.y)?;
                format!(
                    "{} points between {} and {}, values between {} and {}",
                    number(there.len() as f64),
                    self.place(from),
                    self.place(to),
                    number(low),
                    number(high)
                )
            }
        };
        Some(name + said.as_str())
    }
}

impl Drawing for Chart {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let parts: Vec<String> = self.lines.iter().take(NAMED).filter_map(|line| self.parts(line)).collect();
        let what = if self.value.is_empty() { &self.title } else { &self.value };
        if parts.is_empty() { format!("{what}: no data.") } else { format!("{what}: {}.", parts.join("; ")) }
    }

    fn height(&self, width: f64) -> f64 {
        layout::head(width, &self.title, &self.value, &self.legend()) + 300.0
    }

    fn data(&self) -> Table {
        let points = || self.lines.iter().flat_map(|line| line.x.iter().zip(&line.y).map(move |(x, y)| (line, *x, *y)));
        let data = Data::default().names("line", points().map(|(line, ..)| line.name.as_str()));
        let places = points().map(|(_, x, _)| x);
        let data = match &self.places {
            Places::Dates => data.places(TimeAxis::Dates, places),
            Places::Numbers => data.numbers("place", places),
            Places::Words(_) => data.names("place", places.map(|x| self.place(x))),
        };
        data.numbers("value", points().map(|(.., y)| y)).table(&self.title)
    }

    fn chart(&self) -> Option<SimpleChart> {
        let kind = match self.shape {
            Shape::Lines => ChartKind::Lines,
            Shape::Bars => ChartKind::Columns,
            Shape::Dots => return None,
        };
        if self.lines.len() > NAMED {
            return None;
        }
        let lines: Vec<(&[f64], &[f64])> = self.lines.iter().map(|line| (&line.x[..], &line.y[..])).collect();
        let (categories, rows) = match &self.places {
            Places::Words(words) => {
                // Words have their place, whether a line has a value there or not.
                let at =
                    |line: &Line, place: usize| line.x.iter().position(|x| *x == place as f64).map(|row| line.y[row]);
                let row = |line: &Line| (0..words.len()).map(|place| at(line, place).unwrap_or(f64::NAN)).collect();
                (Categories::Words(words.clone()), self.lines.iter().map(row).collect())
            }
            Places::Dates => {
                SimpleChart::over(&lines, false).map(|(places, rows)| (Categories::Dates(places), rows))?
            }
            Places::Numbers => {
                SimpleChart::over(&lines, true).map(|(places, rows)| (Categories::Steps(places), rows))?
            }
        };
        let series = self.lines.iter().zip(rows).enumerate();
        let series =
            series.map(|(index, (line, row))| ChartSeries::new(line.name.as_str(), row, line_colour(index).parts()));
        Some(SimpleChart {
            kind,
            categories,
            category_title: self.foot.clone(),
            value_title: self.value.clone(),
            series: series.collect(),
            shares: None,
        })
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value, &self.legend());
        let (Some(range), Some(y)) = (self.range(), self.values()) else {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        };
        let foot = if self.foot.is_empty() { FOOT } else { FOOT + 8.0 };
        let room =
            Room { left: MARGIN, right: canvas.width() - MARGIN, top: top + 8.0, bottom: canvas.height() - foot - 4.0 };
        let labels = label_width(canvas, y, room.bottom - room.top);
        let frame = Frame::new(canvas, room, range, y, labels);
        // The first line lies on top.
        for (index, line) in self.lines.iter().enumerate().rev() {
            match self.shape {
                Shape::Lines => self.draw_line(canvas, &frame, index, line),
                Shape::Bars => self.draw_bars(canvas, &frame, index, line),
                Shape::Dots => self.draw_dots(canvas, &frame, index, line),
            }
        }
        if self.shape == Shape::Bars {
            let zero = frame.y.at(0.0);
            canvas.line(&[(frame.left, zero), (frame.right, zero)], AXIS, 1.0);
        }
        let marks = self.marks(canvas, range, &frame);
        frame.axis(canvas, &marks, true);
        if !self.foot.is_empty() {
            // Below the second line of the dates' labels, if there is one.
            let below = if marks.iter().any(|mark| !mark.below.is_empty()) { 46.0 } else { 36.0 };
            let at = (f64::midpoint(frame.left, frame.right), frame.bottom + below);
            let foot = canvas.fit(&self.foot, SMALL, frame.right - frame.left);
            canvas.text(at, Anchor::Middle, &foot, SMALL);
        }
    }
}
