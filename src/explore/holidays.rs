//! What do sales do around each holiday, by its name: on its own days, before and after, and what is that worth in a year?
//!
//! **The baseline** of a step near a holiday is what it would have sold without one: a line through the ordinary steps on both
//! sides of the window (28 days or 8 weeks of each; steps near this or another holiday are left out), times the index of the
//! weekday, times the effects of the flags that are known in advance, such as promotions, which a regression gives
//! (`within`). The effect is the sum of sales over all series and occurrences, divided by that of the baseline, less one.
//!
//! **How sure.** A shock that all series share counts once, and few years have few Christmases, so that a holiday's own
//! occurrences say little about its error. Ordinary dates do: the same statistic, with a window and a baseline of its own, is
//! taken around every date (of the same weekday) that is far from all holidays. The mean square of these placebos is the
//! variance of one occurrence; where dates a year apart go together, several occurrences have a larger variance than
//! independent ones. Interval and p-value are those of Student's t with as many degrees of freedom as there are placebo
//! windows that do not overlap, or as their kurtosis gives, where tails are heavy (a randomisation test with a parametric tail; Fisher 1935; Abadie, Diamond & Hainmueller 2010,
//! *Journal of the American Statistical Association* vol. 105, for placebos).
//!
//! **It fails** where a holiday has fewer than two occurrences with ordinary steps on both sides (described, not tested), on
//! calendars coarser than weeks, and where the year itself peaks on the same date every year (what else returns each year on
//! that date is part of the effect). Holidays less than two steps apart share their window half and half.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kept::{Holiday, Kept};
use super::ordinary::{Baseline, HELD, PARTS, Part};
use super::{Ask, Finding};
use crate::error::{Error, Result};
use crate::figures::Around;
use crate::panel::{DAY, Panel};
use crate::progress;
use crate::show::words::{amount, counted, listed, rounded};
use crate::show::{Claim, Placebo, Table};
use crate::statistics::{Estimate, check_level};

/// Options of `holidays`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HolidayEffects {
    /// The country whose public holidays are asked for, by its code (DE, US, GB); that of the panel's features if it is not
    /// stated, else what shops in many countries notice.
    pub country: Option<String>,
    /// A covariate that says which holiday it is, by its name, or a flag; instead of a country.
    pub by: Option<String>,
    /// Steps told before each holiday; 5 days or 1 week if not stated.
    pub before: Option<usize>,
    /// Steps told after each holiday; 3 days or 1 week if not stated.
    pub after: Option<usize>,
    /// Rows of the table.
    pub top: usize,
    /// The probability of the intervals.
    pub level: f64,
}

impl Default for HolidayEffects {
    fn default() -> Self {
        Self { country: None, by: None, before: None, after: None, top: 30, level: 0.95 }
    }
}

/// The fewest ordinary dates that can say how unusual a holiday is.
const LEAST_PLACEBOS: usize = 12;
/// The most steps before or after a holiday.
const FURTHEST: usize = 30;
/// The share of series without sales from which a day is closed.
const CLOSED: f64 = 0.9;

/// Actual and expected sales around every date, for windows of one length and one set of series.
struct Sums {
    /// By step of the window, then by date of its first holiday step.
    actual: Vec<Vec<f64>>,
    expected: Vec<Vec<f64>>,
}

/// What was found for one holiday.
struct Found {
    name: String,
    years: Vec<i32>,
    occurrences: usize,
    /// Steps before the holiday in the window, and steps of the holiday itself.
    before: usize,
    length: usize,
    /// Effects by part, as shares.
    itself: f64,
    ahead: f64,
    behind: f64,
    steps: Vec<(i64, Estimate)>,
    whole: Estimate,
    placebo: Option<Placebo>,
    typical: f64,
    money: f64,
    closed: usize,
}

impl Ask for HolidayEffects {
    const NAME: &str = "holidays";
    const SUMMARY: &str = "The effect of each holiday, by name: on its days, before and after, in per cent and a year";
    const EXAMPLE: &str = "holidays(country=US)";
    const ALSO: &str = "holiday, holiday effects, public holidays, christmas, easter";

