//! Are sales growing? The last season vs the one before, over the series that have both.

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, Finding};
use crate::error::{Error, Result};
use crate::panel::{Panel, median};
use crate::show::words::rounded;
use crate::show::{Table, number};

/// Options of `trend`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Trend {
    /// Rows of the table: the series that grew most and least.
    pub top: usize,
}

impl Default for Trend {
    fn default() -> Self {
        Self { top: 10 }
    }
}

impl Ask for Trend {
    const NAME: &str = "trend";
    const SUMMARY: &str = "Are sales growing: the last season vs the one before";
    const EXAMPLE: &str = "trend(top=5)";
    const ALSO: &str = "growth";
    const SIMILAR: &[(&str, &str)] = &[(
        "yoy, year on year, year over year, momentum",
        "the last season vs the one before; a season is a year for weekly, monthly and quarterly data",
    )];

    fn first(_: &Panel) -> Vec<Self> {
        vec![Self::default()]
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let m = panel.season().max(2);
        // (series, last season, the one before), over the steps that both have.
        let pairs: Vec<(usize, f64, f64)> = (0..panel.len())
            .filter_map(|i| {
                let y = panel.regular(i);
                let start = y.len().checked_sub(2 * m)?;
                let steps =
                    y[start + m..].iter().zip(&y[start..start + m]).filter(|(now, then)| !(*now - *then).is_nan());
                let (now, then) = steps.fold((0.0, 0.0), |(a, b), (now, then)| (a + now, b + then));
                (then > 0.0).then_some((i, now, then))
            })
            .collect();
        if pairs.is_empty() {
            return Err(Error::data(format!("no series has two seasons of {m} steps to compare")));
        }
        let change = |now: f64, then: f64| 100.0 * (now / then - 1.0);
        let now: f64 = pairs.iter().map(|p| p.1).sum();
        let then: f64 = pairs.iter().map(|p| p.2).sum();
        let all = change(now, then);
        let growing = pairs.iter().filter(|(_, now, then)| now > then).count();
        let middle = median(pairs.iter().map(|(_, now, then)| change(*now, *then)).collect());
        let moved = |percent: f64| match rounded(percent.abs(), 1) {
            size if size == "0" => "did not change".to_string(),
            size => format!("{} by {size} %", if percent > 0.0 { "rose" } else { "fell" }),
        };
        let noun = panel.frequency().noun();
        let each = match pairs.len() {
            1 => String::new(),
            n => format!(
                " {} of {} series grew; the median series {}.",
                number(growing as f64),
                number(n as f64),
                moved(middle)
            ),
        };
        let sentence = format!(
            "{} {} over the last {m} {noun}s compared with the {m} {noun}s before.{each}",
            panel.inner().columns.target,
            moved(all),
        );
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        order.sort_by(|a, b| change(pairs[*b].1, pairs[*b].2).total_cmp(&change(pairs[*a].1, pairs[*a].2)));
        if order.len() > self.top.max(2) {
            let half = self.top.max(2) / 2;
            order.drain(half..order.len() - half);
        }
        let mut columns = panel.key_columns(order.iter().map(|at| pairs[*at].0))?;
        let column = |name: &str, pick: &dyn Fn(&(usize, f64, f64)) -> f64| {
            Column::new(name.into(), order.iter().map(|at| pick(&pairs[*at])).collect::<Vec<_>>())
        };
        columns.push(column("season before", &|p| p.2.round()));
        columns.push(column("last season", &|p| p.1.round()));
        columns.push(column("change %", &|p| change(p.1, p.2)));
        let table = Table::new(DataFrame::new(order.len(), columns)?).of_rows(pairs.len()).titled("Growth by series");
        Ok(Finding::new("Growth", sentence, table))
    }
}

/// The least-squares slope of values over time.
pub(super) fn slope(points: &[(usize, f64)]) -> f64 {
    let n = points.len() as f64;
    let t_mean = points.iter().map(|(t, _)| *t as f64).sum::<f64>() / n;
    let y_mean = points.iter().map(|(_, y)| y).sum::<f64>() / n;
    let covariance: f64 = points.iter().map(|(t, y)| (*t as f64 - t_mean) * (y - y_mean)).sum();
    let variance: f64 = points.iter().map(|(t, _)| (*t as f64 - t_mean).powi(2)).sum();
    if variance > 0.0 { covariance / variance } else { 0.0 }
}
