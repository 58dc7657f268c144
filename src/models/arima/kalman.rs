//! How likely is a series with gaps under an ARIMA model?
//!
//! The Kalman filter of the series itself, not of its differences, which gaps would tear apart: Harvey's ARMA states and
//! the last d + mD values, about which nothing is known at first (variance 10⁶ times that of the shocks). An innovation
//! whose variance is still of that order says nothing of the model and is left out (Gardner, Harvey & Phillips 1980,
//! *Applied Statistics* 29; Harvey 1989, §3.4). A missing value is a step without an update.

use super::autocovariance::Autocovariances;
use super::polynomial::Polynomials;

/// The variance of what is unknown, in units of that of the shocks, and what counts as still unknown.
const UNKNOWN: f64 = 1e6;
const STILL_UNKNOWN: f64 = 1e4;

/// The filter of series with gaps.
#[derive(Clone)]
pub(super) struct Kalman {
    /// The series and the regressors, not differenced; a row with a NaN is missing.
    columns: Vec<Vec<f64>>,
    /// The weights δ of the differences: wₜ = yₜ − Σ δⱼ yₜ₋ⱼ.
    differencing: Vec<f64>,
    /// The places of `differencing` that are not zero.
    places: Vec<usize>,
    missing: Vec<bool>,
    /// Innovations of each column over the root of their variance factor; zero where there is none to be counted.
    pub whitened: Vec<Vec<f64>>,
    /// Which innovations count.
    pub counts: Vec<bool>,
    states: Vec<f64>,
    covariance: Vec<f64>,
    work: Vec<f64>,
    phi: Vec<f64>,
    theta: Vec<f64>,
    gain: Vec<f64>,
    autocovariances: Autocovariances,
}

impl Kalman {
    /// A filter of these columns, all of one length.
    pub fn new(columns: Vec<Vec<f64>>, differencing: Vec<f64>) -> Self {
        let n = columns.first().map_or(0, Vec::len);
        let missing = (0..n).map(|t| columns.iter().any(|c| c[t].is_nan())).collect();
        let places = (0..differencing.len()).filter(|j| differencing[*j] != 0.0).collect();
        let whitened = vec![vec![0.0; n]; columns.len()];
        let none = Vec::new;
        Self {
            columns,
            differencing,
            places,
            missing,
            whitened,
            counts: vec![false; n],
            states: none(),
            covariance: none(),
            work: none(),
            phi: none(),
            theta: none(),
            gain: none(),
            autocovariances: Autocovariances::default(),
        }
    }

    /// Filters the columns into `whitened`; the sum of the logarithms of the variance factors, none where the
    /// autoregression is not stationary.
    pub fn filter(&mut self, model: &Polynomials) -> Option<f64> {
        let r = model.phi.len().max(model.theta.len() + 1);
        let size = r + self.differencing.len();
        self.start(model, r, size)?;
        self.states.clear();
        self.states.resize(self.columns.len() * size, 0.0);
        let mut log = 0.0;
        for t in 0..self.missing.len() {
            let skip = self.missing[t];
            let mut factor = f64::INFINITY;
            if !skip {
                factor = self.gain(r, size);
                if factor <= 0.0 || !factor.is_finite() {
                    return None;
                }
            }
            let counts = !skip && factor < STILL_UNKNOWN;
            self.counts[t] = counts;
            if counts {
                log += factor.ln();
            }
            let scale = 1.0 / factor.sqrt();
            for c in 0..self.columns.len() {
                let state = &mut self.states[c * size..(c + 1) * size];
                let mut out = 0.0;
                if !skip {
                    let past: f64 = self.places.iter().map(|j| self.differencing[*j] * state[r + j]).sum();
                    let innovation = self.columns[c][t] - state[0] - past;
                    out = if counts { innovation * scale } else { 0.0 };
                    let share = innovation / factor;
                    state.iter_mut().zip(&self.gain).for_each(|(s, g)| *s += g * share);
                }
                self.whitened[c][t] = out;
                predict_state(state, &self.phi, &self.differencing, &self.places);
            }
            if !skip {
                for (row, a) in self.covariance.chunks_exact_mut(size).zip(&self.gain) {
                    let share = a / factor;
                    row.iter_mut().zip(&self.gain).for_each(|(cell, b)| *cell -= share * b);
                }
            }
            self.predict_covariance(r, size);
        }
        log.is_finite().then_some(log)
    }

