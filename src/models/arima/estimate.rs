//! Which coefficients make the series most likely?
//!
//! With the shocks' variance σ² and the regression coefficients at their best values for given ARMA coefficients, the
//! likelihood is greatest where S = Π F^(1/n) · Σ v²/F is least: a sum of squares, of the whitened innovations times a common
//! factor (Ansley 1979, *Biometrika* 66). Levenberg–Marquardt therefore finds its least value in a handful of steps, the
//! Gauss–Newton matrix being the information matrix in the limit. The partial autocorrelations of the factors are searched,
//! within bounds that keep the model stationary and invertible; derivatives are differences.

use super::design::{Design, Filter};
use super::polynomial::{Orders, Polynomials, coefficients, partial};
use crate::optimise::positive_definite::solve;
use crate::optimise::{Minimum, Normal, Stop, SumOfSquares, least_squares};
use crate::progress;

/// The closest to non-stationarity that is searched, as a partial autocorrelation.
const STATIONARY: f64 = 0.999_999;
/// The step of a derivative.
const STEP: f64 = 1e-6;
/// How exactly the logarithm of the likelihood is to be known to tell a promising start from the others.
const EARLY: f64 = 0.05;
/// What is left of the variance, as a share of the series' own size, in a fit without error.
const NO_ERROR: f64 = 1e-26;

/// How the search ended.
#[derive(Clone, Debug)]
pub(super) struct Estimate {
    /// Partial autocorrelations of φ, θ, Φ, Θ.
    pub partial: Vec<f64>,
    /// The coefficients of the design's columns.
    pub regression: Vec<f64>,
    /// The least sum of squares.
    pub squares: f64,
    /// Innovations that count.
    pub n: usize,
}

impl Estimate {
    /// The logarithm of the likelihood on the scale of the design; infinite for a fit without error.
    pub fn log_likelihood(&self) -> f64 {
        let n = self.n as f64;
        if self.squares <= NO_ERROR * n {
            return f64::INFINITY;
        }
        -0.5 * n * ((std::f64::consts::TAU * self.squares / n).ln() + 1.0)
    }
}

/// A model's orders with the filter of one series, and room for the search.
pub(super) struct Estimator {
    orders: Orders,
    filter: Filter,
    polynomials: Polynomials,
    factors: Vec<f64>,
    regression: Vec<f64>,
    normal: Vec<f64>,
    bounds: Vec<(f64, f64)>,
    /// The whitened innovations times the common factor.
    errors: Vec<f64>,
    /// Their derivatives, coordinate after coordinate.
    slopes: Vec<f64>,
}

impl Estimator {
    pub fn new(orders: Orders, filter: Filter) -> Self {
        let whitened = filter.whitened();
        let (columns, rows) = (whitened.len() - 1, whitened[0].len());
        let mut bounds = Vec::new();
        for (k, size) in orders.factors().into_iter().enumerate() {
            let bound = if k % 2 == 0 { STATIONARY } else { 1.0 };
            bounds.extend(std::iter::repeat_n((-bound, bound), size));
        }
        Self {
            orders,
            filter,
            polynomials: Polynomials::default(),
            factors: vec![0.0; orders.coefficients()],
            regression: vec![0.0; columns],
            normal: vec![0.0; columns * columns],
            errors: vec![0.0; rows],
            slopes: vec![0.0; rows * bounds.len()],
            bounds,
        }
    }

    /// The best of the searches from these starts, of which all but the most promising one are broken off early; none
    /// where no model can be computed.
    pub fn best(&mut self, starts: &[Vec<f64>], tolerance: f64) -> Option<Estimate> {
        let found = if let [start] = starts {
            self.search(start, tolerance)
        } else {
            // Many starts in a long series take long enough to be waited for.
            let going_on = starts.iter().take_while(|_| progress::check().is_ok());
            let searches = going_on.map(|start| self.search(start, f64::max(EARLY, tolerance)));
            let ahead = searches.min_by(|a, b| a.value.total_cmp(&b.value))?;
            self.search(&ahead.at, tolerance)
        };
        // The regression belongs to the point that was computed last.
        let squares = self.value(&found.at);
        let (regression, n) = (self.regression.clone(), self.filter.counted());
        squares.is_finite().then_some(Estimate { partial: found.at, regression, squares, n })
    }

