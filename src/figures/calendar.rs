//! Which days sell? A calendar, a colour per day or week: a row per weekday and year, or per year.

use chrono::{Datelike, NaiveDate};

use super::canvas::{Anchor, Canvas, Colour, Words};
use super::data::Data;
use super::layout::{self, BLUE, GREY, INK, Key, MARGIN, ORANGE, PALETTE, PANEL, SMALL, short};
use super::{Drawing, Figure, TimeAxis, dates};
use crate::show::words::listed;
use crate::show::{Table, number};

/// Years that one picture holds: the latest.
const DAILY: usize = 8;
const WEEKLY: usize = 40;
const ROW_DAILY: f64 = 13.0;
const ROW_WEEKLY: f64 = 22.0;
/// A day without a value.
const NONE: Colour = Colour(190, 196, 203);
/// The edges of marked days.
const EDGES: [Colour; 6] = [ORANGE, INK, PALETTE[1], PALETTE[2], PALETTE[3], Colour(120, 60, 20)];

/// Values by day or week.
#[derive(Clone, Debug)]
pub struct CalendarHeat {
    /// The title.
    pub title: String,
    /// The quantity and its unit.
    pub value: String,
    /// One value per week, not per day.
    pub weekly: bool,
    /// Seconds since 1970 and the value; NaN where there is none.
    pub cells: Vec<(f64, f64)>,
    /// Named days: seconds since 1970 and the name.
    pub marks: Vec<(f64, String)>,
}

/// A cell on the calendar: its year, its row and column there, and what it holds.
struct Day {
    year: i32,
    row: usize,
    column: usize,
    at: f64,
    value: f64,
}

impl CalendarHeat {
    /// The figure.
    pub fn figure(self) -> Figure {
        Figure::new(self)
    }

    fn day(&self, at: f64, value: f64) -> Option<Day> {
        let date = dates::moment(at.floor())?.date();
        if self.weekly {
            let week = date.iso_week();
            return Some(Day { year: week.year(), row: 0, column: week.week0() as usize, at, value });
        }
        let first = NaiveDate::from_ymd_opt(date.year(), 1, 1)?;
        let column = (date.ordinal0() + first.weekday().num_days_from_monday()) as usize / 7;
        let row = date.weekday().num_days_from_monday() as usize;
        Some(Day { year: date.year(), row, column, at, value })
    }

    fn days(&self) -> Vec<Day> {
        self.cells.iter().filter_map(|(at, value)| self.day(*at, *value)).collect()
    }

    /// The years that are drawn, and how many earlier ones are not.
    fn years(&self) -> (Vec<i32>, usize) {
        let mut years: Vec<i32> = self.days().iter().map(|day| day.year).collect();
        years.sort_unstable();
        years.dedup();
        let left_out = years.len().saturating_sub(if self.weekly { WEEKLY } else { DAILY });
        (years.split_off(left_out), left_out)
    }

    /// From where to where the colours run: the inner 96 % of the values, and whether zero is their middle.
    fn ends(&self) -> Option<(f64, f64, bool)> {
        let all = layout::sorted(self.cells.iter().map(|(_, value)| value));
        let (low, high) = (*all.first()?, *all.last()?);
        let (from, to) = (layout::quantile(&all, 0.02), layout::quantile(&all, 0.98));
        let (from, to) = if from < to { (from, to) } else { (low, high) };
        if layout::quantile(&all, 0.1) < 0.0 && to > 0.0 {
            let end = from.abs().max(to);
            return Some((-end, end, true));
        }
        Some((from, to, false))
    }

    /// The names of the marked days, in the order they come.
    fn kinds(&self) -> Vec<&str> {
        let mut kinds: Vec<&str> = Vec::new();
        for (_, name) in &self.marks {
            if !kinds.contains(&name.as_str()) {
                kinds.push(name);
            }
        }
        kinds
    }

    fn edge(place: usize) -> Colour {
        EDGES.get(place).copied().unwrap_or(GREY)
    }

    fn value(&self) -> String {
        match self.years().1 {
            0 => self.value.clone(),
            1 => format!("{} · 1 earlier year not drawn", self.value),
            more => format!("{} · {more} earlier years not drawn", self.value),
        }
    }

