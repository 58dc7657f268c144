//! The optimised and dynamic Theta models of Fiorucci et al. 2016 (*International Journal of Forecasting* 32).
//!
//! A series is the weighted mean of its linear trend A + B·t, weight w = 1 − 1/θ, and of a line bent θ times as much as
//! itself, which is extrapolated by simple exponential smoothing. The one-step forecast of time t after k values is
//! ŷ(t) = ℓ + w·(A·u + B·v), ℓ ← ℓ + α(y − ℓ), u = (1−α)ᵏ, v = t less the smoothed times of the k values. The
//! trend is the least-squares line of the whole series (OTM) or, at each step, of the values so far (DSTM with θ = 2,
//! DOTM). Further ahead the forecasts take the place of the values that are not known yet.
//!
//! A, B, u and v depend on α and the data alone, and ℓ on ℓ(0) through u·ℓ(0), so that every error is linear in (ℓ(0),
//! w): for each α in [0.1, 0.99] the best pair with θ ≥ 1 is the solution of two equations, and the fit a search in one
//! dimension. The errors of the first three values do not count and are not among the residuals (fewer where hardly any
//! others would be left).
//!
//! The variance h steps ahead follows from the same recursion, which is linear in the values: for OTM it is
//! σ²(1 + (h−1)α²), for the dynamic forms the uncertainty of the trend comes on top.

use serde::{Deserialize, Serialize};

use crate::optimise::on_interval;

/// The range in which α is looked for.
const ALPHA: (f64, f64) = (0.1, 0.99);
/// The largest weight of the trend: θ is at most 10¹⁰.
const HEAVIEST: f64 = 1.0 - 1e-10;
/// Errors at the beginning that do not count.
pub(super) const SKIPPED: usize = 3;

/// A fitted model: its parameters, and its state after the last value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lines {
    pub alpha: f64,
    /// The weight of the trend.
    weight: f64,
    /// ℓ(0).
    pub start: f64,
    /// Is the trend that of the values so far?
    dynamic: bool,
    /// Is the weight estimated?
    optimised: bool,
    skipped: usize,
    /// The sum of the squared errors that count.
    pub squares: f64,
    /// The trend of the whole series where it is a parameter, else of no values.
    trend: Trend,
    state: State,
}

/// What changes from step to step.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct State {
    level: f64,
    /// The weight that ℓ(0) has left in the level.
    u: f64,
    /// The next time less the smoothed times.
    v: f64,
    /// The next time, from 1.
    time: f64,
    trend: Trend,
}

/// The least-squares line through some points, brought up to date one point at a time.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Trend {
    points: f64,
    time: f64,
    mean: f64,
    /// Sum of squares of the times, centred, and of their products with the values.
    times: f64,
    products: f64,
}

impl Trend {
    fn add(&mut self, time: f64, value: f64) {
        let (dt, dy) = (time - self.time, value - self.mean);
        let share = 1.0 / (self.points + 1.0);
        let pull = self.points * share * dt;
        self.times += pull * dt;
        self.products += pull * dy;
        self.time += share * dt;
        self.mean += share * dy;
        self.points += 1.0;
    }

    fn slope(&self) -> f64 {
        if self.times > 0.0 { self.products / self.times } else { 0.0 }
    }

    fn intercept(&self) -> f64 {
        self.mean - self.slope() * self.time
    }
}

/// The values that are not missing and their times, the first at 1.
fn known(y: &[f64]) -> impl Iterator<Item = (f64, f64)> {
    let times = std::iter::successors(Some(1.0), |time| Some(time + 1.0));
    times.zip(y.iter().copied().skip_while(|v| v.is_nan())).filter(|(_, v)| !v.is_nan())
}

/// The observed values, with all that the errors need besides α.
struct Points {
    /// Less the first value, which costs no precision where the level is far above the changes.
    y: Vec<f64>,
    intercept: Vec<f64>,
    slope: Vec<f64>,
    /// Steps to the next value.
    gap: Vec<f64>,
    first: f64,
    skipped: usize,
}

impl Points {
    fn new(y: &[f64], dynamic: bool, parameters: usize) -> Self {
        let first = known(y).next().map_or(0.0, |(_, v)| v);
        let n = known(y).count();
        let column = || Vec::with_capacity(n);
        let skipped = SKIPPED.min(n.saturating_sub(parameters + 1));
        let mut points = Self { y: column(), intercept: column(), slope: column(), gap: column(), first, skipped };
        let mut trend = Trend::default();
        if !dynamic {
            known(y).for_each(|(time, v)| trend.add(time, v - first));
        }
        let mut last = 1.0;
        for (time, v) in known(y) {
            let y = v - first;
            points.y.push(y);
            points.intercept.push(trend.intercept());
            points.slope.push(trend.slope());
            if time > last {
                points.gap.push(time - last);
            }
            if dynamic {
                trend.add(time, y);
            }
            last = time;
        }
        points.gap.push(0.0);
        points
    }

