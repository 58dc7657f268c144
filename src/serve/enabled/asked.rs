//! Of which model, series and future is a request?

use std::sync::Arc;

use chrono::{NaiveDate, NaiveDateTime};
use polars::prelude::{Column, DataFrame};
use tradewind_serve::engine::{Answer, ForecastRequest, Point, Row};
use tradewind_serve::{Fault, Kind};

use super::models::{Ahead, Ready, ServedModel};
use super::{Serving, timed};
use crate::error::{Error, suggestion};
use crate::forecast::{Forecast, LEVELS, quantiles_of};
use crate::job::{Fence, Job, Most};
use crate::models::Model;
use crate::panel::{Columns, Future, Panel, parse_stamp};

/// The longest horizon, the most levels and the longest history of a request.
pub(super) const LONGEST: usize = 1000;
const MOST_LEVELS: usize = 9;
/// Signs of the name of a run.
const LONGEST_NAME: usize = 200;
/// The least level: what is left of 1 is the largest. Further out no forecast of sales means anything.
const LEAST: f64 = 0.001;
const MOST_POINTS: usize = 100_000;
/// The horizon of a history that says none, and the method that is fitted to it.
const HORIZON: usize = 8;
pub(super) const METHOD: &str = "ets";
/// The columns of a history.
const DATE: &str = "date";
const VALUE: &str = "value";
/// Names among which the nearest is looked for: more take longer than a refusal should.
const NAMES: usize = 2000;
/// Bytes that one table may take that a request asks for.
pub(super) const MEMORY: u64 = 4 << 30;

/// A request, with what it is of.
pub(super) struct Asked {
    pub(super) model: Source,
    /// The place of the method.
    pub(super) method: usize,
    pub(super) ahead: Arc<Ahead>,
    /// The places of the series.
    pub(super) series: Vec<usize>,
    /// The coming steps with the values of the request; none where it has none.
    given: Option<Future>,
    pub(super) levels: Vec<f64>,
    /// The probabilities of the quantiles.
    pub(super) probabilities: Vec<f64>,
}

/// What forecasts.
pub(super) enum Source {
    /// A model that is served.
    Served(Arc<ServedModel>),
    /// One that was fitted to the history of the request.
    Own(Box<Ready>),
}

/// The number of steps of a request that states it.
pub(super) fn horizon_of(request: &ForecastRequest) -> Answer<Option<usize>> {
    match request.horizon {
        Some(0) => Err(Fault::new(Kind::Invalid, "a horizon is at least 1 step, not 0")),
        Some(steps) if steps > LONGEST => {
            Err(Fault::new(Kind::Invalid, format!("a horizon is at most {LONGEST} steps, not {steps}")))
        }
        horizon => Ok(horizon),
    }
}

/// How many values a request asks for.
pub(super) fn weight(serving: &Serving, request: &ForecastRequest) -> Answer<usize> {
    let horizon = match horizon_of(request)? {
        Some(horizon) => horizon,
        None if !request.history.is_empty() => HORIZON,
        None => serving.models.find(request.model.as_deref())?.ready()?.fits.horizon(),
    };
    // Without a name all series are meant.
    let series = match (request.series.len(), request.history.is_empty()) {
        (0, true) => serving.models.find(request.model.as_deref())?.ready()?.fits.panel().len(),
        (named, _) => named.max(1),
    };
    Ok(series.saturating_mul(horizon))
}

fn levels_of(request: &ForecastRequest) -> Answer<Vec<f64>> {
    let Some(levels) = &request.levels else { return Ok(LEVELS.to_vec()) };
    if levels.len() > MOST_LEVELS {
        return Err(Fault::new(Kind::Invalid, format!("at most {MOST_LEVELS} levels, not {}", levels.len())));
    }
    match levels.iter().find(|level| !(LEAST..=1.0 - LEAST).contains(*level)) {
        Some(level) => {
            Err(Fault::new(Kind::Invalid, format!("a level is from {LEAST} to {}, not {level}", 1.0 - LEAST)))
        }
        None => Ok(levels.clone()),
    }
}

impl Asked {
    /// What a request is of; `horizon` takes the place of the one that it states.
    ///
    /// # Errors
    /// When it names something that is not there, or states a number that cannot be.
    pub(super) fn of(serving: &Serving, request: &ForecastRequest, horizon: Option<usize>) -> Answer<Self> {
        if let Some(run) = &request.issue
            && !(1..=LONGEST_NAME).contains(&run.chars().count())
        {
            let detail = format!("the name of a run, `issue`, has 1 to {LONGEST_NAME} signs");
            return Err(Fault::new(Kind::Invalid, detail));
        }
        let stated = horizon_of(request)?;
        let horizon = horizon.or(stated);
        let levels = levels_of(request)?;
        let model = match request.history.as_slice() {
            [] => Source::Served(serving.models.find(request.model.as_deref())?),
            _ if request.model.is_some() => {
                return Err(Fault::new(Kind::Conflict, "a request has a `model` or a `history`, not both"));
            }
            history => Source::Own(Box::new(fitted(history, request.method.as_deref(), horizon.unwrap_or(HORIZON))?)),
        };
        let ready = model.ready()?;
        let method = if request.history.is_empty() { ready.method(request.method.as_deref())? } else { 0 };
        let panel = ready.fits.panel();
        let series = match request.series.as_slice() {
            // Whatever it is called there, a history is one series.
            _ if !request.history.is_empty() => vec![0],

            [] => (0..panel.len()).collect(),
            names => names.iter().map(|name| place(&panel, name)).collect::<Answer<_>>()?,
        };
        let ahead = ready.ahead(horizon.unwrap_or_else(|| ready.fits.horizon()))?;
        let given = given(&ahead.future, &panel, &series, &request.future)?;
        let probabilities = quantiles_of(&levels);
        Ok(Self { model, method, ahead, series, given, levels, probabilities })
    }

