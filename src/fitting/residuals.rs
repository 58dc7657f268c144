//! The one-step errors of a global model as an AR(1) process: its coefficient, its innovations, and paths simulated from them.

use serde::{Deserialize, Serialize};

/// The most steps whose residuals are kept, per series and in total; at least a hundred of each series.
const RESIDUALS: usize = 364;
const ALL_RESIDUALS: usize = 100_000;
/// The largest coefficient.
const MAX_PHI: f64 = 0.95;

/// The first step of a series of `steps` steps whose residual is kept, in a panel of `series` series.
pub(crate) fn first_kept(series: usize, steps: usize) -> usize {
    steps.saturating_sub((ALL_RESIDUALS / series.max(1)).clamp(100, RESIDUALS))
}

/// An AR(1) process with the coefficient φ.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Autoregression {
    phi: f64,
}

impl Autoregression {
    /// The process of errors, estimated by least squares over all series; NaN where there is no error.
    pub fn of<'a>(errors: impl Iterator<Item = &'a Vec<f64>>) -> Self {
        let pairs = errors.flat_map(|errors| errors.windows(2)).filter(|pair| pair.iter().all(|e| e.is_finite()));
        let (product, square) =
            pairs.fold((0.0, 0.0), |(product, square), pair| (product + pair[0] * pair[1], square + pair[0].powi(2)));
        Self { phi: if square > 0.0 { (product / square).clamp(0.0, MAX_PHI) } else { 0.0 } }
    }

    /// The innovations of errors, multiplied by `size`.
    pub fn innovations(self, errors: &[f64], size: f64) -> Vec<f64> {
        let before = std::iter::once(&f64::NAN).chain(errors);
        let innovation =
            |(e, before): (&f64, &f64)| size * (e - self.phi * if before.is_nan() { 0.0 } else { *before });
        errors.iter().zip(before).map(innovation).collect()
    }

    /// The path around `mean` that innovations lead to; the first ones belong to steps before the path.
    pub fn simulate(self, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        let lead = shocks.len() - path.len();
        let mut error = 0.0;
        for (t, shock) in shocks.iter().enumerate() {
            error = self.phi * error + shock;
            if t >= lead {
                path[t - lead] = mean[t - lead] + error;
            }
        }
    }
}
