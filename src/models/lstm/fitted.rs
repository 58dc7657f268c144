//! A fitted network: how it is trained on a panel, what it forecasts, how it is kept.

use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::engine::Engine;
use super::examples::{Level, Origins, Reading, Story};
use super::head::{Head, Said};
use super::network::Network;
use super::training::Training;
use super::{Device, Epoch, Lstm};
use crate::error::{Error, Result};
use crate::models::calibration::Calibration;
use crate::models::intermittent::{deviates_around, quantiles_around};
use crate::models::kinds::Kept;
use crate::models::learned::Scaling;
use crate::models::learned::design::Track;
use crate::models::learned::spread::{deviate, value};
use crate::models::learned::tracks::Views;
use crate::models::local::normalisation;
use crate::models::marginal::Support;
use crate::models::trial::usual_horizon;
use crate::models::{Description, Fitted, Marginal, Quantiles, Shocks, decode, encode};
use crate::panel::normalise::Scale;
use crate::panel::{Future, Normalise, Panel, order};
use crate::progress;

/// The most steps that residuals are kept for, per series and over all; a hundred of each series in any case.
const RESIDUALS: usize = 364;
const ALL_RESIDUALS: usize = 100_000;
/// Steps that errors of the training part are forecast at once.
const STRIDE: usize = 14;
/// Cells of steps that are kept while a network is trained (half a gigabyte); of more series, some are learned from.
const MOST_CELLS: usize = 1 << 27;

/// A fitted `lstm`.
pub struct FittedLstm {
    panel: Panel,
    engine: Arc<Engine>,
    kept: Saved,
    failures: Vec<Option<Error>>,
}

/// What is kept in a file.
#[derive(Clone, Serialize, Deserialize)]
struct Saved {
    device: Device,
    head: Head,
    views: Views,
    /// None where nothing could be learned.
    learned: Option<Learned>,
    /// The number of each series' embedding; 0 is any series.
    identities: Vec<i32>,
    /// One-step errors of each series on the model's scale, less what the one before has said of them.
    residuals: Vec<Vec<f64>>,
    /// Do those of a series tell how it moves with others?
    joint: Vec<bool>,
    /// How much of an error is still there a step later.
    carried: f64,
    failures: Vec<Option<String>>,
}

/// What was learned.
#[derive(Clone, Serialize, Deserialize)]
struct Learned {
    network: Network,
    reading: Reading,
    parameters: Vec<f32>,
    calibration: Option<Calibration>,
    epoch: usize,
    curve: Vec<Epoch>,
}

impl FittedLstm {
    /// Trains a network on a panel.
    pub(super) fn of(options: &Lstm, train: &Panel, horizon: Option<usize>) -> Result<Box<dyn Fitted>> {
        let engine = Arc::new(Engine::on(options.device)?);
        let normalise = normalisation(train, options.box_cox)?;
        let mut task = options.task();
        // On a scale that is no longer that of the data, a level is a term and no factor.
        if normalise.0 != Normalise::None {
            task.scale = Scaling::Standard;
        }
        let views = Views::of(train, normalise, &task)?;
        let kept = Saved {
            device: options.device,
            head: options.head,
            learned: None,
            identities: vec![0; train.len()],
            residuals: Vec::new(),
            joint: vec![false; train.len()],
            carried: 0.0,
            failures: (0..train.len()).map(|i| views.seen(i).err().map(|why| why.to_string())).collect(),
            views,
        };
        let mut fit = Self::new(train, engine, kept);
        match fit.learn(options, horizon, task.scale) {
            // What cannot be learned from fails for every series.
            Err(error) if error.is_model() => {
                fit.kept.failures = vec![Some(error.to_string()); train.len()];
                fit.failures = vec![Some(error); train.len()];
                fit.kept.residuals = (0..train.len()).map(|i| vec![f64::NAN; train.regular(i).len()]).collect();
            }
            learned => learned?,
        }
        Ok(Box::new(fit))
    }

    fn new(panel: &Panel, engine: Arc<Engine>, kept: Saved) -> Self {
        let failures = kept.failures.iter().map(|why| why.as_deref().map(Error::model)).collect();
        Self { panel: panel.clone(), engine, kept, failures }
    }

