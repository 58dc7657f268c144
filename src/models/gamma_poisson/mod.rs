//! `gamma_poisson`: the demand of many sparse series, each at a level of its own, with a season pooled over their groups.
//!
//! Every estimate is a ratio of what was sold to what was expected (the exposure), with a prior that weighs so many units: nothing
//! is divided by small numbers, and a series that is hardly ever sold is drawn towards the typical one. Steps in which the item could not
//! always be sold are in no numerator and no denominator.
//!
//! 1. **Index.** Iₜ of all series from a common factor, relative to its running median, so that a peak does not lift the steps
//!    around it; then of each group, twice: (Σ y + k P) / (Σ E + k), where E is the demand expected without a season, the sums
//!    are over the group, and P is the index of the group before it.
//! 2. **Level.** L = (Σ vₜ yₜ + k S) / (Σ vₜ Iₜ + k) + c π with weights v that halve every 8 steps: the posterior mean of a
//!    Poisson rate under discounting with a gamma prior (Harvey & Fernandes 1989). Its prior S is the same with weights that halve
//!    every 104 steps, whose own prior π is the typical series, the geometric mean of all.
//! 3. **Season.** f = exp(power · mean of log I at the same place of the last two seasons, neighbours at half weight). The mean is L f.
//! 4. **Distribution.** Negative binomial with variance μ + a μ², a = exp(c₀ + c₁ log μ); steps are independent given the mean.
//!    Sales that are no counts have log-normal distributions, whose coefficient of variation is estimated from errors.
//!
//! Fails on series with values below zero, and where each series has a season of its own: its season is that of its groups. It knows one
//! season, no covariates and no trend beyond the drift of levels.
//!
//! References: Harvey & Fernandes 1989, *Journal of Business & Economic Statistics* 7 (discounted gamma–Poisson); Withycombe 1989,
//! *International Journal of Forecasting* 5 (group seasonal indices); Snyder, Ord & Beaumont 2012, *ibid.* 28 (negative binomial
//! forecasts of slow movers). The defaults were chosen on early origins of the VN2 inventory competition (599 series by week).

mod estimate;
mod fitted;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use fitted::FittedGammaPoisson;

use super::{Aim, Fitted, Forecaster, Method, PanelLevel};
use crate::error::{Error, Result};
use crate::panel::Panel;

/// Options of `gamma_poisson`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GammaPoisson {
    /// Steps in a season; the panel's season if not given.
    pub season: Option<usize>,
    /// Key columns and fixed covariates whose groups have an index of their own, the coarsest first. If not given, the fixed
    /// covariates that divide the series into groups of several.
    #[schemars(extend("also" = "by"))]
    pub groups: Option<Vec<String>>,
    /// The weight of the index before it in that of a group, in units sold, grouping by grouping; the last one holds for the rest.
    pub group_prior: Vec<f64>,
    /// Steps on either side of a step that its expected demand and the running median are taken from; by default a quarter of a
    /// season, at least 13.
    pub window: Option<usize>,
    /// Steps in which the weight of a value in the level halves; by default 8, or 8 seasons of days and hours.
    pub half_life: Option<f64>,
    /// Steps in which the weight of a value in the prior of the level halves; by default 13 half-lives.
    pub slow_half_life: Option<f64>,
    /// The weight of a prior of the level, in steps.
    pub prior: f64,
    /// The part of the typical level that is added to every level.
    pub floor: f64,
    /// The power of the season in the forecast, from 0 (none) to 1.
    pub power: f64,
    /// c₀ and c₁ of the dispersion exp(c₀ + c₁ log μ) of counts; by default (`[]`) estimated from errors one step ahead.
    pub dispersion: Vec<f64>,
}

impl Default for GammaPoisson {
    fn default() -> Self {
        Self {
            season: None,
            groups: None,
            group_prior: vec![500.0, 1000.0],
            window: None,
            half_life: None,
            slow_half_life: None,
            prior: 5.0,
            floor: 0.05,
            power: 0.8,
            dispersion: Vec::new(),
        }
    }
}

impl Method for GammaPoisson {
    const NAME: &str = "gamma_poisson";
    const TITLE: &str = "Gamma–Poisson with pooled season";
    const SUMMARY: &str =
        "Discounted level of each series with a seasonal index pooled over groups; negative binomial counts";
    const EXAMPLE: &str = "gamma_poisson(half_life=6)";
    const ALSO: &str = "pooled, poisson gamma, discounted gamma poisson, harvey fernandes";
    const SIMILAR: &[(&str, &str)] = &[(
        "negative binomial, poisson regression, bayesian shrinkage, empirical bayes",
        "its levels are posterior means of a Poisson rate, its forecasts negative binomial",
    )];
    const SEARCH: &[(&str, &[&str])] =
        &[("half_life", &["4", "8", "16"]), ("prior", &["2", "5", "20"]), ("power", &["0", "0.65", "0.8", "1"])];
    type Scope = PanelLevel;
    type Fitted = FittedGammaPoisson;

    fn check(&self) -> Result<()> {
        super::check_season(self.season)?;
        let positive = |what: &str, value: f64| match value.is_finite() && value > 0.0 {
            true => Ok(()),
            false => Err(Error::usage(format!("`{what}` is a positive number, not {value}"))),
        };
        self.half_life.map_or(Ok(()), |steps| positive("half_life", steps))?;
        self.slow_half_life.map_or(Ok(()), |steps| positive("slow_half_life", steps))?;
        positive("prior", self.prior)?;
        self.group_prior.iter().try_for_each(|units| positive("group_prior", *units))?;
        if self.group_prior.is_empty() {
            return Err(Error::usage("`group_prior` is one number at least, such as [500]"));
        }
        for (what, value) in [("floor", self.floor), ("power", self.power)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::usage(format!("`{what}` is a fraction from 0 to 1, not {value}")));
            }
        }
        if self.window == Some(0) {
            return Err(Error::usage("`window` is at least 1 step, not 0"));
        }
        if ![0, 2].contains(&self.dispersion.len()) || self.dispersion.iter().any(|c| c.is_nan() || c.abs() > 20.0) {
            return Err(Error::usage("`dispersion` is two numbers from -20 to 20, c₀ and c₁, or [] to estimate them"));
        }
        Ok(())
    }
}

impl Forecaster for GammaPoisson {
    fn fit(&self, train: &Panel, _aim: Aim) -> Result<Box<dyn Fitted>> {
        FittedGammaPoisson::of(self, train)
    }

    fn reads_covariates(&self) -> bool {
        false
    }

    fn depends_on_horizon(&self) -> bool {
        false
    }
}
