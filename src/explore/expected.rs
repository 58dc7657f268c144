//! What was to be expected of each step of a series, had it not been unusual?
//!
//! **Expected sales** of a step are its local level times the factor of its weekday times the effects of the known
//! covariates. Effects multiply: a regression of the logarithm of what is expected on covariates (logarithms of those that
//! are positive, such as a price), level and weekday removed from both sides, with Huber's weights. The level is a local
//! linear regression on the steps around without the step itself (leave-one-out), of sales divided by those effects and
//! moved to three robust standard deviations from a running median where they are farther, so that what is unusual does not
//! change it; weekdays are medians. Sales are also compared with the level of the steps before and with that of the steps
//! after, which a change of level passes on one side only.
//!
//! Steps on which a column says that nothing could be sold (closed, out of stock) do not count for the level, nor do
//! zeros in runs of two weeks and more.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use rayon::prelude::*;

use super::within::{Controls, Cycle, independent, solved, window};
use crate::error::Result;
use crate::panel::{Panel, Role, median};
use crate::progress;

/// Robust standard deviations beyond which a value is moved.
pub(super) const CLIP: f64 = 3.0;
/// The most covariates whose effects are expected.
const COVARIATES: usize = 8;
/// A flag must be on in so many steps of a series, and off in as many.
const LEAST_ON: usize = 8;
/// A covariate must change so many times in a series.
const LEAST_TURNS: usize = 4;
/// Passes of the regression on covariates.
const PASSES: usize = 5;
/// A flag on in a smaller share of the steps is a cause, not an expectation.
const RARE: f64 = 0.04;
/// A flag on in at most this share of the rows is a cause of what is unusual.
const MOST_RARE: f64 = 0.1;
/// A state in which at least this share of the sales is zero means closed.
const ZERO: f64 = 0.95;
/// Zeros in so many steps in a row are a closure, if sales follow.
const CLOSED_RUN: usize = 14;
/// An expected level below this share of the mean is too low to divide by.
const LEAST_LEVEL: f64 = 0.05;

/// The column that says that nothing could be sold, and on which rows.
pub(super) struct Closed {
    pub(super) name: String,
    pub(super) rows: Vec<f64>,
}

impl Closed {
    /// The 0/1 column whose one state goes with sales of zero; none if there is no such column.
    pub(super) fn of(panel: &Panel) -> Result<Option<Self>> {
        let matrix = panel.matrix()?;
        let zero: Vec<Option<bool>> = (0..panel.len())
            .flat_map(|i| panel.target(i).iter().map(|y| y.is_finite().then_some(*y == 0.0)).collect::<Vec<_>>())
            .collect();
        let mut best: Option<(f64, Self)> = None;
        for (c, column) in matrix.columns.iter().enumerate() {
            let binary = column.iter().all(|x| x.is_nan() || *x == 0.0 || *x == 1.0);
            if !binary || matrix.sources[c].1 == Role::Fixed || column.len() != zero.len() {
                continue;
            }
            for state in [0.0, 1.0] {
                let (mut on, mut on_zero, mut off, mut off_zero) = (0.0, 0.0, 0.0, 0.0);
                for (x, zero) in column.iter().zip(&zero) {
                    let Some(zero) = zero else { continue };
                    let zero = f64::from(u8::from(*zero));
                    if *x == state {
                        on += 1.0;
                        on_zero += zero;
                    } else {
                        off += 1.0;
                        off_zero += zero;
                    }
                }
                let zeros = on_zero + off_zero;
                let said = on_zero / zeros;
                if on >= 3.0 && off > on_zero && on_zero >= ZERO * on && off_zero <= 0.2 * off && said >= 0.1 {
                    let rows = column.iter().map(|x| f64::from(u8::from(*x == state))).collect();
                    if best.as_ref().is_none_or(|(most, _)| said > *most) {
                        best = Some((said, Self { name: matrix.sources[c].0.clone(), rows }));
                    }
                }
            }
        }
        Ok(best.map(|(_, closed)| closed))
    }
}

