//! Distributions of demand in a step over counts 0, 1, 2, …

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use crate::fitting::Support;
use crate::models::{Ahead, Quantiles};
use crate::statistics::{Demand, NegativeBinomial};

/// The distribution of demand in a step.
///
/// | | the demand of a step is | for |
/// |---|---|---|
/// | `negative-binomial` | negative binomial with the forecast mean and the variance of the one-step errors; where that is smaller than the mean, a rounded normal variable with a variance between the two | counts |
/// | `zero-inflated` | zero with a probability, else 1 + such a variable with the mean and variance of the sizes | counts |
/// | `bootstrap` | zero, or one of the observed sizes; demands arrive at observed intervals, counted from the last one (Viswanathan & Zhou 2008; Willemain, Smart & Schwarz 2004, *International Journal of Forecasting* 20) | anything |
///
/// `auto` takes the first or the second by the likelihood of the values given their forecasts: a negative binomial
/// distribution of large sizes has little probability at zero, however often demand is zero. It takes the first where there is
/// demand in every step.
///
/// Values are counted in their own unit: the largest number of which all are whole multiples, be it a piece, a pack of six or a
/// cent. Quantiles are multiples of it too, and ten times the values have ten times the quantiles. Values that have no such unit
/// are counted in billionths of the largest, where the negative binomial distribution is a gamma distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CountDistribution {
    /// The one with the higher likelihood.
    #[default]
    Auto,
    /// Negative binomial.
    NegativeBinomial,
    /// Zero with a probability, else at least one.
    ZeroInflated,
    /// Observed intervals and sizes.
    Bootstrap,
}

/// A distribution of counts around a mean that a method forecasts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Counts {
    family: Family,
    unit: Unit,
}

/// The unit of counts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Unit {
    /// All values are whole multiples of it; none where there is no such number.
    pack: Option<f64>,
    /// What is calculated in: the same, or a billionth of the largest value where that is more.
    grain: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Family {
    /// Variance = mean · `dispersion`; Poisson at 1, a rounded normal number below.
    NegativeBinomial { dispersion: f64 },
    /// Sizes with this mean and variance; their probability is the mean forecast over it.
    ZeroInflated { size: f64, variance: f64 },
    /// Observed sizes and intervals, in ascending order, and steps since the last demand.
    Bootstrap { sizes: Vec<f64>, intervals: Vec<f64>, since: f64 },
}

/// Steps that count for Poisson's variance where errors are smaller: a few regular sales by chance are no certainty.
const PRIOR: f64 = 4.0;
/// The most decimals of a unit.
const DECIMALS: i32 = 9;
/// Counts beyond it cannot be distinguished from continuous values.
const COUNTED: f64 = 1e12;
/// Grains of the largest value at the most.
const FINEST: f64 = 1e9;

impl Unit {
    fn of(values: &[f64]) -> Self {
        let most = values.iter().copied().fold(0.0, f64::max);
        if most == 0.0 {
            return Self { pack: Some(1.0), grain: 1.0 };
        }
        let pack = (0..=DECIMALS).find_map(|decimals| {
            let power = 10_f64.powi(decimals);
            let whole = |y: f64| {
                let (scaled, count) = (y * power, (y * power).round());
                ((scaled - count).abs() <= 4.0 * f64::EPSILON * count && count <= COUNTED).then_some(count as u64)
            };
            let unit = values.iter().try_fold(0, |unit, y| Some(common_divisor(unit, whole(*y)?)))?;
            Some(unit as f64 / power)
        });
        Self { pack, grain: pack.unwrap_or(0.0).max(most / FINEST).max(f64::MIN_POSITIVE) }
    }

    fn support(self) -> Support {
        match self.pack {
            Some(1.0) => Support::Counts,
            Some(pack) => Support::Multiples(pack),
            None => Support::Positive,
        }
    }
}

/// The greatest divisor of both; zero has all.
fn common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

