//! What is a media-mix model made of? Sales, spend per channel, and what else moves sales.
//!
//! sales(t) = trend + season + controls + Σ contribution of channel c + error, where a contribution is an effect β_c ≥
//! 0 times a [saturation](super::saturation) of the [adstock](super::adstock) of spend (Jin, Wang, Sun, Chan & Koehler
//! 2017, *Bayesian Methods for Media Mix Modeling with Carryover and Shape Effects*, Google). The trend is a straight
//! line with optional bends, the season is a few harmonics, controls are known covariates such as price and promotion.

use std::f64::consts::TAU;

use super::adstock::{Memory, Normalisation};
use super::saturation::Saturation;
use crate::error::{Error, Result};

/// The spend of a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// Money per period.
    pub spend: Vec<f64>,
}

impl Channel {
    /// Spend per period on average.
    pub fn mean(&self) -> f64 {
        self.spend.iter().sum::<f64>() / self.spend.len().max(1) as f64
    }

    /// The typical spend of a period that has some.
    pub(super) fn typical(&self) -> f64 {
        let (sum, count) = self
            .spend
            .iter()
            .filter(|spend| **spend > 0.0)
            .fold((0.0, 0.0), |(sum, count), spend| (sum + spend, count + 1.0));
        if count > 0.0 { sum / count } else { 0.0 }
    }
}

/// The result of an experiment in which a channel was switched on, off or up somewhere: what its spend brought.
#[derive(Clone, Debug, PartialEq)]
pub struct LiftTest {
    /// The place of the channel.
    pub channel: usize,
    /// The spend that was tested, in total.
    pub spend: f64,
    /// The sales that it brought, in total, after-effects included.
    pub sales: f64,
    /// The standard error of these sales.
    pub error: f64,
    /// The number of periods over which the spend was spread evenly; without it the test is taken to have measured the
    /// average return of the channel as it is spent in the data.
    pub periods: Option<f64>,
    /// Spend per period that ran anyway, with `periods`.
    pub base: f64,
}

/// A market: one series of sales, and what may move it.
#[derive(Clone, Debug, PartialEq)]
pub struct Market {
    /// Sales per period; NaN where they are not known.
    pub sales: Vec<f64>,
    /// Spend per channel.
    pub channels: Vec<Channel>,
    /// Named controls, a value per period each.
    pub controls: Vec<(String, Vec<f64>)>,
    /// Seasons: their length in periods and the number of their harmonics.
    pub seasons: Vec<(f64, usize)>,
    /// What experiments have shown.
    pub tests: Vec<LiftTest>,
}

/// The form of the model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Form {
    /// How spend is remembered.
    pub memory: Kind,
    /// What the weights of the adstock are scaled to.
    pub normalisation: Normalisation,
    /// The form of diminishing returns.
    pub saturation: Saturation,
    /// How often the trend bends, at equal distances.
    pub bends: usize,
    /// Was there spend before the first period? If so it is taken as the mean of the first 13 periods.
    pub earlier: bool,
}

/// The kind of memory, of which the fit estimates one number per channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Geometric: its retention is estimated.
    Geometric {
        /// The number of periods with an effect; none for an infinite memory.
        window: Option<usize>,
    },
    /// Weibull: its scale is estimated.
    Weibull {
        /// Its shape.
        shape: f64,
    },
}

impl Default for Form {
    fn default() -> Self {
        Self {
            memory: Kind::Geometric { window: None },
            normalisation: Normalisation::Sum,
            saturation: Saturation::Hill { exponent: 1.0 },
            bends: 0,
            earlier: true,
        }
    }
}

/// The periods at the start whose mean stands for the spend before them.
const START: usize = 13;

impl Kind {
    /// The memory at a place u of the line: λ = 1 / (1 + e⁻ᵘ), or the logarithm of the scale.
    pub(super) fn at(self, place: f64) -> Memory {
        match self {
            Self::Geometric { window } => Memory::Geometric { retention: 1.0 / (1.0 + (-place).exp()), window },
            Self::Weibull { shape } => Memory::Weibull { shape, scale: place.exp() },
        }
    }

    /// The normal prior of the place, mean and standard deviation: retention mostly between 0.11 and 0.78, scale
    /// between half a period and seven.
    pub(super) fn prior(self) -> (f64, f64) {
        match self {
            Self::Geometric { .. } => (-0.4, 1.0),
            Self::Weibull { .. } => (0.7, 0.8),
        }
    }

    /// Where the place may lie: retention between 0.01 and 0.95, scale between 0.3 and 26 periods.
    pub(super) fn bounds(self) -> (f64, f64) {
        match self {
            Self::Geometric { .. } => (-4.6, 2.94),
            Self::Weibull { .. } => (-1.2, 3.26),
        }
    }

    /// Places from short to long memories.
    pub(super) fn grid(self) -> [f64; 4] {
        match self {
            Self::Geometric { .. } => [-4.6, -0.85, 0.4, 1.4],
            Self::Weibull { .. } => [-1.2, 0.2, 0.9, 1.8],
        }
    }
}

