//! How strong are trend and seasonality, and what remains?
//!
//! STL, or MSTL for several seasons (Cleveland et al. 1990; Bandara, Hyndman & Bergmeir 2021), of each series. The
//! strength of a component C with remainder R is max(0, 1 − Var(R)/Var(R + C)), from 0 for none to 1 for no remainder
//! (Wang, Smith & Hyndman 2006; FPP3 §4.3). The figure decomposes the total. With few seasons, the seasonal component
//! follows single events and looks stronger than it is.

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::each::{each, of_a_total};
use super::{Ask, Finding, total};
use crate::error::{Error, Result};
use crate::figures::{Decomposed, TimeAxis};
use crate::panel::{Panel, median};
use crate::show::words::rounded;
use crate::show::{Table, number};
use crate::statistics::{MstlOptions, mstl, usable};

/// Options of `decomposition`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Decomposition {
    /// Steps in each season; by default the panel's season.
    pub seasons: Vec<usize>,
    /// Downweight outliers?
    pub robust: bool,
    /// Rows of the table: series, the strongest seasonality first.
    pub top: usize,
}

impl Default for Decomposition {
    fn default() -> Self {
        Self { seasons: Vec::new(), robust: false, top: 10 }
    }
}

struct Answer {
    trend: f64,
    /// By season asked for; NaN where the series is too short for it.
    seasons: Vec<f64>,
}

impl Ask for Decomposition {
    const NAME: &str = "decomposition";
    const SUMMARY: &str = "How strong trend and seasonality are, and what remains";
    const EXAMPLE: &str = "decomposition(seasons=[52])";
    const ALSO: &str = "decompose, components";
    const SIMILAR: &[(&str, &str)] =
        &[("stl, mstl, remainder", "the decomposition is STL, or MSTL for several seasons")];

    fn check(&self) -> Result<()> {
        match self.seasons.iter().find(|m| **m < 2) {
            Some(season) => Err(Error::usage(format!("a season has at least two steps, not {season}"))),
            None => Ok(()),
        }
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let asked = if self.seasons.is_empty() { vec![panel.season()] } else { self.seasons.clone() };
        let seasons = usable(&asked, usize::MAX);
        let options = MstlOptions { robust: self.robust, ..MstlOptions::default() };
        let least = seasons.first().map_or(8, |m| (2 * m).saturating_add(1));
        let answers = each(panel, least, |_, y| {
            let parts = mstl(y, &seasons, &options)?;
            let strengths = parts.seasonal_strengths();
            let strength = |m: &usize| parts.seasons.iter().position(|s| s == m).map_or(f64::NAN, |at| strengths[at]);
            Ok(Answer { trend: parts.trend_strength(), seasons: seasons.iter().map(strength).collect() })
        })?;
        let found = &answers.found;
        let noun = panel.frequency().noun();
        let middle = |pick: &dyn Fn(&Answer) -> f64| {
            rounded(median(found.iter().map(|(_, a)| pick(a)).filter(|v| !v.is_nan()).collect()), 2)
        };
        let mut parts = vec![format!("trend {}", middle(&|a| a.trend))];
        let seen = |s: usize| found.iter().any(|(_, a)| !a.seasons[s].is_nan());
        for (s, m) in seasons.iter().enumerate().filter(|(s, _)| seen(*s)) {
            let steps = number(*m as f64);
            parts.push(format!("season of {steps} {noun}s {}", middle(&|a| a.seasons[s])));
        }
        let best = |pick: &dyn Fn(&Answer) -> f64| {
            let by = |a: &&(usize, Answer), b: &&(usize, Answer)| pick(&a.1).total_cmp(&pick(&b.1));
            let known = found.iter().filter(|(_, a)| !pick(a).is_nan());
            known.max_by(by).map(|(i, a)| format!("{} ({})", panel.label(*i), rounded(pick(a), 2)))
        };
        let by_season = |a: &Answer| a.seasons.first().copied().unwrap_or(f64::NAN);
        let most = match (found.len(), best(&|a| a.trend), best(&by_season)) {
            (2.., Some(trend), Some(season)) => format!(" Seasonality is strongest in {season}, the trend in {trend}."),
            (2.., Some(trend), None) => format!(" The trend is strongest in {trend}."),
            _ => String::new(),
        };
        let whose = if found.len() == 1 { "" } else { " of the median series" };
        let sentence = format!("Strength{whose}, from 0 (none) to 1 (no remainder): {}.{most}", parts.join(", "));

        let mut order: Vec<usize> = (0..found.len()).collect();
        let key = |at: usize| if seasons.is_empty() { found[at].1.trend } else { by_season(&found[at].1) };
        order.sort_by(|a, b| key(*b).total_cmp(&key(*a)));
        order.truncate(self.top.max(1));
        let mut columns = panel.key_columns(order.iter().map(|at| found[*at].0))?;
        let column = |name: String, pick: &dyn Fn(&Answer) -> f64| {
            Column::new(name.into(), order.iter().map(|at| pick(&found[*at].1)).collect::<Vec<_>>())
        };
        columns.push(column("trend strength".into(), &|a| a.trend));
        for (s, m) in seasons.iter().enumerate() {
            columns.push(column(format!("season {m} strength"), &|a| a.seasons[s]));
        }
        let table = Table::new(DataFrame::new(order.len(), columns)?)
            .of_rows(found.len())
            .titled("Strength of trend and seasonality by series");
        let finding = Finding::new("Trend and seasonality", sentence, table);
        let mut finding = answers.caveats(finding, panel, "filled for the decomposition, left out of the remainder");
        let (first, y) = total(panel);
        if let Ok(parts) = mstl(&y, &seasons, &options) {
            let calendar = &panel.inner().calendar;
            let whole = if panel.len() == 1 { "the series" } else { "the total" };
            let name = |m: &usize| format!("Season of {} {noun}s", number(*m as f64));
            let figure = Decomposed {
                title: format!("Decomposition of {whole}"),
                value: panel.inner().columns.target.clone(),
                axis: if panel.frequency().is_whole() { TimeAxis::Steps } else { TimeAxis::Dates },
                x: (0..y.len() as i64).map(|t| calendar.x(first + t)).collect(),
                seasonal: parts.seasons.iter().map(name).zip(parts.seasonal).collect(),
                data: y,
                trend: parts.trend,
                remainder: parts.remainder,
            };
            finding = finding.drawn(figure.figure());
            if let Some(caveat) = of_a_total(panel).filter(|_| panel.len() > 1) {
                finding = finding.but(caveat);
            }
        }
        let steps = found.iter().map(|(i, _)| panel.regular(*i).len()).max().unwrap_or(0);
        if let Some(m) = seasons.iter().find(|m| **m > 1 && steps / **m < 4) {
            finding = finding.but(format!(
                "The longest series has {} seasons of {}. With so few, the seasonal component follows single events and looks \
                 stronger than it is.",
                rounded(steps as f64 / *m as f64, 1),
                number(*m as f64)
            ));
        }
        Ok(finding)
    }
}