impl Counts {
    /// Of values of which `rates` were forecast.
    pub fn new(asked: CountDistribution, values: &[f64], rates: &[f64]) -> Self {
        let unit = Unit::of(values);
        let counted = |values: &[f64]| values.iter().map(|y| y / unit.grain).collect::<Vec<f64>>();
        let (counts, means) = (counted(values), counted(rates));
        let family = match asked {
            CountDistribution::NegativeBinomial => Family::negative_binomial(&counts, &means),
            CountDistribution::ZeroInflated => Family::zero_inflated(&counts),
            CountDistribution::Bootstrap => Family::bootstrap(&counts),
            // Demand in every step has no probability of zero.
            CountDistribution::Auto if !counts.contains(&0.0) => Family::negative_binomial(&counts, &means),
            CountDistribution::Auto => {
                let [first, second] = [Family::negative_binomial(&counts, &means), Family::zero_inflated(&counts)];
                match first.log_likelihood(&counts, &means) >= second.log_likelihood(&counts, &means) {
                    true => first,
                    false => second,
                }
            }
        };
        Self { family, unit }
    }

    pub fn name(&self) -> &'static str {
        match self.family {
            Family::NegativeBinomial { dispersion: 1.0 } => "Poisson",
            Family::NegativeBinomial { dispersion } if dispersion < 1.0 => "rounded normal",
            Family::NegativeBinomial { .. } => "negative binomial",
            Family::ZeroInflated { .. } => "zero-inflated",
            Family::Bootstrap { .. } => "bootstrap",
        }
    }

    fn counted(&self, means: &[f64]) -> Vec<f64> {
        means.iter().map(|mean| mean.max(0.0) / self.unit.grain).collect()
    }

    /// The standard deviation of each step.
    pub fn std_dev(&self, means: &[f64], ahead: &Ahead) -> Vec<f64> {
        self.family.std_dev(&self.counted(means), ahead).into_iter().map(|sd| sd * self.unit.grain).collect()
    }

    /// The quantiles of each step.
    pub fn quantiles(&self, means: &[f64], ahead: &Ahead) -> Quantiles {
        let counted = self.counted(means);
        let sd = self.family.std_dev(&counted, ahead);
        Quantiles::by(&counted, &sd, self.unit.support(), self.family.quantiles(&counted, ahead))
    }
}

impl Family {
    /// A negative binomial around means, from how far the values were from them.
    fn negative_binomial(values: &[f64], means: &[f64]) -> Self {
        let known = || means.iter().zip(values).filter(|(mean, y)| mean.is_finite() && !y.is_nan());
        let squares: f64 = known().map(|(mean, y)| (y - mean).powi(2)).sum();
        let dispersion = squares / known().map(|(mean, _)| mean).sum::<f64>();
        let dispersion = if dispersion.is_finite() { drawn(dispersion, 1.0, known().count()) } else { 1.0 };
        Self::NegativeBinomial { dispersion }
    }

    fn zero_inflated(values: &[f64]) -> Self {
        let sizes = Demand::of(values).sizes;
        let n = sizes.len().max(1) as f64;
        let size = sizes.iter().sum::<f64>() / n;
        let variance = sizes.iter().map(|s| (s - size).powi(2)).sum::<f64>() / n;
        let size = size.max(1.0);
        Self::ZeroInflated { size, variance: drawn(variance, size - 1.0, sizes.len()) }
    }

    fn bootstrap(values: &[f64]) -> Self {
        let Demand { mut sizes, mut intervals, steps } = Demand::of(values);
        let since = steps as f64 - intervals.iter().sum::<f64>();
        sizes.sort_by(f64::total_cmp);
        intervals.sort_by(f64::total_cmp);
        Self::Bootstrap { sizes, intervals, since }
    }

