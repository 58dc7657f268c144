//! Hold-out forecasts: what every member forecasts for each of the last windows of a panel from the values before it.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::fitting::{Calibration, HeldOut, PROBABILITIES, QuantileFunction, Windows, closed_steps};
use crate::metrics::{Case, scales};
use crate::models::{Aim, Fitted, Model, StepDistribution, standard_normal};
use crate::panel::{Cut, Folds, Groups, Panel, order};

/// The smallest history before a window, in window lengths.
const BEFORE: usize = 2;
/// Several windows take one part in so many of the history at the most.
const MOST: usize = 3;

/// How many times the error of the best other member a dear one may have before its weight would be less than half of theirs.
const FAR: f64 = std::f64::consts::SQRT_2;

/// What a fit knows of windows, by series and first position.
pub(super) type Known = HashMap<(usize, i64), StepDistribution>;

/// The forecast of a window.
pub(super) struct Predicted {
    pub mean: Vec<f64>,
    pub sd: Vec<f64>,
    /// One per probability.
    pub quantiles: [Vec<f64>; PROBABILITIES.len()],
}

/// One series in one window.
pub(super) struct Window {
    pub series: usize,
    /// The number of the window, from 0, the oldest.
    pub number: usize,
    /// The actual values, NaN where nothing was observed.
    pub actual: Vec<f64>,
    /// By member; none where it could not be fitted to the series.
    pub predicted: Vec<Option<Predicted>>,
    /// The mean absolute and the mean squared error of the seasonal naive method before the window.
    pub scales: (f64, f64),
}

impl Predicted {
    pub fn of(forecast: &StepDistribution) -> Self {
        Self {
            mean: forecast.mean.clone(),
            sd: forecast.sd.clone(),
            quantiles: PROBABILITIES.map(|p| forecast.quantile(p)),
        }
    }

    /// The same with nothing at the steps at which a shop is shut.
    fn without(mut self, shut: &[bool]) -> Self {
        for values in [&mut self.mean, &mut self.sd].into_iter().chain(&mut self.quantiles) {
            values.iter_mut().zip(shut).filter(|(_, shut)| **shut).for_each(|(value, _)| *value = 0.0);
        }
        self
    }

    /// Is it certain that nothing is sold at a step?
    fn is_closed(&self, step: usize) -> bool {
        self.mean[step] == 0.0 && self.quantiles.iter().all(|values| values[step] == 0.0)
    }

    /// The weighted mean of members, with the share of each at each step; nothing where one of them is certain of that.
    pub fn combined(members: &[Option<Self>], shares: &[Vec<f64>]) -> Self {
        let used = |step: usize| {
            let there = members.iter().enumerate().filter_map(|(m, predicted)| Some((m, predicted.as_ref()?)));
            there.filter(move |(m, _)| shares[step][*m] > 0.0)
        };
        let closed: Vec<bool> = (0..shares.len()).map(|step| used(step).any(|(_, one)| one.is_closed(step))).collect();
        let sum = |values: &dyn Fn(&Self) -> &[f64]| -> Vec<f64> {
            let step = |step: usize| match closed[step] {
                true => 0.0,
                false => used(step).map(|(m, one)| shares[step][m] * values(one)[step]).sum(),
            };
            (0..shares.len()).map(step).collect()
        };
        let quantiles = std::array::from_fn(|k| sum(&|one| &one.quantiles[k]));
        Self { mean: sum(&|one| &one.mean), sd: sum(&|one| &one.sd), quantiles }
    }

    /// The quantile function of a step.
    fn quantile_function(&self, step: usize) -> QuantileFunction {
        QuantileFunction(std::array::from_fn(|k| self.quantiles[k][step]))
    }

    /// The width of the 80 % interval of each step.
    pub fn widths(&self) -> impl Iterator<Item = f64> {
        let z = standard_normal(0.9);
        (0..self.mean.len()).map(move |step| {
            let quantiles = self.quantile_function(step);
            quantiles.value(z) - quantiles.value(-z)
        })
    }

    /// The calibration scores of actual values.
    pub fn scores(&self, actual: &[f64]) -> Vec<f64> {
        let score = |(step, y): (usize, &f64)| {
            let [(z0, v0), (z1, v1)] = self.quantile_function(step).segment_at(*y);
            let slope = (z1 - z0) / (v1 - v0);
            // A degenerate distribution has no scale to measure errors by.
            if slope.is_finite() { z0 + (y - v0) * slope } else { f64::NAN }
        };
        actual.iter().enumerate().map(score).collect()
    }