    fn learn(&mut self, options: &Lstm, horizon: Option<usize>, scale: Scaling) -> Result<()> {
        let tracks = tracks(&self.kept.views, &self.panel)?;
        let season = self.kept.views.shape.season;
        let horizon = options.horizon.or(horizon).unwrap_or_else(|| usual_horizon(season));
        let longest = tracks.iter().flatten().map(|track| track.y.len()).max().unwrap_or(0);
        let context = options.steps_read(season).min(longest.max(1));
        let mut reading = Reading::new(&self.kept.views.shape, context, horizon, scale != Scaling::Standard);
        let cells: usize = tracks.iter().flatten().map(|track| track.y.len() * reading.width()).sum();
        let every = cells.div_ceil(MOST_CELLS).max(1);
        let there = |track: &Track| track.y.iter().any(|y| !y.is_nan());
        let order = order::by_content(&self.panel)?.into_iter();
        let read: Vec<usize> = order.filter(|i| tracks[*i].as_ref().is_some_and(there)).step_by(every).collect();
        for (number, series) in read.iter().enumerate() {
            self.kept.identities[*series] = i32::try_from(number + 1).unwrap_or(0);
        }
        let story = |i: &usize| {
            progress::check()?;
            Ok(tracks[*i].as_ref().map(|track| self.story(&reading, track, *i)))
        };
        let stories: Vec<Option<Story>> = read.par_iter().map(story).collect::<Result<_>>()?;
        let stories: Vec<Story> = stories.into_iter().flatten().collect();
        self.check(options.head, &stories, &read)?;
        // Where some series must be forecast without a past, windows before the first value teach how.
        let cold = tracks.iter().flatten().any(|track| track.y.iter().filter(|y| !y.is_nan()).count() < horizon);
        let windows = (1..=options.windows).rev().find(|windows| 3 * windows * horizon <= longest).unwrap_or(0);
        let all = Origins::new(&stories, horizon, 0, cold);
        if all.len() == 0 {
            return Err(Error::model("no series has values to learn from"));
        }
        let some: Vec<(usize, usize)> = (0..all.len().min(2_000))
            .map(|k| all.at(k * all.len() / all.len().min(2_000)))
            .map(|(series, origin, _)| (series, origin))
            .collect();
        reading.measure(&stories, &some);
        let steps = |i: usize| self.panel.regular(i).len();
        self.kept.joint = (0..self.panel.len()).map(|i| reading.settled(steps(i)).is_some()).collect();
        let [past, ahead, fixed] = reading.widths();
        let network = Network {
            past,
            ahead,
            fixed,
            series: read.len(),
            embedding: options.embedding,
            hidden: options.hidden,
            layers: options.layers,
            outputs: options.head.outputs(),
        };
        let mut checkpoint = Checkpoint::of(options, &self.panel, horizon)?;
        let training = |origins: Origins, judged: &[(usize, usize, usize)], until: usize, part: u64| Training {
            options,
            engine: &self.engine,
            network: &network,
            reading: &reading,
            stories: &stories,
            origins,
            judged: judged.to_vec(),
            epochs: options.epochs,
            until,
            part,
        };
        let mut learned = Learned {
            network: network.clone(),
            reading: reading.clone(),
            parameters: Vec::new(),
            calibration: None,
            epoch: options.epochs,
            curve: Vec::new(),
        };
        let mut tried = None;
        if windows > 0 {
            let judged: Vec<(usize, usize, usize)> = (0..stories.len())
                .filter(|i| stories[*i].y.len() > windows * horizon)
                .flat_map(|i| {
                    let end = stories[i].y.len();
                    (1..=windows).rev().map(move |w| (i, end - w * horizon, end))
                })
                .collect();
            let origins = Origins::new(&stories, horizon, windows * horizon, cold);
            if origins.len() > 0 && !judged.is_empty() {
                let trained = training(origins, &judged, options.epochs, 0).run(&mut checkpoint)?;
                (learned.parameters, learned.epoch, learned.curve) = trained;
                tried = Some((learned.clone(), judged));
            }
        }
        if learned.parameters.is_empty() || options.refit {
            let (parameters, _, curve) = training(all, &[], learned.epoch, 1).run(&mut checkpoint)?;
            learned.parameters = parameters;
            learned.curve.extend(curve);
        }
        if let Some((tried, judged)) = tried {
            learned.calibration = self.calibrate(&tried, &learned, &stories, &judged)?;
        }
        self.kept.learned = Some(learned);
        let errors = self.errors(&tracks)?;
        self.kept.carried = carried(read.iter().map(|i| &errors[*i]));
        self.kept.residuals = errors.iter().enumerate().map(|(i, errors)| self.innovations(i, errors)).collect();
        Ok(())
    }

    /// A series as it is read.
    fn story(&self, reading: &Reading, track: &Track, series: usize) -> Story {
        let unit = self.kept.views.seen(series).map_or(1.0, |seen| seen.size);
        reading.story(track, self.kept.identities[series], unit)
    }

