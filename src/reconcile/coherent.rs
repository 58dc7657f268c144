//! What are joint sample paths whose sums agree?
//!
//! The paths of all series, drawn on the same dates of the past, are reconciled one by one as the means are: on each path the
//! sums of all levels agree, and the quantiles of a total are those of its paths, never sums of quantiles
//! (Panagiotelis, Gamakumara, Athanasopoulos & Hyndman 2023).

use std::sync::Arc;

use ndarray::Array2;
use rayon::prelude::*;

use super::project::Held;
use super::solver::Solver;
use crate::error::{Error, Result};
use crate::forecast::{Distribution, Forecast, Given, PathSource, Probabilities, Sampler};
use crate::progress;

/// Values of paths that are held at the same time: 400 MB.
const VALUES: usize = 50_000_000;
/// Paths by which quantiles are known, fewest and most.
const PATHS: (usize, usize) = (100, 1_000);
/// Their seed.
const SEED: u64 = 1;
/// Values of paths that are reconciled together.
const TOGETHER: usize = 64;
/// How exactly means are solved, and paths.
const MEANS: f64 = 1e-13;
const DRAWS: f64 = 1e-9;

/// The probabilities at which a distribution of paths is kept.
const KEPT: [f64; 25] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85,
    0.9, 0.95, 0.975, 0.99, 0.995,
];

/// One model of a forecast that is made.
pub(super) enum Made {
    /// Of each series the model of another forecast that forecasts it.
    Kept { base: Forecast, models: Vec<usize> },
    /// A model of another forecast, reconciled; the leaves that are at zero in each step.
    Reconciled { base: Forecast, model: usize, solver: Solver, held: Vec<Held> },
}

/// The paths of models that were kept and reconciled.
pub(super) struct Source(pub(super) Vec<Made>);

impl Made {
    /// A model, reconciled: its means, and its distributions if those are asked for.
    ///
    /// # Errors
    /// As [`Solver::solve`], and when the paths of the base cannot be drawn.
    pub(super) fn reconciled(
        base: &Forecast,
        model: usize,
        solver: Solver,
        spread: bool,
    ) -> Result<(Self, Vec<Option<Distribution>>)> {
        let horizon = base.horizon();
        let step = |step: usize| {
            let mut held = Held::new();
            let mean = |i| base.cell(model, i).map_or(0.0, |cell| cell.mean()[step]);
            let values: Vec<f64> = (0..base.len()).map(mean).collect();
            Ok((solver.solve(&values, &mut held, MEANS)?, held))
        };
        let steps: Vec<(Vec<f64>, Held)> = (0..horizon).into_par_iter().map(step).collect::<Result<_>>()?;
        let (means, held): (Vec<Vec<f64>>, Vec<Held>) = steps.into_iter().unzip();
        let there = solver.nodes.all();
        let has_paths = spread && there.iter().all(|i| base.cell(model, *i).is_some_and(Distribution::is_spread));
        let made = Self::Reconciled { base: base.clone(), model, solver, held };
        let at = Arc::new(Probabilities::new(if has_paths { KEPT.to_vec() } else { Vec::new() }));
        let mut values: Vec<Vec<f64>> = vec![Vec::new(); base.len()];
        if has_paths {
            let n = (VALUES / (there.len() * horizon).max(1)).clamp(PATHS.0, PATHS.1);
            let paths = made.paths(n, SEED)?;
            values = paths.into_par_iter().map(|paths| paths.map_or_else(Vec::new, |paths| kept(&paths))).collect();
        }
        let mut cells: Vec<Option<Distribution>> = vec![None; base.len()];
        for i in there {
            let mean = means.iter().map(|values| values[i]).collect();
            let values = std::mem::take(&mut values[i]);
            cells[i] = Some(Distribution::Given(Given { mean, at: at.clone(), values }));
        }
        Ok((made, cells))
    }

