//! The simplex method within bounds.
//!
//! Reflection 1, expansion 1 + 2/n, contraction ¾ − 1/(2n), shrinkage 1 − 1/n (Gao & Han 2012, *Computational Optimization
//! and Applications* 51): the standard ones for two dimensions, gentler ones for more. After it has come to rest, a
//! fresh simplex around the best point is tried once, which frees one that has collapsed onto a bound.

use super::{Minimum, Stop, finite, project};
use crate::progress;

/// The minimum of `f` near `start`.
pub fn nelder_mead(mut f: impl FnMut(&[f64]) -> f64, start: &[f64], bounds: &[(f64, f64)], stop: Stop) -> Minimum {
    let n = start.len();
    let mut best = start.to_vec();
    project(&mut best, bounds);
    let mut value = finite(f(&best));
    let mut evaluations = 1;
    if n == 0 {
        return Minimum { at: best, value, evaluations };
    }
    for size in [0.1, 0.03] {
        let before = value;
        let mut simplex = Simplex::around(&best, value, bounds, size, &mut f);
        evaluations += n;
        evaluations += simplex.rest(&mut f, bounds, stop, stop.evaluations.saturating_sub(evaluations));
        let at = simplex.order[0];
        if simplex.values[at] < value {
            value = simplex.values[at];
            best.copy_from_slice(&simplex.points[at]);
        }
        if evaluations >= stop.evaluations || before - value <= stop.tolerance * value.abs().max(1.0) {
            break;
        }
    }
    Minimum { at: best, value, evaluations }
}

struct Simplex {
    points: Vec<Vec<f64>>,
    values: Vec<f64>,
    /// The points from the best to the worst.
    order: Vec<usize>,
}

impl Simplex {
    /// A corner at `best` and one along each coordinate, away from the bounds.
    fn around(best: &[f64], value: f64, bounds: &[(f64, f64)], size: f64, f: &mut impl FnMut(&[f64]) -> f64) -> Self {
        let (mut points, mut values) = (vec![best.to_vec()], vec![value]);
        for (i, (low, high)) in bounds.iter().enumerate() {
            let width = high - low;
            let reach = if width.is_finite() { size * width } else { size * best[i].abs().max(1.0) };
            let mut corner = best.to_vec();
            corner[i] = if best[i] + reach <= *high { best[i] + reach } else { best[i] - reach };
            values.push(finite(f(&corner)));
            points.push(corner);
        }
        let mut simplex = Self { order: (0..points.len()).collect(), points, values };
        simplex.sort();
        simplex
    }

    fn sort(&mut self) {
        let values = &self.values;
        self.order.sort_by(|a, b| values[*a].total_cmp(&values[*b]).then(a.cmp(b)));
    }

    /// Moves until all corners are alike; how many values that took.
    fn rest(&mut self, f: &mut impl FnMut(&[f64]) -> f64, bounds: &[(f64, f64)], stop: Stop, most: usize) -> usize {
        let n = self.points.len() - 1;
        let size = n as f64;
        let (expand, contract, shrink) = match n {
            1 => (2.0, 0.5, 0.5),
            _ => (1.0 + 2.0 / size, 0.75 - 0.5 / size, 1.0 - 1.0 / size),
        };
        let (mut centre, mut trial, mut second) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        let mut evaluations = 0;
        while evaluations < most && !progress::is_stopped() {
            let (best, worst, next) = (self.order[0], self.order[n], self.order[n - 1]);
            let spread = self.values[worst] - self.values[best];
            let alike = spread <= stop.tolerance * self.values[best].abs().max(1.0) || spread.is_nan();
            if alike && self.width() < 1e-4 {
                break;
            }
            if !self.values[best].is_finite() || self.width() < 1e-10 {
                break;
            }
            centre.fill(0.0);
            for at in &self.order[..n] {
                centre.iter_mut().zip(&self.points[*at]).for_each(|(c, x)| *c += x / size);
            }
            let towards = |factor: f64, worst: &[f64], out: &mut [f64]| {
                for i in 0..n {
                    out[i] = centre[i] + factor * (worst[i] - centre[i]);
                }
                project(out, bounds);
            };
            towards(-1.0, &self.points[worst], &mut trial);
            let mut value = finite(f(&trial));
            evaluations += 1;
            let accepted = if value < self.values[best] {
                towards(-expand, &self.points[worst], &mut second);
                let further = finite(f(&second));
                evaluations += 1;
                if further < value {
                    value = further;
                    std::mem::swap(&mut trial, &mut second);
                }
                true
            } else if value < self.values[next] {
                true
            } else {
                let outside = value < self.values[worst];
                let bar = value.min(self.values[worst]);
                towards(if outside { -contract } else { contract }, &self.points[worst], &mut second);
                let nearer = finite(f(&second));
                evaluations += 1;
                let good = nearer <= bar && nearer.is_finite();
                if good {
                    value = nearer;
                    std::mem::swap(&mut trial, &mut second);
                }
                good
            };
            if accepted {
                self.points[worst].copy_from_slice(&trial);
                self.values[worst] = value;
            } else {
                let anchor = self.points[best].clone();
                for at in 1..=n {
                    let at = self.order[at];
                    for (x, a) in self.points[at].iter_mut().zip(&anchor) {
                        *x = a + shrink * (*x - a);
                    }
                    self.values[at] = finite(f(&self.points[at]));
                    evaluations += 1;
                }
            }
            self.sort();
        }
        evaluations
    }

    /// The size of the simplex, relative to its place.
    fn width(&self) -> f64 {
        let best = &self.points[self.order[0]];
        let apart = |point: &Vec<f64>| {
            point.iter().zip(best).map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f64::max)
        };
        self.points.iter().map(apart).fold(0.0, f64::max)
    }
}
