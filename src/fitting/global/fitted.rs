//! A fitted global model: what it forecasts, how it is updated, how it is kept.

use std::ops::Range;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error_distribution::ErrorDistribution;
use super::extractor::FeatureExtractor;
use super::{AlignedSeries, Difference, FeatureSet, FittedRegressor};
use crate::error::{Error, Result};
use crate::fitting::{
    Autoregression, Description, Explanation, ExportedModel, Fitted, HeldOut, Importance, Method, Shocks,
    StepDistribution, decode, encode, first_kept,
};
use crate::panel::{Future, Panel};

/// The model of one block of horizons.
#[derive(Clone)]
pub(super) struct Block {
    /// The first step ahead and the one after the last, counted from 0.
    pub steps: Range<usize>,
    pub features: FeatureSet,
    pub regressor: Arc<dyn FittedRegressor>,
}

impl Block {
    /// Predicts some steps of a series, scaled: the features, what was subtracted from the values, the predictions.
    pub(super) fn predict(
        &self,
        difference: Difference,
        series: &AlignedSeries,
        steps: Range<usize>,
    ) -> (Vec<Vec<f64>>, Vec<f64>, Vec<f64>) {
        let anchors = difference.anchors(&self.features, series, steps.clone(), self.steps.end);
        let columns = self.features.columns(series, steps);
        let mut predicted = self.regressor.predict(&columns);
        predicted.iter_mut().zip(&anchors).for_each(|(value, anchor)| *value += anchor);
        (columns, anchors, predicted)
    }
}

pub(super) struct FittedGlobal {
    pub panel: Panel,
    pub difference: Difference,
    pub extractor: FeatureExtractor,
    pub blocks: Vec<Block>,
    pub errors: ErrorDistribution,
    /// The features among the covariates of the error distribution.
    pub error_features: FeatureSet,
    /// AR(1) innovations of the one-step errors, by series, on the model's scale.
    pub residuals: Vec<Vec<f64>>,
    /// The innovations that paths are drawn from, of out-of-sample errors, and whether they carry the correlation between
    /// series.
    pub shocks: Vec<(Vec<f64>, bool)>,
    /// The RMSE of each series, scaled, shrunk towards the pooled RMSE.
    pub rmse: Vec<f64>,
    /// The AR(1) process of the one-step errors.
    pub autoregression: Autoregression,
    pub failures: Vec<Option<Error>>,
    /// What was forecast for the windows of the aim.
    pub held_out: Vec<HeldOut>,
}

impl FittedGlobal {
    /// Before training.
    pub fn new(panel: &Panel, extractor: FeatureExtractor, difference: Difference, reach: usize) -> Self {
        Self {
            panel: panel.clone(),
            difference,
            blocks: Vec::new(),
            errors: ErrorDistribution::of(&[]),
            error_features: FeatureSet::of_errors(&extractor.schema, reach),
            residuals: Vec::new(),
            shocks: Vec::new(),
            rmse: Vec::new(),
            autoregression: Autoregression::default(),
            failures: (0..panel.len()).map(|i| extractor.scale(i).err()).collect(),
            extractor,
            held_out: Vec::new(),
        }
    }

    /// No series could be fitted.
    pub fn failed(panel: &Panel, extractor: FeatureExtractor, why: &Error) -> Self {
        let n = panel.len();
        Self {
            residuals: (0..n).map(|i| vec![f64::NAN; panel.regular(i).len()]).collect(),
            shocks: vec![(Vec::new(), false); n],
            rmse: vec![1.0; n],
            failures: vec![Some(why.clone()); n],
            ..Self::new(panel, extractor, Difference::None, 1)
        }
    }

    /// The longest horizon that is forecast directly.
    fn reach(&self) -> usize {
        self.blocks.last().map_or(0, |block| block.steps.end)
    }

    /// Predicts the steps from `begins` on, scaled; the series ends with them and holds the predictions.
    pub fn predict(&self, series: &mut AlignedSeries, begins: usize) -> Vec<f64> {
        self.predict_blocks(series, begins, |_, _, _| {})
    }

    /// As [`predict`](Self::predict); `visit` is called with each block, the features of its steps and what was subtracted from
    /// their values.
    pub fn predict_blocks(
        &self,
        series: &mut AlignedSeries,
        begins: usize,
        mut visit: impl FnMut(&Block, &[Vec<f64>], &[f64]),
    ) -> Vec<f64> {
        let end = series.y.len();
        let mut predicted = Vec::with_capacity(end - begins);
        while begins + predicted.len() < end {
            let origin = begins + predicted.len();
            if self.blocks.is_empty() {
                predicted.resize(end - begins, f64::NAN);
            }
            for block in &self.blocks {
                let steps = origin + block.steps.start..(origin + block.steps.end).min(end);
                if steps.is_empty() {
                    break;
                }
                let (columns, anchors, values) = block.predict(self.difference, series, steps);
                visit(block, &columns, &anchors);
                predicted.extend(values);
            }
            // From here on, predictions take the place of values.
            for t in origin..begins + predicted.len() {
                series.y[t] = if self.extractor.is_closed(series, t) { f64::NAN } else { predicted[t - begins] };
            }
        }
        predicted
    }

