//! What a step corresponds to in earlier years: the same place of the season, the same date, or the same holiday.
//!
//! A season of 52 weeks is a day and a quarter shorter than a year, so the weeks before Christmas come a little later each year:
//! last year's value of a week is the mean of those of two weeks, weighted by the days that they share with it. A holiday
//! that moves, as Easter does by up to five weeks, takes its effect with it: a step of the holiday has the ratio that the holiday
//! had last year to the steps around it, and what it was moved from has the mean of the steps around. On daily data, where a
//! season keeps the days of the week and dates move, that holds for holidays on a fixed date too.
//!
//! Candidates are the holidays of the country whose calendar is among the features of the panel, and a few that shops in many
//! countries notice. Those are followed that the panel shows: each time, sales of all series together leave what is usual
//! around them by several robust standard deviations, always to the same side. A calendar of another country changes little.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::panel::{DAY, Panel, candidate_holidays, median};

/// Days of a year of the Gregorian calendar, on average.
const YEAR: f64 = 365.2425;
/// Robust standard deviations from which a holiday shows.
const SHOWN: f64 = 4.0;
/// The smallest deviation that may show one, as a logarithm: two in a hundred; and the largest that is looked at.
const SMALLEST: f64 = 0.02;
const LARGEST: f64 = 3.0;
/// The largest ratio of a single series that a holiday may have.
const MOST: f64 = 10.0;
/// How many alike steps on each side are searched for one without a holiday.
const REACH: i64 = 4;
/// Seasons after the history for which holidays are known.
const AHEAD: i64 = 2;

/// What steps correspond to in earlier seasons.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Anniversary {
    /// Steps by which a year is longer than the season.
    drift: f64,
    /// Steps between two that are alike but for holidays.
    alike: i64,
    /// By position, the holiday (which one, how many steps from its day) and its year.
    holidays: BTreeMap<i64, (usize, i32)>,
}

impl Anniversary {
    /// Of a panel with a yearly season of days or weeks; on other calendars a season is a season. The sums over series are
    /// taken in this order of them.
    ///
    /// # Errors
    /// When the holidays of a country cannot be read.
    pub fn of(panel: &Panel, season: usize, order: &[usize]) -> Result<Self> {
        let frequency = panel.frequency();
        let (daily, weekly) = (frequency.length() == DAY, frequency.length() == 7 * DAY);
        let plain = Self::default();
        let alike = match season {
            _ if frequency.is_whole() => return Ok(plain),
            year if daily && frequency.week().is_some_and(|week| year == 52 * week) => {
                frequency.week().unwrap_or(1) as i64
            }
            52 if weekly => 1,
            _ => return Ok(plain),
        };
        let drift = if weekly { (YEAR - 364.0) / 7.0 } else { 0.0 };
        let places = || (0..panel.len()).flat_map(|i| panel.positions(i));
        let (Some(first), Some(last)) = (places().min().copied(), places().max().copied()) else { return Ok(plain) };
        let stamps = panel.columns().stamps;
        let period = |position: i64| panel.inner().calendar.period(position, stamps);
        let mut by_day = BTreeMap::new();
        for position in first..=last + AHEAD * season as i64 {
            let Some((from, to)) = period(position) else { continue };
            by_day.extend(from.iter_days().take_while(|day| *day <= to).map(|day| (day, position)));
        }
        let (Some((begin, _)), Some((end, _))) = (by_day.first_key_value(), by_day.last_key_value()) else {
            return Ok(plain);
        };
        use chrono::Datelike;
        let unusual = Unusual::of(panel, order, first..=last, alike);
        let mut holidays = BTreeMap::new();
        let candidates = candidate_holidays(panel, begin.year()..=end.year())?;
        let mut id = 0;
        for offset in [0, -1, 1] {
            for days in &candidates {
                let date = days.first().map(|day| (day.month(), day.day()));
                // Weeks follow fixed dates by their drift.
                if weekly && days.iter().all(|day| Some((day.month(), day.day())) == date) {
                    continue;
                }
                let mut by_turn: BTreeMap<usize, Vec<(i64, i32)>> = BTreeMap::new();
                let mut turns: BTreeMap<i32, usize> = BTreeMap::new();
                for day in days {
                    let turn = turns.entry(day.year()).or_default();
                    if let Some(position) = by_day.get(day) {
                        by_turn.entry(*turn).or_default().push((position + offset, day.year()));
                    }
                    *turn += 1;
                }
                for places in by_turn.into_values() {
                    id += 1;
                    if unusual.always(places.iter().map(|(position, _)| *position)) {
                        for (position, year) in places {
                            holidays.entry(position).or_insert((id, year));
                        }
                    }
                }
            }
        }
        Ok(Self { drift, alike, holidays })
    }

