//! STL: decomposition into seasonal component, trend and remainder by loess.
//!
//! STL (Cleveland, Cleveland, McRae & Terpenning 1990, *J. Official Statistics* 6): loess of each place of the season
//! over the years, less a low-pass filter of it, is the season; loess of what remains is the trend. Two inner rounds, or
//! one in each of 16 robust rounds, which weigh down outliers by Tukey's bisquare. Degrees are 0 for the season, 1 for the
//! trend and the low-pass filter; windows and jumps are those of R's `stl`, and so are the numbers. Fails on series of
//! two seasons or less and on missing values ([`mstl`](super::mstl) fills them).

use super::loess::Loess;
use crate::error::{Error, Result};

/// How fast the season may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeasonalWindow {
    /// Not at all.
    Periodic,
    /// The loess window in seasons; even numbers are raised by one, to at least 3.
    Seasons(usize),
}

/// How to decompose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StlOptions {
    /// How fast the season may change.
    pub seasonal: SeasonalWindow,
    /// Steps in the window of the trend; if none, the next odd number from 1.5 m / (1 − 1.5/seasonal window).
    pub trend: Option<usize>,
    /// Are outliers weighed down?
    pub robust: bool,
}

impl Default for StlOptions {
    fn default() -> Self {
        Self { seasonal: SeasonalWindow::Seasons(11), trend: None, robust: false }
    }
}

/// A series taken apart: `values = seasonal + trend + remainder`.
#[derive(Clone, Debug, PartialEq)]
pub struct Stl {
    /// What recurs each season.
    pub seasonal: Vec<f64>,
    /// The level without it.
    pub trend: Vec<f64>,
    /// What is left.
    pub remainder: Vec<f64>,
}

/// Decomposes `values` with `season` steps in a season.
///
/// # Errors
/// When there are not more than two seasons, or a value is missing or too large to calculate with.
pub fn stl(values: &[f64], season: usize, options: &StlOptions) -> Result<Stl> {
    let mut workspace = Workspace::new(values.len(), season, options)?;
    let mut seasonal = vec![0.0; values.len()];
    let mut trend = vec![0.0; values.len()];
    workspace.decompose(values, &mut seasonal, &mut trend);
    let remainder: Vec<f64> =
        values.iter().zip(&seasonal).zip(&trend).map(|((value, seasonal), trend)| value - seasonal - trend).collect();
    if !remainder.iter().all(|r| r.is_finite()) {
        return Err(Error::model("STL needs values without gaps, and none so large that sums of them overflow"));
    }
    Ok(Stl { seasonal, trend, remainder })
}

/// Smoothers and buffers for series of one length and season; [`decompose`](Self::decompose) allocates nothing.
pub(super) struct Workspace {
    n: usize,
    season: usize,
    inner: usize,
    outer: usize,
    periodic: bool,
    /// For places of the season that occur once more than the others, and for the others.
    cycles: [Loess; 2],
    low_pass: Loess,
    trend: Loess,
    weights: Vec<f64>,
    /// The season before the low-pass filter, one season longer at each end.
    raw: Vec<f64>,
    filtered: Vec<f64>,
    again: Vec<f64>,
    /// One place of the season over the years, its weights and its smooth.
    cycle: Vec<f64>,
    cycle_weights: Vec<f64>,
    cycle_smooth: Vec<f64>,
}

impl Workspace {
    pub(super) fn new(n: usize, season: usize, options: &StlOptions) -> Result<Self> {
        if season < 2 {
            return Err(Error::model("STL needs a season of at least 2 steps"));
        }
        if n / 2 < season || n == 2 * season {
            return Err(Error::model(format!("STL needs more than two seasons of {season} steps, the series has {n}")));
        }
        let periodic = options.seasonal == SeasonalWindow::Periodic;
        let seasonal = match options.seasonal {
            SeasonalWindow::Periodic => 10 * n + 1,
            SeasonalWindow::Seasons(window) => window.max(3),
        };
        let usual = |m: f64| odd((1.5 * m / (1.0 - 1.5 / seasonal as f64)).ceil() as usize);
        let trend = options.trend.unwrap_or_else(|| usual(season as f64)).max(3);
        let low_pass = odd(season);
        let jump = |window: usize| window.div_ceil(10);
        let cycle = |length: usize| Loess::new(length, odd(seasonal), false, jump(seasonal), true);
        let (shorter, longer) = (n / season, n.div_ceil(season));
        let (inner, outer) = if options.robust { (1, 15) } else { (2, 0) };
        Ok(Self {
            n,
            season,
            inner,
            outer,
            periodic,
            cycles: [cycle(longer), cycle(shorter)],
            low_pass: Loess::new(n, low_pass, true, jump(low_pass), false),
            trend: Loess::new(n, odd(trend), true, jump(trend), false),
            weights: vec![1.0; n],
            raw: vec![0.0; n + 2 * season],
            filtered: vec![0.0; n + 2 * season],
            again: vec![0.0; n + 2 * season],
            cycle: vec![0.0; longer],
            cycle_weights: vec![0.0; longer],
            cycle_smooth: vec![0.0; longer + 2],
        })
    }

