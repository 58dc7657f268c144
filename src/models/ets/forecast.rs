//! What lies ahead: means, exact variances where there are formulas, simulated paths where there are none.
//!
//! With innovations of variance σ², and c_j the part of an innovation that is left in the forecast j steps later
//! (Hyndman, Koehler, Ord & Snyder 2008, ch. 6):
//!
//! - additive models (class 1): σ²(1 + Σ c_j²);
//! - relative errors, additive trend and season (class 2): (1 + σ²)θ_h − μ_h² with θ_h = μ_h² + σ² Σ c_j² θ_{h−j};
//! - relative errors and multiplicative season (class 3): the season of a place is multiplied by 1 + γε when it comes
//!   round, and level and growth x change to (F + Gε)x, so that first and second moments of their product follow from
//!   recursions in the moments of ε, for each step ahead its own.

use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::FittedEts;
use super::filter::{self, Parameters, States};
use super::form::Kind;
use crate::models::{Ahead, Quantiles};

/// Simulated paths, in pairs of opposite sign.
const PATHS: usize = 5_000;
const SEED: u64 = 0;

impl FittedEts {
    /// The mean of each step in units of `scale`.
    pub(super) fn point_forecasts(&self, ahead: &Ahead) -> Vec<f64> {
        if self.has_product_moments() {
            return ahead.steps().map(|h| self.product_moments(h).0).collect();
        }
        let mut states = self.last.clone();
        let path =
            (0..ahead.lead + ahead.horizon).map(|_| filter::advance(self.form, self.parameters, &mut states, 0.0));
        path.skip(ahead.lead).collect()
    }

    /// The standard deviation of each step in units of `scale`.
    pub(super) fn deviations(&self, ahead: &Ahead) -> Vec<f64> {
        if self.has_product_moments() {
            return ahead.steps().map(|h| self.product_moments(h).1.max(0.0).sqrt()).collect();
        }
        if !self.has_formula() {
            return self.simulated_deviations(ahead);
        }
        let most = ahead.lead + ahead.horizon;
        let left = self.left_over(most);
        if !self.form.relative {
            let mut sum = 1.0;
            let variances = (0..most).map(|h| {
                if h > 0 {
                    sum += left[h - 1] * left[h - 1];
                }
                (self.variance * sum).sqrt()
            });
            return variances.skip(ahead.lead).collect();
        }
        let mean = self.point_forecasts(&Ahead { lead: 0, horizon: most, covariates: Vec::new() });
        let mut theta = Vec::with_capacity(most);
        for (h, mean) in mean.iter().enumerate() {
            let past: f64 = (0..h).map(|j| left[j] * left[j] * theta[h - 1 - j]).sum();
            theta.push(mean * mean + self.variance * past);
        }
        let variance = |(theta, mean): (&f64, &f64)| ((1.0 + self.variance) * theta - mean * mean).max(0.0).sqrt();
        theta.iter().zip(&mean).skip(ahead.lead).map(variance).collect()
    }

    /// Quantiles of simulated paths for models that have no formula.
    pub(super) fn simulated_quantiles(&self, ahead: &Ahead) -> Option<Quantiles> {
        if self.has_formula() {
            return None;
        }
        Some(Quantiles::of(&mut self.samples(ahead), &self.point_forecasts(ahead), &self.simulated_deviations(ahead)))
    }

    /// Writes to `path` what innovations in the units of the residuals lead to.
    pub(super) fn walk(&self, ahead: &Ahead, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        let unit = if self.form.relative { 1.0 } else { self.scale };
        let mut states = self.last.clone();
        for (step, shock) in shocks.iter().enumerate() {
            let value = self.advance(&mut states, shock / unit) * self.scale;
            if let Some(at) = step.checked_sub(ahead.lead) {
                path[at] = if value.is_finite() { value } else { mean[at] };
            }
        }
    }

    /// One step; a relative error takes a value to zero at the most, not beyond.
    fn advance(&self, states: &mut States, innovation: f64) -> f64 {
        let innovation = if self.form.relative { innovation.max(-1.0) } else { innovation };
        filter::advance(self.form, self.parameters, states, innovation)
    }

    /// Are means and variances those of a product of level and season?
    fn has_product_moments(&self) -> bool {
        self.form.relative && self.form.seasonal == Kind::Multiplicative && self.form.trend != Kind::Multiplicative
    }

    fn has_formula(&self) -> bool {
        let additive = self.form.trend != Kind::Multiplicative && self.form.seasonal != Kind::Multiplicative;
        additive || self.has_product_moments()
    }

