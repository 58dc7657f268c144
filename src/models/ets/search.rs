//! The likeliest parameters and first states of one form.
//!
//! Minus twice the log-likelihood, n ln Σe² + 2 Σ ln f, is n times the logarithm of a sum of squares, that of the
//! errors times the geometric mean of the forecasts: that sum is what is made least.
//!
//! Bounds are R's `both`: 1e-4 ≤ α ≤ 0.9999, 1e-4 ≤ β ≤ α, 1e-4 ≤ γ ≤ 1 − α, 0.8 ≤ φ ≤ 0.98, made a box by
//! β = 1e-4 + β*(α − 1e-4) and γ = 1e-4 + γ*(1 − α − 1e-4), and the roots of the seasonal forms within the unit circle.

use super::filter::{self, Layout, Parameters, States, Tangents};
use super::form::{Form, Kind};
use crate::optimise::{Normal, Stop, SumOfSquares, least_squares};

pub(super) const LOWEST: f64 = 1e-4;
const HIGHEST: f64 = 0.9999;
const DAMPING: (f64, f64) = (0.8, 0.98);

/// A point of the search and how unlikely it makes the series.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub parameters: Parameters,
    pub states: States,
    /// Minus twice the log-likelihood, up to constants; infinite where the form makes no sense.
    pub deviance: f64,
}

impl Point {
    /// Where a search ends that has nowhere to begin.
    pub fn nowhere() -> Self {
        let parameters = Parameters { alpha: LOWEST, beta: 0.0, gamma: 0.0, phi: 1.0 };
        Self { parameters, states: States::default(), deviance: f64::INFINITY }
    }
}

/// The search for one form in one scaled series.
pub(super) struct Search<'a> {
    form: Form,
    y: &'a [f64],
    layout: Layout,
    /// The coordinates that are estimated: all, or the smoothing parameters where first states are held.
    moving: Layout,
    bounds: Vec<(f64, f64)>,
    tangents: Tangents,
    states: States,
    /// The coordinates, those that are held among them.
    at: Vec<f64>,
    roots: Vec<f64>,
}

impl<'a> Search<'a> {
    pub fn new(form: Form, season: usize, y: &'a [f64], free_states: bool) -> Self {
        let season = if form.is_seasonal() { season } else { 0 };
        let layout = Layout::new(form, season);
        let size = layout.size;
        let moving = if free_states { layout } else { Layout { size: layout.level, ..layout } };
        let mut bounds = vec![(f64::NEG_INFINITY, f64::INFINITY); size];
        bounds[0] = (LOWEST, HIGHEST);
        for at in [layout.beta, layout.gamma].into_iter().flatten() {
            bounds[at] = (0.0, 1.0);
        }
        if let Some(phi) = layout.phi {
            bounds[phi] = DAMPING;
        }
        Self {
            form,
            y,
            layout,
            moving,
            bounds,
            tangents: Tangents::new(moving, season),
            states: States { season: vec![0.0; season], ..States::default() },
            at: vec![0.0; size],
            roots: Vec::new(),
        }
    }

    /// Goes downhill from a point for at most `steps` passes, or until a step brings less than `tolerance` of the
    /// deviance.
    pub fn descend(&mut self, from: &Point, steps: usize, tolerance: f64) -> Point {
        self.at = self.pack(from);
        let moving = self.moving.size;
        let n = self.y.iter().filter(|v| !v.is_nan()).count() as f64;
        let (start, bounds) = (self.at[..moving].to_vec(), self.bounds[..moving].to_vec());
        let stop = Stop { tolerance: tolerance / n.max(1.0), evaluations: steps };
        let found = least_squares(self, &start, &bounds, stop);
        self.at[..moving].copy_from_slice(&found.at);
        self.set_states();
        Point { parameters: self.parameters(), states: self.states.clone(), deviance: n * found.value.ln() }
    }

    /// The coordinates of a point, moved within the bounds.
    fn pack(&self, point: &Point) -> Vec<f64> {
        let layout = self.layout;
        let share = |value: f64, room: f64| if room > 0.0 { (value - LOWEST) / room } else { 0.0 };
        let by = point.parameters;
        let alpha = by.alpha.clamp(LOWEST, HIGHEST);
        let mut at = vec![0.0; layout.size];
        at[0] = alpha;
        let mut set = |place: Option<usize>, value: f64| {
            if let Some(cell) = place.and_then(|place| at.get_mut(place)) {
                *cell = value;
            }
        };
        set(layout.beta, share(by.beta, alpha - LOWEST));
        set(layout.gamma, share(by.gamma, 1.0 - alpha - LOWEST));
        set(layout.phi, by.phi);
        set(Some(layout.level), point.states.level);
        set(layout.growth, point.states.growth);
        for (cell, season) in at[layout.season..].iter_mut().zip(point.states.season.iter().skip(1)) {
            *cell = *season;
        }
        for (cell, (low, high)) in at.iter_mut().zip(&self.bounds) {
            *cell = cell.clamp(*low, *high);
        }
        at
    }

