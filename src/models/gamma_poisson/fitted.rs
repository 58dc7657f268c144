//! A fitted panel: levels at the end of each series, indices, dispersion; how it is fitted, brought up to date, and what it forecasts.

use serde::{Deserialize, Serialize};

use super::GammaPoisson;
use super::estimate::{Groupings, Sales, Smoothing, season};
use crate::error::{Error, Result};
use crate::fitting::{Support, decode, encode, end};
use crate::models::intermittent::count_quantiles;
use crate::models::{Description, Fitted, Quantiles, Restore, StepDistribution};
use crate::panel::{Future, Groups, Normalise, Panel, median};

/// The least mean of a step, in units.
const LEAST: f64 = 0.02;
/// The mean of the typical series of sales that are no counts, in units: a step tells as much as so many counted items.
const UNITS: f64 = 10.0;
/// The largest sum of a series that is served: its square is still a number.
const LARGEST: f64 = 1e100;
/// Steps at the start of a series whose levels are those of the prior.
const UNSETTLED: usize = 5;
/// The weight of the typical coefficient of variation in that of a series, in steps.
const PRIOR_VARIATION: f64 = 20.0;
/// The coefficients of variation that are believed, squared.
const VARIATION: (f64, f64) = (1e-8, 1e4);
/// Errors that an estimate of the dispersion takes at least.
const LEAST_ERRORS: usize = 30;

/// A fitted `gamma_poisson`.
#[derive(Clone)]
pub struct FittedGammaPoisson {
    kept: Saved,
    failures: Vec<Option<Error>>,
}

/// What is kept in a file.
#[derive(Clone, Serialize, Deserialize)]
struct Saved {
    season: usize,
    power: f64,
    smoothing: Smoothing,
    /// The calendar position of the first step of the indices.
    base: i64,
    /// The indices of combinations of groups, and which of them each series has.
    indices: Vec<Vec<f64>>,
    of: Vec<usize>,
    /// What a unit of the estimates is in the data: 1 for counts.
    unit: f64,
    spread: Spread,
    /// The level at the end of each series, in units.
    levels: Vec<f64>,
    /// The errors one step ahead, in the data's own unit.
    residuals: Vec<Vec<f64>>,
    failures: Vec<Option<String>>,
}

/// How demand varies around its mean.
#[derive(Clone, Serialize, Deserialize)]
enum Spread {
    /// Negative binomial counts with dispersion exp(c₀ + c₁ log μ).
    Counts { c0: f64, c1: f64 },
    /// The squared coefficient of variation of each series.
    Relative(Vec<f64>),
}

impl FittedGammaPoisson {
    pub(super) fn of(options: &GammaPoisson, train: &Panel) -> Result<Box<dyn Fitted>> {
        let mut failures = vec![None; train.len()];
        if train.columns().normalise != Normalise::None {
            let reason = "gamma_poisson is a model of demand as it is, and the panel is normalised: leave that out";
            failures.fill(Some(reason.to_string()));
        }
        let (mut values, first, base) = known(train, &mut failures)?;
        let served = |failures: &[Option<String>], values: &[Vec<f64>]| {
            let mut order: Vec<usize> = (0..values.len()).filter(|i| failures[*i].is_none()).collect();
            order.sort_by(|a, b| by_content((first[*a], &values[*a]), (first[*b], &values[*b])));
            order
        };
        let order = served(&failures, &values);
        let unit = unit(order.iter().map(|i| &values[*i]));
        for i in &order {
            values[*i].iter_mut().for_each(|y| *y /= unit);
            if out_of_range(&values[*i]) {
                failures[*i] = Some("its sales are out of all proportion to those of the other series".into());
                values[*i].clear();
            }
        }
        let order = served(&failures, &values);
        let steps = order.iter().map(|i| first[*i] + values[*i].len()).max().unwrap_or(0);
        let season = options.season.unwrap_or(train.season());
        let sales = Sales { values, first, steps, order };
        let half = options.window.unwrap_or((season / 4).max(13));
        let (indices, of) = match season {
            0 | 1 => (vec![vec![1.0; steps]], vec![0; train.len()]),
            _ => sales.indices(&groupings(options, train)?, half),
        };
        let half_life = options.half_life.unwrap_or_else(|| {
            let short = train.frequency().is_day_or_part();
            if short { 8.0 * season.max(1) as f64 } else { 8.0 }
        });
        let slow_half_life = options.slow_half_life.unwrap_or(13.0 * half_life);
        let typical = sales.typical(&indices, &of, slow_half_life);
        let smoothing = Smoothing { half_life, slow_half_life, prior: options.prior, typical, floor: options.floor };
        let kept = Saved {
            season,
            power: options.power,
            smoothing,
            base,
            indices,
            of,
            unit,
            spread: Spread::Relative(Vec::new()),
            levels: Vec::new(),
            residuals: Vec::new(),
            failures,
        };
        let mut fit = Self { failures: Vec::new(), kept };
        fit.smooth(&sales);
        fit.kept.spread = fit.spread(options, &sales);
        Ok(Box::new(fit))
    }

