//! Sums of squares within bounds, by the method of Levenberg and Marquardt.
//!
//! The curvature of a sum of squares is nearly twice JᵀJ, J the derivatives of the errors, which come for nothing with the
//! gradient (Nocedal & Wright 2006, *Numerical Optimization*, 2nd ed., §10.3): a handful of steps are enough where a
//! method that has to learn the curvature takes dozens. A likelihood whose variance is at its best value is a sum of
//! squares too, of the innovations times a common factor. Coordinates that stand on a bound and are pushed against it are
//! fixed for the step; those that the step would carry across one stop there, and the step is solved anew for the others.

use super::{Minimum, Stop, finite, positive_definite, project};
use crate::progress;

/// A sum of squared errors whose derivatives are known.
pub trait SumOfSquares {
    /// The share of the way to a bound that one step may go: less than 1 where the sum is flat on the bound, so that a step
    /// that jumps there would be caught.
    const REACH: f64 = 1.0;
    /// How often a step is solved, each time with those coordinates fixed that would have crossed their bounds: 1 cuts them
    /// short and leaves the others as they are.
    const SOLUTIONS: usize = 1;

    /// The sum at a point within the bounds; not finite where the point makes no sense.
    fn value(&mut self, at: &[f64]) -> f64;

    /// Writes the normal equations at `at`, which is the point that [`SumOfSquares::value`] was called with last.
    fn linearise(&mut self, at: &[f64], normal: &mut Normal);
}

/// The normal equations at a point, from the errors r and their derivatives J.
#[derive(Clone, Debug)]
pub struct Normal {
    /// Jᵀr, half the gradient.
    pub gradient: Vec<f64>,
    /// JᵀJ, row after row.
    pub square: Vec<f64>,
}

impl Normal {
    /// The equations of so many coordinates, all zero.
    pub fn new(size: usize) -> Self {
        Self { gradient: vec![0.0; size], square: vec![0.0; size * size] }
    }

    fn is_finite(&self) -> bool {
        self.gradient.iter().chain(&self.square).all(|v| v.is_finite())
    }

    /// How much lower the sum of squares is after a step, as far as it is quadratic.
    fn gain(&self, step: &[f64]) -> f64 {
        let bend = |row: &[f64]| row.iter().zip(step).map(|(a, b)| a * b).sum::<f64>();
        let rows = self.square.chunks_exact(step.len().max(1)).zip(&self.gradient);
        -rows.zip(step).map(|((row, slope), by)| by * (2.0 * slope + bend(row))).sum::<f64>()
    }
}

/// A step, and room to find it.
struct Step {
    by: Vec<f64>,
    fixed: Vec<bool>,
    system: Vec<f64>,
    right: Vec<f64>,
}

impl Step {
    fn new(size: usize) -> Self {
        Self { by: vec![0.0; size], fixed: vec![false; size], system: vec![0.0; size * size], right: vec![0.0; size] }
    }

    /// Finds the damped step and returns what it would promise if no bound stood in its way; none where the equations
    /// have no solution.
    fn find<F: SumOfSquares>(
        &mut self,
        at: &[f64],
        normal: &Normal,
        bounds: &[(f64, f64)],
        damping: f64,
    ) -> Option<f64> {
        let size = at.len();
        let largest = (0..size).map(|i| normal.square[i * size + i]).fold(0.0, f64::max);
        for (i, &(low, high)) in bounds.iter().enumerate() {
            let slope = normal.gradient[i];
            let outward = (at[i] <= low && slope >= 0.0) || (at[i] >= high && slope <= 0.0);
            // A coordinate that moves nothing stays where it is.
            self.fixed[i] = outward || normal.square[i * size + i] <= 0.0;
            self.by[i] = 0.0;
        }
        let mut promised = None;
        for _ in 0..F::SOLUTIONS {
            // The free coordinates, given how far the others go.
            let mut free = 0;
            for i in (0..size).filter(|i| !self.fixed[*i]) {
                let row = &normal.square[i * size..(i + 1) * size];
                let mut right = -normal.gradient[i];
                let mut cells = free * size;
                for j in 0..size {
                    if self.fixed[j] {
                        right -= row[j] * self.by[j];
                    } else {
                        self.system[cells] = row[j] + if i == j { damping * row[i].max(FLAT * largest) } else { 0.0 };
                        cells += 1;
                    }
                }
                self.right[free] = right;
                free += 1;
            }
            if free == 0 {
                break;
            }
            for i in 1..free {
                self.system.copy_within(i * size..i * size + free, i * free);
            }
            if !positive_definite::solve(&mut self.system[..free * free], &mut self.right[..free]) {
                return None;
            }
            let free = (0..size).filter(|i| !self.fixed[*i]);
            free.zip(&self.right).for_each(|(i, by)| self.by[i] = *by);
            promised.get_or_insert_with(|| normal.gain(&self.by));
            let mut crossed = false;
            for (i, &(low, high)) in bounds.iter().enumerate() {
                let within = self.by[i].clamp(F::REACH * (low - at[i]), F::REACH * (high - at[i]));
                if within != self.by[i] {
                    (self.by[i], self.fixed[i], crossed) = (within, true, true);
                }
            }
            if !crossed {
                break;
            }
        }
        promised
    }
}

/// The smallest damped curvature, relative to the largest.
const FLAT: f64 = 1e-8;

