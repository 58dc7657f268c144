//! The recursion of complex exponential smoothing, with derivatives, and the search for its parameters.
//!
//! A fit goes over the series three times: forwards from rough starting states, backwards from where that ended, and
//! forwards again from where the way back ended; the errors of the last way count. The derivatives of all states by the
//! parameters go along (forward mode), so that each error comes with its gradient.

use std::array::from_fn;

use serde::{Deserialize, Serialize};

use super::{CesSeasonality, Likelihood};
use crate::fitting::decompose;
use crate::optimise::{Normal, Stop, SumOfSquares, least_squares};

/// The bounds of α₀, α₁ and, for a season, β₀ and β₁. With α₀ below 1 and α₁ near it, where the best fits lie, a wrong
/// start would be amplified step by step, and the way there and back could bend it to follow the series.
const BOUNDS: [(f64, f64); 4] = [(1.0, 1.8), (0.01, 1.9), (0.01, 1.5), (0.01, 1.5)];
/// The imaginary part of a starting state is the real part over this: near the balance that a steady level has.
const BALANCE: f64 = 1.1;
/// Steps that gain less than this share of the sum of squares end the search.
const STOP: Stop = Stop { tolerance: 1e-7, evaluations: 200 };
/// The values whose mean is the first guess of the level.
const FIRST: usize = 10;

/// A value and its derivatives by the `P` parameters.
#[derive(Clone, Copy, Debug)]
struct Dual<const P: usize> {
    value: f64,
    slope: [f64; P],
}

impl<const P: usize> Dual<P> {
    fn fixed(value: f64) -> Self {
        Self { value, slope: [0.0; P] }
    }
}

/// A complex state: its real and its imaginary part.
type Complex<const P: usize> = [Dual<P>; 2];

/// One step of a complex state under the error `e`; `c` its complex parameter, parameters `at` and `at + 1` of the
/// model.
#[inline(always)]
fn turn<const P: usize>([real, imaginary]: Complex<P>, e: &Dual<P>, c: [f64; 2], at: usize) -> Complex<P> {
    let (leave, stay) = (1.0 - c[1], 1.0 - c[0]);
    let (less, more) = (c[0] - c[1], c[0] + c[1]);
    let mut next = [
        Dual {
            value: real.value - leave * imaginary.value + less * e.value,
            slope: from_fn(|i| real.slope[i] - leave * imaginary.slope[i] + less * e.slope[i]),
        },
        Dual {
            value: real.value + stay * imaginary.value + more * e.value,
            slope: from_fn(|i| real.slope[i] + stay * imaginary.slope[i] + more * e.slope[i]),
        },
    ];
    if P > at + 1 {
        next[0].slope[at] += e.value;
        next[0].slope[at + 1] += imaginary.value - e.value;
        next[1].slope[at] += e.value - imaginary.value;
        next[1].slope[at + 1] += e.value;
    }
    next
}

/// One step of a real season under the error `e`; `beta` is the last parameter of the model.
#[inline(always)]
fn lift<const P: usize>([mut real, imaginary]: Complex<P>, e: &Dual<P>, beta: f64) -> Complex<P> {
    real.value += beta * e.value;
    for i in 0..P {
        real.slope[i] += beta * e.slope[i];
    }
    if let Some(slope) = real.slope.last_mut() {
        *slope += e.value;
    }
    [real, imaginary]
}

/// The parameters of a model by what they are of.
#[derive(Clone, Copy)]
struct Parameters {
    alpha: [f64; 2],
    beta: [f64; 2],
}

/// What a form expects of its level and of its state at a place of the season.
#[inline(always)]
fn expected<const P: usize>(form: CesSeasonality, level: &Complex<P>, place: &Complex<P>) -> Dual<P> {
    match form {
        CesSeasonality::Simple => place[0],
        CesSeasonality::Partial | CesSeasonality::Full => {
            Dual { value: level[0].value + place[0].value, slope: from_fn(|i| level[0].slope[i] + place[0].slope[i]) }
        }
        _ => level[0],
    }
}

