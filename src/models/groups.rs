//! Which series go together? Those with the same value in a key or a fixed covariate, of the same class of demand, of about the
//! same size; or all of them, or each by itself.

use std::collections::HashMap;

use super::intermittent::Demand;
use crate::error::{Error, Result, suggestion};
use crate::panel::Panel;

/// Series by group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Groups {
    /// What each group is called.
    pub names: Vec<String>,
    /// The group of each series.
    pub of: Vec<usize>,
}

/// The groupings that every panel has, beside its key columns and fixed covariates.
const GENERAL: [&str; 4] = ["panel", "series", "class", "size"];
/// Into how many groups series are divided by size.
const SIZES: [&str; 3] = ["small", "medium", "large"];

impl Groups {
    /// The series of a panel `by` one of [`GENERAL`], a key column or a fixed covariate.
    ///
    /// # Errors
    /// When there is no such grouping; the nearest is suggested.
    pub fn by(by: &str, panel: &Panel) -> Result<Self> {
        let names = match by {
            "panel" => vec!["all".to_string(); panel.len()],
            "series" => panel.labels().to_vec(),
            "class" => (0..panel.len()).map(|i| class(panel, i)).collect(),
            "size" => sizes(panel),
            column => texts(panel, column)?,
        };
        Ok(Self::of(names))
    }

    /// From the name of each series' group; groups stand in the order in which they come.
    fn of(each: Vec<String>) -> Self {
        let mut names: Vec<String> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let of = each.into_iter().map(|name| {
            *places.entry(name).or_insert_with_key(|name| {
                names.push(name.clone());
                names.len() - 1
            })
        });
        Self { of: of.collect(), names }
    }
}

/// The class of demand of a series by what is known of it; a series with negative or without any sales has none.
fn class(panel: &Panel, series: usize) -> String {
    let values: Vec<f64> = panel.target(series).iter().copied().filter(|y| !y.is_nan()).collect();
    let class = if values.iter().all(|y| *y >= 0.0) { Demand::of(&values).class() } else { None };
    class.map_or("other", |class| class.name()).into()
}

/// Thirds of the series by their mean.
fn sizes(panel: &Panel) -> Vec<String> {
    let size = |i: usize| {
        let there = || panel.target(i).iter().filter(|y| !y.is_nan());
        there().map(|y| y.abs()).sum::<f64>() / there().count().max(1) as f64
    };
    let sizes: Vec<f64> = (0..panel.len()).map(size).collect();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|a, b| sizes[*a].total_cmp(&sizes[*b]).then(a.cmp(b)));
    let mut names = vec![String::new(); sizes.len()];
    for (rank, i) in order.into_iter().enumerate() {
        names[i] = SIZES[rank * SIZES.len() / sizes.len()].into();
    }
    names
}

/// The value of a key column or a fixed covariate for each series.
fn texts(panel: &Panel, column: &str) -> Result<Vec<String>> {
    if let Some(texts) = panel.attribute(column)? {
        return Ok(texts);
    }
    let columns = panel.columns();
    let known: Vec<&str> = GENERAL.into_iter().chain(columns.attributes()).collect();
    let nearest = suggestion(column, known.iter().copied());
    let known = known.join(", ");
    Err(Error::usage(format!("series cannot be grouped by `{column}`{nearest}; groupings are {known}")))
}
