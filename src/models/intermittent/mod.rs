//! Methods for intermittent demand: the demand rate, and a distribution of counts.
//!
//! Stock decisions depend on the quantiles of demand rather than on a mean below one per step: on a distribution over
//! counts, 0, 1, 2, …, which every method here has (see [`CountDistribution`]).
//!
//! | method | forecast of each step | source |
//! |---|---|---|
//! | `croston` | z/p: the smoothed size over the smoothed interval | Croston 1972, *Operational Research Quarterly* 23 |
//! | `sba` | (1 − α/2) z/p, which corrects Croston's bias | Syntetos & Boylan 2005, *International Journal of Forecasting* 21 |
//! | `tsb` | z times the smoothed probability of a demand, which decays without sales | Teunter, Syntetos & Babai 2011, *European Journal of Operational Research* 214 |
//! | `adida` | the level of sums over as many steps as a mean interval has, spread evenly | Nikolopoulos et al. 2011, *Journal of the Operational Research Society* 62 |
//! | `imapa` | the mean of that over all sums of 1 step to a mean interval | Petropoulos & Kourentzes 2015, *Journal of the Operational Research Society* 66 |
//!
//! Smoothing parameters that are not given are estimated by least squares between 0.1 and 0.3. The forecast is the same for
//! every step. Missing values are left out. A series with negative values is refused; one of zeros is forecast as zero.

mod counts;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use counts::CountDistribution;
pub(crate) use counts::{Counts, count_quantiles, pit_scores};

use super::{Ahead, Description, FittedSeries, Method, Quantiles, Series, SeriesModel};
use crate::error::{Error, Result};
use crate::optimise::{Stop, nelder_mead, on_interval};
use crate::statistics::{Demand, DemandClass};

/// The range of estimated smoothing parameters: intermittent demand has too little information for larger ones
/// (Syntetos & Boylan 2005, *International Journal of Forecasting* 21, advise 0.05 to 0.2).
const ALPHA: (f64, f64) = (0.1, 0.3);

macro_rules! method {
    ($method:ident, $rule:ident, $name:literal, $title:literal, $summary:literal, $also:literal, $similar:expr, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $method {
            /// The smoothing parameter, between 0 and 1; estimated by least squares if not given.
            pub alpha: Option<f64>,
            /// The distribution of demand in a step.
            pub distribution: CountDistribution,
        }

        impl Method for $method {
            const NAME: &str = $name;
            const TITLE: &str = $title;
            const SUMMARY: &str = $summary;
            const EXAMPLE: &str = concat!($name, "(alpha=0.1)");
            const ALSO: &str = $also;
            const SIMILAR: &[(&str, &str)] = &$similar;
            const SEARCH: &[(&str, &[&str])] = &[("alpha", &["0.02..0.5 log"]), DISTRIBUTIONS];
            type Scope = crate::models::Local;
            type Fitted = FittedIntermittent;

            fn check(&self) -> Result<()> {
                check("alpha", self.alpha)
            }
        }

        impl SeriesModel for $method {
            fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
                fit($name, series, self.distribution, |values, demand| Rule::$rule(self.alpha, values, demand))
            }
        }
    };
}

method!(
    Croston,
    croston,
    "croston",
    "Croston's method",
    "Croston's method: smoothed demand size over smoothed interval",
    "croston method",
    [
        (
            "croston classic, croston optimized, croston optimised",
            "its parameter is estimated; croston(alpha=0.1) is the classic one"
        ),
        (
            "intermittent, intermittent demand",
            "the oldest method for intermittent demand, beside `sba`, `tsb`, `adida` and `imapa`"
        ),
    ],
    "Options of `croston`."
);
method!(
    Sba,
    sba,
    "sba",
    "Syntetos–Boylan approximation",
    "Croston's method with the correction of Syntetos and Boylan",
    "croston sba, syntetos boylan, syntetos boylan approximation",
    [("sbj", "the earlier correction; that of Shale, Boylan and Johnston is not here")],
    "Options of `sba`."
);
method!(
    Adida,
    adida,
    "adida",
    "Aggregation and disaggregation (ADIDA)",
    "Level of sums over a mean demand interval",
    "aggregate disaggregate",
    [],
    "Options of `adida`."
);
method!(
    Imapa,
    imapa,
    "imapa",
    "Multiple aggregation (IMAPA)",
    "Mean level of sums over 1 step to a mean demand interval",
    "",
    [("mapa, multiple aggregation", "the mean over levels of aggregation, for intermittent demand")],
    "Options of `imapa`."
);