    /// The state after the last value of a column, and the covariance of its error in units of the shocks' variance.
    pub fn last_state(&self, column: usize) -> (Vec<f64>, Vec<f64>) {
        let size = self.states.len() / self.columns.len();
        (self.states[column * size..][..size].to_vec(), self.covariance.clone())
    }

    /// The stationary covariance of the ARMA states; the differenced-away values unknown.
    fn start(&mut self, model: &Polynomials, r: usize, size: usize) -> Option<()> {
        self.phi.clear();
        self.phi.extend_from_slice(&model.phi);
        self.phi.resize(r, 0.0);
        self.theta.clear();
        self.theta.push(1.0);
        self.theta.extend_from_slice(&model.theta);
        self.theta.resize(r, 0.0);
        let first = self.autocovariances.with_states(model)?;
        self.covariance.clear();
        self.covariance.resize(size * size, 0.0);
        let (phi, theta) = (&self.phi, &self.theta);
        for i in (0..r).rev() {
            for j in (i..r).rev() {
                let at = |k: usize| if k < r { first[k] } else { 0.0 };
                let beyond = if j + 1 < r { self.covariance[(i + 1) * size + j + 1] } else { 0.0 };
                let value =
                    phi[i] * phi[j] * first[0] + phi[i] * at(j + 1) + phi[j] * at(i + 1) + beyond + theta[i] * theta[j];
                self.covariance[i * size + j] = value;
                self.covariance[j * size + i] = value;
            }
        }
        for k in r..size {
            self.covariance[k * size + k] = UNKNOWN;
        }
        Some(())
    }

    /// The covariance of the state with the next value, into `gain`; the variance of the next value.
    fn gain(&mut self, r: usize, size: usize) -> f64 {
        self.gain.clear();
        for row in self.covariance.chunks_exact(size) {
            let past: f64 = self.places.iter().map(|j| self.differencing[*j] * row[r + j]).sum();
            self.gain.push(row[0] + past);
        }
        let past: f64 = self.places.iter().map(|j| self.differencing[*j] * self.gain[r + j]).sum();
        self.gain[0] + past
    }

    /// T P T′ + R R′.
    fn predict_covariance(&mut self, r: usize, size: usize) {
        self.work.resize(size * size, 0.0);
        // Rows first: the product T P.
        for i in 0..size {
            let out = &mut self.work[i * size..(i + 1) * size];
            let row = |k: usize| &self.covariance[k * size..(k + 1) * size];
            if i < r {
                if i + 1 < r {
                    out.copy_from_slice(row(i + 1));
                } else {
                    out.fill(0.0);
                }
                let phi = self.phi[i];
                if phi != 0.0 {
                    out.iter_mut().zip(row(0)).for_each(|(o, p)| *o += phi * p);
                }
            } else if i == r {
                out.copy_from_slice(row(0));
                for j in &self.places {
                    let weight = self.differencing[*j];
                    out.iter_mut().zip(row(r + j)).for_each(|(o, p)| *o += weight * p);
                }
            } else {
                out.copy_from_slice(row(i - 1));
            }
        }
        for i in 0..size {
            let from = &self.work[i * size..(i + 1) * size];
            let out = &mut self.covariance[i * size..(i + 1) * size];
            let first = from[0];
            let shock = if i < r { self.theta[i] } else { 0.0 };
            for j in 0..r - 1 {
                out[j] = from[j + 1] + self.phi[j] * first + shock * self.theta[j];
            }
            out[r - 1] = self.phi[r - 1] * first + shock * self.theta[r - 1];
            if size > r {
                let past: f64 = self.places.iter().map(|j| self.differencing[*j] * from[r + j]).sum();
                out[r] = first + past;
                out[r + 1..].copy_from_slice(&from[r..size - 1]);
            }
        }
    }
}

/// The state a step later if no shock comes: ARMA states first, then the last values, latest first.
pub(super) fn predict_state(state: &mut [f64], phi: &[f64], differencing: &[f64], places: &[usize]) -> f64 {
    let r = phi.len();
    let (arma, past) = state.split_at_mut(r);
    let first = arma[0];
    let value = first + places.iter().map(|j| differencing[*j] * past[*j]).sum::<f64>();
    for i in 0..r {
        let next = if i + 1 < r { arma[i + 1] } else { 0.0 };
        arma[i] = next + phi[i] * first;
    }
    if !past.is_empty() {
        past.copy_within(0..past.len() - 1, 1);
        past[0] = value;
    }
    value
}
