//! Models that learn across series: one function of what is known of a series and a step, fitted to all series together.
//!
//! The adapter here makes a [`Learner`] a [`Forecaster`]: features (`design`) of series seen on a scale of their own (`tracks`),
//! one fit for each block of steps ahead, intervals from windows of the past (`spread`), levels for series without a past
//! (`level`). A learner sees a table and a target, nothing of series.
//!
//! **Direct by block.** A model for steps 1 to 14 may look at what is at least 14 steps old, one for steps 15 to 28 at what is at
//! least 28 steps old; so nothing that is forecast is ever looked at (Taieb & Hyndman 2014, *Boosting multi-step autoregressive
//! forecasts*). Beyond the last block the forecasts themselves are the past (recursive): `horizon=1` is the purely recursive
//! strategy.
//!
//! **Equal input, equal answer.** Series are taken in the order of what they hold and covariates in that of their names (see
//! `order`), a covariate that says the same everywhere is left out, and values that differ by rounding alone are one to a tree.
//! So neither what series are called moves a forecast, nor the order in which columns are declared, nor the unit in which sales are
//! counted. To rename a covariate may: trees that see a share of the columns then see others.

pub(super) mod design;
mod level;
pub(super) mod spread;
pub(super) mod tracks;

use std::borrow::Cow;
use std::sync::Arc;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use design::{Design, Track};
use spread::{Spread, Tried};
use tracks::{Seen, Views};

use super::local::normalisation;
use super::trial::usual_horizon;
use super::{
    Aim, BoxCox, Description, Explanation, Fitted, Forecaster, Foreign, Importance, Marginal, Method, Save, Shocks,
};
use crate::error::{Error, Result};
use crate::panel::normalise::Scale;
use crate::panel::order::{self, mixed};
use crate::panel::{Future, Panel};
use crate::progress;

/// What a learner that works across series is asked to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Task {
    /// Steps ahead that are forecast directly; those that the fit is for if not stated.
    pub horizon: Option<usize>,
    /// Steps that one fit is for; a season or two weeks' worth if not stated.
    pub block: Option<usize>,
    /// How series are brought to one scale.
    pub scale: Scaling,
    /// What is taken from each value before it is learned.
    pub difference: Difference,
    /// The power of a transformation before all else.
    pub box_cox: Option<BoxCox>,
    /// Are covariates read? Those that are known ahead must then be given with the future.
    pub regressors: bool,
    /// The most rows that are learned from, drawn evenly over series and steps.
    pub most_rows: usize,
    /// Windows of the past that intervals are learned from, at most.
    pub windows: usize,
}

/// The options of a learner: its own, and behind them those that all learners have, which become its [`Task`].
macro_rules! learner_options {
    ($(#[$about:meta])* $name:ident, most_rows: $most_rows:literal,
     $($(#[$doc:meta])* $field:ident: $type:ty = $default:expr,)*) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)*
            /// Steps ahead that are forecast directly; those of the forecast if not stated. 1 is the recursive strategy.
            pub horizon: Option<usize>,
            /// Steps that one fit is for; about two weeks of days, a dozen of others, if not stated.
            pub block: Option<usize>,
            /// How series are brought to one scale.
            pub scale: $crate::models::learned::Scaling,
            /// What is taken from each value before it is learned, and put back in the forecast.
            pub difference: $crate::models::learned::Difference,
            /// The power of a Box-Cox transformation, or `auto`; 0 is the logarithm.
            pub box_cox: Option<$crate::models::BoxCox>,
            /// Are covariates read? Those that are known ahead must then be given with the future.
            pub regressors: bool,
            /// The most rows that are learned from, drawn evenly over series and steps.
            pub most_rows: usize,
            /// Windows of the past, each as long as the forecast, that intervals and `difference=auto` are learned from, as
            /// many as there is room for. 0 is for speed: intervals are then normal, and as wide as the errors in the training
            /// part say, which the fit has seen.
            pub windows: usize,
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($field: $default,)*
                    horizon: None,
                    block: None,
                    scale: Default::default(),
                    difference: Default::default(),
                    box_cox: None,
                    regressors: true,
                    most_rows: $most_rows,
                    windows: 3,
                }
            }
        }

        impl $name {
            fn task(&self) -> $crate::models::learned::Task {
                let &Self { horizon, block, scale, difference, box_cox, regressors, most_rows, windows, .. } = self;
                $crate::models::learned::Task {
                    horizon, block, scale, difference, box_cox, regressors, most_rows, windows
                }
            }
        }
    };
}
pub(super) use learner_options;

/// How series of different size are brought to one scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scaling {
    /// Divided by the mean of the series.
    #[default]
    Level,
    /// Less the mean of the series, divided by its standard deviation.
    Standard,
    /// As they are.
    None,
}

/// What is taken from each value before it is learned, and put back in the forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Difference {
    /// Nothing or the recent mean, whichever is off by less on the last windows.
    #[default]
    Auto,
    /// Nothing.
    None,
    /// The mean of the last season that may be looked at, so that trees can follow a trend.
    Recent,
    /// The value a season (or as many as the steps ahead ask for) before.
    Seasonal,
}

