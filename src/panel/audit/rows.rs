//! Which rows are missing, doubled, empty, negative, out of place?

use std::ops::Range;

use super::Found;
use crate::error::Result;
use crate::panel::Panel;
use crate::panel::clocks::Clocks;
use crate::panel::doubled::Group;
use crate::show::number;

/// So many equal steps in a row are a frequency, not a run of gaps.
const STRETCH: usize = 6;

/// A leading run of zeros that a series shows less often than this by its own rate of zeros is no demand.
const IMPROBABLE: f64 = 0.02;

/// `doubled` are the series' rows that share a timestamp, `bounds` the panel's first and last position; `open` is the share of each
/// row's step in which the item could be sold, if that is known.
pub(super) fn check(
    panel: &Panel,
    i: usize,
    doubled: &[Group],
    bounds: (i64, i64),
    open: Option<&[f64]>,
) -> Result<Vec<Found>> {
    let inner = panel.inner();
    let calendar = &inner.calendar;
    let (positions, target) = (panel.positions(i), panel.target(i));
    let start = inner.spans[i].start;
    let mut found = Vec::new();
    let off = &inner.origin.off_calendar;
    let off = &off[off.partition_point(|row| *row < start)..off.partition_point(|row| *row < start + positions.len())];
    for row in off {
        let place = inner.origin.rows.get(*row).map(|input| inner.origin.row_text(*input as usize));
        found.push(Found::new("off calendar", i, panel.stamp_text(*row), place, 1));
    }
    let clocks = Clocks::of(panel);
    for group in doubled {
        let stamp = || calendar.label(group.position);
        let value = |place: usize| number(target[group.rows[place] - start]);
        if group.copies() > 0 {
            let places: Vec<String> = group.rows.iter().filter_map(|row| panel.place_of_row(*row)).collect();
            let places = if places.is_empty() { String::new() } else { format!(" ({})", places.join(", ")) };
            let first = group.copy_of.iter().flatten().next().copied().unwrap_or(0);
            found.push(Found::new("copies", i, stamp(), Some(format!("{}{places}", value(first))), group.copies()));
        }
        if group.contradictions() > 0 {
            let kind = if group.clock { "daylight saving" } else { "duplicates" };
            let values = group.distinct().map(value).collect::<Vec<_>>();
            found.push(Found::new(kind, i, stamp(), Some(values.join(" and ")), group.contradictions()));
        }
    }
    gaps(panel, i, &clocks, &mut found);
    let raw = inner.frame.column(&inner.columns.target)?.f64()?;
    let infinite = |row: usize| raw.get(start + row).is_some_and(f64::is_infinite);
    let unreadable = |row: usize| {
        let input = inner.origin.rows.get(start + row)?;
        inner.origin.unreadable.get(input)
    };
    let label = |row: usize| calendar.label(positions[row]);
    for row in (0..target.len()).filter(|row| target[*row].is_nan()) {
        if infinite(row) {
            let sign = if raw.get(start + row) == Some(f64::INFINITY) { "infinite" } else { "minus infinite" };
            found.push(Found::new("infinite", i, label(row), Some(sign.into()), 1));
        } else if let Some(text) = unreadable(row) {
            found.push(Found::new("not a number", i, label(row), Some(text.clone()), 1));
        }
    }
    // Where nothing can be sold, there is nothing to miss.
    let open = open.map(|open| panel.column_of(i, open));
    let missing = |row: usize| target[row].is_nan() && open.is_none_or(|open| open[row] > 0.0);
    for run in runs(target.len(), |row| missing(row) && !infinite(row) && unreadable(row).is_none()) {
        found.push(Found::new("missing", i, label(run.start), None, run.len()));
    }
    for row in (0..target.len()).filter(|row| target[*row] < 0.0) {
        found.push(Found::new("negative", i, label(row), Some(number(target[row])), 1));
    }
    whole(panel, i, bounds, &mut found);
    Ok(found)
}

