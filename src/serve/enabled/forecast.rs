//! How are single series forecast at once?
//!
//! What depends on model and horizon alone is kept beside the model; what is left is a look-up, the recursion of the method and the
//! quantiles, so that the time of an answer does not grow with the number of series that it is not of.

use std::collections::BTreeMap;

use tradewind_serve::engine::{
    Answer, ForecastAnswer, ForecastRequest, ForecastStep, SeriesFailure, SeriesForecast, SeriesPage,
};

use tradewind_serve::{Fault, Kind};

use super::Serving;
use super::asked::{Asked, Source};
use crate::error::{Error, Result};
use crate::forecast::quantile_name;
use crate::models::StepDistribution;

/// The most series of a page.
const PAGE: usize = 1000;

/// What a request is answered.
pub(super) fn forecast(serving: &Serving, request: &ForecastRequest) -> Answer<ForecastAnswer> {
    let asked = match Asked::of(serving, request, None) {
        // As a series of a model that could not be fitted.
        Err(fault) if fault.kind == Kind::BadData && !request.history.is_empty() => {
            let series = request.series.first().cloned().unwrap_or_else(|| "history".into());
            let method = request.method.clone().unwrap_or_else(|| super::asked::METHOD.into());
            let failures = vec![SeriesFailure { series, reason: fault.detail }];
            return Ok(ForecastAnswer { method, failures, ..ForecastAnswer::default() });
        }
        asked => asked?,
    };
    let mut answer = answered(&asked)?;
    if let Some(run) = &request.issue {
        let told = serving.monitor()?.issue(&asked.forecast()?, run)?;
        // The same run again changes nothing, which whoever issues has to know.
        if told.contains("there already") {
            answer.caveat = Some(answer.caveat.map_or(format!("{told}."), |caveat| format!("{told}. {caveat}")));
        }
    }
    Ok(answer)
}

/// The forecasts of what is asked for.
pub(super) fn answered(asked: &Asked) -> Answer<ForecastAnswer> {
    let ready = asked.ready()?;
    let names: Vec<String> = asked.probabilities.iter().map(|probability| quantile_name(*probability)).collect();
    let mut remarks: Vec<String> = Vec::new();
    let (mut forecasts, mut failures) = (Vec::with_capacity(asked.series.len()), Vec::new());
    for &series in &asked.series {
        crate::progress::check()?;
        match ready.fits.forecast_one(asked.method, asked.future(), series) {
            Ok(distribution) => {
                for remark in distribution.remarks() {
                    if !remarks.contains(remark) {
                        remarks.push(remark.clone());
                    }
                }
                forecasts.push(steps(asked, series, &distribution, &names)?);
            }
            // A covariate that the request has to state is no failure of the method.
            Err(error) if error.is_data() => return Err(Fault::new(Kind::MissingCovariate, error.to_string())),
            Err(error) if error.is_interrupted() => return Err(error.into()),
            Err(error) => failures.push(SeriesFailure {
                series: ready.fits.panel().label(series).to_string(),
                reason: error.to_string(),
            }),
        }
    }
    let (model, version) = match &asked.model {
        Source::Served(model) => (Some(model.card.name.clone()), Some(model.card.version.clone())),
        Source::Own(_) => (None, None),
    };
    let early = asked.future().early_of(&asked.series);
    let off_aim = asked.ahead.caveats.get(asked.method).cloned().flatten();
    let caveats: Vec<String> =
        early.into_iter().chain(off_aim).chain(remarks.into_iter().map(|remark| format!("{remark}."))).collect();
    Ok(ForecastAnswer {
        model,
        version,
        method: ready.methods.get(asked.method).cloned().unwrap_or_default(),
        forecasts,
        failures,
        caveat: (!caveats.is_empty()).then(|| caveats.join(" ")),
    })
}

/// The steps of one series; every number is finite.
fn steps(asked: &Asked, series: usize, distribution: &StepDistribution, names: &[String]) -> Answer<SeriesForecast> {
    let panel = asked.ready()?.fits.panel();
    let calendar = &panel.inner().calendar;
    let quantiles: Vec<Vec<f64>> = asked.probabilities.iter().map(|p| distribution.quantile(*p)).collect();
    let start = asked.future().start(series);
    let step = |(step, mean): (usize, &f64)| {
        let finite = |value: f64| -> Result<f64> {
            if value.is_finite() { Ok(value) } else { Err(Error::model("the forecast leaves the range of numbers")) }
        };
        let of = |(name, values): (&String, &Vec<f64>)| Ok((name.clone(), finite(values[step])?));
        Ok(ForecastStep {
            date: calendar.label(start + step as i64),
            mean: finite(*mean)?,
            quantiles: names.iter().zip(&quantiles).map(of).collect::<Result<BTreeMap<_, _>>>()?,
        })
    };
    let steps = distribution.mean.iter().enumerate().map(step).collect::<Result<_>>()?;
    Ok(SeriesForecast { series: panel.label(series).to_string(), steps })
}

/// The series of a model whose names contain every word.
pub(super) fn series(serving: &Serving, model: &str, query: &str, offset: usize, most: usize) -> Answer<SeriesPage> {
    let model = serving.models.find(Some(model))?;
    let labels = model.ready()?.fits.panel().labels();
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let matches = |label: &&String| {
        let folded = label.to_lowercase();
        words.iter().all(|word| folded.contains(word.as_str()))
    };
    if words.is_empty() {
        let series = labels.iter().skip(offset).take(most.min(PAGE)).cloned().collect();
        return Ok(SeriesPage { total: labels.len(), series });
    }
    let found: Vec<&String> = labels.iter().filter(matches).collect();
    let series = found.iter().skip(offset).take(most.min(PAGE)).map(|label| (*label).clone()).collect();
    Ok(SeriesPage { total: found.len(), series })
}
