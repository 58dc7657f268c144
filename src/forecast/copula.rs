//! The dependence over steps and series, where only quantiles are known.
//!
//! Means and quantiles of single steps leave the dependence open, and a total depends on it. Paths are then drawn from a
//! Gaussian copula with one factor: z(i) = √ρ·L·f + √(1−ρ)·L·e(i), where f is common to all series, e(i) belongs to series i,
//! both are standard normal, and LLᵀ is the correlation of the steps. The ranks of z are laid onto the quantiles.
//!
//! | dependence | correlation of steps | of series |
//! |---|---|---|
//! | [`Comonotone`](Dependence::Comonotone) | 1 | 1 |
//! | [`Independent`](Dependence::Independent) | 0 | 0 |
//! | [`Copula`](Dependence::Copula) | `steps` to the power of their distance | `series` |
//! | saved with a forecast of ours | estimated from its paths | estimated from its paths |
//!
//! **The default** is comonotone: all steps and series are high or low together. It is no estimate but the conservative
//! end: among all joint distributions with the same quantiles it has the greatest total in convex order (Dhaene et
//! al. 2002), so that intervals of a total are too wide rather than too narrow, and the expected cost of a stock too high
//! rather than too low. Independence, the other simple choice, errs on the side that looks precise.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ndarray::Array2;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::paths::{PathSource, Sampler, deviates, lay};
use super::{Forecast, Inner, unanswered};
use crate::error::{Error, Result};
use crate::models::standard_normal;
use crate::options;
use crate::panel::order::mixed;

/// The dependence over steps and series in the sample paths of a forecast whose file does not contain it.
///
/// ```
/// use tradewind::prelude::*;
/// assert_eq!("independent".parse::<Dependence>()?, Dependence::Independent);
/// assert_eq!("copula(steps=0.7, series=0.1)".parse::<Dependence>()?, Dependence::Copula { steps: 0.7, series: 0.1 });
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Dependence {
    /// All steps and series are high or low together: the widest possible total.
    Comonotone,
    /// Steps and series are independent: totals are far too narrow if they are not.
    Independent,
    /// A Gaussian copula.
    Copula {
        /// The correlation of a step with the next one, from 0 to 1; it falls geometrically with their distance.
        steps: f64,
        /// The correlation of two series in the same step, from 0 to 1.
        series: f64,
    },
}

impl fmt::Display for Dependence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Comonotone => f.write_str("comonotone"),
            Self::Independent => f.write_str("independent"),
            Self::Copula { steps, series } => write!(f, "copula(steps={steps}, series={series})"),
        }
    }
}

impl FromStr for Dependence {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        #[derive(Default, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        struct Correlations {
            steps: f64,
            series: f64,
        }
        let refused = || {
            Error::usage(format!(
                "`{text}` is no dependence; state comonotone, independent or copula(steps=0.7, series=0.1)"
            ))
        };
        match text.trim() {
            "comonotone" => Ok(Self::Comonotone),
            "independent" => Ok(Self::Independent),
            text => {
                let inside =
                    text.strip_prefix("copula(").and_then(|rest| rest.strip_suffix(')')).ok_or_else(refused)?;
                let Correlations { steps, series } = options::read("copula", options::parse(inside)?)?;
                Ok(Self::Copula { steps, series })
            }
        }
    }
}

/// A Gaussian copula over the steps and series of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Copula {
    /// The correlations of the steps, row by row.
    steps: Vec<Vec<f64>>,
    /// The correlation of two series in the same step.
    series: f64,
}

/// Series that a copula is estimated from, and the paths of each.
const SERIES: usize = 64;
const PATHS: usize = 500;

impl Copula {
    fn of(dependence: Dependence, horizon: usize) -> Result<Self> {
        let (near, series) = match dependence {
            Dependence::Comonotone => (1.0, 1.0),
            Dependence::Independent => (0.0, 0.0),
            Dependence::Copula { steps, series } => (steps, series),
        };
        if ![near, series].iter().all(|correlation| (0.0..=1.0).contains(correlation)) {
            return Err(Error::usage(format!("the correlations of {dependence} must lie between 0 and 1")));
        }
        let correlation = |a: usize, b: usize| near.powi(a.abs_diff(b) as i32);
        let steps = (0..horizon).map(|a| (0..horizon).map(|b| correlation(a, b)).collect()).collect();
        Ok(Self { steps, series })
    }

