//! Did a series change its level for good, when, and by how much? The test behind `changepoints`.
//!
//! **Data.** Weekly means of daily sales (steps as they are of longer ones), closed days and weekdays adjusted, without what
//! the known covariates do ([`super::expected`]); divided by what the other series of the panel and of its group did at the
//! same time (medians), so that the season and the trend that they share are no change; blocks far from a running median are
//! moved to there.
//!
//! **Test.** y = Xb + d·1(t ≥ τ) + u, with a mean and up to three pairs of annual harmonics in X, by generalised least squares
//! for every τ that leaves at least eight weeks (half a season) on both sides. The errors u are white noise and an AR(1)
//! process, to a random walk: one of twenty, weighted by their restricted likelihood with the change. The p-value of the
//! largest statistic is that of the sup-Wald test (Andrews 1993, *Econometrica* vol. 61) by the formula of Estrella (2003,
//! *Econometric Theory* vol. 19), at the normal quantile of Student's t.
//!
//! **Interval.** The place is chosen because the change is large there, and the error at one place ignores that. So the
//! standard error is made as large as that p-value demands of Student's t: the interval excludes zero if and only if the test
//! for all places does.
//!
//! **For good** is a change that both halves of the time before and of the time after confirm, that odd and even blocks
//! have alike, and that describes the series better (BIC) than a line or a broken line does. Fails where one change is
//! followed by its opposite, where the errors are nearly a random walk (nothing is claimed), and on short series.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::within::independent;
use crate::optimise::positive_definite::solve;
use crate::panel::median;
use crate::statistics::{Estimate, student_quantile};

/// Blocks on either side of the running median, and the robust standard deviations beyond which a block is moved.
const AROUND: usize = 4;
const CLIP: f64 = 3.5;
/// The processes that errors may be of: an AR(1) process with this coefficient, the variance of whose innovations is
/// this multiple of that of white noise besides it.
const ERRORS: [(f64, f64); 20] = [
    (0.0, 0.0),
    (0.2, f64::INFINITY),
    (0.35, f64::INFINITY),
    (0.5, f64::INFINITY),
    (0.65, f64::INFINITY),
    (0.8, f64::INFINITY),
    (0.95, f64::INFINITY),
    (0.5, 0.5),
    (0.8, 0.5),
    (0.8, 0.1),
    (0.95, 0.5),
    (0.95, 0.1),
    (0.95, 0.02),
    (1.0, f64::INFINITY),
    (1.0, 1.0),
    (1.0, 0.2),
    (1.0, 0.05),
    (1.0, 0.015),
    (1.0, 0.005),
    (1.0, 0.0015),
];
/// A coefficient from which a level wanders.
const WALK: f64 = 0.99;
/// The p-value of what is not for good, and the largest of what is.
const HALF: f64 = 0.5;
/// Below this p-value the quantile is not computed: the choice of the place no longer matters.
const LEAST_P: f64 = 1e-12;
/// Blocks that a series must have besides those of two minimal stretches.
const SPARE: usize = 8;

/// How series are put into blocks and tested.
pub(super) struct Design {
    /// Steps in a block, and blocks in a year.
    pub(super) block: usize,
    pub(super) year: f64,
    /// Blocks that a level must last on both sides.
    pub(super) least: usize,
}

/// The best candidate of a series.
#[derive(Clone)]
pub(super) struct Shift {
    /// The first block of the new level.
    pub(super) at: usize,
    pub(super) before: f64,
    pub(super) after: f64,
    /// The change of level and the same relative to the level before, in per cent.
    pub(super) change: Estimate,
    pub(super) relative: Estimate,
    /// The p-value for all places together; a half where it is not for good.
    pub(super) p: f64,
    /// Why it is not for good.
    pub(super) but: &'static str,
}

impl Design {
    /// The fewest blocks of a series that can be tested.
    pub(super) fn fewest(&self) -> usize {
        2 * self.least + SPARE
    }

