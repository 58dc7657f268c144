//! Is a forecast of a series one that anybody would believe?
//!
//! A model whose parameters fit the history can still explode ahead of it: the variance of multiplicative errors grows
//! exponentially with the horizon, and so does a trend of a few steps. A forecast is plausible if its means lie within ten times
//! the range of the history around it, and its standard deviations are not larger than that: a random walk that moves by the
//! whole range of its history at each step takes a hundred steps to get there.

use serde::{Deserialize, Serialize};

/// How many times the range of the history a forecast may leave it.
const TIMES: f64 = 10.0;

/// What is plausible after a history.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Plausible {
    low: f64,
    high: f64,
    sd: f64,
}

impl Plausible {
    /// After these values; everything after constant ones.
    pub fn after(values: &[f64]) -> Self {
        let there = values.iter().filter(|y| !y.is_nan());
        let (low, high) = there.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(*y), high.max(*y)));
        let sd = if high > low { TIMES * (high - low) } else { f64::INFINITY };
        Self { low: low - sd, high: high + sd, sd }
    }

    /// Is a forecast with these means and standard deviations plausible?
    pub fn holds(&self, means: &[f64], sds: &[f64]) -> bool {
        means.iter().all(|mean| mean.is_nan() || (self.low..=self.high).contains(mean))
            && sds.iter().all(|sd| sd.is_nan() || *sd <= self.sd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_times_the_range_is_plausible_and_more_is_not() {
        let after = Plausible::after(&[10.0, f64::NAN, 20.0]);
        assert!(after.holds(&[-90.0, 120.0], &[100.0]));
        assert!(!after.holds(&[-91.0], &[1.0]));
        assert!(!after.holds(&[15.0], &[101.0]));
        assert!(Plausible::after(&[3.0, 3.0]).holds(&[1e9], &[1e9]));
    }
}
