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
//! runs of a flag and of errors make intervals with the common few too narrow (Lazarus et al. 2018), though not beyond the
//! window in which the level is removed; negative autocorrelation does not narrow it. It has small-sample corrections:
//! residuals are inflated for the leverage of their date and for the degrees of freedom used by level and phases, out of as
//! many independent steps as the autocorrelation of the scores leaves; the critical value is that of Kiefer and Vogelsang (2005, *Econometric Theory*
//! vol. 21) for that many lags, or Student's t with one degree of freedom less than there are runs of the flag,
//! whichever is larger.
//!
//! **Other flags.** A flag that is held fixed and leaves less than 0.3 of sales closes: its steps do not count. Effects are
//! shares of sales without any flag, and add up. Where other flags are on at the same time often enough to matter (a
//! quarter of the standard error), the effect that is stated is the share of sales with those: what sales would have been
//! without this flag alone. Of more than 100 series, the first passes see 100 of those in which the flag is on.
//!
//! A cycle that determines when the flag is on (a holiday in the same week of every year) cannot be held fixed; a
//! caveat names it. `tests/oracles/uplift.py` computes the same with statsmodels.

use std::collections::HashSet;

use rayon::prelude::*;

use super::within::{Controls, Cycle, Group, independent, line, solved, window};
use crate::error::{Error, Result};
use crate::panel::Panel;
use crate::progress;
use crate::statistics::{Estimate, of_scores};

/// How often baseline and effect are estimated in turn.
const PASSES: usize = 3;
/// A baseline below this share of the mean is too low to divide by.
const LEAST_LEVEL: f64 = 0.05;
/// A flag that leaves less than this share of sales closes: it tells nothing of the level.
const CLOSED: f64 = 0.3;
/// An effect is stated relative to sales with the other flags where that moves it by more than this many standard errors.
const SLIGHT: f64 = 0.25;
/// Series from which all passes but the last are estimated, and the cycles are tested.
const SOME: usize = 100;
/// A cycle that leaves less than this share of a flag's variation determines it.
const LEAST_LEFT: f64 = 0.1;
/// Series whose scores are in memory at a time.
const BLOCK: usize = 256;
/// A flag of a panel: 1 where it is on, 0 where it is off, row by row.
#[derive(Clone)]
pub(super) struct Flag {
    pub(super) name: String,
    pub(super) on: Vec<f64>,
}

/// The effect of one flag.
pub(super) struct Effect {
    /// As a share of the baseline.
    pub(super) all: Estimate,
    /// What each date, from the panel's first, adds to the estimate by chance: their long-run variance is its own.
    pub(super) scores: Vec<f64>,
    /// The sum over the steps with the flag of what would have been sold without it, in units of sales.
    pub(super) baseline: f64,
    /// Runs of the flag, those at the same time in several series counted once.
    pub(super) runs: usize,
    /// Series in which the flag is on near steps where it is off: their estimates, and the number of steps with the
    /// flag.
    pub(super) series: Vec<(usize, f64, usize)>,
}

/// The effects of the flags that were asked for.
pub(super) struct Effects<'a> {
    pub(super) effects: Vec<Effect>,
    /// The estimates of all flags, also of those that are held fixed.
    pub(super) all: Vec<f64>,
    /// The weights of the series; zero for those that could not take part.
    pub(super) weights: Vec<f64>,
    pub(super) setting: Setting<'a>,
    /// Cycles that determine when the flags are on, and so are not held fixed.
    pub(super) determined: Vec<Cycle>,
    /// Cycles that are held fixed.
    pub(super) held: Vec<Cycle>,
    /// Steps on either side from which the local level is estimated.
    pub(super) reach: usize,
}

/// The regression's data.
pub(super) struct Setting<'a> {
    pub(super) panel: &'a Panel,
    pub(super) flags: &'a [Flag],
    pub(super) controls: Controls,
    /// The first flags are asked for; the others are held fixed.
    asked: usize,
}

/// A series with level and cycles removed, zero at steps that do not count.
pub(super) struct Adjusted {
    /// Its first date, counted from the panel's.
    pub(super) offset: usize,
    pub(super) sales: Vec<f64>,
    pub(super) flags: Vec<Vec<f64>>,
    /// Sales without the flags, and sales relative to them; zero at steps that do not count.
    pub(super) baseline: Vec<f64>,
    pub(super) relative: Vec<f64>,
    pub(super) counts: Vec<bool>,
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
pub(super) fn effects<'a>(panel: &'a Panel, flags: &'a [Flag], asked: usize) -> Result<Effects<'a>> {
    let mut setting = Setting::of(panel, flags, asked);
    let determined = setting.release(asked)?;
    let held = setting.controls.groups.iter().map(|group| group.cycle).collect();
    let reach = setting.controls.reach;
    if determined.contains(&Cycle::Week) {
        return Err(Error::data(format!(
            "{} is on at the same times of every week, so its effect cannot be separated from theirs",
            named(&flags[..asked])
        )));
    }
    let (effects, all, weights) = setting.estimate(asked)?;
    Ok(Effects { effects, all, weights, determined, held, reach, setting })
}

fn named(flags: &[Flag]) -> String {
    flags.iter().map(|flag| format!("`{}`", flag.name)).collect::<Vec<_>>().join(", ")
}

impl<'a> Setting<'a> {
    fn of(panel: &'a Panel, flags: &'a [Flag], asked: usize) -> Self {
        Self { panel, flags, controls: Controls::of(panel), asked }
    }