    /// The best candidate among the blocks; NaN is a block without a value.
    pub(super) fn test(&self, blocks: &[f64], first: usize) -> Option<Shift> {
        let places: Vec<usize> = (0..blocks.len()).filter(|b| blocks[*b].is_finite()).collect();
        let raw: Vec<f64> = places.iter().map(|b| blocks[*b]).collect();
        let n = raw.len();
        let mean = raw.iter().sum::<f64>() / n.max(1) as f64;
        if n < self.fewest() || mean.is_nan() || mean == 0.0 {
            return None;
        }
        let y: Vec<f64> = clipped(&raw).into_iter().map(|y| y / mean.abs()).collect();
        let mut x: Vec<Vec<f64>> = vec![vec![1.0; n]];
        let span = (places[n - 1] - places[0] + 1) as f64 / self.year;
        let pairs = if self.year < 4.0 {
            0
        } else if span >= 1.9 {
            3
        } else {
            usize::from(span >= 1.2)
        };
        let pairs = pairs.min((self.year / 2.0 - 0.5) as usize);
        for k in 1..=pairs {
            let angle = |b: &usize| std::f64::consts::TAU * k as f64 * (first + b) as f64 / self.year;
            x.push(places.iter().map(|b| angle(b).cos()).collect());
            x.push(places.iter().map(|b| angle(b).sin()).collect());
        }
        let errors: Vec<White> = ERRORS.iter().map(|(walk, ratio)| White::of(*walk, *ratio, n)).collect();
        let mut at = Fit::of(&y, &x, &errors[0])?.best(self.least)?;
        let mut chosen = 0;
        let mut weights: Vec<f64> = Vec::new();
        for _ in 0..2 {
            let mut with = x.clone();
            with.push((0..n).map(|t| f64::from(u8::from(t >= at))).collect());
            // What was far from likely at the first place is so at the next.
            let likely = |k: usize| weights.get(k).is_none_or(|weight: &f64| *weight > 1e-6);
            let likelihoods: Vec<f64> = errors
                .iter()
                .enumerate()
                .map(|(k, white)| if likely(k) { restricted(&y, &with, white) } else { f64::NEG_INFINITY })
                .collect();
            chosen = (0..errors.len()).max_by(|a, b| likelihoods[*a].total_cmp(&likelihoods[*b]))?;
            weights = likelihoods.iter().map(|l| (l - likelihoods[chosen]).exp()).collect();
            at = Fit::of(&y, &x, &errors[chosen])?.best(self.least)?;
        }
        let fit = Fit::of(&y, &x, &errors[chosen])?;
        let step = fit.step(at)?;
        let freedom = (n - x.len() - 3) as f64;
        let sum = fit.sum - step.value * step.value * step.square;
        // Over the processes that the errors may be of.
        let all: f64 = weights.iter().sum();
        let (mut p, mut variance, mut wanders) = (0.0, 0.0, 0.0);
        for (k, white) in errors.iter().enumerate().filter(|(k, _)| weights[*k] > 0.01) {
            let share = weights[k] / all;
            let other = Fit::of(&y, &x, white)?;
            let own = other.step(at)?;
            let square = (other.sum - own.value * own.value * own.square) / freedom / own.square;
            variance += share * (square + (own.value - step.value).powi(2));
            p += share * sup_wald(own.value / square.sqrt(), freedom, self.least as f64 / n as f64);
            wanders += if ERRORS[k].0 >= WALK { share } else { 0.0 };
        }
        let error = variance.sqrt();
        let change = Estimate { value: step.value * mean.abs(), error: error * mean.abs(), freedom };
        let (levels, _) = fit.levels(&y, &x, at)?;
        let base = fit.base(&y, &x, at)?;
        let before = base * mean.abs();
        let after = before + change.value;
        let share = at as f64 / n as f64;
        let variance = error * error;
        let (own_before, own_after) = (variance * (1.0 - share), variance * share);
        let ratio = (after / before).abs();
        let relative_error = (own_after + ratio * ratio * own_before).sqrt() / base.abs();
        let relative = Estimate { value: 100.0 * change.value / before.abs(), error: 100.0 * relative_error, freedom };
        let sign = step.value.signum();
        let part = |from: usize, to: usize| levels[from..to].iter().sum::<f64>() / (to - from).max(1) as f64;
        let (b, a) = (at / 2, at + (n - at) / 2);
        let gap = [part(at, a), part(a, n)]
            .iter()
            .flat_map(|after| [part(0, b), part(b, at)].map(|before| sign * (after - before)))
            .fold(f64::INFINITY, f64::min);
        let of_parity = |parity: usize| {
            let of = |from: usize, to: usize| {
                let own: Vec<f64> = (from..to).filter(|t| t % 2 == parity).map(|t| levels[t]).collect();
                own.iter().sum::<f64>() / own.len().max(1) as f64
            };
            of(at, n) - of(0, at)
        };
        let (odd, even) = (of_parity(1), of_parity(0));
        let alike =
            odd * sign > 0.0 && even * sign > 0.0 && (odd - even).abs() <= (0.5 * step.value.abs()).max(3.0 * error);
        let but = if p > 0.2 {
            ""
        } else if wanders > 0.9 && p > 0.001 {
            "its level wanders"
        } else if gap < 0.3 * step.value.abs() {
            "it did not last"
        } else if !alike {
            "odd and even steps differ"
        } else if !fit.better_than_lines(sum, self.least) {
            "a trend describes it better"
        } else {
            ""
        };
        let p = if but.is_empty() { p.min(HALF) } else { HALF };
        let (change, relative) = (as_sure(change, p), as_sure(relative, p));
        Some(Shift { at: places[at], before, after, change, relative, p: relative.p_value(), but })
    }
}

