//! A panel in blocks for `changepoints`: weekly means of daily sales, and what series share in each block.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::anomalies::Division;
use super::changepoints::SHARED;
use super::expected::{Closed, away};
use crate::panel::{Panel, median};

/// In groups of up to so many series each is compared with the others.
const ALONE: usize = 40;

/// The members of each group.
pub(super) fn groups(division: &Division) -> Vec<Vec<usize>> {
    let mut groups = vec![Vec::new(); division.names.len()];
    division.of.iter().enumerate().for_each(|(i, group)| groups[*group].push(i));
    groups
}

pub(super) fn divide(values: &mut [f64], by: &[f64]) {
    values.iter_mut().zip(by).for_each(|(value, by)| *value /= by);
}

/// What some series share: the median of their relative values in each block, of mean one. Empty where too few are there.
pub(super) fn shared_by(relative: &[Vec<f64>], members: &[usize], count: usize) -> Vec<f64> {
    let there: Vec<&Vec<f64>> =
        members.iter().map(|i| &relative[*i]).filter(|values| values.iter().any(|v| v.is_finite())).collect();
    if there.len() < SHARED {
        return Vec::new();
    }
    scaled((0..count).map(|b| median(there.iter().map(|values| values[b]).collect())).collect())
}

/// Divides each member's values, and what it shares, by what the others share.
pub(super) fn divide_by_others(rest: &mut [Vec<f64>], own: &mut [Vec<f64>], members: &[usize], count: usize) {
    // Of many series one does not move the median.
    let all = if members.len() > ALONE { shared_by(rest, members, count) } else { Vec::new() };
    let shared: Vec<Vec<f64>> = members
        .par_iter()
        .map(|i| {
            if members.len() > ALONE {
                return all.clone();
            }
            let others: Vec<usize> = members.iter().copied().filter(|other| other != i).collect();
            shared_by(rest, &others, count)
        })
        .collect();
    for (i, common) in members.iter().zip(shared).filter(|(_, common)| !common.is_empty()) {
        divide(&mut rest[*i], &common);
        own[*i].iter_mut().zip(&common).for_each(|(own, common)| *own *= common);
    }
}

/// Medians as multiples of their mean.
fn scaled(medians: Vec<f64>) -> Vec<f64> {
    let known: Vec<f64> = medians.iter().copied().filter(|m| m.is_finite()).collect();
    let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
    // A block in which most sold next to nothing says nothing of the rest.
    medians.into_iter().map(|m| if m > 0.2 * mean { m / mean } else { f64::NAN }).collect()
}

/// A series in blocks: means of its steps without what known covariates do, closed ones left out and each weekday at its share
/// of the week.
pub(super) fn in_blocks(
    panel: &Panel,
    i: usize,
    closed: Option<&Closed>,
    effect: Option<&[f64]>,
    first: i64,
    block: usize,
    count: usize,
) -> Vec<f64> {
    let mut values = vec![f64::NAN; count];
    let mut y = panel.regular(i).to_vec();
    let Some(offset) = panel.positions(i).first().map(|start| (start - first) as usize) else { return values };
    let n = y.len();
    let shut: Vec<bool> = match closed {
        Some(closed) => panel.regular_column(i, &closed.rows).iter().map(|on| *on > 0.0).collect(),
        None => vec![false; n],
    };
    let mut gone = away(&y, &shut);
    // Zeros to the very end are an end of sales, which is a change of level.
    let end = (0..n).rev().find(|t| !gone[*t]).map_or(0, |t| t + 1);
    (end..n).filter(|t| y[*t] == 0.0 && !shut[*t]).for_each(|t| gone[t] = false);
    if let Some(effect) = effect {
        y.iter_mut().zip(effect).for_each(|(y, effect)| *y /= effect);
    }
    let phase = |t: usize| (offset + t) % block;
    let counts = |t: usize| y[t].is_finite() && !shut[t] && !gone[t];
    let mut factor = vec![1.0; block];
    if block > 1 {
        // By phase: steps of a rule, steps that count, and their sum.
        let mut cells: BTreeMap<usize, (usize, usize, f64)> = BTreeMap::new();
        for t in (0..n).filter(|t| y[*t].is_finite() && !gone[*t]) {
            let cell = cells.entry(phase(t)).or_default();
            cell.0 += 1;
            if counts(t) {
                cell.1 += 1;
                cell.2 += y[t];
            }
        }
        for (phase, (all, open, sum)) in cells {
            factor[phase] = if 2 * open <= all { 0.0 } else { sum / open as f64 };
        }
        let mean = factor.iter().sum::<f64>() / block as f64;
        if mean.is_nan() || mean <= 0.0 {
            factor.fill(mean);
        }
        let mean = if mean > 0.0 { mean } else { 1.0 };
        factor.iter_mut().for_each(|f| *f /= mean);
    }
    let (mut sums, mut weights) = (vec![0.0; count], vec![0.0; count]);
    for t in (0..n).filter(|t| counts(*t)) {
        let at = (offset + t) / block;
        if at < count {
            sums[at] += y[t];
            weights[at] += factor[phase(t)];
        }
    }
    let whole = factor.iter().sum::<f64>();
    for b in 0..count {
        if weights[b] >= 0.5 * whole && weights[b] > 0.0 {
            values[b] = sums[b] / weights[b];
        }
    }
    values
}