    /// Levels and errors of sales in units.
    fn smooth(&mut self, sales: &Sales) {
        let kept = &mut self.kept;
        (kept.levels, kept.residuals) = (Vec::new(), Vec::new());
        for (i, values) in sales.values.iter().enumerate() {
            let (index, first) = (&kept.indices[kept.of[i]], sales.first[i]);
            let levels = kept.smoothing.levels(values, index.get(first..).unwrap_or_default());
            // The index of a step holds what all series had in common then: its season is that of the seasons before.
            let error = |(t, (y, level)): (usize, (&f64, &f64))| {
                if t < UNSETTLED || y.is_nan() {
                    return f64::NAN;
                }
                let before = &index[..(first + t).min(index.len())];
                kept.unit * (y - (level * season(before, first + t, kept.season, kept.power)).max(LEAST))
            };
            kept.residuals.push(values.iter().zip(&levels).enumerate().map(error).collect());
            kept.levels.push(levels.last().copied().unwrap_or(f64::NAN));
        }
        self.failures = kept.failures.iter().map(|why| why.as_deref().map(Error::model)).collect();
    }

    /// How demand varies around its mean, by the errors one step ahead.
    fn spread(&self, options: &GammaPoisson, sales: &Sales) -> Spread {
        let kept = &self.kept;
        let pairs = |i: usize| {
            let errors = kept.residuals[i].iter().map(move |error| error / kept.unit);
            // The first season has none before it.
            let skipped = if sales.values[i].len() >= 2 * kept.season { kept.season } else { 0 };
            let means = errors.zip(&sales.values[i]).skip(skipped).map(|(error, y)| (y - error, error));
            means.filter(|(_, error)| !error.is_nan())
        };
        if kept.unit == 1.0 && sales.values.iter().flatten().all(|y| y.is_nan() || y.fract() == 0.0) {
            let [c0, c1] = match options.dispersion.as_slice() {
                [c0, c1] => [*c0, *c1],
                _ => dispersion(sales.order.iter().flat_map(|i| pairs(*i))),
            };
            return Spread::Counts { c0, c1 };
        }
        let own = |i: usize| {
            let sums = pairs(i)
                .fold((0.0, 0.0, 0.0), |(e, m, n), (mean, error)| (e + error * error, m + mean * mean, n + 1.0));
            (sums.0 / sums.1, sums.2)
        };
        let each: Vec<(f64, f64)> = (0..sales.values.len()).map(own).collect();
        let typical = median(each.iter().map(|(variation, _)| *variation).collect());
        let typical = if typical.is_finite() { typical } else { 1.0 };
        let shrunk = |(own, n): (f64, f64)| {
            let own = if own.is_finite() { own } else { typical };
            ((n * own + PRIOR_VARIATION * typical) / (n + PRIOR_VARIATION)).clamp(VARIATION.0, VARIATION.1)
        };
        Spread::Relative(each.into_iter().map(shrunk).collect())
    }
}

/// Sums do not depend on what series are called: they are taken in the order of what is known of them.
fn by_content(a: (usize, &[f64]), b: (usize, &[f64])) -> std::cmp::Ordering {
    let differ = a.1.iter().zip(b.1).map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne());
    a.0.cmp(&b.0).then(differ.unwrap_or(std::cmp::Ordering::Equal)).then(a.1.len().cmp(&b.1.len()))
}

fn sum(values: &[f64]) -> f64 {
    values.iter().filter(|y| !y.is_nan()).sum()
}

/// Are there more sales than can be reckoned with?
fn out_of_range(values: &[f64]) -> bool {
    let all = sum(values);
    all.is_nan() || all >= LARGEST
}