/// An estimate whose interval is as wide as this p-value of the best of all places demands.
fn as_sure(estimate: Estimate, p: f64) -> Estimate {
    let least = match student_quantile(estimate.freedom, p / 2.0) {
        Ok(quantile) if p > LEAST_P => estimate.value.abs() / quantile.abs(),
        _ => 0.0,
    };
    Estimate { error: estimate.error.max(least), ..estimate }
}

/// A step's estimate and the sum of squares of its regressor.
struct Step {
    value: f64,
    square: f64,
}

/// Kalman's filter of an AR(1) process with white noise: it makes the errors white.
struct White {
    walk: f64,
    gains: Vec<f64>,
    /// One over the standard deviations of the innovations.
    scales: Vec<f64>,
    /// The logarithm of the determinant of the errors' covariance.
    determinant: f64,
}

impl White {
    fn of(walk: f64, ratio: f64, n: usize) -> Self {
        let pure = ratio.is_infinite();
        let (noise, own) = if pure { (0.0, 1.0) } else { (1.0, ratio) };
        let mut variance = if walk < 1.0 { own / (1.0 - walk * walk) } else { own };
        let (mut gains, mut scales, mut determinant) = (Vec::with_capacity(n), Vec::with_capacity(n), 0.0);
        for _ in 0..n {
            let innovation: f64 = variance + noise;
            let gain = variance / innovation;
            gains.push(gain);
            scales.push(innovation.sqrt().recip());
            determinant += innovation.ln();
            variance = walk * walk * variance * (1.0 - gain) + own;
        }
        Self { walk, gains, scales, determinant }
    }

    /// A column that is zero before `from`.
    fn filter(&self, column: &[f64], from: usize) -> Vec<f64> {
        let mut level = 0.0;
        let mut white = vec![0.0; column.len()];
        for t in from..column.len() {
            let innovation = column[t] - level;
            white[t] = innovation * self.scales[t];
            level = self.walk * (level + self.gains[t] * innovation);
        }
        white
    }
}

/// The restricted log likelihood with these regressors and errors.
fn restricted(y: &[f64], x: &[Vec<f64>], white: &White) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut base: Vec<Vec<f64>> = Vec::with_capacity(x.len());
    let mut determinant = white.determinant;
    for column in x {
        let mut rest = white.filter(column, 0);
        let size = dot(&rest, &rest);
        for other in &base {
            let along = dot(other, &rest);
            rest.iter_mut().zip(other).for_each(|(r, o)| *r -= along * o);
        }
        let left = dot(&rest, &rest);
        if left > 1e-10 * size {
            determinant += left.ln();
            rest.iter_mut().for_each(|v| *v /= left.sqrt());
            base.push(rest);
        }
    }
    let rest = white.filter(y, 0);
    let sum = dot(&rest, &rest) - base.iter().map(|column| dot(column, &rest).powi(2)).sum::<f64>();
    let freedom = (y.len() - base.len()).max(1) as f64;
    -0.5 * (freedom * (sum.max(1e-300) / freedom).ln() + determinant)
}