    fn check(&self) -> Result<()> {
        check_level(self.level)?;
        match self.before.into_iter().chain(self.after).max().unwrap_or(0) {
            0..=FURTHEST => {}
            steps => {
                return Err(Error::usage(format!("before and after are {FURTHEST} steps at most, not {steps}")));
            }
        }
        if self.country.is_some() && self.by.is_some() {
            return Err(Error::usage("holidays takes country=CODE or by=COLUMN, not both"));
        }
        Ok(())
    }

    fn tour(panel: &Panel) -> Vec<Self> {
        if dated(panel).is_ok() { vec![Self::default()] } else { Vec::new() }
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let daily = dated(panel)?;
        let (before, after) =
            (self.before.unwrap_or(if daily { 5 } else { 1 }), self.after.unwrap_or(if daily { 3 } else { 1 }));
        let kept = self.kept(panel, before, after)?;
        let baseline = Baseline::of(panel, &kept.near)?;
        let (found, few) = measured(panel, &kept, &baseline, before, after)?;
        self.told(panel, &kept, &baseline, found, few)
    }
}

/// Is the panel daily (or weekly)?
pub(super) fn dated(panel: &Panel) -> Result<bool> {
    let frequency = panel.frequency();
    match frequency.length() {
        _ if frequency.is_whole() => {
            Err(Error::data("holidays need dates, and the calendar of these data is one of whole numbers"))
        }
        length if length == DAY => Ok(true),
        length if length == 7 * DAY => Ok(false),
        length if length < DAY => {
            Err(Error::data("holidays are asked of days or weeks: aggregate the hours to days first"))
        }
        _ => Err(Error::data(format!(
            "a {} holds a holiday among many other days, so that its effect cannot be told from theirs; ask daily or weekly data",
            frequency.noun()
        ))),
    }
}

