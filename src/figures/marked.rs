//! What was out of the ordinary, and when did a level change? A line, what was expected, and named marks on it.

use super::axes::{self, FOOT, Frame, Room, Scale, value_range};
use super::canvas::{Anchor, Canvas, Words, measure, wrap};
use super::data::Data;
use super::layout::{self, BLUE, GREY, INK, Key, MARGIN, ORANGE, PALETTE, SMALL, short};
use super::{Drawing, Figure, Line, TimeAxis, dates};
use crate::show::{Table, number, one_line};

/// Marks that are named.
const MOST: usize = 12;
/// Rows of names above the plot, the height of one, and the longest name that stands there.
const LANES: usize = 3;
const LANE: f64 = 16.0;
const WORDS: f64 = 190.0;
const PLOT: f64 = 240.0;
/// Room for the number of an entry of the list, and how it looks.
const NUMBER: f64 = 26.0;
const BADGE: Words = Words { size: 12.0, bold: true, colour: INK };
const GREEN: super::Colour = PALETTE[1];

/// A line with marks and levels.
#[derive(Clone, Debug)]
pub struct Marked {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// Dates or steps.
    pub axis: TimeAxis,
    /// The line.
    pub line: Line,
    /// What was expected.
    pub expected: Option<Line>,
    /// Levels: from where, to where, at which height.
    pub levels: Vec<(f64, f64, f64)>,
    /// Where, at which height, and what it was; the first twelve are named.
    pub marks: Vec<(f64, f64, String)>,
}

/// How the marks are named: in lanes above the plot, or by numbers and a list below it.
enum Plan {
    /// For each mark of [`Marked::named`] its lane, the middle of its words, and the words.
    Lanes(Vec<(usize, f64, String)>),
    /// The lines of the list: the number on the first line of each entry.
    List(Vec<(Option<usize>, String)>),
}

impl Marked {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    /// The first marks that have a place, from the left to the right.
    fn named(&self) -> Vec<&(f64, f64, String)> {
        let mut named: Vec<_> = self.marks.iter().filter(|mark| mark.0.is_finite()).take(MOST).collect();
        named.sort_by(|one, other| one.0.total_cmp(&other.0));
        named
    }

    fn unnamed(&self) -> usize {
        self.marks.iter().filter(|mark| mark.0.is_finite()).count().saturating_sub(MOST)
    }

    fn legend(&self) -> Vec<(Key, String)> {
        let name = |line: &Line, or: &str| if line.name.is_empty() { or.to_string() } else { line.name.clone() };
        let mut legend = Vec::new();
        if self.expected.is_some() || !self.levels.is_empty() {
            legend.push((Key::Line(BLUE, 1.75), name(&self.line, "actual")));
        }
        legend.extend(self.expected.iter().map(|line| (Key::Dashed(INK), name(line, "expected"))));
        if !self.levels.is_empty() {
            legend.push((Key::Line(GREEN, 3.0), "level".into()));
        }
        if !self.marks.is_empty() {
            let more = match self.unnamed() {
                0 => "out of the ordinary".to_string(),
                more => format!("out of the ordinary ({} more without a name)", number(more as f64)),
            };
            legend.push((Key::Ring(ORANGE), more));
        }
        legend
    }

    fn places(&self) -> Option<(f64, f64)> {
        let levels: Vec<f64> = self.levels.iter().flat_map(|level| [level.0, level.1]).collect();
        let marks = self.marks.iter().map(|mark| &mark.0);
        let expected = self.expected.iter().flat_map(|line| &line.x);
        layout::span(self.line.x.iter().chain(expected).chain(&levels).chain(marks))
    }

    fn values(&self) -> Option<(f64, f64)> {
        let expected = self.expected.iter().flat_map(|line| &line.y);
        let levels = self.levels.iter().map(|level| &level.2);
        layout::span(self.line.y.iter().chain(expected).chain(levels).chain(self.marks.iter().map(|mark| &mark.1)))
    }

    fn y(&self) -> (f64, f64) {
        self.values().map_or((0.0, 1.0), |(low, high)| value_range(low, high))
    }

    fn place(&self, x: f64) -> String {
        match self.axis {
            TimeAxis::Dates => dates::words(x),
            TimeAxis::Steps => format!("step {}", number(x)),
        }
    }

    /// The horizontal scale, which the names above the plot need before it is drawn.
    fn across(&self, canvas_width: f64, range: (f64, f64)) -> (Scale, f64, f64) {
        let labels = axes::widest_label(self.y(), PLOT);
        let (left, right) = (MARGIN + labels + 8.0, canvas_width - MARGIN);
        let inset = ((right - left) * 0.012).clamp(2.0, 8.0);
        (Scale::new(range, left + inset, right - inset), left, right)
    }

