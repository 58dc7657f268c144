//! The architecture of the network, its parameters and its batches, as plain numbers; the [`engine`](super::engine) evaluates them.
//!
//! ```text
//! past steps  ──► LSTM ──┐ state            (value, mask, step features, observed covariates)
//!                        ▼
//! steps ahead ─────────► LSTM ──► dense ──► outputs of each step
//!                         ▲         ▲   ▲
//! the series ─────────────┴─────────┘   └── step features, as a skip connection
//! (embedding, fixed covariates, level)
//! ```

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// The sizes of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Network {
    /// Columns of a past step, of a step ahead, and of a series.
    pub past: usize,
    pub ahead: usize,
    pub fixed: usize,
    /// Series that have an embedding of their own.
    pub series: usize,
    /// The size of an embedding.
    pub embedding: usize,
    /// The size of the hidden state.
    pub hidden: usize,
    pub layers: usize,
    /// Outputs per step.
    pub outputs: usize,
}

/// The initialisation of a matrix of parameters.
#[derive(Clone, Copy)]
enum Start {
    /// Uniform, as wide as its number of rows asks for.
    Uniform,
    /// Uniform, this wide.
    Within(f32),
}

impl Network {
    /// Static inputs of a series: its embedding, fixed covariates, and 1.
    pub fn identity(&self) -> usize {
        self.embedding + self.fixed + 1
    }

    /// The matrices in their order, and their initialisation.
    fn matrices(&self) -> Vec<([usize; 2], Start)> {
        let (h, gates) = (self.hidden, 4 * self.hidden);
        let mut list = vec![([self.series + 1, self.embedding], Start::Within(0.05))];
        for width in [self.past, self.ahead] {
            for layer in 0..self.layers {
                let before = if layer == 0 { width } else { h };
                list.push(([before, gates], Start::Uniform));
                list.push(([h, gates], Start::Uniform));
                let own = if layer == 0 { self.identity() } else { 1 };
                list.push(([own, gates], Start::Within(0.0)));
            }
        }
        list.push(([h, h], Start::Uniform));
        list.push(([self.ahead, h], Start::Uniform));
        list.push(([self.identity(), h], Start::Within(0.0)));
        list.push(([h, self.outputs], Start::Uniform));
        list.push(([self.ahead, self.outputs], Start::Within(0.0)));
        list.push(([1, self.outputs], Start::Within(0.0)));
        list
    }

    /// Rows and columns of the matrices in their order.
    pub fn sizes(&self) -> Vec<[usize; 2]> {
        self.matrices().into_iter().map(|(size, _)| size).collect()
    }

    /// The number of parameters.
    pub fn parameters(&self) -> usize {
        self.sizes().iter().map(|[rows, columns]| rows * columns).sum()
    }

    /// Initial parameters.
    pub fn start(&self, random: &mut ChaCha8Rng) -> Vec<f32> {
        let mut parameters = Vec::with_capacity(self.parameters());
        for ([rows, columns], start) in self.matrices() {
            let width = match start {
                Start::Uniform => (3.0 / rows.max(1) as f32).sqrt() * 0.6,
                Start::Within(width) => width,
            };
            parameters.extend((0..rows * columns).map(|_| width * (2.0 * random.random::<f32>() - 1.0)));
        }
        parameters
    }
}

/// A batch of windows: numbers by step, then window, then column.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    pub past: Vec<f32>,
    pub ahead: Vec<f32>,
    /// By window.
    pub fixed: Vec<f32>,
    /// By window: the embedding; 0 is the generic one, the others are counted from 1.
    pub series: Vec<i32>,
    /// By step ahead and window: the target, and its mask, 1 or 0.
    pub targets: Vec<f32>,
    pub known: Vec<f32>,
    /// By window: the scale of a target in units of the series.
    pub units: Vec<f32>,
    /// Dropout mask, by step ahead, window and unit of the last hidden layer: 0 where dropped, else the inverse keep rate.
    pub kept: Vec<f32>,
}
