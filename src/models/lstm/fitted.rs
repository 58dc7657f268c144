//! A fitted network: how it is trained on a panel, what it forecasts, how it is kept.

use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::engine::Engine;
use super::head::{Head, Predicted};
use super::network::Network;
use super::training::Training;
use super::windows::{EncodedSeries, Encoder, Origins, WindowLevel};
use super::{Device, Epoch, Lstm};
use crate::error::{Error, Result};
use crate::fitting::global::{AlignedSeries, FeatureExtractor};
use crate::fitting::{
    Autoregression, Calibration, QuantileFunction, Support, decode, default_horizon, encode, first_kept, normalisation,
};
use crate::models::intermittent::{count_quantiles, pit_scores};
use crate::models::{Description, Fitted, Quantiles, Restore, Scaling, Shocks, StepDistribution};
use crate::panel::{Future, Normalise, Panel, order};
use crate::progress;

/// Steps between the origins of in-sample forecasts.
const STRIDE: usize = 14;
/// The most inputs that are kept during training (half a gigabyte); of more series, a sample is used.
const MAX_CELLS: usize = 1 << 27;

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
    extractor: FeatureExtractor,
    /// None where training failed.
    trained: Option<Trained>,
    /// The embedding of each series; 0 is the generic one.
    identities: Vec<i32>,
    /// AR(1) innovations of the one-step errors, by series, on the model's scale.
    residuals: Vec<Vec<f64>>,
    /// Do those of a series carry the correlation between series?
    joint: Vec<bool>,
    /// The AR(1) process of the one-step errors.
    autoregression: Autoregression,
    failures: Vec<Option<String>>,
}

