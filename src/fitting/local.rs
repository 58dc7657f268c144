//! Local models: makes a [`SeriesModel`] a [`Forecaster`] that fits each series by itself, in parallel, and counts every failure.
//! Where the panel is normalised, a model is fitted to transformed values, with parameters of the transformation estimated from
//! the training values of the series alone, and its forecasts are back-transformed here: models know nothing of it.

use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::calibration::{Calibration, MAX_SCORE};
use super::distribution::Support;
use super::pooling::PooledSeasons;
use super::profiles::GroupProfiles;
use super::{
    Ahead, Aim, Covariate, Description, Fitted, FittedSeries, Forecaster, HeldOut, Method, Pooling, Season, Series,
    SeriesModel, StepDistribution, WindowForecast, decode, encode, end, normalisation,
};
use crate::error::{Error, Result};
use crate::panel::normalise::Scale;
use crate::panel::{Assumptions, Future, Normalise, Panel, Scenario, order};
use crate::progress;

pub(super) struct LocalForecaster<M>(pub(super) M);

type Fit = Result<(Scale, Box<dyn FittedSeries>)>;

struct LocalFits {
    /// Each fit with the scale of its series.
    fits: Vec<Fit>,
    /// The position after the last value of each series.
    ends: Vec<i64>,
    reads_covariates: bool,
    /// The scenario of observed covariates in validation windows.
    scenario: Scenario,
    /// The columns of the matrix of covariates in the order in which they are read, if they are.
    covariates: Vec<usize>,
    /// The pooled calibration: of continuous distributions, and of counts.
    calibration: [Option<Calibration>; 2],
    /// The interval scale factor of each series.
    interval_scale: Vec<f64>,
    /// What the forecast of each series is kept within.
    supports: Vec<Support>,
    /// What was forecast for the windows of the aim.
    held_out: Vec<HeldOut>,
}

impl<M: SeriesModel> Forecaster for LocalForecaster<M> {
    fn reads_covariates(&self) -> bool {
        self.0.reads_covariates()
    }

    fn is_global(&self) -> bool {
        false
    }

    fn shares(&self) -> bool {
        self.0.pooling() != Pooling::None || self.0.is_calibrated()
    }

    fn depends_on_horizon(&self) -> bool {
        false
    }

    fn depends_on_scenario(&self) -> bool {
        self.0.depends_on_scenario()
    }

    fn fit(&self, train: &Panel, aim: Aim) -> Result<Box<dyn Fitted>> {
        let (normalise, lambda) = normalisation(train, self.0.box_cox())?;
        if self.0.has_options_in_data_units() && normalise != Normalise::None {
            return Err(Error::usage(format!(
                "an option of the model is a value of the series, and the panel is normalised ({}): leave out one",
                normalise.name()
            )));
        }
        let reads_covariates = self.0.reads_covariates();
        let covariates = if reads_covariates { order::by_name(train)? } else { Vec::new() };
        // Multiplicative indices have no meaning on a transformed scale.
        let pooled = match self.0.pooling() {
            _ if normalise != Normalise::None => None,
            Pooling::None => None,
            Pooling::Short => Some(Pooled::Short(PooledSeasons::of(train))),
            Pooling::Every(season) => Some(Pooled::Every(GroupProfiles::of(train, season.unwrap_or(train.season()))?)),
        };
        let latest = latest(train);
        let windows = |i: usize| aim.windows.filter(|_| train.frequency().is_whole() || end(train, i) == latest);
        let mut fits = each_series(train, &covariates, aim.scenario, "fitting", |i, series| {
            let (scale, scaled) = Scale::of(normalise, lambda, series.values, train.season())?;
            let series = Series { values: &scaled, windows: windows(i), ..series };
            let fit = match pooled.as_ref().and_then(|pooled| pooled.season(i)) {
                Some(season) => self.0.fit_with_season(&series, season)?,
                None => self.0.fit(&series)?,
            };
            Ok((scale, fit))
        })?;
        let mut interval_scale = vec![1.0; fits.len()];
        let calibration = [false, true].map(|counts| {
            let scores = fits.iter().map(|fit| match fit {
                Ok((_, fit)) if fit.is_count() == counts => (fit.calibration_scores(), fit.is_adaptive()),
                _ => (&[][..], false),
            });
            let (calibration, factors) = Calibration::adaptive(scores);
            interval_scale.iter_mut().zip(factors).for_each(|(scale, factor)| *scale *= factor);
            calibration
        });
        let scenario = aim.scenario;
        let supports: Vec<Support> = (0..train.len()).map(|i| self.0.support(train.target(i))).collect();
        let held_out = held_out(train, &mut fits, &calibration, &supports);
        Ok(Box::new(LocalFits {
            fits,
            ends: ends(train),
            reads_covariates,
            scenario,
            covariates,
            calibration,
            interval_scale,
            supports,
            held_out,
        }))
    }
}

