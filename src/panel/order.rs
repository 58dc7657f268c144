//! In which order are series processed, independent of their names? A panel has them in the order of their keys, which
//! would change if they were relabelled. Whatever depends on the order of series (sampled rows, held-out parts,
//! encodings of categories, sums of many numbers) takes them in the order of their contents.

use crate::error::Result;
use crate::panel::Panel;

/// The series of a panel by their first timestamp, then by their values one after the other, then by their covariates.
/// The order is invariant to multiplication of all values by a positive number. Identical series are in the order of
/// their keys.
pub(crate) fn by_content(panel: &Panel) -> Result<Vec<usize>> {
    let matrix = panel.matrix()?;
    let columns = varying(panel)?;
    let values = |a: &[f64], b: &[f64]| {
        let differ = a.iter().zip(b).map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne());
        differ.unwrap_or_else(|| a.len().cmp(&b.len()))
    };
    let mut order: Vec<usize> = (0..panel.len()).collect();
    order.sort_by(|a, b| {
        let cells = |c: &usize| {
            let column = &matrix.columns[*c];
            values(panel.column_of(*a, column), panel.column_of(*b, column))
        };
        panel
            .positions(*a)
            .cmp(panel.positions(*b))
            .then_with(|| values(panel.target(*a), panel.target(*b)))
            .then_with(|| columns.iter().map(cells).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal))
    });
    Ok(order)
}

/// The columns of covariates by their names, in whatever order they were declared.
pub(crate) fn by_name(panel: &Panel) -> Result<Vec<usize>> {
    let matrix = panel.matrix()?;
    let mut columns: Vec<usize> = (0..matrix.columns.len()).collect();
    columns.sort_by(|a, b| matrix.names[*a].cmp(&matrix.names[*b]));
    Ok(columns)
}

/// Those of them that do not say the same everywhere.
pub(crate) fn varying(panel: &Panel) -> Result<Vec<usize>> {
    let matrix = panel.matrix()?;
    let differ = |pair: &[f64]| pair[0] != pair[1] && !(pair[0].is_nan() && pair[1].is_nan());
    let mut columns = by_name(panel)?;
    columns.retain(|c| matrix.columns[*c].windows(2).any(differ));
    Ok(columns)
}

/// The finaliser of SplitMix64: every bit of a number decides on every bit of what comes out.
pub(crate) fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
