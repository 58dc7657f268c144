//! How much of what happens on a date happens at that time of every year? The season that the level around a date does not
//! follow: harmonics of the year, estimated from ordinary steps.
//!
//! A line through the steps on both sides cuts the hump of a season: a wave of a quarter of a year is lost to it nearly whole,
//! and its top looks like a holiday. So the harmonics lose the same local level as sales and are regressed on one another
//! (the partially linear model of Robinson 1988, *Econometrica* vol. 56), drawn to none by a ridge that predicts best the
//! ordinary dates that are left out. What the harmonics say of a date never rests on that date or on the same one of other
//! years, of a holiday as of an ordinary one; how much less is known of a holiday, around which no step is ordinary, is part
//! of its error.

use super::ordinary::{Near, Part};
use super::spans::{Lines, Sums};
use super::within::line;
use crate::optimise::positive_definite::solve;

/// Harmonics of the year, of weeks and of days.
const HARMONICS: (usize, usize) = (6, 8);
/// Days of a year.
const YEAR: f64 = 365.25;
/// The ridges from which one is chosen.
const RIDGES: [f64; 5] = [0.1, 0.5, 2.0, 10.0, 50.0];

/// The harmonics of the year on the dates of a panel.
pub(super) struct Harmonics {
    /// Without their local level, date by date; none where the date is not ordinary.
    rest: Vec<Option<Vec<f64>>>,
    raw: Vec<Vec<f64>>,
    ordinary: Vec<bool>,
    first: i64,
    reach: usize,
    /// Steps of a year after which the weekday is the same.
    pub(super) year: usize,
}

impl Harmonics {
    /// Of so many dates from the first on, `week` to a week; none where there is no full year.
    pub(super) fn of(first: i64, dates: usize, near: &Near, reach: usize, week: usize) -> Self {
        let (year, period) = (52 * week, YEAR / 7.0 * week as f64);
        let most = if week > 1 { HARMONICS.1 } else { HARMONICS.0 };
        let count = if dates > year { most } else { 0 };
        let ordinary: Vec<bool> = (0..dates).map(|date| !near.has(first + date as i64)).collect();
        let raw: Vec<Vec<f64>> = (0..2 * count)
            .map(|k| {
                let wave = std::f64::consts::TAU * (1 + k / 2) as f64 / period;
                let of = |date: usize| if k % 2 == 0 { (wave * date as f64).cos() } else { (wave * date as f64).sin() };
                (0..dates).map(of).collect()
            })
            .collect();
        let without: Vec<Vec<f64>> = raw
            .iter()
            .map(|raw| raw.iter().zip(line(raw, &ordinary, reach)).map(|(raw, level)| raw - level).collect())
            .collect();
        let rest = (0..dates)
            .map(|date| {
                let row: Vec<f64> = without.iter().map(|without: &Vec<f64>| without[date]).collect();
                (ordinary[date] && row.iter().all(|x| x.is_finite())).then_some(row)
            })
            .collect();
        Self { rest, raw, ordinary, first, reach, year }
    }

    /// What the line through the steps on both sides of a window leaves of the harmonics, by step and date.
    pub(super) fn left(&self, before: usize, length: usize, after: usize) -> Vec<Sums> {
        let dates = self.ordinary.len();
        self.raw
            .iter()
            .map(|raw| {
                let part = Part::plain(self.first, raw.clone(), self.ordinary.clone());
                let mut sums = Sums::empty(before + length + after, dates);
                Lines::of(&part).around(self.reach, before, length, after, |c, k, t, level| {
                    sums.actual[k][c] += part.y[t];
                    sums.expected[k][c] += level;
                });
                sums
            })
            .collect()
    }
}

/// The season as harmonics: their weights for each date of the year, from all other dates.
pub(super) struct Season<'a> {
    of: &'a Harmonics,
    /// By date of the year: the sums of products without the windows around it, and the weights.
    parts: Vec<(Vec<f64>, Vec<f64>)>,
    ridge: f64,
}

impl<'a> Season<'a> {
    /// From what ordinary steps sell relative to their level; NaN where there is nothing. `square` says how badly a season
    /// predicts.
    pub(super) fn of(
        harmonics: &'a Harmonics,
        sales: &[f64],
        window: (usize, usize),
        square: &dyn Fn(&Self) -> f64,
    ) -> Self {
        let n = harmonics.raw.len();
        let mut none = Self { of: harmonics, parts: Vec::new(), ridge: f64::INFINITY };
        if n == 0 {
            return none;
        }
        let row = |date: usize| harmonics.rest[date].as_ref().filter(|_| sales[date].is_finite());
        let add = |into: &mut (Vec<f64>, Vec<f64>), date: usize, sign: f64| {
            if let Some(row) = row(date) {
                for i in 0..n {
                    into.1[i] += sign * row[i] * (sales[date] - 1.0);
                    for j in 0..n {
                        into.0[i * n + j] += sign * row[i] * row[j];
                    }
                }
            }
        };
        let dates = sales.len();
        let mut all = (vec![0.0; n * n], vec![0.0; n]);
        (0..dates).for_each(|date| add(&mut all, date, 1.0));
        if (0..dates).filter(|date| row(*date).is_some()).count() < 2 * n {
            return none;
        }
        let sums: Vec<(Vec<f64>, Vec<f64>)> = (0..harmonics.year)
            .map(|phase| {
                let mut part = all.clone();
                let mut done = 0;
                for start in (phase..dates).step_by(harmonics.year) {
                    let from = (start.saturating_sub(window.0)).max(done);
                    let to = (start + window.1).min(dates);
                    (from..to).for_each(|date| add(&mut part, date, -1.0));
                    done = to.max(done);
                }
                part
            })
            .collect();
        let mut best = f64::INFINITY;
        for ridge in RIDGES {
            let parts = sums.iter().map(|(products, right)| {
                let mut weights = right.clone();
                if !solve(&mut with_ridge(products, n, ridge), &mut weights) {
                    weights.fill(0.0);
                }
                (products.clone(), weights)
            });
            let season = Self { of: harmonics, parts: parts.collect(), ridge };
            let size = square(&season);
            if size < best {
                (best, none) = (size, season);
            }
        }
        none
    }

    /// What the line leaves of the season on a date.
    pub(super) fn at(&self, date: usize, left: &[f64]) -> f64 {
        let Some((_, weights)) = self.parts.get(date % self.of.year) else { return 0.0 };
        weights.iter().zip(left).map(|(weight, left)| weight * left).sum()
    }

    /// The variance of that, as a multiple of the variance of a step.
    pub(super) fn variance(&self, date: usize, left: &[f64]) -> f64 {
        let Some((products, _)) = self.parts.get(date % self.of.year) else { return 0.0 };
        let mut pulled = left.to_vec();
        if !solve(&mut with_ridge(products, left.len(), self.ridge), &mut pulled) {
            return 0.0;
        }
        pulled.iter().zip(left).map(|(a, b)| a * b).sum::<f64>().max(0.0)
    }
}

fn with_ridge(products: &[f64], n: usize, ridge: f64) -> Vec<f64> {
    let mut system = products.to_vec();
    (0..n).for_each(|i| system[i * n + i] += ridge);
    system
}
