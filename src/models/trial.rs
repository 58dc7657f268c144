//! How well did models forecast the end of a series? A small rolling validation within one series, for methods that choose
//! or weigh others.
//!
//! Where many models are compared, each is fitted once, to what lies before the first window, and brought up to date before
//! each later one: its parameters have seen none of what it is judged by, and a trial costs as much as one fit more. Where
//! intervals are what is asked for, the model is fitted anew before each window, as far from its data as a forecast will be.
//!
//! Covariates stand in the windows as they stand in forecasts: what is known ahead is known, what is observed follows the
//! scenario, from what lies before the window alone. A model that has nothing to say of the windows has no score, and is named
//! with the reason in the remarks of the fit.

use super::intermittent::deviates_around;
use super::part::Part;
use super::{Ahead, Covariate, Series};
use crate::error::{Error, Result};
use crate::progress;

/// Windows of a trial where the series is long enough for them.
const WINDOWS: usize = 3;
/// The share of a series that is left before the first window at least.
const BEFORE: f64 = 0.5;
/// Why no model can be tried.
const TOO_SHORT: &str = "the series is too short for windows to try it on";
/// Squared ratio of errors at which a model has no weight beside the best one.
const NOTHING: f64 = 0.01;

/// What happens to a model between two windows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Between {
    /// It is brought up to date.
    Update,
    /// It is fitted anew.
    Fit,
}

/// What models said of the windows at the end of a series, and what happened.
pub(super) struct Trial {
    /// Where each window starts in the series.
    starts: Vec<usize>,
    /// What happened, window after window, step after step.
    actual: Vec<Vec<f64>>,
    /// Model by model: what it said, or why it could say nothing. Means and standard deviations.
    said: Vec<Result<Said>>,
}

/// The windows at the end of a series.
struct Windows {
    starts: Vec<usize>,
    steps: usize,
    /// By window and column: the covariates as a forecast made before the window has them.
    covariates: Vec<Vec<Vec<f64>>>,
}

struct Said {
    mean: Vec<Vec<f64>>,
    sd: Vec<Vec<f64>>,
}

/// Steps ahead that a model is judged by if nothing is stated: a season, a quarter of a long one, 8 steps without one.
pub(super) fn usual_horizon(season: usize) -> usize {
    match season {
        0 | 1 => 8,
        2..=47 => season.max(4),
        long => (long / 4).clamp(13, 48),
    }
}

/// The windows that a series of `n` values has room for: where each starts, and how many steps it has. Two may overlap by
/// half: a single one would be one moment of the calendar, with no other to give it weights.
fn windows(n: usize, season: usize, horizon: usize) -> (Vec<usize>, usize) {
    let least = (2 * season + 1).min(n).max((n as f64 * BEFORE).ceil() as usize).max(4);
    let room = n.saturating_sub(least);
    let steps = horizon.min(room);
    let count = match room.checked_div(steps).unwrap_or(0) {
        1 if room >= steps + steps.div_ceil(2) => 2,
        count => count.min(WINDOWS),
    };
    let apart = (room - steps).checked_div(count.saturating_sub(1)).unwrap_or(0).min(steps);
    ((0..count).rev().map(|k| n - steps - k * apart).collect(), steps)
}

impl Trial {
    /// Fits and judges the models that labels describe.
    ///
    /// # Errors
    /// When the user interrupts.
    pub fn of(labels: &[String], series: &Series, horizon: Option<usize>, between: Between) -> Result<Self> {
        let horizon = horizon.unwrap_or_else(|| usual_horizon(series.season));
        let windows = Windows::of(series, horizon);
        let mut said = Vec::with_capacity(labels.len());
        for label in labels {
            progress::check()?;
            said.push(match windows.starts.is_empty() {
                true => Err(Error::model(TOO_SHORT)),
                false => Said::by(label, series, &windows, between),
            });
        }
        Ok(Self { actual: windows.actual(series), starts: windows.starts, said })
    }

