//! Which coefficients make the series most likely?
//!
//! With the shocks' variance σ² and the regression coefficients at their best values for given ARMA coefficients, the
//! likelihood is greatest where S = Π F^(1/n) · Σ v²/F is least: a sum of squares, of the whitened innovations times a common
//! factor (Ansley 1979, *Biometrika* 66). Levenberg–Marquardt therefore finds its least value in a handful of steps, the
//! Gauss–Newton matrix being the information matrix in the limit. It searches the partial autocorrelations of the
//! factors, within bounds that keep the model stationary and invertible; derivatives are differences.

use super::design::{Design, Filter};
use super::polynomial::{Orders, Polynomials, coefficients, partial};

/// The closest to non-stationarity that is searched, as a partial autocorrelation.
const STATIONARY: f64 = 0.999_999;
/// The step of a derivative.
const STEP: f64 = 1e-6;
/// The share of the way to a bound that one step may go: on the bound of a moving average the likelihood is flat, by
/// symmetry with the models beyond, and a step that jumps there is caught.
const REACH: f64 = 0.8;
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
    bounds: Vec<f64>,
}

impl Estimator {
    pub fn new(orders: Orders, filter: Filter) -> Self {
        let columns = filter.whitened().len() - 1;
        let mut bounds = Vec::new();
        for (k, size) in orders.factors().into_iter().enumerate() {
            bounds.extend(std::iter::repeat_n(if k % 2 == 0 { STATIONARY } else { 1.0 }, size));
        }
        Self {
            orders,
            filter,
            polynomials: Polynomials::default(),
            factors: vec![0.0; orders.coefficients()],
            regression: vec![0.0; columns],
            normal: vec![0.0; columns * columns],
            bounds,
        }
    }

    /// The best of the searches from these starts, of which all but the most promising one are broken off early; none
    /// where no model can be computed.
    pub fn best(&mut self, starts: &[Vec<f64>], tolerance: f64) -> Option<Estimate> {
        if let [start] = starts {
            return self.search(start, tolerance);
        }
        let searches = starts.iter().filter_map(|start| self.search(start, f64::max(EARLY, tolerance)));
        let ahead = searches.min_by(|a, b| a.squares.total_cmp(&b.squares))?;
        self.search(&ahead.partial, tolerance)
    }

    /// Levenberg–Marquardt from `start` until a step promises to lower the logarithm of the likelihood by less than
    /// `tolerance`.
    pub fn search(&mut self, start: &[f64], tolerance: f64) -> Option<Estimate> {
        let (k, rows) = (start.len(), self.filter.whitened()[0].len());
        let mut at: Vec<f64> = start.iter().zip(&self.bounds).map(|(x, bound)| x.clamp(-bound, *bound)).collect();
        let mut error = vec![0.0; rows];
        let mut squares = self.errors(&at, &mut error)?;
        let mut regression = self.regression.clone();
        let n = self.filter.counted();
        let small = 2.0 * tolerance / n as f64;
        let (mut slopes, mut trial, mut error_next) = (vec![0.0; k * rows], at.clone(), error.clone());
        let (mut system, mut damped, mut gradient, mut step) =
            (vec![0.0; k * k], vec![0.0; k * k], vec![0.0; k], vec![0.0; k]);
        let mut damping = 1e-3;
        for _ in 0..if k == 0 { 0 } else { 60 } {
            if squares <= NO_ERROR * n as f64 {
                break;
            }
            for i in 0..k {
                trial.copy_from_slice(&at);
                let by = if at[i] > 0.0 { -STEP } else { STEP };
                trial[i] += by;
                self.errors(&trial, &mut error_next)?;
                let slope = &mut slopes[i * rows..(i + 1) * rows];
                slope.iter_mut().zip(&error_next).zip(&error).for_each(|((s, next), e)| *s = (next - e) / by);
            }
            for i in 0..k {
                let slope = &slopes[i * rows..(i + 1) * rows];
                gradient[i] = dot(slope, &error);
                for j in 0..=i {
                    let product = dot(slope, &slopes[j * rows..(j + 1) * rows]);
                    system[i * k + j] = product;
                    system[j * k + i] = product;
                }
            }
            let mut moved = false;
            for attempt in 0..12 {
                let (hoped, promised) = self.step(&at, &system, &gradient, damping, &mut damped, &mut step);
                if attempt == 0 && hoped <= small * squares {
                    break;
                }
                if promised <= 0.0 || promised.is_nan() {
                    damping *= 8.0;
                    continue;
                }
                for i in 0..k {
                    trial[i] = (at[i] + step[i]).clamp(-self.bounds[i], self.bounds[i]);
                }
                match self.errors(&trial, &mut error_next) {
                    Some(next) if next < squares => {
                        let gain = squares - next;
                        damping = if gain > 0.75 * promised {
                            damping / 10.0
                        } else if gain < 0.25 * promised {
                            damping * 2.0
                        } else {
                            damping / 3.0
                        };
                        damping = damping.max(1e-9);
                        squares = next;
                        std::mem::swap(&mut at, &mut trial);
                        std::mem::swap(&mut error, &mut error_next);
                        regression.copy_from_slice(&self.regression);
                        moved = gain > small * next;
                        break;
                    }
                    _ => damping *= 8.0,
                }
            }
            if !moved {
                break;
            }
        }
        Some(Estimate { partial: at, regression, squares, n })
    }