    /// Writes season and trend of `y`; all three have the workspace's length.
    pub(super) fn decompose(&mut self, y: &[f64], seasonal: &mut [f64], trend: &mut [f64]) {
        trend.fill(0.0);
        for round in 0..=self.outer {
            for _ in 0..self.inner {
                self.step(y, round > 0, seasonal, trend);
            }
            if round < self.outer {
                self.weigh(y, seasonal, trend);
            }
        }
        if self.periodic {
            for place in 0..self.season.min(self.n) {
                let count = (self.n - place).div_ceil(self.season);
                let mean = seasonal[place..].iter().step_by(self.season).sum::<f64>() / count as f64;
                seasonal[place..].iter_mut().step_by(self.season).for_each(|cell| *cell = mean);
            }
        }
    }

    /// One inner iteration: the seasonal component of the detrended series, then the trend of the adjusted one.
    fn step(&mut self, y: &[f64], weighted: bool, seasonal: &mut [f64], trend: &mut [f64]) {
        let (n, m) = (self.n, self.season);
        let detrended = &mut self.again[..n];
        for ((cell, y), trend) in detrended.iter_mut().zip(y).zip(&*trend) {
            *cell = y - trend;
        }
        for place in 0..m {
            let length = (n - place).div_ceil(m);
            let loess = &self.cycles[usize::from(length < self.cycle.len())];
            let cycle = &mut self.cycle[..length];
            cycle.iter_mut().zip(detrended[place..].iter().step_by(m)).for_each(|(cell, v)| *cell = *v);
            let weights = &mut self.cycle_weights[..length];
            if weighted {
                weights.iter_mut().zip(self.weights[place..].iter().step_by(m)).for_each(|(cell, v)| *cell = *v);
            }
            let smooth = &mut self.cycle_smooth[..length + 2];
            loess.smooth(cycle, weighted.then_some(&*weights), smooth);
            self.raw[place..].iter_mut().step_by(m).zip(&*smooth).for_each(|(cell, v)| *cell = *v);
        }
        moving_average(&self.raw, m, &mut self.filtered[..n + m + 1]);
        moving_average(&self.filtered[..n + m + 1], m, &mut self.again[..n + 2]);
        moving_average(&self.again[..n + 2], 3, &mut self.filtered[..n]);
        self.low_pass.smooth(&self.filtered[..n], None, &mut self.again[..n]);
        for ((cell, raw), low) in seasonal.iter_mut().zip(&self.raw[m..]).zip(&self.again) {
            *cell = raw - low;
        }
        for ((cell, y), seasonal) in self.filtered.iter_mut().zip(y).zip(&*seasonal) {
            *cell = y - seasonal;
        }
        self.trend.smooth(&self.filtered[..n], weighted.then_some(&self.weights), trend);
    }

    /// Bisquare weights: six median absolute remainders away, a value counts no more.
    fn weigh(&mut self, y: &[f64], seasonal: &[f64], trend: &[f64]) {
        let n = self.n;
        for (i, (cell, y)) in self.weights.iter_mut().zip(y).enumerate() {
            *cell = (y - (trend[i] + seasonal[i])).abs();
        }
        let sorted = &mut self.again[..n];
        sorted.copy_from_slice(&self.weights);
        let (below, upper, _) = sorted.select_nth_unstable_by(n / 2, f64::total_cmp);
        let lower = if n.is_multiple_of(2) { below.iter().copied().fold(f64::MIN, f64::max) } else { *upper };
        let reach = 3.0 * (lower + *upper);
        for cell in &mut self.weights {
            *cell = match *cell {
                r if r <= 0.001 * reach => 1.0,
                r if r <= 0.999 * reach => (1.0 - (r / reach).powi(2)).powi(2),
                _ => 0.0,
            };
        }
    }
}

/// The next odd number.
fn odd(window: usize) -> usize {
    window + usize::from(window.is_multiple_of(2))
}

/// Averages of `length` consecutive values, as many as `out` holds.
fn moving_average(y: &[f64], length: usize, out: &mut [f64]) {
    let scale = length as f64;
    let mut sum: f64 = y[..length].iter().sum();
    let (first, rest) = out.split_at_mut(1);
    first[0] = sum / scale;
    for ((cell, new), old) in rest.iter_mut().zip(&y[length..]).zip(y) {
        sum += new - old;
        *cell = sum / scale;
    }
}
