//! Tables, figures, reports, plans, outcomes.

use std::path::PathBuf;

use rhai::{Array, Dynamic, Map, Module, NativeCallContext};

use super::api::{Answer, Api, functions, methods, placed, properties, thrown};
use super::failure::no_part;
use super::shown;
use super::values::{Argument, Names, Options, Thing, Value, fields, refused};
use crate::dashboard::Dashboard;
use crate::decide::Decision;
use crate::error::{Error, Result};
use crate::evaluate::{Backtest, Folds, Tuning};
use crate::explore::Tour;
use crate::forecast::Forecast;
use crate::models::{Fits, Model};
use crate::options;
use crate::outcome::Outcome;
use crate::panel::{Audit, Columns, Panel};
use crate::plan::{Patch, Plan};
use crate::report::{Paper, Report};
use crate::show::{Block, Figure, Finding, Table};

pub(super) fn register(api: &mut Api) {
    functions! { api;
        "table" table(rows: Rows) -> Table { table(&rows.0, &[]) }
        "table" table(rows: Rows, columns: Names) -> Table { table(&rows.0, &columns.0) }
    }
    properties! { api, Table;
        rows(table) -> usize { table.rows() }
        columns(table) -> Vec<String> { table.columns() }
        title(table) -> Option<String> { table.title().map(String::from) }
    }
    methods! { api, Table;
        "Table::rows" len(table) -> usize { table.rows() }
        get(table, row: usize, column: String) -> crate::show::Value { table.get(row, &column) }
        column(table, name: String) -> Vec<crate::show::Value> { table.column(&name) }
        titled(table, title: String) -> Table { table.titled(title) }
        highlight(table, row: usize) -> Table { table.highlight(row) }
        save(table, path: String) -> () { table.save(path) }
    }
    // board[0].model, board["model"][0]; for row in board { … }.
    api.engine.register_indexer_get(|context: NativeCallContext, table: &mut Table, place: i64| -> Answer<Map> {
        let found = super::place(place, table.rows()).and_then(|place| row(table, place));
        found.map_err(|error| placed(thrown(error), &context))
    });
    api.engine.register_indexer_get(|context: NativeCallContext, table: &mut Table, name: &str| -> Answer<Dynamic> {
        let found = table.column(name).map_err(|error| no_part("Table", name, error));
        Ok(found.map_err(|error| placed(thrown(error), &context))?.give())
    });
    let mut each = Module::new();
    each.set_iter_result(std::any::TypeId::of::<Table>(), |table| {
        let table = table.cast::<Table>();
        // Column by column first: a timestamp is written as its whole column is.
        let names = table.columns();
        let columns: Result<Vec<_>> = names.iter().map(|name| Ok(table.column(name)?.into_iter())).collect();
        match columns {
            Err(error) => Box::new(std::iter::once(Err(error.into()))),
            Ok(mut columns) => Box::new((0..table.rows()).map(move |_| {
                let cells = names.iter().zip(&mut columns);
                let row: Map = cells.map(|(name, cells)| (name.as_str().into(), cells.next().give())).collect();
                Ok(Dynamic::from(row))
            })),
        }
    });
    api.engine.register_global_module(each.into());

    properties! { api, Figure;
        title(figure) -> String { figure.title().to_string() }
        alt(figure) -> String { figure.alt().to_string() }
    }
    methods! { api, Figure;
        data(figure) -> Table { figure.data() }
        svg(figure) -> String { figure.svg() }
        svg_within(figure, width: usize) -> String { figure.svg_within(u32::try_from(width).unwrap_or(u32::MAX)) }
        save(figure, path: String) -> () { figure.save(path) }
    }

    functions! { api; "Report::new" report(title: String) -> Report { Report::new(title) } }
    methods! { api, Report;
        subtitle(report, text: String) -> Report { report.subtitle(text) }
        heading(report, text: String) -> Report { report.heading(text) }
        text(report, text: String) -> Report { report.text(text) }
        note(report, text: String) -> Report { report.note(text) }
        source(report, query: String) -> Report { report.source(query) }
        backup(report) -> Report { report.backup() }
        paper(report, paper: Paper) -> Report { report.paper(paper) }
        language(report, code: String) -> Report { report.language(code) }
        font(report, path: String) -> Report { report.font(path) }
        templates(report, folder: String) -> Report { report.templates(folder) }
        worded(report, locale: String, names: Options) -> Report { worded(report, &locale, names.0) }
        add(report, thing: Thing) -> Report { report.add(thing.0) }
        save(report, path: String) -> Vec<PathBuf> { report.save(path) }
        save_slides(report, path: String) -> Vec<PathBuf> { report.save_slides(path) }
    }

    functions! { api;
        "plan" plan(fields: Options) -> Plan { plan(fields.0) }
        "Plan::read" read_plan(path: String) -> Plan { Plan::read(path) }
        "Plan::demo" demo_plan() -> Plan { Plan::demo() }
    }
    methods! { api, Plan;
        run(plan) -> Outcome { plan.run() }
        check(plan) -> () { plan.check() }
        read_panel(plan) -> Panel { plan.read_panel() }
        audit(plan) -> Audit { plan.audit() }
        backtest(plan) -> Backtest { plan.backtest() }
        tune(plan) -> Tuning { plan.tune() }
        forecast(plan) -> Forecast { plan.forecast() }
        decide_stock(plan) -> Decision { plan.decide_stock() }
        scenarios(plan) -> Decision { plan.scenarios() }
        simulate_stock(plan) -> Decision { plan.simulate_stock() }
        decide_budget(plan) -> Decision { plan.decide_budget() }
        decide_price(plan) -> Decision { plan.decide_price() }
        decide_markdown(plan) -> Decision { plan.decide_markdown() }
        decide_promotion(plan) -> Decision { plan.decide_promotion() }
        forecast_of(plan, fits: Fits) -> Forecast { plan.forecast_of(&fits) }
        stream(plan, out: String) -> Table { plan.stream(out) }
        init(plan, folder: String) -> Vec<PathBuf> { plan.init(folder) }
    }
    properties! { api, Plan;
        panel(plan) -> Panel { plan.panel() }
        columns(plan) -> Columns { plan.columns() }
        models(plan) -> Vec<Model> { plan.models() }
        folds(plan) -> Folds { plan.folds() }
        levels(plan) -> Vec<f64> { plan.levels() }
        "fields" fields(plan) -> Dynamic { fields(&plan) }
    }

    properties! { api, Outcome;
        plan(outcome) -> Plan { outcome.plan().clone() }
        panel(outcome) -> Panel { outcome.panel() }
        audit(outcome) -> Audit { outcome.audit() }
        findings(outcome) -> Vec<Finding> { outcome.findings() }
        backtest(outcome) -> Backtest { outcome.backtest() }
        best(outcome) -> String { outcome.best() }
        forecast(outcome) -> Forecast { outcome.forecast() }
        tour(outcome) -> Tour { outcome.tour() }
        decision(outcome) -> Option<Decision> { outcome.decision() }
    }
    methods! { api, Outcome;
        report(outcome) -> Report { outcome.report() }
        deck(outcome) -> Report { outcome.deck() }
        section(outcome, name: String) -> Block { outcome.section(&name) }
        dashboard(outcome) -> Dashboard { outcome.dashboard() }
    }
    methods! { api, Panel; dashboard(panel) -> Dashboard { panel.dashboard() } }
    methods! { api, Forecast; dashboard(forecast) -> Dashboard { forecast.dashboard() } }
    methods! { api, Dashboard;
        titled(dashboard, title: String) -> Dashboard { dashboard.titled(title) }
        main(dashboard, model: String) -> Dashboard { dashboard.main(&model) }
        tested(dashboard, backtest: Backtest) -> Dashboard { dashboard.tested(&backtest) }
        orders(dashboard, decision: Decision) -> Dashboard { dashboard.orders(&decision) }
        save(dashboard, path: String) -> Vec<PathBuf> { dashboard.save(path) }
    }
}

