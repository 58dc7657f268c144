//! Is what trend and season leave normal, as most forecast intervals assume?
//!
//! The remainder of STL of each series (of a smooth where the series holds no more than two seasons) by the tests of
//! Jarque & Bera (1980) and of Shapiro & Wilk (1965; Royston 1995), see [`crate::statistics`]: a series passes if neither
//! rejects. Skewness and excess kurtosis, 0 where normal, say in what the remainder differs. Long series fail by
//! differences that do not matter, short ones pass for want of values. The remainder comes from a smooth of the whole
//! series and is a little smaller than forecast errors.

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::each::{each, rounded};
use super::{Ask, Finding};
use crate::error::{Error, Result};
use crate::panel::Panel;
use crate::show::{Table, number};
use crate::statistics::{MstlOptions, jarque_bera, mstl, shapiro_wilk, usable};

/// Values that a series must have.
const LEAST: usize = 20;

/// Options of `normality`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Normality {
    /// Steps in a season; the panel's season if not stated, 1 for none.
    pub season: Option<usize>,
    /// The share of normal series that a test may reject, between 0 and 1.
    pub alpha: f64,
    /// Series in the table, the least normal first.
    pub top: usize,
}

impl Default for Normality {
    fn default() -> Self {
        Self { season: None, alpha: 0.05, top: 10 }
    }
}

struct Answer {
    skewness: f64,
    excess: f64,
    /// p-values; Shapiro–Wilk is NaN for more values than it takes.
    jarque_bera: f64,
    shapiro_wilk: f64,
    /// Is only a smooth taken out?
    smooth: bool,
}

impl Answer {
    fn passes(&self, alpha: f64) -> bool {
        self.jarque_bera >= alpha && (self.shapiro_wilk.is_nan() || self.shapiro_wilk >= alpha)
    }
}

impl Ask for Normality {
    const NAME: &str = "normality";
    const SUMMARY: &str = "Is what trend and season leave normal, as intervals assume";
    const EXAMPLE: &str = "normality(top=5)";
    const ALSO: &str = "normal";
    const SIMILAR: &[(&str, &str)] =
        &[("distribution, histogram, jarque bera, shapiro, shapiro wilk, residuals", "of what trend and season leave")];

    fn check(&self) -> Result<()> {
        match self.alpha > 0.0 && self.alpha < 1.0 {
            true => Ok(()),
            false => Err(Error::usage(format!("alpha is a share between 0 and 1, not {}", self.alpha))),
        }
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let m = self.season.unwrap_or(panel.season()).max(1);
        let answers = each(panel, LEAST, |_, y| {
            let seasons = usable(&[m], y.len());
            let parts = mstl(y, &seasons, &MstlOptions::default())?;
            let left: Vec<f64> = parts.remainder.into_iter().filter(|r| !r.is_nan()).collect();
            let size = |values: &[f64]| values.iter().filter(|v| !v.is_nan()).fold(0.0_f64, |a, v| a.max(v.abs()));
            if size(&left) <= 1e-10 * size(y) {
                return Err(Error::model("nothing left over by trend and season"));
            }
            let (skewness, excess) = shape(&left);
            Ok(Answer {
                skewness,
                excess,
                jarque_bera: jarque_bera(&left)?.p_value,
                shapiro_wilk: shapiro_wilk(&left).map_or(f64::NAN, |test| test.p_value),
                smooth: seasons.is_empty(),
            })
        })?;
        let found = &answers.found;
        let count = |n: usize| number(n as f64);
        let passed = found.iter().filter(|(_, a)| a.passes(self.alpha)).count();
        let failed = || found.iter().map(|(_, a)| a).filter(|a| !a.passes(self.alpha));
        let heavy = failed().filter(|a| a.excess > 1.0).count();
        let skewed = failed().filter(|a| a.skewness.abs() > 0.5).count();
        let advice = match failed().count() {
            0 => " Intervals from a normal distribution suit them.".to_string(),
            n => format!(
                " Of the {} that do not, {} have more extremes than a normal distribution and {} lean to one side: \
                 prefer intervals from past errors.",
                count(n),
                count(heavy),
                count(skewed),
            ),
        };
        let sentence = format!(
            "What trend and season leave looks normal in {} of {} series ({} %).{advice}",
            count(passed),
            count(found.len()),
            rounded(100.0 * passed as f64 / found.len() as f64, 0),
        );
        let mut order: Vec<usize> = (0..found.len()).collect();
        let least = |a: &Answer| a.jarque_bera.min(a.shapiro_wilk);
        order.sort_by(|a, b| least(&found[*a].1).total_cmp(&least(&found[*b].1)));
        order.truncate(self.top.max(1));
        let mut columns = panel.key_columns(order.iter().map(|at| found[*at].0))?;
        let column = |name: &str, pick: fn(&Answer) -> f64| {
            Column::new(name.into(), order.iter().map(|at| pick(&found[*at].1)).collect::<Vec<_>>())
        };
        columns.push(column("skewness", |a| a.skewness));
        columns.push(column("excess kurtosis", |a| a.excess));
        columns.push(column("Jarque–Bera p", |a| a.jarque_bera));
        columns.push(column("Shapiro–Wilk p", |a| a.shapiro_wilk));
        let passes = order.iter().map(|at| found[*at].1.passes(self.alpha)).collect::<Vec<_>>();
        columns.push(Column::new("passes".into(), passes));
        let table =
            Table::new(DataFrame::new(order.len(), columns)?).of_rows(found.len()).titled("The remainder by series");
        let finding = Finding::new("Is the remainder normal", sentence, table);
        let mut finding = answers.caveats(finding, panel, "filled for the decomposition, left out of the tests");
        let smooth = found.iter().filter(|(_, a)| a.smooth).count();
        if m > 1 && smooth > 0 {
            finding = finding.but(format!(
                "{} of {} series hold no more than two seasons of {}: of these, a smooth is taken out instead of a season.",
                count(smooth),
                count(found.len()),
                count(m)
            ));
        }
        let long = found.iter().filter(|(_, a)| a.shapiro_wilk.is_nan()).count();
        if long > 0 {
            finding = finding.but(format!(
                "{} of {} series are too long for Shapiro–Wilk, which takes 5,000 values; Jarque–Bera alone judges them.",
                count(long),
                count(found.len())
            ));
        }
        Ok(finding)
    }
}

/// Skewness and excess kurtosis, 0 where normal.
fn shape(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let scale = values.iter().fold(0.0_f64, |scale, v| scale.max((v - mean).abs()));
    let moment = |power: i32| values.iter().map(|v| ((v - mean) / scale).powi(power)).sum::<f64>() / n;
    let variance = moment(2);
    (moment(3) / variance.powf(1.5), moment(4) / (variance * variance) - 3.0)
}
