//! What does it tell that demand was at least so much? The slope and the curvature of log P(D ≥ s) in the logarithm of
//! the mean, and mean, variance and quantiles of what demand then was.
//!
//! With h = d log P(D ≥ s) / d log μ, everything else follows. Counts, negative binomial with variance μ + aμ²: h =
//! s·P(D = s) / P(D ≥ s), E[D | D ≥ s] = μ + h(1 + aμ). Gamma demand of shape k = 1/a: with x = ks/μ, h = xᵏe⁻ˣ/Γ(k, x)
//! and E[D | D ≥ s] = μ(1 + h/k). Far in a tail nothing is divided by a probability that has vanished: counts sum the
//! ratios of their terms, gamma demand takes the continued fraction of the incomplete gamma function (Abramowitz &
//! Stegun 6.5.31).

use statrs::function::gamma::{gamma_lr, gamma_ur, ln_gamma};

use super::super::negative_binomial::NegativeBinomial;

/// Terms of a tail that are summed.
const TERMS: usize = 5_000;
/// Up to this mean the terms of a tail are summed; beyond it the distribution function is exact enough.
const SUMMED: f64 = 300.0;
/// Below this probability of a tail its terms are summed whatever the mean.
const TAIL: f64 = 1e-6;

/// Demand of which is known that it was at least so much.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beyond {
    /// d log P(D ≥ s) / d log μ.
    pub slope: f64,
    /// Minus the second derivative.
    pub information: f64,
    /// Of the demand, given that it was at least so much.
    pub mean: f64,
    pub variance: f64,
}

/// Demand of this mean and dispersion `a`, variance μ + aμ² for counts and aμ² for others, that was at least `sold` >
/// 0.
pub(super) fn beyond(mean: f64, a: f64, sold: f64, counts: bool) -> Beyond {
    let (mean, a) = (mean.max(1e-12), a.max(1e-9));
    if counts {
        let h = counted(mean, a, sold);
        let spread = 1.0 + a * mean;
        let steeper = mean + h * (sold - mean) - h * h * spread + h * a * mean;
        return Beyond {
            slope: h,
            information: (h * h - h * (sold - mean) / spread).max(0.0),
            mean: (mean + h * spread).max(sold),
            variance: (spread * steeper).max(0.0),
        };
    }
    let (k, scale) = (1.0 / a, mean * a);
    let x = sold / scale;
    let h = measured(k, x);
    let second = (k + 1.0) * (k + h) + x * h - (k + h) * (k + h);
    Beyond {
        slope: h,
        information: (h * (h - (x - k))).max(0.0),
        mean: (scale * (k + h)).max(sold),
        variance: (scale * scale * second).max(0.0),
    }
}

/// s·P(D = s) / P(D ≥ s) of counts.
fn counted(mean: f64, a: f64, sold: f64) -> f64 {
    let s = sold.round().max(1.0);
    let (r, x) = (1.0 / a, a * mean / (1.0 + a * mean));
    if mean > SUMMED {
        let counts = NegativeBinomial::new(mean, (mean + a * mean * mean).sqrt());
        let tail = 1.0 - counts.cdf(s - 1.0);
        if tail > TAIL {
            return s * counts.log_probability(s).exp() / tail;
        }
    }
    let (mut sum, mut term) = (1.0_f64, 1.0_f64);
    for j in 0..TERMS {
        let k = s + j as f64;
        term *= (k + r) / (k + 1.0) * x;
        sum += term;
        if term < 1e-14 * sum || !sum.is_finite() {
            break;
        }
    }
    s / sum
}

/// xᵏe⁻ˣ/Γ(k, x).
fn measured(k: f64, x: f64) -> f64 {
    if x < k + 1.0 {
        let tail = gamma_ur(k, x.max(1e-300)).max(1e-300);
        return (k * x.max(1e-300).ln() - x - ln_gamma(k)).exp() / tail;
    }
    // Lentz's method for the continued fraction of Γ(k, x) eˣ x⁻ᵏ.
    let tiny = 1e-300;
    let mut b = x + 1.0 - k;
    let mut c = 1.0 / tiny;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for i in 1..TERMS {
        let n = i as f64;
        let term = -n * (n - k);
        b += 2.0;
        let guarded = |v: f64| if v.abs() < tiny { tiny } else { v };
        d = 1.0 / guarded(term * d + b);
        c = guarded(b + term / c);
        let step = c * d;
        fraction *= step;
        if (step - 1.0).abs() < 1e-14 {
            break;
        }
    }
    1.0 / fraction
}

