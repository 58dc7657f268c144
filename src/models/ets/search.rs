//! The likeliest parameters and first states of one form.
//!
//! Minus twice the log-likelihood, n ln Σe² + 2 Σ ln f, is n times the logarithm of a sum of squares, that of the
//! errors times the geometric mean of the forecasts. The method of Gauss & Newton, damped as by Levenberg & Marquardt,
//! therefore finds its minimum in a dozen passes, where methods that see only the gradient need a hundred (Nocedal &
//! Wright 2006, *Numerical Optimization*, 2nd ed., §10.3). Coordinates on a bound that the step would cross are fixed
//! and the step is solved anew for the others.
//!
//! Bounds are R's `both`: 1e-4 ≤ α ≤ 0.9999, 1e-4 ≤ β ≤ α, 1e-4 ≤ γ ≤ 1 − α, 0.8 ≤ φ ≤ 0.98, made a box by
//! β = 1e-4 + β*(α − 1e-4) and γ = 1e-4 + γ*(1 − α − 1e-4), and the roots of the seasonal forms within the unit circle.

use super::filter::{self, Layout, Parameters, States, Tangents};
use super::form::{Form, Kind};

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
    trial: Vec<f64>,
    slope: Vec<f64>,
    matrix: Vec<f64>,
    system: Vec<f64>,
    step: Vec<f64>,
    fixed: Vec<bool>,
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
        let row = vec![0.0; size];
        Self {
            form,
            y,
            layout,
            moving,
            bounds,
            tangents: Tangents::new(moving, season),
            states: States { season: vec![0.0; season], ..States::default() },
            trial: row.clone(),
            slope: row.clone(),
            matrix: vec![0.0; size * size],
            system: vec![0.0; size * size],
            step: row,
            fixed: vec![false; size],
            roots: Vec::new(),
        }
    }

    /// Goes downhill from a point for at most `steps` steps, or until a step brings less than `tolerance`.
    pub fn descend(&mut self, from: &Point, steps: usize, tolerance: f64) -> Point {
        let mut at = self.pack(from);
        let mut value = self.deviance(&at);
        let mut damping = 1e-3;
        for _ in 0..steps {
            if !value.is_finite() || !self.linearise(&at) {
                break;
            }
            let mut gain = None;
            while damping < 1e9 {
                if self.solve(&at, damping) {
                    let trial = std::mem::take(&mut self.trial);
                    let next = self.deviance(&trial);
                    self.trial = trial;
                    if next < value {
                        gain = Some(value - next);
                        value = next;
                        std::mem::swap(&mut at, &mut self.trial);
                        damping = (damping / 8.0).max(1e-9);
                        break;
                    }
                }
                damping = (damping * 6.0).max(1e-6);
            }
            if gain.is_none_or(|gain| gain < tolerance) {
                break;
            }
        }
        Point { deviance: value, ..self.unpack(&at) }
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

    fn parameters(&self, at: &[f64]) -> Parameters {
        let value = |place: Option<usize>| place.map(|place| at[place]);
        let alpha = at[0];
        Parameters {
            alpha,
            beta: value(self.layout.beta).map_or(0.0, |share| LOWEST + share * (alpha - LOWEST)),
            gamma: value(self.layout.gamma).map_or(0.0, |share| LOWEST + share * (1.0 - alpha - LOWEST)),
            phi: value(self.layout.phi).unwrap_or(1.0),
        }
    }

    /// Writes the first states to `self.states`.
    fn set_states(&mut self, at: &[f64]) {
        self.states.place = 0;
        self.states.level = at[self.layout.level];
        self.states.growth = self.layout.growth.map_or(0.0, |place| at[place]);
        let free = &at[self.layout.season..];
        if let Some((first, rest)) = self.states.season.split_first_mut() {
            rest.copy_from_slice(free);
            let whole = if self.form.seasonal == Kind::Multiplicative { 1.0 + rest.len() as f64 } else { 0.0 };
            *first = whole - free.iter().sum::<f64>();
        }
    }

    fn unpack(&mut self, at: &[f64]) -> Point {
        self.set_states(at);
        Point { parameters: self.parameters(at), states: self.states.clone(), deviance: f64::INFINITY }
    }

    fn deviance(&mut self, at: &[f64]) -> f64 {
        let by = self.parameters(at);
        if self.form.is_seasonal() && self.form.has_trend() && !stable(by, self.states.season.len(), &mut self.roots) {
            return f64::INFINITY;
        }
        self.set_states(at);
        filter::run(self.form, by, &mut self.states, self.y).map_or(f64::INFINITY, filter::Sums::deviance)
    }

    /// Sets up `matrix` and `slope`, half the second and first derivatives of the sum of squares, in box coordinates.
    fn linearise(&mut self, at: &[f64]) -> bool {
        let by = self.parameters(at);
        self.set_states(at);
        let Some(sums) = self.tangents.run(self.form, self.moving, by, &mut self.states, self.y) else { return false };
        let (size, moving, width) = (self.layout.size, self.moving.size, self.tangents.width());
        let (products, moments, logs) = (&self.tangents.products, &self.tangents.moments, &self.tangents.logs);
        // The errors times the geometric mean of the forecasts change by e' + e · mean (ln f)'.
        let n = sums.count.max(1) as f64;
        for i in 0..moving {
            let log = logs[i] / n;
            self.slope[i] = moments[i] + sums.squares * log;
            for j in i..moving {
                let cell = products[i * width + j] + moments[i] * logs[j] / n + log * moments[j];
                let cell = if self.form.relative { cell + sums.squares * log * logs[j] / n } else { cell };
                (self.matrix[i * size + j], self.matrix[j * size + i]) = (cell, cell);
            }
        }
        if let Some(beta) = self.layout.beta {
            self.share(beta, at[beta], at[0] - LOWEST);
        }
        if let Some(gamma) = self.layout.gamma {
            self.share(gamma, -at[gamma], 1.0 - at[0] - LOWEST);
        }
        self.slope.iter().all(|v| v.is_finite()) && self.matrix.iter().all(|v| v.is_finite())
    }

    /// From derivatives by a parameter to those by its share of the room that α leaves it: α moves it by `with_alpha`.
    fn share(&mut self, place: usize, with_alpha: f64, room: f64) {
        let size = self.layout.size;
        self.slope[0] += with_alpha * self.slope[place];
        self.slope[place] *= room;
        for j in 0..size {
            self.matrix[j] += with_alpha * self.matrix[place * size + j];
            self.matrix[place * size + j] *= room;
        }
        for i in 0..size {
            self.matrix[i * size] += with_alpha * self.matrix[i * size + place];
            self.matrix[i * size + place] *= room;
        }
    }

    /// Writes to `trial` where the damped step leads.
    fn solve(&mut self, at: &[f64], damping: f64) -> bool {
        let size = self.layout.size;
        for (i, &(low, high)) in self.bounds.iter().enumerate() {
            let outward = (at[i] <= low && self.slope[i] >= 0.0) || (at[i] >= high && self.slope[i] <= 0.0);
            let idle = i >= self.moving.size || self.matrix[i * size + i] <= 0.0;
            self.fixed[i] = outward || idle;
            self.trial[i] = at[i];
        }
        for _ in 0..4 {
            // The free coordinates, given how far the others have moved.
            let mut free = 0;
            for i in (0..size).filter(|i| !self.fixed[*i]) {
                let row = &self.matrix[i * size..(i + 1) * size];
                let mut right = -self.slope[i];
                let mut cells = 0;
                for j in 0..size {
                    if self.fixed[j] {
                        right -= row[j] * (self.trial[j] - at[j]);
                    } else {
                        self.system[free * size + cells] = row[j] * if i == j { 1.0 + damping } else { 1.0 };
                        cells += 1;
                    }
                }
                self.step[free] = right;
                free += 1;
            }
            if free == 0 {
                return false;
            }
            // Rows together.
            for i in 1..free {
                self.system.copy_within(i * size..i * size + free, i * free);
            }
            if !solve(&mut self.system[..free * free], free, &mut self.step[..free]) {
                return false;
            }
            let mut crossed = false;
            let mut steps = self.step.iter();
            for (i, &(low, high)) in self.bounds.iter().enumerate() {
                if self.fixed[i] {
                    continue;
                }
                let Some(step) = steps.next() else { return false };
                let to = at[i] + step;
                self.trial[i] = to.clamp(low, high);
                if self.trial[i] != to {
                    self.fixed[i] = true;
                    crossed = true;
                }
            }
            if !crossed {
                break;
            }
        }
        true
    }
}

/// Solves `matrix` x = `right`, symmetric and positive definite, by Cholesky's decomposition; false where it is not.
pub(super) fn solve(matrix: &mut [f64], size: usize, right: &mut [f64]) -> bool {
    for i in 0..size {
        let (above, rest) = matrix.split_at_mut(i * size);
        let row = &mut rest[..size];
        for j in 0..i {
            let other = &above[j * size..(j + 1) * size];
            let dot: f64 = row[..j].iter().zip(&other[..j]).map(|(a, b)| a * b).sum();
            row[j] = (row[j] - dot) / other[j];
        }
        let rest: f64 = row[i] - row[..i].iter().map(|v| v * v).sum::<f64>();
        // What is left of the diagonal is rounding where the columns depend on each other.
        if rest.is_nan() || rest <= 1e-14 * row[i] {
            return false;
        }
        row[i] = rest.sqrt();
        let dot: f64 = row[..i].iter().zip(right.iter()).map(|(a, b)| a * b).sum();
        right[i] = (right[i] - dot) / row[i];
    }
    for i in (0..size).rev() {
        right[i] /= matrix[i * size + i];
        let value = right[i];
        for j in 0..i {
            right[j] -= matrix[i * size + j] * value;
        }
    }
    true
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