    /// What a step was so many seasons of `season` steps before, where `at` is what is known of the past.
    pub fn value(&self, position: i64, back: usize, season: usize, at: &dyn Fn(i64) -> Option<f64>) -> Option<f64> {
        let then = position - (season * back) as i64;
        let plain = || {
            let away = self.drift * back as f64;
            let (whole, part) = (away.floor() as i64, away.fract());
            let late = self.ordinary(then - whole, at);
            let early = if part > 0.0 { self.ordinary(then - whole - 1, at) } else { None };
            match (late, early) {
                (Some(late), Some(early)) => Some((1.0 - part) * late + part * early),
                (late, early) => late.or(early),
            }
        };
        let same = self.holidays.get(&position).and_then(|(holiday, year)| {
            let wanted = (*holiday, year - back as i32);
            self.holidays.iter().find(|(_, known)| **known == wanted).map(|(position, _)| *position)
        });
        let Some(same) = same else { return plain() };
        let value = at(same)?;
        match (self.usual(same, at), plain()) {
            (Some(usual), Some(now)) if usual > 0.0 => Some(now * (value / usual).min(MOST)),
            _ => Some(value),
        }
    }

    /// The value of a step without its holiday.
    fn ordinary(&self, position: i64, at: &dyn Fn(i64) -> Option<f64>) -> Option<f64> {
        let usual = || self.usual(position, at);
        if self.holidays.contains_key(&position) { usual().or_else(|| at(position)) } else { at(position) }
    }

    /// The mean of the nearest alike steps without a holiday, one before and one after.
    fn usual(&self, position: i64, at: &dyn Fn(i64) -> Option<f64>) -> Option<f64> {
        let near = |side: i64| {
            let mut places = (1..=REACH).map(|k| position + side * k * self.alike);
            places.find_map(|place| if self.holidays.contains_key(&place) { None } else { at(place) })
        };
        match (near(-1), near(1)) {
            (Some(before), Some(after)) => Some((before + after) / 2.0),
            (before, after) => before.or(after),
        }
    }
}

/// How far the sales of all series together leave what is usual around them.
struct Unusual {
    first: i64,
    /// By step, the logarithm of the ratio.
    deviations: Vec<f64>,
    /// The deviation from which it shows something.
    limit: f64,
}

impl Unusual {
    fn of(panel: &Panel, order: &[usize], span: std::ops::RangeInclusive<i64>, alike: i64) -> Self {
        let (first, last) = span.into_inner();
        let mut sums = vec![(0.0, 0.0); usize::try_from(last - first + 1).unwrap_or(0)];
        for i in order {
            let y = panel.regular(*i);
            let there = || y.iter().filter(|y| !y.is_nan());
            let level = there().sum::<f64>() / there().count().max(1) as f64;
            let Some(start) = panel.positions(*i).first().filter(|_| level > 0.0) else { continue };
            for (t, y) in y.iter().enumerate().filter(|(_, y)| !y.is_nan()) {
                let sum = &mut sums[(start - first) as usize + t];
                *sum = (sum.0 + y / level, sum.1 + 1.0);
            }
        }
        let mean = |t: i64| {
            let (sum, n) = sums.get(usize::try_from(t).ok()?)?;
            (*n > 0.0).then(|| sum / n)
        };
        // The steps next to a holiday may feel it.
        let around = if alike == 1 { [2, 3] } else { [alike, 2 * alike] };
        let deviation = |t: i64| {
            let near: Vec<f64> = around.iter().flat_map(|by| [mean(t - by), mean(t + by)]).flatten().collect();
            let usual = near.iter().sum::<f64>() / near.len() as f64;
            let ratio = mean(t).map_or(f64::NAN, |now| (now / usual).ln());
            if usual > 0.0 { ratio.clamp(-LARGEST, LARGEST) } else { f64::NAN }
        };
        let deviations: Vec<f64> = (0..sums.len() as i64).map(deviation).collect();
        let sizes: Vec<f64> = deviations.iter().filter(|d| !d.is_nan()).map(|d| d.abs()).collect();
        let scale = if sizes.is_empty() { f64::INFINITY } else { 1.4826 * median(sizes) };
        Self { first, deviations, limit: (SHOWN * scale).max(SMALLEST) }
    }

