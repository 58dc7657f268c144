//! How unevenly are sales hard to forecast over the year? What a step is beside the steps of held-out windows, so that intervals
//! that were calibrated in autumn are as wide at Christmas as they have to be.
//!
//! Of each place of a season: where most series have two seasons, the mean absolute error of last year's pattern a year ago,
//! relative to the level of the series; where they have one, how far series lie from the profile of all. Only a part of the latter
//! cannot be forecast: over the weeks of Walmart's and the days of Rossmann's sales, the error grows about with its root, and the
//! error of one year says as much of the next. So a step is as much harder as the root of the ratio says.

use serde::{Deserialize, Serialize};

use super::{Anniversary, Windows, end};
use crate::error::Result;
use crate::panel::{Panel, order};

/// The smallest number of series, and the largest that is looked at.
const SERIES: std::ops::RangeInclusive<usize> = 20..=1000;
/// The weight of the pattern of a series beside that of all.
const OWN: f64 = 0.6;
/// The largest factor.
const MOST: f64 = 3.0;
/// Factors below this are noise.
const NOISE: f64 = 1.1;

/// How hard places of the season are to forecast, beside held-out windows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Unevenness {
    /// The first position after the panel.
    end: i64,
    /// By steps after it, up to a season, the root of the relative error.
    by_place: Vec<f64>,
    /// The mean of that over the held-out windows, by step.
    seen: Vec<f64>,
    /// The steps of the season that the windows cover, at its end.
    covered: usize,
}

impl Unevenness {
    /// Of a panel whose windows held-out forecasts are known of; everything even where it has no season longer than a window, or
    /// few series.
    ///
    /// # Errors
    /// When a calendar cannot be read.
    pub fn of(panel: &Panel, season: usize, windows: Windows) -> Result<Self> {
        let covered = windows.count * windows.steps;
        if season <= covered || panel.len() < *SERIES.start() {
            return Ok(Self::default());
        }
        let order = order::by_content(panel)?;
        let anniversary = Anniversary::of(panel, season, &order)?;
        let stride = order.len().div_ceil(*SERIES.end());
        let end = (0..panel.len()).map(|i| end(panel, i)).max().unwrap_or(0);
        let years = |i: &usize| years(panel, *i, season, end, &anniversary);
        let each: Vec<[Option<Vec<f64>>; 2]> = order.iter().step_by(stride).map(years).collect();
        let count = |year: usize| each.iter().filter(|years| years[year].is_some()).count();
        if count(0) < *SERIES.start() {
            return Ok(Self::default());
        }
        let twice = 2 * count(1) >= count(0) && count(1) >= *SERIES.start();
        let profile = profile(&each, usize::from(twice), season);
        let place = |place: usize| {
            let away = each.iter().filter_map(|[last, before]| {
                let last = last.as_ref()?[place];
                let expected = match twice {
                    true => OWN * before.as_ref()?[place] + (1.0 - OWN) * profile[place],
                    false => profile[place],
                };
                let away = (last - expected).abs();
                (!away.is_nan()).then_some(away)
            });
            let (sum, n) = away.fold((0.0, 0.0), |(sum, n), away| (sum + away, n + 1.0));
            if n > 0.0 { (sum / n).sqrt() } else { 0.0 }
        };
        let by_place: Vec<f64> = (0..season).map(place).collect();
        let seen = |step: usize| {
            let places = (1..=windows.count).map(|back| by_place[season - back * windows.steps + step]);
            places.sum::<f64>() / windows.count as f64
        };
        Ok(Self { end, seen: (0..windows.steps).map(seen).collect(), by_place, covered })
    }

    /// How much harder a position is than the windows were at a step ahead: at least 1.
    pub fn factor(&self, position: i64, step: usize) -> f64 {
        let season = self.by_place.len();
        // Everything is even, or the numbers are of a damaged file.
        if season == 0 {
            return 1.0;
        }
        let Some(seen) = self.seen.get(step).or(self.seen.last()).filter(|seen| **seen > 0.0) else { return 1.0 };
        let place = (position - self.end).rem_euclid(season as i64) as usize;
        if place + self.covered >= season {
            return 1.0;
        }
        match (self.by_place[place] / seen).min(MOST) {
            noise if noise < NOISE => 1.0,
            factor => factor,
        }
    }

