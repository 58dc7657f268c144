//! What is kept of a run: its settings and data, how good every model was by fold and by step, the results as files.

use std::time::SystemTime;

use super::Outcome;
use crate::error::Result;
use crate::metrics::METRICS;
use crate::show::Value;
use crate::track::{Runs, Told};

impl Outcome {
    /// Keeps this run among others, with its settings, its data, the scores of the best model, those of every model by fold and by
    /// step, and as files the plan, the audit, the backtest, and the forecast with every series. Gives the identifier of the run.
    ///
    /// # Errors
    /// When the runs cannot be written.
    pub fn track(&self, runs: &Runs) -> Result<String> {
        self.keep(runs, None)
    }

    /// Keeps this run, which began a while ago, where that is known.
    pub(super) fn keep(&self, runs: &Runs, began: Option<SystemTime>) -> Result<String> {
        let (plan, panel, backtest) = (self.plan(), self.panel(), self.backtest());
        let best = self.best();
        let mut told = Told { began, ..plan.told(&panel, best.clone())? };
        told.params.push(("best".into(), best.clone()));
        for metric in METRICS.iter() {
            if let Ok(score) = backtest.score(&best, metric.name) {
                told.metrics.push((metric.name.into(), score, 0));
            }
            for (dimension, from) in [("fold", 1), ("step", 1)] {
                // By step the metric of the plan alone: a value for each step, model and metric would be thousands.
                if dimension == "step" && metric.name != plan.metric {
                    continue;
                }
                let table = backtest.by(dimension, metric.name)?;
                for model in backtest.models() {
                    let name = format!("{} by {dimension}/{model}", metric.name);
                    for (place, value) in table.column(&model)?.into_iter().enumerate() {
                        if let Value::Number(value) = value {
                            told.metrics.push((name.clone(), value, place as i64 + from));
                        }
                    }
                }
            }
        }
        let folder = crate::files::scratch()?;
        let at = |name: &str| folder.path().join(name);
        backtest.save(folder.path())?;
        self.forecast().save(at("forecast.parquet"))?;
        self.audit().save(at("audit.csv"))?;
        crate::files::write_atomically(&at("plan.toml"), plan.shared().as_bytes())?;
        let names = crate::evaluate::Backtest::FILES.into_iter().chain(["forecast.parquet", "audit.csv", "plan.toml"]);
        told.files = names.map(|name| (name.to_string(), at(name))).collect();
        runs.record(told)
    }
}
