//! The forecast distribution of each step of one series.

use crate::error::{Error, Result};
use crate::panel::normalise::Scale;

/// The forecast distribution of each step of a series: normal, or as the model's own simulation says, on the scale that
/// the model saw, which is that of the data unless the panel is [normalised](crate::panel::Normalise).
#[derive(Clone, Debug, PartialEq)]
pub struct Marginal {
    /// The mean of each step, on the scale of the data.
    pub mean: Vec<f64>,
    /// The standard deviation of each step, on the model's scale.
    pub sd: Vec<f64>,
    /// The way back from the model's scale, and the mean on it; none where the model saw the data as they are.
    back: Option<(Scale, Vec<f64>)>,
    /// Where the quantiles lie, if the distribution is not normal.
    shape: Option<Quantiles>,
}

impl Marginal {
    /// Normal with this mean and standard deviation of each step.
    pub fn normal(mean: Vec<f64>, sd: Vec<f64>) -> Self {
        Self { mean, sd, back: None, shape: None }
    }

    /// What is normal with this mean and standard deviation of each step on `scale`, brought back from it.
    ///
    /// # Errors
    /// When the forecast has no meaning on the scale of the data.
    pub(crate) fn scaled(scale: Scale, mean: Vec<f64>, sd: Vec<f64>) -> Result<Self> {
        if scale == Scale::Same {
            return Ok(Self::normal(mean, sd));
        }
        mean.iter().zip(&sd).try_for_each(|(mean, sd)| scale.check(*mean, *sd))?;
        let adjusted = mean.iter().zip(&sd).map(|(mean, sd)| scale.mean(*mean, *sd)).collect();
        Ok(Self { mean: adjusted, sd, back: Some((scale, mean)), shape: None })
    }

    /// The same mean and standard deviation with quantiles of another form.
    pub(crate) fn shaped(self, shape: Option<Quantiles>) -> Self {
        Self { shape, ..self }
    }

    /// The quantiles that stand in this distribution at the deviates that `deviate` puts in the place of others, step by
    /// step.
    pub(crate) fn requantiled(&self, deviate: impl Fn(usize, f64) -> f64) -> Quantiles {
        let zero = vec![0.0; self.sd.len()];
        let support = self.support();
        Quantiles::by(&zero, &self.sd, support, |step, deviates| {
            let at = |z: f64| self.shape.as_ref().map_or(z, |shape| shape.at(step, z));
            deviates.iter().map(|z| self.sd[step] * at(deviate(step, *z))).collect()
        })
    }

    /// What values the forecast can have.
    pub(crate) fn support(&self) -> Support {
        self.shape.as_ref().map_or(Support::Numbers, Quantiles::support)
    }

    /// The mean of each step on the model's scale.
    pub(crate) fn seen(&self) -> &[f64] {
        self.back.as_ref().map_or(&self.mean, |(_, mean)| mean)
    }

    /// The value of a step, on the scale of the data, that stands where `deviates` stands in the standard normal
    /// distribution.
    pub(crate) fn at(&self, step: usize, deviates: f64) -> f64 {
        let deviates = self.shape.as_ref().map_or(deviates, |shape| shape.at(step, deviates));
        let scale = self.back.as_ref().map_or(Scale::Same, |(scale, _)| *scale);
        // On another scale, what lies farther has no meaning on that of the data.
        let deviates = if scale == Scale::Same { deviates } else { deviates.clamp(-REACH, REACH) };
        let value = scale.at(self.seen()[step], self.sd[step], deviates);
        match self.shape.as_ref().filter(|_| scale == Scale::Same).map_or(Support::Numbers, Quantiles::support) {
            Support::Numbers => value,
            Support::Positive => value.max(0.0),
            Support::Counts => value.max(0.0).round(),
            Support::Multiples(unit) => decimal(unit * (value.max(0.0) / unit).round()),
        }
    }

    /// The same, if all that it says is a number: means, and quantiles at any level that can be asked for.
    ///
    /// # Errors
    /// When something leaves the range of numbers.
    pub(crate) fn finite(self) -> Result<Self> {
        // What is no number may look like one once it is not let below zero: the table is asked first.
        let table = self.shape.iter().flat_map(|shape| shape.rows.iter().flatten());
        let outer = [-OUTERMOST, OUTERMOST];
        let quantiles = (0..self.sd.len()).flat_map(|step| outer.map(|z| self.at(step, z)));
        let mut said = self.mean.iter().chain(&self.sd).chain(table).copied().chain(quantiles);
        match said.all(f64::is_finite) {
            true => Ok(self),
            false => Err(Error::model("the forecast leaves the range of numbers")),
        }
    }

    /// The `probability` quantile of each step.
    pub(crate) fn quantile(&self, probability: f64) -> Vec<f64> {
        let z = standard_normal(probability);
        (0..self.sd.len()).map(|step| self.at(step, z)).collect()
    }
}

/// A multiple of a unit of at most nine decimals, without what multiplying has added far behind them.
fn decimal(value: f64) -> f64 {
    const NINE: f64 = 1e9;
    if value.abs() < 1e15 / NINE { (value * NINE).round() / NINE } else { value }
}

/// Quantiles of each step that are not those of the normal distribution: for the standard normal deviates from −4 to 4,
/// how many standard deviations from the mean the quantile of the same probability lies.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantiles {
    rows: Vec<[f64; DEVIATES]>,
    support: Support,
}

/// What values a forecast can have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Support {
    /// Any.
    Numbers,
    /// None below zero.
    Positive,
    /// 0, 1, 2, …: what lies between two of them is one of the two.
    Counts,
    /// The same of another unit.
    Multiples(f64),
}

/// Deviates kept for a step, from −4 to 4 in equal steps.
const DEVIATES: usize = 81;
const REACH: f64 = 4.0;
/// The deviate of the outermost quantile that can be asked for is nearer to 0.
const OUTERMOST: f64 = 6.0;

impl Quantiles {
    /// The quantiles of simulated values, `samples[step]` in any order, in `sd[step]` from `mean[step]`.
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

    /// The quantiles that `values` gives for each step at the standard normal deviates that it is told, which ascend.
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

    /// How many standard deviations from the mean the value lies that stands where `deviates` stands in the standard
    /// normal distribution; beyond 4, as at 4.
    pub(crate) fn at(&self, step: usize, deviates: f64) -> f64 {
        let Some(row) = self.rows.get(step) else { return deviates };
        let at = (deviates.clamp(-REACH, REACH) + REACH) / (2.0 * REACH) * (DEVIATES - 1) as f64;
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
        let marginal = Marginal::normal(vec![1.0], vec![1.0]);
        let shaped = marginal.clone().shaped(Some(Quantiles::of(&mut [sample], &[1.0], &[1.0])));
        for p in [0.025, 0.1, 0.5, 0.9, 0.975] {
            let exact = -(1.0_f64 - p).ln();
            assert!((shaped.quantile(p)[0] - exact).abs() < 0.01 * exact.max(0.1), "{p}: {}", shaped.quantile(p)[0]);
        }
        assert_eq!(shaped.mean, marginal.mean);
    }
}
