//! Which series sell most? The share of each series in the total, largest first, and how many make up 80 % of it.

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, Finding};
use crate::error::{Error, Result};
use crate::figures::Bars;
use crate::panel::Panel;
use crate::show::words::rounded;
use crate::show::{Table, number};

/// Options of `profile`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// Rows of the table: series, the largest first.
    pub top: usize,
}

impl Default for Profile {
    fn default() -> Self {
        Self { top: 10 }
    }
}

impl Ask for Profile {
    const NAME: &str = "profile";
    const SUMMARY: &str = "Which series sell most: the share of each series in the total";
    const EXAMPLE: &str = "profile(top=5)";
    const ALSO: &str = "shares, share of total";
    const SIMILAR: &[(&str, &str)] = &[("top, ranking", "the share of each series in the total, the largest first")];

    fn first(_: &Panel) -> Vec<Self> {
        vec![Self::default()]
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let sums: Vec<f64> =
            (0..panel.len()).map(|i| panel.target(i).iter().filter(|y| !y.is_nan()).sum::<f64>()).collect();
        let total: f64 = sums.iter().sum();
        if total <= 0.0 {
            return Err(Error::data("the total is not positive, so series have no shares in it"));
        }
        let mut order: Vec<usize> = (0..sums.len()).collect();
        order.sort_by(|a, b| sums[*b].total_cmp(&sums[*a]));
        let mut reached = 0.0;
        let needed = order.iter().take_while(|i| {
            let before = reached;
            reached += sums[**i];
            before < 0.8 * total
        });
        let needed = needed.count();
        let share = |i: usize| 100.0 * sums[i] / total;
        let part = rounded(order[..needed].iter().map(|i| share(*i)).sum(), 0);
        let count = format!("{} of {} series", number(needed as f64), number(panel.len() as f64));
        let headline = match panel.len() {
            1 => "There is one series".to_string(),
            _ => format!("{count} make up {part} % of sales"),
        };
        let sentence = format!(
            "{count} make up {part} % of total {} ({}); the largest ({}) makes up {} %.",
            panel.inner().columns.target,
            number(total.round()),
            panel.label(order[0]),
            rounded(share(order[0]), 1),
        );
        order.truncate(self.top.max(1));
        let mut columns = panel.key_columns(order.iter().copied())?;
        let bars = Bars {
            title: "Share of each series".into(),
            value: format!("share of {}, %", panel.columns().target()),
            rows: order.iter().map(|i| (panel.label(*i).to_string(), share(*i))).collect(),
            best: None,
            reference: None,
        };
        columns.push(Column::new("total".into(), order.iter().map(|i| sums[*i].round()).collect::<Vec<_>>()));
        columns.push(Column::new("share %".into(), order.iter().map(|i| share(*i)).collect::<Vec<_>>()));
        Ok(Finding::new(
            "Share of each series",
            sentence,
            Table::new(DataFrame::new(order.len(), columns)?).of_rows(sums.len()),
        )
        .headed(format!("{part} %"), headline)
        .drawn(bars.figure()))
    }
}
