//! The predictive distribution of each step of one series.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::panel::normalise::Scale;

/// The predictive (marginal) distribution of each step of a series: normal, or with quantiles of its own, on the model's scale,
/// which is the data scale unless the panel is [normalised](crate::panel::Normalise).
#[derive(Clone, Debug, PartialEq)]
pub struct StepDistribution {
    /// The mean of each step, on the data scale.
    pub mean: Vec<f64>,
    /// The standard deviation of each step, on the model's scale.
    pub sd: Vec<f64>,
    /// The transformation to the model's scale, and the mean on it; none without a transformation.
    back: Option<(Scale, Vec<f64>)>,
    /// The standardised quantiles, if the distribution is not normal.
    shape: Option<Quantiles>,
    /// What its user should know of how it came about.
    remarks: Vec<String>,
    /// Are its steps independent negative binomial counts, exactly?
    independent_counts: bool,
}

impl StepDistribution {
    /// Normal with this mean and standard deviation of each step.
    pub fn normal(mean: Vec<f64>, sd: Vec<f64>) -> Self {
        Self { mean, sd, back: None, shape: None, remarks: Vec::new(), independent_counts: false }
    }

    /// Normal with this mean and standard deviation of each step on `scale`, back-transformed.
    ///
    /// # Errors
    /// When the forecast has no meaning on the data scale.
    pub(crate) fn scaled(scale: Scale, mean: Vec<f64>, sd: Vec<f64>) -> Result<Self> {
        if scale == Scale::Same {
            return Ok(Self::normal(mean, sd));
        }
        mean.iter().zip(&sd).try_for_each(|(mean, sd)| scale.check(*mean, *sd))?;
        let adjusted = mean.iter().zip(&sd).map(|(mean, sd)| scale.mean(*mean, *sd)).collect();
        let back = Some((scale, mean));
        Ok(Self { mean: adjusted, sd, back, shape: None, remarks: Vec::new(), independent_counts: false })
    }

    /// The same mean and standard deviation with other quantiles.
    pub(crate) fn with_quantiles(self, shape: Option<Quantiles>) -> Self {
        Self { shape, independent_counts: false, ..self }
    }

    /// The same, whose steps are independent negative binomial counts with its means and standard deviations: its quantiles are
    /// theirs, and sums over steps are convolutions.
    pub(crate) fn of_independent_counts(self) -> Self {
        Self { independent_counts: true, ..self }
    }

    /// Are its steps independent negative binomial counts, with its means and standard deviations?
    pub(crate) fn is_independent_counts(&self) -> bool {
        self.independent_counts
    }

    /// The same with remarks for its user.
    pub(crate) fn with_remarks(self, remarks: Vec<String>) -> Self {
        Self { remarks, ..self }
    }

    /// What its user should know of how it came about.
    pub(crate) fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// The same medians with quantiles as many times as far from them, by step.
    pub(crate) fn widened(self, factors: &[f64]) -> Self {
        let support = self.support();
        let shape = Quantiles::by(&self.mean, &self.sd, support, |step, deviates| {
            let middle = self.at(step, 0.0);
            deviates.iter().map(|z| middle + factors[step] * (self.at(step, *z) - middle)).collect()
        });
        // Quantiles are in standard deviations: those that are widened are in the old ones.
        self.with_quantiles(Some(shape))
    }

    /// This distribution's quantiles after mapping each standard normal deviate through `deviate`.
    pub(crate) fn mapped_quantiles(&self, deviate: impl Fn(usize, f64) -> f64) -> Quantiles {
        let zero = vec![0.0; self.sd.len()];
        let support = self.support();
        Quantiles::by(&zero, &self.sd, support, |step, deviates| {
            let at = |z: f64| self.shape.as_ref().map_or(z, |shape| shape.at(step, z));
            deviates.iter().map(|z| self.sd[step] * at(deviate(step, *z))).collect()
        })
    }