    pub(super) fn ready(&self) -> Answer<&Ready> {
        self.model.ready()
    }

    pub(super) fn future(&self) -> &Future {
        self.given.as_ref().unwrap_or(&self.ahead.future)
    }

    /// The forecast of its series as a noun, by its method alone.
    ///
    /// # Errors
    /// When a level is none.
    pub(super) fn forecast(&self) -> Answer<Forecast> {
        let fits = self.ready()?.fits.only(self.method);
        let mut wanted = vec![false; fits.panel().len()];
        self.series.iter().for_each(|i| wanted[*i] = true);
        Ok(Forecast::of(&fits, self.future(), |i| wanted[i])?.levels(self.levels.iter().copied())?)
    }
}

impl Source {
    pub(super) fn ready(&self) -> Answer<&Ready> {
        match self {
            Self::Served(model) => model.ready(),
            Self::Own(ready) => Ok(ready),
        }
    }
}

/// The place of a series.
pub(super) fn place(panel: &Panel, name: &str) -> Answer<usize> {
    panel.place_of(name).ok_or_else(|| {
        let labels = panel.labels();
        let alike = labels.iter().filter(|label| label.len().abs_diff(name.len()) <= 2).take(NAMES);
        let near = suggestion(name, alike.map(String::as_str));
        Fault::new(Kind::UnknownSeries, format!("the model has no series `{name}`{near}"))
    })
}

/// The future with the values that a request states; none where it states none.
fn given(future: &Future, panel: &Panel, series: &[usize], rows: &[Row]) -> Answer<Option<Future>> {
    if rows.is_empty() {
        return Ok(None);
    }
    let mut changes: Vec<(usize, &str, usize, f64)> = Vec::new();
    let horizon = future.horizon() as i64;
    let kind = panel.inner().calendar.kind();
    for row in rows {
        let of: Vec<usize> = match &row.series {
            None => series.to_vec(),
            Some(name) => {
                let place = place(panel, name)?;
                if !series.contains(&place) {
                    let detail = format!(
                        "`future` has a row of series `{name}`, which is not among the `series` that are asked for"
                    );
                    return Err(Fault::new(Kind::Conflict, detail));
                }
                vec![place]
            }
        };
        let (position, is_exact) = panel.frequency().position(parse_stamp(&row.date, kind)?);
        for i in of {
            let start = future.start(i);
            let step = position.checked_sub(start).filter(|step| is_exact && (0..horizon).contains(step));
            let Some(step) = step else {
                let label = |position: i64| panel.inner().calendar.label(position);
                return Err(Fault::new(
                    Kind::Conflict,
                    format!(
                        "`future` has a row for {}, which is none of the coming steps of series {}: those are {}, {} to {}",
                        row.date,
                        panel.label(i),
                        panel.frequency(),
                        label(start),
                        label(start + horizon - 1)
                    ),
                ));
            };
            changes.extend(row.values.iter().map(|(name, value)| (i, name.as_str(), step as usize, *value)));
        }
    }
    let unknown = |error: Error| Fault::new(Kind::UnknownCovariate, error.to_string());
    let changed = match series {
        [only] => future.of_one(*only, changes.into_iter().map(|(_, name, step, value)| (name, step, value))),
        _ => future.with_values(changes),
    };
    Ok(Some(changed.map_err(unknown)?))
}

/// A method fitted to a history of the request's own. Nothing that its options name may be read.
fn fitted(history: &[Point], method: Option<&str>, horizon: usize) -> Answer<Ready> {
    if history.len() > MOST_POINTS {
        let detail = format!("a history has at most {MOST_POINTS} values, not {}; send it as a file", history.len());
        return Err(Fault::new(Kind::TooLarge, detail));
    }
    let model =
        Model::named(method.unwrap_or(METHOD)).map_err(|error| Fault::new(Kind::UnknownMethod, error.to_string()))?;
    if let Some(point) = history.iter().find(|point| !is_date(&point.date)) {
        let detail = format!("`{}` in `history` is no date; write 2012-10-26 or 2012-10-26T14:00", point.date);
        return Err(Fault::new(Kind::Invalid, detail));
    }
    let dates: Vec<&str> = history.iter().map(|point| point.date.as_str()).collect();
    let values: Vec<Option<f64>> = history.iter().map(|point| point.value).collect();
    let columns = vec![Column::new(DATE.into(), dates), Column::new(VALUE.into(), values)];
    let frame = DataFrame::new(history.len(), columns).map_err(Error::from)?;
    let fence = Fence::of(Vec::new()).with_limits(most());
    let fits = timed(Job::behind(fence), || {
        let panel = Panel::from_frame(frame, Columns::new(Vec::<String>::new(), DATE, VALUE))?;
        Ok(panel.fit_for([model], horizon)?)
    })?;
    if let Some(failure) = fits.failures().first() {
        return Err(Fault::new(
            Kind::BadData,
            format!("{} cannot be fitted to the history: {}", failure.model, failure.reason),
        ));
    }
    Ok(Ready::of(fits))
}

/// Is a text a date, or a date and a time?
fn is_date(text: &str) -> bool {
    let formats = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
        || formats.iter().any(|format| NaiveDateTime::parse_from_str(text, format).is_ok())
}

/// What the work of a request may use up.
pub(super) fn most() -> Most {
    Most { seconds: 600, rows: 20_000_000, asleep: 0, disk: 16 << 30, files: 1_000, memory: MEMORY }
}
