//! A fitted ensemble: members with their weights.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::weights::Weights;
use crate::error::{Error, Result};
use crate::fitting::{Calibration, Support, Unevenness, closed_steps, decode, encode, end, standard_normal};
use crate::models::ensembles::ensemble::are_few;
use crate::models::ensembles::plausible::Plausible;
use crate::models::ensembles::{innovation_sd, weighted_mean};
use crate::models::intermittent::count_quantiles;
use crate::models::{
    Description, Ensemble, Fitted, GroupSeasonal, MODELS, Method, Model, Quantiles, Restore, Shocks, StepDistribution,
};
use crate::options;
use crate::panel::{Future, Panel};
use crate::show::words::listed;

/// How many times what was sold at the same time last year nobody would believe, or the inverse of it.
const TIMES: f64 = 5.0;
/// How many times as wide as they state the intervals of members may become, beside what makes steps harder: members that count
/// more there may state less than the combination in the windows.
const WIDEST: f64 = 3.0;
/// Covariates that a specification names.
const COVARIATES: usize = 6;
/// The growth against last year that is believed.
const GROWTH: std::ops::RangeInclusive<f64> = 0.25..=4.0;

/// A fitted combination of members, each fitted to the whole panel.
pub struct FittedStack {
    members: Vec<Member>,
    settled: Settled,
    histories: Vec<History>,
    /// By series: the weighted mean of the members' standardised innovations.
    residuals: Vec<Vec<f64>>,
    failures: Vec<Option<Error>>,
}

/// What the fit has settled, beside the members.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Settled {
    pub weights: Weights,
    /// The season that the panel is taken to have, if another than its own.
    pub season: Option<usize>,
    /// The panel's own season, and the longest that it is taken to have.
    pub own_season: usize,
    pub year: usize,
    /// The covariates that members may read: those that vary.
    pub covariates: Vec<String>,
    /// Steps of a forecast.
    pub steps: usize,
    /// The group of each series.
    pub groups: Vec<usize>,
    /// Which columns of the matrix of covariates imply, at which value, that nothing is sold.
    pub closed: Vec<(usize, f64)>,
    pub calibration: Option<Calibration>,
    pub unevenness: Unevenness,
    /// By series and step, the mean width of 80 % intervals in the held-out windows, where steps are harder than those.
    pub widths: Vec<Vec<f64>>,
    /// The error of last year's pattern in the sums over held-out windows, relative to what was sold in them.
    pub pattern_error: f64,
    /// What the variances of low counts that members state are multiplied with, by their errors in the held-out windows.
    pub count_variance: f64,
    /// The places of members, best first.
    pub ranks: Vec<usize>,
    /// Why weights were not learned, where they were not.
    pub note: String,
    /// Members that were left out, and why.
    pub without: Vec<(String, String)>,
}

/// What is known of a series, to check its forecast.
struct History {
    /// The calendar position after the last value.
    end: i64,
    /// What the forecast is kept within.
    support: Support,
    /// Is little sold, in counts?
    few: bool,
    plausible: Plausible,
    /// The sum of last year's values at the steps of a forecast, with the growth since then, if known.
    last_year: Option<f64>,
}

impl History {
    fn of(panel: &Panel, series: usize, year: usize, steps: usize) -> Self {
        let values = panel.target(series);
        let last_year = last_year(&panel.regular(series), year, steps);
        let (end, support) = (end(panel, series), Support::of(values));
        Self { end, support, few: are_few(values), plausible: Plausible::after(values), last_year }
    }

    /// Does a forecast of so many steps, the first of them after the last value, go together with what was sold?
    fn doubts(&self, forecast: &StepDistribution, can_close: bool) -> Option<&'static str> {
        if !self.plausible.holds(&forecast.mean, &forecast.sd) {
            return Some("its forecast is far beyond what was ever sold");
        }
        let sum: f64 = forecast.mean.iter().sum();
        let last_year = self.last_year?;
        let too_much = sum > TIMES * last_year;
        // A shop that is known to close sells less than last year.
        let too_little = sum < last_year / TIMES && !can_close;
        (too_much || too_little).then_some("its forecast is far from what was sold at the same time last year")
    }
}

