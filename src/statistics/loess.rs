//! Locally weighted regression on evenly spaced values, as the seasonal-trend decomposition needs it.
//!
//! At each target the values of a window are weighted by the tricube of their distance, (1 − (r/h)³)³, times weights of
//! the caller's, and a constant or a line is fitted; between targets `jump` steps apart the fit is interpolated
//! (Cleveland, Cleveland, McRae & Terpenning 1990, §2.1 and §4). On a regular grid the tricube weights of a target depend
//! on its place in the window alone, so all inner targets share one row of them, and the weights of the whole smoother
//! are computed once for all the series it smooths.

/// A smoother of `n` evenly spaced values.
#[derive(Clone, Debug)]
pub(super) struct Loess {
    n: usize,
    linear: bool,
    /// Every `jump`-th place and the last one.
    inside: Vec<Target>,
    /// One step before the first and one after the last value.
    outside: Option<[Target; 2]>,
    /// Rows of tricube weights.
    tricube: Vec<f64>,
    /// Rows that give the fit at a target as a weighted sum, where the caller has no weights.
    operator: Vec<f64>,
}

/// A place to fit at, and the window of values to fit there.
#[derive(Clone, Copy, Debug)]
struct Target {
    /// Counted from 0; −1 and n lie outside.
    at: isize,
    left: usize,
    length: usize,
    /// Where its row begins.
    row: usize,
}

impl Loess {
    /// A smoother over `window` values, of local lines or else constants, for `n` ≥ 2 values.
    pub(super) fn new(n: usize, window: usize, linear: bool, jump: usize, extended: bool) -> Self {
        let jump = jump.clamp(1, (n - 1).max(1));
        let mut smoother =
            Self { n, linear, inside: Vec::new(), outside: None, tricube: Vec::new(), operator: Vec::new() };
        let half = window.div_ceil(2);
        // Where the window does not fit, all values are in it and the weights fall off more slowly.
        let length = window.min(n);
        let excess = window.saturating_sub(n) / 2;
        let mut middle = None;
        let mut left = 0;
        for at in (0..n).step_by(jump) {
            left = if at + 1 < half || window >= n {
                0
            } else if at + half >= n {
                n - length
            } else {
                at + 1 - half
            };
            let inner = left + half == at + 1 && window < n;
            let target = match middle {
                Some(row) if inner => Target { at: at as isize, left, length, row },
                _ => smoother.target(at as isize, left, length, excess),
            };
            if inner {
                middle = Some(target.row);
            }
            smoother.inside.push(target);
        }
        if !(n - 1).is_multiple_of(jump) {
            // The last value is fitted in the window of the target before it.
            let last = smoother.target(n as isize - 1, left, length, excess);
            smoother.inside.push(last);
        }
        if extended {
            let before = smoother.target(-1, 0, length, excess);
            smoother.outside = Some([before, smoother.target(n as isize, n - length, length, excess)]);
        }
        smoother
    }

    /// A target with a row of its own.
    fn target(&mut self, at: isize, left: usize, length: usize, excess: usize) -> Target {
        let row = self.tricube.len();
        let place = |j: usize| (left + j) as f64 - at as f64;
        let reach = place(0).abs().max(place(length - 1).abs()) + excess as f64;
        self.tricube.extend((0..length).map(|j| {
            let distance = place(j).abs();
            if distance > 0.999 * reach {
                0.0
            } else if distance <= 0.001 * reach {
                1.0
            } else {
                let ratio = distance / reach;
                let rest = 1.0 - ratio * ratio * ratio;
                rest * rest * rest
            }
        }));
        let weights = &self.tricube[row..];
        let total: f64 = weights.iter().sum();
        let centre = weights.iter().enumerate().map(|(j, w)| w * place(j)).sum::<f64>() / total;
        let spread = weights.iter().enumerate().map(|(j, w)| w * (place(j) - centre).powi(2)).sum::<f64>() / total;
        let slope = if self.sloped(spread) { -centre / spread } else { 0.0 };
        let row_of = weights.iter().enumerate().map(|(j, w)| w / total * (1.0 + slope * (place(j) - centre)));
        self.operator.extend(row_of);
        Target { at, left, length, row }
    }

    /// Is there enough spread in a window for a line?
    fn sloped(&self, spread: f64) -> bool {
        self.linear && spread.sqrt() > 0.001 * (self.n as f64 - 1.0)
    }

    /// Smooths `y` (`n` values) into `out`: `n` values, or `n + 2` for an extended smoother.
    pub(super) fn smooth(&self, y: &[f64], weights: Option<&[f64]>, out: &mut [f64]) {
        let fit = |target: &Target| match weights {
            Some(weights) => self.weighted(target, y, weights),
            None => Some(dot(&self.operator[target.row..][..target.length], &y[target.left..][..target.length])),
        };
        let shift = usize::from(self.outside.is_some());
        let inside = &mut out[shift..shift + self.n];
        let mut before: Option<(usize, f64)> = None;
        for target in &self.inside {
            let at = target.at as usize;
            let value = fit(target).unwrap_or(y[at]);
            inside[at] = value;
            if let Some((from, start)) = before
                && at > from + 1
            {
                let step = (value - start) / (at - from) as f64;
                for (i, cell) in inside[from + 1..at].iter_mut().enumerate() {
                    *cell = start + step * (i + 1) as f64;
                }
            }
            before = Some((at, value));
        }
        if let Some([first, last]) = &self.outside {
            out[0] = fit(first).unwrap_or(out[1]);
            out[self.n + 1] = fit(last).unwrap_or(out[self.n]);
        }
    }

    /// The fit with the caller's weights; none where all of them are zero.
    fn weighted(&self, target: &Target, y: &[f64], weights: &[f64]) -> Option<f64> {
        let window = target.left..target.left + target.length;
        let tricube = &self.tricube[target.row..][..target.length];
        let (y, weights) = (&y[window.clone()], &weights[window]);
        let offset = target.left as f64 - target.at as f64;
        let (mut total, mut moment, mut sum) = (0.0, 0.0, 0.0);
        for (j, ((t, v), y)) in tricube.iter().zip(weights).zip(y).enumerate() {
            let w = t * v;
            total += w;
            moment += w * (j as f64 + offset);
            sum += w * y;
        }
        if total <= 0.0 {
            return None;
        }
        let mean = sum / total;
        if !self.linear {
            return Some(mean);
        }
        let centre = moment / total;
        let (mut spread, mut covariance) = (0.0, 0.0);
        for (j, ((t, v), y)) in tricube.iter().zip(weights).zip(y).enumerate() {
            let (w, away) = (t * v, j as f64 + offset - centre);
            spread += w * away * away;
            covariance += w * away * y;
        }
        let slope = if self.sloped(spread / total) { covariance / spread } else { 0.0 };
        Some(mean - centre * slope)
    }
}

/// The sum of products, in four parts so that the processor need not wait for each addition.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut parts = [0.0; 4];
    let (a, rest_a) = a.as_chunks::<4>();
    let (b, rest_b) = b.as_chunks::<4>();
    for (a, b) in a.iter().zip(b) {
        for i in 0..4 {
            parts[i] += a[i] * b[i];
        }
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    (parts[0] + parts[1]) + (parts[2] + parts[3]) + rest
}
