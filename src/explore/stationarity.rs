//! Are the series stationary, and how many differences make them so?
//!
//! For each series the KPSS test (null hypothesis: stationary around a level; Kwiatkowski et al. 1992) and the ADF test
//! with a constant (null hypothesis: unit root; Said & Dickey 1984), both at 5 %, and the number of differences that an
//! ARIMA model would take: first a seasonal one where the strength of seasonality exceeds 0.64, then ordinary ones
//! until KPSS no longer rejects, as R's `nsdiffs` and `ndiffs` (Hyndman & Khandakar 2008). KPSS and the numbers of
//! differences leave missing values out; for ADF and the strength of seasonality they are filled. The tests have little
//! power for short series.

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::each::each;
use super::{Ask, Finding};
use crate::error::Result;
use crate::panel::Panel;
use crate::show::{Table, number};
use crate::statistics::{Around, Deterministic, adf, filled, kpss, ndiffs, nsdiffs, usable};

/// Values that a series must have.
const LEAST: usize = 10;
const ALPHA: f64 = 0.05;

/// Options of `stationarity`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Stationarity {
    /// Steps in a season; by default the panel's season, 1 for none.
    pub season: Option<usize>,
    /// Rows of the table: series, those that need most differences first.
    pub top: usize,
}

impl Default for Stationarity {
    fn default() -> Self {
        Self { season: None, top: 10 }
    }
}

struct Answer {
    kpss: f64,
    adf: f64,
    differences: usize,
    seasonal: usize,
    /// Is the series too short for a seasonal difference to be assessed?
    short: bool,
}

impl Ask for Stationarity {
    const NAME: &str = "stationarity";
    const SUMMARY: &str = "Are the series stationary, and how many differences make them so";
    const EXAMPLE: &str = "stationarity(top=5)";
    const ALSO: &str = "unit root, unit roots";
    const SIMILAR: &[(&str, &str)] = &[(
        "adf, kpss, dickey fuller, differencing, differences",
        "the KPSS and ADF tests, with the number of differences",
    )];

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let m = self.season.unwrap_or(panel.season()).max(1);
        let answers = each(panel, LEAST, |_, y| {
            let seasons = usable(&[m], y.len());
            let seasonal = if seasons.is_empty() { 0 } else { nsdiffs(y, m) };
            let over_a_season: Vec<f64> = y.iter().skip(m).zip(y).map(|(now, then)| now - then).collect();
            Ok(Answer {
                kpss: kpss(y, Around::Level, None)?.p_value,
                adf: adf(&filled(y, &seasons)?, Deterministic::Constant, None).map_or(f64::NAN, |test| test.p_value),
                differences: ndiffs(if seasonal == 0 { y } else { &over_a_season }, ALPHA),
                seasonal,
                short: m > 1 && seasons.is_empty(),
            })
        })?;
        let found = &answers.found;
        let count = |n: usize| number(n as f64);
        let mut groups: Vec<((usize, usize), usize)> = Vec::new();
        for (_, answer) in found {
            let needs = (answer.seasonal, answer.differences);
            match groups.iter_mut().find(|(known, _)| *known == needs) {
                Some((_, members)) => *members += 1,
                None => groups.push((needs, 1)),
            }
        }
        groups.sort_by_key(|(needs, members)| (std::cmp::Reverse(*members), *needs));
        let noun = panel.frequency().noun();
        let needs: Vec<String> = groups
            .iter()
            .enumerate()
            .map(|(at, ((seasonal, ordinary), members))| {
                let ordinary = ["no", "one ordinary", "two ordinary"][(*ordinary).min(2)];
                let what = match (*seasonal, ordinary) {
                    (0, "no") => "no difference".to_string(),
                    (0, "two ordinary") => "two ordinary differences".to_string(),
                    (0, some) => format!("{some} difference"),
                    (_, "no") => format!("one seasonal difference ({} {noun}s)", count(m)),
                    (_, some) => format!("one seasonal difference ({} {noun}s) and {some}", count(m)),
                };
                let whole = if at == 0 { format!(" of {} series", count(found.len())) } else { String::new() };
                let verb = match (at, members) {
                    (0, 1) => " needs",
                    (0, _) => " need",
                    _ => "",
                };
                format!("{}{whole}{verb} {what}", count(*members))
            })
            .collect();
        let rejected = found.iter().filter(|(_, a)| a.kpss < ALPHA).count();
        let stationary = found.iter().filter(|(_, a)| a.adf < ALPHA).count();
        let sentence = format!(
            "To become stationary, {}. KPSS rejects stationarity for {} series; ADF rejects a unit root for {}.",
            needs.join(", "),
            count(rejected),
            count(stationary),
        );
        let mut order: Vec<usize> = (0..found.len()).collect();
        order.sort_by(|a, b| {
            let (a, b) = (&found[*a].1, &found[*b].1);
            (b.differences + b.seasonal).cmp(&(a.differences + a.seasonal)).then(b.adf.total_cmp(&a.adf))
        });
        order.truncate(self.top.max(1));
        let mut columns = panel.key_columns(order.iter().map(|at| found[*at].0))?;
        let real = |name: &str, pick: fn(&Answer) -> f64| {
            Column::new(name.into(), order.iter().map(|at| pick(&found[*at].1)).collect::<Vec<_>>())
        };
        let whole = |name: &str, pick: fn(&Answer) -> usize| {
            Column::new(name.into(), order.iter().map(|at| pick(&found[*at].1) as u64).collect::<Vec<_>>())
        };
        columns.push(whole("differences", |a| a.differences));
        columns.push(whole("seasonal differences", |a| a.seasonal));
        columns.push(real("KPSS p", |a| a.kpss));
        columns.push(real("ADF p", |a| a.adf));
        let table =
            Table::new(DataFrame::new(order.len(), columns)?).of_rows(found.len()).titled("Differences by series");
        let finding = Finding::new("Stationarity", sentence, table);
        let mut finding = answers.caveats(
            finding,
            panel,
            "left out of KPSS and the numbers of differences, filled for ADF and the seasonal strength",
        );
        let short = found.iter().filter(|(_, a)| a.short).count();
        if short > 0 {
            finding = finding.but(format!(
                "{} of {} series have no more than two seasons of {}, too few to assess a seasonal difference.",
                count(short),
                count(found.len()),
                count(m)
            ));
        }
        Ok(finding.but("KPSS p-values are tabulated between 0.01 and 0.1: read these bounds as ≤ 0.01 and ≥ 0.1."))
    }
}
