//! A question answered for every series, in parallel. Series that cannot answer it are counted and named; they are no
//! error.

use rayon::prelude::*;

use super::Finding;
use crate::error::{Error, Result};
use crate::panel::Panel;
use crate::progress;
use crate::show::number;
use crate::statistics::is_constant;

/// The most names in a caveat.
const NAMED: usize = 3;

/// The answers of the series.
pub(super) struct Answers<T> {
    /// Series and their answers, in the panel's order.
    pub(super) found: Vec<(usize, T)>,
    /// Reasons for which series were left out, and which.
    left_out: Vec<(String, Vec<usize>)>,
    /// How many of those that answered have missing values.
    gaps: usize,
}

/// Answers a question for every series that varies and has at least `least` values.
///
/// # Errors
/// When the work is interrupted or no series can answer.
pub(super) fn each<T: Send>(
    panel: &Panel,
    least: usize,
    work: impl Fn(usize, &[f64]) -> Result<T> + Sync,
) -> Result<Answers<T>> {
    let bar = progress::bar(panel.len(), "exploring");
    let asked = (0..panel.len())
        .into_par_iter()
        .with_max_len(1)
        .map(|i| {
            progress::check()?;
            let values = panel.regular(i);
            let observed = values.iter().filter(|v| !v.is_nan()).count();
            let answer = if observed == 0 {
                Err("without values".to_string())
            } else if is_constant(&values) {
                Err("constant".to_string())
            } else if observed < least {
                Err(format!("fewer than {} values", number(least as f64)))
            } else {
                match work(i, &values) {
                    Err(error) if error.is_interrupted() => return Err(error),
                    answer => answer.map_err(|error| error.to_string()),
                }
            };
            bar.inc(1);
            Ok((answer, observed < values.len()))
        })
        .collect::<Result<Vec<_>>>()?;
    drop(bar);
    let mut answers = Answers { found: Vec::new(), left_out: Vec::new(), gaps: 0 };
    for (i, (answer, gaps)) in asked.into_iter().enumerate() {
        match answer {
            Ok(answer) => {
                answers.found.push((i, answer));
                answers.gaps += usize::from(gaps);
            }
            Err(why) => match answers.left_out.iter_mut().find(|(known, _)| *known == why) {
                Some((_, series)) => series.push(i),
                None => answers.left_out.push((why, vec![i])),
            },
        }
    }
    if answers.found.is_empty() {
        Err(Error::data(format!("no series can answer this question: {}", answers.reasons(panel))))
    } else {
        Ok(answers)
    }
}

impl<T> Answers<T> {
    /// The finding with caveats on series that were left out and on how missing values were handled.
    pub(super) fn caveats(&self, finding: Finding, panel: &Panel, gaps: &str) -> Finding {
        let left: usize = self.left_out.iter().map(|(_, series)| series.len()).sum();
        let count = |n: usize| number(n as f64);
        let finding = match left {
            0 => finding,
            _ => {
                let all = count(panel.len());
                finding.but(format!("{} of {all} series left out: {}.", count(left), self.reasons(panel)))
            }
        };
        match self.gaps {
            0 => finding,
            some => finding.but(format!(
                "{} of {} series with missing values: {gaps}.",
                count(some),
                count(self.found.len())
            )),
        }
    }

    fn reasons(&self, panel: &Panel) -> String {
        let reason = |(why, series): &(String, Vec<usize>)| {
            let names: Vec<&str> = series.iter().take(NAMED).map(|i| panel.label(*i)).collect();
            let more = series.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {} more", number(more as f64)) } else { String::new() };
            format!("{} {why} ({}{more})", number(series.len() as f64), names.join("; "))
        };
        self.left_out.iter().map(reason).collect::<Vec<_>>().join("; ")
    }
}

/// A caveat on a total of series that do not all span its first to its last step.
pub(super) fn of_a_total(panel: &Panel) -> Option<String> {
    let ends = |i: usize| Some((*panel.positions(i).first()?, *panel.positions(i).last()?));
    let ends: Vec<(i64, i64)> = (0..panel.len()).filter_map(ends).collect();
    let first = ends.iter().map(|(first, _)| *first).min()?;
    let last = ends.iter().map(|(_, last)| *last).max()?;
    let partial = ends.iter().filter(|ends| **ends != (first, last)).count();
    (partial > 0).then(|| {
        format!(
            "{} of {} series do not reach from the first date to the last; the total jumps where they begin or end.",
            number(partial as f64),
            number(panel.len() as f64)
        )
    })
}
