//! `auto`: what a careful forecaster would do with a series that nobody has time to look at.
//!
//! 1. **Candidates.** A series that is asked for seldom (mean interval above 1.32 steps) gets the methods for intermittent
//!    demand beside the plain ones; any other the classical methods, with every season that it holds more than twice: seasons
//!    up to a dozen steps inside the models, longer ones taken out by MSTL. Where covariates are given, `regression` and
//!    `arima` use them, unless `regressors=false`. What would take longer than `budget` allows is left out, dearest first; the costs are estimated from
//!    length and season, not measured, so that the choice is the same on every machine.
//! 2. **Trial.** Each candidate forecasts the last windows of the series (three where there is room), fitted to what lies before
//!    the first one, with covariates as forecasts have them: observed ones follow the scenario. One that cannot is named in the
//!    form and in the remarks.
//! 3. **Weights.** One over the squared mean absolute error, relative to the best candidate (Bates & Granger 1969, *Operational
//!    Research Quarterly* 20, with absolute errors); below a hundredth, none. A series too short for a trial gets equal weights.
//! 4. **Siblings.** A series of at most two seasons has the season of its siblings taken out first and put back at the end
//!    (see `siblings`), where the panel has longer series whose seasons agree.
//! 5. **Forecast.** All candidates with weight, fitted to the whole series, combined. Intervals come from how far the
//!    combination was off in the trials of all series, step by step (as for `conformal`): what stands beside a series, in the panel
//!    or in a chunk of a stream, moves its intervals, and its means only by the season that siblings lend. Quantiles of counts are
//!    counts; where few are sold in a step, those of a negative binomial distribution, calibrated likewise.
//!
//! Weights of this kind, the candidates and the windows were chosen on the training parts of M3, M4, M5, Walmart and Rossmann
//! samples, as `reports/accuracy/auto.md` tells. The form names what was chosen and with what weight.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::combine::FittedCombine;
use super::intermittent::quantiles_around;
use super::marginal::Support;
use super::trial::{Between, Trial};
use super::{Ahead, Covariate, Description, Entry, FittedSeries, Method, Quantiles, Season, Series, SeriesModel};
use crate::error::{Error, Result};
use crate::panel::Role;
use crate::statistics::{Demand, DemandClass};

/// Options of `auto`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Automatic {
    /// The labels of the candidates; chosen by what the series is like if not stated.
    pub models: Vec<String>,
    /// Steps in each season to try, such as `[24, 168]`; the panel's season if not stated.
    pub seasons: Vec<usize>,
    /// Steps ahead that candidates are judged by; a season if not stated, a quarter of one above 47 steps, 8 without one.
    pub horizon: Option<usize>,
    /// Are candidates tried that read covariates? Their future must then be known.
    pub regressors: bool,
    /// Does a series too short to show its season get that of its siblings?
    pub siblings: bool,
    /// Do small whole numbers get a distribution over counts?
    pub counts: bool,
    /// Milliseconds that the fit of a series may take, by a rough estimate.
    pub budget: f64,
}

impl Default for Automatic {
    fn default() -> Self {
        Self {
            models: Vec::new(),
            seasons: Vec::new(),
            horizon: None,
            regressors: true,
            siblings: true,
            counts: true,
            budget: 1000.0,
        }
    }
}

impl Method for Automatic {
    const NAME: &str = "auto";
    const SUMMARY: &str = "The default: candidates tried on the end of each series and combined by how well they did";
    const EXAMPLE: &str = "auto";
    const ALSO: &str = "automatic";
    const SIMILAR: &[(&str, &str)] =
        &[("automl, autogluon, autots", "it tries candidates on the end of each series and combines the best")];
    const SEARCH: &[(&str, &[&str])] =
        &[("siblings", &["true", "false"]), ("counts", &["true", "false"]), ("regressors", &["true", "false"])];
    type Kind = super::EachSeries;
    type Fitted = FittedAutomatic;

    fn check(&self) -> Result<()> {
        if !(self.budget > 0.0 && self.budget.is_finite()) {
            return Err(Error::usage(format!("`budget` is a number of milliseconds above 0, not {}", self.budget)));
        }
        if self.horizon == Some(0) {
            return Err(Error::usage("`horizon` is at least 1 step, not 0"));
        }
        self.seasons.iter().try_for_each(|season| super::check_season(Some(*season)))?;
        super::combine::check(&self.models)
    }
}

/// Seasons up to this many steps are left to the models.
const SHORT: usize = 12;
/// Whole numbers below this mean have quantiles that are whole.
const COUNTED: f64 = 30.0;
/// Whole numbers below this mean get the negative binomial distribution; above, a rounded number says as much (the loss of
/// quantiles inside the training part of monthly M5 is 6 % less below 2, the same at 4 and 5 % more at 16).
const FEW: f64 = 4.0;

/// What values a series has.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Values {
    Numbers,
    /// Counts, many in a step.
    Many,
    /// Counts, few in a step.
    Few,
}

