//! Series of dates with several seasons, holidays and a trend that bends: the decomposable model of Taylor & Letham.
//!
//! y(t) = g(t)(1 + Σ multiplying parts) + Σ adding parts + ε, ε ~ N(0, σ²). The trend g is a line or a logistic curve whose
//! slope may change at many given times, few of which are used (a Laplace prior); the parts are waves of the year, the
//! week, the day and any other period, if wanted only where a flag is set, and the known and observed covariates: flags as
//! holidays (with their windows, as [`features`](crate::panel::Panel::features) makes them), numbers in standard
//! deviations. The parameters are those of the greatest posterior density. What lies ahead is uncertain by σ and by
//! changes of the trend, simulated with the frequency and the size that they had; parameters are taken as known. After
//! Taylor & Letham 2018, *The American Statistician* 72, with the priors, the scales and the default seasons of the
//! program Prophet 1.5, but for waves that a step is too long for: a year of months carries 6 pairs, not 10.
//!
//! The crate `augurs-prophet` prepares the same features and asks for an optimiser only: [`MapOptimizer`] is one, and means
//! agree. What lies ahead is our own, for that crate draws from a random generator that takes no seed, keeps columns in
//! maps without order, and tells the ends of one interval rather than quantiles and paths: forecasts would differ from run to run.
//!
//! Fails on a series with fewer than two complete rows, and where the cap of logistic growth lies below the data.
//! Optimistic where errors are correlated; its trend follows the last changepoint forever.
//!
//! | file | what it is about |
//! |---|---|
//! | `trend` | lines and curves with bends, and those to come |
//! | `design` | seasons and regressors as columns |
//! | `posterior` | the most likely parameters |
//! | `optimiser` | the same for `augurs`' Prophet |
//! | `fitted` | what lies ahead |

mod design;
mod fitted;
mod optimiser;
mod posterior;
mod trend;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Auto, FittedSeries, Method, Series, SeriesModel};
use crate::error::{Error, Result};
use crate::options::choice;
use design::{Design, Range};
pub use fitted::FittedProphet;
pub use optimiser::MapOptimizer;
use posterior::{Prior, Rows};
pub use trend::Growth;
use trend::Trend;

/// Options of `prophet`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Prophet {
    /// The growth of the trend: linear, logistic (towards `cap`) or flat.
    pub growth: Growth,
    /// The upper limit of logistic growth: a number, or the name of a covariate.
    pub cap: Option<Limit>,
    /// The lower limit of logistic growth: a number, or the name of a covariate; 0 if not given.
    pub floor: Option<Limit>,
    /// The number of potential changepoints of the trend, evenly over the first part of the history.
    pub changepoints: usize,
    /// The fraction of the history with changepoints.
    pub changepoint_range: f64,
    /// The scale of the Laplace prior of changes: the flexibility of the trend.
    pub changepoint_prior: f64,
    /// The dates of changepoints, instead; dates outside a series are left out.
    pub changepoint_dates: Vec<String>,
    /// Fourier terms of the year (where time is counted in steps, of the panel's season): a number, true, false, or auto
    /// for 10 (no more than half the steps of a year) where there are two years.
    pub yearly: ProphetTerms,
    /// Fourier terms of the week: a number, true, false, or auto for 3 where there are two weeks in steps below one.
    pub weekly: ProphetTerms,
    /// Fourier terms of the day: a number, true, false, or auto for 4 where there are two days in steps below one.
    pub daily: ProphetTerms,
    /// Further seasons: period (in days, or steps where time is counted so), order (Fourier terms), condition (the name of
    /// a covariate; the season applies where it is not zero), mode and prior.
    pub seasons: Vec<ProphetSeason>,
    /// Are seasonality and covariates additive or multiplicative?
    pub seasonality_mode: ProphetMode,
    /// The scale of the normal prior of Fourier terms.
    pub seasonality_prior: f64,
    /// Are covariates regressors, known and observed ones?
    pub regressors: bool,
    /// The scale of the normal prior of 0/1 covariates.
    pub holidays_prior: f64,
    /// The scale of the normal prior of other covariates, which are standardised.
    pub regressor_prior: f64,
}

