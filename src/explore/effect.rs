//! What is the effect of flags on sales, and how certain is it? A regression of relative sales on the flags, with
//! level, trend and calendar held fixed.
//!
//! **The baseline** of a step is what it would have sold without the flags: sales with the flags' own effect divided
//! out, smoothed by a local linear regression on the steps around it (the local level and trend), times the index of
//! its phase in the week or season and, for daily data, in the month. Relative sales are sales divided by the baseline.
//!
//! **The effect** is the coefficient of the flag in the least-squares regression of relative sales on all flags, after
//! the same line and the same indices have been removed from both sides (Frisch and Waugh 1933; Robinson 1988,
//! *Econometrica* vol. 56): a Friday is compared with the Fridays around it. There is one coefficient per flag for the
//! panel; series are weighted by the inverse of their residual variance, none more than four times the median's. The
//! baseline depends on the effect, so the two are estimated in turn.
//!
//! **The interval** is that of Driscoll and Kraay (1998, *Review of Economics and Statistics* vol. 80): scores are
//! summed over series date by date, so that shocks that all series share (a promotion, the weather) count once, and the
//! Newey–West estimator with Bartlett weights allows for autocorrelation over 2.6 √T dates, more than is common because
//! runs of a flag and of errors make intervals with the common few too narrow (Lazarus et al. 2018); negative
//! autocorrelation does not narrow it. It has small-sample corrections: residuals are inflated for the leverage of
//! their date and for the degrees of freedom used by level and phases, out of as many independent steps as the
//! autocorrelation of the scores leaves; the critical value is that of Kiefer and Vogelsang (2005, *Econometric Theory*
//! vol. 21) for that many lags, or Student's t with one degree of freedom less than there are runs of the flag,
//! whichever is larger.
//!
//! A cycle that determines when the flag is on (a holiday in the same week of every year) cannot be held fixed; a
//! caveat names it. `tests/oracles/uplift.py` computes the same with statsmodels.

use std::collections::HashSet;

use chrono::Datelike;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::optimise::positive_definite::solve;
use crate::panel::{DAY, Panel, day_of};
use crate::progress;
use crate::statistics::student_quantile;

/// How often baseline and effect are estimated in turn.
const PASSES: usize = 3;
/// A baseline below this share of the mean is too low to divide by.
const LEAST_LEVEL: f64 = 0.05;
/// A cycle that leaves less than this share of a flag's variation determines it.
const LEAST_LEFT: f64 = 0.1;
/// The most sweeps of demeaning over the cycles.
const SWEEPS: usize = 30;
/// Series whose scores are in memory at a time.
const BLOCK: usize = 256;
/// Lags of the long-run variance, as a multiple of the square root of the number of dates.
const LAGS: f64 = 2.6;
/// The last days of a month are counted from its end: this many.
const LAST_DAYS: u32 = 4;

/// A flag of a panel: 1 where it is on, 0 where it is off, row by row.
pub(super) struct Flag {
    pub(super) name: String,
    pub(super) on: Vec<f64>,
}

/// A cycle of the calendar whose phases are held fixed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Cycle {
    /// Days of the week, or hours of it.
    Week,
    /// Days of the month.
    Month,
    /// Positions in the season.
    Season,
}

/// The phase of each position in a cycle, from the panel's first position on.
struct Group {
    cycle: Cycle,
    of: Vec<u32>,
    count: usize,
}

/// An estimate and its 95 % interval, as shares of the baseline.
#[derive(Clone, Copy)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// The effect of one flag.
pub(super) struct Effect {
    pub(super) all: Estimate,
    /// Series in which the flag is on near steps where it is off: their estimates, and the number of steps with the
    /// flag.
    pub(super) series: Vec<(usize, f64, usize)>,
}

/// The effects of the flags that were asked for.
pub(super) struct Effects {
    pub(super) effects: Vec<Effect>,
    /// Cycles that determine when the flags are on, and so are not held fixed.
    pub(super) determined: Vec<Cycle>,
    /// Cycles that are held fixed.
    pub(super) held: Vec<Cycle>,
    /// Steps on either side from which the local level is estimated.
    pub(super) reach: usize,
}

/// The regression's data.
struct Setting<'a> {
    panel: &'a Panel,
    flags: &'a [Flag],
    first: i64,
    groups: Vec<Group>,
    reach: usize,
}

