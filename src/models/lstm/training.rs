//! How does the network learn? By Adam (Kingma & Ba 2015) on windows drawn at random, at a rate that falls from epoch to epoch,
//! with gradients clipped; the parameters that are kept are those of the epoch that forecast the last windows best, which
//! training had not seen.
//!
//! All that an epoch draws follows from the seed and the epoch's number, so that training which was broken off goes on as if
//! nothing had happened.

use std::f64::consts::PI;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::engine::Engine;
use super::examples::{Origins, Reading, Story};
use super::network::{Chunk, Network};
use super::{Epoch, Lstm};
use crate::error::{Error, Result};
use crate::progress;

/// Batches in which the rate rises to its full size.
const WARMING: f64 = 20.0;
/// What is left of the rate at the end.
const LEFT: f64 = 0.02;
/// A loss that is so many times that of the untrained network has exploded.
const EXPLODED: f64 = 100.0;
/// How much of the averaged parameters is kept from batch to batch.
const AVERAGED: f32 = 0.99;
/// How often an epoch goes through all windows at most.
const PASSES: usize = 4;
/// Windows that the best epoch is chosen by, at most.
const JUDGED: usize = 2_000;

/// What training has come to: all that going on takes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// Epochs that are done.
    pub epoch: usize,
    parameters: Vec<f32>,
    /// Adam's means of gradients and of their squares, and batches so far.
    first: Vec<f32>,
    second: Vec<f32>,
    batches: usize,
    /// The mean of recent parameters, which forecasts better than the last ones (Polyak & Juditsky 1992).
    averaged: Vec<f32>,
    /// The loss of the untrained network, and the best epoch so far: its loss, number and parameters.
    untrained: f64,
    best: Option<(f64, usize, Vec<f32>)>,
    pub curve: Vec<Epoch>,
}

/// What one training works with.
pub(super) struct Training<'a> {
    pub options: &'a Lstm,
    pub engine: &'a Engine,
    pub network: &'a Network,
    pub reading: &'a Reading,
    pub stories: &'a [Story],
    pub origins: Origins,
    /// Windows that the best epoch is chosen by; without any it is the last.
    pub judged: Vec<(usize, usize, usize)>,
    /// Epochs, and after how many of them training ends.
    pub epochs: usize,
    pub until: usize,
    /// The first or the second training of a fit, in what it draws and in the table of epochs.
    pub part: u64,
}

