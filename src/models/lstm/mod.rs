//! `lstm`: a recurrent network as a global model (Hochreiter & Schmidhuber 1997, *Neural Computation* 9).
//!
//! An encoder of LSTM layers reads the last steps of a series; a decoder continues from its state through the steps ahead and
//! their known covariates, and predicts a distribution for each: a direct forecast of all steps, without feedback of forecasts
//! (Wen et al. 2017; `network` has the architecture, `head` the distributions). Every series has a learned embedding; a series
//! without history (cold start) gets a generic one (`windows`). Training stops early by the loss on the validation windows, the
//! last ones (`training`), and resumes from a `checkpoint`. The quantiles are calibrated on those windows (see
//! `fitting::calibration`); then the network is refitted on all steps.
//!
//! It needs many or long series: with a few hundred values a simpler model is better and faster. Tensors are burn's, in single
//! precision.

#[cfg(feature = "lstm")]
mod enabled;
#[cfg(feature = "lstm")]
use enabled as engine;
#[cfg(feature = "lstm")]
mod graphics;

#[cfg(not(feature = "lstm"))]
mod disabled;
#[cfg(not(feature = "lstm"))]
use disabled as engine;

mod checkpoint;
mod fitted;
mod head;
mod network;
mod training;
mod windows;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use fitted::FittedLstm;
pub use head::Head;

use super::{Aim, BoxCox, Difference, Epoch, Fitted, Forecaster, GlobalOptions, Method, PanelLevel, Scaling};
use crate::error::{Error, Result};
use crate::fitting::{check_count, global};
use crate::panel::Panel;

/// The device that a network is trained and evaluated on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// The CPU.
    #[default]
    Cpu,
    /// An NVIDIA GPU, with a program built for it.
    Cuda,
}

/// Options of `lstm`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lstm {
    /// The predictive distribution.
    pub head: Head,
    /// Horizons that are forecast directly; the forecast horizon if not given. Longer horizons are forecast recursively.
    pub horizon: Option<usize>,
    /// Past steps that the encoder reads; whole seasons of four weeks or more if not given.
    #[schemars(extend("also" = "context"))]
    pub context_length: Option<usize>,
    /// The size of the hidden state of a layer.
    #[schemars(extend("also" = "hidden"))]
    pub hidden_size: usize,
    /// Layers of the encoder, and of the decoder.
    #[schemars(extend("also" = "layers"))]
    pub num_layers: usize,
    /// The size of the embedding of a series.
    #[schemars(extend("also" = "embedding"))]
    pub embedding_size: usize,
    /// Dropout of the last hidden layer.
    pub dropout: f64,
    /// The largest number of epochs.
    #[schemars(extend("also" = "max_epochs"))]
    pub epochs: usize,
    /// The largest number of batches in an epoch; fewer where four passes through all windows are fewer.
    #[schemars(extend("also" = "batches, num_batches_per_epoch"))]
    pub batches_per_epoch: usize,
    /// Windows in a batch.
    #[schemars(extend("also" = "batch"))]
    pub batch_size: usize,
    /// The learning rate at the start, which decays from epoch to epoch.
    #[schemars(extend("also" = "rate, lr"))]
    pub learning_rate: f64,
    /// The gradient norm above which gradients are clipped.
    #[schemars(extend("also" = "clip, gradient_clip_val"))]
    pub gradient_clip: f64,
    /// Early stopping: epochs without a smaller validation loss after which training stops.
    pub patience: usize,
    /// Validation windows, each as long as the forecast, for early stopping and for calibrated intervals; as many as there is
    /// room for. With 0, which is faster, all epochs are trained, and intervals are the network's own.
    pub windows: usize,
    /// Is the network refitted on all steps, with the validation windows, for the best number of epochs?
    pub refit: bool,
    /// How series are scaled.
    pub scale: Scaling,
    /// The power of a Box-Cox transformation, or `auto`; 0 is the logarithm.
    pub box_cox: Option<BoxCox>,
    /// Are covariates features? Those that are known ahead must then be given with the future.
    pub regressors: bool,
    /// The device that the network is trained on.
    pub device: Device,
    /// A folder where training is saved after every epoch and resumed from. It changes no forecast.
    pub checkpoint: Option<String>,
    /// The random seed.
    pub seed: u64,
}

