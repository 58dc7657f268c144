//! The trend of a series that has no season.
//!
//! Friedman's super smoother (1984, *A variable span smoother*, Stanford LCS report 5) on evenly spaced values: running
//! lines over 5 %, 20 % and 50 % of the series, and at each step the span between them whose leave-one-out errors are
//! smallest; the same as R's `supsmu`. O(n), since a window moves by one value at a time.

const SPANS: [f64; 3] = [0.05, 0.2, 0.5];

/// The smooth of `y`, which must be finite.
pub(super) fn super_smooth(y: &[f64]) -> Vec<f64> {
    let n = y.len();
    if n < 2 {
        return y.to_vec();
    }
    let smooths = SPANS.map(|span| {
        let line = running_lines(y, span);
        let errors = running_lines(&line.errors, SPANS[1]).fit;
        (line.fit, errors)
    });
    let best: Vec<f64> = (0..n)
        .map(|t| {
            let better = |best: usize, i: usize| if smooths[i].1[t] < smooths[best].1[t] { i } else { best };
            SPANS[(1..3).fold(0, better)]
        })
        .collect();
    let spans = running_lines(&best, SPANS[1]).fit;
    let [(narrow, _), (middle, _), (wide, _)] = &smooths;
    let mixed: Vec<f64> = (0..n)
        .map(|t| {
            let away = spans[t].clamp(SPANS[0], SPANS[2]) - SPANS[1];
            let (share, other) = if away < 0.0 {
                (-away / (SPANS[1] - SPANS[0]), narrow[t])
            } else {
                (away / (SPANS[2] - SPANS[1]), wide[t])
            };
            (1.0 - share) * middle[t] + share * other
        })
        .collect();
    running_lines(&mixed, SPANS[0]).fit
}

struct Lines {
    fit: Vec<f64>,
    /// Absolute leave-one-out errors.
    errors: Vec<f64>,
}

/// Least-squares lines over windows of `span` of the series; at the ends the first and the last window serve on.
fn running_lines(y: &[f64], span: f64) -> Lines {
    let n = y.len();
    let half = ((0.5 * span * n as f64 + 0.5) as usize).max(2);
    let mut window = Moments::default();
    (0..n.min(2 * half + 1)).for_each(|t| window.add(t as f64, y[t]));
    // Below this variance of time a window has no slope; three quarters of the series less one quarter set the scale.
    let quarter = n / 4;
    let scale = if quarter == 0 { 1.0 } else { (2 * quarter).max(1) as f64 };
    let least = (1e-3 * scale).powi(2);
    let (mut fit, mut errors) = (Vec::with_capacity(n), Vec::<f64>::with_capacity(n));
    for t in 0..n {
        if t > half && t + half < n {
            window.remove((t - half - 1) as f64, y[t - half - 1]);
            window.add((t + half) as f64, y[t + half]);
        }
        let away = t as f64 - window.x;
        let sloped = window.variance > least;
        let value = window.y + if sloped { window.covariance / window.variance * away } else { 0.0 };
        let leverage = 1.0 / window.count + if sloped { away * away / window.variance } else { 0.0 };
        let error = if leverage < 1.0 {
            (y[t] - value).abs() / (1.0 - leverage)
        } else {
            errors.last().copied().unwrap_or(0.0)
        };
        fit.push(value);
        errors.push(error);
    }
    Lines { fit, errors }
}

/// Means, and sums of squares and products around them, of the values in a window.
#[derive(Default)]
struct Moments {
    count: f64,
    x: f64,
    y: f64,
    variance: f64,
    covariance: f64,
}

impl Moments {
    fn add(&mut self, x: f64, y: f64) {
        let before = self.count;
        self.count += 1.0;
        self.x = (before * self.x + x) / self.count;
        self.y = (before * self.y + y) / self.count;
        if before > 0.0 {
            let weight = self.count * (x - self.x) / before;
            self.variance += weight * (x - self.x);
            self.covariance += weight * (y - self.y);
        }
    }

    fn remove(&mut self, x: f64, y: f64) {
        let before = self.count;
        self.count -= 1.0;
        if self.count > 0.0 {
            let weight = before * (x - self.x) / self.count;
            self.variance -= weight * (x - self.x);
            self.covariance -= weight * (y - self.y);
            self.x = (before * self.x - x) / self.count;
            self.y = (before * self.y - y) / self.count;
        }
    }
}
