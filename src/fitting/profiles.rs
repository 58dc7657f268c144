//! Group profiles: how the sales of a season are distributed over it in the series that resemble one, without its own.
//!
//! A profile is, at each place of the calendar's season, the sum of the values of a group over the sum of their levels (the mean
//! of each series in that season): the group seasonal indices of Withycombe 1989, *International Journal of Forecasting* 5. It is
//! that of the season after the panel: dates and holidays are where they will be then (see `anniversary`).
//! Each series has the profile of the others of its group, so that its own pattern is not counted twice. Groups are the series
//! with the same value in a key column or a fixed covariate, or all series: the grouping whose profiles are closest to the
//! patterns of the series is taken.

use std::sync::Arc;

use rayon::prelude::*;

use super::{Anniversary, Season, end};
use crate::error::Result;
use crate::panel::{Groups, Panel, order};

/// Seasons from the end of a series whose values count.
const SEASONS: usize = 3;

/// The profile of each series; none where no other series shows one.
pub(super) struct GroupProfiles {
    by_series: Vec<Option<Season>>,
}

/// The values of a series relative to its level, summed by place of the season.
struct Pattern {
    values: Vec<f64>,
    levels: Vec<f64>,
}

impl Pattern {
    /// Of the last seasons of a series before the end of the panel, at the places of the season after it; none of less than a
    /// season, and of one whose values do not have a positive mean.
    fn of(panel: &Panel, series: usize, season: usize, end: i64, anniversary: &Anniversary) -> Option<Self> {
        let y = panel.regular(series);
        let first = *panel.positions(series).first()?;
        let at = |position: i64| y.get(usize::try_from(position - first).ok()?).copied().filter(|y| !y.is_nan());
        let (mut values, mut levels) = (vec![0.0; season], vec![0.0; season]);
        for back in 1..=SEASONS {
            let from = end - (back * season) as i64;
            if from < first {
                break;
            }
            let year: Vec<f64> = (from..from + season as i64).map(|t| at(t).unwrap_or(f64::NAN)).collect();
            let Some(level) = level(&year) else { continue };
            for position in end..end + season as i64 {
                let Some(value) = anniversary.value(position, back, season, &at) else { continue };
                let place = position.rem_euclid(season as i64) as usize;
                values[place] += value;
                levels[place] += level;
            }
        }
        levels.iter().any(|level| *level > 0.0).then_some(Self { values, levels })
    }

    /// The absolute difference from a profile, relative to the level and averaged over the season.
    fn distance(&self, profile: &[f64]) -> f64 {
        let each = self.values.iter().zip(&self.levels).zip(profile).filter(|((_, level), _)| **level > 0.0);
        let (sum, n) =
            each.fold((0.0, 0.0), |(sum, n), ((y, level), profile)| (sum + (y / level - profile).abs(), n + 1.0));
        if n > 0.0 { sum / n } else { 0.0 }
    }
}

/// The mean of a season, if at least half of it was observed and it is positive.
fn level(year: &[f64]) -> Option<f64> {
    let (sum, n) = year.iter().filter(|y| !y.is_nan()).fold((0.0, 0_usize), |(sum, n), y| (sum + y, n + 1));
    let mean = sum / n as f64;
    (2 * n >= year.len() && mean > 0.0 && mean.is_finite()).then_some(mean)
}

impl GroupProfiles {
    /// Of a panel, in seasons of so many steps.
    ///
    /// # Errors
    /// When its covariates cannot be read.
    pub fn of(panel: &Panel, season: usize) -> Result<Self> {
        if season < 2 || panel.is_empty() {
            return Ok(Self { by_series: vec![None; panel.len()] });
        }
        let order = order::by_content(panel)?;
        let anniversary = Arc::new(Anniversary::of(panel, season, &order)?);
        if panel.len() < 2 {
            let alone = Some(anniversary).filter(|known| **known != Anniversary::default());
            return Ok(Self { by_series: vec![alone.map(|known| Season::default().with_anniversary(known))] });
        }
        let end = (0..panel.len()).map(|i| end(panel, i)).max().unwrap_or(0);
        let pattern = |i: usize| Pattern::of(panel, i, season, end, &anniversary);
        let patterns: Vec<Option<Pattern>> = (0..panel.len()).into_par_iter().map(pattern).collect();
        let columns = panel.columns();
        let mut best: Option<(f64, Vec<Option<Vec<f64>>>)> = None;
        for by in std::iter::once("panel").chain(columns.attributes()) {
            let profiles = profiles(&patterns, &Groups::by(by, panel)?, &order, season);
            let distance = |i: &usize| match (&patterns[*i], &profiles[*i]) {
                (Some(pattern), Some(profile)) => pattern.distance(profile),
                (Some(pattern), None) => pattern.distance(&vec![1.0; season]),
                (None, _) => 0.0,
            };
            let distance: f64 = order.iter().map(distance).sum();
            if best.as_ref().is_none_or(|(least, _)| distance < *least) {
                best = Some((distance, profiles));
            }
        }
        let profiles = best.map_or_else(Vec::new, |(_, profiles)| profiles);
        let season = |profile: Option<Vec<f64>>| {
            profile.map(|profile| Season::new(profile, false, 0).with_anniversary(anniversary.clone()))
        };
        Ok(Self { by_series: profiles.into_iter().map(season).collect() })
    }