/// Generalised least squares: an orthonormal base of the regressors and the response without them.
struct Fit<'a> {
    white: &'a White,
    base: Vec<Vec<f64>>,
    rest: Vec<f64>,
    sum: f64,
}

impl<'a> Fit<'a> {
    fn of(y: &[f64], x: &[Vec<f64>], white: &'a White) -> Option<Self> {
        let n = y.len();
        let mut base: Vec<Vec<f64>> = Vec::new();
        for column in x {
            let mut rest = white.filter(column, 0);
            let size = rest.iter().map(|v| v * v).sum::<f64>().sqrt();
            for _ in 0..2 {
                for other in &base {
                    let along: f64 = other.iter().zip(&rest).map(|(a, b)| a * b).sum();
                    rest.iter_mut().zip(other).for_each(|(r, o)| *r -= along * o);
                }
            }
            let left = rest.iter().map(|v| v * v).sum::<f64>().sqrt();
            if left > 1e-6 * size {
                rest.iter_mut().for_each(|v| *v /= left);
                base.push(rest);
            }
        }
        let mut rest = white.filter(y, 0);
        for other in &base {
            let along: f64 = other.iter().zip(&rest).map(|(a, b)| a * b).sum();
            rest.iter_mut().zip(other).for_each(|(r, o)| *r -= along * o);
        }
        let sum: f64 = rest.iter().map(|r| r * r).sum();
        (sum > 1e-20 * n as f64 && sum.is_finite()).then_some(Self { white, base, rest, sum })
    }

    fn step(&self, at: usize) -> Option<Step> {
        let n = self.rest.len();
        let step = self.white.filter(&(0..n).map(|t| f64::from(u8::from(t >= at))).collect::<Vec<_>>(), at);
        let with = |column: &[f64]| step[at..].iter().zip(&column[at..]).map(|(a, b)| a * b).sum::<f64>();
        let all = with(&step);
        let square = all - self.base.iter().map(|column| with(column).powi(2)).sum::<f64>();
        (square > 1e-6 * all).then(|| Step { value: with(&self.rest) / square, square })
    }

