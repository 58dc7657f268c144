//! Which coherent values do forecasts become, by a method?

use std::sync::Arc;

use super::covariance::{self, Errors};
use super::method::{Method, Way, Weights};
use super::project::{Held, Projection};
use super::proportions::Shares;
use crate::error::{Error, Result};
use crate::forecast::Forecast;
use crate::panel::{Nodes, Panel};

/// Dates of errors at most, the last ones: more tell little of a covariance, and cost memory.
const DATES: usize = 400;

/// A method, ready for the values of all series.
pub(super) struct Solver {
    pub(super) nodes: Arc<Nodes>,
    kind: Kind,
}

enum Kind {
    Up,
    Down(Shares),
    Nearest { projection: Box<Projection>, nonnegative: bool },
}

impl Solver {
    /// The method for one model of a forecast, over the series that it could forecast.
    ///
    /// # Errors
    /// When the method does not fit the hierarchy, or needs errors that the forecast does not have.
    pub(super) fn new(forecast: &Forecast, model: usize, nodes: Arc<Nodes>, method: &Method) -> Result<Self> {
        let errors = || errors(forecast, model, &nodes, method);
        Self::with(&forecast.panel(), &nodes, method, &errors)
    }

    /// The method for series with that past and those errors.
    pub(super) fn with(
        panel: &Panel,
        nodes: &Arc<Nodes>,
        method: &Method,
        errors: &dyn Fn() -> Result<Errors>,
    ) -> Result<Self> {
        let kind = match &method.way {
            Way::Up => Kind::Up,
            Way::Down { level, proportions } => {
                if panel.rows() == 0 && *proportions != super::method::Proportions::Forecast {
                    return Err(Error::usage(format!(
                        "{} needs the past of the series, which a forecast from a file does not have; state proportions=forecast",
                        method.label
                    )));
                }
                Kind::Down(Shares::new(panel, nodes, level.as_deref(), *proportions)?)
            }
            Way::Nearest { weights, nonnegative } => {
                let covariance = match weights {
                    Weights::Equal => covariance::ols(nodes),
                    Weights::Structure => covariance::structural(nodes),
                    Weights::Variance => errors()?.mean_squares(),
                    Weights::Sample => errors()?.covariance(false),
                    Weights::Shrunk => errors()?.covariance(true),
                };
                let nonnegative = nonnegative.unwrap_or_else(|| never_negative(panel, nodes));
                Kind::Nearest { projection: Box::new(Projection::new(nodes.clone(), covariance)?), nonnegative }
            }
        };
        Ok(Self { nodes: nodes.clone(), kind })
    }

    /// The coherent values of all series, given their forecasts; `held` are the leaves expected at zero, and those that are.
    ///
    /// # Errors
    /// When the equations cannot be solved to that accuracy.
    pub(super) fn solve(&self, base: &[f64], held: &mut Held, accuracy: f64) -> Result<Vec<f64>> {
        let leaves = || self.nodes.leaves.iter().map(|series| base[*series]).collect::<Vec<f64>>();
        match &self.kind {
            Kind::Up => Ok(self.nodes.sums(&leaves())),
            Kind::Down(shares) => Ok(self.nodes.sums(&shares.shared(&self.nodes, base))),
            Kind::Nearest { projection, nonnegative: false } => projection.nearest(base, accuracy),
            Kind::Nearest { projection, .. } => projection.nearest_without_negatives(base, held, accuracy),
        }
    }
}

/// Is no value of a leaf below zero?
fn never_negative(panel: &Panel, nodes: &Nodes) -> bool {
    panel.rows() > 0 && nodes.leaves.iter().all(|series| panel.target(*series).iter().all(|y| *y >= 0.0 || y.is_nan()))
}

/// The errors of a model, of all series of the panel, on the last dates on which any has one.
fn errors(forecast: &Forecast, model: usize, nodes: &Nodes, method: &Method) -> Result<Errors> {
    let missing = || {
        Error::usage(format!(
            "{} weighs by the errors of the models in the past, which this forecast does not have; use wls_struct, ols or bottom_up{}",
            method.label,
            if forecast.panel().rows() > 0 { ", or fit without normalising" } else { "" }
        ))
    };
    let panel = forecast.panel();
    let series = nodes.all();
    let mut rows: Vec<(i64, Vec<f64>)> = vec![(0, Vec::new()); nodes.len()];
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    for i in &series {
        let errors = forecast.source().errors(forecast, model, *i).ok_or_else(missing)?;
        let start = panel.positions(*i).first().copied().unwrap_or(0);
        if let (Some(a), Some(b)) = (errors.iter().position(|e| !e.is_nan()), errors.iter().rposition(|e| !e.is_nan()))
        {
            (first, last) = (first.min(start + a as i64), last.max(start + b as i64));
        }
        rows[*i] = (start, errors);
    }
    if first > last {
        return Err(missing());
    }
    let first = first.max(last - DATES as i64 + 1);
    let dates = (last - first + 1) as usize;
    let mut values = vec![f64::NAN; nodes.len() * dates];
    for i in series {
        let (start, errors) = &rows[i];
        let own = &mut values[i * dates..(i + 1) * dates];
        for (position, error) in (*start..).zip(errors) {
            if let Some(cell) = usize::try_from(position - first).ok().and_then(|date| own.get_mut(date)) {
                *cell = *error;
            }
        }
    }
    Ok(Errors { values, dates })
}
