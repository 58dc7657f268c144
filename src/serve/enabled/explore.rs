//! What does the explorer show? One series beside its forecast, the covariates that may be changed, and the order that follows.

use std::collections::BTreeMap;

use tradewind_serve::engine::{Answer, CovariatePath, ExploreRequest, Explored, ForecastRequest, Row};
use tradewind_serve::{Fault, Kind};

use super::asked::Asked;
use super::decide::{horizon, policy};
use super::{Serving, alone, forecast, unstyled};
use crate::decide::State;
use crate::figures::{Band, Fan, Line, TimeAxis};
use crate::models::names;
use crate::panel::{Panel, Role};
use crate::show::{Figure, Value};

/// The width of a figure on a phone, in CSS pixels.
const NARROW: u32 = 358;

/// What a request is answered.
pub(super) fn explore(serving: &Serving, request: &ExploreRequest) -> Answer<Explored> {
    if request.forecast.series.len() > 1 {
        return Err(Fault::new(Kind::Invalid, "the explorer shows one series at a time"));
    }
    let mut request = request.clone();
    let wanted = &mut request.forecast;
    if wanted.series.is_empty() && wanted.history.is_empty() {
        // One, where a forecast would be of all.
        let model = serving.models.find(wanted.model.as_deref())?;
        wanted.series = forecast::series(serving, &model.card.name, "", 0, 1)?.series;
    }
    alone(|| explored(serving, &request))
}

fn explored(serving: &Serving, request: &ExploreRequest) -> Answer<Explored> {
    let (wanted, assumed) = completed(serving, &request.forecast, None)?;
    let asked = Asked::of(serving, &wanted, None)?;
    let ready = asked.ready()?;
    let panel = ready.fits.panel();
    let Some(&series) = asked.series.first() else { return Err(Fault::new(Kind::Invalid, "name a series")) };
    let mut answer = forecast::answered(&asked)?;
    if !assumed.is_empty() {
        let told = format!("Nothing is stated for {}: off, or its last value, is assumed.", assumed.join(", "));
        answer.caveat = Some(answer.caveat.map_or(told.clone(), |caveat| format!("{told} {caveat}")));
    }
    let Some(steps) = answer.forecasts.first() else {
        let why = answer.failures.first().map_or("there is no forecast", |failure| failure.reason.as_str());
        return Err(Fault::new(Kind::BadData, format!("{} has no forecast: {why}", panel.label(series))));
    };
    let name = names(std::slice::from_ref(&answer.method)).pop().unwrap_or_default();
    // A season of history, or five horizons, as in the figures of reports.
    let shown = panel.season().max(5 * asked.future().horizon());
    let history = past(&panel, series, shown);
    let calendar = &panel.inner().calendar;
    let start = asked.future().start(series);
    let x: Vec<f64> = (0..asked.future().horizon() as i64).map(|step| calendar.x(start + step)).collect();
    let quantile = |probability: f64| -> Vec<f64> {
        let name = crate::forecast::quantile_name((probability * 1e6).round() / 1e6);
        steps.steps.iter().map(|step| step.quantiles.get(&name).copied().unwrap_or(f64::NAN)).collect()
    };
    let mut levels = asked.levels.clone();
    levels.sort_by(f64::total_cmp);
    let band = |level: &f64| Band {
        level: *level,
        lower: quantile((1.0 - level) / 2.0),
        upper: quantile((1.0 + level) / 2.0),
    };
    let figure = Fan {
        title: panel.label(series).to_string(),
        value: panel.columns().target().to_string(),
        axis: if panel.frequency().is_whole() { TimeAxis::Steps } else { TimeAxis::Dates },
        history: history.1,
        actual: None,
        mean: Line { name, x, y: steps.steps.iter().map(|step| step.mean).collect() },
        bands: levels.iter().map(band).collect(),
    }
    .figure();
    let (order, quantity) = match request.on_hand {
        Some(on_hand) => ordered(serving, request, on_hand)?,
        None => (None, None),
    };
    Ok(Explored {
        history: history.0,
        covariates: covariates(&asked, &panel, series)?,
        svg: laid_out(&figure)?,
        alternative: figure.alt().to_string(),
        order,
        quantity,
        answer,
    })
}

