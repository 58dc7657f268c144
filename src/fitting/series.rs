//! One series at a time: what a local model implements, and what it is given.

use std::borrow::Cow;

use super::distribution::Support;
use super::{BoxCox, Description, Quantiles, Save, Season, Windows};
use crate::error::{Error, Result};
use crate::panel::{Assumptions, Frequency, Role};

/// Fits one series; an adapter makes it a [`Forecaster`](super::Forecaster).
pub trait SeriesModel: Send + Sync {
    /// Does it read covariates? Their future values are then required.
    fn reads_covariates(&self) -> bool {
        false
    }

    /// The Box-Cox transformation to apply to its series: the model then sees transformed values, and its forecasts are
    /// back-transformed with the bias of the mean adjusted.
    fn box_cox(&self) -> Option<BoxCox> {
        None
    }

    /// Are some of its options values of the series (a ceiling)? They have no meaning on a transformed scale.
    fn has_options_in_data_units(&self) -> bool {
        false
    }

    /// Does its fit depend on the scenario of observed covariates, because it validates forecasts on windows of the past?
    fn depends_on_scenario(&self) -> bool {
        false
    }

    /// Fits one series.
    ///
    /// # Errors
    /// When the series cannot be fitted: too short, too few complete rows.
    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>>;

    /// What are forecasts of a series with these values kept within?
    fn support(&self, _values: &[f64]) -> Support {
        Support::Numbers
    }

    /// Which series does it give the seasonal pattern of others?
    fn pooling(&self) -> Pooling {
        Pooling::None
    }

    /// Are its intervals calibrated by errors of all series?
    fn is_calibrated(&self) -> bool {
        false
    }

    /// Fits one series, given the seasonal indices of others.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    fn fit_with_season(&self, series: &Series, _pooled: &Season) -> Result<Box<dyn FittedSeries>> {
        self.fit(series)
    }
}

/// Which series are given the seasonal pattern of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// None.
    None,
    /// Those that are too short to estimate seasonal indices of their own.
    Short,
    /// Every series; of this season, if another than that of the panel.
    Every(Option<usize>),
}

/// One fitted series.
pub trait FittedSeries: Save + Send + Sync {
    /// The mean of each step, `horizon` values.
    ///
    /// # Errors
    /// When a step cannot be computed.
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>>;

    /// The standard deviation of the forecast error of each step, `horizon` values.
    fn std_dev(&self, ahead: &Ahead) -> Vec<f64>;

    /// The quantiles of each step, standardised by mean and standard deviation, where the predictive distribution is not
    /// normal.
    fn quantiles(&self, _ahead: &Ahead) -> Option<Quantiles> {
        None
    }

    /// In-sample one-step innovations, one per training value, NaN where there is none: errors, or relative errors for a model
    /// with multiplicative errors.
    fn residuals(&self) -> &[f64];

    /// Calibration scores: out-of-sample errors on held-out windows, standardised by the model's own standard deviation
    /// (non-normal models: PIT values mapped to N(0, 1)). One `Vec` per window, one value per step; empty without a hold-out.
    fn calibration_scores(&self) -> &[Vec<f64>] {
        &[]
    }

    /// Is its predictive distribution one of counts? Those are calibrated separately.
    fn is_count(&self) -> bool {
        false
    }

    /// Are its intervals adaptive: scaled by the errors of this series, beyond the calibration over all series?
    fn is_adaptive(&self) -> bool {
        false
    }

    /// Takes out of the fit what it would have forecast for the windows that the series names, where it knows that.
    fn take_held_out(&mut self) -> Vec<WindowForecast> {
        Vec::new()
    }

    /// What was chosen and estimated.
    fn describe(&self) -> Description {
        Description::default()
    }

    /// The same parameters on a longer series: states are filtered to its end, nothing is estimated again.
    ///
    /// # Errors
    /// When the series cannot be updated.
    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>>;

    /// Simulates into `path` (`horizon` values) the path that the one-step innovations `shocks` (`lead + horizon` values) lead
    /// to; by default independent errors around the mean.
    fn simulate(&self, ahead: &Ahead, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        for ((cell, mean), shock) in path.iter_mut().zip(mean).zip(&shocks[ahead.lead..]) {
            *cell = mean + shock;
        }
    }
}

/// What a fit would have forecast for a window at the end of its series from the values before the window alone.
pub struct WindowForecast {
    /// The first step of the window in the series.
    pub start: usize,
    /// The mean of each step.
    pub mean: Vec<f64>,
    /// The standard deviation of each step.
    pub sd: Vec<f64>,
    /// The standardised quantiles, if the distribution is not normal.
    pub quantiles: Option<Quantiles>,
}

