//! Mean and quantiles of one series, step by step, whatever the forecast was made by.
//!
//! | kind | mean and quantiles |
//! |---|---|
//! | `Model` | of a fitted model |
//! | `Given` | from a file, at some probabilities; between two of them the quantile function is linear in the standard normal deviate, as if the distribution were normal there |
//! | `Combined` | averages or medians of the quantiles of several |
//! | `Moved` | another one's, each step scaled or shifted |
//!
//! Quantiles are evaluated at a probability or, where sample paths are mapped onto them, at a standard normal deviate.
//! Beyond the outermost quantiles of a file the line between the last two is extrapolated: the tail is normal. This is for
//! paths alone, whose outermost ranks need some value; the forecast itself has no quantiles there.

use std::sync::Arc;

use super::moved::Moved;
use crate::models::{StepDistribution, standard_normal};

/// Probabilities that differ by less are the same: names of columns are rounded to six decimals.
pub(crate) const SAME: f64 = 5e-7;

/// Mean and quantiles of each step of one series by one model.
#[derive(Clone, Debug)]
pub(crate) enum Distribution {
    /// Of a fitted model.
    Model(StepDistribution),
    /// Read from a file.
    Given(Given),
    /// Combined from several others.
    Combined(Arc<Combined>),
    /// Changed by hand.
    Moved(Arc<Moved>),
}

/// Mean and quantiles of each step at the same probabilities.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) mean: Vec<f64>,
    /// The probabilities, ascending, and their standard normal deviates.
    pub(crate) at: Arc<Probabilities>,
    /// Step after step, the quantile of each probability.
    pub(crate) values: Vec<f64>,
}

/// Probabilities of quantiles, ascending.
#[derive(Debug)]
pub(crate) struct Probabilities {
    values: Vec<f64>,
    deviates: Vec<f64>,
}

/// Several distributions and how they are combined.
#[derive(Debug)]
pub(crate) struct Combined {
    pub(crate) mean: Vec<f64>,
    pub(crate) members: Vec<Distribution>,
    /// The weight of each member; none for the median of the members.
    pub(crate) weights: Option<Vec<f64>>,
}

impl Probabilities {
    pub(crate) fn new(values: Vec<f64>) -> Self {
        Self { deviates: values.iter().map(|p| standard_normal(*p)).collect(), values }
    }

    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }
}

impl Distribution {
    /// The mean of each step.
    pub(crate) fn mean(&self) -> &[f64] {
        match self {
            Self::Model(steps) => &steps.mean,
            Self::Given(given) => &given.mean,
            Self::Combined(combined) => &combined.mean,
            Self::Moved(moved) => &moved.mean,
        }
    }

    /// The smallest and the largest probability whose quantile is known; none without quantiles. Models have all.
    pub(crate) fn range(&self) -> Option<(f64, f64)> {
        match self {
            Self::Model(_) => Some((0.0, 1.0)),
            Self::Given(given) => Some((*given.at.values.first()?, *given.at.values.last()?)),
            Self::Combined(combined) => combined.members.iter().try_fold((0.0, 1.0), |(low, high), member| {
                let (first, last) = member.range()?;
                Some((f64::max(low, first), f64::min(high, last)))
            }),
            Self::Moved(moved) => moved.base.range(),
        }
    }

    /// Is the quantile at a probability known? Beyond those of a file it would be a guess.
    pub(crate) fn knows(&self, probability: f64) -> bool {
        self.range().is_some_and(|(low, high)| (low - SAME..=high + SAME).contains(&probability))
    }

    /// Are there quantiles apart from each other, that paths can be laid on?
    pub(crate) fn is_spread(&self) -> bool {
        self.range().is_some_and(|(low, high)| low + SAME < high)
    }

    /// The quantile of a step at a standard normal deviate.
    pub(crate) fn at(&self, step: usize, deviate: f64) -> f64 {
        match self {
            Self::Model(steps) => steps.at(step, deviate),
            Self::Given(given) => given.at(step, deviate),
            Self::Combined(combined) => combined.of(|member| member.at(step, deviate)),
            Self::Moved(moved) => moved.moves[step].of(moved.base.at(step, deviate)),
        }
    }

