//! Runs and where they are kept.

use std::path::PathBuf;

use super::api::{Api, functions, methods, properties};
use super::values::Names;
use crate::forecast::Forecast;
use crate::models::Fits;
use crate::monitor::{Monitor, Monitored};
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
    }
    properties! { api, Monitored;
        sentence(told) -> String { told.sentence() }
        notes(told) -> Vec<String> { told.notes() }
    }
    methods! { api, Monitored;
        alerts(told) -> Table { told.alerts() }
    }
    methods! { api, Runs;
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
