//! A regression with ARIMA errors whose coefficients are known: filtered, forecast, simulated, brought up to date.
//!
//! yₜ = Σ βₖxₖₜ + nₜ, with nₜ an ARIMA process. The state after the last value — Harvey's ARMA states and the last d + mD
//! values of n — forecasts n by running on without shocks; the variance h steps ahead is σ² Σ ψⱼ² over the responses ψ to a
//! shock, plus what gaps have left uncertain of the state.

use serde::{Deserialize, Serialize};

use super::difference::differenced;
use super::kalman::{Kalman, predict_state};
use super::likelihood::Exact;
use super::polynomial::{Orders, Polynomials};
use crate::error::{Error, Result};
use crate::models::{Description, Likelihood};

/// States whose covariance is kept at the most, where gaps do not leave a choice.
const LARGEST_COVARIANCE: usize = 60;

/// The coefficients, and where the series they were applied to has ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::models) struct Regression {
    pub(super) orders: Orders,
    /// φ, θ, Φ, Θ.
    pub(super) coefficients: Vec<f64>,
    /// Does the first regression coefficient belong to a level (no differences) or a drift per step (one)?
    pub(super) constant: bool,
    /// β of the constant, if any, and of each regressor; on the scale of the model.
    pub(super) beta: Vec<f64>,
    /// The names of β, in order; those left out are empty.
    pub(super) names: Vec<String>,
    /// The model sees (y / scale) − shift.
    pub(super) scale: f64,
    pub(super) shift: f64,
    /// Standard deviation of the shocks, on the scale of the model.
    pub(super) sigma: f64,
    pub(super) likelihood: Option<Likelihood>,
    /// The calendar position before the first value of the series of the fit, from which the drift counts.
    pub(super) origin: i64,
    pub(super) end: End,
    pub(super) residuals: Vec<f64>,
}

/// What the filter knows after the last value.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct End {
    /// The calendar position of the last value.
    at: i64,
    /// ARMA states, then the last values of n, latest first.
    state: Vec<f64>,
    /// Covariance of the state's error in units of σ², row by row; empty where the next shock is all that is unknown.
    covariance: Vec<f64>,
}

/// What the model looks like to its own recursion.
struct Recursion {
    polynomials: Polynomials,
    /// φ and the weights of past shocks, padded to the number of ARMA states.
    phi: Vec<f64>,
    gain: Vec<f64>,
    differencing: Vec<f64>,
    places: Vec<usize>,
}

impl Recursion {
    fn new(orders: &Orders, coefficients: &[f64]) -> Self {
        let mut polynomials = Polynomials::default();
        polynomials.expand(orders, coefficients);
        let r = polynomials.phi.len().max(polynomials.theta.len() + 1);
        let at = |of: &[f64], j: usize| of.get(j).copied().unwrap_or(0.0);
        let phi: Vec<f64> = (0..r).map(|j| at(&polynomials.phi, j)).collect();
        let gain = (0..r).map(|j| phi[j] + at(&polynomials.theta, j)).collect();
        let differencing = orders.differencing();
        let places = (0..differencing.len()).filter(|j| differencing[*j] != 0.0).collect();
        Self { polynomials, phi, gain, differencing, places }
    }

    fn next(&self, state: &mut [f64]) -> f64 {
        predict_state(state, &self.phi, &self.differencing, &self.places)
    }

    /// A shock of this size arrives with the value that [`next`](Self::next) has just predicted.
    fn shock(&self, state: &mut [f64], shock: f64) {
        let (arma, past) = state.split_at_mut(self.phi.len());
        arma.iter_mut().zip(&self.gain).for_each(|(a, g)| *a += g * shock);
        if let Some(last) = past.first_mut() {
            *last += shock;
        }
    }

    /// ψ₀ to ψ of `steps` − 1.
    fn responses(&self, steps: usize) -> Vec<f64> {
        let mut state = vec![0.0; self.phi.len() + self.differencing.len()];
        self.shock(&mut state, 1.0);
        std::iter::once(1.0).chain(std::iter::repeat_with(|| self.next(&mut state))).take(steps).collect()
    }

    /// The weights of the state in the value one step later than `weights` are for: weights′ T.
    fn back(&self, weights: &mut Vec<f64>) {
        let r = self.phi.len();
        let (arma, past) = weights.split_at(r);
        let latest = past.first().copied().unwrap_or(0.0);
        let mut out = Vec::with_capacity(weights.len());
        out.push(arma.iter().zip(&self.phi).map(|(w, phi)| w * phi).sum::<f64>() + latest);
        out.extend_from_slice(&arma[..r - 1]);
        let older = past.iter().skip(1).copied().chain(std::iter::once(0.0));
        out.extend(self.differencing.iter().zip(older).map(|(d, older)| latest * d + older));
        *weights = out;
    }
}

