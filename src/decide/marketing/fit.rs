//! Which part of the sales came from which channel?
//!
//! The model of [`market`](super::market) is fitted by penalised least squares. The baseline (trend, season, controls)
//! is linear and projected out (Frisch & Waugh 1933); what is left are three numbers per channel: its mean contribution
//! per period m ≥ 0, its memory, and its half-saturation. Each has a weak normal prior:
//!
//! | number | mean | standard deviation |
//! |---|---|---|
//! | mean contribution, as a share of mean sales | 0.05 | 0.25 |
//! | retention λ, as ln(λ / (1 − λ)) | −0.4 (λ = 0.4) | 1 |
//! | half-saturation, as ln(half / typical spend) | 0 | 0.8 |
//!
//! Minimised is Σ (error / σ)² + Σ ((number − mean) / standard deviation)² + Σ ((test − prediction) / its error)², the
//! last sum over lift tests, by Levenberg and Marquardt's method from several starts; σ² is the residual variance of
//! the fit itself. Errors that follow each other are whitened by their first autocorrelation, if it is positive (Prais
//! & Winsten 1954), so that a slow wave in sales does not count as many independent observations.
//!
//! **Intervals** come from refits: residuals, inflated for the degrees of freedom used, are resampled in moving blocks
//! (Künsch 1989, *Annals of Statistics* 17), and the prior means and lift tests are drawn anew from their distributions
//! with each resample. Where the data decide, that is the block bootstrap; where the prior decides, its width is in the
//! interval instead of none at all (randomised maximum a posteriori; Bardsley, Solonen, Haario & Laine 2014, *SIAM
//! Journal on Scientific Computing* 36).
//!
//! **Fails** where spend follows expected sales (search advertising does): what demand brought is then credited to the
//! channel. Only an experiment separates the two. The estimates rest on priors wherever the spend has varied little:
//! see [`identify`](mod@super::identify).

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF, Normal};

use super::adstock::Memory;
use super::market::{Form, LiftTest, Market, dot, remove};
use super::saturation::Response;
use crate::error::{Error, Result};
use crate::optimise::{Normal as Equations, Stop, SumOfSquares, least_squares};
use crate::progress;
use crate::statistics::summary::quantile;

/// Mean and standard deviation of the prior of a mean contribution, as a share of mean sales.
const SHARE: (f64, f64) = (0.05, 0.25);
/// The standard deviation of the prior of ln(half-saturation / typical spend), and how far that may go.
pub(super) const HALF: f64 = 0.8;
const HALF_REACH: f64 = 3.0;

/// What is known of a channel after one fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// Sales per period that came from it, on average over the data.
    pub contribution: f64,
    /// Its memory.
    pub memory: Memory,
    /// What it brings per period at a spend that is kept up.
    pub response: Response,
    /// Sales per unit of spend, on average over the data.
    pub average: f64,
    /// Sales that one more unit of spend would have brought, spread over the data as its spend is.
    pub marginal: f64,
}

/// A fitted market.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The channels, as estimated.
    pub channels: Vec<Effect>,
    /// The same in each resample.
    pub draws: Vec<Vec<Effect>>,
    /// Sales without any channel, by period.
    pub baseline: Vec<f64>,
    /// What each channel contributed, by period.
    pub contributions: Vec<Vec<f64>>,
    /// The standard deviation of the errors, without what each takes over from the one before.
    pub sigma: f64,
    /// The share of an error that the next period takes over.
    pub autocorrelation: f64,
    /// The share of the variance of sales that the model explains.
    pub r_squared: f64,
}

/// How a market is fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resampling {
    /// The number of refits.
    pub draws: usize,
    /// The random seed.
    pub seed: u64,
}