/// Level and place learn from the error `e`.
#[inline(always)]
fn learn<const P: usize>(
    form: CesSeasonality,
    c: &Parameters,
    level: &mut Complex<P>,
    place: &mut Complex<P>,
    e: &Dual<P>,
) {
    match form {
        CesSeasonality::Simple => *place = turn(*place, e, c.alpha, 0),
        CesSeasonality::Partial => *place = lift(*place, e, c.beta[0]),
        CesSeasonality::Full => *place = turn(*place, e, c.beta, 2),
        _ => {}
    }
    if form != CesSeasonality::Simple {
        *level = turn(*level, e, c.alpha, 0);
    }
}

/// The error of the value `v`, 0 where it is missing, from which level and place have learned.
#[inline(always)]
fn step<const P: usize>(
    form: CesSeasonality,
    c: &Parameters,
    level: &mut Complex<P>,
    place: &mut Complex<P>,
    v: f64,
) -> Dual<P> {
    let expected = expected(form, level, place);
    let e = match v.is_nan() {
        true => Dual::fixed(0.0),
        false => Dual { value: v - expected.value, slope: from_fn(|i| -expected.slope[i]) },
    };
    learn(form, c, level, place, &e);
    e
}

/// The states of a model on its way.
struct States<const P: usize> {
    form: CesSeasonality,
    c: Parameters,
    level: Complex<P>,
    /// By place in the season; for `none` one that is not used.
    ring: Vec<Complex<P>>,
}

impl<const P: usize> States<P> {
    fn new(start: &Start, c: [f64; 4]) -> Self {
        let fixed = |state: &[f64; 2]| state.map(Dual::fixed);
        let c = Parameters { alpha: [c[0], c[1]], beta: [c[2], c[3]] };
        Self { form: start.form, c, level: fixed(&start.level), ring: start.ring.iter().map(fixed).collect() }
    }

    /// Forwards (or backwards) over `y`; `visit` is given each value and its error, 0 where the value is missing. The
    /// form is an argument so that each has a loop of its own.
    #[inline(always)]
    fn sweep(&mut self, form: CesSeasonality, y: &[f64], back: bool, mut visit: impl FnMut(f64, &Dual<P>)) {
        let c = self.c;
        // A copy of its own, which stays in registers.
        let mut level = self.level;
        if form == CesSeasonality::None {
            let mut place = [Dual::fixed(0.0); 2];
            for i in 0..y.len() {
                let v = y[if back { y.len() - 1 - i } else { i }];
                visit(v, &step(form, &c, &mut level, &mut place, v));
            }
        } else {
            let m = self.ring.len().max(1);
            let seasons = y.len().div_ceil(m);
            for k in 0..seasons {
                let first = m * if back { seasons - 1 - k } else { k };
                let season = &y[first..y.len().min(first + m)];
                let places = &mut self.ring[..season.len()];
                for i in 0..season.len() {
                    let at = if back { season.len() - 1 - i } else { i };
                    visit(season[at], &step(form, &c, &mut level, &mut places[at], season[at]));
                }
            }
        }
        self.level = level;
    }

    #[inline(always)]
    fn forwards(&mut self, y: &[f64], visit: impl FnMut(f64, &Dual<P>)) {
        match self.form {
            CesSeasonality::Simple => self.sweep(CesSeasonality::Simple, y, false, visit),
            CesSeasonality::Partial => self.sweep(CesSeasonality::Partial, y, false, visit),
            CesSeasonality::Full => self.sweep(CesSeasonality::Full, y, false, visit),
            _ => self.sweep(CesSeasonality::None, y, false, visit),
        }
    }

    fn backwards(&mut self, y: &[f64]) {
        match self.form {
            CesSeasonality::Simple => self.sweep(CesSeasonality::Simple, y, true, |_, _| ()),
            CesSeasonality::Partial => self.sweep(CesSeasonality::Partial, y, true, |_, _| ()),
            CesSeasonality::Full => self.sweep(CesSeasonality::Full, y, true, |_, _| ()),
            _ => self.sweep(CesSeasonality::None, y, true, |_, _| ()),
        }
    }

    /// Goes on without errors where the way turns: by one step, and at each place of the season by one season.
    fn turn_round(&mut self) {
        let none = Dual::fixed(0.0);
        let (form, c) = (self.form, self.c);
        for state in &mut self.ring {
            *state = match form {
                CesSeasonality::Simple => turn(*state, &none, c.alpha, 0),
                CesSeasonality::Full => turn(*state, &none, c.beta, 2),
                _ => *state,
            };
        }
        self.level = turn(self.level, &none, c.alpha, 0);
    }

