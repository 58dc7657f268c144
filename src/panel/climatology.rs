//! What is the average value of a covariate at that time of the year? The default scenario for observed covariates.
//!
//! Where there is a year of history and a step is two weeks at most: the normal of a day of the year is the mean of all
//! values, weighted by a circular Gaussian kernel over the day of the year with a standard deviation of 10 days
//! (Nadaraya 1964; that daily climatologies from few years must be smoothed over some weeks: Mahlstein et al. 2015, J.
//! Geophys. Res. Atmos. 120, 2808–2818). It falls back on neighbouring days where a day was never seen, which harmonics
//! do not, and dampens a yearly wave by 1.5 %. To it comes the mean of what is left over at the same place in the
//! season (day of the week, hour of the day), where the season is shorter than a year.
//!
//! Elsewhere: the mean at the same place in the season, or the mean of all.

use chrono::Datelike;

use super::LONGEST;
use super::calendar::{Calendar, DAY, StampKind, day_of};

/// Bins of the circle: the days of a year, 29 February with the 28th.
const BINS: usize = 365;
/// The kernel's standard deviation, and how far it is summed, in days.
const WIDTH: f64 = 10.0;
const REACH: usize = 35;
/// The share of a year that a season may have at most to be a shorter one, and from which a history has seen all of it.
const SHORT: f64 = 0.985;
const FULL: f64 = 0.98;

/// What all series of a panel share: the day of the year of every position, and the kernel.
pub(super) struct Climate {
    first: i64,
    bins: Vec<u16>,
    kernel: [f64; REACH + 1],
    season: i64,
    /// Steps in a year; infinitely many where steps are not time.
    year: f64,
    seasonal: bool,
}

impl Climate {
    /// For a calendar between two positions.
    pub(super) fn of(calendar: &Calendar, season: i64, first: i64, last: i64) -> Self {
        let step = calendar.frequency.length();
        let dated = calendar.kind() == StampKind::Clock
            && step <= 14 * DAY
            && (0..LONGEST).contains(&(last.saturating_sub(first)));
        let bin = |position: i64| {
            day_of(calendar.frequency.stamp(position)).map_or(0, |day| {
                let leap = day.leap_year() && day.ordinal0() > 58;
                (day.ordinal0() - u32::from(leap)) as u16
            })
        };
        let bins = if dated { (first..=last).map(bin).collect() } else { Vec::new() };
        let kernel = std::array::from_fn(|days| (-0.5 * (days as f64 / WIDTH).powi(2)).exp());
        let year = calendar.frequency.a_year().unwrap_or(f64::INFINITY);
        let seasonal = season > 1 && (season as f64) < SHORT * year;
        Self { first, bins, kernel, season, year, seasonal }
    }

    fn bin(&self, position: i64) -> Option<usize> {
        let at = usize::try_from(position.checked_sub(self.first)?).ok()?;
        self.bins.get(at).map(|bin| usize::from(*bin))
    }

    /// The normals of one covariate of one series.
    pub(super) fn normals(&self, positions: &[i64], values: &[f64]) -> Normals {
        let cells = || positions.iter().copied().zip(values.iter().copied()).filter(|(_, v)| !v.is_nan());
        let ends = (cells().next(), cells().next_back());
        let year = match ends {
            (Some((first, _)), Some((last, _))) => (last - first + 1) as f64 >= FULL * self.year,
            _ => false,
        };
        let smooth = if year && !self.bins.is_empty() { Some(self.smooth(cells())) } else { None };
        let left = |position: i64, value: f64| match &smooth {
            Some(smooth) => value - self.bin(position).map_or(0.0, |bin| smooth[bin]),
            None => value,
        };
        let mut places = Vec::new();
        if smooth.is_none() || self.seasonal {
            let mut sums = vec![(0.0, 0_usize); self.season as usize];
            for (position, value) in cells() {
                let (sum, n) = &mut sums[position.rem_euclid(self.season) as usize];
                *sum += left(position, value);
                *n += 1;
            }
            places = sums.iter().map(|(sum, n)| if *n > 0 { sum / *n as f64 } else { f64::NAN }).collect();
        }
        let (total, count) = cells().fold((0.0, 0_usize), |(total, count), (p, v)| (total + left(p, v), count + 1));
        Normals { smooth, places, overall: total / count as f64 }
    }