/// A number, or the name of the covariate that holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a number, or the name of a covariate")]
pub enum Limit {
    /// A constant.
    Value(f64),
    /// The values of a covariate.
    Covariate(String),
}

/// The most Fourier terms of a season: beyond, a fit takes minutes and the terms fit noise.
const MOST_PAIRS: usize = 200;

/// The number of Fourier terms of a season.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected `auto`, `true`, `false`, or how many pairs of waves")]
pub enum ProphetTerms {
    /// As the data support.
    Named(Auto),
    /// The default number, or none.
    Usual(bool),
    /// A given number.
    Pairs(usize),
}

choice!(
    /// How seasonality and covariates are combined with the trend.
    ProphetMode { Additive, Multiplicative }
);

/// A season beside those of year, week and day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProphetSeason {
    /// Its length in days, or in steps where time is counted in steps.
    pub period: f64,
    /// Fourier terms.
    pub order: usize,
    /// The covariate by which the season applies: where it is not zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Additive or multiplicative; as `seasonality_mode` if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<ProphetMode>,
    /// The scale of its prior; `seasonality_prior` if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior: Option<f64>,
}

impl Default for Prophet {
    fn default() -> Self {
        let auto = ProphetTerms::Named(Auto::Auto);
        Self {
            growth: Growth::default(),
            cap: None,
            floor: None,
            changepoints: 25,
            changepoint_range: 0.8,
            changepoint_prior: 0.05,
            changepoint_dates: Vec::new(),
            yearly: auto,
            weekly: auto,
            daily: auto,
            seasons: Vec::new(),
            seasonality_mode: ProphetMode::default(),
            seasonality_prior: 10.0,
            regressors: true,
            holidays_prior: 10.0,
            regressor_prior: 10.0,
        }
    }
}

impl Method for Prophet {
    const NAME: &str = "prophet";
    const TITLE: &str = "Prophet";
    const SUMMARY: &str = "Prophet: a piecewise trend, calendar seasonality, holidays and regressors";
    const EXAMPLE: &str = "prophet(yearly=5, seasonality_mode=multiplicative)";
    const ALSO: &str = "fbprophet, facebook prophet";
    const SIMILAR: &[(&str, &str)] = &[(
        "neuralprophet, greykite, silverkite, orbit",
        "a trend with changepoints, seasons, holidays and regressors",
    )];
    const SEARCH: &[(&str, &[&str])] = &[
        ("changepoint_prior", &["0.001..0.5 log"]),
        ("seasonality_prior", &["0.01..10 log"]),
        ("holidays_prior", &["0.01..10 log"]),
        ("seasonality_mode", &["additive", "multiplicative"]),
    ];
    type Scope = super::Local;
    type Fitted = FittedProphet;

    fn check(&self) -> Result<()> {
        let own = self.seasons.iter().filter_map(|season| season.prior);
        let priors = [self.changepoint_prior, self.seasonality_prior, self.holidays_prior, self.regressor_prior];
        if let Some(prior) = priors.into_iter().chain(own).find(|prior| !(*prior > 0.0 && prior.is_finite())) {
            return Err(Error::usage(format!("the scale of a prior of prophet is above 0, not {prior}")));
        }
        if !(0.0..=1.0).contains(&self.changepoint_range) {
            let range = self.changepoint_range;
            return Err(Error::usage(format!(
                "the changepoint_range of prophet is a share between 0 and 1, not {range}"
            )));
        }
        if let Some(season) = self.seasons.iter().find(|season| !(season.period > 0.0 && season.period.is_finite())) {
            return Err(Error::usage(format!("the period of a season is above 0, not {}", season.period)));
        }
        let usual = [self.yearly, self.weekly, self.daily].into_iter().filter_map(|terms| match terms {
            ProphetTerms::Pairs(pairs) => Some(pairs.max(1)),
            ProphetTerms::Named(_) | ProphetTerms::Usual(_) => None,
        });
        let mut orders = self.seasons.iter().map(|season| season.order).chain(usual);
        if let Some(order) = orders.find(|order| !(1..=MOST_PAIRS).contains(order)) {
            return Err(Error::usage(format!(
                "the order of a season of prophet, its pairs of waves, is at least 1 and at most {MOST_PAIRS}, not {order}"
            )));
        }
        match (self.growth, &self.cap, &self.floor) {
            (Growth::Logistic, None, _) => Err(Error::usage("logistic growth needs a cap: growth=logistic, cap=1000")),
            (Growth::Logistic, Some(Limit::Value(cap)), Some(Limit::Value(floor))) if cap <= floor => {
                Err(Error::usage(format!("the cap of prophet, {cap}, does not lie above its floor, {floor}")))
            }
            (Growth::Logistic, ..) | (_, None, None) => Ok(()),
            _ => Err(Error::usage("cap and floor of prophet are for logistic growth: give growth=logistic as well")),
        }
    }
}