/// Rows of features, by column.
#[derive(Clone)]
pub struct Table {
    /// The names of the columns.
    pub names: Vec<String>,
    /// By column, NaN where nothing is known.
    pub columns: Vec<Vec<f64>>,
    /// Which columns hold categories, as whole numbers from 0.
    pub categorical: Vec<bool>,
    /// By row, how many steps its series goes on.
    pub left: Vec<usize>,
}

/// A method that learns one function from a table of rows.
pub trait Learner: Send + Sync {
    /// What it is asked to do.
    fn task(&self) -> Task;

    /// Learns `target`, one value per row.
    ///
    /// # Errors
    /// When the table cannot be learned from.
    fn learn(&self, table: &Table, target: &[f64]) -> Result<Box<dyn Learnt>>;
}

/// A function that was learned.
pub trait Learnt: Save + Send + Sync {
    /// Its value for each row.
    fn predict(&self, columns: &[Vec<f64>]) -> Vec<f64>;

    /// The model in the format of the program that made it, where that was another.
    fn foreign(&self) -> Option<&str> {
        None
    }

    /// What each column contributed to the fit, in any unit; none where the method cannot tell.
    fn gains(&self, _columns: usize) -> Option<Vec<f64>> {
        None
    }

    /// What each column adds to the value of each row, and last what there is without any; they sum to the value.
    fn contributions(&self, _columns: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
        None
    }
}

pub(super) struct Across<M>(pub(super) M);

/// The fit for some steps ahead.
#[derive(Clone)]
struct Block {
    /// The first step ahead and the one after the last, counted from 0.
    steps: std::ops::Range<usize>,
    design: Design,
    learnt: Arc<dyn Learnt>,
}

/// By series, what was off at each step.
type Errors = Vec<Vec<f64>>;

struct AcrossFits {
    panel: Panel,
    difference: Difference,
    views: Views,
    blocks: Vec<Block>,
    spread: Spread,
    looks: Design,
    /// One-step errors of each series on the model's scale, less what the one before has said of them.
    residuals: Vec<Vec<f64>>,
    /// The same for paths, of errors on windows that had not been seen, and whether they tell how series move together.
    shocks: Vec<(Vec<f64>, bool)>,
    /// The usual error of each series, as it is seen.
    usual: Vec<f64>,
    /// How much of an error is still there a step later.
    carried: f64,
    failures: Vec<Option<Error>>,
}

/// Steps of windows that tell how series move together; with fewer, errors that the fit has seen are taken as well.
const TELLING: usize = 20;
/// The most steps that residuals are kept for, per series and over all; a hundred of each series in any case.
const RESIDUALS: usize = 364;
const ALL_RESIDUALS: usize = 100_000;
/// Steps that a block has at least, and at most if a season does not ask for more.
const BLOCK: std::ops::RangeInclusive<usize> = 4..=14;
/// Cells of features that are kept while a fit goes on (a gigabyte).
const MOST_CELLS: usize = 1 << 27;
/// Rows that values are shuffled among to see what a feature counts for.
const SHUFFLED: usize = 2_000;
/// Windows that are asked for at most.
const MOST_WINDOWS: usize = 20;
/// Residuals by which the usual error of a series is drawn to that of all.
const PRIOR: f64 = 10.0;

impl Scaling {
    /// How a series with these values on a scale is seen.
    fn seen(self, scale: Scale, values: &[f64]) -> Seen {
        let there = || values.iter().copied().filter(|y| !y.is_nan());
        let n = there().count().max(1) as f64;
        // In units of the largest value, so that no sum leaves the range of numbers.
        let most = there().fold(0.0, |most: f64, y| most.max(y.abs())).max(f64::MIN_POSITIVE);
        let mean = most * (there().map(|y| y / most).sum::<f64>() / n);
        let size = most * (there().map(|y| (y / most).abs()).sum::<f64>() / n);
        let or_one = |size: f64| if size > 0.0 && size.is_finite() { size } else { 1.0 };
        match (self, scale) {
            (Self::None, _) => Seen { scale, centre: 0.0, size: 1.0 },
            (Self::Level, Scale::Same) => Seen { scale, centre: 0.0, size: or_one(size) },
            (Self::Level, _) => Seen { scale, centre: mean, size: 1.0 },
            (Self::Standard, _) => {
                let sd = most * (there().map(|y| (y / most - mean / most).powi(2)).sum::<f64>() / n).sqrt();
                Seen { scale, centre: mean, size: or_one(sd) }
            }
        }
    }
}

impl Task {
    /// The blocks of a horizon.
    fn blocks(&self, horizon: Option<usize>, season: usize) -> Vec<std::ops::Range<usize>> {
        let horizon = self.horizon.or(horizon).unwrap_or_else(|| usual_horizon(season));
        let usual = if season > 1 && season <= *BLOCK.end() {
            // Whole seasons, so that the same place of the season is as near as it can be.
            season * (*BLOCK.end() / season)
        } else {
            *BLOCK.end()
        };
        let most = self.block.unwrap_or(usual).max(1);
        // Equal blocks of at most so many steps.
        let count = horizon.div_ceil(most).max(1);
        let block = if self.block.is_some() { most } else { horizon.div_ceil(count).max(*BLOCK.start()) };
        (0..horizon).step_by(block).map(|first| first..(first + block).min(horizon)).collect()
    }
}

