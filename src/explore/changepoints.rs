//! When did a series change its level or its variance?
//!
//! Bayesian online changepoint detection (Adams & MacKay 2007) of each series without its season (STL, where the series
//! has more than two seasons); see [`crate::statistics::changepoints`]. A break is dated to the first step of the new
//! segment. A slow trend shows as several breaks, single outliers as short segments; of a long series only the last
//! 5,000 steps are analysed.

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::each::each;
use super::{Ask, Finding};
use crate::error::Result;
use crate::panel::Panel;
use crate::show::words::{about, counted};
use crate::show::{Table, number};
use crate::statistics::{LONGEST, MstlOptions, changepoints, lines, mstl, usable};

/// Values that a series must have.
const LEAST: usize = 10;

/// Options of `changepoints`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Changepoints {
    /// Expected number of steps between breaks, from 1 to 900: the lower, the more breaks are found. By default two
    /// seasons, at least 50 and at most 500.
    pub expected: Option<f64>,
    /// Steps in the season that is removed first; by default the panel's season, 1 for none.
    pub season: Option<usize>,
    /// Rows of the table: breaks, the largest change of level first.
    pub top: usize,
}

impl Default for Changepoints {
    fn default() -> Self {
        Self { expected: None, season: None, top: 10 }
    }
}

/// A break, with mean and standard deviation of the segments before and after it.
struct Break {
    position: i64,
    before: (f64, f64),
    after: (f64, f64),
}

impl Ask for Changepoints {
    const NAME: &str = "changepoints";
    const SUMMARY: &str = "When series changed their level or variance";
    const EXAMPLE: &str = "changepoints(expected=100)";
    const ALSO: &str = "breaks, structural breaks, level shifts";
    const SIMILAR: &[(&str, &str)] = &[(
        "anomalies, anomaly, outliers, outlier, spikes, unusual",
        "it finds lasting changes; single unusual values are findings of `audit`",
    )];

    /// A length out of range is an error of the question.
    fn check(&self) -> Result<()> {
        self.expected.map_or(Ok(()), |expected| changepoints(&[0.0, 1.0, 0.0, 1.0], expected).map(|_| ()))
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let m = self.season.unwrap_or(panel.season()).max(1);
        let expected = self.expected.unwrap_or((2 * m).clamp(50, 500) as f64);
        let answers = each(panel, LEAST, |i, y| {
            let seasons = usable(&[m], y.len());
            let values =
                if seasons.is_empty() { lines(y) } else { mstl(y, &seasons, &MstlOptions::default())?.adjusted() };
            let first = panel.positions(i).first().copied().unwrap_or(0);
            let at = changepoints(&values, expected)?;
            let edges: Vec<usize> = std::iter::once(0).chain(at).chain([values.len()]).collect();
            let segments: Vec<(f64, f64)> = edges.windows(2).map(|edge| moments(&values[edge[0]..edge[1]])).collect();
            let breaks = segments.windows(2).zip(&edges[1..]).map(|(pair, at)| Break {
                position: first + *at as i64,
                before: pair[0],
                after: pair[1],
            });
            Ok((breaks.collect::<Vec<_>>(), seasons.is_empty()))
        })?;
        let found = &answers.found;
        let count = |n: usize| number(n as f64);
        let mut breaks: Vec<(usize, &Break)> =
            found.iter().flat_map(|(i, (breaks, _))| breaks.iter().map(|b| (*i, b))).collect();
        let size = |b: &Break| (b.after.0 - b.before.0).abs();
        breaks.sort_by(|a, b| size(b.1).total_cmp(&size(a.1)).then(a.0.cmp(&b.0)));
        let broken = found.iter().filter(|(_, (breaks, _))| !breaks.is_empty()).count();
        let calendar = &panel.inner().calendar;
        let sentence = match breaks.first() {
            None => format!("No lasting change of level or variance in {} series.", count(found.len())),
            Some((i, b)) => format!(
                "{} of {} series changed their level or variance, with {} in all. The largest change of level is in {}: from \
                 about {} to about {} per {}, starting on {}.",
                count(broken),
                count(found.len()),
                counted(breaks.len(), "break", "breaks"),
                panel.label(*i),
                about(b.before.0),
                about(b.after.0),
                panel.frequency().noun(),
                calendar.label(b.position),
            ),
        };
        let all = breaks.len();
        breaks.truncate(self.top.max(1));
        let mut columns = panel.key_columns(breaks.iter().map(|(i, _)| *i))?;
        let starts = breaks.iter().map(|(_, b)| calendar.label(b.position)).collect::<Vec<_>>();
        columns.push(Column::new("from".into(), starts));
        let column = |name: &str, pick: fn(&Break) -> f64| {
            Column::new(name.into(), breaks.iter().map(|(_, b)| pick(b)).collect::<Vec<_>>())
        };
        columns.push(column("level before", |b| b.before.0));
        columns.push(column("level after", |b| b.after.0));
        columns.push(column("spread before", |b| b.before.1));
        columns.push(column("spread after", |b| b.after.1));
        let table = Table::new(DataFrame::new(breaks.len(), columns)?)
            .of_rows(all)
            .titled("Breaks, the largest change of level first; seasonally adjusted");
        let finding = Finding::new("Level changes", sentence, table);
        let mut finding = answers.caveats(finding, panel, "filled by linear or seasonal interpolation");
        let raw = found.iter().filter(|(_, (_, raw))| *raw).count();
        if m > 1 && raw > 0 {
            finding = finding.but(format!(
                "{} of {} series have no more than two seasons of {}: they are not seasonally adjusted, and their season may \
                 show as breaks.",
                count(raw),
                count(found.len()),
                count(m)
            ));
        }
        let long = found.iter().filter(|(i, _)| panel.regular(*i).len() > LONGEST).count();
        if long > 0 {
            finding = finding.but(format!(
                "{} of {} series are longer than {} steps; only the last of these were analysed.",
                count(long),
                count(found.len()),
                count(LONGEST)
            ));
        }
        Ok(finding.but("A break has a date but no cause; a slow trend shows as several breaks."))
    }
}

/// Mean and standard deviation.
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
}
