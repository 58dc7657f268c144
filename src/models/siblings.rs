//! What season would a series have that is too short to show one? That of its siblings.
//!
//! Each series of the panel that holds two seasons has a figure: the mean ratio to a centred moving average at each place of
//! the calendar's season (classical decomposition). The figures of siblings are averaged. Siblings are the series with the
//! same value in one key column, or all series: the grouping is taken whose averages say most of the figure of a series
//! that they leave out (least squares), and none at all if a flat figure says as much. An average is drawn towards the flat
//! one as far as its members differ, by the positive-part rule of James & Stein 1961.
//!
//! A short series is then divided by the figure, forecast without a season, and multiplied by it again, so that the figure
//! is scaled to the level of the series.

use std::collections::HashMap;

use super::decomposition::{Season, decompose};
use crate::panel::Panel;

/// Indices below this say nothing of the level: next to nothing is sold at that time.
const LEAST: f64 = 0.1;

/// The season for each series of a panel that is too short for its own.
pub(super) struct Siblings {
    by_series: Vec<Option<Season>>,
}

/// Is a series of so many steps too short to show its season?
fn is_short(steps: usize, season: usize) -> bool {
    steps <= 2 * season
}

impl Siblings {
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
        let figures: Vec<Option<Vec<f64>>> =
            (0..panel.len()).map(|i| if short[i] { None } else { figure(panel, i, season) }).collect();
        let keys = panel.inner().keys.columns();
        let groupings = std::iter::once(vec![String::new(); panel.len()]).chain(keys.iter().map(|column| {
            let text = |i: usize| column.get(i).map_or_else(|_| String::new(), |value| value.to_string());
            (0..panel.len()).map(text).collect()
        }));
        let candidates = groupings.map(|groups| Pool::of(&figures, groups)).filter(|pool| pool.error < pool.flat);
        let Some(best) = candidates.min_by(|a, b| a.error.total_cmp(&b.error)) else {
            return Self { by_series: vec![None; panel.len()] };
        };
        let own = |i: usize| if short[i] { best.season(i) } else { None };
        Self { by_series: (0..panel.len()).map(own).collect() }
    }

    /// The season for a series, if it is to have one.
    pub fn season(&self, series: usize) -> Option<&Season> {
        self.by_series[series].as_ref()
    }
}

/// The figure of a series, from the calendar's place 0 on; none where it cannot be told or is not positive.
fn figure(panel: &Panel, series: usize, season: usize) -> Option<Vec<f64>> {
    let mut figure = decompose(&panel.regular(series), season, false)?;
    let first = panel.positions(series).first()?.rem_euclid(season as i64);
    figure.rotate_right(first as usize);
    figure.iter().all(|index| *index > 0.0).then_some(figure)
}

/// A sum of figures.
#[derive(Clone, Default)]
struct Sum {
    n: f64,
    sum: Vec<f64>,
    squares: Vec<f64>,
}

impl Sum {
    fn add(&mut self, figure: &[f64]) {
        self.n += 1.0;
        self.sum.resize(figure.len(), 0.0);
        self.squares.resize(figure.len(), 0.0);
        for ((sum, square), index) in self.sum.iter_mut().zip(&mut self.squares).zip(figure) {
            *sum += index;
            *square += index * index;
        }
    }

    /// The mean of all, or of all but one; none of nothing.
    fn mean(&self, without: Option<&[f64]>) -> Option<Vec<f64>> {
        let n = self.n - if without.is_some() { 1.0 } else { 0.0 };
        let rest = |j: usize| self.sum[j] - without.map_or(0.0, |figure| figure[j]);
        (n > 0.0).then(|| (0..self.sum.len()).map(|j| rest(j) / n).collect())
    }

    /// The mean, drawn towards 1; none where nothing is left of it.
    fn shrunk(&self) -> Option<Vec<f64>> {
        let mean = self.mean(None)?;
        let m = mean.len() as f64;
        let signal = mean.iter().map(|index| (index - 1.0).powi(2)).sum::<f64>() / m;
        let differ = mean.iter().zip(&self.squares).map(|(mean, squares)| (squares / self.n - mean * mean).max(0.0));
        let noise = differ.sum::<f64>() / m / (self.n - 1.0);
        let kept = if self.n > 1.0 { (1.0 - noise / signal).max(0.0) } else { 0.0 };
        (kept > 0.0).then(|| mean.iter().map(|index| (1.0 + kept * (index - 1.0)).max(LEAST)).collect())
    }
}

/// The figures of groups of series.
struct Pool {
    groups: Vec<String>,
    sums: HashMap<String, Sum>,
    all: Sum,
    /// How far the figures are from what the others say, in squares, and from flat ones.
    error: f64,
    flat: f64,
}

impl Pool {
    fn of(figures: &[Option<Vec<f64>>], groups: Vec<String>) -> Self {
        let (mut all, mut sums) = (Sum::default(), HashMap::<String, Sum>::new());
        let known = || figures.iter().zip(&groups).filter_map(|(figure, group)| Some((figure.as_deref()?, group)));
        for (figure, group) in known() {
            all.add(figure);
            sums.entry(group.clone()).or_default().add(figure);
        }
        let distance =
            |a: &[f64], b: &mut dyn Iterator<Item = f64>| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        let (mut error, mut flat) = (0.0, 0.0);
        for (figure, group) in known() {
            let alone = distance(figure, &mut std::iter::repeat(1.0));
            let others = sums[group].mean(Some(figure)).or_else(|| all.mean(Some(figure)));
            error += others.map_or(alone, |others| distance(figure, &mut others.into_iter()));
            flat += alone;
        }
        Self { groups, sums, all, error, flat }
    }

    /// The season for a series without a figure of its own.
    fn season(&self, series: usize) -> Option<Season> {
        let siblings = self.sums.get(&self.groups[series]).filter(|sum| sum.n > 1.0).unwrap_or(&self.all);
        Some(Season::new(siblings.shrunk()?, false, 0))
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
    fn the_key_that_tells_seasons_apart_makes_siblings() {
        let panel = panel(6);
        let siblings = Siblings::of(&panel);
        let index = |label: &str, position: i64| {
            let series = panel.labels().iter().position(|known| known == label).unwrap();
            siblings.season(series).map(|season| season.with(position, 1.0))
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
            let siblings = Siblings::of(panel);
            (0..panel.len()).all(|series| siblings.season(series).is_none())
        };
        assert!(none(&panel(37)));
        assert!(none(&panel(6).only("shop", "4").unwrap()));
    }
}
