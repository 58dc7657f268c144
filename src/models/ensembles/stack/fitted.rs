//! A fitted ensemble: members with their weights.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::weights::Weights;
use crate::error::{Error, Result};
use crate::fitting::{Calibration, Support, closed_columns, closed_steps, decode, encode, end};
use crate::models::ensembles::ensemble::are_few;
use crate::models::ensembles::{innovation_sd, weighted_mean};
use crate::models::intermittent::count_quantiles;
use crate::models::{
    Description, Ensemble, Fitted, MODELS, Method, Model, Quantiles, Restore, Shocks, StepDistribution,
};
use crate::options;
use crate::panel::{Future, Panel};

/// The variance of counts, relative to their mean, from which it tells them from a Poisson distribution.
const OVERDISPERSED: f64 = 1.5;

/// A fitted combination of members, each fitted to the whole panel.
pub struct FittedStack {
    members: Vec<Member>,
    weights: Weights,
    /// The season that the panel is taken to have, if another than its own.
    season: Option<usize>,
    /// The group of each series.
    groups: Vec<usize>,
    /// What the forecast of each series is kept within.
    supports: Vec<Support>,
    /// Is little sold of a series, in counts?
    few: Vec<bool>,
    /// Which columns of the matrix of covariates imply, at which value, that nothing is sold.
    closed: Vec<(usize, f64)>,
    /// The calendar position after the last value of each series.
    ends: Vec<i64>,
    calibration: Option<Calibration>,
    /// Why weights were not learned, where they were not.
    note: String,
    /// Members that were left out, and why.
    without: Vec<(String, String)>,
    /// By series: the weighted mean of the members' standardised innovations.
    residuals: Vec<Vec<f64>>,
    failures: Vec<Option<Error>>,
}

pub(super) struct Member {
    label: String,
    fitted: Box<dyn Fitted>,
    /// By series: the standard deviation of its innovations, by which shocks are standardised.
    sd: Vec<f64>,
}

impl Member {
    pub fn new(label: &str, fitted: Box<dyn Fitted>, series: usize) -> Self {
        let sd = (0..series).map(|i| innovation_sd(fitted.shocks(i).values)).collect();
        Self { label: label.into(), fitted, sd }
    }

    /// Is it `ensemble`, whatever its options?
    fn is_ensemble(&self) -> bool {
        self.label.split('(').next() == Some(Ensemble::NAME)
    }

    /// Could it not be fitted to a series?
    pub fn fails(&self, series: usize) -> bool {
        self.fitted.failure(series).is_some()
    }
}

impl FittedStack {
    pub(super) fn new(
        panel: &Panel,
        members: Vec<Member>,
        weights: Weights,
        groups: Vec<usize>,
        calibration: Option<Calibration>,
        note: String,
        without: Vec<(String, String)>,
    ) -> Self {
        let ends = (0..panel.len()).map(|i| end(panel, i)).collect();
        let few = (0..panel.len()).map(|i| are_few(panel.target(i))).collect();
        let supports = (0..panel.len()).map(|i| Support::of(panel.target(i))).collect();
        let (residuals, failures) = (Vec::new(), Vec::new());
        let reads = |member: &Member| Model::named(&member.label).is_ok_and(|model| model.reads_covariates());
        let closed = if members.iter().any(reads) { closed_columns(panel).unwrap_or_default() } else { Vec::new() };
        let season = None;
        let mut fitted = Self {
            members,
            weights,
            season,
            groups,
            supports,
            few,
            closed,
            ends,
            calibration,
            note,
            without,
            residuals,
            failures,
        };
        fitted.residuals = (0..fitted.groups.len()).into_par_iter().map(|i| fitted.innovations(i)).collect();
        fitted.failures = (0..fitted.groups.len()).map(|i| fitted.cause(i)).collect();
        fitted
    }

    /// The same, of a panel that is taken to have another season.
    pub(super) fn in_season(self, season: Option<usize>) -> Self {
        Self { season, ..self }
    }

    /// Why no member could be fitted to a series.
    fn cause(&self, series: usize) -> Option<Error> {
        let mut why = None;
        for member in &self.members {
            let error = member.fitted.failure(series)?;
            why.get_or_insert_with(|| error.clone().within(member.label.clone()));
        }
        why.map(|why| why.within("no member can be fitted to the series"))
    }

