//! What do all series come to together over all steps? Means add up; quantiles do not, and come from joint sample
//! paths.

use polars::prelude::*;

use super::{Distribution, Forecast, quantile_name};
use crate::error::Result;
use crate::show::Table;
use crate::statistics::summary::quantile;

impl Forecast {
    /// One row per model: how many series it could forecast (of a [hierarchy](crate::panel::Panel::hierarchy): how many
    /// leaves), the sum of their means over all steps, and the quantiles of that total by `n` joint sample paths; without quantiles if `n` is zero, or if the forecast has means alone.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let forecast = Panel::read("data/walmart_sales_weekly.csv", columns)?.fit(["theta"])?.forecast(8)?;
    /// let totals = forecast.totals(500, 1)?;
    /// assert_eq!(totals.columns(), ["model", "series", "total", "q0.025", "q0.1", "q0.5", "q0.9", "q0.975"]);
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there are too many paths to hold, or the total leaves the range of numbers.
    pub fn totals(&self, n: usize, seed: u64) -> Result<Table> {
        let counts = self.0.panel.counted()?;
        let counts = &counts;
        let served = |m: usize| (0..self.len()).filter(|i| counts[*i]).filter_map(move |i| self.cell(m, i));
        let models: Vec<usize> = (0..self.0.models.len()).filter(|m| served(*m).next().is_some()).collect();
        let spread = n > 0 && self.0.cells.iter().flatten().all(Distribution::is_spread);
        let mut quantiles = vec![Vec::new(); self.probabilities().len()];
        if spread {
            let paths = self.paths(n, seed)?;
            for m in &models {
                let totals: Vec<f64> = paths.total(&self.0.models[*m])?.iter().map(|path| path.iter().sum()).collect();
                for (values, probability) in quantiles.iter_mut().zip(self.probabilities()) {
                    values.push(quantile(&totals, *probability)?);
                }
            }
        }
        let total = |m: usize| served(m).map(|cell| cell.mean().iter().sum::<f64>()).sum::<f64>();
        let mut columns = vec![
            Column::new("model".into(), models.iter().map(|m| self.0.models[*m].as_str()).collect::<Vec<_>>()),
            Column::new("series".into(), models.iter().map(|m| served(*m).count() as u64).collect::<Vec<_>>()),
            Column::new("total".into(), models.iter().map(|m| total(*m)).collect::<Vec<_>>()),
        ];
        if spread {
            let named = self.probabilities().iter().zip(quantiles);
            columns.extend(named.map(|(probability, values)| Column::new(quantile_name(*probability).into(), values)));
        }
        Ok(Table::new(DataFrame::new(models.len(), columns)?).titled("The total of all series over all steps"))
    }
}