    /// To the end of the series and back to its beginning.
    fn there_and_back(&mut self, y: &[f64], complete: bool) {
        let m = self.ring.len();
        let needed = if complete { self.memory().saturating_mul(m) } else { usize::MAX };
        // What lies further back than the memory reaches cannot be seen in the starting states.
        let seen = y.get(..needed).unwrap_or_else(|| {
            self.forwards(y, |_, _| ());
            self.turn_round();
            y
        });
        self.backwards(seen);
        self.turn_round();
    }

    /// Steps (seasons for `simple`) after which nothing is left of a state in double precision, where that is known.
    fn memory(&self) -> usize {
        if !matches!(self.form, CesSeasonality::None | CesSeasonality::Simple) {
            return usize::MAX;
        }
        let [a, b] = self.c.alpha;
        // What a step without a value leaves of a state, squared until it is nothing.
        let mut left = [[1.0 - a + b, b - 1.0], [1.0 - a - b, 1.0 - a]];
        for doublings in 0..20 {
            let largest = left.iter().flatten().fold(0.0, |most: f64, v| most.max(v.abs()));
            if largest < 1e-22 {
                return 1 << doublings;
            }
            left = from_fn(|i| from_fn(|j| left[i][0] * left[0][j] + left[i][1] * left[1][j]));
        }
        usize::MAX
    }
}

/// A form with its states before the first value.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Start {
    form: CesSeasonality,
    level: [f64; 2],
    ring: Vec<[f64; 2]>,
}

impl Start {
    /// The first guess.
    fn new(y: &[f64], m: usize, form: CesSeasonality) -> Self {
        let mean = |values: &mut dyn Iterator<Item = &f64>| {
            let (sum, n) = values.filter(|v| !v.is_nan()).fold((0.0, 0), |(sum, n), v| (sum + v, n + 1));
            if n > 0 { Some(sum / f64::from(n)) } else { None }
        };
        let overall = mean(&mut y.iter().filter(|v| !v.is_nan()).take(FIRST)).unwrap_or(0.0);
        let state = |value: f64| [value, value / BALANCE];
        let first = |place: usize| y.iter().skip(place).step_by(m).find(|v| !v.is_nan()).copied();
        let level = if form == CesSeasonality::None { overall } else { mean(&mut y.iter().take(m)).unwrap_or(overall) };
        let figure = || decompose(y, m, true).unwrap_or_else(|| vec![0.0; m]);
        let ring = match form {
            CesSeasonality::Simple => (0..m).map(|place| state(first(place).unwrap_or(overall))).collect(),
            CesSeasonality::Partial | CesSeasonality::Full => figure().into_iter().map(state).collect(),
            _ => vec![[0.0; 2]],
        };
        Self { form, level: state(level), ring }
    }
}

/// The least-squares parameters of a form, and what they leave.
pub(super) struct Fit {
    pub filter: Filter,
    /// The sum of squared errors.
    pub squares: f64,
}

impl Fit {
    /// The best fit of a form to a series.
    pub fn new(y: &[f64], m: usize, form: CesSeasonality) -> Self {
        let start = Start::new(y, m, form);
        match form {
            CesSeasonality::Partial => Self::search(y, &start, &[[1.3, 1.0, 0.1], [1.1, 0.95, 0.02]]),
            CesSeasonality::Full => {
                Self::search(y, &start, &[[1.3, 1.0, 1.3, 1.0], [1.1, 0.9, 1.05, 1.0], [1.05, 1.0, 1.1, 1.0]])
            }
            _ => Self::search(y, &start, &[[1.3, 1.0], [1.05, 1.0]]),
        }
    }

    fn search<const P: usize>(y: &[f64], start: &Start, first: &[[f64; P]]) -> Self {
        let mut errors = Errors::<P> {
            y,
            start,
            complete: !y.iter().any(|v| v.is_nan()),
            gradient: [0.0; P],
            square: [[0.0; P]; P],
        };
        let bounds = &BOUNDS[..P];
        // The sum of squares often has several valleys; a few steps show which one is deepest.
        let look = Stop { evaluations: 10, ..STOP };
        let looks = first.iter().map(|first| least_squares(&mut errors, first, bounds, look));
        let best = looks.min_by(|a, b| a.value.total_cmp(&b.value)).map_or(vec![1.0; P], |found| found.at);
        let found = least_squares(&mut errors, &best, bounds, STOP);
        let (first, ring) = (start.clone(), start.ring.clone());
        let filter = Filter { form: start.form, c: found.at, first, level: start.level, ring };
        Self { filter, squares: found.value }
    }