/// Known covariates whose effects are expected: their columns of the panel's matrix.
pub(super) fn expected_covariates(panel: &Panel, closed: Option<&Closed>) -> Result<Vec<usize>> {
    let matrix = panel.matrix()?;
    let mut columns: Vec<usize> = (0..matrix.names.len())
        .filter(|c| {
            let (source, role) = &matrix.sources[*c];
            let column = &matrix.columns[*c];
            let on = column.iter().filter(|x| **x != 0.0 && !x.is_nan()).count() as f64 / column.len().max(1) as f64;
            let binary = column.iter().all(|x| x.is_nan() || *x == 0.0 || *x == 1.0);
            // A category of a text column is a flag; its most frequent one is the base.
            let held = if binary {
                (RARE..=if *source == matrix.names[*c] { 0.96 } else { 0.5 }).contains(&on)
            } else {
                on >= RARE
            };
            *role == Role::Known && held && closed.is_none_or(|closed| closed.name != *source)
        })
        .collect();
    columns.truncate(COVARIATES);
    Ok(columns)
}

/// A series and what was to be expected of it, step by step from its first; NaN where nothing is.
pub(super) struct Usual {
    /// Its first step, counted from the panel's.
    pub(super) offset: usize,
    pub(super) y: Vec<f64>,
    /// Expected from all steps around, from those before, from those after.
    pub(super) expected: [Vec<f64>; 3],
    /// Does a column say that nothing could be sold?
    pub(super) closed: Vec<bool>,
    /// Is there a holiday or another rare event that is known?
    pub(super) marked: Vec<bool>,
}

/// A series and its steps that count.
struct Seen {
    offset: usize,
    y: Vec<f64>,
    closed: Vec<bool>,
    away: Vec<bool>,
    counts: Vec<bool>,
    /// The least level that is divided by.
    floor: f64,
}

/// What is the same for all series.
pub(super) struct Setting<'a> {
    panel: &'a Panel,
    pub(super) controls: Controls,
    closed: Option<&'a Closed>,
    covariates: Vec<usize>,
    pub(super) rare: Vec<usize>,
    holidays: Vec<bool>,
}

impl<'a> Setting<'a> {
    pub(super) fn of(panel: &'a Panel, closed: Option<&'a Closed>) -> Result<Self> {
        let mut controls = Controls::of(panel);
        controls.groups.retain(|group| group.cycle == Cycle::Week);
        let covariates = expected_covariates(panel, closed)?;
        let rare = rare(panel, closed)?;
        let holidays = holidays(panel, controls.first, controls.dates);
        Ok(Self { panel, controls, closed, covariates, rare, holidays })
    }

    /// Every series, in parallel; none where it cannot be said.
    pub(super) fn all(&self) -> Result<Vec<Option<Usual>>> {
        (0..self.panel.len())
            .into_par_iter()
            .map(|i| {
                progress::check()?;
                self.usual(i)
            })
            .collect()
    }

    /// What the known covariates multiply the sales of a series with, step by step from its first; none where they do not
    /// vary or the series cannot say.
    pub(super) fn effect(&self, i: usize) -> Result<Option<Vec<f64>>> {
        let Some(seen) = self.seen(i) else { return Ok(None) };
        let effect = self.effects(i, &seen)?;
        Ok(effect.iter().any(|effect| *effect != 1.0).then_some(effect))
    }

    /// A series that sells on most of its steps.
    fn seen(&self, i: usize) -> Option<Seen> {
        let (panel, controls) = (self.panel, &self.controls);
        let y = panel.regular(i).to_vec();
        let offset = panel.positions(i).first().and_then(|first| usize::try_from(first - controls.first).ok())?;
        let n = y.len();
        let closed: Vec<bool> = match self.closed {
            Some(closed) => panel.regular_column(i, &closed.rows).iter().map(|on| *on > 0.0).collect(),
            None => vec![false; n],
        };
        let away = away(&y, &closed);
        let counts: Vec<bool> = (0..n).map(|t| y[t].is_finite() && !closed[t] && !away[t]).collect();
        let known: Vec<f64> = (0..n).filter(|t| counts[*t]).map(|t| y[t]).collect();
        let zeros = known.iter().filter(|y| **y == 0.0).count();
        let mean = known.iter().map(|y| y.abs()).sum::<f64>() / known.len().max(1) as f64;
        let few = known.len() < 2 * controls.reach.min(12) || 10 * zeros > 3 * known.len() || mean <= 0.0;
        (!few).then_some(Seen { offset, y, closed, away, counts, floor: LEAST_LEVEL * mean })
    }

