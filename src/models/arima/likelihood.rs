//! How likely is a complete series under an ARMA model? Exactly, in time linear in its length.
//!
//! In Harvey's state form with r = max(P, Q + 1) states the Kalman filter costs r² a step. A stationary start has
//! structure that it does not use: P(t+1) − P(t) has rank one, so that the innovation variance F and the gain K follow from
//! a vector ℓ alone (Morf, Sidhu & Kailath 1974, *IEEE Trans. Automatic Control* 19; in this normalisation the Schur
//! recursion, ℓ₀ being the partial autocorrelation at the next lag):
//!
//! F ← F (1 − ℓ₀²),  K ← (K − ℓ₀ Tℓ) / (1 − ℓ₀²),  ℓ ← (Tℓ − ℓ₀ K) / (1 − ℓ₀²),  from F = γ(0) and K = ℓ = T·cov(x, w)/γ(0).
//!
//! Once ℓ has died out, F is the variance of the shocks and only lags that are not zero count.
//! Regressors run through the same recursion as the series, which is what generalised least squares needs.

use super::autocovariance::Autocovariances;
use super::polynomial::Polynomials;

/// What is left of ℓ when the recursion counts as settled: what it still changes is of the order of its square.
const SETTLED: f64 = 1e-7;

/// The filter of complete series: the columns to be filtered and room for what it computes.
#[derive(Clone)]
pub(super) struct Exact {
    /// The differenced series and the differenced regressors.
    columns: Vec<Vec<f64>>,
    /// Innovations of each column over the root of their variance factor.
    pub whitened: Vec<Vec<f64>>,
    /// The state of each column after the last value; empty where the settled recursion has run to the end.
    states: Vec<f64>,
    autocovariances: Autocovariances,
    phi: Vec<f64>,
    gain: Vec<f64>,
    ell: Vec<f64>,
}

impl Exact {
    /// A filter of these columns, all of one length.
    pub fn new(columns: Vec<Vec<f64>>) -> Self {
        let whitened = columns.clone();
        let (autocovariances, none) = (Autocovariances::default(), Vec::new);
        Self { columns, whitened, states: none(), autocovariances, phi: none(), gain: none(), ell: none() }
    }

    /// Filters the columns into `whitened`; the sum of the logarithms of the variance factors, none where the
    /// autoregression is not stationary.
    pub fn filter(&mut self, model: &Polynomials) -> Option<f64> {
        let mut factor = self.start(model)?;
        let r = self.gain.len();
        let n = self.columns.first().map_or(0, Vec::len);
        let width = r + 1;
        self.states.clear();
        self.states.resize(self.columns.len() * width, 0.0);
        let (mut log, mut product) = (0.0, 1.0);
        // Steps still to be taken in state form after ℓ has died out; then the last r innovations say it all.
        let mut settled: Option<usize> = None;
        let mut t = 0;
        while t < n && settled != Some(0) {
            let scale = 1.0 / f64::sqrt(factor);
            product *= factor;
            if !(1e-100..1e100).contains(&product) {
                log += f64::ln(product);
                product = 1.0;
            }
            for ((column, out), state) in
                self.columns.iter().zip(&mut self.whitened).zip(self.states.chunks_exact_mut(width))
            {
                let forecast = state[0];
                let innovation = column[t] - forecast;
                out[t] = innovation * scale;
                advance(state, &self.phi, &self.gain, forecast, innovation);
            }
            settled = match settled {
                Some(left) => Some(left - 1),
                None => {
                    let first = self.ell[0];
                    if first.abs() < SETTLED && self.ell.iter().all(|l| l.abs() < SETTLED) {
                        factor = 1.0;
                        Some(r)
                    } else {
                        factor *= 1.0 - first * first;
                        step(&mut self.ell, &mut self.gain, &self.phi, first);
                        None
                    }
                }
            };
            t += 1;
        }
        if t < n {
            self.states.clear();
            for (column, out) in self.columns.iter().zip(&mut self.whitened) {
                plain(column, out, t, model);
            }
        }
        let log = log + product.ln();
        log.is_finite().then_some(log)
    }

    /// The state after the last value of a column: `state[i]` is what is known of the value i + 1 steps ahead.
    pub fn last_state(&self, column: usize, model: &Polynomials) -> Vec<f64> {
        let r = self.gain.len();
        if !self.states.is_empty() {
            return self.states[column * (r + 1)..][..r].to_vec();
        }
        let (values, innovations) = (&self.columns[column], &self.whitened[column]);
        let n = values.len();
        let known = |lags: &[(usize, f64)], of: &[f64], i: usize| -> f64 {
            lags.iter().filter(|(lag, _)| *lag > i).map(|(lag, c)| c * of[n + i - lag]).sum()
        };
        (0..r).map(|i| known(&model.phi_lags, values, i) + known(&model.theta_lags, innovations, i)).collect()
    }

    /// Has ℓ died out before the last value?
    pub fn has_settled(&self) -> bool {
        self.ell.iter().all(|l| l.abs() < SETTLED)
    }

    /// Sets gain and ℓ to their first values; the variance factor of the first innovation.
    fn start(&mut self, model: &Polynomials) -> Option<f64> {
        let covariances = self.autocovariances.with_states(model)?;
        let (factor, r) = (covariances[0], covariances.len());
        self.phi.clear();
        self.phi.extend_from_slice(&model.phi);
        self.phi.resize(r, 0.0);
        self.gain.clear();
        for i in 0..r {
            let next = if i + 1 < r { covariances[i + 1] / factor } else { 0.0 };
            self.gain.push(self.phi[i] + next);
        }
        self.ell.clear();
        self.ell.extend_from_slice(&self.gain);
        self.ell.push(0.0);
        Some(factor)
    }
}

/// One step of the state: what was known of the next values, moved up, and what the innovation adds.
fn advance(state: &mut [f64], phi: &[f64], gain: &[f64], forecast: f64, innovation: f64) {
    let r = phi.len();
    let (state, gain) = (&mut state[..r + 1], &gain[..r]);
    for i in 0..r {
        state[i] = state[i + 1] + phi[i] * forecast + gain[i] * innovation;
    }
}

/// One step of ℓ and the gain; `ell` ends in a zero.
fn step(ell: &mut [f64], gain: &mut [f64], phi: &[f64], first: f64) {
    let r = phi.len();
    let (ell, gain) = (&mut ell[..r + 1], &mut gain[..r]);
    let scale = 1.0 / (1.0 - first * first);
    for i in 0..r {
        let moved = phi[i] * first + ell[i + 1];
        let before = gain[i];
        gain[i] = (before - first * moved) * scale;
        ell[i] = (moved - first * before) * scale;
    }
}

/// The recursion of the settled filter: innovations from `from` on.
fn plain(values: &[f64], out: &mut [f64], from: usize, model: &Polynomials) {
    let n = values.len();
    out[from..].copy_from_slice(&values[from..]);
    for (lag, c) in &model.phi_lags {
        for (o, v) in out[from..].iter_mut().zip(&values[from - lag..n - lag]) {
            *o -= c * v;
        }
    }
    match model.theta_lags.as_slice() {
        [] => {}
        [(1, c)] => {
            let mut last = out[from - 1];
            for o in &mut out[from..] {
                last = *o - c * last;
                *o = last;
            }
        }
        lags => {
            for t in from..n {
                // Lag 1 comes last: the sum of the others does not wait for the innovation before.
                let sum: f64 = lags.iter().rev().map(|(lag, c)| c * out[t - lag]).sum();
                out[t] -= sum;
            }
        }
    }
}