impl Default for Lstm {
    fn default() -> Self {
        Self {
            head: Head::default(),
            horizon: None,
            context_length: None,
            hidden_size: 32,
            num_layers: 1,
            embedding_size: 8,
            dropout: 0.2,
            epochs: 10,
            batches_per_epoch: 40,
            batch_size: 64,
            learning_rate: 0.001,
            gradient_clip: 1.0,
            patience: 5,
            windows: 3,
            refit: true,
            scale: Scaling::default(),
            box_cox: None,
            regressors: true,
            device: Device::default(),
            checkpoint: None,
            seed: 1,
        }
    }
}

impl Method for Lstm {
    const NAME: &str = "lstm";
    const TITLE: &str = "Recurrent network (LSTM)";
    const SUMMARY: &str = "A recurrent network as a global model, with quantiles or counts";
    const EXAMPLE: &str = "lstm(hidden_size=16, epochs=4, batches_per_epoch=10, windows=1, refit=false)";
    const ALSO: &str = "long short term memory";
    const SIMILAR: &[(&str, &str)] = &[
        (
            "rnn, gru, deepar, recurrent neural network",
            "a recurrent network as a global model, with quantiles or a count distribution",
        ),
        (
            "nbeats, nhits, tft, temporal fusion transformer, transformer, informer, patchtst, tcn, mlp, neural network, nn, deep learning, timegpt, chronos, timesfm, moirai",
            "the one neural network here, trained on your data",
        ),
    ];
    const SEARCH: &[(&str, &[&str])] = &[
        ("hidden_size", &["16", "32", "64"]),
        ("learning_rate", &["0.0005", "0.001", "0.002"]),
        ("dropout", &["0.1", "0.2", "0.4"]),
        ("scale", &["level", "standard"]),
    ];
    type Scope = PanelLevel;
    type Fitted = FittedLstm;

    fn check(&self) -> Result<()> {
        global::check(&self.common())?;
        for (what, value, min) in [
            ("context_length", self.context_length.unwrap_or(1), 1),
            ("hidden_size", self.hidden_size, 1),
            ("num_layers", self.num_layers, 1),
            ("embedding_size", self.embedding_size, 1),
            ("epochs", self.epochs, 1),
            ("batches_per_epoch", self.batches_per_epoch, 1),
            ("batch_size", self.batch_size, 1),
            ("patience", self.patience, 1),
        ] {
            check_count(what, value, min)?;
        }
        for (what, value, max) in [
            ("context_length", self.context_length.unwrap_or(1), 5_000),
            ("hidden_size", self.hidden_size, 1_024),
            ("num_layers", self.num_layers, 8),
            ("embedding_size", self.embedding_size, 256),
        ] {
            if value > max {
                return Err(Error::usage(format!("`{what}` is at most {max}, not {value}")));
            }
        }
        for (what, value) in [("learning_rate", self.learning_rate), ("gradient_clip", self.gradient_clip)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(Error::usage(format!("`{what}` is a number above 0, not {value}")));
            }
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(Error::usage(format!(
                "`dropout` is a fraction of at least 0 and below 1, not {}",
                self.dropout
            )));
        }
        if self.checkpoint.as_ref().is_some_and(|folder| folder.trim().is_empty()) {
            return Err(Error::usage("`checkpoint` names a folder"));
        }
        if self.head == Head::NegativeBinomial && self.box_cox.is_some() {
            return Err(Error::usage("head=negative_binomial is for counts as they are: leave box_cox out"));
        }
        if self.head == Head::NegativeBinomial && self.scale == Scaling::Standard {
            return Err(Error::usage("head=negative_binomial is for counts: take scale=level or scale=none"));
        }
        Ok(())
    }
}

impl Lstm {
    fn common(&self) -> GlobalOptions {
        GlobalOptions {
            horizon: self.horizon,
            block: None,
            scale: self.scale,
            difference: Difference::None,
            box_cox: self.box_cox,
            regressors: self.regressors,
            max_rows: usize::MAX,
            windows: self.windows,
        }
    }

    /// The context length for a season.
    fn context(&self, season: usize) -> usize {
        let season = season.max(1);
        let default = if season == 1 { 16 } else { (season * FOUR_WEEKS.div_ceil(season)).min(MAX_CONTEXT) };
        self.context_length.unwrap_or(default)
    }
}

/// The smallest default context length, in whole seasons, and the largest.
const FOUR_WEEKS: usize = 28;
const MAX_CONTEXT: usize = 48;

impl Forecaster for Lstm {
    fn reads_covariates(&self) -> bool {
        self.regressors
    }

    fn depends_on_horizon(&self) -> bool {
        self.horizon.is_none()
    }

    fn fit(&self, train: &Panel, aim: Aim) -> Result<Box<dyn Fitted>> {
        FittedLstm::of(self, train, aim.steps)
    }
}
