//! Which of many findings are true? Control of the share of false ones among those that are kept.

use std::collections::BTreeMap;

/// The adjusted p-values of Benjamini and Yekutieli (2001, *Annals of Statistics* vol. 29): of those at most `q`, the expected
/// share of false ones is at most `q`, however the tests depend on one another.
///
/// ```
/// use tradewind::statistics::benjamini_yekutieli;
/// // R: p.adjust(c(0.01, 0.04, 0.03), "BY")
/// let adjusted = benjamini_yekutieli(&[0.01, 0.04, 0.03]);
/// assert!((adjusted[0] - 0.055).abs() < 1e-12 && (adjusted[1] - 0.0733333).abs() < 1e-6);
/// ```
pub fn benjamini_yekutieli(p_values: &[f64]) -> Vec<f64> {
    let n = p_values.len();
    let harmonic: f64 = (1..=n).map(|k| 1.0 / k as f64).sum();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![1.0; n];
    let mut least: f64 = 1.0;
    for (rank, at) in order.iter().enumerate().rev() {
        least = least.min(p_values[*at] * n as f64 * harmonic / (rank + 1) as f64);
        adjusted[*at] = least;
    }
    adjusted
}

/// Adjusted p-values of families of hypotheses, of which those that find something are selected first (Benjamini and Bogomolov
/// 2014, *Journal of the Royal Statistical Society* B vol. 76): a family counts as one by its smallest p-value adjusted within it;
/// in each selected family, what is at most `rate` is kept. The expected share of false ones is then at most `rate` on average
/// over the selected families, so that a question asked of thousands of series neither drowns those asked once nor pays for
/// them. An empty family is a question without an answer: it counts, and finds nothing.
pub(crate) fn in_families(families: &[Vec<f64>], rate: f64) -> Vec<Vec<f64>> {
    let within: Vec<Vec<f64>> = families.iter().map(|family| benjamini_yekutieli(family)).collect();
    let least: Vec<f64> = within.iter().map(|family| family.iter().copied().fold(1.0, f64::min)).collect();
    let selected: Vec<bool> = benjamini_yekutieli(&least).iter().map(|p| *p <= rate).collect();
    let count = selected.iter().filter(|selected| **selected).count();
    let price = families.len() as f64 / count.max(1) as f64;
    let adjusted = |(family, selected): (Vec<f64>, &bool)| {
        family.into_iter().map(|p| if *selected { (p * price).min(1.0) } else { 1.0 }).collect()
    };
    within.into_iter().zip(&selected).map(adjusted).collect()
}

/// α-investing (Foster and Stine 2008, *Journal of the Royal Statistical Society* B vol. 70): each question of a session is
/// paid for out of a purse, and one that finds something pays back. The marginal false discovery rate stays below the
/// purse's first content, however long the session is and whatever is asked next.
#[derive(Clone, Debug, PartialEq)]
pub struct Purse {
    wealth: f64,
    asked: usize,
}

/// What the purse holds at first and what a finding pays back: the rate of false findings.
const RATE: f64 = 0.05;
/// The share of the purse that a question may cost.
const SHARE: f64 = 0.25;

impl Default for Purse {
    fn default() -> Self {
        Self { wealth: RATE, asked: 0 }
    }
}

impl Purse {
    /// Asks a question whose answer has this p-value: the level at which it was tested, and whether it is a finding.
    ///
    /// ```
    /// use tradewind::statistics::Purse;
    /// let mut purse = Purse::default();
    /// let (level, found) = purse.ask(0.001);
    /// assert!(found && level > 0.012 && purse.wealth() > 0.05);
    /// assert!(!purse.ask(0.5).1);
    /// ```
    pub fn ask(&mut self, p: f64) -> (f64, bool) {
        self.asked += 1;
        // A question that finds nothing costs level / (1 − level): a quarter of the purse.
        let cost = SHARE * self.wealth;
        let level = cost / (1.0 + cost);
        let found = p <= level;
        self.wealth += if found { RATE } else { -cost };
        (level, found)
    }

    /// What it holds.
    pub fn wealth(&self) -> f64 {
        self.wealth
    }

    /// Questions that were paid from it.
    pub fn asked(&self) -> usize {
        self.asked
    }
}

/// What was asked of some data in a session, and the purse that pays for it. Asking again costs nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    purse: Purse,
    asked: BTreeMap<String, (f64, bool)>,
}

impl Session {
    /// The level at which a question is tested, whether it is a finding, and the purse after it.
    pub(crate) fn ask(&mut self, question: &str, p: f64) -> ((f64, bool), Purse) {
        let answer = *self.asked.entry(question.into()).or_insert_with(|| self.purse.ask(p));
        (answer, self.purse.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_selected_before_their_members() {
        // Selected: the first alone (0.001 · 3 · (1 + 1/2 + 1/3) = 0.0055; the second 0.03 · 1.5 · 2.75 = 0.12).
        let kept = in_families(&[vec![0.0005, 0.9], vec![0.03], vec![]], 0.05);
        // Within: 0.0005 · 2 · 1.5 = 0.0015, times 3 families / 1 selected.
        assert!((kept[0][0] - 0.0045).abs() < 1e-12, "{kept:?}");
        assert_eq!((kept[0][1], kept[1][0], kept[2].len()), (1.0, 1.0, 0));
    }

    /// A session of a hundred questions about nothing rarely finds anything.
    #[test]
    fn sessions_about_nothing_find_little() {
        use rand::{RngExt, SeedableRng};
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let sessions = 2_000;
        let found: usize = (0..sessions)
            .map(|_| {
                let mut purse = Purse::default();
                (0..100).filter(|_| purse.ask(random.random::<f64>()).1).count()
            })
            .sum();
        // E(found) / (E(found) + 1 − 0.05) is at most 0.05.
        let mean = found as f64 / f64::from(sessions);
        assert!(mean / (mean + 0.95) < 0.05 + 0.01, "{mean}");
    }
}
