//! One series at a time: what a local model implements, and what it is given.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::kinds::Kind;
use super::{Quantiles, Season, encode};
use crate::error::{Error, Result};
use crate::panel::{Assumptions, Frequency, Role};

/// Fits one series; an adapter makes it a [`Forecaster`](super::Forecaster).
pub trait SeriesModel: Send + Sync {
    /// Does it read covariates? Their future values are then demanded.
    fn reads_covariates(&self) -> bool {
        false
    }

    /// The Box-Cox transformation that the model wants its series put through: it then sees transformed values, and its
    /// forecasts are brought back with the bias of the mean adjusted, without the model knowing of it.
    fn box_cox(&self) -> Option<BoxCox> {
        None
    }

    /// Do its options state values of the series (a ceiling)? They have no meaning where a model sees the values on another
    /// scale.
    fn states_values(&self) -> bool {
        false
    }

    /// Does its fit depend on what forecasts assume of observed covariates, because it tries itself on windows of the past?
    fn minds_scenario(&self) -> bool {
        false
    }

    /// Fits one series.
    ///
    /// # Errors
    /// When the series cannot be served: too short, too few complete rows.
    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>>;

    /// Does it want the season of its siblings for a series that is too short to show its own?
    fn asks_siblings(&self) -> bool {
        false
    }

    /// Fits one series that is too short for a season of its own, given that of its siblings.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    fn fit_with(&self, series: &Series, _siblings: &Season) -> Result<Box<dyn FittedSeries>> {
        self.fit(series)
    }
}

/// One fitted series.
pub trait FittedSeries: Save + Send + Sync {
    /// The mean of each step, `horizon` values.
    ///
    /// # Errors
    /// When a step cannot be computed.
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>>;

    /// The standard deviation of the forecast error of each step, `horizon` values.
    fn spread(&self, ahead: &Ahead) -> Vec<f64>;

    /// How far from the mean the quantiles of each step lie, where the model's own distribution is not normal.
    fn quantiles(&self, _ahead: &Ahead) -> Option<Quantiles> {
        None
    }

    /// In-sample one-step innovations, one per training value, NaN where there is none: errors, or, for a model whose
    /// errors are relative, shares of the forecast.
    fn residuals(&self) -> &[f64];

    /// How far the method was off on windows that its fit did not see, in its own standard deviations (for another
    /// distribution than the normal one, where the values stood in it, as standard normal deviates), window after window and
    /// step after step: what the intervals of all series are calibrated by. None for a method that did not try itself.
    fn tried(&self) -> &[Vec<f64>] {
        &[]
    }

    /// Are its values counts? Those are calibrated among themselves.
    fn counts(&self) -> bool {
        false
    }

    /// Are the intervals to follow the errors of this series, beyond those of all series?
    fn adapts(&self) -> bool {
        false
    }

    /// What the fit came to.
    fn describe(&self) -> Description {
        Description::default()
    }

    /// The same parameters on a longer series: states are brought up to its end, nothing is estimated anew.
    ///
    /// # Errors
    /// When the series cannot be served.
    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>>;

    /// Writes to `path` (`horizon` values) what the one-step errors `shocks` (`lead + horizon` values) lead to.
    /// Independent errors around the mean unless a model knows better.
    fn simulate(&self, ahead: &Ahead, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        for ((cell, mean), shock) in path.iter_mut().zip(mean).zip(&shocks[ahead.lead..]) {
            *cell = mean + shock;
        }
    }
}

/// A value that can be kept in a file; every serde type is one.
pub trait Save {
    /// The value as bytes.
    ///
    /// # Errors
    /// When it cannot be encoded.
    fn save(&self) -> Result<Vec<u8>>;
}

impl<T: Serialize> Save for T {
    fn save(&self) -> Result<Vec<u8>> {
        encode(self)
    }
}

/// What [`MODELS`](super::MODELS) needs to know of a method; its options struct implements it.
pub trait Method: Clone + Default + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The name in labels: lower case, words joined by underscores.
    const NAME: &str;
    /// One line.
    const SUMMARY: &str;
    /// A label that works on the bundled data.
    const EXAMPLE: &str;
    /// Other names of the same method, separated by commas: they are served.
    const ALSO: &str = "";
    /// Names of methods that are not here and come closest to this one, separated by commas, and why.
    const SIMILAR: &[(&str, &str)] = &[];
    /// The search space: options worth tuning and the values worth trying, as labels write them, or one range: `7..127 log`.
    const SEARCH: &[(&str, &[&str])] = &[];
    /// Does it fit each series by itself ([`EachSeries`](super::EachSeries)) or all together
    /// ([`AcrossSeries`](super::AcrossSeries), [`WholePanel`](super::WholePanel))?
    type Kind: Kind<Self>;
    /// The fitted form, which saved files hold: a [`FittedSeries`], or a [`Learnt`](super::Learnt).
    type Fitted: 'static;

    /// Checks that the options make sense together.
    ///
    /// # Errors
    /// When one does not, naming it.
    fn check(&self) -> Result<()> {
        Ok(())
    }
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
    /// What forecasts assume of covariates that nobody knows ahead.
    pub assumptions: Option<&'a Assumptions>,
    /// Where the value is what cleaning made of it: nothing is judged by that. Empty where nothing was cleaned.
    pub mended: &'a [bool],
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
        }
    }
}

impl Series<'_> {
    /// The covariates of `steps` steps from the step `at` on, as a forecast made before them would have them. Without
    /// assumptions, observed ones keep their last value.
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
    /// Its name: that of the panel's column, or `Type=A` for one category of a column of texts.
    pub name: &'a str,
    /// What may be known of it.
    pub role: Role,
    /// One value per step of the series, NaN where it is missing.
    pub values: Cow<'a, [f64]>,
}

