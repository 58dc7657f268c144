//! Fitted members with their weights, as one model.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::weights::Weights;
use crate::error::{Error, Result};
use crate::models::calibration::Calibration;
use crate::models::kinds::Kept;
use crate::models::marginal::Support;
use crate::models::{Description, Fitted, MODELS, Marginal, Quantiles, Shocks, decode, encode};
use crate::options;
use crate::panel::{Future, Panel};

/// A fitted combination of members, each fitted to the whole panel.
pub struct FittedStack {
    members: Vec<Member>,
    weights: Weights,
    /// The group of each series.
    groups: Vec<usize>,
    /// The position after the last value of each series.
    ends: Vec<i64>,
    calibration: Option<Calibration>,
    /// Why there are no weights of its own, where there are none.
    note: String,
    /// Members that could not take part, and why.
    without: Vec<(String, String)>,
    /// By series: what members were off by, each in its own standard deviations, with their weights.
    residuals: Vec<Vec<f64>>,
    failures: Vec<Option<Error>>,
}

pub(super) struct Member {
    label: String,
    fitted: Box<dyn Fitted>,
    /// By series: the standard deviation of its innovations, in which shocks are measured.
    sd: Vec<f64>,
}

impl Member {
    pub fn new(label: &str, fitted: Box<dyn Fitted>, series: usize) -> Self {
        let sd = |i: usize| {
            let there = fitted.shocks(i).values.iter().filter(|e| !e.is_nan());
            let (sum, n) = there.fold((0.0, 0.0), |(sum, n), e| (sum + e * e, n + 1.0));
            if n > 0.0 { f64::sqrt(sum / n) } else { 0.0 }
        };
        let sd = (0..series).map(sd).collect();
        Self { label: label.into(), fitted, sd }
    }

    /// Can it not serve a series?
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
        let ends = (0..panel.len()).map(|i| panel.positions(i).last().map_or(0, |last| last + 1)).collect();
        let (residuals, failures) = (Vec::new(), Vec::new());
        let mut fitted = Self { members, weights, groups, ends, calibration, note, without, residuals, failures };
        fitted.residuals = (0..fitted.groups.len()).into_par_iter().map(|i| fitted.innovations(i)).collect();
        fitted.failures = (0..fitted.groups.len()).map(|i| fitted.cause(i)).collect();
        fitted
    }

    /// Why no member can serve a series.
    fn cause(&self, series: usize) -> Option<Error> {
        let mut why = None;
        for member in &self.members {
            let error = member.fitted.failure(series)?;
            why.get_or_insert_with(|| error.clone().within(member.label.clone()));
        }
        why.map(|why| why.within("no member can serve the series"))
    }

    fn serves(&self, series: usize) -> Vec<bool> {
        self.members.iter().map(|member| member.fitted.failure(series).is_none()).collect()
    }

    /// The mean share of each member in what is said of a series.
    fn mean_shares(&self, series: usize) -> Vec<f64> {
        let serves = self.serves(series);
        let own = |m: usize| if serves[m] { self.weights.mean(self.groups[series], m) } else { 0.0 };
        let total: f64 = (0..serves.len()).map(own).sum();
        if total > 0.0 {
            return (0..serves.len()).map(|m| own(m) / total).collect();
        }
        self.weights.shares(self.groups[series], 0, &serves)
    }

    /// Does a member tell how a series moves with others?
    fn is_joint(&self, series: usize) -> bool {
        let shares = self.mean_shares(series);
        let mut used = self.members.iter().zip(&shares).filter(|(_, share)| **share > 0.0);
        used.any(|(member, _)| member.fitted.shocks(series).joint)
    }

    fn innovations(&self, series: usize) -> Vec<f64> {
        let shares = self.mean_shares(series);
        let there =
            || self.members.iter().zip(&shares).filter(|(member, share)| **share > 0.0 && member.sd[series] > 0.0);
        // What tells nothing of how series move together is not mixed with what does.
        let joint = self.is_joint(series);
        let there = || there().filter(|(member, _)| !joint || member.fitted.shocks(series).joint);
        let n = there().map(|(member, _)| member.fitted.shocks(series).values.len()).max().unwrap_or(0);
        let residual = |t: usize| {
            let each = there().filter_map(|(member, share)| {
                let e = *member.fitted.shocks(series).values.get(t)?;
                (!e.is_nan()).then(|| (e / member.sd[series], *share))
            });
            let (sum, weight) = each.fold((0.0, 0.0), |(sum, weight), (e, w)| (sum + w * e, weight + w));
            if weight > 0.0 { sum / weight } else { f64::NAN }
        };
        (0..n).map(residual).collect()
    }

    /// What members say of a future; none of those that cannot serve the series.
    fn said(&self, future: &Future, series: usize) -> Result<Vec<Option<Marginal>>> {
        let needed = self.mean_shares(series);
        let say = |(member, share): (&Member, &f64)| match member.fitted.forecast(future, series) {
            _ if *share == 0.0 => Ok(None),
            Ok(marginal) => Ok(Some(marginal)),
            // What is not known of the future is no fault of the series.
            Err(error) if error.is_model() => Ok(None),
            Err(error) => Err(error.within(member.label.clone())),
        };
        self.members.iter().zip(&needed).map(say).collect()
    }
}

