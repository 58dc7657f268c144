//! Rolling validation within one series, for methods that select, weight or calibrate others.
//!
//! Where many models are compared, each is fitted once, before the first window, and updated without refit before each later
//! one: its parameters are independent of the windows, and the validation costs one more fit. For the calibration of intervals
//! the model is refitted before each window, at the same distance from its data as a forecast.
//!
//! Covariates are treated as in forecasts: those known ahead are known, observed ones follow the scenario from the values before
//! the window alone. A model that cannot forecast the windows has no score, and the fit remarks on it with the reason.

use super::FittedComponent;
use super::plausible::Plausible;
use crate::error::{Error, Result};
use crate::fitting::{self, default_horizon};
use crate::models::intermittent::pit_scores;
use crate::models::{Ahead, Covariate, Series, WindowForecast};
use crate::progress;

/// Validation windows where the series is long enough for them.
const WINDOWS: usize = 3;
/// The smallest fraction of a series before the first window.
const BEFORE: f64 = 0.5;
/// Why no model can be validated.
const TOO_SHORT: &str = "the series is too short for validation windows";
/// The squared ratio of errors below which a model gets no weight beside the best one.
const MIN_WEIGHT: f64 = 0.01;

/// Is a model fitted again before each window?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Refit {
    /// No: its states are updated, its parameters stay.
    Never,
    /// Yes.
    EachWindow,
}

/// Out-of-sample forecasts of the windows at the end of a series.
pub(super) struct RollingValidation {
    /// Where each window starts in the series.
    starts: Vec<usize>,
    /// The actual values, by window and step.
    actual: Vec<Vec<f64>>,
    /// The forecasts of each model, or why there are none.
    forecasts: Vec<Result<Forecasts>>,
    /// Are the windows those that somebody asked for?
    asked: bool,
    /// Which models are not worth their time.
    losers: Vec<bool>,
}

/// The windows at the end of a series.
struct Windows {
    starts: Vec<usize>,
    steps: usize,
    asked: bool,
    /// By window and column: the covariates as they are available to a forecast made before the window.
    covariates: Vec<Vec<Vec<f64>>>,
}

/// Means and standard deviations, by window and step.
struct Forecasts {
    mean: Vec<Vec<f64>>,
    sd: Vec<Vec<f64>>,
}

/// The windows that a series of `n` values has room for: where each starts, and how many steps it has. Two may overlap by
/// half: a single one would be one moment of the calendar, with no other to give it weights.
fn windows(n: usize, season: usize, horizon: usize) -> (Vec<usize>, usize) {
    let least = least(n, season).max((n as f64 * BEFORE).ceil() as usize);
    let room = n.saturating_sub(least);
    let steps = horizon.min(room);
    let count = match room.checked_div(steps).unwrap_or(0) {
        1 if room >= steps + steps.div_ceil(2) => 2,
        count => count.min(WINDOWS),
    };
    let apart = (room - steps).checked_div(count.saturating_sub(1)).unwrap_or(0).min(steps);
    ((0..count).rev().map(|k| n - steps - k * apart).collect(), steps)
}

/// The least history that a model is fitted to, of a series of `n` values: two seasons, where there are as many.
fn least(n: usize, season: usize) -> usize {
    (2 * season + 1).min(n).max(4)
}

impl RollingValidation {
    /// Fits the models that labels describe, and forecasts the windows.
    ///
    /// # Errors
    /// When the user interrupts.
    pub fn of(labels: &[String], series: &Series, horizon: Option<usize>, refit: Refit) -> Result<Self> {
        let horizon = horizon.unwrap_or_else(|| default_horizon(series.season));
        let windows = Windows::of(series, horizon);
        let mut forecasts = Vec::with_capacity(labels.len());
        for label in labels {
            progress::check()?;
            forecasts.push(if windows.starts.is_empty() {
                Err(Error::model(TOO_SHORT))
            } else {
                Forecasts::by(label, series, &windows, refit)
            });
        }
        let (losers, actual) = (vec![false; labels.len()], windows.actual(series));
        Ok(Self { actual, starts: windows.starts, forecasts, asked: windows.asked, losers })
    }