    /// The models that have no score although there are windows, and why.
    pub fn without_score(&self, labels: &[String]) -> Vec<(String, String)> {
        if self.starts.is_empty() {
            return Vec::new();
        }
        let why = self.said.iter().zip(labels).filter_map(|(said, label)| Some((label, said.as_ref().err()?)));
        why.map(|(label, why)| (label.clone(), why.to_string())).collect()
    }

    /// Why no model at all has a score.
    pub fn failure(&self) -> Option<&Error> {
        self.said.iter().all(Result::is_err).then(|| self.said.first()?.as_ref().err()).flatten()
    }

    /// Absolute errors of a model over the windows, `skip` left out: their mean, none where nothing can be said.
    fn loss(&self, model: usize, skip: Option<usize>) -> Option<f64> {
        let said = self.said[model].as_ref().ok()?;
        let windows = (0..self.actual.len()).filter(|w| Some(*w) != skip);
        let errors = windows.flat_map(|w| self.actual[w].iter().zip(&said.mean[w]).map(|(y, mean)| (y - mean).abs()));
        let (sum, n) = errors.filter(|e| !e.is_nan()).fold((0.0, 0.0), |(sum, n), e| (sum + e, n + 1.0));
        (n > 0.0 && f64::is_finite(sum)).then(|| sum / n)
    }

    /// Weights of the models: one over the square of their mean absolute error, relative to the best one. All the same
    /// where nothing could be tried.
    pub fn weights(&self) -> Vec<f64> {
        self.weights_without(None)
    }

    fn weights_without(&self, skip: Option<usize>) -> Vec<f64> {
        let losses: Vec<Option<f64>> = (0..self.said.len()).map(|model| self.loss(model, skip)).collect();
        let least = losses.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        if least == f64::INFINITY {
            return vec![1.0; losses.len()];
        }
        let weight = |loss: f64| if loss <= least { 1.0 } else { (least / loss).powi(2) };
        let weights = losses.iter().map(|loss| loss.map_or(0.0, weight));
        weights.map(|weight| if weight < NOTHING { 0.0 } else { weight }).collect()
    }

    /// What happened, and what the weighted combination said of it: mean and standard deviation, window after window and
    /// step after step, each window with the weights that the others give.
    fn combined(&self) -> Vec<Vec<(f64, f64, f64)>> {
        let window = |w: usize| {
            let weights = self.weights_without(Some(w));
            let used: Vec<(&Said, f64)> = self
                .said
                .iter()
                .zip(&weights)
                .filter_map(|(said, weight)| Some((said.as_ref().ok()?, *weight)))
                .collect();
            let total: f64 = used.iter().map(|(_, weight)| weight).sum();
            let of = |pick: &dyn Fn(&Said) -> f64| used.iter().map(|(said, w)| pick(said) * (w / total)).sum::<f64>();
            let steps = self.actual[w].iter().enumerate();
            steps.map(|(step, y)| (*y, of(&|said| said.mean[w][step]), of(&|said| said.sd[w][step]))).collect()
        };
        (0..self.actual.len()).map(window).collect()
    }

    /// Errors of the combination in its own standard deviations: what intervals are calibrated by.
    pub fn errors(&self) -> Vec<Vec<f64>> {
        let error = |(y, mean, sd): &(f64, f64, f64)| {
            let error = (y - mean) / sd;
            if error.is_finite() { error } else { f64::NAN }
        };
        self.combined().iter().map(|window| window.iter().map(error).collect()).collect()
    }