    fn effects(&self, i: usize, seen: &Seen) -> Result<Vec<f64>> {
        let Seen { offset, y, counts, floor, .. } = seen;
        let (panel, controls) = (self.panel, &self.controls);
        let matrix = panel.matrix()?;
        let regressors: Vec<Vec<f64>> = self
            .covariates
            .iter()
            .filter_map(|c| regressor(&panel.regular_column(i, &matrix.columns[*c]), counts))
            .collect();
        if regressors.is_empty() {
            return Ok(vec![1.0; y.len()]);
        }
        let groups: Vec<_> = controls.groups.first().into_iter().collect();
        let start = running_median(y, counts, controls.reach).iter().map(|level| level.max(*floor)).collect();
        let local = controls.local(counts);
        let removed = |values: &[f64]| local.removed(values, &groups, *offset);
        Ok(effects(y, counts, &regressors, start, &removed))
    }

    fn usual(&self, i: usize) -> Result<Option<Usual>> {
        let (panel, controls) = (self.panel, &self.controls);
        let Some(seen) = self.seen(i) else { return Ok(None) };
        let effect = self.effects(i, &seen)?;
        let Seen { offset, y, closed, away, counts, floor } = seen;
        let n = y.len();
        let week = controls.groups.first();
        let phase = |t: usize| week.map_or(0, |week| week.of[offset + t] as usize);
        let phases = week.map_or(1, |week| week.count);
        // A weekday that is closed as a rule is no anomaly.
        let mut shut = vec![(0, 0); phases];
        for t in (0..n).filter(|t| y[*t].is_finite() && !away[*t]) {
            shut[phase(t)].0 += usize::from(closed[t]);
            shut[phase(t)].1 += 1;
        }
        let as_a_rule = |t: usize| closed[t] && 2 * shut[phase(t)].0 >= shut[phase(t)].1;
        // Sales without covariates.
        let plain: Vec<f64> = y.iter().zip(&effect).map(|(y, effect)| y / effect).collect();
        let around = running_median(&plain, &counts, controls.reach);
        let level = |t: usize| around[t].max(floor);
        let mut factor = vec![1.0; phases];
        if phases > 1 {
            let mut cells: Vec<Vec<f64>> = vec![Vec::new(); phases];
            for t in (0..n).filter(|t| counts[*t]) {
                cells[phase(t)].push(plain[t] / level(t));
            }
            factor = cells.into_iter().map(|cell| if cell.len() < 2 { f64::NAN } else { median(cell) }).collect();
        }
        let ratio = |t: usize| plain[t] / (level(t) * factor[phase(t)].max(0.02));
        let ratios: Vec<f64> = (0..n).filter(|t| counts[*t]).map(ratio).filter(|r| r.is_finite()).collect();
        if ratios.is_empty() {
            return Ok(None);
        }
        let middle = median(ratios.clone());
        let scale = 1.4826 * median(ratios.iter().map(|r| (r - middle).abs()).collect());
        let (least, most) = (middle - CLIP * scale, middle + CLIP * scale);
        let kept = |t: usize| if counts[t] && ratio(t).is_finite() { ratio(t).clamp(least, most) } else { middle };
        let clipped: Vec<f64> = (0..n).map(kept).collect();
        // Sales without weekday and covariates, moved to what is usual around them.
        let usable: Vec<bool> = (0..n).map(|t| counts[t] && factor[phase(t)].is_finite()).collect();
        let base: Vec<f64> = (0..n).map(|t| if usable[t] { clipped[t] * level(t) } else { 0.0 }).collect();
        let [all, before, after] = levels(&base, &usable, controls.reach);
        let expected = [all, before, after].map(|level| {
            (0..n)
                .map(|t| {
                    let factor = factor[phase(t)];
                    if y[t].is_finite() && !away[t] && !as_a_rule(t) && factor.is_finite() && level[t].is_finite() {
                        level[t].max(floor) * factor.max(0.02) * effect[t]
                    } else {
                        f64::NAN
                    }
                })
                .collect()
        });
        let matrix = panel.matrix()?;
        // Days next to an event feel it.
        let mut marked = self.holidays[offset..offset + n].to_vec();
        let beside = usize::from(phases == 7);
        for c in &self.rare {
            for (t, _) in panel.regular_column(i, &matrix.columns[*c]).iter().enumerate().filter(|(_, x)| **x > 0.0) {
                marked[t.saturating_sub(beside)..(t + beside + 1).min(n)].fill(true);
            }
        }
        Ok(Some(Usual { offset, y, expected, closed, marked }))
    }
}

