//! Sums of squares within bounds, by the method of Levenberg and Marquardt.
//!
//! The curvature of a sum of squares is nearly twice JᵀJ, J the derivatives of the errors, which come for nothing with the
//! gradient (Nocedal & Wright 2006, *Numerical Optimization*, 2nd ed., §10.3): a handful of steps are enough where a
//! method that has to learn the curvature takes dozens. Coordinates that stand on a bound and are pushed against it are
//! fixed for the step, and every point is projected onto the bounds.

use super::{Minimum, Stop, finite, project};

/// The normal equations at a point: what the errors r and their derivatives J say of the way down.
#[derive(Clone, Copy, Debug)]
pub struct Normal<const P: usize> {
    /// Jᵀr, half the gradient.
    pub gradient: [f64; P],
    /// JᵀJ; only the lower triangle is read.
    pub square: [[f64; P]; P],
}

impl<const P: usize> Default for Normal<P> {
    /// No errors yet.
    fn default() -> Self {
        Self { gradient: [0.0; P], square: [[0.0; P]; P] }
    }
}

impl<const P: usize> Normal<P> {
    /// Adds one error and its derivatives.
    #[inline(always)]
    pub fn add(&mut self, error: f64, derivatives: &[f64; P]) {
        for i in 0..P {
            self.gradient[i] += derivatives[i] * error;
            for j in 0..=i {
                self.square[i][j] += derivatives[i] * derivatives[j];
            }
        }
    }

    /// How much lower the sum of squares is after a step, as far as it is quadratic.
    fn gain(&self, step: &[f64; P]) -> f64 {
        let mut gain = 0.0;
        for i in 0..P {
            let row: f64 = (0..i).map(|j| self.square[i][j] * step[j]).sum();
            gain -= step[i] * (2.0 * self.gradient[i] + 2.0 * row + self.square[i][i] * step[i]);
        }
        gain
    }

    /// The damped step of the free coordinates; none where the equations have no solution.
    fn step(&self, free: &[bool; P], damping: f64) -> Option<[f64; P]> {
        let mut root = self.square;
        let mut step = [0.0; P];
        let largest = (0..P).map(|i| self.square[i][i]).fold(0.0, f64::max);
        for i in 0..P {
            // A coordinate that moves nothing stays where it is.
            root[i][i] += damping * root[i][i] + f64::EPSILON * largest;
            if !free[i] {
                root[i] = [0.0; P];
                root.iter_mut().for_each(|row| row[i] = 0.0);
                root[i][i] = 1.0;
            }
            step[i] = if free[i] { -self.gradient[i] } else { 0.0 };
        }
        for i in 0..P {
            for j in 0..=i {
                let sum: f64 = (0..j).map(|k| root[i][k] * root[j][k]).sum();
                let left = root[i][j] - sum;
                root[i][j] = match i == j {
                    true if left > 0.0 && left.is_finite() => left.sqrt(),
                    true => return None,
                    false => left / root[j][j],
                };
            }
            let sum: f64 = (0..i).map(|k| root[i][k] * step[k]).sum();
            step[i] = (step[i] - sum) / root[i][i];
        }
        for i in (0..P).rev() {
            let sum: f64 = (i + 1..P).map(|k| root[k][i] * step[k]).sum();
            step[i] = (step[i] - sum) / root[i][i];
        }
        step.iter().all(|s| s.is_finite()).then_some(step)
    }
}