    /// Where counts stood in the negative binomial distributions around the combination, in standard normal deviates: what
    /// the intervals of all such series are calibrated by. `back` says by what a value that the models saw at a place of the
    /// series is multiplied to be one of the data.
    pub fn deviates(&self, back: impl Fn(usize) -> f64) -> Vec<Vec<f64>> {
        let window = |(start, window): (&usize, &Vec<(f64, f64, f64)>)| {
            let cell = |(place, (y, mean, sd)): (usize, &(f64, f64, f64))| {
                let (by, mean) = (back(place), mean.max(0.0));
                match y.is_nan() || !mean.is_finite() || !sd.is_finite() {
                    true => [f64::NAN; 5],
                    false => deviates_around(by * mean, by * sd, (by * y).round()),
                }
            };
            (*start..).zip(window).map(cell).collect::<Vec<[f64; 5]>>()
        };
        let windows = self.starts.iter().zip(&self.combined()).map(window).collect::<Vec<_>>();
        let each = windows.iter().flat_map(|window| (0..5).map(|k| window.iter().map(|of| of[k]).collect()));
        each.collect()
    }
}

impl Windows {
    /// Those that a series has room for.
    fn of(series: &Series, horizon: usize) -> Self {
        let (starts, steps) = windows(series.values.len(), series.season, horizon);
        let covariates = starts.iter().map(|start| series.ahead(*start, steps)).collect();
        Self { starts, steps, covariates }
    }

    /// What happened in each. What cleaning has made of a value says nothing of how well a model forecasts.
    fn actual(&self, series: &Series) -> Vec<Vec<f64>> {
        let happened = |t: usize| if series.mended.get(t) == Some(&true) { f64::NAN } else { series.values[t] };
        self.starts.iter().map(|start| (*start..start + self.steps).map(happened).collect()).collect()
    }
}

impl Said {
    /// # Errors
    /// Why the model has nothing to say of the windows.
    fn by(label: &str, series: &Series, windows: &Windows, between: Between) -> Result<Self> {
        let mut part: Option<Part> = None;
        let (mut mean, mut sd) = (Vec::new(), Vec::new());
        for (start, covariates) in windows.starts.iter().zip(&windows.covariates) {
            let before = first(series, *start);
            let fitted = match part {
                Some(part) if between == Between::Update => part.update(&before)?,
                _ => Part::fit(label, &before)?,
            };
            let covariates = covariates.iter().map(Vec::as_slice).collect();
            let ahead = Ahead { lead: 0, horizon: windows.steps, covariates };
            let means = fitted.fit.mean(&ahead)?;
            // Of steps at which nothing was observed nothing need be known.
            let mut scored = series.values[*start..].iter().zip(&means).filter(|(y, _)| !y.is_nan());
            if scored.any(|(_, mean)| !mean.is_finite()) {
                return Err(Error::model("what it forecasts of the last windows are no numbers"));
            }
            sd.push(fitted.fit.spread(&ahead));
            mean.push(means);
            part = Some(fitted);
        }
        Ok(Self { mean, sd })
    }
}

/// The first `n` steps of a series.
fn first<'a>(series: &'a Series, n: usize) -> Series<'a> {
    let covariates = series.covariates.iter();
    Series {
        values: &series.values[..n],
        covariates: covariates.map(|c| Covariate { values: c.values[..n].into(), ..c.borrowed() }).collect(),
        ..*series
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_leave_room_for_what_is_fitted() {
        assert_eq!(windows(100, 12, 12), (vec![64, 76, 88], 12));
        assert_eq!(windows(130, 52, 13), (vec![105, 117], 13));
        assert_eq!(windows(45, 12, 12), (vec![25, 33], 12));
        assert_eq!(windows(60, 12, 12), (vec![36, 48], 12));
        assert_eq!(windows(30, 12, 12), (vec![25], 5));
        assert_eq!(windows(14, 1, 8), (vec![7], 7));
        assert_eq!(windows(25, 12, 12), (vec![], 0));
        assert_eq!(windows(3, 1, 8), (vec![], 0));
    }

    #[test]
    fn the_model_that_is_right_has_the_weight() {
        let values: Vec<f64> = (0..60).map(|t| f64::from(t) * 2.0 + 5.0).collect();
        let series = Series::of(&values, 0, 1);
        let trial = Trial::of(&["naive".into(), "drift".into()], &series, None, Between::Update).unwrap();
        assert_eq!(trial.weights(), [0.0, 1.0]);
    }
}