    /// Are the values what the head is for?
    fn check(&self, head: Head, stories: &[Story], series: &[usize]) -> Result<()> {
        if head != Head::NegativeBinomial {
            return Ok(());
        }
        for (story, series) in stories.iter().zip(series) {
            let seen = self.kept.views.seen(*series)?;
            let count = |y: f64| (y - y.round()).abs() <= 1e-6 * y.abs().max(1.0) && y > -0.5;
            let value = |y: &f64| seen.centre + seen.size * y;
            if let Some(y) =
                story.y.iter().filter(|y| !y.is_nan()).map(value).find(|y| seen.scale != Scale::Same || !count(*y))
            {
                return Err(Error::model(format!(
                    "head=negative_binomial is for counts, and {} has {}; take head=quantile",
                    self.panel.label(*series),
                    crate::show::number(y)
                )));
            }
        }
        Ok(())
    }

    /// Where the values of windows stood around what a network said that had not seen them, in the widths that the one says
    /// which forecasts; and what corrects that.
    fn calibrate(
        &self,
        tried: &Learned,
        learned: &Learned,
        stories: &[Story],
        windows: &[(usize, usize, usize)],
    ) -> Result<Option<Calibration>> {
        let stories: Vec<&Story> = stories.iter().collect();
        let of = |windows: &[(usize, usize, usize)]| -> Result<Vec<Vec<f64>>> {
            progress::check()?;
            let (means, widths) = (self.said(tried, &stories, windows)?, self.said(learned, &stories, windows)?);
            let mut stood = Vec::new();
            for ((series, origin, end), (means, widths)) in windows.iter().zip(means.into_iter().zip(widths)) {
                let story = stories[*series];
                let at = |t: usize| story.y.get(t).copied().filter(|_| t < *end).unwrap_or(f64::NAN);
                let both = || means.iter().zip(&widths).map(|(mean, width)| Said { mean: mean.mean, ..*width });
                let steps = || both().enumerate().map(|(k, said)| (said, at(origin + k)));
                match self.kept.head {
                    Head::Quantile => stood.push(steps().map(|(said, y)| said.deviate(y)).collect()),
                    Head::NegativeBinomial => {
                        let counts: Vec<[f64; 5]> = steps().map(|(said, y)| said.counts(y, story.unit)).collect();
                        stood.extend((0..5).map(|k| counts.iter().map(|counts| counts[k]).collect::<Vec<f64>>()));
                    }
                }
            }
            Ok(stood)
        };
        let parts: Vec<Vec<Vec<f64>>> = windows.par_chunks(64).map(of).collect::<Result<_>>()?;
        Ok(Calibration::of_widths(parts.iter().map(Vec::as_slice)))
    }

    /// What is said of the steps of windows, as the series are seen.
    fn said(&self, learned: &Learned, stories: &[&Story], windows: &[(usize, usize, usize)]) -> Result<Vec<Vec<Said>>> {
        let Learned { network, reading, parameters, .. } = learned;
        let chunk = reading.chunk(stories, windows, None);
        let numbers = self.engine.outputs(network, parameters, &chunk)?;
        if numbers.iter().any(|number| !number.is_finite()) {
            return Err(Error::model("the network says what is no number"));
        }
        let of = |(w, (series, origin, _)): (usize, &(usize, usize, usize))| {
            let level = reading.level(stories[*series], *origin);
            let step = |k: usize| {
                let row = &numbers[(k * windows.len() + w) * network.outputs..][..network.outputs];
                self.kept.head.said(row, level.size * stories[*series].unit).at(level)
            };
            (0..reading.horizon).map(step).collect()
        };
        Ok(windows.iter().enumerate().map(of).collect())
    }

    /// What is said of the steps from `begins` on to the end of a track; beyond what is forecast at once, what was said is the
    /// past.
    fn say(&self, learned: &Learned, track: &mut Track, series: usize, begins: usize) -> Result<Vec<Said>> {
        let end = track.y.len();
        let mut all: Vec<Said> = Vec::with_capacity(end - begins);
        while begins + all.len() < end {
            let origin = begins + all.len();
            let story = self.story(&learned.reading, track, series);
            let said = self.said(learned, &[&story], &[(0, origin, origin)])?;
            all.extend(said.into_iter().flatten().take(end - origin));
            for t in origin..begins + all.len() {
                track.y[t] = if self.kept.views.is_closed(track, t) { f64::NAN } else { all[t - begins].mean };
            }
        }
        Ok(all)
    }

