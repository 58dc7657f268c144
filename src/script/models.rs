//! Models, fits, forecasts, sample paths.

use rhai::{Array, Dynamic, Engine, Map};
use serde_json::Value;

use super::{Answer, count, names, noun, numbers, thrown};
use crate::forecast::{Forecast, Paths};
use crate::models::{Failure, Fits, MODELS, Model};
use crate::panel::{Future, Panel};

pub(super) fn register(engine: &mut Engine) {
    noun!(engine, Model);
    engine.register_fn("model", |label: &str| Model::named(label).map_err(thrown));
    for entry in MODELS {
        engine.register_fn(entry.name, || entry.with(serde_json::Map::new()).map_err(thrown));
        engine.register_fn(entry.name, |options: Map| -> Answer<Model> {
            entry.with(options_of(options)?).map_err(thrown)
        });
    }
    engine.register_get("label", |model: &mut Model| model.label().to_string());

    noun!(engine, Fits);
    engine.register_fn("fit", |panel: &mut Panel, models: Dynamic| -> Answer<Fits> {
        panel.fit(models_of(models)?).map_err(thrown)
    });
    engine.register_fn("load_fits", |path: &str| Fits::load(path).map_err(thrown));
    engine.register_fn("save", |fits: &mut Fits, path: &str| fits.save(path).map_err(thrown));
    engine.register_fn("summary", |fits: &mut Fits| fits.summary().map_err(thrown));
    engine.register_fn("failures", |fits: &mut Fits| failures(fits.failures()));
    engine.register_fn("residuals", |fits: &mut Fits, model: &str, key: &str| {
        fits.residuals(model, key).map(numbers).map_err(thrown)
    });
    engine.register_fn("forecast", |fits: &mut Fits, horizon: i64| -> Answer<Forecast> {
        fits.forecast(count(horizon, "a horizon")?).map_err(thrown)
    });
    engine.register_fn("forecast", |fits: &mut Fits, future: Future| fits.forecast(future).map_err(thrown));

    noun!(engine, Forecast);
    engine.register_get("models", |forecast: &mut Forecast| {
        forecast.models().into_iter().map(Dynamic::from).collect::<Array>()
    });
    engine.register_get("keys", |forecast: &mut Forecast| {
        forecast.keys().into_iter().map(Dynamic::from).collect::<Array>()
    });
    engine.register_get("horizon", |forecast: &mut Forecast| forecast.horizon() as i64);
    engine.register_fn("levels", |forecast: &mut Forecast, levels: Array| -> Answer<Forecast> {
        let levels =
            levels.into_iter().map(|level| level.as_float().or_else(|_| level.as_int().map(|whole| whole as f64)));
        let levels =
            levels.collect::<Result<Vec<f64>, _>>().map_err(|kind| format!("a level is a number, not {kind}"))?;
        forecast.levels(levels).map_err(thrown)
    });
    engine.register_fn("mean", |forecast: &mut Forecast, model: &str, key: &str| {
        forecast.mean(model, key).map(numbers).map_err(thrown)
    });
    engine.register_fn("quantile", |forecast: &mut Forecast, model: &str, key: &str, probability: f64| {
        forecast.quantile(model, key, probability).map(numbers).map_err(thrown)
    });
    engine.register_fn("interval", |forecast: &mut Forecast, model: &str, key: &str, level: f64| {
        let ends = forecast.interval(model, key, level).map_err(thrown)?;
        Ok::<Array, Box<rhai::EvalAltResult>>(vec![numbers(ends.0).into(), numbers(ends.1).into()])
    });
    engine.register_fn("table", |forecast: &mut Forecast| forecast.table().map_err(thrown));
    engine.register_fn("failures", |forecast: &mut Forecast| failures(forecast.failures()));
    engine.register_fn("save", |forecast: &mut Forecast, path: &str| forecast.save(path).map_err(thrown));
    engine.register_fn("plot", |forecast: &mut Forecast, model: &str| forecast.plot(model).map_err(thrown));
    engine.register_fn("paths", |forecast: &mut Forecast, n: i64, seed: i64| -> Answer<Paths> {
        forecast.paths(count(n, "a number of paths")?, count(seed, "a seed")? as u64).map_err(thrown)
    });

    noun!(engine, Paths);
    engine
        .register_fn("of", |paths: &mut Paths, model: &str, key: &str| paths.of(model, key).map(rows).map_err(thrown));
    engine.register_fn("total", |paths: &mut Paths, model: &str| paths.total(model).map(rows).map_err(thrown));
}

/// Models as scripts write them: a list in one text, a model, or an array of both.
pub(super) fn models_of(value: Dynamic) -> Answer<Vec<Model>> {
    let one = |item: Dynamic| -> Answer<Vec<Model>> {
        match item.clone().try_cast::<Model>() {
            Some(model) => Ok(vec![model]),
            None => Model::list(&names(item)?.join("; ")).map_err(thrown),
        }
    };
    match value.clone().into_array() {
        Ok(items) => Ok(items.into_iter().map(one).collect::<Answer<Vec<_>>>()?.concat()),
        Err(_) => one(value),
    }
}

/// A Rhai map as options.
pub(super) fn options_of(map: Map) -> Answer<serde_json::Map<String, Value>> {
    match rhai::serde::from_dynamic::<Value>(&Dynamic::from(map))? {
        Value::Object(map) => Ok(map),
        _ => Err("options are a map such as #{season: 52}".into()),
    }
}

pub(super) fn failures(failures: Vec<Failure>) -> Array {
    let map = |failure: Failure| {
        let fields = [("model", failure.model), ("series", failure.series), ("reason", failure.reason)];
        Dynamic::from(fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect::<Map>())
    };
    failures.into_iter().map(map).collect()
}

fn rows(matrix: ndarray::Array2<f64>) -> Array {
    matrix.rows().into_iter().map(|row| numbers(row.to_vec()).into()).collect()
}
