//! Which parameters are the most likely a posteriori? The model's density and where it is greatest.
//!
//! With the trend u(t) = m + kt + Σ δⱼ(t − sⱼ)₊ (for logistic growth C(t)/(1 + exp −u(t)), u(t) = k(t − m) + Σ δⱼ(t − sⱼ)₊)
//! and the columns X of seasons and regressors, y ~ N(g(t)(1 + Xβ) + Xβ′, σ²), k, m ~ N(0, 5²), δ ~ Laplace(0, τ),
//! β ~ N(0, s²) with a scale for each column, σ ~ N(0, ½²) above zero, all on a scale where time runs from 0 to 1 and the
//! greatest value is 1: the program of Taylor & Letham, with the same start (a line through the first and the last value).
//! The density of a change has an edge at zero: δ is split into a part up and a part down, neither below zero, so that
//! [`lbfgs`] within bounds meets a smooth function, and changes that the data do not ask for end at exactly zero. Where
//! nothing multiplies and nothing saturates, products of columns say all about the data, and a step costs the same for a
//! long series as for a short one.

use super::trend::{Growth, Trend};
use crate::optimise::{Stop, lbfgs};

/// The rows that parameters are fitted to, in the order of time, on the model's scale.
pub(super) struct Rows {
    /// From 0 to 1.
    pub times: Vec<f64>,
    pub values: Vec<f64>,
    /// The ceiling of each row, for logistic growth.
    pub caps: Vec<f64>,
    /// Seasons and regressors, row after row.
    pub cells: Vec<f64>,
}

/// What is known of the parameters before a value is seen.
pub(super) struct Prior {
    pub growth: Growth,
    /// When the trend may change, ascending.
    pub changepoints: Vec<f64>,
    /// The scale τ of changes.
    pub change: f64,
    /// The scale of each column's coefficient.
    pub scales: Vec<f64>,
    /// Which columns multiply the trend.
    pub multiplies: Vec<bool>,
    /// Is the density that of ln σ rather than of σ?
    pub jacobian: bool,
}

/// What a model comes to, on its scale.
pub(super) struct Likely {
    pub trend: Trend,
    pub coefficients: Vec<f64>,
    pub sigma: f64,
}

/// The variance of slope and offset a priori.
const WIDE: f64 = 25.0;
/// The errors' standard deviation is not taken for less than this share of that of the values: where a trend meets every value,
/// the density has no greatest place.
const LEAST: f64 = 1e-6;
/// Far below what can be seen of a forecast; most series need some hundred evaluations.
const TOLERANCE: f64 = 1e-10;
pub(super) const EVALUATIONS: usize = 4_000;

/// The most likely parameters, searched from a trend without changes on, by so many evaluations at most.
pub(super) fn most_likely(rows: &Rows, prior: Prior, mut trend: Trend, evaluations: usize) -> Likely {
    let n = rows.values.len() as f64;
    let mean = rows.values.iter().sum::<f64>() / n;
    let deviation = (rows.values.iter().map(|y| (y - mean) * (y - mean)).sum::<f64>() / n).sqrt();
    let stop = Stop { tolerance: TOLERANCE, evaluations };
    let (columns, bends) = (prior.scales.len(), prior.changepoints.len());
    let places = Places { columns, bends };
    let mut at = vec![0.0; places.sigma() + 1];
    if deviation > 0.0 || prior.growth == Growth::Logistic {
        (at[0], at[1]) = (trend.slope, trend.offset);
        let mut bounds = vec![(f64::NEG_INFINITY, f64::INFINITY); at.len()];
        if prior.growth == Growth::Flat {
            bounds[0] = (0.0, 0.0);
        }
        bounds[places.up()..places.sigma()].fill((0.0, f64::INFINITY));
        bounds[places.sigma()].0 = (LEAST * deviation.max(1e-3)).ln();
        at = match prior.growth != Growth::Logistic && !prior.multiplies.contains(&true) {
            true => {
                let mut density = Products::of(rows, &prior, mean);
                lbfgs(|at, gradient| density.value(at, gradient), &at, &bounds, stop)
            }
            false => {
                let mut density = Direct::of(rows, &prior);
                lbfgs(|at, gradient| density.value(at, gradient), &at, &bounds, stop)
            }
        }
        .at;
        (trend.slope, trend.offset) = (at[0], at[1]);
    }
    let (up, down) = at[places.up()..places.sigma()].split_at(bends);
    trend.changes = up.iter().zip(down).map(|(up, down)| up - down).collect();
    trend.changepoints = prior.changepoints;
    let sigma = if deviation > 0.0 || prior.growth == Growth::Logistic { at[places.sigma()].exp() } else { 0.0 };
    Likely { trend, coefficients: at[2..places.up()].to_vec(), sigma }
}