    /// The likelihood of the `n` values; none where there are no errors or they are not finite.
    pub fn likelihood(&self, n: usize) -> Option<Likelihood> {
        let count = n as f64;
        let log = -0.5 * count * ((2.0 * std::f64::consts::PI * self.squares / count).ln() + 1.0);
        let parameters = self.filter.parameters().len() + 1;
        log.is_finite().then_some(Likelihood { log, parameters, observations: n })
    }
}

/// The errors of a form with `P` parameters. Each pass computes them with their derivatives, so that the normal equations
/// are known as soon as the sum is.
struct Errors<'a, const P: usize> {
    y: &'a [f64],
    start: &'a Start,
    complete: bool,
    gradient: [f64; P],
    /// Its lower triangle.
    square: [[f64; P]; P],
}

impl<const P: usize> SumOfSquares for Errors<'_, P> {
    fn value(&mut self, at: &[f64]) -> f64 {
        let mut states = States::<P>::new(self.start, from_fn(|i| at.get(i).copied().unwrap_or(0.0)));
        states.there_and_back(self.y, self.complete);
        let (mut squares, mut gradient, mut square) = (0.0, [0.0; P], [[0.0; P]; P]);
        states.forwards(self.y, |_, e| {
            squares += e.value * e.value;
            for (i, slope) in e.slope.iter().enumerate() {
                gradient[i] += slope * e.value;
                square[i].iter_mut().zip(&e.slope).take(i + 1).for_each(|(cell, other)| *cell += slope * other);
            }
        });
        (self.gradient, self.square) = (gradient, square);
        squares
    }

    fn linearise(&mut self, _at: &[f64], normal: &mut Normal) {
        normal.gradient.copy_from_slice(&self.gradient);
        for (cell, square) in normal.square.iter_mut().enumerate() {
            let (i, j) = (cell / P, cell % P);
            *square = self.square[i.max(j)][i.min(j)];
        }
    }
}

/// A form with its parameters, and its states after the last value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Filter {
    form: CesSeasonality,
    c: Vec<f64>,
    /// Where the series begins that the parameters were fitted to.
    first: Start,
    level: [f64; 2],
    /// By place in the season, aligned with the next step.
    ring: Vec<[f64; 2]>,
}

impl Filter {
    pub fn form(&self) -> CesSeasonality {
        self.form
    }

    pub fn parameters(&self) -> &[f64] {
        &self.c
    }

    pub fn name(&self) -> String {
        match self.form {
            CesSeasonality::Simple => format!("CES(simple)[{}]", self.ring.len()),
            CesSeasonality::Partial => format!("CES(partial)[{}]", self.ring.len()),
            CesSeasonality::Full => format!("CES(full)[{}]", self.ring.len()),
            _ => "CES(none)".to_owned(),
        }
    }

    fn states(&self, start: &Start) -> States<0> {
        States::new(start, from_fn(|i| self.c.get(i).copied().unwrap_or(0.0)))
    }

    /// The same parameters on the series they were fitted to, whose starting states are found by going there and back.
    pub fn run(&self, y: &[f64]) -> (Self, Vec<f64>) {
        let mut states = self.states(&Start::new(y, self.ring.len().max(1), self.form));
        states.there_and_back(y, !y.iter().any(|v| v.is_nan()));
        let plain = |state: &Complex<0>| state.map(|part| part.value);
        let ring = states.ring.iter().map(plain).collect();
        let first = Start { form: self.form, level: plain(&states.level), ring };
        Self { first, ..self.clone() }.advance(y)
    }