    fn log_likelihood(&self, values: &[f64], rates: &[f64]) -> f64 {
        // What a family excludes counts as one in 10¹² steps, of however many counts there are.
        let least = 1e-12 / (values.iter().copied().fold(0.0, f64::max) / 1e4).max(1.0);
        let known = rates.iter().zip(values).filter(|(rate, _)| rate.is_finite() && **rate > 0.0);
        known.map(|(rate, y)| self.log_probability(*rate, *y).max(least.ln())).sum()
    }

    /// The logarithm of the probability of `y` with this mean.
    fn log_probability(&self, mean: f64, y: f64) -> f64 {
        match self {
            Self::NegativeBinomial { dispersion } => Around::new(mean, mean * dispersion).log_probability(y),
            Self::ZeroInflated { size, variance } => {
                let chance = (mean / size).min(1.0);
                match y == 0.0 {
                    true => (1.0 - chance).ln(),
                    false => chance.ln() + Around::new(size - 1.0, *variance).log_probability(y - 1.0),
                }
            }
            Self::Bootstrap { .. } => f64::NEG_INFINITY,
        }
    }

    /// The probability of a demand in each of the next steps, for the observed intervals.
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
    fn std_dev(&self, means: &[f64], ahead: &Ahead) -> Vec<f64> {
        let of = |chance: f64, size: f64, square: f64| (chance * square - (chance * size).powi(2)).max(0.0).sqrt();
        match self {
            Self::NegativeBinomial { dispersion } => means.iter().map(|mean| (mean * dispersion).sqrt()).collect(),
            Self::ZeroInflated { size, variance } => {
                let square = variance + size * size;
                means.iter().map(|mean| of((mean / size).clamp(0.0, 1.0), *size, square)).collect()
            }
            Self::Bootstrap { sizes, intervals, since, .. } => {
                let n = sizes.len().max(1) as f64;
                let size = sizes.iter().sum::<f64>() / n;
                let square = sizes.iter().map(|size| size.powi(2)).sum::<f64>() / n;
                let chances = Self::chances(intervals, *since, ahead.lead + ahead.horizon);
                chances[ahead.lead..].iter().map(|chance| of(*chance, size, square)).collect()
            }
        }
    }

    /// What gives the quantiles of each step at standard normal deviates, which ascend.
    fn quantiles<'a>(&'a self, means: &'a [f64], ahead: &Ahead) -> impl Fn(usize, &[f64]) -> Vec<f64> + 'a {
        let chances = match self {
            Self::Bootstrap { intervals, since, .. } => {
                Self::chances(intervals, *since, ahead.lead + ahead.horizon).split_off(ahead.lead)
            }
            _ => Vec::new(),
        };
        move |step, deviates| {
            let probabilities = probabilities(deviates);
            match self {
                Self::NegativeBinomial { dispersion } => {
                    Around::new(means[step], means[step] * dispersion).quantiles(&probabilities)
                }
                Self::ZeroInflated { size, variance } => {
                    let nothing = 1.0 - (means[step] / size).clamp(0.0, 1.0);
                    let of_sizes: Vec<f64> = probabilities.iter().map(|p| (p - nothing) / (1.0 - nothing)).collect();
                    let sizes = Around::new(size - 1.0, *variance).quantiles(&of_sizes);
                    of_sizes.iter().zip(sizes).map(|(p, size)| if *p > 0.0 { 1.0 + size } else { 0.0 }).collect()
                }
                Self::Bootstrap { sizes, .. } => {
                    let of = |p: &f64| {
                        let rank = (p - (1.0 - chances[step])) / chances[step] * sizes.len() as f64;
                        if rank > 0.0 { sizes[(rank.ceil() as usize).min(sizes.len()) - 1] } else { 0.0 }
                    };
                    probabilities.iter().map(of).collect()
                }
            }
        }
    }
}

/// A variance over so many steps, drawn to Poisson's where it is smaller.
fn drawn(variance: f64, poisson: f64, steps: usize) -> f64 {
    let steps = steps as f64;
    variance.max((steps * variance + PRIOR * poisson) / (steps + PRIOR))
}