/// Actual and expected sales around every date, for each length of a holiday and each set of series: one pass over the series.
fn around(
    panel: &Panel,
    kept: &Kept,
    baseline: &Baseline,
    jobs: &[(usize, usize)],
    before: usize,
    after: usize,
) -> Result<(Vec<Sums>, Vec<[f64; 2]>)> {
    let (first, last) = panel.extent().unwrap_or((0, -1));
    let dates = (last - first + 1) as usize;
    let part = panel.len().div_ceil(PARTS).max(1);
    let empty = |length: usize| Sums {
        actual: vec![vec![0.0; dates]; before + length + after],
        expected: vec![vec![0.0; dates]; before + length + after],
    };
    let summed = (0..panel.len().div_ceil(part))
        .into_par_iter()
        .map(|chunk| {
            let mut sums: Vec<Sums> = jobs.iter().map(|(length, _)| empty(*length)).collect();
            let mut open = vec![[0.0; 2]; dates];
            for i in chunk * part..((chunk + 1) * part).min(panel.len()) {
                progress::check()?;
                let Some(series) = baseline.part(panel, i, &kept.near) else { continue };
                let offset = (series.start - first) as usize;
                for t in (0..series.y.len()).filter(|t| series.y[*t].is_finite() && series.index[*t] > 0.05) {
                    open[offset + t][0] += 1.0;
                    open[offset + t][1] += f64::from(u8::from(series.y[t] == 0.0));
                }
                let fit = Lines::of(&series);
                for ((length, set), sums) in jobs.iter().zip(&mut sums) {
                    if !kept.sets[*set][i] {
                        continue;
                    }
                    fit.around(&series, baseline.reach(), before, *length, after, offset, sums);
                }
            }
            Ok((sums, open))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut sums: Vec<Sums> = jobs.iter().map(|(length, _)| empty(*length)).collect();
    let mut open = vec![[0.0; 2]; dates];
    for (part, closed) in summed {
        for (sums, part) in sums.iter_mut().zip(part) {
            let both = sums.actual.iter_mut().zip(part.actual).chain(sums.expected.iter_mut().zip(part.expected));
            both.for_each(|(sum, part)| sum.iter_mut().zip(part).for_each(|(a, b)| *a += b));
        }
        open.iter_mut().zip(closed).for_each(|(a, b)| (a[0], a[1]) = (a[0] + b[0], a[1] + b[1]));
    }
    Ok((sums, open))
}

/// Running sums over the steps that count, from which a line through any of them follows.
struct Lines {
    /// Steps that count.
    at: Vec<usize>,
    /// Sums of y, y t, index, index t, index t² before each of them.
    sums: Vec<[f64; 5]>,
    middle: f64,
}

impl Lines {
    fn of(series: &Part) -> Self {
        let at: Vec<usize> = (0..series.y.len()).filter(|t| series.counts[*t] && series.index[*t] > 0.05).collect();
        let middle = series.y.len() as f64 / 2.0;
        let mut sum = [0.0; 5];
        let mut sums = vec![sum];
        for t in &at {
            let (y, index, place) = (series.y[*t], series.index[*t], *t as f64 - middle);
            let next = [y, y * place, index, index * place, index * place * place];
            sum.iter_mut().zip(next).for_each(|(sum, next)| *sum += next);
            sums.push(sum);
        }
        Self { at, sums, middle }
    }

    #[allow(clippy::too_many_arguments)]
    fn around(
        &self,
        series: &Part,
        reach: usize,
        before: usize,
        length: usize,
        after: usize,
        offset: usize,
        into: &mut Sums,
    ) {
        let n = series.y.len();
        let (mut left, mut right) = (0, 0);
        // Steps on one side may be a little further away where a holiday lies between, but not much.
        let furthest = 3 * reach;
        for c in 0..n {
            let low = c as i64 - before as i64;
            let high = c + length + after;
            while left < self.at.len() && (self.at[left] as i64) < low {
                left += 1;
            }
            while right < self.at.len() && self.at[right] < high {
                right += 1;
            }
            let (from, to) = (left.saturating_sub(reach), (right + reach).min(self.at.len()));
            let enough = |steps: usize| 2 * steps >= reach;
            if low < 0
                || high > n
                || !enough(left - from)
                || !enough(to - right)
                || (c - self.at[from]) > furthest
                || self.at[to - 1] - c > furthest
            {
                continue;
            }
            let mut s = [0.0; 5];
            for (k, s) in s.iter_mut().enumerate() {
                *s = self.sums[left][k] - self.sums[from][k] + self.sums[to][k] - self.sums[right][k];
            }
            // y = index (level + slope (t − c)), steps weighted by the inverse of their index.
            let at = c as f64 - self.middle;
            let [y, yt, i, it, itt] = s;
            let (first, second, product) = (it - at * i, itt - 2.0 * at * it + at * at * i, yt - at * y);
            let determinant = i * second - first * first;
            if determinant.is_nan() || determinant <= 1e-9 * i * second {
                continue;
            }
            let level = (second * y - first * product) / determinant;
            let slope = (i * product - first * y) / determinant;
            for k in 0..before + length + after {
                let t = (low + k as i64) as usize;
                if series.y[t].is_finite() {
                    into.actual[k][offset + c] += series.y[t];
                    into.expected[k][offset + c] += series.index[t] * (level + slope * (t as f64 - c as f64));
                }
            }
        }
    }
}

/// Effects of holidays, and holidays with too few occurrences: their names and how many.
type Measured = (Vec<Found>, Vec<(String, usize)>);

/// The effects of all holidays, those with the most money first, and the names of those that have too few occurrences.
fn measured(panel: &Panel, kept: &Kept, baseline: &Baseline, before: usize, after: usize) -> Result<Measured> {
    let (first, last) = panel.extent().unwrap_or((0, -1));
    let dates = (last - first + 1) as usize;
    let longest = |holiday: &Holiday| holiday.runs.iter().map(|(from, to)| (to - from + 1) as usize).max().unwrap_or(1);
    let mut jobs: Vec<(usize, usize)> = Vec::new();
    for holiday in kept.holidays.iter().filter(|holiday| holiday.asked) {
        let job = (longest(holiday).min(14), holiday.set);
        if !jobs.contains(&job) {
            jobs.push(job);
        }
    }
    let (sums, open) = around(panel, kept, baseline, &jobs, before, after)?;
    let (mut found, mut few) = (Vec::new(), Vec::new());
    for holiday in kept.holidays.iter().filter(|holiday| holiday.asked) {
        let length = longest(holiday).min(14);
        let Some(sums) = jobs.iter().position(|job| *job == (length, holiday.set)).map(|at| &sums[at]) else {
            continue;
        };
        let sum = |date: usize, steps: &std::ops::Range<usize>| -> [f64; 2] {
            let of = |values: &[Vec<f64>]| steps.clone().map(|k| values[k][date]).sum::<f64>();
            [of(&sums.actual), of(&sums.expected)]
        };
        let width = before + length + after;
        let starts: Vec<usize> = holiday
            .runs
            .iter()
            .filter_map(|(from, _)| usize::try_from(from - first).ok().filter(|at| *at < dates))
            .filter(|at| sums.expected.iter().any(|step| step[*at] > 0.0))
            .collect();
        if starts.is_empty() {
            few.push((holiday.name.clone(), 0));
            continue;
        }
        // Another holiday nearby takes its share of the window.
        let mine = |k: usize| {
            starts.iter().all(|start| {
                let position = first + *start as i64 + k as i64 - before as i64;
                let away = |from: i64, to: i64| (from - position).max(position - to).max(0);
                let own = away(first + *start as i64, first + (*start + length) as i64 - 1);
                kept.holidays
                    .iter()
                    .filter(|other| {
                        !std::ptr::eq(*other, holiday) && covers(&kept.sets[other.set], &kept.sets[holiday.set])
                    })
                    .all(|other| {
                        other
                            .runs
                            .iter()
                            .all(|(from, to)| away(*from, *to) > own || (away(*from, *to) == own && position < *from))
                    })
            })
        };
        let core = before..before + length;
        let begin = (0..before).rev().take_while(|k| mine(*k)).last().unwrap_or(before);
        let end = (core.end..width).take_while(|k| mine(*k)).last().map_or(core.end, |k| k + 1);
        let whole = begin..end;
        let share = |[a, e]: [f64; 2]| if e > 0.0 { a / e - 1.0 } else { f64::NAN };
        let pooled = |steps: &std::ops::Range<usize>| {
            share(starts.iter().map(|at| sum(*at, steps)).fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d]))
        };
        let week = baseline.phases() as i64;
        let phases: BTreeSet<i64> = starts.iter().map(|at| (first + *at as i64).rem_euclid(week)).collect();
        let same = |date: usize| phases.contains(&(first + date as i64).rem_euclid(week));
        let free = |date: usize, most: u8| {
            (begin..end).all(|k| kept.near.at(first + date as i64 + k as i64 - before as i64) <= most)
        };
        let ordinary = |alike: bool, most: u8| -> Vec<usize> {
            (0..dates)
                .filter(|date| (!alike || same(*date)) && free(*date, most) && sum(*date, &whole)[1] > 0.0)
                .collect()
        };
        // Of the same weekday, far from all holidays; where these are too few, of any weekday, then nearer.
        let choices = [(true, 0), (false, 0), (true, 1), (false, 1)];
        let choice = choices.into_iter().map(|(alike, most)| (alike, ordinary(alike, most)));
        let Some((alike, placebos)) = choice.into_iter().find(|(_, dates)| dates.len() >= LEAST_PLACEBOS) else {
            few.push((holiday.name.clone(), starts.len()));
            continue;
        };
        let spacing = if alike { week as f64 / phases.len() as f64 } else { 1.0 };
        let independent = placebos.len() as f64 * (spacing / (end - begin) as f64).min(1.0);
        let freedom = (independent - 1.0).max(2.0);
        let m = starts.len() as f64;
        let estimate = |steps: &std::ops::Range<usize>| -> (Estimate, f64, Vec<f64>) {
            let value = pooled(steps);
            let of: Vec<f64> = (0..dates).map(|date| share(sum(date, steps))).collect();
            let sizes: Vec<f64> = placebos.iter().map(|date| of[*date]).filter(|x| x.is_finite()).collect();
            let variance = sizes.iter().map(|x| x * x).sum::<f64>() / sizes.len() as f64;
            let repeated = repeated(&of, &|date| free(date, 0), if week == 7 { 364 } else { 52 });
            let error = (variance * (1.0 + (m - 1.0) * repeated) / m).sqrt() * (1.0 + value).max(1.0);
            let error = if value.is_finite() && error.is_finite() { error } else { f64::INFINITY };
            // Student's t has a kurtosis of 6 / (freedom − 4); that of a mean is smaller by the number of occurrences.
            let fourth = sizes.iter().map(|x| x.powi(4)).sum::<f64>() / sizes.len() as f64;
            let excess = (fourth / (variance * variance) - 3.0) / m;
            let freedom = if excess > 0.0 { freedom.min(4.0 + 6.0 / excess) } else { freedom };
            (Estimate { value, error, freedom }, variance.sqrt(), of)
        };
        let (all, typical, of) = estimate(&whole);
        let occurrences = starts.len();
        let money = {
            let [a, e] = starts.iter().map(|at| sum(*at, &whole)).fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d]);
            (a - e) / m * a_year(&holiday.runs, panel)
        };
        let years: BTreeSet<i32> =
            starts.iter().filter_map(|at| panel.inner().calendar.year(first + (*at + length) as i64 - 1)).collect();
        let closed = (0..length)
            .filter(|k| {
                let [open, zero] = starts.iter().fold([0.0; 2], |[a, b], at| {
                    let [c, d] = open.get(at + k).copied().unwrap_or_default();
                    [a + c, b + d]
                });
                open > 0.0 && zero >= CLOSED * open
            })
            .count();
        let steps = whole.clone().map(|k| (k as i64 - before as i64, estimate(&(k..k + 1)).0)).collect();
        if occurrences < 2 {
            few.push((holiday.name.clone(), occurrences));
        }
        found.push(Found {
            name: holiday.name.clone(),
            years: years.into_iter().collect(),
            occurrences,
            before: before - begin,
            length,
            itself: pooled(&core),
            ahead: pooled(&(begin..core.start)),
            behind: pooled(&(core.end..end)),
            steps,
            whole: all,
            placebo: Placebo::of(all.value, &means(&of, &placebos, &starts)),
            typical,
            money,
            closed,
        });
    }
    found.sort_by(|a, b| b.money.abs().total_cmp(&a.money.abs()));
    Ok((found, few))
}

