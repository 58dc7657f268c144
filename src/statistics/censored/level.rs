//! Which level had a series at each of its steps, the steps before and after known? The most probable path of the
//! logarithm of the level, a random walk, given what was sold and for how long; and how well it is known.
//!
//! With η the log level and f the known log factors of a step, the demand of a step has the mean μ = e^(η + f) and the
//! dispersion a. What is sold in a share e of the step has the log likelihood s·log μ − (r + s)·log(r + eμ), r = 1/a:
//! that of demand which comes as a Poisson process whose rate varies from step to step. It is the same whether the item
//! was there by a plan or until it was sold out, because a stopping time does not change a likelihood. A step in which
//! something was sold, and nothing is known of when it ran out, has log P(D ≥ s). The random walk has the prior −Σ
//! (η_{t+1} − η_t)²/2q, its start a normal prior. Newton's method, with expected information, solves tridiagonal
//! systems; their inverse has the variances (Rue & Held 2005, *Gaussian Markov Random Fields*, §2.3).

use super::beyond::beyond;

/// The largest step of Newton's method in log level.
const STRIDE: f64 = 2.0;
/// The least information of a step of which only a bound is known.
const LEAST: f64 = 1e-9;

/// What is known of the demand of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell {
    /// Nothing, and nothing is asked: before the launch, after the end, a missing value.
    Unknown,
    /// So much was sold, the item was there all the time.
    Sold(f64),
    /// So much was sold in a share of the step.
    Part { sold: f64, share: f64 },
    /// Sold out at an unknown moment: demand was at least so much.
    AtLeast(f64),
    /// The item was not there.
    Hidden,
}

impl Cell {
    /// What was sold.
    pub fn sold(&self) -> f64 {
        match self {
            Self::Sold(sold) | Self::Part { sold, .. } | Self::AtLeast(sold) => *sold,
            Self::Unknown | Self::Hidden => 0.0,
        }
    }

    /// Could some demand not be served?
    pub fn is_censored(&self) -> bool {
        matches!(self, Self::Part { .. } | Self::AtLeast(_) | Self::Hidden)
    }
}

/// How demand varies around its mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    /// Counts of variance μ + aμ², or other sales of variance aμ².
    pub counts: bool,
    pub a: f64,
    /// What a count is: 1; of other sales, so much that half of their variance is that of a Poisson process.
    pub unit: f64,
}

impl Spread {
    /// r of the negative binomial distribution in units.
    pub fn r(&self) -> f64 {
        if self.counts { 1.0 / self.a } else { 2.0 / self.a }
    }

    /// The variance of demand of this mean.
    pub fn variance(&self, mean: f64) -> f64 {
        mean * (self.unit + mean / self.r())
    }

    /// The same with this variance of the log mean.
    pub fn and(self, variance: f64) -> Self {
        Self { a: self.a + variance, ..self }
    }
}

/// The prior of the path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    /// The variance of the log level from step to step.
    pub drift: f64,
    /// Mean and precision of its start.
    pub start: (f64, f64),
}

/// The path of a log level, and how well it is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Path {
    pub eta: Vec<f64>,
    pub variance: Vec<f64>,
    /// The covariance of a step and the next is this times the variance of the next.
    pub gain: Vec<f64>,
    /// Derivative of each step's likelihood, and its information.
    pub score: Vec<f64>,
    pub information: Vec<f64>,
}

impl Path {
    /// Log level and variance of a step without what is known of the step itself.
    pub fn without(&self, t: usize) -> (f64, f64) {
        let precision = (1.0 / self.variance[t] - self.information[t]).max(1e-6);
        (self.eta[t] - self.score[t] / precision, 1.0 / precision)
    }

    /// Newton's method from where the path is, at most so many rounds.
    pub fn refine(&mut self, cells: &[Cell], factors: &[f64], spread: Spread, walk: Walk, rounds: usize, enough: f64) {
        let n = cells.len();
        for list in [&mut self.variance, &mut self.gain, &mut self.score, &mut self.information] {
            list.resize(n, 0.0);
        }
        let (mut diagonal, mut right) = (vec![0.0; n], vec![0.0; n]);
        for _ in 0..rounds {
            for t in 0..n {
                let (score, information) = site(cells[t], self.eta[t] + factors[t], spread);
                (self.score[t], self.information[t]) = (score, information);
            }
            let moved = self.solve(walk, &mut diagonal, &mut right);
            if moved < enough {
                break;
            }
        }
    }