impl SeriesModel for Prophet {
    fn reads_covariates(&self) -> bool {
        let named = |limit: &Option<Limit>| matches!(limit, Some(Limit::Covariate(_)));
        let conditional = self.seasons.iter().any(|season| season.condition.is_some());
        self.regressors || named(&self.cap) || named(&self.floor) || conditional
    }

    fn has_options_in_data_units(&self) -> bool {
        self.cap.is_some() || self.floor.is_some()
    }

    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let mut design = Design::of(self, series)?;
        let complete = design.complete(series);
        let [_, .., _] = complete[..] else {
            let have = match complete.len() {
                0 => "none",
                _ => "one",
            };
            return Err(Error::model(format!(
                "prophet needs two complete rows at least, and the series has {have} (rows with a missing covariate \
                 are left out; clean with covariates = \"zero\" if empty means none)"
            )));
        };
        design.settle(self, series, &complete);
        let range = Range::of(&design, series, &complete)?;
        let time = |t: usize| design.clock.time(series.start + t as i64);
        let mut rows = Rows {
            times: complete.iter().map(|t| time(*t)).collect(),
            values: Vec::with_capacity(complete.len()),
            caps: Vec::new(),
            cells: Vec::with_capacity(complete.len() * design.width()),
        };
        for t in &complete {
            let covariate = |c: usize| series.covariates[c].values[*t];
            let limits = design.limits(covariate);
            rows.values.push((series.values[*t] - limits.floor) / range.scale);
            if self.growth == Growth::Logistic {
                rows.caps.push((limits.cap - limits.floor) / range.scale);
            }
            design.row(series.start + *t as i64, covariate, &mut rows.cells);
        }
        let changepoints = self.changepoints(&design, &rows.times)?;
        let prior = Prior {
            growth: self.growth,
            changepoints,
            change: self.changepoint_prior,
            scales: design.scales(),
            multiplies: design.multiplies(),
            jacobian: false,
        };
        let start = Trend::through(self.growth, &rows.times, &rows.values, &rows.caps);
        let likely = posterior::most_likely(&rows, prior, start, posterior::EVALUATIONS);
        FittedProphet::new(design, likely, range.scale, series).map(|fit| Box::new(fit) as Box<dyn FittedSeries>)
    }
}

impl Prophet {
    /// When the trend may change, on the model's scale of time.
    fn changepoints(&self, design: &Design, times: &[f64]) -> Result<Vec<f64>> {
        if self.growth == Growth::Flat {
            return Ok(Vec::new());
        }
        if !self.changepoint_dates.is_empty() {
            let place = |date: &String| design.clock.time_of(date);
            let mut places = self.changepoint_dates.iter().map(place).collect::<Result<Vec<f64>>>()?;
            places.retain(|time| (0.0..=1.0).contains(time));
            places.sort_by(f64::total_cmp);
            return Ok(places);
        }
        let reach = (times.len() as f64 * self.changepoint_range).floor() as usize;
        let count = self.changepoints.min(reach.saturating_sub(1));
        let row = |i: usize| (i as f64 * ((reach - 1) as f64 / count as f64)).round_ties_even() as usize;
        Ok((1..=count).map(|i| times[row(i)]).collect())
    }
}