    /// Paths of all series, reconciled; none of those that have no forecast.
    fn paths(&self, n: usize, seed: u64) -> Result<Vec<Option<Array2<f64>>>> {
        let Self::Reconciled { base, model, solver, held } = self else { return Ok(Vec::new()) };
        let sampler = base.source().sampler(base, *model, n, seed)?;
        let there = solver.nodes.all();
        let horizon = base.horizon();
        crate::job::room("values of sample paths", (n * horizon * (there.len() + 2)) as u64, 8)?;
        let draw = |i: &usize| progress::check().and_then(|()| sampler.draw(*i));
        let mut drawn: Vec<Array2<f64>> = there.par_iter().map(draw).collect::<Result<_>>()?;
        let columns: Vec<(usize, usize)> = (0..n).flat_map(|path| (0..horizon).map(move |step| (path, step))).collect();
        for some in columns.chunks(TOGETHER) {
            let solved: Vec<Vec<f64>> = some
                .par_iter()
                .map(|(path, step)| {
                    let mut values = vec![0.0; base.len()];
                    there.iter().zip(&drawn).for_each(|(i, paths)| values[*i] = paths[(*path, *step)]);
                    solver.solve(&values, &mut held[*step].clone(), DRAWS)
                })
                .collect::<Result<_>>()?;
            drawn.par_iter_mut().zip(&there).for_each(|(paths, i)| {
                some.iter().zip(&solved).for_each(|(cell, values)| paths[*cell] = values[*i]);
            });
        }
        let mut paths = vec![None; base.len()];
        there.into_iter().zip(drawn).for_each(|(i, drawn)| paths[i] = Some(drawn));
        Ok(paths)
    }
}

/// The quantiles at [`KEPT`] of each step, step after step.
fn kept(paths: &Array2<f64>) -> Vec<f64> {
    let mut values = Vec::with_capacity(paths.ncols() * KEPT.len());
    for column in paths.columns() {
        let mut sorted = column.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        // The k-th smallest of n values is their quantile at (k − ½)/n, as the base paths were laid.
        let at = |p: &f64| {
            let place = (p * sorted.len() as f64 - 0.5).clamp(0.0, (sorted.len() - 1) as f64);
            let (low, share) = (place.floor() as usize, place.fract());
            let high = (low + 1).min(sorted.len() - 1);
            sorted[low] + (sorted[high] - sorted[low]) * share
        };
        values.extend(KEPT.iter().map(at));
    }
    values
}

impl PathSource for Source {
    fn sampler(&self, _: &Forecast, model: usize, n: usize, seed: u64) -> Result<Arc<dyn Sampler>> {
        match &self.0[model] {
            Made::Kept { base, models } => {
                let mut samplers: Vec<Option<Arc<dyn Sampler>>> = vec![None; base.models().len()];
                for model in models {
                    if samplers[*model].is_none() {
                        samplers[*model] = Some(base.source().sampler(base, *model, n, seed)?);
                    }
                }
                let samplers = models.iter().filter_map(|model| samplers[*model].clone()).collect();
                Ok(Arc::new(Several(samplers)))
            }
            made @ Made::Reconciled { base, .. } => {
                let each = base.horizon().saturating_mul(base.len()).max(1);
                if n.saturating_mul(each) > 4 * VALUES {
                    return Err(Error::usage(format!(
                        "{n} coherent paths of {} series and {} steps do not fit into memory together; ask for at most {}",
                        base.len(),
                        base.horizon(),
                        4 * VALUES / each
                    )));
                }
                Ok(Arc::new(Drawn(made.paths(n, seed)?)))
            }
        }
    }

    fn errors(&self, _: &Forecast, model: usize, series: usize) -> Option<Vec<f64>> {
        match &self.0[model] {
            Made::Kept { base, models } => base.source().errors(base, models[series], series),
            Made::Reconciled { .. } => None,
        }
    }

    fn assumption(&self) -> Option<String> {
        let (Made::Kept { base, .. } | Made::Reconciled { base, .. }) = self.0.first()?;
        base.source().assumption()
    }
}

/// The sampler of each series.
struct Several(Vec<Arc<dyn Sampler>>);

impl Sampler for Several {
    fn draw(&self, series: usize) -> Result<Array2<f64>> {
        self.0[series].draw(series)
    }
}

/// Paths that agree can only be drawn together.
struct Drawn(Vec<Option<Array2<f64>>>);

impl Sampler for Drawn {
    fn draw(&self, series: usize) -> Result<Array2<f64>> {
        self.0[series].clone().ok_or_else(|| Error::model("the series has no sample paths"))
    }
}
