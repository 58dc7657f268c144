//! Lag polynomials: from partial autocorrelations, by which they are searched, to the coefficients that filters need.
//!
//! φ(B)Φ(Bᵐ) wₜ = θ(B)Θ(Bᵐ) εₜ with φ(B) = 1 − Σ φⱼBʲ and θ(B) = 1 + Σ θⱼBʲ. Each of the four factors is given by its
//! partial autocorrelations, each between −1 and 1: the Durbin–Levinson recursion turns them into coefficients whose roots
//! lie outside the unit circle, and every such factor is reached (Barndorff-Nielsen & Schou 1973; Monahan 1984).

use serde::{Deserialize, Serialize};

/// How many coefficients each factor has, and how far apart the seasonal ones are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Orders {
    /// Autoregressive terms.
    pub p: usize,
    /// Differences.
    pub d: usize,
    /// Moving-average terms.
    pub q: usize,
    /// Seasonal autoregressive terms.
    pub seasonal_p: usize,
    /// Seasonal differences.
    pub seasonal_d: usize,
    /// Seasonal moving-average terms.
    pub seasonal_q: usize,
    /// Steps in a season.
    pub season: usize,
}

impl Orders {
    /// Coefficients of the four factors.
    pub fn coefficients(&self) -> usize {
        self.p + self.q + self.seasonal_p + self.seasonal_q
    }

    /// Coefficients of each factor in the order in which they are kept: φ, θ, Φ, Θ.
    pub fn factors(&self) -> [usize; 4] {
        [self.p, self.q, self.seasonal_p, self.seasonal_q]
    }

    /// Differences of either kind.
    pub fn differences(&self) -> usize {
        self.d + self.seasonal_d
    }

    /// Values that differencing uses up.
    pub fn lost(&self) -> usize {
        self.d + self.season * self.seasonal_d
    }

    /// The name the field gives to the model.
    pub fn form(&self) -> String {
        let Self { p, d, q, seasonal_p, seasonal_d, seasonal_q, season } = self;
        match self.seasonal_p + self.seasonal_d + self.seasonal_q {
            0 => format!("ARIMA({p},{d},{q})"),
            _ => format!("ARIMA({p},{d},{q})({seasonal_p},{seasonal_d},{seasonal_q})[{season}]"),
        }
    }

    /// The weights δ of wₜ = yₜ − Σ δⱼ yₜ₋ⱼ, the differenced series.
    pub fn differencing(&self) -> Vec<f64> {
        let mut product = vec![1.0];
        let mut times = |lag: usize| {
            let mut next = product.clone();
            next.resize(product.len() + lag, 0.0);
            for (j, c) in product.iter().enumerate() {
                next[j + lag] -= c;
            }
            product = next;
        };
        (0..self.d).for_each(|_| times(1));
        (0..self.seasonal_d).for_each(|_| times(self.season));
        product[1..].iter().map(|c| -c).collect()
    }
}

/// The product polynomials.
#[derive(Clone, Debug, Default)]
pub(super) struct Polynomials {
    /// φ₁ … of the product of both autoregressive factors, up to the last lag.
    pub phi: Vec<f64>,
    /// θ₁ … of the product of both moving-average factors.
    pub theta: Vec<f64>,
    /// The lags (from 1) at which `phi` is not zero by construction, and their coefficients.
    pub phi_lags: Vec<(usize, f64)>,
    /// The same of `theta`.
    pub theta_lags: Vec<(usize, f64)>,
}

impl Polynomials {
    /// Multiplies the factors of `orders`, whose coefficients are φ, θ, Φ, Θ in one slice.
    pub fn expand(&mut self, orders: &Orders, coefficients: &[f64]) {
        let (phi, rest) = coefficients.split_at(orders.p);
        let (theta, rest) = rest.split_at(orders.q);
        let (seasonal_phi, seasonal_theta) = rest.split_at(orders.seasonal_p);
        product(phi, seasonal_phi, orders.season, -1.0, &mut self.phi);
        product(theta, seasonal_theta, orders.season, 1.0, &mut self.theta);
        nonzero(&self.phi, &mut self.phi_lags);
        nonzero(&self.theta, &mut self.theta_lags);
    }
}

/// The product of a factor and a seasonal one; `sign` is that of the product of two coefficients.
fn product(factor: &[f64], seasonal: &[f64], season: usize, sign: f64, out: &mut Vec<f64>) {
    out.clear();
    out.resize(factor.len() + season * seasonal.len(), 0.0);
    out[..factor.len()].copy_from_slice(factor);
    for (k, s) in seasonal.iter().enumerate() {
        let lag = season * (k + 1);
        out[lag - 1] += s;
        for (j, f) in factor.iter().enumerate() {
            out[lag + j] += sign * s * f;
        }
    }
}

fn nonzero(coefficients: &[f64], lags: &mut Vec<(usize, f64)>) {
    lags.clear();
    lags.extend(coefficients.iter().enumerate().filter(|(_, c)| **c != 0.0).map(|(j, c)| (j + 1, *c)));
}