/// The minimum of the sum of squares near `start`. The tolerance is relative to the sum, whatever its size; of the evaluations only
/// those are limited that a step was taken to. The last call of [`SumOfSquares::value`] need not be the one at the place
/// that is returned.
pub fn least_squares<F: SumOfSquares>(f: &mut F, start: &[f64], bounds: &[(f64, f64)], stop: Stop) -> Minimum {
    let mut at = start.to_vec();
    project(&mut at, bounds);
    let mut value = finite(f.value(&at));
    let mut evaluations = 1;
    let (mut normal, mut step, mut next) = (Normal::new(at.len()), Step::new(at.len()), at.clone());
    let mut damping = 1e-3;
    let mut steps = 0;
    while value > 0.0 && value.is_finite() && steps < stop.evaluations {
        f.linearise(&at, &mut normal);
        if !normal.is_finite() {
            break;
        }
        let (mut gain, mut growth) = (0.0, 2.0);
        while damping < 1e9 && !progress::is_stopped() {
            let Some(promised) = step.find::<F>(&at, &normal, bounds, damping) else {
                damping *= 10.0;
                continue;
            };
            // Where even a step past the bounds promises nothing, there is nothing left to find.
            if promised <= stop.tolerance * value {
                break;
            }
            next.iter_mut().zip(&at).zip(&step.by).for_each(|((next, at), by)| *next = at + by);
            project(&mut next, bounds);
            let trial = finite(f.value(&next));
            evaluations += 1;
            if trial < value {
                gain = value - trial;
                // The better the promise was kept, the bolder the next step (Nielsen 1999).
                let kept = gain / normal.gain(&step.by).max(f64::MIN_POSITIVE);
                damping = (damping * (1.0 - (2.0 * kept - 1.0).powi(3)).clamp(0.1, 2.0)).max(1e-9);
                value = trial;
                std::mem::swap(&mut at, &mut next);
                break;
            }
            damping *= growth;
            growth *= 2.0;
        }
        if gain <= stop.tolerance * value {
            break;
        }
        steps += 1;
    }
    Minimum { at, value, evaluations }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The errors at a point of the plane and their derivatives.
    struct Errors<F>(F, Vec<(f64, [f64; 2])>);

    impl<F: FnMut(&[f64]) -> Vec<(f64, [f64; 2])>> Errors<F> {
        fn new(f: F) -> Self {
            Self(f, Vec::new())
        }
    }

    impl<F: FnMut(&[f64]) -> Vec<(f64, [f64; 2])>> SumOfSquares for Errors<F> {
        fn value(&mut self, at: &[f64]) -> f64 {
            self.1 = (self.0)(at);
            self.1.iter().map(|(e, _)| e * e).sum()
        }

        fn linearise(&mut self, _at: &[f64], normal: &mut Normal) {
            for i in 0..2 {
                normal.gradient[i] = self.1.iter().map(|(e, slope)| slope[i] * e).sum();
                for j in 0..2 {
                    normal.square[i * 2 + j] = self.1.iter().map(|(_, slope)| slope[i] * slope[j]).sum();
                }
            }
        }
    }

    /// Rosenbrock's valley as a sum of squares.
    fn valley(x: &[f64]) -> Vec<(f64, [f64; 2])> {
        vec![(1.0 - x[0], [-1.0, 0.0]), (10.0 * (x[1] - x[0] * x[0]), [-20.0 * x[0], 10.0])]
    }

    #[test]
    fn the_end_of_a_curved_valley_is_found_in_a_few_steps() {
        let found = least_squares(&mut Errors::new(valley), &[-1.2, 1.0], &[(-3.0, 3.0); 2], Stop::default());
        assert!(found.at.iter().all(|x| (x - 1.0).abs() < 1e-6) && found.evaluations < 60, "{found:?}");
        let found = least_squares(&mut Errors::new(valley), &[1.0, 1.0], &[(-3.0, 3.0); 2], Stop::default());
        assert_eq!((found.at.as_slice(), found.evaluations), ([1.0, 1.0].as_slice(), 1));
    }

    #[test]
    fn bounds_hold_and_the_answer_may_lie_on_them() {
        // Along x = ½ the valley is lowest at y = ¼; with x ≤ ½ that is the least value.
        let inside = |x: &[f64]| {
            assert!((-2.0..=0.5).contains(&x[0]) && (-1.0..=2.0).contains(&x[1]));
            valley(x)
        };
        for start in [[-2.0, 2.0], [0.5, -1.0], [40.0, -50.0]] {
            let bounds = [(-2.0, 0.5), (-1.0, 2.0)];
            let found = least_squares(&mut Errors::new(inside), &start, &bounds, Stop::default());
            assert!((found.at[0] - 0.5).abs() < 1e-9 && (found.at[1] - 0.25).abs() < 1e-6, "{start:?}: {found:?}");
        }
    }

    #[test]
    fn what_is_not_finite_or_says_nothing_is_left_alone() {
        let nowhere = |_: &[f64]| vec![(f64::NAN, [1.0, 1.0])];
        let found = least_squares(&mut Errors::new(nowhere), &[1.0, 1.0], &[(0.0, 2.0); 2], Stop::default());
        assert!(found.value.is_infinite() && found.at == [1.0, 1.0]);
        // The second coordinate moves nothing; to the left of 0 there are no values.
        let half = |x: &[f64]| vec![(x[0].ln(), [1.0 / x[0], 0.0])];
        let bounds = [(-90.0, 90.0), (0.0, 1.0)];
        let found = least_squares(&mut Errors::new(half), &[30.0, 0.7], &bounds, Stop::default());
        assert!((found.at[0] - 1.0).abs() < 1e-4 && found.at[1] == 0.7, "{found:?}");
    }
}
