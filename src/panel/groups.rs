//! Which series go together? Those with the same value in a key or a fixed covariate, of the same class of demand, of
//! about the same size; or all of them, or each by itself.

use std::collections::HashMap;

use super::{Panel, order};
use crate::error::{Error, Result, suggestion};
use crate::statistics::{Demand, DemandClass};

/// Series by group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Groups {
    /// The names of the groups.
    pub names: Vec<String>,
    /// The group of each series.
    pub of: Vec<usize>,
}

/// The groupings that every panel has, in addition to its key columns and fixed covariates.
const GENERAL: [&str; 4] = ["panel", "series", "class", "size"];
/// Into how many groups series are divided by size.
const SIZES: [&str; 3] = ["large", "medium", "small"];
/// What the class of a series is called that has none.
const NO_CLASS: &str = "no demand";

impl Groups {
    /// The series of a panel `by` one of [`GENERAL`], a key column or a fixed covariate.
    ///
    /// # Errors
    /// When there is no such grouping; the nearest is suggested.
    pub fn by(by: &str, panel: &Panel) -> Result<Self> {
        if let Some(texts) = panel.attribute(by)? {
            return Ok(Self::as_met(texts));
        }
        match by {
            "panel" => Ok(Self { names: vec!["all".into()], of: vec![0; panel.len()] }),
            "series" => Ok(Self::as_met(panel.labels().to_vec())),
            "class" => {
                let classes: Vec<Option<DemandClass>> = (0..panel.len()).map(|i| class(panel, i)).collect();
                let order = DemandClass::ALL.map(Some).into_iter().chain([None]);
                Ok(Self::in_order(order.map(|class| (class, class.map_or(NO_CLASS, DemandClass::name))), &classes))
            }
            "size" => Ok(Self::in_order(SIZES.into_iter().enumerate(), &sizes(panel)?)),
            other => {
                let columns = panel.columns();
                let known: Vec<&str> = GENERAL.into_iter().chain(columns.attributes()).collect();
                let nearest = suggestion(other, known.iter().copied());
                let known = known.join(", ");
                Err(Error::usage(format!("series cannot be grouped by `{other}`{nearest}; groupings are {known}")))
            }
        }
    }

    /// The groups that have members, in a stated order.
    fn in_order<K: PartialEq>(order: impl Iterator<Item = (K, &'static str)>, of: &[K]) -> Self {
        let here: Vec<(K, &str)> = order.filter(|(key, _)| of.contains(key)).collect();
        let place = |key: &K| here.iter().position(|(one, _)| one == key).unwrap_or(0);
        Self { of: of.iter().map(place).collect(), names: here.iter().map(|(_, name)| (*name).to_string()).collect() }
    }

    /// One group for each name, in the order in which they are met.
    fn as_met(each: Vec<String>) -> Self {
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

/// How the demand for a series comes, by what is known of it; none where there is none, or some below zero.
fn class(panel: &Panel, series: usize) -> Option<DemandClass> {
    let values = panel.regular(series);
    let demanded = values.iter().all(|y| *y >= 0.0 || y.is_nan());
    demanded.then(|| Demand::of(&values).class()).flatten()
}

/// Thirds of the series by their mean: 0 for the largest.
fn sizes(panel: &Panel) -> Result<Vec<usize>> {
    let mean = |i: usize| {
        let there = panel.target(i).iter().filter(|y| !y.is_nan());
        there.clone().sum::<f64>() / there.count().max(1) as f64
    };
    let means: Vec<f64> = (0..panel.len()).map(mean).collect();
    let mut order = order::by_content(panel)?;
    order.sort_by(|a, b| means[*b].total_cmp(&means[*a]));
    let mut thirds = vec![0; means.len()];
    order.iter().enumerate().for_each(|(place, i)| thirds[*i] = SIZES.len() * place / means.len());
    Ok(thirds)
}
