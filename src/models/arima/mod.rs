//! What comes next follows from what came before: ARIMA, with seasons, covariates, gaps, and the orders chosen or given.
//!
//! φ(B)Φ(Bᵐ)(1−B)ᵈ(1−Bᵐ)ᴰ(yₜ − c − Σ βₖxₖₜ) = θ(B)Θ(Bᵐ)εₜ (Box & Jenkins 1970; Hyndman & Athanasopoulos, 3rd ed., ch. 9 and 10),
//! c a mean where nothing is differenced, a drift where something is once. Estimated by exact maximum likelihood; the
//! log-likelihood is that of R's `arima`, its maximum at least as high. Without orders they are chosen: differences by the
//! strength of the season and the KPSS test, the rest by AICc, as `auto.arima` does.
//!
//! | question | file |
//! |---|---|
//! | how likely is a complete series? | [`likelihood`], [`autocovariance`] |
//! | …and one with gaps? | [`kalman`] |
//! | which coefficients are best? | [`estimate`], [`polynomial`], [`design`] |
//! | which orders? | [`choose`], [`difference`] |
//! | what comes next? | [`fitted`] |
//!
//! Of a long series the last 5,000 steps are used, and orders are chosen on the last 3,000, or on three seasons if those are
//! longer: older values say little of the next step, and the search would take minutes. Missing values of the series or
//! of a covariate are allowed. Covariates that differencing removes, or that are collinear with others, are left out.
//! Fails on a series with no more complete rows than differencing uses up.

mod autocovariance;
mod choose;
mod design;
mod difference;
mod estimate;
mod fitted;
mod kalman;
mod likelihood;
mod polynomial;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::choose::{Candidate, FINE, Problem, choose, differences};
use self::difference::differenced;
use self::fitted::End;
pub(super) use self::fitted::Regression;
use self::polynomial::{Orders, coefficients};
use super::{Ahead, BoxCox, Covariate, Criterion, Description, FittedSeries, Method, Series, SeriesModel};
use crate::error::{Error, Result};
use crate::panel::Role;
use crate::statistics::is_constant;

/// Options of `arima`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Arima {
    /// Autoregressive terms, differences and moving-average terms: p, d, q; chosen if not given.
    pub order: Option<[usize; 3]>,
    /// Seasonal orders P, D, Q; chosen with `order`, none with a given one.
    pub seasonal: Option<[usize; 3]>,
    /// Steps in a season; the panel's season if not given, 1 for no season.
    pub season: Option<usize>,
    /// A mean (without differences) or a drift (with one)? Chosen by the criterion if not given.
    pub constant: Option<bool>,
    /// The search for orders.
    pub search: Search,
    /// The largest p of the search.
    pub max_p: usize,
    /// The largest q of the search.
    pub max_q: usize,
    /// The largest P of the search.
    pub max_seasonal_p: usize,
    /// The largest Q of the search.
    pub max_seasonal_q: usize,
    /// The largest p + q + P + Q of an exhaustive search.
    pub max_order: usize,
    /// The information criterion.
    pub criterion: Criterion,
    /// Ordinary differences d, where orders are chosen; by the KPSS test if not given.
    pub differences: Option<usize>,
    /// Is the series stationary? It is then not differenced.
    pub stationary: bool,
    /// A Box-Cox transformation: its power, or `auto`.
    pub box_cox: Option<BoxCox>,
    /// Are covariates regressors, known and observed ones?
    pub regressors: bool,
}

impl Default for Arima {
    fn default() -> Self {
        Self {
            order: None,
            seasonal: None,
            season: None,
            constant: None,
            search: Search::Stepwise,
            max_p: 5,
            max_q: 5,
            max_seasonal_p: 2,
            max_seasonal_q: 2,
            max_order: 5,
            criterion: Criterion::Aicc,
            differences: None,
            stationary: false,
            box_cox: None,
            regressors: true,
        }
    }
}

/// The search for orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Search {
    /// Stepwise (Hyndman & Khandakar 2008).
    Stepwise,
    /// Exhaustive.
    Exhaustive,
}

/// A fitted ARIMA model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FittedArima {
    model: Regression,
    /// The covariate columns that are regressors.
    columns: Vec<usize>,
}

/// The most lags of a model: beyond, a season is one of hours and years mixed up.
const MOST_LAGS: usize = 10_000;
/// The steps at the end of a series that are looked at, and seasons where so many are longer: a search for orders over ten
/// times as many takes minutes, and few series are the same process for so long.
const RECENT: usize = 3_000;
const SEASONS: usize = 3;