impl Regression {
    /// Runs the filter over a series that starts at calendar position `start`, with the regressors in the order of the
    /// fit; the sum of the squared residuals on the scale of the model, and their number.
    ///
    /// # Errors
    /// When too few rows are complete.
    pub fn run(&mut self, values: &[f64], start: i64, regressors: &[&[f64]]) -> Result<(f64, usize)> {
        let errors: Vec<f64> = values
            .iter()
            .enumerate()
            .map(|(t, y)| y / self.scale - self.shift - self.regression(start + t as i64, |k| regressors[k][t]))
            .collect();
        let recursion = Recursion::new(&self.orders, &self.coefficients);
        let lost = recursion.differencing.len();
        let first = errors.iter().position(|e| !e.is_nan()).unwrap_or(errors.len());
        let errors = &errors[first..];
        if errors.iter().filter(|e| !e.is_nan()).count() <= lost {
            return Err(Error::model(format!("arima needs more than {lost} complete rows, the series has no more")));
        }
        let unstable = || Error::model("the filter of arima leaves the range of numbers");
        let mut residuals = vec![f64::NAN; values.len()];
        self.end = End { at: start + values.len() as i64 - 1, ..End::default() };
        if errors.iter().any(|e| e.is_nan()) {
            let origin = if lost > 0 { errors[0] } else { 0.0 };
            let mut filter =
                Kalman::new(vec![errors.iter().map(|e| e - origin).collect()], recursion.differencing.clone());
            filter.filter(&recursion.polynomials).ok_or_else(unstable)?;
            let counted = residuals[first..].iter_mut().zip(&filter.whitened[0]).zip(&filter.counts);
            counted.filter(|(_, counts)| **counts).for_each(|((out, e), _)| *out = *e);
            (self.end.state, self.end.covariance) = filter.last_state(0);
            self.end.state[recursion.phi.len()..].iter_mut().for_each(|v| *v += origin);
        } else {
            let mut filter = Exact::new(vec![differenced(errors, &recursion.differencing)]);
            filter.filter(&recursion.polynomials).ok_or_else(unstable)?;
            residuals[first + lost..].copy_from_slice(&filter.whitened[0]);
            self.end.state = filter.last_state(0, &recursion.polynomials);
            self.end.state.extend(errors.iter().rev().take(lost));
            // A filter that has not settled leaves more unknown than the next shock; how much, only Kalman's tells.
            if !filter.has_settled() && self.end.state.len() <= LARGEST_COVARIANCE {
                let mut filter = Kalman::new(vec![errors.to_vec()], recursion.differencing.clone());
                filter.filter(&recursion.polynomials).ok_or_else(unstable)?;
                self.end.covariance = filter.last_state(0).1;
            }
        }
        let counted = residuals.iter().filter(|e| !e.is_nan());
        let (squares, n) = counted.fold((0.0, 0), |(sum, n), e| (sum + e * e, n + 1));
        residuals.iter_mut().for_each(|e| *e *= self.scale);
        if !f64::is_finite(squares) || residuals.iter().any(|e| e.is_infinite()) {
            return Err(unstable());
        }
        self.residuals = residuals;
        Ok((squares, n))
    }

    /// Σ βₖxₖ at a calendar position.
    fn regression(&self, at: i64, regressor: impl Fn(usize) -> f64) -> f64 {
        let constant = match (self.constant, self.orders.differences()) {
            (false, _) => 0.0,
            (true, 0) => self.beta[0],
            (true, _) => self.beta[0] * (at - self.origin) as f64,
        };
        let rest = self.beta[usize::from(self.constant)..].iter().enumerate().filter(|(_, b)| **b != 0.0);
        constant + rest.map(|(k, b)| b * regressor(k)).sum::<f64>()
    }

    /// The mean of `horizon` steps after `lead` steps; `regressors` have `horizon` values each.
    ///
    /// # Errors
    /// When a mean leaves the range of numbers.
    pub fn mean(&self, lead: usize, horizon: usize, regressors: &[&[f64]]) -> Result<Vec<f64>> {
        let recursion = Recursion::new(&self.orders, &self.coefficients);
        let mut state = self.end.state.clone();
        (0..lead).for_each(|_| _ = recursion.next(&mut state));
        let first = self.end.at + lead as i64 + 1;
        let steps = 0..horizon;
        let value = |step: usize| {
            let explained = self.regression(first + step as i64, |k| regressors[k][step]);
            self.scale * (recursion.next(&mut state) + self.shift + explained)
        };
        let mean: Vec<f64> = steps.map(value).collect();
        match mean.iter().all(|m| m.is_finite()) {
            true => Ok(mean),
            false => Err(Error::model("the forecast of arima leaves the range of numbers")),
        }
    }

    /// The standard deviation of the forecast error of each step.
    pub fn std_dev(&self, lead: usize, horizon: usize) -> Vec<f64> {
        self.unit_spread(lead, horizon).into_iter().map(|sd| self.scale * self.sigma * sd).collect()
    }