/// Options of `tsb`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tsb {
    /// The smoothing parameter of demand sizes, between 0 and 1; estimated by least squares if not given.
    pub alpha: Option<f64>,
    /// The smoothing parameter of the probability of a demand.
    pub beta: Option<f64>,
    /// The distribution of demand in a step.
    pub distribution: CountDistribution,
}

impl Method for Tsb {
    const NAME: &str = "tsb";
    const TITLE: &str = "Teunter–Syntetos–Babai method";
    const SUMMARY: &str =
        "Demand size times the probability of a demand (Teunter–Syntetos–Babai), which decays without sales";
    const EXAMPLE: &str = "tsb(alpha=0.1, beta=0.1)";
    const ALSO: &str = "teunter syntetos babai, croston tsb";
    const SEARCH: &[(&str, &[&str])] = &[("alpha", &["0.02..0.5 log"]), ("beta", &["0.01..0.5 log"]), DISTRIBUTIONS];
    type Scope = crate::models::Local;
    type Fitted = FittedIntermittent;

    fn check(&self) -> Result<()> {
        check("alpha", self.alpha)?;
        check("beta", self.beta)
    }
}

impl SeriesModel for Tsb {
    fn fit(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        fit(Self::NAME, series, self.distribution, |values, _| Rule::tsb(self.alpha, self.beta, values))
    }
}

const DISTRIBUTIONS: (&str, &[&str]) = ("distribution", &["negative-binomial", "zero-inflated", "bootstrap"]);

fn check(name: &str, alpha: Option<f64>) -> Result<()> {
    match alpha {
        Some(alpha) if !(alpha > 0.0 && alpha <= 1.0) => {
            Err(Error::usage(format!("`{name}` lies between 0 and 1, not at {alpha}")))
        }
        _ => Ok(()),
    }
}

/// How a method goes from step to step, with its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Rule {
    /// Size over interval, times a factor.
    Ratio { sizes: f64, intervals: f64, factor: f64 },
    /// Size times probability.
    Fading { sizes: f64, probability: f64 },
    /// The mean level of sums over so many steps, each with its smoothing parameter.
    Sums(Vec<(usize, f64)>),
}

impl Rule {
    fn croston(alpha: Option<f64>, _: &[f64], demand: &Demand) -> Self {
        let of = |values: &[f64]| alpha.unwrap_or_else(|| best_alpha(values));
        Self::Ratio { sizes: of(&demand.sizes), intervals: of(&demand.intervals), factor: 1.0 }
    }

    fn sba(alpha: Option<f64>, values: &[f64], demand: &Demand) -> Self {
        match Self::croston(alpha, values, demand) {
            Self::Ratio { sizes, intervals, .. } => Self::Ratio { sizes, intervals, factor: 1.0 - intervals / 2.0 },
            other => other,
        }
    }

    fn tsb(alpha: Option<f64>, beta: Option<f64>, values: &[f64]) -> Self {
        let scale = values.iter().fold(0.0, |most: f64, y| most.max(y.abs())).max(f64::MIN_POSITIVE);
        let scaled: Vec<f64> = values.iter().map(|y| y / scale).collect();
        let rule = |at: &[f64]| Self::Fading { sizes: alpha.unwrap_or(at[0]), probability: beta.unwrap_or(at[1]) };
        let squares = |at: &[f64]| {
            let rates = rule(at).rates(&scaled);
            rates.iter().zip(&scaled).map(|(rate, y)| (y - rate).powi(2)).filter(|e| !e.is_nan()).sum::<f64>()
        };
        let start = [0.15, 0.15];
        let bounds = [ALPHA, (0.01, ALPHA.1)];
        let stop = Stop { tolerance: 1e-6, evaluations: 80 };
        rule(&if alpha.is_some() && beta.is_some() {
            start.to_vec()
        } else {
            nelder_mead(squares, &start, &bounds, stop).at
        })
    }