/// Numbers 0, 1, 2, … with a mean and a variance: negative binomial ones, and rounded normal ones where the variance is the
/// smaller one.
struct Around {
    mean: f64,
    sd: f64,
    /// None where the variance is smaller than the mean.
    wide: Option<NegativeBinomial>,
}

impl Around {
    fn new(mean: f64, variance: f64) -> Self {
        let sd = variance.sqrt();
        let wide = (variance >= mean * (1.0 - 1e-9)).then(|| NegativeBinomial::new(mean, sd));
        Self { mean, sd, wide }
    }

    fn log_probability(&self, y: f64) -> f64 {
        let normal = |y: f64| Normal::standard().cdf((y - self.mean) / self.sd);
        match self.wide {
            Some(wide) => wide.log_probability(y),
            None => (normal(y + 0.5) - if y > 0.0 { normal(y - 0.5) } else { 0.0 }).ln(),
        }
    }

    /// What is not exceeded with these probabilities, which ascend; normal numbers are not rounded yet.
    fn quantiles(&self, probabilities: &[f64]) -> Vec<f64> {
        let normal = |p: &f64| (self.mean + self.sd * Normal::standard().inverse_cdf(p.clamp(0.0, 1.0))).max(0.0);
        match self.wide {
            Some(wide) => wide.quantiles(probabilities),
            None => probabilities.iter().map(normal).collect(),
        }
    }
}

/// The quantiles of negative binomial numbers with these means and standard deviations.
pub(crate) fn count_quantiles(means: &[f64], sd: &[f64]) -> Quantiles {
    Quantiles::by(means, sd, Support::Counts, |step, deviates| {
        NegativeBinomial::new(means[step], sd[step]).quantiles(&probabilities(deviates))
    })
}

/// Calibration scores of a count `y` under the negative binomial distribution with this mean and standard deviation: PIT values
/// mapped to N(0, 1). The PIT of a count is uniform between P(Y < y) and P(Y ≤ y), of which five quantiles are taken (Czado,
/// Gneiting & Held 2009, *Biometrics* 65).
pub(crate) fn pit_scores(mean: f64, sd: f64, y: f64) -> [f64; 5] {
    let (counts, y) = (NegativeBinomial::new(mean, sd), y.max(0.0));
    let (less, own) = (counts.cdf(y - 1.0), counts.log_probability(y).exp());
    let share = |k: usize| less + (k as f64 + 0.5) / 5.0 * own;
    std::array::from_fn(|k| crate::models::standard_normal(share(k).clamp(1e-6, 1.0 - 1e-6)))
}

fn probabilities(deviates: &[f64]) -> Vec<f64> {
    let normal = Normal::standard();
    deviates.iter().map(|z| normal.cdf(*z)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_what_all_values_are_multiples_of() {
        let unit = |values: &[f64]| Unit::of(values).pack;
        assert_eq!(unit(&[0.0, 3.0, 7.0]), Some(1.0));
        assert_eq!(unit(&[0.0, 18.0, 12.0]), Some(6.0));
        assert_eq!(unit(&[19.99, 0.5, 1234.0]), Some(0.01));
        assert_eq!(unit(&[0.0, 0.0]), Some(1.0));
        assert_eq!(unit(&[1.0 / 3.0, 2.0]), None);
        assert_eq!(unit(&[1e300, 2e-300]), None);
    }

    #[test]
    fn intervals_that_were_seen_say_when_the_next_demand_comes() {
        // Every third step; the last demand was a step ago.
        let chances = Family::chances(&[3.0, 3.0], 1.0, 6);
        assert_eq!(chances, [0.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
        let chances = Family::chances(&[1.0, 3.0], 0.0, 3);
        assert_eq!(chances, [0.5, 0.25, 0.625]);
    }
}