impl Method for Arima {
    const NAME: &str = "arima";
    const TITLE: &str = "ARIMA";
    const SUMMARY: &str = "ARIMA with seasonality and covariates, automatic or given orders";
    const EXAMPLE: &str = "arima(order=[2,1,1], seasonal=[0,1,0], season=12)";
    const ALSO: &str = "auto arima, sarima, sarimax, arimax, box jenkins";
    const SIMILAR: &[(&str, &str)] = &[
        (
            "ar, arma, autoreg, autoregression, autoregressive",
            "orders are chosen, or stated: arima(order=[1, 0, 0]) is an AR(1)",
        ),
        (
            "var, varma, varmax, vecm",
            "it forecasts each series by itself; `boost` and `lstm` learn from all series together",
        ),
    ];
    const SEARCH: &[(&str, &[&str])] =
        &[("search", &["stepwise", "exhaustive"]), ("criterion", &["aicc", "bic"]), ("box_cox", &["auto", "0"])];
    type Scope = crate::models::Local;
    type Fitted = FittedArima;

    fn check(&self) -> Result<()> {
        super::check_season(self.season)?;
        super::check_box_cox(self.box_cox)?;
        let seasonal = self.seasonal.unwrap_or_default();
        match self.order {
            None if self.seasonal.is_some() => {
                return Err(Error::usage("arima takes `seasonal` only together with `order`; give both or neither"));
            }
            Some([p, d, q]) => {
                let lags = [p, d, q].into_iter().chain(seasonal).max().unwrap_or(0);
                if lags > 100 || d + seasonal[1] > 4 {
                    return Err(Error::usage(
                        "the orders of arima are at most 100, and a series is differenced four times at most",
                    ));
                }
                if self.constant == Some(true) && d + seasonal[1] > 1 {
                    return Err(Error::usage(
                        "a constant of arima is a trend of degree d + D: state at most one difference with it",
                    ));
                }
            }
            None => {}
        }
        if self.differences.is_some_and(|d| d > 4 || self.order.is_some()) {
            return Err(Error::usage("the `differences` of arima are 4 at the most, and not for use with `order`"));
        }
        if [self.max_p, self.max_q, self.max_seasonal_p, self.max_seasonal_q].into_iter().any(|most| most > 20) {
            return Err(Error::usage("the orders of arima are 20 at the most"));
        }
        Ok(())
    }
}

/// The end of a series that is looked at, and how many steps come before it.
pub(super) fn recent<'a>(series: &'a Series, season: usize) -> (Series<'a>, usize) {
    let before = series.values.len().saturating_sub(RECENT.max(season.saturating_mul(SEASONS)));
    let covariates = series.covariates.iter();
    let part = Series {
        values: &series.values[before..],
        start: series.start + before as i64,
        covariates: covariates.map(|c| Covariate { values: c.values[before..].into(), ..c.borrowed() }).collect(),
        mended: series.mended.get(before..).unwrap_or_default(),
        ..*series
    };
    (part, before)
}

impl SeriesModel for Arima {
    fn reads_covariates(&self) -> bool {
        self.regressors
    }

    fn box_cox(&self) -> Option<BoxCox> {
        self.box_cox
    }

    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let season = self.season.unwrap_or(series.season);
        let (series, before) = recent(series, season);
        let read = |c: &usize| self.regressors && series.covariates[*c].role != Role::Fixed;
        let columns: Vec<usize> = (0..series.covariates.len()).filter(read).collect();
        let regressors: Vec<&[f64]> = columns.iter().map(|c| &*series.covariates[*c].values).collect();
        let names = columns.iter().map(|c| format!("covariate {}", c + 1)).collect();
        let model = self.regress(series.values, series.start, season, &regressors, names)?;
        Ok(Box::new(FittedArima { model: model.after(before), columns }))
    }
}

impl Arima {
    /// Fits a regression with ARIMA errors; a NaN in a row makes it missing.
    ///
    /// # Errors
    /// When too few rows are complete.
    pub(super) fn regress(
        &self,
        values: &[f64],
        start: i64,
        season: usize,
        regressors: &[&[f64]],
        names: Vec<String>,
    ) -> Result<Regression> {
        let is_complete = |t: &usize| !values[*t].is_nan() && regressors.iter().all(|x| !x[*t].is_nan());
        let first = (0..values.len())
            .find(is_complete)
            .ok_or_else(|| Error::model("arima needs a row without a missing value, the series has none"))?;
        let y = &values[first..];
        let columns: Vec<Vec<f64>> = regressors.iter().map(|x| x[first..].to_vec()).collect();
        let complete = (first..values.len()).filter(is_complete).count();
        let (problem, best) = self.best(y, &columns, season, complete)?;
        let best = problem.refine(&best);
        let design = problem.design(best.constant).ok_or_else(|| Error::model("arima has lost its design"))?;
        let mut factors = vec![0.0; best.orders.coefficients()];
        coefficients(&best.orders, &best.estimate.partial, &mut factors);
        let (exact, count) =
            (best.estimate.log_likelihood().is_finite(), regressors.len() + usize::from(best.constant));
        let mut names = names;
        let lead = usize::from(best.constant);
        names.iter_mut().enumerate().filter(|(k, _)| !design.kept.contains(&(k + lead))).for_each(|(_, n)| n.clear());
        let mut model = Regression {
            orders: best.orders,
            coefficients: factors,
            constant: best.constant && design.kept.contains(&0),
            beta: design.coefficients(&best.estimate.regression, count),
            names,
            scale: design.scale,
            shift: design.shift,
            sigma: 0.0,
            likelihood: exact.then_some(best.likelihood),
            // The drift is one at the first value used.
            origin: start + first as i64 - 1,
            end: End::default(),
            residuals: Vec::new(),
        };
        if best.constant && !model.constant {
            model.beta.remove(0);
        }
        let (squares, n) = model.run(values, start, regressors)?;
        let degrees = n.saturating_sub(best.likelihood.parameters - 1).max(1);
        model.sigma = if exact { (squares / degrees as f64).sqrt() } else { 0.0 };
        Ok(model)
    }

