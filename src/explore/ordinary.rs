//! What would a step sell in ordinary times? The level of its series around it, the index of its weekday, and the factors of
//! flags that are known in advance (by weekday) and of the day of the month, all from steps that are near no holiday.
//!
//! Factors are common to all series: the ratio of sales to level and index, summed over all series and over dates, each factor
//! in turn with the others held (iterative proportional fitting; Deming & Stephan 1940, *Annals of Mathematical Statistics*
//! vol. 11), drawn to one where dates are few. Levels are estimated again with the factors.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike;
use rayon::prelude::*;

use super::within::line;
use crate::error::Result;
use crate::panel::{DAY, Panel, Role, day_of};
use crate::progress;

/// Ordinary steps on each side from which the baseline is estimated, of days and of weeks.
const REACH: (usize, usize) = (28, 8);
/// How often levels and factors are estimated in turn, and factors with one another.
const PASSES: usize = 2;
const SWEEPS: usize = 20;
/// A factor is drawn to none as by so many dates that show none.
const FEW: f64 = 2.0;
/// Days of history from which the days of the month are held fixed; its last days are counted from its end, this many.
const LEAST_MONTHS: usize = 180;
const LAST_DAYS: u32 = 4;
/// The most flags that are held fixed.
pub(super) const HELD: usize = 8;
/// Parts in which series are summed, at most.
pub(super) const PARTS: usize = 32;

/// Which steps of the panel are on (2) or near (1) a holiday, from its first position on.
pub(super) struct Near {
    pub(super) first: i64,
    pub(super) of: Vec<u8>,
}

impl Near {
    /// Is a position on or near a holiday?
    pub(super) fn has(&self, position: i64) -> bool {
        self.at(position) > 0
    }

    pub(super) fn at(&self, position: i64) -> u8 {
        usize::try_from(position - self.first).ok().and_then(|at| self.of.get(at)).copied().unwrap_or(0)
    }
}

/// What is known for the baseline of every series: the effects of flags by weekday, and of the day of the month.
pub(super) struct Baseline {
    flags: Vec<Held>,
    /// By date from the panel's first: its place in the month; empty where that is not held fixed.
    place: Vec<usize>,
    month: Vec<f64>,
    reach: usize,
    week: usize,
    first: i64,
}

/// A flag that is held fixed.
struct Held {
    name: String,
    on: Vec<f64>,
    /// The factor by weekday.
    factor: Vec<f64>,
    /// Does it mark holidays, so that it counts for ordinary steps alone?
    of_holidays: bool,
}

/// A series for its baseline.
pub(super) struct Part {
    /// Its first position.
    pub(super) start: i64,
    pub(super) y: Vec<f64>,
    /// The index of the weekday.
    own: Vec<f64>,
    /// Sales of the step relative to the level.
    pub(super) index: Vec<f64>,
    /// Steps that count for the level.
    pub(super) counts: Vec<bool>,
}

impl Baseline {
    /// Of a panel: the factors of its flags and of the days of the month on ordinary steps.
    ///
    /// # Errors
    /// When the covariates cannot be read, or the work is interrupted.
    pub(super) fn of(panel: &Panel, near: &Near) -> Result<Self> {
        let daily = panel.frequency().length() <= DAY;
        let week = match panel.frequency().week() {
            Some(week) if panel.frequency().length() == DAY => week,
            _ if daily => 7,
            _ => 1,
        };
        let reach = if daily { REACH.0 } else { REACH.1 };
        let (first, last) = panel.extent().unwrap_or((0, -1));
        let dates = usize::try_from(last - first + 1).unwrap_or(0);
        let place = if daily && dates >= LEAST_MONTHS {
            let day = |date: usize| {
                day_of(panel.frequency().stamp(first + date as i64)).map_or(0, |day| {
                    let left = u32::from(day.num_days_in_month()) - day.day();
                    (if left < LAST_DAYS { 30 - left } else { day.day() - 1 }) as usize
                })
            };
            (0..dates).map(day).collect()
        } else {
            Vec::new()
        };
        let flags = flags(panel, near, week)?;
        let mut baseline = Self { flags, place, month: vec![1.0; 31], reach, week, first };
        if !baseline.flags.is_empty() || !baseline.place.is_empty() {
            for _ in 0..PASSES {
                let cells = baseline.cells(panel, near)?;
                baseline.fit(cells);
            }
        }
        Ok(baseline)
    }

    /// Ordinary steps on each side that say the level.
    pub(super) fn reach(&self) -> usize {
        self.reach
    }

    /// Are the steps weeks, without weekdays?
    pub(super) fn weekly(&self) -> bool {
        self.week == 1
    }

    /// Weekdays, or one.
    pub(super) fn phases(&self) -> usize {
        self.week
    }

    /// The flags that are held fixed.
    pub(super) fn names(&self) -> Vec<&str> {
        self.flags.iter().map(|flag| flag.name.as_str()).collect()
    }