    /// Are all steps that have happened unusual, to the same side, and has one?
    fn always(&self, positions: impl Iterator<Item = i64>) -> bool {
        let happened = positions.filter_map(|p| self.deviations.get(usize::try_from(p - self.first).ok()?));
        let (mut up, mut down, mut other) = (0, 0, 0);
        for deviation in happened {
            match deviation {
                d if *d >= self.limit => up += 1,
                d if *d <= -self.limit => down += 1,
                _ => other += 1,
            }
        }
        other == 0 && up.min(down) == 0 && up.max(down) > 0
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::*;

    use super::*;
    use crate::fitting::profiles::GroupProfiles;
    use crate::models::{GroupSeasonal, Season, Series, SeriesModel};
    use crate::panel::Columns;

    /// Weeks that end on Fridays, with half as much again in the weeks of Easter (24 April 2011, 8 April 2012) and a peak in
    /// the days before Christmas Day.
    fn weeks(series: usize, count: usize, features: &str) -> (Panel, Vec<Vec<f64>>) {
        use chrono::{Datelike, Days, NaiveDate};
        let date = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        let easter = [date(2010, 4, 4), date(2011, 4, 24), date(2012, 4, 8)];
        let (mut id, mut t, mut y, mut all) = (Vec::new(), Vec::new(), Vec::<f64>::new(), Vec::new());
        let epoch = date(1970, 1, 1);
        for i in 0..series {
            let mut values = Vec::new();
            for k in 0..count {
                let end = date(2010, 8, 6) + Days::new(7 * k as u64);
                let days = (0..7).map(|back| end - Days::new(back));
                let sold = days.map(|day| {
                    let christmas = if day.month() == 12 && (15..25).contains(&day.day()) { 2.0 } else { 1.0 };
                    let week = easter.iter().any(|easter| (0..7).contains(&(*easter - day).num_days()));
                    christmas * if week { 1.5 } else { 1.0 }
                });
                let noise = 1.0 + 0.01 * ((i * 31 + k * 17) % 13) as f64 / 13.0;
                values.push((10 + i) as f64 * noise * sold.sum::<f64>());
                id.push(format!("s{i}"));
                t.push((end - epoch).num_days() as i32);
            }
            y.extend(&values);
            all.push(values);
        }
        let t = Column::new("t".into(), t).cast(&DataType::Date).unwrap();
        let mut frame = df!("id" => id, "y" => y).unwrap();
        frame.with_column(t).unwrap();
        let panel = Panel::from_frame(frame, Columns::new(["id"], "t", "y")).unwrap();
        (if features.is_empty() { panel } else { panel.features(features).unwrap() }, all)
    }

    fn forecast(panel: &Panel, values: &[f64], series: usize) -> Vec<f64> {
        let profiles = GroupProfiles::of(panel, 52).unwrap();
        let start = panel.positions(series)[0];
        let one = Series { frequency: panel.frequency(), ..Series::of(values, start, 52) };
        let season = profiles.season(series).cloned().unwrap_or_default();
        let fit = GroupSeasonal::default().fit_with_season(&one, &season).unwrap();
        fit.mean(&crate::models::Ahead { lead: 0, horizon: 20, covariates: Vec::new() }).unwrap()
    }

    #[test]
    fn easter_takes_its_sales_with_it() {
        for features in ["", "holidays(country=US)", "holidays(country=JP)"] {
            for series in [1, 6] {
                let (whole, truth) = weeks(series, 96, "");
                assert_eq!(whole.len(), series);
                let (panel, values) = weeks(series, 80, features);
                let said = forecast(&panel, &values[0], 0);
                let worst = said.iter().zip(&truth[0][80..]).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max);
                // The weeks of Easter: 30 % and 14 % of a week, which would be missed twice.
                assert!(worst < 0.06, "{features} {series}: {worst} {said:?} {:?}", &truth[0][80..]);
            }
        }
    }

    #[test]
    fn the_weeks_before_christmas_come_later_each_year() {
        let (panel, values) = weeks(6, 71, "");
        let (_, truth) = weeks(6, 75, "");
        let said = forecast(&panel, &values[0], 0);
        // 100, 140 and 70 last year are 90, 140 and 80 now: half of that is known, where all that is known of a week is its sum.
        for (step, actual) in truth[0][71..].iter().enumerate() {
            assert!((said[step] / actual - 1.0).abs() < 0.06, "{step}: {} {actual}", said[step]);
        }
    }

    #[test]
    fn other_calendars_have_places_alone() {
        let plain = Anniversary::default();
        let y = [1.0, 2.0, 3.0, 4.0];
        let at = |p: i64| usize::try_from(p).ok().and_then(|p| y.get(p).copied());
        assert_eq!(plain.value(5, 1, 4, &at), Some(2.0));
        assert_eq!(plain.value(4, 2, 4, &at), None);
        assert_eq!(Season::default().anniversary(), &plain);
    }
}