impl<M: Learner> Forecaster for Across<M> {
    fn reads_covariates(&self) -> bool {
        self.0.task().regressors
    }

    fn minds_steps(&self) -> bool {
        self.0.task().horizon.is_none()
    }

    fn fit(&self, train: &Panel, aim: Aim) -> Result<Box<dyn Fitted>> {
        let task = self.0.task();
        let normalisation = normalisation(train, task.box_cox)?;
        let views = Views::of(train, normalisation, &task)?;
        match self.learn(train, views.clone(), aim.steps) {
            // What cannot be learned from fails for every series.
            Err(error) if error.is_model() => Ok(Box::new(AcrossFits::failed(train, views, &error))),
            fits => Ok(Box::new(fits?)),
        }
    }
}

impl<M: Learner> Across<M> {
    fn learn(&self, train: &Panel, views: Views, horizon: Option<usize>) -> Result<AcrossFits> {
        let task = self.0.task();
        let tracks = tracks(&views, train)?;
        let order = order::by_content(train)?;
        let longest = tracks.iter().flatten().map(|track| track.y.len()).max().unwrap_or(0);
        let blocks = task.blocks(horizon, views.shape.season);
        let reach = blocks.last().map_or(1, |block| block.end);
        let windows = (1..=task.windows).rev().find(|windows| 3 * windows * reach <= longest).unwrap_or(0);
        let candidates = match task.difference {
            Difference::Auto => &[Difference::None, Difference::Recent][..],
            ref stated => std::slice::from_ref(stated),
        };
        let trials = if windows > 0 { candidates.len() } else { 0 };
        let bar = progress::bar((1 + trials) * blocks.len(), "training");
        let designs: Vec<Design> = blocks.iter().map(|steps| Design::new(&views.shape, steps.end)).collect();
        let rows_of = |at: usize| {
            progress::check()?;
            rows(&tracks, &order, &designs[at], task.most_rows, blocks[at].end)
        };
        let learn = |rows: &TrainingRows, at: usize, difference: Difference, from_end: usize| -> Result<Block> {
            progress::check()?;
            let (table, target) = rows.before(from_end, difference);
            let learnt = self.0.learn(&table, &target)?.into();
            progress::check()?;
            bar.inc(1);
            Ok(Block { steps: blocks[at].clone(), design: designs[at].clone(), learnt })
        };
        let looks = Design::looks(&views.shape, reach);
        let mut fits = AcrossFits {
            panel: train.clone(),
            difference: candidates[0],
            blocks: Vec::new(),
            spread: Spread::of(&[]),
            looks,
            residuals: Vec::new(),
            shocks: Vec::new(),
            usual: Vec::new(),
            carried: 0.0,
            failures: (0..train.len()).map(|i| views.seen(i).err()).collect(),
            views,
        };
        let mut trials: Vec<Vec<Block>> = candidates.iter().map(|_| Vec::new()).collect();
        let mut kept: Vec<Option<TrainingRows>> = Vec::new();
        let mut cells = 0;
        for at in (0..blocks.len()).filter(|_| windows > 0) {
            let rows = rows_of(at)?;
            let fit = |(trial, difference): (&mut Vec<Block>, &Difference)| -> Result<()> {
                trial.push(learn(&rows, at, *difference, windows * reach)?);
                Ok(())
            };
            trials.par_iter_mut().zip(candidates).try_for_each(fit)?;
            // The same rows are learned from once more, if there is room for them.
            cells += rows.target.len() * rows.table.columns.len();
            kept.push(Some(rows).filter(|_| cells <= MOST_CELLS));
        }
        let mut best: Option<(f64, Difference, Vec<Tried>, Option<Block>)> = None;
        for (trial, difference) in trials.into_iter().zip(candidates).filter(|_| windows > 0) {
            (fits.difference, fits.blocks) = (*difference, trial);
            let tried = fits.try_out(&tracks, &order, windows, reach)?;
            let loss = tried.iter().flat_map(|tried| &tried.errors).filter(|e| e.is_finite()).map(|e| e.abs()).sum();
            if best.as_ref().is_none_or(|(least, ..)| loss < *least) {
                best = Some((loss, *difference, tried, fits.blocks.first().cloned()));
            }
        }
        let (_, difference, mut tried, trial) = best.unwrap_or((0.0, candidates[0], Vec::new(), None));
        fits.difference = difference;
        kept.resize_with(blocks.len(), || None);
        let learned = kept.into_par_iter().enumerate().map(|(at, rows)| match rows {
            Some(rows) => learn(&rows, at, difference, 0),
            None => learn(&rows_of(at)?, at, difference, 0),
        });
        fits.blocks = learned.collect::<Result<_>>()?;
        fits.look_back(&tracks, &order, trial.as_ref(), windows * reach);
        for tried in &mut tried {
            let usual = fits.usual[tried.series];
            tried.errors.iter_mut().for_each(|e| *e /= usual);
            tried.looks.push(vec![usual; tried.errors.len()]);
        }
        fits.spread = Spread::of(&tried);
        progress::check()?;
        drop(bar);
        Ok(fits)
    }
}