    /// By date and by which flags are on: the sums of sales and of the level times the series' own index on ordinary steps.
    fn cells(&self, panel: &Panel, near: &Near) -> Result<BTreeMap<(usize, u32), [f64; 2]>> {
        let part = panel.len().div_ceil(PARTS).max(1);
        let parts = (0..panel.len().div_ceil(part))
            .into_par_iter()
            .map(|chunk| {
                let mut cells: BTreeMap<(usize, u32), [f64; 2]> = BTreeMap::new();
                for i in chunk * part..((chunk + 1) * part).min(panel.len()) {
                    progress::check()?;
                    let Some(part) = self.part(panel, i, near) else { continue };
                    let level = part.level(self.reach);
                    let mut on = vec![0_u32; part.y.len()];
                    for (bit, flag) in self.flags.iter().enumerate() {
                        let column = panel.regular_column(i, &flag.on);
                        on.iter_mut().zip(column.iter()).for_each(|(on, x)| *on |= u32::from(*x > 0.0) << bit);
                    }
                    let offset = (part.start - self.first) as usize;
                    for t in (0..part.y.len()).filter(|t| part.counts[*t] && level[*t] > 0.0) {
                        let cell = cells.entry((offset + t, on[t])).or_default();
                        cell[0] += part.y[t];
                        cell[1] += level[t] * part.own[t];
                    }
                }
                Ok(cells)
            })
            .collect::<Result<Vec<_>>>()?;
        let mut cells: BTreeMap<(usize, u32), [f64; 2]> = BTreeMap::new();
        for (at, [y, base]) in parts.into_iter().flatten() {
            let cell = cells.entry(at).or_default();
            (cell[0], cell[1]) = (cell[0] + y, cell[1] + base);
        }
        Ok(cells)
    }

    /// The factors, each in turn as the ratio of sales to what the others say; those of few dates are drawn to none.
    fn fit(&mut self, cells: BTreeMap<(usize, u32), [f64; 2]>) {
        let phase = |date: usize| (self.first + date as i64).rem_euclid(self.week as i64) as usize;
        // The index of a weekday rests on steps with and without flags: what it owes to them is a factor of its own here.
        let mut usual = vec![1.0; self.week];
        for _ in 0..SWEEPS {
            for f in 0..self.flags.len() + 2 {
                let (of_month, of_weekday) = (f == self.flags.len(), f > self.flags.len());
                if of_month && self.place.is_empty() || of_weekday && self.flags.is_empty() {
                    continue;
                }
                let count = if of_month { 31 } else { self.week };
                let (mut sums, mut dates) = (vec![[0.0; 2]; count], vec![BTreeSet::new(); count]);
                let all = of_month || of_weekday;
                for ((date, on), [y, base]) in cells.iter().filter(|((_, on), _)| all || on >> f & 1 == 1) {
                    let at = if of_month { self.place[*date] } else { phase(*date) };
                    let others: f64 = (0..self.flags.len())
                        .filter(|g| *g != f && on >> g & 1 == 1)
                        .map(|g| self.flags[g].factor[phase(*date)])
                        .product();
                    let month = if of_month || self.place.is_empty() { 1.0 } else { self.month[self.place[*date]] };
                    let weekday = if of_weekday { 1.0 } else { usual[phase(*date)] };
                    sums[at][0] += y;
                    sums[at][1] += base * others * month * weekday;
                    dates[at].insert(*date);
                }
                let factor = |([y, base], dates): (&[f64; 2], &BTreeSet<usize>)| {
                    let n = dates.len() as f64;
                    if *base > 0.0 { (1.0 + (y / base - 1.0) * n / (n + FEW)).clamp(0.0, 20.0) } else { 1.0 }
                };
                let factors: Vec<f64> = sums.iter().zip(&dates).map(factor).collect();
                if of_month {
                    self.month = factors;
                } else if of_weekday {
                    usual = factors;
                } else {
                    self.flags[f].factor = factors;
                }
            }
        }
    }