    fn available(&self, series: usize) -> Vec<bool> {
        self.members.iter().map(|member| member.fitted.failure(series).is_none()).collect()
    }

    /// The mean weight of each member for a series.
    fn mean_shares(&self, series: usize) -> Vec<f64> {
        let available = self.available(series);
        let own = |m: usize| if available[m] { self.weights.mean(self.groups[series], m) } else { 0.0 };
        let total: f64 = (0..available.len()).map(own).sum();
        if total > 0.0 {
            return (0..available.len()).map(|m| own(m) / total).collect();
        }
        self.weights.shares(self.groups[series], 0, &available)
    }

    /// Do the shocks of a member carry the correlation between series?
    fn is_joint(&self, series: usize) -> bool {
        let shares = self.mean_shares(series);
        let mut used = self.members.iter().zip(&shares).filter(|(_, share)| **share > 0.0);
        used.any(|(member, _)| member.fitted.shocks(series).joint)
    }

    fn innovations(&self, series: usize) -> Vec<f64> {
        let shares = self.mean_shares(series);
        let there =
            || self.members.iter().zip(&shares).filter(|(member, share)| **share > 0.0 && member.sd[series] > 0.0);
        // Shocks that carry the correlation between series are not mixed with shocks that do not.
        let joint = self.is_joint(series);
        let there = || there().filter(|(member, _)| !joint || member.fitted.shocks(series).joint);
        let n = there().map(|(member, _)| member.fitted.shocks(series).values.len()).max().unwrap_or(0);
        let residual = |t: usize| {
            let each = there().filter_map(|(member, share)| {
                let e = *member.fitted.shocks(series).values.get(t)?;
                (!e.is_nan()).then(|| (e / member.sd[series], *share))
            });
            weighted_mean(each)
        };
        (0..n).map(residual).collect()
    }

    /// The forecasts of the members with weight; none of those that could not be fitted to the series.
    fn forecasts(&self, future: &Future, series: usize) -> Result<Vec<Option<StepDistribution>>> {
        let needed = self.mean_shares(series);
        let forecast = |(member, share): (&Member, &f64)| match member.fitted.forecast(future, series) {
            _ if *share == 0.0 => Ok(None),
            Ok(forecast) => Ok(Some(forecast)),
            // Missing covariates of the future are no failure of the series.
            Err(error) if error.is_model() => Ok(None),
            Err(error) => Err(error.within(member.label.clone())),
        };
        self.members.iter().zip(&needed).map(forecast).collect()
    }
}

/// The combination of distributions: means and quantiles are averaged, probability by probability. A member that is certain
/// that nothing is sold at a step knows it, and so does a covariate that says that a shop is closed: the members may have read
/// nothing of it.
fn combined(forecasts: &[Option<StepDistribution>], shares: &[Vec<f64>], shut: &[bool]) -> StepDistribution {
    let there: Vec<(usize, &StepDistribution)> =
        forecasts.iter().enumerate().filter_map(|(m, one)| Some((m, one.as_ref()?))).collect();
    let used = |step: usize| there.iter().filter(move |(m, _)| shares[step][*m] > 0.0);
    let certain = |step: usize| used(step).any(|(_, one)| one.mean[step] == 0.0 && one.sd[step] == 0.0);
    let closed: Vec<bool> = (0..shares.len()).map(|step| shut[step] || certain(step)).collect();
    let sum = |step: usize, value: &dyn Fn(&StepDistribution) -> f64| -> f64 {
        if closed[step] { 0.0 } else { used(step).map(|(m, one)| shares[step][*m] * value(one)).sum() }
    };
    let steps = 0..shares.len();
    let mean: Vec<f64> = steps.clone().map(|step| sum(step, &|one| one.mean[step])).collect();
    let at = |step: usize, z: f64| sum(step, &|one| one.at(step, z));
    let sd: Vec<f64> = steps.map(|step| (at(step, 1.0) - at(step, -1.0)) / 2.0).collect();
    let supports = || there.iter().map(|(_, one)| one.support());
    let support = if supports().all(|support| support == Support::Counts) {
        Support::Counts
    } else if supports().all(|support| support != Support::Numbers) {
        Support::Positive
    } else {
        Support::Numbers
    };
    let shape = Quantiles::by(&mean, &sd, support, |step, deviates| deviates.iter().map(|z| at(step, *z)).collect());
    StepDistribution::normal(mean, sd).with_quantiles(Some(shape))
}