/// Does one set of series hold all of another?
fn covers(set: &[bool], other: &[bool]) -> bool {
    set.iter().zip(other).all(|(set, other)| *set || !other)
}

/// How many occurrences a year has: one of most holidays.
fn a_year(runs: &[(i64, i64)], panel: &Panel) -> f64 {
    let calendar = &panel.inner().calendar;
    let mut by_year: BTreeMap<i32, f64> = BTreeMap::new();
    for year in runs.iter().filter_map(|(from, _)| calendar.year(*from)) {
        *by_year.entry(year).or_default() += 1.0;
    }
    by_year.values().fold(1.0, |most: f64, n| most.max(*n))
}

/// The correlation of the statistic on dates a year apart, none if negative.
fn repeated(of: &[f64], ordinary: &dyn Fn(usize) -> bool, lag: usize) -> f64 {
    let dates: Vec<bool> = (0..of.len()).map(|date| of[date].is_finite() && ordinary(date)).collect();
    let (mut both, mut first, mut second) = (0.0, 0.0, 0.0);
    for date in lag..of.len() {
        if dates[date] && dates[date - lag] {
            both += of[date] * of[date - lag];
            first += of[date].powi(2);
            second += of[date - lag].powi(2);
        }
    }
    if first > 0.0 && second > 0.0 { (both / (first * second).sqrt()).clamp(0.0, 1.0) } else { 0.0 }
}

