//! What is a forecast whose values someone has changed by hand?
//!
//! A step is scaled or shifted as a whole: its mean goes where it was wanted, and its quantiles and sample paths go with it,
//! so that intervals of totals stay those of joint paths.

use std::sync::Arc;

use ndarray::Array2;

use super::paths::{PathSource, Sampler};
use super::{Distribution, Forecast, Inner};
use crate::error::Result;

/// Where the values of a step go: `factor · value + shift`, with a factor that is not negative, so that ranks stay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Move {
    pub factor: f64,
    pub shift: f64,
}

impl Move {
    /// A step that is left as it is.
    pub(crate) const NONE: Self = Self { factor: 1.0, shift: 0.0 };

    pub(crate) fn of(self, value: f64) -> f64 {
        self.factor * value + self.shift
    }
}

/// A distribution whose steps were moved.
#[derive(Debug)]
pub(crate) struct Moved {
    pub(crate) base: Distribution,
    pub(crate) mean: Vec<f64>,
    pub(crate) moves: Vec<Move>,
}

impl Moved {
    pub(crate) fn quantile(&self, probability: f64) -> Vec<f64> {
        let values = self.base.quantile(probability).into_iter();
        values.zip(&self.moves).map(|(value, step)| step.of(value)).collect()
    }
}

/// The moves of each series, one for each step; none where it was left as it is.
pub(crate) type Moves = Vec<Option<Vec<Move>>>;

impl Forecast {
    /// The forecast of one model, given its place, with values moved; `remark` says by what.
    pub(crate) fn moved(&self, model: usize, moves: Moves, remark: Option<String>) -> Forecast {
        let label = self.0.models[model].clone();
        let cells = moves.iter().enumerate().map(|(i, moves)| {
            let base = self.cell(model, i)?.clone();
            let Some(moves) = moves.clone() else { return Some(base) };
            let mean = base.mean().iter().zip(&moves).map(|(value, step)| step.of(*value)).collect();
            Some(Distribution::Moved(Arc::new(Moved { base, mean, moves })))
        });
        let cells: Vec<Option<Distribution>> = cells.collect();
        let failures = self.0.failures.iter().filter(|failure| failure.model == label).cloned().collect();
        let remarks = self.caveat().into_iter().chain(remark).collect();
        Forecast(Arc::new(Inner {
            models: vec![label],
            cells: Arc::new(cells),
            source: Arc::new(Source { base: self.clone(), model, moves: Arc::new(moves) }),
            fitted: None,
            failures,
            remarks,
            ..(*self.0).clone()
        }))
    }
}

/// The paths of the forecast that was changed, moved.
struct Source {
    base: Forecast,
    model: usize,
    moves: Arc<Moves>,
}

impl PathSource for Source {
    fn sampler(&self, _: &Forecast, _: usize, n: usize, seed: u64) -> Result<Arc<dyn Sampler>> {
        let base = self.base.0.source.sampler(&self.base, self.model, n, seed)?;
        Ok(Arc::new(Draws { base, moves: self.moves.clone() }))
    }
}

struct Draws {
    base: Arc<dyn Sampler>,
    moves: Arc<Moves>,
}

impl Sampler for Draws {
    fn draw(&self, series: usize) -> Result<Array2<f64>> {
        let mut paths = self.base.draw(series)?;
        if let Some(moves) = self.moves.get(series).and_then(Option::as_ref) {
            for (mut column, step) in paths.columns_mut().into_iter().zip(moves) {
                column.mapv_inplace(|value| step.of(value));
            }
        }
        Ok(paths)
    }
}