    /// The least sum of squares for one α, with the ℓ(0) and the weight of the trend that give it.
    fn best(&self, alpha: f64, weight: Option<f64>) -> (f64, f64, f64) {
        let (mut level, mut u, mut v) = (0.0, 1.0, 1.0);
        let (mut rr, mut ru, mut rc, mut uu, mut uc, mut cc) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        let lines = self.intercept.iter().zip(&self.slope);
        for (k, ((y, gap), (intercept, slope))) in self.y.iter().zip(&self.gap).zip(lines).enumerate() {
            let r = y - level;
            if k >= self.skipped {
                let c = intercept * u + slope * v;
                rr += r * r;
                ru += r * u;
                rc += r * c;
                uu += u * u;
                uc += u * c;
                cc += c * c;
            }
            level += alpha * r;
            u -= alpha * u;
            v += gap - alpha * v;
        }
        // Where the trend cannot be told from the starting level, the weight is that of the standard form.
        let determinant = uu * cc - uc * uc;
        let clear = determinant > 1e-12 * uu * cc;
        let free = if clear { (uu * rc - uc * ru) / determinant } else { 0.5 };
        let weight = weight.unwrap_or(free.clamp(0.0, HEAVIEST));
        let start = if uu > 0.0 { (ru - weight * uc) / uu } else { 0.0 };
        let squares =
            rr - 2.0 * (start * ru + weight * rc) + start * (start * uu + 2.0 * weight * uc) + weight * weight * cc;
        (squares.max(0.0), start, weight)
    }
}

impl Lines {
    /// The best fit to a series without season, and its one-step errors.
    pub fn fit(y: &[f64], dynamic: bool, optimised: bool) -> (Self, Vec<f64>) {
        let points = Points::new(y, dynamic, if optimised { 3 } else { 2 });
        let fixed = if optimised { None } else { Some(0.5) };
        let alpha = on_interval(ALPHA, |alpha| points.best(alpha, fixed).0);
        let (squares, start, weight) = points.best(alpha, fixed);
        let mut trend = Trend::default();
        if !dynamic {
            known(y).for_each(|(time, v)| trend.add(time, v));
        }
        let start = start + (1.0 - weight) * points.first;
        let state = State { level: start, u: 1.0, v: 1.0, time: 1.0, trend };
        Self { alpha, weight, start, dynamic, optimised, skipped: points.skipped, squares, trend, state }.run(y)
    }

    /// The same parameters on another series.
    pub fn run(&self, y: &[f64]) -> (Self, Vec<f64>) {
        let mut state = State { level: self.start, u: 1.0, v: 1.0, time: 1.0, trend: self.trend };
        let mut seen = 0;
        let mut errors = Vec::with_capacity(y.len());
        for value in y {
            let known = !value.is_nan();
            let counts = known && seen >= self.skipped;
            errors.push(if counts { value - state.mean(self.weight) } else { f64::NAN });
            if known {
                seen += 1;
                state.learn(self.alpha, self.dynamic, *value);
            }
            // Time begins with the first value.
            if seen > 0 {
                state.time += 1.0;
                state.v += 1.0;
            }
        }
        (Self { state, trend: self.trend, ..*self }, errors)
    }

    /// θ, how much the other line is bent.
    pub fn theta(&self) -> f64 {
        1.0 / (1.0 - self.weight)
    }

    /// The name of the form.
    pub fn name(&self) -> &'static str {
        match (self.dynamic, self.optimised) {
            (true, true) => "DOTM",
            (true, false) => "DSTM",
            (false, _) => "OTM",
        }
    }

    /// Parameters estimated.
    pub fn parameters(&self) -> usize {
        if self.optimised { 3 } else { 2 }
    }

    /// Goes `steps` steps beyond the series: `visit` is told the number of the step, from 0, and its mean, and answers
    /// with the value.
    pub fn walk(&self, steps: usize, mut visit: impl FnMut(usize, f64) -> f64) {
        let mut state = self.state;
        for step in 0..steps {
            let value = visit(step, state.mean(self.weight));
            state.advance(self.alpha, self.dynamic, value);
        }
    }

    /// The variance of each step ahead, in those of one step: the covariance P of the level and of the mean and slope
    /// of the trend is brought forward by P ← M·P·Mᵀ + b·bᵀ, b what an error adds to each.
    pub fn variances(&self, steps: usize) -> Vec<f64> {
        let mut state = self.state;
        let mut covariance = [[0.0; 3]; 3];
        (0..steps)
            .map(|_| {
                let Trend { points, time, times, .. } = state.trend;
                let share = 1.0 / (points + 1.0);
                let pull = points * share * (state.time - time);
                let inverse = if times > 0.0 { 1.0 / times } else { 0.0 };
                let (row, error) = match self.dynamic {
                    true => {
                        let slope = self.weight * (state.v - state.u * time) * inverse;
                        ([1.0, self.weight * state.u, slope], [self.alpha, share, pull])
                    }
                    false => ([1.0, 0.0, 0.0], [self.alpha, 0.0, 0.0]),
                };
                let kept = [[1.0 - self.alpha, 0.0, 0.0], [0.0, 1.0 - error[1], 0.0], [0.0, -error[2], 1.0]];
                let dot = |a: &[f64; 3], b: &[f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
                let seen: [f64; 3] = std::array::from_fn(|i| dot(&covariance[i], &row));
                let variance = 1.0 + dot(&row, &seen);
                let moved: [[f64; 3]; 3] =
                    std::array::from_fn(|i| std::array::from_fn(|j| kept[i][j] + error[i] * row[j]));
                let half: [[f64; 3]; 3] =
                    std::array::from_fn(|i| std::array::from_fn(|j| dot(&moved[i], &covariance[j])));
                covariance =
                    std::array::from_fn(|i| std::array::from_fn(|j| dot(&half[i], &moved[j]) + error[i] * error[j]));
                let value = state.mean(self.weight);
                state.advance(self.alpha, self.dynamic, value);
                variance
            })
            .collect()
    }
}

