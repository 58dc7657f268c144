//! The negative binomial distribution, Poisson's included, exact at any mean: probabilities, distribution function, quantiles.
//!
//! With mean m and variance v > m there are r = m²/(v − m) successes of probability p = m/v, and P(X ≤ k) = Iₚ(r, k + 1), the
//! regularised incomplete beta function; with v = m it is Poisson's, and P(X ≤ k) = Q(k + 1, m). Densities are computed as
//! deviations from their greatest value (Loader 2000, *Fast and Accurate Computation of Binomial Probabilities*), so that
//! nothing cancels at a mean of 10¹²; the function itself as a sum of positive terms where there are few, and elsewhere by
//! Gauss–Legendre quadrature of the density from k to where nothing is left. A quantile is bracketed and found by Newton's
//! method, so that it costs a few values of the function whatever the mean.

use std::f64::consts::{LN_10, PI, TAU};
use std::sync::LazyLock;

use statrs::function::gamma::ln_gamma;

/// Counts, and successes, up to which terms are summed one by one.
const SUMMED: f64 = 1000.0;
/// Beyond this mean counts are calculated in larger units: a count is then a millionth of a millionth of it.
const LARGEST: f64 = 1e12;
/// Nodes of the quadrature, and how many standard deviations of the density it spans.
const NODES: usize = 48;
const SPAN: f64 = 12.0;

/// A distribution over 0, 1, 2, …
#[derive(Clone, Copy, Debug)]
pub(crate) struct NegativeBinomial {
    mean: f64,
    variance: f64,
    /// None for Poisson's distribution.
    successes: Option<Successes>,
    /// What a count is calculated in.
    unit: f64,
}

/// How many successes end the count of failures, and the probability of either.
#[derive(Clone, Copy, Debug)]
struct Successes {
    r: f64,
    success: f64,
    failure: f64,
}

impl NegativeBinomial {
    /// With this mean and standard deviation; Poisson's where the variance would be no larger than the mean.
    pub fn new(mean: f64, sd: f64) -> Self {
        let unit = if mean > LARGEST { mean / LARGEST } else { 1.0 };
        let (mean, sd) = (mean.max(0.0) / unit, sd / unit);
        let variance = (sd * sd).max(mean);
        let successes = (variance > mean * (1.0 + 1e-9)).then(|| Successes {
            r: mean * (mean / (variance - mean)),
            success: mean / variance,
            failure: (variance - mean) / variance,
        });
        // Of a variance beyond the range of numbers nothing is left but zero.
        let mean = if successes.is_none_or(|s| s.r > 0.0) { mean } else { 0.0 };
        Self { mean, variance, successes, unit }
    }

    /// The logarithm of the probability of `y`.
    pub fn log_probability(&self, y: f64) -> f64 {
        if self.mean <= 0.0 {
            return if y == 0.0 { 0.0 } else { f64::NEG_INFINITY };
        }
        let y = y / self.unit;
        match self.successes {
            Some(Successes { r, success, failure }) => {
                log_beta_density(r, y + 1.0, success, failure) - failure.ln() - (r + y).ln()
            }
            None => log_gamma_density(y + 1.0, self.mean) - self.mean.ln(),
        }
    }

    /// The probability of at most `y`.
    pub fn cdf(&self, y: f64) -> f64 {
        match () {
            () if y < 0.0 => 0.0,
            () if self.mean <= 0.0 => 1.0,
            () => self.cdf_in_units((y / self.unit).floor()),
        }
    }

    fn cdf_in_units(&self, k: f64) -> f64 {
        let sum = match self.successes {
            _ if k < SUMMED => self.walk().take(k as usize + 1).sum(),
            Some(Successes { r, success, failure }) if r <= SUMMED => match (k - self.mean) * success {
                // So far above, less is left than rounding.
                beyond if beyond > 100.0 + 20.0 * r.sqrt() => 1.0,
                beyond if beyond > 0.0 && success > 0.01 => 1.0 - self.above(k),
                _ => beta_series(r, k + 1.0, success, failure),
            },
            Some(Successes { r, success, failure }) => beta_quadrature(r, k + 1.0, success, failure),
            None => gamma_quadrature(k + 1.0, self.mean),
        };
        sum.clamp(0.0, 1.0)
    }