/// The history of every series that can be served.
fn tracks(views: &Views, panel: &Panel) -> Result<Vec<Option<Track>>> {
    let track = |i: usize| {
        progress::check()?;
        Ok(views.track(panel, i, None).ok().map(|(_, track)| track))
    };
    (0..panel.len()).into_par_iter().map(track).collect()
}

/// What there is to learn from.
struct TrainingRows {
    table: Table,
    /// By row: the value, the recent mean and the value a season before.
    target: Vec<f64>,
    recent: Vec<f64>,
    seasonal: Vec<f64>,
}

impl TrainingRows {
    /// The rows without the last steps of each series, and what is learned of them.
    fn before(&self, from_end: usize, difference: Difference) -> (Cow<'_, Table>, Vec<f64>) {
        let kept: Vec<usize> = (0..self.target.len()).filter(|row| self.table.left[*row] >= from_end).collect();
        let anchor = |row: usize| match difference {
            Difference::Auto | Difference::None => 0.0,
            Difference::Recent => self.recent[row],
            Difference::Seasonal => self.seasonal[row],
        };
        let target = kept.iter().map(|row| self.target[*row] - anchor(*row)).collect();
        if kept.len() == self.target.len() {
            return (Cow::Borrowed(&self.table), target);
        }
        let part = |column: &Vec<f64>| kept.iter().map(|row| column[*row]).collect();
        let columns = self.table.columns.par_iter().map(part).collect();
        let Table { names, categorical, left, .. } = &self.table;
        let left = kept.iter().map(|row| left[*row]).collect();
        (Cow::Owned(Table { names: names.clone(), columns, categorical: categorical.clone(), left }), target)
    }
}

/// The rows of all series in the order that is stated, or as many as are asked for at most.
fn rows(tracks: &[Option<Track>], order: &[usize], design: &Design, most: usize, reach: usize) -> Result<TrainingRows> {
    // Where some series must be forecast without a past, the first rows of the others teach how.
    let cold = tracks.iter().flatten().any(|track| track.y.iter().filter(|y| !y.is_nan()).count() < reach);
    let first = if cold { 0 } else { reach };
    let steps = |track: &Track| {
        let first = if track.y.len() > 3 * first { first } else { 0 };
        (first..track.y.len()).filter(|t| !track.y[*t].is_nan()).collect::<Vec<usize>>()
    };
    let all: usize = tracks.par_iter().flatten().map(|track| steps(track).len()).sum();
    let share = most as f64 / all.max(1) as f64;
    // By column, and behind the features the value, the recent mean, the season before, and the steps left.
    let of = |(place, series): (usize, &usize)| -> Vec<Vec<f64>> {
        let Some(track) = &tracks[*series] else { return Vec::new() };
        let kept: Vec<usize> = steps(track).into_iter().filter(|t| share >= 1.0 || draw(place, *t) < share).collect();
        let (Some(first), Some(last)) = (kept.first(), kept.last()) else { return Vec::new() };
        let range = *first..last + 1;
        let mut columns = design.columns(track, range.clone());
        columns.push(track.y[range.clone()].to_vec());
        columns.push(design.recent(track, range.clone(), reach));
        columns.push(design.seasonal(track, range.clone(), reach));
        columns.push(range.map(|t| (track.y.len() - 1 - t) as f64).collect());
        columns.iter_mut().for_each(|column| *column = kept.iter().map(|t| column[t - first]).collect());
        columns
    };
    let parts: Vec<Vec<Vec<f64>>> = order.par_iter().enumerate().map(of).collect();
    progress::check()?;
    let column = |c: usize| parts.iter().filter_map(|columns| columns.get(c)).flatten().copied().collect::<Vec<f64>>();
    let width = design.names.len();
    let columns = (0..width).into_par_iter().map(column).collect();
    let target = column(width);
    match target.iter().any(|y| y.is_finite()) {
        false => Err(Error::model("no series has values to learn from")),
        true => Ok(TrainingRows {
            table: Table {
                names: design.names.clone(),
                columns,
                categorical: design.categorical(),
                left: column(width + 3).into_iter().map(|left| left as usize).collect(),
            },
            target,
            recent: column(width + 1),
            seasonal: column(width + 2),
        }),
    }
}

/// A number between 0 and 1 for the place of a series and a step, the same on every machine.
fn draw(place: usize, step: usize) -> f64 {
    mixed((place as u64) << 32 | step as u64) as f64 / u64::MAX as f64
}

impl Difference {
    /// What is taken from the values at some steps.
    fn anchors(self, design: &Design, track: &Track, steps: std::ops::Range<usize>, reach: usize) -> Vec<f64> {
        match self {
            Self::Auto | Self::None => vec![0.0; steps.len()],
            Self::Recent => design.recent(track, steps, reach),
            Self::Seasonal => design.seasonal(track, steps, reach),
        }
    }
}

