//! Joint sample paths of series, and of their totals.
//!
//! **Every forecast has a source of paths** ([`PathSource`]): fitted models simulate their own dynamics, a file or a
//! combination has a copula or its members. A source is prepared once for all series (what they share is computed then) and
//! draws series by series: the cost is linear in their number, and nothing is stored.

use std::sync::{Arc, OnceLock};

use ndarray::Array2;
use rayon::prelude::*;

use super::{Distribution, Forecast};
use crate::error::{Error, Result};
use crate::models::{place, standard_normal};
use crate::panel::order::mixed;
use crate::progress;
use crate::show::{Block, Show, number};

/// The most steps that the paths of one series may have together: 1.6 GB.
const MOST_STEPS: usize = 200_000_000;
/// Series whose paths are drawn at a time.
const TOGETHER: usize = 64;

/// The source of the sample paths of a forecast: fits, a copula over the quantiles of a file, the members of a combination.
pub(crate) trait PathSource: Send + Sync {
    /// Prepares to draw `n` paths by a model, given its place: what all series share is computed here, once.
    ///
    /// # Errors
    /// When the source has no paths of this model.
    fn sampler(&self, forecast: &Forecast, model: usize, n: usize, seed: u64) -> Result<Arc<dyn Sampler>>;

    /// The errors of one step ahead of a model for a series, on its scale, from the first date of its history on, NaN where there
    /// is none; none at all where the source has none.
    fn errors(&self, _forecast: &Forecast, _model: usize, _series: usize) -> Option<Vec<f64>> {
        None
    }

    /// What is assumed of the dependence over steps and series, where it is not known.
    fn assumption(&self) -> Option<String> {
        None
    }
}

/// Draws paths, series by series, in any order and on any thread: the same series has the same paths.
pub(crate) trait Sampler: Send + Sync {
    /// The paths of a series, given its place: a row per path, a column per step.
    ///
    /// # Errors
    /// When the series has no paths.
    fn draw(&self, series: usize) -> Result<Array2<f64>>;
}

/// Joint sample paths of a forecast, drawn on demand.
#[derive(Clone)]
pub struct Paths {
    forecast: Forecast,
    n: usize,
    seed: u64,
    /// What the series of each model share, once it is needed.
    samplers: Arc<Vec<OnceLock<Arc<dyn Sampler>>>>,
}

impl Forecast {
    /// `n` joint sample paths of all series, the same for the same seed on any machine. They are drawn on demand,
    /// series by series, and not stored: many series cost no more memory than a few.
    ///
    /// # Errors
    /// When `n` is zero, or so large that the paths of one series would not fit into memory; when the forecast has no
    /// quantiles that paths could be laid on.
    pub fn paths(&self, n: usize, seed: u64) -> Result<Paths> {
        if n == 0 {
            return Err(Error::usage("at least 1 path is needed, not 0"));
        }
        if n.saturating_mul(self.horizon()) > MOST_STEPS {
            return Err(Error::usage(format!(
                "{n} paths of {} steps are too many to hold; ask for at most {}",
                self.horizon(),
                MOST_STEPS / self.horizon()
            )));
        }
        self.check_spread()?;
        let samplers = self.0.models.iter().map(|_| OnceLock::new()).collect();
        Ok(Paths { forecast: self.clone(), n, seed, samplers: Arc::new(samplers) })
    }
}

impl Paths {
    /// The paths of one series: `n` of them, one value per step each.
    ///
    /// # Errors
    /// When there is no such model or series, or the model failed on it.
    pub fn of(&self, model: &str, series: &str) -> Result<Vec<Vec<f64>>> {
        let (m, i) = self.forecast.places(model, series)?;
        self.forecast.known(m, i)?;
        Ok(rows(&self.sampler(m)?.draw(i)?))
    }

    /// The paths of every series that the model could forecast, one series after the other in the order of
    /// [`Forecast::keys`]: its key and what [`of`](Self::of) gives for it. A few series are drawn ahead on all threads, the
    /// others on demand.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let forecast = Panel::read("data/walmart_sales_weekly.csv", columns)?.fit(["theta"])?.forecast(8)?;
    /// let mut highest = Vec::new();
    /// for series in forecast.paths(200, 7)?.each("theta")? {
    ///     let (key, paths) = series?;
    ///     let totals = paths.iter().map(|path| path.iter().sum::<f64>());
    ///     highest.push((key, totals.fold(f64::MIN, f64::max)));
    /// }
    /// assert_eq!(highest.len(), 7);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such model, or it failed on every series.
    pub fn each(&self, model: &str) -> Result<SeriesPaths> {
        let (m, _) = place(model, &self.forecast.0.models)?;
        let series = self.served(m)?;
        let next = 0;
        Ok(SeriesPaths { paths: self.clone(), model: m, series, next, drawn: Vec::new().into_iter() })
    }