    /// The ratio of the probabilities of one count and the next.
    fn ratio(&self, count: f64) -> f64 {
        match self.successes {
            Some(Successes { r, failure, .. }) => (count + r) / (count + 1.0) * failure,
            None => self.mean / (count + 1.0),
        }
    }

    /// The probabilities of 0, 1, 2, …
    fn walk(&self) -> impl Iterator<Item = f64> {
        let first = match self.successes {
            Some(Successes { r, success, .. }) => r * success.ln(),
            None => -self.mean,
        };
        // Far below the mean they are too small for a number; their logarithms are not.
        let (mut term, mut log) = (first.exp(), Some(first));
        (0_u32..).map(move |count| {
            let (now, ratio) = (term, self.ratio(f64::from(count)));
            log = log.filter(|_| now < 1e-290).map(|log| log + ratio.ln());
            term = log.map_or(now * ratio, f64::exp);
            now
        })
    }

    /// The probability of more than `k`, which is above the mean.
    fn above(&self, k: f64) -> f64 {
        let mut count = k + 1.0;
        let mut term = self.log_probability(count * self.unit).exp();
        let mut sum = 0.0;
        while term > f64::EPSILON * 1e-3 * sum {
            sum += term;
            term *= self.ratio(count);
            count += 1.0;
        }
        sum
    }

    /// The quantiles of these probabilities, which ascend.
    pub fn quantiles(&self, probabilities: &[f64]) -> Vec<f64> {
        if self.mean <= 0.0 {
            return vec![0.0; probabilities.len()];
        }
        let mut walk = self.walk();
        let (mut count, mut sum) = (0.0, walk.next().unwrap_or(1.0));
        let quantile = |p: &f64| {
            // A probability that is reached but for rounding is reached.
            let p = (p * (1.0 - 1e-12)).min(1.0 - 1e-12);
            while sum < p && count < SUMMED - 1.0 {
                sum += walk.next().unwrap_or(0.0);
                count += 1.0;
            }
            if sum < p {
                count = self.search(p, count);
            }
            self.unit * count
        };
        probabilities.iter().map(quantile).collect()
    }

    /// The `p` quantile, known to be above `least`.
    fn search(&self, p: f64, least: f64) -> f64 {
        let sd = self.variance.sqrt();
        let skewness = (2.0 * self.variance / self.mean - 1.0) / sd;
        let (mut low, mut high) = (least, f64::INFINITY);
        // Wilson and Hilferty's cube of a normal number, for gamma distributions, which these nearly are.
        let z = standard_normal(p);
        let root = (1.0 + skewness * z / 6.0 - skewness * skewness / 36.0).max(0.0);
        let mut guess = self.mean + sd * (2.0 / skewness) * (root.powi(3) - 1.0);
        // Beyond 2⁵³ counts are as far apart as numbers are.
        while high - low > 1.0 && (high.is_infinite() || high - low > 1e-12 * high) {
            let count = match high.is_finite() {
                true if guess > low && guess < high => guess.round().clamp(low + 1.0, high - 1.0),
                true => (low + (high - low) / 2.0).floor(),
                false => guess.min(2.0 * low + self.mean + 4.0 * sd).max(low + 1.0).round(),
            };
            let missing = p - self.cdf_in_units(count);
            let density = self.log_probability(count * self.unit).exp();
            // Half a count beyond where it is expected, so that it is enclosed.
            guess = count + missing / density;
            match missing > 0.0 {
                true => (low, guess) = (count, guess + 0.5),
                false => (high, guess) = (count, guess - 0.5),
            }
        }
        high
    }
}

