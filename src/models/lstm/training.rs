//! Training of the network: Adam (Kingma & Ba 2015) on random batches of windows, with a decaying learning rate and clipped
//! gradients; the parameters are those of the epoch with the smallest loss on the validation windows, which are held out.
//!
//! The random numbers of an epoch depend on the seed and the epoch's number alone, so that interrupted training resumes to the
//! same bits.

use std::f64::consts::PI;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::engine::Engine;
use super::network::{Batch, Network};
use super::windows::{EncodedSeries, Encoder, Origins};
use super::{Epoch, Lstm};
use crate::error::{Error, Result};
use crate::progress;

/// Batches of learning-rate warm-up.
const WARM_UP: f64 = 20.0;
/// The final learning rate, relative to the initial one.
const FINAL_RATE: f64 = 0.02;
/// The ratio of the loss to the initial loss from which training has diverged.
const DIVERGED: f64 = 100.0;
/// The decay of the exponential moving average of parameters, per batch.
const AVERAGED: f32 = 0.99;
/// The most passes of an epoch through all windows.
const PASSES: usize = 4;
/// The most validation windows.
const MAX_VALIDATION: usize = 2_000;

/// The state of a training, from which it resumes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// Completed epochs.
    pub epoch: usize,
    parameters: Vec<f32>,
    /// Adam's moving averages of gradients and of their squares, and batches so far.
    first: Vec<f32>,
    second: Vec<f32>,
    batches: usize,
    /// The moving average of parameters, which forecasts better than the last ones (Polyak & Juditsky 1992).
    averaged: Vec<f32>,
    /// The initial loss, and the best epoch so far: its validation loss, number and parameters.
    initial_loss: f64,
    best: Option<(f64, usize, Vec<f32>)>,
    pub curve: Vec<Epoch>,
}

/// One training.
pub(super) struct Training<'a> {
    pub options: &'a Lstm,
    pub engine: &'a Engine,
    pub network: &'a Network,
    pub encoder: &'a Encoder,
    pub series: &'a [EncodedSeries],
    pub origins: Origins,
    /// Validation windows; without any, the last epoch is taken.
    pub validation: Vec<(usize, usize, usize)>,
    /// Epochs of the learning-rate schedule, and epochs after which training ends.
    pub epochs: usize,
    pub until: usize,
    /// 0 for training with validation, 1 for the refit: in the random numbers and in the table of epochs.
    pub part: u64,
}