/// The sum of last year's values at the steps ahead, with the growth of the last steps against last year; none where fewer than
/// half of them are known.
fn last_year(y: &[f64], year: usize, steps: usize) -> Option<f64> {
    if year < steps || year < 2 {
        return None;
    }
    let sum = |from: Option<usize>| {
        let from = from?;
        let there: Vec<f64> = y[from..from + steps].iter().copied().filter(|y| !y.is_nan()).collect();
        (2 * there.len() >= steps).then(|| there.iter().sum::<f64>() / there.len() as f64 * steps as f64)
    };
    let n = y.len();
    let then = sum(n.checked_sub(year)).filter(|sum| *sum > 0.0)?;
    let (now, before) = (sum(n.checked_sub(steps))?, sum(n.checked_sub(year + steps))?);
    let growth = now / before;
    growth.is_finite().then(|| then * growth.clamp(*GROWTH.start(), *GROWTH.end())).filter(|sum| *sum > 0.0)
}

pub(super) struct Member {
    label: String,
    fitted: Box<dyn Fitted>,
    /// By series: the standard deviation of its innovations, by which shocks are standardised.
    sd: Vec<f64>,
    reads_covariates: bool,
}

impl Member {
    pub fn new(label: &str, fitted: Box<dyn Fitted>, series: usize) -> Self {
        let sd = (0..series).map(|i| innovation_sd(fitted.shocks(i).values)).collect();
        Self::with_sd(label.into(), fitted, sd)
    }

