//! What does the network see of a series? Windows: steps of the past, one by one, and the steps ahead of them.
//!
//! A step ahead is told by what is known of it beforehand: covariates known ahead, the calendar, and values at least as old as
//! the forecast reaches (those that other models across series read, see [`Design`]). So a window of the past is what the
//! window of the forecast will be. A window is seen relative to its own level, which lets a series grow.

use std::f64::consts::TAU;
use std::ops::Range;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::network::Chunk;
use crate::models::learned::design::{Design, Shape, Track, Unit};

/// The least level of a window, in that of its series.
const LEAST: f64 = 0.1;
/// How far a column may be from its mean, in its standard deviations.
const FARTHEST: f32 = 8.0;
/// Waves that a round of the calendar is told by; places of a season up to so many are told one by one.
const WAVES: usize = 2;
const PLACES: usize = 12;
/// Windows that columns are measured by.
const MEASURED: usize = 512;
/// The share of training windows whose series is not told, so that a series without a past can be forecast.
const UNTOLD: f64 = 0.1;

/// How series are read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Reading {
    design: Design,
    units: Vec<Unit>,
    season: usize,
    calendar: Vec<String>,
    /// Steps of the past, and steps ahead.
    pub context: usize,
    pub horizon: usize,
    /// Is a window's level a factor, or a term?
    relative: bool,
    steps: Measures,
    observed: Measures,
    fixed: Measures,
}

/// Mean and standard deviation by column.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Measures(Vec<(f32, f32)>);

/// One series as it is read.
pub(super) struct Story {
    /// The value of each step, NaN where there is none.
    pub y: Vec<f64>,
    /// By step and column, NaN where nothing is known.
    cells: Vec<f32>,
    observed: Vec<f32>,
    fixed: Vec<f32>,
    /// 0 for any, the others counted from 1.
    pub identity: i32,
    /// What 1 is in the units of the data.
    pub unit: f64,
}

/// The level of a window: a value is `shift + size` times what is seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Level {
    pub shift: f64,
    pub size: f64,
}

impl Measures {
    fn of(columns: usize, rows: impl Iterator<Item = Vec<f32>>) -> Self {
        let mut sums = vec![(0.0_f64, 0.0_f64, 0.0_f64, true); columns];
        for row in rows {
            for ((n, sum, squares, flag), value) in sums.iter_mut().zip(row).filter(|(_, value)| value.is_finite()) {
                let value = f64::from(value);
                (*n, *sum, *squares) = (*n + 1.0, *sum + value, *squares + value * value);
                *flag &= value == 0.0 || value == 1.0;
            }
        }
        let measure = |(n, sum, squares, flag): (f64, f64, f64, bool)| {
            let mean = sum / n;
            let sd = (squares / n - mean * mean).max(0.0).sqrt();
            // What is 0 or 1 stays so: it may be rare.
            match sd.is_finite() && sd > 1e-6 * mean.abs() && !flag {
                true => (mean as f32, sd as f32),
                false => (if mean.is_finite() && !flag { mean as f32 } else { 0.0 }, 1.0),
            }
        };
        Self(sums.into_iter().map(measure).collect())
    }

    /// A cell as it is read; 0 where nothing is known.
    fn read(&self, column: usize, value: f32) -> f32 {
        let (mean, sd) = self.0.get(column).copied().unwrap_or((0.0, 1.0));
        if value.is_nan() { 0.0 } else { ((value - mean) / sd).clamp(-FARTHEST, FARTHEST) }
    }
}

impl Reading {
    /// For windows of `context` steps of the past and `horizon` ahead.
    pub fn new(shape: &Shape, context: usize, horizon: usize, relative: bool) -> Self {
        let design = Design::steps(shape, horizon);
        let mut units = design.units();
        let waves = waves(shape.season, &shape.calendar, &[]).len();
        units.resize(units.len() + waves, Unit::Own);
        Self {
            design,
            units,
            season: shape.season,
            calendar: shape.calendar.clone(),
            context,
            horizon,
            relative,
            steps: Measures::default(),
            observed: Measures::default(),
            fixed: Measures::default(),
        }
    }

    /// Columns of a past step, of a step ahead, and of a series.
    pub fn widths(&self) -> [usize; 3] {
        [self.units.len() + 2 + self.observed.0.len(), self.units.len() + 1, self.fixed.0.len()]
    }

    /// Cells that a step takes.
    pub fn width(&self) -> usize {
        self.units.len()
    }

    /// The step of a series of `steps` steps from which on what is read of the past is there (see [`Design::settled`]).
    pub fn settled(&self, steps: usize) -> Option<usize> {
        self.design.settled(steps)
    }