    /// Goes downhill from `start` until a step promises to lower the logarithm of the likelihood by less than
    /// `tolerance`.
    fn search(&mut self, start: &[f64], tolerance: f64) -> Minimum {
        let stop = Stop { tolerance: 2.0 * tolerance / self.filter.counted() as f64, evaluations: 60 };
        let bounds = std::mem::take(&mut self.bounds);
        let found = least_squares(self, start, &bounds, stop);
        self.bounds = bounds;
        found
    }

    /// The whitened innovations at these partial autocorrelations, times the common factor; the sum of their squares.
    fn compute(&mut self, partial: &[f64]) -> Option<f64> {
        coefficients(&self.orders, partial, &mut self.factors);
        self.polynomials.expand(&self.orders, &self.factors);
        let log = self.filter.run(&self.polynomials)?;
        let whitened = self.filter.whitened();
        let (series, columns) = whitened.split_first()?;
        let k = columns.len();
        for i in 0..k {
            self.regression[i] = dot(&columns[i], series);
            for j in 0..=i {
                let product = dot(&columns[i], &columns[j]);
                self.normal[i * k + j] = product;
                self.normal[j * k + i] = product;
            }
        }
        if !solve(&mut self.normal, &mut self.regression) {
            return None;
        }
        let factor = (log / (2.0 * self.filter.counted() as f64)).exp();
        self.errors.copy_from_slice(series);
        for (column, b) in columns.iter().zip(&self.regression) {
            self.errors.iter_mut().zip(column).for_each(|(e, x)| *e -= b * x);
        }
        self.errors.iter_mut().for_each(|e| *e *= factor);
        Some(dot(&self.errors, &self.errors))
    }
}

impl SumOfSquares for Estimator {
    /// On the bound of a moving average the likelihood is flat, by symmetry with the models beyond.
    const REACH: f64 = 0.8;

    fn value(&mut self, at: &[f64]) -> f64 {
        let squares = self.compute(at).unwrap_or(f64::INFINITY);
        // A fit without error has nothing left to gain.
        if squares <= NO_ERROR * self.filter.counted() as f64 { 0.0 } else { squares }
    }

    fn linearise(&mut self, at: &[f64], normal: &mut Normal) {
        let (k, rows) = (at.len(), self.errors.len());
        let here = self.errors.clone();
        let mut slopes = std::mem::take(&mut self.slopes);
        let mut near = at.to_vec();
        for (i, slope) in slopes.chunks_exact_mut(rows.max(1)).enumerate() {
            let by = if at[i] > 0.0 { -STEP } else { STEP };
            near[i] = at[i] + by;
            if self.compute(&near).is_none() {
                self.slopes = slopes;
                normal.gradient.fill(f64::NAN);
                return;
            }
            near[i] = at[i];
            slope.iter_mut().zip(&self.errors).zip(&here).for_each(|((s, next), e)| *s = (next - e) / by);
        }
        for i in 0..k {
            let slope = &slopes[i * rows..(i + 1) * rows];
            normal.gradient[i] = dot(slope, &here);
            for j in 0..=i {
                let product = dot(slope, &slopes[j * rows..(j + 1) * rows]);
                (normal.square[i * k + j], normal.square[j * k + i]) = (product, product);
            }
        }
        self.slopes = slopes;
    }
}