/// Where the parameters stand in a vector: slope, offset, coefficients of columns, changes up, changes down, ln σ.
#[derive(Clone, Copy)]
struct Places {
    columns: usize,
    bends: usize,
}

impl Places {
    fn up(self) -> usize {
        2 + self.columns
    }

    fn down(self) -> usize {
        self.up() + self.bends
    }

    fn sigma(self) -> usize {
        self.down() + self.bends
    }
}

/// Adds what the prior takes from the logarithm of the density, sign turned, and its derivatives.
fn add_prior(prior: &Prior, places: Places, at: &[f64], gradient: &mut [f64]) -> f64 {
    let mut value = 0.0;
    for i in 0..2 {
        value += at[i] * at[i] / (2.0 * WIDE);
        gradient[i] += at[i] / WIDE;
    }
    for (i, scale) in (2..).zip(&prior.scales) {
        value += at[i] * at[i] / (2.0 * scale * scale);
        gradient[i] += at[i] / (scale * scale);
    }
    for i in places.up()..places.sigma() {
        value += at[i] / prior.change;
        gradient[i] += 1.0 / prior.change;
    }
    let square = (2.0 * at[places.sigma()]).exp();
    gradient[places.sigma()] += 4.0 * square;
    if prior.jacobian {
        value -= at[places.sigma()];
        gradient[places.sigma()] -= 1.0;
    }
    value + 2.0 * square
}

/// The density of a trend that is linear between changes and of columns that add to it, by the products of all columns: time,
/// one, seasons and regressors, ramps from each changepoint on.
struct Products<'a> {
    prior: &'a Prior,
    places: Places,
    n: f64,
    /// What was taken from the values, and is part of the offset.
    mean: f64,
    /// The products of columns with each other and with the values, and of the values with themselves.
    gram: Vec<f64>,
    cross: Vec<f64>,
    squares: f64,
    point: Vec<f64>,
    product: Vec<f64>,
}

impl<'a> Products<'a> {
    fn of(rows: &Rows, prior: &'a Prior, mean: f64) -> Self {
        let places = Places { columns: prior.scales.len(), bends: prior.changepoints.len() };
        let size = places.down();
        let (mut gram, mut cross, mut squares) = (vec![0.0; size * size], vec![0.0; size], 0.0);
        let mut row = vec![0.0; size];
        for (i, (time, value)) in rows.times.iter().zip(&rows.values).enumerate() {
            (row[0], row[1]) = (*time, 1.0);
            row[2..places.up()].copy_from_slice(&rows.cells[i * places.columns..(i + 1) * places.columns]);
            let ramps = prior.changepoints.iter().map(|from| (time - from).max(0.0));
            row[places.up()..].iter_mut().zip(ramps).for_each(|(cell, ramp)| *cell = ramp);
            let left = value - mean;
            squares += left * left;
            for (j, cell) in row.iter().enumerate().filter(|(_, cell)| **cell != 0.0) {
                cross[j] += cell * left;
                let products = &mut gram[j * size + j..(j + 1) * size];
                products.iter_mut().zip(&row[j..]).for_each(|(sum, other)| *sum += cell * other);
            }
        }
        for j in 0..size {
            for l in 0..j {
                gram[j * size + l] = gram[l * size + j];
            }
        }
        let n = rows.values.len() as f64;
        Self { prior, places, n, mean, gram, cross, squares, point: vec![0.0; size], product: vec![0.0; size] }
    }

