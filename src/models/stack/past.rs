//! What did each member say of the last windows, fitted to what lies before each, and what happened?

use crate::error::{Error, Result};
use crate::metrics::{Case, scales};
use crate::models::calibration::Calibration;
use crate::models::{Aim, Fitted, Marginal, Model, standard_normal};
use crate::panel::{Cut, Folds, Panel, order};

/// The quantiles that are kept of what a member said.
pub(super) const PROBABILITIES: [f64; 7] = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975];
/// A window has at least as many steps before it, in its own length.
const BEFORE: usize = 2;

/// What one member said of the steps of a window.
pub(super) struct Said {
    pub mean: Vec<f64>,
    /// One per probability.
    pub quantiles: [Vec<f64>; PROBABILITIES.len()],
}

/// One series in one window.
pub(super) struct Window {
    pub series: usize,
    /// Which window it is, counted from 0, the oldest.
    pub number: usize,
    /// What happened, NaN where nothing was observed.
    pub actual: Vec<f64>,
    /// By member; none where it could not serve the series.
    pub said: Vec<Option<Said>>,
    /// The mean absolute and the mean squared error of the seasonal naive method before the window.
    pub scales: (f64, f64),
}

impl Said {
    pub fn of(marginal: &Marginal) -> Self {
        Self { mean: marginal.mean.clone(), quantiles: PROBABILITIES.map(|p| marginal.quantile(p)) }
    }

    /// Several as one, with the share of each at each step.
    pub fn combined(members: &[Option<Self>], shares: &[Vec<f64>]) -> Self {
        let sum = |values: &dyn Fn(&Self) -> &[f64]| -> Vec<f64> {
            let there = || members.iter().enumerate().filter_map(|(m, said)| Some((m, said.as_ref()?)));
            let step = |(step, shares): (usize, &Vec<f64>)| {
                there().filter(|(m, _)| shares[*m] > 0.0).map(|(m, said)| shares[m] * values(said)[step]).sum()
            };
            shares.iter().enumerate().map(step).collect()
        };
        Self { mean: sum(&|said| &said.mean), quantiles: std::array::from_fn(|k| sum(&|said| &said.quantiles[k])) }
    }

    /// The standard normal deviates at which this distribution has the values that happened.
    pub fn deviates(&self, actual: &[f64]) -> Vec<f64> {
        let z = PROBABILITIES.map(standard_normal);
        let deviate = |(step, y): (usize, &f64)| {
            let at = |k: usize| self.quantiles[k][step];
            let (from, to) = between(|k| *y <= at(k));
            let slope = (z[to] - z[from]) / (at(to) - at(from));
            // A distribution without width says nothing of how far away a value is.
            if slope.is_finite() { z[from] + (y - at(from)) * slope } else { f64::NAN }
        };
        actual.iter().enumerate().map(deviate).collect()
    }

    /// The same means with the quantiles that a calibration puts in the place of its own.
    pub fn calibrated(&self, calibration: &Calibration) -> Self {
        let z = PROBABILITIES.map(standard_normal);
        let quantile = |k: usize, step: usize| {
            let deviate = calibration.deviate(step, z[k]);
            let (from, to) = between(|k| deviate <= z[k]);
            let at = |k: usize| self.quantiles[k][step];
            at(from) + (deviate - z[from]) * (at(to) - at(from)) / (z[to] - z[from])
        };
        let quantiles = std::array::from_fn(|k| (0..self.mean.len()).map(|step| quantile(k, step)).collect());
        Self { mean: self.mean.clone(), quantiles }
    }
}

/// The two quantiles between which something lies, by which of them it is not above; beyond the outer ones a distribution goes on
/// as the normal one would from the middle.
fn between(not_above: impl Fn(usize) -> bool) -> (usize, usize) {
    let (middle, last) = (PROBABILITIES.len() / 2, PROBABILITIES.len() - 1);
    match (0..=last).find(|k| not_above(*k)) {
        Some(0) => (0, middle),
        Some(k) => (k - 1, k),
        None => (middle, last),
    }
}