    /// The same on a support that is narrower than its own: of a series that never left it.
    pub(crate) fn within(mut self, support: Support) -> Self {
        if support == Support::Numbers {
            return self;
        }
        let mean: Vec<f64> = self.mean.iter().map(|mean| mean.max(0.0)).collect();
        let wider = matches!((self.support(), support), (Support::Numbers, _) | (Support::Positive, Support::Counts));
        if self.back.is_none() && wider {
            let at = |step: usize, deviates: &[f64]| deviates.iter().map(|z| self.at(step, *z)).collect();
            self.shape = Some(Quantiles::by(&mean, &self.sd, support, at));
        }
        Self { mean, ..self }
    }

    /// The support of the distribution.
    pub(crate) fn support(&self) -> Support {
        self.shape.as_ref().map_or(Support::Numbers, Quantiles::support)
    }

    /// The mean of each step on the model's scale.
    pub(crate) fn model_mean(&self) -> &[f64] {
        self.back.as_ref().map_or(&self.mean, |(_, mean)| mean)
    }

    /// The quantile of a step at standard normal deviate `z`, on the data scale.
    pub(crate) fn at(&self, step: usize, z: f64) -> f64 {
        let deviates = self.shape.as_ref().map_or(z, |shape| shape.at(step, z));
        let scale = self.back.as_ref().map_or(Scale::Same, |(scale, _)| *scale);
        // On a transformed scale, quantiles farther out have no meaning on the data scale.
        let deviates = if scale == Scale::Same { deviates } else { deviates.clamp(-REACH, REACH) };
        let value = scale.at(self.model_mean()[step], self.sd[step], deviates);
        match self.shape.as_ref().filter(|_| scale == Scale::Same).map_or(Support::Numbers, Quantiles::support) {
            Support::Numbers => value,
            Support::Positive => value.max(0.0),
            // Between two counts it is the lower one: quantiles of counts are often averaged.
            Support::Counts => (value - 0.5).ceil().max(0.0),
            Support::Multiples(unit) => decimal(unit * (value.max(0.0) / unit).round()),
        }
    }

    /// The same, if means and quantiles at every allowed level are finite.
    ///
    /// # Errors
    /// When one is not.
    pub(crate) fn finite(self) -> Result<Self> {
        // Clipping at zero hides NaN: the table is checked first.
        let table = self.shape.iter().flat_map(|shape| shape.rows.iter().flatten());
        let outer = [-OUTERMOST, OUTERMOST];
        let quantiles = (0..self.sd.len()).flat_map(|step| outer.map(|z| self.at(step, z)));
        let mut values = self.mean.iter().chain(&self.sd).chain(table).copied().chain(quantiles);
        if values.all(f64::is_finite) {
            Ok(self)
        } else {
            Err(Error::model("the forecast leaves the range of numbers"))
        }
    }

    /// The `probability` quantile of each step.
    pub(crate) fn quantile(&self, probability: f64) -> Vec<f64> {
        let z = standard_normal(probability);
        (0..self.sd.len()).map(|step| self.at(step, z)).collect()
    }
}

/// A multiple of a unit of at most nine decimals, rounded to them.
fn decimal(value: f64) -> f64 {
    const NINE: f64 = 1e9;
    if value.abs() < 1e15 / NINE { (value * NINE).round() / NINE } else { value }
}

/// Standardised quantiles of each step of a distribution that is not normal: at the standard normal deviates from −4 to 4, the
/// quantile of the same probability, in standard deviations from the mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantiles {
    rows: Vec<[f64; DEVIATES]>,
    support: Support,
}

/// The support of a predictive distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Support {
    /// All real numbers.
    Numbers,
    /// Non-negative numbers.
    Positive,
    /// Counts 0, 1, 2, …: quantiles are rounded.
    Counts,
    /// Multiples of a unit.
    Multiples(f64),
}

/// Deviates per step, from −4 to 4 on an equidistant grid.
const DEVIATES: usize = 81;
const REACH: f64 = 4.0;
/// Beyond the deviate of the outermost allowed quantile.
const OUTERMOST: f64 = 6.0;

/// Whole numbers below this mean are counts; above, it makes no difference.
const COUNTED: f64 = 30.0;