impl State {
    fn mean(&self, weight: f64) -> f64 {
        self.level + weight * (self.trend.intercept() * self.u + self.trend.slope() * self.v)
    }

    /// Takes in the value of the next time.
    fn learn(&mut self, alpha: f64, dynamic: bool, value: f64) {
        self.level += alpha * (value - self.level);
        self.u -= alpha * self.u;
        self.v -= alpha * self.v;
        if dynamic {
            self.trend.add(self.time, value);
        }
    }

    /// Takes in a value and goes one time further.
    fn advance(&mut self, alpha: f64, dynamic: bool, value: f64) {
        self.learn(alpha, dynamic, value);
        self.time += 1.0;
        self.v += 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A random walk with drift in which every fifth value is missing.
    fn walk(gaps: bool) -> Vec<f64> {
        let mut seed = 5_u64;
        let mut level = 1e4;
        let mut value = |t: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            level += 0.7 + 4.0 * ((seed >> 11) as f64 / (1_u64 << 53) as f64 - 0.5);
            if gaps && t % 5 == 2 { f64::NAN } else { level }
        };
        (0..50).map(&mut value).collect()
    }

    /// The sum of the squared errors that count.
    fn squares(fit: &Lines, y: &[f64]) -> f64 {
        fit.run(y).1.iter().filter(|e| !e.is_nan()).map(|e| e * e).sum()
    }

    #[test]
    fn no_other_parameters_leave_smaller_errors() {
        for (gaps, dynamic, optimised) in
            [(false, false, true), (true, false, true), (true, true, true), (false, true, false)]
        {
            let y = walk(gaps);
            let (fit, errors) = Lines::fit(&y, dynamic, optimised);
            let least = squares(&fit, &y);
            assert!((fit.squares / least - 1.0).abs() < 1e-8, "{} is not {least}", fit.squares);
            assert_eq!(errors.iter().filter(|e| e.is_nan()).count(), SKIPPED + if gaps { 10 } else { 0 });
            for moved in [-1e-3, 1e-3] {
                let mut others = vec![
                    Lines { alpha: (fit.alpha + moved).clamp(ALPHA.0, ALPHA.1), ..fit.clone() },
                    Lines { start: fit.start * (1.0 + moved), ..fit.clone() },
                ];
                if optimised {
                    others.push(Lines { weight: (fit.weight + moved).clamp(0.0, HEAVIEST), ..fit.clone() });
                }
                assert!(others.iter().all(|other| squares(other, &y) >= least * (1.0 - 1e-12)), "{fit:?}");
            }
        }
    }

    /// The recursion of the paper for a series without gaps, written with powers of 1 − α.
    #[test]
    fn errors_are_those_of_the_formulas_of_the_paper() {
        let y = walk(false);
        let (fit, errors) = Lines::fit(&y, true, true);
        let (keep, mut level) = (1.0 - fit.alpha, fit.start);
        let (mut mean, mut slope) = (0.0, 0.0);
        for (t, v) in y.iter().enumerate() {
            let n = t as f64;
            let intercept = mean - slope * (n + 1.0) / 2.0;
            let (decay, further) = (keep.powi(t as i32), keep.powi(t as i32 + 1));
            let expected = level + fit.weight * (intercept * decay + slope * (1.0 - further) / fit.alpha);
            if t >= SKIPPED {
                assert!((v - expected - errors[t]).abs() < 1e-7, "{t}: {} is not {}", v - expected, errors[t]);
            }
            if t > 0 {
                slope = ((n - 1.0) * slope + 6.0 * (v - mean) / (n + 1.0)) / (n + 2.0);
            }
            mean += (v - mean) / (n + 1.0);
            level += fit.alpha * (v - level);
        }
    }

    #[test]
    fn a_trend_brought_up_to_date_is_the_least_squares_line() {
        let mut trend = Trend::default();
        for (time, value) in [(1.0, 3.0), (2.0, 5.0), (4.0, 9.5), (7.0, 14.5)] {
            trend.add(time, value);
        }
        // Σ(t − 3.5)(y − 8) = 40.5 and Σ(t − 3.5)² = 21.
        assert!(
            (trend.slope() - 40.5 / 21.0).abs() < 1e-12
                && (trend.intercept() - (8.0 - 3.5 * 40.5 / 21.0)).abs() < 1e-12
        );
    }
}
