//! Without the library.

use super::Device;
use super::head::Head;
use super::network::{Batch, Network};
use crate::error::{Error, Result};

pub(super) enum Engine {}

impl Engine {
    pub fn on(_: Device) -> Result<Self> {
        Err(Error::usage(
            "this program was built without neural networks; build it with them: cargo build --release --features lstm",
        ))
    }

    /// Windows that are best read at once.
    pub fn at_once(&self, _: usize) -> usize {
        match *self {}
    }

    pub fn gradients(&self, _: &Network, _: Head, _: &[f32], _: &Batch) -> Result<(f64, Vec<f32>)> {
        match *self {}
    }

    pub fn loss(&self, _: &Network, _: Head, _: &[f32], _: &Batch) -> Result<f64> {
        match *self {}
    }

    pub fn outputs(&self, _: &Network, _: &[f32], _: &Batch) -> Result<Vec<f32>> {
        match *self {}
    }
}