/// The regularised incomplete beta function at x = 1 − y by a series of positive terms, (a + bx) or so of them.
fn beta_series(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let (mut sum, mut term, mut n, mut log) = (1.0, 1.0, 0.0, 0.0);
    while term > f64::EPSILON * 1e-3 * sum {
        term *= (a + b + n) / (a + 1.0 + n) * x;
        sum += term;
        n += 1.0;
        if sum > 1e200 {
            (sum, term, log) = (sum * 1e-200, term * 1e-200, log + 200.0 * LN_10);
        }
    }
    (log_beta_density(a, b, x, y) - a.ln() + log + f64::ln(sum)).exp()
}

/// The regularised incomplete beta function of large `a` and `b` at x = 1 − y.
fn beta_quadrature(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x > y {
        return 1.0 - beta_quadrature(b, a, y, x);
    }
    let mean = a / (a + b);
    let sd = (mean * (b / (a + b)) / (a + b)).sqrt();
    let density = |t: f64| log_beta_density(a, b, t, 1.0 - t).exp() / (t * (1.0 - t));
    match x > mean {
        true => 1.0 - integral(density, x, (mean + SPAN * sd).max(x + SPAN / 2.0 * sd).min(1.0)),
        false => integral(density, (mean - SPAN * sd).min(x - SPAN / 2.0 * sd).max(0.0), x),
    }
}

/// The regularised upper incomplete gamma function of a large `a`.
fn gamma_quadrature(a: f64, x: f64) -> f64 {
    let sd = a.sqrt();
    let density = |t: f64| log_gamma_density(a, t).exp() / t;
    match x > a {
        true => integral(density, x, (a + SPAN * sd).max(x + SPAN / 2.0 * sd)),
        false => 1.0 - integral(density, (a - SPAN * sd).min(x - SPAN / 2.0 * sd).max(0.0), x),
    }
}

/// The logarithm of xᵃ yᵇ / B(a, b), y being 1 − x: the density of the beta distribution times xy.
fn log_beta_density(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let n = a + b;
    let away = x - a / n;
    let scale = 0.5 * (a / n * b / TAU).ln() + beyond_stirling(n) - beyond_stirling(a) - beyond_stirling(b);
    // Both deviations from y's side where that is the smaller one.
    let (of_a, of_b) = (away * n / a, if x > y { (y - b / n) * n / b } else { -away * n / b });
    scale + a * log_beyond(of_a) + b * log_beyond(of_b)
}

/// The logarithm of xᵃ e⁻ˣ / Γ(a): the density of the gamma distribution times x.
fn log_gamma_density(a: f64, x: f64) -> f64 {
    0.5 * (a / TAU).ln() - beyond_stirling(a) + a * log_beyond((x - a) / a)
}

/// The logarithm of 1 + x, less x.
fn log_beyond(x: f64) -> f64 {
    match x.abs() < 0.02 {
        true => x * (2..12).rev().fold(0.0, |sum, k| x * (sum - (-1.0_f64).powi(k) / f64::from(k))),
        false => x.ln_1p() - x,
    }
}

/// What the logarithm of the gamma function has beyond Stirling's formula.
fn beyond_stirling(z: f64) -> f64 {
    match z < 15.0 {
        true => ln_gamma(z) - ((z - 0.5) * z.ln() - z + 0.5 * TAU.ln()),
        false => {
            let square = 1.0 / (z * z);
            (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0))) / z
        }
    }
}

/// By the rule of Gauss and Legendre.
fn integral(density: impl Fn(f64) -> f64, from: f64, to: f64) -> f64 {
    static RULE: LazyLock<[(f64, f64); NODES]> = LazyLock::new(|| std::array::from_fn(node));
    let (middle, half) = ((from + to) / 2.0, (to - from) / 2.0);
    RULE.iter().map(|(at, weight)| weight * half * density(middle + half * at)).sum()
}

