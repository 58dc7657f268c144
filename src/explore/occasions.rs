//! The effects of the holidays of a panel: on their own steps and with the days around them, and how sure.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::kept::{Holiday, Kept};
use super::ordinary::Baseline;
use super::spans::{Answer, Job, Sums, around, weights};
use super::yearly::{Harmonics, Season};
use crate::error::Result;
use crate::panel::Panel;
use crate::show::Placebo;
use crate::statistics::Estimate;

/// The fewest ordinary dates that can say how unusual a holiday is.
const LEAST_PLACEBOS: usize = 12;
/// The share of series without sales from which a day is closed.
const CLOSED: f64 = 0.9;
/// The most steps of a holiday.
const LONGEST: usize = 14;
/// Holidays that are summed with weights of their own at a time.
const AT_A_TIME: usize = 8;

/// An effect: relative, in units of the target a year, and what the same estimate gives on ordinary dates.
pub(super) struct Effect {
    pub(super) estimate: Estimate,
    pub(super) money: f64,
    pub(super) placebo: Option<Placebo>,
}

/// What was found for one holiday.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) years: Vec<i32>,
    pub(super) occurrences: usize,
    /// Steps before the holiday in the window, of the holiday itself, and after it.
    pub(super) before: usize,
    pub(super) length: usize,
    pub(super) after: usize,
    /// The effect on its own steps, and with the steps around it.
    pub(super) itself: Effect,
    pub(super) whole: Effect,
    /// Effects before and after it, as shares.
    pub(super) ahead: f64,
    pub(super) behind: f64,
    pub(super) steps: Vec<(i64, Estimate)>,
    /// How far ordinary steps are off.
    pub(super) typical: f64,
    pub(super) closed: usize,
}

impl Found {
    /// Are shops closed on most of its steps, or do those that keep it sell nearly nothing, so that only the steps around it
    /// say anything?
    pub(super) fn shut(&self) -> bool {
        let closed = self.closed > 0 && 2 * self.closed >= self.length;
        (closed || self.itself.estimate.value < -CLOSED) && self.around() > 0
    }

    /// Steps around it.
    pub(super) fn around(&self) -> usize {
        self.before + self.after
    }

    /// The effect that is told first.
    pub(super) fn main(&self) -> &Effect {
        if self.shut() { &self.whole } else { &self.itself }
    }
}

/// Effects of holidays, and holidays with too few occurrences: their names and how many.
pub(super) type Measured = (Vec<Found>, Vec<(String, usize)>);

/// Sums around dates with the season that their baseline misses.
struct Seen<'a> {
    sums: &'a Sums,
    season: Season<'a>,
}

impl<'a> Seen<'a> {
    /// The season is that which predicts these ordinary dates best.
    fn of(
        answer: &'a Answer,
        harmonics: &'a Harmonics,
        window: (usize, usize),
        steps: &Range<usize>,
        left: &[Vec<f64>],
        placebos: &[usize],
    ) -> Self {
        let sales: Vec<f64> = answer.steps.iter().map(|[a, e]| if *e > 0.0 { a / e } else { f64::NAN }).collect();
        let square = |season: &Season| {
            let sizes = placebos.iter().map(|date| effect(&answer.sums, season, *date, steps, &left[*date]).powi(2));
            sizes.filter(|x| x.is_finite()).sum::<f64>()
        };
        Self { sums: &answer.sums, season: Season::of(harmonics, &sales, window, &square) }
    }

    /// Actual and expected sales.
    fn over(&self, date: usize, steps: &Range<usize>, left: &[f64]) -> [f64; 2] {
        over(self.sums, &self.season, date, steps, left)
    }
}

fn over(sums: &Sums, season: &Season, date: usize, steps: &Range<usize>, left: &[f64]) -> [f64; 2] {
    let [a, e] = sums.over(date, steps);
    [a, e * (1.0 + season.at(date, left)).max(0.1)]
}

fn effect(sums: &Sums, season: &Season, date: usize, steps: &Range<usize>, left: &[f64]) -> f64 {
    share(over(sums, season, date, steps, left))
}

fn share([a, e]: [f64; 2]) -> f64 {
    if e > 0.0 { a / e - 1.0 } else { f64::NAN }
}

/// What the baseline leaves of each harmonic, by date.
fn left(harmonics: &[Sums], dates: usize, steps: &Range<usize>) -> Vec<Vec<f64>> {
    let of = |sums: &Sums, date: usize| {
        let [a, e] = sums.over(date, steps);
        (a - e) / steps.len().max(1) as f64
    };
    (0..dates).map(|date| harmonics.iter().map(|sums| of(sums, date)).collect()).collect()
}

