//! Which series or folds belong together when scores are taken by a dimension?

use std::collections::HashMap;

use polars::prelude::*;

use super::Backtest;
use crate::error::{Error, Result};
use crate::models::{Demand, DemandClass};

/// The groups of a dimension.
pub(super) struct Groups {
    pub(super) names: Vec<String>,
    /// The group of each series; none if each fold is one.
    pub(super) of_series: Option<Vec<usize>>,
}

/// What a series is called that never sold before the first window.
const NO_DEMAND: &str = "no demand before";

impl Backtest {
    /// The groups of `fold`, of a key column, of `class` or of `size`; a key column of that name comes first.
    pub(super) fn groups(&self, dimension: &str) -> Result<Groups> {
        let inner = &*self.0;
        let keys = &inner.panel.inner().columns.keys;
        match dimension {
            "fold" => {
                let names = (1..=inner.windows.len()).map(|fold| fold.to_string()).collect();
                Ok(Groups { names, of_series: None })
            }
            key if keys.iter().any(|k| k == key) => {
                let texts = inner.panel.inner().keys.column(key)?.cast(&DataType::String)?;
                let texts = texts.str()?.iter().map(|text| text.unwrap_or("(missing)").to_string());
                Ok(Groups::as_met(texts))
            }
            "class" => Ok(self.classes()),
            "size" => Ok(self.sizes()),
            other => {
                let known = ["fold", "step", "class", "size"].into_iter().chain(keys.iter().map(String::as_str));
                let nearest = crate::error::suggestion(other, known);
                Err(Error::usage(format!("scores cannot be taken by `{other}`{nearest}")))
            }
        }
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

    /// How demand comes before the first window.
    fn classes(&self) -> Groups {
        let history =
            |i: usize| self.0.windows.first().and_then(|w| Demand::of(&w.forecast.panel().regular(i)).class());
        let classes: Vec<Option<DemandClass>> = (0..self.0.panel.len()).map(history).collect();
        let order = DemandClass::ALL.map(Some).into_iter().chain([None]);
        Groups::in_order(order.map(|class| (class, class.map_or(NO_DEMAND, DemandClass::name))), &classes)
    }

    /// Thirds of the series by their mean before the first window.
    fn sizes(&self) -> Groups {
        let mean = |i: usize| {
            let y: Vec<f64> = self.0.windows.first().map_or_else(Vec::new, |w| w.forecast.panel().target(i).to_vec());
            let there = y.iter().filter(|y| !y.is_nan());
            there.clone().sum::<f64>() / there.count().max(1) as f64
        };
        let n = self.0.panel.len();
        let means: Vec<f64> = (0..n).map(mean).collect();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|a, b| means[*b].total_cmp(&means[*a]));
        let mut thirds = vec![0; n];
        order.iter().enumerate().for_each(|(place, i)| thirds[*i] = 3 * place / n.max(1));
        Groups::in_order([(0, "large"), (1, "medium"), (2, "small")].into_iter(), &thirds)
    }
}

impl Groups {
    /// One group for each name, in the order in which they are met.
    fn as_met(names_of_series: impl Iterator<Item = String>) -> Self {
        let mut names: Vec<String> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let place = |name: String| {
            *places.entry(name).or_insert_with_key(|name| {
                names.push(name.clone());
                names.len() - 1
            })
        };
        let of_series = Some(names_of_series.map(place).collect());
        Self { names, of_series }
    }

    /// The groups that have members, in a stated order.
    fn in_order<K: PartialEq>(order: impl Iterator<Item = (K, &'static str)>, of_series: &[K]) -> Self {
        let here: Vec<(K, &str)> = order.filter(|(key, _)| of_series.contains(key)).collect();
        let place = |key: &K| here.iter().position(|(one, _)| one == key).unwrap_or(0);
        let of_series = Some(of_series.iter().map(place).collect());
        Self { names: here.iter().map(|(_, name)| (*name).to_string()).collect(), of_series }
    }
}
