//! The rows that models are trained on.

use std::ops::Range;

use rayon::prelude::*;

use super::{AlignedSeries, Difference, FeatureMatrix, FeatureSet};
use crate::error::{Error, Result};
use crate::panel::order::mixed;
use crate::progress;

/// The training rows of one block of horizons.
pub(super) struct TrainingRows {
    pub matrix: FeatureMatrix,
    pub targets: Targets,
}

/// What models of a block are fitted to, by row.
pub(super) struct Targets {
    values: Vec<f64>,
    /// The recent mean and the value a season before.
    recent: Vec<f64>,
    seasonal: Vec<f64>,
}

impl TrainingRows {
    /// The rows of all series in the given order, or a sample of `max` of them.
    pub fn of(
        histories: &[Option<AlignedSeries>],
        order: &[usize],
        features: &FeatureSet,
        max: usize,
        reach: usize,
    ) -> Result<Self> {
        // Where some series start cold, the first rows of the others, without lags, are training rows too.
        let cold = histories.iter().flatten().any(|series| series.y.iter().filter(|y| !y.is_nan()).count() < reach);
        let first = if cold { 0 } else { reach };
        let steps = |series: &AlignedSeries| {
            let first = if series.y.len() > 3 * first { first } else { 0 };
            (first..series.y.len()).filter(|t| !series.y[*t].is_nan()).collect::<Vec<usize>>()
        };
        let all: usize = histories.par_iter().flatten().map(|series| steps(series).len()).sum();
        let share = max as f64 / all.max(1) as f64;
        // By column, and behind the features the value, the recent mean, the value a season before, and the later steps.
        let of = |(place, series): (usize, &usize)| -> Vec<Vec<f64>> {
            let Some(series) = &histories[*series] else { return Vec::new() };
            let kept: Vec<usize> =
                steps(series).into_iter().filter(|t| share >= 1.0 || sample(place, *t) < share).collect();
            let (Some(first), Some(last)) = (kept.first(), kept.last()) else { return Vec::new() };
            let range = *first..last + 1;
            let mut columns = features.columns(series, range.clone());
            columns.push(series.y[range.clone()].to_vec());
            columns.push(features.recent(series, range.clone(), reach));
            columns.push(features.seasonal(series, range.clone(), reach));
            columns.push(range.map(|t| (series.y.len() - 1 - t) as f64).collect());
            columns.iter_mut().for_each(|column| *column = kept.iter().map(|t| column[t - first]).collect());
            columns
        };
        let parts: Vec<Vec<Vec<f64>>> = order.par_iter().enumerate().map(of).collect();
        progress::check()?;
        let column =
            |c: usize| parts.iter().filter_map(|columns| columns.get(c)).flatten().copied().collect::<Vec<f64>>();
        let width = features.names.len();
        let columns = (0..width).into_par_iter().map(column).collect();
        let values = column(width);
        if !values.iter().any(|y| y.is_finite()) {
            return Err(Error::model("no series has values to train on"));
        }
        let matrix = FeatureMatrix {
            names: features.names.clone(),
            columns,
            categorical: features.categorical(),
            later_steps: column(width + 3).into_iter().map(|steps| steps as usize).collect(),
        };
        let targets = Targets { values, recent: column(width + 1), seasonal: column(width + 2) };
        Ok(Self { matrix, targets })
    }
}

impl Targets {
    /// The differenced values.
    pub fn less(&self, difference: Difference) -> Vec<f64> {
        let anchor = match difference {
            Difference::Auto | Difference::None => return self.values.clone(),
            Difference::Recent => &self.recent,
            Difference::Seasonal => &self.seasonal,
        };
        self.values.iter().zip(anchor).map(|(value, anchor)| value - anchor).collect()
    }
}

/// A pseudo-random number between 0 and 1 for the place of a series and a step, the same on every machine.
fn sample(place: usize, step: usize) -> f64 {
    mixed((place as u64) << 32 | step as u64) as f64 / u64::MAX as f64
}

impl Difference {
    /// What is subtracted from the values at some steps.
    pub(super) fn anchors(
        self,
        features: &FeatureSet,
        series: &AlignedSeries,
        steps: Range<usize>,
        reach: usize,
    ) -> Vec<f64> {
        match self {
            Self::Auto | Self::None => vec![0.0; steps.len()],
            Self::Recent => features.recent(series, steps, reach),
            Self::Seasonal => features.seasonal(series, steps, reach),
        }
    }
}