/// A trained network.
#[derive(Clone, Serialize, Deserialize)]
struct Trained {
    network: Network,
    encoder: Encoder,
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
        let mut common = options.common();
        // On a transformed scale, a level is an additive term.
        if normalise.0 != Normalise::None {
            common.scale = Scaling::Standard;
        }
        let extractor = FeatureExtractor::of(train, normalise, &common)?;
        let kept = Saved {
            device: options.device,
            head: options.head,
            trained: None,
            identities: vec![0; train.len()],
            residuals: Vec::new(),
            joint: vec![false; train.len()],
            autoregression: Autoregression::default(),
            failures: (0..train.len()).map(|i| extractor.scale(i).err().map(|why| why.to_string())).collect(),
            extractor,
        };
        let mut fit = Self::new(train, engine, kept);
        match fit.train(options, horizon, common.scale) {
            // Without training windows every series fails.
            Err(error) if error.is_model() => {
                fit.kept.failures = vec![Some(error.to_string()); train.len()];
                fit.failures = vec![Some(error); train.len()];
                fit.kept.residuals = (0..train.len()).map(|i| vec![f64::NAN; train.regular(i).len()]).collect();
            }
            trained => trained?,
        }
        Ok(Box::new(fit))
    }

    fn new(panel: &Panel, engine: Arc<Engine>, kept: Saved) -> Self {
        let failures = kept.failures.iter().map(|why| why.as_deref().map(Error::model)).collect();
        Self { panel: panel.clone(), engine, kept, failures }
    }

    fn train(&mut self, options: &Lstm, horizon: Option<usize>, scale: Scaling) -> Result<()> {
        let histories = self.kept.extractor.histories(&self.panel)?;
        let season = self.kept.extractor.schema.season;
        let horizon = options.horizon.or(horizon).unwrap_or_else(|| default_horizon(season));
        let longest = histories.iter().flatten().map(|history| history.y.len()).max().unwrap_or(0);
        let context = options.context(season).min(longest.max(1));
        let mut encoder = Encoder::new(&self.kept.extractor.schema, context, horizon, scale != Scaling::Standard);
        let cells: usize = histories.iter().flatten().map(|history| history.y.len() * encoder.width()).sum();
        let every = cells.div_ceil(MAX_CELLS).max(1);
        let there = |history: &AlignedSeries| history.y.iter().any(|y| !y.is_nan());
        let order = order::by_content(&self.panel)?.into_iter();
        let read: Vec<usize> = order.filter(|i| histories[*i].as_ref().is_some_and(there)).step_by(every).collect();
        for (number, series) in read.iter().enumerate() {
            self.kept.identities[*series] = i32::try_from(number + 1).unwrap_or(0);
        }
        let encode = |i: &usize| {
            progress::check()?;
            Ok(histories[*i].as_ref().map(|history| self.encode(&encoder, history, *i)))
        };
        let encoded: Vec<Option<EncodedSeries>> = read.par_iter().map(encode).collect::<Result<_>>()?;
        let encoded: Vec<EncodedSeries> = encoded.into_iter().flatten().collect();
        self.check(options.head, &encoded, &read)?;
        // Where some series start cold, windows before the first value are training windows too.
        let cold = histories.iter().flatten().any(|history| history.y.iter().filter(|y| !y.is_nan()).count() < horizon);
        let windows = (1..=options.windows).rev().find(|windows| 3 * windows * horizon <= longest).unwrap_or(0);
        let all = Origins::new(&encoded, horizon, 0, cold);
        if all.len() == 0 {
            return Err(Error::model("no series has values to train on"));
        }
        let some: Vec<(usize, usize)> = (0..all.len().min(2_000))
            .map(|k| all.at(k * all.len() / all.len().min(2_000)))
            .map(|(series, origin, _)| (series, origin))
            .collect();
        encoder.standardise(&encoded, &some);
        let steps = |i: usize| self.panel.regular(i).len();
        self.kept.joint = (0..self.panel.len()).map(|i| encoder.settled(steps(i)).is_some()).collect();
        let [past, ahead, fixed] = encoder.widths();
        let network = Network {
            past,
            ahead,
            fixed,
            series: read.len(),
            embedding: options.embedding_size,
            hidden: options.hidden_size,
            layers: options.num_layers,
            outputs: options.head.outputs(),
        };
        let mut checkpoint = Checkpoint::of(options, &self.panel, horizon)?;
        let training = |origins: Origins, validation: &[(usize, usize, usize)], until: usize, part: u64| Training {
            options,
            engine: &self.engine,
            network: &network,
            encoder: &encoder,
            series: &encoded,
            origins,
            validation: validation.to_vec(),
            epochs: options.epochs,
            until,
            part,
        };
        let mut trained = Trained {
            network: network.clone(),
            encoder: encoder.clone(),
            parameters: Vec::new(),
            calibration: None,
            epoch: options.epochs,
            curve: Vec::new(),
        };
        let mut validated = None;
        if windows > 0 {
            let validation: Vec<(usize, usize, usize)> = (0..encoded.len())
                .filter(|i| encoded[*i].y.len() > windows * horizon)
                .flat_map(|i| {
                    let end = encoded[i].y.len();
                    (1..=windows).rev().map(move |w| (i, end - w * horizon, end))
                })
                .collect();
            let origins = Origins::new(&encoded, horizon, windows * horizon, cold);
            if origins.len() > 0 && !validation.is_empty() {
                let best = training(origins, &validation, options.epochs, 0).run(&mut checkpoint)?;
                (trained.parameters, trained.epoch, trained.curve) = best;
                validated = Some((trained.clone(), validation));
            }
        }
        if trained.parameters.is_empty() || options.refit {
            let (parameters, _, curve) = training(all, &[], trained.epoch, 1).run(&mut checkpoint)?;
            trained.parameters = parameters;
            trained.curve.extend(curve);
        }
        if let Some((validated, windows)) = validated {
            trained.calibration = self.calibrate(&validated, &trained, &encoded, &windows)?;
        }
        self.kept.trained = Some(trained);
        let errors = self.errors(&histories)?;
        self.kept.autoregression = Autoregression::of(read.iter().map(|i| &errors[*i]));
        self.kept.residuals = errors.iter().enumerate().map(|(i, errors)| self.innovations(i, errors)).collect();
        Ok(())
    }

    /// An encoded series.
    fn encode(&self, encoder: &Encoder, aligned: &AlignedSeries, series: usize) -> EncodedSeries {
        let unit = self.kept.extractor.scale(series).map_or(1.0, |scale| scale.size);
        encoder.encode(aligned, self.kept.identities[series], unit)
    }

    /// Do the values suit the head?
    fn check(&self, head: Head, encoded: &[EncodedSeries], series: &[usize]) -> Result<()> {
        if head != Head::NegativeBinomial {
            return Ok(());
        }
        for (one, series) in encoded.iter().zip(series) {
            let scale = self.kept.extractor.scale(*series)?;
            let count = |y: f64| (y - y.round()).abs() <= 1e-6 * y.abs().max(1.0) && y > -0.5;
            let value = |y: &f64| scale.unscaled(*y);
            let mut values = one.y.iter().filter(|y| !y.is_nan()).map(value);
            if let Some(y) = values.find(|y| !scale.is_untransformed() || !count(*y)) {
                return Err(Error::model(format!(
                    "head=negative_binomial is for counts, and {} has {}; take head=quantile",
                    self.panel.label(*series),
                    crate::show::number(y)
                )));
            }
        }
        Ok(())
    }

    /// Calibrates intervals on held-out windows: means from the validated network, widths from the final one.
    fn calibrate(
        &self,
        validated: &Trained,
        trained: &Trained,
        encoded: &[EncodedSeries],
        windows: &[(usize, usize, usize)],
    ) -> Result<Option<Calibration>> {
        let encoded: Vec<&EncodedSeries> = encoded.iter().collect();
        let of = |windows: &[(usize, usize, usize)]| -> Result<Vec<Vec<f64>>> {
            progress::check()?;
            let (means, widths) =
                (self.predicted(validated, &encoded, windows)?, self.predicted(trained, &encoded, windows)?);
            let mut scores = Vec::new();
            for ((series, origin, end), (means, widths)) in windows.iter().zip(means.into_iter().zip(widths)) {
                let series = encoded[*series];
                let at = |t: usize| series.y.get(t).copied().filter(|_| t < *end).unwrap_or(f64::NAN);
                let both = || means.iter().zip(&widths).map(|(mean, width)| Predicted { mean: mean.mean, ..*width });
                let steps = || both().enumerate().map(|(k, predicted)| (predicted, at(origin + k)));
                match self.kept.head {
                    Head::Quantile => scores.push(steps().map(|(predicted, y)| predicted.score(y)).collect()),
                    Head::NegativeBinomial => {
                        let counts: Vec<[f64; 5]> =
                            steps().map(|(predicted, y)| predicted.count_scores(y, series.unit)).collect();
                        scores.extend((0..5).map(|k| counts.iter().map(|counts| counts[k]).collect::<Vec<f64>>()));
                    }
                }
            }
            Ok(scores)
        };
        let parts: Vec<Vec<Vec<f64>>> = windows.par_chunks(64).map(of).collect::<Result<_>>()?;
        Ok(Calibration::symmetric(parts.iter().map(Vec::as_slice)))
    }

    /// Predictions for the steps of windows, scaled.
    fn predicted(
        &self,
        trained: &Trained,
        encoded: &[&EncodedSeries],
        windows: &[(usize, usize, usize)],
    ) -> Result<Vec<Vec<Predicted>>> {
        let Trained { network, encoder, parameters, .. } = trained;
        let batch = encoder.batch(encoded, windows, None);
        let outputs = self.engine.outputs(network, parameters, &batch)?;
        if outputs.iter().any(|output| !output.is_finite()) {
            return Err(Error::model("the outputs of the network are not finite"));
        }
        let of = |(w, (series, origin, _)): (usize, &(usize, usize, usize))| {
            let level = encoder.level(encoded[*series], *origin);
            let step = |k: usize| {
                let row = &outputs[(k * windows.len() + w) * network.outputs..][..network.outputs];
                self.kept.head.predicted(row, level.size * encoded[*series].unit).unscaled(level)
            };
            (0..encoder.horizon).map(step).collect()
        };
        Ok(windows.iter().enumerate().map(of).collect())
    }

    /// Predicts the steps from `begins` on to the end of a series; recursively beyond the horizon of the network.
    fn predict(
        &self,
        trained: &Trained,
        aligned: &mut AlignedSeries,
        series: usize,
        begins: usize,
    ) -> Result<Vec<Predicted>> {
        let end = aligned.y.len();
        let mut all: Vec<Predicted> = Vec::with_capacity(end - begins);
        while begins + all.len() < end {
            let origin = begins + all.len();
            let encoded = self.encode(&trained.encoder, aligned, series);
            let predicted = self.predicted(trained, &[&encoded], &[(0, origin, origin)])?;
            all.extend(predicted.into_iter().flatten().take(end - origin));
            for t in origin..begins + all.len() {
                aligned.y[t] = if self.kept.extractor.is_closed(aligned, t) { f64::NAN } else { all[t - begins].mean };
            }
        }
        Ok(all)
    }

    /// The in-sample errors of the next steps, scaled; the last ones of each series.
    fn errors(&self, histories: &[Option<AlignedSeries>]) -> Result<Vec<Vec<f64>>> {
        let Some(trained) = &self.kept.trained else { return Ok(histories.iter().map(|_| Vec::new()).collect()) };
        let stride = trained.encoder.horizon.min(STRIDE);
        let of = |(i, history): (usize, &Option<AlignedSeries>)| -> Result<Vec<f64>> {
            let Some(history) = history else { return Ok(Vec::new()) };
            progress::check()?;
            let n = history.y.len();
            let mut errors = vec![f64::NAN; n];
            // Windows begin at the same steps, however long the series has become.
            let settled = trained.encoder.settled(n).unwrap_or(trained.encoder.horizon.min(n / 3));
            let first = settled.max(first_kept(histories.len(), n)).div_ceil(stride);
            let origins: Vec<usize> = (first..n.div_ceil(stride)).map(|k| k * stride).collect();
            let encoded = self.encode(&trained.encoder, history, i);
            for origins in origins.chunks(32) {
                let windows: Vec<(usize, usize, usize)> = origins.iter().map(|origin| (0, *origin, *origin)).collect();
                for (origin, predicted) in origins.iter().zip(self.predicted(trained, &[&encoded], &windows)?) {
                    for t in *origin..(origin + stride).min(n) {
                        errors[t] = history.y[t] - predicted[t - origin].mean;
                    }
                }
            }
            Ok(errors)
        };
        histories.par_iter().enumerate().map(of).collect()
    }

    /// The innovations of the errors of a series, on the model's scale.
    fn innovations(&self, series: usize, errors: &[f64]) -> Vec<f64> {
        let size = self.kept.extractor.scale(series).map_or(1.0, |scale| scale.size);
        self.kept.autoregression.innovations(errors, size)
    }
}

