//! What is added up of errors, and which measures come of it?
//!
//! Measures are pooled: sums first, the ratio after. Hyndman & Athanasopoulos, Forecasting: Principles and Practice (3rd
//! ed.), section 5.8.

use super::chunk::{Place, Score};
use crate::error::Result;
use crate::store::blobs::broken;

/// Bytes of sums in the store.
pub(super) const BYTES: usize = 5 * 8 + 4 * 4;

/// Sums over scores.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// Scores, those with a scale, those with levels, and those with an interval.
    pub count: u32,
    pub with_scale: u32,
    pub with_interval: u32,
    /// Actuals within the outermost interval.
    pub inside: u32,
    /// Of errors, forecast − actual.
    pub error: f64,
    pub absolute: f64,
    /// Of absolute actuals.
    pub actual: f64,
    /// Of absolute errors over the scale of their series.
    pub scaled: f64,
    /// Of mean pinball losses.
    pub pinball: f64,
}

fn ratio(over: f64, under: f64) -> Option<f64> {
    (under > 0.0).then(|| over / under)
}

impl Sums {
    /// Adds a score.
    pub fn add(&mut self, score: &Score) {
        self.count += 1;
        self.error += score.error;
        self.absolute += score.error.abs();
        self.actual += score.actual.abs();
        if !score.scaled.is_nan() {
            self.with_scale += 1;
            self.scaled += f64::from(score.scaled);
        }
        if !score.pinball.is_nan() {
            self.pinball += f64::from(score.pinball);
        }
        if score.place != Place::Unknown {
            self.with_interval += 1;
            self.inside += u32::from(score.place == Place::Inside);
        }
    }

    /// Adds other sums.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.with_scale += other.with_scale;
        self.with_interval += other.with_interval;
        self.inside += other.inside;
        self.error += other.error;
        self.absolute += other.absolute;
        self.actual += other.actual;
        self.scaled += other.scaled;
        self.pinball += other.pinball;
    }

    /// The sum of absolute errors over that of absolute actuals, %.
    pub fn wape(&self) -> Option<f64> {
        ratio(100.0 * self.absolute, self.actual)
    }

    /// The sum of errors (forecast − actual) over that of absolute actuals, %.
    pub fn bias(&self) -> Option<f64> {
        ratio(100.0 * self.error, self.actual)
    }

    /// The mean absolute error over that of the naive forecast.
    pub fn mase(&self) -> Option<f64> {
        ratio(self.scaled, f64::from(self.with_scale))
    }

    /// The share of actuals within the outermost interval.
    pub fn coverage(&self) -> Option<f64> {
        ratio(f64::from(self.inside), f64::from(self.with_interval))
    }

    /// The mean pinball loss.
    pub fn mean_pinball(&self) -> Option<f64> {
        ratio(self.pinball, f64::from(self.count))
    }

    /// What was forecast too much, and what too little, in units.
    ///
    /// ```
    /// let sums = tradewind_monitor::scores::Sums { error: 2.0, absolute: 10.0, ..Default::default() };
    /// assert_eq!(sums.over_and_under(), (6.0, 4.0));
    /// ```
    pub fn over_and_under(&self) -> (f64, f64) {
        (0.5 * (self.absolute + self.error), 0.5 * (self.absolute - self.error))
    }

    /// What the errors cost, with the cost of a unit too much and of a unit too little.
    pub fn money(&self, over: f64, under: f64) -> f64 {
        let (too_much, too_little) = self.over_and_under();
        too_much * over + too_little * under
    }

    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        for count in [self.count, self.with_scale, self.with_interval, self.inside] {
            bytes.extend(count.to_le_bytes());
        }
        for sum in [self.error, self.absolute, self.actual, self.scaled, self.pinball] {
            bytes.extend(sum.to_le_bytes());
        }
    }

    pub(super) fn read(bytes: &[u8; BYTES]) -> Self {
        let (counts, _) = bytes.split_at(16);
        let mut counts = counts.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
        let mut count = || counts.next().unwrap_or_default();
        let (_, sums) = bytes.split_at(16);
        let mut sums = sums.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes));
        let mut sum = || sums.next().unwrap_or_default();
        Self {
            count: count(),
            with_scale: count(),
            with_interval: count(),
            inside: count(),
            error: sum(),
            absolute: sum(),
            actual: sum(),
            scaled: sum(),
            pinball: sum(),
        }
    }
}

/// All sums that lie in bytes.
pub(super) fn all(bytes: &[u8]) -> Result<&[[u8; BYTES]]> {
    match bytes.as_chunks::<BYTES>() {
        (sums, []) => Ok(sums),
        _ => Err(broken()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(counts in any::<[u32; 4]>(), sums in prop::array::uniform5(-1e300_f64..1e300)) {
            let [count, with_scale, with_interval, inside] = counts;
            let [error, absolute, actual, scaled, pinball] = sums;
            let one = Sums { count, with_scale, with_interval, inside, error, absolute, actual, scaled, pinball };
            let mut bytes = Vec::new();
            one.write(&mut bytes);
            prop_assert_eq!(all(&bytes).unwrap().iter().map(Sums::read).collect::<Vec<_>>(), vec![one]);
            prop_assert!(all(&bytes[1..]).is_err());
        }
    }
}