impl Training<'_> {
    /// The best parameters, the epoch that they are from, and the curve.
    pub fn run(mut self, checkpoint: &mut Checkpoint) -> Result<(Vec<f32>, usize, Vec<Epoch>)> {
        if self.validation.len() > MAX_VALIDATION {
            let n = self.validation.len();
            self.validation = (0..MAX_VALIDATION).map(|k| self.validation[k * n / MAX_VALIDATION]).collect();
        }
        let mut state = match checkpoint.resume(self.part, self.network.parameters())? {
            Some(state) => state,
            None => self.initial()?,
        };
        let bar = progress::stages(state.epoch, self.until, "epoch");
        while state.epoch < self.until && !self.stops_early(&state) {
            self.epoch(&mut state)?;
            checkpoint.keep(self.part, &state)?;
            bar.inc(1);
        }
        drop(bar);
        let State { averaged, best, epoch, curve, .. } = state;
        let (parameters, epoch) = match best.filter(|_| !self.validation.is_empty()) {
            Some((_, epoch, parameters)) => (parameters, epoch),
            None => (averaged, epoch),
        };
        Ok((parameters, epoch, curve))
    }

    fn stops_early(&self, state: &State) -> bool {
        let best = state.best.as_ref().map_or(state.epoch, |(_, epoch, _)| *epoch);
        !self.validation.is_empty() && state.epoch >= best + self.options.patience
    }

    /// The random numbers of an epoch.
    fn random(&self, epoch: usize) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.options.seed);
        random.set_stream((self.part << 32) + epoch as u64);
        random
    }

    fn initial(&self) -> Result<State> {
        let n = self.origins.len();
        let some: Vec<_> = (0..n.min(256)).map(|k| self.origins.at(k * n / n.min(256))).collect();
        let mut parameters = self.network.start(&mut self.random(0));
        // The last parameters are the biases of the outputs.
        let batch = self.encoder.batch(&self.series.iter().collect::<Vec<_>>(), &some, None);
        let known = batch.targets.iter().zip(&batch.known).filter(|(_, known)| **known > 0.0);
        let start = self.options.head.start(&mut known.map(|(target, _)| *target).collect::<Vec<_>>());
        let own = parameters.len() - start.len();
        parameters[own..].copy_from_slice(&start);
        let mut state = State {
            epoch: 0,
            first: vec![0.0; parameters.len()],
            second: vec![0.0; parameters.len()],
            batches: 0,
            averaged: parameters.clone(),
            initial_loss: 0.0,
            best: None,
            curve: Vec::new(),
            parameters,
        };
        state.initial_loss = self.loss(&state.parameters, &some)?;
        match state.initial_loss.is_finite() {
            true => Ok(state),
            false => Err(Error::model("the values leave the range of single precision, which networks calculate in")),
        }
    }

    /// Batches in an epoch: no more than go through all windows a few times.
    fn batches(&self) -> usize {
        (PASSES * self.origins.len()).div_ceil(self.options.batch_size).clamp(1, self.options.batches_per_epoch)
    }

    fn epoch(&self, state: &mut State) -> Result<()> {
        let epoch = state.epoch + 1;
        let mut random = self.random(epoch);
        let batches = self.batches();
        let (mut loss, mut norms) = (0.0, 0.0);
        for batch in 0..batches {
            progress::check()?;
            let done = state.epoch as f64 + batch as f64 / batches as f64;
            let rate = self.rate(state.batches, done);
            let (own, norm) = self.batch(state, rate, &mut random)?;
            loss += own / batches as f64;
            norms += norm / batches as f64;
        }
        if !(loss.is_finite() && loss <= DIVERGED * state.initial_loss.max(f64::MIN_POSITIVE)) {
            return Err(Error::model(format!(
                "training diverged in epoch {epoch}: the loss is {}, it was {} at the start; take a smaller `learning_rate` \
                 (now {}) or `gradient_clip` (now {})",
                crate::show::number(loss),
                crate::show::number(state.initial_loss),
                self.options.learning_rate,
                self.options.gradient_clip
            )));
        }
        let validation_loss =
            if self.validation.is_empty() { None } else { Some(self.loss(&state.averaged, &self.validation)?) };
        if let Some(loss) = validation_loss.filter(|loss| state.best.as_ref().is_none_or(|(best, ..)| loss < best)) {
            state.best = Some((loss, epoch, state.averaged.clone()));
        }
        state.curve.push(Epoch {
            part: self.part,
            epoch,
            loss,
            validation_loss,
            learning_rate: self.rate(usize::MAX, epoch as f64),
            gradient_norm: norms,
        });
        state.epoch = epoch;
        Ok(())
    }

    /// The learning rate after a number of epochs, which need not be whole.
    fn rate(&self, batches: usize, done: f64) -> f64 {
        let share = (done / self.epochs.max(1) as f64).min(1.0);
        let decay = FINAL_RATE + (1.0 - FINAL_RATE) * 0.5 * (1.0 + (PI * share).cos());
        self.options.learning_rate * decay * ((batches as f64 + 1.0) / WARM_UP).min(1.0)
    }

    /// One step down the gradient: the mean loss of the batch, and the size of its gradient.
    fn batch(&self, state: &mut State, rate: f64, random: &mut ChaCha8Rng) -> Result<(f64, f64)> {
        let n = self.origins.len();
        let size = self.options.batch_size.min(n);
        let drawn: Vec<_> = (0..size).map(|_| self.origins.at(random.random_range(0..n))).collect();
        let parts: Vec<(&[_], u64)> =
            drawn.chunks(self.engine.at_once(size)).map(|part| (part, random.random::<u64>())).collect();
        let encoded: Vec<&EncodedSeries> = self.series.iter().collect();
        let of = |(windows, seed): &(&[(usize, usize, usize)], u64)| {
            let mut random = ChaCha8Rng::seed_from_u64(*seed);
            let mut batch = self.encoder.batch(&encoded, windows, Some(&mut random));
            self.drop_out(&mut batch, &mut random);
            let known = known(&batch);
            let (loss, gradient) = self.engine.gradients(self.network, self.options.head, &state.parameters, &batch)?;
            Ok((loss, gradient, known))
        };
        let parts: Vec<(f64, Vec<f32>, f64)> = parts.par_iter().map(of).collect::<Result<_>>()?;
        let known: f64 = parts.iter().map(|(.., known)| known).sum::<f64>().max(1.0);
        let loss = parts.iter().map(|(loss, ..)| loss).sum::<f64>() / known;
        let mut gradient = vec![0.0_f32; state.parameters.len()];
        for (_, part, _) in &parts {
            gradient.iter_mut().zip(part).for_each(|(sum, own)| *sum += own / known as f32);
        }
        let norm = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
        if !norm.is_finite() {
            return Ok((f64::NAN, norm));
        }
        let clipped = if norm > self.options.gradient_clip { (self.options.gradient_clip / norm) as f32 } else { 1.0 };
        state.step(rate as f32, clipped, &gradient);
        Ok((loss, norm))
    }

    /// Dropout (Srivastava et al. 2014) of the last hidden layer.
    fn drop_out(&self, batch: &mut Batch, random: &mut ChaCha8Rng) {
        let share = self.options.dropout as f32;
        if share > 0.0 {
            let kept = |_| if random.random::<f32>() < share { 0.0 } else { 1.0 / (1.0 - share) };
            batch.kept = (0..batch.targets.len() * self.network.hidden).map(kept).collect();
        }
    }

    /// The mean loss of windows.
    fn loss(&self, parameters: &[f32], windows: &[(usize, usize, usize)]) -> Result<f64> {
        let encoded: Vec<&EncodedSeries> = self.series.iter().collect();
        let of = |windows: &[(usize, usize, usize)]| {
            progress::check()?;
            let batch = self.encoder.batch(&encoded, windows, None);
            Ok((self.engine.loss(self.network, self.options.head, parameters, &batch)?, known(&batch)))
        };
        let parts: Vec<(f64, f64)> =
            windows.par_chunks(self.engine.at_once(windows.len().max(1))).map(of).collect::<Result<_>>()?;
        let (loss, known) = parts.iter().fold((0.0, 0.0), |(loss, known), part| (loss + part.0, known + part.1));
        Ok(loss / known.max(1.0))
    }
}