    fn value(&mut self, at: &[f64], gradient: &mut [f64]) -> f64 {
        let (places, size) = (self.places, self.point.len());
        self.point[..places.up()].copy_from_slice(&at[..places.up()]);
        self.point[1] -= self.mean;
        let (up, down) = at[places.up()..places.sigma()].split_at(places.bends);
        let changes = up.iter().zip(down).map(|(up, down)| up - down);
        self.point[places.up()..].iter_mut().zip(changes).for_each(|(cell, change)| *cell = change);
        self.product.fill(0.0);
        for (row, weight) in self.gram.chunks_exact(size).zip(&self.point).filter(|(_, weight)| **weight != 0.0) {
            self.product.iter_mut().zip(row).for_each(|(sum, cell)| *sum += weight * cell);
        }
        let mut left = self.squares;
        for ((point, product), cross) in self.point.iter().zip(&self.product).zip(&self.cross) {
            left += point * (product - 2.0 * cross);
        }
        let left = left.max(0.0);
        let log = at[places.sigma()];
        let precision = (-2.0 * log).exp();
        let slopes = self.product.iter().zip(&self.cross).map(|(product, cross)| (product - cross) * precision);
        gradient.iter_mut().zip(slopes).for_each(|(cell, slope)| *cell = slope);
        turn(places, gradient);
        gradient[places.sigma()] = self.n - left * precision;
        self.n * log + left * precision / 2.0 + add_prior(self.prior, places, at, gradient)
    }
}

/// What raises a change lowers its part down.
fn turn(places: Places, gradient: &mut [f64]) {
    let (rising, falling) = gradient[places.up()..places.sigma()].split_at_mut(places.bends);
    falling.iter_mut().zip(rising).for_each(|(down, up)| *down = -*up);
}

/// The density of any trend and of columns that add or multiply, row by row.
struct Direct<'a> {
    prior: &'a Prior,
    places: Places,
    rows: &'a Rows,
    /// Coefficients of columns that add, zero for the others; and of columns that multiply.
    adding: Vec<f64>,
    multiplying: Vec<f64>,
    /// Sums over the rows between two changepoints of what the line's derivative is, and of that by time.
    between: Vec<(f64, f64)>,
}

impl<'a> Direct<'a> {
    fn of(rows: &'a Rows, prior: &'a Prior) -> Self {
        let places = Places { columns: prior.scales.len(), bends: prior.changepoints.len() };
        let (adding, multiplying) = (vec![0.0; places.columns], vec![0.0; places.columns]);
        Self { prior, places, rows, adding, multiplying, between: vec![(0.0, 0.0); places.bends + 1] }
    }

