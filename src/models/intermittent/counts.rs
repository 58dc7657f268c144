//! How many are asked for in a step: distributions over 0, 1, 2, …

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Demand;
use crate::models::marginal::Support;
use crate::models::{Ahead, Quantiles};

/// The distribution of what is asked for in a step.
///
/// | | a step's demand is | for |
/// |---|---|---|
/// | `negative-binomial` | negative binomial with the forecast mean and the variance of the one-step errors, Poisson where that is smaller than the mean | counts |
/// | `zero-inflated` | nothing with a probability, else 1 + a negative binomial number with mean and variance of the sizes | counts |
/// | `bootstrap` | nothing, or one of the sizes that were seen; demands come at intervals that were seen, counted from the last one (Viswanathan & Zhou 2008; Willemain, Smart & Schwarz 2004, *International Journal of Forecasting* 20) | anything |
///
/// `auto` takes of the first two the one under which the values are likelier given what was forecast of them, and `bootstrap`
/// where values are not whole numbers. Quantiles of counts are counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CountDistribution {
    /// The likelier one.
    #[default]
    Auto,
    /// Negative binomial.
    NegativeBinomial,
    /// Zero with a probability, else at least one.
    ZeroInflated,
    /// Intervals and sizes that were seen.
    Bootstrap,
}

/// A distribution of counts around a mean that a method forecasts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Counts {
    /// Variance = mean · `dispersion`, at least 1; Poisson at 1.
    NegativeBinomial { dispersion: f64 },
    /// Sizes with this mean and variance; their probability is the mean forecast over it.
    ZeroInflated { size: f64, variance: f64 },
    /// Sizes and intervals that were seen, in ascending order, and steps since the last demand.
    Bootstrap { sizes: Vec<f64>, intervals: Vec<f64>, since: f64, whole: bool },
}

/// The mean beyond which probabilities are no longer summed one by one.
const MANY: f64 = 500.0;
/// The most counts that are summed, for distributions with a long tail.
const LONGEST: usize = 1 << 20;

impl Counts {
    /// Of values of which `rates` were forecast.
    pub fn new(asked: CountDistribution, values: &[f64], rates: &[f64]) -> Self {
        let demand = Demand::of(values);
        let whole = values.iter().all(|y| y.fract() == 0.0 && *y < 1e9);
        let zero_inflated = || {
            let n = demand.sizes.len().max(1) as f64;
            let size = demand.sizes.iter().sum::<f64>() / n;
            let variance = demand.sizes.iter().map(|s| (s - size).powi(2)).sum::<f64>() / n;
            Self::ZeroInflated { size: size.max(1.0), variance }
        };
        let bootstrap = || {
            let mut sizes = demand.sizes.clone();
            let mut intervals = demand.intervals.clone();
            sizes.sort_by(f64::total_cmp);
            intervals.sort_by(f64::total_cmp);
            let since = demand.steps as f64 - demand.intervals.iter().sum::<f64>();
            Self::Bootstrap { sizes, intervals, since, whole }
        };
        match asked {
            _ if !whole => bootstrap(),
            CountDistribution::NegativeBinomial => Self::negative_binomial(values, rates),
            CountDistribution::ZeroInflated => zero_inflated(),
            CountDistribution::Bootstrap => bootstrap(),
            CountDistribution::Auto => {
                let (first, second) = (Self::negative_binomial(values, rates), zero_inflated());
                match first.log_likelihood(values, rates) >= second.log_likelihood(values, rates) {
                    true => first,
                    false => second,
                }
            }
        }
    }