    /// The best model of the options. `y` starts with a complete row, of which there are `complete`.
    fn best(&self, y: &[f64], regressors: &[Vec<f64>], season: usize, complete: usize) -> Result<(Problem, Candidate)> {
        let base = Orders { p: 0, d: 0, q: 0, seasonal_p: 0, seasonal_d: 0, seasonal_q: 0, season };
        if let Some([p, d, q]) = self.order {
            let [seasonal_p, seasonal_d, seasonal_q] =
                if season > 1 { self.seasonal.unwrap_or_default() } else { [0; 3] };
            let orders = Orders { p, d, q, seasonal_p, seasonal_d, seasonal_q, season };
            let lags = p.max(q) + season * seasonal_p.max(seasonal_q);
            if lags > MOST_LAGS || complete <= orders.lost() {
                return Err(Error::model(format!(
                    "{} needs more than {} complete rows, the series has {complete}",
                    orders.form(),
                    orders.lost()
                )));
            }
            let constants = self.constants(&orders);
            let problem = Problem::new(y, regressors, &orders, &constants, self.criterion, false)?;
            let fits = constants.iter().filter_map(|constant| problem.fit(orders, *constant, None, FINE));
            let best = fits.reduce(|best, next| if next.value < best.value { next } else { best });
            let best = best.ok_or_else(|| Error::model(format!("{} cannot be fitted to the series", orders.form())))?;
            return Ok((problem, best));
        }
        let size = design::size(y.iter().copied());
        let scaled: Vec<f64> = y.iter().map(|v| v / size).collect();
        let season = if season > 1 && y.len() > season { season } else { 1 };
        let (d, seasonal_d) = match is_constant(&scaled) {
            true => (0, 0),
            false => differences(&scaled, regressors, season, self.stationary, self.differences),
        };
        let orders = Orders { d, seasonal_d, season, ..base };
        let constants = self.constants(&orders);
        let problem = Problem::new(y, regressors, &orders, &constants, self.criterion, true)?;
        if is_constant(&differenced(&scaled, &orders.differencing())) {
            // Nothing is left to be explained but a level or a slope.
            let constant = constants.contains(&true);
            let best = problem.fit(orders, constant, None, FINE);
            let best = best.ok_or_else(|| Error::model("a constant cannot be fitted to the series"))?;
            return Ok((problem, best));
        }
        let best = choose(self, &problem, orders, complete)?;
        Ok((problem, best))
    }

    /// Ordinary differences that the series needs beside these regressors, without a season.
    pub(super) fn differences_of(&self, values: &[f64], regressors: &[Vec<f64>]) -> usize {
        let size = design::size(values.iter().copied());
        let scaled: Vec<f64> = values.iter().map(|v| v / size).collect();
        if is_constant(&scaled) { 0 } else { differences(&scaled, regressors, 1, self.stationary, None).0 }
    }

    /// The choices of a constant, the better one of which is kept.
    fn constants(&self, orders: &Orders) -> Vec<bool> {
        match self.constant {
            _ if orders.differences() > 1 => vec![false],
            Some(constant) => vec![constant],
            None => vec![false, true],
        }
    }
}

impl FittedArima {
    fn ahead<'a>(&self, ahead: &'a Ahead) -> Vec<&'a [f64]> {
        self.columns.iter().map(|c| ahead.covariates[*c]).collect()
    }
}

impl FittedSeries for FittedArima {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        self.model.mean(ahead.lead, ahead.horizon, &self.ahead(ahead))
    }

    fn std_dev(&self, ahead: &Ahead) -> Vec<f64> {
        self.model.std_dev(ahead.lead, ahead.horizon)
    }

    fn residuals(&self) -> &[f64] {
        self.model.residuals()
    }

    fn describe(&self) -> Description {
        self.model.describe()
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let (series, before) = recent(series, self.model.season());
        let regressors: Vec<&[f64]> = self.columns.iter().map(|c| &*series.covariates[*c].values).collect();
        let mut model = self.model.clone();
        model.run(series.values, series.start, &regressors)?;
        Ok(Box::new(FittedArima { model: model.after(before), columns: self.columns.clone() }))
    }

    fn simulate(&self, ahead: &Ahead, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        self.model.simulate(ahead.lead, mean, shocks, path);
    }
}
