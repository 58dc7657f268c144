//! How probable is a deviation so many robust standard deviations large in a series without anomalies?
//!
//! **Tails** are Student's, from normal ones to those of little more than one degree of freedom. For each of them the scale of a
//! series is that of maximum likelihood; the largest steps of each series count only as no smaller than the rest (censored), so
//! that an anomaly does not hide itself.
//!
//! **Pooling.** One series of 150 steps cannot say that its tail is thin; twenty that look alike can. So two priors compete for
//! the series of a panel: one tail for all of them, and a distribution of tails estimated by EM (empirical Bayes). Each
//! has the weight that the marginal likelihood of all series gives it (that of EM less what its parameters cost, BIC). Where
//! series differ, as sales with holidays of their own do, each keeps its own heavy tail. Fails where the tail beyond the largest
//! steps is another than that of the rest.

use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};

/// One over the degrees of freedom of the tails.
const TAILS: [f64; COUNT] = [0.0, 0.015, 0.03, 0.045, 0.06, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.33, 0.5, 0.8];
const COUNT: usize = 14;
/// A tail with less than this probability is left out.
const UNLIKELY: f64 = 0.02;
/// Series with normal tails that are assumed besides those of the panel.
const NORMAL: f64 = 0.5;
/// Parameters of the distribution of tails that count.
const PARAMETERS: f64 = 2.0;
/// Bins of a robust standard deviation, and where they end.
const BINS: f64 = 20.0;
const END: usize = 300;
/// Passes of the estimates.
const PASSES: usize = 12;
const EM: usize = 200;

/// The tail of a series: the probabilities of each tail, and the scale with it in robust standard deviations.
pub(super) struct Tail {
    weights: [f64; COUNT],
    scales: [f64; COUNT],
}

/// What a series says of its tail.
struct Said {
    likelihood: [f64; COUNT],
    scales: [f64; COUNT],
}

impl Tail {
    /// How probable a deviation as large is in either direction.
    pub(super) fn beyond(&self, size: f64) -> f64 {
        let each = (0..COUNT).filter(|k| self.weights[*k] > 0.0);
        each.map(|k| self.weights[k] * two_sided(k, size / self.scales[k])).sum::<f64>().clamp(0.0, 1.0 - 1e-12)
    }

    /// The scale in robust standard deviations, and the degrees of freedom.
    pub(super) fn typical(&self) -> (f64, f64) {
        let of = |values: &[f64; COUNT]| self.weights.iter().zip(values).map(|(w, v)| w * v).sum::<f64>();
        (of(&self.scales), (1.0 / of(&TAILS).max(0.01)).max(2.0))
    }
}

/// The tails of series, from the deviations of each in robust standard deviations that are none of its `censored` largest.
pub(super) fn tails(deviations: &[(Vec<f64>, usize)]) -> Vec<Tail> {
    use rayon::prelude::*;
    let said: Vec<Said> = deviations.par_iter().map(|(sizes, censored)| said(sizes, *censored)).collect();
    let likelihoods: Vec<[f64; COUNT]> = said.iter().map(|said| said.likelihood).collect();
    shrunk(&likelihoods).into_iter().zip(said).map(|(weights, said)| Tail { weights, scales: said.scales }).collect()
}

fn two_sided(k: usize, size: f64) -> f64 {
    if TAILS[k] == 0.0 {
        return 2.0 * Normal::standard().cdf(-size);
    }
    StudentsT::new(0.0, 1.0, 1.0 / TAILS[k]).map_or(1.0, |student| 2.0 * student.cdf(-size))
}

fn log_density(k: usize, constant: f64, size: f64) -> f64 {
    let freedom = 1.0 / TAILS[k];
    if TAILS[k] == 0.0 {
        constant - 0.5 * size * size
    } else {
        constant - 0.5 * (freedom + 1.0) * (size * size / freedom).ln_1p()
    }
}