impl Training<'_> {
    /// The best parameters, the epoch that they are from, and the curve.
    pub fn run(mut self, checkpoint: &mut Checkpoint) -> Result<(Vec<f32>, usize, Vec<Epoch>)> {
        if self.judged.len() > JUDGED {
            let n = self.judged.len();
            self.judged = (0..JUDGED).map(|k| self.judged[k * n / JUDGED]).collect();
        }
        let mut state = match checkpoint.resume(self.part, self.network.parameters())? {
            Some(state) => state,
            None => self.untrained()?,
        };
        let bar = progress::stages(state.epoch, self.until, "epoch");
        while state.epoch < self.until && !self.waited_enough(&state) {
            self.epoch(&mut state)?;
            checkpoint.keep(self.part, &state)?;
            bar.inc(1);
        }
        drop(bar);
        let State { averaged, best, epoch, curve, .. } = state;
        let (parameters, epoch) = match best.filter(|_| !self.judged.is_empty()) {
            Some((_, epoch, parameters)) => (parameters, epoch),
            None => (averaged, epoch),
        };
        Ok((parameters, epoch, curve))
    }

    fn waited_enough(&self, state: &State) -> bool {
        let best = state.best.as_ref().map_or(state.epoch, |(_, epoch, _)| *epoch);
        !self.judged.is_empty() && state.epoch >= best + self.options.patience
    }

    /// Where the draws of an epoch begin.
    fn random(&self, epoch: usize) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.options.seed);
        random.set_stream((self.part << 32) + epoch as u64);
        random
    }

    fn untrained(&self) -> Result<State> {
        let n = self.origins.len();
        let some: Vec<_> = (0..n.min(256)).map(|k| self.origins.at(k * n / n.min(256))).collect();
        let mut parameters = self.network.start(&mut self.random(0));
        // The last parameters are what is said where nothing else is known.
        let chunk = self.reading.chunk(&self.stories.iter().collect::<Vec<_>>(), &some, None);
        let known = chunk.targets.iter().zip(&chunk.known).filter(|(_, known)| **known > 0.0);
        let start = self.options.head.start(&mut known.map(|(target, _)| *target).collect::<Vec<_>>());
        let own = parameters.len() - start.len();
        parameters[own..].copy_from_slice(&start);
        let mut state = State {
            epoch: 0,
            first: vec![0.0; parameters.len()],
            second: vec![0.0; parameters.len()],
            batches: 0,
            averaged: parameters.clone(),
            untrained: 0.0,
            best: None,
            curve: Vec::new(),
            parameters,
        };
        state.untrained = self.loss(&state.parameters, &some)?;
        match state.untrained.is_finite() {
            true => Ok(state),
            false => Err(Error::model("the values leave the range of single precision, which networks calculate in")),
        }
    }

    /// Batches in an epoch: no more than go through all windows a few times.
    fn batches(&self) -> usize {
        (PASSES * self.origins.len()).div_ceil(self.options.batch).clamp(1, self.options.batches)
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
        if !(loss.is_finite() && loss <= EXPLODED * state.untrained.max(f64::MIN_POSITIVE)) {
            return Err(Error::model(format!(
                "training exploded in epoch {epoch}: the loss is {}, that of the untrained network was {}; take a smaller \
                 `rate` (now {}) or `clip` (now {})",
                crate::show::number(loss),
                crate::show::number(state.untrained),
                self.options.rate,
                self.options.clip
            )));
        }
        let judged = match self.judged.is_empty() {
            true => None,
            false => Some(self.loss(&state.averaged, &self.judged)?),
        };
        if let Some(judged) = judged.filter(|judged| state.best.as_ref().is_none_or(|(best, ..)| judged < best)) {
            state.best = Some((judged, epoch, state.averaged.clone()));
        }
        state.curve.push(Epoch {
            part: self.part,
            epoch,
            loss,
            judged,
            rate: self.rate(usize::MAX, epoch as f64),
            norm: norms,
        });
        state.epoch = epoch;
        Ok(())
    }

    /// The rate after a number of epochs, which need not be whole.
    fn rate(&self, batches: usize, done: f64) -> f64 {
        let share = (done / self.epochs.max(1) as f64).min(1.0);
        let falling = LEFT + (1.0 - LEFT) * 0.5 * (1.0 + (PI * share).cos());
        self.options.rate * falling * ((batches as f64 + 1.0) / WARMING).min(1.0)
    }

    /// One step down the gradient: the mean loss of the batch, and the size of its gradient.
    fn batch(&self, state: &mut State, rate: f64, random: &mut ChaCha8Rng) -> Result<(f64, f64)> {
        let n = self.origins.len();
        let size = self.options.batch.min(n);
        let drawn: Vec<_> = (0..size).map(|_| self.origins.at(random.random_range(0..n))).collect();
        let parts: Vec<(&[_], u64)> =
            drawn.chunks(self.engine.at_once(size)).map(|part| (part, random.random::<u64>())).collect();
        let stories: Vec<&Story> = self.stories.iter().collect();
        let of = |(windows, seed): &(&[(usize, usize, usize)], u64)| {
            let mut random = ChaCha8Rng::seed_from_u64(*seed);
            let mut chunk = self.reading.chunk(&stories, windows, Some(&mut random));
            self.leave_out(&mut chunk, &mut random);
            let known = known(&chunk);
            let (loss, gradient) = self.engine.gradients(self.network, self.options.head, &state.parameters, &chunk)?;
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
        let clipped = if norm > self.options.clip { (self.options.clip / norm) as f32 } else { 1.0 };
        state.step(rate as f32, clipped, &gradient);
        Ok((loss, norm))
    }

    /// Dropout (Srivastava et al. 2014) of the last hidden layer.
    fn leave_out(&self, chunk: &mut Chunk, random: &mut ChaCha8Rng) {
        let share = self.options.dropout as f32;
        if share > 0.0 {
            let kept = |_| if random.random::<f32>() < share { 0.0 } else { 1.0 / (1.0 - share) };
            chunk.kept = (0..chunk.targets.len() * self.network.hidden).map(kept).collect();
        }
    }

    /// The mean loss of windows.
    fn loss(&self, parameters: &[f32], windows: &[(usize, usize, usize)]) -> Result<f64> {
        let stories: Vec<&Story> = self.stories.iter().collect();
        let of = |windows: &[(usize, usize, usize)]| {
            progress::check()?;
            let chunk = self.reading.chunk(&stories, windows, None);
            Ok((self.engine.loss(self.network, self.options.head, parameters, &chunk)?, known(&chunk)))
        };
        let parts: Vec<(f64, f64)> =
            windows.par_chunks(self.engine.at_once(windows.len().max(1))).map(of).collect::<Result<_>>()?;
        let (loss, known) = parts.iter().fold((0.0, 0.0), |(loss, known), part| (loss + part.0, known + part.1));
        Ok(loss / known.max(1.0))
    }
}

/// Steps of a chunk that are known.
fn known(chunk: &Chunk) -> f64 {
    chunk.known.iter().map(|known| f64::from(*known)).sum()
}

impl State {
    /// Is it of a network with so many parameters?
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
        // Soon after the start there is less to keep.
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
