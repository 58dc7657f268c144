//! `ensemble`: classical methods, validated on the end of each series and combined by their accuracy. `auto` combines it with
//! methods that see the whole panel.
//!
//! 1. **Candidates.** Intermittent series (mean interval between demands above 1.32 steps) get the methods for intermittent demand
//!    beside the simple ones; all others the classical methods, with every season that they hold more than twice: seasons
//!    up to a dozen steps inside the models, longer ones removed by MSTL. Where covariates are given, `regression` and
//!    `arima` use them, unless `regressors=false`. Candidates beyond `budget` are left out, the slowest first; ARIMA gets few
//!    orders before that. Run times are estimated from length and season, not measured, so that the choice is the same on every
//!    machine.
//! 2. **Validation.** Each candidate forecasts the last windows of the series (three where there is room), fitted before the
//!    first one, with covariates as in forecasts: observed ones follow the scenario. One that cannot is named in the
//!    specification and in the remarks.
//! 3. **Weights.** The inverse squared mean absolute error, relative to the best candidate (Bates & Granger 1969, *Operational
//!    Research Quarterly* 20, with absolute errors); below a hundredth, none. A series too short for validation gets equal
//!    weights. A dear candidate, one that takes 30 % of the time of all, has a weight only where that is at least half of that of
//!    the best: elsewhere it is not fitted to the whole series.
//! 4. **Pooled seasonality.** A series of at most two seasons is adjusted by seasonal indices pooled over its group (see
//!    `pooling`), where the panel has longer series whose indices agree.
//! 5. **Forecast.** The weighted combination of candidates, fitted to the whole series. Intervals are calibrated on the validation
//!    errors of the combination over all series, step by step (as for `conformal`): the intervals of a series depend on the other
//!    series of the panel, or of a chunk of a stream, and its means only through pooled seasonal indices. Quantiles of counts are
//!    counts; where few are sold in a step, those of a negative binomial distribution, calibrated likewise.
//!
//! Weights, candidates and windows were chosen on the training sets of M3, M4, M5, Walmart and Rossmann samples (see
//! `reports/accuracy/auto.md`). The specification names the candidates with their weights.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::combine::{self, FittedCombine};
use super::validation::{Refit, RollingValidation};
use crate::error::{Error, Result};
use crate::fitting::{Pooling, Support, check_season};
use crate::models::intermittent::count_quantiles;
use crate::models::{
    Ahead, Arima, Covariate, Description, Entry, FittedSeries, Local, Method, Quantiles, Season, Series, SeriesModel,
    WindowForecast,
};
use crate::panel::Role;
use crate::statistics::{Demand, DemandClass};

/// Options of `ensemble`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ensemble {
    /// The labels of the candidates; chosen by the characteristics of each series if not given.
    pub models: Vec<String>,
    /// The lengths of seasons, in steps, such as `[24, 168]`; the panel's season if not given.
    pub seasons: Vec<usize>,
    /// The horizon of the validation windows; a season if not given, a quarter of one above 47 steps, 8 without one.
    pub horizon: Option<usize>,
    /// Are there candidates with covariates? Their future must then be known.
    pub regressors: bool,
    /// Does a series too short for seasonal indices of its own get pooled ones?
    #[schemars(extend("also" = "siblings"))]
    pub pool_seasonality: bool,
    /// Do small whole numbers get a count distribution?
    pub counts: bool,
    /// The time budget for the fit of a series in milliseconds of CPU, as roughly estimated.
    pub budget: f64,
}

impl Default for Ensemble {
    fn default() -> Self {
        Self {
            models: Vec::new(),
            seasons: Vec::new(),
            horizon: None,
            regressors: true,
            pool_seasonality: true,
            counts: true,
            budget: BUDGET,
        }
    }
}

impl Method for Ensemble {
    const NAME: &str = "ensemble";
    const TITLE: &str = "Classical ensemble";
    const SUMMARY: &str = "Classical methods, validated on the end of each series and combined by their accuracy";
    const EXAMPLE: &str = "ensemble";
    const ALSO: &str = "local ensemble, ensembling";
    const SIMILAR: &[(&str, &str)] =
        &[("auto ensemble", "it validates classical methods on the end of each series and combines the best")];
    const SEARCH: &[(&str, &[&str])] =
        &[("pool_seasonality", &["true", "false"]), ("counts", &["true", "false"]), ("regressors", &["true", "false"])];
    type Scope = Local;
    type Fitted = FittedEnsemble;