    /// A negative binomial around means, from how far the values were from them.
    pub fn negative_binomial(values: &[f64], means: &[f64]) -> Self {
        let known = || means.iter().zip(values).filter(|(mean, y)| mean.is_finite() && !y.is_nan());
        let squares: f64 = known().map(|(mean, y)| (y - mean).powi(2)).sum();
        let dispersion = squares / known().map(|(mean, _)| mean).sum::<f64>();
        Self::NegativeBinomial { dispersion: if dispersion.is_finite() { dispersion.max(1.0) } else { 1.0 } }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::NegativeBinomial { dispersion: 1.0 } => "Poisson",
            Self::NegativeBinomial { .. } => "negative binomial",
            Self::ZeroInflated { .. } => "zero-inflated",
            Self::Bootstrap { .. } => "bootstrap",
        }
    }

    fn log_likelihood(&self, values: &[f64], rates: &[f64]) -> f64 {
        let known = rates.iter().zip(values).filter(|(rate, _)| rate.is_finite() && **rate > 0.0);
        known.map(|(rate, y)| self.probability(*rate, *y).max(1e-12).ln()).sum()
    }

    /// The probability of `y` with this mean.
    fn probability(&self, mean: f64, y: f64) -> f64 {
        match self {
            Self::NegativeBinomial { dispersion } => log_probability(mean, mean * dispersion, y).exp(),
            Self::ZeroInflated { size, variance } => {
                let chance = (mean / size).min(1.0);
                match y == 0.0 {
                    true => 1.0 - chance,
                    false => chance * log_probability(size - 1.0, *variance, y - 1.0).exp(),
                }
            }
            Self::Bootstrap { .. } => 0.0,
        }
    }

    /// The probability of a demand in each of the next steps, for intervals that were seen.
    fn chances(intervals: &[f64], since: f64, steps: usize) -> Vec<f64> {
        let n = intervals.len() as f64;
        let seen = |interval: f64| {
            (intervals.partition_point(|i| *i <= interval) - intervals.partition_point(|i| *i < interval)) as f64
        };
        let longer = n - intervals.partition_point(|i| *i <= since) as f64;
        // After more steps than any interval had, the wait begins anew.
        let (waited, left) = if longer > 0.0 { (since, longer) } else { (0.0, n) };
        let mut chances: Vec<f64> = Vec::with_capacity(steps);
        for step in 1..=steps {
            let first = seen(waited + step as f64) / left;
            let again: f64 = chances.iter().zip(1..).map(|(chance, at)| chance * seen((step - at) as f64) / n).sum();
            chances.push((first + again).clamp(0.0, 1.0));
        }
        chances
    }

    /// The standard deviation of each step.
    pub fn spread(&self, means: &[f64], ahead: &Ahead) -> Vec<f64> {
        let of = |chance: f64, size: f64, square: f64| (chance * square - (chance * size).powi(2)).max(0.0).sqrt();
        match self {
            Self::NegativeBinomial { dispersion } => {
                means.iter().map(|mean| (mean.max(0.0) * dispersion).sqrt()).collect()
            }
            Self::ZeroInflated { size, variance } => {
                let square = variance + size * size;
                means.iter().map(|mean| of((mean / size).clamp(0.0, 1.0), *size, square)).collect()
            }
            Self::Bootstrap { sizes, intervals, since, .. } => {
                let n = sizes.len().max(1) as f64;
                // A size of 1e300 has no square.
                let scale = sizes.last().copied().unwrap_or(1.0);
                let size = sizes.iter().map(|size| size / scale).sum::<f64>() / n;
                let square = sizes.iter().map(|size| (size / scale).powi(2)).sum::<f64>() / n;
                let chances = Self::chances(intervals, *since, ahead.lead + ahead.horizon);
                chances[ahead.lead..].iter().map(|chance| scale * of(*chance, size, square)).collect()
            }
        }
    }

    /// The quantiles of each step.
    pub fn quantiles(&self, means: &[f64], ahead: &Ahead) -> Quantiles {
        let sd = self.spread(means, ahead);
        match self {
            Self::NegativeBinomial { dispersion } => Quantiles::by(means, &sd, Support::Counts, |step, deviates| {
                counts(means[step].max(0.0), means[step].max(0.0) * dispersion, &probabilities(deviates))
            }),
            Self::ZeroInflated { size, variance } => Quantiles::by(means, &sd, Support::Counts, |step, deviates| {
                let nothing = 1.0 - (means[step] / size).clamp(0.0, 1.0);
                let of_sizes: Vec<f64> =
                    probabilities(deviates).iter().map(|p| (p - nothing) / (1.0 - nothing)).collect();
                let sizes = counts(size - 1.0, *variance, &of_sizes);
                of_sizes.iter().zip(sizes).map(|(p, size)| if *p > 0.0 { 1.0 + size } else { 0.0 }).collect()
            }),
            Self::Bootstrap { sizes, intervals, since, whole } => {
                let chances = Self::chances(intervals, *since, ahead.lead + ahead.horizon);
                let support = if *whole { Support::Counts } else { Support::Positive };
                Quantiles::by(means, &sd, support, |step, deviates| {
                    let chance = chances[ahead.lead + step];
                    let of = |p: &f64| {
                        let rank = (p - (1.0 - chance)) / chance * sizes.len() as f64;
                        if rank > 0.0 { sizes[(rank.ceil() as usize).min(sizes.len()) - 1] } else { 0.0 }
                    };
                    probabilities(deviates).iter().map(of).collect()
                })
            }
        }
    }
}

/// The quantiles of negative binomial numbers with these means and standard deviations.
pub(crate) fn quantiles_around(means: &[f64], sd: &[f64]) -> Quantiles {
    Quantiles::by(means, sd, Support::Counts, |step, deviates| {
        counts(means[step].max(0.0), sd[step] * sd[step], &probabilities(deviates))
    })
}

