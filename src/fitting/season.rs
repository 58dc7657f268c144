//! Seasonal adjustment: the test for seasonality and the classical decomposition that methods without a seasonal component
//! apply before fitting, and reverse in the forecast.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Anniversary;

/// Is the autocorrelation at lag `m` significant at 10 % (two-sided, Bartlett's variance)? Not known, hence not, on
/// fewer than two seasons.
pub(crate) fn seasonal(y: &[f64], m: usize) -> bool {
    let n = y.len();
    if m < 2 || n / 2 < m {
        return false;
    }
    let observed: Vec<f64> = y.iter().copied().filter(|v| !v.is_nan()).collect();
    let mean = observed.iter().sum::<f64>() / observed.len() as f64;
    let centred: Vec<f64> = y.iter().map(|v| if v.is_nan() { 0.0 } else { v - mean }).collect();
    let total: f64 = centred.iter().map(|v| v * v).sum();
    if total <= f64::EPSILON * mean.abs().powi(2) * n as f64 {
        return false;
    }
    let correlation = |lag: usize| centred[lag..].iter().zip(&centred).map(|(a, b)| a * b).sum::<f64>() / total;
    let before: f64 = (1..m).map(|lag| correlation(lag).powi(2)).sum();
    const QUANTILE_95: f64 = 1.644_853_626_951_472_7;
    correlation(m).abs() > QUANTILE_95 * ((1.0 + 2.0 * before) / n as f64).sqrt()
}

/// Classical decomposition: the mean ratio to (or difference from) a centred moving average at each place of the
/// season, scaled to mean one (or zero). None when a place was never observed or an index is too close to zero.
pub(crate) fn decompose(y: &[f64], m: usize, additive: bool) -> Option<Vec<f64>> {
    let half = m / 2;
    let mut sums = vec![(0.0, 0_usize); m];
    for t in half..y.len().saturating_sub(half) {
        let (mut sum, mut weights) = (0.0, 0.0);
        for (i, v) in y[t - half..=t + half].iter().enumerate().filter(|(_, v)| !v.is_nan()) {
            // An even season's window has m + 1 points, the outer two at half weight.
            let weight = if m.is_multiple_of(2) && (i == 0 || i == m) { 0.5 } else { 1.0 };
            sum += weight * v;
            weights += weight;
        }
        let trend = sum / weights;
        let ratio = if additive { y[t] - trend } else { y[t] / trend };
        if ratio.is_finite() {
            sums[t % m].0 += ratio;
            sums[t % m].1 += 1;
        }
    }
    let means: Vec<f64> = sums.iter().map(|(sum, n)| sum / *n as f64).collect();
    let overall = means.iter().sum::<f64>() / m as f64;
    let indices: Vec<f64> = means.iter().map(|v| if additive { v - overall } else { v / overall }).collect();
    let usable = |v: &f64| v.is_finite() && (additive || v.abs() >= 1e-4);
    indices.iter().all(usable).then_some(indices)
}

/// Seasonal indices, additive or multiplicative.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Season {
    /// By place in the season; empty when there is none.
    indices: Vec<f64>,
    additive: bool,
    /// The calendar position of the first index.
    start: i64,
    /// What steps correspond to in earlier seasons, the same for all series of a panel.
    #[serde(with = "shared")]
    anniversary: Arc<Anniversary>,
}

/// Something shared, saved once for each that shares it.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<T: Serialize, S: Serializer>(value: &Arc<T>, to: S) -> Result<S::Ok, S::Error> {
        T::serialize(value, to)
    }

    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Arc<T>, D::Error> {
        T::deserialize(from).map(Arc::new)
    }
}

impl Season {
    /// Seasonal indices, the first of them for the calendar position `start`.
    pub(crate) fn new(indices: Vec<f64>, additive: bool, start: i64) -> Self {
        Self { indices, additive, start, ..Self::default() }
    }

    /// The same with what steps correspond to in earlier seasons.
    pub(crate) fn with_anniversary(self, anniversary: Arc<Anniversary>) -> Self {
        Self { anniversary, ..self }
    }

    /// What steps correspond to in earlier seasons.
    pub(crate) fn anniversary(&self) -> &Anniversary {
        &self.anniversary
    }

    /// How it enters a specification: empty without indices.
    pub(crate) fn notation(&self) -> &'static str {
        match (self.indices.is_empty(), self.additive) {
            (true, _) => "",
            (_, true) => " + season",
            (_, false) => " × season",
        }
    }

    fn place(&self, position: i64) -> Option<f64> {
        let m = self.indices.len() as i64;
        let place = position.checked_sub(self.start)?.checked_rem_euclid(m)?;
        self.indices.get(place as usize).copied()
    }

    /// The values from the calendar position `start` on, seasonally adjusted.
    pub fn without(&self, values: &[f64], start: i64) -> Vec<f64> {
        let remove = |(position, v): (i64, &f64)| match self.place(position) {
            None => *v,
            Some(index) if self.additive => v - index,
            Some(index) => v / index,
        };
        (start..).zip(values).map(remove).collect()
    }

    /// A seasonally adjusted value at a calendar position, with the index put back.
    pub fn with(&self, position: i64, value: f64) -> f64 {
        match self.place(position) {
            None => value,
            Some(index) if self.additive => value + index,
            Some(index) => value * index,
        }
    }

    /// The factor of the standard deviation of errors at a calendar position when the index is put back.
    pub fn widening(&self, position: i64) -> f64 {
        if self.additive { 1.0 } else { self.place(position).map_or(1.0, f64::abs) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_season_is_found_taken_out_and_put_back() {
        let shape = [0.5, 1.5, 1.2, 0.8];
        let y: Vec<f64> = (0..40).map(|t| (100.0 + t as f64) * shape[t % 4]).collect();
        assert!(seasonal(&y, 4) && !seasonal(&y, 1) && !seasonal(&y[..7], 4) && !seasonal(&[3.0; 40], 4));
        for additive in [false, true] {
            let season = Season::new(decompose(&y, 4, additive).unwrap(), additive, 7);
            let plain = season.without(&y, 7);
            let back: Vec<f64> = (7..).zip(&plain).map(|(position, v)| season.with(position, *v)).collect();
            assert!(back.iter().zip(&y).all(|(a, b)| (a - b).abs() < 1e-9));
            // A series that begins later has the same season at the same dates.
            assert_eq!(season.without(&y[3..], 10), plain[3..]);
        }
        let season = Season::new(decompose(&y, 4, false).unwrap(), false, 0);
        assert!((0..4).all(|t| (season.widening(t) - shape[t as usize]).abs() < 0.02));
    }

    #[test]
    fn a_place_never_observed_has_no_index() {
        let y: Vec<f64> = (0..24).map(|t| if t % 4 == 1 { f64::NAN } else { t as f64 }).collect();
        assert_eq!(decompose(&y, 4, true), None);
        assert_eq!(decompose(&[1.0, 2.0], 4, true), None);
        assert_eq!(Season::default().with(3, 5.0), 5.0);
    }
}