/// A covariate as a regressor of the logarithm of sales: the logarithm of one that is positive, such as a price, else the
/// covariate as a share of its largest value. Nothing where it hardly varies.
fn regressor(column: &[f64], counts: &[bool]) -> Option<Vec<f64>> {
    let n = column.len();
    let known: Vec<f64> = (0..n).filter(|t| counts[*t] && !column[*t].is_nan()).map(|t| column[t]).collect();
    let (low, high) = known.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(*x), b.max(*x)));
    let base = *known.first()?;
    let other = known.iter().filter(|x| **x != base).count();
    let turns = known.windows(2).filter(|pair| pair[0] != pair[1]).count();
    // What changes once and stays so is a change of level.
    if turns < LEAST_TURNS || other < LEAST_ON || (other + LEAST_ON > known.len() && low == 0.0) {
        return None;
    }
    let usual = if low > 0.0 { median(known) } else { 0.0 };
    let largest = low.abs().max(high.abs());
    let of = |x: f64| if low > 0.0 { (x / usual).ln() } else { x / largest };
    Some(column.iter().map(|x| if x.is_nan() { of(usual) } else { of(*x) }).collect())
}

/// What the covariates multiply sales with: Poisson-like regression with the logarithm as link, level and weekday removed by
/// `removed` from both sides, deviations moved to three robust standard deviations (Huber's pseudo-values).
fn effects(
    y: &[f64],
    counts: &[bool],
    regressors: &[Vec<f64>],
    level: Vec<f64>,
    removed: &dyn Fn(&[f64]) -> Vec<f64>,
) -> Vec<f64> {
    let n = y.len();
    let none = vec![1.0; n];
    if regressors.is_empty() {
        return none;
    }
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let without: Vec<Vec<f64>> = regressors.iter().map(|x| removed(x)).collect();
    let p = without.len();
    let mut system: Vec<f64> = without.iter().flat_map(|a| without.iter().map(|b| dot(a, b))).collect();
    let kept = independent(&system, (0..p).filter(|k| system[k * p + k] > 1e-4), p);
    for k in 0..p {
        system[k * p + k] *= 1.001;
    }
    let mut solution = vec![0.0; p];
    // What is within a factor of ten of the level is compared in logarithms at first.
    let mut shown: Vec<f64> =
        (0..n).map(|t| if counts[t] { level[t].ln() + (y[t] / level[t]).clamp(0.1, 10.0).ln() } else { 0.0 }).collect();
    for pass in 0..PASSES {
        let response = removed(&shown);
        let right: Vec<f64> = without.iter().map(|a| dot(a, &response)).collect();
        let Some([next, _]) = solved(&system, &right, &kept, p) else { return none };
        solution = next;
        if pass + 1 == PASSES {
            break;
        }
        let fitted: Vec<f64> = (0..n)
            .map(|t| shown[t] - response[t] + without.iter().zip(&solution).map(|(x, b)| x[t] * b).sum::<f64>())
            .collect();
        let away = |t: usize| y[t] / fitted[t].exp() - 1.0;
        let sizes: Vec<f64> = (0..n).filter(|t| counts[*t]).map(|t| away(t).abs()).collect();
        let most = CLIP * 1.4826 * median(sizes);
        for t in (0..n).filter(|t| counts[*t]) {
            shown[t] = fitted[t] + away(t).clamp(-most.min(0.9), most);
        }
    }
    let logs: Vec<f64> = (0..n).map(|t| regressors.iter().zip(&solution).map(|(x, b)| x[t] * b).sum()).collect();
    let known: Vec<f64> = (0..n).filter(|t| counts[*t]).map(|t| logs[t]).collect();
    let usual = median(known);
    logs.iter().map(|log| (log - usual).exp().clamp(0.1, 10.0)).collect()
}