/// A series with level and cycles removed, zero at steps that do not count.
struct Adjusted {
    /// Its first date, counted from the panel's.
    offset: usize,
    sales: Vec<f64>,
    flags: Vec<Vec<f64>>,
    /// Steps that count, and degrees of freedom used by level, cycles and flags.
    steps: usize,
    used: f64,
    /// For each flag, the steps that count on which it is on, and how many of these have steps without it nearby.
    on: Vec<usize>,
    beside: Vec<usize>,
}

/// The effects of the first `asked` of the flags, the others held fixed.
///
/// # Errors
/// When the work is interrupted, or the effects cannot be separated from the level or the weekday.
pub(super) fn effects(panel: &Panel, flags: &[Flag], asked: usize) -> Result<Effects> {
    let mut setting = Setting::of(panel, flags);
    let determined = setting.release(asked)?;
    let held = setting.groups.iter().map(|group| group.cycle).collect();
    let reach = setting.reach;
    if determined.contains(&Cycle::Week) {
        return Err(Error::data(format!(
            "{} is on at the same times of every week, so its effect cannot be separated from theirs",
            named(&flags[..asked])
        )));
    }
    Ok(Effects { effects: setting.estimate(asked)?, determined, held, reach })
}

fn named(flags: &[Flag]) -> String {
    flags.iter().map(|flag| format!("`{}`", flag.name)).collect::<Vec<_>>().join(", ")
}

impl<'a> Setting<'a> {
    fn of(panel: &'a Panel, flags: &'a [Flag]) -> Self {
        let (first, last) = panel.extent().unwrap_or((0, -1));
        let dates = usize::try_from(last - first + 1).unwrap_or(0);
        let frequency = panel.frequency();
        let (season, step) = (panel.season(), frequency.length());
        let week = (frequency.is_day_or_part() && 7 * DAY % step == 0).then_some((7 * DAY / step) as usize);
        let periodic = |cycle, length: usize| Group {
            cycle,
            of: (0..dates).map(|date| (first + date as i64).rem_euclid(length as i64) as u32).collect(),
            count: length,
        };
        let mut groups = Vec::new();
        if let Some(week) = week.filter(|week| dates >= 3 * week) {
            groups.push(periodic(Cycle::Week, week));
        }
        if week == Some(7) && dates >= 180 {
            let place = |date| {
                day_of(frequency.stamp(first + date as i64)).map_or(0, |day| {
                    let left = u32::from(day.num_days_in_month()) - day.day();
                    if left < LAST_DAYS { 31 - left - 1 } else { day.day() - 1 }
                })
            };
            groups.push(Group { cycle: Cycle::Month, of: (0..dates).map(place).collect(), count: 31 });
        }
        // An annual season is held fixed from three years on, which separate peaks from chance; else the local level
        // follows it.
        let seasons = if season > 31 { 3 } else { 2 };
        let other = season > 1 && week.is_none_or(|week| week % season != 0);
        if other && dates >= seasons * season {
            groups.push(periodic(Cycle::Season, season));
        }
        let reach = match week {
            Some(7) => 28,
            Some(week) => 2 * week,
            None if season > 31 => season / 8,
            None => season,
        };
        Self { panel, flags, first, groups, reach: reach.max(6) }
    }

    /// Drops the cycles that cannot be held fixed, because the series are too short or because the cycle determines
    /// when the flags are on; returns the latter.
    fn release(&mut self, asked: usize) -> Result<Vec<Cycle>> {
        let left = |i: usize, groups: &[&Group]| -> Option<f64> {
            let series = self.adjusted(i, &vec![0.0; self.flags.len()], groups)?;
            Some(series.flags[..asked].iter().flatten().map(|x| x * x).sum())
        };
        let mut determined = Vec::new();
        let mut kept = Vec::new();
        for group in &self.groups {
            let both = (0..self.panel.len())
                .into_par_iter()
                .map(|i| {
                    progress::check()?;
                    Ok(left(i, &[group]).and_then(|with| Some((left(i, &[])?, with))))
                })
                .collect::<Result<Vec<_>>>()?;
            let (without, with) = both.iter().flatten().fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
            let holds = with >= LEAST_LEFT * without && without > 0.0;
            kept.push(holds);
            if !holds && without > 0.0 {
                determined.push(group.cycle);
            }
        }
        let mut kept = kept.into_iter();
        self.groups.retain(|_| kept.next() == Some(true));
        Ok(determined)
    }

