//! What level has a series without history? That of its siblings: the effects of its keys and of its fixed attributes on the
//! logarithm of the level, added up (a two-way table by median polish's least-squares cousin, backfitting; Hastie &
//! Tibshirani 1990, *Generalized Additive Models*). Each effect is drawn towards none, the more so the fewer series show it.

use super::tracks::Seen;
use crate::error::Result;
use crate::panel::normalise::Scale;
use crate::panel::{Panel, Role};

/// Series that an effect must be shown by to be believed by half.
const PRIOR: f64 = 1.0;
/// Numbers become as many groups.
const GROUPS: usize = 8;
const ROUNDS: usize = 30;

pub(super) struct Levels {
    /// By series.
    level: Vec<f64>,
    /// What all have in common but for the level.
    typical: Option<Seen>,
}

impl Levels {
    /// From the series whose level is known.
    pub fn of(panel: &Panel, known: &[Option<Seen>]) -> Result<Self> {
        let value = |seen: &Seen| if seen.scale == Scale::Same { seen.size.ln() } else { seen.centre };
        let there: Vec<(usize, f64)> =
            known.iter().enumerate().filter_map(|(i, seen)| Some((i, value(seen.as_ref()?)))).collect();
        let mean = there.iter().map(|(_, level)| level).sum::<f64>() / there.len().max(1) as f64;
        let groupings = groupings(panel)?;
        let mut effects: Vec<Vec<f64>> = groupings.iter().map(|(_, count)| vec![0.0; *count]).collect();
        let said = |effects: &[Vec<f64>], i: usize| {
            mean + groupings.iter().zip(effects).map(|((group, _), effects)| effects[group[i]]).sum::<f64>()
        };
        for _ in 0..ROUNDS {
            for g in 0..groupings.len() {
                let (group, count) = &groupings[g];
                let mut sums = vec![(0.0, 0.0); *count];
                for (i, level) in &there {
                    let (sum, n) = &mut sums[group[*i]];
                    *sum += level - said(&effects, *i) + effects[g][group[*i]];
                    *n += 1.0;
                }
                effects[g] = sums.iter().map(|(sum, n)| sum / (n + PRIOR)).collect();
            }
        }
        let level = (0..panel.len()).map(|i| said(&effects, i)).collect();
        Ok(Self { level, typical: known.iter().flatten().next().copied() })
    }

    /// How a series is to be seen; none where no series has a level.
    pub fn of_series(&self, series: usize) -> Option<Seen> {
        let level = self.level[series];
        self.typical.map(|seen| match seen.scale {
            Scale::Same if seen.size > 0.0 => Seen { size: level.exp(), centre: seen.centre, ..seen },
            _ => Seen { centre: level, ..seen },
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
        let place = |v: &f64| match v.is_nan() {
            true => GROUPS,
            false => sorted.partition_point(|known| known < v) * GROUPS / sorted.len().max(1),
        };
        groupings.push((values.iter().map(place).collect(), GROUPS + 1));
    }
    // What tells every series apart says nothing of siblings.
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