fn longest(holiday: &Holiday) -> usize {
    let steps = holiday.runs.iter().map(|(from, to)| (to - from + 1) as usize).max().unwrap_or(1);
    steps.min(LONGEST)
}

/// The effects of all holidays, those with the most money first, and the names of those that have too few occurrences.
pub(super) fn measured(
    panel: &Panel,
    kept: &Kept,
    baseline: &Baseline,
    before: usize,
    after: usize,
) -> Result<Measured> {
    let (first, last) = panel.extent().unwrap_or((0, -1));
    let dates = usize::try_from(last - first + 1).unwrap_or(0);
    let week = baseline.phases() as i64;
    let harmonics = Harmonics::of(first, dates, &kept.near, baseline.reach(), baseline.phases());
    let asked: Vec<&Holiday> = kept.holidays.iter().filter(|holiday| holiday.asked).collect();
    let mut jobs: Vec<Job> = Vec::new();
    let mut places: Vec<(usize, usize)> = Vec::new();
    for holiday in &asked {
        let starts: Vec<usize> = holiday
            .runs
            .iter()
            .filter_map(|(from, _)| usize::try_from(from - first).ok().filter(|at| *at < dates))
            .collect();
        let (length, set) = (longest(holiday), holiday.set);
        let at = jobs.iter().position(|job| job.length == length && job.set == set).unwrap_or_else(|| {
            jobs.push(Job { length, set, weights: None, starts: Vec::new() });
            jobs.len() - 1
        });
        places.push((at, jobs[at].starts.len()));
        jobs[at].starts.push((holiday, starts));
    }
    let (plain, open) = around(panel, kept, baseline, &jobs, (before, after), harmonics.year)?;
    let unfollowed: Vec<Vec<Sums>> = jobs.iter().map(|job| harmonics.left(before, job.length, after)).collect();
    let (mut found, mut few) = (Vec::new(), Vec::new());
    for (block, places) in asked.chunks(AT_A_TIME).zip(places.chunks(AT_A_TIME)) {
        let shares: Vec<Option<(Vec<f64>, f64)>> =
            places.iter().map(|(job, place)| weights(&plain[*job].series[*place])).collect();
        let own: Vec<Job> = block
            .iter()
            .zip(&shares)
            .filter_map(|(holiday, share)| {
                let weights = share.as_ref().map(|(weights, _)| weights.clone())?;
                Some(Job { length: longest(holiday), set: holiday.set, weights: Some(weights), starts: Vec::new() })
            })
            .collect();
        let own = if own.is_empty() {
            Vec::new()
        } else {
            around(panel, kept, baseline, &own, (before, after), harmonics.year)?.0
        };
        let mut own = own.iter();
        for ((holiday, (job, place)), share_of) in block.iter().zip(places).zip(&shares) {
            let weighted = share_of.as_ref().and_then(|(_, left)| Some((own.next()?, *left)));
            let (all, unfollowed) = (&plain[*job], &unfollowed[*job]);
            let (own, differ) = weighted.unwrap_or((all, 0.0));
            let length = longest(holiday);
            let starts: Vec<usize> = jobs[*job].starts[*place]
                .1
                .iter()
                .copied()
                .filter(|at| all.sums.expected.iter().any(|step| step[*at] > 0.0))
                .collect();
            if starts.is_empty() {
                few.push((holiday.name.clone(), 0));
                continue;
            }
            let core = before..before + length;
            let (begin, end) = window(kept, holiday, &starts, first, (before, length, after));
            let whole = begin..end;
            let phases: BTreeSet<i64> = starts.iter().map(|at| (first + *at as i64).rem_euclid(week)).collect();
            let same = |date: usize| phases.contains(&(first + date as i64).rem_euclid(week));
            let free = |date: usize, most: u8| {
                (begin..end).all(|k| kept.near.at(first + date as i64 + k as i64 - before as i64) <= most)
            };
            let ordinary = |alike: bool, most: u8| -> Vec<usize> {
                (0..dates)
                    .filter(|date| {
                        (!alike || same(*date)) && free(*date, most) && all.sums.over(*date, &whole)[1] > 0.0
                    })
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
            let span = (before, length + after);
            let (left_core, left_whole) = (left(unfollowed, dates, &core), left(unfollowed, dates, &whole));
            let of_core = Seen::of(own, &harmonics, span, &core, &left_core, &placebos);
            let of_whole = Seen::of(all, &harmonics, span, &whole, &left_whole, &placebos);
            let m = starts.len() as f64;
            let year = harmonics.year;
            let estimate = |seen: &Seen, steps: &Range<usize>, left: &[Vec<f64>], differ: f64, full: bool| {
                let of: Vec<f64> =
                    (0..dates).map(|date| effect(seen.sums, &seen.season, date, steps, &left[date])).collect();
                let value = share(
                    starts
                        .iter()
                        .map(|at| seen.over(*at, steps, &left[*at]))
                        .fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d]),
                );
                let sizes: Vec<f64> = placebos.iter().map(|date| of[*date]).filter(|x| x.is_finite()).collect();
                let variance = sizes.iter().map(|x| x * x).sum::<f64>() / sizes.len() as f64;
                let again = repeated(&of, &|date| free(date, 0), year);
                // Less is known of the season around a holiday than around dates all of whose neighbours are ordinary.
                let unknown = |dates: &[usize]| {
                    dates.iter().map(|date| seen.season.variance(*date, &left[*date])).sum::<f64>() / dates.len() as f64
                };
                let unknown = if full { (unknown(&starts) - unknown(&placebos)).max(0.0) } else { 0.0 };
                let of_mean = variance * ((1.0 + (m - 1.0) * again) / m + unknown) + differ;
                let error = of_mean.sqrt() * (1.0 + value).max(1.0);
                let error = if value.is_finite() && error.is_finite() { error } else { f64::INFINITY };
                let years = (dates as f64 / year as f64).max(1.0);
                let independent = placebos.len() as f64 * (spacing / (steps.len() + 1) as f64).min(1.0)
                    / (1.0 + (years - 1.0).max(0.0) * again);
                let freedom = (independent - 1.0).max(2.0);
                // Student's t has a kurtosis of 6 / (freedom − 4); that of a mean is smaller by the number of occurrences.
                let fourth = sizes.iter().map(|x| x.powi(4)).sum::<f64>() / sizes.len() as f64;
                let excess = (fourth / (variance * variance) - 3.0) * (1.0 + (m - 1.0) * again) / m;
                let freedom = if excess > 0.0 { freedom.min(4.0 + 6.0 / excess) } else { freedom };
                (Estimate { value, error, freedom }, variance.sqrt(), of)
            };
            let (itself, typical_core, of) = estimate(&of_core, &core, &left_core, differ, true);
            let placebo_core = Placebo::of(itself.value, &means(&of, &placebos, &starts));
            let (full, _, of) = estimate(&of_whole, &whole, &left_whole, 0.0, true);
            let placebo_whole = Placebo::of(full.value, &means(&of, &placebos, &starts));
            let occurrences = starts.len();
            let a_year = a_year(&holiday.runs, panel);
            let base = |steps: &Range<usize>, left: &[Vec<f64>]| {
                starts.iter().map(|at| of_whole.over(*at, steps, &left[*at])[1]).sum::<f64>() / m * a_year
            };
            let part = |steps: Range<usize>| {
                let left = left(unfollowed, dates, &steps);
                let sums = starts.iter().map(|at| of_whole.over(*at, &steps, &left[*at]));
                share(sums.fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d]))
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
            let steps = whole
                .clone()
                .map(|k| {
                    let left = left(unfollowed, dates, &(k..k + 1));
                    (k as i64 - before as i64, estimate(&of_whole, &(k..k + 1), &left, 0.0, false).0)
                })
                .collect();
            if occurrences < 2 {
                few.push((holiday.name.clone(), occurrences));
            }
            found.push(Found {
                name: holiday.name.clone(),
                years: years.into_iter().collect(),
                occurrences,
                before: before - begin,
                length,
                after: end - core.end,
                ahead: part(begin..core.start),
                behind: part(core.end..end),
                itself: Effect {
                    money: itself.value * base(&core, &left_core),
                    estimate: itself,
                    placebo: placebo_core,
                },
                whole: Effect { money: full.value * base(&whole, &left_whole), estimate: full, placebo: placebo_whole },
                steps,
                typical: typical_core,
                closed,
            });
        }
    }
    found.sort_by(|a: &Found, b: &Found| b.main().money.abs().total_cmp(&a.main().money.abs()));
    Ok((found, few))
}

/// The first and the last step of the window that belong to a holiday: another one nearby takes its share of it.
fn window(
    kept: &Kept,
    holiday: &Holiday,
    starts: &[usize],
    first: i64,
    (before, length, after): (usize, usize, usize),
) -> (usize, usize) {
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
    let end = (core.end..core.end + after).take_while(|k| mine(*k)).last().map_or(core.end, |k| k + 1);
    (begin, end)
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