    fn check(&self) -> Result<()> {
        check_budget(self.budget)?;
        if self.horizon == Some(0) {
            return Err(Error::usage("`horizon` is at least 1 step, not 0"));
        }
        self.seasons.iter().try_for_each(|season| check_season(Some(*season)))?;
        combine::check(&self.models)
    }
}

/// The default budget for a series, in milliseconds: on monthly data everything, on long ones all but ARIMA.
pub(super) const BUDGET: f64 = 60.0;
/// The shortest series that ARIMA is a candidate for: in shorter ones it makes the combination of M3's yearly series worse (MASE
/// on four folds inside the training sets 2.79 with it everywhere, 2.66 with this), that of its monthly ones better (0.867, 0.873).
const LONG: usize = 16;
/// What ARIMA of few orders costs, in fits of all orders. As a candidate it is nearly as good (MASE of the combination on folds
/// of M5 and quarterly M3 the same to a thousandth, of monthly M3 0.0 to 0.8 % more).
const FEW_ORDERS: f64 = 0.3;
/// The share of the cost of all candidates from which one is fitted to the whole series only where it wins.
const DEAR: f64 = 0.3;
/// Seasons up to this many steps are left to the models.
const SHORT: usize = 12;
/// Counts below this mean get the negative binomial distribution; above, rounded quantiles are as good (the quantile
/// loss inside the training set of monthly M5 is 6 % less below 2, the same at 4 and 5 % more at 16).
const FEW: f64 = 4.0;

/// The kind of values of a series.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Values {
    Numbers,
    /// Counts with a high mean.
    Many,
    /// Counts with a low mean.
    Few,
}

impl Values {
    fn of(observed: &[f64]) -> Self {
        let mean = observed.iter().sum::<f64>() / observed.len() as f64;
        match Support::of(observed) {
            Support::Counts if mean < FEW => Self::Few,
            Support::Counts => Self::Many,
            _ => Self::Numbers,
        }
    }
}

/// Are values counts so low that they have a distribution of their own?
pub(super) fn are_few(values: &[f64]) -> bool {
    let observed: Vec<f64> = values.iter().copied().filter(|y| !y.is_nan()).collect();
    Values::of(&observed) == Values::Few
}

/// ARIMA of few orders instead of all; none of what has few, or is another model.
fn with_few_orders(label: &str) -> Option<String> {
    const FEW: &str = "max_p=1, max_q=1, max_seasonal_p=1, max_seasonal_q=1";
    match label.strip_suffix(')') {
        _ if label.split('(').next() != Some(Arima::NAME) || label.contains("max_p") => None,
        Some(open) => Some(format!("{open}, {FEW})")),
        None => Some(format!("{label}({FEW})")),
    }
}

/// Is it a budget in milliseconds?
pub(super) fn check_budget(budget: f64) -> Result<()> {
    match budget > 0.0 && budget.is_finite() {
        true => Ok(()),
        false => Err(Error::usage(format!("`budget` is a number of milliseconds above 0, not {budget}"))),
    }
}

impl Ensemble {
    /// The candidates for a series, with the estimated milliseconds of a fit.
    fn candidates(&self, series: &Series, observed: &[f64]) -> Vec<(String, f64)> {
        let n = series.values.len();
        let asked = if self.seasons.is_empty() { vec![series.season] } else { self.seasons.clone() };
        let mut seasons: Vec<usize> = asked.iter().copied().filter(|season| *season > 1 && n > 2 * season).collect();
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
        let exponential = |m: usize| 0.0015 * length * (1.0 + m as f64 / 4.0);
        let box_jenkins = |m: usize| length * if m > 1 { 0.02 + length / 3_000.0 } else { 0.035 };
        let intermittent = observed.iter().all(|y| *y >= 0.0)
            && Demand::of(observed).class().is_some_and(DemandClass::is_intermittent);
        add("naive".into(), 0.0);
        for season in &asked {
            if *season > 1 && 4 * n > 5 * season {
                add(seasonal("seasonal_naive", "", *season), 0.0);
            }
        }
        for season in if seasons.is_empty() { &[1][..] } else { &seasons } {
            add(seasonal("theta", "", *season), 0.0005 * length);
        }
        add(seasonal("theta", "kind=dynamic-optimised", inner), 0.0005 * length);
        add(seasonal("ets", "", inner), exponential(inner));
        if intermittent {
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
        if n >= LONG {
            add(seasonal("arima", own, inner), box_jenkins(inner));
        }
        if !seasons.is_empty() {
            let text = seasons.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
            let decomposition = 0.004 * length * seasons.len() as f64;
            add(format!("mstl(seasons=[{text}])"), decomposition + exponential(1));
            if longest > SHORT {
                let trend = if own.is_empty() { "arima".to_string() } else { format!("\"arima({own})\"") };
                add(format!("mstl(seasons=[{text}], trend={trend})"), decomposition + box_jenkins(1));
                add(format!("mstl(seasons=[{text}], trend=theta)"), decomposition);
                add(format!("mstl(seasons=[{text}], window=periodic)"), decomposition + exponential(1));
            }
        }
        // A constant covariate explains nothing.
        let varying = || series.covariates.iter().filter(|column| column.varies());
        if self.regressors && varying().any(|column| column.role == Role::Known) {
            let count = varying().count() as f64;
            add("regression".into(), 0.01 * length * count);
            add(seasonal("arima", "", inner), box_jenkins(inner) * (1.0 + count / 2.0));
        }
        list
    }
}

impl SeriesModel for Ensemble {
    fn is_calibrated(&self) -> bool {
        true
    }

