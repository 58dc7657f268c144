//! What is a forecast that a room above this one has made of another: of the same series and dates, with distributions and
//! sample paths of its own?

use std::sync::Arc;

use ndarray::Array2;

use super::paths::{PathSource, Sampler};
use super::{Distribution, Forecast, Inner};
use crate::error::Result;
use crate::models::Failure;

/// What is new in a forecast that was made of another.
pub(crate) struct Remade {
    pub(crate) models: Vec<String>,
    /// By model and series.
    pub(crate) cells: Vec<Option<Distribution>>,
    pub(crate) source: Arc<dyn PathSource>,
    pub(crate) failures: Vec<Failure>,
    /// What is to be known of how it was made.
    pub(crate) remarks: Vec<String>,
}

impl Forecast {
    /// The forecast of the same series and dates that was made of this one.
    pub(crate) fn remade(&self, remade: Remade) -> Forecast {
        Forecast(Arc::new(Inner {
            models: remade.models,
            cells: Arc::new(remade.cells),
            source: remade.source,
            fitted: None,
            failures: remade.failures,
            remarks: self.caveat().into_iter().chain(remade.remarks).collect(),
            ..(*self.0).clone()
        }))
    }

    /// The forecast of the series that are kept.
    ///
    /// # Errors
    /// Only if their panel cannot be assembled.
    pub(crate) fn only(&self, kept: &[bool]) -> Result<Forecast> {
        if !kept.contains(&false) {
            return Ok(self.clone());
        }
        let panel = self.0.panel.with_series(kept)?;
        let places: Vec<usize> = (0..panel.len()).filter_map(|i| self.0.panel.place_of(panel.label(i))).collect();
        let cells = (0..self.0.models.len()).flat_map(|m| places.iter().map(move |i| self.cell(m, *i).cloned()));
        let failures = self.0.failures.iter().filter(|failure| panel.place_of(&failure.series).is_some());
        Ok(Forecast(Arc::new(Inner {
            starts: places.iter().map(|i| self.0.starts[*i]).collect(),
            cells: Arc::new(cells.collect()),
            source: Arc::new(Part { whole: self.clone(), places: Arc::new(places) }),
            fitted: None,
            failures: failures.cloned().collect(),
            remarks: self.caveat().into_iter().collect(),
            panel,
            ..(*self.0).clone()
        })))
    }

    /// The source of its sample paths.
    pub(crate) fn source(&self) -> &Arc<dyn PathSource> {
        &self.0.source
    }
}

/// The paths of some series of a forecast.
struct Part {
    whole: Forecast,
    /// The places of the series in the whole.
    places: Arc<Vec<usize>>,
}

impl PathSource for Part {
    fn sampler(&self, _: &Forecast, model: usize, n: usize, seed: u64) -> Result<Arc<dyn Sampler>> {
        let whole = self.whole.0.source.sampler(&self.whole, model, n, seed)?;
        Ok(Arc::new(Draws { whole, places: self.places.clone() }))
    }

    fn errors(&self, _: &Forecast, model: usize, series: usize) -> Option<Vec<f64>> {
        self.whole.0.source.errors(&self.whole, model, self.places[series])
    }

    fn assumption(&self) -> Option<String> {
        self.whole.0.source.assumption()
    }
}

struct Draws {
    whole: Arc<dyn Sampler>,
    places: Arc<Vec<usize>>,
}

impl Sampler for Draws {
    fn draw(&self, series: usize) -> Result<Array2<f64>> {
        self.whole.draw(self.places[series])
    }
}
