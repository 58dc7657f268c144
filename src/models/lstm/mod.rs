//! `lstm`: a recurrent network that learns from all series together (Hochreiter & Schmidhuber 1997, *Neural Computation* 9).
//!
//! One layer of memory cells reads the last steps of a series, another goes on from its state through the steps ahead and what is
//! known of them, and says a distribution for each: a forecast for all steps at once, which never feeds on itself (Wen et al. 2017;
//! `network` draws it, `head` has the distributions). Every series has an embedding, learned with the rest; one without a past is
//! forecast as any series (`examples`). Training stops where the last windows are forecast best (`training`), and goes on
//! from a `checkpoint` where it was broken off. On those windows the quantiles are corrected (see
//! [`calibration`](super::calibration)); then the network is trained once more on all steps.
//!
//! It wants many series or long ones: with a few hundred values a simpler model is better, and sooner done. Tensors are those of
//! burn, in single precision.

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
mod examples;
mod fitted;
mod head;
mod network;
mod training;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use fitted::FittedLstm;
pub use head::Head;

use super::kinds::WholePanel;
use super::learned::{self, Difference, Scaling, Task};
use super::{Aim, BoxCox, Fitted, Forecaster, Method};
use crate::error::{Error, Result};
use crate::panel::Panel;

/// What a network is calculated with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA card, which must be there, and a program that was built for it.
    Cuda,
}

/// Options of `lstm`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lstm {
    /// What is said of a step.
    pub head: Head,
    /// Steps ahead that are forecast at once; those of the forecast if not stated. Beyond them forecasts become the past.
    pub horizon: Option<usize>,
    /// Steps of the past that are read one by one; whole seasons of four weeks or more if not stated.
    pub context: Option<usize>,
    /// Numbers in the state of a layer.
    #[schemars(extend("also" = "hidden_size"))]
    pub hidden: usize,
    /// Layers that read the past, and as many for the steps ahead.
    pub layers: usize,
    /// Numbers that stand for a series.
    pub embedding: usize,
    /// The share of the last hidden numbers that a training step leaves out.
    pub dropout: f64,
    /// The most rounds of training.
    pub epochs: usize,
    /// The most batches in a round; fewer where four times all windows are fewer.
    pub batches: usize,
    /// Windows in a batch.
    pub batch: usize,
    /// The rate of learning, which falls from round to round.
    #[schemars(extend("also" = "learning_rate"))]
    pub rate: f64,
    /// The largest gradient that is followed as it is.
    pub clip: f64,
    /// Rounds without a better forecast of the last windows after which training stops.
    pub patience: usize,
    /// Windows of the past, each as long as the forecast, that the best round is chosen and intervals are corrected by, as many
    /// as there is room for. 0 is for speed: all rounds are trained, and intervals are the network's own.
    pub windows: usize,
    /// Is the network trained once more on all steps, those windows included, for as many rounds as were best?
    pub refit: bool,
    /// How series are brought to one scale.
    pub scale: Scaling,
    /// The power of a Box-Cox transformation, or `auto`; 0 is the logarithm.
    pub box_cox: Option<BoxCox>,
    /// Are covariates read? Those that are known ahead must then be given with the future.
    pub regressors: bool,
    /// What the network is calculated with.
    pub device: Device,
    /// A folder in which training leaves where it stands after every round, and from which it goes on. It changes no forecast.
    pub checkpoint: Option<String>,
    /// Where the draws begin.
    pub seed: u64,
}

impl Default for Lstm {
    fn default() -> Self {
        Self {
            head: Head::default(),
            horizon: None,
            context: None,
            hidden: 32,
            layers: 1,
            embedding: 8,
            dropout: 0.2,
            epochs: 10,
            batches: 40,
            batch: 64,
            rate: 0.001,
            clip: 1.0,
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

/// One round of training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// 0 for the training that the last windows judge, 1 for that on all steps.
    pub part: u64,
    /// The number of the round, from 1.
    pub epoch: usize,
    /// The mean loss of its windows.
    pub loss: f64,
    /// The loss on the last windows, where they judge.
    pub judged: Option<f64>,
    /// The rate at its end.
    pub rate: f64,
    /// The mean size of its gradients, before they were clipped.
    pub norm: f64,
}

impl Method for Lstm {
    const NAME: &str = "lstm";
    const SUMMARY: &str = "A recurrent network that learns from all series together, with quantiles or counts";
    const EXAMPLE: &str = "lstm(hidden=16, epochs=4, batches=10, windows=1, refit=false)";
    const ALSO: &str = "long short term memory";
    const SIMILAR: &[(&str, &str)] = &[
        (
            "rnn, gru, deepar, recurrent neural network",
            "a recurrent network over all series, with a distribution or quantiles",
        ),
        (
            "nbeats, nhits, tft, temporal fusion transformer, transformer, informer, patchtst, tcn, mlp, neural network, nn, deep learning, timegpt, chronos, timesfm, moirai",
            "the one neural network here, trained on the data at hand",
        ),
    ];
    const SEARCH: &[(&str, &[&str])] = &[
        ("hidden", &["16", "32", "64"]),
        ("rate", &["0.0005", "0.001", "0.002"]),
        ("dropout", &["0.1", "0.2", "0.4"]),
        ("scale", &["level", "standard"]),
    ];
    type Kind = WholePanel;
    type Fitted = FittedLstm;

    fn check(&self) -> Result<()> {
        learned::check(&self.task())?;
        for (what, value, least) in [
            ("context", self.context.unwrap_or(1), 1),
            ("hidden", self.hidden, 1),
            ("layers", self.layers, 1),
            ("embedding", self.embedding, 1),
            ("epochs", self.epochs, 1),
            ("batches", self.batches, 1),
            ("batch", self.batch, 1),
            ("patience", self.patience, 1),
        ] {
            learned::check_count(what, value, least)?;
        }
        for (what, value, most) in [
            ("context", self.context.unwrap_or(1), 5_000),
            ("hidden", self.hidden, 1_024),
            ("layers", self.layers, 8),
            ("embedding", self.embedding, 256),
        ] {
            if value > most {
                return Err(Error::usage(format!("`{what}` is at most {most}, not {value}")));
            }
        }
        for (what, value) in [("rate", self.rate), ("clip", self.clip)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(Error::usage(format!("`{what}` is a number above 0, not {value}")));
            }
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(Error::usage(format!("`dropout` is a share of at least 0 and below 1, not {}", self.dropout)));
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
    fn task(&self) -> Task {
        Task {
            horizon: self.horizon,
            block: None,
            scale: self.scale,
            difference: Difference::None,
            box_cox: self.box_cox,
            regressors: self.regressors,
            most_rows: usize::MAX,
            windows: self.windows,
        }
    }

    /// Steps of the past that are read, for a season.
    fn steps_read(&self, season: usize) -> usize {
        let season = season.max(1);
        let usual = if season == 1 { 16 } else { (season * FOUR_WEEKS.div_ceil(season)).min(LONGEST) };
        self.context.unwrap_or(usual)
    }
}

/// Steps of the past that are read at least, in whole seasons, and at most if not asked for.
const FOUR_WEEKS: usize = 28;
const LONGEST: usize = 48;

impl Forecaster for Lstm {
    fn reads_covariates(&self) -> bool {
        self.regressors
    }

    fn minds_steps(&self) -> bool {
        self.horizon.is_none()
    }

    fn fit(&self, train: &Panel, aim: Aim) -> Result<Box<dyn Fitted>> {
        FittedLstm::of(self, train, aim.steps)
    }
}