/// The combination of distributions of low counts: negative binomial around its mean, with the mean standard deviation of the
/// members; Poisson where that is hardly more. The average of two quantiles that are counts is none, and rounded it is one too
/// far as often as not.
fn counted(forecasts: &[Option<StepDistribution>], shares: &[Vec<f64>], mean: Vec<f64>) -> StepDistribution {
    let mean: Vec<f64> = mean.into_iter().map(|mean| mean.max(0.0)).collect();
    let sd = |step: usize| {
        let each = forecasts.iter().zip(&shares[step]).filter_map(|(one, share)| Some(share * one.as_ref()?.sd[step]));
        let variance = each.sum::<f64>().powi(2);
        match mean[step] {
            mean if mean <= 0.0 => 0.0,
            mean if variance < OVERDISPERSED * mean => mean.sqrt(),
            _ => variance.sqrt(),
        }
    };
    let sd: Vec<f64> = (0..mean.len()).map(sd).collect();
    let quantiles = count_quantiles(&mean, &sd);
    StepDistribution::normal(mean, sd).with_quantiles(Some(quantiles))
}

impl Fitted for FittedStack {
    fn failure(&self, series: usize) -> Option<&Error> {
        self.failures[series].as_ref()
    }

    fn forecast(&self, future: &Future, series: usize) -> Result<StepDistribution> {
        if let Some(error) = &self.failures[series] {
            return Err(error.clone());
        }
        let mut forecasts = self.forecasts(future, series)?;
        if forecasts.iter().all(Option::is_none) {
            // Members without weight are the fallback.
            let rest = self.members.iter().map(|member| member.fitted.forecast(future, series).ok());
            forecasts = rest.collect();
        }
        let available: Vec<bool> = forecasts.iter().map(Option::is_some).collect();
        if !available.contains(&true) {
            return Err(Error::model("no member can forecast the series"));
        }
        let lead = usize::try_from(future.start(series) - self.ends[series]).unwrap_or(0);
        let group = self.groups[series];
        let shares: Vec<Vec<f64>> =
            (0..future.horizon()).map(|step| self.weights.shares(group, lead + step, &available)).collect();
        let forecast = combined(&forecasts, &shares, &closed_steps(&self.closed, future, series));
        if !forecast.mean.iter().chain(&forecast.sd).all(|value| value.is_finite()) {
            return Err(Error::model("the forecast leaves the range of numbers"));
        }
        if self.few[series] {
            return Ok(counted(&forecasts, &shares, forecast.mean));
        }
        let forecast = forecast.calibrated(self.calibration.as_ref(), lead);
        Ok(forecast.within(self.supports[series]))
    }

    fn residuals(&self, series: usize) -> &[f64] {
        &self.residuals[series]
    }

