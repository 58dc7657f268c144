//! One series at a time, all series at once: makes a [`SeriesModel`] a [`Forecaster`], with threads over series and
//! every failure counted. Where the panel is normalised, a model sees each series on a scale of its own, estimated from
//! its training values alone, and what it says is brought back here: no model knows of it.

use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::calibration::{Calibration, FARTHEST};
use super::siblings::Siblings;
use super::{
    Ahead, Aim, BoxCox, Covariate, Description, Fitted, FittedSeries, Forecaster, Marginal, Method, Series, SeriesModel,
};
use crate::error::{Error, Result};
use crate::panel::normalise::Scale;
use crate::panel::{Assumptions, Future, Normalise, Panel, Scenario, order};
use crate::progress;

pub(super) struct Local<M>(pub(super) M);

type Fit = Result<(Scale, Box<dyn FittedSeries>)>;

struct LocalFits {
    /// Each fit with the scale that it saw its series on.
    fits: Vec<Fit>,
    /// The position after the last value of each series.
    ends: Vec<i64>,
    reads_covariates: bool,
    /// What is assumed of observed covariates where forecasts are tried.
    scenario: Scenario,
    /// The columns of the matrix of covariates in the order in which they are read, if they are.
    covariates: Vec<usize>,
    /// What the series have tried, together: those of numbers, those of counts.
    calibration: [Option<Calibration>; 2],
    /// How far the intervals of each series are stretched by its own errors.
    stretch: Vec<f64>,
}

impl<M: SeriesModel> Forecaster for Local<M> {
    fn reads_covariates(&self) -> bool {
        self.0.reads_covariates()
    }

    fn learns_across_series(&self) -> bool {
        false
    }

    fn minds_steps(&self) -> bool {
        false
    }

    fn minds_scenario(&self) -> bool {
        self.0.minds_scenario()
    }

    fn fit(&self, train: &Panel, aim: Aim) -> Result<Box<dyn Fitted>> {
        let (normalise, lambda) = normalisation(train, self.0.box_cox())?;
        if self.0.states_values() && normalise != Normalise::None {
            return Err(Error::usage(format!(
                "the options of the model state values of the series, and the panel is normalised ({}): leave out one",
                normalise.name()
            )));
        }
        let reads_covariates = self.0.reads_covariates();
        let covariates = if reads_covariates { order::by_name(train)? } else { Vec::new() };
        // A season that multiplies has no meaning on another scale.
        let siblings = (self.0.asks_siblings() && normalise == Normalise::None).then(|| Siblings::of(train));
        let fits = each_series(train, &covariates, aim.scenario, "fitting", |i, series| {
            let (scale, seen) = Scale::of(normalise, lambda, series.values, train.season())?;
            let series = Series { values: &seen, ..series };
            let fit = match siblings.as_ref().and_then(|siblings| siblings.season(i)) {
                Some(season) => self.0.fit_with(&series, season)?,
                None => self.0.fit(&series)?,
            };
            Ok((scale, fit))
        })?;
        let mut stretch = vec![1.0; fits.len()];
        let calibration = [false, true].map(|counts| {
            let tried = fits.iter().map(|fit| match fit {
                Ok((_, fit)) if fit.counts() == counts => (fit.tried(), fit.adapts()),
                _ => (&[][..], false),
            });
            let (calibration, own) = Calibration::following(tried);
            stretch.iter_mut().zip(own).for_each(|(stretch, own)| *stretch *= own);
            calibration
        });
        let scenario = aim.scenario;
        Ok(Box::new(LocalFits {
            fits,
            ends: ends(train),
            reads_covariates,
            scenario,
            covariates,
            calibration,
            stretch,
        }))
    }
}

/// What the values of a panel are put through before a model sees them, and the power if it is a stated one.
pub(super) fn normalisation(train: &Panel, box_cox: Option<BoxCox>) -> Result<(Normalise, Option<f64>)> {
    let kind = match (train.inner().columns.normalise, box_cox) {
        (kind, None) => kind,
        (Normalise::None, Some(_)) => Normalise::BoxCox,
        (kind, Some(_)) => {
            return Err(Error::usage(format!(
                "the panel is normalised ({}) and the model asks for box_cox besides; leave one out",
                kind.name()
            )));
        }
    };
    Ok((kind, box_cox.and_then(BoxCox::lambda)))
}