    /// A series as it is read.
    pub fn story(&self, track: &Track, identity: i32, unit: f64) -> Story {
        let n = track.y.len();
        let columns = self.design.columns(track, 0..n);
        let place = |t: usize| (track.start + t as i64).rem_euclid(self.season.max(1) as i64) as f64;
        let mut cells = Vec::with_capacity(n * self.units.len());
        let mut observed = Vec::with_capacity(n * track.observed.len());
        for t in 0..n {
            cells.extend(columns.iter().map(|column| column[t] as f32));
            let days: Vec<f64> =
                std::iter::once(place(t)).chain(track.calendar.iter().map(|column| column[t])).collect();
            cells.extend(waves(self.season, &self.calendar, &days));
            observed.extend(track.observed.iter().map(|column| column[t] as f32));
        }
        let fixed = track.fixed.iter().copied().chain([track.level]).map(|value| value as f32).collect();
        Story { y: track.y.clone(), cells, observed, fixed, identity, unit }
    }

    /// The level of the window before a step.
    pub fn level(&self, story: &Story, origin: usize) -> Level {
        let past = &story.y[origin.saturating_sub(self.context)..origin];
        let there = || past.iter().filter(|y| !y.is_nan());
        let n = there().count() as f64;
        match (self.relative, n > 0.0) {
            (true, true) => Level { shift: 0.0, size: (there().map(|y| y.abs()).sum::<f64>() / n).max(LEAST) },
            (true, false) => Level { shift: 0.0, size: 1.0 },
            (false, true) => Level { shift: there().sum::<f64>() / n, size: 1.0 },
            (false, false) => Level { shift: 0.0, size: 1.0 },
        }
    }

    /// A cell of the columns of a step, relative to a level.
    fn seen(&self, story: &Story, t: usize, column: usize, level: Level) -> f32 {
        let value = story.cells[t * self.units.len() + column];
        match self.units[column] {
            Unit::Own => value,
            Unit::Value => ((f64::from(value) - level.shift) / level.size) as f32,
            Unit::Width => (f64::from(value) / level.size) as f32,
        }
    }

    /// Measures the columns of all series, those of steps by some windows.
    pub fn measure(&mut self, stories: &[Story], windows: &[(usize, usize)]) {
        let every = (windows.len() / MEASURED).max(1);
        let rows = windows.iter().step_by(every).flat_map(|(series, origin)| {
            let story = &stories[*series];
            let level = self.level(story, *origin);
            let steps = origin.saturating_sub(self.context)..(origin + self.horizon).min(story.y.len());
            let reading = &*self;
            steps.map(move |t| (0..reading.units.len()).map(|c| reading.seen(story, t, c, level)).collect())
        });
        let steps = Measures::of(self.units.len(), rows);
        let width = |of: fn(&Story) -> &Vec<f32>, rows: fn(&Story) -> usize| {
            stories.iter().find(|story| rows(story) > 0).map_or(0, |story| of(story).len() / rows(story))
        };
        let (observed, fixed) = (width(|s| &s.observed, |s| s.y.len()), width(|s| &s.fixed, |_| 1));
        let rows = stories.iter().flat_map(|story| story.observed.chunks(observed.max(1)).map(<[f32]>::to_vec));
        self.observed = Measures::of(observed, rows);
        self.fixed = Measures::of(fixed, stories.iter().map(|story| story.fixed.clone()));
        self.steps = steps;
    }