    fn plan(&self, width: f64) -> Plan {
        let named = self.named();
        let Some(range) = self.places() else { return Plan::Lanes(Vec::new()) };
        let (scale, left, right) = self.across(width, range);
        let mut lanes = [f64::NEG_INFINITY; LANES];
        let mut placed = Vec::with_capacity(named.len());
        for (index, (x, _, text)) in named.iter().enumerate() {
            let (text, x) = (one_line(text), scale.at(*x));
            let half = measure(&text, SMALL) / 2.0;
            // A line leads down from the words to the mark: it has to begin beneath them, to pass no other words, and
            // the words must not stand on the line of an earlier mark.
            let free = |(lane, centre): &(usize, f64)| {
                centre - half >= lanes[*lane] + 10.0
                    && lanes[*lane + 1..].iter().all(|end| x >= *end + 4.0)
                    && !placed.iter().any(|(other, _, _, at): &(usize, f64, String, f64)| {
                        other < lane && (centre - half - 4.0..=centre + half + 4.0).contains(at)
                    })
            };
            let near = named.get(index + 1).is_some_and(|next| scale.at(next.0) < x + half + 10.0);
            let centres = if near { [x - half + 4.0, x, x + half - 4.0] } else { [x, x - half + 4.0, x + half - 4.0] };
            let within = |centre: f64| centre.clamp(left + half, (right - half).max(left + half));
            let candidates = (0..LANES).rev().flat_map(|lane| centres.map(|centre| (lane, within(centre))));
            let Some((lane, centre)) = candidates
                .into_iter()
                .find(free)
                .filter(|(_, centre)| 2.0 * half <= WORDS && centre + half <= right + 1.0)
            else {
                return Plan::List(self.list(&named, width));
            };
            lanes[lane] = centre + half;
            placed.push((lane, centre, text, x));
        }
        Plan::Lanes(placed.into_iter().map(|(lane, centre, text, _)| (lane, centre, text)).collect())
    }

    fn list(&self, named: &[&(f64, f64, String)], width: f64) -> Vec<(Option<usize>, String)> {
        let entry = |(index, (x, y, text)): (usize, &&(f64, f64, String))| {
            let at = if y.is_finite() { format!(" ({})", short(*y)) } else { String::new() };
            let text = format!("{}{at}: {}", self.place(*x), one_line(text));
            let lines = wrap(&text, SMALL, width - 2.0 * MARGIN - NUMBER, 2);
            let number = move |(line, text)| ((line == 0).then_some(index + 1), text);
            lines.into_iter().enumerate().map(number).collect::<Vec<_>>()
        };
        named.iter().enumerate().flat_map(entry).collect()
    }

    /// Room for names above the plot, and below it.
    fn extra(plan: &Plan) -> (f64, f64) {
        match plan {
            Plan::Lanes(placed) => {
                let used = placed.iter().map(|(lane, ..)| LANES - lane).max().unwrap_or(0);
                (LANE * used as f64, 0.0)
            }
            Plan::List(lines) => (12.0, LANE * lines.len() as f64 + 8.0),
        }
    }
}

