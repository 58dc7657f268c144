//! How does the level grow, and how may it come to grow otherwise?
//!
//! A slope that changes at given times makes a line with bends, u(t). Linear growth is that line; logistic growth is C(t)/(1 + exp −u(t)),
//! which is the same as the piecewise logistic curve of Taylor & Letham (2018, §3.1.1), whose offsets are there to make
//! u continuous; flat growth has no slope at all. Time is measured in lengths of the history, which ends at 1.
//!
//! Ahead, the slope goes on changing as it did: changes come at random with as many to a length of the history as there are
//! changepoints in it, each drawn from the Laplace distribution whose scale is the mean absolute change. The variance of
//! the line h after the end is then 2λ²r h³/3 with scale λ and rate r.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::options::choice;

choice!(
    /// How a trend grows.
    Growth { Linear, Logistic, Flat }
);

/// A level over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Trend {
    pub growth: Growth,
    pub slope: f64,
    /// The line at 0; for logistic growth, the time at which the line without changes is zero.
    pub offset: f64,
    /// When the slope changes, ascending, and by how much.
    pub changepoints: Vec<f64>,
    pub changes: Vec<f64>,
}

impl Trend {
    /// The line or curve through the first and the last value, without changes.
    pub fn through(growth: Growth, times: &[f64], values: &[f64], caps: &[f64]) -> Self {
        let (mut slope, mut offset) = (0.0, values.iter().sum::<f64>() / values.len() as f64);
        if let (Growth::Linear | Growth::Logistic, [first, .., last], [from, .., to]) = (growth, values, times) {
            let span = to - from;
            (slope, offset) = match (growth, caps) {
                (Growth::Logistic, [low, .., high]) => {
                    // A value beyond floor or ceiling has no place on the curve.
                    let share = |y: f64, cap: f64| cap / y.clamp(0.01 * cap, 0.99 * cap);
                    let (mut start, end) = (share(*first, *low), share(*last, *high));
                    if (start - end).abs() <= 0.01 {
                        start *= 1.05;
                    }
                    let (start, end) = ((start - 1.0).ln(), (end - 1.0).ln());
                    ((start - end) / span, start * span / (start - end))
                }
                _ => ((last - first) / span, first - (last - first) / span * from),
            };
        }
        Self { growth, slope, offset, changepoints: Vec::new(), changes: Vec::new() }
    }

    /// The line at a time.
    pub fn line(&self, time: f64) -> f64 {
        let base = match self.growth {
            Growth::Logistic => self.slope * (time - self.offset),
            Growth::Linear | Growth::Flat => self.offset + self.slope * time,
        };
        let bends = self.changepoints.iter().zip(&self.changes);
        base + bends.map(|(from, change)| change * (time - from).max(0.0)).sum::<f64>()
    }

    /// The level where the line has this value, under a ceiling if growth is logistic.
    pub fn level(growth: Growth, line: f64, cap: f64) -> f64 {
        match growth {
            Growth::Logistic => cap / (1.0 + (-line).exp()),
            Growth::Linear | Growth::Flat => line,
        }
    }

    /// Changes to a length of the history, and the scale of their sizes.
    fn restlessness(&self) -> (f64, f64) {
        let count = self.changes.len() as f64;
        let size = self.changes.iter().map(|change| change.abs()).sum::<f64>() / count.max(1.0);
        (count, size)
    }

    /// The standard deviation of the line at a time after the end of the history.
    pub fn std_dev(&self, time: f64) -> f64 {
        let (rate, scale) = self.restlessness();
        scale * (2.0 / 3.0 * rate * (time - 1.0).max(0.0).powi(3)).sqrt()
    }

    /// Draws how far the line will have left its course at each of the times, which ascend.
    pub fn depart(&self, random: &mut ChaCha8Rng, times: impl Iterator<Item = f64>, mut visit: impl FnMut(usize, f64)) {
        let (rate, scale) = self.restlessness();
        let mut exponential = || -(-((random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64)).ln_1p();
        let (mut slope, mut start) = (0.0, 0.0);
        let mut next = if rate * scale > 0.0 { 1.0 + exponential() / rate } else { f64::INFINITY };
        for (step, time) in times.enumerate() {
            while next <= time {
                // The difference of two exponential numbers has a Laplace distribution.
                let change = scale * (exponential() - exponential());
                slope += change;
                start -= change * next;
                next += exponential() / rate;
            }
            visit(step, start + slope * time);
        }
    }
}
