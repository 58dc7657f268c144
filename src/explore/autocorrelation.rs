//! Is the series autocorrelated, and at which lags?
//!
//! Autocorrelations and partial autocorrelations (Box, Jenkins & Reinsel 2008, ch. 2–3; see [`crate::statistics`]), of
//! one series or of the total, with the band ±1.96/√n that contains 95 % of them for white noise, and the Ljung–Box
//! test (1978) of the first 2m lags, 10 without a season, at most n/5 (Hyndman & Athanasopoulos, FPP3 §5.4). A trend or
//! a season makes every lag significant; for the residuals of a model see `fits.residuals`.

use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::each::of_a_total;
use super::{Ask, Finding, total};
use crate::error::{Error, Result, find};
use crate::figures::Correlogram;
use crate::panel::Panel;
use crate::show::words::{capital, counted, p_value, rounded};
use crate::show::{Table, number};
use crate::statistics::{autocorrelations, ljung_box, partial_autocorrelations};

/// The most lags unless more are asked for.
const MOST: usize = 400;

/// Options of `autocorrelation`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Autocorrelation {
    /// The series, by its name in the panel's keys; by default the total over all series.
    pub series: Option<String>,
    /// Number of lags; by default 10 log10(n) or 1.25 seasons, whichever is more, but at most half the number of
    /// values.
    pub lags: Option<usize>,
}

impl Ask for Autocorrelation {
    const NAME: &str = "autocorrelation";
    const SUMMARY: &str = "Is the series autocorrelated, and at which lags";
    const EXAMPLE: &str = "autocorrelation(lags=60)";
    const ALSO: &str = "acf";
    const SIMILAR: &[(&str, &str)] = &[(
        "pacf, partial autocorrelation, correlogram, lags, ljung box",
        "with partial autocorrelations and the Ljung–Box test",
    )];

    fn check(&self) -> Result<()> {
        match self.lags {
            Some(0) => Err(Error::usage("autocorrelation needs at least one lag")),
            _ => Ok(()),
        }
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let (whose, y) = match &self.series {
            Some(key) => {
                let series = find(key, &panel.labels(), "series")?;
                (panel.label(series).to_string(), panel.regular(series).into_owned())
            }
            None if panel.len() == 1 => (panel.label(0).to_string(), panel.regular(0).into_owned()),
            None => ("the total".to_string(), total(panel).1),
        };
        let observed = y.iter().filter(|v| !v.is_nan()).count();
        let n = observed as f64;
        let m = panel.season();
        let usual = ((10.0 * n.max(1.0).log10()) as usize).max(if m > 1 { m + m / 4 } else { 0 });
        let lags = self.lags.unwrap_or(usual.min(observed / 2).clamp(1, MOST));
        let cannot = |why: Error| Error::data(format!("no autocorrelations of {whose} up to lag {lags}: {why}"));
        let acf = autocorrelations(&y, lags).map_err(cannot)?;
        let pacf = partial_autocorrelations(&acf);
        let band = 1.96 / n.sqrt();
        let tested = (if m > 1 { 2 * m } else { 10 }).min(observed / 5).max(1);
        let test = ljung_box(&y, tested, 0).map_err(cannot)?;

        let noun = panel.frequency().noun();
        let outside = acf.iter().filter(|r| r.abs() > band).count();
        let strongest = (1..acf.len()).fold(0, |best, k| if acf[k].abs() > acf[best].abs() { k } else { best });
        let steps = |lag: usize| counted(lag, noun, &format!("{noun}s"));
        let strongest = match strongest {
            0 => String::new(),
            k => format!(", and the strongest is {} at {}", rounded(acf[k], 2), steps(k + 1)),
        };
        let verdict = if test.p_value < 0.05 { "is significantly autocorrelated" } else { "looks like white noise" };
        let sentence = format!(
            "{} {verdict} (Ljung–Box test over {}, {}). The autocorrelation at lag 1 is {}{strongest}; {} of {} lags are \
             outside the band of ±{}, where white noise would have {}.",
            capital(&whose),
            steps(tested),
            p_value(test.p_value),
            rounded(acf[0], 2),
            number(outside as f64),
            number(lags as f64),
            rounded(band, 2),
            rounded(0.05 * lags as f64, 0),
        );
        let rows: Vec<usize> = (0..acf.len()).collect();
        let column = |name: &str, values: Vec<f64>| Column::new(name.into(), values);
        let table = DataFrame::new(
            rows.len(),
            vec![
                Column::new("lag".into(), rows.iter().map(|k| *k as u64 + 1).collect::<Vec<_>>()),
                column("autocorrelation", acf.clone()),
                column("partial", pacf.clone()),
                Column::new("outside the band".into(), acf.iter().map(|r| r.abs() > band).collect::<Vec<_>>()),
            ],
        )?;
        let figure = Correlogram {
            title: format!("Autocorrelation of {}", whose_words(&whose)),
            value: format!("correlation with the value this many {noun}s earlier"),
            acf,
            pacf,
            band,
            season: m,
        };
        let title = format!("Autocorrelation of {}", whose_words(&whose));
        let mut finding = Finding::new(title, sentence, Table::new(table)).drawn(figure.figure());
        if observed < y.len() {
            finding = finding.but(format!(
                "{} of {} steps have no value; each lag uses the pairs without missing values.",
                number((y.len() - observed) as f64),
                number(y.len() as f64)
            ));
        }
        match of_a_total(panel).filter(|_| self.series.is_none() && panel.len() > 1) {
            Some(caveat) => Ok(finding.but(caveat)),
            None => Ok(finding),
        }
    }
}

/// The series of a panel without keys is called `all`, which reads badly in a title.
fn whose_words(whose: &str) -> &str {
    if whose == "all" { "the series" } else { whose }
}
