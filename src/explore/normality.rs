//! Is the remainder after trend and season normal, as most forecast intervals assume?
//!
//! The STL remainder of each series (of a smoother where the series has no more than two seasons) by the tests of
//! Jarque & Bera (1980) and Shapiro & Wilk (1965; Royston 1995), see [`crate::statistics`]: a series passes if neither
//! rejects normality. Skewness and excess kurtosis, both 0 for a normal distribution, show how the remainder differs.
//! Long series are rejected for differences that do not matter, short ones pass for lack of power. The remainder of a
//! two-sided smoother is a little smaller than forecast errors.

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::each::each;
use super::{Ask, Finding};
use crate::error::{Error, Result};
use crate::panel::Panel;
use crate::show::words::rounded;
use crate::show::{Table, number};
use crate::statistics::{MstlOptions, jarque_bera, mstl, shapiro_wilk, usable};

/// Values that a series must have.
const LEAST: usize = 20;

/// Options of `normality`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Normality {
    /// Steps in a season; by default the panel's season, 1 for none.
    pub season: Option<usize>,
    /// Significance level of the tests, between 0 and 1.
    pub alpha: f64,
    /// Rows of the table: series, the smallest p-values first.
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
    /// p-values; Shapiro–Wilk is NaN above 5,000 values.
    jarque_bera: f64,
    shapiro_wilk: f64,
    /// Is the remainder that of a smoother, without a season?
    smooth: bool,
}

impl Answer {
    fn passes(&self, alpha: f64) -> bool {
        self.jarque_bera >= alpha && (self.shapiro_wilk.is_nan() || self.shapiro_wilk >= alpha)
    }
}

impl Ask for Normality {
    const NAME: &str = "normality";
    const SUMMARY: &str = "Is the remainder after trend and season normal, as most intervals assume";
    const EXAMPLE: &str = "normality(top=5)";
    const ALSO: &str = "normal";
    const SIMILAR: &[(&str, &str)] = &[(
        "distribution, histogram, jarque bera, shapiro, shapiro wilk, residuals",
        "of the remainder after trend and season",
    )];

    fn check(&self) -> Result<()> {
        if self.alpha > 0.0 && self.alpha < 1.0 {
            Ok(())
        } else {
            Err(Error::usage(format!("alpha is a significance level between 0 and 1, not {}", self.alpha)))
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
                return Err(Error::model("no remainder after trend and season"));
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
            0 => " Normal intervals are appropriate.".to_string(),
            n => format!(
                " Of the other {}, {} have heavier tails than a normal distribution and {} are skewed: prefer intervals from \
                 past errors (conformal).",
                count(n),
                count(heavy),
                count(skewed),
            ),
        };
        let sentence = format!(
            "The remainder after trend and season is compatible with a normal distribution in {} of {} series ({} %).{advice}",
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
        let table = Table::new(DataFrame::new(order.len(), columns)?)
            .of_rows(found.len())
            .titled("Tests of the remainder by series");
        let finding = Finding::new("Normality of the remainder", sentence, table);
        let mut finding = answers.caveats(finding, panel, "filled for the decomposition, left out of the tests");
        let smooth = found.iter().filter(|(_, a)| a.smooth).count();
        if m > 1 && smooth > 0 {
            finding = finding.but(format!(
                "{} of {} series have no more than two seasons of {}: their remainder is that of a smoother without a season.",
                count(smooth),
                count(found.len()),
                count(m)
            ));
        }
        let long = found.iter().filter(|(_, a)| a.shapiro_wilk.is_nan()).count();
        if long > 0 {
            finding = finding.but(format!(
                "{} of {} series are too long for Shapiro–Wilk, which takes at most 5,000 values; only Jarque–Bera applies.",
                count(long),
                count(found.len())
            ));
        }
        Ok(finding)
    }
}

/// Skewness and excess kurtosis, both 0 for a normal distribution.
fn shape(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let scale = values.iter().fold(0.0_f64, |scale, v| scale.max((v - mean).abs()));
    let moment = |power: i32| values.iter().map(|v| ((v - mean) / scale).powi(power)).sum::<f64>() / n;
    let variance = moment(2);
    (moment(3) / variance.powf(1.5), moment(4) / (variance * variance) - 3.0)
}
