//! One thing that is watched, a series, a group or the portfolio: what is usual for it, and the state of its charts.

use super::charts::{Bias, Coverage, Cusum, FREEDOM, PageHinkley, Shift};
use super::common::median_of;
use super::{Chart, Direction};
use serde::{Deserialize, Serialize};

/// How many charts a track has.
pub const CHARTS: usize = 5;

/// The level to which the logarithm of the errors is offset, as a share of the level of the series: see [`super`].
pub const OFFSET: f64 = 0.1;

/// How many of the last errors are kept, to say how large a change is.
const KEPT: usize = 8;

/// Steps of quiet after which an alarm is over.
const QUIET: u8 = 4;

/// The CUSUM's allowance, the tolerance of Page–Hinkley, the weight of the last error in the bias.
const ALLOWANCE: f64 = 0.5;
const TOLERANCE: f64 = 0.25;
const WEIGHT: f64 = 0.1;

/// Standardised innovations beyond this are cut off in the CUSUM, the bias and the size of errors.
const CUT: f64 = 3.0;

/// What is usual for a track: found in the reference, constant until the next one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The usual error: what is left of the median.
    pub centre: f64,
    /// The first autocorrelation of errors.
    pub rho: f64,
    /// The scale of the t distribution of innovations.
    pub scale: f64,
    /// The mean of the size of errors, and its standard deviation.
    pub size: (f64, f64),
    /// The share of missed intervals, and how many independent intervals a step has.
    pub misses: (f64, f64),
}

impl Baseline {
    /// What is usual in these errors, of which the missing are NaN; none with fewer than 13 errors, or without spread.
    ///
    /// `pool` are the autocorrelation of all tracks of the kind and the least scale.
    pub fn of(errors: &[f64], pool: (f64, f64), room: &mut Vec<f64>) -> Option<Self> {
        if errors.iter().filter(|e| e.is_finite()).count() < 13 {
            return None;
        }
        // Shrunk: half a year of errors that are autocorrelated knows its median badly.
        let centre = 0.8 * median_of(errors, room);
        let rho = (pool.0 + 0.5 * (autocorrelation(errors, centre, room) - pool.0)).clamp(0.0, 0.8);
        let mut innovations: Vec<f64> = Vec::with_capacity(errors.len());
        let mut previous = 0.0;
        for error in errors {
            if error.is_finite() {
                let x = error - centre;
                innovations.push(x - rho * previous);
                previous = x;
            } else {
                previous *= rho;
            }
        }
        let absolute: Vec<f64> = innovations.iter().map(|u| u.abs()).collect();
        let mut scale = 1.4826 * median_of(&absolute, room);
        // More than half of the errors are equal: the mean is left.
        if scale <= 0.0 {
            scale = absolute.iter().sum::<f64>() / absolute.len() as f64;
        }
        if scale <= 0.0 && pool.1 <= 0.0 {
            return None;
        }
        // The maximum likelihood of the t distribution's scale: its usual iteration.
        for _ in 0..20 {
            let weight = |u: f64| (FREEDOM + 1.0) / (FREEDOM + (u / scale).powi(2));
            if scale > 0.0 {
                scale = (innovations.iter().map(|u| weight(*u) * u * u).sum::<f64>() / innovations.len() as f64).sqrt();
            }
        }
        Some(Self { centre, rho, scale: scale.hypot(pool.1), size: (0.0, 1.0), misses: (0.5, 0.0) })
    }
}

/// The first autocorrelation of errors around a centre, outliers cut off.
pub fn autocorrelation(errors: &[f64], centre: f64, room: &mut Vec<f64>) -> f64 {
    let absolute: Vec<f64> = errors.iter().map(|e| (e - centre).abs()).collect();
    let cut = 3.0 * 1.4826 * median_of(&absolute, room);
    if !cut.is_finite() {
        return 0.0;
    }
    let x = |e: &f64| (e - centre).clamp(-cut, cut);
    let mean = |sum: (f64, f64)| if sum.1 > 0.0 { sum.0 / sum.1 } else { 0.0 };
    let add = |sum: (f64, f64), p: f64| if p.is_finite() { (sum.0 + p, sum.1 + 1.0) } else { sum };
    let pairs = errors.windows(2).filter_map(|w| Some(x(w.first()?) * x(w.get(1)?)));
    let covariance = mean(pairs.fold((0.0, 0.0), add));
    let variance = mean(errors.iter().map(|e| x(e).powi(2)).fold((0.0, 0.0), add));
    if variance > 0.0 { covariance / variance } else { 0.0 }
}