/// What is known of demand: by series from its first step on, NaN where it is not known; its first step; and the position of the
/// first step of all. A series that cannot be served is empty, with the reason among the failures.
fn known(panel: &Panel, failures: &mut [Option<String>]) -> Result<(Vec<Vec<f64>>, Vec<usize>, i64)> {
    let available = panel.available_rows()?;
    let mut values = Vec::with_capacity(panel.len());
    for (i, failure) in failures.iter_mut().enumerate() {
        let mut y = panel.regular(i).into_owned();
        if let Some(available) = &available {
            let shares = panel.available(i, available);
            y.iter_mut().zip(&*shares).filter(|(_, share)| **share < 1.0).for_each(|(y, _)| *y = f64::NAN);
        }
        let reason = match y.iter().copied().find(|y| *y < 0.0) {
            // An item that was never in stock has the typical level.
            _ if y.iter().all(|y| y.is_nan()) && (available.is_none() || y.is_empty()) => {
                Some("the series has no values".into())
            }
            Some(y) => Some(format!(
                "demand is not negative, and the series has {}: clean it with negatives = \"clip\" or \"apart\"",
                crate::show::number(y)
            )),
            None if out_of_range(&y) => Some("the series leaves the range of numbers".into()),
            None => None,
        };
        *failure = failure.take().or(reason);
        values.push(if failure.is_some() { Vec::new() } else { y });
    }
    if values.iter().flatten().all(|y| y.is_nan()) {
        let unknown = "the panel has no values of steps in which its items could be sold";
        failures.iter_mut().filter(|failure| failure.is_none()).for_each(|failure| *failure = Some(unknown.into()));
        values.iter_mut().for_each(Vec::clear);
    }
    let start = |i: usize| panel.positions(i).first().copied();
    let base = (0..panel.len()).filter(|i| failures[*i].is_none()).filter_map(start).min().unwrap_or(0);
    let first = |i: usize| start(i).and_then(|start| usize::try_from(start - base).ok()).unwrap_or(0);
    Ok((values, (0..panel.len()).map(first).collect(), base))
}

/// 1 for counts; for other sales so much that the typical series has a mean of [`UNITS`].
fn unit<'a>(values: impl Iterator<Item = &'a Vec<f64>> + Clone) -> f64 {
    if values.clone().flatten().all(|y| y.is_nan() || y.fract() == 0.0) {
        return 1.0;
    }
    let mean = |values: &Vec<f64>| sum(values) / values.iter().filter(|y| !y.is_nan()).count() as f64;
    let typical = median(values.map(mean).filter(|mean| *mean > 0.0).collect()) / UNITS;
    if typical.is_finite() { typical.max(f64::MIN_POSITIVE) } else { 1.0 }
}

/// The groupings of the options, or the fixed covariates that divide the series into groups of several, the coarsest first.
fn groupings(options: &GammaPoisson, panel: &Panel) -> Result<Groupings> {
    let names = match &options.groups {
        Some(names) => names.clone(),
        None => {
            let columns = panel.columns();
            let mut found: Vec<(usize, String)> = Vec::new();
            for name in columns.with_role(crate::panel::Role::Fixed) {
                let groups = Groups::by(name, panel)?.names.len();
                if groups > 1 && 2 * groups <= panel.len() {
                    found.push((groups, name.to_string()));
                }
            }
            found.sort();
            found.into_iter().map(|(_, name)| name).collect()
        }
    };
    let prior = |place: usize| options.group_prior.get(place).or(options.group_prior.last()).copied().unwrap_or(500.0);
    names.iter().enumerate().map(|(place, name)| Ok((Groups::by(name, panel)?.of, prior(place)))).collect()
}

/// c₀ and c₁ of the dispersion exp(c₀ + c₁ log μ): by moments within classes of the mean, then least squares over classes.
fn dispersion(pairs: impl Iterator<Item = (f64, f64)>) -> [f64; 2] {
    let mut classes: std::collections::BTreeMap<i64, [f64; 4]> = std::collections::BTreeMap::new();
    for (mean, error) in pairs {
        let sums = classes.entry(mean.ln().floor() as i64).or_default();
        let of = [1.0, mean, mean * mean, error * error - mean];
        sums.iter_mut().zip(of).for_each(|(sum, one)| *sum += one);
    }
    let usable = classes.values().filter(|[n, _, _, excess]| *n >= LEAST_ERRORS as f64 && *excess > 0.0);
    let points: Vec<(f64, f64, f64)> =
        usable.map(|[n, mean, square, excess]| (*n, (mean / n).ln(), (excess / square).ln())).collect();
    let (n, x, y) = points.iter().fold((0.0, 0.0, 0.0), |(n, x, y), (w, a, b)| (n + w, x + w * a, y + w * b));
    if n == 0.0 {
        return [-10.0, 0.0];
    }
    let (x, y) = (x / n, y / n);
    let (xy, xx) =
        points.iter().fold((0.0, 0.0), |(xy, xx), (w, a, b)| (xy + w * (a - x) * (b - y), xx + w * (a - x).powi(2)));
    let slope = if xx > 0.0 { (xy / xx).clamp(-1.0, 1.0) } else { 0.0 };
    [y - slope * x, slope]
}

impl Fitted for FittedGammaPoisson {
    fn failure(&self, series: usize) -> Option<&Error> {
        self.failures[series].as_ref()
    }