/// Fits a market.
///
/// ```
/// use tradewind::decide::marketing::{Channel, Form, Market, Resampling, fit};
/// let spend: Vec<f64> = (0..60).map(|t| f64::from((t * 37 % 11) as u8) * 10.0).collect();
/// let sales = spend.iter().enumerate().map(|(t, x)| 500.0 + t as f64 + 80.0 * x / (x + 40.0)).collect();
/// let channels = vec![Channel { name: "tv".into(), spend }];
/// let market = Market { sales, channels, controls: vec![], seasons: vec![], tests: vec![] };
/// let form = Form { earlier: false, ..Form::default() };
/// let fit = fit(&market, &form, Resampling { draws: 20, seed: 1 })?;
/// assert!(fit.channels[0].average > 0.5 && fit.channels[0].average < 1.2);
/// # Ok::<(), tradewind::prelude::Error>(())
/// ```
///
/// # Errors
/// When the market is impossible, mean sales are not positive, or the work is cancelled. Whether the channels can be
/// told apart at all is asked by [`identify`](mod@super::identify) before.
pub fn fit(market: &Market, form: &Form, resampling: Resampling) -> Result<Fit> {
    market.check()?;
    form.saturation.check()?;
    form.memory.at(0.0).check()?;
    let mut problem = Problem::new(market, form)?;
    let at = problem.estimate()?;
    let channels: Vec<Effect> = (0..problem.len()).map(|c| problem.effect(&at, c)).collect();
    let contributions: Vec<Vec<f64>> = (0..problem.len()).map(|c| problem.contribution(&at, c)).collect();
    let baseline = problem.baseline(&contributions);
    let draws = problem.resample(&at, resampling)?;
    let r_squared = problem.r_squared(&contributions);
    let (sigma, autocorrelation) = (problem.sigma * problem.unit, problem.rho);
    Ok(Fit { channels, draws, baseline, contributions, sigma, autocorrelation, r_squared })
}

impl Fit {
    /// The interval that holds a number of a channel with this probability.
    ///
    /// # Errors
    /// When the level is no probability, or there are no draws.
    pub fn interval(&self, channel: usize, level: f64, of: impl Fn(&Effect) -> f64) -> Result<(f64, f64)> {
        let values: Vec<f64> = self.draws.iter().map(|draw| of(&draw[channel])).collect();
        Ok((quantile(&values, 0.5 - level / 2.0)?, quantile(&values, 0.5 + level / 2.0)?))
    }
}

/// The sum of squares to be minimised, and what it is made of. A point has the mean contributions (in units of mean
/// sales) of all channels, then the places of their memories, then the logarithms of half-saturation over typical
/// spend.
#[derive(Clone)]
struct Problem<'a> {
    market: &'a Market,
    form: &'a Form,
    /// Periods with sales.
    rows: Vec<usize>,
    /// The autocorrelation of the errors that everything is whitened by.
    rho: f64,
    /// An orthonormal basis of the whitened baseline.
    basis: Vec<Vec<f64>>,
    /// Mean sales.
    unit: f64,
    /// Whitened sales over the unit, less what the basis explains.
    target: Vec<f64>,
    tests: Vec<LiftTest>,
    /// The prior means.
    prior: Vec<f64>,
    /// The standard deviation of the errors, in units of mean sales.
    sigma: f64,
    /// Of the last point: projected columns, and residuals.
    columns: Vec<Vec<f64>>,
    residuals: Vec<f64>,
}

/// Room between the points of a difference quotient.
const STEP: f64 = 1e-4;

impl<'a> Problem<'a> {
    fn new(market: &'a Market, form: &'a Form) -> Result<Self> {
        let rows = market.rows();
        let unit = rows.iter().map(|t| market.sales[*t]).sum::<f64>() / rows.len().max(1) as f64;
        if !(unit > 0.0 && unit.is_finite()) {
            return Err(Error::data(format!("mean sales are {unit}: a return on spend needs sales above zero")));
        }
        if let Some(channel) = market.channels.iter().find(|channel| channel.typical() <= 0.0) {
            return Err(Error::data(format!("nothing was ever spent on `{}`", channel.name)));
        }
        let count = market.channels.len();
        let memory = form.memory.prior().0;
        let prior = [vec![SHARE.0; count], vec![memory; count], vec![0.0; count]].concat();
        let tests = market.tests.clone();
        let mut problem = Self {
            market,
            form,
            rows,
            rho: 0.0,
            basis: vec![],
            unit,
            target: vec![],
            tests,
            prior,
            sigma: 1.0,
            columns: vec![],
            residuals: vec![],
        };
        problem.whiten_by(0.0);
        problem.sigma = 0.5 * (dot(&problem.target, &problem.target) / problem.rows.len() as f64).sqrt().max(1e-9);
        Ok(problem)
    }

    /// Basis and target for errors with this autocorrelation.
    fn whiten_by(&mut self, rho: f64) {
        self.rho = rho;
        self.basis = self.market.basis(self.form.bends, &self.rows, |column| whiten(&self.rows, rho, column));
        let mut target: Vec<f64> = self.rows.iter().map(|t| self.market.sales[*t] / self.unit).collect();
        self.project(&mut target);
        self.target = target;
    }

    /// Whitens a column, and takes from it what the baseline explains.
    fn project(&self, column: &mut [f64]) {
        whiten(&self.rows, self.rho, column);
        remove(&self.basis, column);
    }