    /// A series without its level and the given cycles, at these effects of the flags; none if too few steps count.
    fn adjusted(&self, i: usize, effects: &[f64], groups: &[&Group]) -> Option<Adjusted> {
        let y = self.panel.regular(i);
        let offset = usize::try_from(self.panel.positions(i).first()? - self.first).ok()?;
        let n = y.len();
        let flags: Vec<Vec<f64>> = self
            .flags
            .iter()
            .map(|flag| {
                let column = self.panel.regular_column(i, &flag.on);
                column.iter().map(|on| if *on > 0.0 { 1.0 } else { 0.0 }).collect()
            })
            .collect();
        if flags.iter().all(|flag| flag.iter().all(|on| *on == flag[0])) {
            return None;
        }
        let mut counts: Vec<bool> = y.iter().map(|y| !y.is_nan()).collect();
        // What would have been sold without the flags.
        let mut without: Vec<f64> = y.to_vec();
        for (flag, effect) in flags.iter().zip(effects) {
            let factor = (1.0 + effect).max(0.1);
            without.iter_mut().zip(flag).filter(|(_, on)| **on > 0.0).for_each(|(y, _)| *y /= factor);
        }
        let observed = counts.iter().filter(|counts| **counts).count();
        let mean = without.iter().zip(&counts).filter(|(_, c)| **c).map(|(y, _)| y).sum::<f64>() / observed as f64;
        let mut baseline = line(&without, &counts, self.reach);
        for (counts, level) in counts.iter_mut().zip(&baseline) {
            *counts &= *level > LEAST_LEVEL * mean;
        }
        // The index of a phase: the mean ratio of its sales to the baseline so far.
        for group in groups.iter().chain(groups) {
            let of = &group.of[offset..offset + n];
            let (mut sums, mut sizes) = (vec![0.0; group.count], vec![0.0; group.count]);
            for t in (0..n).filter(|t| counts[*t]) {
                sums[of[t] as usize] += without[t] / baseline[t];
                sizes[of[t] as usize] += 1.0;
            }
            for t in (0..n).filter(|t| counts[*t]).collect::<Vec<_>>() {
                let index = sums[of[t] as usize] / sizes[of[t] as usize];
                counts[t] = index > LEAST_LEVEL;
                baseline[t] *= index;
            }
        }
        let relative: Vec<f64> = (0..n).map(|t| if counts[t] { y[t] / baseline[t] } else { 0.0 }).collect();
        let steps = counts.iter().filter(|counts| **counts).count();
        let phases = groups.iter().map(|group| {
            let of = &group.of[offset..offset + n];
            of.iter().zip(&counts).filter(|(_, counts)| **counts).map(|(phase, _)| *phase).collect::<HashSet<_>>().len()
        });
        let used = steps as f64 / self.reach as f64 + phases.sum::<usize>() as f64 + self.flags.len() as f64;
        if (steps as f64) < used + 3.0 {
            return None;
        }
        let (mut on, mut beside) = (Vec::new(), Vec::new());
        for flag in &flags {
            let off: Vec<f64> = (0..n).map(|t| f64::from(u8::from(counts[t] && flag[t] == 0.0))).collect();
            let near = window(&off, self.reach);
            let with = || (0..n).filter(|t| counts[*t] && flag[*t] > 0.0);
            on.push(with().count());
            beside.push(with().filter(|t| near[*t] > 0.0).count());
        }
        let without_level = |values: Vec<f64>| {
            let level = line(&values, &counts, self.reach);
            let mut rest: Vec<f64> = (0..n).map(|t| if counts[t] { values[t] - level[t] } else { 0.0 }).collect();
            demean(&mut rest, groups, offset, &counts);
            rest
        };
        Some(Adjusted {
            offset,
            sales: without_level(relative),
            flags: flags.into_iter().map(without_level).collect(),
            steps,
            used,
            on,
            beside,
        })
    }

