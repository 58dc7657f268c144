//! Minimisation of functions within bounds, for every model.
//!
//! - [`lbfgs`] for smooth functions whose gradient is known, by formula or by dual numbers: limited-memory BFGS with
//!   projection onto the bounds (Nocedal & Wright 2006, *Numerical Optimization*, 2nd ed., §7.2 and §16.7).
//! - [`nelder_mead`] for the rest, and for a few rough dimensions: the simplex method (Nelder & Mead 1965) with the
//!   coefficients of Gao & Han 2012, which do not stall as dimensions grow, and points moved onto the bounds.
//! - [`least_squares`] for sums of squares whose errors' derivatives are known, likelihoods of normal errors among them:
//!   Levenberg and Marquardt's method.
//! - [`on_interval`] for one number: a coarse grid and the golden section.
//!
//! All are deterministic, never leave the bounds, and take a value that is not finite for a place too bad to be in. A start
//! that is already good (a warm start) is kept when nothing better is found. They stop where going on cannot change the
//! answer by more than the tolerance, and when work is interrupted.

mod lbfgs;
mod least_squares;
mod nelder_mead;
mod on_interval;
pub(crate) mod positive_definite;

pub use lbfgs::lbfgs;
pub use least_squares::{Normal, SumOfSquares, least_squares};
pub use nelder_mead::nelder_mead;
pub use on_interval::on_interval;

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    /// The tolerance: the relative decrease (to a size of at least 1) at which the search ends after one more step.
    pub tolerance: f64,
    /// The most function evaluations.
    pub evaluations: usize,
}

impl Default for Stop {
    fn default() -> Self {
        Self { tolerance: 1e-9, evaluations: 2_000 }
    }
}

/// The minimum that was found.
#[derive(Clone, Debug)]
pub struct Minimum {
    /// The place.
    pub at: Vec<f64>,
    /// The value there; infinite if none that is finite was found.
    pub value: f64,
    /// Values computed.
    pub evaluations: usize,
}

/// Moves a point to the nearest one within the bounds.
fn project(point: &mut [f64], bounds: &[(f64, f64)]) {
    for (x, (low, high)) in point.iter_mut().zip(bounds) {
        *x = x.max(*low).min(*high);
    }
}

/// A value, with NaN taken for infinity.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

    /// Rosenbrock's valley in `n` dimensions, minimum 0 at (1, …, 1).
    fn valley(x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(0.0);
        let mut value = 0.0;
        for i in 0..x.len() - 1 {
            let (a, b) = (1.0 - x[i], x[i + 1] - x[i] * x[i]);
            value += a * a + 100.0 * b * b;
            gradient[i] += -2.0 * a - 400.0 * x[i] * b;
            gradient[i + 1] += 200.0 * b;
        }
        value
    }

    #[test]
    fn both_find_the_end_of_a_curved_valley() {
        let stop = Stop { tolerance: 1e-14, evaluations: 20_000 };
        for n in [2, 5, 10] {
            let start = vec![-1.2; n];
            let smooth = lbfgs(valley, &start, &vec![(-3.0, 3.0); n], stop);
            assert!(smooth.at.iter().all(|x| (x - 1.0).abs() < 1e-5), "{n}: {smooth:?}");
            assert!(smooth.evaluations < 60 + 30 * n, "{n}: {} evaluations", smooth.evaluations);
            if n < 10 {
                let simplex = nelder_mead(|x| valley(x, &mut vec![0.0; n]), &start, &vec![FREE; n], stop);
                assert!(simplex.at.iter().all(|x| (x - 1.0).abs() < 1e-3), "{n}: {simplex:?}");
            }
        }
    }

    #[test]
    fn bounds_hold_and_the_answer_may_lie_on_them() {
        // The least value of (x − 3)² + (y + 2)² + xy/2 with x ≤ 1 and y ≥ 0 is at (1, 0).
        let f = |x: &[f64], g: &mut [f64]| {
            assert!(x[0] <= 1.0 && x[1] >= 0.0);
            g[0] = 2.0 * (x[0] - 3.0) + x[1] / 2.0;
            g[1] = 2.0 * (x[1] + 2.0) + x[0] / 2.0;
            (x[0] - 3.0).powi(2) + (x[1] + 2.0).powi(2) + x[0] * x[1] / 2.0
        };
        let bounds = [(-5.0, 1.0), (0.0, 9.0)];
        for start in [[-4.0, 7.0], [1.0, 0.0], [50.0, -50.0]] {
            let smooth = lbfgs(f, &start, &bounds, Stop::default());
            let simplex = nelder_mead(|x| f(x, &mut [0.0; 2]), &start, &bounds, Stop::default());
            for found in [smooth, simplex] {
                assert!((found.at[0] - 1.0).abs() < 1e-4 && found.at[1].abs() < 1e-4, "{start:?}: {found:?}");
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_walked_around() {
        // ln x − x has its greatest value at 1 and none below 0.
        let f = |x: &[f64], g: &mut [f64]| {
            g[0] = 1.0 - 1.0 / x[0];
            x[0] - x[0].ln()
        };
        let smooth = lbfgs(f, &[40.0], &[FREE], Stop::default());
        let simplex = nelder_mead(|x| f(x, &mut [0.0]), &[40.0], &[FREE], Stop::default());
        for found in [smooth, simplex] {
            assert!((found.at[0] - 1.0).abs() < 1e-3, "{found:?}");
        }
        let nowhere = lbfgs(|_, _| f64::NAN, &[1.0], &[FREE], Stop::default());
        assert!(nowhere.value.is_infinite() && nowhere.at == [1.0]);
        assert!(nelder_mead(|_| f64::NAN, &[1.0], &[FREE], Stop::default()).value.is_infinite());
    }

    #[test]
    fn a_good_start_is_kept() {
        let found = lbfgs(valley, &[1.0, 1.0], &[FREE; 2], Stop::default());
        assert_eq!((found.at.as_slice(), found.evaluations), ([1.0, 1.0].as_slice(), 1));
        let found = nelder_mead(|x| valley(x, &mut [0.0; 2]), &[1.0, 1.0], &[FREE; 2], Stop::default());
        assert_eq!(found.at, [1.0, 1.0]);
        assert_eq!(nelder_mead(|_| 7.0, &[], &[], Stop::default()).value, 7.0);
        assert_eq!(lbfgs(|_, _| 7.0, &[], &[], Stop::default()).value, 7.0);
    }
}