    /// The profile of the others in the group of a series.
    pub fn season(&self, series: usize) -> Option<&Season> {
        self.by_series[series].as_ref()
    }
}

/// The profile of the others in the group of each series; of all others, where the group shows none.
fn profiles(patterns: &[Option<Pattern>], groups: &Groups, order: &[usize], season: usize) -> Vec<Option<Vec<f64>>> {
    let empty = || (vec![0.0; season], vec![0.0; season]);
    let mut sums = vec![empty(); groups.names.len()];
    let mut all = empty();
    for i in order {
        let Some(pattern) = &patterns[*i] else { continue };
        for (values, levels) in [&mut sums[groups.of[*i]], &mut all] {
            values.iter_mut().zip(&pattern.values).for_each(|(sum, y)| *sum += y);
            levels.iter_mut().zip(&pattern.levels).for_each(|(sum, level)| *sum += level);
        }
    }
    let of_others = |(values, levels): &(Vec<f64>, Vec<f64>), i: usize| -> Option<Vec<f64>> {
        let own = |place: usize| patterns[i].as_ref().map_or((0.0, 0.0), |own| (own.values[place], own.levels[place]));
        let ratio = |place: usize| {
            let (y, level) = own(place);
            let rest = levels[place] - level;
            // Nothing but rounding is left where a series is alone.
            (rest > 1e-9 * levels[place]).then(|| ((values[place] - y) / rest).max(0.0))
        };
        (0..season).map(ratio).collect()
    };
    (0..patterns.len()).map(|i| of_others(&sums[groups.of[i]], i).or_else(|| of_others(&all, i))).collect()
}

#[cfg(test)]
mod tests {
    use polars::prelude::*;

    use super::*;
    use crate::panel::Columns;

    /// Two seasons of four steps: of two shops each for ice, sold in the first half, and for tea, sold in the second.
    fn panel(shops: i64) -> Panel {
        let (mut shop, mut item, mut t, mut y) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for series in 0..2 * shops {
            for step in 0..8_i64 {
                let early = if step % 4 < 2 { 1.5 } else { 0.5 };
                shop.push(series / 2);
                item.push(if series % 2 == 0 { "ice" } else { "tea" });
                t.push(step);
                y.push(10.0 * (1 + series) as f64 * if series % 2 == 0 { early } else { 2.0 - early });
            }
        }
        let frame = df!("shop" => shop, "item" => item, "t" => t, "y" => y).unwrap();
        Panel::from_frame(frame, Columns::new(["shop", "item"], "t", "y").season(4).freq("1").unwrap()).unwrap()
    }

    #[test]
    fn a_series_has_the_profile_of_the_others_that_resemble_it() {
        let profiles = GroupProfiles::of(&panel(3), 4).unwrap();
        for (series, early) in [(0, 1.5), (1, 0.5), (4, 1.5), (5, 0.5)] {
            let season = profiles.season(series).unwrap();
            for (position, wanted) in [(0, early), (1, early), (2, 2.0 - early), (7, 2.0 - early), (8, early)] {
                assert!((season.with(position, 1.0) - wanted).abs() < 1e-12, "{series} {position}");
            }
        }
    }

    #[test]
    fn who_is_alone_has_none() {
        assert!(GroupProfiles::of(&panel(1).only("item", "ice").unwrap(), 4).unwrap().season(0).is_none());
    }
}