impl Window {
    /// For the metrics.
    pub fn case<'a>(&'a self, said: &'a Said) -> Case<'a> {
        Case {
            actual: &self.actual,
            mean: &said.mean,
            probabilities: &PROBABILITIES,
            quantiles: &said.quantiles,
            absolute_scale: self.scales.0,
            squared_scale: self.scales.1,
        }
    }

    /// What errors of this series are measured in.
    pub fn size(&self) -> f64 {
        let there = || self.actual.iter().filter(|y| !y.is_nan());
        let mean = there().map(|y| y.abs()).sum::<f64>() / there().count().max(1) as f64;
        [self.scales.0, mean].into_iter().find(|size| *size > 0.0 && size.is_finite()).unwrap_or(1.0)
    }
}

/// The last windows of a panel, `steps` each: as many of those asked for as there is room for; none where there is none. And by
/// member, why it says nothing of any window.
///
/// # Errors
/// When a member cannot serve the panel as a whole, or the user interrupts.
pub(super) fn windows(
    members: &[Model],
    train: &Panel,
    aim: Aim,
    steps: usize,
    asked: usize,
) -> Result<(Vec<Window>, Vec<Option<Error>>)> {
    let longest =
        (0..train.len()).filter_map(|i| Some(train.positions(i).last()? - train.positions(i).first()? + 1)).max();
    let room = usize::try_from(longest.unwrap_or(0)).unwrap_or(0);
    // Where the series show their season, a member that is tried must have seen it too: one that has not is another member.
    let seasons = Some(2 * train.season()).filter(|seasons| room > *seasons).unwrap_or(0);
    let fits = |count: &usize| (count + BEFORE) * steps <= room;
    let shows = |count: &usize| room - count * steps > seasons;
    let several = (1..=asked).rev().find(|count| fits(count) && shows(count));
    let Some(count) = several.or_else(|| Some(1).filter(fits)) else { return Ok((Vec::new(), Vec::new())) };
    let (mut windows, order) = (Vec::new(), order::by_content(train)?);
    let mut silent: Vec<Option<Error>> = vec![None; members.len()];
    for (number, cut) in Folds::new(count, steps).scenario(aim.scenario).cuts(train)?.enumerate() {
        let Cut { train: before, future, starts } = cut?;
        let fits = members.iter().map(|member| fit(member, &before, aim)).collect::<Result<Vec<_>>>()?;
        for series in order.iter().copied() {
            crate::progress::check()?;
            let Some(actual) = train.happened(series, starts[series], steps) else { continue };
            let mut said = Vec::with_capacity(fits.len());
            for (fit, silent) in fits.iter().zip(&mut silent) {
                let marginal = fit.as_ref().map_err(Error::clone).and_then(|fit| fit.forecast(&future, series));
                said.push(match marginal {
                    Ok(marginal) => Some(Said::of(&marginal)),
                    Err(why) => {
                        silent.get_or_insert(why);
                        None
                    }
                });
            }
            let scales = scales(&before.regular(series), train.season());
            windows.push(Window { series, number, actual, said, scales });
        }
    }
    for (m, silent) in silent.iter_mut().enumerate() {
        if windows.iter().any(|window| window.said[m].is_some()) {
            *silent = None;
        }
    }
    Ok((windows, silent))
}

/// A member fitted to a panel; its reason where it says that it cannot serve it.
pub(super) fn fit(member: &Model, train: &Panel, aim: Aim) -> Result<Result<Box<dyn Fitted>>> {
    match member.forecaster().fit(train, aim) {
        Ok(fitted) => Ok(Ok(fitted)),
        Err(error) if error.is_model() => Ok(Err(error)),
        Err(error) if error.is_interrupted() => Err(error),
        Err(error) => Err(Error::within(error, member.label())),
    }
}