/// Means over as many ordinary dates as there are occurrences: these moved by the same number of steps; where too few can be,
/// single ordinary dates, which vary more.
fn means(of: &[f64], placebos: &[usize], starts: &[usize]) -> Vec<f64> {
    let (ordinary, m) = (placebos.iter().copied().collect::<BTreeSet<usize>>(), starts.len());
    let (Some(first), Some(last)) = (starts.first(), starts.last()) else { return Vec::new() };
    let (first, last) = (*first as i64, *last as i64);
    let moved = (-first..of.len() as i64 - last).filter_map(|by| {
        let at = starts.iter().map(|start| usize::try_from(*start as i64 + by).ok().filter(|at| ordinary.contains(at)));
        let sum = at.map(|at| at.map(|at| of[at])).sum::<Option<f64>>()?;
        Some(sum / m as f64)
    });
    let moved: Vec<f64> = moved.collect();
    if moved.len() >= 2 * LEAST_PLACEBOS { moved } else { placebos.iter().map(|date| of[*date]).collect() }
}

impl HolidayEffects {
    fn told(
        &self,
        panel: &Panel,
        kept: &Kept,
        baseline: &Baseline,
        found: Vec<Found>,
        few: Vec<(String, usize)>,
    ) -> Result<Finding> {
        let noun = panel.frequency().noun();
        if found.is_empty() {
            let names: Vec<&str> = few.iter().map(|(name, _)| name.as_str()).collect();
            return Err(Error::data(format!(
                "no holiday can be told from ordinary {noun}s: {} with too few {noun}s around, or too few ordinary ones",
                listed(&names, 4)
            )));
        }
        let tested: Vec<&Found> = found.iter().filter(|found| found.occurrences >= 2).collect();
        let target = panel.columns().target().to_string();
        let claims: Vec<Claim> = tested.iter().map(|found| self.claim(found, noun, &target, panel.len())).collect();
        let lead = tested.iter().find(|found| found.whole.excludes_zero(self.level));
        let mut sentence = match lead {
            Some(found) => format!("{}.", self.words(found, noun, &target)),
            None if tested.is_empty() => format!(
                "No holiday has two occurrences with ordinary {noun}s around them, so that none can be told from chance."
            ),
            None => format!(
                "No holiday shows: sales around {} are no further from what those {noun}s would have sold than they are around \
                 ordinary dates.",
                listed(&tested.iter().map(|found| found.name.as_str()).collect::<Vec<_>>(), 4)
            ),
        };
        if let Some(lead) = lead {
            let rest: Vec<&Found> = tested.iter().copied().filter(|found| found.name != lead.name).collect();
            let (shown, none): (Vec<&Found>, Vec<&Found>) =
                rest.into_iter().partition(|found| found.whole.excludes_zero(self.level));
            let mut parts: Vec<String> =
                shown.iter().take(4).map(|found| format!("{} {}", found.name, signed(found.whole.value))).collect();
            if !none.is_empty() {
                let names: Vec<&str> = none.iter().map(|found| found.name.as_str()).collect();
                parts.push(format!("none that shows: {}", listed(&names, 4)));
            }
            if !parts.is_empty() {
                sentence = format!("{}; {}.", sentence.trim_end_matches('.'), parts.join("; "));
            }
        }
        let figure = found.first().map(|found| {
            let percent = |share: f64| 100.0 * share;
            let effects = found.steps.iter().map(|(step, estimate)| {
                let (low, high) = estimate.interval(self.level);
                (*step, percent(estimate.value), percent(low), percent(high))
            });
            Around {
                title: format!("Sales around {}", found.name),
                value: format!("{target}, % above what the {noun} would have sold"),
                foot: format!("{noun}s from the first of {}", found.name),
                effects: effects.collect(),
                placebo: Some(percent(found.typical)),
            }
            .figure()
        });
        let mut caveats = Vec::new();
        for found in found.iter().filter(|found| found.closed > 0) {
            let shift = if found.ahead.is_finite() && found.before > 0 {
                format!(
                    "; the {} before sold {}",
                    counted(found.before, noun, &format!("{noun}s")),
                    signed(found.ahead)
                )
            } else {
                String::new()
            };
            let of = match (found.closed, found.length) {
                (_, 1) => String::new(),
                (closed, length) if closed == length => format!(" on its {length} {noun}s"),
                (closed, length) => format!(" on {closed} of its {length} {noun}s"),
            };
            caveats.push(format!("{}: closed{of} in nearly all series{shift}.", found.name));
        }
        let once: Vec<&str> = few.iter().map(|(name, _)| name.as_str()).collect();
        if !once.is_empty() {
            caveats.push(format!(
                "Not tested, for want of two occurrences with ordinary {noun}s on both sides: {}.",
                listed(&once, 8)
            ));
        }
        let held: Vec<&str> = baseline.names();
        let held = if held.is_empty() { String::new() } else { format!(", with {} held fixed", listed(&held, HELD)) };
        caveats.push(format!(
            "What {noun}s would have sold is the level of the {} ordinary {noun}s on each side{}{held}. Asked were {}. The \
             effect is an association: it includes whatever else happened on those dates, such as promotions for the holiday and \
             what else returns at that time of the year.",
            baseline.reach(),
            if !baseline.weekly() { " at the same weekday" } else { "" },
            kept.whose,
        ));
        let all = found.len();
        let rows: Vec<&Found> = found.iter().take(self.top.max(1)).collect();
        let numbers = |name: &str, pick: &dyn Fn(&Found) -> f64| {
            Column::new(name.into(), rows.iter().map(|row| pick(row)).collect::<Vec<_>>())
        };
        let percent = |share: f64| (1000.0 * share).round() / 10.0;
        let end = |found: &Found, high: bool| match found.occurrences {
            0 | 1 => f64::NAN,
            _ => {
                let (low, top) = found.whole.interval(self.level);
                percent(if high { top } else { low.max(-1.0) })
            }
        };
        let columns = vec![
            Column::new("holiday".into(), rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>()),
            Column::new("occurrences".into(), rows.iter().map(|row| row.occurrences as u64).collect::<Vec<_>>()),
            numbers("itself %", &|found| percent(found.itself)),
            numbers("before %", &|found| percent(found.ahead)),
            numbers("after %", &|found| percent(found.behind)),
            numbers("all %", &|found| percent(found.whole.value)),
            numbers("from %", &|found| end(found, false)),
            numbers("to %", &|found| end(found, true)),
            numbers("a year", &|found| found.money.round()),
        ];
        let table = Table::new(DataFrame::new(rows.len(), columns)?).titled("Holidays, the dearest first").of_rows(all);
        let sure = "Each is compared with ordinary dates, around which the same was computed: their spread gives the interval.";
        let mut finding = Finding::new("Holidays", sentence, table).claiming(claims).sure_by(sure);
        if let Some(figure) = figure {
            finding = finding.drawn(figure);
        }
        Ok(caveats.into_iter().fold(finding, Finding::but))
    }