    /// Takes the weight of dear models that would have less than half of that of the best: they need not be fitted again.
    pub fn drop_losers(&mut self, dear: &[bool]) {
        let weights = self.weights();
        let most = weights.iter().copied().fold(0.0, f64::max);
        self.losers = weights.iter().zip(dear).map(|(weight, dear)| *dear && *weight < most / 2.0).collect();
    }

    /// The models that have no score although there are windows, and why.
    pub fn without_score(&self, labels: &[String]) -> Vec<(String, String)> {
        if self.starts.is_empty() {
            return Vec::new();
        }
        let both = self.forecasts.iter().zip(labels);
        let why = both.filter_map(|(forecasts, label)| Some((label, forecasts.as_ref().err()?)));
        why.map(|(label, why)| (label.clone(), why.to_string())).collect()
    }

    /// Why no model at all has a score.
    pub fn failure(&self) -> Option<&Error> {
        self.forecasts.iter().all(Result::is_err).then(|| self.forecasts.first()?.as_ref().err()).flatten()
    }

    /// The mean absolute error of a model over the windows except `skip`; none without a score.
    fn loss(&self, model: usize, skip: Option<usize>) -> Option<f64> {
        let forecasts = self.forecasts[model].as_ref().ok()?;
        let windows = (0..self.actual.len()).filter(|w| Some(*w) != skip);
        let errors =
            windows.flat_map(|w| self.actual[w].iter().zip(&forecasts.mean[w]).map(|(y, mean)| (y - mean).abs()));
        let (sum, n) = errors.filter(|e| !e.is_nan()).fold((0.0, 0.0), |(sum, n), e| (sum + e, n + 1.0));
        (n > 0.0 && f64::is_finite(sum)).then(|| sum / n)
    }

    /// The weights of the models: the inverse square of their mean absolute error, relative to the best one. Equal weights
    /// where no model has a score.
    pub fn weights(&self) -> Vec<f64> {
        self.weights_without(None)
    }

    fn weights_without(&self, skip: Option<usize>) -> Vec<f64> {
        let losses: Vec<Option<f64>> = (0..self.forecasts.len()).map(|model| self.loss(model, skip)).collect();
        let least = losses.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        if least == f64::INFINITY {
            return vec![1.0; losses.len()];
        }
        let weight = |loss: f64| if loss <= least { 1.0 } else { (least / loss).powi(2) };
        let weights = losses.iter().map(|loss| loss.map_or(0.0, weight)).zip(&self.losers);
        weights.map(|(weight, loses)| if weight < MIN_WEIGHT || *loses { 0.0 } else { weight }).collect()
    }

    /// Actual value, mean and standard deviation of the weighted combination, by window and step; the weights of a window come
    /// from the other windows.
    fn combined(&self) -> Vec<Vec<(f64, f64, f64)>> {
        let window = |w: usize| {
            let weights = self.weights_without(Some(w));
            let both = self.forecasts.iter().zip(&weights);
            let used: Vec<(&Forecasts, f64)> =
                both.filter_map(|(forecasts, weight)| Some((forecasts.as_ref().ok()?, *weight))).collect();
            let total: f64 = used.iter().map(|(_, weight)| weight).sum();
            let of =
                |pick: &dyn Fn(&Forecasts) -> f64| used.iter().map(|(one, w)| pick(one) * (w / total)).sum::<f64>();
            let steps = self.actual[w].iter().enumerate();
            steps.map(|(step, y)| (*y, of(&|one| one.mean[w][step]), of(&|one| one.sd[w][step]))).collect()
        };
        (0..self.actual.len()).map(window).collect()
    }

    /// The forecasts of the combination for each window that was asked for, with the first step of the window.
    pub fn held_out(&self) -> Vec<WindowForecast> {
        let both = self.starts.iter().zip(self.combined()).filter(|_| self.asked);
        let forecast = |(start, steps): (&usize, Vec<(f64, f64, f64)>)| {
            let (mean, sd) = steps.into_iter().map(|(_, mean, sd)| (mean, sd)).unzip();
            WindowForecast { start: *start, mean, sd, quantiles: None }
        };
        both.map(forecast).collect()
    }