/// Scale and likelihood of each tail: of the censored ones only that they are beyond the others.
fn said(sizes: &[f64], censored: usize) -> Said {
    let mut counts = [0.0; END + 1];
    let (mut most, mut all): (f64, f64) = (0.0, 0.0);
    for size in sizes.iter().map(|size| size.abs()).filter(|size| size.is_finite()) {
        counts[((size * BINS) as usize).min(END)] += 1.0;
        most = most.max(size);
        all += 1.0;
    }
    let middle = |bin: usize| (bin as f64 + 0.5) / BINS;
    let most = most.min(middle(END));
    let censored = if all > 0.0 { censored as f64 } else { 0.0 };
    let filled: Vec<(f64, f64)> =
        (0..=END).filter(|bin| counts[*bin] > 0.0).map(|bin| (middle(bin), counts[bin])).collect();
    let (mut likelihood, mut scales) = ([0.0; COUNT], [1.0; COUNT]);
    for k in 0..COUNT {
        let freedom = 1.0 / TAILS[k];
        let mut square: f64 = 1.0;
        for _ in 0..PASSES {
            let weight = |size: f64| {
                let ratio = size * size / square;
                ratio * if TAILS[k] == 0.0 { 1.0 } else { (freedom + 1.0) / (freedom + ratio) }
            };
            let sum: f64 = filled.iter().map(|(size, count)| count * weight(*size)).sum();
            let next = square * (sum + censored * weight(most)) / (all + censored).max(1.0);
            let settled = (next / square - 1.0).abs() < 1e-4;
            square = next.max(1e-6);
            if settled {
                break;
            }
        }
        let scale = square.sqrt();
        scales[k] = scale;
        let constant = if TAILS[k] == 0.0 {
            Normal::standard().ln_pdf(0.0)
        } else {
            StudentsT::new(0.0, 1.0, freedom).map_or(0.0, |student| student.ln_pdf(0.0))
        };
        let seen: f64 = filled.iter().map(|(size, count)| count * log_density(k, constant, size / scale)).sum();
        likelihood[k] = seen - all * scale.ln() + censored * two_sided(k, most / scale).max(1e-300).ln();
    }
    Said { likelihood, scales }
}

fn posterior(prior: &[f64; COUNT], likelihood: &[f64; COUNT]) -> ([f64; COUNT], f64) {
    let most = likelihood.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut weights: [f64; COUNT] = std::array::from_fn(|k| prior[k] * (likelihood[k] - most).exp());
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|w| *w /= sum.max(1e-300));
    (weights, most + sum.max(1e-300).ln())
}

/// The probabilities of the tails for each series, given all series.
fn shrunk(likelihoods: &[[f64; COUNT]]) -> Vec<[f64; COUNT]> {
    let flat = [1.0 / COUNT as f64; COUNT];
    let mut prior = flat;
    for _ in 0..EM {
        // Without evidence to the contrary tails are those of the normal distribution.
        let mut next = [0.0; COUNT];
        next[0] = NORMAL;
        for likelihood in likelihoods {
            next.iter_mut().zip(posterior(&prior, likelihood).0).for_each(|(a, b)| *a += b);
        }
        let sum: f64 = next.iter().sum();
        prior = next.map(|w| w / sum.max(1e-300));
    }
    let each: f64 = likelihoods.iter().map(|likelihood| posterior(&prior, likelihood).1).sum();
    let each = each - 0.5 * PARAMETERS * (likelihoods.len().max(1) as f64).ln();
    let mut sums = [0.0; COUNT];
    likelihoods.iter().for_each(|likelihood| sums.iter_mut().zip(likelihood).for_each(|(a, b)| *a += b));
    let (same, together) = posterior(&flat, &sums);
    let alike = 1.0 / (1.0 + (each - together).clamp(-50.0, 50.0).exp());
    likelihoods
        .iter()
        .map(|likelihood| {
            let own = posterior(&prior, likelihood).0;
            let mut weights: [f64; COUNT] = std::array::from_fn(|k| alike * same[k] + (1.0 - alike) * own[k]);
            // What the data make unlikely is left out.
            weights.iter_mut().filter(|w| **w < UNLIKELY).for_each(|w| *w = 0.0);
            let sum: f64 = weights.iter().sum();
            weights.map(|w| w / sum.max(1e-300))
        })
        .collect()
}