/// One series as a model sees it: every calendar step from the first to the last value.
pub struct Series<'a> {
    /// The target, NaN where it is missing.
    pub values: &'a [f64],
    /// The calendar position of the first value.
    pub start: i64,
    /// Steps in a season.
    pub season: usize,
    /// The calendar that positions count on.
    pub frequency: Frequency,
    /// The covariate columns, for models that read them.
    pub covariates: Vec<Covariate<'a>>,
    /// The scenario of covariates that are not known ahead.
    pub assumptions: Option<&'a Assumptions>,
    /// Where cleaning replaced the value: such steps are not scored. Empty where nothing was cleaned.
    pub mended: &'a [bool],
    /// The windows at its end that an ensemble wants forecasts of.
    pub windows: Option<Windows>,
}

impl<'a> Series<'a> {
    /// A series of integer steps without covariates.
    pub fn of(values: &'a [f64], start: i64, season: usize) -> Self {
        Self {
            values,
            start,
            season,
            frequency: Frequency::STEPS,
            covariates: Vec::new(),
            assumptions: None,
            mended: &[],
            windows: None,
        }
    }
}

impl Series<'_> {
    /// The covariates of `steps` steps from the step `at` on, as they are available to a forecast with this origin. Without a
    /// scenario, observed ones keep their last value.
    pub fn ahead(&self, at: usize, steps: usize) -> Vec<Vec<f64>> {
        let columns: Vec<&[f64]> = self.covariates.iter().map(|column| &*column.values).collect();
        if let Some(assumptions) = self.assumptions {
            return assumptions.window(&columns, self.start, at, steps);
        }
        let last = |column: &[f64]| column[..at].iter().rev().copied().find(|v| !v.is_nan()).unwrap_or(f64::NAN);
        let ahead = |column: &Covariate| match column.role {
            Role::Observed => vec![last(&column.values); steps],
            _ => column.values[at..at + steps].to_vec(),
        };
        self.covariates.iter().map(ahead).collect()
    }
}

/// A covariate column of one series.
pub struct Covariate<'a> {
    /// Its name: the panel's column, or `Type=A` for one category of a text column.
    pub name: &'a str,
    /// Whether it is known ahead.
    pub role: Role,
    /// One value per step of the series, NaN where it is missing.
    pub values: Cow<'a, [f64]>,
}

impl Covariate<'_> {
    /// The same column, borrowed.
    pub fn borrowed(&self) -> Covariate<'_> {
        Covariate { name: self.name, role: self.role, values: Cow::Borrowed(&*self.values) }
    }

    /// Is it not constant?
    pub(crate) fn varies(&self) -> bool {
        let mut there = self.values.iter().filter(|value| !value.is_nan());
        there.next().is_some_and(|first| there.any(|value| value != first))
    }
}

/// The steps to forecast: `horizon` of them, after a gap of `lead` steps.
pub struct Ahead<'a> {
    /// Steps between the last value and the first forecast.
    pub lead: usize,
    /// Steps to forecast.
    pub horizon: usize,
    /// The covariate columns in the order of [`Series::covariates`], `horizon` values each.
    pub covariates: Vec<&'a [f64]>,
}

impl Ahead<'_> {
    /// The steps ahead, counted from the last value: `lead + 1` to `lead + horizon`.
    pub fn steps(&self) -> impl Iterator<Item = usize> {
        self.lead + 1..=self.lead + self.horizon
    }
}

/// Index and value of the last value that is not missing.
pub(crate) fn last_observed(values: &[f64]) -> Result<(usize, f64)> {
    let last = values.iter().rposition(|v| !v.is_nan());
    last.map(|at| (at, values[at])).ok_or_else(|| Error::model("the series has no values"))
}

/// Differences at lag `lag`, one per value, NaN where either end is missing.
pub(crate) fn changes(values: &[f64], lag: usize) -> Vec<f64> {
    (0..values.len()).map(|t| t.checked_sub(lag).map_or(f64::NAN, |before| values[t] - values[before])).collect()
}

/// The residual standard error: the root of the summed squares over their number less the parameters estimated.
pub(crate) fn root_mean_square(errors: &[f64], parameters: usize, needs: &str) -> Result<f64> {
    let observed: Vec<f64> = errors.iter().copied().filter(|e| !e.is_nan()).collect();
    if observed.len() <= parameters {
        return Err(Error::model(needs));
    }
    Ok((observed.iter().map(|e| e * e).sum::<f64>() / (observed.len() - parameters) as f64).sqrt())
}
