//! Runs, monitors, planners' overrides, champions and arriving files.

use std::path::PathBuf;

use super::api::{Api, functions, methods, properties};
use super::values::{Names, Overrides, Scalar};
use crate::error::Error;
use crate::evaluate::Backtest;
use crate::forecast::Forecast;
use crate::models::Fits;
use crate::monitor::{Doubts, Monitor, Monitored, Overridden, Override, ValueAdded};
use crate::operate::{Due, Retraining, Watching};
use crate::outcome::Outcome;
use crate::panel::Panel;
use crate::plan::Plan;
use crate::show::{Finding, Table};
use crate::track::Runs;

/// Runs of a list.
const SHOWN: usize = 100;

pub(super) fn register(api: &mut Api) {
    functions! { api; "Runs::at" runs(place: String) -> Runs { Runs::at(Some(&place)) } }
    methods! { api, Runs;
        home(runs) -> String { runs.home() }
        list(runs) -> Table { runs.list(None, SHOWN) }
        "Runs::list" list(runs, experiment: String) -> Table { runs.list(Some(&experiment), SHOWN) }
        show(runs, run: String) -> Table { runs.show(&run) }
        compare(runs, ids: Names) -> Table { runs.compare(&ids.0.iter().map(String::as_str).collect::<Vec<_>>()) }
        send(runs) -> String { runs.send() }
        download(runs, run: String, path: String, folder: String) -> Vec<PathBuf> {
            runs.download(&run, &path, folder)
        }
    }
    functions! { api;
        "Monitor::open" monitor(store: String) -> Monitor { Monitor::open(&store, None) }
        "Monitor::open" monitor(store: String, rules: String) -> Monitor {
            Monitor::open(&store, Some(std::path::Path::new(&rules)))
        }
    }
    methods! { api, Monitor;
        issue(monitor, forecast: Forecast, run: String) -> String { monitor.issue(&forecast, &run) }
        receive(monitor, sales: Panel) -> Monitored { monitor.receive(&sales) }
        accuracy(monitor) -> Table { monitor.accuracy() }
        worst(monitor, most: usize) -> Table { monitor.worst(most) }
        alerts(monitor) -> Table { monitor.alerts() }
        keep(monitor, change: Override) -> String { monitor.keep(&change) }
        withdraw(monitor, id: String) -> () { monitor.withdraw(&id) }
        overrides(monitor) -> Table { monitor.overrides() }
        release(monitor, forecast: Forecast, model: String, run: String) -> Overridden {
            monitor.release(&forecast, &model, &run, Doubts::Told)
        }
        "Monitor::release" release(monitor, forecast: Forecast, model: String, run: String, doubts: Doubts) -> Overridden {
            monitor.release(&forecast, &model, &run, doubts)
        }
        value_added(monitor) -> ValueAdded { monitor.value_added() }
    }
    functions! { api;
        "Override::new" override_by(author: String, reason: String) -> Override { Override::new(author, reason) }
    }
    methods! { api, Override;
        only(change, column: String, value: Scalar) -> Override { change.clone().only(column, value.0) }
        between(change, from: String, to: String) -> Override { change.clone().between(&from, &to) }
        set(change, units: f64) -> Override { change.clone().set(units) }
        add(change, units: f64) -> Override { change.clone().add(units) }
        percent(change, share: f64) -> Override { change.clone().percent(share) }
        expires(change, day: String) -> Override { change.clone().expires(&day) }
        named(change, id: String) -> Override { change.clone().named(id) }
    }
    properties! { api, Override;
        sentence(change) -> String { change.sentence() }
    }
    methods! { api, Forecast;
        overridden(forecast, model: String, overrides: Overrides) -> Overridden {
            forecast.overridden(&model, overrides.0)
        }
    }
    properties! { api, Overridden;
        sentence(overridden) -> String { overridden.sentence() }
    }
    methods! { api, Overridden;
        forecast(overridden) -> Forecast { overridden.forecast() }
        planned(overridden) -> Forecast { overridden.planned() }
        statistical(overridden) -> Forecast { overridden.statistical() }
        table(overridden) -> Table { overridden.table() }
        doubts(overridden) -> Table { overridden.doubts() }
        sums(overridden, keys: Names) -> Table { overridden.sums(keys.0) }
    }
    properties! { api, ValueAdded;
        sentence(added) -> String { added.sentence() }
    }
    methods! { api, ValueAdded;
        ladder(added) -> Table { added.ladder() }
        planners(added) -> Table { added.planners() }
        classes(added) -> Table { added.classes() }
        sizes(added) -> Table { added.sizes() }
    }
    properties! { api, Monitored;
        sentence(told) -> String { told.sentence() }
        notes(told) -> Vec<String> { told.notes() }
    }
    methods! { api, Monitored;
        alerts(told) -> Table { told.alerts() }
    }
    methods! { api, Runs;
        promotions(runs, model: String) -> Table { runs.promotions(&model) }
        alias(runs, model: String, alias: String, version: u64) -> () {
            let version = u32::try_from(version).map_err(|_| Error::usage(format!("there is no version {version}")))?;
            runs.alias(&model, &alias, version)
        }
        champion_fits(runs, model: String) -> Fits { runs.champion_fits(&model) }
        rollback(runs, model: String) -> usize { runs.rollback(&model).map(|version| version as usize) }
    }
    methods! { api, Plan;
        retrain(plan, runs: Runs) -> Retraining { plan.retrain(&runs) }
        watch(plan, folder: String, out: String) -> Watching { plan.watch(folder, out, None) }
        "Plan::watch" watch(plan, folder: String, out: String, runs: Runs) -> Watching {
            plan.watch(folder, out, Some(&runs))
        }
    }
    properties! { api, Retraining;
        version(done) -> usize { done.version() as usize }
        promoted(done) -> bool { done.promoted() }
        model(done) -> String { done.model() }
        sentence(done) -> String { done.sentence() }
    }
    methods! { api, Retraining;
        leaderboard(done) -> Table { done.leaderboard() }
        comparison(done) -> Option<Finding> { done.comparison() }
    }
    properties! { api, Watching;
        failed(seen) -> usize { seen.failed() }
    }
    methods! { api, Watching;
        len(seen) -> usize { seen.len() }
        table(seen) -> Table { seen.table() }
    }
    methods! { api, Outcome;
        track(outcome, runs: Runs) -> String { outcome.track(&runs) }
    }
    methods! { api, Backtest;
        save_scores(backtest, folder: String, metric: String) -> () { backtest.save_scores(folder, &metric) }
    }
    // What is asked before a model is fitted again.
    methods! { api, Panel;
        drift(sales, from: String) -> Finding { sales.drift(&from) }
    }
    methods! { api, Monitor;
        drift(monitor) -> Table { monitor.drift() }
    }
    methods! { api, Plan;
        is_due(plan, runs: Runs, when: String) -> Due { plan.is_due(&runs, &when) }
    }
    properties! { api, Due;
        is_due(due) -> bool { due.is_due() }
        sentence(due) -> String { due.sentence() }
    }
}