impl AcrossFits {
    /// No series could be served.
    fn failed(panel: &Panel, views: Views, why: &Error) -> Self {
        let n = panel.len();
        Self {
            panel: panel.clone(),
            difference: Difference::None,
            looks: Design::looks(&views.shape, 1),
            views,
            blocks: Vec::new(),
            spread: Spread::of(&[]),
            residuals: (0..n).map(|i| vec![f64::NAN; panel.regular(i).len()]).collect(),
            shocks: vec![(Vec::new(), false); n],
            usual: vec![1.0; n],
            carried: 0.0,
            failures: vec![Some(why.clone()); n],
        }
    }

    /// Steps ahead that are forecast directly.
    fn reach(&self) -> usize {
        self.blocks.last().map_or(0, |block| block.steps.end)
    }

    /// What is said of the steps from `begins` on, as the series is seen; the track ends with them and holds what is said.
    fn say(&self, track: &mut Track, begins: usize) -> Vec<f64> {
        self.walk(track, begins, |_, _, _| {})
    }

    /// As [`say`](Self::say), showing each block the features of its steps and what was taken from their values.
    fn walk(&self, track: &mut Track, begins: usize, mut show: impl FnMut(&Block, &[Vec<f64>], &[f64])) -> Vec<f64> {
        let end = track.y.len();
        let mut said = Vec::with_capacity(end - begins);
        while begins + said.len() < end {
            let origin = begins + said.len();
            if self.blocks.is_empty() {
                said.resize(end - begins, f64::NAN);
            }
            for block in &self.blocks {
                let steps = origin + block.steps.start..(origin + block.steps.end).min(end);
                if steps.is_empty() {
                    break;
                }
                let anchors = self.difference.anchors(&block.design, track, steps.clone(), block.steps.end);
                let columns = block.design.columns(track, steps);
                show(block, &columns, &anchors);
                said.extend(block.learnt.predict(&columns).iter().zip(&anchors).map(|(value, anchor)| value + anchor));
            }
            // From here on, what was said is the past.
            for t in origin..begins + said.len() {
                track.y[t] = if self.views.is_closed(track, t) { f64::NAN } else { said[t - begins] };
            }
        }
        said
    }

    /// What steps look like to the intervals, but for the usual error of the series.
    fn looks(&self, track: &Track, origin: usize, said: &[f64]) -> Vec<Vec<f64>> {
        let mut looks = self.looks.columns(track, origin..origin + said.len());
        looks.push(said.to_vec());
        looks.push((1..=said.len()).map(|step| step as f64).collect());
        looks
    }

    /// What one block was off by at the steps of each series from a step of its own on, as the series are seen; NaN before.
    fn errors(&self, tracks: &[Option<Track>], block: Option<&Block>, first: impl Fn(usize) -> usize + Sync) -> Errors {
        let errors = |track: &Track| {
            let n = track.y.len();
            let first = first(n).min(n);
            let Some(block) = block else { return vec![f64::NAN; n] };
            let anchors = self.difference.anchors(&block.design, track, first..n, block.steps.end);
            let said = block.learnt.predict(&block.design.columns(track, first..n));
            let error = |t: usize| track.y[t] - anchors[t - first] - said[t - first];
            (0..n).map(|t| if t < first { f64::NAN } else { error(t) }).collect::<Vec<f64>>()
        };
        tracks.par_iter().map(|track| track.as_ref().map_or_else(Vec::new, errors)).collect()
    }

    /// The first of the last steps of a series whose errors are kept, where there are so many series.
    fn first_kept(&self, count: usize, steps: usize) -> usize {
        steps.saturating_sub((ALL_RESIDUALS / count.max(1)).clamp(100, RESIDUALS))
    }

    /// What follows from the errors in the training part: how long they last, how large they usually are, what is new in each.
    /// Of a series that is long enough only those are new for which all that is read of the past is there: what is said of the
    /// first steps is off in every series alike. How series move together is told by the errors of `trial` on the last `unseen`
    /// steps, which it had not seen: a fit may have learned by heart on which date all went up.
    fn look_back(&mut self, tracks: &[Option<Track>], order: &[usize], trial: Option<&Block>, unseen: usize) {
        let block = self.blocks.first();
        let settled = |n: usize| block.and_then(|block| block.design.settled(n));
        let first = |n: usize| self.first_kept(tracks.len(), n);
        let all = self.errors(tracks, block, first);
        let mut errors = all.clone();
        for errors in &mut errors {
            let early = settled(errors.len()).unwrap_or(0);
            errors.iter_mut().take(early).for_each(|e| *e = f64::NAN);
        }
        let mut moves = errors.clone();
        if let Some(trial) = trial {
            let from = |n: usize| first(n).max(n - unseen.min(n)).max(settled(n).unwrap_or(n));
            let news = self.errors(tracks, Some(trial), from);
            for (moves, news) in moves.iter_mut().zip(news).filter(|(_, news)| news.iter().any(|e| e.is_finite())) {
                // Few dates tell too little: those that the fit has seen stay beside them.
                let replaced = |(_, new): &(&mut f64, f64)| unseen >= TELLING || !new.is_nan();
                moves.iter_mut().zip(news).filter(replaced).for_each(|(e, new)| *e = new);
            }
        }
        let pairs = || {
            let pairs = order.iter().flat_map(|i| moves[*i].windows(2));
            pairs.filter(|pair| pair.iter().all(|e| e.is_finite()))
        };
        let (product, square) =
            pairs().fold((0.0, 0.0), |(product, square), pair| (product + pair[0] * pair[1], square + pair[0].powi(2)));
        let there =
            |errors: &[f64]| errors.iter().filter(|e| e.is_finite()).fold((0.0, 0.0), |(s, n), e| (s + e * e, n + 1.0));
        let sum = order.iter().map(|i| there(&all[*i])).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        let mean = if sum.1 > 0.0 { sum.0 / sum.1 } else { 1.0 };
        let joint: Vec<bool> = moves.iter().map(|moves| settled(moves.len()).is_some()).collect();
        self.carried = if square > 0.0 { (product / square).clamp(0.0, 0.95) } else { 0.0 };
        self.usual = all
            .iter()
            .map(|errors| there(errors))
            .map(|(squares, n)| ((squares + PRIOR * mean) / (n + PRIOR)).sqrt().max(1e-9))
            .collect();
        self.residuals = errors.iter().enumerate().map(|(i, errors)| self.innovations(i, errors)).collect();
        let shocks = moves.iter().enumerate().map(|(i, moves)| self.innovations(i, moves));
        self.shocks = shocks.zip(joint).collect();
    }