impl Values {
    fn of(observed: &[f64]) -> Self {
        let mean = observed.iter().sum::<f64>() / observed.len() as f64;
        match observed.iter().all(|y| *y >= 0.0 && y.fract() == 0.0) {
            true if mean < FEW => Self::Few,
            true if mean < COUNTED => Self::Many,
            _ => Self::Numbers,
        }
    }
}

impl Automatic {
    /// The candidates for a series, with the milliseconds that a fit would take.
    fn candidates(&self, series: &Series, observed: &[f64]) -> Vec<(String, f64)> {
        let n = series.values.len();
        let asked = if self.seasons.is_empty() { vec![series.season] } else { self.seasons.clone() };
        let mut seasons: Vec<usize> = asked.into_iter().filter(|season| *season > 1 && n > 2 * season).collect();
        seasons.sort_unstable();
        seasons.dedup();
        let inner = seasons.first().copied().filter(|season| *season <= SHORT).unwrap_or(1);
        let longest = seasons.last().copied().unwrap_or(1);
        let length = n as f64;
        let mut list: Vec<(String, f64)> = Vec::new();
        let mut add = |label: String, cost: f64| {
            if !list.iter().any(|(known, _)| *known == label) {
                list.push((label, cost));
            }
        };
        let seasonal = |name: &str, options: &str, season: usize| match (season == series.season, options) {
            (true, "") => name.to_string(),
            (true, options) => format!("{name}({options})"),
            (false, "") => format!("{name}(season={season})"),
            (false, options) => format!("{name}({options}, season={season})"),
        };
        let exponential = |m: usize| 0.004 * length * (1.0 + m as f64 / 4.0);
        let box_jenkins = |m: usize| 0.1 * length * if m > 1 { 1.0 + length / 300.0 } else { 1.0 };
        let seldom =
            observed.iter().all(|y| *y >= 0.0) && Demand::of(observed).class().is_some_and(DemandClass::is_seldom);
        add("naive".into(), 0.0);
        for season in &seasons {
            add(seasonal("seasonal_naive", "", *season), 0.0);
        }
        for season in if seasons.is_empty() { &[1][..] } else { &seasons } {
            add(seasonal("theta", "", *season), 0.0005 * length);
        }
        add(seasonal("theta", "kind=dynamic-optimised", inner), 0.0005 * length);
        add(seasonal("ets", "", inner), exponential(inner));
        if seldom {
            add("tsb".into(), 0.05 * length);
            add("sba".into(), 0.001 * length);
            add("imapa".into(), 0.01 * length);
            return list;
        }
        if seasons.is_empty() {
            add("drift".into(), 0.0);
        }
        for season in if seasons.is_empty() { &[1][..] } else { &seasons } {
            add(seasonal("ces", "", *season), 0.0003 * length * (1.0 + *season as f64));
        }
        let own = if series.covariates.is_empty() { "" } else { "regressors=false" };
        add(seasonal("arima", own, inner), box_jenkins(inner));
        if !seasons.is_empty() {
            let text = seasons.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
            let taken_out = 0.004 * length * seasons.len() as f64;
            add(format!("mstl(seasons=[{text}])"), taken_out + exponential(1));
            if longest > SHORT {
                let trend = if own.is_empty() { "arima".to_string() } else { format!("\"arima({own})\"") };
                add(format!("mstl(seasons=[{text}], trend={trend})"), taken_out + box_jenkins(1));
                add(format!("mstl(seasons=[{text}], trend=theta)"), taken_out);
                add(format!("mstl(seasons=[{text}], window=periodic)"), taken_out + exponential(1));
            }
        }
        // What says the same all the time says nothing.
        let varying = || series.covariates.iter().filter(|column| column.varies());
        if self.regressors && varying().any(|column| column.role == Role::Known) {
            let count = varying().count() as f64;
            add("regression".into(), 0.01 * length * count);
            add(seasonal("arima", "", inner), box_jenkins(inner) * (1.0 + count / 2.0));
        }
        list
    }
}

impl SeriesModel for Automatic {
    fn reads_covariates(&self) -> bool {
        (self.models.is_empty() && self.regressors)
            || self.models.iter().any(|label| Entry::part(label).is_ok_and(|model| model.reads_covariates()))
    }

    fn states_values(&self) -> bool {
        self.models.iter().any(|label| Entry::part(label).is_ok_and(|model| model.states_values()))
    }

    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        self.fit_around(series, Season::default())
    }

    fn minds_scenario(&self) -> bool {
        self.reads_covariates()
    }

    fn asks_siblings(&self) -> bool {
        self.siblings
    }

    fn fit_with(&self, series: &Series, siblings: &Season) -> Result<Box<dyn FittedSeries>> {
        self.fit_around(series, siblings.clone())
    }
}