/// The position after the last value of each series.
fn ends(panel: &Panel) -> Vec<i64> {
    (0..panel.len()).map(|i| panel.positions(i).last().map_or(0, |last| last + 1)).collect()
}

/// The position after the last value of all.
fn latest(panel: &Panel) -> i64 {
    ends(panel).into_iter().max().unwrap_or(0)
}

/// Does `work` for every series, the longest first, so that no thread is left alone with a long one at the end. What
/// comes out does not depend on the number of threads: each series is worked on by itself.
fn each_series<T: Send>(
    panel: &Panel,
    covariates: &[usize],
    scenario: Scenario,
    what: &'static str,
    work: impl Fn(usize, Series) -> Result<T> + Sync,
) -> Result<Vec<Result<T>>> {
    let matrix = if covariates.is_empty() { None } else { Some(panel.matrix()?) };
    let assumptions = match covariates {
        [] => None,
        order => Some(Assumptions::of(panel, scenario, latest(panel))?.ordered(order)),
    };
    let bar = progress::bar(panel.len(), what);
    let length = |i: &usize| match panel.positions(*i) {
        [first, .., last] => last - first,
        _ => 0,
    };
    let mut order: Vec<usize> = (0..panel.len()).collect();
    order.sort_by_key(|i| (-length(i), *i));
    let mut fits = order
        .into_par_iter()
        .with_max_len(1)
        .map(|i| {
            progress::check()?;
            let values = panel.regular(i);
            let start = panel.positions(i).first().copied().unwrap_or(0);
            let covariates = matrix.map_or_else(Vec::new, |matrix| {
                let covariate = |c: &usize| Covariate {
                    name: &matrix.names[*c],
                    role: matrix.sources[*c].1,
                    values: panel.regular_column(i, &matrix.columns[*c]),
                };
                covariates.iter().map(covariate).collect()
            });
            bar.inc(1);
            let fit = match values.iter().all(|v| v.is_nan()) {
                true => Err(Error::model("the series has no values")),
                false => {
                    let (season, frequency) = (panel.season(), panel.frequency());
                    let (assumptions, mended) = (assumptions.as_ref(), &panel.mended_steps(i));
                    work(i, Series { values: &values, start, season, frequency, covariates, assumptions, mended })
                }
            };
            // A fit that was interrupted half-way is not a series that cannot be served.
            progress::check()?;
            Ok((i, fit))
        })
        .collect::<Result<Vec<_>>>()?;
    drop(bar);
    fits.sort_by_key(|(i, _)| *i);
    Ok(fits.into_iter().map(|(_, fit)| fit).collect())
}