/// Where `y` stands in the negative binomial distribution with this mean and standard deviation, as standard normal
/// deviates: a count stands for all probabilities between that of less and that of no more, of which these are some (Czado,
/// Gneiting & Held 2009, *Biometrics* 65).
pub(crate) fn deviates_around(mean: f64, sd: f64, y: f64) -> [f64; 5] {
    let probability = |count: f64| log_probability(mean, sd * sd, count).exp();
    let less: f64 = (0..y as usize).map(|count| probability(count as f64)).sum();
    let own = probability(y);
    let share = |k: usize| less + (k as f64 + 0.5) / 5.0 * own;
    std::array::from_fn(|k| crate::models::standard_normal(share(k).clamp(1e-6, 1.0 - 1e-6)))
}

fn probabilities(deviates: &[f64]) -> Vec<f64> {
    use statrs::distribution::{ContinuousCDF, Normal};
    let normal = Normal::standard();
    deviates.iter().map(|z| normal.cdf(*z)).collect()
}

/// The number of successes, 1/shape of the mixing, of a negative binomial; none for Poisson.
fn successes(mean: f64, variance: f64) -> Option<f64> {
    (variance > mean * (1.0 + 1e-9)).then(|| mean * mean / (variance - mean))
}

/// The logarithm of the probability of `y` under a negative binomial with this mean and variance, Poisson where the variance
/// is no larger than the mean.
fn log_probability(mean: f64, variance: f64, y: f64) -> f64 {
    use statrs::function::gamma::ln_gamma;
    if mean <= 0.0 {
        return if y == 0.0 { 0.0 } else { f64::NEG_INFINITY };
    }
    match successes(mean, variance) {
        Some(r) => {
            ln_gamma(y + r) - ln_gamma(r) - ln_gamma(y + 1.0)
                + r * (mean / variance).ln()
                + y * (1.0 - mean / variance).ln()
        }
        None => y * mean.ln() - mean - ln_gamma(y + 1.0),
    }
}

/// The least counts that are not exceeded with these probabilities, which ascend.
fn counts(mean: f64, variance: f64, probabilities: &[f64]) -> Vec<f64> {
    if mean <= 0.0 {
        return vec![0.0; probabilities.len()];
    }
    let r = successes(mean, variance);
    let variance = variance.max(mean);
    if mean > MANY {
        // Cornish & Fisher's expansion to the skewness.
        let skewness = (2.0 * variance / mean - 1.0) / variance.sqrt();
        let value = |p: &f64| {
            let z = crate::models::standard_normal(p.clamp(1e-12, 1.0 - 1e-12));
            (mean + variance.sqrt() * (z + skewness / 6.0 * (z * z - 1.0))).max(0.0).round()
        };
        let mut most = 0.0_f64;
        return probabilities
            .iter()
            .map(|p| {
                most = most.max(value(p));
                most
            })
            .collect();
    }
    let mut at = 0_usize;
    let mut term = log_probability(mean, variance, 0.0).exp();
    let mut sum = term;
    let failure = 1.0 - mean / variance;
    let mut next = |p: f64| {
        while sum < p && at < LONGEST {
            term *= match r {
                Some(r) => (at as f64 + r) / (at as f64 + 1.0) * failure,
                None => mean / (at as f64 + 1.0),
            };
            at += 1;
            sum += term;
            // What is left is rounding.
            if term < f64::EPSILON * 1e-3 && at as f64 > mean {
                break;
            }
        }
        at as f64
    };
    probabilities.iter().map(|p| next(*p)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R: qnbinom(c(.1,.5,.9,.99), size = 2, mu = 3) and qpois(c(.1,.5,.9,.99), 3).
    #[test]
    fn counts_are_those_of_r() {
        let probabilities = [0.1, 0.5, 0.9, 0.99];
        assert_eq!(counts(3.0, 3.0 + 9.0 / 2.0, &probabilities), [0.0, 2.0, 7.0, 12.0]);
        assert_eq!(counts(3.0, 3.0, &probabilities), [1.0, 3.0, 5.0, 8.0]);
    }

    #[test]
    fn intervals_that_were_seen_say_when_the_next_demand_comes() {
        // Every third step; the last demand was a step ago.
        let chances = Counts::chances(&[3.0, 3.0], 1.0, 6);
        assert_eq!(chances, [0.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
        let chances = Counts::chances(&[1.0, 3.0], 0.0, 3);
        assert_eq!(chances, [0.5, 0.25, 0.625]);
    }
}
