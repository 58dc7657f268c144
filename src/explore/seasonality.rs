//! Is there seasonality, how strong is it, and when is its peak?
//!
//! Seasonal indices of the total: the mean of each period of the season over the overall mean. The strength is
//! 1 − Var(R)/Var(S+R) of Wang, Smith & Hyndman (2006), with S the seasonal means and R the remainder of the detrended
//! total. A periodogram (augurs) shows which season the data themselves suggest.

use augurs::seasons::{Detector, PeriodogramDetector};
use polars::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, Finding, total};
use crate::error::{Error, Result};
use crate::figures::Seasonal;
use crate::panel::Panel;
use crate::show::{Table, number};

/// Options of `seasonality`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Seasonality {
    /// Steps in a season; by default the panel's season.
    pub season: Option<usize>,
}

impl Ask for Seasonality {
    const NAME: &str = "seasonality";
    const SUMMARY: &str = "Is there seasonality, how strong is it, and when is its peak";
    const EXAMPLE: &str = "seasonality(season=52)";
    const ALSO: &str = "seasonal, season, seasonal pattern";
    const SIMILAR: &[(&str, &str)] = &[(
        "weekday, day of week, month, cycle, periodicity, periodogram",
        "the season of the calendar: its strength and its peak",
    )];

    fn first(_: &Panel) -> Vec<Self> {
        vec![Self::default()]
    }