/// What a track is told of one step; NaN is unknown.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// The error on the logarithmic scale.
    pub error: f64,
    /// How much noisier than usual the step is.
    pub inflation: f64,
    /// The size of the errors of its members, as a logarithm, for a track of many series.
    pub size: Option<f64>,
    /// The share of missed intervals.
    pub misses: f64,
}

/// An alarm that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Open {
    pub chart: Chart,
    pub direction: Direction,
    /// The step in which the change began.
    pub since: u64,
    /// The step in which it was noticed.
    pub raised: u64,
    /// How large it is: see [`super::Alarm`].
    pub size: f64,
    quiet: u8,
}

/// What a step does to a track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    Nothing,
    Raised(Open),
    Recovered(Open),
}

/// The state of the charts of one thing that is watched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Track {
    baseline: Baseline,
    previous: f64,
    shift: Shift,
    cusum: Cusum,
    size: PageHinkley,
    coverage: Coverage,
    bias: Bias,
    /// The last errors, growths of their size and misses, newest first.
    recent: [(f32, f32, f32); KEPT],
    kept: u8,
    open: Option<Open>,
    /// How far the centre has been moved by changes that were accepted; intervals are moved with it.
    pub accepted: f64,
    /// How many steps in a row had no error.
    pub silent: u32,
}

impl Track {
    pub fn new(baseline: Baseline) -> Self {
        Self {
            baseline,
            previous: 0.0,
            shift: Shift::default(),
            cusum: Cusum::new(ALLOWANCE),
            // As if the mean were known from half a year.
            size: PageHinkley::around(TOLERANCE, 0.0, 26.0),
            coverage: Coverage::new(baseline.misses.0, baseline.misses.1),
            bias: Bias::new(WEIGHT),
            recent: [(0.0, 0.0, 0.0); KEPT],
            kept: 0,
            open: None,
            accepted: 0.0,
            silent: 0,
        }
    }

    /// Another idea of what is usual; the charts keep their state.
    pub fn rebase(&mut self, baseline: Baseline) {
        self.baseline = baseline;
        self.coverage.rebase(baseline.misses.0, baseline.misses.1);
    }

    pub fn baseline(&self) -> &Baseline {
        &self.baseline
    }

    pub fn open(&self) -> Option<&Open> {
        self.open.as_ref()
    }

    /// The size of the error of a step, outliers cut off; the track goes on to the next step.
    pub fn size_of(&mut self, input: &Input) -> Option<f64> {
        let innovation = self.innovation(input)?;
        let size = input.size.unwrap_or(innovation.clamp(-CUT, CUT).abs());
        size.is_finite().then_some(size)
    }

    /// What is new in a step's error, in units of its scale.
    fn innovation(&mut self, input: &Input) -> Option<f64> {
        let b = self.baseline;
        if !input.error.is_finite() {
            self.previous *= b.rho;
            return None;
        }
        let x = input.error - b.centre;
        let innovation = (x - b.rho * self.previous) / (b.scale * input.inflation);
        self.previous = x;
        Some(innovation)
    }

    /// One more step of charts that look for a shift of the level by the share `shift`.
    pub fn push(&mut self, input: Input, shift: f64) {
        let Some(innovation) = self.innovation(&input) else {
            self.silent = self.silent.saturating_add(1);
            return;
        };
        self.silent = 0;
        let b = self.baseline;
        let (x, scale) = (self.previous, b.scale * input.inflation);
        // Forecasts follow: on average over the window they have taken up a tenth of the shift.
        let to = |share: f64| 0.9 * ((1.0 + share + OFFSET) / (1.0 + OFFSET)).ln() / scale;
        self.shift.update(innovation, b.rho, to(shift), to(-shift.min(0.95)));
        let cut = innovation.clamp(-CUT, CUT);
        self.cusum.update(cut);
        self.bias.update(cut);
        let size = input.size.unwrap_or(cut.abs());
        self.size.update((size - b.size.0) / b.size.1);
        self.coverage.update(input.misses);
        self.recent.rotate_right(1);
        if let Some(first) = self.recent.first_mut() {
            // What is unknown is below zero: a state that is written as JSON has no NaN.
            let known = |x: f64| if x.is_finite() { x as f32 } else { -2.0 };
            let growth =
                if input.size.is_some() { (size - b.size.0).exp_m1() } else { size / b.size.0.max(1e-9) - 1.0 };
            *first = (x as f32, known(growth), known(input.misses));
        }
        self.kept = self.kept.saturating_add(1).min(KEPT as u8);
    }