    fn shocks(&self, series: usize) -> Shocks<'_> {
        Shocks { values: &self.residuals[series], joint: self.is_joint(series) }
    }

    fn describe(&self, series: usize) -> Description {
        let shares = self.mean_shares(series);
        let mut each: Vec<(&Member, f64)> = self.members.iter().zip(shares).filter(|(_, share)| *share > 0.0).collect();
        each.sort_by(|a, b| b.1.total_cmp(&a.1));
        // What `ensemble` is made of is said with it.
        let own: Vec<Description> = each.iter().map(|(member, _)| member.fitted.describe(series)).collect();
        let named = |k: usize| match each[k].0.is_ensemble() {
            true => format!("{} ({})", each[k].0.label, own[k].specification),
            false => each[k].0.label.clone(),
        };
        let weights: Vec<String> = match each.len() {
            1 if each[0].0.is_ensemble() => vec![format!("{}: {}", each[0].0.label, own[0].specification)],
            1 => vec![each[0].0.label.clone()],
            n => {
                let there = (0..n).filter(|k| each[*k].1 >= 0.005);
                there.map(|k| format!("{:.0} % {}", 100.0 * each[k].1, named(k))).collect()
            }
        };
        let note = if self.note.is_empty() { String::new() } else { format!(" ({})", self.note) };
        let without: String = self.without.iter().map(|(label, _)| format!(", without {label}")).collect();
        let parameters = each.iter().zip(&own).flat_map(|((member, share), own)| match member.is_ensemble() {
            true => own.parameters.iter().map(|(label, part)| (label.clone(), share * part)).collect(),
            false => vec![(member.label.clone(), *share)],
        });
        let parameters = parameters.collect();
        let own = own.into_iter().flat_map(|own| own.remarks);
        let remarks = self.without.iter().map(|(label, why)| format!("without {label}: {why}")).chain(own).collect();
        let season = self.season.map_or_else(String::new, |season| format!(", season of {season} steps"));
        let specification = format!("{}{season}{without}{note}", weights.join(" + "));
        Description { specification, parameters, remarks, ..Description::default() }
    }

    fn update(&self, train: &Panel) -> Result<Box<dyn Fitted>> {
        let seasonal = self.season.map(|season| train.with_season(season));
        let train = seasonal.as_ref().unwrap_or(train);
        // The standard deviations stay those of the first fit, as all parameters.
        let update = |member: &Member| -> Result<Member> {
            Ok(Member { label: member.label.clone(), fitted: member.fitted.update(train)?, sd: member.sd.clone() })
        };
        let members = self.members.iter().map(update).collect::<Result<_>>()?;
        let (weights, groups) = (self.weights.clone(), self.groups.clone());
        let (note, without) = (self.note.clone(), self.without.clone());
        let fitted = Self::new(train, members, weights, groups, self.calibration.clone(), note, without);
        Ok(Box::new(fitted.in_season(self.season)))
    }

    fn simulate(&self, future: &Future, series: usize, mean: &[f64], shocks: &[f64], path: &mut [f64]) -> Result<()> {
        let mut own = vec![0.0; path.len()];
        path.fill(0.0);
        for (member, share) in self.members.iter().zip(self.mean_shares(series)).filter(|(_, share)| *share > 0.0) {
            let shocks: Vec<f64> = shocks.iter().map(|shock| shock * member.sd[series]).collect();
            member.fitted.simulate(future, series, mean, &shocks, &mut own)?;
            path.iter_mut().zip(&own).for_each(|(cell, value)| *cell += share * value);
        }
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>> {
        let members =
            self.members.iter().map(|member| Ok((member.label.clone(), member.fitted.save()?, member.sd.clone())));
        encode(&Saved {
            members: members.collect::<Result<_>>()?,
            weights: self.weights.clone(),
            season: self.season,
            groups: self.groups.clone(),
            calibration: self.calibration.clone(),
            note: self.note.clone(),
            without: self.without.clone(),
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Saved {
    /// Label, fit, and standard deviation of innovations by series.
    members: Vec<(String, Vec<u8>, Vec<f64>)>,
    weights: Weights,
    season: Option<usize>,
    groups: Vec<usize>,
    calibration: Option<Calibration>,
    note: String,
    without: Vec<(String, String)>,
}

impl Restore for FittedStack {
    fn load(bytes: &[u8], panel: &Panel) -> Result<Box<dyn Fitted>> {
        let Saved { members, weights, season, groups, calibration, note, without } = decode(bytes)?;
        let seasonal = season.map(|season| panel.with_season(season));
        let panel = seasonal.as_ref().unwrap_or(panel);
        let member = |(label, bytes, sd): (String, Vec<u8>, Vec<f64>)| -> Result<Member> {
            let fitted = MODELS.named(options::split(&label)?.0)?.load(&bytes, panel)?;
            Ok(Member { label, fitted, sd })
        };
        let members = members.into_iter().map(member).collect::<Result<Vec<_>>>()?;
        let (known, each) = weights.shape();
        let whole = members.iter().all(|member| member.sd.len() == panel.len());
        if !whole || groups.len() != panel.len() || each > members.len() || groups.iter().any(|group| *group >= known) {
            return Err(Error::data("the saved fit is damaged"));
        }
        Ok(Box::new(Self::new(panel, members, weights, groups, calibration, note, without).in_season(season)))
    }
}