    fn answer(&self, panel: &Panel) -> Result<Finding> {
        let m = self.season.unwrap_or(panel.season());
        let (first, y) = total(panel);
        if m < 2 || y.len() < 2 * m {
            return Err(Error::data(format!(
                "a season of {m} can only be estimated from {} steps, and the data have {}",
                2 * m.max(2),
                y.len()
            )));
        }
        let observed: Vec<(usize, f64)> = y.iter().copied().enumerate().filter(|(_, v)| !v.is_nan()).collect();
        let mean = observed.iter().map(|(_, v)| v).sum::<f64>() / observed.len() as f64;
        let slope = super::trend::slope(&observed);
        let middle = observed.iter().map(|(t, _)| *t as f64).sum::<f64>() / observed.len() as f64;
        let place = |t: usize| (first + t as i64).rem_euclid(m as i64) as usize;
        let mut sums = vec![(0.0, 0.0); m];
        let detrended: Vec<(usize, f64)> =
            observed.iter().map(|(t, v)| (*t, v - mean - slope * (*t as f64 - middle))).collect();
        for (t, v) in &detrended {
            sums[place(*t)].0 += v;
            sums[place(*t)].1 += 1.0;
        }
        let seasonal: Vec<f64> = sums.iter().map(|(sum, n)| sum / n).collect();
        let variance = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64
        };
        let remainder: Vec<f64> = detrended.iter().map(|(t, v)| v - seasonal[place(*t)]).collect();
        let whole: Vec<f64> = detrended.iter().map(|(_, v)| *v).collect();
        let strength = (1.0 - variance(&remainder) / variance(&whole)).max(0.0);
        let index: Vec<f64> = seasonal.iter().map(|v| 1.0 + v / mean).collect();
        let seen: Vec<usize> = (0..m).filter(|p| !index[*p].is_nan()).collect();
        let by = |a: &&usize, b: &&usize| index[**a].total_cmp(&index[**b]);
        let (Some(peak), Some(trough)) = (seen.iter().max_by(by), seen.iter().min_by(by)) else {
            return Err(Error::data("the series have no values"));
        };
        let calendar = &panel.inner().calendar;
        // The last date of each period, so that the reader sees a date instead of a number.
        let last = first + y.len() as i64 - 1;
        let when = |place: usize| last - (last - place as i64).rem_euclid(m as i64);
        let percent = |v: f64| number((100.0 * (v - 1.0)).round().abs());
        let noun = panel.frequency().noun();
        let sentence = format!(
            "The season of {m} {noun}s explains {} % of the variance around the trend. It peaks {} % above the mean \
             (last on {}) and is lowest, {} % below the mean, on {}.",
            number((100.0 * strength).round()),
            percent(index[*peak]),
            calendar.label(when(*peak)),
            percent(index[*trough]),
            calendar.label(when(*trough)),
        );
        let start = (first..first + m as i64).min_by_key(|p| starts_year(panel, *p)).unwrap_or(first);
        let order: Vec<usize> = (0..m as i64).map(|k| (start + k).rem_euclid(m as i64) as usize).collect();
        let positions: Vec<String> = (0..m as i64).map(|k| place_name(panel, start + k, k, m)).collect();
        let mut cycles: Vec<(String, Vec<f64>)> = Vec::new();
        let mut cycle = start - m as i64;
        while cycle <= last {
            let values: Vec<f64> = (0..m as i64)
                .map(|k| usize::try_from(cycle + k - first).ok().and_then(|t| y.get(t)).copied().unwrap_or(f64::NAN))
                .collect();
            if values.iter().any(|v| !v.is_nan()) {
                let middle = cycle + m as i64 / 2;
                let name = calendar.year(middle).map_or_else(|| calendar.label(cycle), |year| year.to_string());
                cycles.push((name, values));
            }
            cycle += m as i64;
        }
        cycles.reverse();
        cycles.truncate(6);
        cycles.reverse();
        let drawn = Seasonal {
            title: format!("Seasonal plot of the total, {m} {noun}s"),
            value: panel.inner().columns.target.clone(),
            positions,
            cycles,
            profile: order.iter().map(|p| mean + seasonal[*p]).collect(),
        };
        let mut ranked = seen.clone();
        ranked.sort_by(|a, b| index[*b].total_cmp(&index[*a]));
        ranked.truncate(8);
        let table = DataFrame::new(
            ranked.len(),
            vec![
                Column::new("last on".into(), ranked.iter().map(|p| calendar.label(when(*p))).collect::<Vec<_>>()),
                Column::new("index".into(), ranked.iter().map(|p| index[*p]).collect::<Vec<_>>()),
                Column::new("seasons seen".into(), ranked.iter().map(|p| sums[*p].1 as u64).collect::<Vec<_>>()),
            ],
        )?;
        let mut finding =
            Finding::new("Seasonality", sentence, Table::new(table).titled("The highest seasonal indices"))
                .drawn(drawn.figure());
        let seasons = y.len() / m;
        if seasons < 4 {
            finding = finding.but(format!(
                "With only {seasons} complete seasons, seasonal indices reflect single events, and the variance that they explain is \
                 overstated."
            ));
        }
        // A periodogram of n steps resolves frequencies that differ by 1/n or more.
        let apart = |period: u32| (1.0 / f64::from(period) - 1.0 / m as f64).abs() > 1.0 / y.len() as f64;
        let filled: Vec<f64> = y.iter().map(|v| if v.is_nan() { mean } else { *v }).collect();
        let longest = (y.len() / 2).min(3 * m) as u32;
        let found = PeriodogramDetector::builder().max_period(longest.max(4)).build().detect(&filled);
        if let Some(period) = found.first().filter(|period| apart(**period)) {
            finding = finding
                .but(format!("The periodogram of the total peaks at {period} {noun}s; consider season={period}."));
        }
        Ok(finding)
    }
}

/// A key that is least at the first position of a calendar year, so that an annual season is drawn from January.
fn starts_year(panel: &Panel, position: i64) -> i64 {
    let calendar = &panel.inner().calendar;
    match (calendar.year(position), calendar.year(position - 1)) {
        (Some(this), Some(before)) if this != before => i64::MIN,
        _ => position,
    }
}

/// The name of a period of the season: month or weekday where there is one; for weeks, the month at its first week.
fn place_name(panel: &Panel, position: i64, index: i64, m: usize) -> String {
    let calendar = &panel.inner().calendar;
    match calendar.month(position) {
        Some(month) if m > 12 && panel.frequency().season() == m && panel.frequency().noun() != "hour" => month,
        _ => match calendar.season_label(position, m).as_str() {
            label if label.chars().all(|c| c.is_ascii_digit()) => (index + 1).to_string(),
            label => label.to_string(),
        },
    }
}