    /// The same means with calibrated quantiles.
    pub fn calibrated(&self, calibration: &Calibration) -> Self {
        let z = PROBABILITIES.map(standard_normal);
        let quantile = |k: usize, step: usize| self.quantile_function(step).value(calibration.deviate(step, z[k]));
        let quantiles = std::array::from_fn(|k| (0..self.mean.len()).map(|step| quantile(k, step)).collect());
        Self { mean: self.mean.clone(), sd: self.sd.clone(), quantiles }
    }
}

impl Window {
    /// For the metrics.
    pub fn case<'a>(&'a self, predicted: &'a Predicted) -> Case<'a> {
        Case {
            actual: &self.actual,
            mean: &predicted.mean,
            probabilities: &PROBABILITIES,
            quantiles: &predicted.quantiles,
            absolute_scale: self.scales.0,
            squared_scale: self.scales.1,
        }
    }

    /// The scale of errors of this series.
    pub fn size(&self) -> f64 {
        let there = || self.actual.iter().filter(|y| !y.is_nan());
        let mean = there().map(|y| y.abs()).sum::<f64>() / there().count().max(1) as f64;
        [self.scales.0, mean].into_iter().find(|size| *size > 0.0 && size.is_finite()).unwrap_or(1.0)
    }
}

/// As many windows of so many steps as a panel has room for at its end, up to `max`; none if it has no room for one.
pub(super) fn room(train: &Panel, steps: usize, max: usize) -> Option<Windows> {
    let longest =
        (0..train.len()).filter_map(|i| Some(train.positions(i).last()? - train.positions(i).first()? + 1)).max();
    let room = usize::try_from(longest.unwrap_or(0)).unwrap_or(0);
    // Where the series hold two seasons, the values before a window must hold them too, and where they hold one and a window,
    // one: without them, a member is another model.
    let season = train.season();
    let before = match room {
        _ if season < 2 => 1,
        room if room > 2 * season => 2 * season + 1,
        room if room >= season + steps => season,
        _ => 1,
    };
    // A fit without several windows must still know most of the history: it stands for one that knows all of it.
    let fits = |count: &usize| (count + BEFORE).max(if *count > 1 { MOST * count } else { 0 }) * steps <= room;
    let seasonal = |count: &usize| room - count * steps >= before;
    let several = (1..=max).rev().find(|count| fits(count) && seasonal(count));
    // A single window will do with a season before it.
    let season = train.season().max(steps);
    let one = || Some(1).filter(|one| fits(one) || (train.season() > 1 && room > season + steps));
    several.or_else(one).map(|count| Windows { count, steps })
}

/// What members forecast for the windows of a panel from the values before each; and, by member, why it forecasts none of
/// them. A fit may know that itself; another member is fitted before the first window, and updated before each later one.
///
/// # Errors
/// When a member cannot be fitted to the panel as a whole, or the user interrupts.
pub(super) fn windows(
    members: &[(Model, Box<dyn Fitted>)],
    mut known: Vec<Known>,
    train: &Panel,
    aim: Aim,
    Windows { count, steps }: Windows,
    closed: &[(usize, f64)],
) -> Result<(Vec<Window>, Vec<Option<Error>>)> {
    let (mut windows, order) = (Vec::new(), order::by_content(train)?);
    let mut silent: Vec<Option<Error>> = vec![None; members.len()];
    let mut fits: Vec<Result<Box<dyn Fitted>>> = Vec::with_capacity(members.len());
    for (number, cut) in Folds::new(count, steps).scenario(aim.scenario).cuts(train)?.enumerate() {
        let Cut { train: before, future, starts } = cut?;
        let unknown = Error::model("it has no forecast of the held-out windows");
        let each = members.iter().enumerate().map(|(m, (member, _))| match fits.get(m) {
            _ if !known[m].is_empty() => Ok(Err(unknown.clone())),
            Some(Ok(fitted)) => updated(&**fitted, &before),
            _ => fit(member, &before, Aim { windows: None, ..aim }),
        });
        fits = each.collect::<Result<_>>()?;
        for series in order.iter().copied() {
            crate::progress::check()?;
            let Some(actual) = train.happened(series, starts[series], steps) else { continue };
            let mut predicted = Vec::with_capacity(fits.len());
            let shut = closed_steps(closed, &future, series);
            for (m, silent) in silent.iter_mut().enumerate() {
                let forecast = known[m].remove(&(series, starts[series])).map_or_else(
                    || fits[m].as_ref().map_err(Error::clone).and_then(|fit| fit.forecast(&future, series)),
                    Ok,
                );
                predicted.push(match forecast {
                    Ok(forecast) => Some(Predicted::of(&forecast).without(&shut)),
                    Err(why) => {
                        silent.get_or_insert(why);
                        None
                    }
                });
            }
            let scales = scales(&before.regular(series), train.season());
            windows.push(Window { series, number, actual, predicted, scales });
        }
    }
    for (m, silent) in silent.iter_mut().enumerate() {
        if windows.iter().any(|window| window.predicted[m].is_some()) {
            *silent = None;
        }
    }
    Ok((windows, silent))
}