    fn estimate(&self, asked: usize) -> Result<Vec<Effect>> {
        let p = self.flags.len();
        let groups: Vec<&Group> = self.groups.iter().collect();
        let mut effects = vec![0.0; p];
        let mut before = effects.clone();
        let (mut weights, mut inverse) = (Vec::new(), Vec::new());
        for _ in 0..PASSES {
            let sums = (0..self.panel.len())
                .into_par_iter()
                .map(|i| {
                    progress::check()?;
                    Ok(self.adjusted(i, &effects, &groups).map(|series| Sums::of(&series, &effects)))
                })
                .collect::<Result<Vec<_>>>()?;
            weights = weights_of(&sums);
            let (mut system, mut right) = (vec![0.0; p * p], vec![0.0; p]);
            for (sums, weight) in sums.iter().zip(&weights) {
                let Some(sums) = sums else { continue };
                system.iter_mut().zip(&sums.squares).for_each(|(a, b)| *a += weight * b);
                right.iter_mut().zip(&sums.products).for_each(|(a, b)| *a += weight * b);
            }
            let varies = |k: &usize| system[k * p + k] > 1e-9;
            if let Some(k) = (0..asked).find(|k| !varies(k)) {
                return Err(Error::data(format!("`{}` is never on near steps where it is off", self.flags[k].name)));
            }
            // Flags that are held fixed may be collinear with one another, but not with one that is asked for.
            let known = independent(&system, (asked..p).chain(0..asked).filter(varies), p);
            let found = (0..asked).all(|k| known.contains(&k)).then(|| solved(&system, &right, &known, p)).flatten();
            let [estimate, inverted] = found.ok_or_else(|| {
                Error::data(format!(
                    "the effect of {} cannot be separated from that of other flags that are on at the same time",
                    named(&self.flags[..asked])
                ))
            })?;
            before = std::mem::replace(&mut effects, estimate);
            inverse = inverted;
        }
        self.intervals(asked, &groups, &before, &effects, &weights, &inverse)
    }

    /// The effects with their intervals, from the scores of all series summed by date.
    fn intervals(
        &self,
        asked: usize,
        groups: &[&Group],
        before: &[f64],
        effects: &[f64],
        weights: &[f64],
        inverse: &[f64],
    ) -> Result<Vec<Effect>> {
        let p = self.flags.len();
        let dates = self.groups.first().map_or_else(
            || self.panel.extent().map_or(0, |(first, last)| (last - first + 1) as usize),
            |group| group.of.len(),
        );
        let mut scores = vec![vec![0.0; dates]; asked];
        let mut leverage = vec![0.0; dates];
        let mut of_series: Vec<Vec<(usize, f64, usize)>> = vec![Vec::new(); asked];
        let (mut on, mut beside) = (vec![0; asked], vec![0; asked]);
        let (mut steps, mut used) = (0.0, 0.0);
        for block in (0..self.panel.len()).collect::<Vec<_>>().chunks(BLOCK) {
            let series = block
                .par_iter()
                .map(|i| progress::check().map(|()| (*i, self.adjusted(*i, before, groups))))
                .collect::<Result<Vec<_>>>()?;
            for (i, series) in series {
                let Some(series) = series else { continue };
                steps += series.steps as f64;
                used += series.used;
                for t in 0..series.sales.len() {
                    let residual = series.sales[t] - series.fitted(effects, t);
                    for k in 0..asked {
                        let pulled: f64 = (0..p).map(|j| inverse[k * p + j] * series.flags[j][t]).sum();
                        scores[k][series.offset + t] += weights[i] * pulled * residual;
                    }
                    let pulled = (0..p).flat_map(|j| (0..p).map(move |l| (j, l)));
                    let h: f64 =
                        pulled.map(|(j, l)| inverse[j * p + l] * series.flags[j][t] * series.flags[l][t]).sum();
                    leverage[series.offset + t] += weights[i] * h;
                }
                for k in 0..asked {
                    on[k] += series.on[k];
                    beside[k] += series.beside[k];
                    let flag = &series.flags[k];
                    let square: f64 = flag.iter().map(|x| x * x).sum();
                    if square > 1e-6 && series.beside[k] > 0 {
                        let own = (0..flag.len())
                            .map(|t| flag[t] * (series.sales[t] - series.fitted(effects, t) + effects[k] * flag[t]));
                        of_series[k].push((i, own.sum::<f64>() / square, series.beside[k]));
                    }
                }
            }
        }
        if let Some(k) = (0..asked).find(|k| 2 * beside[*k] < on[*k]) {
            return Err(Error::data(format!(
                "`{}` is on for long stretches: only {} of its {} steps are near steps without it, so its effect cannot be \
                 separated from the level of sales at those times",
                self.flags[k].name, beside[k], on[k]
            )));
        }
        let lags = (LAGS * (dates as f64).sqrt()).ceil().max(1.0);
        let mut found = Vec::new();
        for (k, series) in of_series.into_iter().enumerate() {
            let rough = &scores[k];
            let dot = |lag: usize| rough[lag..].iter().zip(rough).map(|(a, b)| a * b).sum::<f64>();
            let shared = if dot(0) > 0.0 { (dot(1) / dot(0)).clamp(0.0, 0.9) } else { 0.0 };
            // Residuals are too small by the degrees of freedom used, out of that many independent steps.
            let independent = steps * (1.0 - shared) / (1.0 + shared);
            let freedom = independent / (independent - used).max(independent / 4.0);
            let scores: Vec<f64> =
                rough.iter().zip(&leverage).map(|(score, h)| score * freedom / (1.0 - h.min(0.9))).collect();
            // Negative autocorrelation, which few scores show by chance, does not narrow the interval.
            let alone: f64 = scores.iter().map(|score| score * score).sum();
            let error = long_run(&scores, lags as usize).max(alone).sqrt();
            let margin = error * self.critical(k, lags / dates as f64)?;
            let value = effects[k];
            let all = Estimate { value, low: (value - margin).max(-1.0), high: value + margin };
            found.push(Effect { all, series });
        }
        Ok(found)
    }

