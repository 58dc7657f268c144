//! How is demand over a stretch of time distributed, and how much of it does a stock level leave unmet?
//!
//! With demand D and stock s, the expected shortage is the first-order loss E\[(D − s)⁺\], the expected overage
//! E\[(s − D)⁺\] = s − E\[D\] + E\[(D − s)⁺\], and the second-order loss ½ E\[((D − s)⁺)²\] is the integral of the first from s
//! upwards. All have closed forms:
//!
//! - normal: σ(φ(z) − z Φ̄(z)) and ½ σ²((z² + 1) Φ̄(z) − z φ(z)), z = (s − μ)/σ;
//! - gamma with shape a and scale b: E\[D; D > s\] = ab F̄(s; a + 1), E\[D²; D > s\] = a(a + 1)b² F̄(s; a + 2);
//! - counts (Poisson, negative binomial): the discrete analogues, linear between two counts;
//! - samples: means over the draws. Draws of a forecast's joint paths, each summed over lead time plus review period, keep the
//!   dependence between steps that a product of marginal distributions would lose.
//!
//! Reference: Zipkin 2000, *Foundations of Inventory Management*, appendix C; Snyder & Shen 2019, *Fundamentals of Supply Chain
//! Theory*, 2nd ed., appendix C.
//!
//! Fails where the family does not fit: normal demand with a coefficient of variation above about 0.5 puts weight on negative
//! demand (use gamma); few samples say nothing of a tail quantile (1,000 draws hold ten beyond the 99 % quantile); losses far
//! in the upper tail are accurate to about 1e-12 of the mean, not of themselves.

use statrs::distribution::{ContinuousCDF, Gamma, Normal};
use statrs::function::gamma::{checked_gamma_lr, checked_gamma_ur};

use super::{finite, non_negative, positive, proportion};
use crate::error::{Error, Result};
use crate::show::words::counted;
use crate::statistics::NegativeBinomial;

/// A distribution of demand over some time, in units of stock.
///
/// ```
/// use tradewind::decide::stock::Demand;
/// let demand = Demand::normal(50.0, 8.0)?;
/// assert!((demand.quantile(0.95)? - 63.159).abs() < 1e-3);
/// assert!((demand.expected_shortage(55.0) - 1.295).abs() < 1e-3);
/// # Ok::<(), tradewind::prelude::Error>(())
/// ```
#[derive(Clone)]
pub struct Demand {
    mean: f64,
    sd: f64,
    family: Family,
}

#[derive(Clone)]
enum Family {
    /// A known demand, without variation.
    Constant,
    Normal,
    Gamma {
        shape: f64,
        scale: f64,
        inner: Gamma,
    },
    Counts(NegativeBinomial),
    /// Ascending.
    Samples(Vec<f64>),
}

impl Demand {
    /// Normal demand.
    ///
    /// # Errors
    /// When the mean or the standard deviation is negative or above 10¹⁵. A standard deviation of zero is a known demand.
    pub fn normal(mean: f64, sd: f64) -> Result<Self> {
        let (mean, sd) = (non_negative("mean demand", mean)?, non_negative("the standard deviation of demand", sd)?);
        check_size(mean.max(sd))?;
        Ok(Self { mean, sd, family: if sd == 0.0 { Family::Constant } else { Family::Normal } })
    }

    /// Gamma demand: positive and skewed.
    ///
    /// # Errors
    /// When the mean is not positive, or the standard deviation is negative or above 100 times the mean.
    pub fn gamma(mean: f64, sd: f64) -> Result<Self> {
        let (mean, sd) = (positive("mean demand", mean)?, non_negative("the standard deviation of demand", sd)?);
        if sd < 1e-4 * mean {
            // So nearly normal that they agree to a hundred-millionth of the mean, while the series for it becomes slow.
            return Self::normal(mean, sd);
        }
        if sd > 100.0 * mean {
            return Err(Error::usage(format!(
                "gamma demand with a standard deviation of {sd} is too erratic for a mean of {mean}: use samples"
            )));
        }
        check_size(mean)?;
        let (shape, scale) = ((mean / sd).powi(2), sd * (sd / mean));
        let inner = Gamma::new(shape, 1.0 / scale).map_err(|why| {
            Error::usage(format!("no gamma distribution has mean {mean} and standard deviation {sd}")).because(why)
        })?;
        Ok(Self { mean, sd, family: Family::Gamma { shape, scale, inner } })
    }

