//! The inputs of the network: windows of past steps (context) and the steps ahead of them.
//!
//! The inputs of a step ahead are covariates known ahead, the calendar, and lags of at least the horizon (the features of other
//! global models, see [`FeatureSet`]). So training windows have the same distribution as the window of the forecast. A window is
//! scaled by its own level, which lets forecasts follow a trend.

use std::f64::consts::TAU;
use std::ops::Range;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::network::Batch;
use crate::fitting::global::{AlignedSeries, FeatureSet, Schema, Unit};

/// The smallest level of a window, relative to its series.
const MIN_LEVEL: f64 = 0.1;
/// The largest standardised input.
const MAX_INPUT: f32 = 8.0;
/// Fourier terms of a calendar cycle; shorter seasons than so many places are one-hot encoded.
const WAVES: usize = 2;
const PLACES: usize = 12;
/// Windows that inputs are standardised on.
const STANDARDISED_ON: usize = 512;
/// The fraction of training windows with the generic embedding, which forecasts series without history.
const GENERIC: f64 = 0.1;

/// Encodes aligned series as windows of the network.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Encoder {
    features: FeatureSet,
    units: Vec<Unit>,
    season: usize,
    calendar: Vec<String>,
    /// Context length and horizon.
    pub context: usize,
    pub horizon: usize,
    /// Is a window's level a factor, or a term?
    relative: bool,
    steps: Standardisation,
    observed: Standardisation,
    fixed: Standardisation,
}

/// Standardisation: mean and standard deviation by column.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Standardisation(Vec<(f32, f32)>);

/// One encoded series.
pub(super) struct EncodedSeries {
    /// The value of each step, NaN where there is none.
    pub y: Vec<f64>,
    /// By step and column, NaN where it is missing.
    cells: Vec<f32>,
    observed: Vec<f32>,
    fixed: Vec<f32>,
    /// The embedding: 0 is the generic one, the others are counted from 1.
    pub identity: i32,
    /// The scale of a value in units of the data.
    pub unit: f64,
}

/// The level of a window: a value is `shift + size · scaled value`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WindowLevel {
    pub shift: f64,
    pub size: f64,
}

impl Standardisation {
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
            // Dummies are not standardised: they may be rare.
            match sd.is_finite() && sd > 1e-6 * mean.abs() && !flag {
                true => (mean as f32, sd as f32),
                false => (if mean.is_finite() && !flag { mean as f32 } else { 0.0 }, 1.0),
            }
        };
        Self(sums.into_iter().map(measure).collect())
    }

    /// A standardised input; 0 where it is missing.
    fn apply(&self, column: usize, value: f32) -> f32 {
        let (mean, sd) = self.0.get(column).copied().unwrap_or((0.0, 1.0));
        if value.is_nan() { 0.0 } else { ((value - mean) / sd).clamp(-MAX_INPUT, MAX_INPUT) }
    }
}

impl Encoder {
    /// For windows of `context` steps of the past and `horizon` ahead.
    pub fn new(schema: &Schema, context: usize, horizon: usize, relative: bool) -> Self {
        let features = FeatureSet::steps(schema, horizon);
        let mut units = features.units();
        let waves = waves(schema.season, &schema.calendar, &[]).len();
        units.resize(units.len() + waves, Unit::Own);
        Self {
            features,
            units,
            season: schema.season,
            calendar: schema.calendar.clone(),
            context,
            horizon,
            relative,
            steps: Standardisation::default(),
            observed: Standardisation::default(),
            fixed: Standardisation::default(),
        }
    }

    /// Columns of a past step, of a step ahead, and of a series.
    pub fn widths(&self) -> [usize; 3] {
        [self.units.len() + 2 + self.observed.0.len(), self.units.len() + 1, self.fixed.0.len()]
    }

    /// Inputs per step.
    pub fn width(&self) -> usize {
        self.units.len()
    }

