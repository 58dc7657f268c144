//! How do sales and planners' changes come in?

use chrono::{DateTime, NaiveDateTime, Utc};
use tradewind_monitor::store::Actual;
use tradewind_serve::engine::{self, Answer, Engine, OverrideCard, OverrideRequest, Received};
use tradewind_serve::{Fault, Kind};

use super::Serving;
use crate::error::suggestion;
use crate::monitor::Override;
use crate::panel::{Panel, parse_stamp};

fn invalid(detail: String) -> Fault {
    Fault::new(Kind::Invalid, detail)
}

/// Takes in what was sold.
pub(super) fn receive(serving: &Serving, actuals: &[engine::Actual]) -> Answer<Received> {
    let panels: Vec<Panel> =
        serving.models.usable().iter().filter_map(|model| Some(model.ready().ok()?.fits.panel())).collect();
    let monitor = serving.monitor()?;
    let mut values = Vec::with_capacity(actuals.len());
    for (row, actual) in actuals.iter().enumerate() {
        let value = value(&panels, &serving.keys(), actual);
        values.push(value.map_err(|fault| Fault { detail: format!("row {}: {}", row + 1, fault.detail), ..fault })?);
    }
    let (told, [new, revised, same]) = monitor.receive_values(&values)?;
    let notes: String = told.notes().iter().map(|note| format!(" {note}.")).collect();
    Ok(Received { new, revised, same, sentence: format!("{}{notes}", told.sentence()) })
}

/// One value as the store takes it.
fn value(panels: &[Panel], columns: &[String], actual: &engine::Actual) -> Answer<Actual> {
    if !actual.value.is_finite() {
        return Err(invalid(format!("the value of series `{}` is no number", actual.series)));
    }
    let found = panels.iter().find_map(|panel| Some((panel, panel.place_of(&actual.series)?)));
    let Some((panel, series)) = found else {
        return Err(unknown(panels, columns, &actual.series));
    };
    let calendar = &panel.inner().calendar;
    let (position, is_exact) = panel.frequency().position(parse_stamp(&actual.date, calendar.kind())?);
    if !is_exact {
        return Err(invalid(format!(
            "{} is no date of series `{}`, which is {}",
            actual.date,
            actual.series,
            panel.frequency()
        )));
    }
    if panel.frequency().is_whole() {
        return Err(invalid("the steps of these data are numbers; what is monitored needs dates".into()));
    }
    let seconds = calendar.x(position) as i64;
    let at: NaiveDateTime = DateTime::<Utc>::from_timestamp(seconds, 0).unwrap_or_default().naive_utc();
    let mut key = Vec::new();
    for column in panel.key_columns([series])? {
        let texts = column.cast(&polars::prelude::DataType::String).map_err(crate::error::Error::from)?;
        let texts = texts.str().map_err(crate::error::Error::from)?;
        key.push(texts.get(0).unwrap_or_default().to_string());
    }
    Ok(Actual { key, at, value: actual.value })
}

/// A series that no model has: its actuals would be scored against nothing.
fn unknown(panels: &[Panel], columns: &[String], name: &str) -> Fault {
    let alike = panels.iter().flat_map(|panel| panel.labels().to_vec());
    let alike: Vec<String> = alike.filter(|label| label.len().abs_diff(name.len()) <= 2).take(2000).collect();
    let near = suggestion(name, alike.iter().map(String::as_str));
    let written = match columns {
        [] => String::new(),
        columns => format!("; names are written as `{}=…`", columns.join("=…, ")),
    };
    Fault::new(Kind::UnknownSeries, format!("no model has a series `{name}`{near}{written}"))
}

/// What planners have changed.
pub(super) fn overrides(serving: &Serving) -> Answer<Vec<OverrideCard>> {
    let today = Utc::now().date_naive();
    let mut kept = serving.monitor()?.kept()?;
    kept.sort_by_key(|one| std::cmp::Reverse(one.change.made_at));
    let card = |one: tradewind_monitor::store::Stated| {
        let state = match (one.withdrawn_at, one.change.expires) {
            (Some(_), _) => "withdrawn",
            (None, Some(day)) if day < today => "expired",
            _ => "active",
        };
        OverrideCard {
            id: one.change.id.clone(),
            author: one.change.author.clone(),
            reason: one.change.reason.clone(),
            made: one.change.made_at.format("%Y-%m-%d %H:%M UTC").to_string(),
            state: state.into(),
            sentence: Override::from(one.change).sentence(),
        }
    };
    Ok(kept.into_iter().map(card).collect())
}

/// Keeps a change.
pub(super) fn keep(serving: &Serving, change: &OverrideRequest, author: &str) -> Answer<String> {
    let monitor = serving.monitor()?;
    let columns = serving.keys();
    if change.reason.trim().is_empty() {
        return Err(invalid("state the `reason` of the change".into()));
    }
    if !change.amount.is_finite() {
        return Err(invalid("the `amount` is no number".into()));
    }
    let mut made = Override::new(author, change.reason.trim());
    for (column, value) in change.only.iter().filter(|(_, value)| !value.trim().is_empty()) {
        if !columns.contains(column) {
            let near = suggestion(column, columns.iter().map(String::as_str));
            return Err(invalid(format!("`{column}` is no key column{near}")));
        }
        made = made.only(column.trim(), value.trim());
    }
    let from = match change.from.trim() {
        "" => first_step(serving).ok_or_else(|| invalid("state the first date that is changed, `from`".into()))?,
        from => from.to_string(),
    };
    let to = if change.to.trim().is_empty() { from.clone() } else { change.to.trim().to_string() };
    made = made.between(&from, &to)?;
    made = match change.how.as_str() {
        "set" => made.set(change.amount),
        "add" => made.add(change.amount),
        "percent" => made.percent(change.amount),
        other => return Err(invalid(format!("a change is `set`, `add` or `percent`, not `{other}`"))),
    };
    if !change.expires.trim().is_empty() {
        made = made.expires(change.expires.trim())?;
    }
    Ok(monitor.keep(&made)?)
}

/// The day of the first step that any model forecasts.
fn first_step(serving: &Serving) -> Option<String> {
    let first = |panel: Panel| {
        let (_, last) = panel.extent()?;
        Some(panel.inner().calendar.label(last + 1).chars().take(10).collect::<String>())
    };
    serving.models.usable().iter().filter_map(|model| first(model.ready().ok()?.fits.panel())).min()
}

/// Takes a change back.
pub(super) fn withdraw(serving: &Serving, id: &str) -> Answer<()> {
    let monitor = serving.monitor()?;
    if !monitor.kept()?.iter().any(|one| one.change.id == id) {
        return Err(Fault::new(Kind::NotFound, format!("there is no change `{id}`")));
    }
    Ok(monitor.withdraw(id)?)
}