impl Market {
    /// Can the numbers be sales and spends at all?
    ///
    /// # Errors
    /// When lengths differ, a spend is negative or missing, or a test cannot be; naming channel and period.
    pub fn check(&self) -> Result<()> {
        let periods = self.sales.len();
        if self.channels.is_empty() {
            return Err(Error::usage(
                "no channel is named: say which columns hold the spend, such as --channels tv,search",
            ));
        }
        for Channel { name, spend } in &self.channels {
            if spend.len() != periods {
                return Err(Error::data(format!("`{name}` has {} periods, sales have {periods}", spend.len())));
            }
            for (t, value) in spend.iter().enumerate() {
                if !value.is_finite() {
                    return Err(Error::data(format!(
                        "spend `{name}` has no value in period {}: write 0 where nothing was spent",
                        t + 1
                    )));
                }
                if *value < 0.0 {
                    return Err(Error::data(format!(
                        "spend `{name}` is negative in period {}: {value}; net corrections against the period that they belong to",
                        t + 1
                    )));
                }
            }
        }
        for (name, values) in &self.controls {
            if values.len() != periods {
                return Err(Error::data(format!(
                    "control `{name}` has {} periods, sales have {periods}",
                    values.len()
                )));
            }
            if let Some(t) = values.iter().position(|value| !value.is_finite()) {
                return Err(Error::data(format!("control `{name}` has no value in period {}", t + 1)));
            }
        }
        for test in &self.tests {
            let name = match self.channels.get(test.channel) {
                Some(channel) => &channel.name,
                None => return Err(Error::usage("a lift test names a channel that there is not")),
            };
            let wrong = |what: &str, value: f64| {
                Err(Error::data(format!("the lift test of `{name}` needs {what}, not {value}")))
            };
            match test {
                LiftTest { spend, .. } if !(*spend > 0.0 && spend.is_finite()) => {
                    return wrong("a positive spend", *spend);
                }
                LiftTest { error, .. } if !(*error > 0.0 && error.is_finite()) => {
                    return wrong("a positive standard error", *error);
                }
                LiftTest { sales, .. } if !sales.is_finite() => return wrong("the sales that it brought", *sales),
                LiftTest { periods: Some(periods), .. } if !(*periods > 0.0 && periods.is_finite()) => {
                    return wrong("a positive number of periods", *periods);
                }
                LiftTest { base, .. } if !(*base >= 0.0 && base.is_finite()) => {
                    return wrong("a base spend of zero or more", *base);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The periods in which sales are known.
    pub(super) fn rows(&self) -> Vec<usize> {
        (0..self.sales.len()).filter(|t| self.sales[*t].is_finite()).collect()
    }

    /// The constant spend that stands for what was spent before the first period.
    pub(super) fn before(&self, channel: usize, form: &Form) -> f64 {
        let spend = &self.channels[channel].spend;
        let first = &spend[..spend.len().min(START)];
        if form.earlier { first.iter().sum::<f64>() / first.len().max(1) as f64 } else { 0.0 }
    }

    /// The columns of what moves sales besides the channels, by period: one, the trend, its bends, seasons, controls.
    fn baseline(&self, bends: usize) -> Vec<Vec<f64>> {
        let periods = self.sales.len();
        let time = |t: usize| t as f64 / (periods.max(2) - 1) as f64;
        let of = |f: &dyn Fn(usize) -> f64| (0..periods).map(f).collect::<Vec<f64>>();
        let mut columns = vec![vec![1.0; periods], of(&|t| time(t) - 0.5)];
        for bend in 1..=bends {
            let at = bend as f64 / (bends + 1) as f64;
            columns.push(of(&|t| (time(t) - at).max(0.0)));
        }
        for (length, harmonics) in &self.seasons {
            let most = (length / 2.0).floor() as usize;
            for k in 1..=(*harmonics).min(most) {
                let angle = |t: usize| TAU * k as f64 * t as f64 / length;
                columns.push(of(&|t| angle(t).sin()));
                if 2.0 * k as f64 != *length {
                    columns.push(of(&|t| angle(t).cos()));
                }
            }
        }
        columns.extend(self.controls.iter().map(|(_, values)| values.clone()));
        columns
    }

    /// An orthonormal basis of the baseline over the given periods, each column changed by `change` first. Columns that
    /// say nothing new are left out.
    pub(super) fn basis(&self, bends: usize, rows: &[usize], change: impl Fn(&mut [f64])) -> Vec<Vec<f64>> {
        let mut basis: Vec<Vec<f64>> = Vec::new();
        for column in self.baseline(bends) {
            let mut column: Vec<f64> = rows.iter().map(|t| column[*t]).collect();
            change(&mut column);
            let size = norm(&column);
            // Twice, for what rounding left the first time (Björck 1994).
            remove(&basis, &mut column);
            remove(&basis, &mut column);
            let left = norm(&column);
            if left > 1e-8 * size && left > 0.0 {
                column.iter_mut().for_each(|x| *x /= left);
                basis.push(column);
            }
        }
        basis
    }
}

/// Takes from a column what a basis explains.
pub(super) fn remove(basis: &[Vec<f64>], column: &mut [f64]) {
    for direction in basis {
        let along = dot(direction, column);
        column.iter_mut().zip(direction).for_each(|(x, d)| *x -= along * d);
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn norm(column: &[f64]) -> f64 {
    dot(column, column).sqrt()
}