impl Predicted {
    /// The same in the units of the series.
    fn unscaled(self, level: WindowLevel) -> Self {
        Self {
            mean: level.shift + level.size * self.mean,
            sd: level.size * self.sd,
            errors: self.errors.map(|QuantileFunction(errors)| QuantileFunction(errors.map(|e| level.size * e))),
        }
    }

    /// The calibration score of a value.
    fn score(&self, y: f64) -> f64 {
        match &self.errors {
            Some(errors) => errors.deviate(y - self.mean),
            None => (y - self.mean) / self.sd,
        }
    }

    /// The calibration scores of a count.
    fn count_scores(&self, y: f64, unit: f64) -> [f64; 5] {
        if y.is_nan() { [f64::NAN; 5] } else { pit_scores(self.mean * unit, self.sd * unit, (y * unit).round()) }
    }
}

impl Fitted for FittedLstm {
    fn failure(&self, series: usize) -> Option<&Error> {
        self.failures[series].as_ref()
    }

    fn forecast(&self, future: &Future, series: usize) -> Result<StepDistribution> {
        if let Some(error) = &self.failures[series] {
            return Err(error.clone());
        }
        let Some(trained) = &self.kept.trained else { return Err(Error::model("the network is not trained")) };
        let extractor = &self.kept.extractor;
        let scale = extractor.scale(series)?;
        // Past values of observed covariates are enough, until forecasts are recursive.
        let recursive = extractor.lead(&self.panel, series, future) + future.horizon() > trained.encoder.horizon;
        future.check(series, |column| extractor.requires(column, recursive))?;
        let history = self.panel.regular(series).len();
        let (begins, mut aligned) = extractor.align(&self.panel, series, Some(future))?;
        let predicted = self.predict(trained, &mut aligned, series, history)?;
        let lead = begins - history;
        let predicted = &predicted[lead..];
        let mut mean: Vec<f64> = predicted.iter().map(|one| scale.unscaled(one.mean)).collect();
        let mut sd: Vec<f64> = predicted.iter().map(|one| scale.size * one.sd).collect();
        for step in (0..mean.len()).filter(|step| extractor.is_closed(&aligned, begins + step)) {
            (mean[step], sd[step]) = (scale.transformation.forward(0.0), 0.0);
        }
        if extractor.positive && scale.is_untransformed() {
            mean.iter_mut().for_each(|mean| *mean = mean.max(0.0));
        }
        if mean.iter().chain(&sd).any(|value| !value.is_finite()) {
            return Err(Error::model("the forecast leaves the range of numbers"));
        }
        let forecast = StepDistribution::scaled(scale.transformation, mean, sd)?;
        let support = if extractor.positive { Support::Positive } else { Support::Numbers };
        let quantiles = match self.kept.head {
            Head::NegativeBinomial => count_quantiles(forecast.model_mean(), &forecast.sd),
            Head::Quantile => Quantiles::by(forecast.model_mean(), &forecast.sd, support, |step, deviates| {
                let (mean, sd) = (forecast.model_mean()[step], forecast.sd[step]);
                let at = |z: &f64| match &predicted[step].errors {
                    Some(errors) if sd > 0.0 => mean + scale.size * errors.value(*z),
                    _ => mean + sd * z,
                };
                deviates.iter().map(at).collect()
            }),
        };
        forecast.with_quantiles(Some(quantiles)).calibrated(trained.calibration.as_ref(), lead).finite()
    }