    /// The errors of the next steps in the training part, as the series are seen; the last ones of each alone.
    fn errors(&self, tracks: &[Option<Track>]) -> Result<Vec<Vec<f64>>> {
        let Some(learned) = &self.kept.learned else { return Ok(tracks.iter().map(|_| Vec::new()).collect()) };
        let kept = (ALL_RESIDUALS / tracks.len().max(1)).clamp(100, RESIDUALS);
        let stride = learned.reading.horizon.min(STRIDE);
        let of = |(i, track): (usize, &Option<Track>)| -> Result<Vec<f64>> {
            let Some(track) = track else { return Ok(Vec::new()) };
            progress::check()?;
            let n = track.y.len();
            let mut errors = vec![f64::NAN; n];
            // Windows begin at the same steps, however long the series has become.
            let read = learned.reading.settled(n).unwrap_or(learned.reading.horizon.min(n / 3));
            let first = read.max(n.saturating_sub(kept)).div_ceil(stride);
            let origins: Vec<usize> = (first..n.div_ceil(stride)).map(|k| k * stride).collect();
            let story = self.story(&learned.reading, track, i);
            for origins in origins.chunks(32) {
                let windows: Vec<(usize, usize, usize)> = origins.iter().map(|origin| (0, *origin, *origin)).collect();
                for (origin, said) in origins.iter().zip(self.said(learned, &[&story], &windows)?) {
                    for t in *origin..(origin + stride).min(n) {
                        errors[t] = track.y[t] - said[t - origin].mean;
                    }
                }
            }
            Ok(errors)
        };
        tracks.par_iter().enumerate().map(of).collect()
    }

    /// What is new in each error, on the scale of the model.
    fn innovations(&self, series: usize, errors: &[f64]) -> Vec<f64> {
        let size = self.kept.views.seen(series).map_or(1.0, |seen| seen.size);
        let before = std::iter::once(&f64::NAN).chain(errors);
        let left =
            |(e, before): (&f64, &f64)| size * (e - self.kept.carried * if before.is_nan() { 0.0 } else { *before });
        errors.iter().zip(before).map(left).collect()
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

/// How much of an error is still there a step later.
fn carried<'a>(errors: impl Iterator<Item = &'a Vec<f64>>) -> f64 {
    let pairs = errors.flat_map(|errors| errors.windows(2)).filter(|pair| pair.iter().all(|e| e.is_finite()));
    let (product, square) =
        pairs.fold((0.0, 0.0), |(product, square), pair| (product + pair[0] * pair[1], square + pair[0].powi(2)));
    if square > 0.0 { (product / square).clamp(0.0, 0.95) } else { 0.0 }
}

impl Said {
    /// The same in the units in which a window has a level.
    fn at(self, level: Level) -> Self {
        Self {
            mean: level.shift + level.size * self.mean,
            sd: level.size * self.sd,
            knots: self.knots.map(|knots| knots.map(|knot| level.size * knot)),
        }
    }

    /// The standard normal deviate at which a value stands.
    fn deviate(&self, y: f64) -> f64 {
        match &self.knots {
            Some(knots) => deviate(knots, y - self.mean),
            None => (y - self.mean) / self.sd,
        }
    }

    /// The deviates at which a count stands.
    fn counts(&self, y: f64, unit: f64) -> [f64; 5] {
        match y.is_nan() {
            true => [f64::NAN; 5],
            false => deviates_around(self.mean * unit, self.sd * unit, (y * unit).round()),
        }
    }
}

impl Fitted for FittedLstm {
    fn failure(&self, series: usize) -> Option<&Error> {
        self.failures[series].as_ref()
    }