/// What the fits would have forecast for windows of the past.
fn held_out(
    train: &Panel,
    fits: &mut [Fit],
    calibration: &[Option<Calibration>; 2],
    supports: &[Support],
) -> Vec<HeldOut> {
    let mut held_out = Vec::new();
    for (series, fit) in fits.iter_mut().enumerate() {
        let Ok((scale, fit)) = fit else { continue };
        let first = train.positions(series).first().copied().unwrap_or(0);
        let calibration = calibration[usize::from(fit.is_count())].as_ref();
        for WindowForecast { start, mean, sd, quantiles } in fit.take_held_out() {
            let forecast = StepDistribution::scaled(*scale, mean, sd).map(|one| one.with_quantiles(quantiles));
            // A window that cannot be forecast says nothing of the others.
            let Ok(forecast) = forecast.and_then(StepDistribution::finite) else { continue };
            let forecast = forecast.calibrated(calibration, 0).within(supports[series]);
            held_out.push(HeldOut { series, start: first + start as i64, forecast });
        }
    }
    held_out
}

/// The seasonal patterns of others.
enum Pooled {
    Short(PooledSeasons),
    Every(GroupProfiles),
}

impl Pooled {
    fn season(&self, series: usize) -> Option<&Season> {
        match self {
            Self::Short(pooled) => pooled.season(series),
            Self::Every(profiles) => profiles.season(series),
        }
    }
}

/// The position after the last value of each series.
fn ends(panel: &Panel) -> Vec<i64> {
    (0..panel.len()).map(|i| end(panel, i)).collect()
}

/// The position after the last value of all series.
fn latest(panel: &Panel) -> i64 {
    ends(panel).into_iter().max().unwrap_or(0)
}

/// Does `work` for every series in parallel, the longest first, so that no thread is left alone with a long one at the end.
/// The result does not depend on the number of threads.
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
            let fit = if values.iter().all(|v| v.is_nan()) {
                Err(Error::model("the series has no values"))
            } else {
                let (season, frequency) = (panel.season(), panel.frequency());
                let (assumptions, mended) = (assumptions.as_ref(), &panel.mended_steps(i));
                let windows = None;
                work(i, Series { values: &values, start, season, frequency, covariates, assumptions, mended, windows })
            };
            // A fit that was interrupted is no failure of the series.
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
        let covariates = if self.reads_covariates {
            future.check(series, |_| true)?;
            let columns = future.columns(series);
            self.covariates.iter().map(|c| columns[*c]).collect()
        } else {
            Vec::new()
        };
        Ok(Ahead { lead, horizon: future.horizon(), covariates })
    }

    fn calibration_of(&self, fit: &dyn FittedSeries) -> Option<&Calibration> {
        self.calibration[usize::from(fit.is_count())].as_ref()
    }

    /// The interval scale factor after the values of `series` beyond those of the fit.
    fn updated_interval_scale(&self, i: usize, fit: &dyn FittedSeries, series: &Series) -> Result<f64> {
        let scale = self.interval_scale[i];
        let new = usize::try_from(series.start + series.values.len() as i64 - self.ends[i]).unwrap_or(0);
        let (Some(calibration), 1..) = (self.calibration_of(fit), new) else { return Ok(scale) };
        let known = series.values.len() - new;
        let covariates = series.ahead(known, new);
        let ahead = Ahead { lead: 0, horizon: new, covariates: covariates.iter().map(Vec::as_slice).collect() };
        let predicted = fit.mean(&ahead)?.into_iter().zip(fit.std_dev(&ahead));
        let errors: Vec<f64> =
            series.values[known..].iter().zip(predicted).map(|(y, (mean, sd))| (y - mean) / (sd * scale)).collect();
        Ok(calibration.updated_factor(scale, &errors))
    }

    fn fit(&self, series: usize) -> Result<(Scale, &dyn FittedSeries)> {
        self.fits[series].as_ref().map(|(scale, fit)| (*scale, &**fit)).map_err(Clone::clone)
    }
}

impl Fitted for LocalFits {
    fn failure(&self, series: usize) -> Option<&Error> {
        self.fits[series].as_ref().err()
    }

