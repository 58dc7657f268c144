//! Has a column changed between a reference and now, and does the change matter?
//!
//! Four measures of a column of numbers: the population stability index over quantile bins of the reference, the
//! Kolmogorov–Smirnov distance, the Wasserstein distance in units of the reference's spread (its interquartile range
//! / 1.349, which is the standard deviation of a normal distribution), and the change of the share of missing values.
//! Labels: the index over levels, a level unknown to the reference being a bin of its own, and the share of such rows.
//!
//! **Judged by effect size.** With many rows every difference is significant, with few none is; what matters is its
//! size. A sample without drift still shows some index and some distance, in expectation `(bins − 1)(1/n + 1/m)` and,
//! squared, `π²/12 (1/n + 1/m)`: both are taken off before judging, so that 200 rows do not alarm by noise and the
//! verdict does not depend on the number of rows. For numbers two of the three measures must agree. The p value is
//! information alone.
//!
//! | | index | Kolmogorov–Smirnov | Wasserstein / spread | missing, share | new levels, share |
//! |---|---|---|---|---|---|
//! | small from | 0.1 | 0.12 | 0.3 | 0.05 | 0.01 |
//! | large from | 0.25 | 0.2 | 0.5 | 0.2 | 0.1 |
//!
//! A normal distribution that moves by 0.3 and 0.5 standard deviations has an index of 0.09 and 0.25 and a distance of
//! 0.12 and 0.20: the columns of the table say the same.
//!
//! The measures fail where rows are few (under some 100 a bin of ten holds ten), and they compare one column at a
//! time: a changed dependence between two columns is not seen. [`cost`] says what a shift costs in accuracy.
//!
//! Siddiqi (2006), *Credit Risk Scorecards* (index and its customary limits); Yurdakul & Naranjo (2020), *Statistical
//! properties of the population stability index* (its distribution without drift); Ramdas, García & Cuturi (2017), *On
//! Wasserstein two-sample testing*.

pub mod cost;
mod distance;
mod grid;
mod labels;

pub use grid::{Counts, Grid};
pub use labels::{Levels, compare_labels};

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// How many quantile bins the stability index has where nothing else is asked for.
pub const BINS: usize = 10;

/// The least share of a bin in the stability index, so that an empty bin has a finite part in it.
pub const FLOOR: f64 = 1e-4;

/// How much a column has changed, judged by effect size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing that matters.
    None,
    /// Worth a look.
    Small,
    /// The forecasts were made for other data.
    Large,
}

/// One bin of the stability index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// What is in it: `≤ 12.5`, `(12.5, 14]`, a level, `new levels`.
    pub label: String,
    /// The share of the reference's values, 0 to 1.
    pub before: f64,
    /// The share of the current values, 0 to 1.
    pub now: f64,
}

/// How a column differs between a reference and now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// The column's name.
    pub column: String,
    /// The population stability index over [`Drift::bins`], as it is commonly stated: noise is not taken off.
    pub psi: f64,
    /// The Kolmogorov–Smirnov distance, 0 to 1; labels have none.
    pub ks: Option<f64>,
    /// The Wasserstein distance in units of the reference's spread; labels have none.
    pub wasserstein: Option<f64>,
    /// The p value of `ks` (of the index for labels): information, not part of the verdict.
    pub p: f64,
    /// The values compared in the reference, missing ones left out.
    pub rows_before: u64,
    /// The values compared now, missing ones left out.
    pub rows_now: u64,
    /// The share of missing values in the reference: NaN and infinities of a column of numbers, `None` of labels.
    pub missing_before: f64,
    /// The share of missing values now.
    pub missing_now: f64,
    /// The levels that the reference did not have, sorted; at most twenty of them.
    pub new_categories: Vec<String>,
    /// The share of rows with such a level, 0 to 1.
    pub new_category_rate: f64,
    /// The bins of the index, in order.
    pub bins: Vec<Bin>,
    /// Does it matter?
    pub verdict: Verdict,
    /// The same for a reader.
    pub sentence: String,
}

/// How two samples of a column of numbers differ; NaN and infinities are counted as missing and left out.
///
/// Sorts the reference (8 bytes a row) and passes once over `now`; [`Grid`] and [`Counts`] do the same for samples
/// that do not fit in memory, and are what to keep of a reference.
///
/// ```
/// use tradewind_monitor::drift::{Verdict, compare};
/// let before: Vec<f64> = (0..1000).map(|i| f64::from(i % 100)).collect();
/// let now: Vec<f64> = before.iter().map(|x| x + 40.0).collect();
/// let drift = compare("price", &before, &now)?;
/// assert_eq!(drift.verdict, Verdict::Large);
/// assert!((drift.ks.unwrap_or(0.0) - 0.4).abs() < 1e-12);
/// # Ok::<(), tradewind_monitor::Error>(())
/// ```
///
/// # Errors
/// A sample without a single value.
pub fn compare(column: &str, before: &[f64], now: &[f64]) -> Result<Drift> {
    let grid = Grid::of(before, BINS)
        .map_err(|_| Error::data(format!("column `{column}`: the reference has no value; give one that has")))?;
    grid.count(before).drift(column, &grid, &grid.count(now))
}

/// The population stability index of two vectors of shares, each share at least [`FLOOR`].
pub fn psi(shares: impl IntoIterator<Item = (f64, f64)>) -> f64 {
    shares
        .into_iter()
        .map(|(before, now)| {
            let (p, q) = (before.max(FLOOR), now.max(FLOOR));
            (q - p) * (q / p).ln()
        })
        .sum()
}

/// The verdict on a size with its two limits.
fn judge(size: f64, small: f64, large: f64) -> Verdict {
    if size >= large {
        Verdict::Large
    } else if size >= small {
        Verdict::Small
    } else {
        Verdict::None
    }
}

/// 1/n + 1/m: how noisy the comparison of two shares is.
fn noise(before: u64, now: u64) -> f64 {
    1.0 / before.max(1) as f64 + 1.0 / now.max(1) as f64
}

fn judge_psi(psi: f64, bins: usize, noise: f64) -> Verdict {
    judge(psi - (bins.saturating_sub(1)) as f64 * noise, 0.1, 0.25)
}

/// The verdict on missing values: two standard errors are taken off the change of their share.
fn judge_missing(before: (f64, u64), now: (f64, u64)) -> Verdict {
    let error = |(share, rows): (f64, u64)| share * (1.0 - share) / rows.max(1) as f64;
    judge((now.0 - before.0).abs() - 2.0 * (error(before) + error(now)).sqrt(), 0.05, 0.2)
}

/// A share as a reader's percent, with decimals where it is small.
fn percent(share: f64) -> String {
    let points = 100.0 * share;
    if points != 0.0 && points.abs() < 1.0 { format!("{points:.2} %") } else { format!("{points:.0} %") }
}

/// The sentence of a verdict: what moved, by how much.
fn sentence(column: &str, verdict: Verdict, moved: &[String], few: bool) -> String {
    let what = match verdict {
        Verdict::None => "has not drifted",
        Verdict::Small => "has drifted a little",
        Verdict::Large => "has drifted much",
    };
    let caution = if few { "; with fewer than 100 values this is a guess" } else { "" };
    format!("`{column}` {what}: {}{caution}.", moved.join(", "))
}