    /// Windows that end before the steps given for each series, as they are read; `random` leaves some identities untold.
    pub fn chunk(
        &self,
        stories: &[&Story],
        windows: &[(usize, usize, usize)],
        mut random: Option<&mut ChaCha8Rng>,
    ) -> Chunk {
        let [past, ahead, fixed] = self.widths();
        let n = windows.len();
        let mut chunk = Chunk {
            past: vec![0.0; self.context * n * past],
            ahead: vec![0.0; self.horizon * n * ahead],
            fixed: Vec::with_capacity(n * fixed),
            series: Vec::with_capacity(n),
            targets: vec![0.0; self.horizon * n],
            known: vec![0.0; self.horizon * n],
            units: Vec::with_capacity(n),
            kept: Vec::new(),
        };
        for (w, (series, origin, end)) in windows.iter().enumerate() {
            let story = stories[*series];
            let level = self.level(story, *origin);
            let read = |t: usize, c: usize| self.steps.read(c, self.seen(story, t, c, level));
            for k in 0..self.context {
                // Before a series begins there is nothing.
                let Some(t) = (origin + k).checked_sub(self.context) else { continue };
                let row = &mut chunk.past[(k * n + w) * past..][..past];
                let (columns, rest) = row.split_at_mut(self.units.len());
                columns.iter_mut().enumerate().for_each(|(c, cell)| *cell = read(t, c));
                if !story.y[t].is_nan() {
                    rest[0] = (((story.y[t] - level.shift) / level.size) as f32).clamp(-FARTHEST, FARTHEST);
                    rest[1] = 1.0;
                }
                let seen = &story.observed[t * self.observed.0.len()..][..self.observed.0.len()];
                rest[2..].iter_mut().enumerate().for_each(|(c, cell)| *cell = self.observed.read(c, seen[c]));
            }
            for k in 0..self.horizon {
                let t = origin + k;
                if t >= story.y.len() {
                    break;
                }
                let row = &mut chunk.ahead[(k * n + w) * ahead..][..ahead];
                let (columns, rest) = row.split_at_mut(self.units.len());
                columns.iter_mut().enumerate().for_each(|(c, cell)| *cell = read(t, c));
                rest[0] = (k + 1) as f32 / self.horizon as f32 - 0.5;
                if t < *end && !story.y[t].is_nan() {
                    chunk.targets[k * n + w] = ((story.y[t] - level.shift) / level.size) as f32;
                    chunk.known[k * n + w] = 1.0;
                }
            }
            chunk.fixed.extend(story.fixed.iter().enumerate().map(|(c, value)| self.fixed.read(c, *value)));
            let untold = random.as_mut().is_some_and(|random| random.random::<f64>() < UNTOLD);
            chunk.series.push(if untold { 0 } else { story.identity });
            chunk.units.push((level.size * story.unit) as f32);
        }
        chunk
    }
}

/// Where windows may begin, by series: the origins, and the end of what may be looked at.
pub(super) struct Origins {
    ranges: Vec<(Range<usize>, usize)>,
    /// Windows up to the end of each series.
    sums: Vec<usize>,
}

impl Origins {
    /// Of the series without their last `from_end` steps. `cold`: some series must be forecast without a past.
    pub fn new(stories: &[Story], horizon: usize, from_end: usize, cold: bool) -> Self {
        let range = |story: &Story| {
            let end = story.y.len().saturating_sub(from_end);
            let first = if cold { 0 } else { horizon.min(end / 3) };
            let last = if end > first + horizon { end - horizon + 1 } else { end };
            let there = story.y[..end].iter().any(|y| !y.is_nan());
            (if there { first..last.max(first) } else { 0..0 }, end)
        };
        let ranges: Vec<_> = stories.iter().map(range).collect();
        let sums = ranges.iter().scan(0, |sum, (range, _)| {
            *sum += range.len();
            Some(*sum)
        });
        let sums = sums.collect();
        Self { ranges, sums }
    }

    /// How many windows there are.
    pub fn len(&self) -> usize {
        self.sums.last().copied().unwrap_or(0)
    }

    /// The window at a place in their order: the series, where it begins, the end of what may be looked at.
    pub fn at(&self, place: usize) -> (usize, usize, usize) {
        let series = self.sums.partition_point(|sum| *sum <= place);
        let (range, end) = &self.ranges[series];
        let before = if series == 0 { 0 } else { self.sums[series - 1] };
        (series, range.start + place - before, *end)
    }
}

/// What the calendar says of a step, in waves: the place in the season, and the columns of the calendar. Without days, as many
/// zeros.
fn waves(season: usize, calendar: &[String], days: &[f64]) -> Vec<f32> {
    let day = |at: usize| days.get(at).copied().unwrap_or(0.0);
    let mut out = Vec::new();
    let mut round = |at: f64, length: f64, waves: usize| {
        for k in 1..=waves {
            let angle = TAU * k as f64 * at / length;
            out.extend([angle.sin(), angle.cos()].map(|wave| if wave.is_finite() { wave as f32 } else { 0.0 }));
        }
    };
    for (k, name) in calendar.iter().enumerate() {
        let length = match name.as_str() {
            "weekday" => 7.0,
            "day of month" => 31.0,
            "month" => 12.0,
            "day of year" => 365.25,
            "week of year" => 52.18,
            _ => continue,
        };
        round(day(k + 1), length, WAVES);
    }
    match season {
        0 | 1 => {}
        2..=PLACES => out.extend((0..season).map(|place| f32::from(u8::from(day(0) == place as f64)))),
        _ => round(day(0), season as f64, WAVES + 1),
    }
    out
}