    /// One step of Newton's method; the farthest that the path moved.
    fn solve(&mut self, walk: Walk, diagonal: &mut [f64], right: &mut [f64]) -> f64 {
        let n = self.eta.len();
        let (w, (mean, precision)) = (1.0 / walk.drift, walk.start);
        for t in 0..n {
            let neighbours = f64::from(u8::from(t > 0) + u8::from(t + 1 < n));
            let first = if t == 0 { precision } else { 0.0 };
            diagonal[t] = self.information[t] + w * neighbours + first;
            right[t] = self.information[t] * self.eta[t] + self.score[t] + first * mean;
            if t > 0 {
                let l = w / diagonal[t - 1];
                diagonal[t] -= l * w;
                right[t] += l * right[t - 1];
            }
        }
        let (mut moved, mut after) = (0.0_f64, 0.0);
        for t in (0..n).rev() {
            let own = 1.0 / diagonal[t];
            let (mut new, mut variance, mut gain) = (right[t] * own, own, 0.0);
            if t + 1 < n {
                gain = w * own;
                new += gain * after;
                variance += gain * gain * self.variance[t + 1];
            }
            after = new;
            (self.variance[t], self.gain[t]) = (variance, gain);
            let change = (new - self.eta[t]).clamp(-STRIDE, STRIDE);
            moved = moved.max(change.abs());
            self.eta[t] += change;
        }
        moved
    }
}

/// Derivative of the log likelihood of a step in its log mean, and its information.
fn site(cell: Cell, log_mean: f64, spread: Spread) -> (f64, f64) {
    let part = |sold: f64, share: f64| {
        let expected = share * log_mean.exp() / spread.unit;
        let scale = 1.0 + expected / spread.r();
        ((sold / spread.unit - expected) / scale, expected / scale)
    };
    match cell {
        Cell::Unknown | Cell::Hidden => (0.0, 0.0),
        Cell::Sold(sold) => part(sold, 1.0),
        Cell::Part { sold, share } => part(sold, share),
        Cell::AtLeast(sold) => {
            let beyond = beyond(log_mean.exp(), spread.a, sold, spread.counts);
            (beyond.slope, beyond.information.max(LEAST))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// tests/oracles/stockouts.py: scipy's maximum of the same penalised likelihood, and the inverse of its expected
    /// information.
    #[test]
    fn the_path_is_that_of_scipy() {
        let text = include_str!("../../../tests/oracles/stockouts.csv");
        let mut compared = 0;
        for case in 0..6 {
            let start = format!("path,{case},");
            let rows: Vec<Vec<&str>> =
                text.lines().filter(|line| line.starts_with(&start)).map(|line| line.split(',').collect()).collect();
            let number = |row: &[&str], k: usize| row[k].parse::<f64>().unwrap();
            let head = &rows[0];
            let spread = Spread { counts: head[2] == "counts", a: number(head, 3), unit: number(head, 4) };
            let walk = Walk { drift: number(head, 5), start: (number(head, 6), number(head, 7)) };
            let cell = |row: &Vec<&str>| {
                let (sold, share) = (number(row, 8), number(row, 9));
                match row[10] {
                    "sold" => Cell::Sold(sold),
                    "part" => Cell::Part { sold, share },
                    "least" => Cell::AtLeast(sold),
                    _ => Cell::Hidden,
                }
            };
            let cells: Vec<Cell> = rows.iter().map(cell).collect();
            let factors: Vec<f64> = rows.iter().map(|row| number(row, 11)).collect();
            let mut path = Path { eta: vec![walk.start.0; cells.len()], ..Path::default() };
            path.refine(&cells, &factors, spread, walk, 500, 1e-13);
            for (t, row) in rows.iter().enumerate() {
                assert!((path.eta[t] - number(row, 12)).abs() < 1e-6, "case {case}, step {t}: {} {row:?}", path.eta[t]);
                if cells.iter().all(|cell| !matches!(cell, Cell::AtLeast(_))) {
                    let expected = number(row, 13);
                    assert!((path.variance[t] / expected - 1.0).abs() < 1e-6, "case {case}, step {t}: variance");
                }
                compared += 1;
            }
        }
        assert!(compared > 100, "{compared}");
    }
}