    fn adida(alpha: Option<f64>, values: &[f64], demand: &Demand) -> Self {
        let steps = demand.wait();
        Self::Sums(vec![(steps, alpha.unwrap_or_else(|| best_alpha(&sums(values, steps))))])
    }

    fn imapa(alpha: Option<f64>, values: &[f64], demand: &Demand) -> Self {
        let most = demand.wait();
        let one = |steps: usize| (steps, alpha.unwrap_or_else(|| best_alpha(&sums(values, steps))));
        Self::Sums((1..=most).map(one).collect())
    }

    /// What was forecast of each step, NaN where nothing was known, and of the one after the last.
    fn rates(&self, values: &[f64]) -> Vec<f64> {
        match self {
            Self::Ratio { sizes, intervals, factor } => {
                let (mut size, mut interval, mut since) = (f64::NAN, f64::NAN, 0.0);
                let mut rates = vec![f64::NAN];
                for y in values {
                    if !y.is_nan() {
                        since += 1.0;
                        if *y != 0.0 {
                            size = if size.is_nan() { *y } else { size + sizes * (y - size) };
                            interval =
                                if interval.is_nan() { since } else { interval + intervals * (since - interval) };
                            since = 0.0;
                        }
                    }
                    rates.push(factor * size / interval);
                }
                rates
            }
            Self::Fading { sizes, probability } => {
                let (mut size, mut chance) = (f64::NAN, f64::NAN);
                let mut rates = vec![f64::NAN];
                for y in values {
                    if !y.is_nan() {
                        let sold = f64::from(*y != 0.0);
                        chance = if chance.is_nan() { sold } else { chance + probability * (sold - chance) };
                        if *y != 0.0 {
                            size = if size.is_nan() { *y } else { size + sizes * (y - size) };
                        }
                    }
                    rates.push(if size.is_nan() { f64::NAN } else { chance * size });
                }
                rates
            }
            Self::Sums(levels) => {
                let mut rates = vec![0.0; values.len() + 1];
                for (steps, alpha) in levels {
                    let share = 1.0 / (*steps as f64 * levels.len() as f64);
                    let mut sum = 0.0;
                    // The level at each place of a sum's beginning: sums that end at a step follow each other by `steps`.
                    let mut ladder = vec![f64::NAN; *steps];
                    for t in 0..=values.len() {
                        let level = &mut ladder[t % steps];
                        if t >= *steps {
                            *level = if level.is_nan() { sum } else { *level + alpha * (sum - *level) };
                        }
                        rates[t] += share * *level;
                        if let Some(y) = values.get(t) {
                            sum += y;
                            if t >= *steps {
                                sum -= values[t - steps];
                            }
                        }
                    }
                }
                rates
            }
        }
    }

    fn parameters(&self) -> Vec<(String, f64)> {
        let named = |pairs: &[(&str, f64)]| pairs.iter().map(|(name, value)| ((*name).to_string(), *value)).collect();
        match self {
            Self::Ratio { sizes, intervals, .. } if sizes == intervals => named(&[("alpha", *sizes)]),
            Self::Ratio { sizes, intervals, .. } => {
                named(&[("alpha of sizes", *sizes), ("alpha of intervals", *intervals)])
            }
            Self::Fading { sizes, probability } => named(&[("alpha", *sizes), ("beta", *probability)]),
            Self::Sums(levels) => match levels[..] {
                [(steps, alpha)] => named(&[("steps", steps as f64), ("alpha", alpha)]),
                _ => named(&[("most steps", levels.len() as f64)]),
            },
        }
    }
}

