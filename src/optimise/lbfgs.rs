//! Limited-memory BFGS within bounds.
//!
//! Each step fixes the coordinates that stand on a bound and are pushed against it, takes the quasi-Newton direction of
//! the others from the last [`MEMORY`] steps (two-loop recursion), and searches along it for a point that fulfils the weak
//! Wolfe conditions, every point projected onto the bounds.

use super::{Minimum, Stop, finite, project};
use crate::progress;

/// Steps remembered: for the dozen or so coordinates that models have, nearly the whole curvature.
const MEMORY: usize = 12;
/// Share of the promised decrease that a step must bring.
const DECREASE: f64 = 1e-4;
/// Share of the slope that may be left after a step.
const FLATTER: f64 = 0.9;

/// The minimum of `f` near `start`. `f` writes the gradient into its second argument and returns the value.
pub fn lbfgs(
    mut f: impl FnMut(&[f64], &mut [f64]) -> f64,
    start: &[f64],
    bounds: &[(f64, f64)],
    stop: Stop,
) -> Minimum {
    let n = start.len();
    let mut x = start.to_vec();
    project(&mut x, bounds);
    let mut gradient = vec![0.0; n];
    let mut value = finite(f(&x, &mut gradient));
    let mut evaluations = 1;
    if n == 0 || !value.is_finite() {
        return Minimum { at: x, value, evaluations };
    }
    let mut memory = Memory::new(n);
    let (mut direction, mut free) = (vec![0.0; n], vec![true; n]);
    let (mut next, mut slope_next) = (vec![0.0; n], vec![0.0; n]);
    let (mut kept, mut slope_kept) = (vec![0.0; n], vec![0.0; n]);
    let mut small = 0;
    while evaluations < stop.evaluations && !progress::is_stopped() {
        for i in 0..n {
            let (low, high) = bounds[i];
            free[i] = !((x[i] <= low && gradient[i] > 0.0) || (x[i] >= high && gradient[i] < 0.0));
        }
        let steepest = (0..n).filter(|i| free[*i]).map(|i| gradient[i].abs()).fold(0.0, f64::max);
        if steepest <= 1e-12 * value.abs().max(1.0) {
            break;
        }
        memory.direction(&gradient, &free, &mut direction);
        let mut slope: f64 = direction.iter().zip(&gradient).map(|(d, g)| d * g).sum();
        if slope >= 0.0 || !slope.is_finite() {
            memory.forget();
            memory.direction(&gradient, &free, &mut direction);
            slope = direction.iter().zip(&gradient).map(|(d, g)| d * g).sum();
        }
        // The first step knows no scale: a tenth of a unit along the steepest coordinate, which the search widens.
        let mut step = if memory.is_empty() { 0.1 / steepest.max(0.1) } else { 1.0 };
        let (mut least, mut most) = (0.0, f64::INFINITY);
        let mut found = None;
        for _ in 0..40 {
            for i in 0..n {
                next[i] = x[i] + step * direction[i];
            }
            project(&mut next, bounds);
            let trial = finite(f(&next, &mut slope_next));
            evaluations += 1;
            let promised: f64 = next.iter().zip(&x).zip(&gradient).map(|((a, b), g)| (a - b) * g).sum();
            if trial > value + DECREASE * promised || promised > 0.0 || !trial.is_finite() {
                most = step;
                // The least value of the parabola through both ends, kept away from them.
                let bend = 2.0 * (trial - value - promised);
                let guess = if bend.is_finite() && bend > 0.0 { -promised / bend * step } else { 0.0 };
                step = if least > 0.0 { (least + most) / 2.0 } else { guess.clamp(0.1 * step, 0.5 * step) };
            } else {
                found = Some(trial);
                std::mem::swap(&mut kept, &mut next);
                std::mem::swap(&mut slope_kept, &mut slope_next);
                // What stands on a bound by now does not count towards the slope.
                let inside = |i: &usize| kept[*i] > bounds[*i].0 && kept[*i] < bounds[*i].1;
                let left: f64 = (0..n).filter(inside).map(|i| slope_kept[i] * direction[i]).sum();
                if left >= FLATTER * slope || evaluations >= stop.evaluations {
                    break;
                }
                least = step;
                step = if most.is_finite() { (least + most) / 2.0 } else { 4.0 * step };
            }
            if most - least <= 1e-12 * most {
                break;
            }
        }
        let Some(reached) = found else { break };
        memory.remember(&x, &kept, &gradient, &slope_kept);
        std::mem::swap(&mut x, &mut kept);
        std::mem::swap(&mut gradient, &mut slope_kept);
        let gain = value - reached;
        value = reached;
        small = if gain <= stop.tolerance * value.abs().max(1.0) { small + 1 } else { 0 };
        if small == 2 {
            break;
        }
    }
    Minimum { at: x, value, evaluations }
}