/// Partial autocorrelations to start from where nothing is known: none at all; those of the differenced series as an
/// autoregression, and its first autocorrelations as a moving average; and what the regression of Hannan & Rissanen
/// (1982, *Biometrika* 69) finds for the factors without season.
pub(super) fn starts(orders: &Orders, design: &Design) -> Vec<Vec<f64>> {
    let zero = vec![0.0; orders.coefficients()];
    if zero.is_empty() {
        return vec![zero];
    }
    let series = super::difference::differenced(&design.values, &orders.differencing());
    let observed = series.iter().filter(|v| !v.is_nan());
    let (sum, n) = observed.fold((0.0, 0.0), |(sum, n), v| (sum + v, n + 1.0));
    let mean = if n > 0.0 { sum / n } else { 0.0 };
    let centred: Vec<f64> = series.iter().map(|v| if v.is_nan() { 0.0 } else { v - mean }).collect();
    let product = |lag: usize| dot(&centred[lag.min(centred.len())..], &centred[..centred.len().saturating_sub(lag)]);
    let total = product(0);
    if total <= 0.0 || total.is_nan() {
        return vec![zero];
    }
    let at = |lag: usize| (product(lag) / total).clamp(-0.9, 0.9);
    let (near, far) = (at(1), at(orders.season));
    let [p, q, seasonal_p, seasonal_q] = orders.factors();
    let start = |phi: f64, theta: f64, seasonal_phi: f64, seasonal_theta: f64| {
        let first = |size: usize, value: f64| std::iter::once(value).chain(std::iter::repeat(0.0)).take(size);
        let plain = first(p, phi).chain(first(q, theta));
        plain.chain(first(seasonal_p, seasonal_phi)).chain(first(seasonal_q, seasonal_theta)).collect::<Vec<f64>>()
    };
    let or = |size: usize, value: f64| if size > 0 { 0.0 } else { value };
    let mut out = vec![zero, start(near, or(p, -near), far, or(seasonal_p, -far))];
    if p * q > 0 || seasonal_p * seasonal_q > 0 {
        out.push(start(or(q, near), -near, or(seasonal_q, far), -far));
    }
    if p > 1 || q > 1 || p * q > 0 {
        let correlations: Vec<f64> = (0..=LONG + p).map(|lag| product(lag) / total).collect();
        out.extend(hannan_rissanen(p, q, &centred, &correlations).map(|mut partial| {
            let mut seasonal = start(0.0, 0.0, far, or(seasonal_p, -far));
            partial.append(&mut seasonal.split_off(p + q));
            partial
        }));
    }
    out
}

/// More starts, spread evenly over the partial autocorrelations (Halton's sequence), for a model that is to be the last.
pub(super) fn scattered(coefficients: usize) -> impl Iterator<Item = Vec<f64>> {
    const PRIMES: [u32; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    let digits = |mut k: u32, base: u32| {
        let (mut value, mut share) = (0.0, 1.0);
        while k > 0 {
            share /= f64::from(base);
            value += share * f64::from(k % base);
            k /= base;
        }
        value
    };
    let starts = if coefficients > 1 { SCATTERED } else { 0 };
    (1..=starts).map(move |k| (0..coefficients).map(|i| 1.8 * digits(k, PRIMES[i % PRIMES.len()]) - 0.9).collect())
}

/// How many more starts there are.
const SCATTERED: u32 = 60;

/// The order of the autoregression that stands in for unknown shocks.
const LONG: usize = 10;

/// Partial autocorrelations of φ and θ from a regression on past values and on the errors of a long autoregression.
fn hannan_rissanen(p: usize, q: usize, series: &[f64], correlations: &[f64]) -> Option<Vec<f64>> {
    let n = series.len();
    let from = LONG + p.max(q);
    if n < 2 * from + p + q {
        return None;
    }
    let mut long: Vec<f64> = correlations[1..=LONG].to_vec();
    let mut system: Vec<f64> = (0..LONG * LONG).map(|cell| correlations[(cell / LONG).abs_diff(cell % LONG)]).collect();
    if !solve(&mut system, &mut long) {
        return None;
    }
    let error =
        |t: usize| if t < LONG { 0.0 } else { series[t] - (0..LONG).map(|j| long[j] * series[t - 1 - j]).sum::<f64>() };
    let errors: Vec<f64> = (0..n).map(error).collect();
    let k = p + q;
    let column = |i: usize, t: usize| if i < p { series[t - 1 - i] } else { errors[t - 1 - (i - p)] };
    let (mut normal, mut right) = (vec![0.0; k * k], vec![0.0; k]);
    for (t, value) in series.iter().enumerate().skip(from) {
        for i in 0..k {
            let x = column(i, t);
            right[i] += x * value;
            for j in 0..k {
                normal[i * k + j] += x * column(j, t);
            }
        }
    }
    if !solve(&mut normal, &mut right) {
        return None;
    }
    let (phi, theta) = right.split_at_mut(p);
    theta.iter_mut().for_each(|c| *c = -*c);
    Some([partial(phi)?, partial(theta)?].concat())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Four sums at a time, which the compiler cannot choose by itself.
    let (a4, b4) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a4.remainder().iter().zip(b4.remainder()).map(|(a, b)| a * b).sum();
    let mut sums = [0.0; 4];
    for (a, b) in a4.zip(b4) {
        for i in 0..4 {
            sums[i] += a[i] * b[i];
        }
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}
