//! How much is ordered of the items of a request?

use serde_json::{Map, Value};
use tradewind_serve::engine::{Answer, DecideAnswer, DecideRequest, ForecastRequest};
use tradewind_serve::{Fault, Kind};

use super::asked::{Asked, LONGEST, horizon_of, place};
use super::fields::{self, Purpose};
use super::{Serving, alone, page_html};
use crate::decide::{Decision, State, StockPolicy};
use crate::error::Error;
use crate::plan::Plan;
use crate::show::{Show, Table};

/// The horizon of the forecast that orders rest on: it reaches as far as the policy looks, and as far as the request has values.
pub(super) fn horizon(policy: &StockPolicy, request: &ForecastRequest) -> Answer<Option<usize>> {
    let (reach, stated) = (policy.reach()?, horizon_of(request)?);
    Ok(match stated {
        None if !request.future.is_empty() => None,
        stated => Some(reach.max(stated.unwrap_or(reach))),
    })
}

/// The policy that fields of a request state, over those of the plan that is served.
pub(super) fn policy(serving: &Serving, stated: &Map<String, Value>) -> Answer<StockPolicy> {
    let base = serving.plan().cloned().unwrap_or_else(Plan::default);
    let unusable = |error: Error| Fault::new(Kind::UnusablePlan, error.to_string());
    let policy = fields::patch(&[Purpose::Decide], stated)?.over(base).stock_policy().map_err(unusable)?;
    let reach = policy.reach().map_err(unusable)?;
    if reach > LONGEST {
        let detail =
            format!("lead time and review period together are {reach} steps, and a forecast has at most {LONGEST}");
        return Err(Fault::new(Kind::UnusablePlan, detail));
    }
    Ok(policy)
}

/// What a request is answered. Items that are no series of the model are left out and named, unless it has none of them.
pub(super) fn decide(serving: &Serving, request: &DecideRequest) -> Answer<DecideAnswer> {
    alone(|| {
        let mut unknown = Vec::new();
        match decided(serving, request, &mut unknown) {
            // As items that could not be forecast.
            Err(fault) if fault.kind == Kind::BadData && !request.forecast.history.is_empty() => {
                let undecided = request.stock.iter().map(|stock| without(&stock.series, &fault.detail)).collect();
                let sentence = "Nothing can be ordered: the history cannot be forecast.".into();
                Ok(DecideAnswer { sentence, undecided, ..DecideAnswer::default() })
            }
            decision => {
                let mut answer = answered(&decision?)?;
                answer.undecided.extend(unknown);
                Ok(answer)
            }
        }
    })
}

/// An item without an order.
fn without(series: &str, reason: &str) -> Map<String, Value> {
    Map::from_iter([("series".into(), series.into()), ("reason".into(), reason.into())])
}

fn decided(serving: &Serving, request: &DecideRequest, unknown: &mut Vec<Map<String, Value>>) -> Answer<Decision> {
    let policy = policy(serving, &request.policy)?;
    if request.stock.is_empty() {
        return Err(Fault::new(Kind::Invalid, "nothing says what is on the shelf: state the `stock` of each series"));
    }
    let mut forecast = request.forecast.clone();
    if forecast.series.is_empty() && forecast.history.is_empty() {
        let (model, mut refused) = (serving.models.find(forecast.model.as_deref())?, None);
        let panel = model.ready()?.fits.panel();
        for stock in &request.stock {
            match place(&panel, &stock.series) {
                Ok(_) => forecast.series.push(stock.series.clone()),
                Err(fault) => {
                    unknown.push(without(&stock.series, &fault.detail));
                    refused = Some(fault);
                }
            }
        }
        if let Some(fault) = refused.filter(|_| forecast.series.is_empty()) {
            return Err(fault);
        }
    }
    let is_unknown = |name: &str| unknown.iter().any(|row| row["series"] == name);
    let asked = Asked::of(serving, &forecast, horizon(&policy, &forecast)?)?;
    let panel = asked.ready()?.fits.panel();
    let mut stock: Vec<(usize, f64, f64)> = Vec::with_capacity(request.stock.len());
    for item in request.stock.iter().filter(|item| !is_unknown(&item.series)) {
        if let Some(units) = [item.on_hand, item.on_order].into_iter().find(|units| !(0.0..=f64::MAX).contains(units)) {
            let detail = format!("`stock` of series `{}` is a number from 0 on, not {units}", item.series);
            return Err(Fault::new(Kind::Invalid, detail));
        }
        // The series of a history has whatever name the request gives it.
        let series = if forecast.history.is_empty() { place(&panel, &item.series)? } else { 0 };
        if !asked.series.contains(&series) {
            let detail = format!("`stock` has series `{}`, which is not among those that are forecast", item.series);
            return Err(Fault::new(Kind::Conflict, detail));
        }
        if stock.iter().any(|(known, ..)| *known == series) {
            return Err(Fault::new(Kind::Conflict, format!("`stock` has series `{}` twice", item.series)));
        }
        stock.push((series, item.on_hand, item.on_order));
    }
    let unusable = |error: Error| match error.is_usage() {
        true => Fault::new(Kind::UnusablePlan, error.to_string()),
        false => error.into(),
    };
    let state = State::of(&panel, &policy, &stock).map_err(unusable)?;
    asked.forecast()?.decide_known(&state, &policy).map_err(unusable)
}

/// A decision as an answer.
pub(super) fn answered(decision: &Decision) -> Answer<DecideAnswer> {
    Ok(DecideAnswer {
        sentence: decision.sentence(),
        orders: rows(&decision.table()?)?,
        undecided: rows(&decision.undecided()?)?,
        caveat: decision.caveat(),
        html: page_html(&decision.block()),
        csv: decision.table()?.to_csv()?,
    })
}

/// The rows of a table as maps.
fn rows(table: &Table) -> Answer<Vec<Map<String, Value>>> {
    let Value::Array(rows) = table.to_json()? else { return Ok(Vec::new()) };
    let map = |row| match row {
        Value::Object(row) => Some(row),
        _ => None,
    };
    Ok(rows.into_iter().filter_map(map).collect())
}