    /// The `probability` quantile of each step.
    pub(crate) fn quantile(&self, probability: f64) -> Vec<f64> {
        match self {
            Self::Model(steps) => steps.quantile(probability),
            Self::Given(given) => given.quantile(probability),
            Self::Combined(combined) => {
                let members: Vec<Vec<f64>> = combined.members.iter().map(|m| m.quantile(probability)).collect();
                (0..combined.mean.len()).map(|step| combined.made(members.iter().map(|values| values[step]))).collect()
            }
            Self::Moved(moved) => moved.quantile(probability),
        }
    }
}

impl Given {
    fn at(&self, step: usize, deviate: f64) -> f64 {
        let deviates = &self.at.deviates;
        let values = &self.values[step * deviates.len()..(step + 1) * deviates.len()];
        match values {
            [] => self.mean[step],
            [only] => *only,
            _ => {
                let low = deviates.partition_point(|d| *d <= deviate).clamp(1, deviates.len() - 1) - 1;
                let share = (deviate - deviates[low]) / (deviates[low + 1] - deviates[low]);
                values[low] + (values[low + 1] - values[low]) * share
            }
        }
    }

    fn quantile(&self, probability: f64) -> Vec<f64> {
        let known = self.at.values.iter().position(|p| (p - probability).abs() < SAME);
        let deviate = standard_normal(probability);
        let steps = 0..self.mean.len();
        match known {
            Some(at) => steps.map(|step| self.values[step * self.at.values.len() + at]).collect(),
            None => steps.map(|step| self.at(step, deviate)).collect(),
        }
    }
}

impl Combined {
    fn of(&self, value: impl Fn(&Distribution) -> f64) -> f64 {
        self.made(self.members.iter().map(value))
    }

    /// The combination of one value per member.
    pub(crate) fn made(&self, values: impl Iterator<Item = f64>) -> f64 {
        combined(self.weights.as_deref(), values)
    }
}

/// The weighted mean of values, or their median where there are no weights.
pub(crate) fn combined(weights: Option<&[f64]>, values: impl Iterator<Item = f64>) -> f64 {
    match weights {
        Some(weights) => weights.iter().zip(values).map(|(weight, value)| weight * value).sum(),
        None => {
            let mut sorted: Vec<f64> = values.collect();
            sorted.sort_by(f64::total_cmp);
            let (low, high) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
            match (sorted.get(low), sorted.get(high)) {
                (Some(low), Some(high)) if low != high => low + (high - low) / 2.0,
                (Some(middle), _) => *middle,
                _ => f64::NAN,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(probabilities: &[f64], values: &[f64]) -> Distribution {
        let at = Arc::new(Probabilities::new(probabilities.to_vec()));
        Distribution::Given(Given { mean: vec![10.0], at, values: values.to_vec() })
    }

    #[test]
    fn quantiles_of_a_file_are_its_own_and_normal_in_between() {
        // The quantiles of a normal distribution with mean 10 and standard deviation 2, at three probabilities.
        let z = standard_normal(0.9);
        let one = given(&[0.1, 0.5, 0.9], &[10.0 - 2.0 * z, 10.0, 10.0 + 2.0 * z]);
        assert_eq!(one.quantile(0.1), [10.0 - 2.0 * z]);
        assert_eq!(one.quantile(0.900_000_1), [10.0 + 2.0 * z]);
        for p in [0.2, 0.3, 0.7, 0.01, 0.999] {
            let exact = 10.0 + 2.0 * standard_normal(p);
            assert!((one.quantile(p)[0] - exact).abs() < 1e-9, "{p}");
        }
        assert_eq!(given(&[0.5], &[7.0]).quantile(0.2), [7.0]);
    }

    #[test]
    fn combinations_are_taken_quantile_by_quantile() {
        let members = vec![given(&[0.1, 0.9], &[0.0, 4.0]), given(&[0.1, 0.9], &[2.0, 10.0])];
        let of = |weights: Option<Vec<f64>>| {
            let combined = Combined { mean: vec![10.0], members: members.clone(), weights };
            Distribution::Combined(Arc::new(combined)).quantile(0.9)[0]
        };
        assert_eq!(of(Some(vec![0.5, 0.5])), 7.0);
        assert_eq!(of(Some(vec![0.25, 0.75])), 8.5);
        assert_eq!(of(None), 7.0);
        assert_eq!(combined(None, [3.0, 1.0, 2.0].into_iter()), 2.0);
    }
}