    /// What is new in each error, on the scale of the model.
    fn innovations(&self, series: usize, errors: &[f64]) -> Vec<f64> {
        let size = self.views.seen(series).map_or(1.0, |seen| seen.size);
        let before = std::iter::once(&f64::NAN).chain(errors);
        let left = |(e, before): (&f64, &f64)| size * (e - self.carried * if before.is_nan() { 0.0 } else { *before });
        errors.iter().zip(before).map(left).collect()
    }

    /// Forecasts of the last windows by what was learned before them, beside what happened, in the units of the series, which
    /// come in the order that is stated.
    fn try_out(&self, tracks: &[Option<Track>], order: &[usize], windows: usize, reach: usize) -> Result<Vec<Tried>> {
        let series = |i: &usize| -> Result<Vec<Tried>> {
            let i = *i;
            let Some(track) = &tracks[i] else { return Ok(Vec::new()) };
            progress::check()?;
            let first = track.y.len().saturating_sub(windows * reach);
            let origins = (0..windows).map(|w| (w, first + w * reach)).filter(|_| first > 0);
            let tried = origins.map(|(window, origin)| {
                let mut track = track.until(origin + reach);
                let actual: Vec<f64> = track.y.split_off(origin);
                track.y.resize(origin + reach, f64::NAN);
                let said = self.say(&mut track, origin);
                let looks = self.looks(&track, origin, &said);
                let errors = actual.iter().zip(&said).map(|(y, said)| y - said).collect();
                Tried { series: i, window, errors, looks }
            });
            Ok(tried.collect())
        };
        let tried: Vec<Vec<Tried>> = order.par_iter().map(series).collect::<Result<_>>()?;
        Ok(tried.into_iter().flatten().collect())
    }
}

impl Fitted for AcrossFits {
    fn failure(&self, series: usize) -> Option<&Error> {
        self.failures[series].as_ref()
    }

    fn forecast(&self, future: &Future, series: usize) -> Result<Marginal> {
        if let Some(error) = &self.failures[series] {
            return Err(error.clone());
        }
        let seen = self.views.seen(series)?;
        // Observed covariates are looked at as long ago as the steps ahead ask for, until forecasts become the past.
        let recursive = self.views.lead(&self.panel, series, future) + future.horizon() > self.reach();
        future.check(series, |column| self.views.reads(column, recursive))?;
        let history = self.panel.regular(series).len();
        let (begins, mut track) = self.views.track(&self.panel, series, Some(future))?;
        let said = self.say(&mut track, history);
        let mut looks = self.looks(&track, history, &said);
        looks.push(vec![self.usual[series]; said.len()]);
        let lead = begins - history;
        let closed: Vec<bool> = (begins..track.y.len()).map(|t| self.views.is_closed(&track, t)).collect();
        let usual = self.usual[series] * seen.size;
        let mut mean: Vec<f64> = said[lead..].iter().map(|value| seen.centre + seen.size * value).collect();
        let mut sd = vec![usual * self.spread.sd(); mean.len()];
        for (step, _) in closed.iter().enumerate().filter(|(_, closed)| **closed) {
            (mean[step], sd[step]) = (seen.scale.forward(0.0), 0.0);
        }
        if self.views.positive && seen.scale == Scale::Same {
            mean.iter_mut().for_each(|mean| *mean = mean.max(0.0));
        }
        if mean.iter().zip(&closed).any(|(mean, closed)| !mean.is_finite() && !closed) {
            return Err(Error::model("the forecast leaves the range of numbers"));
        }
        let marginal = Marginal::scaled(seen.scale, mean, sd)?;
        let looks: Vec<Vec<f64>> = looks.into_iter().map(|column| column[lead..].to_vec()).collect();
        self.spread.around(marginal, usual, &looks, self.views.positive, lead).finite()
    }

    fn residuals(&self, series: usize) -> &[f64] {
        &self.residuals[series]
    }