    /// The critical value of the 95 % interval.
    fn critical(&self, k: usize, b: f64) -> Result<f64> {
        let mut runs = HashSet::new();
        for i in 0..self.panel.len() {
            let (positions, on) = (self.panel.positions(i), self.panel.column_of(i, &self.flags[k].on));
            let mut start = None;
            for (row, position) in positions.iter().enumerate() {
                match (on[row] > 0.0, start) {
                    (true, None) => start = Some(*position),
                    (false, Some(from)) => {
                        runs.insert((from, *position));
                        start = None;
                    }
                    _ => {}
                }
            }
            if let (Some(from), Some(last)) = (start, positions.last()) {
                runs.insert((from, last + 1));
            }
        }
        let freedom = (runs.len() as f64 - 1.0).max(1.0);
        let fixed = 1.9600 + 2.9694 * b + 0.4160 * b * b - 0.5324 * b * b * b;
        Ok(student_quantile(freedom, 0.975)?.max(fixed))
    }
}

impl Adjusted {
    fn fitted(&self, effects: &[f64], t: usize) -> f64 {
        self.flags.iter().zip(effects).map(|(flag, effect)| effect * flag[t]).sum()
    }
}

/// The normal equations of one series.
struct Sums {
    squares: Vec<f64>,
    products: Vec<f64>,
    /// The standard deviation of the residuals.
    deviation: f64,
}

impl Sums {
    fn of(series: &Adjusted, effects: &[f64]) -> Self {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let flags = &series.flags;
        let rest: f64 = (0..series.sales.len()).map(|t| (series.sales[t] - series.fitted(effects, t)).powi(2)).sum();
        Self {
            squares: flags.iter().flat_map(|a| flags.iter().map(|b| dot(a, b))).collect(),
            products: flags.iter().map(|flag| dot(flag, &series.sales)).collect(),
            deviation: (rest / (series.steps as f64 - series.used).max(1.0)).sqrt(),
        }
    }
}

/// Series are weighted by the inverse of their residual variance, which counts as at least a quarter of the median's.
fn weights_of(sums: &[Option<Sums>]) -> Vec<f64> {
    let typical = crate::panel::median(sums.iter().flatten().map(|sums| sums.deviation).collect());
    let weight = |sums: &Option<Sums>| match sums {
        Some(sums) if typical > 0.0 => sums.deviation.max(typical / 2.0).powi(-2),
        Some(_) => 1.0,
        None => 0.0,
    };
    sums.iter().map(weight).collect()
}