    fn forecast(&self, future: &Future, series: usize) -> Result<Marginal> {
        if let Some(error) = &self.failures[series] {
            return Err(error.clone());
        }
        let Some(learned) = &self.kept.learned else { return Err(Error::model("nothing was learned")) };
        let views = &self.kept.views;
        let seen = views.seen(series)?;
        // Observed covariates are the past alone, until forecasts become the past.
        let recursive = views.lead(&self.panel, series, future) + future.horizon() > learned.reading.horizon;
        future.check(series, |column| views.reads(column, recursive))?;
        let history = self.panel.regular(series).len();
        let (begins, mut track) = views.track(&self.panel, series, Some(future))?;
        let said = self.say(learned, &mut track, series, history)?;
        let lead = begins - history;
        let said = &said[lead..];
        let mut mean: Vec<f64> = said.iter().map(|said| seen.centre + seen.size * said.mean).collect();
        let mut sd: Vec<f64> = said.iter().map(|said| seen.size * said.sd).collect();
        for step in (0..mean.len()).filter(|step| views.is_closed(&track, begins + step)) {
            (mean[step], sd[step]) = (seen.scale.forward(0.0), 0.0);
        }
        if views.positive && seen.scale == Scale::Same {
            mean.iter_mut().for_each(|mean| *mean = mean.max(0.0));
        }
        if mean.iter().chain(&sd).any(|value| !value.is_finite()) {
            return Err(Error::model("the forecast leaves the range of numbers"));
        }
        let marginal = Marginal::scaled(seen.scale, mean, sd)?;
        let support = if views.positive { Support::Positive } else { Support::Numbers };
        let quantiles = match self.kept.head {
            Head::NegativeBinomial => quantiles_around(marginal.seen(), &marginal.sd),
            Head::Quantile => Quantiles::by(marginal.seen(), &marginal.sd, support, |step, deviates| {
                let (mean, sd) = (marginal.seen()[step], marginal.sd[step]);
                let at = |z: &f64| match &said[step].knots {
                    Some(knots) if sd > 0.0 => mean + seen.size * value(knots, *z),
                    _ => mean + sd * z,
                };
                deviates.iter().map(at).collect()
            }),
        };
        marginal.shaped(Some(quantiles)).calibrated(learned.calibration.as_ref(), lead).finite()
    }

    fn residuals(&self, series: usize) -> &[f64] {
        &self.kept.residuals[series]
    }

    fn shocks(&self, series: usize) -> Shocks<'_> {
        Shocks { values: &self.kept.residuals[series], joint: self.kept.joint[series] }
    }

    fn describe(&self, series: usize) -> Description {
        let mut description = Description::default();
        if let Some(learned) = &self.kept.learned {
            description.form = format!("{} epochs", learned.epoch);
            description.parameters.push(("weights".into(), learned.network.parameters() as f64));
        }
        if let Ok(seen) = self.kept.views.seen(series) {
            let level = seen.centre + if seen.centre == 0.0 { seen.size } else { 0.0 };
            description.parameters.push(("level".into(), level));
        }
        description
    }

    fn training(&self) -> &[Epoch] {
        self.kept.learned.as_ref().map_or(&[], |learned| &learned.curve)
    }

    fn update(&self, train: &Panel) -> Result<Box<dyn Fitted>> {
        let views = &self.kept.views;
        let tracks = tracks(views, train)?;
        let failure = |i: usize| {
            let before = self.kept.failures[i].clone();
            before.or_else(|| views.track(train, i, None).err().map(|why| why.to_string()))
        };
        let kept = Saved { failures: (0..train.len()).map(failure).collect(), ..self.kept.clone() };
        let mut fit = Self::new(train, self.engine.clone(), kept);
        // What the fit has seen keeps its errors: only what is new is looked at.
        let errors = fit.errors(&tracks)?;
        let residuals = errors.iter().enumerate().map(|(i, errors)| {
            let mut residuals = fit.innovations(i, errors);
            residuals.resize(train.regular(i).len(), f64::NAN);
            residuals.iter_mut().zip(&self.kept.residuals[i]).for_each(|(new, old)| *new = *old);
            residuals
        });
        fit.kept.residuals = residuals.collect();
        Ok(Box::new(fit))
    }

    fn simulate(&self, _: &Future, _: usize, mean: &[f64], shocks: &[f64], path: &mut [f64]) -> Result<()> {
        let lead = shocks.len() - path.len();
        let mut error = 0.0;
        for (t, shock) in shocks.iter().enumerate() {
            error = self.kept.carried * error + shock;
            if t >= lead {
                path[t - lead] = mean[t - lead] + error;
            }
        }
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>> {
        encode(&self.kept)
    }
}

impl Kept for FittedLstm {
    fn load(bytes: &[u8], panel: &Panel) -> Result<Box<dyn Fitted>> {
        let kept: Saved = decode(bytes)?;
        let lengths =
            [kept.views.len(), kept.identities.len(), kept.residuals.len(), kept.joint.len(), kept.failures.len()];
        if lengths != [panel.len(); 5] {
            return Err(Error::data("the saved fit is damaged"));
        }
        // What was learned on a card is forecast without one, if there is none here.
        let engine = Engine::on(kept.device).or_else(|_| Engine::on(Device::Cpu))?;
        Ok(Box::new(Self::new(panel, Arc::new(engine), kept)))
    }
}