    fn residuals(&self, series: usize) -> &[f64] {
        &self.kept.residuals[series]
    }

    fn shocks(&self, series: usize) -> Shocks<'_> {
        Shocks { values: &self.kept.residuals[series], joint: self.kept.joint[series] }
    }

    fn describe(&self, series: usize) -> Description {
        let mut description = Description::default();
        if let Some(trained) = &self.kept.trained {
            description.specification = format!("{} epochs", trained.epoch);
            description.parameters.push(("weights".into(), trained.network.parameters() as f64));
        }
        if let Ok(scale) = self.kept.extractor.scale(series) {
            description.parameters.push(("level".into(), scale.level()));
        }
        description
    }

    fn training(&self) -> &[Epoch] {
        self.kept.trained.as_ref().map_or(&[], |trained| &trained.curve)
    }

    fn update(&self, train: &Panel) -> Result<Box<dyn Fitted>> {
        let extractor = &self.kept.extractor;
        let histories = extractor.histories(train)?;
        let failure = |i: usize| {
            let before = self.kept.failures[i].clone();
            before.or_else(|| extractor.align(train, i, None).err().map(|why| why.to_string()))
        };
        let kept = Saved { failures: (0..train.len()).map(failure).collect(), ..self.kept.clone() };
        let mut fit = Self::new(train, self.engine.clone(), kept);
        // The errors of the steps of the fit stay as they are: only new ones are calculated.
        let errors = fit.errors(&histories)?;
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
        self.kept.autoregression.simulate(mean, shocks, path);
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>> {
        encode(&self.kept)
    }
}

impl Restore for FittedLstm {
    fn load(bytes: &[u8], panel: &Panel) -> Result<Box<dyn Fitted>> {
        let kept: Saved = decode(bytes)?;
        let lengths =
            [kept.extractor.len(), kept.identities.len(), kept.residuals.len(), kept.joint.len(), kept.failures.len()];
        if lengths != [panel.len(); 5] {
            return Err(Error::data("the saved fit is damaged"));
        }
        // A network that was trained on a GPU forecasts on the CPU, if there is no GPU here.
        let engine = Engine::on(kept.device).or_else(|_| Engine::on(Device::Cpu))?;
        Ok(Box::new(Self::new(panel, Arc::new(engine), kept)))
    }
}
