//! Columns, panels, futures, audits, findings.

use std::path::PathBuf;

use rhai::{Dynamic, Module, NativeCallContext};

use super::api::{Answer, Api, functions, methods, placed, properties, thrown};
use super::failure::no_part;
use super::values::{Names, Options, Scalar};
use crate::error::Result;
use crate::explore::{QUESTIONS, Tour};
use crate::panel::{
    Aggregate, Audit, Clean, Columns, FEATURES, Future, Join, Normalise, Panel, Reading, Scenario, Stamps,
};
use crate::report::Report;
use crate::show::{Figure, Finding, Table};

/// The files that a pattern such as `exports/*.csv` names, in the order of their names.
///
/// # Errors
/// When it is no pattern, a folder cannot be read, or a file lies where a script may not read.
pub fn files(pattern: &str) -> Result<Vec<PathBuf>> {
    let mut found = crate::files::matching(pattern)?;
    found.retain(|path| crate::files::is_file(path));
    Ok(found)
}

pub(super) fn register(api: &mut Api) {
    functions! { api;
        "Columns::new" columns(keys: Names, time: String, target: String) -> Columns { Columns::new(keys.0, time, target) }
        "Panel::read" read_panel(path: String, columns: Columns) -> Panel { Panel::read(path, columns) }
        "Panel::read_as" read_panel(path: String, columns: Columns, reading: Reading) -> Panel {
            Panel::read_as(path, columns, &reading)
        }
        "overwrite" overwrite(path: String) -> () { crate::overwrite(path) }
        "files" files(pattern: String) -> Vec<PathBuf> { files(&pattern) }
        "Panel::open" open_panel(path: String) -> Panel { Panel::open(path) }
        "Panel::is_saved" is_panel(path: String) -> bool { crate::files::allowed(path.as_ref()).map(|()| Panel::is_saved(path)) }
    }
    methods! { api, Columns;
        known(columns, names: Names) -> Columns { columns.known(names.0) }
        observed(columns, names: Names) -> Columns { columns.observed(names.0) }
        fixed(columns, names: Names) -> Columns { columns.fixed(names.0) }
        available(columns, name: String) -> Columns { columns.available(name) }
        freq(columns, frequency: String) -> Columns { columns.freq(&frequency) }
        season(columns, steps: usize) -> Columns { columns.season(steps) }
        stamps(columns, at: Stamps) -> Columns { columns.stamps(at) }
        time_format(columns, format: String) -> Columns { columns.time_format(format) }
        normalise(columns, kind: Normalise) -> Columns { columns.normalise(kind) }
    }
    properties! { api, Columns;
        keys(columns) -> Vec<String> { columns.keys() }
        time(columns) -> String { columns.time().to_string() }
        target(columns) -> String { columns.target().to_string() }
        names(columns) -> Vec<String> { columns.names().into_iter().map(String::from).collect::<Vec<_>>() }
    }

    properties! { api, Panel;
        rows(panel) -> usize { panel.rows() }
        season(panel) -> usize { panel.season() }
        "Panel::frequency" frequency(panel) -> String { panel.frequency().to_string() }
        columns(panel) -> Columns { panel.columns() }
        keys(panel) -> Vec<String> { panel.keys() }
        span(panel) -> (String, String) { panel.span() }
        fingerprint(panel) -> String { panel.fingerprint() }
        remarks(panel) -> Vec<String> { panel.remarks() }
    }
    methods! { api, Panel;
        len(panel) -> usize { panel.len() }
        is_empty(panel) -> bool { panel.is_empty() }
        series(panel, key: String) -> Panel { panel.series(&key) }
        availability(panel, key: String) -> Vec<f64> { panel.availability(&key) }
        nth(panel, place: usize) -> Panel { panel.nth(place) }
        save(panel, path: String) -> () { panel.save(path) }
        summary(panel) -> Table { panel.summary() }
        described_columns(panel) -> Table { panel.described_columns() }
        dictionary(panel) -> Table { panel.dictionary() }
        audit(panel) -> Audit { panel.audit() }
        clean(panel, policy: Clean) -> Panel { panel.clean(&policy) }
        features(panel, labels: Names) -> Panel { panel.features(labels.0) }
        join(panel, path: String, options: Join) -> Panel { panel.join(path, &options) }
        aggregate(panel, options: Aggregate) -> Panel { panel.aggregate(&options) }
        hierarchy(panel, levels: String) -> Panel { panel.hierarchy(&levels) }
        explore(panel, question: String) -> Finding { panel.explore(&question) }
        "Panel::tour" explore(panel) -> Tour { panel.tour() }
        only(panel, column: String, value: Scalar) -> Panel { panel.only(&column, &value.0) }
        before(panel, stamp: String) -> Panel { panel.before(&stamp) }
        after(panel, stamp: String) -> Panel { panel.after(&stamp) }
        normalised(panel, kind: Normalise) -> Panel { panel.normalised(kind) }
        scales(panel) -> Table { panel.scales() }
        plot(panel) -> Figure { panel.plot() }
        plot_quality(panel) -> Figure { panel.plot_quality() }
        plot_repairs(panel) -> Option<Figure> { panel.plot_repairs() }
        future(panel, horizon: usize) -> Future { panel.future(horizon) }
        "Panel::future_under" future(panel, horizon: usize, scenario: Scenario) -> Future {
            panel.future_under(horizon, scenario)
        }
        "Panel::to_frame" table(panel) -> Table { Table::new(panel.to_frame()) }
    }
    // sales["Store=1, Dept=3"], sales[0], sales[-1]: one series; for series in sales { … }: each in turn.
    api.engine.register_indexer_get(|context: NativeCallContext, panel: &mut Panel, key: &str| -> Answer<Panel> {
        panel.series(key).map_err(|error| placed(thrown(no_part("Panel", key, error)), &context))
    });
    api.engine.register_indexer_get(|context: NativeCallContext, panel: &mut Panel, place: i64| -> Answer<Panel> {
        let found = super::place(place, panel.len()).and_then(|place| panel.nth(place));
        found.map_err(|error| placed(thrown(error), &context))
    });
    let mut each = Module::new();
    each.set_iter_result(std::any::TypeId::of::<Panel>(), |panel| {
        let panel = panel.cast::<Panel>();
        Box::new((0..panel.len()).map(move |i| Ok(Dynamic::from(panel.nth(i)?))))
    });
    api.engine.register_global_module(each.into());

    methods! { api, Tour;
        findings(tour) -> Vec<Finding> { tour.findings() }
        described(tour) -> Vec<Finding> { tour.described() }
        title(tour) -> String { tour.title() }
        sentence(tour) -> String { tour.sentence() }
        effects(tour, level: f64) -> Table { tour.effects(level) }
        table(tour) -> Table { tour.table() }
        unanswered(tour) -> Table { tour.unanswered() }
        method(tour) -> String { tour.method() }
        report(tour) -> Report { tour.report() }
    }

    methods! { api, Future;
        "Future::given_file" given(future, path: String) -> Future { future.given_file(path) }
        what_if(future, covariate: String, values: Vec<f64>) -> Future { future.what_if(&covariate, &values) }
        first(future, key: String) -> String { future.first(&key) }
        "Future::to_frame" table(future) -> Table { future.to_frame().map(Table::new) }
    }
    properties! { api, Future; horizon(future) -> usize { future.horizon() } }

    properties! { api, Audit;
        sentence(audit) -> String { audit.sentence() }
        "Audit::is_usable" usable(audit) -> bool { audit.is_usable() }
        changes(audit) -> usize { audit.changes() }
        advice(audit) -> Vec<String> { audit.advice() }
        panel(audit) -> Panel { audit.panel() }
    }
    methods! { api, Audit;
        count(audit, kind: String) -> usize { audit.count(&kind) }
        overview(audit) -> Table { audit.overview() }
        changed(audit) -> Table { audit.changed() }
        table(audit) -> Table { audit.table() }
        report(audit) -> Report { audit.report() }
        save(audit, path: String) -> () { audit.save(path) }
    }

    properties! { api, Finding;
        title(finding) -> String { finding.title() }
        sentence(finding) -> String { finding.sentence() }
        headline(finding) -> String { finding.headline() }
        number(finding) -> Option<String> { finding.number() }
        caveats(finding) -> Vec<String> { finding.caveats() }
        sure(finding) -> Vec<String> { finding.sure() }
        also(finding) -> Vec<Table> { finding.also() }
    }
    methods! { api, Finding;
        table(finding) -> Table { finding.table() }
        figure(finding) -> Figure { finding.figure() }
        effects(finding, level: f64) -> Table { finding.effects(level) }
    }

    // sales.explore(uplift(#{by: "IsHoliday"})), sales.features([lags(#{steps: [8]})]): labels with checked options.
    for question in QUESTIONS {
        label(api, question.name, |given| question.label(given));
    }
    for feature in FEATURES {
        label(api, feature.name, |given| feature.label(given));
    }
}

/// A function that gives the label of a question or a feature with its options.
fn label(
    api: &mut Api,
    name: &'static str,
    with: impl Fn(serde_json::Map<String, serde_json::Value>) -> Result<String> + Copy + Send + Sync + 'static,
) {
    super::constructor(api, name, "String", move |given: Options| with(given.0));
}
