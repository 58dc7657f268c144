//! How does a season of any length look? Pairs of sine and cosine: sin 2πkt/P and cos 2πkt/P for k = 1 … order.
//!
//! t counts days from 1970-01-01T00:00 on a calendar of dates, so that a year is 365.25 whatever the step, and integer
//! steps otherwise. Harmonic regression: Hyndman & Athanasopoulos, Forecasting: Principles and Practice (3rd ed.), 7.4.
//! Several seasons are several features: `fourier(period=7, order=3); fourier(period=365.25, order=5)`.

use std::f64::consts::TAU;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Data, Derive, Derived, Kind, Places};
use crate::error::{Error, Result};
use crate::panel::calendar::{DAY, StampKind};

/// Options of `fourier`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Fourier {
    /// Length of the season: days on a calendar of dates, otherwise integer steps.
    period: f64,
    /// How many pairs of sine and cosine.
    order: usize,
}

impl Default for Fourier {
    fn default() -> Self {
        Self { period: 365.25, order: 3 }
    }
}

impl Derive for Fourier {
    const NAME: &str = "fourier";
    const SUMMARY: &str = "Fourier terms, pairs of sine and cosine, of a season of any length";
    const EXAMPLE: &str = "fourier(period=365.25, order=2)";
    const ALSO: &str = "fourier terms, fourier series";
    const SIMILAR: &[(&str, &str)] =
        &[("cyclical, cyclic, sin cos, sine, harmonics, trigonometric, waves", "pairs of sine and cosine")];

    fn check(&self) -> Result<()> {
        if !(self.period > 0.0 && self.period.is_finite()) {
            return Err(Error::usage(format!("the period of fourier is above 0, not {}", self.period)));
        }
        match self.order {
            1..=200 => Ok(()),
            order => Err(Error::usage(format!("the order of fourier is 1 to 200, not {order}"))),
        }
    }

    fn columns(&self, places: &Places, _: &Data) -> Result<Vec<Derived>> {
        let calendar = &places.panel.inner().calendar;
        let (unit, word) = match calendar.kind() {
            StampKind::Whole => (1.0, "steps"),
            StampKind::Clock => (DAY as f64, "days"),
        };
        let step = calendar.frequency.length() as f64 / unit;
        let most = (self.period / (2.0 * step) + 1e-9).floor() as usize;
        if self.order > most {
            return Err(Error::usage(format!(
                "a season of {} {word} carries an order of {most} at most when a step is {step} {word}, not {}: above \
                 that, waves repeat slower ones",
                self.period, self.order
            )));
        }
        let frequency = calendar.frequency;
        let wave = |k: usize, of: fn(f64) -> f64| {
            places.each(|_, positions, cells| {
                for (position, cell) in positions.iter().zip(cells) {
                    let time = frequency.stamp(*position) as f64 / unit;
                    *cell = of(TAU * (k as f64 * time / self.period).rem_euclid(1.0));
                }
            })
        };
        let columns = (1..=self.order).flat_map(|k| {
            [("sin", f64::sin as fn(f64) -> f64), ("cos", f64::cos)]
                .map(|(name, of)| Derived::known(format!("{name}{k}_{}", self.period), Kind::Number, wave(k, of)))
        });
        Ok(columns.collect())
    }
}