    fn with_sd(label: String, fitted: Box<dyn Fitted>, sd: Vec<f64>) -> Self {
        let reads_covariates = Model::named(&label).is_ok_and(|model| model.reads_covariates());
        Self { label, fitted, sd, reads_covariates }
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
    pub(super) fn new(panel: &Panel, members: Vec<Member>, settled: Settled) -> Self {
        let seasonal = settled.season.map(|season| panel.with_season(season));
        let panel = seasonal.as_ref().unwrap_or(panel);
        let history = |i: usize| History::of(panel, i, settled.year, settled.steps);
        let histories = (0..panel.len()).into_par_iter().map(history).collect();
        let mut fitted = Self { members, settled, histories, residuals: Vec::new(), failures: Vec::new() };
        fitted.residuals = (0..panel.len()).into_par_iter().map(|i| fitted.innovations(i)).collect();
        fitted.failures = (0..panel.len()).map(|i| fitted.cause(i)).collect();
        fitted
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
        let own = |m: usize| if available[m] { self.settled.weights.mean(self.settled.groups[series], m) } else { 0.0 };
        let total: f64 = (0..available.len()).map(own).sum();
        if total > 0.0 {
            return (0..available.len()).map(|m| own(m) / total).collect();
        }
        self.settled.weights.shares(self.settled.groups[series], 0, &available)
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

    /// Leaves out what nobody would believe, where another member can be believed: one with weight, else the best of the others.
    /// Says what.
    fn replace_doubtful(
        &self,
        forecasts: &mut [Option<StepDistribution>],
        future: &Future,
        series: usize,
    ) -> Vec<String> {
        let history = &self.histories[series];
        if future.start(series) != history.end || future.horizon() != self.settled.steps {
            return Vec::new();
        }
        let can_close = !self.settled.closed.is_empty();
        let doubts: Vec<Option<&str>> = forecasts.iter().map(|one| history.doubts(one.as_ref()?, can_close)).collect();
        let is_sound = |m: usize| forecasts[m].is_some() && doubts[m].is_none();
        if doubts.iter().all(Option::is_none) {
            return Vec::new();
        }
        let stand_in = (0..forecasts.len()).all(|m| !is_sound(m)).then(|| {
            let others = self.settled.ranks.iter().copied().filter(|m| forecasts[*m].is_none());
            others
                .filter_map(|m| Some((m, self.members[m].fitted.forecast(future, series).ok()?)))
                .find(|(_, forecast)| history.doubts(forecast, can_close).is_none())
        });
        if let Some(found) = stand_in {
            let Some((m, forecast)) = found else { return Vec::new() };
            forecasts[m] = Some(forecast);
        }
        let mut remarks = Vec::new();
        for (m, doubt) in doubts.into_iter().enumerate() {
            if let Some(doubt) = doubt {
                forecasts[m] = None;
                remarks.push(format!("without {}: {doubt}", self.members[m].label));
            }
        }
        remarks
    }

    /// In a part of the year that no held-out window lies in, members that do not know it are as good in the windows as others.
    /// There they have the less weight the farther their sums are from last year's pattern at the level of today, beside how far
    /// that was off in the windows.
    fn keep_to_the_season(
        &self,
        shares: &mut [Vec<f64>],
        forecasts: &[Option<StepDistribution>],
        future: &Future,
        series: usize,
    ) {
        // Nothing is known of the pattern, or windows lie everywhere.
        if self.settled.pattern_error <= 0.0 {
            return;
        }
        let lead = usize::try_from(future.start(series) - self.histories[series].end).unwrap_or(0);
        let is_unseen =
            |step: &usize| self.settled.unevenness.factor(future.start(series) + *step as i64, lead + step) > 1.0;
        let unseen: Vec<usize> = (0..shares.len()).filter(is_unseen).collect();
        let is_pattern = |member: &Member| member.label.split('(').next() == Some(GroupSeasonal::NAME);
        let Some(m) = self.members.iter().position(is_pattern).filter(|_| !unseen.is_empty()) else { return };
        let sum = |forecast: &StepDistribution| unseen.iter().map(|step| forecast.mean[*step]).sum::<f64>();
        let last_year = match &forecasts[m] {
            Some(pattern) => sum(pattern),
            None => self.members[m].fitted.forecast(future, series).map_or(0.0, |pattern| sum(&pattern)),
        };
        if last_year <= 0.0 {
            return;
        }
        let trust = |forecast: &StepDistribution| {
            let off = (sum(forecast) / last_year - 1.0) / self.settled.pattern_error;
            1.0 / (1.0 + off * off)
        };
        let trusts: Vec<f64> = forecasts.iter().map(|one| one.as_ref().map_or(0.0, trust)).collect();
        for step in unseen {
            let new: Vec<f64> = shares[step].iter().zip(&trusts).map(|(share, trust)| share * trust).collect();
            let total: f64 = new.iter().sum();
            if total > 0.0 {
                shares[step] = new.into_iter().map(|share| share / total).collect();
            }
        }
    }

    /// How many times as wide as calibrated the intervals of a combination are at each step: as much as it takes to be as much
    /// wider than in the held-out windows as steps are harder.
    fn widening(&self, forecast: &StepDistribution, start: i64, lead: usize, series: usize) -> Vec<f64> {
        let Some(widths) = self.settled.widths.get(series).filter(|widths| !widths.is_empty()) else {
            return vec![1.0; forecast.mean.len()];
        };
        let factor = |step: usize| {
            let harder = self.settled.unevenness.factor(start + step as i64, lead + step);
            let seen = widths[(lead + step).min(widths.len() - 1)];
            let ratio = harder * seen / width(|z| forecast.at(step, z));
            if harder > 1.0 && ratio.is_finite() { ratio.clamp(1.0, WIDEST * harder) } else { 1.0 }
        };
        (0..forecast.mean.len()).map(factor).collect()
    }
}

/// The width of an 80 % interval, of quantiles at standard normal deviates.
fn width(at: impl Fn(f64) -> f64) -> f64 {
    let z = standard_normal(0.9);
    at(z) - at(-z)
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
/// members, as far as it held in the windows; Poisson where that is no more. The average of two quantiles that are counts is
/// none, and rounded it is one too far as often as not.
fn counted(forecasts: &[Option<StepDistribution>], shares: &[Vec<f64>], mean: Vec<f64>, held: f64) -> StepDistribution {
    let mean: Vec<f64> = mean.into_iter().map(|mean| mean.max(0.0)).collect();
    let sd = |step: usize| {
        let each = forecasts.iter().zip(&shares[step]).filter_map(|(one, share)| Some(share * one.as_ref()?.sd[step]));
        let variance = held * each.sum::<f64>().powi(2);
        match mean[step] {
            mean if mean <= 0.0 => 0.0,
            mean => variance.max(mean).sqrt(),
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
        let history = &self.histories[series];
        let lead = usize::try_from(future.start(series) - history.end).unwrap_or(0);
        let mut forecasts = self.forecasts(future, series)?;
        if forecasts.iter().all(Option::is_none) {
            // Members without weight are the fallback.
            let rest = self.members.iter().map(|member| member.fitted.forecast(future, series).ok());
            forecasts = rest.collect();
        }
        let mut remarks = self.replace_doubtful(&mut forecasts, future, series);
        let available: Vec<bool> = forecasts.iter().map(Option::is_some).collect();
        if !available.contains(&true) {
            return Err(Error::model("no member can forecast the series"));
        }
        let group = self.settled.groups[series];
        let mut shares: Vec<Vec<f64>> =
            (0..future.horizon()).map(|step| self.settled.weights.shares(group, lead + step, &available)).collect();
        self.keep_to_the_season(&mut shares, &forecasts, future, series);
        let forecast = combined(&forecasts, &shares, &closed_steps(&self.settled.closed, future, series));
        if !forecast.mean.iter().chain(&forecast.sd).all(|value| value.is_finite()) {
            return Err(Error::model("the forecast leaves the range of numbers"));
        }
        let factors = self.widening(&forecast, future.start(series), lead, series);
        let forecast = match history.few {
            true => counted(&forecasts, &shares, forecast.mean, self.settled.count_variance),
            false => forecast.calibrated(self.settled.calibration.as_ref(), lead),
        };
        let forecast = match factors.iter().any(|factor| *factor > 1.0) {
            true => {
                remarks.push(format!(
                    "intervals are up to {:.1} times as wide as on held-out windows, none of which lies in this part of the year",
                    self.settled.unevenness.largest(self.settled.steps)
                ));
                forecast.widened(&factors)
            }
            false => forecast,
        };
        Ok(forecast.within(history.support).with_remarks(remarks))
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
        let note = if self.settled.note.is_empty() { String::new() } else { format!(" ({})", self.settled.note) };
        let without: String = self.settled.without.iter().map(|(label, _)| format!(", without {label}")).collect();
        let parameters = each.iter().zip(&own).flat_map(|((member, share), own)| match member.is_ensemble() {
            true => own.parameters.iter().map(|(label, part)| (label.clone(), share * part)).collect(),
            false => vec![(member.label.clone(), *share)],
        });
        let parameters = parameters.collect();
        let own = own.into_iter().flat_map(|own| own.remarks);
        let remarks =
            self.settled.without.iter().map(|(label, why)| format!("without {label}: {why}")).chain(own).collect();
        let season = match (self.settled.season, self.settled.year) {
            (season, year) if year > season.unwrap_or(self.settled.own_season) => {
                format!(", seasons of {} and {year} steps", season.unwrap_or(self.settled.own_season))
            }
            (Some(season), _) => format!(", season of {season} steps"),
            _ => String::new(),
        };
        let reads = each.iter().any(|(member, share)| member.reads_covariates && *share >= 0.005);
        let covariates: Vec<&str> = self.settled.covariates.iter().map(String::as_str).collect();
        let reading = match reads && !covariates.is_empty() {
            true => format!(", reading {}", listed(&covariates, COVARIATES)),
            false => String::new(),
        };
        let specification = format!("{}{season}{reading}{without}{note}", weights.join(" + "));
        Description { specification, parameters, remarks, ..Description::default() }
    }

    fn update(&self, train: &Panel) -> Result<Box<dyn Fitted>> {
        let whole = train;
        let seasonal = self.settled.season.map(|season| train.with_season(season));
        let train = seasonal.as_ref().unwrap_or(train);
        // The standard deviations stay those of the first fit, as all parameters.
        let update = |member: &Member| -> Result<Member> {
            Ok(Member::with_sd(member.label.clone(), member.fitted.update(train)?, member.sd.clone()))
        };
        let members = self.members.iter().map(update).collect::<Result<_>>()?;
        Ok(Box::new(Self::new(whole, members, self.settled.clone())))
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
        encode(&Saved { members: members.collect::<Result<_>>()?, settled: self.settled.clone() })
    }
}

#[derive(Serialize, Deserialize)]
struct Saved {
    /// Label, fit, and standard deviation of innovations by series.
    members: Vec<(String, Vec<u8>, Vec<f64>)>,
    settled: Settled,
}

impl Restore for FittedStack {
    fn load(bytes: &[u8], panel: &Panel) -> Result<Box<dyn Fitted>> {
        let Saved { members, settled } = decode(bytes)?;
        let seasonal = settled.season.map(|season| panel.with_season(season));
        let of = seasonal.as_ref().unwrap_or(panel);
        let member = |(label, bytes, sd): (String, Vec<u8>, Vec<f64>)| -> Result<Member> {
            let fitted = MODELS.named(options::split(&label)?.0)?.load(&bytes, of)?;
            Ok(Member::with_sd(label, fitted, sd))
        };
        let members = members.into_iter().map(member).collect::<Result<Vec<_>>>()?;
        let (known, each) = settled.weights.shape();
        let n = panel.len();
        let columns = if settled.closed.is_empty() { 0 } else { panel.matrix()?.columns.len() };
        let whole = members.iter().all(|member| member.sd.len() == n)
            && settled.groups.len() == n
            && (settled.widths.is_empty() || settled.widths.len() == n)
            && settled.groups.iter().all(|group| *group < known)
            && settled.ranks.iter().all(|rank| *rank < members.len())
            && settled.closed.iter().all(|(column, _)| *column < columns);
        if !whole || each > members.len() {
            return Err(Error::data("the saved fit is damaged"));
        }
        Ok(Box::new(Self::new(panel, members, settled)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two years of four steps, the second twice as high: 1 2 3 4 2 4 6 8, and then 4 8 for two steps more.
    #[test]
    fn last_year_is_known_with_its_growth() {
        let y = [1.0, 2.0, 3.0, 4.0, 2.0, 4.0, 6.0, 8.0];
        assert_eq!(last_year(&y, 4, 2), Some(12.0));
        assert_eq!((last_year(&y, 1, 2), last_year(&y[..5], 4, 2)), (None, None));
    }

    #[test]
    fn what_is_far_from_last_year_is_doubted() {
        let values = [1.0, 2.0, 3.0, 4.0, 2.0, 4.0, 6.0, 8.0];
        let (support, plausible) = (Support::Positive, Plausible::after(&values));
        let history = History { end: 8, support, few: false, plausible, last_year: last_year(&values, 4, 2) };
        let of = |mean: f64| StepDistribution::normal(vec![mean; 2], vec![1.0; 2]);
        assert_eq!(history.doubts(&of(6.0), false), None);
        assert!(history.doubts(&of(40.0), false).is_some_and(|why| why.contains("last year")));
        assert!(history.doubts(&of(0.5), false).is_some() && history.doubts(&of(0.5), true).is_none());
        assert!(history.doubts(&of(500.0), false).is_some_and(|why| why.contains("ever sold")));
    }
}
