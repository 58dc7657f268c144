//! What is left of sales and of their drivers when level, trend, weekday, day of the month and season are held fixed, and
//! the regression of one on the others over all series.
//!
//! The local level is a local linear regression on the steps around; the phases of each cycle lose their means (Frisch and
//! Waugh 1933; Robinson 1988, *Econometrica* vol. 56). Errors are those of Driscoll and Kraay (1998, *Review of Economics and
//! Statistics* vol. 80): scores are summed over series date by date; see [`crate::statistics::Estimate`].

use chrono::Datelike;
use rayon::prelude::*;

use crate::error::Result;
use crate::optimise::positive_definite::solve;
use crate::panel::{Panel, day_of};
use crate::progress;
use crate::statistics::{Estimate, lags, of_scores};

/// The most sweeps of demeaning over the cycles.
const SWEEPS: usize = 30;
/// The last days of a month are counted from its end: this many.
const LAST_DAYS: u32 = 4;
/// Series whose scores are in memory at a time.
const BLOCK: usize = 256;

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
pub(super) struct Group {
    pub(super) cycle: Cycle,
    pub(super) of: Vec<u32>,
    pub(super) count: usize,
}

/// What is held fixed.
pub(super) struct Controls {
    /// The panel's first position.
    pub(super) first: i64,
    /// Positions from the first to the last.
    pub(super) dates: usize,
    pub(super) groups: Vec<Group>,
    /// Steps on either side from which the local level is estimated.
    pub(super) reach: usize,
}

impl Controls {
    /// Of a panel: its local level and the cycles of its calendar.
    pub(super) fn of(panel: &Panel) -> Self {
        let (first, last) = panel.extent().unwrap_or((0, -1));
        let dates = usize::try_from(last - first + 1).unwrap_or(0);
        let frequency = panel.frequency();
        let (season, week) = (panel.season(), frequency.week());
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
        Self { first, dates, groups, reach: reach.max(6) }
    }

    /// Dates apart from which nothing is autocorrelated that has lost its local level.
    pub(super) fn memory(&self) -> usize {
        2 * self.reach
    }

    /// What the local levels of a series with these steps share.
    pub(super) fn local<'a>(&self, counts: &'a [bool]) -> Local<'a> {
        Local::of(counts, self.reach)
    }

    /// Values of a series without their local level and the means of the phases; zero at steps that do not count.
    pub(super) fn removed(&self, offset: usize, values: &[f64], local: &Local) -> Vec<f64> {
        local.removed(values, &self.groups.iter().collect::<Vec<_>>(), offset)
    }
}

/// What a series gives to a regression: the response and the regressors, step by step from its first; NaN leaves a step out.
pub(super) struct Given {
    pub(super) y: Vec<f64>,
    pub(super) x: Vec<Vec<f64>>,
}

/// A pooled regression: the coefficients, and their scores date by date.
pub(super) struct Regression {
    pub(super) coefficients: Vec<f64>,
    pub(super) scores: Vec<Vec<f64>>,
    memory: usize,
}

/// The normal equations of a series.
struct Normal {
    /// Products of regressors with one another, row by row.
    squares: Vec<f64>,
    /// Products of regressors with the response.
    products: Vec<f64>,
    /// The standard deviation of the residuals.
    deviation: f64,
    /// Steps that counted.
    steps: usize,
}

impl Regression {
    /// A linear combination of the coefficients, with at most this many degrees of freedom.
    pub(super) fn combination(&self, weights: &[f64], most: f64) -> Estimate {
        let value = weights.iter().zip(&self.coefficients).map(|(w, b)| w * b).sum();
        let dates = self.scores.first().map_or(0, Vec::len);
        let scores: Vec<f64> =
            (0..dates).map(|t| weights.iter().zip(&self.scores).map(|(w, s)| w * s[t]).sum()).collect();
        of_scores(value, &scores, most, Some(self.memory))
    }

    /// Lags of the long-run variance of its scores.
    pub(super) fn lags(&self) -> usize {
        lags(self.scores.first().map_or(0, Vec::len), Some(self.memory))
    }