    fn claim(&self, found: &Found, noun: &str, target: &str, series: usize) -> Claim {
        let percent = found.whole.times(100.0);
        let sentence = if found.whole.excludes_zero(self.level) {
            format!(
                "{}: {}.",
                self.words(found, noun, target),
                match (found.money > 0.0, found.closed > 0) {
                    (true, _) => "stock and staff for it",
                    (false, true) => "what closed days lose is not made up around them",
                    (false, false) => "plan for less",
                }
            )
        } else {
            format!("Around {} sales are not clearly different from those around ordinary dates.", found.name)
        };
        Claim {
            about: found.name.clone(),
            sentence,
            estimate: percent,
            p: found.whole.p_value(),
            money: found.money,
            placebo: found.placebo.map(|placebo| Placebo { typical: 100.0 * placebo.typical, ..placebo }),
            // One series is halved in time, and a half has hardly two of a holiday.
            again: series > 1,
            unit: "%",
        }
    }

    fn words(&self, found: &Found, noun: &str, target: &str) -> String {
        let years: Vec<String> = found.years.iter().map(ToString::to_string).collect();
        let years: Vec<&str> = years.iter().map(String::as_str).collect();
        let (low, high) = found.whole.interval(self.level);
        let side = if found.whole.value < 0.0 { "below" } else { "above" };
        format!(
            "In the {noun}s around {}, {}, sales were {} % {side} what those {noun}s would have sold ({} % interval {} to {}): about \
             {} of {target} a year",
            found.name,
            listed(&years, 6),
            whole(found.whole.value.abs()),
            rounded(100.0 * self.level, 1),
            signed(low.max(-1.0)),
            signed(high),
            amount(found.money.abs()),
        )
    }
}

/// A share in per cent, to one decimal below ten.
fn whole(share: f64) -> String {
    let percent = 100.0 * share;
    rounded(percent, if percent.abs() < 9.95 { 1 } else { 0 })
}

/// The same with its sign.
pub(super) fn signed(share: f64) -> String {
    format!("{}{} %", if share < 0.0 { "−" } else { "+" }, whole(share.abs()))
}
