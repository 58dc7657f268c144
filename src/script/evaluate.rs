//! Folds and backtests.

use rhai::{Array, Dynamic, Engine};

use super::models::{failures, models_of};
use super::{Answer, count, noun, thrown};
use crate::evaluate::{Backtest, Folds};
use crate::panel::Panel;

pub(super) fn register(engine: &mut Engine) {
    noun!(engine, Folds);
    engine.register_fn("folds", |folds: i64, horizon: i64| -> Answer<Folds> {
        Ok(Folds::new(count(folds, "a number of folds")?, count(horizon, "a horizon")?))
    });
    engine.register_fn("step", |folds: Folds, steps: i64| -> Answer<Folds> { Ok(folds.step(count(steps, "a step")?)) });
    engine.register_fn("gap", |folds: Folds, steps: i64| -> Answer<Folds> { Ok(folds.gap(count(steps, "a gap")?)) });
    engine.register_fn("sliding", |folds: Folds, steps: i64| -> Answer<Folds> {
        Ok(folds.sliding(count(steps, "a window")?))
    });

    noun!(engine, Backtest);
    engine.register_fn("backtest", |panel: &mut Panel, models: Dynamic, folds: Folds| -> Answer<Backtest> {
        panel.backtest(models_of(models)?, folds).map_err(thrown)
    });
    engine.register_get("models", |trial: &mut Backtest| {
        trial.models().into_iter().map(Dynamic::from).collect::<Array>()
    });
    engine.register_fn("leaderboard", |trial: &mut Backtest, metric: &str| trial.leaderboard(metric).map_err(thrown));
    engine.register_fn("by", |trial: &mut Backtest, dimension: &str, metric: &str| {
        trial.by(dimension, metric).map_err(thrown)
    });
    engine.register_fn("best", |trial: &mut Backtest, metric: &str| trial.best(metric).map_err(thrown));
    engine.register_fn("worst", |trial: &mut Backtest, metric: &str| trial.worst(metric).map_err(thrown));
    engine.register_fn("score", |trial: &mut Backtest, model: &str, metric: &str| {
        trial.score(model, metric).map_err(thrown)
    });
    engine.register_fn("caveat", |trial: &mut Backtest| trial.caveat().unwrap_or_default());
    engine.register_fn("scores", |trial: &mut Backtest| trial.scores().map_err(thrown));
    engine.register_fn("forecasts", |trial: &mut Backtest| trial.forecasts().map_err(thrown));
    engine.register_fn("failures", |trial: &mut Backtest| failures(trial.failures()));
    engine.register_fn("save", |trial: &mut Backtest, folder: &str| trial.save(folder).map_err(thrown));
    engine.register_fn("plot", |trial: &mut Backtest, metric: &str| trial.plot(metric).map_err(thrown));
    engine.register_fn("plot_last", |trial: &mut Backtest, model: &str| trial.plot_last(model).map_err(thrown));
}