/// Steps of long closures: runs of steps that are closed or zero, of two weeks and more, with sales before or after.
pub(super) fn away(y: &[f64], closed: &[bool]) -> Vec<bool> {
    let n = y.len();
    let nothing = |t: usize| closed[t] || y[t] == 0.0 || y[t].is_nan();
    let mut away = vec![false; n];
    let mut t = 0;
    while t < n {
        let end = (t..n).find(|t| !nothing(*t)).unwrap_or(n);
        if end - t >= CLOSED_RUN {
            away[t..end].fill(true);
        }
        t = end + 1;
    }
    away
}

/// Medians of the steps up to `reach` on either side that count; between every fourth of them a line.
pub(super) fn running_median(values: &[f64], counts: &[bool], reach: usize) -> Vec<f64> {
    let n = values.len();
    let stride = (reach / 4).max(1);
    let places: Vec<usize> = (0..n).step_by(stride).chain(n.checked_sub(1)).collect();
    let mut near = Vec::with_capacity(2 * reach + 1);
    let mut at = |t: usize| {
        let mut wide = reach;
        loop {
            near.clear();
            let (from, to) = (t.saturating_sub(wide), (t + wide + 1).min(n));
            near.extend((from..to).filter(|t| counts[*t]).map(|t| values[t]));
            if near.len() >= 5.min(n) || (from == 0 && to == n) {
                break;
            }
            wide *= 2;
        }
        if near.is_empty() {
            return f64::NAN;
        }
        let middle = near.len() / 2;
        *near.select_nth_unstable_by(middle, f64::total_cmp).1
    };
    let medians: Vec<f64> = places.iter().map(|t| at(*t)).collect();
    let mut smooth = vec![f64::NAN; n];
    for (pair, value) in places.windows(2).zip(medians.windows(2)) {
        let steps = (pair[1] - pair[0]).max(1) as f64;
        for (step, at) in smooth[pair[0]..=pair[1]].iter_mut().enumerate() {
            *at = value[0] + step as f64 / steps * (value[1] - value[0]);
        }
    }
    if places.len() == 1 || n == 1 {
        smooth.fill(medians.first().copied().unwrap_or(f64::NAN));
    }
    smooth
}

/// At each step the level from the steps around it without itself (local linear), from those before, and from those after
/// (means).
fn levels(values: &[f64], counts: &[bool], reach: usize) -> [Vec<f64>; 3] {
    let n = values.len();
    let place = |t: usize| t as f64 - n as f64 / 2.0;
    let of = |value: &dyn Fn(usize) -> f64| {
        let cells: Vec<f64> = (0..n).map(|t| if counts[t] { value(t) } else { 0.0 }).collect();
        window(&cells, reach)
    };
    let (ones, places, squares) = (of(&|_| 1.0), of(&place), of(&|t| place(t) * place(t)));
    let (sums, products) = (of(&|t| values[t]), of(&|t| place(t) * values[t]));
    let around = (0..n).map(|t| {
        let at = place(t);
        let own = f64::from(u8::from(counts[t]));
        // Without the step itself, which lies in the middle.
        let one = ones[t] - own;
        let first = places[t] - at * ones[t];
        let second = squares[t] - 2.0 * at * places[t] + at * at * ones[t];
        let sum = sums[t] - own * values[t];
        let product = products[t] - at * sums[t];
        let determinant = one * second - first * first;
        // A line is not drawn far beyond the steps that it is fitted to.
        let lean = first.abs() / one.max(1.0);
        if one < 2.0 {
            f64::NAN
        } else if determinant > 1e-9 * (one * second).max(1.0) && lean < 0.25 * reach as f64 {
            (second * sum - first * product) / determinant
        } else {
            sum / one
        }
    });
    let around = around.collect();
    let (mut total, mut number) = (vec![0.0; n + 1], vec![0.0; n + 1]);
    for t in 0..n {
        total[t + 1] = total[t] + if counts[t] { values[t] } else { 0.0 };
        number[t + 1] = number[t] + f64::from(u8::from(counts[t]));
    }
    // Not the nearest step: an unusual run may be longer than one step.
    let mean = |from: usize, to: usize| {
        let count = number[to] - number[from];
        if count < 3.0 { f64::NAN } else { (total[to] - total[from]) / count }
    };
    let side = reach.max(5);
    let before = (0..n).map(|t| mean((t + 1).saturating_sub(side + 2).min(t), t.saturating_sub(1))).collect();
    let after = (0..n).map(|t| mean((t + 2).min(n), (t + side + 2).min(n))).collect();
    [around, before, after]
}

