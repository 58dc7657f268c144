//! Cold start: the log level of a series without history is predicted by an additive model of its keys and fixed attributes,
//! fitted by backfitting (Hastie & Tibshirani 1990, *Generalized Additive Models*) with shrinkage: the fewer series share an
//! effect, the closer it is to zero.

use super::scaling::SeriesScale;
use crate::error::Result;
use crate::panel::{Panel, Role};

/// Shrinkage of effects towards zero, in pseudo-observations.
const PRIOR: f64 = 1.0;
/// The number of quantile groups that numeric attributes are divided into.
const GROUPS: usize = 8;
/// Rounds of backfitting.
const ROUNDS: usize = 30;

pub(super) struct Levels {
    /// The predicted log level of each series.
    level: Vec<f64>,
    /// The scale of a series with history, of which all but the level holds for others.
    typical: Option<SeriesScale>,
}

impl Levels {
    /// Fitted to the series with history.
    pub fn of(panel: &Panel, known: &[Option<SeriesScale>]) -> Result<Self> {
        let value = |scale: &SeriesScale| if scale.is_untransformed() { scale.size.ln() } else { scale.centre };
        let there: Vec<(usize, f64)> =
            known.iter().enumerate().filter_map(|(i, scale)| Some((i, value(scale.as_ref()?)))).collect();
        let mean = there.iter().map(|(_, level)| level).sum::<f64>() / there.len().max(1) as f64;
        let groupings = groupings(panel)?;
        let mut effects: Vec<Vec<f64>> = groupings.iter().map(|(_, count)| vec![0.0; *count]).collect();
        let predicted = |effects: &[Vec<f64>], i: usize| {
            mean + groupings.iter().zip(effects).map(|((group, _), effects)| effects[group[i]]).sum::<f64>()
        };
        for _ in 0..ROUNDS {
            for g in 0..groupings.len() {
                let (group, count) = &groupings[g];
                let mut sums = vec![(0.0, 0.0); *count];
                for (i, level) in &there {
                    let (sum, n) = &mut sums[group[*i]];
                    *sum += level - predicted(&effects, *i) + effects[g][group[*i]];
                    *n += 1.0;
                }
                effects[g] = sums.iter().map(|(sum, n)| sum / (n + PRIOR)).collect();
            }
        }
        let level = (0..panel.len()).map(|i| predicted(&effects, i)).collect();
        Ok(Self { level, typical: known.iter().flatten().next().copied() })
    }

    /// The scale of a series without history; none where no series has one.
    pub fn of_series(&self, series: usize) -> Option<SeriesScale> {
        let level = self.level[series];
        self.typical.map(|scale| {
            if scale.is_untransformed() && scale.size > 0.0 {
                SeriesScale { size: level.exp(), ..scale }
            } else {
                SeriesScale { centre: level, ..scale }
            }
        })
    }
}

/// By key column and fixed attribute, the group that each series belongs to, and how many there are.
fn groupings(panel: &Panel) -> Result<Vec<(Vec<usize>, usize)>> {
    let keys = panel.inner().keys.columns().iter();
    let mut groupings: Vec<(Vec<usize>, usize)> = keys
        .map(|column| {
            let texts = (0..panel.len()).map(|i| column.get(i).map_or_else(|_| String::new(), |v| v.to_string()));
            numbered(texts.collect())
        })
        .collect();
    let matrix = panel.matrix()?;
    for (column, (_, role)) in matrix.columns.iter().zip(&matrix.sources) {
        if *role != Role::Fixed {
            continue;
        }
        let of = |i: usize| panel.column_of(i, column).iter().copied().rfind(|v| !v.is_nan()).unwrap_or(f64::NAN);
        let values: Vec<f64> = (0..panel.len()).map(of).collect();
        let mut sorted: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        sorted.dedup();
        let group = |v: &f64| {
            if v.is_nan() { GROUPS } else { sorted.partition_point(|known| known < v) * GROUPS / sorted.len().max(1) }
        };
        groupings.push((values.iter().map(group).collect(), GROUPS + 1));
    }
    // An attribute with a value of its own for every series pools nothing.
    groupings.retain(|(_, count)| *count < panel.len());
    Ok(groupings)
}

/// The place of each text among the distinct ones, and how many those are.
pub(super) fn numbered(texts: Vec<String>) -> (Vec<usize>, usize) {
    let mut distinct = texts.clone();
    distinct.sort();
    distinct.dedup();
    let groups = texts.iter().map(|text| distinct.partition_point(|known| known < text)).collect();
    (groups, distinct.len())
}
