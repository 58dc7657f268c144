//! Why does a model forecast what it forecasts? Feature importance, and the attribution of one forecast to features.
//!
//! The forecast of a global model is a baseline (the expected value) plus a contribution of each feature: exact Shapley
//! values for trees, coefficients times values for linear models. Contributions of related features are added up: the
//! calendar, a promotion and the days around it, recent sales, the same days of earlier seasons.

use polars::prelude::*;

use crate::error::{Error, Result, find};
use crate::figures::{Bars, Waterfall};
use crate::forecast::Forecast;
use crate::models::{Fits, names, place};
use crate::show::{Finding, Table, number};

/// The most parts in the figure; the rest is added up.
const SHOWN: usize = 8;

impl Fits {
    /// Feature importance of a global model: for each feature, its share of the gain of all splits (for trees), and by
    /// how many per cent the error grows when its values are permuted among the rows (permutation importance, Breiman
    /// 2001; up to 2,000 of the last rows).
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let fits = sales.fit_for(["boost(num_rounds=20)"], 8)?;
    /// let finding = fits.importance("boost(num_rounds=20)")?;
    /// assert!(finding.sentence().starts_with("The most important feature"));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such model, or it fits each series by itself.
    pub fn importance(&self, model: &str) -> Result<Finding> {
        let models = self.models();
        let (m, model) = place(model, &models)?;
        let mut rows = self.fitted(m).importance().ok_or_else(|| alone(model))?;
        rows.sort_by(|a, b| b.permutation.total_cmp(&a.permutation).then(a.feature.cmp(&b.feature)));
        let model = &names(&models)[m];
        let Some(first) = rows.first() else { return Err(Error::model("the model has no features")) };
        let gain = |row: &crate::models::Importance| row.gain.map(|gain| (1000.0 * gain).round() / 10.0);
        let error = |row: &crate::models::Importance| (1000.0 * row.permutation).round() / 10.0;
        let sentence = format!(
            "The most important feature of {model} is `{}`: permuting its values increases the error by {} %.",
            first.feature,
            number(error(first))
        );
        let frame = DataFrame::new(
            rows.len(),
            vec![
                Column::new("feature".into(), rows.iter().map(|row| row.feature.as_str()).collect::<Vec<_>>()),
                Column::new("gain %".into(), rows.iter().map(gain).collect::<Vec<_>>()),
                Column::new("error + %".into(), rows.iter().map(error).collect::<Vec<_>>()),
            ],
        )?;
        let bars = Bars {
            title: format!("Feature importance of {model}"),
            value: "increase of the error when the feature is permuted, %".into(),
            rows: rows.iter().take(15).map(|row| (row.feature.clone(), error(row))).collect(),
            best: None,
            reference: None,
        };
        Ok(Finding::new(format!("Feature importance of {model}"), sentence, Table::new(frame)).drawn(bars.figure()))
    }
}

impl Forecast {
    /// Why is the forecast of a series on a date what it is? The expected value of the model (the baseline), what each
    /// group of features adds to it, in units of the target, and their sum, in words, as a table and as a waterfall
    /// chart.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    /// let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?;
    /// let forecast = sales.fit_for(["boost(num_rounds=20)"], 8)?.forecast(8)?;
    /// let why = forecast.explain("boost(num_rounds=20)", "Store=1, Dept=1", "2012-12-21")?;
    /// assert!(why.sentence().contains("2012-12-21"));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such model or series, the date is not forecast, the model has no features, or the forecast
    /// comes without its fits (it was opened or combined).
    pub fn explain(&self, model: &str, series: &str, date: &str) -> Result<Finding> {
        let models = self.models();
        let (m, model) = place(model, &models)?;
        let i = self.panel().place(series)?;
        let (fits, future) = self
            .fitted()
            .ok_or_else(|| Error::usage(format!("{model} cannot be explained: the forecast comes without its fits")))?;
        let calendar = self.panel().inner().calendar.clone();
        let start = self.start(i);
        let dates: Vec<String> = (0..self.horizon() as i64).map(|step| calendar.label(start + step)).collect();
        let step = find(date, &dates, "forecast date")?;
        let expected = self.mean(model, series)?[step];
        let why = fits.fitted(m).explain(future, i)?.ok_or_else(|| alone(model))?;
        let mut parts: Vec<(String, f64)> =
            why.contributions.iter().map(|(name, steps)| (name.clone(), steps[step])).collect();
        parts.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
        let frame = DataFrame::new(
            parts.len(),
            vec![
                Column::new("what".into(), parts.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>()),
                Column::new("adds".into(), parts.iter().map(|(_, part)| *part).collect::<Vec<_>>()),
            ],
        )?;
        let baseline = why.baseline[step];
        let name = &names(&models)[m];
        let total = parts.iter().map(|(_, part)| part).sum::<f64>();
        let signed = |(name, part): &(String, f64)| {
            format!("{name} {}{}", if *part < 0.0 { "−" } else { "+" }, number(part.abs()))
        };
        let largest: Vec<String> = parts.iter().take(3).filter(|(_, part)| *part != 0.0).map(signed).collect();
        let sentence = format!(
            "{name} forecasts {} for {series} on {date}, {} {} its baseline of {}{}.",
            number(expected),
            number(total.abs()),
            if total < 0.0 { "below" } else { "above" },
            number(baseline),
            if largest.is_empty() { String::new() } else { format!("; largest contributions: {}", largest.join(", ")) },
        );
        let rest: f64 = parts.iter().skip(SHOWN).map(|(_, part)| part).sum();
        let mut shown: Vec<(String, f64)> = parts.iter().take(SHOWN).cloned().collect();
        if parts.len() > SHOWN {
            shown.push((format!("{} others", parts.len() - SHOWN), rest));
        }
        let figure = Waterfall {
            title: format!("{series} on {date}: contributions to the forecast of {name}"),
            value: self.panel().inner().columns.target.clone(),
            start: ("baseline".into(), baseline),
            parts: shown,
            end: "forecast".into(),
        };
        let finding = Finding::new(format!("{series} on {date}"), sentence, Table::new(frame)).drawn(figure.figure());
        let finding = if (baseline + total - expected).abs() > 1e-6 * expected.abs().max(1.0) {
            finding.but(format!(
                "The contributions add up to {} on the scale of the model; transformed back, the forecast is {}.",
                number(baseline + total),
                number(expected)
            ))
        } else {
            finding
        };
        Ok(finding.but("Contributions describe the model; they are no proof of cause."))
    }
}

fn alone(model: &str) -> Error {
    Error::usage(format!(
        "{model} is fitted to each series separately and has no features; use a global model: boost, xgboost, ridge"
    ))
}
