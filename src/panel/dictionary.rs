//! What does each column of a cleaned, enriched data set mean, where does it come from, and how was it made?

use polars::prelude::*;

use super::audit::Change;
use super::features::Made;
use super::{FEATURES, Panel, Role};
use crate::error::Result;
use crate::options;
use crate::show::Table;

impl Panel {
    /// The data dictionary: one row per column with its role, its meaning, its source, the share of cells that are missing,
    /// and how it was made or mended.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").known(["IsHoliday"]);
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?.features("lags(steps=[52])")?;
    /// let dictionary = sales.dictionary()?;
    /// assert_eq!(dictionary.get(5, "how made")?.to_string(), "lags(steps=[52])");
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// Only if the table cannot be assembled.
    pub fn dictionary(&self) -> Result<Table> {
        let inner = self.inner();
        let columns = &inner.columns;
        let (roles, names) = (columns.roles(), columns.names());
        let role_of = |name: &str| columns.covariates.iter().find(|(known, _)| known == name).map(|(_, role)| *role);
        let source = |name: &&str| match columns.maker(name) {
            Some(made) if made.computed() => "computed".to_string(),
            Some(made) => options::split(&made.label).map_or_else(|_| made.label.clone(), |(file, _)| file.to_string()),
            None => inner.origin.source.clone(),
        };
        let meaning = |(name, role): (&&str, &&str)| match (*role, columns.maker(name), role_of(name)) {
            ("key", ..) => "names the series".to_string(),
            ("time", ..) => format!("when: {}", self.frequency()),
            ("target", ..) => format!("what was sold per {}", self.frequency().noun()),
            ("available", ..) if columns.closed => {
                format!("the share of the {} in which it could not be sold", self.frequency().noun())
            }
            ("available", ..) => format!("the share of the {} in which it could be sold", self.frequency().noun()),
            (_, Some(made), _) if made.computed() => summary(made),
            (_, _, Some(Role::Known)) => "known in the future".into(),
            (_, _, Some(Role::Observed)) => "seen only in the past".into(),
            _ => "one value per series".into(),
        };
        let missing =
            |name: &&str| Ok(100.0 * inner.frame.column(name)?.null_count() as f64 / self.rows().max(1) as f64);
        let changes: Vec<&Change> = inner.origin.changes.iter().collect();
        let made = |name: &&str| match columns.maker(name) {
            Some(made) => made.label.clone(),
            None if *name == columns.target => mended(&changes),
            None => String::new(),
        };
        let table = vec![
            Column::new("column".into(), &names),
            Column::new("role".into(), &roles),
            Column::new("meaning".into(), names.iter().zip(&roles).map(meaning).collect::<Vec<_>>()),
            Column::new("source".into(), names.iter().map(source).collect::<Vec<_>>()),
            Column::new("missing %".into(), names.iter().map(missing).collect::<Result<Vec<f64>>>()?),
            Column::new("how made".into(), names.iter().map(made).collect::<Vec<_>>()),
        ];
        Ok(Table::new(DataFrame::new(names.len(), table)?).titled("Data dictionary"))
    }
}

/// What a feature makes, in a line.
fn summary(made: &Made) -> String {
    let row = options::split(&made.label).ok().and_then(|(name, _)| FEATURES.named(name).ok());
    row.map_or_else(String::new, |row| row.summary.to_string())
}

/// How often cleaning changed the target, by what was done.
fn mended(changes: &[&Change]) -> String {
    let mut actions: Vec<(&str, usize)> = Vec::new();
    for change in changes {
        match actions.iter_mut().find(|(kind, _)| *kind == change.kind) {
            Some((_, count)) => *count += 1,
            None => actions.push((change.kind, 1)),
        }
    }
    let parts: Vec<String> =
        actions.iter().map(|(kind, count)| format!("{kind}: {}", crate::show::number(*count as f64))).collect();
    if parts.is_empty() { String::new() } else { format!("mended ({})", parts.join(", ")) }
}