    /// Poisson demand: counts whose variance is their mean.
    ///
    /// # Errors
    /// When the mean is negative or above 10¹⁵.
    pub fn poisson(mean: f64) -> Result<Self> {
        Self::negative_binomial(mean, mean)
    }

    /// Negative binomial demand: counts whose variance is above their mean (equal to it: Poisson demand).
    ///
    /// # Errors
    /// When the mean is negative, or the variance is below it.
    pub fn negative_binomial(mean: f64, variance: f64) -> Result<Self> {
        let mean = non_negative("mean demand", mean)?;
        check_size(mean.max(variance))?;
        // A variance that is the mean but for rounding is a Poisson variance.
        if finite("the variance of demand", variance)? < mean * (1.0 - 1e-9) {
            return Err(Error::usage(format!(
                "negative binomial demand has a variance of at least its mean, {mean}, not {variance}; use normal or gamma demand"
            )));
        }
        let sd = variance.max(mean).sqrt();
        Ok(Self { mean, sd, family: Family::Counts(NegativeBinomial::new(mean, sd)) })
    }

    /// Demand by equally likely draws, in any order: such as the joint paths of a forecast, each summed over lead time plus
    /// review period.
    ///
    /// # Errors
    /// When there is no draw, or one is negative or not finite.
    pub fn samples(mut draws: Vec<f64>) -> Result<Self> {
        if draws.is_empty() {
            return Err(Error::data("a demand distribution needs at least one draw"));
        }
        if let Some(place) = draws.iter().position(|x| !x.is_finite() || *x < 0.0) {
            let value = draws[place];
            return Err(Error::data(format!("draw {place} of demand is {value}; demand is zero or a positive number")));
        }
        draws.sort_by(f64::total_cmp);
        check_size(draws.last().copied().unwrap_or(0.0))?;
        let n = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / n;
        let sd = (draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        Ok(Self { mean, sd, family: Family::Samples(draws) })
    }

    /// The family, for a sentence.
    pub(super) fn kind(&self) -> String {
        match &self.family {
            Family::Constant => "Known demand".into(),
            Family::Normal => "Normal demand".into(),
            Family::Gamma { .. } => "Gamma demand".into(),
            Family::Counts(_) if self.sd * self.sd <= self.mean * (1.0 + 1e-9) => "Poisson demand".into(),
            Family::Counts(_) => "Negative binomial demand".into(),
            Family::Samples(draws) => format!("Demand of {}", counted(draws.len(), "draw", "draws")),
        }
    }

    /// The expected demand, in units.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The standard deviation of demand, in units.
    pub fn sd(&self) -> f64 {
        self.sd
    }

    /// Does demand come in whole units only?
    pub fn is_whole(&self) -> bool {
        match &self.family {
            Family::Counts(_) => true,
            Family::Constant => self.mean.fract() == 0.0,
            Family::Samples(draws) => draws.iter().all(|x| x.fract() == 0.0),
            Family::Normal | Family::Gamma { .. } => false,
        }
    }

    /// The probability that demand is at most `x` units.
    pub fn cdf(&self, x: f64) -> f64 {
        match &self.family {
            Family::Constant => f64::from(x >= self.mean),
            Family::Normal => Normal::standard().cdf((x - self.mean) / self.sd),
            Family::Gamma { shape, scale, .. } => lower_gamma(*shape, x / scale),
            Family::Counts(counts) => counts.cdf(x),
            Family::Samples(draws) => draws.partition_point(|d| *d <= x) as f64 / draws.len() as f64,
        }
    }

    /// The smallest stock that covers demand with probability `p`, in units.
    ///
    /// # Errors
    /// When `p` is not strictly between 0 and 1.
    pub fn quantile(&self, p: f64) -> Result<f64> {
        proportion("a probability", p).map(|p| self.quantile_at(p))
    }

    /// The same for a probability that is known to be one; 0 gives zero.
    pub(super) fn quantile_at(&self, p: f64) -> f64 {
        // A ratio of costs may round to 1.
        let p = p.min(1.0 - f64::EPSILON);
        match &self.family {
            Family::Constant => self.mean,
            _ if p <= 0.0 => 0.0,
            Family::Normal => self.mean + self.sd * Normal::standard().inverse_cdf(p),
            Family::Gamma { inner, .. } => inner.inverse_cdf(p),
            Family::Counts(counts) => counts.quantiles(&[p]).first().copied().unwrap_or(0.0),
            Family::Samples(draws) => {
                // A rank that is whole but for rounding is whole.
                let rank = (p * draws.len() as f64 * (1.0 - 1e-12)).ceil() as usize;
                draws[rank.clamp(1, draws.len()) - 1]
            }
        }
    }

    /// The expected shortage of a stock of `s` units, E\[(D − s)⁺\], in units.
    pub fn expected_shortage(&self, s: f64) -> f64 {
        match &self.family {
            Family::Constant => (self.mean - s).max(0.0),
            Family::Normal => {
                let (density, above) = self.normal_at(s);
                (self.sd * (density - (s - self.mean) / self.sd * above)).max(0.0)
            }
            Family::Gamma { shape, scale, .. } if s > 0.0 => {
                let at = s / scale;
                (self.mean * upper_gamma(shape + 1.0, at) - s * upper_gamma(*shape, at)).max(0.0)
            }
            Family::Counts(counts) if s >= 0.0 => {
                let below = s.floor();
                let shortage = self.count_losses(counts, below).0;
                (shortage - (s - below) * (1.0 - counts.cdf(below))).max(0.0)
            }
            // Where demand cannot be less.
            Family::Gamma { .. } | Family::Counts(_) => self.mean - s,
            Family::Samples(draws) => {
                let above = &draws[draws.partition_point(|d| *d <= s)..];
                above.iter().map(|d| d - s).sum::<f64>() / draws.len() as f64
            }
        }
    }

    /// The expected overage of a stock of `s` units, E\[(s − D)⁺\], in units.
    pub fn expected_overage(&self, s: f64) -> f64 {
        match &self.family {
            // The mirror image, which does not cancel far below the mean.
            Family::Normal => self.expected_shortage(2.0 * self.mean - s),
            _ => (s - self.mean + self.expected_shortage(s)).max(0.0),
        }
    }

    /// The second-order loss of a stock of `s` units, ½ E\[((D − s)⁺)²\], in units squared: the integral of the expected
    /// shortage over all stocks from `s`.
    pub fn second_order_loss(&self, s: f64) -> f64 {
        let gap = self.mean - s;
        match &self.family {
            Family::Constant => gap.max(0.0).powi(2) / 2.0,
            Family::Normal => {
                let z = -gap / self.sd;
                let (density, above) = self.normal_at(s);
                (self.sd * self.sd / 2.0 * ((z * z + 1.0) * above - z * density)).max(0.0)
            }
            Family::Gamma { shape, scale, .. } if s > 0.0 => {
                let at = s / scale;
                let square = self.mean * (self.mean + scale) * upper_gamma(shape + 2.0, at);
                let cross = 2.0 * s * self.mean * upper_gamma(shape + 1.0, at);
                ((square - cross + s * s * upper_gamma(*shape, at)) / 2.0).max(0.0)
            }
            Family::Counts(counts) if s >= 0.0 => {
                let below = s.floor();
                let (shortage, second) = self.count_losses(counts, below);
                let part = s - below;
                (second - part * shortage + part * part / 2.0 * (1.0 - counts.cdf(below))).max(0.0)
            }
            Family::Gamma { .. } | Family::Counts(_) => (self.sd * self.sd + gap * gap) / 2.0,
            Family::Samples(draws) => {
                let above = &draws[draws.partition_point(|d| *d <= s)..];
                above.iter().map(|d| (d - s).powi(2)).sum::<f64>() / (2.0 * draws.len() as f64)
            }
        }
    }

    /// The probabilities of 0, 1, 2, … units up to where less than 1e-14 is left.
    ///
    /// # Errors
    /// When demand does not come in whole units.
    pub(super) fn probabilities(&self) -> Result<Vec<f64>> {
        let largest = match &self.family {
            Family::Samples(draws) => draws.last().copied().unwrap_or(0.0),
            _ => self.quantile_at(1.0 - 1e-14).max(self.mean),
        };
        if !self.is_whole() {
            return Err(Error::usage(
                "demand must come in whole units: use Poisson or negative binomial demand, or round the draws",
            ));
        }
        if largest > MAX_UNITS {
            return Err(Error::usage(format!(
                "demand reaches {largest} units, more than {MAX_UNITS}: calculate in larger units, such as case packs"
            )));
        }
        let mut probabilities = vec![0.0; largest as usize + 1];
        match &self.family {
            Family::Samples(draws) => {
                let each = 1.0 / draws.len() as f64;
                draws.iter().for_each(|d| probabilities[*d as usize] += each);
            }
            Family::Counts(counts) => {
                for (k, p) in probabilities.iter_mut().enumerate() {
                    *p = counts.log_probability(k as f64).exp();
                }
            }
            _ => probabilities[largest as usize] = 1.0,
        }
        Ok(probabilities)
    }

    /// The standard normal density at a stock of `s`, and the probability of more.
    fn normal_at(&self, s: f64) -> (f64, f64) {
        let z = (s - self.mean) / self.sd;
        ((-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt(), Normal::standard().sf(z))
    }

    /// The first- and second-order loss of a whole stock `k` ≥ 0: E\[(D − k)⁺\] and ½ E\[((D − k)⁺)²\].
    fn count_losses(&self, counts: &NegativeBinomial, k: f64) -> (f64, f64) {
        let (mean, variance) = (self.mean, self.sd * self.sd);
        let (above, at) = (1.0 - counts.cdf(k), counts.log_probability(k).exp());
        // Variance over mean is 1 + β, β the scale of the mixing gamma distribution, zero for Poisson demand. From
        // (j + 1) f(j + 1) = (mean + β j) f(j), summed over j ≥ k, follow both moments beyond k.
        let beta = if mean > 0.0 { (variance - mean) / mean } else { 0.0 };
        let edge = (mean + beta * k) * at;
        let shortage = (mean - k) * above + edge;
        let square = mean * (mean + beta + 1.0);
        let second = (square + k * k - 2.0 * k * mean) * above + edge * (mean - k + 1.0 + beta);
        (shortage.max(0.0), (second / 2.0).max(0.0))
    }
}

/// Beyond this size whole units are no longer told apart.
const MAX_DEMAND: f64 = 1e15;

fn check_size(units: f64) -> Result<()> {
    if units <= MAX_DEMAND {
        return Ok(());
    }
    Err(Error::usage(format!("demand or its variance reaches {units:e} units: calculate in larger units")))
}

/// Whole units up to which probabilities are listed.
const MAX_UNITS: f64 = 50_000.0;

/// The regularised lower incomplete gamma function, 0 below its range and 1 above it.
fn lower_gamma(shape: f64, at: f64) -> f64 {
    if at <= 0.0 { 0.0 } else { checked_gamma_lr(shape, at).unwrap_or(1.0) }
}

/// The regularised upper incomplete gamma function, 1 below its range and 0 above it.
fn upper_gamma(shape: f64, at: f64) -> f64 {
    if at <= 0.0 { 1.0 } else { checked_gamma_ur(shape, at).unwrap_or(0.0) }
}
