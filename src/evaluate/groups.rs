//! Which series or folds belong together when scores are taken by a dimension?

use super::Backtest;
use crate::error::{Error, Result};
use crate::panel;

/// The groups of a dimension.
pub(super) struct Groups {
    pub(super) names: Vec<String>,
    /// The group of each series; none if each fold is one.
    pub(super) of_series: Option<Vec<usize>>,
}

impl Backtest {
    /// The groups of `fold`, or of what series are grouped by; classes and sizes are those before the first window.
    pub(super) fn groups(&self, dimension: &str) -> Result<Groups> {
        let inner = &*self.0;
        if dimension == "fold" {
            let names = (1..=inner.windows.len()).map(|fold| fold.to_string()).collect();
            return Ok(Groups { names, of_series: None });
        }
        let before = inner.windows.first().map_or_else(|| inner.panel.clone(), |window| window.forecast.panel());
        // A series that begins later has no attributes before the first window.
        let known = inner.panel.columns();
        let panel = if known.attributes().any(|name| name == dimension) { &inner.panel } else { &before };
        let groups = panel::Groups::by(dimension, panel).map_err(|error| {
            if error.is_usage() {
                Error::usage(format!("scores cannot be taken by `{dimension}`, nor by fold or step")).because(error)
            } else {
                error
            }
        })?;
        Ok(Groups { names: groups.names, of_series: Some(groups.of) })
    }

    /// The groups of a dimension with the number of series in each, in the order of [`by`](Self::by).
    pub(crate) fn group_sizes(&self, dimension: &str) -> Result<Vec<(String, usize)>> {
        let Groups { names, of_series } = self.groups(dimension)?;
        let mut members = vec![0; names.len()];
        of_series.iter().flatten().for_each(|group| members[*group] += 1);
        Ok(names.into_iter().zip(members).collect())
    }

    /// The folds by the date on which their window starts, or by their number where series have no dates in common.
    pub(crate) fn fold_names(&self) -> Vec<String> {
        let panel = &self.0.panel;
        let name = |(fold, window): (usize, &super::backtest::Window)| match window.starts.first() {
            Some(start) if !panel.frequency().is_whole() => panel.inner().calendar.label(*start),
            _ => format!("fold {}", fold + 1),
        };
        self.0.windows.iter().enumerate().map(name).collect()
    }
}
