//! Which covariates have missing values, never vary, or give the target away?

use rayon::prelude::*;

use super::rows::runs;
use super::{Found, MISSING_COVARIATES};
use crate::error::Result;
use crate::panel::meaning::Known;
use crate::panel::{Matrix, Panel, Role};
use crate::show::number;

/// A covariate whose changes go with the target's this closely is made from it. What is only observed may well move
/// with sales (customers in the shop do); it is suspect only when it is as good as a copy.
const LEAK: [(Role, f64); 2] = [(Role::Known, 0.98), (Role::Observed, 0.9999)];

pub(super) fn check(panel: &Panel) -> Result<Vec<Found>> {
    let matrix = panel.matrix()?;
    let mut found = Vec::new();
    for c in 0..matrix.columns.len() {
        // Indicators of one category are missing together: the first column of a source speaks for it.
        let (source, role) = &matrix.sources[c];
        let first = c == 0 || matrix.sources[c - 1].0 != *source;
        let category = *source != matrix.names[c];
        if first {
            missing(panel, matrix, c, &mut found);
            never(panel, matrix, c, category, &mut found);
            if category {
                similar(matrix, c, &mut found);
            }
        }
        match role {
            Role::Fixed if first => several(panel, matrix, c, &mut found),
            Role::Fixed => {}
            _ if !category => leaks(panel, matrix, c, &mut found),
            _ => {}
        }
    }
    for (stated, shares) in panel.likely_available()? {
        let closed = shares.iter().filter(|share| **share < 1.0);
        let value = format!("available = \"{stated}\"");
        found.push(Found {
            series: None,
            stamp: None,
            ..Found::new("availability", 0, String::new(), Some(value), closed.count())
        });
    }
    Ok(found)
}

/// Which categories are one to people? The rows of all ways but the most frequent one.
fn similar(matrix: &Matrix, c: usize, found: &mut Vec<Found>) {
    let source = &matrix.sources[c].0;
    let of: Vec<usize> = (c..matrix.sources.len()).take_while(|at| matrix.sources[*at].0 == *source).collect();
    let words =
        of.iter().map(|at| matrix.names[*at].strip_prefix(source).map_or("", |rest| rest.trim_start_matches('=')));
    for ways in Known::of(words).written_in_several_ways() {
        let rows = |way: &&str| {
            let column = matrix.names.iter().position(|name| *name == format!("{source}={way}"));
            column.map_or(0, |at| matrix.columns[at].iter().filter(|on| **on == 1.0).count())
        };
        let counts: Vec<usize> = ways.iter().map(rows).collect();
        let others = counts.iter().sum::<usize>() - counts.iter().max().unwrap_or(&0);
        let value =
            format!("{source}: {}", ways.iter().map(|way| format!("`{way}`")).collect::<Vec<_>>().join(" and "));
        found.push(Found {
            series: None,
            stamp: None,
            ..Found::new("similar categories", 0, String::new(), Some(value), others)
        });
    }
}

fn missing(panel: &Panel, matrix: &Matrix, c: usize, found: &mut Vec<Found>) {
    let (source, role) = &matrix.sources[c];
    // What is made from the past of a series has none at its start: that is no finding.
    if panel.inner().columns.is_from_past(source) {
        return;
    }
    for i in 0..panel.len() {
        let values = panel.column_of(i, &matrix.columns[c]);
        for run in runs(values.len(), |row| values[row].is_nan()) {
            let stamp = panel.inner().calendar.label(panel.positions(i)[run.start]);
            found.push(Found::new(
                MISSING_COVARIATES,
                i,
                stamp,
                Some(format!("{source} ({})", role.word())),
                run.len(),
            ));
        }
    }
}

fn never(panel: &Panel, matrix: &Matrix, c: usize, category: bool, found: &mut Vec<Found>) {
    let source = &matrix.sources[c].0;
    let mut values = matrix.columns[c].iter().copied().filter(|v| !v.is_nan());
    let Some(value) = values.next() else { return };
    // A text with a single category has a single indicator.
    let alone = matrix.sources.get(c + 1).is_none_or(|(next, _)| next != source);
    if panel.rows() > 1 && values.all(|v| v == value) && (!category || alone) {
        let shown = if category { matrix.names[c].clone() } else { format!("{source} = {}", number(value)) };
        let stamp = panel.positions(0).first().map(|position| panel.inner().calendar.label(*position));
        let mut all = Found::new("never varies", 0, stamp.unwrap_or_default(), Some(shown), 1);
        (all.series, all.stamp) = (None, None);
        found.push(all);
    }
}

fn several(panel: &Panel, matrix: &Matrix, c: usize, found: &mut Vec<Found>) {
    let source = &matrix.sources[c].0;
    let of: Vec<usize> = (c..matrix.sources.len()).take_while(|at| matrix.sources[*at].0 == *source).collect();
    for i in 0..panel.len() {
        let differs = |row: usize| {
            of.iter().any(|at| {
                let values = panel.column_of(i, &matrix.columns[*at]);
                let before = values[..row].iter().rev().find(|v| !v.is_nan());
                !values[row].is_nan() && before.is_some_and(|before| *before != values[row])
            })
        };
        let changes: Vec<usize> = (1..panel.positions(i).len()).filter(|row| differs(*row)).collect();
        if let Some(first) = changes.first() {
            let stamp = panel.inner().calendar.label(panel.positions(i)[*first]);
            found.push(Found::new("fixed varies", i, stamp, Some(source.clone()), changes.len()));
        }
    }
}

/// The correlation of a covariate's changes with the target's, over all series together, each with its own mean change.
fn leaks(panel: &Panel, matrix: &Matrix, c: usize, found: &mut Vec<Found>) {
    let (source, role) = &matrix.sources[c];
    let Some((_, limit)) = LEAK.iter().find(|(of, _)| of == role) else { return };
    if panel.inner().columns.is_from_past(source) {
        return;
    }
    let sums: Vec<(f64, f64, f64, usize)> = (0..panel.len())
        .into_par_iter()
        .map(|i| {
            let (x, y) = (panel.column_of(i, &matrix.columns[c]), panel.target(i));
            // Scaled by the series' own size, so that one large series does not speak for all.
            let size = y.iter().filter(|v| !v.is_nan()).map(|v| v.abs()).sum::<f64>() / y.len().max(1) as f64;
            let steps = (1..y.len()).map(|t| ((x[t] - x[t - 1]) / size, (y[t] - y[t - 1]) / size));
            steps
                .filter(|(dx, dy)| (dx + dy).is_finite())
                .fold((0.0, 0.0, 0.0, 0), |(xx, xy, yy, n), (dx, dy)| (xx + dx * dx, xy + dx * dy, yy + dy * dy, n + 1))
        })
        .collect();
    let (xx, xy, yy, n) =
        sums.iter().fold((0.0, 0.0, 0.0, 0), |(a, b, c, n), (d, e, f, m)| (a + d, b + e, c + f, n + m));
    let correlation = xy / (xx * yy).sqrt();
    if n >= 10 && correlation.abs() > *limit {
        let stamp = String::new();
        let value = format!("{source} ({}), correlation {}", role.word(), number((correlation * 1e4).round() / 1e4));
        let mut all = Found::new("leak", 0, stamp, Some(value), 1);
        (all.series, all.stamp) = (None, None);
        found.push(all);
    }
}