    fn parameters(&self) -> Parameters {
        let value = |place: Option<usize>| place.map(|place| self.at[place]);
        let alpha = self.at[0];
        Parameters {
            alpha,
            beta: value(self.layout.beta).map_or(0.0, |share| LOWEST + share * (alpha - LOWEST)),
            gamma: value(self.layout.gamma).map_or(0.0, |share| LOWEST + share * (1.0 - alpha - LOWEST)),
            phi: value(self.layout.phi).unwrap_or(1.0),
        }
    }

    /// Writes the first states to `self.states`.
    fn set_states(&mut self) {
        self.states.place = 0;
        self.states.level = self.at[self.layout.level];
        self.states.growth = self.layout.growth.map_or(0.0, |place| self.at[place]);
        let free = &self.at[self.layout.season..];
        if let Some((first, rest)) = self.states.season.split_first_mut() {
            rest.copy_from_slice(free);
            let whole = if self.form.seasonal == Kind::Multiplicative { 1.0 + rest.len() as f64 } else { 0.0 };
            *first = whole - free.iter().sum::<f64>();
        }
    }
}

impl SumOfSquares for Search<'_> {
    /// Smoothing parameters often end on a bound, and the first states must follow them there.
    const SOLUTIONS: usize = 4;

    fn value(&mut self, at: &[f64]) -> f64 {
        self.at[..at.len()].copy_from_slice(at);
        let by = self.parameters();
        if self.form.is_seasonal() && self.form.has_trend() && !stable(by, self.states.season.len(), &mut self.roots) {
            return f64::INFINITY;
        }
        self.set_states();
        let sums = filter::run(self.form, by, &mut self.states, self.y);
        sums.map_or(f64::INFINITY, |sums| (sums.deviance() / sums.count.max(1) as f64).exp())
    }

    fn linearise(&mut self, at: &[f64], normal: &mut Normal) {
        let by = self.parameters();
        self.set_states();
        let Some(sums) = self.tangents.run(self.form, self.moving, by, &mut self.states, self.y) else {
            normal.gradient.fill(f64::NAN);
            return;
        };
        let (size, width) = (self.moving.size, self.tangents.width());
        let (products, moments, logs) = (&self.tangents.products, &self.tangents.moments, &self.tangents.logs);
        // The errors times the geometric mean of the forecasts change by e' + e · mean (ln f)'.
        let n = sums.count.max(1) as f64;
        let scale = (2.0 * sums.logs / n).exp();
        let Normal { gradient, square } = normal;
        for i in 0..size {
            let log = logs[i] / n;
            gradient[i] = scale * (moments[i] + sums.squares * log);
            for j in i..size {
                let cell = products[i * width + j] + moments[i] * logs[j] / n + log * moments[j];
                let cell = if self.form.relative { cell + sums.squares * log * logs[j] / n } else { cell };
                (square[i * size + j], square[j * size + i]) = (scale * cell, scale * cell);
            }
        }
        if let Some(beta) = self.layout.beta {
            share(normal, beta, at[beta], at[0] - LOWEST);
        }
        if let Some(gamma) = self.layout.gamma {
            share(normal, gamma, -at[gamma], 1.0 - at[0] - LOWEST);
        }
    }
}

/// From derivatives by a parameter to those by its share of the room that α leaves it: α moves it by `with_alpha`.
fn share(normal: &mut Normal, place: usize, with_alpha: f64, room: f64) {
    let Normal { gradient, square } = normal;
    let size = gradient.len();
    gradient[0] += with_alpha * gradient[place];
    gradient[place] *= room;
    for j in 0..size {
        square[j] += with_alpha * square[place * size + j];
        square[place * size + j] *= room;
    }
    for i in 0..size {
        square[i * size] += with_alpha * square[i * size + place];
        square[i * size + place] *= room;
    }
}

/// Do old errors die away? They do where the roots of the characteristic polynomial lie within the unit circle
/// (Hyndman, Akram & Archibald 2008, *Annals of the Institute of Statistical Mathematics* 60), which the step-down
/// recursion of Schur & Cohn tells without finding them. Seasonal forms without a trend always fulfil it within the
/// other bounds.
fn stable(by: Parameters, season: usize, work: &mut Vec<f64>) -> bool {
    let Parameters { alpha, beta, gamma, phi } = by;
    let middle = alpha + beta - alpha * phi;
    work.clear();
    work.push(1.0);
    work.push(alpha + beta - phi);
    work.extend(std::iter::repeat_n(middle, season.saturating_sub(2)));
    work.push(middle + gamma - 1.0);
    work.push(phi * (1.0 - alpha - gamma));
    for degree in (1..work.len()).rev() {
        let last = work[degree];
        if last.is_nan() || last.abs() >= 1.0 {
            return false;
        }
        let scale = 1.0 / (1.0 - last * last);
        let (mut low, mut high) = (1, degree - 1);
        while low <= high {
            let (a, b) = (work[low], work[high]);
            work[low] = (a - last * b) * scale;
            work[high] = (b - last * a) * scale;
            low += 1;
            high -= 1;
        }
    }
    true
}
