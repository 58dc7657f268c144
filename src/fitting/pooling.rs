//! Grouped pooling of seasonality, for series that are too short to estimate seasonal indices of their own.
//!
//! Each series of the panel that holds two seasons has seasonal indices: the mean ratio to a centred moving average at each
//! place of the calendar's season (classical decomposition). The indices of a group are averaged. Groups are the series with the
//! same value in one key column, or all series: the grouping with the smallest leave-one-out squared error is taken, and none
//! if indices of 1 predict as well. An average is shrunk towards 1 by the variance within its group, with the positive-part
//! rule of James & Stein 1961.
//!
//! A short series is then divided by the indices, forecast without a season, and multiplied by them again, so that the
//! seasonal pattern is scaled to the level of the series.

use std::collections::HashMap;

use super::{Season, decompose};
use crate::panel::Panel;

/// The smallest index: below it almost nothing is sold, and the series carries no information on its level.
const MIN_INDEX: f64 = 0.1;

/// The pooled seasonal indices of each series of a panel that is too short for its own.
pub(super) struct PooledSeasons {
    by_series: Vec<Option<Season>>,
}

/// Is a series of so many steps too short for seasonal indices of its own?
fn is_short(steps: usize, season: usize) -> bool {
    steps <= 2 * season
}

impl PooledSeasons {
    /// Of a panel.
    pub fn of(panel: &Panel) -> Self {
        let season = panel.season();
        let steps = |i: usize| match panel.positions(i) {
            [first, .., last] => (last - first + 1) as usize,
            positions => positions.len(),
        };
        let short: Vec<bool> = (0..panel.len()).map(|i| is_short(steps(i), season)).collect();
        if season < 2 || !short.contains(&true) || !short.contains(&false) {
            return Self { by_series: vec![None; panel.len()] };
        }
        let known: Vec<Option<Vec<f64>>> =
            (0..panel.len()).map(|i| if short[i] { None } else { indices(panel, i, season) }).collect();
        let keys = panel.inner().keys.columns();
        let groupings = std::iter::once(vec![String::new(); panel.len()]).chain(keys.iter().map(|column| {
            let text = |i: usize| column.get(i).map_or_else(|_| String::new(), |value| value.to_string());
            (0..panel.len()).map(text).collect()
        }));
        let candidates = groupings.map(|groups| Pool::of(&known, groups)).filter(|pool| pool.error < pool.flat);
        let Some(best) = candidates.min_by(|a, b| a.error.total_cmp(&b.error)) else {
            return Self { by_series: vec![None; panel.len()] };
        };
        let own = |i: usize| if short[i] { best.season(i) } else { None };
        Self { by_series: (0..panel.len()).map(own).collect() }
    }

    /// The pooled indices for a series, if it needs them.
    pub fn season(&self, series: usize) -> Option<&Season> {
        self.by_series[series].as_ref()
    }
}

/// The indices of a series, from the calendar's place 0 on; none where they cannot be estimated or are not positive.
fn indices(panel: &Panel, series: usize, season: usize) -> Option<Vec<f64>> {
    let mut indices = decompose(&panel.regular(series), season, false)?;
    let first = panel.positions(series).first()?.rem_euclid(season as i64);
    indices.rotate_right(first as usize);
    indices.iter().all(|index| *index > 0.0).then_some(indices)
}

/// A sum of indices.
#[derive(Clone, Default)]
struct Sum {
    n: f64,
    sum: Vec<f64>,
    squares: Vec<f64>,
}

impl Sum {
    fn add(&mut self, indices: &[f64]) {
        self.n += 1.0;
        self.sum.resize(indices.len(), 0.0);
        self.squares.resize(indices.len(), 0.0);
        for ((sum, square), index) in self.sum.iter_mut().zip(&mut self.squares).zip(indices) {
            *sum += index;
            *square += index * index;
        }
    }

    /// The mean of all, or of all but one; none of nothing.
    fn mean(&self, without: Option<&[f64]>) -> Option<Vec<f64>> {
        let n = self.n - if without.is_some() { 1.0 } else { 0.0 };
        let rest = |j: usize| self.sum[j] - without.map_or(0.0, |indices| indices[j]);
        (n > 0.0).then(|| (0..self.sum.len()).map(|j| rest(j) / n).collect())
    }

