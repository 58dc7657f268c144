//! How does a model that another program can read leave this one? In that program's format, beside the rows that it forecasts
//! from.

use std::path::Path;

use polars::prelude::*;

use super::{Fits, Horizon, find_model};
use crate::error::{Error, Result};
use crate::files::mark;
use crate::show::Table;

/// The part of a model that forecasts some steps ahead, in the format of the program that made it.
pub struct Foreign {
    /// The first step ahead, counted from 1, and the last.
    pub steps: (usize, usize),
    /// The model.
    pub model: String,
    /// The names of the features.
    pub names: Vec<String>,
    /// By feature, the rows of the series that was asked for.
    pub columns: Vec<Vec<f64>>,
    /// What the model says of each row, of the series on the scale that it is learned on.
    pub said: Vec<f64>,
}

impl Fits {
    /// Writes a model that was fitted by another program (`xgboost`) as that program's own files, one for each block of steps
    /// ahead, into a folder: `steps-01-14.json`, and beside it `steps-01-14.csv` with the rows of features that the next
    /// `horizon` steps are forecast from, and what the model says of each (`said`: the series divided by its level, less what `difference` takes off). Python's
    /// `xgboost.Booster(model_file=…)` reads the model and says the same of the same rows.
    ///
    /// # Errors
    /// When there is no such model, it was fitted by no other program, or a file cannot be written.
    pub fn save_native(
        &self,
        model: &str,
        horizon: impl Into<Horizon>,
        folder: impl AsRef<Path>,
    ) -> Result<Vec<String>> {
        let m = find_model(model, &self.models())?;
        let panel = self.panel();
        let future = match horizon.into() {
            Horizon::Steps(steps) => panel.future(steps)?,
            Horizon::Future(future) => *future,
        };
        let mut blocks: Vec<(Foreign, Vec<usize>)> = Vec::new();
        for i in (0..panel.len()).filter(|i| self.fitted(m).failure(*i).is_none()) {
            let parts = self.fitted(m).foreign(&future, i)?.ok_or_else(|| {
                Error::usage(format!("{model} was fitted by no other program; xgboost is one that can be saved so"))
            })?;
            for (at, part) in parts.into_iter().enumerate() {
                let rows = part.said.len();
                match blocks.get_mut(at) {
                    None => blocks.push((part, vec![i; rows])),
                    Some((block, series)) => {
                        block.columns.iter_mut().zip(part.columns).for_each(|(column, more)| column.extend(more));
                        block.said.extend(part.said);
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
                columns.push(Column::new("said".into(), block.said));
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