    /// One coefficient.
    pub(super) fn coefficient(&self, k: usize, most: f64) -> Estimate {
        let mut weights = vec![0.0; self.coefficients.len()];
        weights[k] = 1.0;
        self.combination(&weights, most)
    }
}

/// The pooled regression of what the series give, level and cycles removed from both sides; series are weighted by the inverse
/// of their residual variance, none more than four times the median's. Nothing if the first `asked` regressors do not vary
/// apart from what is held fixed; of the others, those that do not are left out.
///
/// # Errors
/// When the work is interrupted.
pub(super) fn regress(
    panel: &Panel,
    controls: &Controls,
    asked: usize,
    given: &(dyn Fn(usize) -> Option<Given> + Sync),
) -> Result<Option<Regression>> {
    let adjusted = |i: usize| -> Option<(usize, Given, Vec<bool>)> {
        let offset = usize::try_from(panel.positions(i).first()? - controls.first).ok()?;
        let Given { y, x } = given(i)?;
        let counts: Vec<bool> = (0..y.len()).map(|t| y[t].is_finite() && x.iter().all(|x| x[t].is_finite())).collect();
        let used = y.len() as f64 / controls.reach as f64 + x.len() as f64 + 3.0;
        if (counts.iter().filter(|counts| **counts).count() as f64) < used {
            return None;
        }
        let local = controls.local(&counts);
        let removed = |values: Vec<f64>| {
            let zeroed: Vec<f64> = values.into_iter().zip(&counts).map(|(v, c)| if *c { v } else { 0.0 }).collect();
            controls.removed(offset, &zeroed, &local)
        };
        let y = removed(y);
        let x = x.into_iter().map(removed).collect();
        Some((offset, Given { y, x }, counts))
    };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let normal = (0..panel.len())
        .into_par_iter()
        .map(|i| {
            progress::check()?;
            Ok(adjusted(i).map(|(_, Given { y, x }, counts)| {
                let steps = counts.iter().filter(|counts| **counts).count();
                let squares: Vec<f64> = x.iter().flat_map(|a| x.iter().map(|b| dot(a, b))).collect();
                let products: Vec<f64> = x.iter().map(|a| dot(a, &y)).collect();
                (i, Normal { squares, products, deviation: (dot(&y, &y) / steps as f64).sqrt(), steps })
            }))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut series: Vec<(usize, Normal)> = normal.into_iter().flatten().collect();
    let Some(p) = series.first().map(|(_, normal)| normal.products.len()) else { return Ok(None) };
    let mut coefficients = vec![0.0; p];
    let (mut inverse, mut weights) = (Vec::new(), Vec::new());
    for pass in 0..2 {
        if pass > 0 {
            for (_, normal) in &mut series {
                let fitted: f64 = 2.0 * dot(&coefficients, &normal.products)
                    - (0..p)
                        .map(|j| coefficients[j] * dot(&coefficients, &normal.squares[j * p..(j + 1) * p]))
                        .sum::<f64>();
                let total = normal.deviation.powi(2) * normal.steps as f64;
                normal.deviation = ((total - fitted).max(1e-12 * total) / normal.steps as f64).sqrt();
            }
        }
        let typical = crate::panel::median(series.iter().map(|(_, normal)| normal.deviation).collect());
        let weight = |normal: &Normal| if typical > 0.0 { normal.deviation.max(typical / 2.0).powi(-2) } else { 1.0 };
        weights = series.iter().map(|(_, normal)| weight(normal)).collect();
        let (mut system, mut right) = (vec![0.0; p * p], vec![0.0; p]);
        for ((_, normal), weight) in series.iter().zip(&weights) {
            system.iter_mut().zip(&normal.squares).for_each(|(a, b)| *a += weight * b);
            right.iter_mut().zip(&normal.products).for_each(|(a, b)| *a += weight * b);
        }
        let known = independent(&system, (0..p).filter(|k| system[k * p + k] > 1e-9), p);
        let identified = (0..asked).all(|k| known.contains(&k));
        let Some([solution, inverted]) = identified.then(|| solved(&system, &right, &known, p)).flatten() else {
            return Ok(None);
        };
        (coefficients, inverse) = (solution, inverted);
    }
    let mut scores = vec![vec![0.0; controls.dates]; p];
    for block in series.iter().map(|(i, _)| *i).zip(&weights).collect::<Vec<_>>().chunks(BLOCK) {
        let parts = block
            .par_iter()
            .map(|(i, weight)| progress::check().map(|()| (**weight, adjusted(*i))))
            .collect::<Result<Vec<_>>>()?;
        for (weight, part) in parts {
            let Some((offset, Given { y, x }, _)) = part else { continue };
            for t in 0..y.len() {
                let residual = y[t] - (0..p).map(|j| coefficients[j] * x[j][t]).sum::<f64>();
                for k in 0..p {
                    let pulled: f64 = (0..p).map(|j| inverse[k * p + j] * x[j][t]).sum();
                    scores[k][offset + t] += weight * pulled * residual;
                }
            }
        }
    }
    Ok(Some(Regression { coefficients, scores, memory: controls.memory() }))
}

/// The flags, in the given order, that are not linear combinations of earlier ones: Cholesky's factor without null
/// rows.
pub(super) fn independent(system: &[f64], order: impl Iterator<Item = usize>, p: usize) -> Vec<usize> {
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
pub(super) fn solved(system: &[f64], right: &[f64], known: &[usize], p: usize) -> Option<[Vec<f64>; 2]> {
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

/// Moving sums over the steps up to `reach` on either side, the outermost with weight one half.
pub(super) fn window(values: &[f64], reach: usize) -> Vec<f64> {
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

/// The local linear regression of a series without the steps that do not count, weighted evenly over the steps up to `reach` on
/// either side; NaN where none of them counts.
pub(super) fn line(values: &[f64], counts: &[bool], reach: usize) -> Vec<f64> {
    Local::of(counts, reach).line(values)
}

/// What local linear regressions on the same steps share.
pub(super) struct Local<'a> {
    counts: &'a [bool],
    reach: usize,
    /// Over the steps around each: how many count, the sum of their places and of its squares.
    ones: Vec<f64>,
    places: Vec<f64>,
    squares: Vec<f64>,
}

impl<'a> Local<'a> {
    pub(super) fn of(counts: &'a [bool], reach: usize) -> Self {
        let none = Self { counts, reach, ones: Vec::new(), places: Vec::new(), squares: Vec::new() };
        let ones = none.around(|_| 1.0);
        let (places, squares) = (none.around(|t| none.place(t)), none.around(|t| none.place(t).powi(2)));
        Self { ones, places, squares, ..none }
    }

    /// Steps are counted from the middle, which keeps the sums of squares small.
    fn place(&self, t: usize) -> f64 {
        t as f64 - self.counts.len() as f64 / 2.0
    }

    fn around(&self, value: impl Fn(usize) -> f64) -> Vec<f64> {
        let cells: Vec<f64> = (0..self.counts.len()).map(|t| if self.counts[t] { value(t) } else { 0.0 }).collect();
        window(&cells, self.reach)
    }

    /// The line through the values around each step, there.
    pub(super) fn line(&self, values: &[f64]) -> Vec<f64> {
        let Self { ones, places, squares, .. } = self;
        let (sums, products) = (self.around(|t| values[t]), self.around(|t| self.place(t) * values[t]));
        (0..values.len())
            .map(|t| {
                let at = self.place(t);
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

    /// Values without their local line and the means of the phases; zero at steps that do not count.
    pub(super) fn removed(&self, values: &[f64], groups: &[&Group], offset: usize) -> Vec<f64> {
        if values.iter().all(|value| *value == 0.0) {
            return values.to_vec();
        }
        let line = self.line(values);
        let mut rest: Vec<f64> =
            (0..values.len()).map(|t| if self.counts[t] { values[t] - line[t] } else { 0.0 }).collect();
        demean(&mut rest, groups, offset, self.counts);
        rest
    }
}

/// Removes the mean of every phase of every cycle from the steps that count, in turn until none is left.
pub(super) fn demean(values: &mut [f64], groups: &[&Group], offset: usize, counts: &[bool]) {
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