/// The last steps and the changes of the gradient over them, oldest first in `order`.
struct Memory {
    n: usize,
    steps: Vec<f64>,
    changes: Vec<f64>,
    order: Vec<usize>,
    weights: Vec<f64>,
}

impl Memory {
    fn new(n: usize) -> Self {
        let cells = vec![0.0; MEMORY * n];
        Self { n, steps: cells.clone(), changes: cells, order: Vec::with_capacity(MEMORY), weights: vec![0.0; MEMORY] }
    }

    fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    fn forget(&mut self) {
        self.order.clear();
    }

    fn remember(&mut self, before: &[f64], after: &[f64], slope_before: &[f64], slope_after: &[f64]) {
        let slot = if self.order.len() < MEMORY { self.order.len() } else { self.order[0] };
        let cells = slot * self.n..(slot + 1) * self.n;
        let (step, change) = (&mut self.steps[cells.clone()], &mut self.changes[cells]);
        let (mut curve, mut size) = (0.0, 0.0);
        for i in 0..self.n {
            step[i] = after[i] - before[i];
            change[i] = slope_after[i] - slope_before[i];
            curve += step[i] * change[i];
            size += change[i] * change[i];
        }
        let full = self.order.len() == MEMORY;
        if curve > 1e-14 * size && curve.is_finite() {
            if full {
                self.order.remove(0);
            }
            self.order.push(slot);
        } else if full {
            // The oldest step was overwritten by one that says nothing of the curvature.
            self.order.remove(0);
        }
    }

    /// Minus the inverse curvature times the gradient, over the free coordinates.
    fn direction(&mut self, gradient: &[f64], free: &[bool], direction: &mut [f64]) {
        let n = self.n;
        for i in 0..n {
            direction[i] = if free[i] { -gradient[i] } else { 0.0 };
        }
        let dot = |a: &[f64], b: &[f64]| -> f64 { (0..n).map(|i| if free[i] { a[i] * b[i] } else { 0.0 }).sum() };
        let row = |slot: usize| slot * n..(slot + 1) * n;
        let mut scale = 1.0;
        for (k, slot) in self.order.iter().enumerate().rev() {
            let (step, change) = (&self.steps[row(*slot)], &self.changes[row(*slot)]);
            let curve = dot(step, change);
            let size = dot(change, change);
            if curve <= 1e-14 * size {
                self.weights[k] = f64::NAN;
                continue;
            }
            if scale == 1.0 {
                scale = curve / size;
            }
            let weight = dot(step, direction) / curve;
            self.weights[k] = weight;
            for i in 0..n {
                direction[i] -= weight * change[i];
            }
        }
        for i in 0..n {
            direction[i] *= if free[i] { scale } else { 0.0 };
        }
        for (k, slot) in self.order.iter().enumerate() {
            let weight = self.weights[k];
            if weight.is_nan() {
                continue;
            }
            let (step, change) = (&self.steps[row(*slot)], &self.changes[row(*slot)]);
            let correction = weight - dot(change, direction) / dot(step, change);
            for i in 0..n {
                if free[i] {
                    direction[i] += correction * step[i];
                }
            }
        }
        for i in 0..n {
            if !free[i] {
                direction[i] = 0.0;
            }
        }
    }
}