/// The number of observed targets of a batch.
fn known(batch: &Batch) -> f64 {
    batch.known.iter().map(|known| f64::from(*known)).sum()
}

impl State {
    /// Does it belong to a network with so many parameters?
    pub fn fits(&self, parameters: usize) -> bool {
        let best = self.best.as_ref().map_or(parameters, |(.., best)| best.len());
        [&self.parameters, &self.first, &self.second, &self.averaged].iter().all(|own| own.len() == parameters)
            && best == parameters
    }

    /// One step of Adam along a gradient times `clipped`.
    fn step(&mut self, rate: f32, clipped: f32, gradient: &[f32]) {
        const FIRST: f32 = 0.9;
        const SECOND: f32 = 0.999;
        self.batches += 1;
        let so_far = |decay: f32| 1.0 - f64::from(decay).powi(i32::try_from(self.batches).unwrap_or(i32::MAX)) as f32;
        let (first, second) = (so_far(FIRST), so_far(SECOND));
        // The average adapts faster at the start.
        let averaged = AVERAGED.min(self.batches as f32 / (self.batches as f32 + 10.0));
        for (k, g) in gradient.iter().enumerate() {
            let g = g * clipped;
            self.first[k] = FIRST * self.first[k] + (1.0 - FIRST) * g;
            self.second[k] = SECOND * self.second[k] + (1.0 - SECOND) * g * g;
            self.parameters[k] -= rate * (self.first[k] / first) / ((self.second[k] / second).sqrt() + 1e-8);
            self.averaged[k] += (1.0 - averaged) * (self.parameters[k] - self.averaged[k]);
        }
    }
}