impl Covariate<'_> {
    /// The same column, borrowed.
    pub fn borrowed(&self) -> Covariate<'_> {
        Covariate { name: self.name, role: self.role, values: Cow::Borrowed(&*self.values) }
    }

    /// Has it two values that differ?
    pub(super) fn varies(&self) -> bool {
        let mut there = self.values.iter().filter(|value| !value.is_nan());
        there.next().is_some_and(|first| there.any(|value| value != first))
    }
}

/// The steps to forecast: `horizon` of them, after `lead` steps that nobody asked for.
pub struct Ahead<'a> {
    /// Steps between the last value and the first forecast.
    pub lead: usize,
    /// Steps to forecast.
    pub horizon: usize,
    /// The covariate columns in the order of [`Series::covariates`], `horizon` values each.
    pub covariates: Vec<&'a [f64]>,
}

impl Ahead<'_> {
    /// How far ahead each step is, counted from the last value: `lead + 1` to `lead + horizon`.
    pub fn steps(&self) -> impl Iterator<Item = usize> {
        self.lead + 1..=self.lead + self.horizon
    }
}

/// The power of a Box-Cox transformation: a number, or `auto` for the one that Guerrero's method finds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a number, or `auto`")]
pub enum BoxCox {
    /// This power λ; 0 is the logarithm, 1 changes nothing but the origin.
    Lambda(f64),
    /// Estimated.
    Named(Auto),
}

/// What stands for an estimated value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Auto {
    /// Estimated from the series.
    Auto,
}

impl BoxCox {
    /// The power, none where it is to be estimated.
    pub fn lambda(self) -> Option<f64> {
        match self {
            Self::Lambda(lambda) => Some(lambda),
            Self::Named(Auto::Auto) => None,
        }
    }
}

pub(super) fn check_box_cox(box_cox: Option<BoxCox>) -> Result<()> {
    match box_cox {
        Some(BoxCox::Lambda(lambda)) if !(-2.0..=2.0).contains(&lambda) => {
            Err(Error::usage(format!("a Box-Cox power lies between -2 and 2, not at {lambda}")))
        }
        _ => Ok(()),
    }
}

/// What a fit came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The form that was chosen, as the field writes it: `ETS(M,Ad,M)`; empty where there is nothing to choose.
    pub form: String,
    /// Estimated parameters by their usual names.
    pub parameters: Vec<(String, f64)>,
    /// How likely the series is under the model.
    pub likelihood: Option<Likelihood>,
    /// Autocorrelations that the fit has used up: what a portmanteau test has to subtract from its degrees of freedom.
    pub lost: usize,
    /// What could not take part in the choice, and why.
    pub remarks: Vec<String>,
}

/// The likelihood of a series under a fitted model, on the model's scale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Likelihood {
    /// The logarithm of the likelihood.
    pub log: f64,
    /// Parameters estimated, the variance among them.
    pub parameters: usize,
    /// Values that the likelihood is of.
    pub observations: usize,
}

impl Likelihood {
    /// Akaike's information criterion.
    pub fn aic(&self) -> f64 {
        2.0 * self.parameters as f64 - 2.0 * self.log
    }

    /// Akaike's criterion corrected for short series; infinite where there are too few values for the parameters.
    pub fn aicc(&self) -> f64 {
        let (k, n) = (self.parameters as f64, self.observations as f64);
        if n - k - 1.0 > 0.0 { self.aic() + 2.0 * k * (k + 1.0) / (n - k - 1.0) } else { f64::INFINITY }
    }

    /// Schwarz's (Bayesian) information criterion.
    pub fn bic(&self) -> f64 {
        self.parameters as f64 * (self.observations as f64).ln() - 2.0 * self.log
    }
}

/// What models of one series are judged by: less is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Criterion {
    /// Akaike's, corrected for short series.
    #[default]
    Aicc,
    /// Akaike's.
    Aic,
    /// Schwarz's.
    Bic,
}

impl Criterion {
    /// Its value; less is better.
    pub(crate) fn of(self, likelihood: &Likelihood) -> f64 {
        match self {
            Self::Aicc => likelihood.aicc(),
            Self::Aic => likelihood.aic(),
            Self::Bic => likelihood.bic(),
        }
    }
}

pub(super) fn check_season(season: Option<usize>) -> Result<()> {
    match season {
        Some(0) => Err(Error::usage("a season is at least 1 step, not 0; 1 means no season")),
        _ => Ok(()),
    }
}

/// Index and value of the last value that is not missing.
pub(super) fn last_observed(values: &[f64]) -> Result<(usize, f64)> {
    let last = values.iter().rposition(|v| !v.is_nan());
    last.map(|at| (at, values[at])).ok_or_else(|| Error::model("the series has no values"))
}

/// Changes over `lag` steps, one per value, NaN where either end is missing.
pub(super) fn changes(values: &[f64], lag: usize) -> Vec<f64> {
    (0..values.len()).map(|t| t.checked_sub(lag).map_or(f64::NAN, |before| values[t] - values[before])).collect()
}

/// The root of the summed squares over their number less the parameters estimated.
pub(super) fn root_mean_square(errors: &[f64], parameters: usize, needs: &str) -> Result<f64> {
    let observed: Vec<f64> = errors.iter().copied().filter(|e| !e.is_nan()).collect();
    if observed.len() <= parameters {
        return Err(Error::model(needs));
    }
    Ok((observed.iter().map(|e| e * e).sum::<f64>() / (observed.len() - parameters) as f64).sqrt())
}