    /// Drops the cycles that cannot be held fixed, because the series are too short or because the cycle determines
    /// when the flags are on; returns the latter.
    fn release(&mut self, asked: usize) -> Result<Vec<Cycle>> {
        // Only the flags that are asked for matter here.
        let alone = Self::of(self.panel, &self.flags[..asked], asked);
        let left = |i: usize, groups: &[&Group]| -> Option<f64> {
            let series = alone.adjusted(i, &vec![0.0; asked], groups)?;
            Some(series.flags.iter().flatten().map(|x| x * x).sum())
        };
        let some = self.some(asked);
        let each = |groups: &[&Group]| {
            let one = |i: &usize| progress::check().map(|()| left(*i, groups));
            some.par_iter().map(one).collect::<Result<Vec<_>>>()
        };
        let without = each(&[])?;
        let mut determined = Vec::new();
        let mut kept = Vec::new();
        for group in &alone.controls.groups {
            let with = each(&[group])?;
            let both = without.iter().zip(&with).filter_map(|(without, with)| Some(((*without)?, (*with)?)));
            let (without, with) = both.fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
            let holds = with >= LEAST_LEFT * without && without > 0.0;
            kept.push(holds);
            if !holds && without > 0.0 {
                determined.push(group.cycle);
            }
        }
        let mut kept = kept.into_iter();
        self.controls.groups.retain(|_| kept.next() == Some(true));
        Ok(determined)
    }

    /// Series in which one of the flags is on: at most [`SOME`], evenly spread.
    fn some(&self, asked: usize) -> Vec<usize> {
        let with = |i: &usize| {
            self.flags[..asked].iter().any(|flag| self.panel.column_of(*i, &flag.on).iter().any(|on| *on > 0.0))
        };
        let all: Vec<usize> = (0..self.panel.len()).filter(with).collect();
        let every = all.len().div_ceil(SOME).max(1);
        all.into_iter().step_by(every).collect()
    }