    /// The evidence of each chart, in the order of [`Chart::ALL`].
    pub fn evidence(&self) -> [f64; CHARTS] {
        let (shift, ..) = self.shift.best();
        let (worse, _) = self.size.value();
        [shift, self.cusum.value(), worse, self.coverage.value(), self.bias.value().abs()]
    }

    /// Raises an alarm, or ends one, by these thresholds; `step` is the number of the last step pushed.
    pub fn judge(&mut self, thresholds: &[f64; CHARTS], step: u64) -> Event {
        // Without an error nothing has changed.
        if self.silent > 0 {
            return Event::Nothing;
        }
        let ratio = |(evidence, threshold): (f64, &f64)| evidence / threshold;
        let part = self.evidence().into_iter().zip(thresholds).map(ratio).fold(0.0, f64::max);
        if let Some(open) = &mut self.open {
            // The charts began anew when it was raised: a change that lasts shows again.
            open.quiet = if part < 0.5 { open.quiet + 1 } else { 0 };
            if part >= 1.0 {
                self.forget();
            } else if open.quiet >= QUIET {
                let over = *open;
                self.open = None;
                return Event::Recovered(over);
            }
            return Event::Nothing;
        }
        if part < 1.0 {
            return Event::Nothing;
        }
        // Of those that are sure the first: it says most.
        let sure = self.evidence().into_iter().zip(thresholds).zip(Chart::ALL).find(|((e, h), _)| e >= h);
        let open = self.describe(sure.map_or(Chart::Shift, |(_, chart)| chart), step);
        self.open = Some(open);
        self.forget();
        Event::Raised(open)
    }

    /// What a chart that has just reached its threshold says.
    fn describe(&self, chart: Chart, step: u64) -> Open {
        let (_, upwards, window) = self.shift.best();
        let steps = match chart {
            Chart::Shift => window,
            Chart::Cusum => self.cusum.since(),
            Chart::PageHinkley => self.size.since(),
            Chart::Coverage => self.coverage.since(),
            // As far back as the weights reach.
            Chart::Bias => KEPT as u32,
        };
        let steps = steps.max(1);
        let kept = (steps as usize).min(usize::from(self.kept)).max(1);
        let recent = || self.recent.iter().take(kept);
        let mean = |values: &mut dyn Iterator<Item = f32>| {
            let (sum, n) = values.fold((0.0, 0.0), |(sum, n), x| (sum + f64::from(x), n + 1.0));
            if n > 0.0 { sum / n } else { 0.0 }
        };
        let level = 100.0 * ((1.0 + OFFSET) * mean(&mut recent().map(|r| r.0)).exp_m1());
        let rising = match chart {
            Chart::Shift => upwards,
            Chart::Cusum => self.cusum.upwards(),
            Chart::Bias => self.bias.value() > 0.0,
            Chart::PageHinkley | Chart::Coverage => true,
        };
        let (direction, size) = match chart {
            Chart::PageHinkley => (Direction::Worse, 100.0 * mean(&mut recent().map(|r| r.1).filter(|g| *g >= -1.0))),
            Chart::Coverage => {
                let misses = mean(&mut recent().map(|r| r.2).filter(|m| *m >= 0.0));
                (Direction::Worse, 100.0 * (misses - self.baseline.misses.0))
            }
            _ if rising => (Direction::Up, level),
            _ => (Direction::Down, level),
        };
        Open { chart, direction, since: (step + 1).saturating_sub(u64::from(steps)), raised: step, size, quiet: 0 }
    }

    /// Ends an alarm because somebody has seen to it; the charts begin anew. With `accept` what the track does now is
    /// usual from here on: its centre moves to the mean of the errors since the alarm, at most eight of them.
    pub fn acknowledge(&mut self, accept: bool, step: u64) {
        if let Some(open) = self.open.take().filter(|_| accept) {
            let steps = (step + 1).saturating_sub(open.since) as usize;
            let known = steps.min(usize::from(self.kept)).max(1);
            let moved = self.recent.iter().take(known).map(|r| f64::from(r.0)).sum::<f64>() / known as f64;
            self.baseline.centre += moved;
            self.accepted += moved;
            self.previous -= moved;
            self.kept = 0;
        }
        self.forget();
    }

    fn forget(&mut self) {
        self.shift.reset();
        self.cusum.reset();
        self.size.reset();
        self.coverage.reset();
        self.bias.reset();
    }
}