/// The flags, in the given order, that are not linear combinations of earlier ones: Cholesky's factor without null
/// rows.
fn independent(system: &[f64], order: impl Iterator<Item = usize>, p: usize) -> Vec<usize> {
    let (mut kept, mut factor): (Vec<usize>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
    for k in order {
        let mut row: Vec<f64> = Vec::with_capacity(kept.len() + 1);
        for (j, other) in kept.iter().enumerate() {
            let explained: f64 = row.iter().zip(&factor[j]).map(|(a, b)| a * b).sum();
            row.push((system[k * p + other] - explained) / factor[j][j]);
        }
        let left = system[k * p + k] - row.iter().map(|a| a * a).sum::<f64>();
        if left > 1e-9 * system[k * p + k] {
            row.push(left.sqrt());
            factor.push(row);
            kept.push(k);
        }
    }
    kept
}

/// The solution of the normal equations and the inverse of their matrix, zero for the other flags.
fn solved(system: &[f64], right: &[f64], known: &[usize], p: usize) -> Option<[Vec<f64>; 2]> {
    let part: Vec<f64> = known.iter().flat_map(|a| known.iter().map(move |b| system[a * p + b])).collect();
    let mut inverse = vec![0.0; p * p];
    for (column, b) in known.iter().enumerate() {
        let mut unit = vec![0.0; known.len()];
        unit[column] = 1.0;
        if !solve(&mut part.clone(), &mut unit) {
            return None;
        }
        for (row, a) in known.iter().enumerate() {
            inverse[a * p + b] = unit[row];
        }
    }
    let solution = (0..p).map(|a| (0..p).map(|b| inverse[a * p + b] * right[b]).sum()).collect();
    Some([solution, inverse])
}

/// The long-run variance of a sum of scores autocorrelated over fewer than `lags` dates (Newey and West 1987).
fn long_run(scores: &[f64], lags: usize) -> f64 {
    let at = |lag: usize| scores[lag..].iter().zip(scores).map(|(a, b)| a * b).sum::<f64>();
    let weighted = (1..lags.min(scores.len())).map(|lag| 2.0 * (1.0 - lag as f64 / lags as f64) * at(lag));
    at(0) + weighted.sum::<f64>()
}

/// Moving sums over the steps up to `reach` on either side, the outermost with weight one half.
fn window(values: &[f64], reach: usize) -> Vec<f64> {
    let n = values.len();
    let mut before = Vec::with_capacity(n + 1);
    let mut sum = 0.0;
    before.push(sum);
    for value in values {
        sum += value;
        before.push(sum);
    }
    let over = |t: usize, reach: usize| before[(t + reach + 1).min(n)] - before[t.saturating_sub(reach)];
    (0..n).map(|t| 0.5 * (over(t, reach) + over(t, reach - 1))).collect()
}

/// The local level: at each step the value of a local linear regression on the steps around it that count; where these
/// are too few for a line, their mean.
fn line(values: &[f64], counts: &[bool], reach: usize) -> Vec<f64> {
    let n = values.len();
    // Steps are counted from the middle, which keeps the sums of squares small.
    let place = |t: usize| t as f64 - n as f64 / 2.0;
    let of = |value: &dyn Fn(usize) -> f64| {
        let cells: Vec<f64> = (0..n).map(|t| if counts[t] { value(t) } else { 0.0 }).collect();
        window(&cells, reach)
    };
    let (ones, places) = (of(&|_| 1.0), of(&|t| place(t)));
    let squares = of(&|t| place(t) * place(t));
    let (sums, products) = (of(&|t| values[t]), of(&|t| place(t) * values[t]));
    (0..n)
        .map(|t| {
            let at = place(t);
            let first = places[t] - at * ones[t];
            let second = squares[t] - 2.0 * at * places[t] + at * at * ones[t];
            let product = products[t] - at * sums[t];
            let determinant = ones[t] * second - first * first;
            if ones[t] >= 3.0 && determinant > 1e-9 * (ones[t] * second).max(1.0) {
                (second * sums[t] - first * product) / determinant
            } else {
                sums[t] / ones[t]
            }
        })
        .collect()
}

/// Removes the mean of every phase of every cycle from the steps that count, in turn until none is left.
fn demean(values: &mut [f64], groups: &[&Group], offset: usize, counts: &[bool]) {
    for _ in 0..SWEEPS {
        let mut largest: f64 = 0.0;
        for group in groups {
            let of = &group.of[offset..offset + values.len()];
            let (mut sums, mut sizes) = (vec![0.0; group.count], vec![0.0; group.count]);
            for t in (0..values.len()).filter(|t| counts[*t]) {
                sums[of[t] as usize] += values[t];
                sizes[of[t] as usize] += 1.0;
            }
            let means: Vec<f64> = sums.iter().zip(&sizes).map(|(sum, size)| sum / f64::max(*size, 1.0)).collect();
            largest = means.iter().fold(largest, |largest, mean| largest.max(mean.abs()));
            for t in (0..values.len()).filter(|t| counts[*t]) {
                values[t] -= means[of[t] as usize];
            }
        }
        if largest < 1e-9 || groups.len() < 2 {
            break;
        }
    }
}
