//! How sure is a sum of gains that share dates, and whose neighbours in time are alike?
//!
//! A week of snow moves every override of the week, and what a model gets wrong with an item it gets wrong for weeks:
//! neither are independent. The variance of the mean gain is that of clusters by date, as a jackknife that leaves out
//! one date at a time (CR3, cautious with few clusters; MacKinnon, Nielsen & Webb 2023), plus the covariances within a
//! series up to [`LAGS`] dates apart, with falling weights (Thompson 2011; Newey & West 1987); it is never less than
//! the first alone. Student's t has as many degrees of freedom as there are effective clusters (Carter, Schnepel &
//! Steigerwald 2017) less one: large clusters count, small ones hardly. The items are taken as those that the planner
//! has: how other items would fare is another question, with wider intervals.
//!
//! It fails with a single date: nothing tells what that date did to all; then there is no interval. With very heavy
//! tails and few overrides it is too narrow on the side of the tail.

use std::collections::BTreeMap;

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Dates up to which gains of a series are taken as alike; with 4 weeks intervals cover what they should (bench
/// `overrides`).
const LAGS: usize = 4;

/// The interval of the sum of `values`, one for each row, with the date and the series of each.
pub(super) fn interval<D: Ord + Copy>(values: &[f64], dates: &[D], series: &[i64], level: f64) -> Option<(f64, f64)> {
    let mut clusters: BTreeMap<D, (f64, f64)> = BTreeMap::new();
    for (date, value) in dates.iter().zip(values) {
        let cluster = clusters.entry(*date).or_default();
        cluster.0 += value;
        cluster.1 += 1.0;
    }
    if clusters.len() < 2 {
        return None;
    }
    let (total, count): (f64, f64) = (values.iter().sum(), values.len() as f64);
    let mean = total / count;
    // What leaving out its date says of each row; the sum over a date is the change of the mean.
    let pull = |value: f64, others: f64| (value - mean) / others;
    let by_date: f64 = clusters.values().map(|(sum, size)| pull(sum - mean * (size - 1.0), count - size).powi(2)).sum();
    let mut rows: BTreeMap<i64, Vec<(usize, f64)>> = BTreeMap::new();
    let places: BTreeMap<D, (usize, f64)> =
        clusters.iter().enumerate().map(|(place, (date, (_, size)))| (*date, (place, count - size))).collect();
    for ((date, series), value) in dates.iter().zip(series).zip(values) {
        if let Some((place, others)) = places.get(date) {
            rows.entry(*series).or_default().push((*place, pull(*value, *others)));
        }
    }
    let mut alike = 0.0;
    for rows in rows.values_mut() {
        rows.sort_by_key(|row| row.0);
        let mut later = rows.as_slice();
        while let Some(((place, pull), rest)) = later.split_first() {
            for (other, its) in rest.iter().take_while(|row| row.0 - place <= LAGS).filter(|row| row.0 > *place) {
                alike += 2.0 * (1.0 - (other - place) as f64 / (LAGS + 1) as f64) * pull * its;
            }
            later = rest;
        }
    }
    let number = clusters.len() as f64;
    let variance = (by_date + alike.max(0.0)) * (number - 1.0) / number;
    let effective = count * count / clusters.values().map(|(_, size)| size * size).sum::<f64>();
    let student = StudentsT::new(0.0, 1.0, (effective - 1.0).max(1.0)).ok()?;
    let half = student.inverse_cdf(0.5 + level / 2.0) * variance.sqrt() * count;
    Some((total - half, total + half))
}