/// A fit at a later state of its panel, or the reason why it cannot be updated.
fn updated(fitted: &dyn Fitted, train: &Panel) -> Result<Result<Box<dyn Fitted>>> {
    match fitted.update(train) {
        Err(error) if error.is_interrupted() => Err(error),
        updated => Ok(updated),
    }
}

/// A member fitted to a panel, unless it does not pay, with what it knows of windows.
pub(super) type Candidate = Option<(Box<dyn Fitted>, Known)>;

/// A member fitted for the windows of its aim, unless it is dear and far behind members of which these forecasts are `known`, in
/// every group of series; or the reason why it cannot be fitted.
pub(super) fn fit_if_it_pays(
    member: &Model,
    train: &Panel,
    aim: Aim,
    known: &[Known],
    groups: &Groups,
) -> Result<Result<Candidate>> {
    let fitted = member.forecaster().fit_if(train, aim, &|held_out| pays(train, held_out, known, groups));
    let known = |mut fitted: Box<dyn Fitted>| {
        let held_out = fitted.take_held_out().into_iter();
        let known = held_out.map(|HeldOut { series, start, forecast }| ((series, start), forecast)).collect();
        (fitted, known)
    };
    checked(member, fitted.map(|fitted| fitted.map(known)))
}

/// Is a forecast of windows, in any group of series, not [`FAR`] behind each that is known?
fn pays(train: &Panel, held_out: &[HeldOut], known: &[Known], groups: &Groups) -> bool {
    let mut errors = vec![vec![(0.0, 0.0); known.len()]; groups.names.len()];
    for HeldOut { series, start, forecast } in held_out {
        let Some(actual) = train.happened(*series, *start, forecast.mean.len()) else { continue };
        let there = || actual.iter().enumerate().filter(|(_, y)| !y.is_nan());
        let size: f64 = there().map(|(_, y)| y.abs()).sum();
        let error = |mean: &[f64]| there().map(|(step, y)| (y - mean[step]).abs()).sum::<f64>() / size;
        for (other, (own, others)) in known.iter().zip(&mut errors[groups.of[*series]]) {
            if let Some(other) = other.get(&(*series, *start)).filter(|_| size > 0.0) {
                (*own, *others) = (*own + error(&forecast.mean), *others + error(&other.mean));
            }
        }
    }
    let mut compared = errors.iter().filter(|group| group.iter().any(|(own, others)| own + others > 0.0)).peekable();
    compared.peek().is_none() || compared.any(|group| group.iter().all(|(own, others)| *own <= FAR * others))
}

/// A member fitted to a panel, or the reason why it cannot be.
pub(super) fn fit(member: &Model, train: &Panel, aim: Aim) -> Result<Result<Box<dyn Fitted>>> {
    checked(member, member.forecaster().fit(train, aim))
}

fn checked<T>(member: &Model, fitted: Result<T>) -> Result<Result<T>> {
    match fitted {
        Ok(fitted) => Ok(Ok(fitted)),
        Err(error) if error.is_model() => Ok(Err(error)),
        Err(error) if error.is_interrupted() => Err(error),
        Err(error) => Err(Error::within(error, member.label())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sold_where_a_member_with_weight_is_certain_of_it() {
        let of = |mean: [f64; 2]| {
            let quantiles = std::array::from_fn(|_| mean.to_vec());
            Some(Predicted { mean: mean.to_vec(), sd: vec![0.0; 2], quantiles })
        };
        let members = [of([10.0, 0.0]), of([20.0, 20.0])];
        let combined = |share: f64| Predicted::combined(&members, &vec![vec![share, 1.0 - share]; 2]);
        assert_eq!(combined(0.75).mean, [12.5, 0.0]);
        assert_eq!(combined(0.75).quantiles[3], [12.5, 0.0]);
        assert_eq!(combined(0.0).mean, [20.0, 20.0]);
    }
}