    fn len(&self) -> usize {
        self.market.channels.len()
    }

    fn memory(&self, at: &[f64], channel: usize) -> Memory {
        self.form.memory.at(at[self.len() + channel])
    }

    /// Half-saturation in units of adstock: a spend that is kept up has an adstock of the gain times the spend.
    fn half(&self, at: &[f64], channel: usize) -> f64 {
        let gain = self.memory(at, channel).gain(self.form.normalisation);
        gain * self.market.channels[channel].typical() * at[2 * self.len() + channel].exp()
    }

    fn adstock(&self, at: &[f64], channel: usize) -> Vec<f64> {
        let before = self.market.before(channel, self.form);
        self.memory(at, channel).adstock(&self.market.channels[channel].spend, before, self.form.normalisation)
    }

    /// The saturated adstock in all periods over its mean, and that mean.
    fn shape(&self, at: &[f64], channel: usize) -> (Vec<f64>, f64) {
        let half = self.half(at, channel);
        let mut shape = self.adstock(at, channel);
        shape.iter_mut().for_each(|level| *level = self.form.saturation.share(*level, half));
        let mean = (shape.iter().sum::<f64>() / shape.len() as f64).max(f64::MIN_POSITIVE);
        shape.iter_mut().for_each(|share| *share /= mean);
        (shape, mean)
    }

    /// The same in the periods with sales, without what the baseline explains.
    fn column(&self, at: &[f64], channel: usize) -> Vec<f64> {
        let shape = self.shape(at, channel).0;
        let mut column: Vec<f64> = self.rows.iter().map(|t| shape[*t]).collect();
        self.project(&mut column);
        column
    }

    fn response(&self, at: &[f64], channel: usize) -> Response {
        Response {
            effect: at[channel] * self.unit / self.shape(at, channel).1,
            half: self.half(at, channel),
            gain: self.memory(at, channel).gain(self.form.normalisation),
            saturation: self.form.saturation,
        }
    }

    fn contribution(&self, at: &[f64], channel: usize) -> Vec<f64> {
        let (shape, _) = self.shape(at, channel);
        shape.into_iter().map(|share| at[channel] * self.unit * share).collect()
    }

    fn effect(&self, at: &[f64], channel: usize) -> Effect {
        let response = self.response(at, channel);
        let adstock = self.adstock(at, channel);
        let spend: f64 = self.market.channels[channel].spend.iter().sum();
        let contribution = at[channel] * self.unit;
        // If all spend were scaled, adstock would be too.
        let slope: f64 = adstock.iter().map(|level| level * self.form.saturation.slope(*level, response.half)).sum();
        Effect {
            contribution,
            memory: self.memory(at, channel),
            response,
            average: contribution * adstock.len() as f64 / spend,
            marginal: response.effect * slope / spend,
        }
    }

    /// What a model predicts a lift test to bring.
    fn predicted(&self, test: &LiftTest, at: &[f64]) -> f64 {
        match test.periods {
            None => {
                let Effect { average, .. } = self.effect(at, test.channel);
                average * test.spend
            }
            Some(periods) => {
                let response = self.response(at, test.channel);
                periods * (response.value(test.base + test.spend / periods) - response.value(test.base))
            }
        }
    }

    fn deviation(&self, coordinate: usize) -> f64 {
        match coordinate / self.len() {
            0 => SHARE.1,
            1 => self.form.memory.prior().1,
            _ => HALF,
        }
    }

    fn bounds(&self) -> Vec<(f64, f64)> {
        let count = self.len();
        let of = |bounds: (f64, f64)| std::iter::repeat_n(bounds, count);
        of((0.0, 10.0)).chain(of(self.form.memory.bounds())).chain(of((-HALF_REACH, HALF_REACH))).collect()
    }