    fn legend(&self) -> Vec<(Key, String)> {
        let Some((low, high, around)) = self.ends() else { return Vec::new() };
        let values: Vec<f64> = self.cells.iter().map(|(_, value)| *value).collect();
        let (least, most) = layout::span(&values).unwrap_or((low, high));
        let mut legend = Vec::new();
        if low == high {
            legend.push((Key::Patch(shade(low, (low, high, around))), short(low)));
        } else {
            let beyond = |sign: &str, there: bool| if there { format!("{sign} ") } else { String::new() };
            let patch = |at: f64, words: String| (Key::Patch(shade(at, (low, high, around))), words);
            legend.push(patch(low, format!("{}{}", beyond("≤", least < low), short(low))));
            legend.push(patch(low / 2.0 + high / 2.0, short(low / 2.0 + high / 2.0)));
            legend.push(patch(high, format!("{}{}", beyond("≥", most > high), short(high))));
        }
        if values.iter().any(|value| !value.is_finite()) {
            legend.push((Key::Box(NONE), "no value".into()));
        }
        let kinds = self.kinds();
        let named = kinds.iter().take(EDGES.len()).enumerate();
        legend.extend(named.map(|(place, name)| (Key::Box(Self::edge(place)), (*name).to_string())));
        if kinds.len() > EDGES.len() {
            legend.push((Key::Box(GREY), format!("{} other days", kinds.len() - EDGES.len())));
        }
        legend
    }

    /// The height of one year, and of what stands above the first.
    fn block(&self) -> (f64, f64) {
        if self.weekly { (ROW_WEEKLY, 20.0) } else { (7.0 * ROW_DAILY + 28.0, 0.0) }
    }
}

/// The colour of a value: light to dark from end to end, or orange and blue around zero.
fn shade(value: f64, (low, high, around): (f64, f64, bool)) -> Colour {
    if around {
        let share = (value / high).clamp(-1.0, 1.0);
        return if share < 0.0 { ORANGE.tint(0.06 - 0.94 * share) } else { BLUE.tint(0.06 + 0.94 * share) };
    }
    let share = if low < high { (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0) } else { 0.5 };
    BLUE.tint(0.16 + 0.84 * share.clamp(0.0, 1.0))
}