    fn value(&mut self, at: &[f64], gradient: &mut [f64]) -> f64 {
        let (prior, places, rows) = (self.prior, self.places, self.rows);
        for (i, multiplies) in prior.multiplies.iter().enumerate() {
            let split = if *multiplies { (0.0, at[2 + i]) } else { (at[2 + i], 0.0) };
            (self.adding[i], self.multiplying[i]) = split;
        }
        gradient.fill(0.0);
        self.between.fill((0.0, 0.0));
        let log = at[places.sigma()];
        let precision = (-2.0 * log).exp();
        let logistic = prior.growth == Growth::Logistic;
        let (mut slope, mut start) = (at[0], if logistic { -at[0] * at[1] } else { at[1] });
        let (mut passed, mut squares) = (0, 0.0);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        for (i, (time, value)) in rows.times.iter().zip(&rows.values).enumerate() {
            while passed < places.bends && prior.changepoints[passed] <= *time {
                let change = at[places.up() + passed] - at[places.down() + passed];
                slope += change;
                start -= change * prior.changepoints[passed];
                passed += 1;
            }
            let cells = &rows.cells[i * places.columns..(i + 1) * places.columns];
            let (plus, times) = (dot(&self.adding, cells), 1.0 + dot(&self.multiplying, cells));
            let line = start + slope * time;
            let cap = rows.caps.get(i).copied().unwrap_or(1.0);
            let level = Trend::level(prior.growth, line, cap);
            let error = value - level * times - plus;
            squares += error * error;
            let pull = -error * precision;
            for ((cell, multiplies), sum) in cells.iter().zip(&prior.multiplies).zip(&mut gradient[2..]) {
                *sum += if *multiplies { pull * level * cell } else { pull * cell };
            }
            let steep = if logistic { level * (1.0 - level / cap) } else { 1.0 };
            let pull = pull * times * steep;
            self.between[passed].0 += pull;
            self.between[passed].1 += pull * time;
        }
        let (mut pull, mut timed) = (0.0, 0.0);
        for j in (0..=places.bends).rev() {
            pull += self.between[j].0;
            timed += self.between[j].1;
            if j > 0 {
                gradient[places.up() + j - 1] = timed - prior.changepoints[j - 1] * pull;
            }
        }
        turn(places, gradient);
        let (by_slope, by_offset) = if logistic { (timed - at[1] * pull, -at[0] * pull) } else { (timed, pull) };
        gradient[0] += by_slope;
        gradient[1] += by_offset;
        let n = rows.values.len() as f64;
        gradient[places.sigma()] = n - squares * precision;
        n * log + squares * precision / 2.0 + add_prior(prior, places, at, gradient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Forty rows with two columns and three changepoints, and a place to look at the density from.
    fn example(growth: Growth, multiplies: [bool; 2]) -> (Rows, Prior, Vec<f64>) {
        let times: Vec<f64> = (0..40).map(|t| f64::from(t) / 39.0).collect();
        let wave = |t: &f64| [(9.0 * t).sin(), f64::from(*t > 0.5)];
        let values = times.iter().map(|t| 0.4 + 0.3 * t + 0.1 * (9.0 * t).sin() + 0.05 * (77.0 * t).cos()).collect();
        let cells = times.iter().flat_map(wave).collect();
        let caps = times.iter().map(|t| 1.2 + 0.1 * t).collect();
        let changepoints = vec![0.2, 0.41, 0.7];
        let prior = Prior {
            growth,
            changepoints,
            change: 0.05,
            scales: vec![10.0, 0.5],
            multiplies: multiplies.to_vec(),
            jacobian: false,
        };
        let at = vec![0.7, 0.3, 0.2, -0.1, 0.1, 0.0, 0.3, 0.0, 0.2, 0.1, -1.3];
        (Rows { times, values, caps, cells }, prior, at)
    }

    fn searched(rows: &Rows, prior: Prior) -> Likely {
        let start = Trend::through(prior.growth, &rows.times, &rows.values, &rows.caps);
        most_likely(rows, prior, start, EVALUATIONS)
    }

    #[test]
    fn derivatives_are_those_of_the_density() {
        for growth in [Growth::Linear, Growth::Logistic] {
            for multiplies in [[false, false], [true, false], [true, true]] {
                let (rows, mut prior, at) = example(growth, multiplies);
                prior.jacobian = multiplies[0];
                let mut density = Direct::of(&rows, &prior);
                let mut slopes = vec![0.0; at.len()];
                density.value(&at, &mut slopes);
                for (i, slope) in slopes.iter().enumerate() {
                    let mut beside = |by: f64| {
                        let mut place = at.clone();
                        place[i] += by;
                        density.value(&place, &mut vec![0.0; at.len()])
                    };
                    let numeric = (beside(1e-6) - beside(-1e-6)) / 2e-6;
                    assert!((slope - numeric).abs() < 1e-4 * slope.abs().max(1.0), "{growth:?} {i}: {slope} {numeric}");
                }
            }
        }
    }

    #[test]
    fn products_and_rows_tell_the_same_density() {
        let (rows, prior, at) = example(Growth::Linear, [false; 2]);
        let (mut by_rows, mut by_products) = (vec![0.0; at.len()], vec![0.0; at.len()]);
        let one = Direct::of(&rows, &prior).value(&at, &mut by_rows);
        let other = Products::of(&rows, &prior, 0.6).value(&at, &mut by_products);
        assert!((one - other).abs() < 1e-9 * one.abs(), "{one} {other}");
        assert!(by_rows.iter().zip(&by_products).all(|(a, b)| (a - b).abs() < 1e-8 * a.abs().max(1.0)));
    }

    #[test]
    fn a_constant_has_no_errors_and_a_line_next_to_none() {
        let (mut rows, prior, _) = example(Growth::Linear, [false; 2]);
        rows.values.fill(0.5);
        let likely = searched(&rows, prior);
        assert_eq!((likely.trend.line(2.0), likely.sigma), (0.5, 0.0));
        let (mut rows, prior, _) = example(Growth::Linear, [false; 2]);
        rows.values = rows.times.iter().map(|t| 0.2 + 0.8 * t).collect();
        let likely = searched(&rows, prior);
        assert!(likely.sigma < 1e-3 && (likely.trend.line(1.0) - 1.0).abs() < 1e-3, "{}", likely.sigma);
    }
}