/// The smoothing parameter with the least squared one-step errors.
fn best_alpha(values: &[f64]) -> f64 {
    let Some((first, rest)) = values.split_first() else { return ALPHA.0 };
    // A size of 1e300 has no square.
    let scale = values.iter().fold(0.0, |most: f64, v| most.max(v.abs())).max(f64::MIN_POSITIVE);
    on_interval(ALPHA, |alpha| {
        let step = |(level, sum): (f64, f64), value: &f64| {
            let error = value / scale - level;
            (level + alpha * error, sum + error * error)
        };
        rest.iter().fold((first / scale, 0.0), step).1
    })
}

/// The sums over so many steps each, the last of which ends with the series.
fn sums(values: &[f64], steps: usize) -> Vec<f64> {
    values[values.len() % steps..].chunks_exact(steps).map(|chunk| chunk.iter().sum()).collect()
}

/// A fitted method for intermittent demand.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FittedIntermittent {
    name: String,
    rule: Rule,
    class: Option<DemandClass>,
    asked: CountDistribution,
    residuals: Vec<f64>,
    rate: f64,
    counts: Counts,
}

fn fit(
    name: &str,
    series: &Series,
    distribution: CountDistribution,
    rule: impl Fn(&[f64], &Demand) -> Rule,
) -> Result<Box<dyn FittedSeries>> {
    let observed: Vec<f64> = observed(series.values)?;
    let rule = rule(&observed, &Demand::of(&observed));
    Ok(Box::new(FittedIntermittent::new(name, rule, distribution, series.values, &observed)))
}

/// The values that are not missing.
fn observed(values: &[f64]) -> Result<Vec<f64>> {
    let observed: Vec<f64> = values.iter().copied().filter(|y| !y.is_nan()).collect();
    match observed.iter().find(|y| **y < 0.0) {
        Some(negative) => Err(Error::model(format!(
            "methods for intermittent demand need values of at least 0, and the series has {}; returns are another series",
            crate::show::number(*negative)
        ))),
        None if observed.is_empty() => Err(Error::model("the series has no values")),
        None => Ok(observed),
    }
}

impl FittedIntermittent {
    fn new(name: &str, rule: Rule, asked: CountDistribution, values: &[f64], observed: &[f64]) -> Self {
        let demand = Demand::of(observed);
        let (rates, rate) = match demand.class() {
            // There was no demand.
            None => (vec![0.0; observed.len()], 0.0),
            Some(_) => {
                let mut rates = rule.rates(observed);
                let rate = rates.pop().filter(|rate| rate.is_finite());
                // Too short for sums: the mean.
                (rates, rate.unwrap_or_else(|| observed.iter().map(|y| y / observed.len() as f64).sum()))
            }
        };
        let counts = Counts::new(asked, observed, &rates);
        let mut errors = rates.iter().zip(observed).map(|(rate, y)| y - rate);
        let error = |y: &f64| if y.is_nan() { f64::NAN } else { errors.next().unwrap_or(f64::NAN) };
        let residuals = values.iter().map(error).collect();
        Self { name: name.into(), rule, class: demand.class(), asked, residuals, rate, counts }
    }
}

impl FittedSeries for FittedIntermittent {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        Ok(vec![self.rate; ahead.horizon])
    }

    fn std_dev(&self, ahead: &Ahead) -> Vec<f64> {
        self.counts.std_dev(&vec![self.rate; ahead.horizon], ahead)
    }

    fn quantiles(&self, ahead: &Ahead) -> Option<Quantiles> {
        Some(self.counts.quantiles(&vec![self.rate; ahead.horizon], ahead))
    }

    fn residuals(&self) -> &[f64] {
        &self.residuals
    }

    fn describe(&self) -> Description {
        let class = self.class.map_or("no demand", DemandClass::name);
        Description {
            specification: format!("{}, {class}, {}", self.name, self.counts.name()),
            parameters: self.rule.parameters(),
            ..Description::default()
        }
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let observed = observed(series.values)?;
        Ok(Box::new(Self::new(&self.name, self.rule.clone(), self.asked, series.values, &observed)))
    }
}