    fn reads_covariates(&self) -> bool {
        (self.models.is_empty() && self.regressors)
            || self.models.iter().any(|label| Entry::component(label).is_ok_and(|model| model.reads_covariates()))
    }

    fn has_options_in_data_units(&self) -> bool {
        self.models.iter().any(|label| Entry::component(label).is_ok_and(|model| model.has_options_in_data_units()))
    }

    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        self.fit_adjusted(series, Season::default())
    }

    fn depends_on_scenario(&self) -> bool {
        self.reads_covariates()
    }

    fn support(&self, values: &[f64]) -> Support {
        match Support::of(values) {
            Support::Counts if !self.counts => Support::Positive,
            support => support,
        }
    }

    fn pooling(&self) -> Pooling {
        if self.pool_seasonality { Pooling::Short } else { Pooling::None }
    }

    fn fit_with_season(&self, series: &Series, pooled: &Season) -> Result<Box<dyn FittedSeries>> {
        self.fit_adjusted(series, pooled.clone())
    }
}

impl Ensemble {
    /// Fits a series adjusted by given seasonal indices.
    fn fit_adjusted(&self, series: &Series, season: Season) -> Result<Box<dyn FittedSeries>> {
        let observed: Vec<f64> = series.values.iter().copied().filter(|y| !y.is_nan()).collect();
        let values = if self.counts { Values::of(&observed) } else { Values::Numbers };
        let end = series.start + series.values.len() as i64;
        let adjusted = season.without(series.values, series.start);
        let series = Series {
            values: &adjusted,
            covariates: series.covariates.iter().map(Covariate::borrowed).collect(),
            ..*series
        };
        let candidates: Vec<(String, f64)> = match self.models.is_empty() {
            false => self.models.iter().map(|label| (label.clone(), 0.0)).collect(),
            true => {
                let mut list = self.candidates(&series, &observed);
                // A candidate is fitted twice: to the series and before the validation windows.
                while list.len() > 1 && list.iter().map(|(_, cost)| 2.0 * cost).sum::<f64>() > self.budget {
                    let slowest = (0..list.len()).max_by(|a, b| list[*a].1.total_cmp(&list[*b].1)).unwrap_or(0);
                    let (label, cost) = list.remove(slowest);
                    list.extend(with_few_orders(&label).map(|label| (label, FEW_ORDERS * cost)));
                }
                list
            }
        };
        let all: f64 = candidates.iter().map(|(_, cost)| cost).sum();
        let dear: Vec<bool> = candidates.iter().map(|(_, cost)| *cost > DEAR * all).collect();
        let labels: Vec<String> = candidates.into_iter().map(|(label, _)| label).collect();
        let mut validation = RollingValidation::of(&labels, &series, self.horizon, Refit::Never)?;
        validation.drop_losers(&dear);
        let combination = FittedCombine::weighted(&labels, &validation, &series)?;
        let scores = if values == Values::Few {
            validation.count_scores(|t| season.with(series.start + t as i64, 1.0))
        } else {
            validation.scores()
        };
        let held_out = validation.held_out();
        let mut fitted = FittedEnsemble { combination, season, end, values, scores, held_out: Vec::new() };
        fitted.held_out = held_out.into_iter().map(|one| fitted.finished(one, series.start)).collect();
        Ok(Box::new(fitted))
    }
}