    fn forecast(&self, future: &Future, series: usize) -> Result<StepDistribution> {
        if let Some(error) = &self.failures[series] {
            return Err(error.clone());
        }
        let kept = &self.kept;
        let (level, index) = (kept.levels[series], &kept.indices[kept.of[series]]);
        let start = usize::try_from(future.start(series) - kept.base)
            .map_err(|_| Error::usage("the future starts before the data"))?;
        let in_units: Vec<f64> = (start..start + future.horizon())
            .map(|step| (level * season(index, step, kept.season, kept.power)).max(LEAST))
            .collect();
        let mean: Vec<f64> = in_units.iter().map(|mean| kept.unit * mean).collect();
        match &kept.spread {
            Spread::Counts { c0, c1 } => {
                let variance = |mean: &f64| mean + (c0 + c1 * mean.ln()).exp() * mean * mean;
                let sd: Vec<f64> = mean.iter().map(|mean| variance(mean).sqrt()).collect();
                let quantiles = count_quantiles(&mean, &sd);
                let forecast = StepDistribution::normal(mean, sd).with_quantiles(Some(quantiles));
                Ok(forecast.of_independent_counts())
            }
            Spread::Relative(variations) => {
                let variation = variations[series];
                let log_sd = variation.ln_1p().sqrt();
                let sd: Vec<f64> = mean.iter().map(|mean| variation.sqrt() * mean).collect();
                let quantiles = Quantiles::by(&mean, &sd, Support::Positive, |step, deviates| {
                    deviates.iter().map(|z| mean[step] * (log_sd * (z - log_sd / 2.0)).exp()).collect()
                });
                Ok(StepDistribution::normal(mean, sd).with_quantiles(Some(quantiles)))
            }
        }
    }

    fn residuals(&self, series: usize) -> &[f64] {
        &self.kept.residuals[series]
    }

    fn describe(&self, series: usize) -> Description {
        let mut parameters = vec![("level".to_string(), self.kept.unit * self.kept.levels[series])];
        match &self.kept.spread {
            Spread::Counts { c0, c1 } => parameters.extend([("c0".to_string(), *c0), ("c1".to_string(), *c1)]),
            Spread::Relative(variations) => {
                parameters.extend(variations.get(series).map(|v| ("variation".to_string(), v.sqrt())));
            }
        }
        Description { parameters, ..Description::default() }
    }

    fn update(&self, train: &Panel) -> Result<Box<dyn Fitted>> {
        let mut fit = self.clone();
        let kept = &mut fit.kept;
        let (mut values, mut first, base) = known(train, &mut kept.failures)?;
        // Positions count from the first step of the fit.
        let later = usize::try_from(base - kept.base).unwrap_or(0);
        first.iter_mut().for_each(|first| *first += later);
        values.iter_mut().flatten().for_each(|y| *y /= kept.unit);
        let base = kept.base;
        let served = (0..train.len()).filter(|i| kept.failures[*i].is_none());
        let steps = served.map(|i| end(train, i) - base).max().and_then(|steps| usize::try_from(steps).ok());
        // A later step has the season that was forecast for it.
        for index in &mut kept.indices {
            let known = index.len();
            for step in known..steps.unwrap_or(known) {
                index.push(season(index, step, kept.season, 1.0));
            }
        }
        fit.smooth(&Sales { values, first, steps: steps.unwrap_or(0), order: Vec::new() });
        Ok(Box::new(fit))
    }

    fn simulate(&self, _: &Future, _: usize, mean: &[f64], shocks: &[f64], path: &mut [f64]) -> Result<()> {
        let lead = shocks.len() - path.len();
        for ((cell, mean), shock) in path.iter_mut().zip(mean).zip(&shocks[lead..]) {
            *cell = mean + shock;
        }
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>> {
        encode(&self.kept)
    }
}

impl Restore for FittedGammaPoisson {
    fn load(bytes: &[u8], panel: &Panel) -> Result<Box<dyn Fitted>> {
        let kept: Saved = decode(bytes)?;
        let lengths = [kept.of.len(), kept.levels.len(), kept.residuals.len(), kept.failures.len()];
        let spread = match &kept.spread {
            Spread::Counts { .. } => panel.len(),
            Spread::Relative(variations) => variations.len(),
        };
        if lengths != [panel.len(); 4] || spread != panel.len() || kept.of.iter().any(|of| *of >= kept.indices.len()) {
            return Err(Error::data("the saved fit is damaged"));
        }
        let failures = kept.failures.iter().map(|why| why.as_deref().map(Error::model)).collect();
        Ok(Box::new(Self { kept, failures }))
    }
}