    fn smooth(&self, cells: impl Iterator<Item = (i64, f64)>) -> Vec<f64> {
        let mut sums = [(0.0, 0.0); BINS];
        let (mut total, mut count) = (0.0, 0.0);
        for (position, value) in cells {
            let Some(bin) = self.bin(position) else { continue };
            sums[bin].0 += value;
            sums[bin].1 += 1.0;
            total += value;
            count += 1.0;
        }
        // A circle laid out flat, so that the inner loop runs straight.
        let mut flat = [(0.0, 0.0); BINS + 2 * REACH];
        for (at, cell) in flat.iter_mut().enumerate() {
            *cell = sums[(at + BINS - REACH) % BINS];
        }
        (0..BINS)
            .map(|day| {
                let (mut sum, mut weight) = (0.0, 0.0);
                for (offset, (value, n)) in flat[day..=day + 2 * REACH].iter().enumerate() {
                    let k = self.kernel[offset.abs_diff(REACH)];
                    sum += k * value;
                    weight += k * n;
                }
                if weight > 0.0 { sum / weight } else { total / count }
            })
            .collect()
    }

    /// The normal at a position.
    pub(super) fn at(&self, normals: &Normals, position: i64) -> f64 {
        let place =
            if normals.places.is_empty() { 0.0 } else { normals.places[position.rem_euclid(self.season) as usize] };
        let place = if place.is_nan() { normals.overall } else { place };
        match (&normals.smooth, self.bin(position)) {
            (Some(smooth), Some(bin)) => smooth[bin] + place,
            _ => place,
        }
    }
}

/// The climatology of one covariate of one series.
pub(super) struct Normals {
    /// By day of the year.
    smooth: Option<Vec<f64>>,
    /// By place in the season, what is left over; empty for nothing.
    places: Vec<f64>,
    /// Where a place was never seen.
    overall: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::DataType;

    fn climate(season: i64, days: i64) -> Climate {
        let calendar = Calendar { frequency: "D".parse().unwrap(), dtype: DataType::Date };
        Climate::of(&calendar, season, 0, days)
    }

    #[test]
    fn a_yearly_wave_and_a_weekly_pattern_come_back() {
        let climate = climate(7, 3 * 366);
        let usual = |t: i64| {
            20.0 + 8.0 * (std::f64::consts::TAU * t as f64 / 365.25).cos()
                + if t.rem_euclid(7) == 2 { 3.5 } else { 0.0 }
        };
        let positions: Vec<i64> = (0..800).collect();
        let values: Vec<f64> = positions.iter().map(|t| usual(*t)).collect();
        let normals = climate.normals(&positions, &values);
        for t in 800..900 {
            let (normal, usual) = (climate.at(&normals, t), usual(t));
            assert!((normal - usual).abs() < 0.35, "{t}: {normal} for {usual}");
        }
    }

    #[test]
    fn less_than_a_year_keeps_to_the_season() {
        let climate = climate(7, 400);
        let positions: Vec<i64> = (0..70).collect();
        let values: Vec<f64> = positions.iter().map(|t| (t % 7) as f64).collect();
        let normals = climate.normals(&positions, &values);
        assert_eq!(climate.at(&normals, 75), 5.0);
    }

    #[test]
    fn a_covariate_without_values_has_no_normal() {
        let climate = climate(7, 400);
        let normals = climate.normals(&[0, 1, 2], &[f64::NAN; 3]);
        assert!(climate.at(&normals, 10).is_nan());
    }
}