/// Coefficients of all four factors from their partial autocorrelations, both φ, θ, Φ, Θ in one slice.
pub(super) fn coefficients(orders: &Orders, partial: &[f64], out: &mut [f64]) {
    out.copy_from_slice(partial);
    let mut at = 0;
    for (k, size) in orders.factors().into_iter().enumerate() {
        let factor = &mut out[at..at + size];
        levinson(factor);
        if k % 2 == 1 {
            factor.iter_mut().for_each(|c| *c = -*c);
        }
        at += size;
    }
}

/// Turns partial autocorrelations into the coefficients of the autoregression that has them, in place.
fn levinson(values: &mut [f64]) {
    for k in 1..values.len() {
        let partial = values[k];
        let (mut i, mut j) = (0, k - 1);
        while i <= j {
            let (a, b) = (values[i], values[j]);
            values[i] = a - partial * b;
            values[j] = b - partial * a;
            i += 1;
            if j == 0 {
                break;
            }
            j -= 1;
        }
    }
}

/// Do all roots of 1 − Σ cⱼ zʲ lie further from the origin than `radius`? They do where the polynomial in z·radius is that
/// of a stationary autoregression.
pub(super) fn roots_beyond(coefficients: &[f64], radius: f64) -> bool {
    stepped_down(coefficients, radius).is_some()
}

/// The partial autocorrelations of an autoregression, shrunk as far as it takes to make it stationary.
pub(super) fn partial(coefficients: &[f64]) -> Option<Vec<f64>> {
    (0..40).find_map(|k| stepped_down(coefficients, 0.95_f64.powi(k)))
}

/// The partial autocorrelations of the polynomial in z·radius; none where one is not inside (−1, 1).
fn stepped_down(coefficients: &[f64], radius: f64) -> Option<Vec<f64>> {
    let mut values = coefficients.to_vec();
    let mut power = 1.0;
    for c in &mut values {
        power *= radius;
        *c *= power;
    }
    for k in (0..values.len()).rev() {
        let partial = values[k];
        if partial.abs() >= 1.0 || partial.is_nan() {
            return None;
        }
        let scale = 1.0 / (1.0 - partial * partial);
        let (mut i, mut j) = (0, k);
        while i < j {
            j -= 1;
            let (a, b) = (values[i], values[j]);
            values[i] = (a + partial * b) * scale;
            values[j] = (b + partial * a) * scale;
            i += 1;
        }
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEASONAL: Orders = Orders { p: 2, d: 1, q: 1, seasonal_p: 1, seasonal_d: 1, seasonal_q: 1, season: 4 };

    #[test]
    fn partial_autocorrelations_give_the_textbook_coefficients() {
        let mut values = [0.5, -0.3];
        levinson(&mut values);
        assert!((values[0] - 0.65).abs() < 1e-15 && values[1] == -0.3);
        let mut values = [0.5, -0.3, 0.2];
        levinson(&mut values);
        let exact = [0.65 + 0.2 * 0.3, -0.3 - 0.2 * 0.65, 0.2];
        assert!(values.iter().zip(exact).all(|(a, b)| (a - b).abs() < 1e-15), "{values:?}");
        let mut out = [0.0; 5];
        coefficients(&SEASONAL, &[0.5, -0.3, 0.4, 0.1, 0.2], &mut out);
        let back = partial(&[0.5 * 1.3, -0.3]).unwrap();
        assert!((back[0] - 0.5).abs() < 1e-12 && back[1] == -0.3, "{back:?}");
        assert!((out[0] - 0.65).abs() < 1e-15 && out[1..] == [-0.3, -0.4, 0.1, -0.2]);
    }

    #[test]
    fn factors_are_multiplied() {
        let mut polynomials = Polynomials::default();
        polynomials.expand(&SEASONAL, &[0.5, 0.2, 0.3, 0.4, -0.6]);
        assert_eq!(polynomials.phi, [0.5, 0.2, 0.0, 0.4, -0.2, -0.4 * 0.2]);
        assert_eq!(polynomials.theta, [0.3, 0.0, 0.0, -0.6, -0.6 * 0.3]);
        assert_eq!(polynomials.theta_lags.iter().map(|l| l.0).collect::<Vec<_>>(), [1, 4, 5]);
        assert_eq!(SEASONAL.differencing(), [1.0, 0.0, 0.0, 1.0, -1.0]);
        assert_eq!(SEASONAL.form(), "ARIMA(2,1,1)(1,1,1)[4]");
    }

    #[test]
    fn roots_are_told_from_the_circle() {
        assert!(roots_beyond(&[0.98], 1.01) && !roots_beyond(&[0.995], 1.01) && !roots_beyond(&[-0.995], 1.01));
        // (1 − 0.9z)(1 − 0.5z) and (1 − 0.995z)(1 − 0.5z)
        assert!(roots_beyond(&[1.4, -0.45], 1.01) && !roots_beyond(&[1.495, -0.4975], 1.01));
        assert!(roots_beyond(&[], 1.01) && !roots_beyond(&[f64::NAN], 1.01));
    }
}
