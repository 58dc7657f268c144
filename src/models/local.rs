//! One series at a time, all series at once: makes a [`SeriesModel`] a [`Forecaster`], with threads over series and
//! every failure counted. Where the panel is normalised, a model sees each series on a scale of its own, estimated from
//! its training values alone, and what it says is brought back here: no model knows of it.

use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Ahead, Covariate, Fitted, FittedSeries, Forecaster, Marginal, Method, Series, SeriesModel};
use crate::error::{Error, Result};
use crate::panel::normalise::Scale;
use crate::panel::{Future, Normalise, Panel};
use crate::progress;

pub(super) struct Local<M>(pub(super) M);

struct LocalFits {
    /// Each fit with the scale that it saw its series on.
    fits: Vec<Result<(Scale, Box<dyn FittedSeries>)>>,
    /// The position after the last value of each series.
    ends: Vec<i64>,
    reads_covariates: bool,
}

impl<M: SeriesModel> Forecaster for Local<M> {
    fn fit(&self, train: &Panel) -> Result<Box<dyn Fitted>> {
        let matrix = if self.0.reads_covariates() { Some(train.matrix()?) } else { None };
        let normalise = train.inner().columns.normalise;
        let bar = progress::bar(train.len(), "fitting");
        let fits = (0..train.len())
            .into_par_iter()
            .map(|i| {
                progress::check()?;
                let values = train.regular(i);
                let start = train.positions(i).first().copied().unwrap_or(0);
                let covariates = matrix.map_or_else(Vec::new, |matrix| {
                    let columns = matrix.columns.iter().zip(&matrix.sources);
                    columns
                        .map(|(c, (_, role))| Covariate { role: *role, values: train.regular_column(i, c) })
                        .collect()
                });
                bar.inc(1);
                if values.iter().all(|v| v.is_nan()) {
                    return Ok(Err(Error::model("the series has no values")));
                }
                let fit = |scale: Scale, values: &[f64]| {
                    let series = Series { values, start, season: train.season(), covariates };
                    Ok((scale, self.0.fit(&series)?))
                };
                Ok(match normalise {
                    Normalise::None => fit(Scale::Same, &values),
                    kind => Scale::of(kind, &values, train.season()).and_then(|(scale, seen)| fit(scale, &seen)),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        bar.finish_and_clear();
        let ends = (0..train.len()).map(|i| train.positions(i).last().map_or(0, |last| last + 1)).collect();
        Ok(Box::new(LocalFits { fits, ends, reads_covariates: self.0.reads_covariates() }))
    }
}

impl LocalFits {
    fn ahead<'a>(&self, future: &'a Future, series: usize) -> Result<Ahead<'a>> {
        let lead = future.start(series) - self.ends[series];
        let lead = usize::try_from(lead).map_err(|_| Error::usage("the future starts before the series ends"))?;
        let covariates = match self.reads_covariates {
            true => {
                future.check(series)?;
                future.columns(series)
            }
            false => Vec::new(),
        };
        Ok(Ahead { lead, horizon: future.horizon(), covariates })
    }

    fn fit(&self, series: usize) -> Result<(Scale, &dyn FittedSeries)> {
        self.fits[series].as_ref().map(|(scale, fit)| (*scale, &**fit)).map_err(Clone::clone)
    }
}

impl Fitted for LocalFits {
    fn failure(&self, series: usize) -> Option<&Error> {
        self.fits[series].as_ref().err()
    }

    fn forecast(&self, future: &Future, series: usize) -> Result<Marginal> {
        let (scale, fit) = self.fit(series)?;
        let ahead = self.ahead(future, series)?;
        let (mean, sd) = (fit.mean(&ahead)?, fit.spread(&ahead));
        if mean.iter().chain(&sd).any(|v| !v.is_finite()) {
            return Err(Error::model("the forecast leaves the range of numbers"));
        }
        Marginal::scaled(scale, mean, sd)
    }

    fn residuals(&self, series: usize) -> &[f64] {
        self.fits[series].as_ref().map_or(&[], |(_, fit)| fit.residuals())
    }

    fn simulate(&self, future: &Future, series: usize, mean: &[f64], shocks: &[f64], path: &mut [f64]) -> Result<()> {
        let ahead = self.ahead(future, series)?;
        self.fit(series)?.1.simulate(&ahead, mean, shocks, path);
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>> {
        let fits = self
            .fits
            .iter()
            .map(|fit| match fit {
                Ok((scale, fit)) => Ok(Ok((*scale, fit.save()?))),
                Err(error) => Ok(Err(error.to_string())),
            })
            .collect::<Result<Vec<_>>>()?;
        super::encode(&Saved { fits, ends: self.ends.clone(), reads_covariates: self.reads_covariates })
    }
}

#[derive(Serialize, Deserialize)]
struct Saved {
    fits: Vec<std::result::Result<(Scale, Vec<u8>), String>>,
    ends: Vec<i64>,
    reads_covariates: bool,
}

/// The inverse of `save` for one method.
pub(super) fn load<M: Method>(bytes: &[u8]) -> Result<Box<dyn Fitted>>
where
    M::Fitted: DeserializeOwned,
{
    let saved: Saved = super::decode(bytes)?;
    let fits = saved
        .fits
        .into_iter()
        .map(|fit| match fit {
            Ok((scale, bytes)) => {
                let fit: M::Fitted = super::decode(&bytes)?;
                Ok(Ok((scale, Box::new(fit) as Box<dyn FittedSeries>)))
            }
            Err(message) => Ok(Err(Error::model(message))),
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Box::new(LocalFits { fits, ends: saved.ends, reads_covariates: saved.reads_covariates }))
}