    /// The step of a series of `steps` steps from which on all lags are available (see [`FeatureSet::settled`]).
    pub fn settled(&self, steps: usize) -> Option<usize> {
        self.features.settled(steps)
    }

    /// An encoded series.
    pub fn encode(&self, aligned: &AlignedSeries, identity: i32, unit: f64) -> EncodedSeries {
        let n = aligned.y.len();
        let columns = self.features.columns(aligned, 0..n);
        let place = |t: usize| (aligned.start + t as i64).rem_euclid(self.season.max(1) as i64) as f64;
        let mut cells = Vec::with_capacity(n * self.units.len());
        let mut observed = Vec::with_capacity(n * aligned.observed.len());
        for t in 0..n {
            cells.extend(columns.iter().map(|column| column[t] as f32));
            let days: Vec<f64> =
                std::iter::once(place(t)).chain(aligned.calendar.iter().map(|column| column[t])).collect();
            cells.extend(waves(self.season, &self.calendar, &days));
            observed.extend(aligned.observed.iter().map(|column| column[t] as f32));
        }
        let fixed = aligned.fixed.iter().copied().chain([aligned.level]).map(|value| value as f32).collect();
        EncodedSeries { y: aligned.y.clone(), cells, observed, fixed, identity, unit }
    }

    /// The level of the window before a step.
    pub fn level(&self, series: &EncodedSeries, origin: usize) -> WindowLevel {
        let past = &series.y[origin.saturating_sub(self.context)..origin];
        let there = || past.iter().filter(|y| !y.is_nan());
        let n = there().count() as f64;
        match (self.relative, n > 0.0) {
            (true, true) => {
                WindowLevel { shift: 0.0, size: (there().map(|y| y.abs()).sum::<f64>() / n).max(MIN_LEVEL) }
            }
            (true, false) => WindowLevel { shift: 0.0, size: 1.0 },
            (false, true) => WindowLevel { shift: there().sum::<f64>() / n, size: 1.0 },
            (false, false) => WindowLevel { shift: 0.0, size: 1.0 },
        }
    }

    /// An input of a step, scaled by a level.
    fn scaled(&self, series: &EncodedSeries, t: usize, column: usize, level: WindowLevel) -> f32 {
        let value = series.cells[t * self.units.len() + column];
        match self.units[column] {
            Unit::Own => value,
            Unit::Value => ((f64::from(value) - level.shift) / level.size) as f32,
            Unit::Width => (f64::from(value) / level.size) as f32,
        }
    }

    /// Estimates the standardisation of inputs from all series, for steps from some windows.
    pub fn standardise(&mut self, encoded: &[EncodedSeries], windows: &[(usize, usize)]) {
        let every = (windows.len() / STANDARDISED_ON).max(1);
        let rows = windows.iter().step_by(every).flat_map(|(series, origin)| {
            let series = &encoded[*series];
            let level = self.level(series, *origin);
            let steps = origin.saturating_sub(self.context)..(origin + self.horizon).min(series.y.len());
            let encoder = &*self;
            steps.map(move |t| (0..encoder.units.len()).map(|c| encoder.scaled(series, t, c, level)).collect())
        });
        let steps = Standardisation::of(self.units.len(), rows);
        let width = |of: fn(&EncodedSeries) -> &Vec<f32>, rows: fn(&EncodedSeries) -> usize| {
            encoded.iter().find(|series| rows(series) > 0).map_or(0, |series| of(series).len() / rows(series))
        };
        let (observed, fixed) = (width(|s| &s.observed, |s| s.y.len()), width(|s| &s.fixed, |_| 1));
        let rows = encoded.iter().flat_map(|series| series.observed.chunks(observed.max(1)).map(<[f32]>::to_vec));
        self.observed = Standardisation::of(observed, rows);
        self.fixed = Standardisation::of(fixed, encoded.iter().map(|series| series.fixed.clone()));
        self.steps = steps;
    }

