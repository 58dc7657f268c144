//! Folds and backtests.

use super::api::{Api, functions, methods, properties};
use super::values::{Labelled, Models, Names, Policies};
use crate::decide::{Decision, StockPolicy};
use crate::evaluate::{Backtest, Fold, Folds, Search, Tuning};
use crate::models::Failure;
use crate::panel::{Future, Panel, Scenario};
use crate::reconcile::Reconciliation;
use crate::report::Report;
use crate::show::{Figure, Finding, Table};

pub(super) fn register(api: &mut Api) {
    functions! { api; "Folds::new" folds(folds: usize, horizon: usize) -> Folds { Folds::new(folds, horizon) } }
    methods! { api, Folds;
        step(folds, steps: usize) -> Folds { folds.step(steps) }
        gap(folds, steps: usize) -> Folds { folds.gap(steps) }
        sliding(folds, steps: usize) -> Folds { folds.sliding(steps) }
        scenario(folds, scenario: Scenario) -> Folds { folds.scenario(scenario) }
        len(folds) -> usize { folds.len() }
        is_empty(folds) -> bool { folds.is_empty() }
    }
    properties! { api, Folds; horizon(folds) -> usize { folds.horizon() } }

    methods! { api, Panel;
        split(panel, folds: Folds) -> Vec<Fold> { panel.split(&folds) }
        backtest(panel, models: Models, folds: Folds) -> Backtest { panel.backtest(models.0, folds) }
        "Panel::backtest_at" backtest(panel, models: Models, folds: Folds, levels: Vec<f64>) -> Backtest {
            panel.backtest_at(models.0, folds, levels)
        }
        tune(panel, model: Labelled, folds: Folds, search: Search) -> Tuning { panel.tune(model.0, folds, search) }
    }
    properties! { api, Fold;
        number(fold) -> usize { fold.number() }
        train(fold) -> Panel { fold.train() }
        future(fold) -> Future { fold.future() }
        test(fold) -> Panel { fold.test() }
    }

    properties! { api, Backtest;
        models(trial) -> Vec<String> { trial.models() }
        folds(trial) -> Folds { trial.folds() }
        panel(trial) -> Panel { trial.panel() }
        caveat(trial) -> Option<String> { trial.caveat() }
    }
    methods! { api, Backtest;
        leaderboard(trial, metric: String) -> Table { trial.leaderboard(&metric) }
        by(trial, dimension: String, metric: String) -> Table { trial.by(&dimension, &metric) }
        compare(trial, one: String, other: String, metric: String) -> Finding { trial.compare(&one, &other, &metric) }
        ranks(trial, metric: String) -> Finding { trial.ranks(&metric) }
        calibration(trial) -> Finding { trial.calibration() }
        "Backtest::calibration_of" calibration(trial, model: String) -> Finding { trial.calibration_of(&model) }
        errors(trial, model: String) -> Vec<Finding> { trial.errors(&model) }
        performance(trial, metric: String) -> Report { trial.performance(&metric) }
        name(trial, model: String) -> String { trial.name(&model) }
        best(trial, metric: String) -> String { trial.best(&metric) }
        simulate(trial, policy: StockPolicy) -> Decision { trial.simulate(&policy) }
        simulate_each(trial, policies: Policies) -> Decision { trial.simulate_each(&policies.0) }
        choose_policy(trial, policy: StockPolicy) -> Decision { trial.choose_policy(&policy) }
        worst(trial, metric: String) -> String { trial.worst(&metric) }
        score(trial, model: String, metric: String) -> f64 { trial.score(&model, &metric) }
        scores(trial) -> Table { trial.scores() }
        forecasts(trial) -> Table { trial.forecasts() }
        failures(trial) -> Vec<Failure> { trial.failures() }
        failures_table(trial) -> Table { trial.failures_table() }
        reconcile(trial, methods: Names) -> Backtest { trial.reconcile(methods.0) }
        reconciliation(trial) -> Reconciliation { trial.reconciliation() }
        reconcile_as(trial, chosen: Reconciliation) -> Backtest { trial.reconcile_as(&chosen) }
        plot(trial, metric: String) -> Figure { trial.plot(&metric) }
        plot_last(trial, model: String) -> Figure { trial.plot_last(&model) }
        save(trial, folder: String) -> () { trial.save(folder) }
    }

    properties! { api, Reconciliation;
        method(chosen) -> String { chosen.method() }
        sentence(chosen) -> String { chosen.sentence() }
        caveat(chosen) -> Option<String> { chosen.caveat() }
    }
    methods! { api, Reconciliation; table(chosen) -> Table { chosen.table() } }

    properties! { api, Tuning;
        model(tuning) -> String { tuning.model() }
        groups(tuning) -> Vec<String> { tuning.groups() }
        sentences(tuning) -> Vec<String> { tuning.sentences() }
    }
    methods! { api, Tuning;
        best(tuning) -> String { tuning.best() }
        best_of(tuning, group: String) -> String { tuning.best_of(&group) }
        summary(tuning) -> Table { tuning.summary() }
        trials(tuning) -> Table { tuning.trials() }
        plot(tuning) -> Figure { tuning.plot() }
    }
}
