//! The forecast of fitted models, and the paths that they simulate.
//!
//! **Paths** are simulated from each model's own dynamics with shocks drawn from its residuals: the same date for all
//! series, so that correlated series stay correlated. The shocks of global models are out-of-sample errors, or at least errors
//! of steps with all lags; a series too short for that draws its own, independently of the others, as does one without a
//! residual on a date. Their ranks are then laid onto the forecast's own quantiles
//! step by step (a Schaake shuffle, Clark et al. 2004), so that a path sample and the quantile columns never contradict
//! each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use ndarray::Array2;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

use super::paths::{PathSource, Sampler, deviates, lay};
use super::{Distribution, Forecast, Inner, LEVELS, quantiles_of};
use crate::error::{Error, Result};
use crate::models::{Failure, Fits, Horizon, StepDistribution};
use crate::panel::order::mixed;
use crate::panel::{Future, Normalise};
use crate::progress;
use crate::show::words::counted;

/// What a forecast of fitted models has beyond its numbers: fits and future.
#[derive(Clone)]
pub(super) struct Fitted {
    pub(super) fits: Fits,
    pub(super) future: Future,
}

impl Fits {
    /// The forecast of every model for every series, for a number of steps or for a [`Future`].
    ///
    /// # Errors
    /// When the horizon is zero or a known covariate that a model reads has no value, naming series and date.
    pub fn forecast(&self, horizon: impl Into<Horizon>) -> Result<Forecast> {
        let future = match horizon.into() {
            Horizon::Steps(steps) => self.panel().future(steps)?,
            Horizon::Future(future) => *future,
        };
        let forecast = Forecast::of(self, &future, |_| true)?;
        match forecast.unknown() {
            Some(error) => Err(error.clone()),
            None => Ok(forecast),
        }
    }
}

impl Fits {
    /// The forecast of one series by one model, given their places: no work for the others.
    #[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "only a server is asked for single series"))]
    pub(crate) fn forecast_one(&self, model: usize, future: &Future, series: usize) -> Result<StepDistribution> {
        self.fitted(model).forecast(future, series)?.finite()
    }
}

impl Forecast {
    /// As [`Fits::forecast`] for selected series; a missing covariate is a failure of its series.
    pub(crate) fn of(fits: &Fits, future: &Future, asked: impl Fn(usize) -> bool + Sync) -> Result<Self> {
        let panel = fits.panel();
        let models = fits.models();
        let n = panel.len();
        let cells: Vec<Option<Result<StepDistribution>>> = (0..models.len() * n)
            .into_par_iter()
            .map(|cell| {
                progress::check()?;
                let series = cell % n;
                Ok(asked(series).then(|| fits.fitted(cell / n).forecast(future, series)?.finite()))
            })
            .collect::<Result<_>>()?;
        let mut failures = Vec::new();
        let mut unknown = None;
        for (cell, outcome) in cells.iter().enumerate() {
            let Some(Err(error)) = outcome else { continue };
            if error.is_data() && unknown.is_none() {
                unknown = Some(error.clone());
            }
            failures.push(Failure {
                model: models[cell / n].clone(),
                series: panel.label(cell % n).into(),
                reason: error.to_string(),
            });
        }
        let remarks = remarks(&models, n, &cells);
        let cells = cells.into_iter().map(|cell| cell.and_then(Result::ok).map(Distribution::Model)).collect();
        let fitted = Fitted { fits: fits.clone(), future: future.clone() };
        Ok(Self(Arc::new(Inner {
            starts: (0..n).map(|i| future.start(i)).collect(),
            horizon: future.horizon(),
            panel,
            models,
            cells: Arc::new(cells),
            source: Arc::new(fitted.clone()),
            fitted: Some(fitted),
            failures,
            unknown,
            remarks,
            probabilities: quantiles_of(&LEVELS),
            levels: LEVELS.to_vec(),
        })))
    }
}

/// What is to be known of how forecasts came about, each remark with the number of series that it is of.
fn remarks(models: &[String], n: usize, cells: &[Option<Result<StepDistribution>>]) -> Vec<String> {
    let mut counts: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    for (cell, forecast) in cells.iter().enumerate() {
        let Some(Ok(forecast)) = forecast else { continue };
        forecast.remarks().iter().for_each(|remark| *counts.entry((cell / n, remark)).or_default() += 1);
    }
    let sentence = |((model, remark), count): ((usize, &str), usize)| {
        format!("{}, {}: {remark}.", models[model], counted(count, "series", "series"))
    };
    counts.into_iter().map(sentence).collect()
}