    /// The place with the largest statistic: among every third or so, then among their neighbours.
    fn best(&self, least: usize) -> Option<usize> {
        let n = self.rest.len();
        let (from, to) = (least.max(1), (n.checked_sub(least)? + 1).min(n));
        let gain = |at: usize| self.step(at).map_or(0.0, |step| step.value * step.value * step.square);
        let stride = (n / 48).max(1);
        let mut coarse: Vec<(f64, usize)> = (from..to).step_by(stride).map(|at| (gain(at), at)).collect();
        coarse.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let near =
            coarse.iter().take(2).flat_map(|(_, at)| at.saturating_sub(stride - 1).max(from)..(at + stride).min(to));
        let fine: Vec<(f64, usize)> = near.map(|at| (gain(at), at)).collect();
        let best = fine.into_iter().max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))?;
        (best.0 > 0.0).then_some(best.1)
    }

    /// The coefficients of the regressors and of the step.
    fn coefficients(&self, y: &[f64], x: &[Vec<f64>], at: usize) -> Option<Vec<f64>> {
        let n = y.len();
        let mut columns: Vec<Vec<f64>> = x.iter().map(|column| self.white.filter(column, 0)).collect();
        columns.push(self.white.filter(&(0..n).map(|t| f64::from(u8::from(t >= at))).collect::<Vec<_>>(), at));
        let y = self.white.filter(y, 0);
        let p = columns.len();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let system: Vec<f64> = columns.iter().flat_map(|a| columns.iter().map(|b| dot(a, b))).collect();
        let kept = independent(&system, (0..p).filter(|k| system[k * p + k] > 1e-12), p);
        let mut part: Vec<f64> =
            kept.iter().flat_map(|a| kept.iter().map(|b| system[a * p + b]).collect::<Vec<_>>()).collect();
        let mut right: Vec<f64> = kept.iter().map(|a| dot(&columns[*a], &y)).collect();
        if !solve(&mut part, &mut right) {
            return None;
        }
        let mut solution = vec![0.0; p];
        kept.iter().zip(right).for_each(|(k, value)| solution[*k] = value);
        Some(solution)
    }

    /// The response without the regressors, and the change: levels, of which those after are higher by it.
    fn levels(&self, y: &[f64], x: &[Vec<f64>], at: usize) -> Option<(Vec<f64>, f64)> {
        let solution = self.coefficients(y, x, at)?;
        let level = |t: usize| y[t] - x.iter().zip(&solution).map(|(x, b)| x[t] * b).sum::<f64>();
        Some(((0..y.len()).map(level).collect(), solution[x.len()]))
    }

    /// The level before, at the mean of season and covariates.
    fn base(&self, y: &[f64], x: &[Vec<f64>], at: usize) -> Option<f64> {
        let solution = self.coefficients(y, x, at)?;
        let n = y.len() as f64;
        Some(x.iter().zip(&solution).map(|(column, b)| b * column.iter().sum::<f64>() / n).sum())
    }

    /// Is the step better than a line and than a line with a bend?
    fn better_than_lines(&self, sum: f64, least: usize) -> bool {
        let n = self.rest.len();
        let project = |column: Vec<f64>, base: &[Vec<f64>]| {
            let mut rest = column;
            for other in base {
                let along: f64 = other.iter().zip(&rest).map(|(a, b)| a * b).sum();
                rest.iter_mut().zip(other).for_each(|(r, o)| *r -= along * o);
            }
            rest
        };
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let bic = |sum: f64, k: f64| n as f64 * (sum.max(1e-300) / n as f64).ln() + k * (n as f64).ln();
        let line = project(self.white.filter(&(0..n).map(|t| t as f64 / n as f64).collect::<Vec<_>>(), 0), &self.base);
        let square = dot(&line, &line);
        if square < 1e-12 {
            return true;
        }
        let unit: Vec<f64> = line.iter().map(|v| v / square.sqrt()).collect();
        let along = dot(&unit, &self.rest);
        let of_line = self.sum - along * along;
        let rest: Vec<f64> = self.rest.iter().zip(&unit).map(|(r, u)| r - along * u).collect();
        let mut base = self.base.clone();
        base.push(unit);
        let stride = (n / 40).max(1);
        let of_bend = (least..n.saturating_sub(least)).step_by(stride).map(|bend| {
            let column: Vec<f64> = (0..n).map(|t| t.saturating_sub(bend) as f64 / n as f64).collect();
            let bent = project(self.white.filter(&column, bend), &base);
            let square = dot(&bent, &bent);
            if square < 1e-12 { of_line } else { of_line - dot(&bent, &rest).powi(2) / square }
        });
        let of_bend = of_bend.fold(of_line, f64::min);
        let step = bic(sum, 2.0);
        step < bic(of_line, 1.0) && step < bic(of_bend, 3.0)
    }
}

/// Values beyond robust standard deviations from the median of those around are moved to there.
fn clipped(values: &[f64]) -> Vec<f64> {
    let n = values.len();
    let around: Vec<f64> =
        (0..n).map(|t| median(values[t.saturating_sub(AROUND)..(t + AROUND + 1).min(n)].to_vec())).collect();
    let scale = 1.4826 * median(values.iter().zip(&around).map(|(v, m)| (v - m).abs()).collect());
    let most = if scale > 0.0 { CLIP * scale } else { f64::INFINITY };
    values.iter().zip(around).map(|(v, m)| v.clamp(m - most, m + most)).collect()
}

/// How probable a statistic as large is at any place, where the share `trim` is left out at both ends.
pub(super) fn sup_wald(t: f64, freedom: f64, trim: f64) -> f64 {
    let Ok(student) = StudentsT::new(0.0, 1.0, freedom.max(1.0)) else { return 1.0 };
    let single = 2.0 * student.cdf(-t.abs());
    if single.is_nan() || single <= 0.0 {
        return if t.is_nan() { 1.0 } else { 0.0 };
    }
    let x = Normal::standard().inverse_cdf((single / 2.0).max(1e-300)).powi(2);
    let trim = trim.clamp(0.01, 0.49);
    let lambda = 2.0 * ((1.0 - trim) / trim).ln();
    // Estrella (2003) for one parameter; the approximation is of the tail.
    if x < 1.5 {
        return 1.0;
    }
    let tail = x.sqrt() * (-x / 2.0).exp() / (2.0_f64.sqrt() * std::f64::consts::PI.sqrt());
    (tail * ((1.0 - 1.0 / x) * lambda + 2.0 / x)).clamp(single.min(1.0), 1.0)
}