    /// Normal distributions around the predicted steps of a series, as wide as `sd` says on the model's scale.
    pub fn normal(&self, series: usize, predicted: &[f64], closed: &[bool], sd: f64) -> Result<StepDistribution> {
        let scale = self.extractor.scale(series)?;
        let mut mean: Vec<f64> = predicted.iter().map(|value| scale.unscaled(*value)).collect();
        let mut sd = vec![sd; mean.len()];
        for (step, _) in closed.iter().enumerate().filter(|(_, closed)| **closed) {
            (mean[step], sd[step]) = (scale.transformation.forward(0.0), 0.0);
        }
        if self.extractor.positive && scale.is_untransformed() {
            mean.iter_mut().for_each(|mean| *mean = mean.max(0.0));
        }
        if mean.iter().zip(closed).any(|(mean, closed)| !mean.is_finite() && !closed) {
            return Err(Error::model("the forecast leaves the range of numbers"));
        }
        StepDistribution::scaled(scale.transformation, mean, sd)
    }

    /// The distribution of the predicted steps of a series, without the first `lead` of them.
    pub fn distribution(
        &self,
        series: usize,
        predicted: &[f64],
        closed: &[bool],
        mut covariates: Vec<Vec<f64>>,
        lead: usize,
    ) -> Result<StepDistribution> {
        let scale = self.extractor.scale(series)?;
        covariates.push(vec![self.rmse[series]; predicted.len()]);
        let rmse = self.rmse[series] * scale.size;
        let forecast = self.normal(series, &predicted[lead..], &closed[lead..], rmse * self.errors.sd())?;
        let covariates: Vec<Vec<f64>> = covariates.into_iter().map(|column| column[lead..].to_vec()).collect();
        self.errors.around(forecast, rmse, &covariates, self.extractor.positive, lead).finite()
    }

    /// The covariates of the error distribution at some steps, but for the RMSE of the series.
    pub fn error_covariates(&self, series: &AlignedSeries, origin: usize, predicted: &[f64]) -> Vec<Vec<f64>> {
        let mut covariates = self.error_features.columns(series, origin..origin + predicted.len());
        covariates.push(predicted.to_vec());
        covariates.push((1..=predicted.len()).map(|step| step as f64).collect());
        covariates
    }
}

impl Fitted for FittedGlobal {
    fn failure(&self, series: usize) -> Option<&Error> {
        self.failures[series].as_ref()
    }

    fn forecast(&self, future: &Future, series: usize) -> Result<StepDistribution> {
        if let Some(error) = &self.failures[series] {
            return Err(error.clone());
        }
        // Lags of observed covariates are enough, until forecasts are recursive.
        let recursive = self.extractor.lead(&self.panel, series, future) + future.horizon() > self.reach();
        future.check(series, |column| self.extractor.requires(column, recursive))?;
        let history = self.panel.regular(series).len();
        let (begins, mut aligned) = self.extractor.align(&self.panel, series, Some(future))?;
        let predicted = self.predict(&mut aligned, history);
        let covariates = self.error_covariates(&aligned, history, &predicted);
        let closed: Vec<bool> = (history..aligned.y.len()).map(|t| self.extractor.is_closed(&aligned, t)).collect();
        self.distribution(series, &predicted, &closed, covariates, begins - history)
    }

    fn residuals(&self, series: usize) -> &[f64] {
        &self.residuals[series]
    }