/// The `p` quantile of a gamma distribution with this mean and variance; of counts, the negative binomial's.
pub(super) fn quantile(p: f64, mean: f64, variance: f64, counts: bool) -> f64 {
    if mean.is_nan() || mean <= 0.0 {
        return 0.0;
    }
    if counts {
        return NegativeBinomial::new(mean, variance.sqrt()).quantiles(&[p])[0];
    }
    let shape = mean * (mean / variance.max(1e-12 * mean * mean));
    mean / shape * gamma_quantile(p, shape)
}

/// The quantile of demand of which is known that it was at least `sold`.
pub(super) fn quantile_beyond(p: f64, mean: f64, a: f64, sold: f64, counts: bool) -> f64 {
    let (mean, a) = (mean.max(1e-12), a.max(1e-9));
    let below = if counts {
        NegativeBinomial::new(mean, (mean + a * mean * mean).sqrt()).cdf(sold - 1.0)
    } else {
        gamma_lr(1.0 / a, (sold / (mean * a)).max(1e-300))
    };
    let left = 1.0 - below;
    if left < TAIL {
        // So far out what is left is nearly exponential.
        let beyond = beyond(mean, a, sold, counts).mean - sold;
        let more = -beyond * (1.0 - p).ln();
        return sold + if counts { more.ceil() } else { more };
    }
    let variance = if counts { mean + a * mean * mean } else { a * mean * mean };
    quantile(below + left * p, mean, variance, counts).max(sold)
}

/// By Wilson and Hilferty's cube of a normal number, then Newton's method within brackets.
fn gamma_quantile(p: f64, shape: f64) -> f64 {
    use statrs::distribution::{ContinuousCDF, Normal};
    if shape > 1e8 {
        return (shape + shape.sqrt() * Normal::standard().inverse_cdf(p)).max(0.0);
    }
    let z = Normal::standard().inverse_cdf(p);
    let root = 1.0 - 1.0 / (9.0 * shape) + z / (3.0 * shape.sqrt());
    let small = ((p.ln() + ln_gamma(shape + 1.0)) / shape).exp();
    let mut x = if root > 0.3 { shape * root.powi(3) } else { small };
    let (mut low, mut high) = (0.0, f64::INFINITY);
    for _ in 0..100 {
        x = x.max(1e-300);
        let missing = p - gamma_lr(shape, x);
        if missing > 0.0 {
            low = x
        } else {
            high = x
        }
        let density = ((shape - 1.0) * x.ln() - x - ln_gamma(shape)).exp();
        let mut next = x + missing / density;
        if !(next > low && next < high) {
            next = if high.is_finite() { (low + high) / 2.0 } else { 2.0 * x + 1.0 };
        }
        if (next - x).abs() <= 1e-12 * x {
            return next;
        }
        x = next;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    /// tests/oracles/stockouts.py: sums of scipy's probabilities, and scipy's incomplete gamma functions.
    #[test]
    fn what_is_beyond_is_that_of_scipy() {
        let text = include_str!("../../../tests/oracles/stockouts.csv");
        let mut compared = 0;
        for row in text.lines().filter(|line| line.starts_with("beyond,")) {
            let cells: Vec<&str> = row.split(',').collect();
            let number = |k: usize| cells[k].parse::<f64>().unwrap();
            let (mean, a, sold, counts) = (number(2), number(3), number(4), cells[1] == "counts");
            let found = beyond(mean, a, sold, counts);
            let high = quantile_beyond(0.95, mean, a, sold, counts);
            for (found, expected) in
                [(found.slope, number(5)), (found.mean, number(6)), (found.variance, number(7)), (high, number(8))]
            {
                assert!((found - expected).abs() <= 1e-6 * expected.abs().max(1e-3), "{row}: {found}");
            }
            compared += 1;
        }
        assert!(compared > 40, "{compared}");
    }

    #[test]
    fn what_is_extreme_has_an_answer() {
        for counts in [true, false] {
            for mean in [1e-9, 0.01, 1.0, 1e3, 1e7] {
                for a in [1e-6, 0.01, 0.5, 20.0] {
                    for sold in [1.0, 5.0, 1e3, 1e7] {
                        let found = beyond(mean, a, sold, counts);
                        assert!(found.mean >= sold && found.mean.is_finite(), "{mean} {a} {sold} {found:?}");
                        assert!(found.slope > 0.0 || found.mean > 0.0);
                        let high = quantile_beyond(0.95, mean, a, sold, counts);
                        assert!(high >= sold && high.is_finite(), "{mean} {a} {sold} {high}");
                    }
                }
            }
        }
    }
}