/// The least sum of squares near `start`. `f` returns the sum and adds every error to the normal equations, which it is
/// given empty. The tolerance is relative to the sum, whatever its size.
pub fn least_squares<const P: usize>(
    mut f: impl FnMut(&[f64; P], &mut Normal<P>) -> f64,
    start: [f64; P],
    bounds: &[(f64, f64); P],
    stop: Stop,
) -> Minimum {
    let mut x = start;
    project(&mut x, bounds);
    let mut normal = Normal::default();
    let mut value = finite(f(&x, &mut normal));
    let mut evaluations = 1;
    let (mut damping, mut growth, mut small) = (1e-3, 2.0, 0);
    while value > 0.0 && value.is_finite() && evaluations < stop.evaluations && small < 2 && damping < 1e9 {
        let free = std::array::from_fn(|i| {
            let (low, high) = bounds[i];
            !((x[i] <= low && normal.gradient[i] > 0.0) || (x[i] >= high && normal.gradient[i] < 0.0))
        });
        let Some(step) = normal.step(&free, damping) else {
            damping *= 10.0;
            continue;
        };
        let mut next: [f64; P] = std::array::from_fn(|i| x[i] + step[i]);
        project(&mut next, bounds);
        if next == x {
            break;
        }
        let mut there = Normal::default();
        let trial = finite(f(&next, &mut there));
        evaluations += 1;
        // What the equations promise, with the damping that the step was taken under.
        let promised = normal.gain(&std::array::from_fn(|i| next[i] - x[i]));
        if trial < value {
            small = if value - trial <= stop.tolerance * value { small + 1 } else { 0 };
            // The better the promise was kept, the bolder the next step (Nielsen 1999).
            let kept = (value - trial) / promised.max(f64::MIN_POSITIVE);
            damping = (damping * (1.0 - (2.0 * kept - 1.0).powi(3)).clamp(0.1, 2.0)).max(1e-9);
            (x, value, normal) = (next, trial, there);
            growth = 2.0;
        } else {
            // Where even a whole step promises nothing, there is nothing left to find; one that a bound has cut short says
            // less, and is turned towards the steepest way down.
            let whole = (0..P).all(|i| next[i] == x[i] + step[i]);
            if whole && promised <= stop.tolerance * value {
                break;
            }
            damping *= growth;
            growth *= 2.0;
        }
    }
    Minimum { at: x.to_vec(), value, evaluations }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's valley as a sum of squares.
    fn valley(x: &[f64; 2], normal: &mut Normal<2>) -> f64 {
        let errors = [1.0 - x[0], 10.0 * (x[1] - x[0] * x[0])];
        normal.add(errors[0], &[-1.0, 0.0]);
        normal.add(errors[1], &[-20.0 * x[0], 10.0]);
        errors.iter().map(|e| e * e).sum()
    }

    #[test]
    fn the_end_of_a_curved_valley_is_found_in_a_few_steps() {
        let found = least_squares(valley, [-1.2, 1.0], &[(-3.0, 3.0); 2], Stop::default());
        assert!(found.at.iter().all(|x| (x - 1.0).abs() < 1e-6) && found.evaluations < 60, "{found:?}");
        let found = least_squares(valley, [1.0, 1.0], &[(-3.0, 3.0); 2], Stop::default());
        assert_eq!((found.at.as_slice(), found.evaluations), ([1.0, 1.0].as_slice(), 1));
    }

    #[test]
    fn bounds_hold_and_the_answer_may_lie_on_them() {
        // Along x = ½ the valley is lowest at y = ¼; with x ≤ ½ that is the least value.
        let inside = |x: &[f64; 2], normal: &mut Normal<2>| {
            assert!((-2.0..=0.5).contains(&x[0]) && (-1.0..=2.0).contains(&x[1]));
            valley(x, normal)
        };
        for start in [[-2.0, 2.0], [0.5, -1.0], [40.0, -50.0]] {
            let found = least_squares(inside, start, &[(-2.0, 0.5), (-1.0, 2.0)], Stop::default());
            assert!((found.at[0] - 0.5).abs() < 1e-9 && (found.at[1] - 0.25).abs() < 1e-6, "{start:?}: {found:?}");
        }
    }

    #[test]
    fn what_is_not_finite_or_says_nothing_is_left_alone() {
        let nowhere = least_squares(|_: &[f64; 1], _| f64::NAN, [1.0], &[(0.0, 2.0)], Stop::default());
        assert!(nowhere.value.is_infinite() && nowhere.at == [1.0]);
        // The second coordinate moves nothing; to the left of 0 there are no values.
        let half = |x: &[f64; 2], normal: &mut Normal<2>| {
            normal.add(x[0].ln(), &[1.0 / x[0], 0.0]);
            x[0].ln().powi(2)
        };
        let found = least_squares(half, [30.0, 0.7], &[(-90.0, 90.0), (0.0, 1.0)], Stop::default());
        assert!((found.at[0] - 1.0).abs() < 1e-4 && found.at[1] == 0.7, "{found:?}");
    }
}