    fn forecast(&self, future: &Future, series: usize) -> Result<StepDistribution> {
        let (scale, fit) = self.fit(series)?;
        let ahead = self.ahead(future, series)?;
        let (mean, mut sd) = (fit.mean(&ahead)?, fit.std_dev(&ahead));
        sd.iter_mut().for_each(|sd| *sd *= self.interval_scale[series]);
        // Extreme quantiles must be finite too.
        if mean.iter().zip(&sd).any(|(mean, sd)| !(mean.abs() + MAX_SCORE * sd).is_finite()) {
            return Err(Error::model("the forecast leaves the range of numbers"));
        }
        let forecast = StepDistribution::scaled(scale, mean, sd)?.with_quantiles(fit.quantiles(&ahead));
        let forecast = match fit.calibration_scores() {
            [] => forecast,
            _ => forecast.calibrated(self.calibration_of(fit), ahead.lead),
        };
        Ok(forecast.within(self.supports[series]))
    }

    fn residuals(&self, series: usize) -> &[f64] {
        self.fits[series].as_ref().map_or(&[], |(_, fit)| fit.residuals())
    }

    fn describe(&self, series: usize) -> Description {
        let Ok((_, fit)) = &self.fits[series] else { return Description::default() };
        let mut description = fit.describe();
        if fit.is_adaptive() {
            description.parameters.push(("interval scale".into(), self.interval_scale[series]));
        }
        description
    }

    fn update(&self, train: &Panel) -> Result<Box<dyn Fitted>> {
        let updated = each_series(train, &self.covariates, self.scenario, "updating", |i, series| {
            let (scale, fit) = self.fit(i)?;
            let scaled: Vec<f64> = series.values.iter().map(|y| scale.forward(*y)).collect();
            if scaled.iter().zip(series.values).any(|(z, y)| !z.is_finite() && !y.is_nan()) {
                return Err(Error::model("a new value lies outside the range of the transformation"));
            }
            let series = Series { values: &scaled, ..series };
            let factor = if fit.is_adaptive() { self.updated_interval_scale(i, fit, &series)? } else { 1.0 };
            Ok((scale, fit.update(&series)?, factor))
        })?;
        let interval_scale = updated.iter().map(|fit| fit.as_ref().map_or(1.0, |(.., factor)| *factor)).collect();
        Ok(Box::new(LocalFits {
            fits: updated.into_iter().map(|fit| fit.map(|(scale, fit, _)| (scale, fit))).collect(),
            ends: ends(train),
            reads_covariates: self.reads_covariates,
            scenario: self.scenario,
            covariates: self.covariates.clone(),
            calibration: self.calibration.clone(),
            interval_scale,
            supports: self.supports.clone(),
            held_out: Vec::new(),
        }))
    }

    fn take_held_out(&mut self) -> Vec<HeldOut> {
        std::mem::take(&mut self.held_out)
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
        encode(&Saved {
            fits,
            ends: self.ends.clone(),
            reads_covariates: self.reads_covariates,
            scenario: self.scenario,
            covariates: self.covariates.clone(),
            calibration: self.calibration.clone(),
            interval_scale: self.interval_scale.clone(),
            supports: self.supports.clone(),
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
    interval_scale: Vec<f64>,
    supports: Vec<Support>,
}

/// The inverse of `save` for one method.
pub(super) fn load<M: Method>(bytes: &[u8]) -> Result<Box<dyn Fitted>>
where
    M::Fitted: FittedSeries + DeserializeOwned,
{
    let saved: Saved = decode(bytes)?;
    let fits = saved
        .fits
        .iter()
        .map(|fit| match fit {
            Ok((scale, bytes)) => {
                let fit: M::Fitted = decode(bytes)?;
                Ok(Ok((*scale, Box::new(fit) as Box<dyn FittedSeries>)))
            }
            Err(message) => Ok(Err(Error::model(message.as_str()))),
        })
        .collect::<Result<Vec<_>>>()?;
    let Saved { ends, reads_covariates, scenario, covariates, calibration, interval_scale, supports, .. } = saved;
    if [ends.len(), interval_scale.len(), supports.len()] != [fits.len(); 3] {
        return Err(Error::data("the saved fit is damaged"));
    }
    let held_out = Vec::new();
    Ok(Box::new(LocalFits {
        fits,
        ends,
        reads_covariates,
        scenario,
        covariates,
        calibration,
        interval_scale,
        supports,
        held_out,
    }))
}
