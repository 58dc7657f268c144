//! What lies ahead of a fitted model: means, and simulated trends for the rest.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::design::Design;
use super::posterior::Likely;
use super::trend::{Growth, Trend};
use crate::error::{Error, Result};
use crate::models::{Ahead, Description, FittedSeries, Quantiles, Series, standard_normal};

/// Simulated values of a step, in pairs of opposite sign.
const PATHS: usize = 1_000;
const SEED: u64 = 0;
/// A trend that departs by less than this share of σ leaves the distribution normal.
const STILL: f64 = 0.01;

/// A fitted `prophet`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FittedProphet {
    design: Design,
    trend: Trend,
    coefficients: Vec<f64>,
    sigma: f64,
    /// What the model's scale is measured in.
    scale: f64,
    residuals: Vec<f64>,
    /// The calendar position after the last value.
    next: i64,
}

/// What the forecast of a step is made of: `floor + scale · (level(line) · times + plus)`.
struct Step {
    time: f64,
    line: f64,
    cap: f64,
    times: f64,
    plus: f64,
    floor: f64,
}

impl FittedProphet {
    pub(super) fn new(design: Design, likely: Likely, scale: f64, series: &Series) -> Result<Self> {
        let Likely { trend, coefficients, sigma } = likely;
        let mut fit = Self { design, trend, coefficients, sigma, scale, residuals: Vec::new(), next: 0 };
        fit.look(series)?;
        Ok(fit)
    }

    /// Takes up the residuals and the end of a series.
    fn look(&mut self, series: &Series) -> Result<()> {
        let mut residuals = vec![f64::NAN; series.values.len()];
        for t in self.design.complete(series) {
            let step = self.step(series.start + t as i64, |c| series.covariates[c].values[t]);
            residuals[t] = series.values[t] - self.value(&step, 0.0);
            if !residuals[t].is_finite() {
                return Err(Error::model("the errors of the fit leave the range of numbers"));
            }
        }
        self.residuals = residuals;
        self.next = series.start + series.values.len() as i64;
        Ok(())
    }

    fn step(&self, position: i64, covariate: impl Fn(usize) -> f64) -> Step {
        let time = self.design.clock.time(position);
        let mut cells = Vec::with_capacity(self.coefficients.len());
        self.design.row(position, &covariate, &mut cells);
        let limits = self.design.limits(&covariate);
        let (plus, times) = self.design.effects(&cells, &self.coefficients);
        let cap = (limits.cap - limits.floor) / self.scale;
        Step { time, line: self.trend.line(time), cap, times, plus, floor: limits.floor }
    }

    fn ahead(&self, ahead: &Ahead) -> Vec<Step> {
        let first = self.next + ahead.lead as i64;
        (0..ahead.horizon).map(|h| self.step(first + h as i64, |c| ahead.covariates[c][h])).collect()
    }

    /// The value of a step whose trend's line has left its course by `departure`.
    fn value(&self, step: &Step, departure: f64) -> f64 {
        let level = Trend::level(self.trend.growth, step.line + departure, step.cap);
        step.floor + self.scale * (level * step.times + step.plus)
    }

    /// Simulated values of each step, always the same. The errors of a step are evenly spread over their distribution, in
    /// an order of chance.
    fn samples(&self, steps: &[Step]) -> Vec<Vec<f64>> {
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        let mut samples = vec![Vec::with_capacity(PATHS); steps.len()];
        let unit = self.sigma * self.scale;
        let error = |k: usize| unit * standard_normal(0.5 + (k as f64 + 0.5) / PATHS as f64);
        let errors: Vec<f64> = (0..PATHS / 2).map(error).collect();
        for _ in 0..PATHS / 2 {
            self.trend.depart(&mut random, steps.iter().map(|step| step.time), |h, departure| {
                samples[h].extend([departure, -departure].map(|departure| self.value(&steps[h], departure)));
            });
        }
        let mut order: Vec<usize> = (0..PATHS / 2).collect();
        for values in &mut samples {
            for (k, pair) in values.chunks_exact_mut(2).enumerate() {
                let draw = random.next_u64();
                let left = order.len() - k;
                order.swap(k, k + (draw >> 33) as usize % left);
                let error = if draw & 1 == 0 { errors[order[k]] } else { -errors[order[k]] };
                pair[0] += error;
                pair[1] -= error;
            }
        }
        samples
    }