    /// The largest factor of so many steps after the panel.
    pub fn largest(&self, steps: usize) -> f64 {
        (0..steps).map(|step| self.factor(self.end + step as i64, step)).fold(1.0, f64::max)
    }
}

/// The values of the last two seasons of a series, as of the steps after the panel, relative to their mean.
fn years(panel: &Panel, i: usize, season: usize, end: i64, anniversary: &Anniversary) -> [Option<Vec<f64>>; 2] {
    let y = panel.regular(i);
    let first = panel.positions(i).first().copied().unwrap_or(end);
    let at = |position: i64| y.get(usize::try_from(position - first).ok()?).copied().filter(|y| !y.is_nan());
    [1, 2].map(|back| {
        if end < first + (back * season) as i64 {
            return None;
        }
        let value = |step: usize| anniversary.value(end + step as i64, back, season, &at).unwrap_or(f64::NAN);
        let mut year: Vec<f64> = (0..season).map(value).collect();
        let there = || year.iter().filter(|y| !y.is_nan());
        let level = there().sum::<f64>() / there().count().max(1) as f64;
        if 2 * there().count() < season || level <= 0.0 || !level.is_finite() {
            return None;
        }
        year.iter_mut().for_each(|y| *y /= level);
        Some(year)
    })
}

/// The mean of a year over all series.
fn profile(each: &[[Option<Vec<f64>>; 2]], year: usize, season: usize) -> Vec<f64> {
    let place = |place: usize| {
        let there = each.iter().filter_map(|years| Some(years[year].as_ref()?[place])).filter(|y| !y.is_nan());
        let (sum, n) = there.fold((0.0, 0.0), |(sum, n), y| (sum + y, n + 1.0));
        if n > 0.0 { sum / n } else { f64::NAN }
    };
    (0..season).map(place).collect()
}

#[cfg(test)]
mod tests {
    use polars::prelude::*;

    use super::*;
    use crate::panel::Columns;

    /// Thirty series of twelve places: four alike in the last places, of which the first two vary from series to series.
    fn panel(seasons: usize) -> Panel {
        let (mut id, mut t, mut y) = (Vec::new(), Vec::new(), Vec::new());
        for i in 0..30_i64 {
            for step in 0..12 * seasons as i64 {
                let spread = if step % 12 < 2 { 4.0 } else { 1.0 };
                id.push(i);
                t.push(step);
                y.push(100.0 + spread * ((i * 7 + step * 3 + step / 12 * 11) % 10) as f64);
            }
        }
        let frame = df!("id" => id, "t" => t, "y" => y).unwrap();
        Panel::from_frame(frame, Columns::new(["id"], "t", "y").season(12).freq("1").unwrap()).unwrap()
    }

    #[test]
    fn places_that_differ_between_series_or_years_are_harder() {
        for seasons in [1, 2, 3] {
            let uneven = Unevenness::of(&panel(seasons), 12, Windows { count: 2, steps: 2 }).unwrap();
            // The places 0 and 1 come next: four times as far from the mean, twice as hard.
            let harder = [0, 1].map(|step| uneven.factor(12 * seasons as i64 + step, step as usize));
            assert!(harder.iter().all(|factor| (1.6..2.4).contains(factor)), "{seasons}: {harder:?}");
            assert!((4..6).all(|step| uneven.factor(12 * seasons as i64 + step, 0) < 1.3));
            // What the windows have seen is as hard as they say.
            assert_eq!(uneven.factor(12 * seasons as i64 + 11, 1), 1.0);
            assert!(uneven.largest(2) > 1.6);
        }
    }

    #[test]
    fn who_knows_nothing_says_nothing() {
        let even = Unevenness::of(&panel(3), 12, Windows { count: 3, steps: 4 }).unwrap();
        assert_eq!((even.clone(), even.factor(40, 3), even.largest(4)), (Unevenness::default(), 1.0, 1.0));
    }
}