/// The request with the known covariates that it does not state: a flag is off, anything else stays as it was last. An analyst has to
/// state them; whoever explores sees them in the table, and changes them. And their names.
fn completed(
    serving: &Serving,
    wanted: &ForecastRequest,
    horizon: Option<usize>,
) -> Answer<(ForecastRequest, Vec<String>)> {
    let asked = Asked::of(serving, wanted, horizon)?;
    let panel = asked.ready()?.fits.panel();
    let Some(&series) = asked.series.first() else { return Ok((wanted.clone(), Vec::new())) };
    let (calendar, start) = (&panel.inner().calendar, asked.future().start(series));
    let coming = asked.future().columns(series);
    let mut rows: BTreeMap<usize, BTreeMap<String, f64>> = BTreeMap::new();
    let mut names = Vec::new();
    for (name, column) in asked.future().changeable_columns()? {
        let missing: Vec<usize> =
            coming[column].iter().enumerate().filter(|(_, value)| value.is_nan()).map(|(step, _)| step).collect();
        let past = panel.column_of(series, &panel.matrix()?.columns[column]);
        let known = || past.iter().copied().filter(|value| !value.is_nan());
        let Some(last) = known().next_back().filter(|_| !missing.is_empty()) else { continue };
        let usual = if known().all(|value| value == 0.0 || value == 1.0) { 0.0 } else { last };
        for step in missing {
            rows.entry(step).or_default().insert(name.clone(), usual);
        }
        names.push(name);
    }
    let mut wanted = wanted.clone();
    wanted.future.extend(rows.into_iter().map(|(step, values)| Row {
        series: None,
        date: calendar.label(start + step as i64),
        values,
    }));
    Ok((wanted, names))
}

/// The last values of a series: with their dates, and as a line.
fn past(panel: &Panel, series: usize, most: usize) -> (Vec<(String, Option<f64>)>, Line) {
    let values = panel.regular(series);
    let first = panel.positions(series).first().copied().unwrap_or(0);
    let calendar = &panel.inner().calendar;
    let skipped = values.len().saturating_sub(most);
    let rows = || (skipped..values.len()).map(|at| (first + at as i64, values[at]));
    let line = Line {
        name: "history".into(),
        x: rows().map(|(position, _)| calendar.x(position)).collect(),
        y: rows().map(|(_, value)| value).collect(),
    };
    let dated = rows().map(|(position, value)| (calendar.label(position), (!value.is_nan()).then_some(value)));
    (dated.collect(), line)
}

/// The covariates that may be changed, with their values at the coming steps.
fn covariates(asked: &Asked, panel: &Panel, series: usize) -> Answer<Vec<CovariatePath>> {
    let matrix = panel.matrix()?;
    let coming = asked.future().columns(series);
    let path = |(name, column): (String, usize)| {
        let past = || panel.column_of(series, &matrix.columns[column]).iter().filter(|value| !value.is_nan());
        CovariatePath {
            name,
            is_known: matrix.sources[column].1 == Role::Known,
            is_flag: past().next().is_some() && past().all(|value| *value == 0.0 || *value == 1.0),
            values: coming[column].iter().map(|value| value.is_finite().then_some(*value)).collect(),
        }
    };
    Ok(asked.future().changeable_columns()?.into_iter().map(path).collect())
}

/// A figure for wide and for narrow screens; the page's styles show one of them.
fn laid_out(figure: &Figure) -> Answer<String> {
    let plot = |svg: &str, layout: &str| format!("<div class=\"{layout}\"><div class=\"plot\">{svg}</div></div>");
    let both = [plot(&figure.svg()?, "wide"), plot(&figure.svg_within(NARROW)?, "narrow")].concat();
    Ok(unstyled(&both))
}

/// What to order of the series, in words and units; none where there is no order.
fn ordered(serving: &Serving, request: &ExploreRequest, on_hand: f64) -> Answer<(Option<String>, Option<f64>)> {
    let policy = policy(serving, &request.policy)?;
    let horizon = horizon(&policy, &request.forecast)?;
    let (wanted, _) = completed(serving, &request.forecast, horizon)?;
    let asked = Asked::of(serving, &wanted, horizon)?;
    let panel = asked.ready()?.fits.panel();
    let stock: Vec<(usize, f64, f64)> =
        asked.series.iter().map(|i| (*i, on_hand, request.on_order.unwrap_or(0.0))).collect();
    let decision = asked.forecast()?.decide_known(&State::of(&panel, &policy, &stock)?, &policy)?;
    let table = decision.table()?;
    if table.rows() == 0 {
        return Ok((None, None));
    }
    let quantity = match table.get(0, "order")? {
        Value::Whole(units) => Some(units as f64),
        Value::Number(units) => Some(units),
        _ => None,
    };
    let reason = table.get(0, "reason")?.to_string();
    Ok((Some(if quantity.is_some() { format!("Order {reason}.") } else { reason }), quantity))
}