    /// The calibration scores of the combination: its errors standardised by its own standard deviations.
    pub fn scores(&self) -> Vec<Vec<f64>> {
        let error = |(y, mean, sd): &(f64, f64, f64)| {
            let error = (y - mean) / sd;
            if error.is_finite() { error } else { f64::NAN }
        };
        self.combined().iter().map(|window| window.iter().map(error).collect()).collect()
    }

    /// The calibration scores of counts: PIT values of the negative binomial distributions around the combination, mapped to
    /// N(0, 1). `back(t)` is the factor that returns a value at step `t` to the data scale.
    pub fn count_scores(&self, back: impl Fn(usize) -> f64) -> Vec<Vec<f64>> {
        let window = |(start, window): (&usize, &Vec<(f64, f64, f64)>)| {
            let cell = |(place, (y, mean, sd)): (usize, &(f64, f64, f64))| {
                let (by, mean) = (back(place), mean.max(0.0));
                if y.is_nan() || !mean.is_finite() || !sd.is_finite() {
                    [f64::NAN; 5]
                } else {
                    pit_scores(by * mean, by * sd, (by * y).round())
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
    /// The windows that fit into a series: those that it names, if it has room for the last of them.
    fn of(series: &Series, horizon: usize) -> Self {
        let (n, season) = (series.values.len(), series.season);
        let asked = series.windows.map_or_else(Vec::new, |windows| {
            windows.starts(n).flatten().filter(|start| *start >= least(n, season)).collect()
        });
        let is_asked = !asked.is_empty();
        let (starts, steps) = match series.windows {
            Some(fitting::Windows { steps, .. }) if is_asked => (asked, steps),
            _ => windows(n, season, horizon),
        };
        let covariates = starts.iter().map(|start| series.ahead(*start, steps)).collect();
        Self { starts, steps, asked: is_asked, covariates }
    }

    /// The actual values of each; values that cleaning replaced are not scored.
    fn actual(&self, series: &Series) -> Vec<Vec<f64>> {
        let actual = |t: usize| if series.mended.get(t) == Some(&true) { f64::NAN } else { series.values[t] };
        self.starts.iter().map(|start| (*start..start + self.steps).map(actual).collect()).collect()
    }
}

impl Forecasts {
    /// # Errors
    /// Why the model cannot forecast the windows.
    fn by(label: &str, series: &Series, windows: &Windows, refit: Refit) -> Result<Self> {
        let mut component: Option<FittedComponent> = None;
        let (mut mean, mut sd) = (Vec::new(), Vec::new());
        let plausible = Plausible::after(series.values);
        for (start, covariates) in windows.starts.iter().zip(&windows.covariates) {
            let before = first(series, *start);
            let fitted = match component {
                Some(component) if refit == Refit::Never => component.update(&before)?,
                _ => FittedComponent::fit(label, &before)?,
            };
            let covariates = covariates.iter().map(Vec::as_slice).collect();
            let ahead = Ahead { lead: 0, horizon: windows.steps, covariates };
            let means = fitted.fit.mean(&ahead)?;
            // Steps without an observation need no forecast.
            let mut scored = series.values[*start..].iter().zip(&means).filter(|(y, _)| !y.is_nan());
            if scored.any(|(_, mean)| !mean.is_finite()) {
                return Err(Error::model("its forecasts of the validation windows are not finite"));
            }
            let sds = fitted.fit.std_dev(&ahead);
            if !plausible.holds(&means, &sds) {
                return Err(Error::model(
                    "its forecasts of the validation windows are far beyond the range of the series",
                ));
            }
            sd.push(sds);
            mean.push(means);
            component = Some(fitted);
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
    fn the_model_without_errors_gets_the_weight() {
        let values: Vec<f64> = (0..60).map(|t| f64::from(t) * 2.0 + 5.0).collect();
        let series = Series::of(&values, 0, 1);
        let validation = RollingValidation::of(&["naive".into(), "drift".into()], &series, None, Refit::Never).unwrap();
        assert_eq!(validation.weights(), [0.0, 1.0]);
    }
}
