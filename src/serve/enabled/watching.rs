//! How good are the forecasts, and what has been run?

use std::collections::BTreeMap;

use tradewind_monitor::store::Kind as Issued;
use tradewind_serve::engine::{Answer, Gauges, Page};
use tradewind_serve::{Fault, Kind};

use super::{Serving, alone, page_html};
use crate::monitor::Monitor;
use crate::show::words::counted;
use crate::show::{Block, Show};

/// Runs and series that are shown.
const RUNS: usize = 50;
const WORST: usize = 20;

/// What has been run, champion and challengers.
pub(super) fn runs(serving: &Serving) -> Answer<Page> {
    let (runs, name) = serving.runs()?;
    alone(|| {
        let versions = runs.promotions(&name)?;
        let champion = runs.champion(&name)?;
        let sentence = match &champion {
            Some(champion) => format!("Version {} of {name} forecasts.", champion.version),
            None => format!("{name} has no champion yet; retraining finds one."),
        };
        let blocks = Block::Group(vec![Block::Table(versions), Block::Table(runs.list(Some(&name), RUNS)?)]);
        Ok(Page { title: "Runs".into(), sentence, html: page_html(&blocks) })
    })
}

/// Brings back the former champion.
pub(super) fn rollback(serving: &Serving) -> Answer<String> {
    let (runs, name) = serving.runs()?;
    // That there is nothing to go back to is no mistake of the request.
    let version = runs.rollback(&name).map_err(|error| match error.is_usage() {
        true => Fault::new(Kind::Conflict, error.to_string()),
        false => error.into(),
    })?;
    serving.models.refresh();
    Ok(format!("Version {version} of {name} forecasts again."))
}

/// Alerts, accuracy, the worst series, drift, and what planners have added.
pub(super) fn monitoring(serving: &Serving) -> Answer<Page> {
    let monitor = serving.monitor()?;
    let alerts = monitor.alerts()?;
    let accuracy = monitor.accuracy()?;
    let sentence = match (alerts.rows(), accuracy.rows()) {
        (0, 0) => "No forecast that was given out has met its sales yet.".to_string(),
        (0, _) => "No alert goes on.".to_string(),
        (n, _) => format!("{} on.", counted(n, "alert goes", "alerts go")),
    };
    let tables = [alerts, accuracy, monitor.worst(WORST)?, monitor.drift()?];
    let mut blocks: Vec<Block> = tables.into_iter().filter(|table| table.rows() > 0).map(Block::Table).collect();
    blocks.extend(added(&monitor));
    Ok(Page { title: "Monitoring".into(), sentence, html: page_html(&Block::Group(blocks)) })
}

/// What planners have added; nothing before their first change has met its sales.
fn added(monitor: &Monitor) -> Option<Block> {
    let added = monitor.value_added().ok()?;
    Some(Block::Group(vec![Block::Heading { level: 3, text: "What planners have added".into() }, added.block()]))
}

/// The same as numbers.
pub(super) fn gauges(serving: &Serving) -> Answer<Gauges> {
    let monitor = serving.monitor()?;
    let report = monitor.report(0)?;
    let levels = monitor.outermost_levels()?;
    let mut gauges = Gauges { actuals_until: monitor.sold_until()?.map(|at| at.and_utc()), ..Gauges::default() };
    // The next step, as far as a model forecasts it by itself.
    for row in report.accuracy.iter().filter(|row| row.step == 1 && row.kind == Issued::Statistical && row.count > 0) {
        gauges.mase.extend(row.mase.map(|mase| (row.model.clone(), row.window, mase)));
        let level = levels.get(&(row.model.clone(), row.kind)).copied();
        let coverage = row.coverage.zip(level);
        gauges
            .coverage
            .extend(coverage.map(|(share, level)| (row.model.clone(), (level * 1e6).round() / 1e6, row.window, share)));
    }
    let drifts = report.inputs.iter().map(|input| &input.drift);
    gauges.drift = drifts.map(|drift| (drift.column.clone(), drift.psi, drift.verdict as u8)).collect();
    let mut alerts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for open in &report.open {
        let severity = format!("{:?}", open.alert.severity).to_lowercase();
        *alerts.entry((open.alert.rule.clone(), severity)).or_default() += 1;
    }
    gauges.alerts = alerts.into_iter().map(|((rule, severity), count)| (rule, severity, count)).collect();
    Ok(gauges)
}

/// The history and the forecast of the first model, to explore.
pub(super) fn dashboard(serving: &Serving) -> Answer<String> {
    let Some(model) = serving.models.usable().into_iter().next() else {
        return Err(Fault::new(
            Kind::NotFound,
            "there is nothing to explore: start the server with a folder of saved fits (--models DIR), or with a plan that has a champion",
        ));
    };
    let mut kept = serving.page.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let version = (model.card.name.clone(), model.card.version.clone());
    if let Some((_, page)) = kept.as_ref().filter(|(known, _)| *known == version) {
        return Ok(page.clone());
    }
    let page = alone(|| {
        let fits = model.ready()?.fits.clone();
        let title = serving.plan().map_or_else(|| model.card.name.clone(), |plan| plan.title.clone());
        Ok(fits.forecast(fits.horizon())?.dashboard()?.titled(title).html())
    })?;
    *kept = Some((version, page.clone()));
    Ok(page)
}