    /// The same in standard deviations of a shock.
    fn unit_spread(&self, lead: usize, horizon: usize) -> Vec<f64> {
        let recursion = Recursion::new(&self.orders, &self.coefficients);
        let gaps = &self.end.covariance;
        let mut weights = vec![0.0; self.end.state.len()];
        weights[0] = 1.0;
        let past = weights[recursion.phi.len()..].iter_mut();
        past.zip(&recursion.differencing).for_each(|(w, d)| *w = *d);
        let mut shocks = 0.0;
        let mut spread = Vec::with_capacity(lead + horizon);
        for response in recursion.responses(lead + horizon) {
            let next = match gaps.is_empty() {
                true => response * response,
                // The covariance holds the first shock already; later ones are added as they come.
                false => {
                    let row = |row: &[f64]| row.iter().zip(&weights).map(|(p, w)| p * w).sum::<f64>();
                    gaps.chunks_exact(weights.len()).zip(&weights).map(|(p, w)| w * row(p)).sum::<f64>()
                }
            };
            spread.push((shocks + next).max(0.0).sqrt());
            shocks += response * response;
            if !gaps.is_empty() {
                recursion.back(&mut weights);
            }
        }
        spread.split_off(lead)
    }

    /// Writes to `path` what shocks of the size of one-step errors lead to.
    pub fn simulate(&self, lead: usize, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        let recursion = Recursion::new(&self.orders, &self.coefficients);
        let mut state = vec![0.0; self.end.state.len()];
        let mut variance = 0.0;
        let wider = match self.end.covariance.is_empty() {
            true => Vec::new(),
            false => self.unit_spread(lead, path.len()),
        };
        let responses = if wider.is_empty() { Vec::new() } else { recursion.responses(shocks.len()) };
        for (step, shock) in shocks.iter().enumerate() {
            let deviation = recursion.next(&mut state) + shock;
            recursion.shock(&mut state, *shock);
            variance += responses.get(step).map_or(0.0, |r| r * r);
            let Some(at) = step.checked_sub(lead) else { continue };
            // Gaps and short series leave the state uncertain, which shocks to come do not show.
            let stretch = wider.get(at).map_or(1.0, |wide| wide / f64::sqrt(variance));
            path[at] = mean[at] + stretch * deviation;
        }
    }

    /// The same model of a series that has so many steps before, which were not looked at.
    pub fn after(mut self, steps: usize) -> Self {
        self.residuals.splice(0..0, std::iter::repeat_n(f64::NAN, steps));
        self
    }

    /// Akaike's corrected criterion; least for a fit without error.
    pub fn aicc(&self) -> f64 {
        self.likelihood.as_ref().map_or(f64::NEG_INFINITY, Likelihood::aicc)
    }

    /// p, d and q of the errors.
    pub fn order(&self) -> [usize; 3] {
        [self.orders.p, self.orders.d, self.orders.q]
    }

    /// Steps in the season.
    pub fn season(&self) -> usize {
        self.orders.season
    }

    /// Is there a mean or a drift?
    pub fn has_constant(&self) -> bool {
        self.constant
    }

    /// Shocks, in-sample: NaN where there is none.
    pub fn residuals(&self) -> &[f64] {
        &self.residuals
    }

    /// What the fit came to.
    pub fn describe(&self) -> Description {
        let Orders { p, q, seasonal_p, seasonal_q, .. } = self.orders;
        let series = |name: &'static str, n: usize| (1..=n).map(move |k| format!("{name}{k}"));
        let arma =
            series("ar", p).chain(series("ma", q)).chain(series("sar", seasonal_p)).chain(series("sma", seasonal_q));
        let mut parameters: Vec<(String, f64)> = arma.zip(self.coefficients.iter().copied()).collect();
        if self.constant {
            let (name, level) = if self.orders.differences() == 0 { ("mean", self.shift) } else { ("drift", 0.0) };
            parameters.push((name.to_string(), self.scale * (self.beta[0] + level)));
        }
        let regressors = self.names.iter().zip(&self.beta[usize::from(self.constant)..]);
        let kept = regressors.filter(|(name, _)| !name.is_empty());
        parameters.extend(kept.map(|(name, b)| (name.clone(), self.scale * b)));
        parameters.push(("sigma".to_string(), self.scale * self.sigma));
        let (specification, fitdf) = (self.form(), self.orders.coefficients());
        Description { specification, parameters, likelihood: self.likelihood, fitdf, ..Description::default() }
    }

    /// `ARIMA(2,1,1)(0,1,0)[12] with drift`.
    fn form(&self) -> String {
        let regression = if self.names.iter().all(String::is_empty) { "" } else { "regression with " };
        let constant = match (self.constant, self.orders.differences()) {
            (false, _) => "",
            (true, 0) => " with mean",
            (true, _) => " with drift",
        };
        let errors = if regression.is_empty() { "" } else { " errors" };
        format!("{regression}{}{errors}{constant}", self.orders.form())
    }
}