/// A fitted choice.
#[derive(Serialize, Deserialize)]
pub struct FittedEnsemble {
    combination: FittedCombine,
    /// Pooled seasonal indices, by which the series of the combination is adjusted.
    season: Season,
    /// The calendar position after the last value.
    end: i64,
    values: Values,
    scores: Vec<Vec<f64>>,
    #[serde(skip)]
    held_out: Vec<WindowForecast>,
}

impl FittedEnsemble {
    /// The means of the combination from a position on, with the pooled season.
    fn mean_from(&self, first: i64, mut mean: Vec<f64>) -> Vec<f64> {
        (first..).zip(&mut mean).for_each(|(position, mean)| *mean = self.season.with(position, *mean));
        if self.values != Values::Numbers {
            mean.iter_mut().for_each(|mean| *mean = mean.max(0.0));
        }
        mean
    }

    /// Its standard deviations likewise, around means on which they depend for low counts alone.
    fn std_dev_from(&self, first: i64, mean: &[f64], mut sds: Vec<f64>) -> Vec<f64> {
        (first..).zip(&mut sds).for_each(|(position, sd)| *sd *= self.season.widening(position));
        if self.values == Values::Few {
            // The variance of a count is at least that of a Poisson distribution.
            sds.iter_mut().zip(mean).for_each(|(sd, mean)| *sd = sd.max(mean.sqrt()));
        }
        sds
    }

    /// A forecast of the combination in a window, with the pooled season and the distribution of the values.
    fn finished(&self, one: WindowForecast, start: i64) -> WindowForecast {
        let first = start + one.start as i64;
        let mean = self.mean_from(first, one.mean);
        let sd = self.std_dev_from(first, &mean, one.sd);
        let quantiles = self.count_distribution(&mean, &sd);
        WindowForecast { start: one.start, mean, sd, quantiles }
    }

    /// The quantiles of counts.
    fn count_distribution(&self, mean: &[f64], sd: &[f64]) -> Option<Quantiles> {
        let normal = |step: usize, deviates: &[f64]| deviates.iter().map(|z| mean[step] + sd[step] * z).collect();
        match self.values {
            Values::Few => Some(count_quantiles(mean, sd)),
            Values::Many => Some(Quantiles::by(mean, sd, Support::Counts, normal)),
            Values::Numbers => None,
        }
    }
}

impl FittedSeries for FittedEnsemble {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        Ok(self.mean_from(self.end + ahead.lead as i64, self.combination.mean(ahead)?))
    }

    fn std_dev(&self, ahead: &Ahead) -> Vec<f64> {
        let mean = if self.values == Values::Few { self.mean(ahead).unwrap_or_default() } else { Vec::new() };
        self.std_dev_from(self.end + ahead.lead as i64, &mean, self.combination.std_dev(ahead))
    }

    fn quantiles(&self, ahead: &Ahead) -> Option<Quantiles> {
        // The quantiles of the members are neither those that were validated nor seasonal.
        let plain = self.scores.is_empty() && self.season.notation().is_empty();
        match self.values {
            Values::Numbers => plain.then(|| self.combination.quantiles(ahead)).flatten(),
            _ => {
                let mean = self.mean(ahead).ok()?;
                let sd = self.std_dev_from(self.end + ahead.lead as i64, &mean, self.combination.std_dev(ahead));
                self.count_distribution(&mean, &sd)
            }
        }
    }

    fn calibration_scores(&self) -> &[Vec<f64>] {
        &self.scores
    }

    fn is_count(&self) -> bool {
        self.values == Values::Few
    }

    fn take_held_out(&mut self) -> Vec<WindowForecast> {
        std::mem::take(&mut self.held_out)
    }

    fn residuals(&self) -> &[f64] {
        self.combination.residuals()
    }

    fn describe(&self) -> Description {
        let mut description = self.combination.describe();
        if !self.season.notation().is_empty() {
            description.specification.push_str(" × pooled seasonality");
        }
        description
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let end = series.start + series.values.len() as i64;
        let adjusted = self.season.without(series.values, series.start);
        let covariates = series.covariates.iter().map(Covariate::borrowed).collect();
        let combination = self.combination.updated(&Series { values: &adjusted, covariates, ..*series })?;
        let (season, scores) = (self.season.clone(), self.scores.clone());
        Ok(Box::new(Self { combination, season, end, values: self.values, scores, held_out: Vec::new() }))
    }

    fn simulate(&self, ahead: &Ahead, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        self.combination.simulate(ahead, mean, shocks, path);
    }
}
