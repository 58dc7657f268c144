//! A column of labels: how often each level occurs, and which levels are new.

use super::{Bin, Drift, Verdict, distance, judge, judge_missing, judge_psi, noise, percent, psi, sentence};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many new levels a [`Drift`] names.
pub const NAMED: usize = 20;

/// How often each level of a column occurs: what to keep of a reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Levels {
    counts: BTreeMap<String, u64>,
    missing: u64,
}

impl Levels {
    /// The levels of a sample.
    pub fn of<'a>(labels: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut levels = Self::default();
        labels.into_iter().for_each(|label| levels.push(label));
        levels
    }

    /// One more row; `None` is a missing one.
    pub fn push(&mut self, label: Option<&str>) {
        match label {
            None => self.missing += 1,
            // Looked up first: a level is copied once, not once a row.
            Some(label) => match self.counts.get_mut(label) {
                Some(count) => *count += 1,
                None => {
                    self.counts.insert(label.into(), 1);
                }
            },
        }
    }

    /// Rows that are not missing.
    pub fn rows(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The share of missing rows.
    pub fn missing(&self) -> f64 {
        self.missing as f64 / (self.missing + self.rows()).max(1) as f64
    }

    /// How `now` differs from this reference.
    ///
    /// # Errors
    /// A sample without a row that has a label.
    pub fn drift(&self, column: &str, now: &Self) -> Result<Drift> {
        let (n, m) = (self.rows(), now.rows());
        if n == 0 || m == 0 {
            let side = if n == 0 { "in the reference" } else { "now" };
            return Err(Error::data(format!("column `{column}` has no label {side}; compare it once it has some")));
        }
        let of = |count: u64, rows: u64| count as f64 / rows as f64;
        let mut bins: Vec<Bin> = self
            .counts
            .iter()
            .map(|(level, count)| Bin {
                label: level.clone(),
                before: of(*count, n),
                now: of(now.counts.get(level).copied().unwrap_or(0), m),
            })
            .collect();
        let new: Vec<(&String, &u64)> = now.counts.iter().filter(|(l, _)| !self.counts.contains_key(*l)).collect();
        let rate = of(new.iter().map(|(_, count)| **count).sum(), m);
        if !new.is_empty() {
            bins.push(Bin { label: "new levels".into(), before: 0.0, now: rate });
        }
        let psi = psi(bins.iter().map(|b| (b.before, b.now)));
        let noise = noise(n, m);
        let gaps = judge_missing((self.missing(), n + self.missing), (now.missing(), m + now.missing));
        let verdict = judge_psi(psi, bins.len(), noise).max(judge(rate, 0.01, 0.1)).max(gaps);
        let mut moved = vec![format!("stability index {psi:.2} over {} levels", self.counts.len())];
        if let Some(most) = bins.iter().max_by(|a, b| (a.now - a.before).abs().total_cmp(&(b.now - b.before).abs())) {
            moved.push(format!("`{}` has {} after {}", most.label, percent(most.now), percent(most.before)));
        }
        if !new.is_empty() {
            moved.push(format!("{} new levels in {} of the rows", new.len(), percent(rate)));
        }
        if gaps > Verdict::None {
            moved.push(format!("missing {} after {}", percent(now.missing()), percent(self.missing())));
        }
        Ok(Drift {
            column: column.into(),
            psi,
            ks: None,
            wasserstein: None,
            p: distance::chi_square(psi / noise, bins.len() as f64 - 1.0),
            rows_before: n,
            rows_now: m,
            missing_before: self.missing(),
            missing_now: now.missing(),
            new_categories: new.iter().take(NAMED).map(|(level, _)| (*level).clone()).collect(),
            new_category_rate: rate,
            bins,
            verdict,
            sentence: sentence(column, verdict, &moved, n.min(m) < 100),
        })
    }
}

/// How two samples of a column of labels differ; `None` is missing.
///
/// ```
/// use tradewind_monitor::drift::{Verdict, compare_labels};
/// let before = vec![Some("north"), Some("south"), Some("north"), None];
/// let now = vec![Some("north"), Some("west"), Some("north"), Some("south")];
/// let drift = compare_labels("region", before, now)?;
/// assert_eq!(drift.new_categories, ["west"]);
/// assert_eq!(drift.verdict, Verdict::Large);
/// # Ok::<(), tradewind_monitor::Error>(())
/// ```
///
/// # Errors
/// A sample without a row that has a label.
pub fn compare_labels<'a>(
    column: &str,
    before: impl IntoIterator<Item = Option<&'a str>>,
    now: impl IntoIterator<Item = Option<&'a str>>,
) -> Result<Drift> {
    Levels::of(before).drift(column, &Levels::of(now))
}