    /// What is left of an innovation 1 to `most` steps later.
    fn left_over(&self, most: usize) -> Vec<f64> {
        let Parameters { alpha, beta, gamma, phi } = self.parameters;
        let season = self.last.season.len();
        let (mut damping, mut level) = (1.0, alpha);
        let left = |j: usize| {
            damping *= phi;
            level += beta * damping;
            level + if season > 0 && j.is_multiple_of(season) { gamma } else { 0.0 }
        };
        (1..=most).map(left).collect()
    }

    /// Mean and variance `h` steps ahead of a model with relative errors and a multiplicative season.
    fn product_moments(&self, h: usize) -> (f64, f64) {
        let Parameters { alpha, beta, gamma, phi } = self.parameters;
        let sigma2 = self.variance;
        let season = self.last.season.len();
        // Moments of level and growth times what has become of the season: E x·z and E xxᵀ·z², z = 1 to begin with.
        let (mut level, mut growth) = (self.last.level, self.last.growth);
        let (mut ll, mut lb, mut bb) = (level * level, level * growth, growth * growth);
        for step in 1..h {
            // F x, and the sum that an innovation multiplies: x changes by (α, β) · sum · ε.
            let (sum, carried) = (level + phi * growth, phi * growth);
            let (f_ll, f_lb, f_bb) = (ll + 2.0 * phi * lb + phi * phi * bb, phi * (lb + phi * bb), phi * phi * bb);
            let turns = (h - step).is_multiple_of(season);
            let gamma = if turns { gamma } else { 0.0 };
            (level, growth) = (sum + alpha * gamma * sigma2 * sum, carried + beta * gamma * sigma2 * sum);
            // E (F + Gε) xxᵀ (F + Gε)ᵀ (1 + γε)², with E ε⁴ = 3σ⁴; G x = (α, β) · sum.
            let plain = 1.0 + gamma * gamma * sigma2;
            let cross = 2.0 * gamma * sigma2;
            let square = sigma2 + 3.0 * gamma * gamma * sigma2 * sigma2;
            ll = plain * f_ll + cross * 2.0 * alpha * f_ll + square * alpha * alpha * f_ll;
            bb = plain * f_bb + cross * 2.0 * beta * f_lb + square * beta * beta * f_ll;
            lb = plain * f_lb + cross * (alpha * f_lb + beta * f_ll) + square * alpha * beta * f_ll;
        }
        let place = (self.last.place + h - 1) % season.max(1);
        let figure = self.last.season.get(place).copied().unwrap_or(1.0);
        let mean = figure * (level + phi * growth);
        let second = figure * figure * (ll + 2.0 * phi * lb + phi * phi * bb);
        (mean, (1.0 + sigma2) * second - mean * mean)
    }

    /// Simulated values of each step in units of `scale`, always the same.
    fn samples(&self, ahead: &Ahead) -> Vec<Vec<f64>> {
        let most = ahead.lead + ahead.horizon;
        let mut normal = Normal { random: ChaCha8Rng::seed_from_u64(SEED), spare: None };
        let sigma = self.variance.sqrt();
        let mut samples = vec![Vec::with_capacity(PATHS); ahead.horizon];
        let mut shocks = vec![0.0; most];
        let mut states = self.last.clone();
        for path in 0..PATHS {
            if path % 2 == 0 {
                shocks.fill_with(|| sigma * normal.draw());
            } else {
                shocks.iter_mut().for_each(|v| *v = -*v);
            }
            states.copy(&self.last);
            for (step, shock) in shocks.iter().enumerate() {
                let value = self.advance(&mut states, *shock);
                if let Some(at) = step.checked_sub(ahead.lead).filter(|_| value.is_finite()) {
                    samples[at].push(value);
                }
            }
        }
        samples
    }

    /// The half-width of the central 95 % of simulated values as one of a normal distribution: their variance is ruled
    /// by a few paths, or infinite.
    fn simulated_deviations(&self, ahead: &Ahead) -> Vec<f64> {
        let width = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            let at = |share: f64| values.get((share * values.len() as f64) as usize).copied();
            at(0.975).zip(at(0.025)).map_or(0.0, |(high, low)| (high - low) / (2.0 * 1.959_963_984_540_054))
        };
        self.samples(ahead).into_iter().map(width).collect()
    }
}

/// Standard normal deviates by the polar method of Marsaglia.
struct Normal {
    random: ChaCha8Rng,
    spare: Option<f64>,
}

impl Normal {
    fn draw(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let mut uniform = || (self.random.next_u64() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0;
            let (a, b) = (uniform(), uniform());
            let square = a * a + b * b;
            if square > 0.0 && square < 1.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.spare = Some(b * factor);
                return a * factor;
            }
        }
    }
}
