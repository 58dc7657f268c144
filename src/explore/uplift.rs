//! What do sales do when a covariate is on? Steps with it against the same series' usual level.
//!
//! The usual level of a step is the centred moving median of the series' steps without the covariate, one quarter of a
//! season wide, so that neither trend nor season passes for an effect. The uplift of a series is the median ratio of its
//! steps with the covariate to that level; the sentence gives the median over series and the middle half of them. A
//! covariate that is on for long stretches has no usual level beside it, and is refused.

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, Finding};
use crate::error::{Error, Result, suggestion};
use crate::panel::{Panel, median};
use crate::show::{Table, number};

/// Options of `uplift`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Uplift {
    /// The covariate; it is on where it is true or above zero.
    pub by: String,
    /// Series in the table.
    pub top: usize,
}

impl Default for Uplift {
    fn default() -> Self {
        Self { by: String::new(), top: 10 }
    }
}

impl Ask for Uplift {
    const NAME: &str = "uplift";
    const SUMMARY: &str = "what sales do when a promotion or holiday is on";
    const EXAMPLE: &str = "uplift(by=IsHoliday)";

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let matrix = panel.matrix()?;
        let c = matrix.names.iter().position(|name| *name == self.by).ok_or_else(|| {
            let nearest = suggestion(&self.by, matrix.names.iter().map(String::as_str));
            Error::usage(format!("uplift needs a covariate, by=NAME; there is no `{}`{nearest}", self.by))
        })?;
        let reach = (panel.season() / 8).max(2);
        let mut rows: Vec<(usize, f64, usize)> = Vec::new();
        let mut on = 0;
        for i in 0..panel.len() {
            let y = panel.regular(i);
            let x = panel.regular_column(i, &matrix.columns[c]);
            on += x.iter().zip(&*y).filter(|(x, y)| **x > 0.0 && !y.is_nan()).count();
            let ratios: Vec<f64> = (0..y.len())
                .filter(|t| x[*t] > 0.0 && !y[*t].is_nan())
                .filter_map(|t| {
                    let around = t.saturating_sub(reach)..(t + reach + 1).min(y.len());
                    let level = median(around.filter(|s| x[*s] <= 0.0 || x[*s].is_nan()).map(|s| y[s]).collect());
                    (level > 0.0).then(|| y[t] / level)
                })
                .collect();
            if !ratios.is_empty() {
                rows.push((i, median(ratios.clone()), ratios.len()));
            }
        }
        if rows.is_empty() {
            return Err(Error::data(format!("`{}` is never on beside steps where it is off", self.by)));
        }
        let steps: usize = rows.iter().map(|row| row.2).sum();
        if 2 * steps < on {
            return Err(Error::data(format!(
                "`{}` is on for long stretches: only {steps} of its {on} steps have a usual level beside them, so its \
                 effect cannot be told from the level of those times",
                self.by
            )));
        }
        rows.sort_by(|a, b| b.1.total_cmp(&a.1));
        let percent = |ratio: f64| (1000.0 * (ratio - 1.0)).round() / 10.0;
        let middle = percent(median(rows.iter().map(|row| row.1).collect()));
        let at = |p: f64| percent(rows[((rows.len() - 1) as f64 * p).round() as usize].1);
        let signed = |v: f64| format!("{}{} %", if v < 0.0 { "−" } else { "+" }, number(v.abs()));
        let sentence = format!(
            "With {} the median series sells {} against its usual level (middle half of the series: {} to {}); most in {}, {}.",
            self.by,
            signed(middle),
            signed(at(0.75)),
            signed(at(0.25)),
            panel.label(rows[0].0),
            signed(percent(rows[0].1)),
        );
        rows.truncate(self.top.max(1));
        let mut columns = panel.key_columns(rows.iter().map(|row| row.0))?;
        columns.push(Column::new("uplift %".into(), rows.iter().map(|row| percent(row.1)).collect::<Vec<_>>()));
        columns.push(Column::new("steps".into(), rows.iter().map(|row| row.2 as u64).collect::<Vec<_>>()));
        let table = Table::new(DataFrame::new(rows.len(), columns)?).titled(format!("Uplift with {}", self.by));
        Ok(Finding::new(format!("The effect of {}", self.by), sentence, table).but(format!(
            "An association over {} steps, not proof of cause: what else happened on those dates is in these numbers too.",
            number(steps as f64)
        )))
    }
}