/// Runs of steps in which the item could not always be sold, and whose sales count as demand.
pub(super) fn censored(panel: &Panel, i: usize, available: &[f64]) -> Vec<Found> {
    let (shares, target) = (panel.column_of(i, available), panel.target(i));
    let found = runs(target.len(), |row| shares[row] < 1.0 && !target[row].is_nan()).into_iter().map(|run| {
        let sold = number(target[run.clone()].iter().sum());
        let stamp = panel.inner().calendar.label(panel.positions(i)[run.start]);
        Found::new("censored", i, stamp, Some(format!("{sold} sold")), run.len())
    });
    found.collect()
}

/// Runs of absent timestamps, less the stretches on a coarser step and the hours that the clock skips.
fn gaps(panel: &Panel, i: usize, clocks: &Clocks, found: &mut Vec<Found>) {
    let calendar = &panel.inner().calendar;
    let mut distinct = panel.positions(i).to_vec();
    distinct.dedup();
    let steps: Vec<i64> = distinct.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut at = 0;
    while at < steps.len() {
        let same = steps[at..].iter().take_while(|step| **step == steps[at]).count();
        match steps[at] {
            1 => {}
            step if same >= STRETCH => {
                let value = format!("every {step} steps");
                found.push(Found::new("changed frequency", i, calendar.label(distinct[at]), Some(value), same));
            }
            step => {
                for before in &distinct[at..at + same] {
                    let first = before + 1;
                    let skipped =
                        (first..first + step - 1).all(|position| clocks.never(calendar.frequency.stamp(position)));
                    let kind = if skipped { "daylight saving" } else { "gaps" };
                    found.push(Found::new(kind, i, calendar.label(first), None, (step - 1) as usize));
                }
            }
        }
        at += same;
    }
}

/// Findings about the series as a whole.
fn whole(panel: &Panel, i: usize, bounds: (i64, i64), found: &mut Vec<Found>) {
    let inner = panel.inner();
    let (positions, target) = (panel.positions(i), panel.target(i));
    let (Some(first), Some(last)) = (positions.first(), positions.last()) else { return };
    let label = |position: i64| inner.calendar.label(position);
    let steps = |n: i64, side: &str| {
        format!("{n} {}{} {side} the panel", panel.frequency().noun(), if n == 1 { "" } else { "s" })
    };
    let mut observed = target.iter().copied().filter(|y| !y.is_nan());
    let (n, value) = (observed.clone().count(), observed.next().unwrap_or(0.0));
    if n > 1 && observed.all(|y| y == value) {
        let kind = if value == 0.0 { "all zero" } else { "constant" };
        found.push(Found::new(kind, i, label(*first), Some(number(value)), 1));
    }
    if let Some(zeros) = launch(target) {
        let (value, count) = (format!("{zeros} zeros before the first sale"), zeros);
        found.push(Found::new("launch", i, label(*first), Some(value), count));
    }
    if n < 2 * panel.season() {
        let values = if n == 1 { "1 value".into() } else { format!("{n} values") };
        found.push(Found::new("short", i, label(*first), Some(values), 1));
    }
    if *first > bounds.0 {
        found.push(Found::new("starts late", i, label(*first), Some(steps(first - bounds.0, "after")), 1));
    }
    if *last < bounds.1 {
        found.push(Found::new("ends early", i, label(*last), Some(steps(bounds.1 - last, "before")), 1));
    }
}

/// How many zeros come before the first sale, if they are more than the series' own rate of zeros explains.
fn launch(target: &[f64]) -> Option<usize> {
    let first = target.iter().position(|y| *y != 0.0 && !y.is_nan())?;
    let count = |values: &[f64], is: fn(&f64) -> bool| values.iter().filter(|y| is(y)).count() as f64;
    let zeros = count(&target[..first], |y| *y == 0.0);
    let (later, others) = (count(&target[first..], |y| *y == 0.0), count(&target[first..], |y| !y.is_nan()));
    // A series that never shows a zero later is given a hundredth of one.
    let rate = (later + 0.01) / (others + 0.02);
    (zeros >= 2.0 && zeros * rate.ln() + others.ln() < IMPROBABLE.ln()).then_some(zeros as usize)
}

/// The longest ranges of rows that all satisfy `is`.
pub(super) fn runs(rows: usize, is: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for row in (0..rows).filter(|row| is(*row)) {
        match runs.last_mut() {
            Some(run) if run.end == row => run.end += 1,
            _ => runs.push(row..row + 1),
        }
    }
    runs
}