    /// The point of the least sum of squares, with the variance that it implies.
    fn estimate(&mut self) -> Result<Vec<f64>> {
        let count = self.len();
        let start = |memory: f64, half: f64| [vec![SHARE.0; count], vec![memory; count], vec![half; count]].concat();
        let grid = self.form.memory.grid();
        let mut best: Option<(f64, Vec<f64>)> = None;
        for round in 0..4 {
            let mut starts: Vec<Vec<f64>> = match &best {
                None => grid[1..].iter().flat_map(|memory| [-0.5, 0.7].map(|half| start(*memory, half))).collect(),
                Some((_, at)) => vec![at.clone()],
            };
            best = None;
            let mut tried = 0;
            while tried < starts.len() {
                progress::check()?;
                let (value, at) = self.minimise(&starts[tried]);
                tried += 1;
                if best.as_ref().is_none_or(|(least, _)| value < *least) {
                    best = Some((value, at));
                }
                // From the best place of all starts, each channel alone with another memory.
                if tried == starts.len()
                    && round < 2
                    && starts.len() < 6 + 2 * count
                    && let Some((_, at)) = &best
                {
                    let others = (0..count).flat_map(|c| [grid[1], grid[3]].map(|memory| (c, memory)));
                    starts.extend(others.map(|(c, memory)| {
                        let mut other = at.clone();
                        other[count + c] = memory;
                        other
                    }));
                }
            }
            if let Some((_, at)) = &best {
                if round == 1 {
                    let contributions: Vec<Vec<f64>> = (0..count).map(|c| self.contribution(at, c)).collect();
                    self.whiten_by(self.autocorrelation(&contributions));
                }
                self.value(at);
                self.sigma = (dot(&self.residuals, &self.residuals) / self.freedom()).sqrt().max(1e-9);
            }
        }
        let (_, at) = best.ok_or_else(|| Error::model("the fit found no finite value"))?;
        self.value(&at);
        Ok(at)
    }

    fn minimise(&mut self, start: &[f64]) -> (f64, Vec<f64>) {
        let stop = Stop { tolerance: 1e-8, evaluations: 100 };
        let found = least_squares(self, start, &self.bounds(), stop);
        (found.value, found.at)
    }

    /// Observations less numbers estimated from them: two per channel, as priors hold the third.
    fn freedom(&self) -> f64 {
        (self.rows.len() as f64 - self.basis.len() as f64 - 2.0 * self.len() as f64).max(1.0)
    }

    /// Sales without the channels: what the baseline explains of what is left of sales, NaN in periods without.
    fn baseline(&self, contributions: &[Vec<f64>]) -> Vec<f64> {
        let without = |t: usize| self.market.sales[t] - contributions.iter().map(|part| part[t]).sum::<f64>();
        let mut left: Vec<f64> = self.rows.iter().map(|t| without(*t)).collect();
        let explained = left.clone();
        remove(&self.market.basis(self.form.bends, &self.rows, |_| {}), &mut left);
        let mut baseline = vec![f64::NAN; self.market.sales.len()];
        self.rows.iter().zip(explained.iter().zip(&left)).for_each(|(t, (all, left))| baseline[*t] = all - left);
        baseline
    }

    /// The errors, in units of sales, in the periods with sales.
    fn errors(&self, contributions: &[Vec<f64>]) -> Vec<f64> {
        let baseline = self.baseline(contributions);
        let fitted = |t: usize| baseline[t] + contributions.iter().map(|part| part[t]).sum::<f64>();
        self.rows.iter().map(|t| self.market.sales[*t] - fitted(*t)).collect()
    }

    /// The first autocorrelation of the errors, corrected for the smooth columns that were fitted to them; zero if
    /// negative.
    fn autocorrelation(&self, contributions: &[Vec<f64>]) -> f64 {
        let errors = self.errors(contributions);
        let follow = |i: &usize| self.rows[*i] == self.rows[i - 1] + 1;
        let product: f64 = (1..errors.len()).filter(follow).map(|i| errors[i] * errors[i - 1]).sum();
        let bias = self.basis.len() as f64 / errors.len() as f64;
        (product / dot(&errors, &errors).max(f64::MIN_POSITIVE) + bias).clamp(0.0, 0.9)
    }

    fn r_squared(&self, contributions: &[Vec<f64>]) -> f64 {
        let errors = self.errors(contributions);
        let sales: Vec<f64> = self.rows.iter().map(|t| self.market.sales[*t]).collect();
        let mean = sales.iter().sum::<f64>() / sales.len() as f64;
        let total: f64 = sales.iter().map(|y| (y - mean) * (y - mean)).sum();
        1.0 - dot(&errors, &errors) / total.max(f64::MIN_POSITIVE)
    }

