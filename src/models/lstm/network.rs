//! What are the parameters of the network, and what does it read at once? Plain numbers: what calculates with them is the twin
//! [`engine`](super::engine).
//!
//! ```text
//! past steps  ──► LSTM ──┐ state            (value, is it there, step columns, observed covariates)
//!                        ▼
//! steps ahead ─────────► LSTM ──► dense ──► what is said of each step
//!                         ▲         ▲   ▲
//! the series ─────────────┴─────────┘   └── step columns once more, straight
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
    /// Numbers in an embedding.
    pub embedding: usize,
    /// Numbers in the state of a layer.
    pub hidden: usize,
    pub layers: usize,
    /// Numbers that are said of a step.
    pub outputs: usize,
}

/// What a matrix of parameters starts as.
#[derive(Clone, Copy)]
enum Start {
    /// Uniform, as wide as its number of rows asks for.
    Uniform,
    /// Uniform, this wide.
    Within(f32),
}

impl Network {
    /// Numbers that tell the network which series it is: its embedding, what is fixed, and 1.
    pub fn identity(&self) -> usize {
        self.embedding + self.fixed + 1
    }

    /// The matrices in their order, and how they start.
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

    /// How many parameters there are.
    pub fn parameters(&self) -> usize {
        self.sizes().iter().map(|[rows, columns]| rows * columns).sum()
    }

    /// Parameters to start from.
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

/// Windows that are read at once: numbers by step, then window, then column.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunk {
    pub past: Vec<f32>,
    pub ahead: Vec<f32>,
    /// By window.
    pub fixed: Vec<f32>,
    /// By window: 0 is any series, the others are counted from 1.
    pub series: Vec<i32>,
    /// By step ahead and window: what happened, and whether it is known, 1 or 0.
    pub targets: Vec<f32>,
    pub known: Vec<f32>,
    /// By window, of which there are as many: what one unit of a target is in the units of the series.
    pub units: Vec<f32>,
    /// By step ahead, window and number of the last hidden layer: 0 where it is left out, else what makes up for those.
    pub kept: Vec<f32>,
}
