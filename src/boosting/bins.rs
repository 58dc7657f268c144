//! Columns of numbers become columns of bins: at most 254, cut where the values lie, and one more for what is missing.

use rayon::prelude::*;

use super::Rows;

/// The most bins of a column, without that of missing values.
const MOST: usize = 254;
/// Values that differ by a smaller share of themselves differ by rounding: sums of the same numbers in another unit or order.
const SAME: f64 = 1e-9;
/// As many values are looked at to find where to cut.
const LOOKED_AT: usize = 50_000;

pub(super) struct Binned {
    pub columns: Vec<Column>,
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

    fn numbers(values: &[f64], rows: &[u32]) -> Self {
        let stride = rows.len().div_ceil(LOOKED_AT).max(1);
        let looked_at = rows.iter().step_by(stride).map(|r| values[*r as usize]).filter(|v| !v.is_nan());
        let mut sorted: Vec<f64> = looked_at.collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let edges = edges(&sorted);
        let missing = (edges.len() + 1) as u8;
        let bins = rows.iter().map(|r| bin(&edges, values[*r as usize], missing)).collect();
        Self { bins, edges, categories: 0 }
    }

    fn categories(values: &[f64], rows: &[u32]) -> Self {
        // What has no bin of its own counts as missing.
        let whole = |v: f64| (v >= 0.0 && v < MOST as f64).then_some(v as usize);
        let categories = rows.iter().filter_map(|r| whole(values[*r as usize])).max().map_or(1, |most| most + 1);
        let bins = rows.iter().map(|r| whole(values[*r as usize]).unwrap_or(categories) as u8).collect();
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
    /// The bins of some rows.
    pub fn of(rows: Rows, kept: &[u32]) -> Self {
        let column = |(c, values): (usize, &Vec<f64>)| match rows.categorical.get(c) {
            Some(true) => Column::categories(values, kept),
            _ => Column::numbers(values, kept),
        };
        Self { columns: rows.columns.par_iter().enumerate().map(column).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_keep_the_order_and_hold_about_as_many() {
        let values: Vec<f64> = (0..10_000).map(|k| ((k * 7919) % 10_000) as f64).collect();
        let rows: Vec<u32> = (0..10_000).collect();
        let column = Column::numbers(&values, &rows);
        assert_eq!(column.edges.len() + 1, MOST);
        let mut counts = vec![0; MOST];
        for (value, bin) in values.iter().zip(&column.bins) {
            counts[usize::from(*bin)] += 1;
            assert!(usize::from(*bin) == column.edges.iter().filter(|edge| **edge <= *value).count());
        }
        assert!(counts.iter().all(|n| (38..=41).contains(n)), "{counts:?}");
    }

    #[test]
    fn few_values_have_a_bin_each() {
        let values = [1.0, f64::NAN, 3.0, 1.0, f64::INFINITY, -0.0, 0.0, f64::MAX, f64::MIN];
        let rows: Vec<u32> = (0..values.len() as u32).collect();
        let column = Column::numbers(&values, &rows);
        assert_eq!(column.bins, [2, 6, 3, 2, 5, 1, 1, 4, 0]);
        let column = Column::categories(&[2.0, 0.0, f64::NAN, 2.0, 1e9, -1.0], &rows[..6]);
        assert_eq!((column.bins, column.categories), (vec![2, 0, 3, 2, 3, 3], 3));
    }
}