    /// The effects of refits to resampled errors.
    fn resample(&self, at: &[f64], resampling: Resampling) -> Result<Vec<Vec<Effect>>> {
        let count = self.rows.len();
        let fitted: Vec<f64> =
            self.target.iter().zip(&self.residuals).map(|(target, residual)| target - residual).collect();
        let mean = self.residuals.iter().sum::<f64>() / count as f64;
        let inflation = (count as f64 / self.freedom()).sqrt();
        let errors: Vec<f64> = self.residuals.iter().map(|residual| inflation * (residual - mean)).collect();
        let block = (count as f64).cbrt().round().max(1.0) as usize;
        let draw = |index: usize| {
            progress::check()?;
            let mut random = ChaCha8Rng::seed_from_u64(resampling.seed);
            random.set_stream(index as u64);
            let mut problem = self.clone();
            let mut target = Vec::with_capacity(count + block);
            while target.len() < count {
                let first = random.random_range(0..=count - block.min(count));
                target.extend_from_slice(&errors[first..(first + block).min(count)]);
            }
            target.truncate(count);
            remove(&self.basis, &mut target);
            target.iter_mut().zip(&fitted).for_each(|(error, fitted)| *error += fitted);
            problem.target = target;
            for coordinate in 0..problem.prior.len() {
                problem.prior[coordinate] += self.deviation(coordinate) * deviate(&mut random);
            }
            for test in &mut problem.tests {
                test.sales += test.error * deviate(&mut random);
            }
            let (_, place) = problem.minimise(at);
            Ok((0..self.len()).map(|c| problem.effect(&place, c)).collect())
        };
        (0..resampling.draws).into_par_iter().map(draw).collect()
    }
}

/// Takes from each period what it has of the period before, if both have sales.
fn whiten(rows: &[usize], rho: f64, column: &mut [f64]) {
    if rho == 0.0 {
        return;
    }
    for i in (0..column.len()).rev() {
        match i > 0 && rows[i] == rows[i - 1] + 1 {
            true => column[i] -= rho * column[i - 1],
            false => column[i] *= (1.0 - rho * rho).sqrt(),
        }
    }
}

/// A standard normal deviate.
fn deviate(random: &mut ChaCha8Rng) -> f64 {
    Normal::standard().inverse_cdf(random.random::<f64>().clamp(1e-12, 1.0 - 1e-12))
}

impl SumOfSquares for Problem<'_> {
    const SOLUTIONS: usize = 3;

    fn value(&mut self, at: &[f64]) -> f64 {
        self.columns = (0..self.len()).map(|c| self.column(at, c)).collect();
        let mut residuals = self.target.clone();
        for (column, weight) in self.columns.iter().zip(at) {
            residuals.iter_mut().zip(column).for_each(|(residual, x)| *residual -= weight * x);
        }
        self.residuals = residuals;
        let data = dot(&self.residuals, &self.residuals) / (self.sigma * self.sigma);
        let square = |x: f64| x * x;
        let prior: f64 = (0..at.len()).map(|i| square((at[i] - self.prior[i]) / self.deviation(i))).sum();
        let tests: f64 =
            self.tests.iter().map(|test| square((self.predicted(test, at) - test.sales) / test.error)).sum();
        data + prior + tests
    }

    fn linearise(&mut self, at: &[f64], normal: &mut Equations) {
        let (count, size) = (self.len(), at.len());
        // The derivatives of the errors: minus those of the fitted values.
        let moved = |coordinate: usize, by: f64| {
            let mut other = at.to_vec();
            other[coordinate] += by;
            other
        };
        let slopes: Vec<Vec<f64>> = (0..size)
            .map(|i| match i < count {
                true => self.columns[i].iter().map(|x| -x / self.sigma).collect(),
                false => {
                    let (up, down) =
                        (self.column(&moved(i, STEP), i % count), self.column(&moved(i, -STEP), i % count));
                    let factor = -at[i % count] / (2.0 * STEP * self.sigma);
                    up.iter().zip(&down).map(|(up, down)| factor * (up - down)).collect()
                }
            })
            .collect();
        for i in 0..size {
            let deviation = self.deviation(i);
            normal.gradient[i] =
                dot(&slopes[i], &self.residuals) / self.sigma + (at[i] - self.prior[i]) / (deviation * deviation);
            for j in 0..=i {
                let mut square = dot(&slopes[i], &slopes[j]);
                if i == j {
                    square += 1.0 / (deviation * deviation);
                }
                normal.square[i * size + j] = square;
                normal.square[j * size + i] = square;
            }
        }
        for test in &self.tests {
            let error = (self.predicted(test, at) - test.sales) / test.error;
            let own = [test.channel, count + test.channel, 2 * count + test.channel];
            let slopes = own.map(|i| {
                let (up, down) = (self.predicted(test, &moved(i, STEP)), self.predicted(test, &moved(i, -STEP)));
                (up - down) / (2.0 * STEP * test.error)
            });
            for (i, slope) in own.iter().zip(slopes) {
                normal.gradient[*i] += slope * error;
                for (j, other) in own.iter().zip(slopes) {
                    normal.square[i * size + j] += slope * other;
                }
            }
        }
    }
}