    /// A series with its index; nothing if it is too short.
    pub(super) fn part(&self, panel: &Panel, i: usize, near: &Near) -> Option<Part> {
        let start = *panel.positions(i).first()?;
        let y = panel.regular(i).into_owned();
        let n = y.len();
        let counts: Vec<bool> = (0..n).map(|t| y[t].is_finite() && !near.has(start + t as i64)).collect();
        if counts.iter().filter(|counts| **counts).count() < self.reach {
            return None;
        }
        let phase = |t: usize| (start + t as i64).rem_euclid(self.week as i64) as usize;
        let offset = (start - self.first) as usize;
        let mut factor: Vec<f64> =
            (0..n).map(|t| self.place.get(offset + t).map_or(1.0, |place| self.month[*place])).collect();
        for flag in &self.flags {
            for (t, on) in panel.regular_column(i, &flag.on).iter().enumerate() {
                if *on > 0.0 && !(flag.of_holidays && near.has(start + t as i64)) {
                    factor[t] *= flag.factor[phase(t)];
                }
            }
        }
        let mut index = vec![1.0; self.week];
        if self.week > 1 {
            let without: Vec<f64> = (0..n).map(|t| if factor[t] > 0.05 { y[t] / factor[t] } else { 0.0 }).collect();
            let usable: Vec<bool> = (0..n).map(|t| counts[t] && factor[t] > 0.05).collect();
            let level = line(&without, &usable, self.reach);
            let (mut sums, mut sizes) = (vec![0.0; self.week], vec![0.0; self.week]);
            let all: f64 = without.iter().zip(&usable).filter(|(_, u)| **u).map(|(y, _)| y).sum();
            for t in (0..n).filter(|t| usable[*t] && level[*t] > 0.05 * all / n as f64) {
                sums[phase(t)] += without[t];
                sizes[phase(t)] += level[t];
            }
            for w in 0..self.week {
                index[w] = if sizes[w] > 0.0 { (sums[w] / sizes[w]).max(0.0) } else { 1.0 };
            }
        }
        let own: Vec<f64> = (0..n).map(|t| index[phase(t)]).collect();
        let index = own.iter().zip(&factor).map(|(own, factor)| own * factor).collect();
        Some(Part { start, y, own, index, counts })
    }
}

/// A series is one that sells else where it sold nothing on less than this share of the steps of a weekday.
const SELDOM: f64 = 0.1;

impl Part {
    /// Values from a position on, without index.
    pub(super) fn plain(start: i64, y: Vec<f64>, counts: Vec<bool>) -> Self {
        let one = vec![1.0; y.len()];
        Self { start, y, own: one.clone(), index: one, counts }
    }

    /// Steps on which the series sold nothing although it nearly always does at that weekday: it was shut.
    pub(super) fn shut(&self, week: usize) -> Vec<bool> {
        let phase = |t: usize| (self.start + t as i64).rem_euclid(week as i64) as usize;
        let (mut all, mut none) = (vec![0.0; week], vec![0.0; week]);
        for t in (0..self.y.len()).filter(|t| self.y[*t].is_finite()) {
            all[phase(t)] += 1.0;
            none[phase(t)] += f64::from(u8::from(self.y[t] == 0.0));
        }
        (0..self.y.len()).map(|t| self.y[t] == 0.0 && none[phase(t)] < SELDOM * all[phase(t)]).collect()
    }

    /// Leaves out the steps on which it was shut, but on holidays.
    pub(super) fn without_shut(&mut self, near: &Near, week: usize) {
        for (t, shut) in self.shut(week).into_iter().enumerate() {
            if shut && near.at(self.start + t as i64) < 2 {
                (self.y[t], self.counts[t]) = (f64::NAN, false);
            }
        }
    }

    /// The local level at every step: a line through the ordinary steps around it, sales divided by their index.
    pub(super) fn level(&self, reach: usize) -> Vec<f64> {
        let n = self.y.len();
        let usable: Vec<bool> = (0..n).map(|t| self.counts[t] && self.index[t] > 0.05).collect();
        let values: Vec<f64> = (0..n).map(|t| if usable[t] { self.y[t] / self.index[t] } else { 0.0 }).collect();
        line(&values, &usable, reach)
    }
}

/// The flags that are known in advance, so many at most, and whether they mark holidays.
fn flags(panel: &Panel, near: &Near, week: usize) -> Result<Vec<Held>> {
    let matrix = panel.matrix()?;
    let mut held: Vec<(usize, Held)> = Vec::new();
    for (c, (_, role)) in matrix.sources.iter().enumerate() {
        let column = &matrix.columns[c];
        let flag = *role == Role::Known && column.iter().all(|x| x.is_nan() || *x == 0.0 || *x == 1.0);
        let size = column.iter().filter(|x| **x > 0.0).count();
        if !flag || size == 0 || 2 * size > column.len() {
            continue;
        }
        let (mut on_core, mut core, mut on_near, mut around) = (0, 0, 0, 0);
        for i in 0..panel.len() {
            for (position, x) in panel.positions(i).iter().zip(panel.column_of(i, column)) {
                let mark = near.at(*position);
                core += usize::from(mark == 2);
                on_core += usize::from(mark == 2 && *x > 0.0);
                around += usize::from(mark > 0);
                on_near += usize::from(mark > 0 && *x > 0.0);
            }
        }
        let rows = panel.rows().max(1);
        let rate = size as f64 / rows as f64;
        let of_holidays = on_core as f64 > 3.0 * rate * core as f64 || on_near as f64 > 3.0 * rate * around as f64;
        // What is on at holidays alone is the holiday.
        if size <= on_near {
            continue;
        }
        let on = column.iter().map(|x| f64::from(u8::from(*x > 0.0))).collect();
        held.push((size, Held { name: matrix.names[c].clone(), on, factor: vec![1.0; week], of_holidays }));
    }
    held.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    held.truncate(HELD);
    Ok(held.into_iter().map(|(_, held)| held).collect())
}
