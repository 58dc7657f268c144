//! Columns of numbers become columns of bins: at most 254, cut where the values lie, and one more for what is missing.

use rayon::prelude::*;

use super::Rows;

/// The most bins of a column, without that of missing values.
const MOST: usize = 254;
/// Values that differ by a smaller share of themselves differ by rounding: sums of the same numbers in another unit or order.
const SAME: f64 = 1e-9;
/// As many values are looked at to find where to cut.
const LOOKED_AT: usize = 50_000;

/// A feature matrix in histogram bins, which any number of fits can share.
pub struct Binned {
    pub(super) columns: Vec<Column>,
    pub(super) rows: usize,
}

/// One column: which bin each row is in. Bin `edges.len() + 1` (`categories` for categories) is that of missing values.
pub(super) struct Column {
    pub bins: Vec<u8>,
    /// What divides bins: a value below the k-th edge is in bin k at most.
    pub edges: Vec<f64>,
    /// The number of categories, 0 for numbers.
    pub categories: usize,
}

impl Column {
    /// Bins that hold values, so the number of the bin of missing ones.
    pub fn filled(&self) -> usize {
        if self.categories > 0 { self.categories } else { self.edges.len() + 1 }
    }

    /// The bins of all values, cut where those of some rows lie.
    fn numbers(values: &[f64], rows: &[u32]) -> Self {
        let stride = rows.len().div_ceil(LOOKED_AT).max(1);
        let looked_at = rows.iter().step_by(stride).map(|r| values[*r as usize]).filter(|v| !v.is_nan());
        let mut sorted: Vec<f64> = looked_at.collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let edges = edges(&sorted);
        let missing = (edges.len() + 1) as u8;
        let bins = values.iter().map(|value| bin(&edges, *value, missing)).collect();
        Self { bins, edges, categories: 0 }
    }

    fn categories(values: &[f64], rows: &[u32]) -> Self {
        // What has no bin of its own counts as missing.
        let whole = |v: f64| (v >= 0.0 && v < MOST as f64).then_some(v as usize);
        let categories = rows.iter().filter_map(|r| whole(values[*r as usize])).max().map_or(1, |most| most + 1);
        let known = |value: &f64| whole(*value).filter(|k| *k < categories).unwrap_or(categories) as u8;
        let bins = values.iter().map(known).collect();
        Self { bins, edges: Vec::new(), categories }
    }
}

fn bin(edges: &[f64], value: f64, missing: u8) -> u8 {
    if value.is_nan() { missing } else { edges.partition_point(|edge| *edge <= value) as u8 }
}

/// Where to cut sorted values so that bins hold about equally many; each edge is a value that begins a bin.
fn edges(sorted: &[f64]) -> Vec<f64> {
    // The first and the last of values that are the same, and how many they are.
    let mut distinct: Vec<(f64, f64, usize)> = Vec::new();
    for value in sorted {
        match distinct.last_mut() {
            Some((_, last, count)) if last == value || *value - *last <= SAME * last.abs().min(value.abs()) => {
                (*last, *count) = (*value, *count + 1);
            }
            _ => distinct.push((*value, *value, 1)),
        }
    }
    let middle = |a: f64, b: f64| {
        let middle = a + (b - a) / 2.0;
        if middle > a && middle <= b { middle } else { b }
    };
    if distinct.len() <= MOST {
        return distinct.windows(2).map(|pair| middle(pair[0].1, pair[1].0)).collect();
    }
    let mut edges = Vec::with_capacity(MOST);
    let (mut left, mut bins, mut inside) = (sorted.len(), MOST, 0);
    for pair in distinct.windows(2) {
        inside += pair[0].2;
        // A value that many rows share is a bin of its own and leaves the rest for the others.
        if inside * bins >= left && bins > 1 {
            edges.push(middle(pair[0].1, pair[1].0));
            left -= inside;
            bins -= 1;
            inside = 0;
        }
    }
    edges
}

impl Binned {
    /// The bins of a feature matrix.
    pub fn of(rows: Rows) -> Self {
        Self::of_rows(rows, &(0..rows.len() as u32).collect::<Vec<_>>())
    }

    /// The bins of a feature matrix, cut where some of its rows lie: those that trees are fitted to.
    pub fn of_rows(rows: Rows, fitted: &[u32]) -> Self {
        let column = |(c, values): (usize, &Vec<f64>)| match rows.categorical.get(c) {
            Some(true) => Column::categories(values, fitted),
            _ => Column::numbers(values, fitted),
        };
        Self { columns: rows.columns.par_iter().enumerate().map(column).collect(), rows: rows.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_keep_the_order_and_hold_about_as_many() {
        let values: Vec<f64> = (0..10_000).map(|k| ((k * 7919) % 10_000) as f64).collect();
        let column = Column::numbers(&values, &(0..10_000).collect::<Vec<u32>>());
        assert_eq!(column.edges.len() + 1, MOST);
        let mut counts = vec![0; MOST];
        for (value, bin) in values.iter().zip(&column.bins) {
            counts[usize::from(*bin)] += 1;
            assert!(usize::from(*bin) == column.edges.iter().filter(|edge| **edge <= *value).count());
        }
        let even = 10_000 / MOST;
        assert!(counts.iter().all(|n| (even - 1..=even + 2).contains(n)), "{counts:?}");
    }

    #[test]
    fn few_values_have_a_bin_each() {
        let values = [1.0, f64::NAN, 3.0, 1.0, f64::INFINITY, -0.0, 0.0, f64::MAX, f64::MIN];
        let column = Column::numbers(&values, &(0..9).collect::<Vec<u32>>());
        assert_eq!(column.bins, [2, 6, 3, 2, 5, 1, 1, 4, 0]);
        let column = Column::categories(&[2.0, 0.0, f64::NAN, 2.0, 1e9, -1.0], &[0, 1, 2, 3, 4, 5]);
        assert_eq!((column.bins, column.categories), (vec![2, 0, 3, 2, 3, 3], 3));
        // What the rows that are fitted do not have counts as missing.
        let column = Column::categories(&[0.0, 2.0, 1.0], &[0, 2]);
        assert_eq!((column.bins, column.categories), (vec![0, 2, 1], 2));
    }
}