/// The whole run as data: file, columns, models, horizon, folds and the rest, with defaults for what is not stated.
///
/// # Errors
/// When a field is unknown or of the wrong type.
pub fn plan(fields: serde_json::Map<String, serde_json::Value>) -> Result<Plan> {
    Ok(options::read::<Patch>("the plan", fields)?.over(Plan::default()))
}

/// [`Report::worded`] with a map of names; an empty locale leaves the numbers as they are.
fn worded(report: Report, locale: &str, names: serde_json::Map<String, serde_json::Value>) -> Result<Report> {
    let name = |(column, name): (String, serde_json::Value)| match name {
        serde_json::Value::String(name) => Ok((column, name)),
        _ => Err(Error::usage(format!("the name of `{column}` for readers is no text"))),
    };
    let names = names.into_iter().map(name).collect::<Result<Vec<_>>>()?;
    report.worded((!locale.is_empty()).then_some(locale), names)
}

/// A row of a table as a map of its columns.
fn row(table: &Table, place: usize) -> Result<Map> {
    table.columns().into_iter().map(|name| Ok((name.as_str().into(), table.get(place, &name)?.give()))).collect()
}

/// A table of rows that a script made: maps, whose names are the columns. Maps keep their names in the order of the
/// alphabet; `columns` states another order, and leaves out what it does not name.
///
/// # Errors
/// When a row is no map, or no row has a column that is named.
pub fn table(rows: &[Dynamic], columns: &[String]) -> Result<Table> {
    shown::table(rows, columns)
}

/// Rows that a script made: an array of maps.
struct Rows(Array);

impl Argument for Rows {
    const TYPE: &'static str = "Array";
    const WANTED: &'static str = "an array of maps, one for each row";

    fn take(value: Dynamic) -> Result<Self> {
        value.clone().into_array().map(Self).map_err(|_| refused::<Self>(&value))
    }
}