/// Days that shops notice in a year, by name.
pub(super) fn feasts(year: i32) -> Vec<(NaiveDate, &'static str)> {
    let fixed = [
        (1, 1, "New Year's Day"),
        (5, 1, "Labour Day"),
        (10, 31, "Halloween"),
        (12, 24, "Christmas Eve"),
        (12, 25, "Christmas Day"),
        (12, 26, "Boxing Day"),
        (12, 31, "New Year's Eve"),
    ];
    let mut days: Vec<(NaiveDate, &'static str)> = fixed
        .iter()
        .filter_map(|(month, day, name)| Some((NaiveDate::from_ymd_opt(year, *month, *day)?, *name)))
        .collect();
    if let Some(easter) =
        computus::gregorian(year).ok().and_then(|day| NaiveDate::from_ymd_opt(day.year, day.month, day.day))
    {
        for (away, name) in
            [(-2, "Good Friday"), (0, "Easter"), (1, "Easter Monday"), (39, "Ascension Day"), (50, "Whit Monday")]
        {
            days.push((easter + chrono::Duration::days(away), name));
        }
    }
    if let Some(thanksgiving) = NaiveDate::from_weekday_of_month_opt(year, 11, Weekday::Thu, 4) {
        days.push((thanksgiving, "Thanksgiving"));
        days.push((thanksgiving + Days::new(1), "Black Friday"));
    }
    days
}

/// Dates on which or next to which there is a holiday: days within two of one, longer steps that hold one or end up to three
/// days before.
fn holidays(panel: &Panel, first: i64, dates: usize) -> Vec<bool> {
    let (calendar, stamps) = (&panel.inner().calendar, panel.columns().stamps);
    let period = |date: usize| calendar.period(first + date as i64, stamps);
    let (Some((begin, _)), Some((_, end))) = (period(0), period(dates.saturating_sub(1))) else {
        return vec![false; dates];
    };
    let days: std::collections::BTreeSet<NaiveDate> =
        (begin.year()..=end.year().saturating_add(1)).take(400).flat_map(feasts).map(|(day, _)| day).collect();
    let near = |date: usize| {
        let Some((from, to)) = period(date) else { return false };
        let length = (to - from).num_days();
        let (back, ahead) = if length == 0 { (2, 2) } else { (0, 3) };
        length <= 7 && days.range(from - Days::new(back)..=to + Days::new(ahead)).next().is_some()
    };
    (0..dates).map(near).collect()
}

/// Known columns that are on in few rows: causes rather than expectations.
pub(super) fn rare(panel: &Panel, closed: Option<&Closed>) -> Result<Vec<usize>> {
    let matrix = panel.matrix()?;
    Ok((0..matrix.names.len())
        .filter(|c| {
            let (source, role) = &matrix.sources[*c];
            let column = &matrix.columns[*c];
            *role == Role::Known && closed.is_none_or(|closed| closed.name != *source) && {
                let on = column.iter().filter(|x| **x > 0.0).count();
                let binary = column.iter().all(|x| x.is_nan() || *x == 0.0 || *x == 1.0);
                binary && on > 0 && on as f64 <= MOST_RARE * column.len() as f64
            }
        })
        .collect())
}