    fn shocks(&self, series: usize) -> Shocks<'_> {
        let (values, joint) = &self.shocks[series];
        Shocks { values, joint: *joint }
    }

    fn describe(&self, series: usize) -> Description {
        let form = match self.difference {
            Difference::Auto | Difference::None => "",
            Difference::Recent => "less the recent mean",
            Difference::Seasonal => "less the season before",
        };
        let mut description = Description { form: form.into(), ..Description::default() };
        if let Ok(seen) = self.views.seen(series) {
            description
                .parameters
                .push(("level".into(), seen.centre + if seen.centre == 0.0 { seen.size } else { 0.0 }));
        }
        description
    }

    fn update(&self, train: &Panel) -> Result<Box<dyn Fitted>> {
        let tracks = tracks(&self.views, train)?;
        let mut fits = AcrossFits {
            panel: train.clone(),
            difference: self.difference,
            views: self.views.clone(),
            blocks: self.blocks.clone(),
            spread: self.spread.clone(),
            looks: self.looks.clone(),
            residuals: Vec::new(),
            shocks: Vec::new(),
            usual: self.usual.clone(),
            carried: self.carried,
            failures: (0..train.len())
                .map(|i| self.failures[i].clone().or_else(|| self.views.track(train, i, None).err()))
                .collect(),
        };
        // What the fit has seen keeps its errors: only what is new is looked at.
        let first = |n: usize| fits.first_kept(tracks.len(), n);
        let errors = fits.errors(&tracks, fits.blocks.first(), first);
        let news: Vec<Vec<f64>> = errors.iter().enumerate().map(|(i, errors)| fits.innovations(i, errors)).collect();
        let kept = |news: &[f64], old: &[f64]| old.iter().chain(news.iter().skip(old.len())).copied().collect();
        fits.residuals = news.iter().zip(&self.residuals).map(|(news, old)| kept(news, old)).collect();
        let shocks = news.iter().zip(&self.shocks);
        fits.shocks = shocks.map(|(news, (old, joint))| (kept(news, old), *joint)).collect();
        Ok(Box::new(fits))
    }

    fn simulate(&self, _: &Future, _: usize, mean: &[f64], shocks: &[f64], path: &mut [f64]) -> Result<()> {
        let lead = shocks.len() - path.len();
        let mut error = 0.0;
        for (t, shock) in shocks.iter().enumerate() {
            error = self.carried * error + shock;
            if t >= lead {
                path[t - lead] = mean[t - lead] + error;
            }
        }
        Ok(())
    }

    fn importance(&self) -> Option<Vec<Importance>> {
        let block = self.blocks.first()?;
        let names = &block.design.names;
        let tracks: Vec<Option<Track>> = (0..self.panel.len())
            .map(|i| self.views.track(&self.panel, i, None).ok().map(|(_, track)| track))
            .collect();
        let order = order::by_content(&self.panel).ok()?;
        let rows = rows(&tracks, &order, &block.design, SHUFFLED, block.steps.end).ok()?;
        let (table, target) = rows.before(0, self.difference);
        let error = |columns: &[Vec<f64>]| {
            let said = block.learnt.predict(columns);
            said.iter().zip(&target).map(|(said, y)| (said - y).abs()).sum::<f64>()
        };
        let before = error(&table.columns).max(f64::MIN_POSITIVE);
        let gains = block.learnt.gains(names.len());
        let total = gains.as_ref().map(|gains| gains.iter().sum::<f64>().max(f64::MIN_POSITIVE));
        let mut order: Vec<usize> = (0..target.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(1));
        let of = |c: usize| {
            let mut columns = table.columns.clone();
            columns[c] = order.iter().map(|r| table.columns[c][*r]).collect();
            Importance {
                feature: names[c].clone(),
                gain: gains.as_ref().zip(total).map(|(gains, total)| gains[c] / total),
                permutation: error(&columns) / before - 1.0,
            }
        };
        Some((0..names.len()).into_par_iter().map(of).collect())
    }

    fn explain(&self, future: &Future, series: usize) -> Result<Option<Explanation>> {
        let seen = self.views.seen(series)?;
        let said = self.forecast(future, series)?.mean;
        let history = self.panel.regular(series).len();
        let (begins, mut track) = self.views.track(&self.panel, series, Some(future))?;
        let steps = track.y.len() - history;
        let mut base = Vec::with_capacity(steps);
        let mut parts: Vec<(String, Vec<f64>)> = Vec::new();
        let mut told = true;
        self.walk(&mut track, history, |block, columns, anchors| {
            let Some(rows) = block.learnt.contributions(columns) else {
                told = false;
                return;
            };
            let first = base.len();
            for ((step, row), anchor) in rows.iter().enumerate().zip(anchors) {
                base.push(anchor + row.last().copied().unwrap_or(0.0));
                for (group, part) in block.design.groups().into_iter().zip(row) {
                    let at = parts.iter().position(|(name, _)| *name == group).unwrap_or_else(|| {
                        parts.push((group, vec![0.0; steps]));
                        parts.len() - 1
                    });
                    parts[at].1[first + step] += part;
                }
            }
        });
        if !told {
            return Ok(None);
        }
        let lead = begins - history;
        let data = |value: f64| seen.scale.back(seen.centre + seen.size * value);
        let usual: Vec<f64> = base[lead..].iter().map(|value| data(*value)).collect();
        parts.iter_mut().for_each(|(_, steps)| drop(steps.drain(..lead)));
        for step in 0..usual.len() {
            let sum: f64 = parts.iter().map(|(_, steps)| steps[step]).sum();
            // On another scale parts do not add up: each gets its share of the whole.
            let unit = match seen.scale {
                Scale::Same => seen.size,
                _ if sum.abs() > 1e-12 => (said[step] - usual[step]) / sum,
                _ => 0.0,
            };
            parts.iter_mut().for_each(|(_, steps)| steps[step] *= unit);
        }
        Ok(Some(Explanation { usual, parts }))
    }

    fn foreign(&self, future: &Future, series: usize) -> Result<Option<Vec<Foreign>>> {
        let mut parts: Vec<Foreign> = Vec::new();
        let history = self.panel.regular(series).len();
        let (_, mut track) = self.views.track(&self.panel, series, Some(future))?;
        self.walk(&mut track, history, |block, columns, _| {
            let steps = (block.steps.start + 1, block.steps.end);
            // Beyond the last block the first one comes again, with what was said as the past.
            let Some(model) = block.learnt.foreign().filter(|_| !parts.iter().any(|part| part.steps == steps)) else {
                return;
            };
            parts.push(Foreign {
                steps,
                model: model.to_string(),
                names: block.design.names.clone(),
                columns: columns.to_vec(),
                said: block.learnt.predict(columns),
            });
        });
        Ok(Some(parts).filter(|parts| !parts.is_empty()))
    }

    fn save(&self) -> Result<Vec<u8>> {
        let block = |block: &Block| {
            Ok(SavedBlock { steps: block.steps.clone(), design: block.design.clone(), learnt: block.learnt.save()? })
        };
        super::encode(&Saved {
            difference: self.difference,
            views: self.views.clone(),
            blocks: self.blocks.iter().map(block).collect::<Result<_>>()?,
            spread: self.spread.clone(),
            looks: self.looks.clone(),
            residuals: self.residuals.clone(),
            shocks: self.shocks.clone(),
            usual: self.usual.clone(),
            carried: self.carried,
            failures: self.failures.iter().map(|why| why.as_ref().map(ToString::to_string)).collect(),
        })
    }
}