impl LocalFits {
    fn ahead<'a>(&self, future: &'a Future, series: usize) -> Result<Ahead<'a>> {
        let lead = future.start(series) - self.ends[series];
        let lead = usize::try_from(lead).map_err(|_| Error::usage("the future starts before the series ends"))?;
        let covariates = match self.reads_covariates {
            true => {
                future.check(series, |_| true)?;
                let columns = future.columns(series);
                self.covariates.iter().map(|c| columns[*c]).collect()
            }
            false => Vec::new(),
        };
        Ok(Ahead { lead, horizon: future.horizon(), covariates })
    }

    fn calibration_of(&self, fit: &dyn FittedSeries) -> Option<&Calibration> {
        self.calibration[usize::from(fit.counts())].as_ref()
    }

    /// How far intervals are stretched after the values that `series` has beyond those of the fit.
    fn followed(&self, i: usize, fit: &dyn FittedSeries, series: &Series) -> Result<f64> {
        let stretch = self.stretch[i];
        let new = usize::try_from(series.start + series.values.len() as i64 - self.ends[i]).unwrap_or(0);
        let (Some(calibration), 1..) = (self.calibration_of(fit), new) else { return Ok(stretch) };
        let known = series.values.len() - new;
        let covariates = series.ahead(known, new);
        let ahead = Ahead { lead: 0, horizon: new, covariates: covariates.iter().map(Vec::as_slice).collect() };
        let said = fit.mean(&ahead)?.into_iter().zip(fit.spread(&ahead));
        let errors: Vec<f64> =
            series.values[known..].iter().zip(said).map(|(y, (mean, sd))| (y - mean) / (sd * stretch)).collect();
        Ok(calibration.stretched(stretch, &errors))
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
        let (mean, mut sd) = (fit.mean(&ahead)?, fit.spread(&ahead));
        sd.iter_mut().for_each(|sd| *sd *= self.stretch[series]);
        // Far quantiles must be numbers too.
        if mean.iter().zip(&sd).any(|(mean, sd)| !(mean.abs() + FARTHEST * sd).is_finite()) {
            return Err(Error::model("the forecast leaves the range of numbers"));
        }
        let marginal = Marginal::scaled(scale, mean, sd)?.shaped(fit.quantiles(&ahead));
        match fit.tried() {
            [] => Ok(marginal),
            _ => Ok(marginal.calibrated(self.calibration_of(fit), ahead.lead)),
        }
    }

    fn residuals(&self, series: usize) -> &[f64] {
        self.fits[series].as_ref().map_or(&[], |(_, fit)| fit.residuals())
    }

    fn describe(&self, series: usize) -> Description {
        let Ok((_, fit)) = &self.fits[series] else { return Description::default() };
        let mut description = fit.describe();
        if fit.adapts() {
            description.parameters.push(("stretch".into(), self.stretch[series]));
        }
        description
    }

    fn update(&self, train: &Panel) -> Result<Box<dyn Fitted>> {
        let updated = each_series(train, &self.covariates, self.scenario, "updating", |i, series| {
            let (scale, fit) = self.fit(i)?;
            let seen: Vec<f64> = series.values.iter().map(|y| scale.forward(*y)).collect();
            if seen.iter().zip(series.values).any(|(z, y)| !z.is_finite() && !y.is_nan()) {
                return Err(Error::model("a new value lies outside the range of the transformation"));
            }
            let series = Series { values: &seen, ..series };
            let stretch = if fit.adapts() { self.followed(i, fit, &series)? } else { 1.0 };
            Ok((scale, fit.update(&series)?, stretch))
        })?;
        let stretch = updated.iter().map(|fit| fit.as_ref().map_or(1.0, |(.., stretch)| *stretch)).collect();
        Ok(Box::new(LocalFits {
            fits: updated.into_iter().map(|fit| fit.map(|(scale, fit, _)| (scale, fit))).collect(),
            ends: ends(train),
            reads_covariates: self.reads_covariates,
            scenario: self.scenario,
            covariates: self.covariates.clone(),
            calibration: self.calibration.clone(),
            stretch,
        }))
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
        super::encode(&Saved {
            fits,
            ends: self.ends.clone(),
            reads_covariates: self.reads_covariates,
            scenario: self.scenario,
            covariates: self.covariates.clone(),
            calibration: self.calibration.clone(),
            stretch: self.stretch.clone(),
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Saved {
    fits: Vec<std::result::Result<(Scale, Vec<u8>), String>>,
    ends: Vec<i64>,
    reads_covariates: bool,
    scenario: Scenario,
    covariates: Vec<usize>,
    calibration: [Option<Calibration>; 2],
    stretch: Vec<f64>,
}

/// The inverse of `save` for one method.
pub(super) fn load<M: Method>(bytes: &[u8]) -> Result<Box<dyn Fitted>>
where
    M::Fitted: FittedSeries + DeserializeOwned,
{
    let saved: Saved = super::decode(bytes)?;
    let fits = saved
        .fits
        .iter()
        .map(|fit| match fit {
            Ok((scale, bytes)) => {
                let fit: M::Fitted = super::decode(bytes)?;
                Ok(Ok((*scale, Box::new(fit) as Box<dyn FittedSeries>)))
            }
            Err(message) => Ok(Err(Error::model(message.as_str()))),
        })
        .collect::<Result<Vec<_>>>()?;
    let Saved { ends, reads_covariates, scenario, covariates, calibration, stretch, .. } = saved;
    if [ends.len(), stretch.len()] != [fits.len(); 2] {
        return Err(Error::data("the saved fit is damaged"));
    }
    Ok(Box::new(LocalFits { fits, ends, reads_covariates, scenario, covariates, calibration, stretch }))
}
