//! Interpolation of missing values, for methods that need complete series.
//!
//! Straight lines between the neighbours, and at the ends the nearest value. A seasonal series with more than two seasons
//! of values is first fitted by Fourier terms of its seasons and a polynomial of time, then decomposed robustly: the line
//! runs through the seasonally adjusted values and the season is added back, unless that leaves the range of the values
//! by more than half its width. The rule is that of R's `na.interp`.

use std::f64::consts::PI;

use super::mstl::{MstlOptions, mstl};
use crate::error::{Error, Result};

/// `values` with NaN filled; `seasons` are those that the series holds more than twice.
///
/// # Errors
/// When no value is there, or values are too large to calculate with.
pub fn filled(values: &[f64], seasons: &[usize]) -> Result<Vec<f64>> {
    if values.iter().all(|v| v.is_nan()) {
        return Err(Error::model("the series has no values"));
    }
    let observed = values.iter().filter(|v| !v.is_nan()).count();
    if observed == values.len() {
        return Ok(values.to_vec());
    }
    let straight = lines(values);
    let longest = seasons.iter().copied().max().unwrap_or(1);
    if longest < 2 || observed <= 2 * longest {
        return Ok(straight);
    }
    let Some(guess) = regression(values, seasons) else { return Ok(straight) };
    let parts = mstl(&guess, seasons, &MstlOptions { robust: true, ..MstlOptions::default() })?;
    let adjusted = |(t, v): (usize, &f64)| if v.is_nan() { f64::NAN } else { guess[t] - parts.season_at(t) };
    let adjusted = lines(&values.iter().enumerate().map(adjusted).collect::<Vec<_>>());
    let fill = |(t, v): (usize, &f64)| if v.is_nan() { adjusted[t] + parts.season_at(t) } else { *v };
    let seasonal: Vec<f64> = values.iter().enumerate().map(fill).collect();
    let range = |values: &[f64]| {
        let observed = values.iter().filter(|v| !v.is_nan());
        observed.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)))
    };
    let ((low, high), (least, most)) = (range(values), range(&seasonal));
    let room = 0.5 * (high - low);
    Ok(if most > high + room || least < low - room { straight } else { seasonal })
}

/// Straight lines over the gaps; the nearest value at the ends.
pub fn lines(values: &[f64]) -> Vec<f64> {
    let mut filled = values.to_vec();
    let mut before: Option<usize> = None;
    for at in (0..values.len()).filter(|t| !values[*t].is_nan()) {
        match before {
            None => filled[..at].fill(values[at]),
            Some(from) => {
                let width = (at - from) as f64;
                for (t, cell) in filled.iter_mut().enumerate().take(at).skip(from + 1) {
                    let share = (t - from) as f64 / width;
                    *cell = values[from] * (1.0 - share) + values[at] * share;
                }
            }
        }
        before = Some(at);
    }
    if let Some(last) = before {
        filled[last + 1..].fill(values[last]);
    }
    filled
}

/// Gaps filled by least squares on Fourier terms and a polynomial of time; none where that cannot be computed.
fn regression(values: &[f64], seasons: &[usize]) -> Option<Vec<f64>> {
    let n = values.len();
    let observed: Vec<usize> = (0..n).filter(|t| !values[*t].is_nan()).collect();
    let mut columns = vec![vec![1.0; n]];
    let terms = |m: usize| if seasons.len() == 1 { (m / 2).min(5) } else { (m / 2).min(20) };
    let mut frequencies: Vec<f64> = Vec::new();
    for m in seasons {
        for k in 1..=terms(*m) {
            let frequency = k as f64 / *m as f64;
            if frequencies.iter().all(|known| (known - frequency).abs() > 1e-12) {
                frequencies.push(frequency);
            }
        }
    }
    for frequency in frequencies {
        let angle = |t: usize| 2.0 * PI * (frequency * (t + 1) as f64).fract();
        if frequency < 0.5 {
            columns.push((0..n).map(|t| angle(t).sin()).collect());
        }
        columns.push((0..n).map(|t| angle(t).cos()).collect());
    }
    // Orthogonal on the observed steps as the sweep goes along, so a power of time need only be well scaled.
    let time = |t: usize| 2.0 * t as f64 / (n - 1) as f64 - 1.0;
    for degree in 1..=(n / 10).clamp(1, 6) {
        columns.push((0..n).map(|t| time(t).powi(degree as i32)).collect());
    }
    let mut rest: Vec<f64> = observed.iter().map(|t| values[*t]).collect();
    let mut fit = vec![0.0; n];
    let inner = |a: &[f64], b: &[f64]| observed.iter().map(|t| a[*t] * b[*t]).sum::<f64>();
    // Gram–Schmidt, each column freed of those before it twice; the column as a whole follows, missing steps included.
    for at in 0..columns.len() {
        let (before, after) = columns.split_at_mut(at);
        let column = after.first_mut()?;
        let length = inner(column, column);
        for _ in 0..2 {
            for basis in &*before {
                let share = inner(basis, column);
                column.iter_mut().zip(basis).for_each(|(cell, b)| *cell -= share * b);
            }
        }
        let left = inner(column, column);
        if left <= 1e-14 * length {
            column.fill(0.0);
            continue;
        }
        let scale = left.sqrt().recip();
        column.iter_mut().for_each(|cell| *cell *= scale);
        let share: f64 = observed.iter().zip(&rest).map(|(t, r)| column[*t] * r).sum();
        rest.iter_mut().zip(&observed).for_each(|(r, t)| *r -= share * column[*t]);
        fit.iter_mut().zip(&*column).for_each(|(cell, c)| *cell += share * c);
    }
    let filled: Vec<f64> = values.iter().zip(&fit).map(|(v, fit)| if v.is_nan() { *fit } else { *v }).collect();
    filled.iter().all(|v| v.is_finite()).then_some(filled)
}
