//! What fits a Prophet that the crate `augurs-prophet` prepares, where there is no Stan?
//!
//! That crate makes columns of dates, holidays and regressors, and leaves the parameters to an [`Optimizer`]: its own are Stan
//! as a program to compile, and Stan in WASM. [`MapOptimizer`] is the search that `prophet` uses, in plain Rust.

use augurs::prophet::optimizer::{Data, Error, InitialParams, OptimizeOpts, OptimizedParams};
use augurs::prophet::{Optimizer, PositiveFloat, TrendIndicator};

use super::posterior::{EVALUATIONS, Prior, Rows, most_likely};
use super::trend::{Growth, Trend};

/// The optimiser of [`prophet`](super::Prophet) for programs that use `augurs`' Prophet.
///
/// It searches the same density as Stan (L-BFGS within bounds, analytic derivatives), from the slope and the offset of
/// [`InitialParams`]. Of the options it heeds `jacobian` (that of σ, which augurs asks for with
/// `EstimationMode::Map`) and `iter`, at most so many evaluations; the others are settings of Stan.
///
/// # Errors
/// Where lengths do not fit together, times or changepoints descend, or a number is not finite.
///
/// ```
/// use augurs::prophet::{Prophet, ProphetOptions, TrainingData, optimizer::OptimizeOpts};
/// use tradewind::models::MapOptimizer;
///
/// let days: Vec<i64> = (0..100).map(|day| day * 86_400).collect();
/// let sold = (0..100).map(|day| 50.0 + 0.2 * f64::from(day) + f64::from(day % 7)).collect();
/// let options = ProphetOptions { uncertainty_samples: 0, ..ProphetOptions::default() };
/// let mut prophet = Prophet::new(options, MapOptimizer);
/// prophet.fit(TrainingData::new(days, sold)?, OptimizeOpts::default())?;
/// let fitted = prophet.predict(None)?.yhat.point;
/// assert!((fitted[99] - 70.8).abs() < 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MapOptimizer;

impl Optimizer for MapOptimizer {
    fn optimize(&self, init: &InitialParams, data: &Data, opts: &OptimizeOpts) -> Result<OptimizedParams, Error> {
        if let Some(wrong) = wrong(data) {
            return Err(Error::static_str(wrong));
        }
        let growth = match data.trend_indicator {
            TrendIndicator::Linear => Growth::Linear,
            TrendIndicator::Logistic => Growth::Logistic,
            TrendIndicator::Flat => Growth::Flat,
        };
        let rows = Rows {
            times: data.t.clone(),
            values: data.y.clone(),
            caps: if growth == Growth::Logistic { data.cap.clone() } else { Vec::new() },
            cells: data.X.clone(),
        };
        let prior = Prior {
            growth,
            changepoints: if growth == Growth::Flat { Vec::new() } else { data.t_change.clone() },
            change: *data.tau,
            scales: data.sigmas.iter().map(|scale| **scale).collect(),
            multiplies: data.s_m.iter().map(|multiplies| *multiplies != 0).collect(),
            jacobian: opts.jacobian.unwrap_or(false),
        };
        let start = Trend { growth, slope: init.k, offset: init.m, changepoints: Vec::new(), changes: Vec::new() };
        let likely = most_likely(&rows, prior, start, opts.iter.map_or(EVALUATIONS, |most| most as usize));
        let level = |(i, time): (usize, &f64)| {
            Trend::level(growth, likely.trend.line(*time), data.cap.get(i).copied().unwrap_or(1.0))
        };
        let mut delta = likely.trend.changes.clone();
        delta.resize(data.t_change.len(), 0.0);
        Ok(OptimizedParams {
            k: likely.trend.slope,
            m: likely.trend.offset,
            // As Prophet states for a series that is constant.
            sigma_obs: PositiveFloat::try_from(likely.sigma.max(1e-9)).map_err(Error::custom)?,
            delta,
            beta: likely.coefficients,
            trend: data.t.iter().enumerate().map(level).collect(),
        })
    }
}

/// What is wrong with the data, if anything.
fn wrong(data: &Data) -> Option<&'static str> {
    let rows = data.y.len();
    let logistic = data.trend_indicator == TrendIndicator::Logistic;
    let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
    if rows < 2 {
        return Some("Prophet needs two rows at least");
    }
    if data.t.len() != rows || (logistic && data.cap.len() != rows) {
        return Some("values, times and caps are not of one length");
    }
    let columns = data.sigmas.len();
    if data.s_m.len() != columns || data.s_a.len() != columns || data.X.len() != rows * columns {
        return Some("X is not as many columns as there are scales and modes");
    }
    if ![&data.y, &data.t, &data.X, &data.t_change].into_iter().all(|values| finite(values)) {
        return Some("values, times, columns and changepoints must be finite numbers");
    }
    if logistic && !data.cap.iter().all(|cap| cap.is_finite() && *cap > 0.0) {
        return Some("caps must be finite and above zero");
    }
    if !data.t.is_sorted() || !data.t_change.is_sorted() {
        return Some("times and changepoints must ascend");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten rows of a line with one column, and where to start.
    fn example(trend_indicator: TrendIndicator) -> (InitialParams, Data) {
        let one = PositiveFloat::one();
        let t: Vec<f64> = (0..10).map(|t| f64::from(t) / 9.0).collect();
        let data = Data {
            T: 10,
            y: t.iter().map(|t| 0.2 + 0.5 * t).collect(),
            cap: vec![1.5; 10],
            S: 1,
            t_change: vec![0.5],
            trend_indicator,
            K: 1,
            s_a: vec![1],
            s_m: vec![0],
            X: (0..10).map(|t| f64::from(t % 2)).collect(),
            sigmas: vec![one],
            tau: one,
            t,
        };
        (InitialParams { k: 0.5, m: 0.2, delta: vec![0.0], beta: vec![0.0], sigma_obs: one }, data)
    }

    #[test]
    fn every_trend_has_a_level_for_each_row_and_a_change_for_each_changepoint() {
        for trend in [TrendIndicator::Linear, TrendIndicator::Logistic, TrendIndicator::Flat] {
            let (init, data) = example(trend);
            let found = MapOptimizer.optimize(&init, &data, &OptimizeOpts::default()).unwrap();
            assert_eq!((found.trend.len(), found.delta.len(), found.beta.len()), (10, 1, 1));
            let far = found.trend.iter().zip(&data.y).map(|(level, y)| (level - y).abs()).fold(0.0, f64::max);
            assert!(far < 0.02 || (trend == TrendIndicator::Flat && found.k == 0.0), "{trend:?}: {far}");
        }
    }

    #[test]
    fn data_that_do_not_fit_together_are_refused() {
        type Spoil = fn(&mut Data);
        let spoil: [(&str, Spoil); 7] = [
            ("two rows", |data| data.y.truncate(1)),
            ("one length", |data| data.cap.truncate(3)),
            ("scales and modes", |data| data.X.truncate(3)),
            ("scales and modes", |data| data.s_m.clear()),
            ("finite numbers", |data| data.X[4] = f64::NAN),
            ("above zero", |data| data.cap[4] = 0.0),
            ("ascend", |data| data.t.reverse()),
        ];
        for (word, spoil) in spoil {
            let (init, mut data) = example(TrendIndicator::Logistic);
            spoil(&mut data);
            let error = MapOptimizer.optimize(&init, &data, &OptimizeOpts::default()).unwrap_err();
            assert!(error.to_string().contains(word), "{word}: {error}");
        }
    }
}