    /// The same parameters and starting states on a series that begins where the fitted one did: the states after its last
    /// value, and the one-step errors, NaN where the value is missing.
    pub fn advance(&self, y: &[f64]) -> (Self, Vec<f64>) {
        let mut states = self.states(&self.first);
        let mut errors = Vec::with_capacity(y.len());
        states.forwards(y, |v, e| errors.push(if v.is_nan() { f64::NAN } else { e.value }));
        let plain = |state: &Complex<0>| state.map(|part| part.value);
        let mut ring: Vec<[f64; 2]> = states.ring.iter().map(plain).collect();
        if !ring.is_empty() {
            let next = y.len() % ring.len();
            ring.rotate_left(next);
        }
        (Self { level: plain(&states.level), ring, ..self.clone() }, errors)
    }

    /// The same model with all states at zero, which shows what an error leads to.
    pub fn at_rest(&self) -> Self {
        Self { level: [0.0; 2], ring: vec![[0.0; 2]; self.ring.len()], ..self.clone() }
    }

    /// Goes `steps` steps beyond the series: `visit` is told the number of the step, from 0, and its mean, and answers
    /// with the error.
    pub fn walk(&self, steps: usize, mut visit: impl FnMut(usize, f64) -> f64) {
        let start = Start { form: self.form, level: self.level, ring: self.ring.clone() };
        let mut states = self.states(&start);
        let m = self.ring.len().max(1);
        for step in 0..steps {
            let Some(place) = states.ring.get_mut(step % m) else { break };
            let e = visit(step, expected(self.form, &states.level, place).value);
            learn(self.form, &states.c, &mut states.level, place, &Dual::fixed(e));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seasonal(n: usize) -> Vec<f64> {
        let noise = |t: usize| ((t * 7919 + 13) % 101) as f64 / 25.0;
        (0..n)
            .map(|t| 50.0 + 0.3 * t as f64 + 9.0 * (t as f64 * std::f64::consts::TAU / 6.0).cos() + noise(t))
            .collect()
    }

    /// The errors on the last way, with their derivatives.
    fn errors<const P: usize>(y: &[f64], form: CesSeasonality, x: &[f64]) -> Vec<Dual<P>> {
        let complete = !y.iter().any(|v| v.is_nan());
        let mut states = States::<P>::new(&Start::new(y, 6, form), from_fn(|i| x.get(i).copied().unwrap_or(0.0)));
        states.there_and_back(y, complete);
        let mut errors = Vec::new();
        states.forwards(y, |_, e| errors.push(*e));
        errors
    }

    fn check<const P: usize>(y: &[f64], form: CesSeasonality, x: [f64; P]) {
        let exact = errors::<P>(y, form, &x);
        for i in 0..P {
            let moved =
                |by: f64| errors::<0>(y, form, &from_fn::<f64, P, _>(|j| if i == j { x[j] + by } else { x[j] }));
            for ((up, down), e) in moved(1e-6).iter().zip(&moved(-1e-6)).zip(&exact) {
                let slope = (up.value - down.value) / 2e-6;
                assert!(
                    (slope - e.slope[i]).abs() < 1e-4 * (1.0 + slope.abs()),
                    "{form:?}, {i}: {slope} {}",
                    e.slope[i]
                );
            }
        }
    }

    #[test]
    fn derivatives_are_those_of_the_errors() {
        let mut y = seasonal(45);
        for _ in 0..2 {
            check(&y, CesSeasonality::None, [1.2, 0.97]);
            check(&y, CesSeasonality::Simple, [1.2, 0.97]);
            check(&y, CesSeasonality::Partial, [1.2, 0.97, 0.15]);
            check(&y, CesSeasonality::Full, [1.2, 0.97, 1.1, 0.99]);
            (y[2], y[20], y[43]) = (f64::NAN, f64::NAN, f64::NAN);
        }
    }

    #[test]
    fn what_the_memory_does_not_reach_does_not_matter() {
        let y = seasonal(3_000);
        for form in [CesSeasonality::None, CesSeasonality::Simple] {
            let run = |complete: bool| {
                let mut states = States::<0>::new(&Start::new(&y, 6, form), [1.2, 1.01, 0.0, 0.0]);
                assert!(states.memory() < 400);
                states.there_and_back(&y, complete);
                let mut errors = Vec::new();
                states.forwards(&y, |_, e| errors.push(e.value));
                errors
            };
            assert!(run(true).iter().zip(run(false)).all(|(a, b)| (a - b).abs() < 1e-11), "{form:?}");
        }
    }
}