    /// The copula estimated from the paths of a forecast: correlations of normal scores over the steps, and over the series
    /// in the same step, each averaged over up to 64 series.
    ///
    /// # Errors
    /// When paths cannot be drawn.
    pub(super) fn estimated(forecast: &Forecast, model: usize) -> Result<Option<Self>> {
        let drawn = |i: &usize| forecast.cell(model, *i).is_some_and(|cell| cell.is_spread());
        let all: Vec<usize> = (0..forecast.len()).filter(drawn).collect();
        if all.is_empty() {
            return Ok(None);
        }
        let (h, count) = (forecast.horizon(), all.len().min(SERIES));
        let sampler = forecast.0.source.sampler(forecast, model, PATHS, 0)?;
        let normal = deviates(PATHS);
        let length: f64 = normal.iter().map(|z| z * z).sum();
        let mut steps = vec![vec![0.0; h]; h];
        let mut sum = Array2::<f64>::zeros((PATHS, h));
        for k in 0..count {
            let mut paths = sampler.draw(all[k * all.len() / count])?;
            for mut column in paths.columns_mut() {
                let mut order: Vec<usize> = (0..PATHS).collect();
                order.sort_by(|a, b| column[*a].total_cmp(&column[*b]));
                order.iter().zip(&normal).for_each(|(n, z)| column[*n] = *z);
            }
            for (a, row) in steps.iter_mut().enumerate() {
                for (b, cell) in row.iter_mut().enumerate() {
                    *cell += paths.column(a).dot(&paths.column(b)) / length / count as f64;
                }
            }
            sum += &paths;
        }
        // All pairs at once: the square of a sum is that of its parts and twice their products.
        let pairs = (count * (count - 1)) as f64;
        let square = sum.iter().map(|z| z * z).sum::<f64>() / length / h as f64;
        let series = if count > 1 { ((square - count as f64) / pairs).clamp(0.0, 1.0) } else { 0.0 };
        Ok(Some(Self { steps, series }))
    }

    /// The lower triangle L with LLᵀ the correlation of the steps; a step that others determine has no part of its own.
    fn factor(&self) -> Vec<Vec<f64>> {
        const NONE: f64 = 1e-9;
        let h = self.steps.len();
        let mut factor = vec![vec![0.0; h]; h];
        for a in 0..h {
            for b in 0..=a {
                let known: f64 = (0..b).map(|k| factor[a][k] * factor[b][k]).sum();
                let rest = self.steps[a][b] - known;
                factor[a][b] = match a == b {
                    true => rest.max(0.0).sqrt(),
                    false if factor[b][b] > NONE => rest / factor[b][b],
                    false => 0.0,
                };
            }
        }
        factor
    }
}

/// Draws paths from a copula for each model.
pub(super) struct Copulas {
    models: Vec<Copula>,
    assumption: Option<String>,
}

impl Copulas {
    /// The same for all models, as given.
    pub(super) fn stated(dependence: Dependence, horizon: usize, models: usize) -> Result<Self> {
        let words = format!("{dependence} over steps and series, as stated");
        Ok(Self { models: vec![Copula::of(dependence, horizon)?; models], assumption: Some(words) })
    }

    /// The default.
    pub(super) fn assumed(horizon: usize, models: usize, has_paths: bool) -> Result<Self> {
        let words = "comonotone, since the file does not tell how steps and series move together: intervals of sums are as \
                     wide as they can be; state another dependence if you know it";
        let models = vec![Copula::of(Dependence::Comonotone, horizon)?; models];
        Ok(Self { models, assumption: has_paths.then(|| words.into()) })
    }

    /// One for each model, as it was saved; none if they are not of that many steps.
    pub(super) fn saved(models: Vec<Copula>, horizon: usize) -> Option<Self> {
        let is_whole = |copula: &Copula| {
            copula.steps.len() == horizon
                && copula.steps.iter().all(|row| row.len() == horizon && row.iter().all(|r| r.is_finite()))
                && (0.0..=1.0).contains(&copula.series)
        };
        models.iter().all(is_whole).then_some(Self { models, assumption: None })
    }
}

impl PathSource for Copulas {
    fn sampler(&self, forecast: &Forecast, model: usize, n: usize, seed: u64) -> Result<Arc<dyn Sampler>> {
        let copula = &self.models[model];
        let factor = copula.factor();
        let common = normals(seed, n, factor.len());
        let (own, series) = (seed, copula.series);
        Ok(Arc::new(Draws { forecast: forecast.clone(), model, factor, series, common, own, deviates: deviates(n) }))
    }