    /// The paths of the sum over all series that the model could forecast: `n` of them, one value per step each. Of a
    /// [hierarchy](crate::panel::Panel::hierarchy) the leaves are summed.
    ///
    /// # Errors
    /// When there is no such model, or it failed on every series.
    pub fn total(&self, model: &str) -> Result<Vec<Vec<f64>>> {
        let (m, model) = place(model, &self.forecast.0.models)?;
        let mut series = self.served(m)?;
        let counts = self.forecast.0.panel.counted()?;
        series.retain(|i| counts[*i]);
        let mut total = Array2::zeros((self.n, self.forecast.horizon()));
        // A fixed number of series at a time: the sum is taken in order, so that threads cannot change a bit of it.
        for chunk in series.chunks(TOGETHER) {
            self.draw(m, chunk)?.iter().for_each(|paths| total += paths);
        }
        if total.iter().any(|value: &f64| !value.is_finite()) {
            return Err(Error::model(format!("the total of {model} leaves the range of numbers")));
        }
        Ok(rows(&total))
    }

    /// The series that a model has a forecast for, if they can be drawn within the memory that there is.
    fn served(&self, model: usize) -> Result<Vec<usize>> {
        let served = |i: &usize| self.forecast.cell(model, *i).is_some();
        let series: Vec<usize> = (0..self.forecast.len()).filter(served).collect();
        if series.is_empty() {
            let model = &self.forecast.0.models[model];
            return Err(Error::model(format!("{model} has no forecast for any series")));
        }
        let values = self.n.saturating_mul(self.forecast.horizon()).saturating_mul(series.len().min(TOGETHER) + 2);
        crate::job::room("values of sample paths", values as u64, 8)?;
        Ok(series)
    }

    /// The paths of a few series, on all threads.
    fn draw(&self, model: usize, series: &[usize]) -> Result<Vec<Array2<f64>>> {
        let sampler = self.sampler(model)?;
        let one = |i: &usize| progress::check().and_then(|()| sampler.draw(*i));
        series.par_iter().map(one).collect()
    }

    fn sampler(&self, model: usize) -> Result<Arc<dyn Sampler>> {
        let place = &self.samplers[model];
        if let Some(sampler) = place.get() {
            return Ok(sampler.clone());
        }
        let sampler = self.forecast.0.source.sampler(&self.forecast, model, self.n, self.seed)?;
        Ok(place.get_or_init(|| sampler).clone())
    }
}

/// The paths of one series after the other, as [`Paths::each`] gives them.
pub struct SeriesPaths {
    paths: Paths,
    model: usize,
    series: Vec<usize>,
    next: usize,
    /// What was drawn ahead.
    drawn: std::vec::IntoIter<(usize, Array2<f64>)>,
}

impl Iterator for SeriesPaths {
    type Item = Result<(String, Vec<Vec<f64>>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.drawn.len() == 0 {
            let chunk = &self.series[self.next..self.series.len().min(self.next + TOGETHER)];
            match self.paths.draw(self.model, chunk) {
                Ok(drawn) => {
                    self.drawn = chunk.iter().copied().zip(drawn).collect::<Vec<_>>().into_iter();
                    self.next += chunk.len();
                }
                Err(error) => {
                    self.next = self.series.len();
                    return Some(Err(error));
                }
            }
        }
        let (series, paths) = self.drawn.next()?;
        Some(Ok((self.paths.forecast.label(series).to_string(), rows(&paths))))
    }
}

fn rows(matrix: &Array2<f64>) -> Vec<Vec<f64>> {
    matrix.rows().into_iter().map(|row| row.to_vec()).collect()
}

/// The standard normal deviates that the ranks of `n` path values are laid on: the k-th smallest value of a step becomes
/// the (k + ½)/n quantile of that step.
pub(super) fn deviates(n: usize) -> Vec<f64> {
    (0..n).map(|rank| standard_normal((rank as f64 + 0.5) / n as f64)).collect()
}

/// Lays the ranks of raw path values onto a distribution, step by step (a Schaake shuffle), which also brings paths of a
/// normalised series back to the scale of the data: a monotone transformation keeps ranks. Where raw values are equal, which
/// of them is the higher is a matter of `identity`.
pub(super) fn lay(raw: &mut Array2<f64>, identity: u64, distribution: &Distribution, deviates: &[f64]) {
    let mut order: Vec<usize> = (0..raw.nrows()).collect();
    for (step, mut column) in raw.columns_mut().into_iter().enumerate() {
        let own = |n: usize| (mixed(identity ^ mixed((step as u64) << 32 | n as u64)), n);
        order.sort_by(|a, b| column[*a].total_cmp(&column[*b]).then_with(|| own(*a).cmp(&own(*b))));
        for (rank, n) in order.iter().enumerate() {
            column[*n] = distribution.at(step, deviates[rank]);
        }
    }
}

impl Show for Paths {
    fn block(&self) -> Block {
        let assumed = self.forecast.0.source.assumption().map_or_else(String::new, |words| format!("; {words}"));
        Block::Text(format!(
            "{} joint sample paths of {} series, {} steps, seed {}{assumed}",
            number(self.n as f64),
            number(self.forecast.len() as f64),
            self.forecast.horizon(),
            self.seed
        ))
    }
}

crate::show::noun!(Paths);
