//! How sure is a sum of gains that share dates and series?
//!
//! A week of snow moves every override of the week, and a new listing every override of its item: gains within a date, and
//! within a series, are not independent. The variance is that of a two-way clustered mean (Cameron, Gelbach & Miller 2011),
//! each part a jackknife that leaves out one cluster at a time (CR3; MacKinnon, Nielsen & Webb 2023), which is cautious
//! with few clusters. It is never less than that of one way alone. Student's t has as many degrees of freedom as there are
//! effective clusters (Carter, Schnepel & Steigerwald 2017) less one: large clusters count, small ones hardly.
//!
//! It fails with a single date: nothing tells what that date did to all; then there is no interval. With very heavy tails and
//! few overrides it is too narrow on the side of the tail.

use std::collections::BTreeMap;

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Sums and numbers by cluster.
fn clusters<K: Ord>(keys: impl Iterator<Item = K>, values: &[f64]) -> Vec<(f64, f64)> {
    let mut clusters: BTreeMap<K, (f64, f64)> = BTreeMap::new();
    for (key, value) in keys.zip(values) {
        let cluster = clusters.entry(key).or_default();
        cluster.0 += value;
        cluster.1 += 1.0;
    }
    clusters.into_values().collect()
}

/// The variance of the mean by leaving out one cluster at a time, and the effective number of clusters.
fn jackknife(clusters: &[(f64, f64)]) -> Option<(f64, f64)> {
    if clusters.len() < 2 {
        return None;
    }
    let (sum, count) = clusters.iter().fold((0.0, 0.0), |(sum, count), one| (sum + one.0, count + one.1));
    let mean = sum / count;
    let squares: f64 = clusters.iter().map(|one| ((sum - one.0) / (count - one.1) - mean).powi(2)).sum();
    let effective = count * count / clusters.iter().map(|one| one.1 * one.1).sum::<f64>();
    let number = clusters.len() as f64;
    Some((squares * (number - 1.0) / number, effective))
}

/// The interval of the sum of `values`, one for each row, with the date and the series of each.
pub(super) fn interval<D: Ord + Copy>(values: &[f64], dates: &[D], series: &[i64], level: f64) -> Option<(f64, f64)> {
    let (by_date, mut effective) = jackknife(&clusters(dates.iter(), values))?;
    let mut variance = by_date;
    if let Some((by_series, items)) = jackknife(&clusters(series.iter(), values))
        && let Some((by_both, _)) = jackknife(&clusters(dates.iter().zip(series), values))
    {
        let both = by_date + by_series - by_both;
        if by_series > by_date {
            effective = items;
        }
        variance = both.max(by_date).max(by_series);
    }
    let student = StudentsT::new(0.0, 1.0, (effective - 1.0).max(1.0)).ok()?;
    let count = values.len() as f64;
    let total: f64 = values.iter().sum();
    let half = student.inverse_cdf(0.5 + level / 2.0) * variance.sqrt() * count;
    Some((total - half, total + half))
}