impl Support {
    /// That of observed values, as far as they show it.
    pub(crate) fn of(values: &[f64]) -> Self {
        let there = || values.iter().copied().filter(|y| !y.is_nan());
        let (sum, n) = there().fold((0.0, 0.0), |(sum, n), y| (sum + y, n + 1.0));
        match there().all(|y| y >= 0.0) {
            true if n > 0.0 && sum < COUNTED * n && there().all(|y| y.fract() == 0.0) => Self::Counts,
            true => Self::Positive,
            false => Self::Numbers,
        }
    }
}

impl Quantiles {
    /// The empirical quantiles of simulated values, `samples[step]` in any order, standardised by `mean[step]` and `sd[step]`.
    pub fn of(samples: &mut [Vec<f64>], mean: &[f64], sd: &[f64]) -> Self {
        use statrs::distribution::{ContinuousCDF, Normal};
        let probability = |k: usize| Normal::standard().cdf(2.0 * REACH * k as f64 / (DEVIATES - 1) as f64 - REACH);
        let probabilities: [f64; DEVIATES] = std::array::from_fn(probability);
        let row = |(step, values): (usize, &mut Vec<f64>)| {
            values.sort_by(f64::total_cmp);
            let place = |p: f64| p * values.len().saturating_sub(1) as f64;
            std::array::from_fn(|k| {
                let at = place(probabilities[k]);
                let (low, high) = (at.floor() as usize, at.ceil() as usize);
                let value = match (values.get(low), values.get(high)) {
                    (Some(low), Some(high)) => low + (high - low) * at.fract(),
                    _ => mean[step],
                };
                if sd[step] > 0.0 { (value - mean[step]) / sd[step] } else { 0.0 }
            })
        };
        Self { rows: samples.iter_mut().enumerate().map(row).collect(), support: Support::Numbers }
    }

    /// The quantiles that `values` returns for a step at ascending standard normal deviates, standardised.
    pub(crate) fn by(mean: &[f64], sd: &[f64], support: Support, values: impl Fn(usize, &[f64]) -> Vec<f64>) -> Self {
        let deviates: [f64; DEVIATES] = std::array::from_fn(|k| 2.0 * REACH * k as f64 / (DEVIATES - 1) as f64 - REACH);
        let row = |step: usize| {
            let values = values(step, &deviates);
            let away = |k: usize| if sd[step] > 0.0 { (values[k] - mean[step]) / sd[step] } else { 0.0 };
            std::array::from_fn(away)
        };
        Self { rows: (0..mean.len()).map(row).collect(), support }
    }

    pub(crate) fn support(&self) -> Support {
        self.support
    }

    /// The standardised quantile of a step at standard normal deviate `z`; constant beyond ±4.
    pub(crate) fn at(&self, step: usize, z: f64) -> f64 {
        let Some(row) = self.rows.get(step) else { return z };
        let at = (z.clamp(-REACH, REACH) + REACH) / (2.0 * REACH) * (DEVIATES - 1) as f64;
        let low = (at.floor() as usize).min(DEVIATES - 2);
        row[low] + (row[low + 1] - row[low]) * (at - low as f64)
    }
}

/// The quantile of the standard normal distribution; exactly 0 for one half, so that the median is the mean to the bit.
pub(crate) fn standard_normal(probability: f64) -> f64 {
    use statrs::distribution::{ContinuousCDF, Normal};
    if probability == 0.5 { 0.0 } else { Normal::standard().inverse_cdf(probability) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simulated_quantiles_are_those_of_the_samples() {
        // 10,001 values of an exponential distribution with mean and standard deviation 1.
        let sample: Vec<f64> = (0..10_001).map(|k| -(1.0 - (f64::from(k) + 0.5) / 10_001.0).ln()).collect();
        let normal = StepDistribution::normal(vec![1.0], vec![1.0]);
        let shaped = normal.clone().with_quantiles(Some(Quantiles::of(&mut [sample], &[1.0], &[1.0])));
        for p in [0.025, 0.1, 0.5, 0.9, 0.975] {
            let exact = -(1.0_f64 - p).ln();
            assert!((shaped.quantile(p)[0] - exact).abs() < 0.01 * exact.max(0.1), "{p}: {}", shaped.quantile(p)[0]);
        }
        assert_eq!(shaped.mean, normal.mean);
    }
}