/// Several distributions as one: quantiles are averaged as the means are, probability by probability.
fn combined(said: &[Option<Marginal>], shares: &[Vec<f64>]) -> Marginal {
    let there: Vec<(usize, &Marginal)> =
        said.iter().enumerate().filter_map(|(m, said)| Some((m, said.as_ref()?))).collect();
    let sum = |step: usize, value: &dyn Fn(&Marginal) -> f64| -> f64 {
        let used = there.iter().filter(|(m, _)| shares[step][*m] > 0.0);
        used.map(|(m, marginal)| shares[step][*m] * value(marginal)).sum()
    };
    let steps = 0..shares.len();
    let mean: Vec<f64> = steps.clone().map(|step| sum(step, &|marginal| marginal.mean[step])).collect();
    let at = |step: usize, z: f64| sum(step, &|marginal| marginal.at(step, z));
    let sd: Vec<f64> = steps.map(|step| (at(step, 1.0) - at(step, -1.0)) / 2.0).collect();
    let supports = || there.iter().map(|(_, marginal)| marginal.support());
    let support = match () {
        () if supports().all(|support| support == Support::Counts) => Support::Counts,
        () if supports().all(|support| support != Support::Numbers) => Support::Positive,
        () => Support::Numbers,
    };
    let shape = Quantiles::by(&mean, &sd, support, |step, deviates| deviates.iter().map(|z| at(step, *z)).collect());
    Marginal::normal(mean, sd).shaped(Some(shape))
}

impl Fitted for FittedStack {
    fn failure(&self, series: usize) -> Option<&Error> {
        self.failures[series].as_ref()
    }

    fn forecast(&self, future: &Future, series: usize) -> Result<Marginal> {
        if let Some(error) = &self.failures[series] {
            return Err(error.clone());
        }
        let mut said = self.said(future, series)?;
        if said.iter().all(Option::is_none) {
            // Those without weight are there for this.
            let rest = self.members.iter().map(|member| member.fitted.forecast(future, series).ok());
            said = rest.collect();
        }
        let serves: Vec<bool> = said.iter().map(Option::is_some).collect();
        if !serves.contains(&true) {
            return Err(Error::model("no member can forecast the series"));
        }
        let lead = usize::try_from(future.start(series) - self.ends[series]).unwrap_or(0);
        let group = self.groups[series];
        let shares: Vec<Vec<f64>> =
            (0..future.horizon()).map(|step| self.weights.shares(group, lead + step, &serves)).collect();
        let marginal = combined(&said, &shares);
        match marginal.mean.iter().chain(&marginal.sd).all(|value| value.is_finite()) {
            true => Ok(marginal.calibrated(self.calibration.as_ref(), lead)),
            false => Err(Error::model("the forecast leaves the range of numbers")),
        }
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
        let told: Vec<String> = match each.as_slice() {
            [(member, _)] => vec![member.label.clone()],
            each => {
                let named = each.iter().filter(|(_, share)| *share >= 0.005);
                named.map(|(member, share)| format!("{:.0} % {}", 100.0 * share, member.label)).collect()
            }
        };
        let note = if self.note.is_empty() { String::new() } else { format!(" ({})", self.note) };
        let without: String = self.without.iter().map(|(label, _)| format!(", without {label}")).collect();
        let parameters = each.iter().map(|(member, share)| (member.label.clone(), *share)).collect();
        let own = each.iter().flat_map(|(member, _)| member.fitted.describe(series).remarks);
        let remarks = self.without.iter().map(|(label, why)| format!("without {label}: {why}")).chain(own).collect();
        let form = format!("{}{without}{note}", told.join(" + "));
        Description { form, parameters, remarks, ..Description::default() }
    }

    fn update(&self, train: &Panel) -> Result<Box<dyn Fitted>> {
        // What a usual error is stays that of the first fit, as all that was learned.
        let update = |member: &Member| -> Result<Member> {
            Ok(Member { label: member.label.clone(), fitted: member.fitted.update(train)?, sd: member.sd.clone() })
        };
        let members = self.members.iter().map(update).collect::<Result<_>>()?;
        let (weights, groups) = (self.weights.clone(), self.groups.clone());
        let (note, without) = (self.note.clone(), self.without.clone());
        Ok(Box::new(Self::new(train, members, weights, groups, self.calibration.clone(), note, without)))
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
            groups: self.groups.clone(),
            calibration: self.calibration.clone(),
            note: self.note.clone(),
            without: self.without.clone(),
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Saved {
    /// Label, fit, and usual errors by series.
    members: Vec<(String, Vec<u8>, Vec<f64>)>,
    weights: Weights,
    groups: Vec<usize>,
    calibration: Option<Calibration>,
    note: String,
    without: Vec<(String, String)>,
}

impl Kept for FittedStack {
    fn load(bytes: &[u8], panel: &Panel) -> Result<Box<dyn Fitted>> {
        let Saved { members, weights, groups, calibration, note, without } = decode(bytes)?;
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
        Ok(Box::new(Self::new(panel, members, weights, groups, calibration, note, without)))
    }
}