/// A root of the Legendre polynomial, by Newton's method, and its weight.
fn node(k: usize) -> (f64, f64) {
    let mut x = (PI * (k as f64 + 0.75) / (NODES as f64 + 0.5)).cos();
    let mut slope = 1.0;
    for _ in 0..8 {
        let (mut last, mut value) = (1.0, x);
        for n in 2..=NODES {
            let n = n as f64;
            (last, value) = (value, ((2.0 * n - 1.0) * x * value - (n - 1.0) * last) / n);
        }
        slope = NODES as f64 * (x * value - last) / (x * x - 1.0);
        x -= value / slope;
    }
    (x, 2.0 / ((1.0 - x * x) * slope * slope))
}

fn standard_normal(probability: f64) -> f64 {
    use statrs::distribution::{ContinuousCDF, Normal};
    Normal::standard().inverse_cdf(probability)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R: qnbinom(c(.1,.5,.9,.99), size = 2, mu = 3) and qpois(c(.1,.5,.9,.99), 3).
    #[test]
    fn small_counts_are_those_of_r() {
        let probabilities = [0.1, 0.5, 0.9, 0.99];
        assert_eq!(NegativeBinomial::new(3.0, 7.5_f64.sqrt()).quantiles(&probabilities), [0.0, 2.0, 7.0, 12.0]);
        assert_eq!(NegativeBinomial::new(3.0, 3.0_f64.sqrt()).quantiles(&probabilities), [1.0, 3.0, 5.0, 8.0]);
    }

    /// tests/oracles/counts.py: scipy's quantiles, and its distribution function at counts in the middle and in the tails.
    #[test]
    fn at_any_mean_they_are_those_of_scipy() {
        let text = include_str!("../../tests/oracles/counts.csv");
        let mut compared = 0;
        for row in text.lines().filter(|line| !line.starts_with('#')).skip(1) {
            let cells: Vec<&str> = row.split(',').collect();
            let number = |k: usize| cells[k].parse::<f64>().unwrap();
            let distribution = NegativeBinomial::new(number(1), number(2).sqrt());
            match cells[0] {
                "quantile" => assert_eq!(distribution.quantiles(&[number(3)]), [number(4)], "{row}"),
                _ => assert!((distribution.cdf(number(3)) - number(4)).abs() < 1e-9, "{row}"),
            }
            compared += 1;
        }
        assert!(compared > 1_500, "{compared}");
    }

    #[test]
    fn probabilities_sum_to_the_distribution_function() {
        for (mean, variance) in [(0.4, 0.4), (3.0, 30.0), (700.0, 700.0), (900.0, 1800.0), (1200.0, 1e6)] {
            let distribution = NegativeBinomial::new(mean, f64::sqrt(variance));
            let mut sum = 0.0;
            for count in 0..3_000 {
                sum += distribution.log_probability(f64::from(count)).exp();
                let cdf = distribution.cdf(f64::from(count));
                assert!((cdf - sum).abs() < 1e-11, "{mean} {variance} {count}: {cdf} {sum}");
            }
        }
    }

    #[test]
    fn what_is_extreme_has_an_answer() {
        let probabilities: Vec<f64> = (0..=1000).map(|k| f64::from(k) / 1000.0).collect();
        for mean in [0.0, 1e-300, 1e-9, 1.0, 1e3, 1e9, 1e13, 1e200] {
            for relative in [0.0, 1e-9, 1e-3, 1.0, 30.0, 1e6] {
                let distribution = NegativeBinomial::new(mean, mean * relative);
                let quantiles = distribution.quantiles(&probabilities);
                assert!(quantiles.windows(2).all(|pair| pair[0] <= pair[1]), "{mean} {relative}");
                assert!(quantiles.iter().all(|q| q.is_finite()), "{mean} {relative}");
                assert!(
                    [0.0, 5.0, 1e6, 1e300].iter().all(|y| (0.0..=1.0).contains(&distribution.cdf(*y))),
                    "{mean} {relative}"
                );
            }
        }
    }
}