    /// The damped Gauss–Newton step of the coordinates that are not pushed against their bounds, cut short of them; what
    /// it promises to take from the sum of squares without and with that cut.
    fn step(
        &self,
        at: &[f64],
        system: &[f64],
        gradient: &[f64],
        damping: f64,
        damped: &mut [f64],
        step: &mut [f64],
    ) -> (f64, f64) {
        let k = at.len();
        let largest = (0..k).map(|i| system[i * k + i]).fold(f64::MIN_POSITIVE, f64::max);
        damped.copy_from_slice(system);
        for i in 0..k {
            step[i] = -gradient[i];
            damped[i * k + i] += damping * system[i * k + i].max(1e-8 * largest);
            let pushed =
                (at[i] >= self.bounds[i] && gradient[i] < 0.0) || (at[i] <= -self.bounds[i] && gradient[i] > 0.0);
            if pushed {
                for j in 0..k {
                    damped[i * k + j] = 0.0;
                    damped[j * k + i] = 0.0;
                }
                damped[i * k + i] = 1.0;
                step[i] = 0.0;
            }
        }
        if !solve(damped, step) {
            return (f64::NAN, f64::NAN);
        }
        let bend = |step: &[f64]| -> f64 {
            (0..k).map(|i| step[i] * (0..k).map(|j| system[i * k + j] * step[j]).sum::<f64>()).sum()
        };
        let hoped = -2.0 * dot(step, gradient) - bend(step);
        for i in 0..k {
            step[i] = step[i].clamp(REACH * (-self.bounds[i] - at[i]), REACH * (self.bounds[i] - at[i]));
        }
        (hoped, -2.0 * dot(step, gradient) - bend(step))
    }

    /// The whitened innovations at these partial autocorrelations, times the common factor; the sum of their squares.
    fn errors(&mut self, partial: &[f64], out: &mut [f64]) -> Option<f64> {
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
        out.copy_from_slice(series);
        for (column, b) in columns.iter().zip(&self.regression) {
            out.iter_mut().zip(column).for_each(|(o, x)| *o -= b * x);
        }
        out.iter_mut().for_each(|o| *o *= factor);
        let squares = dot(out, out);
        squares.is_finite().then_some(squares)
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

/// Solves a positive definite system by Cholesky's method, in place; false where it is not positive definite.
fn solve(system: &mut [f64], right: &mut [f64]) -> bool {
    let k = right.len();
    for i in 0..k {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|m| system[i * k + m] * system[j * k + m]).sum();
            let left = system[i * k + j] - sum;
            if i == j {
                if left <= 0.0 || !left.is_finite() {
                    return false;
                }
                system[i * k + i] = left.sqrt();
            } else {
                system[i * k + j] = left / system[j * k + j];
            }
        }
    }
    for i in 0..k {
        let sum: f64 = (0..i).map(|m| system[i * k + m] * right[m]).sum();
        right[i] = (right[i] - sum) / system[i * k + i];
    }
    for i in (0..k).rev() {
        let sum: f64 = (i + 1..k).map(|m| system[m * k + i] * right[m]).sum();
        right[i] = (right[i] - sum) / system[i * k + i];
    }
    true
}