#[derive(Serialize, Deserialize)]
struct SavedBlock {
    steps: std::ops::Range<usize>,
    design: Design,
    learnt: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    difference: Difference,
    views: Views,
    blocks: Vec<SavedBlock>,
    spread: Spread,
    looks: Design,
    residuals: Vec<Vec<f64>>,
    shocks: Vec<(Vec<f64>, bool)>,
    usual: Vec<f64>,
    carried: f64,
    failures: Vec<Option<String>>,
}

/// The inverse of `save` for one method, with the panel that was fitted.
pub(super) fn load<M: Method>(bytes: &[u8], panel: &Panel) -> Result<Box<dyn Fitted>>
where
    M::Fitted: Learnt + DeserializeOwned,
{
    let Saved { difference, views, blocks, spread, looks, residuals, shocks, usual, carried, failures } =
        super::decode(bytes)?;
    let block = |block: SavedBlock| {
        let learnt: M::Fitted = super::decode(&block.learnt)?;
        Ok(Block { steps: block.steps, design: block.design, learnt: Arc::new(learnt) })
    };
    if [views.len(), residuals.len(), shocks.len(), usual.len(), failures.len()] != [panel.len(); 5] {
        return Err(Error::data("the saved fit is damaged"));
    }
    Ok(Box::new(AcrossFits {
        panel: panel.clone(),
        difference,
        views,
        blocks: blocks.into_iter().map(block).collect::<Result<_>>()?,
        spread,
        looks,
        residuals,
        shocks,
        usual,
        carried,
        failures: failures.into_iter().map(|why| why.map(Error::model)).collect(),
    }))
}

/// Options that are wrong in themselves.
pub(super) fn check(task: &Task) -> Result<()> {
    super::series::check_box_cox(task.box_cox)?;
    for (what, value) in [("horizon", task.horizon), ("block", task.block), ("most_rows", Some(task.most_rows))] {
        if value == Some(0) {
            return Err(Error::usage(format!("`{what}` is at least 1, not 0")));
        }
    }
    match task.windows {
        0..=MOST_WINDOWS => Ok(()),
        more => Err(Error::usage(format!("`windows` is at most {MOST_WINDOWS}, not {more}"))),
    }
}

/// A share is above 0 and at most 1.
pub(super) fn check_share(what: &str, value: f64) -> Result<()> {
    match value > 0.0 && value <= 1.0 {
        true => Ok(()),
        false => Err(Error::usage(format!("`{what}` is a share above 0 and at most 1, not {value}"))),
    }
}

/// A number of things is not too small and not absurd.
pub(super) fn check_count(what: &str, value: usize, least: usize) -> Result<()> {
    match (least..=1_000_000).contains(&value) {
        true => Ok(()),
        false => Err(Error::usage(format!("`{what}` is at least {least} and at most a million, not {value}"))),
    }
}
