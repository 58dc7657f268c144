//! Autocovariances of an ARMA model with shocks of variance one.
//!
//! Those of the autoregression come from stepping it down to order 0, which gives its partial autocorrelations and with
//! them the variance 1/Π(1 − ρₖ²), and up again: γ(k) = Σ φₖⱼ γ(k − j) with the coefficients of order k. That takes P²
//! operations, where the linear system of the textbooks takes P³. The moving average then weighs them.

use super::polynomial::Polynomials;

/// Room for the computation.
#[derive(Clone, Default)]
pub(super) struct Autocovariances {
    /// Coefficients of the autoregression of each order from 1 to P.
    levels: Vec<f64>,
    /// Autocovariances of the autoregression without its moving average.
    pure: Vec<f64>,
    /// Autocovariances of the moving average.
    average: Vec<f64>,
    /// Autocovariances of the model at lags 0 to P.
    gamma: Vec<f64>,
    /// The weights of past shocks.
    psi: Vec<f64>,
    states: Vec<f64>,
}

impl Autocovariances {
    /// The covariance of each of Harvey's r = max(P, Q + 1) states with the value of the same time; the first is the
    /// variance. None where the autoregression is not stationary.
    pub fn with_states(&mut self, model: &Polynomials) -> Option<&[f64]> {
        let (p, q) = (model.phi.len(), model.theta.len());
        self.values(model)?;
        self.psi.clear();
        for j in 0..=q {
            let own = if j == 0 { 1.0 } else { model.theta[j - 1] };
            let past: f64 =
                model.phi_lags.iter().take_while(|(lag, _)| *lag <= j).map(|(lag, c)| c * self.psi[j - lag]).sum();
            self.psi.push(own + past);
        }
        self.states.clear();
        for i in 0..p.max(q + 1) {
            let values: f64 =
                model.phi_lags.iter().filter(|(lag, _)| *lag > i).map(|(lag, c)| c * self.gamma[lag - i]).sum();
            let shocks: f64 =
                model.theta_lags.iter().filter(|(lag, _)| *lag >= i).map(|(lag, c)| c * self.psi[lag - i]).sum();
            self.states.push(values + shocks + if i == 0 { 1.0 } else { 0.0 });
        }
        let variance = self.states[0];
        (variance.is_finite() && variance > 0.0).then_some(&self.states)
    }

    /// Autocovariances of the model at lags 0 to P, into `gamma`.
    fn values(&mut self, model: &Polynomials) -> Option<()> {
        let (p, q) = (model.phi.len(), model.theta.len());
        self.levels.clear();
        self.levels.resize(p * (p + 1) / 2, 0.0);
        if p > 0 {
            self.levels[p * (p - 1) / 2..].copy_from_slice(&model.phi);
        }
        let mut variance = 1.0;
        for k in (1..=p).rev() {
            let (below, level) = self.levels[..k * (k + 1) / 2].split_at_mut(k * (k - 1) / 2);
            let partial = level[k - 1];
            let left = 1.0 - partial * partial;
            if left <= 0.0 || left.is_nan() {
                return None;
            }
            variance /= left;
            if k > 1 {
                let out = &mut below[(k - 1) * (k - 2) / 2..];
                for ((out, forth), back) in out.iter_mut().zip(&level[..k - 1]).zip(level[..k - 1].iter().rev()) {
                    *out = (forth + partial * back) / left;
                }
            }
        }
        self.pure.clear();
        self.pure.push(variance);
        for k in 1..=p {
            let level = &self.levels[k * (k - 1) / 2..][..k];
            let next = level.iter().zip(self.pure.iter().rev()).map(|(c, g)| c * g).sum();
            self.pure.push(next);
        }
        for k in p + 1..=p + q {
            let next = model.phi_lags.iter().map(|(lag, c)| c * self.pure[k - lag]).sum();
            self.pure.push(next);
        }
        self.average.clear();
        self.average.resize(q + 1, 0.0);
        self.average[0] = 1.0;
        for (at, (lag, c)) in model.theta_lags.iter().enumerate() {
            self.average[*lag] += c;
            for (other, b) in &model.theta_lags[..=at] {
                self.average[lag - other] += b * c;
            }
        }
        self.gamma.clear();
        self.gamma.extend_from_slice(&self.pure[..=p]);
        self.gamma.iter_mut().for_each(|g| *g *= self.average[0]);
        for (lag, c) in self.average.iter().enumerate().skip(1).filter(|(_, c)| **c != 0.0) {
            for (k, g) in self.gamma.iter_mut().enumerate() {
                *g += c * (self.pure[k + lag] + self.pure[k.abs_diff(lag)]);
            }
        }
        Some(())
    }
}