    /// A series without its level and the given cycles, at these effects of the flags; none if too few steps count.
    pub(super) fn adjusted(&self, i: usize, effects: &[f64], groups: &[&Group]) -> Option<Adjusted> {
        let y = self.panel.regular(i);
        let offset = usize::try_from(self.panel.positions(i).first()? - self.controls.first).ok()?;
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
        // Where a flag closes, sales tell nothing of the level and the indices, nor of the effects of other flags.
        let closes = |effect: &f64| 1.0 + effect < CLOSED;
        for (flag, _) in flags.iter().zip(effects).skip(self.asked).filter(|(_, effect)| closes(effect)) {
            counts.iter_mut().zip(flag).for_each(|(counts, on)| *counts &= *on == 0.0);
        }
        let mut tells = counts.clone();
        for (flag, effect) in flags.iter().zip(effects) {
            if closes(effect) {
                tells.iter_mut().zip(flag).for_each(|(tells, on)| *tells &= *on == 0.0);
                continue;
            }
            let factor = 1.0 + effect;
            without.iter_mut().zip(flag).filter(|(_, on)| **on > 0.0).for_each(|(y, _)| *y /= factor);
        }
        let observed = tells.iter().filter(|tells| **tells).count();
        let mean = without.iter().zip(&tells).filter(|(_, c)| **c).map(|(y, _)| y).sum::<f64>() / observed as f64;
        let mut baseline = line(&without, &tells, self.controls.reach);
        for (counts, level) in counts.iter_mut().zip(&baseline) {
            *counts &= mean > 0.0 && *level > LEAST_LEVEL * mean;
        }
        // The index of a phase: the mean ratio of its sales to the baseline so far.
        for group in groups.iter().chain(groups) {
            let of = &group.of[offset..offset + n];
            let (mut sums, mut sizes) = (vec![0.0; group.count], vec![0.0; group.count]);
            for t in (0..n).filter(|t| counts[*t] && tells[*t]) {
                sums[of[t] as usize] += without[t] / baseline[t];
                sizes[of[t] as usize] += 1.0;
            }
            for t in (0..n).filter(|t| counts[*t]).collect::<Vec<_>>() {
                let index = sums[of[t] as usize] / f64::max(sizes[of[t] as usize], 1.0);
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
        let used = steps as f64 / self.controls.reach as f64 + phases.sum::<usize>() as f64 + self.flags.len() as f64;
        if (steps as f64) < used + 3.0 {
            return None;
        }
        let (mut on, mut beside) = (Vec::new(), Vec::new());
        for flag in &flags {
            let off: Vec<f64> = (0..n).map(|t| f64::from(u8::from(counts[t] && flag[t] == 0.0))).collect();
            let near = window(&off, self.controls.reach);
            let with = || (0..n).filter(|t| counts[*t] && flag[*t] > 0.0);
            on.push(with().count());
            beside.push(with().filter(|t| near[*t] > 0.0).count());
        }
        let local = self.controls.local(&counts);
        let without_level = |values: &[f64]| local.removed(values, groups, offset);
        Some(Adjusted {
            offset,
            sales: without_level(&relative),
            flags: flags.iter().map(|flag| without_level(flag)).collect(),
            baseline: (0..n).map(|t| if counts[t] { baseline[t] } else { 0.0 }).collect(),
            relative,
            counts,
            steps,
            used,
            on,
            beside,
        })
    }

    fn estimate(&self, asked: usize) -> Result<(Vec<Effect>, Vec<f64>, Vec<f64>)> {
        let p = self.flags.len();
        let groups: Vec<&Group> = self.controls.groups.iter().collect();
        let mut effects = vec![0.0; p];
        let mut before = effects.clone();
        let (mut weights, mut inverse) = (Vec::new(), Vec::new());
        let (some, every) = (self.some(asked), (0..self.panel.len()).collect::<Vec<_>>());
        for pass in 1..=PASSES {
            let few = pass < PASSES && some.len() < every.len() && every.len() > SOME;
            let sums = if few { &some } else { &every }
                .par_iter()
                .map(|&i| {
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
            // A flag that closes stays out.
            for (effect, before) in effects[asked..].iter_mut().zip(&before[asked..]) {
                if 1.0 + *effect < CLOSED || 1.0 + before < CLOSED {
                    *effect = -1.0;
                }
            }
            inverse = inverted;
        }
        let found = self.intervals(asked, &groups, &before, &effects, &weights, &inverse)?;
        Ok((found, effects, weights))
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
        let dates = self.controls.groups.first().map_or_else(
            || self.panel.extent().map_or(0, |(first, last)| (last - first + 1) as usize),
            |group| group.of.len(),
        );
        let mut scores = vec![vec![0.0; dates]; asked];
        let mut leverage = vec![0.0; dates];
        let mut of_series: Vec<Vec<(usize, f64, usize)>> = vec![Vec::new(); asked];
        let (mut on, mut beside) = (vec![0; asked], vec![0; asked]);
        let (mut baselines, mut others) = (vec![0.0; asked], vec![0.0; asked]);
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
                    let mut h = 0.0;
                    for k in (0..p).filter(|k| *k < asked || series.flags[*k][t] != 0.0) {
                        let row = &inverse[k * p..(k + 1) * p];
                        let pulled: f64 = row.iter().zip(&series.flags).map(|(a, flag)| a * flag[t]).sum();
                        h += pulled * series.flags[k][t];
                        if k < asked {
                            scores[k][series.offset + t] += weights[i] * pulled * residual;
                        }
                    }
                    leverage[series.offset + t] += weights[i] * h;
                }
                for k in 0..asked {
                    on[k] += series.on[k];
                    let column = self.panel.regular_column(i, &self.flags[k].on);
                    let with = column.iter().zip(&series.baseline).filter(|(on, _)| **on > 0.0);
                    baselines[k] += with.map(|(_, baseline)| baseline).sum::<f64>();
                    for j in (0..p).filter(|j| *j != k) {
                        let other = self.panel.regular_column(i, &self.flags[j].on);
                        let both = column.iter().zip(other.iter()).zip(&series.baseline);
                        let both = both.filter(|((on, other), _)| **on > 0.0 && **other > 0.0);
                        others[k] += effects[j] * both.map(|(_, baseline)| baseline).sum::<f64>();
                    }
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
            let runs = self.runs(k);
            let all = of_scores(effects[k], &scores, (runs as f64 - 1.0).max(1.0), Some(self.controls.memory()));
            // Effects add up relative to sales without any flag; stated is that relative to sales with the others.
            let moved = 1.0 + others[k] / baselines[k];
            let matters = (1.0 / moved - 1.0).abs() * effects[k].abs() > SLIGHT * all.error;
            let scale = if matters && moved > CLOSED { 1.0 / moved } else { 1.0 };
            let (all, scores) = (all.times(scale), scores.into_iter().map(|score| scale * score).collect());
            let all = Estimate { value: all.value.max(-1.0), ..all };
            let series = series.into_iter().map(|(i, own, steps)| (i, scale * own, steps)).collect();
            found.push(Effect { all, scores, baseline: baselines[k] / scale, runs, series });
        }
        Ok(found)
    }

    /// Runs of a flag, those at the same time in several series counted once.
    fn runs(&self, k: usize) -> usize {
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
        runs.len()
    }
}

impl Adjusted {
    pub(super) fn fitted(&self, effects: &[f64], t: usize) -> f64 {
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