    fn shocks(&self, series: usize) -> Shocks<'_> {
        let (values, joint) = &self.shocks[series];
        Shocks { values, joint: *joint }
    }

    fn describe(&self, series: usize) -> Description {
        let specification = match self.difference {
            Difference::Auto | Difference::None => "",
            Difference::Recent => "differenced by the recent mean",
            Difference::Seasonal => "seasonally differenced",
        };
        let mut description = Description { specification: specification.into(), ..Description::default() };
        if let Ok(scale) = self.extractor.scale(series) {
            description.parameters.push(("level".into(), scale.level()));
        }
        description
    }

    fn take_held_out(&mut self) -> Vec<HeldOut> {
        std::mem::take(&mut self.held_out)
    }

    fn update(&self, train: &Panel) -> Result<Box<dyn Fitted>> {
        let histories = self.extractor.histories(train)?;
        let mut fitted = FittedGlobal {
            panel: train.clone(),
            difference: self.difference,
            extractor: self.extractor.clone(),
            blocks: self.blocks.clone(),
            errors: self.errors.clone(),
            error_features: self.error_features.clone(),
            residuals: Vec::new(),
            shocks: Vec::new(),
            rmse: self.rmse.clone(),
            autoregression: self.autoregression,
            failures: (0..train.len())
                .map(|i| self.failures[i].clone().or_else(|| self.extractor.align(train, i, None).err()))
                .collect(),
            held_out: Vec::new(),
        };
        // The errors of the steps of the fit stay as they are: only new ones are calculated.
        let first = |n: usize| first_kept(histories.len(), n);
        let errors = fitted.one_step_errors(&histories, fitted.blocks.first(), first);
        let news: Vec<Vec<f64>> = errors.iter().enumerate().map(|(i, errors)| fitted.innovations(i, errors)).collect();
        let kept = |news: &[f64], old: &[f64]| old.iter().chain(news.iter().skip(old.len())).copied().collect();
        fitted.residuals = news.iter().zip(&self.residuals).map(|(news, old)| kept(news, old)).collect();
        let shocks = news.iter().zip(&self.shocks);
        fitted.shocks = shocks.map(|(news, (old, joint))| (kept(news, old), *joint)).collect();
        Ok(Box::new(fitted))
    }

    fn simulate(&self, _: &Future, _: usize, mean: &[f64], shocks: &[f64], path: &mut [f64]) -> Result<()> {
        self.autoregression.simulate(mean, shocks, path);
        Ok(())
    }

    fn importance(&self) -> Option<Vec<Importance>> {
        self.feature_importance()
    }

    fn explain(&self, future: &Future, series: usize) -> Result<Option<Explanation>> {
        self.attribution(future, series)
    }

    fn exported(&self, future: &Future, series: usize) -> Result<Option<Vec<ExportedModel>>> {
        self.exported_models(future, series)
    }

    fn save(&self) -> Result<Vec<u8>> {
        let block = |block: &Block| {
            let (steps, features) = (block.steps.clone(), block.features.clone());
            Ok(SavedBlock { steps, features, regressor: block.regressor.save()? })
        };
        encode(&Saved {
            difference: self.difference,
            extractor: self.extractor.clone(),
            blocks: self.blocks.iter().map(block).collect::<Result<_>>()?,
            errors: self.errors.clone(),
            error_features: self.error_features.clone(),
            residuals: self.residuals.clone(),
            shocks: self.shocks.clone(),
            rmse: self.rmse.clone(),
            autoregression: self.autoregression,
            failures: self.failures.iter().map(|why| why.as_ref().map(ToString::to_string)).collect(),
        })
    }
}

#[derive(Serialize, Deserialize)]
struct SavedBlock {
    steps: Range<usize>,
    features: FeatureSet,
    regressor: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    difference: Difference,
    extractor: FeatureExtractor,
    blocks: Vec<SavedBlock>,
    errors: ErrorDistribution,
    error_features: FeatureSet,
    residuals: Vec<Vec<f64>>,
    shocks: Vec<(Vec<f64>, bool)>,
    rmse: Vec<f64>,
    autoregression: Autoregression,
    failures: Vec<Option<String>>,
}

/// The inverse of `save` for one method, with the panel that was fitted.
pub(in crate::fitting) fn load<M: Method>(bytes: &[u8], panel: &Panel) -> Result<Box<dyn Fitted>>
where
    M::Fitted: FittedRegressor + DeserializeOwned,
{
    let saved: Saved = decode(bytes)?;
    let block = |block: SavedBlock| {
        let regressor: M::Fitted = decode(&block.regressor)?;
        Ok(Block { steps: block.steps, features: block.features, regressor: Arc::new(regressor) })
    };
    let lengths =
        [saved.extractor.len(), saved.residuals.len(), saved.shocks.len(), saved.rmse.len(), saved.failures.len()];
    if lengths != [panel.len(); 5] {
        return Err(Error::data("the saved fit is damaged"));
    }
    Ok(Box::new(FittedGlobal {
        panel: panel.clone(),
        difference: saved.difference,
        extractor: saved.extractor,
        blocks: saved.blocks.into_iter().map(block).collect::<Result<_>>()?,
        errors: saved.errors,
        error_features: saved.error_features,
        residuals: saved.residuals,
        shocks: saved.shocks,
        rmse: saved.rmse,
        autoregression: saved.autoregression,
        failures: saved.failures.into_iter().map(|why| why.map(Error::model)).collect(),
        held_out: Vec::new(),
    }))
}