    /// The mean, shrunk towards 1; none where it is shrunk to 1.
    fn shrunk(&self) -> Option<Vec<f64>> {
        let mean = self.mean(None)?;
        let m = mean.len() as f64;
        let signal = mean.iter().map(|index| (index - 1.0).powi(2)).sum::<f64>() / m;
        let variances = mean.iter().zip(&self.squares).map(|(mean, squares)| (squares / self.n - mean * mean).max(0.0));
        let noise = variances.sum::<f64>() / m / (self.n - 1.0);
        let kept = if self.n > 1.0 { (1.0 - noise / signal).max(0.0) } else { 0.0 };
        (kept > 0.0).then(|| mean.iter().map(|index| (1.0 + kept * (index - 1.0)).max(MIN_INDEX)).collect())
    }
}

/// The indices of groups of series.
struct Pool {
    groups: Vec<String>,
    sums: HashMap<String, Sum>,
    all: Sum,
    /// The leave-one-out squared error of the group means, and the squared error of indices of 1.
    error: f64,
    flat: f64,
}

impl Pool {
    fn of(known_indices: &[Option<Vec<f64>>], groups: Vec<String>) -> Self {
        let (mut all, mut sums) = (Sum::default(), HashMap::<String, Sum>::new());
        let known =
            || known_indices.iter().zip(&groups).filter_map(|(indices, group)| Some((indices.as_deref()?, group)));
        for (indices, group) in known() {
            all.add(indices);
            sums.entry(group.clone()).or_default().add(indices);
        }
        let distance =
            |a: &[f64], b: &mut dyn Iterator<Item = f64>| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        let (mut error, mut flat) = (0.0, 0.0);
        for (indices, group) in known() {
            let alone = distance(indices, &mut std::iter::repeat(1.0));
            let others = sums[group].mean(Some(indices)).or_else(|| all.mean(Some(indices)));
            error += others.map_or(alone, |others| distance(indices, &mut others.into_iter()));
            flat += alone;
        }
        Self { groups, sums, all, error, flat }
    }

    /// The pooled indices for a series without indices of its own.
    fn season(&self, series: usize) -> Option<Season> {
        let group = self.sums.get(&self.groups[series]).filter(|sum| sum.n > 1.0).unwrap_or(&self.all);
        Some(Season::new(group.shrunk()?, false, 0))
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::*;

    use super::*;
    use crate::panel::Columns;

    /// Shops that sell ice in the warm half and tea in the cold half of a year of eight steps; of some, the end alone.
    fn panel(short: usize) -> Panel {
        let (mut shop, mut item, mut t, mut y) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for series in 0..10_i64 {
            let first = if series < 8 { 3 } else { 40 - short as i64 };
            for step in first..40 {
                let warm = if step.rem_euclid(8) < 4 { 1.5 } else { 0.5 };
                shop.push(series / 2);
                item.push(if series % 2 == 0 { "ice" } else { "tea" });
                t.push(step);
                let noise = ((series * 31 + step * 17) % 7) as f64 / 100.0;
                y.push(10.0 * (series + 1) as f64 * (noise + if series % 2 == 0 { warm } else { 2.0 - warm }));
            }
        }
        let frame = df!("shop" => shop, "item" => item, "t" => t, "y" => y).unwrap();
        Panel::from_frame(frame, Columns::new(["shop", "item"], "t", "y").season(8).freq("1").unwrap()).unwrap()
    }

    #[test]
    fn series_are_grouped_by_the_key_that_predicts_seasonality() {
        let panel = panel(6);
        let pooled = PooledSeasons::of(&panel);
        let index = |label: &str, position: i64| {
            let series = panel.labels().iter().position(|known| known == label).unwrap();
            pooled.season(series).map(|season| season.with(position, 1.0))
        };
        for (item, warm, cold) in [("ice", 1.5, 0.5), ("tea", 0.5, 1.5)] {
            let label = format!("shop=4, item={item}");
            for (position, wanted) in [(40, warm), (43, warm), (44, cold), (47, cold), (52, cold)] {
                assert!((index(&label, position).unwrap() - wanted).abs() < 0.06, "{item} {position}");
            }
        }
        assert_eq!(index("shop=0, item=ice", 40), None, "a series that shows its own season keeps it");
    }

    #[test]
    fn nothing_is_pooled_where_all_series_are_long_or_all_short() {
        let none = |panel: &Panel| {
            let pooled = PooledSeasons::of(panel);
            (0..panel.len()).all(|series| pooled.season(series).is_none())
        };
        assert!(none(&panel(37)));
        assert!(none(&panel(6).only("shop", "4").unwrap()));
    }
}
