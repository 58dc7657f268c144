//! Export of models that another library has fitted, in its native format, with the feature matrix of a forecast.

use std::path::Path;

use polars::prelude::*;

use super::{Fits, Horizon};
use crate::error::{Error, Result};
use crate::files::mark;
use crate::models::{ExportedModel, place};
use crate::show::Table;

impl Fits {
    /// Exports a model that another library has fitted (`xgboost`) in its native format, one file for each block of horizons, into
    /// a folder: `steps-01-14.json`, and beside it `steps-01-14.csv` with the feature matrix of the next `horizon` steps and the
    /// prediction for each row (`predicted`: scaled, and less what `difference` subtracts). Python's
    /// `xgboost.Booster(model_file=…)` reads the model and predicts the same.
    ///
    /// # Errors
    /// When there is no such model, no other library has fitted it, or a file cannot be written.
    pub fn save_native(
        &self,
        model: &str,
        horizon: impl Into<Horizon>,
        folder: impl AsRef<Path>,
    ) -> Result<Vec<String>> {
        let models = self.models();
        let (m, model) = place(model, &models)?;
        let panel = self.panel();
        let future = match horizon.into() {
            Horizon::Steps(steps) => panel.future(steps)?,
            Horizon::Future(future) => *future,
        };
        let mut blocks: Vec<(ExportedModel, Vec<usize>)> = Vec::new();
        for i in (0..panel.len()).filter(|i| self.fitted(m).failure(*i).is_none()) {
            let parts = self.fitted(m).exported(&future, i)?.ok_or_else(|| {
                Error::usage(format!("{model} has no native format of another library; xgboost has one"))
            })?;
            for (at, part) in parts.into_iter().enumerate() {
                let rows = part.predicted.len();
                match blocks.get_mut(at) {
                    None => blocks.push((part, vec![i; rows])),
                    Some((block, series)) => {
                        block.columns.iter_mut().zip(part.columns).for_each(|(column, more)| column.extend(more));
                        block.predicted.extend(part.predicted);
                        series.extend(std::iter::repeat_n(i, rows));
                    }
                }
            }
        }
        let folder = folder.as_ref();
        crate::files::together(|| {
            let mut written = Vec::new();
            for (block, series) in blocks {
                let name = format!("steps-{:02}-{:02}", block.steps.0, block.steps.1);
                let mut columns = panel.key_columns(series)?;
                let features = block.names.iter().zip(block.columns);
                columns.extend(features.map(|(name, values)| Column::new(format!("feature: {name}").into(), values)));
                columns.push(Column::new("predicted".into(), block.predicted));
                let rows = columns.first().map_or(0, Column::len);
                let (json, csv) = (folder.join(format!("{name}.json")), folder.join(format!("{name}.csv")));
                crate::files::write_atomically(&json, mark::in_attributes(&block.model).as_bytes())?;
                Table::new(DataFrame::new(rows, columns)?).save(&csv)?;
                written.extend([json.display().to_string(), csv.display().to_string()]);
            }
            Ok(written)
        })
    }
}