impl PathSource for Fitted {
    fn sampler(&self, forecast: &Forecast, model: usize, n: usize, seed: u64) -> Result<Arc<dyn Sampler>> {
        let dates = Dates::of(&self.fits, model);
        Ok(Arc::new(Simulation {
            fitted: self.clone(),
            forecast: forecast.clone(),
            model,
            seed,
            dates,
            deviates: deviates(n),
        }))
    }

    fn errors(&self, _: &Forecast, model: usize, series: usize) -> Option<Vec<f64>> {
        // Those of a normalised target are on another scale than the sums.
        let on_scale = self.fits.panel().columns().normalise == Normalise::None;
        on_scale.then(|| self.fits.fitted(model).shocks(series).values.to_vec())
    }
}

/// Simulates the paths of one model.
struct Simulation {
    fitted: Fitted,
    forecast: Forecast,
    model: usize,
    seed: u64,
    dates: Dates,
    /// One for each path.
    deviates: Vec<f64>,
}

impl Sampler for Simulation {
    fn draw(&self, series: usize) -> Result<Array2<f64>> {
        let (panel, future, dates) = (self.fitted.fits.panel(), &self.fitted.future, &self.dates);
        let (h, paths) = (future.horizon(), self.deviates.len());
        let Some(distribution) = self.forecast.cell(self.model, series) else {
            return Err(Error::model("the model has no forecast for this series"));
        };
        let fitted = self.fitted.fits.fitted(self.model);
        // Simulated around the mean on the model's scale.
        let mean = match distribution {
            Distribution::Model(steps) => steps.model_mean(),
            other => other.mean(),
        };
        let drawn = fitted.shocks(series);
        let own: Vec<f64> = drawn.values.iter().copied().filter(|e| !e.is_nan()).collect();
        let identity = identity(&own);
        let first = panel.positions(series).first().copied().unwrap_or(0);
        let end = panel.positions(series).last().map_or(first, |last| last + 1);
        let lead = (future.start(series) - end).max(0) as usize;
        let mut raw = Array2::zeros((paths, h));
        let mut shocks = vec![0.0; lead + h];
        let mut path = vec![0.0; h];
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        for n in 0..paths {
            random.set_stream(n as u64);
            random.set_word_pos(2 * (end - dates.base).max(0) as u128);
            for shock in &mut shocks {
                let draw = random.next_u64();
                let date = dates.positions.get((draw % dates.positions.len().max(1) as u64) as usize);
                let joint = date
                    .filter(|_| drawn.joint)
                    .and_then(|date| drawn.values.get(usize::try_from(date - first).ok()?))
                    .filter(|e| !e.is_nan());
                // A series without a residual on that date draws one of its own.
                let alone = || own.get((mixed(draw ^ identity) % own.len().max(1) as u64) as usize);
                *shock = joint.or_else(alone).copied().unwrap_or(0.0);
            }
            fitted.simulate(future, series, mean, &shocks, &mut path)?;
            raw.row_mut(n).iter_mut().zip(&path).for_each(|(cell, value)| *cell = *value);
        }
        lay(&mut raw, identity, distribution, &self.deviates);
        Ok(raw)
    }
}

/// A number that a series has by its residuals alone, wherever it stands among the others. Paths of one date's shocks are
/// equal: which of them is the higher is each series' own.
fn identity(residuals: &[f64]) -> u64 {
    residuals.iter().fold(0, |so_far, e| mixed(so_far ^ e.to_bits()))
}

/// The dates on which a model has residuals, for all series together.
struct Dates {
    positions: Vec<i64>,
    /// The earliest end of a series: draws are counted from here, so that one date has one draw for all series.
    base: i64,
}

impl Dates {
    fn of(fits: &Fits, model: usize) -> Self {
        let (panel, fitted) = (fits.panel(), fits.fitted(model));
        let mut positions = std::collections::BTreeSet::new();
        let mut base = i64::MAX;
        for i in 0..panel.len() {
            let first = panel.positions(i).first().copied().unwrap_or(0);
            base = base.min(panel.positions(i).last().map_or(first, |last| last + 1));
            let shocks = fitted.shocks(i);
            let joint = (first..).zip(shocks.values).filter(|(_, e)| shocks.joint && !e.is_nan());
            positions.extend(joint.map(|(position, _)| position));
        }
        Self { positions: positions.into_iter().collect(), base }
    }
}