    /// The standard deviation of each step: exact for a line, whose departures have a known variance; of simulated values for
    /// a curve.
    fn deviations(&self, steps: &[Step]) -> Vec<f64> {
        if self.trend.growth == Growth::Logistic && !self.is_still(steps) {
            let square = |(step, values): (&Step, &Vec<f64>)| {
                let mean = self.value(step, 0.0);
                (values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / values.len() as f64).sqrt()
            };
            return steps.iter().zip(&self.samples(steps)).map(square).collect();
        }
        let away = |step: &Step| match self.trend.growth {
            Growth::Linear => self.trend.std_dev(step.time) * step.times,
            Growth::Logistic | Growth::Flat => 0.0,
        };
        steps.iter().map(|step| self.scale * self.sigma.hypot(away(step))).collect()
    }

    /// Can what the trend may do be neglected?
    fn is_still(&self, steps: &[Step]) -> bool {
        let least = STILL * self.sigma;
        let reach = |step: &Step| match self.trend.growth {
            // The steepest that a logistic curve can be.
            Growth::Logistic => self.trend.std_dev(step.time) * step.cap / 4.0,
            Growth::Linear | Growth::Flat => self.trend.std_dev(step.time),
        };
        steps.iter().all(|step| reach(step) * step.times.abs() <= least)
    }
}

impl FittedSeries for FittedProphet {
    fn mean(&self, ahead: &Ahead) -> Result<Vec<f64>> {
        Ok(self.ahead(ahead).iter().map(|step| self.value(step, 0.0)).collect())
    }

    fn std_dev(&self, ahead: &Ahead) -> Vec<f64> {
        self.deviations(&self.ahead(ahead))
    }

    fn quantiles(&self, ahead: &Ahead) -> Option<Quantiles> {
        let steps = self.ahead(ahead);
        if self.is_still(&steps) {
            return None;
        }
        let mean: Vec<f64> = steps.iter().map(|step| self.value(step, 0.0)).collect();
        Some(Quantiles::of(&mut self.samples(&steps), &mean, &self.deviations(&steps)))
    }

    fn residuals(&self) -> &[f64] {
        &self.residuals
    }

    fn describe(&self) -> Description {
        let (specification, names) = self.design.names(self.trend.growth);
        let used = self.trend.changes.iter().filter(|change| **change != 0.0).count();
        let mut parameters = vec![
            ("k".to_string(), self.trend.slope),
            ("m".to_string(), self.trend.offset),
            ("sigma".to_string(), self.sigma * self.scale),
            ("changes".to_string(), used as f64),
        ];
        parameters.extend(names.into_iter().zip(self.coefficients.iter().copied()));
        Description { specification, parameters, ..Description::default() }
    }

    fn update(&self, series: &Series) -> Result<Box<dyn FittedSeries>> {
        let mut updated = self.clone();
        updated.look(series)?;
        Ok(Box::new(updated))
    }

    /// Errors as they are drawn, around a trend that departs as chance has it: the same for the same errors.
    fn simulate(&self, ahead: &Ahead, mean: &[f64], shocks: &[f64], path: &mut [f64]) {
        let mix = |seed: u64, shock: &f64| (seed ^ shock.to_bits()).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
        let mut random = ChaCha8Rng::seed_from_u64(shocks.iter().fold(SEED, mix));
        let steps = self.ahead(ahead);
        self.trend.depart(&mut random, steps.iter().map(|step| step.time), |h, departure| {
            let away = self.value(&steps[h], departure) - self.value(&steps[h], 0.0);
            path[h] = mean[h] + away + shocks[ahead.lead + h];
        });
    }
}