    /// A batch of windows that end before the steps given for each; with `random`, some get the generic embedding.
    pub fn batch(
        &self,
        encoded: &[&EncodedSeries],
        windows: &[(usize, usize, usize)],
        mut random: Option<&mut ChaCha8Rng>,
    ) -> Batch {
        let [past, ahead, fixed] = self.widths();
        let n = windows.len();
        let mut batch = Batch {
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
            let series = encoded[*series];
            let level = self.level(series, *origin);
            let read = |t: usize, c: usize| self.steps.apply(c, self.scaled(series, t, c, level));
            for k in 0..self.context {
                // Before a series begins there is nothing.
                let Some(t) = (origin + k).checked_sub(self.context) else { continue };
                let row = &mut batch.past[(k * n + w) * past..][..past];
                let (columns, rest) = row.split_at_mut(self.units.len());
                columns.iter_mut().enumerate().for_each(|(c, cell)| *cell = read(t, c));
                if !series.y[t].is_nan() {
                    rest[0] = (((series.y[t] - level.shift) / level.size) as f32).clamp(-MAX_INPUT, MAX_INPUT);
                    rest[1] = 1.0;
                }
                let cells = &series.observed[t * self.observed.0.len()..][..self.observed.0.len()];
                rest[2..].iter_mut().enumerate().for_each(|(c, cell)| *cell = self.observed.apply(c, cells[c]));
            }
            for k in 0..self.horizon {
                let t = origin + k;
                if t >= series.y.len() {
                    break;
                }
                let row = &mut batch.ahead[(k * n + w) * ahead..][..ahead];
                let (columns, rest) = row.split_at_mut(self.units.len());
                columns.iter_mut().enumerate().for_each(|(c, cell)| *cell = read(t, c));
                rest[0] = (k + 1) as f32 / self.horizon as f32 - 0.5;
                if t < *end && !series.y[t].is_nan() {
                    batch.targets[k * n + w] = ((series.y[t] - level.shift) / level.size) as f32;
                    batch.known[k * n + w] = 1.0;
                }
            }
            batch.fixed.extend(series.fixed.iter().enumerate().map(|(c, value)| self.fixed.apply(c, *value)));
            let generic = random.as_mut().is_some_and(|random| random.random::<f64>() < GENERIC);
            batch.series.push(if generic { 0 } else { series.identity });
            batch.units.push((level.size * series.unit) as f32);
        }
        batch
    }
}

/// The forecast origins of windows, by series, and the end of the values that are available.
pub(super) struct Origins {
    ranges: Vec<(Range<usize>, usize)>,
    /// Windows up to the end of each series.
    sums: Vec<usize>,
}

impl Origins {
    /// Of the series without their last `from_end` steps. `cold`: some series have no history.
    pub fn new(encoded: &[EncodedSeries], horizon: usize, from_end: usize, cold: bool) -> Self {
        let range = |series: &EncodedSeries| {
            let end = series.y.len().saturating_sub(from_end);
            let first = if cold { 0 } else { horizon.min(end / 3) };
            let last = if end > first + horizon { end - horizon + 1 } else { end };
            let there = series.y[..end].iter().any(|y| !y.is_nan());
            (if there { first..last.max(first) } else { 0..0 }, end)
        };
        let ranges: Vec<_> = encoded.iter().map(range).collect();
        let sums = ranges.iter().scan(0, |sum, (range, _)| {
            *sum += range.len();
            Some(*sum)
        });
        let sums = sums.collect();
        Self { ranges, sums }
    }

    /// The number of windows.
    pub fn len(&self) -> usize {
        self.sums.last().copied().unwrap_or(0)
    }

    /// The window at a place in their order: the series, the origin, the end of the values that are available.
    pub fn at(&self, place: usize) -> (usize, usize, usize) {
        let series = self.sums.partition_point(|sum| *sum <= place);
        let (range, end) = &self.ranges[series];
        let before = if series == 0 { 0 } else { self.sums[series - 1] };
        (series, range.start + place - before, *end)
    }
}

/// The Fourier terms of a step: of the place in the season, and of the calendar features. Without days, as many zeros.
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
