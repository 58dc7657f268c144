//! A quantile function through a few quantiles: linear between them in standard normal deviates, with normal tails.

use super::standard_normal;

/// The probabilities of the quantiles.
pub(crate) const PROBABILITIES: [f64; 7] = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975];

/// The quantiles at [`PROBABILITIES`], ascending.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QuantileFunction(pub [f64; PROBABILITIES.len()]);

/// The ends of a linear segment: standard normal deviate and value.
type Segment = [(f64, f64); 2];

impl QuantileFunction {
    /// The first segment whose upper end satisfies a condition. Beyond the outer quantiles the tail is the normal one through
    /// the median and the outer quantile.
    fn segment(&self, reaches: impl Fn(f64, f64) -> bool) -> Segment {
        let at = |k: usize| (standard_normal(PROBABILITIES[k]), self.0[k]);
        let last = PROBABILITIES.len() - 1;
        match (0..=last).find(|k| reaches(at(*k).0, at(*k).1)) {
            Some(0) => [at(0), at(last / 2)],
            Some(k) => [at(k - 1), at(k)],
            None => [at(last / 2), at(last)],
        }
    }

    /// The segment that contains a value.
    pub fn segment_at(&self, value: f64) -> Segment {
        self.segment(|_, end| value <= end)
    }

    /// The median.
    pub fn median(&self) -> f64 {
        self.0[PROBABILITIES.len() / 2]
    }

    /// The same around a median of zero.
    pub fn centred(&self) -> Self {
        Self(self.0.map(|value| value - self.median()))
    }

    /// The quantile at a standard normal deviate.
    pub fn value(&self, z: f64) -> f64 {
        let [(z0, v0), (z1, v1)] = self.segment(|end, _| z <= end);
        v0 + (z - z0) * (v1 - v0) / (z1 - z0)
    }

    /// The inverse: the standard normal deviate of a value.
    pub fn deviate(&self, value: f64) -> f64 {
        let [(z0, v0), (z1, v1)] = self.segment_at(value);
        if v1 > v0 {
            z0 + (value - v0) * (z1 - z0) / (v1 - v0)
        } else if value.is_nan() {
            value
        } else {
            z1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_function_and_its_inverse() {
        let normal = QuantileFunction(PROBABILITIES.map(|p| 3.0 + 2.0 * standard_normal(p)));
        for z in [-4.0, -2.5, -1.0, 0.0, 0.3, 1.5, 3.5] {
            assert!((normal.value(z) - 3.0 - 2.0 * z).abs() < 1e-12);
            assert!((normal.deviate(3.0 + 2.0 * z) - z).abs() < 1e-12);
        }
        assert!(normal.deviate(f64::NAN).is_nan());
        assert!(QuantileFunction([1.0; PROBABILITIES.len()]).deviate(1.0).is_finite());
    }
}
