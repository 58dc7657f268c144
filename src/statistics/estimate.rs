//! How sure is an effect that is the same sum over many dates? An estimate with the standard error of a long run, from which
//! both the interval and the p-value follow, so that they cannot disagree.
//!
//! Sales of one date are not independent of those of the next, nor of those of another series on the same date. So
//! contributions are summed over series date by date, and the variance of their sum over dates is that of Newey and West
//! (1987, *Econometrica* vol. 55) with Bartlett weights over many lags; fewer would make intervals too narrow. The price is a
//! heavier tail: that of Student's t with as many degrees of freedom as give the critical value of Kiefer and Vogelsang
//! (2005, *Econometric Theory* vol. 21) for that share of lags.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::comparison::student_quantile;
use crate::error::Result;
use crate::optimise::on_interval;

/// Lags of the long-run variance, as a multiple of the square root of the number of dates.
const LAGS: f64 = 2.6;
/// The same of differences from the year before, which have no season and no flags that run on: the rule of Lazarus, Lewis,
/// Stock and Watson (2018, *Journal of Business & Economic Statistics* vol. 36).
const FEW: f64 = 1.3;

/// An estimate, its standard error, and the degrees of freedom of that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error; infinite where nothing is known.
    pub error: f64,
    /// Degrees of freedom of the standard error.
    pub freedom: f64,
}

impl Estimate {
    /// The interval that holds the true value with this probability: `estimate.interval(0.9)`.
    ///
    /// ```
    /// use tradewind::statistics::Estimate;
    /// let estimate = Estimate { value: 0.1, error: 0.02, freedom: 10.0 };
    /// let (low, high) = estimate.interval(0.9);
    /// assert!((low - 0.06375).abs() < 1e-5 && (high - 0.13625).abs() < 1e-5);
    /// ```
    pub fn interval(&self, level: f64) -> (f64, f64) {
        let margin =
            student_quantile(self.freedom.max(0.1), 0.5 + level / 2.0).map_or(f64::INFINITY, |t| t * self.error);
        (self.value - margin, self.value + margin)
    }

    /// How probable an estimate as far from zero is where the true value is zero.
    pub fn p_value(&self) -> f64 {
        if self.error == 0.0 {
            return if self.value == 0.0 { 1.0 } else { 0.0 };
        }
        let tail = |t: f64| StudentsT::new(0.0, 1.0, self.freedom.clamp(0.1, 1e5)).map(|student| student.cdf(-t.abs()));
        let ratio = self.value / self.error;
        if ratio.is_nan() { 1.0 } else { tail(ratio).map_or(1.0, |p| (2.0 * p).min(1.0)) }
    }

    /// The estimate in another unit.
    #[must_use]
    pub fn times(&self, factor: f64) -> Self {
        Self { value: self.value * factor, error: self.error * factor.abs(), freedom: self.freedom }
    }

    /// Does the interval exclude zero?
    pub fn excludes_zero(&self, level: f64) -> bool {
        let (low, high) = self.interval(level);
        low > 0.0 || high < 0.0
    }
}

/// The ratio of two sums over dates, less one: sales relative to what they would have been. Dates on which both are zero do
/// not contribute. The degrees of freedom are at most `most`, the number of independent occasions less one.
pub(crate) fn relative(actual: &[f64], expected: &[f64], most: f64) -> Estimate {
    let (a, b): (f64, f64) = (actual.iter().sum(), expected.iter().sum());
    let value = a / b - 1.0;
    let scores: Vec<f64> = actual.iter().zip(expected).map(|(a, e)| (a - (1.0 + value) * e) / b).collect();
    with_lags(value, &scores, most, (FEW * (scores.len() as f64).sqrt()).ceil().max(1.0) as usize)
}

/// An estimate whose error is the sum of these scores, date by date. Scores that lie more than `memory` dates apart are not
/// autocorrelated: so it is of what is left once a local level is removed.
pub(crate) fn of_scores(value: f64, scores: &[f64], most: f64, memory: Option<usize>) -> Estimate {
    with_lags(value, scores, most, lags(scores.len(), memory))
}

/// Lags of the long-run variance of so many scores.
pub(crate) fn lags(dates: usize, memory: Option<usize>) -> usize {
    let many = LAGS * (dates as f64).sqrt();
    memory.map_or(many, |memory| many.min(memory as f64)).ceil().max(1.0) as usize
}

fn with_lags(value: f64, scores: &[f64], most: f64, lags: usize) -> Estimate {
    let alone: f64 = scores.iter().map(|score| score * score).sum();
    // Negative autocorrelation, which few scores show by chance, does not narrow the interval.
    let error = long_run(scores, lags).max(alone).sqrt();
    let freedom = freedom(lags as f64 / scores.len().max(1) as f64).min(most).max(1.0);
    Estimate { value, error: if value.is_finite() { error } else { f64::INFINITY }, freedom }
}

/// The long-run variance of a sum of scores autocorrelated over fewer than `lags` dates.
pub(crate) fn long_run(scores: &[f64], lags: usize) -> f64 {
    let at = |lag: usize| scores[lag..].iter().zip(scores).map(|(a, b)| a * b).sum::<f64>();
    let weighted = (1..lags.min(scores.len())).map(|lag| 2.0 * (1.0 - lag as f64 / lags as f64) * at(lag));
    at(0) + weighted.sum::<f64>()
}

/// The degrees of freedom at which Student's t has the critical value of Kiefer and Vogelsang at 95 %, for this share of lags.
pub(crate) fn freedom(share: f64) -> f64 {
    let b = share.clamp(0.0, 1.0);
    let critical = 1.9600 + 2.9694 * b + 0.4160 * b * b - 0.5324 * b * b * b;
    let away = |log: f64| student_quantile(log.exp(), 0.975).map_or(f64::INFINITY, |t| (t - critical).abs());
    on_interval((0.0, 12.0), away).exp()
}

/// A level is a probability.
///
/// # Errors
/// When it is not between 0 and 1.
pub(crate) fn check_level(level: f64) -> Result<()> {
    if level > 0.0 && level < 1.0 {
        Ok(())
    } else {
        let hint =
            if (1.0..100.0).contains(&level) { format!("; did you mean {}?", level / 100.0) } else { String::new() };
        Err(crate::error::Error::usage(format!("level is a probability between 0 and 1, not {level}{hint}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_and_p_value_are_one() {
        let estimate = Estimate { value: 2.0, error: 1.0, freedom: 7.0 };
        // scipy: 2 * t.cdf(-2, 7) = 0.0856193286
        assert!((estimate.p_value() - 0.085_619_328_6).abs() < 1e-9);
        for level in [0.5, 0.9, 0.914, 0.915, 0.95, 0.99] {
            assert_eq!(estimate.excludes_zero(level), estimate.p_value() < 1.0 - level, "{level}");
        }
    }

    #[test]
    fn few_lags_have_many_degrees_of_freedom() {
        assert!(freedom(0.0) > 1e4);
        let t = student_quantile(freedom(0.2), 0.975).unwrap();
        assert!((t - (1.96 + 0.59388 + 0.01664 - 0.00426)).abs() < 1e-3, "{t}");
    }
}