impl Drawing for CalendarHeat {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let days = self.days();
        let there = || days.iter().filter(|day| day.value.is_finite());
        let most = there().max_by(|one, other| one.value.total_cmp(&other.value));
        let least = there().min_by(|one, other| one.value.total_cmp(&other.value));
        let (Some(most), Some(least)) = (most, least) else { return format!("{}: no data.", self.value) };
        let places: Vec<f64> = days.iter().map(|day| day.at).collect();
        let (from, to) = layout::span(&places).unwrap_or((0.0, 0.0));
        let step = if self.weekly { "week" } else { "day" };
        let missing = days.len() - there().count();
        let missing = if missing > 0 { format!("; {} without a value", number(missing as f64)) } else { String::new() };
        let kinds = self.kinds();
        let marks = if kinds.is_empty() { String::new() } else { format!(" Marked: {}.", listed(&kinds, 12)) };
        format!(
            "{} by {step} from {} to {}: highest {} on {}, lowest {} on {}{missing}.{marks}",
            self.value,
            dates::words(from),
            dates::words(to),
            short(most.value),
            dates::words(most.at),
            short(least.value),
            dates::words(least.at)
        )
    }

    fn height(&self, width: f64) -> f64 {
        let (block, above) = self.block();
        let years = self.years().0.len();
        let blocks = if years == 0 { 60.0 } else { years as f64 * block };
        layout::head(width, &self.title, &self.value(), &self.legend()) + 8.0 + above + blocks + 10.0
    }

    fn data(&self) -> Table {
        let name = |at: f64| {
            let here = self.marks.iter().filter(|(mark, _)| same(*mark, at)).map(|(_, name)| name.as_str());
            here.collect::<Vec<_>>().join(", ")
        };
        let data = Data::default()
            .places(TimeAxis::Dates, self.cells.iter().map(|(at, _)| *at))
            .numbers("value", self.cells.iter().map(|(_, value)| *value));
        if self.marks.is_empty() {
            return data.table(&self.title);
        }
        data.names("mark", self.cells.iter().map(|(at, _)| name(*at))).table(&self.title)
    }

    fn draw(&self, canvas: &mut Canvas) {
        let top = layout::title(canvas, &self.title);
        let top = layout::subtitle(canvas, top, &self.value(), &self.legend()) + 8.0;
        let ((years, _), days) = (self.years(), self.days());
        let Some(ends) = self.ends().filter(|_| !years.is_empty()) else {
            return layout::no_data(canvas, (canvas.width() / 2.0, (top + canvas.height()) / 2.0));
        };
        let widest = years.iter().map(|year| canvas.measure(&year.to_string(), PANEL)).fold(0.0, f64::max);
        let names = widest.max(if self.weekly { 0.0 } else { canvas.measure("Mon", SMALL) });
        let left = MARGIN + names + 8.0;
        let columns = if self.weekly { 53.0 } else { 54.0 };
        let cell = ((canvas.width() - MARGIN - left) / columns).min(14.0);
        let (block, above) = self.block();
        let (row, gap) = if self.weekly { (ROW_WEEKLY, 2.0) } else { (ROW_DAILY, 0.0) };
        let over = |year: i32| top + above + years.iter().position(|here| *here == year).unwrap_or(0) as f64 * block;
        let first_row = |year: i32| over(year) + if self.weekly { 0.0 } else { 20.0 };
        // Wide cells are apart by a line of white, narrow ones by a hair.
        let air = (cell * 0.06).clamp(0.25, 0.75);
        let corners = |day: &Day| {
            let (x, y) = (left + day.column as f64 * cell, first_row(day.year) + day.row as f64 * row);
            ((x + air, y + air), (x + cell - air, y + row - gap - air))
        };
        for (index, year) in years.iter().enumerate() {
            if self.weekly {
                let y = over(*year) + row / 2.0 + 3.5;
                canvas.text((left - 8.0, y), Anchor::End, &year.to_string(), PANEL);
                if index == 0 {
                    months(canvas, *year, over(*year) - 6.0, left, cell, true);
                }
                continue;
            }
            canvas.text((MARGIN, over(*year) + 14.0), Anchor::Start, &year.to_string(), PANEL);
            months(canvas, *year, over(*year) + 14.0, left, cell, false);
            for (place, name) in [(0, "Mon"), (2, "Wed"), (4, "Fri"), (6, "Sun")] {
                let y = first_row(*year) + (place as f64 + 0.5) * row + 4.0;
                canvas.text((left - 6.0, y), Anchor::End, name, Words { size: 11.0, ..SMALL });
            }
        }
        let drawn = |day: &&Day| years.contains(&day.year);
        for day in days.iter().filter(drawn) {
            let (from, to) = corners(day);
            if day.value.is_finite() {
                canvas.rect(from, to, shade(day.value, ends));
            } else {
                let (from, to) = ((from.0 + 0.5, from.1 + 0.5), (to.0 - 0.5, to.1 - 0.5));
                layout::outline(canvas, from, to, NONE, 1.0);
            }
        }
        let kinds = self.kinds();
        for (at, name) in &self.marks {
            let place = kinds.iter().position(|kind| kind == name).unwrap_or(usize::MAX);
            if let Some(day) = self.day(*at, f64::NAN).filter(|day| drawn(&day)) {
                let (from, to) = corners(&day);
                layout::outline(canvas, from, to, Self::edge(place), 2.0);
            }
        }
    }
}

/// Are two times on one day?
fn same(one: f64, other: f64) -> bool {
    (one / 86_400.0).floor() == (other / 86_400.0).floor()
}

/// The names of the months, each above the first week that begins in it.
fn months(canvas: &mut Canvas, year: i32, y: f64, left: f64, cell: f64, weekly: bool) {
    let widest = canvas.measure("May", SMALL);
    let every = if 4.0 * cell > widest + 4.0 { 1 } else { 2 };
    for month in (1..=12).step_by(every) {
        let Some(date) = NaiveDate::from_ymd_opt(year, month, 1) else { continue };
        let Some(first) = NaiveDate::from_ymd_opt(year, 1, 1) else { continue };
        let offset = first.weekday().num_days_from_monday();
        let column = if weekly { date.ordinal0().div_ceil(7) } else { (date.ordinal0() + offset) / 7 };
        let name = date.format("%b").to_string();
        let x = left + f64::from(column) * cell;
        canvas.text((x, y), Anchor::Start, &name, SMALL);
    }
}