impl Drawing for Marked {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let (Some((from, to)), Some((low, high))) = (self.places(), layout::span(&self.line.y)) else {
            return format!("{}: no data.", self.value);
        };
        let named = self.named().into_iter().map(|(x, y, text)| {
            let at = if y.is_finite() { format!(" at {}", short(*y)) } else { String::new() };
            format!("{}{at}: {text}", self.place(*x))
        });
        let mut parts: Vec<String> = named.collect();
        if self.unnamed() > 0 {
            parts.push(format!("{} more", self.unnamed()));
        }
        let marks = if parts.is_empty() { String::new() } else { format!(" Marked: {}.", parts.join("; ")) };
        let level = |(from, to, at): &(f64, f64, f64)| {
            format!("{} from {} to {}", short(*at), self.place(*from), self.place(*to))
        };
        let finite = |(from, to, at): &&(f64, f64, f64)| from.is_finite() && to.is_finite() && at.is_finite();
        let levels: Vec<String> = self.levels.iter().filter(finite).take(MOST).map(level).collect();
        let levels = if levels.is_empty() { String::new() } else { format!(" Levels: {}.", levels.join("; ")) };
        format!(
            "{} from {} to {}, between {} and {}.{levels}{marks}",
            self.value,
            self.place(from),
            self.place(to),
            short(low),
            short(high)
        )
    }

    fn height(&self, width: f64) -> f64 {
        let (above, below) = Self::extra(&self.plan(width));
        layout::head(width, &self.title, &self.value, &self.legend()) + 8.0 + above + PLOT + FOOT + 4.0 + below
    }

    fn data(&self) -> Table {
        let mut lines = vec![("value".to_string(), &self.line.x[..], &self.line.y[..])];
        lines.extend(self.expected.iter().map(|line| ("expected".to_string(), &line.x[..], &line.y[..])));
        let data = Data::default().lines(self.axis, &lines);
        let data = if self.levels.is_empty() {
            data
        } else {
            let level = |of: fn(&(f64, f64, f64)) -> f64| self.levels.iter().map(of);
            let from = Data::default().places(self.axis, level(|level| level.0));
            let from =
                from.numbers("level", level(|level| level.2)).names("mark", level(|_| 0.0).map(|_| "level from"));
            let to = Data::default().places(self.axis, level(|level| level.1));
            let to = to.numbers("level", level(|level| level.2)).names("mark", level(|_| 0.0).map(|_| "level to"));
            data.above(from).above(to)
        };
        let data = if self.marks.is_empty() {
            data
        } else {
            let marks = Data::default()
                .places(self.axis, self.marks.iter().map(|mark| mark.0))
                .numbers("value", self.marks.iter().map(|mark| mark.1))
                .names("mark", self.marks.iter().map(|mark| mark.2.as_str()));
            data.above(marks)
        };
        data.table(&self.title)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value, &self.legend());
        let (Some(range), Some(_)) = (self.places(), self.values()) else {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        };
        let plan = self.plan(canvas.width());
        let (above, _) = Self::extra(&plan);
        let y = self.y();
        let room_top = top + 8.0 + above;
        let room = Room { left: MARGIN, right: canvas.width() - MARGIN, top: room_top, bottom: room_top + PLOT };
        let frame = Frame::new(canvas, room, range, y, axes::widest_label(y, PLOT));
        let named = self.named();
        let over = |mark: &(f64, f64, String)| {
            (frame.x.at(mark.0), if mark.1.is_finite() { frame.y.at(mark.1) } else { frame.bottom })
        };
        if let Plan::Lanes(placed) = &plan {
            for ((lane, ..), mark) in placed.iter().zip(&named) {
                let (x, y) = over(mark);
                let from = room_top - LANE * (LANES - lane) as f64 + LANE;
                canvas.line(&[(x, from), (x, (y - 5.0).max(from))], GREY.tint(0.6), 1.0);
            }
        }
        if let Some(line) = &self.expected {
            canvas.dashed(&frame.points(&line.x, &line.y), INK, 1.25, 4.5, 3.0);
        }
        let points = frame.points(&self.line.x, &self.line.y);
        canvas.line(&points, BLUE, 1.75);
        for (from, to, at) in self.levels.iter().filter(|level| level.2.is_finite()) {
            let height = frame.y.at(*at);
            if from.is_finite() && to.is_finite() {
                canvas.line(&[(frame.x.at(*from), height), (frame.x.at(*to), height)], GREEN, 3.0);
            }
        }
        for mark in self.marks.iter().filter(|mark| mark.0.is_finite()) {
            canvas.ring(over(mark), 4.0, ORANGE);
        }
        frame.time_axis(canvas, self.axis, range, true);
        match &plan {
            Plan::Lanes(placed) => {
                let words = Words { colour: INK, ..SMALL };
                for (lane, centre, text) in placed {
                    let y = room_top - LANE * (LANES - lane) as f64 + LANE - 4.0;
                    canvas.text((*centre, y), Anchor::Middle, text, words);
                }
            }
            Plan::List(lines) => {
                let mut taken: Vec<(f64, f64)> = Vec::new();
                for (index, mark) in named.iter().enumerate() {
                    let (x, y) = over(mark);
                    let text = (index + 1).to_string();
                    let half = canvas.measure(&text, BADGE) / 2.0;
                    // Above the mark, below it, or farther up: wherever no other number is.
                    let heights = [-9.0, 19.0, -22.0, 32.0, -35.0, 45.0, -48.0, 58.0, -61.0, 71.0, -74.0, 84.0];
                    let free = |at: &f64| {
                        *at > frame.top - 3.0
                            && *at < frame.bottom - 2.0
                            && taken.iter().all(|(x0, y0)| (x0 - x).abs() > 17.0 || (y0 - at).abs() > 12.5)
                    };
                    let Some(at) = heights.iter().map(|by| y + by).find(free) else { continue };
                    taken.push((x, at));
                    let x = x.clamp(frame.left + half, frame.right - half);
                    layout::tag(canvas, (x, at), Anchor::Middle, &text, BADGE);
                }
                let mut y = frame.bottom + FOOT + 12.0;
                for (number, text) in lines {
                    if let Some(number) = number {
                        canvas.text((MARGIN + NUMBER - 7.0, y), Anchor::End, &number.to_string(), BADGE);
                    }
                    canvas.text((MARGIN + NUMBER, y), Anchor::Start, text, SMALL);
                    y += LANE;
                }
            }
        }
    }
}