    fn assumption(&self) -> Option<String> {
        self.assumption.clone()
    }
}

/// The paths of one model.
struct Draws {
    forecast: Forecast,
    model: usize,
    factor: Vec<Vec<f64>>,
    /// The correlation of two series in the same step.
    series: f64,
    /// The common factor of all series: a row per path.
    common: Array2<f64>,
    /// The seed of the idiosyncratic part of a series.
    own: u64,
    deviates: Vec<f64>,
}

impl Sampler for Draws {
    fn draw(&self, series: usize) -> Result<Array2<f64>> {
        let distribution = self.forecast.known(self.model, series)?;
        if !distribution.is_spread() {
            return Err(unanswered(None, 0.5));
        }
        // The name alone: a series has the same draws among whatever others.
        let identity = self.forecast.label(series).bytes().fold(0, |so_far, byte| mixed(so_far ^ u64::from(byte)));
        let (n, h) = (self.deviates.len(), self.factor.len());
        let (shared, apart) = (self.series.sqrt(), (1.0 - self.series).sqrt());
        let own = if apart > 0.0 { normals(mixed(self.own ^ identity), n, h) } else { Array2::zeros((n, h)) };
        let independent = shared * &self.common + apart * &own;
        let mut raw = Array2::zeros((n, h));
        for (mut row, z) in raw.rows_mut().into_iter().zip(independent.rows()) {
            for (cell, weights) in row.iter_mut().zip(&self.factor) {
                *cell = weights.iter().zip(z).map(|(weight, z)| weight * z).sum();
            }
        }
        lay(&mut raw, identity, distribution, &self.deviates);
        Ok(raw)
    }
}

/// Standard normal numbers, a row per path.
fn normals(seed: u64, paths: usize, steps: usize) -> Array2<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // 53 bits, in the middle of their cell: neither 0 nor 1.
    let uniform = |bits: u64| ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    Array2::from_shape_simple_fn((paths, steps), || standard_normal(uniform(random.next_u64())))
}

impl Forecast {
    /// The same forecast with sample paths of a given dependence over steps and series, instead of the one of its fits or its
    /// file; the quantiles of each step stay as they are.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let forecast = Panel::read("data/walmart_sales_weekly.csv", columns)?.fit(["theta"])?.forecast(8)?;
    /// let width = |forecast: &Forecast| -> Result<f64, tradewind::Error> {
    ///     let mut totals: Vec<f64> = forecast.paths(500, 7)?.total("theta")?.iter().map(|path| path[7]).collect();
    ///     totals.sort_by(f64::total_cmp);
    ///     Ok(totals[450] - totals[50])
    /// };
    /// let (narrow, wide) = (forecast.dependence(Dependence::Independent)?, forecast.dependence(Dependence::Comonotone)?);
    /// assert!(width(&narrow)? < width(&forecast)? && width(&forecast)? < width(&wide)?);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a correlation does not lie between 0 and 1.
    pub fn dependence(&self, dependence: Dependence) -> Result<Forecast> {
        let source = Copulas::stated(dependence, self.horizon(), self.0.models.len())?;
        Ok(Self(Arc::new(Inner { source: Arc::new(source), ..(*self.0).clone() })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_gives_the_correlations_back() {
        for dependence in
            [Dependence::Comonotone, Dependence::Independent, Dependence::Copula { steps: 0.7, series: 0.2 }]
        {
            let copula = Copula::of(dependence, 5).unwrap();
            let l = copula.factor();
            for a in 0..5 {
                for b in 0..5 {
                    let product: f64 = (0..5).map(|k| l[a][k] * l[b][k]).sum();
                    assert!((product - copula.steps[a][b]).abs() < 1e-12, "{dependence} {a} {b}");
                }
            }
        }
    }

    #[test]
    fn dependence_is_read_as_it_is_written() {
        for dependence in
            [Dependence::Comonotone, Dependence::Independent, Dependence::Copula { steps: 0.7, series: 0.1 }]
        {
            assert_eq!(dependence.to_string().parse::<Dependence>().unwrap(), dependence);
        }
        assert!("comontone".parse::<Dependence>().unwrap_err().to_string().contains("comonotone, independent"));
        assert!(Copula::of(Dependence::Copula { steps: 1.5, series: 0.0 }, 3).is_err());
    }
}