impl Automatic {
    /// Fits what is left of a series without a season that is known already.
    fn fit_around(&self, series: &Series, season: Season) -> Result<Box<dyn FittedSeries>> {
        let observed: Vec<f64> = series.values.iter().copied().filter(|y| !y.is_nan()).collect();
        let values = if self.counts { Values::of(&observed) } else { Values::Numbers };
        let end = series.start + series.values.len() as i64;
        let left = season.without(series.values, series.start);
        let series = Series {
            values: &left,
            covariates: series.covariates.iter().map(Covariate::borrowed).collect(),
            ..*series
        };
        let labels: Vec<String> = match self.models.is_empty() {
            false => self.models.clone(),
            true => {
                let mut list = self.candidates(&series, &observed);
                // A candidate is fitted twice: to the series and to its beginning.
                while list.len() > 1 && list.iter().map(|(_, cost)| 2.0 * cost).sum::<f64>() > self.budget {
                    let dearest = (0..list.len()).max_by(|a, b| list[*a].1.total_cmp(&list[*b].1)).unwrap_or(0);
                    list.remove(dearest);
                }
                list.into_iter().map(|(label, _)| label).collect()
            }
        };
        let trial = Trial::of(&labels, &series, self.horizon, Between::Update)?;
        let combination = FittedCombine::weighted(&labels, &trial, &series)?;
        let tried = match values == Values::Few {
            true => trial.deviates(|place| season.with(series.start + place as i64, 1.0)),
            false => trial.errors(),
        };
        Ok(Box::new(FittedAutomatic { combination, season, end, values, tried }))
    }
}

/// A fitted choice.
#[derive(Serialize, Deserialize)]
pub struct FittedAutomatic {
    combination: FittedCombine,
    /// The season of the siblings, which the combination does not see.
    season: Season,
    /// The calendar position after the last value.
    end: i64,
    values: Values,
    tried: Vec<Vec<f64>>,
}

impl FittedAutomatic {
    /// The spread around means that are known already; those of small counts alone bear on it.
    fn spread_around(&self, mean: &[f64], ahead: &Ahead) -> Vec<f64> {
        let mut spread = self.combination.spread(ahead);
        let first = self.end + ahead.lead as i64;
        (first..).zip(&mut spread).for_each(|(position, sd)| *sd *= self.season.widening(position));
        if self.values == Values::Few {
            // No count is surer than one of Poisson's.
            spread.iter_mut().zip(mean).for_each(|(sd, mean)| *sd = sd.max(mean.sqrt()));
        }
        spread
    }
}

impl FittedSeries for FittedAutomatic {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        let mut mean = self.combination.mean(ahead)?;
        let first = self.end + ahead.lead as i64;
        (first..).zip(&mut mean).for_each(|(position, mean)| *mean = self.season.with(position, *mean));
        if self.values != Values::Numbers {
            mean.iter_mut().for_each(|mean| *mean = mean.max(0.0));
        }
        Ok(mean)
    }

    fn spread(&self, ahead: &Ahead) -> Vec<f64> {
        let mean = if self.values == Values::Few { self.mean(ahead).unwrap_or_default() } else { Vec::new() };
        self.spread_around(&mean, ahead)
    }

    fn quantiles(&self, ahead: &Ahead) -> Option<Quantiles> {
        match self.values {
            Values::Few => {
                let mean = self.mean(ahead).ok()?;
                Some(quantiles_around(&mean, &self.spread_around(&mean, ahead)))
            }
            Values::Many => {
                let mean = self.mean(ahead).ok()?;
                let sd = self.spread_around(&mean, ahead);
                let normal =
                    |step: usize, deviates: &[f64]| deviates.iter().map(|z| mean[step] + sd[step] * z).collect();
                Some(Quantiles::by(&mean, &sd, Support::Counts, normal))
            }
            // Those of the members are neither what was tried nor in the units of the season.
            Values::Numbers if !self.tried.is_empty() || !self.season.form().is_empty() => None,
            Values::Numbers => self.combination.quantiles(ahead),
        }
    }

    fn tried(&self) -> &[Vec<f64>] {
        &self.tried
    }

    fn counts(&self) -> bool {
        self.values == Values::Few
    }

    fn residuals(&self) -> &[f64] {
        self.combination.residuals()
    }

    fn describe(&self) -> Description {
        let mut description = self.combination.describe();
        if !self.season.form().is_empty() {
            description.form.push_str(" × season of siblings");
        }
        description
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let end = series.start + series.values.len() as i64;
        let left = self.season.without(series.values, series.start);
        let covariates = series.covariates.iter().map(Covariate::borrowed).collect();
        let combination = self.combination.updated(&Series { values: &left, covariates, ..*series })?;
        let (season, tried) = (self.season.clone(), self.tried.clone());
        Ok(Box::new(Self { combination, season, end, values: self.values, tried }))
    }

    fn simulate(&self, ahead: &Ahead, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        self.combination.simulate(ahead, mean, shocks, path);
    }
}
