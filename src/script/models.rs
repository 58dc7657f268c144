//! Models, fits, forecasts, sample paths.

use super::api::{Api, functions, methods, properties};
use super::values::{Forecasts, Models, Names, Options};
use crate::decide::{Decision, MarkdownPolicy, MarketingBudget, PricePolicy, PromotionPolicy, StockPolicy};
use crate::forecast::{Combination, Dependence, Forecast, Paths};
use crate::models::{Failure, Fits, Horizon, MODELS, Model};
use crate::panel::Panel;
use crate::reconcile::Reconciliation;
use crate::report::Report;
use crate::show::{Figure, Finding, Table};

pub(super) fn register(api: &mut Api) {
    for entry in MODELS {
        super::constructor(api, entry.name, "Model", |given: Options| entry.with(given.0));
    }
    functions! { api;
        "Model::named" model(label: String) -> Model { Model::named(&label) }
        "Fits::load" load_fits(path: String) -> Fits { Fits::load(path) }
        "Forecast::open" open_forecast(path: String) -> Forecast { Forecast::open(path) }
    }
    properties! { api, Model;
        label(model) -> String { model.label().to_string() }
        name(model) -> &'static str { model.name() }
    }

    methods! { api, Panel;
        fit(panel, models: Models) -> Fits { panel.fit(models.0) }
        fit_for(panel, models: Models, horizon: Horizon) -> Fits { panel.fit_for(models.0, horizon) }
        decide_budget(panel, budget: MarketingBudget) -> Decision { panel.decide_budget(&budget) }
    }
    properties! { api, Fits;
        models(fits) -> Vec<String> { fits.models() }
        horizon(fits) -> usize { fits.horizon() }
        caveat(fits) -> Option<String> { fits.caveat() }
        panel(fits) -> Panel { fits.panel() }
    }
    methods! { api, Fits;
        forecast(fits, horizon: Horizon) -> Forecast { fits.forecast(horizon) }
        update(fits, panel: Panel) -> Fits { fits.update(&panel) }
        summary(fits) -> Table { fits.summary() }
        diagnostics(fits) -> Table { fits.diagnostics() }
        failures(fits) -> Vec<Failure> { fits.failures() }
        remarks(fits) -> Vec<Failure> { fits.remarks() }
        training(fits, model: String) -> Table { fits.training(&model) }
        importance(fits, model: String) -> Finding { fits.importance(&model) }
        chosen(fits, model: String) -> Table { fits.chosen(&model) }
        residuals(fits, model: String, key: String) -> Vec<f64> { fits.residuals(&model, &key) }
        save(fits, path: String) -> () { fits.save(path) }
        save_native(fits, model: String, horizon: Horizon, folder: String) -> Vec<String> {
            fits.save_native(&model, horizon, folder)
        }
    }

    properties! { api, Forecast;
        models(forecast) -> Vec<String> { forecast.models() }
        keys(forecast) -> Vec<String> { forecast.keys() }
        horizon(forecast) -> usize { forecast.horizon() }
        caveat(forecast) -> Option<String> { forecast.caveat() }
        panel(forecast) -> Panel { forecast.panel() }
    }
    methods! { api, Forecast;
        levels(forecast, levels: Vec<f64>) -> Forecast { forecast.levels(levels) }
        mean(forecast, model: String, key: String) -> Vec<f64> { forecast.mean(&model, &key) }
        quantile(forecast, model: String, key: String, probability: f64) -> Vec<f64> {
            forecast.quantile(&model, &key, probability)
        }
        interval(forecast, model: String, key: String, level: f64) -> (Vec<f64>, Vec<f64>) {
            forecast.interval(&model, &key, level)
        }
        paths(forecast, n: usize, seed: u64) -> Paths { forecast.paths(n, seed) }
        totals(forecast, n: usize, seed: u64) -> Table { forecast.totals(n, seed) }
        dependence(forecast, dependence: Dependence) -> Forecast { forecast.dependence(dependence) }
        reconcile(forecast, method: String) -> Forecast { forecast.reconcile(&method) }
        reconcile_as(forecast, chosen: Reconciliation) -> Forecast { forecast.reconcile_as(&chosen) }
        leaves(forecast) -> Forecast { forecast.leaves() }
        combine(forecast, others: Forecasts, how: Combination) -> Forecast { forecast.combine(others.0, how) }
        what_if(forecast, scenarios: Names) -> Decision { forecast.what_if(scenarios.0) }
        decide_stock(forecast, state: String, policy: StockPolicy) -> Decision { forecast.decide_stock(state, &policy) }
        decide_price(forecast, policy: PricePolicy) -> Decision { forecast.decide_price(&policy) }
        decide_markdown(forecast, stock: String, policy: MarkdownPolicy) -> Decision {
            forecast.decide_markdown(stock, &policy)
        }
        decide_promotion(forecast, policy: PromotionPolicy) -> Decision { forecast.decide_promotion(&policy) }
        score(forecast, actuals: Panel) -> Table { forecast.score(&actuals) }
        explain(forecast, model: String, key: String, date: String) -> Finding {
            forecast.explain(&model, &key, &date)
        }
        table(forecast) -> Table { forecast.table() }
        failures(forecast) -> Vec<Failure> { forecast.failures() }
        plot(forecast, model: String) -> Figure { forecast.plot(&model) }
        save(forecast, path: String) -> () { forecast.save(path) }
    }

    properties! { api, Decision;
        title(decision) -> String { decision.title() }
        sentence(decision) -> String { decision.sentence() }
        caveat(decision) -> Option<String> { decision.caveat() }
    }
    methods! { api, Decision;
        forecast(decision) -> Forecast { decision.forecast() }
        what_if(decision, scenarios: Names) -> Decision { decision.what_if(scenarios.0) }
        table(decision) -> Table { decision.table() }
        explain(decision, item: String) -> Finding { decision.explain(&item) }
        figures(decision) -> Vec<Figure> { decision.figures() }
        undecided(decision) -> Table { decision.undecided() }
        report(decision) -> Report { decision.report() }
        save(decision, path: String) -> () { decision.save(path) }
    }

    methods! { api, Paths;
        of(paths, model: String, key: String) -> Vec<Vec<f64>> { paths.of(&model, &key) }
        total(paths, model: String) -> Vec<Vec<f64>> { paths.total(&model) }
    }
}
