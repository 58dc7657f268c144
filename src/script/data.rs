//! Panels, columns, audits, futures, findings, tables.

use rhai::{Dynamic, Engine, Map};

use super::{Answer, count, names, noun, thrown};
use crate::explore::Finding;
use crate::figures::Figure;
use crate::options;
use crate::panel::{Aggregate, Audit, Clean, Columns, Future, Join, Panel, Reading, Scenario};
use crate::show::{Table, Value};

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Columns>("Columns");
    engine.register_fn("columns", |keys: Dynamic, time: &str, target: &str| -> Answer<Columns> {
        Ok(Columns::new(names(keys)?, time, target))
    });
    engine.register_fn("known", |columns: Columns, of: Dynamic| -> Answer<Columns> { Ok(columns.known(names(of)?)) });
    engine.register_fn("observed", |columns: Columns, of: Dynamic| -> Answer<Columns> {
        Ok(columns.observed(names(of)?))
    });
    engine.register_fn("fixed", |columns: Columns, of: Dynamic| -> Answer<Columns> { Ok(columns.fixed(names(of)?)) });
    engine.register_fn("freq", |columns: Columns, text: &str| columns.freq(text).map_err(thrown));
    engine.register_fn("season", |columns: Columns, steps: i64| -> Answer<Columns> {
        Ok(columns.season(count(steps, "a season")?))
    });
    engine.register_fn("stamps", |columns: Columns, at: &str| -> Answer<Columns> {
        let at =
            serde_json::from_value(at.into()).map_err(|_| format!("stamps are at the start or the end, not `{at}`"))?;
        Ok(columns.stamps(at))
    });
    engine.register_fn("time_format", |columns: Columns, format: &str| columns.time_format(format));

    noun!(engine, Panel);
    engine.register_fn("read_panel", |path: &str, columns: Columns| Panel::read(path, columns).map_err(thrown));
    engine.register_fn("read_panel", |path: &str, columns: Columns, reading: Map| {
        let reading = super::models::options_of(reading)?;
        options::read::<Reading>("reading", reading)
            .and_then(|reading| Panel::read_as(path, columns, &reading))
            .map_err(thrown)
    });
    engine.register_fn("open_panel", |path: &str| Panel::open(path).map_err(thrown));
    engine.register_fn("save", |panel: &mut Panel, path: &str| panel.save(path).map_err(thrown));
    engine.register_fn("len", |panel: &mut Panel| panel.len() as i64);
    engine.register_get("rows", |panel: &mut Panel| panel.rows() as i64);
    engine.register_get("season", |panel: &mut Panel| panel.season() as i64);
    engine.register_get("frequency", |panel: &mut Panel| panel.frequency().to_string());
    engine
        .register_get("keys", |panel: &mut Panel| panel.keys().into_iter().map(Dynamic::from).collect::<rhai::Array>());
    engine.register_fn("summary", |panel: &mut Panel| panel.summary().map_err(thrown));
    engine.register_fn("audit", |panel: &mut Panel| panel.audit().map_err(thrown));
    engine.register_fn("clean", |panel: &mut Panel, policy: &str| {
        Clean::parse(policy).and_then(|policy| panel.clean(&policy)).map_err(thrown)
    });
    engine.register_fn("clean", |panel: &mut Panel, policy: Map| {
        let policy = super::models::options_of(policy)?;
        options::read::<Clean>("clean", policy).and_then(|policy| panel.clean(&policy)).map_err(thrown)
    });
    engine.register_fn("features", |panel: &mut Panel, labels: Dynamic| -> Answer<Panel> {
        panel.features(names(labels)?).map_err(thrown)
    });
    engine.register_fn("join", |panel: &mut Panel, path: &str, join: &str| {
        Join::parse(join).and_then(|join| panel.join(path, &join)).map_err(thrown)
    });
    engine.register_fn("join", |panel: &mut Panel, path: &str, join: Map| {
        let join = super::models::options_of(join)?;
        options::read::<Join>("join", join).and_then(|join| panel.join(path, &join)).map_err(thrown)
    });
    engine.register_fn("aggregate", |panel: &mut Panel, how: &str| {
        Aggregate::parse(how).and_then(|how| panel.aggregate(&how)).map_err(thrown)
    });
    engine.register_fn("aggregate", |panel: &mut Panel, how: Map| {
        let how = super::models::options_of(how)?;
        options::read::<Aggregate>("aggregate", how).and_then(|how| panel.aggregate(&how)).map_err(thrown)
    });
    engine.register_fn("explore", |panel: &mut Panel, question: &str| panel.explore(question).map_err(thrown));
    engine.register_fn("only", |panel: &mut Panel, column: &str, value: Dynamic| {
        panel.only(column, &value.to_string()).map_err(thrown)
    });
    engine.register_fn("before", |panel: &mut Panel, stamp: &str| panel.before(stamp).map_err(thrown));
    engine.register_fn("plot", |panel: &mut Panel| panel.plot().map_err(thrown));
    engine.register_fn("future", |panel: &mut Panel, horizon: i64| -> Answer<Future> {
        panel.future(count(horizon, "a horizon")?).map_err(thrown)
    });
    engine.register_fn("future", |panel: &mut Panel, horizon: i64, scenario: &str| -> Answer<Future> {
        let scenario: Scenario = serde_json::from_value(scenario.into())
            .map_err(|_| format!("`{scenario}` is not a scenario: climatology, last or given"))?;
        panel.future_under(count(horizon, "a horizon")?, scenario).map_err(thrown)
    });

    noun!(engine, Future);
    engine.register_fn("given", |future: &mut Future, path: &str| future.given_file(path).map_err(thrown));
    engine.register_get("horizon", |future: &mut Future| future.horizon() as i64);

    noun!(engine, Audit);
    engine.register_get("sentence", |audit: &mut Audit| audit.sentence());
    engine.register_get("usable", |audit: &mut Audit| audit.is_usable());
    engine.register_get("changes", |audit: &mut Audit| audit.changes() as i64);
    engine.register_fn("count", |audit: &mut Audit, kind: &str| audit.count(kind) as i64);
    engine.register_fn("changed", |audit: &mut Audit| audit.changed().map_err(thrown));
    engine.register_fn("overview", |audit: &mut Audit| audit.overview().map_err(thrown));
    engine.register_fn("table", |audit: &mut Audit| audit.table().map_err(thrown));
    engine.register_fn("save", |audit: &mut Audit, path: &str| audit.save(path).map_err(thrown));

    noun!(engine, Finding);
    engine.register_get("title", |finding: &mut Finding| finding.title());
    engine.register_get("sentence", |finding: &mut Finding| finding.sentence());
    engine.register_fn("table", |finding: &mut Finding| finding.table());
    engine.register_fn("figure", |finding: &mut Finding| finding.figure().map_err(thrown));

    noun!(engine, Table);
    engine.register_get("rows", |table: &mut Table| table.rows() as i64);
    engine.register_get("columns", |table: &mut Table| {
        table.columns().into_iter().map(Dynamic::from).collect::<rhai::Array>()
    });
    engine.register_fn("get", |table: &mut Table, row: i64, column: &str| -> Answer<Dynamic> {
        table.get(count(row, "a row")?, column).map(dynamic).map_err(thrown)
    });
    engine.register_fn("save", |table: &mut Table, path: &str| table.save(path).map_err(thrown));

    engine.register_type_with_name::<Figure>("Figure");
    engine.register_get("title", |figure: &mut Figure| figure.title().to_string());
    engine.register_fn("save", |figure: &mut Figure, path: &str| figure.save(path).map_err(thrown));
}

fn dynamic(value: Value) -> Dynamic {
    match value {
        Value::Missing => Dynamic::UNIT,
        Value::Bool(value) => value.into(),
        Value::Whole(value) => value.into(),
        Value::Number(value) => value.into(),
        Value::Text(value) => value.into(),
    }
}
